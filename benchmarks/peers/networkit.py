"""NetworKit: Dijkstra in C++, one tree at a time, on one thread."""

from __future__ import annotations

import networkit as nk
import numpy as np

from benchmarks.plain import UNREACHED

FAR = 1e300  # what it says of nodes that are not reached is the largest float


def build(graph, side):
    """Its own adjacency arrays."""
    nk.setNumberOfThreads(side.threads)
    arcs = (graph.ms.astype(float), (graph.tail, graph.head))
    return nk.GraphFromCoo(arcs, graph.n, weighted=True, directed=True)


def trees(graph, sources):
    """Paths are not stored."""
    made = np.empty((len(sources), graph.numberOfNodes()), np.uint32)
    for row, source in zip(made, sources.tolist(), strict=True):
        search = nk.distance.Dijkstra(graph, source, storePaths=False)
        search.run()
        ms = np.asarray(search.getDistances())
        row[:] = np.where(ms > FAR, UNREACHED, ms).astype(np.uint32)
    return made
