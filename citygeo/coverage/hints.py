"""What would help the people of a blind spot, in one sentence, English and Chinese."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def hints(spots: pd.DataFrame, names: Mapping[Any, str], pace: float) -> tuple[list[str], list[str]]:
    """
    Return a hint for each blind spot, English and Chinese.

    Parameters
    ----------
    spots
        The columns of `blind_spots` and snap_m, the mean distance to the next road.
    names
        Names of facilities by label; others are called by their label.
    pace
        Milliseconds that covered people take for a metre of straight line.
    """
    said = [_hint(row, names, pace) for row in spots.itertuples()]
    return [english for english, _ in said], [chinese for _, chinese in said]


def _hint(spot: Any, names: Mapping[Any, str], pace: float) -> tuple[str, str]:
    late, late_zh = _late(spot.minutes_over)
    straight = f"{spot.straight_m:,.0f}"
    closest = names.get(spot.straight_facility, f"#{spot.straight_facility}")
    if spot.reason == "no_road":
        return (
            f"The next road is {spot.snap_m:,.0f} m away: add the road that leads there, or allow a larger max_snap_m.",
            f"最近道路在{spot.snap_m:,.0f}米外:请补充通往该处的道路,或放宽 max_snap_m。",
        )
    if spot.reason == "facility_not_snapped":
        return (
            f"{closest}, {straight} m away in a straight line, is not on the network: correct its place or its road.",
            f"直线{straight}米处的{closest}未接入路网:请核对其位置或补充道路。",
        )
    if spot.reason == "not_connected":
        met, met_zh = (f" across {spot.crosses}", f"(跨{spot.crosses})") if spot.crosses else ("", "")
        return (
            f"No facility gets there at all: look for a gap or a closed street, or build a link{met}.",
            f"任何设施都无法到达:请检查断头路或封闭道路,或新建连接{met_zh}。",
        )
    if spot.reason in ("detour", "barrier"):
        return _straighter(spot, late, late_zh, closest)
    if not (math.isfinite(spot.minutes_over) and pace > 0):
        return f"{late}: a facility near by would help.", f"{late_zh}:需就近增设设施。"
    closer = f"{spot.minutes_over * 60_000 / pace / 1000:.1f}"
    return (
        f"{late}: a facility {closer} km closer in a straight line would help.",
        f"{late_zh}:设施直线距离近{closer}公里即可覆盖。",
    )


def _straighter(spot: Any, late: str, late_zh: str, closest: str) -> tuple[str, str]:
    times = f"{spot.detour:.1f}" if math.isfinite(spot.detour) else "∞"
    link, link_zh = "a more direct link", "更直接的道路"
    if spot.crosses:
        link, link_zh = f"a crossing of {spot.crosses}", f"跨越{spot.crosses}的通道"
    way = f"the way takes {times} times as long as usual for the {spot.straight_m:,.0f} m to {closest}"
    way_zh = f"距{closest}直线仅{spot.straight_m:,.0f}米,用时为通常的{times}倍"
    return f"{late}; {way}: {link} would help.", f"{late_zh};{way_zh}:{link_zh}可改善。"


def _late(minutes: float) -> tuple[str, str]:
    if not math.isfinite(minutes):
        return "Most of them cannot be reached", "多数人无法到达"
    # up, so that a time beyond the limit never reads as 0.0
    tenths = math.ceil(round(minutes * 10, 6)) / 10
    return f"{tenths:.1f} min too long", f"超时{tenths:.1f}分钟"
