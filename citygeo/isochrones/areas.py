"""Isochrones as polygons: one row per facility and band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import shapely

from citygeo.edgeparts import as_multipolygon
from citygeo.isochrones.barriers import GRID_M, zones_of
from citygeo.isochrones.buffers import buffer
from citygeo.isochrones.cells import cell_union, cut_at_cells
from citygeo.isochrones.contour import contours, least_m, multipolygon
from citygeo.isochrones.ground import ROAD_M, Ground
from citygeo.isochrones.moving import moved_shapes
from citygeo.isochrones.reached import length_km
from citygeo.isochrones.split import districts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine import Parts
    from citygeo.isochrones.reached import Reach
    from citygeo.network import RoadNetwork

Method = Literal["contour", "buffer", "cells"]


class Look(NamedTuple):
    """How ground is drawn; see `isochrones`."""

    method: Method
    trim_m: float
    offroad_kmh: float
    cell_m: float
    resolution: int
    barrier: shapely.Geometry | None


class Areas(NamedTuple):
    """Polygons in the network's metric CRS, how much road is reached, and whether anything is, `(rows, bands)` each."""

    shape: NDArray[np.object_]
    reached_km: NDArray[np.float64]
    is_reached: NDArray[np.bool_]


def areas(reach: Reach, look: Look) -> Areas:
    """
    Draw the ground of every row and band.

    Parameters
    ----------
    reach
        The question.
    look
        How to draw.

    Returns
    -------
    Polygons, empty where nothing is reached.
    """
    if reach.overlap == "split":
        return _tiled(reach, look)
    return _drawn(reach, look)


class Pen:
    """Draws the ground around reached parts as a look says, metric CRS."""

    def __init__(self, network: RoadNetwork, look: Look) -> None:
        self.network, self.look = network, look
        self.ground = Ground.of(network, offroad_kmh=look.offroad_kmh, trim_m=look.trim_m)

    def draw(self, bands: list[Parts], limits: list[int]) -> list[shapely.MultiPolygon]:
        """Return the ground within each bound, of which barriers part what roads in it do not reach."""
        shapes = self._draw(bands, limits)
        barrier = self.look.barrier
        if barrier is None:
            return shapes
        return [
            self._parted(shape, parts, limit, barrier) if shapely.intersects(shape, barrier) else shape
            for shape, parts, limit in zip(shapes, bands, limits, strict=True)
        ]

    def _parted(
        self, shape: shapely.MultiPolygon, parts: Parts, limit_ms: int, barrier: shapely.Geometry
    ) -> shapely.MultiPolygon:
        width_m = ROAD_M if self.look.method == "buffer" else least_m(self.look.cell_m)
        zones = zones_of(self.network, shape, parts, barrier, width_m)
        present = np.unique(zones.zone)
        drawn = [
            self._draw([zones.parts.take(zones.zone == zone)], [limit_ms])[0] for zone in present.tolist()
        ]
        own = shapely.intersection(np.array(drawn, object), zones.ground[present], grid_size=GRID_M)
        return as_multipolygon(shapely.union_all(own, grid_size=GRID_M))

    def _draw(self, bands: list[Parts], limits: list[int]) -> list[shapely.MultiPolygon]:
        if self.look.method == "contour":
            return [multipolygon(rings) for rings in contours(self.ground, bands, limits, self.look.cell_m)]
        if self.look.method == "buffer":
            return [buffer(self.ground, *band) for band in zip(bands, limits, strict=True)]
        return [self._cells(parts) for parts in bands]

    def _cells(self, parts: Parts) -> shapely.MultiPolygon:
        cells, _ = cut_at_cells(self.network, parts.edge, self.look.resolution).reached_by(parts)
        drawn = np.array([cell_union(cells)], object)
        return as_multipolygon(moved_shapes(drawn, 4326, self.network.metric_crs)[0])


def _drawn(reach: Reach, look: Look) -> Areas:
    size = (reach.n_rows, len(reach.minutes))
    shape, km = np.full(size, shapely.MultiPolygon(), object), np.zeros(size)
    is_reached = np.zeros(size, np.bool_)
    pen, limits = Pen(reach.network, look), reach.limits

    def take(row: int, bands: list[Parts]) -> None:
        km[row] = [length_km(reach.network, parts) for parts in bands]
        is_reached[row] = [parts.edge.size > 0 for parts in bands]
        shape[row] = pen.draw(bands, limits)

    reach.each(take)
    return Areas(shape, km, is_reached)


def _tiled(reach: Reach, look: Look) -> Areas:
    """Draw the ground of all, and share it out among the districts."""
    size = (reach.n_rows, len(reach.minutes))
    km, is_reached = np.zeros(size), np.zeros(size, np.bool_)

    def take(row: int, bands: list[Parts]) -> None:
        km[row] = [length_km(reach.network, parts) for parts in bands]
        is_reached[row] = [parts.edge.size > 0 for parts in bands]

    reach.each(take)
    whole = _drawn(replace(reach, overlap="dissolve"), look).shape
    own = districts(reach, whole[0, -1], look)
    shape = shapely.intersection(own[:, None], whole, grid_size=GRID_M)
    return Areas(np.array([[as_multipolygon(one) for one in row] for row in shape], object), km, is_reached)


def rings_of(made: Areas) -> Areas:
    """Return each band without the one before it."""
    shape, km = made.shape.copy(), made.reached_km.copy()
    narrower: Any = made.shape[:, :-1]
    shape[:, 1:] = [
        [as_multipolygon(shapely.difference(*pair)) for pair in zip(wide, narrow, strict=True)]
        for wide, narrow in zip(made.shape[:, 1:], narrower, strict=True)
    ]
    km[:, 1:] -= made.reached_km[:, :-1]
    return made._replace(shape=shape, reached_km=km)
