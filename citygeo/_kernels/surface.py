"""
The earliest time at each node of a grid: travel along roads, then a walk straight to the node.

Along a straight piece of a road the time is ``t + k u`` at the place u metres from its start. A node that lies h metres
beside the place a metres along is there at ``t + k u + slow * sqrt((u - a)**2 + h**2)`` by way of u, a convex function:
its least value is found without a search. A place may be left as far as `trim` metres and as long as the limit holds,
and always as far as the least width of a road; where a road is not on the ground, that is all.

Times are rounded to 1/1024 ms, so that roads by which a node is reached at the same time are equal on every machine;
among equals the lowest owner wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STOPPED = -1
STEPS_PER_MS = 1024.0
SLACK_MS = 1e-6  # times at the ends of parts are rounded


@kernel
def _walked(budget_ms: Any, slow: Any, trim: Any, least: Any) -> Any:
    """Return how far a place may be left with a budget."""
    if budget_ms < 0.0:
        return least
    if slow == 0.0 or budget_ms >= trim * slow:
        return trim
    return max(budget_ms / slow, least)


@kernel
def _least_ms(t: Any, k: Any, slow: Any, a: Any, h: Any, low: Any, high: Any) -> Any:
    """Return the least time at a node by way of the places `low` to `high` metres along a piece."""
    u = low if k >= 0.0 else high
    if abs(k) < slow:
        u = min(max(a - k * h / np.sqrt(slow * slow - k * k), low), high)
    return t + k * u + slow * np.sqrt((u - a) * (u - a) + h * h)


@kernel
def _node_ms(
    t: Any, k: Any, slow: Any, a: Any, h: Any, size: Any, limit_ms: Any, trim: Any, least: Any, is_ground: Any
) -> Any:
    """Return the earliest time at a node by way of a piece `size` metres long, infinite if none is in reach."""
    if is_ground and h <= trim:
        around = np.sqrt(trim * trim - h * h)
        low, high = max(a - around, 0.0), min(a + around, size)
        if low <= high:
            ms = _least_ms(t, k, slow, a, h, low, high)
            if ms <= limit_ms:
                return ms
    if h <= least:
        around = np.sqrt(least * least - h * h)
        low, high = max(a - around, 0.0), min(a + around, size)
        if low <= high:
            return _least_ms(t, k, slow, a, h, low, high)
    return np.inf


@kernel
def _draw_piece(
    x: Any, y: Any, dx: Any, dy: Any, size: Any, first_ms: Any, last_ms: Any, is_ground: Any, owner: Any, zone: Any,
    limit_ms: Any, slow: Any, trim: Any, least: Any, cell: Any, left: Any, top: Any, node_zone: NDArray[np.int32],
    out_ms: NDArray[np.float64], out_owner: NDArray[np.int32],
) -> None:  # fmt: skip
    """Lower the times of the nodes round the piece from (x, y) to (x + dx, y + dy)."""
    start_ms = min(first_ms, last_ms)
    radius = _walked(limit_ms - start_ms, slow, trim, least) if is_ground else least
    radius = radius * (1.0 + 1e-12) + 1e-9  # which nodes are looked at; the answer is as above
    k = (last_ms - first_ms) / size if size > 0.0 else 0.0
    unit_x, unit_y = (dx / size, dy / size) if size > 0.0 else (1.0, 0.0)
    south, north = min(y, y + dy) - radius, max(y, y + dy) + radius
    first_j = max(np.int64(np.ceil(south / cell)), top - out_ms.shape[0] + 1)
    last_j = min(np.int64(np.floor(north / cell)), top)
    for j in range(first_j, last_j + 1):
        node_y = j * cell
        # the places of the piece that may reach this row
        low, high = 0.0, 1.0
        if dy != 0.0:
            one, other = (node_y - radius - y) / dy, (node_y + radius - y) / dy
            low, high = max(min(one, other), 0.0), min(max(one, other), 1.0)
        if low > high:
            continue
        west = min(x + low * dx, x + high * dx) - radius
        east = max(x + low * dx, x + high * dx) + radius
        row = top - j
        first_i = max(np.int64(np.ceil(west / cell)), left)
        last_i = min(np.int64(np.floor(east / cell)), left + out_ms.shape[1] - 1)
        for i in range(first_i, last_i + 1):
            column = i - left
            best = out_ms[row, column]
            if best < start_ms - 1.0 / STEPS_PER_MS or node_zone[row, column] != zone:
                continue
            ahead_x, ahead_y = i * cell - x, node_y - y
            a = ahead_x * unit_x + ahead_y * unit_y
            h = abs(ahead_x * unit_y - ahead_y * unit_x)
            ms = _node_ms(first_ms, k, slow, a, h, size, limit_ms, trim, least, is_ground)
            if ms == np.inf:
                continue
            ms = np.rint(ms * STEPS_PER_MS) / STEPS_PER_MS
            if ms < best or (ms == best and owner < out_owner[row, column]):
                out_ms[row, column], out_owner[row, column] = ms, owner


@kernel
def _piece(
    along: NDArray[np.float64], s: Any, low: Any, high: Any, low_ms: Any, high_ms: Any
) -> tuple[Any, Any, Any, Any]:
    """Cut a segment to the stretch `low` to `high` of its edge: its own shares, 1 and 0 if none, and times."""
    begin, end = max(along[s], low), min(along[s + 1], high)
    if begin > end:
        return 1.0, 0.0, low_ms, high_ms
    size = along[s + 1] - along[s]
    if size == 0.0 or begin == end:
        if low < high:
            return 1.0, 0.0, low_ms, high_ms
        # a place is all there is
        at = (begin - along[s]) / size if size > 0.0 else 0.0
        return at, at, min(low_ms, high_ms), min(low_ms, high_ms)
    pace = (high_ms - low_ms) / (high - low)
    return (
        (begin - along[s]) / size, (end - along[s]) / size, low_ms + pace * (begin - low), low_ms + pace * (end - low),
    )  # fmt: skip


@kernel
def drawn_extent(
    corner: NDArray[np.float64],
    along: NDArray[np.float64],
    shape_start: NDArray[np.int64],
    off_ground: NDArray[np.uint8],
    edge: NDArray[np.int64],
    share: NDArray[np.float64],
    ms: NDArray[np.float64],
    limit_ms: Any,
    slow: Any,
    trim: Any,
    least: Any,
    out_box: NDArray[np.float64],
) -> None:
    """
    Find the box of all that `earliest_times` can reach, or a little more.

    Parameters
    ----------
    corner, along, shape_start, off_ground, edge, share, ms, limit_ms, slow, trim, least
        As in `earliest_times`.
    out_box
        float64 `(4,)`: west, south, east, north. Widened.
    """
    for p in range(edge.size):
        begin, end = shape_start[edge[p]], shape_start[edge[p] + 1] - 1
        low, high = share[p, 0] * along[end], share[p, 1] * along[end]
        for s in range(begin, end):
            first, last, first_ms, last_ms = _piece(along, s, low, high, ms[p, 0], ms[p, 1])
            if first > last:
                continue
            radius = least
            if off_ground[s] == 0:
                radius = _walked(limit_ms - min(first_ms, last_ms), slow, trim, least)
            for axis in range(2):
                step = corner[s + 1, axis] - corner[s, axis]
                one, other = corner[s, axis] + first * step, corner[s, axis] + last * step
                out_box[axis] = min(out_box[axis], min(one, other) - radius)
                out_box[axis + 2] = max(out_box[axis + 2], max(one, other) + radius)


@kernel
def earliest_times(
    corner: NDArray[np.float64],
    along: NDArray[np.float64],
    shape_start: NDArray[np.int64],
    off_ground: NDArray[np.uint8],
    edge: NDArray[np.int64],
    share: NDArray[np.float64],
    ms: NDArray[np.float64],
    owner: NDArray[np.int32],
    zone: NDArray[np.int32],
    limit_ms: Any,
    slow: Any,
    trim: Any,
    least: Any,
    cell: Any,
    left: Any,
    top: Any,
    node_zone: NDArray[np.int32],
    stop: NDArray[np.uint8],
    out_ms: NDArray[np.float64],
    out_owner: NDArray[np.int32],
) -> int:
    """
    Lower the times at the nodes of a grid to those by way of reached parts of edges.

    Parameters
    ----------
    corner, along, shape_start
        As in `citygeo._kernels.nearest.nearest_places`.
    off_ground
        uint8 `(c,)`: not 0 where the segment from a corner to the next is a bridge, a tunnel or a ferry.
    edge, share, ms
        int64 `(p,)`, float64 `(p, 2)` and `(p, 2)`: reached parts, milliseconds at both ends.
    owner
        int32 `(p,)`: whose each part is, 0 or more.
    zone, node_zone
        int32 `(p,)` and `(rows, columns)`: only nodes of its own zone are reached from a part.
    limit_ms
        Inclusive bound of the time at a node; within the least width of a road it may be passed.
    slow
        Milliseconds a metre takes off the roads; 0 for none.
    trim, least
        How far places are left at most, and at least; metres, ``0 <= least <= trim``.
    cell, left, top
        Metres between nodes; the node of row r and column c lies at ``((left + c) * cell, (top - r) * cell)``.
    stop
        uint8 `(1,)`: set to 1 from outside to end.
    out_ms, out_owner
        float64 and int32 `(rows, columns)`: times and whose they are; infinite and whatever where there is none yet.
        Lowered.

    Returns
    -------
    0, or STOPPED.
    """
    for p in range(edge.size):
        if stop[0] != 0:
            return STOPPED
        begin, end = shape_start[edge[p]], shape_start[edge[p] + 1] - 1
        low, high = share[p, 0] * along[end], share[p, 1] * along[end]
        for s in range(begin, end):
            first, last, first_ms, last_ms = _piece(along, s, low, high, ms[p, 0], ms[p, 1])
            if first > last:
                continue
            dx, dy = corner[s + 1, 0] - corner[s, 0], corner[s + 1, 1] - corner[s, 1]
            part = last - first
            size = part * np.sqrt(dx * dx + dy * dy)
            _draw_piece(
                corner[s, 0] + first * dx, corner[s, 1] + first * dy, part * dx, part * dy, size, first_ms, last_ms,
                off_ground[s] == 0, owner[p], zone[p], limit_ms + SLACK_MS, slow, trim, least, cell, left, top,
                node_zone, out_ms, out_owner,
            )  # fmt: skip
    return 0
