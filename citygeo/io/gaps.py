"""Join ends that stop short of another line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.crossings import meets
from citygeo.io.noding import nodes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.io.drawing import Drawing, Segments
    from citygeo.io.ground import Ground


class Closed(NamedTuple):
    """
    What was done about gaps.

    Attributes
    ----------
    n_ends
        How many ends were moved.
    longest_m
        The longest gap that was closed, in metres.
    lines
        The lines whose ends were joined, `(k,)`.
    lines_over
        The lines with an end that stands out beyond a node by no more than the tolerance, `(o,)`; left as they are.
    is_moved
        Whether the segment that starts at a vertex runs elsewhere now, `(v,)`.
    """

    n_ends: int
    longest_m: float
    lines: NDArray[np.int64]
    lines_over: NDArray[np.int64]
    is_moved: NDArray[np.bool_]


class _Ends(NamedTuple):
    """Ends of lines that nothing is joined to, `(e,)` each."""

    vertex: NDArray[np.int64]
    line: NDArray[np.int64]
    is_start: NDArray[np.bool_]
    scale: NDArray[np.float64]  # (e, 2) metres per unit there

    def where(self, is_kept: NDArray[np.bool_]) -> _Ends:
        return _Ends(self.vertex[is_kept], self.line[is_kept], self.is_start[is_kept], self.scale[is_kept])


class _Joins(NamedTuple):
    """What each end is to be joined with, `(j,)` each: a place, if -1 a new one on the way."""

    end: NDArray[np.int64]
    gap_m: NDArray[np.float64]
    place: NDArray[np.int64]
    foot: NDArray[np.float64]  # (j, 2)
    cut_join: NDArray[np.int64]  # the new place of join ...
    cut_segment: NDArray[np.int64]  # ... lies on this segment, `(c,)` both


def close_gaps(drawing: Drawing, ground: Ground, tolerance_m: float) -> Closed:
    """
    Move loose ends to the nearest other line that they may meet.

    An end goes to the nearest vertex of the segment it is nearest to if that is within the tolerance, otherwise to
    the nearest point of the segment, which becomes a vertex. All ends are judged before the first one is moved. Ends
    that are to go to each other meet at the place that comes first by x, then y.

    Parameters
    ----------
    drawing
        Is changed.
    ground
        The drawing's CRS.
    tolerance_m
        Metres on the ground, inclusive.

    Returns
    -------
    What was done.
    """
    ends, is_over = _loose_ends(drawing, ground, tolerance_m)
    lines_over = np.unique(ends.line[is_over])
    ends = ends.where(~is_over)
    segments = drawing.segments()
    joins = _nearest(drawing, segments, ends, tolerance_m)
    start = drawing.place[ends.vertex[joins.end]]
    goal = _common_goal(start, _places_on_the_way(drawing, segments, joins))
    line = ends.line[joins.end]
    # inserted places have shifted the vertices
    first, last = (np.searchsorted(drawing.line, line, side) for side in ("left", "right"))
    vertex = np.where(ends.is_start[joins.end], first, last - 1)
    drawing.move(vertex, goal)
    is_moved = np.zeros(drawing.place.size, np.bool_)
    is_moved[np.where(ends.is_start[joins.end], vertex, vertex - 1)] = goal != start
    kept = drawing.line.size
    drawing.drop_repeats()
    if (
        drawing.line.size < kept
    ):  # a line shorter than the tolerance has shrunk to a point: vertices are others now
        is_moved = np.isin(drawing.line, line)
    return Closed(
        int((goal != start).sum()), float(joins.gap_m.max(initial=0.0)), np.unique(line), lines_over, is_moved
    )


def _loose_ends(drawing: Drawing, ground: Ground, tolerance_m: float) -> tuple[_Ends, NDArray[np.bool_]]:
    """Find the ends alone at their node, and those of them that only stand out beyond a node of their line."""
    uses = nodes_of(drawing).uses()
    is_start = drawing.is_start
    vertex = np.flatnonzero((is_start | drawing.is_stop) & (uses == 1))
    line = drawing.line[vertex]
    scale = ground.metres_per_unit(drawing.place_xy[drawing.place[vertex]])
    line_scale = np.zeros((drawing.levels.level.size, 2))
    line_scale[line] = scale
    step = np.diff(drawing.place_xy[drawing.place], axis=0) * line_scale[drawing.line[:-1]]
    way_m = np.concatenate(([0.0], np.cumsum(np.hypot(*step.T))))
    # the nearest joined vertex of the same line, from the start forward, from the other end back
    joined = np.concatenate(([-1], np.flatnonzero(uses > 1), [drawing.place.size]))
    at = np.searchsorted(joined, vertex)
    nearest = np.where(is_start[vertex], joined[at], joined[at - 1])
    is_inside = (nearest >= 0) & (nearest < drawing.place.size)
    nearest = np.where(is_inside, nearest, vertex)
    is_over = (
        is_inside & (drawing.line[nearest] == line) & (np.abs(way_m[nearest] - way_m[vertex]) <= tolerance_m)
    )
    return _Ends(vertex, line, is_start[vertex], scale), is_over


def _nearest(drawing: Drawing, segments: Segments, ends: _Ends, tolerance_m: float) -> _Joins:
    """Choose for each end the nearest segment of another line, and where on it to go; among equals the lowest."""
    xy = drawing.place_xy
    centre = xy[drawing.place[ends.vertex]]
    reach = tolerance_m / ends.scale
    end, segment = drawing.around(segments, centre - reach, centre + reach)
    is_other = segments.line[segment] != ends.line[end]
    end, segment = end[is_other], segment[is_other]
    low, high = segments.low[segment], segments.high[segment]
    # in metres, seen from the end
    a, b = ((xy[place] - centre[end]) * ends.scale[end] for place in (low, high))
    share = np.clip(-(a * (b - a)).sum(axis=1) / ((b - a) ** 2).sum(axis=1), 0.0, 1.0)
    foot = a + (b - a) * share[:, None]
    may_meet = meets(drawing, ends.line[end], segments.line[segment], np.ones(end.size, np.bool_))
    to_low = np.where(may_meet | segments.low_is_end[segment], np.hypot(*a.T), np.inf)
    to_high = np.where(may_meet | segments.high_is_end[segment], np.hypot(*b.T), np.inf)
    to_vertex = np.minimum(to_low, to_high)
    gap_m = np.where(may_meet, np.hypot(*foot.T), to_vertex)
    near = np.flatnonzero(gap_m <= tolerance_m)
    order = near[np.lexsort((high[near], low[near], gap_m[near], end[near]))]
    best = order[np.diff(end[order], prepend=-1) != 0]
    vertex = np.where(to_low <= to_high, low, high)[best]
    place = np.where(to_vertex[best] <= tolerance_m, vertex, -1)
    # lines drawn twice are both led through the new place
    join_of_end = np.full(ends.vertex.size, -1)
    join_of_end[end[best]] = np.arange(best.size)
    join = join_of_end[end[near]]
    is_cut = (
        (place[join] < 0) & may_meet[near] & (low[near] == low[best[join]]) & (high[near] == high[best[join]])
    )
    return _Joins(
        end[best], gap_m[best], place, centre[end[best]] + foot[best] / ends.scale[end[best]],
        join[is_cut], segment[near[is_cut]],
    )  # fmt: skip


def _places_on_the_way(drawing: Drawing, segments: Segments, joins: _Joins) -> NDArray[np.int64]:
    """Make the new places and lead the segments through them; return the place each end is to go to."""
    is_new = joins.place < 0
    place = joins.place.copy()
    place[is_new] = drawing.add_places(joins.foot[is_new])
    through = np.column_stack((joins.cut_segment, place[joins.cut_join]))
    is_inside = (through[:, 1] != segments.low[joins.cut_segment]) & (
        through[:, 1] != segments.high[joins.cut_segment]
    )
    pairs = np.unique(through[is_inside], axis=0)
    drawing.insert(segments.vertex[pairs[:, 0]], pairs[:, 1])
    return place


def _common_goal(start: NDArray[np.int64], goal: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow goals that are to move themselves; where they lead round in a circle, the lowest place is the goal."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    known, position = np.unique(np.concatenate((start, goal)), return_inverse=True)
    pairs = (position[: start.size], position[start.size :])
    links = coo_array((np.ones(start.size), pairs), shape=(known.size, known.size))
    n_groups, group = connected_components(links, directed=False)
    common = np.full(n_groups, np.iinfo(np.int64).max)
    np.minimum.at(common, group, known)
    stays = ~np.isin(known, start)  # at most one of a group
    common[group[stays]] = known[stays]
    return common[group[pairs[0]]]
