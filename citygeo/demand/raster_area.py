"""Which pixels of a raster lie in an area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from shapely import affinity

from citygeo import datum
from citygeo.demand.ground import is_polygon, repaired
from citygeo.demand.raster_shares import Overlaps
from citygeo.io.pixels import Raster, Window

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

TURN = 360.0
NEAR = 0.1  # of a pixel: how far an edge may be from where it is
HALVINGS = 12  # of an edge; those that the edge of the map tears are never near
CHECKS = (1 / 3, 1 / 2)  # an edge like an S may be right in the middle


class Bound:
    """
    The area that limits a raster; it is open if there is none.

    Parameters
    ----------
    raster
        What is limited.
    area
        Polygons in any CRS, or `None`; edges are straight there. Other shapes in it hold no pixel.

    Raises
    ------
    InputError, CRSError
        CG-IN-001, CG-IN-007, CG-CRS-001 if it is no layer with rows and a CRS.
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
    layer = area.to_frame("geometry") if isinstance(area, gpd.GeoSeries) else area
    datum.require_layer(layer, "area", is_labelled=False)
    shapes = layer.geometry.to_numpy()
    polygons = shapely.get_parts(shapely.force_2d(shapes[is_polygon(shapes)]))
    if layer.crs != raster.crs:
        near = NEAR * min(abs(raster.transform.a), abs(raster.transform.e))
        polygons = _moved(polygons, layer.crs, raster.crs, near)
    shape: shapely.Geometry = shapely.union_all(repaired(polygons)[0])
    if raster.crs.is_geographic:  # a raster may count degrees from 0 to 360 east
        shape = shapely.union_all([affinity.translate(shape, by) for by in (-TURN, 0.0, TURN)])
    shapely.prepare(shape)
    return shape


def _moved(
    polygons: NDArray[np.object_], own: pyproj.CRS, other: pyproj.CRS, near: float
) -> NDArray[np.object_]:
    """Return polygons in another CRS, with so many corners more that no edge is farther off than `near`."""
    import pyproj

    if not polygons.size:
        return polygons
    into = pyproj.Transformer.from_crs(own, other, always_xy=True)
    _, xy, (ring_starts, polygon_starts) = shapely.to_ragged_array(polygons)
    for _ in range(HALVINGS):
        bent = np.setdiff1d(_bent(into, xy, near), ring_starts - 1)  # from ring to ring there is no edge
        if not bent.size:
            break
        xy = np.insert(xy, bent + 1, (xy[bent] + xy[bent + 1]) / 2, axis=0)
        ring_starts = ring_starts + np.searchsorted(bent + 1, ring_starts)
    moved = np.column_stack(into.transform(*xy.T))
    polygon = shapely.GeometryType.POLYGON
    return np.asarray(shapely.from_ragged_array(polygon, moved, (ring_starts, polygon_starts)), object)


def _bent(into: pyproj.Transformer, xy: NDArray[np.float64], near: float) -> NDArray[np.int64]:
    """Return which edges, by their first corner, are straight in one CRS but not in the other."""
    start, end = xy[:-1], xy[1:]
    corners = np.column_stack(into.transform(*xy.T))
    off = np.zeros(len(start))
    with np.errstate(invalid="ignore"):  # infinite corners
        for share in CHECKS:
            place = np.column_stack(into.transform(*(start + share * (end - start)).T))
            straight = corners[:-1] + share * (corners[1:] - corners[:-1])
            off = np.maximum(off, np.abs(place - straight).max(axis=1))
    return np.flatnonzero(off > near)
