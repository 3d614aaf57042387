"""The modes themselves: what the data file holds, how modes are changed, what is refused, properties of all rules."""

from __future__ import annotations

import json
import math
import pickle
import time
from dataclasses import fields

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from citygeo.errors import InputError, NetworkError
from citygeo.io.streets import CONDITIONAL, NODE_TAGS, WAY_TAGS
from citygeo.modes import TravelMode, mode_from_dict, mode_names, tables, travel_mode
from citygeo.modes.tables import mode_entry

# --- the data file


@pytest.mark.parametrize("name", mode_names())
def test_every_mode_is_usable_and_survives_a_round_trip(name):
    mode = travel_mode(name)  # checks all fields
    assert mode.rule({"highway": "residential"}).is_open
    assert mode.label_en
    assert not mode.label_zh.isascii()
    manifest = json.loads(json.dumps(mode.to_dict(), ensure_ascii=False, sort_keys=True, allow_nan=False))
    assert mode_from_dict(manifest) == mode_from_dict(mode.to_dict()) == mode
    assert pickle.loads(pickle.dumps(mode)) == mode
    assert mode.walk_off_ms(1000.0) == pytest.approx(3_600_000 / mode.walk_off_kmh)


def test_a_mode_with_every_field_set_survives_a_round_trip():
    mode = travel_mode(
        "bike", node_delay_s={"highway=stop": 3}, junction_s={"primary": 4.5}, left_turn_s=1, slope="tobler",
        max_incline_percent=12, ferry_kmh=7, closed=["no"],
    )  # fmt: skip
    again = mode_from_dict(json.loads(json.dumps(mode.to_dict())))
    assert again == mode
    tags = {"highway": "steps", "ramp": "yes", "incline": "20%"}
    assert again.rule(tags) == mode.rule(tags)


def test_facts_the_results_rest_on():
    fire = travel_mode("fire_engine")
    assert (fire.delay_s, fire.walk_off_kmh, fire.top_kmh) == (60, 15, 90)
    assert (fire.label_en, fire.label_zh) == ("Fire engine", "消防车")
    assert travel_mode("ambulance").delay_s == 60
    assert travel_mode("drive").delay_s == travel_mode("walk").delay_s == 0
    assert [travel_mode(name).label_zh for name in mode_names()] == [
        "小汽车", "消防车", "救护车", "公交车", "步行", "自行车", "轮椅",
    ]  # fmt: skip


@pytest.mark.parametrize("name", mode_names())
def test_readers_keep_every_tag_that_a_mode_asks_for(name):
    mode = travel_mode(name)
    asked = {key for key in mode.rule_keys if not key.endswith(CONDITIONAL)}
    assert asked <= WAY_TAGS
    at_nodes = {*mode.access, *mode.node_closed_by, *(tag.split("=")[0] for tag in mode.node_passes)}
    assert at_nodes <= NODE_TAGS


def test_the_comments_explain_every_field():
    text = (tables.files("citygeo") / "data" / "modes.toml").read_text(encoding="utf-8")
    explained = text[: text.index("[drive]")]
    for item in fields(TravelMode):
        assert f"\n# {item.name}" in explained or f", {item.name}" in explained or item.name == "name"


def test_a_new_mode_is_a_new_table(monkeypatch):
    scooter = {
        "like": "bike", "label": {"en": "Scooter", "zh": "电动滑板车"}, "top_kmh": 20, "opens_with": {},
        "closed": ["@restricted", "dismount"], "speed_kmh": {"residential": 20, "path": 0},
    }  # fmt: skip
    with_scooter = {**tables.tables(), "scooter": scooter}
    monkeypatch.setattr(tables, "tables", lambda: with_scooter)
    assert mode_names()[-1] == "scooter"
    mode = travel_mode("scooter")
    assert (mode.name, mode.label_en) == ("scooter", "Scooter")
    assert mode.rule({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"})[:2] == (20, 20)
    assert mode.rule({"highway": "cycleway"})[:2] == (15, 15)  # as the bicycle
    assert not mode.rule({"highway": "path"}).is_open
    assert mode.closed == ("no", "private", "permit", "residents", "military", "dismount")


def test_like_takes_over_what_is_not_said():
    entry = mode_entry("ambulance")
    assert entry["speed_kmh"]["motorway"] == 110  # its own
    assert entry["speed_kmh"]["track"] == 15  # of the fire engine
    assert entry["speed_kmh"]["primary"] == 60  # of the car, which the fire engine is like
    assert "like" not in entry


# --- names and changes


def test_unknown_mode_names_the_known_ones():
    with pytest.raises(NetworkError) as caught:
        travel_mode("tram")
    assert caught.value.code == "CG-NET-040"
    assert ", ".join(mode_names()) in str(caught.value)
    for table in ("maxspeed_rules", "not_built", "lists"):  # tables of the file, but no modes
        with pytest.raises(NetworkError):
            travel_mode(table)


def test_changes_make_a_new_mode():
    changed = travel_mode("fire_engine", oneway=False, closed=("no",), speed_kmh={"residential": 45})
    rule = changed.rule({"highway": "residential", "oneway": "yes", "access": "private"})
    assert (rule.along_kmh, rule.against_kmh) == (45, 45)
    assert changed.speed_kmh["primary"] == 60
    assert travel_mode("fire_engine").speed_kmh["residential"] == 30
    assert travel_mode(changed) == changed
    assert not travel_mode("drive", speed_kmh={"residential": 0}).rule({"highway": "residential"}).is_open


def test_lists_and_tuples_are_the_same():
    listed, tupled = (
        travel_mode("drive", closed=kind(["no"]), opens_with={"motor_vehicle": kind(["yes"])})
        for kind in (list, tuple)
    )
    assert listed == tupled
    assert listed.closed == ("no",)


def test_tables_are_merged_line_by_line():
    mode = travel_mode("bike", limit_kmh={"smoothness": {"bad": 6}}, label={"en": "Cargo bike"})
    assert mode.label == {"en": "Cargo bike", "zh": "自行车"}
    assert mode.limit_kmh["smoothness"] == {"bad": 6}
    assert mode.limit_kmh["surface"]["sand"] == 4


def test_a_mode_in_hand_does_not_change_the_mode_of_others():
    mode = travel_mode("wheelchair")
    mode.speed_kmh["residential"] = 1
    mode.limit_kmh["surface"]["sand"] = 1
    assert travel_mode("wheelchair").speed_kmh["residential"] == 4.8
    assert travel_mode("wheelchair").limit_kmh["surface"]["sand"] == 0


def test_modes_are_frozen():
    with pytest.raises(AttributeError):
        travel_mode("drive").delay_s = 5
    assert isinstance(travel_mode("walk"), TravelMode)


def test_few_fields_make_a_mode():
    mode = mode_from_dict({
        "name": "toy", "label": {"en": "Toy", "zh": "玩具"}, "speed_kmh": {"residential": 36}, "maxspeed": True,
        "top_kmh": 360, "access": ["access"], "closed": ["no"], "oneway": True, "delay_s": 0, "walk_off_kmh": 3.6,
    })  # fmt: skip
    assert mode.rule({"highway": "residential", "oneway": "yes"})[:2] == (36, 0)
    assert not mode.rule({"highway": "residential", "access": "no"}).is_open
    assert not mode.rule({"route": "ferry"}).is_open
    assert not mode.node_rule({"barrier": "bollard"}).is_closed
    assert mode.vehicles == ()
    assert mode.slope == ""


# --- what is refused


@pytest.mark.parametrize(
    ("argument", "changes"),
    [
        ("wings", {"wings": 2}),
        ("oneway", {"oneway": "no"}),
        ("maxspeed", {"maxspeed": 1}),
        ("areas", {"areas": None}),
        ("name", {"name": 3}),
        ("closed", {"closed": "no"}),
        ("closed", {"closed": [1]}),
        ("vehicles", {"vehicles": "motorcar"}),
        ("oneway_keys", {"oneway_keys": "oneway:bus"}),
        ("node_passes", {"node_passes": "barrier=gate"}),
        ("node_passes[gate]", {"node_passes": ["gate"]}),
        ("opens_with", {"opens_with": ["foot"]}),
        ("opens_with[foot]", {"opens_with": {"foot": "yes"}}),
        ("contraflow[cycleway]", {"contraflow": {"cycleway": "opposite"}}),
        ("node_closed_by[barrier]", {"node_closed_by": {"barrier": "bollard"}}),
        ("speed_kmh", {"speed_kmh": 30}),
        ("speed_kmh", {"speed_kmh": {"residential": 30, 1: 30}}),
        ("speed_kmh[residential]", {"speed_kmh": {"residential": -1}}),
        ("speed_kmh[residential]", {"speed_kmh": {"residential": math.nan}}),
        ("speed_kmh[residential]", {"speed_kmh": {"residential": 1001}}),
        ("speed_kmh[residential]", {"speed_kmh": {"residential": True}}),
        ("special_kmh[service]", {"special_kmh": {"service": 10}}),
        ("special_kmh[service service=alley]", {"special_kmh": {"service service=alley": "slow"}}),
        ("limit_kmh[surface]", {"limit_kmh": {"surface": 10}}),
        ("limit_kmh[surface][sand]", {"limit_kmh": {"surface": {"sand": -1}}}),
        ("max_incline_percent", {"max_incline_percent": 120}),
        ("max_incline_percent", {"max_incline_percent": "8%"}),
        ("top_kmh", {"top_kmh": 0}),
        ("top_kmh", {"top_kmh": math.inf}),
        ("top_kmh", {"top_kmh": "fast"}),
        ("ferry_kmh", {"ferry_kmh": -1}),
        ("walk_off_kmh", {"walk_off_kmh": 0}),
        ("walk_off_kmh", {"walk_off_kmh": -4}),
        ("delay_s", {"delay_s": -5}),
        ("delay_s", {"delay_s": math.nan}),
        ("left_turn_s", {"left_turn_s": -1}),
        ("u_turn_s", {"u_turn_s": 86_401}),
        ("junction_s[primary]", {"junction_s": {"primary": "long"}}),
        ("node_delay_s[highway=stop]", {"node_delay_s": {"highway=stop": -1}}),
        ("node_delay_s[stop]", {"node_delay_s": {"stop": 5}}),
        ("slope", {"slope": "steep"}),
        ("slope", {"slope": True}),
        ("label", {"label": "Car"}),
    ],
    ids=str,
)
def test_unusable_changes_are_refused(argument, changes):
    with pytest.raises(InputError) as caught:
        travel_mode("drive", **changes)
    assert caught.value.code == "CG-IN-004"
    assert caught.value.data["argument"] == argument
    assert caught.value.data["rule"]


def test_a_mode_needs_a_name_in_both_languages():
    mode = mode_from_dict({**travel_mode("drive").to_dict(), "label": {"en": "Car"}})
    with pytest.raises(InputError, match="zh"):
        travel_mode(mode)


# --- properties of the rules of all modes

KEYS = sorted(set().union(*(travel_mode(name).rule_keys for name in mode_names())) - {"highway"})
values = st.one_of(
    st.sampled_from((
        "yes", "no", "private", "-1", "roundabout", "50", "none", "30 mph", "designated", "opposite_lane", "bad",
        "no;private", "10%", "DE:zone:30", "ferry", "00:20", "no @ (Su)",
    )),
    st.text(max_size=8),
)  # fmt: skip
classes = st.one_of(
    st.sampled_from(
        ("residential", "motorway", "trunk", "footway", "steps", "proposed", "track", "service", "busway")
    ),
    st.text(max_size=8),
)
names = st.sampled_from(mode_names())
tag_sets = st.dictionaries(st.sampled_from(KEYS), values, max_size=6)


@given(names, st.one_of(st.none(), classes), tag_sets)
def test_any_tags_give_a_usable_rule(name, highway, tags):
    mode = travel_mode(name)
    rule = mode.rule(tags if highway is None else {"highway": highway, **tags})
    for kmh in (rule.along_kmh, rule.against_kmh):
        assert 0 <= kmh <= mode.top_kmh
    assert rule.duration_s is None or rule.duration_s > 0
    assert set(rule.conditional) <= tags.keys()
    if not rule.is_open:
        assert rule[:6] == (0.0, 0.0, False, None, None, None)


@given(names, classes, tag_sets, st.text(min_size=1, max_size=12), st.text(max_size=5))
def test_tags_that_are_not_asked_for_change_nothing(name, highway, tags, key, value):
    mode = travel_mode(name)
    assume(key not in mode.rule_keys)
    way = {"highway": highway, **tags}
    asked = {other: way[other] for other in way.keys() & mode.rule_keys}
    assert mode.rule({**way, key: value}) == mode.rule(way) == mode.rule(asked)


@given(names, classes, tag_sets)
def test_access_no_closes_what_nothing_more_specific_opens(name, highway, tags):
    mode = travel_mode(name)
    specific = {key for plain in mode.access for key in (plain, f"{plain}:forward", f"{plain}:backward")}
    way = {"highway": highway, **{key: value for key, value in tags.items() if key not in specific}}
    assert not mode.rule({**way, "access": "no"}).is_open


TURNED = {"yes": "-1", "-1": "yes", "true": "reverse", "no": "no", "sometimes": "sometimes"}
SIDES = {"forward": "backward", "backward": "forward"}


@given(
    names,
    st.sampled_from(("residential", "service", "trunk", "cycleway", "footway", "steps", "pedestrian")),
    st.fixed_dictionaries({}, optional={
        **dict.fromkeys(("oneway", "oneway:bicycle", "oneway:bus", "oneway:foot"), st.sampled_from(tuple(TURNED))),
        **dict.fromkeys(("maxspeed:forward", "maxspeed:backward"), st.sampled_from(("30", "fast"))),
        **dict.fromkeys(("vehicle:forward", "vehicle:backward", "access:backward"), st.sampled_from(("yes", "no"))),
        "cycleway": st.sampled_from(("opposite", "lane")),
        "bicycle": st.just("yes"),
        "bus": st.just("yes"),
    }),
)  # fmt: skip
def test_a_way_drawn_the_other_way_round_is_the_same_way(name, highway, tags):
    """Turn the drawing: every tag of one direction is turned, and the answer is turned."""
    assume("oneway" in tags or tags.get("oneway:bicycle") != "no")

    def turned_key(key):
        stem, _, side = key.rpartition(":")
        return f"{stem}:{SIDES[side]}" if side in SIDES else key

    turned = {
        turned_key(key): TURNED[value] if key.startswith("oneway") else value for key, value in tags.items()
    }
    mode = travel_mode(name)
    rule, back = mode.rule({"highway": highway, **tags}), mode.rule({"highway": highway, **turned})
    assert (rule.along_kmh, rule.against_kmh, rule.is_imputed) == (
        back.against_kmh,
        back.along_kmh,
        back.is_imputed,
    )


def test_twenty_thousand_ways_in_half_a_second():
    ways = [
        {
            "highway": ("residential", "service", "footway", "trunk")[i % 4], "maxspeed": str(30 + i % 7 * 10),
            "surface": ("asphalt", "gravel")[i % 2], "oneway": ("yes", "no", "-1")[i % 3], "service": "driveway",
            "name": f"Street {i}", "cycleway:left": "lane", "sidewalk": "both", "lit": "yes",
        }
        for i in range(20_000)
    ]  # fmt: skip
    for name in mode_names():
        assert min(_seconds(travel_mode(name), ways) for _ in range(3)) < 0.5


def _seconds(mode, ways):
    start = time.process_time()
    for tags in ways:
        mode.rule(tags)
    return time.process_time() - start
