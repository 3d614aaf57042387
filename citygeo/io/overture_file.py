"""Open an Overture segment file: check its columns, read the rows that may be needed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from citygeo._optional import need
from citygeo.errors import CitygeoError, error
from citygeo.io.crop import Region, outside
from citygeo.io.formats import identify
from citygeo.io.overture_tags import RULE_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

REQUIRED = ("id", "geometry", "subtype", "class", "connectors")
TURNS = "prohibited_transitions"
OPTIONAL = ("subclass", "names", TURNS, *RULE_COLUMNS)
READ = ("road", "water")
# what the entries of a list must have to be read
FIELDS = {
    "connectors": ("connector_id", "at"),
    "access_restrictions": ("access_type",),
    "speed_limits": ("max_speed",),
    "road_flags": ("values",),
    "level_rules": ("value",),
    "subclass_rules": ("value",),
    "road_surface": ("value",),
    TURNS: ("sequence", "final_heading"),
}
BOX = ("xmin", "xmax", "ymin", "ymax")


class Table(NamedTuple):
    """
    Segments, ordered by their ids: nothing depends on the order of the file.

    Attributes
    ----------
    row
        Where each stands in the file, `(s,)`.
    shapes
        `(s,)`.
    columns
        All other columns, `None` throughout where the file has none.
    """

    row: NDArray[np.int64]
    shapes: NDArray[np.object_]
    columns: dict[str, list[Any]]

    def where(self, is_kept: NDArray[np.bool_]) -> Table:
        """Return some of the rows."""
        kept = np.flatnonzero(is_kept).tolist()
        columns = {name: [values[i] for i in kept] for name, values in self.columns.items()}
        return Table(self.row[is_kept], self.shapes[is_kept], columns)


def read_table(path: Path, region: Region | None, issues: IssueLog) -> Table:
    """
    Read the roads and ferries of a file.

    Parameters
    ----------
    path
        GeoParquet.
    region
        Read only rows whose box meets its box, if the file has a column ``bbox``.
    issues
        Takes CG-OVER-010 (other subtypes) and CG-OVER-011 (ferries).

    Raises
    ------
    MissingExtraError
        CG-DEP-001.
    FileError, FileFormatError
        CG-FILE-001, CG-FILE-002, CG-FILE-007, CG-OVER-001, CG-OVER-002, CG-OVER-003.
    """
    if (kind := identify(path)).driver != "Parquet":
        raise error("CG-OVER-001", path=path.name, missing="a Parquet table", present=kind.label)
    parquet = need("pyarrow.parquet", extra="parquet", purpose="Reading Overture segments")
    try:
        with parquet.ParquetFile(path) as file:
            _require_schema(file.schema_arrow, path)
            is_wanted = _wanted(file, path, region, issues)
            return _rows(file, is_wanted)
    except CitygeoError:
        raise
    except Exception as cause:  # pyarrow and GEOS have an error for each kind of damage
        sentence = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")[:200]
        raise error("CG-FILE-007", path=path.name, expected="GeoParquet", cause=sentence) from cause


def _require_schema(schema: Any, path: Path) -> None:
    """Raise unless the columns are there and hold what schema 1 says."""
    import pyarrow.types as kinds

    missing = [name for name in REQUIRED if name not in schema.names]
    if missing:
        present = ", ".join(schema.names[:12]) or "none"
        raise error("CG-OVER-001", path=path.name, missing=", ".join(missing), present=present)
    for name, fields in FIELDS.items():
        # a column without any value may have lost its type
        if name in schema.names and not kinds.is_null(schema.field(name).type):
            kind = schema.field(name).type
            is_list = kinds.is_list(kind) or kinds.is_large_list(kind)
            held = (
                [field.name for field in kind.value_type]
                if is_list and kinds.is_struct(kind.value_type)
                else []
            )
            if not set(fields) <= set(held):
                expected = f"a list of {{{', '.join(fields)}}}"
                raise error(
                    "CG-OVER-002", path=path.name, column=name, found=str(kind)[:80], expected=expected
                )
    kind = schema.field("geometry").type
    if not (kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_binary_view(kind)):
        raise error("CG-OVER-002", path=path.name, column="geometry", found=str(kind)[:80], expected="WKB")


def _wanted(file: Any, path: Path, region: Region | None, issues: IssueLog) -> NDArray[np.bool_]:
    """Choose rows by subtype and box, from these columns alone."""
    subtype = file.read(columns=["subtype"]).column("subtype").to_pylist()
    is_wanted = np.array([kind in READ for kind in subtype], np.bool_)
    if not is_wanted.any():
        raise error("CG-OVER-003", path=path.name, count=len(subtype))
    other = Counter(str(kind) for kind in subtype if kind not in READ)
    sample = [f"{kind} {many}" for kind, many in other.most_common()]
    issues.add("CG-OVER-010", count=other.total(), sample=sample, path=path.name)
    issues.add("CG-OVER-011", count=subtype.count("water"), path=path.name)
    if region is not None and "bbox" in file.schema_arrow.names:
        is_wanted &= _is_near(file, path, region, is_wanted)
    return is_wanted


def _is_near(file: Any, path: Path, region: Region, is_wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which rows have a box that meets the region's; rows without a box may."""
    box = file.read(columns=[f"bbox.{side}" for side in BOX]).column("bbox").combine_chunks()
    xmin, xmax, ymin, ymax = (box.field(side).to_numpy(zero_copy_only=False) for side in BOX)
    west, south, east, north = region.bounds
    is_near: NDArray[np.bool_] = ~((xmin > east) | (xmax < west) | (ymin > north) | (ymax < south))
    if not (is_near & is_wanted).any():
        least_x, least_y = (float(np.nanmin(side[is_wanted])) for side in (xmin, ymin))
        most_x, most_y = (float(np.nanmax(side[is_wanted])) for side in (xmax, ymax))
        raise outside(path.name, region, Region((least_x, least_y, most_x, most_y)))
    return is_near


def _rows(file: Any, is_wanted: NDArray[np.bool_]) -> Table:
    """Read the wanted rows, a row group at a time."""
    import pyarrow as pa

    present = [name for name in (*REQUIRED, *OPTIONAL) if name in file.schema_arrow.names]
    groups, start = [file.schema_arrow.empty_table().select(present)], 0
    for number in range(file.num_row_groups):
        stop = start + file.metadata.row_group(number).num_rows
        rows = np.flatnonzero(is_wanted[start:stop])
        if rows.size:
            groups.append(file.read_row_group(number, columns=present).select(present).take(rows))
        start = stop
    table = pa.concat_tables(groups)
    ids = np.array(table.column("id").to_pylist(), object).astype(str)
    order = np.argsort(ids, kind="stable")
    table = table.take(order)
    shapes = shapely.from_wkb(np.array(table.column("geometry").to_pylist(), object))
    columns = {
        name: table.column(name).to_pylist() if name in present else [None] * len(order)
        for name in (*REQUIRED, *OPTIONAL)
        if name != "geometry"
    }
    return Table(np.flatnonzero(is_wanted)[order], shapes, columns)
