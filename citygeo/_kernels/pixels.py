"""
People of pixels, added up by H3 cell.

Places on a face of the icosahedron change so smoothly from pixel to pixel that within a block of some dozen rows and
columns they follow from those of nine nodes. Four more places tell how wrong that is. Pixels whose points lie so near
to an edge between cells that it matters are left to others, as are whole blocks at the edge of a face.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NODES = 9  # at 0, 1/2 and 1 of the rows, and for each, of the columns
PLACES = 13  # and the checks, at 1/4 and 3/4
CENTRE = 4
SAFETY = 4.0  # how often the error at the checks may be that of other points
MOST_ERROR = 1e-3  # steps
NEAR = 1e-9  # radians, as in `cells`
STRETCH = 4.2  # steps of resolution 0 in a radian, at most
LEAST_GAP = 1e-6  # radians to the edge of a face
GRID = 1 << 14  # cells around a block


@kernel
def _is_tidy(values: NDArray[np.float64], nodata: Any) -> Any:
    """Tell whether all are numbers of people."""
    n = 0
    for value in values:
        n += (value >= 0.0) & (value < np.inf) & (value != nodata)
    return n == values.size


@kernel
def _tidy(values: Any, nodata: Any, is_nan_empty: Any, out_counts: Any, out_extremes: Any) -> None:
    """Do so for a few pixels; see `tidy`."""
    for i, value in enumerate(values):
        if 0.0 <= value < np.inf and value != nodata:
            continue
        values[i] = 0.0
        if value == nodata or (is_nan_empty and value != value):  # noqa: PLR0124
            out_counts[0] += 1
        elif abs(value) < np.inf:
            out_counts[2] += 1
            out_extremes[0] = min(out_extremes[0], value)
        else:
            out_counts[1] += 1


@kernel
def tidy(
    values: NDArray[np.float64], nodata: Any, is_nan_empty: Any, size: Any, out_counts: NDArray[np.int64],
    out_extremes: NDArray[np.float64], out_is_inhabited: NDArray[np.bool_],
) -> None:  # fmt: skip
    """
    Make 0 of all that is no number of people.

    Parameters
    ----------
    values
        float64 `(rows, columns)`. Changed: numbers of people are left, finite and not negative.
    nodata
        The number that stands for no data; NaN if none does.
    is_nan_empty
        Whether NaN stands for no data.
    size
        Rows and columns of a block.
    out_counts
        int64 `(3,)`. Filled: pixels of no data, that are NaN or infinite, and that are negative.
    out_extremes
        float64 `(2,)`. Filled: the least of the negative, or 0, and the most people.
    out_is_inhabited
        bool `(blocks down, blocks across)`. Filled: whether a pixel of the block has people.
    """
    out_counts[:] = 0
    out_extremes[:] = 0.0
    out_is_inhabited[:] = False
    for row in range(values.shape[0]):
        for left in range(0, values.shape[1], size):
            part = values[row, left : left + size]
            if not _is_tidy(part, nodata):
                _tidy(part, nodata, is_nan_empty, out_counts, out_extremes)
            most = 0.0
            for value in part:
                most = max(most, value)
            out_extremes[1] = max(out_extremes[1], most)
            out_is_inhabited[row // size, left // size] |= most > 0.0


@kernel
def _quadratic(nodes: Any, out: NDArray[np.float64]) -> None:
    """Fill the coefficients `(3, 3)` of powers of row and column, both 0 to 1, from the nodes."""
    work = np.empty((3, 3))
    for i in range(3):
        first, middle, last = nodes[3 * i], nodes[3 * i + 1], nodes[3 * i + 2]
        work[i, 0] = first
        work[i, 1] = 4.0 * middle - 3.0 * first - last
        work[i, 2] = 2.0 * (first + last) - 4.0 * middle
    for j in range(3):
        first, middle, last = work[0, j], work[1, j], work[2, j]
        out[0, j] = first
        out[1, j] = 4.0 * middle - 3.0 * first - last
        out[2, j] = 2.0 * (first + last) - 4.0 * middle


@kernel
def _in_row(of: NDArray[np.float64], v: Any, j: Any) -> Any:
    return of[0, j] + v * (of[1, j] + v * of[2, j])


@kernel
def _error(of: NDArray[np.float64], places: Any) -> Any:
    """Return how far the checks are from what the coefficients say, at most."""
    most = 0.0
    for i in range(NODES, PLACES):
        v, u = 0.25 + 0.5 * ((i - NODES) // 2), 0.25 + 0.5 * ((i - NODES) % 2)
        told = _in_row(of, v, 0) + u * (_in_row(of, v, 1) + u * _in_row(of, v, 2))
        most = max(most, abs(told - places[i]))
    return most


@kernel
def _nearest(a: Any, b: Any) -> Any:
    """Return the nearest cell to a place, and how far the nearest edge is, in steps; as in `cells`."""
    c = b - a
    near_a, near_b, near_c = np.floor(a + 0.5), np.floor(b + 0.5), np.floor(c + 0.5)
    off_a, off_b, off_c = abs(a - near_a), abs(b - near_b), abs(c - near_c)
    from_a, from_b = near_b - near_c, near_a + near_c
    is_a = off_a > off_b and off_a > off_c
    is_b = off_b >= off_a and off_b > off_c
    near_a = from_a if is_a else near_a
    near_b = from_b if is_b else near_b
    u, v = a - near_a, b - near_b
    return near_a, near_b, 0.5 - max(abs(u - 0.5 * v), abs(v - 0.5 * u), 0.5 * abs(u + v))


@kernel
def _is_plain(code: Any, gap: Any, extent: Any) -> Any:
    """Tell whether a block lies on one face, clear of its edges and its middle, neither of which bulges into it."""
    least, is_plain = max(LEAST_GAP, extent * extent), True
    for i in range(PLACES):
        is_plain &= code[i] == code[CENTRE] and gap[i] > least
    return is_plain


@kernel
def _leave(
    values: NDArray[np.float64], top: Any, bottom: Any, left: Any, right: Any, out_is_left: NDArray[np.bool_]
) -> None:
    """Leave the people of a block to others."""
    for row in range(top, bottom):
        for column in range(left, right):
            out_is_left[row, column] = values[row, column] > 0.0


@kernel
def _is_empty(values: NDArray[np.float64], row: Any, left: Any, right: Any) -> Any:
    """Tell whether nobody lives in a row of a block."""
    most = 0.0
    for column in range(left, right):
        most = max(most, values[row, column])
    return most == 0.0


@kernel
def _fill_slots(
    of_a: NDArray[np.float64], of_b: NDArray[np.float64], v: Any, u: NDArray[np.float64], slack: Any, frame: Any,
    out_slot: NDArray[np.float64],
) -> None:  # fmt: skip
    """Fill the place in the grid around the block of each point of a line, -1 where it is not sure."""
    a0, a1, a2 = _in_row(of_a, v, 0), _in_row(of_a, v, 1), _in_row(of_a, v, 2)
    b0, b1, b2 = _in_row(of_b, v, 0), _in_row(of_b, v, 1), _in_row(of_b, v, 2)
    low_a, low_b, n_a, n_b = frame
    for i in range(
        u.size
    ):  # without a branch or a whole number: the compiler then takes several points at a time
        a, b, margin = _nearest(a0 + u[i] * (a1 + u[i] * a2), b0 + u[i] * (b1 + u[i] * b2))
        at_a, at_b = a - low_a, b - low_b
        room = min(at_a, n_a - 1.0 - at_a, at_b, n_b - 1.0 - at_b)
        out_slot[i] = at_a * n_b + at_b if min(margin - slack, room + 0.5) > 0.0 else -1.0


@kernel
def _add_row(
    values: NDArray[np.float64], row: Any, left: Any, slot: NDArray[np.float64], width: Any, grid: NDArray[np.float64],
    out_is_left: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Add the people of a row of a block to the grid, those of unsure pixels excepted."""
    n_points = slot.shape[0]
    part = 1.0 / n_points
    for column in range(width):
        value = values[row, left + column]
        if value == 0.0:
            continue
        is_sure = True
        for i in range(n_points):
            is_sure &= slot[i, column] >= 0.0
        if not is_sure:
            out_is_left[row, left + column] = True
            continue
        for i in range(n_points):
            grid[np.int64(slot[i, column])] += value * part


@kernel
def add_pixels(
    values: NDArray[np.float64],
    size: Any,
    points: Any,
    resolution: Any,
    block: NDArray[np.int64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    code: NDArray[np.int64],
    gap: NDArray[np.float64],
    first: Any,
    out_a: NDArray[np.int64],
    out_b: NDArray[np.int64],
    out_code: NDArray[np.int64],
    out_people: NDArray[np.float64],
    out_is_left: NDArray[np.bool_],
) -> Any:
    """
    Add people up by cell, block by block, until there is no more room.

    Parameters
    ----------
    values
        float64 `(rows, columns)`: people, finite and not negative.
    size
        Rows and columns of a block.
    points
        Points along a side of a pixel, among which its people are divided; 1 is its middle.
    resolution
        0 to 15.
    block
        int64 `(k, 2)`: row and column of blocks.
    a, b, code, gap
        float64, float64, int64, float64 `(k, 13)`: from `cells.places_at`, at nodes and checks of each block. A gap of
        NaN says that a place is none.
    first
        The block to begin with.
    out_a, out_b, out_code, out_people
        int64, int64, int64, float64 `(m,)`, `m` at least `GRID`. Filled: places of cells, the code of their face, and
        people there.
    out_is_left
        bool `(rows, columns)`. Set where the people of a pixel are not in the sums.

    Returns
    -------
    The block to go on with, and how many sums were filled.
    """
    step = 0.4 * 7.0 ** (-0.5 * resolution)  # radians, no less than it is
    of_a, of_b, grid = np.empty((3, 3)), np.empty((3, 3)), np.zeros(GRID)
    slot, u = np.empty((points * points, size)), np.empty(size)
    n = 0
    for k in range(first, block.shape[0]):
        top, left = block[k, 0] * size, block[k, 1] * size
        bottom, right = min(top + size, values.shape[0]), min(left + size, values.shape[1])
        extent = step * (a[k].max() - a[k].min() + b[k].max() - b[k].min())
        low_a, low_b = np.floor(a[k].min()) - 1.0, np.floor(b[k].min()) - 1.0
        n_a, n_b = np.floor(a[k].max()) + 3.0 - low_a, np.floor(b[k].max()) + 3.0 - low_b
        _quadratic(a[k], of_a)
        _quadratic(b[k], of_b)
        error = SAFETY * (_error(of_a, a[k]) + _error(of_b, b[k]))
        if not _is_plain(code[k], gap[k], extent) or n_a * n_b > GRID or error > MOST_ERROR:
            _leave(values, top, bottom, left, right, out_is_left)
            continue
        n_cells = np.int64(n_a * n_b)
        if n + n_cells > out_a.size:
            return k, n
        slack = error + NEAR * STRETCH * 7.0 ** (0.5 * resolution)
        height, width = bottom - top, right - left
        for row in range(top, bottom):
            if _is_empty(values, row, left, right):
                continue
            for i in range(points):
                v = (row - top + (i + 0.5) / points) / height
                for j in range(points):
                    for column in range(width):
                        u[column] = (column + (j + 0.5) / points) / width
                    frame = low_a, low_b, n_a, n_b
                    _fill_slots(of_a, of_b, v, u[:width], slack, frame, slot[i * points + j])
            _add_row(values, row, left, slot, width, grid, out_is_left)
        for i in range(n_cells):
            if grid[i] > 0.0:
                out_a[n], out_b[n] = np.int64(low_a) + i // np.int64(n_b), np.int64(low_b) + i % np.int64(n_b)
                out_code[n], out_people[n] = code[k, CENTRE], grid[i]
                grid[i] = 0.0
                n += 1
    return block.shape[0], n
