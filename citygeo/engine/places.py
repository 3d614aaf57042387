"""Where travellers begin and end: places on edges, and how these enter and leave the search graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from citygeo.network import Direction, RoadNetwork

UNREACHED = np.uint32(0xFFFFFFFF)
LONGEST_MS = 2**31 - 2  # 24.8 days; the sum of two longer times would not fit into 32 bits


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

    @property
    def row_start(self) -> NDArray[np.int64]:
        """Where the places of each row begin, `(n_rows + 1,)`."""
        return np.searchsorted(self.row, np.arange(self.n_rows + 1)).astype(np.int64)

    def taken(self, low: int, high: int) -> Places:
        """Return the rows from `low` to before `high`, numbered from 0."""
        rows = slice(*np.searchsorted(self.row, (low, high)))
        n_rows = len(range(self.n_rows)[low:high])
        return Places(self.edge[rows], self.share[rows], self.ms[rows], self.row[rows] - low, n_rows)

    def of(self, row: int) -> Own:
        """Return the places of one row in the order of edges, as kernels take them."""
        low, high = np.searchsorted(self.row, (row, row + 1))
        order = low + np.lexsort((self.share[low:high], self.edge[low:high]))
        return Own(self.edge[order], self.share[order], self.ms[order])

    def entries(self, network: RoadNetwork, direction: Direction) -> Ends:
        """Return the states in which travellers who start here first are; one at the end of an edge is at its node."""
        view = network.edge_view(direction)
        edge, share, ms = self.edge, self.share, self.ms
        along, against = view.along_ms[edge], view.against_ms[edge]
        low, high = view.start[edge].astype(np.int64).T
        to_high = ms + along - np.rint(share * along).astype(np.int64) + view.leave_ms[edge, 0]
        to_low = ms + np.rint(share * against).astype(np.int64) + view.leave_ms[edge, 1]
        # at the very end of an edge one stands on its node and may set out in any direction
        at_low, at_high = share == 0.0, share == 1.0
        head = view.head[edge].astype(np.int64)
        ways = (
            (head[:, 0], to_high, (along != CLOSED) & ~at_high),
            (head[:, 1], to_low, (against != CLOSED) & ~at_low),
            (low, ms, at_low),
            (high, ms, at_high),
        )
        return Ends.collected(ways, self.row, self.n_rows)

    def exits(self, network: RoadNetwork, direction: Direction) -> Ends:
        """Return the states from which travellers who end here come, and the rest of the way."""
        view = network.edge_view(direction)
        edge, share, ms = self.edge, self.share, self.ms
        along, against = view.along_ms[edge], view.against_ms[edge]
        tail, stop = view.tail[edge].astype(np.int64), view.stop[edge].astype(np.int64)
        from_low = ms + view.enter_ms[edge, 0] + np.rint(share * along).astype(np.int64)
        from_high = ms + view.enter_ms[edge, 1] + against - np.rint(share * against).astype(np.int64)
        ways = (
            (tail[:, 0], from_low, along != CLOSED),
            (tail[:, 1], from_high, against != CLOSED),
            # the very end of an edge is its node, also where the edge is one-way
            (stop[:, 0], ms, share == 0.0),
            (stop[:, 1], ms, share == 1.0),
        )
        return Ends.collected(ways, self.row, self.n_rows)


class Nodes(NamedTuple):
    """Nodes of the network, one per row, `(n,)`; being there takes no time."""

    node: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Number of the caller's rows."""
        return len(self.node)

    def taken(self, low: int, high: int) -> Nodes:
        """Return the rows from `low` to before `high`."""
        return Nodes(self.node[low:high])

    def entries(self, network: RoadNetwork, direction: Direction) -> Ends:
        """Return the state of being about to set out at each node."""
        name = "node_depart" if direction == "from" else "node_arrive"
        return self._ends(network, name)

    def exits(self, network: RoadNetwork, direction: Direction) -> Ends:
        """Return the state of having arrived at each node."""
        name = "node_arrive" if direction == "from" else "node_depart"
        return self._ends(network, name)

    def _ends(self, network: RoadNetwork, name: str) -> Ends:
        state = network.arrays[name][self.node].astype(np.int64)
        return Ends(np.arange(self.n_rows + 1), state, np.zeros(self.n_rows, np.int64))


class Own(NamedTuple):
    """The places where one search begins, sorted by edge and share."""

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    ms: NDArray[np.int64]


class Ends(NamedTuple):
    """
    Where rows enter or leave the search graph.

    Attributes
    ----------
    start
        Where the ends of each row begin, int64 `(rows + 1,)`.
    state, ms
        State, and milliseconds between it and the place, int64.
    """

    start: NDArray[np.int64]
    state: NDArray[np.int64]
    ms: NDArray[np.int64]

    @classmethod
    def collected(
        cls,
        ways: Iterable[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]],
        row: NDArray[np.int64],
        n_rows: int,
    ) -> Ends:
        """Return the ends of rows from (state, milliseconds, whether there is such a way) of every place."""
        listed = [(state[is_open], ms[is_open], row[is_open]) for state, ms, is_open in ways]
        state, ms, owner = (np.concatenate(column) for column in zip(*listed, strict=True))
        keep = np.flatnonzero(ms <= LONGEST_MS)
        order = keep[np.argsort(owner[keep], kind="stable")]
        start = np.searchsorted(owner[order], np.arange(n_rows + 1)).astype(np.int64)
        return cls(start, state[order].astype(np.int64), ms[order].astype(np.int64))

    def taken(self, rows: NDArray[np.int64]) -> Ends:
        """Return the ends of some rows, in that order."""
        many = np.diff(self.start)[rows]
        start = np.concatenate(([0], np.cumsum(many)))
        place = np.repeat(self.start[rows] - start[:-1], many) + np.arange(start[-1])
        return Ends(start, self.state[place], self.ms[place])

    def by_state(self, n_states: int) -> Ends:
        """Return, by state of the graph, the rows that end there as `state`, and their milliseconds."""
        row = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        order = np.argsort(self.state, kind="stable")
        start = np.concatenate(([0], np.cumsum(np.bincount(self.state, minlength=n_states))))
        return Ends(start, row[order], self.ms[order])
