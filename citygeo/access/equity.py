"""How evenly something is shared out among people: Lorenz curve, Gini, Palma, and who falls short of a standard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from citygeo import demand, provenance
from citygeo.demand.people import bad_rows
from citygeo.errors import error
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

BOTTOM, TOP = 0.4, 0.9  # the Palma ratio sets those above TOP against those below BOTTOM


@dataclass(frozen=True, repr=False)
class Equity:
    """
    How evenly a value is shared out among people.

    Attributes
    ----------
    table
        One row per group of people: ``people``; ``unknown`` (people whose value is missing, in nothing below),
        ``unreachable`` (people whose value is infinite), ``mean``, ``median``, ``share_below`` (of people below the
        standard, 0 to 1; NaN without one), ``gini``, ``palma``.
    lorenz
        The corners of each group's Lorenz curve: ``group``, ``people_share`` and ``value_share``, from (0, 0) to
        (1, 1), those with least first.
    value
        The column looked at.
    standard
        What was asked of it, `None` if nothing.
    log
        Findings; `issues` is the same as a table.
    provenance
        Inputs with sha256, parameters, versions.
    """

    table: pd.DataFrame
    lorenz: pd.DataFrame
    value: str
    standard: float | None
    log: IssueLog
    provenance: dict[str, Any]

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | tuple[str, str] | None = None,
        dpi: int = 200,
    ) -> Axes:
        """Draw the Lorenz curves; see `citygeo.viz.charts.plot_lorenz`."""
        from citygeo.viz import charts

        return charts.plot_lorenz(self, path, title=title, dpi=dpi)

    def __repr__(self) -> str:
        first = self.table.iloc[0]
        below = "" if self.standard is None else f", {first.share_below:.1%} below {self.standard:g}"
        return (
            f"<Equity of {self.value}: Gini {first.gini:.3f}, Palma {first.palma:.2f}{below}, "
            f"{first.people:,.0f} people, {len(self.table)} groups>"
        )


class _Sharing(NamedTuple):
    """Different values ascending, and the people of each in millionths of a person."""

    value: NDArray[np.float64]
    micro: NDArray[np.int64]


def equity(
    table: pd.DataFrame,
    value: str,
    *,
    weight: str = "population",
    groups: str | Sequence[str] = (),
    standard: float | None = None,
) -> Equity:
    """
    Measure how evenly a value is shared out among people.

    Every person of a row has the row's value; rows of no people do not count.

    Parameters
    ----------
    table
        Places with their people: cells, zones, or rows of `accessibility` of one bound.
    value
        The column looked at, 0 or more: opportunities in reach, places a child, or minutes. Missing values are not
        known, infinite ones are minutes of who gets nowhere.
    weight
        The column with the number of people.
    groups
        Further columns with numbers of people, such as ages, each of which is measured for itself; the name of one, or
        several.
    standard
        What everybody should have; those with less are counted.

    Returns
    -------
    The measures. Where nobody has anything, or nobody is there, nothing is shared out: NaN.

    Raises
    ------
    InputError
        CG-IN-001: no rows. CG-IN-003: values that are negative or no numbers, people that are missing or negative.
        CG-IN-004: an unusable standard. CG-IN-005: no such column. CG-ACC-022: several rows for one place.

    Notes
    -----
    With the values ascending, people p(0) = 0 to p(n) = 1 and what they have L(0) = 0 to L(n) = 1 added up, the
    Lorenz curve is straight between its corners: of people with the same value it does not matter who is first, and a
    place that lies on both sides of a bound counts there with those of its people (Lorenz 1905).

    * ``gini`` = 1 - sum of (p(i) - p(i-1)) (L(i) + L(i-1)), which is the mean difference of two people over twice the
      mean (Gini 1912; Sen 1973, "On Economic Inequality", 2.3); no correction for small samples, so that each place
      taken twice, or its people split over two rows, gives the same.
    * ``palma`` = (1 - L(0.9)) / L(0.4): what the tenth with most has over what the four tenths with least have
      (Cobham and Sumner 2013, after Palma 2011); 0.25 if all have the same, infinite if those have nothing.
    * ``median``: half of the people have it or less, half have it or more; half way between two values where both
      would do.
    * ``share_below``: people with strictly less than the standard; who has exactly that is not below. Of minutes less
      is better: there it is the well served who are below, and one minus it is who falls short.

    ``mean``, ``gini`` and ``palma`` are of people with finite values; those of infinite ones count for ``median`` and
    ``share_below``, where they have most.

    Examples
    --------
    >>> cells = pd.DataFrame({"schools": [0, 1, 3], "population": [10, 20, 10]})
    >>> found = equity(cells, "schools", standard=1)
    >>> found.table.loc["population", ["mean", "gini", "share_below"]].round(6).tolist()
    [1.25, 0.45, 0.25]
    """
    further = [groups] if isinstance(groups, str) else list(groups)
    _require_table(table, [value, weight, *further])
    if standard is not None and not (math.isfinite(standard) and standard >= 0):
        raise error(
            "CG-IN-004", argument="standard", value=standard, rule="It is a number, 0 or more.",
            hint="Leave it out if there is none.",
        )  # fmt: skip
    values = _values(table, value)
    log = IssueLog()
    rows, curves = {}, []
    for group in dict.fromkeys((weight, *further)):
        micro = demand.to_micro(table[group], layer="table", column=group)
        lives = micro > 0
        is_known = ~np.isnan(values) & lives
        sharing = _sharing(values[is_known], micro[is_known])
        unknown = int(micro[np.isnan(values)].sum())
        rows[group] = _measures(sharing, unknown, standard)
        people_share, value_share = _lorenz(_finite(sharing))
        curves.append(
            pd.DataFrame({"group": group, "people_share": people_share, "value_share": value_share})
        )
        _note(table.index, values, lives, rows[group], {"group": group, "value": value}, log)
    log.announce()
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")
    parameters = {"value": value, "weight": weight, "groups": further, "standard": standard}
    return Equity(
        table=found,
        lorenz=pd.concat(curves, ignore_index=True),
        value=value,
        standard=standard,
        log=log,
        provenance=provenance.describe("equity", {"table": provenance.sha256_layer(table)}, parameters),
    )


def _require_table(table: pd.DataFrame, columns: list[str]) -> None:
    if len(table) == 0:
        raise error("CG-IN-001", layer="table")
    for column in columns:
        if column not in table.columns:
            raise error("CG-IN-005", layer="table", column=column, columns=", ".join(map(str, table.columns)))
    if "minutes" in table.columns and table.index.has_duplicates:
        bounds = sorted(table["minutes"].dropna().unique())
        if len(bounds) > 1:
            raise error("CG-ACC-022", minutes=", ".join(f"{bound:g}" for bound in bounds))


def _values(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return the values; raise unless all that are given are numbers from 0."""
    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    is_bad = (numbers < 0) | (np.isnan(numbers) & table[column].notna().to_numpy())
    if is_bad.any():
        raise bad_rows("table", column, table.index, is_bad, "a number, 0 or more")
    return numbers


def _sharing(values: NDArray[np.float64], micro: NDArray[np.int64]) -> _Sharing:
    """Put people of the same value together: whole numbers, so the order of rows does not matter."""
    distinct, place = np.unique(values, return_inverse=True)
    people = np.zeros(distinct.size, np.int64)
    np.add.at(people, place, micro)
    return _Sharing(distinct, people)


def _finite(sharing: _Sharing) -> _Sharing:
    is_finite = np.isfinite(sharing.value)
    return _Sharing(sharing.value[is_finite], sharing.micro[is_finite])


def _measures(sharing: _Sharing, unknown: int, standard: float | None) -> dict[str, float]:
    finite = _finite(sharing)
    total = int(sharing.micro.sum())
    below = int(sharing.micro[sharing.value < (math.nan if standard is None else standard)].sum())
    p, share = _lorenz(finite)
    return {
        "people": float(demand.from_micro(total + unknown)),
        "unknown": float(demand.from_micro(unknown)),
        "unreachable": float(demand.from_micro(total - int(finite.micro.sum()))),
        "mean": float(np.average(finite.value, weights=finite.micro)) if finite.value.size else math.nan,
        "median": _median(sharing),
        "share_below": math.nan if standard is None or total == 0 else below / total,
        "gini": float(1 - np.sum(np.diff(p) * (share[1:] + share[:-1]))) if p.size else math.nan,
        "palma": _palma(p, share) if p.size else math.nan,
    }


def _lorenz(sharing: _Sharing) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of the curve; none where there is nothing to share out."""
    if sharing.value.size == 0 or sharing.value[-1] == 0:
        return np.empty(0), np.empty(0)
    people = np.concatenate(([0], np.cumsum(sharing.micro)))
    # as parts of the greatest: no sum grows out of bounds
    held = np.concatenate(([0.0], np.cumsum(sharing.value / sharing.value[-1] * sharing.micro)))
    return people / people[-1], held / held[-1]


def _palma(people_share: NDArray[np.float64], value_share: NDArray[np.float64]) -> float:
    bottom, top = np.interp([BOTTOM, TOP], people_share, value_share)
    return float((1 - top) / bottom) if bottom > 0 else math.inf


def _median(sharing: _Sharing) -> float:
    if sharing.value.size == 0:
        return math.nan
    people = np.cumsum(sharing.micro)
    total = int(people[-1])
    lower, upper = (
        float(sharing.value[np.searchsorted(2 * people, total, side=side)]) for side in ("left", "right")
    )
    return lower if lower == upper else (lower + upper) / 2


def _note(
    labels: pd.Index,
    values: NDArray[np.float64],
    lives: NDArray[np.bool_],
    found: dict[str, float],
    names: dict[str, str],
    log: IssueLog,
) -> None:
    """Tell who was left out of what."""
    for code, is_out, people in (
        ("CG-ACC-020", np.isnan(values), "unknown"),
        ("CG-ACC-021", np.isinf(values), "unreachable"),
    ):
        out = labels[is_out & lives]
        told = names | {"people": f"{found[people]:,.0f}", "total": f"{found['people']:,.0f}"}
        log.add(code, count=len(out), sample=out, **told)
    log.add("CG-ACC-023", count=int(math.isnan(found["gini"])), **names)
