"""
Districts: which ground goes with which facility, whatever the minutes.

Every place of a road belongs to the facility that is there first, if it may take any time. Ground belongs with the
nearest road. Districts therefore do not depend on the bands, tile whatever is reached, and nest as the bands do.
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

    from citygeo.engine import Parts
    from citygeo.isochrones.reached import Reach
    from citygeo.network import RoadNetwork

APART_M = 2.0  # distance of the places that stand for roads where districts meet
SITE_DIGITS = 2  # centimetres: places nearer than that are one


def districts(reach: Reach, trim_m: float, cell_m: float) -> NDArray[np.object_]:
    """
    Return the district of each facility, as far as `trim_m` off the roads, metric CRS.

    Parameters
    ----------
    reach
        Network, facilities and direction; its bands do not matter.
    trim_m, cell_m
        As in `isochrones`.

    Returns
    -------
    Areas that do not overlap, `(facilities,)`; empty for a facility that is first nowhere.
    """
    network, places = reach.network, reach.placed.places
    near = nearest_states(network, reach.direction, places, LONGEST_MS, k=1)
    parts, owner = owned_parts(network, reach.direction, places, near, LONGEST_MS)
    # a cell more than areas can have: outlines on a grid cut corners
    radius = max(trim_m, least_m(cell_m)) + cell_m
    ground = Ground.of(network, offroad_kmh=math.inf, trim_m=radius, off_bridges=True)
    own = [parts.take(owner == row) for row in range(reach.n_rows)]
    around = np.array([multipolygon(contour(ground, each, LONGEST_MS, cell_m)) for each in own], object)
    shared = _shared(around)
    if shapely.is_empty(shared):
        return around
    won = _won(network, own, shared, radius)
    alone = _grounds(shapely.difference(around, shared, grid_size=GRID_M))
    return _grounds(shapely.union(alone, won, grid_size=GRID_M))


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
    network: RoadNetwork, own: list[Parts], shared: shapely.Geometry, radius: float
) -> NDArray[np.object_]:
    """Return what of the shared ground each facility's roads are nearest to."""
    lines = [cut_lines(network, parts.edge, parts.share) for parts in own]
    sites, owner = _sites(lines, shared, radius)
    cells = _voronoi(sites, shared)
    regions = [_region(cells[owner == row]) for row in range(len(own))]
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
    lines: list[NDArray[np.object_]], shared: shapely.Geometry, radius: float
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return places on the roads that shared ground may be nearest to, and whose they are."""
    places, owners = [], []
    for row, own in enumerate(lines):
        long = own[shapely.length(own) > 0]
        pairs = shapely.STRtree(long).query(shapely.get_parts(shared), predicate="dwithin", distance=radius)
        near = np.unique(pairs[1])
        places.append(shapely.get_coordinates(shapely.segmentize(long[near], APART_M)))
        owners.append(np.full(len(places[-1]), row))
    xy, owner = np.concatenate(places).round(SITE_DIGITS), np.concatenate(owners)
    # where two meet, the place is the first one's
    _, first = np.unique(xy, axis=0, return_index=True)
    first.sort()
    return np.asarray(shapely.points(xy[first]), object), owner[first]
