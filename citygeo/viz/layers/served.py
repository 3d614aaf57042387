"""Supply against demand: who has no place, how full facilities are, who goes where, and where places are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from citygeo import datum, hexgrid
from citygeo.viz.classes import NO_DATA, minute_classes, people_classes
from citygeo.viz.layers.layer import Entry, Layer, Tips, one_style, placed
from citygeo.viz.layers.people import count_labels
from citygeo.viz.layers.reached import minute_label
from citygeo.viz.text import (
    MISSING,
    REASONS,
    Label,
    facility_names,
    level_label,
    number,
    people,
    percent,
    text_or_dash,
    travel_time,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from citygeo.issues import IssueLog

MOST_DRAWN = 20_000  # more would make the page too big
LOADS = (
    (Label("too small if all went to the nearest", "若均就近则超员"), "#b42318"),
    (Label("full", "已满"), "#e69f00"),
    (Label("with spare places", "有余位"), "#0f766e"),
    (Label("nobody is sent there", "无人分配"), "#9ca3af"),
    (Label("off the network", "未接入路网"), "#ffffff"),
)
OVER, IS_FULL, SPARE, IDLE, OFF = range(5)


def left_out(demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, population: str, log: IssueLog) -> Layer:
    """
    Return where people have no place, by how many: hexagons, or a point for what is no hexagon.

    Parameters
    ----------
    demand
        Of a provision: served, unserved, reason, nearest_facility, nearest_s.
    facilities
        The facilities, for their names.
    population
        The column with the number of people.
    log
        Told (CG-MAP-001) if only the most are drawn.
    """
    is_cells = hexgrid.has_cell_index(demand)
    rows = placed(demand[demand["unserved"] > 0], "demand")
    if len(rows) > MOST_DRAWN:
        log.add("CG-MAP-001", count=len(rows), layer=f"Without a place 无名额 (the {MOST_DRAWN:,} largest)")
        rows = rows.sort_values("unserved", ascending=False, kind="stable").head(MOST_DRAWN)
    names = facility_names(facilities)
    classes = people_classes(rows["unserved"])
    class_of = classes.of(rows["unserved"])
    fields = (
        Label("People", "人数"),
        Label("With a place", "有名额"),
        Label("Reason", "原因"),
        Label("Nearest facility", "最近设施"),
        Label("Its time", "到达时间"),
    )
    texts = [
        [
            f"{people(row.unserved)} without a place 无名额", people(getattr(row, population)), people(row.served),
            str(REASONS.get(row.reason, Label(str(row.reason)))), names.get(row.nearest_facility, MISSING),
            travel_time(row.nearest_s),
        ]
        for row in rows.itertuples()
    ]  # fmt: skip
    totals = np.bincount(class_of, rows["unserved"], minlength=len(classes.colours))
    counts = np.bincount(class_of, minlength=len(classes.colours))
    line = (
        {"color": "#ffffff", "weight": 0.4, "opacity": 0.7, "fillOpacity": 0.8}
        if is_cells
        else {"color": "#4b5563", "weight": 0.6, "opacity": 0.9, "fillOpacity": 0.85, "radius": 4.5}
    )
    return Layer(
        key="left-out",
        name=Label("People without a place", "无名额人数"),
        kind="areas" if is_cells else "points",
        shapes=rows.geometry.to_numpy() if is_cells else datum.representative_points(rows),
        styles=tuple(line | {"fillColor": colour} for colour in classes.colours),
        style_of=class_of,
        unit=Label("without a place; at right: places on the map · people", "无名额人数;右侧:地点数·人数"),
        legend=tuple(
            Entry(place, label, f"{number(counts[place])} · {people(totals[place])}")
            for place, label in enumerate(count_labels(classes))
            if counts[place]
        ),
        tips=Tips(fields, texts),
    )


def loads(facilities: gpd.GeoDataFrame) -> Layer:
    """
    Return facilities by how full they are, those too small drawn last.

    Parameters
    ----------
    facilities
        Of a provision: capacity, allocated, spare, nearest_load, overload, mean_time_s, status.
    """
    kind = load_of(facilities)
    rows = placed(
        facilities.assign(_kind=kind).sort_values("_kind", ascending=False, kind="stable"), "facilities"
    )
    names = facility_names(facilities)
    fields = (
        Label("State", "状态"),
        Label("Places", "名额"),
        Label("Allocated", "已分配"),
        Label("Spare", "余位"),
        Label("If all went to the nearest", "若均就近的人数"),
        Label("Mean time", "平均用时"),
    )
    texts = [
        [
            names[row.Index], str(LOADS[kind][0]), number(row.capacity), number(row.allocated), number(row.spare),
            f"{number(row.nearest_load)} ({percent(row.nearest_load / row.capacity) if row.capacity else MISSING})",
            travel_time(row.mean_time_s),
        ]
        for row, kind in zip(rows.itertuples(), rows["_kind"], strict=True)
    ]  # fmt: skip
    places = np.bincount(kind, facilities["capacity"], minlength=len(LOADS))
    counts = np.bincount(kind, minlength=len(LOADS))
    present = [each for each in range(len(LOADS)) if counts[each]]
    style = {"color": "#111827", "weight": 1.1, "opacity": 1, "fillOpacity": 1, "radius": 5}
    return Layer(
        key="loads",
        name=Label("Facilities", "设施"),
        kind="points",
        shapes=datum.representative_points(rows),
        styles=tuple(style | {"fillColor": LOADS[each][1]} for each in present),
        style_of=np.searchsorted(present, rows["_kind"].to_numpy()),
        unit=Label("at right: facilities · places", "右侧:设施数·名额"),
        legend=tuple(
            Entry(place, LOADS[each][0], f"{number(counts[each])} · {number(places[each])}")
            for place, each in enumerate(present)
        ),
        tips=Tips(fields, texts),
    )


def load_of(facilities: pd.DataFrame) -> Any:
    """Return the state of each facility, its place in `LOADS`."""
    is_off = facilities["status"] != "ok"
    return np.select(
        [is_off, facilities["overload"] > 0, facilities["allocated"] == 0, facilities["spare"] == 0],
        [OFF, OVER, IDLE, IS_FULL],
        SPARE,
    )


def ways(
    flows: pd.DataFrame, demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, minutes: float, log: IssueLog
) -> Layer:
    """
    Return straight lines from people to where they are sent, by minutes; off at start.

    Parameters
    ----------
    flows
        Of a provision: demand, facility (labels), people, time_s.
    demand, facilities
        Where they stand.
    minutes
        The bound.
    log
        Told (CG-MAP-001) if only those of most people are drawn.
    """
    shown = flows
    if len(flows) > MOST_DRAWN:
        log.add("CG-MAP-001", count=len(flows), layer=f"Who goes where 分配去向 (the {MOST_DRAWN:,} largest)")
        shown = flows.sort_values("people", ascending=False, kind="stable").head(MOST_DRAWN)
    ends = []
    for layer, labels in ((demand, shown["demand"]), (facilities, shown["facility"])):
        points = datum.representative_points(layer.to_crs(datum.WGS84))
        ends.append(shapely.get_coordinates(points[layer.index.get_indexer(labels)]))
    lines = np.asarray(shapely.linestrings(np.stack(ends, axis=1)), object)
    classes = minute_classes(minutes)
    class_of = classes.of(shown["time_s"] / 60)
    totals = np.bincount(class_of, shown["people"], minlength=len(classes.colours))
    present = np.unique(class_of)[::-1]  # the longest first, below the others
    return Layer(
        key="ways",
        name=Label("Who goes where", "分配去向"),
        kind="lines",
        shapes=np.array([shapely.multilinestrings(lines[class_of == each]) for each in present], object),
        styles=tuple({"color": classes.colours[each], "weight": 1, "opacity": 0.75} for each in present),
        style_of=np.arange(len(present)),
        unit=Label("minutes; at right: people", "分钟;右侧:人数"),
        legend=tuple(
            Entry(len(present) - 1 - place, minute_label(*classes.ranges()[each]), people(totals[each]))
            for place, each in enumerate(present[::-1])
        ),
        is_shown=False,
    )


def missing_places(zones: gpd.GeoDataFrame, level: str) -> Layer:
    """
    Return zones coloured by the places they lack; off at start.

    Parameters
    ----------
    zones
        Of one level: name, demand, served_share, capacity, places_missing.
    level
        Their level.
    """
    rows, label = placed(zones, "zones"), level_label(level)
    lacking = rows["places_missing"].to_numpy()
    classes = people_classes(lacking)
    none = len(classes.colours)
    class_of = np.where(lacking > 0, classes.of(lacking), none)
    fields = (
        Label("Places missing", "缺少名额"),
        Label("People", "需求人数"),
        Label("Places", "名额"),
        Label("With a place (also elsewhere)", "有名额者(含区外)"),
    )
    texts = [
        [
            text_or_dash(row.name_), number(row.places_missing), people(row.demand), number(row.capacity),
            percent(row.served_share),
        ]
        for row in rows.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip
    counts = np.bincount(class_of, minlength=none + 1)
    legend = [
        Entry(place, text, number(int(counts[place])))
        for place, text in enumerate(count_labels(classes))
        if counts[place]
    ]
    legend.append(Entry(none, Label("none missing", "不缺"), number(int(counts[none]))))
    line = {"color": "#ffffff", "weight": 1, "opacity": 1, "fillOpacity": 0.8}
    return Layer(
        key=f"missing-{level}",
        name=Label(f"Places missing: {label.en}", f"{label.zh}缺少名额"),
        kind="areas",
        shapes=rows.geometry.simplify(5e-5).to_numpy(),
        styles=tuple(line | {"fillColor": colour} for colour in (*classes.colours, NO_DATA)),
        style_of=class_of if len(rows) else one_style(rows),
        unit=Label(f"places missing per {label.en}; at right: zones", "缺少名额;右侧:分区数"),
        legend=tuple(legend),
        tips=Tips(fields, texts),
        is_shown=False,
    )
