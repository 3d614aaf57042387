"""Tables of cells: with outlines, so that they can be drawn, and at the edge to other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.datum import WGS84
from citygeo.errors import error
from citygeo.hexgrid.sets import require_cells
from citygeo.hexgrid.shapes import cell_polygons
from citygeo.hexgrid.text import from_strings, has_cell_index, to_strings

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]

INDEX = "h3_cell"


def to_frame(cells: Cells | Iterable[str | int] | pd.DataFrame | pd.Series[Any]) -> gpd.GeoDataFrame:
    """
    Return cells, or a table of cells, with their outlines.

    Parameters
    ----------
    cells
        H3 cells as numbers or text, or a table of them: its index, or else its column ``h3_cell``, names the cells,
        as numbers or text. A Series is a table of one column.

    Returns
    -------
    The columns of the table and the outlines, in WGS 84, indexed by the text of the cells (``h3_cell``), in the order
    given. Geometry that the table had is replaced.

    In files the cells are text under the name ``h3_cell``: DuckDB reads ``to_parquet`` and ``to_csv`` (its extension h3
    takes the text), QGIS opens ``to_file("cells.gpkg")``, and kepler.gl draws hexagons of a CSV file without the
    outlines, ``table.drop(columns="geometry").to_csv("cells.csv")``: it looks for a column of text that is H3 cells
    (versions before 2 for one named ``hex_id``).

    Raises
    ------
    InputError
        CG-IN-003 if a row is no H3 cell.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.Series({"8928308280fffff": 3, "8928308280bffff": 5}, name="population")
    >>> to_frame(people)["population"].to_dict()
    {'8928308280fffff': 3, '8928308280bffff': 5}
    """
    import geopandas as gpd
    import pandas as pd

    numbers, table = cells_and_table(cells)
    index = pd.Index(to_strings(numbers), dtype=object, name=INDEX)
    return gpd.GeoDataFrame(table.set_axis(index), geometry=cell_polygons(numbers), crs=WGS84)


def cells_and_table(given: Any) -> tuple[Cells, pd.DataFrame]:
    """Return the cells and the plain table of what they have, row by row."""
    import pandas as pd

    if isinstance(given, pd.Series):
        given = given.to_frame(given.name if given.name is not None else "value")
    if not isinstance(given, pd.DataFrame):
        numbers = from_strings(given)
        return numbers, pd.DataFrame(index=range(numbers.size))
    table = pd.DataFrame(given)
    table.attrs = dict(given.attrs)
    if not has_cell_index(table) and INDEX in table:
        table = table.set_index(INDEX)
    geometry = [name for name in table if getattr(table[name].dtype, "name", "") == "geometry"]
    return from_strings(table.index), table.drop(columns=geometry)


def numbers_of(table: pd.DataFrame, column: str) -> NDArray[Any]:
    """Return a column of whole numbers as int64, of others as float64, with NaN for what is missing."""
    import pandas as pd

    if column not in table:
        have = ", ".join(map(str, table.columns)) or "none"
        raise error("CG-IN-005", layer="cells", column=column, columns=have)
    values = table[column]
    if not pd.api.types.is_numeric_dtype(values):
        rule, hint = "It must hold numbers.", f"It holds {values.dtype}; convert it with pandas.to_numeric."
        raise error("CG-IN-004", argument="column", value=column, rule=rule, hint=hint)
    is_whole = not pd.api.types.is_float_dtype(values) and not values.isna().any()
    return values.to_numpy(np.int64) if is_whole else values.to_numpy(np.float64, na_value=np.nan)


def require_unique(cells: Cells) -> Cells:
    """Return cells of a table; raise if one is there twice or is none."""
    given = require_cells(cells)
    known, counts = np.unique(given, return_counts=True)
    if (counts > 1).any():
        repeated = to_strings(known[counts > 1])
        raise error("CG-IN-006", layer="cells", count=len(repeated), sample=", ".join(repeated[:5]))
    return given
