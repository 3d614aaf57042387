"""Cut Overture segments at their connectors and where a rule begins or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

MATCH_M = 0.1  # a position this near to a vertex means the vertex
SHAPE = -1


class Marks(NamedTuple):
    """
    Positions along segments, `(k,)` each.

    Attributes
    ----------
    row
        Which segment.
    at
        Share of its length on the WGS 84 ellipsoid, 0 to 1.
    """

    row: NDArray[np.int64]
    at: NDArray[np.float64]


class Cuts(NamedTuple):
    """
    Segments with a vertex at each connector and each change of a rule.

    Attributes
    ----------
    lonlat, row, at
        Place, segment and share of the length of each vertex, segment after segment, `(v,)`.
    connector
        The number of the connector at each vertex, `(v,)`; -1 without.
    start, stop
        The first and the last vertex of each piece, `(p,)`.
    off_m
        How far the connectors that no vertex stands for are from the nearest, in metres.
    """

    lonlat: NDArray[np.float64]
    row: NDArray[np.int64]
    at: NDArray[np.float64]
    connector: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    off_m: NDArray[np.float64]


class _Vertices(NamedTuple):
    lonlat: NDArray[np.float64]
    row: NDArray[np.int64]
    metres: NDArray[np.float64]  # from the start of the segment
    connector: NDArray[np.int64]
    is_cut: NDArray[np.bool_]


def cut(shapes: NDArray[np.object_], connectors: Marks, number: NDArray[np.int64], changes: Marks) -> Cuts:
    """
    Cut segments into pieces.

    Parameters
    ----------
    shapes
        LineStrings with a length, in degrees.
    connectors, number
        Where connectors are, and the number of each, `(k,)`.
    changes
        Where rules begin and end.

    Returns
    -------
    The pieces.

    Examples
    --------
    >>> line = np.array([shapely.LineString([(0, 0), (0.001, 0), (0.004, 0)])])
    >>> ends = Marks(np.array([0, 0]), np.array([0.0, 1.0]))
    >>> pieces = cut(line, ends, np.array([7, 3]), Marks(np.array([0]), np.array([0.5])))
    >>> pieces.lonlat[:, 0].round(6).tolist(), pieces.connector.tolist()
    ([0.0, 0.001, 0.002, 0.004], [7, -1, -1, 3])
    >>> pieces.start.tolist(), pieces.stop.tolist()
    ([0, 2], [2, 3])
    """
    vertices = _measured(shapes)
    length = vertices.metres[np.flatnonzero(np.diff(vertices.row, append=-1))]
    vertices, off_m = _with_connectors(
        vertices, connectors.row, connectors.at * length[connectors.row], number
    )
    # ends of rules that are meant to be one may differ by a rounding
    metres = (changes.at * length[changes.row]).round(2)
    row, metres = np.unique(np.column_stack((changes.row, metres)), axis=0).T
    vertices = _with_changes(vertices, row.astype(np.int64), metres)
    cut_at = np.flatnonzero(vertices.is_cut)
    is_inner = np.diff(vertices.row[cut_at]) == 0
    return Cuts(
        vertices.lonlat, vertices.row, vertices.metres / length[vertices.row], vertices.connector,
        cut_at[:-1][is_inner], cut_at[1:][is_inner], off_m,
    )  # fmt: skip


def _measured(shapes: NDArray[np.object_]) -> _Vertices:
    """Return the vertices with their distance from the start, on the ellipsoid."""
    import pyproj

    lonlat, row = shapely.get_coordinates(shapes, return_index=True)
    step = pyproj.Geod(ellps="WGS84").inv(*lonlat[:-1].T, *lonlat[1:].T)[2]
    is_first = np.diff(row, prepend=-1) != 0
    way = np.cumsum(np.where(is_first, 0.0, np.concatenate(([0.0], step))))
    is_end = is_first | (np.diff(row, append=-1) != 0)
    return _Vertices(lonlat, row, way - way[is_first][row], np.full(row.size, SHAPE), is_end)


def _with_connectors(
    vertices: _Vertices, row: NDArray[np.int64], metres: NDArray[np.float64], number: NDArray[np.int64]
) -> tuple[_Vertices, NDArray[np.float64]]:
    """Give each connector a vertex of its own; return also how far those without are from the next one."""
    nearest, off_m = _nearest(vertices, row, metres)
    order = np.lexsort((number, off_m, nearest))
    is_match = np.zeros(row.size, np.bool_)
    is_match[order] = (np.diff(nearest[order], prepend=-1) != 0) & (off_m[order] <= MATCH_M)
    vertices.connector[nearest[is_match]] = number[is_match]
    vertices.is_cut[nearest[is_match]] = True
    is_off = ~is_match
    return _inserted(vertices, row[is_off], metres[is_off], number[is_off]), off_m[off_m > MATCH_M]


def _with_changes(vertices: _Vertices, row: NDArray[np.int64], metres: NDArray[np.float64]) -> _Vertices:
    """Cut at positions, at a vertex if one is there."""
    nearest, off_m = _nearest(vertices, row, metres)
    is_match = off_m <= MATCH_M
    vertices.is_cut[nearest[is_match]] = True
    is_off = ~is_match
    return _inserted(vertices, row[is_off], metres[is_off], np.full(int(is_off.sum()), SHAPE))


def _nearest(
    vertices: _Vertices, row: NDArray[np.int64], metres: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the vertex of the same segment nearest to each position along it, and how far it is."""
    first = np.flatnonzero(np.diff(vertices.row, prepend=-1))
    last = np.append(first[1:], vertices.row.size) - 1
    # one line of numbers: each segment begins where the one before has ended
    before = np.concatenate(([0.0], np.cumsum(vertices.metres[last] + 1.0)))[:-1]
    along = vertices.metres + before[vertices.row]
    after = np.clip(np.searchsorted(along, metres + before[row]), first[row], last[row])
    candidates = np.stack((np.maximum(after - 1, first[row]), after))
    off_m = np.abs(vertices.metres[candidates] - metres)
    is_after = (off_m[1] < off_m[0]).astype(np.int64)
    return candidates[is_after, np.arange(row.size)], off_m.min(axis=0)


def _inserted(
    vertices: _Vertices, row: NDArray[np.int64], metres: NDArray[np.float64], connector: NDArray[np.int64]
) -> _Vertices:
    """Add vertices on the segments, at which they are cut."""
    if row.size == 0:
        return vertices
    all_row = np.concatenate((vertices.row, row))
    all_metres = np.concatenate((vertices.metres, metres))
    is_new = np.arange(all_row.size) >= vertices.row.size
    # a new one comes behind a vertex in the same place, but before the last of the segment
    is_last = np.concatenate((np.diff(vertices.row, append=-1) != 0, np.zeros(row.size, np.bool_)))
    order = np.lexsort((is_new, all_metres, is_last, all_row))
    place = np.full((all_row.size, 2), np.nan)
    place[: vertices.row.size] = vertices.lonlat
    lonlat, metres = place[order], all_metres[order]
    known = ~is_new[order]
    # between its neighbours, as straight as the segment is drawn
    for axis in range(2):
        way = metres + _offsets(all_row[order], metres)
        lonlat[~known, axis] = np.interp(way[~known], way[known], lonlat[known, axis])
    return _Vertices(
        lonlat, all_row[order], metres, np.concatenate((vertices.connector, connector))[order],
        np.concatenate((vertices.is_cut, np.ones(row.size, np.bool_)))[order],
    )  # fmt: skip


def _offsets(row: NDArray[np.int64], metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what to add so that each segment begins a metre behind the end of the one before."""
    last = np.flatnonzero(np.diff(row, append=-1))
    before = np.concatenate(([0.0], np.cumsum(metres[last] + 1.0)))[:-1]
    return np.repeat(before, np.diff(last, prepend=-1))
