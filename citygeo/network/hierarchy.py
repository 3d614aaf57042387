"""
The hierarchy of a network: its topology is made once, its times whenever speeds change.

A topology depends on which states the arcs join, not on how long that takes, so networks made by `with_speeds`
and `without` share it with the one they came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo._run import run_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo._kernels.sweep import Plan
    from citygeo.network.base import Direction, Graph, NetworkData

LEAST_REGION = 16  # to look whether a smaller region can be skipped costs more than to sweep it


class Topology(NamedTuple):
    """
    Which places are joined, read-only; see `citygeo._kernels.hierarchy.lay_out`.

    Attributes
    ----------
    place
        uint32 `(n,)`: place of each state of the network.
    parent, below
        int64 and uint32 `(n,)`, by place.
    up_start, up_head, low_start, low_node, low_arc
        uint32: neighbours towards the root and away from it.
    is_gate
        uint8 `(n,)`: places where one looks whether the region below can be skipped.
    """

    place: NDArray[np.uint32]
    parent: NDArray[np.int64]
    below: NDArray[np.uint32]
    up_start: NDArray[np.uint32]
    up_head: NDArray[np.uint32]
    low_start: NDArray[np.uint32]
    low_node: NDArray[np.uint32]
    low_arc: NDArray[np.uint32]
    is_gate: NDArray[np.uint8]


@dataclass(frozen=True)
class Hierarchy:
    """
    A topology with times.

    Attributes
    ----------
    topology
        Which places are joined.
    rise, fall
        Start and arcs of the ways up and down, uint32; see `citygeo._kernels.hierarchy.customise`.
    """

    topology: Topology
    rise: tuple[NDArray[np.uint32], NDArray[np.uint32]]
    fall: tuple[NDArray[np.uint32], NDArray[np.uint32]]

    def __repr__(self) -> str:
        n, arcs = len(self.topology.parent), len(self.topology.up_head)
        return f"<Hierarchy: {n} states, {arcs} arcs, {len(self.rise[1])} up and {len(self.fall[1])} down in use>"

    def plan(self, direction: Direction) -> Plan:
        """Return what sweeps take: travel ``"to"`` a source goes up where travel from it comes down."""
        from citygeo._kernels.sweep import Plan

        own = self.topology
        rise, fall = (self.rise, self.fall) if direction == "from" else (self.fall, self.rise)
        rows = frozen(np.arange(len(own.parent), dtype=np.uint32))
        return Plan(own.parent, *rise, rows, *fall, own.below, own.is_gate, own.up_start, own.up_head)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous array that nobody writes to, so that kernels are compiled for one kind only."""
    plain = np.ascontiguousarray(array)
    plain.flags.writeable = False
    return plain


def make_order(
    graph: Graph, xy: NDArray[np.float64], stop: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """
    Return the order in which to take states out, and their neighbours.

    Parameters
    ----------
    graph
        Either direction.
    xy
        Where the states are, `(n, 2)`, the same unit both ways.
    stop
        uint8 `(1,)`: set to 1 from outside to end; the order is then not one.
    """
    from citygeo._kernels.order import dissect, neighbours

    n = len(graph.start) - 1
    start, head = np.empty(n + 1, np.int64), np.empty(2 * len(graph.arc), np.int64)
    order = np.empty(n, np.int64)
    size = neighbours(graph.start, graph.arc, start, head)
    flag = np.zeros(1, np.uint8) if stop is None else stop
    dissect(start, head[:size].copy(), xy[:, 0].copy(), xy[:, 1].copy(), flag, order)
    return order, start, head[:size].copy()


def make_topology(
    order: NDArray[np.int64], near_start: NDArray[np.int64], near_head: NDArray[np.int64]
) -> Topology:
    """Return the topology that an order of the states gives; see `make_order`."""
    from citygeo._kernels.hierarchy import eliminate, lay_out

    n = order.size
    turn_start, turn_head, turn_parent = eliminate(near_start, near_head, order)
    place, parent, below = np.empty(n, np.uint32), np.empty(n, np.int64), np.empty(n, np.uint32)
    up_start, low_start = np.empty(n + 1, np.uint32), np.empty(n + 1, np.uint32)
    up_head, low_node, low_arc = (np.empty(turn_head.size, np.uint32) for _ in "una")
    lay_out(
        order, turn_start, turn_head, turn_parent, place, parent, below, up_start, up_head, low_start, low_node, low_arc
    )  # fmt: skip
    n_children = np.bincount(parent[parent >= 0], minlength=n)
    # the first of several branches, and roots: inside a chain there is nothing to decide again
    branches = np.where(parent >= 0, n_children[parent], 2) > 1
    is_gate = (branches & (below >= LEAST_REGION)).astype(np.uint8)
    made = (place, parent, below, up_start, up_head, low_start, low_node, low_arc, is_gate)
    return Topology(*(frozen(array) for array in made))


def customised(topology: Topology, graph: Graph) -> Hierarchy | None:
    """Return the hierarchy with the times of a graph, `None` if that joins states which the topology does not."""
    from citygeo._kernels.hierarchy import MISSING, customise

    own = topology
    n, most = len(own.parent), len(own.up_head)
    if len(graph.start) - 1 != n:
        return None
    rise_start, fall_start = np.empty(n + 1, np.uint32), np.empty(n + 1, np.uint32)
    rise_arc, fall_arc = np.empty((most, 2), np.uint32), np.empty((most, 2), np.uint32)
    size = np.zeros(2, np.int64)
    status = customise(
        graph.start, graph.arc, own.place, own.up_start, own.up_head, own.low_start, own.low_node, own.low_arc,
        rise_start, rise_arc, fall_start, fall_arc, size,
    )  # fmt: skip
    if status == MISSING:
        return None
    n_rise, n_fall = size.tolist()
    rise = (frozen(rise_start), frozen(rise_arc[:n_rise].copy()))
    return Hierarchy(own, rise, (frozen(fall_start), frozen(fall_arc[:n_fall].copy())))


def make_hierarchy(network: NetworkData) -> Hierarchy:
    """Return the hierarchy of a network, made anew."""
    graph = network.graph("from")
    made: list[Hierarchy | None] = []

    def work(_low: int, _high: int, stop: NDArray[np.uint8]) -> None:
        order = make_order(graph, state_places(network), stop)
        made.append(None if stop[0] else customised(make_topology(*order), graph))

    # in a thread of its own, so that Ctrl-C is heard
    run_chunks(work, 1, threads=1, name="contraction hierarchy 收缩层次结构")
    (hierarchy,) = made
    assert hierarchy is not None, "a topology made from a graph joins what the graph joins"
    return hierarchy


def state_places(network: NetworkData) -> NDArray[np.float64]:
    """Return where the search states are, in degrees with longitudes shortened as at the middle; `(states, 2)`."""
    arrays = network.arrays
    node = arrays["edge_node"].astype(np.int64)
    place = np.full((network.n_states, 2), np.nan)
    place[: network.n_nodes] = network.node_lonlat
    for side in (0, 1):
        place[arrays["edge_tail"][:, side].astype(np.int64)] = network.node_lonlat[node[:, side]]
        place[arrays["edge_head"][:, side].astype(np.int64)] = network.node_lonlat[node[:, 1 - side]]
    place[arrays["node_depart"].astype(np.int64)] = network.node_lonlat
    _fill_from_neighbours(network, place)
    place[:, 0] *= np.cos(np.radians(np.mean(place[:, 1])))
    return place


def _fill_from_neighbours(network: NetworkData, place: NDArray[np.float64]) -> None:
    """Put states of no edge's own, such as memories of via ways, where those are that they lead to."""
    for direction in ("from", "to"):
        graph = network.graph(direction)
        lost = np.flatnonzero(np.isnan(place[:, 0]))
        first = graph.start[lost].astype(np.int64)
        has_arc = graph.start[lost + 1] > first
        place[lost[has_arc]] = place[graph.arc[first[has_arc], 0].astype(np.int64)]
    place[np.isnan(place[:, 0])] = np.nanmean(place, axis=0)
