"""Join street segments that meet at nodes of degree two into chains, and order nodes along a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def mark_kept(
    along_code: NDArray[np.int64],
    against_code: NDArray[np.int64],
    incidence_start: NDArray[np.int64],
    incidence: NDArray[np.int64],
    out_kept: NDArray[np.bool_],
) -> None:
    """
    Mark the nodes that stay: junctions, dead ends, and changes of the street's properties.

    Parameters
    ----------
    along_code, against_code
        Property code of each segment seen along and against its drawing: equal codes may be joined.
    incidence_start, incidence
        CSR node -> ``2 * segment + end``, end 0 where the segment starts at the node.
    out_kept
        bool `(n,)`, filled.
    """
    for node in range(out_kept.size):
        first = incidence_start[node]
        if incidence_start[node + 1] - first != 2:
            out_kept[node] = True
            continue
        one, two = incidence[first], incidence[first + 1]
        if one // 2 == two // 2:  # a segment that ends where it starts
            out_kept[node] = True
            continue
        # walk into the node on `one`, out of it on `two`
        into = against_code[one // 2] if one % 2 == 0 else along_code[one // 2]
        out_of = along_code[two // 2] if two % 2 == 0 else against_code[two // 2]
        out_kept[node] = into != out_of


@kernel
def _follow(
    seed: Any,
    segment_node: NDArray[np.int64],
    incidence_start: NDArray[np.int64],
    incidence: NDArray[np.int64],
    kept: NDArray[np.bool_],
    is_used: NDArray[np.bool_],
    out_chain: NDArray[np.int64],
    n: Any,
) -> Any:
    """Walk from incidence `seed` to the next kept node, or round a ring to where it began."""
    step = seed
    origin = segment_node[seed // 2, seed % 2]
    while True:
        segment, end = step // 2, step % 2
        is_used[segment] = True
        out_chain[n] = step
        n += 1
        node = segment_node[segment, 1 - end]
        if kept[node] or node == origin:
            return n
        first = incidence_start[node]
        step = incidence[first + 1] if incidence[first] // 2 == segment else incidence[first]


@kernel
def join_chains(
    segment_node: NDArray[np.int64],
    incidence_start: NDArray[np.int64],
    incidence: NDArray[np.int64],
    kept: NDArray[np.bool_],
    is_used: NDArray[np.bool_],
    out_chain: NDArray[np.int64],
    out_start: NDArray[np.int64],
) -> int:
    """
    List the chains between kept nodes; a ring without one keeps its lowest node.

    Parameters
    ----------
    segment_node
        Positions of both ends, int64 `(s, 2)`.
    incidence_start, incidence
        As in `mark_kept`.
    kept
        bool `(n,)`; ring anchors are added.
    is_used
        bool `(s,)`, False on entry.
    out_chain
        int64 `(s,)`: ``2 * segment + 1`` where the chain runs against the drawing, else ``2 * segment``.
    out_start
        int64 `(s + 1,)`: chain `i` is ``out_chain[out_start[i]:out_start[i + 1]]``.

    Returns
    -------
    Number of chains.
    """
    n_chains, n = 0, 0
    for ring in range(2):  # first from kept nodes, then what is left: rings
        for node in range(kept.size):
            if not kept[node] and ring == 0:
                continue
            for place in range(incidence_start[node], incidence_start[node + 1]):
                seed = incidence[place]
                if is_used[seed // 2]:
                    continue
                kept[node] = True
                out_start[n_chains] = n
                n = _follow(seed, segment_node, incidence_start, incidence, kept, is_used, out_chain, n)
                n_chains += 1
    out_start[n_chains] = n
    return n_chains


@kernel
def hilbert_keys(
    column: NDArray[np.int64],
    row: NDArray[np.int64],
    bits: Any,
    out_key: NDArray[np.int64],
) -> None:
    """
    Return the places of grid cells along a Hilbert curve, so that near places get near numbers.

    Parameters
    ----------
    column, row
        int64 `(n,)` in ``[0, 2**bits)``.
    bits
        Order of the curve.
    out_key
        int64 `(n,)`, filled.

    References
    ----------
    The rotation of quadrants is the classic one of Hilbert (1891), as in Hamilton (2006), "Compact Hilbert
    indices".
    """
    side = np.int64(1) << bits
    for i in range(column.size):
        x, y = column[i], row[i]
        key = np.int64(0)
        half = side >> 1
        while half > 0:
            right = np.int64((x & half) > 0)
            upper = np.int64((y & half) > 0)
            key += half * half * ((3 * right) ^ upper)
            if upper == 0:
                if right == 1:
                    x, y = side - 1 - x, side - 1 - y
                x, y = y, x
            half >>= 1
        out_key[i] = key
