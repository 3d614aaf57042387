"""Cut stretches out of the drawn lines of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def _place(
    along: NDArray[np.float64],
    begin: Any,
    end: Any,
    metres: Any,
) -> Any:
    """Return the last corner of an edge at or before a place, never the very last of the edge."""
    low, high = begin, end - 1
    while low < high:
        middle = (low + high + 1) >> 1
        if along[middle] <= metres:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def cut(
    corner: NDArray[np.float64],
    along: NDArray[np.float64],
    shape_start: NDArray[np.int64],
    edge: NDArray[np.int64],
    share: NDArray[np.float64],
    out_xy: NDArray[np.float64],
    out_start: NDArray[np.int64],
) -> int:
    """
    List the corners of stretches of edges, their ends included.

    Parameters
    ----------
    corner
        Corners of all edges in any CRS, float64 `(c, 2)`.
    along, shape_start
        Metres from the start of the edge to each corner, float64 `(c,)`; where those of each edge begin, int64.
    edge, share
        Stretches: edge, low and high share of its length; int64 `(s,)`, float64 `(s, 2)`.
    out_xy
        float64 `(v, 2)`: corners of all stretches, if there is room.
    out_start
        int64 `(s + 1,)`: where those of each stretch begin, and the end.

    Returns
    -------
    Number of corners; if there are more than `out_xy` has room for, do it again.
    """
    n = 0
    for k in range(edge.size):
        out_start[k] = n
        begin, end = shape_start[edge[k]], shape_start[edge[k] + 1] - 1
        total = along[end]
        first = _place(along, begin, end, share[k, 0] * total)
        last = _place(along, begin, end, share[k, 1] * total)
        # the corner before the high end is not between the ends if it is the high end itself
        if last > first and along[last] >= share[k, 1] * total:
            last -= 1
        size = last - first + 2
        if n + size <= out_xy.shape[0]:
            for side in range(2):
                c = first if side == 0 else last
                metres = share[k, side] * total
                length = along[c + 1] - along[c]
                part = (metres - along[c]) / length if length > 0.0 else 0.0
                at = n if side == 0 else n + size - 1
                for axis in range(2):
                    out_xy[at, axis] = corner[c, axis] + part * (corner[c + 1, axis] - corner[c, axis])
                if (side == 0 and share[k, 0] == 0.0) or (side == 1 and share[k, 1] == 1.0):
                    c = begin if side == 0 else end  # the very corner, to the last bit
                    out_xy[at, 0], out_xy[at, 1] = corner[c, 0], corner[c, 1]
            for c in range(first + 1, last + 1):
                out_xy[n + c - first, 0], out_xy[n + c - first, 1] = corner[c, 0], corner[c, 1]
        n += size
    out_start[edge.size] = n
    return n
