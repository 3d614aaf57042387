"""
What looks wrong in a drawing: ends that nearly touch, streets drawn twice, streets of no length, odd speeds.

Each function returns spots; none changes the network.
"""

from __future__ import annotations

import heapq
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.modes import TravelMode
    from citygeo.network import RoadNetwork

    Numbers = NDArray[np.int64]

STEPS_PER_DEGREE = 10_000_000  # about 1 cm, the step of OSM
NONE = -1


class Spots(NamedTuple):
    """Suspicious places: the edge, the edge it was compared with, the node (-1: none), and a figure."""

    edge: Numbers
    other: Numbers
    node: Numbers
    value: NDArray[np.float64]

    def take(self, rows: Numbers) -> Spots:
        """Return some rows."""
        return Spots(self.edge[rows], self.other[rows], self.node[rows], self.value[rows])


@cache
def limits() -> dict[str, Any]:
    """Return what counts as remarkable: ``data/report.toml``."""
    text = files("citygeo").joinpath("data", "report.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def spots(edge: Any, value: Any, *, other: Any = NONE, node: Any = NONE) -> Spots:
    """Return spots from columns; a single number stands for all."""
    rows = np.asarray(edge, np.int64)
    others, nodes = (np.broadcast_to(np.asarray(column, np.int64), rows.shape) for column in (other, node))
    return Spots(rows, others, nodes, np.broadcast_to(np.asarray(value, np.float64), rows.shape))


def dead_ends(network: RoadNetwork) -> tuple[Numbers, Numbers]:
    """Return the nodes at which just one open edge ends, ascending, and that edge; a loop ends twice."""
    open_edge = np.flatnonzero(network.is_open)
    ends = network.arrays["edge_node"].astype(np.int64)[open_edge].ravel()
    is_dead = np.bincount(ends, minlength=network.n_nodes) == 1
    place = np.flatnonzero(is_dead[ends])
    place = place[np.argsort(ends[place])]
    return ends[place], open_edge[place >> 1]


def undershoots(network: RoadNetwork, node: Numbers, own: Numbers) -> Spots:
    """
    Return dead ends that nearly touch a street which is far over the network.

    Parameters
    ----------
    network
        Bridges and tunnels are not known to it, so an end below a bridge counts.
    node, own
        The dead ends and their edges.

    Returns
    -------
    One row per dead end: the nearest such street as `other`, and the gap in metres (of the UTM zone).
    """
    import shapely

    if not node.size:
        return spots([], [])
    rule = limits()["undershoot"]
    lines = network.lines_metric
    is_last = network.arrays["edge_node"].astype(np.int64)[own, 1] == node
    place = shapely.get_point(lines[own], np.where(is_last, -1, 0))
    row, near = network.tree.query(place, predicate="dwithin", distance=rule["gap_m"])
    is_other = (near != own[row]) & network.is_open[near]
    row, near = row[is_other], near[is_other]
    gap, along = shapely.distance(place[row], lines[near]), shapely.line_locate_point(lines[near], place[row])
    beyond = np.maximum(shapely.length(lines[near]) - along, 0.0)
    order = np.lexsort((near, gap, row))
    row, near, gap = row[order], near[order], gap[order]
    far = _is_far(network, node[row], near, np.column_stack((along, beyond))[order], rule["way_round_m"])
    # an end that is near a street it can soon get to is no gap, however many others it nears
    is_gap = ~np.isin(row, row[~far])
    row, first = np.unique(row[is_gap], return_index=True)
    return spots(own[row], gap[is_gap][first], other=near[is_gap][first], node=node[row])


def _is_far(
    network: RoadNetwork, node: Numbers, edge: Numbers, to_ends: NDArray[np.float64], limit_m: float
) -> NDArray[np.bool_]:
    """Return whether the way from each node to a place on an edge, streets taken both ways, is longer than a limit."""
    # both sides of a barrier, where the street ends, are one place
    _, same = np.unique(network.arrays["node_id"], return_inverse=True)
    open_edge = np.flatnonzero(network.is_open)
    ends = same[network.arrays["edge_node"].astype(np.int64)]
    tail, head = ends[open_edge].T.reshape(-1), ends[open_edge][:, ::-1].T.reshape(-1)
    order = np.argsort(tail, kind="stable")
    start = np.searchsorted(tail[order], np.arange(network.n_nodes + 1))
    head, length = head[order], np.tile(network.length_m[open_edge], 2)[order]
    ways: dict[int, dict[int, float]] = {}
    far = np.empty(node.size, np.bool_)
    for i, source in enumerate(same[node].tolist()):
        if source not in ways:
            ways[source] = _ways(source, start, head, length, limit_m)
        to_end = zip(ends[edge[i]].tolist(), to_ends[i].tolist(), strict=True)
        far[i] = all(ways[source].get(end, np.inf) + rest > limit_m for end, rest in to_end)
    return far


def _ways(
    source: int, start: Numbers, head: Numbers, length: NDArray[np.float64], limit_m: float
) -> dict[int, float]:
    """Return metres to all nodes within a limit (Dijkstra; a handful of nodes, so in plain Python)."""
    found: dict[int, float] = {}
    heap = [(0.0, source)]
    while heap:
        way, node = heapq.heappop(heap)
        if node in found:
            continue
        found[node] = way
        arcs = slice(start[node], start[node + 1])
        for after, more in zip(head[arcs].tolist(), length[arcs].tolist(), strict=True):
            if way + more <= limit_m and after not in found:
                heapq.heappush(heap, (way + more, after))
    return found


def duplicates(network: RoadNetwork) -> Spots:
    """Return open edges drawn exactly like an earlier one, either way round, with their metres."""
    start = network.arrays["shape_start"].astype(np.int64)
    place = _steps(network)
    size, total = np.diff(start), np.add.reduceat(place, start[:-1])
    open_edge = np.flatnonzero(network.is_open)
    # sums do not depend on the direction: only edges that agree in them are compared place by place
    keys = np.column_stack((size, total))[open_edge]
    _, group, many = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    first: dict[bytes, int] = {}
    pairs: list[tuple[int, int]] = []
    for edge in open_edge[many[group] > 1].tolist():
        shape = place[start[edge] : start[edge + 1]]
        other = first.setdefault(min(shape.tobytes(), shape[::-1].tobytes()), edge)
        if other != edge:
            pairs.append((edge, other))
    again, drawn = np.array(pairs, np.int64).reshape(-1, 2).T
    return spots(again, network.length_m[again], other=drawn)


def _steps(network: RoadNetwork) -> Numbers:
    """Return the drawn places as whole steps of about 1 cm, `(s, 2)`."""
    return np.rint(network.arrays["shape_lonlat"].astype(np.float64) * STEPS_PER_DEGREE).astype(np.int64)


def overlaps(network: RoadNetwork, known: Spots) -> Spots:
    """
    Return open edges that run over an earlier one without being its duplicate, with the metres they share.

    Edges overlap if both draw the same segment, or if they join the same two nodes and are nowhere farther
    apart than the limit of ``data/report.toml``.
    """
    is_compared = network.is_open.copy()
    is_compared[known.edge] = False
    edge, other, shared_m = _shared_segments(network, is_compared)
    near, beside = _side_by_side(network, is_compared)
    is_new = ~np.isin(near, edge)
    near, beside = near[is_new], beside[is_new]
    both = spots(
        np.concatenate((edge, near)),
        np.concatenate((shared_m, network.length_m[near])),
        other=np.concatenate((other, beside)),
    )
    return both.take(np.argsort(both.edge, kind="stable"))


def _shared_segments(
    network: RoadNetwork, is_compared: NDArray[np.bool_]
) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
    """Return edges that draw a segment which an earlier one drew, the first of those, and the metres."""
    from citygeo.network.segments import segment_lengths

    start = network.arrays["shape_start"].astype(np.int64)
    owner = np.repeat(np.arange(network.n_edges), np.diff(start))
    place = _steps(network)
    key = (place[:, 0] + 180 * STEPS_PER_DEGREE << 31) + place[:, 1] + 90 * STEPS_PER_DEGREE
    at = np.flatnonzero((owner[1:] == owner[:-1]) & is_compared[owner[:-1]] & (key[1:] != key[:-1]))
    low, high = np.minimum(key[at], key[at + 1]), np.maximum(key[at], key[at + 1])
    order = np.lexsort((owner[at], high, low))
    is_again = np.zeros(at.size, np.bool_)
    is_again[1:] = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    if not is_again.any():
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    first = order[np.maximum.accumulate(np.where(is_again, 0, np.arange(at.size)))][is_again]
    again = at[order[is_again]]
    lonlat = network.arrays["shape_lonlat"].astype(np.float64)
    edge, row, inverse = np.unique(owner[again], return_index=True, return_inverse=True)
    metres = np.bincount(inverse, segment_lengths(lonlat[again], lonlat[again + 1]))
    return edge.astype(np.int64), owner[at[first[row]]].astype(np.int64), np.asarray(metres, np.float64)


def _side_by_side(network: RoadNetwork, is_compared: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Return edges that join the same two nodes as another and lie on it, and that other."""
    import shapely

    edge = np.flatnonzero(is_compared & (network.length_m > limits()["zero_length"]["length_m"]))
    ends = np.sort(network.arrays["edge_node"].astype(np.int64)[edge], axis=1)
    length = network.length_m[edge]
    order = np.lexsort((edge, length, ends[:, 1], ends[:, 0]))
    a, b = order[:-1], order[1:]
    width_m = limits()["overlap"]["width_m"]
    # lines that lie on each other are about equally long, so only neighbours in length are compared
    is_pair = (ends[a] == ends[b]).all(axis=1) & (length[b] - length[a] <= width_m + length[a] / 10)
    one, two = edge[a[is_pair]], edge[b[is_pair]]
    lines = network.lines_metric
    is_near = shapely.hausdorff_distance(lines[one], lines[two]) <= width_m
    pair = np.sort(np.column_stack((one, two))[is_near], axis=1)
    later, row = np.unique(pair[:, 1], return_index=True)
    return later, pair[row, 0]


def zero_lengths(network: RoadNetwork) -> Spots:
    """Return open edges of no length."""
    edge = np.flatnonzero(network.is_open & (network.length_m <= limits()["zero_length"]["length_m"]))
    return spots(edge, network.length_m[edge])


def odd_speeds(network: RoadNetwork) -> tuple[Spots, Spots]:
    """
    Return open edges faster and slower than their class allows, with the km/h that is odd.

    The speed is length by time, without delays; times are whole milliseconds, which short edges are allowed.
    """
    rule = speed_rule(network.mode)
    classes, default = rule.get("classes", {}), rule["default"]
    words = [classes.get(word, default) for word in network.words]
    lowest, highest = np.array(words, np.float64)[network.arrays["edge_highway"].astype(np.int64)].T
    ms = np.column_stack((network.arrays["edge_along_ms"], network.arrays["edge_against_ms"])).astype(
        np.float64
    )
    ms[ms == CLOSED] = np.nan
    length = network.length_m
    slack = limits()["speed_slack_ms"]
    with np.errstate(divide="ignore", invalid="ignore"):
        kmh = length[:, None] / ms * 3600
        is_fast = length[:, None] / (ms + slack) * 3600 > highest[:, None]
        is_slow = length[:, None] / np.maximum(ms - slack, 0) * 3600 < lowest[:, None]
    has_length = length > limits()["zero_length"]["length_m"]
    fast = np.flatnonzero(is_fast.any(axis=1) & has_length)
    slow = np.flatnonzero(is_slow.any(axis=1) & has_length)
    return spots(fast, np.nanmax(kmh[fast], axis=1)), spots(slow, np.nanmin(kmh[slow], axis=1))


def speed_rule(mode: TravelMode) -> dict[str, Any]:
    """Return the plausible speeds for a mode, found by the fastest of its class speeds."""
    fastest = max(mode.speed_kmh.values())
    rules: list[dict[str, Any]] = limits()["speed"]
    return next(rule for rule in rules if fastest <= rule["mode_up_to_kmh"])
