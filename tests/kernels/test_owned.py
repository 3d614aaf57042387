"""What is reached of edges by whom first, against one search for each facility."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from citygeo.engine import LONGEST_MS, Places, nearest_states, owned_parts
from citygeo.network import RoadNetwork
from tests import reference
from tests.kernels.graphs import PLAIN_MODE, edge_arrays, edges, frozen, places

SLACK_MS = Fraction(1, 10**6)
GAP = 1e-12  # shares that differ by rounding
budgets = st.one_of(st.integers(0, 5), st.integers(0, 60), st.integers(0, 1500))


def bare(n_nodes, listed):
    """A network with nothing but what searches use."""
    return RoadNetwork(edge_arrays(n_nodes, listed), PLAIN_MODE, {})


def owned(net, sources, limit, direction="from", searched=LONGEST_MS):
    """Parts as (edge, low, high, low ms, high ms, owner)."""
    edge, share, ms = zip(*sources, strict=True)
    rows = Places.one_each(np.array(edge, np.int64), np.array(share, np.float64), np.array(ms, np.int64))
    near = nearest_states(net, direction, rows, searched, k=1)
    parts, owner = owned_parts(net, direction, rows, near, limit)
    columns = parts.edge, *parts.share.T, *parts.ms.T, owner
    return list(zip(*(column.tolist() for column in columns), strict=True))


@st.composite
def scenes(draw: st.DrawFn):
    n, listed = draw(edges())
    sources = [draw(places(len(listed))) for _ in range(draw(st.integers(1, 5)))]
    if draw(st.booleans()):  # one who stands where another does, one who stands beside him
        sources.append((sources[0][0], draw(st.sampled_from([sources[0][1], 0.5])), sources[0][2]))
    return n, listed, sources


def probes(own):
    """Places inside parts and between them, none within rounding of an end."""
    marks = sorted({Fraction(0), Fraction(1)} | {Fraction(x) for part in own for x in part[1:3]})
    found = []
    for low, high in pairwise(marks):
        if high - low > 10 * GAP:
            beside = min(Fraction(1, 10**7), (high - low) / 4)
            found += [low + beside, (low + high) / 2, high - beside]
    return found


@given(scenes(), budgets)
@example((2, [(0, 1, 0, 0)], [(0, 1.0, 0), (0, 0.0, 0)]), 0)
@example((2, [(0, 1, 10, 10)], [(0, 0.75, 0), (0, 0.25, 0), (0, 0.75, 0)]), 9)
def test_each_place_belongs_to_who_is_first(scene, limit):
    n, listed, sources = scene
    parts = owned(bare(n, listed), sources, limit)
    truth = reference.FirstThere(listed, [(source[:2], source[2]) for source in sources])
    assert parts == sorted(parts, key=lambda part: part[:3]), "not in the order of edges and places"
    for edge in range(len(listed)):
        own = [part for part in parts if part[0] == edge]
        for x in probes(own):
            told = [part for part in own if part[1] <= x <= part[2]]
            assert len(told) <= 1, "parts overlap"
            order = truth.at(edge, x)
            if not told:
                assert not order or order[0][0] > limit - SLACK_MS
                continue
            _, low, high, low_ms, high_ms, owner = told[0]
            ms = Fraction(low_ms) + (x - Fraction(low)) / (Fraction(high) - Fraction(low)) * (
                Fraction(high_ms) - Fraction(low_ms)
            )
            assert order[0][0] <= limit + SLACK_MS
            assert float(ms) == pytest.approx(float(order[0][0]), abs=float(SLACK_MS))
            # the first row among those who are there at the same time; near a meeting point either may be told
            close = [time for time, row in order if row == owner]
            assert close
            assert close[0] - order[0][0] <= SLACK_MS
            if close[0] == order[0][0]:
                assert owner == order[0][1]


@given(scenes(), budgets, budgets)
def test_a_longer_search_gives_the_same_parts(scene, limit, more):
    n, listed, sources = scene
    net = bare(n, listed)
    assert owned(net, sources, limit, searched=limit + more) == owned(net, sources, limit, searched=limit)


@given(scenes(), budgets)
def test_to_equals_from_on_the_reversed_network(scene, limit):
    n, listed, sources = scene
    turned = owned(bare(n, reference.turned(listed)), sources, limit)
    assert owned(bare(n, listed), sources, limit, direction="to") == turned


def test_two_meet_where_they_are_equally_early():
    net = bare(2, [(0, 1, 100, 100)])
    assert owned(net, [(0, 0.0, 0), (0, 1.0, 20)], 1000) == [
        (0, 0.0, 0.6, 0.0, 60.0, 0),
        (0, 0.6, 1.0, 60.0, 20.0, 1),
    ]


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_at_the_same_place_the_first_row_has_all(first):
    net = bare(3, [(0, 1, 100, 100), (1, 2, 50, 50)])
    sources = [(0, 1.0, 5), (1, 0.0, 5)]
    found = owned(net, sources[::-1] if first else sources, 1000)
    assert {part[-1] for part in found} == {0}


def test_who_sets_out_late_owns_nothing_that_others_have_passed():
    net = bare(2, [(0, 1, 100, 100)])
    found = owned(net, [(0, 0.0, 0), (0, 0.5, 50), (0, 0.75, 74)], 1000)
    assert [(low, high, owner) for _, low, high, *_, owner in found] == [
        (0.0, 0.5, 0),
        (0.5, 0.745, 0),
        (0.745, 0.75, 2),
        (0.75, 1.0, 2),
    ]


def test_a_one_way_street_behind_the_facility_is_somebody_elses():
    net = bare(2, [(0, 1, 100, None)])
    assert owned(net, [(0, 0.5, 0)], 1000) == [(0, 0.5, 1.0, 0.0, 50.0, 0)]
    assert owned(net, [(0, 0.5, 0), (0, 0.0, 30)], 1000) == [
        (0, 0.0, 0.5, 30.0, 80.0, 1),
        (0, 0.5, 1.0, 0.0, 50.0, 0),
    ]


def test_what_is_lost_on_setting_out_counts():
    """Both are at their end of the edge after 10 ms; who loses 20 ms there has 0.1 of 100 ms less."""
    listed = [(0, 1, 100, 100), (2, 0, 10, 10), (1, 3, 10, 10)]
    arrays = edge_arrays(4, listed)
    arrays["edge_enter_ms"] = frozen(np.array([[20, 0], [0, 0], [0, 0]], np.uint32))
    found = owned(RoadNetwork(arrays, PLAIN_MODE, {}), [(1, 0.0, 0), (2, 1.0, 0)], 1000)
    assert found[:2] == [(0, 0.0, 0.4, 30.0, 70.0, 0), (0, 0.4, 1.0, 70.0, 10.0, 1)]
