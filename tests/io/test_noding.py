"""Noding at shared vertices: drawn cases with the answer by hand."""

from __future__ import annotations

import numpy as np
import pytest

from citygeo.io import centerlines
from citygeo.io.noding import apart_at_vertices, drawn_twice, levels_of, nodes_of, stretches_twice
from tests.io.roads import count, drawing, finding, joints, layer, noded


def test_shared_end() -> None:
    assert noded("0 0, 100 0", "100 0, 200 50") == {(0, 0): [1], (100, 0): [2], (200, 50): [1]}


def test_end_at_a_vertex_of_another_line() -> None:
    found = noded("0 0, 50 0, 100 0", "50 0, 50 80")
    assert found == {(0, 0): [1], (50, 0): [3], (100, 0): [1], (50, 80): [1]}


def test_vertex_that_two_lines_share_on_their_way() -> None:
    found = noded("0 0, 50 0, 100 0", "50 -50, 50 0, 50 50")
    assert found[50, 0] == [4]


def test_places_within_a_millimetre_are_one() -> None:
    assert noded("0 0, 100 0", "100.0009 0, 200 0")[100, 0] == [2]
    assert noded("0 0, 100 0", "100.002 0, 200 0")[100, 0] == [1]


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        # over a crossroads that happens to have a vertex where the bridge has one
        ("0 0, 50 0, 100 0", "50 -50, 50 0, 50 50", [2, 2]),
        # the street ends below the bridge
        ("0 0, 50 0, 100 0", "50 0, 50 50", [1, 2]),
        # the bridge ends on the street
        ("50 0, 50 50", "0 0, 50 0, 100 0", [3]),
        # both end there
        ("50 0, 50 50", "0 0, 50 0", [2]),
    ],
)
@pytest.mark.parametrize("column", ["bridge", "tunnel", "level"])
def test_levels_meet_only_where_the_line_off_the_ground_ends(
    upper: str, lower: str, expected: list[int], column: str
) -> None:
    assert noded(upper, lower, **{column: [1, 0], f"{column}_column": column})[50, 0] == expected


def test_one_level_is_joined_like_the_ground() -> None:
    found = noded("0 0, 50 0, 100 0", "50 -50, 50 0, 50 50", level=[2, 2], level_column="level")
    assert found[50, 0] == [4]


def test_ramp_that_ends_on_its_own_level_brings_the_street_to_it() -> None:
    found = noded("0 0, 50 0, 100 0", "50 0, 50 50", "50 -50, 50 0", level=[1, 1, 0], level_column="level")
    assert found[50, 0] == [4]


def test_lines_apart_at_a_vertex_are_reported_with_those_that_end_there() -> None:
    lines = layer("0 0, 50 0, 100 0", "50 0, 50 50", "80 80, 90 90", level=[1, 0, 0])
    streets = centerlines.read(lines, level_column="level")
    issue = finding(streets, "CG-LINE-017")
    assert (issue.count, issue.sample) == (1, ("0", "1"))
    assert "1 of them end there" in issue.message
    assert count(streets, "CG-LINE-024") == 1


def test_apart_at_vertices_counts_places() -> None:
    drawn = drawing([[(0, 0), (1, 0), (2, 0)], [(1, 1), (1, 0), (1, -1)]], levels=[0, 5])
    n_places, lines, ending = apart_at_vertices(drawn, nodes_of(drawn))
    assert (n_places, lines.tolist(), ending.tolist()) == (1, [0, 1], [])


def test_closed_ring_has_one_node_where_it_closes() -> None:
    assert noded("0 0, 100 0, 100 100, 0 0") == {(0, 0): [2], (100, 0): [2], (100, 100): [2]}


def test_line_drawn_twice_is_kept_and_reported() -> None:
    lines = layer("0 0, 50 10, 100 0", "100 0, 50 10, 0 0", "0 0, 50 11, 100 0", "0 0, 50 10, 100 0")
    streets = centerlines.read(lines)
    issue = finding(streets, "CG-LINE-019")
    assert (issue.count, issue.sample) == (2, ("1", "3"))
    assert streets.way_id.tolist() == [1, 2, 3, 4]
    assert count(streets, "CG-LINE-025") == 0


def test_lines_through_the_same_nodes_in_another_order_are_not_drawn_twice() -> None:
    lines = [
        [(0, 0), (1, 0), (0, 1), (2, 2)],
        [(0, 0), (0, 1), (1, 0), (2, 2)],
        [(2, 2), (0, 1), (1, 0), (0, 0)],
    ]
    drawn = drawing(lines)
    assert drawn_twice(drawn, nodes_of(drawn)).tolist() == [False, False, True]


def test_stretch_that_two_lines_share_is_reported_once() -> None:
    drawn = drawing([[(0, 0), (1, 0), (2, 0)], [(5, 5), (2, 0), (1, 0)], [(8, 8), (9, 9)]])
    vertex, lines = stretches_twice(drawn, nodes_of(drawn), np.zeros(3, np.bool_))
    assert (vertex.tolist(), lines.tolist()) == ([4], [0, 1])


def test_levels_by_number_then_by_mark() -> None:
    level = np.array([0.0, 2.0, -1.0, 0.0, 0.0, 2.0])
    bridge = np.array([False, True, False, True, True, False])
    tunnel = np.array([False, False, True, False, True, False])
    levels = levels_of(level, bridge, tunnel)
    assert levels.level.tolist() == [0, 2, 1, -1, -2, 2]
    assert levels.is_stacked.tolist() == [False, False, False, True, True, False]


def test_nodes_are_numbered_from_west_to_east() -> None:
    streets = centerlines.read(layer("200 0, 0 0", "100 50, 100 -50"))
    assert list(joints(streets)) == [(0, 0), (100, -50), (100, 50), (200, 0)]
    assert streets.node_id.tolist() == [1, 2, 3, 4]
