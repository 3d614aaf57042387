"""Searches on networks: where places enter the graph, threads, retries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels import search as kernels
from citygeo.engine import LONGEST_MS, UNREACHED, Nodes, Places, bounded, reached_parts, search_each
from citygeo.engine.bounded import Workspace, bucket_width
from tests import engines
from tests.toy import ONEWAY, STREET, edge_between, grid_city, network

NODES = {1: (0, 0), 2: (1000, 0), 3: (1000, 500), 4: (1000, -500)}
NET = network(NODES, [((1, 2), STREET), ((2, 3), ONEWAY), ((2, 4), STREET)])
TWO_WAY, ONE_WAY = edge_between(NET, 1, 2), edge_between(NET, 2, 3)
GRID = grid_city(8)


def places(*rows):
    edge, share, ms = zip(*rows, strict=True)
    return Places.one_each(np.array(edge, np.int64), np.array(share, float), np.array(ms, np.int64))


def seeds_by_id(direction, *rows):
    start, node, ms = places(*rows).entries(NET, direction)
    ids = NET.arrays["node_id"][node]
    row = np.repeat(np.arange(len(rows)), np.diff(start))
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
        rows[i] = [found.node.tolist(), found.ms.tolist(), *(part.tolist() for part in parts)]

    search_each(net, direction, sources, limit, collect, threads=threads)
    times = engines.times(net, direction, sources, sources, limit)
    return [[*row, ms.tolist()] for row, ms in zip(rows, times, strict=True)]


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
    ms, row = engines.nearest(GRID, "from", sources, points, k=4)
    table = engines.times(GRID, "from", sources, points)
    order = np.argsort(table, axis=0, kind="stable")[:4].T  # the first among equals
    assert row.tolist() == order.tolist()
    assert ms.tolist() == np.take_along_axis(table.T, order, axis=1).tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, GRID.n_edges - 1), st.sampled_from((0.0, 0.5, 1.0))), min_size=1, max_size=8
    )
)
def test_equally_near_sources_give_the_first_row(rows):
    sources = places(*((edge, share, 0) for edge, share in rows))
    ms, row = engines.nearest(GRID, "from", sources, sources)
    assert not ms.any()
    where = [tuple(np.round(place_of(edge, share), 9)) for edge, share in rows]
    assert row[:, 0].tolist() == [where.index(place) for place in where]


def place_of(edge, share):
    ends = GRID.node_lonlat[GRID.arrays["edge_node"][edge]]
    if share == 0.5:
        return np.array([edge, -1.0])  # its own place: middles of two edges never meet
    return ends[int(share)]


def test_full_queues_are_tried_again_with_more_room(monkeypatch):
    """Zero arcs between many seeds push the same states over and over."""
    sources, points = many(40), many(60, seed=9)
    expected = engines.nearest(GRID, "from", sources, points, k=3)
    sizes, search_nearest = [], kernels.search_nearest

    def full_at_first(*args):
        entry, near = args[9], args[13]
        assert (near == np.uint64(2**64 - 1)).all()
        sizes.append(entry.size)
        if len(sizes) < 3:
            near[:] = 1  # what a search that gave up may leave
            return kernels.FULL
        return search_nearest(*args)

    monkeypatch.setattr(kernels, "search_nearest", full_at_first)
    found = bounded.nearest(GRID, "from", sources, points, LONGEST_MS, k=3)
    assert (found >> np.uint64(32)).astype(np.uint32).tolist() == expected[0].tolist()
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_workspace_grows_until_a_search_fits(monkeypatch):
    sources = many(30)
    expected = engines.times(GRID, "from", sources, sources)
    counts = engines.sums(GRID, "from", sources, Nodes(np.arange(GRID.n_nodes)), cutoffs_ms=[9_000, 50_000])
    monkeypatch.setattr(bounded, "FIRST_ROOM", 2)
    assert (bounded.times(GRID, "from", sources, sources, LONGEST_MS, threads=2) == expected).all()
    nodes = Nodes(np.arange(GRID.n_nodes))
    assert (engines.sums(GRID, "from", sources, nodes, cutoffs_ms=[9_000, 50_000]) == counts).all()


def test_buckets_hold_every_time_up_to_the_limit_and_are_about_an_arc_wide():
    graph = GRID.graph("from")
    for limit in (0, 1, 4095, 4096, 300_000, 2**29 - 1, 2**29, LONGEST_MS):
        assert limit >> bucket_width(graph, limit) <= 2**17
    assert (
        2 ** bucket_width(graph, 300_000)
        <= np.median(graph.arc[:, 1])
        < 2 ** (bucket_width(graph, 300_000) + 1)
    )


def test_stamps_start_again_when_they_run_out():
    space = Workspace(NET, "from", 10)
    assert [space.next_stamps() for _ in range(3)] == [1, 2, 3]
    assert [space.next_stamps(5), space.next_stamps()] == [4, 9]
    space._stamp = 2**32 - 2
    space.label[:] = 99
    assert space.next_stamps() == 2**32 - 1
    assert set(space.label.tolist()) == {99}
    assert space.next_stamps() == 1
    assert set(space.label.tolist()) == {0}


def test_failure_in_the_callers_code_comes_through():
    def collect(i, _found):
        if i == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        search_each(GRID, "from", many(100), 1000, collect, threads=2)


def test_no_sources():
    search_each(GRID, "from", many(0), 1000, lambda *_: pytest.fail("nothing to find"))
    ms, row = engines.nearest(GRID, "from", many(0), many(3), k=2)
    assert (ms == UNREACHED).all()
    assert row.tolist() == [[-1] * 2] * 3
    assert engines.times(GRID, "from", many(0), many(3)).shape == (0, 3)
