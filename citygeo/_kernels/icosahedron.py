"""
The icosahedron that H3 lays its grid on: where its faces are, and the cells that begin on each.

All numbers here are facts of the grid of H3 (https://h3geo.org, Apache License 2.0), found by asking h3-py for the
cells of points; `tests/kernels/test_icosahedron.py` asks again for every one of them.

A place on a face is (a, b): `a` steps towards the first corner of the face and `b` towards the second, which lies 120
degrees to the left, so that the six neighbours of a cell are at ±(1, 0), ±(0, 1) and ±(1, 1). A step is the distance
between the middles of two cells; from the middle of a face to a corner it is two steps of resolution 0.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN = (1 + 5**0.5) / 2
# Base cells of the pentagons and the corners of the icosahedron they lie on, in a frame of its own. The latitude and
# longitude in degrees of the first two fix that frame on Earth.
PENTAGONS = {
    4: (0, 1, GOLDEN), 14: (0, -1, GOLDEN), 24: (-GOLDEN, 0, 1), 38: (GOLDEN, 0, 1),
    49: (-1, GOLDEN, 0), 58: (1, GOLDEN, 0), 63: (-1, -GOLDEN, 0), 72: (1, -GOLDEN, 0),
    83: (-GOLDEN, 0, -1), 97: (GOLDEN, 0, -1), 107: (0, 1, -GOLDEN), 117: (0, -1, -GOLDEN),
}  # fmt: skip
FIRST_TWO = ((64.70000012793487, 10.536199075467685), (50.103201482241346, -143.47849001502516))

# For each face, with the place (a, b) of each column above it: the base cells whose cells occur on the face; the turns
# of 60 degrees to the left that lead from the axes of the face to those of the base cell; and the same for the
# pentagons in the three corners, where the turn depends on the first digit that is not 0 (FIRST_DIGITS).
PLACES = (
    (-2, -2), (-2, -1), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0),
    (0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1),
)  # fmt: skip
CORNERS = ((2, 0), (0, 2), (-2, -2))
FIRST_DIGITS = ((1, 2, 3), (1, 4, 5), (2, 4, 6))
FACES = (
    ((14, 17, 9, 6, 11, 23, 1, 2, 10, 24, 3, 0, 5, 18, 4, 8), ".35003500.5001.1", "212 111 000"),
    ((38, 34, 29, 21, 19, 20, 13, 7, 9, 14, 12, 3, 1, 6, 4, 0), ".35003500.5001.1", "333 111 000"),
    ((24, 32, 10, 18, 30, 48, 5, 16, 33, 49, 0, 8, 22, 41, 4, 15), ".35003500.5001.1", "100 111 000"),
    ((58, 62, 44, 42, 43, 47, 28, 26, 29, 38, 15, 12, 13, 21, 4, 3), ".35003500.5001.1", "444 111 000"),
    ((49, 61, 33, 41, 53, 65, 22, 31, 44, 58, 8, 15, 28, 42, 4, 12), ".35003500.5001.1", "555 111 000"),
    ((63, 59, 56, 45, 39, 37, 35, 25, 23, 24, 27, 17, 11, 10, 14, 6), ".55225522.5255.5", "555 500 322"),
    ((38, 51, 21, 34, 54, 73, 19, 36, 55, 72, 9, 20, 40, 60, 14, 27), ".11411144.1441.1", "212 454 111"),
    ((72, 80, 55, 60, 68, 77, 40, 46, 56, 63, 20, 27, 35, 45, 14, 17), ".33033300.3003.3", "100 333 434"),
    ((83, 87, 74, 70, 67, 66, 52, 50, 48, 49, 37, 32, 30, 33, 24, 18), ".55225522.5255.5", "555 500 322"),
    ((63, 79, 45, 59, 78, 92, 39, 57, 74, 83, 23, 37, 52, 70, 24, 32), ".33033300.3003.3", "100 333 434"),
    ((58, 76, 42, 62, 82, 98, 43, 64, 84, 97, 29, 47, 69, 89, 38, 51), ".11411144.1441.1", "212 454 111"),
    ((97, 103, 84, 89, 91, 88, 69, 71, 73, 72, 47, 51, 54, 55, 38, 34), ".33033300.3003.3", "100 333 434"),
    ((107, 104, 101, 94, 86, 76, 81, 75, 65, 58, 66, 61, 53, 44, 49, 41), ".55225522.5255.5", "555 500 322"),
    ((83, 100, 70, 87, 102, 112, 67, 85, 101, 107, 48, 66, 81, 94, 49, 61), ".33033300.3003.3", "100 333 434"),
    ((107, 115, 94, 104, 110, 111, 86, 96, 98, 97, 65, 76, 82, 84, 58, 62), ".33033300.3003.3", "100 333 434"),
    ((72, 88, 60, 80, 99, 113, 68, 90, 106, 117, 56, 77, 93, 109, 63, 79), ".51455444.1443.3", "444 222 555"),
    ((117, 118, 106, 109, 108, 100, 93, 95, 92, 83, 77, 79, 78, 74, 63, 59), ".13221322.3225.5", "333 222 111"),
    ((97, 111, 89, 103, 116, 121, 91, 105, 113, 117, 73, 88, 99, 106, 72, 80), ".51455444.1443.3", "444 111 555"),
    ((117, 121, 109, 118, 120, 115, 108, 114, 112, 107, 92, 100, 102, 101, 83, 87), ".13221322.3225.5", "333 222 322"),
    ((107, 112, 104, 115, 120, 118, 110, 119, 121, 117, 98, 111, 116, 113, 97, 103), ".51455444.1443.3", "444 500 555"),
)  # fmt: skip

# by face: the corner at which h3-py begins the outline of a cell, counted anticlockwise from (2/3, 1/3)
STARTS = "00000420402040024242"

CHILDREN = ((0, 0), (-1, -1), (0, 1), (-1, 0), (1, 0), (0, -1), (1, 1))  # where the child of each digit lies
REACH = 2  # the farthest place of PLACES on either axis
UNKNOWN_TURN = 7
PENTAGON = 1 << 63  # flag of a home; a cell never has this bit


class Grid(NamedTuple):
    """The grid of one resolution, as the kernel wants it; see the functions below."""

    axes: NDArray[np.float64]
    steps: NDArray[np.float64]
    home: NDArray[np.uint64]
    pair: NDArray[np.uint64]


@cache
def grid(resolution: int) -> Grid:
    """Return the tables of a resolution, read-only."""
    tables = Grid(_axes(), _steps(resolution), _homes(), _pairs())
    for table in tables:
        table.flags.writeable = False
    return tables


def _axes() -> NDArray[np.float64]:
    """Return the axes of the icosahedron's own frame, `(3, 3)`, a row each, in the frame of Earth."""
    lat, lon = np.radians(FIRST_TWO).T
    one, two = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    y, z = (one - two) / np.linalg.norm(one - two), (one + two) / np.linalg.norm(one + two)
    return np.stack([np.cross(y, z), y, z])


def _middles() -> NDArray[np.float64]:
    """
    Return the direction of the middle of the face of each code, `(32, 3)`, of length √3.

    A code is four times an octant (4 if x, 2 if y, 1 if z is negative) and one of the four faces that reach into it.
    Twelve faces reach into two octants and so have two codes.
    """
    first = np.array([(1, 1, 1), (1 / GOLDEN, 0, GOLDEN), (GOLDEN, 1 / GOLDEN, 0), (0, GOLDEN, 1 / GOLDEN)])
    signs = np.array(list(product((1, -1), repeat=3)))
    middles: NDArray[np.float64] = (signs[:, None, :] * first[None, :, :]).reshape(-1, 3)
    return middles


@cache
def _face_of_code() -> tuple[int, ...]:
    """Return the row of FACES of each code."""
    corners = [[PENTAGONS[base[PLACES.index(place)]] for place in CORNERS] for base, _, _ in FACES]
    middle = np.array(corners).sum(axis=1)
    return tuple((_middles() @ middle.T).argmax(axis=1).tolist())


def _steps(resolution: int) -> NDArray[np.float64]:
    """
    Return the two vectors of each code, `(32, 6)`, that give the place of a direction on the face.

    With `v` the direction and `m` the middle of the face, the place is (v·first, v·second) / (v·m): the direction is
    drawn out to the plane of the face. Each resolution turns the grid by 19.1 degrees, to and fro, and makes it √7
    times finer.
    """
    vectors = np.empty((32, 6))
    for code, (face, middle) in enumerate(zip(_face_of_code(), _middles(), strict=True)):
        corner = np.array([PENTAGONS[FACES[face][0][PLACES.index(place)]] for place in CORNERS[:2]])
        step = (corner / (corner @ middle)[:, None] - middle / 3) / 2
        first, second = np.linalg.pinv(step).T
        for level in range(1, resolution + 1):
            if level % 2:
                first, second = 2 * first + second, 3 * second - first
            else:
                first, second = 3 * first - second, first + 2 * second
        vectors[code, :3], vectors[code, 3:] = first, second
    return vectors


def _homes() -> NDArray[np.uint64]:
    """
    Return the base cell at each place of each code, `(32, 25)`, with the turns.

    Bits 45 to 51 are the base cell, as in a cell; bits 3d to 3d + 2 the turn if the first digit that is not 0 is `d`,
    asked for only where PENTAGON is set, else in bits 0 to 2. Places that no cell of the face has are of unknown turn.
    """
    nothing = sum(UNKNOWN_TURN << 3 * digit for digit in range(7))
    table = np.full((len(FACES), (2 * REACH + 1) ** 2), nothing, np.uint64)
    for face, (base, turns, corner_turns) in enumerate(FACES):
        of_corner = corner_turns.split()
        for place, cell, turn in zip(PLACES, base, turns, strict=True):
            column = (place[0] + REACH) * (2 * REACH + 1) + place[1] + REACH
            if place not in CORNERS:
                table[face, column] = cell << 45 | int(turn)
                continue
            corner = CORNERS.index(place)
            known = dict(zip(FIRST_DIGITS[corner], map(int, of_corner[corner]), strict=True)) | {0: 0}
            turns_packed = sum(known.get(digit, UNKNOWN_TURN) << 3 * digit for digit in range(7))
            table[face, column] = PENTAGON | cell << 45 | turns_packed
    return table[list(_face_of_code())]


def _pairs() -> NDArray[np.uint64]:
    """
    Return two digits at once, `(49,)`, for places of even resolutions, by the rests of `a` and `b` when divided by 7.

    Two resolutions make the grid just 7 times finer, without a turn. Bits 3 to 5 are the digit of the coarser, bits 0
    to 2 of the finer; bits 6 and 7 what to add to the quotients of `a` and of `b`.
    """
    table = np.zeros(49, np.uint64)
    for (upper, (a, b)), (lower, (c, d)) in product(enumerate(CHILDREN), repeat=2):
        place = (3 * a - b + c, a + 2 * b + d)
        carry = [int(part < 0) for part in place]
        table[7 * (place[0] % 7) + place[1] % 7] = upper << 3 | lower | carry[0] << 6 | carry[1] << 7
    return table


def step_table() -> NDArray[np.uint64]:
    """
    Return the digit after a step, `(98,)`, by 49 (odd resolution) + 7 (digit before) + digit of the step's direction.

    Bits 0 to 2 are the digit; bits 3 to 5 the direction of the step that the parent makes, as a digit, 0 if it stays.
    """
    table = np.zeros((2, 7, 7), np.uint64)
    for is_odd, (upper, (a, b)), (lower, (c, d)) in product((0, 1), enumerate(CHILDREN), enumerate(CHILDREN)):
        place = (2 * a + b + c, 3 * b - a + d) if is_odd else (3 * a - b + c, a + 2 * b + d)
        for (before, (e, f)), (direction, (g, h)) in product(enumerate(CHILDREN), repeat=2):
            if place == (e + g, f + h):
                table[is_odd, before, direction] = upper << 3 | lower
    return table.reshape(-1)


class Ground(NamedTuple):
    """The faces, as the kernels of `outlines` want them; see the functions below."""

    land: NDArray[np.int64]
    frame: NDArray[np.float64]
    start: NDArray[np.int64]


@cache
def ground() -> Ground:
    """Return where base cells lie on faces, and faces on Earth, read-only."""
    tables = Ground(_lands(), _frames(), np.array([int(start) for start in STARTS]))
    for table in tables:
        table.flags.writeable = False
    return tables


def _lands() -> NDArray[np.int64]:
    """
    Return the ways back from each base cell to a face, `(122 * 7, 12)`, by 7 * base cell + first digit that is not 0.

    Four numbers a way: the face, -1 if there are no more ways; the turns of 60 degrees to the right; and the place of
    the base cell. Only at pentagons the digit matters.
    """
    ways: list[list[int]] = [[] for _ in range(122 * 7)]
    for face, (base, turns, corner_turns) in enumerate(FACES):
        of_corner = corner_turns.split()
        for place, cell, turn in zip(PLACES, base, turns, strict=True):
            if place not in CORNERS:
                for digit in range(7):
                    ways[7 * cell + digit] += [face, int(turn), *place]
                continue
            corner = CORNERS.index(place)
            for digit, corner_turn in zip(FIRST_DIGITS[corner], of_corner[corner], strict=True):
                turned = digit
                for _ in range(int(corner_turn)):
                    turned = (0, 5, 3, 1, 6, 4, 2)[turned]
                ways[7 * cell + turned] += [face, int(corner_turn), *place]
    return np.array([way + [-1] * (12 - len(way)) for way in ways])


def _frames() -> NDArray[np.float64]:
    """Return the middle and the two steps of resolution 0 of each face, `(20, 9)`, on a plane, on Earth."""
    frames = np.empty((len(FACES), 3, 3))
    for face, (base, _, _) in enumerate(FACES):
        corner = np.array([PENTAGONS[base[PLACES.index(place)]] for place in CORNERS])
        middle = corner.sum(axis=0)
        middle /= np.linalg.norm(middle)
        flat = corner[:2] / (corner[:2] @ middle)[:, None]
        frames[face] = np.array([middle, *((flat - middle) / 2)]) @ _axes()
    return frames.reshape(-1, 9)
