"""What the columns of any table are called, and what kind of numbers they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from citygeo.errors import error
from citygeo.viz.text import MEASURES, MISSING, SERVICES, Label

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_COLUMNS = {
    "uncovered": Label("People not covered", "未覆盖人口"),
    "covered": Label("People covered", "已覆盖人口"),
    "share": Label("Share", "比例"),
    "score": Label("Score", "得分"),
    "minutes": Label("Minutes", "分钟"),
    "time_s": Label("Seconds of travel", "出行时间(秒)"),
    "n_services": Label("Services in reach", "可达服务数"),
    "access": Label("Access", "可达性"),
    "opportunities": Label("Opportunities", "可达机会"),
    "jobs": Label("Jobs", "就业岗位"),
    "status": Label("Status", "状态"),
}
_PARTS = {"share": Label("share", "比例"), "covered": Label("covered", "(已覆盖)")}
_PEOPLE = {"population", "covered", "uncovered", "people", "unserved", "served"}


def column_label(rows: gpd.GeoDataFrame, column: str) -> Label:
    """
    Return what a column is called: by ``attrs["labels"]`` of the table, a word that citygeo uses, or its name.

    Parameters
    ----------
    rows
        The table.
    column
        One of its columns.
    """
    given = rows.attrs.get("labels", {}).get(column)
    if given is not None:
        return Label(*((str(given),) if isinstance(given, str) else map(str, given)))
    words = MEASURES | SERVICES | _COLUMNS
    if column in words:
        return words[column]
    base, _, part = column.rpartition("_")
    if base in words and part in _PARTS:
        return Label(f"{words[base].en}: {_PARTS[part].en}", f"{words[base].zh}{_PARTS[part].zh}")
    return Label(column)


def is_people(column: str) -> bool:
    """Tell whether a column counts people, so that it can be added up."""
    return column in _PEOPLE


def is_share(column: str, values: NDArray[np.float64]) -> bool:
    """Tell whether a column is a share of something: by its name, and from 0 to 1."""
    known = values[~np.isnan(values)]
    return column.endswith("share") and bool(((known >= 0) & (known <= 1)).all())


def numbers(rows: gpd.GeoDataFrame, column: str) -> NDArray[np.float64] | None:
    """Return the numbers of a column, NaN where missing; `None` if it holds words."""
    if column not in rows:
        columns = ", ".join(str(name) for name in rows.columns if name != rows.geometry.name) or "none"
        raise error("CG-IN-005", layer="the table to draw", column=column, columns=columns)
    values = rows[column]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return None
    return np.asarray(values.to_numpy(np.float64, na_value=np.nan))


def bound(value: float) -> str:
    """
    Return a bound as text, with as many digits as it has, three at most of what no one rounded.

    Examples
    --------
    >>> bound(1500.0), bound(0.25), bound(0.057894517), bound(240.287)
    ('1,500', '0.25', '0.0579', '240')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{float(f'{value:.3g}'):,.10g}"


def middle(values: NDArray[np.float64]) -> str:
    """Return the median of what is known as text."""
    known = values[~np.isnan(values)]
    return bound(float(np.median(known))) if known.size and np.isfinite(np.median(known)) else MISSING
