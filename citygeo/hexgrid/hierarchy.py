"""Cells in cells: resolutions, parents, children, an order, and sums. All of it is in the bits of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.errors import error
from citygeo.hexgrid.inputs import locked, require_few_cells, require_no_bad_rows, require_resolution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Cells = NDArray[np.uint64]


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
    >>> from citygeo.hexgrid import from_strings
    >>> resolution_of(from_strings(["8928308280fffff"]))
    9
    """
    if not len(cells):
        raise error("CG-IN-001", layer="cells")
    found = np.unique(resolutions(cells)).tolist()
    if len(found) > 1:
        rule, hint = "All cells must have one resolution.", "Bring them to one with hexgrid.parents."
        raise error(
            "CG-IN-004", argument="cells", value=f"cells of resolutions {found}", rule=rule, hint=hint
        )
    return int(found[0])


def resolutions(cells: Cells) -> NDArray[np.uint8]:
    """
    Return the resolution of each cell.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Returns
    -------
    0 to 15, shape `(n,)`.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> resolutions(from_strings(["8928308280fffff", "8428309ffffffff"]))
    array([9, 4], dtype=uint8)
    """
    from citygeo._kernels import cellbits

    given = locked(cells, np.uint64)
    found = np.empty(given.size, np.uint8)
    cellbits.resolutions(given, found)
    return found


def parents(cells: Cells, resolution: int) -> Cells:
    """
    Return the cell of a coarser resolution that each cell belongs to.

    A cell sticks out of its parent a little: H3 goes by the hierarchy, not by area.

    Parameters
    ----------
    cells
        Cells of the resolution or finer ones, shape `(n,)`.
    resolution
        H3 resolution of the parents, 0 to 15.

    Returns
    -------
    Cells, shape `(n,)`.

    Raises
    ------
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    InputError
        CG-IN-003 if a row is no H3 cell or is coarser than the resolution.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings, to_strings
    >>> to_strings(parents(from_strings(["8928308280fffff"]), 7))
    ['872830828ffffff']
    """
    from citygeo._kernels import cellbits

    require_resolution(resolution)
    resolution = int(resolution)  # kernels are compiled for one kind of number
    given = locked(cells, np.uint64)
    found = np.empty(given.size, np.uint64)
    cellbits.parents(given, resolution, found)
    require_no_bad_rows(found == 0, "cells", "h3_cell", f"H3 cells of resolution {resolution} or finer")
    return found


def children_count(cells: Cells, resolution: int) -> NDArray[np.int64]:
    """
    Return how many cells of a finer resolution belong to each cell.

    Parameters
    ----------
    cells
        Cells of the resolution or coarser ones, shape `(n,)`.
    resolution
        H3 resolution of the children, 0 to 15.

    Returns
    -------
    Numbers of cells, shape `(n,)`: a power of 7, less in pentagons.

    Raises
    ------
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    InputError
        CG-IN-003 if a row is no H3 cell or is finer than the resolution.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> children_count(from_strings(["8928308280fffff", "891c0000003ffff"]), 11)
    array([49, 41])
    """
    from citygeo._kernels import cellbits

    require_resolution(resolution)
    resolution = int(resolution)  # kernels are compiled for one kind of number
    given = locked(cells, np.uint64)
    found = np.empty(given.size, np.int64)
    cellbits.children_counts(given, resolution, found)
    require_no_bad_rows(found == 0, "cells", "h3_cell", f"H3 cells of resolution {resolution} or coarser")
    return found


def children(cells: Cells, resolution: int) -> Cells:
    """
    Return the cells of a finer resolution that belong to the cells.

    Parameters
    ----------
    cells
        Cells of the resolution or coarser ones, shape `(n,)`, of any resolutions.
    resolution
        H3 resolution of the children, 0 to 15.

    Returns
    -------
    Cells: those of the first cell, sorted, then those of the second...; `children_count` tells how many of each.

    Raises
    ------
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    InputError
        CG-IN-003 if a row is no H3 cell or is finer than the resolution.
    LimitError
        CG-LIM-002 if that would be more than 5 million cells.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings, to_strings
    >>> to_strings(children(from_strings(["8928308280fffff"]), 10))[:2]
    ['8a28308280c7fff', '8a28308280cffff']
    """
    from citygeo._kernels import cellbits

    count = int(children_count(cells, resolution).sum())
    require_few_cells(count, resolution)
    found = np.empty(count, np.uint64)
    cellbits.children(locked(cells, np.uint64), int(resolution), found)
    return found


def order(cells: Cells) -> NDArray[np.int64]:
    """
    Return the order in which cells of one parent follow each other, on every level of the hierarchy.

    So what lies together comes together. Of cells of several resolutions each comes just before the cells in it.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`, of any resolutions.

    Returns
    -------
    Positions, shape `(n,)`: ``cells[order(cells)]`` is in order. Equal cells keep theirs.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> order(from_strings(["8928308280fffff", "89283470d93ffff", "872830828ffffff", "8928308280bffff"]))
    array([2, 3, 0, 1])
    """
    from citygeo._kernels import cellbits

    given = locked(cells, np.uint64)
    keys = np.empty(given.size, np.uint64)
    cellbits.hierarchy_keys(given, keys)
    return np.argsort(keys, kind="stable")


def sums_by_cell(cells: Cells, values: ArrayLike) -> tuple[Cells, NDArray[Any]]:
    """
    Add up values by cell.

    Whole numbers are added exactly, so that the order of the rows does not matter. Other numbers are added in the
    order of the rows: the same table gives the same sums on every machine, another order may differ in the last digit.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`, of any resolutions.
    values
        Numbers, shape `(n,)`. NaN makes the sum of its cell NaN: missing is not zero.

    Returns
    -------
    Cells, sorted, each once, and their sums: int64 for whole numbers, else float64.

    Raises
    ------
    InputError
        CG-IN-004 if there is not one value a cell.

    Examples
    --------
    >>> cells, people = sums_by_cell(np.array([7, 5, 7], np.uint64), [10, 20, 30])
    >>> people
    array([20, 40])
    """
    from citygeo._kernels import cellbits

    given, numbers = locked(cells, np.uint64), np.asarray(values)
    if numbers.shape != given.shape:
        raise error(
            "CG-IN-004", argument="values", value=f"{numbers.size} numbers", rule="Each cell has one value.",
            hint=f"There are {given.size} cells.",
        )  # fmt: skip
    numbers = locked(numbers, np.int64 if np.can_cast(numbers.dtype, np.int64) else np.float64)
    found, sums = np.empty(given.size, np.uint64), np.empty(given.size, numbers.dtype)
    slots = np.full(2 << given.size.bit_length(), -1, np.int64)
    n = cellbits.sum_by_cell(given, numbers, slots, found, sums)
    in_order = np.argsort(found[:n])
    return found[in_order], sums[in_order]
