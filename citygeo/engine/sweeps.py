"""Sixteen neighbouring sources at a time down the network's hierarchy."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._run import default_threads, run_chunks
from citygeo.engine.pairs import SameEdge
from citygeo.engine.places import UNREACHED
from citygeo.network.hierarchy import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from citygeo._kernels.sweep import Plan, Sources, Targets
    from citygeo.engine.places import Ends, Nodes, Places
    from citygeo.engine.weights import Weights
    from citygeo.network import Direction, RoadNetwork

LANES = 16
LINE_BYTES = 64
MOST_BATCHES = 32  # per call of a kernel
MOST_OF_ALL = 0.7  # to leave out less of a hierarchy than the rest of it costs more than it spares
ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


class Sweeps:
    """
    Sweeps between some sources and some targets.

    Parameters
    ----------
    network, direction
        Where and which way to travel.
    sources, targets
        Where sweeps begin and end.
    limit_ms
        Inclusive bound.
    threads
        All processors if `None`.
    """

    def __init__(
        self,
        network: RoadNetwork,
        direction: Direction,
        sources: Places | Nodes,
        targets: Places | Nodes,
        limit_ms: int,
        *,
        threads: int | None,
    ) -> None:
        hierarchy = network.hierarchy
        place = hierarchy.topology.place
        entries, exits = sources.entries(network, direction), targets.exits(network, direction)
        self._seeds = entries._replace(state=place[entries.state].astype(np.int64))
        self.plan = restricted(hierarchy.plan(direction), place[exits.state])
        self._targets = _targets(self.plan, place, exits)
        self._pairs = SameEdge(network, direction, sources, targets, limit_ms)
        # sources that stand near each other go into one batch; those that enter nowhere have no more than pairs
        first = np.append(self._seeds.state, 0)[self._seeds.start[:-1]]
        self._order = np.argsort(np.where(np.diff(self._seeds.start) > 0, first, -1), kind="stable")
        n_batches = -(-sources.n_rows // LANES)
        self.n_threads = min(threads or default_threads(), max(n_batches, 1))
        self._batches_per_call = min(max(n_batches // (8 * self.n_threads), 1), MOST_BATCHES)

    def run(
        self, sweep: Callable[..., int], *arguments: Any, outs: list[NDArray[Any]], has_block: bool = False
    ) -> None:
        """
        Sweep from all sources.

        Parameters
        ----------
        sweep
            A kernel of `citygeo._kernels.sweep`.
        *arguments
            What it takes before the number of the first batch.
        outs
            Its output; one for all, or one of each thread.
        has_block
            Whether it takes a line of each target after the scratch.
        """
        idle: SimpleQueue[_Worker] = SimpleQueue()
        for i in range(self.n_threads):
            idle.put(_Worker(self.plan, self._targets, outs[i % len(outs)], has_block=has_block))
        size = LANES * self._batches_per_call

        def work(low: int, high: int, stop: NDArray[np.uint8]) -> None:
            worker = idle.get()
            try:
                chosen = self._sources(self._order[low:high])
                first = worker.next_batches(len(chosen.pair_start) - 1)
                given = (*worker.block, *arguments, first, stop, worker.out)
                sweep(self.plan, self._targets, chosen, worker.scratch, *given)
            finally:
                idle.put(worker)

        run_chunks(work, self._order.size, chunk=size, threads=self.n_threads, name="sweeps 批量推算")

    def _sources(self, rows: NDArray[np.int64]) -> Sources:
        from citygeo._kernels.sweep import Sources

        pairs = self._pairs.of(rows)
        batch, lane = pairs.row // LANES, pairs.row % LANES
        order = np.lexsort((pairs.target, batch))
        n_batches = -(-rows.size // LANES)
        start = np.searchsorted(batch[order], np.arange(n_batches + 1)).astype(np.int64)
        return Sources(
            rows, *self._seeds.taken(rows), start, pairs.target[order], lane[order], pairs.ms[order]
        )


class _Worker:
    """What one thread keeps between calls."""

    def __init__(self, plan: Plan, targets: Targets, out: NDArray[Any], *, has_block: bool = False) -> None:
        from citygeo._kernels.sweep import NEVER, Scratch

        n, rows, n_targets = plan.parent.size, plan.below.size, len(targets.end_start) - 1
        self.scratch = Scratch(
            _lines(rows + 2, NEVER), np.full(n, NEVER), np.zeros(rows, np.uint32), np.zeros(rows, np.uint8),
            np.empty((rows + 1, 2), np.uint32), *(np.zeros(n_targets, np.uint32) for _ in "mpft"),
        )  # fmt: skip
        self.block = (_lines(n_targets, UNREACHED),) if has_block else ()
        self.out = out
        self._batch = 0

    def next_batches(self, n: int) -> int:
        """Return the first of `n` numbers that no batch here had."""
        self._batch += n
        return self._batch - n + 1


def _lines(n: int, value: np.uint32) -> NDArray[np.uint32]:
    """Return rows of sixteen times, each on a cache line of its own, all of one value."""
    raw = np.empty((n + 1) * LINE_BYTES, np.uint8)
    first = -raw.ctypes.data % LINE_BYTES
    rows = raw[first : first + n * LINE_BYTES].view(np.uint32).reshape(n, LANES)
    rows.fill(value)
    return rows


def restricted(plan: Plan, places: NDArray[np.uint32]) -> Plan:
    """Return the part of a whole plan that sweeps to some places need, or all of it where that is most."""
    from citygeo._kernels.restrict import restrict

    n = plan.parent.size
    wanted, row = np.zeros(n, np.uint8), np.empty(n, np.uint32)
    wanted[places] = 1
    fall_start, fall_arc = np.empty(n + 1, np.uint32), np.empty_like(plan.fall_arc)
    below, is_gate = np.empty(n, np.uint32), np.empty(n, np.uint8)
    near_start, near_row = np.empty(n + 1, np.uint32), np.empty_like(plan.near_row)
    size = np.zeros(3, np.int64)
    restrict(
        plan.parent, plan.fall_start, plan.fall_arc, plan.is_gate, plan.near_start, plan.near_row, wanted, row,
        fall_start, fall_arc, below, is_gate, near_start, near_row, size,
    )  # fmt: skip
    rows, arcs, nears = size.tolist()
    if rows > MOST_OF_ALL * n:
        return plan
    kept = (
        row, fall_start[: rows + 1], fall_arc[:arcs], below[:rows], is_gate[:rows], near_start[: rows + 1],
        near_row[:nears],
    )  # fmt: skip
    return plan._replace(**dict(zip(plan._fields[3:], (frozen(array.copy()) for array in kept), strict=True)))


def _targets(plan: Plan, place: NDArray[np.uint32], exits: Ends) -> Targets:
    from citygeo._kernels.sweep import Targets

    row = plan.row[place[exits.state]].astype(np.int64)
    at = exits._replace(state=row).by_state(plan.below.size)
    return Targets(
        exits.start.astype(np.uint32), np.column_stack((row, exits.ms)).astype(np.uint32),
        at.start.astype(np.uint32), at.state.astype(np.uint32),
    )  # fmt: skip


def n_rows_needed(network: RoadNetwork, ends: Ends) -> int:
    """Return how many rows sweeps to these ends need."""
    hierarchy = network.hierarchy
    return restricted(hierarchy.plan("from"), hierarchy.topology.place[ends.state]).below.size


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
    from citygeo._kernels.sweep import sweep_times

    out = np.empty((sources.n_rows, targets.n_rows), np.uint32)
    sweeps = Sweeps(network, direction, sources, targets, limit_ms, threads=threads)
    sweeps.run(sweep_times, limit_ms, outs=[out], has_block=True)
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
    """Return what every source, or if turned every target, reaches within each cut-off, in quanta."""
    from citygeo._kernels.sweep import sweep_sums

    sweeps = Sweeps(network, direction, sources, targets, int(weights.cutoff_ms[-1]), threads=threads)
    shape = (targets.n_rows if is_turned else sources.n_rows, *weights.shape)
    # turned, several threads add to one row, so each has a table of its own; integers add up to the same in any order
    outs = [np.zeros(shape, np.int64) for _ in range(sweeps.n_threads if is_turned else 1)]
    sweeps.run(sweep_sums, *weights.arrays, is_turned, outs=outs)
    total: NDArray[np.int64] = np.sum(outs, axis=0)
    return total


def nearest(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    limit_ms: int,
    *,
    k: int,
    threads: int | None,
) -> NDArray[np.uint64]:
    """Return each target's `k` nearest sources; see `citygeo.engine.bounded.nearest`."""
    from citygeo._kernels.sweep import sweep_nearest

    sweeps = Sweeps(network, direction, sources, targets, limit_ms, threads=threads)
    nears = [np.full((targets.n_rows, k), ALL_ONES) for _ in range(sweeps.n_threads)]
    sweeps.run(sweep_nearest, limit_ms, k, outs=nears)
    if len(nears) == 1:
        return nears[0]
    return np.sort(np.concatenate(nears, axis=1), axis=1)[:, :k]
