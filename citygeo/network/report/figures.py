"""The figures of the report and what to think of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.network.report.connection import LINKS, MAIN
from citygeo.network.report.flaws import limits
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork
    from citygeo.network.report.examine import Found

Row = tuple[str, float, str, str, str]  # figure, value, unit, meaning, meaning_zh
OK, LOOK, BAD, PLAIN = "ok", "look", "bad", ""


def figure_table(network: RoadNetwork, found: Found, snaps: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Return the table of a `NetworkReport`."""
    import pandas as pd

    length_m = network.length_m * network.is_open
    topics = {
        "size": _size(network, length_m),
        "connection": _connection(found, length_m),
        "ends": _ends(found),
        "drawing": _drawing(network, found, length_m),
        "speed": _speed(network, found, length_m),
        "rules": _rules(network),
        "points": [] if snaps is None else _points(snaps),
    }
    rows = [(topic, *row) for topic, part in topics.items() for row in part]
    columns = ["topic", "figure", "value", "unit", "meaning", "meaning_zh"]
    table = pd.DataFrame(rows, columns=columns).set_index("figure").astype({"value": np.float64})
    rules = dict(limits()["verdict"])
    if not network.mode.maxspeed:  # such a mode has one speed per class, whatever signs say
        del rules["imputed_speed_share"]
    judged = [
        (_verdict(value, rules.get(figure)), rules.get(figure, {}))
        for figure, value in table["value"].items()
    ]
    table["verdict"] = [verdict for verdict, _ in judged]
    for side in ("look_above", "bad_above"):
        table[side] = np.array([rule.get(side, np.nan) for _, rule in judged], np.float64)
    return table


def _verdict(value: float, rule: Mapping[str, float] | None) -> str:
    if rule is None or np.isnan(value):
        return PLAIN
    return BAD if value > rule["bad_above"] else LOOK if value > rule["look_above"] else OK


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else np.nan


def _size(network: RoadNetwork, length_m: NDArray[np.float64]) -> list[Row]:
    used = np.unique(network.arrays["edge_node"][network.is_open])
    is_closed = ~network.is_open
    return [
        ("nodes", used.size, "", "Junctions and ends", "路口与端点"),
        ("edges", int(network.is_open.sum()), "", "Street pieces between them", "路段"),
        ("length", length_m.sum() / 1000, "km", "Length of streets", "道路长度"),
        ("closed_edges", int(is_closed.sum()), "", "Street pieces closed by edits", "被封闭的路段"),
    ]


def _connection(found: Found, length_m: NDArray[np.float64]) -> list[Row]:
    parts, total = found.parts, length_m.sum()
    km = {link: length_m[parts.edge_link == number].sum() / 1000 for number, link in enumerate(LINKS)}
    weak_km = length_m[parts.edge_weak > 0].sum() / 1000
    strong_km = (total - length_m[parts.edge_link == MAIN].sum()) / 1000
    return [
        ("components", int(parts.weak.max()) + 1, "", "Parts not joined to each other", "互不相连的部分"),
        ("outside_main", weak_km, "km", "Streets outside the largest part", "最大部分之外的道路"),
        (
            "outside_main_share",
            _percent(1000 * weak_km, total),
            "%",
            "Length outside the largest part",
            "最大部分之外占比",
        ),
        (
            "strong_components",
            int(parts.strong.max()) + 1,
            "",
            "Parts with a way there and back",
            "可往返的部分",
        ),
        ("outside_strong", strong_km, "km", "Streets without way there and back", "不能往返的道路"),
        (
            "outside_strong_share",
            _percent(1000 * strong_km, total),
            "%",
            "Length without way there and back",
            "不能往返占比",
        ),
        (
            "traps",
            len(found.spots["trap"].edge),
            "",
            "One-way traps: in, but not out",
            "单行陷阱(可进不可出)",
        ),
        ("trap_length", km["trap"], "km", "Streets in one-way traps", "单行陷阱内的道路"),
        (
            "sources",
            len(found.spots["source"].edge),
            "",
            "Reverse traps: out, but not in",
            "反向陷阱(可出不可进)",
        ),
        ("source_length", km["source"], "km", "Streets in reverse traps", "反向陷阱内的道路"),
    ]


def _ends(found: Found) -> list[Row]:
    dead, near = found.dead_node.size, len(found.spots["undershoot"].edge)
    gap = f"{limits()['undershoot']['gap_m']:g}"
    return [
        ("dead_ends", dead, "", "Dead ends", "断头路端点"),
        ("undershoots", near, "", f"Dead ends within {gap} m of a street", f"距另一道路不足{gap}米的端点"),
        ("undershoot_share", _percent(near, dead), "%", "Dead ends that nearly touch", "几近相接的断头路"),
    ]


def _drawing(network: RoadNetwork, found: Found, length_m: NDArray[np.float64]) -> list[Row]:
    twice, over, none = (found.spots[problem] for problem in ("duplicate", "overlap", "zero_length"))
    again_m = twice.value.sum() + over.value.sum()
    return [
        ("duplicates", len(twice.edge), "", "Street pieces drawn twice", "重复路段"),
        ("overlaps", len(over.edge), "", "Street pieces drawn over others", "重叠路段"),
        ("drawn_twice", again_m / 1000, "km", "Length drawn again", "重复绘制的长度"),
        ("drawn_twice_share", _percent(again_m, length_m.sum()), "%", "Length drawn again", "重复绘制占比"),
        ("zero_length", len(none.edge), "", "Street pieces of no length", "零长度路段"),
        (
            "zero_length_share",
            _percent(len(none.edge), network.is_open.sum()),
            "%",
            "Pieces of no length",
            "零长度占比",
        ),
    ]


def _speed(network: RoadNetwork, found: Found, length_m: NDArray[np.float64]) -> list[Row]:
    fast, slow = found.spots["fast"].edge, found.spots["slow"].edge
    odd_m = length_m[np.union1d(fast, slow)].sum()
    imputed_m = length_m[network.arrays["edge_is_imputed"].astype(np.bool_)].sum()
    total = length_m.sum()
    return [
        (
            "imputed_speed_share",
            _percent(imputed_m, total),
            "%",
            "Length with an assumed speed",
            "速度为推定值占比",
        ),
        ("too_fast", fast.size, "", "Street pieces too fast for their class", "速度偏高的路段"),
        ("too_slow", slow.size, "", "Street pieces too slow for their class", "速度偏低的路段"),
        ("odd_speed_share", _percent(odd_m, total), "%", "Length with an odd speed", "速度异常占比"),
    ]


def _rules(network: RoadNetwork) -> list[Row]:
    arrays = network.arrays
    has_delay = np.any(arrays["edge_enter_ms"], axis=1) | np.any(arrays["edge_leave_ms"], axis=1)
    _, ends = np.unique(arrays["node_id"], return_counts=True)
    return [
        ("turn_restrictions", len(arrays["turn_start"]) - 1, "", "Forbidden turns", "禁止的转向"),
        (
            "delayed_edges",
            int(has_delay.sum()),
            "",
            "Street pieces with delay at an end",
            "端点计有延误的路段",
        ),
        ("barriers", int((ends > 1).sum()), "", "Barriers that cut a street", "截断道路的路障"),
    ]


def _points(snaps: gpd.GeoDataFrame) -> list[Row]:
    gap_m, status = snaps["snap_distance_m"].to_numpy(np.float64), snaps["status"].to_numpy(object)
    is_on = status == "ok"
    off, on = int((status == "not_snapped").sum()), int(is_on.sum())
    apart = int((is_on & (snaps["link"] != "main").to_numpy()).sum())
    known = gap_m[~np.isnan(gap_m)]
    median, high, most = np.quantile(known, (0.5, 0.9, 1)) if known.size else (np.nan,) * 3
    return [
        ("points", len(snaps), "", "Points given", "给定的点"),
        ("no_geometry", int((status == "no_geometry").sum()), "", "Points without geometry", "没有几何的点"),
        ("snap_median", median, "m", "To the nearest street: median", "距最近道路:中位数"),
        ("snap_p90", high, "m", "To the nearest street: 90 % are nearer", "距最近道路:90%分位"),
        ("snap_max", most, "m", "To the nearest street: farthest", "距最近道路:最大"),
        ("unsnapped", off, "", "Points too far from any street", "离路网过远的点"),
        ("unsnapped_share", _percent(off, len(snaps)), "%", "Points too far from any street", "过远的点占比"),
        ("off_main", apart, "", "Points without way there and back", "不能往返的点"),
        ("off_main_share", _percent(apart, on), "%", "Points without way there and back", "不能往返的点占比"),
    ]


def speed_table(network: RoadNetwork) -> pd.DataFrame:
    """Return kilometres, share of assumed speeds and mean speed of each highway class, most kilometres first."""
    import pandas as pd

    ms = np.column_stack((network.arrays["edge_along_ms"], network.arrays["edge_against_ms"])).astype(
        np.float64
    )
    ms[ms == CLOSED] = np.inf
    km = network.length_m / 1000
    columns: dict[str, Any] = {
        "highway": network.highway,
        "km": km,
        "imputed_km": km * network.arrays["edge_is_imputed"].astype(np.float64),
        "hours": ms.min(axis=1) / 3_600_000,
    }
    by_class = pd.DataFrame(columns)[network.is_open].groupby("highway").sum()
    return pd.DataFrame(
        {
            "km": by_class["km"],
            "imputed_km": by_class["imputed_km"],
            "imputed_share": by_class["imputed_km"] / by_class["km"],
            "mean_kmh": by_class["km"] / by_class["hours"],
        }
    ).sort_values("km", ascending=False)
