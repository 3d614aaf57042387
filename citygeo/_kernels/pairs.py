"""Pairs of sources and targets: those on one edge, and those that a search has brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLOSED = np.uint32(0xFFFFFFFF)
UNREACHED = np.uint32(0xFFFFFFFF)


@kernel
def same_edge_pairs(
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
    row: NDArray[np.int64],
    source_start: NDArray[np.int64],
    source_edge: NDArray[np.int64],
    source_share: NDArray[np.float64],
    source_ms: NDArray[np.int64],
    target_edge: NDArray[np.int64],
    target_share: NDArray[np.float64],
    target_ms: NDArray[np.int64],
    target_row: NDArray[np.int64],
    limit_ms: int,
    out_source: NDArray[np.int64],
    out_target: NDArray[np.int64],
    out_ms: NDArray[np.int64],
) -> int:
    """
    List the pairs on one edge and the time between them along it.

    Parameters
    ----------
    along_ms, against_ms
        uint32 `(e,)` in the direction of travel away from the sources, CLOSED where it may not be used.
    row
        int64: the sources to look at, in the order wanted.
    source_start, source_edge, source_share, source_ms
        CSR by source: its places, and the time already spent there.
    target_edge, target_share, target_ms, target_row
        Places of targets sorted by edge, the time due there, and whose they are.
    limit_ms
        Inclusive bound.
    out_source, out_target, out_ms
        int64: place in `row`, target, milliseconds. A pair may come several times.

    Returns
    -------
    Number of pairs. Those that do not fit into the outputs are only counted: call again with longer ones.
    """
    n = 0
    for i in range(row.size):
        for s in range(source_start[row[i]], source_start[row[i] + 1]):
            edge = source_edge[s]
            along, against = along_ms[edge], against_ms[edge]
            t = np.searchsorted(target_edge, edge)
            while t < target_edge.size and target_edge[t] == edge:
                here, there = source_share[s], target_share[t]
                ms = np.int64(1) << 40
                if along != CLOSED and there >= here:
                    ms = np.int64(np.rint(there * along)) - np.int64(np.rint(here * along))
                if against != CLOSED and there <= here:
                    back = np.int64(np.rint(here * against)) - np.int64(np.rint(there * against))
                    ms = min(ms, back)
                ms += source_ms[s] + target_ms[t]
                if ms <= limit_ms:
                    if n < out_ms.size:
                        out_source[n] = i
                        out_target[n] = target_row[t]
                        out_ms[n] = ms
                    n += 1
                t += 1
    return n


@kernel
def targets_reached(
    node: NDArray[np.uint32],
    ms: NDArray[np.uint32],
    at_start: NDArray[np.int64],
    at_row: NDArray[np.int64],
    at_ms: NDArray[np.int64],
    pair_target: NDArray[np.int64],
    pair_ms: NDArray[np.int64],
    limit_ms: int,
    best: NDArray[np.uint32],
    out: NDArray[np.int64],
) -> int:
    """
    List the targets that one search has reached; their times are then in `best`.

    Parameters
    ----------
    node, ms
        uint32: settled states and their times.
    at_start, at_row, at_ms
        CSR by state, int64: targets that are left there, and milliseconds between the two.
    pair_target, pair_ms
        int64: targets on the source's own edge, and their time along it.
    limit_ms
        Inclusive bound.
    best
        uint32 `(targets,)`, all UNREACHED on entry.
    out
        int64 `(targets,)`: the targets, each once, in the order found.

    Returns
    -------
    Number of targets.
    """
    n = 0
    for i in range(node.size):
        state = np.int64(node[i])
        for e in range(at_start[state], at_start[state + 1]):
            time = np.int64(ms[i]) + at_ms[e]
            target = at_row[e]
            if time <= limit_ms and time < np.int64(best[target]):
                if best[target] == UNREACHED:
                    out[n] = target
                    n += 1
                best[target] = np.uint32(time)
    for p in range(pair_target.size):
        target = pair_target[p]
        if pair_ms[p] < np.int64(best[target]):
            if best[target] == UNREACHED:
                out[n] = target
                n += 1
            best[target] = np.uint32(pair_ms[p])
    return n
