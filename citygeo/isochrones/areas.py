"""Isochrones as polygons: one row per facility and band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import shapely

from citygeo.edgeparts import EdgeParts, as_multipolygon
from citygeo.isochrones.barriers import cut_off
from citygeo.isochrones.buffers import buffer
from citygeo.isochrones.cells import cell_union, cut_at_cells
from citygeo.isochrones.contour import Rings, contour, least_m, multipolygons
from citygeo.isochrones.ground import Ground
from citygeo.isochrones.reached import length_km
from citygeo.isochrones.split import GRID_M, districts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine import Parts
    from citygeo.isochrones.reached import Reach

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
    """Polygons in the network's metric CRS and how much road is reached, `(rows, bands)` each."""

    shape: NDArray[np.object_]
    reached_km: NDArray[np.float64]


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


def _drawn(reach: Reach, look: Look) -> Areas:
    size = (reach.n_rows, len(reach.minutes))
    shape, km = np.full(size, shapely.MultiPolygon(), object), np.zeros(size)
    rings = [[Rings.none()] * size[1] for _ in range(size[0])]
    ground = Ground.of(reach.network, offroad_kmh=look.offroad_kmh, trim_m=look.trim_m)
    limits = reach.limits
    kept: dict[tuple[int, int], Parts] = {}

    def take(row: int, band: int, parts: Parts) -> None:
        km[row, band] = length_km(reach.network, parts)
        if look.method == "contour":
            rings[row][band] = contour(ground, parts, limits[band], look.cell_m)
        elif look.method == "buffer":
            shape[row, band] = buffer(ground, parts, limits[band])
        if look.barrier is not None or look.method == "cells":
            kept[row, band] = parts

    reach.each(take)
    if look.method == "contour":
        shape = multipolygons(one for row in rings for one in row).reshape(size)
    elif look.method == "cells":
        _draw_cells(reach, look, kept, shape)
    if look.barrier is not None:
        for (row, band), parts in kept.items():
            shape[row, band] = cut_off(
                reach.network, shape[row, band], parts, look.barrier, least_m(look.cell_m)
            )
    return Areas(shape, km)


def _tiled(reach: Reach, look: Look) -> Areas:
    """Draw the ground of all, and share it out among the districts."""
    km = np.zeros((reach.n_rows, len(reach.minutes)))

    def take(row: int, band: int, parts: Parts) -> None:
        km[row, band] = length_km(reach.network, parts)

    reach.each(take)
    whole = _drawn(replace(reach, overlap="dissolve"), look).shape
    own = districts(reach, look.trim_m, look.cell_m)
    shape = shapely.intersection(own[:, None], whole, grid_size=GRID_M)
    return Areas(np.array([[as_multipolygon(one) for one in row] for row in shape], object), km)


def _draw_cells(
    reach: Reach, look: Look, kept: dict[tuple[int, int], Parts], shape: NDArray[np.object_]
) -> None:
    """Fill in the union of the H3 cells that each row's parts pass through."""
    if not kept:
        return
    runs = cut_at_cells(
        reach.network, np.concatenate([parts.edge for parts in kept.values()]), look.resolution
    )
    places = list(kept)
    drawn = np.array([cell_union(runs.reached_by(EdgeParts.sorted(kept[at]))[0]) for at in places], object)
    for at, moved in zip(places, moved_shapes(drawn, 4326, reach.network.metric_crs), strict=True):
        shape[at] = as_multipolygon(moved)


def moved_shapes(shape: NDArray[np.object_], crs: Any, to: Any) -> NDArray[np.object_]:
    """Return shapes of one CRS in another."""
    import pyproj

    project = pyproj.Transformer.from_crs(crs, to, always_xy=True).transform
    xy = np.column_stack(project(*shapely.get_coordinates(shape).T))
    return np.asarray(shapely.set_coordinates(shape.copy(), xy), object)


def rings_of(made: Areas) -> Areas:
    """Return each band without the one before it."""
    shape, km = made.shape.copy(), made.reached_km.copy()
    narrower: Any = made.shape[:, :-1]
    shape[:, 1:] = [
        [as_multipolygon(shapely.difference(*pair)) for pair in zip(wide, narrow, strict=True)]
        for wide, narrow in zip(made.shape[:, 1:], narrower, strict=True)
    ]
    km[:, 1:] -= made.reached_km[:, :-1]
    return Areas(shape, km)
