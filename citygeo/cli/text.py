"""Numbers as the terminal shows them."""

from __future__ import annotations

import math

NONE = "–"


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """Return a number with thousands separators, or a dash for none."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:,.{digits}f}{unit}"


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 as per cent with one digit, or a dash for none."""
    return number(None if share is None else 100 * share, 1, " %")


def duration(time_s: float | None) -> str:
    """
    Return minutes and seconds, rounded up as on the map, or a dash where there is no time.

    Examples
    --------
    >>> duration(725.4), duration(float("inf"))
    ('12:06', '–')
    """
    if time_s is None or not math.isfinite(time_s):
        return NONE
    minutes, seconds = divmod(math.ceil(round(time_s, 3)), 60)
    return f"{minutes}:{seconds:02d}"
