"""Progress: silent for two seconds, then the running step and every later one, once each."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from citygeo._run import progress as lines
from citygeo._run import run_chunks
from citygeo.cli import progress as module
from citygeo.cli.progress import Progress

if TYPE_CHECKING:
    import pytest


def test_short_work_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(is_quiet=False) as progress:
        progress.step("reading")
        progress.step("computing")
    assert capsys.readouterr() == ("", "")


def test_running_step_is_named_when_the_quiet_time_is_over_then_each_later_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.1)
    with Progress(is_quiet=False) as progress:
        progress.step("reading")
        progress.step("searching")
        time.sleep(0.3)
        progress.step("writing")
    out, err = capsys.readouterr()
    assert out == ""
    steps = [line.split("] ")[1] for line in err.splitlines()]
    assert steps == ["searching", "writing"]


def test_quiet_work_prints_nothing_however_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    with Progress(is_quiet=True) as progress:
        progress.step("reading")
        time.sleep(0.05)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_quiet_work_shows_no_batches_and_other_work_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "QUIET_S", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for is_quiet in (True, False):
        with Progress(is_quiet=is_quiet):
            run_chunks(lambda *_: time.sleep(0.3), 1, name="searching 搜索")
        assert ("searching 搜索" in capsys.readouterr().err) is not is_quiet


def test_nothing_is_printed_after_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.1)
    with Progress(is_quiet=False) as progress:
        progress.step("reading")
    time.sleep(0.2)
    assert capsys.readouterr().err == ""
