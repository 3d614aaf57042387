"""Barriers: what neither streets nor people on foot pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from citygeo import datum
from citygeo.edgeparts import as_multipolygon, cut_lines
from citygeo.engine import Parts
from citygeo.errors import error

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork
    from citygeo.reach.place import Facilities

LINE_M = 0.5  # a line blocks so far to each side
POINT_M = 5.0  # a point blocks the streets within
GRID_M = 1e-3  # corners of what is cut lie on a millimetre grid, so that neighbours fit


class Barrier(NamedTuple):
    """
    What barriers take, in the network's metric CRS.

    Attributes
    ----------
    ground
        Where nobody walks.
    points
        Around points: every street in it is closed, bridges too.
    """

    ground: shapely.Geometry
    points: shapely.Geometry

    @classmethod
    def of(cls, network: RoadNetwork, barriers: gpd.GeoDataFrame | gpd.GeoSeries) -> Barrier:
        """
        Return what barriers take.

        Parameters
        ----------
        network
            The network.
        barriers
            Polygons, lines and points.

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
                "CG-IN-004", argument="barriers",
                value=f"{int(is_empty.sum())} of {len(shapes)} rows without geometry",
                rule="Each row is a point, a line or a polygon.",
                hint="Drop the empty rows, or leave barriers out.",
            )  # fmt: skip
        dimension = shapely.get_dimensions(shapes)
        radius = np.select([dimension == 0, dimension == 1], [POINT_M, LINE_M], 0.0)
        taken = np.where(dimension == 2, shapely.make_valid(shapes), shapely.buffer(shapes, radius))
        return cls(shapely.union_all(taken), shapely.union_all(taken[dimension == 0]))

    def closed(self, network: RoadNetwork, log: IssueLog) -> RoadNetwork:
        """Return the network without streets in barriers, cut at their rim; note if no bridge can be known."""
        import geopandas as gpd

        area = gpd.GeoSeries([as_multipolygon(self.ground)], crs=network.metric_crs)
        closed = network.without(polygon=area, spares_bridges=True)
        n_closed = int((~closed.is_open).sum() - (~network.is_open).sum())
        if n_closed and not network.arrays["shape_off_ground"].any():
            log.add("CG-NET-064", count=n_closed, sample=[network.source["name"]])
        if shapely.is_empty(self.points):
            return closed
        return closed.without(polygon=gpd.GeoSeries([as_multipolygon(self.points)], crs=network.metric_crs))

    def note_crossed(self, network: RoadNetwork, placed: Facilities, log: IssueLog) -> None:
        """Note the facilities that lie across a barrier from their road, or in one."""
        on = np.flatnonzero(placed.snaps.is_on)
        shapes = placed.layer.geometry.to_crs(network.metric_crs).to_numpy()[on]
        ways = shapely.shortest_line(shapes, shapely.points(placed.snaps.xy[on]))
        rows = on[shapely.intersects(ways, self.ground)]
        log.add("CG-NET-065", count=rows.size, sample=placed.layer.index[rows], total=len(placed.layer))


class Zones(NamedTuple):
    """
    Pieces of ground that barriers part, each reached from the roads in it only.

    Attributes
    ----------
    ground
        The pieces, and the widths of bridges, tunnels and ferries that pass barriers, metric CRS, `(z,)`.
    parts
        Reached parts, cut where they run from zone to zone.
    zone, origin
        The zone of each part, and which of the parts that were given it is of.
    """

    ground: NDArray[np.object_]
    parts: Parts
    zone: NDArray[np.int64]
    origin: NDArray[np.int64]


def zones_of(
    network: RoadNetwork, shape: shapely.Geometry, parts: Parts, barrier: shapely.Geometry, least_m: float
) -> Zones:
    """
    Part the ground around reached roads where barriers run: nobody walks into or over them.

    Parameters
    ----------
    network
        The network.
    shape
        Ground around reached parts as if there were no barrier, metric CRS.
    parts
        The reached parts.
    barrier
        Where nobody walks.
    least_m
        How far to each side reached roads count, here those that pass over or under a barrier.
    """
    lines = cut_lines(network, parts.edge, parts.share)
    roads = shapely.STRtree(lines)
    passing = shapely.intersection(lines[roads.query(barrier, predicate="intersects")], barrier)
    width = shapely.union_all(shapely.buffer(passing, least_m, cap_style="flat"))
    grounds = (
        shapely.difference(shape, barrier, grid_size=GRID_M), shapely.intersection(width, barrier, grid_size=GRID_M)
    )  # fmt: skip
    zones = np.concatenate([shapely.get_parts(as_multipolygon(one)) for one in grounds])
    zone, part = roads.query(zones, predicate="intersects")
    is_cut = (np.bincount(part, minlength=len(lines)) > 1)[part]
    stretch, ends = _stretches(lines[part[is_cut]], zones[zone[is_cut]])
    part, zone = (np.concatenate((values[~is_cut], values[is_cut][stretch])) for values in (part, zone))
    ends = np.vstack((np.tile((0.0, 1.0), (part.size - stretch.size, 1)), ends))
    share, ms = (values[part, :1] + ends * np.diff(values[part]) for values in (parts.share, parts.ms))
    return Zones(zones, Parts(parts.edge[part], share, ms), zone, part)


def _stretches(
    lines: NDArray[np.object_], zones: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return what of each line lies in the zone beside it: numbers of lines, and low and high ends as shares."""
    piece, number = shapely.get_parts(shapely.intersection(lines, zones), return_index=True)
    is_line = shapely.length(piece) > 0
    piece, number = piece[is_line], number[is_line]
    ends = [
        shapely.line_locate_point(lines[number], shapely.get_point(piece, end), normalized=True)
        for end in (0, -1)
    ]
    return number, np.sort(np.column_stack(ends), axis=1)
