"""OSM PBF written by hand, byte by byte: what no common writer makes, and what is damaged."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FEATURES = (b"OsmSchema-V0.6", b"DenseNodes")


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def zigzag(value: int) -> bytes:
    return varint(2 * value if value >= 0 else -2 * value - 1)


def deltas(values: Iterable[int]) -> bytes:
    listed = list(values)
    return b"".join(zigzag(b - a) for a, b in zip([0, *listed], listed, strict=False))


def text(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def number(field: int, data: bytes) -> bytes:
    return varint(field << 3) + data


class Strings:
    """The strings of a block; the first is empty, as the format asks."""

    def __init__(self) -> None:
        self.listed = [""]

    def number(self, word: str) -> int:
        if word not in self.listed[1:]:
            self.listed.append(word)
        return self.listed.index(word, 1)

    def pairs(self, tags: Mapping[str, str]) -> list[tuple[int, int]]:
        return [(self.number(key), self.number(value)) for key, value in tags.items()]

    def table(self) -> bytes:
        return text(1, b"".join(text(1, word.encode()) for word in self.listed))


def tag_fields(strings: Strings, tags: Mapping[str, str]) -> bytes:
    pairs = strings.pairs(tags)
    keys, values = (b"".join(varint(pair[i]) for pair in pairs) for i in (0, 1))
    return text(2, keys) + text(3, values) if pairs else b""


def info(*, visible: bool | None) -> bytes:
    return b"" if visible is None else text(4, number(1, varint(3)) + number(6, varint(visible)))


def dense(
    strings: Strings,
    ids: Sequence[int],
    units: Sequence[tuple[int, int]] | None = None,
    tags: Sequence[Mapping[str, str]] | None = None,
    visible: Sequence[bool] | None = None,
) -> bytes:
    """Packed nodes; `units` are longitude and latitude in units of the granularity."""
    places = units if units is not None else [(20, 10)] * len(ids)
    body = text(1, deltas(ids))
    if visible is not None:
        body += text(5, text(1, varint(1) * len(ids)) + text(6, b"".join(varint(seen) for seen in visible)))
    body += text(8, deltas(y for _, y in places)) + text(9, deltas(x for x, _ in places))
    if tags is not None:
        listed = [b"".join(varint(k) + varint(v) for k, v in strings.pairs(one)) + b"\0" for one in tags]
        body += text(10, b"".join(listed))
    return text(2, body)


def node(
    strings: Strings,
    node_id: int,
    unit: tuple[int, int] = (20, 10),
    tags: Mapping[str, str] | None = None,
    *,
    visible: bool | None = None,
) -> bytes:
    place = number(8, zigzag(unit[1])) + number(9, zigzag(unit[0]))
    body = number(1, zigzag(node_id)) + tag_fields(strings, tags or {}) + info(visible=visible) + place
    return text(1, body)


def way(
    strings: Strings,
    way_id: int,
    refs: Iterable[int],
    tags: Mapping[str, str] | None = None,
    *,
    visible: bool | None = None,
) -> bytes:
    fields = tag_fields(strings, tags or {})
    return text(3, number(1, varint(way_id)) + fields + info(visible=visible) + text(8, deltas(refs)))


def relation(
    strings: Strings,
    relation_id: int,
    members: Sequence[tuple[int, int, str]] = (),
    tags: Mapping[str, str] | None = None,
    *,
    visible: bool | None = None,
) -> bytes:
    """A relation; members are (kind 0 node, 1 way or 2 relation, id, role)."""
    roles = b"".join(varint(strings.number(role) if role else 0) for _, _, role in members)
    lists = text(8, roles) + text(9, deltas(ref for _, ref, _ in members))
    kinds = text(10, b"".join(varint(kind) for kind, _, _ in members))
    head = number(1, varint(relation_id)) + tag_fields(strings, tags or {})
    return text(4, head + info(visible=visible) + lists + kinds)


def block(strings: Strings, *groups: bytes, scale: Mapping[int, int] | None = None) -> bytes:
    """A block; `scale` holds fields 17 (granularity), 19 and 20 (offsets of latitude and longitude)."""
    fields = b"".join(number(field, varint(value)) for field, value in (scale or {}).items())
    return strings.table() + b"".join(text(2, group) for group in groups) + fields


def blob(kind: bytes, content: bytes, *, compress: bool = True) -> bytes:
    """A block of a file: the size of its header, the header, the content."""
    packed = number(2, varint(len(content))) + text(3, zlib.compress(content))
    body = packed if compress else text(1, content)
    header = text(1, kind) + number(3, varint(len(body)))
    return struct.pack(">I", len(header)) + header + body


def header(features: Iterable[bytes] = FEATURES) -> bytes:
    return blob(b"OSMHeader", b"".join(text(4, feature) for feature in features))


def write_blocks(
    path: Path, *blocks: bytes, features: Iterable[bytes] = FEATURES, compress: bool = True
) -> Path:
    path.write_bytes(header(features) + b"".join(blob(b"OSMData", one, compress=compress) for one in blocks))
    return path
