"""Barriers, delays, ferries and given times: what tags and sources say, with the answers by hand."""

from __future__ import annotations

import numpy as np
import pytest

import citygeo as cg
from citygeo.io.streets import Given
from citygeo.network import CLOSED
from tests.toy import ONEWAY, STREET, edge_between, network, points, toy_mode

LINE = {1: (0, 0), 2: (1000, 0), 3: (2000, 0), 4: (1000, 800)}
SIGNAL = {"highway": "traffic_signals"}


def seconds(net, start, stop):
    return cg.travel_times(net, points([start]), points([stop]))["time_s"].iloc[0]


@pytest.mark.filterwarnings("ignore:CG-NET-011")
def test_nothing_passes_a_barrier_and_both_sides_reach_it():
    tags = {2: {"barrier": "block"}}
    mode = cg.travel_mode("drive", top_kmh=36)
    net = network(LINE, [((1, 2, 3), STREET), ((2, 4), STREET)], mode, node_tags=tags)
    # three dead ends at one place
    assert net.n_nodes == 6
    assert (net.arrays["node_id"] == 2).sum() == 3
    assert net.components.max() + 1 == 3
    assert seconds(net, (100, 0), (900, 0)) == pytest.approx(80.0)
    assert seconds(net, (900, 0), (1100, 0)) == np.inf
    area = cg.service_area(net, points([(900, 0)]), minutes=30, direction="from")
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(1.0, rel=1e-6)
    open_mode = cg.travel_mode("walk")
    free = network(LINE, [((1, 2, 3), STREET)], open_mode, node_tags={2: {"barrier": "bollard"}})
    assert seconds(free, (900, 0), (1100, 0)) == pytest.approx(150.0, rel=1e-4)


def test_a_signal_costs_those_who_pass_it():
    mode = toy_mode(node_delay_s={"highway=traffic_signals": 20})
    net = network(LINE, [((1, 2, 3), STREET)], mode, node_tags={2: SIGNAL})
    assert net.n_edges == 2  # kept, so that the delay lies at an end
    assert seconds(net, (500, 0), (1500, 0)) == pytest.approx(120.0)
    assert seconds(net, (500, 0), (900, 0)) == pytest.approx(40.0)
    assert seconds(net, (1100, 0), (1500, 0)) == pytest.approx(40.0)
    # the place just before the signal is reached before it turns green
    area = cg.service_area(net, points([(500, 0)]), minutes=1, direction="from")
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(0.5 + 0.5, abs=1e-6)
    area = cg.service_area(net, points([(500, 0)]), minutes=75 / 60, direction="from")
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(1.0 + 0.05, abs=1e-6)
    area = cg.service_area(net, points([(500, 0)]), minutes=75 / 60, direction="to")
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(1.0 + 0.05, abs=1e-6)


@pytest.mark.parametrize(("heading", "there", "back"), [("forward", 120, 100), ("backward", 100, 120)])
def test_a_signal_for_one_direction(heading, there, back):
    mode = toy_mode(node_delay_s={"highway=traffic_signals": 20})
    tags = {2: {**SIGNAL, "traffic_signals:direction": heading}}
    for nodes in ((1, 2, 3), (3, 2, 1)):
        net = network(LINE, [(nodes, STREET)], mode, node_tags=tags)
        is_drawn = nodes[0] == 1
        assert seconds(net, (500, 0), (1500, 0)) == pytest.approx(there if is_drawn else back)
        assert seconds(net, (1500, 0), (500, 0)) == pytest.approx(back if is_drawn else there)


def test_junctions_cost_by_the_class_of_the_road_one_comes_on():
    mode = toy_mode(junction_s={"residential": 6, "primary": 2})
    ways = [((1, 2, 3), {"highway": "primary", "maxspeed": "36"}), ((2, 4), STREET)]
    net = network(LINE, ways, mode)
    assert seconds(net, (500, 0), (1500, 0)) == pytest.approx(102.0)
    assert seconds(net, (1000, 400), (1500, 0)) == pytest.approx(96.0, abs=1e-3)
    # no junction, no delay
    assert seconds(network(LINE, ways[:1], mode), (500, 0), (1500, 0)) == pytest.approx(100.0)
    # a signal counts instead of its junction
    both = toy_mode(junction_s={"primary": 2}, node_delay_s={"highway=traffic_signals": 20})
    assert seconds(network(LINE, ways, both, node_tags={2: SIGNAL}), (500, 0), (1500, 0)) == pytest.approx(
        120.0
    )


def test_delays_keep_directions_apart():
    # one-way east over a signal: who comes the other way round never meets it
    mode = toy_mode(node_delay_s={"highway=traffic_signals": 20})
    net = network(
        LINE, [((1, 2), ONEWAY), ((2, 3), ONEWAY), ((3, 4, 1), STREET)], mode, node_tags={2: SIGNAL}
    )
    edge = edge_between(net, 1, 2)
    assert net.arrays["edge_leave_ms"][edge].tolist() == [20_000, 0]
    assert net.arrays["edge_against_ms"][edge] == CLOSED
    arcs = net.open_arcs()
    assert arcs.ms[arcs.code == 2 * edge].tolist() == [120_000]
    assert 2 * edge + 1 not in arcs.code


def test_a_ferry_takes_its_duration_and_is_joined_with_nothing():
    mode = cg.travel_mode("drive", top_kmh=36, walk_off_kmh=3.6)
    ferry = {"route": "ferry", "duration": "00:10", "motor_vehicle": "yes"}
    nodes = {1: (0, 0), 2: (1000, 0), 3: (1500, 0), 4: (2000, 0), 5: (3000, 0)}
    net = network(nodes, [((1, 2), STREET), ((2, 3, 4), ferry), ((4, 5), STREET)], mode)
    assert net.n_edges == 3
    assert sorted(net.highway.tolist()) == ["ferry", "residential", "residential"]
    assert seconds(net, (0, 0), (3000, 0)) == pytest.approx(100 + 600 + 100)


def test_given_lengths_and_times_are_kept_to_the_bit():
    tags = {"highway": "residential"}
    given = Given(
        np.array([1234.5678901, np.nan]), np.array([[100_001, -1], [7, 9]]), np.array([[11, 0], [0, 13]])
    )
    net = network(LINE, [((1, 2, 3), tags), ((3, 4), tags)], given=given)
    one, two = edge_between(net, 1, 3), edge_between(net, 3, 4)
    assert net.n_edges == 2  # not joined: each has a speed of its own
    assert net.length_m[one] == 1234.5678901
    assert net.length_m[two] == pytest.approx(np.hypot(1000, 800), rel=1e-3)
    assert net.arrays["edge_along_ms"][[one, two]].tolist() == [100_001, 7]
    assert net.arrays["edge_against_ms"][[one, two]].tolist() == [CLOSED, 9]
    assert net.arrays["edge_leave_ms"][[one, two]].tolist() == [[11, 0], [0, 13]]


def test_given_lengths_alone_leave_the_rules_in_force():
    given = Given(np.array([500.0, 3000.0]))
    net = network(LINE, [((1, 2), STREET), ((2, 3), STREET)], given=given)
    assert net.n_edges == 1
    assert net.length_m.tolist() == [3500.0]
    assert net.arrays["edge_along_ms"].tolist() == [350_000]


def test_given_time_is_shared_where_a_side_street_cuts_the_way():
    given = Given(np.array([2000.0, np.nan]), np.array([[100_001, 3], [5, 5]]))
    net = network(LINE, [((1, 2, 3), {"highway": "x"}), ((2, 4), {"highway": "x"})], given=given)
    one, two = edge_between(net, 1, 2), edge_between(net, 2, 3)
    assert net.arrays["edge_along_ms"][[one, two]].tolist() == [50_000, 50_001]
    assert net.arrays["edge_against_ms"][[one, two]].sum() == 3
