"""All that is found wrong with a network, and the findings it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.network.report.connection import LINKS, Connection, connect, link_spots
from citygeo.network.report.flaws import (
    Spots,
    dead_ends,
    duplicates,
    limits,
    odd_speeds,
    overlaps,
    undershoots,
    zero_lengths,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork


class Problem(NamedTuple):
    """What a spot is called and what that means, in English and Chinese, and the unit of its value."""

    en: str
    zh: str
    unit: str
    meaning: str
    meaning_zh: str


# in the order in which they are listed
PROBLEMS = {
    "apart": Problem("Island", "孤立道路", "km", "not linked to the main part", "与主体不连通"),
    "trap": Problem("One-way trap", "单行陷阱", "km", "can be entered, not left", "可进不可出"),
    "source": Problem("Reverse trap", "反向陷阱", "km", "can be left, not entered", "可出不可进"),
    "undershoot": Problem(
        "Undershoot", "未接端点", "m", "dead end that nearly touches a street", "断头路端点几近他路"
    ),
    "duplicate": Problem("Duplicate", "重复路段", "m", "drawn exactly like another", "与另一路段完全重合"),
    "overlap": Problem("Overlap", "重叠路段", "m", "drawn over another", "与另一路段部分重合"),
    "zero_length": Problem("Zero length", "零长度路段", "m", "both ends at one place", "首末点重合"),
    "fast": Problem(
        "Odd speed: fast", "速度偏高", "km/h", "faster than plausible for its class", "高于该等级合理范围"
    ),
    "slow": Problem(
        "Odd speed: slow", "速度偏低", "km/h", "slower than plausible for its class", "低于该等级合理范围"
    ),
    "unsnapped": Problem("Point off the network", "未接入的点", "m", "too far from any street", "离路网过远"),
}


class Found(NamedTuple):
    """
    What an examination found.

    Attributes
    ----------
    parts
        Which streets hang together.
    dead_node, dead_edge
        Dead ends and their edges.
    spots
        Suspicious places by the words of `PROBLEMS`, without given points.
    """

    parts: Connection
    dead_node: NDArray[np.int64]
    dead_edge: NDArray[np.int64]
    spots: dict[str, Spots]


def examine(network: RoadNetwork) -> Found:
    """Look for everything in `PROBLEMS`; 100,000 edges take about a third of a second."""
    parts = connect(network)
    node, edge = dead_ends(network)
    twice = duplicates(network)
    fast, slow = odd_speeds(network)
    spots = {
        **link_spots(network, parts),
        "undershoot": undershoots(network, node, edge),
        "duplicate": twice,
        "overlap": overlaps(network, twice),
        "zero_length": zero_lengths(network),
        "fast": fast,
        "slow": slow,
    }
    return Found(parts, node, edge, spots)


def tell(network: RoadNetwork, found: Found, figure: pd.Series[float], log: IssueLog) -> None:
    """Record what was found, with numbers and the ids of ways."""
    way, spots = network.arrays["edge_way_id"], found.spots

    def ways(*problems: str) -> NDArray[np.generic]:
        edges: NDArray[np.int64] = np.concatenate([spots[problem].edge for problem in problems])
        return way[edges]

    def km(link: str) -> dict[str, str]:
        metres = network.length_m[found.parts.edge_link == LINKS.index(link)].sum()
        return {"km": f"{metres / 1000:,.1f}"}

    for code, link in (("CG-FIT-001", "apart"), ("CG-FIT-002", "trap"), ("CG-FIT-003", "source")):
        log.add(code, count=len(spots[link].edge), sample=ways(link), **km(link))
    gap_m = f"{limits()['undershoot']['gap_m']:g}"
    log.add("CG-FIT-004", count=len(spots["undershoot"].edge), sample=ways("undershoot"), gap_m=gap_m,
            dead_ends=len(found.dead_node))  # fmt: skip
    for code, problem in (("CG-FIT-005", "duplicate"), ("CG-FIT-006", "overlap")):
        log.add(
            code,
            count=len(spots[problem].edge),
            sample=ways(problem),
            metres=f"{spots[problem].value.sum():,.0f}",
        )
    log.add("CG-FIT-007", count=len(spots["zero_length"].edge), sample=ways("zero_length"))
    odd = ways("fast", "slow")
    log.add(
        "CG-FIT-008", count=odd.size, sample=odd, fast=len(spots["fast"].edge), slow=len(spots["slow"].edge)
    )
    share, limit = figure["imputed_speed_share"], limits()["verdict"]["imputed_speed_share"]["look_above"]
    if network.mode.maxspeed and share > limit:
        is_imputed = network.arrays["edge_is_imputed"].astype(np.bool_) & network.is_open
        log.add("CG-FIT-009", count=int(is_imputed.sum()), share=f"{share:.0f}", limit=f"{limit:g}")
