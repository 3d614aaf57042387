"""Floating catchments: capacity shared out among all who reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from citygeo import engine as engines
from citygeo import provenance
from citygeo.access.decay import faded, name_of
from citygeo.access.opportunities import numbers_of, require_free
from citygeo.access.pairs import pairs_within
from citygeo.access.result import Accessibility, Question, asked_rows
from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.reach.place import (
    MAX_MINUTES,
    place_facilities,
    require_direction,
    require_minutes,
    require_threads,
    to_ms,
)
from citygeo.reach.standing import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.access.decay import Fading
    from citygeo.access.pairs import Pairs
    from citygeo.engine import Engine
    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons
    from citygeo.reach.place import Facilities

Method = Literal["2sfca", "e2sfca", "m2sfca", "3sfca"]


@dataclass(frozen=True)
class Shares:
    """
    What floating catchments come to within one bound.

    Attributes
    ----------
    access
        Capacity per person of each row of demand, `(demand,)`.
    people
        People in the catchment of each facility, `(facilities,)`.
    demand
        The same, each weighed as the method does.
    ratio
        Capacity by weighed demand; NaN without any.
    """

    access: NDArray[np.float64]
    people: NDArray[np.float64]
    demand: NDArray[np.float64]
    ratio: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        pairs: Pairs,
        weight: NDArray[np.float64],
        capacity: NDArray[np.float64],
        population: NDArray[np.float64],
        method: Method,
    ) -> Shares:
        """Share out the capacity; see `floating_catchment` for the formulas."""
        asking = weight
        if method == "3sfca":
            total = pairs.by_demand(weight)[pairs.demand]
            asking = weight * np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
        given = weight * weight if method == "m2sfca" else asking
        people = population[pairs.demand]
        demand = pairs.by_facility(people * asking)
        ratio = np.divide(capacity, demand, out=np.full_like(capacity, np.nan), where=demand > 0)
        access = pairs.by_demand(np.nan_to_num(ratio, nan=0.0)[pairs.facility] * given)
        return cls(access, pairs.by_facility(people), demand, ratio)


def floating_catchment(
    network: RoadNetwork,
    demand: gpd.GeoDataFrame | pd.DataFrame,
    facilities: gpd.GeoDataFrame | pd.DataFrame,
    *,
    minutes: float | Sequence[float] | str,
    method: Method = "2sfca",
    capacity: str | None = "capacity",
    population: str | None = "population",
    decay: Fading | None = None,
    direction: Direction = "to",
    delay_s: float | str | None = None,
    max_snap_m: float = 200.0,
    polygons: Polygons = "point",
    engine: Engine = "auto",
    threads: int | None = None,
) -> Accessibility:
    """
    Share out the capacity of facilities among all who reach them, and add up what each person gets.

    With ``S_j`` the capacity of facility j, ``P_i`` the people at i, ``t_ij`` the minutes between them, ``w_ij`` what
    the decay says of these (0 beyond the catchment):

    - ``"2sfca"``: ``A_i = sum_j S_j / (sum_k P_k)`` over those within the catchment. Luo & Wang (2003), "Measures of
      spatial accessibility to health care in a GIS environment", Environment and Planning B 30(6).
    - ``"e2sfca"``: ``A_i = sum_j w_ij S_j / (sum_k w_kj P_k)``. Luo & Qi (2009), "An enhanced two-step floating
      catchment area (E2SFCA) method", Health & Place 15(4).
    - ``"m2sfca"``: ``A_i = sum_j w_ij**2 S_j / (sum_k w_kj P_k)``: capacity that is far from everybody is not used
      up. Delamater (2013), "Spatial accessibility in suboptimally configured health care systems", Health & Place 24.
    - ``"3sfca"``: ``A_i = sum_j g_ij w_ij S_j / (sum_k g_kj w_kj P_k)`` with ``g_ij = w_ij / sum_j w_ij``: who has
      many facilities asks less of each. Wan, Zou & Sternberg (2012), "A three-step floating catchment area method for
      analyzing spatial access to health services", Int. J. of Geographical Information Science 26(6).

    What all people get adds up to the capacity of the facilities that have demand in reach; with ``"m2sfca"`` to less.

    Parameters
    ----------
    network
        The road network.
    demand
        Points, or anything a point can stand for, with a CRS; or a table indexed by H3 cells, which stand at their
        centres.
    facilities
        The same.
    minutes
        One or several inclusive bounds of the catchments, above 0 and up to 1,440; or the column of the facilities with
        the bound of each (variable catchments).
    method
        See above.
    capacity, population
        Columns of `facilities` and `demand`, 0 or more; each row counts 1 if `None`.
    decay
        What counts at so many minutes, 0 to 1: one of `citygeo.decay`, or a function of an array. Needed by all
        methods but ``"2sfca"``, which has none: ``citygeo.decay.step({10: 1, 20: 0.68, 30: 0.22})`` are the zones of
        Luo & Qi.
    direction
        ``"to"`` the facilities, like a patient, or ``"from"`` them, like a nurse.
    delay_s, max_snap_m, polygons
        As in `accessibility`.
    engine, threads
        As in `travel_times`; the answer does not depend on them.

    Returns
    -------
    The demand, one row for each of the minutes under its label: minutes (NaN if each facility has its own), access
    (capacity per person; 0 where no facility is in reach, NaN where the demand is not on the network), status and
    snap_distance_m. ``.facilities`` has one row per facility and bound: minutes, capacity, people_in_reach,
    demand_in_reach (the same, weighed as in the formula), ratio (NaN without demand in reach), status,
    snap_distance_m, geometry.

    Raises
    ------
    InputError
        CG-IN-003: unusable capacities, people, minutes or delays. CG-IN-004: an unknown method, a decay that is missing
        or is not 0 to 1, a column of the demand that would be replaced. CG-IN-005: no such column. Others as
        `service_area`.
    UnitError
        CG-UNIT-002: minutes out of range.
    LimitError
        CG-ACC-003: more than 50 million pairs within the minutes.
    CRSError, NetworkError
        As `service_area`.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> people = city.people.iloc[:200]
    >>> stations = city.stations.assign(capacity=10)
    >>> found = cg.floating_catchment(city.network("drive"), people, stations, minutes=10)
    >>> shared_out = (found.access * found.population).sum()
    >>> round(float(shared_out), 6) == 10 * int((found.facilities.demand_in_reach > 0).sum())
    True
    """
    _require_choices(method, decay)
    bands = () if isinstance(minutes, str) else tuple(require_minutes(minutes))
    require_direction(direction)
    require_threads(threads)
    engines.require_engine(engine)
    log = IssueLog()
    people, sites = standing(demand), standing(facilities)
    start, goal = (
        place_facilities(
            network, stood.places, delay_s=delay, max_snap_m=max_snap_m, log=log, name=name, polygons=polygons
        )
        for stood, delay, name in ((people, 0.0, "demand"), (sites, delay_s, "facilities"))
    )
    require_free(["access"], people.rows, "demand")
    seats = _numbers(sites.rows, capacity, "facilities")
    heads = _numbers(people.rows, population, "demand")
    limits = _limits(sites.rows, minutes) if isinstance(minutes, str) else to_ms(bands[-1])
    pairs = pairs_within(
        network, direction, goal.places, start.places, limits, engine=engine, threads=threads
    )
    weight = np.ones(pairs.ms.size) if decay is None else faded(decay, pairs.minutes)
    found = []
    for band in bands or (None,):
        is_near = slice(None) if band is None else pairs.ms <= to_ms(band)
        found.append(Shares.of(pairs.taken(is_near), weight[is_near], seats, heads, method))
    _note_idle(found[-1], goal, seats, heads, population, log)
    log.announce()
    log.extend(network.log.found)
    given = {
        "mode": network.mode.to_dict(), "minutes": minutes if isinstance(minutes, str) else list(bands),
        "method": method, "capacity": capacity, "population": population, "direction": direction,
        "decay": None if decay is None else name_of(decay), "delay_s": goal.delay_s.tolist(),
        "max_snap_m": max_snap_m, "polygons": polygons, "operator": "<=",
    }  # fmt: skip
    inputs = {
        f"network {network.source['name']}": network.source["sha256"],
        "demand": provenance.sha256_layer(people.rows),
        "facilities": provenance.sha256_layer(sites.rows),
    }
    made_by = provenance.describe("floating_catchment", inputs, given)
    told = _facility_table(found, goal, seats, bands)
    question = Question(network, direction, "floating_catchment", ("access",), bands, log, made_by, told)
    access = np.column_stack([shares.access for shares in found])
    access[~start.snaps.is_on] = np.nan
    table = asked_rows(people.rows, bands or (np.nan,), {"access": access.ravel()}, start)
    return Accessibility.of(table, question)


def _require_choices(method: str, decay: object) -> None:
    """Raise CG-IN-004 unless the method is known and has the decay it needs."""
    if method not in get_args(Method):
        raise error(
            "CG-IN-004", argument="method", value=method, rule=f"It is one of {', '.join(get_args(Method))}.",
            hint="2sfca counts all within the catchment alike.",
        )  # fmt: skip
    if (decay is None) != (method == "2sfca"):
        raise error(
            "CG-IN-004", argument="decay", value=decay,
            rule="2sfca has no decay, and the other methods need one.",
            hint='Use method="e2sfca" with, for example, decay=citygeo.decay.gaussian(8).',
        )  # fmt: skip


def _numbers(rows: Any, column: str | None, name: str) -> NDArray[np.float64]:
    return np.ones(len(rows)) if column is None else numbers_of(rows, column, name)


def _limits(facilities: Any, column: str) -> NDArray[np.int64]:
    """Return the bound of each facility in milliseconds; raise CG-IN-003 unless all are above 0 and up to a day."""
    minutes = numbers_of(facilities, column, "facilities")
    is_bad = ~((minutes > 0) & (minutes <= MAX_MINUTES))
    if is_bad.any():
        raise error(
            "CG-IN-003", count=int(is_bad.sum()), total=is_bad.size, layer="facilities", column=column,
            sample=", ".join(str(label) for label in facilities.index[is_bad][:5]),
            rule=f"minutes above 0 and up to {MAX_MINUTES:g}",
        )  # fmt: skip
    return np.array([to_ms(bound) for bound in minutes], np.int64)


def _note_idle(
    widest: Shares,
    placed: Facilities,
    capacity: NDArray[np.float64],
    people: NDArray[np.float64],
    population: str | None,
    log: IssueLog,
) -> None:
    """Record facilities on the network that nobody reaches, and demand without people."""
    if not people.any():
        log.add("CG-ACC-002", count=people.size, column=population)
    is_idle = placed.snaps.is_on & np.isnan(widest.ratio)
    log.add(
        "CG-ACC-001", count=int(is_idle.sum()), total=is_idle.size, sample=placed.layer.index[is_idle],
        capacity=f"{capacity[is_idle].sum():g}",
    )  # fmt: skip


def _facility_table(
    found: list[Shares], placed: Facilities, capacity: NDArray[np.float64], bands: tuple[float, ...]
) -> gpd.GeoDataFrame:
    """Return what each facility has to give, one row for each bound."""
    import geopandas as gpd

    n, size = len(found), len(placed.layer)
    row = np.repeat(np.arange(size), n)
    data = {
        "minutes": np.tile(bands or (np.nan,), size),
        "capacity": capacity[row],
        "people_in_reach": np.column_stack([shares.people for shares in found]).ravel(),
        "demand_in_reach": np.column_stack([shares.demand for shares in found]).ravel(),
        "ratio": np.column_stack([shares.ratio for shares in found]).ravel(),
        "status": placed.snaps.status[row],
        "snap_distance_m": placed.snaps.distance_m[row],
    }
    geometry = placed.layer.geometry.to_numpy()[row]
    return gpd.GeoDataFrame(data, geometry=geometry, crs=placed.layer.crs, index=placed.layer.index[row])
