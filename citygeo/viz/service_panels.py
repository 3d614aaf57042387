"""What the title panel says of services: who has a place, which services people lack, and where most do."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from citygeo.viz.layers.served import OFF, OVER, load_of
from citygeo.viz.panel import ESTIMATE, ESTIMATED, WORST, Panel, Spot, fraction
from citygeo.viz.text import (
    Label,
    facility_names,
    level_label,
    number,
    people,
    percent,
    service_label,
    text_or_dash,
    travel_time,
)

if TYPE_CHECKING:
    from citygeo.coverage.completeness import Completeness
    from citygeo.provision import Provision

OVERLOADED = Label("Most too small if all went to the nearest", "若均就近则超员最多的设施")
BY_SERVICES = Label("People by number of services they lack", "按缺少服务数划分的人口")
LACKING = (
    Label("three or more", "3类及以上"),
    Label("two", "2类"),
    Label("one", "1类"),
    Label("none", "不缺"),
)
LEAST_COMPLETE = Label("Zones with most people lacking a service", "服务不齐人口最多的分区")


def provision_panel(result: Provision) -> Panel:
    """Return the panel of a provision."""
    mode, value, share = result.network.mode, result.table["value"], result.table["share"]
    missing = [
        (
            Label(f"Missing per {level_label(level).en}", f"{level_label(level).zh}缺少名额"),
            number(amount),
            "",
            None,
        )
        for level, amount in _missing(result).items()
    ]
    return Panel(
        title=Label(
            f"{mode.label_en}: a place within {result.minutes:g} minutes",
            f"{mode.label_zh}{result.minutes:g}分钟内的名额",
        ),
        figure=percent(share["served"]),
        caption=Label(f"of {people(value['demand'])} people have a place", "有名额的比例"),
        share=fraction(share["served"]),
        measures=(
            (
                Label("Without: facilities are full", "无名额:设施已满"),
                people(value["unserved_full"]),
                "",
                None,
            ),
            (
                Label("Without: none in reach", "无名额:无可达设施"),
                people(value["unserved_not_reached"]),
                "",
                None,
            ),
            (Label("Places", "名额"), number(value["capacity"]), "", None),
            (Label("Spare places", "余位"), number(value["spare"]), percent(share["spare"]), None),
            *missing,
            (Label("Mean time", "平均用时"), travel_time(value["mean_time"]), "", None),
        ),
        worst=_overloaded(result),
        worst_title=OVERLOADED,
        notes=(
            Label(
                "Most people first, then least total time: what is possible, not how people choose.",
                "先使有名额者最多,再使总用时最少:为可能的最优分配,并非实际选择。",
            ),
        ),
    )


def _missing(result: Provision) -> dict[str, float]:
    rows = result.table["value"]
    start = "places_missing:"
    return {str(name)[len(start) :]: rows[name] for name in rows.index if str(name).startswith(start)}


def _overloaded(result: Provision) -> tuple[Spot, ...]:
    """Return the facilities that would be too small by most, with their rows in the layer."""
    kind = load_of(result.facilities)
    has_place = ~(result.facilities.geometry.isna() | result.facilities.geometry.is_empty)
    drawn = result.facilities.assign(_kind=kind)[has_place].sort_values(
        "_kind", ascending=False, kind="stable"
    )
    row_of = {label: row for row, label in enumerate(drawn.index)}
    over = drawn[(drawn["_kind"] == OVER) | (drawn["_kind"] == OFF) & (drawn["overload"] > 0)]
    names = facility_names(result.facilities)
    worst = over.sort_values("overload", ascending=False, kind="stable").head(WORST)
    return tuple(
        Spot(
            f"{rank}", names[row.Index], people(row.overload),
            f"{number(row.nearest_load)} / {number(row.capacity)} places 名额", "loads", row_of[row.Index],
        )
        for rank, row in enumerate(worst.itertuples(), 1)
    )  # fmt: skip


def completeness_panel(result: Completeness) -> Panel:
    """Return the panel of a completeness."""
    mode, table = result.network.mode, result.table
    services, every = table[table["kind"] == "service"], table.loc["all"]
    longest = f"{services['minutes'].max():g}"
    return Panel(
        title=Label(
            f"{mode.label_en}: {len(services)} services within {longest} minutes",
            f"{mode.label_zh}{longest}分钟生活圈:{len(services)}类服务",
        ),
        figure=percent(every["share"]),
        caption=Label(f"of {people(every['total'])} people have every service", "服务齐全的人口比例"),
        share=fraction(every["share"]),
        badge=ESTIMATE if result.demand_is_estimate else None,
        measures=tuple(
            (
                service_label(str(name)), percent(row["share"]),
                f"{people(row['covered'])} · {number(row['facilities'])} ●", fraction(row["share"]),
            )
            for name, row in services.iterrows()
        ),
        depth=_lacking(result),
        depth_title=BY_SERVICES,
        worst=_least_complete(result),
        worst_title=LEAST_COMPLETE,
        notes=(
            *([ESTIMATED] if result.demand_is_estimate else []),
            Label("● facilities on the network.", "●为接入路网的设施数。"),
        ),
    )  # fmt: skip


def _lacking(result: Completeness) -> tuple[tuple[int, Label, str, float], ...]:
    """Return the shares of people who lack three services or more, two, one, and none."""
    n = len(result.services)
    if result.cells["population"].sum() == 0:
        return ()
    counts = result.table.loc[result.table["kind"] == "count", "share"]
    # of people who have k services or more, k from 0
    most = [
        1.0,
        *(float(counts["all" if k == n else "any" if k == 1 else f"at_least_{k}"]) for k in range(1, n + 1)),
        0.0,
    ]
    exactly = [upper - lower for upper, lower in pairwise(most)]
    shares = [sum(exactly[: max(n - 2, 0)]), *(exactly[n - k] if k <= n else 0.0 for k in (2, 1, 0))]
    return tuple(
        (place, label, percent(share), share)
        for place, (label, share) in enumerate(zip(LACKING, shares, strict=True))
    )


def _least_complete(result: Completeness) -> tuple[Spot, ...]:
    """Return the zones of the finest level where most people lack a service."""
    if result.zones.empty:
        return ()
    sizes = result.zones["level"].value_counts(sort=False)
    level = str(sizes.idxmax())
    zones = result.zones[result.zones["level"] == level]
    drawn = zones[~(zones.geometry.isna() | zones.geometry.is_empty)].reset_index(drop=True)
    lacking = drawn["population"] - drawn["all_covered"]
    return tuple(
        Spot(
            f"{rank}", text_or_dash(drawn["name"][row]), people(lacking[row]),
            f"{percent(drawn['all_share'][row])} complete 齐全", f"complete-{level}", row,
        )
        for rank, row in enumerate(lacking.nlargest(WORST).index, 1)
        if lacking[row] > 0
    )  # fmt: skip
