"""Places through OSMnx, from the cache that OSMnx itself fills: nothing here reaches the internet."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager

import osmnx
import pytest
import requests
import shapely

from citygeo.errors import InputError, RunError
from citygeo.io import download
from citygeo.network import RoadNetwork
from tests.toy import lonlat

TOWN = "Toytown, Ocean"
SQUARE = shapely.box(*lonlat(-100, -100), *lonlat(450, 100))
PLACES = {1: (0, 0), 2: (300, 0), 3: (600, 0), 4: (900, 0), 5: (300, 50), 6: (3000, 0), 7: (3100, 0)}
WAYS = {
    10: (
        (1, 2, 3, 4),
        {"highway": "residential", "maxspeed": "30", "oneway:bicycle": "no", "source": "survey"},
    ),
    11: ((2, 5), {"highway": "service", "oneway": "yes", "access:conditional": "no @ (22:00-06:00)"}),
    12: ((6, 7), {"highway": "residential"}),
}
NODE_TAGS = {2: {"highway": "traffic_signals", "created_by": "JOSM"}}


class Answer:
    """What requests gives back."""

    status_code, ok, reason = 200, True, "OK"

    def __init__(self, url, found):
        self.url, self._found = url, found
        self.content = self.text = "..."

    def json(self):
        return self._found


class Refusal(Answer):
    status_code, ok, reason = 403, False, "Forbidden"

    def json(self):
        raise requests.exceptions.JSONDecodeError("no json", "", 0)


def place(kind="Polygon"):
    west, south, east, north = SQUARE.bounds
    drawn = shapely.geometry.mapping(SQUARE if kind == "Polygon" else SQUARE.centroid)
    return {
        "importance": 0.5, "lat": "0", "lon": "3", "display_name": TOWN, "geojson": drawn,
        "boundingbox": [str(south), str(north), str(west), str(east)],
    }  # fmt: skip


def elements():
    nodes = [
        {"type": "node", "id": i, "lon": lonlat(*xy)[0], "lat": lonlat(*xy)[1], "tags": NODE_TAGS.get(i, {})}
        for i, xy in PLACES.items()
    ]
    return nodes + [
        {"type": "way", "id": i, "nodes": list(ids), "tags": tags} for i, (ids, tags) in WAYS.items()
    ]


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """An empty cache, and no way out."""

    def refuse(*_args, **_kwargs):
        raise OSError("the tests have no network")

    monkeypatch.setattr(osmnx.settings, "cache_folder", tmp_path / "cache")
    monkeypatch.setattr(osmnx.settings, "overpass_rate_limit", False)
    monkeypatch.setattr(osmnx.settings, "doh_url_template", None)
    monkeypatch.setattr(time, "sleep", lambda _s: None)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@contextmanager
def servers(monkeypatch):
    """Servers that answer: what they are asked, and what they say."""
    queries = []
    answers = {"nominatim": [place()], "overpass": {"elements": elements()}, "kind": Answer}

    def ask(url, *, data=None, params=None, **_options):
        queries.append((data or params).get("data", (data or params).get("q")))
        return answers["kind"](url, answers["nominatim" if "nominatim" in url else "overpass"])

    with monkeypatch.context() as patch:
        patch.setattr(requests, "get", ask)
        patch.setattr(requests, "post", ask)
        patch.setattr(socket, "gethostbyname", lambda _name: "192.0.2.1")
        yield queries, answers


@pytest.fixture
def asked(monkeypatch):
    with servers(monkeypatch) as both:
        yield both


def way_list(streets):
    start, ids = streets.way_start.tolist(), streets.node_id[streets.way_node].tolist()
    return sorted(
        (sorted(ids[start[i] : start[i + 1]]), streets.tags_of(i)) for i in range(len(streets.way_id))
    )


def refused(code, kind, where, classes=None):
    with pytest.raises(kind) as caught:
        download.read_place(where, classes)
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize("where", [TOWN, SQUARE, shapely.MultiPolygon([SQUARE])])
def test_a_place_is_read_as_far_as_the_first_node_outside(asked, where):
    streets = download.read_place(where)
    plain = {"highway": "residential", "maxspeed": "30", "oneway:bicycle": "no", "oneway": "no"}
    gate = {"highway": "service", "oneway": "yes", "access:conditional": "no @ (22:00-06:00)"}
    assert way_list(streets) == [([1, 2], plain), ([2, 3], plain), ([2, 5], gate)]
    tags = {
        int(node): streets.tag_sets[number]
        for node, number in zip(streets.node_id, streets.node_tag_set, strict=True)
        if number >= 0
    }
    assert tags == {2: {"highway": "traffic_signals"}}
    assert [item.code for item in streets.issues.found] == ["CG-GRF-016"]
    assert streets.given.length_m.tolist() == pytest.approx([300, 300, 50], rel=0.007)
    queries, _ = asked
    assert sum(str(query).startswith("[out:json]") for query in queries) == 2


def test_what_was_fetched_once_needs_no_network(monkeypatch):
    with servers(monkeypatch) as (queries, _):
        first = download.read_place(TOWN)
        assert len(queries) == 3
    second = download.read_place(TOWN)
    assert way_list(first) == way_list(second)
    assert second.source == TOWN


@pytest.mark.parametrize(
    ("classes", "filters"),
    [
        (None, ['(way["highway"](poly', '(way["route"="ferry"](poly']),
        ({"service", "*"}, ['(way["highway"](poly', '(way["route"="ferry"](poly']),
        ({"service", "primary"}, ['(way["highway"~"^(primary|service)$"](poly']),
        (
            {"primary": 60, "ferry": 10}.keys(),
            ['(way["highway"~"^(primary)$"](poly', '(way["route"="ferry"](poly'],
        ),
    ],
)
def test_only_the_classes_asked_for_are_fetched(asked, classes, filters):
    download.read_place(SQUARE, classes)
    queries, _ = asked
    assert len(queries) == len(filters)
    for query, wanted in zip(queries, filters, strict=True):
        assert wanted in query


def test_settings_come_back(asked):
    before = list(osmnx.settings.useful_tags_way), list(osmnx.settings.useful_tags_node)
    download.read_place(TOWN)
    assert (osmnx.settings.useful_tags_way, osmnx.settings.useful_tags_node) == before
    _, answers = asked
    answers["nominatim"] = []
    refused("CG-GRF-015", InputError, "Nowhere")
    assert (osmnx.settings.useful_tags_way, osmnx.settings.useful_tags_node) == before


def test_without_network_there_is_one_clear_error():
    before = list(osmnx.settings.useful_tags_way)
    message = refused("CG-GRF-014", RunError, TOWN)
    assert message.startswith(f"CG-GRF-014: The streets of {TOWN} could not be fetched: ")
    assert "RoadNetwork.from_osm" in message
    assert osmnx.settings.useful_tags_way == before
    assert "area from 2.9991, -0.0009 to 3.0040, 0.0009" in refused("CG-GRF-014", RunError, SQUARE)


def test_a_server_that_refuses_is_no_missing_place(asked):
    _, answers = asked
    answers["kind"] = Refusal
    assert "403 Forbidden" in refused("CG-GRF-014", RunError, SQUARE)


def test_what_gives_no_streets_says_why(asked):
    _, answers = asked
    answers["nominatim"] = [place("Point")]
    assert "did not geocode query" in refused("CG-GRF-015", InputError, "Lighthouse")
    answers["overpass"] = {"elements": []}
    assert "No data elements" in refused("CG-GRF-015", InputError, SQUARE)
    far = shapely.box(*lonlat(2500, -10), *lonlat(2600, 10))
    answers["overpass"] = {"elements": elements()}
    assert "no graph nodes within" in refused("CG-GRF-015", InputError, far)


def test_a_network_fetches_the_classes_of_its_mode(asked):
    net = RoadNetwork.from_place(TOWN, "drive")
    assert net.source["name"] == TOWN
    assert net.length_m.sum() == pytest.approx(650, rel=0.007)
    queries, _ = asked
    assert '(way["highway"~"^(living_street|motorway|' in queries[1]
    assert '["route"="ferry"]' not in queries[1]


def test_what_is_neither_name_nor_area_is_refused():
    assert "name or a shapely polygon" in refused("CG-IN-004", InputError, SQUARE.centroid)
