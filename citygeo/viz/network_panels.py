"""What the title panel says of road networks and of their fitness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citygeo.viz.layers.fitness import RANKED, longest_first, value_text
from citygeo.viz.panel import Check, Panel, Spot, fraction
from citygeo.viz.text import Label, number, percent

if TYPE_CHECKING:
    from citygeo.network import RoadNetwork
    from citygeo.network.report import NetworkReport


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


def report_panel(result: NetworkReport) -> Panel:
    """Return the panel of a network report."""
    mode, value = result.network.mode, result.table["value"]
    linked = 1 - value["outside_strong_share"] / 100
    order = {"bad": 0, "look": 1, "ok": 2}
    judged = result.table[result.table["verdict"].isin(order)]
    judged = judged.sort_values("verdict", key=lambda column: column.map(order), kind="stable")
    rows: Any = judged.itertuples()
    checks = tuple(
        Check(Label(row.meaning, row.meaning_zh), _figure(row.value, row.unit), row.verdict) for row in rows
    )
    return Panel(
        title=Label(f"Fitness of the road network: {mode.label_en.lower()}", f"{mode.label_zh}路网体检"),
        figure=percent(linked),
        caption=Label("of the length can be reached and left", "的道路可往返"),
        share=fraction(linked),
        measures=(
            (Label("Length of streets", "道路长度"), f"{number(value['length'])} km", "", None),
            (Label("Street pieces", "路段"), number(value["edges"]), "", None),
            (Label("Dead ends", "断头路端点"), number(value["dead_ends"]), "", None),
        ),
        checks=checks,
        worst=_first_places(result),
        worst_title=Label("Streets to look at first", "优先核查的道路"),
        notes=(
            Label(
                "✓ ok, ! look, × bad; the limits are citygeo's own.",
                "✓正常、!留意、×较差,界限为citygeo自定。",
            ),
            Label(
                "At the edge of the data, traps and islands are normal.", "数据边缘出现陷阱与孤立道路属正常。"
            ),
        ),
    )


def _figure(value: float, unit: str) -> str:
    if unit == "%":
        return percent(value / 100)
    return f"{number(value, 1)} {unit}"


def _first_places(result: NetworkReport) -> tuple[Spot, ...]:
    """Return the places with most streets outside the main part."""
    from citygeo.network.report.examine import PROBLEMS

    rows = longest_first(result.places).head(RANKED).rename(columns={"name": "name_"})
    return tuple(
        Spot(
            f"{row + 1}", place.name_ or place.highway, value_text(place.value, place.unit),
            f"{PROBLEMS[place.problem].meaning} {PROBLEMS[place.problem].meaning_zh}", "outside-streets", row,
            "place-ranks",
        )
        for row, place in enumerate(rows.itertuples())
    )  # fmt: skip
