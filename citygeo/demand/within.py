"""The part of the world that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from citygeo import datum
from citygeo.demand.antimeridian import cut_at_antimeridian
from citygeo.demand.ground import areas_of, is_polygon, on_plane, points_on_plane, repaired

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Within:
    """
    The area asked for.

    Parameters
    ----------
    area
        Polygons in any CRS.

    Raises
    ------
    InputError
        CG-IN-001, CG-IN-007, CG-CRS-001 if it is no layer with rows and a CRS.
    """

    def __init__(self, area: gpd.GeoDataFrame | gpd.GeoSeries) -> None:
        layer = area.to_frame("geometry") if isinstance(area, gpd.GeoSeries) else area
        datum.require_layer(layer, "area", is_labelled=False)
        layer, _ = cut_at_antimeridian(layer)
        shapes = on_plane(layer.geometry)
        shapes, _ = repaired(shapes[is_polygon(shapes)])
        self._shape = shapely.union_all(shapes)
        shapely.prepare(self._shape)

    def holds(self, lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which WGS 84 points lie in the area or on its border, shape `(n, 2)`."""
        return np.asarray(shapely.intersects(self._shape, points_on_plane(lonlat)), np.bool_)

    def clipped(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the parts of areas in the plane that lie in the area."""
        clipped = shapes.copy()
        is_cut = ~shapely.contains(self._shape, shapes)
        clipped[is_cut] = areas_of(shapely.intersection(self._shape, shapes[is_cut]))
        return clipped
