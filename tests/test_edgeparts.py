"""Unions of reached parts, their lines and polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo import edgeparts
from citygeo.edgeparts import EdgeParts, as_multipolygon, buffered, cut_lines, merge
from citygeo.engine import Parts
from tests import reference
from tests.toy import ONEWAY, STREET, edge_between, grid_city, network

NET = network({1: (0, 0), 2: (1000, 0), 3: (1000, 500)}, [((1, 2), STREET), ((2, 3), ONEWAY)])
FIRST, SECOND = edge_between(NET, 1, 2), edge_between(NET, 2, 3)


def edge_parts(rows):
    """Rows (edge, low, high)."""
    table = np.array(rows, float).reshape(-1, 3)
    return EdgeParts(table[:, 0].astype(np.int64), table[:, 1:], np.zeros((len(table), 2)))


# eighths are exact, so touching is touching
stretches = st.tuples(st.integers(0, 7), st.integers(1, 8)).filter(lambda pair: pair[0] < pair[1])
parts = st.tuples(st.integers(0, 3), stretches).map(lambda row: (row[0], row[1][0] / 8, row[1][1] / 8))


@given(st.lists(st.lists(parts, max_size=8), max_size=4))
def test_merge_equals_reference(several):
    edge, share = merge(edge_parts(rows) for rows in several)
    found = [(int(e), *pair) for e, pair in zip(edge, share.tolist(), strict=True)]
    rows = [row for group in several for row in group]
    expected = [
        (e, *pair) for e in range(4) for pair in reference.union(row[1:] for row in rows if row[0] == e)
    ]
    assert found == expected
    assert edge.dtype == np.int64


def test_merge_closes_the_gap_that_rounding_leaves():
    third = 1 / 3
    edge, share = merge([edge_parts([(0, 0, third)]), edge_parts([(0, third + 1e-15, 1)])])
    assert (edge.tolist(), share.tolist()) == ([0], [[0, 1]])
    assert len(merge([edge_parts([(0, 0, third), (0, third + 1e-9, 1)])])[0]) == 2


def test_merge_of_nothing():
    for several in ([], [edge_parts([])], iter(())):
        edge, share = merge(several)
        assert (edge.shape, share.shape) == ((0,), (0, 2))


def test_sorted_orders_by_edge_and_place():
    found = EdgeParts.sorted(
        Parts(
            np.array([1, 0, 1]), np.array([[0.5, 1], [0, 1], [0, 0.25]]), np.array([[5.0, 6], [1, 2], [3, 4]])
        )
    )
    assert found.edge.tolist() == [0, 1, 1]
    assert found.share.tolist() == [[0, 1], [0, 0.25], [0.5, 1]]
    assert found.ms.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert len(found) == 3


def test_length_is_a_share_of_the_edge():
    found = edge_parts([(FIRST, 0.25, 0.5), (SECOND, 0, 1)]).length_m(NET)
    assert found == pytest.approx([250, 500], abs=1e-6)


def test_lines_are_cut_at_the_shares():
    edge, share = np.array([FIRST, FIRST, SECOND]), np.array([[0, 1], [0.25, 0.75], [0.5, 1]])
    whole = NET.lines_metric.copy()
    lines = cut_lines(NET, edge, share)
    assert lines[0].equals(NET.lines_metric[FIRST])
    assert shapely.length(lines) == pytest.approx(np.array([1000, 500, 250]) * 0.9996, abs=1e-3)
    assert shapely.get_x(shapely.get_point(lines[1], 0)) == pytest.approx(500_000 + 250 * 0.9996, abs=1e-3)
    assert shapely.get_point(lines[2], -1).equals(shapely.get_point(NET.lines_metric[SECOND], -1))
    assert all(a.equals(b) for a, b in zip(whole, NET.lines_metric, strict=True)), (
        "the network's lines were changed"
    )
    assert cut_lines(NET, np.empty(0, np.int64), np.empty((0, 2))).size == 0


def test_cut_lines_keep_their_vertices():
    bent = network({1: (0, 0), 2: (100, 0), 3: (100, 100)}, [((1, 2, 3), STREET)])
    (line,) = cut_lines(bent, np.array([0]), np.array([[0.25, 0.75]]))
    assert shapely.get_num_points(line) == 3
    assert shapely.length(line) == pytest.approx(100 * 0.9996, abs=1e-3)


def test_buffer_of_a_line_by_hand():
    polygon = buffered(cut_lines(NET, np.array([FIRST]), np.array([[0.0, 1.0]])), 50)
    assert polygon.geom_type == "MultiPolygon"
    assert polygon.is_valid
    # two half circles of 32 corners in all, drawn from inside
    circle = 0.5 * 32 * 50**2 * np.sin(2 * np.pi / 32)
    assert polygon.area == pytest.approx(100 * 1000 * 0.9996 + circle, rel=1e-6)
    west, south, east, north = polygon.bounds
    assert (east - west, north - south) == pytest.approx((1099.6, 100), abs=0.01)


def test_buffer_has_holes_and_islands():
    grid = grid_city(2)
    lines = np.append(grid.lines_metric, shapely.LineString([(510_000, 0), (510_100, 0)]))
    polygon = buffered(lines, 20)
    assert polygon.is_valid
    assert len(polygon.geoms) == 2
    assert sorted(len(part.interiors) for part in polygon.geoms) == [0, 4]
    for part in polygon.geoms:
        assert part.exterior.is_ccw
        assert not any(hole.is_ccw for hole in part.interiors)
    corners = shapely.points(shapely.get_coordinates(polygon))
    assert shapely.distance(corners, shapely.union_all(lines)).max() <= 20 + 1e-9


def test_nothing_reached_is_an_empty_multipolygon():
    empty = buffered(np.empty(0, object), 50)
    assert empty.geom_type == "MultiPolygon"
    assert empty.is_empty


def test_only_polygons_are_kept():
    mixed = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(5, 5), (6, 6)])])
    found = as_multipolygon(mixed)
    assert (found.geom_type, found.area) == ("MultiPolygon", 1)
    assert as_multipolygon(shapely.Polygon()).is_empty


@pytest.mark.parametrize("seed", range(3))
def test_ground_of_many_lines_is_the_union_of_their_buffers(seed):
    """More lines than are drawn one by one: what is inside of dense streets is drawn as boxes."""
    rng = np.random.default_rng(seed)
    middle = np.concatenate([rng.normal(0, spread, (1200, 2)) for spread in (150, 600, 3000)])
    way = rng.uniform(-60, 60, (len(middle), 3, 2)).cumsum(axis=1)
    lines = shapely.linestrings(middle[:, None] + way)
    rim, inner = edgeparts._rim_and_inner(lines, 50.0)
    assert 0 < len(rim) < len(lines)
    assert len(inner)
    ground = buffered(lines, 50.0)
    naive = shapely.union_all(shapely.buffer(lines, 50.0, quad_segs=8))
    assert ground.is_valid
    assert shapely.symmetric_difference(ground, naive).area < 1e-3
    holes = [
        sorted(len(part.interiors) for part in shape.geoms) for shape in (ground, as_multipolygon(naive))
    ]
    assert holes[0] == holes[1]
