"""Barriers: what neither streets nor people on foot pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo import datum
from citygeo.edgeparts import as_multipolygon, cut_lines
from citygeo.errors import error

if TYPE_CHECKING:
    import geopandas as gpd

    from citygeo.engine import Parts
    from citygeo.network import RoadNetwork

LINE_M = 0.5  # a line blocks so far to each side
POINT_M = 5.0  # a point blocks the streets within


def barrier_ground(network: RoadNetwork, barriers: gpd.GeoDataFrame | gpd.GeoSeries) -> shapely.Geometry:
    """
    Return the ground that barriers take, in the network's metric CRS.

    Parameters
    ----------
    network
        The network.
    barriers
        Polygons block what is inside, lines what crosses them, points what is within 5 m.

    Raises
    ------
    CRSError
        CG-CRS-001: no CRS.
    InputError
        CG-IN-004: rows without geometry.
    """
    datum.require_crs(barriers, "barriers")
    shapes = barriers.geometry.to_crs(network.metric_crs).to_numpy()
    is_empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if is_empty.any() or not len(shapes):
        raise error(
            "CG-IN-004", argument="barriers", value=f"{int(is_empty.sum())} of {len(shapes)} rows without geometry",
            rule="Each row is a point, a line or a polygon.", hint="Drop the empty rows, or leave barriers out.",
        )  # fmt: skip
    dimension = shapely.get_dimensions(shapes)
    radius = np.select([dimension == 0, dimension == 1], [POINT_M, LINE_M], 0.0)
    shapes = np.where(dimension == 2, shapely.make_valid(shapes), shapely.buffer(shapes, radius))
    return shapely.union_all(shapes)


def without_barriers(network: RoadNetwork, ground: shapely.Geometry) -> RoadNetwork:
    """Return the network without streets in barriers, cut at their rim; bridges, tunnels and ferries pass them."""
    import geopandas as gpd

    area = gpd.GeoSeries([as_multipolygon(ground)], crs=network.metric_crs)
    return network.without(polygon=area, spares_bridges=True)


def cut_off(
    network: RoadNetwork, shape: shapely.MultiPolygon, parts: Parts, barrier: shapely.Geometry, least_m: float
) -> shapely.MultiPolygon:
    """
    Return what of an area is on this side of barriers: nobody walks into or over them.

    Parameters
    ----------
    network
        The network.
    shape
        Ground around reached parts, metric CRS.
    parts
        The reached parts.
    barrier
        From `barrier_ground`.
    least_m
        How far to each side reached roads count, here those that pass over or under a barrier.

    Returns
    -------
    The pieces that reached roads are in, without the barriers.
    """
    if not shapely.intersects(shape, barrier):
        return shape
    lines = cut_lines(network, parts.edge, parts.share)
    roads = shapely.STRtree(lines)
    passing = shapely.intersection(lines[roads.query(barrier, predicate="intersects")], barrier)
    over = shapely.buffer(passing, least_m, cap_style="flat")
    blocked = shapely.difference(barrier, shapely.union_all(over))
    pieces = shapely.get_parts(as_multipolygon(shapely.difference(shape, blocked)))
    is_reached = np.unique(roads.query(pieces, predicate="intersects")[0])
    return as_multipolygon(shapely.multipolygons(pieces[is_reached]))
