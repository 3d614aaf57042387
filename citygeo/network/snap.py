"""Put points on the network: on an edge, never on a node, with the distance told, capped and charged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo import datum
from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork

OK, NOT_SNAPPED, NO_GEOMETRY = "ok", "not_snapped", "no_geometry"
MAX_SNAP_LIMIT_M = 100_000.0


@dataclass(frozen=True)
class Snaps:
    """
    Where points stand on the network, one row per point asked for.

    Attributes
    ----------
    edge
        Edge, -1 where the point is not on the network.
    share
        Place on the edge, 0 at its first node, 1 at its second.
    distance_m
        From the point to the road, also where it is beyond the cap; NaN without geometry.
    status
        ``ok``, ``not_snapped`` (beyond the cap) or ``no_geometry``.
    walk_off_ms
        What the stretch between point and road costs, in whole milliseconds; 0 where not on the network.
    xy
        Place on the road in the network's metric CRS, shape `(k, 2)`; NaN where not on the network.
    """

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    status: NDArray[np.object_]
    walk_off_ms: NDArray[np.int64]
    xy: NDArray[np.float64]

    @property
    def is_on(self) -> NDArray[np.bool_]:
        """Whether each point is on the network."""
        return self.edge >= 0


def snap_points(
    network: RoadNetwork, points: NDArray[np.object_], crs: Any, *, max_snap_m: float = 200.0
) -> Snaps:
    """
    Put points on their nearest edge; among equally near edges on the first.

    Parameters
    ----------
    network
        Where to.
    points
        shapely points, `None` where there is none.
    crs
        Their CRS.
    max_snap_m
        Points farther from any road are not put on it (inclusive bound). Distances are metres of the network's
        UTM zone, up to 0.1 % off.

    Returns
    -------
    One row per point.

    Raises
    ------
    UnitError
        CG-UNIT-002 if `max_snap_m` is negative, not a number or above 100 km.
    """
    import shapely

    if not 0 <= max_snap_m <= MAX_SNAP_LIMIT_M:
        raise error(
            "CG-UNIT-002", argument="max_snap_m", value=max_snap_m, low=0, high=int(MAX_SNAP_LIMIT_M), unit="metres",
            hint="Give the largest distance from a place to its road.",
        )  # fmt: skip
    n = len(points)
    snaps = Snaps(
        np.full(n, -1, np.int64), np.full(n, np.nan), np.full(n, np.nan), np.full(n, NO_GEOMETRY, object),
        np.zeros(n, np.int64), np.full((n, 2), np.nan),
    )  # fmt: skip
    rows = np.flatnonzero(~shapely.is_missing(points) & ~shapely.is_empty(points))
    if rows.size == 0:
        return snaps
    places = _project(points[rows], crs, network)
    row, edge = _nearest_edges(network, places)
    snaps.distance_m[rows[row]] = shapely.distance(places[row], network.lines_metric[edge])
    snaps.status[rows] = NOT_SNAPPED
    near = snaps.distance_m[rows[row]] <= max_snap_m
    row, edge = row[near], edge[near]
    on, lines = rows[row], network.lines_metric[edge]
    snaps.edge[on] = edge
    share = shapely.line_locate_point(lines, places[row], normalized=True)
    snaps.share[on] = np.where(shapely.length(lines) > 0, share, 0.0)
    snaps.xy[on] = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, snaps.share[on], normalized=True)
    )
    snaps.walk_off_ms[on] = np.rint(network.mode.walk_off_ms(1.0) * snaps.distance_m[on]).astype(np.int64)
    snaps.status[on] = OK
    return snaps


def _project(points: NDArray[np.object_], crs: Any, network: RoadNetwork) -> NDArray[np.object_]:
    import pyproj
    import shapely

    project = pyproj.Transformer.from_crs(crs, network.metric_crs, always_xy=True).transform
    return np.asarray(shapely.points(np.column_stack(project(*shapely.get_coordinates(points).T))), object)


def _nearest_edges(
    network: RoadNetwork, places: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and nearest edge of each place that has finite coordinates, the lowest edge among equals."""
    import shapely

    usable = np.flatnonzero(np.isfinite(shapely.get_coordinates(places)).all(axis=1))
    row, edge = network.tree.query_nearest(places[usable], all_matches=True)
    order = np.lexsort((edge, row))
    row, edge = row[order], edge[order]
    is_first = np.ones(row.size, np.bool_)
    is_first[1:] = row[1:] != row[:-1]
    return usable[row[is_first]], edge[is_first]


def require_place(
    network: RoadNetwork, points: NDArray[np.object_], crs: Any, snaps: Snaps, name: str, cap_m: float
) -> None:
    """
    Raise if no point is on the network, saying whether x and y look swapped.

    Parameters
    ----------
    network, points, crs, snaps
        As in `snap_points`, and what it returned.
    name
        What the caller calls the layer.
    cap_m
        The cap used, for the message.

    Raises
    ------
    CRSError
        CG-CRS-003: the points lie in the network's extent once swapped.
    NetworkError
        CG-NET-010: they are too far away.
    """
    import pyproj
    import shapely

    given = ~shapely.is_missing(points)
    if snaps.is_on.any() or not given.any():
        return
    lonlat = pyproj.Transformer.from_crs(crs, datum.WGS84, always_xy=True)
    x, y = shapely.get_coordinates(points[given]).T
    west, south, east, north = network.bounds
    swapped_lon, swapped_lat = lonlat.transform(y, x)
    fits = (swapped_lon >= west) & (swapped_lon <= east) & (swapped_lat >= south) & (swapped_lat <= north)
    if fits.mean() > 0.5:
        sample = ", ".join(f"({a:.5g}, {b:.5g})" for a, b in zip(x[:3], y[:3], strict=True))
        raise error("CG-CRS-003", count=int(fits.sum()), total=x.size, layer=name, sample=sample)
    nearest = "unknown" if np.isnan(snaps.distance_m).all() else f"{np.nanmin(snaps.distance_m):,.0f}"
    raise error("CG-NET-010", total=x.size, layer=name, max_snap_m=f"{cap_m:g}", nearest_m=nearest)
