"""
What the bits of an H3 cell say: is it one, its resolution, parent, children, neighbours, place in the hierarchy; sums.

Bits from the top: 0, kind 0001, 000, resolution (4), base cell (7), then 15 digits of 3 bits, 7 below the resolution.
A pentagon has no child 1, and so no cell has 1 as its first digit that is not 0 below the base cell of a pentagon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel
from citygeo._kernels.icosahedron import PENTAGONS, step_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

# uint64, because numba would turn a sum with a plain number into int64
B0, B1, B2, B3, B4, B7 = (np.uint64(bits) for bits in (0, 1, 2, 3, 4, 7))
FINEST, N_BASE_CELLS, HALF = np.uint64(15), np.uint64(122), np.uint64(64)
RESOLUTION_AT, BASE_AT, KIND_AT = np.uint64(52), np.uint64(45), np.uint64(56)
CELL_KIND = np.uint64(0b00001000)
DIGITS, LOWEST = np.uint64(2**45 - 1), np.uint64(int("001" * 15, 2))
HOME = np.uint64(2**52 - 1)  # base cell and digits
LOW_PENTAGONS = np.uint64(sum(1 << cell for cell in PENTAGONS if cell < 64))
HIGH_PENTAGONS = np.uint64(sum(1 << cell - 64 for cell in PENTAGONS if cell >= 64))
# digits whose children lie to the right of the middle child, and then on to the left by 60 degrees each
AROUND = np.array([4, 6, 2, 3, 1, 5], np.uint64)
STEPS = step_table()
# odd numbers of 31 bits: the two products and their sum fit in 64 bits
MIX_LOW, MIX_HIGH = np.uint64(0x5BD1E995), np.uint64(0x7FEB352D)
WORD, LOW_WORD, FOLD = np.uint64(32), np.uint64(2**32 - 1), np.uint64(12)


@kernel
def _resolution(cell: Any) -> Any:
    """Return the resolution of a cell."""
    return cell >> RESOLUTION_AT & FINEST


@kernel
def _rest(resolution: Any) -> Any:
    """Return the bits below a resolution, all set."""
    return (B1 << B3 * (FINEST - resolution)) - B1


@kernel
def _is_at_pentagon(cell: Any) -> Any:
    """Tell whether the base cell is a pentagon."""
    base = cell >> BASE_AT & np.uint64(127)
    word = LOW_PENTAGONS if base < HALF else HIGH_PENTAGONS
    return word >> (base & np.uint64(63)) & B1 == B1


@kernel
def _is_cell(cell: Any) -> Any:
    """Tell whether a number is a cell."""
    if cell >> KIND_AT != CELL_KIND or cell >> BASE_AT & np.uint64(127) >= N_BASE_CELLS:
        return False
    rest = _rest(_resolution(cell))
    used = cell & DIGITS & ~rest
    has_seven = used & used >> B1 & used >> B2 & LOWEST
    if cell & rest != rest or has_seven != B0:
        return False
    if not _is_at_pentagon(cell) or used == B0:
        return True
    while used > B7:
        used = used >> B3
    return used != B1


@kernel
def _is_pentagon(cell: Any) -> Any:
    """Tell whether a cell is a pentagon: the middle child of the middle child ... of one."""
    return _is_at_pentagon(cell) and cell & DIGITS & ~_rest(_resolution(cell)) == B0


@kernel
def _mixed(cell: Any) -> Any:
    """Return a number whose low bits differ where cells do; fine cells differ in their low bits, coarse ones above."""
    mixed = (cell & LOW_WORD) * MIX_LOW + (cell >> WORD) * MIX_HIGH
    return mixed ^ mixed >> FOLD ^ mixed >> WORD


@kernel
def resolutions(cell: NDArray[np.uint64], out_resolution: NDArray[np.uint8]) -> None:
    """
    Find the resolution of each cell.

    Parameters
    ----------
    cell
        uint64 `(n,)`: cells.
    out_resolution
        uint8 `(n,)`. Filled.
    """
    for i in range(cell.size):
        out_resolution[i] = _resolution(cell[i])


@kernel
def parents(cell: NDArray[np.uint64], resolution: Any, out_parent: NDArray[np.uint64]) -> None:
    """
    Find the cell of a resolution in which each cell is counted.

    Parameters
    ----------
    cell
        uint64 `(n,)`: any numbers.
    resolution
        0 to 15.
    out_parent
        uint64 `(n,)`. Filled: 0 for what is no cell or is coarser than the resolution.
    """
    wanted = np.uint64(resolution)
    rest = _rest(wanted)
    for i in range(cell.size):
        out_parent[i] = B0
        if _is_cell(cell[i]) and _resolution(cell[i]) >= wanted:
            out_parent[i] = (cell[i] & ~(FINEST << RESOLUTION_AT)) | wanted << RESOLUTION_AT | rest


@kernel
def children_counts(cell: NDArray[np.uint64], resolution: Any, out_count: NDArray[np.int64]) -> None:
    """
    Count the cells of a resolution in each cell.

    Parameters
    ----------
    cell
        uint64 `(n,)`: any numbers.
    resolution
        0 to 15.
    out_count
        int64 `(n,)`. Filled: 0 for what is no cell or is finer than the resolution.
    """
    for i in range(cell.size):
        out_count[i] = 0
        if _is_cell(cell[i]) and _resolution(cell[i]) <= np.uint64(resolution):
            hexagons = 7 ** (resolution - np.int64(_resolution(cell[i])))
            # a pentagon is one pentagon and five hexagons, and so on in that pentagon
            out_count[i] = 1 + 5 * (hexagons - 1) // 6 if _is_pentagon(cell[i]) else hexagons


@kernel
def children(cell: NDArray[np.uint64], resolution: Any, out_child: NDArray[np.uint64]) -> None:
    """
    List the cells of a resolution in each cell, in the order of their numbers.

    Parameters
    ----------
    cell
        uint64 `(n,)`: cells of the resolution or coarser ones.
    resolution
        0 to 15.
    out_child
        uint64, as long as `children_counts` say. Filled.
    """
    wanted = np.uint64(resolution)
    rest = _rest(wanted)
    at = 0
    for i in range(cell.size):
        upper = _resolution(cell[i])
        first = (cell[i] & ~(FINEST << RESOLUTION_AT) & ~_rest(upper)) | wanted << RESOLUTION_AT | rest
        has_gaps = _is_pentagon(cell[i])
        for count in range(7 ** (resolution - np.int64(upper))):
            left, digits, shift, top = count, B0, B3 * (FINEST - wanted), 0
            while left > 0:  # digits of 3 bits, as far as they are not 0
                top = left % 7
                digits |= np.uint64(top) << shift
                shift = shift + B3
                left //= 7
            if not (has_gaps and top == 1):
                out_child[at] = first | digits
                at += 1


@kernel
def _leading(cell: Any) -> Any:
    """Return the digit below the base cell that is the first not to be 0, in its place; 0 if there is none."""
    used = cell & DIGITS & ~_rest(_resolution(cell))
    at = np.uint64(42)
    while at > B0 and used >> at & B7 == B0:
        at = at - B3
    return used & B7 << at


@kernel
def _moved(cell: Any, direction: Any) -> Any:
    """
    Return the neighbour on one side and whether it is one for sure.

    A step out of the seven children of a cell is a step into the children of its neighbour. The axes are other ones
    beyond the base cell, and beyond a sixth of a base cell that is a pentagon.
    """
    level = _resolution(cell)
    shift = B3 * (FINEST - level)
    found, carry = cell, direction
    while carry != B0 and level > B0:
        both = STEPS[(level & B1) * np.uint64(49) + (found >> shift & B7) * B7 + carry]
        found = found & ~(B7 << shift) | (both & B7) << shift
        carry = both >> B3
        shift, level = shift + B3, level - B1
    is_sure = carry == B0 and (not _is_at_pentagon(cell) or _leading(found) == _leading(cell) != B0)
    return found, is_sure


@kernel
def disks(
    cell: NDArray[np.uint64], steps: Any, out_disk: NDArray[np.uint64], out_is_sure: NDArray[np.bool_]
) -> None:
    """
    Find the cells around each cell, ring by ring.

    Parameters
    ----------
    cell
        uint64 `(n,)`: cells.
    steps
        Number of rings.
    out_disk
        uint64 `(n, 3 * steps * (steps + 1))`. Filled where that is sure.
    out_is_sure
        bool `(n,)`. Filled: no ring leaves the base cell, nor a sixth of one that is a pentagon.
    """
    for i in range(cell.size):
        at, corner = 0, cell[i]
        is_sure = True
        for ring in range(1, steps + 1):
            corner, fits = _moved(corner, AROUND[0])
            is_sure = is_sure and fits
            one = corner
            for side in range(6):
                for _ in range(ring):
                    one, fits = _moved(one, AROUND[(side + 2) % 6])
                    is_sure = is_sure and fits
                    out_disk[i, at] = one
                    at += 1
            if not is_sure:
                break
        out_is_sure[i] = is_sure


@kernel
def hierarchy_keys(cell: NDArray[np.uint64], out_key: NDArray[np.uint64]) -> None:
    """
    Find numbers in whose order each cell comes just before the cells in it, and these before the next cell.

    Parameters
    ----------
    cell
        uint64 `(n,)`: cells.
    out_key
        uint64 `(n,)`. Filled: base cell, digits, 0 below the resolution, and last the resolution.
    """
    for i in range(cell.size):
        level = _resolution(cell[i])
        out_key[i] = (cell[i] & HOME & ~_rest(level)) << B4 | level


@kernel
def sum_by_cell(
    cell: NDArray[np.uint64],
    value: NDArray[Any],
    slot: NDArray[np.int64],
    out_cell: NDArray[np.uint64],
    out_sum: NDArray[Any],
) -> int:
    """
    Add up the values of each cell, in the order in which they are given.

    Parameters
    ----------
    cell, value
        uint64 `(n,)`; int64 or float64 `(n,)`.
    slot
        int64, -1 everywhere, of a length that is a power of two and more than `n`. Spoilt.
    out_cell, out_sum
        uint64 `(n,)`; as the values, `(n,)`. The first rows are filled, in the order in which the cells occur.

    Returns
    -------
    Number of different cells.
    """
    last = np.uint64(slot.size - 1)
    n, row = 0, 0
    for i in range(cell.size):
        one = cell[i]
        # neighbours in the table are often in the same cell
        if n > 0 and out_cell[row] == one:
            out_sum[row] += value[i]
            continue
        at = _mixed(one) & last
        while slot[at] >= 0 and out_cell[slot[at]] != one:
            at = at + B1 & last
        if slot[at] < 0:
            slot[at], out_cell[n], out_sum[n] = n, one, 0
            n += 1
        row = slot[at]
        out_sum[row] += value[i]
    return n
