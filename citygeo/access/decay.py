"""
What an opportunity counts at so many minutes: 1 where it is, less the farther away it is.

Each function here returns a `Decay`, which takes an array of minutes and returns an array of numbers from 0 to 1. Any
other function that does so may stand in its place.

Examples
--------
>>> import numpy as np
>>> import citygeo as cg
>>> fades = cg.decay.exponential(0.1)
>>> fades, fades(np.array([0.0, 10.0])).round(3).tolist()
(decay.exponential(beta=0.1), [1.0, 0.368])
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Fading = Callable[[NDArray[np.float64]], NDArray[np.float64]]

Kind = Literal["step", "linear", "exponential", "gaussian", "logistic", "power", "table"]

WIDEST = 1e8  # ends: a bell as wide is 1 - (t / end)**2 up to its end, to all digits

__all__ = ["Decay", "exponential", "gaussian", "linear", "logistic", "power", "step", "table"]


@dataclass(frozen=True, repr=False)
class Decay:
    """
    A decay with its parameters; equal to another of the same, and to be pickled.

    Attributes
    ----------
    kind
        Name of its formula: the function of this module that makes it.
    parameters
        Names and values of its arguments; a mapping as pairs.

    Examples
    --------
    >>> step(15) == step(15), step(15)([15.0, 15.1]).tolist()
    (True, [1.0, 0.0])
    """

    kind: Kind
    parameters: tuple[tuple[str, Any], ...]

    def __call__(self, minutes: ArrayLike) -> NDArray[np.float64]:
        """Return what counts at these minutes, 0 to 1, of the same shape; nothing at an infinite time."""
        given = np.asarray(minutes, np.float64)
        with np.errstate(over="ignore"):
            values = _FORMULAS[self.kind](given, **dict(self.parameters))
        return np.asarray(values, np.float64)

    def __repr__(self) -> str:
        told = ", ".join(
            f"{name}={dict(value) if isinstance(value, tuple) else value!r}"
            for name, value in self.parameters
        )
        return f"decay.{self.kind}({told})"


def step(steps: float | Mapping[float, float]) -> Decay:
    """
    Count everything the same up to a bound, or in steps up to several.

    ``f(t) = w_k`` for the first bound ``b_k >= t``, 0 beyond the last: cumulative opportunities with one bound, the
    travel time zones of Luo & Qi (2009), "An enhanced two-step floating catchment area (E2SFCA) method", Health &
    Place 15(4), with several.

    Parameters
    ----------
    steps
        Inclusive bound in minutes, or what counts up to each of several bounds.

    Raises
    ------
    InputError
        CG-IN-004: no bounds, or what counts is not 0 to 1.

    Examples
    --------
    >>> step({10: 1, 20: 0.68, 30: 0.22})([0, 10, 10.1, 30, 31]).tolist()
    [1.0, 1.0, 0.68, 0.22, 0.0]
    """
    is_one = isinstance(steps, int | float | np.number) and not isinstance(steps, bool)
    given: Any = {steps: 1.0} if is_one else steps
    return Decay("step", (("steps", _pairs_of("steps", given)),))


def linear(end: float) -> Decay:
    """
    Fade evenly until nothing counts.

    ``f(t) = 1 - t / end``, 0 beyond: the linear decay of Pereira & Herszenhut (2023), the R package accessibility.

    Parameters
    ----------
    end
        Minutes after which nothing counts.

    Raises
    ------
    UnitError
        CG-UNIT-002: not above 0.

    Examples
    --------
    >>> linear(20)([0, 5, 30]).tolist()
    [1.0, 0.75, 0.0]
    """
    return Decay("linear", (("end", _above_zero("end", end)),))


def exponential(beta: float) -> Decay:
    """
    Fade by the same share each minute.

    ``f(t) = exp(-beta t)``: Wilson (1971), "A family of spatial interaction models", Environment and Planning 3.
    The logarithm of sums of this is the logsum.

    Parameters
    ----------
    beta
        Per minute; half is left after ``ln 2 / beta`` minutes.

    Raises
    ------
    UnitError
        CG-UNIT-002: not above 0.

    Examples
    --------
    >>> exponential(np.log(2) / 10)([0, 10, 20]).round(12).tolist()
    [1.0, 0.5, 0.25]
    """
    return Decay("exponential", (("beta", _above_zero("beta", beta)),))


def gaussian(sigma: float, end: float | None = None) -> Decay:
    """
    Fade like a bell: little at first, then quickly, then little again.

    ``g(t) = exp(-t**2 / (2 sigma**2))``. With an end, ``f(t) = (g(t) - g(end)) / (1 - g(end))`` and 0 beyond it, so
    that there is no jump; with ``sigma = end`` that is the kernel of Dai (2010), "Black residential segregation,
    disparities in spatial access to health care facilities, and late-stage breast cancer diagnosis in metropolitan
    Detroit", Health & Place 16(5).

    Parameters
    ----------
    sigma
        Minutes; 0.61 is left after so many.
    end
        Minutes after which nothing counts; never if `None`.

    Raises
    ------
    UnitError
        CG-UNIT-002: not above 0.

    Examples
    --------
    >>> gaussian(10)([0, 10, 20]).round(3).tolist(), gaussian(10, end=10)([0, 5, 10]).round(3).tolist()
    ([1.0, 0.607, 0.135], [1.0, 0.701, 0.0])
    """
    last = None if end is None else _above_zero("end", end)
    return Decay("gaussian", (("sigma", _above_zero("sigma", sigma)), ("end", last)))


def logistic(middle: float, sd: float) -> Decay:
    """
    Count nearly all before a time and nearly nothing after it.

    ``f(t) = (1 + exp(-middle s)) / (1 + exp((t - middle) s))`` with ``s = pi / (sd sqrt 3)``, so that ``f(0) = 1``:
    Bauer & Groneberg (2016), "Measuring spatial accessibility of health care providers", PLOS ONE 11(7), e0159148.

    Parameters
    ----------
    middle
        Minutes where it falls fastest.
    sd
        Minutes, the standard deviation of the logistic distribution: how gently it falls.

    Raises
    ------
    UnitError
        CG-UNIT-002: not above 0.

    Examples
    --------
    >>> logistic(15, sd=5)([0, 15, 30]).round(3).tolist()
    [1.0, 0.502, 0.004]
    """
    return Decay("logistic", (("middle", _above_zero("middle", middle)), ("sd", _above_zero("sd", sd))))


def power(exponent: float, start: float = 1.0) -> Decay:
    """
    Fade with a power of the time.

    ``f(t) = (max(t, start) / start) ** -exponent``: Hansen (1959), "How accessibility shapes land use", Journal of the
    American Institute of Planners 25(2), kept at 1 up to a first time, as the power of 0 is infinite.

    Parameters
    ----------
    exponent
        The power.
    start
        Minutes up to which everything counts fully.

    Raises
    ------
    UnitError
        CG-UNIT-002: not above 0.

    Examples
    --------
    >>> power(2, start=5)([0, 5, 10, 20]).tolist()
    [1.0, 1.0, 0.25, 0.0625]
    """
    return Decay(
        "power", (("exponent", _above_zero("exponent", exponent)), ("start", _above_zero("start", start)))
    )


def table(values: Mapping[float, float]) -> Decay:
    """
    Follow a table, straight from each of its rows to the next.

    Parameters
    ----------
    values
        What counts at each of several minutes; before the first as at the first, nothing beyond the last.

    Raises
    ------
    InputError
        CG-IN-004: no minutes, or what counts is not 0 to 1.

    Examples
    --------
    >>> table({0: 1, 10: 0.5, 20: 0.4})([0, 5, 15, 20, 21]).round(12).tolist()
    [1.0, 0.75, 0.45, 0.4, 0.0]
    """
    return Decay("table", (("values", _pairs_of("values", values)),))


def faded(decay: Fading, minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what any decay says at these minutes; raise CG-IN-004 unless that is a number from 0 to 1 for each."""
    values: Any = decay(minutes)
    counts = np.asarray(values, np.float64)
    if counts.shape != minutes.shape or not ((counts >= 0) & (counts <= 1)).all():
        raise error(
            "CG-IN-004", argument="decay", value=name_of(decay),
            rule="It must give a number from 0 to 1 for each of an array of minutes.",
            hint="For example decay=citygeo.decay.exponential(0.1).",
        )  # fmt: skip
    return counts


def name_of(decay: Fading) -> str:
    """Return what messages and provenance call a decay."""
    return str(getattr(decay, "__qualname__", repr(decay)))


def _pairs_of(argument: str, values: Any) -> tuple[tuple[float, float], ...]:
    """Return ascending minutes and what counts at each; raise CG-IN-004 unless they are such."""
    try:
        pairs = sorted((float(minutes), float(count)) for minutes, count in values.items())
    except (AttributeError, TypeError, ValueError):
        pairs = []
    if not pairs or not all(0 <= minutes < math.inf and 0 <= count <= 1 for minutes, count in pairs):
        raise error(
            "CG-IN-004", argument=argument, value=values, rule="It says from 0 to 1 what counts at some minutes.",
            hint="For example {10: 1, 20: 0.68, 30: 0.22}.",
        )  # fmt: skip
    return tuple(pairs)


def _above_zero(argument: str, value: Any) -> float:
    """Return the number; raise CG-UNIT-002 unless it is above 0 and finite."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not 0 < value < math.inf:
        raise error(
            "CG-UNIT-002", argument=argument, value=value, low=0, high="infinity", unit="(excluded)",
            hint="Decays take minutes, and beta is per minute.",
        )  # fmt: skip
    return float(value)


def _step(t: NDArray[np.float64], steps: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    bounds, counts = zip(*steps, strict=True)
    return np.asarray(np.append(counts, 0.0)[np.searchsorted(bounds, t, side="left")])


def _linear(t: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    return np.clip(1 - t / end, 0, 1)


def _exponential(t: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-beta * t))


def _gaussian(t: NDArray[np.float64], sigma: float, end: float | None) -> NDArray[np.float64]:
    if end is None:
        return np.asarray(np.exp(-0.5 * (t / sigma) ** 2))
    wide = min(sigma, WIDEST * end)
    # less 1, as a wide bell is 1 but for rounding
    fall, whole = np.expm1(-0.5 * (t / wide) ** 2), np.expm1(-0.5 * np.square(end / wide))
    return np.where(t <= end, np.maximum(fall - whole, 0) / -whole, 0.0)


def _logistic(t: NDArray[np.float64], middle: float, sd: float) -> NDArray[np.float64]:
    slope = math.pi / (sd * math.sqrt(3))
    return np.minimum((1 + math.exp(-middle * slope)) / (1 + np.exp((t - middle) * slope)), 1)


def _power(t: NDArray[np.float64], exponent: float, start: float) -> NDArray[np.float64]:
    return np.asarray((np.maximum(t, start) / start) ** -exponent)


def _table(t: NDArray[np.float64], values: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    minutes, counts = zip(*values, strict=True)
    return np.asarray(np.interp(t, minutes, counts, right=0.0))


_FORMULAS: dict[Kind, Callable[..., NDArray[np.float64]]] = {
    "step": _step,
    "linear": _linear,
    "exponential": _exponential,
    "gaussian": _gaussian,
    "logistic": _logistic,
    "power": _power,
    "table": _table,
}
