"""
From settled nodes to what is reached of each edge, and when.

An edge runs from node u to node v; `along_ms` is the time from u to v, `against_ms` from v to u, CLOSED where
a direction may not be used. On an edge reached from both ends the times form a tent: each end reaches up to
the apex where both waves meet. The edge a facility stands on is two shorter edges that meet at the facility.

`reached_parts` is about one facility, `owned_parts` about all at once: each place belongs to the facility that is
there first, and both waves of a tent have an owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLOSED = np.uint32(0xFFFFFFFF)
FAR = np.int64(1) << 40  # later than any limit
NOBODY = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def _time_of(
    label: NDArray[np.uint64],
    stamp: Any,
    node: Any,
) -> Any:
    """Return the node's time in this search, FAR if it was not reached."""
    value = label[node]
    if value < stamp:
        return FAR
    return np.int64(value & np.uint64(0xFFFFFFFF))


@kernel
def _tent(
    start_ms: Any,
    end_ms: Any,
    along_ms: Any,
    against_ms: Any,
    limit_ms: Any,
) -> tuple[Any, Any]:
    """Return how far the wave from the start comes and where the one from the end stops, as shares of the edge."""
    from_start, from_end = 0.0, 1.0
    is_along = along_ms != FAR and start_ms <= limit_ms
    is_against = against_ms != FAR and end_ms <= limit_ms
    if is_along:
        left = limit_ms - start_ms
        from_start = 1.0 if along_ms <= left else left / along_ms
    if is_against:
        left = limit_ms - end_ms
        from_end = 0.0 if against_ms <= left else (against_ms - left) / against_ms
    if is_along and is_against and from_end < from_start:
        # both waves claim the stretch between: they meet where their times are equal
        apex = 1.0 if start_ms <= end_ms else 0.0
        if along_ms + against_ms > 0:
            apex = (end_ms - start_ms + against_ms) / (along_ms + against_ms)
        apex = min(max(apex, 0.0), 1.0)
        from_start, from_end = min(from_start, apex), max(from_end, apex)
    return from_start, from_end


@kernel
def _weight(
    weights: NDArray[np.uint32],
    edge: Any,
) -> Any:
    return FAR if weights[edge] == CLOSED else np.int64(weights[edge])


@kernel
def _emit(
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
    out_owner: NDArray[np.int64],
    n: Any,
    edge: Any,
    low: Any,
    high: Any,
    low_ms: Any,
    high_ms: Any,
    owner: Any,
) -> Any:
    """Append a part unless it is empty; its owner, if owners are asked for."""
    if high <= low:
        return n
    if out_owner.size > 0:
        out_owner[n] = owner
    out_edge[n] = edge
    out_share[n, 0], out_share[n, 1] = low, high
    out_ms[n, 0], out_ms[n, 1] = low_ms, high_ms
    return n + 1


@kernel
def _emit_tent(
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
    out_owner: NDArray[np.int64],
    n: Any,
    edge: Any,
    low: Any,
    high: Any,
    start_ms: Any,
    end_ms: Any,
    start_owner: Any,
    end_owner: Any,
    along_ms: Any,
    against_ms: Any,
    limit_ms: Any,
) -> Any:
    """Append both sides of the tent over the stretch [low, high] of an edge."""
    from_start, from_end = _tent(start_ms, end_ms, along_ms, against_ms, limit_ms)
    size = high - low
    if from_start > 0.0:
        top = high if from_start == 1.0 else low + from_start * size
        reached_ms = start_ms + from_start * along_ms
        n = _emit(
            out_edge,
            out_share,
            out_ms,
            out_owner,
            n,
            edge,
            low,
            top,
            float(start_ms),
            reached_ms,
            start_owner,
        )
    if from_end < 1.0:
        bottom = low if from_end == 0.0 else low + from_end * size
        reached_ms = end_ms + (1.0 - from_end) * against_ms
        n = _emit(
            out_edge,
            out_share,
            out_ms,
            out_owner,
            n,
            edge,
            bottom,
            high,
            reached_ms,
            float(end_ms),
            end_owner,
        )
    return n


@kernel
def _start_ms(
    edge_tail: NDArray[np.uint32],
    enter_ms: NDArray[np.uint32],
    label: NDArray[np.uint64],
    stamp: Any,
    edge: Any,
    side: Any,
) -> Any:
    """Return the time at which a wave sets out along (side 0) or against (side 1) an edge, FAR if none does."""
    time = _time_of(label, stamp, edge_tail[edge, side])
    return time if time == FAR else time + np.int64(enter_ms[edge, side])


@kernel
def _offset_ms(
    share: Any,
    ms: Any,
) -> Any:
    """Return whole milliseconds from the low end of an edge to a share of it, FAR where closed."""
    return FAR if ms == FAR else np.int64(np.rint(share * ms))


@kernel
def _is_sooner(
    ms: Any,
    owner: Any,
    other_ms: Any,
    other_owner: Any,
) -> Any:
    """Tell whether one is there before another; at the same time, the smaller row is."""
    return ms < other_ms or (ms == other_ms and owner < other_owner)


@kernel
def _emit_own_edge(
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
    out_owner: NDArray[np.int64],
    n: Any,
    own_share: NDArray[np.float64],
    own_ms: NDArray[np.int64],
    own_row: NDArray[np.int64],
    edge: Any,
    ends: Any,
    end_owner: Any,
    along: Any,
    against: Any,
    limit_ms: Any,
) -> Any:
    """List the parts of an edge on which facilities stand: tents between the places where they stand."""
    k = own_share.size
    # the time at each place: what was spent there, or less by way of its neighbours and the ends of the edge
    time, owner = own_ms.copy(), own_row.copy()
    if along != FAR:
        before, who = ends[0], end_owner[0]
        for i in range(k):
            step = _offset_ms(own_share[i], along) - (0 if i == 0 else _offset_ms(own_share[i - 1], along))
            if _is_sooner(before + step, who, time[i], owner[i]):
                time[i], owner[i] = before + step, who
            before, who = time[i], owner[i]
    if against != FAR:
        before, who = ends[1], end_owner[1]
        for i in range(k - 1, -1, -1):
            beyond = against if i == k - 1 else _offset_ms(own_share[i + 1], against)
            step = beyond - _offset_ms(own_share[i], against)
            if _is_sooner(before + step, who, time[i], owner[i]):
                time[i], owner[i] = before + step, who
            before, who = time[i], owner[i]
    for i in range(k + 1):
        low = 0.0 if i == 0 else own_share[i - 1]
        high = 1.0 if i == k else own_share[i]
        start_ms, start_owner = (ends[0], end_owner[0]) if i == 0 else (time[i - 1], owner[i - 1])
        end_ms, last_owner = (ends[1], end_owner[1]) if i == k else (time[i], owner[i])
        piece_along = FAR if along == FAR else _offset_ms(high, along) - _offset_ms(low, along)
        piece_against = FAR if against == FAR else _offset_ms(high, against) - _offset_ms(low, against)
        n = _emit_tent(
            out_edge,
            out_share,
            out_ms,
            out_owner,
            n,
            edge,
            low,
            high,
            start_ms,
            end_ms,
            start_owner,
            last_owner,
            piece_along,
            piece_against,
            limit_ms,
        )
    return n


@kernel
def _first_on(
    own_edge: NDArray[np.int64],
    edge: Any,
) -> Any:
    """Return the first place on the edge or on a later one."""
    low, high = 0, own_edge.size
    while low < high:
        middle = (low + high) >> 1
        if own_edge[middle] < edge:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def reached_parts(
    edge_tail: NDArray[np.uint32],
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
    enter_ms: NDArray[np.uint32],
    arc_start: NDArray[np.uint32],
    arc_edge: NDArray[np.uint32],
    settled: NDArray[np.uint32],
    label: NDArray[np.uint64],
    stamp: Any,
    limit_ms: Any,
    own_edge: NDArray[np.int64],
    own_share: NDArray[np.float64],
    own_ms: NDArray[np.int64],
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
) -> int:
    """
    List the reached parts of all edges for one facility.

    Parameters
    ----------
    edge_tail
        uint32 `(e, 2)`: states at which travel along and against each edge begins.
    along_ms, against_ms
        uint32 `(e,)` in the direction of travel away from the facility: swapped for ``direction="to"``.
    enter_ms
        uint32 `(e, 2)`: what is lost on setting out along and against.
    arc_start, arc_edge
        CSR of the graph searched; ``arc_edge`` is ``2 * edge + 1`` for arcs against the edge, else ``2 * edge``,
        CLOSED for an arc that is a turn.
    settled, label, stamp, limit_ms
        From `search`.
    own_edge, own_share, own_ms
        Where the facility stands, sorted by edge and share, and the time already spent there; int64, float64, int64.
    out_edge, out_share, out_ms
        uint32 `(p,)`, float64 `(p, 2)`, float64 `(p, 2)`; `p` at least one per arc of a settled state plus four
        per place of the facility.

    Returns
    -------
    Number of parts.
    """
    n = 0
    i = 0
    no_owner, nobody = np.empty(0, np.int64), np.zeros(own_edge.size, np.int64)
    while i < own_edge.size:
        edge = own_edge[i]
        last = _first_on(own_edge, edge + 1)
        along, against = _weight(along_ms, edge), _weight(against_ms, edge)
        ends = (
            _start_ms(edge_tail, enter_ms, label, stamp, edge, 0),
            _start_ms(edge_tail, enter_ms, label, stamp, edge, 1),
        )
        n = _emit_own_edge(
            out_edge,
            out_share,
            out_ms,
            no_owner,
            n,
            own_share[i:last],
            own_ms[i:last],
            nobody[i:last],
            edge,
            ends,
            (0, 0),
            along,
            against,
            limit_ms,
        )
        i = last
    for i in range(settled.size):
        node = np.uintp(settled[i])
        for place in range(np.uintp(arc_start[node]), np.uintp(arc_start[node + np.uintp(1)])):
            code = arc_edge[place]
            if code == CLOSED:
                continue
            edge, side = np.int64(code >> np.uint32(1)), np.int64(code & np.uint32(1))
            if edge_tail[edge, side] != node:  # one of several states before the one where the wave begins
                continue
            if own_edge.size > 0:
                own = _first_on(own_edge, edge)
                if own < own_edge.size and own_edge[own] == edge:
                    continue
            start_ms = _start_ms(edge_tail, enter_ms, label, stamp, edge, 0)
            end_ms = _start_ms(edge_tail, enter_ms, label, stamp, edge, 1)
            along, against = _weight(along_ms, edge), _weight(against_ms, edge)
            from_start, from_end = _tent(start_ms, end_ms, along, against, limit_ms)
            if side == 0:
                reached_ms = start_ms + from_start * along
                n = _emit(
                    out_edge,
                    out_share,
                    out_ms,
                    no_owner,
                    n,
                    edge,
                    0.0,
                    from_start,
                    float(start_ms),
                    reached_ms,
                    0,
                )
            else:
                reached_ms = end_ms + (1.0 - from_end) * against
                n = _emit(
                    out_edge,
                    out_share,
                    out_ms,
                    no_owner,
                    n,
                    edge,
                    from_end,
                    1.0,
                    reached_ms,
                    float(end_ms),
                    0,
                )
    return n


@kernel
def _first_there(
    near: NDArray[np.uint64],
    edge_tail: NDArray[np.uint32],
    enter_ms: NDArray[np.uint32],
    edge: Any,
    side: Any,
) -> tuple[Any, Any]:
    """Return when a wave sets out along (side 0) or against (side 1) an edge, FAR if none does, and whose it is."""
    label = near[edge_tail[edge, side]]
    if label == NOBODY:
        return FAR, np.int64(0)
    ms = np.int64(label >> np.uint64(32)) + np.int64(enter_ms[edge, side])
    return ms, np.int64(label & np.uint64(0xFFFFFFFF))


@kernel
def owned_parts(
    edge_tail: NDArray[np.uint32],
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
    enter_ms: NDArray[np.uint32],
    near: NDArray[np.uint64],
    limit_ms: Any,
    own_edge: NDArray[np.int64],
    own_share: NDArray[np.float64],
    own_ms: NDArray[np.int64],
    own_row: NDArray[np.int64],
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
    out_owner: NDArray[np.int64],
) -> int:
    """
    List what is reached of all edges, each place by the facility that is there first.

    Parameters
    ----------
    edge_tail, along_ms, against_ms, enter_ms, limit_ms
        As in `reached_parts`.
    near
        uint64 `(states,)`: ``milliseconds << 32 | facility`` of the first facility at each state, all ones if none.
    own_edge, own_share, own_ms, own_row
        Where facilities stand, sorted by edge, share, time and row; the time already spent there; and which facility.
    out_edge, out_share, out_ms, out_owner
        uint32 `(p,)`, float64 `(p, 2)`, float64 `(p, 2)`, int64 `(p,)`; `p` at least two per edge, and two more per
        place of a facility.

    Returns
    -------
    Number of parts, in the order of edges and places.
    """
    n, i = 0, 0
    for edge in range(along_ms.size):
        start_ms, start_owner = _first_there(near, edge_tail, enter_ms, edge, 0)
        end_ms, end_owner = _first_there(near, edge_tail, enter_ms, edge, 1)
        along, against = _weight(along_ms, edge), _weight(against_ms, edge)
        if i < own_edge.size and own_edge[i] == edge:
            last = i
            while last < own_edge.size and own_edge[last] == edge:
                last += 1
            n = _emit_own_edge(
                out_edge,
                out_share,
                out_ms,
                out_owner,
                n,
                own_share[i:last],
                own_ms[i:last],
                own_row[i:last],
                edge,
                (start_ms, end_ms),
                (start_owner, end_owner),
                along,
                against,
                limit_ms,
            )
            i = last
        elif start_ms <= limit_ms or end_ms <= limit_ms:
            n = _emit_tent(
                out_edge,
                out_share,
                out_ms,
                out_owner,
                n,
                edge,
                0.0,
                1.0,
                start_ms,
                end_ms,
                start_owner,
                end_owner,
                along,
                against,
                limit_ms,
            )
    return n
