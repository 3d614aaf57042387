"""Stretches cut out of lines, against shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.ops import substring

from citygeo._kernels.cut import cut
from tests.kernels.grids import ANY, WHOLE, locked, shapes_of

PLACE = st.one_of(WHOLE, ANY)
SHARE = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))


def pieces(lines, stretches, room=0):
    """The corners of each stretch, given as (line, low and high share)."""
    corner, along, start, _ = shapes_of([(corners, [0] * (len(corners) - 1)) for corners in lines])
    edge, share = zip(*stretches, strict=True)
    out_start = np.empty(len(stretches) + 1, np.int64)
    while True:
        xy = np.full((room, 2), np.nan)
        n = cut(corner, along, start, locked(edge, np.int64), locked(share, float), xy, out_start)
        if n <= room:
            assert out_start[-1] == n
            return np.split(xy, out_start[1:-1])
        room = n


@st.composite
def tasks(draw: st.DrawFn):
    lines, stretches = [], []
    for line in range(draw(st.integers(1, 3))):
        corners = draw(st.lists(PLACE, min_size=2, max_size=6))
        lines.append([place for place in corners for _ in range(draw(st.sampled_from([1, 1, 1, 2])))])
        n = draw(st.integers(0 if line else 1, 3))
        stretches += [(line, sorted(draw(st.tuples(SHARE, SHARE)))) for _ in range(n)]
    return lines, draw(st.permutations(stretches))


@given(tasks())
def test_stretches_equal_those_of_shapely(task):
    lines, stretches = task
    for (number, shares), found in zip(stretches, pieces(lines, stretches), strict=True):
        line = shapely.LineString(lines[number])
        low, high = (share * line.length for share in shares)
        true = shapely.get_coordinates(substring(line, low, high))
        assert len(found) >= 2
        assert shapely.length(shapely.LineString(found)) == pytest.approx(high - low, abs=1e-9)
        # a corner at the very end, or one repeated, may be there once or twice
        expect_same_way(found, true)
        if shares[0] == 0.0:
            assert tuple(found[0]) == tuple(map(float, lines[number][0]))
        if shares[1] == 1.0:
            assert tuple(found[-1]) == tuple(map(float, lines[number][-1]))


def expect_same_way(found, true):
    """The same corners in the same order, those that repeat the one before left out."""
    for one, other in ((found, true), (true, found)):
        at = 0
        for place in one:
            gaps = np.hypot(*(other[at:] - place).T)
            assert gaps.min() < 1e-9
            step = int(np.flatnonzero(gaps < 1e-9)[0])
            # what was passed over repeats the place before
            assert np.allclose(other[at : at + step], other[at], atol=1e-9)
            at += step


BENT = [(0, 0), (10, 0), (10, 10), (10, 10), (0, 10)]  # 30 m, one corner twice


@pytest.mark.parametrize(
    ("shares", "corners"),
    [
        ((0.0, 1.0), BENT),
        ((0.1, 0.9), [(3, 0), (10, 0), (10, 10), (10, 10), (3, 10)]),
        ((0.1, 0.2), [(3, 0), (6, 0)]),
        ((0.0, 1 / 3), [(0, 0), (10, 0)]),
        ((0.5, 0.5), [(10, 5), (10, 5)]),
        ((1.0, 1.0), [(0, 10), (0, 10)]),
        ((0.0, 0.0), [(0, 0), (0, 0)]),
    ],
)
def test_by_hand(shares, corners):
    (found,) = pieces([BENT], [(0, shares)])
    np.testing.assert_allclose(found, corners, atol=1e-12)


def test_a_line_without_length_is_one_place():
    (found,) = pieces([[(5, 5), (5, 5)]], [(0, (0.0, 1.0))])
    assert found.tolist() == [[5, 5], [5, 5]]
