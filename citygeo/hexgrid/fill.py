"""
The cells of areas, found from the top of the hierarchy down.

All descendants of a cell lie in a circle around its middle, and the circle in a rectangle of longitude and latitude.
Where the rectangle is in the area, so are all of them; where it does not touch the area, none is; only the rest is
looked at one resolution finer. So the work grows with the outline of the area, not with the area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import shapely

from citygeo.errors import error
from citygeo.hexgrid.hierarchy import children, children_count
from citygeo.hexgrid.inputs import MAX_CELLS, mean_area_km2, require_few_cells, require_resolution
from citygeo.hexgrid.plane import Areas, areas_km2, is_inside, one_area, parts_of, turned, usable
from citygeo.hexgrid.points import cell_centres
from citygeo.hexgrid.shapes import cell_polygons

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]
Containment = Literal["overlap", "centre", "full"]

HALF_TURN, QUARTER_TURN = 180.0, 90.0
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
    [7, 2, 1]
    """
    require_resolution(resolution)
    if contain not in get_args(Containment):
        rule = f"It is one of {', '.join(get_args(Containment))}."
        raise error("CG-IN-004", argument="contain", value=contain, rule=rule, hint="")
    geometry = usable(polygons)
    if geometry.empty:
        return np.empty(0, np.uint64)
    parts = parts_of(geometry)
    # a cell may lie in two areas together as a whole
    return _filled(Areas(one_area(parts) if contain == "full" else parts), int(resolution), contain)


def _filled(areas: Areas, resolution: int, contain: Containment) -> Cells:
    """Return the cells of areas in degrees."""
    import h3.api.numpy_int as h3

    inside, n_inside, cells = [], 0, np.sort(h3.get_res0_cells())
    for level in range(resolution + 1):
        is_in, is_near = _is_in_and_near(areas, _bounds_of_descendants(cells, level))
        inside.append(cells[is_in])
        n_inside += int(children_count(cells[is_in], resolution).sum())
        _require_few_cells(n_inside, areas, resolution)
        cells = cells[is_near & ~is_in]
        if level < resolution:
            cells = children(cells, level + 1)
    chosen = cells[_is_chosen(areas, cells, contain)]
    _require_few_cells(n_inside + chosen.size, areas, resolution)
    return np.sort(np.concatenate([*(children(whole, resolution) for whole in inside), chosen]))


def _require_few_cells(count: int, areas: Areas, resolution: int) -> None:
    """Raise if so many cells are found already; the error tells of how many there would be."""
    if count > MAX_CELLS:
        require_few_cells(max(count, _area_km2(areas) / mean_area_km2(resolution)), resolution)


def _area_km2(areas: Areas) -> float:
    """Return the area that areas have together, counted once where they overlap, also if written a turn apart."""
    earth = shapely.box(-HALF_TURN, -QUARTER_TURN, HALF_TURN, QUARTER_TURN)
    pieces = [shapely.intersection(turned(areas.parts, -turn), earth) for turn in areas.turns]
    together: Any = shapely.disjoint_subset_union_all(np.concatenate(pieces))
    return float(areas_km2(np.array([together], object))[0])


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


def _is_in_and_near(areas: Areas, bounds: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which rectangles lie in an area, and which touch one, on whatever side of the antimeridian."""
    is_in, is_near = np.zeros(len(bounds), np.bool_), np.zeros(len(bounds), np.bool_)
    for turn in areas.turns:
        moved = bounds + np.array([turn, 0, turn, 0])
        near = areas.near(moved)
        boxes = np.asarray(shapely.box(*moved[near].T), object)
        rows, at = areas.pairs(boxes)
        # most of many small parts lie in a rectangle as a whole: then it need not be asked
        touching = is_inside(areas.bounds[at], moved[near[rows]])
        asked = np.flatnonzero(~touching)
        touching[asked] = shapely.intersects(areas.parts[at[asked]], boxes[rows[asked]])
        is_near[near[rows[touching]]] = True
        holds = np.flatnonzero(is_inside(moved[near[rows]], areas.bounds[at]))
        holds = holds[shapely.contains_properly(areas.parts[at[holds]], boxes[rows[holds]])]
        is_in[near[rows[holds]]] = True
    return is_in, is_near


def _is_chosen(areas: Areas, cells: Cells, contain: Containment) -> NDArray[np.bool_]:
    """Tell which cells the areas have, each looked at by itself."""
    _require_no_pole(cells)
    fits = shapely.covers if contain == "full" else shapely.intersects
    points: Any = shapely.points(cell_centres(cells)) if contain == "centre" else None
    shapes = cell_polygons(cells) if points is None else points
    found = np.zeros(cells.size, np.bool_)
    for turn in areas.turns:
        near = areas.near(shapely.bounds(shapes) + np.array([turn, 0, turn, 0]))
        moved = turned(shapes[near], turn)
        rows, at = areas.pairs(moved)
        found[near[rows[fits(areas.parts[at], moved[rows])]]] = True
    return found


def _require_no_pole(cells: Cells) -> None:
    """Raise if the outline of one of the cells goes around a pole: in the plane it is none."""
    import h3.api.numpy_int as h3

    for cell in cells[:1].tolist():
        poles = [h3.latlng_to_cell(latitude, 0.0, h3.get_resolution(cell)) for latitude in (-90.0, 90.0)]
        if np.isin(poles, cells).any():
            raise error("CG-HEX-001")
