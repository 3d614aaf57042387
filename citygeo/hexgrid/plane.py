"""Areas in the plane of longitude and latitude, on whatever side of the antimeridian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from citygeo.datum import WGS84, require_crs
from citygeo.errors import error

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

TURN, HALF_TURN = 360.0, 180.0
PARTS, LEAST_DEGREES = 16, 1e-9
RADIUS_KM, ECCENTRICITY = 6378.137, 0.0818191908426215  # of the WGS 84 ellipsoid


def usable(polygons: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    """Return the geometry that is there; raise if it has no CRS."""
    require_crs(polygons, "polygons")
    given = polygons.geometry.to_numpy()
    return polygons.geometry[~(shapely.is_missing(given) | shapely.is_empty(given))]


class Areas:
    """
    Parts of areas in degrees, found by place. No union is made of them, which takes long if they are many.

    Parameters
    ----------
    parts
        Polygons, shape `(n,)`, at least one.

    Attributes
    ----------
    parts, bounds
        The polygons, and west, south, east, north of each.
    turns
        By how many degrees what has its middle within ±180 is moved to lie on the parts.
    """

    def __init__(self, parts: NDArray[np.object_]) -> None:
        shapely.prepare(parts)
        self.parts = parts
        self._tree = shapely.STRtree(parts)
        self.bounds = shapely.bounds(parts)
        self._whole = west, _, east, _ = shapely.total_bounds(parts)
        first, last = np.ceil((west - TURN) / TURN), np.floor((east + TURN) / TURN)
        self.turns = [float(TURN * turn) for turn in np.arange(first, last + 1)]

    def near(self, bounds: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return which rectangles (west, south, east, north) touch that around all parts."""
        west, south, east, north = self._whole
        is_near = (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
        return np.flatnonzero(is_near & (bounds[:, 1] <= north) & (bounds[:, 3] >= south))

    def pairs(self, shapes: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of shapes, and for each that of a part whose bounds meet its own."""
        rows, at = self._tree.query(shapes)
        return rows, at


def parts_of(geometry: gpd.GeoSeries) -> NDArray[np.object_]:
    """Return the polygons of areas in degrees, valid, those over the antimeridian in one piece."""
    parts = shapely.get_parts(shapely.force_2d(geometry.to_crs(WGS84).to_numpy()))
    for row in np.flatnonzero(_is_jumping(parts)):
        parts[row] = _unwrapped(parts[row])
    is_bad = ~shapely.is_valid(parts)
    parts[is_bad] = shapely.make_valid(parts[is_bad])
    return np.asarray(parts, object)


def one_area(parts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return parts as one, in one piece where they meet, also on the antimeridian."""
    area: Any = shapely.disjoint_subset_union_all(parts)
    west, _, east, _ = area.bounds
    if west <= -HALF_TURN and east >= HALF_TURN:  # it is cut there, along edges that are none
        area = shapely.union(area, turned(area, TURN))
    return np.array([area], object)


def _is_jumping(parts: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which polygons have an edge over the antimeridian; one of a whole turn runs along a parallel."""
    xy, owner = shapely.get_coordinates(parts, return_index=True)
    step = np.abs(np.diff(xy[:, 0]))
    # the step from ring to ring of a polygon is no edge; a polygon that it is taken for one does not change
    jumps = (step > HALF_TURN) & (step < TURN) & (owner[1:] == owner[:-1])
    return np.bincount(owner[1:][jumps], minlength=len(parts)) > 0


def _unwrapped(polygon: shapely.Polygon) -> shapely.Polygon:
    shell, *holes = (continued(shapely.get_coordinates(ring)) for ring in shapely.get_rings(polygon))
    return with_holes(shell, holes)


def continued(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a closed ring, with longitudes that go on beyond 180; raise if it goes around a pole."""
    turns = np.round((np.unwrap(ring[:, 0], period=TURN) - ring[:, 0]) / TURN)
    if turns[-1] != turns[0]:
        raise error("CG-HEX-001")
    return np.column_stack([ring[:, 0] + TURN * turns, ring[:, 1]])


def with_holes(shell: NDArray[np.float64], holes: list[NDArray[np.float64]]) -> shapely.Polygon:
    """Return a polygon, whose holes may be written a turn away."""
    middle = shell[:, 0].mean()
    turns = [TURN * np.round((middle - hole[:, 0].mean()) / TURN) for hole in holes]
    return shapely.Polygon(
        shell, [hole + np.array([turn, 0.0]) for hole, turn in zip(holes, turns, strict=True)]
    )


def turned(shapes: Any, degrees: float) -> Any:
    """Return shapes moved to the east."""
    return shapely.transform(shapes, lambda xy: xy + np.array([degrees, 0.0])) if degrees else shapes


def is_inside(inner: NDArray[np.float64], outer: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which rectangles (west, south, east, north) lie in another each."""
    within = (inner[:, :2] >= outer[:, :2]) & (inner[:, 2:] <= outer[:, 2:])
    return np.asarray(within.all(axis=1))


def areas_km2(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """
    Return areas on the ellipsoid of shapes whose edges are straight in degrees.

    The cylindrical equal-area map: a parallel is as far from the equator as the part of the Earth between the two is
    large (Snyder 1987, Map Projections, equation 3-12).
    """

    def on_map(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        sine, e = np.sin(np.radians(xy[:, 1])), ECCENTRICITY
        height = RADIUS_KM * (1 - e**2) / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
        return np.column_stack([RADIUS_KM * np.radians(xy[:, 0]), height])

    # such an edge is a curve on the map; a sixteenth of it is near enough to straight
    west, south, east, north = shapely.bounds(shapes).T
    step = np.fmax(np.fmax(east - west, north - south) / PARTS, LEAST_DEGREES)
    return np.asarray(shapely.area(shapely.transform(shapely.segmentize(shapes, step), on_map)))
