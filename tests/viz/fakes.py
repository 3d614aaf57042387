"""A made-up city on a few streets, with names that attack, in the shape of the real results."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, box

INF, NAN = np.inf, np.nan
LON, LAT = 118.08, 24.46

HOSTILE = (
    "<script>window.__pwned=1</script>",
    "</script><script>window.__pwned=1</script>",
    "<img src=x onerror='window.__pwned=1'>",
    "{{ [].__class__.__mro__ }}",
    "{% raw %}{{ 7 * 7 }}",
    "{#",
    "${window.__pwned=1}",
    "`+(window.__pwned=1)+`",
    "'\"><svg onload=window.__pwned=1>",
    "javascript:window.__pwned=1",
    "--><!-- <b>",
    "\u2028\\u003cb\\",
    "厦门 & Co. <思明区>",
)


class Coverage(SimpleNamespace):
    """Stands in for citygeo.coverage.Coverage: results are known by the name of their class."""


class ServiceArea(SimpleNamespace):
    """Stands in for citygeo.reach.ServiceArea."""


class RoadNetwork(SimpleNamespace):
    """Stands in for citygeo.network.RoadNetwork."""


class Isochrones(gpd.GeoDataFrame):
    """Stands in for citygeo.isochrones.Isochrones."""

    _metadata = (
        "kind", "network", "facilities", "snaps", "bands", "direction", "overlap", "trim_m",
        "offroad_kmh", "provenance",
    )  # fmt: skip


def edges() -> gpd.GeoDataFrame:
    """Return a street grid of 6 by 6, every street in both directions."""
    lines, words = [], []
    kinds = ("primary", "secondary", "residential", "footway", "trunk", "unclassified")
    for k in range(6):
        for start, end in (((0, k), (5, k)), ((k, 0), (k, 5))):
            line = [(LON + x * 0.01, LAT + y * 0.01) for x, y in (start, end)]
            lines += [LineString(line), LineString(line[::-1])]
            words += [kinds[k]] * 2
    index = pd.MultiIndex.from_tuples([(i, i + 1, 0) for i in range(len(lines))], names=["u", "v", "key"])
    return gpd.GeoDataFrame({"highway": words}, geometry=lines, crs=4326, index=index)


def network() -> RoadNetwork:
    mode = SimpleNamespace(name="fire_engine", label_en="Fire engine", label_zh="消防车")
    return RoadNetwork(
        source={"name": "xiamen.osm.pbf"},
        metric_crs=pyproj.CRS(32650),
        mode=mode,
        length_m=np.full(24, 500.0),
        n_edges=24,
        n_nodes=36,
        to_gdfs=lambda: (None, edges()),
    )


def service_area(name: str = "Station 一") -> ServiceArea:
    stations = gpd.GeoDataFrame(
        {"name": [name, None]},
        geometry=[Point(LON + 0.02, LAT + 0.02), box(LON + 0.04, LAT + 0.04, LON + 0.041, LAT + 0.041)],
        crs=4326,
        index=["a", "b"],
    )
    snaps = gpd.GeoDataFrame(
        {"status": ["ok", "not_snapped"], "snap_distance_m": [12.0, 900.0], "delay_s": [60.0, 60.0]},
        geometry=[Point(LON + 0.02, LAT + 0.02), None],
        crs=4326,
        index=stations.index,
    )
    reach = MultiPolygon([box(LON + 0.01, LAT + 0.01, LON + 0.03, LAT + 0.03)])
    shapes = {"area_km2": [4.5], "reached_km": [8.0]}
    parts = gpd.GeoDataFrame(
        {
            "facility": ["a", "a"],
            "minutes": 5.0,
            "edge": [0, 1],
            "from_m": 0.0,
            "to_m": 500.0,
            "time_from_s": [60.0, 60.0],
            "time_to_s": [300.0, 150.0],
        },
        geometry=[
            LineString([(LON + 0.02, LAT + 0.02), (LON + 0.03, LAT + 0.02)]),
            LineString([(LON + 0.02, LAT + 0.02), (LON + 0.02, LAT + 0.03)]),
        ],
        crs=4326,
    )
    return ServiceArea(
        network=network(),
        facilities=stations,
        snaps=snaps,
        minutes=[5.0],
        direction="from",
        edges=parts,
        dissolved=gpd.GeoDataFrame({"minutes": [5.0], **shapes}, geometry=[reach], crs=4326),
        polygons=gpd.GeoDataFrame(
            {"facility": ["a"], "minutes": [5.0], **shapes}, geometry=[reach], crs=4326
        ),
        provenance={"attribution": "© OpenStreetMap contributors, ODbL 1.0"},
    )


def cells(uncovered: tuple[float, ...] = (0.0, 3.0, 30.0, 300.0, 3000.0)) -> gpd.GeoDataFrame:
    names = sorted(h3.grid_disk(h3.latlng_to_cell(LAT + 0.04, LON + 0.04, 9), 1))[: len(uncovered)]
    shapes = [shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(cell)]) for cell in names]
    left = np.array(uncovered)
    return gpd.GeoDataFrame(
        {
            "population": left + 10,
            "covered": 10.0,
            "uncovered": left,
            "share": 10 / (left + 10),
            "reached_share": 0.5,
            "time_s": [100.0, 320.0, 400.0, 500.0, INF][: len(left)],
            "facility": ["a", "a", "a", "a", None][: len(left)],
            "status": ["covered", "partly", "partly", "partly", "uncovered"][: len(left)],
        },
        geometry=shapes,
        crs=4326,
        index=pd.Index(names, name="h3_cell"),
    )


def zones(name: str = "Siming 思明区") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "level": ["municipality", "neighbourhood", "neighbourhood"],
            "zone": ["1", "2", "3"],
            "name": [name, "North", None],
            "area_km2": [30.0, 15.0, 15.0],
            "area_share": [0.15, 0.1, 0.2],
            "population": [3383.0, 3383.0, 0.0],
            "population_covered": [50.0, 50.0, 0.0],
            "population_share": [50 / 3383, 50 / 3383, NAN],
        },
        geometry=[
            box(LON - 0.01, LAT - 0.01, LON + 0.06, LAT + 0.06),
            box(LON - 0.01, LAT + 0.03, LON + 0.06, LAT + 0.06),
            box(LON - 0.01, LAT - 0.01, LON + 0.06, LAT + 0.03),
        ],
        crs=4326,
    )


def blind_spots(zone: str = "Siming 思明区") -> gpd.GeoDataFrame:
    shape = cells().union_all()
    return gpd.GeoDataFrame(
        {
            "uncovered": [3300.0, 33.0],
            "cells": [3, 1],
            "area_km2": [0.3, 0.1],
            "nearest_facility": ["a", None],
            "time_s": [432.0, INF],
            "minutes_over": [2.2, INF],
            "straight_facility": ["a", "a"],
            "straight_m": [2600.0, 9000.0],
            "detour": [1.1, INF],
            "reason": ["too_far", "no_road"],
            "crosses": ["River 河", ""],
            "hint": ["2.2 min too long.", "Add the road."],
            "hint_zh": ["超时2.2分钟。", "请补充道路。"],
            "zone": [zone, None],
        },
        geometry=[shape, shapely.affinity.translate(shape, -0.03, 0.0)],
        crs=4326,
        index=pd.Index([1, 2], name="rank"),
    )


def coverage(name: str = "Station 一", zone: str = "Siming 思明区", **changes: Any) -> Any:
    table = pd.DataFrame(
        {
            "unit": ["km2", "people"],
            "covered": [4.5, 50.0],
            "total": [30.0, 3383.0],
            "share": [0.15, 50 / 3383],
        },
        index=pd.Index(["area", "population"], name="measure"),
    )
    share = [3333 / 3383, 50 / 3383, 0.0, 0.0]
    depth = pd.DataFrame(
        {"population": [3333.0, 50.0, 0.0, 0.0], "population_share": share},
        index=pd.RangeIndex(4, name="depth"),
    )
    places = gpd.GeoDataFrame(
        {"population": [50.0, 3333.0], "time_s": [90.0, INF]},
        geometry=[Point(LON, LAT), Point(LON, LAT)],
        crs=4326,
    )
    parts: dict[str, Any] = {
        "area": service_area(name),
        "minutes": 5.0,
        "table": table,
        "zones": zones(zone),
        "cells": cells(),
        "points": places,
        "blind_spots": blind_spots(zone),
        "depth": depth,
        "issues": pd.DataFrame({"code": ["CG-DEM-004"], "message": ["=not a formula"]}),
        "provenance": {"attribution": "© OpenStreetMap contributors, ODbL 1.0", "share": NAN},
        "demand_is_estimate": True,
        "has_own_limits": False,
    }
    return Coverage(**(parts | changes))


def isochrones(
    kind: str = "polygons",
    overlap: str = "overlap",
    name: str = "Station 一",
    *,
    bands_to: int = 2,
    **changes: Any,
) -> Any:
    """Return bands of 5 and 10 minutes of two stations that share ground, and of one that is off the network."""
    area = service_area(name)
    places = [Point(LON + 0.02, LAT + 0.02), Point(LON + 0.03, LAT + 0.02), Point(LON + 0.2, LAT)]
    stations = gpd.GeoDataFrame(
        {"name": [name, None, "far"]}, geometry=places, crs=4326, index=["a", "b", "c"]
    )
    snaps = gpd.GeoDataFrame(
        {
            "status": ["ok", "ok", "not_snapped"],
            "snap_distance_m": [12.0, 3.0, 900.0],
            "delay_s": [60.0, 60.0, 60.0],
        },
        geometry=[*places[:2], None],
        crs=4326,
        index=stations.index,
    )
    made: dict[str, Any] = {"polygons": _bands, "edges": _parts, "cells": _cells}[kind](overlap)
    if overlap == "dissolve":
        made.pop("facility")
    minutes = [5.0, 10.0][:bands_to]
    table = pd.DataFrame({"from_minutes": 0.0, **made})
    iso = Isochrones(table[table["minutes"].isin(minutes)], geometry="geometry", crs=4326)
    given = {
        "kind": kind, "network": area.network, "facilities": stations, "snaps": snaps,
        "bands": "disks", "direction": "from", "overlap": overlap, "trim_m": 100.0, "offroad_kmh": 4.8,
        "provenance": area.provenance | {"parameters": {"method": "contour"}},
    }  # fmt: skip
    for key, value in (given | changes).items():
        setattr(iso, key, value)
    return iso


def _square(west: float, east: float, size: float) -> Any:
    """Return a square block around the street, sizes in degrees."""
    return MultiPolygon([box(LON + west, LAT + 0.02 - size, LON + east, LAT + 0.02 + size)])


def _bands(overlap: str) -> dict[str, Any]:
    if overlap == "dissolve":
        shapes, minutes = [_square(0.01, 0.04, 0.01), _square(0, 0.05, 0.02)], [5.0, 10.0]
    elif overlap == "split":
        shapes = [
            _square(0.01, 0.025, 0.01),
            _square(0, 0.025, 0.02),
            _square(0.025, 0.04, 0.01),
            _square(0.025, 0.05, 0.02),
        ]
        minutes = [5.0, 10.0] * 2
    else:
        shapes = [
            _square(0.01, 0.03, 0.01),
            _square(0, 0.04, 0.02),
            _square(0.02, 0.04, 0.01),
            _square(0.01, 0.05, 0.02),
        ]
        minutes = [5.0, 10.0] * 2
    table = {
        "facility": ["a", "a", "b", "b"][: len(shapes)],
        "minutes": minutes,
        "status": "ok",
        "area_km2": gpd.GeoSeries(shapes, crs=4326).to_crs(32650).area.to_numpy() / 1e6,
        "reached_km": [4.0, 8.0, 4.5, 9.0][: len(shapes)],
        "geometry": shapes,
    }
    if overlap != "dissolve":  # the station off the network keeps its rows
        rows = pd.DataFrame({"facility": "c", "minutes": [5.0, 10.0], "status": "not_snapped"})
        table = pd.concat([pd.DataFrame(table), rows], ignore_index=True).to_dict("list")
    return table


def _parts(_: str) -> dict[str, Any]:
    """Return the street through both stations, 6 minutes from end to end, within each band."""
    lines = [LineString([(LON + 0.02, LAT + 0.02), (LON + x, LAT + 0.02)]) for x in (0.03, 0.04)]
    return {
        "facility": ["a", "a", "b", "c"],
        "minutes": [5.0, 10.0, 10.0, 5.0],
        "status": ["ok", "ok", "ok", "not_snapped"],
        "edge": [0, 0, 1, -1],
        "from_m": [0.0, 0.0, 0.0, NAN],
        "to_m": [1000.0, 2000.0, 1500.0, NAN],
        "time_from_s": [60.0, 60.0, 60.0, NAN],
        "time_to_s": [300.0, 540.0, 480.0, NAN],
        "geometry": [
            lines[0],
            lines[1],
            LineString([(LON + 0.03, LAT + 0.02), (LON + 0.03, LAT + 0.035)]),
            None,
        ],
    }


def _cells(_: str) -> dict[str, Any]:
    """Return four hexagons, of which one is reached from both stations and one in exactly five minutes."""
    names = sorted(h3.grid_disk(h3.latlng_to_cell(LAT + 0.02, LON + 0.02, 9), 1))[:4]
    cells = [names[0], *names, names[0], None]
    shapes = [
        None if c is None else shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(c)]) for c in cells
    ]
    return {
        "facility": ["a", "a", "a", "a", "a", "b", "c"],
        "minutes": [5.0, 10.0, 10.0, 10.0, 10.0, 10.0, 5.0],
        "status": ["ok"] * 6 + ["not_snapped"],
        "cell": cells,
        "time_s": [100.0, 100.0, 300.0, 301.0, 600.0, 450.0, NAN],
        "geometry": shapes,
    }
