"""Coverage of zones: numerators and denominators by point and by area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum, demand
from citygeo.edgeparts import as_multipolygon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.coverage.points import PointLayer, Served
    from citygeo.issues import IssueLog

NO_ZONE = -1
POLYGONAL = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
DEFAULT_LEVEL = "zone"


def as_levels(
    zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None, log: IssueLog
) -> dict[str, gpd.GeoDataFrame]:
    """Return the zones by level, checked and repaired; record what was repaired or has no area."""
    if zones is None:
        return {}
    levels = dict(zones) if isinstance(zones, Mapping) else {DEFAULT_LEVEL: zones}
    return {level: as_areas(layer, f"zones {level}", log) for level, layer in levels.items()}


def as_areas(layer: gpd.GeoDataFrame, name: str, log: IssueLog) -> gpd.GeoDataFrame:
    """
    Return the layer with valid polygons only, rows kept.

    Rings that cross themselves have no one area, so they are repaired before anything is measured; what is no
    area (points, lines, nothing) becomes missing geometry. Both are recorded.
    """
    datum.require_layer(layer, name)
    shapes = layer.geometry.to_numpy().copy()
    given = ~shapely.is_missing(shapes)
    is_bad = given & ~shapely.is_valid(shapes)
    shapes[is_bad] = shapely.make_valid(shapes[is_bad])
    kinds = shapely.get_type_id(shapes)
    is_mixed = given & ~np.isin(kinds, POLYGONAL)
    shapes[is_mixed] = [as_multipolygon(shape) for shape in shapes[is_mixed]]
    shapes[shapely.is_empty(shapes)] = None
    is_void = shapely.is_missing(shapes)
    log.add(
        "CG-GEO-004", count=int((is_bad & ~is_void).sum()), sample=layer.index[is_bad & ~is_void], layer=name
    )
    log.add("CG-GEO-005", count=int(is_void.sum()), sample=layer.index[is_void], layer=name)
    return layer.set_geometry(gpd.GeoSeries(shapes, index=layer.index, crs=layer.crs))


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
    is_void = layer.geometry.isna().to_numpy()
    total, covered = np.where(is_void, np.nan, total), np.where(is_void, np.nan, covered)
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
    areas = np.where(shapely.is_missing(shapes), np.nan, 0.0)
    if len(parts):
        row, part = shapely.STRtree(parts).query(shapes, predicate="intersects")
        np.add.at(areas, row, shapely.area(shapely.intersection(shapes[row], parts[part])))
    return areas


def share(part: Any, whole: Any) -> Any:
    """Return part / whole, NaN where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)
