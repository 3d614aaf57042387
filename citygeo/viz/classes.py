"""Class breaks that people can say aloud, and colours that colour-blind readers and grey printers can tell apart."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Nine steps each, lightness falling all the way; tests simulate protan-, deuteran- and tritanopia.
RAMPS = {
    # people not covered: pale yellow to dark red-brown
    "heat": (
        "#fff0b8", "#fddc8c", "#fbc366", "#f6a548", "#ec8434", "#d9622c", "#bd4226", "#9a2720", "#70131c",
    ),
    # minutes: dark near the station, light at the limit; read from the end
    "reach": (
        "#a9dcec", "#8bcbe3", "#6cb8da", "#4fa3d0", "#388cc4", "#2a74b5", "#235ca1", "#204589", "#1d2f6b",
    ),
    # shares: pale to deep violet
    "share": (
        "#f4eefa", "#e3d8f1", "#cfbfe6", "#baa5d9", "#a48bcb", "#8e71bb", "#7857a8", "#613e91", "#482774",
    ),
}  # fmt: skip
MOVED = 0.04  # of all values may change class, so that a bound is a round number
INK = "#1f2a37"
LINE = "#4b5563"
NO_DATA = "#d1d5db"
SINGLES = ("#0f766e", "#b45309", "#6d28d9", "#be185d", "#1d4ed8")
# neighbours in one picture (Okabe and Ito 2008)
DISTINCT = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")


class Classes(NamedTuple):
    """Classes of a number: `breaks` has one more than `colours`; a class holds its lower bound, not its upper."""

    breaks: tuple[float, ...]
    colours: tuple[str, ...]

    def of(self, values: Any) -> NDArray[np.int64]:
        """Return the class of each value, -1 where it is missing; beyond the ends counts as the end class."""
        numbers = np.asarray(values, dtype=np.float64)
        found = np.digitize(numbers, self.breaks[1:-1])
        return np.where(np.isnan(numbers), -1, found)

    def ranges(self) -> list[tuple[float, float]]:
        """Return lower and upper bound of each class."""
        return list(pairwise(self.breaks))


def ramp(name: str, size: int) -> tuple[str, ...]:
    """
    Return `size` colours, light to dark, spread over a ramp; more than it has steps lie between them.

    Examples
    --------
    >>> ramp("heat", 3)
    ('#fff0b8', '#ec8434', '#70131c')
    """
    steps = RAMPS[name]
    if size > len(steps):
        channels = np.array([[int(step[k : k + 2], 16) for k in (1, 3, 5)] for step in steps]).T
        at = np.linspace(0, len(steps) - 1, size)
        mixed = np.column_stack([np.interp(at, np.arange(len(steps)), channel) for channel in channels])
        return tuple("#" + bytes(colour).hex() for colour in mixed.round().astype(np.uint8))
    picked = [len(steps) // 2] if size == 1 else np.linspace(0, len(steps) - 1, size).round().astype(int)
    return tuple(steps[step] for step in picked)


def people_classes(values: Any, size: int = 5) -> Classes:
    """
    Return classes of skewed counts: about equally many per class, bounds of 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    values
        Counts above 0.
    size
        At most so many classes.

    Returns
    -------
    The classes; the last has no stated upper bound but the greatest value.

    Examples
    --------
    >>> people_classes([1, 3, 8, 20, 60, 150, 400]).breaks
    (0.0, 5.0, 10.0, 50.0, 100.0, 400.0)
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[numbers > 0]
    if not numbers.size:
        return Classes((0.0, 1.0), ramp("heat", 1))
    wanted = np.quantile(numbers, np.arange(1, size) / size)
    top = float(numbers.max())
    inner = sorted({_nice(value) for value in wanted} - {0.0})
    inner = [bound for bound in inner if numbers.min() < bound < top]
    return Classes((0.0, *inner, top), ramp("heat", len(inner) + 1))


def _nice(value: float) -> float:
    """Return the number 1, 2 or 5 times a power of ten that is nearest in proportion; at least 1."""
    if value < 1:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(min((step * power for step in (1, 2, 5, 10)), key=lambda nice: abs(np.log(nice / value))))


def quantile_breaks(values: Any, size: int = 5) -> tuple[float, ...]:
    """
    Return bounds of classes that hold about equally many values each, at round numbers where that changes little.

    Parameters
    ----------
    values
        At least one finite number.
    size
        At most so many classes.

    Returns
    -------
    One more bound than there are classes, ascending; a class holds its lower bound, not its upper. No more different
    values than classes are a class each, of which the last bound is repeated. Where one in `size` is 0 and none is
    less, the first class is 0 alone.

    Examples
    --------
    >>> quantile_breaks(range(1, 1001)), quantile_breaks([0, 0, 1, 3]), quantile_breaks([0, 0, 0, 3.1, 12, 47, 203], 3)
    ((1.0, 200.0, 400.0, 600.0, 800.0, 1000.0), (0.0, 1.0, 3.0, 3.0), (0.0, 3.0, 30.0, 203.0))
    """
    numbers = np.sort(np.asarray(values, dtype=np.float64))
    numbers = numbers[np.isfinite(numbers)]
    different = np.unique(numbers)
    if different.size <= size:
        return (*different.tolist(), float(different[-1]))
    zeros = int((numbers == 0).sum()) if numbers[0] == 0 else 0
    is_apart = zeros * size >= numbers.size
    rest = numbers[zeros:] if is_apart else numbers
    parts = size - is_apart
    wanted = np.quantile(rest, np.arange(1, parts) / parts)
    # of whole numbers no bound lies between two
    wanted = np.ceil(wanted) if (numbers % 1 == 0).all() else wanted
    inner = [_rounded(value, numbers) for value in wanted.tolist()]
    breaks = [float(numbers[0])]
    for bound in [_below(float(rest[0])), *inner] if is_apart else inner:
        if np.searchsorted(numbers, breaks[-1]) < np.searchsorted(numbers, bound) < numbers.size:
            breaks.append(bound)
    return (*breaks, float(numbers[-1]))


def _below(bound: float) -> float:
    """Return the number of one digit that is next below a positive one, or the number itself."""
    power = 10.0 ** np.floor(np.log10(bound))
    return min(float(f"{np.floor(bound / power) * power:.0e}"), bound)


def _rounded(bound: float, numbers: NDArray[np.float64]) -> float:
    """Return a bound with as few digits as leave all but some of the sorted numbers in their class."""
    at, slack = np.searchsorted(numbers, bound), MOVED * numbers.size
    for digits in range(1, 16):
        nice = float(f"{bound:.{digits - 1}e}")
        if numbers[0] < nice and abs(np.searchsorted(numbers, nice) - at) <= slack:
            return nice
    return bound


def share_classes() -> Classes:
    """Return five equal classes of a share from 0 to 1."""
    return Classes((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), ramp("share", 5))


def minute_classes(limit: float) -> Classes:
    """
    Return classes of minutes up to a limit: every minute up to six, else about five round steps.

    Examples
    --------
    >>> minute_classes(5).breaks, minute_classes(15).breaks
    ((0.0, 1.0, 2.0, 3.0, 4.0, 5.0), (0.0, 3.0, 6.0, 9.0, 12.0, 15.0))
    """
    step = 1.0 if 2 <= limit <= 6 else limit / 5
    inner = np.arange(step, limit - step * 1e-6, step)
    breaks = (0.0, *(float(round(value, 6)) for value in inner), float(limit))
    return Classes(breaks, ramp("reach", len(breaks) - 1)[::-1])


def band_classes(minutes: Sequence[float]) -> Classes:
    """
    Return classes of minutes that end where bands end; few bands are cut into equal parts of whole or half minutes.

    Examples
    --------
    >>> band_classes([5, 10, 15]).breaks, band_classes([2, 4, 6, 8, 10]).breaks
    ((0.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0), (0.0, 2.0, 4.0, 6.0, 8.0, 10.0))
    """
    if len(minutes) == 1:
        return minute_classes(minutes[0])
    bounds = [0.0, *sorted(float(value) for value in minutes)]
    fitting = [
        parts
        for parts in range(9 // len(minutes), 1, -1)
        if all((upper - lower) / parts * 2 % 1 == 0 for lower, upper in pairwise(bounds))
    ]
    parts = fitting[0] if fitting else 1
    inner = [lower + (upper - lower) * k / parts for lower, upper in pairwise(bounds) for k in range(parts)]
    breaks = (*inner, bounds[-1])
    return Classes(breaks, ramp("reach", len(breaks) - 1)[::-1])


def time_stops(classes: Classes) -> tuple[float, ...]:
    """
    Return at which minutes a slider stops: round steps, about thirty at most, and every class bound.

    Examples
    --------
    >>> time_stops(minute_classes(3))
    (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    """
    limit = classes.breaks[-1]
    step = next((step for step in (0.5, 1.0, 2.0, 5.0, 10.0) if limit <= 32 * step), limit / 32)
    steps = np.arange(1, int(limit / step) + 1) * step
    return tuple(sorted({*(round(float(value), 6) for value in steps), *classes.breaks[1:]}))
