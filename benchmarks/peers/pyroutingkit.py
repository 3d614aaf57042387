"""pyroutingkit: RoutingKit's customizable contraction hierarchies in C++, through arrays; one thread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from pyroutingkit import INF_WEIGHT, CCHMetric, CCHTopology

from benchmarks.plain import UNREACHED


class Built(NamedTuple):
    """Arrays of the types it takes, and the hierarchy with times."""

    n: int
    tail: np.ndarray
    head: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    ms: np.ndarray
    metric: CCHMetric | None


def build(graph, _side):
    """A hierarchy that answers."""
    longitude, latitude = graph.lonlat.T.astype(np.float32)
    arcs = (values.astype(np.uint32) for values in (graph.tail, graph.head))
    bare = Built(graph.n, *arcs, latitude, longitude, graph.ms.astype(np.uint32), None)
    return bare._replace(metric=prepare(bare))


def prepare(built, **_given):
    """Order, chordal graph and triangles; its parallel customising took 25 times as long on two threads."""
    topology = CCHTopology()
    topology.build(built.tail, built.head, built.latitude, built.longitude, built.n)
    metric = CCHMetric(topology)
    metric.customize(built.ms, 0)
    return metric


def prepare_answer(_built, made, sources, targets):
    """The times of a few pairs."""
    return _rows(made, sources, targets)


def table(built, sources, targets):
    """One call for all pairs."""
    return _rows(built.metric, sources, targets)


def customise_given(_built, given):
    """Times of the type it takes."""
    return {"ms": given["ms"].astype(np.uint32)}


def customise(built, ms, **_given):
    """Triangles again."""
    built.metric.customize(ms, 0)
    return built.metric


def customise_answer(_built, made, sources, targets, **_given):
    """The times of a few pairs."""
    return _rows(made, sources, targets)


def _rows(metric, sources, targets):
    ms = metric.distances_many_to_many(sources.astype(np.uint32), targets.astype(np.uint32))
    return np.where(ms == INF_WEIGHT, UNREACHED, ms)
