"""Isochrones as tables: polygons, edges and cells, one row per facility and band, part or cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo.edgeparts import EdgeParts, as_multipolygon, cut_lines
from citygeo.engine import Parts
from citygeo.hexgrid import cell_polygons, to_strings
from citygeo.isochrones.areas import areas, rings_of
from citygeo.isochrones.cells import cut_at_cells
from citygeo.isochrones.moving import moved_shapes
from citygeo.isochrones.reached import beyond
from citygeo.network.snap import OK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.isochrones.areas import Look
    from citygeo.isochrones.reached import Reach

OUT_OF_RANGE = "out_of_range"  # the time runs out before it is on the road
NOT_FIRST = "not_first"  # it shares out what is reached, and others are everywhere sooner


class Keys(NamedTuple):
    """What every table begins with, one entry per facility and band, facilities first."""

    row: NDArray[np.int64]
    band: NDArray[np.int64]

    @classmethod
    def of(cls, reach: Reach) -> Keys:
        """Return the facilities and bands of a question."""
        n = len(reach.minutes)
        return cls(np.repeat(np.arange(reach.n_rows), n), np.tile(np.arange(n), reach.n_rows))

    def take(self, rows: NDArray[Any]) -> Keys:
        """Return some of them."""
        return Keys(self.row[rows], self.band[rows])

    def columns(self, reach: Reach, is_reached: NDArray[np.bool_], *, is_ring: bool) -> dict[str, Any]:
        """Return the columns; `is_reached` says of each facility and band whether anything is."""
        upper = np.array(reach.minutes)
        lower = np.concatenate(([0.0], upper[:-1])) if is_ring else np.zeros(upper.size)
        bands = {"minutes": upper[self.band], "from_minutes": lower[self.band]}
        limit = np.array(reach.limits)[self.band]
        if reach.overlap == "dissolve":
            late = reach.soonest_ms.min() > limit
            return {**bands, "status": np.where(late, OUT_OF_RANGE, OK).astype(object)}
        snaps = reach.placed.snaps
        status, is_on = snaps.status[self.row].copy(), snaps.is_on[self.row]
        status[is_on & ~is_reached[self.row, self.band]] = NOT_FIRST
        status[is_on & (reach.soonest_ms[self.row] > limit)] = OUT_OF_RANGE
        label = reach.facilities.index.to_numpy()[self.row]
        return {"facility": label, **bands, "status": status, "snap_distance_m": snaps.distance_m[self.row]}

    def labels(self, reach: Reach) -> pd.Index[Any]:
        """Return the caller's labels, or plain numbers for all facilities as one."""
        if reach.overlap == "dissolve":
            return pd.RangeIndex(self.row.size)
        labels: pd.Index[Any] = reach.facilities.index[self.row]
        return labels


def polygons(reach: Reach, look: Look, *, is_ring: bool) -> gpd.GeoDataFrame:
    """Return one row per facility and band with its polygon, area_km2 and reached_km."""
    made = areas(reach, look)
    if is_ring:
        made = rings_of(made)
    keys = Keys.of(reach)
    shape = made.shape.ravel()
    data = {
        **keys.columns(reach, made.is_reached, is_ring=is_ring),
        "area_km2": shapely.area(shape) / 1e6,
        "reached_km": made.reached_km.ravel(),
    }
    is_sound = look.method == "contour" and look.barrier is None and reach.overlap != "split" and not is_ring
    moved = _to_crs(shape, reach, is_sound=is_sound)
    return gpd.GeoDataFrame(data, geometry=moved, crs=reach.facilities.crs, index=keys.labels(reach))


def _to_crs(shape: NDArray[np.object_], reach: Reach, *, is_sound: bool) -> NDArray[np.object_]:
    """Return shapes in the caller's CRS; outlines on a grid are sound, others may need a repair there."""
    moved = moved_shapes(shape, reach.network.metric_crs, reach.facilities.crs)
    for wrong in () if is_sound else np.flatnonzero(~shapely.is_valid(moved)):
        moved[wrong] = as_multipolygon(shapely.make_valid(moved[wrong]))
    return moved


def edges(reach: Reach, *, is_ring: bool) -> gpd.GeoDataFrame:
    """Return one row per facility, band and reached part."""
    keys, parts, first, is_reached = _parts(reach, is_ring=is_ring)
    part_keys = keys.take(np.repeat(np.arange(keys.row.size), np.maximum(np.diff(first), 1)))
    # a facility without reach keeps a row, of which the rest is missing
    own = np.insert(np.arange(parts.edge.size), first[:-1][np.diff(first) == 0], -1)
    is_part = own >= 0
    from_m, to_m = (parts.share * reach.network.length_m[parts.edge][:, None]).T
    lines = np.full(own.size, None, object)
    is_line = is_part.copy()
    is_line[is_part] = from_m < to_m  # a part of no length is a place
    drawn = parts.take(own[is_line])
    lines[is_line] = cut_lines(reach.network, drawn.edge, drawn.share, reach.facilities.crs)
    measures = {
        "from_m": from_m, "to_m": to_m, "time_from_s": parts.ms[:, 0] / 1000, "time_to_s": parts.ms[:, 1] / 1000,
    }  # fmt: skip
    data = {
        **part_keys.columns(reach, is_reached, is_ring=is_ring),
        "edge": np.where(is_part, np.append(parts.edge, -1)[own], -1),
        **{name: np.append(values, np.nan)[own] for name, values in measures.items()},
    }
    index = part_keys.labels(reach)
    return gpd.GeoDataFrame(data, geometry=lines, crs=reach.facilities.crs, index=index)


def _parts(reach: Reach, *, is_ring: bool) -> tuple[Keys, Parts, NDArray[np.int64], NDArray[np.bool_]]:
    """Return the parts of all facilities and bands in order, where those of each begin, and whether each has any."""
    n = len(reach.minutes)
    found = [Parts.none()] * (reach.n_rows * n)
    is_reached = np.zeros((reach.n_rows, n), np.bool_)
    limits = reach.limits

    def take(row: int, bands: list[Parts]) -> None:
        for band, parts in enumerate(bands):
            is_reached[row, band] = parts.edge.size > 0
            own = beyond(parts, limits[band - 1]) if is_ring and band else parts
            ordered = EdgeParts.sorted(own)
            found[row * n + band] = Parts(ordered.edge, ordered.share, ordered.ms)

    reach.each(take)
    all_parts = Parts(*(np.concatenate(column) for column in zip(Parts.none(), *found, strict=True)))
    first = np.concatenate(([0], np.cumsum([parts.edge.size for parts in found])))
    return Keys.of(reach), all_parts, first, is_reached


def cells(reach: Reach, resolution: int, *, is_ring: bool) -> gpd.GeoDataFrame:
    """Return one row per facility, band and H3 cell that it reaches."""
    keys, parts, first, is_reached = _parts(reach, is_ring=False)
    runs = cut_at_cells(reach.network, parts.edge, resolution)
    limits = reach.limits
    found = []
    for n, (band, low, high) in enumerate(zip(keys.band.tolist(), first[:-1], first[1:], strict=True)):
        own = slice(low, high)
        cell, ms = runs.reached_by(parts.take(own))
        if is_ring and band:
            cell, ms = cell[ms > limits[band - 1]], ms[ms > limits[band - 1]]
        found.append((np.full(max(cell.size, 1), n), cell, ms))
    place = np.concatenate([np.empty(0, np.int64), *(each[0] for each in found)])
    is_cell = np.concatenate(
        [np.empty(0, np.bool_), *(np.arange(each[0].size) < each[1].size for each in found)]
    )
    cell = np.concatenate([np.empty(0, np.uint64), *(each[1] for each in found)])
    seconds, names = np.full(place.size, np.nan), np.full(place.size, None, object)
    seconds[is_cell] = np.concatenate([np.empty(0), *(each[2] for each in found)]) / 1000
    names[is_cell] = to_strings(cell)
    shapes = np.full(place.size, None, object)
    known, at = np.unique(cell, return_inverse=True)
    shapes[is_cell] = np.asarray(cell_polygons(known), object)[at]
    own_keys = keys.take(place)
    data = {**own_keys.columns(reach, is_reached, is_ring=is_ring), "cell": names, "time_s": seconds}
    table = gpd.GeoDataFrame(data, geometry=shapes, crs=4326, index=own_keys.labels(reach))
    return table.to_crs(reach.facilities.crs)
