"""
The same streets through OSMnx and networkx: an oracle that shares no rule, length or search with citygeo.

OSMnx gives the topology and the raw tags; speeds, access and directions come from the small tables below, typed by
hand; lengths from pyproj's geodesic; routes from networkx. Times are not rounded here, so those of citygeo, rounded
since the start of each way, differ by less than 1 ms for each way travelled (and by a millionth, which its lengths
are off the geodesic).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pyproj
from osmnx.graph import _create_graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from citygeo.network import RoadNetwork

ACCESS = {"drive": ("motorcar", "motor_vehicle", "vehicle", "access"), "walk": ("foot", "access")}
DRIVE_KMH = {
    "motorway": 110, "motorway_link": 60, "trunk": 80, "trunk_link": 50, "primary": 60, "primary_link": 40,
    "secondary": 50, "secondary_link": 40, "tertiary": 50, "tertiary_link": 40, "unclassified": 40, "residential": 30,
    "living_street": 15, "service": 20, "road": 30,
}  # fmt: skip
WALK_CLASSES = frozenset(
    """primary primary_link secondary secondary_link tertiary tertiary_link unclassified residential living_street
    pedestrian service track path footway cycleway bridleway corridor elevator steps road""".split()
)
NOT_BUILT = frozenset(("construction", "proposed", "planned", "abandoned", "razed", "disused", "no"))
NO_CAR = frozenset(
    """no private permit residents military agricultural forestry delivery emergency psv bus taxi hgv bicycle
    foot""".split()
)
NO_WALKER = frozenset(("no", "private", "permit", "residents", "military", "use_sidepath"))
FOOT_YES = frozenset(("yes", "designated", "official", "permissive"))
# maxspeed values of the data that are no number
SPEED_WORDS = {"none": 130.0, "walk": 5.0, "FI:urban": 50.0, "IS:urban": 50.0, "CN:urban": 50.0}
TAGS = sorted(
    {key for keys in ACCESS.values() for key in keys}
    | {f"{key}:{side}" for key in ("vehicle", "motor_vehicle", "access") for side in ("forward", "backward")}
    | {
        "highway",
        "oneway",
        "junction",
        "maxspeed",
        "maxspeed:forward",
        "maxspeed:backward",
        "area",
        "service",
    }
    | {"oneway:foot", "motorroad", "sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right"}
)
FORWARD, BACKWARD, BOTH = ("forward",), ("backward",), ("forward", "backward")


class Speed(NamedTuple):
    """How a mode uses a way, in km/h; 0 where closed."""

    forward: float
    backward: float


# --- OSMnx's part ---------------------------------------------------------------------------------


@contextmanager
def raw_settings() -> Iterator[None]:
    """Make OSMnx keep raw tags, and every way once: in its drawing, backward if it says ``oneway=-1``."""
    before = ox.settings.useful_tags_way, ox.settings.useful_tags_node, ox.settings.all_oneway
    ox.settings.useful_tags_way, ox.settings.useful_tags_node, ox.settings.all_oneway = TAGS, [], True
    try:
        yield
    finally:
        ox.settings.useful_tags_way, ox.settings.useful_tags_node, ox.settings.all_oneway = before


def graph_of_xml(path: Path) -> nx.MultiDiGraph:
    """Every way of an OSM XML file, as OSMnx reads it."""
    with raw_settings():
        return ox.graph_from_xml(path, simplify=False, retain_all=True)


def graph_of_json(answer: dict) -> nx.MultiDiGraph:
    """Every way of an Overpass answer, as OSMnx reads it."""
    with raw_settings():
        return _create_graph([answer], bidirectional=False)


def roads_as_xml(pbf: Path, xml: Path) -> Path:
    """The highways of a PBF and their nodes as XML; without nodes that have no place, which OSMnx cannot take."""
    placed, wanted, ways = set(), set(), []
    for node in osmium.FileProcessor(str(pbf), osmium.osm.NODE):
        placed.add(node.id)
    for way in osmium.FileProcessor(str(pbf), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
        refs = [node.ref for node in way.nodes if node.ref in placed]
        if len(refs) == len(way.nodes):
            ways.append(osmium.osm.mutable.Way(id=way.id, nodes=refs, tags=dict(way.tags)))
            wanted.update(refs)
    with osmium.SimpleWriter(str(xml), overwrite=True) as writer:
        for node in osmium.FileProcessor(str(pbf), osmium.osm.NODE):
            if node.id in wanted:
                writer.add_node(node)
        for way in ways:
            writer.add_way(way)
    return xml


# --- the rules, once more -------------------------------------------------------------------------


def speed_of(mode: str, tags: Mapping[str, str]) -> Speed:
    """How a mode uses a way, seen along its drawing."""
    if mode == "walk":
        return _walk(tags)
    kmh = DRIVE_KMH.get(tags["highway"], 0)
    if tags.get("area") == "yes" or tags.get("service") == "emergency_access":
        kmh = 0
    sides = [side for side in _drive_sides(tags) if kmh and _may(mode, tags, side, NO_CAR)]
    return Speed(*(_posted(tags, side, kmh) if side in sides else 0 for side in BOTH))


def _walk(tags: Mapping[str, str]) -> Speed:
    kind, invited = tags["highway"], tags.get("foot") in FOOT_YES
    kmh = 0.0
    if kind in WALK_CLASSES or (invited and kind not in NOT_BUILT):
        kmh = 2.4 if kind == "steps" else 4.8
    if kind in ("trunk", "trunk_link") and _has_sidewalk(tags):
        kmh = 4.8
    if tags.get("motorroad") == "yes" and not invited:
        kmh = 0.0
    sides = {"yes": FORWARD, "-1": BACKWARD}.get(tags.get("oneway:foot"), BOTH)
    return Speed(*(kmh if side in sides and _may("walk", tags, side, NO_WALKER) else 0 for side in BOTH))


def _has_sidewalk(tags: Mapping[str, str]) -> bool:
    named = tags.get("sidewalk") in ("both", "left", "right", "yes")
    return named or any(tags.get(f"sidewalk:{side}") == "yes" for side in ("both", "left", "right"))


def _drive_sides(tags: Mapping[str, str]) -> tuple[str, ...]:
    oneway = tags.get("oneway")
    if oneway in ("yes", "true", "1"):
        return FORWARD
    if oneway in ("-1", "reverse"):
        return BACKWARD
    is_circle = tags.get("junction") in ("roundabout", "circular")
    if oneway is None and (is_circle or tags["highway"] == "motorway"):
        return FORWARD
    return BOTH


def _may(mode: str, tags: Mapping[str, str], side: str, closed: frozenset[str]) -> bool:
    for key in ACCESS[mode]:
        value = tags.get(f"{key}:{side}", tags.get(key))
        if value is not None:
            return not {part.strip() for part in value.split(";")} <= closed
    return True


def _posted(tags: Mapping[str, str], side: str, kmh: float) -> float:
    text = tags.get(f"maxspeed:{side}", tags.get("maxspeed"))
    if text is None:
        return min(kmh, 130.0)
    parts = [part.strip() for part in re.split("[;,|]", text)]
    return min(130.0, *(_kmh(part) for part in parts))


def _kmh(text: str) -> float:
    """A value that is not in the table stops the test: the table must know all of the data."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?(mph|km/h)?", text)
    return float(number[1]) * (1.609344 if number[2] == "mph" else 1.0) if number else SPEED_WORDS[text]


# --- routes ---------------------------------------------------------------------------------------


def timed(graph: nx.MultiDiGraph, mode: str) -> nx.MultiDiGraph:
    """Arcs that a mode may travel, with unrounded milliseconds and the way they belong to."""
    rows = [(u, v, *_as_drawn(data)) for u, v, data in graph.edges(data=True) if "highway" in data]
    place = {node: (data["x"], data["y"]) for node, data in graph.nodes(data=True)}
    ends = np.array([(*place[u], *place[v]) for u, v, _, _ in rows])
    metres = pyproj.Geod(ellps="WGS84").inv(*ends.T)[2]
    made = nx.MultiDiGraph()
    for (u, v, tags, is_turned), length in zip(rows, metres.tolist(), strict=True):
        speed = speed_of(mode, tags)
        ahead, back = reversed(speed) if is_turned else speed
        for a, b, kmh in ((u, v, ahead), (v, u, back)):
            if kmh:
                made.add_edge(a, b, ms=length / kmh * 3600, way=tags["osmid"])
    nx.set_node_attributes(made, {node: place[node] for node in made}, "place")
    return made


def _as_drawn(data: dict) -> tuple[dict, bool]:
    """The tags, and whether OSMnx has turned the way round: it does for ``oneway=-1`` only."""
    return data, data.get("oneway") in ("-1", "reverse")


class Route(NamedTuple):
    """A quickest route: milliseconds, and how many ways it takes."""

    ms: float
    ways: int


def routes(arcs: nx.MultiDiGraph, origin: object, targets: Iterable[object]) -> dict[object, Route | None]:
    """Quickest routes from one node by networkx; `None` where there is none."""
    ms, path = nx.single_source_dijkstra(arcs, origin, weight="ms")
    return {node: Route(ms[node], _ways(arcs, path[node])) if node in ms else None for node in targets}


def _ways(arcs: nx.MultiDiGraph, path: list) -> int:
    """How many ways a path takes; a way that is left and taken again counts anew."""
    taken = [min(arcs[u][v].values(), key=lambda data: data["ms"])["way"] for u, v in pairwise(path)]
    return sum(one != two for one, two in pairwise([None, *taken]))


# --- sets -----------------------------------------------------------------------------------------


def drawn_arcs(net: RoadNetwork) -> set[tuple[tuple[float, float], tuple[float, float]]]:
    """Every piece between two consecutive drawn places of a network, in each direction that is open."""
    start = net.arrays["shape_start"].astype(np.int64)
    place = list(map(tuple, np.round(net.arrays["shape_lonlat"], 7).tolist()))
    found = set()
    for code in net.open_arcs().code.tolist():
        edge, against = divmod(code, 2)
        shape = place[start[edge] : start[edge + 1]]
        found.update(pairwise(shape[::-1] if against else shape))
    return found


def jaccard(one: set, two: set) -> float:
    """Shared over all."""
    return len(one & two) / len(one | two)
