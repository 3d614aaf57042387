"""Earliest times at the nodes of a grid, against trying many places of each road, and against closed forms."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels.nearest import measure
from citygeo._kernels.surface import STOPPED, drawn_extent, earliest_times
from tests import reference

CELL = 10.0
SIZE = 24  # rows and columns round the origin
PLACE = st.tuples(st.integers(-90, 90), st.integers(-90, 90))
SHARES = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).filter(lambda pair: pair[1] - pair[0] > 1e-3)


def locked(values, dtype):
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def scene_of(roads, parts, *, limit=1000.0, slow=10.0, trim=50.0, least=8.0):
    """Arrays for the kernels; a road is (corners, off ground by segment), a part (road, shares, ms, owner)."""
    corner = locked([place for corners, _ in roads for place in corners], float).reshape(-1, 2)
    start = locked(np.cumsum([0, *(len(corners) for corners, _ in roads)]), np.int64)
    along = np.empty(len(corner))
    measure(corner, start, along)
    along.flags.writeable = False
    off = locked([kind for _, off in roads for kind in (*off, 0)], np.uint8)
    edge, share, ms, owner = zip(*parts, strict=True) if parts else ((), (), (), ())
    return SimpleNamespace(
        shapes=(corner, along, start, off),
        reached=(
            locked(edge, np.int64), locked(share, float).reshape(-1, 2), locked(ms, float).reshape(-1, 2),
            locked(owner, np.int32),
        ),
        rules=(limit, slow, trim, least),
    )  # fmt: skip


def draw(scene, *, rows=SIZE, top=SIZE // 2, stop=0, zone=None, node_zone=None):
    if zone is None:
        zone, node_zone = np.zeros(scene.reached[0].size), np.zeros((rows, SIZE))
    ms, owner = np.full((rows, SIZE), np.inf), np.full((rows, SIZE), -1, np.int32)
    flag = np.full(1, stop, np.uint8)
    left = -SIZE // 2
    done = earliest_times(
        *scene.shapes, *scene.reached, locked(zone, np.int32), *scene.rules, CELL, left, top,
        np.array(node_zone, np.int32), flag, ms, owner,
    )  # fmt: skip
    assert done == (STOPPED if stop else 0)
    return ms, owner


def node(row, column):
    return (column - SIZE // 2) * CELL, (SIZE // 2 - row) * CELL


def at(grid, x, y):
    return grid[SIZE // 2 - round(y / CELL), round(x / CELL) + SIZE // 2]


@st.composite
def scenes(draw_: st.DrawFn):
    roads, parts, pieces = [], [], []
    for road in range(draw_(st.integers(1, 3))):
        corners = draw_(st.lists(PLACE, min_size=2, max_size=4, unique=True))
        off = [draw_(st.sampled_from([0, 0, 0, 1, 2, 3])) for _ in corners[1:]]
        shares, ms = draw_(SHARES), sorted(draw_(st.tuples(st.integers(0, 1000), st.integers(0, 1000))))
        ms = ms[:: draw_(st.sampled_from([1, -1]))]
        roads.append((corners, off))
        parts.append((road, shares, ms, draw_(st.integers(0, 2))))
        pieces += reference.pieces_of(corners, off, tuple(shares), tuple(ms))
    rules = {
        "limit": float(draw_(st.integers(max(max(part[2]) for part in parts), 1200))),
        "slow": draw_(st.sampled_from([0.0, 0.5, 3.0, 10.0, 100.0])),
        "trim": draw_(st.sampled_from([8.0, 20.0, 60.0])),
        "least": draw_(st.sampled_from([0.0, 7.5, 8.0])),
    }
    return roads, parts, pieces, rules


@given(scenes())
def test_times_are_the_least_of_many_places(scene):
    roads, parts, pieces, rules = scene
    ms, owner = draw(scene_of(roads, parts, **rules))
    for row in range(0, SIZE, 3):
        for column in range(1, SIZE, 3):
            lower, upper = reference.off_road_bounds(pieces, node(row, column), **rules, n=200)
            told = ms[row, column]
            assert told <= upper + 1e-2 or (upper == np.inf and told == np.inf)
            assert told >= lower - 1e-2
            assert (owner[row, column] >= 0) == np.isfinite(told)


@given(scenes(), st.randoms(use_true_random=False))
def test_order_strips_and_owners_change_nothing(scene, random):
    roads, parts, _, rules = scene
    parts = [*parts, *((road, shares, ms, who + 1) for road, shares, ms, who in parts)]
    ms, owner = draw(scene_of(roads, parts, **rules))
    random.shuffle(parts)
    shuffled = scene_of(roads, parts, **rules)
    upper, lower = draw(shuffled, rows=10), draw(shuffled, rows=SIZE - 10, top=SIZE // 2 - 10)
    np.testing.assert_array_equal(np.vstack((upper[0], lower[0])), ms)
    np.testing.assert_array_equal(np.vstack((upper[1], lower[1])), owner)
    # an owner's own surface is nowhere earlier, and equal where it is the owner
    for who in {part[3] for part in parts}:
        own, _ = draw(scene_of(roads, [part for part in parts if part[3] == who], **rules))
        assert (own >= ms).all()
        assert (own[owner == who] == ms[owner == who]).all()
        assert (owner[own == ms][np.isfinite(own[own == ms])] <= who).all()


@given(scenes())
def test_the_extent_holds_all_and_is_no_wider_than_a_row(scene):
    roads, parts, _, rules = scene
    made = scene_of(roads, parts, **rules)
    ms, _ = draw(made)
    box = np.array([np.inf, np.inf, -np.inf, -np.inf])
    drawn_extent(*made.shapes, *made.reached[:3], *made.rules, box)
    for row, column in zip(*np.nonzero(np.isfinite(ms)), strict=True):
        x, y = node(row, column)
        assert box[0] - 1e-6 <= x <= box[2] + 1e-6
        assert box[1] - 1e-6 <= y <= box[3] + 1e-6
    corners = np.array([place for road in roads for place in road[0]])
    assert (box[:2] >= corners.min(axis=0) - max(rules["trim"], rules["least"]) - 1e-6).all()
    assert (box[2:] <= corners.max(axis=0) + max(rules["trim"], rules["least"]) + 1e-6).all()


# a road from (-100, 0) to (100, 0), 2 ms a metre, from time 100
STRAIGHT = ([((-100, 0), (100, 0))], [0])
PART = (0, (0.0, 1.0), (100.0, 500.0), 0)


def test_beside_a_straight_road_the_wave_leaves_at_an_angle():
    """Sideways by h metres takes h * sqrt(10**2 - 2**2) ms more than straight ahead to the place beside."""
    ms, _ = draw(scene_of([(*STRAIGHT[0], STRAIGHT[1])], [PART]))
    for x, h in ((0, 10), (50, 30), (-50, -40), (100, 20), (0, -40)):
        assert at(ms, x, h) == pytest.approx(300 + 2 * x + abs(h) * np.sqrt(96), abs=1e-3)
    assert at(ms, 40, 0) == 380.0
    assert at(ms, 0, 50) == 300 + 500  # no other place is within 50 m
    # before the start nothing but the start itself is near
    assert at(ms, -120, 0) == pytest.approx(100 + 200)
    assert at(ms, -120, 20) == pytest.approx(100 + 10 * np.hypot(20, 20), abs=1e-3)
    assert at(ms, 0, 60) == np.inf


def test_walks_end_at_the_limit_but_roads_have_a_width():
    scene = scene_of([(*STRAIGHT[0], STRAIGHT[1])], [PART], limit=500.0, least=10.0)
    ms, _ = draw(scene)
    assert at(ms, 60, 0) == 420.0
    assert at(ms, 60, 10) == 420 + 100  # past the limit: no other place is within 10 m
    assert at(ms, 60, 20) == np.inf
    assert at(ms, 110, 0) == pytest.approx(600)
    assert at(ms, -120, 0) == 300
    assert at(ms, 0, 20) == pytest.approx(300 + 20 * np.sqrt(96), abs=1e-3)
    assert at(ms, 0, 30) == np.inf


def test_nobody_walks_off_a_bridge():
    corners = [(-100, 0), (-20, 0), (20, 0), (100, 0)]
    ms, _ = draw(scene_of([(corners, (0, 1, 0))], [PART], least=10.0))
    assert at(ms, 0, 10) == 300 + 100
    # 20 m beside the bridge one comes from its ends, here (-20, 0) at 260 ms
    assert at(ms, 0, 20) == pytest.approx(260 + 10 * np.hypot(20, 20), abs=1e-3)
    assert at(ms, -50, 20) == pytest.approx(200 + 20 * np.sqrt(96), abs=1e-3)


def test_walks_that_take_no_time_are_plain_buffers():
    ms, _ = draw(scene_of([(*STRAIGHT[0], STRAIGHT[1])], [PART], slow=0.0, limit=500.0))
    # the earliest place within 50 m is 40 m back
    assert at(ms, 60, 30) == pytest.approx(300 + 2 * (60 - 40))
    assert at(ms, 100, 40) == pytest.approx(300 + 2 * (100 - 30))
    assert at(ms, 0, 60) == np.inf


def test_an_edge_without_length_is_a_place():
    ms, owner = draw(scene_of([([(0, 0), (0, 0)], (0,))], [(0, (0.0, 1.0), (70.0, 60.0), 4)]))
    assert at(ms, 0, 0) == 60.0
    assert at(ms, 30, 40) == pytest.approx(60 + 500)
    assert at(owner, 30, 40) == 4
    assert np.isfinite(ms).sum() == 81  # nodes within 5 steps


def test_equal_times_go_to_the_lowest_owner():
    roads = [([(-40, -60), (-40, 60)], (0,)), ([(40, -60), (40, 60)], (0,))]
    for first, second in ((0, 1), (1, 0)):
        parts = [(0, (0.0, 1.0), (50.0, 90.0), first), (1, (0.0, 1.0), (50.0, 90.0), second)]
        _, owner = draw(scene_of(roads, parts))
        assert at(owner, -20, 0) == first
        assert at(owner, 20, 0) == second
        assert (owner[:, SIZE // 2][owner[:, SIZE // 2] >= 0] == 0).all()


def test_a_part_reaches_nodes_of_its_own_zone_only():
    roads = [([(-40, -60), (-40, 60)], (0,)), ([(40, -60), (40, 60)], (0,))]
    parts = [(0, (0.0, 1.0), (50.0, 90.0), 0), (1, (0.0, 1.0), (150.0, 190.0), 1)]
    node_zone = np.full((SIZE, SIZE), 3)
    node_zone[:, SIZE // 2 - 1 :] = 5  # from x = -10 on
    node_zone[0] = -1
    ms, owner = draw(scene_of(roads, parts), zone=[3, 5], node_zone=node_zone)
    west, _ = draw(scene_of(roads, parts[:1]))
    east, _ = draw(scene_of(roads, parts[1:]))
    np.testing.assert_array_equal(ms[1:], np.where(node_zone == 3, west, east)[1:])
    np.testing.assert_array_equal(
        owner[1:][np.isfinite(ms[1:])], (node_zone[1:][np.isfinite(ms[1:])] - 3) / 2
    )
    assert not np.isfinite(ms[0]).any()


def test_it_can_be_stopped():
    ms, _ = draw(scene_of([(*STRAIGHT[0], STRAIGHT[1])], [PART]), stop=1)
    assert not np.isfinite(ms).any()
