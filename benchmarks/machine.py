"""What the measurements were made on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "citygeo", "numba", "numpy", "scipy", "h3", "pandana", "igraph", "networkit", "rustworkx", "edsger",
    "routingkit-cch", "pyroutingkit", "cityseer", "ObjectNat", "iduedu",
)  # fmt: skip
PEER_PACKAGES = ("osrm-bindings", "pyvalhalla")


def describe():
    """Processor, memory, system and versions."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    memory = Path("/proc/meminfo").read_text(encoding="utf-8")
    model = next(
        (line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")), ""
    )
    flags = next((line for line in cpu.splitlines() if line.startswith("flags")), "").split()
    return {
        "cpu": model or platform.machine(),
        "avx": "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "none",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory.partition("MemTotal:")[2].split()[0]) / 2**20, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions(PACKAGES),
    }


def versions(names):
    """Of the packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
