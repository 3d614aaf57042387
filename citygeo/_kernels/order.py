"""
In which order to take the nodes of a road graph out: nested dissection by inertial flow.

A cell is cut by the smallest set of nodes that separates its outermost quarter on one side from that on the
other, along four directions (Schild and Sommer 2015, "On Balanced Separators in Road Networks"); flows run
through nodes of capacity one, so the cut is a set of nodes at once. The cut comes last, each side is cut again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STOPPED = -1
OUTER_SHARE = 0.25  # of a cell, on either side, that a cut must not divide
SMALLEST = 2  # cells of so few nodes are not cut
DIRECTIONS = 4
SLACK = 2  # a direction is given up when its cut is so many times the smallest
NOWHERE = -1
OUTSIDE = -2  # flow enters at the source side, leaves at the sink side
NEAR, FAR, CUT = 0, 1, 2
LOW = (1 << 32) - 1


@kernel
def neighbours(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    out_start: NDArray[np.int64],
    out_head: NDArray[np.int64],
) -> int:
    """
    List the neighbours of every node, whatever the direction of arcs.

    Parameters
    ----------
    start, arc
        A graph in CSR form, as in `citygeo._kernels.search.search`.
    out_start
        int64 `(n + 1,)`, filled.
    out_head
        int64 `(2 m,)`, its first entries filled: sorted, each once, no loops.

    Returns
    -------
    Number of entries.
    """
    n = start.size - 1
    first = np.zeros(n + 1, np.int64)
    for v in range(n):
        for a in range(start[v], start[v + 1]):
            w = np.int64(arc[a, 0])
            if w != v:
                first[v + 1] += 1
                first[w + 1] += 1
    for v in range(n):
        first[v + 1] += first[v]
    filled = first[:-1].copy()
    for v in range(n):
        for a in range(start[v], start[v + 1]):
            w = np.int64(arc[a, 0])
            if w != v:
                out_head[filled[v]] = w
                filled[v] += 1
                out_head[filled[w]] = v
                filled[w] += 1
    size = 0
    out_start[0] = 0
    for v in range(n):
        listed = np.sort(out_head[first[v] : first[v + 1]])
        for i in range(listed.size):
            if i == 0 or listed[i] != listed[i - 1]:
                out_head[size] = listed[i]
                size += 1
        out_start[v + 1] = size
    return size


@kernel
def _select(
    key: NDArray[np.float64],
    node: NDArray[np.int64],
    low: Any,
    high: Any,
    k: Any,
) -> None:
    """Bring the `k` nodes of least key to the front of ``node[low:high]`` (Hoare's quickselect)."""
    left, right, wanted = low, high - 1, low + k
    while left < right:
        a, b, c = key[node[left]], key[node[(left + right) >> 1]], key[node[right]]
        middle = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while key[node[i]] < middle:
                i += 1
            while key[node[j]] > middle:
                j -= 1
            if i <= j:
                node[i], node[j] = node[j], node[i]
                i += 1
                j -= 1
        if wanted <= j:
            right = j
        elif wanted >= i:
            left = i
        else:
            return


@kernel
def _find_path(
    near_start: NDArray[np.int64],
    near_head: NDArray[np.int64],
    source: NDArray[np.int64],
    cell: NDArray[np.int64],
    number: Any,
    to: NDArray[np.int64],
    came: NDArray[np.int64],
    is_sink: NDArray[np.bool_],
    before: NDArray[np.int64],
    queue: NDArray[np.int64],
    stamp: Any,
) -> Any:
    """
    Look breadth-first for one more unit of flow; return the half of a sink node where it ends, or NOWHERE.

    Node `v` has an entry half ``2 v`` and an exit half ``2 v + 1``; between them one unit fits.
    """
    head, tail = 0, 0
    for v in source:
        before[2 * v] = stamp | (2 * v)
        queue[tail] = 2 * v
        tail += 1
    while head < tail:
        half = queue[head]
        head += 1
        v = half >> 1
        if half & 1 == 0:
            # through the node if it is free, else back along the flow that comes in
            other = half + 1 if came[v] == NOWHERE else 2 * came[v] + 1
            if other > 0 and before[other] < stamp:
                before[other] = stamp | half
                if is_sink[other >> 1]:
                    return other
                queue[tail] = other
                tail += 1
            continue
        if came[v] != NOWHERE and before[half - 1] < stamp:
            before[half - 1] = stamp | half
            queue[tail] = half - 1
            tail += 1
        for a in range(near_start[v], near_start[v + 1]):
            w = near_head[a]
            if cell[w] == number and w != to[v] and before[2 * w] < stamp:
                before[2 * w] = stamp | half
                queue[tail] = 2 * w
                tail += 1
    return NOWHERE


@kernel
def _add_path(
    half: Any,
    to: NDArray[np.int64],
    came: NDArray[np.int64],
    before: NDArray[np.int64],
    path: NDArray[np.int64],
) -> None:
    """Send one unit of flow along the path that ends at `half`."""
    n = 0
    path[0] = half
    while before[half] & LOW != half:
        half = before[half] & LOW
        n += 1
        path[n] = half
    came[half >> 1] = OUTSIDE
    for i in range(n, 0, -1):
        u, v = path[i] >> 1, path[i - 1] >> 1
        if path[i] & 1 == 1 and u == v:  # back through the node: nothing flows there any more
            to[v], came[v] = NOWHERE, NOWHERE
        elif path[i] & 1 == 1:
            to[u], came[v] = v, u
    to[path[0] >> 1] = OUTSIDE


@kernel
def dissect(
    near_start: NDArray[np.int64],
    near_head: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    stop: NDArray[np.uint8],
    order: NDArray[np.int64],
) -> int:
    """
    Order the nodes of a graph so that taking them out one by one adds few arcs.

    Parameters
    ----------
    near_start, near_head
        From `neighbours`.
    x, y
        Where the nodes are, float64 `(n,)`, in any unit that is the same both ways.
    stop
        uint8 `(1,)`: set to 1 from outside to end.
    order
        int64 `(n,)`, filled: the node taken out first, second and so on.

    Returns
    -------
    0 or STOPPED.
    """
    n = order.size
    for v in range(n):
        order[v] = v
    cell = np.full(n, -1, np.int64)
    to, came = np.empty(n, np.int64), np.empty(n, np.int64)
    is_sink = np.zeros(n, np.bool_)
    before, queue, path = np.zeros(2 * n, np.int64), np.empty(2 * n, np.int64), np.empty(2 * n + 1, np.int64)
    key, moved = np.empty(n), np.empty(n, np.int64)
    part, best_part = np.empty(n, np.int8), np.empty(n, np.int8)
    todo = np.empty((n + 2, 2), np.int64)
    todo[0] = 0, n
    n_todo, number, searches = 1, 0, 0
    while n_todo > 0:
        n_todo -= 1
        low, high = todo[n_todo]
        if high - low <= SMALLEST:
            continue
        number += 1
        own = order[low:high]
        for v in own:
            cell[v] = number
        outer = max(1, int(own.size * OUTER_SHARE))
        smallest, best = own.size, np.inf
        for direction in range(DIRECTIONS):
            for v in own:
                key[v] = (x[v], y[v], x[v] + y[v], x[v] - y[v])[direction]
                to[v], came[v], is_sink[v] = NOWHERE, NOWHERE, False
            _select(key, order, low, high, outer)
            _select(key, order, low + outer, high, own.size - 2 * outer)
            for v in own[own.size - outer :]:
                is_sink[v] = True
            flow = 0
            while flow <= SLACK * smallest:
                if stop[0] != 0:
                    return STOPPED
                searches += 1
                half = _find_path(
                    near_start,
                    near_head,
                    own[:outer],
                    cell,
                    number,
                    to,
                    came,
                    is_sink,
                    before,
                    queue,
                    searches << 32,
                )
                if half == NOWHERE:
                    break
                flow += 1
                _add_path(half, to, came, before, path)
            if flow > SLACK * smallest:
                continue
            # what the last search reached is on the near side; where it could enter but not leave is the cut
            stamp = searches << 32
            n_near, n_far = 0, 0
            for v in own:
                if before[2 * v + 1] >= stamp:
                    part[v] = NEAR
                    n_near += 1
                elif before[2 * v] >= stamp:
                    part[v] = CUT
                else:
                    part[v] = FAR
                    n_far += 1
            smallest = min(smallest, flow)
            score = (flow + 0.5) / (min(n_near, n_far) + 1)
            if score < best:
                best = score
                for v in own:
                    best_part[v] = part[v]
        count = np.zeros(3, np.int64)
        for v in own:
            count[best_part[v]] += 1
        place = np.array([low, low + count[NEAR], low + count[NEAR] + count[FAR]])
        for v in own:
            moved[place[best_part[v]]] = v
            place[best_part[v]] += 1
        own[:] = moved[low:high]
        todo[n_todo] = low, low + count[NEAR]
        todo[n_todo + 1] = low + count[NEAR], low + count[NEAR] + count[FAR]
        n_todo += 2
        for v in own[count[NEAR] + count[FAR] :]:
            cell[v] = -1
        if count[CUT] == 0 and min(count[NEAR], count[FAR]) == 0:
            n_todo -= 2  # nothing divides it
    return 0
