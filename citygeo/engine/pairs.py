"""The sources and targets that stand on one edge, a few sources at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.engine.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine.places import Nodes
    from citygeo.network import Direction, RoadNetwork


class Pairs(NamedTuple):
    """Pairs: place among the rows asked for, ascending; target; milliseconds; int64."""

    row: NDArray[np.int64]
    target: NDArray[np.int64]
    ms: NDArray[np.int64]


NONE = Pairs(*(np.empty(0, np.int64) for _ in "stm"))


class SameEdge:
    """
    Finds the pairs of sources and targets on one edge.

    Parameters
    ----------
    network, direction
        Where and which way to travel.
    sources, targets
        Only places have edges; nodes are of none.
    limit_ms
        Inclusive bound.
    """

    def __init__(
        self,
        network: RoadNetwork,
        direction: Direction,
        sources: Places | Nodes,
        targets: Places | Nodes,
        limit_ms: int,
    ) -> None:
        self._limit = limit_ms
        self._are_places = isinstance(sources, Places) and isinstance(targets, Places)
        if not isinstance(sources, Places) or not isinstance(targets, Places):
            return
        self._view = network.edge_view(direction)
        self._sources, self._start = sources, sources.row_start
        order = np.argsort(targets.edge, kind="stable")
        self._targets = Places(
            targets.edge[order], targets.share[order], targets.ms[order], targets.row[order], targets.n_rows
        )

    def of(self, rows: NDArray[np.int64]) -> Pairs:
        """Return the pairs of some sources."""
        from citygeo._kernels.pairs import same_edge_pairs

        if not self._are_places:
            return NONE
        view, begin, end = self._view, self._sources, self._targets
        size = 0
        while True:
            out = Pairs(*(np.empty(size, np.int64) for _ in "rtm"))
            n = same_edge_pairs(
                view.along_ms, view.against_ms, rows, self._start, begin.edge, begin.share, begin.ms,
                end.edge, end.share, end.ms, end.row, self._limit, out.row, out.target, out.ms,
            )  # fmt: skip
            if n <= size:
                return Pairs(*(column[:n] for column in out))
            size = n
