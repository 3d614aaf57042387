"""
From edges to the two graphs that searches run on, with turn rules as states.

A node without turn rules is one state. Where a turn is forbidden or costs time, every arc into the node ends at
a state of its own and every arc out of it begins at one; what may follow what is an arc of no length between
them. Restrictions over via ways need to know where a traveller came from: an Aho-Corasick automaton over the
forbidden sequences (Aho and Corasick 1975, "Efficient string matching") says how much of one he has travelled,
and the via ways get one more state for each such memory.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.network.segments import segment_lengths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.modes import TravelMode

CLOSED = np.uint32(0xFFFFFFFF)
NO_EDGE = np.uint32(0xFFFFFFFF)  # an arc that is a turn
STRAIGHT_DEGREES = 45.0
BEARING_M = 10.0  # how far from a junction a street's direction is taken

Arrays = dict[str, "NDArray[np.generic]"]
Path = tuple[int, ...]


class Arcs(NamedTuple):
    """Open directions of travel, in the order of their codes, shape `(m,)` each."""

    code: NDArray[np.int64]  # 2 * edge + 1 against the edge
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    ms: NDArray[np.int64]  # with delays at both ends


def open_arcs(arrays: Mapping[str, NDArray[np.generic]]) -> Arcs:
    """Return every open direction of travel over the edges of a network, whatever turn rules say."""
    node = arrays["edge_node"].astype(np.int64)
    travel = np.column_stack((arrays["edge_along_ms"], arrays["edge_against_ms"])).astype(np.int64).ravel()
    code = np.flatnonzero(travel != CLOSED)
    delay = (arrays["edge_enter_ms"].astype(np.int64) + arrays["edge_leave_ms"].astype(np.int64)).ravel()
    return Arcs(code, node.ravel()[code], node[:, ::-1].ravel()[code], (travel + delay)[code])


def search_arrays(arrays: Mapping[str, NDArray[np.generic]], mode: TravelMode) -> Arrays:
    """
    Make the states and the forward and the reverse graph in CSR form.

    Parameters
    ----------
    arrays
        Edges, and ``turn_start``, ``turn_arc``.
    mode
        What turns cost.

    Returns
    -------
    ``edge_tail``, ``edge_head`` `(e, 2)`: states at which travel along and against an edge begins and ends;
    ``node_arrive``, ``node_depart`` `(n,)`: states of ending and starting at a node. For ``forward`` and
    ``reverse``: ``_start`` `(states + 1,)`, ``_arc`` `(m, 2)` head and milliseconds, ``_edge`` `(m,)`
    ``2 * edge + 1`` for travel against the edge, 4294967295 for a turn. Arcs of a state stand in the order of
    their edges.
    """
    arcs = open_arcs(arrays)
    n_nodes, n_edges = len(arrays["node_id"]), len(arrays["edge_node"])
    node = arrays["edge_node"].astype(np.int64)
    graph = _Graph(n_nodes)
    tail, head = node.copy(), node[:, ::-1].copy()
    depart = np.arange(n_nodes)
    forbidden = _forbidden(arrays, arcs)
    has_costs = mode.left_turn_s > 0 or mode.right_turn_s > 0 or mode.u_turn_s > 0
    if forbidden or has_costs:
        is_split = np.zeros(n_nodes, np.bool_)
        if has_costs:
            # a bend is no turn: only where three or more streets meet is one made
            is_split |= np.bincount(node[_is_open(arrays)].ravel(), minlength=n_nodes) > 2
        head_of = head.ravel()
        is_split[[head_of[arc] for path in forbidden for arc in path[:-1]]] = True
        _split_nodes(graph, arcs, is_split, forbidden, _Turns(arrays, mode, has_costs), (tail, head, depart))
    else:
        graph.add(arcs.tail, arcs.head, arcs.ms, arcs.code)
    made: Arrays = {
        "edge_tail": tail.astype(np.uint32), "edge_head": head.astype(np.uint32),
        "node_arrive": np.arange(n_nodes, dtype=np.uint32), "node_depart": depart.astype(np.uint32),
    }  # fmt: skip
    assert tail.shape == (n_edges, 2)
    return made | graph.csr()


def _forbidden(arrays: Mapping[str, NDArray[np.generic]], arcs: Arcs) -> list[Path]:
    """Return the forbidden sequences of arcs that are still open."""
    is_open = set(arcs.code.tolist())
    start = arrays["turn_start"].astype(np.int64).tolist()
    paths = [tuple(arrays["turn_arc"][a:b].tolist()) for a, b in pairwise(start)]
    return [path for path in paths if is_open.issuperset(path)]


def _is_open(arrays: Mapping[str, NDArray[np.generic]]) -> NDArray[np.bool_]:
    opened: NDArray[np.bool_] = (arrays["edge_along_ms"] != CLOSED) | (arrays["edge_against_ms"] != CLOSED)
    return opened


class _Graph:
    """Arcs between states, collected and then indexed both ways."""

    def __init__(self, n_states: int) -> None:
        self.n_states = n_states
        self._parts: list[tuple[NDArray[np.int64], ...]] = []

    def states(self, n: int) -> NDArray[np.int64]:
        """Make `n` new states."""
        self.n_states += n
        return np.arange(self.n_states - n, self.n_states)

    def add(
        self, tail: NDArray[np.int64], head: NDArray[np.int64], ms: NDArray[np.int64], code: NDArray[np.int64]
    ) -> None:
        self._parts.append((tail, head, ms, code))

    def csr(self) -> Arrays:
        tail, head, ms, code = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        turned = np.where(code == NO_EDGE, code, code ^ 1)
        made: Arrays = {}
        # in the reverse graph an arc leaves its head; seen from there it runs the other way along the edge
        for name, a, b, seen in (("forward", tail, head, code), ("reverse", head, tail, turned)):
            order = np.lexsort((b, seen, a))
            count = np.bincount(a, minlength=self.n_states)
            made[f"{name}_start"] = np.concatenate(([0], np.cumsum(count))).astype(np.uint32)
            made[f"{name}_arc"] = np.column_stack((b[order], ms[order])).astype(np.uint32)
            made[f"{name}_edge"] = seen[order].astype(np.uint32)
        return made


class _Turns:
    """What it costs to go from one arc on to another, in milliseconds."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], mode: TravelMode, has_costs: bool) -> None:  # noqa: FBT001
        self._ms = [round(s * 1000) for s in (mode.left_turn_s, mode.right_turn_s, mode.u_turn_s)]
        self._bearings = _bearings(arrays) if has_costs else None

    def ms(self, arrive: NDArray[np.int64], go: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cost of going on from arc `arrive` to arc `go`: left, right, back; straight on is free."""
        if self._bearings is None:
            return np.zeros(arrive.size, np.int64)
        at_start, at_end = self._bearings
        angle = (at_start[go] - at_end[arrive] + 180.0) % 360.0 - 180.0
        left, right, back = self._ms
        cost = np.select([angle <= -STRAIGHT_DEGREES, angle >= STRAIGHT_DEGREES], [left, right], 0)
        return np.where(arrive ^ 1 == go, back, cost)


def _bearings(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the degrees clockwise from north in which each arc sets out and arrives, by arc code."""
    start = arrays["shape_start"].astype(np.int64)
    place = arrays["shape_lonlat"].astype(np.float64)

    def toward(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        d_lon, d_lat = (place[b] - place[a]).T
        d_lon = ((d_lon + 180.0) % 360.0 - 180.0) * np.cos(np.radians(place[a, 1]))
        degrees: NDArray[np.float64] = np.degrees(np.arctan2(d_lon, d_lat))
        return degrees

    first, last = start[:-1], start[1:] - 1
    # a jog of a few metres at a junction is a matter of drawing
    gone = np.concatenate(([0.0], np.cumsum(segment_lengths(place[:-1], place[1:]))))
    after = np.clip(np.searchsorted(gone, gone[first] + BEARING_M), first + 1, last)
    before = np.clip(np.searchsorted(gone, gone[last] - BEARING_M, side="right") - 1, first, last - 1)
    out = np.column_stack((toward(first, after), toward(last, before))).ravel()
    into = np.column_stack((toward(before, last), toward(after, first))).ravel()
    return out, into


def _pairs(arcs: Arcs, is_split: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every arc into a split node with every arc out of it, by place in `arcs`."""
    into = np.flatnonzero(is_split[arcs.head])
    out = np.argsort(arcs.tail, kind="stable")
    first = np.searchsorted(arcs.tail[out], np.arange(is_split.size + 1))
    at = arcs.head[into]
    many = first[at + 1] - first[at]
    before = np.cumsum(many) - many
    place = np.repeat(first[at] - before, many) + np.arange(int(many.sum()))
    return np.repeat(into, many), out[place]


def _split_nodes(
    graph: _Graph,
    arcs: Arcs,
    is_split: NDArray[np.bool_],
    forbidden: list[Path],
    turns: _Turns,
    ends: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """Give the arcs at split nodes states of their own and join those that may follow each other."""
    tail, head, depart = ends
    zero = np.zeros(arcs.code.size, np.int64)
    turn = np.full(arcs.code.size, np.int64(NO_EDGE))
    node = np.flatnonzero(is_split)
    depart[node] = graph.states(node.size)
    into, out = np.flatnonzero(is_split[arcs.head]), np.flatnonzero(is_split[arcs.tail])
    begin, end = arcs.tail.copy(), arcs.head.copy()
    end[into], begin[out] = graph.states(into.size), graph.states(out.size)
    tail.ravel()[arcs.code], head.ravel()[arcs.code] = begin, end
    graph.add(begin, end, arcs.ms, arcs.code)
    graph.add(end[into], arcs.head[into], zero[into], turn[into])
    graph.add(depart[arcs.tail[out]], begin[out], zero[out], turn[out])
    graph.add(depart[node], node, np.zeros(node.size, np.int64), np.full(node.size, np.int64(NO_EDGE)))
    memory = _Memory(forbidden)
    arrive, go = _pairs(arcs, is_split)
    # what the memory of one arc forbids, or remembers, is no plain turn
    special = memory.special_pairs()
    top = tail.size  # arcs are two per edge
    keys = np.array([a * top + b for a, b in special], np.int64)
    is_plain = ~np.isin(arcs.code[arrive] * top + arcs.code[go], keys)
    cost = turns.ms(arcs.code[arrive], arcs.code[go])
    arrive, go = arrive[is_plain], go[is_plain]
    graph.add(end[arrive], begin[go], cost[is_plain], np.full(go.size, np.int64(NO_EDGE)))
    if memory.contexts:
        _add_contexts(graph, arcs, memory, turns, (tail, head))


class _Memory:
    """How much of a forbidden sequence has been travelled: the Aho-Corasick automaton over arcs."""

    def __init__(self, forbidden: list[Path]) -> None:
        self.forbidden = set(forbidden)
        self.prefixes = {path[:n] for path in forbidden for n in range(1, len(path))}
        self.contexts = sorted(prefix for prefix in self.prefixes if len(prefix) > 1)
        self._longest = max((len(path) for path in forbidden), default=0)

    def step(self, prefix: Path, arc: int) -> Path | None:
        """Return what is remembered after going on to `arc`, `None` if that is forbidden."""
        path = (*prefix, arc)
        suffixes = [path[i:] for i in range(len(path))]
        if any(suffix in self.forbidden for suffix in suffixes):
            return None
        return next((suffix for suffix in suffixes if suffix in self.prefixes), ())

    def special_pairs(self) -> list[tuple[int, int]]:
        """Return pairs of arcs of which the second is forbidden after the first, or leads into a context."""
        found = [(path[0], path[1]) for path in self.forbidden if len(path) == 2]
        return found + [(path[0], path[1]) for path in self.contexts if len(path) == 2]


def _leaving(arcs: Arcs, nodes: NDArray[np.int64]) -> dict[int, list[int]]:
    """Return the codes of all arcs out of some nodes."""
    found: dict[int, list[int]] = {}
    out = np.flatnonzero(np.isin(arcs.tail, nodes))
    for code, node in zip(arcs.code[out].tolist(), arcs.tail[out].tolist(), strict=True):
        found.setdefault(node, []).append(code)
    return found


def _add_contexts(
    graph: _Graph,
    arcs: Arcs,
    memory: _Memory,
    turns: _Turns,
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """
    Add the states of travellers who remember more than the arc they are on.

    The wave along an edge that has several such states begins at a further one, reached from all of them: its
    time is the least.
    """
    tail, head = (side.ravel() for side in ends)
    last = np.array(sorted({prefix[-1] for prefix in memory.prefixes}), np.int64)
    place = dict(zip(last.tolist(), np.searchsorted(arcs.code, last).tolist(), strict=True))
    leaving = _leaving(arcs, arcs.head[list(place.values())])
    n = len(memory.contexts)
    begin, end = (dict(zip(memory.contexts, graph.states(n).tolist(), strict=True)) for _ in "ab")
    wave: dict[int, int] = {}
    rows: list[tuple[int, int, int, int]] = []
    (void,) = graph.states(1).tolist()
    turn = int(NO_EDGE)
    for context in memory.contexts:
        arc = context[-1]
        ms = int(arcs.ms[place[arc]])
        if arc not in wave:
            (wave[arc],) = graph.states(1).tolist()
            rows += [(int(tail[arc]), wave[arc], 0, turn), (wave[arc], void, ms, arc)]
        rows += [(begin[context], wave[arc], 0, turn), (begin[context], end[context], ms, arc)]
        node = int(arcs.head[place[arc]])
        rows.append((end[context], node, 0, turn))
    for context in sorted(memory.prefixes):
        arc = context[-1]
        here = end[context] if context in end else int(head[arc])
        for go in leaving.get(int(arcs.head[place[arc]]), []):
            after = memory.step(context, go)
            if after is None or (after not in begin and context not in end):
                continue  # forbidden, or a plain turn that is there already
            cost = int(turns.ms(np.array([arc]), np.array([go]))[0])
            rows.append((here, begin.get(after, int(tail[go])), cost, turn))
    for arc, state in wave.items():
        tail[arc] = state
    graph.add(*np.array(rows, np.int64).T)
