"""
One side of one case, in a process of its own: build, answer once, then time.

    python -m benchmarks.worker SPEC.json

The parent writes the specification and reads ``result.json`` and the answers from the folder it names. Nothing here
needs citygeo, so that a peer can run under an interpreter that does not have it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import memory, plain
from benchmarks.cases import CASES

LONG_S, LONG_RUNS = 10.0, 3  # what takes longer is run so often only, the first time included
REBUILD_MB = 4096.0  # some peers keep the result of every call


def measure(case, side, spec):
    """
    What there is to say of one side.

    The first run is told apart: it loads or compiles code and touches memory for the first time. Its answer is saved
    for the parent to compare; the later ones are timed.
    """
    module = importlib.import_module(f"benchmarks.{side.module}")
    graph = (
        plain.load(Path(spec["graph"])) if (Path(spec["graph"]) / "ms.npy").exists() else Path(spec["graph"])
    )
    given = case.arguments(graph, side)
    work = getattr(module, case.work)
    base = memory.now_mb()
    memory.forget_peak()
    begin = time.perf_counter()
    built = module.build(graph, side)
    build_s = time.perf_counter() - begin
    after, build_peak, file_before = memory.now_mb(), memory.peak_mb(), memory.file_mb()
    given |= getattr(module, f"{case.work}_given", _as_it_is)(built, given)
    memory.forget_peak()
    cold_s, _, made = timed(work, built, given)
    peak, mapped = memory.peak_mb(), memory.file_mb() - file_before
    answer = getattr(module, f"{case.work}_answer", lambda _built, made, **_given: made)(built, made, **given)
    save(answer, Path(spec["out"]))
    result = {
        "base_mb": base,
        "build_s": build_s,
        "build_mb": max(build_peak, after) - base,
        "cold_s": cold_s,
        "run_mb": peak - after,
        "peak_mb": max(build_peak, peak) - base,
        "run_mapped_mb": mapped,
        "steps": getattr(module, "STEPS", {}),
    }
    del made, answer
    result["load"] = [os.getloadavg()[0]]
    others = memory.Others()
    is_long = cold_s > LONG_S and not side.check_only
    samples, cpu_samples = ([cold_s] if is_long else []), []
    wanted = 0 if side.check_only else min(spec["runs"], LONG_RUNS if is_long else spec["runs"])
    while len(samples) < wanted:
        if memory.own_mb() > REBUILD_MB and not side.keeps_memory:
            built = None
            built = module.build(graph, side)
        seconds, cpu_s, _ = timed(work, built, given)
        samples.append(seconds)
        cpu_samples.append(cpu_s)
    result["load"].append(os.getloadavg()[0])
    return {**result, "samples": samples, "cpu_samples": cpu_samples, "others": others.cores()}


def _as_it_is(_built, _given):
    return {}


def timed(work, built, given):
    """Seconds of one run, those of all processors, and what it made."""
    begin, cpu = time.perf_counter(), time.process_time()
    made = work(built, **given)
    return time.perf_counter() - begin, time.process_time() - cpu, made


def save(answer, out):
    """Write the arrays of an answer, one file each."""
    for i, values in enumerate(answer if isinstance(answer, tuple) else (answer,)):
        if values is not None:
            np.save(out / f"answer{i}.npy", values)


def main():
    """Do what the specification says; what goes wrong is for the parent to tell."""
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    case = CASES[spec["case"]]
    try:
        result = {"status": "ok", **measure(case, case.side(spec["side"]), spec)}
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package in {"citygeo", "benchmarks"} or importlib.util.find_spec(package):
            raise
        result = {"status": f"{package} is not installed"}
    (Path(spec["out"]) / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
