"""Each flaw of a drawing, on a little city drawn with it and on one drawn without."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from citygeo.io.streets import Given
from citygeo.modes import travel_mode
from citygeo.network.report import flaws
from tests.toy import ONEWAY, STREET, network, toy_mode

SERVICE = {"highway": "service"}


def under(net):
    return flaws.undershoots(net, *flaws.dead_ends(net))


def ids(net, node):
    return net.arrays["node_id"][node].tolist()


def ways(net, edge):
    return net.arrays["edge_way_id"][edge].tolist()


# a street 1-2, and another from 3, just north of its middle, by 4 back to 1
def near_miss(gap_m):
    nodes = {1: (0, 0), 2: (1000, 0), 3: (500, gap_m), 4: (500, 200)}
    return network(nodes, [((1, 2), STREET), ((3, 4), STREET), ((4, 1), SERVICE)])


def test_end_three_metres_from_a_street_is_an_undershoot():
    net = near_miss(3.0)
    found = under(net)
    assert ids(net, found.node) == [3]
    assert (ways(net, found.edge), ways(net, found.other)) == ([2], [1])
    assert found.value[0] == pytest.approx(3, rel=1e-3)


@pytest.mark.parametrize(("gap_m", "many"), [(4.99, 1), (5.02, 0), (0.0, 1)])
def test_the_gap_has_a_limit(gap_m, many):
    assert len(under(near_miss(gap_m)).edge) == many


def test_closed_street_is_neither_missed_nor_missing():
    net = near_miss(3.0)
    street = int(np.flatnonzero(net.arrays["edge_way_id"] == 1)[0])
    assert len(under(net.without([street])).edge) == 0


# a stub of 4.2 m whose end is 3 m from its own street
def test_end_of_a_short_stub_is_no_undershoot():
    nodes = {1: (0, 0), 2: (500, 0), 3: (1000, 0), 4: (503, 3)}
    assert len(under(network(nodes, [((1, 2, 3), STREET), ((2, 4), STREET)])).edge) == 0


# the way round is 60 m or 40 m long: out along the stub and back along the street
@pytest.mark.parametrize(("reach_m", "many"), [(29.0, 1), (19.0, 0)])
def test_way_round_over_the_network_must_be_long(reach_m, many):
    nodes = {1: (0, 0), 2: (500, 0), 3: (1000, 0), 4: (500 + reach_m, 3), 5: (500, 3)}
    net = network(nodes, [((1, 2, 3), STREET), ((4, 5), STREET), ((4, 2), SERVICE)])
    assert ids(net, under(net).node) == [5] * many


def test_island_at_arms_length_is_an_undershoot():
    nodes = {1: (0, 0), 2: (1000, 0), 3: (500, 2), 4: (500, 100)}
    net = network(nodes, [((1, 2), STREET), ((3, 4), STREET)])
    assert ids(net, under(net).node) == [3]


def test_both_sides_of_a_barrier_are_one_place():
    nodes = {1: (0, 0), 2: (500, 0), 3: (1000, 0), 4: (503, 2), 5: (503, 100)}
    mode = travel_mode("drive")
    tags = {2: {"barrier": "bollard"}}
    plain = [((1, 2, 3), STREET)]
    net = network(nodes, plain, mode, node_tags=tags)
    assert len(flaws.dead_ends(net)[0]) == 4
    assert len(under(net).edge) == 0
    # a street that ends beside the barrier, far away over the network, is one
    crossing = network(nodes, [*plain, ((4, 5), STREET)], mode, node_tags=tags)
    assert 4 in ids(crossing, under(crossing).node)


def test_nearest_of_several_streets_is_told():
    nodes = {1: (0, 0), 2: (1000, 0), 3: (0, 5), 4: (1000, 5), 5: (500, 2), 6: (500, -300)}
    net = network(nodes, [((1, 2), STREET), ((3, 4), SERVICE), ((5, 6), STREET)])
    found = under(net)
    assert ways(net, found.other[found.node == np.flatnonzero(net.arrays["node_id"] == 5)[0]]) == [1]


@pytest.mark.parametrize("again", [(1, 2, 3), (3, 2, 1)])
def test_street_drawn_twice_is_a_duplicate_either_way_round(again):
    nodes = {1: (0, 0), 2: (100, 50), 3: (200, 0), 4: (0, 100), 5: (200, 100)}
    net = network(nodes, [((1, 2, 3), STREET), (again, STREET), ((1, 4), STREET), ((3, 5), STREET)])
    found = flaws.duplicates(net)
    # both are cut at 2, where four pieces meet
    assert len(found.edge) == 2
    assert found.value.sum() == pytest.approx(2 * np.hypot(100, 50), rel=1e-4)
    assert (found.other < found.edge).all()
    assert len(flaws.overlaps(net, found).edge) == 0


def test_dead_end_drawn_twice_is_a_street_over_itself():
    nodes = {1: (0, 0), 2: (100, 50), 4: (0, 100), 5: (0, -100)}
    net = network(nodes, [((4, 1, 5), STREET), ((1, 2), STREET), ((2, 1), STREET)])
    twice = flaws.duplicates(net)
    found = flaws.overlaps(net, twice)
    # at 2 the pieces are joined: out and back
    assert len(twice.edge) == 0
    np.testing.assert_allclose(found.value, [np.hypot(100, 50)], rtol=1e-4)


def test_duplicates_need_not_share_their_nodes():
    nodes = {1: (0, 0), 2: (100, 50), 3: (200, 0), 11: (0, 0), 12: (100, 50), 13: (200, 0)}
    net = network(nodes, [((1, 2, 3), STREET), ((11, 12, 13), ONEWAY)])
    assert len(flaws.duplicates(net).edge) == 1


def test_parallel_street_of_another_form_is_no_duplicate():
    nodes = {1: (0, 0), 2: (100, 50), 3: (200, 0), 4: (100, -50), 5: (-100, 0), 6: (300, 0)}
    net = network(nodes, [((1, 2, 3), STREET), ((1, 4, 3), STREET), ((5, 1), STREET), ((3, 6), STREET)])
    found = flaws.duplicates(net)
    assert len(found.edge) == len(flaws.overlaps(net, found).edge) == 0


# the second runs 100 m over the first, with nodes of its own
def test_streets_that_draw_the_same_segment_overlap():
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 12: (100, 0), 13: (200, 0), 14: (300, 40)}
    net = network(nodes, [((1, 2, 3), STREET), ((14, 13, 12), STREET)])
    found = flaws.overlaps(net, flaws.duplicates(net))
    assert sorted(ways(net, np.concatenate((found.edge, found.other)))) == [1, 2]
    np.testing.assert_allclose(found.value, [100], rtol=1e-4)


@pytest.mark.parametrize(("aside_m", "many"), [(0.5, 1), (1.5, 0)])
def test_streets_side_by_side_between_the_same_nodes_overlap(aside_m, many):
    nodes = {1: (0, 0), 2: (200, 0), 3: (100, aside_m), 4: (-90, 0), 5: (290, 0)}
    net = network(nodes, [((1, 2), STREET), ((1, 3, 2), STREET), ((4, 1), STREET), ((2, 5), STREET)])
    found = flaws.overlaps(net, flaws.duplicates(net))
    assert len(found.edge) == many
    assert found.value.sum() == pytest.approx(200 * many, rel=1e-3)


def test_street_over_itself_overlaps():
    nodes = {1: (0, 0), 2: (100, 0), 3: (130, 0), 4: (100, 0), 5: (100, 90)}
    net = network(nodes, [((1, 2, 3, 4, 5), STREET)])
    found = flaws.overlaps(net, flaws.duplicates(net))
    assert (found.edge.tolist(), found.other.tolist()) == ([0], [0])
    np.testing.assert_allclose(found.value, [30], rtol=1e-4)


def test_closed_streets_are_not_drawn_twice():
    nodes = {1: (0, 0), 2: (100, 50), 11: (0, 0), 12: (100, 50)}
    net = network(nodes, [((1, 2), STREET), ((11, 12), STREET)])
    assert len(flaws.duplicates(net).edge) == 1
    assert len(flaws.duplicates(net.without([0])).edge) == 0


def test_both_ends_at_one_place_is_zero_length():
    nodes = {1: (0, 0), 2: (0, 0), 3: (90, 0), 4: (90.02, 0)}
    net = network(nodes, [((1, 2), SERVICE), ((2, 3), STREET), ((3, 4), SERVICE)])
    found = flaws.zero_lengths(net)
    assert ways(net, found.edge) == [1]
    assert found.value.tolist() == [0]


@st.composite
def crowded(draw, step_m):
    """Streets between places of a small grid; several nodes may share a place."""
    n = draw(st.integers(2, 9))
    place = st.tuples(st.integers(0, 6), st.integers(0, 6))
    places = draw(st.lists(place, min_size=n, max_size=n))
    nodes = {i: (step_m * x, step_m * y) for i, (x, y) in enumerate(places, 1)}
    way = st.lists(st.integers(1, n), min_size=2, max_size=4)
    ways = draw(st.lists(st.tuples(way, st.sampled_from([STREET, ONEWAY, SERVICE])), min_size=1, max_size=9))
    return nodes, [(tuple(ids), tags) for ids, tags in ways]


@given(crowded(100.0))
def test_length_drawn_again_is_that_of_counted_segments(city):
    nodes, drawn = city
    count = Counter()
    for ids_, _ in drawn:
        for a, b in pairwise(ids_):
            count[frozenset((nodes[a], nodes[b]))] += 1
    again_m = sum((many - 1) * math.dist(*ends) for ends, many in count.items() if len(ends) == 2)
    net = network(nodes, drawn)
    twice = flaws.duplicates(net)
    found = twice.value.sum() + flaws.overlaps(net, twice).value.sum()
    assert found == pytest.approx(again_m, rel=1e-4, abs=1e-3)


@given(crowded(3.0))
def test_undershoots_are_those_of_every_end_with_every_street(city):
    net = network(*city)
    streets = nx.MultiGraph()
    for (u, v), length in zip(net.arrays["edge_node"].tolist(), net.length_m.tolist(), strict=True):
        streets.add_edge(u, v, length=length)
    dead, own = flaws.dead_ends(net)
    expected = {}
    for node, edge in zip(dead.tolist(), own.tolist(), strict=True):
        line = net.lines_metric[edge]
        end = shapely.Point(line.coords[-1 if net.arrays["edge_node"][edge, 1] == node else 0])
        way = nx.single_source_dijkstra_path_length(streets, node, weight="length")
        near = {}
        for other, street in enumerate(net.lines_metric):
            if other != edge and street.distance(end) <= 5:
                along = street.project(end)
                u, v = net.arrays["edge_node"][other].tolist()
                near[other] = min(way.get(u, np.inf) + along, way.get(v, np.inf) + street.length - along)
                assume(abs(near[other] - 50) > 0.1)
                assume(abs(street.distance(end) - 5) > 1e-6)
        if near and min(near.values()) > 50:
            expected[node] = min(net.lines_metric[other].distance(end) for other in near)
    found = flaws.undershoots(net, dead, own)
    assert dict(zip(found.node.tolist(), found.value.tolist(), strict=True)) == pytest.approx(
        expected, abs=1e-9
    )


SPEEDS = [("90", "fast", 90), ("70", "", 0), ("10", "", 0), ("5", "slow", 5)]


@pytest.mark.parametrize(("maxspeed", "word", "kmh"), SPEEDS)
def test_speeds_beyond_those_of_their_class_are_odd(maxspeed, word, kmh):
    nodes = {1: (0, 0), 2: (1000, 0), 3: (1000, 500)}
    net = network(nodes, [((1, 2), {"highway": "residential", "maxspeed": maxspeed}), ((2, 3), STREET)])
    fast, slow = flaws.odd_speeds(net)
    found = {"fast": fast, "slow": slow}
    assert {name: ways(net, rows.edge) for name, rows in found.items() if len(rows.edge)} == (
        {word: [1]} if word else {}
    )
    if word:
        assert found[word].value[0] == pytest.approx(kmh, rel=1e-4)


def test_one_odd_direction_is_enough():
    tags = {"highway": "residential", "maxspeed:forward": "30", "maxspeed:backward": "120"}
    fast, slow = flaws.odd_speeds(network({1: (0, 0), 2: (1000, 0)}, [((1, 2), tags)]))
    assert fast.value == pytest.approx([120], rel=1e-4)
    assert len(slow.edge) == 0


def test_time_of_zero_over_a_distance_is_infinitely_fast():
    given_ = Given(np.array([100.0]), np.array([[0, 0]]))
    fast, _ = flaws.odd_speeds(network({1: (0, 0), 2: (100, 0)}, [((1, 2), STREET)], given=given_))
    assert fast.value.tolist() == [np.inf]


@given(st.floats(0.02, 0.5))
def test_rounding_of_short_streets_is_no_odd_speed(length_m):
    net = network(
        {1: (0, 0), 2: (length_m, 0), 3: (100, 0)}, [((1, 2), {**STREET, "maxspeed": "70"}), ((2, 3), STREET)]
    )
    assert [len(rows.edge) for rows in flaws.odd_speeds(net)] == [0, 0]


@pytest.mark.parametrize(("fastest", "highest"), [(5, 8), (12, 8), (20, 45), (40, 45), (41, 100), (130, 100)])
def test_limits_follow_the_fastest_speed_of_the_mode(fastest, highest):
    mode = toy_mode(speed_kmh={"residential": fastest, "service": 3})
    assert flaws.speed_rule(mode)["default"][1] == highest


def test_every_built_in_mode_has_limits_that_its_own_class_speeds_keep():
    from citygeo.modes import mode_names

    for name in mode_names():
        mode = travel_mode(name)
        rule = flaws.speed_rule(mode)
        for highway, kmh in mode.speed_kmh.items():
            if kmh == 0:
                continue  # closed
            low, high = rule.get("classes", {}).get(highway, rule["default"])
            assert low <= min(kmh, mode.top_kmh) <= high, (name, highway, kmh)
