"""Numbers and names as a planner reads them, in English and Chinese."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from citygeo.coverage.words import SERVICES as WORDS

if TYPE_CHECKING:
    import geopandas as gpd

MISSING = "–"


class Label(NamedTuple):
    """A text in English and Chinese, shown side by side."""

    en: str
    zh: str = ""

    def __str__(self) -> str:
        return f"{self.en} {self.zh}".strip()


NOT_REACHABLE = Label("cannot be reached", "不可达")
REASONS = {
    "too_far": Label("too far", "距离过远"),
    "detour": Label("detour", "绕行过远"),
    "barrier": Label("barrier in between", "障碍阻隔"),
    "not_connected": Label("not connected", "路网不连通"),
    "facility_not_snapped": Label("facility not on the network", "设施未接入路网"),
    "no_road": Label("no road nearby", "附近无道路"),
    "not_snapped": Label("too far from any road", "离路网过远"),
    "no_geometry": Label("no geometry", "缺少几何"),
    "full": Label("facilities in reach are full", "可达设施已满"),
    "ok": Label("on the network", "已接入路网"),
}
LEVELS = {
    "municipality": Label("municipality", "市镇"),
    "district": Label("district", "行政区"),
    "neighbourhood": Label("neighbourhood", "街区"),
    "community": Label("community", "社区"),
    "subdistrict": Label("subdistrict", "街道"),
    "zone": Label("zone", "分区"),
}
STATUSES = {
    "covered": Label("covered", "已覆盖"),
    "partly": Label("partly covered", "部分覆盖"),
    "uncovered": Label("uncovered", "未覆盖"),
    "uninhabited": Label("uninhabited", "无人居住"),
}


SERVICES = {name: Label(*words) for name, words in WORDS.items()}


def service_label(name: str) -> Label:
    """Return the label of a service; an unknown one is its own label."""
    return SERVICES.get(name, Label(name))


MEASURES = {
    "population": Label("People", "人口"),
    "area": Label("Area", "面积"),
    "built_up": Label("Built-up land", "建成区"),
    "residential": Label("Residential land", "居住用地"),
    "buildings": Label("Buildings", "建筑"),
    "floor_area": Label("Floor space", "建筑面积"),
}


def measure_label(measure: str) -> Label:
    """Return the label of a measure; an unknown one is its own label."""
    return MEASURES.get(measure, Label(measure))


def level_label(level: str) -> Label:
    """Return the label of a zone level; an unknown one is its own label."""
    return LEVELS.get(level, Label(level))


def number(value: Any, digits: int = 0) -> str:
    """
    Return a number with thousands separators; a dash when missing.

    Examples
    --------
    >>> number(1234.6), number(float("nan")), number(0.25, 1)
    ('1,235', '–', '0.2')
    """
    if value is None or pd.isna(value):
        return MISSING
    return f"{value:,.{digits}f}" if math.isfinite(value) else "∞"


def people(value: Any) -> str:
    """
    Return a number of people: whole, but never "0" for a few tenths of a person.

    Examples
    --------
    >>> people(1234.4), people(0.3), people(0)
    ('1,234', '< 1', '0')
    """
    return "< 1" if pd.notna(value) and 0 < value < 0.5 else number(value)


def percent(value: Any) -> str:
    """
    Return a share as a percentage; 100.0 % and 0.0 % only if it is exactly so.

    Examples
    --------
    >>> percent(0.8532), percent(0.99999), percent(0.00001), percent(1.0)
    ('85.3 %', '> 99.9 %', '< 0.1 %', '100.0 %')
    """
    if value is None or pd.isna(value):
        return MISSING
    if 0 < value < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= value < 1 else f"{100 * value:.1f} %"


def travel_time(seconds: Any) -> str:
    """
    Return seconds as minutes and seconds, rounded up; infinite means that nobody can get there.

    Examples
    --------
    >>> travel_time(432), travel_time(300.2), travel_time(float("inf"))
    ('7:12 min', '5:01 min', 'cannot be reached 不可达')
    """
    if seconds is None or pd.isna(seconds):
        return MISSING
    if not math.isfinite(seconds):
        return str(NOT_REACHABLE)
    # up, so that a time beyond the limit never reads as the limit
    minutes, rest = divmod(math.ceil(round(seconds, 3)), 60)
    return f"{minutes}:{rest:02d} min"


def value_text(value: Any) -> str:
    """Return any attribute value as short text for a tooltip."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes 是" if value else "no 否"
    if pd.api.types.is_integer(value):
        return f"{value:,d}"
    if pd.api.types.is_float(value):
        return f"{value:,.6g}"
    text = str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def facility_names(facilities: gpd.GeoDataFrame) -> dict[Any, str]:
    """Return a readable name of each facility: its name, else the caller's label."""
    named = facilities["name"] if "name" in facilities else pd.Series(index=facilities.index, dtype=object)
    return {
        label: str(name) if pd.notna(name) and str(name).strip() else f"#{label}"
        for label, name in zip(facilities.index, named, strict=True)
    }


def text_or_dash(value: Any) -> str:
    """Return a name as it is; a dash where there is none."""
    return MISSING if value is None or pd.isna(value) or not str(value).strip() else str(value)
