"""The attributes of a road layer in OSM's words; the words themselves are in ``data/centerlines.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from citygeo.errors import error
from citygeo.io.streets import TagSets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

MIN_KMH, MAX_KMH = 1.0, 300.0
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|公里/小时|千米/小时|mph)?")
_DIRECTION: dict[str, dict[str, str]] = {
    "along": {"oneway": "yes"},
    "against": {"oneway": "-1"},
    "both": {},
    "closed": {"vehicle": "no"},
}


class Columns(NamedTuple):
    """The columns of a layer that hold attributes of roads, and what to make of the classes."""

    class_: str | None = None
    speed: str | None = None
    oneway: str | None = None
    name: str | None = None
    level: str | None = None
    bridge: str | None = None
    tunnel: str | None = None
    classes: Mapping[Any, str] | None = None
    default_class: str = "road"


class Attributes(NamedTuple):
    """
    What the columns say of each row.

    Attributes
    ----------
    tag_sets, tag_set
        The distinct sets of OSM tags, and the position of each row's, int32 `(r,)`.
    level
        0 is the ground, float64 `(r,)`.
    is_bridge, is_tunnel
        `(r,)`.
    """

    tag_sets: list[dict[str, str]]
    tag_set: NDArray[np.int32]
    level: NDArray[np.float64]
    is_bridge: NDArray[np.bool_]
    is_tunnel: NDArray[np.bool_]


class _Values(NamedTuple):
    """A column: its distinct values as lower-case words, how often each occurs, and the number of each row's."""

    words: list[str]
    texts: list[str]
    n_rows: NDArray[np.int64]
    of_row: NDArray[np.int64]

    def sample(self, numbers: list[int]) -> list[str]:
        """Return the most frequent of some values, each with its count."""
        present = [number for number in numbers if self.n_rows[number]]
        frequent = sorted(present, key=lambda number: (-self.n_rows[number], self.words[number]))
        return [f"{self.texts[number] or '(empty)'} ({self.n_rows[number]})" for number in frequent]

    def total(self, numbers: list[int]) -> int:
        """Return how many rows have one of some values."""
        return int(self.n_rows[numbers].sum())


def read_attributes(table: pd.DataFrame, columns: Columns, layer: str, issues: IssueLog) -> Attributes:
    """
    Translate the columns of a road layer.

    Parameters
    ----------
    table
        The layer's rows.
    columns
        Which columns to read.
    layer
        What the caller calls it, for messages.
    issues
        Takes the findings: CG-LINE-020 to CG-LINE-024.

    Raises
    ------
    InputError
        CG-IN-005 a column that does not exist, CG-IN-004 `classes` or `default_class` not made of texts,
        CG-LINE-003 one-way values and CG-LINE-004 levels that are not known, CG-LINE-005 no speed that can be read.
    """
    _require_columns(table, columns, layer)
    level = _levels(table, columns.level)
    is_bridge, is_tunnel = (
        _marks(table, column, layer, issues) for column in (columns.bridge, columns.tunnel)
    )
    tags = [
        _classes(table, columns, layer, issues),
        _directions(table, columns.oneway, layer, issues),
        _speeds(table, columns.speed, layer, issues),
        _names(table, columns.name),
        _layer_tags(level),
        ([{}, {"bridge": "yes"}], is_bridge.astype(np.int64)),
        ([{}, {"tunnel": "yes"}], is_tunnel.astype(np.int64)),
    ]
    n_marked = int(((level != 0) | is_bridge | is_tunnel).sum())
    issues.add("CG-LINE-024", count=n_marked, layer=layer, total=len(table))
    return Attributes(*_combine(tags, len(table)), level, is_bridge, is_tunnel)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files("citygeo").joinpath("data", "centerlines.toml").read_text(encoding="utf-8"))


def _word(value: Any) -> str:
    """Return a value as a word to compare: 1, 1.0 and "1 " are one."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    text = str(value).strip().lower()
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdecimal() else text


def _require_columns(table: pd.DataFrame, columns: Columns, layer: str) -> None:
    known = [str(column) for column in table.columns]
    for column in columns[:7]:
        if column is not None and column not in table.columns:
            raise error("CG-IN-005", layer=layer, column=column, columns=", ".join(known))
        if column is not None and known.count(column) > 1:
            raise error("CG-IN-008", layer=layer, count=1, sample=column)


def _values(column: pd.Series[Any]) -> _Values:
    """Give each distinct value of a column a number; missing ones are empty words."""
    try:
        numbers, distinct = pd.factorize(column, use_na_sentinel=True)
    except TypeError:  # lists and the like
        numbers, distinct = pd.factorize(column.astype(str), use_na_sentinel=True)
    of_row = np.where(numbers < 0, len(distinct), numbers).astype(np.int64)
    values = list(distinct)
    words = [*(_word(value) for value in values), ""]
    texts = [*(str(value).strip() for value in values), ""]
    return _Values(words, texts, np.bincount(of_row, minlength=len(words)), of_row)


def _classes(
    table: pd.DataFrame, columns: Columns, layer: str, issues: IssueLog
) -> tuple[list[dict[str, str]], NDArray[np.int64]]:
    """Return class tags and the position of each row's."""
    default = columns.default_class
    own = {_word(value): highway for value, highway in (columns.classes or {}).items()}
    _require_texts({"default_class": [default], "classes": list(own.values())})
    if columns.class_ is None:
        issues.add("CG-LINE-020", count=len(table), layer=layer, default=default)
        return [_class_tags(default)], np.zeros(len(table), np.int64)
    values = _values(table[columns.class_])
    known = {**_class_words(), **own}
    found = [known.get(word, known.get(word.replace(" ", "_").replace("-", "_"))) for word in values.words]
    unknown = [number for number, highway in enumerate(found) if highway is None]
    issues.add(
        "CG-LINE-021", count=values.total(unknown), sample=values.sample(unknown), layer=layer,
        column=columns.class_, default=default,
    )  # fmt: skip
    return [_class_tags(default if highway is None else highway) for highway in found], values.of_row


def _require_texts(classes: Mapping[str, list[Any]]) -> None:
    for argument, listed in classes.items():
        for highway in listed:
            if not isinstance(highway, str) or not highway.strip():
                rule = "Each road class must be a text, such as residential."
                hint = "Use OSM's highway classes."
                raise error("CG-IN-004", argument=argument, value=highway, rule=rule, hint=hint)


@cache
def _class_words() -> dict[str, str]:
    words = {word: highway for highway, listed in _words()["class"].items() for word in listed}
    return {**words, **{highway: highway for highway in _words()["osm"]["class"]}}


def _class_tags(highway: str) -> dict[str, str]:
    return {"route": "ferry"} if highway == "ferry" else {"highway": highway}


def _directions(
    table: pd.DataFrame, column: str | None, layer: str, issues: IssueLog
) -> tuple[list[dict[str, str]], NDArray[np.int64]]:
    """Read a one-way column by the first coding that knows all its values."""
    if column is None:
        return [{}], np.zeros(len(table), np.int64)
    values = _values(table[column])
    present = [number for number, many in enumerate(values.n_rows) if many and values.words[number]]
    codings = [{word: key for key in _DIRECTION for word in coding[key]} for coding in _words()["oneway"]]
    unknown = [[number for number in present if values.words[number] not in coding] for coding in codings]
    best = min(range(len(codings)), key=lambda number: len(unknown[number]))
    names = [coding["name"] for coding in _words()["oneway"]]
    if unknown[best]:
        raise error(
            "CG-LINE-003", layer=layer, column=column, count=values.total(unknown[best]),
            sample=", ".join(values.sample(unknown[best])[:10]), accepted=_accepted(),
        )  # fmt: skip
    keys = [codings[best].get(word, "both") for word in values.words]
    others = [coding for coding, left in zip(codings, unknown, strict=True) if not left]
    if any(coding.get(values.words[number]) != keys[number] for coding in others for number in present):
        readings = [names[number] for number, left in enumerate(unknown) if not left]
        issues.add(
            "CG-LINE-029", count=values.total(present), sample=values.sample(present), layer=layer, column=column,
            coding=names[best], others=", ".join(readings[1:]),
        )  # fmt: skip
    along, against, both, closed = (
        values.total([number for number, of in enumerate(keys) if of == key]) for key in _DIRECTION
    )
    issues.add(
        "CG-LINE-022", count=len(table), layer=layer, column=column, coding=names[best], along=along, against=against,
        both=both, closed=closed,
    )  # fmt: skip
    return [_DIRECTION[key] for key in keys], values.of_row


def _accepted() -> str:
    """List the one-way values of each coding."""
    codings = [
        ", ".join(f"{key}: {' '.join(coding[key])}" for key in _DIRECTION) for coding in _words()["oneway"]
    ]
    return "; or ".join(codings)


def _speeds(
    table: pd.DataFrame, column: str | None, layer: str, issues: IssueLog
) -> tuple[list[dict[str, str]], NDArray[np.int64]]:
    """Read km/h, with or without unit, or mph."""
    if column is None:
        return [{}], np.zeros(len(table), np.int64)
    values = _values(table[column])
    speeds = [_maxspeed(word) for word in values.words]
    unusable = [number for number, speed in enumerate(speeds) if speed is None and values.words[number]]
    readable = [number for number, speed in enumerate(speeds) if speed is not None]
    if values.total(unusable) and not values.total(readable):
        sample = ", ".join(values.sample(unusable)[:5])
        raise error("CG-LINE-005", layer=layer, column=column, count=values.total(unusable), sample=sample)
    issues.add(
        "CG-LINE-023",
        count=values.total(unusable),
        sample=values.sample(unusable),
        layer=layer,
        column=column,
    )
    return [{"maxspeed": speed} if speed else {} for speed in speeds], values.of_row


def _maxspeed(word: str) -> str | None:
    """Return a ``maxspeed`` value, `None` if the word is no speed of a road."""
    match = _SPEED.fullmatch(word)
    if match is None or not MIN_KMH <= float(match[1]) <= MAX_KMH:
        return None
    return f"{float(match[1]):g}" + (" mph" if match[2] == "mph" else "")


def _names(table: pd.DataFrame, column: str | None) -> tuple[list[dict[str, str]], NDArray[np.int64]]:
    if column is None:
        return [{}], np.zeros(len(table), np.int64)
    values = _values(table[column])
    return [{"name": text} if text else {} for text in values.texts], values.of_row


def _levels(table: pd.DataFrame, column: str | None) -> NDArray[np.float64]:
    """Read numbers, or the words for them; an empty value is the ground."""
    if column is None:
        return np.zeros(len(table))
    values = _values(table[column])
    numbers = np.array([_level(word) for word in values.words])
    unknown = np.flatnonzero(np.isnan(numbers)).tolist()
    if unknown:
        sample = ", ".join(values.sample(unknown)[:5])
        raise error("CG-LINE-004", column=column, count=values.total(unknown), sample=sample)
    return numbers[values.of_row]


def _level(word: str) -> float:
    try:
        return float(_words()["level"].get(word, word or 0))
    except ValueError:
        return np.nan


def _layer_tags(level: NDArray[np.float64]) -> tuple[list[dict[str, str]], NDArray[np.int64]]:
    distinct, of_row = np.unique(level, return_inverse=True)
    return [{"layer": f"{number:g}"} if number else {} for number in distinct.tolist()], of_row


def _marks(table: pd.DataFrame, column: str | None, layer: str, issues: IssueLog) -> NDArray[np.bool_]:
    """Say which rows a bridge or tunnel column marks; words that are neither yes nor no are told."""
    if column is None:
        return np.zeros(len(table), np.bool_)
    values = _values(table[column])
    words = _words()["mark"]
    is_no = [word in ("", *words["no"]) for word in values.words]
    doubtful = [
        number for number, word in enumerate(values.words) if not is_no[number] and word not in words["yes"]
    ]
    issues.add(
        "CG-LINE-028", count=values.total(doubtful), sample=values.sample(doubtful), layer=layer, column=column,
        total=len(table),
    )  # fmt: skip
    return ~np.array(is_no)[values.of_row]


def _combine(
    columns: list[tuple[list[dict[str, str]], NDArray[np.int64]]], n_rows: int
) -> tuple[list[dict[str, str]], NDArray[np.int32]]:
    """Give each distinct combination of the columns' tags a number."""
    key = np.zeros(n_rows, np.int64)
    for tags, of_row in columns:
        # kept small at each step: a product of seven columns would overflow
        _, key = np.unique(key * len(tags) + of_row, return_inverse=True)
    _, row, key = np.unique(key, return_index=True, return_inverse=True)
    sets = TagSets()
    numbers = sets.numbers(
        {name: value for tags, of_row in columns for name, value in tags[of_row[i]].items()}
        for i in row.tolist()
    )
    return sets.listed, numbers[key]
