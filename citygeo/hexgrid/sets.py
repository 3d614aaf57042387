"""Sets of cells: what is around them, hangs together, or fills a coarser cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._run import run_chunks
from citygeo.errors import error
from citygeo.hexgrid.hierarchy import children, order, parents, resolution_of
from citygeo.hexgrid.inputs import locked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]

CHUNK = 1 << 14
MAX_STEPS = 100


def compact(cells: Cells) -> Cells:
    """
    Return the fewest cells, of any resolutions, that hold just these.

    Parameters
    ----------
    cells
        Cells of one resolution, shape `(n,)`.

    Returns
    -------
    Cells, each once, in the order of the hierarchy (`order`): wherever all children of a cell are there, the cell.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell; CG-IN-004 if the resolutions differ.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> family = children(from_strings(["8928308280fffff"]), 11)
    >>> compact(family).size, uncompact(compact(family), 11).size
    (1, 49)
    """
    import h3.api.numpy_int as h3

    given = require_cells(cells)
    if not given.size:
        return given
    resolution_of(given)
    found = np.asarray(h3.compact_cells(np.unique(given)), np.uint64)
    return found[order(found)]


def uncompact(cells: Cells, resolution: int) -> Cells:
    """
    Return the cells of one resolution that lie in these.

    Parameters
    ----------
    cells
        Cells of the resolution or coarser ones, shape `(n,)`.
    resolution
        H3 resolution, 0 to 15.

    Returns
    -------
    Cells, sorted, each once.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell or is finer than the resolution.
    LimitError
        CG-LIM-002 if that would be more than 5 million cells.
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> uncompact(from_strings(["8928308280fffff", "8a28308280c7fff"]), 10).size
    7
    """
    return np.unique(children(cells, resolution))


def neighbours(cells: Cells, k: int = 1) -> tuple[NDArray[np.int64], Cells]:
    """
    Return the cells around each cell.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.
    k
        How many rings around each, 1 to 100.

    Returns
    -------
    Pairs: the row of a cell, in ascending order, and a cell at most `k` steps away, never itself. A hexagon has six
    in the first ring; a pentagon has five, and rings near one have fewer too.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell.
    UnitError
        CG-UNIT-002 if `k` is not 1 to 100.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> rows, around = neighbours(from_strings(["8928308280fffff", "89283470d93ffff"]), 2)
    >>> np.bincount(rows)
    array([18, 18])
    """
    from citygeo._kernels import cellbits

    given, steps = require_cells(cells), require_steps(k)
    disk = np.zeros((given.size, 3 * steps * (steps + 1)), np.uint64)
    is_sure = np.empty(given.size, np.bool_)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        cellbits.disks(given[low:high], steps, disk[low:high], is_sure[low:high])

    run_chunks(work, given.size, chunk=CHUNK)
    _look_up(given, steps, np.flatnonzero(~is_sure), disk)
    is_there = disk != 0
    return np.repeat(np.arange(given.size), is_there.sum(axis=1)), disk[is_there]


def _look_up(cells: Cells, steps: int, rows: NDArray[np.int64], disk: Cells) -> None:
    """Fill some rows by h3-py; 0 where a ring is short of cells."""
    import h3.api.numpy_int as h3

    disk[rows] = 0
    for row in rows.tolist():
        around = h3.grid_disk(int(cells[row]), steps)
        around = around[around != cells[row]]
        disk[row, : around.size] = around


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
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(cells):
        return np.empty(0, np.int64)
    known, position = np.unique(cells, return_inverse=True)
    start, around = neighbours(known)
    end = positions(known, around)
    start, end = start[end >= 0], end[end >= 0]
    graph = coo_array((np.ones(start.size, np.int8), (start, end)), shape=(known.size, known.size))
    _, group = connected_components(graph, directed=False)
    label = group[position]
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[inverse]


def positions(known: Cells, cells: Cells) -> NDArray[np.int64]:
    """Return where in sorted cells others are, -1 for those that are not."""
    at = np.minimum(np.searchsorted(known, cells), known.size - 1)
    return np.where(known[at] == cells, at, -1)


def require_cells(cells: Cells) -> Cells:
    """Return the cells read-only; raise if one is none."""
    given = locked(cells, np.uint64)
    parents(given, 0)
    return given


def require_steps(k: int) -> int:
    """Return how many rings; raise if it is no number of them."""
    given: Any = k
    is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    if not is_whole or not 1 <= given <= MAX_STEPS:
        raise error(
            "CG-UNIT-002", argument="k", value=k, low=1, high=MAX_STEPS, unit="rings",
            hint="A ring is as wide as a cell: take coarser cells for wider surroundings.",
        )  # fmt: skip
    return int(k)
