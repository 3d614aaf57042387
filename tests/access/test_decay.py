"""Decays: each against its formula in plain Python, and what is true of all."""

from __future__ import annotations

import math
import pickle
from bisect import bisect_left
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import citygeo as cg
from citygeo.errors import CitygeoError

decay = cg.decay
MINUTES = st.floats(0, 1440)
BOUNDS = st.integers(0, 30_000).map(lambda seconds: seconds / 60)  # nobody has bounds 5e-324 minutes apart
NUMBER = st.floats(0.01, 200)


def straight(t, rows):
    """The table of `rows`, straight in between."""
    if t <= rows[0][0]:
        return rows[0][1]
    for (x0, y0), (x1, y1) in pairwise(rows):
        if t <= x1:
            return y0 + (y1 - y0) * (t - x0) / (x1 - x0)
    return 0.0


@given(t=MINUTES, a=NUMBER, b=NUMBER)
def test_formulas_one_by_one(t, a, b):
    rate = a / 100
    bell = math.exp(-(t**2) / (2 * a**2))
    slope = math.pi / (b * math.sqrt(3))
    rest = math.exp(-(b**2) / (2 * a**2))
    expected = {
        decay.step(a): float(t <= a),
        decay.linear(a): max(0.0, 1 - t / a),
        decay.exponential(rate): math.exp(-rate * t),
        decay.gaussian(a): bell,
        decay.power(rate, start=b): 1.0 if t <= b else (t / b) ** -rate,
    }
    if 1 - rest > 1e-6:
        expected[decay.gaussian(a, end=b)] = (bell - rest) / (1 - rest) if t <= b else 0.0
    if (t - a) * slope < 700:
        expected[decay.logistic(a, sd=b)] = (1 + math.exp(-a * slope)) / (1 + math.exp((t - a) * slope))
    for made, value in expected.items():
        assert made([t]).item() == pytest.approx(value, rel=1e-9, abs=1e-12), made


@given(t=MINUTES, steps=st.dictionaries(BOUNDS, st.floats(0, 1), min_size=1, max_size=6))
def test_steps_and_tables_one_by_one(t, steps):
    rows = sorted(steps.items())
    bounds = [bound for bound, _ in rows]
    at = bisect_left(bounds, t)
    for time in (t, *bounds):
        at = bisect_left(bounds, time)
        assert decay.step(steps)(time) == (rows[at][1] if at < len(rows) else 0)
        assert decay.table(steps)(time) == pytest.approx(straight(time, rows), rel=1e-6, abs=1e-9)


ALL = [
    decay.step(15), decay.step({5: 1, 10: 0.5, 15: 0.2}), decay.linear(20), decay.exponential(0.1),
    decay.gaussian(8), decay.gaussian(15, end=15), decay.logistic(10, sd=3), decay.power(1.5),
    decay.power(2, start=4), decay.table({0: 1, 10: 0.7, 15: 0}),
]  # fmt: skip


@pytest.mark.parametrize("made", ALL, ids=repr)
def test_what_is_true_of_all(made):
    times = np.concatenate(([0.0], np.linspace(0, 1440, 5001), [math.inf]))
    values = made(times)
    assert values[0] == 1
    assert values[-1] == 0
    assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(values) <= 0).all()
    assert made(np.zeros((2, 3))).shape == (2, 3)
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert hash(again) == hash(made)
    assert np.array_equal(again(times), values)
    assert eval(repr(made), {"decay": decay}) == made  # the text is the call
    with pytest.raises(AttributeError):
        made.kind = "other"


@pytest.mark.parametrize("sigma", [1e4, 1e7, 1e8, 1e10, 1e160, 1e308])
@pytest.mark.parametrize("end", [0.01, 1, 1440])
def test_a_wide_bell_falls_like_a_square(sigma, end):
    """With a great sigma, g(t) = 1 - t²/2σ², so that f(t) = 1 - (t / end)²."""
    t = np.linspace(0, 1, 11) * end
    slack = (end / sigma) ** 2 + 1e-12
    assert decay.gaussian(sigma, end=end)(t) == pytest.approx(1 - (t / end) ** 2, abs=slack)


def test_a_very_narrow_bell_counts_what_is_here_only():
    assert decay.gaussian(1e-200, end=1)([0, 0.5, 1]).tolist() == [1, 0, 0]


def test_text_tells_the_parameters():
    assert repr(decay.gaussian(8)) == "decay.gaussian(sigma=8.0, end=None)"
    assert repr(decay.step(5)) == "decay.step(steps={5.0: 1.0})"


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, True, "ten", None])
@pytest.mark.parametrize("name", ["linear", "exponential", "gaussian", "power"])
def test_numbers_must_be_above_zero(name, value):
    with pytest.raises(CitygeoError, match="CG-UNIT-002"):
        getattr(decay, name)(value)


def test_other_parameters_too():
    for make in (
        lambda: decay.logistic(0, sd=1),
        lambda: decay.logistic(5, sd=-1),
        lambda: decay.gaussian(5, end=0),
        lambda: decay.power(1, start=0),
    ):
        with pytest.raises(CitygeoError, match="CG-UNIT-002"):
            make()


@pytest.mark.parametrize(
    "values", [{}, {5: 2}, {5: -0.1}, {-1: 1}, {5: "much"}, {5: math.nan}, [5], "5", None, True]
)
def test_steps_and_tables_must_say_what_counts(values):
    for make in (decay.step, decay.table):
        with pytest.raises(CitygeoError, match="CG-IN-004"):
            make(values)
