"""Overture segment files with the nested columns of a release (schema 1), drawn in metres on the equator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from tests.toy import EQUATOR_M_PER_DEGREE, MERIDIAN_M_PER_DEGREE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TEXTS = pa.list_(pa.string())
BETWEEN = pa.list_(pa.float64())
VEHICLE = pa.struct(
    {"dimension": pa.string(), "comparison": pa.string(), "value": pa.float64(), "unit": pa.string()}
)
WHEN = pa.struct(
    {
        "during": pa.string(),
        "heading": pa.string(),
        "using": TEXTS,
        "recognized": TEXTS,
        "mode": TEXTS,
        "vehicle": pa.list_(VEHICLE),
    }
)
SPEED = pa.struct({"value": pa.int32(), "unit": pa.string()})
STEP = pa.struct({"connector_id": pa.string(), "segment_id": pa.string()})


def rules(**fields: pa.DataType) -> pa.DataType:
    return pa.list_(pa.struct({**fields, "between": BETWEEN}))


SCHEMA = {
    "id": pa.string(),
    "geometry": pa.binary(),
    "bbox": pa.struct(dict.fromkeys(("xmin", "xmax", "ymin", "ymax"), pa.float32())),
    "subtype": pa.string(),
    "class": pa.string(),
    "subclass": pa.string(),
    "names": pa.struct({"primary": pa.string(), "common": pa.map_(pa.string(), pa.string())}),
    "connectors": pa.list_(pa.struct({"connector_id": pa.string(), "at": pa.float64()})),
    "access_restrictions": rules(access_type=pa.string(), when=WHEN),
    "speed_limits": rules(min_speed=SPEED, max_speed=SPEED, is_max_speed_variable=pa.bool_(), when=WHEN),
    "road_flags": rules(values=TEXTS),
    "level_rules": rules(value=pa.int32()),
    "subclass_rules": rules(value=pa.string()),
    "road_surface": rules(value=pa.string()),
    "prohibited_transitions": pa.list_(
        pa.struct(
            {"sequence": pa.list_(STEP), "final_heading": pa.string(), "when": WHEN, "between": BETWEEN}
        )
    ),
}
GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["LineString"]}},
}


def degrees(x_m: float, y_m: float) -> tuple[float, float]:
    return x_m / EQUATOR_M_PER_DEGREE, y_m / MERIDIAN_M_PER_DEGREE


def segment(
    name: str, line: str | shapely.Geometry | None, connectors: dict[str, float] | None, **columns: Any
) -> dict[str, Any]:
    """A row; the line as ``"0 0, 100 0"`` in metres, connectors as id -> share of the length."""
    shape = line
    if isinstance(line, str):
        drawn = shapely.from_wkt(f"LINESTRING ({line})")
        shape = shapely.LineString([degrees(*place) for place in drawn.coords])
    listed = (
        None if connectors is None else [{"connector_id": key, "at": at} for key, at in connectors.items()]
    )
    row = {"id": name, "subtype": "road", "class": "residential", "connectors": listed, **columns}
    if shape is not None:
        xmin, ymin, xmax, ymax = shape.bounds
        row["bbox"] = {"xmin": xmin - 1e-6, "xmax": xmax + 1e-6, "ymin": ymin - 1e-6, "ymax": ymax + 1e-6}
        row["geometry"] = shapely.to_wkb(shape)
    return row


def table(rows: Sequence[dict[str, Any]], *, drop: Sequence[str] = ()) -> pa.Table:
    schema = pa.schema(
        [(name, kind) for name, kind in SCHEMA.items() if name not in drop], metadata={"geo": json.dumps(GEO)}
    )
    return pa.Table.from_pylist(list(rows), schema=schema)


def write(path: Path, rows: Sequence[dict[str, Any]], *, drop: Sequence[str] = (), group: int = 2) -> Path:
    """A GeoParquet file with small row groups."""
    pq.write_table(table(rows, drop=drop), path, row_group_size=group)
    return path
