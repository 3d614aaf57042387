"""OSM XML: objects that editors deleted, encodings, and XML made to do harm."""

from __future__ import annotations

import pytest

from citygeo.errors import FileFormatError, UnsafeInputError
from citygeo.io.osm_xml import read_xml
from tests.io.osmforms import City, shown
from tests.toy import STREET

CITY = City(
    {1: (10.0, 50.0), 2: (10.1, 50.0), 3: (10.2, 50.0)}, [(1, [1, 2, 3], {**STREET, "name": "Gärtner"})]
)
LAUGHS = "".join(f"<!ENTITY l{i} '{f'&l{i - 1};' * 10}'>" for i in range(1, 10))


def read(xml, chunk=7):
    data = xml if isinstance(xml, bytes) else xml.encode()
    return read_xml("city.osm", (data[i : i + chunk] for i in range(0, len(data), chunk)))


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_pieces_of_any_size_give_the_same(chunk):
    assert shown(read(CITY.xml(), chunk))["ways"] == [(1, [1, 2, 3], CITY.ways[0][2])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings(encoding):
    xml = CITY.xml().replace("UTF-8", encoding)
    assert shown(read(xml.encode(encoding))) == shown(read(CITY.xml()))


@pytest.mark.parametrize("mark", ["visible='false'", "action='delete'"])
def test_deleted_objects_are_left_out(mark):
    plain = CITY.xml()
    way = "<way id='2' {}><nd ref='1'/><nd ref='3'/><tag k='highway' v='path'/></way></osm>"
    assert len(read(plain.replace("</osm>", way.format(""))).way_id) == 2
    assert shown(read(plain.replace("</osm>", way.format(mark)))) == shown(read(plain))
    gone = plain.replace("<node id='3'", f"<node {mark} id='3'")
    assert shown(read(gone))["ways"] == [(1, [1, 2], CITY.ways[0][2])]


def test_objects_that_an_editor_changed_are_kept():
    changed = CITY.xml().replace("<way id='1'", "<way id='1' action='modify' visible='true'")
    assert shown(read(changed)) == shown(read(CITY.xml()))


def test_tags_do_not_pass_from_one_object_to_the_next():
    tagged = City(CITY.nodes, [(1, [1, 2], STREET), (2, [2, 3], {})], node_tags={3: {"highway": "stop"}})
    assert shown(read(tagged.xml()))["ways"] == [(1, [1, 2], STREET)]


def test_places_within_ways():
    xml = """<osm><way id='1'><nd ref='5' lat='50' lon='10'/><nd ref='6' lat='50' lon='11'/><nd ref='7'/>
    <tag k='highway' v='path'/></way></osm>"""
    assert [node[:3] for node in shown(read(xml))["nodes"]] == [(5, 10.0, 50.0), (6, 11.0, 50.0)]


@pytest.mark.parametrize(
    "xml",
    [
        f"<?xml version='1.0'?><!DOCTYPE osm [<!ENTITY l0 'ha'>{LAUGHS}]><osm>&l9;</osm>",
        "<!DOCTYPE osm [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><osm>&x;</osm>",
        "<!DOCTYPE osm SYSTEM 'http://localhost/osm.dtd'><osm/>",
        "<!DOCTYPE osm><osm/>",
    ],
)
def test_document_types_are_refused(xml):
    with pytest.raises(UnsafeInputError) as caught:
        read(xml)
    assert caught.value.code == "CG-FILE-033"


@pytest.mark.parametrize(
    "inner",
    [
        "<node lat='1' lon='2'/>", "<node id='x' lat='1' lon='2'/>", "<node id='1' lat='1'/>",
        "<node id='1' lat='1' lon='east'/>", "<node id='9223372036854775808' lat='1' lon='2'/>",
        "<way id='1'><nd/></way>", "<way id='1'><nd ref='1.5'/></way>", "<way id='1'><tag k='highway'/></way>",
        "<way><nd ref='1'/></way>", "<way id='99999999999999999999'><tag k='highway' v='path'/></way>",
        "<relation id='1'><member type='way'/></relation>", "<relation id='1'><member ref='1'/></relation>",
        "<way id='1'>", "</osm>", "&lt", "&undefined;", "<way id='1' id='2'/>",
    ],
)  # fmt: skip
def test_odd_elements_are_damage(inner):
    with pytest.raises(FileFormatError, match="line") as caught:
        read(CITY.xml().replace("</osm>", f"{inner}</osm>"))
    assert caught.value.code == "CG-FILE-032"


def test_deep_nesting_is_no_danger():
    depth = 200_000
    with pytest.raises(FileFormatError) as caught:
        read("<osm>" + "<a>" * depth + "</a>" * depth + "</osm>", chunk=10**6)
    assert caught.value.code == "CG-FILE-010"
