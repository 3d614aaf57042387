"""Bounded Dijkstra against the slow oracle and scipy, on hostile random graphs."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from citygeo._kernels.search import FULL, NONE, STOPPED, search, search_nearest
from tests import reference
from tests.kernels.graphs import STOP, arcs, csr

limits = st.one_of(st.integers(0, 30), st.integers(0, 3000))


ALL_ONES = np.uint64(2**64 - 1)
NO_GOALS = np.zeros(1, np.uint8)


class Scratch:
    """What one worker keeps between searches."""

    def __init__(self, n_nodes: int, room: int = 10_000) -> None:
        self.label = np.zeros(n_nodes, np.uint64)
        self.room(room)
        self.node, self.ms = np.empty(n_nodes, np.uint32), np.empty(n_nodes, np.uint32)
        self.bucket = np.full((2**16, 2), NONE)
        self.stamp = 0

    def room(self, size: int) -> None:
        self.entry, self.link = np.empty(size, np.uint64), np.empty(size, np.uint32)

    def run(self, graph, seeds, limit, *, stop=STOP, width=None, goals=()):
        """Settled nodes with their times, in order of time; or a status."""
        self.stamp += 1
        node = np.array([node for node, _ in seeds], np.int64)
        ms = np.array([ms for _, ms in seeds], np.int64)
        stamp = np.uint64(self.stamp << 32)
        width = max(limit.bit_length() - 16, 0) if width is None else width
        goal = np.zeros(self.label.size, np.uint8)
        goal[list(goals)] = 1
        n = search(
            *graph, node, ms, limit, width, stamp, goal, len(set(goals)), self.label, self.bucket, self.entry,
            self.link, stop, self.node, self.ms,
        )  # fmt: skip
        assert (self.bucket[:, 0] == NONE).all(), "left for the next search"
        assert set(np.flatnonzero(goal).tolist()) == set(goals)
        if n < 0:
            return n
        found = zip(self.node[:n].tolist(), self.ms[:n].tolist(), strict=True)
        return sorted(found, key=lambda pair: (pair[1], pair[0]))


@st.composite
def seeded(draw: st.DrawFn):
    n, listed = draw(arcs())
    seeds = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, 40)), max_size=4))
    return n, listed, seeds


def run(n, listed, seeds, limit, **options):
    return Scratch(n).run(csr(n, listed), seeds, limit, **options)


@given(seeded(), limits, st.integers(0, 14))
def test_times_equal_reference_for_any_width_of_buckets(case, limit, width):
    n, listed, seeds = case
    found = run(n, listed, seeds, limit, width=width)
    assert dict(found) == reference.shortest_times(listed, seeds, limit)
    assert len(dict(found)) == len(found), "a node was settled twice"


@given(seeded(), limits, st.integers(0, 14), st.data())
def test_a_search_may_end_when_its_goals_are_final(case, limit, width, data):
    n, listed, seeds = case
    goals = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=3))
    truth = reference.shortest_times(listed, seeds, limit)
    found = dict(run(n, listed, seeds, limit, width=width, goals=goals))
    assert found.items() <= truth.items()
    assert found.keys() >= truth.keys() & set(goals)


def test_a_search_ends_soon_after_its_last_goal():
    listed = [(i, i + 1, 10) for i in range(99)]
    assert len(run(100, listed, [(0, 0)], 10_000, width=0, goals=[5, 3])) == 6
    assert len(run(100, listed, [(0, 0)], 10_000, width=0)) == 100


@given(seeded(), limits)
def test_a_full_queue_says_so_and_leaves_nothing_behind(case, limit):
    n, listed, seeds = case
    scratch, graph = Scratch(n, room=1), csr(n, listed)
    found, room = FULL, 1
    while found == FULL:
        scratch.room(room)
        found = scratch.run(graph, seeds, limit)
        room += 1
    assert dict(found) == reference.shortest_times(listed, seeds, limit)


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
    graph, used = csr(n, listed), Scratch(n)
    for limit in several:
        assert used.run(graph, seeds, limit) == Scratch(n).run(graph, seeds, limit)


def test_highest_stamp_still_separates_searches():
    graph, scratch = csr(2, [(0, 1, 5)]), Scratch(2)
    scratch.stamp = 2**32 - 3
    assert scratch.run(graph, [(0, 0)], 9) == [(0, 0), (1, 5)]
    assert scratch.stamp == 2**32 - 2
    assert scratch.run(graph, [(1, 3)], 9) == [(1, 3)]


def long_line(n):
    place = np.arange(n - 1)
    return csr(n, np.column_stack((place, place + 1, np.ones(n - 1, np.int64))))


def test_stop_flag_ends_a_long_search():
    n = 70_000  # more than one poll, which comes every 65,536 nodes taken out
    scratch, graph, stop = Scratch(n), long_line(n), np.ones(1, np.uint8)
    assert scratch.run(graph, [(0, 0)], 2**31 - 1, stop=stop) == STOPPED
    assert len(scratch.run(graph, [(0, 0)], 2**31 - 1)) == n
    status, _ = nearest_keys(graph, n, [(0, 0, 0)], 2**31 - 1, stop=stop)
    assert status == STOPPED


def nearest_keys(graph, n, seeds, limit, k=1, room=10_000, stop=STOP):
    node, ms, owner = np.array(seeds, np.int64).reshape(-1, 3).T.copy()
    near = np.full(n * k, ALL_ONES)
    entry, entry_node, link = np.empty(room, np.uint64), np.empty(room, np.uint32), np.empty(room, np.uint32)
    width = max(limit.bit_length() - 16, 0)
    bucket = np.full((2**16, 2), NONE)
    status = search_nearest(
        *graph, node, ms, owner, limit, width, k, bucket, entry, entry_node, link, stop, near
    )
    return status, near.reshape(n, k)


def nearest(n, listed, seeds, limit, k=1, room=10_000):
    """Status, and (time, owner) of the nearest of each node that has any."""
    status, near = nearest_keys(csr(n, listed), n, seeds, limit, k, room)
    found = {}
    for node, keys in enumerate(near.tolist()):
        pairs = [(key >> 32, key & 0xFFFFFFFF) for key in keys if key != 2**64 - 1]
        assert keys == sorted(keys)
        if pairs:
            found[node] = pairs
    return status, found


@given(arcs(), limits, st.integers(1, 4), st.data())
def test_nearest_owners_equal_reference(case, limit, k, data):
    n, listed = case
    seed = st.tuples(st.integers(0, n - 1), st.integers(0, 20), st.integers(0, 4))
    seeds = data.draw(st.lists(seed, max_size=6))
    status, found = nearest(n, listed, seeds, limit, k)
    assert status == 0
    assert found == reference.nearest_owners(listed, seeds, limit, k)


@given(arcs(), st.integers(1, 3), st.data())
def test_nearest_says_when_its_queue_is_full(case, k, data):
    n, listed = case
    seed = st.tuples(st.integers(0, n - 1), st.integers(0, 3), st.integers(0, 4))
    seeds = data.draw(st.lists(seed, min_size=1, max_size=6))
    room, status = 1, FULL
    while status == FULL:
        status, found = nearest(n, listed, seeds, 500, k, room)
        room += 1
    assert status == 0
    assert found == reference.nearest_owners(listed, seeds, 500, k)


def test_nearest_tie_goes_to_the_smallest_owner_whatever_the_order():
    listed = [(0, 1, 5), (2, 1, 5)]
    for seeds in ([(0, 0, 3), (2, 0, 1)], [(2, 0, 1), (0, 0, 3)]):
        assert nearest(3, listed, seeds, 5)[1] == {0: [(0, 3)], 1: [(5, 1)], 2: [(0, 1)]}
        assert nearest(3, listed, seeds, 5, k=2)[1][1] == [(5, 1), (5, 3)]
    assert nearest(3, listed, [(0, 0, 3), (2, 0, 1)], 4)[1] == {0: [(0, 3)], 2: [(0, 1)]}


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
