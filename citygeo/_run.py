"""Run serial kernels on Python threads, so that they can be cancelled."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from numpy.typing import NDArray

POLL_S = 0.1


def default_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_chunks(
    work: Callable[[int, int, NDArray[np.uint8]], None], n: int, *, chunk: int = 1, threads: int | None = None
) -> None:
    """
    Call ``work(low, high, stop)`` for each chunk of ``range(n)``; re-raise the first failure.

    Kernels do not see signals, so they run in worker threads while this one waits: Ctrl-C or a failure sets
    the ``stop`` flag, which every kernel reads now and then.

    Parameters
    ----------
    work
        Fills its own rows of the output, so that the result does not depend on the number of threads.
    n
        Number of items.
    chunk
        Items per call.
    threads
        Number of threads; all processors if `None`.
    """
    stop = np.zeros(1, np.uint8)
    with ThreadPoolExecutor(max_workers=threads or default_threads()) as pool:
        jobs: list[Future[None]] = []
        try:
            for low in range(0, n, chunk):
                jobs.append(pool.submit(work, low, min(low + chunk, n), stop))  # noqa: PERF401  # Ctrl-C finds them
            for job in jobs:
                while True:
                    try:
                        job.result(timeout=POLL_S)
                    except NotYet:
                        if (
                            job.done() and job.exception() is not None
                        ):  # the work itself raised a TimeoutError
                            raise
                        continue
                    break
        except BaseException:
            stop[0] = 1
            pool.shutdown(wait=False, cancel_futures=True)
            raise
