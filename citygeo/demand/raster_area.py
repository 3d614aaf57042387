"""Which pixels of a raster lie in an area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import affinity

from citygeo import datum
from citygeo.demand.raster_shares import Overlaps
from citygeo.io.pixels import Raster, Window

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

TURN = 360.0


class Bound:
    """
    The area that limits a raster; it is open if there is none.

    Parameters
    ----------
    raster
        What is limited.
    area
        Polygons in any CRS, or `None`.

    Raises
    ------
    CRSError
        CG-CRS-001 if the area has no CRS.
    """

    def __init__(self, raster: Raster, area: gpd.GeoDataFrame | gpd.GeoSeries | None) -> None:
        self._raster = raster
        self._shape = None if area is None else _shape_on(raster, area)

    @property
    def is_open(self) -> bool:
        """Whether every pixel counts."""
        return self._shape is None

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column in the middle of the part of the raster that may count."""
        own, to = self._raster, self._raster.transform
        box: shapely.Geometry = shapely.box(*own.box(Window(0, 0, own.rows, own.columns)))
        if self._shape is not None:
            inside = shapely.intersection(shapely.envelope(self._shape), box)
            box = box if shapely.is_empty(inside) else inside
        x0, y0, x1, y1 = shapely.bounds(box)
        row, column = ((y0 + y1) / 2 - to.f) / to.e, ((x0 + x1) / 2 - to.c) / to.a
        return min(max(row, 0.0), own.rows - 0.5), min(max(column, 0.0), own.columns - 0.5)

    def meets(self, window: Window) -> bool:
        """Tell whether any of a window may count."""
        return self._shape is None or bool(
            shapely.intersects(self._shape, shapely.box(*self._raster.box(window)))
        )

    def shares(
        self, window: Window, row: NDArray[np.int64], column: NDArray[np.int64], *, is_exact: bool
    ) -> NDArray[np.float64]:
        """
        Return how much of each pixel counts.

        Parameters
        ----------
        window
            Where they are.
        row, column
            Of the pixels, in the window, shape `(n,)`.
        is_exact
            Whether a pixel counts by its share inside, or whole if its middle is inside or on the outline.

        Returns
        -------
        0 to 1, shape `(n,)`.
        """
        if self._shape is None or shapely.contains(self._shape, shapely.box(*self._raster.box(window))):
            return np.ones(row.size)
        if is_exact:
            overlaps = Overlaps.find(self._raster, window, np.array([self._shape]))
            covered = np.zeros(window.rows * window.columns)
            covered[overlaps.pixel] = overlaps.share
            share: NDArray[np.float64] = covered[row * window.columns + column]
            return share
        to = self._raster.transform
        x = to.a * (window.column + column + 0.5) + to.c
        y = to.e * (window.row + row + 0.5) + to.f
        inside: NDArray[np.float64] = np.array(shapely.intersects_xy(self._shape, x, y), np.float64)
        return inside


def _shape_on(raster: Raster, area: gpd.GeoDataFrame | gpd.GeoSeries) -> shapely.Geometry:
    """Return the area in the CRS of the raster, ready for many questions."""
    datum.require_crs(area, "area")
    shape: shapely.Geometry = shapely.force_2d(area.geometry.to_crs(raster.crs).union_all())
    if raster.crs.is_geographic:  # a raster may count degrees from 0 to 360 east
        shape = shapely.union_all([affinity.translate(shape, by) for by in (-TURN, 0.0, TURN)])
    shapely.prepare(shape)
    return shape
