# ruff: noqa: SLF001  # it is the private steps that are measured
"""
Where the time of the two hot loops goes: nanoseconds per settled node, and per node and source.

    python -m benchmarks.hot_loops [NETWORK.net ...]     # the sample city by default; prints two tables

One thread. The steps of a sweep are called one by one, so their sum is a little more than the kernel that holds them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial
from pathlib import Path

import numba
import numpy as np

import citygeo as cg
from citygeo import engine
from citygeo._kernels import sweep as sweeping
from citygeo.engine import Nodes
from citygeo.engine.bounded import NONE, Workspace
from citygeo.engine.sweeps import Sweeps, _Worker

RUNS = 7
EVERY = 100  # sources of searches
STOP = np.zeros(1, np.uint8)
MINUTES = (5, 15, 1440)


@numba.njit
def climb_all(plan, scratch, batch, limit):
    """The climbs of a batch, without sixteen calls from Python."""
    for lane in range(sweeping.LANES):
        sweeping._climb(plan, scratch, batch, lane, lane, limit, np.uint32(1))


def median_ns(work, n):
    """Median nanoseconds of a call, per item; the first call is not counted."""
    work()
    seconds = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds) / max(n, 1) * 1e9


def searches(name, net):
    """One line per bound: what a settled node costs, for buckets as wide as chosen, and finer and wider."""
    states = np.arange(0, net.n_states, EVERY)
    for minutes in MINUTES:
        space = Workspace(net, "from", minutes * 60_000)
        settled, arcs = 0, 0
        degree = np.diff(space.graph.start.astype(np.int64))
        for state in states:
            found = space.search(np.array([state]), np.zeros(1, np.int64), STOP)
            settled += found.node.size
            arcs += int(degree[found.node].sum())
        costs = []
        for wider in (-3, 0, 3):
            space.width = max(Workspace(net, "from", minutes * 60_000).width + wider, 8)
            space.bucket = np.full(((space.limit_ms >> space.width) + 1, 2), NONE)

            costs.append(f"{median_ns(partial(search_all, space, states), settled):.0f}")
        fine, chosen, wide = costs
        cells = [name, minutes, f"{settled / states.size:,.0f}", f"{arcs / settled:.2f}", chosen, fine, wide]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def search_all(space, states):
    """Search from each state."""
    for state in states:
        space.search(np.array([state]), np.zeros(1, np.int64), STOP)


def sweeps(name, net):
    """One line per bound: what each step of a batch of sixteen neighbours costs, per node and source."""
    nodes = Nodes(np.arange(net.n_nodes))
    for minutes in MINUTES:
        limit = np.uint32(minutes * 60_000)
        made = Sweeps(net, "from", nodes, nodes, int(limit), threads=1)
        worker = _Worker(made.plan, made._targets, np.empty(0))
        scratch, middle = worker.scratch, made._order.size // 2
        batch = made._sources(made._order[middle : middle + sweeping.LANES])
        reached = pairs_within(net, nodes.node[batch.number], int(limit))

        climb_all(made.plan, scratch, batch, limit)
        spans = sweeping._descend(made.plan, scratch, limit, np.uint32(1), STOP)
        rows = int(np.diff(scratch.span[:spans].astype(np.int64)).sum())
        touched = sweeping._touch(made._targets, scratch, batch, 0, spans, np.uint32(1))
        steps = {
            "climb": partial(climb_all, made.plan, scratch, batch, limit),
            "descend": partial(sweeping._descend, made.plan, scratch, limit, np.uint32(1), STOP),
            "touch": partial(sweeping._touch, made._targets, scratch, batch, 0, spans, np.uint32(1)),
            "clear": partial(sweeping._clear, scratch, spans),
        }
        costs = {step: median_ns(work, reached) for step, work in steps.items()}
        # the kernel that holds them all, with the sums
        out = np.zeros((net.n_nodes, 1, 1), np.int64)
        given = (np.ones((net.n_nodes, 1), np.int64), np.array([limit]), np.empty(0, np.int64), False)
        total = median_ns(partial(one_batch, made, worker, batch, given, out), reached)
        arcs = made.plan.fall_arc.shape[0] / made.plan.below.size
        cells = [name, minutes, f"{rows:,}", f"{touched:,}", f"{arcs:.2f}"]
        cells += [f"{costs[step]:.2f}" for step in steps] + [f"{total:.2f}"]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def one_batch(made, worker, batch, given, out):
    """All of one batch."""
    first = worker.next_batches(1) + 1
    sweeping.sweep_sums(made.plan, made._targets, batch, worker.scratch, *given, first, STOP, out)


def pairs_within(net, sources, limit):
    """Pairs of a source and a node within the bound."""
    ms = engine.times(net, "from", Nodes(sources), Nodes(np.arange(net.n_nodes)), limit, engine="dijkstra")
    return int((ms != engine.UNREACHED).sum())


def main():
    """Print both tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("networks", nargs="*", type=Path)
    paths = options.parse_args().networks
    nets = {path.stem: cg.RoadNetwork.load(path) for path in paths}
    nets = nets or {"Reykjavík": cg.datasets.reykjavik().network("drive")}
    print(
        "| network | minutes | settled | arcs each | ns per settled node | buckets 1/8 as wide | 8 times as wide |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, net in nets.items():
        searches(name, net)
    print(
        "\n| network | minutes | rows | targets | arcs a row | climb | descend | touch | clear | all with sums |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, net in nets.items():
        sweeps(name, net)


if __name__ == "__main__":
    main()
