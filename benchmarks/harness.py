"""One case: a process per side, answers compared, then figures."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import answers, graphs, plain

TIMEOUT_S = 420
ROOT = Path(__file__).parents[1]


class Settings(NamedTuple):
    """
    How to run.

    Attributes
    ----------
    cache
        Folder of data and graphs.
    runs
        Timed runs of each side.
    peer_python
        Interpreter for peers without wheels for this one, or `None`.
    compiled
        Folder of compiled kernels, kept between runs of the suite.
    machine
        What `benchmarks.limits` measured.
    """

    cache: Path
    runs: int
    peer_python: str | None
    compiled: Path
    machine: dict


def environment(threads, compiled):
    """Variables by which every library uses so many threads at most."""
    names = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "RAYON_NUM_THREADS",
    )
    return os.environ | dict.fromkeys(names, str(threads)) | {"NUMBA_CACHE_DIR": str(compiled)}


def say(text):
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def run_case(name, case, settings):
    """
    Measure all sides of a case.

    Returns
    -------
    What the table and the JSON file say of it.
    """
    folder = graphs.ensure(case.graph, settings.cache)
    facts = plain.facts(folder)
    with tempfile.TemporaryDirectory(prefix="citygeo-benchmark-") as scratch:
        sides, found = [], {}
        for side in case.sides:
            out = Path(scratch) / side.key
            out.mkdir()
            result = _run_side(name, side, folder, out, settings)
            say(f"{name}: {side.name}, {side.threads} thread(s): {_headline(result)}")
            sides.append({"side": side.name, "threads": side.threads, **_traits(side), **result})
            if result["status"] == "ok":
                found[side.key] = answers.load(out)
        _compare(case, folder, sides, found)
        for side, row in zip(case.sides, sides, strict=True):
            if row["status"] == "ok" and found[side.key]:
                row["unit"], row["units"] = answers.units(case.work, found[side.key])
        limits = _limits(case, facts, found, settings)
    return {
        "title": case.title,
        "graph": graphs.LABELS[case.graph],
        "facts": facts,
        "work": case.work,
        "sides": sides,
        "limits_s": limits,
        "left_out": dict(case.left_out),
        "after": case.after,
    }


def _run_side(name, side, folder, out, settings):
    python = settings.peer_python if side.python == "peer" else sys.executable
    if python is None:
        return {"status": "no interpreter with a wheel of it was given or found (--peer-python)"}
    spec = out / "spec.json"
    asked = {"case": name, "side": side.key, "graph": str(folder), "runs": settings.runs, "out": str(out)}
    spec.write_text(json.dumps(asked), encoding="utf-8")
    command = [python, "-W", "ignore", "-m", "benchmarks.worker", str(spec)]
    given = environment(side.threads, settings.compiled) | {"TMPDIR": str(out)}
    with (out / "log").open("wb") as log:
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=given, stdout=log, stderr=log, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return {"status": f"stopped after {TIMEOUT_S} s"}
    if done.returncode:
        lines = (out / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return {"status": f"failed: {lines[-1] if lines else done.returncode}"}
    for path in out.iterdir():
        if path.is_dir():
            shutil.rmtree(path)  # a peer's own files of the map
    return json.loads((out / "result.json").read_text(encoding="utf-8"))


def _traits(side):
    return {"every": side.every, "is_own_graph": side.is_own_graph, "check_only": side.check_only}


def _headline(result):
    if result["status"] != "ok":
        return result["status"]
    samples = result["samples"] or [result["cold_s"]]
    return f"{statistics.median(samples):.4g} s"


def _compare(case, folder, sides, found):
    """Mark what differs from the oracle, and take its figures away."""
    keys = [
        side.key for side in case.sides if side.key in found and not side.is_own_graph and found[side.key]
    ]
    peers = [key for key in keys if case.side(key).module != "ours"]
    if not keys:
        return
    oracle = case.side((peers or keys)[0])
    graph = None
    for side, row in zip(case.sides, sides, strict=True):
        if side.key not in keys or side is oracle:
            continue
        if case.work == "nearest" and graph is None:
            graph = plain.load(folder)
            graph = graph, case.given(graph)["facilities"]
        told = answers.difference(graph, found[side.key], found[oracle.key], side.every, oracle.every)
        row["equal_to"] = oracle.name
        if told:
            say(f"answers of {side.name} differ from those of {oracle.name}: {told}")
            row.update(status=f"answers differ from {oracle.name}: {told}", samples=[], equal_to=None)


def _limits(case, facts, found, settings):
    """Least seconds by threads, by the answer of a side that had all sources."""
    whole = [
        found[side.key] for side in case.sides if side.key in found and side.every == 1 and found[side.key]
    ]
    if case.limit is None or not whole:
        return {}
    return {str(threads): case.limit(settings.machine, facts, threads, whole[0]) for threads in (1, 2)}
