"""igraph: Dijkstra in C, on one thread."""

from __future__ import annotations

import igraph
import numpy as np

from benchmarks.plain import UNREACHED

CHUNK = 16  # its answers are lists of floats, 32 bytes a number


def build(graph, _side):
    """Edges with times as an attribute."""
    arcs = np.column_stack((graph.tail, graph.head))
    return igraph.Graph(n=graph.n, edges=arcs, directed=True, edge_attrs={"ms": graph.ms.astype(float)})


def trees(graph, sources):
    """Some sources per call."""
    return table(graph, sources, None)


def table(graph, sources, targets):
    """It stops when the targets are reached."""
    targets = None if targets is None else targets.tolist()
    made = []
    for low in range(0, len(sources), CHUNK):
        wanted = sources[low : low + CHUNK].tolist()
        ms = np.array(graph.distances(source=wanted, target=targets, weights="ms", mode="out"), float)
        made.append(np.where(np.isinf(ms), UNREACHED, ms).astype(np.uint32))
    return np.concatenate(made)
