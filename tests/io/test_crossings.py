"""Crossings: drawn cases with the answer by hand, and random lines against GEOS."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from citygeo.io import centerlines
from citygeo.io.crossings import split_crossings
from tests.io.roads import count, drawing, finding, joints, layer, noded, segments_of, ways

X = ("0 0, 100 0", "50 -50, 50 50")
ENDS = {(0.0, 0.0): [1], (100.0, 0.0): [1], (50.0, -50.0): [1], (50.0, 50.0): [1]}


# --- by hand --------------------------------------------------------------------------------------


def test_crossing_is_joined_only_on_request() -> None:
    assert noded(*X) == ENDS
    assert noded(*X, split_crossings=True) == {**ENDS, (50.0, 0.0): [4]}


def test_crossings_joined_without_knowing_levels_are_a_warning() -> None:
    assert finding(centerlines.read(layer(*X), split_crossings=True), "CG-LINE-027").severity == "warning"
    known = centerlines.read(layer(*X, level=[0, 0]), split_crossings=True, level_column="level")
    assert count(known, "CG-LINE-012") == 1
    assert count(known, "CG-LINE-027") == 0


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"bridge": ["yes", None]}, {"bridge_column": "bridge"}),
        ({"tunnel": [0, 1]}, {"tunnel_column": "tunnel"}),
        ({"level": [0, 1]}, {"level_column": "level"}),
        ({"level": [-1, 1]}, {"level_column": "level"}),
        # nobody knows which of two bridges is above the other
        ({"bridge": [1, 1]}, {"bridge_column": "bridge"}),
    ],
)
def test_crossing_on_different_levels_is_not_joined(columns: dict[str, Any], names: dict[str, str]) -> None:
    streets = centerlines.read(layer(*X, **columns), split_crossings=True, **names)
    assert joints(streets) == ENDS
    assert finding(streets, "CG-LINE-013").sample == ("0", "1")
    assert count(streets, "CG-LINE-012") == 0


def test_crossing_on_one_level_above_the_ground_is_joined() -> None:
    options = {"level_column": "level", "bridge_column": "bridge", "split_crossings": True}
    assert noded(*X, level=[1, 1], bridge=["yes", "yes"], **options) == {**ENDS, (50.0, 0.0): [4]}


def test_end_on_another_line_between_vertices() -> None:
    tee = ("0 0, 100 0", "50 0, 50 50")
    streets = centerlines.read(layer(*tee))
    assert joints(streets) == {(0, 0): [1], (100, 0): [1], (50, 0): [1], (50, 50): [1]}
    assert finding(streets, "CG-LINE-016").sample == ("1",)
    streets = centerlines.read(layer(*tee), split_crossings=True)
    assert joints(streets) == {(0, 0): [1], (100, 0): [1], (50, 0): [3], (50, 50): [1]}
    assert (count(streets, "CG-LINE-016"), count(streets, "CG-LINE-012")) == (0, 1)


def test_street_that_ends_below_a_bridge_does_not_reach_it_but_a_ramp_that_ends_on_a_street_does() -> None:
    tee = ("0 0, 100 0", "50 0, 50 50")
    apart = {(0, 0): [1], (100, 0): [1], (50, 0): [1], (50, 50): [1]}
    options = {"bridge_column": "bridge", "split_crossings": True}
    assert noded(*tee, bridge=["yes", None], **options) == apart
    assert noded(*tee, bridge=[None, "yes"], **options) == {**apart, (50, 0): [3]}
    # a ramp that ends on the elevated road of which it is part
    assert noded(*tee, bridge=["yes", "yes"], **options) == {**apart, (50, 0): [3]}


def test_vertex_on_another_line_between_vertices_is_joined() -> None:
    assert noded("0 0, 100 0", "20 50, 50 0, 80 50", split_crossings=True) == {
        (0, 0): [1], (100, 0): [1], (20, 50): [1], (80, 50): [1], (50, 0): [4],
    }  # fmt: skip


def test_three_lines_through_one_place_meet_in_one_node() -> None:
    star = ("0 0, 100 100", "0 100, 100 0", "50 -20, 50 120")
    found = noded(*star, split_crossings=True)
    assert found[50, 50] == [6]
    assert len(found) == 7


def test_crossing_at_a_vertex_of_one_line_takes_that_vertex() -> None:
    assert noded("0 0, 50 0, 100 0", "50 -50, 50 50", split_crossings=True) == {**ENDS, (50, 0): [4]}


def test_lines_that_cross_many_times_are_joined_each_time() -> None:
    found = noded("0 10, 10 -10, 20 10, 30 -10", "0 0, 30 0", split_crossings=True)
    assert {place for place, many in found.items() if many == [4]} == {(5, 0), (15, 0), (25, 0)}


def test_overlap_gets_the_vertices_of_both_and_is_reported() -> None:
    streets = centerlines.read(layer("0 0, 100 0", "60 0, 160 0"), split_crossings=True)
    assert ways(streets) == [[(0, 0), (60, 0), (100, 0)], [(60, 0), (100, 0), (160, 0)]]
    overlap = finding(streets, "CG-LINE-025")
    assert (overlap.count, overlap.sample) == (1, ("0", "1"))
    assert "40.0 m" in overlap.message  # 40 m of the drawing are 40.016 m on the ground
    assert count(streets, "CG-LINE-019") == 0


def test_figure_eight_and_a_line_that_touches_itself() -> None:
    eight = "0 0, 100 100, 100 0, 0 100, 0 0"
    found = noded(eight, split_crossings=True)
    assert found == {(0, 0): [2], (100, 100): [2], (100, 0): [2], (0, 100): [2], (50, 50): [4]}
    assert noded(eight)[0, 0] == [2]
    lasso = "0 0, 100 0, 100 50, 50 50, 50 0"
    assert noded(lasso, split_crossings=True)[50, 0] == [3]
    # the ramp of a spiral passes above itself
    assert (50, 0) in noded(lasso, bridge=["yes"], bridge_column="bridge", split_crossings=True)
    assert noded(lasso, bridge=["yes"], bridge_column="bridge", split_crossings=True)[50, 0] == [1]


def test_line_that_turns_back_on_itself() -> None:
    streets = centerlines.read(layer("0 0, 100 0, 40 0"), split_crossings=True)
    assert ways(streets) == [[(0, 0), (40, 0), (100, 0), (40, 0)]]
    assert count(streets, "CG-LINE-025") == 1


def test_crossing_within_a_millimetre_of_an_end_takes_the_end() -> None:
    found = noded("0 0, 100 0", "50 -50, 50 0.0004", split_crossings=True)
    assert sorted(many for many in found.values()) == [[1], [1], [1], [3]]


def test_touching_is_within_seven_tenths_of_a_millimetre() -> None:
    near = noded("0 0, 100 0", "50 0.00069, 50 50", split_crossings=True)
    assert [3] in near.values()
    far = noded("0 0, 100 0", "50 0.00071, 50 50", split_crossings=True)
    assert [3] not in far.values()


def test_three_places_a_millimetre_apart_do_not_draw_a_line_to_and_fro() -> None:
    # each within a millimetre of the line through the two others
    a, b, c = (0.0, 0.0), (0.0012, 0.0), (0.0006, 0.00085)
    drawn = drawing([[(-50.0, 0.0), a, b, (50.0, 0.0)], [c, (0.0, 50.0)], [(0.0, -50.0), a]])
    split_crossings(drawn)
    assert np.bincount(drawn.line).max() < 6


def test_segments_in_one_line_do_not_cross_whatever_the_roundings() -> None:
    drawn = drawing(
        [
            [(500.0, 500.0), (0.0, 100.0), (100.0, 200.0)],
            [(0.0, 0.0), (100.0, 400.0), (0.0, 500.0), (100.0, 0.0)],
        ]
    )
    split_crossings(drawn)
    assert len(drawn.place_xy) == 12


# --- at random ------------------------------------------------------------------------------------

grid = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda xy: (100.0 * xy[0], 100.0 * xy[1]))
polylines = st.lists(grid, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)
wobble = st.sampled_from([0.0, 0.0, 0.0004, -0.0008, 0.0013])
shaken = st.tuples(grid, wobble, wobble).map(lambda place: (place[0][0] + place[1], place[0][1] + place[2]))
shaken_lines = st.lists(shaken, min_size=2, max_size=4).filter(
    lambda line: np.ptp(np.array(line), axis=0).max() > 1
)


@given(st.lists(polylines, min_size=1, max_size=8))
def test_noded_lines_are_those_of_geos(lines: list[list[tuple[float, float]]]) -> None:
    drawn = drawing(lines)
    split_crossings(drawn)
    ours = set(segments_of(drawn))
    union = shapely.union_all([shapely.LineString(line) for line in lines])
    xy, part = shapely.get_coordinates(shapely.get_parts(union), return_index=True)
    distance, place = cKDTree(drawn.place_xy).query(xy)
    assert distance.max() < 1e-6
    theirs = {
        (min(a, b), max(a, b))
        for a, b, one, other in zip(place[:-1], place[1:], part[:-1], part[1:], strict=True)
        if one == other
    }
    assert ours == theirs
    length = sum(float(np.hypot(*(drawn.place_xy[a] - drawn.place_xy[b]))) for a, b in ours)
    assert length == pytest.approx(union.length, rel=1e-12)


@given(st.lists(shaken_lines, min_size=1, max_size=8))
def test_nothing_is_left_to_join_and_nothing_moves(lines: list[list[tuple[float, float]]]) -> None:
    drawn = drawing(lines)
    split_crossings(drawn)
    passed = {
        number: set(drawn.place[drawn.line == number].tolist()) for number in np.unique(drawn.line).tolist()
    }
    shapes = {pair: shapely.LineString(drawn.place_xy[list(pair)]) for pair in set(segments_of(drawn))}
    for one, other in itertools.combinations(sorted(shapes), 2):
        assert set(one) & set(other) or not shapes[one].crosses(shapes[other])
    for line, pair in zip(drawn.segments().line.tolist(), segments_of(drawn), strict=True):
        for place, xy in enumerate(drawn.place_xy):
            assert place in passed[line] or shapely.Point(xy).distance(shapes[pair]) > 0.00069
    for number, line in enumerate(lines):
        noded_line = shapely.LineString(drawn.place_xy[drawn.place[drawn.line == number]])
        assert shapely.hausdorff_distance(noded_line, shapely.LineString(line)) < 0.01


@given(st.lists(shaken_lines, min_size=1, max_size=8), st.randoms())
def test_order_of_rows_changes_nothing(lines: list[list[tuple[float, float]]], random: Any) -> None:
    first = drawing(lines)
    split_crossings(first)
    order = list(range(len(lines)))
    random.shuffle(order)
    second = drawing([lines[i] for i in order])
    split_crossings(second)
    np.testing.assert_array_equal(first.place_xy, second.place_xy)
    for position, number in enumerate(order):
        assert first.place[first.line == number].tolist() == second.place[second.line == position].tolist()


@given(st.lists(shaken_lines, min_size=1, max_size=8))
def test_noding_again_changes_nothing(lines: list[list[tuple[float, float]]]) -> None:
    drawn = drawing(lines)
    split_crossings(drawn)
    kept = np.unique(drawn.line)
    runs = [drawn.place_xy[drawn.place[drawn.line == number]].tolist() for number in kept]
    again = drawing([[(x, y) for x, y in run] for run in runs])
    found = split_crossings(again)
    assert found.places.size == 0
    assert [again.place_xy[again.place[again.line == number]].tolist() for number in range(len(runs))] == runs


def test_lines_on_levels_are_looked_at_pair_by_pair() -> None:
    cross = [[(0.0, 50.0), (100.0, 50.0)], [(50.0, 0.0), (50.0, 100.0)], [(0.0, 0.0), (100.0, 100.0)]]
    drawn = drawing(cross, levels=[0, 1, 1])
    found = split_crossings(drawn)
    assert found.n_apart == 2
    assert found.lines.tolist() == [1, 2]
    assert found.lines_apart.tolist() == [0, 1, 2]
    assert drawn.place_xy[found.places].tolist() == [[50.0, 50.0]]
