"""Barriers and delays as tables, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.modes import NodeRule, mode_names, travel_mode
from citygeo.modes.nodes import split_tag

# Mode, tags of a node, and whether the mode gets past.
BARRIERS = """
== posts and blocks: too narrow for a car
drive        barrier=bollard                                        stops
drive        barrier=block                                          stops
drive        barrier=cycle_barrier                                  stops
drive        barrier=jersey_barrier                                 stops
drive        barrier=chain                                          stops
drive        barrier=yes                                            stops
drive        barrier=bollard bollard=rising                         stops
bus          barrier=bollard                                        stops
fire_engine  barrier=bollard                                        stops
walk         barrier=bollard                                        passes
walk         barrier=block                                          passes
walk         barrier=cycle_barrier                                  passes
bike         barrier=bollard                                        passes
bike         barrier=cycle_barrier                                  passes
wheelchair   barrier=bollard                                        passes
wheelchair   barrier=block                                          passes
wheelchair   barrier=cycle_barrier                                  stops

== the barrier's own access tags decide first, the most specific of them
drive        barrier=bollard motor_vehicle=yes                      passes
drive        barrier=bollard access=yes                             passes
drive        barrier=bollard bicycle=yes foot=yes                   stops
drive        barrier=gate access=no                                 stops
drive        barrier=gate access=private                            stops
drive        barrier=gate access=no motor_vehicle=destination       passes
drive        barrier=gate access=yes motorcar=no                    stops
drive        barrier=lift_gate access=customers                     passes
walk         barrier=gate access=private                            stops
walk         barrier=gate access=private foot=yes                   passes
walk         barrier=gate motor_vehicle=no                          passes
walk         barrier=wall foot=yes                                  passes
bike         barrier=gate bicycle=no                                stops
bike         barrier=bollard access=no foot=yes                     stops
bus          barrier=bollard bus=yes                                passes
bus          barrier=gate psv=no                                    stops
wheelchair   barrier=cycle_barrier wheelchair=yes                   passes
wheelchair   barrier=gate wheelchair=no                             stops
wheelchair   barrier=gate foot=no                                   stops

== gates open, unless locked
drive        barrier=gate                                           passes
drive        barrier=lift_gate                                      passes
drive        barrier=swing_gate                                     passes
drive        barrier=gate locked=yes                                stops
drive        barrier=gate locked=no                                 passes
walk         barrier=gate locked=yes                                stops
bike         barrier=swing_gate                                     passes

== gates and removable posts give way to emergency vehicles
fire_engine  barrier=gate access=private                            passes
fire_engine  barrier=gate access=no                                 passes
fire_engine  barrier=lift_gate motor_vehicle=no                     passes
fire_engine  barrier=gate locked=yes                                passes
fire_engine  barrier=chain                                          passes
fire_engine  barrier=gate emergency=no                              stops
fire_engine  barrier=bollard bollard=removable                      passes
fire_engine  barrier=bollard bollard=rising access=no               passes
fire_engine  barrier=bollard bollard=fixed                          stops
fire_engine  barrier=block emergency=yes                            passes
fire_engine  barrier=block access=no                                stops
fire_engine  barrier=toll_booth access=no                           stops
ambulance    barrier=gate access=private                            passes
ambulance    barrier=bollard                                        stops

== what cars, buses and tall vehicles may and may not fit through
drive        barrier=toll_booth                                     passes
drive        barrier=border_control                                 passes
drive        barrier=cattle_grid                                    passes
drive        barrier=entrance                                       passes
drive        barrier=kerb                                           passes
drive        barrier=height_restrictor                              passes
drive        barrier=bus_trap                                       stops
bus          barrier=bus_trap                                       passes
bus          barrier=height_restrictor                              stops
fire_engine  barrier=height_restrictor                              stops
ambulance    barrier=height_restrictor                              stops

== stiles and turnstiles are for people on foot
drive        barrier=stile                                          stops
walk         barrier=stile                                          passes
walk         barrier=turnstile                                      passes
bike         barrier=stile                                          stops
bike         barrier=turnstile                                      stops
bike         barrier=kissing_gate                                   stops
wheelchair   barrier=turnstile                                      stops
wheelchair   barrier=kissing_gate                                   stops
wheelchair   barrier=cattle_grid                                    stops

== walls stop everybody
drive        barrier=fence                                          stops
fire_engine  barrier=wall                                           stops
walk         barrier=fence                                          stops
bike         barrier=wall                                           stops

== kerbs stop wheelchairs, if raised
wheelchair   barrier=kerb kerb=raised                               stops
wheelchair   kerb=raised                                            stops
wheelchair   barrier=kerb kerb=lowered                              passes
wheelchair   barrier=kerb kerb=flush                                passes
wheelchair   barrier=kerb                                           passes
walk         barrier=kerb kerb=raised                               passes
bike         kerb=raised                                            passes

== a crossing is no barrier to those who travel along the street
wheelchair   highway=crossing kerb=raised                           passes
drive        highway=crossing motor_vehicle=no foot=yes             passes
bike         highway=crossing bicycle=no                            passes
walk         highway=traffic_signals foot=no                        passes
drive        highway=crossing barrier=bollard                       stops

== a barrier nobody knows lets through
drive        barrier=abracadabra                                    passes
drive        noexit=yes                                             passes
"""


def read_table(table):
    title = ""
    for line in table.strip().splitlines():
        if line.startswith("== "):
            title = line.removeprefix("== ")
        elif line:
            yield title, line.split()


BARRIER_ROWS = list(read_table(BARRIERS))


@pytest.mark.parametrize(
    "row", [row for _, row in BARRIER_ROWS], ids=[f"{title}: {' '.join(row)}" for title, row in BARRIER_ROWS]
)
def test_barrier_by_hand(row):
    name, *listed, answer = row
    rule = travel_mode(name).node_rule(dict(map(split_tag, listed)))
    assert rule == NodeRule(is_closed=answer == "stops", delay_s=0.0, heading="both")


def test_the_table_is_long_and_names_every_mode():
    assert len(BARRIER_ROWS) >= 80
    assert len({tuple(row) for _, row in BARRIER_ROWS}) == len(BARRIER_ROWS)
    assert {row[0] for _, row in BARRIER_ROWS} == set(mode_names())
    assert {row[-1] for _, row in BARRIER_ROWS} == {"stops", "passes"}


DELAYS = {
    "highway=traffic_signals": 15,
    "highway=stop": 6,
    "highway=give_way": 3,
    "highway=crossing": 2,
    "crossing=traffic_signals": 12,
    "barrier=toll_booth": 30,
    "traffic_calming=hump": 4,
}


@pytest.mark.parametrize(
    ("tags", "delay_s", "heading"),
    [
        ("highway=traffic_signals", 15, "both"),
        ("highway=traffic_signals traffic_signals:direction=forward", 15, "forward"),
        ("highway=traffic_signals traffic_signals:direction=backward", 15, "backward"),
        ("highway=traffic_signals traffic_signals:direction=both", 15, "both"),
        ("highway=traffic_signals direction=backward", 15, "backward"),
        ("highway=traffic_signals traffic_signals:direction=forward direction=backward", 15, "forward"),
        ("highway=stop", 6, "both"),
        ("highway=stop direction=forward", 6, "forward"),
        ("highway=give_way direction=backward", 3, "backward"),
        ("highway=give_way direction=both", 3, "both"),
        ("highway=stop direction=105", 6, "both"),
        ("highway=stop direction=N", 6, "both"),
        ("highway=crossing", 2, "both"),
        # one waits once: the longest, not the sum
        ("highway=crossing crossing=traffic_signals", 12, "both"),
        ("highway=traffic_signals crossing=traffic_signals", 15, "both"),
        ("highway=crossing traffic_calming=hump", 4, "both"),
        ("barrier=toll_booth", 30, "both"),
        ("highway=mini_roundabout", 0, "both"),
        ("highway=mini_roundabout direction=forward", 0, "both"),
    ],
)
def test_delay_by_hand(tags, delay_s, heading):
    mode = travel_mode("drive", node_delay_s=DELAYS)
    assert mode.node_rule(dict(map(split_tag, tags.split()))) == NodeRule(
        is_closed=False, delay_s=delay_s, heading=heading
    )


def test_who_cannot_pass_does_not_wait():
    mode = travel_mode("drive", node_delay_s=DELAYS)
    assert mode.node_rule({"barrier": "toll_booth", "access": "no"}) == NodeRule(is_closed=True, delay_s=0.0)


@pytest.mark.parametrize("name", mode_names())
def test_no_mode_has_delays_of_its_own(name):
    mode = travel_mode(name)
    assert mode.node_rule({"highway": "traffic_signals"}) == NodeRule(is_closed=False, delay_s=0.0)
    assert not mode.node_delay_s
    assert not mode.junction_s
    assert mode.left_turn_s == mode.right_turn_s == mode.u_turn_s == 0


words = st.one_of(
    st.sampled_from(("yes", "no", "private", "gate", "bollard", "forward", "a;b", ";")), st.text(max_size=6)
)
keys = st.sampled_from(
    ("barrier", "access", "highway", "locked", "kerb", "bollard", "direction", "foot", "emergency")
)


@given(st.sampled_from(mode_names()), st.dictionaries(keys, words, max_size=5))
def test_any_tags_give_a_usable_rule(name, tags):
    mode = travel_mode(name, node_delay_s=DELAYS)
    rule = mode.node_rule(tags)
    assert 0 <= rule.delay_s <= max(DELAYS.values())
    assert rule.heading in {"both", "forward", "backward"}
    assert mode.node_rule({**tags, "colour": "red"}) == rule


@given(st.sampled_from(mode_names()), st.sampled_from(("gate", "toll_booth", "kerb", "entrance")))
def test_a_node_without_barrier_keeps_nobody_out(name, barrier):
    mode = travel_mode(name)
    assert not mode.node_rule({"highway": "crossing", "access": "no", "locked": "yes"}).is_closed
    assert mode.node_rule({"barrier": barrier, "access": "no", mode.access[-1]: "no"}).is_closed


@pytest.mark.parametrize("text", ["highway", "=stop", "highway=", "="])
def test_a_tag_has_a_key_and_a_value(text):
    with pytest.raises(ValueError, match=text):
        split_tag(text)
