"""Areas of parts of polygons in convex windows, such as zones in H3 cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def _is_convex(corner: NDArray[np.float64], begin: Any, end: Any) -> bool:
    """Tell whether a window turns left at every corner, or goes straight on."""
    for c in range(begin, end):
        d = c + 1 if c + 1 < end else begin
        e = d + 1 if d + 1 < end else begin
        ux, uy = corner[d, 0] - corner[c, 0], corner[d, 1] - corner[c, 1]
        vx, vy = corner[e, 0] - corner[d, 0], corner[e, 1] - corner[d, 1]
        if ux * vy - uy * vx < 0.0:
            return False
    return True


@kernel
def _cut_off(
    points: NDArray[np.float64],
    n: Any,
    kept: NDArray[np.float64],
    ax: Any,
    ay: Any,
    bx: Any,
    by: Any,
) -> int:
    """Keep what lies left of the line from a to b, and return how many points that takes."""
    count = 0
    px, py = points[n - 1, 0], points[n - 1, 1]
    before = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    for k in range(n):
        x, y = points[k, 0], points[k, 1]
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if (side < 0.0 < before) or (before < 0.0 < side):
            part = before / (before - side)
            kept[count, 0], kept[count, 1] = px + part * (x - px), py + part * (y - py)
            count += 1
        if side >= 0.0:
            kept[count, 0], kept[count, 1] = x, y
            count += 1
        px, py, before = x, y, side
    return count


@kernel
def _signed_area(points: NDArray[np.float64], n: Any) -> float:
    """Return the area of a ring, negative if it is clockwise."""
    doubled = 0.0
    for k in range(n):
        after = k + 1 if k + 1 < n else 0
        doubled += points[k, 0] * points[after, 1] - points[after, 0] * points[k, 1]
    return doubled / 2.0


@kernel
def clipped_areas(
    xy: NDArray[np.float64],
    ring_start: NDArray[np.int64],
    shape_start: NDArray[np.int64],
    corner: NDArray[np.float64],
    window_start: NDArray[np.int64],
    shape: NDArray[np.int64],
    window: NDArray[np.int64],
    points: NDArray[np.float64],
    kept: NDArray[np.float64],
    area: NDArray[np.float64],
) -> None:
    """
    Find the areas that shapes and windows share.

    Each ring is cut by one side of the window after the other (Sutherland and Hodgman 1974,
    https://doi.org/10.1145/360767.360802). What is cut off leaves edges that run to and fro along the side; they
    enclose nothing, so areas are right although the outline may not be one.

    Parameters
    ----------
    xy
        Corners of rings, the first not repeated, float64 `(c, 2)`: outer ones counter-clockwise, holes clockwise.
    ring_start, shape_start
        Where the corners of each ring, and the rings of each shape begin, and the end; int64.
    corner, window_start
        Corners of windows, counter-clockwise, the first not repeated, float64 `(d, 2)`; where those of each begin, and
        the end, int64.
    shape, window
        Which to compare, int64 `(p,)`.
    points, kept
        Scratch, float64 `(m, 2)`: `m` is half the most corners of a ring, times 2 more than the most sides of a
        window, and 1 more. A ring that leaves a half-plane `r` times gains `r` corners by the cut at most, and a cut
        ring leaves the next half-plane no more often than the ring itself.
    area
        float64 `(p,)`, filled; NaN where the window is not convex.
    """
    for pair in range(shape.size):
        begin, end = window_start[window[pair]], window_start[window[pair] + 1]
        if not _is_convex(corner, begin, end):
            area[pair] = float("nan")
            continue
        # measured from a corner of the window: far from the origin, products of coordinates would lose digits
        ox, oy = corner[begin, 0], corner[begin, 1]
        total = 0.0
        for ring in range(shape_start[shape[pair]], shape_start[shape[pair] + 1]):
            n = ring_start[ring + 1] - ring_start[ring]
            for k in range(n):
                points[k, 0] = xy[ring_start[ring] + k, 0] - ox
                points[k, 1] = xy[ring_start[ring] + k, 1] - oy
            now, other = points, kept
            for c in range(begin, end):
                if n == 0:
                    break
                d = c + 1 if c + 1 < end else begin
                n = _cut_off(
                    now, n, other, corner[c, 0] - ox, corner[c, 1] - oy, corner[d, 0] - ox, corner[d, 1] - oy
                )
                now, other = other, now
            total += _signed_area(now, n)
        area[pair] = max(total, 0.0)
