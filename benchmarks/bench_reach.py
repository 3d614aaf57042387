"""
Bounded search on the sample city against scipy, after asserting equal answers.

    python benchmarks/bench_reach.py            # prints a table in Markdown

Both sides get the same integer graph and the same bound; scipy gets it in chunks of 16 sources, its best form
here, with the conversion outside the clock. Peak memory is that of this process, interpreter and libraries
included, so it is shown once for all.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import citygeo as cg
from citygeo.network.search import Places, search_each

RUNS = 7
CHUNK = 16
ORIGINS = 2_000


def timed(work):
    """Median, least and most seconds of several runs; the first, uncounted, warms up."""
    work()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), min(seconds), max(seconds)


def peer_graph(net):
    """The same graph for scipy: parallel arcs reduced to the quickest, because it would add them up."""
    graph = net.graph("from")
    tail = np.repeat(np.arange(net.n_states), np.diff(graph.start.astype(np.int64)))
    head, ms = graph.arc.astype(np.int64).T
    order = np.lexsort((ms, head, tail))
    tail, head, ms = tail[order], head[order], ms[order]
    first = np.ones(tail.size, bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    return csr_array((ms[first].astype(float), (tail[first], head[first])), shape=(net.n_states,) * 2)


def at_nodes(net, nodes):
    """Places at nodes: an end of an edge that touches each."""
    ends = net.arrays["edge_node"].astype(np.int64).ravel()
    order = np.argsort(ends, kind="stable")
    flat = order[np.searchsorted(ends[order], nodes)]
    return Places.one_each(flat // 2, (flat % 2).astype(float), np.zeros(len(nodes), np.int64))


def counts_ours(net, places, limit, threads):
    """Nodes settled from each place."""
    out = np.zeros(len(places.edge), np.int64)

    def collect(row, found):
        out[row] = found.node.size

    search_each(net, "from", places, limit, collect, threads=threads)
    return out


def counts_scipy(graph, nodes, limit):
    """The same from scipy, each block reduced before the next."""
    blocks = [
        np.isfinite(dijkstra(graph, indices=nodes[low : low + CHUNK], limit=limit)).sum(axis=1)
        for low in range(0, len(nodes), CHUNK)
    ]
    return np.concatenate(blocks)


def import_seconds():
    """Wall time of a process that only imports the package, less that of an empty one."""

    def seconds(code):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    return statistics.median(seconds("import citygeo") - seconds("pass") for _ in range(RUNS))


def row(name, figures, ratio=""):
    """One line of the table, in milliseconds."""
    median, least, most = (1000 * value for value in figures)
    print(f"| {name} | {median:,.1f} | {least:,.1f} to {most:,.1f} | {ratio} |")


def main():
    """Print the table."""
    city = cg.datasets.reykjavik()
    load = os.getloadavg()[0]
    build = timed(lambda: cg.RoadNetwork.from_osm(city.osm_path, mode="drive"))
    net = cg.RoadNetwork.from_osm(city.osm_path, mode="drive")
    graph = peer_graph(net)
    nodes = np.random.default_rng(1).choice(net.n_nodes, ORIGINS, replace=False)
    places = at_nodes(net, nodes)
    start = net.arrays["node_depart"].astype(np.int64)[nodes]  # where turn rules hold, a state of its own
    print(f"{net!r}; {ORIGINS} origins; warm; {RUNS} runs; load {load:.1f}")
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "scipy")))
    print("\n| work | median ms | range | scipy / citygeo |\n|---|---:|---:|---:|")
    row("PBF to drive network", build)
    for minutes in (2, 4, 8):
        limit = minutes * 60_000
        expected = counts_scipy(graph, start, limit)
        for threads in (1, 2):
            np.testing.assert_array_equal(counts_ours(net, places, limit, threads), expected)
        peer = timed(lambda limit=limit: counts_scipy(graph, start, limit))
        mean = expected.mean()
        for threads in (1, 2):
            ours = timed(lambda limit=limit, threads=threads: counts_ours(net, places, limit, threads))
            row(
                f"{minutes} min, {mean:,.0f} nodes reached, {threads} thread(s)",
                ours,
                f"{peer[0] / ours[0]:.1f}",
            )
        row(f"{minutes} min, scipy", peer)
    row("import citygeo, above an empty process", (import_seconds(),) * 3)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
