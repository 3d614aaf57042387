"""Graphs of networkx and OSMnx: where they lie, how long it takes, and what is refused."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pyproj
import pytest
import shapely

from citygeo.errors import CRSError, InputError, NetworkError
from citygeo.io import graphs
from tests.io.nxgraphs import PLACES, STREET, found, graph, line, refused, ways
from tests.toy import lonlat

# --- where it lies --------------------------------------------------------------------------------


def test_bends_become_shape_nodes_above_all_ids():
    places = {1: (0, 0), 900: (100, 0)}
    streets = graphs.read(graph([(1, 900, {**STREET, "bend": [(30, 5), (60, 9)]})], places))
    assert ways(streets) == [[1, 901, 902, 900]]
    expected = [lonlat(*place) for place in ((0, 0), (30, 5), (60, 9), (100, 0))]
    assert streets.node_lonlat[streets.way_node].tolist() == [list(place) for place in expected]


def test_drawings_from_end_to_start_are_turned_round():
    made = graph([(1, 2, STREET), (2, 4, STREET)], kind=nx.Graph)
    made.edges[1, 2]["geometry"] = line((100, 0), (60, 9), (30, 5), (0, 0))
    streets = graphs.read(made)
    assert streets.node_lonlat[streets.way_node[:4]].tolist() == [
        list(lonlat(*place)) for place in ((0, 0), (30, 5), (60, 9), (100, 0))
    ]
    assert found(streets) == {"CG-GRF-010": 1}


def test_drawings_that_end_beside_their_node_are_joined_to_it():
    made = graph([(1, 2, {**STREET, "geometry": line((0, 2), (50, 0), (100, 0.5))})])
    streets = graphs.read(made)
    # 2 m off: a place of its own; half a metre off: the node
    assert [len(way) for way in ways(streets)] == [4]
    assert streets.node_lonlat[streets.way_node[1]].tolist() == list(lonlat(0, 2))
    assert found(streets) == {"CG-GRF-011": 1}


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_drawing_is_a_straight_line(missing):
    assert ways(graphs.read(graph([(1, 2, {**STREET, "geometry": missing})]))) == [[1, 2]]


def test_heights_in_drawings_are_left_out():
    made = graph([(1, 2, {**STREET, "geometry": shapely.force_3d(line((0, 0), (50, 5), (100, 0)), 9.0)})])
    assert graphs.read(made).node_lonlat.shape == (3, 2)


@pytest.mark.parametrize("by_argument", [False, True])
def test_projected_graphs_come_back_to_degrees(by_argument):
    plain = graph([(1, 2, {**STREET, "bend": [(50, 5)]}), (2, 3, STREET)])
    to_utm = pyproj.Transformer.from_crs(4326, 32631, always_xy=True).transform
    moved = plain.copy()
    moved.graph["crs"] = None if by_argument else "EPSG:32631"
    for _, data in moved.nodes(data=True):
        data["x"], data["y"] = to_utm(data["x"], data["y"])
    data = moved.edges[1, 2, 0]
    data["geometry"] = shapely.transform(data["geometry"], lambda xy: np.column_stack(to_utm(*xy.T)))
    streets = graphs.read(moved, crs=32631 if by_argument else None)
    np.testing.assert_allclose(streets.node_lonlat, graphs.read(plain).node_lonlat, atol=1e-10, rtol=0)
    assert ways(streets) == [[1, 4, 2], [2, 3]]
    assert streets.issues.found == []


@pytest.mark.parametrize("crs", ["EPSG:4326", 4326, "OGC:CRS84", pyproj.CRS(4326)])
def test_degrees_stay_bit_for_bit(crs):
    streets = graphs.read(graph([(1, 3, STREET)], crs=crs))
    assert streets.node_lonlat.tolist() == [list(lonlat(*PLACES[node])) for node in (1, 3)]


def test_a_graph_without_crs_is_refused():
    data = refused("CG-GRF-002", CRSError, graph([(1, 2, STREET)], crs=None))
    assert (data["xmin"], data["ymin"]) == ("3", "0")


def test_a_crs_that_contradicts_or_is_none_is_refused():
    assert refused("CG-IN-004", InputError, graph([(1, 2, STREET)]), crs=3857)["argument"] == "crs"
    assert refused("CG-IN-004", InputError, graph([(1, 2, STREET)], crs="moon"))["argument"] == "crs"
    assert graphs.read(graph([(1, 2, STREET)]), crs="EPSG:4326").way_id.size == 1


def test_degrees_that_are_metres_are_refused():
    made = graph([(1, 2, STREET)])
    made.nodes[1]["y"] = 5_000_000.0
    assert refused("CG-NET-050", NetworkError, made)["sample"] == "1"


@pytest.mark.parametrize("value", [None, "far", float("nan"), float("inf")])
def test_nodes_without_a_place_are_named(value):
    made = graph([(1, 2, STREET), (2, 3, STREET)])
    made.nodes[2]["y"] = value
    del made.nodes[3]["x"]
    made.add_node("alone")  # no street needs it
    data = refused("CG-GRF-003", InputError, made)
    assert (data["count"], data["total"], data["sample"]) == (2, 3, "2, 3")


def test_text_places_are_numbers():
    made = graph([(1, 2, STREET)])
    made.nodes[1]["x"], made.nodes[1]["y"] = "3.0", "0.0"
    assert graphs.read(made).node_lonlat[0].tolist() == [3.0, 0.0]


# --- ids ------------------------------------------------------------------------------------------


def test_whole_numbers_are_kept_in_any_order():
    places = {np.int64(70): (0, 0), -5: (100, 0), 12: (50, 50)}
    streets = graphs.read(graph([(70, -5, STREET), (-5, 12, STREET)], places))
    assert streets.node_id.tolist() == [-5, 12, 70]
    assert ways(streets) == [[70, -5], [-5, 12]]
    assert streets.node_lonlat[0].tolist() == list(lonlat(100, 0))


@pytest.mark.parametrize("odd", ["A", (0.0, 1.0), 2**70, True, 1.5])
def test_other_nodes_are_counted_in_the_order_of_the_graph(odd):
    places = {5: (0, 0), odd: (100, 0), 3: (100, 50)}
    streets = graphs.read(graph([(3, odd, STREET), (odd, 5, STREET)], places))
    assert sorted(ways(streets)) == [[2, 1], [3, 2]]
    assert streets.issues.found[0].code == "CG-GRF-009"
    assert streets.issues.found[0].sample == (str(odd),)


def test_ways_take_the_lowest_osm_id_or_count_on():
    edges = [(1, 2, {"osmid": [9, 4]}), (2, 3, {"osmid": "x"}), (3, 4, {}), (4, 1, {"osmid": np.int64(6)})]
    streets = graphs.read(graph([(u, v, STREET | data) for u, v, data in edges]))
    assert streets.way_id.tolist() == [4, 7, 8, 6]
    pair = graphs.read(graph([(1, 2, STREET), (2, 1, STREET), (1, 2, {**STREET, "bend": [(9, 9)]})]))
    assert pair.way_id.tolist() == [1, 2]


# --- tags -----------------------------------------------------------------------------------------


def test_edges_merged_from_ways_that_differ_are_counted():
    edges = [
        (1, 2, {"highway": ["tertiary", "service"], "maxspeed": ["30", "50"]}),
        (2, 3, {"highway": ["tertiary", "primary"], "name": ["A", "B"]}),
        (3, 4, {"highway": "tertiary", "name": ["A", "B"]}),
    ]
    streets = graphs.read(graph(edges))
    (issue,) = streets.issues.found
    assert (issue.code, issue.count, issue.sample) == ("CG-GRF-006", 2, ("(1, 2, 0)", "(2, 3, 0)"))
    assert "2 of 3 edges were merged from ways that differ: highway 2, maxspeed 1;" in issue.message
    assert [tags["highway"] for tags in streets.way_tags] == ["service", "tertiary", "tertiary"]
    timed = [(u, v, {**data, "s": 1}) for u, v, data in edges]
    assert graphs.read(graph(timed), time_column="s").issues.found == []  # nothing hangs on the tags


def test_edges_without_class_are_roads_and_ferries_are_not():
    streets = graphs.read(graph([(1, 2, {}), (2, 3, {"route": "ferry"})], kind=nx.DiGraph))
    assert streets.way_tags == [{"highway": "road", "oneway": "yes"}, {"route": "ferry", "oneway": "yes"}]
    assert found(streets) == {"CG-GRF-008": 1}
    assert streets.issues.found[0].sample == ("(1, 2)",)


def test_tags_of_nodes_are_kept_where_they_matter():
    made = graph([(1, 2, STREET), (2, 3, STREET)])
    made.nodes[2].update(highway="traffic_signals", direction="forward", street_count=3)
    made.nodes[3].update(foot="yes")  # no kind of node by itself
    streets = graphs.read(made)
    tags = [None if number < 0 else streets.tag_sets[number] for number in streets.node_tag_set.tolist()]
    assert tags == [None, {"highway": "traffic_signals", "direction": "forward"}, None]


# --- lengths and times ----------------------------------------------------------------------------


def test_lengths_are_kept_and_gaps_left_to_measuring():
    edges = [
        (1, 2, {"length": 101.5}),
        (2, 3, {"length": None}),
        (3, 4, {"length": float("nan")}),
        (4, 1, {}),
    ]
    streets = graphs.read(graph([(u, v, STREET | data) for u, v, data in edges]))
    np.testing.assert_array_equal(streets.given.length_m, [101.5, np.nan, np.nan, np.nan])
    assert streets.given.ms is None
    assert graphs.read(graph([(1, 2, STREET)])).given is None


@pytest.mark.parametrize("value", [-1.0, float("inf"), "long", [1, 2]])
def test_lengths_that_are_none_are_refused(value):
    data = refused("CG-GRF-004", InputError, graph([(1, 2, STREET), (2, 3, {**STREET, "length": value})]))
    assert (data["column"], data["count"], data["total"], data["sample"]) == ("length", 1, 2, "(2, 3, 0)")


def test_lengths_in_another_unit_are_noticed():
    bend = {**STREET, "bend": [(50, 1)]}
    for length, edge, expected in (
        (100.4, STREET, {}),
        (328.1, STREET, {}),  # a straight edge may stand for a bent street
        (80.0, STREET, {"CG-GRF-013": 1}),
        (328.1, bend, {"CG-GRF-013": 1}),
        (0.1, bend, {"CG-GRF-013": 1}),
        (100.1, bend, {}),
    ):
        assert found(graphs.read(graph([(1, 2, {**edge, "length": length})]))) == expected


def test_a_time_column_is_taken_as_it_is():
    edges = [(1, 2, {"s": 1.2345}), (2, 1, {"s": "2"}), (2, 3, {"s": 0})]
    streets = graphs.read(graph([(u, v, STREET | data) for u, v, data in edges]), time_column="s")
    assert streets.given.ms.tolist() == [[1234, 2000], [0, -1]]
    assert streets.given.delay_ms.tolist() == [[0, 0], [0, 0]]
    assert np.isnan(streets.given.length_m).all()
    lone = graphs.read(graph([(1, 2, {**STREET, "s": 3, "reversed": True})]), time_column="s")
    assert lone.given.ms.tolist() == [[-1, 3000]]


def test_times_of_an_export_are_found_and_a_named_column_goes_first():
    data = {**STREET, "time_s": 1.5, "delay_s": 0.25, "travel_time": 9}
    made = graph([(1, 2, data), (2, 1, data), (2, 3, data)])
    streets = graphs.read(made)
    assert streets.given.ms.tolist() == [[1500, 1500], [1500, -1]]
    assert streets.given.delay_ms.tolist() == [[250, 250], [250, 0]]
    assert graphs.read(made, time_column="travel_time").given.ms.tolist() == [[9000, 9000], [9000, -1]]
    for edge in made.edges:
        del made.edges[edge]["delay_s"]
    assert graphs.read(made).given is None


@pytest.mark.parametrize("value", [None, float("nan"), -0.001, float("inf"), "soon", 3e6])
def test_times_that_are_none_are_refused(value):
    made = graph([(1, 2, {**STREET, "s": 1}), (2, 3, {**STREET, "s": value})])
    data = refused("CG-GRF-004", InputError, made, time_column="s")
    assert (data["column"], data["count"], data["sample"]) == ("s", 1, "(2, 3, 0)")


def test_an_edge_added_to_an_export_needs_times_too():
    data = {**STREET, "time_s": 1.5, "delay_s": 0.0}
    assert refused("CG-GRF-004", InputError, graph([(1, 2, data), (2, 3, STREET)]))["column"] == "time_s"


def test_a_time_column_that_no_edge_has_is_refused_with_those_there_are():
    data = refused("CG-IN-005", InputError, graph([(1, 2, {**STREET, "length": 5})]), time_column="s")
    assert (data["layer"], data["columns"]) == ("graph (edges)", "highway, length")


# --- what is no graph -----------------------------------------------------------------------------


def test_other_things_are_refused():
    assert refused("CG-GRF-001", InputError, [(1, 2)], name="mine")["kind"] == "list"
    assert refused("CG-IN-001", InputError, graph([]), name="mine")["layer"] == "mine (edges)"


@pytest.mark.parametrize(
    "shape", ["LINESTRING (3 0, 3.1 0)", shapely.MultiLineString([[(3, 0), (3.1, 0)]]), shapely.LineString()]
)
def test_drawings_that_are_no_line_are_named(shape):
    made = graph([(1, 2, STREET), (2, 3, {**STREET, "geometry": shape})])
    assert refused("CG-GRF-004", InputError, made)["sample"] == "(2, 3, 0)"
