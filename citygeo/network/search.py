"""Run the search kernels on a network: workspaces, sources on edges, threads."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo._run import default_threads, run_chunks
from citygeo.network.build import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from citygeo.network import Direction, RoadNetwork

SHIFT = 32
UNREACHED = np.uint32(0xFFFFFFFF)
LONGEST_MS = 2**31 - 1


class Places(NamedTuple):
    """Points on the network: edge (-1: not on it), share of the edge, and milliseconds already spent or still due."""

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    ms: NDArray[np.int64]

    def row(self, i: int) -> tuple[int, float, int]:
        """Return one place as plain numbers."""
        return int(self.edge[i]), float(self.share[i]), int(self.ms[i])


class Parts(NamedTuple):
    """Reached parts of edges, in the order found: share of the edge and time at the low and the high end."""

    edge: NDArray[np.int64]  # (p,)
    share: NDArray[np.float64]  # (p, 2)
    ms: NDArray[np.float64]  # (p, 2)


class Found(NamedTuple):
    """One search: settled nodes with their times, and the labels they were read from."""

    node: NDArray[np.uint32]
    ms: NDArray[np.uint32]
    label: NDArray[np.uint64]
    stamp: np.uint64


class _Workspace:
    """Scratch of one worker, kept between searches: a search costs what it settles, not the graph's size."""

    def __init__(self, n_nodes: int, n_arcs: int) -> None:
        self.label = np.zeros(n_nodes, np.uint64)
        self.heap = np.empty(n_arcs + 2, np.uint64)
        self.node = np.empty(n_nodes, np.uint32)
        self.ms = np.empty(n_nodes, np.uint32)
        self._stamp = 0

    def next_stamp(self) -> np.uint64:
        self._stamp += 1
        if self._stamp >= 1 << SHIFT:
            self.label[:] = 0
            self._stamp = 1
        return np.uint64(self._stamp << SHIFT)


def seeds(network: RoadNetwork, direction: Direction, places: Places) -> tuple[NDArray[np.int64], ...]:
    """
    Return the nodes from which places on edges enter the graph.

    Parameters
    ----------
    network, direction
        Where and which way to travel.
    places
        Where the search begins; a place at the very end of an edge is that node.

    Returns
    -------
    Node, milliseconds, and row in `places` of each seed.
    """
    times = network.edge_times(direction)
    row = np.flatnonzero(places.edge >= 0)
    edge, share, ms = places.edge[row], places.share[row], places.ms[row]
    along, against = times.along_ms[edge], times.against_ms[edge]
    low, high = times.node[edge].astype(np.int64).T
    to_high = along.astype(np.int64) - np.rint(share * along).astype(np.int64)
    to_low = np.rint(share * against).astype(np.int64)
    is_high, is_low = (along != CLOSED) | (share == 1.0), (against != CLOSED) | (share == 0.0)
    to_high[share == 1.0], to_low[share == 0.0] = 0, 0
    node = np.concatenate((high[is_high], low[is_low]))
    due = np.concatenate(((ms + to_high)[is_high], (ms + to_low)[is_low]))
    return node, due, np.concatenate((row[is_high], row[is_low]))


def search_each(
    network: RoadNetwork,
    direction: Direction,
    sources: Places,
    limit_ms: int,
    collect: Callable[[int, Found], None],
    *,
    threads: int | None = None,
) -> None:
    """
    Search from each source up to a bound and hand what was found to `collect`.

    Parameters
    ----------
    network, direction
        Where and which way to travel.
    sources
        One search per row; rows off the network find nothing.
    limit_ms
        Inclusive bound.
    collect
        Called with the row and what was found, in a worker thread; must copy what it keeps and write
        to places of its own row only, so that the result does not depend on the threads.
    threads
        Number of threads; all processors if `None`.
    """
    from citygeo._kernels.search import search

    graph = network.graph(direction)
    node, ms, row = seeds(network, direction, sources)
    order = np.argsort(row, kind="stable")
    node, ms = node[order], ms[order]
    first = np.searchsorted(row[order], np.arange(len(sources.edge) + 1))
    n_threads = min(threads or default_threads(), max(len(sources.edge), 1))
    idle: SimpleQueue[_Workspace] = SimpleQueue()
    for _ in range(n_threads):
        idle.put(_Workspace(network.n_nodes, network.n_arcs))

    def work(low: int, high: int, stop: NDArray[np.uint8]) -> None:
        space = idle.get()
        try:
            for i in range(low, high):
                own = slice(first[i], first[i + 1])
                stamp = space.next_stamp()
                n = search(
                    graph.start, graph.arc, node[own], ms[own], limit_ms, stamp, space.label, space.heap, stop,
                    space.node, space.ms,
                )  # fmt: skip
                if n < 0:
                    return
                collect(i, Found(space.node[:n], space.ms[:n], space.label, stamp))
        finally:
            idle.put(space)

    run_chunks(work, len(sources.edge), chunk=1 if len(sources.edge) < 64 else 16, threads=n_threads)


def reached_parts(
    network: RoadNetwork, direction: Direction, source: tuple[int, float, int], found: Found, limit_ms: int
) -> Parts:
    """Return the parts of edges that one source reaches within `limit_ms`, which may be less than was searched."""
    from citygeo._kernels import parts

    graph, times = network.graph(direction), network.edge_times(direction)
    settled = found.node[: int(np.searchsorted(found.ms, limit_ms, side="right"))]
    size = int((graph.start[settled.astype(np.int64) + 1] - graph.start[settled]).sum(dtype=np.int64)) + 4
    edge, share, ms = np.empty(size, np.uint32), np.empty((size, 2)), np.empty((size, 2))
    n = parts.reached_parts(
        times.node, times.along_ms, times.against_ms, graph.start, graph.edge, settled, found.label, found.stamp,
        limit_ms, *source, edge, share, ms,
    )  # fmt: skip
    return Parts(edge[:n].astype(np.int64), share[:n].copy(), ms[:n].copy())


def times_at(
    network: RoadNetwork,
    direction: Direction,
    source: tuple[int, float, int],
    found: Found,
    points: Places,
    limit_ms: int,
) -> NDArray[np.uint32]:
    """Return the milliseconds between one source and each point, UNREACHED beyond the bound."""
    from citygeo._kernels import parts

    times = network.edge_times(direction)
    out = np.empty(len(points.edge), np.uint32)
    parts.point_times(
        times.node, times.along_ms, times.against_ms, found.label, found.stamp, *source,
        points.edge, points.share, points.ms, limit_ms, out,
    )  # fmt: skip
    return out


def nearest_at(
    network: RoadNetwork, direction: Direction, sources: Places, points: Places, limit_ms: int = LONGEST_MS
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """
    Return each point's nearest source by one search from all sources at once.

    Returns
    -------
    Milliseconds, UNREACHED where there is none, and the row of the source, -1 where there is none; equally
    near sources give the first row.
    """
    from citygeo._kernels import parts
    from citygeo._kernels.search import HEAP_FULL, search_nearest

    graph, times = network.graph(direction), network.edge_times(direction)
    node, ms, row = seeds(network, direction, sources)
    node_ms = np.empty(network.n_nodes, np.uint32)
    node_owner = np.empty(network.n_nodes, np.int64)

    def work(_low: int, _high: int, stop: NDArray[np.uint8]) -> None:
        status, size = HEAP_FULL, network.n_arcs + node.size
        while status == HEAP_FULL:
            node_ms[:], node_owner[:] = UNREACHED, -1
            heap = np.empty(size, np.uint64)
            status = search_nearest(
                graph.start, graph.arc, node, ms, row, limit_ms, heap, stop, node_ms, node_owner
            )
            size *= 2

    run_chunks(work, 1, threads=1)
    on = np.flatnonzero(sources.edge >= 0)
    on = on[np.argsort(sources.edge[on], kind="stable")]
    own_start = np.searchsorted(sources.edge[on], np.arange(network.n_edges + 1))
    out_ms, out_row = np.empty(len(points.edge), np.uint32), np.empty(len(points.edge), np.int64)
    parts.nearest_points(
        times.node, times.along_ms, times.against_ms, node_ms, node_owner, own_start, sources.share[on],
        sources.ms[on], on, points.edge, points.share, points.ms, limit_ms, out_ms, out_row,
    )  # fmt: skip
    return out_ms, out_row
