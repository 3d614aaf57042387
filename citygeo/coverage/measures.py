"""
What coverage counts: each measure is one small object, and every table is a view of a list of them.

Numerators and denominators stay sums until the end; shares are of sums, never means of shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pandas as pd
import shapely

from citygeo.coverage.ground import overlap_areas
from citygeo.coverage.points import DEEPEST
from citygeo.coverage.zones import NO_ZONE, share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from citygeo.coverage.points import Counted
    from citygeo.coverage.zones import Level

Part = Literal["total", "covered", "radius"]
Column = Part | Literal["share", "radius_share"]


class Measure(Protocol):
    """One thing that coverage counts."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    @property
    def unit(self) -> str:
        """What its sums are in."""

    @property
    def has_radius(self) -> bool:
        """Whether circles were asked for."""

    @property
    def columns(self) -> dict[Column, str]:
        """The columns of its sums and shares in a table of zones."""

    def whole(self, part: Part) -> float:
        """Return the sum over the city."""

    def by_zone(self, part: Part, level: Level) -> NDArray[np.float64]:
        """Return the sum of each zone of a level; what lies in several is of the first."""


@dataclass(frozen=True, eq=False)
class PointMeasure:
    """
    Weighted points: people, buildings, floor area, or anything the caller counts.

    Attributes
    ----------
    name, unit
        As in `Measure`.
    points
        The points.
    weight
        What each weighs, in whole quanta, so that sums are exact.
    quantum
        Quanta of one unit.
    """

    name: str
    unit: str
    points: Counted
    weight: NDArray[np.int64]
    quantum: int = 1

    @property
    def has_radius(self) -> bool:
        """Whether circles were asked for."""
        return self.points.at.in_circle is not None

    @property
    def columns(self) -> dict[Column, str]:
        """The columns of its sums and shares in a table of zones."""
        return columns_of(self.name)

    def whole(self, part: Part) -> float:
        """Return the sum over all points."""
        return float(self.weight[self._chosen(part)].sum() / self.quantum)

    def by_zone(self, part: Part, level: Level) -> NDArray[np.float64]:
        """Return the sum of each zone."""
        zone = self.points.at.zone[level.name]
        chosen = self._chosen(part) & (zone != NO_ZONE)
        total = np.zeros(len(level.layer), np.int64)
        np.add.at(total, zone[chosen], self.weight[chosen])
        return np.asarray(total / self.quantum, np.float64)

    def by_depth(self) -> NDArray[np.float64]:
        """Return the sums of those served by 0, 1, 2, and 3 or more facilities."""
        return np.asarray(self.points.served.sums_by_depth(self.weight) / self.quantum, np.float64)

    def by_minutes(self, over_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """
        Return what would be covered if all limits were changed.

        Parameters
        ----------
        over_ms
            Milliseconds more than now, or less, shape `(n,)`.
        """
        order = np.argsort(self.points.served.over_ms, kind="stable")
        so_far = np.concatenate(([0], np.cumsum(self.weight[order])))
        reached = np.searchsorted(self.points.served.over_ms[order], over_ms, side="right")
        return np.asarray(so_far[reached] / self.quantum, np.float64)

    def _chosen(self, part: Part) -> NDArray[np.bool_]:
        if part == "covered":
            return self.points.served.is_covered
        if part == "radius" and self.points.at.in_circle is not None:
            return self.points.at.in_circle
        return np.ones(self.weight.size, np.bool_)


@dataclass(frozen=True, eq=False)
class GroundMeasure:
    """
    Land: the whole city, or what is built up, residential...

    Attributes
    ----------
    name, unit
        As in `Measure`.
    total, covered, radius
        Polygons that do not overlap, in the network's metric CRS: the land, what of it is near reached roads, and
        what of it lies in circles (`None` where no radius was asked for).
    """

    name: str
    total: NDArray[np.object_]
    covered: NDArray[np.object_]
    radius: NDArray[np.object_] | None = None
    unit: str = "km2"

    @property
    def has_radius(self) -> bool:
        """Whether circles were asked for."""
        return self.radius is not None

    @property
    def columns(self) -> dict[Column, str]:
        """The columns of its sums and shares in a table of zones."""
        return columns_of(self.name, "_km2")

    def whole(self, part: Part) -> float:
        """Return the square kilometres."""
        return float(shapely.area(self._ground(part)).sum() / 1e6)

    def by_zone(self, part: Part, level: Level) -> NDArray[np.float64]:
        """Return the square kilometres of each zone."""
        return overlap_areas(level.shapes, self._ground(part)) / 1e6

    def _ground(self, part: Part) -> NDArray[np.object_]:
        if part == "covered":
            return self.covered
        return self.radius if part == "radius" and self.radius is not None else self.total


def columns_of(name: str, unit: str = "") -> dict[Column, str]:
    """Return the columns of a measure in a table of zones; sums end with their unit."""
    return {
        "total": f"{name}{unit}",
        "covered": f"{name}_covered{unit}",
        "radius": f"{name}_radius_covered{unit}",
        "share": f"{name}_share",
        "radius_share": f"{name}_radius_share",
    }


def city_table(measures: Iterable[Measure]) -> pd.DataFrame:
    """Return one row per measure; see `Coverage.table`."""
    rows: list[dict[str, Any]] = []
    for measure in measures:
        row = {"measure": measure.name, "unit": measure.unit}
        rows.append({**row, "covered": measure.whole("covered"), "total": measure.whole("total")})
        if measure.has_radius:
            rows[-1]["radius_covered"] = measure.whole("radius")
    table = pd.DataFrame(rows).set_index("measure")
    table.insert(3, "share", share(table["covered"], table["total"]))
    if "radius_covered" in table:
        table["radius_share"] = share(table["radius_covered"], table["total"])
        table["difference"] = table["radius_share"] - table["share"]
    return table


def zone_columns(measures: Iterable[Measure], level: Level) -> dict[str, NDArray[np.float64]]:
    """Return the columns of all measures in the table of a level's zones, missing for zones without an area."""
    table: dict[str, NDArray[np.float64]] = {}
    for measure in measures:
        name = measure.columns
        parts: tuple[Part, ...] = ("total", "covered", *(("radius",) if measure.has_radius else ()))
        sums = {part: np.where(level.is_void, np.nan, measure.by_zone(part, level)) for part in parts}
        table[name["total"]], table[name["covered"]] = sums["total"], sums["covered"]
        table[name["share"]] = share(sums["covered"], sums["total"])
        if measure.has_radius:
            table[name["radius"]] = sums["radius"]
            table[name["radius_share"]] = share(sums["radius"], sums["total"])
    return table


def depth_table(measures: Iterable[Measure], road_km: NDArray[np.float64]) -> pd.DataFrame:
    """Return one row per depth; see `Coverage.depth`."""
    table = pd.DataFrame(index=pd.RangeIndex(DEEPEST + 1, name="depth"))
    for measure in measures:
        if isinstance(measure, PointMeasure):
            sums = measure.by_depth()
            table[measure.name], table[f"{measure.name}_share"] = sums, share(sums, sums.sum())
    return table.assign(road_km=road_km)


def curve_table(measures: Iterable[Measure], minutes: NDArray[np.float64], limit_ms: int) -> pd.DataFrame:
    """Return the share of each measure of points by minutes; see `Coverage.curve`."""
    over_ms = np.rint(minutes * 60_000).astype(np.int64) - limit_ms
    data = {
        measure.name: share(measure.by_minutes(over_ms), measure.whole("total"))
        for measure in measures
        if isinstance(measure, PointMeasure)
    }
    return pd.DataFrame(data, index=pd.Index(minutes, name="minutes"))
