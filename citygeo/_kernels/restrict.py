"""The part of a hierarchy that leads to some targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_ROW = np.uint32(0xFFFFFFFF)


@kernel
def restrict(
    parent: NDArray[np.int64],
    fall_start: NDArray[np.uint32],
    fall_arc: NDArray[np.uint32],
    is_gate: NDArray[np.uint8],
    near_start: NDArray[np.uint32],
    near_row: NDArray[np.uint32],
    wanted: NDArray[np.uint8],
    row: NDArray[np.uint32],
    out_fall_start: NDArray[np.uint32],
    out_fall_arc: NDArray[np.uint32],
    out_below: NDArray[np.uint32],
    out_is_gate: NDArray[np.uint8],
    out_near_start: NDArray[np.uint32],
    out_near_row: NDArray[np.uint32],
    out_size: NDArray[np.int64],
) -> None:
    """
    Keep of a hierarchy what sweeps to some places need: these and all above them (RPHAST).

    Parameters
    ----------
    parent, fall_start, fall_arc, is_gate, near_start, near_row
        Of the whole plan, where rows are places.
    wanted
        uint8 `(n,)`: 1 at the places wanted; on return at all that are kept.
    row
        uint32 `(n,)`, filled; see `Plan`, as all outputs.
    out_size
        int64 `(3,)`, filled: number of rows, of arcs, and of neighbours at gates.
    """
    n = parent.size
    for place in range(n - 1, -1, -1):
        if wanted[place] != 0 and parent[place] >= 0:
            wanted[parent[place]] = 1
    rows, arcs, nears = 0, 0, 0
    out_fall_start[0] = 0
    out_near_start[0] = 0
    for place in range(n):
        row[place] = NO_ROW
        if wanted[place] == 0:
            continue
        row[place] = np.uint32(rows)
        for a in range(fall_start[place], fall_start[place + 1]):
            out_fall_arc[arcs, 0] = row[fall_arc[a, 0]]
            out_fall_arc[arcs, 1] = fall_arc[a, 1]
            arcs += 1
        if is_gate[place] != 0:
            for a in range(near_start[place], near_start[place + 1]):
                out_near_row[nears] = row[near_row[a]]
                nears += 1
        out_is_gate[rows] = is_gate[place]
        out_below[rows] = 1
        rows += 1
        out_fall_start[rows] = np.uint32(arcs)
        out_near_start[rows] = np.uint32(nears)
    for place in range(n - 1, -1, -1):
        if wanted[place] != 0 and parent[place] >= 0:
            out_below[row[parent[place]]] += out_below[row[place]]
    out_size[0], out_size[1], out_size[2] = rows, arcs, nears
