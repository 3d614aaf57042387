"""
What this machine can do, measured in the run: bandwidth, latency of loads, and one operation of a queue.

    python -m benchmarks.limits        # prints JSON
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np

REPEATS = 5
TRIAD = 1 << 24  # doubles per array: 128 MB each, beyond every cache
SETS = (32 << 10, 1 << 20, 8 << 20, 64 << 20)
LOADS = 2_000_000
LINE = 8  # 64-bit words of a cache line
CHAINS = 4
BUCKETS, WAITING = 64, 256  # a search of a few minutes has some hundred nodes waiting


@numba.njit(nogil=True)
def triad(a, b, c, low, high):
    """STREAM's triad: two arrays read, one written, 24 bytes per element."""
    for i in range(low, high):
        a[i] = b[i] + 3.0 * c[i]


@numba.njit(nogil=True)
def chase(following, steps):
    """Loads that each need the one before."""
    at = 0
    for _ in range(steps):
        at = following[at]
    return at


@numba.njit(nogil=True)
def chase_four(following, steps, starts):
    """Four such chains side by side, which a processor can overlap."""
    a, b, c, d = starts[0], starts[1], starts[2], starts[3]
    for _ in range(steps):
        a, b, c, d = following[a], following[b], following[c], following[d]
    return a + b + c + d


@numba.njit(nogil=True)
def queue_cycle(keys, counts, steps, ahead):
    """Take a key from the first bucket that has one and put a later one in: the cheapest queue of a search."""
    mask = np.int64(counts.size - 1)
    at, total = np.int64(0), np.int64(0)
    for step in range(steps):
        while counts[at] == 0:
            at = (at + 1) & mask
        counts[at] -= 1
        key = keys[at, counts[at]]
        later = (at + ahead[step & np.int64(1023)]) & mask
        keys[later, counts[later]] = key + 1
        counts[later] += 1
        total += key
    return total


def best(work):
    """Least seconds of several runs, after one that compiles: a limit is what the machine can do at its best."""
    work()
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def triad_gb_s(threads):
    """Bandwidth with so many threads, each on a part of its own."""
    a, b, c = (np.ones(TRIAD) for _ in range(3))
    edges = np.linspace(0, TRIAD, threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:

        def work():
            list(pool.map(lambda part: triad(a, b, c, *part), pairwise(edges)))

        return 3 * 8 * TRIAD / best(work) / 1e9


def ring(size, rng):
    """A random cycle through all cache lines of a working set of so many bytes."""
    lines = rng.permutation(size // 64)
    following = np.zeros(size // 8, np.int64)
    following[lines * LINE] = np.roll(lines, -1) * LINE
    return following, lines * LINE


def measure():
    """The constants, by the keys that `benchmarks.physics` uses."""
    rng = np.random.default_rng(1)
    dependent, independent = {}, {}
    for size in SETS:
        following, lines = ring(size, rng)
        starts = lines[np.linspace(0, lines.size - 1, CHAINS).astype(int)]
        dependent[str(size)] = best(lambda f=following: chase(f, LOADS)) / LOADS * 1e9
        loads = LOADS * CHAINS
        independent[str(size)] = best(lambda f=following, s=starts: chase_four(f, LOADS, s)) / loads * 1e9
    keys = np.zeros((BUCKETS, WAITING), np.uint64)
    counts = np.full(BUCKETS, WAITING // BUCKETS)
    ahead = rng.integers(1, BUCKETS, 1024)
    return {
        "triad_gb_s": {str(threads): triad_gb_s(threads) for threads in (1, 2)},
        "latency_ns": dependent,
        "load_ns": independent,
        "queue_ns": best(lambda: queue_cycle(keys, counts, LOADS, ahead)) / LOADS * 1e9,
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
