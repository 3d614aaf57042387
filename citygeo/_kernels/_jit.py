"""
The only place that spells numba options.

One set of options for all kernels: they are not part of numba's cache key (numba#6845), so after
editing this file delete the cache. No ``parallel=True`` (its thread layers abort processes, numba#8563),
no ``fastmath`` (it may assume that no value is infinite), no eager signatures (they compile at import).

Compiled code is kept where numba finds a folder to write to: beside the sources, else among the user's caches.
Whatever goes wrong there costs time, never the run.
"""

# mypy: allow-untyped-calls
# numba annotates little of itself

from __future__ import annotations

import stat
import warnings
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numba
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.registry import CPUDispatcher
from numba.core.types import unliteral
from numba.extending import intrinsic

from citygeo.errors import CitygeoWarning, render

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}

_njit: Any = numba.njit  # its annotations leave out some of the options
_made: list[CPUDispatcher] = []


class Compiled(NamedTuple):
    """What has become of a kernel in this process."""

    name: str  # module.function
    signatures: list[tuple[Any, ...]]
    n_compiled: int  # signatures that the cache did not have
    is_inner: bool  # called by kernels only


class KernelCache(FunctionCache):
    """Compiled code on disk; a damaged file, or a disk that is full, is no reason to fail."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code, `None` if there is none or it cannot be read."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  # unpickling a truncated file may raise anything
            with suppress(OSError):
                self.flush()  # else saving would stumble over the same index
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code if that is possible."""
        try:
            super().save_overload(sig, data)
        except Exception:  # noqa: BLE001  # as above, and all that a file system has to say
            _warn("CG-RUN-002")


class KernelDispatcher(CPUDispatcher):
    """A function of which one version is compiled, whoever calls it."""

    def enable_caching(self) -> None:
        """Keep compiled code, if there is a folder for it."""
        if not _is_cache_safe():
            return
        try:
            self._cache = KernelCache(self.py_func)
        except (OSError, RuntimeError, ValueError):  # numba's answers where it finds no folder (numba#4908)
            _warn("CG-RUN-002")

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Take ``f(1)`` for ``f(i)``: numba would compile each constant anew, although LLVM inlines them anyway."""
        plain = {name: unliteral(kind) for name, kind in kws.items()}
        return super().get_call_template(tuple(unliteral(kind) for kind in args), plain)


class InnerDispatcher(KernelDispatcher):
    """A function that only kernels call: the code for calls from Python, a sixth of all, is not compiled."""

    @cached_property
    def _for_python(self) -> Any:
        return _njit(**OPTIONS)(self.py_func)

    def __call__(self, *args: Any) -> Any:
        """Compile that code now, for a test: without it numba would crash the process."""
        return self._for_python(*args)


def kernel(function: F) -> F:
    """
    Compile a serial kernel on first call: cached, GIL released, IEEE division.

    A function whose name begins with an underscore is one that only kernels call.
    """
    is_inner = function.__name__.startswith("_")
    compiled: Any = _njit(no_cpython_wrapper=is_inner, **OPTIONS)(function)
    if isinstance(compiled, CPUDispatcher):  # it is the plain function with NUMBA_DISABLE_JIT=1
        compiled.__class__ = InnerDispatcher if is_inner else KernelDispatcher
        compiled.enable_caching()
        _made.append(compiled)
    return cast("F", compiled)


def vector_operation(*, plain: F) -> Callable[[Callable[..., Any]], F]:
    """
    Make a function that emits LLVM code an operation that kernels can call.

    Parameters
    ----------
    plain
        The same in Python, for runs with ``NUMBA_DISABLE_JIT=1``.
    """

    def decorate(emit: Callable[..., Any]) -> F:
        compiled: Any = intrinsic(emit)
        return plain if getattr(config, "DISABLE_JIT", 0) else cast("F", compiled)

    return decorate


def compiled_kernels() -> list[Compiled]:
    """Return the kernels that were called in this process, and the functions compiled for them."""
    return [
        Compiled(
            f"{one.py_func.__module__.rpartition('.')[2]}.{one.py_func.__name__}",
            list(one.signatures),
            sum(one.stats.cache_misses.values()),
            isinstance(one, InnerDispatcher),
        )
        for one in _made
        if one.signatures
    ]


@cache
def _is_cache_safe() -> bool:
    """Tell whether numba may use the folder it was told to; warn if not."""
    chosen = getattr(config, "CACHE_DIR", "")
    if not chosen:
        return True
    with suppress(OSError):  # numba would make it open to others if the umask says so
        Path(chosen).mkdir(mode=0o700, parents=True)
    if _is_shared(Path(chosen)):
        _warn("CG-SEC-005", folder=chosen)
        return False
    return True


def _is_shared(folder: Path) -> bool:
    """Tell whether others may write there: numba's cache is pickle, and loading it runs their code."""
    return folder.is_dir() and bool(folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))


@cache
def _warn(code: str, **data: object) -> None:
    """Warn, once in a process."""
    warnings.warn(f"{code}: {' '.join(render(code, data))}", CitygeoWarning, stacklevel=2)


def _take_blas_for_granted() -> None:
    """
    Spare numba the import of ``scipy.linalg``, 0.2 s, with which it makes sure that matrices can be multiplied.

    It looks once, when it loads its NumPy functions. citygeo requires scipy, no kernel multiplies matrices, and code
    that does still looks for itself.
    """
    from numba.np import linalg

    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        from numba.np import arraymath  # noqa: F401
    finally:
        linalg.ensure_blas = look


_take_blas_for_granted()
