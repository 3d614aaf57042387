"""The pairs of sources and targets within a bound, and no others: one search each, or sweeps block by block."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.engine import sweeps
from citygeo.engine.bounded import search_each
from citygeo.engine.choice import choose
from citygeo.engine.pairs import SameEdge
from citygeo.engine.places import LONGEST_MS, UNREACHED
from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine.bounded import Found
    from citygeo.engine.choice import Engine, Side
    from citygeo.engine.places import Nodes, Places
    from citygeo.network import Direction, RoadNetwork

BLOCK_BYTES = 256 << 20  # of a table of times that is looked through in one piece
MOST_PAIRS = 50_000_000  # 1.2 GB, and three times that while they are put in order


class Within(NamedTuple):
    """Pairs in the order of targets, then sources: rows and milliseconds, int64 `(n,)`."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    ms: NDArray[np.int64]


class _Tally:
    """Counts pairs while they are found, so that too many end the work instead of the memory."""

    def __init__(self) -> None:
        self._lock, self._n = Lock(), 0

    def add(self, n: int) -> None:
        """Raise CG-ACC-003 when there are too many."""
        with self._lock:
            self._n += n
            if self._n > MOST_PAIRS:
                raise error("CG-ACC-003", most=f"{MOST_PAIRS:,}")


def within(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    limit_ms: int = LONGEST_MS,
    *,
    block_bytes: int = BLOCK_BYTES,
    engine: Engine = "auto",
    threads: int | None = None,
) -> Within:
    """
    Return the pairs within a bound.

    Parameters
    ----------
    network, direction, sources, targets, limit_ms, engine, threads
        As in `citygeo.engine.times`.
    block_bytes
        Sweeps make tables of all times, four bytes a pair, of so many bytes at most. The pairs found come to 24 bytes
        each, and three times that while they are put in order. The answer does not depend on it.

    Returns
    -------
    The pairs, in the order of targets, then sources.

    Raises
    ------
    LimitError
        CG-ACC-003: more than 50 million pairs.

    Examples
    --------
    >>> import citygeo as cg
    >>> from citygeo.engine import Nodes
    >>> net = cg.datasets.reykjavik().network("drive")
    >>> found = within(net, "from", Nodes(np.array([5])), Nodes(np.arange(100)), 60_000)
    >>> bool(found.ms.max() <= 60_000), found.ms[found.target == 5].tolist()
    (True, [0])
    """
    limit = max(min(limit_ms, LONGEST_MS), 0)
    if sources.n_rows == 0 or targets.n_rows == 0:
        return Within(*(np.empty(0, np.int64) for _ in "stm"))
    choice = choose(network, direction, sources, targets, limit, engine)
    side = choice.side
    if choice.engine == "dijkstra":
        begin, end, ms = _searched(network, side, limit, threads)
    else:
        begin, end, ms = _swept(network, side, limit, block_bytes, threads)
    if side.is_turned:  # in the order of the targets already
        return Within(end, begin, ms)
    order = _by_column(begin, end, side.sources.n_rows, side.targets.n_rows)
    return Within(begin[order], end[order], ms[order])


def _searched(
    network: RoadNetwork, side: Side, limit_ms: int, threads: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Search from each row, and look only at the targets where it comes."""
    from citygeo._kernels.pairs import targets_reached

    n_targets = side.targets.n_rows
    at = side.targets.exits(network, side.direction).by_state(network.n_states)
    same = SameEdge(network, side.direction, side.sources, side.targets, limit_ms)
    nothing = (np.empty(0, np.int64), np.empty(0, np.int64))
    rows = [nothing] * side.sources.n_rows
    idle: SimpleQueue[tuple[NDArray[np.uint32], NDArray[np.int64]]] = SimpleQueue()
    tally = _Tally()

    def collect(row: int, found: Found) -> None:
        try:
            best, out = idle.get_nowait()
        except Empty:
            best, out = np.full(n_targets, UNREACHED), np.empty(n_targets, np.int64)
        own = same.of(np.array([row]))
        n = targets_reached(found.node, found.ms, *at, own.target, own.ms, limit_ms, best, out)
        reached = np.sort(out[:n])
        rows[row] = reached, best[reached].astype(np.int64)
        best[reached] = UNREACHED
        idle.put((best, out))
        tally.add(n)

    search_each(network, side.direction, side.sources, limit_ms, collect, threads=threads)
    begin = np.repeat(np.arange(len(rows)), [reached.size for reached, _ in rows])
    end, ms = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    return begin, end, ms


def _swept(
    network: RoadNetwork, side: Side, limit_ms: int, block_bytes: int, threads: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sweep from some rows at a time, and look through the table of all times."""
    height = max(block_bytes // (4 * side.targets.n_rows), 1)
    begin, end, ms, tally = [], [], [], _Tally()
    for low in range(0, side.sources.n_rows, height):
        block = side.sources.taken(low, low + height)
        table = sweeps.times(network, side.direction, block, side.targets, limit_ms, threads=threads)
        here, there = np.nonzero(table != UNREACHED)
        tally.add(here.size)
        begin.append(here + low)
        end.append(there)
        ms.append(table[here, there].astype(np.int64))
    return np.concatenate(begin), np.concatenate(end), np.concatenate(ms)


def _by_column(
    row: NDArray[np.int64], column: NDArray[np.int64], n_rows: int, n_columns: int
) -> NDArray[np.int64]:
    """Return the order by column, then row, of pairs in the order of rows: counted, not compared."""
    from scipy.sparse import csr_array

    start = np.searchsorted(row, np.arange(n_rows + 1))
    numbered = csr_array((np.arange(row.size), column, start), shape=(n_rows, n_columns))
    return np.asarray(numbered.tocsc().data, np.int64)
