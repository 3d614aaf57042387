"""Reached edge parts and times at points, against explicit splitting of edges."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from citygeo._kernels.parts import CLOSED
from citygeo.engine import LONGEST_MS, UNREACHED, Places, reached_parts, search_each
from citygeo.network import RoadNetwork
from tests import engines, reference
from tests.kernels.graphs import PLAIN_MODE, edge_arrays, edges, places

SLACK_MS = Fraction(1, 10**6)
budgets = st.one_of(st.integers(0, 5), st.integers(0, 60), st.integers(0, 1500))


def bare(n_nodes, listed):
    """A network with nothing but what searches use."""
    return RoadNetwork(edge_arrays(n_nodes, listed), PLAIN_MODE, {})


def as_places(rows):
    edge, share, ms = zip(*rows, strict=True) if rows else ((), (), ())
    return Places.one_each(np.array(edge, np.int64), np.array(share, np.float64), np.array(ms, np.int64))


def nearest_at(net, direction, sources, points, limit=LONGEST_MS):
    ms, row = engines.nearest(net, direction, sources, points, limit)
    return ms[:, 0], row[:, 0]


def reach(net, source, limit, points=(), direction="from", searched=None):
    """Parts as (edge, low, high, low ms, high ms), and times at points; found by one search."""
    result = SimpleNamespace(parts=[], ms=[])
    own = as_places([source]).of(0)

    def collect(_, found):
        parts = reached_parts(net, direction, own, found, limit)
        result.parts = [
            (int(edge), *share, *ms)
            for edge, share, ms in zip(parts.edge, parts.share.tolist(), parts.ms.tolist(), strict=True)
        ]

    search_each(net, direction, as_places([source]), searched or limit, collect, threads=1)
    (result.ms,) = engines.listed(
        engines.times(net, direction, as_places([source]), as_places(points), limit)
    )
    return result


@st.composite
def scenes(draw: st.DrawFn, n_points: int = 0):
    n, listed = draw(edges())
    source = draw(places(len(listed)))
    points = [draw(places(len(listed))) for _ in range(n_points)]
    return n, listed, source, points


def expect_parts(listed, source, limit, parts):
    """Membership, linear time and no overlap, at the ends of parts, just beside them and between them."""
    truth = reference.envelope(listed, source[:2], source[2], limit)
    for edge in range(len(listed)):
        own = sorted(part[1:] for part in parts if part[0] == edge)
        for (_, high, *_), (low, *_) in pairwise(own):
            assert high <= low + 1e-12, "parts overlap"
        for x in probes(own):
            time = truth.at(edge, x)
            told = [told_ms(part, x) for part in own if part[0] <= x <= part[1]]
            if told:
                assert time is not None
                assert time <= limit + SLACK_MS
                # behind a start on a one-way street the time jumps: of parts that meet the least counts
                assert float(min(told)) == pytest.approx(float(time), abs=float(SLACK_MS))
            elif 0 < x < 1 and not is_gap(own, x):  # a node alone has no length, so it makes no part
                assert time is None or time > limit - SLACK_MS


def probes(own):
    """Ends of parts, places just beside them, and places between all those."""
    marks = {Fraction(0), Fraction(1)} | {Fraction(x) for part in own for x in part[:2]}
    beside = {x + d for x in marks for d in (Fraction(1, 10**7), Fraction(-1, 10**7))}
    marks = sorted(x for x in marks | beside if 0 <= x <= 1)
    return marks + [(a + b) / 2 for a, b in pairwise(marks)]


def told_ms(part, x):
    """What a part says at a place in it."""
    low, high, low_ms, high_ms = (Fraction(number) for number in part)
    return low_ms + (x - low) / (high - low) * (high_ms - low_ms)


def is_gap(own, x):
    """Whether a place lies in the rounding between two parts that meet."""
    return any(abs(float(x) - end) < 1e-12 for part in own for end in part[:2])


@given(scenes(), budgets)
@example((2, [(0, 1, 10, 10)], (0, 0.5, 0), []), 1)
@example((1, [(0, 0, 10, None)], (0, 0.5, 0), []), 7)
@example((2, [(0, 1, 0, 0), (0, 1, 0, None)], (0, 0.5, 0), []), 0)
def test_parts_equal_reference(scene, limit):
    n, listed, source, _ = scene
    expect_parts(listed, source, limit, reach(bare(n, listed), source, limit).parts)


@given(scenes(), budgets, budgets)
def test_a_longer_search_gives_the_same_parts(scene, limit, more):
    n, listed, source, _ = scene
    net = bare(n, listed)
    farther = reach(net, source, limit, searched=limit + more).parts
    assert sorted(reach(net, source, limit).parts) == sorted(farther)


@given(scenes(), budgets, budgets)
def test_parts_grow_with_the_limit(scene, one, two):
    n, listed, source, _ = scene
    net = bare(n, listed)
    small, large = (reach(net, source, limit).parts for limit in sorted((one, two)))
    for edge in range(len(listed)):
        outer = reference.union((low - 1e-12, high + 1e-12) for e, low, high, *_ in large if e == edge)
        for e, low, high, *_ in small:
            if e == edge:
                assert any(a <= low and high <= b for a, b in outer)


@given(scenes(n_points=4), budgets)
def test_point_times_equal_reference(scene, limit):
    n, listed, source, points = scene
    found = reach(bare(n, listed), source, limit, points)
    truth = [
        reference.place_time(listed, source[:2], source[2], point[:2], point[2], limit) for point in points
    ]
    assert found.ms == truth


@given(scenes(n_points=4), st.integers(0, 4), st.data())
def test_nearest_points_equal_reference(scene, n_more, data):
    n, listed, source, points = scene
    sources = [source] + [data.draw(places(len(listed))) for _ in range(n_more)]
    limit = data.draw(st.one_of(st.integers(0, 100), st.just(LONGEST_MS)))
    ms, row = nearest_at(bare(n, listed), "from", as_places(sources), as_places(points), limit)
    found = [None if time == UNREACHED else (int(time), int(i)) for time, i in zip(ms, row, strict=True)]
    truth = [
        reference.nearest_place(listed, [(s[:2], s[2]) for s in sources], point[:2], point[2], limit)
        for point in points
    ]
    assert found == truth
    assert all((i == -1) == (time == UNREACHED) for time, i in zip(ms, row, strict=True))


@given(scenes(n_points=3), budgets)
def test_to_equals_from_on_the_reversed_network(scene, limit):
    n, listed, source, points = scene
    to = reach(bare(n, listed), source, limit, points, direction="to")
    turned = reach(bare(n, reference.turned(listed)), source, limit, points)
    assert sorted(to.parts) == sorted(turned.parts)
    assert to.ms == turned.ms


def about(parts):
    """Parts in order, to a nanometre of a kilometre and a picosecond."""
    return [(edge, *(round(number, 9) for number in rest)) for edge, *rest in sorted(parts)]


def test_mid_edge_start_by_hand():
    # 0 --100-- 1 --50--> 2 (one-way), from the middle of the first edge with 60 ms: 10 ms are left at node 1
    net = bare(3, [(0, 1, 100, 100), (1, 2, 50, None)])
    assert about(reach(net, (0, 0.5, 0), 60).parts) == [
        (0, 0.0, 0.5, 50.0, 0.0),
        (0, 0.5, 1.0, 0.0, 50.0),
        (1, 0.0, 0.2, 50.0, 60.0),
    ]


def test_tiny_budget_reaches_both_ways_along_the_own_edge():
    net = bare(2, [(0, 1, 1000, 500)])
    assert about(reach(net, (0, 0.5, 0), 1).parts) == [(0, 0.498, 0.5, 1.0, 0.0), (0, 0.5, 0.501, 0.0, 1.0)]
    assert reach(net, (0, 0.5, 2), 1).parts == []
    assert reach(net, (0, 0.5, 0), 0).parts == []


def test_apex_by_hand():
    # a square of 100 ms sides, from node 0 (the start of edge 0): the far edge 2 is reached from both ends
    net = bare(4, [(0, 1, 100, 100), (1, 2, 100, 100), (2, 3, 100, 100), (3, 0, 60, 60)])
    parts = [part for part in reach(net, (0, 0.0, 0), 1000).parts if part[0] in {1, 2}]
    # edge 1 from node 1 at 100 and from node 2 at 160: apex (160 - 100 + 100) / 200 = 0.8
    assert about(parts) == [
        (1, 0.0, 0.8, 100.0, 180.0),
        (1, 0.8, 1.0, 180.0, 160.0),
        (2, 0.0, 1.0, 160.0, 60.0),
    ]


def test_both_ends_reached_does_not_mean_the_middle_is():
    net = bare(2, [(0, 1, 10, 10), (0, 1, 100, 100)])
    parts = [part for part in reach(net, (0, 0.0, 0), 30).parts if part[0] == 1]
    assert about(parts) == [(1, 0.0, 0.3, 0.0, 30.0), (1, 0.8, 1.0, 30.0, 10.0)]


def test_one_way_edge_is_not_reached_behind_the_start():
    # a ring 0 -> 1 -> 0, one-way: the stretch behind the start is reached round the block
    net = bare(2, [(0, 1, 100, None), (1, 0, 40, None)])
    assert about(reach(net, (0, 0.5, 0), 49).parts) == [(0, 0.5, 0.99, 0.0, 49.0)]
    assert about(reach(net, (0, 0.5, 0), 100).parts) == [
        (0, 0.0, 0.1, 90.0, 100.0),  # 10 ms of 50 on a piece that is half the edge
        (0, 0.5, 1.0, 0.0, 50.0),
        (1, 0.0, 1.0, 50.0, 90.0),
    ]
    assert reach(net, (0, 0.5, 0), 200, [(0, 0.4, 0), (0, 0.6, 0)]).ms == [130, 10]


def test_point_at_the_end_of_a_one_way_edge_is_the_node():
    # node 1 is 10 ms away by edge 0; edge 1 enters it from node 2, edge 2 leaves it, and both only one way
    net = bare(4, [(0, 1, 10, 10), (2, 1, 500, None), (1, 3, 500, None)])
    points = [(1, 1.0, 0), (2, 0.0, 0), (1, 0.0, 0), (2, 1.0, 0)]
    assert reach(net, (0, 0.0, 0), 1000, points).ms == [10, 10, None, 510]
    ms, row = nearest_at(net, "from", as_places([(0, 0.0, 0)]), as_places(points))
    assert ms.tolist() == [10, 10, int(UNREACHED), 510]
    assert row.tolist() == [0, 0, -1, 0]
    assert reach(net, (0, 0.0, 0), 1000, points, direction="to").ms == [10, 10, 510, None]


@pytest.mark.parametrize("rows", [(0, 1), (1, 0)])
def test_tie_between_both_ends_goes_to_the_first_row(rows):
    # the middle of edge 1 is 60 ms from the source at either end
    net = bare(4, [(0, 1, 10, 10), (1, 2, 100, 100), (2, 3, 10, 10)])
    sources = [[(0, 0.0, 0), (2, 1.0, 0)][row] for row in rows]
    ms, row = nearest_at(net, "from", as_places(sources), as_places([(1, 0.5, 0)]))
    assert (ms.tolist(), row.tolist()) == ([60], [0])


def test_offsets_round_half_to_even():
    net = bare(2, [(0, 1, 5, 5)])
    # 2.5 ms from the start become 2, so 3 are left to the end
    assert reach(net, (0, 0.5, 0), 9, [(0, 0.0, 0), (0, 1.0, 0)]).ms == [2, 3]


def test_nothing_is_found_off_the_network():
    net = bare(2, [(0, 1, 10, 10)])
    assert reach(net, (-1, np.nan, 0), 9).parts == []
    assert reach(net, (0, 0.5, 0), 9, [(-1, np.nan, 0), (0, 0.5, 9), (0, 0.5, 10)]).ms == [None, 9, None]
    ms, row = nearest_at(net, "from", as_places([(-1, np.nan, 0)]), as_places([(0, 0.5, 0)]))
    assert (ms.tolist(), row.tolist()) == ([int(UNREACHED)], [-1])


def test_closed_is_the_same_number_everywhere():
    assert int(CLOSED) == 2**32 - 1
