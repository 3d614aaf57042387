"""Areas of shapes in convex windows, against plain Python and GEOS."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from citygeo._kernels.clip import clipped_areas
from citygeo.demand.overlay import shared_areas
from tests import reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANGLE = st.floats(0, 2 * math.pi)
CORNERS = st.lists(
    st.tuples(ANGLE, st.floats(0.1, 1)), min_size=3, max_size=24, unique_by=lambda c: round(c[0], 3)
)
WINDOW = st.tuples(
    st.lists(ANGLE, min_size=3, max_size=9, unique_by=lambda angle: round(angle, 2)),
    st.floats(0.2, 2), st.floats(-1, 1), st.floats(-1, 1),
)  # fmt: skip
FAR = st.sampled_from([0.0, 1e7])


def star(corners: list[tuple[float, float]], far: float) -> shapely.Polygon:
    """Corners around a place, by angle and distance."""
    return shapely.Polygon([(far + 100 * r * math.cos(a), 100 * r * math.sin(a)) for a, r in sorted(corners)])


def window_of(given: tuple[list[float], float, float, float], far: float) -> shapely.Polygon:
    """Corners on a circle: convex."""
    angles, radius, x, y = given
    return shapely.Polygon([
        (far + 100 * (x + radius * math.cos(a)), 100 * (y + radius * math.sin(a))) for a in sorted(angles)
    ])  # fmt: skip


def shared(shape: shapely.Geometry, window: shapely.Polygon) -> float:
    one = np.zeros(1, np.int64)
    return float(shared_areas(np.array([shape]), np.array([window]), one, one, 1)[0])


@given(CORNERS, WINDOW)
def test_equal_to_plain_python(
    corners: list[tuple[float, float]], window: tuple[list[float], float, float, float]
) -> None:
    shape, frame = star(corners, 0), window_of(window, 0)
    assume(shape.is_valid)
    ring, sides = (list(one.exterior.coords)[:-1] for one in (shape, frame))
    assert shared(shape, frame) == pytest.approx(reference.clipped_area(ring, sides), rel=1e-9, abs=1e-7)


@given(CORNERS, CORNERS, WINDOW, FAR)
def test_equal_to_geos_for_holes_and_several_parts(
    corners: list[tuple[float, float]],
    others: list[tuple[float, float]],
    window: tuple[list[float], float, float, float],
    far: float,
) -> None:
    one, two = (shapely.make_valid(star(each, far)) for each in (corners, others))
    frame = window_of(window, far)
    for shape in (one - two, one ^ two, one | shapely.affinity.translate(two, 150)):
        if shape.geom_type in ("Polygon", "MultiPolygon") and not shape.is_empty:
            # far from the origin, GEOS rounds corners to about 1e-9
            assert shared(shape, frame) == pytest.approx(shape.intersection(frame).area, rel=1e-9, abs=1e-5)


@given(CORNERS, st.lists(st.floats(-120, 120), min_size=1, max_size=5, unique=True), FAR)
def test_windows_that_share_the_plane_share_the_shape(
    corners: list[tuple[float, float]], cuts: list[float], far: float
) -> None:
    shape = shapely.make_valid(star(corners, far))
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        return
    edges = [-200.0, *sorted(cuts), 200.0]
    windows = np.array([
        shapely.box(far + x, y, far + u, v)
        for x, u in pairwise(edges) for y, v in pairwise(edges)
    ])  # fmt: skip
    pairs = np.arange(windows.size)
    areas = shared_areas(np.array([shape]), windows, np.zeros_like(pairs), pairs, 2)
    assert areas.sum() == pytest.approx(shape.area, rel=1e-9, abs=1e-6)
    assert (areas >= 0).all()


def test_a_comb_fits_its_scratch() -> None:
    """Every tooth leaves every side: as many corners as there can be."""
    for teeth in (1, 2, 9, 50):
        for sides in (3, 4, 7):
            angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
            window = shapely.Polygon(np.stack([np.cos(angles), np.sin(angles)], axis=1))
            turn = np.linspace(0, 2 * np.pi, 2 * teeth * sides, endpoint=False)
            radius = np.where(np.arange(turn.size) % 2, 0.2, 5.0)
            shape = shapely.Polygon(np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1))
            assert shared(shape, window) == pytest.approx(shape.intersection(window).area, rel=1e-12)


def test_windows_that_are_not_convex_are_left_to_geos() -> None:
    dented = shapely.Polygon([(0, 0), (4, 0), (2, 1), (4, 4), (0, 4)])
    assert shared(shapely.box(1, 0, 5, 5), dented) == pytest.approx(
        shapely.box(1, 0, 5, 5).intersection(dented).area
    )
    corner = np.array(dented.exterior.coords)[:-1]
    square = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    area: NDArray[np.float64] = np.zeros(1)
    clipped_areas(
        square, np.array([0, 4]), np.array([0, 1]), corner, np.array([0, 5]), np.zeros(1, np.int64),
        np.zeros(1, np.int64), np.empty((20, 2)), np.empty((20, 2)), area,
    )  # fmt: skip
    assert np.isnan(area[0])


def test_what_does_not_touch_shares_nothing_and_order_of_corners_does_not_matter() -> None:
    hexagon = shapely.Polygon([(2, 0), (1, 2), (-1, 2), (-2, 0), (-1, -2), (1, -2)])
    shape = shapely.box(0, 0, 1, 1)
    assert shared(shape, hexagon) == shared(shape.reverse(), hexagon.reverse()) == 1
    assert shared(shapely.box(5, 5, 6, 6), hexagon) == 0
    assert shared(shapely.box(2, -1, 3, 1), hexagon) == 0
    assert shared(shapely.box(-9, -9, 9, 9), hexagon) == hexagon.area
