"""
What the sides of a case are given: sources, targets, cut-offs.

Seeds are fixed, so that every side and every later run gets the same.
"""

from __future__ import annotations

import numpy as np

SEED = 7


def chosen(graph, count, seed=SEED):
    """Nodes drawn by a seed, in their order, which is spatial."""
    return np.sort(np.random.default_rng(seed).choice(graph.n, min(count, graph.n), replace=False))


def alone(graph, count):
    """Nodes drawn from those with a place of their own, because some peers find a facility by its place."""
    _, first, times = np.unique(graph.lonlat, axis=0, return_index=True, return_counts=True)
    return np.sort(np.random.default_rng(SEED).choice(first[times == 1], count, replace=False))


def from_all(*limits):
    """Counts from every node."""
    return lambda graph: {"limits_ms": np.array(limits), "sources": np.arange(graph.n)}


def from_some(count, *limits):
    """Counts from some nodes."""
    return lambda graph: {"limits_ms": np.array(limits), "sources": chosen(graph, count)}


def from_mapped(count, limit):
    """Counts on a graph that is only arrays: `graph` is its folder."""

    def given(graph):
        n = len(np.load(graph / "start.npy", mmap_mode="r")) - 1
        drawn = np.random.default_rng(SEED).choice(n, count, replace=False)
        return {"limits_ms": np.array([limit]), "sources": np.sort(drawn)}

    return given


def to_all(graph):
    """A batch of whole trees."""
    return {"sources": chosen(graph, 1000)}


def square(graph):
    """A table between two draws of 1,000 nodes."""
    return {"sources": chosen(graph, 1000), "targets": chosen(graph, 1000, SEED + 1)}


def nearest_of(k):
    """The k nearest of 1,000 facilities."""
    return lambda graph: {"facilities": alone(graph, 1000), "k": k}


def few_to_check(graph):
    """Sources and targets whose times show that a hierarchy is right."""
    return {"sources": chosen(graph, 20), "targets": chosen(graph, 1000, SEED + 1)}


def changed(graph):
    """New times for all arcs."""
    return {"ms": graph.changed(SEED), **few_to_check(graph)}


def facilities(count, *minutes):
    """Places where isochrones begin, and their bands."""
    return lambda graph: {"sources": graph.lonlat[chosen(graph, count)], "minutes": minutes}


def squared_places(graph):
    """A table between places on the map."""
    given = square(graph)
    return {"sources": graph.lonlat[given["sources"]], "targets": graph.lonlat[given["targets"]]}
