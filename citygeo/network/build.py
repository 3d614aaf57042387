"""From segments to the arrays of a network: contract chains, order along a curve, delay, index both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.errors import error
from citygeo.io.off_ground import GROUND
from citygeo.issues import IssueLog
from citygeo.network.segments import highway_class, node_rules, open_segments, way_rules
from citygeo.network.states import CLOSED, search_arrays
from citygeo.network.turns import forbidden_turns, restricted_nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.io.streets import StreetTables
    from citygeo.modes import TravelMode
    from citygeo.network.segments import NodeRules, Segments
    from citygeo.network.slope import Elevation

MAX_MS = 2**31 - 1  # packed search keys stay positive; 24.8 days
HILBERT_BITS = 16
HALF_ROUND_DEGREES = 180.0

Arrays = dict[str, "NDArray[np.generic]"]


class Chains(NamedTuple):
    """Segments joined between kept nodes: ``2 * segment + turned``, and where each chain starts in that list."""

    step: NDArray[np.int64]
    start: NDArray[np.int64]


def build_arrays(
    streets: StreetTables, mode: TravelMode, elevation: Elevation | None = None
) -> tuple[Arrays, IssueLog]:
    """
    Make the arrays of a `RoadNetwork`.

    Parameters
    ----------
    streets
        Ways and nodes of any source.
    mode
        Who travels.
    elevation
        Heights that slow the mode down; flat if `None`.

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
    rules = way_rules(streets, mode, issues)
    at_node = node_rules(streets, mode)
    segments = open_segments(streets, rules, at_node.is_barrier, elevation)
    if segments.way.size == 0:
        classes = ", ".join(name for name, _ in streets.highway_counts().most_common(8))
        raise error("CG-NET-024", path=streets.source, mode=mode.name, classes=classes)
    ends = streets.node_lonlat[segments.node[segments.node < len(streets.node_id)], 0]
    if ends.size and np.ptp(ends) > HALF_ROUND_DEGREES:
        issues.add("CG-NET-057", source=streets.source, west=f"{ends.min():.1f}", east=f"{ends.max():.1f}")
    if elevation is not None:
        used = np.unique(segments.node[segments.node < len(streets.node_id)])
        unknown = used[np.isnan(elevation.at(streets.node_lonlat[used]))]
        if unknown.size == used.size:
            raise error("CG-NET-058", raster=elevation.name, total=used.size)
        sample = streets.node_id[unknown[:5]]
        issues.add("CG-NET-054", count=unknown.size, sample=sample, total=used.size, raster=elevation.name)
    # ends at barriers are nodes of their own, at the barrier's place
    node_of = np.concatenate((np.arange(len(streets.node_id)), segments.barrier_node))
    must_keep = at_node.delay_ms[node_of].max(axis=1) > 0
    must_keep[restricted_nodes(streets, mode)] = True
    chains = _contract(segments, must_keep)
    arrays = _edge_arrays(streets, segments, chains, node_of)
    arrays |= _delays(streets, mode, (segments, chains), at_node, arrays.pop("edge_order").astype(np.int64))
    arrays |= forbidden_turns(streets, mode, arrays, issues)
    return {**arrays, **search_arrays(arrays, mode)}, issues


def _contract(segments: Segments, must_keep: NDArray[np.bool_]) -> Chains:
    """Join segments into chains between junctions; one-way chains run with the traffic."""
    from citygeo._kernels import chains

    n_nodes, n_segments = must_keep.size, segments.way.size
    ends = segments.node.ravel()
    incidence = np.argsort(ends, kind="stable")
    incidence_start = np.concatenate(([0], np.cumsum(np.bincount(ends, minlength=n_nodes))))
    kept = np.empty(n_nodes, np.bool_)
    chains.mark_kept(segments.along_code, segments.against_code, incidence_start, incidence, kept)
    kept |= must_keep
    chain, start = np.empty(n_segments, np.int64), np.empty(n_segments + 1, np.int64)
    is_used = np.zeros(n_segments, np.bool_)
    n = chains.join_chains(segments.node, incidence_start, incidence, kept, is_used, chain, start)
    return _turn_oneways(segments, chain, start[: n + 1])


def _edge_arrays(
    streets: StreetTables, segments: Segments, chains: Chains, node_of: NDArray[np.int64]
) -> Arrays:
    """Sum segments to edges, put nodes in Hilbert order and edges in the order of their ends."""
    start, segment, is_turned = chains.start, chains.step >> 1, (chains.step & 1).astype(np.bool_)
    begin = segments.node[segment, is_turned.astype(np.int64)]
    end = segments.node[segment, 1 - is_turned.astype(np.int64)]
    head, last = start[:-1], start[1:] - 1
    used, edge_node = _hilbert_order(streets.node_lonlat[node_of], np.column_stack((begin[head], end[last])))
    order = np.lexsort((edge_node[:, 1], edge_node[:, 0]))
    along = np.where(is_turned, segments.against_ms[segment], segments.along_ms[segment])
    against = np.where(is_turned, segments.along_ms[segment], segments.against_ms[segment])
    size = np.diff(start)
    shape = node_of[
        np.insert(begin, start[1:], end[last])
    ]  # each chain's nodes: the begins, then the last end
    shape_start = start + np.arange(start.size)
    shape_order = ranges(shape_start[:-1][order], (size + 1)[order])
    way = segments.way[segment[_longest(segments.length_m[segment], start, size)]][order]
    arrays: Arrays = {
        "node_id": streets.node_id[node_of[used]],
        "node_lonlat": streets.node_lonlat[node_of[used]],
        "edge_node": edge_node[order].astype(np.uint32),
        "edge_length_m": np.add.reduceat(segments.length_m[segment], head)[order],
        "edge_along_ms": _edge_ms(along, head)[order],
        "edge_against_ms": _edge_ms(against, head)[order],
        "edge_is_imputed": segments.is_imputed[segment][head][order],
        "edge_way_id": streets.way_id[way],
        "shape_start": np.concatenate(([0], np.cumsum((size + 1)[order]))),
        "shape_lonlat": streets.node_lonlat[shape[shape_order]],
        # of the segment that begins at each corner, none at the last one
        "shape_off_ground": np.insert(segments.off_ground[segment], start[1:], GROUND)[shape_order],
        "edge_order": order,
        **_text_columns(streets, way),
    }
    _state_lengths(arrays, streets, segments, chains)
    check_times(arrays)
    return arrays


def _state_lengths(arrays: Arrays, streets: StreetTables, segments: Segments, chains: Chains) -> None:
    """Give an edge that is one whole way the length its source states, to the last bit."""
    if streets.given is None:
        return
    first, last = chains.step[chains.start[:-1]] >> 1, chains.step[chains.start[1:] - 1] >> 1
    way = segments.way[first]
    pieces = np.bincount(segments.way, minlength=len(streets.way_id))
    stated = streets.given.length_m[way]
    is_whole = (segments.way[last] == way) & (np.diff(chains.start) == pieces[way]) & ~np.isnan(stated)
    order = arrays["edge_order"].astype(np.int64)
    arrays["edge_length_m"] = np.where(is_whole[order], stated[order], arrays["edge_length_m"])


def _delays(
    streets: StreetTables,
    mode: TravelMode,
    joined: tuple[Segments, Chains],
    at_node: NodeRules,
    order: NDArray[np.int64],
) -> Arrays:
    """
    Return what is lost on arriving at the far end of each edge, along and against, and on setting out (nothing).

    A signal counts instead of the junction it stands at, not on top of it: the larger of both is taken.
    """
    segments, (step, start) = joined
    is_turned, segment = (step & 1).astype(np.int64), step >> 1
    n_nodes = at_node.is_barrier.size
    degree = np.bincount(segments.node.ravel(), minlength=n_nodes)
    kinds = [highway_class(tags) for tags in streets.tag_sets]
    junction_ms = np.array([round(mode.junction_s.get(kind, 0.0) * 1000) for kind in kinds], np.int64)
    leave = np.empty((order.size, 2), np.int64)
    # travelling along, one arrives by the chain's last segment at its far end; against, by its first
    for side, place in ((0, start[1:] - 1), (1, start[:-1])):
        by, turned = segment[place], is_turned[place] ^ side
        node = segments.node[by, 1 - turned]
        is_plain = node < n_nodes  # nothing passes an end at a barrier
        known = np.where(is_plain, node, 0)
        way = segments.way[by]
        junction = np.where(degree[known] > 2, junction_ms[streets.way_tag_set[way]], 0)
        lost = np.maximum(at_node.delay_ms[known, turned], junction)
        if streets.given is not None and streets.given.delay_ms is not None:
            lost = streets.given.delay_ms[way, turned]
        leave[:, side] = np.where(is_plain, lost, 0)
    leave_ms = leave[order].astype(np.uint32)
    return {"edge_leave_ms": leave_ms, "edge_enter_ms": np.zeros_like(leave_ms)}


def _longest(
    length_m: NDArray[np.float64], start: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the place in the chain list of each chain's longest segment, the first among equals."""
    longest = np.repeat(np.maximum.reduceat(length_m, start[:-1]), size)
    place = np.where(length_m == longest, np.arange(length_m.size), length_m.size)
    return np.minimum.reduceat(place, start[:-1])


def _turn_oneways(segments: Segments, chain: NDArray[np.int64], start: NDArray[np.int64]) -> Chains:
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
    return Chains(np.where(flip, chain[place] ^ 1, chain[place]), start)


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


def check_times(arrays: Arrays) -> None:
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


def _text_columns(streets: StreetTables, way: NDArray[np.int64]) -> Arrays:
    """Store classes and names as numbers into one list of words, kept as UTF-8 bytes."""
    words: dict[str, int] = {"": 0}
    tag_set = streets.way_tag_set[way]
    highway, name = np.zeros((2, len(streets.tag_sets)), np.uint32)
    for number in np.unique(tag_set).tolist():
        tags = streets.tag_sets[number]
        highway[number] = words.setdefault(highway_class(tags), len(words))
        name[number] = words.setdefault(tags.get("name", ""), len(words))
    encoded = [word.encode() for word in words]
    return {
        "edge_highway": highway[tag_set],
        "edge_name": name[tag_set],
        "word_start": np.concatenate(([0], np.cumsum([len(word) for word in encoded]))).astype(np.int64),
        "word_bytes": np.frombuffer(b"".join(encoded), np.uint8),
    }
