"""Bridges, tunnels and ferries along edges: each segment keeps its kind through joining, turning, cutting, saving."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

import citygeo as cg
from citygeo.errors import CitygeoWarning, FileFormatError
from citygeo.network import RoadNetwork
from citygeo.network.segments import segment_lengths
from citygeo.network.splitting import split_edges
from citygeo.provenance import sha256_file
from tests.io.roads import layer
from tests.io.segments import segment, write
from tests.toy import ONEWAY, STREET, edge_between, lonlat, network, streets, toy_mode, write_pbf

GROUND, BRIDGE, TUNNEL, FERRY = 0, 1, 2, 3
MODE = toy_mode(ferry_kmh=18)
LINE = {i: (100.0 * i, 0.0) for i in range(8)}
ON_BRIDGE, IN_TUNNEL = {**STREET, "bridge": "yes"}, {**STREET, "tunnel": "yes"}


def kinds(net, edge=0):
    """Kinds of the segments of an edge; what the last corner holds is 0 always."""
    low, high = net.arrays["shape_start"][edge : edge + 2]
    assert net.arrays["shape_off_ground"][high - 1] == 0
    return net.arrays["shape_off_ground"][low : high - 1].tolist()


def kinds_by_place(net):
    """How often each kind is at each pair of places, whichever way edges run."""
    found = Counter()
    for edge in range(net.n_edges):
        low, high = net.arrays["shape_start"][edge : edge + 2]
        shape = list(map(tuple, net.arrays["shape_lonlat"][low:high].tolist()))
        found.update(
            (frozenset(pair), kind)
            for *pair, kind in zip(shape[:-1], shape[1:], kinds(net, edge), strict=True)
        )
    return found


# --- by hand --------------------------------------------------------------------------------------


def drawn(*pieces, is_turned=False):
    """Ways from (first, last, tags) along LINE, all drawn the other way if turned."""
    ways = [(list(range(first, last + 1)), tags) for first, last, tags in pieces]
    return [(ids[::-1], tags) for ids, tags in ways] if is_turned else ways


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_bridge_in_the_middle_of_a_chain(is_turned):
    net = network(LINE, drawn((0, 2, STREET), (2, 5, ON_BRIDGE), (5, 6, STREET), is_turned=is_turned))
    assert (net.n_edges, net.n_nodes) == (1, 2)  # no node is made for it
    expected = [GROUND, GROUND, BRIDGE, BRIDGE, BRIDGE, GROUND]
    assert kinds(net) == (expected[::-1] if is_turned else expected)
    assert net.arrays["shape_off_ground"].dtype == np.uint8
    assert net.arrays["shape_off_ground"].shape == (7,)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_pieces_drawn_against_each_other_and_in_any_order(order):
    ways = [([0, 1], STREET), ([4, 3, 2, 1], ON_BRIDGE), ([4, 5, 6, 7], IN_TUNNEL)]
    net = network(LINE, [ways[i] for i in order])
    assert net.n_edges == 1
    expected = [GROUND, BRIDGE, BRIDGE, BRIDGE, TUNNEL, TUNNEL, TUNNEL]
    first = net.arrays["node_id"][net.arrays["edge_node"][0, 0]]
    assert kinds(net) == (expected if first == 0 else expected[::-1])


@pytest.mark.parametrize("tags", [ONEWAY, {**STREET, "oneway": "-1"}])
def test_a_oneway_chain_runs_with_the_traffic_and_its_kinds_with_it(tags):
    net = network(
        LINE, [((0, 1, 2), tags), ((2, 3), {**tags, "tunnel": "yes"}), ((3, 4), {**tags, "bridge": "yes"})]
    )
    expected = [GROUND, GROUND, TUNNEL, BRIDGE]
    assert kinds(net) == (expected if tags is ONEWAY else expected[::-1])


def test_ferries_and_what_only_looks_like_a_structure():
    nodes = {**LINE, 9: (100.0, 90.0), 10: (200.0, 90.0)}
    passage = {**STREET, "tunnel": "building_passage", "bridge:structure": "beam", "bridge": "no"}
    net = network(
        nodes,
        [((0, 1), STREET), ((1, 2, 3), {"route": "ferry"}), ((3, 4), passage), ((1, 9, 10), IN_TUNNEL)],
        MODE,
    )
    assert kinds(net, edge_between(net, 1, 3)) == [FERRY, FERRY]
    assert kinds(net, edge_between(net, 3, 4)) == [GROUND]
    assert kinds(net, edge_between(net, 0, 1)) == [GROUND]
    assert kinds(net, edge_between(net, 1, 10)) == [TUNNEL, TUNNEL]


# --- joining and turning --------------------------------------------------------------------------

# a grid with two places on top of each other
PLACES = {10 * row + col: (97.0 * col + 13 * row, 61.0 * row) for row in range(3) for col in range(4)}
PLACES |= {101: PLACES[1]}
DIRECTIONS = (STREET, ONEWAY, {**STREET, "oneway": "-1"}, {"highway": "primary"})
STRUCTURES = (({}, GROUND), ({"bridge": "viaduct"}, BRIDGE), ({"tunnel": "yes"}, TUNNEL))
tag_sets = st.one_of(
    st.tuples(st.sampled_from(DIRECTIONS), st.sampled_from(STRUCTURES)).map(
        lambda both: ({**both[0], **both[1][0]}, both[1][1])
    ),
    st.just(({"route": "ferry"}, FERRY)),
)
way_lists = st.lists(
    st.tuples(st.lists(st.sampled_from(sorted(PLACES)), min_size=2, max_size=6), tag_sets),
    min_size=1,
    max_size=7,
)


def town(ways):
    return network(PLACES, [(ids, tags) for ids, (tags, _) in ways], MODE)


@given(way_lists)
def test_every_segment_keeps_the_kind_of_its_way(ways):
    tables = streets(PLACES, [(ids, tags) for ids, (tags, _) in ways])
    place = dict(zip(tables.node_id.tolist(), map(tuple, tables.node_lonlat.tolist()), strict=True))
    expected = Counter(
        (frozenset((place[u], place[v])), kind) for ids, (_, kind) in ways for u, v in pairwise(ids)
    )
    assert kinds_by_place(town(ways)) == expected


@given(way_lists)
def test_kinds_make_no_node_and_change_nothing_else(ways):
    bare = [
        (ids, ({k: v for k, v in tags.items() if k not in ("bridge", "tunnel")}, 0))
        for ids, (tags, _) in ways
    ]
    one, two = town(ways), town(bare)
    # words are numbered in the order of sets of tags
    for name in one.arrays.keys() - {"shape_off_ground", "edge_highway", "word_start", "word_bytes"}:
        np.testing.assert_array_equal(one.arrays[name], two.arrays[name], err_msg=name)
    assert one.highway.tolist() == two.highway.tolist()


# --- cutting --------------------------------------------------------------------------------------


def profile(arrays, edge):
    """Metres along an edge at which its corners are, and the kinds between them."""
    low, high = arrays["shape_start"][edge : edge + 2].astype(int)
    shape = arrays["shape_lonlat"][low:high]
    assert arrays["shape_off_ground"][high - 1] == 0
    gone = np.concatenate(([0.0], np.cumsum(segment_lengths(shape[:-1], shape[1:]))))
    return gone, arrays["shape_off_ground"][low : high - 1]


def kind_at(gone, kind, metres):
    return int(kind[max(i for i in range(len(kind)) if gone[i] <= metres)])


@given(way_lists, st.data())
def test_cut_edges_have_the_same_kind_at_each_place(ways, data):
    net = town(ways)
    cuts = {}
    for edge in data.draw(st.sets(st.integers(0, net.n_edges - 1), min_size=1)):
        gone, _ = profile(net.arrays, edge)
        corners = (gone[1:-1] / gone[-1]).tolist() if gone[-1] else []
        shares = data.draw(
            st.sets(st.sampled_from([0.1, 0.25, 0.5, 0.77, 0.999, *corners]), min_size=1), label="shares"
        )
        cuts[edge] = sorted(share for share in shares if 0 < share < 1)
        assume(cuts[edge])
    split = split_edges(net.arrays, cuts)
    assert len(split.arrays["shape_off_ground"]) == len(split.arrays["shape_lonlat"])
    for edge in range(net.n_edges):
        gone, kind = profile(net.arrays, edge)
        if edge not in cuts:
            assert profile(split.arrays, edge)[1].tolist() == kind.tolist()
            continue
        begin = np.array([0.0, *cuts[edge]]) * gone[-1]
        stops = np.unique(np.concatenate((gone, begin)))
        # a corner within a millimetre of a cut is the cut
        wide = np.flatnonzero(np.diff(stops) > 0.005)
        for metres in ((stops[wide] + stops[wide + 1]) / 2).tolist():
            number = int(np.searchsorted(begin, metres, side="right")) - 1
            piece = profile(split.arrays, split.pieces[edge][number])
            assert kind_at(*piece, metres - begin[number]) == kind_at(gone, kind, metres)


def test_a_cut_on_a_bridge_and_one_at_its_end():
    net = network(LINE, drawn((0, 2, STREET), (2, 4, ON_BRIDGE), (4, 5, STREET)))
    split = split_edges(net.arrays, {0: [0.1, 0.4, 0.5]})
    cut = [profile(split.arrays, piece)[1].tolist() for piece in split.pieces[0]]
    assert cut == [[GROUND], [GROUND, GROUND], [BRIDGE], [BRIDGE, BRIDGE, GROUND]]


def test_a_bridge_shorter_than_what_is_told_apart():
    net = network({1: (0, 0), 2: (0.0005, 0)}, [((1, 2), ON_BRIDGE)])
    split = split_edges(net.arrays, {0: [0.5]})
    assert split.arrays["shape_off_ground"].tolist() == [BRIDGE, GROUND, BRIDGE, GROUND]


def test_new_and_closed_streets():
    net = network(LINE, drawn((0, 2, STREET), (2, 4, ON_BRIDGE), (4, 5, STREET)))
    ramp = shapely.LineString([lonlat(350, 0), lonlat(350, 80), lonlat(400, 80)])
    lines = gpd.GeoDataFrame({"highway": ["residential"], "bridge": ["yes"]}, geometry=[ramp], crs=4326)
    new = net.with_edges(lines)
    assert [kinds(new, edge) for edge in (0, 1)] == [[GROUND, GROUND, BRIDGE, BRIDGE], [BRIDGE, GROUND]]
    assert set(kinds(new, 2)) == {GROUND}  # nobody asked for the column
    area = shapely.Polygon([lonlat(x, y) for x, y in ((250, -9), (450, -9), (450, 9), (250, 9))])
    shut = net.without(polygon=area)
    assert [kinds(shut, edge) for edge in range(3)] == [
        [GROUND, GROUND, BRIDGE], [BRIDGE, BRIDGE, GROUND], [GROUND],
    ]  # fmt: skip
    for same in (net.without([0]), net.with_speeds(0.5)):
        assert same.arrays["shape_off_ground"].tolist() == net.arrays["shape_off_ground"].tolist()


# --- saving ---------------------------------------------------------------------------------------


def test_a_saved_network_has_them(tmp_path):
    net = network(LINE, drawn((0, 2, STREET), (2, 4, ON_BRIDGE), (4, 5, IN_TUNNEL)))
    loaded = RoadNetwork.load(net.save(tmp_path / "line.net"), verify=True)
    assert kinds(loaded) == [GROUND, GROUND, BRIDGE, BRIDGE, TUNNEL]
    assert isinstance(loaded.arrays["shape_off_ground"].base, np.memmap)


def test_a_saved_network_with_too_few_is_refused(tmp_path):
    folder = network(LINE, drawn((0, 5, ON_BRIDGE))).save(tmp_path / "line.net")
    file = folder / "shape_off_ground.npy"
    np.save(file, np.load(file)[:-1])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["arrays"]["shape_off_ground"] |= {"sha256": sha256_file(file), "shape": [5]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"CG-FILE-011.*shape_off_ground has 5 rows, not 6"):
        RoadNetwork.load(folder)


# --- sources --------------------------------------------------------------------------------------

CHAIN = [((0, 1, 2), STREET), ((2, 3), ON_BRIDGE), ((3, 4), IN_TUNNEL), ((4, 5), STREET)]
CHAIN_KINDS = [GROUND, GROUND, BRIDGE, TUNNEL, GROUND]


def test_osm_files(tmp_path):
    path = write_pbf(
        tmp_path / "line.osm.pbf", {i: LINE[i] for i in range(6)}, CHAIN, [([("w", 1, "")], {"type": "site"})]
    )
    xml = tmp_path / "line.osm"
    with osmium.SimpleWriter(str(xml)) as writer:
        for item in osmium.FileProcessor(str(path)):
            writer.add(item)
    ways = [
        {"type": "way", "id": i, "tags": tags, "nodes": ids,
         "geometry": [dict(zip(("lon", "lat"), lonlat(*LINE[node]), strict=True)) for node in ids]}
        for i, (ids, tags) in enumerate(CHAIN, 1)
    ]  # fmt: skip
    overpass = tmp_path / "line.json"
    overpass.write_text(json.dumps({"version": 0.6, "elements": ways}), encoding="utf-8")
    for file in (path, xml, overpass):
        assert kinds(RoadNetwork.from_osm(file, MODE)) == CHAIN_KINDS, file.name
    west, south = lonlat(290, -10)
    east, north = lonlat(700, 10)
    # what a region cuts keeps its tags
    assert kinds(RoadNetwork.from_osm(path, MODE, bbox=(west, south, east, north))) == CHAIN_KINDS[2:]


def test_overture_flags_on_a_part_of_a_segment(tmp_path):
    rows = [
        segment(
            "road", "0 0, 500 0, 1000 0", {"c1": 0.0, "c2": 1.0},
            road_flags=[
                {"values": ["is_bridge"], "between": [0.2, 0.4]}, {"values": ["is_tunnel"], "between": [0.6, 1.0]},
            ],
        ),
        segment("boat", "1000 0, 2000 0", {"c2": 0.0, "c3": 1.0}, subtype="water", **{"class": None}),
    ]  # fmt: skip
    net = RoadNetwork.from_overture(write(tmp_path / "segments.parquet", rows), MODE)
    road, boat = (net.highway.tolist().index(name) for name in ("residential", "ferry"))
    # corners at 0, 200, 400, 500, 600 and 1000 m
    assert kinds(net, road) == [GROUND, BRIDGE, GROUND, GROUND, TUNNEL]
    assert kinds(net, boat) == [FERRY]


def test_columns_of_centre_lines():
    lines = layer(
        "0 0, 100 0", "100 0, 200 0", "200 0, 300 0", "300 0, 400 0",
        桥=["否", "是", None, None], tunnel=[0, 0, 1, 0], kind=["支路", "支路", "支路", "轮渡"],
    )  # fmt: skip
    net = RoadNetwork.from_centerlines(
        lines, toy_mode(ferry_kmh=18, speed_kmh={"tertiary": 36}), class_column="kind", classes={"轮渡": "ferry"},
        bridge_column="桥", tunnel_column="tunnel",
    )  # fmt: skip
    assert sorted(kinds(net, edge) for edge in range(net.n_edges)) == [[GROUND, BRIDGE, TUNNEL], [FERRY]]


# --- graphs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [nx.MultiDiGraph, nx.MultiGraph, nx.DiGraph, nx.Graph])
def test_graphs_say_it_segment_by_segment(kind):
    net = network(LINE, CHAIN)
    graph = kind(net.to_osmnx())
    other = RoadNetwork.from_networkx(graph, toy_mode())
    assert kinds_by_place(other) == kinds_by_place(net)


@pytest.mark.parametrize("kept", [(0, 5), (5, 0)])
@pytest.mark.parametrize("end", [0, 5])
def test_edges_in_one_direction_and_drawings_from_their_end(kept, end):
    net = network(LINE, CHAIN)
    whole = net.to_osmnx()
    alone = whole.edge_subgraph([(*kept, 0)]).copy()
    undirected = nx.Graph(crs=whole.graph["crs"])
    undirected.add_nodes_from((node, whole.nodes[node]) for node in (end, 5 - end))
    undirected.add_edge(end, 5 - end, **whole.edges[*kept, 0])
    for graph in (alone, undirected):
        assert kinds_by_place(RoadNetwork.from_networkx(graph, toy_mode())) == kinds_by_place(net)


@given(way_lists)
def test_any_town_comes_back_from_an_undirected_graph(ways):
    """Of two opposite edges OSMnx keeps one, drawn either way."""
    net = town([(ids, tags) for ids, tags in ways if "oneway" not in tags[0]] or [([0, 1], (STREET, GROUND))])
    undirected = ox.convert.to_undirected(net.to_osmnx())
    assert kinds_by_place(RoadNetwork.from_networkx(undirected, MODE)).keys() == kinds_by_place(net).keys()


def test_attributes_of_exported_edges():
    graph = network(LINE, [*CHAIN, ((0, 7), STREET), ((0, 6), STREET)]).to_osmnx()
    named = {
        (u, v): {key: data[key] for key in ("off_ground", "bridge", "tunnel") if key in data}
        for u, v, data in graph.edges(data=True)
    }
    tags = {"bridge": "yes", "tunnel": "yes"}
    assert named == {
        (0, 5): {"off_ground": "ggbtg", **tags}, (5, 0): {"off_ground": "gtbgg", **tags},
        (0, 6): {}, (6, 0): {}, (0, 7): {}, (7, 0): {},
    }  # fmt: skip


def test_tags_of_graphs_hold_for_whole_edges():
    graph = nx.MultiDiGraph(crs=4326)
    graph.add_nodes_from((i, dict(zip("xy", lonlat(*place), strict=True))) for i, place in LINE.items())
    for u, v, tags in (
        (0, 1, {"bridge": True}), (1, 2, {"bridge": ["viaduct", "yes"]}), (2, 3, {"bridge": float("nan")}),
        (3, 4, {"tunnel": "building_passage", "bridge": False}), (4, 5, {"tunnel": ["yes", "building_passage"]}),
    ):  # fmt: skip
        graph.add_edge(u, v, highway="residential", **tags)
    with pytest.warns(CitygeoWarning, match="CG-GRF-006: 2 of 5 edges were merged"):
        net = RoadNetwork.from_networkx(graph, toy_mode())
    assert kinds(net) == [BRIDGE, BRIDGE, GROUND, GROUND, TUNNEL]


def test_an_attribute_that_no_longer_fits_is_told_and_the_tags_count():
    graph = network(LINE, CHAIN).to_osmnx()
    for *_, data in graph.edges(data=True):
        data["geometry"] = shapely.LineString([lonlat(*LINE[i]) for i in range(6) if i != 1])
        del data["tunnel"]
    with pytest.warns(CitygeoWarning, match="CG-GRF-019: 1 of 2 edges"):
        net = RoadNetwork.from_osmnx(graph, toy_mode())
    assert kinds(net) == [BRIDGE] * 4


# --- the sample city ------------------------------------------------------------------------------

# open to cars by their class alone
CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential")
RULES = ("access", "vehicle", "motor_vehicle", "motorcar", "area")


def raw_segments(path):
    """From the raw file: pairs of node places (1e-7 degrees) by kind, and those of plain streets."""
    kind_of, plain = {}, set()
    for way in (
        osmium.FileProcessor(str(path))
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    ):
        tags = dict(way.tags)
        if "highway" not in tags and tags.get("route") != "ferry":
            continue
        kind = BRIDGE if tags.get("bridge", "no") != "no" else GROUND
        kind = TUNNEL if tags.get("tunnel", "no") not in ("no", "building_passage") else kind
        kind = FERRY if tags.get("route") == "ferry" else kind
        places = [(node.location.x, node.location.y) for node in way.nodes]
        pairs = {frozenset(pair) for pair in pairwise(places)}
        for pair in pairs:
            kind_of.setdefault(pair, set()).add(kind)
        if tags.get("highway") in CLASSES and not any(key.startswith(RULES) for key in tags):
            plain |= pairs
    return kind_of, plain


@pytest.fixture(scope="module")
def raw():
    return raw_segments(cg.datasets.reykjavik().osm_path)


def kinds_by_corners(net):
    """Kinds at pairs of places in 1e-7 degrees."""
    first = np.delete(
        np.arange(len(net.arrays["shape_lonlat"])), net.arrays["shape_start"][1:].astype(int) - 1
    )
    corner = np.rint(net.arrays["shape_lonlat"] * 1e7).astype(int)
    ends = zip(corner[first].tolist(), corner[first + 1].tolist(), strict=True)
    return [frozenset(map(tuple, pair)) for pair in ends], net.arrays["shape_off_ground"][first].tolist()


@pytest.mark.parametrize("mode", ["drive", "walk"])
def test_the_sample_city_as_its_file_has_it(raw, mode):
    kind_of, _ = raw
    net = cg.datasets.reykjavik().network(mode)
    pairs, found = kinds_by_corners(net)
    assert all(kind in kind_of[pair] for pair, kind in zip(pairs, found, strict=True))
    count = Counter(found)
    assert min(count[BRIDGE], count[TUNNEL]) > 50
    assert not net.arrays["shape_off_ground"][net.arrays["shape_start"][1:].astype(int) - 1].any()


def test_streets_of_the_sample_city_are_counted_as_in_the_file(raw):
    kind_of, plain = raw
    pairs, found = kinds_by_corners(cg.datasets.reykjavik().network("drive"))
    count, wanted = (
        Counter(kind for pair, kind in listed if pair in plain and len(kind_of[pair]) == 1)
        for listed in (
            dict(zip(pairs, found, strict=True)).items(), ((pair, min(kind_of[pair])) for pair in plain),
        )
    )  # fmt: skip
    assert count == wanted
    assert min(count[BRIDGE], count[TUNNEL]) > 50
