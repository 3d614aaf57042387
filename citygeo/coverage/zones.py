"""Zones of several levels: checked, repaired, and without overlaps, so that their sums add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum
from citygeo.edgeparts import as_multipolygon

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

NO_ZONE = -1
POLYGONAL = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
DEFAULT_LEVEL = "zone"
TOLD_M2 = 1.0  # smaller overlaps are left by rounding of coordinates
MUCH = 1e-3  # of the ground; less is left by digitising
THIN_M = 1.0  # no zone is thinner than this on average


@dataclass(frozen=True, eq=False)
class Level:
    """
    The zones of one level.

    Attributes
    ----------
    name
        The caller's name of the level.
    layer
        The caller's rows, repaired; missing geometry where a row has no area.
    shapes
        Their ground in the network's metric CRS, without what belongs to a zone before them, so that sums add up.
    """

    name: str
    layer: gpd.GeoDataFrame
    shapes: NDArray[np.object_]

    @property
    def is_void(self) -> NDArray[np.bool_]:
        """Whether each zone has no area."""
        return shapely.is_missing(self.shapes)


def as_levels(
    zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None, crs: pyproj.CRS, log: IssueLog
) -> dict[str, Level]:
    """
    Return the levels of zones, checked and repaired.

    Parameters
    ----------
    zones
        One layer, or several by the name of their level.
    crs
        The metric CRS to measure in.
    log
        Told what was repaired, overlaps or has no area.
    """
    if zones is None:
        return {}
    given = dict(zones) if isinstance(zones, Mapping) else {DEFAULT_LEVEL: zones}
    return {
        level: _level(level, as_areas(layer, f"zones {level}", log), crs, log)
        for level, layer in given.items()
    }


def _level(name: str, layer: gpd.GeoDataFrame, crs: pyproj.CRS, log: IssueLog) -> Level:
    # projecting bends edges, so what was valid before may touch itself after
    shapes = shapely.make_valid(layer.geometry.to_crs(crs).to_numpy())
    return Level(name, layer, _without_overlaps(name, layer.index, shapes, log))


def _without_overlaps(
    level: str, labels: pd.Index[Any], shapes: NDArray[np.object_], log: IssueLog
) -> NDArray[np.object_]:
    """Give ground that several zones hold to the first of them, as points in it are; record how much it is."""
    one, two = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, two = one[one < two], two[one < two]
    common = shapely.area(shapely.intersection(shapes[one], shapes[two]))
    one, two, common = (values[common > 0] for values in (one, two, common))
    apart = shapes.copy()
    for later in np.unique(two):
        apart[later] = shapely.difference(shapes[later], shapely.union_all(shapes[one[two == later]]))
    is_told = common > TOLD_M2
    pairs = [f"{labels[a]} and {labels[b]}" for a, b in zip(one[is_told], two[is_told], strict=True)]
    code = "CG-COV-004" if common.sum() > MUCH * np.nansum(shapely.area(shapes)) else "CG-COV-007"
    log.add(code, count=len(pairs), sample=pairs, level=level, km2=f"{common.sum() / 1e6:,.4g}")
    width = 2 * shapely.area(apart) / np.maximum(shapely.length(apart), 1e-9)
    thin = labels[width < THIN_M]
    log.add("CG-COV-005", count=len(thin), sample=thin, level=level, width_m=THIN_M)
    return apart


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


def zone_table(level: Level, columns: Mapping[str, NDArray[np.float64]]) -> gpd.GeoDataFrame:
    """Return one row per zone of a level: level, zone, name, the columns, and the caller's geometry."""
    data = {
        "level": level.name,
        "zone": level.layer.index.to_numpy(),
        "name": zone_names(level.layer),
        **columns,
    }
    return gpd.GeoDataFrame(data, geometry=level.layer.geometry.to_numpy(), crs=level.layer.crs)


def share(part: Any, whole: Any) -> Any:
    """Return part / whole, NaN where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)
