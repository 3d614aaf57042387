"""People: who is not covered, the blind spots, and the share covered in each zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from citygeo.viz.classes import NO_DATA, Classes, people_classes, share_classes
from citygeo.viz.layers.layer import Entry, Layer, Tips, one_style, placed
from citygeo.viz.layers.reached import word_for
from citygeo.viz.text import (
    MISSING,
    REASONS,
    STATUSES,
    Label,
    level_label,
    number,
    people,
    percent,
    text_or_dash,
    travel_time,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

RANKED = 10  # so many blind spots carry their rank on the map
BLIND: dict[str, Any] = {"color": "#3b0a45", "opacity": 1}


def uncovered_people(cells: gpd.GeoDataFrame, names: Mapping[Any, str], *, mode: str = "") -> Layer:
    """
    Return the hexagons where somebody is not covered, coloured by how many.

    Parameters
    ----------
    cells
        Indexed by H3 cell: population, covered, uncovered, time_s, facility, status.
    names
        Name of each facility.
    mode
        Name of the travel mode, which chooses what facilities are called.
    """
    rows = placed(cells[cells["uncovered"] > 0], "cells")
    classes = people_classes(rows["uncovered"])
    class_of = classes.of(rows["uncovered"])
    fields = (
        Label("People", "人口"),
        Label("Covered", "已覆盖"),
        Label("Status", "状态"),
        word_for(mode).nearest,
        Label("Its time", "到达时间"),
        Label("H3 cell", "格网编号"),
    )
    texts = [
        [
            f"{people(row.uncovered)} people not covered 人未覆盖", people(row.population), people(row.covered),
            str(STATUSES.get(row.status, Label(str(row.status)))), names.get(row.facility, MISSING),
            travel_time(row.time_s), str(row.Index),
        ]
        for row in rows.itertuples()
    ]  # fmt: skip
    totals = pd.Series(rows["uncovered"].to_numpy()).groupby(class_of).agg(["size", "sum"])
    totals = totals.reindex(range(len(classes.colours)), fill_value=0)
    return Layer(
        key="uncovered",
        name=Label("People not covered", "未覆盖人口"),
        kind="areas",
        shapes=rows.geometry.to_numpy(),
        styles=tuple(
            {"color": "#ffffff", "weight": 0.4, "opacity": 0.7, "fillColor": colour, "fillOpacity": 0.78}
            for colour in classes.colours
        ),
        style_of=class_of,
        unit=Label(
            f"people not covered per hexagon{_size(rows)}; at right: hexagons · people",
            "每个六边形的未覆盖人数;右侧:格网数·人数",
        ),
        legend=tuple(
            Entry(place, label, f"{number(row['size'])} ⬡ · {people(row['sum'])}")
            for place, (label, (_, row)) in enumerate(
                zip(count_labels(classes), totals.iterrows(), strict=True)
            )
        ),
        tips=Tips(fields, texts),
    )


def _size(cells: gpd.GeoDataFrame) -> str:
    """Return the usual size of the cells, for the legend."""
    if cells.empty:
        return ""
    area_m2 = abs(cells.crs.get_geod().geometry_area_perimeter(cells.geometry.iloc[len(cells) // 2])[0])
    return f" (about {area_m2 / 1e6:.2g} km²)"


def count_labels(classes: Classes) -> list[Label]:
    """Return "under 10", "10 – 50", "50 and more"."""
    labels = [Label(f"{low:,.0f} – {high:,.0f}") for low, high in classes.ranges()]
    if len(labels) > 1:
        labels[0] = Label(f"under {classes.breaks[1]:,.0f}", "以下")
        labels[-1] = Label(f"{classes.breaks[-2]:,.0f} and more", "及以上")
    else:
        labels[0] = Label(f"up to {classes.breaks[-1]:,.0f}", "以内")
    return labels


def blind_spots(spots: gpd.GeoDataFrame, names: Mapping[Any, str], *, mode: str = "") -> Layer:
    """
    Return the outlines of blind spots, worst drawn last.

    Parameters
    ----------
    spots
        From `citygeo.coverage.spots.blind_spots`.
    names
        Name of each facility.
    """
    rows = placed(spots, "blind spots").iloc[::-1]
    is_small = np.arange(len(rows))[::-1] >= RANKED
    labels = (Label(f"the {RANKED} with most people", f"人口最多的{RANKED}处"), Label("others", "其他"))
    counts = (int((~is_small).sum()), int(is_small.sum()))
    return Layer(
        key="blind-spots",
        name=Label("Blind spots", "服务盲区"),
        kind="outlines",
        shapes=rows.geometry.to_numpy(),
        styles=(BLIND | {"weight": 2.6}, BLIND | {"weight": 0.9, "opacity": 0.75}),
        style_of=is_small.astype(np.int64),
        unit=Label("joined hexagons where most people are not covered", "多数人口未覆盖的相邻格网"),
        legend=tuple(
            Entry(style, label, number(count))
            for style, (label, count) in enumerate(zip(labels, counts, strict=True))
            if count
        ),
        tips=_spot_tips(rows, names, mode),
    )


def _spot_tips(rows: gpd.GeoDataFrame, names: Mapping[Any, str], mode: str) -> Tips:
    fields = (
        Label("People not covered", "未覆盖人口"),
        Label("Place", "所在分区"),
        word_for(mode).nearest,
        Label("Mean time of its people", "平均到达时间"),
        Label("Reason", "原因"),
        Label("In between", "阻隔物"),
        Label("What would help", "改善建议"),
        Label("Area", "面积"),
    )
    texts = [
        [
            f"Blind spot 盲区 {row.Index}", people(row.uncovered), text_or_dash(row.zone),
            names.get(row.nearest_facility, MISSING), travel_time(row.time_s),
            str(REASONS.get(row.reason, Label(str(row.reason)))), text_or_dash(row.crosses),
            f"{row.hint} {row.hint_zh}", f"{number(row.area_km2, 2)} km²",
        ]
        for row in rows.itertuples()
    ]  # fmt: skip
    return Tips(fields, texts)


def blind_spot_ranks(spots: gpd.GeoDataFrame, names: Mapping[Any, str], *, mode: str = "") -> Layer:
    """Return the ranks of the worst blind spots as labels."""
    rows = placed(spots, "blind spots").head(RANKED)
    return Layer(
        key="blind-spot-ranks",
        name=Label("Ranks of blind spots", "盲区排名"),
        kind="labels",
        shapes=rows.geometry.representative_point().to_numpy(),
        styles=({"badge": True},),
        style_of=one_style(rows),
        tips=_spot_tips(rows, names, mode),
        texts=[str(rank) for rank in rows.index],
    )


def zone_shares(zones: gpd.GeoDataFrame, level: str) -> Layer:
    """
    Return zones coloured by the share of their people that is covered; off at start.

    Parameters
    ----------
    zones
        Rows of one level: name, population, population_covered, population_share, area_share.
    level
        Their level.
    """
    rows = placed(zones, "zones")
    classes, label = share_classes(), level_label(level)
    class_of = classes.of(rows["population_share"])
    missing = len(classes.colours)
    fields = (
        Label("People covered", "人口覆盖率"),
        Label("Covered", "已覆盖人口"),
        Label("People", "人口"),
        Label("Area covered", "面积覆盖率"),
    )
    texts = [
        [
            text_or_dash(row.name_), percent(row.population_share), people(row.population_covered),
            people(row.population), percent(row.area_share),
        ]
        for row in rows.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip
    counts = np.bincount(np.where(class_of < 0, missing, class_of), minlength=missing + 1)
    legend = [
        Entry(place, Label(f"{100 * low:.0f} – {100 * high:.0f} %"), number(int(counts[place])))
        for place, (low, high) in enumerate(classes.ranges())
    ]
    if counts[missing]:
        legend.append(Entry(missing, Label("nobody lives there", "无人口"), number(int(counts[missing]))))
    line = {"color": "#ffffff", "weight": 1, "opacity": 1, "fillOpacity": 0.8}
    return Layer(
        key=f"shares-{level}",
        name=Label(f"Share covered: {label.en}", f"{label.zh}覆盖率"),
        kind="areas",
        shapes=rows.geometry.simplify(5e-5).to_numpy(),
        styles=tuple(line | {"fillColor": colour} for colour in (*classes.colours, NO_DATA)),
        style_of=np.where(class_of < 0, missing, class_of),
        unit=Label(f"people covered per {label.en}", "人口覆盖率"),
        legend=tuple(legend),
        tips=Tips(fields, texts),
        is_shown=False,
    )
