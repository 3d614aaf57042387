"""
People of a raster of 100 million pixels to H3 cells, against a loop over h3-py that gives the same sums.

    python -m benchmarks.population_raster                  # 100 million pixels, and Burundi
    python -m benchmarks.population_raster --side 3000 --runs 3

The raster is GHS-POP of Burundi (Mollweide, 250 m), laid side by side: as it is (4 % of the pixels are inhabited), and
dense, with people in every pixel. The loop reads the same windows with rasterio, brings the middles of pixels to
longitude and latitude in one call, and asks h3-py for each: of every pixel, as a plain loop does, on the first rows;
and of inhabited pixels only, on the whole raster, whose sums must be the same. citygeo runs in a process of its own,
whose first call is the cold one (compiled code is on disk) and whose peak of memory is that of all its runs. Processor
time is told beside the clock's, because others may use the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from itertools import repeat
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
import pyproj
import rasterio

from benchmarks import data, machine, memory
from benchmarks.harness import ROOT, say
from citygeo.demand.raster import cells_of_raster
from citygeo.issues import IssueLog

SIDE, RESOLUTION, RUNS = 10_000, 8, 5
ROWS = 200  # of a window of the loop
EVERY_ROWS = 200  # of the loop over every pixel: 2 million of them, a few seconds
LIMIT_MB, EXACT = 1000.0, 1e-12
KINDS = {"as it is": False, "dense": True}


def lay(people, side, to, *, is_dense):
    """Write a raster of `side` x `side` pixels: the given one, over and over; return its path."""
    with rasterio.open(people) as file:
        values, profile = file.read(1), file.profile
    if is_dense:
        rng = np.random.default_rng(8)
        nobody = ~(values > 0)
        values[nobody] = rng.random(np.count_nonzero(nobody), np.float32) + np.float32(0.01)
    turns = -(-side // values.shape[0]), -(-side // values.shape[1])
    packing = {
        "compress": "deflate",
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "BIGTIFF": "IF_SAFER",
    }
    with rasterio.open(to, "w", **profile | packing | {"width": side, "height": side}) as file:
        file.write(np.tile(values, turns)[:side, :side], 1)
    return to


def loop(path, resolution, rows=None, *, skips):
    """
    Sums by cell with h3-py.

    Parameters
    ----------
    path, resolution
        What is asked.
    rows
        How many of the raster; all if `None`.
    skips
        Whether pixels without people are left out before they are looked up.

    Returns
    -------
    Cells, sorted, people, and how many pixels were looked up.
    """
    found, n = {}, 0
    with rasterio.open(path) as file:
        into = pyproj.Transformer.from_crs(file.crs.to_wkt(), 4326, always_xy=True)
        to, rows = file.transform, rows or file.height
        for first in range(0, rows, ROWS):
            values = file.read(1, window=((first, min(first + ROWS, rows)), (0, file.width))).astype(float)
            values[~(values > 0)] = 0
            row, column = np.nonzero(values) if skips else (part.ravel() for part in np.indices(values.shape))
            lon, lat = into.transform(to.a * (column + 0.5) + to.c, to.e * (first + row + 0.5) + to.f)
            cells = np.fromiter(
                map(h3.latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution)), np.uint64, lon.size
            )
            own, position = np.unique(cells, return_inverse=True)
            sums = np.bincount(position, values[row, column], own.size)
            for cell, people in zip(own.tolist(), sums.tolist(), strict=True):
                if people:
                    found[cell] = found.get(cell, 0.0) + people
            n += lon.size
    cells = sorted(found)
    return np.array(cells, np.uint64), np.array([found[cell] for cell in cells]), n


def same(ours, theirs, facts):
    """Assert that the cells are the same, their people to rounding, and that nobody is lost; return the worst ratio."""
    assert np.array_equal(ours[0], theirs[0])
    worst = float(np.abs(ours[1] / theirs[1] - 1).max())
    assert worst <= EXACT, worst
    assert abs(ours[1].sum() / facts["people"] - 1) <= EXACT
    return worst


def work(path, threads, runs, out):
    """Run citygeo here, and say what it took; the sums of the first run are kept."""
    before = memory.now_mb()
    seconds = []
    for number in range(runs + 1):
        took, (cells, people, facts) = timed(
            cells_of_raster, path, RESOLUTION, method="centre", log=IssueLog(), threads=threads
        )
        seconds.append(took)
        if number == 0:
            np.savez(out, cells=cells, people=people)
        del cells, people  # or they would count in the next run's peak
    return {"seconds": seconds, "facts": facts, "before_mb": before, "peak_mb": memory.peak_mb()}


def in_a_process(path, threads, runs, folder):
    """What `work` says, and the sums."""
    out = Path(folder) / "sums.npz"
    asked = json.dumps([str(path), threads, runs, str(out)])
    command = [sys.executable, "-m", "benchmarks.population_raster", "--work", asked]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    with np.load(out) as sums:
        return json.loads(done.stdout), (sums["cells"], sums["people"])


def timed(function, *args, **options):
    """Seconds by the clock and of the processor, and what came of it."""
    clock, processor = time.perf_counter(), time.process_time()
    found = function(*args, **options)
    return (time.perf_counter() - clock, time.process_time() - processor), found


def compare(people, kind, side, runs, folder):
    """Rows of the table for one raster, after asserting equal answers: case, how often, seconds, pixels, memory."""
    path = lay(people, side, Path(folder) / "people.tif", is_dense=KINDS[kind])
    pixels = side * side
    took, (*_, n) = timed(loop, path, RESOLUTION, min(EVERY_ROWS, side), skips=False)
    rows = [(kind, f"h3-py loop, every pixel of the first {n:,}", [took], n, "")]
    if KINDS[kind]:  # over all of a dense raster the loop takes minutes: a part of it is compared
        path_compared = cropped(path, Path(folder) / "part.tif", side)
        theirs = loop(path_compared, RESOLUTION, skips=True)
    else:
        path_compared = path
        took, theirs = timed(loop, path, RESOLUTION, skips=True)
        rows.append((kind, "h3-py loop, inhabited pixels only", [took], pixels, ""))
    say(f"{kind}: {path.stat().st_size / 1e6:.0f} MB; {theirs[2]:,} inhabited pixels by h3-py")
    cells, sums, facts = cells_of_raster(path_compared, RESOLUTION, method="centre", log=IssueLog())
    worst = same((cells, sums), theirs, facts)
    say(f"{kind}: all {len(cells):,} cells equal, their people to {worst:.0e}")
    for threads in (1, 2):
        told, ours = in_a_process(path, threads, runs, folder)
        lost = abs(ours[1].sum() / told["facts"]["people"] - 1)
        assert lost <= EXACT, lost
        assert told["peak_mb"] < LIMIT_MB, told["peak_mb"]
        say(
            f"{kind}: {told['facts']['inhabited']:,} pixels, {ours[1].sum():,.0f} people, lost {lost:.0e} of them"
        )
        cold, *warm = told["seconds"]
        mb = f"{told['peak_mb']:.0f} ({told['before_mb']:.0f} before)"
        rows += [
            (kind, f"citygeo, {threads} thread(s), first call", [cold], pixels, ""),
            (kind, f"citygeo, {threads} thread(s)", warm, pixels, mb),
        ]
    return rows


def lines(rows):
    """The rows in Markdown; ratios are to the loop over every pixel of the same raster, per pixel."""
    yield "| raster | case | s (least-most) | ns a pixel | times the loop | CPU ns a pixel | times the loop | peak MB |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for kind, case, seconds, pixels, mb in rows:
        first = next(row for row in rows if row[0] == kind)
        base = np.array(first[2][0]) / first[3]
        each = np.median(seconds, axis=0) / pixels
        clock = [took[0] for took in seconds]
        spread = f" ({min(clock):.2f}-{max(clock):.2f})" if len(clock) > 1 else ""
        ratios = " | ".join(
            f"{ns * 1e9:.1f} | {ratio:.1f}" for ns, ratio in zip(each, base / each, strict=True)
        )
        yield f"| {kind} | {case} | {statistics.median(clock):.2f}{spread} | {ratios} | {mb} |"


def cropped(path, to, side):
    """The first rows of a raster."""
    with rasterio.open(path) as file:
        rows = min(EVERY_ROWS, side)
        values, profile = file.read(1, window=((0, rows), (0, side))), file.profile
    with rasterio.open(to, "w", **profile | {"height": rows}) as file:
        file.write(values, 1)
    return to


def country(people, runs):
    """Burundi as it is, by each method."""
    yield "| resolution | method | cells | people | cells / pixels - 1 | s | CPU s |"
    yield "|---:|---|---:|---:|---:|---:|---:|"
    for resolution, method in ((8, "centre"), (8, "auto"), (9, "auto"), (7, "exact"), (9, "exact")):
        took = []
        for _ in range(1 if method == "exact" else runs):
            seconds, (cells, sums, facts) = timed(
                cells_of_raster, people, resolution, method=method, log=IssueLog()
            )
            took.append(seconds)
        clock, processor = np.median(took, axis=0)
        points = f", {facts['points']} x {facts['points']} points" if facts["points"] > 1 else ""
        kind = method if method == facts["kind"] else f"{method}: {facts['kind']}"
        yield (
            f"| {resolution} | {kind}{points} | {len(cells):,} | {sums.sum():,.3f} | "
            f"{sums.sum() / facts['people'] - 1:.0e} | {clock:.2f} | {processor:.2f} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--side", type=int, default=SIDE, help="rows and columns of the raster")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--data", type=Path, default=data.CACHE)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        print(json.dumps(work(*json.loads(options.work))))
        return
    cache = options.data.expanduser().resolve()
    cache.mkdir(parents=True, exist_ok=True)
    people = data.fetch("burundi-people", cache)
    told, load = machine.describe(), os.getloadavg()[0]
    rows = []
    with tempfile.TemporaryDirectory(prefix="citygeo-benchmark-") as folder:
        for kind in KINDS:
            rows += compare(people, kind, options.side, options.runs, folder)
    versions = ", ".join(f"{name} {version(name)}" for name in ("h3", "rasterio", "numba"))
    print(
        f"{options.side**2:,} pixels to resolution {RESOLUTION}, median of {options.runs}; {versions}; {told['cores']} "
        f"cores, {told['avx']}; load {load:.1f} before, {os.getloadavg()[0]:.1f} after\n"
    )
    print("\n".join(lines(rows)))
    print("\nBurundi (790,320 pixels)\n")
    print("\n".join(country(people, options.runs)))


if __name__ == "__main__":
    main()
