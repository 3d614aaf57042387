"""Which of several services people have within reach: the 15-minute life circle (15分钟生活圈)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo import datum, hexgrid, provenance
from citygeo.coverage.checks import note_empty, note_people_outside, note_repeated
from citygeo.coverage.having import MOST, Having
from citygeo.coverage.points import Located, note_unplaced, people_points
from citygeo.coverage.services import nearest_of, place_services, require_weights
from citygeo.coverage.words import NO_PEOPLE
from citygeo.coverage.zones import as_levels
from citygeo.demand import zone_of
from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.reach import network_input, to_seconds
from citygeo.reach.place import require_direction, require_threads

if TYPE_CHECKING:
    from citygeo.coverage.services import Service
    from citygeo.coverage.zones import Level
    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons


@dataclass(frozen=True, repr=False)
class Completeness:
    """
    Which services people have within the minutes.

    Attributes
    ----------
    table
        One row per service and per number of services: kind (``service`` or ``count``), label and label_zh, minutes
        (the longest limit), facilities (on the network), covered (people), total, share. ``any``, ``at_least_2``...
        and ``all`` count people with so many of the services or more.
    lacking
        One row per combination of services that some people lack, most people first: lacks and lacks_zh (names; empty:
        nothing), n_lacks, population, share.
    cells
        One row per H3 cell where demand is: population, score (the share of services its people have, weighted by
        `weights`), n_services (services that at least half of its people have), lacks (names of the others), for
        each service ``{service}_share`` (of people), all_share, geometry. NaN and no names where nobody lives.
    points
        One row per place where people are: population, for each service ``{service}_time_s`` (to the nearest; inf if
        none), n_services, score, lacks, status, h3_cell, geometry.
    zones
        One row per zone and level: level, zone (the caller's label), name, population, for each row of `table`
        ``{measure}_covered`` and ``{measure}_share``, score. Shares are of sums, never means of shares.
    score
        The mean share of services people have, weighted by `weights`.
    network, services
        What was asked about: the network, and the services as they stand on it.
    direction
        ``"to"`` the facility or ``"from"`` it.
    demand_is_estimate
        Whether the people were estimated, not counted.
    log
        Findings; `issues` is the same as a table.
    provenance
        Inputs with sha256, parameters, versions.
    """

    table: pd.DataFrame
    lacking: pd.DataFrame
    cells: gpd.GeoDataFrame
    points: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    score: float
    network: RoadNetwork
    services: tuple[Service, ...]
    direction: Direction
    demand_is_estimate: bool
    log: IssueLog
    provenance: dict[str, Any]

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    def explore(self, **options: Any) -> Any:
        """Draw scores and what is lacking on a map; see `citygeo.explore`."""
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
        Paths by what they hold: ``completeness.gpkg`` (all layers, styled for QGIS), ``cells.parquet`` (only with the
        extra ``parquet``), ``table.csv``, ``lacking.csv``, ``zones.csv``, ``issues.csv`` and ``provenance.json``.

        Raises
        ------
        FileError
            CG-FILE-012 if a file cannot be written.
        """
        from citygeo.viz import export

        return export.save_completeness(self, Path(folder))

    def __repr__(self) -> str:
        n, everything = len(self.services), self.table.loc["all"]
        kind = "estimated " if self.demand_is_estimate else ""
        if not everything.total:
            return f"<Completeness of {n} services: {NO_PEOPLE}>"
        worst = self.table[self.table["kind"] == "service"]["share"].fillna(0).idxmin()
        return (
            f"<Completeness of {n} services: {everything.covered:,.0f} of {everything.total:,.0f} {kind}people "
            f"({everything.share:.1%}) have all, score {self.score:.2f}, most lack {worst}>"
        )


def completeness(
    network: RoadNetwork,
    services: Mapping[str, gpd.GeoDataFrame],
    *,
    demand: gpd.GeoDataFrame | pd.DataFrame,
    minutes: float | str | Mapping[str, float | str] = 15,
    direction: Direction = "to",
    zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    weights: Mapping[str, float] | None = None,
    delay_s: float | str | Mapping[str, float | str | None] | None = None,
    max_snap_m: float = 200.0,
    polygons: Polygons | Mapping[str, Polygons] = "point",
    resolution: int = 9,
    threads: int | None = None,
) -> Completeness:
    """
    Tell which of several services people have within the minutes, and which they lack: the 15-minute life circle.

    A person has a service if one of its facilities is within the minutes (inclusive), from the place itself to the
    facility. If any of several kinds will do (a clinic or a hospital), put them into one layer.

    Parameters
    ----------
    network
        The road network, mostly for walking.
    services
        Facilities of each service by name: points, polygons or lines, in any CRS. A layer without rows covers
        nobody, with a finding.
    demand
        People: a layer with a column ``population``, or a table indexed by H3 cells, placed as in `coverage`.
    minutes
        Inclusive bound; a number, the name of a column of the facilities, or one of these for each service.
    direction
        ``"to"`` the facility, like a pupil, or ``"from"`` it, like a doctor.
    zones
        One layer of zones, or several by level name, as in `coverage`.
    weights
        What each service counts in the score, 0 or more; alike if `None`.
    delay_s, polygons
        As in `service_area`, for all services or for each by name.
    max_snap_m, threads
        As in `service_area`.
    resolution
        H3 resolution of the cells, 0 to 15; taken from `demand` if that is cells.

    Returns
    -------
    The completeness; its layers are in the CRS of the first service.

    Raises
    ------
    InputError
        CG-COV-031: no service, or too many. CG-COV-032: a name of a service that cannot be used. CG-IN-004: options
        that do not name each service, or weights that cannot be used.
    CRSError, InputError, UnitError, NetworkError
        As `coverage`, for every layer.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> services = {"pharmacy": city.services["pharmacy"], "fire_station": city.stations}
    >>> com = cg.completeness(city.network("walk"), services, demand=city.people, minutes=15)
    >>> com.table.index.tolist()
    ['pharmacy', 'fire_station', 'any', 'all']
    >>> bool(com.table.loc["all", "share"] <= com.table.loc["pharmacy", "share"] <= com.table.loc["any", "share"])
    True
    """
    if not isinstance(demand, pd.DataFrame):
        raise error("CG-IN-007", layer="demand", kind=type(demand).__name__)
    require_direction(direction)
    require_threads(threads)
    log = IssueLog()
    placed = place_services(
        network, services, minutes=minutes, delay_s=delay_s, polygons=polygons, max_snap_m=max_snap_m, log=log
    )
    worth = require_weights(weights, services)
    levels = as_levels(zones, network.metric_crs, log)
    people = _locate(network, demand, levels, max_snap_m, resolution, log)
    near = [nearest_of(network, direction, service, people.layer.places, threads) for service in placed]
    having = Having(
        tuple(placed), people, np.column_stack([to_seconds(found.ms) for found in near]),
        np.column_stack([found.over_ms <= 0 for found in near]), worth,
    )  # fmt: skip
    note_empty({"population": having.city.total.item()}, log)
    parameters = {
        "mode": network.mode.to_dict(),
        "minutes": dict(minutes) if isinstance(minutes, Mapping) else minutes,
        "operator": "<=",
        "direction": direction,
        "weights": dict(zip(services, worth.tolist(), strict=True)),
        "delay_s": {service.name: _delays(service) for service in placed},
        "max_snap_m": max_snap_m,
        "polygons": dict(polygons) if isinstance(polygons, Mapping) else polygons,
        "resolution": resolution,
        "denominator": "everyone in demand who has a place",
        "lacking_below_share": MOST,
    }
    inputs = {
        **network_input(network),
        "demand": provenance.sha256_layer(demand),
        **{f"services {name}": provenance.sha256_layer(layer) for name, layer in services.items()},
        **{f"zones {name}": provenance.sha256_layer(level.layer) for name, level in levels.items()},
    }
    log.announce()
    log.extend(network.log.found)
    crs = next((layer.crs for layer in services.values() if layer.crs is not None), datum.WGS84)
    return Completeness(
        table=having.table(),
        lacking=having.lacking(),
        cells=having.cells().to_crs(crs),
        points=having.points().to_crs(crs),
        zones=having.zones(levels).to_crs(crs),
        score=float(having.score(having.city)[0]),
        network=network,
        services=tuple(placed),
        direction=direction,
        demand_is_estimate=bool(demand.attrs.get("estimate", False)),
        log=log,
        provenance=provenance.describe("completeness", inputs, parameters),
    )


def _locate(
    network: RoadNetwork,
    demand: pd.DataFrame,
    levels: Mapping[str, Level],
    max_snap_m: float,
    resolution: int,
    log: IssueLog,
) -> Located:
    """Put people on the network, in cells and in zones."""
    if hexgrid.has_cell_index(demand):
        resolution = hexgrid.resolution_of(hexgrid.from_strings(demand.index))
    layer = people_points(network, demand, None, max_snap_m, log)
    note_unplaced(layer, "demand", max_snap_m, log)
    note_repeated(demand, log)
    places = gpd.GeoSeries(layer.points() if levels else [], crs=datum.WGS84)
    zone = {name: zone_of(places, level.layer) for name, level in levels.items()}
    people = Located(layer, layer.cells(resolution), zone)
    note_people_outside(people, levels, log)
    return people


def _delays(service: Service) -> list[float]:
    return [] if service.placed is None else service.placed.delay_s.tolist()
