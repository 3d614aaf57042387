"""
From the crossings of an area with the lines of a grid to its outline: rings, and polygons with holes.

`ink` says which nodes of the grid are inside, and how far the area goes on from each towards its outside neighbours.
Walking round the area, with it on the left, joins these crossings to rings. Diagonal neighbours are kept apart: each
part of the nodes that rows and columns connect is one polygon, no crossing is used twice, and rings never touch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 256.0  # places of a crossing between two nodes
BLOCK = np.int64(6)  # log2 of nodes along a block
WORD = np.int64(6)
LOW = np.int64(63)
ONE = np.uint64(1)


@kernel
def _slot(
    n_blocks: Any,
    i: Any,
    j: Any,
) -> Any:
    """Return the place of a node in a table of blocks."""
    block = (j >> BLOCK) * n_blocks + (i >> BLOCK)
    return (block << np.int64(12)) | ((j & LOW) << BLOCK) | (i & LOW)


@kernel
def _is_in(
    bits: NDArray[np.uint64],
    i: Any,
    j: Any,
) -> Any:
    return (bits[j, i >> WORD] >> np.uint64(i & LOW)) & ONE != np.uint64(0)


@kernel
def _ones(word: Any) -> Any:
    """Return how many bits of a word are set."""
    word = word - ((word >> ONE) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def count_runs(
    bits: NDArray[np.uint64],
    out_start: NDArray[np.int64],
) -> int:
    """
    Count what `trace` will need.

    Parameters
    ----------
    bits
        From `ink`.
    out_start
        int64 `(rows + 1,)`: the number of runs of inside nodes before each row, and of all.

    Returns
    -------
    Number of crossings, which are the vertices of all rings.
    """
    n, upright = 0, 0
    for j in range(bits.shape[0]):
        out_start[j] = n
        before = np.uint64(0)
        for w in range(bits.shape[1]):
            word = bits[j, w]
            if j > 0:
                upright += _ones(word ^ bits[j - 1, w])
            n += _ones(word & ~((word << ONE) | (before >> np.uint64(63))))
            before = word
    out_start[bits.shape[0]] = n
    return 2 * n + upright


@kernel
def _root(
    parent: NDArray[np.int64],
    run: Any,
) -> Any:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@kernel
def _list_runs(
    bits: NDArray[np.uint64],
    start: NDArray[np.int64],
    last: NDArray[np.int64],
    parent: NDArray[np.int64],
) -> None:
    """List the last node of each run, and the first run of the part of the area it belongs to."""
    first = np.empty(last.size, np.int64)
    for j in range(bits.shape[0]):
        n = start[j]
        if n == start[j + 1]:
            continue
        before = np.uint64(0)
        for w in range(bits.shape[1]):
            word = bits[j, w]
            # bit i is set where nodes i - 1 and i differ: runs begin and end there
            change = word ^ ((word << ONE) | (before >> np.uint64(63)))
            before = word
            while change != np.uint64(0):
                lowest = change & (~change + ONE)
                i = (w << WORD) + _ones(lowest - ONE)
                if word & lowest != np.uint64(0):
                    first[n] = i
                else:
                    last[n] = i - 1
                    n += 1
                change ^= lowest
        below = start[j - 1] if j > 0 else 0
        for run in range(start[j], start[j + 1]):
            parent[run] = run
            while below < start[j] and last[below] < first[run]:
                below += 1
            other = below
            while other < start[j] and first[other] <= last[run]:
                one, two = _root(parent, run), _root(parent, other)
                parent[max(one, two)] = min(one, two)
                other += 1


@kernel
def _run_ending(
    last: NDArray[np.int64],
    low: Any,
    high: Any,
    i: Any,
) -> Any:
    """Return the run of a row whose last node is `i`."""
    while low < high:
        middle = (low + high) >> 1
        if last[middle] < i:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def trace(
    bits: NDArray[np.uint64],
    reach: NDArray[np.uint8],
    n_blocks: Any,
    start: NDArray[np.int64],
    cell_m: Any,
    first_i: Any,
    first_j: Any,
    out_xy: NDArray[np.float64],
    out_ring: NDArray[np.int64],
    out_polygon: NDArray[np.int64],
) -> int:
    """
    Join crossings to rings, and rings to polygons.

    Parameters
    ----------
    bits, reach, n_blocks, cell_m, first_i, first_j
        As in `ink`.
    start
        From `count_runs`.
    out_xy
        float64 `(crossings + runs, 2)`: vertices in metres, the first of each ring repeated at its end; shells run
        counter-clockwise, holes clockwise.
    out_ring
        int64 `(runs + 1,)`: where each ring begins in `out_xy`, and the end.
    out_polygon
        int64 `(runs + 1,)`: where each polygon begins in `out_ring`, its shell first; after the last, the end.

    Returns
    -------
    Number of polygons.
    """
    n_runs = start[start.size - 1]
    last, parent = np.empty(n_runs, np.int64), np.empty(n_runs, np.int64)
    _list_runs(bits, start, last, parent)
    is_done = np.zeros(n_runs, np.bool_)
    place, begin = np.empty_like(out_xy), np.empty(n_runs + 1, np.int64)
    part, is_shell = np.empty(n_runs, np.int64), np.empty(n_runs, np.bool_)
    # to the right of and ahead of those who head north, west, south, east; the area is on their left
    right_i, right_j = (1, 0, -1, 0), (0, 1, 0, -1)
    ahead_i, ahead_j = (0, -1, 0, 1), (1, 0, -1, 0)
    n, n_rings = 0, 0
    row = 0
    for run in range(n_runs):
        while start[row + 1] <= run:
            row += 1
        if is_done[run]:
            continue
        begin[n_rings] = n
        twice = 0.0
        i, j, heading = last[run], row, 0
        while True:
            out_i, out_j = i + right_i[heading], j + right_j[heading]
            if heading == 0:
                own = _run_ending(last, start[j], start[j + 1], i)
                if is_done[own]:
                    break
                is_done[own] = True
            steps: Any = max(np.int64(reach[heading & 1, _slot(n_blocks, min(i, out_i), min(j, out_j))]), 1)
            place[n, 0] = i + (out_i - i) * (steps / STEPS)
            place[n, 1] = j + (out_j - j) * (steps / STEPS)
            if n > begin[n_rings]:
                twice += place[n - 1, 0] * place[n, 1] - place[n, 0] * place[n - 1, 1]
            n += 1
            left_i, left_j = i + ahead_i[heading], j + ahead_j[heading]
            if not _is_in(bits, left_i, left_j):
                heading = (heading + 1) & 3
            elif not _is_in(bits, out_i + ahead_i[heading], out_j + ahead_j[heading]):
                i, j = left_i, left_j
            else:
                i, j = out_i + ahead_i[heading], out_j + ahead_j[heading]
                heading = (heading + 3) & 3
        first = begin[n_rings]
        place[n, 0], place[n, 1] = place[first, 0], place[first, 1]
        twice += place[n - 1, 0] * place[n, 1] - place[n, 0] * place[n - 1, 1]
        n += 1
        part[n_rings], is_shell[n_rings] = _root(parent, run), twice > 0.0
        n_rings += 1
    begin[n_rings] = n
    n_polygons: int = _collect(
        place, begin, part, is_shell, n_rings, n_runs, cell_m, first_i, first_j, out_xy, out_ring, out_polygon
    )
    return n_polygons


@kernel
def _collect(
    place: NDArray[np.float64],
    begin: NDArray[np.int64],
    part: NDArray[np.int64],
    is_shell: NDArray[np.bool_],
    n_rings: Any,
    n_runs: Any,
    cell_m: Any,
    first_i: Any,
    first_j: Any,
    out_xy: NDArray[np.float64],
    out_ring: NDArray[np.int64],
    out_polygon: NDArray[np.int64],
) -> Any:
    """Put rings in the order of polygons, each shell before its holes, in metres; return the number of polygons."""
    number = np.full(n_runs, -1)
    n_polygons = 0
    size = np.zeros(n_runs + 1, np.int64)
    for ring in range(n_rings):
        if number[part[ring]] < 0:
            number[part[ring]] = n_polygons
            n_polygons += 1
        size[number[part[ring]]] += 1
    out_polygon[0] = 0
    for k in range(n_polygons):
        out_polygon[k + 1] = out_polygon[k] + size[k]
    # the shell has the first place of its polygon, holes follow as they were found
    ring_at, free = np.empty(n_rings, np.int64), out_polygon[:n_polygons] + 1
    for ring in range(n_rings):
        own = number[part[ring]]
        if is_shell[ring]:
            ring_at[out_polygon[own]] = ring
        else:
            ring_at[free[own]] = ring
            free[own] += 1
    n = 0
    for k in range(n_rings):
        out_ring[k] = n
        for m in range(begin[ring_at[k]], begin[ring_at[k] + 1]):
            out_xy[n, 0] = (place[m, 0] + first_i) * cell_m
            out_xy[n, 1] = (place[m, 1] + first_j) * cell_m
            n += 1
    out_ring[n_rings] = n
    return n_polygons
