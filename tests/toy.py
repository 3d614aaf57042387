"""
Little cities with numbers that can be worked out by hand.

Places are metres east and north of longitude 3, latitude 0: on the equator, in the middle of UTM zone 31, where
1000 m east are 1000 / 111319.49079327358 degrees. On a way with ``maxspeed=36`` a metre takes 100 ms, so 1000 m
take 100,000 ms. The toy mode walks off at 3.6 km/h: a metre between a place and its road takes 1000 ms.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import osmium
import shapely

from citygeo.io.streets import NO_TAGS, StreetTables, TagSets
from citygeo.issues import IssueLog
from citygeo.modes import TravelMode, mode_from_dict
from citygeo.network import RoadNetwork
from citygeo.network.build import build_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from citygeo.io.streets import Given, Restriction
    from citygeo.network.slope import Elevation

    Nodes = Mapping[int, tuple[float, float]]
    Ways = Iterable[tuple[Sequence[int], Mapping[str, str]]]

EQUATOR_M_PER_DEGREE = 111319.49079327358
MERIDIAN_M_PER_DEGREE = 110574.27582159436  # at the equator
ECCENTRICITY2 = 0.0066943799901413165
LON = 3.0

# 36 km/h: 100 ms per metre
STREET = {"highway": "residential", "maxspeed": "36"}
ONEWAY = {**STREET, "oneway": "yes"}


def toy_mode(**changes: object) -> TravelMode:
    """A mode without surprises: residential 36 km/h, primary 72, service 18; one-ways bind; no delay."""
    plain = {
        "name": "toy",
        "label": {"en": "Toy", "zh": "玩具"},
        "speed_kmh": {"residential": 36, "primary": 72, "service": 18},
        "maxspeed": True,
        "top_kmh": 360,
        "access": ["access"],
        "closed": ["no"],
        "oneway": True,
        "delay_s": 0,
        "walk_off_kmh": 3.6,
    }
    return mode_from_dict(plain | changes)


def lonlat(x_m: float, y_m: float) -> tuple[float, float]:
    """Longitude and latitude of a place: distances east are exact at every height, north nearly so."""
    lat = y_m / MERIDIAN_M_PER_DEGREE
    sin = math.sin(math.radians(lat))
    scale = math.cos(math.radians(lat)) / math.sqrt(1 - ECCENTRICITY2 * sin * sin)
    return LON + x_m / (EQUATOR_M_PER_DEGREE * scale), lat


def streets(
    nodes: Nodes,
    ways: Ways,
    source: str = "toy",
    *,
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
    restrictions: Iterable[Restriction] = (),
    given: Given | None = None,
) -> StreetTables:
    """Street tables from metre places by node id, and ways as (node ids, tags); way ids count from 1."""
    listed = list(ways)
    used = sorted({node for ids, _ in listed for node in ids})
    position = {node: i for i, node in enumerate(used)}
    size = [len(ids) for ids, _ in listed]
    sets = TagSets()
    way_tag_set = sets.numbers(tags for _, tags in listed)
    node_tag_set = np.full(len(used), NO_TAGS, np.int32)
    for node, tags in (node_tags or {}).items():
        node_tag_set[position[node]] = sets.number(tags)
    return StreetTables(
        node_id=np.array(used, np.int64),
        node_lonlat=np.array([lonlat(*nodes[node]) for node in used], np.float64).reshape(-1, 2),
        way_id=np.arange(1, len(listed) + 1, dtype=np.int64),
        way_start=np.concatenate(([0], np.cumsum(size))).astype(np.int64),
        way_node=np.array([position[node] for ids, _ in listed for node in ids], np.int64),
        tag_sets=sets.listed,
        way_tag_set=way_tag_set,
        node_tag_set=node_tag_set,
        restrictions=list(restrictions),
        given=given,
        source=source,
        issues=IssueLog(),
    )


def network(
    nodes: Nodes,
    ways: Ways,
    mode: TravelMode | None = None,
    *,
    elevation: Elevation | None = None,
    announce: bool = False,
    **more: Any,
) -> RoadNetwork:
    """A network of metre places and ways; see `streets` and `toy_mode`."""
    chosen = mode or toy_mode()
    tables = streets(nodes, ways, **more)
    arrays, issues = build_arrays(tables, chosen, elevation)
    if announce:
        issues.announce()
    return RoadNetwork(arrays, chosen, {"name": tables.source, "sha256": "0" * 64}, issues)


def grid_city(k: int, spacing_m: float = 100.0, kmh: float = 36.0) -> RoadNetwork:
    """
    k x k blocks of two-way streets around the origin; node ids count from 0, west to east, then south to north.

    With even k the node in the middle, ``(k + 1) ** 2 // 2``, is the origin.
    """
    line = range(k + 1)
    shift = k * spacing_m / 2
    nodes = {
        row * (k + 1) + col: (col * spacing_m - shift, row * spacing_m - shift)
        for row in line
        for col in line
    }
    tags = {"highway": "residential", "maxspeed": f"{kmh:g}"}
    rows = [([row * (k + 1) + col for col in line], tags) for row in line]
    columns = [([row * (k + 1) + col for row in line], tags) for col in line]
    return network(nodes, rows + columns)


def points(places: Iterable[tuple[float, float]], **columns: object) -> gpd.GeoDataFrame:
    """Points at metre places, EPSG:4326, with further columns."""
    geometry = shapely.points(np.array([lonlat(*place) for place in places], np.float64).reshape(-1, 2))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def edge_between(net: RoadNetwork, start: int, end: int) -> int:
    """Number of the first edge whose ends have these ids, in this order."""
    ids = net.arrays["node_id"][net.arrays["edge_node"].astype(np.int64)]
    return int(np.flatnonzero((ids[:, 0] == start) & (ids[:, 1] == end))[0])


def write_pbf(
    path: Path,
    nodes: Nodes,
    ways: Ways,
    relations: Iterable[tuple[Sequence[tuple[str, int, str]], Mapping[str, str]]] = (),
    *,
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
) -> Path:
    """
    Write an ``.osm.pbf``; places are rounded to 1e-7 degrees (11 mm), as the format does.

    Ways and relations count their ids from 1; a member of a relation is ``("w", 1, "outer")``. A way may name
    nodes that are not in `nodes`.
    """
    tags = node_tags or {}
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for node, place in sorted(nodes.items()):
            writer.add_node(
                osmium.osm.mutable.Node(id=node, location=lonlat(*place), tags=dict(tags.get(node, {})))
            )
        for i, (ids, way_tags) in enumerate(ways, 1):
            writer.add_way(osmium.osm.mutable.Way(id=i, nodes=list(ids), tags=dict(way_tags)))
        for i, (members, relation_tags) in enumerate(relations, 1):
            writer.add_relation(
                osmium.osm.mutable.Relation(id=i, members=list(members), tags=dict(relation_tags))
            )
    return path
