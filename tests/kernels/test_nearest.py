"""Nearest roads against plain loops over every segment, with sides and headings by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels.nearest import LEFT, ON, RIGHT, STOPPED, measure, nearest_places, runs_within, stand
from citygeo.network.boxtree import tree_of

GO = np.zeros(1, np.uint8)
BOTH, ALONG, AGAINST, CLOSED = 3, 1, 2, 0

number = st.integers(-6, 6)
spot = st.tuples(number, number)
line = st.lists(spot, min_size=2, max_size=12)
lines = st.lists(line, min_size=1, max_size=12)


def tree_from(shapes):
    """Box tree of lines, each a list of (x, y)."""
    corner = np.array([xy for shape in shapes for xy in shape], np.float64)
    return tree_of(corner, np.cumsum([0, *(len(shape) for shape in shapes)]).astype(np.int64))


def nearest(shapes, points, *, ways=None, heading=np.nan, tolerance=45.0, side=ON, order=None, stop=GO):
    """Edge, share, distance, place and side of each point."""
    k = len(points)
    edge, place, code = np.empty(k, np.int64), np.empty((k, 4)), np.empty(k, np.uint8)
    with np.errstate(over="ignore", invalid="ignore"):  # plain Python warns, compiled code does not
        status = nearest_places(
            *tree_from(shapes),
            np.array([BOTH] * len(shapes) if ways is None else ways, np.uint8),
            np.array(points, np.float64).reshape(-1, 2),
            np.arange(k) if order is None else np.array(order, np.int64),
            np.full(k, heading, np.float64),
            tolerance,
            side,
            stop,
            edge,
            place,
            code,
        )
    return status, edge, place, code


def squared_gap(a, b, p):
    """Squared distance from a point to a segment, in fractions."""
    (ax, ay), (bx, by), (px, py) = (tuple(map(Fraction, xy)) for xy in (a, b, p))
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    t = 0 if length == 0 else min(max(((px - ax) * dx + (py - ay) * dy) / length, 0), 1)
    return (ax + t * dx - px) ** 2 + (ay + t * dy - py) ** 2, t


def oracle(shapes, p, suits=lambda *_: True):
    """Edge, metres along it, and distance of the lowest of the nearest segments that suit, by looking at all."""
    found = []
    for edge, shape in enumerate(shapes):
        before = 0.0
        for a, b in pairwise(shape):
            squared, t = squared_gap(a, b, p)
            if suits(edge, a, b):
                micrometres = round(math.sqrt(squared) * 10**6)
                found.append((micrometres, edge, before + float(t) * math.dist(a, b)))
            before += math.dist(a, b)
    return min(found, key=lambda row: row[0], default=None)  # the first of the least


@given(lines, st.lists(spot, min_size=1, max_size=4), st.data())
def test_no_open_road_is_nearer_and_none_before_it_as_near(shapes, points, data):
    ways = data.draw(
        st.lists(st.sampled_from([BOTH, ALONG, AGAINST, CLOSED]), min_size=len(shapes), max_size=len(shapes))
    )
    status, edge, place, _ = nearest(shapes, points, ways=ways)
    assert status == 0
    for i, point in enumerate(points):
        best = oracle(shapes, point, lambda own, *_: ways[own] != CLOSED)
        if best is None:
            assert edge[i] == -1
            assert np.isnan(place[i]).all()
            continue
        length = sum(math.dist(a, b) for a, b in pairwise(shapes[best[1]]))
        assert edge[i] == best[1]
        assert place[i, 1] == pytest.approx(best[0] / 1e6, abs=1e-6)
        assert place[i, 0] * length == pytest.approx(best[2], abs=1e-6)
        assert 0.0 <= place[i, 0] <= 1.0
        assert math.dist(place[i, 2:], point) == pytest.approx(best[0] / 1e6, abs=1e-6)


@given(lines, st.lists(spot, min_size=1, max_size=6), st.data())
def test_the_answer_does_not_depend_on_the_order(shapes, points, data):
    order = data.draw(st.permutations(range(len(points))))
    for one, two in zip(nearest(shapes, points)[1:], nearest(shapes, points, order=order)[1:], strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_tree_of_several_levels_of_long_lines():
    """200 lines of 20 segments each: runs of eight, and boxes of boxes of boxes."""
    rng = np.random.default_rng(3)
    shapes = [np.cumsum(rng.normal(0, 3, (21, 2)), axis=0) + rng.uniform(0, 300, 2) for _ in range(200)]
    points = rng.uniform(-50, 350, (12, 2))
    _, edge, place, _ = nearest(shapes, points)
    assert len(tree_from(shapes).level) >= 4
    for i, point in enumerate(points):
        gap = [min(float(squared_gap(a, b, point)[0]) for a, b in pairwise(s)) for s in shapes]
        assert edge[i] == int(np.argmin(gap))
        assert place[i, 1] == pytest.approx(math.sqrt(min(gap)), abs=1e-9)


def test_no_place_without_numbers_and_none_beyond_all_numbers():
    shapes = [[(0, 0), (10, 0)]]
    points = [(np.nan, 0), (np.inf, 0), (0, -np.inf), (1e200, 0), (1, 2)]
    _, edge, place, _ = nearest(shapes, points)
    assert edge.tolist() == [-1, -1, -1, -1, 0]
    assert place[4].tolist() == [0.1, 2.0, 1.0, 0.0]
    assert np.isnan(place[:4]).all()


def test_roads_that_no_projection_can_take_are_passed_over():
    _, edge, _, _ = nearest([[(0, 0), (np.inf, np.inf)], [(50, 0), (60, 0)]], [(0, 0)])
    assert edge.tolist() == [1]


def test_a_search_ends_when_told():
    status, *_ = nearest([[(0, 0), (1, 0)]], [(0, 0)], stop=np.ones(1, np.uint8))
    assert status == STOPPED


segment = st.tuples(spot, spot)


@given(
    st.lists(segment, min_size=1, max_size=6),
    spot,
    st.integers(0, 359),
    st.sampled_from([ON, LEFT, RIGHT]),
    st.data(),
)
def test_heading_and_side_against_all_segments(shapes, point, heading, side, data):
    ways = data.draw(
        st.lists(st.sampled_from([BOTH, ALONG, AGAINST]), min_size=len(shapes), max_size=len(shapes))
    )
    tolerance = data.draw(
        st.sampled_from([10.5, 45.5, 90.5, 180.0])
    )  # no bearing of the lattice is just at the limit

    def suits(edge, a, b):
        if a == b:
            return False
        dx, dy = b[0] - a[0], b[1] - a[1]
        across = (dx * (point[1] - a[1]) - dy * (point[0] - a[0])) / math.hypot(dx, dy)
        for way, turn in ((ALONG, 0), (AGAINST, 180)):
            bearing = math.degrees(math.atan2(dx, dy)) + turn
            away = abs((heading - bearing + 180) % 360 - 180)
            to_left = across if way == ALONG else -across
            is_there = side == ON or abs(across) <= 0.01 or (to_left > 0) == (side == LEFT)
            if ways[edge] & way and away <= tolerance and is_there:
                return True
        return False

    best = oracle(shapes, point, suits)
    _, edge, place, _ = nearest(shapes, [point], ways=ways, heading=heading, tolerance=tolerance, side=side)
    assert edge[0] == (-1 if best is None else best[1])
    if best is not None:
        assert place[0, 1] == pytest.approx(best[0] / 1e6, abs=1e-6)


NORTH = [(0, 0), (0, 100)]


@pytest.mark.parametrize(
    ("way", "heading", "is_found"),
    [
        (ALONG, 0, True), (ALONG, 45, True), (ALONG, 46, False), (ALONG, 315, True), (ALONG, -45, True),
        (ALONG, 180, False), (AGAINST, 180, True), (AGAINST, 0, False), (BOTH, 180, True), (BOTH, 90, False),
        (BOTH, np.nan, True), (CLOSED, 0, False),
    ],
)  # fmt: skip
def test_a_road_must_be_open_in_the_direction_of_travel(way, heading, is_found):
    _, edge, _, _ = nearest([NORTH], [(5, 50)], ways=[way], heading=heading)
    assert (edge[0] == 0) == is_found


@pytest.mark.parametrize(
    ("way", "side", "x", "is_found"),
    [
        (ALONG, RIGHT, 5, True), (ALONG, RIGHT, -5, False), (ALONG, LEFT, -5, True), (ALONG, LEFT, 5, False),
        (AGAINST, RIGHT, -5, True), (AGAINST, RIGHT, 5, False), (AGAINST, LEFT, 5, True),
        (BOTH, RIGHT, -5, True), (BOTH, LEFT, -5, True), (ALONG, RIGHT, 0, True), (ALONG, LEFT, 0.005, True),
    ],
)  # fmt: skip
def test_a_point_must_lie_on_that_side_of_an_open_direction(way, side, x, is_found):
    _, edge, _, _ = nearest([NORTH], [(x, 50)], ways=[way], side=side)
    assert (edge[0] == 0) == is_found


def test_heading_and_side_hold_for_one_and_the_same_direction():
    """Northbound one has the point to the right, southbound to the left: both are open, but only one is asked for."""
    _, edge, _, _ = nearest([NORTH], [(5, 50)], heading=0, side=RIGHT)
    _, other, _, _ = nearest([NORTH], [(5, 50)], heading=180, side=RIGHT)
    assert (edge[0], other[0]) == (0, -1)


def side_of(shape, point):
    return int(nearest([shape], [point])[3][0])


def test_sides_of_a_straight_road():
    road = [(0, 0), (10, 0), (20, 0)]
    assert [side_of(road, p) for p in ((5, 3), (5, -3), (10, 3), (10, -3))] == [LEFT, RIGHT, LEFT, RIGHT]
    assert [side_of(road, p) for p in ((5, 0), (5, 0.009), (5, 0.011), (30, 0), (-9, 0))] == [
        ON,
        ON,
        LEFT,
        ON,
        ON,
    ]
    assert [side_of(road, p) for p in ((-3, 1), (-3, -1), (23, 1), (23, -1))] == [LEFT, RIGHT, LEFT, RIGHT]


def test_outside_a_bend_is_the_side_away_from_the_turn():
    left_turn, right_turn = [(0, 0), (10, 0), (10, 10)], [(0, 0), (10, 0), (10, -10)]
    assert (side_of(left_turn, (12, -2)), side_of(right_turn, (12, 2))) == (RIGHT, LEFT)
    assert (side_of(left_turn, (8, 2)), side_of(right_turn, (8, -2))) == (LEFT, RIGHT)
    assert side_of(left_turn, (10.005, -0.005)) == ON


def test_outside_a_hairpin_both_arms_have_the_point_on_the_same_side():
    """
    The road runs east, turns back to the left, and the point is beyond the tip, north of the first arm.

    Of the first arm alone it would be to the left.
    """
    hairpin = [(0, 0), (10, 0), (0, 1)]
    assert side_of(hairpin, (12, 0.5)) == RIGHT
    assert side_of(hairpin[::-1], (12, 0.5)) == LEFT
    assert side_of([(0, 0), (10, 0), (0, 0)], (12, 1)) == LEFT  # straight back: the first arm is asked


def test_repeated_corners_have_no_side_of_their_own():
    doubled = [(0, 0), (0, 0), (10, 0), (10, 0), (10, 0), (10, 10), (10, 10)]
    assert [side_of(doubled, p) for p in ((5, 1), (12, -2), (-2, 1), (9, 12), (11, 12))] == [
        LEFT, RIGHT, LEFT, LEFT, RIGHT,
    ]  # fmt: skip
    assert side_of([(3, 3), (3, 3)], (5, 5)) == ON
    _, edge, place, _ = nearest([[(3, 3), (3, 3)]], [(3, 7)])
    assert (edge[0], place[0].tolist()) == (0, [0.0, 4.0, 3.0, 3.0])
    assert nearest([[(3, 3), (3, 3)]], [(3, 7)], heading=0)[1][0] == -1


def test_metres_along_each_edge_begin_anew():
    shapes = [[(0, 0), (3, 4), (3, 4), (3, 10)], [(7, 7), (7, 7)], [(0, 0), (0, 2)]]
    tree = tree_from(shapes)
    along = np.empty(len(tree.corner))
    measure(tree.corner, tree.shape_start, along)
    assert along.tolist() == [0, 5, 5, 11, 0, 0, 0, 2]


def test_places_of_shares_and_the_side_of_what_they_are_nearest_to():
    shapes = [[(0, 0), (10, 0), (10, 10)], [(5, 5), (5, 5)]]
    tree = tree_from(shapes)
    edge = np.array([0, 0, 0, 0, 0, 1], np.int64)
    share = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 0.5])
    seen = np.array([(0, 1), (5, -1), (12, -2), (9, 5), (10, 10), (6, 6)], np.float64)
    xy, side = np.empty((6, 2)), np.empty(6, np.uint8)
    stand(tree.corner, tree.along, tree.shape_start, edge, share, seen, xy, side)
    assert xy.tolist() == [[0, 0], [5, 0], [10, 0], [10, 5], [10, 10], [5, 5]]
    assert side.tolist() == [LEFT, RIGHT, RIGHT, LEFT, ON, ON]


@pytest.mark.parametrize("off", [-1e-9, 0.0, 1e-9])
def test_a_share_that_is_rounded_is_still_the_tip_of_the_hairpin(off):
    tree = tree_from([[(0, 0), (10, 0), (0, 1)]])
    share = np.array([10 / (10 + math.hypot(10, 1)) + off])
    for seen in ((12, 0.5), (12, -0.5)):
        side = np.empty(1, np.uint8)
        stand(
            tree.corner, tree.along, tree.shape_start, np.zeros(1, np.int64), share, np.array([seen]),
            np.empty((1, 2)), side,
        )  # fmt: skip
        assert side[0] == RIGHT


@given(lines, spot, spot, st.integers(0, 5))
def test_runs_within_a_distance_of_a_box(shapes, a, b, distance):
    (west, east), (south, north) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    tree = tree_from(shapes)
    found = np.empty(tree.run_first.size, np.int64)
    n = runs_within(tree.box, tree.level, west, south, east, north, float(distance), found)
    expected = []
    for run, (first, edge) in enumerate(zip(tree.run_first, tree.run_edge, strict=True)):
        last = min(first + 8, tree.shape_start[edge + 1] - 1)
        x, y = tree.corner[first : last + 1].T
        gap = math.hypot(max(x.min() - east, west - x.max(), 0), max(y.min() - north, south - y.max(), 0))
        expected += [run] if gap <= distance else []
    assert sorted(found[:n].tolist()) == expected
