"""The one table, from the results of a run."""

from __future__ import annotations

import statistics

HEAD = (
    "| work | side | threads | build s | first s | median s | range s | ns each | peak MB | run MB "
    "| citygeo 1 / 2 | of limit |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)
BUSY = 0.5
OURS = "citygeo"
LEGEND = (
    "Every side is a process of its own. *build*: what it needs before, with its steps; *first*: the first run, "
    "code loaded but not compiled; *median* and *range* of the later runs; *ns each*: per reached node, per node "
    "and source, or per node; *peak MB*: most memory above what the imports took, and *run MB* above what the "
    "built graph took; *citygeo 1 / 2*: how many times as long it takes as citygeo on 1 and on 2 threads; *of "
    "limit*: citygeo's time as a multiple of the least seconds that benchmarks/physics.py finds for this machine. "
    "* other programs used more than half a core meanwhile. A side whose answer differs shows no time."
)


def lines(run):
    """The table in Markdown, with what is to be said below it."""
    yield _machine(run)
    yield ""
    yield HEAD
    notes = {}
    for case in run["cases"].values():
        yield from _rows(case, run["cases"])
        for who, why in case.get("left_out", {}).items():
            notes.setdefault(f"{who}: {why}", []).append(case["title"])
    yield ""
    yield LEGEND
    if notes:
        yield ""
        yield "Left out:"
        yield ""
        yield from (f"- {note} ({'; '.join(dict.fromkeys(titles))})" for note, titles in notes.items())


def _machine(run):
    machine, limits = run["machine"], run["limits"]
    triad, load = limits["triad_gb_s"], limits["latency_ns"]
    return (
        f"{run['date']}; {machine['cpu']}, {machine['avx']}, {machine['cores']} cores, {machine['memory_gb']} GB; "
        f"Python {machine['python']}, "
        + ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        + f". Measured: triad {triad['1']:.1f} / {triad['2']:.1f} GB/s on 1 / 2 threads; dependent loads "
        + ", ".join(f"{_size(int(size))} {ns:.1f} ns" for size, ns in load.items())
        + f". The whole took {run['seconds'] / 60:.1f} minutes."
    )


def _size(number):
    return f"{number >> 20} MB" if number >> 20 else f"{number >> 10} KB"


def _rows(case, cases):
    sides = case["sides"]
    facts = case.get("facts", {})
    size = f", {facts['nodes']:,} nodes, {facts['arcs']:,} arcs" if facts else ""
    title = f"{case['title']}; {case['graph']}{size}" if case["graph"] else case["title"]
    ours = {side["threads"]: rate(side) for side in sides if side["side"] == OURS and rate(side)}
    for side in sides:
        yield _row(title, side, case, ours, cases)
        title = ""


def _row(title, side, case, ours, cases):
    start = f"| {title} | {side['side']}{_traits(side)} | {side['threads'] or ''} "
    samples = side.get("samples")
    if side["status"] != "ok" or not samples:
        told = "checks the answers" if side["status"] == "ok" else side["status"]
        return f"{start}| {told} " + "| " * 8 + "|"
    median, unit = statistics.median(samples), side.get("units", 1)
    mark = "*" if side.get("others", 0) > BUSY else ""
    each = f"{median / unit * 1e9:,.3g}" if unit > 1 else ""
    return (
        f"{start}| {_build(side)} | {_figure(side.get('cold_s'))} | {median:.4g}{mark} "
        f"| {min(samples):.4g} to {max(samples):.4g} | {each} | {_mb(side.get('peak_mb'))} | {_run_mb(side, case)} "
        f"| {_against(side, ours, case, cases)} | {_of_limit(side, case, median)} |"
    )


def _traits(side):
    told = []
    if side.get("every", 1) > 1:
        told.append(f"every {side['every']}th source")
    if side.get("is_own_graph") and side["side"] != OURS:
        told.append("own graph")
    return f" ({', '.join(told)})" if told else ""


def _build(side):
    steps = ", ".join(f"{name} {seconds:.3g}" for name, seconds in side.get("steps", {}).items())
    return f"{_figure(side.get('build_s'))}{f' ({steps})' if steps else ''}"


def _figure(seconds):
    return "" if seconds is None else f"{seconds:.3g}"


def _mb(number):
    return "" if number is None else f"{number:,.0f}"


def _run_mb(side, case):
    """With a mapped graph, the pages that were read count too, and are told apart."""
    mapped = f" ({side['run_mapped_mb']:,.0f} mapped)" if case["work"] == "mapped_counts" else ""
    return f"{_mb(side.get('run_mb'))}{mapped}"


def rate(side):
    """Seconds per unit of the answer, so that a part of the sources can be compared with all; `None` if not timed."""
    samples = side.get("samples")
    return statistics.median(samples) / side.get("units", 1) if samples and side["status"] == "ok" else None


def _against(side, ours, case, cases):
    """How many times as long as citygeo it takes; for citygeo on a larger graph, as on the smaller one."""
    if side["side"] == OURS:
        before = cases.get(case.get("after", ""), {}).get("sides", ())
        smaller = [rate(one) for one in before if (one["side"], one["threads"]) == (OURS, side["threads"])]
        return f"{rate(side) / smaller[0]:.2f} per node of the smallest" if smaller and smaller[0] else ""
    return " / ".join(f"{rate(side) / ours[threads]:.3g}" for threads in sorted(ours))


def _of_limit(side, case, median):
    limit = case.get("limits_s", {}).get(str(side["threads"]))
    return f"{median / limit:.1f} x {limit:.3g}" if limit and side["side"] == OURS else ""
