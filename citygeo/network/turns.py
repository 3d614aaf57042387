"""Turn restrictions: from relations between ways to sequences of arcs that nobody may travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from citygeo.io.streets import Restriction, StreetTables
    from citygeo.issues import IssueLog
    from citygeo.modes import TravelMode

Arc = int  # 2 * edge + 1 against the edge
Path = tuple[Arc, ...]


def restricted_nodes(streets: StreetTables, mode: TravelMode) -> NDArray[np.int64]:
    """
    Return the positions of nodes that contraction must keep: via nodes, and the ends of all ways in restrictions.

    An edge then lies on one member way or on none.
    """
    ways: set[int] = set()
    nodes: set[int] = set()
    for rule in streets.restrictions:
        if mode.obeys(rule):
            ways.update(rule.from_way, rule.via_way, rule.to_way)
            nodes.update(() if rule.via_node is None else (rule.via_node,))
    member = np.flatnonzero(np.isin(streets.way_id, np.fromiter(ways, np.int64)))
    ends = streets.way_node[np.concatenate((streets.way_start[member], streets.way_start[member + 1] - 1))]
    via = np.flatnonzero(np.isin(streets.node_id, np.fromiter(nodes, np.int64)))
    return np.unique(np.concatenate((ends, via)))


class _Streets(NamedTuple):
    """What restrictions speak of, by id: the arcs on each member way that enter and leave each node."""

    node_of: dict[int, int]  # node id -> node
    enter: dict[int, dict[int, list[Arc]]]  # way id -> node -> arcs
    leave: dict[int, dict[int, list[Arc]]]
    all_leaving: dict[int, list[Arc]]  # node -> arcs on any way
    head: NDArray[np.int64]  # (2e,) node where each arc ends


def forbidden_turns(
    streets: StreetTables, mode: TravelMode, arrays: Mapping[str, NDArray[np.generic]], issues: IssueLog
) -> dict[str, NDArray[np.generic]]:
    """
    Translate the restrictions that bind a mode.

    Parameters
    ----------
    streets, mode
        Restrictions by way and node ids, and whom they bind.
    arrays
        Edges of the network: ``edge_node``, ``edge_way_id``, ``edge_along_ms``, ``edge_against_ms``, ``node_id``.
    issues
        Takes restrictions that could not be read.

    Returns
    -------
    ``turn_arc``: arcs (``2 * edge + 1`` against the edge) of all forbidden sequences, one after another;
    ``turn_start``: where each begins.
    """
    binding = [rule for rule in streets.restrictions if mode.obeys(rule)]
    sequences: dict[Path, None] = {}
    unclear: list[int] = []
    absent: list[int] = []
    if binding:
        known = _index(binding, arrays)
        for rule in binding:
            paths = _paths(rule, known)
            if paths is None:
                unclear.append(rule.id)
            elif not paths:
                absent.append(rule.id)
            else:
                sequences.update(dict.fromkeys(_forbidden(rule, paths, known)))
    issues.add("CG-NET-051", count=len(unclear), sample=unclear, total=len(binding), mode=mode.name)
    issues.add("CG-NET-052", count=len(absent), sample=absent, total=len(binding), mode=mode.name)
    listed = sorted(sequences)
    return {
        "turn_start": np.concatenate(([0], np.cumsum([len(path) for path in listed]))).astype(np.int64),
        "turn_arc": np.array([arc for path in listed for arc in path], np.int64),
    }


def _index(rules: Iterable[Restriction], arrays: Mapping[str, NDArray[np.generic]]) -> _Streets:
    """Look up the edges on member ways and at their ends."""
    rules = list(rules)
    member = {way for rule in rules for way in (*rule.from_way, *rule.via_way, *rule.to_way)}
    via = {rule.via_node for rule in rules if rule.via_node is not None}
    node = arrays["edge_node"].astype(np.int64)
    tail, head = node.ravel(), node[:, ::-1].ravel()
    is_open = np.column_stack((arrays["edge_along_ms"], arrays["edge_against_ms"])).ravel() != CLOSED
    way = np.repeat(arrays["edge_way_id"].astype(np.int64), 2)
    enter: dict[int, dict[int, list[Arc]]] = {}
    leave: dict[int, dict[int, list[Arc]]] = {}
    on_member = np.flatnonzero(is_open & np.isin(way, np.fromiter(member, np.int64)))
    for arc, a, b, owner in zip(
        on_member.tolist(),
        tail[on_member].tolist(),
        head[on_member].tolist(),
        way[on_member].tolist(),
        strict=True,
    ):
        enter.setdefault(owner, {}).setdefault(b, []).append(arc)
        leave.setdefault(owner, {}).setdefault(a, []).append(arc)
    at = np.zeros(len(arrays["node_id"]), np.bool_)
    at[head[on_member]] = True
    leaving: dict[int, list[Arc]] = {}
    for arc in np.flatnonzero(is_open & at[tail]).tolist():
        leaving.setdefault(int(tail[arc]), []).append(arc)
    ids = arrays["node_id"].astype(np.int64)
    where = np.flatnonzero(np.isin(ids, np.fromiter(via, np.int64)))
    node_of = dict(zip(ids[where].tolist(), where.tolist(), strict=True))
    return _Streets(node_of, enter, leave, leaving, head)


def _paths(rule: Restriction, known: _Streets) -> list[Path] | None:
    """Return every path that the restriction speaks of: none if its ways are not open here, `None` if unclear."""
    found: list[Path] = []
    for start in rule.from_way:
        for stop in rule.to_way:
            follow = _via_ways if rule.via_way else _via_node
            paths = list(follow(rule, start, stop, known))
            # a way that runs through the via node instead of ending there leaves open which side is meant
            if len(paths) > 1:
                return None
            found += paths
    return found


def _via_node(rule: Restriction, start: int, stop: int, known: _Streets) -> Iterator[Path]:
    node = known.node_of.get(-1 if rule.via_node is None else rule.via_node)
    if node is None:
        return
    for arrive in known.enter.get(start, {}).get(node, []):
        for go in known.leave.get(stop, {}).get(node, []):
            yield arrive, go


def _via_ways(rule: Restriction, start: int, stop: int, known: _Streets) -> Iterator[Path]:
    """Follow the via ways from where the first way ends to where the last begins."""
    for node, arrivals in known.enter.get(start, {}).items():
        for arrive in arrivals:
            for path, end in _along_ways(rule.via_way, node, known):
                for go in known.leave.get(stop, {}).get(end, []):
                    yield (arrive, *path, go)


def _along_ways(ways: tuple[int, ...], node: int, known: _Streets) -> Iterator[tuple[Path, int]]:
    """Walk each way from end to end without turning back; yield the path and the node where it ends."""
    if not ways:
        yield (), node
        return
    leave = known.leave.get(ways[0], {})
    for first in leave.get(node, []):
        path, seen = [first], {first >> 1}
        while True:
            ahead = [arc for arc in leave.get(int(known.head[path[-1]]), []) if arc >> 1 not in seen]
            if len(ahead) != 1:
                break
            path.append(ahead[0])
            seen.add(ahead[0] >> 1)
        for rest, end in _along_ways(ways[1:], int(known.head[path[-1]]), known):
            yield (*path, *rest), end


def _forbidden(rule: Restriction, paths: list[Path], known: _Streets) -> Iterator[Path]:
    """Yield the sequences that ``no_*`` forbids, or all but the ones that ``only_*`` leaves after its via."""
    if not rule.kind.startswith("only_"):
        yield from paths
        return
    allowed = set(paths)
    for path in paths:
        for go in known.all_leaving.get(int(known.head[path[-2]]), []):
            if (*path[:-1], go) not in allowed:
                yield (*path[:-1], go)
