"""Which nodes of a grid lie in the ground round roads and how far it goes on, against closed forms in plain Python."""

from __future__ import annotations

import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from citygeo._kernels.ink import STEPS, box_of
from tests import reference
from tests.kernels.grids import AT_ONCE, Grid, bodies_of, locked, parts_of, roads_and_parts, scene, shapes_of

NEAR_M = 1e-7  # what rounding may decide
FEW = settings(max_examples=8) if os.environ.get("NUMBA_DISABLE_JIT") else settings()


def plain(cell=10.0, **changes):
    """Rules of one who leaves the road at 0.1 m per millisecond, at most 40 m, before 1000 ms are over."""
    return {"limit": 1000.0, "m_per_ms": 0.1, "trim": 40.0, "least": 10.0, "cell": cell} | changes


# a corner twice, between two bridges: no ground to walk off from
BRIDGES = SimpleNamespace(
    roads=[([(0, 0), (0, 1), (0, 1), (0, 0), (0, 0)], [1, 0, 1, 0])], parts=[(0, (0.0, 1.0), (0, 0))],
    how=plain(cell=5.0),
)  # fmt: skip


@FEW
@given(scene())
@example(BRIDGES)
def test_nodes_are_inside_where_a_reached_place_is_near_enough(made):
    grid = Grid.inked(made)
    bodies, is_in = bodies_of(made), grid.is_in
    for j in range(grid.rows):
        for i in range(grid.columns):
            margin = max(body(grid.place(i, j)) for body in bodies)
            if abs(margin) > NEAR_M:
                assert is_in[j, i] == (margin > 0), (grid.place(i, j), margin)


@FEW
@given(scene())
def test_areas_go_on_as_far_as_they_are_connected_to_a_node(made):
    grid = Grid.inked(made)
    bodies = bodies_of(made)
    for here, there, reach in grid.crossings():
        ends = grid.place(*here), grid.place(*there)
        # spans that barely meet may count as one or as two, and so may those a step apart
        least = reference.off_road_end(bodies, *ends, -1e-8)
        most = reference.off_road_end(bodies, *ends, 1.01 / STEPS)
        if max(body(ends[0]) for body in bodies) < NEAR_M:
            least = 0.0  # by rounding the node itself might be outside
        assert math.floor((least - 1e-6) * STEPS) / STEPS <= reach <= most + 1e-6, (ends, least, reach, most)


@FEW
@given(scene(), st.randoms(use_true_random=False))
def test_the_order_of_parts_does_not_matter(made, random):
    one = Grid.inked(made)
    shuffled = random.sample(made.parts, len(made.parts))
    other = Grid.round(made.roads, made.how).ink(made.roads, shuffled, made.how)
    np.testing.assert_array_equal(other.bits, one.bits)
    assert other.crossings() == one.crossings()


@FEW
@given(scene(), st.data())
def test_several_calls_take_in_what_one_does(made, data):
    n = data.draw(st.integers(0, len(made.parts)))
    whole = Grid.inked(made)
    both = Grid.round(made.roads, made.how)
    both.ink(made.roads, made.parts[:n], made.how).ink(made.roads, made.parts[n:], made.how)
    np.testing.assert_array_equal(both.bits, whole.bits)
    # spans without a node fasten to what is there when they come: later ones are not seen
    told = {(here, there): reach for here, there, reach in both.crossings()}
    assert all(told[here, there] <= reach for here, there, reach in whole.crossings())


@FEW
@given(scene(), st.integers(0, 300), st.sampled_from([0.0, 3.0, 25.0]))
def test_more_time_or_a_longer_way_moves_the_outline_outwards(made, more_ms, more_m):
    wider = made.how | {"limit": made.how["limit"] + more_ms, "trim": made.how["trim"] + more_m}
    small, large = (
        Grid.round(made.roads, wider).ink(made.roads, made.parts, how) for how in (made.how, wider)
    )
    assert not (small.is_in & ~large.is_in).any()
    told = {(here, there): reach for here, there, reach in large.crossings()}
    for here, there, reach in small.crossings():
        if (here, there) in told:
            assert reach <= told[here, there]


@given(roads_and_parts())
def test_the_box_holds_the_corners_of_all_edges_named(made):
    roads, parts = made
    corner, _, start, _ = shapes_of(roads)
    named = [part[0] for part in parts][::2]
    box = np.zeros(4)
    box_of(corner, start, locked(named, np.int64), box)
    corners = np.array([place for road in set(named) for place in roads[road][0]])
    assert box.tolist() == [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]


def test_the_box_of_no_edge_is_infinite():
    corner, _, start, _ = shapes_of([([(0, 0), (1, 1)], [0])])
    box = np.zeros(4)
    box_of(corner, start, parts_of([])[0], box)
    assert box.tolist() == [math.inf, math.inf, -math.inf, -math.inf]


def told(grid, here, there):
    """How far the area goes on from one node towards another, both in cells of the grid's coordinates."""
    by_ends = {(a, b): reach for a, b, reach in grid.crossings()}
    (i, j), (other_i, other_j) = ((x - grid.first[0], y - grid.first[1]) for x, y in (here, there))
    return by_ends[(i, j), (other_i, other_j)]


def rounded(part):
    """A part of a cell as the kernel has it: so many whole steps, whatever rounding does to a whole number of them."""
    return math.floor(part * STEPS + 1e-3) / STEPS


# a road east from (0, 0) to (100, 0)
STRAIGHT = [([(0, 0), (100, 0)], [0])]


@pytest.mark.parametrize(("ms", "width"), [((0, 0), 4.0), ((750, 750), 2.5), ((990, 990), 1.0)])
def test_a_straight_road_by_hand(ms, width):
    """At 0.1 m per ms 250 ms are 25 m, 2.5 cells; never more than 40 m, never less than 10 m."""
    grid = Grid.round(STRAIGHT, plain()).ink(STRAIGHT, [(0, (0.0, 1.0), ms)], plain())
    whole = math.floor(width)
    for i in range(11):
        assert told(grid, (i, whole), (i, whole + 1)) == rounded(width - whole)
        assert told(grid, (i, -whole), (i, -whole - 1)) == rounded(width - whole)
    assert told(grid, (-whole, 0), (-whole - 1, 0)) == rounded(width - whole)


def test_a_tapering_road_by_hand():
    """
    From 600 ms to 1000 ms along 100 m the radius falls from 40 m to 0: the tangent leans inwards by asin(0.4).

    Its distance from the middles is the radius there, so beside x it is (40 - 0.4 x) / cos away from the road.
    """
    grid = Grid.round(STRAIGHT, plain(least=0.0)).ink(
        STRAIGHT, [(0, (0.0, 1.0), (600, 1000))], plain(least=0.0)
    )
    for x in range(0, 100, 10):
        height = (40 - 0.4 * x) / math.sqrt(1 - 0.4**2) / 10
        # left of where the tangent leaves the first circle, the circle counts
        if x < 40 * 0.4:
            height = math.sqrt(40**2 - x**2) / 10
        j = math.floor(height)
        assert told(grid, (x // 10, j), (x // 10, j + 1)) == rounded(height - j)


@pytest.mark.parametrize("is_falling", [True, False])
def test_a_radius_that_bends_twice_by_hand(is_falling):
    """
    The time left is 80 m of walking at one end and 20 m less than none at the other of 200 m, half a metre a metre.

    So the radius is 40 m for 80 m, then falls to 10 m at 140 m, and stays so.
    """
    roads = [([(0, 0), (200, 0)], [0])]
    ms = (200, 1200) if is_falling else (1200, 200)
    grid = Grid.round(roads, plain()).ink(roads, [(0, (0.0, 1.0), ms)], plain())
    for x in range(0, 200, 10):
        if x < 80 + 40 * 0.5:  # until the tangent leaves the circle at the first bend
            height = math.sqrt(40**2 - max(x - 80, 0) ** 2)
        elif x < 140 + 10 * 0.5:
            height = (40 - 0.5 * (x - 80)) / math.sqrt(1 - 0.5**2)
        else:
            height = 10.0
        i, j = (x if is_falling else 200 - x) // 10, math.floor(height / 10 + 1e-9)
        assert told(grid, (i, j), (i, j + 1)) == rounded(height / 10 - j)


def test_a_road_slightly_faster_than_walking_by_hand():
    """Radii of 40 m and 10 m, 31 m apart: at a height of 5 m the tangent is a third of a metre beyond both circles."""
    roads = [([(0, 0), (31, 0)], [0])]
    how = plain(cell=5.0)
    grid = Grid.round(roads, how).ink(roads, [(0, (0.0, 1.0), (600, 900))], how)
    sine = 30 / 31
    x = (40 - 5 * math.sqrt(1 - sine * sine)) / sine
    assert x > max(math.sqrt(40**2 - 5**2), 31 + math.sqrt(10**2 - 5**2)) + 0.3
    assert told(grid, (8, 1), (9, 1)) == rounded(x / 5 - 8)


def test_nobody_walks_off_a_bridge():
    roads = [([(0, 0), (50, 0), (100, 0)], [0, 1])]
    grid = Grid.round(roads, plain()).ink(roads, [(0, (0.0, 1.0), (0, 0))], plain())
    is_in, (left, low) = grid.is_in, grid.first
    assert is_in[4 - low, 5 - left]
    assert not is_in[2 - low, 10 - left]
    assert is_in[1 - low, 10 - left]


@pytest.mark.parametrize("side", [1, -1])
def test_a_span_between_two_nodes_counts_where_it_meets_the_area(side):
    """Of roads that cross the edge between nodes 0 and 1 (or -1), one holds node 0, others only what follows."""
    how = plain(least=3.0, trim=0.0, m_per_ms=AT_ONCE)
    roads = [([(side * x, -20), (side * x, 20)], [0]) for x in (0, 5.9, 6.1)]
    whole = [(road, (0.0, 1.0), (0, 0)) for road in range(3)]
    for named, end in (([0, 1], 0.89), ([0, 2], 0.3), ([2, 1, 0], 0.91)):
        grid = Grid.round(roads, how).ink(roads, [whole[road] for road in named], how, room=0)
        assert told(grid, (0, 0), (side, 0)) == rounded(end)


@pytest.mark.parametrize("shift", [0, 60, 64, 4090])
def test_a_disc_is_the_same_wherever_its_words_and_blocks_begin(shift):
    roads = [([(10 * shift, 10 * shift)] * 2, [0])]
    grid = Grid(140, 140, 10.0, shift - 70, shift - 70)
    grid.ink(roads, [(0, (0.0, 1.0), (0, 0))], plain(trim=600.0, m_per_ms=AT_ONCE))
    j, i = np.nonzero(grid.is_in)
    x, y = np.meshgrid(np.arange(140) - 70, np.arange(140) - 70)
    np.testing.assert_array_equal(np.column_stack((j, i)), np.argwhere(x * x + y * y <= 60 * 60))
