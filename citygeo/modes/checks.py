"""Whether the fields of a mode are usable: one clear error for the first that is not."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

from citygeo.errors import error
from citygeo.modes.nodes import split_tag
from citygeo.modes.speeds import parse_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from citygeo.errors import CitygeoError
    from citygeo.modes import TravelMode

MAX_DELAY_S = 86_400.0
LEAST_KMH, TOP_KMH = 0.1, 1000.0
STEEPEST_PERCENT = 100.0
SLOPES = ("", "tobler")
HINT = "See data/modes.toml."

Kind = tuple[tuple[type, ...], str]
_TEXT: Kind = ((str,), "a text")
_FLAG: Kind = ((bool,), "True or False")
_LIST: Kind = ((tuple, list), "a list of texts")
_TABLE: Kind = ((dict,), "a dictionary")
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("name", "slope"), _TEXT),
    **dict.fromkeys(("oneway", "maxspeed", "areas"), _FLAG),
    **dict.fromkeys(
        ("access", "closed", "oneway_keys", "lane_oneway_keys", "ferry_unless", "node_passes", "vehicles"), _LIST
    ),
    **dict.fromkeys(
        (
            "label", "speed_kmh", "special_kmh", "limit_kmh", "opens_with", "contraflow", "node_closed_by",
            "node_delay_s", "junction_s",
        ),
        _TABLE,
    ),
}  # fmt: skip


def require_kinds(changes: Mapping[str, Any]) -> None:
    """Raise CG-IN-004 if a field is not of its kind: a text is true and holds letters, which would pass in silence."""
    for name, value in changes.items():
        if name not in KINDS:
            continue
        types, words = KINDS[name]
        if not isinstance(value, types):
            raise _fault(name, value, f"It must be {words}.")
        if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
            raise _fault(name, value, "Its keys must be texts.")


def require_usable(mode: TravelMode) -> None:
    """Raise CG-IN-004 unless numbers are in range, lists hold texts, and lines and tags can be read."""
    for key, limits in mode.limit_kmh.items():
        if not isinstance(limits, dict):
            raise _fault(f"limit_kmh[{key}]", limits, "It must be a dictionary of values and km/h.")
    for name, value, (low, high), unit in _numbers(mode):
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise _fault(name, value, f"It must be a number from {low:g} to {high:,.0f}.", f"Give {unit}.")
    for name, value in _lists(mode):
        if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
            raise _fault(name, value, "It must be a list of texts.")
    _require_lines("special_kmh", mode.special_kmh, parse_line, 'such as "trunk sidewalk=both"')
    for name, tags in (("node_delay_s", mode.node_delay_s), ("node_passes", mode.node_passes)):
        _require_lines(name, tags, split_tag, 'such as "highway=traffic_signals"')
    if mode.slope not in SLOPES:
        raise _fault("slope", mode.slope, f"It must be one of {', '.join(map(repr, SLOPES))}.")
    if not {"en", "zh"} <= mode.label.keys():
        raise _fault("label", dict(mode.label), 'It must have "en" and "zh".')


def _numbers(mode: TravelMode) -> Iterator[tuple[str, Any, tuple[float, float], str]]:
    """Yield every number with its place, its range and its unit."""
    speeds = (0.0, TOP_KMH), "km/h, 0 for closed"
    seconds = (0.0, MAX_DELAY_S), "seconds"
    for name in ("top_kmh", "walk_off_kmh"):
        yield name, getattr(mode, name), (LEAST_KMH, TOP_KMH), "km/h"
    yield "ferry_kmh", mode.ferry_kmh, *speeds
    for name in ("delay_s", "left_turn_s", "right_turn_s", "u_turn_s"):
        yield name, getattr(mode, name), *seconds
    tables: dict[str, Mapping[str, Any]] = {f"limit_kmh[{key}]": kmh for key, kmh in mode.limit_kmh.items()}
    tables |= {
        name: getattr(mode, name) for name in ("speed_kmh", "special_kmh", "node_delay_s", "junction_s")
    }
    for name, table in tables.items():
        for key, value in table.items():
            yield f"{name}[{key}]", value, *(seconds if name.endswith("_s") else speeds)
    if mode.max_incline_percent is not None:
        yield "max_incline_percent", mode.max_incline_percent, (0.0, STEEPEST_PERCENT), "percent"


def _lists(mode: TravelMode) -> Iterator[tuple[str, Any]]:
    """Yield every list of texts with its place."""
    for name, kind in KINDS.items():
        if kind is _LIST:
            yield name, getattr(mode, name)
    for name in ("opens_with", "contraflow", "node_closed_by"):
        for key, values in getattr(mode, name).items():
            yield f"{name}[{key}]", values


def _require_lines(name: str, lines: Any, parse: Callable[[str], object], example: str) -> None:
    for line in lines:
        try:
            parse(line)
        except ValueError:
            raise _fault(f"{name}[{line}]", line, f"It must be {example}.") from None


def _fault(argument: str, value: object, rule: str, hint: str = HINT) -> CitygeoError:
    return error("CG-IN-004", argument=argument, value=value, rule=rule, hint=hint)
