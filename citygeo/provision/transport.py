"""The transport problem: the most demand served, and of all ways to do that the one with the least total time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo.demand.people import MICRO
from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PAIRS = 5_000_000  # the solver needs about 1 kB for each


class Offers(NamedTuple):
    """
    Who may go where: pairs of demand and facility, in the order of demand, then facility.

    Attributes
    ----------
    demand, facility
        Rows, int64 `(n,)`.
    ms
        Milliseconds, int64 `(n,)`.
    """

    demand: NDArray[np.int64]
    facility: NDArray[np.int64]
    ms: NDArray[np.int64]

    def taken(self, chosen: NDArray[np.bool_]) -> Offers:
        """Return some of the pairs."""
        return Offers(self.demand[chosen], self.facility[chosen], self.ms[chosen])


def allocate(offers: Offers, demand: NDArray[np.int64], capacity: NDArray[np.int64]) -> NDArray[np.int64]:
    """
    Return how many go from where to where.

    Rows of demand with the same times to the same facilities, such as households of one house, are one to the solver;
    what they get together goes to the first of them first.

    Parameters
    ----------
    offers
        The pairs that are near enough.
    demand, capacity
        Of each row, whole (millionths of a person).

    Returns
    -------
    What goes over each pair, whole: no more of a demand than it is, no more to a facility than it holds; as much as
    possible together, and of all such the least sum of amounts times milliseconds.

    Raises
    ------
    LimitError
        CG-PRO-004: too many pairs.
    RunError
        CG-PRO-005: the solver gave up.

    Notes
    -----
    The transport problem (Hitchcock 1941) as a linear program, solved by HiGHS (Huangfu and Hall 2018). One more
    person served is worth more than any detour of others that makes room: at most one detour for each row of the
    shorter side, none longer than the longest pair. Corners of the feasible set are sums and differences of the given
    numbers, so whole amounts come out whole.

    A facility that can take all who have it in reach is never full. Whoever has one in reach never goes farther than
    to the nearest of them: such pairs are dropped first, again and again, since that takes load from others.

    Examples
    --------
    >>> offers = Offers(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([1, 5, 2]))
    >>> allocate(offers, np.array([10, 10]), np.array([10, 10])).tolist()
    [0, 10, 10]
    """
    row, start = np.unique(offers.demand, return_index=True)
    size = np.diff(np.append(start, offers.demand.size))
    twin = _twins(offers, start, size)
    is_first = twin == np.arange(row.size)
    together = np.zeros(demand.size, np.int64)
    np.add.at(together, row[twin], demand[row])
    own = np.repeat(is_first, size)
    amount = np.zeros(offers.demand.size, np.int64)
    amount[own] = _together(offers.taken(own), together, capacity)
    # twins stand in line, and so do the places they get: who stands where a place is has it
    line_end = _ends(demand[row], twin)
    place_end = np.cumsum(amount) - np.repeat(np.cumsum(amount)[start] - amount[start], size)
    pair = np.repeat(start[twin], size) + np.arange(offers.demand.size) - np.repeat(start, size)
    stands, ends = np.repeat(line_end - demand[row], size), np.repeat(line_end, size)
    found: NDArray[np.int64] = np.minimum(ends, place_end[pair]) - np.maximum(
        stands, (place_end - amount)[pair]
    )
    return np.maximum(found, 0)


def _twins(offers: Offers, start: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each run of pairs the first run with the same facilities and times."""
    known: dict[bytes, int] = {}
    both = np.column_stack((offers.facility, offers.ms))
    return np.array(
        [
            known.setdefault(both[a : a + n].tobytes(), k)
            for k, (a, n) in enumerate(zip(start, size, strict=True))
        ],
        np.int64,
    )


def _ends(amounts: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the running sum of amounts within each owner."""
    order = np.argsort(owner, kind="stable")
    total = np.cumsum(amounts[order])
    first = np.searchsorted(owner[order], owner[order])
    ends = np.empty_like(total)
    ends[order] = total - (total - amounts[order])[first]
    return ends


def _together(offers: Offers, demand: NDArray[np.int64], capacity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Allocate rows of demand that are all different; see `allocate`."""
    amount = np.zeros(offers.demand.size, np.int64)
    is_open = (demand[offers.demand] > 0) & (capacity[offers.facility] > 0)
    while True:
        near = offers.taken(is_open)
        is_ample = _reached(near, demand, capacity.size) <= capacity
        ample = is_open & is_ample[offers.facility]
        nearest_ample = np.full(demand.size, np.iinfo(np.int64).max)
        np.minimum.at(nearest_ample, offers.demand[ample], offers.ms[ample])
        still = is_open & (offers.ms <= nearest_ample[offers.demand])
        if still.sum() == is_open.sum():
            break
        is_open = still
    # who has one way, to where there is room for all, takes it
    ways = np.bincount(offers.demand[is_open], minlength=demand.size)
    is_told = is_open & (ways[offers.demand] == 1) & is_ample[offers.facility]
    amount[is_told] = demand[offers.demand[is_told]]
    is_asked = is_open & ~is_told
    amount[is_asked] = _solve(offers.taken(is_asked), demand, np.where(is_ample, demand.sum(), capacity))
    return amount


def _reached(offers: Offers, demand: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the demand that has each facility in reach."""
    total = np.zeros(n, np.int64)
    np.add.at(total, offers.facility, demand[offers.demand])
    return total


def _solve(offers: Offers, demand: NDArray[np.int64], capacity: NDArray[np.int64]) -> NDArray[np.int64]:
    size = offers.demand.size
    if size == 0:
        return np.zeros(0, np.int64)
    if size > MOST_PAIRS:
        raise error("CG-PRO-004", count=f"{size:,}", limit=f"{MOST_PAIRS:,}")
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    givers, row = np.unique(offers.demand, return_inverse=True)
    takers, column = np.unique(offers.facility, return_inverse=True)
    minutes = offers.ms / 60_000
    worth = (minutes.max() + 1) * (min(givers.size, takers.size) + 1)
    pair = np.arange(size)
    limits: Any = csr_array(
        (np.ones(2 * size), (np.concatenate((row, givers.size + column)), np.concatenate((pair, pair)))),
        shape=(givers.size + takers.size, size),
    )
    bounds = np.concatenate((demand[givers], capacity[takers])) / MICRO
    found: Any = linprog(minutes - worth, A_ub=limits, b_ub=bounds, method="highs-ipm")
    if found.status != 0:
        raise error("CG-PRO-005", cause=found.message)
    amount: NDArray[np.int64] = np.rint(np.maximum(found.x, 0) * MICRO).astype(np.int64)
    _hold(amount, row, demand[givers])
    _hold(amount, column, capacity[takers])
    return amount


def _hold(amount: NDArray[np.int64], owner: NDArray[np.int64], limit: NDArray[np.int64]) -> None:
    """Take back, in place, the millionths by which the solver's rounding passes a limit."""
    total = np.zeros(limit.size, np.int64)
    np.add.at(total, owner, amount)
    for place in np.flatnonzero(total > limit):
        left = total[place] - limit[place]
        for pair in np.flatnonzero(owner == place):
            back = min(left, amount[pair])
            amount[pair] -= back
            left -= back
