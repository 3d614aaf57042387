"""The coverage result: tables, and ways to look at and keep them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo.coverage.curve import Curve
from citygeo.coverage.interval import interval
from citygeo.coverage.words import NO_PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

    from citygeo.coverage.interval import Interval
    from citygeo.coverage.measures import Measure
    from citygeo.coverage.question import Question
    from citygeo.coverage.setting import Setting
    from citygeo.issues import IssueLog
    from citygeo.reach import ServiceArea


@dataclass(frozen=True, repr=False)
class Coverage:
    """
    Who facilities serve within the minutes.

    Attributes
    ----------
    area
        The service area behind it.
    minutes
        The inclusive bound; the longest where facilities have limits of their own.
    table
        One row per measure (``area``, each of `areas`, ``population``, each of `columns`, ``buildings``,
        ``floor_area``, each of `points`): unit, covered, total, share (missing where the total is 0). Where a radius
        was asked for also radius_covered and radius_share, what lies in circles round facilities, and difference
        (radius_share - share): how much the formula with circles flatters.
    zones
        One row per zone and level: level, zone (the caller's label), name, and for each measure its total, what is
        covered, its share, and what lies in circles: ``area_km2``, ``area_covered_km2``, ``area_share``,
        ``population``, ``population_covered``, ``population_share``, ``population_radius_covered``,
        ``population_radius_share``... Shares are of sums, never means of shares. Where zones partition the city, sums
        over the zones of a level are those of the city.
    cells
        One row per H3 cell, see `citygeo.coverage.cells.cell_table`.
    points
        One row per place where people are: population, time_s (inf if no facility can get there), facility,
        depth (how many facilities within the minutes), status, snap_distance_m, h3_cell.
    blind_spots
        Neighbouring mostly uncovered inhabited cells as one place, ranked by people, with the reason and what would
        help; see `citygeo.coverage.spots.blind_spots`. Uncovered people in cells of which at least half are covered
        are in none of them; the finding CG-COV-033 says how many.
    depth
        What is reached by 0, 1, 2, and 3 or more facilities: of each measure of points the sum and its share
        (``population``, ``population_share``...), and km of road (``road_km``).
    demand_is_estimate
        Whether the people were estimated, not counted.
    log
        Findings; `issues` is the same as a table.
    provenance
        Inputs with sha256, parameters (the operator and the denominators among them), versions.
    setting
        The question, and its layers on the network, from which it can be asked again for other speeds.
    measures
        What `table`, `zones`, `depth` and `curve` are views of.
    """

    area: ServiceArea
    minutes: float
    table: pd.DataFrame
    zones: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    points: gpd.GeoDataFrame
    blind_spots: gpd.GeoDataFrame
    depth: pd.DataFrame
    demand_is_estimate: bool
    log: IssueLog
    provenance: dict[str, Any]
    setting: Setting
    measures: tuple[Measure, ...]

    @property
    def question(self) -> Question:
        """What was asked, as the caller gave it."""
        return self.setting.question

    @property
    def has_own_limits(self) -> bool:
        """Whether facilities have limits of their own, of which `minutes` is the longest."""
        return bool(self.setting.placed.late_ms.any())

    def curve(self, minutes: Iterable[float] | None = None) -> Curve:
        """
        Return the share that would be covered within other minutes.

        Parameters
        ----------
        minutes
            Where to look, 0 or more; by default forty steps up to twice the limit. Where facilities have limits of
            their own, they mean the longest, and the others are that much longer or shorter too.

        Returns
        -------
        The shares of all measures of points; land would have to be measured again for each.

        Raises
        ------
        UnitError
            CG-UNIT-002: minutes below 0 or above 1,440.

        Examples
        --------
        >>> import citygeo as cg
        >>> city = cg.datasets.reykjavik()
        >>> cov = cg.coverage(city.network("fire_engine"), city.stations, demand=city.people, minutes=5)
        >>> curve = cov.curve([3, 5, 10])
        >>> bool(curve.table["population"].is_monotonic_increasing)
        True
        >>> bool(curve.table.loc[5, "population"] == cov.table.loc["population", "share"])
        True
        """
        return Curve.of(self.measures, minutes, self.minutes, has_own_limits=self.has_own_limits)

    def interval(
        self,
        *,
        speeds: Sequence[float] = (0.6, 1.0),
        assumed: Sequence[float] = (0.8, 1.2),
        snap: Sequence[float] = (0.5, 2.0),
        scenarios: Mapping[str, float | Mapping[str, float] | pd.DataFrame] | None = None,
        land: bool = True,
    ) -> Interval:
        """
        Return what would be covered if travel were slower or faster: low, central and high, and what drives it.

        Facilities, people and their places on the network stay; only times change.

        Parameters
        ----------
        speeds
            Factors of all speeds on the road, the lowest and the highest: 0.6 is a peak hour, 1 free flow.
        assumed
            Further factors of the speeds that were assumed because none is posted.
        snap
            Factors of the time of the stretches between places and their roads.
        scenarios
            Named ones: a factor of all speeds, or factors by class of road, as `RoadNetwork.with_speeds` takes them.
        land
            Whether measures of land are told too. They take most of the time: of greater Reykjavik with four stations
            about 5 s, and under one without land.

        Returns
        -------
        The interval. Central is this coverage.

        Raises
        ------
        InputError
            CG-COV-040: factors that are not two numbers around 1. CG-IN-004: scenarios that cannot be used.

        Examples
        --------
        >>> import citygeo as cg
        >>> city = cg.datasets.reykjavik()
        >>> cov = cg.coverage(city.network("fire_engine"), city.stations, demand=city.people, minutes=5)
        >>> found = cov.interval(scenarios={"peak": 0.6}, land=False)
        >>> found.drivers["driver"].unique().tolist()
        ['speeds', 'snap', 'assumed']
        """
        return interval(self, speeds=speeds, assumed=assumed, snap=snap, scenarios=scenarios, land=land)

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    def explore(self, **options: Any) -> Any:
        """Draw coverage and blind spots on a map; see `citygeo.explore`."""
        from citygeo import viz

        return viz.explore(self, **options)

    def save(self, folder: str | Path) -> dict[str, Path]:
        """
        Write all tables to a folder; each file is written beside its final name and renamed.

        Parameters
        ----------
        folder
            Created if missing.

        Returns
        -------
        Paths by what they hold: ``coverage.gpkg`` (all layers, styled for QGIS), ``cells.parquet`` (only with the
        extra ``parquet``), ``table.csv``, ``zones.csv``, ``blind_spots.csv``, ``depth.csv``, ``issues.csv`` and
        ``provenance.json``.

        Raises
        ------
        FileError
            CG-FILE-012 if a file cannot be written.
        """
        from citygeo.viz import export

        return export.save_coverage(self, Path(folder))

    def __repr__(self) -> str:
        people = self.table.loc["population"]
        kind = "estimated " if self.demand_is_estimate else ""
        served = f"{people.covered:,.0f} of {people.total:,.0f} {kind}people ({people.share:.1%})"
        own = "own limits of up to " if self.has_own_limits else ""
        return (
            f"<Coverage within {own}{self.minutes:g} min: {served if people.total else NO_PEOPLE}, "
            f"{len(self.blind_spots)} blind spots>"
        )
