"""
Districts: which ground goes with which facility, whatever the minutes.

Every place of a road belongs to the facility that is there first, if it may take any time. Ground belongs with the
nearest road, roads being places 2 m apart. Districts therefore do not depend on the bands, but for the millimetre grid
their corners lie on; they tile what is reached, and nest as the bands do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from citygeo.edgeparts import as_multipolygon, cut_lines
from citygeo.engine import LONGEST_MS, nearest_states, owned_parts
from citygeo.isochrones.barriers import GRID_M
from citygeo.isochrones.contour import contour, least_m, multipolygon
from citygeo.isochrones.ground import Ground

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.isochrones.areas import Look
    from citygeo.isochrones.reached import Reach

APART_M = 2.0  # distance of the places that stand for roads where districts meet
SITE_DIGITS = 2  # centimetres: places nearer than that are one


def districts(reach: Reach, within: shapely.Geometry, look: Look) -> NDArray[np.object_]:
    """
    Return the district of each facility, metric CRS.

    Parameters
    ----------
    reach
        Network, facilities and direction; its bands do not matter.
    within
        Ground beyond which nothing needs to be known.
    look
        How areas are drawn, and what barriers there are: ground goes with the nearest road on its side of them.

    Returns
    -------
    Areas that do not overlap, `(facilities,)`; empty for a facility that is first nowhere.
    """
    network, places = reach.network, reach.placed.places
    near = nearest_states(network, reach.direction, places, LONGEST_MS, k=1)
    parts, owner = owned_parts(network, reach.direction, places, near, LONGEST_MS)
    parts, owner = reach.with_places(near, parts, owner, LONGEST_MS)
    # a cell more than areas can have: outlines on a grid cut corners
    radius = max(look.trim_m, least_m(look.cell_m)) + look.cell_m
    is_near = shapely.dwithin(network.lines_metric[parts.edge], within, radius)
    ground = Ground.of(network, offroad_kmh=math.inf, trim_m=radius, off_bridges=True)
    own = [parts.take(is_near & (owner == row)) for row in range(reach.n_rows)]
    around = np.array([multipolygon(contour(ground, each, LONGEST_MS, look.cell_m)) for each in own], object)
    shared = _shared(around)
    if shapely.is_empty(shared):
        return around
    lines = [cut_lines(network, each.edge, each.share) for each in own]
    alone = _grounds(shapely.difference(around, shared, grid_size=GRID_M))
    sides = shapely.get_parts(as_multipolygon(within)) if look.barrier is not None else [within]
    for side in sides:
        contested = as_multipolygon(shapely.intersection(shared, side, grid_size=GRID_M))
        if not shapely.is_empty(contested):
            won = _won(lines, contested, side if look.barrier is not None else None, radius)
            alone = _grounds(shapely.union(alone, won, grid_size=GRID_M))
    return alone


def _grounds(shapes: Any) -> NDArray[np.object_]:
    """Return the polygons of what an overlay made; where areas only touch, there are lines and points too."""
    return np.array([as_multipolygon(shape) for shape in shapes], object)


def _shared(around: NDArray[np.object_]) -> shapely.Geometry:
    """Return the ground near the roads of at least two facilities."""
    one, two = shapely.STRtree(around).query(around, predicate="intersects")
    pair = one < two
    both = shapely.intersection(around[one[pair]], around[two[pair]], grid_size=GRID_M)
    return as_multipolygon(shapely.union_all(_grounds(both), grid_size=GRID_M))


def _won(
    lines: list[NDArray[np.object_]],
    shared: shapely.Geometry,
    side: shapely.Geometry | None,
    radius: float,
) -> NDArray[np.object_]:
    """Return what of the shared ground each facility's roads, or those on one side of a barrier, are nearest to."""
    sites, owner = _sites(lines, shared, side, radius)
    cells = _voronoi(sites, shared)
    regions = [_region(cells[owner == row]) for row in range(len(lines))]
    return _grounds(shapely.intersection(_grounds(regions), shared, grid_size=GRID_M))


def _voronoi(sites: NDArray[np.object_], shared: shapely.Geometry) -> NDArray[np.object_]:
    """Return the Voronoi cells of places, in their order; they reach beyond the shared ground."""
    far = shapely.buffer(shapely.envelope(shared), APART_M)
    try:
        return _cells(sites, far, 0.0)
    except shapely.GEOSException:  # places on lines are too much for it when seen from some sides
        return _cells(sites, far, 1.0)


def _cells(sites: NDArray[np.object_], far: shapely.Geometry, angle: float) -> NDArray[np.object_]:
    """Return the Voronoi cells of places, found in a plane that is turned by an angle."""
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    places = shapely.points(shapely.get_coordinates(sites) @ turn)
    around = shapely.transform(far, lambda xy: xy @ turn)
    diagram = shapely.voronoi_polygons(shapely.multipoints(places), extend_to=around, ordered=True)
    return np.asarray(shapely.transform(shapely.get_parts(diagram), lambda xy: xy @ turn.T), object)


def _region(cells: NDArray[np.object_]) -> shapely.Geometry:
    """Return cells as one area."""
    try:
        return shapely.coverage_union_all(cells)
    except shapely.GEOSException:  # corners a micron apart that should be one, and slivers between them
        valid = [as_multipolygon(cell) for cell in shapely.make_valid(cells)]
        return shapely.union_all(valid, grid_size=GRID_M)


def _sites(
    lines: list[NDArray[np.object_]],
    shared: shapely.Geometry,
    side: shapely.Geometry | None,
    radius: float,
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return places on the roads that shared ground may be nearest to, and whose they are."""
    places, owners = [], []
    for row, own in enumerate(lines):
        pairs = shapely.STRtree(own).query(shapely.get_parts(shared), predicate="dwithin", distance=radius)
        near = own[np.unique(pairs[1])]
        if side is not None:
            near = shapely.get_parts(shapely.intersection(near[shapely.intersects(near, side)], side))
        is_long = shapely.length(near) > 0
        # a line of no length is a place
        points = np.concatenate(
            [
                shapely.get_coordinates(shapely.segmentize(near[is_long], APART_M)),
                shapely.get_coordinates(near[~is_long]),
            ]
        )
        places.append(points)
        owners.append(np.full(len(points), row))
    xy, owner = np.concatenate(places).round(SITE_DIGITS), np.concatenate(owners)
    # where two meet, the place is the first one's
    _, first = np.unique(xy, axis=0, return_index=True)
    first.sort()
    return np.asarray(shapely.points(xy[first]), object), owner[first]
