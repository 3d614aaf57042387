"""Cells of areas, and outlines, areas and neighbours of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo.datum import EQUAL_AREA, require_crs
from citygeo.errors import error
from citygeo.hexgrid.inputs import require_resolution

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]

MAX_CELLS = 5_000_000
HALF_TURN = 180.0


def cells_in(polygons: gpd.GeoDataFrame | gpd.GeoSeries, resolution: int) -> Cells:
    """
    Return every cell that touches any of the polygons.

    Parameters
    ----------
    polygons
        Areas in any CRS; missing and empty geometry adds nothing.
    resolution
        H3 resolution, 0 to 15.

    Returns
    -------
    Cells, sorted, each once.

    Raises
    ------
    CRSError
        CG-CRS-001 if the layer has no CRS.
    LimitError
        CG-LIM-002 if that would be more than 5 million cells.
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.

    Examples
    --------
    >>> import geopandas as gpd
    >>> square = gpd.GeoSeries([shapely.box(-21.95, 64.14, -21.94, 64.145)], crs=4326)
    >>> cells_in(square, 9).size
    7
    """
    import h3.api.numpy_int as h3

    require_resolution(resolution)
    require_crs(polygons, "polygons")
    given = polygons.geometry.to_numpy()
    geometry = polygons.geometry[~(shapely.is_missing(given) | shapely.is_empty(given))]
    if geometry.empty:
        return np.empty(0, np.uint64)
    _require_few_cells(geometry, resolution)
    # overlapping polygons, such as a zone in a zone, would be filled twice
    area = shapely.force_2d(geometry.to_crs(4326).union_all())
    return np.unique(h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(area), resolution, contain="overlap"))


def cell_polygons(cells: Cells) -> NDArray[np.object_]:
    """
    Return the outline of each cell.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Returns
    -------
    Polygons in WGS 84 degrees (lon, lat), shape `(n,)`. A cell on the antimeridian is drawn in one piece,
    past 180 degrees east.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> cell_polygons(from_strings(["8928308280fffff"]))[0].geom_type
    'Polygon'
    """
    import h3.api.numpy_int as h3

    if not len(cells):
        return np.empty(0, object)
    outlines = [h3.cell_to_boundary(cell) for cell in cells.tolist()]
    corners = np.array([len(outline) for outline in outlines])
    lonlat = np.array([corner for outline in outlines for corner in outline], np.float64)[:, ::-1].copy()
    owner = np.repeat(np.arange(len(outlines)), corners)
    starts = np.concatenate(([0], np.cumsum(corners)[:-1]))
    lon = lonlat[:, 0]
    spread = np.maximum.reduceat(lon, starts) - np.minimum.reduceat(lon, starts)
    lon[(spread > HALF_TURN)[owner] & (lon < 0)] += 2 * HALF_TURN
    return np.asarray(shapely.polygons(shapely.linearrings(lonlat, indices=owner)))


def cell_areas_m2(cells: Cells) -> NDArray[np.float64]:
    """
    Return the area of each cell on the WGS 84 ellipsoid.

    H3's own figure takes latitudes as if the Earth were a sphere: 0.6 % too small in Iceland.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Returns
    -------
    Square metres, shape `(n,)`.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> cell_areas_m2(from_strings(["8928308280fffff"])).round()
    array([109458.])
    """
    import h3.api.numpy_int as h3
    import pyproj

    area_of = pyproj.Geod(ellps="WGS84").polygon_area_perimeter
    outlines = (np.array(h3.cell_to_boundary(cell)) for cell in cells.tolist())
    return np.fromiter((abs(area_of(line[:, 1], line[:, 0])[0]) for line in outlines), np.float64, len(cells))


def connected_groups(cells: Cells) -> NDArray[np.int64]:
    """
    Label the groups of cells that hang together over shared edges.

    Parameters
    ----------
    cells
        Cells of one resolution, shape `(n,)`, in any order.

    Returns
    -------
    A label per cell, 0, 1, ... in the order in which the groups first occur.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> connected_groups(from_strings(["8928308280fffff", "89283470d93ffff", "8928308280bffff"]))
    array([0, 1, 0])
    """
    import h3.api.numpy_int as h3
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(cells):
        return np.empty(0, np.int64)
    known, position = np.unique(cells, return_inverse=True)
    disks = [h3.grid_disk(cell, 1) for cell in known.tolist()]
    start = np.repeat(np.arange(known.size), [len(disk) for disk in disks])
    neighbour = np.concatenate(disks)
    end = np.minimum(np.searchsorted(known, neighbour), known.size - 1)
    is_edge = known[end] == neighbour
    start, end = start[is_edge], end[is_edge]
    graph = coo_array((np.ones(start.size, np.bool_), (start, end)), shape=(known.size, known.size))
    _, group = connected_components(graph, directed=False)
    label = group[position]
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[inverse]


def _require_few_cells(geometry: gpd.GeoSeries, resolution: int) -> None:
    import h3.api.numpy_int as h3

    area_km2 = float(geometry.to_crs(EQUAL_AREA).area.sum()) / 1e6

    def estimate(level: int) -> float:
        return area_km2 / float(h3.average_hexagon_area(level, unit="km^2"))

    count = estimate(resolution)
    if count > MAX_CELLS:
        advice = max((level for level in range(resolution) if estimate(level) <= MAX_CELLS), default=0)
        size, limit = f"{area_km2:,.0f}", f"{MAX_CELLS:,}"
        raise error(
            "CG-LIM-002",
            resolution=resolution,
            area_km2=size,
            count=f"{count:,.0f}",
            limit=limit,
            advice=advice,
        )
