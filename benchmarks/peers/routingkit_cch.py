"""routingkit-cch: RoutingKit's customizable contraction hierarchies in C++, through Python lists; one thread."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from routingkit_cch import CCH, CCHMetric, CCHOneToMany, compute_order_inertial

from benchmarks.plain import UNREACHED

STEPS = {}


class Built(NamedTuple):
    """Lists, made outside of the clock, and the hierarchy with times."""

    n: int
    tail: list
    head: list
    latitude: list
    longitude: list
    ms: list
    metric: CCHMetric | None


def build(graph, _side):
    """A hierarchy that answers."""
    longitude, latitude = graph.lonlat.T.tolist()
    lists = (graph.tail.tolist(), graph.head.tolist(), latitude, longitude, graph.ms.tolist())
    bare = Built(graph.n, *lists, None)
    return bare._replace(metric=prepare(bare))


def prepare(built, **_given):
    """Order by inertial cuts, chordal graph, triangles; the seconds of each are kept."""
    begin = time.perf_counter()
    order = compute_order_inertial(built.n, built.tail, built.head, built.latitude, built.longitude)
    ordered = time.perf_counter()
    hierarchy = CCH(order, built.tail, built.head, False)  # keeps arcs that are closed now
    joined = time.perf_counter()
    metric = CCHMetric(hierarchy, built.ms)
    STEPS.update(order=ordered - begin, build=joined - ordered, customise=time.perf_counter() - joined)
    return metric


def prepare_answer(_built, made, sources, targets):
    """The times of a few pairs."""
    return _rows(made, sources, targets)


def table(built, sources, targets):
    """One search up from each source; the targets' side is kept between them."""
    return _rows(built.metric, sources, targets)


def customise_given(_built, given):
    """Lists of times."""
    return {"ms": given["ms"].tolist()}


def customise(built, ms, **_given):
    """Triangles again, in the same memory."""
    built.metric.reset(ms)
    return built.metric


def customise_answer(_built, made, sources, targets, **_given):
    """The times of a few pairs."""
    return _rows(made, sources, targets)


def _rows(metric, sources, targets):
    query = CCHOneToMany(metric, targets.tolist())
    ms = np.array([query.distances_from(source) for source in sources.tolist()], float)
    return np.where(np.isnan(ms), UNREACHED, ms).astype(np.uint32)  # None became NaN
