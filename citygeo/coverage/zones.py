"""Coverage of zones: numerators and denominators by point and by area."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum, demand
from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.coverage.points import PointLayer, Served

NO_ZONE = -1
DEFAULT_LEVEL = "zone"


def as_levels(zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None) -> dict[str, gpd.GeoDataFrame]:
    """Return the zones by level, checked: CRS, rows, unique labels."""
    if zones is None:
        return {}
    levels = {DEFAULT_LEVEL: zones} if isinstance(zones, gpd.GeoDataFrame) else dict(zones)
    for level, layer in levels.items():
        name = f"zones {level}"
        if len(layer) == 0:
            raise error("CG-IN-001", layer=name)
        datum.require_crs(layer, name)
        if layer.index.has_duplicates:
            repeated = layer.index[layer.index.duplicated()].unique()
            sample = ", ".join(str(label) for label in repeated[:5])
            raise error("CG-IN-006", layer=name, count=len(repeated), sample=sample)
    return levels


def zone_of_points(layer: gpd.GeoDataFrame, points: NDArray[np.object_]) -> NDArray[np.int64]:
    """
    Return the row of the zone each point lies in, -1 for none.

    Parameters
    ----------
    layer
        Zones; where they overlap, the first row counts.
    points
        WGS 84 points, `None` where there is none.
    """
    shapes = layer.geometry.to_crs(datum.WGS84).to_numpy()
    row = np.full(len(points), NO_ZONE, np.int64)
    # a tree of points asked for polygons: shapely prepares what it asks for, which saves 10x here
    zone, place = shapely.STRtree(points).query(shapes, predicate="intersects")
    order = np.lexsort((zone, place))[::-1]
    row[place[order]] = zone[order]  # the last to write is the lowest zone
    return row


def zone_names(layer: gpd.GeoDataFrame) -> list[str]:
    """Return the names of zones: the column ``name``; where one has none, its label, saying so."""
    if "name" not in layer.columns:
        return [str(label) for label in layer.index]
    return [
        f"(no name 无名) {label}" if pd.isna(name) else str(name)
        for label, name in zip(layer.index, layer["name"], strict=True)
    ]


def zone_table(
    level: str,
    layer: gpd.GeoDataFrame,
    covered_area: shapely.Geometry,
    metric_crs: Any,
    people: tuple[PointLayer, Served, NDArray[np.int64]],
    buildings: tuple[PointLayer, Served, NDArray[np.int64]] | None,
) -> gpd.GeoDataFrame:
    """Return one row per zone of a level; people and buildings come with the row of their zone."""
    shapes = layer.geometry.to_crs(metric_crs).to_numpy()
    area, area_covered = shapely.area(shapes) / 1e6, overlap_areas(shapes, covered_area) / 1e6
    table = gpd.GeoDataFrame(
        {
            "level": level,
            "zone": layer.index.to_numpy(),
            "name": zone_names(layer),
            "area_km2": area,
            "area_covered_km2": area_covered,
            "area_share": share(area_covered, area),
        },
        geometry=layer.geometry.to_numpy(),
        crs=layer.crs,
    )
    total, covered = (demand.from_micro(values) for values in _sums(*people, len(layer)))
    table = table.assign(population=total, population_covered=covered, population_share=share(covered, total))
    if buildings is not None:
        count, reached = _sums(*buildings, len(layer))
        table = table.assign(
            buildings=count, buildings_covered=reached, buildings_share=share(reached, count)
        )
    return table[[*(name for name in table.columns if name != "geometry"), "geometry"]]


def _sums(
    layer: PointLayer, served: Served, zone: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return total and covered weight of each zone, as whole numbers."""
    total, covered = np.zeros(n, np.int64), np.zeros(n, np.int64)
    is_in = zone != NO_ZONE
    np.add.at(total, zone[is_in], layer.weight[is_in])
    is_reached = is_in & served.is_covered
    np.add.at(covered, zone[is_reached], layer.weight[is_reached])
    return total, covered


def overlap_areas(shapes: NDArray[np.object_], covered: shapely.Geometry) -> NDArray[np.float64]:
    """Return the area each shape shares with one large shape, looking only at its parts that are near."""
    parts = shapely.get_parts(covered)
    areas = np.zeros(len(shapes))
    if len(parts):
        usable = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
        row, part = shapely.STRtree(parts).query(usable, predicate="intersects")
        np.add.at(areas, row, shapely.area(shapely.intersection(usable[row], parts[part])))
    return areas


def share(part: Any, whole: Any) -> Any:
    """Return part / whole, NaN where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)
