"""Searches on networks: where places enter the graph, threads, retries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels import search as kernels
from citygeo.network.search import (
    UNREACHED,
    Places,
    _Workspace,
    nearest_at,
    reached_parts,
    search_each,
    seeds,
    times_at,
)
from tests.toy import ONEWAY, STREET, edge_between, grid_city, network

NODES = {1: (0, 0), 2: (1000, 0), 3: (1000, 500), 4: (1000, -500)}
NET = network(NODES, [((1, 2), STREET), ((2, 3), ONEWAY), ((2, 4), STREET)])
TWO_WAY, ONE_WAY = edge_between(NET, 1, 2), edge_between(NET, 2, 3)
GRID = grid_city(8)


def places(*rows):
    edge, share, ms = zip(*rows, strict=True)
    return Places.one_each(np.array(edge, np.int64), np.array(share, float), np.array(ms, np.int64))


def seeds_by_id(direction, *rows):
    node, ms, row = seeds(NET, direction, places(*rows))
    ids = NET.arrays["node_id"][node]
    return sorted(zip(row.tolist(), ids.tolist(), ms.tolist(), strict=True))


def test_seeds_by_hand():
    assert seeds_by_id("from", (TWO_WAY, 0.25, 500)) == [(0, 1, 25_500), (0, 2, 75_500)]
    assert seeds_by_id("from", (ONE_WAY, 0.2, 0)) == [(0, 3, 40_000)]
    assert seeds_by_id("to", (ONE_WAY, 0.2, 0)) == [(0, 2, 10_000)]
    assert seeds_by_id("from", (-1, np.nan, 0), (TWO_WAY, 1.0, 7)) == [(1, 1, 100_007), (1, 2, 7)]


def test_a_place_at_the_end_of_a_one_way_street_is_the_node():
    assert seeds_by_id("from", (ONE_WAY, 0.0, 1)) == [(0, 2, 1), (0, 3, 50_001)]
    assert seeds_by_id("from", (ONE_WAY, 1.0, 1)) == [(0, 3, 1)]
    assert seeds_by_id("to", (ONE_WAY, 1.0, 1)) == [(0, 2, 50_001), (0, 3, 1)]
    assert seeds_by_id("to", (ONE_WAY, 0.0, 1)) == [(0, 2, 1)]


def everything(sources, threads, direction="from", limit=70_000, net=GRID):
    """What each source finds: nodes, parts, times at all sources."""
    rows = [None] * sources.n_rows

    def collect(i, found):
        parts = reached_parts(net, direction, sources.of(i), found, limit)
        times = times_at(net, direction, sources.of(i), found, sources, limit)
        rows[i] = [found.node.tolist(), found.ms.tolist(), *(part.tolist() for part in parts), times.tolist()]

    search_each(net, direction, sources, limit, collect, threads=threads)
    return rows


def many(n, seed=1):
    rng = np.random.default_rng(seed)
    return Places.one_each(rng.integers(0, GRID.n_edges, n), rng.random(n), rng.integers(0, 20_000, n))


def test_threads_and_order_change_nothing():
    sources = many(150)
    one = everything(sources, 1)
    assert everything(sources, 2) == one
    order = np.random.default_rng(2).permutation(150)
    mixed = everything(Places.one_each(*(column[order] for column in sources[:3])), 2)
    for place, row in enumerate(order):
        assert mixed[place][:5] == one[row][:5]
        assert mixed[place][5] == [one[row][5][i] for i in order]


def test_times_between_places_are_symmetric_on_two_way_streets():
    sources = many(30)
    sources = Places.one_each(sources.edge, sources.share, np.zeros(30, np.int64))
    there = np.array([row[5] for row in everything(sources, 2, limit=2**31 - 1)], np.int64)
    # each end may round by half a millisecond
    assert np.abs(there - there.T).max() <= 2
    assert not np.diag(there).any()


def test_nearest_is_the_least_of_single_searches():
    sources, points = many(6), many(80, seed=5)
    ms, row = nearest_at(GRID, "from", sources, points)
    table = np.empty((6, 80), np.int64)

    def collect(i, found):
        table[i] = times_at(GRID, "from", sources.of(i), found, points, 2**31 - 1)

    search_each(GRID, "from", sources, 2**31 - 1, collect)
    assert ms.tolist() == table.min(axis=0).tolist()
    assert row.tolist() == table.argmin(axis=0).tolist()  # argmin gives the first among equals


@given(
    st.lists(
        st.tuples(st.integers(0, GRID.n_edges - 1), st.sampled_from((0.0, 0.5, 1.0))), min_size=1, max_size=8
    )
)
def test_equally_near_sources_give_the_first_row(rows):
    sources = places(*((edge, share, 0) for edge, share in rows))
    ms, row = nearest_at(GRID, "from", sources, sources)
    assert not ms.any()
    where = [tuple(np.round(place_of(edge, share), 9)) for edge, share in rows]
    assert row.tolist() == [where.index(place) for place in where]


def place_of(edge, share):
    ends = GRID.node_lonlat[GRID.arrays["edge_node"][edge]]
    if share == 0.5:
        return np.array([edge, -1.0])  # its own place: middles of two edges never meet
    return ends[int(share)]


def test_full_heap_is_tried_again_with_a_larger_one(monkeypatch):
    sizes, search_nearest = [], kernels.search_nearest

    def full_at_first(*args):
        heap, ms, owner = args[6], args[8], args[9]
        assert (ms == UNREACHED).all()
        assert (owner == -1).all()
        sizes.append(heap.size)
        if len(sizes) < 3:
            ms[:], owner[:] = 1, 0  # what a search that gave up may leave
            return kernels.HEAP_FULL
        return search_nearest(*args)

    sources = many(5)
    expected = nearest_at(GRID, "from", sources, sources)
    monkeypatch.setattr(kernels, "search_nearest", full_at_first)
    found = nearest_at(GRID, "from", sources, sources)
    assert [array.tolist() for array in found] == [array.tolist() for array in expected]
    assert sizes[0] < sizes[1] < sizes[2]


def test_stamps_start_again_when_they_run_out():
    space = _Workspace(3, 4)
    assert [int(space.next_stamp()) >> 32 for _ in range(3)] == [1, 2, 3]
    space._stamp = 2**32 - 2
    space.label[:] = 99
    assert int(space.next_stamp()) == (2**32 - 1) << 32
    assert space.label.tolist() == [99] * 3
    assert int(space.next_stamp()) == 1 << 32
    assert space.label.tolist() == [0] * 3


def test_failure_in_the_callers_code_comes_through():
    def collect(i, _found):
        if i == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        search_each(GRID, "from", many(100), 1000, collect, threads=2)


def test_no_sources():
    search_each(GRID, "from", many(0), 1000, lambda *_: pytest.fail("nothing to find"))
    ms, row = nearest_at(GRID, "from", many(0), many(3))
    assert (ms == UNREACHED).all()
    assert row.tolist() == [-1] * 3
