"""What the title panel says: the headline figure, the measures, depth, and the worst places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from citygeo.viz.bands import Band, km, km2, within
from citygeo.viz.layers.reached import word_for
from citygeo.viz.text import (
    MISSING,
    REASONS,
    Label,
    facility_names,
    measure_label,
    number,
    people,
    percent,
    travel_time,
)

if TYPE_CHECKING:
    from citygeo.coverage import Coverage
    from citygeo.reach import ServiceArea

WORST = 5
HEXAGONS = Label("Hexagons that reached roads pass through count.", "计入可达道路穿过的六边形。")
WALKING_KMH = 8.0  # faster is not on foot
ESTIMATE = Label("estimate", "估计值")
ESTIMATED = Label("Where people live is an estimate, not a count.", "人口分布为估计值，并非实测。")
_UNITS = {"km2": (1.0, 1, " km²"), "m2": (1e6, 2, " km²")}  # what one is, digits, sign
IN_CIRCLES = Label("◯ within the radius, as the crow flies.", "◯为按服务半径(直线距离)计算的比例。")
DEPTHS = (Label("none", "0处"), Label("one", "1处"), Label("two", "2处"), Label("three or more", "3处及以上"))
LARGEST = Label("Largest blind spots, people", "最大盲区(人)")


UNTITLED = Label("")


class Spot(NamedTuple):
    """
    A place to look at.

    Attributes
    ----------
    badge
        Its number.
    place, figure, detail
        What is said about it.
    layer, row
        The layer to switch on and the feature in it to go to.
    mark
        A layer whose feature of the same rank carries the popup; "": the feature itself.
    """

    badge: str
    place: str
    figure: str
    detail: str
    layer: str
    row: int
    mark: str = ""


class Check(NamedTuple):
    """A figure that was judged: its name, text, and ``ok``, ``look`` or ``bad``."""

    label: Label
    value: str
    verdict: str


@dataclass(frozen=True)
class Panel:
    """
    Texts of the title panel.

    Attributes
    ----------
    title
        Heading.
    figure, caption, share
        The headline: a figure, what it is of, and the same as a number 0 to 1 for the bar (or None).
    badge
        A short caution beside the figure.
    measures
        Name, value, detail, share (or None).
    depth, depth_title
        A bar of shares that add up to 1, such as how many stations reach people: colour (0 the worst to 3), name,
        share text, share; and the heading over it.
    checks
        Figures with verdicts.
    worst, worst_title
        Places to look at first, and the heading over them.
    notes
        Sentences at the foot.
    """

    title: Label
    figure: str = ""
    caption: Label | None = None
    share: float | None = None
    badge: Label | None = None
    measures: tuple[tuple[Label, str, str, float | None], ...] = ()
    depth: tuple[tuple[int, Label, str, float], ...] = ()
    depth_title: Label = UNTITLED
    checks: tuple[Check, ...] = ()
    worst: tuple[Spot, ...] = ()
    worst_title: Label = LARGEST
    notes: tuple[Label, ...] = ()

    @property
    def headline(self) -> str:
        """The panel in one line, for the title of the page."""
        parts = [self.title.en, f"{self.figure} {self.caption.en}" if self.caption else ""]
        line = ": ".join(part for part in parts if part)
        return (
            f"{line} ({self.badge.en}) {self.title.zh}" if self.badge else f"{line} {self.title.zh}".strip()
        )

    def to_json(self) -> dict[str, Any]:
        """Return the panel as the page's script reads it."""
        return {
            "title": self.title._asdict(),
            "figure": self.figure,
            "caption": self.caption._asdict() if self.caption else None,
            "share": self.share,
            "badge": self.badge._asdict() if self.badge else None,
            "measures": [
                {"label": label._asdict(), "value": value, "detail": detail, "share": share}
                for label, value, detail, share in self.measures
            ],
            "depth": [
                {"depth": depth, "label": label._asdict(), "value": value, "share": share}
                for depth, label, value, share in self.depth
            ],
            "depthTitle": self.depth_title._asdict(),
            "checks": [
                {"label": check.label._asdict(), "value": check.value, "verdict": check.verdict}
                for check in self.checks
            ],
            "worst": [spot._asdict() for spot in self.worst],
            "worstTitle": self.worst_title._asdict(),
            "notes": [note._asdict() for note in self.notes],
        }


def coverage_panel(result: Coverage) -> Panel:
    """Return the panel of a coverage."""
    table = result.table
    lives, many = table.loc["population"], word_for(result.area.network.mode.name).many
    notes = [_turnout_note(result.area), *_off_network(result.area)]
    if result.demand_is_estimate:
        notes.insert(
            0,
            ESTIMATED,
        )
    if "radius_share" in table:
        notes.append(IN_CIRCLES)
    return Panel(
        title=_coverage_title(result),
        figure=percent(lives["share"]),
        caption=Label(f"of {people(lives['total'])} people are covered", "人口覆盖率"),
        share=fraction(lives["share"]),
        badge=ESTIMATE if result.demand_is_estimate else None,
        measures=_measures(result),
        depth=_depth(result),
        depth_title=Label(f"People by number of {many.en.lower()} in reach", f"按可达{many.zh}数划分的人口"),
        worst=_worst(result),
        notes=tuple(note for note in notes if note),
    )


def _coverage_title(result: Coverage) -> Label:
    mode, minutes = result.area.network.mode, f"{result.minutes:g}"
    if result.has_own_limits:
        return Label(
            f"{mode.label_en}: coverage within each facility's own limit (up to {minutes} min)",
            f"{mode.label_zh}各设施自身时限(最长{minutes}分钟)覆盖",
        )
    return Label(f"{mode.label_en}: coverage within {minutes} minutes", f"{mode.label_zh}{minutes}分钟覆盖")


def _measures(result: Coverage) -> tuple[tuple[Label, str, str, float | None], ...]:
    """Return all denominators side by side, people first."""
    order = sorted(result.table.index, key=lambda measure: measure != "population")
    rows = []
    for measure in order:
        row = result.table.loc[measure]
        scale, digits, unit = _UNITS.get(row["unit"], (1.0, 0, ""))
        detail = f"{number(row['covered'] / scale, digits)} / {number(row['total'] / scale, digits)}{unit}"
        if "radius_share" in row and row["radius_share"] == row["radius_share"]:
            detail += f"\n◯ {percent(row['radius_share'])}"
        rows.append((measure_label(measure), percent(row["share"]), detail, fraction(row["share"])))
    return tuple(rows)


def _depth(result: Coverage) -> tuple[tuple[int, Label, str, float], ...]:
    shares = zip(DEPTHS, result.depth["population_share"], strict=False)
    return tuple((place, label, percent(share), float(share)) for place, (label, share) in enumerate(shares))


def _worst(result: Coverage) -> tuple[Spot, ...]:
    names, last = facility_names(result.area.facilities), len(result.blind_spots) - 1
    rows = []
    for rank, row in enumerate(result.blind_spots.head(WORST).itertuples()):
        reason = REASONS.get(row.reason, Label(str(row.reason)))
        nearest = names.get(row.nearest_facility, MISSING)
        place = str(row.zone) if row.zone is not None and str(row.zone).strip() else MISSING
        detail = str(reason) if row.reason != "too_far" else f"{travel_time(row.time_s)} · {nearest}"
        # the layer draws the worst last
        spot = Spot(
            f"{row.Index}",
            place,
            people(row.uncovered),
            detail,
            "blind-spots",
            last - rank,
            "blind-spot-ranks",
        )
        rows.append(spot)
    return tuple(rows)


def service_area_panel(result: ServiceArea) -> Panel:
    """Return the panel of a service area."""
    mode, widest = result.network.mode, result.dissolved.sort_values("minutes").iloc[-1]
    bands = ", ".join(f"{minutes:g}" for minutes in result.minutes)
    return Panel(
        title=Label(f"{mode.label_en}: reach within {bands} minutes", f"{mode.label_zh}{bands}分钟服务范围"),
        figure=f"{number(widest['area_km2'], 1)} km²",
        caption=Label(f"within {widest['minutes']:g} minutes", f"{widest['minutes']:g}分钟内可达"),
        measures=(
            (Label("Road reached", "可达道路"), f"{number(widest['reached_km'], 1)} km", "", None),
            (word_for(mode.name).many, number(len(result.facilities)), "", None),
        ),
        notes=tuple(note for note in (_turnout_note(result), *_off_network(result)) if note),
    )


def isochrones_panel(result: Any, found: list[Band]) -> Panel:
    """Return the panel of isochrones with these bands, the narrowest first."""
    mode = result.network.mode
    word, listed = word_for(mode.name), ", ".join(f"{band.minutes:g}" for band in found)
    direction, of = _DIRECTIONS[result.direction], "of road " if result.kind == "edges" else ""
    far = within(found)[-1]
    return Panel(
        title=Label(
            f"{mode.label_en}: isochrones of {listed} minutes", f"{mode.label_zh}{listed.replace(', ', '、')}分钟等时圈"
        ),
        figure=far.note,
        caption=Label(
            f"{of}within {far.minutes:g} minutes {direction.en} {_article(word.one.en)}",
            f"{far.minutes:g}分钟内可{direction.zh}",
        ),
        measures=(
            *((band.label, *_figures(band), None) for band in found),
            (word.many, number(len(result.facilities)), "", None),
        ),
        notes=tuple(note for note in (*_rules(result, found), _turnout_note(result), *_off_network(result)) if note),
    )  # fmt: skip


_DIRECTIONS = {"from": Label("from", "达"), "to": Label("of travel to", "到达设施")}
_SHARED = {
    "overlap": Label(
        "Where facilities share ground, the sooner one counts; ground is counted once.",
        "设施范围重叠处取最短时间,面积只计一次。",
    ),
    "dissolve": Label("The time is that of the soonest facility.", "时间取自最快到达的设施。"),
    "split": Label("Every place belongs to the facility that is there first.", "每处归属最先到达的设施。"),
}


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'AEIOU' else 'a'} {word.lower()}"


def _figures(band: Band) -> tuple[str, str]:
    """Return ground and road of a band, or what there is of them."""
    if band.cells:
        return km2(band.area_km2), f"{number(band.cells)} ⬡"
    road = km(band.reached_km)
    return (band.note, road) if band.note != road else (road, "")


def _rules(result: Any, found: list[Band]) -> tuple[Label, ...]:
    """Say what counts as reached."""
    rules = [_SHARED[result.overlap]] if len(result.facilities) > 1 else []
    if result.kind == "polygons":
        is_hexagons = result.provenance["parameters"]["method"] == "cells"
        rules.insert(0, HEXAGONS if is_hexagons else _off_road(result.trim_m, result.offroad_kmh))
        if not math.isnan(found[-1].reached_km):
            rules.append(Label("km² of ground; km of road reached.", "平方公里为面积,公里为可达道路长度。"))
    return tuple(rules)


def _off_road(trim_m: float, kmh: float) -> Label:
    if math.isinf(kmh):
        return Label(
            f"Ground within {trim_m:g} m of a reached road counts.", f"计入可达道路两侧{trim_m:g}米内的地面。"
        )
    on_foot, zh = ("on foot ", "步行") if kmh <= WALKING_KMH else ("", "")
    return Label(
        f"Ground within {trim_m:g} m off the road {on_foot}at {kmh:g} km/h counts, as far as the minutes last.",
        f"在时限内,计入道路两侧{trim_m:g}米内以{kmh:g}公里/时{zh}可及的地面。",
    )


def _turnout_note(area: ServiceArea) -> Label | None:
    """Say how much of the minutes goes by before the wheels turn."""
    delay = area.snaps["delay_s"].dropna()
    if delay.empty or delay.max() == 0:
        return None
    low, high = delay.min(), delay.max()
    span = f"{low:g}" if low == high else f"{low:g} – {high:g}"
    return Label(f"Times include {span} s of turnout.", f"时间含{span}秒出动时间。")


def _off_network(area: ServiceArea) -> tuple[Label, ...]:
    off = int((area.snaps["status"] != "ok").sum())
    if not off:
        return ()
    many = word_for(area.network.mode.name).many
    return (
        Label(
            f"{off} of {len(area.snaps)} {many.en.lower()} are off the network and serve nobody.",
            f"{len(area.snaps)}个{many.zh}中有{off}个未接入路网。",
        ),
    )


def fraction(share: Any) -> float | None:
    """Return a share for a bar, `None` where it is missing."""
    return None if share is None or share != share else float(share)  # noqa: PLR0124 - NaN
