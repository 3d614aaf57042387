"""Say on stderr what is being done, but only of work that lasts."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from citygeo._run.progress import QUIET_S, quiet, say
from citygeo.io.columns import clean

if TYPE_CHECKING:
    from typing import Self


class Progress:
    """
    Name each step of a run; nothing is printed in its first two seconds.

    The step that is running when they are over is printed then, later ones when they begin: plain lines,
    so that a log file reads like a terminal. Under them a terminal also shows how far a long batch is.

    Parameters
    ----------
    is_quiet
        Print nothing at all, of batches neither.

    Examples
    --------
    >>> with Progress(is_quiet=False) as progress:
    ...     progress.step("reading the road network")
    """

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._began = time.monotonic()
        self._waiting: str | None = None
        self._lock = threading.Lock()
        self._inside = ExitStack()
        self._alarm = threading.Timer(QUIET_S, self._announce)
        self._alarm.daemon = True

    def __enter__(self) -> Self:
        if self._is_quiet:
            self._inside.enter_context(quiet())
        else:
            self._alarm.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.cancel()
        self._inside.close()
        with self._lock:
            self._waiting = None

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def step(self, name: str) -> None:
        """Name the step that begins now."""
        with self._lock:
            self._waiting = name
        if self.seconds >= QUIET_S:
            self._announce()

    def _announce(self) -> None:
        with self._lock:
            name, self._waiting = self._waiting, None
            if name is not None and not self._is_quiet:
                say(f"citygeo: [{self.seconds:5.1f} s] {clean(name)}")
