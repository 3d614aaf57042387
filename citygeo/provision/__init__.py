"""Supply against demand: who gets a place within the minutes, which facilities are full, where places are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo import engine as engines
from citygeo import provenance
from citygeo.access.pairs import pairs_within
from citygeo.coverage.zones import as_levels
from citygeo.demand import from_micro, to_micro
from citygeo.engine import UNREACHED, Places
from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.network.snap import OK
from citygeo.provision.result import Provision
from citygeo.provision.tables import (
    FULL,
    Shares,
    Side,
    city_table,
    demand_table,
    facility_table,
    flow_table,
    zone_tables,
)
from citygeo.provision.transport import Offers, allocate
from citygeo.reach.place import place_facilities, require_direction, require_one_bound, require_threads, to_ms
from citygeo.reach.standing import standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons

__all__ = ["Provision", "provision"]

_PLACED = ("mean_time_s", "status", "snap_distance_m")
_NEW = {
    "demand": ("served", "unserved", "reason", "nearest_facility", "nearest_s", *_PLACED),
    "facilities": ("capacity", "allocated", "spare", "nearest_load", "overload", *_PLACED),
}

TOO_FAR, NOT_CONNECTED = "too_far", "not_connected"


def provision(
    network: RoadNetwork,
    demand: gpd.GeoDataFrame | pd.DataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    minutes: float,
    capacity: str = "capacity",
    population: str = "population",
    zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    direction: Direction = "to",
    delay_s: float | str | None = None,
    max_snap_m: float = 200.0,
    polygons: Polygons = "point",
    threads: int | None = None,
) -> Provision:
    """
    Allocate demand to facilities with capacities within the minutes: most people first, then least total time.

    Parameters
    ----------
    network
        The road network.
    demand
        Who needs a place: points or polygons (a point inside stands for them), or a table indexed by H3 cells, which
        stand at their centres.
    facilities
        Who has places.
    minutes
        Inclusive bound: nobody is sent farther.
    capacity, population
        The columns of `facilities` and `demand` with their numbers, 0 or more; parts are allowed.
    zones
        One layer of zones, or several by level name, for what is missing where. A column ``name`` names them.
    direction
        ``"to"`` the facility, like a pupil, or ``"from"`` it, like a nurse on the way to patients.
    delay_s, max_snap_m, polygons, threads
        As in `service_area`; the snap distance holds for both layers.

    Returns
    -------
    The provision. Served and unserved add up to the demand, and no facility takes more than it holds, to the millionth.

    Raises
    ------
    InputError
        CG-IN-001, 003, 004, 005, 006, 007: as `service_area`, for both layers; numbers that are missing or negative;
        columns that the result would replace.
    UnitError
        CG-UNIT-002: minutes out of range.
    LimitError
        CG-PRO-004: too many pairs within the minutes.
    RunError
        CG-PRO-005: the solver gave up.
    CRSError, NetworkError
        As `service_area`.

    Notes
    -----
    A planner's optimum, not a forecast: people do not choose so. Where several allocations are equally good, one of
    them is given; totals are those of all. See `citygeo.provision.transport.allocate` for the problem solved.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> shops = city.services["pharmacy"].assign(capacity=100)
    >>> homes = city.people.iloc[::100]
    >>> plan = cg.provision(city.network("walk"), homes, shops, minutes=15)
    >>> bool((plan.demand.served + plan.demand.unserved == plan.demand.population).all())
    True
    """
    limit = require_one_bound(minutes)
    require_direction(direction)
    require_threads(threads)
    log = IssueLog()
    needs, has = (
        _side(network, layer, column, log, name=name, delay_s=delay, max_snap_m=max_snap_m, polygons=polygons)
        for layer, column, name, delay in (
            (demand, population, "demand", 0.0), (facilities, capacity, "facilities", delay_s),
        )
    )  # fmt: skip
    levels = as_levels(zones, network.metric_crs, log)
    pairs = pairs_within(
        network, direction, has.placed.places, needs.placed.places, to_ms(limit), threads=threads
    )
    near = Offers(pairs.demand, pairs.facility, pairs.ms)
    amount = allocate(near, needs.micro, has.micro)
    shares = Shares(needs, has, near, near.taken(amount > 0), amount[amount > 0])
    reason = _reasons(network, direction, shares, threads)
    _note_left(shares, reason, log)
    zoned, loaded = zone_tables(shares, levels, log), facility_table(shares)
    log.announce()
    log.extend(network.log.found)
    given = {
        "mode": network.mode.to_dict(), "minutes": limit, "operator": "<=", "capacity": capacity,
        "population": population, "direction": direction, "delay_s": has.placed.delay_s.tolist(),
        "max_snap_m": max_snap_m, "polygons": polygons, "objective": "most served, then least total time",
    }  # fmt: skip
    inputs = {
        f"network {network.source['name']}": network.source["sha256"],
        "demand": provenance.sha256_layer(needs.rows),
        "facilities": provenance.sha256_layer(has.rows),
        **{f"zones {name}": provenance.sha256_layer(level.layer) for name, level in levels.items()},
    }
    return Provision(
        network=network,
        minutes=limit,
        flows=flow_table(shares),
        facilities=loaded,
        demand=demand_table(shares, reason),
        zones=zoned,
        table=city_table(shares, reason, loaded, zoned),
        population=population,
        capacity=capacity,
        log=log,
        provenance=provenance.describe("provision", inputs, given),
    )


def _side(
    network: RoadNetwork,
    layer: Any,
    column: str,
    log: IssueLog,
    *,
    name: str,
    delay_s: float | str | None,
    max_snap_m: float,
    polygons: Polygons,
) -> Side:
    stood = standing(layer)
    placed = place_facilities(
        network, stood.places, delay_s=delay_s, max_snap_m=max_snap_m, log=log, name=name, polygons=polygons
    )
    rows = stood.rows
    if column not in rows.columns:
        raise error("CG-IN-005", layer=name, column=column, columns=", ".join(map(str, rows.columns)))
    # the result repeats the numbers of a column `capacity`; one of any other of these names it would replace
    taken = [new for new in _NEW[name] if new in rows.columns and not new == column == "capacity"]
    if taken:
        raise error(
            "CG-IN-004", argument=name, value=f"a layer with a column {taken[0]}",
            rule="The result has a column of this name.", hint=f"Rename the column of the {name}.",
        )  # fmt: skip
    return Side(rows, placed, to_micro(rows[column], layer=name, column=column))


def _reasons(
    network: RoadNetwork, direction: Direction, shares: Shares, threads: int | None
) -> NDArray[np.object_]:
    """Return why some of a row's people have no place; "" where all have one."""
    placed, n = shares.needs.placed, len(shares.needs.rows)
    status, is_left = placed.snaps.status, shares.left > 0
    has_near = np.bincount(shares.near.demand, minlength=n) > 0
    is_off = is_left & (status != OK)
    is_far = is_left & ~has_near & ~is_off
    reason = np.full(n, "", object)
    reason[is_left & has_near] = FULL
    reason[is_off] = status[is_off]
    places = placed.places
    kept = is_far[places.row]
    far = Places(places.edge[kept], places.share[kept], places.ms[kept], places.row[kept], n)
    ms, _ = engines.nearest(network, direction, shares.has.placed.places, far, threads=threads)
    reason[is_far] = np.where(ms[is_far, 0] == UNREACHED, NOT_CONNECTED, TOO_FAR)
    return reason


def _note_left(shares: Shares, reason: NDArray[np.object_], log: IssueLog) -> None:
    """Record who has no place."""
    total = f"{from_micro(shares.needs.micro.sum()):,.0f}"
    for code, is_it in (("CG-PRO-001", reason == FULL), ("CG-PRO-002", (reason != FULL) & (reason != ""))):
        people = f"{from_micro(shares.left[is_it].sum()):,.0f}"
        log.add(
            code, count=int(is_it.sum()), sample=shares.needs.rows.index[is_it], people=people, total=total
        )
