"""Overture's prohibited transitions as turn restrictions between pieces of segments."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.overture_tags import HEADINGS, Rule, is_left_out, keys_of
from citygeo.io.streets import Restriction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

STRAIGHT_DEGREES, BACK_DEGREES = 45.0, 135.0


class Pieces(NamedTuple):
    """
    The pieces of all segments, one segment's after another's, in the order of its drawing.

    Attributes
    ----------
    first
        The first piece of each segment, and their number at the end, `(s + 1,)`.
    way_id
        `(p,)`.
    node
        The nodes at both ends, `(p, 2)`.
    at
        Where the middle of a piece lies along its segment, 0 to 1, `(p,)`.
    course
        East and north of the first and of the last step, `(p, 2, 2)`, in equal units.
    """

    first: NDArray[np.int64]
    way_id: NDArray[np.int64]
    node: NDArray[np.int64]
    at: NDArray[np.float64]
    course: NDArray[np.float64]


class Names(NamedTuple):
    """Overture's ids: of segments to their number, of connectors to their node; and the ids of nodes."""

    segment: dict[str, int]
    node: dict[str, int]
    node_id: NDArray[np.int64]


class Turns(NamedTuple):
    """The restrictions, and the segments one of whose transitions names something that is not in the file."""

    found: list[Restriction]
    unresolved: list[int]


class _Move(NamedTuple):
    """Travel on a piece in a heading."""

    piece: int
    heading: str


def restrictions(rules: Sequence[Sequence[Rule] | None], pieces: Pieces, names: Names) -> Turns:
    """
    Translate prohibited transitions.

    Parameters
    ----------
    rules
        The ``prohibited_transitions`` of each segment; those that hold at times only are left out.
    pieces, names
        What they speak of.

    Returns
    -------
    A restriction for each heading and vehicle.
    """
    found: list[Restriction] = []
    unresolved: list[int] = []
    for segment, listed in enumerate(rules):
        for rule in listed or ():
            if is_left_out(rule):
                continue
            made = list(_made(segment, rule, pieces, names))
            found += made
            unresolved += [] if made else [segment]
    return Turns(found, unresolved)


def _made(segment: int, rule: Rule, pieces: Pieces, names: Names) -> Iterator[Restriction]:
    steps = [
        (names.node.get(step["connector_id"]), names.segment.get(step["segment_id"]))
        for step in rule["sequence"]
    ]
    path = [(node, number) for node, number in steps if node is not None and number is not None]
    if len(path) < len(steps) or not path:
        return
    via = _via(path, pieces)
    heading = (rule.get("when") or {}).get("heading")
    for start in _arriving(segment, path[0][0], pieces, (heading,) if heading else HEADINGS):
        if not _is_within(rule, pieces.at[start.piece]) or via is None:
            continue
        for stop in _leaving(path[-1][1], path[-1][0], pieces, rule["final_heading"]):
            kind = _kind(start, stop, pieces, is_same=segment == path[-1][1])
            via_node = None if via else int(names.node_id[path[0][0]])
            from_way, to_way = (int(pieces.way_id[move.piece]) for move in (start, stop))
            via_way = tuple(int(pieces.way_id[piece]) for piece in via)
            vehicles: list[str | None] = [*keys_of(rule)] or [None]
            for vehicle in vehicles:
                yield Restriction(from_way, kind, (from_way,), via_node, via_way, (to_way,), vehicle)


def _is_within(rule: Rule, at: float) -> bool:
    between = rule.get("between")
    return between is None or between[0] <= at <= between[1]


def _boundaries(segment: int, pieces: Pieces) -> list[int]:
    """Return the nodes at the ends of a segment's pieces, one more than there are pieces."""
    first, stop = pieces.first[segment : segment + 2]
    return [*pieces.node[first:stop, 0].tolist(), int(pieces.node[stop - 1, 1])]


def _arriving(segment: int, node: int, pieces: Pieces, headings: Sequence[str]) -> Iterator[_Move]:
    """Yield the ways to come to a node along a segment."""
    nodes, first = _boundaries(segment, pieces), int(pieces.first[segment])
    for boundary in [place for place, at in enumerate(nodes) if at == node]:
        if "forward" in headings and boundary > 0:
            yield _Move(first + boundary - 1, "forward")
        if "backward" in headings and boundary < len(nodes) - 1:
            yield _Move(first + boundary, "backward")


def _leaving(segment: int, node: int, pieces: Pieces, heading: str) -> Iterator[_Move]:
    """Yield the ways to leave a node along a segment."""
    turned = "backward" if heading == "forward" else "forward"
    for move in _arriving(segment, node, pieces, (turned,)):
        yield _Move(move.piece, heading)


def _via(path: list[tuple[int, int]], pieces: Pieces) -> list[int] | None:
    """Return the pieces between the first and the last connector in the order of travel, `None` if there is no way."""
    found: list[int] = []
    for (node, segment), (following, _) in pairwise(path):
        nodes, first = _boundaries(segment, pieces), int(pieces.first[segment])
        if node not in nodes or following not in nodes:
            return None
        start, stop = nodes.index(node), nodes.index(following)
        found += (
            range(first + start, first + stop)
            if start < stop
            else range(first + start - 1, first + stop - 1, -1)
        )
    return found


def _kind(start: _Move, stop: _Move, pieces: Pieces, *, is_same: bool) -> str:
    """Return OSM's word for the turn, by its angle: a quarter of the circle each."""
    arrive = pieces.course[start.piece, 1] if start.heading == "forward" else -pieces.course[start.piece, 0]
    go = pieces.course[stop.piece, 0] if stop.heading == "forward" else -pieces.course[stop.piece, 1]
    turn = np.degrees(np.arctan2(arrive[0] * go[1] - arrive[1] * go[0], arrive @ go))
    if abs(turn) <= STRAIGHT_DEGREES:
        return "no_straight_on"
    if (is_same and start.heading != stop.heading) or abs(turn) >= BACK_DEGREES:
        return "no_u_turn"
    return "no_left_turn" if turn > 0 else "no_right_turn"
