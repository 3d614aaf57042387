"""Streets from every form of OSM data: the same tables, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import json
import pickle
import random
from pathlib import Path

import numpy as np
import pytest

from citygeo.errors import (
    CitygeoWarning,
    FileError,
    FileFormatError,
    NetworkError,
    UnsafeInputError,
)
from citygeo.io import osm
from citygeo.io.crop import crop, region
from citygeo.io.streets import CONDITIONAL, WAY_TAGS, Restriction
from citygeo.network import RoadNetwork
from tests.io.osmforms import City, shown
from tests.toy import ONEWAY, STREET, lonlat, toy_mode, write_pbf

NODES = {5: (0, 0), 2: (100, 0), 9: (200, 0), 4: (200, 100), 7: (0, 80)}
WAYS = [
    ((5, 2, 9), {**STREET, "name": "Gata 街", "source": "survey"}),
    ((9, 4), ONEWAY),
    ((5, 7), {"building": "yes"}),
    ((9, 4, 2, 9), {"highway": "pedestrian", "area": "yes"}),
]
RELATION = ([("w", 1, "outer")], {"type": "boundary"})

TURN = {"type": "restriction", "restriction": "no_left_turn", "except": "psv"}
AT_TIMES = {"type": "restriction", "restriction:conditional": "no_left_turn @ wet"}
SIGNALS, GATE = {"highway": "traffic_signals"}, {"barrier": "gate"}
CITY = City(
    nodes={
        -4: (-21.9000001, 64.1),
        1: (-21.9, 64.1),
        2: (-21.8999999, 64.1000001),
        3: (-21.8, 64.2),
        7: (-21.7, 64.15),
        2**35: (-21.6, 64.1234567),
    },
    ways=[
        (11, [2**35, 2, 1], {"highway": "primary", "name": 'A <b> & "c" 街道', "maxspeed:conditional": "30 @ wet"}),
        (-5, [3, 2, 3], {"highway": "primary", "colour": "red"}),
        (12, [3, 3, 7, 7], {"route": "ferry", "duration": "00:20"}),
        (13, [1, 2], {"building": "yes"}),
        (14, [1, 2], {"route": "bus"}),
        (15, [3, 404, 7, -4], {"highway": "path", "colour": "red"}),
        (16, [7], {"highway": "path"}),
        (17, [7, 7], {"highway": "path"}),
    ],
    relations=[
        (1, [("w", 11, "from"), ("n", 2, "via"), ("w", -5, "to")], TURN),
        (2, [("w", 11, "from"), ("w", -5, "to")], TURN),
        (3, [("w", 11, "from"), ("n", 2, "via"), ("w", -5, "to")], AT_TIMES),
        (4, [("w", 11, "outer")], {"type": "boundary"}),
    ],
    node_tags={2: {**SIGNALS, "colour": "red"}, 7: {"name": "not of streets"}, 3: GATE},
)  # fmt: skip
FORMS = ("city.osm.pbf", "city.osm", "city.osm.gz", "city.osm.bz2", "city.json", "city.json.gz")


def write(tmp_path, nodes=NODES, ways=WAYS, relations=(RELATION,), **options):
    return write_pbf(tmp_path / "city.osm.pbf", nodes, ways, relations, **options)


# --- the same from every form ---------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_tables(tmp_path, name):
    streets = osm.read(CITY.write(tmp_path / name))
    first = {key: CITY.ways[0][2][key] for key in ("highway", "name", "maxspeed:conditional")}
    assert shown(streets) == {
        "nodes": [
            (-4, -21.9000001, 64.1, {}), (1, -21.9, 64.1, {}), (2, -21.8999999, 64.1000001, SIGNALS),
            (3, -21.8, 64.2, GATE), (7, -21.7, 64.15, {}), (2**35, -21.6, 64.1234567, {}),
        ],
        "ways": [
            (11, [2**35, 2, 1], first),
            (-5, [3, 2, 3], {"highway": "primary"}),
            (12, [3, 7], {"route": "ferry", "duration": "00:20"}),
            (15, [7, -4], {"highway": "path"}),
        ],
        "restrictions": [Restriction(1, "no_left_turn", (11,), 2, (), (-5,), None, ("psv",))],
        "types": ["int64", "float64", "int64", "int64", "int64", "int32", "int32"],
    }  # fmt: skip
    assert streets.source == name
    found = {item.code: (item.count, item.sample) for item in streets.issues.found}
    assert found == {
        "CG-FILE-031": (2, ("16", "17")),
        "CG-FILE-004": (1, ("404",)),
        "CG-NET-062": (1, ("2",)),
        "CG-NET-063": (1, ("3",)),
    }


@pytest.mark.parametrize("name", FORMS)
def test_the_content_says_what_a_file_is(tmp_path, name):
    path = CITY.write(tmp_path / name)
    expected = shown(osm.read(path))
    for other in ("city", "city.osm.pbf", "city.xml", "city.txt"):
        assert shown(osm.read(path.rename(tmp_path / other))) == expected
        (tmp_path / other).rename(path)


@pytest.mark.parametrize("name", FORMS)
def test_a_region_gives_the_same_from_every_form(tmp_path, name):
    path = CITY.write(tmp_path / name)
    for bbox in ((-21.85, 64.1, -21.75, 64.3), (-21.95, 64.05, -21.85, 64.15), (-22, 64, -21, 65)):
        inside = region(bbox=bbox)
        assert shown(osm.read(path, region=inside)) == shown(crop(osm.read(path), inside))
    with pytest.raises(NetworkError) as caught:
        osm.read(path, region=region(bbox=(8, 50, 9, 51)))
    assert caught.value.code == "CG-NET-060"
    assert "-21.9, 64.1, -21.6, 64.2" in str(caught.value)


def test_every_tag_a_mode_asks_for_is_kept():
    from citygeo.modes import mode_names, travel_mode

    for mode in map(travel_mode, mode_names()):
        asked = {key for key in mode.rule_keys if not key.endswith(CONDITIONAL)}
        assert asked <= WAY_TAGS, mode.name


@pytest.mark.parametrize("name", FORMS)
def test_no_roads(tmp_path, name):
    city = City({1: (0, 0), 2: (0, 0.1)}, [(1, [1, 2], {"building": "yes"})], CITY.relations[3:])
    with pytest.raises(FileFormatError) as caught:
        osm.read(city.write(tmp_path / name))
    assert (caught.value.code, caught.value.data["ways"]) == ("CG-FILE-010", 1)
    with pytest.raises(FileFormatError) as caught:
        osm.read(tmp_path / name, region=region(bbox=(0, 0, 1, 1)))
    assert caught.value.code == "CG-FILE-010"


@pytest.mark.parametrize("name", FORMS)
def test_roads_without_any_place_are_no_file_without_roads(tmp_path, name):
    city = City({99: (0, 0)}, [(1, [1, 2, 3], STREET)], node_tags={99: {"shop": "books"}})
    with pytest.raises(FileFormatError) as caught:
        osm.read(city.write(tmp_path / name))
    assert (caught.value.code, caught.value.data["ways"]) == ("CG-FILE-020", 1)


@pytest.mark.parametrize("name", ["city.osm", "city.json"])
def test_places_that_are_on_no_map_are_none(tmp_path, name):
    city = City({1: (0, 0), 2: (0, 1), 3: (0, 91), 4: (181, 0), 5: (0, 0)}, [(1, [1, 2, 3, 2, 4, 1], STREET)])
    streets = osm.read(city.write(tmp_path / name))
    assert shown(streets)["ways"] == [(1, [1, 2], STREET)]
    assert [(item.code, item.count) for item in streets.issues.found] == [("CG-FILE-004", 2)]


# --- as a network ---------------------------------------------------------------------------------


def test_ways_with_a_highway_tag_are_read_in_order(tmp_path):
    streets = osm.read(write(tmp_path))
    assert streets.way_id.tolist() == [1, 2, 4]
    assert streets.way_start.tolist() == [0, 3, 5, 9]
    assert streets.node_id[streets.way_node].tolist() == [5, 2, 9, 9, 4, 9, 4, 2, 9]
    expected = [lonlat(*NODES[node]) for node in streets.node_id.tolist()]
    np.testing.assert_allclose(streets.node_lonlat, expected, atol=0.6e-7)
    assert streets.highway_counts() == {"residential": 2, "pedestrian": 1}
    assert streets.issues.found == []


def test_gaps_are_left_out_and_counted(tmp_path):
    nodes = {i: (100.0 * i, 0.0) for i in (1, 2, 4, 5, 7)}
    path = write(tmp_path, nodes, [((1, 2, 3, 4, 5, 6, 7), STREET), ((1, 8), STREET)])
    streets = osm.read(path)
    assert [nodes for _, nodes, _ in shown(streets)["ways"]] == [[1, 2], [4, 5]]
    assert streets.way_id.tolist() == [1, 1]
    (issue,) = [item for item in streets.issues.found if item.code == "CG-FILE-004"]
    assert (issue.severity, issue.count) == ("warning", 3)
    assert issue.sample == ("3", "6", "8")
    with pytest.warns(CitygeoWarning, match="CG-FILE-004"):
        net = RoadNetwork.from_osm(path, toy_mode())
    assert net.length_m.sum() == pytest.approx(200, abs=0.05)


def test_a_few_missing_nodes_are_no_finding(tmp_path):
    nodes = {i: (10.0 * i, 0.0) for i in range(1, 300)}
    streets = osm.read(write(tmp_path, nodes, [(range(1, 301), STREET)]))
    assert streets.issues.found == []
    assert len(streets.way_node) == 299


def test_no_road_open_to_the_mode(tmp_path):
    path = write(tmp_path, ways=[((5, 2, 9, 4, 7), {"highway": "steps"})])
    with pytest.raises(NetworkError) as caught:
        RoadNetwork.from_osm(path, "drive")
    assert caught.value.code == "CG-NET-024"
    assert caught.value.data["classes"] == "steps"
    assert RoadNetwork.from_osm(path, "walk").n_edges == 1


def test_missing_relations_are_doubted(tmp_path):
    path = write(tmp_path, relations=())
    found = osm.read(path).issues.found
    assert [(item.code, item.severity) for item in found] == [("CG-FILE-005", "warning")]
    with pytest.warns(CitygeoWarning, match="CG-FILE-005"):
        net = RoadNetwork.from_osm(path, toy_mode())
    assert "CG-FILE-005" in [item.code for item in net.log.found]


def test_ways_that_are_no_lines_are_left_out(tmp_path):
    # one node, the same node twice, a node named twice in a row
    ways = [((5,), STREET), ((2, 2), STREET), ((5, 2, 2, 9), STREET)]
    path = write(tmp_path, {node: NODES[node] for node in (5, 2, 9)}, ways)
    assert shown(osm.read(path))["ways"] == [(3, [5, 2, 9], STREET)]
    net = RoadNetwork.from_osm(path, toy_mode())
    assert net.length_m.sum() == pytest.approx(200, abs=0.05)


def test_a_network_of_a_region(tmp_path):
    path = write(tmp_path)
    net = RoadNetwork.from_osm(path, toy_mode(), bbox=(*lonlat(-10, -10), *lonlat(50, 50)))
    assert net.length_m.sum() == pytest.approx(100, abs=0.05)
    assert "CG-NET-061" in [item.code for item in net.log.found]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_refused_unopened(tmp_path, protocol):
    path = tmp_path / "city.osm.pbf"
    path.write_bytes(pickle.dumps({"a": 1}, protocol))
    with pytest.raises(UnsafeInputError) as caught:
        osm.read(path)
    assert caught.value.code == "CG-FILE-006"


def test_missing_file_names_its_neighbours(tmp_path):
    write(tmp_path)
    with pytest.raises(FileError) as caught:
        RoadNetwork.from_osm(tmp_path / "citty.osm.pbf")
    assert caught.value.code == "CG-FILE-001"
    assert caught.value.data["near"] == "city.osm.pbf"


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Quota exceeded</body></html>", "web page"),
        (b"\n <HTML><head>", "web page"),
        (b"PK\x03\x04" + b"0" * 99, "no OSM header block"),
        (b"[1, 2]", "no OSM header block"),
        (gzip.compress(b"\x00\x00\x00\x0d\x0a\x09OSMHeader"), "neither OSM XML nor"),
        (bz2.compress(b"hello"), "neither OSM XML nor"),
        (gzip.compress(b""), "neither OSM XML nor"),
        (b'{"type": "FeatureCollection", "features": []}', "GeoJSON"),
        (b'{"features": []}', "no list of elements"),
        (b"<osmChange version='0.6'><create/></osmChange>", "changes"),
        (b"<?xml version='1.0'?><kml/>", "'kml'"),
        (b"<?xml version='1.0'?><html><body/></html>", "web page"),
    ],
)
def test_what_is_no_osm_data_is_told_so(tmp_path, data, hint):
    path = tmp_path / "city.osm"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=hint) as caught:
        osm.read(path)
    assert caught.value.code == "CG-FILE-002"


@pytest.mark.parametrize("name", ["city.osm", "city.osm.gz", "city.osm.bz2", "city.json", "city.json.gz"])
def test_a_file_cut_anywhere_is_refused(tmp_path, name):
    path = CITY.write(tmp_path / name)
    data = path.read_bytes().rstrip()
    rng = random.Random(1)
    for size in {*range(1, 40), *(rng.randrange(len(data)) for _ in range(60)), len(data) - 1}:
        path.write_bytes(data[:size])
        with pytest.raises(FileFormatError) as caught:
            osm.read(path)
        assert caught.value.code in {"CG-FILE-002", "CG-FILE-032"}, size


@pytest.mark.parametrize("name", FORMS)
def test_changed_bytes_give_a_result_or_an_error_of_ours(tmp_path, name):
    path = CITY.write(tmp_path / name)
    data, rng = path.read_bytes(), random.Random(2)
    for _ in range(120):
        mutated = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            mutated[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(mutated)
        try:
            osm.read(path)
        except (FileError, UnsafeInputError):  # any other error fails the test
            continue


@pytest.mark.parametrize(("name", "pack"), [("city.osm.gz", gzip.compress), ("city.osm.bz2", bz2.compress)])
def test_files_that_unpack_without_end_are_refused(tmp_path, monkeypatch, name, pack):
    monkeypatch.setattr(osm, "ALWAYS_ALLOWED_BYTES", 2**20)
    path = tmp_path / name
    path.write_bytes(pack(b"<osm>" + b" " * 40 * 2**20 + b"</osm>"))
    with pytest.raises(UnsafeInputError) as caught:
        osm.read(path)
    assert caught.value.code == "CG-FILE-037"


def is_kept(key):
    return key in WAY_TAGS or key.endswith(CONDITIONAL)


def test_a_real_answer_of_overpass():
    folder = Path(__file__).parents[3] / "shared" / "data" / "shenzhen"
    if not folder.is_dir():
        pytest.skip("needs shared/data/shenzhen")
    for path in sorted(folder.glob("*.json")):
        answer = json.loads(path.read_bytes())["elements"]
        places = {one["id"]: (one["lon"], one["lat"]) for one in answer if one["type"] == "node"}
        expected = [
            (one["id"], one["nodes"], {key: one["tags"][key] for key in one["tags"] if is_kept(key)})
            for one in answer
            if one["type"] == "way"
        ]
        streets = osm.read(path)
        assert shown(streets)["ways"] == expected
        assert [(node, lon, lat) for node, lon, lat, _ in shown(streets)["nodes"]] == [
            (node, *places[node]) for node in sorted({node for _, nodes, _ in expected for node in nodes})
        ]
        assert [item for item in streets.issues.found if item.severity != "info"] == []


@pytest.mark.parametrize("start", [b"SQLite format 3\0", b"PAR1\x15", b"\x00\x00\x27\x0a\x00"])
def test_a_layer_is_sent_to_the_reader_of_layers(tmp_path, start):
    path = tmp_path / "roads.osm.pbf"
    path.write_bytes(start + bytes(200))
    with pytest.raises(FileFormatError, match=r"CG-FILE-002.*from_centerlines"):
        osm.read(path)
