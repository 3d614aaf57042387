"""People of tables of H3 cells, brought to one resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo import hexgrid
from citygeo.demand.parts import OUTSIDE, Parts
from citygeo.errors import error
from citygeo.hexgrid.tables import require_unique

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.demand.rules import Rules
    from citygeo.demand.within import Within
    from citygeo.issues import IssueLog


def parts_of_cells(table: pd.DataFrame, rules: Rules, log: IssueLog) -> tuple[Parts, bool]:
    """
    Return the cell of one resolution that each cell goes to, or all its children alike.

    Parameters
    ----------
    table
        Rows indexed by H3 cells, as text or whole numbers, of any resolutions.
    rules
        How they count; the centre of a cell decides whether it lies in the area asked for.
    log
        Takes CG-DEM-014.

    Returns
    -------
    Parts of rows, and whether any row was divided among finer cells.

    Raises
    ------
    InputError
        CG-IN-006 if a cell stands twice, also written in two ways.
    LimitError
        CG-DEM-024 if there would be more than 5 million children.
    """
    resolution, within = rules.resolution, rules.within
    cells = require_unique(hexgrid.from_strings(table.index))
    level = hexgrid.resolutions(cells)
    fine, coarse = np.flatnonzero(level >= resolution), np.flatnonzero(level < resolution)
    count = hexgrid.children_count(cells[coarse], resolution)
    _require_few_children(cells[coarse], level[coarse], resolution, count)
    log.add("CG-DEM-014", count=coarse.size, sample=table.index[coarse], resolution=resolution)
    parts = Parts.joined(
        (
            Parts.whole(fine, hexgrid.parents(cells[fine], resolution)),
            Parts.whole(np.repeat(coarse, count), hexgrid.children(cells[coarse], resolution)),
        )
    )
    if within is not None:
        parts.cell[~_is_within(cells, within)[parts.row]] = OUTSIDE
    return parts, bool(coarse.size)


def _is_within(cells: NDArray[np.uint64], within: Within) -> NDArray[np.bool_]:
    return within.holds(hexgrid.cell_centres(cells))


def _require_few_children(
    cells: NDArray[np.uint64], level: NDArray[np.uint8], resolution: int, count: NDArray[np.int64]
) -> None:
    total = int(count.sum())
    if total <= hexgrid.MAX_CELLS:
        return
    fitting = (
        finer
        for finer in range(resolution - 1, int(level.max()), -1)
        if hexgrid.children_count(cells[level <= finer], finer).sum() <= hexgrid.MAX_CELLS
    )
    raise error(
        "CG-DEM-024", resolution=resolution, count=f"{total:,}", limit=f"{hexgrid.MAX_CELLS:,}",
        advice=next(fitting, int(level.max())),
    )  # fmt: skip
