"""The hierarchy: a true order, a chordal graph, times that no other way beats; against plain Python."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels.hierarchy import NEVER
from citygeo._kernels.order import STOPPED, dissect, neighbours
from citygeo.network.base import Graph
from citygeo.network.hierarchy import customised, make_order, make_topology
from tests import reference
from tests.kernels.graphs import arcs, csr, frozen

EVER = 10**9


def as_graph(n, listed):
    start, arc = csr(n, listed)
    return Graph(start, arc, frozen(np.zeros(len(arc), np.uint32)))


def made(n, listed, order=None, xy=None):
    graph = as_graph(n, listed)
    found, start, head = make_order(graph, np.zeros((n, 2)) if xy is None else xy)
    topology = make_topology(found if order is None else np.array(order, np.int64), start, head)
    return topology, customised(topology, graph)


def joined(topology):
    """Pairs of places that the hierarchy joins, the lower one first."""
    start = topology.up_start.tolist()
    return {
        (p, int(w))
        for p, (a, b) in enumerate(itertools.pairwise(start))
        for w in topology.up_head[a:b].tolist()
    }


@given(arcs())
def test_neighbours_are_those_of_either_direction(case):
    n, listed = case
    start, head = np.empty(n + 1, np.int64), np.empty(2 * len(listed), np.int64)
    size = neighbours(*csr(n, listed), start, head)
    for v in range(n):
        truth = {b for a, b, _ in listed if a == v} | {a for a, b, _ in listed if b == v}
        assert head[start[v] : start[v + 1]].tolist() == sorted(truth - {v})
    assert size == start[n]


@given(arcs(max_nodes=14), st.data())
def test_an_order_has_every_node_once(case, data):
    n, listed = case
    places = st.floats(-5, 5, allow_nan=False)
    xy = np.array([[data.draw(places), data.draw(places)] for _ in range(n)])
    order, *_ = make_order(as_graph(n, listed), xy)
    assert sorted(order.tolist()) == list(range(n))


def grid(side):
    """A square grid of two-way streets of 1 s, and its places."""
    listed = []
    for row, col in itertools.product(range(side), repeat=2):
        for r, c in ((row + 1, col), (row, col + 1)):
            if r < side and c < side:
                listed += [(row * side + col, r * side + c, 1000), (r * side + c, row * side + col, 1000)]
    xy = np.array([(col, row) for row in range(side) for col in range(side)], float)
    return listed, xy


def test_a_grid_is_cut_by_a_line_into_parts_of_some_size():
    """No more than a side of nodes come last, and leave nothing larger than three quarters."""
    side = 15
    listed, xy = grid(side)
    n = side * side
    topology, _ = made(n, listed, xy=xy)
    children = np.bincount(topology.parent[1:], minlength=n)
    cut = int(np.argmax(children > 1)) + 1  # places from the root to the first branch
    assert cut <= side
    assert topology.below[topology.parent == cut - 1].max() <= 0.75 * n + 1
    worst, _ = made(n, listed, order=list(range(n)), xy=xy)
    assert len(worst.up_head) > 1.5 * len(topology.up_head)


def test_an_order_can_be_stopped():
    listed, xy = grid(6)
    start, head = np.empty(37, np.int64), np.empty(2 * len(listed), np.int64)
    neighbours(*csr(36, listed), start, head)
    order = np.empty(36, np.int64)
    assert dissect(start, head, *xy.T.copy(), np.ones(1, np.uint8), order) == STOPPED


@given(arcs(max_nodes=12), st.data())
def test_the_hierarchy_is_chordal_whatever_the_order(case, data):
    n, listed = case
    order = data.draw(st.permutations(range(n)))
    topology, _ = made(n, listed, order)
    place = topology.place.astype(int)
    pairs = joined(topology)
    assert {(max(place[a], place[b]), min(place[a], place[b])) for a, b, _ in listed if a != b} <= pairs
    # the neighbours above a place are all joined to each other; the nearest is the parent
    for p in range(n):
        above = sorted((w for q, w in pairs if q == p), reverse=True)
        assert all((one, two) in pairs for one, two in itertools.combinations(above, 2))
        assert topology.parent[p] == (above[0] if above else -1)
    # a subtree is a range of places
    for p in range(n):
        inside = {q for q in range(n) if p in ancestors(topology, q)}
        assert inside == set(range(p, p + int(topology.below[p])))


def ancestors(topology, place):
    found = []
    while place >= 0:
        found.append(place)
        place = int(topology.parent[place])
    return found


def arcs_in_use(side):
    start, arc = side
    return {
        (p, int(head)): int(ms)
        for p, (a, b) in enumerate(itertools.pairwise(start.tolist()))
        for head, ms in arc[a:b].tolist()
    }


@given(arcs(max_nodes=9), st.data())
def test_arcs_in_use_are_as_quick_as_any_way_and_enough(case, data):
    n, listed = case
    topology, hierarchy = made(n, listed, data.draw(st.permutations(range(n))))
    place = topology.place.astype(int).tolist()
    times = {v: reference.shortest_times(listed, [(v, 0)], EVER) for v in range(n)}
    node = {p: v for v, p in enumerate(place)}
    rise, fall = arcs_in_use(hierarchy.rise), arcs_in_use(hierarchy.fall)
    for (low, up), ms in rise.items():
        assert ms == times[node[low]][node[up]]
    for (low, up), ms in fall.items():
        assert ms == times[node[up]][node[low]]
    # up, then down, is enough for every pair
    for v in range(n):
        up = reference.shortest_times([(node[a], node[b], ms) for (a, b), ms in rise.items()], [(v, 0)], EVER)
        both = reference.shortest_times(
            [(node[b], node[a], ms) for (a, b), ms in fall.items()], list(up.items()), EVER
        )
        assert both == times[v]


@given(arcs(max_nodes=9), st.data())
def test_other_times_and_fewer_arcs_need_no_other_topology(case, data):
    n, listed = case
    topology, _ = made(n, listed)
    changed = [
        (a, b, data.draw(st.integers(0, 50))) for a, b, _ in listed if data.draw(st.integers(0, 3)) > 0
    ]
    again, fresh = (
        customised(topology, as_graph(n, changed)),
        made(n, changed, np.argsort(topology.place)[::-1])[1],
    )
    assert again is not None
    times = {v: reference.shortest_times(changed, [(v, 0)], EVER) for v in range(n)}
    node = np.argsort(topology.place).tolist()
    for (low, up), ms in arcs_in_use(again.rise).items():
        assert ms == times[node[low]][node[up]]
    assert fresh is not None


def test_an_arc_that_the_topology_lacks_is_noticed():
    topology, _ = made(4, [(0, 1, 5), (1, 2, 5), (2, 3, 5)], order=[0, 3, 1, 2])
    assert (max(topology.place[[0, 3]]), min(topology.place[[0, 3]])) not in joined(topology)
    assert customised(topology, as_graph(4, [(0, 1, 5), (3, 0, 5)])) is None
    assert customised(topology, as_graph(5, [(0, 1, 5)])) is None


@pytest.mark.parametrize("ms", [int(NEVER) - 1, int(NEVER), 2**32 - 1])
def test_arcs_of_24_days_and_more_are_never_taken(ms):
    _, hierarchy = made(3, [(0, 1, ms), (1, 2, 1)])
    used = {**arcs_in_use(hierarchy.rise), **arcs_in_use(hierarchy.fall)}
    assert (ms in used.values()) == (ms < NEVER)
