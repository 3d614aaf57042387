"""What the title panel says: the headline figure, the measures, depth, and the worst places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from citygeo.viz.text import (
    MISSING,
    REASONS,
    Label,
    facility_names,
    number,
    people,
    percent,
    travel_time,
)

if TYPE_CHECKING:
    from citygeo.coverage import Coverage
    from citygeo.network import RoadNetwork
    from citygeo.reach import ServiceArea

WORST = 5
ESTIMATE = Label("estimate", "估计值")
DEPTHS = (Label("none", "0站"), Label("one", "1站"), Label("two", "2站"), Label("three or more", "3站及以上"))
MEASURES = {
    "population": Label("People", "人口"),
    "area": Label("Area", "面积"),
    "buildings": Label("Buildings", "建筑"),
}


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
    depth
        How many stations reach people: their number, name, share text, share.
    worst
        Worst places: layer key, feature heading, place, figure, detail.
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
    worst: tuple[tuple[str, str, str, str], ...] = ()
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
            "worst": [
                {"heading": heading, "place": place, "figure": figure, "detail": detail}
                for heading, place, figure, detail in self.worst
            ],
            "notes": [note._asdict() for note in self.notes],
        }


def coverage_panel(result: Coverage) -> Panel:
    """Return the panel of a coverage."""
    table, mode = result.table, result.area.network.mode
    lives = table.loc["population"]
    notes = [_turnout_note(result.area), *_off_network(result.area)]
    if result.demand_is_estimate:
        notes.insert(
            0,
            Label("Where people live is an estimate, not a count.", "人口分布为估计值，并非实测。"),
        )
    return Panel(
        title=Label(
            f"{mode.label_en}: coverage within {result.minutes:g} minutes",
            f"{mode.label_zh}{result.minutes:g}分钟覆盖",
        ),
        figure=percent(lives["share"]),
        caption=Label(f"of {people(lives['total'])} people are covered", "人口覆盖率"),
        share=_fraction(lives["share"]),
        badge=ESTIMATE if result.demand_is_estimate else None,
        measures=_measures(result),
        depth=_depth(result),
        worst=_worst(result),
        notes=tuple(note for note in notes if note),
    )


def _measures(result: Coverage) -> tuple[tuple[Label, str, str, float | None], ...]:
    rows = []
    for measure, label in MEASURES.items():
        if measure in result.table.index:
            row = result.table.loc[measure]
            digits, unit = (1, " km²") if measure == "area" else (0, "")
            detail = f"{number(row['covered'], digits)} / {number(row['total'], digits)}{unit}"
            rows.append((label, percent(row["share"]), detail, _fraction(row["share"])))
    return tuple(rows)


def _depth(result: Coverage) -> tuple[tuple[int, Label, str, float], ...]:
    shares = zip(DEPTHS, result.depth["population_share"], strict=False)
    return tuple((place, label, percent(share), float(share)) for place, (label, share) in enumerate(shares))


def _worst(result: Coverage) -> tuple[tuple[str, str, str, str], ...]:
    names = facility_names(result.area.facilities)
    rows = []
    for row in result.blind_spots.head(WORST).itertuples():
        reason = REASONS.get(row.reason, Label(str(row.reason)))
        nearest = names.get(row.nearest_facility, MISSING)
        place = str(row.zone) if row.zone is not None and str(row.zone).strip() else MISSING
        detail = str(reason) if row.reason != "too_far" else f"{travel_time(row.time_s)} · {nearest}"
        rows.append((f"{row.Index}", place, people(row.uncovered), detail))
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
            (Label("Stations", "站点"), number(len(result.facilities)), "", None),
        ),
        notes=tuple(note for note in (_turnout_note(result), *_off_network(result)) if note),
    )


def network_panel(result: RoadNetwork) -> Panel:
    """Return the panel of a road network."""
    mode = result.mode
    return Panel(
        title=Label(f"Road network: {mode.label_en.lower()}", f"{mode.label_zh}路网"),
        figure=f"{number(float(result.length_m.sum()) / 1000)} km",
        caption=Label("of road", "道路总长"),
        measures=(
            (Label("Edges", "路段"), number(result.n_edges), "", None),
            (Label("Nodes", "节点"), number(result.n_nodes), "", None),
        ),
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
    return (
        Label(
            f"{off} of {len(area.snaps)} stations are off the network and serve nobody.",
            f"{len(area.snaps)}个站点中有{off}个未接入路网。",
        ),
    )


def _fraction(share: Any) -> float | None:
    return None if share is None or share != share else float(share)  # noqa: PLR0124 - NaN
