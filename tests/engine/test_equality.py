"""Both engines against scipy, on a hostile graph of thousands of arcs and on a real city from every 50th node."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import citygeo as cg
import citygeo.engine
from citygeo.engine import LONGEST_MS, UNREACHED, Nodes, choice
from citygeo.network import RoadNetwork
from tests import engines
from tests.kernels.graphs import PLAIN_MODE, edge_arrays

EVERY = 50


def hostile(n=1500, seed=4):
    """Zero arcs, parallel arcs, loops, one-way streets, and parts that nothing leads to or away from."""
    rng = np.random.default_rng(seed)
    listed = []
    for island in range(3):
        first, size = island * n // 3, n // 3
        near = np.minimum(rng.integers(0, size, 2 * size), size - 1)
        for u, step in zip(near.tolist(), rng.integers(-30, 31, 2 * size).tolist(), strict=True):
            v = min(max(u + step, 0), size - 1)
            along, against = (int(ms) for ms in rng.choice([0, 1, 7, 50, 400], 2))
            closed = rng.integers(0, 5)
            street = (first + u, first + v, None if closed == 0 else along, None if closed == 1 else against)
            listed += [street] * int(rng.integers(1, 3))
    listed.append((0, n // 3, 90, None))  # into the second part, never back
    return RoadNetwork(edge_arrays(n, listed), PLAIN_MODE, {})


def scipy_times(net, direction, nodes):
    """Times from or to nodes over the search graph, inf where there is no way; parallel arcs give the quickest."""
    graph = net.graph("from")
    tail = np.repeat(np.arange(net.n_states), np.diff(graph.start.astype(np.int64)))
    head, ms = graph.arc.astype(np.int64).T
    if direction == "to":
        tail, head = head, tail
    order = np.lexsort((ms, head, tail))
    tail, head, ms = tail[order], head[order], ms[order]
    first = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))
    matrix = csr_array((ms[first].astype(float), (tail[first], head[first])), shape=(net.n_states,) * 2)
    begin, end = ("node_depart", "node_arrive") if direction == "from" else ("node_arrive", "node_depart")
    starts = net.arrays[begin].astype(np.int64)[nodes]
    return dijkstra(matrix, indices=starts)[:, net.arrays[end].astype(np.int64)]


@pytest.fixture(scope="module")
def city():
    """The sample city with its turn restrictions as states."""
    net = cg.datasets.reykjavik().network("drive")
    assert net.n_states > net.n_nodes
    return net


@pytest.fixture(scope="module", params=["hostile", "city"])
def case(request, city):
    net = hostile() if request.param == "hostile" else city
    nodes = np.arange(0, net.n_nodes, EVERY if request.param == "city" else 5)
    return net, nodes, {direction: scipy_times(net, direction, nodes) for direction in ("from", "to")}


@pytest.mark.parametrize("direction", ["from", "to"])
def test_times_equal_scipy(case, direction):
    net, nodes, truth = case
    ms = engines.times(net, direction, Nodes(nodes), Nodes(np.arange(net.n_nodes)))
    np.testing.assert_array_equal(np.where(ms == UNREACHED, np.inf, ms), truth[direction])


@pytest.mark.parametrize("direction", ["from", "to"])
def test_bounded_times_equal_scipy_with_the_bound_included(case, direction):
    net, nodes, truth = case
    table = truth[direction]
    limit = int(np.quantile(table[np.isfinite(table)], 0.2))
    assert (table == limit).any(), "the bound is one of the times"
    ms = engines.times(net, direction, Nodes(nodes), Nodes(np.arange(net.n_nodes)), limit)
    np.testing.assert_array_equal(
        np.where(ms == UNREACHED, np.inf, ms), np.where(table <= limit, table, np.inf)
    )


@pytest.mark.parametrize("direction", ["from", "to"])
def test_sums_equal_scipy(case, direction):
    net, nodes, truth = case
    table = truth[direction]
    cutoffs = [int(np.quantile(table[np.isfinite(table)], share)) for share in (0.05, 0.2, 0.6)]
    weights = np.column_stack((np.ones(net.n_nodes), np.random.default_rng(1).integers(0, 1000, net.n_nodes)))
    everyone = Nodes(np.arange(net.n_nodes))
    found = engines.sums(net, direction, Nodes(nodes), everyone, weights, cutoffs_ms=cutoffs)
    for c, cutoff in enumerate(cutoffs):
        np.testing.assert_array_equal(found[:, c], (table <= cutoff).astype(float) @ weights)
    # and from the other side: everyone counts the chosen nodes
    back = "to" if direction == "from" else "from"
    turned = engines.sums(net, back, everyone, Nodes(nodes), cutoffs_ms=cutoffs)
    for c, cutoff in enumerate(cutoffs):
        np.testing.assert_array_equal(turned[:, c], (table <= cutoff).sum(axis=0))


def test_decayed_sums_equal_floating_point_to_the_quantum(case):
    net, nodes, truth = case
    table = truth["from"]
    limit = min(int(np.quantile(table[np.isfinite(table)], 0.3)), 3_600_000)
    decay = np.exp(-np.arange(limit + 1) / (limit / 3 + 1))
    found = engines.sums(
        net, "from", Nodes(nodes), Nodes(np.arange(net.n_nodes)), cutoffs_ms=[limit], decay=decay
    )
    factor = np.where(table <= limit, decay[np.where(table <= limit, table, 0).astype(int)], 0.0)
    assert np.abs(found[:, 0] - factor.sum(axis=1)).max() <= net.n_nodes * 2.0**-30


@pytest.mark.parametrize("direction", ["from", "to"])
@pytest.mark.parametrize("k", [1, 5])
def test_nearest_equals_scipy(case, direction, k):
    net, nodes, truth = case
    table = truth[direction]
    order = np.argsort(table, axis=0, kind="stable")[:k].T
    best = np.take_along_axis(table.T, order, axis=1)
    ms, row = engines.nearest(net, direction, Nodes(nodes), Nodes(np.arange(net.n_nodes)), k=k)
    np.testing.assert_array_equal(np.where(ms == UNREACHED, np.inf, ms), best)
    np.testing.assert_array_equal(row, np.where(np.isfinite(best), order, -1))


def swept_equal_scipy(net, nodes):
    ms = engines.times(net, "from", Nodes(nodes), Nodes(nodes))
    truth = scipy_times(net, "from", nodes)[:, nodes]
    np.testing.assert_array_equal(np.where(ms == UNREACHED, np.inf, ms), truth)


def test_new_speeds_keep_the_topology(city):
    topology, nodes = city.hierarchy.topology, np.arange(0, city.n_nodes, 400)
    slow = city.with_speeds({"residential": 0.5, "*": 0.9})
    assert slow.has_hierarchy
    assert slow.hierarchy.topology is topology
    swept_equal_scipy(slow, nodes)


def test_closed_streets_keep_the_topology_where_no_turn_rules_number_the_states(city):
    walk = cg.datasets.reykjavik().network("walk")
    topology = walk.hierarchy.topology
    closed = walk.without(np.arange(0, walk.n_edges, 37))
    assert closed.has_hierarchy
    assert closed.hierarchy.topology is topology
    swept_equal_scipy(closed, np.arange(0, closed.n_nodes, 900))
    city.hierarchy  # noqa: B018  # so that there is one to inherit
    swept_equal_scipy(city.without(np.arange(0, city.n_edges, 37)), np.arange(0, city.n_nodes, 400))


def test_a_new_street_gets_a_topology_of_its_own(city):
    import geopandas as gpd
    import shapely

    a, b = city.node_lonlat[[10, 9000]]
    bridge = gpd.GeoDataFrame({"highway": ["primary"]}, geometry=[shapely.LineString([a, b])], crs=4326)
    city.hierarchy  # noqa: B018  # so that there is one to inherit
    plan = city.with_edges(bridge)
    assert not plan.has_hierarchy
    swept_equal_scipy(plan, np.arange(0, plan.n_nodes, 500))


def test_the_choice_follows_the_predicted_work(city):
    everyone, few, some = (Nodes(np.arange(n)) for n in (city.n_nodes, 2, 20))
    fresh = RoadNetwork(dict(city.arrays), city.mode, city.source)
    choose = choice.choose
    one = choose(fresh, "from", everyone, few, LONGEST_MS, "auto")
    assert (one.engine, one.side.is_turned, one.side.direction) == ("dijkstra", True, "to")
    assert choose(fresh, "from", some, some, 60_000, "auto").engine == "dijkstra", "not worth a hierarchy"
    assert not fresh.has_hierarchy
    assert choose(fresh, "from", everyone, everyone, 300_000, "auto").engine == "cch"
    forced = choose(city, "from", everyone, Nodes(np.arange(64)), 300_000, "cch")
    assert (forced.engine, forced.side.is_turned) == ("cch", True)


def test_a_forced_engine_is_not_sampled_and_few_searches_neither(city, monkeypatch):
    monkeypatch.setattr(choice.bounded, "settled_states", lambda *_: pytest.fail("sampled"))
    fresh = RoadNetwork(dict(city.arrays), city.mode, city.source)
    everyone, some = Nodes(np.arange(city.n_nodes)), Nodes(np.arange(300))
    assert choice.choose(city, "from", everyone, everyone, 300_000, "cch").engine == "cch"
    assert choice.choose(city, "from", everyone, everyone, 300_000, "dijkstra").engine == "dijkstra"
    assert choice.choose(fresh, "from", some, everyone, LONGEST_MS, "auto").engine == "dijkstra"


@pytest.mark.parametrize("name", ["auto", "dijkstra", "cch"])
def test_more_nearest_than_there_are(city, name):
    few, nodes = Nodes(np.array([100, 5000, 9000])), Nodes(np.arange(0, city.n_nodes, 300))
    ms, row = cg.engine.nearest(city, "to", few, nodes, k=900, engine=name)
    want_ms, want_row = engines.nearest(city, "to", few, nodes, k=3)
    np.testing.assert_array_equal(ms[:, :3], want_ms)
    np.testing.assert_array_equal(row[:, :3], want_row)
    assert (ms[:, 3:] == UNREACHED).all()
    assert (row[:, 3:] == -1).all()


def test_few_of_many_targets_within_a_small_bound(city):
    """Tables that are nearly empty are written time by time, not line by line."""
    nodes = np.arange(0, city.n_nodes, 50)
    limit = 20_000
    ms = engines.times(city, "from", Nodes(nodes), Nodes(np.arange(city.n_nodes)), limit)
    table = scipy_times(city, "from", nodes)
    np.testing.assert_array_equal(
        np.where(ms == UNREACHED, np.inf, ms), np.where(table <= limit, table, np.inf)
    )
    assert 0 < (ms != UNREACHED).mean() < 1 / 64
