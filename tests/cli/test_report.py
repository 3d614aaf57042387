"""The document and the text of a coverage: the same numbers, checked by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citygeo.cli.report import MOST_ZONES, as_text, describe, print_json, tell_issues
from tests.cli.fakes import fake_coverage

PLACE = {"name": "Toytown", "name_zh": "玩具城"}


def document(**changes: Any) -> dict[str, Any]:
    return describe(fake_coverage(**changes), command="demo", place=PLACE)


def test_document_is_strict_json_with_the_documented_keys() -> None:
    made = document()
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert list(made) == [
        "command", "place", "minutes", "mode", "direction", "people_are_an_estimate", "facilities",
        "measures", "zones", "blind_spots", "blind_spots_total", "depth", "issues", "attribution",
    ]  # fmt: skip


def test_document_has_the_numbers_of_the_result() -> None:
    made = document()
    assert made["facilities"] == {"total": 2, "on_network": 1, "delay_s": [60.0]}
    people = next(row for row in made["measures"] if row["measure"] == "population")
    assert people == {
        "measure": "population",
        "unit": "people",
        "covered": 8530.0,
        "total": 10000.0,
        "share": 0.853,
    }
    assert [zone["zone"] for zone in made["zones"]] == ["1", "2", "3"]
    assert "geometry" not in made["zones"][0]


def test_what_does_not_exist_is_null() -> None:
    made = document()
    assert made["zones"][2]["population_share"] is None
    assert made["blind_spots"][2]["time_s"] is None
    assert made["blind_spots"][2]["nearest_facility"] is None
    assert made["blind_spots"][2]["nearest_facility_name"] is None


def test_blind_spots_name_the_nearest_facility() -> None:
    assert [spot["nearest_facility_name"] for spot in document()["blind_spots"]] == [
        "Central 中央站",
        "Central 中央站",
        None,
    ]


def test_document_keeps_the_worst_five_and_says_how_many_there_are() -> None:
    spots = pd.concat([fake_coverage().blind_spots] * 4)
    spots.index = pd.RangeIndex(1, 13, name="rank")
    made = document(blind_spots=spots)
    assert [spot["rank"] for spot in made["blind_spots"]] == [1, 2, 3, 4, 5]
    assert made["blind_spots_total"] == 12


def test_numpy_values_become_plain_ones() -> None:
    depth = pd.DataFrame(
        {"population": [np.int64(3)], "name": [np.str_("a")]}, index=pd.Index([0], name="depth")
    )
    assert document(depth=depth)["depth"] == [{"depth": 0, "population": 3, "name": "a"}]
    assert type(document(depth=depth)["depth"][0]["population"]) is int


def test_text_shows_the_numbers_of_the_document() -> None:
    text = as_text(document())
    assert text.startswith("5-minute fire coverage 消防5分钟覆盖: Toytown 玩具城\n")
    assert "1 of 2 facilities on the network" in text
    assert "60 s of turnout" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["People", "人口", "(estimate", "估算)", "8,530", "10,000", "85.3", "%", "people", "人"] in lines
    assert ["南山区", "Nanshan", "7,630", "9,000", "84.8", "%", "1,370"] in lines
    assert ["南山区", "Nanshan", "Central", "中央站", "too", "far", "距离过远", "900", "6:13", "1.2"] in lines
    assert ["–", "–", "no", "road", "near", "附近无道路", "70", "–", "–"] in lines


def test_people_come_first_and_zones_with_most_uncovered_people_too() -> None:
    text = as_text(document())
    assert text.index("People 人口 (estimate") < text.index("Area 面积")
    assert text.index("南山区 Nanshan") < text.index("Small")


def test_only_the_levels_asked_for_are_shown() -> None:
    assert "By district" in as_text(document())
    assert "By district" not in as_text(document(), levels=["municipality"])


def test_long_levels_are_cut_with_a_count() -> None:
    many = pd.concat([fake_coverage().zones.iloc[:1]] * (MOST_ZONES + 3), ignore_index=True)
    assert "... and 3 more with fewer uncovered people" in as_text(document(zones=many))


def test_text_without_estimate_blind_spots_and_zones_is_short() -> None:
    full = fake_coverage()
    made = document(
        blind_spots=full.blind_spots.iloc[:0], zones=full.zones.iloc[:0], demand_is_estimate=False
    )
    text = as_text(made)
    assert "No blind spots" in text
    assert "estimate" not in text


@pytest.mark.parametrize("name", ["\x1b[31mred", "two\nlines", "\u202eevil"])
def test_names_cannot_break_the_table(name: str) -> None:
    zones = fake_coverage().zones.assign(name=name)
    text = as_text(document(zones=zones))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "two lines" in text or "two" not in name


def test_files_are_listed_whole_with_what_they_are() -> None:
    path = "out/" + "long folder name/" * 5 + "zones.csv"
    text = as_text(document() | {"files": {"zones": path, "map": "out/map.html"}})
    assert f"{path}  every zone of every level 分区统计" in text


def test_json_is_utf8_or_escaped_by_what_the_terminal_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_json({"name": "消防"})
    assert json.loads(capsys.readouterr().out) == {"name": "消防"}
    monkeypatch.setattr("sys.stdout", _Ascii())
    print_json({"name": "消防"})
    assert json.loads(_Ascii.written) == {"name": "消防"}
    assert _Ascii.written.isascii()


class _Ascii:
    encoding = "ascii"
    written = ""

    def write(self, text: str) -> None:
        type(self).written += text


def test_warnings_are_one_line_each_on_stderr_and_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    issues = document()["issues"]
    tell_issues(issues, is_quiet=True)
    assert capsys.readouterr() == ("", "")
    tell_issues([*issues, issues[0] | {"severity": "info"}], is_quiet=False)
    assert capsys.readouterr().err == "citygeo: CG-NET-013: 1 of 2 facilities lie farther than 200 m: b.\n"
