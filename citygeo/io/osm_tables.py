"""From ways that name their nodes by OSM ids to street tables, the same for every form of OSM data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from citygeo.errors import error
from citygeo.io.crop import pieces
from citygeo.io.restrictions import RestrictionLog
from citygeo.io.streets import MAX_LATITUDE, NO_TAGS, StreetTables, TagSets
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING_NODE_SHARE_WARNS = 0.005
MAX_LONGITUDE = 180.0


@dataclass
class Drawing:
    """
    Ways as they stand in a file, and what was found while reading it.

    Attributes
    ----------
    source
        Name of the file.
    way_id, way_start, way_tag_set
        As in `StreetTables`.
    node_id, way_node
        Ids of all nodes that ways name, and positions among them, as `number_nodes` returns them.
    sets
        The sets of tags.
    n_ways
        Ways in the file, roads or not.
    restrictions, issues
        What else was found.
    """

    source: str
    way_id: NDArray[np.int64]
    way_start: NDArray[np.int64]
    way_tag_set: NDArray[np.int32]
    node_id: NDArray[np.int64]
    way_node: NDArray[np.int64]
    sets: TagSets
    n_ways: int
    restrictions: RestrictionLog = field(default_factory=RestrictionLog)
    issues: IssueLog = field(default_factory=IssueLog)

    def __post_init__(self) -> None:
        """Drop a node named twice in a row, and ways that then have less than two nodes."""
        is_again = np.zeros(self.way_node.size, np.bool_)
        is_again[1:] = self.way_node[1:] == self.way_node[:-1]
        is_again[self.way_start[:-1][self.way_start[:-1] < self.way_node.size]] = False
        size = np.diff(self.way_start)
        if not is_again.any() and (size >= 2).all():
            return
        way = np.repeat(np.arange(size.size), size)
        size -= np.bincount(way[is_again], minlength=size.size)
        is_line = size >= 2
        self.issues.add(
            "CG-FILE-031", count=int((~is_line).sum()), sample=self.way_id[~is_line], path=self.source
        )
        used, self.way_node = np.unique(self.way_node[~is_again & is_line[way]], return_inverse=True)
        self.node_id = self.node_id[used]
        self.way_id, self.way_tag_set = self.way_id[is_line], self.way_tag_set[is_line]
        self.way_start = np.concatenate((np.zeros(1, np.int64), np.cumsum(size[is_line])))


def number_nodes(ref: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Return the distinct ids in ascending order, and the position of each reference among them.

    Examples
    --------
    >>> number_nodes(np.array([7, 5, 7]))
    (array([5, 7]), array([1, 0, 1]))
    """
    n = ref.size
    bits = n.bit_length()
    low, high = (int(ref.min()), int(ref.max())) if n else (0, 0)
    if (high - low).bit_length() + bits < 63:
        # sorting id and place in one number takes a tenth of the time of argsort
        ids = (ref - low) << bits
        ids |= np.arange(n)
        ids.sort()
        order = ids & ((1 << bits) - 1)
        ids >>= bits
        ids += low
    else:
        order = np.argsort(ref, kind="stable")
        ids = ref[order]
    is_first = np.ones(n, np.bool_)
    is_first[1:] = ids[1:] != ids[:-1]
    distinct, number = ids[is_first], np.cumsum(is_first, dtype=np.int64)
    number -= 1
    ids[order] = number  # from here on it holds positions: of a country, every array less counts
    return distinct, ids


def places(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places with NaN for those that are on no map: such a node has no place."""
    is_on_map = (np.abs(lonlat[:, 0]) <= MAX_LONGITUDE) & (np.abs(lonlat[:, 1]) <= MAX_LATITUDE)
    return lonlat if is_on_map.all() else np.where(is_on_map[:, np.newaxis], lonlat, np.nan)


def tables(drawing: Drawing, lonlat: NDArray[np.float64], node_tag_set: NDArray[np.int32]) -> StreetTables:
    """
    Put ways and places together; cut ways at nodes without a place.

    Parameters
    ----------
    drawing
        The ways.
    lonlat
        Places of its nodes, NaN where the file has none.
    node_tag_set
        Sets of tags of its nodes.

    Raises
    ------
    FileFormatError
        CG-FILE-010: no roads. CG-FILE-020: roads, but not the places of their nodes.
    """
    node_id, way_node = drawing.node_id, drawing.way_node
    drawing.restrictions.report(drawing.issues, drawing.source)
    has_place = np.isfinite(lonlat[:, 0])
    missing = node_id[~has_place]
    if missing.size > MISSING_NODE_SHARE_WARNS * node_id.size:
        drawing.issues.add(
            "CG-FILE-004", count=missing.size, sample=missing, total=node_id.size, path=drawing.source
        )
    way, start = np.arange(drawing.way_id.size), drawing.way_start
    if missing.size:
        at_place = has_place[way_node]
        whole = pieces(start, at_place & np.append(at_place[1:], False))
        node, way_node = np.unique(way_node[whole.positions()], return_inverse=True)
        node_id, lonlat, node_tag_set = node_id[node], lonlat[node], node_tag_set[node]
        way, start = whole.way, whole.start()
    if way.size == 0:
        code = "CG-FILE-020" if drawing.way_id.size else "CG-FILE-010"
        n_ways = drawing.way_id.size or drawing.n_ways
        raise error(code, path=drawing.source, ways=n_ways)
    return StreetTables(
        node_id, lonlat, drawing.way_id[way], start, way_node, drawing.sets.listed, drawing.way_tag_set[way],
        node_tag_set, drawing.source, drawing.issues, drawing.restrictions.found,
    )  # fmt: skip


def no_tags(n: int) -> NDArray[np.int32]:
    """Return the column of sets of tags of nodes that have none."""
    return np.full(n, NO_TAGS, np.int32)
