"""
The only place that spells numba options.

One set of options for all kernels: they are not part of numba's cache key (numba#6845), so after
editing this file delete the cache. No ``parallel=True`` (its thread layers abort processes, numba#8563),
no ``fastmath`` (it may assume that no value is infinite), no eager signatures (they compile at import).
"""

from __future__ import annotations

import os
import stat
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from citygeo.errors import CitygeoWarning, render

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def _can_cache() -> bool:
    """Find a folder for compiled code first, since numba raises at import if there is none (numba#4908)."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen and _is_shared(Path(chosen)):
        return _warn("CG-SEC-005", folder=chosen)
    if chosen or _is_writable(Path(__file__).parent / "__pycache__"):
        return True
    user_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if _is_writable(user_cache / "numba"):
        return True  # numba's own fallback
    return _warn("CG-RUN-002")


def _is_shared(folder: Path) -> bool:
    """Tell whether others may write there: numba's cache is pickle, and loading it runs their code."""
    return folder.is_dir() and bool(folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _warn(code: str, **data: object) -> bool:
    warnings.warn(f"{code}: {' '.join(render(code, data))}", CitygeoWarning, stacklevel=2)
    return False


def vector_operation(*, plain: F) -> Callable[[Callable[..., Any]], F]:
    """
    Make a function that emits LLVM code an operation that kernels can call.

    Parameters
    ----------
    plain
        The same in Python, for runs with ``NUMBA_DISABLE_JIT=1``.
    """
    from numba.core import config
    from numba.extending import intrinsic

    def decorate(emit: Callable[..., Any]) -> F:
        compiled: Any = intrinsic(emit)
        return plain if getattr(config, "DISABLE_JIT", 0) else cast("F", compiled)

    return decorate


def kernel(function: F) -> F:
    """Compile a serial kernel on first call: cached, GIL released, IEEE division."""
    import numba

    compile_lazily: Any = numba.njit(cache=_can_cache(), nogil=True, error_model="numpy")
    compiled: F = compile_lazily(function)
    return compiled
