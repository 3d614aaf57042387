"""Speed limits and inclines in all their spellings, and the lines of ``special_kmh``."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.modes import parse_maxspeed
from citygeo.modes.speeds import parse_incline, parse_line


@given(st.one_of(st.text(max_size=20), st.from_regex(r"[A-Z]{2}:[a-z0-9²:]{0,6}[0-9²]?", fullmatch=True)))
def test_any_maxspeed_is_a_speed_or_unknown(text):
    kmh = parse_maxspeed(text)
    assert kmh is None or kmh > 0


@given(st.integers(1, 300))
def test_maxspeed_numbers_come_back(kmh):
    assert parse_maxspeed(str(kmh)) == kmh
    assert parse_maxspeed(f" {kmh} ; {kmh + 1}") == kmh
    assert parse_maxspeed(f"{kmh} mph") == pytest.approx(kmh * 1.609344)
    assert parse_maxspeed(f"{kmh} knots") == pytest.approx(kmh * 1.852)
    assert parse_maxspeed(f"DE:zone:{kmh}") == parse_maxspeed(f"FR:{kmh}") == kmh


@pytest.mark.parametrize(
    "text", ["", "signals", "variable", "50;", "50; fast", "DE:zone:0", "0.5", "http://a.b:30", "sign"]
)
def test_maxspeed_without_a_number(text):
    assert parse_maxspeed(text) is None


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("8%", 8), ("-8%", 8), ("+8 %", 8), ("8", 8), ("0%", 0), ("12.5%", 12.5), ("1:10", 10), ("-1:20", 5),
        ("45°", 100), ("up", None), ("down", None), ("steep", None), ("", None), ("1:0", None), ("90°", None),
    ],
)  # fmt: skip
def test_incline_by_hand(text, percent):
    assert parse_incline(text) == percent


@given(st.floats(0, 89.5))
def test_an_angle_is_its_tangent(degrees):
    read = parse_incline(f"{degrees:.4f}°")
    assert read == pytest.approx(100 * math.tan(math.radians(degrees)), abs=0.6)


@given(st.text(max_size=12))
def test_any_incline_is_a_steepness_or_unknown(text):
    percent = parse_incline(text)
    assert percent is None or percent >= 0


@pytest.mark.parametrize(
    "line", ["trunk", "trunk sidewalk", "trunk =both", "trunk sidewalk=", "sidewalk=both", ""]
)
def test_a_line_is_a_class_and_tags(line):
    with pytest.raises(ValueError):  # noqa: PT011  the message is for nobody: the caller has its own
        parse_line(line)
