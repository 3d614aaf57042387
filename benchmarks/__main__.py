"""
The suite: one command, one table.

    python -m benchmarks                                  # everything: a quarter of an hour, and the isochrones
    python -m benchmarks --only reach-300 table --runs 3
    python -m benchmarks compare benchmarks/results/OLD.json [NEW.json]

The table goes to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks import compare, data, first_calls, machine, start, table
from benchmarks.cases import CASES
from benchmarks.harness import ROOT, Settings, environment, run_case, say

EXTRA = {"first-calls": start.run_first_calls, "start": start.run_start, "cells": start.run_cells}
# one case of each kind, seconds each
QUICK = ("first-calls", "start", "reach-reykjavik", "reach-goteborg", "nearest-city", "customise", "scale-10")
QUICK_RUNS = 3
PEER_PYTHONS = (sys.executable, "python3.14", "python3.13", "python3.12")


def main():
    """Run, or compare."""
    options = _parser().parse_args()
    if options.command == "compare":
        old = json.loads(options.old.read_text(encoding="utf-8"))
        new = json.loads(options.new.read_text(encoding="utf-8")) if options.new else measure(options)
        print("\n".join(compare.lines(old, new)))
        return
    run = measure(options)
    print("\n".join(table.lines(run)))


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[1])
    parser.add_argument(
        "--only", nargs="+", metavar="CASE", choices=[*EXTRA, *CASES], help=", ".join([*EXTRA, *CASES])
    )
    parser.add_argument("--quick", action="store_true", help="a few small cases, three runs each")
    parser.add_argument(
        "--runs", type=int, default=5, help="timed runs of each side; three where one takes over 10 s"
    )
    parser.add_argument(
        "--data", type=Path, default=data.CACHE, help=f"folder of data and graphs ({data.CACHE})"
    )
    parser.add_argument("--json", type=Path, help="also write the results here")
    parser.add_argument(
        "--peer-python", help="interpreter of Python 3.12 or later with osrm-bindings and pyvalhalla"
    )
    parser.set_defaults(command="run")
    commands = parser.add_subparsers(dest="command")
    comparing = commands.add_parser(
        "compare", help="print ratios of two stored runs, or of one and a new one"
    )
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path, nargs="?")
    return parser


def measure(options):
    """Run the chosen cases and return what is kept as JSON."""
    began = time.perf_counter()
    cache = options.data.expanduser().resolve()
    cache.mkdir(parents=True, exist_ok=True)
    chosen = options.only or (QUICK if options.quick else (*EXTRA, *CASES))
    compiled = cache / f"compiled-{version('numba')}"  # another numba would throw them out
    compiled.mkdir(mode=0o700, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(compiled)  # graphs are built in this process
    runs = min(options.runs, QUICK_RUNS) if options.quick else options.runs
    settings = Settings(cache, runs, _peer_python(options.peer_python), compiled, _limits(compiled))
    say("compiling kernels that changed")
    first_calls.in_a_process(cache, compiled)
    run = {
        "date": dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.describe() | {"peer_python": _versions(settings.peer_python)},
        "limits": settings.machine,
        "runs": settings.runs,
        "seconds": 0.0,
        "cases": {},
    }
    for name in chosen:
        run["cases"][name] = _case(name, settings)
        run["seconds"] = round(time.perf_counter() - began, 1)
        if options.json:  # after each case, so that a broken run is not lost
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(_rounded(run), indent=1), encoding="utf-8")
    return run


def _case(name, settings):
    """A case; what cannot be measured says so and lets the others go on."""
    if name in CASES:
        return run_case(name, CASES[name], settings)
    try:
        return EXTRA[name](settings)
    except subprocess.CalledProcessError as failed:
        say(f"{name}: {failed}")
        side = {"side": "citygeo", "threads": 2, "status": f"failed with {failed.returncode}"}
        return {"title": name, "graph": "", "work": name, "sides": [side]}


def _limits(compiled):
    """In a process of its own, so that its arrays are gone before anything else is measured."""
    say("measuring bandwidth and latency")
    command = [sys.executable, "-m", "benchmarks.limits"]
    done = subprocess.run(
        command, check=True, cwd=ROOT, env=environment(2, compiled), capture_output=True, text=True
    )
    return json.loads(done.stdout)


def _peer_python(given):
    """The interpreter that was given, or this one or one on the path that has the peers for later Pythons."""
    for name in (given,) if given else PEER_PYTHONS:
        path = shutil.which(name)
        if path and (given or _versions(path)):
            return path
    return None


def _versions(python):
    """Of the peers of another interpreter."""
    if python is None:
        return {}
    code = f"import json; from benchmarks import machine; print(json.dumps(machine.versions({machine.PEER_PACKAGES})))"
    done = subprocess.run([python, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def _rounded(value):
    """Six digits are more than is known; the stored file stays small."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
