"""How fast a mode travels: usual speeds by class and tags, posted limits in all their spellings, what slows down."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from citygeo.modes.access import words
from citygeo.modes.tables import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from citygeo.modes import TravelMode

MPH_KMH = 1.609344
KNOT_KMH = 1.852
ANY_CLASS = "*"
SLOWEST_KMH = 1.0  # a posted limit below is a mistake
MAXSPEED_KEYS = ("maxspeed", "maxspeed:forward", "maxspeed:backward")
# where the rule behind a limit stands, asked in this order when the limit itself is missing
RULE_KEYS = ("zone:maxspeed", "maxspeed:type", "source:maxspeed")

_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?", re.IGNORECASE)
_ZONE = re.compile(r"zone:?([0-9]{1,3})$")
_COUNTRY = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?:([0-9]{1,3})")
_INCLINE = re.compile(r"[-+]?(\d+(?:\.\d+)?)\s*(%|°)?")
_RATIO = re.compile(r"[-+]?1:(\d+(?:\.\d+)?)")


class Special(NamedTuple):
    """A speed for ways of a class that have certain tags."""

    tags: tuple[tuple[str, frozenset[str]], ...]
    kmh: float

    def fits(self, tags: Mapping[str, str]) -> bool:
        """Return whether a way has all the tags."""
        return all(key in tags and not values.isdisjoint(words(tags[key])) for key, values in self.tags)


class Speeds(NamedTuple):
    """The speed rules of a mode, ready to be applied."""

    usual_kmh: Mapping[str, float]
    special: Mapping[str, list[Special]]
    limit_kmh: Mapping[str, Mapping[str, float]]
    max_incline_percent: float | None
    is_posted: bool

    @classmethod
    def of(cls, mode: TravelMode) -> Speeds:
        """Prepare the speed rules of a mode."""
        special: dict[str, list[Special]] = {}
        for line, kmh in mode.special_kmh.items():
            classes, tags = parse_line(line)
            for name in classes:
                special.setdefault(name, []).append(Special(tags, kmh))
        return cls(mode.speed_kmh, special, mode.limit_kmh, mode.max_incline_percent, mode.maxspeed)

    @property
    def all_keys(self) -> frozenset[str]:
        """Keys that these rules look at."""
        special = (key for lines in self.special.values() for line in lines for key, _ in line.tags)
        incline = () if self.max_incline_percent is None else ("incline",)
        posted = (*MAXSPEED_KEYS, *RULE_KEYS) if self.is_posted else ()
        return frozenset(("highway", *special, *self.limit_kmh, *incline, *posted))

    def usual(self, tags: Mapping[str, str], *, is_opened: bool) -> float:
        """Return the speed without posted limit in km/h, 0 if the class or the state of the way closes it."""
        highway = tags["highway"]
        fitting = [line.kmh for line in self.special.get(highway, ()) if line.fits(tags)]
        if 0 in fitting and not is_opened:
            return 0.0
        kmh = min((kmh for kmh in fitting if kmh > 0), default=self.usual_kmh.get(highway))
        if kmh is None and is_opened and highway not in tables()["not_built"]["classes"]:
            kmh = self.usual_kmh.get(ANY_CLASS)
        return kmh or 0.0

    def limit(self, tags: Mapping[str, str], *, is_opened: bool) -> float:
        """Return the speed that surface, slope and the like allow in km/h, 0 if they close the way."""
        found = [
            kmh[value]
            for key, kmh in self.limit_kmh.items()
            if key in tags
            for value in words(tags[key])
            if value in kmh
        ]
        if self.max_incline_percent is not None:
            incline = parse_incline(tags.get("incline", ""))
            if incline is not None and incline > self.max_incline_percent:
                found.append(0.0)
        if 0 in found and not is_opened:
            return 0.0
        return min((kmh for kmh in found if kmh > 0), default=math.inf)

    def posted(self, tags: Mapping[str, str], side: str) -> tuple[float | None, str | None]:
        """Return the posted limit of one direction in km/h, and a value that is not known."""
        if not self.is_posted:
            return None, None
        value = tags.get(f"maxspeed:{side}", tags.get("maxspeed"))
        if value is not None:
            kmh = _read_maxspeed(value)
            return kmh or None, value if kmh is None else None
        return _maxspeed_by_rule(tags), None


def parse_line(line: str) -> tuple[list[str], tuple[tuple[str, frozenset[str]], ...]]:
    """
    Return the classes and the tags of a line of ``special_kmh``.

    Raises
    ------
    ValueError
        If the line is not ``class key=value``.

    Examples
    --------
    >>> classes, tags = parse_line("trunk|trunk_link sidewalk=both|left")
    >>> classes, [(key, sorted(values)) for key, values in tags]
    (['trunk', 'trunk_link'], [('sidewalk', ['both', 'left'])])
    """
    classes, *conditions = line.split()
    tags = []
    for condition in conditions:
        key, _, values = condition.partition("=")
        if not key or not values:
            raise ValueError(condition)
        tags.append((key, frozenset(values.split("|"))))
    if not tags or "=" in classes:
        raise ValueError(line)
    return classes.split("|"), tuple(tags)


def parse_maxspeed(value: str) -> float | None:
    """
    Return km/h for a ``maxspeed`` value, `None` if it states no number or cannot be read.

    Parameters
    ----------
    value
        A number with or without unit, several of them (the lowest counts), ``none``, or the code of a
        traffic rule such as ``DE:rural``.

    Examples
    --------
    >>> parse_maxspeed("50"), parse_maxspeed("30 mph"), parse_maxspeed("IS:urban"), parse_maxspeed("fast")
    (50.0, 48.28032, 50.0, None)
    >>> parse_maxspeed("70; 50"), parse_maxspeed("none"), parse_maxspeed("signals")
    (50.0, 130.0, None)
    """
    return _read_maxspeed(value) or None


@lru_cache(maxsize=4096)
def _read_maxspeed(value: str) -> float | None:
    """Return km/h, 0 if the value is known and states no number, `None` if it is not known."""
    speeds = [_parse_one(part.strip()) for part in re.split(r"[;|,]", value)]
    known = [speed for speed in speeds if speed is not None]
    return min(known) if len(known) == len(speeds) else None


def _maxspeed_by_rule(tags: Mapping[str, str]) -> float | None:
    """Return km/h of the zone or rule that a way without limit of its own is in."""
    for key in RULE_KEYS:
        rule = tags.get(key, "")
        # a bare number is the limit of a zone, but elsewhere the year of a survey
        if key == "zone:maxspeed" or not rule[:1].isdecimal():
            kmh = _read_maxspeed(rule)
            if kmh:
                return kmh
    return None


def _parse_one(text: str) -> float | None:
    match = _SPEED.fullmatch(text)
    if match:
        kmh = float(match[1]) * {"mph": MPH_KMH, "knots": KNOT_KMH}.get((match[2] or "").lower(), 1.0)
        return kmh if kmh >= SLOWEST_KMH else None
    rules = tables()["maxspeed_rules"]
    if (speed := rules.get(text)) is None:
        # a zone, a number of a country, or a rule that the country does not change: DE:zone:30, FR:30, IS:urban
        stated = _ZONE.search(text) or _COUNTRY.fullmatch(text)
        speed = float(stated[1]) or None if stated else rules.get(text.rsplit(":", 1)[-1])
    return None if speed is None else float(speed)


def parse_incline(value: str) -> float | None:
    """
    Return the steepness of an ``incline`` value in percent, up or down alike, `None` if it states no number.

    Examples
    --------
    >>> parse_incline("-12%"), parse_incline("1:8"), parse_incline("45°"), parse_incline("up")
    (12.0, 12.5, 100.0, None)
    """
    if match := _RATIO.fullmatch(value.strip()):
        run = float(match[1])
        return 100.0 / run if run else None
    match = _INCLINE.fullmatch(value.strip())
    if match is None:
        return None
    steepness = float(match[1])
    if match[2] != "°":
        return steepness
    return round(100.0 * math.tan(math.radians(steepness)), 6) if steepness < 90.0 else None
