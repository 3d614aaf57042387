"""
From reached parts of roads to where the ground around them meets the lines of a grid; `rings` joins the rest.

Ground within a radius of a reached place belongs to the area; along a straight piece of road the radius is piecewise
linear, so that the area is a union of tapered capsules, each the convex hull of two discs. `ink` finds where capsules
meet the rows and columns of a grid: which nodes are inside, and how far the area goes on from an inside node towards
an outside one, to a 256th of a cell. What is found lies on the true outline (rounded inwards), whatever the cell, and
more area moves it outwards, so that areas of growing radii nest.

Places are in cells from the grid's first node. Nodes are bits, 64 to a word, row by row. The crossings of the edges
to the right and above of each node are bytes in blocks of 64 x 64, a page of memory each: only pages where an outline
may run are ever taken from the system.
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
TOUCH = np.float32(1e-5)  # spans nearer than this part of a cell meet


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
def _hull(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    along: tuple[Any, Any],
    across: tuple[Any, Any],
    radius: tuple[Any, Any],
    sine: Any,
    cosine: Any,
    step_along: Any,
    step_across: Any,
) -> tuple[Any, Any]:
    """Find the spans of all lines that the hull of two discs meets; return the first and last line."""
    first = np.int64(np.ceil(min(along[0] - radius[0], along[1] - radius[1])))
    last = np.int64(np.floor(max(along[0] + radius[0], along[1] + radius[1])))
    for line in range(last - first + 1):
        low[line], high[line] = np.inf, -np.inf
    for k in range(2):
        square = radius[k] * radius[k]
        for line in range(
            np.int64(np.ceil(along[k] - radius[k])), np.int64(np.floor(along[k] + radius[k])) + 1
        ):
            half = np.sqrt(max(square - (line - along[k]) * (line - along[k]), 0.0))
            low[line - first] = min(low[line - first], across[k] - half)
            high[line - first] = max(high[line - first], across[k] + half)
    if cosine < 0.0:  # one disc holds the other
        return first, last
    for side in range(2):
        # from the middles to where a common tangent touches
        turn = cosine if side == 0 else -cosine
        to_along, to_across = step_along * sine - turn * step_across, step_across * sine + turn * step_along
        along0, across0 = along[0] + radius[0] * to_along, across[0] + radius[0] * to_across
        along1, across1 = along[1] + radius[1] * to_along, across[1] + radius[1] * to_across
        slope = (across1 - across0) / (along1 - along0) if along1 != along0 else 0.0
        for line in range(
            np.int64(np.ceil(min(along0, along1))), np.int64(np.floor(max(along0, along1))) + 1
        ):
            place = across0 + (line - along0) * slope
            low[line - first] = min(low[line - first], place)
            high[line - first] = max(high[line - first], place)
    return first, last


@kernel
def _spans(
    bits: NDArray[np.uint64],
    table: NDArray[np.float32],
    n_blocks: Any,
    is_row: Any,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    first_line: Any,
    last_line: Any,
    loose_at: NDArray[np.int64],
    loose: NDArray[np.float32],
    n_loose: Any,
) -> Any:
    """
    Take in the spans of rows or columns: nodes by rows, and how far the area goes on beyond the outermost of them.

    A span between two nodes is put down among the loose ones; their number is returned.
    """
    for line in range(first_line, last_line + 1):
        start, end = low[line - first_line], high[line - first_line]
        first, last = np.int64(np.ceil(start)), np.int64(np.floor(end))
        if first <= last:
            if is_row:
                _fill(bits, line, first, last)
            before = _slot(n_blocks, first - 1, line) if is_row else _slot(n_blocks, line, first - 1)
            behind = _slot(n_blocks, last, line) if is_row else _slot(n_blocks, line, last)
            table[before] = max(table[before], np.float32(first - start))
            table[behind] = max(table[behind], np.float32(end - last))
            continue
        if n_loose < loose_at.size:
            at = _slot(n_blocks, last, line) if is_row else _slot(n_blocks, line, last)
            loose_at[n_loose] = 2 * at + (0 if is_row else 1)
            loose[n_loose, 0], loose[n_loose, 1] = np.float32(start - last), np.float32(end - last)
        n_loose += 1
    return n_loose


@kernel
def _capsule(
    bits: NDArray[np.uint64],
    right: NDArray[np.float32],
    above: NDArray[np.float32],
    n_blocks: Any,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    x: tuple[Any, Any],
    y: tuple[Any, Any],
    radius: tuple[Any, Any],
    ux: Any,
    uy: Any,
    loose_at: NDArray[np.int64],
    loose: NDArray[np.float32],
    n_loose: Any,
) -> Any:
    """Take in the convex hull of two discs; `ux, uy` is the direction from one to the other."""
    length = (x[1] - x[0]) * ux + (y[1] - y[0]) * uy
    sine, cosine = 0.0, -1.0  # one disc holds the other
    if length > abs(radius[0] - radius[1]):
        sine = (radius[0] - radius[1]) / length
        cosine = np.sqrt(max(1.0 - sine * sine, 0.0))
    first, last = _hull(low, high, y, x, radius, sine, cosine, uy, ux)
    n_loose = _spans(bits, right, n_blocks, True, low, high, first, last, loose_at, loose, n_loose)
    first, last = _hull(low, high, x, y, radius, sine, cosine, ux, uy)
    return _spans(bits, above, n_blocks, False, low, high, first, last, loose_at, loose, n_loose)


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
    right: NDArray[np.float32],
    above: NDArray[np.float32],
    n_blocks: Any,
    loose_at: NDArray[np.int64],
    loose: NDArray[np.float32],
    n_loose: Any,
) -> None:
    """Let the area go on along spans without a node that overlap it, if only by way of other such spans."""
    n = 0
    for k in range(n_loose):
        at = loose_at[k] >> 1
        i = ((at >> np.int64(12)) % n_blocks << BLOCK) | (at & LOW)
        j = ((at >> np.int64(12)) // n_blocks << BLOCK) | ((at >> BLOCK) & LOW)
        is_row = loose_at[k] & 1 == 0
        is_low = _is_in(bits, i, j)
        is_high = _is_in(bits, i + 1, j) if is_row else _is_in(bits, i, j + 1)
        if is_low == is_high:  # no outline crosses here
            continue
        start, end = loose[k, 0], loose[k, 1]
        if is_high:  # seen from there
            start, end = np.float32(1.0) - end, np.float32(1.0) - start
        loose_at[n] = loose_at[k]
        loose[n, 0], loose[n, 1] = start, end
        n += 1
    is_changed = True
    while is_changed:
        is_changed = False
        for k in range(n):
            table = right if loose_at[k] & 1 == 0 else above
            reach = table[loose_at[k] >> 1]
            if loose[k, 0] <= reach + TOUCH and loose[k, 1] > reach:
                table[loose_at[k] >> 1] = loose[k, 1]
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
    right: NDArray[np.float32],
    above: NDArray[np.float32],
    n_blocks: Any,
    loose_at: NDArray[np.int64],
    loose: NDArray[np.float32],
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
    right, above
        float32, 4096 for each block of nodes: how far the area goes on along the edges to the right and above each
        node, from whichever end is inside.
    n_blocks
        Number of blocks in a row of blocks.
    loose_at, loose
        int64 `(l,)`, float32 `(l, 2)`: scratch for spans that hold no node. If there are more than fit, all must be
        done again with more room.

    Returns
    -------
    Number of loose spans.
    """
    room = max(bits.shape[0], bits.shape[1] << WORD) + 2
    low, high = np.empty(room), np.empty(room)
    least, trim = (least_m + OVER_M) / cell_m, (max(trim_m, least_m) + OVER_M) / cell_m
    # some discs first, since what is then full all round needs no look: no outline can run there
    for k in range(edge.size):
        c = (shape_start[edge[k]] + shape_start[edge[k] + 1]) >> 1
        total = along[shape_start[edge[k] + 1] - 1]
        part = along[c] / max(total, 1e-9)
        if off_ground[c] == 0 and off_ground[c - 1] == 0 and share[k, 0] < part < share[k, 1]:
            time = ms[k, 0] + (part - share[k, 0]) / (share[k, 1] - share[k, 0]) * (ms[k, 1] - ms[k, 0])
            radius = _radius((limit_ms - time) * m_per_ms / cell_m, least, trim) * 0.999
            _blot(bits, corner[c, 0] / cell_m - first_i, corner[c, 1] / cell_m - first_j, radius)
    n_loose = 0
    for k in range(edge.size):
        begin, end = shape_start[edge[k]], shape_start[edge[k] + 1] - 1
        total = along[end]
        from_m, to_m = share[k, 0] * total, share[k, 1] * total
        rate = (ms[k, 1] - ms[k, 0]) / max(to_m - from_m, 1e-9)
        is_first = True
        for c in range(begin, end):
            length = along[c + 1] - along[c]
            a, b = max(from_m, along[c]), min(to_m, along[c + 1])
            # a part of no length is a disc in the first segment that holds it
            if b <= a and not (is_first and to_m <= from_m and b >= a):
                continue
            is_first = False
            ux, uy = 0.0, 0.0
            if length > 0.0:
                ux = (corner[c + 1, 0] - corner[c, 0]) / length
                uy = (corner[c + 1, 1] - corner[c, 1]) / length
            x0 = (corner[c, 0] + (a - along[c]) * ux) / cell_m - first_i
            y0 = (corner[c, 1] + (a - along[c]) * uy) / cell_m - first_j
            x1 = (corner[c, 0] + (b - along[c]) * ux) / cell_m - first_i
            y1 = (corner[c, 1] + (b - along[c]) * uy) / cell_m - first_j
            budget0, budget1 = 0.0, 0.0
            if off_ground[c] == 0:
                budget0 = (limit_ms - ms[k, 0] - (a - from_m) * rate) * m_per_ms / cell_m
                budget1 = (limit_ms - ms[k, 0] - (b - from_m) * rate) * m_per_ms / cell_m
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
                        bits, right, above, n_blocks, low, high, (x, end_x), (y, end_y), (radius, end_radius), ux, uy,
                        loose_at, loose, n_loose,
                    )  # fmt: skip
                x, y, radius = end_x, end_y, end_radius
    if n_loose <= loose_at.size:
        _fasten(bits, right, above, n_blocks, loose_at, loose, n_loose)
    return n_loose
