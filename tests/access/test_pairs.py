"""Pairs within a bound: exactly those of the table of all times, for any block, engine, side and thread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo import engine as engines
from citygeo.access.pairs import pairs_within
from citygeo.engine import UNREACHED, Nodes, Places, reached
from citygeo.errors import CitygeoError
from tests.toy import grid_city

CITY = grid_city(6)  # blocks of 10 s
N = CITY.n_nodes


def by_table(facilities, demand, direction, limits):
    """The pairs read from all times."""
    ms = engines.times(CITY, direction, facilities, demand)
    limit = np.broadcast_to(limits, len(ms))
    return [
        (f, d, int(ms[f, d]))
        for d in range(demand.n_rows)
        for f in range(facilities.n_rows)
        if ms[f, d] != UNREACHED and ms[f, d] <= limit[f]
    ]


def listed(pairs):
    return list(zip(pairs.facility.tolist(), pairs.demand.tolist(), pairs.ms.tolist(), strict=True))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_pairs_are_those_of_the_table(data):
    nodes = st.lists(st.integers(0, N - 1), min_size=1, max_size=9)
    facilities = Nodes(np.array(data.draw(nodes)))
    demand = Nodes(np.array(data.draw(nodes)))
    limits = np.array(
        data.draw(st.lists(st.integers(0, 130_000), min_size=facilities.n_rows, max_size=facilities.n_rows))
    )
    direction = data.draw(st.sampled_from(["from", "to"]))
    expected = by_table(facilities, demand, direction, limits)
    for block_bytes in (1, 40, 1 << 20):
        for engine in ("dijkstra", "cch"):
            found = pairs_within(
                CITY, direction, facilities, demand, limits, block_bytes=block_bytes, engine=engine
            )
            assert listed(found) == expected


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("direction", ["from", "to"])
def test_places_of_a_city_in_blocks_and_whole(direction, threads):
    net = cg.datasets.reykjavik().network("drive")
    rng = np.random.default_rng(5)
    # each row with none, one or two places
    rows = np.sort(rng.integers(0, 30, 40))
    gates = Places(rng.integers(0, net.n_edges, 40), rng.random(40), rng.integers(0, 9_000, 40), rows, 30)
    homes = Places.one_each(rng.integers(0, net.n_edges, 100), rng.random(100), np.zeros(100, np.int64))
    limit = 180_000
    table = engines.times(net, direction, gates, homes, limit)
    expected = np.nonzero(table.T != UNREACHED)
    for block_bytes in (800, 1 << 28):
        found = pairs_within(net, direction, gates, homes, limit, block_bytes=block_bytes, threads=threads)
        assert np.array_equal(found.demand, expected[0])
        assert np.array_equal(found.facility, expected[1])
        assert np.array_equal(found.ms, table[found.facility, found.demand])
        assert (found.n_facilities, found.n_demand) == (30, 100)
    assert found.ms.size > 50
    back = pairs_within(net, "to" if direction == "from" else "from", homes, gates, limit)
    order = np.lexsort((back.demand, back.facility))
    assert np.array_equal(back.ms[order], found.ms), "one's facilities are the other's demand"


def test_sums_by_either_side_and_rows_without_a_pair():
    here, there = CITY.arrays["edge_node"][0].tolist()
    away = next(node for node in range(N) if not {here, there} & set(neighbours(node)))
    found = pairs_within(CITY, "to", Nodes(np.array([here, away])), Nodes(np.array([here, there])), 10_000)
    assert listed(found) == [(0, 0, 0), (0, 1, 10_000)]
    assert found.minutes.tolist() == [0, 1 / 6]
    assert found.by_facility(np.array([2.0, 3.0])).tolist() == [5, 0]
    assert found.by_demand(np.array([2.0, 3.0])).tolist() == [2, 3]
    nobody = pairs_within(CITY, "to", Nodes(np.empty(0, np.int64)), Nodes(np.array([0])), 10_000)
    assert listed(nobody) == []
    assert nobody.by_demand(np.empty(0)).tolist() == [0]


@pytest.mark.parametrize("engine", ["dijkstra", "cch"])
def test_too_many_pairs_end_the_work(engine, monkeypatch):
    every = Nodes(np.arange(N))
    monkeypatch.setattr(reached, "MOST_PAIRS", N * N)
    assert pairs_within(CITY, "to", every, every, 600_000, engine=engine).ms.size == N * N
    monkeypatch.setattr(reached, "MOST_PAIRS", N * N - 1)
    with pytest.raises(CitygeoError, match="CG-ACC-003: More than"):
        pairs_within(CITY, "to", every, every, 600_000, engine=engine)


def neighbours(node):
    """A node and those one street away."""
    ends = CITY.arrays["edge_node"].astype(int)
    return [node, *(int(other) for pair in ends for other in pair if node in pair)]
