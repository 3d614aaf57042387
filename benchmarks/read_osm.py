"""
From an OSM PBF to a drive network that is ready for queries, against pyrosm, over files of several sizes.

    python benchmarks/read_osm.py --peer-python .venv-pyrosm/bin/python city.osm.pbf country.osm.pbf

Prints a table in Markdown. Every run is a process of its own. Clock and peak memory begin after the imports; what
these take is shown apart. Compiled kernels are on disk, as in every run but the first after an installation. The
runs of both sides take turns. Without --peer-python only citygeo is measured; without files, the sample city is read.

Before anything is timed, both sides must agree on the streets: each way that both keep must have the same pieces
between the same nodes. Which ways they keep differs: pyrosm leaves out service roads and keeps bus stops drawn as ways,
so that citygeo does the greater part of the work on the same file; the table counts the ways of both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

import citygeo as cg
from citygeo.io import osm
from citygeo.modes import travel_mode

RUNS = 5
MODE = "drive"

MEASURE = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
def peak_mb():
    # of this program alone; getrusage begins with the peak of the process that started it
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
{imports}
base, start = peak_mb(), time.perf_counter()
{work}
print(json.dumps({{"seconds": time.perf_counter() - start, "mb": peak_mb() - base, "import_mb": base, **{more}}}))
"""
OURS = {
    # numba itself imports scipy.linalg before its first kernel
    "imports": "import citygeo as cg, numba, scipy.linalg, geopandas, citygeo.io.osm, citygeo.network.build",
    "work": f"net = cg.RoadNetwork.from_osm(sys.argv[1], mode={MODE!r})",
    "more": "{}",
}
READ = {**OURS, "work": "cg.io.osm.read(sys.argv[1])"}
PEER = {
    "imports": "from pyrosm import OSM",
    "work": 'nodes, edges = OSM(sys.argv[1]).get_network(nodes=True, network_type="driving")',
    "more": "{}",
}
SEGMENTS = {
    **PEER,
    "imports": "import numpy as np\nfrom pyrosm import OSM",
    "more": '{"saved": np.save(sys.argv[2], edges[["id", "u", "v"]].to_numpy(np.int64))}',
}


def measured(python, parts, *arguments):
    """What one process says of itself."""
    code = MEASURE.format(**parts)
    done = subprocess.run(
        [python, "-c", code, *map(str, arguments)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def our_segments(path):
    """Way and nodes of each segment that is open to the mode, in the order of the file."""
    streets, mode = osm.read(path), travel_mode(MODE)
    is_open = np.array([mode.rule(tags).is_open for tags in streets.tag_sets])[streets.way_tag_set]
    way = np.repeat(np.arange(len(streets.way_id)), np.diff(streets.way_start))
    node = streets.node_id[streets.way_node]
    is_segment = (way[:-1] == way[1:]) & is_open[way[:-1]]
    return np.column_stack((streets.way_id[way[:-1]], node[:-1], node[1:]))[is_segment]


def compared(path, peer_python):
    """Number of ways of ours and of the peer, after asserting that they agree on all that both keep."""
    ours = our_segments(path)
    if peer_python is None:
        return np.unique(ours[:, 0]).size, None
    with tempfile.TemporaryDirectory() as folder:
        measured(peer_python, SEGMENTS, path, Path(folder) / "peer.npy")
        theirs = np.load(Path(folder) / "peer.npy")
    both = np.intersect1d(ours[:, 0], theirs[:, 0])
    mine, other = (rows[np.isin(rows[:, 0], both)] for rows in (ours, theirs))
    assert both.size > 0.99 * np.unique(theirs[:, 0]).size
    np.testing.assert_array_equal(np.unique(mine, axis=0), np.unique(other, axis=0))
    assert len(mine) == len(other)
    return np.unique(ours[:, 0]).size, np.unique(theirs[:, 0]).size


def median(runs, name):
    """Median of a figure over runs."""
    return statistics.median(run[name] for run in runs)


def spread(runs):
    """Least and most seconds."""
    seconds = [run["seconds"] for run in runs]
    return f"{min(seconds):.2f} to {max(seconds):.2f}"


def line(path, peer_python, n_runs):
    """Measure one file and print its line of the table."""
    ours_ways, peer_ways = compared(path, peer_python)
    load = os.getloadavg()[0]
    ours, read, peer = [], [], []
    for _ in range(n_runs):
        ours.append(measured(sys.executable, OURS, path))
        read.append(measured(sys.executable, READ, path))
        if peer_python is not None:
            peer.append(measured(peer_python, PEER, path))
    size = path.stat().st_size
    cells = [
        path.name, f"{size / 1e6:.1f}", f"{ours_ways:,}", f"{median(read, 'seconds'):.2f}",
        f"{median(ours, 'seconds'):.2f} ({spread(ours)})", f"{median(ours, 'seconds') / size * 1e9:.0f}",
        f"{median(ours, 'mb'):.0f}", f"{median(ours, 'mb') * 2**20 / size:.1f}",
    ]  # fmt: skip
    if peer:
        cells += [
            f"{peer_ways:,}", f"{median(peer, 'seconds'):.2f} ({spread(peer)})", f"{median(peer, 'mb'):.0f}",
            f"{median(ours, 'seconds') / median(peer, 'seconds'):.2f}",
        ]  # fmt: skip
    print("| " + " | ".join([*cells, f"{load:.1f}"]) + " |", flush=True)
    return ours, peer


def main():
    """Print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("files", nargs="*", type=Path)
    options.add_argument("--peer-python", help="an interpreter that has pyrosm")
    options.add_argument("--runs", type=int, default=RUNS)
    chosen = options.parse_args()
    files = sorted(chosen.files or [cg.datasets.reykjavik().osm_path], key=lambda path: path.stat().st_size)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("numba", "numpy")), end="")
    peer_python = chosen.peer_python
    if peer_python is None:
        print("; pyrosm is not compared: no --peer-python given")
    else:
        code = "from importlib.metadata import version; print(version('pyrosm'))"
        found = subprocess.run([peer_python, "-c", code], check=True, capture_output=True, text=True)
        print(f", pyrosm {found.stdout.strip()}")
    head = ["file", "MB", "ways", "read, s", "network, s", "ns per byte", "peak, MB", "times the file"]
    head += ["pyrosm: ways", "network, s", "peak, MB", "citygeo / pyrosm"] if peer_python else []
    print("\n| " + " | ".join([*head, "load"]) + " |\n|---|" + "---:|" * len(head))
    for path in files:
        ours, peer = line(path, peer_python, chosen.runs)
    print(f"\nimports: citygeo {median(ours, 'import_mb'):.0f} MB", end="")
    print(f", pyrosm {median(peer, 'import_mb'):.0f} MB" if peer else "")


if __name__ == "__main__":
    main()
