"""Ferries: ways over water with ``route=ferry`` and no highway class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from citygeo.modes import TravelMode
    from citygeo.modes.access import Access

_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?")
_MINUTES = re.compile(r"\d{1,5}")
_ISO = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?")


class Ferries(NamedTuple):
    """The ferry rules of a mode, ready to be applied."""

    kmh: float
    unless: tuple[str, ...]

    @classmethod
    def of(cls, mode: TravelMode) -> Ferries:
        """Prepare the ferry rules of a mode."""
        return cls(mode.ferry_kmh, mode.ferry_unless)

    @property
    def all_keys(self) -> frozenset[str]:
        """Keys that these rules look at."""
        return frozenset(("route", "duration", *self.unless) if self.kmh else ())

    def takes(self, tags: Mapping[str, str], access: Access) -> bool:
        """Return whether a ferry takes the mode: it says so, or it does not name somebody else instead."""
        if not self.kmh or tags.get("route") != "ferry":
            return False
        verdict = access.verdict(tags, access.keys)
        others = (tags[key] for key in self.unless if key in tags)
        return verdict is not False if verdict is not None else access.closed.issuperset(others)


def parse_duration(value: str) -> float | None:
    """
    Return the seconds of a ``duration`` value, `None` if it cannot be read or is 0.

    Parameters
    ----------
    value
        ``hh:mm``, ``hh:mm:ss``, whole minutes, or an ISO 8601 duration (https://wiki.openstreetmap.org/wiki/Key:duration).

    Examples
    --------
    >>> parse_duration("01:30"), parse_duration("25"), parse_duration("PT1H30M"), parse_duration("a while")
    (5400.0, 1500.0, 5400.0, None)
    """
    text = value.strip()
    if match := _CLOCK.fullmatch(text):
        parts = (0, *(int(part or 0) for part in match.groups()))
    elif _MINUTES.fullmatch(text):
        parts = (0, 0, int(text), 0)
    elif match := _ISO.fullmatch(text):
        parts = tuple(int(part or 0) for part in match.groups())
    else:
        return None
    days, hours, minutes, seconds = parts
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds) or None
