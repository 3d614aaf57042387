"""Put points on the network: on an edge, never on a node, with the distance told, capped and charged."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo import datum
from citygeo._run import run_chunks
from citygeo.errors import error
from citygeo.network.boxtree import box_tree
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork

OK, NOT_SNAPPED, NO_GEOMETRY = "ok", "not_snapped", "no_geometry"
SIDES = ("on", "left", "right")  # by the numbers of the kernel
MAX_SNAP_LIMIT_M = 100_000.0
HEADING_TOLERANCE_DEG = 45.0
CHUNK = 65_536
FEW = 64  # places that need no order
HEADING_SLACK_DEG = 1e-6  # what projecting leaves of a bearing that is just at the tolerance
NORTH_DEG = 1e-5  # a metre north, to see where north is in the metric CRS


class Nearest(NamedTuple):
    """What the kernel found: edge; share, distance, x, y of the place; number of the side. NaN and -1 for nothing."""

    edge: NDArray[np.int64]
    place: NDArray[np.float64]
    side: NDArray[np.uint8]


@dataclass(frozen=True)
class Snaps:
    """
    Where points stand on the network, one row per point asked for.

    Attributes
    ----------
    edge
        Edge, -1 where the point is not on the network.
    share
        Place on the edge, 0 at its first node, 1 at its second; NaN where not on the network.
    distance_m
        From the point to the road, also where it is beyond the cap; NaN without geometry.
    side
        ``left`` or ``right`` of the edge as it is drawn; ``on`` it to a centimetre, or straight on beyond its end;
        empty where not on the network.
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
    side: NDArray[np.object_]
    status: NDArray[np.object_]
    walk_off_ms: NDArray[np.int64]
    xy: NDArray[np.float64]

    @classmethod
    def none(cls, n: int) -> Snaps:
        """Return rows without geometry."""
        return cls(
            np.full(n, -1, np.int64), np.full(n, np.nan), np.full(n, np.nan), np.full(n, "", object),
            np.full(n, NO_GEOMETRY, object), np.zeros(n, np.int64), np.full((n, 2), np.nan),
        )  # fmt: skip

    @property
    def is_on(self) -> NDArray[np.bool_]:
        """Whether each point is on the network."""
        return self.edge >= 0

    def fill(self, network: RoadNetwork, rows: NDArray[np.int64], found: Nearest, max_snap_m: float) -> None:
        """Write what was found into its rows, as far as it is within the cap."""
        share, distance, x, y = found.place.T
        self.distance_m[rows] = distance
        self.status[rows] = NOT_SNAPPED
        near = distance <= max_snap_m
        on = rows[near]
        self.edge[on] = found.edge[near]
        self.share[on] = share[near]
        self.xy[on] = np.column_stack((x, y))[near]
        self.side[on] = np.array(SIDES, object)[found.side[near]]
        self.walk_off_ms[on] = np.rint(network.mode.walk_off_ms(1.0) * distance[near]).astype(np.int64)
        self.status[on] = OK

    def take(self, rows: NDArray[np.int64]) -> Snaps:
        """Return some of the rows, in the order given."""
        return Snaps(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def snap_points(
    network: RoadNetwork,
    points: NDArray[np.object_],
    crs: Any,
    *,
    max_snap_m: float = 200.0,
    heading: NDArray[np.float64] | float | None = None,
    heading_tolerance_deg: float = HEADING_TOLERANCE_DEG,
    side: str | None = None,
    threads: int | None = None,
) -> Snaps:
    """
    Put points on their nearest open edge; among equally near edges, to the micrometre, on the first.

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
    heading
        Degrees clockwise from north in which each point travels, one for all or one each, NaN for unknown: only
        roads that are open in about this direction.
    heading_tolerance_deg
        How far the road may turn away from the heading (inclusive), 0 to 180.
    side
        ``"right"`` or ``"left"``: only roads on which the point lies on that side of an open direction of travel,
        where a vehicle would stop without crossing the road. Points on a road lie on both sides of it.
    threads
        Worker threads; all processors if `None`. The answer does not depend on it.

    Returns
    -------
    One row per point; distances are to the nearest road that suits.

    Raises
    ------
    UnitError
        CG-UNIT-002 if `max_snap_m` is negative, not a number or above 100 km, or if the tolerance is not an angle.
    InputError
        CG-IN-004 if `side` is not known.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> points = datum.representative_points(city.stations)
    >>> snap_points(city.network("drive"), points, city.stations.crs).status.tolist()
    ['ok', 'ok', 'ok', 'ok']
    """
    import shapely

    require_options(max_snap_m, heading_tolerance_deg, side)
    snaps = Snaps.none(len(points))
    rows = np.flatnonzero(~shapely.is_missing(points) & ~shapely.is_empty(points))
    given = shapely.get_coordinates(points[rows])
    project = _transformer(crs, network.metric_crs)
    places = np.column_stack(project.transform(*given.T))
    course = np.full(rows.size, np.nan)
    if heading is not None:
        north = _north(given, crs, network.metric_crs)
        course = np.broadcast_to(np.asarray(heading, np.float64), len(points))[rows] + north
    found = nearest_roads(
        network, places, heading=course, tolerance_deg=heading_tolerance_deg, side=side, threads=threads
    )
    snaps.fill(network, rows, found, max_snap_m)
    return snaps


def is_within(value: Any, high: float) -> bool:
    """Tell whether an argument is a number from 0 to `high`."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return bool(is_number and 0 <= value <= high)


def require_options(max_snap_m: float, heading_tolerance_deg: float, side: str | None) -> None:
    """Raise CG-UNIT-002 or CG-IN-004 unless the options of `snap_points` can be used."""
    if not is_within(max_snap_m, MAX_SNAP_LIMIT_M):
        raise error(
            "CG-UNIT-002", argument="max_snap_m", value=max_snap_m, low=0, high=int(MAX_SNAP_LIMIT_M), unit="metres",
            hint="Give the largest distance from a place to its road.",
        )  # fmt: skip
    if not is_within(heading_tolerance_deg, 180):
        raise error(
            "CG-UNIT-002", argument="heading_tolerance_deg", value=heading_tolerance_deg, low=0, high=180,
            unit="degrees", hint="45 takes the roads ahead; 180 takes all.",
        )  # fmt: skip
    if side not in (None, "left", "right"):  # not a set: a list has no hash
        raise error(
            "CG-IN-004", argument="side", value=side, rule='It is "right" or "left" of the direction of travel.',
            hint="Leave it out to take the nearest road.",
        )  # fmt: skip


def _transformer(crs: Any, to: Any) -> pyproj.Transformer:
    import pyproj

    return pyproj.Transformer.from_crs(crs, to, always_xy=True)


def _north(given: NDArray[np.float64], crs: Any, metric: Any) -> NDArray[np.float64]:
    """Return the direction of true north at each point, in degrees clockwise from the y axis of the metric CRS."""
    lon, lat = _transformer(crs, datum.WGS84).transform(*given.T)
    ahead = _transformer(datum.WGS84, metric)
    here, there = np.array(ahead.transform(lon, lat)), np.array(ahead.transform(lon, lat + NORTH_DEG))
    with np.errstate(invalid="ignore"):  # places that no projection can take
        east, north = there - here
    angle: NDArray[np.float64] = np.degrees(np.arctan2(east, north))
    return angle


def nearest_roads(
    network: RoadNetwork,
    places: NDArray[np.float64],
    *,
    heading: NDArray[np.float64] | None = None,
    tolerance_deg: float = HEADING_TOLERANCE_DEG,
    side: str | None = None,
    threads: int | None = None,
) -> Nearest:
    """
    Find the nearest open road of each place in the network's metric CRS, however far.

    Parameters
    ----------
    network
        Where to.
    places
        Metres, shape `(k, 2)`.
    heading
        As in `snap_points`, but clockwise from the y axis of the metric CRS, `(k,)`.
    tolerance_deg, side, threads
        As in `snap_points`.
    """
    from citygeo._kernels.nearest import nearest_places

    tree, ways = box_tree(network), _open_ways(network)
    n = len(places)
    found = Nearest(np.empty(n, np.int64), np.empty((n, 4)), np.empty(n, np.uint8))
    wanted = SIDES.index(side or "on")
    course = np.full(n, np.nan) if heading is None else heading

    def work(low: int, high: int, stop: NDArray[np.uint8]) -> None:
        own = slice(low, high)
        nearest_places(
            *tree, ways, places[own], _coherent_order(places[own]), course[own], tolerance_deg + HEADING_SLACK_DEG,
            wanted, stop, found.edge[own], found.place[own], found.side[own],
        )  # fmt: skip

    run_chunks(work, n, chunk=CHUNK, threads=threads)
    return found


def _open_ways(network: RoadNetwork) -> NDArray[np.uint8]:
    """Return the open directions of each edge as the kernel wants them."""
    from citygeo._kernels.nearest import AGAINST, ALONG

    along, against = network.arrays["edge_along_ms"], network.arrays["edge_against_ms"]
    ways: NDArray[np.uint8] = ((along != CLOSED) * ALONG + (against != CLOSED) * AGAINST).astype(np.uint8)
    return ways


def _coherent_order(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return an order in which neighbours follow each other: along a Hilbert curve of 256 x 256 cells."""
    from citygeo._kernels.chains import hilbert_keys

    if len(places) < FEW:
        return np.arange(len(places))
    usable = np.isfinite(places).all(axis=1)
    cell = np.zeros(places.shape, np.int64)
    if usable.any():
        low, high = places[usable].min(axis=0), places[usable].max(axis=0)
        size = max(float((high - low).max()), 1e-9)
        cell[usable] = (places[usable] - low) / size * 255
    key = np.empty(len(places), np.int64)
    hilbert_keys(cell[:, 0].copy(), cell[:, 1].copy(), np.int64(8), key)
    return np.argsort(key.astype(np.uint16), kind="stable")


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
    import shapely

    given = ~shapely.is_missing(points)
    if snaps.is_on.any() or not given.any():
        return
    require_axes(network, points, crs, name)
    nearest = "unknown" if np.isnan(snaps.distance_m).all() else f"{np.nanmin(snaps.distance_m):,.0f}"
    raise error("CG-NET-010", total=int(given.sum()), layer=name, max_snap_m=f"{cap_m:g}", nearest_m=nearest)


def require_axes(network: RoadNetwork, points: NDArray[np.object_], crs: Any, name: str) -> None:
    """Raise CG-CRS-003 if more than half of the points lie in the network's extent once x and y are swapped."""
    import shapely

    x, y = shapely.get_coordinates(points[~shapely.is_missing(points)]).T
    west, south, east, north = network.bounds
    lon, lat = _transformer(crs, datum.WGS84).transform(y, x)
    fits = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if fits.mean() > 0.5:
        sample = ", ".join(f"({a:.5g}, {b:.5g})" for a, b in zip(x[:3], y[:3], strict=True))
        raise error("CG-CRS-003", count=int(fits.sum()), total=x.size, layer=name, sample=sample)
