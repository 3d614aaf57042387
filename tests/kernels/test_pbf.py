"""The protobuf walkers, on blocks made by hand, cut at every byte and changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels import pbf
from tests.io.protobuf import Strings, block, dense, node, number, relation, text, varint, way

WORDS = {
    "highway": pbf.KEEP | pbf.WANT,
    "name": pbf.KEEP,
    "route": pbf.KEEP | pbf.GATE_KEY,
    "ferry": pbf.KEEP | pbf.GATE_VALUE,
}
TURNS = {"type": pbf.GATE_KEY, "restriction": pbf.GATE_VALUE}
RESIDENTIAL = {"highway": "residential"}


def asked(words=None, ids=(), bounds=(), step=1, ending=b":conditional"):
    """A query; `ids` must be in order."""
    texts = [word.encode() for word in words or {}]
    return pbf.Query(
        np.frombuffer(b"".join(texts), np.uint8),
        np.cumsum([0, *map(len, texts)], dtype=np.int64),
        np.array(list((words or {}).values()), np.uint8),
        np.frombuffer(ending, np.uint8),
        np.array(ids, np.int64),
        np.array(bounds, np.int64),
        step,
    )


def outlined(data: bytes):
    """The block, `None` if it is damaged."""
    buf = np.frombuffer(data, np.uint8)
    size = buf.size // 2 + 1
    made = pbf.Block(
        buf, np.zeros((size, 2), np.int32), np.zeros((size, 2), np.int32), np.zeros(pbf.HEAD, np.int64)
    )
    return made if pbf.outline(*made) else None


def run(kernel, data: bytes, query):
    """What a kernel reads, as lists and texts; `None` if the block is damaged."""
    found = outlined(data)
    if found is None:
        return None
    n, n_strings = found.buf.size, found.head[pbf.STRINGS]
    out = pbf.Rows(
        np.zeros((n, 3), np.int64), np.zeros(n, np.int64), np.zeros((n, 2), np.int32), np.zeros((n, 2), np.int64),
        np.zeros(n, np.int64), np.zeros(pbf.COUNTS, np.int64),
    )  # fmt: skip
    with np.errstate(over="ignore"):  # without the compiler, sums of damaged numbers are said to overflow
        if not kernel(found, query, np.full(n_strings, -1, np.int16), out):
            return None
    words = [data[a:b] for a, b in found.string[:n_strings].tolist()]
    seen, rows, members, tags, sampled, low, high = out.counts.tolist()
    assert max(rows, members, tags, sampled) <= n
    return {
        "seen": seen,
        "row": out.row[:rows].tolist(),
        "member": out.member[:members].tolist(),
        "tag": [(words[key], words[value]) for key, value in out.tag[:tags].tolist()],
        "place": out.place[:rows].tolist(),
        "sampled": out.sampled[:sampled].tolist(),
        "span": (low, high),
        "words": words,
    }


def ways(data, **options):
    return run(pbf.read_ways, data, asked(WORDS, **options))


def nodes(data, **options):
    return run(pbf.read_nodes, data, asked(WORDS, **options))


def relations(data):
    return run(pbf.read_relations, data, asked(TURNS))


# --- outline --------------------------------------------------------------------------------------


def test_outline_by_hand():
    strings = Strings()
    groups = [
        dense(strings, [1]),
        way(strings, 2, [1], RESIDENTIAL),
        relation(strings, 3) + relation(strings, 4),
    ]
    head = outlined(block(strings, *groups, scale={17: 1000, 19: -5, 20: 7})).head.tolist()
    assert head[pbf.GROUPS] == 3
    assert head[pbf.STRINGS] == 3
    assert head[pbf.KINDS] == pbf.HAS_NODES | pbf.HAS_WAYS | pbf.HAS_RELATIONS
    assert head[pbf.RELATIONS] == 2
    assert (head[pbf.GRANULARITY], head[pbf.LAT_OFFSET], head[pbf.LON_OFFSET]) == (1000, -5, 7)


@pytest.mark.parametrize(
    ("group", "kinds"),
    [
        (node(Strings(), 1), pbf.HAS_NODES),
        (dense(Strings(), [1]), pbf.HAS_NODES),
        (way(Strings(), 1, [2]), pbf.HAS_WAYS),
        (relation(Strings(), 1), pbf.HAS_RELATIONS),
        (text(5, b"\x08\x01"), 0),  # a changeset
        (b"", 0),
    ],
)
def test_kinds(group, kinds):
    assert outlined(block(Strings(), group)).head[pbf.KINDS] == kinds


def test_empty_block_is_whole():
    found = outlined(b"")
    assert found.head.tolist() == [0, 0, 0, 0, 100, 0, 0]
    assert ways(b"")["seen"] == nodes(b"")["seen"] == relations(b"")["seen"] == 0


# --- ways -----------------------------------------------------------------------------------------


def test_ways_by_hand():
    strings = Strings()
    group = (
        way(strings, 7, [5, 9, 5], {"name": "Gata 街", "highway": "path", "source": "survey"})
        + way(strings, 8, [2**40, 6], {"building": "yes"})
        + way(strings, 2**40, [-3], {"maxspeed:conditional": "30 @ wet", "route": "ferry"})
        + way(strings, 10, [4, 3], {"route": "bus", "ferry": "yes"})
    )
    found = ways(block(strings, group), step=2)
    assert found["seen"] == 4
    assert found["row"] == [[7, 3, 2], [2**40, 1, 2]]
    assert found["member"] == [5, 9, 5, -3]
    assert found["tag"] == [
        (b"name", "Gata 街".encode()),
        (b"highway", b"path"),
        (b"maxspeed:conditional", b"30 @ wet"),
        (b"route", b"ferry"),
    ]
    assert found["sampled"] == [2**40, 6, 4]


def test_deleted_ways_are_left_out():
    strings = Strings()
    group = way(strings, 1, [5, 6], RESIDENTIAL, visible=False) + way(
        strings, 2, [7], RESIDENTIAL, visible=True
    )
    found = ways(block(strings, group))
    assert (found["seen"], found["row"], found["member"]) == (2, [[2, 1, 1]], [7])


@pytest.mark.parametrize(
    "fields",
    [
        text(2, b"\x01") + text(3, b"\x02"),  # no id
        number(1, varint(1)) + text(2, b"\x01"),  # a key without a value
        number(1, varint(1)) + text(3, b"\x01"),  # a value without a key
        number(1, varint(1)) + text(2, b"\x09") + text(3, b"\x01"),  # a string that is not there
        number(1, varint(1)) + text(2, b"\x01") + text(3, b"\x09"),
        number(1, varint(1)) + text(8, b"\x02\x80"),  # a reference cut short
        number(1, varint(1)) + number(8, b"\x02"),  # one reference, not packed
        text(1, b"\x01"),  # an id that is a text
    ],
)
def test_damaged_ways_are_told(fields):
    strings = Strings()
    strings.number("highway")
    assert ways(block(strings, text(3, fields))) is None
    assert (
        ways(block(strings, text(3, number(1, varint(1)) + text(2, b"\x01") + text(3, b"\x01")))) is not None
    )


# --- nodes ----------------------------------------------------------------------------------------


def test_packed_nodes_by_hand():
    strings = Strings()
    tags = [{}, {"highway": "crossing", "colour": "red"}, {"name": "only a name"}, {"shop": "books"}]
    group = dense(strings, [5, -3, 2**40, 6], [(1, 2), (3, -4), (5, 6), (7, 8)], tags)
    found = nodes(block(strings, group, scale={17: 10, 19: 1000, 20: -1000}), ids=[-3, 5, 2**40, 2**41])
    assert found["seen"] == 4
    assert found["row"] == [[1, 0, 0], [0, 0, 1], [2, 0, 0]]
    assert found["place"] == [[-990, 1020], [-970, 960], [-950, 1060]]
    assert found["tag"] == [(b"highway", b"crossing")]
    assert found["sampled"] == [5]
    assert found["span"] == (-3, 2**40)


def test_packed_nodes_without_any_tag_leave_the_list_out():
    found = nodes(block(Strings(), dense(Strings(), [1, 2, 3, 4])), ids=[2], step=2)
    assert (found["row"], found["sampled"]) == ([[0, 0, 0]], [2, 4])


def test_single_nodes_by_hand():
    strings = Strings()
    group = (
        node(strings, 9, (1, -1), {"highway": "stop", "colour": "red"})
        + node(strings, -10, (2, 3))
        + node(strings, 11, (5, 5), visible=False)
        + node(strings, 12, (7, 7), {"shop": "books"})
    )
    found = nodes(block(strings, group), ids=[-10, 9, 11, 12])
    assert found["seen"] == 4
    assert found["row"] == [[1, 0, 1], [0, 0, 0], [3, 0, 0]]
    assert found["place"] == [[100, -100], [200, 300], [700, 700]]
    assert found["tag"] == [(b"highway", b"stop")]
    assert found["sampled"] == [-10]
    assert found["span"] == (-10, 12)


def test_deleted_packed_nodes_are_left_out():
    strings = Strings()
    group = dense(strings, [1, 2, 3], visible=[True, False, True])
    assert [row[0] for row in nodes(block(strings, group), ids=[1, 2, 3])["row"]] == [0, 2]


def test_nodes_within_bounds_come_with_their_ids():
    strings = Strings()
    places = [(0, 0), (10, 5), (11, 5), (10, 6), (-1, 0), (0, -1)]
    group = (
        dense(strings, [4, 5, 6, 7, 8, 9], places) + node(strings, 20, (10, 0)) + node(strings, 21, (10, 6))
    )
    found = nodes(block(strings, group), bounds=[0, 0, 1000, 500])
    assert [row[0] for row in found["row"]] == [4, 5, 20]
    assert found["span"] == (4, 21)


@given(
    st.lists(st.integers(-(2**61), 2**61), max_size=15, unique=True),
    st.lists(st.integers(-(2**61), 2**61), max_size=15),
    st.data(),
)
def test_wanted_nodes_are_found_in_any_order(ids, others, data):
    wanted = sorted({*(one for one in ids if data.draw(st.booleans())), *others})
    found = nodes(block(Strings(), dense(Strings(), ids, [(i, -i) for i in range(len(ids))])), ids=wanted)
    expected = [(wanted.index(one), i) for i, one in enumerate(ids) if one in wanted]
    assert [row[0] for row in found["row"]] == [position for position, _ in expected]
    assert found["place"] == [[100 * i, -100 * i] for _, i in expected]
    assert found["seen"] == len(ids)


def dense_fields(**fields):
    """Packed nodes 1 and 2, with some of their fields replaced."""
    plain = {"ids": (1, b"\x02\x02"), "lat": (8, b"\x02\x02"), "lon": (9, b"\x02\x02"), **fields}
    return text(2, b"".join(text(field, data) for field, data in plain.values()))


@pytest.mark.parametrize(
    "fields",
    [
        {"lat": (8, b"\x02")},
        {"lon": (9, b"\x02\x02\x02")},
        {"lat": (8, b"\x02\x80")},
        {"ids": (1, b"\x02\x82")},
        {"ids": (1, b"\xff" * 12 + b"\x02\x02")},
        {"tags": (10, b"\x00")},  # one list of tags for two nodes
        {"tags": (10, b"\x00\x00\x00")},
        {"tags": (10, b"\x00\x01\x01")},
        {"tags": (10, b"\x00\x01\x00")},
        {"tags": (10, b"\x00\x09\x01\x00")},  # a string that is not there
        {"info": (5, text(6, b"\x01"))},
        {"info": (5, text(6, b"\x01\x01\x01"))},
        {"info": (5, b"\x32\x09\x01")},
    ],
)
def test_damaged_packed_nodes_are_told(fields):
    strings = Strings()
    strings.number("highway")
    assert nodes(block(strings, dense_fields()), ids=[1, 2]) is not None
    assert nodes(block(strings, dense_fields(**fields)), ids=[1, 2]) is None


@pytest.mark.parametrize("fields", [number(8, b"\x02") + number(9, b"\x02"), text(1, b"\x02")])
def test_damaged_single_nodes_are_told(fields):
    assert nodes(block(Strings(), text(1, fields)), ids=[1]) is None


# --- relations ------------------------------------------------------------------------------------


def test_relations_by_hand():
    strings = Strings()
    turn = {"restriction": "no_left_turn", "type": "restriction", "note": "signed"}
    members = [(1, 70, "from"), (0, -5, "via"), (1, 2**40, "to"), (2, 3, "")]
    group = (
        relation(strings, 1, [(1, 9, "outer")], {"type": "boundary"})
        + relation(strings, 2, members, turn)
        + relation(strings, 3, members, turn, visible=False)
    )
    found = relations(block(strings, group))
    assert found["seen"] == 3
    assert found["row"] == [[2, 12, 3]]
    assert sorted(found["tag"]) == sorted((key.encode(), value.encode()) for key, value in turn.items())
    listed = np.array(found["member"]).reshape(-1, 3)
    assert [(k, ref, found["words"][role].decode()) for ref, k, role in listed.tolist()] == members


@pytest.mark.parametrize(
    "lists",
    [
        text(8, b"\x00") + text(9, b"\x02\x02") + text(10, b"\x01\x01"),
        text(8, b"\x00\x00") + text(9, b"\x02\x02") + text(10, b"\x01"),
        text(8, b"\x00\x00") + text(9, b"\x02\x82") + text(10, b"\x01\x01"),
        text(8, b"\x00\x77") + text(9, b"\x02\x02") + text(10, b"\x01\x01"),
        text(8, b"\x00\x00") + text(9, b"\x02\x02") + text(10, b"\x01\x03"),
    ],
)
def test_damaged_members_are_told(lists):
    strings = Strings()
    (pair,) = strings.pairs({"type": "restriction"})
    head = number(1, varint(1)) + text(2, varint(pair[0])) + text(3, varint(pair[1]))
    assert relations(block(strings, text(4, head + lists))) is None
    assert relations(block(strings, text(4, head))) is not None


# --- damage ---------------------------------------------------------------------------------------


def sample_block() -> bytes:
    strings = Strings()
    tags = [{}, {"highway": "stop"}, {}]
    turn = {"type": "restriction", "restriction": "no_entry"}
    return block(
        strings,
        dense(strings, [1, 2, 300], [(1, 1), (-20000, 5), (7, 9)], tags, [True, True, True]),
        way(strings, 5, [1, 2, 300], RESIDENTIAL, visible=True),
        relation(strings, 6, [(1, 5, "from"), (0, 2, "via")], turn),
        node(strings, 4, (3, 3), {"highway": "stop"}, visible=True),
        scale={17: 100, 19: 0, 20: 0},
    )


DATA = sample_block()


def everything(data: bytes):
    return [
        ways(data),
        nodes(data, ids=[1, 2, 4, 300]),
        nodes(data, bounds=[-(10**7), 0, 10**4, 10**4]),
        relations(data),
    ]


def test_block_cut_anywhere_is_not_taken_for_more_than_it_holds():
    full = everything(DATA)
    n_whole = 0
    for size in range(len(DATA)):
        found = everything(DATA[:size])
        n_whole += found[0] is not None
        for part, whole in zip(found, full, strict=True):
            if part is not None:
                assert part["row"] == whole["row"][: len(part["row"])]
                assert part["member"] == whole["member"][: len(part["member"])]
                assert part["place"] == whole["place"][: len(part["place"])]
    # nothing, the strings, after each of four groups, after each of two of the three scales
    assert n_whole == 8


@given(st.binary(max_size=200))
def test_any_bytes_stay_inside_the_arrays(data):
    everything(data)


@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_bytes_stay_inside_the_arrays(changes):
    data = bytearray(DATA)
    for place, value in changes:
        data[place] = value
    everything(bytes(data))


@pytest.mark.parametrize(
    "tail",
    [
        b"\x80" * 11,
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0b",
        b"\x09\x00",
        b"\x0d",
        b"\x1a" + b"\xff" * 9 + b"\x01" + bytes(8),
        b"\x0a\x02\x0a\x05",
        b"\x12\x01\x80",
    ],
)
def test_endless_numbers_and_lengths_past_the_end_are_damage(tail):
    assert outlined(DATA) is not None
    assert outlined(DATA + tail) is None
