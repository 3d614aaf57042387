"""One search per source, as far as the bound: workspaces, threads, and what is made of the settled states."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo._run import default_threads, run_chunks
from citygeo.engine.pairs import SameEdge
from citygeo.engine.places import UNREACHED, Places

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from citygeo.engine.places import Nodes, Own
    from citygeo.engine.weights import Weights
    from citygeo.network import Direction, Graph, RoadNetwork

SHIFT = 32
MOST_BUCKETS = 1 << 17
SAMPLED_ARCS = 1000
CHUNK = 64  # sources per call of a kernel
FEW_SAMPLES = 8
FIRST_ROOM = 1024  # waiting states, before a workspace grows
NONE = np.uint32(0xFFFFFFFF)  # no entry of a bucket
ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


class Parts(NamedTuple):
    """Reached parts of edges, in the order found: share of the edge and time at the low and the high end."""

    edge: NDArray[np.int64]  # (p,)
    share: NDArray[np.float64]  # (p, 2)
    ms: NDArray[np.float64]  # (p, 2)

    @classmethod
    def none(cls) -> Parts:
        """Return no part at all."""
        return cls(np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 2)))

    def take(self, rows: NDArray[Any] | slice) -> Parts:
        """Return some of the parts."""
        return Parts(self.edge[rows], self.share[rows], self.ms[rows])


class Found(NamedTuple):
    """One search: settled states with their times in no particular order, and the labels they were read from."""

    node: NDArray[np.uint32]
    ms: NDArray[np.uint32]
    label: NDArray[np.uint64]
    stamp: np.uint64


class Workspace:
    """
    Scratch of one worker, kept between searches: a search costs what it settles, not the graph's size.

    Parameters
    ----------
    network, direction, limit_ms
        What it is for.
    goals
        States after which a search may end; none if empty.
    """

    def __init__(
        self,
        network: RoadNetwork,
        direction: Direction,
        limit_ms: int,
        goals: NDArray[np.int64] | None = None,
    ) -> None:
        n = network.n_states
        self.graph = network.graph(direction)
        self.limit_ms = limit_ms
        self.width = bucket_width(self.graph, limit_ms)
        # memory of the size of the graph is taken from the system page by page, when a search comes there
        self.label = np.zeros(n, np.uint64)
        self.node, self.ms = np.empty(n, np.uint32), np.empty(n, np.uint32)
        self.bucket = np.full(((limit_ms >> self.width) + 1, 2), NONE)
        self.goal = np.zeros(n, np.uint8)
        self.n_goals = 0
        if goals is not None:
            self.goal[goals] = 1
            self.n_goals = np.unique(goals).size
        self._stamp = 0
        self._make_room(FIRST_ROOM)

    def _make_room(self, size: int) -> None:
        self.entry, self.link = np.empty(size, np.uint64), np.empty(size, np.uint32)

    def grow(self) -> None:
        """Make more room for waiting states."""
        self._make_room(4 * self.entry.size)

    def next_stamps(self, n: int = 1) -> int:
        """Return the first of `n` numbers that no search here had."""
        if self._stamp + n >= 1 << SHIFT:
            self.label[:] = 0
            self._stamp = 0
        self._stamp += n
        return self._stamp - n + 1

    def search(
        self, state: NDArray[np.int64], ms: NDArray[np.int64], stop: NDArray[np.uint8]
    ) -> Found | None:
        """Search from some states; `None` if it was stopped."""
        from citygeo._kernels.search import FULL, search

        while True:
            stamp = np.uint64(self.next_stamps() << SHIFT)
            n = search(
                self.graph.start, self.graph.arc, state, ms, self.limit_ms, self.width, stamp, self.goal, self.n_goals,
                self.label, self.bucket, self.entry, self.link, stop, self.node, self.ms,
            )  # fmt: skip
            if n != FULL:
                return Found(self.node[:n], self.ms[:n], self.label, stamp) if n >= 0 else None
            self.grow()


def bucket_width(graph: Graph, limit_ms: int) -> int:
    """Return the binary logarithm of the width of buckets: about an arc, so that few labels are corrected."""
    sample = graph.arc[:: max(len(graph.arc) // SAMPLED_ARCS, 1), 1]
    typical = int(np.median(sample[sample > 0])) if sample.any() else 1
    return max(typical.bit_length() - 1, (limit_ms // MOST_BUCKETS).bit_length())


def search_each(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    limit_ms: int,
    collect: Callable[[int, Found], None],
    *,
    goals: NDArray[np.int64] | None = None,
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
    goals
        States after which a search may end; it tells nothing of states that lie farther away.
    threads
        Number of threads; all processors if `None`.
    """
    start, state, ms = sources.entries(network, direction)
    n_threads = min(threads or default_threads(), max(sources.n_rows, 1))
    idle = _workers(network, direction, limit_ms, n_threads, goals)

    def work(low: int, high: int, stop: NDArray[np.uint8]) -> None:
        space = idle.get()
        try:
            for i in range(low, high):
                found = space.search(state[start[i] : start[i + 1]], ms[start[i] : start[i + 1]], stop)
                if found is None or stop[0]:  # small searches end before they look at the flag
                    return
                collect(i, found)
        finally:
            idle.put(space)

    chunk = 1 if sources.n_rows < 64 else 16
    run_chunks(work, sources.n_rows, chunk=chunk, threads=n_threads, name="searches 路网搜索")


def _workers(
    network: RoadNetwork, direction: Direction, limit_ms: int, n: int, goals: NDArray[np.int64] | None = None
) -> SimpleQueue[Workspace]:
    idle: SimpleQueue[Workspace] = SimpleQueue()
    for _ in range(n):
        idle.put(Workspace(network, direction, limit_ms, goals))
    return idle


def reached_parts(
    network: RoadNetwork, direction: Direction, source: Own, found: Found, limit_ms: int
) -> Parts:
    """Return the parts of edges that one source reaches within `limit_ms`, which may be less than was searched."""
    from citygeo._kernels import parts

    graph, view = network.graph(direction), network.edge_view(direction)
    settled = found.node[found.ms <= limit_ms]
    size = int((graph.start[settled.astype(np.int64) + 1] - graph.start[settled]).sum(dtype=np.int64))
    size += 4 * len(source.edge)
    edge, share, ms = np.empty(size, np.uint32), np.empty((size, 2)), np.empty((size, 2))
    n = parts.reached_parts(
        view.tail, view.along_ms, view.against_ms, view.enter_ms, graph.start, graph.edge, settled, found.label,
        found.stamp, limit_ms, *source, edge, share, ms,
    )  # fmt: skip
    return Parts(edge[:n].astype(np.int64), share[:n].copy(), ms[:n].copy())


def settled_states(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    limit_ms: int,
    goals: NDArray[np.int64] | None = None,
) -> float:
    """Return how many states a search settles, the mean of a few of the sources, at most a quarter of them."""
    n = min(FEW_SAMPLES, -(-sources.n_rows // 4))
    rows = np.unique(np.linspace(0, max(sources.n_rows - 1, 0), n).astype(np.int64))
    ends = sources.entries(network, direction).taken(rows[: sources.n_rows])
    sizes: list[int] = []

    def work(low: int, high: int, stop: NDArray[np.uint8]) -> None:
        space = Workspace(network, direction, limit_ms, goals)
        for i in range(low, high):
            own = slice(ends.start[i], ends.start[i + 1])
            found = space.search(ends.state[own], ends.ms[own], stop)
            sizes.append(0 if found is None else found.node.size)

    run_chunks(work, len(ends.start) - 1, chunk=FEW_SAMPLES, threads=1)
    return float(np.mean(sizes)) if sizes else 0.0


def times(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    limit_ms: int,
    *,
    threads: int | None,
) -> NDArray[np.uint32]:
    """Return the milliseconds from every source to every target, UNREACHED beyond the bound."""
    from citygeo._kernels.search import times_at_ends

    ends = targets.exits(network, direction)
    out = np.full((sources.n_rows, targets.n_rows), UNREACHED)
    if not ends.state.size:
        return out
    pairs = SameEdge(network, direction, sources, targets, limit_ms)

    def collect(row: int, found: Found) -> None:
        own = pairs.of(np.array([row]))
        times_at_ends(found.label, found.stamp, *ends, own.target, own.ms, limit_ms, out[row])

    search_each(network, direction, sources, limit_ms, collect, goals=ends.state, threads=threads)
    return out


def sums(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    weights: Weights,
    *,
    is_turned: bool,
    threads: int | None,
) -> NDArray[np.int64]:
    """
    Return what every source, or if turned every target, reaches within each cut-off, in quanta.

    Parameters
    ----------
    network, direction, sources, targets
        Where searches begin and end; if turned, these are the opportunities and who uses them.
    weights
        What the targets weigh, or if turned the sources.
    is_turned, threads
        See `citygeo._kernels.search.search_sums`.
    """
    from citygeo._kernels.search import search_sums

    limit_ms = int(weights.cutoff_ms[-1])
    entries, exits = sources.entries(network, direction), targets.exits(network, direction)
    at, is_single = exits.by_state(network.n_states), bool((np.diff(exits.start) <= 1).all())
    pairs = SameEdge(network, direction, sources, targets, limit_ms)
    n_threads = min(threads or default_threads(), -(-sources.n_rows // CHUNK) or 1)
    shape = (targets.n_rows if is_turned else sources.n_rows, *weights.shape)
    # turned, several threads add to one row, so each has a table of its own; integers add up to the same in any order
    outs = [np.zeros(shape, np.int64) for _ in range(n_threads if is_turned else 1)]
    idle: SimpleQueue[tuple[Workspace, NDArray[np.uint64], NDArray[np.uint32], NDArray[np.int64]]] = (
        SimpleQueue()
    )
    for i in range(n_threads):
        label, touched = np.zeros(targets.n_rows, np.uint64), np.empty(targets.n_rows, np.uint32)
        idle.put((Workspace(network, direction, limit_ms), label, touched, outs[i % len(outs)]))

    def work(low: int, high: int, stop: NDArray[np.uint8]) -> None:
        worker = idle.get()
        space, label, touched, out = worker
        row = np.arange(low, high)
        try:
            while row.size and not stop[0]:
                seeds, own = entries.taken(row), pairs.of(row)
                pair_start = np.searchsorted(own.row, np.arange(row.size + 1))
                first = space.next_stamps(row.size)
                if first == 1:
                    label[:] = 0
                done = search_sums(
                    space.graph.start, space.graph.arc, row, *seeds, *at, pair_start, own.target, own.ms,
                    *weights.arrays, is_turned, is_single, space.width, first, space.goal, space.label,
                    space.bucket, space.entry, space.link, space.node, space.ms, label, touched, stop, out,
                )  # fmt: skip
                row = row[done:]
                if row.size and not stop[0]:
                    space.grow()
        finally:
            idle.put(worker)

    run_chunks(work, sources.n_rows, chunk=CHUNK, threads=n_threads, name="what is reached 可达汇总")
    total: NDArray[np.int64] = np.sum(outs, axis=0)
    return total


def nearest_states(
    network: RoadNetwork, direction: Direction, sources: Places | Nodes, limit_ms: int, *, k: int
) -> NDArray[np.uint64]:
    """
    Return each state's `k` nearest sources by one search from all sources at once.

    Returns
    -------
    ``milliseconds << 32 | source``, ascending, all ones where there is none, `(states * k,)`.
    """
    from citygeo._kernels.search import FULL, search_nearest

    graph = network.graph(direction)
    entries = sources.entries(network, direction)
    owner = np.repeat(np.arange(sources.n_rows), np.diff(entries.start))
    near = np.empty(network.n_states * k, np.uint64)
    width = bucket_width(graph, limit_ms)

    def work(_low: int, _high: int, stop: NDArray[np.uint8]) -> None:
        status, size = FULL, len(graph.arc) + owner.size + 1
        while status == FULL:
            near.fill(ALL_ONES)
            bucket = np.full(((limit_ms >> width) + 1, 2), NONE)
            entry, node, link = (
                np.empty(size, np.uint64),
                np.empty(size, np.uint32),
                np.empty(size, np.uint32),
            )
            status = search_nearest(
                graph.start, graph.arc, entries.state, entries.ms, owner, limit_ms, width, k, bucket, entry, node, link,
                stop, near,
            )  # fmt: skip
            size *= 2

    run_chunks(work, 1, threads=1, name="nearest 最近设施")
    return near


def nearest(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    limit_ms: int,
    *,
    k: int,
) -> NDArray[np.uint64]:
    """
    Return each target's `k` nearest sources by one search from all sources at once.

    Returns
    -------
    ``milliseconds << 32 | source``, ascending, all ones where there is none, `(targets, k)`.
    """
    from citygeo._kernels.search import nearest_ends

    near = nearest_states(network, direction, sources, limit_ms, k=k)
    pairs = SameEdge(network, direction, sources, targets, limit_ms).of(np.arange(sources.n_rows))
    out = np.full(targets.n_rows * k, ALL_ONES)
    ends = targets.exits(network, direction)
    nearest_ends(near, k, *ends, pairs.row, pairs.target, pairs.ms, limit_ms, out)
    return out.reshape(-1, k)


def owned_parts(
    network: RoadNetwork, direction: Direction, sources: Places, near: NDArray[np.uint64], limit_ms: int
) -> tuple[Parts, NDArray[np.int64]]:
    """
    Return what is reached within a bound, each place by the source that is there first, and the row of that source.

    Parameters
    ----------
    network, direction, sources
        As in `search_each`.
    near
        From `nearest_states` with `k` 1 and this bound or a greater one.
    limit_ms
        Inclusive bound.
    """
    from citygeo._kernels import parts

    view = network.edge_view(direction)
    order = np.lexsort((sources.row, sources.ms, sources.share, sources.edge))
    own = (sources.edge[order], sources.share[order], sources.ms[order], sources.row[order])
    is_near = near[view.tail] >> np.uint64(SHIFT) <= np.uint64(limit_ms)
    size = 2 * (int(is_near.any(axis=1).sum()) + len(order)) + 2 * np.unique(sources.edge).size
    edge, share, ms = np.empty(size, np.uint32), np.empty((size, 2)), np.empty((size, 2))
    owner = np.empty(size, np.int64)
    n = parts.owned_parts(
        view.tail, view.along_ms, view.against_ms, view.enter_ms, near, limit_ms, *own, edge, share, ms, owner
    )
    return Parts(edge[:n].astype(np.int64), share[:n].copy(), ms[:n].copy()), owner[:n].copy()
