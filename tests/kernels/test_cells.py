"""Cells of points against h3-py: equal wherever a point is not flagged, and flagged only beside edges."""

from __future__ import annotations

import os

import h3.api.numpy_int as h3
import numpy as np
import pytest

from citygeo._kernels.cells import NEAR, cells_at
from citygeo._kernels.icosahedron import grid
from tests.h3_places import RESOLUTIONS, anywhere, corners, faces, hard, oracle, to_degrees, to_vectors

IS_PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"  # a thousand times slower
N_ANYWHERE, N_HARD = (40, 2) if IS_PLAIN else (19_000, 60)


def indexed(lon, lat, resolution):
    cell, is_near = np.empty(lon.size, np.uint64), np.empty(lon.size, np.bool_)
    cells_at(lon, lat, resolution, *grid(resolution), cell, is_near)
    return cell, is_near


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_cells_of_points_anywhere(resolution):
    lon, lat = anywhere(np.random.default_rng(resolution), N_ANYWHERE, 360.0)
    cell, is_near = indexed(lon, lat, resolution)
    expected = oracle(lon, lat, resolution)
    assert np.array_equal(cell[~is_near], expected[~is_near])
    # six edges of a hexagon, seen from its middle at 0.17 steps; a step at resolution 0 is 0.38 radians
    strip = NEAR / (0.38 * 7 ** (-resolution / 2))
    assert is_near.sum() <= 10 + 15 * strip * lon.size


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_cells_of_points_that_are_hard_to_tell(resolution):
    lon, lat = hard(np.random.default_rng(resolution), N_HARD, resolution)
    chosen = slice(None, None, 8) if IS_PLAIN else slice(None)
    lon, lat = lon[chosen].copy(), lat[chosen].copy()
    cell, is_near = indexed(lon, lat, resolution)
    assert np.array_equal(cell[~is_near], oracle(lon, lat, resolution)[~is_near])


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_points_on_corners_and_edges_are_flagged(resolution):
    lon, lat = anywhere(np.random.default_rng(resolution), 1 if IS_PLAIN else 20)
    cells = np.concatenate(
        [oracle(lon, lat, resolution), h3.get_pentagons(resolution)[:: 6 if IS_PLAIN else 1]]
    )
    outlines = [to_vectors(h3.cell_to_boundary(cell)) for cell in cells.tolist()]
    edges = [outline + np.roll(outline, 1, axis=0) for outline in outlines]
    _, is_near = indexed(*to_degrees(np.concatenate([*outlines, *edges])), resolution)
    assert is_near.all()


@pytest.mark.parametrize("resolution", [0, 1, 8, 9, 15])
def test_edges_and_middles_of_faces_are_flagged(resolution):
    corner = corners()
    face = np.array([[corner[cell] for cell in three] for three in faces()])
    places = np.concatenate([face[:, 0] + 0.3 * face[:, 1], face[:, 1] + face[:, 2], face.sum(axis=1)])
    assert indexed(*to_degrees(places), resolution)[1].all()


def test_a_point_of_a_block_does_not_depend_on_the_others():
    lon, lat = anywhere(np.random.default_rng(1), 60 if IS_PLAIN else 1500)
    cell, _ = indexed(lon, lat, 9)
    for part in (slice(0, 1), slice(7, 50), slice(-3, None), slice(0, 0)):
        assert np.array_equal(indexed(lon[part], lat[part], 9)[0], cell[part])
