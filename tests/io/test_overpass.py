"""Overpass JSON: geometry instead of nodes, answers that stopped early, answers of other shapes."""

from __future__ import annotations

import json

import pytest

from citygeo.errors import FileFormatError
from citygeo.io.osm_xml import read_xml
from citygeo.io.overpass import read_overpass
from tests.io.osmforms import City, shown
from tests.toy import ONEWAY, STREET

CITY = City(
    {1: (10.0, 50.0), 2: (10.1, 50.0), 3: (10.2, 50.0), 4: (10.1, 50.1)},
    [(1, [1, 2, 3], STREET), (2, [4, 2], ONEWAY)],
    node_tags={2: {"highway": "stop", "direction": "forward"}, 4: {"shop": "books"}},
)
TIMEOUT = 'runtime error: Query timed out in "query" at line 4 after 181 seconds.'


def read(answer):
    data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return read_overpass("city.json", data)


def test_geometry_gives_what_nodes_give():
    by_nodes, by_geometry = (read(CITY.json(geometry=geometry).encode()) for geometry in (False, True))
    assert shown(by_geometry) == shown(by_nodes)
    assert by_geometry.issues.found == []


def test_ways_without_node_ids_meet_where_their_places_are_the_same():
    elements = CITY.elements(geometry=True)
    for element in elements:
        element.pop("nodes", None)
    streets = read({"elements": elements})
    ways = [[streets.node_lonlat[i].tolist() for i in streets.way_node[a:b]] for a, b in ((0, 3), (3, 5))]
    assert ways == [[[10.0, 50.0], [10.1, 50.0], [10.2, 50.0]], [[10.1, 50.1], [10.1, 50.0]]]
    assert len(streets.node_id) == 4
    assert (streets.node_id < 0).all()
    assert [(item.code, item.severity, item.count) for item in streets.issues.found] == [
        ("CG-FILE-036", "info", 2)
    ]


@pytest.mark.parametrize("has_ids", [True, False])
def test_places_outside_the_box_asked_for_are_gaps(has_ids):
    elements = CITY.elements(geometry=True)
    elements[0]["geometry"][1] = None
    elements[1]["nodes"] = [4, 9]
    elements[1]["geometry"] = [{"lon": 10.1, "lat": 50.1}, {"lon": 10.3, "lat": 50.0}]
    if not has_ids:
        for element in elements:
            element.pop("nodes", None)
    streets = read({"elements": elements[:2]})
    assert streets.way_id.tolist() == [2]
    assert [item.count for item in streets.issues.found if item.code == "CG-FILE-004"] == [1]


def test_an_object_given_twice_is_taken_once_with_its_tags():
    elements = CITY.elements()
    bare = [{key: value for key, value in one.items() if key != "tags"} for one in elements]
    for listed in (elements + bare, bare + elements, elements + elements):
        assert shown(read({"elements": listed})) == shown(read({"elements": elements}))


@pytest.mark.parametrize(
    "remark", [TIMEOUT, "runtime error: Query run out of memory using about 2048 MB of RAM."]
)
def test_an_answer_that_stopped_early_is_refused(remark):
    with pytest.raises(FileFormatError, match="Overpass says") as caught:
        read(CITY.json(remark=remark).encode())
    assert (caught.value.code, caught.value.data["remark"]) == ("CG-FILE-034", remark)
    xml = CITY.xml().replace("</osm>", f"<remark> {remark} </remark></osm>")
    with pytest.raises(FileFormatError) as caught:
        read_xml("city.osm", [xml.encode()])
    assert (caught.value.code, caught.value.data["remark"]) == ("CG-FILE-034", remark)


def test_any_other_remark_is_a_finding():
    xml = CITY.xml().replace("</osm>", "<note>not this</note><remark>data of yesterday</remark></osm>")
    for streets in (
        read(CITY.json(remark="data of yesterday").encode()),
        read_xml("city.osm", [xml.encode()]),
    ):
        assert [(item.code, item.severity) for item in streets.issues.found] == [("CG-FILE-035", "warning")]
        assert "'data of yesterday'" in streets.issues.found[0].message


@pytest.mark.parametrize(
    "element",
    [
        {"id": 1, "nodes": [1, 2]},
        {"type": "way", "nodes": [1, 2], "tags": STREET},
        {"type": "way", "id": "1", "nodes": [1, 2], "tags": STREET},
        {"type": "way", "id": 1.5, "nodes": [1, 2], "tags": STREET},
        {"type": "way", "id": 2**63, "nodes": [1, 2], "tags": STREET},
        {"type": "way", "id": 1, "nodes": [1, "2"], "tags": STREET},
        {"type": "way", "id": 1, "nodes": [1, 2.5], "tags": STREET},
        {"type": "way", "id": 1, "nodes": 5, "tags": STREET},
        {"type": "way", "id": 1, "nodes": [1, 2], "tags": [1]},
        {"type": "way", "id": 1, "nodes": [1, 2], "tags": {"highway": 1}},
        {"type": "way", "id": 1, "nodes": [1, 2], "geometry": [{"lat": 1, "lon": 2}], "tags": STREET},
        {"type": "way", "id": 1, "nodes": [1, 2], "geometry": [{"lat": 1}, None], "tags": STREET},
        {"type": "node", "id": 1, "lat": "1", "lon": 2},
        {"type": "node", "id": 1, "lat": 1},
        {"type": "node", "id": None, "lat": 1, "lon": 2},
        {"type": "relation", "id": 1, "members": [{"type": "way"}], "tags": {}},
        {"type": "relation", "id": 1, "members": [{"type": "way", "ref": "x"}], "tags": {}},
        "way",
        None,
    ],
)
def test_odd_elements_are_damage(element):
    with pytest.raises(FileFormatError, match=f"element {len(CITY.elements())}") as caught:
        read({"elements": [*CITY.elements(), element]})
    assert caught.value.code == "CG-FILE-032"


def test_other_elements_are_none_of_ours():
    elements = [
        {"type": "count", "id": 0, "tags": {"nodes": "1"}},
        {"type": "area", "id": 1},
        *CITY.elements(),
    ]
    deleted = {"type": "node", "id": 77}
    assert shown(read({"elements": [*elements, deleted]})) == shown(read(CITY.json().encode()))


@pytest.mark.parametrize(
    "data", [b"{", b'{"elements": [}', b"{" * 100_000, b'{"elements":' + b"[" * 200_000, b"\xff{}"]
)
def test_damaged_json_is_refused(data):
    with pytest.raises(FileFormatError) as caught:
        read(data)
    assert caught.value.code == "CG-FILE-032"


@pytest.mark.parametrize("data", [b"{}", b'{"elements": {}}', b"[]", b'"text"'])
def test_other_json_is_refused(data):
    with pytest.raises(FileFormatError) as caught:
        read(data)
    assert caught.value.code == "CG-FILE-002"
