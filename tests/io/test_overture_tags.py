"""Rules of Overture segments: a table of rule lists and the tags they become, and what modes make of them."""

from __future__ import annotations

from typing import Any

import pytest

from citygeo.io.overture_tags import RULE_COLUMNS, Segment, is_left_out, tags_at
from citygeo.modes import travel_mode


def tags(position: float = 0.5, **columns: Any) -> dict[str, str]:
    properties = {"subtype": "road", "class_": "residential", "subclass": None}
    properties.update({key: columns.pop(key) for key in list(columns) if key in properties})
    return tags_at(Segment(**properties, rules=columns), position)


def access(*rules: tuple[str, dict[str, Any] | None]) -> dict[str, str]:
    """The tags that access rules add."""
    listed = [{"access_type": kind, "when": when, "between": None} for kind, when in rules]
    found = tags(access_restrictions=listed)
    assert found.pop("highway") == "residential"
    return found


BACKWARD = {"heading": "backward"}
BUS_BACKWARD = {"heading": "backward", "mode": ["bus"]}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], {}),
        ([("denied", None)], {"access": "no"}),
        ([("denied", {})], {"access": "no"}),
        ([("denied", BACKWARD)], {"oneway": "yes"}),
        ([("denied", {"heading": "forward"})], {"oneway": "-1"}),
        ([("denied", BACKWARD), ("denied", {"heading": "forward"})], {"access": "no"}),
        ([("denied", BACKWARD), ("allowed", BACKWARD)], {}),
        (
            [("denied", BACKWARD), ("allowed", BUS_BACKWARD)],
            {"oneway": "yes", "oneway:bus": "no", "bus:backward": "yes"},
        ),
        # what names no heading does not open a one-way street to it
        (
            [("denied", BACKWARD), ("designated", {"mode": ["bicycle"]})],
            {"oneway": "yes", "bicycle": "designated"},
        ),
        ([("denied", {"mode": ["motor_vehicle"]})], {"motor_vehicle": "no"}),
        ([("denied", {"mode": ["car", "truck"]})], {"motorcar": "no", "hgv": "no"}),
        ([("denied", {"mode": ["vehicle"], **BACKWARD})], {"vehicle:backward": "no"}),
        # the last rule that matches decides, whichever is wider
        ([("allowed", {"mode": ["bus"]}), ("denied", {"mode": ["motor_vehicle"]})], {"motor_vehicle": "no"}),
        (
            [("denied", {"mode": ["motor_vehicle"]}), ("allowed", {"mode": ["bus"]})],
            {"motor_vehicle": "no", "bus": "yes"},
        ),
        (
            [("denied", None), ("allowed", {"mode": ["foot", "bicycle"]})],
            {"access": "no", "foot": "yes", "bicycle": "yes"},
        ),
        ([("denied", None), ("allowed", {"using": ["at_destination"]})], {"access": "destination"}),
        ([("denied", None), ("allowed", {"recognized": ["as_private"]})], {"access": "private"}),
        (
            [("denied", None), ("allowed", {"using": ["as_customer", "at_destination"]})],
            {"access": "customers;destination"},
        ),
        # motor vehicles to their destination only; all others may pass anyway
        (
            [("denied", {"mode": ["motor_vehicle"]}), ("allowed", {"using": ["at_destination"]})],
            {"motor_vehicle": "destination"},
        ),
        # left out: at times, for sizes, and what refuses some purposes only
        ([("denied", {"during": "Mo-Fr 07:00-09:00"})], {}),
        (
            [("denied", {"vehicle": [{"dimension": "height", "comparison": "greater_than", "value": 3.0}]})],
            {},
        ),
        ([("denied", {"using": ["to_deliver"]})], {}),
        ([("guarded", None)], {}),
    ],
)
def test_access_rules(rules: list[Any], expected: dict[str, str]) -> None:
    assert access(*rules) == expected


@pytest.mark.parametrize(
    ("mode", "rules", "along", "against"),
    [
        ("drive", [("denied", BACKWARD), ("allowed", BUS_BACKWARD)], True, False),
        ("bus", [("denied", BACKWARD), ("allowed", BUS_BACKWARD)], True, True),
        ("walk", [("denied", BACKWARD)], True, True),
        ("bike", [("denied", BACKWARD)], True, False),
        (
            "bike",
            [("denied", BACKWARD), ("allowed", {"heading": "backward", "mode": ["bicycle"]})],
            True,
            True,
        ),
        ("bike", [("denied", {"mode": ["motor_vehicle"], **BACKWARD})], True, True),
        ("drive", [("denied", {"mode": ["motor_vehicle"], **BACKWARD})], True, False),
        ("drive", [("denied", None), ("allowed", {"recognized": ["as_private"]})], False, False),
        ("drive", [("denied", None), ("allowed", {"using": ["at_destination"]})], True, True),
        ("walk", [("denied", None), ("allowed", {"mode": ["foot"]})], True, True),
        ("drive", [("denied", None), ("allowed", {"mode": ["foot"]})], False, False),
        ("drive", [("denied", {"mode": ["hgv"]})], True, True),
    ],
)
def test_modes_read_the_tags_as_the_rules_mean_them(
    mode: str,
    rules: list[Any],
    along: bool,  # noqa: FBT001
    against: bool,  # noqa: FBT001
) -> None:
    rule = travel_mode(mode).rule({"highway": "residential", **access(*rules)})
    assert (rule.along_kmh > 0, rule.against_kmh > 0) == (along, against)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"class_": "motorway"}, {"highway": "motorway"}),
        ({"class_": "unknown"}, {"highway": "road"}),
        ({"class_": None}, {"highway": "road"}),
        ({"class_": "primary", "subclass": "link"}, {"highway": "primary_link"}),
        ({"class_": "trunk", "road_flags": [{"values": ["is_link"]}]}, {"highway": "trunk_link"}),
        ({"class_": "residential", "subclass": "link"}, {"highway": "residential"}),
        ({"class_": "footway", "subclass": "sidewalk"}, {"highway": "footway", "footway": "sidewalk"}),
        ({"class_": "service", "subclass": "alley"}, {"highway": "service", "service": "alley"}),
        ({"subtype": "water", "class_": None}, {"route": "ferry"}),
        (
            {"road_flags": [{"values": ["is_bridge"]}], "level_rules": [{"value": 2}]},
            {"highway": "residential", "bridge": "yes", "layer": "2"},
        ),
        (
            {"road_flags": [{"values": ["is_tunnel", "is_covered"]}]},
            {"highway": "residential", "tunnel": "yes"},
        ),
        ({"road_flags": [{"values": ["is_under_construction"]}]}, {"highway": "construction"}),
        ({"road_surface": [{"value": "gravel"}]}, {"highway": "residential", "surface": "gravel"}),
        ({"road_surface": [{"value": "unknown"}], "level_rules": [{"value": 0}]}, {"highway": "residential"}),
    ],
)
def test_kinds_of_segments(columns: dict[str, Any], expected: dict[str, str]) -> None:
    assert tags(**columns) == expected


def limit(value: int, unit: str = "km/h", **others: Any) -> dict[str, Any]:
    return {"max_speed": {"value": value, "unit": unit}, **others}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([limit(50)], {"maxspeed": "50"}),
        ([limit(30, "mph")], {"maxspeed": "30 mph"}),
        (
            [limit(50), limit(30, when={"heading": "backward"})],
            {"maxspeed:forward": "50", "maxspeed:backward": "30"},
        ),
        ([limit(30, when={"heading": "forward"})], {"maxspeed:forward": "30"}),
        ([limit(100), limit(80, when={"mode": ["hgv"]})], {"maxspeed": "100"}),
        ([limit(100), limit(80, when={"mode": ["motor_vehicle"]})], {"maxspeed": "80"}),
        ([limit(100), limit(30, when={"during": "PH"})], {"maxspeed": "100"}),
        ([{"max_speed": None, "min_speed": {"value": 60, "unit": "km/h"}}], {}),
        ([limit(9, "knots")], {}),
    ],
)
def test_speed_limits(rules: list[Any], expected: dict[str, str]) -> None:
    assert tags(speed_limits=rules) == {"highway": "residential", **expected}


def test_rules_hold_between_their_ends() -> None:
    rules = [limit(50), limit(30, between=[0.25, 0.75])]
    assert [tags(at, speed_limits=rules)["maxspeed"] for at in (0.1, 0.25, 0.5, 0.75, 0.9)] == [
        "50", "30", "30", "30", "50",
    ]  # fmt: skip
    sub = [{"value": "sidewalk", "between": [0, 0.5]}, {"value": "crosswalk", "between": [0.5, 1]}]
    found = [tags(at, class_="footway", subclass_rules=sub)["footway"] for at in (0.2, 0.8)]
    assert found == ["sidewalk", "crossing"]


def test_segment_knows_whether_its_rules_vary() -> None:
    plain = {"speed_limits": [limit(50, between=None)], "road_flags": None}
    assert not Segment("road", "primary", None, plain).varies
    assert Segment(
        "road", "primary", None, {**plain, "road_flags": [{"values": [], "between": [0, 1]}]}
    ).varies


def test_left_out_rules_are_told_from_the_others() -> None:
    assert not is_left_out({"access_type": "allowed", "when": {"using": ["to_farm"]}})
    assert is_left_out({"access_type": "denied", "when": {"using": ["to_farm"]}})
    assert is_left_out({"sequence": [], "when": {"recognized": ["as_employee"]}})
    assert set(RULE_COLUMNS) >= {"access_restrictions", "speed_limits", "road_flags"}
