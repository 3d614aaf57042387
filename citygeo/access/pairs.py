"""Who reaches whom within a bound: the exact times of those pairs alone, for what sums cannot answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo import engine as engines
from citygeo.engine.reached import BLOCK_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine import Engine, Nodes, Places
    from citygeo.network import Direction, RoadNetwork


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
    block_bytes, engine, threads
        As in `citygeo.engine.within`; the answer does not depend on them.

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
    longest = int(limits.max(initial=0))
    found = engines.within(
        network,
        direction,
        facilities,
        demand,
        longest,
        block_bytes=block_bytes,
        engine=engine,
        threads=threads,
    )
    pairs = Pairs(found.source, found.target, found.ms, facilities.n_rows, demand.n_rows)
    return pairs if np.ndim(limit_ms) == 0 else pairs.taken(found.ms <= limits[found.source])
