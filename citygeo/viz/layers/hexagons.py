"""Any table with a column of numbers or words: hexagons, areas, lines and points coloured by it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import shapely

from citygeo import hexgrid
from citygeo.viz.classes import DISTINCT, NO_DATA, Classes, quantile_breaks, ramp, share_classes
from citygeo.viz.columns import bound, column_label, is_people, is_share, numbers
from citygeo.viz.layers.context import simplify
from citygeo.viz.layers.layer import Entry, Layer, Tips
from citygeo.viz.layers.plain import KINDS, tips
from citygeo.viz.text import REASONS, STATUSES, Label, number, people, value_text

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

MAX_WITH_TIPS = 20_000  # more are drawn together, class by class, without tooltips
MANY_AREAS = 2000  # such as buildings, of which lines would hide the colour
MANY = 6  # words that have a colour of their own
OTHER = "#9ca3af"
NOTHING = "#ebe3d3"  # 0, where it is a class alone
ENDLESS = "#374151"
NO_VALUE = Label("no data", "无数据")
_KINDS = {"areas": Label("areas", "(面)"), "lines": Label("lines", "(线)"), "points": Label("points", "(点)")}
_WORDS = REASONS | STATUSES
_TOGETHER = {
    shapely.GeometryType.POINT: shapely.multipoints,
    shapely.GeometryType.LINESTRING: shapely.multilinestrings,
    shapely.GeometryType.POLYGON: shapely.multipolygons,
}
LOOKS: dict[str, dict[str, Any]] = {
    "areas": {"color": "#4b5563", "weight": 0.5, "opacity": 0.3, "fillOpacity": 0.9},
    "lines": {"weight": 2.5, "opacity": 0.9},
    "points": {"color": "#ffffff", "radius": 5, "weight": 0.8, "opacity": 0.9, "fillOpacity": 0.9},
}


class Coloured(NamedTuple):
    """
    How rows are coloured.

    Attributes
    ----------
    class_of
        The class of each row.
    colours, labels
        Of each class.
    """

    class_of: NDArray[np.int64]
    colours: tuple[str, ...]
    labels: tuple[Label, ...]


def choropleth(rows: gpd.GeoDataFrame, column: str, key: str, log: IssueLog) -> list[Layer]:
    """
    Return a layer per family of geometry, coloured by a column.

    Parameters
    ----------
    rows
        With a place each, in WGS 84.
    column
        Numbers (in five classes; no data and infinite apart) or words.
    key
        Of the layers.
    log
        Told (CG-MAP-001) if there are too many to tell apart.

    Raises
    ------
    InputError
        CG-IN-005 if there is no such column.
    """
    values = numbers(rows, column)
    found = by_word(rows[column]) if values is None else by_number(column, values)
    label = column_label(rows, column)
    sums = values if is_people(column) else None
    layers = []
    for kind, is_kind in families(rows):
        legend = _legend(found, is_kind, None if sums is None else sums[is_kind], is_cells(rows))
        layers.append(
            drawn(rows[is_kind], found.class_of[is_kind], kind, log).layer(
                key=f"{key}-{kind}",
                name=layer_name(rows, label, kind),
                styles=styles(rows[is_kind], kind, found.colours),
                unit=each(rows),
                legend=legend,
            )
        )
    return layers


def layer_name(rows: gpd.GeoDataFrame, label: Label, kind: str) -> Label:
    """Return the name of the table, or else of what colours it; with the kind of shapes if there are several."""
    given = rows.attrs.get("name")
    name = label if given is None else Label(str(given), str(rows.attrs.get("name_zh", "")))
    if len(families(rows)) == 1:
        return name
    return Label(f"{name.en}: {_KINDS[kind].en}", f"{name.zh}{_KINDS[kind].zh}")


def is_cells(rows: gpd.GeoDataFrame) -> bool:
    """Tell whether the rows are hexagons."""
    return hexgrid.has_cell_index(rows)


def each(rows: gpd.GeoDataFrame) -> Label | None:
    """Return how large one hexagon is, for the heading of the legend."""
    if not is_cells(rows):
        return None
    one = hexgrid.from_strings(rows.index[[len(rows) // 2]])
    km2 = f"{float(hexgrid.cell_areas_m2(one)[0]) / 1e6:.2g} km²"
    return Label(f"⬡ a hexagon, about {km2}", f"六边形,约{km2}")


def by_number(column: str, values: NDArray[np.float64]) -> Coloured:
    """
    Return classes of numbers: shares in fifths, others by quantiles at round numbers; infinite and no data apart.

    Parameters
    ----------
    column
        What the numbers are called: people, shares and others have colours of their own.
    values
        Numbers, NaN where missing.
    """
    finite = np.isfinite(values)
    classes, labels = Classes((0.0, 1.0), ()), []
    if is_share(column, values):
        classes = share_classes()
        labels = [Label(f"{100 * low:g} – {100 * high:g} %") for low, high in classes.ranges()]
    elif finite.any():
        breaks = quantile_breaks(values[finite])
        labels = ranges(breaks, values[finite])
        has_zero = labels[0].en == "0" and len(labels) > 1
        shades = ramp("heat" if is_people(column) else "reach", len(labels) - has_zero)
        classes = Classes(breaks, (NOTHING, *shades) if has_zero else shades)
    class_of = np.where(finite, classes.of(np.where(finite, values, 0.0)), len(labels))
    endless = np.isinf(values)
    colours = [*classes.colours]
    if endless.any():
        colours.append(ENDLESS)
        labels.append(Label("infinite", "无穷大"))
    if np.isnan(values).any():
        class_of[np.isnan(values)] = len(labels)
        colours.append(NO_DATA)
        labels.append(NO_VALUE)
    return Coloured(class_of.astype(np.int64), tuple(colours), tuple(labels))


def ranges(breaks: tuple[float, ...], values: NDArray[np.float64]) -> list[Label]:
    """
    Return what each class of numbers is called.

    Parameters
    ----------
    breaks
        Bounds, from `quantile_breaks`.
    values
        The numbers: a class that holds just one of them is called by it. If all are whole, a class is called by the
        whole numbers it may hold, so that none is in two names.

    Examples
    --------
    >>> [str(label) for label in ranges((0.0, 1.0, 2.5, 9.0), np.array([0.0, 0.0, 1.0, 2.2, 7.0, 9.0]))]
    ['0', '1 – 2.5', '2.5 – 9']
    >>> [str(label) for label in ranges((1.0, 3.0, 4.0, 17.0), np.array([1.0, 2.0, 3.0, 4.0, 17.0]))]
    ['1 – 2', '3', '4 – 17']
    """
    labels = []
    class_of = Classes(breaks, ("",) * (len(breaks) - 1)).of(values)
    is_whole = bool((values % 1 == 0).all())
    for place, (low, high) in enumerate(pairwise(breaks)):
        own = np.unique(values[class_of == place])
        is_last = place == len(breaks) - 2
        top = float(np.ceil(high)) - 1 if is_whole and not is_last else high
        is_one = (own.size == 1 and own[0] == low) or low == top
        labels.append(Label(bound(low) if is_one else f"{bound(low)} – {bound(top)}"))
    return labels


def by_word(values: pd.Series[Any]) -> Coloured:
    """Return the words that occur most often in a colour each, the others in grey, no data apart."""
    known = values[values.notna()]
    words = known.value_counts().index[:MANY].tolist()
    place = {word: at for at, word in enumerate(words)}
    class_of = np.array([place.get(word, len(words)) for word in known], np.int64)
    colours, labels = (
        list(DISTINCT[: len(words)]),
        [_WORDS.get(word, Label(value_text(word))) for word in words],
    )
    if known.nunique() > len(words):
        colours.append(OTHER)
        labels.append(Label("other", "其他"))
    whole = np.full(len(values), len(labels), np.int64)
    whole[values.notna().to_numpy()] = class_of
    if len(known) < len(values):
        colours.append(NO_DATA)
        labels.append(NO_VALUE)
    return Coloured(whole, tuple(colours), tuple(labels))


def _legend(
    found: Coloured,
    is_kind: NDArray[np.bool_],
    sums: NDArray[np.float64] | None,
    has_cells: bool,  # noqa: FBT001
) -> tuple[Entry, ...]:
    class_of = found.class_of[is_kind]
    counts = np.bincount(class_of, minlength=len(found.labels))
    sign = " ⬡" if has_cells else ""
    notes = [f"{number(int(count))}{sign}" for count in counts]
    if sums is not None:
        totals = np.bincount(class_of, np.nan_to_num(sums, posinf=0.0), len(found.labels))
        notes = [f"{note} · {people(total)}" for note, total in zip(notes, totals, strict=True)]
    # where there are several kinds of shapes, each names the classes it has
    is_said = (counts > 0) | is_kind.all()
    return tuple(
        Entry(place, label, notes[place]) for place, label in enumerate(found.labels) if is_said[place]
    )


def styles(rows: gpd.GeoDataFrame, kind: str, colours: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """Return the look of each colour on shapes of a kind; very many areas have no lines of another colour."""
    look = LOOKS[kind]
    if kind == "areas" and len(rows) > MANY_AREAS and not is_cells(rows):
        return tuple(look | {"color": colour, "opacity": 0.9, "fillColor": colour} for colour in colours)
    return tuple(
        (look | {"fillColor": colour}) if "color" in look else (look | {"color": colour})
        for colour in colours
    )


def families(rows: gpd.GeoDataFrame) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return the kinds of shapes there are, in drawing order, and which rows are of each."""
    kinds = rows.geom_type.map(KINDS).to_numpy()
    return [(kind, kinds == kind) for kind in LOOKS if (kinds == kind).any()]


class Drawn(NamedTuple):
    """Shapes with their class and tooltips, one a row or one a class."""

    kind: str
    shapes: NDArray[np.object_]
    style_of: NDArray[np.int64]
    tips: Tips | None

    def layer(self, **rest: Any) -> Layer:
        """Return the layer, with the rest of what it needs."""
        return Layer(kind=self.kind, shapes=self.shapes, style_of=self.style_of, tips=self.tips, **rest)


def drawn(rows: gpd.GeoDataFrame, class_of: NDArray[np.int64], kind: str, log: IssueLog) -> Drawn:
    """
    Return the shapes of rows; of very many all of one class together, without tooltips.

    Parameters
    ----------
    rows
        Of one kind of geometry, in WGS 84.
    class_of
        The class of each.
    kind
        ``areas``, ``lines`` or ``points``.
    log
        Told (CG-MAP-001) if shapes were simplified or joined.
    """
    shapes = rows.geometry.to_numpy()
    if kind != "points" and not is_cells(rows):
        shapes, tolerance_m = simplify(shapes)
        log.add("CG-MAP-001", count=len(shapes), layer=f"(to {tolerance_m:g} m)")
    if len(rows) <= MAX_WITH_TIPS:
        return Drawn(kind, np.asarray(shapes, object), class_of, tips(rows))
    log.add("CG-MAP-001", count=len(rows), layer="Hexagons 六边形" if is_cells(rows) else "Shapes 图形")
    present = np.unique(class_of)
    joined = [_collected(shapes[class_of == place]) for place in present]
    return Drawn(kind, np.array(joined, object), present, None)


def _collected(shapes: NDArray[np.object_]) -> shapely.Geometry:
    parts = shapely.get_parts(shapes)
    kind = shapely.GeometryType(int(shapely.get_type_id(parts[0])))
    make: Any = _TOGETHER.get(kind, shapely.geometrycollections)
    return cast("shapely.Geometry", make(parts))
