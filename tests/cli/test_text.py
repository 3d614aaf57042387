"""Terminal text: columns line up in any script, and no name can steer the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.cli.text import clean, duration, fit, number, percent, printable, table, width

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("人口", 4), ("人口abc", 7), ("\uff0c。", 4), ("é", 1), ("e\u0301", 1), ("ð", 1)],
)
def test_width_counts_terminal_columns(text: str, columns: int) -> None:
    assert width(text) == columns


def test_table_columns_line_up_with_chinese_and_latin_names() -> None:
    lines = table(["Zone 分区", "People 人口"], [["南山", "1,200"], ["Seltjarnarnes", "4,664"]]).splitlines()
    assert lines == [
        "Zone 分区      People 人口",
        "-------------  -----------",
        "南山                 1,200",
        "Seltjarnarnes        4,664",
    ]
    assert {width(line) for line in lines} == {26}


@given(st.lists(st.lists(st.text(max_size=60), min_size=2, max_size=2), max_size=6))
def test_table_of_any_text_is_one_line_per_row_and_right_edge_is_straight(rows: list[list[str]]) -> None:
    text = table(["a", "b"], [[left, f"{right}|"] for left, right in rows])
    lines = text.split("\n")
    assert len(lines) == len(rows) + 2
    assert len(text.splitlines()) == len(lines)
    edges = {width(line) for line in lines[2:]}
    assert len(edges) <= 1


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "a\nb", "a\rb", "\u202eabc", "\u2028", "\x9b31m", "\x07", "\ud800"]
)
def test_clean_leaves_nothing_that_steers_a_terminal(hostile: str) -> None:
    assert not set(clean(hostile)) & set("\x1b\n\r\u202e\u2028\x9b\x07\ud800")


def test_printable_keeps_the_spaces_of_a_path() -> None:
    assert printable("my  city/消防\x1b.gpkg") == "my  city/消防 .gpkg"


def test_fit_cuts_at_the_column_not_inside_a_letter() -> None:
    assert fit("abc", 3) == "abc"
    assert fit("消防站一二", 6) == "消防…"
    assert width(fit("消" * 100)) <= 36


@pytest.mark.parametrize("value", [None, NAN, INF, -INF])
def test_what_is_no_number_prints_as_a_dash(value: float | None) -> None:
    assert (number(value), percent(value), duration(value)) == ("–", "–", "–")


def test_numbers_have_thousands_and_stated_digits() -> None:
    assert number(228231) == "228,231"
    assert number(1234.56, 1, " km") == "1,234.6 km"
    assert percent(0.8534) == "85.3 %"
    assert [duration(value) for value in (0, 59.6, 300.0004, 300.2, 3725)] == [
        "0:00",
        "1:00",
        "5:00",
        "5:01",
        "62:05",
    ]
