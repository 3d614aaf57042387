"""
Read the blocks of an OSM PBF on threads, each once, and tell a whole file from a cut one.

The format has no end mark and no totals: a file cut at the end of a block reads without error. What
gives it away are nodes without tags that no way uses, because the ways that used them are gone.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from citygeo._run import run_chunks
from citygeo.errors import error
from citygeo.io.pbf_blobs import Blob, content, damaged, list_blobs
from citygeo.io.pbf_rows import Found, n_relations, query, read_nodes, read_ways

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from citygeo._kernels.pbf import Block

T = TypeVar("T")

CHUNK = 4  # blocks per task

# of a whole extract, 0.0003 % of the nodes; of one cut at any of 45 block ends, 0.74 % or more
UNUSED_SHARE_WARNS = 0.001
UNUSED_SHARE_RAISES = 0.005
# of larger files only every 2nd, 4th, 8th... node id is looked at: the shares above need no more
SAMPLED_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class PbfFile:
    """
    A PBF and the data blocks in it.

    Attributes
    ----------
    path
        The file.
    blobs
        Its data blocks in order.
    step
        A power of two: node ids that it divides stand for all in the check for a cut file.
    threads
        Number of threads that read it; all processors if `None`.
    """

    path: Path
    blobs: list[Blob]
    step: int
    threads: int | None = None


class Layout(NamedTuple):
    """Which blocks may hold ways and relations, and which nodes."""

    ways: range
    nodes: range


class UnusualOrderError(Exception):
    """A block holds objects where the layout has none."""


@dataclass(frozen=True)
class PbfSummary:
    """What a PBF holds: counts, and how many untagged nodes no way uses (of large files an estimate)."""

    nodes: int
    ways: int
    relations: int
    unused_nodes: int

    def doubt(self) -> str | None:
        """Return what makes the file look cut although it need not be, `None` if nothing does."""
        if self.unused_share > UNUSED_SHARE_WARNS:
            return f"{self.unused_nodes} of {self.nodes} nodes have no tag and belong to no way"
        return None if self.relations else "it has no relations, which come last in a PBF"

    @property
    def unused_share(self) -> float:
        """Share of nodes that have no tag and belong to no way."""
        return self.unused_nodes / self.nodes if self.nodes else 0.0

    def require_whole(self, path: Path) -> None:
        """Raise CG-FILE-003 if the file was cut at the end of a block."""
        if self.nodes == self.ways == self.relations == 0:
            raise error("CG-FILE-003", path=path.name, evidence="it has a header and no data")
        if self.unused_share > UNUSED_SHARE_RAISES:
            evidence = (
                f"{self.unused_nodes} of {self.nodes} nodes have no tag and belong to no way, "
                f"{self.ways} ways, {self.relations} relations"
            )
            raise error("CG-FILE-003", path=path.name, evidence=evidence)


def require_file(path: Path) -> None:
    """Raise CG-FILE-001, naming similar files, unless `path` is a file."""
    if not path.is_file():
        folder = path.parent
        names = [item.name for item in folder.iterdir()] if folder.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=3) or ["none"]
        raise error("CG-FILE-001", path=path.name, folder=folder, near=", ".join(near))


def check_pbf(path: Path) -> PbfSummary:
    """
    Read every block of a PBF and raise unless the file is whole.

    Parameters
    ----------
    path
        An ``.osm.pbf`` file, blocks raw or zlib-compressed (as all common extracts are).

    Returns
    -------
    Counts of the file.

    Raises
    ------
    FileError
        CG-FILE-001: the file does not exist.
    FileFormatError
        CG-FILE-002: not a PBF. CG-FILE-003: cut inside a block or at the end of one. CG-FILE-030: packed in a
        way that is not read.
    """
    require_file(path)
    state = path.stat()
    summary = _summarise(path, state.st_size, state.st_mtime_ns)
    summary.require_whole(path)
    return summary


@lru_cache(maxsize=8)  # several layers of one file are often read one after the other
def _summarise(path: Path, _size: int, _mtime_ns: int) -> PbfSummary:
    """Count what a file holds; size and time of change stand for its content."""
    file = open_pbf(path)
    nothing = query({}, step=file.step)

    def count(layout: Layout) -> PbfSummary:
        ways = each_block(
            file, layout, layout.ways, lambda block: (read_ways(block, nothing), n_relations(block))
        )
        nodes = each_block(file, layout, layout.nodes, lambda block: read_nodes(block, nothing))
        relations = sum(many for _, many in ways)
        return summarise(file, counted([found for found, _ in ways]), relations, counted(nodes))

    return laid_out(file, count)


class Counted(NamedTuple):
    """How many objects were seen, and the ids sampled of them."""

    seen: int
    sampled: NDArray[np.int64]


def counted(found: list[Found]) -> Counted:
    """Return what the check for a cut file needs of blocks."""
    sampled = np.concatenate([np.empty(0, np.int64), *(item.sampled for item in found)])
    return Counted(sum(item.seen for item in found), sampled)


def summarise(file: PbfFile, ways: Counted, relations: int, nodes: Counted) -> PbfSummary:
    """Count objects, and the untagged nodes that no way uses, from what all blocks of a file hold."""
    unused, used = nodes.sampled.size, np.sort(ways.sampled)
    if used.size:
        place = np.minimum(np.searchsorted(used, nodes.sampled), used.size - 1)
        unused = int((used[place] != nodes.sampled).sum())
    return PbfSummary(nodes.seen, ways.seen, relations, unused * file.step)


def open_pbf(path: Path, threads: int | None = None) -> PbfFile:
    """
    List the blocks of a PBF without reading their content.

    Parameters
    ----------
    path
        The file.
    threads
        Number of threads that will read it; all processors if `None`.

    Raises
    ------
    FileFormatError
        As `check_pbf`.
    """
    blobs, size, step = list_blobs(path), path.stat().st_size, 1
    while size > SAMPLED_BYTES * step:
        step *= 2
    return PbfFile(path, blobs, step, threads)


def laid_out(file: PbfFile, work: Callable[[Layout], T]) -> T:
    """
    Call `work` with the layout of a file; once more, for any order, if its blocks are not in the usual one.

    Nearly all files hold nodes, then ways, then relations, so a few looks tell which blocks hold what.
    """
    everything = range(len(file.blobs))
    try:
        return work(_usual_layout(file))
    except UnusualOrderError:
        return work(Layout(everything, everything))


def _usual_layout(file: PbfFile) -> Layout:
    """Find the first block with ways or relations, and the last one with nodes, by halving."""
    from citygeo._kernels import pbf

    n = len(file.blobs)
    everything = Layout(range(n), range(n))

    @cache
    def kinds(i: int) -> int:
        (found,) = each_block(file, everything, range(i, i + 1), lambda block: int(block.head[pbf.KINDS]))
        return found

    first_way = bisect_left(range(n), 1, key=lambda i: int(kinds(i) & ~pbf.HAS_NODES != 0))
    behind_nodes = bisect_left(range(n), 1, key=lambda i: int(kinds(i) & pbf.HAS_NODES == 0))
    return Layout(range(first_way, n), range(max(first_way, behind_nodes)))


def each_block(
    file: PbfFile, layout: Layout, which: range | list[int], read: Callable[[Block], T]
) -> list[T]:
    """
    Inflate and read blocks on threads.

    Parameters
    ----------
    file
        As `open_pbf` returns it.
    layout
        What to expect where.
    which
        Numbers of the blocks.
    read
        Called with each block, on several threads at a time; a ValueError of it says that the block is damaged.

    Returns
    -------
    What `read` returned, in the order of the file.

    Raises
    ------
    UnusualOrderError
        A block holds what the layout says it does not.
    """
    results: dict[int, T] = {}

    def work(low: int, high: int, stop: NDArray[np.uint8]) -> None:
        with file.path.open("rb") as opened:
            for number in which[low:high]:
                if not stop[0]:
                    results[number] = _read_block(opened, file, layout, number, read)

    run_chunks(work, len(which), chunk=CHUNK, threads=file.threads)
    return [results[number] for number in which]


def _read_block(
    opened: BinaryIO, file: PbfFile, layout: Layout, number: int, read: Callable[[Block], T]
) -> T:
    from citygeo._kernels import pbf

    blob = file.blobs[number]
    buf = np.frombuffer(content(opened, file.path, blob), np.uint8)
    most = buf.size // 2 + 1
    group, string = np.empty((most, 2), np.int32), np.empty((most, 2), np.int32)
    block = pbf.Block(buf, group, string, np.empty(pbf.HEAD, np.int64))
    if not pbf.outline(*block):
        raise damaged(file.path, blob.position, "its fields do not add up")
    kinds = int(block.head[pbf.KINDS])
    has_nodes, has_others = kinds & pbf.HAS_NODES, kinds & ~pbf.HAS_NODES
    if (has_nodes and number not in layout.nodes) or (has_others and number not in layout.ways):
        raise UnusualOrderError
    try:
        return read(block)
    except ValueError as cause:
        raise damaged(file.path, blob.position, cause) from cause
