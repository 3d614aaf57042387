"""Travel modes: a table of tags and answers worked out by hand, and properties over all modes."""

from __future__ import annotations

import math
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.errors import CitygeoError, InputError, NetworkError
from citygeo.modes import TravelMode, mode_from_dict, mode_names, parse_maxspeed, travel_mode

# km/h along and against the drawing ("-" is closed); "assumed" where a speed does not come from a tag
TABLE = """
drive        highway=residential                                          30  30  assumed
drive        highway=secondary_link                                       40  40  assumed
drive        highway=living_street                                        15  15  assumed
drive        highway=motorway                                            110   -  assumed
drive        highway=motorway oneway=no                                  110 110  assumed
drive        highway=motorway oneway=-1                                    - 110  assumed
drive        highway=motorway_link                                        60  60  assumed
drive        highway=trunk oneway=yes                                     80   -  assumed
drive        highway=footway                                               -   -  closed
drive        highway=track                                                 -   -  closed
drive        highway=pedestrian                                            -   -  closed
drive        highway=construction                                          -   -  closed
drive        highway=proposed access=yes                                   -   -  closed
drive        highway=service area=yes                                      -   -  closed
drive        highway=service area=no                                      20  20  assumed

drive        highway=residential maxspeed=50                              50  50  read
drive        highway=residential maxspeed=50_km/h                         50  50  read
drive        highway=residential maxspeed=12.5                          12.5 12.5 read
drive        highway=residential maxspeed=30_mph                    48.28032 48.28032 read
drive        highway=residential maxspeed=20mph                     32.18688 32.18688 read
drive        highway=residential maxspeed=5_knots                       9.26 9.26 read
drive        highway=motorway maxspeed=none                              130   -  read
drive        highway=motorway maxspeed=200                               130   -  read
drive        highway=tertiary maxspeed=50;30                              30  30  read
drive        highway=tertiary maxspeed=70|50|60                           50  50  read
drive        highway=tertiary maxspeed=none;100                          100 100  read
drive        highway=tertiary maxspeed=IS:urban                           50  50  read
drive        highway=tertiary maxspeed=IS:rural                           90  90  read
drive        highway=tertiary maxspeed=DE:rural                          100 100  read
drive        highway=tertiary maxspeed=RU:urban                           60  60  read
drive        highway=tertiary maxspeed=CN:urban                           50  50  read
drive        highway=tertiary maxspeed=GB:nsl_single                   96.56 96.56 read
drive        highway=living_street maxspeed=DE:living_street               7   7  read
drive        highway=living_street maxspeed=walk                           5   5  read
drive        highway=tertiary maxspeed=zone:30                            30  30  read
drive        highway=tertiary maxspeed=DE:zone:20                         20  20  read
drive        highway=tertiary maxspeed=FR:30                              30  30  read
drive        highway=tertiary maxspeed=signals                            50  50  assumed
drive        highway=tertiary maxspeed=fast                               50  50  assumed
drive        highway=tertiary maxspeed=0                                  50  50  assumed
drive        highway=tertiary maxspeed=-30                                50  50  assumed
drive        highway=tertiary maxspeed=30;signals                         50  50  assumed
drive        highway=tertiary maxspeed=a:²                                50  50  assumed
drive        highway=tertiary maxspeed=;                                  50  50  assumed
drive        highway=tertiary maxspeed=30_@_(22:00-06:00)                 50  50  assumed

drive        highway=tertiary maxspeed=40 maxspeed:forward=60             60  40  read
drive        highway=tertiary maxspeed:forward=60                         60  50  assumed
drive        highway=tertiary maxspeed:forward=60 oneway=yes              60   -  read
drive        highway=tertiary maxspeed:backward=20 oneway=yes             50   -  assumed
drive        highway=tertiary maxspeed:backward=20 oneway=-1               -  20  read
drive        highway=tertiary maxspeed:forward=x maxspeed=30              50  30  assumed

drive        highway=residential oneway=yes                               30   -  assumed
drive        highway=residential oneway=true                              30   -  assumed
drive        highway=residential oneway=1                                 30   -  assumed
drive        highway=residential oneway=-1                                 -  30  assumed
drive        highway=residential oneway=reverse                            -  30  assumed
drive        highway=residential oneway=no                                30  30  assumed
drive        highway=residential oneway=0                                 30  30  assumed
drive        highway=residential oneway=reversible                        30  30  assumed
drive        highway=residential junction=roundabout                      30   -  assumed
drive        highway=residential junction=circular                        30   -  assumed
drive        highway=residential junction=roundabout oneway=no            30  30  assumed
drive        highway=residential junction=roundabout oneway=-1             -  30  assumed
drive        highway=residential junction=jughandle                       30  30  assumed

drive        highway=service access=no                                     -   -  closed
drive        highway=service access=private                                -   -  closed
drive        highway=service access=destination                           20  20  assumed
drive        highway=service access=permissive                            20  20  assumed
drive        highway=service access=no vehicle=yes                        20  20  assumed
drive        highway=service access=no motor_vehicle=destination          20  20  assumed
drive        highway=service access=yes vehicle=no                         -   -  closed
drive        highway=service vehicle=no motorcar=yes                      20  20  assumed
drive        highway=service motor_vehicle=yes motorcar=no                 -   -  closed
drive        highway=service motor_vehicle=agricultural                    -   -  closed
drive        highway=service motor_vehicle=bus                             -   -  closed
drive        highway=service access=emergency                              -   -  closed
drive        highway=service access=no emergency=yes                       -   -  closed
drive        highway=service emergency=no foot=no                         20  20  assumed

fire_engine  highway=residential                                          30  30  assumed
fire_engine  highway=residential oneway=yes                               30   -  assumed
fire_engine  highway=motorway maxspeed=130                                90   -  read
fire_engine  highway=motorway maxspeed=none                               90   -  read
fire_engine  highway=track                                                15  15  assumed
fire_engine  highway=footway                                               -   -  closed
fire_engine  highway=footway emergency=yes                                10  10  assumed
fire_engine  highway=pedestrian emergency=designated                      10  10  assumed
fire_engine  highway=footway emergency=no                                  -   -  closed
fire_engine  highway=construction emergency=yes                            -   -  closed
fire_engine  highway=proposed emergency=designated                         -   -  closed
fire_engine  highway=service access=private                                -   -  closed
fire_engine  highway=service access=private emergency=yes                 20  20  assumed
fire_engine  highway=service access=no emergency=designated               20  20  assumed
fire_engine  highway=service access=yes emergency=no                       -   -  closed
fire_engine  highway=service motor_vehicle=no                              -   -  closed
fire_engine  highway=service motor_vehicle=no emergency=yes               20  20  assumed
fire_engine  highway=service access=private motor_vehicle=yes             20  20  assumed
fire_engine  highway=service access=emergency                             20  20  assumed
fire_engine  highway=service motorcar=no                                  20  20  assumed
fire_engine  highway=service area=yes emergency=yes                        -   -  closed

walk         highway=residential maxspeed=50 oneway=yes                  4.8 4.8  assumed
walk         highway=steps                                               2.4 2.4  assumed
walk         highway=footway oneway=-1                                   4.8 4.8  assumed
walk         highway=motorway                                              -   -  closed
walk         highway=motorway foot=yes                                   4.8 4.8  assumed
walk         highway=trunk                                               4.8 4.8  assumed
walk         highway=trunk foot=designated                               4.8 4.8  assumed
walk         highway=trunk foot=no                                         -   -  closed
walk         highway=path access=no                                        -   -  closed
walk         highway=path access=private foot=permissive                 4.8 4.8  assumed
walk         highway=path access=yes foot=no                               -   -  closed
walk         highway=path access=no foot=destination                     4.8 4.8  assumed
walk         highway=service motor_vehicle=no vehicle=private            4.8 4.8  assumed
walk         highway=proposed foot=yes                                     -   -  closed
walk         highway=construction foot=designated                          -   -  closed
walk         highway=abandoned foot=yes                                    -   -  closed
walk         highway=pedestrian area=yes                                 4.8 4.8  assumed
walk         highway=cycleway                                            4.8 4.8  assumed
"""

ROWS = [line.split() for line in TABLE.strip().splitlines() if line]


# a space inside a value is written as _ in the table
SPACE = re.compile("_(?=km/h|mph|knots|@|[(])")


def speed(text):
    return 0.0 if text == "-" else float(text)


@pytest.mark.parametrize("row", ROWS, ids=[" ".join(row[:-3]) for row in ROWS])
def test_rule_by_hand(row):
    name, *listed, along, against, how = row
    tags = dict(tag.split("=", 1) for tag in listed)
    for key in tags.keys() & {"maxspeed"}:
        tags[key] = SPACE.sub(" ", tags[key])
    rule = travel_mode(name).rule(tags)
    assert rule.along_kmh == pytest.approx(speed(along))
    assert rule.against_kmh == pytest.approx(speed(against))
    assert rule.is_open == (how != "closed")
    assert rule.is_imputed == (how == "assumed")


def test_the_table_is_long_enough():
    assert len(ROWS) >= 60
    assert {row[0] for row in ROWS} == set(mode_names())


@pytest.mark.parametrize(
    ("tags", "oneway", "maxspeed"),
    [
        ({"oneway": "sometimes"}, "sometimes", None),
        ({"oneway": "YES"}, "YES", None),
        ({"oneway": "no"}, None, None),
        ({"maxspeed": "fast"}, None, "fast"),
        ({"maxspeed": "0"}, None, "0"),
        ({"maxspeed": "50", "maxspeed:backward": "slow"}, None, "slow"),
        ({"maxspeed": "50"}, None, None),
        ({}, None, None),
    ],
)
def test_values_that_are_not_known_are_reported(tags, oneway, maxspeed):
    rule = travel_mode("drive").rule({"highway": "residential", **tags})
    assert (rule.unknown_oneway, rule.unknown_maxspeed) == (oneway, maxspeed)


KEYS = (
    "access",
    "vehicle",
    "motor_vehicle",
    "motorcar",
    "foot",
    "emergency",
    "oneway",
    "junction",
    "area",
    "maxspeed",
    "maxspeed:forward",
)
values = st.one_of(
    st.sampled_from(("yes", "no", "private", "-1", "roundabout", "50", "none", "30 mph", "designated")),
    st.text(max_size=8),
)
classes = st.one_of(
    st.sampled_from(("residential", "motorway", "footway", "steps", "proposed", "track")), st.text(max_size=8)
)


@given(st.sampled_from(mode_names()), classes, st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
def test_any_tags_give_a_usable_rule(name, highway, tags):
    mode = travel_mode(name)
    rule = mode.rule({"highway": highway, **tags})
    for kmh in (rule.along_kmh, rule.against_kmh):
        assert 0 <= kmh <= mode.top_kmh
    if not mode.oneway:
        assert rule.along_kmh == rule.against_kmh or mode.maxspeed


@given(st.one_of(st.text(max_size=20), st.from_regex(r"[A-Z]{2}:[a-z0-9²:]{0,6}[0-9²]?", fullmatch=True)))
def test_any_maxspeed_is_a_speed_or_unknown(text):
    kmh = parse_maxspeed(text)
    assert kmh is None or kmh > 0


@given(st.integers(1, 300))
def test_maxspeed_numbers_come_back(kmh):
    assert parse_maxspeed(str(kmh)) == kmh
    assert parse_maxspeed(f" {kmh} ; {kmh + 1}") == kmh
    assert parse_maxspeed(f"{kmh} mph") == pytest.approx(kmh * 1.609344)


@pytest.mark.parametrize("name", mode_names())
def test_every_mode_travels_and_survives_a_round_trip(name):
    mode = travel_mode(name)
    assert mode.rule({"highway": "residential"}).is_open
    assert mode.label_en
    assert mode.label_zh
    assert mode_from_dict(mode.to_dict()) == mode
    assert pickle.loads(pickle.dumps(mode)) == mode
    assert mode.walk_off_ms(1000.0) == pytest.approx(3_600_000 / mode.walk_off_kmh)


def test_facts_the_results_rest_on():
    fire = travel_mode("fire_engine")
    assert (fire.delay_s, fire.walk_off_kmh, fire.top_kmh) == (60, 15, 90)
    assert (fire.label_en, fire.label_zh) == ("Fire engine", "消防车")
    assert travel_mode("drive").delay_s == travel_mode("walk").delay_s == 0


def test_changes_make_a_new_mode():
    changed = travel_mode("fire_engine", oneway=False, closed=("no",), speed_kmh={"residential": 45})
    rule = changed.rule({"highway": "residential", "oneway": "yes", "access": "private"})
    assert (rule.along_kmh, rule.against_kmh) == (45, 45)
    assert changed.speed_kmh["primary"] == 60
    assert travel_mode("fire_engine").speed_kmh["residential"] == 30
    assert travel_mode(changed) is changed or travel_mode(changed) == changed
    assert not travel_mode("drive", speed_kmh={"residential": 0}).rule({"highway": "residential"}).is_open


def test_a_mode_in_hand_does_not_change_the_mode_of_others():
    mode = travel_mode("drive")
    try:
        mode.speed_kmh["residential"] = 1
    except TypeError:  # a view that cannot be written is as good
        return
    assert travel_mode("drive").speed_kmh["residential"] == 30


def test_unknown_mode_names_the_known_ones():
    with pytest.raises(NetworkError) as caught:
        travel_mode("tram")
    assert caught.value.code == "CG-NET-040"
    assert "drive, fire_engine, walk" in str(caught.value)
    with pytest.raises(NetworkError):
        travel_mode("maxspeed_rules")  # a table of the file, not a mode


@pytest.mark.parametrize(
    "changes",
    [
        {"wings": 2},
        {"speed_kmh": {"residential": -1}},
        {"speed_kmh": {"residential": math.nan}},
        {"speed_kmh": {"residential": 1001}},
        {"top_kmh": 0},
        {"top_kmh": math.inf},
        {"walk_off_kmh": 0},
        {"walk_off_kmh": -4},
        {"delay_s": -5},
        {"delay_s": math.nan},
        {"top_kmh": "fast"},
    ],
    ids=str,
)
def test_unusable_changes_are_refused(changes):
    with pytest.raises(InputError) as caught:
        travel_mode("drive", **changes)
    assert isinstance(caught.value, CitygeoError)
    assert caught.value.code in {"CG-IN-004", "CG-UNIT-002"}


def test_modes_are_frozen():
    with pytest.raises(AttributeError):
        travel_mode("drive").delay_s = 5
    assert isinstance(travel_mode("walk"), TravelMode)
