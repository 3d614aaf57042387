"""Sums of what is reached: both engines from both sides, against plain loops over every pair."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo import engine
from citygeo._kernels.sweep import NEVER, sweep_sums
from citygeo.engine import LONGEST_MS, Nodes, Places, Weights, sweeps
from citygeo.engine.weights import DECAY_BITS
from citygeo.network import RoadNetwork
from citygeo.network.hierarchy import LEAST_REGION
from tests import engines, reference
from tests.kernels.graphs import IS_PLAIN, MANY, PLAIN_MODE, STOP, edge_arrays, edges, places

LONG = 90 if IS_PLAIN else 700


def bare(n_nodes, listed):
    return RoadNetwork(edge_arrays(n_nodes, listed), PLAIN_MODE, {})


def as_places(rows):
    """Rows of several (edge, share, milliseconds) each."""
    flat = [(*place, i) for i, row in enumerate(rows) for place in row]
    edge, share, ms, row = (
        (np.array(column) for column in zip(*flat, strict=True)) if flat else np.empty((4, 0))
    )
    return Places(
        edge.astype(np.int64), share.astype(float), ms.astype(np.int64), row.astype(np.int64), len(rows)
    )  # fmt: skip


def as_pairs(rows):
    """The same for the reference."""
    return [[(place[:2], place[2]) for place in row] for row in rows]


@st.composite
def scenes(draw: st.DrawFn):
    n, listed = draw(edges())
    some = st.lists(places(len(listed)), max_size=2)
    sources = draw(st.lists(some, min_size=1, max_size=5))
    targets = draw(st.lists(some, min_size=1, max_size=5))
    cutoffs = sorted(draw(st.sets(st.integers(0, 90), min_size=1, max_size=3)))
    return n, listed, sources, targets, cutoffs


weights = st.one_of(st.integers(0, 9), st.floats(0, 100).map(lambda x: round(x * 1024) / 1024))


@MANY
@given(scenes(), st.sampled_from(("from", "to")), st.data())
def test_sums_equal_reference(scene, direction, data):
    n, listed, sources, targets, cutoffs = scene
    weight = [data.draw(weights) for _ in targets]
    net = bare(n, listed)
    found = engines.sums(
        net, direction, as_places(sources), as_places(targets), np.array(weight), cutoffs_ms=cutoffs
    )
    ways = listed if direction == "from" else reference.turned(listed)
    truth = reference.reach_sums(
        ways, as_pairs(sources), as_pairs(targets), [Fraction(w) for w in weight], cutoffs, None
    )
    assert found.tolist() == [[float(total) for total in row] for row in truth]


@MANY
@given(scenes(), st.data())
def test_decayed_sums_equal_reference(scene, data):
    n, listed, sources, targets, cutoffs = scene
    weight = [data.draw(st.integers(0, 1000)) for _ in targets]
    steps = [data.draw(st.integers(0, 2**DECAY_BITS)) for _ in range(8)]
    decay = [Fraction(steps[ms % 8], 2**DECAY_BITS) for ms in range(cutoffs[-1] + 1)]
    found = engines.sums(
        bare(n, listed), "from", as_places(sources), as_places(targets), np.array(weight), cutoffs_ms=cutoffs,
        decay=np.array([float(factor) for factor in decay]),
    )  # fmt: skip
    truth = reference.reach_sums(
        listed, as_pairs(sources), as_pairs(targets), [Fraction(w) for w in weight], cutoffs, decay
    )
    assert found.tolist() == [[float(total) for total in row] for row in truth]


@MANY
@given(scenes())
def test_powers_of_two_say_exactly_who_was_counted(scene):
    """Each target weighs 2**i, so a sum names its members; several weights at once are as one by one."""
    n, listed, sources, targets, cutoffs = scene
    net, rows, ends = bare(n, listed), as_places(sources), as_places(targets)
    power = 2.0 ** np.arange(len(targets))
    found = engines.sums(
        net, "from", rows, ends, np.column_stack((power, np.ones(len(targets)))), cutoffs_ms=cutoffs
    )
    ms = engines.times(net, "from", rows, ends).astype(np.int64)
    for c, cutoff in enumerate(cutoffs):
        is_reached = ms <= cutoff
        assert found[:, c, 0].tolist() == (is_reached * power).sum(axis=1).tolist()
        assert found[:, c, 1].tolist() == is_reached.sum(axis=1).tolist()


@MANY
@given(scenes())
def test_times_and_nearest_between_rows_of_several_places_equal_reference(scene):
    n, listed, sources, targets, cutoffs = scene
    net, limit = bare(n, listed), cutoffs[-1]
    truth = []
    for source in as_pairs(sources):
        truth.append([])
        for target in as_pairs(targets):
            ways = [
                reference.place_time(listed, begin, spent, end, due, limit)
                for begin, spent in source
                for end, due in target
            ]
            truth[-1].append(min((ms for ms in ways if ms is not None), default=None))
    table = engines.times(net, "from", as_places(sources), as_places(targets), limit)
    assert engines.listed(table) == truth
    ms, row = engines.nearest(net, "from", as_places(sources), as_places(targets), limit, k=2)
    for target in range(len(targets)):
        best = sorted((line[target], i) for i, line in enumerate(truth) if line[target] is not None)[:2]
        found = [pair for pair in zip(ms[target].tolist(), row[target].tolist(), strict=True) if pair[1] >= 0]
        assert found == best


@given(edges(max_nodes=25), st.integers(0, 120))
def test_more_sources_than_lanes(case, limit):
    """Batches that are full, and one that is not; nodes need no edges."""
    n, listed = case
    net, nodes = bare(n, listed), Nodes(np.arange(n))
    counts = engines.sums(net, "from", nodes, nodes, cutoffs_ms=[limit])[:, 0]
    arcs = reference.arcs_of(listed)
    assert counts.tolist() == [len(reference.shortest_times(arcs, [(v, 0)], limit)) for v in range(n)]


def line(n, ms=100):
    return bare(n, [(i, i + 1, ms, ms) for i in range(n - 1)])


def test_only_what_is_reached_is_swept():
    """On a long line regions out of reach are skipped, and nothing is lost."""
    net, nodes = line(LONG), Nodes(np.arange(LONG))
    counts = engines.sums(net, "from", nodes, nodes, cutoffs_ms=[1000])[:, 0]
    ends = np.minimum(np.minimum(np.arange(LONG), np.arange(LONG)[::-1]), 10)
    assert counts.tolist() == (11 + ends).tolist()
    made = sweeps.Sweeps(net, "from", Nodes(np.arange(5)), nodes, 1000, threads=1)
    worker = sweeps._Worker(made.plan, made._targets, np.zeros((5, 1, 1), np.int64))
    worker.scratch.span[:] = 0
    weights = Weights.made(np.ones((LONG, 1)), [1000])
    batch = made._sources(made._order)
    sweep_sums(made.plan, made._targets, batch, worker.scratch, *weights.arrays, False, 1, STOP, worker.out)
    assert worker.out.sum() == 5 * 13
    swept = np.diff(worker.scratch.span.astype(int)).sum()
    assert 15 <= swept <= 15 + 3 * LEAST_REGION + 2 * math.log2(LONG)
    assert (worker.scratch.dist[:-2] == NEVER).all()
    assert (worker.scratch.walk == NEVER).all()


def test_few_targets_need_a_part_of_the_hierarchy_only():
    net, few = line(LONG), (3, LONG - 10, 4)
    ms = engines.times(net, "to", Nodes(np.arange(LONG)), Nodes(np.array(few)))
    assert ms.tolist() == [[100 * abs(v - t) for t in few] for v in range(LONG)]
    topology = net.hierarchy.topology
    above = set()
    for place in topology.place[list(few)].tolist():
        while place >= 0:
            above.add(place)
            place = int(topology.parent[place])  # noqa: PLW2901
    assert sweeps.n_rows_needed(net, Nodes(np.array(few)).exits(net, "from")) == len(above) < LONG / 2


def test_whole_weights_are_exact_and_others_finely_rounded():
    exact = Weights.made(np.array([[3.0], [2.0**40]]), [10])
    assert (exact.quantum.tolist(), exact.weight.ravel().tolist()) == ([1.0], [3, 2**40])
    made = Weights.made(np.array([[0.1], [0.2]]), [10])
    assert math.log2(made.quantum[0]).is_integer()
    assert np.abs(made.weight.ravel() * made.quantum[0] - [0.1, 0.2]).max() < 1e-15
    decayed = Weights.made(np.array([[0.1], [0.2]]), [10], np.ones(11))
    assert np.abs(decayed.weight.ravel() * decayed.quantum[0] - [0.1, 0.2]).max() < 1e-9
    assert int(decayed.weight.sum()) * 2**DECAY_BITS < 2**63


def test_weights_of_nothing():
    assert engine.sums(line(3), "from", Nodes(np.arange(0)), Nodes(np.arange(3)), cutoffs_ms=[5]).shape == (
        0,
        1,
    )
    zero = engines.sums(
        line(3), "from", Nodes(np.arange(3)), Nodes(np.arange(3)), np.zeros(3), cutoffs_ms=[5]
    )
    assert not zero.any()


@pytest.mark.parametrize("name", ["dijkstra", "cch"])
def test_a_stopped_batch_ends(name, monkeypatch):
    """The flag that Ctrl-C sets ends every kernel before its work is done."""
    net, nodes = line(40), Nodes(np.arange(40))
    net.hierarchy  # noqa: B018  # made beforehand
    from citygeo.engine import bounded

    def stopped(work, n, *, chunk=1, threads=None, name=None):
        del threads, name
        for low in range(0, n, chunk):
            work(low, min(low + chunk, n), np.ones(1, np.uint8))

    for module in (bounded, sweeps):
        monkeypatch.setattr(module, "run_chunks", stopped)
    made = Weights.made(np.ones((40, 1)), [10**6])
    module = {"dijkstra": bounded, "cch": sweeps}[name]
    total = module.sums(net, "from", nodes, nodes, made, is_turned=False, threads=1)
    assert total.sum() < 40 * 40


@pytest.mark.parametrize("ms", [LONGEST_MS - 1, LONGEST_MS, LONGEST_MS + 1])
def test_times_of_24_days(ms):
    """The longest time that counts is the same for both engines: 2**31 - 2 ms."""
    net, ends = bare(3, [(0, 1, ms, ms), (1, 2, 1, 1)]), Nodes(np.arange(3))
    table = engines.listed(engines.times(net, "from", ends, ends))
    assert table[0] == [0, ms if ms <= LONGEST_MS else None, ms + 1 if ms + 1 <= LONGEST_MS else None]
    late = as_places([[(1, 0.0, ms)], [(1, 1.0, 0)]])
    assert engines.listed(engines.times(net, "from", late, late)) == [
        [2 * ms if 2 * ms <= LONGEST_MS else None, ms + 1 if ms + 1 <= LONGEST_MS else None],
        [ms + 1 if ms + 1 <= LONGEST_MS else None, 0],
    ]


def test_odd_weights_cutoffs_and_decays_are_refused():
    ones = np.ones((2, 1))
    for weight, cutoffs, decay in (
        (ones, [], None), (ones, [5, 3], None), (ones, [-1], None), (ones, [5], np.ones(5)), (ones * np.nan, [5], None),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"cut-offs|decay|finite"):
            Weights.made(weight, cutoffs, decay)
