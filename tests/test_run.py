"""Threads, failures, cancelling, progress."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from citygeo import _run
from citygeo._run import default_threads, run_chunks

ROOT = Path(__file__).parents[1]


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


def test_many_chunks_need_few_threads():
    names, done = set(), np.zeros(20_000, np.uint8)

    def work(low, high, _stop):
        names.add(threading.get_ident())
        done[low:high] += 1

    run_chunks(work, done.size, threads=3)
    assert (done == 1).all()
    assert len(names) <= 3


def test_of_two_failures_the_first_chunks_comes_through():
    both, last_failed = threading.Barrier(2, timeout=10), threading.Event()

    def work(low, _high, _stop):
        both.wait()
        if low == 0:
            last_failed.wait(10)
            time.sleep(0.05)
        else:
            last_failed.set()
        raise ValueError(f"chunk {low}")

    with pytest.raises(ValueError, match="chunk 0"):
        run_chunks(work, 2, threads=2)


@pytest.mark.parametrize("problem", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_the_work_raises_comes_through(problem):
    def work(*_):
        raise problem

    with pytest.raises(type(problem)) as caught:
        run_chunks(work, 3, threads=2)
    assert caught.value is problem


def test_a_failure_does_not_keep_the_arrays():
    array = np.zeros(10)
    gone = weakref.ref(array)

    def fail(array):
        def work(*_):
            raise ValueError(array.size)

        run_chunks(work, 2, threads=2)

    gc.disable()
    try:
        with contextlib.suppress(ValueError):
            fail(array)
        del array
        assert gone() is None
    finally:
        gc.enable()


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


def interrupt(code, within_s):
    """Run code that prints a line when it is at work, stop it with Ctrl-C, and return what else it printed."""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=within_s)
        finally:
            process.kill()
        assert process.returncode == 130
        return rest


def test_ctrl_c_stops_the_work():
    interrupt(INTERRUPTED, within_s=5)


DEAF = """
import sys, time
from citygeo._run import run_chunks

def work(low, high, stop):
    print("working", flush=True)
    time.sleep(3)

try:
    run_chunks(work, 100, threads=1)
except KeyboardInterrupt:
    print("stopped", flush=True)
    sys.exit(130)
"""


def test_ctrl_c_does_not_wait_for_work_that_does_not_listen():
    command = [sys.executable, "-c", DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.stdout.readline() == "stopped\n"
        assert time.monotonic() - began < 2.5  # the work goes on for three seconds
        assert process.wait(timeout=10) == 130


SEARCHING = """
import sys, time
import numpy as np
from citygeo import engine
from tests.toy import grid_city

net = grid_city(60)
few, all_nodes = engine.Nodes(np.arange(1)), engine.Nodes(np.tile(np.arange(net.n_nodes), 100))
engine.times(net, "from", few, few, engine="dijkstra", threads=2)
print("working", flush=True)
try:
    while True:
        engine.sums(net, "from", all_nodes, all_nodes, cutoffs_ms=[10**9], engine="dijkstra", threads=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_stops_kernels_at_work():
    interrupt(SEARCHING, within_s=60)  # the first search compiles: numba's compiler does not listen
