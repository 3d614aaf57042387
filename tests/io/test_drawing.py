"""Drawings: places, insertions, and the search tree that survives them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.io.drawing import merge_near
from tests.io.roads import drawing

near_points = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 8)).map(
        lambda p: (p[0] + 0.0003 * p[2], float(p[1]))
    ),
    min_size=1,
    max_size=20,
)


@given(near_points)
def test_merged_places_are_the_chains_of_near_points(points: list[tuple[float, float]]) -> None:
    xy = np.array(points)
    place_xy, place = merge_near(xy, 0.001)
    # by hand: grow each group point by point
    group = list(range(len(points)))
    for _ in points:
        for i, j in np.argwhere(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= 0.001):
            group[i] = group[j] = min(group[i], group[j])
    assert (place[:, None] == place[None]).tolist() == [[a == b for b in group] for a in group]
    for number, found in enumerate(place_xy.tolist()):
        assert found == min(xy[place == number].tolist())
    assert place_xy.tolist() == sorted(place_xy.tolist())


def test_minus_zero_is_zero() -> None:
    place_xy, place = merge_near(np.array([[0.0, -0.0], [-0.0, 0.0]]), 0.001)
    assert (len(place_xy), place.tolist()) == (1, [0, 0])


def test_repeated_vertices_go_and_so_do_lines_without_length() -> None:
    drawn = drawing([[(0, 0), (0, 0.0005), (9, 0), (9, 0)], [(5, 5), (5, 5.0004)], [(1, 1), (2, 2), (1, 1)]])
    assert drawn.place_xy[drawn.place].tolist() == [[0, 0], [9, 0], [1, 1], [2, 2], [1, 1]]
    assert drawn.line.tolist() == [0, 0, 2, 2, 2]


def test_segments_are_seen_from_their_lower_place() -> None:
    segments = drawing([[(9, 0), (0, 0)], [(0, 0), (5, 0), (9, 0)]]).segments()
    assert segments.vertex.tolist() == [0, 2, 3]
    assert segments.low.tolist() == [0, 0, 1]
    assert segments.high.tolist() == [2, 1, 2]
    assert segments.low_is_end.tolist() == [True, True, False]
    assert segments.high_is_end.tolist() == [True, False, True]


def test_insertion_orders_places_along_the_segment() -> None:
    drawn = drawing([[(9, 0), (0, 0), (0, 9)], [(3, 3), (4, 4)]])
    place = drawn.add_places(np.array([[2.0, 0.0], [7.0, 0.0], [0.0, 5.0]]))
    is_new = drawn.insert(np.array([0, 0, 1]), place)
    assert drawn.place_xy[drawn.place].tolist() == [
        [9, 0], [7, 0], [2, 0], [0, 0], [0, 5], [0, 9], [3, 3], [4, 4],
    ]  # fmt: skip
    assert drawn.line.tolist() == [0] * 6 + [1, 1]
    assert is_new.tolist() == [True, True, True, True, True, False, False, False]


def test_places_near_known_ones_are_not_added() -> None:
    drawn = drawing([[(0, 0), (9, 0)]])
    number = drawn.add_places(np.array([[9.0, 0.0009], [4.0, 0.0], [4.0004, 0.0], [9.0, 0.002]]))
    assert number.tolist() == [1, 2, 2, 3]
    assert len(drawn.place_xy) == 4


def test_cut_and_moved_segments_are_found_around_their_places() -> None:
    drawn = drawing([[(0, 0), (90, 0)], [(0, 50), (90, 50)]])

    def around(x: float, y: float) -> list[int]:
        box = np.array([[x, y]])
        return sorted(drawn.around(drawn.segments(), box - 1, box + 1)[1].tolist())

    assert around(30, 0) == [0]
    drawn.insert(np.array([0, 0]), drawn.add_places(np.array([[30.0, 0.0], [60.0, 0.0]])))
    # pieces of a segment are found together: too many rather than too few
    assert around(30, 0) == [0, 1, 2]
    assert around(30, 50) == [3]
    drawn.move(np.array([5]), drawn.add_places(np.array([[90.0, 54.0]])))
    assert 3 in around(90, 54)


def test_segment_that_bends_further_with_each_place_is_still_found() -> None:
    drawn = drawing([[(0.0, 0.0), (900.0, 0.0)]], near=1.0)
    assert drawn.pairs()[0].size == 0
    # each place is 1 m off the middle of the segment between the two before
    for vertex, place in ((0, (450.0, 1.0)), (0, (225.0, 1.5)), (1, (337.5, 2.25)), (1, (281.25, 2.875))):
        drawn.insert(np.array([vertex]), drawn.add_places(np.array([place])))
    box = np.array([[281.25, 2.875]])
    assert 2 in drawn.around(drawn.segments(), box, box)[1]


@pytest.mark.parametrize("near", [0.001, 1.0])
def test_near_is_what_the_drawing_was_given(near: float) -> None:
    assert len(merge_near(np.array([[0.0, 0.0], [0.5, 0.0]]), near)[0]) == (2 if near < 0.5 else 1)
