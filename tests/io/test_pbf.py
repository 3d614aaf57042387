"""Whole files, cut files, and files that are no PBF at all."""

from __future__ import annotations

import random
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from citygeo.errors import FileError, FileFormatError
from citygeo.io import osm, pbf, pbf_blobs
from citygeo.io.pbf import check_pbf
from tests.io.protobuf import Strings, blob, block, dense, node, relation, text, varint, way, write_blocks
from tests.toy import STREET, write_pbf

SAMPLE = Path(__file__).parents[2] / "data_samples" / "reykjavik" / "reykjavik.osm.pbf"
NODES = {i: (10.0 * i, 0.0) for i in range(30)}
WAYS = [((i, i + 1), {**STREET, "name": f"Street {i}"}) for i in range(29)]
RELATION = ([("w", 1, "outer")], {"type": "boundary"})


def read_varint(data, pos):
    value = shift = 0
    while True:
        value |= (data[pos] & 0x7F) << shift
        shift, pos = shift + 7, pos + 1
        if data[pos - 1] < 0x80:
            return value, pos


def block_ends(data):
    """Byte positions after each block: a length, a header that ends with the size of what follows."""
    ends, pos = [], 0
    while pos < len(data):
        (size,) = struct.unpack(">I", data[pos : pos + 4])
        field, stop = pos + 4, pos + 4 + size
        while field < stop:
            key, field = read_varint(data, field)
            value, field = read_varint(data, field)
            if key & 7 == 2:
                field += value
            elif key >> 3 == 3:
                blob = value
        pos = stop + blob
        ends.append(pos)
    return ends


@pytest.fixture(scope="module")
def sample():
    return SAMPLE.read_bytes()


@pytest.fixture
def toy(tmp_path):
    return write_pbf(tmp_path / "toy.osm.pbf", NODES, WAYS, [RELATION])


def code_of(path):
    try:
        check_pbf(path)
    except FileError as caught:
        return caught.code
    return None


def test_whole_files_are_whole(toy):
    summary = check_pbf(toy)
    assert (summary.nodes, summary.ways, summary.relations, summary.unused_nodes) == (30, 29, 1, 0)
    assert summary.doubt() is None
    found = check_pbf(SAMPLE)
    assert found.unused_share < 0.0001
    assert found.relations > 300
    assert found.doubt() is None


def test_sample_cut_at_every_block_end_is_refused(sample, tmp_path):
    path, ends = tmp_path / "cut.osm.pbf", block_ends(sample)
    assert len(ends) > 50
    codes = {}
    for end in ends[:-1]:
        path.write_bytes(sample[:end])
        codes[end] = code_of(path)
    # what is lost with the last block is relations alone; a file without them may be whole, so it is a doubt
    assert {end for end, code in codes.items() if code is None} == {ends[-2]}
    assert {code for code in codes.values() if code} == {"CG-FILE-003"}
    path.write_bytes(sample[: ends[-2]])
    assert "no relations" in check_pbf(path).doubt()


def test_sample_cut_inside_a_block_is_refused(sample, tmp_path):
    path, ends = tmp_path / "cut.osm.pbf", block_ends(sample)
    rng = random.Random(1)
    cuts = {rng.randrange(ends[0] + 1, len(sample)) for _ in range(25)} - set(ends)
    cuts |= {end + step for end in (ends[0], ends[10], ends[-2]) for step in (1, 2, 3, 4, 5, 20)} | {
        len(sample) - 1
    }
    for size in sorted(cuts):
        path.write_bytes(sample[:size])
        assert code_of(path) == "CG-FILE-003", size


def test_lost_blocks_in_the_middle_are_refused(sample, tmp_path):
    path, ends = tmp_path / "hole.osm.pbf", block_ends(sample)
    # a hole in the ways leaves nodes that no way uses
    for a, b in list(pairwise(ends))[-8:-2:2]:
        path.write_bytes(sample[:a] + sample[b:])
        assert code_of(path) == "CG-FILE-003"


def test_small_file_cut_at_every_byte_is_refused(toy):
    data, path = toy.read_bytes(), toy.with_name("cut.osm.pbf")
    ends = block_ends(data)
    for size in range(len(data)):
        path.write_bytes(data[:size])
        code = code_of(path)
        if size < 4 or size < ends[0]:
            assert code in {"CG-FILE-002", "CG-FILE-003"}, size
        elif code is None:
            assert size in ends
            assert check_pbf(path).doubt() is not None
        else:
            assert code == "CG-FILE-003", size


def test_changed_bytes_give_an_error_of_ours_or_change_nothing(toy):
    data, path = toy.read_bytes(), toy.with_name("mutated.osm.pbf")
    truth, rng, refused = osm.read(toy), random.Random(2), 0
    for _ in range(150):
        mutated = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            mutated[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(mutated)
        try:
            found = osm.read(path)
        except FileError:  # any other error fails the test
            refused += 1
            continue
        assert found.way_id.tolist() == truth.way_id.tolist()
        assert found.way_tags == truth.way_tags
        np.testing.assert_array_equal(found.node_lonlat, truth.node_lonlat)
        np.testing.assert_array_equal(found.way_node, truth.way_node)
    assert refused > 100


def test_random_bytes_after_a_good_header_are_refused(toy):
    data, rng = toy.read_bytes(), random.Random(3)
    head = data[: block_ends(data)[0]]
    for n in (1, 4, 17, 300, 5000):
        toy.write_bytes(head + rng.randbytes(n))
        with pytest.raises(FileFormatError) as caught:
            check_pbf(toy)
        assert caught.value.code in {"CG-FILE-002", "CG-FILE-003"}


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Quota exceeded</body></html>", "web page"),
        (b"\n <HTML><head>", "web page"),
        (b"<?xml version='1.0'?><osm version='0.6'/>", "no OSM header block"),
        (b"\x00\x00\x00\x0d", "no OSM header block"),
        (b"\x00\x00\x00\x00" * 9, "no OSM header block"),
        (b"PK\x03\x04" + b"0" * 99, "no OSM header block"),
        (random.Random(4).randbytes(4000), "no OSM header block"),
        (blob(b"OSMData", b"\x0a\x00"), "no OSM header block"),
    ],
)
def test_what_is_no_pbf_is_told_so(tmp_path, data, hint):
    path = tmp_path / "city.osm.pbf"
    path.write_bytes(data)
    with pytest.raises(FileFormatError) as caught:
        check_pbf(path)
    assert caught.value.code == "CG-FILE-002"
    assert hint in str(caught.value)


def test_raw_blocks_are_read_and_other_compressions_named(toy):
    data = toy.read_bytes()
    ends = block_ends(data)
    raw = b"".join(
        blob(b"OSMHeader" if i == 0 else b"OSMData", inflated(data[a:b]), compress=False)
        for i, (a, b) in enumerate(pairwise([0, *ends]))
    )
    path = toy.with_name("raw.osm.pbf")
    path.write_bytes(raw)
    assert check_pbf(path) == check_pbf(toy)
    assert osm.read(path).way_tags == osm.read(toy).way_tags


@pytest.mark.parametrize(("field", "method"), [(4, "lzma"), (5, "bzip2"), (6, "lz4"), (7, "zstd")])
def test_other_compressions_are_named_with_what_to_do(toy, field, method):
    data = toy.read_bytes()
    packed = text(field, b"abc")
    header = b"\x0a\x07OSMData\x18" + bytes([len(packed)])
    toy.write_bytes(data[: block_ends(data)[0]] + struct.pack(">I", len(header)) + header + packed)
    for reader in (check_pbf, osm.read):
        with pytest.raises(FileFormatError, match=f"{method}.*osmium cat") as caught:
            reader(toy)
        assert caught.value.code == "CG-FILE-030"


def test_history_is_not_taken_for_the_present(tmp_path):
    strings = Strings()
    content = block(strings, dense(strings, [1, 2]), way(strings, 1, [1, 2], STREET))
    path = tmp_path / "city.osm.pbf"
    features = (b"OsmSchema-V0.6", b"HistoricalInformation")
    for reader in (check_pbf, osm.read):
        with pytest.raises(FileFormatError, match=r"HistoricalInformation.*osmium time-filter") as caught:
            reader(write_blocks(path, content, features=features))
        assert caught.value.code == "CG-FILE-030"
    assert osm.read(write_blocks(path, content)).way_id.tolist() == [1]


def small_blocks():
    """Four blocks of nodes, two of ways, one of relations, with 60 nodes and 20 ways."""
    strings = Strings()
    nodes = [block(strings, dense(strings, range(15 * i, 15 * i + 15))) for i in range(4)]
    ways = [
        block(
            strings,
            b"".join(way(strings, 30 * i + j, range(30 * i + 3 * j, 30 * i + 3 * j + 3)) for j in range(10)),
        )
        for i in range(2)
    ]
    return [*nodes, *ways, block(strings, relation(strings, 1))]


@pytest.mark.parametrize("order", [range(7), range(6, -1, -1), (4, 0, 1, 6, 2, 3, 5), (0, 4, 1, 2, 3, 5, 6)])
def test_blocks_in_any_order_are_counted_once(tmp_path, order):
    blocks = small_blocks()
    found = check_pbf(write_blocks(tmp_path / "city.osm.pbf", *(blocks[i] for i in order)))
    assert (found.nodes, found.ways, found.relations, found.unused_nodes) == (60, 20, 1, 0)


def test_blocks_of_several_kinds_are_counted(tmp_path):
    strings = Strings()
    plain, packed = node(strings, 1) + node(strings, 2), dense(strings, [3, 4, 5])
    ways = way(strings, 1, [1, 2]) + way(strings, 2, [3, 4])
    path = write_blocks(tmp_path / "city.osm.pbf", block(strings, packed, ways, relation(strings, 1), plain))
    with pytest.raises(FileFormatError, match="1 of 5 nodes"):
        check_pbf(path)


def test_usual_files_are_inflated_once(tmp_path, monkeypatch):
    inflated_at = []

    def counting(file, path, where):
        inflated_at.append(where.position)
        return pbf_blobs.content(file, path, where)

    monkeypatch.setattr(pbf, "content", counting)
    blocks = small_blocks()
    many = [*blocks[:4] * 16, blocks[4], blocks[5], blocks[6]]
    path = write_blocks(tmp_path / "city.osm.pbf", *many)
    check_pbf(path)
    # the few looks that find where ways begin, and each block once
    assert len(many) < len(inflated_at) <= len(many) + 2 * len(many).bit_length()
    assert len(set(inflated_at)) == len(many)


def test_large_files_are_checked_by_a_sample_of_ids(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(pbf, "SAMPLED_BYTES", len(sample) // 16)
    path, ends = tmp_path / "cut.osm.pbf", block_ends(sample)
    path.write_bytes(sample)
    whole = check_pbf(path)
    assert pbf.open_pbf(path).step == 32
    assert whole.doubt() is None
    for end in (ends[10], ends[40], ends[-4]):
        path.write_bytes(sample[:end])
        assert code_of(path) == "CG-FILE-003"
    monkeypatch.undo()
    path.write_bytes(sample)
    assert check_pbf(path).nodes == whole.nodes


def test_the_first_damage_in_the_file_is_told_whatever_the_threads(tmp_path):
    blocks = [*small_blocks()[:4], b"\x12\x01\x80", b"\x12\x01\x80"]
    path = write_blocks(tmp_path / "city.osm.pbf", *small_blocks()[:4] * 8, *blocks)
    messages = set()
    for threads in (1, 2, 5):
        with pytest.raises(FileFormatError) as caught:
            osm.read(path, threads=threads)
        messages.add(str(caught.value))
    assert len(messages) == 1


def inflated(block):
    """The content of a block as osmium writes it."""
    place = block.index(b"\x78", 4)
    while True:
        try:
            return zlib.decompressobj().decompress(block[place:]) or b""
        except zlib.error:
            place = block.index(b"\x78", place + 1)


def test_blocks_that_inflate_without_end_are_refused(toy):
    data = toy.read_bytes()
    head = data[: block_ends(data)[0]]
    toy.write_bytes(head + blob(b"OSMData", bytes(33 * 2**20)))
    assert code_of(toy) == "CG-FILE-003"


def test_endless_numbers_are_refused_at_once(toy):
    # a number without end must not grow: 300 kB took seconds, 30 MB would take hours
    data = toy.read_bytes()
    body = b"\xff" * 3_000_000
    header = b"\x0a\x07OSMData\x18" + varint(len(body))
    toy.write_bytes(data[: block_ends(data)[0]] + struct.pack(">I", len(header)) + header + body)
    assert code_of(toy) == "CG-FILE-003"


def test_files_of_tagged_places_alone_are_not_called_cut(tmp_path):
    # a file of shops has no way, and no node without a tag either
    tags = {node: {"shop": "books"} for node in NODES}
    path = write_pbf(tmp_path / "shops.osm.pbf", NODES, [], node_tags=tags)
    assert check_pbf(path).nodes == 30


def test_doubt_grows_with_the_share_of_unused_nodes(tmp_path):
    path = tmp_path / "some.osm.pbf"
    used = {i: (float(i), 0.0) for i in range(1000)}
    way = [(range(1000), STREET)]
    for n_unused, outcome in (
        (0, None),
        (1, None),
        (2, "2 of 1002 nodes"),
        (5, "5 of 1005 nodes"),
        (6, "CG-FILE-003"),
    ):
        write_pbf(path, used | {5000 + i: (0.0, 1.0 + i) for i in range(n_unused)}, way, [RELATION])
        code = code_of(path)
        if outcome and outcome.startswith("CG"):
            assert code == outcome
        else:
            assert code is None
            doubt = check_pbf(path).doubt()
            assert doubt is None if outcome is None else doubt.startswith(outcome)


def test_missing_file_names_its_neighbours(toy):
    with pytest.raises(FileError) as caught:
        check_pbf(toy.with_name("toy.osm.pfb"))
    assert caught.value.code == "CG-FILE-001"
    assert caught.value.data["near"] == "toy.osm.pbf"
    with pytest.raises(FileError, match="near: none"):
        check_pbf(toy.parent / "nowhere" / "toy.osm.pbf")
    with pytest.raises(FileError) as folder:
        check_pbf(toy.parent)
    assert folder.value.code == "CG-FILE-001"
