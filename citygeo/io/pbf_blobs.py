"""
The container of an OSM PBF: where its blocks stand, and their content, checked against cuts and endless numbers.

A file is a run of blocks: the size of a header, the header with the size of a blob, the blob, packed or not.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

KINDS = (b"OSMHeader", b"OSMData")
MAX_HEADER_BYTES = 64 * 1024  # the format's own limit
MAX_BLOB_BYTES = 32 * 1024 * 1024  # the format's own limit, also for the uncompressed block
FEATURES = (b"OsmSchema-V0.6", b"DenseNodes")
COMPRESSIONS = {4: "lzma", 5: "bzip2", 6: "lz4", 7: "zstd"}

# GeoPackage, GeoParquet, shapefile, FlatGeobuf
LAYER_MARKS = (b"SQLite format 3", b"PAR1", b"\x00\x00\x27\x0a", b"fgb")


class Blob(NamedTuple):
    """Where a block begins, and where its content stands in the file."""

    position: int
    offset: int
    size: int


def list_blobs(path: Path) -> list[Blob]:
    """
    List the data blocks of a file without reading their content.

    Raises
    ------
    FileFormatError
        CG-FILE-002, CG-FILE-003 or CG-FILE-030, as `citygeo.io.pbf.check_pbf`.
    """
    with path.open("rb") as file:
        blobs = list(_blobs(file, path, path.stat().st_size))
        for kind, blob in blobs:
            if kind == b"OSMHeader":
                _require_features(content(file, path, blob), path, blob)
    return [blob for kind, blob in blobs if kind == b"OSMData"]


def _blobs(file: BinaryIO, path: Path, end: int) -> Iterator[tuple[bytes, Blob]]:
    """Yield the kind and place of each block; the first is a header."""
    first = True
    while (size := file.read(4)) != b"":
        position = file.tell() - len(size)
        header_size = int.from_bytes(size, "big")
        if first and not 0 < header_size <= MAX_HEADER_BYTES:
            raise _not_pbf(path)
        try:
            fields = dict(_fields(_read(file, header_size, path, position)))
        except ValueError as cause:
            raise _not_pbf(path) if first else damaged(path, position, cause) from cause
        kind, blob_size = fields.get(1, b""), fields.get(3, -1)
        if first and kind != b"OSMHeader":
            raise _not_pbf(path)
        if not isinstance(blob_size, int) or not 0 <= blob_size <= MAX_BLOB_BYTES:
            raise error("CG-FILE-003", path=path.name, evidence=f"the block at byte {position} is damaged")
        if kind not in KINDS:
            raise damaged(path, position, f"its kind is {kind!r}")
        offset = file.tell()
        if offset + blob_size > end:
            raise _cut(path, position, blob_size, end - offset)
        file.seek(blob_size, 1)
        first = False
        yield bytes(kind), Blob(position, offset, blob_size)
    if first:
        raise _not_pbf(path)


def content(file: BinaryIO, path: Path, blob: Blob) -> bytes:
    """Return the uncompressed content of a block."""
    file.seek(blob.offset)
    data = _read(file, blob.size, path, blob.position)
    try:
        fields = dict(_fields(data))
    except ValueError as cause:
        raise damaged(path, blob.position, cause) from cause
    raw, packed = fields.get(1), fields.get(3)
    if isinstance(raw, bytes):
        return raw
    if isinstance(packed, bytes):
        return _inflated(packed, path, blob)
    for field, method in COMPRESSIONS.items():
        if field in fields:
            raise error("CG-FILE-030", path=path.name, problem=f"its blocks are packed with {method}")
    raise damaged(path, blob.position, "it has no content")


def _inflated(packed: bytes, path: Path, blob: Blob) -> bytes:
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(packed, MAX_BLOB_BYTES)
    except zlib.error as cause:
        raise damaged(path, blob.position, cause) from cause
    if not inflate.eof:
        raise damaged(path, blob.position, "it inflates past its end")
    return plain


def _require_features(header: bytes, path: Path, blob: Blob) -> None:
    """Raise CG-FILE-030 if a file says that readers must know what this one does not."""
    try:
        needed = [value for field, value in _fields(header) if field == 4]
    except ValueError as cause:
        raise damaged(path, blob.position, cause) from cause
    for feature in needed:
        if feature not in FEATURES:
            name = feature.decode("ascii", "replace") if isinstance(feature, bytes) else feature
            raise error("CG-FILE-030", path=path.name, problem=f"it needs a reader of {name!r}")


def _read(file: BinaryIO, size: int, path: Path, position: int) -> bytes:
    data = file.read(size) if size <= MAX_BLOB_BYTES else b""
    if len(data) != size:
        raise _cut(path, position, size, len(data))
    return data


def _cut(path: Path, position: int, size: int, left: int) -> Exception:
    evidence = f"the block at byte {position} should have {size} bytes, {left} are left"
    return error("CG-FILE-003", path=path.name, evidence=evidence)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Decode a small protobuf message of varints and byte strings; raise ValueError if it is none."""
    pos = 0
    while pos < len(data):
        key, pos = _varint(data, pos)
        value, pos = _varint(data, pos)
        if key & 7 == 0:
            yield key >> 3, value
        elif key & 7 == 2 and pos + value <= len(data):
            yield key >> 3, data[pos : pos + value]
            pos += value
        else:
            raise ValueError("a field of another kind, or cut")


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):  # ten bytes at most
        if pos >= len(data):
            break
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
    raise ValueError("a number without end")


def damaged(path: Path, position: int, cause: object) -> Exception:
    """Return the error of a block that is not what it should be."""
    return error("CG-FILE-003", path=path.name, evidence=f"the block at byte {position} is damaged: {cause}")


def _not_pbf(path: Path) -> Exception:
    with path.open("rb") as file:
        start = file.read(24)
    reason = "It has no OSM header block."
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        reason = "It is a web page (quota, login?), not OSM data."
    if start.startswith(LAYER_MARKS):
        reason = "It is a layer: RoadNetwork.from_centerlines reads lines, from_overture Overture's segments."
    if not start:
        reason = "It is empty."
    return error("CG-FILE-002", path=path.name, expected="an OSM PBF", start=repr(start)[1:], reason=reason)
