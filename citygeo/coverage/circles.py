"""Circles round facilities, as official formulas draw them, beside what is reached over the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo import datum
from citygeo.coverage.ground import dissolved
from citygeo.reach.place import require_range, row_numbers

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from numpy.typing import NDArray

    from citygeo.network.snap_layer import Polygons

QUAD_SEGMENTS = 64  # a circle of 256 corners is 0.01 % too small
RIM_SEGMENTS = 16  # enough to tell who is not near the rim: 0.12 % less than the radius
MAX_RADIUS_M = 100_000.0
UNSURE = 2e-3  # the scale of a projection changes this little across a circle
ON_THE_LINE_M = 1e-3  # who is asked for at exactly 500 m is in, whatever rounding says


@dataclass(frozen=True, eq=False)
class Circles:
    """
    Places, and how far around each counts as served.

    Attributes
    ----------
    shapes
        Points inside facilities, or their outlines, in a metric CRS; none missing.
    radius_m
        True metres of each, float64, shape `(n,)`.
    crs
        The metric CRS.
    """

    shapes: NDArray[np.object_]
    radius_m: NDArray[np.float64]
    crs: pyproj.CRS

    @cached_property
    def drawn_m(self) -> NDArray[np.float64]:
        """The radii in metres of the CRS, whose scale is a little off."""
        import pyproj

        x, y = shapely.get_coordinates(shapely.centroid(self.shapes)).T
        lon, lat = pyproj.Transformer.from_crs(self.crs, datum.WGS84, always_xy=True).transform(x, y)
        areal = pyproj.Proj(self.crs).get_factors(lon, lat).areal_scale
        return np.asarray(self.radius_m * np.sqrt(areal), np.float64)

    @cached_property
    def _sure_and_near(self) -> tuple[shapely.Geometry, shapely.Geometry]:
        """What is in circles whatever the projection does, and what may be."""
        unions = []
        for factor in (1 - UNSURE, 1 + UNSURE):
            drawn = shapely.buffer(self.shapes, self.drawn_m * factor, quad_segs=RIM_SEGMENTS)
            unions.append(shapely.union_all(drawn))
        shapely.prepare(unions)
        return unions[0], unions[1]

    @cached_property
    def ground(self) -> NDArray[np.object_]:
        """All ground in any circle, as polygons that do not overlap."""
        return dissolved(shapely.buffer(self.shapes, self.drawn_m, quad_segs=QUAD_SEGMENTS))

    def hold(self, lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Tell which points lie in a circle; one exactly at the radius does.

        Parameters
        ----------
        lonlat
            WGS 84 degrees, shape `(n, 2)`; NaN without a place.
        """
        import pyproj

        project = pyproj.Transformer.from_crs(datum.WGS84, self.crs, always_xy=True).transform
        has_place = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
        x, y = project(*lonlat[has_place].T)
        sure, near = self._sure_and_near
        is_in = np.zeros(len(lonlat), np.bool_)
        is_in[has_place] = is_sure = shapely.contains_xy(sure, x, y)
        at_rim = np.flatnonzero(shapely.contains_xy(near, x, y) & ~is_sure)
        is_in[has_place[at_rim]] = self._within(shapely.points(x[at_rim], y[at_rim]))
        return is_in

    def _within(self, points: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Tell which points near the rim are in, by the way over the ellipsoid."""
        import pyproj

        tree = shapely.STRtree(points)
        shape, point = tree.query(self.shapes, predicate="dwithin", distance=self.drawn_m * (1 + UNSURE))
        way = shapely.get_coordinates(shapely.shortest_line(self.shapes[shape], points[point])).reshape(-1, 4)
        back = pyproj.Transformer.from_crs(self.crs, datum.WGS84, always_xy=True).transform
        (lon_a, lat_a), (lon_b, lat_b) = back(*way[:, :2].T), back(*way[:, 2:].T)
        _, _, distance_m = pyproj.Geod(ellps="WGS84").inv(lon_a, lat_a, lon_b, lat_b)
        is_in = np.zeros(len(points), np.bool_)
        is_in[point[distance_m <= self.radius_m[shape] + ON_THE_LINE_M]] = True
        return is_in


def circles_of(
    facilities: gpd.GeoDataFrame, radius_m: float | str, polygons: Polygons, crs: pyproj.CRS
) -> Circles:
    """
    Return the circles round facilities.

    Parameters
    ----------
    facilities
        Points, polygons or lines; those without geometry have no circle.
    radius_m
        Metres above 0 and up to 100 km for all, or the name of a column of them.
    polygons
        Where the search over the network starts: at a ``"point"`` inside, or where streets enter, and then the
        circle is drawn round the outline.
    crs
        The metric CRS to draw in.

    Raises
    ------
    InputError
        CG-IN-003: rows without a usable radius. CG-IN-005: no such column.
    UnitError
        CG-UNIT-002: a number out of range.
    """
    if not isinstance(radius_m, str):
        hint = "Give the radius of the circles round facilities, or the column that holds it."
        require_range("radius_m", radius_m, 0, MAX_RADIUS_M, "metres", hint)
    rule = f"metres above 0 and up to {MAX_RADIUS_M:,.0f}"
    metres = row_numbers(
        facilities, radius_m, "facilities", "radius_m", rule, lambda r: (r > 0) & (r <= MAX_RADIUS_M)
    )
    places = (
        datum.representative_points(facilities) if polygons == "point" else facilities.geometry.to_numpy()
    )
    shapes = facilities.set_geometry(places, crs=facilities.crs).geometry.to_crs(crs).to_numpy()
    given = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return Circles(shapes[given], metres[given], crs)
