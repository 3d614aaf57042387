"""What the bands of isochrones hold, counted once where several facilities reach the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from citygeo.viz.text import Label, number

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


class Band(NamedTuple):
    """
    A band over all facilities.

    Attributes
    ----------
    from_minutes, minutes
        Its bounds; the lower is 0 for bands that hold the ones inside them.
    area_km2
        Ground (polygons) or hexagons (cells) in it; NaN where there is none to measure.
    reached_km
        Road in it; NaN where it is not known without counting road twice.
    cells
        Hexagons in it.
    ground
        All ground of polygons up to its upper bound, in the network's metric CRS; `None` where each facility has
        its own.
    """

    from_minutes: float
    minutes: float
    area_km2: float = np.nan
    reached_km: float = np.nan
    cells: int = 0
    ground: shapely.Geometry | None = None

    @property
    def label(self) -> Label:
        """The band in words."""
        if self.from_minutes:
            return Label(
                f"{self.from_minutes:g} – {self.minutes:g} min", f"{self.from_minutes:g}–{self.minutes:g}分钟"
            )
        return Label(f"Within {self.minutes:g} min", f"{self.minutes:g}分钟内")

    @property
    def note(self) -> str:
        """The ground in it as text, or the road if there is no ground."""
        return km(self.reached_km) if np.isnan(self.area_km2) else km2(self.area_km2)


def minutes_of(iso: Any) -> list[float]:
    """Return the upper bounds of bands that a table holds, ascending."""
    return [float(minutes) for minutes in sorted(iso["minutes"].unique())]


def within(found: list[Band]) -> list[Band]:
    """Return what is reached up to the end of each band, the narrowest first: of rings their sums."""
    if not found[-1].from_minutes:
        return found
    totals = np.cumsum([(band.area_km2, band.reached_km, band.cells) for band in found], axis=0)
    return [
        Band(0.0, band.minutes, area, road, int(cells))
        for band, (area, road, cells) in zip(found, totals.tolist(), strict=True)
    ]


def km2(value: float) -> str:
    """
    Return an area as text, small ones with more digits.

    Examples
    --------
    >>> km2(123.456), km2(0.0312)
    ('123.5 km²', '0.03 km²')
    """
    return f"{number(value, 1 if value >= 1 else 2)} km²"


def km(value: float) -> str:
    """
    Return a length of road as text, nothing where it is not known.

    Examples
    --------
    >>> km(1234.4), km(12.34), km(0.123), km(float("nan"))
    ('1,234 km', '12.3 km', '0.12 km', '')
    """
    digits = 2 if value < 1 else 1 if value < 100 else 0
    return "" if np.isnan(value) else f"{number(value, digits)} km"


def bands(iso: Any) -> list[Band]:
    """
    Return the bands of isochrones, the narrowest first.

    Parameters
    ----------
    iso
        `Isochrones` of polygons, edges or cells.
    """
    lowers = iso.groupby("minutes")["from_minutes"].first()
    bounds = [(float(lowers[minutes]), minutes) for minutes in minutes_of(iso)]
    return _COUNTS[iso.kind](iso, bounds)


def _polygons(iso: Any, bounds: list[tuple[float, float]]) -> list[Band]:
    found = []
    for lower, upper in bounds:
        rows = iso[iso["minutes"] == upper]
        found.append(Band(lower, upper, float(rows["area_km2"].sum()), float(rows["reached_km"].sum())))
    if iso.overlap == "split":
        return found
    metric = iso[["minutes", iso.geometry.name]].to_crs(iso.network.metric_crs)
    # of disks the widest holds all
    is_ring = iso.bands == "rings"
    grounds = [
        _union(metric[metric["minutes"] <= upper] if is_ring else metric[metric["minutes"] == upper])
        for _, upper in bounds
    ]
    if iso.overlap == "dissolve" or len(iso) == len(bounds):
        return [band._replace(ground=ground) for band, ground in zip(found, grounds, strict=True)]
    # facilities share ground and road: ground is counted once, and road is not known
    area = shapely.area(grounds) / 1e6
    inner = [0.0, *(area[:-1] if is_ring else area[:-1] * 0)]
    return [
        Band(lower, upper, float(own - less), ground=ground)
        for (lower, upper), ground, own, less in zip(bounds, grounds, area, inner, strict=True)
    ]


def _union(rows: gpd.GeoDataFrame) -> shapely.Geometry:
    shapes = rows.geometry.to_numpy()
    kept = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    # moving to degrees and back rounds corners, which can make two edges of a ring touch
    valid = shapely.make_valid(kept)
    return valid[0] if len(valid) == 1 else shapely.union_all(valid)


def _edges(iso: Any, bounds: list[tuple[float, float]]) -> list[Band]:
    parts = iso[iso["from_m"].notna()]
    return [
        Band(lower, upper, reached_km=road_km(parts[parts["minutes"] == upper])) for lower, upper in bounds
    ]


def _cells(iso: Any, bounds: list[tuple[float, float]]) -> list[Band]:
    first = earliest(iso).to_crs(iso.network.metric_crs)
    minutes, area = first["time_s"].to_numpy() / 60, first.geometry.area.to_numpy() / 1e6
    is_in = [(minutes <= upper) & ((minutes > lower) | (lower == 0)) for lower, upper in bounds]
    return [
        Band(lower, upper, float(area[inside].sum()), cells=int(inside.sum()))
        for (lower, upper), inside in zip(bounds, is_in, strict=True)
    ]


_COUNTS = {"polygons": _polygons, "edges": _edges, "cells": _cells}


def earliest(iso: Any) -> gpd.GeoDataFrame:
    """Return each cell once, with the row of its earliest time."""
    rows = iso[iso["time_s"].notna()].sort_values("time_s", kind="stable")
    return rows[~rows["cell"].duplicated()]


def road_km(parts: pd.DataFrame) -> float:
    """
    Return the length of road that parts of edges cover, each bit of it once.

    Parameters
    ----------
    parts
        edge, from_m, to_m.

    Examples
    --------
    >>> import pandas as pd
    >>> road_km(pd.DataFrame({"edge": [1, 1, 1, 2], "from_m": [0, 50, 80, 0], "to_m": [100, 70, 150, 10]}))
    0.16
    """
    rows = parts.sort_values(["edge", "from_m"], kind="stable").astype({"from_m": float, "to_m": float})
    reached = rows.groupby("edge", sort=False)["to_m"].cummax()
    before = reached.groupby(rows["edge"], sort=False).shift(fill_value=-np.inf)
    return float(np.maximum(rows["to_m"] - np.maximum(rows["from_m"], before), 0).sum() / 1000)
