"""
By how many facilities each stretch of road is reached, and which of them come first.

Along an edge the time of every part is a straight line, so the order of arrival changes only where a part begins
or ends or where two lines cross. Between two neighbouring ends of parts, a span, the same parts cover everything;
a walk through the span stops where one of the first `k` is overtaken. Whole arrangements of lines, of the size of
their number squared, are not made: what lies behind the first `k` only counts.

Within a span places are shares of it, from 0 to 1, and lines are known by their times at its two ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIE_MS = 1e-6  # times nearer than this are equal: they are whole milliseconds until they are interpolated
NOWHERE = 2.0


@kernel
def _ms_at(
    share: NDArray[np.float64],
    ms: NDArray[np.float64],
    part: Any,
    at: Any,
) -> Any:
    """Return a part's time at a share of its edge."""
    low, high = share[part, 0], share[part, 1]
    if at <= low:
        return ms[part, 0]
    if at >= high:
        return ms[part, 1]
    return ms[part, 0] + (at - low) / (high - low) * (ms[part, 1] - ms[part, 0])


@kernel
def _crossing(
    line: NDArray[np.float64],
    i: Any,
    j: Any,
) -> Any:
    """Return where two lines cross, the same for `i` and `j` as for `j` and `i`; NOWHERE if they do not."""
    low, high = line[i, 0] - line[j, 0], line[i, 1] - line[j, 1]
    if (low > TIE_MS and high < -TIE_MS) or (low < -TIE_MS and high > TIE_MS):
        return low / (low - high)
    return NOWHERE


@kernel
def _is_before(
    line: NDArray[np.float64],
    i: Any,
    j: Any,
    at: Any,
) -> Any:
    """Tell whether `i` arrives before `j` just behind a place; of equal ones the first is before."""
    low, high = line[i, 0] - line[j, 0], line[i, 1] - line[j, 1]
    crossing = _crossing(line, i, j)
    if crossing != NOWHERE:
        return high < 0.0 if crossing <= at else low < 0.0
    if abs(low) <= TIE_MS and abs(high) <= TIE_MS:
        return i < j
    return low + high < 0.0


@kernel
def _add_mark(
    mark: NDArray[np.float64],
    n: Any,
    value: Any,
) -> Any:
    """Insert a value into the sorted marks unless it is there; return how many there are now."""
    place = n
    while place > 0 and mark[place - 1] > value:
        place -= 1
    if place > 0 and mark[place - 1] == value:
        return n
    for i in range(n, place, -1):
        mark[i] = mark[i - 1]
    mark[place] = value
    return n + 1


@kernel
def _cover(
    share: NDArray[np.float64],
    ms: NDArray[np.float64],
    owner: NDArray[np.int64],
    first: Any,
    last: Any,
    low: Any,
    high: Any,
    active: NDArray[np.int64],
    group: NDArray[np.int64],
    line: NDArray[np.float64],
) -> tuple[Any, Any]:
    """List the parts that cover a span, in groups by owner; return the number of parts and of groups."""
    n, groups = 0, 0
    for part in range(first, last):
        if not share[part, 0] < high <= share[part, 1]:
            continue
        if n == 0 or owner[part] != owner[active[n - 1]]:
            groups += 1
        active[n], group[n] = part, groups - 1
        line[n, 0], line[n, 1] = _ms_at(share, ms, part, low), _ms_at(share, ms, part, high)
        n += 1
    return n, groups


@kernel
def _choose_leaders(
    line: NDArray[np.float64],
    group: NDArray[np.int64],
    n: Any,
    at: Any,
    k: Any,
    leader: NDArray[np.int64],
    seat: NDArray[np.int64],
) -> Any:
    """List the first `k` to arrive just behind a place, one of each group, and the seat of each group, -1 if none."""
    leaders, i = 0, 0
    while i < n:
        best, own = i, group[i]
        while i < n and group[i] == own:
            if _is_before(line, i, best, at):
                best = i
            i += 1
        seat[own] = -1
        place = leaders
        while place > 0 and _is_before(line, best, leader[place - 1], at):
            place -= 1
        if place == k:
            continue
        leaders = min(leaders + 1, k)
        for later in range(leaders - 1, place, -1):
            leader[later] = leader[later - 1]
        leader[place] = best
    for place in range(leaders):
        seat[group[leader[place]]] = place
    return leaders


@kernel
def _next_change(
    line: NDArray[np.float64],
    group: NDArray[np.int64],
    n: Any,
    at: Any,
    leader: NDArray[np.int64],
    seat: NDArray[np.int64],
    leaders: Any,
) -> Any:
    """Return the first place behind `at` where the leaders change, NOWHERE if they stay."""
    change = NOWHERE
    for i in range(1, leaders):
        crossing = _crossing(line, leader[i - 1], leader[i])
        if at < crossing < change:
            change = crossing
    for i in range(n):
        # a part of a leader's owner can take over from the leader, any other must first pass the last one
        place = seat[group[i]]
        crossing = _crossing(line, i, leader[place if place >= 0 else leaders - 1])
        if at < crossing < change:
            change = crossing
    return change


@kernel
def _write_ms(
    share: NDArray[np.float64],
    ms: NDArray[np.float64],
    part: NDArray[np.int64],
    n: Any,
    at: Any,
    side: Any,
    out_ms: NDArray[np.float64],
) -> None:
    """Write the times of parts at one side of a stretch."""
    for i in range(n):
        out_ms[i, side] = _ms_at(share, ms, part[i], at)


@kernel
def arrivals(
    edge: NDArray[np.int64],
    share: NDArray[np.float64],
    ms: NDArray[np.float64],
    owner: NDArray[np.int64],
    gap: float,
    k: int,
    out_edge: NDArray[np.int64],
    out_share: NDArray[np.float64],
    out_depth: NDArray[np.int64],
    out_owner: NDArray[np.int64],
    out_ms: NDArray[np.float64],
) -> int:
    """
    Cut edges into stretches over which the number of owners and the first `k` of them to arrive stay the same.

    Stretches that touch differ in depth, in the order of the first `k`, or in a part of one of them. On an edge with
    `m` parts it takes up to `m` squared comparisons, and `m` times `k` for every stretch.

    Parameters
    ----------
    edge, share, ms, owner
        int64 `(p,)`, float64 `(p, 2)`, float64 `(p, 2)`, int64 `(p,)`: parts of edges with the times at both ends,
        sorted by edge and owner. An owner counts once at a place, with the least time of its parts.
    gap
        Shares nearer than this are one place.
    k
        How many owners to list; at least 1.
    out_edge, out_share, out_depth
        int64 `(s,)`, float64 `(s, 2)`, int64 `(s,)`, filled: the stretches, sorted, and how many owners reach each.
    out_owner, out_ms
        int64 `(s, k)`, float64 `(s, k, 2)`, filled: the first to arrive, among equals the least owner first, with
        their times at both ends; -1 and NaN where fewer arrive.

    Returns
    -------
    Number of stretches. If it is above `s`, only the first `s` were written.
    """
    room, n_parts = out_edge.size, edge.size
    first, widest = 0, 0
    for i in range(1, n_parts + 1):
        if i == n_parts or edge[i] != edge[first]:
            widest = max(widest, i - first)
            first = i
    mark = np.empty(2 * widest)
    active, group, seat = np.empty(widest, np.int64), np.empty(widest, np.int64), np.empty(widest, np.int64)
    line = np.empty((widest, 2))
    leader, told, before = np.empty(k, np.int64), np.empty(k, np.int64), np.empty(k, np.int64)
    n, first = 0, 0
    while first < n_parts:
        last, marks = first, 0
        while last < n_parts and edge[last] == edge[first]:
            marks = _add_mark(mark, marks, share[last, 0])
            marks = _add_mark(mark, marks, share[last, 1])
            last += 1
        low, before_high, before_depth = mark[0], NOWHERE, 0
        for m in range(1, marks):
            high = mark[m]
            if high <= low + gap:
                continue
            size, depth = _cover(share, ms, owner, first, last, low, high, active, group, line)
            margin = gap / (high - low)
            at = 0.0 if size > 0 else 1.0
            while at < 1.0:
                leaders = _choose_leaders(line, group, size, at + margin, k, leader, seat)
                change = _next_change(line, group, size, at + margin, leader, seat, leaders)
                if change >= 1.0 - margin:
                    change = 1.0
                from_share = low + at * (high - low)
                to_share = high if change == 1.0 else low + change * (high - low)
                is_same = before_high == from_share and before_depth == depth
                for i in range(leaders):
                    told[i] = active[leader[i]]
                    is_same = is_same and told[i] == before[i]
                if not is_same:
                    if n < room:
                        out_edge[n], out_depth[n], out_share[n, 0] = edge[first], depth, from_share
                        for i in range(k):
                            out_owner[n, i] = owner[told[i]] if i < leaders else -1
                            out_ms[n, i, 0], out_ms[n, i, 1] = np.nan, np.nan
                        _write_ms(share, ms, told, leaders, from_share, 0, out_ms[n])
                    n += 1
                if n <= room:
                    out_share[n - 1, 1] = to_share
                    _write_ms(share, ms, told, leaders, to_share, 1, out_ms[n - 1])
                for i in range(leaders):
                    before[i] = told[i]
                before_high, before_depth, at = to_share, depth, change
            low = high
        first = last
    return n
