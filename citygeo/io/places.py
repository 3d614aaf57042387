"""Give a table its places: from a pair of coordinate columns, else from a column of H3 cells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo.errors import CitygeoError, error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyproj import CRS

# exact names only: a column such as lng_gcj02 is another datum and must not pass for WGS 84
LON_NAMES = ("lon", "lng", "long", "longitude", "经度", "东经")
LAT_NAMES = ("lat", "latitude", "纬度", "北纬")
X_NAMES = ("x", "easting", "point_x")
Y_NAMES = ("y", "northing", "point_y")
CELL_NAMES = ("h3_cell", "h3", "h3_index", "h3index", "hex_id", "cell")
CELL = re.compile(r"8[0-9a-f]{14}")

WGS84 = "EPSG:4326"


def place_table(table: pd.DataFrame, name: str, crs: CRS | None) -> gpd.GeoDataFrame:
    """Give a table its places: coordinates if it has a pair of columns for them, else H3 cells."""
    if table.index.name is not None:
        table = table.reset_index()
    for x_names, y_names, default in ((LON_NAMES, LAT_NAMES, WGS84), (X_NAMES, Y_NAMES, None)):
        x, y = _column(table, x_names), _column(table, y_names)
        if x is not None and y is not None:
            points = _points(_numbers(table, x, name), _numbers(table, y, name))
            return gpd.GeoDataFrame(table, geometry=points, crs=crs if crs is not None else default)
    cell = _column(table, CELL_NAMES)
    if cell is None:
        raise error(
            "CG-IN-005", layer=name, column="lon and lat, x and y, or h3_cell", columns=_listed(table.columns)
        )
    return _celled(table, cell, name)


def _column(table: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Return the table's column that has one of the names, in whichever case."""
    have = {str(column).strip().casefold(): str(column) for column in reversed(table.columns)}
    return next((have[name] for name in names if name in have), None)


def _numbers(table: pd.DataFrame, column: str, name: str) -> pd.Series[float]:
    values = table[column]
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    bad = (numbers.isna() & values.notna()) | np.isinf(numbers)
    if bad.any():
        raise _bad_rows(name, column, bad, "finite numbers")
    return numbers


def _points(x: pd.Series[float], y: pd.Series[float]) -> gpd.GeoSeries:
    is_placed = (x.notna() & y.notna()).to_numpy()
    places = np.full(len(x), None, object)
    places[is_placed] = shapely.points(x.to_numpy()[is_placed], y.to_numpy()[is_placed])
    return gpd.GeoSeries(places, index=x.index)


def _celled(table: pd.DataFrame, column: str, name: str) -> gpd.GeoDataFrame:
    """Index the table by its H3 cells, written in hexadecimal or as whole numbers."""
    import h3.api.basic_str as h3

    values = table[column]
    is_number = pd.api.types.is_integer_dtype(values)
    cells = (
        values.map(lambda cell: format(int(cell), "x")) if is_number else values.astype("string").str.lower()
    )
    # h3 itself raises OverflowError on texts such as "-1"
    bad = ~cells.map(lambda cell: bool(CELL.fullmatch(str(cell))) and h3.is_valid_cell(cell)).astype(bool)
    if bad.any():
        raise _bad_rows(name, column, bad, "H3 cells, which have 15 hexadecimal digits")
    repeated = cells.duplicated()
    if repeated.any():
        raise error(
            "CG-IN-006", layer=name, count=int(repeated.sum()), sample=_listed(cells[repeated].head())
        )
    indexed = table.drop(columns=column).set_index(pd.Index(cells.astype(object), name="h3_cell"))
    return gpd.GeoDataFrame(
        indexed, geometry=gpd.GeoSeries([None] * len(indexed), index=indexed.index), crs=WGS84
    )


def _bad_rows(name: str, column: str, bad: pd.Series[bool], rule: str) -> CitygeoError:
    rows = _listed(bad.index[bad][:5])
    count = int(bad.sum())
    return error("CG-IN-003", count=count, total=len(bad), layer=name, column=column, sample=rows, rule=rule)


def _listed(items: Sequence[object] | pd.Index[Any] | pd.Series[Any]) -> str:
    return ", ".join(str(item) for item in items)
