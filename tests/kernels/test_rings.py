"""Outlines of areas on a grid: valid polygons that hold the nodes inside and no others, whatever the area is like."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from citygeo._kernels.rings import count_runs
from citygeo.isochrones.contour import multipolygon
from tests.kernels.grids import Grid, scene

IS_PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
FEW = settings(max_examples=8) if IS_PLAIN else settings()
EIGHT = np.ones((3, 3), int)
# bits are counted by a product that wraps round; without the compiler, numpy says so
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


@st.composite
def grids(draw: st.DrawFn):
    """A grid with any nodes inside but those all round, and any crossings."""
    columns, rows = draw(st.sampled_from([(3, 3), (6, 9), (12, 12), (64, 5), (65, 7), (130, 66)]))
    seed, share = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.0, 0.1, 0.5, 0.6, 0.9, 1.0]))
    random = np.random.default_rng(seed)
    grid = Grid(columns, rows, draw(st.sampled_from([1.0, 20.0, 33.3])), draw(st.integers(-9, 9)), 5)
    is_in = random.random((rows, columns)) < share
    is_in[[0, -1]] = is_in[:, [0, -1]] = False
    grid.is_in = is_in
    grid.reach[:] = random.choice([0, 1, 128, 254, 255], grid.reach.shape)
    if draw(st.booleans()):
        grid.reach[:] = random.integers(0, 256, grid.reach.shape)
    return grid


def drawn(picture):
    """A grid from lines of text, the northernmost first; # is inside, and all outlines run in the middle."""
    lines = picture.split()[::-1]
    grid = Grid(len(lines[0]) + 2, len(lines) + 2, 1.0, -1, -1)
    is_in = np.zeros((grid.rows, grid.columns), bool)
    is_in[1:-1, 1:-1] = [[letter == "#" for letter in line] for line in lines]
    grid.is_in = is_in
    grid.reach[:] = 128
    return grid


def expect_outlines(grid):
    """All that rings must be, from the nodes and crossings alone."""
    rings = grid.trace()
    shape = multipolygon(rings)
    polygons = list(shape.geoms)
    assert shapely.is_valid(shape), shapely.is_valid_reason(shape)
    # what rows and columns connect is a polygon; what is left out inside, also by corners, is a hole
    assert len(polygons) == ndimage.label(grid.is_in)[1]
    assert sum(len(polygon.interiors) for polygon in polygons) == ndimage.label(~grid.is_in, EIGHT)[1] - 1
    for polygon in polygons:
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)
    # every crossing is a vertex once, and there are no others
    open_xy = np.delete(rings.xy, rings.ring[1:] - 1, axis=0) / grid.cell - grid.first
    vertices = grid.vertices()
    assert len(open_xy) == len(vertices)
    np.testing.assert_allclose(open_xy[np.lexsort(open_xy.T[::-1])], vertices, atol=1e-9)
    x, y = np.meshgrid(np.arange(grid.columns), np.arange(grid.rows))
    shapely.prepare(shape)
    held = shapely.contains_xy(shape, *(np.array(grid.place(x, y))))
    np.testing.assert_array_equal(held, grid.is_in)
    return shape


@FEW
@given(grids())
@example(drawn("#.# .#. #.#"))
@example(drawn("##### #...# #.#.# #...# #####"))
def test_outlines_of_any_nodes_are_valid_and_hold_just_them(grid):
    expect_outlines(grid)


@FEW
@given(scene())
def test_outlines_of_roads_are_valid_and_hold_just_the_nodes(made):
    expect_outlines(Grid.inked(made))


@given(grids())
def test_runs_and_crossings_are_counted(grid):
    start = np.empty(grid.rows + 1, np.int64)
    assert count_runs(grid.bits, start) == len(grid.crossings())
    begins = grid.is_in & ~np.pad(grid.is_in, ((0, 0), (1, 0)))[:, :-1]
    np.testing.assert_array_equal(start, np.concatenate(([0], np.cumsum(begins.sum(axis=1)))))


@FEW
@given(scene(), st.sampled_from([1, 10, 150, 400]), st.sampled_from([0.0, 30.0]))
def test_areas_nest_exactly(made, more_ms, more_m):
    small = Grid.inked(made).shape()
    made.how |= {"limit": made.how["limit"] + more_ms, "trim": made.how["trim"] + more_m}
    assert shapely.covers(Grid.inked(made).shape(), small)


@FEW
@given(scene(), st.randoms(use_true_random=False))
def test_the_order_of_parts_does_not_matter(made, random):
    one = Grid.inked(made).trace()
    made.parts = random.sample(made.parts, len(made.parts))
    other = Grid.inked(made).trace()
    for name, values in vars(one).items():
        np.testing.assert_array_equal(getattr(other, name), values)


@FEW
@given(scene())
def test_reached_roads_lie_in_their_area(made):
    shape = Grid.inked(made).shape()
    for road, shares, _ in made.parts:
        line = shapely.LineString(made.roads[road][0])
        low, high = (share * line.length for share in shares)
        places = shapely.line_interpolate_point(line, np.linspace(low, high, 50))
        assert shapely.covers(shape, places).all()


def test_diagonal_neighbours_are_kept_apart():
    shape = expect_outlines(drawn("#. .#"))
    assert [polygon.area for polygon in shape.geoms] == [0.5, 0.5]


def test_a_hole_and_an_island_in_it_by_hand():
    """A frame of 5 x 5 nodes less corners of an eighth; the hole around the island has corners cut off it too."""
    shape = expect_outlines(drawn("##### #...# #.#.# #...# #####"))
    frame, island = sorted(shape.geoms, key=lambda polygon: -polygon.area)
    assert island.area == 0.5
    assert shapely.Polygon(frame.exterior).area == 25 - 4 * 0.125
    assert [shapely.Polygon(hole).area for hole in frame.interiors] == [9 - 4 * 0.125]


def test_crossings_are_at_whole_steps_and_never_at_a_node():
    grid = drawn("#")
    for reach, told in ((0, 1), (2, 2), (179, 179), (255, 255)):
        grid.reach[:] = reach
        parts = Counter(np.abs(grid.trace().xy[:-1]).ravel().tolist())
        assert parts == {0.0: 4, told / 256: 4}


def test_no_node_no_ring():
    rings = drawn(". .").trace()
    assert rings.xy.shape == (0, 2)
    assert (rings.ring.tolist(), rings.polygon.tolist()) == ([0], [0])
