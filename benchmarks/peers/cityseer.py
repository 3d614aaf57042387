"""
cityseer: centralities in Rust on all threads; how many nodes are within reach is one of them.

Times are 32-bit floats of seconds. Given milliseconds as its seconds, and minutes of a sixtieth thousand, all sums are
whole numbers below 2**24 and exact.
"""

from __future__ import annotations

import os

import numpy as np
from cityseer.rustalgos import graph as rust

SECONDS = 60.0  # in one of its minutes
DEGREE = 1e5  # its places must be in metres; they do not enter


def build(graph, side):
    """Directed edges that know only their time."""
    os.environ["RAYON_NUM_THREADS"] = str(side.threads)  # read at its first parallel call
    made = rust.NetworkStructure()
    made.set_is_directed(True)
    for i, (x, y) in enumerate((graph.lonlat * DEGREE).tolist()):
        made.add_street_node(i, x, y, True, 1.0)
    arcs = zip(graph.tail.tolist(), graph.head.tolist(), graph.ms.astype(float).tolist(), strict=True)
    for i, (tail, head, ms) in enumerate(arcs):
        made.add_transport_edge(tail, head, i, tail, head, ms)
    return made


def counts(network, limits_ms, sources):
    """It counts other nodes than the source, from the nodes that it calls live."""
    live = np.zeros(network.street_node_count(), bool)
    live[sources] = True
    for i, is_live in enumerate(live.tolist()):
        network.set_node_live(i, is_live)
    found = network.centrality_shortest(
        minutes=(limits_ms / SECONDS).tolist(), closeness_exprs=[("reached", "1")], pbar_disabled=True
    )
    by_limit = found.metrics["reached"]
    return np.stack([by_limit[limit][live] for limit in sorted(by_limit)], axis=1).astype(np.int64) + 1
