"""
The sample graph that pgRouting documents, with the answers it documents.

Facts retyped from the manual of pgRouting 3.6 (2023), pages "Sample Data", "pgr_drivingDistance" and
"pgr_withPointsDD": https://docs.pgrouting.org/3.6/en/. A plain Dijkstra here finds the same numbers, so that no fact
can have been misread. Cost 1 is drawn as 100 s: 1000 m at 36 km/h where an edge is one unit long.
"""

from __future__ import annotations

import heapq
import math
from itertools import pairwise

import pandas as pd
import pytest
import shapely

import citygeo as cg
from tests.toy import network, points

UNIT_M, UNIT_S = 1000.0, 100.0
# vertex: its place
VERTICES = {
    1: (0, 2), 2: (0.5, 3.5), 3: (1, 2), 4: (1.999999999999, 3.5), 5: (2, 0), 6: (2, 1), 7: (2, 2), 8: (2, 3),
    9: (2, 4), 10: (3, 1), 11: (3, 2), 12: (3, 3), 13: (3.5, 2.3), 14: (3.5, 4), 15: (4, 1), 16: (4, 2), 17: (4, 3),
}  # fmt: skip
# vertex 4 lies on edge 14 as drawn, without being joined to it: nothing can be asked about it by its place
ASKED = [vertex for vertex in VERTICES if vertex != 4]
# edge: source, target, cost, reverse_cost; -1 where closed
EDGES = {
    1: (5, 6, 1, 1), 2: (6, 10, -1, 1), 3: (10, 15, -1, 1), 4: (6, 7, 1, 1), 5: (10, 11, 1, -1), 6: (1, 3, 1, 1),
    7: (3, 7, 1, 1), 8: (7, 11, 1, 1), 9: (11, 16, 1, 1), 10: (7, 8, 1, 1), 11: (11, 12, 1, -1),
    12: (8, 12, 1, -1), 13: (12, 17, 1, -1), 14: (8, 9, 1, 1), 15: (16, 17, 1, 1), 16: (15, 16, 1, 1),
    17: (2, 4, 1, 1), 18: (13, 14, 1, 1),
}  # fmt: skip
# points of interest beside the graph: the edge and the fraction at which each stands
POINTS = {1: (1, 0.4), 2: (15, 0.4), 3: (12, 0.6), 4: (6, 0.3), 5: (5, 0.8), 6: (4, 0.7)}

# node -> agg_cost within distance 3.0
FROM_11 = {11: 0, 7: 1, 12: 1, 16: 1, 3: 2, 6: 2, 8: 2, 15: 2, 17: 2, 1: 3, 5: 3, 9: 3, 10: 3}
# from 11 and 16, equicost: start -> node -> agg_cost
EQUICOST = {
    11: {11: 0, 7: 1, 12: 1, 3: 2, 6: 2, 8: 2, 1: 3, 5: 3, 9: 3},
    16: {16: 0, 15: 1, 17: 1, 10: 2},
}
# from 11 and from 16, undirected
UNDIRECTED = {
    11: {11: 0, 7: 1, 10: 1, 12: 1, 16: 1, 3: 2, 6: 2, 8: 2, 15: 2, 17: 2, 1: 3, 5: 3, 9: 3},
    16: {16: 0, 11: 1, 15: 1, 17: 1, 7: 2, 10: 2, 12: 2, 3: 3, 6: 3, 8: 3},
}
# from point of interest 1, distance 3.3, undirected, either side; points of interest are negative
FROM_POINT_1 = {
    -1: 0, 5: 0.4, 6: 0.6, -6: 1.3, 10: 1.6, 7: 1.6, -5: 2.4, 15: 2.6, 3: 2.6, 8: 2.6, 11: 2.6, -3: 3.2, -4: 3.3,
}  # fmt: skip


def place(vertex):
    """Metres of a vertex, or of a point of interest where it is negative."""
    if vertex > 0:
        return tuple(UNIT_M * c for c in VERTICES[vertex])
    edge, fraction = POINTS[-vertex]
    start, end = (place(node) for node in EDGES[edge][:2])
    return tuple(a + fraction * (b - a) for a, b in zip(start, end, strict=True))


def sample(*, directed):
    """The graph as a network: speeds such that every edge takes its cost."""
    ways = []
    for source, target, cost, reverse in EDGES.values():
        length = math.dist(place(source), place(target))
        tags = {"highway": "residential", "maxspeed": f"{length / UNIT_S * 3.6:.10g}"}
        if directed and min(cost, reverse) < 0:
            tags["oneway"] = "yes" if reverse < 0 else "-1"
        ways.append(((source, target), tags))
    return network({vertex: place(vertex) for vertex in VERTICES}, ways)


NETWORKS = {directed: sample(directed=directed) for directed in (True, False)}


def plain_dijkstra(start, distance, *, directed):
    """Costs of vertices and points of interest within a distance, by hand; both fractions and vertices are nodes."""
    arcs = {}
    for number, (source, target, cost, reverse) in EDGES.items():
        on_it = sorted((fraction, -point) for point, (edge, fraction) in POINTS.items() if edge == number)
        stops = [(0.0, source), *on_it, (1.0, target)]
        for (low, tail), (high, head) in pairwise(stops):
            for here, there, per_edge in ((tail, head, cost), (head, tail, reverse)):
                if per_edge > 0 or not directed:
                    arcs.setdefault(here, []).append((there, (high - low) * abs(per_edge)))
    found, todo = {}, [(0.0, start)]
    while todo:
        cost, node = heapq.heappop(todo)
        if node in found or cost > distance + 1e-9:
            continue
        found[node] = cost
        for head, step in arcs.get(node, ()):
            heapq.heappush(todo, (cost + step, head))
    return found


def at(vertices):
    """Facilities at vertices or points of interest, labelled by them."""
    return points([place(vertex) for vertex in vertices]).set_index(pd.Index(vertices))


def edges_of(net, starts, distance, **options):
    """Reached parts of roads, in the network's metric CRS."""
    return cg.isochrones(
        net, at(starts).to_crs(net.metric_crs), minutes=distance * UNIT_S / 60, direction="from", kind="edges",
        **options,
    )  # fmt: skip


def costs_at(net, parts, vertices):
    """Least cost at which one of the parts begins, ends or passes, by vertex."""
    spots = at(vertices).to_crs(net.metric_crs).geometry
    found = {}
    for vertex, spot in spots.items():
        near = parts[parts.distance(spot) < 0.01]
        for line, *seconds in near[["geometry", "time_from_s", "time_to_s"]].itertuples(index=False):
            share = shapely.line_locate_point(line, spot, normalized=True)
            cost = (seconds[0] + share * (seconds[1] - seconds[0])) / UNIT_S
            found[vertex] = min(found.get(vertex, math.inf), cost)
    return found


def test_plain_dijkstra_finds_the_documented_numbers():
    def vertices_only(costs):
        return {node: cost for node, cost in costs.items() if node > 0}

    assert vertices_only(plain_dijkstra(11, 3.0, directed=True)) == pytest.approx(FROM_11)
    for start, expected in UNDIRECTED.items():
        assert vertices_only(plain_dijkstra(start, 3.0, directed=False)) == pytest.approx(expected)
    assert plain_dijkstra(-1, 3.3, directed=False) == pytest.approx(FROM_POINT_1)
    each = {start: vertices_only(plain_dijkstra(start, 3.0, directed=True)) for start in EQUICOST}
    owned = {start: {} for start in EQUICOST}
    for node in {*each[11], *each[16]}:
        start = min(EQUICOST, key=lambda start: each[start].get(node, math.inf))
        owned[start][node] = each[start][node]
    assert owned == {start: pytest.approx(expected) for start, expected in EQUICOST.items()}


@pytest.mark.parametrize(
    ("directed", "start", "distance", "expected"),
    [
        (True, 11, 3.0, FROM_11),
        (False, 11, 3.0, UNDIRECTED[11]),
        (False, 16, 3.0, UNDIRECTED[16]),
        (False, -1, 3.3, FROM_POINT_1),
    ],
)
@pytest.mark.filterwarnings("ignore:CG-NET-011")
def test_driving_distance(directed, start, distance, expected):
    net = NETWORKS[directed]
    candidates = [*ASKED, *(-point for point in POINTS)] if start < 0 else ASKED
    times = cg.travel_times(net, at([start]), at(candidates), minutes=distance * UNIT_S / 60)
    ok = times[times["status"] == "ok"]
    assert dict(zip(ok["destination"], ok["time_s"], strict=True)) == pytest.approx(
        {node: cost * UNIT_S for node, cost in expected.items()}, abs=0.001
    )
    parts = edges_of(net, [start], distance)
    assert costs_at(net, parts, candidates) == pytest.approx(expected, abs=1e-4)


def test_driving_distance_of_several_starts_is_that_of_each():
    both = edges_of(NETWORKS[False], [11, 16], 3.0)
    for start, expected in UNDIRECTED.items():
        parts = both[both["facility"] == start]
        assert costs_at(NETWORKS[False], parts, ASKED) == pytest.approx(expected, abs=1e-4)


def test_equicost_is_split():
    """Who is there first owns a vertex, and the road up to the place where both would be at the same time."""
    net = NETWORKS[True]
    split = edges_of(net, [11, 16], 3.0, overlap="split")
    by_start = {start: costs_at(net, split[split["facility"] == start], ASKED) for start in EQUICOST}
    for start, expected in EQUICOST.items():
        other = by_start[next(label for label in EQUICOST if label != start)]
        own = {node: cost for node, cost in by_start[start].items() if cost < other.get(node, math.inf)}
        assert own == pytest.approx(expected, abs=1e-4)
    # edge 9 is 11 - 16, two-way, one unit: each has half of it
    spots = at([11, 16]).to_crs(net.metric_crs).geometry
    street = shapely.LineString(spots.tolist())
    on_it = split[shapely.within(split.geometry.to_numpy(), shapely.buffer(street, 1.0))]
    reached = (on_it["to_m"] - on_it["from_m"]).groupby(on_it["facility"]).sum()
    assert reached.to_dict() == pytest.approx({11: UNIT_M / 2, 16: UNIT_M / 2}, abs=0.02)


def test_dissolved_is_the_least_of_both():
    dissolved = edges_of(NETWORKS[True], [11, 16], 3.0, overlap="dissolve")
    expected = EQUICOST[11] | EQUICOST[16]
    assert costs_at(NETWORKS[True], dissolved, ASKED) == pytest.approx(expected, abs=1e-4)
