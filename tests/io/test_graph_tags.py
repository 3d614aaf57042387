"""From attributes to tags: lists, flags, gaps."""

from __future__ import annotations

import numpy as np
import pytest

from citygeo.io.graph_tags import is_true, node_tags, way_tags


@pytest.mark.parametrize(
    ("attributes", "tags"),
    [
        (
            {"highway": "primary", "maxspeed": "50", "osmid": 7, "length": 3.0},
            {"highway": "primary", "maxspeed": "50"},
        ),
        ({"maxspeed": 50, "lanes": 2.0, "width": 3.5}, {"maxspeed": "50", "lanes": "2", "width": "3.5"}),
        ({"bridge": True, "tunnel": False}, {"bridge": "yes", "tunnel": "no"}),
        ({"name": None, "ref": float("nan"), "maxspeed": np.float64("nan"), "surface": ""}, {}),
        ({"oneway": True, "reversed": False}, {}),
        ({"access:conditional": "no @ (Mo-Fr)"}, {"access:conditional": "no @ (Mo-Fr)"}),
        ({"highway": ["tertiary", "service"]}, {"highway": "service"}),
        ({"highway": ["service", "tertiary"]}, {"highway": "service"}),
        ({"highway": ["motorway_link", "motorway"]}, {"highway": "motorway_link"}),
        ({"highway": ["steps", "primary", "footway"]}, {"highway": "steps"}),
        ({"highway": ["primary", "via_ferrata"]}, {"highway": "via_ferrata"}),
        ({"maxspeed": ["50", "30"]}, {"maxspeed": "30;50"}),
        ({"maxspeed": {"50", None}}, {"maxspeed": "50"}),
        ({"access": ["yes", "private"]}, {"access": "private"}),
        ({"access": ["private", "no"]}, {"access": "no"}),
        ({"foot": ["designated", "yes"]}, {"foot": "designated"}),
        ({"motor_vehicle": ("destination", "permissive")}, {"motor_vehicle": "destination"}),
        ({"name": np.array(["B", "A"])}, {"name": "A;B"}),
        ({"layer": [1, 0]}, {"layer": "0;1"}),
    ],
)
def test_attributes_become_tags(attributes, tags):
    assert way_tags(attributes).tags == tags


def test_keys_of_which_one_value_was_chosen_are_told_but_names_are_no_choice():
    attributes = {
        "name": ["A", "B"],
        "ref": ["1", "2"],
        "highway": ["service", "track"],
        "maxspeed": ["30", "30"],
    }
    assert way_tags(attributes).chosen == ("highway",)


def test_a_node_has_the_tags_asked_for():
    attributes = {"x": 3.0, "highway": "traffic_signals", "crossing": ["zebra", "marked"], "direction": None}
    tags = node_tags(attributes, ("highway", "crossing", "direction", "barrier"))
    assert tags == {"highway": "traffic_signals", "crossing": "marked;zebra"}


@pytest.mark.parametrize("value", [True, np.True_, "True", "true", "yes", "1", 1])
def test_set_flags(value):
    assert is_true(value)


@pytest.mark.parametrize("value", [False, np.False_, "False", "no", "-1", None, [True, False], 0, ""])
def test_flags_that_are_not_set(value):
    assert not is_true(value)
