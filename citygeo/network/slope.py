"""Walking up and down: how heights along a street change the speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    from pathlib import Path

    import pyproj
    from numpy.typing import NDArray

    from citygeo.modes import TravelMode

TOBLER_STEEPNESS = 3.5
TOBLER_FASTEST = -0.05  # the slope at which one walks fastest
STEEPEST = 1.0  # 45 degrees: more is a fault of the raster, or a bridge


def tobler(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return walking speed on a slope as a multiple of the speed on the flat.

    Parameters
    ----------
    slope
        Rise over run, positive uphill.

    Returns
    -------
    ``exp(-3.5 |slope + 0.05|) / exp(-3.5 * 0.05)``: Tobler's hiking function without its 6 km/h, so that the
    mode's own speed holds on the flat.

    Examples
    --------
    >>> tobler(np.array([0.0, 0.1, -0.05])).round(3).tolist()
    [1.0, 0.705, 1.191]

    References
    ----------
    Tobler (1993), "Three presentations on geographical analysis and modeling", NCGIA report 93-1.
    """
    factor: NDArray[np.float64] = np.exp(
        TOBLER_STEEPNESS * (abs(TOBLER_FASTEST) - np.abs(slope - TOBLER_FASTEST))
    )
    return factor


@dataclass(frozen=True)
class Elevation:
    """
    A raster of heights, read between the middles of its pixels.

    Attributes
    ----------
    height
        Metres, `(rows, columns)`, NaN where unknown.
    to_pixel
        Affine coefficients ``(a, b, c, d, e, f)``: column ``a x + b y + c``, row ``d x + e y + f`` of pixel middles.
    crs
        CRS of the raster.
    name
        Its file name.
    """

    height: NDArray[np.float64]
    to_pixel: tuple[float, float, float, float, float, float]
    crs: pyproj.CRS
    name: str

    @classmethod
    def read(cls, path: Path, mode: TravelMode) -> Elevation:
        """
        Read the first band of a raster.

        Parameters
        ----------
        path
            Any raster GDAL reads, in any CRS.
        mode
            Who travels; it must have a slope rule.

        Raises
        ------
        FileError, FileFormatError
            CG-FILE-001: no such file. CG-FILE-002: no raster.
        CRSError
            CG-RAS-001: the raster has no CRS.
        NetworkError
            CG-NET-053: heights do not change the speed of this mode.
        """
        import pyproj
        import rasterio

        from citygeo.io.pbf import require_file

        if not mode.slope:
            raise error("CG-NET-053", mode=mode.name)
        require_file(path)
        try:
            with rasterio.open(path) as raster:
                if raster.crs is None:
                    raise error("CG-RAS-001", path=path.name)
                height = raster.read(1, masked=True).astype(np.float64).filled(np.nan)
                inverse = ~raster.transform
                crs = pyproj.CRS.from_user_input(raster.crs)
        except rasterio.errors.RasterioIOError as cause:
            raise error(
                "CG-FILE-002", path=path.name, expected="a raster", start="unknown bytes", reason=str(cause)
            ) from cause
        a, b, c, d, e, f = tuple(inverse)[:6]
        return cls(height, (a, b, c - 0.5, d, e, f - 0.5), crs, path.name)

    def at(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return metres at places, by bilinear interpolation between the four nearest pixel middles.

        Parameters
        ----------
        lonlat
            WGS 84 degrees, `(n, 2)`.

        Returns
        -------
        NaN where a pixel needed is unknown or outside.
        """
        import pyproj

        x, y = pyproj.Transformer.from_crs(4326, self.crs, always_xy=True).transform(*lonlat.T)
        a, b, c, d, e, f = self.to_pixel
        column, row = a * x + b * y + c, d * x + e * y + f
        rows, columns = self.height.shape
        is_in = (column >= 0) & (column <= columns - 1) & (row >= 0) & (row <= rows - 1)
        left = np.clip(np.where(is_in, column, 0).astype(np.int64), 0, max(columns - 2, 0))
        top = np.clip(np.where(is_in, row, 0).astype(np.int64), 0, max(rows - 2, 0))
        right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
        u, v = column - left, row - top
        above = _between(self.height[top, left], self.height[top, right], u)
        below = _between(self.height[bottom, left], self.height[bottom, right], u)
        metres: NDArray[np.float64] = np.where(is_in, _between(above, below, v), np.nan)
        return metres

    def factors(
        self,
        place: NDArray[np.float64],
        length_m: NDArray[np.float64],
        way: NDArray[np.int64],
        is_structure: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """
        Return the factor on the speed along and against each segment.

        Parameters
        ----------
        place
            WGS 84 degrees of both ends of each segment, `(s, 2, 2)`.
        length_m
            Metres on the flat, `(s,)`.
        way
            The way of each segment, `(s,)`, segments of a way together and in order.
        is_structure
            Whether each segment is a bridge, tunnel or ferry, where the ground is not the road: it climbs evenly
            from end to end of its way, `(s,)`.

        Returns
        -------
        Shape `(s, 2)`; 1 where a height is unknown or the segment has no length.
        """
        height = self.at(place.reshape(-1, 2)).reshape(-1, 2)
        run, rise = length_m.copy(), height[:, 1] - height[:, 0]
        first = np.flatnonzero(np.append(True, way[1:] != way[:-1])[: way.size])
        last = np.append(first[1:], way.size) - 1
        whole = np.searchsorted(first, np.arange(way.size), side="right") - 1
        if way.size:
            even_rise = (height[last, 1] - height[first, 0])[whole]
            run = np.where(is_structure, np.add.reduceat(length_m, first)[whole], run)
            rise = np.where(is_structure, even_rise, rise)
        slope = np.where(run > 0, rise / np.where(run > 0, run, 1.0), 0.0)
        slope = np.clip(np.nan_to_num(slope, nan=0.0), -STEEPEST, STEEPEST)
        return np.column_stack((tobler(slope), tobler(-slope)))


def _between(
    one: NDArray[np.float64], two: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate; a pixel that does not count may be unknown."""
    return np.where(share == 0, one, np.where(share == 1, two, one + share * (two - one)))
