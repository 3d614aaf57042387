"""
Read a layer of the user's own: GeoPackage, GeoJSON, shapefile, FlatGeobuf, GeoParquet or CSV.

Nothing is fetched and nothing but the named file (and a shapefile's parts) is opened: see `formats`.
"""

from __future__ import annotations

import codecs
import difflib
import mmap
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from citygeo._optional import need
from citygeo.errors import CitygeoError, error
from citygeo.io import delimited, shapefile
from citygeo.io.formats import Format, identify
from citygeo.io.places import place_table
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from pyproj import CRS

# GDAL fetches a "crs" of type url or link from the network, and takes the key in any case and with escapes
_CRS_KEY = re.compile(rb'"(?:c|\\u00[46]3)(?:r|\\u00[57]2)(?:s|\\u00[57]3)"\s*:\s*(?=\{)', re.IGNORECASE)
_CRS_BY_NAME = re.compile(
    rb'\{\s*"type"\s*:\s*"(?:name|EPSG)"\s*,\s*"properties"\s*:\s*\{\s*"(?:name|code)"\s*:\s*("[^"\\]*"|\d+)\s*\}\s*\}'
)


def read_layer(
    path: str | Path,
    *,
    layer: str | None = None,
    crs: str | int | CRS | None = None,
    encoding: str | None = None,
    issues: IssueLog | None = None,
) -> gpd.GeoDataFrame:
    r"""
    Read a layer of points, lines or polygons, or a table of places or H3 cells.

    Parameters
    ----------
    path
        A local ``.gpkg``, ``.geojson``, ``.json``, ``.shp``, ``.fgb``, ``.parquet`` (extra `parquet`),
        ``.csv``, ``.tsv`` or ``.txt`` file.
    layer
        The layer of a file that has several.
    crs
        The CRS of a file that states none. Tables with longitude and latitude columns are WGS 84
        unless this says otherwise.
    encoding
        The text encoding of a shapefile or CSV. By default a shapefile's ``.cpg`` decides; without one,
        and for CSV, valid UTF-8 is read as such and other text as GB18030.
    issues
        Takes the findings: CG-ENC-001 (text read as GB18030), CG-FILE-013 (remarks of the reader).

    Returns
    -------
    The rows in the order of the file, third coordinates dropped. Rows without a place have geometry
    None. A table of H3 cells without coordinates is indexed by ``h3_cell`` and has no geometry at all:
    what reads it knows what to draw. A layer whose CRS nobody states has none.

    Raises
    ------
    FileError
        CG-FILE-001 if there is no such file.
    FileFormatError
        CG-FILE-002 not a layer, CG-FILE-007 damaged.
    UnsafeInputError
        CG-SEC-001, CG-SEC-003 or CG-FILE-006 if reading it could open other files or run code.
    InputError
        CG-IN-001 no rows, CG-IN-003 coordinates or cells that are none, CG-IN-004 an argument that does
        not fit the file, CG-IN-005 a table without places.
    MissingExtraError
        CG-DEP-001 for GeoParquet without pyarrow.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "stations.csv"
    >>> _ = path.write_text("name,lon,lat\nSkógarhlíð,-21.917,64.131\n", encoding="utf-8")
    >>> stations = read_layer(path)
    >>> stations.crs.to_string(), stations.geometry.x.tolist()
    ('EPSG:4326', [-21.917])
    """
    issues = IssueLog() if issues is None else issues
    crs = None if crs is None else parse_crs(crs)
    kind = identify(path)
    path = Path(path).absolute()  # GDAL takes some relative names for connections
    _check_encoding(encoding)
    if layer is not None and kind.driver in ("CSV", "Parquet"):
        raise _misfit("layer", layer, f"{kind.label} has one layer.", "Leave layer out.")
    if kind.driver == "CSV":
        table: pd.DataFrame = delimited.read_table(path, encoding, issues)
    elif kind.driver == "Parquet":
        table = _read_parquet(path)
    else:
        table = _read_gdal(path, kind, layer, encoding, issues)
    if table.empty and len(table) == 0:
        raise error("CG-IN-001", layer=path.name)
    placed = table if isinstance(table, gpd.GeoDataFrame) else place_table(table, path.name, crs)
    return _with_crs(placed, crs)


def parse_crs(crs: str | int | CRS, *, argument: str = "crs") -> CRS:
    """
    Return the CRS that a text or number names.

    Parameters
    ----------
    crs
        For example ``"EPSG:4547"`` or ``4547``.
    argument
        What the caller's user calls it.

    Raises
    ------
    InputError
        CG-IN-004 if there is no such CRS.

    Examples
    --------
    >>> parse_crs("EPSG:4547").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 114E'
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(crs)
    except CRSError as cause:
        raise _misfit(
            argument, crs, "pyproj knows no such CRS.", "For example EPSG:4547 or EPSG:4326."
        ) from cause


def _check_encoding(encoding: str | None) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except (LookupError, ValueError) as cause:
        raise _misfit(
            "encoding", encoding, "Python knows no such encoding.", "For example utf-8 or gb18030."
        ) from cause


def _read_gdal(
    path: Path, kind: Format, layer: str | None, encoding: str | None, issues: IssueLog
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Read one layer with the one driver its format has."""
    source = str(path)
    options: dict[str, Any] = {}
    if kind.driver == "GeoJSON":
        _refuse_remote_crs(path)
        source = f"GEOJSON:{path}"  # the prefix keeps GDAL's other JSON drivers off the file
    elif kind.driver == "ESRI Shapefile":
        shapefile.check_parts(path)
        options["encoding"] = shapefile.RAW
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        try:
            table = _load(source, path, kind, layer, options)
        except CitygeoError:
            raise
        except Exception as cause:  # a damaged .prj, for one, is an UnboundLocalError of pyogrio
            raise _damaged(path, kind, cause) from cause
    texts = list(dict.fromkeys(str(remark.message).strip() for remark in remarks))
    issues.add("CG-FILE-013", count=len(texts), sample=texts, path=path.name)
    return shapefile.decode(table, path, encoding, issues) if kind.driver == "ESRI Shapefile" else table


def _load(
    source: str, path: Path, kind: Format, layer: str | None, options: dict[str, Any]
) -> pd.DataFrame | gpd.GeoDataFrame:
    name = _choose_layer(source, path, kind, layer)
    found = pyogrio.read_info(source, layer=name, **options)
    if found["driver"] != kind.driver:
        raise _damaged(path, kind, f"it is {found['driver']}")
    table = pyogrio.read_dataframe(source, layer=name, force_2d=True, on_invalid="warn", **options)
    # a FlatGeobuf cut in its index reads as empty; its header still tells how many rows there were
    if kind.driver == "FlatGeobuf" and len(table) < found["features"]:
        raise _damaged(path, kind, f"it ends after {len(table)} of {found['features']} rows")
    return table


def _refuse_remote_crs(path: Path) -> None:
    """Raise if a GeoJSON takes its CRS from an address, which GDAL would fetch."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if any(not _CRS_BY_NAME.match(text, key.end()) for key in _CRS_KEY.finditer(text)):
            raise error("CG-SEC-003", path=path.name, target="its crs member is not a plain name")


def _choose_layer(source: str, path: Path, kind: Format, layer: str | None) -> str:
    """Return the layer asked for, or the only one with geometry, or the only one."""
    listed = pyogrio.list_layers(source)
    names = [str(name) for name, _ in listed]
    if not names:
        raise _damaged(path, kind, "no layer can be found in it")
    if layer is not None:
        if layer not in names:
            near = difflib.get_close_matches(layer, names, n=3) or names
            raise _misfit("layer", layer, f"{path.name} has no such layer.", f"It has: {', '.join(near)}.")
        return layer
    spatial = [str(name) for name, geometry_type in listed if geometry_type is not None]
    choice = spatial or names
    if len(choice) != 1:
        rule = f"{path.name} has {len(choice)} layers: {', '.join(choice)}."
        raise _misfit("layer", "None", rule, "Name the one to read.")
    return choice[0]


def _read_parquet(path: Path) -> pd.DataFrame | gpd.GeoDataFrame:
    need("pyarrow", extra="parquet", purpose=f"Reading {path.name}")
    from pyarrow import parquet

    try:
        if b"geo" not in (parquet.read_schema(path).metadata or {}):
            return pd.read_parquet(path)
        table = gpd.read_parquet(path)
    except Exception as cause:  # as above
        raise error("CG-FILE-007", path=path.name, expected="GeoParquet", cause=_sentence(cause)) from cause
    if table.has_z.any():
        table.geometry = gpd.GeoSeries(shapely.force_2d(table.geometry), index=table.index, crs=table.crs)
    return table


def _with_crs(layer: gpd.GeoDataFrame, crs: CRS | None) -> gpd.GeoDataFrame:
    if crs is None:
        return layer
    if layer.crs is None:
        return layer.set_crs(crs)
    if not layer.crs.equals(crs, ignore_axis_order=True):
        raise _misfit(
            "crs",
            crs.to_string(),
            f"The file states {layer.crs.to_string()}.",
            "Leave crs out, or use to_crs afterwards.",
        )
    return layer


def _misfit(argument: str, value: object, rule: str, hint: str) -> CitygeoError:
    return error("CG-IN-004", argument=argument, value=value, rule=rule, hint=hint)


def _damaged(path: Path, kind: Format, cause: object) -> CitygeoError:
    return error("CG-FILE-007", path=path.name, expected=kind.label, cause=_sentence(cause))


def _sentence(cause: object) -> str:
    """Return the first line of a library's complaint, without its full stop."""
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")[:200]
