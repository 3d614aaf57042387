"""Coverage of H3 cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo import datum, demand, hexgrid
from citygeo.coverage.zones import share
from citygeo.engine import UNREACHED
from citygeo.reach import labels_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.coverage.points import PointLayer, Served


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


def rows_of(
    cells: NDArray[np.uint64], cell: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    point, row = rows_of(cells, cell)
    weight = layer.weight[point] * served.is_covered[point] if only_covered else layer.weight[point]
    total = np.zeros(cells.size, np.int64)
    np.add.at(total, row, weight)
    return total


def _mean_time(
    cells: NDArray[np.uint64], points: tuple[PointLayer, Served, NDArray[np.uint64]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return weighted mean milliseconds of each cell, and the row of the facility nearest to any of its points."""
    layer, served, cell = points
    point, row = rows_of(cells, cell)
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
