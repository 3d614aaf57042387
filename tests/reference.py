"""
The slow oracle: plain loops, dicts and fractions. Imports nothing of citygeo, and no numpy.

Times are whole milliseconds; every bound is inclusive. An edge is ``(u, v, along_ms, against_ms)``, a time of
`None` where the direction is closed; edges are numbered by their place in the list. A place is
``(edge, share)``: share 0 is the node u itself, share 1 the node v itself.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    Node = Hashable
    Arc = tuple[Node, Node, int]
    Edge = tuple[Node, Node, int | None, int | None]
    Place = tuple[int, float]
    # ends, times there, whether it is on the ground
    Piece = tuple[tuple[float, float], tuple[float, float], float, float, bool]
    Body = Callable[[tuple[float, float]], float]
    Part = tuple[int, float, float, float, float]  # owner, low and high share, time at both


def shortest_times(arcs: Iterable[Arc], seeds: Iterable[tuple[Node, int]], limit: int) -> dict[Node, int]:
    """Bellman-Ford from several seeds: node -> time, only nodes within the limit."""
    times: dict[Node, int] = {}
    for node, ms in seeds:
        if ms <= limit and ms < times.get(node, limit + 1):
            times[node] = ms
    arcs = list(arcs)
    changed = True
    while changed:
        changed = False
        for tail, head, ms in arcs:
            if tail in times and times[tail] + ms <= limit and times[tail] + ms < times.get(head, limit + 1):
                times[head] = times[tail] + ms
                changed = True
    return times


def nearest_owners(
    arcs: Iterable[Arc], seeds: Iterable[tuple[Node, int, int]], limit: int, k: int
) -> dict[Node, list[tuple[int, int]]]:
    """Nearest of several owners, one search each: node -> least (time, owner), equal times to the smallest owner."""
    arcs, seeds = list(arcs), list(seeds)
    found: dict[Node, list[tuple[int, int]]] = {}
    for owner in sorted({owner for _, _, owner in seeds}):
        own = [(node, ms) for node, ms, who in seeds if who == owner]
        for node, ms in shortest_times(arcs, own, limit).items():
            found.setdefault(node, []).append((ms, owner))
    return {node: sorted(pairs)[:k] for node, pairs in found.items()}


def reach_sums(
    edges: Sequence[Edge],
    sources: Sequence[Sequence[tuple[Place, int]]],
    targets: Sequence[Sequence[tuple[Place, int]]],
    weights: Sequence[Fraction],
    cutoffs: Sequence[int],
    decay: Sequence[Fraction] | None,
) -> list[list[Fraction]]:
    """Sum over the targets of what each weighs, if its nearest place is within the cut-off of the source's nearest."""
    table = []
    for source in sources:
        times = []
        for target in targets:
            ways = [
                place_time(edges, begin, spent, end, due, max(cutoffs))
                for begin, spent in source
                for end, due in target
            ]
            times.append(min((ms for ms in ways if ms is not None), default=None))
        table.append(
            [
                sum(
                    (
                        weight * (1 if decay is None else decay[ms])
                        for ms, weight in zip(times, weights, strict=True)
                        if ms is not None and ms <= cutoff
                    ),
                    Fraction(0),
                )
                for cutoff in cutoffs
            ]
        )
    return table


def arcs_of(edges: Sequence[Edge]) -> list[Arc]:
    """Both directions of every edge, as far as they are open."""
    arcs: list[Arc] = []
    for u, v, along, against in edges:
        if along is not None:
            arcs.append((u, v, along))
        if against is not None:
            arcs.append((v, u, against))
    return arcs


def turned(edges: Sequence[Edge]) -> list[Edge]:
    """Every direction of travel turned round."""
    return [(u, v, against, along) for u, v, along, against in edges]


def offset(share: float, ms: int | None) -> int | None:
    """Whole milliseconds from the start of an edge to a share of it, half to even."""
    return None if ms is None else round(share * ms)


def between(offsets: Sequence[int | None], total: int | None) -> list[int | None]:
    """Milliseconds of the pieces of an edge that is cut at offsets."""
    if total is None:
        return [None] * (len(offsets) + 1)
    return [b - a for a, b in pairwise([0, *offsets, total])]


def split(edges: Sequence[Edge], places: Iterable[Place]) -> list[Edge]:
    """Make a node ``("place", edge, share)`` of every place, cutting its edge there."""
    by_edge: dict[int, set[float]] = {}
    for edge, share in places:
        by_edge.setdefault(edge, set()).add(share)
    result: list[Edge] = []
    for i, (u, v, along, against) in enumerate(edges):
        shares = sorted(by_edge.get(i, ()))
        stops: list[Node] = [u, *(("place", i, share) for share in shares), v]
        ahead = between([offset(share, along) for share in shares], along)
        back = between([offset(share, against) for share in shares], against)
        result += zip(stops[:-1], stops[1:], ahead, back, strict=True)
        # a place at the very end of an edge is that node, also where the edge is one-way
        if 0.0 in shares:
            result.append((u, ("place", i, 0.0), 0, 0))
        if 1.0 in shares:
            result.append((v, ("place", i, 1.0), 0, 0))
    return result


def place_time(
    edges: Sequence[Edge], source: Place, spent: int, point: Place, due: int, limit: int
) -> int | None:
    """Time from one place on an edge to another, `None` beyond the limit."""
    pieces = split(edges, [source, point])
    times = shortest_times(arcs_of(pieces), [(("place", *source), spent)], limit)
    time = times.get(("place", *point))
    return None if time is None or time + due > limit else time + due


def nearest_place(
    edges: Sequence[Edge], sources: Sequence[tuple[Place, int]], point: Place, due: int, limit: int
) -> tuple[int, int] | None:
    """The (time, row) of the source nearest to a place, the first row among equals."""
    found = []
    for row, (source, spent) in enumerate(sources):
        time = place_time(edges, source, spent, point, due, limit)
        if time is not None:
            found.append((time, row))
    return min(found, default=None)


def envelope(edges: Sequence[Edge], source: Place, spent: int, limit: int) -> Envelope:
    """Times at every point of every edge from one place."""
    return Envelope(edges, source, spent, limit)


class Envelope:
    """Time at any point of any edge: the lower envelope of the waves from both ends, exact in fractions."""

    def __init__(self, edges: Sequence[Edge], source: Place, spent: int, limit: int) -> None:
        self.pieces: dict[int, list[tuple[Fraction, Fraction, Edge]]] = {}
        pieces = split(edges, [source])
        self.times = shortest_times(arcs_of(pieces), [(("place", *source), spent)], limit)
        for i, edge in enumerate(edges):
            self.pieces[i] = [(Fraction(0), Fraction(1), edge)]
        own, share = source
        if 0.0 < share < 1.0:
            at = Fraction(share)
            u, v, along, against = edges[own]
            here = ("place", own, share)
            a, b = offset(share, along), offset(share, against)
            self.pieces[own] = [
                (Fraction(0), at, (u, here, a, b)),
                (
                    at,
                    Fraction(1),
                    (here, v, None if a is None else along - a, None if b is None else against - b),
                ),
            ]

    def at(self, edge: int, x: Fraction) -> Fraction | None:
        """Time at the share `x` of an edge, `None` if no wave gets there at all (within the limit or not)."""
        best: Fraction | None = None
        for low, high, (u, v, along, against) in self.pieces[edge]:
            if not low <= x <= high:
                continue
            part = (x - low) / (high - low)
            waves = []
            if along is not None and u in self.times:
                waves.append(self.times[u] + part * along)
            if against is not None and v in self.times:
                waves.append(self.times[v] + (1 - part) * against)
            for wave in waves:
                best = wave if best is None else min(best, wave)
        return best


class FirstThere:
    """Who is first at any point of any edge, and when: one search for each source, edges cut at all of them."""

    def __init__(self, edges: Sequence[Edge], sources: Sequence[tuple[Place, int]]) -> None:
        places = [place for place, _ in sources]
        self.edges = edges
        self.shares = {i: sorted({share for edge, share in places if edge == i}) for i in range(len(edges))}
        arcs = arcs_of(split(edges, places))
        self.times = [shortest_times(arcs, [(("place", *place), spent)], 2**40) for place, spent in sources]

    def at(self, edge: int, x: Fraction) -> list[tuple[Fraction, int]]:
        """(Time, row) of all who ever come to the share `x` of an edge, not a node, in order."""
        u, v, along, against = self.edges[edge]
        shares = self.shares[edge]
        low = max((share for share in shares if share < x), default=None)
        high = min((share for share in shares if share > x), default=None)
        begin, end = Fraction(low or 0), Fraction(1 if high is None else high)
        ends = (u if low is None else ("place", edge, low)), (v if high is None else ("place", edge, high))
        part = (x - begin) / (end - begin)
        found = []
        for row, times in enumerate(self.times):
            waves = []
            for total, node, gone in ((along, ends[0], part), (against, ends[1], 1 - part)):
                if total is not None and node in times:
                    ms = offset(float(end), total) - offset(float(begin), total)
                    waves.append(times[node] + gone * ms)
            if waves:
                found.append((min(waves), row))
        return sorted(found)


def arrivals_at(parts: Iterable[Part], x: Fraction) -> list[tuple[Fraction, int]]:
    """Who comes to a place of an edge, and when: (least time, owner) in order of arrival."""
    times: dict[int, Fraction] = {}
    for owner, low, high, low_ms, high_ms in parts:
        if low < high and low <= x <= high:
            time = _on_line((low, high, low_ms, high_ms), x)
            times[owner] = min(times.get(owner, time), time)
    return sorted((time, owner) for owner, time in times.items())


def changes_of_order(parts: Sequence[Part]) -> list[Fraction]:
    """Every place of an edge where the order of arrival could change: ends of parts, crossings of any two lines."""
    marks = {Fraction(x) for part in parts for x in part[1:3]}
    lines = [part[1:] for part in parts if part[1] < part[2]]
    for one, other in combinations(lines, 2):
        here, there = (_on_line(one, Fraction(x)) - _on_line(other, Fraction(x)) for x in (0, 1))
        if here != there:
            x = here / (here - there)
            if max(one[0], other[0]) < x < min(one[1], other[1]):
                marks.add(x)
    return sorted(marks)


def _on_line(line: Sequence[float], x: Fraction) -> Fraction:
    low, high, low_ms, high_ms = map(Fraction, line)
    return low_ms + (x - low) / (high - low) * (high_ms - low_ms)


def way_times(lengths_um: Sequence[int], kmh: float) -> list[int]:
    """Milliseconds of each segment of a way by rounding the time since the way's start."""
    total, before, times = 0, 0, []
    for length in lengths_um:
        total += length
        now = round(Fraction(total) * 36 / 10_000 / Fraction(kmh))
        times.append(now - before)
        before = now
    return times


def union(stretches: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Disjoint union of closed stretches."""
    result: list[tuple[float, float]] = []
    for low, high in sorted(stretches):
        if result and low <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], high))
        else:
            result.append((low, high))
    return result


def follow_rules(
    edges: Sequence[Edge],
    lost: Sequence[tuple[int, int]],
    forbidden: Iterable[tuple[int, ...]],
    source: Place,
    spent: int,
) -> tuple[dict[Node, int], dict[tuple[int, ...], tuple[Node, int]]]:
    """
    Times under turn rules, by remembering the arcs travelled.

    An arc is ``2 * edge``, or ``2 * edge + 1`` against it; `lost` is what arriving at the far end costs, along and
    against. Returns the time at every node, and for every memory (the last arcs, as many as rules ask for) where
    the traveller is and when.
    """
    rules = set(forbidden)
    longest = max((len(rule) for rule in rules), default=2)
    arcs = {}
    for i, (u, v, *ms) in enumerate(edges):
        for side, (tail, head) in enumerate(((u, v), (v, u))):
            if ms[side] is not None:
                arcs[2 * i + side] = (tail, head, ms[side] + lost[i][side])
    best: dict[tuple[tuple[int, ...], Node], int] = {}
    todo = _first_memories(edges, lost, source, spent)
    while todo:
        todo.sort(reverse=True)
        time, memory, node = todo.pop()
        if (memory, node) in best:
            continue
        best[memory, node] = time
        for code, (tail, head, ms) in arcs.items():
            path = (*memory, code)
            if tail == node and not any(path[-len(rule) :] == rule for rule in rules):
                todo.append((time + ms, path[1 - longest :], head))
    nodes: dict[Node, int] = {}
    for (_, node), time in best.items():
        nodes[node] = min(nodes.get(node, time), time)
    return nodes, {memory: (node, time) for (memory, node), time in best.items()}


def _first_memories(
    edges: Sequence[Edge], lost: Sequence[tuple[int, int]], source: Place, spent: int
) -> list[tuple[int, tuple[int, ...], Node]]:
    """Time, memory and node of a traveller who has just left his edge, or stands at its very end."""
    edge, share = source
    u, v, along, against = edges[edge]
    start: list[tuple[int, tuple[int, ...], Node]] = []
    if share == 0.0:
        start.append((spent, (-1,), u))
    if share == 1.0:
        start.append((spent, (-1,), v))
    if along is not None and share < 1.0:
        start.append((spent + along - offset(share, along) + lost[edge][0], (2 * edge,), v))
    if against is not None and share > 0.0:
        start.append((spent + offset(share, against) + lost[edge][1], (2 * edge + 1,), u))
    return start


def place_under_rules(
    edges: Sequence[Edge],
    lost: Sequence[tuple[int, int]],
    forbidden: Iterable[tuple[int, ...]],
    source: Place,
    spent: int,
    point: Place,
) -> int | None:
    """Time at a place on an edge under turn rules; see `follow_rules`."""
    rules = set(forbidden)
    nodes, states = follow_rules(edges, lost, rules, source, spent)
    edge, share = point
    u, v, along, against = edges[edge]
    found: list[int] = []
    if share == 0.0 and u in nodes:
        found.append(nodes[u])
    if share == 1.0 and v in nodes:
        found.append(nodes[v])
    for memory, (node, time) in states.items():
        for code, tail, ms, part in ((2 * edge, u, along, share), (2 * edge + 1, v, against, 1.0)):
            if ms is None or node != tail or any((*memory, code)[-len(rule) :] == rule for rule in rules):
                continue
            found.append(time + (offset(part, ms) if code % 2 == 0 else ms - offset(share, ms)))
    if source[0] == edge:
        if along is not None and share >= source[1]:
            found.append(spent + offset(share, along) - offset(source[1], along))
        if against is not None and share <= source[1]:
            found.append(spent + offset(source[1], against) - offset(share, against))
    return min(found, default=None)


def pieces_of(
    corners: Sequence[tuple[float, float]],
    off_ground: Sequence[int],
    shares: tuple[float, float],
    times: tuple[float, float],
) -> list[Piece]:
    """Straight pieces of a stretch of an edge, with the times at their ends."""
    along = [0.0]
    for here, there in pairwise(corners):
        along.append(along[-1] + math.dist(here, there))
    low, high = (share * along[-1] for share in shares)
    if low == high:
        return [(corners[0], corners[0], *times, off_ground[0] == 0)]
    result = []
    for i, (here, there) in enumerate(pairwise(corners)):
        begin, end = max(along[i], low), min(along[i + 1], high)
        if begin >= end:
            continue
        ends, ms = [], []
        for place in (begin, end):
            part = (place - along[i]) / (along[i + 1] - along[i])
            ends.append((here[0] + part * (there[0] - here[0]), here[1] + part * (there[1] - here[1])))
            ms.append(times[0] + (place - low) / (high - low) * (times[1] - times[0]))
        result.append((ends[0], ends[1], ms[0], ms[1], off_ground[i] == 0))
    return result


def off_road_bounds(
    pieces: Iterable[Piece],
    node: tuple[float, float],
    *,
    limit: float,
    slow: float,
    trim: float,
    least: float,
    n: int,
) -> tuple[float, float]:
    """
    Bounds of the earliest time at a node, infinite if it is out of reach, from n + 1 places of each piece.

    A place may be left as far as `trim`, and as long as the limit holds, and always as far as `least`; off the ground
    no farther. No place lies farther than half a step from one that is tried.
    """
    lower = upper = float("inf")
    for start, end, first_ms, last_ms, is_ground in pieces:
        size = math.dist(start, end)
        step = size / n
        pace = abs(last_ms - first_ms) / size
        for i in range(n + 1):
            place = tuple(start[axis] + i / n * (end[axis] - start[axis]) for axis in (0, 1))
            ms = first_ms + i / n * (last_ms - first_ms)
            away = math.dist(place, node)
            radius = least
            if is_ground:
                radius = max(least, min(trim, (limit - ms) / slow if slow else trim))
            here = ms + slow * away
            if away <= radius:
                upper = min(upper, here)
            if away <= radius + step * (1 + (pace / slow if slow else 0)) + 1e-9:
                lower = min(lower, here - step * (pace + slow))
    return lower, upper


def off_road_bodies(
    pieces: Iterable[Piece], *, limit: float, m_per_ms: float, trim: float, least: float
) -> list[Body]:
    """
    Ground around pieces of road as convex bodies: by how much each reaches beyond a place, below 0 outside.

    Around each piece there is ground as far as `least`, and from the ground as far as the time allows, at most `trim`.
    """
    bodies: list[Body] = []
    for start, end, first_ms, last_ms, is_ground in pieces:
        bodies.append(partial(_beyond, start, end, (least, least), math.inf))
        if is_ground:
            budget = (limit - first_ms) * m_per_ms, (limit - last_ms) * m_per_ms
            bodies.append(partial(_beyond, start, end, budget, trim))
    return bodies


def _beyond(
    start: tuple[float, float],
    end: tuple[float, float],
    budget: tuple[float, float],
    trim: float,
    node: tuple[float, float],
) -> float:
    """
    Return the most that the radius along a straight piece exceeds the distance to a place.

    The radius is the lesser of two straight lines; less a distance it is concave along the piece, so its top is where
    one of both has its own, or where they meet.
    """
    size = math.dist(start, end)
    if not size:
        return min(trim, budget[0]) - math.dist(start, node)
    (x, y), (dx, dy) = ((place[0] - start[0], place[1] - start[1]) for place in (node, end))
    along, across = (x * dx + y * dy) / size, abs(x * dy - y * dx) / size
    slope = (budget[1] - budget[0]) / size
    tops = [along, 0.0, size]
    if abs(slope) < 1:
        tops.append(along + across * slope / math.sqrt(1 - slope * slope))
    if slope:
        tops.append((trim - budget[0]) / slope)
    tops = [min(max(top, 0.0), size) for top in tops]
    return max(min(trim, budget[0] + slope * top) - math.hypot(top - along, across) for top in tops)


def off_road_end(
    bodies: Iterable[Body], here: tuple[float, float], there: tuple[float, float], gap: float
) -> float:
    """
    How far convex bodies go on from a place in one of them towards another place, as a share of the way.

    Each meets the way in one stretch, found by halving. Stretches that are no farther apart than `gap` are joined.
    """
    way = math.dist(here, there)
    stretches = []
    for body in bodies:

        def beyond(part: float, body: Body = body) -> float:
            return body((here[0] + part * (there[0] - here[0]), here[1] + part * (there[1] - here[1])))

        if beyond(0.5) < -0.51 * way:
            continue
        low, high = 0.0, 1.0
        for _ in range(80):
            one, two = low + (high - low) / 3, high - (high - low) / 3
            low, high = (one, high) if beyond(one) < beyond(two) else (low, two)
        top = max((0.0, 1.0, (low + high) / 2), key=beyond)
        if beyond(top) >= 0:
            stretches.append((_border(beyond, top, 0.0), _border(beyond, top, 1.0)))
    end = 0.0
    for low, high in sorted(stretches):
        if low <= end + gap:
            end = max(end, high)
    return end


def _border(beyond: Callable[[float], float], inside: float, outside: float) -> float:
    """Where a function falls below 0 on the way from where it does not."""
    if beyond(outside) >= 0:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if beyond(middle) >= 0 else (inside, middle)
    return inside


def gini(values: Sequence[Fraction], people: Sequence[Fraction]) -> Fraction:
    """Mean difference of any two people, over twice the mean of what they have."""
    rows = list(zip(values, people, strict=True))
    total = sum(people)
    mean = sum(value * count for value, count in rows) / total
    apart = sum(n * m * abs(a - b) for a, n in rows for b, m in rows) / total**2
    return apart / (2 * mean)


def held_by_first(values: Sequence[Fraction], people: Sequence[Fraction], share: Fraction) -> Fraction:
    """What the share of the people with least hold: filled up one place after the other, the last one in part."""
    left, held = share * sum(people), Fraction(0)
    for value, count in sorted(zip(values, people, strict=True)):
        taken = min(left, count)
        held += taken * value
        left -= taken
    return held


def palma(values: Sequence[Fraction], people: Sequence[Fraction]) -> Fraction | None:
    """What the tenth with most hold, over what the four tenths with least hold; `None` if that is nothing."""
    bottom = held_by_first(values, people, Fraction(2, 5))
    top = held_by_first(values, people, Fraction(1)) - held_by_first(values, people, Fraction(9, 10))
    return top / bottom if bottom else None


def median_of_people(values: Sequence[Fraction], people: Sequence[int]) -> Fraction:
    """The middle one of all people in a row, or half way between the middle two."""
    row = sorted(value for value, count in zip(values, people, strict=True) for _ in range(count))
    return (row[(len(row) - 1) // 2] + row[len(row) // 2]) / 2


def floating_catchment(
    times: dict[tuple[int, int], float],
    capacity: Sequence[float],
    people: Sequence[float],
    weight: Callable[[float], float],
    method: str,
) -> tuple[list[float], list[float | None]]:
    """Access of each row of demand, and ratio of each facility, from the times of pairs (demand, facility) in reach."""
    access, ratio = [0.0] * len(people), []
    for j, seats in enumerate(capacity):
        near = {i: weight(t) for (i, facility), t in times.items() if facility == j}
        asked, given = dict(near), dict(near)
        if method == "3sfca":
            for i, w in near.items():
                all_of_i = sum(weight(t) for (person, _), t in times.items() if person == i)
                asked[i] = given[i] = w * w / all_of_i if all_of_i else 0.0
        if method == "m2sfca":
            given = {i: w * w for i, w in near.items()}
        total = math.fsum(people[i] * w for i, w in asked.items())
        ratio.append(seats / total if total else None)
        for i, w in given.items():
            access[i] += w * seats / total if total else 0.0
    return access, ratio


def clipped_area(ring: Sequence[tuple[float, float]], window: Sequence[tuple[float, float]]) -> float:
    """Area of the part of a ring in a convex window given counter-clockwise (Sutherland and Hodgman 1974)."""
    points = list(ring)
    for (ax, ay), (bx, by) in zip(window, [*window[1:], window[0]], strict=True):
        side = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in points]
        kept = []
        for n, (x, y) in enumerate(points):
            before = n - 1
            if side[n] * side[before] < 0:
                part = side[before] / (side[before] - side[n])
                px, py = points[before]
                kept.append((px + part * (x - px), py + part * (y - py)))
            if side[n] >= 0:
                kept.append((x, y))
        points = kept
        if not points:
            return 0.0
    # measured from a point nearby: far from the origin, products of coordinates would lose digits
    ox, oy = points[0]
    moved = [(x - ox, y - oy) for x, y in points]
    return abs(math.fsum(x * v - u * y for (x, y), (u, v) in pairwise([*moved, moved[0]]))) / 2


def areal_interpolation(
    zones: Sequence[Sequence[tuple[float, float]]],
    people: Sequence[float],
    windows: Sequence[Sequence[tuple[float, float]]],
) -> list[float]:
    """People of each convex window: of each zone, the share of its area that lies in the window."""
    areas = [[clipped_area(zone, window) for window in windows] for zone in zones]
    return [
        math.fsum(count * own[n] / math.fsum(own) for count, own in zip(people, areas, strict=True))
        for n in range(len(windows))
    ]


def people_by_cell(
    rows: Sequence[Sequence[float]], cell_at: Callable[[float, float], Hashable], points: int = 1
) -> dict[Hashable, Fraction]:
    """
    People of pixels, point by point: cell -> people.

    A pixel is shared evenly among points x points of it; `cell_at` is asked with row and column in pixels from the
    outer corner. What is negative or no number is nobody.
    """
    found: dict[Hashable, Fraction] = {}
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            if not 0 < value < math.inf:
                continue
            for down in range(points):
                for right in range(points):
                    cell = cell_at(row + (down + 0.5) / points, column + (right + 0.5) / points)
                    found[cell] = found.get(cell, Fraction(0)) + Fraction(value) / points**2
    return found


def coverage(
    times: Sequence[Sequence[int | None]], limits: Sequence[int], weights: Sequence[int], zones: Sequence[int]
) -> dict[str, list[int] | list[tuple[int, int] | None] | dict[int, int]]:
    """
    Who is covered, one point after the other.

    Times from each facility to each point, the limit of each facility, the weight of each point and its zone. Told are
    the nearest facility of each point as (milliseconds beyond its limit, row), how many facilities reach each in time,
    and the covered weight of each zone.
    """
    nearest: list[tuple[int, int] | None] = []
    depth: list[int] = []
    covered = dict.fromkeys(zones, 0)
    for point, (weight, zone) in enumerate(zip(weights, zones, strict=True)):
        over = [
            (row[point] - limit, facility)
            for facility, (row, limit) in enumerate(zip(times, limits, strict=True))
            if row[point] is not None
        ]
        nearest.append(min(over, default=None))
        depth.append(sum(excess <= 0 for excess, _ in over))
        if depth[-1]:
            covered[zone] += weight
    return {"nearest": nearest, "depth": depth, "covered": covered}
