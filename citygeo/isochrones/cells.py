"""
H3 cells that reached roads pass through, and when each is first reached.

Edges are cut where they cross from cell to cell, once for all bands and facilities, so that the answer for a place
depends on nothing else: what is reached within a shorter time lies in cells that are reached within a longer one, at
the same times.

A cut is found by halving the stretch between two samples in different cells down to 1 m. Samples are the corners of
edges, and places between them at most a quarter of a cell's edge, and 500 m, apart. Cells are convex and such short
chords bend less than 1 cm away from the great circle, so a chord with both ends in a cell does not leave it: no cell is
missed that an edge crosses for more than 1 m, and the earliest time of these crossings is right to what half a metre of
travel takes. Cells in which an edge of the icosahedron lies have a bend there, and may be missed for a little more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from citygeo import hexgrid
from citygeo.edgeparts import as_multipolygon
from citygeo.errors import error
from citygeo.hexgrid.inputs import require_resolution
from citygeo.network.boxtree import box_tree
from citygeo.network.build import ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.edgeparts import EdgeParts
    from citygeo.engine import Parts
    from citygeo.modes import TravelMode
    from citygeo.network import RoadNetwork

    Cells = NDArray[np.uint64]

CROSSING_M = 1.0
MAX_CROSSED = 1_000_000
CHORD_SIDES = math.pi * math.sqrt(3) / 4  # mean way through a hexagon, in sides: pi times area by perimeter
SAMPLES_PER_SIDE = 4
FARTHEST_SAMPLE_M = 500.0
SAME_DEGREES = 1e-12  # neighbouring cells compute the corner they share up to 1e-13 degrees apart
TURN = 360.0
WALKING_KMH = 10.0
WALKED_RESOLUTION, DRIVEN_RESOLUTION = 10, 9


def default_resolution(mode: TravelMode) -> int:
    """
    Return the resolution of cells where none is asked for: 10 (sides of 76 m) for who walks, else 9 (200 m).

    Parameters
    ----------
    mode
        Who travels; who is nowhere faster than 10 km/h walks.

    Examples
    --------
    >>> from citygeo.modes import travel_mode
    >>> default_resolution(travel_mode("walk")), default_resolution(travel_mode("bike"))
    (10, 9)
    """
    return WALKED_RESOLUTION if mode.top_kmh <= WALKING_KMH else DRIVEN_RESOLUTION


class CellRuns(NamedTuple):
    """
    Edges cut at the borders of cells: stretches, sorted by edge and place, of which each lies in one cell.

    Attributes
    ----------
    edge
        Edge of each stretch, `(r,)`.
    share
        Its low and high end as shares of the edge, `(r, 2)`; the stretches of an edge cover it.
    cell
        The cell, `(r,)`.
    """

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    cell: Cells

    def reached_by(self, parts: Parts | EdgeParts) -> tuple[Cells, NDArray[np.float64]]:
        """
        Return the cells that parts pass through and the earliest time in each.

        Parameters
        ----------
        parts
            Reached parts of edges that are among those cut.

        Returns
        -------
        Cells, sorted, each once, and milliseconds.
        """
        first = np.searchsorted(self.edge, parts.edge, "left")
        count = np.searchsorted(self.edge, parts.edge, "right") - first
        part = np.repeat(np.arange(parts.edge.size), count)
        run = ranges(first, count)
        (low, high), (low_ms, high_ms) = parts.share[part].T, parts.ms[part].T
        begin, end = np.maximum(self.share[run, 0], low), np.minimum(self.share[run, 1], high)
        is_met = (begin < end) | ((low == high) & (begin == end))  # a part of no length is a place
        size = (high - low)[is_met]
        pace = (high_ms - low_ms)[is_met] / np.where(size > 0, size, 1.0)
        base, begin, end = low_ms[is_met], (begin - low)[is_met], (end - low)[is_met]
        ms = np.minimum(base + pace * begin, base + pace * end)
        cell = self.cell[run[is_met]]
        order = np.lexsort((ms, cell))
        cells, earliest = np.unique(cell[order], return_index=True)
        return cells, ms[order][earliest]


def cells_of_parts(
    network: RoadNetwork, parts: Parts | EdgeParts, resolution: int
) -> tuple[Cells, NDArray[np.float64]]:
    """
    Return all H3 cells that reached parts pass through, and the earliest time in each.

    For several facilities or bands call `cut_at_cells` once, and `CellRuns.reached_by` for each.

    Parameters
    ----------
    network
        The road network.
    parts
        Reached parts of its edges.
    resolution
        H3 resolution, 0 to 15.

    Returns
    -------
    Cells, sorted, each once, and milliseconds.

    Raises
    ------
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    LimitError
        CG-LIM-008 if that would be more than a million cells.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> area = cg.service_area(city.network("drive"), city.stations, minutes=5, direction="from")
    >>> cells, ms = cells_of_parts(area.network, area.parts[5.0][0], 9)
    >>> bool((ms <= 300_000).all())
    True
    """
    return cut_at_cells(network, parts.edge, resolution).reached_by(parts)


def cut_at_cells(network: RoadNetwork, edges: NDArray[np.int64], resolution: int) -> CellRuns:
    """
    Cut edges where they cross from cell to cell.

    Parameters
    ----------
    network
        The road network.
    edges
        Numbers of edges; repeated ones count once.
    resolution
        H3 resolution, 0 to 15.

    Raises
    ------
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    LimitError
        CG-LIM-008 if that would be more than a million cells.

    Examples
    --------
    >>> import citygeo as cg
    >>> net = cg.datasets.reykjavik().network("drive")
    >>> runs = cut_at_cells(net, np.arange(10), 9)
    >>> bool(np.isin(np.arange(10), runs.edge).all())
    True
    """
    require_resolution(resolution)
    edge = np.unique(np.asarray(edges, np.int64))
    if not edge.size:
        return CellRuns(edge, np.empty((0, 2)), np.empty(0, np.uint64))
    _require_few_cells(network, edge, resolution)
    samples = _samples(network, edge, resolution)
    cut, metres, cell = _cuts(samples, resolution)
    is_first = np.append(True, samples.edge[1:] != samples.edge[:-1])
    # the start of each edge and each cut begin a stretch
    owner = np.concatenate((edge, cut))
    begin = np.concatenate((np.zeros(edge.size), metres))
    cell = np.concatenate((samples.cell[is_first], cell))
    order = np.lexsort((begin, owner))
    owner, begin, cell = owner[order], begin[order], cell[order]
    tree = box_tree(network)
    total = tree.along[tree.shape_start[owner + 1] - 1]
    share = np.divide(begin, total, out=np.zeros(owner.size), where=total > 0)
    is_last = np.append(owner[1:] != owner[:-1], True)
    return CellRuns(owner, np.column_stack((share, np.where(is_last, 1.0, np.append(share[1:], 1.0)))), cell)


def _require_few_cells(network: RoadNetwork, edge: NDArray[np.int64], resolution: int) -> None:
    import h3.api.numpy_int as h3

    metres = float(network.length_m[edge].sum())

    def estimate(level: int) -> float:
        return metres / (CHORD_SIDES * float(h3.average_hexagon_edge_length(level, unit="m")))

    if estimate(resolution) > MAX_CROSSED:
        advice = max((level for level in range(resolution) if estimate(level) <= MAX_CROSSED), default=0)
        raise error(
            "CG-LIM-008", resolution=resolution, km=f"{metres / 1000:,.0f}", count=f"{estimate(resolution):,.0f}",
            limit=f"{MAX_CROSSED:,}", advice=advice,
        )  # fmt: skip


class _Samples(NamedTuple):
    """Places along edges: edge, metres from its start, degrees, cell; those of an edge follow each other."""

    edge: NDArray[np.int64]
    along: NDArray[np.float64]
    lonlat: NDArray[np.float64]
    cell: Cells

    def take(self, rows: NDArray[np.generic]) -> _Samples:
        return _Samples(*(values[rows] for values in self))


def _samples(network: RoadNetwork, edge: NDArray[np.int64], resolution: int) -> _Samples:
    """Return the corners of edges and enough places between them."""
    import h3.api.numpy_int as h3

    tree, lonlat = box_tree(network), network.shape_lonlat
    apart = min(h3.average_hexagon_edge_length(resolution, unit="m") / SAMPLES_PER_SIDE, FARTHEST_SAMPLE_M)
    first, count = tree.shape_start[edge], np.diff(tree.shape_start)[edge]
    corner = ranges(first, count)
    is_last = np.zeros(corner.size, np.bool_)
    is_last[np.cumsum(count) - 1] = True
    after = np.where(is_last, corner, corner + 1)
    steps = np.maximum(np.ceil((tree.along[after] - tree.along[corner]) / apart), 1).astype(np.int64)
    which = np.repeat(np.arange(corner.size), steps)
    part = (np.arange(which.size) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[which]
    begin, end = corner[which], after[which]
    along = tree.along[begin] + part * (tree.along[end] - tree.along[begin])
    places = lonlat[begin] + part[:, None] * (lonlat[end] - lonlat[begin])
    owner = np.repeat(edge, count)[which]
    return _Samples(owner, along, places, hexgrid.cells_of_points(places[:, 0], places[:, 1], resolution))


def _cuts(samples: _Samples, resolution: int) -> tuple[NDArray[np.int64], NDArray[np.float64], Cells]:
    """Return edge and metres of each crossing from cell to cell, and the cell behind it."""
    rows = np.arange(samples.edge.size - 1)
    low, high = samples.take(rows), samples.take(rows + 1)
    found = []
    while True:
        is_crossed = (low.cell != high.cell) & (low.edge == high.edge)
        is_done = is_crossed & (high.along - low.along <= CROSSING_M)
        found.append((low.edge[is_done], (low.along + high.along)[is_done] / 2, high.cell[is_done]))
        rows = np.flatnonzero(is_crossed & ~is_done)
        if not rows.size:
            break
        low, high = low.take(rows), high.take(rows)
        places = (low.lonlat + high.lonlat) / 2
        cell = hexgrid.cells_of_points(places[:, 0], places[:, 1], resolution)
        middle = _Samples(low.edge, (low.along + high.along) / 2, places, cell)
        low, high = (
            _Samples(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))
            for one, other in ((low, middle), (middle, high))
        )
    edge, metres, cells = zip(*found, strict=True)
    return np.concatenate(edge), np.concatenate(metres), np.concatenate(cells)


def cell_union(cells: Cells) -> shapely.MultiPolygon:
    """
    Return the area of cells: their outlines dissolved, with holes and islands.

    Parameters
    ----------
    cells
        Cells of one resolution, each once.

    Returns
    -------
    A valid MultiPolygon in WGS 84 degrees; if cells lie on both sides of the antimeridian, past 180 degrees east.

    Examples
    --------
    >>> import h3.api.numpy_int as h3
    >>> disk = h3.grid_disk(0x8928308280FFFFF, 1)
    >>> [len(polygon.exterior.coords) for polygon in cell_union(disk).geoms]
    [19]
    """
    outlines = hexgrid.cell_polygons(cells)
    if not len(outlines):
        return shapely.MultiPolygon()
    lonlat = shapely.get_coordinates(outlines)
    if np.ptp(lonlat[:, 0]) > TURN / 2:
        lonlat[:, 0] %= TURN
    # with equal corners the outlines are a coverage, of which all that is shared can be left out exactly
    made_equal = np.column_stack([_made_equal(values) for values in lonlat.T])
    return as_multipolygon(shapely.coverage_union_all(shapely.set_coordinates(outlines, made_equal)))


def _made_equal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values, those that differ by rounding only made equal."""
    known, position = np.unique(values, return_inverse=True)
    is_new = np.append(True, np.diff(known) > SAME_DEGREES)
    return np.asarray(known[is_new][np.cumsum(is_new) - 1][position], np.float64)
