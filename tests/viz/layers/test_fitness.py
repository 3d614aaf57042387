"""The layers of a network report: shapes, counts and tooltips of a little city."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from citygeo.issues import IssueLog
from citygeo.network.report import NetworkReport, make_report
from citygeo.network.report.examine import PROBLEMS
from citygeo.viz.layers import fitness
from tests.network.report.test_connection import NODES, WAYS
from tests.toy import STREET, network

if TYPE_CHECKING:
    from citygeo.viz.layers.layer import Layer


@pytest.fixture(scope="module")
def report() -> NetworkReport:
    nodes = {
        **NODES,
        22: (900, 1600),
        30: (50, 3),
        31: (50, 60),
        40: (-500, 0),
        41: (-500, 0),
        42: (0, 0),
        43: (-500, 0),
    }
    ways = [
        *WAYS,
        ((21, 22), STREET),
        ((30, 31), {**STREET, "name": "南山路"}),
        ((40, 41), {"highway": "service"}),
        ((40, 1), {"highway": "residential", "maxspeed": "90"}),
        ((42, 43), {"highway": "residential", "maxspeed": "5"}),
    ]
    return make_report(network(nodes, ways))


def legend(layer: Layer) -> dict[str, str]:
    return {str(entry.label): entry.note for entry in layer.legend}


def test_streets_outside_the_main_part_are_one_shape_per_place_longest_first(report: NetworkReport) -> None:
    layer = fitness.outside_streets(report.edges, report.places, PROBLEMS)
    places = fitness.longest_first(report.places)
    assert places["value"].is_monotonic_decreasing
    assert len(layer.shapes) == len(places) == 7
    assert layer.tips is not None
    heads = [row[0] for row in layer.tips.rows]
    assert heads[:4] == [*["Island 孤立道路"] * 3, "One-way trap 单行陷阱"]
    assert layer.tips.rows[0][1:4] == ["not linked to the main part 与主体不连通", "1.6 km", "–"]
    # the first trap: 100 m in and 200 m on, as one shape
    assert len(layer.shapes[3].geoms) == 2
    assert layer.shapes[3].length == pytest.approx(300 / 111_319, rel=0.01)
    assert legend(layer) == {
        "not linked to the main part 与主体不连通": "2.5 km",
        "can be left, not entered 可出不可进": "60 m",
        "can be entered, not left 可进不可出": "340 m",
    }
    colours = {style["color"] for style in layer.styles}
    assert colours == {fitness.COLOURS[link] for link in fitness.LINKS}


def test_places_of_a_link_are_big_where_there_is_much(report: NetworkReport) -> None:
    layer = fitness.problem_places(report.places, "apart", PROBLEMS)
    assert (layer.key, str(layer.name), str(layer.unit)) == (
        "places-apart", "Island 孤立道路", "not linked to the main part 与主体不连通",
    )  # fmt: skip
    assert legend(layer) == {"1 km and more 1公里及以上": "1", "shorter 较短": "3"}
    big = [layer.styles[style]["radius"] for style in layer.style_of]
    assert big[0] > big[1] == big[2]


def test_places_of_other_problems_say_what_they_mean(report: NetworkReport) -> None:
    layer = fitness.problem_places(report.places, "undershoot", PROBLEMS)
    assert layer.tips is not None
    heads = [field.en for field in layer.tips.fields]
    rows = [dict(zip(heads, row[1:], strict=True)) for row in layer.tips.rows]
    row = next(row for row in rows if row["Node"] == "30")
    assert row["Value"] == "3.0 m"
    assert (row["Street"], row["Way"], row["Other way"]) == ("南山路", "11", "1")
    assert layer.unit is None
    assert layer.styles[0]["fillColor"] == fitness.FILLS["undershoot"]


def test_many_places_have_no_tooltips(report: NetworkReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "MAX_POINTS", 1)
    assert fitness.problem_places(report.places, "apart", PROBLEMS).tips is None
    assert fitness.dead_ends(report.dead_ends).tips is None


def test_ranks_are_those_of_the_longest(report: NetworkReport) -> None:
    layer = fitness.place_ranks(report.places, PROBLEMS)
    assert layer.texts == ["1", "2", "3", "4", "5"]
    first = fitness.longest_first(report.places).iloc[0]
    assert layer.shapes[0].equals(first.geometry)


def test_odd_streets_are_drawn_by_their_gravest_finding(report: NetworkReport) -> None:
    layer = fitness.odd_streets(report.edges, PROBLEMS)
    # the slow one is a duplicate too, and counted as that
    assert legend(layer) == {
        "faster than plausible for its class 高于该等级合理范围": "1",
        "drawn exactly like another 与另一路段完全重合": "1",
    }
    assert layer.tips is not None
    texts = {row[-1]: row for row in layer.tips.rows}
    assert texts["13"][4] == "90 km/h"
    # slow and drawn again: both are said
    assert texts["14"][1].count(";") == 1


def test_assumed_speeds_add_up_to_the_length(report: NetworkReport) -> None:
    log = IssueLog()
    layer = fitness.assumed_speeds(report.edges, log)
    assert not layer.is_shown
    assert [str(entry.label) for entry in layer.legend] == [
        "From a sign, tag or source 有限速或给定值", "Assumed from the class 按道路等级推定",
    ]  # fmt: skip
    assert sum(len(shape.geoms) for shape in layer.shapes) == len(report.edges)
    assert log.table()["code"].tolist() == ["CG-MAP-001"]


def test_closed_streets_have_no_speed(report: NetworkReport) -> None:
    closed = make_report(report.network.without(np.flatnonzero(report.network.highway == "service")))
    layer = fitness.assumed_speeds(closed.edges, IssueLog())
    assert [entry.label.en for entry in layer.legend] == ["From a sign, tag or source"]


def test_dead_ends_are_all_there_and_off_at_start(report: NetworkReport) -> None:
    layer = fitness.dead_ends(report.dead_ends)
    assert not layer.is_shown
    assert legend(layer) == {"Dead ends 断头路端点": str(len(report.dead_ends))}
    assert layer.tips is not None
    assert "Dead end 断头路: 南山路" in {row[0] for row in layer.tips.rows}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(38.52, "km", "38.5 km"), (0.0961, "km", "96 m"), (3.04, "m", "3.0 m"), (80.2, "km/h", "80 km/h"),
     (np.inf, "km/h", "∞ km/h")],
)  # fmt: skip
def test_values_read_well(value: float, unit: str, text: str) -> None:
    assert fitness.value_text(value, unit) == text


def test_every_problem_has_a_colour() -> None:
    assert set(fitness.COLOURS) == set(PROBLEMS)
    assert set(fitness.DRAWN) == set(PROBLEMS) - {"unsnapped"}
