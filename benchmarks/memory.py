"""Memory and processor time of this process, as Linux counts them."""

from __future__ import annotations

import os
from pathlib import Path

MB = 1024.0  # kB of the status file in one


def _status(field):
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.partition(f"{field}:")[2].split()[0]) / MB


def now_mb():
    """Resident memory, megabytes."""
    return _status("VmRSS")


def own_mb():
    """Resident memory of this process's own."""
    return _status("RssAnon")


def file_mb():
    """Resident pages of mapped files, which processes share and the system may take back."""
    return _status("RssFile")


def peak_mb():
    """Most resident memory since the start or the last `forget_peak`."""
    return _status("VmHWM")


def forget_peak():
    """Let the high-water mark begin anew, so that a step can be told from the one before it."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


class Others:
    """How many processor cores other programs used (or the host withheld) since this was made."""

    def __init__(self):
        self._begin = self._seconds()

    @staticmethod
    def _seconds():
        ticks = os.sysconf("SC_CLK_TCK")
        user, nice, system, _idle, _wait, irq, softirq, steal = (
            int(word) for word in Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[1:9]
        )
        busy = (user + nice + system + irq + softirq + steal) / ticks
        own = os.times()
        return busy, own.user + own.system + own.children_user + own.children_system, own.elapsed

    def cores(self):
        """Mean number of cores."""
        busy, own, elapsed = (end - begin for end, begin in zip(self._seconds(), self._begin, strict=True))
        return max(0.0, busy - own) / max(elapsed, 0.01)
