"""Numbers of the terminal."""

from __future__ import annotations

import pytest

from citygeo.cli.text import duration, number, percent

INF, NAN = float("inf"), float("nan")


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
