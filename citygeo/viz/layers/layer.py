"""What a map layer is: shapes, how they look, what the legend and the tooltip say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from citygeo import datum
from citygeo.viz.packed import pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.viz.text import Label


class Entry(NamedTuple):
    """One line of a legend: which style, what it means, and how much of it there is."""

    style: int
    label: Label
    note: str = ""


class Tips(NamedTuple):
    """What tooltips say: a heading and one text per field for each feature."""

    fields: tuple[Label, ...]
    rows: list[list[str]]


class Square(NamedTuple):
    """
    A legend of two numbers at once: a table of colours.

    Attributes
    ----------
    x, y
        What grows to the right and upwards.
    columns, rows
        Classes of both, from left to right and from the top down.
    styles, notes
        The style of each field and how much of it there is, row by row from the top.
    """

    x: Label
    y: Label
    columns: tuple[Label, ...]
    rows: tuple[Label, ...]
    styles: tuple[tuple[int, ...], ...]
    notes: tuple[tuple[str, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the legend as the page's script reads it."""
        return {
            "x": self.x._asdict(),
            "y": self.y._asdict(),
            "columns": [label._asdict() for label in self.columns],
            "rows": [label._asdict() for label in self.rows],
            "styles": self.styles,
            "notes": self.notes,
        }


class Stop(NamedTuple):
    """One stop of the time slider: how many minutes, and what is reached by then, if that is known."""

    minutes: float
    note: str = ""


@dataclass(frozen=True)
class Layer:
    """
    A map layer, ready to be drawn.

    Attributes
    ----------
    key
        Unique name for the page, ASCII.
    name
        What the layer control calls it.
    kind
        ``areas``, ``outlines`` (of areas), ``lines``, ``points``, ``sites`` (markers with a symbol) or ``labels``.
    shapes
        Non-empty geometry in WGS 84, in drawing order.
    styles
        Leaflet path options; ``grow`` makes the width follow the zoom; ``symbol`` names a marker's symbol.
    style_of
        The style of each shape.
    unit
        Heading of the legend: what is counted, in which unit.
    legend
        Lines of the legend.
    square
        A legend of two numbers at once, above these lines.
    tips
        Tooltips; a layer without them lets the pointer through.
    texts
        Texts of ``labels``.
    is_shown
        Whether it is on at start.
    since
        From which minute on the slider each shape is shown.
    stops
        Where the slider stops, ascending; the last shows all.
    """

    key: str
    name: Label
    kind: str
    shapes: NDArray[np.object_]
    styles: tuple[dict[str, Any], ...]
    style_of: NDArray[np.int64]
    unit: Label | None = None
    legend: tuple[Entry, ...] = ()
    square: Square | None = None
    tips: Tips | None = None
    texts: list[str] | None = None
    is_shown: bool = True
    since: NDArray[np.float64] | None = None
    stops: tuple[Stop, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the layer as the page's script reads it."""
        packed = pack(self.shapes)
        return {
            "key": self.key,
            "name": self.name._asdict(),
            "kind": self.kind,
            "shown": self.is_shown,
            "counts": packed.counts,
            "steps": packed.steps,
            "styles": list(self.styles),
            "styleOf": self.style_of.tolist(),
            "unit": self.unit._asdict() if self.unit else None,
            "legend": [
                {"style": entry.style, "label": entry.label._asdict(), "note": entry.note}
                for entry in self.legend
            ],
            "square": self.square.to_json() if self.square else None,
            "fields": [label._asdict() for label in self.tips.fields] if self.tips else None,
            "rows": self.tips.rows if self.tips else None,
            "texts": self.texts,
            "since": None if self.since is None else self.since.tolist(),
            "stops": [stop._asdict() for stop in self.stops],
        }

    def bounds(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north in degrees; NaN if there is no shape."""
        if not len(self.shapes):  # shapely has no bounds of nothing
            return math.nan, math.nan, math.nan, math.nan
        west, south, east, north = shapely.total_bounds(self.shapes)
        return float(west), float(south), float(east), float(north)


def placed(layer: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """
    Return the rows that have a place, in WGS 84.

    Raises
    ------
    CRSError
        CG-CRS-001 if `layer` has no CRS.
    """
    datum.require_crs(layer, name)
    has_place = ~(layer.geometry.isna() | layer.geometry.is_empty)
    return layer[has_place].to_crs(datum.WGS84)


def one_style(shapes: Sequence[Any] | NDArray[np.object_]) -> NDArray[np.int64]:
    """Return style 0 for each shape."""
    return np.zeros(len(shapes), np.int64)
