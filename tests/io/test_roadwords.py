"""Attribute columns in OSM's words: tables of values and tags."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from citygeo.errors import CitygeoError, GeometryError
from citygeo.io.centerlines import read
from citygeo.io.roadwords import Attributes, Columns, read_attributes
from citygeo.issues import IssueLog
from citygeo.modes import travel_mode


def tags(values: list[Any], issues: IssueLog | None = None, **columns: Any) -> list[dict[str, str]]:
    """The tags of a table with one column ``c``, without the class unless that is what is read."""
    found = attributes(values, issues, **columns)
    rows = [dict(found.tag_sets[i]) for i in found.tag_set]
    if "class_" not in columns:
        for row in rows:
            assert row.pop("highway") == "road"
    return rows


def attributes(values: list[Any], issues: IssueLog | None = None, **columns: Any) -> Attributes:
    log = IssueLog() if issues is None else issues
    return read_attributes(pd.DataFrame({"c": values}), Columns(**columns), "roads", log)


def code_of(values: list[Any], **columns: Any) -> CitygeoError:
    with pytest.raises(CitygeoError) as caught:
        attributes(values, **columns)
    return caught.value


# --- classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "highway"),
    [
        ("快速路", "trunk"), ("主干路", "primary"), ("次干路", "secondary"), ("支路", "tertiary"),
        ("高速公路", "motorway"), ("国道", "trunk"), ("省道", "primary"), ("县道", "secondary"), ("乡道", "tertiary"),
        ("村道", "unclassified"), ("街巷", "residential"), ("匝道", "trunk_link"), ("人行道", "footway"),
        (" 主干道 ", "primary"), ("Arterial", "primary"), ("Expressway", "trunk"), ("LOCAL STREET", "residential"),
        ("primary_link", "primary_link"), ("Living street", "living_street"), ("living-street", "living_street"),
        (41000, "motorway"), (43000.0, "trunk"), ("44000", "primary"), ("47000.0", "tertiary"), (54000, "unclassified"),
        (49, "service"),
    ],
)  # fmt: skip
def test_class_words(value: Any, highway: str) -> None:
    issues = IssueLog()
    assert tags([value], issues, class_="c") == [{"highway": highway}]
    assert issues.found == []


def test_ferry_is_a_route() -> None:
    assert tags(["轮渡", "ferry"], class_="c") == [{"route": "ferry"}] * 2


def test_own_classes_go_first_and_take_numbers_as_they_come() -> None:
    own = {1: "primary", "支路": "service", "Tram": "tramway", 2.0: "ferry"}
    values = ["1", 1.0, "支路", "tram", "2", "次干路"]
    found = tags(values, class_="c", classes=own)
    assert [row.get("highway", "ferry") for row in found] == [
        "primary", "primary", "service", "tramway", "ferry", "secondary",
    ]  # fmt: skip


def test_unknown_classes_take_the_default_and_are_counted() -> None:
    issues = IssueLog()
    found = tags(["大道", None, "大道", "支路", np.nan], issues, class_="c", default_class="residential")
    assert [row["highway"] for row in found] == ["residential"] * 3 + ["tertiary", "residential"]
    assert [(issue.code, issue.count, issue.sample) for issue in issues.found] == [
        ("CG-LINE-021", 4, ("(empty) (2)", "大道 (2)")),
    ]


def test_lists_are_unknown_classes() -> None:
    issues = IssueLog()
    assert tags([["primary", "secondary"], "primary"], issues, class_="c")[0] == {"highway": "road"}
    assert issues.found[0].sample == ("['primary', 'secondary'] (1)",)


def test_without_class_column_all_are_the_default() -> None:
    issues = IssueLog()
    assert tags([1, 2], issues, default_class="road") == [{}, {}]
    assert [issue.code for issue in issues.found] == ["CG-LINE-020"]


@pytest.mark.parametrize("changes", [{"classes": {"a": 3}}, {"classes": {"a": ""}}, {"default_class": None}])
def test_class_that_is_no_text_is_refused(changes: dict[str, Any]) -> None:
    assert code_of(["a"], class_="c", **changes).code == "CG-IN-004"


def test_word_table_is_one_to_one_and_its_classes_exist() -> None:
    table = tomllib.loads(files("citygeo").joinpath("data", "centerlines.toml").read_text(encoding="utf-8"))
    words = [word for listed in table["class"].values() for word in listed]
    assert len(words) == len(set(words))
    assert not set(words) & set(table["osm"]["class"])
    assert set(table["class"]) <= set(table["osm"]["class"])
    known = {highway for mode in ("drive", "walk") for highway in travel_mode(mode).speed_kmh}
    assert set(table["class"]) - {"ferry", "construction"} <= known
    for coding in table["oneway"]:
        values = [value for key in ("along", "against", "both", "closed") for value in coding[key]]
        assert len(values) == len(set(values))
    assert all(re.search("[A-Z]", word) is None for word in words)


# --- directions -----------------------------------------------------------------------------------

ALONG, AGAINST, BOTH, CLOSED = {"oneway": "yes"}, {"oneway": "-1"}, {}, {"vehicle": "no"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["yes", "no", None, "-1", "reverse", ""], [ALONG, BOTH, BOTH, AGAINST, AGAINST, BOTH]),
        ([1, 0, -1], [ALONG, BOTH, AGAINST]),
        ([1.0, np.nan, 0.0], [ALONG, BOTH, BOTH]),
        ([True, False], [ALONG, BOTH]),
        (["T", "F"], [ALONG, BOTH]),
        (["Y", "N"], [ALONG, BOTH]),
        (["FT", "TF", "B", "N", None], [ALONG, AGAINST, BOTH, CLOSED, BOTH]),
        (["ft", "tf"], [ALONG, AGAINST]),
        # with B beside them, F and T are directions
        (["F", "T", "B"], [ALONG, AGAINST, BOTH]),
        (["双向", "单向", "正向", "反向", "逆行"], [BOTH, ALONG, ALONG, AGAINST, AGAINST]),
        (["是", "否", "禁行"], [ALONG, BOTH, CLOSED]),
    ],
)  # fmt: skip
def test_oneway_values(values: list[Any], expected: list[dict[str, str]]) -> None:
    assert tags(values, oneway="c") == expected


def test_reading_of_the_oneway_column_is_told_with_numbers() -> None:
    issues = IssueLog()
    tags(["F", "T", "B", "B", None, "N"], issues, oneway="c")
    (issue,) = [issue for issue in issues.found if issue.code == "CG-LINE-022"]
    assert "read as F / T / B: 1 along the drawing, 1 against it, 3 two-way, 1 closed" in issue.message


@pytest.mark.parametrize("values", [[1, 2, 3], ["yes", "FT"], ["maybe"], ["FT", "T"]])
def test_oneway_values_of_no_coding_are_refused_with_those_that_are_known(values: list[Any]) -> None:
    problem = code_of([*values, *values], oneway="c")
    assert problem.code == "CG-LINE-003"
    assert "along: ft, against: tf, both: b both, closed: n" in str(problem)
    assert "双向" in str(problem)


def test_refusal_counts_only_the_values_outside_the_best_coding() -> None:
    problem = code_of(["yes", "no", "no", "2", "3", "3"], oneway="c")
    assert problem.data["count"] == 3
    assert problem.data["sample"] == "3 (2), 2 (1)"


# --- speeds, names, levels, marks -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "maxspeed"),
    [
        (50, "50"), (50.0, "50"), ("60", "60"), ("60km/h", "60"), ("60 km/h", "60"), ("30 MPH", "30 mph"),
        (27.5, "27.5"), ("40 公里/小时", "40"),
    ],
)  # fmt: skip
def test_speeds(value: Any, maxspeed: str) -> None:
    assert tags([value], speed="c") == [{"maxspeed": maxspeed}]


def test_speeds_that_are_none_are_counted() -> None:
    issues = IssueLog()
    assert tags([50, 0, -5, 999, None, np.nan], issues, speed="c") == [{"maxspeed": "50"}] + [{}] * 5
    (issue,) = [issue for issue in issues.found if issue.code == "CG-LINE-023"]
    assert (issue.count, issue.severity) == (3, "warning")


def test_speed_column_without_a_speed_is_refused() -> None:
    assert code_of(["fast", "slow", None], speed="c").code == "CG-LINE-005"
    assert tags([None, None], speed="c") == [{}, {}]


def test_names() -> None:
    assert tags(["中山路", " ", None, 3], name="c") == [{"name": "中山路"}, {}, {}, {"name": "3"}]


def test_levels() -> None:
    found = attributes([0, 1, -1.0, "2", None, "高架", "地下", "0"], level="c")
    assert found.level.tolist() == [0, 1, -1, 2, 0, 1, -1, 0]
    assert [found.tag_sets[i].get("layer") for i in found.tag_set] == [
        None,
        "1",
        "-1",
        "2",
        None,
        "1",
        "-1",
        None,
    ]


def test_level_that_is_none_is_refused() -> None:
    problem = code_of([0, "upstairs", "upstairs"], level="c")
    assert problem.code == "CG-LINE-004"
    assert problem.data["count"] == 2


def test_marks() -> None:
    values = ["yes", "no", 1, 0, None, "viaduct", "是", "否", "", True, False, "某某大桥"]
    found = attributes(values, bridge="c")
    assert found.is_bridge.tolist() == [
        True, False, True, False, False, True, True, False, False, True, False, True,
    ]  # fmt: skip
    assert [found.tag_sets[i].get("bridge") for i in found.tag_set][:2] == ["yes", None]
    assert not found.is_tunnel.any()


def test_equal_rows_share_a_set_of_tags() -> None:
    table = pd.DataFrame({"a": ["支路", "主干路", "支路", "tertiary"], "b": [1, 1, 1, 1], "t": [0, 1, 0, 0]})
    found = read_attributes(table, Columns(class_="a", oneway="b", tunnel="t"), "roads", IssueLog())
    assert found.tag_set[0] == found.tag_set[2] == found.tag_set[3] != found.tag_set[1]
    assert found.tag_sets[found.tag_set[1]] == {"highway": "primary", "oneway": "yes", "tunnel": "yes"}
    assert len(found.tag_sets) == 2


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["class_", "speed", "oneway", "name", "level", "bridge", "tunnel"])
def test_column_that_does_not_exist_is_refused(argument: str) -> None:
    problem = code_of(["a"], **{argument: "nope"})
    assert problem.code == "CG-IN-005"
    assert "nope" in str(problem)


def test_column_twice_is_refused() -> None:
    table = pd.DataFrame([["a", "b"]], columns=["c", "c"])
    with pytest.raises(CitygeoError) as caught:
        read_attributes(table, Columns(class_="c"), "roads", IssueLog())
    assert caught.value.code == "CG-IN-008"


def lines_with(**columns):
    n = len(next(iter(columns.values())))
    shapes = [shapely.LineString([(0, 10 * i), (5, 10 * i)]) for i in range(n)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=32650)


def codes(streets):
    return [issue.code for issue in streets.issues.found if issue.severity == "warning"]


def test_words_that_are_neither_yes_nor_no_are_told():
    told = read(lines_with(b=["1", "老桥", "-", "普通道路", ""]), bridge_column="b")
    assert [tags.get("bridge") for tags in told.way_tags] == ["yes", "yes", None, None, None]
    assert "CG-LINE-028" in codes(told)
    assert "CG-LINE-028" not in codes(read(lines_with(b=["是", "否"]), bridge_column="b"))


def test_directions_that_codings_read_differently_are_told():
    assert "CG-LINE-029" in codes(read(lines_with(d=["F", "T"]), oneway_column="d"))
    assert "CG-LINE-029" not in codes(read(lines_with(d=["yes", "no"]), oneway_column="d"))


def test_lines_without_any_length_are_no_streets():
    layer = gpd.GeoDataFrame(geometry=[shapely.LineString([(5e5, 3e6), (5e5, 3e6)])], crs=32650)
    with pytest.raises(GeometryError, match="CG-LINE-006"):
        read(layer)
