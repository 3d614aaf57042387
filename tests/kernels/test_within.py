"""Pairs within a bound: both engines, and searches on either side, against the table of all times."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citygeo import engine
from citygeo._kernels.pairs import UNREACHED, targets_reached
from citygeo.engine.choice import sides
from citygeo.engine.reached import _searched
from tests.kernels.graphs import MANY
from tests.kernels.test_sums import as_places, bare, scenes


def listed(found):
    return list(zip(found[0].tolist(), found[1].tolist(), found[2].tolist(), strict=True))


@MANY
@given(scenes(), st.sampled_from(("from", "to")))
def test_pairs_are_those_of_the_table(scene, direction):
    n, streets, sources, targets, cutoffs = scene
    net, rows, ends = bare(n, streets), as_places(sources), as_places(targets)
    ms = engine.times(net, direction, rows, ends, cutoffs[-1])
    expected = [
        (source, target, int(ms[source, target]))
        for target in range(len(targets)) for source in range(len(sources)) if ms[source, target] != UNREACHED
    ]  # fmt: skip
    for name in ("dijkstra", "cch"):
        found = engine.within(net, direction, rows, ends, cutoffs[-1], block_bytes=9, engine=name)
        assert listed(found) == expected
    for side in sides(direction, rows, ends):
        begin, end, time = _searched(net, side, cutoffs[-1], 1)
        turned = (end, begin, time) if side.is_turned else (begin, end, time)
        assert sorted(listed(turned)) == sorted(expected)


def test_a_target_is_listed_once_with_its_least_time():
    node, ms = np.array([1, 0], np.uint32), np.array([30, 5], np.uint32)
    start, row, more = np.array([0, 2, 3]), np.array([2, 0, 2]), np.array([10, 100, 0])
    best, out = np.full(3, UNREACHED), np.empty(3, np.int64)
    n = targets_reached(node, ms, start, row, more, np.array([1, 2]), np.array([7, 90]), 100, best, out)
    assert out[:n].tolist() == [2, 1], "the first is 105 away"
    assert best.tolist() == [UNREACHED, 7, 15]
