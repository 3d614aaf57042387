"""Coverage against minutes: how the share grows with the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from citygeo.coverage.measures import curve_table
from citygeo.errors import error
from citygeo.reach import to_ms
from citygeo.reach.place import MAX_MINUTES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.axes import Axes

    from citygeo.coverage.measures import Measure

STEPS = 40


@dataclass(frozen=True, repr=False)
class Curve:
    """
    The share covered within any minutes.

    Attributes
    ----------
    table
        Shares, indexed by ``minutes``, one column per measure of points; missing where there is nothing to cover.
    limit
        The minutes of the coverage it belongs to.
    has_own_limits
        Whether facilities have limits of their own; `limit` is the longest, and the others grow with it.
    """

    table: pd.DataFrame
    limit: float
    has_own_limits: bool = False

    @classmethod
    def of(
        cls,
        measures: Iterable[Measure],
        minutes: Iterable[float] | None,
        limit: float,
        *,
        has_own_limits: bool = False,
    ) -> Curve:
        """Return the curve of measures; see `Coverage.curve`."""
        steps = np.linspace(0, min(2 * limit, MAX_MINUTES), STEPS + 1) if minutes is None else list(minutes)
        looked = np.unique(np.asarray(steps, np.float64))
        if not looked.size or not ((looked >= 0) & (looked <= MAX_MINUTES)).all():
            raise error(
                "CG-UNIT-002", argument="minutes", value=list(looked), low=0, high=int(MAX_MINUTES), unit="minutes",
                hint="Were seconds passed?",
            )  # fmt: skip
        return cls(curve_table(measures, looked, to_ms(limit)), limit, has_own_limits)

    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | tuple[str, str] | None = None,
        dpi: int = 200,
    ) -> Axes:
        """Draw the shares by minutes; see `citygeo.viz.charts.plot_curve`."""
        from citygeo.viz import charts

        return charts.plot_curve(self, path, title=title, dpi=dpi)

    def __repr__(self) -> str:
        span = f"{self.table.index[0]:g} to {self.table.index[-1]:g} min"
        limit = "longest limit" if self.has_own_limits else "limit"
        return f"<Curve of {', '.join(self.table.columns)} over {span}, {limit} {self.limit:g} min>"
