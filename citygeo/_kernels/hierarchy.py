"""
A customizable contraction hierarchy (Dibbelt, Strasser and Wagner 2016): topology once, times at will.

Taking the nodes out in order and joining the neighbours of each makes the graph chordal; how long the arcs
are comes afterwards, from loops over triangles. Nodes are numbered by place: the last one taken out is 0, and
the nodes below a node in the elimination tree follow it directly, so that a region is a range of places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = np.uint32(0x7FFFFFFF)  # two of them do not overflow
MISSING = -1


@kernel
def eliminate(
    near_start: NDArray[np.int64],
    near_head: NDArray[np.int64],
    order: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """
    Take the nodes out in order and join those that are left of each one's neighbours.

    Parameters
    ----------
    near_start, near_head
        From `citygeo._kernels.order.neighbours`.
    order
        int64 `(n,)`: the node taken out first, second and so on.

    Returns
    -------
    Start `(n + 1,)` and head of the arcs to nodes taken out later, by turn, ascending; and the turn of each one's
    parent in the elimination tree, its first such neighbour, -1 if it has none. The number of arcs is known only
    when they have been found, so the arrays are made here.
    """
    n = order.size
    turn = np.empty(n, np.int64)
    for i in range(n):
        turn[order[i]] = i
    parent, child, sibling, seen = (
        np.full(n, -1, np.int64),
        np.full(n, -1, np.int64),
        np.full(n, -1, np.int64),
        np.full(n, -1, np.int64),
    )
    start, head, found = (
        np.zeros(n + 1, np.int64),
        np.empty(4 * near_head.size + n, np.int64),
        np.empty(n, np.int64),
    )
    size = 0
    for i in range(n):
        seen[i] = i
        count = 0
        for a in range(near_start[order[i]], near_start[order[i] + 1]):
            w = turn[near_head[a]]
            if w > i and seen[w] != i:
                seen[w] = i
                found[count] = w
                count += 1
        below = child[i]
        while below >= 0:
            for a in range(start[below], start[below + 1]):
                if seen[head[a]] != i:
                    seen[head[a]] = i
                    found[count] = head[a]
                    count += 1
            below = sibling[below]
        if size + count > head.size:
            longer = np.empty(2 * (size + count), np.int64)
            longer[:size] = head[:size]
            head = longer
        head[size : size + count] = np.sort(found[:count])
        if count > 0:
            parent[i] = head[size]
            sibling[i] = child[parent[i]]
            child[parent[i]] = i
        size += count
        start[i + 1] = size
    return start, head[:size].copy(), parent


@kernel
def lay_out(
    order: NDArray[np.int64],
    turn_start: NDArray[np.int64],
    turn_head: NDArray[np.int64],
    turn_parent: NDArray[np.int64],
    place: NDArray[np.uint32],
    parent: NDArray[np.int64],
    below: NDArray[np.uint32],
    up_start: NDArray[np.uint32],
    up_head: NDArray[np.uint32],
    low_start: NDArray[np.uint32],
    low_node: NDArray[np.uint32],
    low_arc: NDArray[np.uint32],
) -> None:
    """
    Give every node its place and list the arcs both ways.

    Parameters
    ----------
    order
        As in `eliminate`.
    turn_start, turn_head, turn_parent
        From `eliminate`.
    place
        uint32 `(n,)`, filled: place of each node of the graph.
    parent
        int64 `(n,)`, filled, by place: place of the parent, -1 at a root.
    below
        uint32 `(n,)`, filled: nodes of the subtree, the node included; they stand at ``place : place + below``.
    up_start, up_head
        uint32, filled: neighbours nearer to the root, by place, the nearest first.
    low_start, low_node, low_arc
        uint32, filled: neighbours farther from the root, and where the arc stands in `up_head`.
    """
    n = order.size
    child, sibling = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for i in range(n):
        if turn_parent[i] >= 0:
            sibling[i] = child[turn_parent[i]]
            child[turn_parent[i]] = i
    new, old, todo = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    n_todo, count = 0, 0
    for i in range(n):
        if turn_parent[i] < 0:
            todo[n_todo] = i
            n_todo += 1
    while n_todo > 0:
        n_todo -= 1
        i = todo[n_todo]
        new[i] = count
        old[count] = i
        count += 1
        i = child[i]
        while i >= 0:
            todo[n_todo] = i
            n_todo += 1
            i = sibling[i]
    low_start[:] = 0
    size = 0
    up_start[0] = 0
    for p in range(n):
        i = old[p]
        place[order[i]] = p
        parent[p] = new[turn_parent[i]] if turn_parent[i] >= 0 else -1
        below[p] = 1
        listed = np.empty(turn_start[i + 1] - turn_start[i], np.int64)
        for a in range(listed.size):
            listed[a] = -new[turn_head[turn_start[i] + a]]
        listed.sort()
        for w in listed:
            up_head[size] = -w
            low_start[1 - w] += np.uint32(1)
            size += 1
        up_start[p + 1] = size
    for p in range(n - 1, 0, -1):
        if parent[p] >= 0:
            below[parent[p]] += below[p]
    for p in range(n):
        low_start[p + 1] += low_start[p]
    filled = low_start[:-1].copy()
    for p in range(n):
        for a in range(up_start[p], up_start[p + 1]):
            w = up_head[a]
            low_node[filled[w]] = p
            low_arc[filled[w]] = a
            filled[w] += np.uint32(1)


@kernel
def _place_arcs(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    place: NDArray[np.uint32],
    up_start: NDArray[np.uint32],
    up_head: NDArray[np.uint32],
    rise_ms: NDArray[np.uint32],
    fall_ms: NDArray[np.uint32],
) -> int:
    """Give every arc of the graph to the arc of the hierarchy between the same nodes; 0, or MISSING."""
    rise_ms[:] = NEVER
    fall_ms[:] = NEVER
    for v in range(start.size - 1):
        for a in range(start[v], start[v + 1]):
            one, two, ms = place[v], place[arc[a, 0]], arc[a, 1]
            if one == two or ms >= NEVER:
                continue
            lower, upper = max(one, two), min(one, two)
            # neighbours are sorted, the nearest to the root last
            low, high = np.int64(up_start[lower]), np.int64(up_start[lower + np.uint32(1)])
            end = high
            while low < high:
                middle = (low + high) >> 1
                if up_head[middle] > upper:
                    low = middle + 1
                else:
                    high = middle
            if low == end or up_head[low] != upper:
                return MISSING
            if one == lower:
                rise_ms[low] = min(rise_ms[low], ms)
            else:
                fall_ms[low] = min(fall_ms[low], ms)
    return 0


@kernel
def _join_below(
    up_start: NDArray[np.uint32],
    up_head: NDArray[np.uint32],
    low_start: NDArray[np.uint32],
    low_node: NDArray[np.uint32],
    low_arc: NDArray[np.uint32],
    rise_ms: NDArray[np.uint32],
    fall_ms: NDArray[np.uint32],
) -> None:
    """Let every arc be as quick as the ways over nodes below both its ends (basic customisation)."""
    n = up_start.size - 1
    slot = np.empty(n, np.uint32)
    for one in range(n - 1, -1, -1):
        if low_start[one] == low_start[one + 1]:
            continue
        for a in range(up_start[one], up_start[one + 1]):
            slot[up_head[a]] = a
        for i in range(low_start[one], low_start[one + 1]):
            node, first = np.uintp(low_node[i]), np.uintp(low_arc[i])
            rise, fall = rise_ms[first], fall_ms[first]
            for second in range(first + np.uintp(1), np.uintp(up_start[node + np.uintp(1)])):
                across = np.uintp(slot[up_head[second]])
                ms = np.uint32(fall + rise_ms[second])
                rise_ms[across] = min(rise_ms[across], ms)
                ms = np.uint32(fall_ms[second] + rise)
                fall_ms[across] = min(fall_ms[across], ms)


@kernel
def _join_above(
    up_start: NDArray[np.uint32],
    up_head: NDArray[np.uint32],
    rise_ms: NDArray[np.uint32],
    fall_ms: NDArray[np.uint32],
) -> None:
    """Let every arc be as quick as any way between its ends (perfect customisation), root first."""
    n = up_start.size - 1
    none = np.uint32(0xFFFFFFFF)
    slot = np.full(n, none, np.uint32)
    for node in range(n):
        first, last = np.uintp(up_start[node]), np.uintp(up_start[node + 1])
        for a in range(first, last):
            slot[up_head[a]] = a
        for one in range(first, last):
            upper = np.uintp(up_head[one])
            for across in range(np.uintp(up_start[upper]), np.uintp(up_start[upper + np.uintp(1)])):
                two = slot[up_head[across]]
                if two == none:
                    continue
                rise, fall = rise_ms[across], fall_ms[across]
                rise_ms[two] = min(rise_ms[two], np.uint32(rise_ms[one] + rise))
                rise_ms[one] = min(rise_ms[one], np.uint32(rise_ms[two] + fall))
                fall_ms[two] = min(fall_ms[two], np.uint32(fall + fall_ms[one]))
                fall_ms[one] = min(fall_ms[one], np.uint32(rise + fall_ms[two]))
        for a in range(first, last):
            slot[up_head[a]] = none


@kernel
def _keep(
    up_start: NDArray[np.uint32],
    up_head: NDArray[np.uint32],
    ms: NDArray[np.uint32],
    best_ms: NDArray[np.uint32],
    out_start: NDArray[np.uint32],
    out_arc: NDArray[np.uint32],
) -> Any:
    """List the arcs that no other way is quicker than; a search needs no others."""
    size = np.uintp(0)
    out_start[0] = 0
    for node in range(up_start.size - 1):
        for a in range(np.uintp(up_start[node]), np.uintp(up_start[node + 1])):
            if ms[a] < NEVER and ms[a] == best_ms[a]:
                out_arc[size, 0] = up_head[a]
                out_arc[size, 1] = ms[a]
                size += np.uintp(1)
        out_start[node + 1] = size
    return size


@kernel
def customise(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    place: NDArray[np.uint32],
    up_start: NDArray[np.uint32],
    up_head: NDArray[np.uint32],
    low_start: NDArray[np.uint32],
    low_node: NDArray[np.uint32],
    low_arc: NDArray[np.uint32],
    rise_start: NDArray[np.uint32],
    rise_arc: NDArray[np.uint32],
    fall_start: NDArray[np.uint32],
    fall_arc: NDArray[np.uint32],
    out_size: NDArray[np.int64],
) -> int:
    """
    Give the arcs of a hierarchy their times.

    Parameters
    ----------
    start, arc
        The graph in CSR form. Its arcs must join nodes that the hierarchy joins; they may be fewer than those it
        was made from.
    place, up_start, up_head, low_start, low_node, low_arc
        From `lay_out`.
    rise_start, rise_arc
        uint32 `(n + 1,)` and `(arcs, 2)`, filled: arcs from each place towards the root, (place, milliseconds).
    fall_start, fall_arc
        The same for arcs that come to each place from the root's side: (the place they come from, milliseconds).
    out_size
        int64 `(2,)`, filled: number of entries in `rise_arc` and `fall_arc`.

    Returns
    -------
    0, or MISSING if the hierarchy does not join two nodes that the graph joins.
    """
    rise, fall = np.empty(up_head.size, np.uint32), np.empty(up_head.size, np.uint32)
    if _place_arcs(start, arc, place, up_start, up_head, rise, fall) == MISSING:
        return MISSING
    _join_below(up_start, up_head, low_start, low_node, low_arc, rise, fall)
    best_rise, best_fall = rise.copy(), fall.copy()
    _join_above(up_start, up_head, best_rise, best_fall)
    out_size[0] = _keep(up_start, up_head, rise, best_rise, rise_start, rise_arc)
    out_size[1] = _keep(up_start, up_head, fall, best_fall, fall_start, fall_arc)
    return 0
