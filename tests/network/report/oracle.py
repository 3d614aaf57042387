"""Parts of a network by networkx, from the arrays of its edges alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from citygeo.network import CLOSED

if TYPE_CHECKING:
    from citygeo.network import RoadNetwork


def directed(net: RoadNetwork) -> nx.MultiDiGraph:
    """Nodes and open directions of travel; the key of an arc is its edge."""
    graph = nx.MultiDiGraph()
    times = zip(net.arrays["edge_along_ms"].tolist(), net.arrays["edge_against_ms"].tolist(), strict=True)
    for edge, ((u, v), (along, against)) in enumerate(
        zip(net.arrays["edge_node"].tolist(), times, strict=True)
    ):
        if along != CLOSED:
            graph.add_edge(u, v, (edge, 0))
        if against != CLOSED:
            graph.add_edge(v, u, (edge, 1))
    return graph


def main_part(graph: nx.MultiDiGraph) -> set[int]:
    """Nodes of the strongly connected part with most nodes, among equals the one with the lowest node."""
    return min(nx.strongly_connected_components(graph), key=lambda part: (-len(part), min(part)))


def links(net: RoadNetwork) -> dict[int, str]:
    """How each open edge is linked to the main part."""
    graph = directed(net)
    core = main_part(graph)
    seed = min(core)
    entered, left = nx.descendants(graph, seed) | core, nx.ancestors(graph, seed) | core
    found = {}
    for u, v, (edge, _) in graph.edges(keys=True):
        words = {
            (True, True): "main",
            (True, False): "trap",
            (False, True): "source",
            (False, False): "apart",
        }
        found[edge] = words[u in entered, v in left]
    return found


def dead_ends(net: RoadNetwork) -> set[int]:
    """Nodes at which one edge ends, streets taken both ways; a loop ends twice."""
    graph = nx.MultiGraph()
    for edge, (u, v) in enumerate(net.arrays["edge_node"].tolist()):
        if net.arrays["edge_along_ms"][edge] != CLOSED or net.arrays["edge_against_ms"][edge] != CLOSED:
            graph.add_edge(u, v, edge)
    return {node for node, degree in graph.degree() if degree == 1}
