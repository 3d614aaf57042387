"""Areas over the antimeridian in one form, however they are written: cut there, within ±180 degrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from citygeo.datum import WGS84
from citygeo.demand.ground import areas_of, is_polygon, repaired
from citygeo.hexgrid.plane import HALF_TURN, TURN, continued, turned, with_holes

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUARTER_TURN = 90.0


def cut_at_antimeridian(layer: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, NDArray[np.bool_]]:
    """
    Return a layer whose areas lie within ±180 degrees.

    Parameters
    ----------
    layer
        Rows with geometry, in any CRS. An area over the antimeridian may have an edge of more than half a turn from
        one side to the other, as in H3, have longitudes beyond ±180, or be cut already.

    Returns
    -------
    The layer as it was, or in WGS 84 with such areas in pieces on both sides; and which of them were not valid
    and had to be mended before, shape `(n,)`. An edge of a whole turn runs along a parallel.

    Raises
    ------
    GeometryError
        CG-HEX-001 if an area goes around a pole.

    Examples
    --------
    >>> layer = gpd.GeoDataFrame(geometry=[shapely.box(179, 0, 182, 1)], crs=4326)
    >>> cut_at_antimeridian(layer)[0].geometry[0].bounds
    (-180.0, 0.0, 180.0, 1.0)
    """
    is_mended = np.zeros(len(layer), np.bool_)
    if _is_on_one_side(layer.geometry):
        return layer, is_mended
    geometry = layer.geometry.to_crs(WGS84)
    shapes = np.array(geometry.to_numpy(), object)
    west, _, east, _ = shapely.bounds(shapes).T
    is_far = (west < -HALF_TURN) | (east > HALF_TURN) | (east - west > HALF_TURN)
    rows = np.flatnonzero(is_far & is_polygon(shapes))
    if not rows.size:
        return layer, is_mended
    whole = np.array([_continued(shape) for shape in shapely.force_2d(shapes[rows])], object)
    whole, is_mended[rows] = repaired(whole)
    shapes[rows] = [_cut(shape) for shape in whole]
    return layer.set_geometry(gpd.GeoSeries(shapes, layer.index, crs=WGS84)), is_mended


def _is_on_one_side(geometry: gpd.GeoSeries) -> bool:
    """Tell whether a layer is far from the antimeridian for sure, from its bounds alone."""
    import pyproj

    bounds = geometry.total_bounds
    if not geometry.crs.is_geographic:
        bounds = pyproj.Transformer.from_crs(geometry.crs, WGS84, always_xy=True).transform_bounds(*bounds)
    west, east = bounds[0], bounds[2]
    # not so if there are none, or if west is on the other side
    return bool(-HALF_TURN <= west <= east <= min(HALF_TURN, west + HALF_TURN))


def _continued(shape: shapely.Polygon | shapely.MultiPolygon) -> shapely.MultiPolygon:
    """Return an area with its parts in one piece each, beyond ±180 degrees if need be."""
    parts = [
        with_holes(continued(shell), [continued(hole) for hole in holes]) if _is_jumping(shell) else part
        for part in shapely.get_parts(shape)
        for shell, *holes in [[shapely.get_coordinates(ring) for ring in shapely.get_rings(part)]]
    ]
    return shapely.MultiPolygon(parts)


def _is_jumping(ring: NDArray[np.float64]) -> bool:
    """Tell whether an edge goes over the antimeridian."""
    step = np.abs(np.diff(ring[:, 0]))
    return bool(((step > HALF_TURN) & (step < TURN)).any())


def _cut(shape: shapely.MultiPolygon) -> shapely.Geometry:
    """Return an area in pieces within ±180 degrees."""
    west, _, east, _ = shape.bounds
    first, last = (int(np.floor((edge + HALF_TURN) / TURN)) for edge in (west, east))
    pieces = [
        turned(shapely.intersection(shape, shapely.box(x - HALF_TURN, -QUARTER_TURN, x + HALF_TURN, QUARTER_TURN)), -x)
        for x in TURN * np.arange(first, last + 1)
    ]  # fmt: skip
    return shapely.union_all(areas_of(np.array(pieces, object)))
