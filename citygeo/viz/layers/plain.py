"""Any GeoDataFrame, as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.viz.classes import SINGLES
from citygeo.viz.columns import column_label
from citygeo.viz.layers.context import simplify
from citygeo.viz.layers.layer import Entry, Layer, Tips, one_style, placed
from citygeo.viz.text import Label, number, value_text

if TYPE_CHECKING:
    import geopandas as gpd

    from citygeo.issues import IssueLog

MAX_FIELDS = 6
MAX_WITH_TIPS = 20_000  # above, tooltips alone would make the page too big
KINDS = {
    "Point": "points", "MultiPoint": "points",
    "LineString": "lines", "MultiLineString": "lines", "LinearRing": "lines",
    "Polygon": "areas", "MultiPolygon": "areas", "GeometryCollection": "areas",
}  # fmt: skip
# in drawing order
_SIZES: dict[str, dict[str, Any]] = {
    "areas": {"weight": 1.2, "opacity": 0.9, "fillOpacity": 0.25},
    "lines": {"weight": 2, "opacity": 0.9},
    "points": {"radius": 4.5, "weight": 1, "fillOpacity": 0.85},
}


def plain(gdf: gpd.GeoDataFrame, number_: int, log: IssueLog) -> list[Layer]:
    """
    Return a layer per family of geometry (areas, lines, points).

    Parameters
    ----------
    gdf
        Any rows with a CRS. ``attrs["name"]`` and ``attrs["name_zh"]`` name the layer.
    number_
        Which of the page's plain layers it is, from 0: its key, its colour, its name if it has none.
    log
        Told (CG-MAP-001) if lines or tooltips had to be left out.
    """
    name = Label(
        str(gdf.attrs.get("name", f"Layer {number_ + 1}")),
        str(gdf.attrs.get("name_zh", f"图层{number_ + 1}")),
    )
    rows = placed(gdf, name.en)
    kinds = rows.geom_type.map(KINDS)
    return [_layer(rows[kinds == kind], kind, name, number_, log) for kind in _SIZES if (kinds == kind).any()]


def _layer(rows: gpd.GeoDataFrame, kind: str, name: Label, number_: int, log: IssueLog) -> Layer:
    shapes = rows.geometry.to_numpy()
    colour = SINGLES[number_ % len(SINGLES)]
    if kind != "points":
        shapes, tolerance_m = simplify(shapes)
        log.add("CG-MAP-001", count=len(shapes), layer=f"{name} (to {tolerance_m:g} m)")
    has_tips = len(rows) <= MAX_WITH_TIPS
    return Layer(
        key=f"plain-{number_}-{kind}",
        name=name,
        kind=kind,
        shapes=np.asarray(shapes, object),
        styles=(_SIZES[kind] | {"color": colour, "fillColor": colour},),
        style_of=one_style(rows),
        legend=(Entry(0, name, number(len(rows))),),
        tips=tips(rows) if has_tips else None,
    )


def tips(rows: gpd.GeoDataFrame) -> Tips:
    """Return tooltips of the first columns; a column ``name`` is the heading, or else the row's label is."""
    columns = [column for column in rows.columns if column != rows.geometry.name]
    heading = next((column for column in columns if str(column).lower() == "name"), None)
    fields = [column for column in columns if column != heading][:MAX_FIELDS]
    heads = rows.index if heading is None else rows[heading]
    values = [[value_text(value) for value in rows[field]] for field in fields]
    texts = [[value_text(head), *rest] for head, *rest in zip(heads, *values, strict=True)]
    return Tips(tuple(column_label(rows, str(field)) for field in fields), texts)
