"""The common outline of cells, from the edges that only one of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo.errors import error
from citygeo.hexgrid.hierarchy import resolution_of
from citygeo.hexgrid.plane import HALF_TURN, TURN, continued, with_holes
from citygeo.hexgrid.sets import connected_groups, neighbours, positions, require_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]
    Line = NDArray[np.float64]


def dissolve(cells: Cells) -> shapely.MultiPolygon:
    """
    Return the common outline of cells.

    Parameters
    ----------
    cells
        Cells of one resolution, shape `(n,)`, in any order.

    Returns
    -------
    One polygon with holes for each group of cells that hang together, in WGS 84 degrees (lon, lat); shells run
    anticlockwise. Polygons over the antimeridian are in one piece, past 180 degrees east. Where three cells meet, at
    most two edges are outlines, and so no ring touches itself or another.

    Raises
    ------
    GeometryError
        CG-HEX-001 if the cells go around a pole.
    InputError
        CG-IN-003 if a row is no H3 cell; CG-IN-004 if the resolutions differ.

    Examples
    --------
    >>> from citygeo.hexgrid import from_strings
    >>> _, ring = neighbours(from_strings(["8928308280fffff"]))
    >>> outline = dissolve(ring)
    >>> len(outline.geoms), len(outline.geoms[0].interiors)
    (1, 1)
    """
    given = np.unique(require_cells(cells))
    if not given.size:
        return shapely.MultiPolygon()
    resolution_of(given)
    rows, around = neighbours(given)
    is_border = positions(given, around) < 0
    if not is_border.any():  # all of the Earth
        raise error("CG-HEX-001")
    rings, first = _rings(_borders(given[rows[is_border]], around[is_border]))
    group = connected_groups(given)[rows[is_border][first]]
    parts: dict[int, list[Line]] = {}
    for ring, one in zip(rings, group.tolist(), strict=True):
        parts.setdefault(one, []).append(ring)
    return shapely.MultiPolygon([_polygon(parts[one]) for one in sorted(parts)])


def _borders(cells: Cells, around: Cells) -> list[Line]:
    """Return the edge between each two cells, anticlockwise around the first, as longitudes and latitudes."""
    import h3.api.numpy_int as h3

    edges = (h3.cells_to_directed_edge(*pair) for pair in zip(cells.tolist(), around.tolist(), strict=True))
    return [np.array(h3.directed_edge_to_boundary(edge))[:, ::-1] for edge in edges]


def _rings(borders: list[Line]) -> tuple[list[Line], list[int]]:
    """Chain edges to rings; return the first edge of each too."""
    from scipy.spatial import cKDTree

    # one edge begins at each corner of the outline, to the last digit or so where another ends
    starts, ends = (_vectors(np.array([edge[at] for edge in borders])) for at in (0, -1))
    follower = np.asarray(cKDTree(starts).query(ends)[1]).tolist()
    rings, first, is_used = [], [], [False] * len(borders)
    for begin in range(len(borders)):
        chain, edge = [], begin
        while not is_used[edge]:
            is_used[edge] = True
            chain.append(borders[edge][:-1])
            edge = follower[edge]
        if chain:
            rings.append(_closed(np.concatenate(chain)))
            first.append(begin)
    return rings, first


def _vectors(lon_lat: Line) -> Line:
    lon, lat = np.radians(lon_lat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _closed(ring: Line) -> Line:
    """Return a closed ring, in one piece, that begins within 180 degrees."""
    ring = continued(np.concatenate([ring, ring[:1]]))
    turn = TURN * np.floor((ring[:, 0].min() + HALF_TURN) / TURN)
    return np.asarray(ring - np.array([turn, 0.0]))


def _polygon(rings: list[Line]) -> shapely.Polygon:
    """Return the polygon of one group: holes run the other way around."""
    return with_holes(rings.pop(int(np.argmax([_signed_area(ring) for ring in rings]))), rings)


def _signed_area(ring: Line) -> float:
    x, y = ring.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
