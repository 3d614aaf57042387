"""Polygons without a grid: the union of the ground around every reached part, slow and exact but for its circles."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from citygeo.edgeparts import QUAD_SEGMENTS, as_multipolygon
from citygeo.isochrones.ground import ROAD_M
from citygeo.network.build import ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.engine import Parts
    from citygeo.isochrones.ground import Ground


class Capsules(NamedTuple):
    """Straight pieces of road with the radius of the ground around both ends, linear between, in metres."""

    start: NDArray[np.float64]  # (c, 2)
    end: NDArray[np.float64]  # (c, 2)
    radius: NDArray[np.float64]  # (c, 2)


def buffer(ground: Ground, parts: Parts, limit_ms: int) -> shapely.MultiPolygon:
    """
    Return the ground around reached parts.

    Parameters
    ----------
    ground
        Roads, and how one leaves them.
    parts
        Reached parts; all within `limit_ms`.
    limit_ms
        When the time runs out.

    Returns
    -------
    A valid MultiPolygon; circles have 32 corners and lie inside the true ones.
    """
    made = capsules(ground, parts, limit_ms)
    if not len(made.start):
        return shapely.MultiPolygon()
    return as_multipolygon(shapely.union_all(hulls(made)))


def hulls(made: Capsules, quad_segs: int = QUAD_SEGMENTS) -> NDArray[np.object_]:
    """
    Return the convex hull of both circles of each capsule.

    Parameters
    ----------
    made
        Capsules.
    quad_segs
        Corners of a quarter of a circle.
    """
    angle = np.arange(4 * quad_segs) * (np.pi / 2 / quad_segs)
    unit = np.column_stack((np.cos(angle), np.sin(angle)))
    rims = [
        middle[:, None] + radius[:, None, None] * unit
        for middle, radius in ((made.start, made.radius[:, 0]), (made.end, made.radius[:, 1]))
    ]
    corners = np.concatenate(rims, axis=1)
    owner = np.repeat(np.arange(len(corners)), corners.shape[1])
    clouds = shapely.multipoints(corners.reshape(-1, 2), indices=owner)
    return np.asarray(shapely.convex_hull(clouds), object)


def capsules(ground: Ground, parts: Parts, limit_ms: int, least_m: float = ROAD_M) -> Capsules:
    """
    Cut reached parts into straight pieces along which the radius of the ground is linear.

    Parameters
    ----------
    ground, parts, limit_ms
        As in `buffer`.
    least_m
        Radius that always counts.
    """
    begin, end = ground.shape_start[parts.edge], ground.shape_start[parts.edge + 1] - 1
    span_m = parts.share * ground.along[end][:, None]
    n_segments = end - begin
    part = np.repeat(np.arange(len(begin)), n_segments)
    corner = ranges(begin, n_segments)
    at = ground.along[corner], ground.along[corner + 1]
    low, high = np.maximum(span_m[part, 0], at[0]), np.minimum(span_m[part, 1], at[1])
    # a part of no length is at one place: it has the first segment that holds it
    is_place = (span_m[:, 0] == span_m[:, 1])[part] & (low == high)
    is_place[is_place] = np.append(True, np.diff(part[is_place]) != 0)[: int(is_place.sum())]
    keep = (high > low) | is_place
    part, corner, low, high = part[keep], corner[keep], low[keep], high[keep]
    size_m = span_m[:, 1] - span_m[:, 0]
    pace = (parts.ms[:, 1] - parts.ms[:, 0]) / np.where(size_m > 0, size_m, 1.0)
    budget = np.column_stack(
        [
            (limit_ms - parts.ms[part, 0] - (place - span_m[part, 0]) * pace[part]) * ground.m_per_ms
            for place in (low, high)
        ]
    )
    budget[ground.off_ground[corner] != 0] = 0.0
    trim_m = max(ground.trim_m, least_m)
    # shares of the piece at which the radius bends: where the budget is just the least, and where it is the most
    step = np.where(budget[:, 1] == budget[:, 0], np.inf, budget[:, 1] - budget[:, 0])
    bends = np.sort(np.column_stack([(radius - budget[:, 0]) / step for radius in (least_m, trim_m)]), axis=1)
    share = np.column_stack((np.zeros(len(low)), np.clip(bends, 0.0, 1.0), np.ones(len(low))))
    radius = np.clip(budget[:, :1] + share * (budget[:, 1:] - budget[:, :1]), least_m, trim_m)
    way = ground.corner[corner + 1] - ground.corner[corner]
    length = ground.along[corner + 1] - ground.along[corner]
    metres = (low - ground.along[corner])[:, None] + share * (high - low)[:, None]
    place = (
        ground.corner[corner][:, None]
        + (metres / np.where(length > 0, length, 1.0)[:, None])[:, :, None] * way[:, None]
    )
    pieces = [
        (place[:, i], place[:, i + 1], radius[:, i : i + 2], share[:, i] < share[:, i + 1]) for i in range(3)
    ]
    start, end_, radii = (
        np.concatenate([piece[column][piece[3]] for piece in pieces]) for column in range(3)
    )
    return Capsules(start, end_, radii)
