"""
The H3 cell that a point lies in.

The steps of H3 itself, written for many points at once: the direction of the point, the face of the icosahedron it
is on, its place in the hexagonal grid of that face, the nearest cell, the digits on the way up to resolution 0, and
the base cell there, whose axes may be turned against those of the face. There is no inverse trigonometry: the place
comes from products of vectors and one division.

Rounding may put a point beside an edge into another cell than h3-py does. Such points are flagged, for h3-py to decide.
H3 itself knows a point to 1e-15 radians, save near the middle of a face, where it takes the arc cosine of almost 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 512  # directions at a time: 12 KB, which stay in the nearest cache
RADIANS = np.pi / 180
GOLDEN = (1 + 5**0.5) / 2
SHORT = GOLDEN - 1  # 1 / GOLDEN

NEAR = 1e-9  # radians, 6 mm on Earth: how near to an edge of a cell or a face a point is flagged
# steps of resolution 0 in a radian on the plane of a face, where it is most stretched: at a corner
STRETCH = 1.6 / (2 - GOLDEN)
# within 1e-6 radians of the middle of a face, in the scale of the middles, which are of length √3
MIDDLE = 3**0.5 * (1 - 0.5e-12)

# uint64, because numba would turn a sum with a plain number into int64
B1, B2, B3, B4, B5, B6, B7 = (np.uint64(bits) for bits in range(1, 8))
TWO_DIGITS, TOP_DIGIT = np.uint64(63), np.uint64(42)
BASE_CELL, PENTAGON = np.uint64(127 << 45), np.uint64(1 << 63)
ANY_CELL = np.uint64(1 << 59)
LOWEST, LOWER_TWO = np.uint64(int("001" * 15, 2)), np.uint64(int("011" * 15, 2))
# x // 7 by a product, exact below 2**26: the compiler's own way must hold for all 64 bits and is slower
SEVENTH, SHIFT = np.uint64(2**40 // 7 + 1), np.uint64(40)
# digits of the child by 3 + what is left of 3a - b when its parent is taken away
ODD_DIGITS = np.uint64(sum(digit << 3 * at for at, digit in enumerate((3, 1, 2, 0, 5, 6, 4))))


@kernel
def _sine_cosine(degrees: Any) -> Any:
    """Return sine and cosine, to 3e-16; written out, because the compiler then takes several at a time."""
    quarter = np.floor(degrees / 90.0 + 0.5)
    x = (degrees - 90.0 * quarter) * RADIANS
    z = x * x
    sine = 1 - z * (1 / 110) * (1 - z * (1 / 156) * (1 - z * (1 / 210) * (1 - z * (1 / 272))))
    sine = x - x * z * (1 / 6) * (1 - z * (1 / 20) * (1 - z * (1 / 42) * (1 - z * (1 / 72) * sine)))
    cosine = 1 - z * (1 / 132) * (1 - z * (1 / 182) * (1 - z * (1 / 240)))
    cosine = 1 - z * (1 / 2) * (
        1 - z * (1 / 12) * (1 - z * (1 / 30) * (1 - z * (1 / 56) * (1 - z * (1 / 90) * cosine)))
    )
    turn = np.int64(quarter)
    is_odd = (turn & 1) != 0
    y, x = (cosine, sine) if is_odd else (sine, cosine)
    return -y if (turn & 2) != 0 else y, -x if ((turn + 1) & 2) != 0 else x


@kernel
def _directions(
    lon: NDArray[np.float64], lat: NDArray[np.float64], axes: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Fill the unit vectors of points, in the frame of the icosahedron."""
    for i in range(lon.size):
        sine, cosine = _sine_cosine(lon[i])
        z, width = _sine_cosine(lat[i])
        x, y = width * cosine, width * sine
        out[0, i] = axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z
        out[1, i] = axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z
        out[2, i] = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z


@kernel
def _face(x: Any, y: Any, z: Any) -> Any:
    """Return the code of the nearest face, the product with its middle, and how far (at least) another code is."""
    code = (4 if x < 0 else 0) + (2 if y < 0 else 0) + (1 if z < 0 else 0)
    x, y, z = abs(x), abs(y), abs(z)
    zero, one = x + y + z, SHORT * x + GOLDEN * z
    two, three = GOLDEN * x + SHORT * y, GOLDEN * y + SHORT * z
    early, late = max(zero, one), max(two, three)
    best = max(early, late)
    second = max(min(early, late), min(zero, one), min(two, three))
    kind = (1 if one > zero else 0) if early > late else (3 if three > two else 2)
    # the borders of these four, and those between octants, some of which no border runs along
    return 4 * code + kind, best, min(best - second, 2 * min(x, y, z))


@kernel
def _nearest(a: Any, b: Any) -> Any:
    """Return the nearest cell to a place, and how far the nearest edge is, in steps."""
    c = b - a
    near_a, near_b, near_c = np.floor(a + 0.5), np.floor(b + 0.5), np.floor(c + 0.5)
    off_a, off_b, off_c = abs(a - near_a), abs(b - near_b), abs(c - near_c)
    # of the three, which belong together, the least certain follows from the other two
    from_a, from_b = near_b - near_c, near_a + near_c
    is_a = off_a > off_b and off_a > off_c
    is_b = off_b >= off_a and off_b > off_c
    near_a = from_a if is_a else near_a
    near_b = from_b if is_b else near_b
    u, v = a - near_a, b - near_b
    return near_a, near_b, 0.5 - max(abs(u - 0.5 * v), abs(v - 0.5 * u), 0.5 * abs(u + v))


@kernel
def _places(
    direction: NDArray[np.float64], steps: NDArray[np.float64], slack: Any, out_code: NDArray[np.int64],
    out_is_near: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Replace directions by the nearest cell on the nearest face, and flag those that may be wrong."""
    for i in range(out_is_near.size):
        x, y, z = direction[0, i], direction[1, i], direction[2, i]
        code, best, gap = _face(x, y, z)
        scale = 1.0 / best
        a = (steps[code, 0] * x + steps[code, 1] * y + steps[code, 2] * z) * scale
        b = (steps[code, 3] * x + steps[code, 4] * y + steps[code, 5] * z) * scale
        direction[0, i], direction[1, i], margin = _nearest(a, b)
        out_code[i] = code
        out_is_near[i] = gap < 2 * NEAR or best > MIDDLE or not margin > slack


@kernel
def _turned(digits: Any, turns: Any) -> Any:
    """
    Turn digits by 60 degrees to the left so often.

    The bits of a digit stand for the three axes, 120 degrees apart: turning by 120 degrees moves each bit on by one,
    and by 180 degrees changes all bits of those that are not 0.
    """
    digits ^= ((digits | digits >> B1 | digits >> B2) & LOWEST) * (B7 * (turns & B1))
    thirds = turns % B3  # odd turns are 180 degrees and a third back or forth
    back = (digits & LOWER_TWO) << B1 | digits >> B2 & LOWEST
    forth = digits >> B1 & LOWER_TWO | (digits & LOWEST) << B2
    digits = back if thirds == B1 else digits
    return forth if thirds == B2 else digits


@kernel
def _first_digit(digits: Any, rest: Any) -> Any:
    """Return the first digit that is not 0, or 0; the lowest has `rest` bits below it."""
    at = TOP_DIGIT
    while at > rest and digits >> at & B7 == np.uint64(0):
        at = at - B3
    return digits >> at & B7


@kernel
def _lift(resolution: Any) -> Any:
    """Return what keeps places positive: as often divided by 7 as there are pairs of digits, it is 4 in the end."""
    return 4 * 7 ** (resolution // 2)


@kernel
def _cell(
    whole_a: Any,
    whole_b: Any,
    code: Any,
    resolution: Any,
    lift: Any,
    home: NDArray[np.uint64],
    pair: NDArray[np.uint64],
) -> Any:
    """Return the cell at a whole place on a face, and whether the place is too far from it to be known."""
    rest = np.uint64(3 * (15 - resolution))
    digits, shift = np.uint64(0), rest
    if resolution % 2 == 1:
        sum_a = np.uint64(3 * whole_a - whole_b + 3 + 7 * lift)
        sum_b = np.uint64(whole_a + 2 * whole_b + 3 + 7 * lift)
        a, b = sum_a * SEVENTH >> SHIFT, sum_b * SEVENTH >> SHIFT
        digits = (ODD_DIGITS >> B3 * (sum_a - B7 * a) & B7) << shift
        shift = shift + B3
    else:
        a, b = np.uint64(whole_a + lift), np.uint64(whole_b + lift)
    for _ in range(resolution // 2):
        part_a, part_b = a * SEVENTH >> SHIFT, b * SEVENTH >> SHIFT
        both = pair[B7 * (a - B7 * part_a) + (b - B7 * part_b)]
        digits |= (both & TWO_DIGITS) << shift
        shift = shift + B6
        a, b = part_a + (both >> B6 & B1), part_b + (both >> B7)
    base = home[code, B5 * (a - B2) + (b - B2)]
    turns = base & B7
    if base & PENTAGON:
        turns = base >> B3 * _first_digit(digits, rest) & B7
    frame = ANY_CELL | np.uint64(resolution) << np.uint64(52) | (B1 << rest) - B1
    return frame | base & BASE_CELL | _turned(digits, turns), turns == B7


@kernel
def cells_at(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    resolution: Any,
    axes: NDArray[np.float64],
    steps: NDArray[np.float64],
    home: NDArray[np.uint64],
    pair: NDArray[np.uint64],
    out_cell: NDArray[np.uint64],
    out_is_near: NDArray[np.bool_],
) -> None:
    """
    Find the cell of each point.

    Parameters
    ----------
    lon, lat
        float64 `(n,)`: degrees, finite; the longitude may be beyond 180.
    resolution
        0 to 15.
    axes, steps, home, pair
        From `icosahedron.grid` of the resolution.
    out_cell
        uint64 `(n,)`. Filled.
    out_is_near
        bool `(n,)`. Filled: the point is so near to an edge, or to the middle of a face, that the cell may be wrong.
    """
    slack = NEAR * STRETCH * 7.0 ** (0.5 * resolution)
    lift = _lift(resolution)
    work, code = np.empty((3, BLOCK)), np.empty(BLOCK, np.int64)
    for low in range(0, lon.size, BLOCK):
        high = min(low + BLOCK, lon.size)
        # three loops, because the compiler takes several points at a time in the first two
        _directions(lon[low:high], lat[low:high], axes, work)
        _places(work, steps, slack, code, out_is_near[low:high])
        for i in range(high - low):
            cell, is_unknown = _cell(
                np.int64(work[0, i]), np.int64(work[1, i]), code[i], resolution, lift, home, pair
            )
            out_cell[low + i] = cell
            out_is_near[low + i] |= is_unknown


@kernel
def places_at(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    axes: NDArray[np.float64],
    steps: NDArray[np.float64],
    out_a: NDArray[np.float64],
    out_b: NDArray[np.float64],
    out_code: NDArray[np.int64],
    out_gap: NDArray[np.float64],
) -> None:
    """
    Find the place of each point on its face, in steps, between cells too.

    Parameters
    ----------
    lon, lat, axes, steps
        As for `cells_at`.
    out_a, out_b, out_code
        float64, float64 and int64 `(n,)`. Filled: the place, and the code of its face.
    out_gap
        float64 `(n,)`. Filled: no more than the distance, in radians, to where the code is another, and than the
        square of the distance to the middle of the face, beside which h3-py is not sure.
    """
    direction = np.empty((3, lon.size))
    _directions(lon, lat, axes, direction)
    for i in range(lon.size):
        x, y, z = direction[0, i], direction[1, i], direction[2, i]
        code, best, gap = _face(x, y, z)
        out_a[i] = (steps[code, 0] * x + steps[code, 1] * y + steps[code, 2] * z) / best
        out_b[i] = (steps[code, 3] * x + steps[code, 4] * y + steps[code, 5] * z) / best
        out_code[i] = code
        out_gap[i] = min(0.5 * gap, 3**0.5 - best)


@kernel
def cells_of_places(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    code: NDArray[np.int64],
    resolution: Any,
    home: NDArray[np.uint64],
    pair: NDArray[np.uint64],
    out_cell: NDArray[np.uint64],
) -> None:
    """
    Find the cell at each whole place on a face.

    Parameters
    ----------
    a, b, code
        int64 `(n,)`: the place, and the code of its face. Part of the cell lies on that face.
    resolution
        0 to 15.
    home, pair
        From `icosahedron.grid` of the resolution.
    out_cell
        uint64 `(n,)`. Filled.
    """
    lift = _lift(resolution)
    for i in range(a.size):
        out_cell[i], _ = _cell(a[i], b[i], code[i], resolution, lift, home, pair)
