"""Walk the protobuf of one OSM PBF block and list what integrity checks need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# positions in `counts`
NODES, WAYS, RELATIONS, REFS = 0, 1, 2, 3


@kernel
def _varint(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
) -> tuple[Any, Any]:
    """Read one varint; a position past `end` says that it was cut."""
    value = np.uint64(0)
    shift = np.uint64(0)
    while pos < end:
        byte = np.uint64(buf[pos])
        pos += 1
        value |= (byte & np.uint64(0x7F)) << shift
        if byte < np.uint64(0x80):
            return value, pos
        shift += np.uint64(7)
        if shift > np.uint64(63):
            break
    return value, end + 1


@kernel
def _zigzag(
    value: Any,
) -> Any:
    """Decode a signed protobuf integer."""
    return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))


@kernel
def _skip(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
    wire: Any,
) -> Any:
    """Step over a field's value."""
    if wire == 0:
        _, pos = _varint(buf, pos, end)
        return pos
    if wire == 1:
        return pos + 8
    if wire == 5:
        return pos + 4
    if wire == 2:
        size, pos = _varint(buf, pos, end)
        if size > np.uint64(end):
            return end + 1
        return pos + np.int64(size)
    return end + 1


@kernel
def _packed_ids(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
    out: NDArray[np.int64],
    n: Any,
) -> Any:
    """Append a packed list of delta-coded signed integers to `out`; return the new length, -1 if cut."""
    last = np.int64(0)
    while pos < end:
        value, pos = _varint(buf, pos, end)
        if pos > end:
            return -1
        last += _zigzag(value)
        out[n] = last
        n += 1
    return n


@kernel
def _dense_tags(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
    out_tagged: NDArray[np.bool_],
    n: Any,
) -> Any:
    """Mark which dense nodes carry tags: each node's key-value list ends with 0."""
    has_tag = False
    while pos < end:
        value, pos = _varint(buf, pos, end)
        if pos > end:
            return False
        if value == 0:
            out_tagged[n] = has_tag
            n += 1
            has_tag = False
        else:
            has_tag = True
    return True


@kernel
def _dense(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
    out_ids: NDArray[np.int64],
    out_tagged: NDArray[np.bool_],
    counts: NDArray[np.int64],
) -> Any:
    first = counts[NODES]
    while pos < end:
        key, pos = _varint(buf, pos, end)
        field, wire = key >> np.uint64(3), key & np.uint64(7)
        stop = _skip(buf, pos, end, wire)
        if stop > end:
            return False
        if wire == 2 and field in {1, 10}:
            _, start = _varint(buf, pos, end)
            if field == 1:
                n = _packed_ids(buf, start, stop, out_ids, first)
                if n < 0:
                    return False
                counts[NODES] = n
            elif not _dense_tags(buf, start, stop, out_tagged, first):
                return False
        pos = stop
    return True


@kernel
def _node(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
    out_ids: NDArray[np.int64],
    out_tagged: NDArray[np.bool_],
    counts: NDArray[np.int64],
) -> Any:
    n = counts[NODES]
    while pos < end:
        key, pos = _varint(buf, pos, end)
        field, wire = key >> np.uint64(3), key & np.uint64(7)
        if field == 1 and wire == 0:
            value, _ = _varint(buf, pos, end)
            out_ids[n] = _zigzag(value)
        elif field == 2:
            out_tagged[n] = True
        pos = _skip(buf, pos, end, wire)
    counts[NODES] = n + 1
    return pos == end


@kernel
def _way(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
    out_refs: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Any:
    while pos < end:
        key, pos = _varint(buf, pos, end)
        field, wire = key >> np.uint64(3), key & np.uint64(7)
        stop = _skip(buf, pos, end, wire)
        if stop > end:
            return False
        if field == 8 and wire == 2:
            _, start = _varint(buf, pos, end)
            n = _packed_ids(buf, start, stop, out_refs, counts[REFS])
            if n < 0:
                return False
            counts[REFS] = n
        pos = stop
    counts[WAYS] += 1
    return pos == end


@kernel
def _group(
    buf: NDArray[np.uint8],
    pos: Any,
    end: Any,
    out_ids: NDArray[np.int64],
    out_tagged: NDArray[np.bool_],
    out_refs: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Any:
    while pos < end:
        key, pos = _varint(buf, pos, end)
        field, wire = key >> np.uint64(3), key & np.uint64(7)
        stop = _skip(buf, pos, end, wire)
        if stop > end:
            return False
        if wire == 2:
            _, start = _varint(buf, pos, end)
            whole = True
            if field == 1:
                whole = _node(buf, start, stop, out_ids, out_tagged, counts)
            elif field == 2:
                whole = _dense(buf, start, stop, out_ids, out_tagged, counts)
            elif field == 3:
                whole = _way(buf, start, stop, out_refs, counts)
            elif field == 4:
                counts[RELATIONS] += 1
            if not whole:
                return False
        pos = stop
    return pos == end


@kernel
def scan_block(
    buf: NDArray[np.uint8],
    out_ids: NDArray[np.int64],
    out_tagged: NDArray[np.bool_],
    out_refs: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> bool:
    """
    List the node ids, which of them carry tags, and the node references of ways in a PrimitiveBlock.

    Parameters
    ----------
    buf
        The uncompressed block, uint8.
    out_ids, out_tagged, out_refs
        Filled from the front: int64, bool (False on entry), int64; as long as `buf`.
    counts
        int64 of shape (4,), zero on entry: nodes, ways, relations, references.

    Returns
    -------
    True if the block is whole.
    """
    pos, end = 0, buf.size
    while pos < end:
        key, pos = _varint(buf, pos, end)
        field, wire = key >> np.uint64(3), key & np.uint64(7)
        stop = _skip(buf, pos, end, wire)
        if stop > end:
            return False
        if field == 2 and wire == 2:
            _, start = _varint(buf, pos, end)
            if not _group(buf, start, stop, out_ids, out_tagged, out_refs, counts):
                return False
        pos = stop
    return pos == end
