"""The self-check of polygons: what a drawing adds to the exact answer, and what it loses."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from citygeo.edgeparts import as_multipolygon, cut_lines
from citygeo.errors import error
from citygeo.isochrones.buffers import Capsules, capsules
from citygeo.isochrones.contour import least_m
from citygeo.isochrones.ground import ROAD_M, Ground
from citygeo.isochrones.moving import moved_shapes
from citygeo.isochrones.reached import length_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine import Parts
    from citygeo.isochrones.areas import Look
    from citygeo.isochrones.result import Isochrones
    from citygeo.network import RoadNetwork

SAME_M = 1e-3  # outlines nearer than this to each other are the same: overlays and projections round
CELL_ACROSS = 2.5  # no H3 cell is farther across, in lengths of an average edge


def check(iso: Isochrones) -> pd.DataFrame:
    """
    Compare polygons with the exact reached parts of roads.

    Parameters
    ----------
    iso
        Isochrones as polygons. Their geometry is checked as it is in the table, whatever was done to it.

    Returns
    -------
    One row per facility and band, labelled as `iso`:

    - facility (not if dissolved), minutes;
    - reached_km: length of the reached roads;
    - recall: share of it inside the polygon, NaN where nothing is reached;
    - unreached_nodes_inside: nodes of the network that the band does not reach, in the polygon though the contract of
      `isochrones` does not allow for it, `cell_m` / sqrt 2 given for the grid (for cells: more than a cell away);
    - unreached_nodes_within_allowance: those that it allows for;
    - is_nested: whether the band before is inside, to a millimetre; of rings, whether they do not overlap;
    - is_valid: by the rules of OGC;
    - vertices: corners of the outlines.

    With rings the first three are of all up to the bound. With ``overlap="split"`` a node is reached if any facility
    reaches it.

    Raises
    ------
    InputError
        CG-IN-004 if the isochrones are not polygons, or some of their rows only.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> iso = cg.isochrones(city.network("fire_engine"), city.stations, minutes=[3, 5], direction="from")
    >>> table = iso.check()
    >>> bool((table.recall == 1).all()), int(table.unreached_nodes_inside.sum()), bool(table.is_nested.all())
    (True, 0, True)
    """
    reach, look = iso.asked.reach, iso.asked.look
    if iso.kind != "polygons":
        raise error(
            "CG-IN-004", argument="kind", value=iso.kind, rule="Only polygons can differ from what is reached.",
            hint='Ask for kind="polygons".',
        )  # fmt: skip
    iso.require_whole()
    shape = _shapes(iso)
    size = shape.shape
    sound = np.where(shapely.is_valid(shape), shape, shapely.make_valid(shape))
    disk = _disks(sound) if iso.bands == "rings" else sound
    ground = Ground.of(reach.network, offroad_kmh=look.offroad_kmh, trim_m=look.trim_m)
    nodes = _tree(shapely.points(_node_xy(reach.network)))
    km, recall = np.zeros(size), np.full(size, np.nan)
    beyond, within = np.zeros(size, np.int64), np.zeros(size, np.int64)
    limits = reach.limits
    of_all: dict[int, Reached] = {}

    def take_all(_row: int, bands: list[Parts]) -> None:
        for band, parts in enumerate(bands):
            of_all[band] = Reached.of(reach.network, ground, parts, limits[band], look)

    def take(row: int, bands: list[Parts]) -> None:
        for band, parts in enumerate(bands):
            if parts.edge.size:
                km[row, band] = length_km(reach.network, parts)
                lines = cut_lines(reach.network, parts.edge, parts.share)
                recall[row, band] = share_inside(disk[row, band], lines)
                own = of_all.get(band) or Reached.of(reach.network, ground, parts, limits[band], look)
                beyond[row, band], within[row, band] = own.unreached_in(disk[row, band], nodes)

    if reach.overlap == "split":
        replace(reach, overlap="dissolve").each(take_all)
    reach.each(take)
    made = {
        "minutes": iso["minutes"].to_numpy(),
        "reached_km": km.ravel(),
        "recall": recall.ravel(),
        "unreached_nodes_inside": beyond.ravel(),
        "unreached_nodes_within_allowance": within.ravel(),
        "is_nested": _nested(sound, is_ring=iso.bands == "rings").ravel(),
        "is_valid": shapely.is_valid(iso.geometry.to_numpy()),
        "vertices": shapely.get_num_coordinates(iso.geometry.to_numpy()),
    }
    if "facility" in iso:
        made = {"facility": iso["facility"].to_numpy(), **made}
    return pd.DataFrame(made, index=iso.index)


def share_inside(shape: shapely.Geometry, lines: NDArray[np.object_]) -> float:
    """
    Return which share of the length of lines is inside a shape; of places without length, which share of them.

    Parameters
    ----------
    shape
        A valid polygon or several.
    lines
        Lines in the same metric CRS.
    """
    shapely.prepare(shape)
    is_inside = shapely.covers(shape, lines)
    length = shapely.length(lines)
    if not length.sum():
        return float(is_inside.mean())
    inside = np.where(is_inside, length, 0.0)
    is_cut = ~is_inside & shapely.intersects(shape, lines)
    inside[is_cut] = shapely.length(shapely.intersection(shape, lines[is_cut]))
    return float(inside.sum() / length.sum())


class Reached(NamedTuple):
    """
    What a band reaches: nodes, and the ground around roads.

    Attributes
    ----------
    is_node
        Whether each node of the network is reached, `(n,)`.
    ground
        Straight pieces of reached road, and how far the ground around them goes.
    axis
        The same pieces as lines, to look for.
    slack_m
        How far beyond that ground a drawing may go.
    """

    is_node: NDArray[np.bool_]
    ground: Capsules
    axis: shapely.STRtree
    slack_m: float

    @classmethod
    def of(cls, network: RoadNetwork, ground: Ground, parts: Parts, limit_ms: int, look: Look) -> Reached:
        """
        Return what parts reach.

        Parameters
        ----------
        network
            The network.
        ground
            The ground around its roads.
        parts
            Reached parts.
        limit_ms
            When the time runs out.
        look
            How they were drawn.
        """
        is_node = np.zeros(network.n_nodes, np.bool_)
        ends = network.arrays["edge_node"][parts.edge].astype(np.int64)
        is_node[ends[parts.share == np.array([0.0, 1.0])]] = True
        if look.method == "cells":  # drawn without regard to time
            pieces, slack = capsules(ground, parts, limit_ms, ROAD_M), _cell_m(look.resolution)
            pieces = pieces._replace(radius=np.zeros_like(pieces.radius))
        elif look.method == "buffer":
            pieces, slack = capsules(ground, parts, limit_ms, ROAD_M), SAME_M
        else:
            pieces = capsules(ground, parts, limit_ms, least_m(look.cell_m))
            slack = look.cell_m / math.sqrt(2)
        axis = _tree(shapely.linestrings(np.stack((pieces.start, pieces.end), axis=1)))
        return cls(is_node, pieces, axis, slack)

    def unreached_in(self, shape: shapely.Geometry, nodes: shapely.STRtree) -> tuple[int, int]:
        """
        Return how many unreached nodes are in a shape: beyond the ground that it may cover, and within.

        Parameters
        ----------
        shape
            A valid polygon or several, metric CRS.
        nodes
            All nodes of the network.
        """
        inside = nodes.query(shape, predicate="intersects")
        unreached = inside[~self.is_node[inside]]
        places = nodes.geometries[unreached]
        farthest = float(self.ground.radius.max(initial=0.0)) + self.slack_m
        place, piece = self.axis.query(places, predicate="dwithin", distance=farthest)
        xy = shapely.get_coordinates(places)
        off_m = distance_m(xy[place], Capsules(*(column[piece] for column in self.ground)))
        n_within = np.unique(place[off_m <= self.slack_m]).size
        return unreached.size - n_within, n_within


def distance_m(xy: NDArray[np.float64], pieces: Capsules) -> NDArray[np.float64]:
    """
    Return how far each place is outside the convex hull of two discs; less than 0 inside.

    Parameters
    ----------
    xy
        Places, `(p, 2)`.
    pieces
        As many capsules.
    """
    way, off = pieces.end - pieces.start, xy - pieces.start
    length = np.hypot(*way.T)
    taper = pieces.radius[:, 0] - pieces.radius[:, 1]
    to_discs = np.minimum(
        np.hypot(*off.T) - pieces.radius[:, 0], np.hypot(*(xy - pieces.end).T) - pieces.radius[:, 1]
    )
    is_hull = length > np.abs(taper)  # else one disc holds the other
    unit = way / np.where(length > 0, length, 1.0)[:, None]
    sine = np.where(is_hull, taper / np.where(is_hull, length, 1.0), 0.0)
    cosine = np.sqrt(1.0 - sine * sine)
    along, across = (off * unit).sum(axis=1), np.abs(off[:, 0] * unit[:, 1] - off[:, 1] * unit[:, 0])
    # along the common tangent, from where it touches one disc to where it touches the other
    on_side = along * cosine - across * sine
    is_beside = is_hull & (on_side >= 0) & (on_side <= length * cosine)
    to_side = along * sine + across * cosine - pieces.radius[:, 0]
    made: NDArray[np.float64] = np.where(is_beside, to_side, to_discs)
    return made


def _shapes(iso: Isochrones) -> NDArray[np.object_]:
    """Return the polygons in the network's metric CRS, `(rows, bands)`."""
    shape: NDArray[np.object_] = iso.geometry.to_numpy(copy=True)
    shape[shapely.is_missing(shape)] = shapely.MultiPolygon()
    return moved_shapes(shape, iso.crs, iso.network.metric_crs).reshape(-1, len(iso.band_minutes))


def _disks(ring: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return each ring with those before it."""
    disk = ring.copy()
    for band in range(1, ring.shape[1]):
        disk[:, band] = shapely.union(disk[:, band - 1], ring[:, band])
    return disk


def _nested(shape: NDArray[np.object_], *, is_ring: bool) -> NDArray[np.bool_]:
    """Return whether each shape has the one of the band before inside; of rings, nothing of any before."""
    is_nested = np.ones(shape.shape, np.bool_)
    for band in range(1, shape.shape[1]):
        if is_ring:
            before = [shapely.union_all(row) for row in shape[:, :band]]
            wrong = shapely.intersection(np.array(before, object), shape[:, band])
        else:
            wrong = shapely.difference(shape[:, band - 1], shape[:, band])
        wrong = np.array([as_multipolygon(each) for each in wrong], object)
        is_nested[:, band] = shapely.is_empty(shapely.buffer(wrong, -SAME_M / 2))
    return is_nested


def _node_xy(network: RoadNetwork) -> NDArray[np.float64]:
    import pyproj

    project: Any = pyproj.Transformer.from_crs(4326, network.metric_crs, always_xy=True).transform
    xy: NDArray[np.float64] = np.column_stack(project(*network.node_lonlat.T))
    return xy


def _tree(shape: Any) -> shapely.STRtree:
    return shapely.STRtree(np.atleast_1d(shape))


def _cell_m(resolution: int) -> float:
    """Return a length that no cell is farther across."""
    import h3.api.numpy_int as h3

    return CELL_ACROSS * float(h3.average_hexagon_edge_length(resolution, unit="m"))
