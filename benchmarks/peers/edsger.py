"""Edsger: Dijkstra in Cython, one tree at a time, on one thread."""

from __future__ import annotations

import numpy as np
import pandas as pd
from edsger.path import Dijkstra

from benchmarks.plain import UNREACHED


def build(graph, _side):
    """Its own compressed rows."""
    arcs = pd.DataFrame({"tail": graph.tail, "head": graph.head, "weight": graph.ms.astype(float)})
    return Dijkstra(arcs, orientation="out", check_edges=False), graph.n


def trees(built, sources):
    """Nodes beyond the last one with an arc are missing from its rows."""
    search, n = built
    made = np.full((len(sources), n), UNREACHED)
    for row, source in zip(made, sources.tolist(), strict=True):
        ms = search.run(vertex_idx=source, return_inf=True)
        row[: ms.size] = np.where(np.isinf(ms), UNREACHED, ms).astype(np.uint32)
    return made
