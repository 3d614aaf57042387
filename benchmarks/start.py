"""How long it takes until something is there, with kernels compiled anew or on disk; and the script on cells."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time

from benchmarks import first_calls, graphs
from benchmarks.harness import ROOT, environment, say

FIRST = """
import sys, warnings
warnings.simplefilter("ignore")
import citygeo as cg, geopandas as gpd, shapely
net = cg.RoadNetwork.load(sys.argv[1])
place = gpd.GeoDataFrame(geometry=[shapely.Point(-21.9, 64.13)], crs="EPSG:4326")
area = cg.service_area(net, place, minutes=5, direction="from")
assert len(getattr(area, sys.argv[2])) > 0
"""
ANEW_RUNS = FIRST_RUNS = 2


def seconds(code, *arguments, compiled):
    """Wall time of a Python process from its start to its end."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    begin = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, env=environment(2, compiled), stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def run_start(settings):
    """From the start of a process to an import and to the first area."""
    network = graphs.ensure("reykjavik", settings.cache) / "network"
    kept = {"compiled": settings.compiled}
    seconds(FIRST, network, "polygons", **kept)  # now all kernels are on disk
    rows = {
        "an empty process": [seconds("pass", **kept) for _ in range(settings.runs)],
        "import numpy": [seconds("import numpy", **kept) for _ in range(settings.runs)],
        "import citygeo": [seconds("import citygeo", **kept) for _ in range(settings.runs)],
        **{
            f"first 5-minute area, {kind}": [
                seconds(FIRST, network, kind, **kept) for _ in range(settings.runs)
            ]
            for kind in ("edges", "polygons")
        },
        "first 5-minute area, edges, compiled anew": [_anew(network, "edges") for _ in range(ANEW_RUNS)],
    }
    say(f"start: {', '.join(f'{name} {min(samples):.2f} s' for name, samples in rows.items())}")
    return _result("process start to end", graphs.LABELS["reykjavik"], rows)


def _anew(network, kind):
    with tempfile.TemporaryDirectory() as empty:
        return seconds(FIRST, network, kind, compiled=empty)


def run_first_calls(settings):
    """First calls with an empty folder of compiled kernels, and with the one that the suite keeps."""
    with tempfile.TemporaryDirectory() as empty:
        anew = first_calls.in_a_process(settings.cache, empty)
    told = [first_calls.in_a_process(settings.cache, settings.compiled) for _ in range(FIRST_RUNS)]
    result = _result(
        "first call in a process: compiled anew (first), kernels on disk (median)",
        graphs.LABELS["reykjavik"],
        {name: [one[name] for one in told] for name in anew},
    )
    for side in result["sides"]:
        side["cold_s"] = anew[side["side"]]
    say(f"first calls: {sum(anew.values()):.1f} s anew, {sum(told[0].values()):.1f} s from disk")
    return result


def _result(title, graph, rows):
    sides = [
        {"side": name, "threads": 1, "status": "ok", "samples": samples} for name, samples in rows.items()
    ]
    return {"title": title, "graph": graph, "work": "start", "sides": sides}


def run_cells(settings):
    """Points to H3 cells, by the script that compares them."""
    code = (
        "import json; from benchmarks import h3_points; "
        f"print(json.dumps(h3_points.measure({settings.runs})))"  # which compares all cells first
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command,
        check=True,
        cwd=ROOT,
        env=environment(2, settings.compiled),
        stdout=subprocess.PIPE,
        text=True,
    )
    sides = []
    for where, name, samples in json.loads(done.stdout.splitlines()[-1]):
        side, _, threads = name.partition(", ")
        sides.append(
            {
                "side": f"{side}, {where}",
                "threads": int(threads[:1] or 1),
                "status": "ok",
                "samples": samples,
                "units": 1_000_000,
            }
        )
    say("cells: " + ", ".join(f"{side['side']} {min(side['samples']):.3f} s" for side in sides))
    return {
        "title": "1 M points to H3 cells of resolution 9, all equal to h3-py's",
        "graph": "",
        "work": "cells",
        "sides": sides,
    }
