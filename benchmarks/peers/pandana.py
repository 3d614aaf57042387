"""
pandana: contraction hierarchies in C++ with OpenMP.

It keeps thousandths as whole numbers and cuts off what is below them. Seconds of a quarter of a millisecond more are
therefore cut to exactly our milliseconds, in times and in cut-offs, and the counts are equal. It gives times as 32-bit
floats of seconds; exact times are compared after the same rounding.
"""

from __future__ import annotations

import numpy as np
import pandana
import pandas as pd

QUARTER = 0.25
FAR_S = 4_000_000.0  # what it says where nothing is reached; its whole numbers end at 4,294,967 s
CATEGORY = "facilities"


def seconds(ms):
    """Floats that it cuts to these milliseconds."""
    return (ms + QUARTER) / 1000.0


def build(graph, _side):
    """Contracted when it is made, on the threads that OMP_NUM_THREADS says."""
    node = pd.RangeIndex(graph.n)
    longitude, latitude = (pd.Series(values, node) for values in graph.lonlat.T)
    times = pd.DataFrame({"s": seconds(graph.ms)})
    tail, head = pd.Series(graph.tail), pd.Series(graph.head)
    network = pandana.Network(longitude, latitude, tail, head, times, twoway=False)
    network.set(pd.Series(np.arange(graph.n)), variable=pd.Series(np.ones(graph.n)), name="one")
    return network, graph


def counts(built, limits_ms, sources):
    """Precompute what each node reaches within the longest cut-off, then add up for each; always from all nodes."""
    network, graph = built
    assert len(sources) == graph.n
    network.precompute(seconds(limits_ms[-1]))
    made = [
        network.aggregate(seconds(limit), type="sum", decay="flat", name="one").to_numpy()
        for limit in limits_ms
    ]
    return np.stack(made, axis=1).astype(np.int64)


def nearest(built, facilities, k):
    """Buckets at the facilities' nodes, then one query per node."""
    network, graph = built
    longitude, latitude = (pd.Series(values) for values in graph.lonlat[facilities].T)
    network.set_pois(CATEGORY, FAR_S, k, longitude, latitude)
    return network.nearest_pois(FAR_S, CATEGORY, num_pois=k, include_poi_ids=True)


def nearest_answer(_built, made, facilities, k):
    """Seconds, infinite where there is none, and row in `facilities`."""
    found = made[list(range(1, k + 1))].to_numpy(np.float32)
    row = made[[f"poi{i}" for i in range(1, k + 1)]].astype(float).fillna(-1).to_numpy(np.int64)
    assert row.max() < len(facilities)
    return np.where(row < 0, np.float32(np.inf), found), row
