"""Everything coverage counts, as points on the network: people, buildings and stretches of road."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from citygeo import datum, demand, engine, hexgrid
from citygeo.engine import Places
from citygeo.errors import error
from citygeo.network.boxtree import box_tree
from citygeo.network.snap import NO_GEOMETRY, NOT_SNAPPED, OK, require_place, snap_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import Direction, RoadNetwork

ROAD_SAMPLE_M = 25.0
FEW = 0.01  # a smaller share of rows off the network is no cause for alarm
FAST_ROADS = ("motorway", "motorway_link", "trunk", "trunk_link")  # nobody lives on them
DEEPEST = 3  # depth 3 means three facilities or more
NEVER_MS = np.iinfo(np.int64).max


@dataclass(frozen=True)
class PointLayer:
    """
    Points with a weight, placed on the network.

    Attributes
    ----------
    places
        Where they stand; `ms` is the stretch to their road.
    weight
        Micro-people, buildings, or micrometres of road; whole numbers, so that sums are exact.
    lonlat
        WGS 84 degrees, shape `(k, 2)`; NaN without geometry.
    status
        ``ok``, ``not_snapped`` or ``no_geometry``.
    snap_distance_m
        From the point to its road.
    index
        The caller's label of each point.
    columns
        What else each point weighs, by the caller's column: millionths, whole numbers.
    """

    places: Places
    weight: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    status: NDArray[np.object_]
    snap_distance_m: NDArray[np.float64]
    index: pd.Index[Any]
    columns: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.weight.size

    def at_walk(self, factor: float) -> PointLayer:
        """Return the layer with the stretches to roads taking so many times as long."""
        ms = np.rint(self.places.ms * factor).astype(np.int64)
        return replace(self, places=self.places._replace(ms=ms))

    def cells(self, resolution: int) -> NDArray[np.uint64]:
        """Return the H3 cell of each point, 0 without geometry."""
        cells = np.zeros(len(self), np.uint64)
        has_place = np.isfinite(self.lonlat).all(axis=1)
        lon, lat = self.lonlat[has_place].T
        cells[has_place] = hexgrid.cells_of_points(lon, lat, resolution)
        return cells

    def points(self) -> NDArray[np.object_]:
        """Return shapely points in WGS 84, `None` without geometry."""
        return self._points.copy()

    @cached_property
    def _points(self) -> NDArray[np.object_]:
        has_place = np.isfinite(self.lonlat).all(axis=1)
        points = np.full(len(self), None, object)
        points[has_place] = shapely.points(self.lonlat[has_place])
        return points


@dataclass(frozen=True)
class Served:
    """
    How points of a layer are served.

    Attributes
    ----------
    ms
        Milliseconds from or to the nearest facility, 4294967295 if none. Where facilities have limits of their own,
        the nearest is the one with least time beyond its limit.
    facility
        Its row, -1 if none.
    depth
        Number of facilities within the minutes.
    over_ms
        `ms` less the limit of that facility, `NEVER_MS` if none.
    """

    ms: NDArray[np.uint32]
    facility: NDArray[np.int64]
    depth: NDArray[np.int64]
    over_ms: NDArray[np.int64]

    @property
    def is_covered(self) -> NDArray[np.bool_]:
        """Whether the facility is within its minutes."""
        return self.over_ms <= 0

    def sums_by_depth(self, weight: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what weighs that is served by 0, 1, 2, and 3 or more facilities."""
        total = np.zeros(DEEPEST + 1, np.int64)
        np.add.at(total, np.minimum(self.depth, DEEPEST), weight)
        return total


@dataclass(frozen=True, eq=False)
class Located:
    """
    Points of one kind, and where they lie.

    Attributes
    ----------
    layer
        The points.
    cell
        H3 cell of each point, 0 without geometry.
    zone
        By level, the row of the zone each point lies in, -1 for none.
    in_circle
        Whether each point lies in a circle round a facility; `None` where no radius was asked for.
    """

    layer: PointLayer
    cell: NDArray[np.uint64]
    zone: dict[str, NDArray[np.int64]]
    in_circle: NDArray[np.bool_] | None = None


class Counted(NamedTuple):
    """Points, where they lie, and how they are served."""

    at: Located
    served: Served

    @property
    def by_cell(self) -> tuple[PointLayer, Served, NDArray[np.uint64]]:
        """The points, how they are served, and the H3 cell of each."""
        return self.at.layer, self.served, self.at.cell


def serve(
    network: RoadNetwork,
    direction: Direction,
    facilities: Places,
    layers: Sequence[PointLayer],
    limit_ms: int,
    threads: int | None,
    *,
    late_ms: NDArray[np.int64] | None = None,
) -> list[Served]:
    """
    Find for every point its nearest facility, and how many reach it within the limit.

    Parameters
    ----------
    network, direction, threads
        As in `coverage`.
    facilities
        Where they stand; the time already spent there contains `late_ms`.
    layers
        Points of several kinds.
    limit_ms
        The longest limit, inclusive.
    late_ms
        By how much the limit of each facility is less; see `citygeo.reach.place.Facilities`.
    """
    size = [len(layer) for layer in layers]
    places = Places.joined(layer.places for layer in layers)
    back: Direction = "to" if direction == "from" else "from"
    reaching = engine.sums(network, back, places, facilities, cutoffs_ms=[limit_ms], threads=threads)
    depth = reaching[:, 0].astype(np.int64)
    nearest_ms, nearest = engine.nearest(network, direction, facilities, places, threads=threads)
    ms, facility = nearest_ms[:, 0], nearest[:, 0]
    is_reached = facility >= 0
    over_ms = np.where(is_reached, ms.astype(np.int64) - limit_ms, NEVER_MS)
    if late_ms is not None:
        ms = ms.copy()
        ms[is_reached] -= late_ms[facility[is_reached]].astype(np.uint32)
    stop = np.cumsum(size)
    return [
        Served(ms[a:b], facility[a:b], depth[a:b], over_ms[a:b])
        for a, b in zip(stop - size, stop, strict=True)
    ]


def people_points(
    network: RoadNetwork,
    layer: pd.DataFrame,
    roads: PointLayer | None,
    max_snap_m: float,
    log: IssueLog,
    columns: Iterable[str] = (),
) -> PointLayer:
    """
    Place people on the network.

    Rows with geometry of their own stand at a point inside it. People of H3 cells are spread evenly over the
    streets in their cell; in a cell without a street they stand at its centre.

    Parameters
    ----------
    network, max_snap_m
        As in `coverage`.
    layer
        The people, in a column ``population``.
    roads
        From `road_points`; made if there are cells and none are given.
    log
        Told how people of cells were placed.
    columns
        More columns, such as ages, placed like the people.
    """
    if len(layer) == 0:
        raise error("CG-IN-001", layer="demand")
    wanted = ["population", *columns]
    for column in wanted:
        if column not in layer.columns:
            raise error(
                "CG-IN-005", layer="demand", column=column, columns=", ".join(map(str, layer.columns))
            )
    is_cells = hexgrid.has_cell_index(layer)
    if not is_cells:
        datum.require_layer(layer, "demand", is_labelled=False)
    micro = {column: demand.to_micro(layer[column], layer="demand", column=column) for column in wanted}
    if is_cells:
        return _people_of_cells(
            network, layer, micro, road_points(network) if roads is None else roads, max_snap_m, log
        )
    people = micro.pop("population")
    return replace(layer_points(network, layer, people, "demand", max_snap_m), columns=micro)


def layer_points(
    network: RoadNetwork,
    layer: gpd.GeoDataFrame,
    weight: NDArray[np.int64] | None,
    name: str,
    max_snap_m: float,
) -> PointLayer:
    """Place the rows of a layer on the network; each weighs 1 if `weight` is `None`."""
    datum.require_layer(layer, name, is_labelled=False)
    points = datum.representative_points(layer)
    snaps = snap_points(network, points, layer.crs, max_snap_m=max_snap_m)
    require_place(network, points, layer.crs, snaps, name, max_snap_m)
    places = Places.one_each(snaps.edge, snaps.share, snaps.walk_off_ms)
    lonlat = _lonlat(points, layer.crs)
    weight = np.ones(len(layer), np.int64) if weight is None else weight
    return PointLayer(places, weight, lonlat, snaps.status, snaps.distance_m, layer.index)


def _lonlat(points: NDArray[np.object_], crs: Any) -> NDArray[np.float64]:
    import pyproj

    lonlat = np.full((len(points), 2), np.nan)
    given = ~shapely.is_missing(points)
    project = pyproj.Transformer.from_crs(crs, datum.WGS84, always_xy=True).transform
    lonlat[given] = np.column_stack(project(*shapely.get_coordinates(points[given]).T))
    return lonlat


def road_points(network: RoadNetwork) -> PointLayer:
    """Cut every edge into equal stretches of at most 25 m; a point stands in the middle of each."""
    import pandas as pd

    n = np.maximum(np.ceil(network.length_m / ROAD_SAMPLE_M), 1).astype(np.int64)
    edge = np.repeat(np.arange(network.n_edges), n)
    place = np.arange(edge.size) - np.repeat(np.cumsum(n) - n, n)
    share = (place + 0.5) / n[edge]
    lonlat = _lonlat_on_edges(network, edge, share)
    weight = np.rint(network.length_m[edge] / n[edge] * 1e6).astype(np.int64)
    return PointLayer(
        Places.one_each(edge, share, np.zeros(edge.size, np.int64)), weight, lonlat, np.full(edge.size, OK, object),
        np.zeros(edge.size), pd.RangeIndex(edge.size),
    )  # fmt: skip


def _lonlat_on_edges(
    network: RoadNetwork, edge: NDArray[np.int64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return longitude and latitude of places on edges; shares are of metres."""
    tree = box_tree(network)
    first, last = tree.shape_start[:-1], tree.shape_start[1:] - 1
    # all edges behind each other on one line, so that one search finds the corner before each place
    begin = np.concatenate(([0.0], np.cumsum(tree.along[last] + 1.0)[:-1]))
    corner_m = tree.along + np.repeat(begin, np.diff(tree.shape_start))
    place_m = share * tree.along[last][edge]
    corner = np.searchsorted(corner_m, place_m + begin[edge], side="right") - 1
    corner = np.clip(corner, first[edge], last[edge] - 1)
    step_m = tree.along[corner + 1] - tree.along[corner]
    part = np.divide(place_m - tree.along[corner], step_m, out=np.zeros(edge.size), where=step_m > 0)
    before, after = network.shape_lonlat[corner], network.shape_lonlat[corner + 1]
    return np.asarray(before + part[:, None] * (after - before), np.float64)


def _people_of_cells(
    network: RoadNetwork,
    layer: pd.DataFrame,
    micro: dict[str, NDArray[np.int64]],
    roads: PointLayer,
    max_snap_m: float,
    log: IssueLog,
) -> PointLayer:
    """Spread the people of each cell over its streets, and put those of cells without one at the centre."""
    import pandas as pd

    if layer.index.has_duplicates:
        repeated = layer.index[layer.index.duplicated()].unique()
        sample = ", ".join(str(label) for label in repeated[:5])
        raise error("CG-IN-006", layer="demand", count=len(repeated), sample=sample)
    cells = hexgrid.from_strings(layer.index)
    on_road, row = _streets_of_cells(network, roads, cells)
    away_m = _mean_distances(cells, roads.weight[on_road], row, max_snap_m)
    alone = np.setdiff1d(np.arange(cells.size), row)
    spread = {
        column: np.concatenate((demand.apportion(amount, roads.weight[on_road], row), amount[alone]))
        for column, amount in micro.items()
    }
    people = spread.pop("population")
    centres = np.asarray(shapely.points(hexgrid.cell_centres(cells[alone])), object)
    snaps = snap_points(network, centres, datum.WGS84, max_snap_m=max_snap_m)
    if row.size == 0:
        require_place(network, centres, datum.WGS84, snaps, "demand", max_snap_m)
    else:
        log.add(
            "CG-DEM-010",
            count=np.unique(row).size,
            access_m=f"{np.average(away_m[row], weights=people[: row.size] + 1):.0f}",
        )
    walk_ms = np.rint(network.mode.walk_off_ms(1.0) * away_m[row]).astype(np.int64)
    return PointLayer(
        Places.one_each(
            np.concatenate((roads.places.edge[on_road], snaps.edge)),
            np.concatenate((roads.places.share[on_road], snaps.share)),
            np.concatenate((walk_ms, snaps.walk_off_ms)),
        ),
        people,
        np.concatenate((roads.lonlat[on_road], shapely.get_coordinates(centres))),
        np.concatenate((roads.status[on_road], snaps.status)),
        np.concatenate((away_m[row], snaps.distance_m)),
        pd.Index(layer.index.to_numpy()[np.concatenate((row, alone))], name=layer.index.name),
        spread,
    )


def _streets_of_cells(
    network: RoadNetwork, roads: PointLayer, cells: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the road points in the cells, and their cell's row; fast roads only where there is no other."""
    order = np.argsort(cells, kind="stable")
    found = roads.cells(hexgrid.resolution_of(cells))
    place = np.minimum(np.searchsorted(cells[order], found), cells.size - 1)
    on_road = np.flatnonzero(cells[order][place] == found)
    row = order[place[on_road]]
    is_fast = np.isin(network.highway[roads.places.edge[on_road]], FAST_ROADS)
    has_street = np.bincount(row[~is_fast], minlength=cells.size) > 0
    keep = ~is_fast | ~has_street[row]
    return on_road[keep], row[keep]


def _mean_distances(
    cells: NDArray[np.uint64], road_um: NDArray[np.int64], row: NDArray[np.int64], max_snap_m: float
) -> NDArray[np.float64]:
    """
    Return how far from its streets the ground of each cell is on average, at most `max_snap_m`.

    Streets of length L divide the area A into strips of width A / L; the mean distance to the middle of a strip is a
    quarter of its width.
    """
    length_m = np.bincount(row, road_um / 1e6, minlength=cells.size)
    distance: NDArray[np.float64] = np.divide(
        hexgrid.cell_areas_m2(cells), 4 * length_m, out=np.full(cells.size, max_snap_m), where=length_m > 0
    )
    return np.asarray(np.minimum(distance, max_snap_m), np.float64)


def note_unplaced(layer: PointLayer, name: str, max_snap_m: float, log: IssueLog) -> None:
    """Record rows of the caller that are not on the network; one row may be several points."""
    total = layer.index.nunique()
    far = layer.index[layer.status == NOT_SNAPPED].unique()
    code = "CG-NET-013" if len(far) > FEW * total else "CG-NET-014"
    log.add(code, count=len(far), sample=far, total=total, layer=name, max_snap_m=f"{max_snap_m:g}")
    empty = layer.index[layer.status == NO_GEOMETRY].unique()
    log.add("CG-GEO-002", count=len(empty), sample=empty, layer=name)
