"""
Sixteen searches at once down a contraction hierarchy (PHAST; Delling, Goldberg, Nowatzyk and Werneck 2013).

A source climbs to the root over its ancestors only. Then all nodes are swept from the root down: a row of
sixteen times, one of each source, is the least of the rows above it plus one arc each. A row is one cache line
and one vector; numba does not vectorise such loops by itself, so the three operations on rows are written in
LLVM's vector types below, with twins in plain Python for runs without a compiler.

Regions that no source comes to are skipped exactly: the ways into a node's subtree lead over its neighbours
above, so if none of those is reached and no source lies inside, nothing in it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo._kernels._jit import kernel, vector_operation

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANES = 16
NEVER = np.uint32(0x7FFFFFFF)  # two of them do not overflow
NO_ROW = np.uint32(0xFFFFFFFF)
UNREACHED = np.uint32(0xFFFFFFFF)
STOPPED = -1
POLL_MASK = 0xFFFF  # the stop flag is read every 65,536 rows


class Plan(NamedTuple):
    """
    A hierarchy, or the part of it that some targets need, as sweeps take it; read-only.

    Attributes
    ----------
    parent
        int64 `(n,)`, by place: the place above in the elimination tree, -1 at a root.
    rise_start, rise_arc
        uint32: arcs towards the root, by place: (place, milliseconds).
    row
        uint32 `(n,)`: row of each place, NO_ROW for places left out.
    fall_start, fall_arc
        uint32: arcs that come from above, by row: (row, milliseconds).
    below
        uint32 `(rows,)`: size of the subtree, the row included; its rows follow directly.
    is_gate
        uint8 `(rows,)`: whether to look if the subtree can be skipped.
    near_start, near_row
        uint32: all neighbours above, by row; needed at gates only.
    """

    parent: NDArray[np.int64]
    rise_start: NDArray[np.uint32]
    rise_arc: NDArray[np.uint32]
    row: NDArray[np.uint32]
    fall_start: NDArray[np.uint32]
    fall_arc: NDArray[np.uint32]
    below: NDArray[np.uint32]
    is_gate: NDArray[np.uint8]
    near_start: NDArray[np.uint32]
    near_row: NDArray[np.uint32]


class Sources(NamedTuple):
    """
    The sources of some batches, sixteen each but the last.

    Attributes
    ----------
    number
        int64 `(s,)`: the caller's row of each source.
    seed_start, seed_place, seed_ms
        int64: where each enters the hierarchy, and the time already spent there.
    pair_start
        int64 `(batches + 1,)`: the pairs of each batch.
    pair_target, pair_lane, pair_ms
        int64: targets on a source's own edge and their time along it, sorted by batch and target.
    """

    number: NDArray[np.int64]
    seed_start: NDArray[np.int64]
    seed_place: NDArray[np.int64]
    seed_ms: NDArray[np.int64]
    pair_start: NDArray[np.int64]
    pair_target: NDArray[np.int64]
    pair_lane: NDArray[np.int64]
    pair_ms: NDArray[np.int64]


class Targets(NamedTuple):
    """
    Where targets leave the hierarchy.

    Attributes
    ----------
    end_start, end_arc
        uint32: (row, milliseconds) of each target's ends.
    at_start, at_target
        uint32: the targets that end at each row.
    """

    end_start: NDArray[np.uint32]
    end_arc: NDArray[np.uint32]
    at_start: NDArray[np.uint32]
    at_target: NDArray[np.uint32]


class Scratch(NamedTuple):
    """
    What one worker keeps between batches.

    Attributes
    ----------
    dist
        uint32 `(rows + 2, 16)`, NEVER between batches; after the rows one for targets, and one that stays NEVER.
    walk
        uint32 `(n,)`, NEVER between batches.
    mark, is_reached, span
        uint32, uint8 `(rows,)` and uint32 `(rows + 1, 2)`: batch of the last climb through a row, whether a row is
        reached, and the ranges of rows swept.
    target_mark, pair_mark, pair_first, touched
        uint32 `(targets,)`.
    """

    dist: NDArray[np.uint32]
    walk: NDArray[np.uint32]
    mark: NDArray[np.uint32]
    is_reached: NDArray[np.uint8]
    span: NDArray[np.uint32]
    target_mark: NDArray[np.uint32]
    pair_mark: NDArray[np.uint32]
    pair_first: NDArray[np.uint32]
    touched: NDArray[np.uint32]


def _relax_row_plainly(dist: Any, base: Any, row: Any, arc: Any, low: Any, high: Any, limit: Any) -> Any:
    dist[row] = dist[base]
    for i in range(low, high):
        dist[row] = np.minimum(dist[row], dist[arc[i, 0]] + arc[i, 1])
    return sum(1 << lane for lane in range(LANES) if dist[row, lane] <= limit)


@vector_operation(plain=_relax_row_plainly)
def _relax_row(  # pragma: no cover  # runs in the compiler only, as the other two operations
    _typing: Any, dist: Any, _base: Any, _row: Any, arc: Any, _low: Any, _high: Any, _limit: Any
) -> Any:
    """Make a row the least of a base and other rows plus an arc; return the lanes within the limit as bits."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, long, lanes = ir.IntType(32), ir.IntType(64), ir.VectorType(ir.IntType(32), LANES)
        rows = _pointer(context, builder, signature.args[0], values[0], lanes)
        arcs = _pointer(context, builder, signature.args[3], values[3], word)
        before = _load(builder, builder.gep(rows, [values[1]]))
        entry = builder.block
        loop, body, after = (builder.append_basic_block(name) for name in ("arcs", "arc", "done"))
        builder.branch(loop)
        builder.position_at_end(loop)
        i, least = builder.phi(long), builder.phi(lanes)
        i.add_incoming(values[4], entry)
        least.add_incoming(before, entry)
        builder.cbranch(builder.icmp_unsigned("<", i, values[5]), body, after)
        builder.position_at_end(body)
        first = builder.shl(i, ir.Constant(long, 1))
        head = builder.load(builder.gep(arcs, [first]))
        ms = builder.load(builder.gep(arcs, [builder.add(first, ir.Constant(long, 1))]))
        other = _load(builder, builder.gep(rows, [builder.zext(head, long)]))
        time = builder.add(other, _in_all_lanes(builder, ms, word))
        less = builder.select(builder.icmp_unsigned("<", time, least), time, least)
        i.add_incoming(builder.add(i, ir.Constant(long, 1)), body)
        least.add_incoming(less, body)
        builder.branch(loop)
        builder.position_at_end(after)
        builder.store(least, builder.gep(rows, [values[2]])).align = 4
        within = builder.icmp_unsigned("<=", least, _in_all_lanes(builder, values[6], word))
        return builder.zext(builder.bitcast(within, ir.IntType(LANES)), word)

    size = types.uintp
    return types.uint32(dist, size, size, arc, size, size, types.uint32), generate


def _add_within_plainly(dist: Any, row: Any, cutoff: Any, weight: Any, total: Any, place: Any) -> None:
    total[place] += np.where(dist[row] <= cutoff, weight, 0)


@vector_operation(plain=_add_within_plainly)
def _add_within(  # pragma: no cover
    _typing: Any, dist: Any, _row: Any, _cutoff: Any, _weight: Any, total: Any, _place: Any
) -> Any:
    """Add a weight to the totals of the lanes that are within the cut-off."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, long = ir.IntType(32), ir.IntType(64)
        times, totals = ir.VectorType(word, LANES), ir.VectorType(long, LANES)
        row_at = builder.gep(_pointer(context, builder, signature.args[0], values[0], times), [values[1]])
        within = builder.icmp_unsigned("<=", _load(builder, row_at), _in_all_lanes(builder, values[2], word))
        at = builder.gep(_pointer(context, builder, signature.args[4], values[4], totals), [values[5]])
        more = builder.select(
            within, _in_all_lanes(builder, values[3], long), ir.Constant(totals, [0] * LANES)
        )
        builder.store(builder.add(_load(builder, at), more), at).align = 4
        return context.get_dummy_value()

    return types.void(dist, types.uintp, types.uint32, types.int64, total, types.uintp), generate


def _sum_within_plainly(dist: Any, row: Any, cutoff: Any, weight: Any, place: Any) -> Any:
    return np.where(dist[row] <= cutoff, weight[place], 0).sum()


@vector_operation(plain=_sum_within_plainly)
def _sum_within(  # pragma: no cover
    _typing: Any, dist: Any, _row: Any, _cutoff: Any, weight: Any, _place: Any
) -> Any:
    """Sum what the lanes within the cut-off weigh."""
    from llvmlite import ir
    from numba.core import cgutils, types

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, long = ir.IntType(32), ir.IntType(64)
        times, weights = ir.VectorType(word, LANES), ir.VectorType(long, LANES)
        row_at = builder.gep(_pointer(context, builder, signature.args[0], values[0], times), [values[1]])
        within = builder.icmp_unsigned("<=", _load(builder, row_at), _in_all_lanes(builder, values[2], word))
        at = builder.gep(_pointer(context, builder, signature.args[3], values[3], weights), [values[4]])
        taken = builder.select(within, _load(builder, at), ir.Constant(weights, [0] * LANES))
        tools: Any = cgutils
        add_lanes = tools.get_or_insert_function(
            builder.module, ir.FunctionType(long, [weights]), f"llvm.vector.reduce.add.v{LANES}i64"
        )
        return builder.call(add_lanes, [taken])

    return types.int64(dist, types.uintp, types.uint32, weight, types.uintp), generate


def _store_within_plainly(dist: Any, row: Any, limit: Any, block: Any, line: Any) -> None:
    block[line] = np.where(dist[row] <= limit, dist[row], UNREACHED)


@vector_operation(plain=_store_within_plainly)
def _store_within(  # pragma: no cover
    _typing: Any, dist: Any, _row: Any, _limit: Any, block: Any, _line: Any
) -> Any:
    """Copy a row to a line of a block, UNREACHED beyond the limit."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, lanes = ir.IntType(32), ir.VectorType(ir.IntType(32), LANES)
        row = _load(
            builder, builder.gep(_pointer(context, builder, signature.args[0], values[0], lanes), [values[1]])
        )
        within = builder.icmp_unsigned("<=", row, _in_all_lanes(builder, values[2], word))
        line = builder.gep(_pointer(context, builder, signature.args[3], values[3], lanes), [values[4]])
        kept = builder.select(within, row, ir.Constant(lanes, [int(UNREACHED)] * LANES))
        builder.store(kept, line).align = 4
        return context.get_dummy_value()

    return types.void(dist, types.uintp, types.uint32, block, types.uintp), generate


def _pointer(  # pragma: no cover
    context: Any, builder: Any, array_type: Any, array: Any, item: Any
) -> Any:
    """Return the data of an array as a pointer to items of a type."""
    return builder.bitcast(context.make_array(array_type)(context, builder, array).data, item.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:  # pragma: no cover
    """Load a row; arrays start on a cache line for speed, but nothing breaks where they do not."""
    value = builder.load(pointer)
    value.align = 4
    return value


def _in_all_lanes(builder: Any, value: Any, item: Any) -> Any:  # pragma: no cover
    from llvmlite import ir

    lanes = ir.VectorType(item, LANES)
    first = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(lanes, ir.Undefined), order)


@kernel
def _climb(
    plan: Plan,
    scratch: Scratch,
    sources: Sources,
    source: Any,
    lane: Any,
    limit: Any,
    batch: Any,
) -> None:
    """Find the times of a source's ancestors and write them into its lane."""
    walk = scratch.walk
    for i in range(sources.seed_start[source], sources.seed_start[source + 1]):
        if sources.seed_ms[i] > limit:
            continue
        place = sources.seed_place[i]
        walk[place] = min(walk[place], np.uint32(sources.seed_ms[i]))
        while place >= 0:
            time = walk[place]
            if time <= limit:
                for a in range(np.uintp(plan.rise_start[place]), np.uintp(plan.rise_start[place + 1])):
                    head = np.uintp(plan.rise_arc[a, 0])
                    reached = np.uint32(time + plan.rise_arc[a, 1])
                    walk[head] = min(walk[head], reached)
            place = plan.parent[place]
    for i in range(sources.seed_start[source], sources.seed_start[source + 1]):
        place = sources.seed_place[i] if sources.seed_ms[i] <= limit else -1
        while place >= 0:
            row = plan.row[place]
            if row != NO_ROW:
                scratch.mark[row] = batch
                if walk[place] < NEVER:
                    scratch.dist[row, lane] = walk[place]
            walk[place] = NEVER
            place = plan.parent[place]


@kernel
def _descend(
    plan: Plan,
    scratch: Scratch,
    limit: Any,
    batch: Any,
    stop: NDArray[np.uint8],
) -> int:
    """Sweep the rows from the root down, past regions that nobody comes to; return the number of ranges swept."""
    n = np.uintp(plan.below.size)
    one = np.uintp(1)
    row, first = np.uintp(0), np.uintp(0)
    n_spans = 0
    n_rows = 0
    while row < n:
        if plan.is_gate[row] != 0 and scratch.mark[row] != batch:
            is_open = False
            for a in range(np.uintp(plan.near_start[row]), np.uintp(plan.near_start[row + one])):
                if scratch.is_reached[plan.near_row[a]] != 0:
                    is_open = True
                    break
            if not is_open:
                if row > first:
                    scratch.span[n_spans, 0] = np.uint32(first)
                    scratch.span[n_spans, 1] = np.uint32(row)
                    n_spans += 1
                row += np.uintp(plan.below[row])
                first = row
                continue
        n_rows += 1
        if n_rows & POLL_MASK == 0 and stop[0] != 0:
            return STOPPED
        low, high = np.uintp(plan.fall_start[row]), np.uintp(plan.fall_start[row + one])
        within = _relax_row(scratch.dist, row, row, plan.fall_arc, low, high, limit)
        scratch.is_reached[row] = 1 if within != 0 else 0
        row += one
    if n > first:
        scratch.span[n_spans, 0] = np.uint32(first)
        scratch.span[n_spans, 1] = np.uint32(n)
        n_spans += 1
    return n_spans


@kernel
def _touch(
    targets: Targets,
    scratch: Scratch,
    sources: Sources,
    number: Any,
    n_spans: Any,
    batch: Any,
) -> int:
    """List the targets that somebody may have come to; return their number."""
    n = 0
    for i in range(sources.pair_start[number], sources.pair_start[number + 1]):
        target = sources.pair_target[i]
        if scratch.pair_mark[target] != batch:
            scratch.pair_mark[target] = batch
            scratch.pair_first[target] = np.uint32(i)
            scratch.target_mark[target] = batch
            scratch.touched[n] = np.uint32(target)
            n += 1
    for span in range(n_spans):
        for row in range(np.uintp(scratch.span[span, 0]), np.uintp(scratch.span[span, 1])):
            if scratch.is_reached[row] == 0:
                continue
            for i in range(np.uintp(targets.at_start[row]), np.uintp(targets.at_start[row + np.uintp(1)])):
                target = np.uintp(targets.at_target[i])
                if scratch.target_mark[target] != batch:
                    scratch.target_mark[target] = batch
                    scratch.touched[n] = np.uint32(target)
                    n += 1
    return n


@kernel
def _meet(
    targets: Targets,
    scratch: Scratch,
    sources: Sources,
    number: Any,
    target: Any,
    limit: Any,
    batch: Any,
) -> Any:
    """Bring the times at a target into the row for targets; return the lanes within the limit as bits."""
    last = np.uintp(scratch.dist.shape[0] - 2)
    low, high = np.uintp(targets.end_start[target]), np.uintp(targets.end_start[target + np.uintp(1)])
    within = _relax_row(scratch.dist, last + np.uintp(1), last, targets.end_arc, low, high, limit)
    if scratch.pair_mark[target] == batch:
        i = np.int64(scratch.pair_first[target])
        while i < sources.pair_start[number + 1] and sources.pair_target[i] == np.int64(target):
            lane, ms = sources.pair_lane[i], np.uint32(sources.pair_ms[i])
            if ms <= limit:
                scratch.dist[last, lane] = min(scratch.dist[last, lane], ms)
                within |= np.uint32(1) << np.uint32(lane)
            i += 1
    return within


@kernel
def _sweep(
    plan: Plan,
    targets: Targets,
    sources: Sources,
    scratch: Scratch,
    number: Any,
    limit: Any,
    batch: Any,
    stop: NDArray[np.uint8],
) -> tuple[int, int]:
    """Do all of one batch but the sums; return the number of ranges swept, or STOPPED, and of targets touched."""
    first = number * LANES
    for lane in range(min(LANES, sources.number.size - first)):
        _climb(plan, scratch, sources, first + lane, lane, limit, batch)
    n_spans = _descend(plan, scratch, limit, batch, stop)
    if n_spans == STOPPED:
        return STOPPED, 0
    return n_spans, _touch(targets, scratch, sources, number, n_spans, batch)


@kernel
def _clear(
    scratch: Scratch,
    n_spans: Any,
) -> None:
    for span in range(n_spans):
        for row in range(np.uintp(scratch.span[span, 0]), np.uintp(scratch.span[span, 1])):
            for lane in range(LANES):
                scratch.dist[row, lane] = NEVER


@kernel
def sweep_sums(
    plan: Plan,
    targets: Targets,
    sources: Sources,
    scratch: Scratch,
    weight: NDArray[np.int64],
    cutoff_ms: NDArray[np.uint32],
    decay: NDArray[np.int64],
    is_turned: Any,
    first_batch: Any,
    stop: NDArray[np.uint8],
    out: NDArray[np.int64],
) -> int:
    """
    Add up the weights within each cut-off, without a list of pairs.

    Parameters
    ----------
    plan, targets, sources, scratch
        See their classes.
    weight
        int64 `(rows, q)`: of targets; of sources if `is_turned`.
    cutoff_ms
        uint32, ascending, inclusive, below NEVER.
    decay
        int64: what a weight counts at each whole millisecond up to the last cut-off; empty for 1.
    is_turned
        Add to the rows of targets what the sources weigh, instead of the other way round.
    first_batch
        A number for the first batch that no batch with this scratch had; above 0.
    stop
        uint8 `(1,)`: set to 1 from outside to end.
    out
        int64 `(rows, cut-offs, q)`, added to.

    Returns
    -------
    0 or STOPPED.
    """
    n_cutoffs, n_weights = cutoff_ms.size, weight.shape[1]
    limit = cutoff_ms[n_cutoffs - 1]
    last = np.uintp(scratch.dist.shape[0] - 2)
    total = np.zeros((n_cutoffs * n_weights, LANES), np.int64)
    own = np.zeros((n_weights, LANES), np.int64)
    for number in range(sources.pair_start.size - 1):
        batch = np.uint32(first_batch + number)
        n_spans, n_touched = _sweep(plan, targets, sources, scratch, number, limit, batch, stop)
        if n_spans == STOPPED or stop[0] != 0:
            return STOPPED
        total[:] = 0
        own[:] = 0
        lanes = min(LANES, sources.number.size - number * LANES)
        if is_turned:
            for lane in range(lanes):
                for q in range(n_weights):
                    own[q, lane] = weight[sources.number[number * LANES + lane], q]
        for i in range(n_touched):
            target = np.uintp(scratch.touched[i])
            within = _meet(targets, scratch, sources, number, target, limit, batch)
            if within == 0:
                continue
            if decay.size > 0:
                for lane in range(lanes):
                    if (within >> np.uint32(lane)) & np.uint32(1) == 0:
                        continue
                    ms = scratch.dist[last, lane]
                    for c in range(n_cutoffs):
                        if ms <= cutoff_ms[c]:
                            for q in range(n_weights):
                                if is_turned:
                                    out[target, c, q] += own[q, lane] * decay[ms]
                                else:
                                    total[c * n_weights + q, lane] += weight[target, q] * decay[ms]
                continue
            for c in range(n_cutoffs):
                for q in range(n_weights):
                    if is_turned:
                        out[target, c, q] += _sum_within(scratch.dist, last, cutoff_ms[c], own, np.uintp(q))
                    else:
                        place = np.uintp(c * n_weights + q)
                        _add_within(scratch.dist, last, cutoff_ms[c], weight[target, q], total, place)
        if not is_turned:
            for lane in range(lanes):
                row = sources.number[number * LANES + lane]
                for c in range(n_cutoffs):
                    for q in range(n_weights):
                        out[row, c, q] += total[c * n_weights + q, lane]
        _clear(scratch, n_spans)
    return 0


@kernel
def _turn_block(
    block: NDArray[np.uint32],
    sources: Sources,
    number: Any,
    out: NDArray[np.uint32],
) -> None:
    """Write a batch's lines, one of each target, into the rows of its sources, and clear them."""
    n, first = block.shape[0], number * LANES
    lanes = min(LANES, sources.number.size - first)
    # a tile of 16 targets is 16 cache lines on either side
    for low in range(0, n, LANES):
        high = min(low + LANES, n)
        for lane in range(lanes):
            row = sources.number[first + lane]
            for target in range(low, high):
                out[row, target] = block[target, lane]
        for target in range(low, high):
            for lane in range(LANES):
                block[target, lane] = UNREACHED


@kernel
def sweep_times(
    plan: Plan,
    targets: Targets,
    sources: Sources,
    scratch: Scratch,
    block: NDArray[np.uint32],
    limit_ms: Any,
    first_batch: Any,
    stop: NDArray[np.uint8],
    out: NDArray[np.uint32],
) -> int:
    """
    Fill a table of times.

    Parameters
    ----------
    plan, targets, sources, scratch, first_batch, stop
        As in `sweep_sums`.
    block
        uint32 `(targets, 16)` scratch, UNREACHED between batches.
    limit_ms
        Inclusive, below NEVER.
    out
        uint32 `(sources, targets)`; the rows of these sources are filled, UNREACHED beyond the limit.

    Returns
    -------
    0 or STOPPED.
    """
    limit = np.uint32(limit_ms)
    last = np.uintp(scratch.dist.shape[0] - 2)
    for number in range(sources.pair_start.size - 1):
        batch = np.uint32(first_batch + number)
        n_spans, n_touched = _sweep(plan, targets, sources, scratch, number, limit, batch, stop)
        if n_spans == STOPPED or stop[0] != 0:
            return STOPPED
        lanes = min(LANES, sources.number.size - number * LANES)
        # single times far apart in memory are dear: with many of them, whole lines are written and then turned
        is_dense = n_touched * LANES > block.shape[0]
        if not is_dense:
            for lane in range(lanes):
                out[sources.number[number * LANES + lane]] = UNREACHED
        for i in range(n_touched):
            target = np.uintp(scratch.touched[i])
            within = _meet(targets, scratch, sources, number, target, limit, batch)
            if is_dense:
                _store_within(scratch.dist, last, limit, block, target)
                continue
            for lane in range(lanes):
                if (within >> np.uint32(lane)) & np.uint32(1) == 1:
                    out[sources.number[number * LANES + lane], target] = scratch.dist[last, lane]
        if is_dense:
            _turn_block(block, sources, number, out)
        _clear(scratch, n_spans)
    return 0


@kernel
def sweep_nearest(
    plan: Plan,
    targets: Targets,
    sources: Sources,
    scratch: Scratch,
    limit_ms: Any,
    k: Any,
    first_batch: Any,
    stop: NDArray[np.uint8],
    near: NDArray[np.uint64],
) -> int:
    """
    Keep for every target the `k` nearest of these and earlier sources; equal times go to the smallest source.

    Parameters
    ----------
    plan, targets, sources, scratch, limit_ms, first_batch, stop
        As in `sweep_times`.
    k
        Number of sources wanted.
    near
        uint64 `(targets, k)`, all ones where there is none yet: ``time << 32 | source``, ascending; updated.

    Returns
    -------
    0 or STOPPED.
    """
    limit = np.uint32(limit_ms)
    last = np.uintp(scratch.dist.shape[0] - 2)
    for number in range(sources.pair_start.size - 1):
        batch = np.uint32(first_batch + number)
        n_spans, n_touched = _sweep(plan, targets, sources, scratch, number, limit, batch, stop)
        if n_spans == STOPPED or stop[0] != 0:
            return STOPPED
        lanes = min(LANES, sources.number.size - number * LANES)
        for i in range(n_touched):
            target = np.uintp(scratch.touched[i])
            within = _meet(targets, scratch, sources, number, target, limit, batch)
            for lane in range(lanes):
                if (within >> np.uint32(lane)) & np.uint32(1) == 0:
                    continue
                time = np.uint64(scratch.dist[last, lane])
                key = (time << np.uint64(32)) | np.uint64(sources.number[number * LANES + lane])
                place = k - 1
                if key >= near[target, place]:
                    continue
                while place > 0 and near[target, place - 1] > key:
                    near[target, place] = near[target, place - 1]
                    place -= 1
                near[target, place] = key
        _clear(scratch, n_spans)
    return 0
