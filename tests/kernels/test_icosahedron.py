"""Every number of the tables of the grid, found again from cells that h3-py gives."""

from __future__ import annotations

from itertools import product

import h3.api.numpy_int as h3
import numpy as np
import pytest

from citygeo._kernels.icosahedron import (
    CHILDREN,
    CORNERS,
    FACES,
    FIRST_DIGITS,
    FIRST_TWO,
    PENTAGONS,
    PLACES,
    UNKNOWN_TURN,
    grid,
)
from tests.h3_places import corners, faces, oracle, to_degrees

DOWN = {1: np.array([[2, 1], [-1, 3]]), 0: np.array([[3, -1], [1, 2]])}  # places of children, odd and even
TURN_LEFT = [0, 5, 3, 1, 6, 4, 2]
TURNED = np.array([np.arange(7)] * 6)
for turn in range(1, 6):
    TURNED[turn] = np.array(TURN_LEFT)[TURNED[turn - 1]]
STEPS_AROUND = np.array(list(product((-1, 0, 1), repeat=2)))


def corner_cells(face):
    return tuple(FACES[face][0][PLACES.index(place)] for place in CORNERS)


def raw_cells(vectors, face, resolution):
    """Place at resolution 0 and digits, `(n, 2)` and `(n, resolution)`, seen from a face; the nearest by trying all."""
    corner = np.array([corners()[cell] for cell in corner_cells(face)])
    middle = corner.mean(axis=0)
    flat = corner / (corner @ middle)[:, None]
    steps = (flat[:2] - flat.mean(axis=0)) / 2
    for level in range(1, resolution + 1):
        steps = np.linalg.inv(DOWN[level % 2]).T @ steps
    off = vectors / (vectors @ middle)[:, None] - flat.mean(axis=0)
    near = np.rint(np.linalg.lstsq(steps.T, off.T, rcond=None)[0].T)[:, None, :] + STEPS_AROUND
    gap = np.linalg.norm(near @ steps - off[:, None, :], axis=2)
    place = np.take_along_axis(near, gap.argmin(axis=1)[:, None, None], axis=1)[:, 0]
    digits = np.empty((len(vectors), resolution), int)
    for level in range(resolution, 0, -1):
        parent = np.rint(place @ np.linalg.inv(DOWN[level % 2]).T)
        left = place - parent @ DOWN[level % 2].T
        is_child = (left[:, None, :] == np.array(CHILDREN)).all(axis=2)
        assert is_child.any(axis=1).all()
        digits[:, level - 1] = is_child.argmax(axis=1)
        place = parent
    return place.astype(int), digits


def sampled(rng, n):
    """Directions everywhere, near corners and near edges of faces, but not so near that two faces compete."""
    corner = np.array(list(corners().values()))
    ends = np.array([[corners()[cell] for cell in three] for three in faces()])[rng.integers(0, 20, n)]
    # beside an edge and not far from a corner are cells of base cells beyond it
    weight = 10.0 ** np.column_stack([np.zeros(n), rng.uniform(-2, 0, n), rng.uniform(-5, -1, n)])
    weight = rng.permuted(weight, axis=1)
    near_corner = corner[rng.integers(0, 12, n)] + rng.normal(size=(n, 3)) * 10.0 ** rng.uniform(
        -3, -1, (n, 1)
    )
    vectors = np.concatenate([rng.normal(size=(n, 3)), near_corner, (weight[:, :, None] * ends).sum(axis=1)])
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    middle = np.array([sum(corners()[cell] for cell in corner_cells(face)) for face in range(20)])
    middle /= np.linalg.norm(middle, axis=1)[:, None]
    close = np.sort(vectors @ middle.T, axis=1)
    vectors = vectors[close[:, -1] - close[:, -2] > 1e-7]
    return vectors, (vectors @ middle.T).argmax(axis=1)


def seen(found, resolution, n):
    """Fill base cell and possible turns by face, place and, for pentagons, first digit, as h3-py has them."""
    vectors, face_of = sampled(np.random.default_rng(resolution), n)
    cells = oracle(*to_degrees(vectors), resolution)
    base = (cells >> np.uint64(45) & np.uint64(127)).astype(int)
    shifts = 45 - 3 * np.arange(1, resolution + 1)
    digits = (cells[:, None] >> shifts.astype(np.uint64) & np.uint64(7)).astype(int)
    for face in range(20):
        own = np.flatnonzero(face_of == face)
        place, raw = raw_cells(vectors[own], face, resolution)
        first = np.take_along_axis(raw, (raw != 0).argmax(axis=1)[:, None], axis=1)[:, 0]
        fits = (TURNED[:, raw] == digits[own]).all(axis=2).T
        key = np.column_stack([place, np.where(np.isin(base[own], list(PENTAGONS)), first, -1), base[own]])
        different, group = np.unique(key, axis=0, return_inverse=True)
        for row, (a, b, digit, cell) in enumerate(different.tolist()):
            known_cell, known_fits = found.get((face, (a, b), digit), (cell, True))
            assert known_cell == cell
            found[face, (a, b), digit] = cell, known_fits & fits[group.ravel() == row].all(axis=0)


def test_base_cells_and_turns_are_those_of_h3_and_none_is_missing():
    expected, found = {}, {}
    for face, (base, turns, corner_turns) in enumerate(FACES):
        for place, cell, turn in zip(PLACES, base, turns, strict=True):
            if place not in CORNERS:
                expected[face, place, -1] = cell, int(turn)
                continue
            corner = CORNERS.index(place)
            expected[face, place, 0] = cell, None
            for digit, own in zip(FIRST_DIGITS[corner], corner_turns.split()[corner], strict=True):
                expected[face, place, digit] = cell, int(own)
    for resolution in (1, 2, 3, 4):
        seen(found, resolution, 20_000)
    assert set(found) == set(expected)
    for key, (cell, turn) in expected.items():
        assert found[key][0] == cell
        if turn is not None:
            assert np.flatnonzero(found[key][1]).tolist() == [turn]


def test_the_faces_are_those_between_neighbouring_pentagons():
    assert sorted(tuple(sorted(corner_cells(face))) for face in range(20)) == faces()
    for face in range(20):  # seen from outside, the second corner is to the left of the first
        assert np.linalg.det([corners()[cell] for cell in corner_cells(face)]) > 0


def test_pentagons_lie_where_h3_has_them():
    axes = grid(0).axes
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-15)
    for cell, place in PENTAGONS.items():
        here = np.array(place) @ axes
        assert here / np.linalg.norm(here) == pytest.approx(corners()[cell], abs=2e-15)
    for place, cell in zip(FIRST_TWO, PENTAGONS, strict=False):
        lat_lon = h3.cell_to_latlng(
            next(c for c in h3.get_pentagons(0) if h3.get_base_cell_number(c) == cell)
        )
        assert place == pytest.approx(lat_lon, abs=1e-12)


@pytest.mark.parametrize("resolution", [0, 1, 2, 9, 14, 15])
def test_corners_of_faces_are_two_steps_of_resolution_0_from_the_middle(resolution):
    table = grid(resolution)
    down = np.eye(2)
    for level in range(1, resolution + 1):
        down = DOWN[level % 2] @ down
    expected = {tuple(np.rint(down @ place).astype(int)) for place in CORNERS}
    corner = np.array(list(PENTAGONS.values()))
    for code in range(32):
        # the three corners nearest to the plane of the face are those in it
        first, second = table.steps[code].reshape(2, 3)
        middle = np.cross(first, second)
        own = corner[np.argsort(-(corner @ middle))[:3]]
        scale = np.sqrt(3) * (own @ middle) / np.linalg.norm(middle)
        places = own @ np.array([first, second]).T / scale[:, None]
        assert {tuple(np.rint(place).astype(int)) for place in places} == expected
        assert places == pytest.approx(np.rint(places), abs=1e-8)


def test_two_digits_at_once_are_two_steps_up():
    pair = grid(0).pair.tolist()
    assert len(pair) == 49
    for a, b in product(range(-20, 20), repeat=2):
        place, digits = np.array([a, b]), []
        for level in (0, 1):
            parent = np.rint(np.linalg.inv(DOWN[level]) @ place).astype(int)
            digits.append(CHILDREN.index(tuple((place - DOWN[level] @ parent).tolist())))
            place = parent
        both = pair[7 * (a % 7) + b % 7]
        assert (both >> 3 & 7, both & 7) == (digits[1], digits[0])
        assert (a // 7 + (both >> 6 & 1), b // 7 + (both >> 7)) == tuple(place.tolist())


def test_places_that_no_cell_of_a_face_has_are_told():
    home = grid(0).home
    unknown = home & np.uint64(7) == np.uint64(UNKNOWN_TURN)
    assert unknown.sum(axis=1).tolist() == [25 - len(PLACES)] * 32


def test_tables_cannot_be_written_to():
    assert not any(table.flags.writeable for table in grid(7))
