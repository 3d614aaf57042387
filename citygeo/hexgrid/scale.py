"""Tables of cells brought to a coarser or a finer resolution, with nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.errors import error
from citygeo.hexgrid.hierarchy import children, children_count, parents, sums_by_cell
from citygeo.hexgrid.shapes import cell_areas_m2
from citygeo.hexgrid.tables import cells_and_table, numbers_of, require_unique, to_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]

MANTISSA = 53  # bits of a float64
LOWEST_EXPONENT = -1021  # numbers closer to 0 have fewer bits


def aggregate(
    table: pd.DataFrame | pd.Series[Any],
    resolution: int,
    *,
    sums: Iterable[str] = (),
    means: Mapping[str, str | None] | None = None,
    shares: Mapping[str, tuple[str, str]] | None = None,
) -> gpd.GeoDataFrame:
    """
    Bring a table of cells to a coarser resolution.

    Parameters
    ----------
    table
        Indexed by cells, as text or numbers, of the resolution or finer ones; a cell may have several rows.
    resolution
        H3 resolution, 0 to 15.
    sums
        Columns to add up. A sum with a missing part is missing: fill in 0 first where that is what it means.
    means
        Columns to average, with the column of their weights (`None`: the area of the cells). Rows without a value or a
        weight do not count.
    shares
        New columns with those of their numerator and denominator: a share is a sum divided by a sum, never a mean of
        shares. Rows without either do not count.

    Returns
    -------
    One row a coarser cell that has a row, sorted by cell, with the columns asked for and the outlines (as `to_frame`).
    Whole numbers are added exactly; a mean or a share of nothing is NaN.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell or coarser than the resolution, or a weight or denominator is negative or
        infinite; CG-IN-004 if a column is not of numbers or asked for twice; CG-IN-005 if there is no such column.
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = ["8a28308280c7fff", "8a28308280cffff"]
    >>> table = pd.DataFrame({"population": [30, 10], "served": [30, 0], "minutes": [2.0, 6.0]}, index=cells)
    >>> found = aggregate(
    ...     table, 9, sums=["population"], means={"minutes": "population"}, shares={"share": ("served", "population")}
    ... )
    >>> found.drop(columns="geometry").to_dict("index")
    {'8928308280fffff': {'population': 40, 'minutes': 3.0, 'share': 0.75}}
    """
    import pandas as pd

    means, shares = dict(means or {}), dict(shares or {})
    sums = [sums] if isinstance(sums, str) else list(sums)
    _require_once([*sums, *means, *shares])
    cells, rows = cells_and_table(table)
    coarse = parents(cells, resolution)
    known = np.unique(coarse)
    columns: dict[str, NDArray[Any]] = {}
    for name in sums:
        columns[name] = sums_by_cell(coarse, numbers_of(rows, name))[1]
    for name, weight in means.items():
        weights = cell_areas_m2(cells) if weight is None else _weights(rows, weight)
        values = numbers_of(rows, name)
        # what weighs nothing says nothing: 0 times infinite would be no number
        parts = np.multiply(values, weights, out=np.where(np.isnan(values), np.nan, 0.0), where=weights != 0)
        columns[name] = _ratios(coarse, known, parts, weights)
    for name, (above, below) in shares.items():
        columns[name] = _ratios(coarse, known, numbers_of(rows, above), _weights(rows, below))
    return to_frame(pd.DataFrame(columns, index=known))


def _require_once(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        rule, hint = "Each column of the result has one meaning.", "Name it once in sums, means or shares."
        raise error("CG-IN-004", argument="column", value=twice[0], rule=rule, hint=hint)


def _weights(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    weights = numbers_of(rows, column).astype(np.float64)
    is_bad = (weights < 0) | np.isinf(weights)
    if is_bad.any():
        raise error(
            "CG-IN-003", layer="cells", column=column, count=int(is_bad.sum()), total=is_bad.size,
            sample=", ".join(map(str, rows.index[is_bad][:5])), rule="0 or more, and finite",
        )  # fmt: skip
    return weights


def _ratios(
    coarse: Cells, known: Cells, above: NDArray[Any], below: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a sum divided by a sum for each coarse cell, of the rows that have both."""
    has_both = ~np.isnan(above) & ~np.isnan(below)
    found, top = sums_by_cell(coarse[has_both], above[has_both].astype(np.float64))
    _, bottom = sums_by_cell(coarse[has_both], below[has_both])
    ratio = np.full(known.size, np.nan)
    at = np.searchsorted(known, found)
    ratio[at[bottom > 0]] = top[bottom > 0] / bottom[bottom > 0]
    return ratio


def refine(
    table: pd.DataFrame | pd.Series[Any],
    resolution: int,
    *,
    sums: Iterable[str] = (),
    copies: Iterable[str] = (),
) -> gpd.GeoDataFrame:
    """
    Bring a table of cells to a finer resolution: nobody knows more than before, so all is spread evenly.

    Parameters
    ----------
    table
        Indexed by cells, as text or numbers, of the resolution or coarser ones, each once and none within another.
    resolution
        H3 resolution, 0 to 15.
    sums
        Columns to divide among the children, such as people.
    copies
        Columns that hold for each child as they are, such as shares and densities.

    Returns
    -------
    One row a child, sorted by cell, with the columns asked for and the outlines (as `to_frame`). Divided numbers are
    float64 and add up to just what was divided, to the last bit and in whatever order they are added: children of one
    cell differ in the last bit of its number at most. Missing stays missing.

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell or finer than the resolution; CG-IN-004 if a column is not of numbers or asked
        for twice; CG-IN-005 if there is no such column; CG-IN-006 if a cell is there twice, or in another one.
    LimitError
        CG-LIM-002 if that would be more than 5 million cells.
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.

    Examples
    --------
    >>> import pandas as pd
    >>> fine = refine(pd.Series({"8928308280fffff": 10}, name="population"), 11, sums=["population"])
    >>> len(fine), fine["population"].sum(), fine["population"].round(6).unique()
    (49, np.float64(10.0), array([0.204082]))
    """
    import pandas as pd

    sums = [sums] if isinstance(sums, str) else list(sums)
    copies = [copies] if isinstance(copies, str) else list(copies)
    _require_once([*sums, *copies])
    cells, rows = cells_and_table(table)
    require_unique(cells)
    counts, fine = children_count(cells, resolution), children(cells, resolution)
    require_unique(fine)
    columns: dict[str, NDArray[Any]] = {}
    for name in sums:
        columns[name] = divided(numbers_of(rows, name).astype(np.float64), counts)
    for name in copies:
        columns[name] = np.repeat(numbers_of(rows, name), counts)
    return to_frame(pd.DataFrame(columns, index=fine).sort_index())


def divided(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """
    Divide numbers evenly, so that the parts add up to each exactly, in any order.

    All parts of a number are whole multiples of its last bit, and so are their sums, which are not larger.

    Parameters
    ----------
    values
        Numbers, shape `(n,)`.
    counts
        How many parts each has, shape `(n,)`.

    Returns
    -------
    The parts of the first number, then those of the second..., shape `(sum of counts,)`. Parts of what is not finite
    are as it is.

    Examples
    --------
    >>> divided(np.array([1.0]), np.array([3])).sum()
    np.float64(1.0)
    """
    is_finite = np.isfinite(values)
    exponent = np.maximum(np.frexp(np.abs(values))[1], LOWEST_EXPONENT) - MANTISSA
    bits = np.ldexp(np.where(is_finite, np.abs(values), 0.0), -exponent).astype(np.int64)
    each, rest = np.divmod(bits, np.maximum(counts, 1))
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    parts = np.ldexp(
        (np.repeat(each, counts) + (within < np.repeat(rest, counts))).astype(np.float64),
        np.repeat(exponent, counts),
    )
    sign = np.sign(np.where(is_finite, values, 0.0))
    return np.where(np.repeat(is_finite, counts), parts * np.repeat(sign, counts), np.repeat(values, counts))
