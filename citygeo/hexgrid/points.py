"""Cells of points, and the middles of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo._run import run_chunks
from citygeo.errors import error
from citygeo.hexgrid.inputs import locked, require_no_bad_rows, require_resolution
from citygeo.hexgrid.sets import require_cells

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Cells = NDArray[np.uint64]

CHUNK = 1 << 16  # about 6 ms: Ctrl-C is seen between two chunks
TURN = 360.0


def cells_of_points(lon: ArrayLike, lat: ArrayLike, resolution: int, *, threads: int | None = None) -> Cells:
    """
    Return the cell each point lies in.

    Parameters
    ----------
    lon, lat
        WGS 84 degrees, shape `(n,)`.
    resolution
        H3 resolution, 0 to 15; 9 is about 0.1 km² a cell.
    threads
        Number of threads; all processors if `None`. The result does not depend on it.

    Returns
    -------
    Cells, shape `(n,)`, each the one that h3-py gives: a point within 6 mm of an edge, which rounding might put into
    the cell beside it, is looked up there.

    Raises
    ------
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    InputError
        CG-IN-003 if a longitude or latitude is missing, infinite or out of range; CG-IN-004 if there is not one
        latitude a longitude.

    Examples
    --------
    >>> from citygeo.hexgrid import to_strings
    >>> to_strings(cells_of_points([-21.94], [64.147], 9))
    ['89075dd4bd7ffff']
    """
    from citygeo._kernels.cells import cells_at
    from citygeo._kernels.icosahedron import grid

    require_resolution(resolution)
    resolution = int(resolution)  # kernels are compiled for one kind of number
    x, y = locked(lon, np.float64), locked(lat, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise error(
            "CG-IN-004", argument="lat", value=f"{y.size} latitudes", rule="Each longitude has one latitude.",
            hint=f"There are {x.size} longitudes.",
        )  # fmt: skip
    # NaN fails both comparisons; the longitude of points moved over the antimeridian may pass 180
    is_bad = ~((np.abs(x) <= TURN) & (np.abs(y) <= TURN / 4))
    require_no_bad_rows(is_bad, "points", "lon/lat", "longitude and latitude in degrees")
    tables = grid(resolution)
    cells, is_near = np.empty(x.size, np.uint64), np.empty(x.size, np.bool_)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        own = slice(low, high)
        cells_at(x[own], y[own], resolution, *tables, cells[own], is_near[own])

    run_chunks(work, x.size, chunk=CHUNK, threads=threads)
    _look_up(x, y, resolution, np.flatnonzero(is_near), cells)
    return cells


def _look_up(
    x: NDArray[np.float64], y: NDArray[np.float64], resolution: int, rows: NDArray[np.int64], cells: Cells
) -> None:
    """Fill the cells of some rows by h3-py."""
    import h3.api.numpy_int as h3

    places = zip(y[rows].tolist(), x[rows].tolist(), strict=True)
    cells[rows] = np.fromiter(
        (h3.latlng_to_cell(*place, resolution) for place in places), np.uint64, rows.size
    )


def cell_centres(cells: Cells) -> NDArray[np.float64]:
    """
    Return the middle of each cell.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Returns
    -------
    WGS 84 longitude and latitude in degrees, shape `(n, 2)`: those of h3-py to 1e-11 degrees of a great circle.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> cell_centres(from_strings(["8928308280fffff"])).round(3)
    array([[-122.418,   37.777]])
    """
    from citygeo._kernels.icosahedron import ground
    from citygeo._kernels.outlines import middles

    given = require_cells(cells)
    middle, is_found = np.empty((given.size, 2)), np.empty(given.size, np.bool_)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        middles(given[low:high], ground().land, ground().frame, middle[low:high], is_found[low:high])

    run_chunks(work, given.size, chunk=CHUNK)
    rows = np.flatnonzero(~is_found)
    middle[rows] = _middles_by_h3(given[rows])
    return middle


def _middles_by_h3(cells: Cells) -> NDArray[np.float64]:
    """Return the middles of cells that touch an edge of the icosahedron, one by one."""
    import h3.api.numpy_int as h3

    lat_lon = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()], np.float64).reshape(-1, 2)
    return lat_lon[:, ::-1]
