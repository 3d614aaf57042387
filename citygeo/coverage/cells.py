"""Coverage of H3 cells, and the blind spots they join to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum, demand, hexgrid
from citygeo.coverage.zones import share
from citygeo.engine import UNREACHED
from citygeo.reach import labels_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.coverage.points import PointLayer, Served

BLIND_SHARE = 0.5  # a cell is blind if less than this share of its people is covered
SPOT_COLUMNS = [
    "uncovered", "cells", "area_km2", "nearest_facility", "time_s", "minutes_over", "reason", "zone", "geometry",
    "first",
]  # fmt: skip


def cell_table(
    cells: NDArray[np.uint64],
    people: tuple[PointLayer, Served, NDArray[np.uint64]],
    roads: tuple[PointLayer, Served, NDArray[np.uint64]],
    facilities: pd.Index[Any],
) -> gpd.GeoDataFrame:
    """
    Return one row per cell of the study area.

    Parameters
    ----------
    cells
        Sorted cells.
    people, roads
        Points, how they are served, and their cell.
    facilities
        The caller's labels.

    Returns
    -------
    Indexed by ``h3_cell``: population, covered, uncovered, share (of people; NaN where nobody lives), reached_share
    (of the length of road; NaN without road), time_s and facility (of the people where some live, else of the
    roads; mean weighted by them; inf if no facility can get there), status (``covered``, ``partly``,
    ``uncovered``, ``uninhabited``), geometry in WGS 84.
    """
    lives, covered = _sum(cells, people, only_covered=False), _sum(cells, people, only_covered=True)
    road, reached = _sum(cells, roads, only_covered=False), _sum(cells, roads, only_covered=True)
    people_ms, people_row = _mean_time(cells, people)
    road_ms, road_row = _mean_time(cells, roads)
    is_inhabited = lives > 0
    status = np.where(covered == lives, "covered", np.where(covered == 0, "uncovered", "partly"))
    data = {
        "population": demand.from_micro(lives),
        "covered": demand.from_micro(covered),
        "uncovered": demand.from_micro(lives - covered),
        "share": share(covered, lives),
        "reached_share": share(reached, road),
        "time_s": np.where(is_inhabited, people_ms, road_ms) / 1000,
        "facility": labels_at(facilities, np.where(is_inhabited, people_row, road_row)),
        "status": np.where(is_inhabited, status, "uninhabited"),
    }
    index = pd.Index(hexgrid.to_strings(cells), name="h3_cell")
    return gpd.GeoDataFrame(data, geometry=hexgrid.cell_polygons(cells), crs=datum.WGS84, index=index)


def _rows(cells: NDArray[np.uint64], cell: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the points whose cell is in the sorted `cells`, and its row."""
    if cells.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    row = np.minimum(np.searchsorted(cells, cell), cells.size - 1)
    is_in = cells[row] == cell
    return np.flatnonzero(is_in), row[is_in]


def _sum(
    cells: NDArray[np.uint64], points: tuple[PointLayer, Served, NDArray[np.uint64]], *, only_covered: bool
) -> NDArray[np.int64]:
    layer, served, cell = points
    point, row = _rows(cells, cell)
    weight = layer.weight[point] * served.is_covered[point] if only_covered else layer.weight[point]
    total = np.zeros(cells.size, np.int64)
    np.add.at(total, row, weight)
    return total


def _mean_time(
    cells: NDArray[np.uint64], points: tuple[PointLayer, Served, NDArray[np.uint64]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return weighted mean milliseconds of each cell, and the row of the facility nearest to any of its points."""
    layer, served, cell = points
    point, row = _rows(cells, cell)
    ms = np.where(served.ms[point] == UNREACHED, np.inf, served.ms[point])
    weight = layer.weight[point].astype(np.float64)
    can = np.isfinite(ms) & (weight > 0)
    mean = np.bincount(row[can], weight[can] * ms[can], minlength=cells.size)
    mean = share(mean, np.bincount(row[can], weight[can], minlength=cells.size))
    has_points = np.bincount(row, weight, minlength=cells.size) > 0
    order = np.lexsort((served.facility[point][can], ms[can], row[can]))[::-1]
    first = np.full(cells.size, -1, np.int64)
    first[row[can][order]] = served.facility[point][can][order]  # the last to write is the quickest
    return np.where(np.isnan(mean) & has_points, np.inf, mean), first


def blind_spots(
    table: gpd.GeoDataFrame,
    people: tuple[PointLayer, Served, NDArray[np.uint64]],
    limit_ms: int,
    facilities: pd.Index[Any],
    parent: NDArray[np.int64],
    label: NDArray[np.object_],
) -> gpd.GeoDataFrame:
    """
    Join neighbouring inhabited cells that are mostly uncovered, most people first.

    Cells join within one first-level zone, so that each blind spot has one authority to answer for it.

    Parameters
    ----------
    table
        From `cell_table`.
    people
        Points, how they are served, and their cell.
    limit_ms
        The bound.
    facilities
        The caller's labels.
    parent, label
        First-level zone of each point, -1 for none, and its place in words.

    Returns
    -------
    See `Coverage.blind_spots`; WGS 84.
    """
    is_blind = ((table["population"] > 0) & (table["share"] < BLIND_SHARE)).to_numpy()
    cells = hexgrid.from_strings(table.index[is_blind])
    layer, served, cell = people
    left = np.flatnonzero(~served.is_covered & (layer.weight > 0))
    point, row = _rows(cells, cell[left])
    point = left[point]
    group = _groups(cells, _main_value(row, parent[point], layer.weight[point], cells.size))
    reason = served.reason(layer)
    rows = []
    for i in range(int(group.max(initial=-1)) + 1):
        own, members = point[group[row] == i], cells[group == i]
        outline = shapely.coverage_union_all(table.loc[hexgrid.to_strings(members), "geometry"].to_numpy())
        rows.append(
            {
                "uncovered": float(demand.from_micro(layer.weight[own].sum())),
                "cells": members.size,
                "area_km2": float(hexgrid.cell_areas_m2(members).sum() / 1e6),
                **_nearest(layer.weight[own], served.ms[own], served.facility[own], limit_ms, facilities),
                "reason": most_common(reason[own], layer.weight[own]),
                "zone": most_common(label[own], layer.weight[own]),
                "geometry": outline,
                "first": int(members.min()),
            }
        )
    spots = gpd.GeoDataFrame(pd.DataFrame(rows, columns=SPOT_COLUMNS), geometry="geometry", crs=datum.WGS84)
    spots = spots.sort_values(["uncovered", "first"], ascending=[False, True]).drop(columns="first")
    spots.index = pd.RangeIndex(1, len(spots) + 1, name="rank")
    return spots


def _main_value(
    row: NDArray[np.int64], value: NDArray[np.int64], weight: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Return the value with the largest weight in each row, the lowest among equals."""
    key, place = np.unique(np.column_stack((row, value)), axis=0, return_inverse=True)
    total = np.bincount(place.ravel(), weight, minlength=len(key))
    order = np.lexsort((-key[:, 1], total))
    main = np.full(n, -1, np.int64)
    main[key[order, 0]] = key[order, 1]  # the last to write has the largest weight
    return main


def _groups(cells: NDArray[np.uint64], zone: NDArray[np.int64]) -> NDArray[np.int64]:
    """Label the groups of neighbouring cells of one zone."""
    group = np.full(cells.size, -1, np.int64)
    for value in np.unique(zone):
        is_in = zone == value
        group[is_in] = hexgrid.connected_groups(cells[is_in]) + group.max(initial=-1) + 1
    return group


def _nearest(
    weight: NDArray[np.int64],
    ms: NDArray[np.uint32],
    facility: NDArray[np.int64],
    limit_ms: int,
    facilities: pd.Index[Any],
) -> dict[str, Any]:
    """Return the facility nearest to most people, and the mean time; inf if none can get to half of them."""
    can = ms != UNREACHED
    if 2 * weight[can].sum() < weight.sum() or not can.any():
        return {"nearest_facility": None, "time_s": np.inf, "minutes_over": np.inf}
    rows, place = np.unique(facility[can], return_inverse=True)
    time_ms = float(np.average(ms[can], weights=weight[can]))
    return {
        "nearest_facility": facilities[rows[np.bincount(place, weight[can]).argmax()]],
        "time_s": time_ms / 1000,
        "minutes_over": (time_ms - limit_ms) / 60_000,
    }


def most_common(values: NDArray[np.object_], weight: NDArray[np.int64]) -> Any:
    """Return the value with the largest weight; among equals the first in order."""
    names, place = np.unique(values.astype(str), return_inverse=True)
    return str(names[np.bincount(place, weight).argmax()])
