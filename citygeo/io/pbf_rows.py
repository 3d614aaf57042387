"""Ask one block of an OSM PBF for what is wanted of its objects."""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from citygeo._kernels.pbf import Block, Query, Rows

    Kernel = Callable[[Block, Query, NDArray[np.int16], Rows], bool]


_THREAD = local()


class Found(NamedTuple):
    """
    What one block holds of what was asked for; the columns are those of `citygeo._kernels.pbf.Rows`.

    Attributes
    ----------
    seen
        Number of objects of that kind.
    low, high
        Lowest and highest id among those, of nodes.
    words
        The texts that `tag`, and the roles in `member`, number from 0.
    """

    seen: int
    low: int
    high: int
    row: NDArray[np.int64]
    member: NDArray[np.int64]
    tag: NDArray[np.int32]
    place: NDArray[np.int64]
    sampled: NDArray[np.int64]
    words: list[str]


def query(
    words: Mapping[str, int],
    *,
    step: int,
    ending: str = "",
    ids: NDArray[np.int64] | None = None,
    bounds: NDArray[np.int64] | None = None,
) -> Query:
    """
    Return what to read in the form kernels take.

    Parameters
    ----------
    words
        Keys and values -> what they mean, as bits of `citygeo._kernels.pbf`.
    step
        A power of two: node ids that it divides are sampled.
    ending
        Keys that end so are kept, too.
    ids
        Ids of wanted nodes in ascending order.
    bounds
        West, south, east, north in 1e-9 degrees: all nodes inside are wanted.
    """
    from citygeo._kernels import pbf

    texts = [word.encode() for word in words]
    return pbf.Query(
        np.frombuffer(b"".join(texts), np.uint8),
        np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64),
        np.fromiter(words.values(), np.uint8, len(words)),
        np.frombuffer(ending.encode(), np.uint8),
        np.empty(0, np.int64) if ids is None else ids,
        np.empty(0, np.int64) if bounds is None else bounds,
        step,
    )


def read_ways(block: Block, wanted: Query) -> Found:
    """Return the wanted ways of a block; raise ValueError if it is damaged."""
    from citygeo._kernels import pbf

    return _read(pbf.read_ways, block, wanted)


def read_nodes(block: Block, wanted: Query) -> Found:
    """Return the wanted nodes of a block; raise ValueError if it is damaged."""
    from citygeo._kernels import pbf

    return _read(pbf.read_nodes, block, wanted)


def read_relations(block: Block, wanted: Query) -> Found:
    """Return the wanted relations of a block; raise ValueError if it is damaged."""
    from citygeo._kernels import pbf

    return _read(pbf.read_relations, block, wanted, roles=slice(2, None, 3))


def n_relations(block: Block) -> int:
    """Return the number of relations in a block."""
    from citygeo._kernels import pbf

    return int(block.head[pbf.RELATIONS])


def _read(kernel: Kernel, block: Block, wanted: Query, roles: slice = slice(0)) -> Found:
    """Call a kernel with arrays that are long enough for any block, and copy what it filled."""
    from citygeo._kernels import pbf

    out = _scratch(block.buf.size)
    if not kernel(block, wanted, np.full(block.head[pbf.STRINGS], -1, np.int16), out):
        raise ValueError("its fields do not add up")
    seen, rows, members, tags, sampled, low, high = out.counts.tolist()
    member, tag = out.member[:members].copy(), out.tag[:tags].copy()
    is_used = np.zeros(block.head[pbf.STRINGS], np.bool_)
    is_used[tag], is_used[member[roles]] = True, True
    number = np.cumsum(is_used) - 1
    member[roles], tag = number[member[roles]], number[tag].astype(np.int32)
    return Found(
        seen,
        low,
        high,
        out.row[:rows].copy(),
        member,
        tag,
        out.place[:rows].copy(),
        out.sampled[:sampled].copy(),
        _texts(block, np.flatnonzero(is_used)),
    )


def _scratch(n: int) -> Rows:
    """Return arrays for `n` rows, of each thread the same again: new ones would tear its memory to pieces."""
    from citygeo._kernels import pbf

    known: Rows | None = getattr(_THREAD, "rows", None)
    if known is None or known.member.size < n:
        known = _THREAD.rows = pbf.Rows(
            np.empty((n, 3), np.int64),
            np.empty(n, np.int64),
            np.empty((n, 2), np.int32),
            np.empty((n, 2), np.int64),
            np.empty(n, np.int64),
            np.empty(pbf.COUNTS, np.int64),
        )
    known.counts[:] = 0
    return known


def _texts(block: Block, strings: NDArray[np.int64]) -> list[str]:
    """Decode strings; raise ValueError if one is no UTF-8."""
    raw = block.buf.data
    return [str(raw[begin:stop], "utf-8") for begin, stop in block.string[strings].tolist()]
