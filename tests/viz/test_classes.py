from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.viz.classes import (
    RAMPS,
    Classes,
    minute_classes,
    people_classes,
    quantile_breaks,
    ramp,
    share_classes,
)

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB
SIGHT = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, sight: str) -> np.ndarray:
    """Return CIE L*a*b* (D65) of a colour as somebody sees it."""
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SIGHT[sight] @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("name", RAMPS)
def test_ramps_darken_visibly_at_every_step_for_every_eye(name: str, sight: str) -> None:
    seen = [lab(colour, sight) for colour in ramp(name, 5)]
    lightness = [colour[0] for colour in seen]
    assert all(a - b > 8 for a, b in itertools.pairwise(lightness))
    assert all(np.linalg.norm(a - b) > 10 for a, b in itertools.pairwise(seen))


@pytest.mark.parametrize("sight", SIGHT)
def test_reached_and_uncovered_are_never_mistaken_for_each_other(sight: str) -> None:
    pairs = itertools.product(ramp("heat", 5), ramp("reach", 5))
    assert min(np.linalg.norm(lab(a, sight) - lab(b, sight)) for a, b in pairs) > 15


def test_ramps_are_legible_in_grey() -> None:
    for name in RAMPS:
        greys = [lab(colour, "normal")[0] for colour in RAMPS[name]]
        assert greys == sorted(greys, reverse=True)


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=200))
def test_people_classes_hold_every_value_and_rise(values: list[float]) -> None:
    classes = people_classes(values)
    assert list(classes.breaks) == sorted(set(classes.breaks))
    assert len(classes.colours) == len(classes.breaks) - 1
    assert len(set(classes.colours)) == len(classes.colours)
    found = classes.of(values)
    for value, place in zip(values, found, strict=True):
        low, high = classes.ranges()[place]
        assert low <= value <= high


def test_classes_by_hand() -> None:
    classes = share_classes()
    assert classes.of([0.0, 0.2, 0.1999, 1.0, np.nan]).tolist() == [0, 1, 0, 4, -1]
    assert minute_classes(3).breaks == (0.0, 1.0, 2.0, 3.0)
    assert minute_classes(60).breaks == (0.0, 12.0, 24.0, 36.0, 48.0, 60.0)
    assert minute_classes(0.5).breaks == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    # dark is near
    assert lab(minute_classes(5).colours[0], "normal")[0] < lab(minute_classes(5).colours[-1], "normal")[0]


def test_no_people_left_out_is_one_empty_class() -> None:
    assert people_classes([]).breaks == (0.0, 1.0)
    assert people_classes([0.0, np.nan]).breaks == (0.0, 1.0)
    assert people_classes([7.0]).breaks == (0.0, 7.0)


FLOATS = st.one_of(st.floats(-1e9, 1e9), st.integers(-5, 40).map(float), st.just(0.0))


@given(st.lists(FLOATS, min_size=1, max_size=200), st.integers(2, 7))
def test_quantile_breaks_rise_hold_every_value_and_leave_no_class_empty(
    values: list[float], size: int
) -> None:
    breaks = quantile_breaks(values, size)
    assert all(a < b for a, b in itertools.pairwise(breaks[:-1]))
    assert breaks[-2] <= breaks[-1]
    assert (breaks[0], breaks[-1]) == (min(values), max(values))
    assert len(breaks) <= size + 1
    found = Classes(breaks, ()).of(values)
    assert set(found.tolist()) == set(range(len(breaks) - 1))


@given(st.lists(st.floats(-1e6, 1e6), min_size=60, max_size=300, unique=True), st.integers(2, 6))
def test_quantile_breaks_of_different_values_hold_equally_many(values: list[float], size: int) -> None:
    breaks = quantile_breaks(values, size)
    assert len(breaks) == size + 1
    counts = np.bincount(Classes(breaks, ()).of(values))
    # each bound may move past 4 of 100 values, and a quantile lies between two
    assert np.abs(counts / len(values) - 1 / size).max() <= 2 * 0.04 + 2 / len(values)


def test_bounds_of_smooth_numbers_are_round() -> None:
    numbers = np.random.default_rng(0).lognormal(3, 1, 5000)
    inner = quantile_breaks(numbers)[1:-1]
    assert all(float(f"{bound:.1e}") == bound for bound in inner)
    assert quantile_breaks(np.concatenate([numbers, np.zeros(2000), [np.nan, np.inf]]))[0] == 0
