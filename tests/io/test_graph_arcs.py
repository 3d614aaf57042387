"""Edges of graphs: which two are one street, and which stay apart."""

from __future__ import annotations

import networkx as nx
import pytest

from citygeo.io import graphs
from tests.io.nxgraphs import KINDS, STREET, directions, found, graph, ways


def test_two_opposite_edges_are_one_two_way_street_drawn_as_the_one_not_reversed():
    made = graph(
        [(1, 2, {**STREET, "osmid": 7, "reversed": True}), (2, 1, {**STREET, "osmid": 7, "reversed": False})]
    )
    streets = graphs.read(made)
    assert ways(streets) == [[2, 1]]
    assert streets.way_tags == [{**STREET, "oneway": "no"}]
    assert streets.way_id.tolist() == [7]
    assert streets.source == "graph"
    assert streets.issues.found == []
    assert streets.given is None


@pytest.mark.parametrize(
    "change", [{"highway": "service"}, {"osmid": 8}, {"oneway": True}, {"length": 120.0}]
)
def test_opposite_edges_that_differ_are_two_one_way_streets(change):
    plain = {**STREET, "osmid": 7, "oneway": False, "length": 100.0}
    streets = graphs.read(graph([(1, 2, plain), (2, 1, plain | change)]))
    assert ways(streets) == [[1, 2], [2, 1]]
    assert directions(streets) == ["yes", "yes"]


def test_edges_marked_oneway_are_never_joined():
    mark = {**STREET, "osmid": 7, "oneway": True}
    assert directions(graphs.read(graph([(1, 2, mark), (2, 1, mark)]))) == ["yes", "yes"]


def test_lengths_summed_in_another_order_are_equal():
    streets = graphs.read(
        graph([(1, 2, {**STREET, "length": 100.0}), (2, 1, {**STREET, "length": 100.0 + 2e-14})])
    )
    assert directions(streets) == ["no"]
    assert streets.given.length_m.tolist() == [100.0]


def test_lists_in_another_order_are_equal():
    one, two = (
        {"highway": ["service", "track"], "osmid": [8, 7]},
        {"highway": ["track", "service"], "osmid": [7, 8]},
    )
    streets = graphs.read(graph([(1, 2, one), (2, 1, two)]))
    assert streets.way_tags == [{"highway": "track", "oneway": "no"}]
    assert streets.way_id.tolist() == [7]


def test_an_edge_alone_is_one_way_and_keeps_the_side_of_its_tags():
    tags = {**STREET, "maxspeed:forward": "50"}
    streets = graphs.read(graph([(1, 2, {**tags, "reversed": False}), (3, 2, {**tags, "reversed": True})]))
    assert ways(streets) == [[1, 2], [2, 3]]
    assert directions(streets) == ["yes", "-1"]


def test_parallel_edges_stay_and_drawings_tell_which_belong_together():
    bend = [(50, 30)]
    edges = [
        (1, 2, STREET),
        (1, 2, {**STREET, "bend": bend}),
        (2, 1, {**STREET, "bend": bend}),
        (2, 1, STREET),
    ]
    streets = graphs.read(graph([*edges, (2, 1, STREET)]))
    assert [len(way) for way in ways(streets)] == [2, 3, 2]
    assert directions(streets) == ["no", "no", "yes"]
    assert [way[0] for way in ways(streets)] == [1, 1, 2]


def test_parallel_streets_with_one_drawing_keep_their_own_times():
    # two equal two-way streets, drawn against each other: 1 and 2 s, 4 and 3 s along and against
    edges = [(1, 2, 1, False), (2, 1, 4, False), (1, 2, 3, True), (2, 1, 2, True)]
    made = graph([(u, v, {"time_s": s, "delay_s": 0, "reversed": back}) for u, v, s, back in edges])
    streets = graphs.read(made)
    assert ways(streets) == [[1, 2], [2, 1]]
    assert streets.given.ms.tolist() == [[1000, 2000], [4000, 3000]]


def test_loops_are_one_street_if_they_run_round_the_same_drawing():
    ring = {**STREET, "bend": [(10, 10), (20, 10), (20, 0)]}
    back = {**STREET, "bend": [(20, 0), (20, 10), (10, 10)]}
    for edges, expected in (
        ([(1, 1, ring), (1, 1, back)], ["no"]),
        ([(1, 1, ring), (1, 1, ring)], ["yes", "yes"]),
        ([(1, 1, ring)], ["yes"]),
    ):
        streets = graphs.read(graph(edges))
        assert directions(streets) == expected
        for way in ways(streets):
            assert (len(way), way[0], way[-1]) == (5, 1, 1)


def test_loops_that_return_the_way_they_came_are_told_apart_by_the_reversed_mark():
    out = {**STREET, "bend": [(10, 10)]}
    both = graphs.read(graph([(1, 1, {**out, "reversed": False}), (1, 1, {**out, "reversed": True})]))
    assert directions(both) == ["no"]
    assert directions(graphs.read(graph([(1, 1, out), (1, 1, out)]))) == ["yes", "yes"]
    plain = graphs.read(graph([(1, 1, {**STREET, "reversed": back}) for back in (False, True)]))
    assert ways(plain) == [[1, 1]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_graph_is_read(kind):
    streets = graphs.read(graph([(1, 2, STREET), (2, 3, STREET)], kind=kind))
    assert ways(streets) == [[1, 2], [2, 3]]
    assert directions(streets) == (["yes", "yes"] if kind().is_directed() else ["no", "no"])
    assert streets.node_id.tolist() == [1, 2, 3]  # 4 has no street


def test_oneway_marks_mean_nothing_without_a_direction_and_are_counted():
    streets = graphs.read(graph([(1, 2, {**STREET, "oneway": True}), (2, 3, STREET)], kind=nx.Graph))
    assert directions(streets) == ["no", "no"]
    assert found(streets) == {"CG-GRF-007": 1}


def test_a_lost_opposite_is_counted():
    edges = [(1, 2, {**STREET, "oneway": False}), (2, 3, {**STREET, "oneway": True}), (3, 4, STREET)]
    streets = graphs.read(graph(edges))
    assert directions(streets) == ["yes"] * 3
    assert found(streets) == {"CG-GRF-012": 1}
    (issue,) = streets.issues.found
    assert issue.sample == ("(1, 2, 0)",)
