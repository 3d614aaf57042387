"""Turn restrictions from ways and nodes, with the answers by hand."""

from __future__ import annotations

import pytest

import citygeo as cg
from citygeo.errors import CitygeoWarning
from citygeo.io.streets import Restriction
from tests.toy import ONEWAY, STREET, network, points, toy_mode

CAR = toy_mode(vehicles=("vehicle", "motor_vehicle", "motorcar"))
# a cross in the middle of a square of 1 km blocks:
#   7 - 8 - 9
#   4 - 5 - 6
#   1 - 2 - 3
NODES = {3 * row + col + 1: (1000.0 * col, 1000.0 * row) for row in range(3) for col in range(3)}
WAYS = {
    12: (1, 2), 23: (2, 3), 45: (4, 5), 56: (5, 6), 78: (7, 8), 89: (8, 9),
    14: (1, 4), 47: (4, 7), 25: (2, 5), 58: (5, 8), 36: (3, 6), 69: (6, 9),
}  # fmt: skip
NAMES = list(WAYS)


def way(name):
    """Way ids count from 1 in the order drawn."""
    return NAMES.index(name) + 1


def rule(kind, start, via, stop, **more):
    nodes = via if isinstance(via, int) else None
    ways = () if nodes else tuple(way(name) for name in via)
    return Restriction(99, kind, (way(start),), nodes, ways, (way(stop),), **more)


def seconds(*rules, mode=CAR, start=(1000, 500), stop=(500, 1000), ways=WAYS):
    """Driving time from the middle of 2-5 to the middle of 4-5, straight 50 + 50 s."""
    net = network(NODES, [(nodes, STREET) for nodes in ways.values()], mode, restrictions=rules)
    return cg.travel_times(net, points([start]), points([stop]))["time_s"].iloc[0]


def test_without_rules_the_left_turn_is_taken():
    assert seconds() == pytest.approx(100.0)


def test_no_left_turn_goes_round_the_block():
    # the quickest of: straight on to 8, back by way of 7 and 4: 50 + 100 + 100 + 100 + 50; or back to 2,
    # by 1 to 4: 50 + 100 + 100 + 50; or on to 8, turn there: 50 + 100 + 100 (turned in the street) + 50
    assert seconds(rule("no_left_turn", 25, 5, 45)) == pytest.approx(300.0)


def test_a_rule_holds_in_its_direction_only():
    assert seconds(rule("no_right_turn", 45, 5, 25)) == pytest.approx(100.0)
    turned = seconds(rule("no_right_turn", 45, 5, 25), start=(500, 1000), stop=(1000, 500))
    assert turned == pytest.approx(300.0)


def test_only_straight_on_leaves_nothing_else():
    assert seconds(rule("only_straight_on", 25, 5, 58)) == pytest.approx(300.0)
    # to the other side it is the same, and straight on is not hindered
    assert seconds(rule("only_straight_on", 25, 5, 58), stop=(1500, 1000)) == pytest.approx(300.0)
    assert seconds(rule("only_straight_on", 25, 5, 58), stop=(1000, 1500)) == pytest.approx(100.0)


def test_no_u_turn():
    # one-way down to 2, and back from there by another one-way street: a sharp turn at 2, or once round the block
    nodes = {1: (0, 0), 2: (1000, 0), 3: (1000, 900), 4: (2000, 0), 5: (2000, 900), 6: (0, 50)}
    block = [((2, 3), ONEWAY), ((3, 5), ONEWAY), ((5, 4), ONEWAY), ((4, 2), ONEWAY)]
    ways = [((1, 2), ONEWAY), ((2, 6), ONEWAY), *block]
    turn = Restriction(1, "no_u_turn", (1,), 2, (), (2,))
    times = []
    for rules in ([], [turn]):
        net = network(nodes, ways, CAR, restrictions=rules)
        times.append(cg.travel_times(net, points([(400, 0)]), points([(400, 30)]))["time_s"].iloc[0])
    assert times == pytest.approx([60 + 60, 60 + 90 + 100 + 90 + 100 + 60], rel=2e-3)


def test_over_a_via_way_only_the_whole_path_is_forbidden():
    # 2 -> 5 -> 8 -> 7 is forbidden, 5 -> 8 -> 7 is not
    via = rule("no_u_turn", 25, [58], 78)
    start, stop = (1000, 500), (500, 2000)
    assert seconds(start=start, stop=stop) == pytest.approx(200.0)
    # as quick: by 4 and 7: 50 + 100 + 100 + 50
    assert seconds(via, start=start, stop=stop) == pytest.approx(300.0)
    assert seconds(via, start=(1000, 1200), stop=stop) == pytest.approx(80 + 50)
    assert seconds(via, start=start, stop=(1500, 2000)) == pytest.approx(200.0)
    # nor does it hold for who comes to 5 another way
    assert seconds(via, start=(1500, 1000), stop=stop) == pytest.approx(200.0)


def test_over_a_via_way_of_two_edges_with_a_crossing_between():
    # ways 25 and 58 as one way through 5: from 12 over it to 78
    ways = {name: nodes for name, nodes in WAYS.items() if name not in (25, 58)} | {258: (2, 5, 8)}
    names = list(ways)
    turn = Restriction(
        5, "no_right_turn", (names.index(12) + 1,), None, (names.index(258) + 1,), (names.index(89) + 1,)
    )
    net = network(NODES, [(nodes, STREET) for nodes in ways.values()], CAR, restrictions=[turn])
    free = network(NODES, [(nodes, STREET) for nodes in ways.values()], CAR)
    start, stop = points([(900, 0)]), points([(1100, 2000)])
    assert cg.travel_times(free, start, stop)["time_s"].iloc[0] == pytest.approx(220.0)
    # by the side street 5 - 6 - 9: 10 + 100 + 100 + 100 + 90
    assert cg.travel_times(net, start, stop)["time_s"].iloc[0] == pytest.approx(400.0)


@pytest.mark.parametrize(
    ("more", "mode", "bound"),
    [
        ({}, CAR, True),
        ({"exempt": ("psv",)}, CAR, True),
        ({"exempt": ("motorcar",)}, CAR, False),
        ({"exempt": ("psv", "bicycle")}, toy_mode(vehicles=("vehicle", "bicycle")), False),
        ({"vehicle": "hgv"}, CAR, False),
        ({"vehicle": "motorcar"}, CAR, True),
        ({}, toy_mode(vehicles=()), False),
    ],
)
def test_whom_a_rule_binds(more, mode, bound):
    time = seconds(rule("no_left_turn", 25, 5, 45, **more), mode=mode)
    assert time == pytest.approx(300.0 if bound else 100.0)


def test_reach_is_cut_by_a_rule():
    turn = rule("no_left_turn", 25, 5, 45)
    nets = [
        network(NODES, [(nodes, STREET) for nodes in WAYS.values()], CAR, restrictions=rules)
        for rules in ([], [turn])
    ]
    free, bound = (
        cg.service_area(net, points([(1000, 500)]), minutes=80 / 60, direction="from")
        .dissolved["reached_km"]
        .iloc[0]
        for net in nets
    )
    # 80 s: 0.5 km up and down the street, then 0.3 km into each of three and of two arms
    assert free == pytest.approx(1.0 + 3 * 0.3 + 2 * 0.3, rel=1e-6)
    assert bound == pytest.approx(1.0 + 2 * 0.3 + 2 * 0.3, rel=1e-6)


def test_a_way_that_runs_through_the_via_node_is_not_guessed_at():
    ways = [((4, 5, 6), STREET), ((2, 5), STREET)]
    through = Restriction(7, "no_left_turn", (2,), 5, (), (1,))
    with pytest.warns(CitygeoWarning, match="CG-NET-051.*7"):
        net = network(NODES, ways, CAR, restrictions=[through], announce=True)
    assert net.n_states == net.n_nodes
    assert net.log.table()["code"].tolist() == ["CG-NET-051"]


def test_rules_on_absent_ways_forbid_nothing():
    absent = Restriction(8, "only_left_turn", (way(25),), 5, (), (1234,))
    net = network(NODES, [(nodes, STREET) for nodes in WAYS.values()], CAR, restrictions=[absent])
    assert net.n_states == net.n_nodes
    assert net.log.table()[["code", "count"]].to_numpy().tolist() == [["CG-NET-052", 1]]


def test_turns_cost_what_the_mode_says():
    mode = toy_mode(vehicles=("vehicle",), left_turn_s=15, right_turn_s=5, u_turn_s=40)
    assert seconds(mode=mode) == pytest.approx(115.0)
    assert seconds(mode=mode, stop=(1500, 1000)) == pytest.approx(105.0)
    assert seconds(mode=mode, stop=(1000, 1500)) == pytest.approx(100.0)
    # a left turn that is dear enough is not taken: by 6, 3, 2 and 1 round the block without turning left... or straight
    # on to 8 and round by 7 and 4, which turns left thrice: the cheapest is back to 2 and right, by 1, to 4 and right
    dear = toy_mode(left_turn_s=1000)
    assert seconds(mode=dear) == pytest.approx(300.0)
    # what is forbidden stays so at any price
    assert seconds(rule("no_left_turn", 25, 5, 45), mode=mode) > 115.0


def test_a_bend_is_no_turn_wherever_contraction_cuts_it():
    mode = toy_mode(left_turn_s=15, right_turn_s=15)
    nodes = {1: (0, 0), 2: (1000, 0), 3: (1000, 1000), 4: (1000.0005, 0)}
    start, stop = points([(500, 0)]), points([(1000, 500)])
    for ways in (
        [((1, 2, 3), STREET)],
        [((1, 2), STREET), ((2, 3), {"highway": "primary", "maxspeed": "36"})],
        [((1, 4, 2, 3), STREET)],
    ):
        net = network(nodes, ways, mode)
        assert cg.travel_times(net, start, stop)["time_s"].iloc[0] == pytest.approx(100.0)


def test_a_jog_in_the_drawing_hides_no_turn():
    mode = toy_mode(left_turn_s=15)
    nodes = {1: (0, 0), 2: (1000, 0), 3: (1000, 1000), 4: (2000, 0), 5: (1000.0005, 0)}
    for corner in ((2, 3), (2, 5, 3)):
        net = network(nodes, [((1, 2), STREET), (corner, STREET), ((2, 4), STREET)], mode)
        times = cg.travel_times(net, points([(500, 0)]), points([(1000, 500)]))
        assert times["time_s"].iloc[0] == pytest.approx(115.0)
