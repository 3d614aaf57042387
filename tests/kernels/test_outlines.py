"""Middles, corners and areas of cells against h3-py, the equation of the ellipsoid and Geod."""

from __future__ import annotations

import os

import h3.api.numpy_int as h3
import numpy as np
import pyproj
import pytest

from citygeo._kernels import outlines
from citygeo._kernels.icosahedron import FACES, ground
from tests.h3_places import RESOLUTIONS, anywhere, hard, oracle, to_vectors

IS_PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"  # a thousand times slower
N_ANYWHERE, N_HARD = (30, 1) if IS_PLAIN else (2000, 10)
BOUND, ROUNDING = 1e-13, 4e-15  # radians: 6e-12 degrees, less than a micrometre; a few last digits of 1
GEOD = pyproj.Geod(ellps="WGS84")
GEOD_ROUNDS_M2 = 2e-4  # whatever the size


def sampled(resolution):
    rng = np.random.default_rng(resolution)
    places = (anywhere(rng, N_ANYWHERE), hard(rng, N_HARD, resolution))
    cells = np.unique(np.concatenate([oracle(*place, resolution) for place in places]))
    return cells[:: 20 if IS_PLAIN else 1].copy()


def cornered(cells):
    tables = ground()
    corner, is_found = np.full((cells.size, 7, 2), np.nan), np.empty(cells.size, np.bool_)
    outlines.corners(cells, *tables, corner, is_found)
    return corner, is_found


def require_near(found, expected):
    """Beside a pole, h3-py loses digits: it takes the latitude as the arc sine of almost 1."""
    off = np.linalg.norm(found - expected, axis=1)
    assert (off < BOUND + ROUNDING / np.hypot(found[:, 0], found[:, 1])).all()


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_corners_and_middles_are_those_of_h3(resolution):
    cells = sampled(resolution)
    corner, is_found = cornered(cells)
    middle, is_known = np.full((cells.size, 2), np.nan), np.empty(cells.size, np.bool_)
    outlines.middles(cells, ground().land, ground().frame, middle, is_known)
    assert np.array_equal(is_found, is_known)
    assert np.array_equal(corner[is_found, 0], corner[is_found, -1])
    for cell, own, centre in zip(cells[is_found].tolist(), corner[is_found], middle[is_found], strict=True):
        expected = to_vectors(h3.cell_to_boundary(cell))
        assert len(expected) == 6
        require_near(to_vectors(own[:-1, ::-1]), expected)
        require_near(to_vectors(centre[::-1]), to_vectors(h3.cell_to_latlng(cell)))


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_just_the_cells_that_lie_on_one_face_are_found(resolution):
    cells = sampled(resolution)
    _, is_found = cornered(cells)
    n_faces = np.array([len(h3.get_icosahedron_faces(cell)) for cell in cells.tolist()])
    assert not is_found[n_faces > 1].any()
    # of even resolutions, edges of faces run along edges of no cells, but through their corners
    touching = np.array([len(h3.cell_to_boundary(cell)) for cell in cells.tolist()]) > 6
    assert not is_found[touching].any()
    assert (
        IS_PLAIN or resolution < 2 or is_found[n_faces == 1].mean() > 0.8
    )  # others have a corner on an edge


@pytest.mark.parametrize("odd", [0, 1])
def test_every_face_is_seen(odd):
    rng = np.random.default_rng(odd)
    cells = oracle(*anywhere(rng, 300), 4 + odd)
    faces = {int(outlines._found(cell, 4 + odd, ground().land)[0]) for cell in cells}
    assert faces >= set(range(len(FACES)))


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_corners_by_h3_become_those_that_cells_share(resolution):
    cells = sampled(resolution)
    corner, is_found = cornered(cells)
    is_found &= np.abs(corner[:, 0, 1]) < 89.9  # no edge of a face is near a pole
    own = corner[is_found, :-1].reshape(-1, 2).copy()
    told = [place[::-1] for cell in cells[is_found].tolist() for place in h3.cell_to_boundary(cell)]
    shared = np.empty_like(own)
    outlines.shared_corners(
        np.array(told, float).reshape(-1, 2), np.full(len(own), resolution), ground().frame, shared
    )
    assert np.array_equal(shared, own)


@pytest.mark.parametrize("resolution", [0, 3, 4, 5, 6, 7, 8, 9, 10])
def test_areas_are_those_of_geod(resolution):
    corner, m2, is_small = measured(resolution)
    expected = np.array([abs(GEOD.polygon_area_perimeter(*own[:-1].T)[0]) for own in corner])
    assert m2[is_small] == pytest.approx(expected[is_small], rel=1e-10, abs=GEOD_ROUNDS_M2)
    assert IS_PLAIN or resolution < 8 or is_small.mean() > 0.8


@pytest.mark.parametrize("resolution", [11, 12, 13, 14, 15])
def test_areas_of_fine_cells_are_exact_where_geod_rounds(resolution):
    corner, m2, is_small = measured(resolution)
    is_small &= np.abs(corner[:, 0, 1]) < 80  # where a straight line in the plane is a geodesic
    expected = np.array([cylindrical_m2(own) for own in corner])
    assert m2[is_small] == pytest.approx(expected[is_small], rel=1e-9)


def measured(resolution):
    corner, is_found = cornered(sampled(resolution))
    corner = corner[is_found]
    m2, is_small = np.empty(len(corner)), np.empty(len(corner), np.bool_)
    outlines.areas(corner, m2, is_small)
    return corner, m2, is_small


def cylindrical_m2(corner):
    """Area in the plane of the equal-area cylinder, in terms of differences; Snyder (1987), 3-12."""
    e2 = GEOD.es
    lon = corner[:, 0] - corner[0, 0]
    lon = np.radians(lon - 360 * np.rint(lon / 360))
    rise = np.radians(corner[:, 1] - corner[0, 1])
    # Gauss-Legendre of dq/dlat on from the first corner, which loses nothing to cancelling
    node, weight = np.polynomial.legendre.leggauss(5)
    lat = np.radians(corner[0, 1]) + rise[:, None] * (node + 1) / 2
    density = (1 - e2) * np.cos(lat) / (1 - e2 * np.sin(lat) ** 2) ** 2
    y = rise / 2 * (density @ weight)
    return abs(np.sum(lon[:-1] * y[1:] - lon[1:] * y[:-1])) / 2 * GEOD.a**2
