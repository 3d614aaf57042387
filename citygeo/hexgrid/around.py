"""Cells and what is around them: means over rings, and how much of a cell an area has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from citygeo.errors import error
from citygeo.hexgrid.hierarchy import order, resolution_of
from citygeo.hexgrid.inputs import require_no_bad_rows
from citygeo.hexgrid.plane import Areas, areas_km2, parts_of, turned, usable
from citygeo.hexgrid.sets import neighbours, positions, require_cells, require_steps
from citygeo.hexgrid.shapes import cell_polygons
from citygeo.hexgrid.tables import cells_and_table, numbers_of, require_unique, to_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Cells = NDArray[np.uint64]

TOGETHER = 8
PAIRS = 1 << 20  # of cells held at a time


def smooth(
    table: pd.DataFrame | pd.Series[Any],
    columns: str | Iterable[str],
    *,
    k: int = 1,
    weight: str | ArrayLike | None = None,
) -> gpd.GeoDataFrame:
    """
    Replace numbers by their mean over the cells around.

    Parameters
    ----------
    table
        Indexed by cells of one resolution, as text or numbers, each once.
    columns
        Which to smooth.
    k
        How many rings around each cell, 1 to 100.
    weight
        How much each cell counts: a column, or a number a row, such as the share of its area that is land
        (`area_shares`). All count the same if `None`.

    Returns
    -------
    The table with outlines (as `to_frame`) and the columns smoothed. Only cells of the table count, so that what lies
    beyond a coast or a border is not taken for 0; nor do missing values, which stay missing. Where no weight is
    around, the mean is NaN. A constant stays what it is; a total does not.

    Raises
    ------
    InputError
        CG-IN-001 if there are no rows; CG-IN-003 if a row is no H3 cell, or a weight is negative or not finite;
        CG-IN-004 if the resolutions differ, a column is not of numbers, or there is not one weight a row; CG-IN-005 if
        there is no such column; CG-IN-006 if a cell is there twice.
    UnitError
        CG-UNIT-002 if `k` is not 1 to 100.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"jobs": [0.0, 6.0]}, index=["8928308280fffff", "8928308280bffff"])
    >>> smooth(table, "jobs")["jobs"].tolist()
    [3.0, 3.0]
    """
    cells, rows = cells_and_table(table)
    resolution_of(require_unique(cells))
    weights, steps = _weights(rows, weight), require_steps(k)
    columns = [columns] if isinstance(columns, str) else list(columns)
    values = np.empty((len(columns), cells.size))
    for at, column in enumerate(columns):
        values[at] = numbers_of(rows, column)
    counts = np.where(np.isnan(values), 0.0, weights)
    # what weighs nothing says nothing: 0 times infinite would be no number
    parts = counts * np.where(counts > 0, values, 0.0)
    total, below = np.empty_like(values), np.empty_like(values)
    for some, start, end in _pairs(cells, steps):
        for at in range(len(columns)):
            total[at, some] = np.bincount(start, parts[at, end])
            below[at, some] = np.bincount(start, counts[at, end])
    is_known = ~np.isnan(values) & (below > 0)
    means = np.divide(total, below, out=np.full_like(values, np.nan), where=is_known)
    rows = rows.copy()
    for column, mean in zip(columns, means, strict=True):
        rows[column] = mean
    return to_frame(rows)


def _pairs(cells: Cells, steps: int) -> Iterator[tuple[slice, NDArray[np.int64], NDArray[np.int64]]]:
    """
    Yield some cells after the others, so that all pairs need not fit into memory.

    Yields
    ------
    Which cells; their numbers among these and the row of a cell at most so many steps away, each with itself too.
    """
    known, row = np.unique(cells, return_index=True)
    each = 3 * steps * (steps + 1) + 1
    size = max(PAIRS // each, 1)
    for low in range(0, cells.size, size):
        some = slice(low, min(low + size, cells.size))
        start, around = neighbours(cells[some], steps)
        at = positions(known, around)
        is_there = at >= 0
        itself = np.arange(some.stop - low)
        yield (
            some,
            np.concatenate([itself, start[is_there]]),
            np.concatenate([itself + low, row[at[is_there]]]),
        )


def _weights(rows: pd.DataFrame, weight: str | ArrayLike | None) -> NDArray[np.float64]:
    if weight is None:
        return np.ones(len(rows))
    name = weight if isinstance(weight, str) else "weight"
    weights = numbers_of(rows, weight) if isinstance(weight, str) else np.asarray(weight)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (len(rows),):
        rule, hint = "Each row has one weight.", f"There are {len(rows)} rows."
        raise error("CG-IN-004", argument="weight", value=f"{weights.size} numbers", rule=rule, hint=hint)
    # NaN fails the comparison
    require_no_bad_rows(~((weights >= 0) & np.isfinite(weights)), "cells", name, "0 or more, and finite")
    return weights


def area_shares(cells: Cells, polygons: gpd.GeoDataFrame | gpd.GeoSeries) -> NDArray[np.float64]:
    """
    Return how much of each cell lies in areas: less than 1 at a coast or a border.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`, of any resolutions.
    polygons
        Areas in any CRS, which may overlap; missing and empty geometry adds nothing. They are understood as by
        `cells_in`.

    Returns
    -------
    Shares of the area on the WGS 84 ellipsoid, 0 to 1, shape `(n,)`.

    Raises
    ------
    CRSError
        CG-CRS-001 if the layer has no CRS.
    GeometryError
        CG-HEX-001 if an area goes around a pole.
    InputError
        CG-IN-003 if a row is no H3 cell.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from citygeo.hexgrid import cells_in
    >>> square = gpd.GeoSeries([shapely.box(-21.95, 64.14, -21.94, 64.145)], crs=4326)
    >>> area_shares(cells_in(square, 9), square).round(2)
    array([0.53, 0.47, 0.07, 0.22, 0.29, 1.  , 0.28])
    """
    given, geometry = require_cells(cells), usable(polygons)
    found = np.zeros(given.size)
    if geometry.empty or not given.size:
        return found
    areas, outlines = Areas(parts_of(geometry)), cell_polygons(given)
    is_near = np.zeros(given.size, np.bool_)
    for turn in areas.turns:
        near = areas.near(shapely.bounds(outlines) + np.array([turn, 0, turn, 0]))
        moved = turned(outlines[near], turn)
        rows, at = areas.pairs(moved)
        found[near[rows[shapely.contains_properly(areas.parts[at], moved[rows])]]] = 1.0
        is_near[near[rows]] = True
    cut = np.flatnonzero(is_near & (found == 0))
    cut = cut[order(given[cut])]
    for low in range(0, cut.size, TOGETHER):
        rows = cut[low : low + TOGETHER]
        pieces = shapely.intersection(_around(areas, outlines[rows]), outlines[rows])
        found[rows] = areas_km2(pieces) / areas_km2(outlines[rows])
    return np.minimum(found, 1.0)


def _around(areas: Areas, outlines: NDArray[np.object_]) -> shapely.Geometry:
    """Return all that areas have around cells, as one: each cell would look at all of a large area."""
    box, pieces = shapely.box(*shapely.total_bounds(outlines)), []
    for turn in areas.turns:
        _, at = areas.pairs(turned(outlines, turn))
        pieces.append(shapely.intersection(turned(areas.parts[np.unique(at)], -turn), box))
    # most parts lie apart, which this union makes use of
    return shapely.disjoint_subset_union_all(np.concatenate(pieces))
