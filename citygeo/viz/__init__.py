"""
Maps and styled files.

``explore(result)`` draws any result on a map that is one file and needs no internet; ``layer_styles(result)``
gives the same look to QGIS; ``map_layers(result)`` is the seam for new layers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citygeo.viz.draw import explore as explore
    from citygeo.viz.export import layer_styles as layer_styles
    from citygeo.viz.map import OfflineMap as OfflineMap
    from citygeo.viz.results import map_layers as map_layers

# folium is imported on first use: a class that inherits from it cannot wait for a function
_HOMES = {"OfflineMap": "map", "explore": "draw", "layer_styles": "export", "map_layers": "results"}

__all__ = ["OfflineMap", "explore", "layer_styles", "map_layers"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'citygeo.viz' has no attribute {name!r}")
    value = getattr(import_module(f"citygeo.viz.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
