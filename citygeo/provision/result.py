"""What provision found: who goes where, who is left, and where places are missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork


@dataclass(frozen=True, repr=False)
class Provision:
    """
    Supply set against demand.

    Attributes
    ----------
    network
        The road network.
    minutes
        The inclusive bound.
    flows
        One row per pair that is used: demand and facility (labels), people, time_s.
    facilities
        The caller's rows with capacity, allocated, spare, nearest_load (if everybody went to the nearest), overload
        (how much of that is above the capacity), mean_time_s of who is allocated, status and snap_distance_m.
    demand
        The caller's rows with served, unserved, reason (why some are not: ``full``, ``too_far``, ``not_connected``,
        ``not_snapped``, ``no_geometry``; "" if all are), nearest_facility and nearest_s within the bound, mean_time_s
        of who is served, status and snap_distance_m.
    zones
        One row per zone and level: level, zone, name; demand, served, unserved, served_share of who lives there;
        capacity and allocated of the facilities there; places_missing = max(0, demand - capacity), and
        net_missing = demand - capacity.
    table
        One row per measure: unit, value, share. ``places_missing:<level>`` adds up what is missing in the zones that
        lack places; ``net_missing:<level>`` lets spare places of others make up for it.
    population, capacity
        The columns that were asked for.
    log
        Findings; `issues` is the same as a table.
    provenance
        Inputs with sha256, parameters, versions.
    """

    network: RoadNetwork
    minutes: float
    flows: pd.DataFrame
    facilities: gpd.GeoDataFrame
    demand: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    table: pd.DataFrame
    population: str
    capacity: str
    log: IssueLog
    provenance: dict[str, Any]

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    def explore(self, **options: Any) -> Any:
        """Draw who is left without a place, the load of facilities, and zones; see `citygeo.explore`."""
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
        Paths by what they hold: ``provision.gpkg`` (all layers, styled for QGIS), ``table.csv``, ``zones.csv``,
        ``flows.csv``, ``facilities.csv``, ``demand.csv``, ``issues.csv`` and ``provenance.json``.

        Raises
        ------
        FileError
            CG-FILE-012 if a file cannot be written.
        """
        from citygeo.viz import export

        return export.save_provision(self, Path(folder))

    def __repr__(self) -> str:
        value, over = self.table["value"], int((self.facilities["overload"] > 0).sum())
        return (
            f"<Provision within {self.minutes:g} min: {value['served']:,.0f} of {value['demand']:,.0f} have a place "
            f"({self.table.share['served']:.1%}), {value['capacity']:,.0f} places; {over} of {len(self.facilities)} "
            f"facilities overloaded if everybody went to the nearest>"
        )
