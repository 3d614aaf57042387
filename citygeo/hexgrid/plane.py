"""Areas in the plane of longitude and latitude, on whatever side of the antimeridian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from citygeo.datum import WGS84, require_crs
from citygeo.errors import error

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Area = shapely.Polygon | shapely.MultiPolygon

TURN, HALF_TURN = 360.0, 180.0
PARTS, LEAST_DEGREES = 16, 1e-9
ECCENTRICITY = 0.0818191908426215  # of the WGS 84 ellipsoid


def usable(polygons: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    """Return the geometry that is there; raise if it has no CRS."""
    require_crs(polygons, "polygons")
    given = polygons.geometry.to_numpy()
    return polygons.geometry[~(shapely.is_missing(given) | shapely.is_empty(given))]


def one_area(geometry: gpd.GeoSeries) -> Area:
    """Return one area in degrees, in one piece where pieces meet, also on the antimeridian."""
    parts = shapely.get_parts(shapely.force_2d(geometry.to_crs(WGS84).to_numpy()))
    for row in np.flatnonzero(_is_jumping(parts)):
        parts[row] = _unwrapped(parts[row])
    is_bad = ~shapely.is_valid(parts)
    parts[is_bad] = shapely.make_valid(parts[is_bad])
    area: Any = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    west, _, east, _ = area.bounds
    if west <= -HALF_TURN and east >= HALF_TURN:  # it is cut there, along edges that are none
        area = shapely.union(area, turned(area, TURN))
    return cast("Area", area)


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


def turns_onto(area: Area) -> list[float]:
    """Return by how many degrees cells with a middle within ±180 are moved to lie on an area."""
    west, _, east, _ = area.bounds
    first, last = np.floor((west - TURN) / TURN), np.ceil((east + TURN) / TURN)
    return [float(TURN * turn) for turn in np.arange(first, last + 1)]


def do_meet(bounds: NDArray[np.float64], area: Area) -> NDArray[np.bool_]:
    """Tell which rectangles (west, south, east, north) touch that around an area."""
    west, south, east, north = area.bounds
    met = (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    return np.asarray(met)


def relative_areas(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """
    Return areas on the ellipsoid, in a unit of their own, of shapes whose edges are straight in degrees.

    The cylindrical equal-area map: a parallel is as far from the equator as the part of the Earth between the two is
    large (Snyder 1987, Map Projections, equation 3-12).
    """

    def on_map(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        sine, e = np.sin(np.radians(xy[:, 1])), ECCENTRICITY
        return np.column_stack([xy[:, 0], sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e])

    # such an edge is a curve on the map; a sixteenth of it is near enough to straight
    west, south, east, north = shapely.bounds(shapes).T
    step = np.fmax(np.fmax(east - west, north - south) / PARTS, LEAST_DEGREES)
    return np.asarray(shapely.area(shapely.transform(shapely.segmentize(shapes, step), on_map)))
