"""Blind spots: where the people live whom no facility serves in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum, demand, hexgrid
from citygeo.coverage.cells import rows_of
from citygeo.engine import UNREACHED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.coverage.points import PointLayer, Served

BLIND_SHARE = 0.5  # a cell is blind if less than this share of its people is covered
SPOT_COLUMNS = [
    "uncovered", "cells", "area_km2", "nearest_facility", "time_s", "minutes_over", "reason", "zone", "geometry",
    "first",
]  # fmt: skip


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
    point, row = rows_of(cells, cell[left])
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
