"""Bounded Dijkstra against the slow oracle and scipy, on hostile random graphs."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from citygeo._kernels.search import HEAP_FULL, STOPPED, UNREACHED, search, search_nearest
from tests import reference
from tests.kernels.graphs import STOP, arcs, csr

limits = st.one_of(st.integers(0, 30), st.integers(0, 3000))


class Scratch:
    """What one worker keeps between searches."""

    def __init__(self, n_nodes: int, n_arcs: int, n_seeds: int = 2) -> None:
        self.label = np.zeros(n_nodes, np.uint64)
        self.heap = np.empty(n_arcs + n_seeds, np.uint64)
        self.node, self.ms = np.empty(n_nodes, np.uint32), np.empty(n_nodes, np.uint32)
        self.stamp = 0

    def run(self, graph, seeds, limit, stop=STOP):
        self.stamp += 1
        node = np.array([node for node, _ in seeds], np.int64)
        ms = np.array([ms for _, ms in seeds], np.int64)
        stamp = np.uint64(self.stamp << 32)
        n = search(*graph, node, ms, limit, stamp, self.label, self.heap, stop, self.node, self.ms)
        return list(zip(self.node[:n].tolist(), self.ms[:n].tolist(), strict=True)) if n >= 0 else n


@st.composite
def seeded(draw: st.DrawFn):
    n, listed = draw(arcs())
    seeds = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, 40)), max_size=4))
    return n, listed, seeds


def run(n, listed, seeds, limit):
    return Scratch(n, len(listed), len(seeds)).run(csr(n, listed), seeds, limit)


@given(seeded(), limits)
def test_times_equal_reference_in_order_of_time(case, limit):
    n, listed, seeds = case
    found = run(n, listed, seeds, limit)
    assert dict(found) == reference.shortest_times(listed, seeds, limit)
    assert len(dict(found)) == len(found), "a node was settled twice"
    assert [ms for _, ms in found] == sorted(ms for _, ms in found)


@given(arcs(), limits, st.data())
def test_times_equal_scipy(case, limit, data):
    n, listed = case
    origin = data.draw(st.integers(0, n - 1))
    least: dict[tuple[int, int], int] = {}
    for tail, head, ms in listed:
        least[tail, head] = min(ms, least.get((tail, head), ms))
    # scipy takes a stored 0 for an arc of length 0, so explicit zeros stay in the matrix
    tails, heads = ([ends[i] for ends in least] for i in (0, 1))
    matrix = csr_array((np.array([*least.values()], float), (tails, heads)), shape=(n, n))
    theirs = dijkstra(matrix, indices=origin, limit=limit)
    ours = np.full(n, np.inf)
    for node, ms in run(n, listed, [(origin, 0)], limit):
        ours[node] = ms
    assert ours.tolist() == theirs.tolist()


def test_limit_is_inclusive():
    listed = [(0, 1, 100), (1, 2, 1)]
    assert run(3, listed, [(0, 0)], 100) == [(0, 0), (1, 100)]
    assert run(3, listed, [(0, 0)], 99) == [(0, 0)]
    assert run(3, listed, [(0, 0)], 101) == [(0, 0), (1, 100), (2, 101)]
    assert run(3, listed, [(0, 7)], 6) == []
    assert run(3, listed, [(0, 7)], 7) == [(0, 7)]
    assert run(3, listed, [], 7) == []


def test_longest_times_do_not_overflow():
    longest = 2**31 - 1
    listed = [(0, 1, longest), (1, 2, longest), (0, 2, longest - 1), (2, 1, 1), (2, 3, 2)]
    assert run(4, listed, [(0, 0)], longest) == [(0, 0), (2, longest - 1), (1, longest)]


def test_zero_arcs_loops_and_parallel_arcs_take_the_least():
    listed = [(0, 0, 0), (0, 1, 9), (0, 1, 4), (1, 0, 0), (1, 2, 0), (2, 1, 0)]
    assert sorted(run(3, listed, [(0, 0)], 10)) == [(0, 0), (1, 4), (2, 4)]


@given(seeded(), st.lists(limits, min_size=2, max_size=5))
def test_a_used_workspace_answers_as_a_fresh_one(case, several):
    n, listed, seeds = case
    graph, used = csr(n, listed), Scratch(n, len(listed), len(seeds))
    for limit in several:
        assert used.run(graph, seeds, limit) == Scratch(n, len(listed), len(seeds)).run(graph, seeds, limit)


def test_highest_stamp_still_separates_searches():
    graph, scratch = csr(2, [(0, 1, 5)]), Scratch(2, 1)
    scratch.stamp = 2**32 - 3
    assert scratch.run(graph, [(0, 0)], 9) == [(0, 0), (1, 5)]
    assert scratch.stamp == 2**32 - 2
    assert scratch.run(graph, [(1, 3)], 9) == [(1, 3)]


def long_line(n):
    place = np.arange(n - 1)
    return csr(n, np.column_stack((place, place + 1, np.ones(n - 1, np.int64))))


def test_stop_flag_ends_a_long_search():
    n = 70_000  # more than one poll, which comes every 65,536 pops
    scratch, graph, stop = Scratch(n, n - 1), long_line(n), np.ones(1, np.uint8)
    assert scratch.run(graph, [(0, 0)], 2**31 - 1, stop) == STOPPED
    assert len(scratch.run(graph, [(0, 0)], 2**31 - 1)) == n
    ms, owner = np.full(n, UNREACHED), np.full(n, -1, np.int64)
    one = np.zeros(1, np.int64)
    status = search_nearest(*graph, one, one, one, 2**31 - 1, np.empty(n, np.uint64), stop, ms, owner)
    assert status == STOPPED


def nearest(n, listed, seeds, limit, heap_size):
    table = np.array(seeds, np.int64).reshape(-1, 3).T.copy()
    ms, owner = np.full(n, UNREACHED), np.full(n, -1, np.int64)
    heap = np.empty(heap_size, np.uint64)
    status = search_nearest(*csr(n, listed), table[0], table[1], table[2], limit, heap, STOP, ms, owner)
    found = {i: (int(ms[i]), int(owner[i])) for i in np.flatnonzero(owner >= 0).tolist()}
    return status, found


@given(arcs(), limits, st.data())
def test_nearest_owner_equals_reference(case, limit, data):
    n, listed = case
    seed = st.tuples(st.integers(0, n - 1), st.integers(0, 20), st.integers(0, 4))
    seeds = data.draw(st.lists(seed, max_size=6))
    status, found = nearest(n, listed, seeds, limit, 10_000)
    assert status == 0
    assert found == reference.nearest_owner(listed, seeds, limit)


@given(arcs(), st.data())
def test_nearest_says_when_its_heap_is_full(case, data):
    n, listed = case
    seed = st.tuples(st.integers(0, n - 1), st.integers(0, 3), st.integers(0, 4))
    seeds = data.draw(st.lists(seed, min_size=1, max_size=6))
    size, status = len(seeds), HEAP_FULL  # the least that may be passed
    while status == HEAP_FULL:
        status, found = nearest(n, listed, seeds, 500, size)
        size *= 2
    assert status == 0
    assert found == reference.nearest_owner(listed, seeds, 500)


def test_nearest_ties_fill_a_heap_that_holds_the_seeds():
    # zero arcs: every spoke takes the hub from the one before, and the last one's owner takes all spokes
    hub = 50
    listed = [(hub, i, 0) for i in range(hub)] + [(i, hub, 0) for i in range(hub)]
    seeds = [(i, 0, hub - 1 - i) for i in range(hub)]
    assert nearest(hub + 1, listed, seeds, 10, len(seeds))[0] == HEAP_FULL
    status, found = nearest(hub + 1, listed, seeds, 10, 10_000)
    assert status == 0
    assert set(found.values()) == {(0, 0)}


def test_nearest_tie_goes_to_the_smallest_owner_whatever_the_order():
    listed = [(0, 1, 5), (2, 1, 5)]
    for seeds in ([(0, 0, 3), (2, 0, 1)], [(2, 0, 1), (0, 0, 3)]):
        assert nearest(3, listed, seeds, 5, 99)[1] == {0: (0, 3), 1: (5, 1), 2: (0, 1)}
    assert nearest(3, listed, [(0, 0, 3), (2, 0, 1)], 4, 99)[1] == {0: (0, 3), 2: (0, 1)}


def test_reached_nodes_of_a_grid_have_a_closed_form():
    side = 21
    listed = []
    for row in range(side):
        for col in range(side):
            for r, c in ((row + 1, col), (row, col + 1)):
                if r < side and c < side:
                    listed += [(row * side + col, r * side + c, 10), (r * side + c, row * side + col, 10)]
    for k in range(11):
        found = run(side * side, listed, [(side * side // 2, 0)], 10 * k + 9)
        assert len(found) == 2 * k * k + 2 * k + 1
        assert math.isclose(max(ms for _, ms in found), 10 * k)
