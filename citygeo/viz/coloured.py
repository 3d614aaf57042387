"""Maps of any table, coloured by one of its columns or by two: layers and title panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo import hexgrid
from citygeo.errors import error
from citygeo.viz.columns import column_label, is_people, is_share, middle, numbers
from citygeo.viz.layers.bivariate import Thirds, bivariate, required, thirds
from citygeo.viz.layers.hexagons import choropleth, is_cells
from citygeo.viz.layers.layer import Layer, placed
from citygeo.viz.panel import Panel
from citygeo.viz.results import is_plain
from citygeo.viz.text import MISSING, Label, number, people, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from citygeo.issues import IssueLog

Column = str | tuple[str, str]
Measure = tuple[Label, str, str, float | None]


def coloured(
    table: gpd.GeoDataFrame, column: Column, number_: int, log: IssueLog
) -> tuple[list[Layer], Panel]:
    """
    Return layers and panel of a table.

    Parameters
    ----------
    table
        Any rows with a CRS.
    column
        What colours them: a column, or two (the first grows to the right in the legend, the second upwards).
    number_
        How many plain layers came before.
    log
        Told what was simplified.

    Raises
    ------
    InputError
        CG-IN-004 if there are two columns of which one holds words; CG-IN-005 if there is no such column.
    """
    columns = _columns(column)
    rows = placed(table, str(table.attrs.get("name", "the table to draw")))
    # what colours comes first in tooltips
    for name in columns:
        numbers(rows, name)
    others = [name for name in rows.columns if name not in columns]
    rows, key = rows[[*dict.fromkeys(columns), *others]], f"plain-{number_}"
    if len(columns) == 1:
        return choropleth(rows, columns[0], key, log), _panel(rows, columns[0])
    pair = (columns[0], columns[1])
    return bivariate(rows, pair, key, log), _panel_of_two(rows, pair)


def as_layer(result: Any) -> Any:
    """Return a plain table of hexagons with their outlines; anything else as it is."""
    is_table = isinstance(result, pd.DataFrame | pd.Series) and not isinstance(result, gpd.GeoDataFrame)
    return hexgrid.to_frame(result) if is_table else result


def _columns(column: Column) -> tuple[str, ...]:
    return (column,) if isinstance(column, str) else tuple(column)


def has_column(table: gpd.GeoDataFrame, column: Column) -> bool:
    """Tell whether a table has a column that is to colour it, or one of the two."""
    return any(name in table.columns for name in _columns(column))


def require_column(results: Sequence[Any], column: Column) -> None:
    """
    Raise unless some table has the column.

    Raises
    ------
    InputError
        CG-IN-004 if there are not one or two columns; CG-IN-005 if no table has one of them.
    """
    columns = _columns(column)
    if len(columns) not in {1, 2}:
        rule, hint = "One column, or two.", 'column="population" or column=("access", "population").'
        raise error("CG-IN-004", argument="column", value=columns, rule=rule, hint=hint)
    tables = [result for result in results if is_plain(result)]
    if not any(has_column(table, column) for table in tables):
        have = ", ".join(str(name) for table in tables for name in table.columns) or "none"
        raise error("CG-IN-005", layer="the table to draw", column=columns[0], columns=have)


def bounds_of(layers: list[Layer]) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of layers, which the map shows first; `None` if there are none."""
    west, south, east, north = np.array([layer.bounds() for layer in layers]).reshape(-1, 4).T
    return (float(west.min()), float(south.min()), float(east.max()), float(north.max())) if layers else None


def _title(rows: gpd.GeoDataFrame, label: Label) -> Label:
    name = rows.attrs.get("name")
    if name is None:
        return label
    return Label(f"{name}: {label.en}", f"{rows.attrs.get('name_zh', '')}{label.zh}")


def _panel(rows: gpd.GeoDataFrame, column: str) -> Panel:
    label, values = column_label(rows, column), numbers(rows, column)
    count = (_rows(rows), number(len(rows)), "", None)
    if values is None:
        known = rows[column].notna()
        words = (Label("Different values", "不同取值"), number(rows[column].nunique()), "", None)
        return Panel(_title(rows, label), measures=(count, words, *_missing(~known.to_numpy())))
    finite = values[np.isfinite(values)]
    figure, caption, share = middle(values), Label("is the median", "为中位数"), None
    if is_people(column):
        figure, caption = people(np.nansum(finite)), Label("in all", "合计")
    elif is_share(column, values) and finite.size:
        share = float(np.median(finite))
        figure = percent(share)
    return Panel(
        _title(rows, label),
        figure=figure,
        caption=caption,
        share=share,
        measures=(count, *_spread_of(finite, is_percent=share is not None), *_missing(np.isnan(values))),
        notes=_estimate(rows),
    )


def _rows(rows: gpd.GeoDataFrame) -> Label:
    return Label("Hexagons", "六边形格网") if is_cells(rows) else Label("Rows", "要素数")


def _spread_of(finite: np.ndarray, *, is_percent: bool) -> tuple[Measure, ...]:
    if not finite.size:
        return ()
    said = percent if is_percent else (lambda value: middle(np.array([value])))
    ends = (
        (Label("Smallest", "最小值"), finite.min()),
        (Label("Median", "中位数"), np.median(finite)),
        (Label("Greatest", "最大值"), finite.max()),
    )
    return tuple((label, said(float(value)), "", None) for label, value in ends)


def _missing(is_missing: np.ndarray) -> tuple[Measure, ...]:
    count = int(is_missing.sum())
    return ((Label("No data", "无数据"), number(count), "", None),) if count else ()


def _estimate(rows: gpd.GeoDataFrame) -> tuple[Label, ...]:
    if not rows.attrs.get("estimate"):
        return ()
    return (Label("Where people live is an estimate, not a count.", "人口分布为估计值，并非实测。"),)


def _panel_of_two(rows: gpd.GeoDataFrame, columns: tuple[str, str]) -> Panel:
    x, y = (column_label(rows, column) for column in columns)
    values = [required(rows, column) for column in columns]
    across, up = (thirds(column, found) for column, found in zip(columns, values, strict=True))
    is_corner = (across.class_of == 0) & (up.class_of == len(up.labels) - 1)
    measures = [(_rows(rows), number(len(rows)), "", None)]
    measures += [
        (Label(f"{name.en}, median", f"{name.zh}中位数" if name.zh else ""), middle(found), "", None)
        for name, found in zip((x, y), values, strict=True)
    ]
    figure = number(int(is_corner.sum()))
    noun = Label("hexagons", "个格网") if is_cells(rows) else Label("rows", "个要素")
    if is_people(columns[1]):
        total, found = float(np.nansum(values[1])), float(np.nansum(values[1][is_corner]))
        figure = people(found)
        noun = Label(f"people ({percent(found / total)})" if total > 0 else "people", "人")
    caption = Label(
        f"{noun.en} in orange: “{y.en}” high, “{x.en}” low",
        f"{noun.zh}(橙色):“{y.zh or y.en}”高而“{x.zh or x.en}”低",
    )
    is_missing = np.isnan(values[0]) | np.isnan(values[1])
    return Panel(
        _title(rows, Label(f"{x.en} × {y.en}", "×".join(name.zh for name in (x, y) if name.zh))),
        figure=figure if len(rows) else MISSING,
        caption=caption,
        measures=(*measures, *_missing(is_missing)),
        notes=(
            _legend_note(across, up),
            *_estimate(rows),
        ),
    )


def _legend_note(across: Thirds, up: Thirds) -> Label:
    """Say what the colours mean, and how the classes are cut, as far as it is true of these."""
    cut = Label(
        "each has classes of about as many rows as its values allow", "每项按数值分级,各级数量尽量相近"
    )
    if across.are_even() and up.are_even():
        cut = Label("each class of either holds about a third", "每项各分三级,约各占三分之一")
    return Label(
        f"Dark is much of both, pale is little of both; {cut.en}.",
        f"深色为两者皆高,浅色为两者皆低;{cut.zh}。",
    )
