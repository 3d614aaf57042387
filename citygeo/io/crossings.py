"""Lead lines through the places where they cross or touch, except where their levels say that they do not meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.drawing import GROUND, Drawing, Segments

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Crossed(NamedTuple):
    """
    What was found where lines meet between their vertices.

    Attributes
    ----------
    places
        The places that lines were led through, `(c,)`.
    lines
        The lines that were led through them, `(k,)`.
    n_apart
        How many crossings stay apart because the lines lie on different levels.
    lines_apart
        The lines of these, `(a,)`.
    """

    places: NDArray[np.int64]
    lines: NDArray[np.int64]
    n_apart: int
    lines_apart: NDArray[np.int64]


class _Courses(NamedTuple):
    """Where segments start and how they run, in columns: gathering from these is most of the work."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    east: NDArray[np.float64]
    north: NDArray[np.float64]
    length: NDArray[np.float64]


class _Sides(NamedTuple):
    """How far to the left of segments the ends of others lie, times the segments' length, `(k,)` each."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


class _Touches(NamedTuple):
    """Where the end of a segment lies on another between that one's ends, `(t,)` each."""

    by: NDArray[np.int64]
    on: NDArray[np.int64]
    place: NDArray[np.int64]
    is_end: NDArray[np.bool_]  # of the line the segment belongs to


class _Meetings(NamedTuple):
    """Where a round found that segments meet."""

    segment: NDArray[np.int64]  # these are to be led ...
    place: NDArray[np.int64]  # ... through these
    n_apart: int
    lines_apart: NDArray[np.int64]


def meets(
    drawing: Drawing, line: NDArray[np.int64], other: NDArray[np.int64], is_end: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """
    Say whether lines may meet where the one has a vertex and the other runs on.

    On one level they do, bridges and tunnels without a level only at ends, and a line above or below the ground
    never with itself. On different levels only a line that ends on the ground does.

    Parameters
    ----------
    drawing
        With the levels.
    line, other
        Lines, `(k,)` each.
    is_end
        Whether `line` ends there, `(k,)`.
    """
    level, is_stacked = drawing.levels
    mine, others = level[line], level[other]
    is_free = (mine == GROUND) | ((line != other) & (is_end | ~is_stacked[line]))
    may_meet: NDArray[np.bool_] = np.where(mine == others, is_free, is_end & (others == GROUND))
    return may_meet


def split_crossings(drawing: Drawing, vertices: NDArray[np.bool_] | None = None) -> Crossed:
    """
    Lead lines through the places where they cross or touch each other or themselves.

    Parameters
    ----------
    drawing
        Is changed.
    vertices
        Whether the segment that starts at a vertex is to be looked at, `(v,)`; all by default.

    Returns
    -------
    What was found.
    """
    segments = drawing.segments()
    pairs = drawing.pairs() if vertices is None else _pairs(drawing, segments, vertices)
    found = [_meetings(drawing, segments, pairs)]
    lines = [segments.line[found[0].segment]]
    # leading a line through a place bends it by up to `near`, by which it may meet others: look again at what is new.
    # It ends: there is room for so many places only, and no segment is led through one twice.
    while found[-1].segment.size:
        is_new = drawing.insert(segments.vertex[found[-1].segment], found[-1].place)
        segments = drawing.segments()
        found.append(_meetings(drawing, segments, _pairs(drawing, segments, is_new)))
        lines.append(segments.line[found[-1].segment])
    places = np.unique(np.concatenate([meetings.place for meetings in found]))
    return Crossed(places, np.unique(np.concatenate(lines)), found[0].n_apart, found[0].lines_apart)


def _meetings(
    drawing: Drawing, segments: Segments, pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> _Meetings:
    """Find what pairs of segments have in common besides their ends."""
    one, other = pairs
    courses = _courses(drawing.place_xy, segments)
    sides = _sides(courses, one, other), _sides(courses, other, one)
    reach = drawing.touch * courses.length[one], drawing.touch * courses.length[other]
    touches = _touches(drawing.place_xy, segments, (one, other), sides, reach)
    pair = np.flatnonzero(_lie_across(sides[0], reach[0]) & _lie_across(sides[1], reach[1]))
    pair = pair[~_share_an_end(segments, one[pair], other[pair])]
    one, other = one[pair], other[pair]
    may_touch = meets(drawing, segments.line[touches.by], segments.line[touches.on], touches.is_end)
    may_cross = meets(drawing, segments.line[one], segments.line[other], np.zeros(one.size, np.bool_))
    one_met, other_met = one[may_cross], other[may_cross]
    crossing = drawing.add_places(_crossing_points(drawing.place_xy, segments, one_met, other_met))
    segment = np.concatenate((touches.on[may_touch], one_met, other_met))
    through = np.concatenate((touches.place[may_touch], crossing, crossing))
    # a crossing may lie so near to an end that it is the end
    is_inside = ~drawing.passes(segments.vertex[segment], through)
    cuts = np.unique(np.column_stack((segment, through))[is_inside], axis=0)
    apart = (touches.by[~may_touch], touches.on[~may_touch], one[~may_cross], other[~may_cross])
    n_apart = np.unique(touches.place[~may_touch]).size + int((~may_cross).sum())
    return _Meetings(cuts[:, 0], cuts[:, 1], n_apart, np.unique(segments.line[np.concatenate(apart)]))


def _pairs(
    drawing: Drawing, segments: Segments, is_active: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of segments near each other, each once, one of them at least active; `(v,)` by their vertex."""
    xy = drawing.place_xy
    active = np.flatnonzero(is_active[segments.vertex])
    box, other = drawing.around(segments, xy[segments.low[active]], xy[segments.high[active]])
    one = active[box]
    is_kept = (one != other) & ((one < other) | ~is_active[segments.vertex[other]])
    return one[is_kept], other[is_kept]


def _courses(xy: NDArray[np.float64], segments: Segments) -> _Courses:
    x, y = np.ascontiguousarray(xy[segments.low].T)
    east, north = np.ascontiguousarray((xy[segments.high] - xy[segments.low]).T)
    return _Courses(x, y, east, north, np.hypot(east, north))


def _sides(courses: _Courses, segment: NDArray[np.int64], other: NDArray[np.int64]) -> _Sides:
    """Say where the ends of `other` lie as seen along `segment`."""
    east, north = courses.east[segment], courses.north[segment]
    x, y = courses.x[other] - courses.x[segment], courses.y[other] - courses.y[segment]
    low = east * y - north * x
    return _Sides(low, low + (east * courses.north[other] - north * courses.east[other]))


def _lie_across(sides: _Sides, reach: NDArray[np.float64]) -> NDArray[np.bool_]:
    """
    Whether two ends lie on different sides, and not on the line itself.

    Of lines that cross, an end this near to the other line lies on it, or an end of the other one does on this one:
    then they touch. Of segments in one line, roundings would say anything.
    """
    is_across: NDArray[np.bool_] = ((sides.low < -reach) & (sides.high > reach)) | (
        (sides.low > reach) & (sides.high < -reach)
    )
    return is_across


def _share_an_end(segments: Segments, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    ends = (segments.low, segments.high)
    shared: NDArray[np.bool_] = np.any([a[one] == b[other] for a in ends for b in ends], axis=0)
    return shared


def _touches(
    xy: NDArray[np.float64],
    segments: Segments,
    pair: tuple[NDArray[np.int64], NDArray[np.int64]],
    sides: tuple[_Sides, _Sides],
    reach: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> _Touches:
    """Find ends that lie on the other segment of a pair; `sides` as seen along the first and along the second."""
    found = []
    for (on, by), seen, least in zip((pair, pair[::-1]), sides, reach, strict=True):
        for side, place, is_end in (
            (seen.low, segments.low, segments.low_is_end),
            (seen.high, segments.high, segments.high_is_end),
        ):
            near = np.flatnonzero(np.abs(side) <= least)
            # most are segments that follow each other
            near = near[
                (place[by[near]] != segments.low[on[near]]) & (place[by[near]] != segments.high[on[near]])
            ]
            near = near[_lies_between(xy, segments, place[by[near]], on[near])]
            found.append(_Touches(by[near], on[near], place[by[near]], is_end[by[near]]))
    return _Touches(
        np.concatenate([touch.by for touch in found]),
        np.concatenate([touch.on for touch in found]),
        np.concatenate([touch.place for touch in found]),
        np.concatenate([touch.is_end for touch in found]),
    )


def _lies_between(
    xy: NDArray[np.float64], segments: Segments, place: NDArray[np.int64], segment: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether places, on the line through the ends of segments, lie between these."""
    low, high = segments.low[segment], segments.high[segment]
    course = xy[high] - xy[low]
    along = (course * (xy[place] - xy[low])).sum(axis=1)
    is_between: NDArray[np.bool_] = (along > 0) & (along < (course**2).sum(axis=1))
    return is_between


def _crossing_points(
    xy: NDArray[np.float64], segments: Segments, one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return where segments cross, computed in the same way whichever of the two comes first."""
    must_swap = (segments.low[one] > segments.low[other]) | (
        (segments.low[one] == segments.low[other]) & (segments.high[one] > segments.high[other])
    )
    one, other = np.where(must_swap, other, one), np.where(must_swap, one, other)
    start, begin = xy[segments.low[one]], xy[segments.low[other]]
    course, direction = xy[segments.high[one]] - start, xy[segments.high[other]] - begin
    share = _cross(begin - start, direction) / _cross(course, direction)
    return start + course * share[:, None]


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product
