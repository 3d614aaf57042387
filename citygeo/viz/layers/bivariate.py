"""Two numbers at once: hexagons (or other shapes) in nine colours, with a square legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.errors import error
from citygeo.viz.classes import Classes, quantile_breaks
from citygeo.viz.columns import bound, column_label, is_share, numbers
from citygeo.viz.layers.hexagons import NO_VALUE, drawn, each, families, is_cells, layer_name, ranges, styles
from citygeo.viz.layers.layer import Entry, Layer, Square
from citygeo.viz.text import Label, number

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

# From little of both: blue grows to the right, orange upwards, dark is much of both. Lightness falls along both, and
# no two are nearer than 24 (CIE L*a*b*) to normal, protan, deutan or tritan eyes: found by a search for that.
SQUARE = (
    ("#e2ddd1", "#90abc9", "#3b6692"),
    ("#e0a076", "#75705f", "#28207f"),
    ("#d5480f", "#6c2a10", "#140b14"),
)
SIZE = len(SQUARE)
UNEVEN = 0.25  # a class of 25 to 42 rows in 100 is still called about a third
HOLLOW = "#ffffff"  # no data: the usual grey is too near to little of both


class Thirds(NamedTuple):
    """Classes of one number, at most three: of each row (-1: no data), and what each is called."""

    class_of: NDArray[np.int64]
    labels: tuple[Label, ...]

    def are_even(self) -> bool:
        """Tell whether each of three classes holds about a third of the known rows: equal values stay together."""
        counts = np.bincount(self.class_of[self.class_of >= 0], minlength=len(self.labels))
        return len(counts) == SIZE and bool(
            (np.abs(counts * SIZE - counts.sum()) <= UNEVEN * counts.sum()).all()
        )


def thirds(column: str, values: NDArray[np.float64]) -> Thirds:
    """
    Return classes that hold about a third of the rows each, at round numbers; 0 is one alone where it is a third.

    Parameters
    ----------
    column
        What the numbers are called.
    values
        Numbers, NaN where missing; infinite ones are in the outermost class.

    Examples
    --------
    >>> thirds("jobs", np.array([0, 0, 0, 4.0, 7.0, 90.0, np.nan])).labels
    (Label(en='0', zh=''), Label(en='4', zh=''), Label(en='7 – 90', zh=''))
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Thirds(np.where(np.isnan(values), -1, 0), (Label("infinite", "无穷大"),))
    breaks = quantile_breaks(finite, SIZE)
    labels = ranges(breaks, finite)
    if is_share(column, values):
        labels = [
            Label(f"{bound(100 * low)} – {bound(100 * high)} %") for low, high in Classes(breaks, ()).ranges()
        ]
    return Thirds(Classes(breaks, ("",) * (len(breaks) - 1)).of(values), tuple(labels))


def spread(n: int) -> list[int]:
    """
    Return which rows or columns of the nine colours so many classes take.

    Examples
    --------
    >>> [spread(n) for n in (1, 2, 3)]
    [[2], [0, 2], [0, 1, 2]]
    """
    return {1: [2], 2: [0, 2]}.get(n, [0, 1, 2])


def bivariate(rows: gpd.GeoDataFrame, columns: tuple[str, str], key: str, log: IssueLog) -> list[Layer]:
    """
    Return a layer per family of geometry, coloured by two columns of numbers.

    Parameters
    ----------
    rows
        With a place each, in WGS 84.
    columns
        What grows to the right in the legend, and what upwards.
    key
        Of the layers.
    log
        Told (CG-MAP-001) if there are too many to tell apart.

    Raises
    ------
    InputError
        CG-IN-004 if a column holds words; CG-IN-005 if there is no such column.
    """
    across, up = (thirds(column, required(rows, column)) for column in columns)
    names = [column_label(rows, column) for column in columns]
    picked = [
        [SQUARE[row][column] for column in spread(len(across.labels))] for row in spread(len(up.labels))
    ]
    width = len(across.labels)
    colours = tuple(colour for row in picked for colour in row)
    is_known = (across.class_of >= 0) & (up.class_of >= 0)
    class_of = np.where(is_known, up.class_of * width + across.class_of, len(colours))
    label = Label(f"{names[0].en} × {names[1].en}", "×".join(one.zh for one in names if one.zh))
    layers = []
    for kind, is_kind in families(rows):
        counts = np.bincount(class_of[is_kind], minlength=len(colours) + 1)
        looks = styles(rows[is_kind], kind, (*colours, HOLLOW))
        sign = " ⬡" if is_cells(rows) else ""
        legend = (Entry(len(colours), NO_VALUE, f"{number(int(counts[-1]))}{sign}"),) if counts[-1] else ()
        layers.append(
            drawn(rows[is_kind], class_of[is_kind], kind, log).layer(
                key=f"{key}-{kind}", name=layer_name(rows, label, kind), styles=looks, legend=legend, unit=each(rows),
                square=_square(names, across, up, counts),
            )
        )  # fmt: skip
    return layers


def required(rows: gpd.GeoDataFrame, column: str) -> NDArray[np.float64]:
    """Return the numbers of a column; raise if it holds words."""
    values = numbers(rows, column)
    if values is None:
        rule, hint = "A map of two columns needs numbers in both.", f"It holds {rows[column].dtype}."
        raise error("CG-IN-004", argument="column", value=column, rule=rule, hint=hint)
    return values


def _square(names: list[Label], across: Thirds, up: Thirds, counts: NDArray[np.int64]) -> Square:
    width, height = len(across.labels), len(up.labels)
    from_top = [range(row * width, (row + 1) * width) for row in reversed(range(height))]
    return Square(
        x=names[0],
        y=names[1],
        columns=across.labels,
        rows=up.labels[::-1],
        styles=tuple(tuple(row) for row in from_top),
        notes=tuple(tuple(number(int(counts[at])) for at in row) for row in from_top),
    )
