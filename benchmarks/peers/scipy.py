"""SciPy: Dijkstra in compiled code, with a bound, on one thread; the oracle."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.plain import UNREACHED

CHUNK = 16  # more sources at once only grow the dense answer
DENSE = 1 << 26  # at most so many numbers of it at once, for graphs of millions


def build(graph, _side):
    """Times as floats, which hold whole milliseconds exactly."""
    if hasattr(graph, "tail"):
        return csr_array((graph.ms.astype(float), (graph.tail, graph.head)), shape=(graph.n, graph.n))
    start, arc = (np.load(graph / f"{name}.npy", mmap_mode="r") for name in ("start", "arc"))
    parts = (arc[:, 1].astype(float), arc[:, 0].astype(np.int32), start.astype(np.int32))
    return csr_array(parts, shape=(start.size - 1,) * 2)


def counts(matrix, limits_ms, sources):
    """Each block of rows is reduced before the next."""
    chunk = max(1, min(CHUNK, DENSE // matrix.shape[0]))
    made = []
    for low in range(0, len(sources), chunk):
        ms = dijkstra(matrix, indices=sources[low : low + chunk], limit=limits_ms[-1])
        made.append(np.stack([(ms <= limit).sum(axis=1) for limit in limits_ms], axis=1))
    return np.concatenate(made)


mapped_counts = counts


def trees(matrix, sources):
    """Rows in blocks, as whole numbers."""
    return table(matrix, sources, slice(None))


def table(matrix, sources, targets):
    """It cannot stop at targets, so these are picked from whole trees."""
    made = []
    for low in range(0, len(sources), CHUNK):
        ms = dijkstra(matrix, indices=sources[low : low + CHUNK])[:, targets]
        made.append(np.where(np.isinf(ms), UNREACHED, ms).astype(np.uint32))
    return np.concatenate(made)


def nearest(matrix, facilities, k):
    """One search from all facilities on the reversed graph; for more than one, a tree from each and the least kept."""
    reverse = matrix.T.tocsr()
    if k == 1:
        ms, _, owner = dijkstra(reverse, indices=facilities, min_only=True, return_predecessors=True)
        row = np.searchsorted(facilities, owner)
        row[np.isinf(ms)] = -1
        return np.where(np.isinf(ms), UNREACHED, ms).astype(np.uint32)[:, None], row[:, None]
    best = np.full((matrix.shape[0], k), np.inf)
    row = np.full((matrix.shape[0], k), -1)
    for low in range(0, len(facilities), CHUNK):
        ms = dijkstra(reverse, indices=facilities[low : low + CHUNK]).T
        both = np.hstack((best, ms))
        owner = np.hstack((row, np.broadcast_to(np.arange(low, low + ms.shape[1]), ms.shape)))
        order = np.argsort(both, axis=1, kind="stable")[:, :k]
        best, row = np.take_along_axis(both, order, 1), np.take_along_axis(owner, order, 1)
    row[np.isinf(best)] = -1
    return np.where(np.isinf(best), UNREACHED, best).astype(np.uint32), row


def prepare(matrix, **_given):
    """Nothing: it only answers what a hierarchy must answer."""
    return matrix


def prepare_answer(_matrix, made, sources, targets):
    """The times of a few pairs."""
    return table(made, sources, targets)


def customise(matrix, ms, **_given):
    """The same arcs with other times; they are in the order of the matrix."""
    return csr_array((ms.astype(float), matrix.indices, matrix.indptr), shape=matrix.shape)


def customise_answer(_matrix, made, sources, targets, **_given):
    """The times of a few pairs."""
    return table(made, sources, targets)
