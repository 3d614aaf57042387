"""What each mode may do on a way with certain tags: the table in ``ways.txt``, and what a table cannot say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from citygeo.modes import CLOSED, mode_names, travel_mode


def read_table(table):
    """Yield (title, cells) of the lines of a table."""
    title = ""
    for line in table.strip().splitlines():
        if line.startswith("== "):
            title = line.removeprefix("== ")
        elif line and not line.startswith("#"):
            yield title, line.split()


ROWS = list(read_table((Path(__file__).parent / "ways.txt").read_text(encoding="utf-8")))
SPACE = re.compile(r"_(?=km/h|mph|MPH|knots|@|[(]|%)")


def tags_of(listed):
    """Tags from ``key=value`` texts; values with units and conditions get their spaces back."""
    tags = dict(tag.split("=", 1) for tag in listed)
    return {key: SPACE.sub(" ", value) for key, value in tags.items()}


def speed(text):
    return 0.0 if text == "-" else float(text)


@pytest.mark.parametrize(
    "row", [row for _, row in ROWS], ids=[f"{title}: {' '.join(row[:-3])}" for title, row in ROWS]
)
def test_rule_by_hand(row):
    name, *listed, along, against, how = row
    mode, tags = travel_mode(name), tags_of(listed)
    rule = mode.rule(tags)
    assert rule == mode.rule({key: tags[key] for key in tags.keys() & mode.rule_keys})
    assert rule.along_kmh == pytest.approx(speed(along))
    assert rule.against_kmh == pytest.approx(speed(against))
    assert rule.is_open == (how != "closed")
    assert rule.is_imputed == (how == "assumed")


def test_the_table_is_long_and_names_every_mode():
    assert len(ROWS) >= 300
    assert len({tuple(row) for _, row in ROWS}) == len(ROWS)
    assert {row[0] for _, row in ROWS} == set(mode_names())
    assert {row[-1] for _, row in ROWS} == {"assumed", "read", "closed"}


@pytest.mark.parametrize(
    ("name", "tags", "oneway", "maxspeed"),
    [
        ("drive", {"oneway": "sometimes"}, "sometimes", None),
        ("drive", {"oneway": "YES"}, "YES", None),
        ("drive", {"oneway": "no"}, None, None),
        ("drive", {"junction": "roundabout", "oneway": "clockwise"}, "clockwise", None),
        ("bike", {"oneway:bicycle": "perhaps"}, "perhaps", None),
        ("bike", {"oneway": "sometimes", "oneway:bicycle": "no"}, None, None),
        ("walk", {"oneway": "sometimes"}, None, None),
        ("drive", {"maxspeed": "fast"}, None, "fast"),
        ("drive", {"maxspeed": "0"}, None, "0"),
        ("drive", {"maxspeed": "50", "maxspeed:backward": "slow"}, None, "slow"),
        ("drive", {"maxspeed": "50"}, None, None),
        ("drive", {"maxspeed": "signals"}, None, None),
        ("drive", {"maxspeed": "variable"}, None, None),
        ("drive", {"maxspeed": "fast;signals"}, None, "fast;signals"),
        ("drive", {"source:maxspeed": "sign"}, None, None),
        ("walk", {"maxspeed": "fast"}, None, None),
        ("drive", {}, None, None),
    ],
)
def test_values_that_are_not_known_are_reported(name, tags, oneway, maxspeed):
    rule = travel_mode(name).rule({"highway": "residential", **tags})
    assert (rule.unknown_oneway, rule.unknown_maxspeed) == (oneway, maxspeed)


WHEN = "no @ (07:00-09:00)"


@pytest.mark.parametrize(
    ("name", "tags", "listed"),
    [
        ("drive", {"highway": "tertiary", "maxspeed:conditional": WHEN}, ["maxspeed:conditional"]),
        (
            "drive",
            {"highway": "tertiary", "maxspeed:forward:conditional": WHEN},
            ["maxspeed:forward:conditional"],
        ),
        ("walk", {"highway": "tertiary", "maxspeed:conditional": WHEN}, []),
        (
            "drive",
            {"highway": "tertiary", "oneway:conditional": WHEN, "access:conditional": WHEN},
            ["access:conditional", "oneway:conditional"],
        ),
        ("walk", {"highway": "tertiary", "oneway:conditional": WHEN}, []),
        ("drive", {"highway": "tertiary", "bicycle:conditional": WHEN, "foot:conditional": WHEN}, []),
        ("bike", {"highway": "tertiary", "bicycle:conditional": WHEN}, ["bicycle:conditional"]),
        ("bike", {"highway": "tertiary", "oneway:bicycle:conditional": WHEN}, ["oneway:bicycle:conditional"]),
        # closed at other times: only what could open it concerns the mode
        (
            "drive",
            {"highway": "tertiary", "access": "no", "access:conditional": WHEN, "maxspeed:conditional": WHEN},
            ["access:conditional"],
        ),
        ("bus", {"highway": "pedestrian", "bus:conditional": "yes @ (06:00-22:00)"}, ["bus:conditional"]),
        ("drive", {"highway": "pedestrian", "motor_vehicle:conditional": "yes @ (06:00-10:00)"}, []),
        ("drive", {"route": "ferry", "motor_vehicle:conditional": WHEN}, ["motor_vehicle:conditional"]),
        ("drive", {"highway": "tertiary"}, []),
    ],
)
def test_conditions_that_concern_the_mode_are_listed(name, tags, listed):
    assert list(travel_mode(name).rule(tags).conditional) == listed


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("00:20", 1200), ("1:05:30", 3930), ("45", 2700), ("PT2H", 7200), ("00:00", None), ("a while", None)],
)
def test_a_ferry_takes_the_time_it_says(duration, seconds):
    rule = travel_mode("drive").rule({"route": "ferry", "duration": duration})
    assert rule.duration_s == seconds
    assert rule.is_imputed == (seconds is None)


def test_only_ferries_have_a_duration():
    assert travel_mode("drive").rule({"highway": "service", "duration": "00:20"}).duration_s is None


def test_ferries_are_a_choice():
    walk = travel_mode("walk", ferry_kmh=5)
    assert walk.rule({"route": "ferry", "motor_vehicle": "yes"}).is_open
    assert not walk.rule({"route": "ferry", "foot": "no"}).is_open
    assert travel_mode("drive", ferry_kmh=0).rule({"route": "ferry"}) == CLOSED


def test_a_planner_can_overrule_the_rules():
    planned = travel_mode("drive", speed_kmh={"construction": 50})
    assert planned.rule({"highway": "construction"})[:2] == (50, 50)
    safe = travel_mode("walk", special_kmh={"primary sidewalk=no": 0})
    assert not safe.rule({"highway": "primary", "sidewalk": "no"}).is_open
    assert safe.rule({"highway": "primary", "sidewalk": "both"}).is_open
    stroller = travel_mode("walk", speed_kmh={"steps": 0})
    assert not stroller.rule({"highway": "steps", "foot": "yes"}).is_open
    called = travel_mode("fire_engine", oneway=False)
    assert called.rule({"highway": "residential", "oneway": "yes"})[:2] == (30, 30)


def test_the_steepest_incline_is_still_open():
    mode = travel_mode("wheelchair", max_incline_percent=8)
    assert mode.rule({"highway": "footway", "incline": "8%"}).is_open
    assert not mode.rule({"highway": "footway", "incline": "8.1%"}).is_open


def test_the_slowest_of_several_lines_counts():
    lines = {"service service=alley": 9, "service width=2": 7, "service service=alley surface=sand": 5}
    mode = travel_mode("drive", special_kmh=lines)
    assert mode.rule({"highway": "service", "surface": "sand"}).along_kmh == 20
    assert mode.rule({"highway": "service", "service": "alley"}).along_kmh == 9
    assert mode.rule({"highway": "service", "service": "alley", "surface": "sand"}).along_kmh == 5
    assert mode.rule({"highway": "service", "service": "alley", "width": "2"}).along_kmh == 7


def test_a_limit_holds_for_posted_speeds_too_and_is_an_assumption():
    mode = travel_mode("drive", limit_kmh={"surface": {"gravel": 40}})
    rule = mode.rule({"highway": "primary", "surface": "gravel", "maxspeed": "80"})
    assert (rule.along_kmh, rule.is_imputed) == (40, True)
    rule = mode.rule({"highway": "primary", "surface": "gravel", "maxspeed": "30"})
    assert (rule.along_kmh, rule.is_imputed) == (30, False)
    rule = mode.rule({"highway": "primary", "surface": "gravel", "maxspeed": "40"})
    assert (rule.along_kmh, rule.is_imputed) == (40, False)
