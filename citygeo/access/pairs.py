"""Who reaches whom within a bound: the exact times of those pairs alone, for what sums cannot answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo import engine as engines
from citygeo.engine import UNREACHED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine import Engine, Nodes, Places
    from citygeo.network import Direction, RoadNetwork

BLOCK_BYTES = 256 << 20  # of the table of all times that is looked at in one piece


class Pairs(NamedTuple):
    """
    Pairs of facilities and demand, in the order of demand, then facility.

    Attributes
    ----------
    facility, demand
        Rows, int64 `(n,)`.
    ms
        Milliseconds, int64 `(n,)`.
    n_facilities, n_demand
        Number of rows on either side, those in no pair included.
    """

    facility: NDArray[np.int64]
    demand: NDArray[np.int64]
    ms: NDArray[np.int64]
    n_facilities: int
    n_demand: int

    @property
    def minutes(self) -> NDArray[np.float64]:
        """Minutes, `(n,)`."""
        return self.ms / 60_000

    def taken(self, rows: NDArray[np.bool_] | slice) -> Pairs:
        """Return some of the pairs, in their order."""
        return self._replace(facility=self.facility[rows], demand=self.demand[rows], ms=self.ms[rows])

    def by_facility(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up a value of each pair by facility, float64, in the order of the pairs."""
        return np.asarray(np.bincount(self.facility, values, self.n_facilities), np.float64)

    def by_demand(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up a value of each pair by demand, float64, in the order of the pairs."""
        return np.asarray(np.bincount(self.demand, values, self.n_demand), np.float64)


def pairs_within(
    network: RoadNetwork,
    direction: Direction,
    facilities: Places | Nodes,
    demand: Places | Nodes,
    limit_ms: int | NDArray[np.int64],
    *,
    block_bytes: int = BLOCK_BYTES,
    engine: Engine = "auto",
    threads: int | None = None,
) -> Pairs:
    """
    Return all pairs of facility and demand within a bound.

    The table of all times is made and looked through in blocks of rows of the side that has fewer of them, from which
    searches start, so that none is repeated.

    Parameters
    ----------
    network
        The road network.
    direction
        ``"from"`` the facilities, or ``"to"`` them.
    facilities, demand
        Where they stand.
    limit_ms
        Inclusive bound: one, or one of each facility.
    block_bytes
        Most memory of a block, four bytes a pair; the pairs found come to 24 bytes each, twice that while they are put
        in order. The answer does not depend on it.
    engine, threads
        As in `citygeo.engine.times`; the answer does not depend on them.

    Returns
    -------
    The pairs, ordered by demand, then facility.

    Examples
    --------
    >>> import citygeo as cg
    >>> from citygeo.engine import Nodes
    >>> net = cg.datasets.reykjavik().network("drive")
    >>> found = pairs_within(net, "to", Nodes(np.array([5])), Nodes(np.arange(100)), 60_000)
    >>> bool(found.ms.max() <= 60_000), found.ms[found.demand == 5].tolist()
    (True, [0])
    """
    limits = np.broadcast_to(np.asarray(limit_ms, np.int64), facilities.n_rows)
    n_facilities, n_demand = facilities.n_rows, demand.n_rows
    if n_facilities == 0 or n_demand == 0:
        nothing = np.empty(0, np.int64)
        return Pairs(nothing, nothing, nothing, n_facilities, n_demand)
    longest = int(limits.max())
    is_turned = n_demand < n_facilities
    fewer, more = (demand, facilities) if is_turned else (facilities, demand)
    towards = _back(direction) if is_turned else direction
    height = max(block_bytes // (4 * more.n_rows), 1)
    row, column, ms = [], [], []
    for low in range(0, fewer.n_rows, height):
        block = fewer.taken(low, low + height)
        table = engines.times(network, towards, block, more, longest, engine=engine, threads=threads)
        bounds = limits[None, :] if is_turned else limits[low : low + height, None]
        is_near = (table != UNREACHED) & (table <= bounds)
        here, there = np.nonzero(is_near)
        row.append(here + low)
        column.append(there)
        ms.append(table[is_near].astype(np.int64))
    rows, columns, found = (np.concatenate(parts) for parts in (row, column, ms))
    if is_turned:  # rows are demand already, in order
        return Pairs(columns, rows, found, n_facilities, n_demand)
    order = _by_column(rows, columns, n_facilities, n_demand)
    return Pairs(rows[order], columns[order], found[order], n_facilities, n_demand)


def _back(direction: Direction) -> Direction:
    return "to" if direction == "from" else "from"


def _by_column(
    row: NDArray[np.int64], column: NDArray[np.int64], n_rows: int, n_columns: int
) -> NDArray[np.int64]:
    """Return the order by column, then row, of pairs in the order of rows: counted, not compared."""
    from scipy.sparse import csr_array

    start = np.searchsorted(row, np.arange(n_rows + 1))
    numbered = csr_array((np.arange(row.size), column, start), shape=(n_rows, n_columns))
    return np.asarray(numbered.tocsc().data, np.int64)
