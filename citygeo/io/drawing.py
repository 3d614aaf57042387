"""Lines as runs of places: what noding works on, with a search tree of segments that survives insertions."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

GROUND = 0
TOUCH_SHARE = (
    0.7  # at most sqrt(1/2): then the square of the length falls by twice the square of `touch` at least
)


class Levels(NamedTuple):
    """
    On which level each line lies, shape `(l,)` each.

    Attributes
    ----------
    level
        A number for each level; 0 is the ground.
    is_stacked
        Bridges and tunnels without a level: two of them that cross lie one above the other, as far as anybody knows.
    """

    level: NDArray[np.int64]
    is_stacked: NDArray[np.bool_]


class Segments(NamedTuple):
    """
    The straight pieces of all lines, shape `(s,)` each; each piece is seen from its lower place to its higher one.

    Places are numbered in an order that the order of rows does not change, and neither do answers computed so.
    """

    vertex: NDArray[np.int64]  # where it starts
    line: NDArray[np.int64]
    low: NDArray[np.int64]  # places
    high: NDArray[np.int64]
    low_is_end: NDArray[np.bool_]  # of its line
    high_is_end: NDArray[np.bool_]


class _First(NamedTuple):
    """The segments as first drawn."""

    origin: NDArray[np.int64]  # what their pieces will be known by
    boxes: NDArray[np.object_]
    tree: shapely.STRtree


class Drawing:
    """
    Lines through places.

    Attributes
    ----------
    place_xy
        The places, `(p, 2)`, in the units of the drawing; no two are within `near` of each other.
    place, line
        The place and the line of each vertex, `(v,)`, line after line.
    levels
        On which level each line lies.
    near
        Places this near are one.
    touch
        A vertex this near to a line lies on it. So much less than `near` that leading the line through the vertex
        leaves pieces shorter than the segment was: were the two equal, three places might draw a line to and fro.
    """

    def __init__(self, shapes: NDArray[np.object_], levels: Levels, near: float) -> None:
        xy, self.line = shapely.get_coordinates(shapes, return_index=True)
        self.levels = levels
        self.near = near
        self.touch = near * TOUCH_SHARE
        self.place_xy, self.place = merge_near(xy, near)
        self._slack = near
        self._origin = np.arange(self.place.size)
        self.drop_repeats()

    @property
    def is_start(self) -> NDArray[np.bool_]:
        """Whether a vertex is the first of its line, `(v,)`."""
        is_start: NDArray[np.bool_] = np.diff(self.line, prepend=-1) != 0
        return is_start

    @property
    def is_stop(self) -> NDArray[np.bool_]:
        """Whether a vertex is the last of its line, `(v,)`."""
        is_stop: NDArray[np.bool_] = np.diff(self.line, append=-1) != 0
        return is_stop

    def drop_repeats(self) -> None:
        """Keep one of several vertices in a row at the same place, and no line that then is but one vertex."""
        is_kept = self.is_start | (np.diff(self.place, prepend=-1) != 0)
        n_kept = np.bincount(self.line, is_kept, minlength=self.levels.level.size)
        is_kept &= n_kept[self.line] > 1
        if not is_kept.all():
            self.place, self.line, self._origin = (
                column[is_kept] for column in (self.place, self.line, self._origin)
            )

    def segments(self) -> Segments:
        """Return the segments as they are now."""
        is_start, is_stop = self.is_start, self.is_stop
        vertex = np.flatnonzero(~is_stop)
        tail, head = self.place[vertex], self.place[vertex + 1]
        is_up = tail < head
        tail_is_end, head_is_end = is_start[vertex], is_stop[vertex + 1]
        return Segments(
            vertex, self.line[vertex], np.minimum(tail, head), np.maximum(tail, head),
            np.where(is_up, tail_is_end, head_is_end), np.where(is_up, head_is_end, tail_is_end),
        )  # fmt: skip

    @cached_property
    def _first(self) -> _First:
        """The segments as they are now, for searching."""
        segments = self.segments()
        around = boxes(self.place_xy[segments.low], self.place_xy[segments.high], self._slack)
        return _First(self._origin[segments.vertex], around, shapely.STRtree(around))

    def around(
        self, segments: Segments, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """
        Find the segments near boxes.

        Parameters
        ----------
        segments
            The segments as they are now.
        low, high
            Two opposite corners of each box, `(k, 2)`.

        Returns
        -------
        Pairs of a box and a segment, as positions; too many rather than too few.
        """
        first = self._first
        box, found = first.tree.query(boxes(low, high, self._slack))
        # a segment first drawn may have been cut since; its pieces stand one after another
        origin = self._origin[segments.vertex]
        start = np.searchsorted(origin, first.origin[found], "left")
        size = np.searchsorted(origin, first.origin[found], "right") - start
        before = np.cumsum(size) - size
        return np.repeat(box, size), np.repeat(start - before, size) + np.arange(int(size.sum()))

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the pairs of segments near each other, each once, of a drawing nothing has been inserted into."""
        one, other = self._first.tree.query(self._first.boxes)
        return one[one < other], other[one < other]

    def add_places(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the number of each place, `(k,)`; those that are not near a known one are added."""
        new, of_new = merge_near(xy, self.near)
        distance, known = _tree(self.place_xy).query(new, distance_upper_bound=self.near)
        is_new = ~np.isfinite(distance)
        number = np.where(is_new, self.place_xy.shape[0] + np.cumsum(is_new) - 1, known)
        self.place_xy = np.concatenate((self.place_xy, new[is_new]))
        return number[of_new]

    def passes(self, vertex: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.bool_]:
        """
        Say whether segments, as first drawn, run through places already.

        Parameters
        ----------
        vertex, place
            Where a piece of the segment starts, and the place, `(k,)` each.
        """
        n = len(self.place_xy)
        piece = np.flatnonzero(~self.is_stop)
        piece = piece[np.isin(self._origin[piece], self._origin[vertex])]
        origin = self._origin[piece] * n
        known = np.concatenate((origin + self.place[piece], origin + self.place[piece + 1]))
        return np.isin(self._origin[vertex] * n + place, known)

    def insert(self, vertex: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.bool_]:
        """
        Lead the segments that start at vertices through further places.

        Parameters
        ----------
        vertex, place
            Shape `(k,)`; several places of one segment in any order, none twice.

        Returns
        -------
        Whether the segment that now starts at a vertex is new, `(v + k,)`.
        """
        start = self.place_xy[self.place[vertex]]
        course = self.place_xy[self.place[vertex + 1]] - start
        share = ((self.place_xy[place] - start) * course).sum(axis=1) / (course**2).sum(axis=1)
        order = np.lexsort((place, share, vertex))
        at = vertex[order]
        is_cut = np.zeros(self.place.size, np.bool_)
        is_cut[at] = True
        self.place = np.insert(self.place, at + 1, place[order])
        self.line = np.insert(self.line, at + 1, self.line[at])
        self._origin = np.insert(self._origin, at + 1, self._origin[at])
        self._slack += self.near
        is_new: NDArray[np.bool_] = np.insert(is_cut, at + 1, values=True)
        return is_new

    def move(self, vertex: NDArray[np.int64], place: NDArray[np.int64]) -> None:
        """Lead lines through other places at some vertices, `(k,)` each."""
        shift = self.place_xy[place] - self.place_xy[self.place[vertex]]
        self._slack += float(np.hypot(*shift.T).max(initial=0.0))
        self.place[vertex] = place


def boxes(low: NDArray[np.float64], high: NDArray[np.float64], margin: float) -> NDArray[np.object_]:
    """Return boxes around pairs of places `(k, 2)`."""
    least, most = np.minimum(low, high) - margin, np.maximum(low, high) + margin
    made: NDArray[np.object_] = shapely.box(least[:, 0], least[:, 1], most[:, 0], most[:, 1])
    return made


def merge_near(xy: NDArray[np.float64], near: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """
    Make one place of all points within a distance of each other.

    Parameters
    ----------
    xy
        Points, `(k, 2)`.
    near
        The distance; chains of points count as one.

    Returns
    -------
    The places `(p, 2)`, ordered by x, then y, whatever the order of the points, and the place of each point. A place
    is where its first point is, in this order.

    Examples
    --------
    >>> place_xy, place = merge_near(np.array([[5.0, 5.0], [0.0, 0.0], [5.0004, 5.0]]), 0.001)
    >>> place_xy.tolist(), place.tolist()
    ([[0.0, 0.0], [5.0, 5.0]], [1, 0, 1])
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # complex numbers sort by their real part, then by the other; + 0.0 makes -0.0 one with 0.0
    point, place = np.unique((xy + 0.0) @ np.array([1.0, 1.0j]), return_inverse=True)
    place_xy = np.column_stack((point.real, point.imag))
    pairs = _tree(place_xy).query_pairs(near, output_type="ndarray")
    if pairs.size == 0:
        return place_xy, place
    n = len(place_xy)
    links = coo_array((np.ones(len(pairs), np.bool_), tuple(pairs.T)), shape=(n, n))
    _, group = connected_components(links, directed=False)
    first = np.full(n, n)
    np.minimum.at(first, group, np.arange(n))
    kept, of_point = np.unique(first[group], return_inverse=True)
    return place_xy[kept], of_point[place]


def _tree(xy: NDArray[np.float64]) -> cKDTree:
    """Return a search tree that is quick to make."""
    from scipy.spatial import cKDTree

    return cKDTree(xy, balanced_tree=False, compact_nodes=False)
