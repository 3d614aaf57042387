"""The data file of modes: tables that build on one another, and lists shared by all modes."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_MODES = frozenset(("lists", "maxspeed_rules", "not_built"))


@cache
def tables() -> dict[str, dict[str, Any]]:
    """Return the tables of ``data/modes.toml``."""
    return tomllib.loads(files("citygeo").joinpath("data", "modes.toml").read_text(encoding="utf-8"))


def mode_names() -> list[str]:
    """
    Return the names of all travel modes.

    Examples
    --------
    >>> mode_names()
    ['drive', 'fire_engine', 'ambulance', 'bus', 'walk', 'bike', 'wheelchair']
    """
    return [name for name in tables() if name not in NOT_MODES]


def mode_entry(name: str) -> dict[str, Any]:
    """Return the values of a mode, those of the mode it is ``like`` included."""
    own = _with_lists(tables()[name])
    base = own.pop("like", None)
    values = merged(mode_entry(base), own) if base else own
    return {**values, "name": name}


def _with_lists(value: Any) -> Any:
    """Return a copy in which ``"@name"`` in a list is replaced by the words of that list."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    lists = tables()["lists"]
    return [word for item in value for word in (lists[item[1:]] if item.startswith("@") else [item])]


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return `values` with `changes`: tables are merged line by line, anything else replaces what was there.

    Examples
    --------
    >>> merged({"top": 9, "speed": {"a": 1, "b": 2}}, {"top": 5, "speed": {"b": 3}})
    {'top': 5, 'speed': {'a': 1, 'b': 3}}
    """
    both = {**values, **changes}
    for key in values.keys() & changes.keys():
        if isinstance(values[key], dict):
            both[key] = {**values[key], **changes[key]}
    return both


def plain(value: Any) -> Any:
    """
    Return a copy in which lists are tuples, as the fields of a mode are.

    Examples
    --------
    >>> plain({"foot": ["yes", "designated"]})
    {'foot': ('yes', 'designated')}
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return tuple(value) if isinstance(value, list | tuple) else value
