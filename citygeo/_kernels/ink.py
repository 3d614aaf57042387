"""
From reached parts of roads to where the ground around them meets the lines of a grid; `rings` joins the rest.

Ground within a radius of a reached place belongs to the area; along a straight piece of road the radius is piecewise
linear, so that the area is a union of tapered capsules, each the convex hull of two discs. `ink` finds where capsules
meet the rows and columns of a grid: which nodes are inside, and how far the area goes on from an inside node towards
an outside one, to a 256th of a cell. What is found lies on the true outline (rounded inwards), whatever the cell, and
more area moves it outwards, so that areas of growing radii nest.

Places are in cells from the grid's first node. Nodes are bits, 64 to a word, row by row. How far the area goes on along
the edges to the right of and above each node lies in blocks of 64 x 64 nodes: memory where no outline runs is never
taken from the system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVER_M = 1e-6  # added to radii: what is on a grid line exactly, as in drawn cities, is inside in all bands
BLOCK = np.int64(6)  # log2 of nodes along a block
WORD = np.int64(6)
LOW = np.int64(63)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ONE = np.uint64(1)
INNER = 0.999  # part of a disc that counts as inside before its rim is looked at
STEPS = 256.0  # places of a crossing between two nodes


@kernel
def _slot(
    n_blocks: Any,
    i: Any,
    j: Any,
) -> Any:
    """Return the place of a node in a table of blocks."""
    block = (j >> BLOCK) * n_blocks + (i >> BLOCK)
    return (block << np.int64(12)) | ((j & LOW) << BLOCK) | (i & LOW)


@kernel
def _is_in(
    bits: NDArray[np.uint64],
    i: Any,
    j: Any,
) -> Any:
    return (bits[j, i >> WORD] >> np.uint64(i & LOW)) & ONE != np.uint64(0)


@kernel
def _fill(
    bits: NDArray[np.uint64],
    j: Any,
    first: Any,
    last: Any,
) -> None:
    """Take in some nodes of a row."""
    word, end = first >> WORD, last >> WORD
    mask = ALL << np.uint64(first & LOW)
    while word < end:
        bits[j, word] |= mask
        mask = ALL
        word += 1
    bits[j, word] |= mask & (ALL >> np.uint64(LOW - (last & LOW)))


@kernel
def _is_full(
    bits: NDArray[np.uint64],
    low_i: Any,
    high_i: Any,
    low_j: Any,
    high_j: Any,
) -> Any:
    """Tell whether all nodes of a box are inside."""
    first, end = low_i >> WORD, high_i >> WORD
    head, tail = ALL << np.uint64(low_i & LOW), ALL >> np.uint64(LOW - (high_i & LOW))
    for j in range(low_j, high_j + 1):
        mask = head
        for word in range(first, end + 1):
            if word == end:
                mask &= tail
            if bits[j, word] & mask != mask:
                return False
            mask = ALL
    return True


@kernel
def _blot(
    bits: NDArray[np.uint64],
    x: Any,
    y: Any,
    radius: Any,
) -> None:
    """Take in the nodes of a disc, unless those around its middle are inside already."""
    i, j, reach = np.int64(x), np.int64(y), np.int64(0.6 * radius)
    if (
        _is_full(bits, i - reach, i + reach, j, j)
        and _is_full(bits, i, i, j - reach, j - reach)
        and _is_full(bits, i, i, j + reach, j + reach)
    ):
        return
    for line in range(np.int64(np.ceil(y - radius)), np.int64(np.floor(y + radius)) + 1):
        half = np.sqrt(max(radius * radius - (line - y) * (line - y), 0.0))
        first, last = np.int64(np.ceil(x - half)), np.int64(np.floor(x + half))
        if first <= last:
            _fill(bits, line, first, last)


@kernel
def _capsule(
    bits: NDArray[np.uint64],
    reach: NDArray[np.uint8],
    n_blocks: Any,
    x: tuple[Any, Any],
    y: tuple[Any, Any],
    radius: tuple[Any, Any],
    ux: Any,
    uy: Any,
    loose: NDArray[np.float64],
    n_loose: Any,
) -> Any:
    """
    Take in the convex hull of two discs; `ux, uy` is the direction from one to the other.

    First the rows it meets, then the columns: nodes by rows, and on both how far it goes on beyond the outermost nodes.
    A span between two nodes is put down among the loose ones; their number is returned. All is in one function, since
    calls with arrays cost more than what they do.
    """
    radius0, radius1 = radius
    length = (x[1] - x[0]) * ux + (y[1] - y[0]) * uy
    is_hull = length > abs(radius0 - radius1)  # else one disc holds the other
    sine = (radius0 - radius1) / length if is_hull else 0.0
    cosine = np.sqrt(max(1.0 - sine * sine, 0.0))
    for axis in range(2):
        along, across = (y, x) if axis == 0 else (x, y)
        to_along, to_across = (uy, ux) if axis == 0 else (ux, uy)
        along0, along1, across0, across1 = along[0], along[1], across[0], across[1]
        # the common tangents: from where they touch one disc to where they touch the other
        left = along0 + radius0 * (to_along * sine - cosine * to_across)
        left_across = across0 + radius0 * (to_across * sine + cosine * to_along)
        left_end = along1 + radius1 * (to_along * sine - cosine * to_across)
        left_step = across1 + radius1 * (to_across * sine + cosine * to_along) - left_across
        right = along0 + radius0 * (to_along * sine + cosine * to_across)
        right_across = across0 + radius0 * (to_across * sine - cosine * to_along)
        right_end = along1 + radius1 * (to_along * sine + cosine * to_across)
        right_step = across1 + radius1 * (to_across * sine - cosine * to_along) - right_across
        left_slope = left_step / (left_end - left) if left_end != left else 0.0
        right_slope = right_step / (right_end - right) if right_end != right else 0.0
        begin0, end0 = np.int64(np.ceil(along0 - radius0)), np.int64(np.floor(along0 + radius0))
        begin1, end1 = np.int64(np.ceil(along1 - radius1)), np.int64(np.floor(along1 + radius1))
        for line in range(min(begin0, begin1), max(end0, end1) + 1):
            low, high = np.inf, -np.inf
            if begin0 <= line <= end0:
                away = line - along0
                half = np.sqrt(max(radius0 * radius0 - away * away, 0.0))
                low, high = across0 - half, across0 + half
            if begin1 <= line <= end1:
                away = line - along1
                half = np.sqrt(max(radius1 * radius1 - away * away, 0.0))
                low, high = min(low, across1 - half), max(high, across1 + half)
            if is_hull and min(left, left_end) <= line <= max(left, left_end):
                place = left_across + (line - left) * left_slope
                low, high = min(low, place), max(high, place)
            if is_hull and min(right, right_end) <= line <= max(right, right_end):
                place = right_across + (line - right) * right_slope
                low, high = min(low, place), max(high, place)
            if low > high:  # by rounding, just beyond both discs
                continue
            first, last = np.int64(np.ceil(low)), np.int64(np.floor(high))
            if first <= last:
                if axis == 0:
                    _fill(bits, line, first, last)
                    before, behind = _slot(n_blocks, first - 1, line), _slot(n_blocks, last, line)
                else:
                    before, behind = _slot(n_blocks, line, first - 1), _slot(n_blocks, line, last)
                reach[axis, before] = max(reach[axis, before], np.uint8((first - low) * STEPS))
                reach[axis, behind] = max(reach[axis, behind], np.uint8((high - last) * STEPS))
                continue
            if n_loose < loose.shape[0]:
                at = _slot(n_blocks, last, line) if axis == 0 else _slot(n_blocks, line, last)
                loose[n_loose, 0] = 2 * at + axis
                loose[n_loose, 1], loose[n_loose, 2] = low - last, high - last
            n_loose += 1
    return n_loose


@kernel
def _radius(
    budget: Any,
    least: Any,
    trim: Any,
) -> Any:
    return max(least, min(trim, budget))


@kernel
def _bends(
    budget0: Any,
    budget1: Any,
    least: Any,
    trim: Any,
) -> tuple[Any, Any]:
    """Return where the radius, level at `least` and at `trim` and linear between, bends: shares of the way."""
    step = budget1 - budget0
    if step == 0.0:
        return 1.0, 1.0
    at_least, at_trim = (least - budget0) / step, (trim - budget0) / step
    return min(at_least, at_trim), max(at_least, at_trim)


@kernel
def box_of(
    corner: NDArray[np.float64],
    shape_start: NDArray[np.int64],
    edge: NDArray[np.int64],
    out_box: NDArray[np.float64],
) -> None:
    """
    Find the box around some edges.

    Parameters
    ----------
    corner, shape_start
        Corners of all edges in metres, float64 `(c, 2)`, and where those of each edge begin, int64 `(e + 1,)`.
    edge
        The edges, int64 `(p,)`.
    out_box
        float64 `(4,)`: least x and y, greatest x and y; infinite if there is no edge.
    """
    out_box[:2] = np.inf
    out_box[2:] = -np.inf
    for k in range(edge.size):
        for c in range(shape_start[edge[k]], shape_start[edge[k] + 1]):
            for axis in range(2):
                out_box[axis] = min(out_box[axis], corner[c, axis])
                out_box[2 + axis] = max(out_box[2 + axis], corner[c, axis])


@kernel
def _fasten(
    bits: NDArray[np.uint64],
    reach: NDArray[np.uint8],
    n_blocks: Any,
    loose: NDArray[np.float64],
    n_loose: Any,
) -> None:
    """Let the area go on along spans without a node that overlap it, if only by way of other such spans."""
    n = 0
    for k in range(n_loose):
        code = np.int64(loose[k, 0])
        axis, at = code & 1, code >> 1
        i = ((at >> np.int64(12)) % n_blocks << BLOCK) | (at & LOW)
        j = ((at >> np.int64(12)) // n_blocks << BLOCK) | ((at >> BLOCK) & LOW)
        is_low = _is_in(bits, i, j)
        is_high = _is_in(bits, i + 1, j) if axis == 0 else _is_in(bits, i, j + 1)
        if is_low == is_high:  # no outline crosses here
            continue
        start, end = loose[k, 1], loose[k, 2]
        if is_high:  # seen from there
            start, end = 1.0 - end, 1.0 - start
        loose[n, 0], loose[n, 1], loose[n, 2] = code, start, end
        n += 1
    is_changed = True
    while is_changed:
        is_changed = False
        for k in range(n):
            code = np.int64(loose[k, 0])
            axis, at = code & 1, code >> 1
            end = np.uint8(loose[k, 2] * STEPS)
            # what was rounded off is not missing between them
            if loose[k, 1] * STEPS <= reach[axis, at] + 1.0 and end > reach[axis, at]:
                reach[axis, at] = end
                is_changed = True


@kernel
def ink(
    corner: NDArray[np.float64],
    along: NDArray[np.float64],
    shape_start: NDArray[np.int64],
    off_ground: NDArray[np.uint8],
    edge: NDArray[np.int64],
    share: NDArray[np.float64],
    ms: NDArray[np.float64],
    limit_ms: Any,
    m_per_ms: Any,
    trim_m: Any,
    least_m: Any,
    cell_m: Any,
    first_i: Any,
    first_j: Any,
    bits: NDArray[np.uint64],
    reach: NDArray[np.uint8],
    n_blocks: Any,
    loose: NDArray[np.float64],
) -> int:
    """
    Take in the ground around reached parts of roads.

    Parameters
    ----------
    corner, along, shape_start, off_ground
        Corners of all edges in metres, float64 `(c, 2)`; metres from the start of the edge to each, float64 `(c,)`;
        where those of each edge begin, int64 `(e + 1,)`; whether one can leave the road between each corner and the
        next, uint8 `(c,)`, 0 if so.
    edge, share, ms
        Reached parts: edge, low and high share of it, time at both, linear between; int64 `(p,)`, float64 `(p, 2)`.
    limit_ms, m_per_ms, trim_m, least_m
        One leaves the road at this speed until the time runs out, at most `trim_m` far; `least_m` always counts.
    cell_m, first_i, first_j
        Size of cells; column and row of the first node, nodes being at whole multiples of the size.
    bits
        uint64 `(rows, words)`: nodes that are inside; one node all round stays outside.
    reach
        uint8 `(2, 4096 * blocks)`: how many 256ths of a cell the area goes on along the edges to the right of and above
        each node, from whichever end is inside.
    n_blocks
        Number of blocks in a row of blocks.
    loose
        float64 `(l, 3)`: scratch for spans that hold no node. If there are more than fit, all must be done again with
        more room.

    Returns
    -------
    Number of loose spans.
    """
    scale = 1.0 / cell_m
    least, trim = (least_m + OVER_M) * scale, (max(trim_m, least_m) + OVER_M) * scale
    # discs first, since what is full all round needs no look afterwards: no outline can run there
    for k in range(edge.size):
        begin, end = shape_start[edge[k]], shape_start[edge[k] + 1] - 1
        from_m, to_m = share[k, 0] * along[end], share[k, 1] * along[end]
        rate = (ms[k, 1] - ms[k, 0]) / max(to_m - from_m, 1e-9)
        for c in range(begin + 1, end + 1):
            # a segment of no length is nowhere one could walk off
            if from_m < along[c] < to_m and off_ground[c - 1] == 0 and along[c] > along[c - 1]:
                budget = (limit_ms - ms[k, 0] - (along[c] - from_m) * rate) * m_per_ms * scale
                radius = min(trim, budget) * INNER
                _blot(bits, corner[c, 0] * scale - first_i, corner[c, 1] * scale - first_j, radius)
    n_loose = 0
    for k in range(edge.size):
        begin, end = shape_start[edge[k]], shape_start[edge[k] + 1] - 1
        total = along[end]
        from_m, to_m = share[k, 0] * total, share[k, 1] * total
        rate = (ms[k, 1] - ms[k, 0]) / max(to_m - from_m, 1e-9)
        is_first = True
        for c in range(begin, end):
            a, b = max(from_m, along[c]), min(to_m, along[c + 1])
            # a part of no length is a disc in the first segment that holds it
            if b <= a and not (is_first and to_m <= from_m and b >= a):
                continue
            is_first = False
            left, lower = corner[c, 0] * scale - first_i, corner[c, 1] * scale - first_j
            step_x, step_y = (
                (corner[c + 1, 0] - corner[c, 0]) * scale,
                (corner[c + 1, 1] - corner[c, 1]) * scale,
            )
            if _is_full(
                bits,
                np.int64(left + min(step_x, 0.0) - trim),
                np.int64(left + max(step_x, 0.0) + trim) + 1,
                np.int64(lower + min(step_y, 0.0) - trim),
                np.int64(lower + max(step_y, 0.0) + trim) + 1,
            ):  # whatever the time, no outline can run here
                continue
            length = along[c + 1] - along[c]
            per_m = 1.0 / length if length > 0.0 else 0.0
            ux, uy = step_x * per_m / scale, step_y * per_m / scale
            at0, at1 = (a - along[c]) * per_m, (b - along[c]) * per_m
            x0, y0 = left + at0 * step_x, lower + at0 * step_y
            x1, y1 = left + at1 * step_x, lower + at1 * step_y
            budget0, budget1 = 0.0, 0.0
            if off_ground[c] == 0:
                budget0 = (limit_ms - ms[k, 0] - (a - from_m) * rate) * m_per_ms * scale
                budget1 = (limit_ms - ms[k, 0] - (b - from_m) * rate) * m_per_ms * scale
            bends = _bends(budget0, budget1, least, trim)
            x, y, radius = x0, y0, _radius(budget0, least, trim)
            for bend in range(3):
                part = 1.0 if bend == 2 else bends[bend]
                if part <= 0.0 or (part >= 1.0 and bend < 2):
                    continue
                end_x, end_y = x0 + part * (x1 - x0), y0 + part * (y1 - y0)
                end_radius = _radius(budget0 + part * (budget1 - budget0), least, trim)
                if not _is_full(
                    bits,
                    np.int64(np.floor(min(x - radius, end_x - end_radius))),
                    np.int64(np.ceil(max(x + radius, end_x + end_radius))),
                    np.int64(np.floor(min(y - radius, end_y - end_radius))),
                    np.int64(np.ceil(max(y + radius, end_y + end_radius))),
                ):
                    n_loose = _capsule(
                        bits, reach, n_blocks, (x, end_x), (y, end_y), (radius, end_radius), ux, uy, loose,
                        n_loose,
                    )  # fmt: skip
                x, y, radius = end_x, end_y, end_radius
    if n_loose <= loose.shape[0]:
        _fasten(bits, reach, n_blocks, loose, n_loose)
    return n_loose
