"""Contraction changes no travel time: scipy on every segment as drawn, against the network of chains."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from citygeo.engine import UNREACHED, Places
from citygeo.network.segments import segment_lengths
from tests import engines, reference
from tests.toy import ONEWAY, STREET, network, streets

# km/h along and against, 0 where closed
TAGS = [
    (STREET, 36, 36),
    (ONEWAY, 36, 0),
    ({**STREET, "oneway": "-1"}, 0, 36),
    ({"highway": "primary"}, 72, 72),
    ({"highway": "service", "maxspeed:forward": "25", "maxspeed:backward": "15"}, 25, 15),
]
# a grid with nodes on top of each other (1 and 101, 2 and 102: no length between them) and one far away
PLACES = {10 * row + col: (97.0 * col + 13 * row, 61.0 * row) for row in range(3) for col in range(4)}
PLACES |= {101: PLACES[1], 102: PLACES[2], 999: (5000.0, 5000.0)}
node_ids = st.sampled_from(sorted(PLACES))
way_lists = st.lists(
    st.tuples(st.lists(node_ids, min_size=2, max_size=6), st.sampled_from(TAGS)), min_size=1, max_size=7
)
# a long chain of two ways, a ring hanging on it, a ring alone, a loop drawn as a way, parallel ways, no length
TRICKY = [
    ([0, 1, 2, 3, 13], TAGS[0]), ([13, 12, 11], TAGS[0]), ([11, 21, 20, 10, 11], TAGS[1]), ([22, 23, 22], TAGS[0]),
    ([1, 101], TAGS[0]), ([101, 102, 2], TAGS[3]), ([0, 10], TAGS[2]), ([0, 10], TAGS[4]), ([20, 20], TAGS[0]),
]  # fmt: skip


def drawn_times(ways):
    """Milliseconds between all nodes over the segments as drawn, the quickest of parallel ones; inf where no way."""
    tables = streets(PLACES, [(ids, tags) for ids, (tags, _, _) in ways])
    row = {node: i for i, node in enumerate(tables.node_id.tolist())}
    best = {}
    for ids, (_, *kmh) in ways:
        at = tables.node_lonlat[[row[node] for node in ids]]
        um = np.rint(segment_lengths(at[:-1], at[1:]) * 1e6).astype(int).tolist()
        for order, lengths, speed in ((ids, um, kmh[0]), (ids[::-1], um[::-1], kmh[1])):
            if not speed:
                continue
            for u, v, ms in zip(order[:-1], order[1:], reference.way_times(lengths, speed), strict=True):
                best[row[u], row[v]] = min(best.get((row[u], row[v]), ms), ms)
    tail, head = np.array(list(best), int).reshape(-1, 2).T
    # scipy keeps an explicit zero as an arc of no cost
    graph = coo_array(
        (np.array(list(best.values()), float), (tail, head)), shape=(len(row), len(row))
    ).tocsr()
    return tables.node_id, dijkstra(graph)


def places_of_vertices(net, ids):
    """Where every node drawn stands on the network: its first place by edge, share 0 or 1 for one that was kept."""
    start = net.arrays["shape_start"]
    where = {}
    lonlat_of = dict(zip(*ids, strict=True))
    for edge in range(net.n_edges):
        shape = net.arrays["shape_lonlat"][start[edge] : start[edge + 1]]
        gone = np.concatenate(([0.0], np.cumsum(segment_lengths(shape[:-1], shape[1:]))))
        for place, at in zip(shape.tolist(), gone.tolist(), strict=True):
            where.setdefault(tuple(place), []).append((edge, at / gone[-1] if gone[-1] else 0.0))
    return {node: where[place][0] for node, place in lonlat_of.items() if len(where.get(place, [])) == 1}


def times_between(net, nodes, places):
    edge, share = (np.array(column) for column in zip(*(places[node] for node in nodes), strict=True))
    wanted = Places.one_each(edge.astype(np.int64), share.astype(float), np.zeros(len(nodes), np.int64))
    ms = engines.times(net, "from", wanted, wanted)
    return np.where(ms == UNREACHED, np.inf, ms)


@given(way_lists)
@example(TRICKY)
def test_times_between_kept_vertices_are_the_same_to_the_millisecond(ways):
    net = network(PLACES, [(ids, tags) for ids, (tags, _, _) in ways])
    ids, truth = drawn_times(ways)
    arcs = net.open_arcs()
    kept = net.arrays["node_id"]
    # the quickest of parallel arcs, for scipy again
    order = np.lexsort((arcs.ms, arcs.head, arcs.tail))
    first = np.append(True, (np.diff(arcs.tail[order]) != 0) | (np.diff(arcs.head[order]) != 0))
    best = order[first]
    graph = coo_array(
        (arcs.ms[best].astype(float), (arcs.tail[best], arcs.head[best])), shape=(net.n_nodes,) * 2
    )
    row = np.searchsorted(ids, kept)
    np.testing.assert_array_equal(dijkstra(graph.tocsr()), truth[np.ix_(row, row)])


@given(way_lists)
@example(TRICKY)
def test_times_between_vertices_that_went_into_chains(ways):
    tables = streets(PLACES, [(ids, tags) for ids, (tags, _, _) in ways])
    net = network(PLACES, [(ids, tags) for ids, (tags, _, _) in ways])
    ids, truth = drawn_times(ways)
    inner = np.flatnonzero(~np.isin(ids, net.arrays["node_id"]))
    lonlat = [tuple(place) for place in tables.node_lonlat[inner].tolist()]
    places = places_of_vertices(net, (ids[inner].tolist(), lonlat))
    assume(places)
    nodes = sorted(places)
    found = times_between(net, nodes, places)
    row = np.searchsorted(ids, nodes)
    expected = truth[np.ix_(row, row)]
    assert (np.isinf(found) == np.isinf(expected)).all()
    # a place in a chain is rounded at its own share, the drawing at each vertex and each way
    assert np.abs(
        np.where(np.isinf(found), 0, found) - np.where(np.isinf(expected), 0, expected)
    ).max() <= 2 + len(ways)


def test_the_tricky_example_has_what_it_says():
    net = network(PLACES, [(ids, tags) for ids, (tags, _, _) in TRICKY])
    u, v = net.arrays["edge_node"].T
    assert (u == v).any(), "a loop"
    assert len({tuple(sorted(pair)) for pair in zip(u.tolist(), v.tolist(), strict=True)}) < net.n_edges, (
        "parallel"
    )
    assert (net.length_m == 0).any(), "no length"
    assert net.components.max() > 0, "apart"
    assert net.n_nodes < len({node for ids, _ in TRICKY for node in ids}), "chains"
