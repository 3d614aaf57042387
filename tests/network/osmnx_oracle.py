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
from itertools import groupby, pairwise
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
    (
        "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link", "tertiary",
        "tertiary_link", "unclassified",
        "residential", "living_street", "pedestrian", "service", "track", "path", "footway", "cycleway",
        "bridleway", "corridor", "elevator", "steps", "road",
    )
)  # fmt: skip
NOT_BUILT = frozenset(("construction", "proposed", "planned", "abandoned", "razed", "disused", "no"))
NO_CAR = frozenset(
    (
        "no", "private", "permit", "residents", "military", "agricultural", "forestry", "delivery",
        "emergency", "psv", "bus", "taxi", "hgv", "bicycle", "foot",
    )
)  # fmt: skip
NO_WALKER = frozenset(("no", "private", "permit", "residents", "military", "use_sidepath"))
FOOT_YES = frozenset(("yes", "designated", "official", "permissive"))
# maxspeed values of the data that are no number
SPEED_WORDS = {"none": 130.0, "walk": 5.0, "FI:urban": 50.0, "IS:urban": 50.0, "CN:urban": 50.0}
# what stands for a limit where there is no maxspeed; other values of these keys of the data say where one was seen
RULE_KEYS = ("zone:maxspeed", "maxspeed:type", "source:maxspeed")
RULE_WORDS = {"BR:urban": 50.0, "IS:zone30": 30.0}
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
    | {*RULE_KEYS, "oneway:foot", "motorroad", "sidewalk", "sidewalk:both"}
)
NODE_TAGS = ["barrier", *sorted({key for keys in ACCESS.values() for key in keys})]
NEW_ID = 10**15
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
    ox.settings.useful_tags_way, ox.settings.useful_tags_node, ox.settings.all_oneway = TAGS, NODE_TAGS, True
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


class Roads(NamedTuple):
    """Highways of a file, cut at nodes without a place, where OSMnx stops."""

    ways: list[tuple[int, dict[str, str], list[int]]]  # id, tags, nodes
    place: dict[int, tuple[float, float]]
    barrier: dict[int, dict[str, str]]  # tags of nodes that are barriers

    def within(self, west: float, south: float, east: float, north: float) -> Roads:
        """The ways that lie wholly inside a box."""
        inside = {i for i, (x, y) in self.place.items() if west <= x <= east and south <= y <= north}
        ways = [way for way in self.ways if inside.issuperset(way[2])]
        used = {node for _, _, refs in ways for node in refs}
        return Roads(ways, {i: place for i, place in self.place.items() if i in used}, self.barrier)

    def write(self, path: Path) -> Path:
        """Write OSM XML or PBF, as the name says."""
        with osmium.SimpleWriter(str(path), overwrite=True) as writer:
            for i, place in sorted(self.place.items()):
                writer.add_node(osmium.osm.mutable.Node(id=i, location=place, tags=self.barrier.get(i, {})))
            for number, tags, refs in self.ways:
                writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
        return path

    def answer(self) -> dict:
        """What Overpass would say."""
        nodes = [
            {"type": "node", "id": i, "lon": x, "lat": y, "tags": self.barrier.get(i, {})}
            for i, (x, y) in sorted(self.place.items())
        ]
        ways = [{"type": "way", "id": i, "nodes": refs, "tags": tags} for i, tags, refs in self.ways]
        return {"version": 0.6, "generator": "Overpass API", "elements": nodes + ways}


def roads(path: Path) -> Roads:
    """Read the highways of an OSM file; the further pieces of a cut way get ids of their own."""
    nodes = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.KeyFilter("barrier"))
    found = Roads([], {}, {node.id: dict(node.tags) for node in nodes})
    source = (
        osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY)
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter("highway"))
    )
    for way in source:
        runs = [list(run) for has_place, run in groupby(way.nodes, key=_has_place) if has_place]
        for run in runs:
            number = way.id if run is runs[0] else NEW_ID + len(found.ways)
            found.ways.append((number, dict(way.tags), [node.ref for node in run]))
            found.place.update((node.ref, (node.lon, node.lat)) for node in run)
    return found


def _has_place(node: osmium.osm.NodeRef) -> bool:
    return node.location.valid()


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
    if kind in ("trunk", "trunk_link") and not invited and _has_no_sidewalk(tags):
        kmh = 0.0
    if tags.get("motorroad") == "yes" and not invited:
        kmh = 0.0
    sides = {"yes": FORWARD, "-1": BACKWARD}.get(tags.get("oneway:foot"), BOTH)
    return Speed(*(kmh if side in sides and _may("walk", tags, side, NO_WALKER) else 0 for side in BOTH))


def _has_no_sidewalk(tags: Mapping[str, str]) -> bool:
    return any(tags.get(key) in ("no", "none", "separate") for key in ("sidewalk", "sidewalk:both"))


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


def _is_let_in(mode: str, tags: Mapping[str, str]) -> bool:
    return _may(mode, tags, "both", NO_CAR if mode == "drive" else NO_WALKER)


def _may(mode: str, tags: Mapping[str, str], side: str, closed: frozenset[str]) -> bool:
    for key in ACCESS[mode]:
        value = tags.get(f"{key}:{side}", tags.get(key))
        if value is not None:
            return not {part.strip() for part in value.split(";")} <= closed
    return True


def _posted(tags: Mapping[str, str], side: str, kmh: float) -> float:
    text = tags.get(f"maxspeed:{side}", tags.get("maxspeed"))
    if text is None:
        return next(
            (RULE_WORDS[tags[key]] for key in RULE_KEYS if tags.get(key) in RULE_WORDS), min(kmh, 130.0)
        )
    parts = [part.strip() for part in re.split("[;,|]", text)]
    return min(130.0, *(_kmh(part) for part in parts))


def _kmh(text: str) -> float:
    """A value that is not in the table stops the test: the table must know all of the data."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?(mph|km/h)?", text)
    return float(number[1]) * (1.609344 if number[2] == "mph" else 1.0) if number else SPEED_WORDS[text]


# --- routes ---------------------------------------------------------------------------------------


def timed(graph: nx.MultiDiGraph, mode: str) -> nx.MultiDiGraph:
    """
    Arcs that a mode may travel, with unrounded milliseconds and the way they belong to.

    Nothing passes a barrier whose own tags keep the mode out, so what ends there is left out.
    """
    shut = {node for node, tags in graph.nodes(data=True) if "barrier" in tags and not _is_let_in(mode, tags)}
    rows = [
        (u, v, *_as_drawn(data))
        for u, v, data in graph.edges(data=True)
        if "highway" in data and not shut.intersection((u, v))
    ]
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


def arcs_by_osmnx(xml: Path, mode: str) -> set[tuple[int, int]]:
    """The directed edges that OSMnx itself makes of the ways that are open to a mode, by OSM node ids."""
    before = ox.settings.useful_tags_way, ox.settings.useful_tags_node
    ox.settings.useful_tags_way, ox.settings.useful_tags_node = TAGS, []
    try:
        graph = ox.graph_from_xml(xml, bidirectional=mode == "walk", simplify=False, retain_all=True)
    finally:
        ox.settings.useful_tags_way, ox.settings.useful_tags_node = before
    return {
        (u, v)
        for u, v, data in graph.edges(data=True)
        if any(speed_of(mode, {key: value for key, value in data.items() if key != "oneway"}))
    }


def drawn_arcs(net: RoadNetwork, place: Mapping[int, tuple[float, float]]) -> set[tuple[int, int]]:
    """
    Every piece between two consecutive drawn places, in each direction that is open, by OSM node ids.

    A network keeps the places of shape nodes, not their ids: of ids at one place the last in `place` is meant.
    """
    number = {(round(x, 7), round(y, 7)): i for i, (x, y) in place.items()}
    start = net.arrays["shape_start"].tolist()
    nodes = [number[place] for place in map(tuple, np.round(net.arrays["shape_lonlat"], 7).tolist())]
    found = set()
    for code in net.open_arcs().code.tolist():
        edge, against = divmod(code, 2)
        shape = nodes[start[edge] : start[edge + 1]]
        found.update(pairwise(shape[::-1] if against else shape))
    return found


def jaccard(one: set, two: set) -> float:
    """Shared over all."""
    return len(one & two) / len(one | two)
