"""
From an OSM file to a network ready for routing, against OSMnx's recipe, after asserting equal networks.

    python benchmarks/osmnx_build.py [city.osm.pbf]        # prints a table in Markdown; default: the sample city

Both sides get a file with the same ways, those open to cars, written outside the clock: OSMnx reads XML (it has no
reader for PBF), citygeo XML and PBF. OSMnx's recipe: ``graph_from_xml`` (simplified), ``add_edge_speeds`` with the
class speeds of citygeo, ``add_edge_travel_times``. Each run is a process of its own, so that its peak memory counts;
imports stand outside the clock on both sides. Equal means: the same directed pieces of street (Jaccard at least
0.995), and travel times that agree within 1 % for 19 of 20 pairs of junctions: OSMnx measures on a sphere (0.2 to
0.6 % off at these latitudes) and averages the speeds of ways it joins.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import osmium

import citygeo as cg
from citygeo.engine import Places, search_each

RUNS = 3
ORIGINS, DESTINATIONS = 10, 50
LEAST_ALIKE = 0.995
TIMES_OFF = 0.01
# what OSMnx does not know
MODE = cg.travel_mode("drive", vehicles=(), node_closed_by={"barrier": (), "locked": ()}, ferry_kmh=0)


def write_open_ways(source, target):
    """Write the ways that cars may use, and their nodes."""
    ways = osmium.FileProcessor(str(source), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway"))
    with osmium.BackReferenceWriter(str(target), str(source), overwrite=True, relation_depth=0) as writer:
        for way in ways:
            if MODE.rule(dict(way.tags)).is_open:
                writer.add(way)
    return target


def build_osmnx(path, *, simplify=True):
    """OSMnx's recipe."""
    import osmnx as ox

    graph = ox.graph_from_xml(path, simplify=simplify, retain_all=True)
    graph = ox.add_edge_speeds(graph, hwy_speeds=dict(MODE.speed_kmh))
    return ox.add_edge_travel_times(graph)


def build_citygeo(path):
    """Ours."""
    with warnings.catch_warnings():
        # a file of nothing but roads looks as if it had been cut
        warnings.simplefilter("ignore", cg.errors.CitygeoWarning)
        return cg.RoadNetwork.from_osm(path, MODE)


def run_one(side, path):
    """Build once and print seconds and peak memory; called in a process of its own."""
    import osmnx  # noqa: F401  # both sides pay for the imports of both, outside the clock

    build = build_osmnx if side == "osmnx" else build_citygeo
    start = time.perf_counter()
    build(path)
    seconds = time.perf_counter() - start
    # ru_maxrss would be that of the process that started this one
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps([seconds, int(kilobytes) / 1024]))


def measure(side, path):
    """Median seconds and megabytes of several processes; the first, uncounted, warms up."""
    runs = []
    for _ in range(RUNS + 1):
        done = subprocess.run(
            [sys.executable, __file__, "--one", side, str(path)], check=True, capture_output=True, text=True
        )
        runs.append(json.loads(done.stdout))
    seconds, megabytes = zip(*runs[1:], strict=True)
    return statistics.median(seconds), min(seconds), max(seconds), statistics.median(megabytes)


def drawn_arcs(net):
    """Directed pieces between consecutive drawn places, by rounded place."""
    start = net.arrays["shape_start"].tolist()
    place = list(map(tuple, np.round(net.arrays["shape_lonlat"], 7).tolist()))
    found = set()
    for code in net.open_arcs().code.tolist():
        edge, against = divmod(code, 2)
        shape = place[start[edge] : start[edge + 1]]
        found.update(pairwise(shape[::-1] if against else shape))
    return found


def seconds_from(net, node):
    """Seconds from one node to all reached, by node id."""
    flat = int(np.flatnonzero(net.arrays["edge_node"].ravel() == node)[0])
    place = Places.one_each(np.array([flat // 2]), np.array([float(flat % 2)]), np.array([0]))
    ids, times = net.arrays["node_id"], {}

    def collect(_row, found):
        times.update(zip(ids[found.node].tolist(), (found.ms / 1000).tolist(), strict=True))

    search_each(net, "from", place, 2**31 - 1, collect)
    return times


def assert_equal(xml, pbf):
    """Compare streets and travel times; return the figures."""
    net, from_xml = build_citygeo(pbf), build_citygeo(xml)
    assert all(np.array_equal(net.arrays[name], from_xml.arrays[name]) for name in net.arrays)
    whole = build_osmnx(xml, simplify=False)
    place = {node: (round(data["x"], 7), round(data["y"], 7)) for node, data in whole.nodes(data=True)}
    theirs = {(place[u], place[v]) for u, v in whole.edges(keys=False) if place[u] != place[v]}
    ours = drawn_arcs(net)
    alike = len(ours & theirs) / len(ours | theirs)
    assert alike >= LEAST_ALIKE, alike
    graph = build_osmnx(xml)
    main = max(nx.strongly_connected_components(graph), key=len)
    number = {int(node): i for i, node in enumerate(net.arrays["node_id"].tolist())}
    shared = sorted(main & number.keys())
    chosen = np.random.default_rng(1).choice(shared, ORIGINS + DESTINATIONS, replace=False).tolist()
    off = []
    for origin in chosen[:ORIGINS]:
        expected = nx.single_source_dijkstra_path_length(graph, origin, weight="travel_time")
        found = seconds_from(net, number[origin])
        off += [abs(found.get(node, np.inf) / expected[node] - 1) for node in chosen[ORIGINS:]]
    worst = float(np.quantile(off, 0.95))
    assert worst <= TIMES_OFF, worst
    return net, graph, alike, float(np.median(off))


def main(source):
    """Print the table."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        xml, pbf = (write_open_ways(source, Path(folder, f"open.{kind}")) for kind in ("osm", "osm.pbf"))
        net, graph, alike, off = assert_equal(xml, pbf)
        print(f"{net!r}; OSMnx: {len(graph)} nodes, {graph.number_of_edges()} edges")
        print(f"equal: Jaccard of directed pieces {alike:.4f}, travel times off by {off:.2%} in the median")
        machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
        versions = ", ".join(f"{name} {version(name)}" for name in ("osmnx", "networkx", "osmium"))
        print(f"{machine}, Python {platform.python_version()}, {versions}; load {load:.1f}")
        print("\n| work | median s | range | peak MB | OSMnx / citygeo |\n|---|---:|---:|---:|---:|")
        peer = measure("osmnx", xml)
        rows = {
            "OSMnx, XML": peer,
            "citygeo, XML": measure("citygeo", xml),
            "citygeo, PBF": measure("citygeo", pbf),
        }
        for name, (median, least, most, megabytes) in rows.items():
            print(
                f"| {name} | {median:.2f} | {least:.2f} to {most:.2f} | {megabytes:,.0f} | {peer[0] / median:.1f} |"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(*sys.argv[2:])
    else:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else cg.datasets.reykjavik().osm_path)
