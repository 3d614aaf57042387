"""Travel times, nearest facilities, and service areas as exact reached edge parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from citygeo import engine as engines
from citygeo import provenance
from citygeo.edgeparts import EdgeParts
from citygeo.engine import LONGEST_MS, UNREACHED, reached_parts, search_each
from citygeo.issues import IssueLog
from citygeo.network.snap import OK
from citygeo.reach.area import ServiceArea
from citygeo.reach.place import (
    place_facilities,
    require_direction,
    require_k,
    require_minutes,
    require_one_bound,
    require_range,
    require_threads,
    to_ms,
)
from citygeo.reach.standing import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.engine import Engine, Found, Places
    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons

MAX_BUFFER_M = 5_000.0

__all__ = [
    "ServiceArea",
    "labels_at",
    "nearest",
    "network_input",
    "reached_by",
    "require_buffer",
    "require_one_bound",
    "service_area",
    "to_ms",
    "to_seconds",
    "travel_times",
]


def service_area(
    network: RoadNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    minutes: float | Sequence[float],
    direction: Direction,
    delay_s: float | str | None = None,
    max_snap_m: float = 200.0,
    buffer_m: float = 100.0,
    polygons: Polygons = "point",
    threads: int | None = None,
) -> ServiceArea:
    """
    Find what each facility reaches within the given minutes.

    Its polygons are the ground within a fixed `buffer_m` of reached roads, of which `coverage` takes shares;
    `isochrones` draws areas in which the way off the road takes time too.

    Parameters
    ----------
    network
        The road network.
    facilities
        Points, polygons and lines in any CRS.
    minutes
        One or several inclusive bounds, above 0 and up to 1,440.
    direction
        ``"from"`` the facility, like a fire engine, or ``"to"`` it, like a patient.
    delay_s
        Seconds before setting out, part of the minutes: a number for all, or the name of a column. Default: the
        mode's own; for ``fire_engine`` 60 s of turnout.
    max_snap_m
        Facilities farther than this from any road are not served; they are in ``.unserved``.
    buffer_m
        Drawing radius of the polygons around reached edge parts, in metres.
    polygons
        What stands for a polygon or a line: ``"point"`` inside or on it, its ``"entrances"`` (where roads meet its
        boundary or come near it), or all ``"edges"`` inside. Who enters by any of them is there.
    threads
        Worker threads; all processors if `None`. The answer does not depend on it.

    Returns
    -------
    The service area.

    Raises
    ------
    CRSError
        CG-CRS-001: no CRS. CG-CRS-003: longitude and latitude are swapped.
    InputError
        CG-IN-001: no rows. CG-IN-003: unusable delays. CG-IN-004: unknown direction. CG-IN-005: no such
        column. CG-IN-006: repeated index labels.
    UnitError
        CG-UNIT-002: `minutes`, `max_snap_m` or `buffer_m` out of range.
    NetworkError
        CG-NET-010: no facility is near the network.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> area = cg.service_area(city.network("fire_engine"), city.stations, minutes=[3, 5], direction="from")
    >>> bool(area.dissolved.area_km2.is_monotonic_increasing)
    True
    """
    bands = require_minutes(minutes)
    require_direction(direction)
    require_threads(threads)
    require_buffer(buffer_m)
    log = IssueLog()
    placed = place_facilities(
        network, facilities, delay_s=delay_s, max_snap_m=max_snap_m, log=log, polygons=polygons
    )
    parameters = {
        "mode": network.mode.to_dict(), "minutes": bands, "direction": direction, "delay_s": placed.delay_s.tolist(),
        "max_snap_m": max_snap_m, "buffer_m": buffer_m, "polygons": polygons,
    }  # fmt: skip
    inputs = {**network_input(network), "facilities": provenance.sha256_layer(facilities)}
    found = reached_by(network, placed.places, bands, direction, threads)
    made_by = provenance.describe("service_area", inputs, parameters)
    log.announce()
    log.extend(network.log.found)
    return ServiceArea(network, facilities, bands, direction, buffer_m, placed, found, log, made_by)


def reached_by(
    network: RoadNetwork, places: Places, bands: list[float], direction: Direction, threads: int | None
) -> dict[float, list[EdgeParts]]:
    """
    Search from each facility.

    Parameters
    ----------
    network, places, direction, threads
        Where facilities stand, the way of travel, and worker threads.
    bands
        Minutes, inclusive.

    Returns
    -------
    Reached parts by band and facility row.
    """
    limits = {band: to_ms(band) for band in bands}
    found: dict[float, list[EdgeParts]] = {band: [EdgeParts.none()] * places.n_rows for band in bands}

    def collect(row: int, search: Found) -> None:
        for band, limit in limits.items():
            found[band][row] = EdgeParts.sorted(
                reached_parts(network, direction, places.of(row), search, limit)
            )

    search_each(network, direction, places, max(limits.values()), collect, threads=threads)
    return found


def require_buffer(buffer_m: float) -> None:
    """Raise CG-UNIT-002 unless the drawing radius is above 0 and up to 5,000 m."""
    require_range(
        "buffer_m", buffer_m, 0, MAX_BUFFER_M, "metres", "Give the drawing radius around reached roads."
    )


def network_input(network: RoadNetwork) -> dict[str, str]:
    """Return the network as an input in the provenance of a result."""
    return {f"network {network.source['name']}": network.source["sha256"]}


def travel_times(
    network: RoadNetwork,
    origins: gpd.GeoDataFrame,
    destinations: gpd.GeoDataFrame,
    *,
    minutes: float | None = None,
    max_snap_m: float = 200.0,
    polygons: Polygons = "point",
    engine: Engine = "auto",
    threads: int | None = None,
) -> pd.DataFrame:
    """
    Return the travel time of every pair of origin and destination.

    Parameters
    ----------
    network
        The road network.
    origins, destinations
        Points (or anything a point can stand for) with a CRS.
    minutes
        Inclusive bound; no bound below 24 days if `None`.
    max_snap_m
        Rows farther than this from any road are not on the network.
    polygons
        As in `service_area`, for both layers.
    engine
        ``"dijkstra"`` searches from each row; ``"cch"`` sweeps over the network's contraction hierarchy, which is made
        on first use; ``"auto"`` takes what is predicted to be quicker. The answer does not depend on it.
    threads
        Worker threads; the answer does not depend on it.

    Returns
    -------
    One row per pair: origin, destination (the callers' labels), time_s (inf if not reached), status (``ok``,
    ``out_of_range``, ``no_path``, ``not_snapped``, ``no_geometry``). The stretches between places and their roads are
    part of the time; no delay is.

    Raises
    ------
    InputError, CRSError, NetworkError
        As `service_area`.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> times = cg.travel_times(city.network("drive"), city.stations, city.stations)
    >>> len(times), times.status.unique().tolist()
    (16, ['ok'])
    """
    log = IssueLog()
    limit = LONGEST_MS if minutes is None else to_ms(require_one_bound(minutes))
    require_threads(threads)
    engines.require_engine(engine)
    start, goal = (
        place_facilities(
            network, layer, delay_s=0.0, max_snap_m=max_snap_m, log=log, name=name, polygons=polygons
        )
        for name, layer in (("origins", origins), ("destinations", destinations))
    )
    ms = engines.times(network, "from", start.places, goal.places, limit, engine=engine, threads=threads)
    late = "no_path" if minutes is None else "out_of_range"
    status = np.where(ms == UNREACHED, late, OK).astype(object)
    for snaps, view in ((start.snaps, status), (goal.snaps, status.T)):
        view[~snaps.is_on] = snaps.status[~snaps.is_on][:, None]
    log.announce()
    return pd.DataFrame(
        {
            "origin": np.repeat(origins.index.to_numpy(), len(destinations)),
            "destination": np.tile(destinations.index.to_numpy(), len(origins)),
            "time_s": to_seconds(ms).ravel(),
            "status": status.ravel(),
        }
    )


def nearest(
    network: RoadNetwork,
    origins: gpd.GeoDataFrame | pd.DataFrame,
    facilities: gpd.GeoDataFrame | pd.DataFrame,
    *,
    direction: Direction,
    k: int = 1,
    minutes: float | None = None,
    delay_s: float | str | None = None,
    max_snap_m: float = 200.0,
    polygons: Polygons = "point",
    engine: Engine = "auto",
    threads: int | None = None,
) -> gpd.GeoDataFrame:
    """
    Return each origin's nearest facilities by travel time.

    Parameters
    ----------
    network
        The road network.
    origins, facilities
        Points (or anything a point can stand for) with a CRS; or tables indexed by H3 cells, which stand at their
        centres.
    direction
        ``"to"`` the facility, or ``"from"`` it.
    k
        Number of facilities wanted of each origin.
    minutes
        Inclusive bound; no bound below 24 days if `None`.
    delay_s, max_snap_m, polygons
        As in `service_area`; `polygons` for both layers.
    engine, threads
        As in `travel_times`.

    Returns
    -------
    The origins with facility (its label; missing if none can be reached; among equally near ones the first), time_s
    (inf if none), status (``ok``, ``no_path``, ``out_of_range``, ``not_snapped``, ``no_geometry``) and
    snap_distance_m. With `k` above 1, `k` rows of each origin under its label, and their rank, from 1.

    Raises
    ------
    InputError, CRSError, NetworkError
        As `service_area`.
    UnitError
        CG-UNIT-002: `k` or `minutes` out of range.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> near = cg.nearest(city.network("drive"), city.stations, city.stations, direction="to", k=2)
    >>> len(near), bool((near.facility[near["rank"] == 1] == city.stations.index).all())
    (8, True)
    """
    require_direction(direction)
    require_k(k)
    require_threads(threads)
    engines.require_engine(engine)
    limit = LONGEST_MS if minutes is None else to_ms(require_one_bound(minutes))
    log = IssueLog()
    seekers, sites = standing(origins), standing(facilities)
    placed = place_facilities(
        network, sites.places, delay_s=delay_s, max_snap_m=max_snap_m, log=log, polygons=polygons
    )
    start = place_facilities(
        network,
        seekers.places,
        delay_s=0.0,
        max_snap_m=max_snap_m,
        log=log,
        name="origins",
        polygons=polygons,
    )
    ms, row = engines.nearest(
        network, direction, placed.places, start.places, limit, k=k, engine=engine, threads=threads
    )
    log.announce()
    late = "no_path" if minutes is None else "out_of_range"
    status, is_on = np.repeat(start.snaps.status, k), np.repeat(start.snaps.is_on, k)
    n = len(seekers.rows)
    ranked = seekers.rows.iloc[np.repeat(np.arange(n), k)]
    return ranked.assign(
        **({"rank": np.tile(np.arange(1, k + 1), n)} if k > 1 else {}),
        facility=labels_at(sites.rows.index, row.ravel()),
        time_s=to_seconds(ms.ravel()),
        status=np.where(is_on & (row.ravel() < 0), late, status),
        snap_distance_m=np.repeat(start.snaps.distance_m, k),
    )


def to_seconds(ms: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return seconds, inf where not reached."""
    return np.asarray(np.where(ms == UNREACHED, np.inf, ms / 1000), np.float64)


def labels_at(index: pd.Index[Any], row: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the label of each row, missing where the row is -1."""
    labels = np.full(row.size, None, object)
    labels[row >= 0] = index.to_numpy()[row[row >= 0]]
    return labels
