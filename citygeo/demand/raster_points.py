"""People of pixels at points of them: in the middle, or evenly over a lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo import hexgrid
from citygeo.hexgrid.inputs import locked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.io.pixel_ground import Ground
    from citygeo.io.pixels import Window

    Cells = NDArray[np.uint64]

BLOCK = 64  # rows and columns
AT_A_TIME = 1 << 18  # points that are looked up one by one
ROOM = 1 << 17  # sums of blocks at a time
# rows and columns of the places of a block that the kernel wants, in shares of its sides
_NODES = [(down, right) for down in (0.0, 0.5, 1.0) for right in (0.0, 0.5, 1.0)]
_CHECKS = [(down, right) for down in (0.25, 0.75) for right in (0.25, 0.75)]
DOWN, RIGHT = np.array(_NODES + _CHECKS).T


def sums_at_points(
    ground: Ground,
    values: NDArray[np.float64],
    is_inhabited: NDArray[np.bool_],
    window: Window,
    resolution: int,
    points: int,
) -> tuple[Cells, NDArray[np.float64], NDArray[np.bool_]]:
    """
    Add up the people of a window by the cells of points of its pixels.

    Parameters
    ----------
    ground
        Under the raster.
    values
        People, finite and not negative, `(rows, columns)`.
    is_inhabited
        Which blocks have people, from the kernel `pixels.tidy`.
    window
        Where they are.
    resolution
        H3 resolution.
    points
        Points along a side of a pixel; 1 is its middle.

    Returns
    -------
    Cells, their sums (a cell may occur again), and which pixels have no point with a place, `(rows, columns)`: these
    are in no cell.
    """
    cells, sums, is_left = _sums_of_blocks(ground, values, is_inhabited, window, resolution, points)
    row, column = np.divmod(np.flatnonzero(is_left), window.columns)
    rest_cells, rest_sums, is_lost = sums_of_pixels(
        ground, values[row, column], window.row + row, window.column + column, resolution, points
    )
    is_left[row[~is_lost], column[~is_lost]] = False
    return np.concatenate([*cells, rest_cells]), np.concatenate([*sums, rest_sums]), is_left


def _sums_of_blocks(
    ground: Ground,
    values: NDArray[np.float64],
    is_inhabited: NDArray[np.bool_],
    window: Window,
    resolution: int,
    points: int,
) -> tuple[list[Cells], list[NDArray[np.float64]], NDArray[np.bool_]]:
    """Return cells and sums of blocks, and which pixels are not in them."""
    from citygeo._kernels.cells import cells_of_places
    from citygeo._kernels.icosahedron import grid
    from citygeo._kernels.pixels import add_pixels

    tables = grid(resolution)
    block = locked(np.argwhere(is_inhabited), np.int64)
    places = _places_of_blocks(ground, block, window, resolution)
    is_left = np.zeros(values.shape, np.bool_)
    cells: list[Cells] = []
    sums: list[NDArray[np.float64]] = []
    a, b, code = (np.empty(ROOM, np.int64) for _ in range(3))
    done = 0
    while done < len(block):
        people = np.empty(ROOM)
        done, n = add_pixels(
            values, BLOCK, points, resolution, block, *places, done, a, b, code, people, is_left
        )
        found = np.empty(n, np.uint64)
        cells_of_places(a[:n], b[:n], code[:n], resolution, tables.home, tables.pair, found)
        cells.append(found)
        sums.append(people[:n])
    return cells, sums, is_left


def _places_of_blocks(
    ground: Ground, block: NDArray[np.int64], window: Window, resolution: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return what `add_pixels` wants of nodes and checks: the places on faces, codes and gaps."""
    from citygeo._kernels.cells import places_at
    from citygeo._kernels.icosahedron import grid

    low = block * BLOCK
    sides = np.minimum(low + BLOCK, (window.rows, window.columns)) - low
    row = window.row + low[:, :1] + sides[:, :1] * DOWN
    column = window.column + low[:, 1:] + sides[:, 1:] * RIGHT
    lon, lat = ground.lonlat(row.ravel(), column.ravel())
    is_none = ~np.isfinite(lon)
    lon[is_none] = lat[is_none] = 0.0
    n, tables = lon.size, grid(resolution)
    a, b, code, gap = np.empty(n), np.empty(n), np.empty(n, np.int64), np.empty(n)
    places_at(locked(lon, np.float64), locked(lat, np.float64), tables.axes, tables.steps, a, b, code, gap)
    gap[is_none] = np.nan
    shape = (len(block), DOWN.size)
    return a.reshape(shape), b.reshape(shape), code.reshape(shape), gap.reshape(shape)


def sums_of_pixels(
    ground: Ground,
    people: NDArray[np.float64],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    resolution: int,
    points: int,
) -> tuple[Cells, NDArray[np.float64], NDArray[np.bool_]]:
    """
    Add up the people of single pixels by the cells of points of them, each point looked up by itself.

    At the edge of the map, they are shared among the points that have a place.

    Parameters
    ----------
    ground, resolution, points
        As for :func:`sums_at_points`.
    people, row, column
        Of the pixels, shape `(n,)`.

    Returns
    -------
    Cells, their sums (a cell may occur again), and which pixels have no point with a place, `(n,)`.
    """
    steps = (np.arange(points) + 0.5) / points
    down, right = (part.ravel() for part in np.meshgrid(steps, steps, indexing="ij"))
    is_lost = np.zeros(people.size, np.bool_)
    found, sums = [np.empty(0, np.uint64)], [np.empty(0)]
    step = max(1, AT_A_TIME // down.size)
    for low in range(0, people.size, step):
        own = slice(low, low + step)
        lon, lat = ground.lonlat(row[own, None] + down, column[own, None] + right)
        has_place = np.isfinite(lon)
        n_places = has_place.sum(axis=1)
        is_lost[own] = n_places == 0
        cells = hexgrid.cells_of_points(lon[has_place], lat[has_place], resolution, threads=1)
        each = np.repeat(people[own] / np.maximum(n_places, 1), n_places)
        own_cells, own_sums = hexgrid.sums_by_cell(cells, each)
        found.append(own_cells)
        sums.append(own_sums)
    return np.concatenate(found), np.concatenate(sums), is_lost
