"""Ask both engines, from both sides and with one and two threads, and insist that they agree bit for bit."""

from __future__ import annotations

import numpy as np

from citygeo import engine
from citygeo.engine import LONGEST_MS, UNREACHED, bounded, choice, sweeps

MANY_SEARCHES = 2_000  # not searched one by one from both sides


def same(answers):
    """The one answer that all gave."""
    first, *others = answers
    for other in others:
        np.testing.assert_array_equal(first, other)
    return first


def times(net, direction, sources, targets, limit=LONGEST_MS):
    """Milliseconds of every pair."""
    limit = min(limit, LONGEST_MS)
    answers = [engine.times(net, direction, sources, targets, limit)]
    if sources.n_rows and targets.n_rows:
        for side in choice.sides(direction, sources, targets):
            ways = (side.direction, side.sources, side.targets, limit)
            if side.sources.n_rows <= MANY_SEARCHES:
                table = bounded.times(net, *ways, threads=1)
                answers.append(table.T if side.is_turned else table)
            tables = [sweeps.times(net, *ways, threads=threads) for threads in (1, 2)]
            answers += [table.T if side.is_turned else table for table in tables]
    return same(answers)


def sums(net, direction, sources, targets, weights=None, *, cutoffs_ms, decay=None):
    """What every source reaches within each cut-off."""
    given = np.ones(targets.n_rows) if weights is None else np.asarray(weights, np.float64)
    made = engine.Weights.made(given.reshape(targets.n_rows, -1), list(cutoffs_ms), decay)
    answers = [
        engine.sums(
            net, direction, sources, targets, weights, cutoffs_ms=cutoffs_ms, decay=decay, engine=name
        )
        for name in ("auto", "dijkstra", "cch")
    ]
    for side in choice.sides(direction, sources, targets):
        runs = (bounded.sums, sweeps.sums) if side.sources.n_rows <= MANY_SEARCHES else (sweeps.sums,)
        for run in runs:
            for threads in (1, 2):
                total = run(net, *side[:3], made, is_turned=side.is_turned, threads=threads)
                found = made.unscaled(total)
                answers.append(found if given.ndim == 2 else found[:, :, 0])
    return same(answers)


def nearest(net, direction, sources, targets, limit=LONGEST_MS, k=1):
    """Milliseconds and row of each target's `k` nearest sources."""
    answers = [
        engine.nearest(net, direction, sources, targets, limit, k=k, engine=name, threads=threads)
        for name in ("auto", "dijkstra", "cch")
        for threads in (1, 2)
    ]
    same([ms for ms, _ in answers])
    same([row for _, row in answers])
    return answers[0]


def listed(table):
    """Rows of whole milliseconds, `None` where there is no way."""
    return [[None if ms == UNREACHED else int(ms) for ms in row] for row in table.tolist()]
