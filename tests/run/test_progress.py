"""What the person at the screen sees of long work, and that nobody else sees anything."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from citygeo import _run
from citygeo._run import progress, run_chunks
from citygeo._run.progress import Meter, describe, quiet, say

ROOT = Path(__file__).parents[2]


class Terminal(io.StringIO):
    """A terminal that remembers what was written, and shows what a person would see."""

    def isatty(self):
        return True

    def frames(self):
        """What was on the screen after each writing."""
        return self._frames

    def __init__(self):
        super().__init__()
        self._frames = []

    def write(self, text):
        super().write(text)
        self._frames.append(screen(self.getvalue()))


def screen(written):
    """The lines on the screen after all this was written: a carriage return goes back, letters replace letters."""
    lines = []
    for line in written.split("\n"):
        shown = []
        for part in line.split("\r"):
            # a Chinese letter takes two columns
            columns = [column for letter in part for column in (letter, "")[: 1 + (ord(letter) > 0x2E7F)]]
            shown[: len(columns)] = columns
        lines.append("".join(shown).rstrip())
    return lines


@pytest.fixture
def terminal(monkeypatch):
    """A terminal in place of stderr, and nothing to wait for before something is shown."""
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))  # pytest has hold of the real one
    monkeypatch.setattr(progress, "QUIET_S", 0.0)
    monkeypatch.setattr(_run, "POLL_S", 0.01)
    return made


def work(*_):
    time.sleep(0.05)


@pytest.mark.parametrize(
    ("name", "share", "seconds", "line"),
    [
        ("snapping 吸附", 0.0, 3.2, "citygeo: snapping 吸附 0:03 so far 已用"),
        ("", 0.5, 61.0, "citygeo: 50 %, 1:01 so far 已用, about 1:01 left 剩余"),
        ("a", 0.999, 4000.0, "citygeo: a 99 %, 1:06:40 so far 已用, about 0:04 left 剩余"),
        ("a", 1.0, 59.7, "citygeo: a 100 %, 1:00 so far 已用, about 0:00 left 剩余"),
    ],
)
def test_line_tells_share_and_times(name, share, seconds, line):
    assert describe(name, share, seconds) == line


def test_long_batch_is_seen_advancing_and_leaves_no_trace(terminal):
    run_chunks(lambda *_: time.sleep(0.3), 2, threads=1, name="travel times 出行时间")
    seen = [line for [line] in terminal.frames() if line]
    assert seen[0] == "citygeo: travel times 出行时间 0:00 so far 已用"
    assert any(line.startswith("citygeo: travel times 出行时间 50 %, ") for line in seen)
    assert screen(terminal.getvalue()) == [""]
    assert "\n" not in terminal.getvalue()


def test_line_is_gone_after_a_failure(terminal):
    def fail(low, *_):
        time.sleep(0.05)
        if low == 2:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run_chunks(fail, 6, threads=1)
    assert any(line for [line] in terminal.frames())
    assert screen(terminal.getvalue()) == [""]


def test_nothing_is_shown_of_work_that_is_soon_over(terminal, monkeypatch):
    monkeypatch.setattr(progress, "QUIET_S", 2.0)
    run_chunks(work, 3, threads=1)
    assert terminal.getvalue() == ""


def test_nothing_is_shown_where_nobody_looks(capsys, monkeypatch):
    monkeypatch.setattr(progress, "QUIET_S", 0.0)
    run_chunks(work, 3, threads=1, name="travel times 出行时间")
    assert capsys.readouterr() == ("", "")


def test_nothing_is_shown_to_who_wants_quiet(terminal):
    with quiet():
        run_chunks(work, 3, threads=1)
    assert terminal.getvalue() == ""
    run_chunks(work, 3, threads=1)
    assert terminal.getvalue() != ""


def test_batches_inside_batches_and_in_other_threads_show_nothing(terminal):
    other = threading.Thread(target=run_chunks, args=(work, 3), kwargs={"threads": 1})
    other.start()
    other.join()
    assert terminal.getvalue() == ""
    run_chunks(lambda *_: run_chunks(work, 3, name="inner"), 2, threads=2, name="outer")
    assert "outer" in terminal.getvalue()
    assert "inner" not in terminal.getvalue()


@pytest.mark.usefixtures("terminal")
def test_notebooks_see_it_too():
    notebook = type("OutStream", (Terminal,), {"__module__": "ipykernel.iostream", "isatty": lambda _: False})
    progress.sys.stderr = shown = notebook()
    run_chunks(work, 3, threads=1)
    assert any(line for [line] in shown.frames())


def test_a_line_said_meanwhile_takes_the_place_and_stays(terminal):
    with Meter("travel times 出行时间") as meter:
        meter.show(0.1)
        say("citygeo: warning: 警告")
        meter.show(0.2)
    frames = terminal.frames()
    assert frames[0] == ["citygeo: travel times 出行时间 10 %, 0:00 so far 已用, about 0:00 left 剩余"]
    assert frames[1] == ["citygeo: warning: 警告", ""]
    assert frames[2][1].startswith("citygeo: travel times 出行时间 20 %")
    assert frames[-1] == ["citygeo: warning: 警告", ""]


@pytest.mark.parametrize("columns", [20, 41, 42, 43, 44, 80])
def test_a_line_is_never_wrapped(terminal, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    with Meter("出行时间" * 20) as meter:
        meter.show(0.1)
    [line] = terminal.frames()[0]
    width = sum(1 + (ord(letter) > 0x2E7F) for letter in line)
    assert columns - 3 <= width < columns


@pytest.mark.parametrize("trouble", ["none", "closed", "lost"])
def test_without_a_screen_the_work_goes_on(terminal, monkeypatch, trouble):
    if trouble == "closed":
        terminal.close()
    else:
        monkeypatch.setattr(terminal, "flush", lambda: os.close(-1))  # OSError, as of a terminal that is gone
    if trouble == "none":
        progress.sys.stderr = None
    done = []
    run_chunks(lambda low, *_: (work(), done.append(low)), 3, threads=1)
    say("still here")
    assert done == [0, 1, 2]


ON_A_TERMINAL = """
import time
from citygeo._run import progress, run_chunks
progress.QUIET_S = 0.0
run_chunks(lambda *_: time.sleep(0.3), 4, threads=1, name="travel times")
"""


def test_a_real_terminal_shows_it():
    ours, theirs = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", ON_A_TERMINAL], stderr=theirs, env=environment, check=True)
    written = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    assert "travel times 50 %" in written
    assert screen(written) == [""]
