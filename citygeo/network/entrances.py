"""
Where polygons and lines stand on the network: at their entrances, or on all roads inside them.

A park is not a point: people come in where roads meet its boundary. So a row of a layer may have several places.

Roads are looked at in stretches of at most 50 m, cut evenly from the start of each edge. Of a shape with entrances

- every place where a road meets the boundary (of a line: the line) is one, at no distance;
- every stretch that comes within `entrance_m` of the shape outside it is one, at its nearest place, unless a place
  where a road meets the boundary is as near as that to it;
- if there is none, the nearest place of any road is the only one; of roads inside the one nearest to the boundary.

Of a shape whose roads all count, the places are those where roads meet the boundary, and both ends of every stretch
inside; no place inside is then farther than 50 m of travel from one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo.network.boxtree import box_tree
from citygeo.network.snap import nearest_roads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from citygeo.network import RoadNetwork

STRETCH_M = 50.0
SAME_M = 1e-3  # nearer places of an edge are one, and so near to its end they are the node
STEPS_PER_M = 1e6


class Entrances(NamedTuple):
    """
    Places on the network that belong to one shape, in the order of edges.

    Attributes
    ----------
    edge, share
        Where on the network, `(p,)`.
    distance_m
        From the shape to the place; 0 in it and on its boundary.
    seen
        The point of the shape nearest to the place, metric CRS, `(p, 2)`: on which side of the road it is.
    """

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    seen: NDArray[np.float64]

    @classmethod
    def joined(cls, *several: Entrances) -> Entrances:
        """Return the places of all."""
        return cls(*(np.concatenate(column) for column in zip(*several, strict=True)))

    def take(self, rows: NDArray[Any]) -> Entrances:
        """Return some of the places."""
        return Entrances(*(column[rows] for column in self))


class Pieces(NamedTuple):
    """
    Straight pieces of roads, cut at their corners and at the ends of stretches.

    Attributes
    ----------
    edge, stretch
        Edge, and number of the stretch among all that were cut, ascending, `(p,)`.
    share
        Share of the edge at both ends, `(p, 2)`.
    ends
        Both ends in metres, `(p, 2, 2)`.
    line
        The same as shapely lines.
    """

    edge: NDArray[np.int64]
    stretch: NDArray[np.int64]
    share: NDArray[np.float64]
    ends: NDArray[np.float64]
    line: NDArray[np.object_]

    def take(self, rows: NDArray[Any]) -> Pieces:
        """Return some of the pieces."""
        return Pieces(*(column[rows] for column in self))

    def at(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of the edge at a point of each piece."""
        step = self.ends[:, 1] - self.ends[:, 0]
        squared = (step**2).sum(axis=1)
        part = ((xy - self.ends[:, 0]) * step).sum(axis=1) / np.where(squared > 0, squared, 1.0)
        low, high = self.share.T
        share: NDArray[np.float64] = low + np.clip(part, 0.0, 1.0) * (high - low)
        return share


def find_entrances(
    network: RoadNetwork, shape: BaseGeometry, entrance_m: float, *, takes_inside: bool
) -> Entrances:
    """
    Find the places of a shape on the network.

    Parameters
    ----------
    network
        Where to.
    shape
        Polygon, line or several of one kind, valid, in the network's metric CRS.
    entrance_m
        How near a road must come to be an entrance without meeting the boundary.
    takes_inside
        Whether all roads inside count, and none outside.

    Returns
    -------
    Places as the head of the module says, none twice; none at all if no road can be measured from the shape.
    """
    import shapely

    rim = shape.boundary if shape.geom_type.endswith("Polygon") else shape
    shapely.prepare([shape, rim])
    reach = 0.0 if takes_inside else entrance_m
    pieces = _pieces(network, _edges_within(network, shape.bounds, reach))
    pieces = pieces.take(shapely.dwithin(shape, pieces.line, reach))
    meets = shapely.intersects(rim, pieces.line)
    found = _crossings(pieces.take(meets), rim)
    if takes_inside:
        found = Entrances.joined(found, _inside(pieces, meets, shape))
    else:
        is_outside = ~shapely.intersects(shape, pieces.line)
        beside = _nearest_of_stretches(pieces.take(is_outside), shape)
        gates = shapely.multipoints(found.seen)
        is_alone = ~np.asarray(shapely.dwithin(shapely.points(beside.seen), gates, entrance_m), np.bool_)
        found = Entrances.joined(found, beside.take(is_alone))
    if found.edge.size == 0:
        found = _nearest_of_all(network, shape, rim)
    return _each_once(network, found)


def _edges_within(
    network: RoadNetwork, bounds: tuple[float, float, float, float], distance: float
) -> NDArray[np.int64]:
    """Return the open edges of which a part may lie within a distance of a box."""
    from citygeo._kernels.nearest import runs_within

    tree = box_tree(network)
    run = np.empty(tree.run_edge.size, np.int64)
    n = runs_within(tree.box, tree.level, *bounds, distance, run)
    edge: NDArray[np.int64] = np.unique(tree.run_edge[run[:n]])
    return edge[network.is_open[edge]]


def _pieces(network: RoadNetwork, edge: NDArray[np.int64]) -> Pieces:
    """Cut edges into straight pieces of even stretches."""
    import shapely

    tree = box_tree(network)
    first, end = tree.shape_start[edge], tree.shape_start[edge + 1] - 1
    total = tree.along[end]
    n_stretches = np.maximum(np.ceil(total / STRETCH_M), 1).astype(np.int64)
    segment, owner = _spread(first, end - first)
    # where each segment begins and ends, counted in stretches of its edge
    scale = (n_stretches / np.where(total > 0, total, 1.0))[owner]
    low, high = tree.along[segment] * scale, tree.along[segment + 1] * scale
    bottom = np.minimum(low.astype(np.int64), n_stretches[owner] - 1)
    top = np.clip(np.ceil(high).astype(np.int64), bottom + 1, n_stretches[owner])
    number, part = _spread(bottom, top - bottom)
    span = np.column_stack((np.maximum(low[part], number), np.minimum(high[part], number + 1)))
    length = np.where(high > low, high - low, 1.0)
    place = (span - low[part, None]) / length[part, None]
    segment, owner = segment[part], owner[part]
    step = tree.corner[segment + 1] - tree.corner[segment]
    ends = tree.corner[segment][:, None] + place[:, :, None] * step[:, None]
    stretch = (np.cumsum(n_stretches) - n_stretches)[owner] + number
    lines = np.asarray(shapely.linestrings(ends), object)
    return Pieces(edge[owner], stretch, span / n_stretches[owner, None], ends, lines)


def _spread(start: NDArray[np.int64], size: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``start[i], start[i] + 1, ...`` of `size[i]` numbers each, and the `i` of each."""
    owner = np.repeat(np.arange(size.size), size)
    return start[owner] + np.arange(owner.size) - (np.cumsum(size) - size)[owner], owner


def _crossings(pieces: Pieces, rim: BaseGeometry) -> Entrances:
    """Return all points where roads meet the rim; of what they share with it, the ends in each stretch."""
    import shapely

    shared, owner = shapely.get_parts(shapely.intersection(pieces.line, rim), return_index=True)
    xy, part = shapely.get_coordinates(shared, return_index=True)
    at = pieces.take(owner[part])
    found = _on_pieces(at, xy)
    is_point = shapely.get_type_id(shared[part]) == int(shapely.GeometryType.POINT)
    return Entrances.joined(found.take(is_point), _outermost(found.take(~is_point), at.stretch[~is_point]))


def _inside(pieces: Pieces, meets: NDArray[np.bool_], shape: BaseGeometry) -> Entrances:
    """Return the first and the last place of each stretch in a shape that all pieces touch, some its rim."""
    import shapely

    xy, owner = shapely.get_coordinates(shapely.intersection(pieces.line[meets], shape), return_index=True)
    cut = pieces.take(np.flatnonzero(meets)[owner])
    whole = pieces.take(np.repeat(np.flatnonzero(~meets), 2))
    ends = pieces.ends[~meets].reshape(-1, 2)
    found = Entrances.joined(_on_pieces(cut, xy), _on_pieces(whole, ends))
    return _outermost(found, np.concatenate((cut.stretch, whole.stretch)))


def _outermost(found: Entrances, stretch: NDArray[np.int64]) -> Entrances:
    """Return the first and the last place of each stretch."""
    order = np.lexsort((found.share, stretch))
    _, first, size = np.unique(stretch[order], return_index=True, return_counts=True)
    return found.take(order[np.concatenate((first, first + size - 1))])


def _on_pieces(pieces: Pieces, xy: NDArray[np.float64]) -> Entrances:
    """Return places on pieces that lie in the shape or on its boundary, one point each."""
    return Entrances(pieces.edge, pieces.at(xy), np.zeros(len(xy)), xy)


def _nearest_of_stretches(pieces: Pieces, shape: BaseGeometry) -> Entrances:
    """Return the place of each stretch that is nearest to a shape; the first, to the micrometre, among equals."""
    import shapely

    distance = shapely.distance(shape, pieces.line)
    order = np.lexsort((np.rint(distance * STEPS_PER_M), pieces.stretch))
    _, first = np.unique(pieces.stretch[order], return_index=True)
    pieces, distance = pieces.take(order[first]), distance[order[first]]
    start = np.asarray(shapely.points(pieces.ends[:, 0]), object)
    is_start = shapely.distance(shape, start) - distance <= 1 / STEPS_PER_M
    way = shapely.shortest_line(np.where(is_start, start, pieces.line), shape)
    place, seen = np.moveaxis(shapely.get_coordinates(way).reshape(-1, 2, 2), 1, 0)
    return Entrances(pieces.edge, pieces.at(place), distance, seen)


def _nearest_of_all(network: RoadNetwork, shape: BaseGeometry, rim: BaseGeometry) -> Entrances:
    """Return the place of any open edge that is nearest to a shape whose rim none meets; inside, to the rim."""
    import shapely

    pieces = _pieces(network, _edges_within(network, shape.bounds, 0.0))
    pieces = pieces.take(shapely.intersects(shape, pieces.line))
    if pieces.edge.size:
        return _nearest(pieces, rim)._replace(distance_m=np.zeros(1))
    corners = nearest_roads(network, shapely.get_coordinates(rim))
    is_found = corners.edge >= 0
    if not is_found.any():
        return Entrances(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty((0, 2)))
    # no road is nearer to the rim than to its corners, so the nearest one is among these
    farthest = corners.place[is_found, 1].min() + 1 / STEPS_PER_M
    return _nearest(_pieces(network, _edges_within(network, shape.bounds, farthest)), rim)


def _nearest(pieces: Pieces, rim: BaseGeometry) -> Entrances:
    """Return the one place of all pieces that is nearest."""
    return _nearest_of_stretches(pieces._replace(stretch=np.zeros_like(pieces.stretch)), rim)


def _each_once(network: RoadNetwork, found: Entrances) -> Entrances:
    """Return the places in the order of edges; those at one node are one place, on the lowest of its edges."""
    tree = box_tree(network)
    total = tree.along[tree.shape_start[found.edge + 1] - 1]
    at = found.share * total
    share = np.where(at <= SAME_M, 0.0, np.where(at >= total - SAME_M, 1.0, found.share))
    is_end = (share == 0.0) | (share == 1.0)
    node = network.arrays["edge_node"][found.edge, (share == 1.0).astype(np.int64)].astype(np.int64)
    where = np.where(is_end, network.n_edges + node, found.edge)
    at = np.where(is_end, 0.0, at)
    order = np.lexsort((share, found.edge, at, where))
    is_new = np.ones(order.size, np.bool_)
    is_new[1:] = (np.diff(where[order]) != 0) | (np.diff(at[order]) > SAME_M)
    found = found._replace(share=share).take(order[is_new])
    return found.take(np.lexsort((found.share, found.edge)))
