"""
Access to schools, clinics and bus stops within 5, 10 and 15 minutes on foot, from all of Iceland, against peers.

    python -m benchmarks.access --peer-python PYTHON        # PYTHON has pandana; this one has citygeo and access

Two pieces of work. *Every node*: opportunities stand at their nearest node, for pandana knows no other places; its
network is built and what each node reaches is precomputed apart. *Every cell*: all H3 cells of resolution 9 that hold
a node, standing at their centres, and opportunities on their streets. PySAL's access computes no times: it is given
the exact pairs within 15 minutes. Each side has a fresh process, its answers are compared before a figure is printed,
and peak memory is that of the timed work above what was there before it. Prints a table in Markdown; its last columns
are the times by that of citygeo's sums, and of the whole public call with snapping, outlines and hashes.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks import data, machine, memory
from benchmarks.harness import ROOT, environment, say

MINUTES = (5, 10, 15)
LIMITS_MS = tuple(60_000 * minutes for minutes in MINUTES)
SERVICES = {
    "school": ("amenity", {"school"}),
    "clinic": ("amenity", {"clinic", "doctors", "hospital"}),
    "bus_stop": ("public_transport", {"platform"}),  # as they are mapped there
}
RESOLUTION = 9
RUNS, PEER_RUNS = 5, 3
NETWORK, GRAPH = "network", "graph.npz"


def prepare(folder, cache):
    """Build the walk network of Iceland, read the services, and keep what the sides share."""
    import geopandas as gpd
    import pandas as pd
    import pyproj
    import shapely
    from scipy.spatial import cKDTree

    import citygeo as cg
    from citygeo import hexgrid
    from citygeo.io.features import read_features

    path = data.fetch("iceland", cache)
    net = cg.RoadNetwork.from_osm(path, mode="walk")
    net.save(folder / NETWORK)
    tags = {
        key: tuple(sorted({value for told, values in SERVICES.values() if told == key for value in values}))
        for key, _ in SERVICES.values()
    }
    features = read_features(path, tags, columns=("name",))
    points = features.set_geometry(features.geometry.representative_point())
    metric = pyproj.Transformer.from_crs(4326, net.metric_crs, always_xy=True)
    # a point on two nodes could stand on either, so nothing stands there, and the public function is not asked there
    _, group, many = np.unique(net.node_lonlat, axis=0, return_inverse=True, return_counts=True)
    alone = np.flatnonzero(many[group.ravel()] == 1)
    nearest = cKDTree(np.column_stack(metric.transform(*net.node_lonlat[alone].T)))
    weight = np.zeros((net.n_nodes, len(SERVICES)))
    for i, (name, (key, values)) in enumerate(SERVICES.items()):
        layer = points[points[key].isin(values)]
        layer[["geometry"]].to_file(folder / f"{name}.gpkg", engine="pyogrio")
        _, node = nearest.query(np.column_stack(metric.transform(layer.geometry.x, layer.geometry.y)))
        np.add.at(weight[:, i], alone[node], 1)
    graph = net.graph("from")
    assert net.n_states == net.n_nodes
    tail = np.repeat(np.arange(net.n_nodes), np.diff(graph.start.astype(np.int64)))
    head, ms = graph.arc.astype(np.int64).T
    order = np.lexsort((ms, head, tail))
    first = np.append(True, (np.diff(tail[order]) != 0) | (np.diff(head[order]) != 0))
    keep = order[first]
    np.save(folder / "alone.npy", alone)
    np.savez(
        folder / GRAPH, tail=tail[keep], head=head[keep], ms=ms[keep], lonlat=net.node_lonlat, weight=weight
    )
    cells = np.unique(hexgrid.cells_of_points(*net.node_lonlat.T, RESOLUTION))
    np.save(folder / "cells.npy", cells)
    nodes = gpd.GeoDataFrame(geometry=shapely.points(net.node_lonlat), crs=4326)
    nodes.to_file(folder / "nodes.gpkg", engine="pyogrio")
    _save_pairs(folder, net, weight, cells, pd.DataFrame)
    return net, weight, cells


def _save_pairs(folder, net, weight, cells, frame):
    """Keep all times within the longest bound, for PySAL: a table with the columns it wants."""
    from citygeo.access.pairs import pairs_within
    from citygeo.engine import Nodes
    from citygeo.issues import IssueLog
    from citygeo.reach.place import place_facilities
    from citygeo.reach.standing import standing

    def keep(name, facilities, demand):
        found = pairs_within(net, "to", facilities, demand, LIMITS_MS[-1])
        table = frame({"origin": found.demand, "dest": found.facility, "cost": found.ms})
        table.to_pickle(folder / f"{name}.pkl")

    every = Nodes(np.arange(net.n_nodes))
    for i, name in enumerate(SERVICES):
        keep(f"pairs-nodes-{name}", Nodes(np.flatnonzero(weight[:, i])), every)
    options = {"delay_s": 0.0, "max_snap_m": 200.0, "log": IssueLog()}
    placed = place_facilities(net, standing(cell_table(cells)).places, **options, name="origins").places
    for name in SERVICES:
        layer = _layer(folder, name)
        keep(f"pairs-cells-{name}", place_facilities(net, layer, **options, name=name).places, placed)


def _layer(folder, name):
    import geopandas as gpd

    return gpd.read_file(folder / f"{name}.gpkg", engine="pyogrio")


def cell_table(cells):
    """A table indexed by cells."""
    import pandas as pd

    from citygeo import hexgrid

    return pd.DataFrame(index=pd.Index(hexgrid.to_strings(cells), name="h3_cell"))


def citygeo_engine(folder):
    """Sums over nodes alone, as pandana's."""
    import citygeo as cg
    from citygeo import engine
    from citygeo.engine import Nodes

    net, weight = cg.RoadNetwork.load(folder / NETWORK), np.load(folder / GRAPH)["weight"]
    goal = np.flatnonzero(weight.any(axis=1))
    threads = int(os.environ["NUMBA_NUM_THREADS"])

    def work():
        return engine.sums(
            net, "from", Nodes(np.arange(net.n_nodes)), Nodes(goal), weight[goal], cutoffs_ms=LIMITS_MS,
            threads=threads,
        )  # fmt: skip

    return work, None


def _citygeo(folder, origins, opportunities):
    import citygeo as cg

    net = cg.RoadNetwork.load(folder / NETWORK)
    threads = int(os.environ["NUMBA_NUM_THREADS"])
    columns = [f"{name}_reached" for name in SERVICES]

    def work():
        return cg.accessibility(net, origins, opportunities, minutes=MINUTES, threads=threads)

    def told(found):
        return found[columns].to_numpy().reshape(-1, len(MINUTES), len(SERVICES))

    return work, told


def citygeo_nodes(folder):
    """The public function: nodes as points that are put on streets, and a table with geometry and provenance."""
    import geopandas as gpd
    import shapely

    graph = np.load(folder / GRAPH)
    layers = {}
    for i, name in enumerate(SERVICES):
        where = np.repeat(np.arange(len(graph["lonlat"])), graph["weight"][:, i].astype(int))
        layers[name] = gpd.GeoDataFrame(geometry=shapely.points(graph["lonlat"][where]), crs=4326)
    return _citygeo(folder, _layer(folder, "nodes"), layers)


def citygeo_cells(folder):
    """The public function, for a table of cells."""
    layers = {name: _layer(folder, name) for name in SERVICES}
    return _citygeo(folder, cell_table(np.load(folder / "cells.npy")), layers)


def pandana_nodes(folder):
    """Precomputed for each run, then aggregated by layer and bound."""
    import pandas as pd

    from benchmarks.peers.pandana import pandana, seconds

    graph = np.load(folder / GRAPH)
    node = pd.RangeIndex(len(graph["lonlat"]))
    longitude, latitude = (pd.Series(values, node) for values in graph["lonlat"].T)
    times = pd.DataFrame({"s": seconds(graph["ms"])})
    network = pandana.Network(
        longitude, latitude, pd.Series(graph["tail"]), pd.Series(graph["head"]), times, twoway=False
    )
    for i, name in enumerate(SERVICES):
        network.set(pd.Series(np.asarray(node)), variable=pd.Series(graph["weight"][:, i]), name=name)

    def work():
        network.precompute(seconds(LIMITS_MS[-1]))
        return np.stack(
            [
                np.stack([network.aggregate(seconds(limit), "sum", "flat", name=name) for name in SERVICES], axis=1)
                for limit in LIMITS_MS
            ],
            axis=1,
        )  # fmt: skip

    return work, None


def _pysal(folder, kind, n, counts):
    """Sum the pairs of each layer by origin, for each bound."""
    import pandas as pd
    from access.fca import weighted_catchment

    pairs = {name: pd.read_pickle(folder / f"pairs-{kind}-{name}.pkl") for name in SERVICES}
    supply = {name: pd.DataFrame({"n": counts[name]}) for name in SERVICES}

    def work():
        return {
            (name, limit): weighted_catchment(
                supply[name], pairs[name], limit, cost_source="dest", cost_dest="origin", cost_cost="cost",
                loc_index=True, loc_value="n",
            )
            for name in SERVICES for limit in LIMITS_MS
        }  # fmt: skip

    def told(found):
        sums = np.zeros((n, len(LIMITS_MS), len(SERVICES)))
        for i, name in enumerate(SERVICES):
            for b, limit in enumerate(LIMITS_MS):
                series = found[name, limit]
                sums[series.index, b, i] = series.to_numpy()
        return sums

    return work, told


def pysal_nodes(folder):
    """Given the times of every node."""
    weight = np.load(folder / GRAPH)["weight"]
    return _pysal(
        folder, "nodes", len(weight), {name: weight[weight[:, i] > 0, i] for i, name in enumerate(SERVICES)}
    )


def pysal_cells(folder):
    """Given the times of every cell."""
    counts = {name: np.ones(len(_layer(folder, name))) for name in SERVICES}
    return _pysal(folder, "cells", len(np.load(folder / "cells.npy")), counts)


# work -> sides: function, threads, runs; the first one's answer is compared with all others'
SIDES = {
    "every node": [
        (citygeo_engine, 2, RUNS), (citygeo_engine, 1, RUNS), (citygeo_nodes, 2, RUNS), (pandana_nodes, 2, PEER_RUNS),
        (pandana_nodes, 1, PEER_RUNS), (pysal_nodes, 1, PEER_RUNS),
    ],
    "every cell": [(citygeo_cells, 2, RUNS), (citygeo_cells, 1, RUNS), (pysal_cells, 1, PEER_RUNS)],
}  # fmt: skip

WHOLE = {"every node": citygeo_nodes, "every cell": citygeo_cells}


def side(name, folder, runs, out):
    """In a fresh process: make ready, work once for the answer, then time."""
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    work, told = globals()[name](folder)
    ready = time.perf_counter() - began
    gc.collect()
    before = memory.now_mb()
    memory.forget_peak()
    began = time.perf_counter()
    answer = work()
    first, peak = time.perf_counter() - began, memory.peak_mb() - before
    np.save(out, np.nan_to_num(answer if told is None else told(answer)))
    del answer
    samples = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        samples.append(time.perf_counter() - began)
    print(json.dumps({"ready_s": ready, "first_s": first, "samples": samples, "peak_mb": peak}))


def measure(folder, function, threads, runs, python, compiled):
    """Run a side, and return its answer and figures."""
    out = folder / f"{function.__name__}-{threads}.npy"
    command = [python, "-m", "benchmarks.access", "--side", function.__name__, "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--runs", str(runs), "--out", str(out)], cwd=ROOT, check=True, capture_output=True, text=True,
        env=environment(threads, compiled),
    )  # fmt: skip
    return np.load(out), json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=data.CACHE)
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter with pandana")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        side(asked.side, asked.folder, asked.runs, asked.out)
        return
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="citygeo-access-") as name:
        folder = Path(name)
        say("building the network of Iceland")
        net, weight, cells = prepare(folder, asked.cache)
        on = machine.describe()
        versions = ", ".join(
            f"{name} {version}" for name, version in machine.versions(("citygeo", "access")).items()
        )
        print(f"{time.strftime('%Y-%m-%d %H:%M')} UTC; {on['cpu']}, {on['cores']} cores; {versions}.")
        counts = ", ".join(
            f"{int(n):,} x {name}" for name, n in zip(SERVICES, weight.sum(axis=0), strict=True)
        )
        print(
            f"Iceland on foot: {net.n_nodes:,} nodes, {net.n_edges:,} edges, {len(cells):,} cells; {counts}.\n"
        )
        print(
            "| work | side | threads | ready s | first s | median s | range s | peak MB | citygeo's sums | whole call |"
        )
        print(f"|---|---|{'---:|' * 8}")
        for work, sides in SIDES.items():
            compare(work, sides, folder, asked)


def compare(work, sides, folder, asked):
    """Measure the sides of a piece of work; print a row for each whose answer is that of the first."""
    truth, medians = None, {}
    for function, threads, runs in sides:
        python = asked.peer_python if function is pandana_nodes else sys.executable
        answer, told = measure(folder, function, threads, runs, python, asked.cache / "compiled")
        if work == "every node":
            answer = answer[np.load(folder / "alone.npy")]
        truth = answer if truth is None else truth
        assert np.array_equal(answer, truth), f"{function.__name__}: {(answer != truth).sum()} sums differ"
        median = statistics.median(told["samples"])
        medians.setdefault(function, median)  # two threads come first
        ratios = [
            f"{median / medians[ours]:.1f}x" if ours in medians else ""
            for ours in (citygeo_engine, WHOLE[work])
        ]
        print(
            f"| {work} | {function.__name__} | {threads} | {told['ready_s']:.1f} | {told['first_s']:.2f} "
            f"| {median:.3f} | {min(told['samples']):.3f} to {max(told['samples']):.3f} "
            f"| {told['peak_mb']:.0f} | {' | '.join(ratios)} |",
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
