"""Durations of ferries in all their spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.modes.ferries import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:05", 300), ("0:05", 300), ("01:30", 5400), ("67:00", 241_200), ("00:07:30", 450), ("100:00", 360_000),
        ("8", 480), ("90", 5400), (" 15 ", 900),
        ("PT15M", 900), ("PT1H30M", 5400), ("PT1H30M15S", 5415), ("PT90M", 5400), ("P1DT2H", 93_600), ("PT45S", 45),
        ("0", None), ("00:00", None), ("PT0S", None), ("P", None), ("PT", None), ("1:75", None), ("-5", None),
        ("1.5", None), ("01:30 h", None), ("2 hours", None), ("20;30", None), ("", None), ("123456", None),
    ],
)  # fmt: skip
def test_duration_by_hand(text, seconds):
    assert parse_duration(text) == seconds


@given(st.integers(0, 99), st.integers(0, 59), st.integers(1, 59))
def test_spellings_of_one_time_agree(hours, minutes, seconds):
    total = hours * 3600 + minutes * 60 + seconds
    assert parse_duration(f"{hours:02}:{minutes:02}:{seconds:02}") == total
    assert parse_duration(f"PT{hours}H{minutes}M{seconds}S") == total


@given(st.text(max_size=12))
def test_any_duration_is_positive_or_unknown(text):
    seconds = parse_duration(text)
    assert seconds is None or seconds > 0
