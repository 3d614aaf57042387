"""The edges of a networkx graph as arcs, their drawn shape, and which two of them are one street."""

from __future__ import annotations

import math
from types import NoneType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.errors import error
from citygeo.io.graph_tags import is_true
from citygeo.io.off_ground import kinds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import Any

    import networkx as nx
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

    Project = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SAME_PLACE_M = 1.0
METRES_PER_DEGREE = 111_320.0
OFF_GROUND_COLUMN = "off_ground"
SAME_LENGTH = 1e-6  # relative; the two directions are summed in different order


class Arcs(NamedTuple):
    """Edges of a graph from tail to head, in its order; an undirected one stands once."""

    tail: NDArray[np.int64]  # (m,) position of the node
    head: NDArray[np.int64]
    label: list[tuple[Hashable, ...]]  # (u, v) or (u, v, key), as the caller knows it
    data: list[Mapping[str, Any]]


class Inner(NamedTuple):
    """Drawn places between the ends of arcs, from tail to head: arc `i` has ``lonlat[start[i]:start[i + 1]]``."""

    lonlat: NDArray[np.float64]  # (p, 2)
    start: NDArray[np.int64]  # (m + 1,)
    is_turned: NDArray[np.bool_]  # (m,) the geometry runs from head to tail


class Streets(NamedTuple):
    """Arcs put together to streets, shape `(w,)` each; -1 where there is no arc. Drawn along the street."""

    along: NDArray[np.int64]
    against: NDArray[np.int64]


def arcs_of(graph: nx.Graph[Any], position: Mapping[Hashable, int]) -> Arcs:
    """Return the edges of a graph of any kind."""
    edges: Any = graph.edges
    rows = edges(keys=True, data=True) if graph.is_multigraph() else edges(data=True)
    label: list[tuple[Hashable, ...]] = []
    data: list[Mapping[str, Any]] = []
    for *ends, attributes in rows:
        label.append(tuple(ends))
        data.append(attributes)
    ends_of = np.array([(position[u], position[v]) for u, v, *_ in label], np.int64).reshape(-1, 2)
    return Arcs(ends_of[:, 0], ends_of[:, 1], label, data)


def sample(arcs: Arcs, is_meant: NDArray[np.bool_] | NDArray[np.int64]) -> list[str]:
    """Return the labels of some arcs, by mask or number, as texts."""
    numbers = np.flatnonzero(is_meant) if is_meant.dtype == np.bool_ else is_meant
    return [str(arcs.label[i]) for i in numbers[:5].tolist()]


def inner_places(
    arcs: Arcs, node_lonlat: NDArray[np.float64], project: Project, name: str, issues: IssueLog
) -> Inner:
    """
    Return what is drawn between the nodes.

    A geometry that runs from head to tail (undirected graphs, centre-line layers) is turned round. Its ends are
    the places of the nodes; where they lie farther than 1 m off, they are kept as drawn and the gap is closed by
    a straight line.

    Parameters
    ----------
    arcs
        Edges; ``geometry``, where there is one, is a LineString.
    node_lonlat
        Places of the nodes, WGS 84 degrees.
    project
        Takes coordinates of the graph's CRS to WGS 84 degrees.
    name, issues
        For messages; takes CG-GRF-010 (turned round) and CG-GRF-011 (gaps).

    Raises
    ------
    InputError
        CG-GRF-004: a geometry is no line.
    """
    place, first, owner = _drawn(arcs, project, name)
    last = np.append(first, len(place))[1:] - 1
    low, high = node_lonlat[arcs.tail[owner]], node_lonlat[arcs.head[owner]]
    begin, end = place[first], place[last]
    is_turned = metres(begin, high) + metres(end, low) < metres(begin, low) + metres(end, high)
    begin, end = np.where(is_turned[:, None], end, begin), np.where(is_turned[:, None], begin, end)
    gap = np.column_stack((metres(begin, low), metres(end, high))) > SAME_PLACE_M
    total = len(arcs.data)
    issues.add("CG-GRF-010", count=int(is_turned.sum()), sample=sample(arcs, owner[is_turned]), total=total)
    is_apart = gap.any(axis=1)
    issues.add("CG-GRF-011", count=int(is_apart.sum()), sample=sample(arcs, owner[is_apart]), total=total)
    size = last - first + 1
    row = np.repeat(np.arange(size.size), size)
    offset = np.arange(len(place)) - first[row]
    offset = np.where(is_turned[row], size[row] - 1 - offset, offset)
    place = place[first[row] + offset]
    step = np.arange(len(place)) - first[row]
    is_kept = ((step > 0) | gap[row, 0]) & ((step < size[row] - 1) | gap[row, 1])
    many = np.zeros(total, np.int64)
    many[owner] = np.bincount(row, is_kept, size.size).astype(np.int64)
    runs_back = np.zeros(total, np.bool_)
    runs_back[owner] = is_turned
    return Inner(place[is_kept], np.concatenate(([0], np.cumsum(many))), runs_back)


def _drawn(
    arcs: Arcs, project: Project, name: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of all geometries in WGS 84, where each begins, and the arc it belongs to."""
    import shapely

    shapes = [data.get("geometry") for data in arcs.data]
    # tables fill gaps with NaN
    owner = np.array(
        [i for i, shape in enumerate(shapes) if not isinstance(shape, (float, NoneType))], np.int64
    )
    lines = np.array([None, *shapes], object)[owner + 1]
    is_line = np.array([_is_line(line) for line in lines], np.bool_)
    if not is_line.all():
        wrong = owner[~is_line]
        raise error(
            "CG-GRF-004", name=name, column="geometry", rule="a shapely LineString with places, or absent",
            count=wrong.size, total=len(shapes), sample=", ".join(sample(arcs, wrong)),
        )  # fmt: skip
    place, row = shapely.get_coordinates(lines, return_index=True)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    return project(place), first, owner


def _is_line(shape: object) -> bool:
    import shapely

    return isinstance(shape, shapely.LineString) and not shape.is_empty


def metres(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return roughly how far pairs of places are apart: good enough to tell a gap from a rounding."""
    d_lon, d_lat = (two - one).T
    d_lon = (d_lon + 180.0) % 360.0 - 180.0
    apart: NDArray[np.float64] = METRES_PER_DEGREE * np.hypot(d_lat, d_lon * np.cos(np.radians(one[:, 1])))
    return apart


def stated_kinds(
    arcs: Arcs, inner: Inner, streets: Streets, by_tags: NDArray[np.uint8], issues: IssueLog
) -> NDArray[np.uint8] | None:
    """
    Return the kind of the segment from each node of each street to the next, as `RoadNetwork.to_osmnx` writes it.

    Parameters
    ----------
    arcs, inner, streets
        Edges, their drawing, and which of them are streets.
    by_tags
        Kind of each street as its tags have it, for those that do not say more, `(w,)`.
    issues
        Takes CG-GRF-019: an attribute that does not fit the drawing.

    Returns
    -------
    Kinds in the order of the nodes of streets, see `citygeo.io.off_ground`; `None` if no edge has the attribute.
    """
    if not any(OFF_GROUND_COLUMN in data for data in arcs.data):
        return None
    is_against = streets.along < 0
    drawn = np.where(is_against, streets.against, streets.along)
    size = np.diff(inner.start)[drawn] + 2
    start = np.cumsum(size) - size
    kinds = np.repeat(by_tags, size)
    is_back = inner.is_turned[drawn] ^ is_against
    unfit = []
    for low, many, arc, back in zip(
        start.tolist(), size.tolist(), drawn.tolist(), is_back.tolist(), strict=True
    ):
        text = arcs.data[arc].get(OFF_GROUND_COLUMN)
        if isinstance(text, (float, NoneType)):  # tables fill gaps with NaN
            continue
        stated = kinds_of(text, many - 1)
        if stated is None:
            unfit.append(arc)
        else:
            kinds[low : low + many - 1] = stated[::-1] if back else stated
    issues.add(
        "CG-GRF-019", count=len(unfit), sample=sample(arcs, np.array(unfit, np.int64)), total=len(arcs.data)
    )
    return kinds


def both_ways(arcs: Arcs) -> Streets:
    """Return the edges of an undirected graph as two-way streets."""
    every = np.arange(len(arcs.data))
    return Streets(every, every)


def join_opposites(
    arcs: Arcs, inner: Inner, kind: Sequence[Hashable | None], length_m: NDArray[np.float64]
) -> Streets:
    """
    Make one street of two opposite arcs with one drawing, kind and length; the others are one-way streets.

    A street is drawn as its arc that is not ``reversed`` (OSMnx's word for the direction against the OSM way), so
    that tags such as ``maxspeed:forward`` keep their side.

    Parameters
    ----------
    arcs, inner
        Edges and their drawing.
    kind
        What else must be equal, such as tags and way; `None` for an arc that is a street alone.
    length_m
        Length of each arc, NaN where not stated.

    Returns
    -------
    The streets, in the order of the arcs they are drawn along.
    """
    is_reversed = [is_true(data.get("reversed", False)) for data in arcs.data]
    groups: dict[Hashable, tuple[list[int], list[int]]] = {}
    start = inner.start.tolist()
    tail, head, length = arcs.tail.tolist(), arcs.head.tolist(), length_m.tolist()
    rows = [_alone(i, is_reversed) for i, of in enumerate(kind) if of is None]
    for i, (u, v) in enumerate(zip(tail, head, strict=True)):
        if kind[i] is None:
            continue
        places = inner.lonlat[start[i] : start[i + 1]]
        drawing, is_up = _drawing(u, v, places, is_down=is_reversed[i])
        sides = groups.setdefault((min(u, v), max(u, v), drawing, kind[i]), ([], []))
        sides[0 if is_up else 1].append(i)
    for up, down in groups.values():
        # of parallel streets with one drawing the arc along one goes with the arc against it
        up.sort(key=lambda i: is_reversed[i])
        down.sort(key=lambda i: not is_reversed[i])
        n = min(len(up), len(down))
        for i, j in zip(up[:n], down[:n], strict=True):
            is_one = _is_same(length[i], length[j])
            rows += [_drawn_along(i, j, is_reversed)] if is_one else [_alone(k, is_reversed) for k in (i, j)]
        rows += [_alone(i, is_reversed) for i in up[n:] + down[n:]]
    rows.sort(key=lambda row: row[0] if row[0] >= 0 else row[1])
    along, against = np.array(rows, np.int64).reshape(-1, 2).T
    return Streets(along, against)


def _drawing(tail: int, head: int, places: NDArray[np.float64], *, is_down: bool) -> tuple[bytes, bool]:
    """Return the drawing as seen from the lower node, and whether the arc runs that way."""
    if len(places) == 0 and tail != head:
        return b"", tail < head
    there, back = places.tobytes(), places[::-1].tobytes()
    if tail != head:
        return (there, True) if tail < head else (back, False)
    # a loop is seen from either side; one that goes and returns the same way looks the same from both
    return min(there, back), there < back if there != back else not is_down


def _is_same(one: float, two: float) -> bool:
    is_missing = math.isnan(one), math.isnan(two)
    return all(is_missing) or math.isclose(one, two, rel_tol=SAME_LENGTH, abs_tol=SAME_LENGTH)


def _drawn_along(i: int, j: int, is_reversed: list[bool]) -> tuple[int, int]:
    if is_reversed[i] == is_reversed[j]:
        return min(i, j), max(i, j)
    return (j, i) if is_reversed[i] else (i, j)


def _alone(i: int, is_reversed: list[bool]) -> tuple[int, int]:
    return (-1, i) if is_reversed[i] else (i, -1)
