"""
From settled nodes to what is reached of each edge, and when.

An edge runs from node u to node v; `along_ms` is the time from u to v, `against_ms` from v to u, CLOSED where
a direction may not be used. On an edge reached from both ends the times form a tent: each end reaches up to
the apex where both waves meet. The edge a facility stands on is two shorter edges that meet at the facility.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLOSED = np.uint32(0xFFFFFFFF)
UNREACHED = np.uint32(0xFFFFFFFF)
FAR = np.int64(1) << 40  # later than any limit


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
        apex = 1.0
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
    n: Any,
    edge: Any,
    low: Any,
    high: Any,
    low_ms: Any,
    high_ms: Any,
) -> Any:
    """Append a part unless it is empty."""
    if high <= low:
        return n
    out_edge[n] = edge
    out_share[n, 0], out_share[n, 1] = low, high
    out_ms[n, 0], out_ms[n, 1] = low_ms, high_ms
    return n + 1


@kernel
def _emit_tent(
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
    n: Any,
    edge: Any,
    low: Any,
    high: Any,
    start_ms: Any,
    end_ms: Any,
    along_ms: Any,
    against_ms: Any,
    limit_ms: Any,
) -> Any:
    """Append both sides of the tent over the stretch [low, high] of an edge."""
    from_start, from_end = _tent(start_ms, end_ms, along_ms, against_ms, limit_ms)
    size = high - low
    if from_start > 0.0:
        top = high if from_start == 1.0 else low + from_start * size
        n = _emit(
            out_edge, out_share, out_ms, n, edge, low, top, float(start_ms), start_ms + from_start * along_ms
        )
    if from_end < 1.0:
        bottom = low if from_end == 0.0 else low + from_end * size
        reached_ms = end_ms + (1.0 - from_end) * against_ms
        n = _emit(out_edge, out_share, out_ms, n, edge, bottom, high, reached_ms, float(end_ms))
    return n


@kernel
def _emit_own_edge(
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
    edge: Any,
    share: Any,
    own_ms: Any,
    ends: Any,
    along: Any,
    against: Any,
    limit_ms: Any,
) -> Any:
    """List the parts of the facility's own edge: two tents that meet where it stands."""
    along_low = FAR if along == FAR else np.int64(np.rint(share * along))
    against_low = FAR if against == FAR else np.int64(np.rint(share * against))
    along_high = FAR if along == FAR else along - along_low
    against_high = FAR if against == FAR else against - against_low
    n = _emit_tent(
        out_edge, out_share, out_ms, 0, edge, 0.0, share, ends[0], own_ms, along_low, against_low, limit_ms
    )
    return _emit_tent(
        out_edge, out_share, out_ms, n, edge, share, 1.0, own_ms, ends[1], along_high, against_high, limit_ms
    )


@kernel
def reached_parts(
    edge_node: NDArray[np.uint32],
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
    arc_start: NDArray[np.uint32],
    arc_edge: NDArray[np.uint32],
    settled: NDArray[np.uint32],
    label: NDArray[np.uint64],
    stamp: Any,
    limit_ms: Any,
    own_edge: Any,
    own_share: Any,
    own_ms: Any,
    out_edge: NDArray[np.uint32],
    out_share: NDArray[np.float64],
    out_ms: NDArray[np.float64],
) -> int:
    """
    List the reached parts of all edges for one facility.

    Parameters
    ----------
    edge_node
        uint32 `(e, 2)`: ends of each edge.
    along_ms, against_ms
        uint32 `(e,)` in the direction of travel away from the facility: swapped for ``direction="to"``.
    arc_start, arc_edge
        CSR of the graph searched; ``arc_edge`` is ``2 * edge + 1`` for arcs against the edge, else ``2 * edge``.
    settled, label, stamp, limit_ms
        From `search`.
    own_edge, own_share, own_ms
        Where the facility stands, and the time already spent there; edge -1 for none.
    out_edge, out_share, out_ms
        uint32 `(p,)`, float64 `(p, 2)`, float64 `(p, 2)`; `p` at least two per arc of a settled node plus four.

    Returns
    -------
    Number of parts.
    """
    n = 0
    if own_edge >= 0 and own_ms <= limit_ms:
        along, against = _weight(along_ms, own_edge), _weight(against_ms, own_edge)
        start_ms = _time_of(label, stamp, edge_node[own_edge, 0])
        end_ms = _time_of(label, stamp, edge_node[own_edge, 1])
        ends = (start_ms, end_ms)
        n = _emit_own_edge(
            out_edge, out_share, out_ms, own_edge, own_share, own_ms, ends, along, against, limit_ms
        )
    for i in range(settled.size):
        node = np.uintp(settled[i])
        for place in range(np.uintp(arc_start[node]), np.uintp(arc_start[node + np.uintp(1)])):
            edge = np.int64(arc_edge[place] >> np.uint32(1))
            if edge == own_edge:
                continue
            start_ms = _time_of(label, stamp, edge_node[edge, 0])
            end_ms = _time_of(label, stamp, edge_node[edge, 1])
            along, against = _weight(along_ms, edge), _weight(against_ms, edge)
            from_start, from_end = _tent(start_ms, end_ms, along, against, limit_ms)
            if arc_edge[place] & np.uint32(1) == 0:
                reached_ms = start_ms + from_start * along
                n = _emit(out_edge, out_share, out_ms, n, edge, 0.0, from_start, float(start_ms), reached_ms)
            else:
                reached_ms = end_ms + (1.0 - from_end) * against
                n = _emit(out_edge, out_share, out_ms, n, edge, from_end, 1.0, reached_ms, float(end_ms))
    return n


@kernel
def _point_ms(
    edge: Any,
    share: Any,
    start_ms: Any,
    end_ms: Any,
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
) -> Any:
    """Return the time at a point of an edge from the times of its ends."""
    along, against = _weight(along_ms, edge), _weight(against_ms, edge)
    best = FAR
    if max(along, start_ms) < FAR:
        best = start_ms + np.int64(np.rint(share * along))
    if max(against, end_ms) < FAR:
        best = min(best, end_ms + against - np.int64(np.rint(share * against)))
    # the very end of an edge is its node, also where the edge is one-way
    if share == 0.0:
        best = min(best, start_ms)
    if share == 1.0:
        best = min(best, end_ms)
    return best


@kernel
def _same_edge_ms(
    edge: Any,
    share: Any,
    own_share: Any,
    own_ms: Any,
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
) -> Any:
    """Return the time at a point of the facility's own edge without leaving it."""
    along, against = _weight(along_ms, edge), _weight(against_ms, edge)
    best = FAR
    if along != FAR and share >= own_share:
        best = own_ms + np.int64(np.rint(share * along)) - np.int64(np.rint(own_share * along))
    if against != FAR and share <= own_share:
        best = min(best, own_ms + np.int64(np.rint(own_share * against)) - np.int64(np.rint(share * against)))
    return best


@kernel
def point_times(
    edge_node: NDArray[np.uint32],
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
    label: NDArray[np.uint64],
    stamp: Any,
    own_edge: Any,
    own_share: Any,
    own_ms: Any,
    point_edge: NDArray[np.int64],
    point_share: NDArray[np.float64],
    point_ms: NDArray[np.int64],
    limit_ms: Any,
    out_ms: NDArray[np.uint32],
) -> None:
    """
    Give the time from one facility to each point on the network.

    Parameters
    ----------
    edge_node, along_ms, against_ms, label, stamp, own_edge, own_share, own_ms
        As in `reached_parts`.
    point_edge, point_share, point_ms
        int64, float64, int64 `(k,)`: where each point stands (edge -1: nowhere) and what its own stretch
        to the road costs.
    limit_ms
        Inclusive bound.
    out_ms
        uint32 `(k,)`, filled; UNREACHED beyond the bound.
    """
    for i in range(point_edge.size):
        out_ms[i] = UNREACHED
        edge = point_edge[i]
        if edge < 0:
            continue
        start_ms = _time_of(label, stamp, edge_node[edge, 0])
        end_ms = _time_of(label, stamp, edge_node[edge, 1])
        best = _point_ms(edge, point_share[i], start_ms, end_ms, along_ms, against_ms)
        if edge == own_edge:
            best = min(best, _same_edge_ms(edge, point_share[i], own_share, own_ms, along_ms, against_ms))
        best += point_ms[i]
        if best <= limit_ms:
            out_ms[i] = np.uint32(best)


@kernel
def nearest_points(
    edge_node: NDArray[np.uint32],
    along_ms: NDArray[np.uint32],
    against_ms: NDArray[np.uint32],
    node_ms: NDArray[np.uint32],
    node_owner: NDArray[np.int64],
    own_start: NDArray[np.int64],
    own_share: NDArray[np.float64],
    own_ms: NDArray[np.int64],
    own_owner: NDArray[np.int64],
    point_edge: NDArray[np.int64],
    point_share: NDArray[np.float64],
    point_ms: NDArray[np.int64],
    limit_ms: Any,
    out_ms: NDArray[np.uint32],
    out_owner: NDArray[np.int64],
) -> None:
    """
    Give each point's nearest facility and its time; equal times go to the smallest facility.

    Parameters
    ----------
    edge_node, along_ms, against_ms, point_edge, point_share, point_ms, limit_ms
        As in `point_times`.
    node_ms, node_owner
        From `search_nearest`.
    own_start, own_share, own_ms, own_owner
        Facilities by edge: those on edge `i` are at ``own_start[i]:own_start[i + 1]``.
    out_ms, out_owner
        uint32 and int64 `(k,)`, filled; UNREACHED and -1 where there is none.
    """
    for i in range(point_edge.size):
        out_ms[i], out_owner[i] = UNREACHED, -1
        edge = point_edge[i]
        if edge < 0:
            continue
        best, owner = FAR, np.int64(-1)
        for end in range(2):
            node = edge_node[edge, end]
            if node_owner[node] < 0:
                continue
            start_ms = np.int64(node_ms[node]) if end == 0 else FAR
            end_ms = np.int64(node_ms[node]) if end == 1 else FAR
            time = _point_ms(edge, point_share[i], start_ms, end_ms, along_ms, against_ms)
            if time < best or (time == best and time != FAR and node_owner[node] < owner):
                best, owner = time, node_owner[node]
        for place in range(own_start[edge], own_start[edge + 1]):
            time = _same_edge_ms(edge, point_share[i], own_share[place], own_ms[place], along_ms, against_ms)
            if time < best or (time == best and time != FAR and own_owner[place] < owner):
                best, owner = time, own_owner[place]
        best += point_ms[i]
        if best <= limit_ms:
            out_ms[i], out_owner[i] = np.uint32(best), owner
