"""Walk the protobuf of one OSM PBF block: which objects it holds, and the rows of those that are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo._kernels._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# positions in `head` (the outline of a block) and bits of its KINDS
GROUPS, STRINGS, KINDS, RELATIONS, GRANULARITY, LAT_OFFSET, LON_OFFSET, HEAD = range(8)
HAS_NODES, HAS_WAYS, HAS_RELATIONS = 1, 2, 4
# what a word of a `Query` means: a tag to keep; a key whose objects are wanted; a key and a value wanted together
KEEP, WANT, GATE_KEY, GATE_VALUE = 1, 2, 4, 8
# positions in `counts`: objects seen, rows, members, tags, sampled ids; lowest and highest id of nodes seen
SEEN, ROWS, MEMBERS, TAGS, SAMPLED, LOW, HIGH, COUNTS = range(8)
# fields of a message that this file looks at have smaller numbers
FIELDS = 16
# numbers that are passed to functions have a type: each plain literal would compile the function once more
ZERO, ONE, ALL_TAGS = np.int64(0), np.int64(1), np.int64(KEEP)
ID, VISIBLE, LAT, LON = np.int64(1), np.int64(6), np.int64(8), np.int64(9)
# fields that are numbers in a message, one bit each; the others must be lists or messages
WAY_NUMBERS, NODE_NUMBERS = np.int64(1 << 1), np.int64(1 << 1 | 1 << 8 | 1 << 9)
INFO_NUMBERS, NO_NUMBERS = np.int64(0x7F), np.int64(0)


class Query(NamedTuple):
    """
    What to read.

    Attributes
    ----------
    text, start
        Word `i` is ``text[start[i]:start[i + 1]]``; uint8, int64.
    bits
        What each word means; uint8.
    ending
        Keys that end so are kept, too; uint8, empty for none.
    ids
        Ids of the wanted nodes in ascending order, each once; int64.
    bounds
        West, south, east, north in 1e-9 degrees, int64: all nodes inside are wanted, and their rows begin with their
        ids. Empty: those of `ids` are, and their rows begin with their positions there.
    step
        A power of two: node ids that it divides are sampled.
    """

    text: NDArray[np.uint8]
    start: NDArray[np.int64]
    bits: NDArray[np.uint8]
    ending: NDArray[np.uint8]
    ids: NDArray[np.int64]
    bounds: NDArray[np.int64]
    step: int


class Block(NamedTuple):
    """A block: its bytes, where its groups and strings start and stop (int32 `(n, 2)`), its `head`, int64 `(HEAD,)`."""

    buf: NDArray[np.uint8]
    group: NDArray[np.int32]
    string: NDArray[np.int32]
    head: NDArray[np.int64]


class Rows(NamedTuple):
    """
    What is read of one kind of object; every array is long enough for any block of that size.

    Attributes
    ----------
    row
        int64 `(n, 3)`: id of a way or relation, or position among the wanted nodes; number of members; of tags.
    member
        int64: node ids of ways; for relations triples of id, kind (0 node, 1 way, 2 relation) and string of the role.
    tag
        int32 `(t, 2)`: strings of key and value.
    place
        int64 `(n, 2)`: longitude and latitude of nodes in 1e-9 degrees.
    sampled
        int64: ids that `step` divides; of nodes only those without a tag.
    counts
        int64 `(COUNTS,)`: how much of each is filled.
    """

    row: NDArray[np.int64]
    member: NDArray[np.int64]
    tag: NDArray[np.int32]
    place: NDArray[np.int64]
    sampled: NDArray[np.int64]
    counts: NDArray[np.int64]


@kernel
def _varint(buf: NDArray[np.uint8], pos: Any, end: Any) -> tuple[Any, Any]:
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
def _zigzag(value: Any) -> Any:
    """Decode a signed protobuf integer."""
    return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))


@kernel
def _deltas(buf: NDArray[np.uint8], pos: Any, end: Any, out: NDArray[np.int64], first: Any) -> Any:
    """Write the sums of a packed list of signed differences from `first` on; return their number, -1 if cut."""
    # unsigned positions, byte by byte: less than half the time of a call for each number
    n, last = np.uint64(first), np.int64(0)
    value = shift = np.uint64(0)
    for i in range(np.uint64(pos), np.uint64(end)):
        byte = np.uint64(buf[i])
        value |= (byte & np.uint64(0x7F)) << shift
        if byte < np.uint64(0x80):
            last += _zigzag(value)
            out[n] = last
            n += np.uint64(1)
            value = shift = np.uint64(0)
        else:
            shift += np.uint64(7)
            if shift > np.uint64(63):
                return -1
    return np.int64(n) - first if shift == 0 else -1


@kernel
def _count(buf: NDArray[np.uint8], pos: Any, end: Any) -> Any:
    """Count the numbers of a packed list: each ends with a byte below 128."""
    n = 0
    for i in range(pos, end):
        n += buf[i] < 0x80
    return n


@kernel
def _field(buf: NDArray[np.uint8], pos: Any, end: Any) -> tuple[Any, Any, Any, Any]:
    """Return number, wire type, begin and stop of the field at `pos`; a stop past `end` says that it was cut."""
    key, begin = _varint(buf, pos, end)
    field, wire = np.int64(key >> np.uint64(3)), np.int64(key & np.uint64(7))
    stop = end + 1
    if wire == 0:
        _, stop = _varint(buf, begin, end)
    elif wire == 1:
        stop = begin + 8
    elif wire == 5:
        stop = begin + 4
    elif wire == 2:
        size, begin = _varint(buf, begin, end)
        if begin <= end and size <= np.uint64(end - begin):
            stop = begin + np.int64(size)
    return field, wire, begin, stop


@kernel
def _fields(buf: NDArray[np.uint8], pos: Any, end: Any, numbers: Any, span: NDArray[np.int64]) -> Any:
    """Note begin and stop of each field of a message, 0 and 0 where it has none; False if it is damaged."""
    span[:] = 0
    while pos < end:
        field, wire, begin, stop = _field(buf, pos, end)
        if stop > end:
            return False
        if field < FIELDS:
            if wire != (0 if (numbers >> field) & 1 else 2):
                return False
            span[field, 0], span[field, 1] = begin, stop
        pos = stop
    return pos == end


@kernel
def _number(buf: NDArray[np.uint8], span: NDArray[np.int64], field: Any) -> Any:
    """Return the number in a field that `_fields` found whole."""
    value, _ = _varint(buf, span[field, 0], span[field, 1])
    return value


@kernel
def _is_deleted(buf: NDArray[np.uint8], begin: Any, stop: Any, span: NDArray[np.int64]) -> Any:
    """Tell whether an object's info says that it is not visible."""
    if begin == stop or not _fields(buf, begin, stop, INFO_NUMBERS, span):
        return False
    return span[6, 0] != span[6, 1] and _number(buf, span, VISIBLE) == 0


@kernel
def outline(
    buf: NDArray[np.uint8], out_group: NDArray[np.int32], out_string: NDArray[np.int32], out_head: Any
) -> bool:
    """
    Find the groups and strings of a PrimitiveBlock, the kinds of objects in it, and its scale.

    Parameters
    ----------
    buf
        The uncompressed block, uint8.
    out_group, out_string
        Filled from the front with begin and stop, int32, half as many rows as `buf` has bytes, and one.
    out_head
        int64 `(HEAD,)`, filled.

    Returns
    -------
    True if the block is whole.
    """
    out_head[:] = 0
    out_head[GRANULARITY] = 100
    pos, end = ZERO, buf.size
    while pos < end:
        field, wire, begin, stop = _field(buf, pos, end)
        if stop > end:
            return False
        if field == 1 and wire == 2:
            while begin < stop:
                inner, inner_wire, text, text_stop = _field(buf, begin, stop)
                if text_stop > stop:
                    return False
                if inner == 1 and inner_wire == 2:
                    out_string[out_head[STRINGS], 0], out_string[out_head[STRINGS], 1] = text, text_stop
                    out_head[STRINGS] += 1
                begin = text_stop
        elif field == 2 and wire == 2:
            out_group[out_head[GROUPS], 0], out_group[out_head[GROUPS], 1] = begin, stop
            out_head[GROUPS] += 1
            if not _kinds(buf, begin, stop, out_head):
                return False
        elif wire == 0:
            # a set of numbers would cost a second of compiling
            place = (
                GRANULARITY
                if field == 17
                else LAT_OFFSET
                if field == 19
                else LON_OFFSET
                if field == 20
                else HEAD
            )
            if place < HEAD:
                out_head[place] = np.int64(_varint(buf, begin, stop)[0])
        pos = stop
    return bool(pos == end)


@kernel
def _kinds(buf: NDArray[np.uint8], pos: Any, end: Any, out_head: NDArray[np.int64]) -> Any:
    """Note the kinds of objects in a group, and count its relations."""
    while pos < end:
        field, wire, _, stop = _field(buf, pos, end)
        if stop > end:
            return False
        if wire == 2 and 1 <= field <= 4:
            out_head[KINDS] |= HAS_NODES if field < 3 else HAS_WAYS if field == 3 else HAS_RELATIONS
            out_head[RELATIONS] += field == 4
        pos = stop
    return pos == end


@kernel
def _bits(block: Block, i: Any, query: Query) -> Any:
    """Return what a string means."""
    begin, stop = block.string[i, 0], block.string[i, 1]
    size, tail = stop - begin, query.ending.size
    bits = KEEP if 0 < tail < size and _equal(block.buf, stop - tail, query.ending, ZERO, tail) else 0
    for word in range(query.bits.size):
        first = query.start[word]
        if query.start[word + 1] - first == size and _equal(block.buf, begin, query.text, first, size):
            bits |= query.bits[word]
    return bits


@kernel
def _equal(a: NDArray[np.uint8], a_begin: Any, b: NDArray[np.uint8], b_begin: Any, size: Any) -> Any:
    """Compare two texts of one length."""
    for i in range(size):  # noqa: SIM110  # numba
        if a[a_begin + i] != b[b_begin + i]:
            return False
    return True


@kernel
def _tags(
    block: Block, span: NDArray[np.int64], query: Query, always: Any, memo: NDArray[np.int16], out: Rows
) -> Any:
    """
    Write the tags of an object that are kept behind those of earlier rows.

    With `always` = KEEP all are. Returns how many, -1 if the object is not wanted, -2 if its tags are damaged.
    """
    key_pos, key_end, value_pos, value_end = span[2, 0], span[2, 1], span[3, 0], span[3, 1]
    first = n = out.counts[TAGS]
    is_wanted = False
    while key_pos < key_end:
        key, key_pos = _varint(block.buf, key_pos, key_end)
        value, value_pos = _varint(block.buf, value_pos, value_end)
        if key_pos > key_end or value_pos > value_end or max(key, value) >= np.uint64(memo.size):
            return -2
        if memo[key] < 0:
            memo[key] = _bits(block, key, query)
        is_wanted |= memo[key] & WANT != 0
        if memo[key] & GATE_KEY != 0:
            is_wanted |= _bits(block, value, query) & GATE_VALUE != 0
        if (memo[key] | always) & KEEP:
            out.tag[n, 0], out.tag[n, 1] = key, value
            n += 1
    if value_pos != value_end:
        return -2
    return n - first if is_wanted else -1


@kernel
def read_ways(block: Block, query: Query, memo: NDArray[np.int16], out: Rows) -> bool:
    """
    Read the wanted ways of a block, and a sample of the node ids that any way uses.

    Parameters
    ----------
    block
        As `outline` fills it.
    query
        Tags to keep, which of them make a way wanted, and the sampling step.
    memo
        Scratch, int16, one per string, all -1.
    out
        Filled from the front; counts are zero on entry.

    Returns
    -------
    True if the block is whole.
    """
    span, info = np.zeros((FIELDS, 2), np.int64), np.zeros((FIELDS, 2), np.int64)
    for group in range(block.head[GROUPS]):
        pos, end = np.int64(block.group[group, 0]), np.int64(block.group[group, 1])
        while pos < end:
            field, _, begin, stop = _field(block.buf, pos, end)
            pos = stop
            if field != 3:
                continue
            if not _fields(block.buf, begin, stop, WAY_NUMBERS, span) or span[1, 1] == 0:
                return False
            out.counts[SEEN] += 1
            n_tags = _tags(block, span, query, ZERO, memo, out)
            if n_tags == -2:
                return False
            # references of unwanted ways are overwritten by those of the next
            first = out.counts[MEMBERS]
            n_refs = _deltas(block.buf, span[8, 0], span[8, 1], out.member, first)
            if n_refs < 0:
                return False
            out.counts[SAMPLED] = _sample(
                out.member, first, first + n_refs, query.step, out.sampled, out.counts[SAMPLED]
            )
            if n_tags >= 0 and not _is_deleted(block.buf, span[4, 0], span[4, 1], info):
                _close_row(np.int64(_number(block.buf, span, ID)), n_refs, n_tags, out)
    return True


@kernel
def _sample(ids: NDArray[np.int64], first: Any, stop: Any, step: Any, out: NDArray[np.int64], n: Any) -> Any:
    """Append the ids that `step` divides; return the new length."""
    for i in range(first, stop):
        if ids[i] & (step - 1) == 0:
            out[n] = ids[i]
            n += 1
    return n


@kernel
def _close_row(number: Any, n_members: Any, n_tags: Any, out: Rows) -> None:
    """Count the members and tags written last as those of a new row."""
    row = out.counts[ROWS]
    out.row[row, 0], out.row[row, 1], out.row[row, 2] = number, n_members, n_tags
    out.counts[ROWS] = row + 1
    out.counts[MEMBERS] += n_members
    out.counts[TAGS] += n_tags


@kernel
def read_relations(block: Block, query: Query, memo: NDArray[np.int16], out: Rows) -> bool:
    """
    Read the wanted relations of a block with their members.

    Parameters and result are those of `read_ways`.
    """
    span, info = np.zeros((FIELDS, 2), np.int64), np.zeros((FIELDS, 2), np.int64)
    for group in range(block.head[GROUPS]):
        pos, end = np.int64(block.group[group, 0]), np.int64(block.group[group, 1])
        while pos < end:
            field, _, begin, stop = _field(block.buf, pos, end)
            pos = stop
            if field != 4:
                continue
            if not _fields(block.buf, begin, stop, WAY_NUMBERS, span) or span[1, 1] == 0:
                return False
            out.counts[SEEN] += 1
            n_tags = _tags(block, span, query, ALL_TAGS, memo, out)
            if n_tags == -2:
                return False
            if n_tags < 0 or _is_deleted(block.buf, span[4, 0], span[4, 1], info):
                continue
            n_members = _members(block, span, memo.size, out)
            if n_members < 0:
                return False
            _close_row(np.int64(_number(block.buf, span, ID)), n_members, n_tags, out)
    return True


@kernel
def _members(block: Block, span: NDArray[np.int64], n_strings: Any, out: Rows) -> Any:
    """Write the members of a relation; return three for each, -1 if they are damaged."""
    role_pos, id_pos, kind_pos = span[8, 0], span[9, 0], span[10, 0]
    first = n = out.counts[MEMBERS]
    ref = np.int64(0)
    while id_pos < span[9, 1]:
        delta, id_pos = _varint(block.buf, id_pos, span[9, 1])
        kind, kind_pos = _varint(block.buf, kind_pos, span[10, 1])
        role, role_pos = _varint(block.buf, role_pos, span[8, 1])
        if id_pos > span[9, 1] or kind_pos > span[10, 1] or role_pos > span[8, 1]:
            return -1
        if role >= np.uint64(n_strings) or kind > np.uint64(2):
            return -1
        ref += _zigzag(delta)
        out.member[n], out.member[n + 1], out.member[n + 2] = ref, np.int64(kind), np.int64(role)
        n += 3
    return n - first


@kernel
def _seek(ids: NDArray[np.int64], low: Any, number: Any) -> Any:
    """Return the first position from `low` on whose id is not below `number`, in steps that double."""
    step = 1
    while low + step <= ids.size and ids[low + step - 1] < number:
        low += step
        step *= 2
    high = min(low + step - 1, ids.size)
    while low < high:
        middle = (low + high) // 2
        if ids[middle] < number:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def read_nodes(block: Block, query: Query, memo: NDArray[np.int16], out: Rows) -> bool:
    """
    Read the places of the wanted nodes of a block and the tags of those that have a wanted key.

    Only ids of nodes without a tag are sampled. Parameters and result are those of `read_ways`.
    """
    span, info = np.zeros((FIELDS, 2), np.int64), np.zeros((FIELDS, 2), np.int64)
    for group in range(block.head[GROUPS]):
        pos, end = np.int64(block.group[group, 0]), np.int64(block.group[group, 1])
        while pos < end:
            field, _, begin, stop = _field(block.buf, pos, end)
            pos = stop
            is_whole = True
            if field == 1:
                is_whole = _fields(block.buf, begin, stop, NODE_NUMBERS, span)
                is_whole = is_whole and span[1, 1] != 0 and _node(block, span, info, query, memo, out)
            elif field == 2:
                is_whole = _fields(block.buf, begin, stop, NO_NUMBERS, span)
                is_whole = is_whole and _dense(block, span, info, query, memo, out)
            if not is_whole:
                return False
    return True


@kernel
def _node(block: Block, span: Any, info: Any, query: Query, memo: NDArray[np.int16], out: Rows) -> Any:
    """Read a node that stands by itself."""
    number = _zigzag(_number(block.buf, span, ID))
    _see(number, number, ONE, out)
    if _is_deleted(block.buf, span[4, 0], span[4, 1], info):
        return True
    if span[2, 0] == span[2, 1] and number & (query.step - 1) == 0:
        out.sampled[out.counts[SAMPLED]] = number
        out.counts[SAMPLED] += 1
    x = block.head[LON_OFFSET] + block.head[GRANULARITY] * _zigzag(_number(block.buf, span, LON))
    y = block.head[LAT_OFFSET] + block.head[GRANULARITY] * _zigzag(_number(block.buf, span, LAT))
    at, has_bounds = _seek(query.ids, ZERO, number), query.bounds.size > 0
    is_wanted = at < query.ids.size and query.ids[at] == number
    if _is_within(query.bounds, x, y) if has_bounds else is_wanted:
        n_tags = _tags(block, span, query, ZERO, memo, out)
        if n_tags == -2:
            return False
        _place_row(number if has_bounds else at, x, y, max(n_tags, 0), out)
    return True


@kernel
def _see(low: Any, high: Any, n: Any, out: Rows) -> None:
    """Count nodes and their lowest and highest id."""
    is_first = out.counts[SEEN] == 0
    out.counts[LOW] = low if is_first else min(low, out.counts[LOW])
    out.counts[HIGH] = high if is_first else max(high, out.counts[HIGH])
    out.counts[SEEN] += n


@kernel
def _is_within(bounds: NDArray[np.int64], x: Any, y: Any) -> Any:
    return bounds[0] <= x <= bounds[2] and bounds[1] <= y <= bounds[3]


@kernel
def _place_row(number: Any, x: Any, y: Any, n_tags: Any, out: Rows) -> None:
    """Add the row of a node."""
    row = out.counts[ROWS]
    out.place[row, 0], out.place[row, 1] = x, y
    _close_row(number, ZERO, n_tags, out)


@kernel
def _dense(block: Block, span: Any, info: Any, query: Query, memo: NDArray[np.int16], out: Rows) -> Any:
    """Read packed nodes: lists of ids, latitudes, longitudes, tags, and whether they are visible, side by side."""
    buf, size = block.buf, span[1, 1] - span[1, 0]
    ids, lat, lon = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    n = _deltas(buf, span[1, 0], span[1, 1], ids, ZERO)
    # counted before they are written, since the lists may differ in length
    if n < 0 or _count(buf, span[8, 0], span[8, 1]) != n or _count(buf, span[9, 0], span[9, 1]) != n:
        return False
    if (
        _deltas(buf, span[8, 0], span[8, 1], lat, ZERO) != n
        or _deltas(buf, span[9, 0], span[9, 1], lon, ZERO) != n
    ):
        return False
    tag_start = np.zeros(n + 1, np.int64)  # all equal where no node has a tag
    if span[10, 0] < span[10, 1] and not _tag_starts(buf, span[10, 0], span[10, 1], tag_start):
        return False
    is_visible = np.ones(n, np.bool_)
    if span[5, 0] < span[5, 1] and not _visible(buf, span[5, 0], span[5, 1], info, is_visible):
        return False
    # what every node needs is a local name: passing whole blocks to functions takes longer than the work itself
    wanted, bounds, mask = query.ids, query.bounds, query.step - 1
    at, n_sampled, has_bounds = ZERO, out.counts[SAMPLED], bounds.size > 0
    low, high = (ids[0], ids[0]) if n else (ZERO, ZERO)
    for i in range(n):
        number = ids[i]
        low, high = min(low, number), max(high, number)
        x = block.head[LON_OFFSET] + block.head[GRANULARITY] * lon[i]
        y = block.head[LAT_OFFSET] + block.head[GRANULARITY] * lat[i]
        if number & mask == 0 and tag_start[i + 1] - tag_start[i] < 2:
            out.sampled[n_sampled] = number
            n_sampled += 1
        if i > 0 and number < ids[i - 1]:
            at = ZERO
        if at < wanted.size and wanted[at] < number:
            at = _seek(wanted, at, number)
        is_wanted = at < wanted.size and wanted[at] == number
        if is_visible[i] and (_is_within(bounds, x, y) if has_bounds else is_wanted):
            n_tags = _dense_tags(block, tag_start[i], tag_start[i + 1], query, memo, out)
            if n_tags < 0:
                return False
            _place_row(number if has_bounds else at, x, y, n_tags, out)
    out.counts[SAMPLED] = n_sampled
    if n:
        _see(low, high, n, out)
    return True


@kernel
def _tag_starts(buf: NDArray[np.uint8], pos: Any, end: Any, out: NDArray[np.int64]) -> Any:
    """Find where the tags of each packed node begin: keys and values in turn, 0 in place of a key ends a node."""
    n, is_key = 0, True
    out[0] = pos
    while pos < end:
        value, pos = _varint(buf, pos, end)
        if pos > end:
            return False
        if is_key and value == 0:
            n += 1
            if n == out.size:
                return False
            out[n] = pos
        else:
            is_key = not is_key
    return n == out.size - 1 and is_key


@kernel
def _visible(
    buf: NDArray[np.uint8], begin: Any, end: Any, span: NDArray[np.int64], out: NDArray[np.bool_]
) -> Any:
    """Read which packed nodes are not deleted, if their info says so."""
    if not _fields(buf, begin, end, NO_NUMBERS, span):
        return False
    pos, stop = span[6, 0], span[6, 1]
    for i in range(out.size if pos < stop else 0):
        value, pos = _varint(buf, pos, stop)
        if pos > stop:
            return False
        out[i] = value != 0
    return pos == stop


@kernel
def _dense_tags(block: Block, pos: Any, end: Any, query: Query, memo: NDArray[np.int16], out: Rows) -> Any:
    """Write the kept tags of one packed node, found whole by `_tag_starts`; return their number, -1 if damaged."""
    first = n = out.counts[TAGS]
    is_kept = False
    while pos < end - 1:
        key, pos = _varint(block.buf, pos, end)
        value, pos = _varint(block.buf, pos, end)
        if max(key, value) >= np.uint64(memo.size):
            return -1
        if memo[key] < 0:
            memo[key] = _bits(block, key, query)
        is_kept |= memo[key] & WANT != 0
        if memo[key] & KEEP:
            out.tag[n, 0], out.tag[n, 1] = key, value
            n += 1
    return n - first if is_kept else 0
