"""Move many places between two systems of coordinates by what happens to the nodes of a coarse grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def _weights(
    at: Any,
) -> tuple[Any, Any, Any, Any]:
    """Return the weights of the values at -1, 0, 1 and 2 for a place between 0 and 1: the cubic through them."""
    before, after, far = at + 1.0, at - 1.0, at - 2.0
    return (
        -at * after * far / 6.0,
        before * after * far / 2.0,
        -before * at * far / 2.0,
        before * at * after / 6.0,
    )


@kernel
def warp(
    xy: NDArray[np.float64],
    node: NDArray[np.float64],
    first_i: Any,
    first_j: Any,
    apart: Any,
    out: NDArray[np.float64],
) -> None:
    """
    Interpolate between nodes, by cubics in both directions.

    Parameters
    ----------
    xy
        Places, float64 `(p, 2)`, each with two rows and columns of nodes on every side.
    node
        Where the nodes go, float64 `(rows, columns, 2)`.
    first_i, first_j, apart
        Column and row of the first node, nodes being at whole multiples of `apart`.
    out
        float64 `(p, 2)`.
    """
    for k in range(xy.shape[0]):
        x, y = xy[k, 0] / apart - first_i, xy[k, 1] / apart - first_j
        i, j = np.int64(np.floor(x)), np.int64(np.floor(y))
        across, up = _weights(x - i), _weights(y - j)
        first, second = 0.0, 0.0
        for row in range(4):
            left, right = 0.0, 0.0
            for column in range(4):
                left += across[column] * node[j - 1 + row, i - 1 + column, 0]
                right += across[column] * node[j - 1 + row, i - 1 + column, 1]
            first += up[row] * left
            second += up[row] * right
        out[k, 0], out[k, 1] = first, second
