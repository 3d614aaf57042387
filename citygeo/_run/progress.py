"""
What the person at the screen sees of work that lasts: lines that stay, and one that is rewritten.

Everything citygeo writes on stderr goes through `say` and `Meter`, so that the two never mix.
"""

from __future__ import annotations

import sys
import threading
import time
import unicodedata
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_S = 2.0  # of work that is over sooner nothing is said

_is_quiet = ContextVar("_is_quiet", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Show no progress of what is done inside."""
    before = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(before)


def say(text: str) -> None:
    """Write one line on stderr, in place of a line of progress if there is one."""
    _screen.write(text + "\n")


class Meter:
    """
    One line about a running batch, rewritten as it advances and gone when it ends.

    Nothing is written in its first two seconds, nor unless somebody sees it: stderr is a terminal or a notebook's, and
    it is the main thread that waits. Where several batches run at a time, none is in the way of another.

    Parameters
    ----------
    name
        What is being done; may be empty.

    Examples
    --------
    >>> with Meter("travel times 出行时间") as meter:
    ...     meter.show(0.5)
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = time.monotonic()
        self._is_seen = (
            threading.current_thread() is threading.main_thread()
            and not _is_quiet.get()
            and _is_watched(sys.stderr)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_seen:
            _screen.show("")

    def show(self, share: float) -> None:
        """Tell how much is done, 0 to 1."""
        seconds = time.monotonic() - self._began
        if self._is_seen and seconds >= QUIET_S:
            _screen.show(describe(self._name, share, seconds))


def describe(name: str, share: float, seconds: float) -> str:
    """
    Return the line about a batch.

    Parameters
    ----------
    name
        What is being done.
    share
        How much of it is done, 0 to 1.
    seconds
        How long that took.

    Examples
    --------
    >>> describe("travel times 出行时间", 0.25, 75.0)
    'citygeo: travel times 出行时间 25 %, 1:15 so far 已用, about 3:45 left 剩余'
    """
    begin = f"citygeo: {name} " if name else "citygeo: "
    if share <= 0:
        return f"{begin}{_clock(seconds)} so far 已用"
    left = seconds * (1 - share) / share
    return f"{begin}{int(100 * share)} %, {_clock(seconds)} so far 已用, about {_clock(left)} left 剩余"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _is_watched(stream: TextIO | None) -> bool:
    """Tell whether a person looks at what is written there."""
    if stream is None or stream.closed:
        return False
    return stream.isatty() or type(stream).__module__.partition(".")[0] == "ipykernel"


class _Screen:
    """Stderr, on which the last line may be one that is rewritten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown = ""

    def write(self, text: str) -> None:
        """Write text that stays."""
        with self._lock:
            self._put(self._wiped() + text)
            self._shown = ""

    def show(self, text: str) -> None:
        """Write a line to be rewritten, or none."""
        with self._lock:
            text = _cut(text, get_terminal_size().columns - 1)
            if text != self._shown:
                self._put(self._wiped() + text)
                self._shown = text

    def _wiped(self) -> str:
        # spaces instead of a terminal's own command, which notebooks do not know
        return f"\r{' ' * _width(self._shown)}\r" if self._shown else ""

    def _put(self, text: str) -> None:
        stream = sys.stderr
        if stream is not None:
            with suppress(OSError, ValueError):  # a terminal that is gone is no reason to stop
                stream.write(text)
                stream.flush()


def _width(text: str) -> int:
    """Return the number of terminal columns of a text."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def _cut(text: str, columns: int) -> str:
    """Return as much of a text as one line of the terminal holds; one that is wrapped cannot be rewritten."""
    while _width(text) > columns:
        text = text[:-1]
    return text


_screen = _Screen()
