"""
Bounded Dijkstra on a CSR graph with integer milliseconds.

The cost follows the settled nodes: labels carry the number of their search (a stamp), so nothing of the size
of the graph is cleared or written per search. The heap holds ``time << 32 | node`` in one unsigned word;
a node may stand in it several times and counts the first time it comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNREACHED = np.uint32(0xFFFFFFFF)
STOPPED = -1
HEAP_FULL = -2
POLL_MASK = 0xFFFF  # the stop flag is read every 65,536 pops


@kernel
def _push(
    heap: NDArray[np.uint64],
    size: Any,
    key: Any,
) -> Any:
    """Add a key to the binary heap; return its new size."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if heap[parent] <= key:
            break
        heap[hole] = heap[parent]
        hole = parent
    heap[hole] = key
    return size + 1


@kernel
def _pop(
    heap: NDArray[np.uint64],
    size: Any,
) -> Any:
    """Take the least key out of the binary heap, which then has one key less."""
    least = heap[0]
    last = heap[size - 1]
    size -= 1
    hole, child = 0, 1
    while child < size:
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if last <= heap[child]:
            break
        heap[hole] = heap[child]
        hole = child
        child = 2 * hole + 1
    heap[hole] = last
    return least


@kernel
def search(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    seed_node: NDArray[np.int64],
    seed_ms: NDArray[np.int64],
    limit_ms: Any,
    stamp: Any,
    label: NDArray[np.uint64],
    heap: NDArray[np.uint64],
    stop: NDArray[np.uint8],
    out_node: NDArray[np.uint32],
    out_ms: NDArray[np.uint32],
) -> int:
    """
    Settle every node within `limit_ms` of the seeds, in order of time.

    Parameters
    ----------
    start, arc
        The graph: the arcs of node `v` are ``arc[start[v]:start[v + 1]]``, each (head, milliseconds); uint32.
    seed_node, seed_ms
        Where the search begins and the time already spent there; int64.
    limit_ms
        Inclusive bound, at most 2**31 - 1.
    stamp
        The number of this search in the upper 32 bits, larger than any in `label`; uint64.
    label
        uint64 `(n,)`: stamp | time of the nodes touched; scratch, kept between searches.
    heap
        uint64 scratch, at least arcs + seeds long.
    stop
        uint8 `(1,)`: set to 1 from outside to end the search.
    out_node, out_ms
        uint32 `(n,)`: the settled nodes and their times, in order of time.

    Returns
    -------
    Number of settled nodes, or STOPPED.
    """
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    limit = np.uint64(limit_ms)
    size = 0
    for i in range(seed_node.size):
        time = np.uint64(seed_ms[i])
        node = np.uint64(seed_node[i])
        if time <= limit and (label[node] < stamp or time < (label[node] & low)):
            label[node] = stamp | time
            size = _push(heap, size, (time << shift) | node)
    n_settled = 0
    n_pops = 0
    while size > 0:
        key = _pop(heap, size)
        size -= 1
        n_pops += 1
        if n_pops & POLL_MASK == 0 and stop[0] != 0:
            return STOPPED
        time = key >> shift
        node = key & low
        if label[node] != (stamp | time):
            continue  # a shorter way was found since
        out_node[n_settled] = np.uint32(node)
        out_ms[n_settled] = np.uint32(time)
        n_settled += 1
        left = limit - time
        for place in range(np.uintp(start[node]), np.uintp(start[node + np.uint64(1)])):
            weight = np.uint64(arc[place, 1])
            if weight > left:
                continue
            reached = time + weight
            head = np.uint64(arc[place, 0])
            if label[head] < stamp or reached < (label[head] & low):
                label[head] = stamp | reached
                size = _push(heap, size, (reached << shift) | head)
    return n_settled


@kernel
def search_nearest(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    seed_node: NDArray[np.int64],
    seed_ms: NDArray[np.int64],
    seed_owner: NDArray[np.int64],
    limit_ms: Any,
    heap: NDArray[np.uint64],
    stop: NDArray[np.uint8],
    out_ms: NDArray[np.uint32],
    out_owner: NDArray[np.int64],
) -> int:
    """
    Find for every node the nearest seed's owner and its time; equal times go to the smallest owner.

    Parameters
    ----------
    start, arc, limit_ms, heap, stop
        As in `search`. A tie won by a smaller owner puts a node in again, so no size of heap is always enough.
    seed_node, seed_ms, seed_owner
        int64 `(k,)`; several seeds may share an owner.
    out_ms
        uint32 `(n,)`, UNREACHED on entry.
    out_owner
        int64 `(n,)`, -1 on entry.

    Returns
    -------
    0, STOPPED, or HEAP_FULL: call again with fresh outputs and a larger heap.
    """
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    limit = np.uint64(limit_ms)
    size = 0
    for i in range(seed_node.size):
        time = np.uint64(seed_ms[i])
        node = np.uint64(seed_node[i])
        known = np.uint64(out_ms[node])
        if time <= limit and (time < known or (time == known and seed_owner[i] < out_owner[node])):
            out_ms[node] = np.uint32(time)
            out_owner[node] = seed_owner[i]
            size = _push(heap, size, (time << shift) | node)
    n_pops = 0
    while size > 0:
        key = _pop(heap, size)
        size -= 1
        n_pops += 1
        if n_pops & POLL_MASK == 0 and stop[0] != 0:
            return STOPPED
        time = key >> shift
        node = key & low
        if np.uint64(out_ms[node]) != time:
            continue
        left = limit - time
        owner = out_owner[node]
        for place in range(np.uintp(start[node]), np.uintp(start[node + np.uint64(1)])):
            weight = np.uint64(arc[place, 1])
            if weight > left:
                continue
            reached = time + weight
            head = np.uint64(arc[place, 0])
            known = np.uint64(out_ms[head])
            if reached < known or (reached == known and owner < out_owner[head]):
                if size == heap.size:
                    return HEAP_FULL
                out_ms[head] = np.uint32(reached)
                out_owner[head] = owner
                size = _push(heap, size, (reached << shift) | head)
    return 0
