"""Polygons on a grid: exact crossings of the ground with the lines of the grid, joined to rings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.errors import error
from citygeo.isochrones.ground import ROAD_M

if TYPE_CHECKING:
    import shapely
    from numpy.typing import NDArray

    from citygeo.engine import Parts
    from citygeo.isochrones.ground import Ground

WORD, BLOCK = 64, 64  # nodes in a word, and along a block
LOOSE = 8  # spans without a node for each part, before there is more room
MOST_NODES = 1_000_000_000  # 2 bytes each where an outline runs; all Iceland at 25 m has 280 million


class Rings(NamedTuple):
    """
    Polygons as arrays: those of one facility and band.

    Attributes
    ----------
    xy
        Vertices in metres, the first of each ring repeated at its end, `(v, 2)`.
    ring
        Where each ring begins, and the end, `(r + 1,)`.
    polygon
        Where each polygon begins among the rings, its shell first, and the end, `(p + 1,)`.
    """

    xy: NDArray[np.float64]
    ring: NDArray[np.int64]
    polygon: NDArray[np.int64]

    @classmethod
    def none(cls) -> Rings:
        """Return no polygon."""
        return cls(np.empty((0, 2)), np.zeros(1, np.int64), np.zeros(1, np.int64))


def least_m(cell_m: float) -> float:
    """Return how far to each side reached roads are drawn at least: a node of the grid is nearer than that."""
    return max(ROAD_M, cell_m / math.sqrt(2))


def contour(ground: Ground, parts: Parts, limit_ms: int, cell_m: float) -> Rings:
    """Return the ground around reached parts; see `contours`."""
    return contours(ground, [parts], [limit_ms], cell_m)[0]


def contours(ground: Ground, bands: list[Parts], limits: list[int], cell_m: float) -> list[Rings]:
    """
    Return the ground around the reached parts of each band.

    Parameters
    ----------
    ground
        Roads, and how one leaves them.
    bands
        Reached parts of bands of growing bounds.
    limits
        When the time of each runs out.
    cell_m
        Distance of the lines of the grid, which lie at whole multiples of it.

    Returns
    -------
    Polygons that contain every reached place and nothing farther than the contract allows, plus `cell_m` / sqrt 2
    where the grid cannot see. Those of a band are the same, to the last bit, whatever the others.

    Raises
    ------
    LimitError
        CG-LIM-006: the grid would have more than 1,000 million nodes.
    """
    if not bands[-1].edge.size:
        return [Rings.none()] * len(bands)
    grid = _Grid.around(ground, bands[-1], cell_m)
    bits = np.zeros((grid.rows, -(-grid.columns // WORD)), np.uint64)
    # the nodes of a band are inside in all wider ones
    return [
        _traced(grid, bits, _inked(grid, bits, ground, parts, limit)) if parts.edge.size else Rings.none()
        for parts, limit in zip(bands, limits, strict=True)
    ]


class _Grid(NamedTuple):
    """Lines at whole multiples of a cell: the first column and row, and how many there are."""

    cell_m: float
    first_i: int
    first_j: int
    columns: int
    rows: int

    @property
    def n_blocks(self) -> int:
        """Number of blocks in a row of blocks."""
        return -(-self.columns // BLOCK)

    @classmethod
    def around(cls, ground: Ground, parts: Parts, cell_m: float) -> _Grid:
        """Return the grid over the ground of parts, with nodes to spare on all sides."""
        from citygeo._kernels.ink import box_of

        box = np.empty(4)
        box_of(ground.corner, ground.shape_start, parts.edge, box)
        margin = max(ground.trim_m, least_m(cell_m)) / cell_m + 2
        first_i, first_j = (math.floor(low / cell_m - margin) for low in box[:2])
        columns, rows = (
            math.ceil(high / cell_m + margin) - first + 1
            for high, first in zip(box[2:], (first_i, first_j), strict=True)
        )
        if columns * rows > MOST_NODES:
            raise error(
                "CG-LIM-006", cell_m=f"{cell_m:g}", nodes=f"{columns * rows:,}", most=f"{MOST_NODES:,}"
            )
        return cls(cell_m, first_i, first_j, columns, rows)


def _inked(
    grid: _Grid, bits: NDArray[np.uint64], ground: Ground, parts: Parts, limit_ms: int
) -> NDArray[np.uint8]:
    """Take in the ground around parts; return how far it goes on between nodes."""
    from citygeo._kernels.ink import ink

    # zeros come from the system page by page, where an outline runs
    reach = np.zeros((2, grid.n_blocks * -(-grid.rows // BLOCK) * BLOCK * BLOCK), np.uint8)
    room, n_loose = 0, LOOSE * parts.edge.size
    while n_loose > room:
        room = n_loose
        loose = np.empty((room, 3))
        n_loose = ink(
            ground.corner, ground.along, ground.shape_start, ground.off_ground, *parts, float(limit_ms),
            ground.m_per_ms, ground.trim_m, least_m(grid.cell_m), grid.cell_m, grid.first_i, grid.first_j, bits, reach,
            grid.n_blocks, loose,
        )  # fmt: skip
    return reach


def _traced(grid: _Grid, bits: NDArray[np.uint64], reach: NDArray[np.uint8]) -> Rings:
    """Return the outline of what is inside."""
    from citygeo._kernels.rings import count_runs, trace

    start = np.empty(grid.rows + 1, np.int64)
    n_crossings = count_runs(bits, start)
    n_runs = int(start[-1])
    xy = np.empty((n_crossings + n_runs, 2))
    ring, polygon = np.empty(n_runs + 1, np.int64), np.empty(n_runs + 1, np.int64)
    n = trace(bits, reach, grid.n_blocks, start, grid.cell_m, grid.first_i, grid.first_j, xy, ring, polygon)
    n_rings = polygon[n]
    return Rings(xy[: ring[n_rings]].copy(), ring[: n_rings + 1].copy(), polygon[: n + 1].copy())


def multipolygon(rings: Rings) -> shapely.MultiPolygon:
    """Return polygons as one shape, empty if there is none."""
    import shapely

    owner = np.array([0, rings.polygon.size - 1])
    (made,) = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, rings.xy, (rings.ring, rings.polygon, owner)
    )
    shape: shapely.MultiPolygon = made
    return shape
