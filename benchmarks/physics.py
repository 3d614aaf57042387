"""
The least time that a piece of work takes on a machine, by what it must move and what it must wait for.

Every function takes the constants measured by `benchmarks.limits`, the facts of the graph (nodes, arcs), the threads
and the answer, and returns seconds. These are lower bounds of the known methods, not of nature: a queue operation
and three cache lines per settled node for a search; streamed bytes for a sweep over a hierarchy, 16 sources at a time.
"""

from __future__ import annotations

import numpy as np

LINES = 3  # cache lines that a search touches per settled node, nodes in spatial order: offsets, arcs, labels
ARC_BYTES, OFFSET_BYTES, LABEL_BYTES = 8, 4, 8
# bytes that a sweep streams per node and source with 16 lanes: 2.2 downward arcs of 8 bytes shared by 16, one label
# written, and half of the labels of tails read from beyond the cache
SWEEP_BYTES = 2.2 * 8 / 16 + 4 * 1.5
TABLE_BYTES = 4


def settle_ns(machine, nodes, arcs):
    """Nanoseconds per settled node: the queue, and independent loads from graph and labels."""
    working_set = OFFSET_BYTES * nodes + ARC_BYTES * arcs + LABEL_BYTES * nodes
    sizes, each = np.array(sorted(machine["load_ns"].items(), key=lambda item: int(item[0])), float).T
    load = np.interp(np.log(working_set), np.log(sizes), each)
    return machine["queue_ns"] + LINES * load


def bandwidth(machine, threads):
    """Bytes per second."""
    return machine["triad_gb_s"][str(threads)] * 1e9


def settled_limit(machine, facts, threads, answer):
    """Bounded searches: what is counted is what is settled, and only that far can one search remember the graph."""
    counts = answer[0][:, -1]
    per_search = counts.mean() + 1
    reached = min(facts["nodes"], per_search)
    near = {"nodes": reached, "arcs": reached * facts["arcs"] / facts["nodes"]}
    return counts.sum() * settle_ns(machine, **near) * 1e-9 / threads


def swept_limit(machine, _facts, threads, answer):
    """Counts by sweeps of 16 sources that reach the same nodes: each pair's share of what is streamed, no less."""
    return answer[0][:, -1].sum() * SWEEP_BYTES / bandwidth(machine, threads)


def trees_limit(machine, facts, threads, answer):
    """Whole trees by sweeps, each time written once."""
    return facts["nodes"] * len(answer[0]) * (SWEEP_BYTES + TABLE_BYTES) / bandwidth(machine, threads)


def table_limit(machine, _facts, threads, answer):
    """A table by restricted sweeps: at the very least the targets themselves are swept, and each time written."""
    return answer[0].size * (SWEEP_BYTES + TABLE_BYTES) / bandwidth(machine, threads)


def nearest_limit(machine, facts, _threads, answer):
    """One search from all facilities at once that settles each node k times; it has no second thread to use."""
    return facts["nodes"] * answer[0].shape[1] * settle_ns(machine, facts["nodes"], facts["arcs"]) * 1e-9
