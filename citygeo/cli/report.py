"""What a command prints: one document for ``--json``, and the same numbers as text."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from citygeo.cli.text import duration, number, percent
from citygeo.io.columns import clean, printable, table, width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from citygeo.coverage import Coverage

WORST = 5
MOST_ZONES = 20
MEASURES = {"area": "Area 面积", "population": "People 人口", "buildings": "Buildings 建筑"}
UNITS = {"km2": "km²", "people": "people 人", "persons": "people 人", "buildings": "buildings 栋"}
LEVELS = {
    "municipality": "municipality 市",
    "district": "district 区",
    "neighbourhood": "neighbourhood 街区",
    "zone": "zone 分区",
}
REASONS = {
    "too_far": "too far 距离过远",
    "detour": "detour 绕行过远",
    "barrier": "barrier in between 障碍阻隔",
    "facility_not_snapped": "facility not on the network 设施未接入路网",
    "not_connected": "no connected road 路网不连通",
    "no_road": "no road near 附近无道路",
}
FILE_NOTES = {
    "map.html": "map, opens without internet 离线地图",
    "coverage.gpkg": "all layers, styled for QGIS 全部图层",
    "cells.parquet": "people per H3 cell H3格网人口",
    "table.csv": "figures 指标",
    "depth.csv": "reached by 0, 1, 2, 3+ facilities 覆盖重数",
    "zones.csv": "every zone of every level 分区统计",
    "blind_spots.csv": "blind spots 盲区",
    "report.gpkg": "places, dead ends, edges; styled for QGIS 可疑之处与路网图层",
    "places.csv": "suspicious places 可疑之处",
    "components.csv": "parts, streets taken both ways 弱连通部分",
    "strong_components.csv": "parts, streets as signed 强连通部分",
    "speeds.csv": "speeds by highway class 分等级速度",
    "issues.csv": "findings on the data 数据问题",
    "provenance.json": "inputs, parameters, versions 来源与参数",
}


def describe(coverage: Coverage, *, command: str, place: Mapping[str, str]) -> dict[str, Any]:
    """
    Return the JSON document of a coverage, all of it but files and time.

    Parameters
    ----------
    coverage
        The result.
    command
        The command that made it.
    place
        Name of the city or of the facilities' file, as `name` and, where there is one, `name_zh`.

    Returns
    -------
    Keys: `command`, `place`, `minutes`, `mode`, `direction`, `people_are_an_estimate`, `facilities` (total,
    on_network, delay_s), `measures`, `zones`, `blind_spots` (the worst five), `blind_spots_total`, `depth`,
    `issues`, `attribution`. Times and shares that do not exist are null.
    """
    area, spots = coverage.area, coverage.blind_spots
    return {
        "command": command,
        "place": dict(place),
        "minutes": coverage.minutes,
        "mode": {
            "name": area.network.mode.name,
            "en": area.network.mode.label_en,
            "zh": area.network.mode.label_zh,
        },
        "direction": area.direction,
        "people_are_an_estimate": bool(coverage.demand_is_estimate),
        "facilities": {
            "total": len(area.snaps),
            "on_network": int((area.snaps["status"] == "ok").sum()),
            "delay_s": sorted({float(delay) for delay in area.snaps["delay_s"].dropna()}),
        },
        "measures": records(coverage.table),
        "zones": records(coverage.zones.reset_index(drop=True), index=False),
        "blind_spots": [_named_facility(row, area.facilities) for row in records(spots.head(WORST))],
        "blind_spots_total": len(spots),
        "depth": records(coverage.depth),
        "issues": issue_rows(coverage.issues),
        "attribution": coverage.provenance.get("attribution", ""),
    }


def records(frame: pd.DataFrame, *, index: bool = True) -> list[dict[str, Any]]:
    """Return the rows without geometry, as plain Python values."""
    rows = frame.drop(columns="geometry", errors="ignore")
    rows = rows.reset_index() if index else rows
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows.to_dict("records")]


def _plain(value: Any) -> Any:
    """Return a value JSON knows: numpy's scalars as Python's, what is no number as None."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value != value else str(value)  # noqa: PLR0124  # pandas' missing values


def _named_facility(spot: dict[str, Any], facilities: pd.DataFrame) -> dict[str, Any]:
    """Add the name of the nearest facility to its label."""
    label = spot.get("nearest_facility")
    is_named = "name" in facilities.columns and label is not None
    names = facilities["name"][facilities.index.astype(str) == str(label)] if is_named else ()
    return {**spot, "nearest_facility_name": _plain(next(iter(names), None))}


def issue_rows(issues: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the findings as plain rows: code, severity, count, sample, message."""
    return records(issues, index=False)


def as_text(document: Mapping[str, Any], *, levels: Sequence[str] | None = None) -> str:
    """Return the document as the table a planner reads; `levels` of zones, all if None."""
    shown = dict.fromkeys(zone["level"] for zone in document["zones"]) if levels is None else levels
    parts = [_title(document), _measures(document)]
    parts += [_zones(document, level) for level in shown]
    parts += [_blind_spots(document), _notes(document)]
    if document.get("files"):
        parts.append(files_text(document["files"]))
    return "\n\n".join(part for part in parts if part)


def _title(document: Mapping[str, Any]) -> str:
    mode, facilities, place = document["mode"], document["facilities"], document["place"]
    minutes = f"{document['minutes']:g}"
    is_fire = mode["name"] == "fire_engine"
    what = (
        f"{minutes}-minute fire coverage 消防{minutes}分钟覆盖"
        if is_fire
        else f"{minutes}-minute coverage {minutes}分钟覆盖"
    )
    where = f"{place['name']} {place.get('name_zh', '')}".strip()
    side = (
        "from the facilities 自设施出发" if document["direction"] == "from" else "to the facilities 前往设施"
    )
    setup = [
        f"{facilities['on_network']} of {facilities['total']} facilities on the network 设施已接入路网",
        f"{mode['en']} {mode['zh']}",
        side,
    ]
    delays = facilities["delay_s"]
    if delays and delays[-1] > 0:
        spread = f"{delays[0]:g}" if len(delays) == 1 else f"{delays[0]:g}–{delays[-1]:g}"
        setup.append(f"{spread} s of turnout included 含出动时间")
    return f"{clean(what)}: {clean(where)}\n{', '.join(setup)}"


def _measures(document: Mapping[str, Any]) -> str:
    estimate = " (estimate 估算)" if document["people_are_an_estimate"] else ""
    rows = []
    # people first: that is what is asked
    for row in sorted(document["measures"], key=lambda row: row["measure"] != "population"):
        name = MEASURES.get(row["measure"], row["measure"]) + (
            estimate if row["measure"] == "population" else ""
        )
        digits = 1 if row["unit"] == "km2" else 0
        figures = [number(row["covered"], digits), number(row["total"], digits), percent(row["share"])]
        circles = [percent(row["radius_share"])] if "radius_share" in row else []
        rows.append([name, *figures, *circles, UNITS.get(row["unit"], row["unit"])])
    beside = ["In circles 圆内"] if any("radius_share" in row for row in document["measures"]) else []
    return table(["Measure 指标", "Covered 已覆盖", "Total 总量", "Share 覆盖率", *beside, "Unit 单位"], rows)


def _zones(document: Mapping[str, Any], level: str) -> str:
    zones = [zone for zone in document["zones"] if zone["level"] == level]
    zones.sort(key=lambda zone: (-_uncovered(zone), str(zone["name"])))
    rows = [
        [
            zone["name"] or str(zone["zone"]),
            number(zone["population_covered"]),
            number(zone["population"]),
            percent(zone["population_share"]),
            number(_uncovered(zone)),
        ]
        for zone in zones[:MOST_ZONES]
    ]
    headings = [
        f"By {LEVELS.get(level, level)}",
        "Covered 已覆盖",
        "People 人口",
        "Share 覆盖率",
        "Uncovered 未覆盖",
    ]
    rest = len(zones) - MOST_ZONES
    more = f"\n... and {rest} more with fewer uncovered people 其余 {rest} 个未列出" if rest > 0 else ""
    return table(headings, rows) + more


def _uncovered(zone: Mapping[str, Any]) -> float:
    return (zone["population"] or 0) - (zone["population_covered"] or 0)


def _blind_spots(document: Mapping[str, Any]) -> str:
    total = document["blind_spots_total"]
    if total == 0:
        return "No blind spots: all people are covered 无盲区"
    rows = [
        [
            spot["zone"] or "–",
            spot["nearest_facility_name"] or str(spot["nearest_facility"] or "–"),
            REASONS.get(spot["reason"], str(spot["reason"])),
            number(spot["uncovered"]),
            duration(spot["time_s"]),
            number(spot["minutes_over"], 1),
        ]
        for spot in document["blind_spots"]
    ]
    headings = [
        "Place 位置",
        "Nearest 最近设施",
        "Reason 原因",
        "People 人口",
        "Mean time 平均用时",
        "Over 超出 min",
    ]
    shown = f"Worst {len(rows)} of {total} blind spots 主要盲区 (uncovered people 未覆盖人口)"
    return f"{shown}\n{table(headings, rows, left=3, widest=48)}"


def _notes(document: Mapping[str, Any]) -> str:
    notes = []
    if document["people_are_an_estimate"]:
        notes.append("People are an estimate, not a count 人口为估算值.")
    if document.get("note"):
        notes.append(document["note"])
    found = dict.fromkeys(issue["code"] for issue in document["issues"] if issue["severity"] == "warning")
    if found:
        notes.append(f"Findings on the data 数据问题: {', '.join(found)}.")
    if document["attribution"]:
        notes.append(f"Data 数据: {document['attribution']}.")
    return "\n".join(notes)


def files_text(files: Mapping[str, str]) -> str:
    """Return a list of files with what is in them."""
    rows = [
        [printable(path), FILE_NOTES.get(path.replace("\\", "/").rsplit("/", 1)[-1], "")]
        for path in files.values()
    ]
    # not a table: a path is copied, so it is never cut
    columns = max(width(path) for path, _ in rows)
    lines = [f"{path}{' ' * (columns - width(path))}  {note}".rstrip() for path, note in rows]
    return "\n".join(["Files 文件", *lines])


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document; other than UTF-8 terminals get escapes, which is the same document."""
    is_utf8 = (sys.stdout.encoding or "ascii").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(document, ensure_ascii=not is_utf8, allow_nan=False, indent=2) + "\n")


def print_text(text: str) -> None:
    """Print on stdout."""
    sys.stdout.write(text + "\n")


def tell_issues(issues: Sequence[Mapping[str, Any]], *, is_quiet: bool) -> None:
    """Print each warning among the findings as one line on stderr."""
    for issue in () if is_quiet else issues:
        if issue["severity"] == "warning":
            sys.stderr.write(f"citygeo: {issue['code']}: {clean(issue['message'])}\n")


def path_texts(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the paths as text, the map first."""
    ordered = sorted(files.items(), key=lambda item: item[0] != "map")
    return {name: str(path) for name, path in ordered}
