"""
The nearest place on the drawn lines of a network, by a tree of boxes.

Shapes are one array of corners; segment `s` runs from corner `s` to corner `s + 1`. The leaves of the tree are runs
of a few segments of one edge, in the order of the edges; FAN neighbours make the next box up. A place far from any
road costs no more than one beside it, which a grid of cells cannot promise.

Distances are compared in whole micrometres, so that roads at the same distance are equal on every machine; among
equal ones the lowest segment wins, and so the lowest edge and its lowest share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAN = 8  # measured: 4 to 16 differ little
RUN_SEGMENTS = 8
STOPPED = -1
ON, LEFT, RIGHT = 0, 1, 2
ALONG, AGAINST = 1, 2  # bits of the open directions of an edge
ON_ROAD_M = 0.01  # coordinates of OSM are whole 1e-7 degrees, 11 mm
STEPS_PER_M = 1e6
FARTHEST = 1e300  # squared metres; beyond it arithmetic overflows


@kernel
def _squared_gap(corner: NDArray[np.float64], s: Any, x: Any, y: Any) -> Any:
    """Return the squared distance from a point to a segment."""
    dx, dy = corner[s + 1, 0] - corner[s, 0], corner[s + 1, 1] - corner[s, 1]
    px, py = x - corner[s, 0], y - corner[s, 1]
    ahead, squared = px * dx + py * dy, dx * dx + dy * dy
    # the ends exactly, so that edges which meet in a node are equally far
    if ahead <= 0.0 or squared == 0.0:
        return px * px + py * py
    if ahead >= squared:
        px, py = x - corner[s + 1, 0], y - corner[s + 1, 1]
        return px * px + py * py
    across = px * dy - py * dx
    return across * across / squared


@kernel
def _share(corner: NDArray[np.float64], s: Any, x: Any, y: Any) -> Any:
    """Return the share of a segment at which it is nearest to a point."""
    dx, dy = corner[s + 1, 0] - corner[s, 0], corner[s + 1, 1] - corner[s, 1]
    ahead, squared = (x - corner[s, 0]) * dx + (y - corner[s, 1]) * dy, dx * dx + dy * dy
    if ahead <= 0.0 or squared == 0.0:
        return 0.0
    return 1.0 if ahead >= squared else ahead / squared


@kernel
def _offset(corner: NDArray[np.float64], s: Any, x: Any, y: Any) -> Any:
    """Return how far a point lies to the left of a segment's line, negative to the right; 0 without a direction."""
    dx, dy = corner[s + 1, 0] - corner[s, 0], corner[s + 1, 1] - corner[s, 1]
    length = np.sqrt(dx * dx + dy * dy)
    return (dx * (y - corner[s, 1]) - dy * (x - corner[s, 0])) / length if length > 0.0 else 0.0


@kernel
def _neighbour(corner: NDArray[np.float64], s: Any, step: Any, low: Any, high: Any) -> Any:
    """Return the next segment with a length before (step -1) or after (step 1) `s` within an edge, else -1."""
    at = s + step
    while low <= at < high:
        if corner[at, 0] != corner[at + 1, 0] or corner[at, 1] != corner[at + 1, 1]:
            return at
        at += step
    return -1


@kernel
def _side(corner: NDArray[np.float64], s: Any, share: Any, low: Any, high: Any, x: Any, y: Any) -> Any:
    """
    Return the side of an edge (segments `low` to `high`) on which a point lies that is nearest to segment `s`.

    A point nearest to a corner lies outside the bend: to the right where the road turns left. Asking one of the two
    segments alone would be wrong at hairpins.
    """
    before, after = s, s
    if share == 0.0:
        before = _neighbour(corner, s, -1, low, high)
    if share == 1.0 or (corner[s, 0] == corner[s + 1, 0] and corner[s, 1] == corner[s + 1, 1]):
        after = _neighbour(corner, s, 1, low, high)
    if before >= 0 and after >= 0 and before != after:
        ux, uy = corner[before + 1, 0] - corner[before, 0], corner[before + 1, 1] - corner[before, 1]
        vx, vy = corner[after + 1, 0] - corner[after, 0], corner[after + 1, 1] - corner[after, 1]
        bend = ux * vy - uy * vx
        if np.sqrt(_squared_gap(corner, s, x, y)) <= ON_ROAD_M:
            return ON
        if bend != 0.0:
            return RIGHT if bend > 0.0 else LEFT
    offset = _offset(corner, before if before >= 0 else after if after >= 0 else s, x, y)
    if abs(offset) <= ON_ROAD_M:
        return ON
    return LEFT if offset > 0.0 else RIGHT


@kernel
def _suits(
    corner: NDArray[np.float64], s: Any, low: Any, high: Any, x: Any, y: Any, ways: Any, heading: Any,
    tolerance: Any, side: Any,
) -> Any:  # fmt: skip
    """Tell whether one may travel a segment in about the direction asked for, the point on the side asked for."""
    along, against = (ways & ALONG) != 0, (ways & AGAINST) != 0
    if not np.isnan(heading):
        dx, dy = corner[s + 1, 0] - corner[s, 0], corner[s + 1, 1] - corner[s, 1]
        if dx == 0.0 and dy == 0.0:
            return False
        turn = abs((heading - np.degrees(np.arctan2(dx, dy)) + 180.0) % 360.0 - 180.0)
        along = along and turn <= tolerance
        against = against and 180.0 - turn <= tolerance
    if side != ON:
        here = _side(corner, s, _share(corner, s, x, y), low, high, x, y)
        along = along and here != LEFT + RIGHT - side
        against = against and here != side
    return along or against


@kernel
def _scan(
    corner: NDArray[np.float64], first: Any, last: Any, x: Any, y: Any, best: Any, steps: Any, bound: Any,
    low: Any, high: Any, ways: Any, heading: Any, tolerance: Any, side: Any,
) -> Any:  # fmt: skip
    """Compare the segments `first` to `last` of an edge with the best so far; return it, its steps, the bound."""
    is_plain = side == ON and np.isnan(heading)
    for s in range(first, last):
        squared = _squared_gap(corner, s, x, y)
        if not squared <= bound:
            continue
        distance = np.sqrt(squared)
        here = np.rint(distance * STEPS_PER_M)
        if not (here < steps or (here == steps and s < best)):
            continue
        if is_plain or _suits(corner, s, low, high, x, y, ways, heading, tolerance, side):
            best, steps = s, here
            # a box is entered if anything in it could be as near to the micrometre
            reach = distance * (1.0 + 1e-12) + 2.0 / STEPS_PER_M
            bound = reach * reach
    return best, steps, bound


@kernel
def _place(
    corner: NDArray[np.float64], along: NDArray[np.float64], s: Any, end: Any, x: Any, y: Any,
    out_place: NDArray[np.float64],
) -> Any:  # fmt: skip
    """Fill share of the edge, distance, and the point of segment `s` nearest to (x, y); return its share of `s`."""
    share = _share(corner, s, x, y)
    at = s + 1 if share == 1.0 else s
    metres, place_x, place_y = along[at], corner[at, 0], corner[at, 1]
    if 0.0 < share < 1.0:
        metres += share * (along[s + 1] - along[s])
        place_x += share * (corner[s + 1, 0] - place_x)
        place_y += share * (corner[s + 1, 1] - place_y)
    out_place[0] = metres / along[end] if along[end] > 0.0 else 0.0
    out_place[1] = np.sqrt(_squared_gap(corner, s, x, y))
    out_place[2], out_place[3] = place_x, place_y
    return share


@kernel
def measure(
    corner: NDArray[np.float64], shape_start: NDArray[np.int64], out_along: NDArray[np.float64]
) -> None:
    """
    Measure how far each corner is along its edge.

    Parameters
    ----------
    corner, shape_start
        As in `nearest_places`.
    out_along
        float64 `(c,)`: metres, 0 at the first corner of each edge. Filled.
    """
    for edge in range(shape_start.size - 1):
        metres = 0.0
        out_along[shape_start[edge]] = metres
        for s in range(shape_start[edge], shape_start[edge + 1] - 1):
            dx, dy = corner[s + 1, 0] - corner[s, 0], corner[s + 1, 1] - corner[s, 1]
            metres += np.sqrt(dx * dx + dy * dy)
            out_along[s + 1] = metres


@kernel
def nearest_places(
    corner: NDArray[np.float64],
    along: NDArray[np.float64],
    shape_start: NDArray[np.int64],
    run_first: NDArray[np.int64],
    run_edge: NDArray[np.int64],
    box: NDArray[np.float64],
    level: NDArray[np.int64],
    ways: NDArray[np.uint8],
    point: NDArray[np.float64],
    order: NDArray[np.int64],
    heading: NDArray[np.float64],
    tolerance: Any,
    side: Any,
    stop: NDArray[np.uint8],
    out_edge: NDArray[np.int64],
    out_place: NDArray[np.float64],
    out_side: NDArray[np.uint8],
) -> int:
    """
    Find the nearest place on an open edge for each point.

    Parameters
    ----------
    corner, shape_start
        Corners of all edges in metres, float64 `(c, 2)`; those of edge `e` are
        ``corner[shape_start[e]:shape_start[e + 1]]``, two or more.
    along
        From `measure`.
    run_first, run_edge
        int64 `(r,)`: first segment and edge of each run; runs of an edge follow each other.
    box, level
        float64 `(b, 4)`: west, south, east, north of the runs, then of FAN boxes each, up to one box; int64
        `(l + 1,)`: where each level begins, and the end.
    ways
        uint8 `(e,)`: ALONG and AGAINST where an edge is open; 0 leaves it out.
    point
        float64 `(k, 2)`; rows that are not finite find nothing.
    order
        int64 `(k,)`: in which to take the points. Not the answer but the time depends on it: the last is a guess.
    heading, tolerance
        float64 `(k,)`: degrees clockwise from the y axis in which one must be able to travel, give or take the
        tolerance, NaN for any.
    side
        LEFT or RIGHT: only edges with the point on that side of an open direction of travel. ON: any.
    stop
        uint8 `(1,)`: set to 1 from outside to end.
    out_edge, out_place, out_side
        int64 `(k,)`, -1 if nothing was found; float64 `(k, 4)`, share, distance, x, y; uint8 `(k,)`, seen along the
        edge. Filled.

    Returns
    -------
    0, or STOPPED.
    """
    n_levels = level.size - 1
    waiting, gap = np.empty(FAN * (n_levels + 1), np.int64), np.empty(FAN * (n_levels + 1))
    guess, guess_edge = -1, -1
    for i in order:
        if stop[0] != 0:
            return STOPPED
        out_edge[i], out_side[i] = -1, ON
        out_place[i, :] = np.nan
        x, y = point[i, 0], point[i, 1]
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        best, edge, steps, bound = corner.shape[0], -1, np.inf, FARTHEST
        if guess >= 0:
            low, high = shape_start[guess_edge], shape_start[guess_edge + 1] - 1
            best, steps, bound = _scan(
                corner, guess, guess + 1, x, y, best, steps, bound, low, high, ways[guess_edge], heading[i],
                tolerance, side,
            )  # fmt: skip
            edge = guess_edge
        waiting[0], gap[0], n_waiting = level[n_levels] - 1, 0.0, 1
        while n_waiting > 0:
            n_waiting -= 1
            if gap[n_waiting] > bound:
                continue
            node = waiting[n_waiting]
            if node < level[1]:
                own = run_edge[node]
                if ways[own] != 0:
                    known = best
                    low, high = shape_start[own], shape_start[own + 1] - 1
                    first = run_first[node]
                    best, steps, bound = _scan(
                        corner, first, min(first + RUN_SEGMENTS, high), x, y, best, steps, bound, low, high,
                        ways[own], heading[i], tolerance, side,
                    )  # fmt: skip
                    edge = own if best != known else edge
                continue
            depth = 1
            while node >= level[depth + 1]:
                depth += 1
            child = level[depth - 1] + (node - level[depth]) * FAN
            bottom = n_waiting
            for box_of in range(child, min(child + FAN, level[depth])):
                dx = max(box[box_of, 0] - x, x - box[box_of, 2], 0.0)
                dy = max(box[box_of, 1] - y, y - box[box_of, 3], 0.0)
                away = dx * dx + dy * dy
                if away > bound:
                    continue
                hole = n_waiting  # the nearest on top
                while hole > bottom and gap[hole - 1] < away:
                    gap[hole], waiting[hole] = gap[hole - 1], waiting[hole - 1]
                    hole -= 1
                gap[hole], waiting[hole] = away, box_of
                n_waiting += 1
        if best < corner.shape[0]:
            out_edge[i] = edge
            low, high = shape_start[edge], shape_start[edge + 1] - 1
            share = _place(corner, along, best, high, x, y, out_place[i])
            out_side[i] = _side(corner, best, share, low, high, x, y)
            guess, guess_edge = best, edge
    return 0


@kernel
def stand(
    corner: NDArray[np.float64],
    along: NDArray[np.float64],
    shape_start: NDArray[np.int64],
    edge: NDArray[np.int64],
    share: NDArray[np.float64],
    point: NDArray[np.float64],
    out_xy: NDArray[np.float64],
    out_side: NDArray[np.uint8],
) -> None:
    """
    Tell where places on edges are, and on which side of the edge a point lies to which they are nearest.

    Parameters
    ----------
    corner, along, shape_start
        As in `nearest_places`.
    edge, share, point
        int64 `(k,)`, float64 `(k,)` and `(k, 2)`.
    out_xy, out_side
        float64 `(k, 2)`, uint8 `(k,)`. Filled.
    """
    for i in range(edge.size):
        low, high = shape_start[edge[i]], shape_start[edge[i] + 1] - 1
        metres = share[i] * along[high]
        s = low
        while s + 1 < high and along[s + 1] < metres:
            s += 1
        part = 0.0
        if along[s + 1] - metres <= 1.0 / STEPS_PER_M:
            part = 1.0  # a corner, where both segments tell the side
        elif metres - along[s] > 1.0 / STEPS_PER_M:
            part = (metres - along[s]) / (along[s + 1] - along[s])
        for axis in range(2):
            out_xy[i, axis] = corner[s, axis] + part * (corner[s + 1, axis] - corner[s, axis])
        out_side[i] = _side(corner, s, part, low, high, point[i, 0], point[i, 1])


@kernel
def runs_within(
    box: NDArray[np.float64],
    level: NDArray[np.int64],
    west: Any,
    south: Any,
    east: Any,
    north: Any,
    distance: Any,
    out_run: NDArray[np.int64],
) -> int:
    """
    Find the runs whose boxes come within a distance of a box.

    Parameters
    ----------
    box, level
        As in `nearest_places`.
    west, south, east, north
        The box, metres.
    distance
        Inclusive bound, metres.
    out_run
        int64, as long as there are runs; filled in no stated order.

    Returns
    -------
    Number of runs found.
    """
    n_levels = level.size - 1
    waiting = np.empty(FAN * (n_levels + 1), np.int64)
    waiting[0], n_waiting, n = level[n_levels] - 1, 1, 0
    while n_waiting > 0:
        n_waiting -= 1
        node = waiting[n_waiting]
        dx = max(box[node, 0] - east, west - box[node, 2], 0.0)
        dy = max(box[node, 1] - north, south - box[node, 3], 0.0)
        if dx * dx + dy * dy > distance * distance:
            continue
        if node < level[1]:
            out_run[n] = node
            n += 1
            continue
        depth = 1
        while node >= level[depth + 1]:
            depth += 1
        child = level[depth - 1] + (node - level[depth]) * FAN
        for box_of in range(child, min(child + FAN, level[depth])):
            waiting[n_waiting] = box_of
            n_waiting += 1
    return n
