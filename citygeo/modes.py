"""Travel modes: which ways, how fast, which delays. A mode is a table of ``data/modes.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

MPH_KMH = 1.609344
KNOT_KMH = 1.852
ANY_CLASS = "*"
NOT_MODES = frozenset(("maxspeed_rules", "not_built"))
MAX_DELAY_S = 86_400.0
SLOWEST_KMH = 1.0  # a posted limit below is a mistake
LEAST_KMH, TOP_KMH = 0.1, 1000.0

_SPEED = re.compile(r"^(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?$")
_ZONE = re.compile(r"zone:?([0-9]{1,3})$")
_FORWARD = frozenset(("yes", "true", "1"))
_BACKWARD = frozenset(("-1", "reverse"))
# the last two change direction with the hour or the signal: open both ways, one at a time
_BOTH = frozenset(("no", "false", "0", "reversible", "alternating"))
_CIRCLES = frozenset(("roundabout", "circular"))


class WayRule(NamedTuple):
    """How a mode uses a way: km/h along and against its drawing, 0 where closed; what was assumed."""

    along_kmh: float
    against_kmh: float
    is_imputed: bool
    unknown_oneway: str | None = None
    unknown_maxspeed: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the way can be used at all."""
        return self.along_kmh > 0 or self.against_kmh > 0


CLOSED = WayRule(0.0, 0.0, is_imputed=False)


@dataclass(frozen=True)
class TravelMode:
    """
    A way of travelling; see ``data/modes.toml`` for the meaning of each field.

    Examples
    --------
    >>> mode = travel_mode("drive")
    >>> mode.rule({"highway": "residential", "maxspeed": "20 mph", "oneway": "-1"})
    WayRule(along_kmh=0.0, against_kmh=32.18688, is_imputed=False, unknown_oneway=None, unknown_maxspeed=None)
    """

    name: str
    label: Mapping[str, str]
    speed_kmh: Mapping[str, float]
    maxspeed: bool
    top_kmh: float
    access: tuple[str, ...]
    closed: tuple[str, ...]
    oneway: bool
    delay_s: float
    walk_off_kmh: float
    areas: bool = False
    opens_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def label_en(self) -> str:
        """English name."""
        return self.label["en"]

    @property
    def label_zh(self) -> str:
        """Chinese name."""
        return self.label["zh"]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for a manifest."""
        return asdict(self)

    def walk_off_ms(self, distance_m: float) -> float:
        """Return the milliseconds between a place and its road `distance_m` away."""
        return distance_m / self.walk_off_kmh * 3600.0

    def rule(self, tags: Mapping[str, str]) -> WayRule:
        """
        Return how this mode uses a way.

        Parameters
        ----------
        tags
            The OSM tags of the way; ``highway`` must be among them.
        """
        class_kmh = self._class_kmh(tags)
        if class_kmh <= 0 or (tags.get("area") == "yes" and not self.areas):
            return CLOSED
        along, against, unknown_oneway = self._directions(tags)
        along_kmh, along_read, unknown = self._speed(tags, "maxspeed:forward", class_kmh)
        against_kmh, against_read, unknown_back = self._speed(tags, "maxspeed:backward", class_kmh)
        is_read = (along_read or not along) and (against_read or not against)
        return WayRule(
            along_kmh if along else 0.0,
            against_kmh if against else 0.0,
            not is_read,
            unknown_oneway,
            unknown or unknown_back,
        )

    def _class_kmh(self, tags: Mapping[str, str]) -> float:
        """Return the class speed, 0 if class or access closes the way."""
        is_opened = any(tags.get(key) in values for key, values in self.opens_with.items())
        decisive = next((tags[key] for key in reversed(self.access) if key in tags), None)
        if decisive in self.closed and not is_opened:
            return 0.0
        speed = self.speed_kmh.get(tags["highway"])
        if speed is None and is_opened and tags["highway"] not in _tables()["not_built"]["classes"]:
            speed = self.speed_kmh.get(ANY_CLASS)
        return speed or 0.0

    def _directions(self, tags: Mapping[str, str]) -> tuple[bool, bool, str | None]:
        """Return whether the way is open along and against its drawing, and a oneway value not known."""
        if not self.oneway:
            return True, True, None
        value = tags.get("oneway")
        if value is None:
            is_implied = tags.get("junction") in _CIRCLES or tags["highway"] == "motorway"
            return True, not is_implied, None
        if value in _FORWARD:
            return True, False, None
        if value in _BACKWARD:
            return False, True, None
        return True, True, None if value in _BOTH else value

    def _speed(self, tags: Mapping[str, str], key: str, class_kmh: float) -> tuple[float, bool, str | None]:
        """Return the speed in one direction, whether it was read from a tag, and a value not known."""
        value = tags.get(key, tags.get("maxspeed")) if self.maxspeed else None
        if value is None:
            return min(class_kmh, self.top_kmh), False, None
        speed = parse_maxspeed(value)
        if speed is None:
            return min(class_kmh, self.top_kmh), False, value
        return min(speed, self.top_kmh), True, None


def parse_maxspeed(value: str) -> float | None:
    """
    Return km/h for a ``maxspeed`` value, `None` if it cannot be read.

    Parameters
    ----------
    value
        A number with or without unit, several of them (the lowest counts), ``none``, or the code of a
        traffic rule such as ``DE:rural``.

    Examples
    --------
    >>> parse_maxspeed("50"), parse_maxspeed("30 mph"), parse_maxspeed("IS:urban"), parse_maxspeed("fast")
    (50.0, 48.28032, 50.0, None)
    >>> parse_maxspeed("70; 50"), parse_maxspeed("none")
    (50.0, 130.0)
    """
    speeds = [_parse_one(part.strip()) for part in re.split(r"[;|,]", value)]
    known = [speed for speed in speeds if speed and speed >= SLOWEST_KMH]
    return min(known) if known and len(known) == len(speeds) else None


def _parse_one(text: str) -> float | None:
    match = _SPEED.match(text)
    if match:
        return float(match[1]) * {"mph": MPH_KMH, "knots": KNOT_KMH}.get(match[2] or "", 1.0)
    rules = _tables()["maxspeed_rules"]
    if (speed := rules.get(text)) is None:
        # a country code before a rule that the country does not change, or a zone: "IS:urban", "DE:zone:30"
        last = text.rsplit(":", 1)[-1]
        zone = _ZONE.search(text)
        is_plain = ":" in text and last.isascii() and last.isdecimal()  # "FR:30"
        speed = float(zone[1]) if zone else float(last) if is_plain else rules.get(last)
    return None if speed is None else float(speed)


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("citygeo").joinpath("data", "modes.toml").read_text(encoding="utf-8"))


def mode_names() -> list[str]:
    """
    Return the names of all travel modes.

    Examples
    --------
    >>> mode_names()
    ['drive', 'fire_engine', 'walk']
    """
    return [name for name in _tables() if name not in NOT_MODES]


def mode_from_dict(entry: Mapping[str, Any]) -> TravelMode:
    """Return a mode from its plain values, as in ``data/modes.toml`` or a manifest."""
    values = dict(entry)
    values["access"], values["closed"] = tuple(values["access"]), tuple(values["closed"])
    values["label"], values["speed_kmh"] = dict(values["label"]), dict(values["speed_kmh"])
    values["opens_with"] = {key: tuple(allowed) for key, allowed in values.get("opens_with", {}).items()}
    return TravelMode(**values)


def travel_mode(mode: str | TravelMode, **changes: Any) -> TravelMode:
    """
    Return a travel mode by name, with some of its fields changed.

    Parameters
    ----------
    mode
        A name of ``data/modes.toml``, or a mode to start from.
    **changes
        Fields of `TravelMode` to replace. Class speeds given as ``speed_kmh`` are added to the
        mode's own.

    Returns
    -------
    The mode.

    Raises
    ------
    NetworkError
        CG-NET-040 if the name is not known.
    InputError
        CG-IN-004 if a field does not exist or a speed is negative.

    Examples
    --------
    A fire engine with blue lights on: against one-way streets and through private gates.

    >>> mode = travel_mode("fire_engine", oneway=False, closed=("no",))
    >>> mode.rule({"highway": "service", "oneway": "yes", "access": "private"})[:2]
    (20, 20)
    """
    if not isinstance(mode, TravelMode):
        if mode not in mode_names():
            raise error("CG-NET-040", mode=mode, known=", ".join(mode_names()))
        mode = mode_from_dict({"name": mode, **_tables()[mode]})
    known = {item.name for item in fields(TravelMode)}
    for key in changes.keys() - known:
        raise error(
            "CG-IN-004", argument=key, value=changes[key], rule=f"A travel mode has: {', '.join(sorted(known))}.",
            hint="Use one of these names.",
        )  # fmt: skip
    _require_kinds(changes)
    if "speed_kmh" in changes:
        changes["speed_kmh"] = {**mode.speed_kmh, **changes["speed_kmh"]}
    changed = replace(mode, **changes)
    _require_numbers(changed)
    return changed


def _require_kinds(changes: Mapping[str, Any]) -> None:
    """Raise CG-IN-004 if a field is not of its kind: a text is true and holds letters, which would pass in silence."""
    kinds: dict[str, tuple[type | tuple[type, ...], str]] = {
        **dict.fromkeys(("oneway", "maxspeed", "areas"), (bool, "True or False")),
        **dict.fromkeys(("access", "closed"), ((tuple, list), "a list of tag names or values")),
        **dict.fromkeys(("label", "speed_kmh", "opens_with"), (dict, "a dictionary")),
        "name": (str, "a text"),
    }
    for key, value in changes.items():
        if key in kinds and not isinstance(value, kinds[key][0]):
            rule = f"It must be {kinds[key][1]}."
            raise error("CG-IN-004", argument=key, value=value, rule=rule, hint="See data/modes.toml.")


def _require_numbers(mode: TravelMode) -> None:
    """Raise CG-IN-004 unless speeds and delay are numbers in range."""
    ranges: dict[str, tuple[Any, float, float, str]] = {
        **{
            f"speed_kmh[{key}]": (speed, 0.0, TOP_KMH, "km/h, 0 for closed")
            for key, speed in mode.speed_kmh.items()
        },
        "top_kmh": (mode.top_kmh, LEAST_KMH, TOP_KMH, "km/h"),
        "walk_off_kmh": (mode.walk_off_kmh, LEAST_KMH, TOP_KMH, "km/h"),
        "delay_s": (mode.delay_s, 0.0, MAX_DELAY_S, "seconds"),
    }
    for name, (value, low, high, unit) in ranges.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            rule = f"It must be a number from {low:g} to {high:,.0f}."
            raise error("CG-IN-004", argument=name, value=value, rule=rule, hint=f"Give {unit}.")
