"""
Exact, fast service coverage and isochrones on road networks (城市体检).

Names are loaded on first use: ``import citygeo`` imports nothing heavy.

Examples
--------
>>> import citygeo as cg
>>> cg.travel_mode("walk").label_zh
'步行'
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

# public name -> the module it lives in; `__init__.pyi` says the same to type checkers, and a test compares them
_HOMES = {
    "Accessibility": "access",
    "Completeness": "coverage.completeness",
    "Coverage": "coverage",
    "Isochrones": "isochrones",
    "Provision": "provision",
    "RoadNetwork": "network",
    "ServiceArea": "reach",
    "TimeSurface": "isochrones",
    "TravelMode": "modes",
    "accessibility": "access",
    "completeness": "coverage.completeness",
    "coverage": "coverage",
    "datasets": "datasets",
    "decay": "access.decay",
    "equity": "access.equity",
    "errors": "errors",
    "explore": "viz",
    "floor_space": "demand",
    "floating_catchment": "access",
    "hexgrid": "hexgrid",
    "isochrones": "isochrones",
    "mode_names": "modes",
    "nearest": "reach",
    "population": "demand",
    "provision": "provision",
    "service_area": "reach",
    "spread_population": "demand",
    "travel_mode": "modes",
    "travel_times": "reach",
}
_MODULES = frozenset(("datasets", "decay", "errors", "hexgrid"))

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  # all names are text


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'citygeo' has no attribute {name!r}")
    module = import_module(f"citygeo.{_HOMES[name]}")
    value = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """
    Keep ``citygeo.coverage`` the function, although a module has the same name.

    Importing a submodule binds it to its name in the package, which would hide the function from
    everyone who imports it later.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in _HOMES and name not in _MODULES:
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
