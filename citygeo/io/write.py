"""Write tables, layers, text and JSON; each file is whole or absent (see ``io.atomic``)."""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo._optional import need
from citygeo.errors import error
from citygeo.io.atomic import atomic_folder, atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "atomic_folder",
    "atomic_path",
    "write_csv",
    "write_gpkg",
    "write_json",
    "write_parquet",
    "write_text",
]

# QGIS 3.22, still common in planning bureaus, warns about GeoPackage 1.4, the driver's default
GPKG_VERSION = "1.2"
# what Excel and LibreOffice take for the start of a formula
FORMULA_START = re.compile(r"^[=+\-@\t\r]")
_STYLE_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
    styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30),
    ui TEXT(30), update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""


def write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""Write text as UTF-8 with ``\n`` line ends, whole or not at all (CG-FILE-012)."""
    with atomic_path(path) as tmp:
        tmp.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike[str], obj: object) -> None:
    """
    Write strict JSON: UTF-8, readable, numpy values and paths allowed.

    Parameters
    ----------
    path
        The final name.
    obj
        Dicts, lists, numbers, texts. NaN and infinity, which JSON lacks, become null.

    Raises
    ------
    FileError
        CG-FILE-012 if the file cannot be written.
    TypeError
        If a value has no JSON form.
    """
    write_text(path, json.dumps(_jsonable(obj), ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def write_csv(path: str | os.PathLike[str], df: pd.DataFrame, *, excel_safe: bool = True) -> None:
    """
    Write a table that Excel opens with its Chinese intact (utf-8-sig).

    Parameters
    ----------
    path
        The final name.
    df
        The table. Geometry columns are left out; a named index becomes the first column; integer H3
        cells (column or index ``h3_cell``) are written as their text.
    excel_safe
        Put ``'`` before texts that a spreadsheet would run as a formula, headers included.

    Raises
    ------
    FileError
        CG-FILE-012 if the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(f"{folder}/t.csv", pd.DataFrame({"name": ["=1+1", "厦门"]}))
    ...     Path(folder, "t.csv").read_text(encoding="utf-8-sig").split()
    ['name', "'=1+1", '厦门']
    """
    table = _with_index(df)
    table = table.drop(columns=[name for name in table.columns if _is_geometry(table[name])])
    if "h3_cell" in table and pd.api.types.is_integer_dtype(table["h3_cell"]):
        table["h3_cell"] = [f"{cell:x}" for cell in table["h3_cell"]]
    table = pd.DataFrame({name: _flat(table[name]) for name in table.columns})
    if excel_safe:
        table = table.rename(columns=_defuse)
        table = table.apply(lambda column: column if _is_plain(column) else column.map(_defuse))
    with atomic_path(path) as tmp:
        table.to_csv(tmp, index=False, encoding="utf-8-sig", lineterminator="\n")


def write_parquet(path: str | os.PathLike[str], gdf: pd.DataFrame) -> None:
    """
    Write GeoParquet (or Parquet, for a table without geometry), index kept.

    Parameters
    ----------
    path
        The final name.
    gdf
        The table.

    Raises
    ------
    MissingExtraError
        CG-DEP-001 if pyarrow is not installed.
    FileError
        CG-FILE-012 if the file cannot be written.
    """
    need("pyarrow", extra="parquet", purpose="writing Parquet")
    with atomic_path(path) as tmp:
        gdf.to_parquet(tmp)


def write_gpkg(
    path: str | os.PathLike[str],
    layers: Mapping[str, pd.DataFrame],
    styles: Mapping[str, str] | None = None,
) -> None:
    """
    Write a GeoPackage whose layers open styled in QGIS.

    Parameters
    ----------
    path
        The final name.
    layers
        Layer name -> GeoDataFrame, or a DataFrame for a table without geometry. A named index becomes
        the first column; names that differ only in case get a number, because SQLite cannot keep both.
    styles
        Layer name -> QML text (see ``citygeo.viz.layer_styles``), stored in ``layer_styles`` as the
        layer's default style.

    Raises
    ------
    CRSError
        CG-CRS-001 if a layer with geometry has no CRS.
    FileError
        CG-FILE-012 if the file cannot be written.

    Examples
    --------
    >>> import tempfile, shapely
    >>> points = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(-21.9, 64.1)], crs=4326)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_gpkg(f"{folder}/x.gpkg", {"stations 消防站": points})
    ...     gpd.list_layers(f"{folder}/x.gpkg").name.tolist()
    ['stations 消防站']
    """
    import pyogrio

    for name, layer in layers.items():
        _require_crs(name, layer)
    with atomic_path(path) as tmp:
        try:
            for number, (name, layer) in enumerate(layers.items()):
                _write_layer(tmp, name, layer, is_first=number == 0)
        except (RuntimeError, ValueError) as cause:  # pyogrio's errors are both
            if not isinstance(cause, (pyogrio.errors.DataSourceError, pyogrio.errors.FeatureError)):
                raise
            raise OSError(str(cause).replace(str(tmp), str(path))) from cause
        with sqlite3.connect(tmp) as database:
            _check_counts(database, layers)
            _add_styles(database, styles or {})
        database.close()


def _write_layer(tmp: Path, name: str, layer: pd.DataFrame, *, is_first: bool) -> None:
    import pyogrio

    table = _gpkg_columns(_with_index(layer))
    options: dict[str, Any] = {"layer": name, "driver": "GPKG", "append": not is_first}
    if is_first:
        options["dataset_options"] = {"VERSION": GPKG_VERSION}
    if isinstance(table, gpd.GeoDataFrame):
        kinds = set(table.geom_type.dropna())
        # a layer of one family opens in QGIS as one layer, and takes its style, only if all are Multi*
        options["promote_to_multi"] = (
            len(kinds) > 1 and len({kind.removeprefix("Multi") for kind in kinds}) == 1
        )
    pyogrio.write_dataframe(table, tmp, **options)


def _check_counts(database: sqlite3.Connection, layers: Mapping[str, pd.DataFrame]) -> None:
    """Raise unless every row arrived: the driver may only log what it could not flush."""
    for name, layer in layers.items():
        quoted = name.replace('"', '""')
        (count,) = database.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()  # noqa: S608 - quoted
        if count != len(layer):
            raise OSError(None, f"{count} of {len(layer)} rows of {name} were written")


def _add_styles(database: sqlite3.Connection, styles: Mapping[str, str]) -> None:
    """Add QGIS's style table, registered as the standard asks."""
    if not styles:
        return
    geometry_columns = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
    database.execute(_STYLE_TABLE)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 0)"
    )
    database.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, styleSLD, useAsDefault, description, owner) "
        "VALUES ('', '', ?, ?, ?, ?, '', 1, 'citygeo', '')",
        [(name, geometry_columns.get(name, ""), name[:30], qml) for name, qml in styles.items()],
    )


def _gpkg_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with column names and values that GeoPackage can hold."""
    names: dict[str, str] = {}
    taken = {"fid", "geom"}
    for column in table.columns:
        name, number = str(column), 2
        while name.lower() in taken:
            name, number = f"{column}_{number}", number + 1
        taken.add(name.lower())
        names[column] = name
    active = table.geometry.name if isinstance(table, gpd.GeoDataFrame) else None
    flat = {names[c]: _flat(table[c]) for c in table.columns if c != active}
    if not isinstance(table, gpd.GeoDataFrame):
        return pd.DataFrame(flat, index=table.index)
    return cast(
        "pd.DataFrame",
        gpd.GeoDataFrame(flat, geometry=table.geometry.to_numpy(), crs=table.crs, index=table.index),
    )


def _with_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with the index as first columns, unless it is an unnamed count."""
    if isinstance(table.index, pd.RangeIndex) and table.index.name is None:
        return table.copy()
    levels = [str(name) if name is not None else "index" for name in table.index.names]
    free = [f"{name}_index" if name in table.columns else name for name in levels]
    out = table.copy()
    out.index = out.index.set_names(free)
    return out.reset_index()


def _is_geometry(column: pd.Series[Any]) -> bool:
    return str(column.dtype) == "geometry"


def _is_plain(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds numbers, truth values or dates: nothing that could be a formula."""
    return column.dtype.kind in "biufMm"


def _flat(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return what a table can hold: lists and dicts as JSON, shapes as WKT, categories as values."""
    if _is_geometry(column):
        return pd.Series(gpd.GeoSeries(column).to_wkt(), index=column.index)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype.kind == "O" and column.dtype == object:
        return column.map(_flat_value)
    return column


def _flat_value(value: object) -> object:
    if isinstance(value, (dict, list, tuple, set, frozenset, np.ndarray)):
        return json.dumps(_jsonable(value), ensure_ascii=False)
    return value


def _defuse(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and FORMULA_START.match(value) else value


def _jsonable(obj: object) -> object:
    """Return what strict JSON can hold; keys as text, sets sorted, non-finite numbers as None."""
    if isinstance(obj, dict):
        return {str(key): _jsonable(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple, set, frozenset)):
        items = [_jsonable(value) for value in obj]
        return items if isinstance(obj, (list, tuple)) else sorted(items, key=str)
    if isinstance(obj, (np.generic, np.ndarray)):
        return _jsonable(obj.tolist())
    if isinstance(obj, float):
        return obj if math.isfinite(obj) else None
    if isinstance(obj, (os.PathLike, pd.Timestamp)):
        return str(obj)
    return obj


def _require_crs(name: str, layer: pd.DataFrame) -> None:
    if isinstance(layer, gpd.GeoDataFrame) and layer.crs is None:
        xmin, ymin, xmax, ymax = (f"{value:g}" for value in layer.total_bounds)
        raise error("CG-CRS-001", layer=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
