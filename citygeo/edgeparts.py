"""Reached edge parts as lines and polygons: views of the exact answer, with the drawing radius stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from citygeo.network.boxtree import box_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from citygeo.engine import Parts
    from citygeo.network import RoadNetwork

QUAD_SEGMENTS = 8  # a circle of 32 corners lies inside the true one, its area is 0.6 % less
MANY = 2000  # lines; for fewer it is quicker to draw all
TILES = 4  # a radius
MOST_TILES = 20_000_000
HELD = 0.97  # of the radius is held by a buffer for sure
GAP = 1e-12  # shares nearer than this meet


@dataclass(frozen=True)
class EdgeParts:
    """
    Reached parts of edges, sorted by edge and place.

    Attributes
    ----------
    edge
        Edge of each part, shape `(p,)`.
    share
        Low and high end as shares of the edge, shape `(p, 2)`.
    ms
        Time at both ends in milliseconds, shape `(p, 2)`; linear between.
    """

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    ms: NDArray[np.float64]

    @classmethod
    def sorted(cls, parts: Parts) -> EdgeParts:
        """Return the parts a search found, in the order of edges."""
        order = np.lexsort((parts.share[:, 0], parts.edge))
        return cls(parts.edge[order], parts.share[order], parts.ms[order])

    @classmethod
    def none(cls) -> EdgeParts:
        """Return no part at all."""
        return cls(np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 2)))

    def __len__(self) -> int:
        return self.edge.size

    def length_m(self, network: RoadNetwork) -> NDArray[np.float64]:
        """Return the length of each part in metres."""
        return (self.share[:, 1] - self.share[:, 0]) * network.length_m[self.edge]


def merge(several: Iterable[EdgeParts]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """
    Return the union of parts as disjoint stretches.

    Parameters
    ----------
    several
        Parts of any number of facilities.

    Returns
    -------
    Edge `(s,)` and low and high share `(s, 2)` of each stretch, sorted; parts that touch are one.
    """
    listed = list(several)
    if not listed or not sum(len(parts) for parts in listed):
        return np.empty(0, np.int64), np.empty((0, 2))
    edge = np.concatenate([parts.edge for parts in listed])
    share = np.concatenate([parts.share for parts in listed])
    order = np.lexsort((share[:, 0], edge))
    edge, share = edge[order], share[order]
    # the farthest end so far on the same edge: a running maximum over (edge, rank of the end) as one integer
    by_end = np.argsort(share[:, 1], kind="stable")
    rank = np.empty(edge.size, np.int64)
    rank[by_end] = np.arange(edge.size)
    farthest = np.maximum.accumulate(edge * edge.size + rank) - edge * edge.size
    reach = share[by_end[farthest], 1]
    begins = np.ones(edge.size, np.bool_)
    begins[1:] = (edge[1:] != edge[:-1]) | (share[1:, 0] > reach[:-1] + GAP)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], edge.size) - 1
    return edge[first], np.column_stack((share[first, 0], reach[last]))


def cut_lines(
    network: RoadNetwork, edge: NDArray[np.int64], share: NDArray[np.float64], crs: Any = None
) -> NDArray[np.object_]:
    """
    Return the drawn lines of stretches of edges.

    Parameters
    ----------
    network
        The network.
    edge, share
        Edge `(s,)`, and low and high share `(s, 2)` of each stretch.
    crs
        CRS of the lines; the network's metric one if `None`. Shares are of metres in that one, whichever is asked for;
        in WGS 84 ends lie on the lines as they are drawn there, on straight ones of kilometres decimetres beside.
    """
    import pyproj

    from citygeo._kernels.cut import cut

    wanted = network.metric_crs if crs is None else pyproj.CRS.from_user_input(crs)
    is_lonlat = wanted == pyproj.CRS.from_epsg(4326)
    lines = (network.lines_lonlat if is_lonlat else network.lines_metric)[edge]
    part = np.flatnonzero((share[:, 0] > 0.0) | (share[:, 1] < 1.0))
    tree = box_tree(network)
    corner = network.shape_lonlat if is_lonlat else tree.corner
    start = np.empty(part.size + 1, np.int64)
    own, ends, xy = edge[part], np.ascontiguousarray(share[part]), np.empty((4 * part.size, 2))
    while (n := cut(corner, tree.along, tree.shape_start, own, ends, xy, start)) > len(xy):
        xy = np.empty((n, 2))
    lines[part] = shapely.from_ragged_array(shapely.GeometryType.LINESTRING, xy[:n], (start,))
    if is_lonlat or wanted == network.metric_crs:
        return lines
    project = pyproj.Transformer.from_crs(network.metric_crs, wanted, always_xy=True).transform
    moved = np.column_stack(project(*shapely.get_coordinates(lines).T))
    return np.asarray(shapely.set_coordinates(lines, moved), object)


def buffered(lines: NDArray[np.object_], radius_m: float) -> shapely.MultiPolygon:
    """
    Return all ground within `radius_m` of the lines: a valid MultiPolygon with holes and islands.

    Parameters
    ----------
    lines
        Lines in a metric CRS.
    radius_m
        Drawing radius; circles are drawn from inside, so nothing lies farther away than this.
    """
    if lines.size == 0:
        return shapely.MultiPolygon()
    rim, inner = lines, np.empty(0, object)
    if lines.size > MANY:
        rim, inner = _rim_and_inner(lines, radius_m)
    around = shapely.buffer(rim, radius_m, quad_segs=QUAD_SEGMENTS)
    return as_multipolygon(shapely.union_all(np.append(around, inner)))


def _rim_and_inner(
    lines: NDArray[np.object_], radius_m: float
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """
    Return the lines near the rim of the ground, and boxes that hold all the ground of the others.

    Where streets are dense most ground is near several of them; what tiles show to be inside need not be drawn line by
    line. The union of both is that of all lines.
    """
    tile_m = radius_m / TILES
    dense = shapely.segmentize(lines, tile_m)
    place, owner = shapely.get_coordinates(dense, return_index=True)
    low = place.min(axis=0) - 2 * radius_m
    x, y = ((place - low) // tile_m).astype(np.int64).T
    size = np.array([x.max(), y.max()]) + 2 * TILES + 2
    if size.prod() > MOST_TILES:
        return lines, np.empty(0, object)
    has_line = np.zeros(size, np.bool_)
    has_line[x, y] = True
    # a buffer holds all within a little less than its radius: circles are drawn from inside, lines are simplified.
    # Lines run up to half a tile beside the places looked at, so what may be near is sought one tile farther
    is_inside = _near(has_line, HELD * TILES, farthest=True)
    is_bare = _near(has_line, TILES + 1, farthest=False) & ~is_inside
    at_rim = _near(is_bare, TILES + 1, farthest=False)
    is_rim = np.zeros(lines.size, np.bool_)
    is_rim[owner[at_rim[x, y]]] = True
    edge = np.diff(np.pad(is_inside.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    (column, first), (_, last) = np.nonzero(edge == 1), np.nonzero(edge == -1)
    west, south, north = (low[0] + column * tile_m, low[1] + first * tile_m, low[1] + last * tile_m)
    return lines[is_rim], np.asarray(shapely.box(west, south, west + tile_m, north), object)


def _near(mask: NDArray[np.bool_], tiles: float, *, farthest: bool) -> NDArray[np.bool_]:
    """Return the tiles of which every place, or else any, is within so many tiles of any place in a tile of `mask`."""
    side = 1 if farthest else -1
    found = np.zeros_like(mask)
    n = mask.shape[1]
    before = np.pad(np.cumsum(mask, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    reach = int(tiles) + 2
    for shift in range(-reach, reach + 1):
        across = max(abs(shift) + side, 0)
        if across > tiles:
            continue
        along = int(np.sqrt(tiles * tiles - across * across) - side)
        if along < 0:
            continue
        low = np.maximum(np.arange(n) - along, 0)
        high = np.minimum(np.arange(n) + along, n - 1) + 1
        is_near = before[:, high] > before[:, low]
        here, there = (slice(max(shift, 0), mask.shape[0] + min(shift, 0)) for shift in (shift, -shift))
        found[here] |= is_near[there]
    return found


def ground_near(network: RoadNetwork, parts: Iterable[EdgeParts], radius_m: float) -> shapely.MultiPolygon:
    """Return all ground within `radius_m` of reached parts, in the network's metric CRS; see `buffered`."""
    return buffered(cut_lines(network, *merge(parts)), radius_m)


def as_multipolygon(geometry: shapely.Geometry) -> shapely.MultiPolygon:
    """Return the polygons of a geometry as one MultiPolygon, rings oriented as OGC asks."""
    polygons = [
        part for part in shapely.get_parts(geometry, return_index=False) if part.geom_type == "Polygon"
    ]
    return shapely.MultiPolygon(list(shapely.orient_polygons(polygons)) if polygons else [])
