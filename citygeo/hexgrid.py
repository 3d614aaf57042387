"""
H3 cells: from points and polygons, to polygons, areas and neighbours.

Cells are ``uint64`` arrays here and in all of citygeo; they are text only in tables and files. Twelve
cells of each resolution are pentagons, so nothing here counts on six neighbours or six corners.
"""

from __future__ import annotations

from string import hexdigits
from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo.datum import EQUAL_AREA, require_crs
from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Cells = NDArray[np.uint64]

MAX_CELLS = 5_000_000
MAX_RESOLUTION = 15
HALF_TURN = 180.0


def cells_of_points(lon: ArrayLike, lat: ArrayLike, resolution: int) -> Cells:
    """
    Return the cell each point lies in.

    Parameters
    ----------
    lon, lat
        WGS 84 degrees, shape `(n,)`.
    resolution
        H3 resolution, 0 to 15; 9 is about 0.1 km² a cell.

    Returns
    -------
    Cells, shape `(n,)`.

    Raises
    ------
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    InputError
        CG-IN-003 if a longitude or latitude is missing, infinite or out of range.

    Examples
    --------
    >>> to_strings(cells_of_points([-21.94], [64.147], 9))
    ['89075dd4bd7ffff']
    """
    import h3.api.numpy_int as h3

    _require_resolution(resolution)
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    # NaN fails both comparisons; the longitude of points moved over the antimeridian may pass 180
    is_bad = ~((np.abs(x) <= 2 * HALF_TURN) & (np.abs(y) <= HALF_TURN / 2))
    if is_bad.any():
        sample = ", ".join(str(row) for row in np.flatnonzero(is_bad)[:5])
        rule = "longitude and latitude in degrees"
        raise error(
            "CG-IN-003",
            layer="points",
            column="lon/lat",
            count=int(is_bad.sum()),
            total=x.size,
            sample=sample,
            rule=rule,
        )
    points = zip(y.tolist(), x.tolist(), strict=True)
    return np.fromiter((h3.latlng_to_cell(*point, resolution) for point in points), np.uint64, x.size)


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

    _require_resolution(resolution)
    require_crs(polygons, "polygons")
    given = polygons.geometry.to_numpy()
    geometry = polygons.geometry[~(shapely.is_missing(given) | shapely.is_empty(given))]
    if geometry.empty:
        return np.empty(0, np.uint64)
    _require_few_cells(geometry, resolution)
    # overlapping polygons, such as a zone in a zone, would be filled twice
    area = shapely.force_2d(geometry.to_crs(4326).union_all())
    return np.unique(h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(area), resolution, contain="overlap"))


def has_cell_index(layer: pd.DataFrame) -> bool:
    """
    Tell whether the rows of a table are H3 cells, by its index.

    Parameters
    ----------
    layer
        A table; its index labels are looked at.

    Returns
    -------
    Whether there is a row and each label is the text of an H3 cell.

    Examples
    --------
    >>> import pandas as pd
    >>> has_cell_index(pd.DataFrame({"population": [3]}, index=["8928308280fffff"]))
    True
    """
    return len(layer) > 0 and all(_is_cell(label) for label in layer.index)


def to_strings(cells: Cells) -> list[str]:
    """
    Return the cells as H3's text, for tables and files.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Examples
    --------
    >>> to_strings(np.array([617700169958293503], np.uint64))
    ['8928308280fffff']
    """
    import h3.api.numpy_int as h3

    return [h3.int_to_str(cell) for cell in cells.tolist()]


def from_strings(strings: Iterable[str | int]) -> Cells:
    """
    Return the cells that these texts name.

    Parameters
    ----------
    strings
        H3 cells as text, or as whole numbers.

    Raises
    ------
    InputError
        CG-IN-003 if a text is no H3 cell.

    Examples
    --------
    >>> from_strings(["8928308280fffff"])
    array([617700169958293503], dtype=uint64)
    """
    texts = [f"{text:x}" if isinstance(text, int | np.integer) else str(text) for text in strings]
    bad = [text for text in texts if not _is_cell(text)]
    if bad:
        raise error(
            "CG-IN-003", layer="cells", column="h3_cell", count=len(bad), total=len(texts),
            sample=", ".join(bad[:5]), rule="an H3 cell such as 8928308280fffff",
        )  # fmt: skip
    return np.fromiter((int(text, 16) for text in texts), np.uint64, len(texts))


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


def cell_centres(cells: Cells) -> NDArray[np.float64]:
    """
    Return the middle of each cell.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Returns
    -------
    WGS 84 longitude and latitude in degrees, shape `(n, 2)`.

    Examples
    --------
    >>> cell_centres(from_strings(["8928308280fffff"])).round(3)
    array([[-122.418,   37.777]])
    """
    import h3.api.numpy_int as h3

    lat_lon = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()], np.float64).reshape(-1, 2)
    return lat_lon[:, ::-1].copy()


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


def resolution_of(cells: Cells) -> int:
    """
    Return the resolution that all cells share.

    Parameters
    ----------
    cells
        At least one cell.

    Raises
    ------
    InputError
        CG-IN-001 if there is no cell; CG-IN-004 if the resolutions differ.

    Examples
    --------
    >>> resolution_of(from_strings(["8928308280fffff"]))
    9
    """
    if not len(cells):
        raise error("CG-IN-001", layer="cells")
    # H3 keeps the resolution in bits 52 to 55 of a cell
    found = np.unique((cells >> np.uint64(52)) & np.uint64(0xF)).tolist()
    if len(found) > 1:
        rule, hint = "All cells must have one resolution.", "Bring them to one with h3.cell_to_parent."
        raise error(
            "CG-IN-004", argument="cells", value=f"cells of resolutions {found}", rule=rule, hint=hint
        )
    return int(found[0])


def _is_cell(label: object) -> bool:
    import h3.api.basic_str as h3

    if isinstance(label, int | np.integer):
        return bool(0 < label < 1 << 64 and h3.is_valid_cell(f"{label:x}"))
    # h3 raises on signs and on numbers of more than 64 bits
    is_number = isinstance(label, str) and 0 < len(label) <= 16 and all(digit in hexdigits for digit in label)
    return is_number and bool(h3.is_valid_cell(str(label)))


def _require_resolution(resolution: int) -> None:
    if isinstance(resolution, bool) or resolution not in range(MAX_RESOLUTION + 1):
        raise error(
            "CG-UNIT-002", argument="resolution", value=resolution, low=0, high=MAX_RESOLUTION,
            unit="H3 resolution", hint="9 is about 0.1 km2 a cell, 8 about 0.7 km2.",
        )  # fmt: skip


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
