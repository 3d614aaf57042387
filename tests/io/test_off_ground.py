"""Which tags are a bridge, a tunnel or a ferry, and how edges of graphs spell it."""

from __future__ import annotations

import pytest

from citygeo.io.off_ground import BRIDGE, FERRY, GROUND, LETTERS, TUNNEL, kinds_of, off_ground

KINDS = [
    ({}, GROUND),
    ({"bridge": "yes"}, BRIDGE),
    ({"bridge": "viaduct"}, BRIDGE),
    ({"bridge": "boardwalk"}, BRIDGE),
    ({"bridge": "no"}, GROUND),
    ({"bridge": ""}, GROUND),
    ({"bridge": "0"}, GROUND),
    ({"bridge": "no;yes"}, BRIDGE),
    ({"bridge:structure": "beam"}, GROUND),
    ({"bridge": "no", "bridge:name": "Ölfusárbrú"}, GROUND),
    ({"layer": "1"}, GROUND),
    ({"embankment": "yes"}, GROUND),
    ({"tunnel": "yes"}, TUNNEL),
    ({"tunnel": "culvert"}, TUNNEL),
    ({"tunnel": "no"}, GROUND),
    ({"tunnel": "building_passage"}, GROUND),
    ({"tunnel": "building_passage; no"}, GROUND),
    ({"tunnel": "building_passage;yes"}, TUNNEL),
    ({"covered": "yes"}, GROUND),
    ({"bridge": "yes", "tunnel": "yes"}, TUNNEL),
    ({"bridge": "yes", "tunnel": "no"}, BRIDGE),
    ({"bridge": "yes", "tunnel": "building_passage"}, BRIDGE),
    ({"route": "ferry"}, FERRY),
    ({"highway": "ferry"}, FERRY),
    ({"highway": "service", "route": "ferry"}, FERRY),
    ({"route": "ferry", "bridge": "yes", "tunnel": "yes"}, FERRY),
    ({"route": "bus"}, GROUND),
]


@pytest.mark.parametrize(("tags", "kind"), KINDS, ids=str)
def test_kinds_by_tags(tags, kind):
    assert off_ground({"highway": "primary"} | tags) == kind


def test_numbers_are_those_that_the_network_documents():
    assert (GROUND, BRIDGE, TUNNEL, FERRY) == (0, 1, 2, 3)
    assert kinds_of(LETTERS, 4) == [GROUND, BRIDGE, TUNNEL, FERRY]


@pytest.mark.parametrize("text", ["", "gg", "gggg", "gxg", "GGG", "0 1", ["g", "b", "g"], 3])
def test_texts_that_do_not_fit(text):
    assert kinds_of(text, 3) is None
