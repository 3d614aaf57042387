"""From streets as drawn to the arrays of a network: split, time, contract, order, index both ways."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.modes import CLOSED as CLOSED_WAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.io.streets import StreetTables
    from citygeo.modes import TravelMode, WayRule

CLOSED = np.uint32(0xFFFFFFFF)
MAX_MS = 2**31 - 1  # packed search keys stay positive; 24.8 days
HILBERT_BITS = 16
LONG_SEGMENT_M = 5_000.0

# WGS 84
SEMI_MAJOR_M = 6378137.0
ECCENTRICITY2 = 0.0066943799901413165


class Segments(NamedTuple):
    """Pieces of open ways between two consecutive nodes, shape `(s,)` each."""

    node: NDArray[np.int64]  # (s, 2)
    way: NDArray[np.int64]  # position in the street tables
    length_m: NDArray[np.float64]
    along_ms: NDArray[np.int64]  # -1 where closed
    against_ms: NDArray[np.int64]
    along_code: NDArray[np.int64]  # equal codes may be joined, seen along and against the drawing
    against_code: NDArray[np.int64]
    is_imputed: NDArray[np.bool_]


def build_arrays(streets: StreetTables, mode: TravelMode) -> tuple[dict[str, NDArray[np.generic]], IssueLog]:
    """
    Make the arrays of a `RoadNetwork`.

    Parameters
    ----------
    streets
        Ways and nodes of any source.
    mode
        Who travels.

    Returns
    -------
    Arrays by name, as `RoadNetwork` documents them, and what was found.

    Raises
    ------
    NetworkError
        CG-NET-024: no way is open to the mode. CG-NET-022: an edge takes longer than 24.8 days.
    """
    issues = IssueLog()
    issues.extend(streets.issues.found)
    rules = _way_rules(streets, mode, issues)
    segments = _segments(streets, rules)
    if segments.way.size == 0:
        classes = ", ".join(name for name, _ in streets.highway_counts().most_common(8))
        raise error("CG-NET-024", path=streets.source, mode=mode.name, classes=classes)
    chain, chain_start = _contract(segments, streets.node_id.size)
    return _edge_arrays(streets, segments, chain, chain_start), issues


def _way_rules(streets: StreetTables, mode: TravelMode, issues: IssueLog) -> list[WayRule]:
    """Apply the mode to each way; ways with equal tags share one answer."""
    relevant = {"highway", "area", "oneway", "junction", "maxspeed", "maxspeed:forward", "maxspeed:backward"}
    relevant |= {*mode.access, *mode.opens_with}
    known: dict[tuple[tuple[str, str], ...], WayRule] = {}
    rules = []
    for tags in streets.way_tags:
        key = tuple((name, value) for name, value in tags.items() if name in relevant)
        rule = known.get(key)
        if rule is None:
            rule = known[key] = mode.rule(tags)
        rules.append(rule)
    oneway = [rule.unknown_oneway for rule in rules if rule.unknown_oneway]
    maxspeed = [rule.unknown_maxspeed for rule in rules if rule.unknown_maxspeed]
    issues.add("CG-NET-030", count=len(oneway), sample=Counter(oneway))
    issues.add("CG-NET-031", count=len(maxspeed), sample=Counter(maxspeed))
    unused = Counter(tags["highway"] for tags in streets.way_tags if tags["highway"] not in mode.speed_kmh)
    issues.add("CG-NET-032", count=unused.total(), sample=dict(unused.most_common()), mode=mode.name)
    return rules


def _segments(streets: StreetTables, rules: list[WayRule]) -> Segments:
    """Split open ways at every node; time them by rounding the time along the whole way (under 1 ms off per way)."""
    size = np.diff(streets.way_start)
    is_open = np.array([rule != CLOSED_WAY and rule.is_open for rule in rules], np.bool_)
    is_last = np.zeros(streets.way_node.size, np.bool_)
    is_last[streets.way_start[1:] - 1] = True
    way_of_node = np.repeat(np.arange(size.size), size)
    first = np.flatnonzero(~is_last & is_open[way_of_node])
    node = np.column_stack((streets.way_node[first], streets.way_node[first + 1]))
    way = way_of_node[first]
    length = segment_lengths(streets.node_lonlat[node[:, 0]], streets.node_lonlat[node[:, 1]])
    along, against = (
        np.array([getattr(rule, name) for rule in rules])[way] for name in ("along_kmh", "against_kmh")
    )
    return Segments(
        node, way, length, _times(length, way, along), _times(length[::-1], way[::-1], against[::-1])[::-1],
        *_codes(streets, rules, way), np.array([rule.is_imputed for rule in rules])[way],
    )  # fmt: skip


def segment_lengths(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return metres on the WGS 84 ellipsoid between pairs of places.

    Short segments use the radii of curvature at their middle latitude (off by less than 1e-6 of the length),
    long ones the geodesic.

    Parameters
    ----------
    start, end
        Degrees of longitude and latitude, shape `(s, 2)`.

    Examples
    --------
    >>> segment_lengths(np.array([[0.0, 0.0]]), np.array([[0.0, 0.001]])).round(4)
    array([110.5743])
    """
    d_lon, d_lat = np.radians((end - start).T)
    d_lon = (d_lon + np.pi) % (2 * np.pi) - np.pi
    sin_lat = np.sin(np.radians((start[:, 1] + end[:, 1]) / 2))
    w2 = 1.0 - ECCENTRICITY2 * sin_lat**2
    north = SEMI_MAJOR_M * (1.0 - ECCENTRICITY2) / w2**1.5 * d_lat
    east = SEMI_MAJOR_M / np.sqrt(w2) * np.sqrt(1.0 - sin_lat**2) * d_lon
    length: NDArray[np.float64] = np.hypot(north, east)
    is_long = length > LONG_SEGMENT_M
    if is_long.any():
        import pyproj

        length[is_long] = pyproj.Geod(ellps="WGS84").inv(*start[is_long].T, *end[is_long].T)[2]
    return length


def _times(
    length: NDArray[np.float64], way: NDArray[np.int64], kmh: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the differences of the rounded time since the way's first segment, -1 where closed."""
    is_open = kmh > 0
    # whole micrometres add up exactly, so a way's times do not depend on what stands before it in the file
    length_um = np.rint(length * 1e6).astype(np.int64)
    total = np.cumsum(length_um)
    is_first = np.ones(way.size, np.bool_)
    is_first[1:] = way[1:] != way[:-1]
    before_way = (total - length_um)[is_first][np.cumsum(is_first) - 1]
    end = np.rint((total - before_way) / np.where(is_open, kmh, 1.0) * 3.6e-3).astype(np.int64)
    begin = np.where(is_first, 0, np.concatenate(([0], end[:-1])))
    return np.where(is_open, end - begin, -1)


def _codes(
    streets: StreetTables, rules: list[WayRule], way: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give each combination of class, speeds and imputation a number, seen along and against the drawing."""
    numbers: dict[tuple[str, float, float, bool], int] = {}
    along, against = np.empty(len(rules), np.int64), np.empty(len(rules), np.int64)
    for i, (tags, rule) in enumerate(zip(streets.way_tags, rules, strict=True)):
        seen = (tags["highway"], rule.along_kmh, rule.against_kmh, rule.is_imputed)
        turned = (tags["highway"], rule.against_kmh, rule.along_kmh, rule.is_imputed)
        along[i] = numbers.setdefault(seen, len(numbers))
        against[i] = numbers.setdefault(turned, len(numbers))
    return along[way], against[way]


def _contract(segments: Segments, n_nodes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join segments into chains between junctions; return ``2 * segment + turned`` and where each chain starts."""
    from citygeo._kernels import chains

    n_segments = segments.way.size
    ends = segments.node.ravel()
    incidence = np.argsort(ends, kind="stable")
    incidence_start = np.concatenate(([0], np.cumsum(np.bincount(ends, minlength=n_nodes))))
    kept = np.empty(n_nodes, np.bool_)
    chains.mark_kept(segments.along_code, segments.against_code, incidence_start, incidence, kept)
    chain, start = np.empty(n_segments, np.int64), np.empty(n_segments + 1, np.int64)
    is_used = np.zeros(n_segments, np.bool_)
    n = chains.join_chains(segments.node, incidence_start, incidence, kept, is_used, chain, start)
    return chain, start[: n + 1]


def _edge_arrays(
    streets: StreetTables, segments: Segments, chain: NDArray[np.int64], start: NDArray[np.int64]
) -> dict[str, NDArray[np.generic]]:
    """Sum segments to edges, put nodes in Hilbert order and edges in the order of their ends."""
    chain, start = _turn_oneways(segments, chain, start)
    segment, is_turned = chain >> 1, (chain & 1).astype(np.bool_)
    begin = segments.node[segment, is_turned.astype(np.int64)]
    end = segments.node[segment, 1 - is_turned.astype(np.int64)]
    head, last = start[:-1], start[1:] - 1
    node_of, edge_node = _hilbert_order(streets.node_lonlat, np.column_stack((begin[head], end[last])))
    order = np.lexsort((edge_node[:, 1], edge_node[:, 0]))
    along = np.where(is_turned, segments.against_ms[segment], segments.along_ms[segment])
    against = np.where(is_turned, segments.along_ms[segment], segments.against_ms[segment])
    size = np.diff(start)
    shape = np.insert(begin, start[1:], end[last])  # each chain's nodes: the begins, then the last end
    shape_start = start + np.arange(start.size)
    shape_order = ranges(shape_start[:-1][order], (size + 1)[order])
    way = segments.way[segment[_longest(segments.length_m[segment], start, size)]][order]
    arrays: dict[str, NDArray[np.generic]] = {
        "node_id": streets.node_id[node_of],
        "node_lonlat": streets.node_lonlat[node_of],
        "edge_node": edge_node[order].astype(np.uint32),
        "edge_length_m": np.add.reduceat(segments.length_m[segment], head)[order],
        "edge_along_ms": _edge_ms(along, head)[order],
        "edge_against_ms": _edge_ms(against, head)[order],
        "edge_is_imputed": segments.is_imputed[segment][head][order],
        "edge_way_id": streets.way_id[way],
        "shape_start": np.concatenate(([0], np.cumsum((size + 1)[order]))),
        "shape_lonlat": streets.node_lonlat[shape[shape_order]],
        **_text_columns([streets.way_tags[i] for i in way]),
    }
    check_times(arrays)
    return {**arrays, **index_arcs(arrays)}


def _longest(
    length_m: NDArray[np.float64], start: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the place in the chain list of each chain's longest segment, the first among equals."""
    owner = np.repeat(np.arange(size.size), size)
    order = np.lexsort((-np.arange(length_m.size), length_m, owner))
    return order[start[1:] - 1]


def _turn_oneways(
    segments: Segments, chain: NDArray[np.int64], start: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Turn chains so that one-way ones run with the traffic and the others as their first way is drawn."""
    head = chain[start[:-1]]
    turned = (head & 1).astype(np.bool_)
    first = head >> 1
    along = np.where(turned, segments.against_ms[first], segments.along_ms[first])
    against = np.where(turned, segments.along_ms[first], segments.against_ms[first])
    must_turn = (along < 0) | (turned & (against >= 0))
    size = np.diff(start)
    flip = np.repeat(must_turn, size)
    offset = np.arange(chain.size) - np.repeat(start[:-1], size)
    place = np.repeat(start[:-1], size) + np.where(flip, np.repeat(size, size) - 1 - offset, offset)
    return np.where(flip, chain[place] ^ 1, chain[place]), start


def _hilbert_order(
    lonlat: NDArray[np.float64], edge_node: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put the nodes that edges use on a Hilbert curve; return their old positions and the renumbered ends."""
    from citygeo._kernels import chains

    used, ends = np.unique(edge_node, return_inverse=True)
    place = lonlat[used]
    low, high = place.min(axis=0), place.max(axis=0)
    scale = (2**HILBERT_BITS - 1) / max(float((high - low).max()), 1e-9)
    column, row = ((place - low) * scale).astype(np.int64).T
    key = np.empty(used.size, np.int64)
    chains.hilbert_keys(column.copy(), row.copy(), np.int64(HILBERT_BITS), key)
    order = np.argsort(key, kind="stable")
    rank = np.empty(used.size, np.int64)
    rank[order] = np.arange(used.size)
    return used[order], rank[ends].reshape(-1, 2)


def ranges(start: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """
    Return ``start[i], start[i] + 1, ...`` of `size[i]` numbers each, one after another.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    before = np.cumsum(size) - size
    return np.repeat(start - before, size) + np.arange(int(size.sum()))


def _edge_ms(ms: NDArray[np.int64], head: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum the times of each chain, -1 where it is closed (all its segments then are)."""
    return np.where(ms[head] < 0, -1, np.add.reduceat(np.maximum(ms, 0), head))


def check_times(arrays: dict[str, NDArray[np.generic]]) -> None:
    """Raise CG-NET-022 if a time does not fit; store times as uint32, CLOSED where -1."""
    for name in ("edge_along_ms", "edge_against_ms"):
        ms = arrays[name].astype(np.int64)
        too_long = np.flatnonzero(ms > MAX_MS)
        if too_long.size:
            sample = ", ".join(str(way) for way in arrays["edge_way_id"][too_long[:5]])
            raise error(
                "CG-NET-022", count=too_long.size, limit_h=MAX_MS // 3_600_000, sample=f"ways {sample}"
            )
        arrays[name] = np.where(ms < 0, np.int64(CLOSED), ms).astype(np.uint32)


def _text_columns(tags: list[Mapping[str, str]]) -> dict[str, NDArray[np.generic]]:
    """Store classes and names as numbers into one list of words, kept as UTF-8 bytes."""
    words: dict[str, int] = {"": 0}
    highway = np.array([words.setdefault(row["highway"], len(words)) for row in tags], np.uint32)
    name = np.array([words.setdefault(row.get("name", ""), len(words)) for row in tags], np.uint32)
    encoded = [word.encode() for word in words]
    return {
        "edge_highway": highway,
        "edge_name": name,
        "word_start": np.concatenate(([0], np.cumsum([len(word) for word in encoded]))).astype(np.int64),
        "word_bytes": np.frombuffer(b"".join(encoded), np.uint8),
    }


def index_arcs(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """
    Make the forward and the reverse graph in CSR form.

    Parameters
    ----------
    arrays
        With ``edge_node``, ``edge_along_ms``, ``edge_against_ms`` and ``node_lonlat``.

    Returns
    -------
    For ``forward`` and ``reverse``: ``_start`` `(n + 1,)`, ``_arc`` `(m, 2)` head and milliseconds, ``_edge``
    `(m,)` ``2 * edge + 1`` for travel against the edge. Arcs of a node stand in the order of their edges.
    """
    node = arrays["edge_node"].astype(np.int64)
    n_nodes = len(arrays["node_lonlat"])
    along, against = arrays["edge_along_ms"], arrays["edge_against_ms"]
    is_along, is_against = along != CLOSED, against != CLOSED
    edge = np.arange(len(node))
    code = np.concatenate((2 * edge[is_along], 2 * edge[is_against] + 1))
    tail = np.concatenate((node[is_along, 0], node[is_against, 1]))
    head = np.concatenate((node[is_along, 1], node[is_against, 0]))
    ms = np.concatenate((along[is_along], against[is_against]))
    made: dict[str, NDArray[np.generic]] = {}
    # in the reverse graph an arc leaves its head; seen from there it runs the other way along the edge
    for name, a, b, turned in (("forward", tail, head, code), ("reverse", head, tail, code ^ 1)):
        order = np.lexsort((turned, a))
        made[f"{name}_start"] = np.concatenate(([0], np.cumsum(np.bincount(a, minlength=n_nodes)))).astype(
            np.uint32
        )
        made[f"{name}_arc"] = np.column_stack((b[order], ms[order])).astype(np.uint32)
        made[f"{name}_edge"] = turned[order].astype(np.uint32)
    return made
