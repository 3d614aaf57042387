"""Where the pixels of a raster are on the ground, and how large they are there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from citygeo.io.pixels import Raster

TURN = 360.0
SHARE = 1e-3  # of a pixel: far below what curvature changes, far above rounding


class Ground:
    """
    The ground under a raster; may be asked by several threads at a time.

    Parameters
    ----------
    raster
        From :func:`citygeo.io.pixels.describe`.
    """

    def __init__(self, raster: Raster) -> None:
        import pyproj

        self._raster = raster
        self._to_lonlat = pyproj.Transformer.from_crs(raster.crs, 4326, always_xy=True)
        earth = raster.crs.get_geod() or pyproj.Geod(ellps="WGS84")
        self._radius_m, self._square = float(earth.a), float(earth.es)  # the half axis; eccentricity squared

    def xy(self, row: NDArray[Any], column: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return places in the CRS of the raster.

        Parameters
        ----------
        row, column
            Places counted in pixels from the outer corner; the middle of the first pixel is (0.5, 0.5).
        """
        to = self._raster.transform
        return to.a * column + to.c, to.e * row + to.f

    def lonlat(
        self, row: NDArray[Any], column: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return places in WGS 84 degrees; infinite where the CRS draws no place.

        Parameters
        ----------
        row, column
            As for :meth:`xy`.
        """
        lon, lat = self._to_lonlat.transform(*self.xy(row, column))
        # a CRS of degrees draws what lies past the poles, or once more around the Earth
        is_off = ~((np.abs(lon) <= 2 * TURN) & (np.abs(lat) <= TURN / 4))
        lon = np.where(np.abs(lon) > TURN, lon - np.copysign(TURN, lon), lon)
        return np.where(is_off, np.inf, lon), np.where(is_off, np.inf, lat)

    def areas_m2(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float64]:
        """
        Return the area of pixels on the ellipsoid.

        Parameters
        ----------
        row, column
            Of pixels, shape `(n,)`.

        Returns
        -------
        Square metres, shape `(n,)`, to a part in a million for pixels below 5 km, in a thousand below 150 km; NaN
        where the CRS draws no place.

        Notes
        -----
        In degrees, the area between two parallels is known in closed form (Snyder 1987, Map Projections: A Working
        Manual, eq. 3-12). In other CRSs a small parallelogram around the middle of the pixel is measured on the
        plane that touches the ellipsoid there.
        """
        import pyproj

        if self._raster.crs.is_geographic:
            return self._areas_of_degrees(row)
        middle = row + 0.5, column + 0.5
        sides = []
        to_own = pyproj.Transformer.from_crs(self._raster.crs, self._raster.crs.geodetic_crs, always_xy=True)
        lon, lat = to_own.transform(*self.xy(*middle))
        for down, right in ((SHARE, 0.0), (0.0, SHARE)):
            before = to_own.transform(*self.xy(middle[0] - down, middle[1] - right))
            after = to_own.transform(*self.xy(middle[0] + down, middle[1] + right))
            sides.append(self._metres(lat, np.subtract(after, before)))
        (east, north), (east_too, north_too) = sides
        area = np.abs(east * north_too - east_too * north) / (2 * SHARE) ** 2
        return np.where(np.isfinite(lon) & np.isfinite(area), area, np.nan)

    def _metres(self, lat: NDArray[np.float64], step: Iterable[Any]) -> tuple[Any, Any]:
        """Return small steps of longitude and latitude in metres east and north."""
        lon_step, lat_step = step
        w = np.sqrt(1 - self._square * np.sin(np.radians(lat)) ** 2)
        lon_step = (lon_step + TURN / 2) % TURN - TURN / 2
        east = np.radians(lon_step) * self._radius_m / w * np.cos(np.radians(lat))
        return east, np.radians(lat_step) * self._radius_m * (1 - self._square) / w**3

    def _areas_of_degrees(self, row: NDArray[np.int64]) -> NDArray[np.float64]:
        to = self._raster.transform
        unit = self._raster.crs.axis_info[0].unit_conversion_factor  # radians: not all count in degrees
        e = math.sqrt(self._square)

        def below(edge: NDArray[Any]) -> NDArray[np.float64]:
            sine = np.sin(np.clip((to.e * edge + to.f) * unit, -math.pi / 2, math.pi / 2))
            straight = np.arctanh(e * sine) / e if e else sine
            return (1 - self._square) / 2 * (sine / (1 - self._square * sine * sine) + straight)

        area: NDArray[np.float64] = self._radius_m**2 * abs(to.a * unit) * np.abs(below(row + 1) - below(row))
        return area

    def require_place(self, row: float, column: float) -> tuple[float, float]:
        """
        Return the longitude and latitude of a place.

        Raises
        ------
        CRSError
            CG-RAS-006 if the CRS draws none there.
        """
        lon, lat = self.lonlat(np.array([row]), np.array([column]))
        if not math.isfinite(lon[0]):
            raise error("CG-RAS-006", path=self._raster.path.name, crs=self._raster.crs.name)
        return float(lon[0]), float(lat[0])
