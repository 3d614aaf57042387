"""Threads, failures, cancelling, progress."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import TimeoutError as NotYet

import pytest

from citygeo import _run
from citygeo._run import default_threads, run_chunks


@pytest.mark.parametrize("threads", [1, 2, 5, None])
@pytest.mark.parametrize(("n", "chunk"), [(0, 1), (1, 1), (10, 3), (10, 10), (10, 99), (64, 1)])
def test_every_item_is_done_once(n, chunk, threads):
    done, lock = [], threading.Lock()

    def work(low, high, stop):
        assert not stop[0]
        assert high - low <= chunk
        with lock:
            done.extend(range(low, high))

    run_chunks(work, n, chunk=chunk, threads=threads)
    assert sorted(done) == list(range(n))


def test_work_runs_outside_the_main_thread_and_side_by_side():
    meeting, names = threading.Barrier(2, timeout=10), set()

    def work(_low, _high, _stop):
        meeting.wait()  # passes only if two run at a time
        names.add(threading.get_ident())

    run_chunks(work, 2, threads=2)
    assert threading.get_ident() not in names
    assert len(names) == 2


def test_first_failure_comes_through_and_stops_the_rest():
    stopped = []

    def work(low, _high, stop):
        if low == 0:
            raise ZeroDivisionError("mine")
        end = time.monotonic() + 10
        while not stop[0] and time.monotonic() < end:
            time.sleep(0.005)
        stopped.append(bool(stop[0]))

    began = time.monotonic()
    with pytest.raises(ZeroDivisionError, match="mine"):
        run_chunks(work, 50, threads=2)
    assert time.monotonic() - began < 5
    assert all(stopped)
    assert len(stopped) < 49, "work that had not begun was done all the same"


def test_a_timeout_of_the_work_itself_comes_through():
    def work(*_):
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="the work's own"):
        run_chunks(work, 1)


def test_slow_work_is_waited_for(monkeypatch):
    monkeypatch.setattr(_run, "POLL_S", 0.01)
    done = []

    def work(low, _high, _stop):
        time.sleep(0.1)
        done.append(low)

    run_chunks(work, 2, threads=1)
    assert done == [0, 1]


def test_work_that_ends_between_two_looks_is_no_failure(monkeypatch):
    class Job:
        """Not ready when asked, and done by the time of the next question."""

        asked = 0

        def result(self, **_):
            self.asked += 1
            if self.asked == 1:
                raise NotYet

        def done(self):
            return True

        def exception(self):
            return None

    class Pool:
        def __init__(self, **_):
            self.job = Job()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def submit(self, *_):
            return self.job

        def shutdown(self, **_):
            return None

    monkeypatch.setattr(_run, "ThreadPoolExecutor", Pool)
    run_chunks(lambda *_: None, 1)


def test_default_threads_are_those_of_this_process():
    assert default_threads() == len(os.sched_getaffinity(0))


INTERRUPTED = """
import sys, time
from citygeo._run import run_chunks

def work(low, high, stop):
    print("working", flush=True)
    end = time.monotonic() + 8
    while not stop[0] and time.monotonic() < end:
        time.sleep(0.01)

try:
    run_chunks(work, 100, threads=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_stops_the_work():
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"working\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=6) == 130
        assert time.monotonic() - began < 5
