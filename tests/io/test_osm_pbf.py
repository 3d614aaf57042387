"""Streets of PBF files against pyosmium, block by hand, in any order, on any number of threads."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from osmium.osm import NODE, RELATION, WAY

from citygeo.errors import FileError, NetworkError
from citygeo.io import osm, osm_pbf
from citygeo.io.crop import crop, region
from citygeo.io.streets import CONDITIONAL, NODE_KINDS, NODE_TAGS, WAY_TAGS
from tests.io.osmforms import City, shown
from tests.io.protobuf import Strings, block, dense, node, relation, way, write_blocks
from tests.toy import STREET

SAMPLE = Path(__file__).parents[2] / "data_samples" / "reykjavik" / "reykjavik.osm.pbf"
PATH = {"highway": "path"}


def read_slowly(path):
    """Streets of a PBF object by object: nodes with places and tags, pieces of ways, relations of turns."""
    places, node_tags, ways, turns = {}, {}, [], []
    asked = osmium.filter.KeyFilter("highway", "route", "type", *NODE_KINDS)
    for item in osmium.FileProcessor(str(path), NODE | WAY | RELATION).with_locations().with_filter(asked):
        tags = {tag.k: tag.v for tag in item.tags}
        if item.is_node() and NODE_KINDS & tags.keys():
            node_tags[item.id] = {key: tags[key] for key in tags if key in NODE_TAGS}
        elif item.is_way() and ("highway" in tags or tags.get("route") == "ferry"):
            kept = {key: tags[key] for key in tags if key in WAY_TAGS or key.endswith(CONDITIONAL)}
            ways.append((item.id, [ref.ref for ref in item.nodes], kept))
            places |= {ref.ref: (ref.lon, ref.lat) for ref in item.nodes if ref.location.valid()}
        elif item.is_relation() and tags.get("type") == "restriction":
            turns.append((item.id, tags, [(one.type, one.ref, one.role) for one in item.members]))
    pieces = [(number, run, tags) for number, refs, tags in ways for run in runs(refs, places)]
    used = sorted({ref for _, refs, _ in pieces for ref in refs})
    return [(ref, *places[ref], node_tags.get(ref, {})) for ref in used], pieces, turns


def runs(refs, places):
    """The parts of a way between nodes without a place, each node once in a row, of at least two nodes."""
    found = []
    for is_placed, group in groupby(refs, key=lambda ref: ref in places):
        run = [ref for ref, _ in groupby(group)]
        if is_placed and len(run) > 1:
            found.append(run)
    return found


def assert_as_read_slowly(path):
    nodes, ways, turns = read_slowly(path)
    found = shown(osm.read(path))
    assert found["ways"] == ways
    assert found["nodes"] == nodes
    members = {number: listed for number, _, listed in turns}
    for turn in found["restrictions"]:
        expected = {"from": turn.from_way, "to": turn.to_way, "via": turn.via_way or (turn.via_node,)}
        for role, refs in expected.items():
            assert tuple(ref for _, ref, other in members[turn.id] if other == role) == refs


# --- against pyosmium -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SAMPLE], ids=["reykjavik"])
def test_real_files_are_read_as_pyosmium_reads_them(path):
    assert_as_read_slowly(path)


def test_a_real_file_of_another_writer_is_read_as_pyosmium_reads_it():
    path = Path(__file__).parents[3] / "shared" / "data" / "porto-alegre" / "poa_osm.pbf"
    if not path.is_file():
        pytest.skip("needs shared/data/porto-alegre")
    assert_as_read_slowly(path)


WORDS = st.sampled_from(["yes", "no", "Straße 街", "a" * 300, ""])
KEYS = [
    "highway",
    "route",
    "name",
    "colour",
    "maxspeed:conditional",
    "barrier",
    "access",
    "ferry",
    "crossing",
]
TAGS = st.dictionaries(
    st.sampled_from(KEYS),
    st.one_of(WORDS, st.sampled_from(["ferry", "path"])),
    max_size=5,
)  # fmt: skip
IDS = st.integers(-(2**40), 2**40).filter(lambda number: number != 0)
PLACES = st.tuples(st.integers(-1_800_000_000, 1_800_000_000), st.integers(-900_000_000, 900_000_000))


@st.composite
def cities(draw):
    # the index of places in pyosmium knows no negative ids
    ids = draw(st.lists(st.integers(1, 2**40), min_size=1, max_size=12, unique=True))
    nodes = {number: tuple(value / 1e7 for value in draw(PLACES)) for number in sorted(ids)}
    refs = st.lists(st.sampled_from([*ids, 2**41]), max_size=6)
    ways = [(i, draw(refs), draw(TAGS)) for i in sorted(draw(st.sets(IDS, max_size=6)))]
    member = st.tuples(st.sampled_from("nwr"), IDS, st.sampled_from(["from", "via", "to", "", "Rolle ä"]))
    turn = st.sampled_from([{"type": "restriction", "restriction": "no_left_turn"}, {"type": "boundary"}])
    relations = [
        (i, draw(st.lists(member, max_size=4)), draw(turn)) for i in sorted(draw(st.sets(IDS, max_size=3)))
    ]
    ways.append((2**50, ids, {"building": "yes"}))  # a node that no way uses would look like a cut file
    return City(nodes, ways, relations, {number: draw(TAGS) for number in nodes})


@given(cities())
@settings(max_examples=40)
def test_what_osmium_writes_comes_back(tmp_path_factory, city):
    path = city.write(tmp_path_factory.mktemp("city") / "city.osm.pbf")
    _, pieces, _ = read_slowly(path)
    if pieces:
        assert_as_read_slowly(path)
    else:
        with pytest.raises(FileError) as caught:
            osm.read(path)
        assert caught.value.code in {"CG-FILE-003", "CG-FILE-010", "CG-FILE-020"}


# --- what common writers do not write -------------------------------------------------------------


def written(path, *groups, strings, **options):
    return write_blocks(path, block(strings, *groups, **options))


def test_scale_of_places(tmp_path):
    strings = Strings()
    groups = dense(strings, [1, 2], [(10, -3), (0, 5)]), way(strings, 1, [1, 2], PATH)
    path = written(
        tmp_path / "city.osm.pbf", *groups, strings=strings, scale={17: 1000, 19: 2 * 10**9, 20: -7}
    )
    np.testing.assert_array_equal(osm.read(path).node_lonlat, [[9993e-9, 1.999997], [-7e-9, 2.000005]])


def test_nodes_that_stand_by_themselves(tmp_path):
    strings = Strings()
    stop = {"highway": "stop"}
    nodes = node(strings, 2, (10**6, 10**6), stop) + node(strings, 1, (0, 0)) + node(strings, 3, (5, 5))
    path = written(tmp_path / "city.osm.pbf", nodes, way(strings, 1, [1, 2, 3], PATH), strings=strings)
    found = shown(osm.read(path))
    assert found["nodes"] == [(1, 0.0, 0.0, {}), (2, 0.1, 0.1, stop), (3, 5e-7, 5e-7, {})]


def test_deleted_objects_are_left_out(tmp_path):
    strings = Strings()
    turn = {"type": "restriction", "restriction": "no_left_turn"}
    members = [(1, 1, "from"), (0, 2, "via"), (1, 1, "to")]
    groups = (
        dense(strings, [1, 2, 3], visible=[True, True, False]) + node(strings, 4, visible=False),
        way(strings, 1, [1, 2, 3, 4], PATH, visible=True) + way(strings, 2, [1, 2], PATH, visible=False),
        relation(strings, 1, members, turn, visible=True)
        + relation(strings, 2, members, turn, visible=False),
    )
    found = shown(osm.read(written(tmp_path / "city.osm.pbf", *groups, strings=strings)))
    assert found["ways"] == [(1, [1, 2], PATH)]
    assert [one.id for one in found["restrictions"]] == [1]


def test_equal_tags_in_another_order_are_one_set(tmp_path):
    strings = Strings()
    ways = way(strings, 1, [1, 2], {"highway": "path", "name": "A"}) + way(
        strings, 2, [2, 1], {"name": "A", "highway": "path"}
    )
    path = written(tmp_path / "city.osm.pbf", dense(strings, [1, 2]), ways, strings=strings)
    streets = osm.read(path)
    assert streets.tag_sets == [{"highway": "path", "name": "A"}]
    assert streets.way_tag_set.tolist() == [0, 0]


def test_text_that_is_no_text_is_damage(tmp_path):
    strings = Strings()
    groups = dense(strings, [1, 2]), way(strings, 1, [1, 2], {"highway": "path", "name": "XX"})
    content = block(strings, *groups).replace(b"XX", b"\xff\xfe")
    with pytest.raises(FileError, match="damaged: 'utf-8'") as caught:
        osm.read(write_blocks(tmp_path / "city.osm.pbf", content))
    assert caught.value.code == "CG-FILE-003"


def blocks_of_a_grid(side=12):
    """A square of streets in blocks of nodes, ways and relations."""
    strings = Strings()
    tags = [{"highway": "stop"} if i % 7 == 0 else {} for i in range(side * side)]
    nodes = [
        block(
            strings,
            dense(strings, range(row * side, row * side + side), [(10**5 * col, 10**5 * row) for col in range(side)],
                  tags[row * side : row * side + side]),
        )
        for row in range(side)
    ]  # fmt: skip
    rows = [way(strings, row, range(row * side, row * side + side), STREET) for row in range(side)]
    columns = [way(strings, 100 + col, range(col, side * side, side), PATH) for col in range(side)]
    turn = {"type": "restriction", "restriction": "no_u_turn"}
    turns = [
        relation(strings, i, [(1, i, "from"), (0, 13 * i, "via"), (1, 100 + i, "to")], turn)
        for i in range(side)
    ]
    ways = [block(strings, b"".join(part)) for part in (rows[:5], rows[5:], columns)]
    return [*nodes, *ways, block(strings, b"".join(turns))]


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_neither_threads_nor_the_order_of_blocks_change_anything(tmp_path, seed, threads):
    blocks = blocks_of_a_grid()
    plain = osm.read(write_blocks(tmp_path / "plain.osm.pbf", *blocks), threads=1)
    if seed is not None:
        # ways keep their order among themselves, which is that of the result
        rng = np.random.default_rng(seed)
        place = rng.permutation(16)
        place[12:15] = np.sort(place[12:15])
        blocks = [blocks[i] for i in np.argsort(place)]
    path = write_blocks(tmp_path / "city.osm.pbf", *blocks)
    assert shown(osm.read(path, threads=threads)) == shown(plain)
    inside = region(bbox=(-0.001, -0.001, 0.045, 0.035))
    part = osm.read(path, threads=threads, region=inside)
    assert shown(part) == shown(crop(plain, inside))
    assert len(part.way_id) == 9


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_of_a_node_given_twice_the_last_place_holds(tmp_path, threads):
    strings = Strings()
    nodes = [block(strings, dense(strings, [1, 2], [(i, i), (5, 5)])) for i in range(40)]
    path = write_blocks(tmp_path / "city.osm.pbf", *nodes, block(strings, way(strings, 1, [1, 2], PATH)))
    assert osm.read(path, threads=threads).node_lonlat.tolist() == [[39e-7, 39e-7], [5e-7, 5e-7]]


@pytest.mark.parametrize("compress", [True, False])
def test_bytes_changed_inside_blocks_give_a_result_or_an_error_of_ours(tmp_path, compress):
    rng = np.random.default_rng(5)
    blocks = [bytearray(one) for one in blocks_of_a_grid(4)]
    refused, codes = 0, set()
    for _ in range(150):
        changed = [bytearray(one) for one in blocks]
        for _ in range(int(rng.integers(1, 4))):
            one = changed[int(rng.integers(len(changed)))]
            one[int(rng.integers(len(one)))] = int(rng.integers(256))
        path = write_blocks(tmp_path / "city.osm.pbf", *map(bytes, changed), compress=compress)
        for inside in (None, region(bbox=(0, 0, 0.02, 0.02))):
            try:
                osm.read(path, region=inside)
            except FileError:  # any other error fails the test
                refused += 1
            except NetworkError as problem:
                codes.add(problem.code)
    assert refused > 20
    assert codes <= {"CG-NET-060"}


# --- with a region --------------------------------------------------------------------------------

SHAPES = {
    "box": region(bbox=(-21.95, 64.13, -21.91, 64.15)),
    "disc": region(polygon=shapely.Point(-21.9, 64.13).buffer(0.02)),
    "all": region(bbox=(-30, 60, -10, 70)),
}


COLUMNS = ("node_id", "node_lonlat", "way_id", "way_start", "way_node", "way_tag_set", "node_tag_set")


@pytest.fixture(scope="module")
def whole():
    return osm.read(SAMPLE)


@pytest.mark.parametrize("shape", SHAPES)
def test_cropping_while_reading_is_cropping_afterwards(shape, whole):
    inside = SHAPES[shape]
    part, cropped = osm.read(SAMPLE, region=inside), crop(whole, inside)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(part, name), getattr(cropped, name), name)
        assert getattr(part, name).dtype == getattr(cropped, name).dtype
    assert part.tag_sets == cropped.tag_sets
    assert part.issues.found == cropped.issues.found


def segments(streets):
    """Way and node ids of each segment."""
    refs = np.split(streets.node_id[streets.way_node], streets.way_start[1:-1])
    return [
        (way, *pair)
        for way, ids in zip(streets.way_id.tolist(), refs, strict=True)
        for pair in pairwise(ids.tolist())
    ]


@pytest.mark.parametrize("shape", ["box", "disc"])
def test_segments_with_an_end_inside_are_those_of_a_loop(shape, whole):
    polygon = SHAPES[shape].polygon or shapely.box(*SHAPES[shape].bounds)
    is_inside = shapely.covers(polygon, shapely.points(whole.node_lonlat))
    ids = set(whole.node_id[is_inside].tolist())
    expected = [(way, a, b) for way, a, b in segments(whole) if a in ids or b in ids]
    assert segments(osm.read(SAMPLE, region=SHAPES[shape])) == expected
    assert len(expected) > 1000


def test_of_other_ways_nothing_is_kept(monkeypatch, whole):
    kept = []
    number_nodes = osm_pbf.number_nodes
    monkeypatch.setattr(osm_pbf, "number_nodes", lambda refs: kept.append(refs.size) or number_nodes(refs))
    part = osm.read(SAMPLE, region=SHAPES["box"])
    assert kept == [len(part.way_node)]
    assert kept[0] < 0.4 * len(whole.way_node)


def test_a_gap_at_the_border_is_a_gap(tmp_path):
    nodes = {i: (i / 10, 0.0) for i in (1, 2, 4, 5, 7, 8)}
    path = City(nodes, [(1, list(range(1, 9)), PATH)]).write(tmp_path / "city.osm.pbf")
    for west, east in ((0.15, 0.25), (0.35, 0.45), (0.35, 0.75), (0, 1)):
        inside = region(bbox=(west, -1, east, 1))
        assert shown(osm.read(path, region=inside)) == shown(crop(osm.read(path), inside))
