"""Areas in one equal-area plane, and their shares in H3 cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from citygeo import datum, hexgrid
from citygeo.demand.overlay import shared_areas
from citygeo.demand.parts import OUTSIDE, Parts
from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.demand.rules import Rules

# EPSG:6933 that does not turn back at 180 degrees, where cells on the antimeridian are drawn past it
PLANE = "+proj=cea +lat_ts=30 +datum=WGS84 +units=m +over +type=crs"
GENEROUS = 1.5  # sides of a box bend in another plane, but not of one that is much smaller than the Earth
FULL_TURN = 360.0
ROUNDING = 1e-12
HALF_WORLD_M = 17_367_530.45
POLYGONAL = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))


def is_polygon(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which shapes are areas that are not empty."""
    return np.isin(shapely.get_type_id(shapes), POLYGONAL) & ~shapely.is_empty(shapes)


def on_plane(layer: gpd.GeoSeries) -> NDArray[np.object_]:
    """Return the shapes in the equal-area plane, without heights."""
    shapes = np.asarray(layer.to_crs(PLANE).to_numpy(), object)
    # most layers have no heights, and looking is cheaper than copying
    return np.asarray(shapely.force_2d(shapes), object) if shapely.has_z(shapes).any() else shapes


def points_on_plane(lonlat: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return WGS 84 points in the plane, shape `(n, 2)`; longitudes beyond 180 come to the other side."""
    turns = np.where(np.abs(lonlat[:, 0]) > FULL_TURN / 2, np.round(lonlat[:, 0] / FULL_TURN), 0.0)
    within = lonlat - np.stack((FULL_TURN * turns, np.zeros(turns.size)), axis=1)
    return on_plane(gpd.GeoSeries(shapely.points(within), crs=datum.WGS84))


def require_on_earth(layer: gpd.GeoDataFrame, name: str) -> None:
    """Raise CG-CRS-001 without a CRS, and CG-DEM-025 if rows lie nowhere on Earth: x and y swapped, or another CRS."""
    import pyproj

    datum.require_crs(layer, name)
    xy, row = shapely.get_coordinates(layer.geometry.to_numpy(), return_index=True)
    is_first = np.diff(row, prepend=-1) > 0
    x, y = xy[is_first].T
    lon, lat = pyproj.Transformer.from_crs(layer.crs, datum.WGS84, always_xy=True).transform(x, y)
    is_bad = ~((np.abs(lon) <= FULL_TURN) & (np.abs(lat) <= FULL_TURN / 4))  # infinite and NaN fail both
    if is_bad.any():
        bad = row[is_first][is_bad]
        sample = ", ".join(
            f"{label} ({a:.6g}, {b:.6g})"
            for label, a, b in zip(layer.index[bad[:3]], x[is_bad][:3], y[is_bad][:3], strict=True)
        )
        raise error(
            "CG-DEM-025",
            count=bad.size,
            total=len(layer),
            layer=name,
            crs=layer.crs.to_string(),
            sample=sample,
        )


def box_areas(layer: gpd.GeoSeries) -> NDArray[np.float64]:
    """Return the area in m² of a box around each shape, generously; no area of a small shape is larger."""
    import pyproj

    west, south, east, north = shapely.bounds(layer.to_numpy()).T
    into = pyproj.Transformer.from_crs(layer.crs, PLANE, always_xy=True)
    x, y = into.transform(np.stack((west, west, east, east)), np.stack((south, north, south, north)))
    with np.errstate(invalid="ignore"):  # boxes at the edge of a map of the world
        return np.asarray(GENEROUS * np.ptp(x, axis=0) * np.ptp(y, axis=0), np.float64)


def repaired(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return areas whose rings do not cross, and which had to be mended."""
    is_broken = ~shapely.is_valid(shapes)
    if not is_broken.any():
        return shapes, is_broken
    mended = shapes.copy()
    mended[is_broken] = areas_of(shapely.make_valid(shapes[is_broken]))
    return mended, is_broken


def areas_of(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes without the points and lines that mending and cutting leave."""
    areas = np.asarray(shapes, object).copy()
    for n in np.flatnonzero(~np.isin(shapely.get_type_id(areas), POLYGONAL)):
        parts = shapely.get_parts(areas[n])
        areas[n] = shapely.union_all(parts[is_polygon(parts)])
    return areas


def overlaps(shapes: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """
    Return which areas lie on each other.

    Parameters
    ----------
    shapes
        Valid areas in the plane, shape `(n,)`.

    Returns
    -------
    The first and the second of each pair, by position, and the m² that they share, each of shape `(p,)`, sorted.
    """
    # valid coverages are by far the most common, and told at once; only areas with faults are compared
    suspect = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    one, other = shapely.STRtree(shapes).query(shapes[suspect], predicate="intersects")
    both = np.unique(np.sort(np.stack((suspect[one], other), axis=1), axis=1), axis=0)
    one, other = both[both[:, 0] < both[:, 1]].T
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    area = shapely.area(shapes)
    # two neighbours whose common border is drawn with other corners share what rounding leaves
    has_shared = shared > ROUNDING * np.maximum(area[one], area[other])
    return one[has_shared], other[has_shared], shared[has_shared]


def parts_of_areas(
    shapes: NDArray[np.object_], rules: Rules, weight: NDArray[np.float64] | None = None
) -> Parts:
    """
    Return the area of each shape in each cell.

    Parameters
    ----------
    shapes
        Valid areas in the plane, shape `(n,)`.
    rules
        How they count; what lies outside the area asked for is a part of its own.
    weight
        What a square metre of each shape weighs; 1 if not given.

    Returns
    -------
    Parts by position in `shapes`, weights in m².

    Raises
    ------
    LimitError
        CG-LIM-002 if that would be more than 5 million cells.
    """
    inside = shapes if rules.within is None else rules.within.clipped(shapes)
    row, cell, area = _cell_areas(inside, rules)
    if rules.within is not None:
        left = np.maximum(shapely.area(shapes) - shapely.area(inside), 0)
        # a shape wholly inside loses nothing to the last digit of its area
        is_cut = left > shapely.area(shapes) * ROUNDING
        row = np.concatenate((row, np.flatnonzero(is_cut)))
        cell = np.concatenate((cell, np.full(int(is_cut.sum()), OUTSIDE)))
        area = np.concatenate((area, left[is_cut]))
    return Parts(row, cell, area if weight is None else area * weight[row])


def _cell_areas(
    shapes: NDArray[np.object_], rules: Rules
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.float64]]:
    """Return which shape lies in which cell with how many square metres."""
    cells = hexgrid.cells_in(gpd.GeoSeries(shapes, crs=PLANE), rules.resolution)
    outlines = on_plane(gpd.GeoSeries(hexgrid.cell_polygons(cells), crs=datum.WGS84))
    # a cell on the antimeridian has a part on either side of the plane
    is_past = shapely.bounds(outlines)[:, 2] > HALF_WORLD_M
    twins = shapely.transform(outlines[is_past], lambda xy: xy - (2 * HALF_WORLD_M, 0))
    cells, outlines = np.concatenate((cells, cells[is_past])), np.concatenate((outlines, twins))
    row, place = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    shapely.prepare(shapes)
    area = shapely.area(outlines)[place]
    is_cut = ~shapely.contains_properly(shapes[row], outlines[place])
    area[is_cut] = shared_areas(shapes, outlines, row[is_cut], place[is_cut], rules.threads)
    has_area = area > 0
    return row[has_area], cells[place[has_area]], area[has_area]
