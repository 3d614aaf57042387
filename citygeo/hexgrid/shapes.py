"""Outlines and areas of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo._run import run_chunks
from citygeo.hexgrid.hierarchy import resolutions
from citygeo.hexgrid.sets import require_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]

HALF_TURN = 180.0
CHUNK = 1 << 14  # some ms


def cell_polygons(cells: Cells) -> NDArray[np.object_]:
    """
    Return the outline of each cell.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Returns
    -------
    Polygons in WGS 84 degrees (lon, lat), shape `(n,)`. A cell on the antimeridian is drawn in one piece,
    past 180 degrees east. Corners are those of h3-py, in its order, to 1e-11 degrees of a great circle (beside a pole
    h3-py itself knows them less well); cells share corners to the last bit wherever theirs do in h3-py.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> cell_polygons(from_strings(["8928308280fffff"]))[0].geom_type
    'Polygon'
    """
    from citygeo._kernels.icosahedron import ground
    from citygeo._kernels.outlines import corners

    given = require_cells(cells)
    corner, is_found = np.empty((given.size, 7, 2)), np.empty(given.size, np.bool_)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        corners(given[low:high], *ground(), corner[low:high], is_found[low:high])

    run_chunks(work, given.size, chunk=CHUNK)
    polygons = np.empty(given.size, object)
    found, others = np.flatnonzero(is_found), np.flatnonzero(~is_found)
    polygons[found] = _drawn(corner[found].reshape(-1, 2), np.full(found.size, 7))
    polygons[others] = _drawn(*_looked_up(given[others]))
    return polygons


def _looked_up(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return longitudes and latitudes of the closed outlines of cells by h3-py, and how many each has."""
    import h3.api.numpy_int as h3

    from citygeo._kernels.icosahedron import ground
    from citygeo._kernels.outlines import shared_corners

    opened = (h3.cell_to_boundary(cell) for cell in cells.tolist())
    outlines = [(*outline, outline[0]) for outline in opened]
    counts = np.array([len(outline) for outline in outlines], np.int64)
    places = np.array([corner for outline in outlines for corner in outline], np.float64).reshape(-1, 2)
    corner = np.ascontiguousarray(places[:, ::-1])
    # h3-py tells a corner to the last digit or so; the cell beside it may not be one that is looked up
    shared = np.empty_like(corner)
    shared_corners(corner, np.repeat(resolutions(cells), counts).astype(np.int64), ground().frame, shared)
    return shared, counts


def _drawn(lon_lat: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the polygons of closed outlines of so many places, each in one piece."""
    if not counts.size:
        return np.empty(0, object)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    lon = lon_lat[:, 0]
    spread = np.maximum.reduceat(lon, offsets[:-1]) - np.minimum.reduceat(lon, offsets[:-1])
    if (spread > HALF_TURN).any():
        lon[np.repeat(spread > HALF_TURN, counts) & (lon < 0)] += 2 * HALF_TURN
    rings = offsets, np.arange(counts.size + 1)
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, lon_lat, rings))


def cell_areas_m2(cells: Cells) -> NDArray[np.float64]:
    """
    Return the area of each cell on the WGS 84 ellipsoid.

    H3's own figure takes latitudes as if the Earth were a sphere: 0.6 % too small in Iceland.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Returns
    -------
    Square metres, shape `(n,)`: those of PROJ's geodesics to 1e-10 and 1e-4 m², by which PROJ rounds.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> cell_areas_m2(from_strings(["8928308280fffff"])).round()
    array([109458.])
    """
    from citygeo._kernels.icosahedron import ground
    from citygeo._kernels.outlines import areas, corners

    given = require_cells(cells)
    m2, is_told = np.empty(given.size), np.empty(given.size, np.bool_)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        corner, is_small = np.empty((high - low, 7, 2)), np.empty(high - low, np.bool_)
        corners(given[low:high], *ground(), corner, is_told[low:high])
        areas(corner, m2[low:high], is_small)
        is_told[low:high] &= is_small

    run_chunks(work, given.size, chunk=CHUNK)
    rows = np.flatnonzero(~is_told)
    m2[rows] = _geodesic_areas(given[rows])
    return m2


def _geodesic_areas(cells: Cells) -> NDArray[np.float64]:
    """Return the areas of cells one by one: large ones, and those that are no plain hexagons."""
    import pyproj

    area_of = pyproj.Geod(ellps="WGS84").polygon_area_perimeter
    lon_lat, counts = _looked_up(cells)
    outlines = np.split(lon_lat, np.cumsum(counts)[:-1]) if counts.size else []
    return np.fromiter((abs(area_of(*outline.T)[0]) for outline in outlines), np.float64, counts.size)
