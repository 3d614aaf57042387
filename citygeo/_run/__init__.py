"""Run serial kernels on Python threads, so that they can be cancelled and watched."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from citygeo._run.progress import Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Work = Callable[[int, int, NDArray[np.uint8]], None]

POLL_S = 0.1
LAST_WORDS_S = 0.1  # kernels stop within milliseconds; what does not, is not waited for


def default_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_chunks(
    work: Work, n: int, *, chunk: int = 1, threads: int | None = None, name: str | None = None
) -> None:
    """
    Call ``work(low, high, stop)`` for each chunk of ``range(n)``; re-raise the first failure.

    Kernels do not see signals, so they run in worker threads while this one waits: Ctrl-C or a failure sets
    the ``stop`` flag, which every kernel reads now and then. Whoever looks at stderr sees how far a long batch is.

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
    name
        What is being done, in English and Chinese, such as ``"travel times 出行时间"``.
    """
    n_workers = min(threads or default_threads(), -(-n // chunk))
    batch = _Batch(work, n, chunk)
    workers = [threading.Thread(target=batch.work_off, name="citygeo") for _ in range(n_workers)]
    try:
        with Meter(name or "") as meter:
            for worker in workers:
                worker.start()
            for worker in workers:
                while worker.is_alive():
                    worker.join(POLL_S)
                    meter.show(batch.share)
    except BaseException:
        batch.stop[0] = 1
        _wait(workers, LAST_WORDS_S)
        raise
    batch.raise_failure()


def _wait(workers: list[threading.Thread], seconds: float) -> None:
    """Wait for workers, but not for ever."""
    end = time.monotonic() + seconds
    for worker in workers:
        if worker.ident is not None:
            worker.join(max(end - time.monotonic(), 0.0))


class _Batch:
    """Chunks that workers take one after another, and what became of them."""

    def __init__(self, work: Work, n: int, chunk: int) -> None:
        import numpy as np  # not before there is work: the command line imports this package for its help too

        self.stop = np.zeros(1, np.uint8)
        self._work, self._n, self._chunk = work, n, chunk
        self._lock = threading.Lock()
        self._next = self._done = 0
        self._failed: tuple[int, BaseException] | None = None

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self._done / self._n

    def work_off(self) -> None:
        """Do chunks until there are none, or one has failed."""
        done = 0
        while (low := self._take(done)) is not None:
            try:
                self._work(low, min(low + self._chunk, self._n), self.stop)
            except BaseException as problem:  # noqa: BLE001  # the caller gets it, whatever it is
                self._fail(low, problem)
            done = 1

    def _take(self, n_done: int) -> int | None:
        """Note chunks done and return where the next begins, `None` if there is no more to do."""
        with self._lock:
            self._done = min(self._done + n_done * self._chunk, self._n)
            if self.stop[0] or self._next >= self._n:
                return None
            self._next += self._chunk
            return self._next - self._chunk

    def _fail(self, low: int, problem: BaseException) -> None:
        with self._lock:
            # chunks are begun in their order, so of several failures the first chunk's is likely the same each time
            if self._failed is None or low < self._failed[0]:
                self._failed = (low, problem)
            self.stop[0] = 1

    def raise_failure(self) -> None:
        """Raise what went wrong, if something did."""
        if self._failed is None:
            return
        problem, self._failed = self._failed[1], None
        try:
            raise problem
        finally:
            del problem  # its traceback holds this frame: together they would keep the caller's arrays
