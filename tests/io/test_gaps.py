"""Gaps: drawn cases with the answer by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo.io import centerlines
from citygeo.io.gaps import close_gaps
from citygeo.io.ground import Ground
from tests.io.roads import CRS, count, drawing, finding, joints, layer, noded, ways

GAP = ("0 0, 100 0", "100.4 0, 200 0")


@pytest.mark.parametrize("tolerance_m", [0.0, 0.39])
def test_gap_wider_than_the_tolerance_stays(tolerance_m: float) -> None:
    found = noded(*GAP, tolerance_m=tolerance_m)
    assert found == {(0, 0): [1], (100, 0): [1], (100.4, 0): [1], (200, 0): [1]}


def test_gap_between_ends_is_closed() -> None:
    streets = centerlines.read(layer(*GAP), tolerance_m=1)
    assert ways(streets) == [[(0, 0), (100, 0)], [(100, 0), (200, 0)]]
    issue = finding(streets, "CG-LINE-014")
    assert (issue.count, issue.sample) == (1, ("0", "1"))
    assert "longest gap was 0.40 m" in issue.message


def test_gap_of_two_metres_stays_at_a_tolerance_of_one() -> None:
    assert noded("0 0, 100 0", "102 0, 200 0", tolerance_m=1)[100, 0] == [1]


def test_tolerance_is_in_metres_on_the_ground_whatever_the_crs() -> None:
    # in web Mercator at this latitude a metre on the ground is 1.12 units
    wide = layer("0 0, 100 0", "100.95 0, 200 0", crs=3857)
    assert shapely.distance(*wide.geometry) > 1.05
    assert len(joints(centerlines.read(wide, tolerance_m=1))) == 3
    degrees = layer("0 0, 100 0", "100.95 0, 200 0", crs=4326)
    assert len(joints(centerlines.read(degrees, tolerance_m=1))) == 3
    assert len(joints(centerlines.read(degrees, tolerance_m=0.9))) == 4


def test_end_short_of_a_line_makes_a_vertex_there() -> None:
    streets = centerlines.read(layer("0 0, 100 0", "50 0.4, 50 80"), tolerance_m=1)
    assert ways(streets) == [[(0, 0), (50, 0), (100, 0)], [(50, 0), (50, 80)]]


def test_end_within_reach_of_a_vertex_takes_the_vertex() -> None:
    streets = centerlines.read(layer("0 0, 49.5 0, 100 0", "50 0.4, 50 80"), tolerance_m=1)
    assert ways(streets) == [[(0, 0), (49.5, 0), (100, 0)], [(49.5, 0), (50, 80)]]


def test_nearer_line_goes_before_a_vertex_of_another() -> None:
    found = noded("0 0, 100 0", "0 1.2, 50 1.2, 100 1.2", "50 0.3, 150 0.3", tolerance_m=1)
    assert found[50, 0] == [3]
    assert found[50, 1.2] == [2]


def test_several_gaps_at_one_spot_become_one_node() -> None:
    star = ("0 0, 99.8 0", "100.1 0, 200 0", "100 0.5, 100 90")
    streets = centerlines.read(layer(*star), tolerance_m=1)
    assert joints(streets) == {(0, 0): [1], (99.8, 0): [3], (200, 0): [1], (100, 90): [1]}
    assert count(streets, "CG-LINE-014") == 2


def test_two_ends_short_of_one_spot_of_a_line() -> None:
    found = noded("0 0, 100 0", "50 0.4, 50 80", "50 -0.3, 50 -80", tolerance_m=0.5)
    assert found == {(0, 0): [1], (100, 0): [1], (50, 0): [4], (50, 80): [1], (50, -80): [1]}


def test_end_follows_the_end_it_goes_to() -> None:
    # the middle line goes to the cross street, and the last one to the middle line's end
    found = noded("0 0, 0 100", "0.3 50, 40 50", "0.9 50.3, 40 90", tolerance_m=0.8)
    assert found[0, 50] == [4]
    assert len(found) == 5


def test_lines_drawn_twice_both_get_the_new_vertex() -> None:
    found = noded("0 0, 100 0", "100 0, 0 0", "50 0.4, 50 80", tolerance_m=1)
    assert found == {(0, 0): [2], (100, 0): [2], (50, 0): [5], (50, 80): [1]}


def test_overshoot_is_reported_and_left() -> None:
    over = ("0 0, 100 0", "50 -0.5, 50 80")
    streets = centerlines.read(layer(*over), tolerance_m=1, split_crossings=True)
    assert joints(streets) == {(0, 0): [1], (100, 0): [1], (50, 0): [4], (50, -0.5): [1], (50, 80): [1]}
    assert finding(streets, "CG-LINE-015").sample == ("1",)
    assert count(streets, "CG-LINE-014") == 0
    # without the crossing there is no junction, and the end is taken back to the line
    streets = centerlines.read(layer(*over), tolerance_m=1)
    assert joints(streets) == {(0, 0): [1], (100, 0): [1], (50, 0): [3], (50, 80): [1]}


def test_levels_keep_ends_from_lines_above_but_not_from_their_ends() -> None:
    over = ("0 0, 100 0", "50 0.4, 50 80")
    options = {"bridge_column": "bridge", "tolerance_m": 1}
    assert noded(*over, bridge=[1, 0], **options)[50, 0.4] == [1]
    assert noded(*over, bridge=[0, 1], **options)[50, 0] == [3]
    assert noded(*GAP, bridge=[1, 0], **options)[100, 0] == [2]


@pytest.mark.parametrize(
    "upper", ["100.4 0, 200 0", "200 0, 100.4 0", "100.4 0, 100.4 -70", "100.4 -70, 100.4 0"]
)
def test_end_reaches_the_end_of_a_line_on_another_level_however_that_is_drawn(upper: str) -> None:
    # two lines above share the end, so that only the one on the ground is loose
    found = noded(
        "0 0, 100 0", upper, "100.4 0, 300 300", level=[0, 1, 1], level_column="level", tolerance_m=1
    )
    assert found[100.4, 0] == [3]


def test_line_is_not_joined_to_itself() -> None:
    ring = "0 0, 100 0, 100 100, 0 100, 0 0.5"
    assert noded(ring, tolerance_m=1)[0, 0] == [1]


def test_line_shorter_than_the_tolerance_still_links_two_others() -> None:
    found = noded("0 0, 100 0", "100.2 0, 100.6 0.1", "101 0, 200 0", tolerance_m=2)
    assert found == {(0, 0): [1], (100, 0): [2], (100.6, 0.1): [2], (200, 0): [1]}


def test_line_with_both_ends_at_one_place_shrinks_to_nothing_and_is_reported() -> None:
    streets = centerlines.read(layer("0 0, 100 0", "100.2 0, 100.6 0.1"), tolerance_m=2)
    assert finding(streets, "CG-LINE-018").sample == ("1",)
    assert streets.way_id.tolist() == [1]
    assert joints(streets) == {(0, 0): [1], (100, 0): [1]}


def test_closed_gap_that_makes_a_crossing_is_joined_there() -> None:
    # the end moves up by 0.9 m, and the middle of its line over the tip of the third one
    lines = ("0 0, 100 0", "100 0.9, 200 0.9", "100 0.9, 200 50", "45 50, 50 0.3, 55 50")
    streets = centerlines.read(layer(*lines), tolerance_m=1, split_crossings=True)
    assert sorted(many for places in joints(streets).values() for many in places) == [1] * 5 + [2, 3, 4, 4]
    assert joints(centerlines.read(layer(*lines), tolerance_m=1))[50, 0.3] == [2]


# --- at random ------------------------------------------------------------------------------------

spot = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-9, 9), st.integers(-9, 9)).map(
    lambda place: (10.0 * place[0] + 0.1 * place[2], 10.0 * place[1] + 0.1 * place[3])
)
loose_lines = st.lists(spot, min_size=2, max_size=3, unique=True)


@given(st.lists(loose_lines, min_size=1, max_size=8), st.randoms(), st.booleans())
def test_order_of_rows_changes_nothing(
    lines: list[list[tuple[float, float]]],
    random: Any,
    is_split: bool,  # noqa: FBT001
) -> None:
    wkt = [", ".join(f"{x:.4f} {y:.4f}" for x, y in line) for line in lines]
    order = list(range(len(wkt)))
    random.shuffle(order)
    first = centerlines.read(layer(*wkt), tolerance_m=1, split_crossings=is_split)
    second = centerlines.read(layer(*[wkt[i] for i in order]), tolerance_m=1, split_crossings=is_split)
    np.testing.assert_array_equal(first.node_lonlat, second.node_lonlat)
    runs = dict(zip(first.way_id.tolist(), ways(first), strict=True))
    for way_id, run in zip(second.way_id.tolist(), ways(second), strict=True):
        assert run == runs[order[way_id - 1] + 1]


@given(st.lists(loose_lines, min_size=1, max_size=8))
def test_no_loose_end_is_left_near_another_line(lines: list[list[tuple[float, float]]]) -> None:
    drawn = drawing(lines)
    shapes = [shapely.LineString(line) for line in lines]
    before = {number: drawn.place_xy[drawn.place[drawn.line == number]] for number in range(len(lines))}
    closed = close_gaps(drawn, Ground(pyproj.CRS(CRS), "lines"), 1.0)
    assert closed.longest_m <= 1.0
    for number in np.unique(drawn.line):
        after = drawn.place_xy[drawn.place[drawn.line == number]]
        # only ends move, each as far as a chain of ends takes it
        assert shapely.hausdorff_distance(
            shapely.LineString(after), shapely.LineString(before[number])
        ) < len(lines)
        for end in (after[0], after[-1]):
            is_new = np.abs(before[number][[0, -1]] - end).sum(axis=1).min() > 1e-9
            others = [shape for other, shape in enumerate(shapes) if other != number]
            if is_new:
                assert min(shapely.Point(end).distance(shape) for shape in others) < 1.0
