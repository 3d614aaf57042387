"""
Geometry as two short texts: integer steps of 1e-5 degree (about 1 m), as variable-length bytes in base64.

A hexagon costs 30 bytes instead of the 560 of GeoJSON, so that a page with every road of a city opens at once.
``templates/decode.js`` reads it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STEPS_PER_DEGREE = 100_000
_BITS = 7


class Packed(NamedTuple):
    """
    Features as text.

    `counts` holds, per feature: the number of groups; per group: of parts; per part: of points. A polygon is a
    group and its rings are parts, closing point left out; lines and points are parts of one group.
    `steps` holds the zigzag steps of longitude and latitude from the point before, over the whole layer.
    """

    counts: str
    steps: str


def pack(shapes: Sequence[shapely.Geometry] | NDArray[np.object_]) -> Packed:
    """
    Return features as packed text.

    Parameters
    ----------
    shapes
        Non-empty points, lines, polygons and their multiples, in WGS 84 degrees.

    Returns
    -------
    The packed features.

    Examples
    --------
    >>> pack([shapely.Point(0, 0.00001)])
    Packed(counts='AQEB', steps='AAI=')
    """
    counts: list[int] = []
    pieces: list[NDArray[np.float64]] = []
    for shape in shapes:
        groups = _groups(shape)
        counts.append(len(groups))
        for group in groups:
            counts.append(len(group))
            for part in group:
                counts.append(len(part))
                pieces.append(part)
    places = np.concatenate(pieces) if pieces else np.empty((0, 2))
    whole = np.rint(places * STEPS_PER_DEGREE).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel()
    return Packed(_varints(np.array(counts, np.int64)), _varints((steps << 1) ^ (steps >> 63)))


def _groups(shape: shapely.Geometry) -> list[list[NDArray[np.float64]]]:
    """Return the parts of a feature, polygon by polygon."""
    leaves = shapely.get_parts(shape)
    while any(leaf.geom_type in ("GeometryCollection", "MultiPolygon") for leaf in leaves):
        leaves = shapely.get_parts(leaves)
    areas = [leaf for leaf in leaves if leaf.geom_type == "Polygon"]
    others = [shapely.get_coordinates(leaf) for leaf in leaves if leaf.geom_type != "Polygon"]
    groups = [[_open(ring) for ring in shapely.get_rings(area)] for area in areas]
    return [*groups, others] if others else groups


def _open(ring: shapely.LinearRing) -> NDArray[np.float64]:
    """Return the places of a ring without the closing one."""
    return np.asarray(shapely.get_coordinates(ring)[:-1])


def _varints(values: NDArray[np.int64]) -> str:
    """Return non-negative integers as base64 of 7-bit groups, low first, high bit set on all but the last."""
    sizes = np.ones(len(values), np.int64)
    for group in range(1, 9):
        sizes += values >> (_BITS * group) > 0
    ends = np.cumsum(sizes)
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    for group in range(int(sizes.max(initial=0))):
        has = sizes > group
        more = (sizes[has] > group + 1).astype(np.uint8) << _BITS
        low = (values[has] >> (_BITS * group)) & 0x7F
        out[ends[has] - sizes[has] + group] = low.astype(np.uint8) | more
    return base64.b64encode(out.tobytes()).decode("ascii")
