"""``citygeo warmup``: compile everything now, so that the first real run does not have to."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from citygeo.cli.demo import compute
from citygeo.cli.progress import Progress
from citygeo.cli.report import print_json, print_text

if TYPE_CHECKING:
    import argparse

NAME = "warmup"
HELP = "compile the kernels now, so that later runs start at once 预先编译计算内核"
KINDS: tuple[Literal["polygons", "edges", "cells"], ...] = ("polygons", "edges", "cells")
ENGINES: tuple[Literal["dijkstra", "cch"], ...] = ("dijkstra", "cch")


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command: it has none of its own."""


def run(args: argparse.Namespace) -> None:
    """Do the sample city's work once and keep only the compiled code."""
    from citygeo._kernels._jit import compiled_kernels  # imports numba

    with Progress(is_quiet=args.quiet) as progress:
        exercise(progress)
        seconds = round(progress.seconds, 3)
    kernels = [kernel for kernel in compiled_kernels() if not kernel.is_inner]
    n_new = sum(kernel.n_compiled > 0 for kernel in kernels)
    if args.json:
        print_json({"command": NAME, "kernels": len(kernels), "compiled": n_new, "seconds": seconds})
    else:
        print_text(
            f"Ready: {len(kernels)} kernels, {n_new} of them compiled now "
            f"计算内核已就绪: 共 {len(kernels)} 个, 本次编译 {n_new} 个 ({seconds:.1f} s)"
        )


def exercise(progress: Progress) -> None:
    """Call each verb as ordinary work does, with each engine."""
    import numpy as np

    import citygeo as cg
    from citygeo import hexgrid
    from citygeo.issues import IssueLog

    compute(5.0, progress)
    city = cg.datasets.reykjavik()
    network, stations = city.network("fire_engine"), city.stations
    for engine in ENGINES:
        progress.step(f"travel times, nearest and access ({engine})")
        cg.travel_times(network, stations, stations, engine=engine)
        cg.nearest(network, stations, stations, direction="to", engine=engine)
        cg.accessibility(network, stations, stations, minutes=5, engine=engine)
        cg.floating_catchment(
            network, stations, stations, minutes=5, capacity=None, population=None, engine=engine
        )
    progress.step("isochrones")
    for kind in KINDS:
        cg.isochrones(network, stations, minutes=2, direction="from", kind=kind)
    cg.isochrones(network, stations, minutes=2, direction="from", kind="raster")
    cg.isochrones(network, stations, minutes=2, direction="from", overlap="split").arrivals()
    progress.step("polygons and cells")
    outlines = stations.to_crs(network.metric_crs).buffer(50).to_frame("geometry")
    cg.service_area(network, outlines, minutes=5, direction="from", polygons="edges").polygons  # noqa: B018
    cg.service_area(network, outlines, minutes=5, direction="from", polygons="entrances")
    cells = hexgrid.cells_of_points([-21.94], [64.15], 9)
    hexgrid.resolutions(cells)
    hexgrid.parents(cells, 5)
    hexgrid.children(cells, 10)
    hexgrid.neighbours(cells)
    hexgrid.order(cells)
    hexgrid.cell_polygons(cells)
    hexgrid.cell_areas_m2(cells)
    hexgrid.cell_centres(cells)
    for dtype in (np.float64, np.int64):
        hexgrid.sums_by_cell(cells, np.ones(1, dtype))
    progress.step("people of zones")
    cg.population(city.municipalities.iloc[-1:], issues=IssueLog())
    progress.step("people of a raster")
    _spread_raster()


def _spread_raster() -> None:
    """Bring a little raster to cells."""
    import numpy as np
    import pyproj
    from affine import Affine

    from citygeo.demand.raster import cells_of_raster
    from citygeo.io.raster import write_geotiff
    from citygeo.issues import IssueLog

    with tempfile.TemporaryDirectory(prefix="citygeo-") as folder:
        path = Path(folder) / "people.tif"
        place: dict[str, Any] = {
            "transform": Affine(0.001, 0, -21.95, 0, -0.001, 64.15),
            "crs": pyproj.CRS(4326),
        }
        write_geotiff(path, [np.ones((3, 3), np.float32)], **place, names=["people"], tags={})
        cells_of_raster(path, 9, log=IssueLog())
