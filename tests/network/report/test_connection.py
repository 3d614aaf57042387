"""Parts, traps, sources and islands: a little city by hand, and any city by networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.network.report.connection import LINKS, MAIN, NONE, connect, link_spots, part_tables
from tests.network.report.oracle import dead_ends, directed, links
from tests.toy import ONEWAY, STREET, edge_between, network

# a square 1-2-3-4 with a spur 4-10; a trap behind 2 -> 5, another behind 2 -> 9; a source before 8 -> 3; from
# source to trap 7 -> 6; an island 20-21
NODES = {
    1: (0, 0), 2: (100, 0), 3: (100, 100), 4: (0, 100), 5: (200, 0), 6: (200, -200), 7: (160, 100), 8: (130, 100),
    9: (100, -40), 10: (-30, 100), 20: (900, 0), 21: (900, 500),
}  # fmt: skip
WAYS = [
    ((1, 2, 3, 4, 1), STREET),
    ((4, 10), STREET),
    ((2, 5), ONEWAY),
    ((5, 6), STREET),
    ((2, 9), ONEWAY),
    ((8, 3), ONEWAY),
    ((7, 8), STREET),
    ((7, 6), ONEWAY),
    ((20, 21), STREET),
]


@pytest.fixture(scope="module")
def net():
    return network(NODES, WAYS)


def test_links_by_hand(net):
    parts = connect(net)
    link = {
        (2, 5): "trap", (5, 6): "trap", (2, 9): "trap", (8, 3): "source", (7, 8): "source", (7, 6): "apart",
        (20, 21): "apart",
    }  # fmt: skip
    for (u, v), word in link.items():
        edge = max(edge_between_either(net, u, v))
        assert LINKS[parts.edge_link[edge]] == word, (u, v)
    assert (parts.edge_link == MAIN).sum() == net.n_edges - len(link)


def edge_between_either(net, u, v):
    for pair in ((u, v), (v, u)):
        try:
            yield edge_between(net, *pair)
        except IndexError:
            continue


def test_spots_by_hand(net):
    spots = link_spots(net, connect(net))
    ids = net.arrays["node_id"]
    # the two traps begin at one junction and are two; they are entered at 2, the source is left at 3
    np.testing.assert_allclose(spots["trap"].value, [0.3, 0.04], atol=1e-5)
    assert ids[spots["trap"].node].tolist() == [2, 2]
    np.testing.assert_allclose(spots["source"].value, [0.03 + 0.03], atol=1e-5)
    assert ids[spots["source"].node].tolist() == [3]
    np.testing.assert_allclose(spots["apart"].value, [0.5, np.hypot(40, 300) / 1000], atol=1e-5)
    assert spots["apart"].node.tolist() == [NONE, NONE]
    # the edge of a spot is its longest
    assert spots["trap"].edge[0] == max(edge_between_either(net, 5, 6))


def test_tables_by_hand(net):
    weak, strong = part_tables(net, connect(net))
    assert weak["nodes"].tolist() == [9, 2]
    assert weak["km"].sum() == pytest.approx(net.length_m.sum() / 1000)
    assert strong["link"].tolist()[0] == "main"
    # 5-6, 7-8 and 20-21 can be travelled there and back, 9 is alone
    assert strong["nodes"].tolist() == [4, 2, 2, 2, 1]
    assert strong.groupby("link")["nodes"].sum().to_dict() == {"main": 4, "trap": 3, "source": 2, "apart": 2}
    # one-way streets between strong parts belong to none
    between_km = (100 + 40 + 30 + np.hypot(40, 300)) / 1000
    assert strong["km"].sum() == pytest.approx(weak["km"].sum() - between_km, abs=1e-5)


def test_closed_streets_are_in_no_part(net):
    edge = max(edge_between_either(net, 20, 21))
    parts = connect(net.without([edge]))
    assert parts.edge_link[edge] == parts.edge_weak[edge] == NONE
    assert (parts.node_link == NONE).sum() == 2
    weak, strong = part_tables(net.without([edge]), parts)
    assert weak["nodes"].tolist() == [9]
    assert len(strong) == 4


def test_network_closed_altogether_has_no_parts(net):
    closed = net.without(np.arange(net.n_edges))
    parts = connect(closed)
    weak, strong = part_tables(closed, parts)
    assert len(weak) == len(strong) == 0
    assert {word: len(rows.edge) for word, rows in link_spots(closed, parts).items()} == {
        "apart": 0,
        "trap": 0,
        "source": 0,
    }


@st.composite
def cities(draw):
    n = draw(st.integers(2, 12))
    place = st.tuples(st.integers(0, 40), st.integers(0, 40))
    nodes = dict(enumerate(draw(st.lists(place, min_size=n, max_size=n)), 1))
    nodes = {node: (100.0 * x, 100.0 * y) for node, (x, y) in nodes.items()}
    ids = st.integers(1, n)
    ways = draw(
        st.lists(st.tuples(st.lists(ids, min_size=2, max_size=4), st.booleans()), min_size=1, max_size=14)
    )
    return nodes, [(tuple(way), ONEWAY if oneway else STREET) for way, oneway in ways]


@given(cities())
def test_any_city_has_the_parts_that_networkx_finds(city):
    net = network(*city)
    graph, parts = directed(net), connect(net)
    weak, strong = part_tables(net, parts)
    assert sorted(weak["nodes"]) == sorted(map(len, nx.weakly_connected_components(graph)))
    assert sorted(strong["nodes"]) == sorted(map(len, nx.strongly_connected_components(graph)))
    assert weak["nodes"].is_monotonic_decreasing
    assert {edge: LINKS[link] for edge, link in enumerate(parts.edge_link.tolist()) if link != NONE} == links(
        net
    )
    for part in nx.weakly_connected_components(graph):
        assert len({int(parts.weak[node]) for node in part}) == 1
    for part in nx.strongly_connected_components(graph):
        assert len({int(parts.strong[node]) for node in part}) == 1


@given(cities())
def test_pieces_of_any_city_hang_together_and_hold_every_street_outside_the_main_part(city):
    net = network(*city)
    parts = connect(net)
    spots = link_spots(net, parts)
    outside = net.length_m[parts.edge_link > MAIN].sum() / 1000
    assert sum(rows.value.sum() for rows in spots.values()) == pytest.approx(outside)
    for link, word in list(enumerate(LINKS))[1:]:
        joined = nx.Graph()
        for edge in np.flatnonzero(parts.edge_link == link).tolist():
            # the nodes of the main part do not join
            ends = [node for node in net.arrays["edge_node"][edge].tolist() if parts.node_link[node] != MAIN]
            nx.add_path(joined, [("edge", edge), *ends])
        pieces = list(nx.connected_components(joined))
        assert len(spots[word].edge) == len(pieces)
        for piece in pieces:
            assert len({int(parts.edge_spot[name[1]]) for name in piece if isinstance(name, tuple)}) == 1


@given(cities())
def test_dead_ends_of_any_city_are_those_of_networkx(city):
    from citygeo.network.report.flaws import dead_ends as found

    net = network(*city)
    node, edge = found(net)
    assert set(node.tolist()) == dead_ends(net)
    assert (np.diff(node) > 0).all()
    assert (net.arrays["edge_node"][edge] == node[:, None]).any(axis=1).all()
