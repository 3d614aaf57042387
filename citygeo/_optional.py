"""Import what the core can do without, or fail with one clear sentence."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from citygeo.errors import error

if TYPE_CHECKING:
    from types import ModuleType


def need(name: str, *, extra: str, purpose: str) -> ModuleType:
    """Return the module `name`; raise MissingExtraError naming the extra if it is not installed."""
    try:
        return import_module(name)
    except ImportError as cause:
        raise error("CG-DEP-001", package=name, extra=extra, purpose=purpose) from cause
