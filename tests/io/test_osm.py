"""Streets from PBF files: what is read, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from citygeo.errors import CitygeoWarning, FileError, FileFormatError, NetworkError, UnsafeInputError
from citygeo.io import osm
from citygeo.network import RoadNetwork
from tests.toy import ONEWAY, STREET, lonlat, toy_mode, write_pbf

NODES = {5: (0, 0), 2: (100, 0), 9: (200, 0), 4: (200, 100), 7: (0, 80)}
WAYS = [
    ((5, 2, 9), {**STREET, "name": "Gata 街", "source": "survey"}),
    ((9, 4), ONEWAY),
    ((5, 7), {"building": "yes"}),
    ((9, 4, 2, 9), {"highway": "pedestrian", "area": "yes"}),
]
RELATION = ([("w", 1, "outer")], {"type": "boundary"})


def write(tmp_path, nodes=NODES, ways=WAYS, relations=(RELATION,), **options):
    return write_pbf(tmp_path / "city.osm.pbf", nodes, ways, relations, **options)


def test_ways_with_a_highway_tag_are_read_in_order(tmp_path):
    streets = osm.read(write(tmp_path))
    assert streets.way_id.tolist() == [1, 2, 4]
    assert streets.way_tags == [
        {**STREET, "name": "Gata 街"},
        ONEWAY,
        {"highway": "pedestrian", "area": "yes"},
    ]
    assert streets.way_start.tolist() == [0, 3, 5, 9]
    assert streets.node_id[streets.way_node].tolist() == [5, 2, 9, 9, 4, 9, 4, 2, 9]
    assert sorted(streets.node_id.tolist()) == [2, 4, 5, 9]
    expected = [lonlat(*NODES[node]) for node in streets.node_id.tolist()]
    np.testing.assert_allclose(streets.node_lonlat, expected, atol=0.6e-7)
    assert streets.source == "city.osm.pbf"
    assert streets.highway_counts() == {"residential": 2, "pedestrian": 1}
    assert streets.issues.found == []


def test_every_tag_a_mode_asks_for_is_kept():
    from citygeo.modes import mode_names, travel_mode

    for mode in map(travel_mode, mode_names()):
        assert {*mode.access, *mode.opens_with} <= osm.ROAD_TAGS
    assert {"maxspeed:forward", "maxspeed:backward", "junction", "area", "oneway", "highway"} <= osm.ROAD_TAGS


def test_gaps_are_left_out_and_counted(tmp_path):
    nodes = {i: (100.0 * i, 0.0) for i in (1, 2, 4, 5, 7)}
    path = write(tmp_path, nodes, [((1, 2, 3, 4, 5, 6, 7), STREET), ((1, 8), STREET)])
    streets = osm.read(path)
    pieces = [
        streets.node_id[streets.way_node[a:b]].tolist()
        for a, b in zip(streets.way_start[:-1], streets.way_start[1:], strict=True)
    ]
    assert pieces == [[1, 2], [4, 5]]
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


def test_roads_without_any_place_are_no_file_without_roads(tmp_path):
    path = write(tmp_path, {99: (0, 0)}, [((1, 2, 3), STREET)], node_tags={99: {"shop": "books"}})
    with pytest.raises(FileFormatError) as caught:
        osm.read(path)
    assert (caught.value.code, caught.value.data["ways"]) == ("CG-FILE-020", 1)


def test_no_roads(tmp_path):
    with pytest.raises(FileFormatError) as caught:
        osm.read(write(tmp_path, ways=[((5, 2, 9, 4, 7, 5), {"building": "yes"})]))
    assert (caught.value.code, caught.value.data["ways"]) == ("CG-FILE-010", 1)


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
    assert "CG-FILE-005" in net.report().issues["code"].tolist()


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


def test_ways_that_are_no_lines_are_left_out(tmp_path):
    # one node, the same node twice, a node named twice in a row
    ways = [((5,), STREET), ((2, 2), STREET), ((5, 2, 2, 9), STREET)]
    path = write(tmp_path, {node: NODES[node] for node in (5, 2, 9)}, ways)
    net = RoadNetwork.from_osm(path, toy_mode())
    assert net.length_m.sum() == pytest.approx(200, abs=0.05)
    u, v = net.arrays["node_id"][net.arrays["edge_node"].astype(int)].T
    assert {5, 9} <= {*u.tolist(), *v.tolist()}
