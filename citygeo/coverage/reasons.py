"""Why people are not covered: the first of a few tests that holds, place by place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from citygeo import datum
from citygeo.coverage.zones import share
from citygeo.engine import UNREACHED
from citygeo.network.snap import NOT_SNAPPED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.coverage.points import PointLayer, Served
    from citygeo.network import RoadNetwork
    from citygeo.network.snap_layer import Polygons
    from citygeo.reach.place import Facilities

DETOUR_FROM = 1.3  # ways at least this many times as long as usual are detours
REASONS = ("no_road", "facility_not_snapped", "not_connected", "barrier", "detour", "too_far")
NO_ROAD, FACILITY_NOT_SNAPPED, NOT_CONNECTED, BARRIER, DETOUR, TOO_FAR = range(len(REASONS))


class Standing(NamedTuple):
    """
    Where facilities stand, as the crow flies.

    Attributes
    ----------
    network
        The network.
    placed
        Facilities on it, in the order of their numbers.
    shapes
        What a straight line to each ends at, metric CRS: a point inside, or, if it stands at its entrances, itself.
    limit_ms, budget_ms
        The bound of each, with and without its delay.
    """

    network: RoadNetwork
    placed: Facilities
    shapes: NDArray[np.object_]
    limit_ms: NDArray[np.int64]
    budget_ms: NDArray[np.int64]

    @classmethod
    def of(
        cls, network: RoadNetwork, placed: Facilities, limit_ms: NDArray[np.int64] | int, polygons: Polygons
    ) -> Standing:
        """Return where placed facilities stand."""
        given = placed.layer.geometry
        if polygons == "point":
            given = gpd.GeoSeries(datum.representative_points(placed.layer), crs=placed.layer.crs)
        shapes = given.to_crs(network.metric_crs).to_numpy()
        limit = np.broadcast_to(np.asarray(limit_ms, np.int64), shapes.size)
        return cls(network, placed, shapes, limit, limit - np.rint(placed.delay_s * 1000).astype(np.int64))


class Barriers(NamedTuple):
    """Barriers in the network's metric CRS, and the name of each."""

    names: NDArray[np.object_]
    shapes: NDArray[np.object_]

    @classmethod
    def of(
        cls,
        network: RoadNetwork,
        barriers: gpd.GeoDataFrame | gpd.GeoSeries | Mapping[str, gpd.GeoDataFrame] | None,
    ) -> Barriers:
        """
        Return barriers by name: a layer's own column ``name``, or the names of several layers.

        Raises
        ------
        CRSError
            CG-CRS-001: no CRS.
        """
        if barriers is None:
            return cls(np.empty(0, object), np.empty(0, object))
        layers = barriers if isinstance(barriers, Mapping) else {"barriers": barriers}
        names, shapes = [], []
        for name, layer in layers.items():
            datum.require_crs(layer, "barriers" if layer is barriers else f"barriers {name}")
            own = layer["name"] if layer is barriers and "name" in layer else None
            called = np.full(len(layer), name, object)
            names.append(called if own is None else np.where(own.isna(), called, own.astype(object)))
            shapes.append(layer.geometry.to_crs(network.metric_crs).to_numpy())
        return cls(np.concatenate(names), np.concatenate(shapes))


class Why(NamedTuple):
    """
    Why places are not covered.

    Attributes
    ----------
    reason
        Number in `REASONS`, `(k,)`.
    closest
        Row of the facility closest in a straight line, `(k,)`.
    straight_m
        How far it is, `(k,)`.
    crossed, crossing
        Numbers of barrier names, and the places whose straight line meets them, `(m,)`; each pair once.
    names
        Names of barriers.
    pace
        Milliseconds that covered people take for a metre of straight line; NaN if nothing is covered.
    """

    reason: NDArray[np.int64]
    closest: NDArray[np.int64]
    straight_m: NDArray[np.float64]
    crossed: NDArray[np.int64]
    crossing: NDArray[np.int64]
    names: NDArray[np.object_]
    pace: float


def why_uncovered(
    standing: Standing,
    layer: PointLayer,
    served: Served,
    rows: NDArray[np.int64],
    barriers: Barriers,
    pace: float,
) -> Why:
    """
    Tell why places are not covered: the first reason that holds.

    The closest facility is that with the shortest straight line. It is *near* if the line, at the pace usual for
    covered people, takes no longer than the minutes less the facility's delay.

    ``no_road``: the place is farther from any road than `max_snap_m`. ``facility_not_snapped``: the closest facility
    is near, but not on the network. ``not_connected``: no facility gets there at all. ``detour``: the closest
    facility is near, yet the way to the nearest takes at least 1.3 times as long as the straight line at that pace.
    ``barrier``: a detour whose straight line meets a barrier. ``too_far``: all others.

    Parameters
    ----------
    standing
        Where facilities stand.
    layer, served
        Places of people and how they are served.
    rows
        The places asked about; each has geometry.
    barriers
        What straight lines may meet.
    pace
        From `usual_pace`.
    """
    places = np.asarray(shapely.points(metric_places(standing.network, layer, rows)), object)
    tree = shapely.STRtree(standing.shapes)
    closest = tree.query_nearest(places, all_matches=False)[1]
    straight_m = shapely.distance(places, standing.shapes[closest])
    lines = shapely.shortest_line(places, standing.shapes[closest])
    crossing, barrier = shapely.STRtree(barriers.shapes).query(lines, predicate="intersects")
    names, number = np.unique(barriers.names.astype(str), return_inverse=True)
    pairs = np.unique(crossing * max(names.size, 1) + number[barrier])
    crossing, crossed = pairs // max(names.size, 1), pairs % max(names.size, 1)
    is_crossing = np.bincount(crossing, minlength=rows.size) > 0

    straight_ms = pace * straight_m
    is_near = straight_ms <= standing.budget_ms[closest]
    ms = served.ms[rows]
    travel_ms = ms.astype(np.int64) - delays_ms(standing, served.facility[rows])
    is_detour = is_near & (travel_ms >= DETOUR_FROM * straight_ms)
    tests = [
        layer.status[rows] == NOT_SNAPPED,
        is_near & ~standing.placed.snaps.is_on[closest],
        ms == UNREACHED,
        is_detour & is_crossing,
        is_detour,
    ]
    reason = np.select(tests, [NO_ROAD, FACILITY_NOT_SNAPPED, NOT_CONNECTED, BARRIER, DETOUR], TOO_FAR)
    return Why(reason, closest, straight_m, crossed, crossing, names.astype(object), pace)


def delays_ms(standing: Standing, facility: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the delay of each facility named by its row; -1, for none, has some delay."""
    return np.asarray((standing.limit_ms - standing.budget_ms)[facility], np.int64)


def usual_pace(standing: Standing, layers: list[tuple[PointLayer, Served]]) -> float:
    """
    Return the milliseconds that covered places of the first layer that has some take for a metre of straight line.

    The time of all, less the delay, is divided by all straight lines to the facilities that serve them.
    """
    for layer, served in layers:
        rows = np.flatnonzero(served.is_covered & (layer.weight > 0))
        facility, weight = served.facility[rows], layer.weight[rows].astype(np.float64)
        metres = _straight_m(metric_places(standing.network, layer, rows), standing.shapes[facility])
        if (weight @ metres) > 0:
            travel_ms = served.ms[rows].astype(np.int64) - delays_ms(standing, facility)
            return float(share(weight @ travel_ms, weight @ metres))
    return float("nan")


def _straight_m(places: NDArray[np.float64], shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return how far each place is from its shape; most shapes are points, which need no shape for the place."""
    if (shapely.get_type_id(shapes) == int(shapely.GeometryType.POINT)).all():
        return np.asarray(np.hypot(*(places - shapely.get_coordinates(shapes)).T), np.float64)
    return np.asarray(shapely.distance(shapely.points(places), shapes), np.float64)


def metric_places(network: RoadNetwork, layer: PointLayer, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return places of a layer in the network's metric CRS, `(k, 2)`."""
    import pyproj

    project: Any = pyproj.Transformer.from_crs(datum.WGS84, network.metric_crs, always_xy=True).transform
    return np.column_stack(project(*layer.lonlat[rows].T))
