"""Isochrones: bands of ground, each facility's own ground, and hexagons by minute."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from citygeo import datum
from citygeo.viz.bands import Band, earliest, km, km2, minutes_of, within
from citygeo.viz.classes import DISTINCT, INK, Classes, ramp
from citygeo.viz.layers.context import simplify
from citygeo.viz.layers.layer import Entry, Layer, Stop, Tips, placed
from citygeo.viz.layers.reached import minute_label
from citygeo.viz.text import Label, facility_names, number, travel_time

if TYPE_CHECKING:
    import geopandas as gpd

    from citygeo.issues import IssueLog

MANY = 8  # more facilities are not named in the legend
MAX_CELLS = 20_000  # more hexagons are drawn together, without tooltips
NEAR_M = 300.0  # areas closer than this get different colours
_FIELDS = (Label("Minutes", "时间"), Label("Ground", "面积"), Label("Road reached", "可达道路"))


def band_ground(found: list[Band], crs: pyproj.CRS, log: IssueLog) -> Layer:
    """
    Return the ground of each band over all facilities, without the bands inside it; the widest is drawn first.

    Parameters
    ----------
    found
        The bands, the narrowest first.
    crs
        The metric CRS of their ground.
    log
        Told (CG-MAP-001) that outlines were simplified.
    """
    to_degrees: Any = pyproj.Transformer.from_crs(crs, datum.WGS84, always_xy=True).transform
    grounds = np.array([band.ground for band in found], object)
    grounds, tolerance_m = simplify(shapely.transform(grounds, to_degrees, interleaved=False))
    log.add("CG-MAP-001", count=len(grounds), layer=f"Isochrones 等时圈 (to {tolerance_m:g} m)")
    # rounded corners may touch
    grounds = shapely.make_valid(grounds)
    shapes = [grounds[0], *(shapely.difference(outer, inner) for inner, outer in pairwise(grounds))]
    colours = ramp("reach", max(len(found), 3))[::-1][-len(found) :]
    filled = [k for k in reversed(range(len(found))) if not shapes[k].is_empty]
    return Layer(
        key="isochrones",
        name=Label("Isochrones", "等时圈"),
        kind="areas",
        shapes=np.array([shapes[k] for k in filled], object),
        styles=tuple(
            {"color": "#1d2f6b", "weight": 0.8, "opacity": 0.75, "fillColor": colour, "fillOpacity": 0.72}
            for colour in colours
        ),
        style_of=np.array(filled, np.int64),
        legend=tuple(Entry(k, band.label, band.note) for k, band in enumerate(found)),
        since=np.array([found[k].minutes for k in filled]),
        stops=_stops(found),
    )


def outlines(iso: Any, log: IssueLog) -> Layer:
    """Return the outline of each facility's bands, off at start; only the widest if there are many facilities."""
    rows = _with_ground(_simple(iso, log))
    if len(iso.facilities) > MANY:
        rows = rows[rows["minutes"] == rows["minutes"].max()]
    rows = rows.sort_values("minutes", ascending=False, kind="stable")
    style = {"color": INK, "weight": 1.2, "opacity": 0.9}
    return Layer(
        key="isochrones-each",
        name=Label("Isochrones of each facility", "各设施的等时圈"),
        kind="outlines",
        shapes=rows.geometry.to_numpy(),
        styles=(style,),
        style_of=np.zeros(len(rows), np.int64),
        legend=(Entry(0, Label("One facility", "单个设施"), number(rows["facility"].nunique())),),
        tips=_tips(rows, iso),
        is_shown=False,
        since=rows["minutes"].to_numpy(np.float64),
        stops=tuple(Stop(minutes) for minutes in minutes_of(iso)),
    )


def own_ground(iso: Any, found: list[Band], log: IssueLog) -> Layer:
    """
    Return the ground of each facility in its own colour, paler band by band.

    Parameters
    ----------
    iso
        `Isochrones` of polygons whose areas were split.
    found
        Its bands, the narrowest first.
    log
        Told (CG-MAP-001) that outlines were simplified.
    """
    rows = _without_inner(_with_ground(_simple(iso, log)))
    rows = rows.sort_values("minutes", ascending=False, kind="stable")
    colour_of = facility_colours(iso)
    strength = np.linspace(0.78, 0.3, len(found)) if len(found) > 1 else np.array([0.55])
    steps = {band.minutes: place for place, band in enumerate(found)}
    look_of = [(colour_of[row.facility], steps[row.minutes]) for row in rows.itertuples()]
    looks = [*dict.fromkeys(look_of)]
    styles = [
        {
            "color": INK,
            "weight": 0.8,
            "opacity": 0.6,
            "fillColor": colour,
            "fillOpacity": float(strength[step]),
        }
        for colour, step in looks
    ]
    bands_from, names = len(styles), facility_names(iso.facilities)
    styles += [style | {"fillColor": INK} for style in _plain_bands(strength)]
    legend = [Entry(bands_from + k, band.label, band.note) for k, band in enumerate(found)]
    area = own_reach(iso)["area_km2"]
    area = area[area > 0]
    if len(area) <= MANY:
        colours_from = len(styles)
        styles += [
            style | {"fillColor": colour_of[label]} for label in area.index for style in _plain_bands([0.78])
        ]
        named = [
            Entry(colours_from + k, Label(names[label]), km2(area[label]))
            for k, label in enumerate(area.index)
        ]
        legend = [*named, *legend]
    return Layer(
        key="isochrones-own",
        name=Label("Isochrones, split", "等时圈(按设施划分)"),
        kind="areas",
        shapes=rows.geometry.to_numpy(),
        styles=tuple(styles),
        style_of=np.array([looks.index(look) for look in look_of], np.int64),
        unit=Label("a colour for each facility, paler with time", "各设施一色,时间越长越浅"),
        legend=tuple(legend),
        tips=_tips(rows, iso),
        since=rows["minutes"].to_numpy(np.float64),
        stops=_stops(found),
    )  # fmt: skip


def _plain_bands(strength: Any) -> list[dict[str, Any]]:
    return [
        {"color": INK, "weight": 0.8, "opacity": 0.6, "fillOpacity": float(opacity)} for opacity in strength
    ]


def own_reach(iso: Any) -> pd.DataFrame:
    """Return area_km2 and reached_km of each facility within the widest band; no rows where nobody measured them."""
    columns = ["area_km2", "reached_km"]
    if iso.kind != "polygons" or "facility" not in iso:
        return pd.DataFrame(columns=columns)
    by_facility = pd.DataFrame(iso).groupby("facility", sort=False)[columns]
    # rings add up; of disks the widest holds all
    return by_facility.sum() if iso.bands == "rings" else by_facility.max()


def facility_colours(iso: Any) -> dict[Any, str]:
    """
    Return a colour for each facility, so that areas beside each other differ.

    Parameters
    ----------
    iso
        `Isochrones` of polygons whose areas were split.
    """
    labels = list(dict.fromkeys(iso["facility"]))
    if len(labels) <= len(DISTINCT):
        return dict(zip(labels, DISTINCT, strict=False))
    rows = _with_ground(iso[iso["minutes"] == iso["minutes"].max()])
    shapes = rows.geometry.to_crs(iso.network.metric_crs).to_numpy()
    place = {label: k for k, label in enumerate(labels)}
    of_row = np.array([place[label] for label in rows["facility"]], np.int64)
    pairs = of_row[shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=NEAR_M)]
    taken: list[list[int]] = [[] for _ in labels]  # colours of the neighbours so far
    chosen = np.zeros(len(labels), np.int64)
    use = np.zeros(len(DISTINCT), np.int64)
    for one in range(len(labels)):
        beside = np.bincount(taken[one], minlength=len(DISTINCT))
        # the one that fewest neighbours have, then the one that is least in use
        chosen[one] = np.lexsort((use, beside))[0]
        use[chosen[one]] += 1
        for other in set(pairs[1][pairs[0] == one]) - {one}:
            taken[other].append(int(chosen[one]))
    return {label: DISTINCT[chosen[k]] for k, label in enumerate(labels)}


def hexagons(iso: Any, classes: Classes, stops: tuple[float, ...], log: IssueLog) -> Layer:
    """
    Return hexagons coloured by the minute of the earliest arrival in them.

    Parameters
    ----------
    iso
        `Isochrones` of cells.
    classes
        Classes of minutes.
    stops
        Minutes at which the time slider stops.
    log
        Told (CG-MAP-001) if there are too many to tell apart.
    """
    rows = placed(earliest(iso), "cells")
    minutes = rows["time_s"].to_numpy(np.float64) / 60
    class_of = np.searchsorted(classes.breaks[1:-1], minutes)  # bounds are inclusive above
    shapes, since, tips = rows.geometry.to_numpy(), np.ceil(np.round(minutes * 1000, 6)) / 1000, None
    counts = np.bincount(class_of, minlength=len(classes.colours))
    if len(rows) <= MAX_CELLS:
        tips = _cell_tips(rows, iso)
    else:
        log.add("CG-MAP-001", count=len(rows), layer="Hexagons 六边形")
        step_of = np.searchsorted(stops[:-1], minutes)
        present = np.unique(step_of)
        shapes = np.array([shapely.multipolygons(shapes[step_of == step]) for step in present], object)
        since = np.array(stops)[present]
        class_of = np.searchsorted(classes.breaks[1:-1], since)
    return Layer(
        key="isochrones-cells",
        name=Label("Hexagons by minute", "六边形可达时间"),
        kind="areas",
        shapes=shapes,
        styles=tuple(
            {"color": "#ffffff", "weight": 0.6, "opacity": 0.6, "fillColor": colour, "fillOpacity": 0.72}
            for colour in classes.colours
        ),
        style_of=class_of,
        unit=Label(
            "minutes to the first road in the hexagon, any delay included", "到达六边形内道路的最短分钟数,含出动时间"
        ),
        legend=tuple(
            Entry(row, minute_label(*classes.ranges()[row]), f"{number(int(count))} ⬡")
            for row, count in enumerate(counts)
            if count
        ),
        tips=tips,
        since=since,
        stops=tuple(Stop(stop, f"{number(int((minutes <= stop).sum()))} ⬡") for stop in stops),
    )  # fmt: skip


def _cell_tips(rows: gpd.GeoDataFrame, iso: Any) -> Tips:
    fields = (Label("Cell", "网格"), Label("First from or to", "最先可达设施"))
    names = facility_names(iso.facilities)
    firsts = [names[label] for label in rows["facility"]] if "facility" in rows else ["–"] * len(rows)
    texts = [
        [travel_time(row.time_s), str(row.cell), first]
        for row, first in zip(rows.itertuples(), firsts, strict=True)
    ]
    return Tips(fields, texts)


def _simple(iso: Any, log: IssueLog) -> gpd.GeoDataFrame:
    """Return the polygons in WGS 84 with no more corners than a page can hold."""
    rows = placed(iso, "isochrones")
    shapes, tolerance_m = simplify(rows.geometry.to_numpy())
    log.add("CG-MAP-001", count=len(shapes), layer=f"Isochrones 等时圈 (to {tolerance_m:g} m)")
    return rows.set_geometry(shapes, crs=rows.crs)


def _with_ground(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows that have any ground."""
    return rows[~(rows.geometry.isna() | rows.geometry.is_empty)]


def _without_inner(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows, each without the next narrower band of the same facility."""
    shapes = rows.geometry.to_numpy().copy()
    order = rows["minutes"].to_numpy()
    for places in rows.groupby("facility").indices.values():
        ranked = places[np.argsort(order[places])]
        for inner, outer in reversed([*pairwise(ranked)]):
            shapes[outer] = shapely.difference(shapes[outer], shapes[inner])
    return _with_ground(rows.set_geometry(shapes, crs=rows.crs))


def _stops(found: list[Band]) -> tuple[Stop, ...]:
    """Return a stop for each band, which tells what is reached by then."""
    return tuple(
        Stop(band.minutes, " · ".join(part for part in (km2(band.area_km2), km(band.reached_km)) if part))
        for band in within(found)
    )


def _tips(rows: gpd.GeoDataFrame, iso: Any) -> Tips:
    names = facility_names(iso.facilities)
    texts = [
        [
            names[row.facility],
            Band(row.from_minutes, row.minutes).label.en,
            km2(row.area_km2),
            km(row.reached_km),
        ]
        for row in rows.itertuples()
    ]
    return Tips(_FIELDS, texts)
