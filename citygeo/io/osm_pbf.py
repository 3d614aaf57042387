"""
Streets of an OSM PBF.

Blocks of ways come first, so that of the nodes, which are most of a file, only those on streets are kept. With a
region, the ids of the nodes inside come before that, so that only ways that touch it are kept.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.crop import Pieces, Region, left_in, outside, touching
from citygeo.io.osm_tables import Drawing, no_tags, number_nodes, places, tables
from citygeo.io.pbf import Counted, counted, each_block, laid_out, open_pbf, summarise
from citygeo.io.pbf_rows import Found, n_relations, query, read_nodes, read_relations, read_ways
from citygeo.io.restrictions import KEY, Member, RestrictionLog
from citygeo.io.streets import CONDITIONAL, NODE_KINDS, NODE_TAGS, WAY_TAGS, StreetTables, TagSets

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from citygeo._kernels.pbf import Block
    from citygeo.io.pbf import Layout, PbfFile

NANO = 1e9  # units of a degree
MEMBER_KINDS = "nwr"


class _Inside(NamedTuple):
    """Ids of the nodes inside a region, ascending; what was counted in each block of nodes."""

    ids: NDArray[np.int64]
    blocks: list[Found]


class _WayBlock(NamedTuple):
    """What a block holds: its streets, or the pieces that touch the region; how many ways that were; relations."""

    found: Found
    roads: int
    kept: int
    relations: int
    turns: Found


class _Ways(NamedTuple):
    """The streets of all blocks, with their numbers as in `_WayBlock`."""

    drawing: Drawing
    roads: int
    kept: int
    relations: int
    counted: Counted


class _Nodes(NamedTuple):
    """Places of all nodes of streets, NaN where the file has none; blocks of those with tags; what was counted."""

    lonlat: NDArray[np.float64]
    tagged: list[Found]
    counted: Counted


def read_pbf(path: Path, region: Region | None, threads: int | None) -> StreetTables:
    """Read the streets of a PBF; see `citygeo.io.osm.read`."""
    file = open_pbf(path, threads)
    return laid_out(file, lambda layout: _read(file, layout, region))


def _read(file: PbfFile, layout: Layout, region: Region | None) -> StreetTables:
    inside = None if region is None else _nodes_inside(file, layout, region)
    ways = _ways(file, layout, inside)
    drawing = ways.drawing
    which = list(layout.nodes)
    if inside is not None:
        which = [
            number
            for number, block in zip(which, inside.blocks, strict=True)
            if _holds(drawing.node_id, block)
        ]
    nodes = _nodes(file, layout, which, drawing.node_id)
    seen = nodes.counted if inside is None else counted(inside.blocks)
    summary = summarise(file, ways.counted, ways.relations, seen)
    summary.require_whole(file.path)
    if (doubt := summary.doubt()) is not None:
        drawing.issues.add("CG-FILE-005", path=file.path.name, evidence=doubt)
    if region is not None and ways.roads and not ways.kept:
        raise outside(file.path.name, region, _data_bounds(file, layout))
    streets = tables(drawing, nodes.lonlat, _node_tag_sets(nodes, drawing.sets))
    return streets if region is None else left_in(streets, region, ways.roads, ways.kept)


def _way_words() -> dict[str, int]:
    """Return what the words of ways mean: roads, and ferries that are no road."""
    from citygeo._kernels.pbf import GATE_KEY, GATE_VALUE, KEEP, WANT

    words = dict.fromkeys(sorted(WAY_TAGS), KEEP)
    words["highway"] |= WANT
    words["route"] |= GATE_KEY
    words["ferry"] = words.get("ferry", 0) | GATE_VALUE
    return words


def _node_words() -> dict[str, int]:
    from citygeo._kernels.pbf import KEEP, WANT

    return {word: KEEP | WANT if word in NODE_KINDS else KEEP for word in sorted(NODE_TAGS)}


def _nodes_inside(file: PbfFile, layout: Layout, region: Region) -> _Inside:
    """Read the ids of all nodes inside; blocks without any are not looked into again."""
    west, south, east, north = np.array(region.bounds) * NANO
    # a little more, so that rounding loses none
    bounds = np.array([west - 1, south - 1, east + 1, north + 1]).astype(np.int64)
    within = query({}, step=file.step, bounds=bounds)
    lock = Lock()  # a polygon prepares its index when it is first asked

    def read(block: Block) -> tuple[NDArray[np.int64], Found]:
        found = read_nodes(block, within)
        with lock:
            is_inside = region.contains(found.place / NANO)
        return found.row[is_inside, 0], found._replace(row=found.row[:0], place=found.place[:0])

    blocks = each_block(file, layout, layout.nodes, read)
    return _Inside(np.sort(_joined([ids for ids, _ in blocks], (0,))), [found for _, found in blocks])


def _data_bounds(file: PbfFile, layout: Layout) -> Region:
    """Return the bounds of all nodes, for an error."""
    everywhere = query({}, step=file.step, bounds=np.array([-180, -90, 180, 90]) * int(NANO))
    blocks = each_block(file, layout, layout.nodes, lambda block: read_nodes(block, everywhere).place)
    lonlat = np.concatenate([place for place in blocks if place.size]) / NANO
    return Region((*lonlat.min(axis=0).tolist(), *lonlat.max(axis=0).tolist()))


def _holds(ids: NDArray[np.int64], block: Found) -> bool:
    """Tell whether any of the ascending ids may be in a block of nodes."""
    first, last = np.searchsorted(ids, block.low), np.searchsorted(ids, block.high, side="right")
    return block.seen > 0 and bool(first < last)


def _ways(file: PbfFile, layout: Layout, inside: _Inside | None) -> _Ways:
    """Read streets and turn restrictions."""
    from citygeo._kernels.pbf import GATE_KEY, GATE_VALUE

    wanted = query(_way_words(), step=file.step, ending=CONDITIONAL)
    turns = query({"type": GATE_KEY, KEY: GATE_VALUE}, step=file.step)

    def read(block: Block) -> _WayBlock:
        found, relations = read_ways(block, wanted), n_relations(block)
        roads = kept = len(found.row)
        if inside is not None:
            found, kept = _cut(found, inside.ids)
        return _WayBlock(found, roads, kept, relations, read_relations(block, turns))

    blocks = each_block(file, layout, layout.ways, read)
    log = RestrictionLog()
    for block in blocks:
        _log_turns(block.turns, log)
    roads, kept, relations = (
        sum(getattr(block, name) for block in blocks) for name in ("roads", "kept", "relations")
    )
    found = [block.found for block in blocks]
    return _Ways(_drawing(file.path.name, found, log), roads, kept, relations, counted(found))


def _drawing(source: str, found: list[Found], log: RestrictionLog) -> Drawing:
    """Join the ways of all blocks."""
    row, sets = _joined([item.row for item in found], (0, 3)), TagSets()
    with ThreadPoolExecutor(1) as pool:
        # numbering tags holds the interpreter, sorting ids does not
        way_tag_set = pool.submit(_tag_sets, found, sets)
        node_id, way_node = number_nodes(_joined([item.member for item in found], (0,)))
    return Drawing(
        source=source,
        way_id=row[:, 0].copy(),
        way_start=np.concatenate((np.zeros(1, np.int64), np.cumsum(row[:, 1]))),
        way_tag_set=way_tag_set.result(),
        node_id=node_id,
        way_node=way_node,
        sets=sets,
        n_ways=sum(item.seen for item in found),
        restrictions=log,
    )


def _joined(parts: list[NDArray[np.int64]], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Concatenate, also if there is nothing."""
    return np.concatenate([np.empty(shape, np.int64), *parts])


def _cut(found: Found, inside: NDArray[np.int64]) -> tuple[Found, int]:
    """Return the pieces of the ways of a block that touch the inside, and of how many ways they are."""
    way_start = np.concatenate((np.zeros(1, np.int64), np.cumsum(found.row[:, 1])))
    tag_start = np.cumsum(found.row[:, 2]) - found.row[:, 2]
    kept = touching(way_start, _is_among(found.member, inside))
    n_tags = found.row[kept.way, 2]
    tag = found.tag[Pieces(kept.way, tag_start[kept.way], n_tags).positions()]
    used, renumbered = np.unique(tag, return_inverse=True)
    cut = found._replace(
        row=np.column_stack((found.row[kept.way, 0], kept.size, n_tags)),
        member=found.member[kept.positions()],
        tag=renumbered.reshape(-1, 2).astype(np.int32),
        words=[found.words[number] for number in used.tolist()],
    )
    return cut, np.unique(kept.way).size


def _is_among(numbers: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which numbers are among the ascending ids."""
    if ids.size == 0:
        return np.zeros(numbers.size, np.bool_)
    return np.asarray(ids[np.minimum(np.searchsorted(ids, numbers), ids.size - 1)] == numbers)


def _log_turns(found: Found, log: RestrictionLog) -> None:
    """Put the relations of a block into words."""
    member = found.member.reshape(-1, 3).tolist()
    tag = found.tag.tolist()
    first_member = first_tag = 0
    for number, n_members, n_tags in found.row.tolist():
        tags = {found.words[key]: found.words[value] for key, value in tag[first_tag : first_tag + n_tags]}
        rows = member[first_member : first_member + n_members // 3]
        log.add(
            number, tags, [Member(MEMBER_KINDS[kind], ref, found.words[role]) for ref, kind, role in rows]
        )
        first_member += n_members // 3
        first_tag += n_tags


def _tag_sets(found: list[Found], sets: TagSets) -> NDArray[np.int32]:
    """Return the number of the set of tags of each row."""
    numbers: dict[str, int] = {}
    parts = [np.empty((0, 2), np.int32)]
    for item in found:
        number = [numbers.setdefault(word, len(numbers)) for word in item.words]
        parts.append(np.array(number, np.int32)[item.tag])
    words = list(numbers)
    pairs = np.concatenate(parts)
    size = _joined([item.row[:, 2] for item in found], (0,))
    stop = np.cumsum(size * pairs.itemsize * 2).tolist()
    raw, known, result, begin = pairs.tobytes(), dict[bytes, int](), [], 0
    for end in stop:
        # the same tags in another order are a new key here and the same set there
        key = raw[begin:end]
        number_of_set = known.get(key)
        if number_of_set is None:
            listed = pairs[begin // 8 : end // 8].tolist()
            number_of_set = known[key] = sets.number({words[name]: words[value] for name, value in listed})
        result.append(number_of_set)
        begin = end
    return np.array(result, np.int32)


def _nodes(file: PbfFile, layout: Layout, which: list[int], node_id: NDArray[np.int64]) -> _Nodes:
    """Read places and tags of the nodes of streets."""
    wanted = query(_node_words(), step=file.step, ids=node_id)
    lonlat, is_placed = np.full((node_id.size, 2), np.nan), np.zeros(node_id.size, np.bool_)

    def read(block: Block) -> tuple[int, Found]:
        found = read_nodes(block, wanted)
        position = found.row[:, 0]
        lonlat[position], is_placed[position] = places(found.place / NANO), True
        return position.size, found._replace(row=found.row[found.row[:, 2] > 0], place=found.place[:0])

    blocks = each_block(file, layout, which, read)
    if sum(many for many, _ in blocks) > is_placed.sum() and file.threads != 1:
        # a node given twice: read in order, so that its last place holds
        return _nodes(replace(file, threads=1), layout, which, node_id)
    tagged = [found for _, found in blocks]
    return _Nodes(lonlat, tagged, counted(tagged))


def _node_tag_sets(nodes: _Nodes, sets: TagSets) -> NDArray[np.int32]:
    node_tag_set = no_tags(len(nodes.lonlat))
    row = _joined([found.row for found in nodes.tagged], (0, 3))
    node_tag_set[row[:, 0]] = _tag_sets(nodes.tagged, sets)
    return node_tag_set
