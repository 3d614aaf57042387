"""Depth and order of arrival along edges, against the arrangement of all lines in fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from citygeo._kernels import depth
from citygeo.edgeparts import GAP
from tests import reference
from tests.kernels.graphs import IS_PLAIN, MANY

SLACK_MS = 3e-6  # equal times and rounding
THIN = 1e-9  # stretches narrower than this are not looked at
HALF, THIRD = 0.5, 1 / 3


class Stretch(NamedTuple):
    """What the kernel says of a stretch."""

    edge: int
    low: float
    high: float
    depth: int
    owners: list[int]
    ms: list[list[float]]


def cut(parts, k, room=None):
    """Number of stretches, and those written, of parts (edge, owner, low, high, low ms, high ms)."""
    listed = sorted(parts, key=lambda part: part[:2])
    table = np.array(listed, np.float64).reshape(-1, 6)
    edge, owner = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    share, ms = table[:, 2:4].copy(), table[:, 4:].copy()
    room = 100 + 20 * len(listed) * k if room is None else room
    out = (
        np.empty(room, np.int64), np.empty((room, 2)), np.empty(room, np.int64),
        np.empty((room, k), np.int64), np.empty((room, k, 2)),
    )  # fmt: skip
    n = depth.arrivals(edge, share, ms, owner, GAP, k, *out)
    rows = zip(*(array[:n].tolist() for array in out), strict=True)
    return n, [Stretch(edge, *share, depth, owners, ms) for edge, share, depth, owners, ms in rows]


def expect_arrivals(parts, k):
    """Between any two places where something could change the kernel tells what the oracle does."""
    n, found = cut(parts, k)
    assert n == len(found)
    assert [row[:3] for row in found] == sorted(row[:3] for row in found)
    for edge in {part[0] for part in parts}:
        lines = [part[1:] for part in parts if part[0] == edge]
        told = [row for row in found if row.edge == edge]
        for one, other in pairwise(told):
            assert one.high <= other.low
            expect_difference(one, other, [owner for owner, *_ in lines])
        for low, high in pairwise(reference.changes_of_order(lines)):
            if high - low > THIN:
                middle = (low + high) / 2
                here = [row for row in told if row.low < middle < row.high]
                expect_same(here, reference.arrivals_at(lines, middle), middle, k)
    assert {row.edge for row in found} <= {part[0] for part in parts}


def expect_same(here, truth, x, k):
    """The stretch at a place has the oracle's depth, owners and times."""
    if not truth:
        assert here == []
        return
    (row,) = here
    assert row.depth == len(truth)
    n = min(k, len(truth))
    assert row.owners[n:] == [-1] * (k - n)
    assert np.isnan(row.ms[n:]).all()
    part = (float(x) - row.low) / (row.high - row.low)
    times = [low + part * (high - low) for low, high in row.ms[:n]]
    assert times == pytest.approx([float(time) for time, _ in truth[:n]], abs=SLACK_MS)
    assert len(set(row.owners[:n])) == n
    exact = {owner: time for time, owner in truth}
    assert times == pytest.approx([float(exact[owner]) for owner in row.owners[:n]], abs=SLACK_MS)
    if all(b == a or b - a > SLACK_MS for (a, _), (b, _) in pairwise(truth[: n + 1])):
        assert row.owners[:n] == [owner for _, owner in truth[:n]]


def expect_difference(one, other, owners):
    """Neighbours that say the same are one stretch, unless two parts of an owner meet in line."""
    if one.high == other.low and (one.depth, one.owners) == (other.depth, other.owners):
        first = [owner for owner in one.owners if owner >= 0]
        assert any(owners.count(owner) > 1 for owner in first)


# eighths and small whole times make many ties, meetings and crossings in one place
eighths = st.integers(0, 8).map(lambda n: n / 8)
shares = st.one_of(eighths, st.floats(0.0, 1.0))
times = st.one_of(st.integers(0, 4), st.integers(0, 100_000), st.floats(0.0, 1000.0)).map(float)
plain_parts = st.tuples(
    st.integers(0, 2), st.integers(0, 5), st.tuples(shares, shares).map(sorted), times, times
).map(lambda part: (part[0], part[1], *part[2], *part[3:]))


@st.composite
def tents(draw):
    """One owner's two parts of an edge, which meet at the apex, with the slopes of a street."""
    edge, owner = draw(st.integers(0, 2)), draw(st.integers(0, 5))
    apex, first, last = draw(shares), draw(st.integers(0, 8)), draw(st.integers(1, 9))
    top = first + apex * last
    return [
        (edge, owner, 0.0, apex, float(first), top),
        (edge, owner, apex, 1.0, top, top - (1.0 - apex) * last),
    ]


scenes = st.lists(st.one_of(plain_parts.map(lambda part: [part]), tents()), max_size=9).map(
    lambda groups: [part for group in groups for part in group]
)


@MANY
@given(scenes, st.integers(1, 4))
@example([], 1)
@example([(0, 0, 0.25, 0.25, 1.0, 1.0)], 1)
@example([(0, 0, 0.25, 0.25, 1.0, 9.0), (0, 1, 0.0, 1.0, 5.0, 5.0)], 2)
def test_arrivals_equal_reference(parts, k):
    expect_arrivals(parts, k)


@given(scenes, st.integers(1, 3), st.integers(0, 5))
def test_too_little_room_tells_how_much_is_needed(parts, k, room):
    n, found = cut(parts, k)
    told, written = cut(parts, k, room)
    assert told == n
    assert str(written) == str(found[:room])  # NaN equals NaN


@given(scenes, st.integers(1, 3))
def test_fewer_ranks_are_the_first_of_more(parts, k):
    """Whoever is first does not depend on how many are asked for."""
    few, more = cut(parts, k)[1], cut(parts, k + 1)[1]
    for row in more:
        x = (row.low + row.high) / 2
        if row.high - row.low > THIN:
            (same,) = [one for one in few if one.edge == row.edge and one.low <= x <= one.high]
            assert same.owners == row.owners[:k]


def test_two_facilities_from_both_ends_by_hand():
    # 100 ms long, from both ends at once, each 80 ms far
    parts = [(7, 0, 0.0, 0.8, 0.0, 80.0), (7, 1, 0.2, 1.0, 80.0, 0.0)]
    assert [row[:5] for row in cut(parts, 2)[1]] == [
        (7, 0.0, 0.2, 1, [0, -1]),
        (7, 0.2, 0.5, 2, [0, 1]),
        (7, 0.5, 0.8, 2, [1, 0]),
        (7, 0.8, 1.0, 1, [1, -1]),
    ]
    assert cut(parts, 2)[1][1].ms == [[0.0 + 20.0, 50.0], [80.0, 50.0]]


def test_equal_times_go_to_the_smaller_owner():
    parts = [(0, 5, 0.0, 1.0, 10.0, 30.0), (0, 2, 0.0, 1.0, 10.0, 30.0), (0, 9, 0.0, 1.0, 10.0, 30.0)]
    ((_, low, high, deep, owners, ms),) = cut(parts, 2)[1]
    assert (low, high, deep, owners) == (0.0, 1.0, 3, [2, 5])
    assert ms == [[10.0, 30.0], [10.0, 30.0]]


def test_equal_times_of_parts_with_other_ends_are_equal():
    """The slopes of the same street differ by rounding where parts end elsewhere; that is no crossing."""
    for along in range(1001, 1101):
        long, short = 0.7 * along, THIRD * along
        parts = [(0, 1, 0.0, THIRD, 7.0, 7.0 + short), (0, 0, 0.0, 0.7, 7.0, 7.0 + long)]
        assert [row[1:5] for row in cut(parts, 2)[1]] == [
            (0.0, THIRD, 2, [0, 1]),
            (THIRD, 0.7, 1, [0, -1]),
        ]


def test_two_parts_of_one_facility_count_once():
    tent = [(0, 4, 0.0, HALF, 0.0, 50.0), (0, 4, HALF, 1.0, 50.0, 0.0)]
    assert [row[1:5] for row in cut(tent, 1)[1]] == [(0.0, HALF, 1, [4]), (HALF, 1.0, 1, [4])]
    crossed = [(0, 4, 0.0, 1.0, 0.0, 100.0), (0, 4, 0.0, 1.0, 100.0, 0.0)]
    found = cut(crossed, 2)[1]
    assert [row[1:5] for row in found] == [(0.0, HALF, 1, [4, -1]), (HALF, 1.0, 1, [4, -1])]
    assert [row.ms[0] for row in found] == [[0.0, 50.0], [50.0, 0.0]]
    found = cut([*crossed, (0, 7, 0.0, 1.0, 500.0, 500.0)], 2)[1]
    assert [row[1:5] for row in found] == [(0.0, HALF, 2, [4, 7]), (HALF, 1.0, 2, [4, 7])]
    assert [row.ms[0] for row in found] == [[0.0, 50.0], [50.0, 0.0]]


def test_rounding_at_an_apex_leaves_no_hole_and_no_sliver():
    for slip in (1e-15, -1e-15):
        tent = [(0, 0, 0.0, THIRD, 0.0, 5.0), (0, 0, THIRD + slip, 1.0, 5.0, 0.0)]
        below = [(0, 1, 0.0, 1.0, 1.0, 1.0)]
        for parts, deep in ((tent, 1), (tent + below, 2)):
            found = cut(parts, 2)[1]
            assert [row.depth for row in found] == [deep] * len(found)
            assert all(one.high == other.low for one, other in pairwise(found))
            assert all(row.high - row.low > 1e-6 for row in found)


@pytest.mark.parametrize(
    ("line", "level", "owners"), [((0.0, 1e7), 5e-6, [1, 0]), ((0.0, 1e7), 1e7 - 5e-6, [0, 1])]
)
def test_crossing_at_the_very_end_leaves_no_sliver(line, level, owners):
    """The order is that of all but 5e-13 of the edge."""
    parts = [(0, 0, 0.0, 1.0, *line), (0, 1, 0.0, 1.0, level, level)]
    assert [row[1:5] for row in cut(parts, 2)[1]] == [(0.0, 1.0, 2, owners)]


def test_times_are_not_drawn_out_beyond_a_part():
    """The part of owner 1 is hardly longer than the gap in which ends are one place."""
    parts = [(0, 0, HALF - 0.8 * GAP, 1.0, 0.0, 5.0), (0, 1, HALF, HALF + 1.5 * GAP, 0.0, 90.0)]
    first = cut(parts, 2)[1][0]
    assert (first.depth, first.owners) == (2, [0, 1])
    assert min(min(ends) for ends in first.ms) >= 0.0


def test_what_happens_behind_the_first_cuts_nothing():
    """Two late facilities that overtake each other, one with a bend: only their number is told."""
    parts = [
        (0, 0, 0.0, 1.0, 1.0, 2.0),
        (0, 1, 0.0, 1.0, 50.0, 90.0),
        (0, 2, 0.0, 0.4, 60.0, 80.0),
        (0, 2, 0.4, 1.0, 80.0, 20.0),
    ]
    assert [row[1:5] for row in cut(parts, 1)[1]] == [(0.0, 1.0, 3, [0])]


def test_many_on_one_edge():
    """The length times the depth is the length of all parts; the first is the lower envelope."""
    n = 60 if IS_PLAIN else 1000
    random = np.random.default_rng(5)
    ends, ms = np.sort(random.random((n, 2))), random.integers(0, 100_000, (n, 2))
    parts = [(0, i, *ends[i].tolist(), *ms[i].tolist()) for i in range(n)]
    found = cut(parts, 3)[1]
    covered = sum((row.high - row.low) * row.depth for row in found)
    assert covered == pytest.approx(float((ends[:, 1] - ends[:, 0]).sum()))
    assert max(row.depth for row in found) > n / 3
    for row in found[:: max(len(found) // 50, 1)]:
        middle = (Fraction(row.low) + Fraction(row.high)) / 2
        expect_same([row], reference.arrivals_at([part[1:] for part in parts], middle), middle, 3)
