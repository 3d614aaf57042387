"""Contraction and the Hilbert curve, on random multigraphs and by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels import chains
from tests import reference

NOWHERE = 10**9


@st.composite
def street_graphs(draw: st.DrawFn, max_nodes: int = 9):
    """Segments (u, v, along ms, against ms, kind): parallel ones, loops, zero lengths; some nodes stay isolated."""
    n = draw(st.integers(1, max_nodes))
    node = st.integers(0, n - 1)
    ms = st.integers(0, 9)
    times = st.one_of(
        st.tuples(ms, ms),
        ms.map(lambda one: (one, None)),
        ms.map(lambda one: (None, one)),
        ms.map(lambda one: (one, one)),
    )
    # few kinds, so that chains are long; a line or a ring through all nodes, so that there are any
    segment = st.tuples(node, node, times, st.sampled_from((0, 0, 0, 1)))
    listed = draw(st.lists(segment, max_size=n))
    line = draw(st.permutations(range(n)))
    for u, v in pairwise(line):
        ends = (u, v) if draw(st.booleans()) else (v, u)
        listed.append((*ends, draw(times), draw(st.sampled_from((0, 0, 0, 0, 1)))))
    if draw(st.booleans()):
        listed.append((line[-1], line[0], draw(times), 0))
    listed = draw(st.permutations(listed))
    return n, [(u, v, *ms, kind) for u, v, ms, kind in listed]


def codes(listed):
    """Equal where kind and direction are equal, seen along and against the drawing."""
    numbers = {}
    along, against = [], []
    for _, _, a, b, kind in listed:
        is_open = (a is not None, b is not None)
        along.append(numbers.setdefault((kind, *is_open), len(numbers)))
        against.append(numbers.setdefault((kind, *is_open[::-1]), len(numbers)))
    return np.array(along, np.int64), np.array(against, np.int64)


def contract(n_nodes, listed):
    """Kept nodes, and chains as lists of (segment, is it turned)."""
    node = np.array([segment[:2] for segment in listed], np.int64).reshape(-1, 2)
    ends = node.ravel()
    incidence = np.argsort(ends, kind="stable")
    start = np.concatenate(([0], np.cumsum(np.bincount(ends, minlength=n_nodes))))
    kept = np.empty(n_nodes, np.bool_)
    chains.mark_kept(*codes(listed), start, incidence, kept)
    chain, first = np.empty(len(listed), np.int64), np.empty(len(listed) + 1, np.int64)
    n = chains.join_chains(node, start, incidence, kept, np.zeros(len(listed), np.bool_), chain, first)
    joined = [
        [(code // 2, code % 2 == 1) for code in chain[first[i] : first[i + 1]].tolist()] for i in range(n)
    ]
    return kept, joined


def seen(segment, is_turned):
    """A segment as the chain meets it."""
    u, v, along, against, kind = segment
    return (v, u, against, along, kind) if is_turned else segment


@given(street_graphs())
def test_chains_run_between_kept_nodes_and_use_each_segment_once(graph):
    n, listed = graph
    kept, joined = contract(n, listed)
    assert sorted(segment for chain in joined for segment, _ in chain) == list(range(len(listed)))
    for chain in joined:
        walk = [seen(listed[segment], turned) for segment, turned in chain]
        assert kept[walk[0][0]]
        assert kept[walk[-1][1]]
        for before, after in pairwise(walk):
            assert before[1] == after[0], "the chain is torn"
            assert not kept[before[1]], "the chain runs through a kept node"
            assert before[4] == after[4]
            assert [ms is None for ms in before[2:4]] == [ms is None for ms in after[2:4]]


@given(street_graphs())
def test_contraction_changes_no_time_between_kept_nodes(graph):
    n, listed = graph
    kept, joined = contract(n, listed)
    edges = []
    for chain in joined:
        walk = [seen(listed[segment], turned) for segment, turned in chain]
        along, against = (
            None if walk[0][place] is None else sum(segment[place] for segment in walk) for place in (2, 3)
        )
        edges.append((walk[0][0], walk[-1][1], along, against))
    raw, contracted = (reference.arcs_of(several) for several in ([segment[:4] for segment in listed], edges))
    assert sum(ms for *_, ms in raw) == sum(ms for *_, ms in contracted)
    for origin in np.flatnonzero(kept).tolist():
        expected = reference.shortest_times(raw, [(origin, 0)], NOWHERE)
        found = reference.shortest_times(contracted, [(origin, 0)], NOWHERE)
        assert found == {node: ms for node, ms in expected.items() if kept[node]}


@given(street_graphs())
def test_only_nodes_of_a_plain_street_go(graph):
    n, listed = graph
    kept, _ = contract(n, listed)
    degree = np.bincount(np.array([segment[:2] for segment in listed], int).ravel(), minlength=n)
    assert kept[degree != 2].all()


def both(u, v, kind=0):
    return (u, v, 1, 1, kind)


def oneway(u, v, kind=0):
    return (u, v, 1, None, kind)


@pytest.mark.parametrize(
    ("listed", "kept", "n_chains"),
    [
        ([both(0, 1), both(1, 2)], [0, 2], 1),
        ([both(0, 1), both(2, 1)], [0, 2], 1),  # drawn against each other
        ([oneway(0, 1), oneway(1, 2)], [0, 2], 1),
        ([oneway(0, 1), oneway(2, 1)], [0, 1, 2], 2),  # two one-ways meet head on
        ([oneway(0, 1), (2, 1, None, 1, 0)], [0, 2], 1),  # one drawn against the traffic
        ([oneway(0, 1), both(1, 2)], [0, 1, 2], 2),
        ([both(0, 1, 0), both(1, 2, 1)], [0, 1, 2], 2),  # another class or speed
        ([both(0, 1), both(0, 1)], [0], 1),  # a ring of two parallel streets
        ([both(0, 1), both(1, 2), both(2, 0)], [0], 1),  # a ring without junction
        ([oneway(0, 1), oneway(1, 2), oneway(2, 0)], [0], 1),
        ([both(0, 0)], [0], 1),
        ([both(0, 1), both(1, 1)], [0, 1], 2),
        ([both(0, 1), both(1, 2), both(2, 0), both(2, 3)], [2, 3], 2),  # a lollipop
        ([], [], 0),
    ],
)
def test_shapes_by_hand(listed, kept, n_chains):
    n = 1 + max((max(segment[:2]) for segment in listed), default=-1)
    marked, joined = contract(n, listed)
    assert np.flatnonzero(marked).tolist() == kept
    assert len(joined) == n_chains


def keys_of(bits):
    side = 2**bits
    column, row = (place.ravel().astype(np.int64) for place in np.meshgrid(np.arange(side), np.arange(side)))
    keys = np.empty(column.size, np.int64)
    chains.hilbert_keys(column.copy(), row.copy(), np.int64(bits), keys)
    return column, row, keys


@pytest.mark.parametrize("bits", [1, 2, 3, 6])
def test_hilbert_keys_number_the_grid_step_by_step(bits):
    column, row, keys = keys_of(bits)
    assert sorted(keys.tolist()) == list(range(4**bits))
    order = np.argsort(keys)
    steps = np.abs(np.diff(column[order])) + np.abs(np.diff(row[order]))
    assert set(steps.tolist()) == {1}


def test_hilbert_keys_of_the_smallest_curve():
    column, row, keys = keys_of(1)
    assert dict(zip(zip(column.tolist(), row.tolist(), strict=True), keys.tolist(), strict=True)) == {
        (0, 0): 0,
        (0, 1): 1,
        (1, 1): 2,
        (1, 0): 3,
    }


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1)), min_size=1, unique=True))
def test_hilbert_keys_are_unique_on_the_finest_grid(places):
    column, row = np.array(places, np.int64).T
    keys = np.empty(len(places), np.int64)
    chains.hilbert_keys(column.copy(), row.copy(), np.int64(16), keys)
    assert len(set(keys.tolist())) == len(places)
    assert keys.min() >= 0
    assert keys.max() < 2**32
