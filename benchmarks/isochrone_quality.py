"""
How true polygons are: what they add to the reached roads and what they lose, for each method and for peers.

    python -m benchmarks.isochrone_quality --peer-python python3.12 --osm porto-alegre=poa_osm.pbf > quality.md

All sides get the same facilities, at nodes, and the same network and times, but for Valhalla, which reads the map
itself. What is reached is known exactly, from the edge parts. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import subprocess
import tempfile
import time
import warnings
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pyproj
import shapely

import citygeo as cg
from benchmarks import data, graphs
from benchmarks.harness import ROOT, say
from citygeo.isochrones.buffers import capsules, hulls
from citygeo.isochrones.contour import least_m
from citygeo.isochrones.ground import Ground

SEED = 11
PLACES = 20
TRIM_M, CELL_M = 100.0, 25.0
OURS = {
    "contour, 25 m": {},
    "contour, 10 m": {"cell_m": 10.0},
    "buffer": {"method": "buffer"},
    "cells": {"method": "cells"},
}
COSTING = {"drive": "auto", "walk": "pedestrian"}
CELLS_M = (80.0, 40.0, 25.0, 20.0, 10.0, 5.0)
ROUND = 64  # corners of a quarter of a circle: 0.01 % of its area is missing
NARROW = {5: 3, 10: 10}  # minutes, by the narrow band of the tables
COLUMNS = (
    "method", "polygons", "recall, mean", "least", "unreached nodes inside, beyond 100 m", "within", "not nested",
    "invalid", "start outside", "km2", "vertices", "ms, wall", "ms, CPU",
)  # fmt: skip
HEAD = f"| {' | '.join(COLUMNS)} |\n|---{'|---:' * (len(COLUMNS) - 1)}|"
LEGEND = (
    "*recall*: share of the reached roads' length inside the polygon. *beyond*: nodes not reached within the band that "
    f"are inside, though farther than 100 m (and the {CELL_M / math.sqrt(2):.0f} m that a grid of {CELL_M:.0f} m may "
    "miss) from all reached roads; *within*: nearer ones; both for all polygons together. *not nested*: bands that do "
    "not have the one before inside, by more than a millimetre. *start outside*: the facility's own node is not in the "
    "polygon. *km2*, *vertices*, *ms*: mean of a polygon."
)


class Drawn(NamedTuple):
    """
    Polygons of one side.

    Attributes
    ----------
    shape
        In the network's metric CRS, `(places, bands)`.
    seconds
        Wall and CPU time of all.
    own
        Unreached nodes inside that the side's own contract does not allow for; `None` if it has none.
    """

    shape: np.ndarray
    seconds: tuple
    own: int | None = None


class City(NamedTuple):
    """A network, places on it, and bands."""

    name: str
    network: cg.RoadNetwork
    lonlat: np.ndarray
    minutes: tuple
    map_file: Path | None

    @property
    def layer(self):
        """The places as facilities."""
        return gpd.GeoDataFrame(geometry=shapely.points(self.lonlat), crs=4326)

    def asked(self, rows=slice(None), **options):
        """Isochrones of some of the places."""
        return cg.isochrones(
            self.network, self.layer.iloc[rows], minutes=self.minutes, direction="from", threads=1, **options
        )


def cities(options):
    """The networks, one at a time."""
    sample = cg.datasets.reykjavik().osm_path
    yield from _of_map("Reykjavík, drive", sample, "drive", (5, 10))
    yield from _of_map("Reykjavík, walk", sample, "walk", (10, 15))
    for name in ("wuhan", "goteborg"):
        network = graphs.NETWORKS[name](options.data)
        yield City(graphs.LABELS[name], network, drawn_places(network), (5, 10), None)
    for given in options.osm:
        name, _, path = given.partition("=")
        yield from _of_map(f"{name}, drive", Path(path), "drive", (5, 10))


def _of_map(name, path, mode, minutes):
    if not path.exists():
        say(f"{name}: {path} is not there")
        return
    # without turn rules, which peers' graphs cannot hold
    network = cg.RoadNetwork.from_osm(
        path, mode=cg.travel_mode(mode, vehicles=()) if mode == "drive" else mode
    )
    yield City(name, network, drawn_places(network), minutes, path)


def drawn_places(network):
    """Nodes of the largest connected part, by a seed."""
    chosen = np.random.default_rng(SEED).choice(largest(network), PLACES, replace=False)
    return network.node_lonlat[np.sort(chosen)]


def largest(network):
    """Nodes of the largest part that is connected both ways."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    graph = network.graph("from")
    tail = np.repeat(np.arange(network.n_states), np.diff(graph.start.astype(np.int64)))
    size = (network.n_states,) * 2
    matrix = csr_array((np.ones(tail.size), (tail, graph.arc[:, 0].astype(np.int64))), shape=size)
    label = connected_components(matrix, connection="strong")[1][: network.n_nodes]
    return np.flatnonzero(label == np.bincount(label).argmax())


def timed(work):
    """What work made, and how long it took, wall and CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    return made, (time.perf_counter() - wall, time.process_time() - cpu)


def ours(city, rows, **options):
    """Polygons by citygeo, checked by their own contract."""
    city.asked([0], **options)  # kernels are loaded
    iso, seconds = timed(lambda: city.asked(rows, **options))
    return Drawn(in_metres(iso), seconds, int(iso.check()["unreached_nodes_inside"].sum()))


def in_metres(iso):
    """The polygons of isochrones in the network's metric CRS, `(places, bands)`."""
    return iso.geometry.to_crs(iso.network.metric_crs).to_numpy().reshape(-1, len(iso.band_minutes))


def peers(city, lonlat):
    """Polygons of peers that draw the same reach; what is missing is said."""
    try:
        recipe = importlib.import_module("benchmarks.peers.osmnx_recipe")
    except ModuleNotFoundError as missing:
        say(f"OSMnx recipe: {missing}")
    else:
        built = recipe.Built(city.network)
        for name, draw in (("OSMnx recipe, hull", recipe.hull), ("OSMnx recipe, edges", recipe.edges)):
            yield name, Drawn(*timed(lambda draw=draw: built.drawn(lonlat, city.minutes, draw)))
    try:
        objectnat = importlib.import_module("benchmarks.peers.objectnat_isochrones")
    except ModuleNotFoundError as missing:
        say(f"ObjectNat: {missing}")
    else:
        built = objectnat.Built(city.network)
        for kind in objectnat.KINDS:
            built.drawn(lonlat[:1], city.minutes[:1], kind)
            made = timed(lambda kind=kind: built.drawn(lonlat, city.minutes, kind))
            yield f"ObjectNat, {kind}", Drawn(*made)


def valhalla(city, mode, python):
    """Polygons of Valhalla, by its own map, or `None`."""
    if city.map_file is None or python is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        spec, out = Path(folder) / "spec.json", Path(folder) / "out.json"
        given = {"places": city.lonlat.tolist(), "minutes": list(city.minutes), "costing": COSTING[mode]}
        spec.write_text(json.dumps(given), encoding="utf-8")
        code = "import sys; from benchmarks.peers import valhalla; valhalla.answer(*sys.argv[1:])"
        asked = [python, "-c", code, str(city.map_file.resolve()), str(spec), str(out)]
        done = subprocess.run(
            asked, check=False, cwd=ROOT, env=os.environ | {"TMPDIR": folder}, capture_output=True
        )
        if done.returncode:
            say(f"Valhalla: {done.stderr.decode(errors='replace').strip().splitlines()[-1]}")
            return None
        told = json.loads(out.read_text(encoding="utf-8"))["told"]
    project = pyproj.Transformer.from_crs(4326, city.network.metric_crs, always_xy=True).transform
    shape = np.full((len(told), len(city.minutes)), shapely.MultiPolygon(), object)
    for row, one in enumerate(told):
        for feature in one["answer"]["features"]:
            lonlat = shapely.from_geojson(json.dumps(feature["geometry"]))
            band = city.minutes.index(feature["properties"]["contour"])
            shape[row, band] = shapely.transform(lonlat, project, interleaved=False)
    return Drawn(shape, tuple(np.sum([one["seconds"] for one in told], axis=0)))


def row(name, city, drawn, rows, *, is_same_reach=True):
    """One line of the table."""
    yardstick = city.asked(rows, offroad_kmh=math.inf, trim_m=TRIM_M, cell_m=CELL_M)
    yardstick["geometry"] = (
        gpd.GeoSeries(drawn.shape.ravel(), crs=city.network.metric_crs).to_crs(4326).to_numpy()
    )
    found = yardstick.check()
    project = pyproj.Transformer.from_crs(4326, city.network.metric_crs, always_xy=True).transform
    start = shapely.points(np.column_stack(project(*city.lonlat[rows].T)))
    sound = shapely.make_valid(drawn.shape)
    n = drawn.shape.size
    told = [
        f"{found['recall'].mean():.4f}", f"{found['recall'].min():.4f}", f"{found['unreached_nodes_inside'].sum():,}",
        f"{found['unreached_nodes_within_allowance'].sum():,}",
    ]  # fmt: skip
    told = [
        name, n, *(told if is_same_reach else [""] * 4),
        int((~found["is_nested"]).sum()), int((~found["is_valid"]).sum()),
        int((~shapely.intersects(sound, start[:, None])).sum()), f"{shapely.area(sound).mean() / 1e6:.2f}",
        f"{shapely.get_num_coordinates(drawn.shape).mean():,.0f}", *(f"{1000 * s / n:.1f}" for s in drawn.seconds),
    ]  # fmt: skip
    if drawn.own:
        say(f"{name}: {drawn.own} unreached nodes inside that its own contract does not allow for")
    return f"| {' | '.join(map(str, told))} |"


def quality(city, options):
    """The table of one city."""
    few, some, every = (np.arange(count) for count in (options.buffers, options.peers, PLACES))
    mode = city.name.rpartition(" ")[2]
    yield f"**{city.name}**, {city.network.n_nodes:,} nodes, {len(city.lonlat)} places, bands of {city.minutes} minutes"
    yield ""
    yield HEAD
    for name, asked in OURS.items():
        rows = few if name == "buffer" else every
        say(f"{city.name}: {name}")
        yield row(f"citygeo {name}", city, ours(city, rows, **asked), rows)
    for name, drawn in peers(city, city.lonlat[some]):
        say(f"{city.name}: {name}")
        yield row(name, city, drawn, some)
    drawn = valhalla(city, mode, options.peer_python)
    if drawn is not None:
        yield row("Valhalla (own speeds)", city, drawn, every, is_same_reach=False)
    yield ""


def convergence(city, rows):
    """Area of contours as a share of the exact union of the same ground, and what is not in both, by size of cells."""
    share = {}
    for cell in CELLS_M:
        layer = city.layer.iloc[rows].to_crs(city.network.metric_crs)
        iso = cg.isochrones(
            city.network, layer, minutes=city.minutes, direction="from", trim_m=TRIM_M, cell_m=cell
        )
        whole = exact(iso)
        drawn = iso.geometry.to_numpy()
        apart = shapely.area(shapely.symmetric_difference(drawn, whole)).sum()
        share[cell] = shapely.area(drawn).sum() / shapely.area(whole).sum(), apart / shapely.area(whole).sum()
    return share


def exact(iso):
    """The union of the ground around all reached roads, as wide at least as they are on the grid."""
    ground = Ground.of(iso.network, offroad_kmh=iso.offroad_kmh, trim_m=iso.trim_m)
    reach = iso.question.reach
    whole = np.full((reach.n_rows, len(reach.minutes)), shapely.MultiPolygon(), object)

    def take(row, bands):
        for band, parts in enumerate(bands):
            made = capsules(ground, parts, reach.limits[band], least_m(iso.cell_m))
            whole[row, band] = shapely.union_all(hulls(made, quad_segs=ROUND))

    reach.each(take)
    return whole.ravel()


def converged(city, rows):
    """The table of `convergence`, small areas of one city."""
    narrow = city._replace(minutes=(NARROW[city.minutes[0]],))
    share = convergence(narrow, rows)
    yield "| contour / exact union (not in both) | " + " | ".join(f"{cell:.0f} m" for cell in CELLS_M) + " |"
    yield "|---|" + "---:|" * len(CELLS_M)
    told = (f"{area:.4f} ({apart:.2%})" for area, apart in share.values())
    yield f"| {city.name}, {len(rows)} places, {narrow.minutes[0]} min | {' | '.join(told)} |"
    yield ""


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.isochrone_quality", description=__doc__.splitlines()[1]
    )
    parser.add_argument(
        "--data", type=Path, default=data.CACHE, help=f"folder of data and graphs ({data.CACHE})"
    )
    parser.add_argument("--peer-python", help="interpreter of Python 3.12 or later with pyvalhalla")
    parser.add_argument(
        "--osm", action="append", default=[], metavar="NAME=PBF", help="one more city, by car"
    )
    parser.add_argument(
        "--buffers", type=int, default=3, help="how many places are drawn as exact buffers, which is slow"
    )
    parser.add_argument(
        "--peers", type=int, default=10, help="how many places peers draw that take a second for each"
    )
    parser.add_argument("--areas-only", action="store_true", help="only how areas converge to the exact ones")
    parser.add_argument("--only", nargs="+", help="beginnings of names of cities")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}; load {os.getloadavg()[0]:.1f}\n")
    for city in cities(options):
        if options.only and not city.name.startswith(tuple(options.only)):
            continue
        tables = () if options.areas_only else quality(city, options)
        for line in chain(tables, converged(city, np.arange(options.buffers))):
            print(line, flush=True)
    print(LEGEND)


if __name__ == "__main__":
    main()
