"""
The cells of areas, found from the top of the hierarchy down.

All descendants of a cell lie in a circle around its middle, and the circle in a rectangle of longitude and latitude.
Where the rectangle is in the area, so are all of them; where it does not touch the area, none is; only the rest is
looked at one resolution finer. So the work grows with the outline of the area, not with the area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import shapely

from citygeo.datum import EQUAL_AREA, WGS84, require_crs
from citygeo.errors import error
from citygeo.hexgrid.hierarchy import children
from citygeo.hexgrid.inputs import require_resolution
from citygeo.hexgrid.points import cell_centres
from citygeo.hexgrid.shapes import cell_polygons

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]
    Area = shapely.Polygon | shapely.MultiPolygon

Containment = Literal["overlap", "centre", "full"]

MAX_CELLS = 5_000_000
TURN, HALF_TURN, QUARTER_TURN = 360.0, 180.0, 90.0
EARTH_KM = 6371.007180918475  # the sphere of H3
# Middle to the farthest point of a descendant, in mean lengths of an edge: up to 1.138 in cells of resolutions 0 to 7
# and three generations below them, of which the next add less than 0.01.
REACH = 1.2


def cells_in(
    polygons: gpd.GeoDataFrame | gpd.GeoSeries, resolution: int, *, contain: Containment = "overlap"
) -> Cells:
    """
    Return the cells of areas.

    Parameters
    ----------
    polygons
        Areas in any CRS; missing and empty geometry adds nothing. An edge that is longer than half a turn in degrees
        crosses the antimeridian, as in H3; longitudes beyond 180 and areas cut at 180 are understood as well.
    resolution
        H3 resolution, 0 to 15.
    contain
        Which cells: those that touch an area (``"overlap"``), whose middle lies in one (``"centre"``: each cell then
        belongs to one of several zones), or that lie in the areas as a whole (``"full"``).

    Returns
    -------
    Cells, sorted, each once: those of h3-py's polygon fill, for the outlines of cells and areas in the plane of
    longitude and latitude.

    Raises
    ------
    CRSError
        CG-CRS-001 if the layer has no CRS.
    InputError
        CG-IN-004 if `contain` is none of the three.
    GeometryError
        CG-HEX-001 if an area goes around a pole or its border runs through the cell of one.
    LimitError
        CG-LIM-002 if that would be more than 5 million cells.
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.

    Examples
    --------
    >>> import geopandas as gpd
    >>> square = gpd.GeoSeries([shapely.box(-21.95, 64.14, -21.94, 64.145)], crs=4326)
    >>> [cells_in(square, 9, contain=how).size for how in ("overlap", "centre", "full")]
    [7, 3, 0]
    """
    require_resolution(resolution)
    require_crs(polygons, "polygons")
    if contain not in get_args(Containment):
        rule = f"It is one of {', '.join(get_args(Containment))}."
        raise error("CG-IN-004", argument="contain", value=contain, rule=rule, hint="")
    given = polygons.geometry.to_numpy()
    geometry = polygons.geometry[~(shapely.is_missing(given) | shapely.is_empty(given))]
    if geometry.empty:
        return np.empty(0, np.uint64)
    _require_few_cells(geometry, resolution)
    return _filled(_one_area(geometry.to_crs(WGS84).to_numpy()), int(resolution), contain)


def _filled(area: Area, resolution: int, contain: Containment) -> Cells:
    """Return the cells of an area in degrees."""
    import h3.api.numpy_int as h3

    shapely.prepare(area)
    inside, cells = [], np.sort(h3.get_res0_cells())
    for level in range(resolution + 1):
        bounds = _bounds_of_descendants(cells, level)
        is_in, is_near = _is_in_and_near(area, bounds)
        inside.append(children(cells[is_in], resolution))
        cells = cells[is_near & ~is_in]
        if level < resolution:
            cells = children(cells, level + 1)
    return np.sort(np.concatenate([*inside, cells[_is_chosen(area, cells, contain)]]))


def _bounds_of_descendants(cells: Cells, level: int) -> NDArray[np.float64]:
    """Return west, south, east, north around all descendants of each cell, in degrees, shape `(n, 4)`."""
    import h3.api.numpy_int as h3

    lon, lat = cell_centres(cells).T
    radius = REACH * h3.average_hexagon_edge_length(level, unit="km") / EARTH_KM
    reach = np.degrees(radius)
    south, north = lat - reach, lat + reach
    # the farthest meridians that a circle touches; all of them if a pole is in it
    is_polar = np.maximum(-south, north) >= QUARTER_TURN
    sine = np.sin(min(radius, np.pi / 2)) / np.cos(np.radians(lat))
    width = np.where(is_polar, HALF_TURN, np.degrees(np.arcsin(np.minimum(sine, 1.0))))
    return np.stack([lon - width, south, lon + width, north], axis=1)


def _is_in_and_near(area: Area, bounds: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which rectangles lie in the area, and which touch it, on whatever side of the antimeridian."""
    is_in, is_near = np.zeros(len(bounds), np.bool_), np.zeros(len(bounds), np.bool_)
    for turn in _turns(area):
        moved = bounds + np.array([turn, 0, turn, 0])
        rows = np.flatnonzero(_do_meet(moved, area))
        boxes = np.asarray(shapely.box(*moved[rows].T), object)
        touching = shapely.intersects(area, boxes)
        rows, boxes = rows[touching], boxes[touching]
        is_near[rows] = True
        is_in[rows] |= shapely.contains_properly(area, boxes)
    return is_in, is_near


def _do_meet(bounds: NDArray[np.float64], area: Area) -> NDArray[np.bool_]:
    west, south, east, north = area.bounds
    met = (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    return np.asarray(met)


def _turns(area: Area) -> list[float]:
    """Return by how many degrees cells with a middle within ±180 are moved to lie on the area."""
    west, _, east, _ = area.bounds
    first, last = np.floor((west - TURN) / TURN), np.ceil((east + TURN) / TURN)
    return [float(TURN * turn) for turn in np.arange(first, last + 1)]


def _is_chosen(area: Area, cells: Cells, contain: Containment) -> NDArray[np.bool_]:
    """Tell which cells the area has, each looked at by itself."""
    _require_no_pole(cells)
    if contain == "centre":
        lon, lat = cell_centres(cells).T
        is_in = [shapely.intersects_xy(area, lon + turn, lat) for turn in _turns(area)]
        return np.asarray(np.logical_or.reduce(is_in))
    fits = shapely.intersects if contain == "overlap" else shapely.covers
    outlines = cell_polygons(cells)
    found = np.zeros(cells.size, np.bool_)
    for turn in _turns(area):
        rows = np.flatnonzero(
            ~found & _do_meet(shapely.bounds(outlines) + np.array([turn, 0, turn, 0]), area)
        )
        found[rows] = fits(area, _turned(outlines[rows], turn))
    return found


def _require_no_pole(cells: Cells) -> None:
    """Raise if the outline of one of the cells goes around a pole: in the plane it is none."""
    import h3.api.numpy_int as h3

    for cell in cells[:1].tolist():
        poles = [h3.latlng_to_cell(latitude, 0.0, h3.get_resolution(cell)) for latitude in (-90.0, 90.0)]
        if np.isin(poles, cells).any():
            raise error("CG-HEX-001")


def _one_area(geometry: NDArray[np.object_]) -> Area:
    """Return one area, in one piece where pieces meet, also on the antimeridian."""
    parts = shapely.get_parts(shapely.force_2d(geometry))
    for row in np.flatnonzero(_is_jumping(parts)):
        parts[row] = _unwrapped(parts[row])
    is_bad = ~shapely.is_valid(parts)
    parts[is_bad] = shapely.make_valid(parts[is_bad])
    area: Any = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    west, _, east, _ = area.bounds
    if west <= -HALF_TURN and east >= HALF_TURN:  # it is cut there, along edges that are none
        area = shapely.union(area, _turned(area, TURN))
    return cast("Area", area)


def _turned(shapes: Any, degrees: float) -> Any:
    return shapely.transform(shapes, lambda xy: xy + np.array([degrees, 0.0])) if degrees else shapes


def _is_jumping(parts: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which polygons have an edge over the antimeridian; one of a whole turn runs along a parallel."""
    xy, owner = shapely.get_coordinates(parts, return_index=True)
    step = np.abs(np.diff(xy[:, 0]))
    # the step from ring to ring of a polygon is no edge; a polygon that it is taken for one does not change
    jumps = (step > HALF_TURN) & (step < TURN) & (owner[1:] == owner[:-1])
    return np.bincount(owner[1:][jumps], minlength=len(parts)) > 0


def _unwrapped(polygon: shapely.Polygon) -> shapely.Polygon:
    """Return a polygon over the antimeridian with longitudes that go on beyond 180."""
    shell, *holes = (_unwrapped_ring(shapely.get_coordinates(ring)) for ring in shapely.get_rings(polygon))
    middle = shell[:, 0].mean()
    turns = [TURN * np.round((middle - hole[:, 0].mean()) / TURN) for hole in holes]
    return shapely.Polygon(
        shell, [hole + np.array([turn, 0.0]) for hole, turn in zip(holes, turns, strict=True)]
    )


def _unwrapped_ring(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    lon = np.unwrap(xy[:, 0], period=TURN)
    if abs(lon[-1] - lon[0]) > HALF_TURN:
        raise error("CG-HEX-001")
    return np.column_stack([lon, xy[:, 1]])


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
