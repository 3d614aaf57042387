"""Read the streets of an OSM PBF: ways with their tags, and the places of their nodes."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo.errors import error
from citygeo.io.formats import refuse_pickle
from citygeo.io.pbf import check_pbf, require_file
from citygeo.io.streets import NO_TAGS, StreetTables, TagSets
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from numpy.typing import NDArray

# the tags a travel mode or a result table may ask for
ROAD_TAGS = frozenset(
    (
        "access", "area", "bicycle", "bridge", "bus", "emergency", "foot", "highway", "junction", "lanes", "layer",
        "maxspeed", "maxspeed:backward", "maxspeed:forward", "motor_vehicle", "motorcar", "name", "name:en", "name:zh",
        "oneway", "oneway:bicycle", "ref", "service", "sidewalk", "surface", "toll", "tunnel", "vehicle",
    )
)  # fmt: skip
MISSING_NODE_SHARE_WARNS = 0.005


def read(path: str | Path) -> StreetTables:
    """
    Read every way with a ``highway`` tag.

    Parameters
    ----------
    path
        An ``.osm.pbf`` file.

    Returns
    -------
    The streets, in the order of the file.

    Raises
    ------
    FileError
        CG-FILE-001 if the file does not exist.
    FileFormatError
        CG-FILE-002 not a PBF, CG-FILE-003 cut short, CG-FILE-010 no road in it.
    UnsafeInputError
        CG-FILE-006 if it is a pickle.
    """
    path = Path(path)
    require_file(path)
    with path.open("rb") as file:
        refuse_pickle(path, file.read(2))
    summary = check_pbf(path)
    try:
        ways, missing = _read_ways(path)
    except RuntimeError as cause:  # libosmium's own word for damage that the check above did not see
        raise error("CG-FILE-003", path=path.name, evidence=str(cause)) from cause
    if not ways:
        code = "CG-FILE-020" if missing else "CG-FILE-010"
        raise error(code, path=path.name, ways=summary.ways)
    lengths = np.array([len(way.refs) for way in ways], np.int64)
    all_refs = np.concatenate([np.asarray(way.refs, np.int64) for way in ways])
    issues = IssueLog()
    if (doubt := summary.doubt()) is not None:
        issues.add("CG-FILE-005", path=path.name, evidence=doubt)
    total = all_refs.size + len(missing)
    if len(missing) > MISSING_NODE_SHARE_WARNS * total:
        issues.add("CG-FILE-004", count=len(missing), sample=missing, total=total, path=path.name)
    order = np.argsort(all_refs, kind="stable")
    is_first = np.ones(order.size, np.bool_)
    is_first[1:] = np.diff(all_refs[order]) != 0
    position = np.empty(order.size, np.int64)
    position[order] = np.cumsum(is_first) - 1
    first = order[is_first]
    sets = TagSets()
    way_tag_set = sets.numbers(way.tags for way in ways)
    return StreetTables(
        node_id=all_refs[first],
        node_lonlat=np.concatenate([way.lonlat for way in ways])[first],
        way_id=np.array([way.id for way in ways], np.int64),
        way_start=np.concatenate(([0], np.cumsum(lengths))),
        way_node=position,
        tag_sets=sets.listed,
        way_tag_set=way_tag_set,
        node_tag_set=np.full(first.size, NO_TAGS, np.int32),
        source=path.name,
        issues=issues,
    )


class _Way(NamedTuple):
    """One way, or a piece of one between nodes without a place."""

    id: int
    tags: dict[str, str]
    refs: list[int]
    lonlat: NDArray[np.float64]


def _read_ways(path: Path) -> tuple[list[_Way], list[int]]:
    """Read ways in one pass, with the ids of nodes without a place; places stay in C++ until a way needs them."""
    import osmium
    from osmium.osm import NODE, WAY

    ways: list[_Way] = []
    missing: list[int] = []
    make_wkb = osmium.geom.WKBFactory().create_linestring
    source = (
        osmium.FileProcessor(str(path), NODE | WAY)
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(WAY))
        .with_filter(osmium.filter.KeyFilter("highway"))
    )
    way: Any
    for way in source:
        if len(way.nodes) < 2:
            continue
        tags = {tag.k: tag.v for tag in way.tags if tag.k in ROAD_TAGS}
        try:
            # hexadecimal WKB: byte order, type and count take 18 characters, then come the doubles
            places = np.frombuffer(bytes.fromhex(make_wkb(way, osmium.geom.ALL)[18:]), "<f8").reshape(-1, 2)
            ways.append(_Way(way.id, tags, [node.ref for node in way.nodes], places))
        except osmium.InvalidLocationError:
            ways += _pieces(way, tags)
            missing += [node.ref for node in way.nodes if not node.location.valid()]
    return ways, missing


def _pieces(way: Any, tags: dict[str, str]) -> list[_Way]:
    """Cut a way at its nodes without a place, so that no road runs straight across the gap."""
    pieces: list[_Way] = []
    for has_place, run in groupby(way.nodes, key=lambda node: node.location.valid()):
        nodes = [(node.ref, node.lon, node.lat) for node in run] if has_place else []
        if len(nodes) >= 2:
            places = np.array([place[1:] for place in nodes], np.float64)
            pieces.append(_Way(way.id, tags, [ref for ref, _, _ in nodes], places))
    return pieces
