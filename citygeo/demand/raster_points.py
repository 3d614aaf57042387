"""People of pixels at points of them: in the middle, or evenly over a lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo import hexgrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.io.pixel_ground import Ground
    from citygeo.io.pixels import Window

    Cells = NDArray[np.uint64]

AT_A_TIME = 1 << 18


def sums_at_points(
    ground: Ground, values: NDArray[np.float64], window: Window, resolution: int, points: int
) -> tuple[Cells, NDArray[np.float64], NDArray[np.bool_]]:
    """
    Add up the people of a window by the cells of points of its pixels.

    Parameters
    ----------
    ground
        Under the raster.
    values
        People, finite and not negative, `(rows, columns)`.
    window
        Where they are.
    resolution
        H3 resolution.
    points
        Points along a side of a pixel; 1 is its middle.

    Returns
    -------
    Cells, their sums, and which pixels have a point without a place, `(rows, columns)`: these are in no cell.
    """
    row, column = np.nonzero(values)
    cells, sums, is_lost = sums_of_pixels(
        ground, values[row, column], window.row + row, window.column + column, resolution, points
    )
    lost = np.zeros(values.shape, np.bool_)
    lost[row[is_lost], column[is_lost]] = True
    return cells, sums, lost


def sums_of_pixels(
    ground: Ground,
    people: NDArray[np.float64],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    resolution: int,
    points: int,
) -> tuple[Cells, NDArray[np.float64], NDArray[np.bool_]]:
    """
    Add up the people of single pixels by the cells of points of them, each point found by itself.

    Parameters
    ----------
    ground, resolution, points
        As for :func:`sums_at_points`.
    people, row, column
        Of the pixels, shape `(n,)`.

    Returns
    -------
    Cells, their sums, and which pixels have a point without a place, `(n,)`.
    """
    steps = (np.arange(points) + 0.5) / points
    down, right = (part.ravel() for part in np.meshgrid(steps, steps, indexing="ij"))
    is_lost = np.zeros(people.size, np.bool_)
    found, sums = [np.empty(0, np.uint64)], [np.empty(0)]
    step = max(1, AT_A_TIME // down.size)
    for low in range(0, people.size, step):
        own = slice(low, low + step)
        lon, lat = ground.lonlat(row[own, None] + down, column[own, None] + right)
        is_lost[own] = ~np.isfinite(lon).all(axis=1)
        has_place = ~is_lost[own]
        cells = hexgrid.cells_of_points(lon[has_place].ravel(), lat[has_place].ravel(), resolution, threads=1)
        each = np.repeat(people[own][has_place] / down.size, down.size)
        own_cells, own_sums = hexgrid.sums_by_cell(cells, each)
        found.append(own_cells)
        sums.append(own_sums)
    return *hexgrid.sums_by_cell(np.concatenate(found), np.concatenate(sums)), is_lost
