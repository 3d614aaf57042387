"""Run the search kernels on a network: workspaces, sources on edges, threads."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo._run import default_threads, run_chunks
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from citygeo.network import Direction, RoadNetwork

SHIFT = 32
UNREACHED = np.uint32(0xFFFFFFFF)
LONGEST_MS = 2**31 - 1


class Places(NamedTuple):
    """
    Points on the network, and milliseconds already spent or still due there.

    Attributes
    ----------
    edge, share, ms
        Edge, share of it, and milliseconds, `(k,)`; places that are not on the network are left out.
    row
        The caller's row of each place, ascending; a row may have several places (the gates of a park) or none.
    n_rows
        Number of the caller's rows.
    """

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    ms: NDArray[np.int64]
    row: NDArray[np.int64]
    n_rows: int

    @classmethod
    def one_each(cls, edge: NDArray[np.int64], share: NDArray[np.float64], ms: NDArray[np.int64]) -> Places:
        """Return one place per row; rows with edge -1 have none."""
        row = np.flatnonzero(edge >= 0)
        return cls(edge[row], share[row], ms[row], row, len(edge))

    @classmethod
    def joined(cls, several: Iterable[Places]) -> Places:
        """Return the places of all, rows numbered on."""
        listed = list(several)
        before = np.cumsum([0, *(places.n_rows for places in listed)])
        edge, share, ms = (
            np.concatenate([getattr(places, name) for places in listed]) for name in ("edge", "share", "ms")
        )
        row = np.concatenate([places.row + n for places, n in zip(listed, before[:-1], strict=True)])
        return cls(edge, share, ms, row, int(before[-1]))

    def of(self, row: int) -> Own:
        """Return the places of one row in the order of edges, as kernels take them."""
        low, high = np.searchsorted(self.row, (row, row + 1))
        order = low + np.lexsort((self.share[low:high], self.edge[low:high]))
        return Own(self.edge[order], self.share[order], self.ms[order])

    def least(self, values: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return the least value of each row's places, UNREACHED for a row without."""
        out = np.full(self.n_rows, UNREACHED)
        np.minimum.at(out, self.row, values)
        return out


class Own(NamedTuple):
    """The places where one search begins, sorted by edge and share."""

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    ms: NDArray[np.int64]


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

    def __init__(self, n_states: int, heap_size: int) -> None:
        self.label = np.zeros(n_states, np.uint64)
        self.heap = np.empty(heap_size, np.uint64)
        self.node = np.empty(n_states, np.uint32)
        self.ms = np.empty(n_states, np.uint32)
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
    view = network.edge_view(direction)
    edge, share, ms = places.edge, places.share, places.ms
    along, against = view.along_ms[edge], view.against_ms[edge]
    low, high = view.start[edge].astype(np.int64).T
    to_high = ms + along - np.rint(share * along).astype(np.int64) + view.leave_ms[edge, 0]
    to_low = ms + np.rint(share * against).astype(np.int64) + view.leave_ms[edge, 1]
    # at the very end of an edge one stands on its node and may set out in any direction
    at_low, at_high = share == 0.0, share == 1.0
    is_along, is_against = (along != CLOSED) & ~at_high, (against != CLOSED) & ~at_low
    head = view.head[edge].astype(np.int64)
    node = np.concatenate((head[is_along, 0], head[is_against, 1], low[at_low], high[at_high]))
    due = np.concatenate((to_high[is_along], to_low[is_against], ms[at_low], ms[at_high]))
    row = places.row
    return node, due, np.concatenate((row[is_along], row[is_against], row[at_low], row[at_high]))


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
    first = np.searchsorted(row[order], np.arange(sources.n_rows + 1))
    n_threads = min(threads or default_threads(), max(sources.n_rows, 1))
    most = int(np.diff(first).max(initial=0))
    idle: SimpleQueue[_Workspace] = SimpleQueue()
    for _ in range(n_threads):
        idle.put(_Workspace(network.n_states, len(graph.arc) + most))

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

    run_chunks(work, sources.n_rows, chunk=1 if sources.n_rows < 64 else 16, threads=n_threads)


def reached_parts(
    network: RoadNetwork, direction: Direction, source: Own, found: Found, limit_ms: int
) -> Parts:
    """Return the parts of edges that one source reaches within `limit_ms`, which may be less than was searched."""
    from citygeo._kernels import parts

    graph, view = network.graph(direction), network.edge_view(direction)
    settled = found.node[: int(np.searchsorted(found.ms, limit_ms, side="right"))]
    size = int((graph.start[settled.astype(np.int64) + 1] - graph.start[settled]).sum(dtype=np.int64))
    size += 4 * len(source.edge)
    edge, share, ms = np.empty(size, np.uint32), np.empty((size, 2)), np.empty((size, 2))
    n = parts.reached_parts(
        view.tail, view.along_ms, view.against_ms, view.enter_ms, graph.start, graph.edge, settled, found.label,
        found.stamp, limit_ms, *source, edge, share, ms,
    )  # fmt: skip
    return Parts(edge[:n].astype(np.int64), share[:n].copy(), ms[:n].copy())


def times_at(
    network: RoadNetwork,
    direction: Direction,
    source: Own,
    found: Found,
    points: Places,
    limit_ms: int,
) -> NDArray[np.uint32]:
    """Return the milliseconds between one source and each place, UNREACHED beyond the bound."""
    from citygeo._kernels import parts

    view = network.edge_view(direction)
    out = np.empty(len(points.edge), np.uint32)
    parts.point_times(
        view.stop, view.tail, view.along_ms, view.against_ms, view.enter_ms, found.label, found.stamp, *source,
        points.edge, points.share, points.ms, limit_ms, out,
    )  # fmt: skip
    return out


def nearest_at(
    network: RoadNetwork, direction: Direction, sources: Places, points: Places, limit_ms: int = LONGEST_MS
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """
    Return each row's nearest source by one search from all sources at once.

    Returns
    -------
    Milliseconds, UNREACHED where there is none, and the row of the source, -1 where there is none; equally
    near sources give the first row.
    """
    from citygeo._kernels import parts
    from citygeo._kernels.search import HEAP_FULL, search_nearest

    graph, view = network.graph(direction), network.edge_view(direction)
    node, ms, row = seeds(network, direction, sources)
    state_ms = np.empty(network.n_states, np.uint32)
    state_owner = np.empty(network.n_states, np.int64)

    def work(_low: int, _high: int, stop: NDArray[np.uint8]) -> None:
        status, size = HEAP_FULL, len(graph.arc) + node.size
        while status == HEAP_FULL:
            state_ms[:], state_owner[:] = UNREACHED, -1
            heap = np.empty(size, np.uint64)
            status = search_nearest(
                graph.start, graph.arc, node, ms, row, limit_ms, heap, stop, state_ms, state_owner
            )
            size *= 2

    run_chunks(work, 1, threads=1)
    order = np.argsort(sources.edge, kind="stable")
    own_start = np.searchsorted(sources.edge[order], np.arange(network.n_edges + 1))
    out_ms, out_row = np.empty(len(points.edge), np.uint32), np.empty(len(points.edge), np.int64)
    parts.nearest_points(
        view.stop, view.tail, view.along_ms, view.against_ms, view.enter_ms, state_ms, state_owner, own_start,
        sources.share[order], sources.ms[order], sources.row[order], points.edge, points.share, points.ms, limit_ms,
        out_ms, out_row,
    )  # fmt: skip
    return _nearest_of_rows(points, out_ms, out_row)


def _nearest_of_rows(
    points: Places, ms: NDArray[np.uint32], owner: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return time and owner of each row's nearest place; equal times go to the smallest owner."""
    row_ms, row_owner = np.full(points.n_rows, UNREACHED), np.full(points.n_rows, -1)
    order = np.lexsort((owner, ms, points.row))
    is_first = np.ones(order.size, np.bool_)
    is_first[1:] = np.diff(points.row[order]) != 0
    best = order[is_first]
    row_ms[points.row[best]], row_owner[points.row[best]] = ms[best], owner[best]
    return row_ms, row_owner
