"""
Bounded Dijkstra on a CSR graph with integer milliseconds.

The cost follows the settled nodes: labels carry the number of their search (a stamp), so nothing of the size
of the graph is cleared or written per search. Waiting nodes queue in buckets of ``2**width`` milliseconds (Dial
1969); within a bucket labels are corrected until none changes, first come first served, so the times are exact for
any width and a width that does not suit the arcs costs little. On road networks this takes half the time of a 4-ary
heap and a third of a binary one (`benchmarks/README.md`). To queue an entry is spelled out where it is done: a
function of its own is not inlined, and costs a third of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNREACHED = np.uint32(0xFFFFFFFF)
NONE = np.uint32(0xFFFFFFFF)  # entries are unsigned, so that no index is tested for being negative
STOPPED = -1
FULL = -2
POLL_MASK = 0xFFFF  # the stop flag is read every 65,536 nodes taken out


@kernel
def search(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    seed_node: NDArray[np.int64],
    seed_ms: NDArray[np.int64],
    limit_ms: Any,
    width: Any,
    stamp: Any,
    goal: NDArray[np.uint8],
    n_goals: Any,
    label: NDArray[np.uint64],
    bucket: NDArray[np.uint32],
    entry: NDArray[np.uint64],
    link: NDArray[np.uint32],
    stop: NDArray[np.uint8],
    out_node: NDArray[np.uint32],
    out_ms: NDArray[np.uint32],
) -> Any:
    """
    Settle every node within `limit_ms` of the seeds.

    Parameters
    ----------
    start, arc
        The graph: the arcs of node `v` are ``arc[start[v]:start[v + 1]]``, each (head, milliseconds); uint32.
    seed_node, seed_ms
        Where the search begins and the time already spent there; int64.
    limit_ms
        Inclusive bound, at most 2**31 - 1.
    width
        Buckets are ``2**width`` ms wide.
    stamp
        The number of this search in the upper 32 bits, larger than any in `label`; uint64.
    goal, n_goals
        uint8 `(n,)`, 1 at the `n_goals` nodes after which the search may end; with 0 goals it does not end early.
    label
        uint64 `(n,)`: stamp | time of the nodes touched; scratch, kept between searches.
    bucket
        uint32 `(b, 2)`, more than ``limit_ms >> width`` long: first and last entry; the first is NONE on entry and
        on return.
    entry, link
        uint64 and uint32 scratch of one length: what waits, ``time << 32 | node``.
    stop
        uint8 `(1,)`: set to 1 from outside to end the search.
    out_node, out_ms
        uint32 `(n,)`: the settled nodes and their times, in no particular order.

    Returns
    -------
    Number of settled nodes, STOPPED, or FULL: call again with a new stamp and longer `entry` and `link`.
    """
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    wide = np.uint64(width)
    limit = np.uint64(limit_ms)
    room = np.uintp(entry.size)
    spare, used, waiting = NONE, np.uintp(0), 0
    n_found, one = np.uintp(0), np.uintp(1)
    last = np.uint64(0)
    status = 0
    for i in range(seed_node.size):
        time = np.uint64(seed_ms[i])
        node = np.uint64(seed_node[i])
        if time > limit or (label[node] >= stamp and time >= (label[node] & low)):
            continue
        if spare == NONE and used == room:
            status = FULL
            break
        if label[node] < stamp:
            out_node[n_found] = np.uint32(node)
            n_found += one
        label[node] = stamp | time
        if spare != NONE:
            place = np.uintp(spare)
            spare = link[place]
        else:
            place = used
            used += np.uintp(1)
        at = time >> wide
        entry[place] = (time << shift) | node
        link[place] = NONE
        if bucket[at, 0] == NONE:
            bucket[at, 0] = np.uint32(place)
        else:
            link[np.uintp(bucket[at, 1])] = np.uint32(place)
        bucket[at, 1] = np.uint32(place)
        last = max(last, at)
        waiting += 1
    open_goals = n_goals
    n_taken = 0
    at = np.uint64(0)
    while waiting > 0 and status == 0:
        while bucket[at, 0] != NONE:
            place = np.uintp(bucket[at, 0])
            bucket[at, 0] = link[place]
            key = entry[place]
            link[place] = spare
            spare = np.uint32(place)
            waiting -= 1
            n_taken += 1
            if n_taken & POLL_MASK == 0 and stop[0] != 0:
                status = STOPPED
                break
            time = key >> shift
            node = key & low
            if label[node] != (stamp | time):
                continue  # a shorter way was found since
            if open_goals > 0 and goal[node] == 1:
                # it may come out again within this bucket, never after it
                goal[node] = 2
                open_goals -= 1
            left = limit - time
            for i in range(np.uintp(start[node]), np.uintp(start[node + np.uint64(1)])):
                weight = np.uint64(arc[i, 1])
                if weight > left:
                    continue
                reached = time + weight
                head = np.uint64(arc[i, 0])
                known = label[head]
                if known < stamp:
                    out_node[n_found] = np.uint32(head)
                    n_found += one
                elif reached >= (known & low):
                    continue
                label[head] = stamp | reached
                if spare == NONE and used == room:
                    status = FULL
                    break
                if spare != NONE:
                    place = np.uintp(spare)
                    spare = link[place]
                else:
                    place = used
                    used += np.uintp(1)
                then = reached >> wide
                entry[place] = (reached << shift) | head
                link[place] = NONE
                if bucket[then, 0] == NONE:
                    bucket[then, 0] = np.uint32(place)
                else:
                    link[np.uintp(bucket[then, 1])] = np.uint32(place)
                bucket[then, 1] = np.uint32(place)
                last = max(last, then)
                waiting += 1
            if status != 0:
                break
        at += np.uint64(1)
        if n_goals > 0 and open_goals == 0:
            break
    ended = at << wide
    if waiting > 0:
        for i in range(last + np.uint64(1)):
            bucket[np.uintp(i), 0] = NONE
    if n_goals > 0:
        for i in range(n_found):
            if goal[out_node[i]] == 2:
                goal[out_node[i]] = 1
    if status != 0:
        return status
    n_settled = np.uintp(0)
    for i in range(n_found):
        node = np.uint64(out_node[i])
        time = label[node] & low
        if waiting > 0 and time >= ended:
            continue  # not final when the last goal was
        out_node[n_settled] = np.uint32(node)
        out_ms[n_settled] = np.uint32(time)
        n_settled += one
    return np.int64(n_settled)


@kernel
def _insert(
    near: NDArray[np.uint64],
    first: Any,
    k: Any,
    key: Any,
) -> bool:
    """Put ``time << 32 | owner`` among a node's `k` least of different owners; tell whether it belongs there."""
    low = np.uint64(0xFFFFFFFF)
    owner = key & low
    place = first + k - 1
    if key >= near[place]:
        return False
    for i in range(first, first + k):
        if near[i] & low == owner:
            if near[i] <= key:
                return False
            place = i  # the owner's later time makes room
            break
    while place > first and near[place - 1] > key:
        near[place] = near[place - 1]
        place -= 1
    near[place] = key
    return True


@kernel
def _holds(
    near: NDArray[np.uint64],
    first: Any,
    k: Any,
    key: Any,
) -> bool:
    """Tell whether a node still has this time and owner among its least."""
    for i in range(first, first + k):  # noqa: SIM110  # numba compiles no generators
        if near[i] == key:
            return True
    return False


@kernel
def search_nearest(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    seed_node: NDArray[np.int64],
    seed_ms: NDArray[np.int64],
    seed_owner: NDArray[np.int64],
    limit_ms: Any,
    width: Any,
    k: Any,
    bucket: NDArray[np.uint32],
    entry: NDArray[np.uint64],
    entry_node: NDArray[np.uint32],
    link: NDArray[np.uint32],
    stop: NDArray[np.uint8],
    near: NDArray[np.uint64],
) -> int:
    """
    Find for every node the owners of its `k` nearest seeds; equal times go to the smallest owner.

    Parameters
    ----------
    start, arc, limit_ms, width, bucket, stop
        As in `search`.
    seed_node, seed_ms, seed_owner
        int64 `(s,)`; several seeds may share an owner.
    k
        Number of different owners wanted.
    entry, entry_node, link
        uint64, uint32 and uint32 scratch of one length.
    near
        uint64 `(n * k,)`, all ones on entry: ``time << 32 | owner`` of each node, ascending.

    Returns
    -------
    0, STOPPED, or FULL: call again with fresh `bucket` and `near` and longer scratch.
    """
    shift = np.uint64(32)
    wide = np.uint64(width)
    limit = np.uint64(limit_ms)
    low = np.uint64(0xFFFFFFFF)
    room = np.uintp(entry.size)
    spare, used, waiting = NONE, np.uintp(0), 0
    for i in range(seed_node.size):
        time = np.uint64(seed_ms[i])
        key = (time << shift) | np.uint64(seed_owner[i])
        if time > limit or not _insert(near, seed_node[i] * k, k, key):
            continue
        if spare == NONE and used == room:
            return FULL
        if spare != NONE:
            place = np.uintp(spare)
            spare = link[place]
        else:
            place = used
            used += np.uintp(1)
        at = time >> wide
        entry[place] = key
        entry_node[place] = np.uint32(seed_node[i])
        link[place] = NONE
        if bucket[at, 0] == NONE:
            bucket[at, 0] = np.uint32(place)
        else:
            link[np.uintp(bucket[at, 1])] = np.uint32(place)
        bucket[at, 1] = np.uint32(place)
        waiting += 1
    n_taken = 0
    at = np.uint64(0)
    while waiting > 0:
        while bucket[at, 0] != NONE:
            place = np.uintp(bucket[at, 0])
            bucket[at, 0] = link[place]
            key = entry[place]
            node = np.int64(entry_node[place])
            link[place] = spare
            spare = np.uint32(place)
            waiting -= 1
            n_taken += 1
            if n_taken & POLL_MASK == 0 and stop[0] != 0:
                return STOPPED
            if not _holds(near, node * k, k, key):
                continue  # the owner, or k others, came sooner
            time = key >> shift
            left = limit - time
            for i in range(np.uintp(start[node]), np.uintp(start[node + 1])):
                weight = np.uint64(arc[i, 1])
                if weight > left:
                    continue
                reached = time + weight
                head = np.int64(arc[i, 0])
                then_key = (reached << shift) | (key & low)
                if not _insert(near, head * k, k, then_key):
                    continue
                if spare == NONE and used == room:
                    return FULL
                if spare != NONE:
                    place = np.uintp(spare)
                    spare = link[place]
                else:
                    place = used
                    used += np.uintp(1)
                then = reached >> wide
                entry[place] = then_key
                entry_node[place] = np.uint32(head)
                link[place] = NONE
                if bucket[then, 0] == NONE:
                    bucket[then, 0] = np.uint32(place)
                else:
                    link[np.uintp(bucket[then, 1])] = np.uint32(place)
                bucket[then, 1] = np.uint32(place)
                waiting += 1
        at += np.uint64(1)
    return 0


@kernel
def times_at_ends(
    label: NDArray[np.uint64],
    stamp: Any,
    end_start: NDArray[np.int64],
    end_state: NDArray[np.int64],
    end_ms: NDArray[np.int64],
    pair_target: NDArray[np.int64],
    pair_ms: NDArray[np.int64],
    limit_ms: Any,
    out: NDArray[np.uint32],
) -> None:
    """
    Give the time of each target from the labels of one search.

    Parameters
    ----------
    label, stamp, limit_ms
        As in `search`.
    end_start, end_state, end_ms
        CSR by target, int64: nodes, and milliseconds between them and the target.
    pair_target, pair_ms
        int64: targets on the source's own edge, and their time along it.
    out
        uint32 `(targets,)`, filled; UNREACHED beyond the bound.
    """
    low = np.uint64(0xFFFFFFFF)
    for target in range(out.size):
        out[target] = UNREACHED
        for e in range(end_start[target], end_start[target + 1]):
            known = label[end_state[e]]
            if known >= stamp:
                ms = np.int64(known & low) + end_ms[e]
                if ms <= limit_ms:
                    out[target] = min(out[target], np.uint32(ms))
    for p in range(pair_target.size):
        out[pair_target[p]] = min(out[pair_target[p]], np.uint32(pair_ms[p]))


@kernel
def nearest_ends(
    near: NDArray[np.uint64],
    k: Any,
    end_start: NDArray[np.int64],
    end_state: NDArray[np.int64],
    end_ms: NDArray[np.int64],
    pair_source: NDArray[np.int64],
    pair_target: NDArray[np.int64],
    pair_ms: NDArray[np.int64],
    limit_ms: Any,
    out: NDArray[np.uint64],
) -> None:
    """
    Give each target the nearest owners of the nodes where it leaves the graph.

    Parameters
    ----------
    near, k
        From `search_nearest`.
    end_start, end_state, end_ms
        CSR by target, int64: nodes, and milliseconds between them and the target.
    pair_source, pair_target, pair_ms
        int64: owners on the target's own edge, and their time along it.
    limit_ms
        Inclusive bound.
    out
        uint64 `(targets * k,)`, all ones on entry: ``time << 32 | owner``, ascending.
    """
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for target in range(end_start.size - 1):
        for e in range(end_start[target], end_start[target + 1]):
            first = end_state[e] * k
            for i in range(first, first + k):
                if near[i] & low == low:
                    break
                time = np.int64(near[i] >> shift) + end_ms[e]
                if time > limit_ms:
                    break
                _insert(out, target * k, k, (np.uint64(time) << shift) | (near[i] & low))
    for p in range(pair_source.size):
        _insert(out, pair_target[p] * k, k, (np.uint64(pair_ms[p]) << shift) | np.uint64(pair_source[p]))


@kernel
def _add_reached(
    out: NDArray[np.int64],
    row: Any,
    weight: NDArray[np.int64],
    weight_row: Any,
    ms: Any,
    cutoff_ms: NDArray[np.uint32],
    decay: NDArray[np.int64],
) -> None:
    """Add what one origin has of one target to its sums, by cut-off."""
    for c in range(cutoff_ms.size):
        if ms <= cutoff_ms[c]:
            factor = np.int64(1) if decay.size == 0 else decay[ms]
            for q in range(weight.shape[1]):
                out[row, c, q] += weight[weight_row, q] * factor


@kernel
def _touch(
    target_label: NDArray[np.uint64],
    touched: NDArray[np.uint32],
    n_touched: Any,
    target: Any,
    ms: Any,
    limit: Any,
    stamp: Any,
) -> Any:
    """Note a time at a target, the least of several; return how many targets have been noted."""
    if ms > limit:
        return n_touched
    key = stamp | np.uint64(ms)
    if target_label[target] < stamp:
        touched[n_touched] = np.uint32(target)
        n_touched += 1
    elif target_label[target] <= key:
        return n_touched
    target_label[target] = key
    return n_touched


@kernel
def search_sums(
    start: NDArray[np.uint32],
    arc: NDArray[np.uint32],
    source: NDArray[np.int64],
    seed_start: NDArray[np.int64],
    seed_node: NDArray[np.int64],
    seed_ms: NDArray[np.int64],
    end_start: NDArray[np.int64],
    end_target: NDArray[np.int64],
    end_ms: NDArray[np.int64],
    pair_start: NDArray[np.int64],
    pair_target: NDArray[np.int64],
    pair_ms: NDArray[np.int64],
    weight: NDArray[np.int64],
    cutoff_ms: NDArray[np.uint32],
    decay: NDArray[np.int64],
    is_turned: Any,
    is_single: Any,
    width: Any,
    first_stamp: Any,
    goal: NDArray[np.uint8],
    label: NDArray[np.uint64],
    bucket: NDArray[np.uint32],
    entry: NDArray[np.uint64],
    link: NDArray[np.uint32],
    node: NDArray[np.uint32],
    node_ms: NDArray[np.uint32],
    target_label: NDArray[np.uint64],
    touched: NDArray[np.uint32],
    stop: NDArray[np.uint8],
    out: NDArray[np.int64],
) -> int:
    """
    Search from several sources and add up the weights reached within each cut-off, without a list of pairs.

    Parameters
    ----------
    start, arc, width, label, bucket, entry, link, stop
        As in `search`; `node` and `node_ms` are its outputs, `goal` is not used but must be given.
    source
        int64 `(s,)`: rows of the sources of this call, as `out` or, if turned, `weight` has them.
    seed_start, seed_node, seed_ms
        CSR by source of this call: where each enters the graph.
    end_start, end_target, end_ms
        CSR by node of the graph: the targets that are left from there and what that costs, int64.
    pair_start, pair_target, pair_ms
        CSR by source of this call: targets on the source's own edge, and their time along it.
    weight
        int64 `(rows, q)`: of targets; of sources if `is_turned`.
    cutoff_ms
        uint32, ascending, inclusive.
    decay
        int64: what a weight counts at each whole millisecond up to the last cut-off; empty for 1.
    is_turned
        Add to the rows of targets what the sources weigh, instead of the other way round.
    is_single
        No target has several ends, so that none has to be kept in mind.
    first_stamp
        The number of the first of these searches.
    target_label, touched
        uint64 and uint32 `(t,)` scratch; labels as in `search`.
    out
        int64 `(rows, cut-offs, q)`, added to.

    Returns
    -------
    Number of sources done; if fewer than `source.size`, the search of the next one said STOPPED or was FULL.
    """
    limit = np.int64(cutoff_ms[cutoff_ms.size - 1])
    low = np.uint64(0xFFFFFFFF)
    for i in range(source.size):
        stamp = np.uint64(np.int64(first_stamp) + i) << np.uint64(32)
        low_seed, high_seed = seed_start[i], seed_start[i + 1]
        n = search(
            start, arc, seed_node[low_seed:high_seed], seed_ms[low_seed:high_seed], limit, width, stamp, goal, 0, label,
            bucket, entry, link, stop, node, node_ms,
        )  # fmt: skip
        if n < 0 or stop[0] != 0:  # small searches end before they look at the flag
            return i
        if is_single and pair_start[i] == pair_start[i + 1]:
            for j in range(n):
                at = np.int64(node[j])
                for e in range(end_start[at], end_start[at + 1]):
                    ms = np.int64(node_ms[j]) + end_ms[e]
                    if is_turned:
                        _add_reached(out, end_target[e], weight, source[i], ms, cutoff_ms, decay)
                    else:
                        _add_reached(out, source[i], weight, end_target[e], ms, cutoff_ms, decay)
            continue
        n_touched = 0
        for p in range(pair_start[i], pair_start[i + 1]):
            n_touched = _touch(target_label, touched, n_touched, pair_target[p], pair_ms[p], limit, stamp)
        for j in range(n):
            at = np.int64(node[j])
            for e in range(end_start[at], end_start[at + 1]):
                ms = np.int64(node_ms[j]) + end_ms[e]
                n_touched = _touch(target_label, touched, n_touched, end_target[e], ms, limit, stamp)
        for j in range(n_touched):
            target = np.int64(touched[j])
            ms = np.int64(target_label[target] & low)
            if is_turned:
                _add_reached(out, target, weight, source[i], ms, cutoff_ms, decay)
            else:
                _add_reached(out, source[i], weight, target, ms, cutoff_ms, decay)
    return source.size
