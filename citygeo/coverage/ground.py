"""Ground as polygons that do not overlap, so that areas add up: what two sets share, and how much each shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

POLYGON = int(shapely.GeometryType.POLYGON)


def dissolved(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the polygons of the union of shapes in a metric CRS, missing ones left out."""
    # projecting bends edges, so what was valid before may touch itself after
    return polygons_of(shapely.union_all(shapely.make_valid(shapes[~shapely.is_missing(shapes)])))


def polygons_of(shapes: shapely.Geometry | NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the polygons that shapes consist of; lines and points are no ground."""
    parts = shapely.get_parts(shapes)
    while (shapely.get_num_geometries(parts) > 1).any():  # collections of multipolygons
        parts = shapely.get_parts(parts)
    return np.asarray(parts[shapely.get_type_id(parts) == POLYGON], object)


def common_ground(one: NDArray[np.object_], two: NDArray[np.object_]) -> NDArray[np.object_]:
    """
    Return the ground that two sets of polygons share.

    Parameters
    ----------
    one, two
        Polygons; those of a set do not overlap.

    Returns
    -------
    Polygons that do not overlap; lines and points at which they touch are left out.
    """
    row, column = shapely.STRtree(two).query(one, predicate="intersects")
    return polygons_of(shapely.intersection(one[row], two[column]))


def overlap_areas(shapes: NDArray[np.object_], ground: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the square metres each shape shares with polygons that do not overlap; NaN for a missing shape."""
    areas = np.where(shapely.is_missing(shapes), np.nan, 0.0)
    # most zones lie within the city, and their own corners say so quicker than cutting them with all of its
    _, within = shapely.STRtree(shapes).query(ground, predicate="contains_properly")
    areas[within] = shapely.area(shapes[within])
    rest = np.setdiff1d(np.arange(shapes.size), within)
    row, part = shapely.STRtree(ground).query(shapes[rest], predicate="intersects")
    np.add.at(areas, rest[row], shapely.area(shapely.intersection(shapes[rest[row]], ground[part])))
    return areas
