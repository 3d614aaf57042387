"""
Write tables, layers, text and JSON; each file is whole or absent (see ``io.atomic``).

What tables hold follows one rule in every format. Columns of numbers, truth values, dates and texts stay what
they are. Any other column, and any other level of the index, becomes numbers or truth values if it holds
nothing else, and text if not: lists, tuples and dicts as JSON, shapes as WKT, the rest as Python prints it.
Missing values stay missing. Names of columns become text, and a repeated one gets a number.
"""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo._optional import need
from citygeo.errors import CitygeoError, error
from citygeo.io.atomic import atomic_folder, atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
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
# what Excel and LibreOffice take for the start of a formula; East Asian editions take the wide signs too
FORMULA_START = re.compile(r"^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
LARGEST_INTEGER = 2**63 - 1  # of SQLite
STYLE_TABLE = "layer_styles"
# the driver refuses names of layers that begin so
REFUSED_START = re.compile(r"^(?=[!-/:-@\[-^`{-~])")
# what pyogrio, pyarrow and pandas raise, themselves or by a subclass, for what they cannot write
WRITER_ERRORS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
_STYLE_COLUMNS = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
    styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30),
    ui TEXT(30), update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""


def write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""Write text as UTF-8 with ``\n`` line ends, whole or not at all (CG-FILE-012)."""
    with _writing(path) as tmp:
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
    r"""
    Write a table that Excel opens with its Chinese intact (utf-8-sig).

    Parameters
    ----------
    path
        The final name.
    df
        The table. Geometry columns are left out; a named index becomes the first column; integer H3
        cells (column or index ``h3_cell``) are written as their text; line ends inside texts become ``\n``.
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
    is_shape = [str(dtype) == "geometry" for dtype in df.dtypes]
    table = _plain_table(_index_first(pd.DataFrame(df).loc[:, ~np.array(is_shape, np.bool_)]))
    if "h3_cell" in table and pd.api.types.is_integer_dtype(table["h3_cell"]):
        table["h3_cell"] = [None if pd.isna(cell) else f"{cell:x}" for cell in table["h3_cell"]]
    if excel_safe:
        table = _map_texts(table, _defuse)
    table = _map_texts(table, _one_line_end)
    with _writing(path) as tmp:
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
    table = _plain_table(gdf)
    with _writing(path) as tmp:
        table.to_parquet(tmp)


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
        the first column; names that differ only in case, of columns or layers, get
        a number, because SQLite cannot keep both.
        Whole numbers beyond 64 bits with sign become text. A layer's name that begins with a sign gets
        an underscore before it.
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
    for name, layer in layers.items():
        _require_crs(name, layer)
    if not layers:
        raise error("CG-FILE-012", path=path, cause="no layer was given")
    writable = [REFUSED_START.sub("_", name) for name in layers]
    names = dict(zip(layers, _free_names(writable, (STYLE_TABLE,), str.lower), strict=True))
    tables = {names[name]: _gpkg_table(layer) for name, layer in layers.items()}
    with _writing(path) as tmp:
        for number, (name, table) in enumerate(tables.items()):
            _write_layer(tmp, name, table, is_first=number == 0)
        with closing(sqlite3.connect(tmp)) as database, database:
            _check_counts(database, tables)
            _add_styles(database, {names.get(name, name): qml for name, qml in (styles or {}).items()})


@contextmanager
def _writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Do as `atomic_path`, and turn what a writer raises into CG-FILE-012."""
    with atomic_path(path) as tmp:
        try:
            yield tmp
        except CitygeoError:
            raise
        except WRITER_ERRORS as cause:
            raise OSError(None, str(cause).replace(str(tmp), str(path))) from cause


def _write_layer(tmp: Path, name: str, table: pd.DataFrame, *, is_first: bool) -> None:
    import pyogrio

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
    database.execute(_STYLE_COLUMNS)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, 'attributes', ?, 0)",
        (STYLE_TABLE, STYLE_TABLE),
    )
    database.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, styleSLD, useAsDefault, description, owner) "
        "VALUES ('', '', ?, ?, ?, ?, '', 1, 'citygeo', '')",
        [(name, geometry_columns.get(name, ""), name[:30], qml) for name, qml in styles.items()],
    )


def _gpkg_table(layer: pd.DataFrame) -> pd.DataFrame:
    """Return the layer as GeoPackage can hold it: one geometry, names apart from each other in any case."""
    table = _index_first(layer)
    active = _active_geometry(table)
    for place, (label, dtype) in enumerate(zip(table.columns, table.dtypes, strict=True)):
        if str(dtype) == "geometry" and label != active:
            table.isetitem(place, _as_text(table.iloc[:, place]).array)
    plain = _plain_table(table, ("fid", "geom"), str.lower)
    for name in plain.columns:
        if plain[name].dtype.kind == "u" and (plain[name] > LARGEST_INTEGER).any():
            plain[name] = _as_text(plain[name])
    return plain


def _plain_table(
    table: pd.DataFrame, reserved: Iterable[str] = (), fold: Callable[[str], str] = str
) -> pd.DataFrame:
    """Return the table by the rule of this module; columns of geometry stay."""
    labels = list(table.columns)
    names = _free_names(labels, reserved, fold)
    columns = {}
    for place, name in enumerate(names):
        column = table.iloc[:, place]
        columns[name] = column.array if str(column.dtype) == "geometry" else _flat(column).array
    plain = pd.DataFrame(columns, index=_flat_index(table.index))
    active = _active_geometry(table)
    return plain if active is None else gpd.GeoDataFrame(plain, geometry=names[labels.index(active)])


def _active_geometry(table: pd.DataFrame) -> Any:
    """Return the label of a layer's geometry, None for a table."""
    return table.active_geometry_name if isinstance(table, gpd.GeoDataFrame) else None


def _free_names(
    labels: Iterable[object], reserved: Iterable[str] = (), fold: Callable[[str], str] = str
) -> list[str]:
    """Return labels as texts; one that is taken, `fold` applied, gets a number."""
    taken = set(reserved)
    names = []
    for label in labels:
        name, number = str(label), 2
        while fold(name) in taken:
            name, number = f"{label}_{number}", number + 1
        taken.add(fold(name))
        names.append(name)
    return names


def _index_first(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with the index as first columns, unless it is an unnamed count."""
    if isinstance(table.index, pd.RangeIndex) and table.index.name is None:
        return table.copy()
    levels = ["index" if name is None else name for name in table.index.names]
    names = _free_names([*table.columns, *levels])[-len(levels) :]
    return table.reset_index(names=names)


def _flat_index(index: pd.Index[Any]) -> pd.Index[Any]:
    if isinstance(index, pd.RangeIndex):
        return index
    levels = [_flat(index.get_level_values(level).to_series()).array for level in range(index.nlevels)]
    names = [None if name is None else str(name) for name in index.names]
    return (
        pd.MultiIndex.from_arrays(levels, names=names)
        if len(levels) > 1
        else pd.Index(levels[0], name=names[0])
    )


def _flat(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as every format can hold it, by the rule of this module."""
    if isinstance(column.dtype, (pd.CategoricalDtype, pd.SparseDtype)):
        column = pd.Series(np.asarray(column), index=column.index)
    if column.dtype.kind in "biufM" or isinstance(column.dtype, pd.StringDtype):
        return column
    try:
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind in ("boolean", "integer"):
            return column.astype("boolean" if kind == "boolean" else "Int64")
        if kind in ("floating", "mixed-integer-float"):
            return column.where(column.notna(), np.nan).astype(np.float64)
    except (OverflowError, TypeError, UnicodeEncodeError):  # more than 64 bits; half a character
        pass
    return _as_text(column)


def _as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    is_given = column.notna().to_numpy()
    texts = np.full(len(column), None, object)
    texts[is_given] = [_text(value) for value in column[is_given]]
    return pd.Series(texts, index=column.index, dtype=object)


def _text(value: object) -> str:
    if isinstance(value, (dict, list, tuple, set, frozenset, np.ndarray)):
        return json.dumps(_jsonable(value), ensure_ascii=False, default=str)
    return str(value).encode("utf-8", "backslashreplace").decode()


def _map_texts(table: pd.DataFrame, change: Callable[[object], object]) -> pd.DataFrame:
    """Return the table with its texts changed, headers included; the other columns can hold none."""
    columns = [table.iloc[:, place] for place in range(table.shape[1])]
    mapped = [column if column.dtype.kind in "biufM" else column.map(change) for column in columns]
    names = [str(change(name)) for name in table.columns]
    return pd.DataFrame(dict(enumerate(mapped)), index=table.index).set_axis(names, axis="columns")


def _defuse(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and FORMULA_START.match(value) else value


def _one_line_end(value: object) -> object:
    # the csv module leaves a bare carriage return unquoted, and readers then take it for the end of the row
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


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
