"""
A million points on the roads of a country against shapely's STRtree, after asserting equal answers.

    python benchmarks/snap.py iceland.osm.pbf        # or a saved network; prints tables in Markdown

Half of the points are within some 30 m of a road, half anywhere in the country's rectangle, where the nearest road
may be 100 km away. They are shapely points in WGS 84; both sides project them. STRtree finds edge and distance in
its quickest form, one match per point; citygeo also finds the place on the edge and its side. Peak memory is that
of a fresh process per case, above what the same process needs for the network and the points.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyproj
import shapely

import citygeo as cg
from citygeo.network.boxtree import box_tree
from citygeo.network.snap import snap_points

N = 1_000_000
RUNS, PEER_RUNS = 5, 3
FAR_M = 100_000.0
SEED = 20_261_123


def scattered(net, n):
    """Points in WGS 84: half near roads, half anywhere."""
    rng = np.random.default_rng(SEED)
    shape = net.arrays["shape_lonlat"]
    near = shape[rng.integers(0, len(shape), n // 2)] + rng.normal(0, 2.7e-4, (n // 2, 2))
    anywhere = rng.uniform(shape.min(axis=0), shape.max(axis=0), (n - n // 2, 2))
    return shapely.points(rng.permutation(np.concatenate((near, anywhere))))


def ours(net, points, threads):
    return snap_points(net, points, 4326, max_snap_m=FAR_M, threads=threads)


def projected(net, points):
    to_metric = pyproj.Transformer.from_crs(4326, net.metric_crs, always_xy=True)
    return shapely.points(np.column_stack(to_metric.transform(*shapely.get_coordinates(points).T)))


def peer(net, tree, points):
    """Row and edge of one nearest line each, and the distances."""
    return tree.query_nearest(projected(net, points), return_distance=True, all_matches=False)


def assert_equal(net, tree, points):
    """Compare all edges and distances; lines as near as each other are in the order of edges."""
    (row, edge), distance = tree.query_nearest(projected(net, points), return_distance=True, all_matches=True)
    order = np.lexsort((edge, row))
    _, first = np.unique(row[order], return_index=True)
    first = order[first]
    found = ours(net, points, None)
    is_other = found.is_on & (found.edge != edge[first])
    # distances are equal to the micrometre where citygeo says that two roads are as near
    worst = abs(found.distance_m - distance[first]).max()
    assert worst <= 1e-6, worst
    assert is_other.mean() < 1e-5, is_other.sum()
    print(
        f"{len(points):,} points compared, {found.is_on.sum():,} of them within {FAR_M / 1000:g} km: "
        f"{is_other.sum()} edges differ (as near to the micrometre), distances by {worst:.1e} m at most\n"
    )


def timed(work, runs):
    """Median, least and most seconds, and median processor seconds; both sides are warm from the comparison."""
    seconds, busy = [], []
    for _ in range(runs):
        start, begin = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - begin)
    return statistics.median(seconds), min(seconds), max(seconds), statistics.median(busy)


def memory_mb(name):
    """VmRSS (now) or VmHWM (most since it was reset) of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def memory_case(path, case):
    """In a fresh process: memory with network and points, and the peak of the work."""
    net = cg.RoadNetwork.load(path)
    points = scattered(net, N)
    gc.collect()
    before = memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    if case == "STRtree":
        peer(net, shapely.STRtree(net.lines_metric), points)
    else:
        ours(net, points, int(case))
    print(json.dumps([before, memory_mb("VmHWM")]))


def row(name, n, seconds, extra=""):
    median, least, most, busy = seconds
    print(f"| {name} | {n:,} | {median:.2f} | {least:.2f} to {most:.2f} | {busy:.2f} | {extra} |", flush=True)


def print_times(net, path):
    points = scattered(net, N)
    tree = shapely.STRtree(net.lines_metric)
    assert_equal(net, tree, points)
    print(
        "| work | points | median s | range | processor s | STRtree / citygeo |\n|---|---:|---:|---:|---:|---:|"
    )
    slow = timed(lambda: peer(net, tree, points), PEER_RUNS)
    row("STRtree.query_nearest", N, slow)
    for threads in (1, 2):
        seconds = timed(lambda threads=threads: ours(net, points, threads), RUNS)
        row(f"citygeo, {threads} thread{'s' * (threads > 1)}", N, seconds, f"{slow[0] / seconds[0]:.1f}")
    for n in (N // 8, N // 4, N // 2, N):
        row("ladder, 2 threads", n, timed(lambda n=n: ours(net, points[:n], 2), RUNS))
    begin = time.perf_counter()
    shapely.STRtree(net.lines_metric).query_nearest(points[0])
    strtree_s = time.perf_counter() - begin
    fresh = cg.RoadNetwork.load(path)
    begin = time.perf_counter()
    size = sum(array.nbytes for array in box_tree(fresh)) / 2**20
    index_s = time.perf_counter() - begin
    print(f"\nIndex: {index_s:.2f} s and {size:.0f} MiB, coordinates included; STRtree {strtree_s:.2f} s.\n")


def print_memory(path):
    print("| peak memory above network and points | MiB |\n|---|---:|")
    for case in ("1", "2", "STRtree"):
        command = [sys.executable, __file__, str(path), "--memory", case]
        before, after = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        name = case if case == "STRtree" else f"citygeo, {case} thread{'s' * (case > '1')}"
        print(f"| {name} | {after - before:.0f} (of {after:.0f}) |")


def main():
    path = Path(sys.argv[1])
    if "--memory" in sys.argv:
        memory_case(path, sys.argv[-1])
        return
    versions = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "shapely", "pyproj"))
    machine = platform.processor() or platform.machine()
    print(f"{machine}, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}, {versions}")
    with tempfile.TemporaryDirectory() as folder:
        if path.is_file():
            path = cg.RoadNetwork.from_osm(path, mode="drive").save(Path(folder) / "network.net")
        net = cg.RoadNetwork.load(path)
        print(net)
        print_times(net, path)
        print_memory(path)


if __name__ == "__main__":
    main()
