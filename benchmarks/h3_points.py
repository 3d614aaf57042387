"""
Cells of a million points against a loop over h3-py, after asserting that every one of many more is the same.

    python -m benchmarks.h3_points                     # 10 million random points and the hard ones, then times
    python -m benchmarks.h3_points --points 100000000  # more
    python -m benchmarks.h3_points --seed 7 --no-times

Random points are spread over the Earth, all resolutions in turn. Hard ones are corners and edges of cells, pentagons,
corners, edges and middles of the icosahedron's faces, poles and the antimeridian, exactly and beside them. The loop is
h3-py's quickest: plain floats, one iterator, results straight into an array. Two places are timed, because a processor
guesses better when all points lie in one city.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import time
from importlib.metadata import version
from itertools import repeat

import h3.api.numpy_int as h3
import numpy as np

from citygeo.hexgrid import cells_of_points
from tests.h3_places import RESOLUTIONS, anywhere, hard

BLOCK = 500_000
HARD_CELLS = 1_000  # random cells and edge points of the icosahedron per block: about 44,000 points
N, RESOLUTION, RUNS = 1_000_000, 9, 7


def loop(lon, lat, resolution):
    """h3-py's loop."""
    found = map(h3.latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution))
    return np.fromiter(found, np.uint64, lon.size)


def same(lon, lat, resolution, threads):
    """Assert that all cells are the same, naming a point that is not; return their number."""
    ours, theirs = cells_of_points(lon, lat, resolution, threads=threads), loop(lon, lat, resolution)
    bad = np.flatnonzero(ours != theirs)
    if bad.size:
        first = bad[0]
        place = f"lon {lon[first]!r}, lat {lat[first]!r}, resolution {resolution}"
        msg = f"{bad.size} of {lon.size} differ, first {place}: {ours[first]:x} against {theirs[first]:x}"
        raise AssertionError(msg)
    return lon.size


def compare(n=10_000_000, seed=None, *, threads=1, report=print):
    """
    Compare at least `n` random points and the hard ones with h3-py.

    Parameters
    ----------
    n
        Random points.
    seed
        Of the points; a new one if `None`. It is reported.
    threads
        Of citygeo.
    report
        Called with a line of progress now and then.

    Returns
    -------
    Number of random and of hard points, all equal.

    Raises
    ------
    AssertionError
        If a cell differs.
    """
    seed = secrets.randbelow(2**32) if seed is None else seed
    rng = np.random.default_rng(seed)
    report(f"seed {seed}")
    n_random = n_hard = block = 0
    while n_random < n or block < len(RESOLUTIONS):
        resolution = RESOLUTIONS[(9 + block) % len(RESOLUTIONS)]
        n_random += same(*anywhere(rng, BLOCK, 360.0 if block % 4 == 3 else 180.0), resolution, threads)
        n_hard += same(*hard(rng, HARD_CELLS, resolution), resolution, threads)
        block += 1
        if block % 4 == 0:
            report(f"{n_random:,} random and {n_hard:,} hard points equal")
    report(f"all equal: {n_random:,} random and {n_hard:,} hard points, seed {seed}")
    return n_random, n_hard


def places():
    """The two sets of points that are timed."""
    rng = np.random.default_rng(9)
    city = -21.95 + rng.uniform(0, 0.2, N), 64.08 + rng.uniform(0, 0.08, N)
    return {"one city": city, "all the Earth": anywhere(rng, N)}


def measure(runs=RUNS):
    """
    Time a million points, after asserting that they are equal.

    Returns
    -------
    Rows of places, name, and the seconds of each run; peer and own runs take turns.
    """
    rows = []
    for where, (lon, lat) in places().items():
        same(lon, lat, RESOLUTION, 1)
        cases = {
            "h3-py loop": lambda lon=lon, lat=lat: loop(lon, lat, RESOLUTION),
            "citygeo, 1 thread": lambda lon=lon, lat=lat: cells_of_points(lon, lat, RESOLUTION, threads=1),
            "citygeo, 2 threads": lambda lon=lon, lat=lat: cells_of_points(lon, lat, RESOLUTION, threads=2),
        }
        seconds = {name: [] for name in cases}
        for _ in range(runs):
            for name, work in cases.items():
                start = time.perf_counter()
                work()
                seconds[name].append(time.perf_counter() - start)
        rows += [(where, name, seconds[name]) for name in cases]
    return rows


def table(rows):
    """The rows in Markdown, each against the loop over the same points."""
    lines = ["| points | case | median s | min-max s | times the loop |", "|---|---|---|---|---|"]
    peer = {where: statistics.median(seconds) for where, name, seconds in rows if name == "h3-py loop"}
    for where, name, seconds in rows:
        median = statistics.median(seconds)
        spread = f"{min(seconds):.3f}-{max(seconds):.3f}"
        lines.append(f"| {where} | {name} | {median:.3f} | {spread} | {peer[where] / median:.1f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-times", action="store_true")
    options = parser.parse_args()
    compare(
        options.points, options.seed, threads=options.threads, report=lambda line: print(line, flush=True)
    )
    if not options.no_times:
        before = os.getloadavg()[0]
        rows = measure()
        print(
            f"\n{N:,} points to resolution {RESOLUTION}, median of {RUNS}; h3 {version('h3')}, numba {version('numba')}"
        )
        print(f"load {before:.2f} before, {os.getloadavg()[0]:.2f} after\n\n{table(rows)}")


if __name__ == "__main__":
    main()
