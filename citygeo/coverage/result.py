"""The coverage result: tables, and ways to look at and keep them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

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
        The inclusive bound.
    table
        One row per measure (``area``, ``population``, ``buildings``): unit, covered, total, share.
    zones
        One row per zone and level: level, zone (the caller's label), name, and for each measure total, covered
        and share (``area_km2``, ``area_covered_km2``, ``area_share``, ``population``, ...). Shares are of sums,
        never means of shares.
    cells
        One row per H3 cell, see `citygeo.coverage.cells.cell_table`.
    points
        One row per place where people are: population, time_s (inf if no facility can get there), facility,
        depth (how many facilities within the minutes), status, snap_distance_m, h3_cell.
    blind_spots
        Neighbouring mostly uncovered inhabited cells as one place, ranked by people: uncovered, cells,
        area_km2, nearest_facility, time_s and minutes_over (mean of the people a facility can get to; inf if that
        is less than half of them), reason (``too_far``,
        ``not_connected``, ``no_road``), zone, geometry.
    depth
        People, buildings and km of road reached by 0, 1, 2, and 3 or more facilities.
    demand_is_estimate
        Whether the people were estimated, not counted.
    log
        Findings; `issues` is the same as a table.
    provenance
        Inputs with sha256, parameters, versions.
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
        return (
            f"<Coverage within {self.minutes:g} min: {people.covered:,.0f} of {people.total:,.0f} {kind}people "
            f"({people.share:.1%}), {len(self.blind_spots)} blind spots>"
        )
