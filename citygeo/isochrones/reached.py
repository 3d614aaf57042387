"""What isochrones are made of: the reached parts of every facility and band, handed on as they are found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from citygeo._run import run_chunks
from citygeo.engine import Parts, nearest_states, owned_parts, reached_parts, search_each
from citygeo.reach import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.engine import Found, Own
    from citygeo.engine.places import Ends
    from citygeo.network import Direction, RoadNetwork
    from citygeo.reach.place import Facilities

    Take = Callable[[int, list[Parts]], None]

NO_ROW = 0xFFFFFFFF  # in a label: nobody
Overlap = Literal["overlap", "dissolve", "split"]


@dataclass(frozen=True)
class Reach:
    """
    A question about reach, and the way to its answer.

    Attributes
    ----------
    network
        The road network, without the streets that barriers close.
    placed
        The facilities on it.
    minutes
        The bands, ascending; bounds are inclusive.
    direction
        ``"from"`` the facilities or ``"to"`` them.
    overlap
        ``"overlap"``: each facility for itself; ``"dissolve"``: all as one; ``"split"``: each place by the facility
        that is there first.
    threads
        Worker threads; all processors if `None`.
    """

    network: RoadNetwork
    placed: Facilities
    minutes: list[float]
    direction: Direction
    overlap: Overlap
    threads: int | None

    @property
    def facilities(self) -> gpd.GeoDataFrame:
        """The caller's rows."""
        return self.placed.layer

    @property
    def n_rows(self) -> int:
        """Number of answers of each band: one per facility, or one for all."""
        return 1 if self.overlap == "dissolve" else len(self.facilities)

    @property
    def limits(self) -> list[int]:
        """The bands in milliseconds."""
        return [to_ms(band) for band in self.minutes]

    @cached_property
    def soonest_ms(self) -> NDArray[np.float64]:
        """What each facility has spent when it is on the road, infinite for those that are not, `(facilities,)`."""
        places = self.placed.places
        soonest = np.full(len(self.facilities), np.inf)
        np.minimum.at(soonest, places.row, places.ms)
        return soonest

    def each(self, take: Take) -> None:
        """
        Hand on the reached parts of each row.

        Parameters
        ----------
        take
            Called with row and the parts of every band, in a worker thread, once for each row that reaches anything;
            must write to places of its own row only, and keep of the parts what it needs.
        """
        if self.overlap == "overlap":
            self._each_alone(take)
        else:
            self._each_first(take)

    def _each_alone(self, take: Take) -> None:
        places, limits = self.placed.places, self.limits

        def collect(row: int, found: Found) -> None:
            own = places.of(row)
            bands = [reached_parts(self.network, self.direction, own, found, limit) for limit in limits]
            bands = [
                parts if parts.edge.size else _places_only(own, limit)
                for parts, limit in zip(bands, limits, strict=True)
            ]
            if bands[-1].edge.size:
                take(row, bands)

        search_each(self.network, self.direction, places, limits[-1], collect, threads=self.threads)

    def _each_first(self, take: Take) -> None:
        """Search from all at once: each part belongs to the facility that is there first."""
        places, limits = self.placed.places, self.limits
        near = nearest_states(self.network, self.direction, places, limits[-1], k=1)
        bands, firsts = [], []
        for limit in limits:
            parts, owner = owned_parts(self.network, self.direction, places, near, limit)
            parts, owner = self.with_places(near, parts, owner, limit)
            if self.overlap == "dissolve":
                owner[:] = 0
            order = np.argsort(owner, kind="stable")
            bands.append(parts.take(order))
            firsts.append(np.searchsorted(owner[order], np.arange(self.n_rows + 1)))

        def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
            for row in range(low, high):
                own = [
                    parts.take(slice(int(first[row]), int(first[row + 1])))
                    for parts, first in zip(bands, firsts, strict=True)
                ]
                if own[-1].edge.size:
                    take(row, own)

        run_chunks(work, self.n_rows, chunk=1, threads=self.threads, name="isochrones 等时圈")

    def with_places(
        self, near: NDArray[np.uint64], parts: Parts, owner: NDArray[np.int64], limit_ms: int
    ) -> tuple[Parts, NDArray[np.int64]]:
        """Return the parts, and the places of those who can go nowhere and are where nobody else comes first."""
        places = self.placed.places
        rows = np.setdiff1d(places.row[places.ms <= limit_ms], owner)
        if not rows.size:
            return parts, owner
        ends = places._replace(ms=np.zeros_like(places.ms)).exits(self.network, self.direction)
        free, known = [], set[tuple[int, float]]()
        for row in rows.tolist():
            alone = _places_only(places.of(row), limit_ms)
            stand = set(zip(alone.edge.tolist(), alone.share[:, 0].tolist(), strict=True))
            if not (stand <= known or _is_taken(alone, row, parts, near, ends.taken(np.array([row])))):
                free.append((alone, np.full(alone.edge.size, row)))
                known |= stand
        joined = [parts, *(alone for alone, _ in free)]
        edge, share, ms = (np.concatenate(column) for column in zip(*joined, strict=True))
        return Parts(edge, share, ms), np.concatenate([owner, *(row for _, row in free)])


def _is_taken(alone: Parts, row: int, parts: Parts, near: NDArray[np.uint64], ends: Ends) -> bool:
    """Tell whether someone else is at the places of a row as soon, by the parts reached or at a node."""
    for edge, (at, _) in zip(alone.edge, alone.share, strict=True):
        if ((parts.edge == edge) & (parts.share[:, 0] <= at) & (at <= parts.share[:, 1])).any():
            return True
    label = near[ends.state]
    is_other = (label & np.uint64(NO_ROW)) != np.uint64(row)
    ms = (label >> np.uint64(32)).astype(np.int64) + ends.ms
    return bool((is_other & (ms <= alone.ms.min())).any())


def _places_only(own: Own, limit_ms: int) -> Parts:
    """Return parts of no length: who can go nowhere is where he is, if there is time for that."""
    is_there = own.ms <= limit_ms
    edge, share, ms = own.edge[is_there], own.share[is_there], own.ms[is_there].astype(np.float64)
    return Parts(edge, np.column_stack((share, share)), np.column_stack((ms, ms)))


def length_km(network: RoadNetwork, parts: Parts) -> float:
    """Return how much road the parts of one row are, the same to the last bit in whichever order they were found."""
    metres = (parts.share[:, 1] - parts.share[:, 0]) * network.length_m[parts.edge]
    return float(np.sort(metres).sum() / 1000)


def beyond(parts: Parts, limit_ms: int) -> Parts:
    """
    Return what of the parts is reached later than a bound.

    Parameters
    ----------
    parts
        Reached parts, times linear between their ends.
    limit_ms
        What is reached by then is left out.
    """
    late = parts.ms > limit_ms
    keep = late[:, 0] | late[:, 1]
    edge, share, ms = parts.take(keep)
    is_cut = ~late[keep]
    if is_cut.any():
        low_ms, high_ms = ms.T
        step = np.where(high_ms == low_ms, 1.0, high_ms - low_ms)
        at = share[:, 0] + (limit_ms - low_ms) / step * (share[:, 1] - share[:, 0])
        share = np.where(is_cut, at[:, None], share)
        ms = np.where(is_cut, float(limit_ms), ms)
    is_something = share[:, 1] > share[:, 0]
    return Parts(edge, share, ms).take(is_something)
