"""
People of zones and homes to H3 cells, against tobler and a loop over h3-py that give the same sums.

    python -m benchmarks.population_layers
    python -m benchmarks.population_layers --side 40 --runs 3

Zones are squares of 1 km with whole people, and the municipalities of the sample (16,000 corners). tobler gets them and
the outlines of the cells ready made in an equal-area CRS and only divides; citygeo starts from the layer and ends with
the table of cells. tobler keeps areas in 32 bits, so sums are compared to 1e-5 of them. The loop over homes takes their
points ready made.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from importlib.metadata import version
from itertools import product

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely
import tobler.area_weighted as tobler

import citygeo as cg
from benchmarks import machine
from citygeo.demand import to_micro
from citygeo.issues import IssueLog

EQUAL_AREA, RESOLUTION = 6933, 9
SIDE, RUNS, TIMES = 70, 5, 3


def squares(side):
    """Squares of 1 km that fill a square, with people."""
    rng = np.random.default_rng(1)
    boxes = [
        shapely.box(500_000 + 1000 * x, 7_000_000 + 1000 * y, 501_000 + 1000 * x, 7_001_000 + 1000 * y)
        for x, y in product(range(side), range(side))
    ]
    return gpd.GeoDataFrame({"population": rng.integers(0, 5000, len(boxes))}, geometry=boxes, crs=32627)


def by_tobler(zones, outlines):
    """People of cells, by tobler."""
    cells = gpd.GeoDataFrame(geometry=outlines)
    return tobler.area_interpolate(zones, cells, extensive_variables=["population"])["population"].to_numpy()


def by_loop(homes, lon, lat):
    """People of cells, by h3-py."""
    found = {}
    for x, y, people in zip(lon.tolist(), lat.tolist(), homes["population"].tolist(), strict=True):
        cell = h3.latlng_to_cell(y, x, RESOLUTION)
        found[cell] = found.get(cell, 0) + people
    return found


def seconds(runs, function, *args, **options):
    """Median, and what came of the last run."""
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        found = function(*args, **options)
        took.append(time.perf_counter() - start)
    return statistics.median(took), found


def rows_of_zones(name, zones, runs):
    """Compare with tobler: rows of the table."""
    cg.population(zones, issues=IssueLog())  # the compiled code is read
    ours, cells = seconds(
        runs, cg.population, zones, resolution=RESOLUTION, polygons="area", issues=IssueLog()
    )
    assert to_micro(cells["population"]).sum() == to_micro(zones["population"]).sum()
    flat, outlines = zones.to_crs(EQUAL_AREA), cells.geometry.to_crs(EQUAL_AREA)
    theirs, people = seconds(min(runs, 3), by_tobler, flat, outlines)
    np.testing.assert_allclose(cells["population"], people, rtol=1e-5, atol=1e-2)
    what = f"{len(zones):,} {name} to {len(cells):,} cells"
    return [(what, "tobler, cells ready made", theirs, ""), (what, "citygeo", ours, f"{theirs / ours:.1f}")]


def rows_of_homes(homes, runs):
    """Compare with the loop: rows of the table."""
    points = homes.to_crs(4326).geometry.representative_point()
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    ours, cells = seconds(runs, cg.population, homes, resolution=RESOLUTION, issues=IssueLog())
    theirs, people = seconds(runs, by_loop, homes, lon, lat)
    assert cells["population"].to_dict() == {cell: count for cell, count in sorted(people.items()) if count}
    what = f"{len(homes):,} homes (polygons) to {len(cells):,} cells"
    return [
        (what, "h3-py loop, points ready made", theirs, ""),
        (what, "citygeo", ours, f"{theirs / ours:.1f}"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--side", type=int, default=SIDE, help="rows and columns of squares")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    city, told, load = cg.datasets.reykjavik(), machine.describe(), os.getloadavg()[0]
    homes = pd.concat([city.people] * TIMES, ignore_index=True)
    rows = [
        *rows_of_zones("squares", squares(options.side), options.runs),
        *rows_of_zones("municipalities", city.municipalities, options.runs),
        *rows_of_homes(homes, options.runs),
    ]
    by, cells = seconds(
        options.runs, cg.population, city.municipalities, by=city.buildings, issues=IssueLog()
    )
    rows.append(
        (f"7 municipalities by {len(city.buildings):,} buildings to {len(cells):,} cells", "citygeo", by, "")
    )
    print(
        f"Resolution {RESOLUTION}, median of {options.runs}; tobler {version('tobler')}, h3 {version('h3')}, shapely "
        f"{version('shapely')}; {told['cores']} cores, {told['avx']}; load {load:.1f} before, {os.getloadavg()[0]:.1f} "
        "after\n"
    )
    print("| what | by | seconds | times as fast |\n|---|---|---:|---:|")
    for what, who, took, ratio in rows:
        print(f"| {what} | {who} | {took:.2f} | {ratio} |")


if __name__ == "__main__":
    main()
