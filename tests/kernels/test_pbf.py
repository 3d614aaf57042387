"""The protobuf walker, on blocks made by hand and cut at every byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels import pbf


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def zigzag(value: int) -> bytes:
    return varint(2 * value if value >= 0 else -2 * value - 1)


def deltas(values) -> bytes:
    return b"".join(zigzag(b - a) for a, b in zip([0, *values], values, strict=False))


def text(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def number(field: int, data: bytes) -> bytes:
    return varint(field << 3) + data


def dense(ids, tags=None) -> bytes:
    """Dense nodes; `tags` holds how many tags each has."""
    body = text(1, deltas(ids)) + text(8, deltas([10] * len(ids))) + text(9, deltas([20] * len(ids)))
    if tags is not None:
        body += text(10, b"".join(b"\x01\x02" * n + b"\x00" for n in tags))
    return text(2, body)


def plain_node(node: int, *, is_tagged: bool) -> bytes:
    tags = text(2, b"\x01") + text(3, b"\x02") if is_tagged else b""
    return text(1, number(1, zigzag(node)) + tags + number(8, zigzag(5)) + number(9, zigzag(-5)))


def way(refs) -> bytes:
    return text(3, number(1, varint(7)) + text(2, b"\x01") + text(3, b"\x02") + text(8, deltas(refs)))


def relation() -> bytes:
    return text(4, number(1, varint(3)))


def block(*groups) -> bytes:
    return text(1, text(1, b"") + text(1, b"highway")) + b"".join(text(2, group) for group in groups)


def scan(data: bytes):
    buf = np.frombuffer(data, np.uint8)
    ids, refs = np.zeros(buf.size, np.int64), np.zeros(buf.size, np.int64)
    tagged, counts = np.zeros(buf.size, np.bool_), np.zeros(4, np.int64)
    whole = pbf.scan_block(buf, ids, tagged, refs, counts)
    n, r = counts[pbf.NODES], counts[pbf.REFS]
    return whole, ids[:n].tolist(), tagged[:n].tolist(), refs[:r].tolist(), counts.tolist()


def test_block_by_hand():
    data = block(
        dense([5, -3, 2**40], tags=[0, 2, 0]), plain_node(9, is_tagged=True), plain_node(-10, is_tagged=False)
    ) + block(way([5, 9, 5]), way([-3]) + relation())
    assert scan(data) == (
        True,
        [5, -3, 2**40, 9, -10],
        [False, True, False, True, False],
        [5, 9, 5, -3],
        [5, 2, 1, 4],
    )


def test_dense_nodes_without_any_tag_leave_the_list_out():
    assert scan(block(dense([1, 2])))[:3] == (True, [1, 2], [False, False])


def test_empty_block_is_whole():
    assert scan(b"") == (True, [], [], [], [0, 0, 0, 0])


@given(st.lists(st.integers(-(2**62), 2**62 - 1), max_size=20), st.lists(st.integers(-5, 5), max_size=20))
def test_ids_come_back(ids, refs):
    whole, found, tagged, found_refs, counts = scan(
        block(dense(ids, tags=[i % 2 for i in range(len(ids))]), way(refs))
    )
    assert (whole, found, found_refs) == (True, ids, refs)
    assert tagged == [i % 2 == 1 for i in range(len(ids))]
    assert counts == [len(ids), 1, 0, len(refs)]


DATA = block(dense([1, 2, 300], tags=[0, 1, 0]), way([1, 2, 300]), relation(), plain_node(4, is_tagged=True))


def test_block_cut_anywhere_is_not_taken_for_more_than_it_holds():
    everything = scan(DATA)
    for size in range(len(DATA)):
        whole, ids, _, refs, counts = scan(DATA[:size])
        if whole:  # cut between two groups: what is there is right
            assert ids == everything[1][: len(ids)]
            assert refs == everything[3][: len(refs)]
            assert all(a <= b for a, b in zip(counts, everything[4], strict=True))
    n_whole = sum(scan(DATA[:size])[0] for size in range(len(DATA)))
    assert n_whole == 5  # nothing, the strings, and after each group but the last


@given(st.binary(max_size=200))
def test_any_bytes_stay_inside_the_arrays(data):
    _, _, _, _, counts = scan(data)
    assert all(0 <= count <= len(data) for count in counts)


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255), st.integers(0, len(DATA) - 1), st.integers(0, 255))
def test_changed_bytes_stay_inside_the_arrays(one, a, two, b):
    data = bytearray(DATA)
    data[one], data[two] = a, b
    _, _, _, _, counts = scan(bytes(data))
    assert all(0 <= count <= len(data) for count in counts)


@pytest.mark.parametrize(
    "tail",
    [
        b"\x80" * 11,
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0b",
        b"\x09\x00",
        b"\x0d",
        b"\x1a" + b"\xff" * 9 + b"\x01" + bytes(8),
    ],
)
def test_endless_numbers_and_lengths_past_the_end_are_damage(tail):
    assert scan(DATA + tail)[0] is False
