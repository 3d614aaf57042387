"""
Where the middles and corners of H3 cells are, and how large cells are.

The way back of `cells`: the digits of a cell lead from the middle of its base cell to its place on a face of the
icosahedron, and that place is drawn from the plane of the face onto the sphere. Corners lie on the face at whole
places of a grid three times finer: all whole numbers, until one product of vectors and three arc tangents give the
longitude and latitude. So the corner that three cells share is the same to the last bit for each of them.

Cells that touch the edge of a face are drawn over two faces or more and are left to h3-py: whether a cell touches an
edge is asked in whole numbers, and needs no margin.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEGREES = 180 / math.pi
RADIANS = math.pi / 180
N_CORNERS = 6
WAYS = 3  # a base cell that is no pentagon reaches onto three faces at most

# uint64, because numba would turn a sum with a plain number into int64
B3, B7 = np.uint64(3), np.uint64(7)
RESOLUTION_AT, BASE_AT = np.uint64(52), np.uint64(45)
FIFTEEN, BASE_BITS = np.uint64(15), np.uint64(127)
# as in icosahedron.CHILDREN: where the child of each digit lies
CHILD_A, CHILD_B = np.array([0, -1, 0, -1, 1, 0, 1]), np.array([0, -1, 1, 0, 0, -1, 1])
# corners of the cell at (0, 0), in thirds of a step, anticlockwise
CORNER_A, CORNER_B = np.array([2, 1, -1, -2, -1, 1]), np.array([1, 2, 1, -1, -2, -1])
OFF_GRID = 0.1  # farther than any rounding, nearer than the next place of the grid

ELLIPSOID_A, ELLIPSOID_F = 6378137.0, 1 / 298.257223563  # WGS 84
E2 = ELLIPSOID_F * (2 - ELLIPSOID_F)
WIDEST = 0.005  # radians from the first corner: then a series tells edges to 1e-10 of the area of a cell


@kernel
def _thirds(resolution: Any) -> Any:
    """Return the thirds of a step in a step of resolution 0; of the next finer grid if the resolution is odd."""
    return 3 * 7 ** ((resolution + 1) // 2)


@kernel
def _walked(cell: Any, resolution: Any) -> Any:
    """Return the place of a cell from the middle of its base cell, in the axes of that, and the first digit not 0."""
    a, b, first = 0, 0, np.int64(0)
    for level in range(1, resolution + 1):
        digit = np.int64(cell >> B3 * np.uint64(15 - level) & B7)
        if level % 2 == 1:
            a, b = 2 * a + b, 3 * b - a
        else:
            a, b = 3 * a - b, a + 2 * b
        a, b = a + CHILD_A[digit], b + CHILD_B[digit]
        if first == 0:
            first = digit
    return a, b, first


@kernel
def _upright(a: Any, b: Any, resolution: Any) -> Any:
    """Return a place in thirds in the axes of resolution 0: grids of odd resolutions are turned by 19.1 degrees."""
    if resolution % 2 == 1:
        return 3 * a - b, a + 2 * b
    return a, b


@kernel
def _turned_back(a: Any, b: Any, turns: Any) -> Any:
    """Turn a place by 60 degrees to the right so often."""
    for _ in range(turns):
        a, b = b, b - a
    return a, b


@kernel
def _is_inside(a: Any, b: Any, thirds: Any) -> Any:
    """Tell whether a place in thirds lies on the face and not on its edge."""
    edge = 2 * thirds
    return a + b < edge and b - 2 * a < edge and a - 2 * b < edge


@kernel
def _drawn(a: Any, b: Any, thirds: Any, frame: NDArray[np.float64]) -> Any:
    """Return the longitude and latitude of a place in thirds on a face."""
    u, v = a / thirds, b / thirds
    x = frame[0] + u * frame[3] + v * frame[6]
    y = frame[1] + u * frame[4] + v * frame[7]
    z = frame[2] + u * frame[5] + v * frame[8]
    return math.atan2(y, x) * DEGREES, math.atan2(z, math.sqrt(x * x + y * y)) * DEGREES


@kernel
def _found(cell: Any, resolution: Any, land: NDArray[np.int64]) -> Any:
    """Return the face a cell lies on as a whole, -1 if on several, and its middle there, in thirds."""
    thirds = _thirds(resolution)
    own_a, own_b, first = _walked(cell, resolution)
    own_a, own_b = _upright(3 * own_a, 3 * own_b, resolution)
    row = np.int64(cell >> BASE_AT & BASE_BITS) * 7 + first
    for way in range(WAYS):
        face = land[row, 4 * way]
        if face < 0:
            break
        a, b = _turned_back(own_a, own_b, land[row, 4 * way + 1])
        a, b = a + thirds * land[row, 4 * way + 2], b + thirds * land[row, 4 * way + 3]
        is_inside = True
        for corner in range(N_CORNERS):
            off_a, off_b = _upright(CORNER_A[corner], CORNER_B[corner], resolution)
            is_inside = is_inside and _is_inside(a + off_a, b + off_b, thirds)
        if is_inside:
            return face, a, b
    return -1, 0, 0


@kernel
def middles(
    cell: NDArray[np.uint64],
    land: NDArray[np.int64],
    frame: NDArray[np.float64],
    out_middle: NDArray[np.float64],
    out_is_found: NDArray[np.bool_],
) -> None:
    """
    Find the middle of each cell that lies on one face as a whole.

    Parameters
    ----------
    cell
        uint64 `(n,)`: cells, of any resolutions.
    land, frame
        From `icosahedron.ground`.
    out_middle
        float64 `(n, 2)`: longitude and latitude in degrees. Filled where found.
    out_is_found
        bool `(n,)`. Filled.
    """
    for i in range(cell.size):
        resolution = np.int64(cell[i] >> RESOLUTION_AT & FIFTEEN)
        face, a, b = _found(cell[i], resolution, land)
        out_is_found[i] = face >= 0
        if face >= 0:
            out_middle[i, 0], out_middle[i, 1] = _drawn(a, b, _thirds(resolution), frame[face])


@kernel
def corners(
    cell: NDArray[np.uint64],
    land: NDArray[np.int64],
    frame: NDArray[np.float64],
    start: NDArray[np.int64],
    out_corner: NDArray[np.float64],
    out_is_found: NDArray[np.bool_],
) -> None:
    """
    Find the corners of each cell that lies on one face as a whole, in the order of H3.

    Parameters
    ----------
    cell, land, frame, out_is_found
        As for `middles`.
    start
        int64 `(20,)`: the first corner by face, from `icosahedron.ground`.
    out_corner
        float64 `(n, 7, 2)`: longitude and latitude in degrees, the last as the first. Filled where found.
    """
    for i in range(cell.size):
        resolution = np.int64(cell[i] >> RESOLUTION_AT & FIFTEEN)
        thirds = _thirds(resolution)
        face, a, b = _found(cell[i], resolution, land)
        out_is_found[i] = face >= 0
        if face < 0:
            continue
        first = start[face]
        for at in range(N_CORNERS):
            corner = (first + at) % N_CORNERS
            off_a, off_b = _upright(CORNER_A[corner], CORNER_B[corner], resolution)
            out_corner[i, at, 0], out_corner[i, at, 1] = _drawn(a + off_a, b + off_b, thirds, frame[face])
        out_corner[i, N_CORNERS] = out_corner[i, 0]


@kernel
def shared_corners(
    corner: NDArray[np.float64],
    resolution: NDArray[np.int64],
    frame: NDArray[np.float64],
    out_corner: NDArray[np.float64],
) -> None:
    """
    Find the corners of cells that `corners` does not know as it would find them.

    Parameters
    ----------
    corner
        float64 `(n, 2)`: longitude and latitude in degrees, to 1e-10 or so.
    resolution
        int64 `(n,)`: of the cell of each corner.
    frame
        From `icosahedron.ground`.
    out_corner
        float64 `(n, 2)`. Filled: those on an edge of the icosahedron are left as they are.
    """
    for i in range(resolution.size):
        lon, lat = corner[i, 0] * RADIANS, corner[i, 1] * RADIANS
        x, y, z = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
        face, best = 0, -1.0
        for other in range(frame.shape[0]):
            height = frame[other, 0] * x + frame[other, 1] * y + frame[other, 2] * z
            if height > best:
                face, best = other, height
        one = frame[face]
        thirds = _thirds(resolution[i])
        # the steps are 120 degrees apart
        scale = 4 / 3 * thirds / (best * (one[3] * one[3] + one[4] * one[4] + one[5] * one[5]))
        first = (one[3] * x + one[4] * y + one[5] * z) * scale
        second = (one[6] * x + one[7] * y + one[8] * z) * scale
        a, b = first + 0.5 * second, second + 0.5 * first
        whole_a, whole_b = np.int64(np.rint(a)), np.int64(np.rint(b))
        is_on_grid = abs(a - whole_a) < OFF_GRID and abs(b - whole_b) < OFF_GRID
        out_corner[i] = corner[i]
        if is_on_grid and _is_inside(whole_a, whole_b, thirds):
            out_corner[i, 0], out_corner[i, 1] = _drawn(whole_a, whole_b, thirds, one)


@kernel
def _part(low: Any, east: Any, high: Any, far: Any) -> Any:
    """
    Return what a geodesic adds to the area to the west of an outline, in squares of the equator's radius.

    The integral of longitude times dA/dlon along the straight line in degrees, by Simpson's rule, and what lies between
    that line and the geodesic, which is about a parabola: its curvature follows from the equation of geodesics.
    """
    middle, rise, width = 0.5 * (low + high) * RADIANS, (high - low) * RADIANS, far - east
    s, c = math.sin(middle), math.cos(middle)
    w = 1 - E2 * s * s
    straight = rise * (
        east * _density(low * RADIANS) + 2 * (east + far) * _density(middle) + far * _density(high * RADIANS)
    ) / 6  # fmt: skip
    sunk = s * c * w / (1 - E2) * width * width
    tilted = (2 * (1 - E2) * s / (c * w) + 3 * E2 * s * c / w) * rise * rise
    return straight - _density(middle) * width * (sunk + tilted) / 12


@kernel
def _density(lat: Any) -> Any:
    """Return the area of the ellipsoid per square radian of latitude and longitude."""
    w = 1 - E2 * math.sin(lat) ** 2
    return (1 - E2) * math.cos(lat) / (w * w)


@kernel
def areas(corner: NDArray[np.float64], out_m2: NDArray[np.float64], out_is_small: NDArray[np.bool_]) -> None:
    """
    Find the areas of outlines of geodesics on the WGS 84 ellipsoid.

    Parameters
    ----------
    corner
        float64 `(n, 7, 2)`: longitude and latitude in degrees, the last as the first.
    out_m2
        float64 `(n,)`. Filled with square metres if small.
    out_is_small
        bool `(n,)`. Filled: the outline is small enough for a series.
    """
    for i in range(corner.shape[0]):
        own = corner[i]
        total, reach = 0.0, 0.0
        for at in range(N_CORNERS):
            east, far = _east(own[at, 0] - own[0, 0]), _east(own[at + 1, 0] - own[0, 0])
            total += _part(own[at, 1], east, own[at + 1, 1], far)
            reach = max(reach, abs(east), abs(own[at, 1] - own[0, 1]) * RADIANS)
        out_m2[i] = abs(total) * ELLIPSOID_A**2
        out_is_small[i] = reach < WIDEST


@kernel
def _east(degrees: Any) -> Any:
    """Return a difference of longitudes in radians, the short way around."""
    return (degrees - 360 * np.rint(degrees / 360)) * RADIANS
