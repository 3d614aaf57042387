"""Pixels by cell: what is no number of people, and places that follow from nine nodes, against loops and h3-py."""

from __future__ import annotations

import math
import os

import h3.api.numpy_int as h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels import cells, pixels
from citygeo._kernels.icosahedron import grid
from citygeo.demand.raster_points import DOWN, RIGHT
from tests.h3_places import anywhere, corners, faces, oracle, to_degrees

IS_PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
SIZE = 8
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 2.5, -1.0, -9999.0, 255.0, math.nan, math.inf, -math.inf, 1e-300])


def locked(values, dtype):
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def tidied(values, nodata, is_nan_empty):
    values = np.array(values)
    shape = -(-values.shape[0] // SIZE), -(-values.shape[1] // SIZE)
    counts, extremes, is_inhabited = np.full(3, 9), np.full(2, 9.0), np.ones(shape, np.bool_)
    pixels.tidy(values, nodata, is_nan_empty, SIZE, counts, extremes, is_inhabited)
    return values, counts.tolist(), extremes.tolist(), is_inhabited


@given(
    st.integers(1, 20).flatmap(
        lambda n: st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1, max_size=20)
    ),
    st.sampled_from([math.nan, -9999.0, 255.0, 0.0, math.inf]),
    st.booleans(),
)
def test_what_is_no_number_of_people_becomes_nobody(values, nodata, is_nan_empty):
    found, counts, extremes, is_inhabited = tidied(values, nodata, is_nan_empty)
    expected = [0, 0, 0]
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            is_nodata = is_nan_empty if math.isnan(value) else value == nodata
            is_people = not is_nodata and 0 <= value < math.inf
            assert found[row, column] == (value if is_people else 0)
            if is_nodata:
                expected[0] += 1
            elif not math.isfinite(value):
                expected[1] += 1
            elif value < 0:
                expected[2] += 1
    assert counts == expected
    negative = [v for line in values for v in line if -math.inf < v < 0 and v != nodata]
    assert extremes == [min(negative, default=0), found.max()]
    for row, column in np.ndindex(is_inhabited.shape):
        block = found[row * SIZE : (row + 1) * SIZE, column * SIZE : (column + 1) * SIZE]
        assert is_inhabited[row, column] == bool((block > 0).any())


def places(lon_of, lat_of, block, shape, resolution):
    """What `add_pixels` wants of blocks, with places by functions of row and column."""
    low = np.asarray(block) * SIZE
    sides = np.minimum(low + SIZE, shape) - low
    row, column = low[:, :1] + sides[:, :1] * DOWN, low[:, 1:] + sides[:, 1:] * RIGHT
    lon, lat = lon_of(row, column).ravel(), lat_of(row, column).ravel()
    tables, n = grid(resolution), lon.size
    a, b, code, gap = np.empty(n), np.empty(n), np.empty(n, np.int64), np.empty(n)
    cells.places_at(locked(lon, float), locked(lat, float), tables.axes, tables.steps, a, b, code, gap)
    return [part.reshape(-1, DOWN.size) for part in (a, b, code, gap)]


def added(values, lon_of, lat_of, resolution, points=1, room=pixels.GRID):
    """Cells and people of a raster, which pixels were left, and how often there was no more room."""
    block = locked(list(np.ndindex(-(-values.shape[0] // SIZE), -(-values.shape[1] // SIZE))), np.int64)
    given_places = places(lon_of, lat_of, block, values.shape, resolution)
    a, b, code, people = (np.empty(room, dtype) for dtype in (np.int64, np.int64, np.int64, np.float64))
    is_left = np.zeros(values.shape, np.bool_)
    found, done, turns = {}, 0, 0
    tables = grid(resolution)
    while done < len(block):
        done, n = pixels.add_pixels(
            values, SIZE, points, resolution, block, *given_places, done, a, b, code, people, is_left
        )
        cell = np.empty(n, np.uint64)
        cells.cells_of_places(a[:n], b[:n], code[:n], resolution, tables.home, tables.pair, cell)
        for one, number in zip(cell.tolist(), people[:n].tolist(), strict=True):
            found[one] = found.get(one, 0.0) + number
        turns += 1
    return found, is_left, turns


def expected_of(values, is_left, lon_of, lat_of, resolution, points=1):
    found = {}
    for row, column in np.argwhere((values > 0) & ~is_left):
        for i, j in np.ndindex(points, points):
            at = row + (i + 0.5) / points, column + (j + 0.5) / points
            cell = h3.latlng_to_cell(float(lat_of(*at)), float(lon_of(*at)), resolution)
            found[cell] = found.get(cell, 0.0) + values[row, column] / points**2
    return found


def linear(lon, lat, step):
    return (
        lambda row, column: lon + step * column + 0 * row,
        lambda row, column: lat - step * row + 0 * column,
    )


def same(found, expected):
    assert found.keys() == expected.keys()
    assert list(found.values()) == pytest.approx([expected[cell] for cell in found], rel=1e-12)


@pytest.mark.parametrize("resolution", [0, 4, 7, 8, 9, 11, 15])
@pytest.mark.parametrize("points", [1, 3])
def test_cells_are_those_of_h3(resolution, points):
    rng = np.random.default_rng(resolution)
    shape = (9, 12) if IS_PLAIN else (25, 30)
    for lon, lat in zip(*anywhere(rng, 1 if IS_PLAIN else 3, 170.0), strict=True):
        where = linear(lon, np.clip(lat, -80, 80), 0.3 * 7 ** (-resolution / 2) if resolution else 0.5)
        values = rng.random(shape) * (rng.random(shape) < 0.6)
        found, is_left, _ = added(values, *where, resolution, points)
        assert not (is_left & (values == 0)).any()
        same(found, expected_of(values, is_left, *where, resolution, points))


def test_few_pixels_are_left_to_others():
    rng = np.random.default_rng(1)
    where = linear(29.4, -3.2, 0.0025)
    values = rng.random((SIZE, SIZE) if IS_PLAIN else (160, 160)) + 0.1
    found, is_left, _ = added(values, *where, 8)
    assert is_left.mean() < 0.005
    assert sum(found.values()) == pytest.approx(values[~is_left].sum(), rel=1e-12)


def test_the_less_room_the_more_turns_with_the_same_sums():
    where = linear(29.4, -3.2, 0.001)
    values = np.ones((24, 40))
    found, _, turns = added(values, *where, 9, room=10 * pixels.GRID)
    again, _, more = added(values, *where, 9, room=150)
    assert turns == 1 < more
    assert found == again


@pytest.mark.parametrize("resolution", [5, 8, 11])
def test_blocks_at_edges_and_middles_of_faces_are_left(resolution):
    corner = corners()
    face = np.array([[corner[cell] for cell in three] for three in faces()])
    places_of_faces = np.concatenate([face[:, 0] + 0.3 * face[:, 1], face.sum(axis=1), face[:, 2]])
    for lon, lat in list(zip(*to_degrees(places_of_faces), strict=True))[:: 20 if IS_PLAIN else 3]:
        where = linear(lon - 4e-3, lat + 4e-3, 1e-3)
        _, is_left, _ = added(np.ones((SIZE, SIZE)), *where, resolution)
        assert is_left.all()


def test_bent_and_broken_ground_is_left():
    values = np.ones((SIZE, SIZE))
    lon_of, lat_of = linear(29.4, -3.2, 0.01)
    kinds = {
        "bent": (lambda row, column: lon_of(row, column) + 0.01 * np.sin(row), lat_of),
        "torn": (
            lambda row, column: np.where(column > 5, 200 - lon_of(row, column), lon_of(row, column)),
            lat_of,
        ),
        "vast": linear(10.0, 40.0, 5.0),
        "finer than cells": linear(29.4, -3.2, 0.05),
    }
    for name, where in kinds.items():
        _, is_left, _ = added(values, *where, 8 if name != "finer than cells" else 12)
        assert is_left.all(), name


def test_a_place_that_is_none_leaves_its_block():
    values, block = np.ones((SIZE, SIZE)), locked([(0, 0)], np.int64)
    a, b, code, gap = places(*linear(29.4, -3.2, 0.001), block, values.shape, 8)
    gap[0, 12] = np.nan
    out = [np.empty(pixels.GRID, dtype) for dtype in (np.int64, np.int64, np.int64, np.float64)]
    is_left = np.zeros(values.shape, np.bool_)
    assert pixels.add_pixels(values, SIZE, 1, 8, block, a, b, code, gap, 0, *out, is_left) == (1, 0)
    assert is_left.all()


@pytest.mark.parametrize("resolution", [0, 3, 8, 15])
def test_places_lead_to_the_cell_of_the_point(resolution):
    lon, lat = anywhere(np.random.default_rng(resolution), 20 if IS_PLAIN else 2000)
    tables, n = grid(resolution), lon.size
    a, b, code, gap = np.empty(n), np.empty(n), np.empty(n, np.int64), np.empty(n)
    cells.places_at(locked(lon, float), locked(lat, float), tables.axes, tables.steps, a, b, code, gap)
    # a cell lies on one face whole if its place is as far from the edges as it is large
    is_inside = gap > 0.4 * 7 ** (-resolution / 2)
    near = [pixels._nearest(*place)[:2] for place in zip(a.tolist(), b.tolist(), strict=True)]
    near_a, near_b = np.array(near).astype(np.int64).T.copy()
    found = np.empty(n, np.uint64)
    cells.cells_of_places(near_a, near_b, code, resolution, tables.home, tables.pair, found)
    assert np.array_equal(found[is_inside], oracle(lon, lat, resolution)[is_inside])
    assert resolution < 2 or is_inside.mean() > 0.3
