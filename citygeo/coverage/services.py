"""Services people need within reach: each a layer of facilities with limits of its own, placed and searched once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from citygeo import engine
from citygeo.coverage.points import NEVER_MS
from citygeo.engine import UNREACHED
from citygeo.errors import error
from citygeo.reach import to_ms
from citygeo.reach.place import own_minutes, place_facilities

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from citygeo.engine import Places
    from citygeo.issues import IssueLog
    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons
    from citygeo.reach.place import Facilities

MOST_SERVICES = 60  # what each place lacks is kept in the bits of one number
OWN_COLUMNS = frozenset(
    ("level", "zone", "name", "population", "score", "n_services", "lacks", "status", "h3_cell", "geometry")
)


class Service(NamedTuple):
    """
    One service.

    Attributes
    ----------
    name
        The caller's name of it.
    layer
        Its facilities.
    minutes
        The longest limit of its facilities.
    placed
        The facilities on the network; `None` if there are none.
    """

    name: str
    layer: gpd.GeoDataFrame
    minutes: float
    placed: Facilities | None

    @property
    def n_placed(self) -> int:
        """How many facilities are on the network."""
        return 0 if self.placed is None else int(self.placed.snaps.is_on.sum())


class Nearest(NamedTuple):
    """Milliseconds to the nearest facility of a service, `(n,)`, UNREACHED if none, and how much beyond its limit."""

    ms: NDArray[np.uint32]
    over_ms: NDArray[np.int64]


def place_services(
    network: RoadNetwork,
    services: Mapping[str, gpd.GeoDataFrame],
    *,
    minutes: float | str | Mapping[str, float | str],
    delay_s: float | str | Mapping[str, float | str | None] | None,
    polygons: Polygons | Mapping[str, Polygons],
    max_snap_m: float,
    log: IssueLog,
) -> list[Service]:
    """
    Check services and put their facilities on the network; those without any facility are recorded.

    Raises
    ------
    InputError
        CG-COV-031: no service, or too many. CG-COV-032: a name that cannot be used. CG-IN-004: options that do not
        name each service. Others as `place_facilities` and `own_minutes`.
    """
    _require_services(services)
    limits = per_service("minutes", minutes, services)
    delays = per_service("delay_s", delay_s, services)
    stands = per_service("polygons", polygons, services)
    placed = []
    for name, layer in services.items():
        label = f"services {name}"
        if _is_empty(layer):
            # limits in a column of a layer without rows are not known
            limit = (
                0.0
                if isinstance(limits[name], str)
                else own_minutes(layer, limits[name], label).max(initial=0)
            )
            placed.append(Service(name, layer, float(limit), None))
            continue
        bounds = own_minutes(layer, limits[name], label)
        limit_ms = np.array([to_ms(bound) for bound in bounds], np.int64)
        facilities = place_facilities(
            network, layer, delay_s=delays[name], max_snap_m=max_snap_m, log=log, name=label, polygons=stands[name],
            late_ms=limit_ms.max() - limit_ms,
        )  # fmt: skip
        placed.append(Service(name, layer, float(bounds.max()), facilities))
    empty = [service.name for service in placed if service.placed is None]
    log.add("CG-COV-030", count=len(empty), sample=empty)
    return placed


def nearest_of(
    network: RoadNetwork, direction: Direction, service: Service, people: Places, threads: int | None
) -> Nearest:
    """Find the nearest facility of a service for each place of people, by one search from all facilities."""
    if service.placed is None:
        return Nearest(np.full(people.n_rows, UNREACHED), np.full(people.n_rows, NEVER_MS))
    found, row = engine.nearest(network, direction, service.placed.places, people, threads=threads)
    ms, facility = found[:, 0].copy(), row[:, 0]
    is_reached = facility >= 0
    over_ms = np.where(is_reached, ms.astype(np.int64) - to_ms(service.minutes), NEVER_MS)
    ms[is_reached] -= service.placed.late_ms[facility[is_reached]].astype(np.uint32)
    return Nearest(ms, over_ms)


def per_service(argument: str, given: Any, services: Iterable[str]) -> dict[str, Any]:
    """Return the option of each service, given for all or by name; raise CG-IN-004 unless each has one."""
    names = list(services)
    if not isinstance(given, Mapping):
        return dict.fromkeys(names, given)
    unknown, missing = (
        [name for name in given if name not in names],
        [name for name in names if name not in given],
    )
    if unknown or missing:
        raise error(
            "CG-IN-004", argument=argument, value=", ".join(map(str, given)),
            rule=f"It says something for each of the services {', '.join(names)}.",
            hint=f"Not named: {', '.join(missing) or 'none'}; not a service: {', '.join(map(str, unknown)) or 'none'}.",
        )  # fmt: skip
    return dict(given)


def require_weights(weights: Mapping[str, float] | None, services: Iterable[str]) -> NDArray[np.float64]:
    """Return the weight of each service, 1 by default; raise CG-IN-004 unless all are 0 or more and some is not 0."""
    given = per_service("weights", 1.0 if weights is None else weights, services)
    is_number = [isinstance(w, int | float | np.number) and not isinstance(w, bool) for w in given.values()]
    values = np.array(list(given.values()), np.float64) if all(is_number) else np.full(len(given), np.nan)
    if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
        raise error(
            "CG-IN-004", argument="weights", value=weights, rule="They are numbers from 0, not all 0.",
            hint="Leave weights out to count each service alike.",
        )  # fmt: skip
    return values


def _require_services(services: Any) -> None:
    if not isinstance(services, Mapping) or not 0 < len(services) <= MOST_SERVICES:
        size = len(services) if isinstance(services, Mapping) else type(services).__name__
        raise error("CG-COV-031", found=size, most=MOST_SERVICES)
    counts = {"any", "all", *(f"at_least_{n}" for n in range(1, len(services) + 1))}
    bad = [
        str(name)
        for name in services
        if not isinstance(name, str) or name in OWN_COLUMNS | counts or not name
    ]
    if bad:
        raise error("CG-COV-032", names=", ".join(bad) or "''")
    for name, layer in services.items():
        if not isinstance(layer, gpd.GeoDataFrame) or layer.active_geometry_name is None:
            raise error("CG-IN-007", layer=f"services {name}", kind=type(layer).__name__)


def _is_empty(layer: gpd.GeoDataFrame) -> bool:
    shapes = layer.geometry.to_numpy()
    return bool((shapely.is_missing(shapes) | shapely.is_empty(shapes)).all())
