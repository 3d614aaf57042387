"""
What hangs together: parts of a network, and the streets that can be entered and not left.

Streets are open directions of travel; turn restrictions and delays are left aside, so a street said to be
connected may still need a detour. The main part is the strongly connected part with most nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.network.report.flaws import Spots, spots

if TYPE_CHECKING:
    import pandas as pd
    import scipy.sparse as sp
    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork

    Numbers = NDArray[np.int64]

# how a street is linked to the main part; the position is the number in `Connection.node_link`, `.edge_link`
LINKS = ("main", "trap", "source", "apart")
MAIN, TRAP, SOURCE, APART = range(4)
NONE = -1  # of nodes and edges that nobody may travel


class Connection(NamedTuple):
    """
    Which part nodes and edges belong to; -1 where nothing is open.

    Attributes
    ----------
    weak, strong
        Number of the part of each node, streets taken both ways and as signed; 0 has most nodes, `(n,)`.
    node_link, edge_link
        Position in `LINKS`: of the main part; entered from it and not left to it (trap); left to it and not
        entered from it (source); neither (apart).
    edge_spot
        Numbers edges of one link that hang together, from 0 within each link, the longest streets first; -1 in
        the main part, `(e,)`.
    edge_weak
        Number of the weak part of each edge, `(e,)`.
    """

    weak: Numbers
    strong: Numbers
    node_link: Numbers
    edge_link: Numbers
    edge_spot: Numbers
    edge_weak: Numbers


def connect(network: RoadNetwork) -> Connection:
    """
    Find the parts of a network.

    Examples
    --------
    >>> import citygeo as cg
    >>> net = cg.datasets.reykjavik().network(mode="drive")
    >>> parts = connect(net)
    >>> bool((parts.edge_link == MAIN).mean() > 0.9)
    True
    """
    from scipy.sparse.csgraph import connected_components

    arcs = network.open_arcs()
    graph = _graph(arcs.tail, arcs.head, network.n_nodes)
    is_used = np.zeros(network.n_nodes, np.bool_)
    is_used[arcs.tail] = is_used[arcs.head] = True
    weak = _ranked(connected_components(graph, directed=False)[1], is_used)
    strong = _ranked(connected_components(graph, connection="strong")[1], is_used)
    seed = int(np.argmax(strong == 0))
    is_entered, is_left = _reached(graph, seed), _reached(graph.T.tocsr(), seed)
    node_link = np.where(is_used, _link(is_entered, is_left), NONE)
    edge_link = np.full(network.n_edges, NONE)
    # both directions of an edge outside the main part say the same
    edge_link[arcs.code >> 1] = _link(is_entered[arcs.tail], is_left[arcs.head])
    ends = network.arrays["edge_node"].astype(np.int64)
    edge_weak = np.where(edge_link == NONE, NONE, weak[ends[:, 0]])
    edge_spot = _pieces(ends, network.length_m, node_link, edge_link)
    return Connection(weak, strong, node_link, edge_link, edge_spot, edge_weak)


def _graph(tail: Numbers, head: Numbers, n: int) -> sp.csr_array:
    from scipy.sparse import csr_array

    return csr_array((np.ones(tail.size, np.uint8), (tail, head)), shape=(n, n))


def _ranked(label: NDArray[np.int32], is_used: NDArray[np.bool_]) -> Numbers:
    """Return numbers of parts by their nodes, most first, equals by their first node."""
    _, first, part, size = np.unique(
        label[is_used], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(size.size, np.int64)
    rank[np.lexsort((first, -size))] = np.arange(size.size)
    ranked = np.full(label.size, NONE)
    ranked[is_used] = rank[part]
    return ranked


def _reached(graph: sp.csr_array, seed: int) -> NDArray[np.bool_]:
    from scipy.sparse.csgraph import breadth_first_order

    reached = np.zeros(graph.shape[0], np.bool_)
    reached[breadth_first_order(graph, seed, return_predecessors=False)] = True
    return reached


def _link(is_entered: NDArray[np.bool_], is_left: NDArray[np.bool_]) -> Numbers:
    """Return the position in `LINKS` of what can be entered from the main part, and left to it."""
    return np.select([is_entered & is_left, is_entered, is_left], [MAIN, TRAP, SOURCE], APART)


def _pieces(ends: Numbers, length_m: NDArray[np.float64], node_link: Numbers, edge_link: Numbers) -> Numbers:
    """Return numbers of the pieces in which the edges of each link hang together outside the main part."""
    from scipy.sparse.csgraph import connected_components

    spot = np.full(len(ends), NONE)
    for link in (TRAP, SOURCE, APART):
        edge = np.flatnonzero(edge_link == link)
        if not edge.size:
            continue
        u, v = ends[edge].T
        # two traps that begin at one junction of the main part are two
        u, v = np.where(node_link[u] == MAIN, v, u), np.where(node_link[v] == MAIN, u, v)
        label = connected_components(_graph(u, v, len(node_link)), directed=False)[1]
        _, first, piece = np.unique(label[u], return_index=True, return_inverse=True)
        rank = np.empty(first.size, np.int64)
        rank[np.lexsort((first, -np.bincount(piece, length_m[edge])))] = np.arange(first.size)
        spot[edge] = rank[piece]
    return spot


def part_tables(network: RoadNetwork, parts: Connection) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return weak and strong parts, largest first.

    Returns
    -------
    Tables of nodes, edges and km; edges between two strong parts belong to none. The strong parts also say how
    they are linked to the main one.
    """
    ends = network.arrays["edge_node"].astype(np.int64)
    is_inside = (parts.strong[ends[:, 0]] == parts.strong[ends[:, 1]]) & (parts.edge_link != NONE)
    strong = _table(parts.strong, np.where(is_inside, parts.strong[ends[:, 0]], NONE), network.length_m)
    is_used = parts.strong != NONE
    link = np.empty(len(strong), np.int64)
    link[parts.strong[is_used]] = parts.node_link[is_used]
    strong["link"] = np.array(LINKS, object)[link]
    return _table(parts.weak, parts.edge_weak, network.length_m), strong


def _table(node_part: Numbers, edge_part: Numbers, length_m: NDArray[np.float64]) -> pd.DataFrame:
    import pandas as pd

    n, is_in = int(node_part.max()) + 1, edge_part != NONE
    return pd.DataFrame(
        {
            "nodes": np.bincount(node_part[node_part != NONE], minlength=n),
            "edges": np.bincount(edge_part[is_in], minlength=n),
            "km": np.bincount(edge_part[is_in], length_m[is_in] / 1000, minlength=n),
        }
    ).rename_axis("component")


def link_spots(network: RoadNetwork, parts: Connection) -> dict[str, Spots]:
    """
    Return one spot for each piece outside the main part, by link, longest first.

    Returns
    -------
    The value is km; the edge is the longest; the node is where a trap is entered or a source is left.
    """
    arcs = network.open_arcs()
    found = {}
    for link, gates in ((APART, None), (TRAP, arcs.tail), (SOURCE, arcs.head)):
        edge = np.flatnonzero(parts.edge_link == link)
        by_length = edge[np.lexsort((edge, -network.length_m[edge], parts.edge_spot[edge]))]
        _, first = np.unique(parts.edge_spot[by_length], return_index=True)
        gate = np.full(first.size, NONE)
        if gates is not None:
            is_gate = (parts.edge_link[arcs.code >> 1] == link) & (parts.node_link[gates] == MAIN)
            # of several the last assigned stands, which is the first arc
            gate[parts.edge_spot[arcs.code[is_gate] >> 1][::-1]] = gates[is_gate][::-1]
        km = np.bincount(parts.edge_spot[edge], network.length_m[edge] / 1000, minlength=first.size)
        found[LINKS[link]] = spots(by_length[first], km, node=gate)
    return found
