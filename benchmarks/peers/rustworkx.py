"""rustworkx: Dijkstra in Rust, one tree at a time, on one thread."""

from __future__ import annotations

import numpy as np
import rustworkx as rx

from benchmarks.plain import UNREACHED


def build(graph, _side):
    """Nodes and edges are objects."""
    made = rx.PyDiGraph(multigraph=False)
    made.add_nodes_from(range(graph.n))
    made.add_edges_from(
        list(zip(graph.tail.tolist(), graph.head.tolist(), graph.ms.astype(float).tolist(), strict=True))
    )
    return made


def trees(graph, sources):
    """The answer is a mapping without the source itself."""
    made = np.full((len(sources), graph.num_nodes()), UNREACHED)
    for row, source in zip(made, sources.tolist(), strict=True):
        found = rx.digraph_dijkstra_shortest_path_lengths(graph, source, float)
        nodes = np.fromiter(found.keys(), np.int64, len(found))
        row[nodes] = np.fromiter(found.values(), float, len(found))
        row[source] = 0
    return made
