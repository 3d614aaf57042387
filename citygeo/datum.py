"""Coordinate systems: require one, choose a metric one to work in, find the points that stand for a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pyproj
    from numpy.typing import NDArray

WGS84 = 4326
EQUAL_AREA = 6933  # cylindrical, world-wide: areas right, shapes not
UTM_MAX_LATITUDE = 84.0


def require_crs(layer: gpd.GeoDataFrame | gpd.GeoSeries, name: str) -> None:
    """
    Raise CRSError (CG-CRS-001) unless `layer` has a CRS; the text shows its extent.

    Parameters
    ----------
    layer
        Any geometry layer.
    name
        What the caller calls it, for the message.
    """
    if layer.crs is None:
        xmin, ymin, xmax, ymax = (f"{value:.5g}" for value in layer.total_bounds)
        raise error("CG-CRS-001", layer=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)


def require_layer(layer: gpd.GeoDataFrame, name: str, *, is_labelled: bool = True) -> None:
    """
    Raise unless `layer` is a GeoDataFrame with rows, geometry, a CRS, and names that are each used once.

    Parameters
    ----------
    layer
        What the caller passed.
    name
        What the caller calls it, for the message.
    is_labelled
        Whether its row labels are used in the result and must be unique.

    Raises
    ------
    InputError
        CG-IN-007: no layer. CG-IN-001: no rows. CG-IN-006: repeated row labels. CG-IN-008: repeated columns.
    CRSError
        CG-CRS-001: no CRS.
    """
    import geopandas as gpd

    if not isinstance(layer, gpd.GeoDataFrame) or layer.active_geometry_name is None:
        raise error("CG-IN-007", layer=name, kind=type(layer).__name__)
    if len(layer) == 0:
        raise error("CG-IN-001", layer=name)
    for code, labels in (("CG-IN-006", layer.index if is_labelled else None), ("CG-IN-008", layer.columns)):
        if labels is not None and labels.has_duplicates:
            repeated = labels[labels.duplicated()].unique()
            raise error(
                code, layer=name, count=len(repeated), sample=", ".join(str(label) for label in repeated[:5])
            )
    require_crs(layer, name)


def working_crs(bounds: tuple[float, float, float, float], name: str = "the layer") -> pyproj.CRS:
    """
    Return the metric CRS to measure and buffer in.

    Parameters
    ----------
    bounds
        West, south, east, north in WGS 84 degrees.
    name
        What the caller calls the layer, for the message.

    Returns
    -------
    The WGS 84 UTM zone of the middle; above 84 degrees of latitude an azimuthal equal-area projection
    centred there, since UTM ends.

    Raises
    ------
    GeometryError
        CG-GEO-001 if the bounds are empty.

    Examples
    --------
    >>> working_crs((118.0, 24.4, 118.2, 24.6)).to_epsg()
    32650
    """
    import pyproj

    if not np.isfinite(bounds).all():
        raise error("CG-GEO-001", layer=name)
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    if abs(lat) > UTM_MAX_LATITUDE:
        return pyproj.CRS.from_proj4(f"+proj=laea +lat_0={lat:.4f} +lon_0={lon:.4f} +datum=WGS84 +units=m")
    zone = int((lon + 180) // 6) % 60 + 1
    return pyproj.CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def representative_points(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> NDArray[np.object_]:
    """
    Return one point for each row: the point itself, a point inside the polygon, or the middle of the line.

    The point inside a polygon is found in WGS 84 and the middle of a line in metres, so that neither depends on the
    caller's CRS.

    Parameters
    ----------
    layer
        Points, lines, polygons and their multiples, in any CRS.

    Returns
    -------
    Points in the layer's CRS, `None` where geometry is missing or empty.
    """
    geometry = layer.geometry.to_numpy()
    is_usable = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    points = np.full(geometry.shape, None, dtype=object)
    points[is_usable] = _flat(geometry[is_usable])
    kind = shapely.get_type_id(points)
    is_line = kind == int(shapely.GeometryType.LINESTRING)
    is_shape = is_usable & ~is_line & (kind != int(shapely.GeometryType.POINT))
    for rows, crs, find in ((is_line, None, _middles), (is_shape, WGS84, shapely.point_on_surface)):
        if rows.any():
            points[rows] = _found_in(layer.geometry[rows], crs, find)
    return points


def _flat(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Drop heights; most layers have none, and looking is cheaper than copying."""
    return np.asarray(shapely.force_2d(shapes), object) if shapely.has_z(shapes).any() else shapes


def _middles(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.asarray(shapely.line_interpolate_point(lines, 0.5, normalized=True), object)


def _found_in(
    shapes: gpd.GeoSeries, crs: int | None, find: Callable[[NDArray[np.object_]], NDArray[np.object_]]
) -> NDArray[np.object_]:
    """Find points of shapes in another CRS, the local metric one if `None`, and bring them back."""
    moved = shapes
    if shapes.crs is not None:
        lonlat = shapes if shapes.crs == WGS84 else shapes.to_crs(WGS84)
        bounds = lonlat.total_bounds
        # places that no projection can take (swapped axes) are told from where they are by require_place
        if np.isfinite(bounds).all():
            moved = lonlat if crs == WGS84 else shapes.to_crs(working_crs(tuple(bounds)))
    points = type(shapes)(find(_flat(moved.to_numpy())), index=shapes.index, crs=moved.crs)
    return np.asarray((points if moved.crs == shapes.crs else points.to_crs(shapes.crs)).to_numpy(), object)
