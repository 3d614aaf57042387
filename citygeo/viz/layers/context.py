"""The ground a reader needs to find the way: boundaries, place names, and the roads themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from citygeo import datum
from citygeo.viz.layers.layer import Entry, Layer, one_style, placed
from citygeo.viz.text import Label, level_label, number

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

METRES_PER_DEGREE = 111_320.0
MAX_VERTICES = 400_000  # a page of about 1.5 MB for the roads
TOLERANCES_M = (2.0, 5.0, 10.0, 20.0, 50.0)

# OSM highway values -> drawn class; the rest are "other"
ROAD_CLASSES: tuple[tuple[Label, frozenset[str], dict[str, Any]], ...] = (
    (
        Label("Other roads and tracks", "其他道路"),
        frozenset(),
        {"color": "#d8d8d4", "weight": 0.6},
    ),
    (
        Label("Streets", "街道"),
        frozenset(("residential", "unclassified", "living_street")),
        {"color": "#c9cac7", "weight": 0.8},
    ),
    (
        Label("Collector roads", "次干道与支路"),
        frozenset(("tertiary", "tertiary_link", "secondary", "secondary_link")),
        {"color": "#b3b5b3", "weight": 1.2},
    ),
    (
        Label("Main roads", "快速路与主干道"),
        frozenset(("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link")),
        {"color": "#96999a", "weight": 2.0},
    ),
)


def boundaries(zones: gpd.GeoDataFrame, level: str) -> Layer:
    """Return the outlines of zones on a white ground, so that land stands off the paper."""
    rows = placed(zones, "zones")
    label = level_label(level)
    style = {
        "color": "#7b8190", "weight": 1.1, "opacity": 0.9, "dashArray": "6 3", "fillColor": "#ffffff", "fillOpacity": 1,
    }  # fmt: skip
    tolerance = TOLERANCES_M[1] / METRES_PER_DEGREE
    # zones share borders: simplified together they still do
    shapes = shapely.coverage_simplify(rows.geometry.to_numpy(), tolerance)
    return Layer(
        key=f"boundaries-{level}",
        name=Label(f"Boundaries: {label.en}", f"{label.zh}边界"),
        kind="areas",
        shapes=shapes,
        styles=(style,),
        style_of=one_style(shapes),
        legend=(Entry(0, Label(f"Boundary of a {label.en}", f"{label.zh}边界")),),
    )


def place_names(zones: gpd.GeoDataFrame, level: str, cells: gpd.GeoDataFrame | None = None) -> Layer:
    """
    Return the names of zones, the largest population first: it stays when two collide.

    Parameters
    ----------
    zones
        Zones of one level: name, population.
    level
        Their level.
    cells
        Cells with ``population``: a name stands where the people are, which in a zone with much empty land
        is far from its middle.
    """
    rows = placed(zones, "zones")
    rows = rows[rows["name"].notna()]
    if "population" in rows:
        rows = rows.sort_values("population", ascending=False, kind="stable")
    label = level_label(level)
    return Layer(
        key=f"names-{level}",
        name=Label(f"Names: {label.en}", f"{label.zh}名称"),
        kind="labels",
        shapes=_anchors(rows, cells),
        styles=({},),
        style_of=one_style(rows),
        texts=[str(name) for name in rows["name"]],
    )


def _anchors(zones: gpd.GeoDataFrame, cells: gpd.GeoDataFrame | None) -> NDArray[np.object_]:
    """Return where the name of each zone stands: the middle of its people, else a point inside."""
    points = datum.representative_points(zones)
    if cells is None:
        return points
    lived_in = placed(cells[cells["population"] > 0], "cells")
    middles = shapely.centroid(lived_in.geometry.to_numpy())
    zone, cell = shapely.STRtree(middles).query(zones.geometry.to_numpy(), predicate="contains")
    weight, xy = lived_in["population"].to_numpy()[cell], shapely.get_coordinates(middles)[cell]
    total = np.bincount(zone, weight, minlength=len(zones))
    with np.errstate(invalid="ignore"):
        x, y = (np.bincount(zone, weight * axis, minlength=len(zones)) / total for axis in xy.T)
    points[total > 0] = shapely.points(np.column_stack((x, y))[total > 0])
    return points


def roads(edges: gpd.GeoDataFrame, log: IssueLog) -> Layer:
    """
    Return the road network as thin grey lines, one feature per class.

    Parameters
    ----------
    edges
        As `RoadNetwork.to_gdfs` gives them; both directions of a street are drawn once.
    log
        Told (CG-MAP-001) how many lines were simplified.
    """
    rows = placed(edges, "roads")
    highway = rows["highway"].map(_first) if "highway" in rows else pd.Series("", index=rows.index)
    lines = shapely.normalize(rows.geometry.to_numpy())
    is_first = ~pd.Series(shapely.to_wkb(lines)).duplicated().to_numpy()
    lines, words = lines[is_first], highway.to_numpy()[is_first]
    simple, tolerance_m = simplify(lines)
    log.add("CG-MAP-001", count=len(lines), layer=f"Roads 道路 (to {tolerance_m:g} m)")
    style_of = _road_class(words)
    present = [style for style in range(len(ROAD_CLASSES)) if (style_of == style).any()]
    length_km = np.array([_length_km(lines[style_of == style]) for style in present])
    return Layer(
        key="roads",
        name=Label("Road network", "路网"),
        kind="lines",
        shapes=np.array([shapely.multilinestrings(simple[style_of == style]) for style in present], object),
        styles=tuple(ROAD_CLASSES[style][2] | {"opacity": 1, "grow": True} for style in present),
        style_of=np.arange(len(present)),
        legend=tuple(
            Entry(row, ROAD_CLASSES[present[row]][0], f"{number(length_km[row])} km")
            for row in reversed(range(len(present)))
        ),
    )


def simplify(lines: NDArray[np.object_]) -> tuple[NDArray[np.object_], float]:
    """Return lines with no more vertices than a page can hold, and the tolerance in metres it took."""
    for tolerance_m in TOLERANCES_M:
        simple = shapely.simplify(lines, tolerance_m / METRES_PER_DEGREE)
        if shapely.get_num_coordinates(simple).sum() <= MAX_VERTICES:
            break
    return simple, tolerance_m


def _first(value: object) -> str:
    """Return a highway value; an edge joined from several ways may hold a list."""
    return str(value[0]) if isinstance(value, (list, tuple)) and value else str(value)


def _road_class(words: NDArray[Any]) -> NDArray[np.int64]:
    style_of = np.zeros(len(words), np.int64)
    for style, (_, values, _) in enumerate(ROAD_CLASSES):
        style_of[np.isin(words.astype(str), list(values))] = style
    return style_of


def _length_km(lines: NDArray[np.object_]) -> float:
    """Return the length on the ground; the ellipsoid matters at 64° north."""
    import pyproj

    place, line = shapely.get_coordinates(lines, return_index=True)
    at = np.flatnonzero(line[1:] == line[:-1])
    start, end = place[at], place[at + 1]
    return float(pyproj.Geod(ellps="WGS84").inv(*start.T, *end.T)[2].sum()) / 1000
