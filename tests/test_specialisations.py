"""
Each kernel is compiled for one set of argument types, and ``citygeo warmup`` compiles them all.

A second version of a kernel costs seconds at its first call. It comes from an array of another dtype or layout, or
from one that may be written to where others may not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from citygeo._kernels import _jit

ROOT = Path(__file__).parents[1]
MEANT = {"cellbits.sum_by_cell": 2}  # sums of whole numbers stay whole

# what people do, on a network in memory and on one from a file
ORDINARY_WORK = """
import json, sys, tempfile, warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely

import citygeo as cg
from citygeo import hexgrid
from citygeo._kernels._jit import compiled_kernels
from citygeo.cli.progress import Progress
from citygeo.cli.warmup import exercise
from citygeo.demand.raster import cells_of_raster
from citygeo.io.raster import write_geotiff
from citygeo.issues import IssueLog
from citygeo.network.snap import snap_points
from tests.toy import grid_city, points

warnings.simplefilter("ignore", cg.errors.CitygeoWarning)  # about the data


def versions():
    return {one.name: sorted(map(str, one.signatures)) for one in compiled_kernels()}


with Progress(is_quiet=True) as progress:
    exercise(progress)
warm = versions()

built = grid_city(8)
stations, places = points([(120, 130), (500, 410)]), points([(10 * i, 7 * i) for i in range(100)])
outlines = stations.to_crs(built.metric_crs).buffer(160).to_frame("geometry")
people, homes = places.assign(population=3), places.assign(geometry=places.buffer(1e-5))

folder = Path(tempfile.mkdtemp()) / "city.net"
built.save(folder)
fork = gpd.GeoDataFrame(
    {"highway": ["residential"]}, crs=stations.crs,
    geometry=[shapely.LineString([places.geometry.iloc[3], (3.02, 0.001)])],
)
networks = [
    built, cg.RoadNetwork.load(folder), cg.RoadNetwork.load(folder, verify=True), built.with_speeds(0.5),
    built.without([0, 1]), built.without(polygon=stations.buffer(0.0005)), built.with_edges(fork), built.reversed(),
]
for net in networks:
    for threads in (1, 2):
        for way in ("from", "to"):
            for shapes in ("point", "edges", "entrances"):
                area = cg.service_area(
                    net, outlines, minutes=[0.5, 1], direction=way, delay_s=3, polygons=shapes, threads=threads,
                )
            area.polygons, area.edges
            for engine in ("auto", "dijkstra", "cch"):
                for k in (1, 3):
                    cg.nearest(net, places, stations, direction=way, k=k, engine=engine, threads=threads)
        for engine in ("auto", "dijkstra", "cch"):
            for origins, goals in ((stations, places), (places, stations), (places, places)):
                goals = goals.assign(beds=1, jobs=0.5)
                cg.travel_times(net, origins, goals, engine=engine, threads=threads)
                cg.travel_times(net, origins, goals, minutes=1, engine=engine, threads=threads)
                cg.accessibility(net, origins, goals, minutes=[0.5, 1], engine=engine, threads=threads)
                cg.accessibility(
                    net, origins, goals, minutes=1, weight=["beds", "jobs"], decay=lambda m: np.exp(-m),
                    engine=engine, threads=threads,
                )
                cg.floating_catchment(
                    net, origins, goals, minutes=[0.5, 1], method="m2sfca", decay=cg.decay.linear(2), capacity="beds",
                    population=None, engine=engine, threads=threads,
                )
        snap_points(net, places.geometry.to_numpy(), places.crs, heading=90.0, side="right", threads=threads)
    asked = {"demand": people, "direction": "from", "buildings": homes}
    cg.coverage(net, stations, minutes=1, **asked).interval(scenarios={"peak": 0.6})
    cg.coverage(net, stations.assign(own=[1.0, 0.5]), minutes="own", barriers=places.iloc[:3], **asked)
    for way in ("to", "from"):
        cg.completeness(net, {"a": stations, "b": stations.iloc[:0]}, demand=people, direction=way, minutes=1)
    net.report(places)

river = gpd.GeoSeries([shapely.LineString([places.geometry.iloc[20], places.geometry.iloc[70]])], crs=places.crs)
for net in networks:
    for overlap in ("overlap", "dissolve", "split"):
        for threads, way, bands in ((1, "from", "disks"), (2, "to", "rings")):
            ask = {"minutes": [0.5, 1], "direction": way, "overlap": overlap, "threads": threads}
            cg.isochrones(net, stations, kind="raster", **ask)
            ask["bands"] = bands
            for kind in ("polygons", "edges", "cells"):
                cg.isochrones(net, stations, kind=kind, **ask)
            for method in ("buffer", "cells"):
                cg.isochrones(net, outlines, method=method, polygons="edges", trim_m=40, **ask)
        for more in ({"barriers": river, "cell_m": 10}, {"offroad_kmh": np.inf, "cell_m": 7.5}):
            iso = cg.isochrones(net, stations, minutes=1, direction="from", overlap=overlap, **more)
            iso.arrivals(), iso.arrivals(k=1), iso.check()
    iso.responsibility(people=people, barriers=river)
    for kind in ("edges", "cells", "raster"):
        cg.isochrones(net, stations, minutes=1, direction="to", kind=kind, barriers=river, resolution=8, trim_m=50)

cells = hexgrid.cells_of_points(np.array([-21.9, -21.8]), np.array([64.1, 64.2]), 9)
for given in (cells, cells[::-1], cells[:1].copy()):
    hexgrid.resolutions(given), hexgrid.parents(given, 5), hexgrid.children(given, 11), hexgrid.order(given)
    hexgrid.neighbours(given, 2), hexgrid.smooth(hexgrid.aggregate(hexgrid.to_frame(given), 8), [])
    hexgrid.cell_polygons(given), hexgrid.cell_areas_m2(given), hexgrid.cell_centres(given)
    hexgrid.sums_by_cell(given, np.ones(len(given))), hexgrid.sums_by_cell(given, np.ones(len(given), int))

districts = outlines.assign(population=[5, 7.5])
for zones in (districts, districts.iloc[:1].to_crs(4326)):
    for threads, by, area in ((1, None, None), (2, outlines.buffer(-50).to_frame("geometry"), outlines.buffer(-80))):
        cg.population(zones, polygons="area", resolution=10, by=by, area=area, threads=threads)

for shape in ((3, 5), (90, 40)):
    raster = folder.with_name(f"people-{shape[0]}.tif")
    write_geotiff(
        raster, [np.ones(shape, np.float32)], transform=rasterio.Affine(0.001, 0, 116, 0, -0.001, 40),
        crs=stations.crs, names=["people"], tags={},
    )
    for threads, method in ((1, "centre"), (2, "subsample"), (None, "exact"), (2, "auto")):
        for area in (None, gpd.GeoSeries([shapely.box(115, 39, 116.002, 41)], crs=4326)):
            cells_of_raster(raster, 9, area=area, method=method, log=IssueLog(), threads=threads)

cold = {name: kinds for name, kinds in versions().items() if kinds != warm.get(name)}
several = {name: kinds for name, kinds in versions().items() if len(kinds) > 1}
json.dump({"several": several, "cold": cold}, sys.stdout)
"""


@pytest.fixture(scope="module")
def found():
    if getattr(_jit.config, "DISABLE_JIT", 0):
        pytest.skip("NUMBA_DISABLE_JIT is set")
    done = subprocess.run(
        [sys.executable, "-c", ORDINARY_WORK], capture_output=True, text=True, check=False, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def listed(versions):
    """The offenders, a line for each version."""
    return "\n".join(f"{name}:\n  " + "\n  ".join(kinds) for name, kinds in versions.items())


def test_ordinary_work_compiles_one_version_of_each_kernel(found):
    several = {name: kinds for name, kinds in found["several"].items() if len(kinds) > MEANT.get(name, 1)}
    assert not several, listed(several)


def test_warmup_has_compiled_all_that_ordinary_work_needs(found):
    assert not found["cold"], listed(found["cold"])
