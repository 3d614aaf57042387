"""
The first call of each piece of work in a process, which loads its kernels from disk or compiles them.

    python -m benchmarks.first_calls GRAPH_FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import graphs, plain
from benchmarks.case import Side
from benchmarks.cases import CASES
from benchmarks.harness import ROOT, environment

FEW = {"sources": 32}
CALLS = ("counts", "prepare", "trees", "table", "table_of_places", "nearest", "customise", "isochrones")


def in_a_process(cache, compiled):
    """Seconds by name, of a process that keeps its compiled kernels in a folder."""
    folder = graphs.ensure("reykjavik", cache)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.first_calls", str(folder)]
    done = subprocess.run(
        command, check=True, cwd=ROOT, env=environment(1, compiled), stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def first_calls(folder):
    """One after the other; what a call shares with one before it is loaded by then."""
    from benchmarks import ours

    graph = plain.load(folder)
    begin = time.perf_counter()
    built = ours.build(graph, Side("citygeo", "ours", 1))
    told = {"open": time.perf_counter() - begin}
    for work in CALLS:
        case = next(case for case in CASES.values() if case.work == work)
        few = {
            name: values[: FEW[name]] if name in FEW else values for name, values in case.given(graph).items()
        }
        few |= getattr(ours, f"{work}_given", lambda _built, _given: {})(built, few)
        begin = time.perf_counter()
        made = getattr(ours, work)(built, **few)
        told[work] = time.perf_counter() - begin
        if work == "prepare":
            vars(built.network)["_hierarchy"] = made
    return told


if __name__ == "__main__":
    print(json.dumps(first_calls(Path(sys.argv[1]))))
