"""Put a layer on the network: points on their roads, polygons and lines at their entrances if asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from citygeo import datum
from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.network.boxtree import box_tree
from citygeo.network.entrances import Entrances, find_entrances
from citygeo.network.snap import (
    HEADING_TOLERANCE_DEG,
    MAX_SNAP_LIMIT_M,
    NOT_SNAPPED,
    Nearest,
    Snaps,
    is_within,
    nearest_roads,
    require_axes,
    require_options,
    snap_points,
)

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from citygeo.network import RoadNetwork

Polygons = Literal["point", "entrances", "edges"]
ENTRANCE_M = 30.0


@dataclass(frozen=True)
class RowSnaps:
    """
    Where the rows of a layer stand on the network: one place or more each.

    Attributes
    ----------
    row
        Row of each place, ascending; every row has one at least, if only to say why it is not on the network.
    snaps
        The places.
    n_rows
        Number of rows.
    """

    row: NDArray[np.int64]
    snaps: Snaps
    n_rows: int

    @property
    def nearest(self) -> Snaps:
        """The nearest place of each row, the first among equals."""
        order = np.lexsort((self.snaps.distance_m, self.row))
        return self.snaps.take(order[np.searchsorted(self.row, np.arange(self.n_rows))])

    def table(self, network: RoadNetwork, layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return one row per place, labelled as in the layer and in its CRS; columns as `snap_layer` says."""
        import geopandas as gpd
        import shapely

        snaps = self.snaps
        geometry = np.full(self.row.size, None, object)
        geometry[snaps.is_on] = shapely.points(snaps.xy[snaps.is_on])
        data = {
            "edge": snaps.edge,
            "fraction": snaps.share,
            "snap_distance_m": snaps.distance_m,
            "side": snaps.side,
            "status": snaps.status,
        }
        places = gpd.GeoDataFrame(
            data, geometry=geometry, crs=network.metric_crs, index=layer.index[self.row]
        )
        return places.to_crs(layer.crs)


def snap_layer(
    network: RoadNetwork,
    layer: gpd.GeoDataFrame,
    *,
    max_snap_m: float = 200.0,
    heading: float | str | None = None,
    heading_tolerance_deg: float = HEADING_TOLERANCE_DEG,
    side: Literal["left", "right"] | None = None,
    polygons: Polygons = "point",
    entrance_m: float = ENTRANCE_M,
    threads: int | None = None,
) -> gpd.GeoDataFrame:
    """
    Put the rows of a layer on the network.

    Parameters
    ----------
    network
        Where to; only edges open to its mode are taken.
    layer
        Points, lines, polygons and their multiples with a CRS.
    max_snap_m
        Rows farther from any road are not put on it (inclusive bound). Distances are metres of the network's UTM
        zone, up to 0.1 % off.
    heading
        Degrees clockwise from north in which a vehicle travels, a number or the name of a column, missing where it
        is not known: only roads that are open in about that direction.
    heading_tolerance_deg
        How far a road may turn away from the heading (inclusive).
    side
        ``"right"`` or ``"left"``: only roads on which the point lies on that side of an open direction of travel,
        where a vehicle would stop without crossing the road.
    polygons
        What stands for a polygon or a line. ``"point"``: one point inside or on it. ``"entrances"``: the places
        where roads meet its boundary or come within `entrance_m` of it from outside, at most 50 m of road apart;
        the nearest place of all if there is none. ``"edges"``: all roads inside, by the places where they meet the
        boundary and more inside, at most 50 m apart; the nearest place if there is none. A multipoint then stands
        at each of its points.
    entrance_m
        See `polygons`; 0 takes only roads that meet the boundary.
    threads
        Worker threads; all processors if `None`. The answer does not depend on it.

    Returns
    -------
    One row per place, so several for a polygon with several entrances, labelled as the layer and in its CRS and
    order: edge (-1 where not on the network), fraction (0 to 1 along the edge), snap_distance_m (also beyond the
    cap), side (``left``, ``right``, ``on``: seen along the edge), status (``ok``, ``not_snapped``,
    ``no_geometry``), geometry (the place on the road).

    Raises
    ------
    InputError
        CG-IN-001: no rows. CG-IN-003: headings that are no angles. CG-IN-004: unknown `side` or `polygons`, or a
        heading or side for polygons. CG-IN-005: no such column. CG-IN-007: no layer. CG-IN-008: repeated columns.
    CRSError
        CG-CRS-001: no CRS. CG-CRS-003: longitude and latitude are swapped.
    UnitError
        CG-UNIT-002: `max_snap_m`, `heading_tolerance_deg` or `entrance_m` out of range.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> places = snap_layer(city.network("fire_engine"), city.stations)
    >>> places.status.tolist(), bool((places.snap_distance_m < 50).all())
    (['ok', 'ok', 'ok', 'ok'], True)
    """
    datum.require_layer(layer, "the layer", is_labelled=False)
    log = IssueLog()
    found = snap_rows(
        network, layer, max_snap_m=max_snap_m, heading=heading, heading_tolerance_deg=heading_tolerance_deg,
        side=side, polygons=polygons, entrance_m=entrance_m, threads=threads, log=log,
    )  # fmt: skip
    if not found.snaps.is_on.any():
        require_axes(network, datum.representative_points(layer), layer.crs, "the layer")
    log.announce()
    return found.table(network, layer)


def snap_rows(
    network: RoadNetwork,
    layer: gpd.GeoDataFrame,
    *,
    max_snap_m: float = 200.0,
    heading: float | str | None = None,
    heading_tolerance_deg: float = HEADING_TOLERANCE_DEG,
    side: str | None = None,
    polygons: Polygons = "point",
    entrance_m: float = ENTRANCE_M,
    threads: int | None = None,
    log: IssueLog,
    name: str = "the layer",
) -> RowSnaps:
    """Do the work of `snap_layer` for a layer that was checked, and record repairs in `log`."""
    _require_choices(polygons, entrance_m, has_course=heading is not None or side is not None)
    require_options(max_snap_m, heading_tolerance_deg, side)
    if polygons != "point":
        reach = min(entrance_m, max_snap_m)
        shapes = _metric_shapes(network, layer, log, name)
        row, found = _find_all(network, shapes, reach, takes_inside=polygons == "edges")
        row, found = _within_cap(row, found, max_snap_m, len(layer))
        return _row_snaps(network, layer, row, found, max_snap_m)
    course = None if heading is None else _headings(layer, heading, name)
    points = datum.representative_points(layer)
    snaps = snap_points(
        network, points, layer.crs, max_snap_m=max_snap_m, heading=course,
        heading_tolerance_deg=heading_tolerance_deg, side=side, threads=threads,
    )  # fmt: skip
    return RowSnaps(np.arange(len(layer)), snaps, len(layer))


def _require_choices(polygons: str, entrance_m: float, *, has_course: bool) -> None:
    """Raise unless the ways to treat polygons are known and fit the other options."""
    if polygons not in get_args(Polygons):
        raise error(
            "CG-IN-004", argument="polygons", value=polygons, rule='It is "point", "entrances" or "edges".',
            hint="A park is entered where roads meet its boundary: entrances.",
        )  # fmt: skip
    if not is_within(entrance_m, MAX_SNAP_LIMIT_M):
        raise error(
            "CG-UNIT-002", argument="entrance_m", value=entrance_m, low=0, high=int(MAX_SNAP_LIMIT_M), unit="metres",
            hint="Give how near to the boundary a road must come to lead in.",
        )  # fmt: skip
    if has_course and polygons != "point":
        raise error(
            "CG-IN-004", argument="polygons", value=polygons, rule="heading and side are for points.",
            hint='Leave them out, or use polygons="point".',
        )  # fmt: skip


def _headings(layer: gpd.GeoDataFrame, heading: Any, name: str) -> NDArray[np.float64]:
    """Return the heading of each row, NaN where it is missing."""
    import pandas as pd

    if isinstance(heading, str):
        if heading not in layer.columns:
            raise error("CG-IN-005", layer=name, column=heading, columns=", ".join(map(str, layer.columns)))
        given = layer[heading]
        is_missing = given.isna().to_numpy()
        numbers = pd.to_numeric(given, errors="coerce")
        degrees = np.asarray(numbers.to_numpy(np.float64, na_value=np.nan), np.float64)
    else:
        is_number = isinstance(heading, int | float | np.number) and not isinstance(heading, bool)
        degrees = np.full(len(layer), heading if is_number else np.nan, np.float64)
        is_missing = np.zeros(len(layer), np.bool_)
    unusable = ~is_missing & ~((degrees >= -180) & (degrees <= 360))
    if unusable.any():
        sample = ", ".join(str(label) for label in layer.index[unusable][:5])
        raise error(
            "CG-IN-003", count=int(unusable.sum()), total=len(layer), layer=name,
            column=heading if isinstance(heading, str) else "heading", sample=sample,
            rule="degrees clockwise from north, -180 to 360",
        )  # fmt: skip
    return degrees


def _metric_shapes(
    network: RoadNetwork, layer: gpd.GeoDataFrame, log: IssueLog, name: str
) -> NDArray[np.object_]:
    """Return the shapes to look at in the network's metric CRS, `None` where there is nothing to look at."""
    import geopandas as gpd
    import shapely

    shapes = np.array(layer.geometry.to_crs(network.metric_crs).to_numpy(), object)
    is_collection = shapely.get_type_id(shapes) == int(shapely.GeometryType.GEOMETRYCOLLECTION)
    if is_collection.any():
        points = gpd.GeoSeries(datum.representative_points(layer[is_collection]), crs=layer.crs)
        shapes[is_collection] = points.to_crs(network.metric_crs).to_numpy()
    shapes[~np.isfinite(shapely.bounds(shapes)).all(axis=1)] = None
    is_bad = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    for row in np.flatnonzero(is_bad):
        shapes[row] = _repaired(shapes[row])
    log.add("CG-GEO-006", count=int(is_bad.sum()), sample=layer.index[is_bad], layer=name)
    return shapes


def _repaired(shape: BaseGeometry) -> BaseGeometry:
    """Return the areas of an invalid shape; if it has none, its lines, or a point."""
    import shapely

    parts = shapely.get_parts(shapely.make_valid(shape))
    dimension = shapely.get_dimensions(parts)
    return shapely.union_all(parts[dimension == dimension.max()])


def _find_all(
    network: RoadNetwork, shapes: NDArray[np.object_], entrance_m: float, *, takes_inside: bool
) -> tuple[NDArray[np.int64], Entrances]:
    """Return the row of each place, and the places, of all shapes; points have the nearest place of each point."""
    import shapely

    is_point = shapely.get_dimensions(shapes) == 0
    points = np.flatnonzero(is_point)
    xy, owner = shapely.get_coordinates(shapes[points], return_index=True)
    near = nearest_roads(network, xy)
    is_found = near.edge >= 0
    rows = [points[owner[is_found]]]
    found = [Entrances(near.edge, near.place[:, 0], near.place[:, 1], xy).take(is_found)]
    for row in np.flatnonzero(~is_point & ~shapely.is_missing(shapes)):
        found.append(find_entrances(network, shapes[row], entrance_m, takes_inside=takes_inside))
        rows.append(np.full(found[-1].edge.size, row))
    return np.concatenate(rows), Entrances.joined(*found)


def _within_cap(
    row: NDArray[np.int64], found: Entrances, max_snap_m: float, n_rows: int
) -> tuple[NDArray[np.int64], Entrances]:
    """Keep the places within the cap, and the nearest one of a row that has none, in the order of rows and edges."""
    is_near = found.distance_m <= max_snap_m
    is_far_row = np.bincount(row[is_near], minlength=n_rows) == 0
    by_distance = np.lexsort((found.distance_m, row))
    _, first = np.unique(row[by_distance], return_index=True)
    nearest = by_distance[first]
    keep = np.concatenate((np.flatnonzero(is_near), nearest[is_far_row[row[nearest]]]))
    order = keep[np.lexsort((found.share[keep], found.edge[keep], row[keep]))]
    return row[order], found.take(order)


def _row_snaps(
    network: RoadNetwork, layer: gpd.GeoDataFrame, row: NDArray[np.int64], found: Entrances, max_snap_m: float
) -> RowSnaps:
    """Describe the places that were kept, and the rows that have none."""
    from citygeo._kernels.nearest import stand

    tree, n = box_tree(network), row.size
    xy, side = np.empty((n, 2)), np.empty(n, np.uint8)
    stand(tree.corner, tree.along, tree.shape_start, found.edge, found.share, found.seen, xy, side)
    lost = np.setdiff1d(np.arange(len(layer)), row)
    snaps = Snaps.none(n + lost.size)
    nearest = Nearest(found.edge, np.column_stack((found.share, found.distance_m, xy)), side)
    snaps.fill(network, np.arange(n), nearest, max_snap_m)
    has_shape = ~(layer.geometry.isna() | layer.geometry.is_empty).to_numpy()
    snaps.status[n:][has_shape[lost]] = NOT_SNAPPED
    every = np.concatenate((row, lost))
    order = np.argsort(every, kind="stable")
    return RowSnaps(every[order], snaps.take(order), len(layer))
