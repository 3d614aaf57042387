"""Networks to OSMnx and back: nothing is lost, and OSMnx can work with them."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import numpy as np
import osmnx as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

import citygeo as cg
from citygeo.engine import Places, search_each
from citygeo.errors import CitygeoWarning, NetworkError
from citygeo.io import graphs
from citygeo.network import CLOSED, RoadNetwork
from citygeo.network.build import build_arrays
from citygeo.network.export import require_made_for, to_osmnx
from tests.toy import ONEWAY, STREET, grid_city, network, streets, toy_mode

NODES = {10 * row + col: (97.0 * col + 13 * row, 61.0 * row) for row in range(3) for col in range(4)}
TAGS = [
    STREET,
    {**STREET, "name": "Gata 街"},
    ONEWAY,
    {**STREET, "oneway": "-1"},
    {"highway": "primary"},
    {**STREET, "bridge": "yes"},
    {**ONEWAY, "tunnel": "yes"},
    {"highway": "service", "maxspeed:forward": "25", "maxspeed:backward": "15"},
]
way_lists = st.lists(
    st.tuples(st.lists(st.sampled_from(sorted(NODES)), min_size=2, max_size=6), st.sampled_from(TAGS)),
    min_size=1,
    max_size=8,
)
# what comes back bit for bit
STREETS = (
    "node_id", "node_lonlat", "edge_node", "edge_length_m", "edge_along_ms", "edge_against_ms", "edge_way_id",
    "edge_is_imputed", "shape_start", "shape_lonlat", "shape_off_ground",
)  # fmt: skip
GRAPHS = ("forward_start", "forward_arc", "forward_edge", "reverse_start", "reverse_arc", "reverse_edge")


def back(graph, mode, **options):
    arrays, issues = build_arrays(graphs.read(graph, **options), mode)
    return RoadNetwork(arrays, mode, {"name": "graph", "sha256": "0" * 64}, issues)


def assert_equal(one, two, names=(*STREETS, *GRAPHS)):
    for name in names:
        np.testing.assert_array_equal(two.arrays[name], one.arrays[name], err_msg=name)
    is_open = np.column_stack([one.arrays[f"edge_{side}_ms"] != CLOSED for side in ("along", "against")])
    for name in ("edge_enter_ms", "edge_leave_ms"):  # nobody pays where nobody goes
        np.testing.assert_array_equal(two.arrays[name] * is_open, one.arrays[name] * is_open, err_msg=name)
    assert two.highway.tolist() == one.highway.tolist()
    streets_named = [[net.words[i] for i in net.arrays["edge_name"].tolist()] for net in (one, two)]
    assert streets_named[1] == streets_named[0]


# --- there and back -------------------------------------------------------------------------------


@given(way_lists, st.sampled_from((0, 7)))
def test_toy_cities_come_back_bit_for_bit(ways, signal_s):
    mode = toy_mode(node_delay_s={"highway=traffic_signals": signal_s})
    tables = streets(NODES, ways)
    signals = tables.node_id % 3 == 0
    tables.tag_sets.append({"highway": "traffic_signals"})
    tables.node_tag_set[signals] = len(tables.tag_sets) - 1
    arrays, issues = build_arrays(tables, mode)
    net = RoadNetwork(arrays, mode, {"name": "toy", "sha256": "0" * 64}, issues)
    assert_equal(net, back(to_osmnx(net), mode))


@pytest.mark.parametrize("mode", [cg.travel_mode("drive", vehicles=()), "walk"], ids=["drive", "walk"])
def test_the_sample_city_comes_back_bit_for_bit(mode):
    net = cg.datasets.reykjavik().network(mode)
    assert_equal(net, back(to_osmnx(net), net.mode))


def test_turn_restrictions_of_the_sample_city_are_all_that_is_lost():
    net = cg.datasets.reykjavik().network("drive")
    with pytest.warns(CitygeoWarning, match=r"CG-GRF-017: \d+ turns that are forbidden"):
        graph = to_osmnx(net)
    assert_equal(net, back(graph, net.mode), STREETS)


def test_a_saved_graph_comes_back(tmp_path):
    net = network(
        NODES,
        [
            ((0, 1, 2, 12), {**STREET, "name": "Gata"}),
            ((2, 3), ONEWAY),
            ((12, 22), STREET),
            ((22, 2), {**STREET, "bridge": "yes"}),
        ],
    )
    path = tmp_path / "city.graphml"
    ox.save_graphml(to_osmnx(net), path)
    loaded = ox.load_graphml(path)
    other = back(loaded, net.mode)
    # GraphML holds drawings as text with 16 digits
    np.testing.assert_allclose(other.arrays["shape_lonlat"], net.arrays["shape_lonlat"], atol=1e-15, rtol=0)
    other.arrays["shape_lonlat"] = net.arrays["shape_lonlat"]
    assert_equal(net, other)
    require_made_for(loaded, net.mode, None)


def test_a_projected_graph_comes_back_within_a_micrometre():
    net = grid_city(4)
    other = back(ox.project_graph(to_osmnx(net)), net.mode)
    for name in ("edge_node", "edge_along_ms", "edge_against_ms", "edge_length_m"):
        np.testing.assert_array_equal(other.arrays[name], net.arrays[name])
    np.testing.assert_allclose(other.arrays["shape_lonlat"], net.arrays["shape_lonlat"], atol=1e-11, rtol=0)


def test_pieces_at_a_barrier_stay_apart():
    tables = streets(
        {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, 80)}, [((1, 2, 3), STREET), ((2, 4), STREET)]
    )
    tables.tag_sets.append({"barrier": "bollard"})
    tables.node_tag_set[tables.node_id == 2] = len(tables.tag_sets) - 1
    mode = cg.travel_mode("drive")
    arrays, issues = build_arrays(tables, mode)
    net = RoadNetwork(arrays, mode, {"name": "toy", "sha256": "0" * 64}, issues)
    graph = to_osmnx(net)
    assert sorted(graph.nodes) == [1, 2, 3, 4, 5, 6]
    assert {node: data.get("citygeo_node_id") for node, data in graph.nodes(data=True) if node > 4} == {
        5: 2,
        6: 2,
    }
    assert nx.number_weakly_connected_components(graph) == 3
    other = back(graph, mode)
    assert_equal(net, other)
    assert other.components.max() == 2


def test_times_of_another_mode_are_refused_unless_named():
    graph = to_osmnx(network(NODES, [((0, 1), STREET)]))
    require_made_for(graph, toy_mode(), None)
    with pytest.raises(NetworkError) as caught:
        require_made_for(graph, toy_mode(top_kmh=20.0), None)
    assert caught.value.code == "CG-GRF-005"
    assert caught.value.data == {"made_for": "toy", "mode": "toy", "changed": "top_kmh"}
    require_made_for(graph, toy_mode(top_kmh=20.0), "travel_time")
    for _, _, data in graph.edges(data=True):
        del data["time_s"]
    require_made_for(graph, toy_mode(top_kmh=20.0), None)
    require_made_for(nx.Graph(), toy_mode(), None)
    require_made_for([], toy_mode(), None)  # what is no graph is told by its reader


def test_public_methods_go_there_and_back():
    net = cg.RoadNetwork.from_osmnx(to_osmnx(network(NODES, [((0, 1, 2), STREET)])), toy_mode())
    graph = net.to_osmnx()
    assert_equal(net, cg.RoadNetwork.from_networkx(graph, toy_mode()))
    with pytest.raises(NetworkError, match="CG-GRF-005"):
        cg.RoadNetwork.from_osmnx(graph, mode="walk")
    assert cg.RoadNetwork.from_osmnx(graph, mode="walk", time_column="travel_time").n_arcs == 2


# --- what the graph says --------------------------------------------------------------------------


def test_edges_by_hand():
    nodes = {1: (0, 0), 2: (1000, 0), 3: (1000, 500), 4: (500, 90), 5: (-80, 0)}
    bend = ((2, 4, 1), {**STREET, "name": "Laugavegur"})
    net = network(nodes, [bend, ((1, 2), STREET), ((3, 2), {**STREET, "oneway": "-1"}), ((1, 5), STREET)])
    graph = to_osmnx(net)
    assert graph.graph["crs"] == "epsg:4326"
    assert graph.graph["simplified"] is True
    assert {node: data["street_count"] for node, data in graph.nodes(data=True)} == {1: 3, 2: 3, 3: 1, 5: 1}
    assert sorted(graph.edges) == [
        (1, 2, 0),
        (1, 2, 1),
        (1, 5, 0),
        (2, 1, 0),
        (2, 1, 1),
        (2, 3, 0),
        (5, 1, 0),
    ]
    bent, turned = (
        next(data for *_, data in graph.edges(data=True) if data["osmid"] == 1 and data["reversed"] is side)
        for side in (False, True)
    )
    assert list(bent["geometry"].coords) == list(turned["geometry"].coords)[::-1]
    assert bent["geometry"].coords[0] == (graph.nodes[2]["x"], graph.nodes[2]["y"])
    assert (bent["name"], bent["oneway"], bent["highway"]) == ("Laugavegur", False, "residential")
    one = graph.edges[2, 3, 0]
    assert "name" not in one
    assert (one["oneway"], one["reversed"], one["is_imputed"], one["osmid"]) == (True, False, False, 3)
    assert (one["time_s"], one["delay_s"], one["travel_time"]) == (50.0, 0.0, 50.0)
    assert one["length"] == pytest.approx(500, abs=1e-3)
    assert one["speed_kph"] == pytest.approx(36, abs=1e-3)
    assert {type(value) for value in one.values() if value is not one["geometry"]} <= {int, float, str, bool}


def test_delays_are_told_apart_from_moving():
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0)}
    tables = streets(nodes, [((1, 2, 3), STREET)])
    tables.tag_sets.append({"highway": "traffic_signals"})
    tables.node_tag_set[1] = 1
    mode = toy_mode(node_delay_s={"highway=traffic_signals": 9})
    arrays, issues = build_arrays(tables, mode)
    graph = to_osmnx(RoadNetwork(arrays, mode, {"name": "toy", "sha256": "0" * 64}, issues))
    into, out = graph.edges[1, 2, 0], graph.edges[2, 3, 0]
    assert (into["time_s"], into["delay_s"], into["travel_time"]) == (10.0, 9.0, 19.0)
    assert (out["time_s"], out["delay_s"], out["travel_time"]) == (10.0, 0.0, 10.0)


def test_a_street_without_length_has_no_speed():
    net = network({1: (0, 0), 2: (0, 0), 3: (100, 0)}, [((1, 2), ONEWAY), ((2, 3), STREET)])
    graph = to_osmnx(net)
    assert graph.edges[1, 2, 0]["speed_kph"] == 0.0
    assert_equal(net, back(graph, net.mode))


def test_closed_edges_and_what_hangs_on_them_are_left_out():
    net = network(
        {1: (0, 0), 2: (100, 0), 3: (100, 90)}, [((1, 2), STREET), ((2, 3), {"highway": "primary"})]
    )
    arrays = dict(net.arrays)
    closed = net.highway == "primary"
    for name in ("edge_along_ms", "edge_against_ms"):
        arrays[name] = np.where(closed, np.uint32(0xFFFFFFFF), arrays[name])
    graph = to_osmnx(RoadNetwork(arrays, net.mode, net.source, net.log))
    assert sorted(graph.nodes) == [1, 2]
    assert graph.nodes[2]["street_count"] == 1


def test_turn_costs_cannot_be_told():
    with pytest.warns(CitygeoWarning, match="CG-GRF-018: The seconds that mode toy loses on turns"):
        to_osmnx(network(NODES, [((0, 1), STREET)], toy_mode(left_turn_s=5)))


def test_turn_restrictions_cannot_be_told():
    net = network(NODES, [((0, 1, 2), STREET), ((1, 11), STREET)])
    arrays = {**net.arrays, "turn_start": np.array([0, 2]), "turn_arc": np.array([0, 2])}
    with pytest.warns(CitygeoWarning, match="CG-GRF-017: 1 turns that are forbidden"):
        to_osmnx(RoadNetwork(arrays, net.mode, net.source, net.log))


# --- OSMnx and networkx work with it --------------------------------------------------------------


def test_osmnx_works_with_it(tmp_path):
    graph = to_osmnx(grid_city(4))
    nodes, edges = ox.graph_to_gdfs(graph)
    assert edges.index.names == ["u", "v", "key"]
    assert nodes.crs == edges.crs == "epsg:4326"
    stats = ox.basic_stats(ox.project_graph(graph), area=160_000)
    assert stats["streets_per_node_avg"] == pytest.approx(2 * 36 / 21)
    assert stats["street_length_total"] == pytest.approx(4000, abs=0.01)
    u, v, _ = ox.nearest_edges(graph, 3.0, 0.0)
    assert {u, v} & {12}
    route = ox.shortest_path(graph, 1, 23, weight="travel_time")
    assert nx.path_weight(graph, route, "travel_time") == pytest.approx(60.0)
    assert ox.truncate.largest_component(graph, strongly=True).number_of_nodes() == 21
    ox.save_graph_geopackage(graph, tmp_path / "city.gpkg")
    again = ox.graph_from_gdfs(nodes, edges, graph_attrs=graph.graph)
    assert nx.utils.graphs_equal(again, graph)


def test_times_are_those_of_networkx():
    net = network(
        NODES,
        [
            ((0, 1, 2, 3), STREET),
            ((0, 10, 11, 1), ONEWAY),
            ((2, 12, 22), {"highway": "primary"}),
            ((22, 11), STREET),
        ],
    )
    graph = to_osmnx(net)
    ids = net.arrays["node_id"].tolist()
    expected = dict(nx.all_pairs_dijkstra_path_length(graph, weight="travel_time"))
    ends = net.arrays["edge_node"].ravel().tolist()
    for node, name in enumerate(ids):
        flat = ends.index(node)
        place = Places.one_each(np.array([flat // 2]), np.array([float(flat % 2)]), np.array([0]))
        times = seconds_from(net, place)
        assert {ids[i]: s for i, s in times.items()} == pytest.approx(expected[name])


def seconds_from(net, place):
    """Seconds from one place to each node reached; there are no turn rules, so the states are the nodes."""
    times = {}

    def collect(_row, found):
        times.update(zip(found.node.tolist(), (found.ms / 1000).tolist(), strict=True))

    search_each(net, "from", place, 10**9, collect)
    return times


def test_consolidated_graphs_of_osmnx_are_read():
    city = to_osmnx(
        network(NODES, [((0, 1, 2, 3), STREET), ((10, 11, 12), STREET), ((1, 11), STREET), ((2, 12), ONEWAY)])
    )
    merged = ox.consolidate_intersections(ox.project_graph(city), tolerance=31, rebuild_graph=True)
    assert any("osmid_original" in data for _, data in merged.nodes(data=True))
    net = RoadNetwork.from_osmnx(merged, "drive", time_column="travel_time")
    assert net.n_arcs == merged.number_of_edges() > 0


# --- any graph with times -------------------------------------------------------------------------

edge_lists = st.lists(
    st.tuples(st.sampled_from(sorted(NODES)), st.sampled_from(sorted(NODES)), st.integers(0, 90_000)),
    min_size=1,
    max_size=25,
)


@given(edge_lists, st.sampled_from((nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph)))
def test_times_of_any_graph_are_kept(edges, kind):
    graph = kind(crs=4326)
    tables = streets(NODES, [(sorted(NODES), STREET)])
    graph.add_nodes_from(
        (int(i), {"x": x, "y": y}) for i, (x, y) in zip(tables.node_id, tables.node_lonlat, strict=True)
    )
    for u, v, ms in edges:
        graph.add_edge(u, v, s=ms / 1000, highway="residential")
    net = back(graph, toy_mode(), time_column="s")
    arcs = [(u, v, round(data["s"] * 1000)) for u, v, data in graph.edges(data=True)]
    if not graph.is_directed():
        arcs += [(v, u, ms) for u, v, ms in arcs]
    ids = net.arrays["node_id"].tolist()
    got = net.open_arcs()
    found = [
        (ids[a], ids[b], ms)
        for a, b, ms in zip(got.tail.tolist(), got.head.tolist(), got.ms.tolist(), strict=True)
    ]
    assert Counter(found) == Counter(arcs)
