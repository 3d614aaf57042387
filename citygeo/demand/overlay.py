"""Areas that shapes share with H3 cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo._run import run_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 4096  # pairs; some 10 ms


def shared_areas(
    shapes: NDArray[np.object_],
    windows: NDArray[np.object_],
    shape: NDArray[np.int64],
    window: NDArray[np.int64],
    threads: int | None,
) -> NDArray[np.float64]:
    """
    Return the area that each pair of a shape and a window has in common.

    Parameters
    ----------
    shapes
        Valid areas in a plane.
    windows
        Polygons without holes, nearly always convex.
    shape, window
        Positions of the pairs, shape `(p,)`.
    threads
        Number of threads; all processors if `None`. The result does not depend on it.

    Returns
    -------
    Areas in the unit of the plane, squared, shape `(p,)`.

    Examples
    --------
    >>> one = np.array([shapely.box(0, 0, 2, 2), shapely.box(5, 5, 6, 6)])
    >>> shared_areas(one, np.array([shapely.box(1, 1, 9, 9)]), np.array([0, 1]), np.array([0, 0]), 1)
    array([1., 1.])
    """
    from citygeo._kernels.clip import clipped_areas

    xy, ring_start, shape_start = _rings(shapes)
    corner, window_start, _ = _rings(windows)
    most = int(np.diff(ring_start).max(initial=0)) * (int(np.diff(window_start).max(initial=0)) + 2) // 2 + 1
    area = np.empty(shape.size)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        scratch = np.empty((most, 2)), np.empty((most, 2))
        own = slice(low, high)
        clipped_areas(
            xy, ring_start, shape_start, corner, window_start, shape[own], window[own], *scratch, area[own]
        )

    run_chunks(work, shape.size, chunk=CHUNK, threads=threads, name="areas in cells 分区与格网叠加")
    rest = np.isnan(area)
    area[rest] = shapely.area(shapely.intersection(shapes[shape[rest]], windows[window[rest]]))
    return area


def _rings(
    shapes: NDArray[np.object_],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the corners of all rings, where each ring begins, and where the rings of each shape do."""
    parts, of_shape = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    xy, of_ring = shapely.get_coordinates(rings, return_index=True)
    # a ring repeats its first corner at its end
    is_last = np.ones(of_ring.size, np.bool_)
    is_last[:-1] = of_ring[1:] != of_ring[:-1]
    ring_start = _starts(of_ring[~is_last], rings.size)
    return np.ascontiguousarray(xy[~is_last]), ring_start, _starts(of_shape[of_part], shapes.size)


def _starts(owner: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return where the items of each owner begin, and the end."""
    return np.searchsorted(owner, np.arange(n + 1)).astype(np.int64)
