"""From streets as drawn to the segments a mode may use: rules applied, lengths measured, times rounded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.off_ground import GROUND, off_ground
from citygeo.io.streets import NO_TAGS
from citygeo.modes import CLOSED as CLOSED_WAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.io.streets import StreetTables
    from citygeo.issues import IssueLog
    from citygeo.modes import TravelMode, WayRule
    from citygeo.network.slope import Elevation

LONG_SEGMENT_M = 5_000.0

# WGS 84
SEMI_MAJOR_M = 6378137.0
ECCENTRICITY2 = 0.0066943799901413165


class Rules(NamedTuple):
    """What a mode may do on the ways of each set of tags, shape `(t,)` each."""

    along_kmh: NDArray[np.float64]  # 0 where closed
    against_kmh: NDArray[np.float64]
    duration_s: NDArray[np.float64]  # NaN: length and speed say
    is_imputed: NDArray[np.bool_]
    code: NDArray[np.int64]  # equal codes may be joined, seen along the drawing
    turned_code: NDArray[np.int64]  # and seen against it


class Segments(NamedTuple):
    """Pieces of open ways between two consecutive nodes, shape `(s,)` each."""

    node: NDArray[np.int64]  # (s, 2); from the number of nodes on: ends at barriers, see `barrier_node`
    way: NDArray[np.int64]  # position in the street tables
    length_m: NDArray[np.float64]
    along_ms: NDArray[np.int64]  # -1 where closed
    against_ms: NDArray[np.int64]
    along_code: NDArray[np.int64]  # equal codes may be joined, seen along and against the drawing
    against_code: NDArray[np.int64]
    is_imputed: NDArray[np.bool_]
    off_ground: NDArray[np.uint8]  # kind, see `citygeo.io.off_ground`
    barrier_node: NDArray[np.int64]  # the node that each end at a barrier stands for


def way_rules(streets: StreetTables, mode: TravelMode, issues: IssueLog) -> Rules:
    """Apply the mode to each set of tags that ways have; equal answers are computed once."""
    many = np.bincount(streets.way_tag_set, minlength=len(streets.tag_sets))
    known: dict[tuple[tuple[str, str], ...], WayRule] = {}
    rules = [CLOSED_WAY] * len(streets.tag_sets)
    for number in np.flatnonzero(many).tolist():
        tags = streets.tag_sets[number]
        key = tuple((name, tags[name]) for name in mode.rule_keys & tags.keys())
        rule = known.get(key)
        if rule is None:
            rule = known[key] = mode.rule(tags)
        rules[number] = rule
    if streets.given is None or streets.given.ms is None:  # else the times do not rest on tags
        _note_findings(streets, mode, rules, many, issues)
    along, against = (
        np.array([getattr(rule, name) for rule in rules], np.float64) for name in ("along_kmh", "against_kmh")
    )
    numbers: dict[tuple[str, float, float, bool], int] = {}
    code, turned = np.empty(len(rules), np.int64), np.empty(len(rules), np.int64)
    for i, (tags, rule) in enumerate(zip(streets.tag_sets, rules, strict=True)):
        name = highway_class(tags)
        seen = (name, rule.along_kmh, rule.against_kmh, rule.is_imputed)
        code[i] = numbers.setdefault(seen, len(numbers))
        turned[i] = numbers.setdefault((name, seen[2], seen[1], seen[3]), len(numbers))
    duration = np.array([np.nan if rule.duration_s is None else rule.duration_s for rule in rules])
    return Rules(
        along, against, duration, np.array([rule.is_imputed for rule in rules], np.bool_), code, turned
    )


def highway_class(tags: dict[str, str]) -> str:
    """
    Return what kind of way the tags describe: the highway class, or ``ferry``.

    Examples
    --------
    >>> highway_class({"highway": "primary"}), highway_class({"route": "ferry"})
    ('primary', 'ferry')
    """
    return tags.get("highway") or tags.get("route", "")


def _note_findings(
    streets: StreetTables, mode: TravelMode, rules: list[WayRule], many: NDArray[np.int64], issues: IssueLog
) -> None:
    """Record values that could not be read, conditions that were left out, and classes the mode does not use."""
    found = {name: Counter[str]() for name in ("oneway", "maxspeed", "conditional", "unused")}
    for tags, rule, count in zip(streets.tag_sets, rules, many.tolist(), strict=True):
        if not count:
            continue
        for name, value in (("oneway", rule.unknown_oneway), ("maxspeed", rule.unknown_maxspeed)):
            if value:
                found[name][value] += count
        for key in rule.conditional:
            found["conditional"][key] += count
        if not rule.is_open and highway_class(tags) not in mode.speed_kmh:
            found["unused"][highway_class(tags)] += count
    codes = {
        "oneway": "CG-NET-030", "maxspeed": "CG-NET-031", "unused": "CG-NET-032", "conditional": "CG-NET-033",
    }  # fmt: skip
    for name, code in codes.items():
        sample = dict(found[name].most_common())
        issues.add(code, count=found[name].total(), sample=sample, mode=mode.name)


def open_segments(
    streets: StreetTables, rules: Rules, is_barrier: NDArray[np.bool_], elevation: Elevation | None
) -> Segments:
    """
    Split open ways at every node.

    Times are the differences of the rounded time since the way's first segment (under 1 ms off per way). At a
    barrier every segment gets an end of its own, so that nothing passes.
    """
    kmh, is_given = _speeds(streets, rules)
    first, way = _first_nodes(streets, (kmh[:, 0] > 0) | (kmh[:, 1] > 0))
    node = np.column_stack((streets.way_node[first], streets.way_node[first + 1]))
    length = _lengths(streets, node, way)
    per_segment = kmh[way]
    kind = _kinds(streets, first, way)
    if elevation is not None:
        per_segment = per_segment * elevation.factors(streets.node_lonlat[node], length, way, kind != GROUND)
    along = _times(length, way, per_segment[:, 0], is_uneven=elevation is not None)
    against = _times(length[::-1], way[::-1], per_segment[::-1, 1], is_uneven=elevation is not None)[::-1]
    if is_given.any():
        along, against = _replace_given(streets, rules, is_given, (length, way), (along, against))
    tag_set = streets.way_tag_set[way]
    code, turned = rules.code[tag_set], rules.turned_code[tag_set]
    # a way whose times are given is joined with no other: its speed is its own
    own = is_given[way]
    n_codes = int(rules.code.max(initial=0) + rules.turned_code.max(initial=0)) + 1
    code, turned = np.where(own, n_codes + 2 * way, code), np.where(own, n_codes + 2 * way + 1, turned)
    if elevation is not None:  # every segment climbs in its own way
        code = n_codes + 2 * (len(streets.way_id) + np.arange(way.size))
        turned = code + 1
    ends, barrier_node = _end_at_barriers(node, is_barrier)
    is_imputed = rules.is_imputed[tag_set] & ~own
    if streets.given is not None and streets.given.is_imputed is not None:
        is_imputed = streets.given.is_imputed[way]
    return Segments(ends, way, length, along, against, code, turned, is_imputed, kind, barrier_node)


def _kinds(streets: StreetTables, first: NDArray[np.int64], way: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return which segments are on the ground, on bridges, in tunnels or on ferries."""
    if streets.given is not None and streets.given.off_ground is not None:
        return streets.given.off_ground[first]
    return np.array([off_ground(tags) for tags in streets.tag_sets], np.uint8)[streets.way_tag_set[way]]


def _speeds(streets: StreetTables, rules: Rules) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return km/h along and against each way, 0 where closed, and which ways have times of their own."""
    kmh = np.column_stack((rules.along_kmh, rules.against_kmh))[streets.way_tag_set]
    is_given = ~np.isnan(rules.duration_s[streets.way_tag_set])
    if streets.given is not None and streets.given.ms is not None:
        kmh = np.where(streets.given.ms >= 0, 1.0, 0.0)
        is_given = np.ones(len(streets.way_id), np.bool_)
    return kmh, is_given


def _first_nodes(
    streets: StreetTables, is_open: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the place in `way_node` where each segment of an open way begins, and its way."""
    size = np.diff(streets.way_start)
    is_first = np.repeat(is_open, size)
    is_first[streets.way_start[1:] - 1] = False
    first = np.flatnonzero(is_first)
    return first, np.repeat(np.arange(size.size), size)[first]


def _lengths(streets: StreetTables, node: NDArray[np.int64], way: NDArray[np.int64]) -> NDArray[np.float64]:
    """Measure segments; where the source gives the length of a way, its segments share it."""
    length = segment_lengths(streets.node_lonlat[node[:, 0]], streets.node_lonlat[node[:, 1]])
    if streets.given is None:
        return length
    n_ways = len(streets.way_id)
    drawn, pieces = np.bincount(way, length, n_ways), np.bincount(way, minlength=n_ways)
    stated = streets.given.length_m
    is_stated = ~np.isnan(stated)
    scale = np.where(is_stated & (drawn > 0), stated / np.where(drawn > 0, drawn, 1.0), 1.0)
    # what has a length but no extent is shared evenly
    even = np.where(is_stated & (drawn == 0), stated / np.maximum(pieces, 1), 0.0)
    scaled: NDArray[np.float64] = length * scale[way] + even[way]
    return scaled


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


def _since_way_start(
    amount: NDArray[np.int64], way: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the sum since the way's first segment, and which segments are first."""
    total = np.cumsum(amount)
    is_first = np.ones(way.size, np.bool_)
    is_first[1:] = way[1:] != way[:-1]
    before_way = (total - amount)[is_first][np.cumsum(is_first) - 1]
    return total - before_way, is_first


def _times(
    length: NDArray[np.float64], way: NDArray[np.int64], kmh: NDArray[np.float64], *, is_uneven: bool
) -> NDArray[np.int64]:
    """Return the differences of the rounded time since the way's first segment, -1 where closed."""
    is_open = kmh > 0
    safe = np.where(is_open, kmh, 1.0)
    # whole micrometres (nanoseconds) add up exactly, so a way's times do not depend on what stands before it
    if is_uneven:
        since, is_first = _since_way_start(np.rint(length * 3.6e9 / safe).astype(np.int64), way)
        end = np.rint(since / 1e6).astype(np.int64)
    else:
        since, is_first = _since_way_start(np.rint(length * 1e6).astype(np.int64), way)
        end = np.rint(since / safe * 3.6e-3).astype(np.int64)
    begin = np.where(is_first, 0, np.concatenate(([0], end[:-1])))
    return np.where(is_open, end - begin, -1)


def _replace_given(
    streets: StreetTables,
    rules: Rules,
    is_given: NDArray[np.bool_],
    segments: tuple[NDArray[np.float64], NDArray[np.int64]],
    ms: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spread the given time of a way over its segments by length, exact in the sum."""
    length, way = segments
    if streets.given is not None and streets.given.ms is not None:
        total = streets.given.ms
    else:
        whole = np.rint(rules.duration_s[streets.way_tag_set] * 1000)
        total = np.column_stack([np.where(np.isnan(whole), 0, whole).astype(np.int64)] * 2)
    # a way without extent spends its time evenly
    drawn = np.bincount(way, length, len(streets.way_id))
    weight = np.where(drawn[way] > 0, length, 1.0)
    out = []
    for side, step in ((0, 1), (1, -1)):
        um, owner = np.rint(weight * 1e6).astype(np.int64)[::step], way[::step]
        since, is_first = _since_way_start(um, owner)
        whole_um = np.bincount(owner, um, len(streets.way_id))[owner]
        share = since / np.where(whole_um > 0, whole_um, 1.0)
        end = np.rint(share * total[owner, side]).astype(np.int64)
        begin = np.where(is_first, 0, np.concatenate(([0], end[:-1])))
        spread = (end - begin)[::step]
        out.append(np.where(is_given[way] & (ms[side] >= 0), spread, ms[side]))
    return out[0], out[1]


def _end_at_barriers(
    node: NDArray[np.int64], is_barrier: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give every segment that ends at a barrier an end of its own; return the ends and whose place they take."""
    at = is_barrier[node]
    stands_for = node[at]
    ends = node.copy()
    ends[at] = is_barrier.size + np.arange(stands_for.size)
    return ends, stands_for


class NodeRules(NamedTuple):
    """What happens at nodes, shape `(n,)` each."""

    is_barrier: NDArray[np.bool_]
    delay_ms: NDArray[np.int64]  # (n, 2): on passing along and against the drawing of the way one comes on


def node_rules(streets: StreetTables, mode: TravelMode) -> NodeRules:
    """Apply the mode to the tags of nodes: barriers that close, signals that delay."""
    is_barrier = np.zeros(len(streets.tag_sets) + 1, np.bool_)  # the last stands for no tags
    delay = np.zeros((len(streets.tag_sets) + 1, 2), np.int64)
    used = np.unique(streets.node_tag_set)
    for number in used[used != NO_TAGS].tolist():
        rule = mode.node_rule(streets.tag_sets[number])
        is_barrier[number] = rule.is_closed
        ms = round(rule.delay_s * 1000)
        delay[number] = (ms * (rule.heading != "backward"), ms * (rule.heading != "forward"))
    return NodeRules(is_barrier[streets.node_tag_set], delay[streets.node_tag_set])
