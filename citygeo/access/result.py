"""The table of what is accessible, and what it knows of its question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import Direction, RoadNetwork
    from citygeo.reach.place import Facilities

PER = 1_000  # people, for the capacity on maps


@dataclass(frozen=True)
class Question:
    """
    What was asked, and what was found on the way.

    Attributes
    ----------
    network, direction
        Where, and towards whom.
    kind
        The function that made the table.
    measures
        Its columns with answers.
    minutes
        The bounds, ascending; empty if each facility has its own.
    facilities
        What became of each facility, for floating catchments.
    """

    network: RoadNetwork
    direction: Direction
    kind: Literal["accessibility", "floating_catchment"]
    measures: tuple[str, ...]
    minutes: tuple[float, ...]
    log: IssueLog
    provenance: dict[str, Any]
    facilities: gpd.GeoDataFrame | None = None


class Accessibility(gpd.GeoDataFrame):  # type: ignore[misc]  # geopandas has no types
    """
    Accessibility: a GeoDataFrame with one row per origin and bound, and its question.

    A selection of its rows keeps the question; what pandas derives otherwise may lose it.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> reach = cg.accessibility(city.network("drive"), city.stations, city.stations, minutes=[5, 15])
    >>> reach.measures, reach.bounds_minutes, reach.pivot().columns.tolist()[-2:]
    (('opportunities',), (5.0, 15.0), ['opportunities_5', 'opportunities_15'])
    """

    # pandas keeps these apart from columns, and pickles them
    _metadata = ["_geometry_column_name", "question"]  # noqa: RUF012  # as pandas has it

    question: Question | None = None

    @classmethod
    def of(cls, table: gpd.GeoDataFrame, question: Question) -> Accessibility:
        """Return a table with its question."""
        made = cls(table)
        made.question = question
        made.attrs = {**table.attrs, "attribution": question.provenance["attribution"]}
        return made

    @property
    def asked(self) -> Question:
        """
        The question.

        Raises
        ------
        InputError
            CG-IN-004: this table is derived from an answer and has lost it.
        """
        if self.question is None:
            raise error(
                "CG-IN-004", argument="accessibility", value="a table derived from it",
                rule="It no longer knows what was asked.",
                hint="Use what cg.accessibility or cg.floating_catchment returned, or rows of it.",
            )  # fmt: skip
        return self.question

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns with answers."""
        return self.asked.measures

    @property
    def bounds_minutes(self) -> tuple[float, ...]:
        """The bounds, ascending; empty if each facility has its own."""
        return self.asked.minutes

    @property
    def facilities(self) -> gpd.GeoDataFrame:
        """
        What became of each facility, for floating catchments: see `floating_catchment`.

        Raises
        ------
        InputError
            CG-IN-004: `accessibility` shares out nothing.
        """
        told = self.asked.facilities
        if told is None:
            raise error(
                "CG-IN-004", argument="accessibility", value="sums of opportunities",
                rule="Only floating catchments say what each facility has to give.",
                hint="Use cg.floating_catchment.",
            )  # fmt: skip
        return told

    @property
    def log(self) -> IssueLog:
        """Findings; `issues` is the same as a table."""
        return self.asked.log

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    @property
    def provenance(self) -> dict[str, Any]:
        """Inputs with sha256, parameters, versions."""
        return self.asked.provenance

    def pivot(self, *arguments: Any, **options: Any) -> Any:
        """
        Return one row per origin, each answer in a column for each bound; with arguments as pandas does.

        Columns are named as ``opportunities_15``. A table without bounds of its own keeps its columns.

        Examples
        --------
        >>> import citygeo as cg
        >>> city = cg.datasets.reykjavik()
        >>> net = city.network("drive")
        >>> wide = cg.accessibility(net, city.stations, city.stations, minutes=[5, 15]).pivot()
        >>> len(wide), bool((wide.opportunities_5 <= wide.opportunities_15).all())
        (4, True)
        """
        if arguments or options:
            return super().pivot(*arguments, **options)
        measures = [*self.measures]
        first = ~self.index.duplicated()
        wide = gpd.GeoDataFrame(self[first].drop(columns=["minutes", *measures]))
        if not self.bounds_minutes:
            return wide.assign(**{column: self[column] for column in measures})
        for column in measures:
            for bound in self.bounds_minutes:
                rows = self[self["minutes"] == bound]
                if len(rows):
                    wide[f"{column}_{bound:g}"] = rows[column].reindex(wide.index)
        return wide

    def explore(
        self, column: str | tuple[str, str] | None = None, *, minutes: float | None = None, **options: Any
    ) -> Any:
        """
        Draw an answer on a map over the streets, see `citygeo.explore`; capacity as that for 1,000 people.

        Parameters
        ----------
        column
            Which, or two columns for a map of both, as ``("access", "population")``; the first answer if `None`.
        minutes
            Of which bound; of the widest if `None`.
        **options
            As `citygeo.explore` takes them.

        Raises
        ------
        InputError
            CG-IN-004: no such bound. CG-IN-005: no such column.
        """
        from citygeo import viz

        asked = self.measures[0] if column is None else column
        shown = [asked] if isinstance(asked, str) else [*asked]
        for name in shown:
            if name not in self.columns:
                raise error("CG-IN-005", layer="accessibility", column=name, columns=", ".join(self.columns))
        rows = self if not self.bounds_minutes else self._at(minutes)
        table = gpd.GeoDataFrame(rows)
        if "access" in self.measures:
            table = table.assign(access=table["access"] * PER)
        labels = {name: _label(name, rows["minutes"].iloc[0]) for name in shown if name in self.measures}
        table.attrs = {**self.attrs, "labels": {**self.attrs.get("labels", {}), **labels}}
        return viz.explore(self.asked.network, table, **{"column": asked, **options})

    def _at(self, minutes: float | None) -> Accessibility:
        """Return the rows of one bound, the widest if `None`."""
        bound = self.bounds_minutes[-1] if minutes is None else minutes
        if bound not in self.bounds_minutes:
            asked = ", ".join(f"{known:g}" for known in self.bounds_minutes)
            raise error(
                "CG-IN-004", argument="minutes", value=minutes, rule=f"The bounds asked for are {asked}.",
                hint="Choose one of them.",
            )  # fmt: skip
        rows: Accessibility = self[np.asarray(self["minutes"] == bound)]
        return rows

    def __repr__(self) -> str:
        if self.question is None:
            return str(super().__repr__())
        asked = self.question
        bounds = ", ".join(f"{bound:g}" for bound in asked.minutes) or "own"
        told = f"{asked.kind}: {', '.join(asked.measures)} within {bounds} min, {asked.direction} facilities"
        return f"{told}, {len(asked.log.found)} findings\n{super().__repr__()}"


def _label(measure: str, minutes: float) -> tuple[str, str]:
    """Return what a map calls an answer, in English and Chinese; minutes are NaN if each facility has its own."""
    from citygeo.viz.text import Label, service_label

    if measure == "access":
        label = Label(f"Capacity per {PER:,} people", f"每 {PER:,} 人供给")
    elif measure == "opportunities":
        label = Label("Opportunities", "可达设施数")
    else:
        known = service_label(measure.removesuffix("_reached"))
        label = known if known.zh else Label(known.en.replace("_", " ").capitalize(), known.en)
    if np.isnan(minutes):
        return label.en, label.zh
    return f"{label.en} within {minutes:g} min", f"{minutes:g} 分钟内{label.zh}"


def asked_rows(
    rows: gpd.GeoDataFrame,
    bounds: Sequence[float],
    answers: dict[str, NDArray[np.float64]],
    placed: Facilities,
) -> gpd.GeoDataFrame:
    """Return the caller's rows, one for each bound, with the answers beside them in that order."""
    n = len(bounds)
    repeated = rows.iloc[np.repeat(np.arange(len(rows)), n)]
    told = pd.DataFrame(
        {
            "minutes": np.tile(bounds, len(rows)),
            **answers,
            "status": np.repeat(placed.snaps.status, n),
            "snap_distance_m": np.repeat(placed.snaps.distance_m, n),
        },
        index=repeated.index,
    )
    table = pd.concat([repeated, told], axis=1)
    table.attrs = dict(rows.attrs)
    return table
