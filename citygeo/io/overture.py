"""
Read Overture transportation segments (GeoParquet, schema 1): roads, paths and ferries.

Segments meet only at connectors they both name, whatever their coordinates. Positions along a segment are shares of
its length on the WGS 84 ellipsoid, as Overture defines them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from citygeo.errors import error
from citygeo.io.crop import crop
from citygeo.io.overture_cuts import Cuts, Marks, cut
from citygeo.io.overture_file import TURNS, Table, read_table
from citygeo.io.overture_tags import RULE_COLUMNS, Segment, is_left_out, tags_at
from citygeo.io.overture_turns import Names, Pieces, restrictions
from citygeo.io.streets import NO_TAGS, StreetTables, TagSets
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from citygeo.io.crop import Region

PIECES = 10_000  # more than a segment has, so that the number of a way tells its row
LANGUAGES = ("en", "zh")


class _Connectors(NamedTuple):
    """Where connectors are, and their ids in order."""

    marks: Marks
    number: NDArray[np.int64]
    ids: list[str]


class _Network(NamedTuple):
    """Nodes of vertices, places of nodes, and pieces between them."""

    node: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    pieces: Pieces
    row: NDArray[np.int64]  # of each piece, in the table


def read(path: str | Path, *, region: Region | None = None) -> StreetTables:
    """
    Read the roads, paths and ferries of a file of segments.

    Parameters
    ----------
    path
        A GeoParquet file of the feature type ``segment``, as Overture releases it since September 2024.
    region
        Keep what is inside, see `crop`; of a large file only the rows near it are read.

    Returns
    -------
    The streets, in the order of the segments' ids: a way for each piece of a segment between connectors or changes
    of a rule. ``way_id // 10000 - 1`` is the row of the segment in the file. The first nodes are the connectors,
    numbered from 1 in the order of their ids. Classes, subclasses, flags, levels, surfaces, speed limits and access
    rules are OSM tags; water is route=ferry. Prohibited transitions are turn restrictions. What was left out is
    counted: CG-OVER-010 to CG-OVER-015.

    Raises
    ------
    MissingExtraError
        CG-DEP-001 without pyarrow.
    FileError, UnsafeInputError
        CG-FILE-001 no such file, CG-FILE-006 a pickle.
    FileFormatError
        CG-FILE-002 not what its name says, CG-FILE-007 damaged, CG-OVER-001 no Overture segments, CG-OVER-002 a
        column not as in schema 1, CG-OVER-003 no road in it.
    NetworkError
        CG-NET-060 nothing in the region.
    """
    path = Path(path)
    issues = IssueLog()
    table = _usable(read_table(path, region, issues), path.name, issues)
    connectors = _connectors(table)
    cuts = cut(table.shapes, connectors.marks, connectors.number, _changes(table))
    widest_m = f"{cuts.off_m.max(initial=0.0):.1f}"
    issues.add(
        "CG-OVER-014", count=cuts.off_m.size, total=connectors.number.size, path=path.name, widest_m=widest_m
    )
    network = _network(table, cuts, len(connectors.ids))
    node_id = np.arange(1, len(network.lonlat) + 1)
    names = Names(
        {identifier: number for number, identifier in enumerate(table.columns["id"])},
        {identifier: number for number, identifier in enumerate(connectors.ids)},
        node_id,
    )
    turns = restrictions(table.columns[TURNS], network.pieces, names)
    unresolved = [table.columns["id"][segment] for segment in turns.unresolved]
    issues.add("CG-OVER-013", count=len(unresolved), sample=unresolved, path=path.name)
    _report_rules(table, path.name, issues)
    sets = TagSets()
    streets = StreetTables(
        node_id=node_id,
        node_lonlat=network.lonlat,
        way_id=network.pieces.way_id,
        way_start=np.concatenate(([0], np.cumsum(cuts.stop - cuts.start + 1))),
        way_node=network.node[_runs(cuts)],
        tag_sets=sets.listed,
        way_tag_set=sets.numbers(_tags(table, network)),
        node_tag_set=np.full(node_id.size, NO_TAGS, np.int32),
        source=path.name,
        issues=issues,
        restrictions=turns.found,
    )
    return streets if region is None else crop(streets, region)


def _usable(table: Table, name: str, issues: IssueLog) -> Table:
    """Leave out rows that are no line, and say so."""
    is_line = shapely.get_type_id(table.shapes) == shapely.GeometryType.LINESTRING
    is_line &= shapely.length(table.shapes) > 0  # not so for NaN
    left_out = [table.columns["id"][i] for i in np.flatnonzero(~is_line)]
    issues.add("CG-OVER-015", count=len(left_out), sample=left_out, path=name)
    if not is_line.any():
        raise error("CG-OVER-003", path=name, count=is_line.size)
    return table if is_line.all() else table.where(is_line)


def _connectors(table: Table) -> _Connectors:
    """Give connectors numbers in the order of their ids."""
    listed = sorted(
        {
            (row, entry["connector_id"], entry["at"])
            for row, entries in enumerate(table.columns["connectors"])
            for entry in entries or ()
        }
    )
    ids = sorted({identifier for _, identifier, _ in listed})
    number_of = {identifier: number for number, identifier in enumerate(ids)}
    row = np.array([row for row, _, _ in listed], np.int64)
    at = np.clip(np.array([at for _, _, at in listed], np.float64), 0.0, 1.0)
    return _Connectors(
        Marks(row, at), np.array([number_of[identifier] for _, identifier, _ in listed], np.int64), ids
    )


def _changes(table: Table) -> Marks:
    """Return where rules begin and end between the ends of segments."""
    found = [
        (row, at)
        for name in RULE_COLUMNS
        for row, rules in enumerate(table.columns[name])
        for rule in rules or ()
        for at in rule.get("between") or ()
        if 0.0 < at < 1.0 and not is_left_out(rule)
    ]
    return Marks(np.array([row for row, _ in found], np.int64), np.array([at for _, at in found], np.float64))


def _network(table: Table, cuts: Cuts, n_connectors: int) -> _Network:
    """Give nodes numbers, connectors first, and make the pieces."""
    is_shape = cuts.connector < 0
    node = np.where(is_shape, n_connectors - 1 + np.cumsum(is_shape), cuts.connector)
    _, first = np.unique(node, return_index=True)
    row = cuts.row[cuts.start]
    first_piece = np.searchsorted(row, np.arange(table.row.size + 1))
    number = np.arange(row.size) - first_piece[row]
    step = PIECES * 10 ** max(0, len(str(number.max(initial=0))) - len(str(PIECES)) + 1)
    ends = np.column_stack((cuts.start, cuts.stop))
    course = np.stack(
        [_steps(cuts, cuts.start, cuts.start + 1), _steps(cuts, cuts.stop - 1, cuts.stop)], axis=1
    )
    pieces = Pieces(
        first_piece, (table.row[row] + 1) * step + number, node[ends], cuts.at[ends].mean(axis=1), course
    )
    return _Network(node, cuts.lonlat[first], pieces, row)


def _steps(cuts: Cuts, tail: NDArray[np.int64], head: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return steps to the east and north in equal units."""
    step = cuts.lonlat[head] - cuts.lonlat[tail]
    return np.column_stack((step[:, 0] * np.cos(np.radians(cuts.lonlat[tail, 1])), step[:, 1]))


def _runs(cuts: Cuts) -> NDArray[np.int64]:
    """Return the vertices of all pieces, one piece after another."""
    size = cuts.stop - cuts.start + 1
    before = np.cumsum(size) - size
    return np.repeat(cuts.start - before, size) + np.arange(int(size.sum()))


def _tags(table: Table, network: _Network) -> Iterator[dict[str, str]]:
    """Yield the tags of each piece; equal rules are translated once."""
    known: dict[tuple[str, float], dict[str, str]] = {}
    columns = table.columns
    segments = [
        Segment(subtype, class_, subclass, {name: columns[name][row] for name in RULE_COLUMNS})
        for row, (subtype, class_, subclass) in enumerate(
            zip(columns["subtype"], columns["class"], columns["subclass"], strict=True)
        )
    ]
    keys = [(repr(segment), segment.varies) for segment in segments]
    for row, at in zip(network.row.tolist(), network.pieces.at.tolist(), strict=True):
        text, varies = keys[row]
        key = (text, at if varies else 0.0)
        if key not in known:
            known[key] = tags_at(segments[row], at)
        yield {**known[key], **_names(columns["names"][row])}


def _names(names: dict[str, Any] | None) -> dict[str, str]:
    """Return the name, and those in other languages that results show."""
    if names is None:
        return {}
    common = dict(names.get("common") or ())
    found = {
        "name": names.get("primary"),
        **{f"name:{language}": common.get(language) for language in LANGUAGES},
    }
    return {key: text for key, text in found.items() if text}


def _report_rules(table: Table, name: str, issues: IssueLog) -> None:
    """Count the rules that were not read."""
    left_out = [
        identifier
        for column in (*RULE_COLUMNS, TURNS)
        for identifier, rules in zip(table.columns["id"], table.columns[column], strict=True)
        for rule in rules or ()
        if is_left_out(rule)
    ]
    issues.add("CG-OVER-012", count=len(left_out), sample=dict.fromkeys(left_out), path=name)
