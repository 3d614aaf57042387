"""Turn rules and delays as search states, against a traveller who remembers every arc."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from citygeo.engine import UNREACHED, Places, reached_parts, search_each
from citygeo.network import RoadNetwork
from citygeo.network.states import search_arrays
from tests import engines, reference
from tests.kernels.graphs import PLAIN_MODE, edge_arrays, edges, places

FOREVER = 2**31 - 1


def ruled(n_nodes, listed, lost, forbidden):
    """A network of bare edges with delays on arriving and forbidden sequences of arcs."""
    arrays = dict(edge_arrays(n_nodes, listed))
    arrays["edge_leave_ms"] = np.array(lost, np.uint32).reshape(-1, 2)
    arrays["turn_start"] = np.cumsum([0, *(len(path) for path in forbidden)])
    arrays["turn_arc"] = np.array([arc for path in forbidden for arc in path], np.int64)
    return RoadNetwork(arrays | search_arrays(arrays, PLAIN_MODE), PLAIN_MODE, {})


def arcs_by_tail(listed):
    found = {}
    for i, (u, v, along, against) in enumerate(listed):
        if along is not None:
            found.setdefault(u, []).append((2 * i, v))
        if against is not None:
            found.setdefault(v, []).append((2 * i + 1, u))
    return found


@st.composite
def scenes(draw: st.DrawFn):
    """Edges, delays, forbidden sequences of two to four arcs that can really be travelled, and places."""
    n, listed = draw(edges(max_nodes=5))
    leaving = arcs_by_tail(listed)
    lost = [draw(st.tuples(*(st.sampled_from((0, 0, 3, 50)),) * 2)) for _ in listed]
    forbidden = set()
    for _ in range(draw(st.integers(0, 5))):
        node, path = draw(st.sampled_from(sorted(leaving))), []
        for _ in range(draw(st.integers(2, 4))):
            if node not in leaving:
                break
            code, node = draw(st.sampled_from(leaving[node]))
            path.append(code)
        if len(path) > 1:
            forbidden.add(tuple(path))
    spots = [draw(places(len(listed))) for _ in range(3)]
    return n, listed, lost, sorted(forbidden), spots


def as_places(rows):
    edge, share, ms = zip(*rows, strict=True)
    return Places.one_each(np.array(edge, np.int64), np.array(share, np.float64), np.array(ms, np.int64))


def table(net, direction, spots):
    """Times between all places, from rows to columns, `None` where there is no way."""
    wanted = as_places(spots)
    return engines.listed(engines.times(net, direction, wanted, wanted))


def expected(listed, lost, forbidden, spots):
    found = []
    for edge, share, spent in spots:
        row = []
        for to_edge, to_share, due in spots:
            time = reference.place_under_rules(
                listed, lost, forbidden, (edge, share), spent, (to_edge, to_share)
            )
            row.append(None if time is None else time + due)
        found.append(row)
    return found


@given(scenes())
# a no-left-turn between two arcs, reached over two ways
@example(
    (3, [(0, 1, 5, 5), (1, 2, 5, 5)], [(0, 0), (0, 0)], [(0, 2)], [(0, 0.5, 0), (1, 0.5, 0), (1, 1.0, 0)])
)
# over a via way, with a longer way round
@example(
    (
        4,
        [(0, 1, 5, 5), (1, 2, 5, 5), (2, 3, 5, 5), (1, 2, 50, None)],
        [(0, 0)] * 4,
        [(0, 2, 4)],
        [(0, 0.5, 0), (2, 0.5, 0), (1, 0.5, 0)],
    )
)
def test_times_under_rules_equal_a_traveller_with_memory(scene):
    n, listed, lost, forbidden, spots = scene
    net = ruled(n, listed, lost, forbidden)
    truth = expected(listed, lost, forbidden, spots)
    there = table(net, "from", spots)
    assert there == truth
    back = table(net, "to", spots)
    assert [list(column) for column in zip(*back, strict=True)] == truth
    assert table(net.reversed(), "from", spots) == back
    assert table(net.reversed().reversed(), "from", spots) == there


@given(scenes())
def test_nearest_under_rules_is_the_least_of_single_searches(scene):
    n, listed, lost, forbidden, spots = scene
    net = ruled(n, listed, lost, forbidden)
    for direction in ("from", "to"):
        rows = table(net, direction, spots)
        near_ms, near_owner = engines.nearest(net, direction, as_places(spots), as_places(spots))
        ms, owner = near_ms[:, 0], near_owner[:, 0]
        for place in range(len(spots)):
            times = [(row[place], i) for i, row in enumerate(rows) if row[place] is not None]
            found = None if ms[place] == UNREACHED else (int(ms[place]), int(owner[place]))
            assert found == min(times, default=None)


@given(scenes())
def test_rules_only_ever_lengthen_ways_and_their_order_means_nothing(scene):
    n, listed, lost, forbidden, spots = scene
    free, bound = ruled(n, listed, lost, []), ruled(n, listed, lost, forbidden)
    for easy, hard in zip(table(free, "from", spots), table(bound, "from", spots), strict=True):
        for one, two in zip(easy, hard, strict=True):
            assert two is None or one <= two
    other = ruled(n, listed, lost, forbidden[::-1])
    assert table(other, "from", spots) == table(bound, "from", spots)
    if not forbidden:
        assert bound.n_states == n


def told(parts, edge, share):
    """The least time that parts tell at a place, `None` where none lies there."""
    times = []
    for own, (low, high), (low_ms, high_ms) in zip(
        parts.edge.tolist(), parts.share.tolist(), parts.ms.tolist(), strict=True
    ):
        if own == edge and low <= share <= high:
            times.append(low_ms + (share - low) / (high - low) * (high_ms - low_ms))
    return min(times, default=None)


def reach(net, direction, sources, limit):
    """Reached parts of one row with several places."""
    edge, share, ms = (np.array(column) for column in zip(*sources, strict=True))
    rows = Places(edge, share.astype(float), ms, np.zeros(len(sources), np.int64), 1)
    found = []
    search_each(
        net,
        direction,
        rows,
        limit,
        lambda _, one: found.append(reached_parts(net, direction, rows.of(0), one, limit)),
    )
    return found[0]


@given(scenes(), st.integers(0, 400))
def test_parts_from_several_places_under_rules(scene, limit):
    n, listed, lost, forbidden, spots = scene
    net = ruled(n, listed, lost, forbidden)
    parts = reach(net, "from", spots, limit)
    mirrored = reach(net.reversed(), "to", spots, limit)
    assert sorted(zip(*(column.tolist() for column in parts), strict=True)) == sorted(
        zip(*(column.tolist() for column in mirrored), strict=True)
    )
    for edge in range(len(listed)):
        for share in (0.0625, 0.4375, 0.8125):
            times = [
                reference.place_under_rules(listed, lost, forbidden, spot[:2], spot[2], (edge, share))
                for spot in spots
            ]
            truth = min((time for time in times if time is not None), default=None)
            time = told(parts, edge, share)
            # places have whole milliseconds, parts do not: the reference rounds up to three times
            if truth is not None and truth <= limit - 2:
                assert abs(time - truth) <= 2
            elif truth is None or truth > limit + 2:
                assert time is None
