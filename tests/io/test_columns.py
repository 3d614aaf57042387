"""Text in columns: they line up in any script, and no name can steer the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.io.columns import clean, fit, printable, table, width


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
