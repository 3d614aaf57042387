"""People of zones where a second layer says they live: homes by floor space, land by its use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum, hexgrid
from citygeo.demand.antimeridian import cut_at_antimeridian
from citygeo.demand.columns import require_column
from citygeo.demand.ground import (
    areas_of,
    is_polygon,
    on_plane,
    overlaps,
    parts_of_areas,
    points_on_plane,
    repaired,
)
from citygeo.demand.homes import home_rows, homes_of
from citygeo.demand.parts import OUTSIDE, Parts
from citygeo.demand.people import bad_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.demand.rules import Rules
    from citygeo.demand.zones import Zones
    from citygeo.issues import IssueLog

BUILDING = "building"  # a layer with this column is one of buildings


def parts_by_layer(zones: Zones, by: gpd.GeoDataFrame, rules: Rules, log: IssueLog) -> Parts:
    """
    Return the parts of zones where `by` says that people live.

    Parameters
    ----------
    zones
        Areas with people.
    by
        Buildings (with a column ``building``) or points, which weigh as a whole at a point inside them, or land use
        polygons, which weigh by their area within the zone.
    rules
        How they count; `by_weight` is the column of `by` with weights: of a building or point as a whole, of a square
        metre of land.
    log
        Takes CG-DEM-006, 007, 019, 021, 026.

    Returns
    -------
    Parts by the zone's row in its layer. A zone without any has no parts.

    Raises
    ------
    InputError
        CG-IN-001 no rows, CG-IN-003 weights missing, infinite or negative, CG-IN-005 no such column.
    """
    datum.require_layer(by, "by", is_labelled=False)
    by, is_mended = cut_at_antimeridian(by)
    log.add("CG-DEM-021", count=int(is_mended.sum()), sample=by.index[is_mended])
    weight = None if rules.by_weight is None else _weights(by, rules.by_weight)
    is_land = BUILDING not in by.columns and bool(is_polygon(by.geometry.to_numpy()).any())
    find = _parts_of_land if is_land else _parts_of_homes
    parts = find(zones, by, weight, rules, log)
    has_weight = parts.weight > 0
    return Parts(parts.row[has_weight], parts.cell[has_weight], parts.weight[has_weight]).of_rows(zones.row)


def _weights(by: gpd.GeoDataFrame, column: str) -> NDArray[np.float64]:
    require_column(by, "by", column)
    weight: NDArray[np.float64] = pd.to_numeric(by[column], errors="coerce").to_numpy(
        np.float64, na_value=np.nan
    )
    is_bad = ~((weight >= 0) & np.isfinite(weight))
    if is_bad.any():
        raise bad_rows("by", column, by.index, is_bad, "a weight, 0 or more")
    return weight


def _parts_of_homes(
    zones: Zones,
    by: gpd.GeoDataFrame,
    weight: NDArray[np.float64] | None,
    rules: Rules,
    log: IssueLog,
) -> Parts:
    """Return the homes in each zone; one where zones overlap is in all of them."""
    homes, weight = _homes(by, weight, log)
    places = gpd.GeoSeries(datum.representative_points(homes), crs=homes.crs)
    has_place = places.notna().to_numpy()
    places, weight = places[has_place], weight[has_place]
    lonlat = shapely.get_coordinates(places.to_crs(datum.WGS84).to_numpy())
    zone, home = shapely.STRtree(points_on_plane(lonlat)).query(zones.shape, predicate="intersects")
    _tell_outside(homes.index, np.flatnonzero(has_place)[home], log)
    cell = hexgrid.cells_of_points(lonlat[:, 0], lonlat[:, 1], rules.resolution, threads=rules.threads)
    if rules.within is not None:
        cell[~rules.within.holds(lonlat)] = OUTSIDE
    return Parts(zone, cell[home], weight[home])


def _homes(
    by: gpd.GeoDataFrame, weight: NDArray[np.float64] | None, log: IssueLog
) -> tuple[gpd.GeoDataFrame, NDArray[np.float64]]:
    """Return homes or points and their weights: as given, else the floor space of homes, and 1 for points."""
    if BUILDING not in by.columns:
        return by, np.ones(len(by)) if weight is None else weight
    if weight is not None:
        rows = home_rows(by)
        return by[rows], weight[rows]
    homes = homes_of(by, log)
    return homes, (homes["footprint_m2"] * homes["levels"]).to_numpy(np.float64)


def _parts_of_land(
    zones: Zones,
    by: gpd.GeoDataFrame,
    weight: NDArray[np.float64] | None,
    rules: Rules,
    log: IssueLog,
) -> Parts:
    """Return the pieces of land in each zone; land drawn twice with one weight counts once."""
    is_area = is_polygon(by.geometry.to_numpy())
    log.add("CG-DEM-026", count=int((~is_area).sum()), sample=by.index[~is_area], total=len(by))
    row = np.flatnonzero(is_area)
    land, is_mended = repaired(on_plane(by.geometry.take(row)))
    log.add("CG-DEM-021", count=int(is_mended.sum()), sample=by.index[row[is_mended]])
    zone, place = shapely.STRtree(land).query(zones.shape, predicate="intersects")
    _tell_outside(by.index[row], place, log)
    shapely.prepare(zones.shape)
    piece = _drawn_once(land, None if weight is None else weight[row])[place]
    is_cut = ~shapely.contains_properly(zones.shape[zone], piece)
    piece[is_cut] = areas_of(shapely.intersection(zones.shape[zone[is_cut]], piece[is_cut]))
    of_piece = None if weight is None else weight[row[place]]
    has_area = shapely.area(piece) > 0
    of_piece = None if of_piece is None else of_piece[has_area]
    return parts_of_areas(piece[has_area], rules, of_piece).of_rows(zone[has_area])


def _drawn_once(land: NDArray[np.object_], weight: NDArray[np.float64] | None) -> NDArray[np.object_]:
    """Return land of which each piece has what no piece of the same weight before it has."""
    one, other, _ = overlaps(land)
    is_same = np.ones(one.size, np.bool_) if weight is None else weight[one] == weight[other]
    once = land.copy()
    for later in np.unique(other[is_same]):
        earlier = shapely.union_all(land[one[is_same & (other == later)]])
        once[later] = areas_of(shapely.difference(land[[later]], earlier))[0]
    return once


def _tell_outside(labels: pd.Index[Any], used: NDArray[np.int64], log: IssueLog) -> None:
    """Record rows of `by` that lie in no zone."""
    is_used = np.zeros(len(labels), np.bool_)
    is_used[used] = True
    log.add("CG-DEM-019", count=int((~is_used).sum()), sample=labels[~is_used], total=len(labels))
