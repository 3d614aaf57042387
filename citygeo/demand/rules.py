"""What was asked for, handed from one step to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd

    from citygeo.demand.within import Within


@dataclass(frozen=True)
class Rules:
    """
    How rows of a layer count, in the words of `citygeo.population`.

    Attributes
    ----------
    resolution
        H3 resolution.
    polygons
        How areas count: ``"auto"``, ``"point"`` or ``"area"``.
    by, by_weight
        The layer that says where people of areas live, and its column of weights.
    within
        The area asked for.
    threads
        Number of threads; all processors if `None`.
    """

    resolution: int
    polygons: str = "auto"
    by: gpd.GeoDataFrame | None = None
    by_weight: str | None = None
    within: Within | None = None
    threads: int | None = None
