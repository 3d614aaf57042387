"""Read networkx graphs, OSMnx's among them: nodes with a place, edges with OSM tags, lengths and perhaps times."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from citygeo.errors import error
from citygeo.io.graph_arcs import Arcs, arcs_of, both_ways, inner_places, join_opposites, sample, stated_kinds
from citygeo.io.graph_tags import UNKNOWN_CLASS, is_true, node_tags, values_of, way_tags
from citygeo.io.off_ground import off_ground
from citygeo.io.streets import NO_TAGS, NODE_KINDS, NODE_TAGS, Given, StreetTables, TagSets
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import networkx as nx
    from numpy.typing import NDArray

    from citygeo.io.graph_arcs import Inner, Streets

    Project = Callable[[NDArray[np.float64]], NDArray[np.float64]]

WGS84 = 4326
LARGEST_ID = 2**62  # leaves room for the ids of shape nodes
ORIGINAL_ID = "citygeo_node_id"  # OSMnx has an osmid_original of its own
MOVING_COLUMN, DELAY_COLUMN, IMPUTED_COLUMN = "time_s", "delay_s", "is_imputed"
LONGEST_S = 2_147_483  # 32-bit milliseconds
LENGTH_RULE = "metres, a number from 0 on, or absent"
TIME_RULE = f"seconds, a number from 0 to {LONGEST_S}, on every edge"
# OSMnx measures on a sphere, up to 0.6 % off; a unit that is not the metre is far beyond this
ODD_LENGTH = 0.1
ODD_LENGTH_M = 1.0


def read(
    graph: nx.Graph[Any], *, name: str = "graph", crs: Any = None, time_column: str | None = None
) -> StreetTables:
    """
    Read a networkx graph of any kind, as OSMnx makes it or plain.

    Directed graphs: two opposite edges with the same drawing, tags and length are one two-way street, unless marked
    ``oneway``; every other edge is a one-way street in its own direction, whatever its ``oneway`` says. Undirected
    graphs: every edge is a two-way street. Parallel edges and loops stay. Lists of values, as OSMnx's simplification
    leaves them, become one value by the rules of `citygeo.io.graph_tags.way_tags`. Edges without ``highway`` count
    as ``highway=road``. The lowest ``osmid`` becomes the way id.

    Parameters
    ----------
    graph
        Nodes have ``x`` and ``y``; edges may have ``geometry`` (LineString), ``length`` (metres) and OSM tags.
    name
        What messages and results call it.
    crs
        CRS of the nodes and geometries, for graphs whose ``graph.graph["crs"]`` does not say.
    time_column
        Edge attribute with seconds of travel, taken as they are. Without it the times are ``time_s`` (moving) and
        ``delay_s`` (lost on arriving) where all edges have both, as `RoadNetwork.to_osmnx` writes them, and else
        what the mode's rules make of tags and lengths. ``off_ground``, as written there too, tells which segments of
        an edge are bridge, tunnel or ferry; without it the tags of the edge hold for all of it.

    Returns
    -------
    The streets. Node ids are the graph's where all are whole numbers, otherwise counted from 1 in its order.

    Raises
    ------
    InputError
        CG-GRF-001: no networkx graph. CG-IN-001: no edges. CG-GRF-003: nodes without x and y. CG-GRF-004: edges
        whose geometry, length or time cannot be used. CG-IN-005: no edge has the time column. CG-IN-004: `crs`
        is none, or not the graph's own.
    CRSError
        CG-GRF-002: no CRS.
    NetworkError
        CG-NET-050: places that are not on Earth.

    Examples
    --------
    >>> import networkx as nx
    >>> city = nx.Graph(crs="EPSG:4326")
    >>> city.add_nodes_from([("a", {"x": 3.0, "y": 0.0}), ("b", {"x": 3.01, "y": 0.0})])
    >>> city.add_edge("a", "b", highway="residential")
    >>> read(city).tags_of(0)
    {'highway': 'residential', 'oneway': 'no'}
    """
    _require_edges(graph, name)
    issues = IssueLog()
    nodes = _nodes(graph, name, crs, issues)
    arcs = arcs_of(graph, {node: i for i, node in enumerate(nodes.label)})
    length_m = _numbers(arcs, "length", name, LENGTH_RULE, is_required=False)
    times = _times(arcs, name, time_column)
    inner = inner_places(arcs, nodes.lonlat, nodes.project, name, issues)
    tag_sets, arc_tag_set = _arc_tags(arcs, issues, is_timed=times is not None)
    way_id, has_id = _way_ids(arcs)
    kind = list(zip(arc_tag_set.tolist(), way_id.tolist(), has_id.tolist(), strict=True))
    streets = _streets(graph, arcs, inner, kind, length_m)
    _note_directions(graph, arcs, streets, issues)
    drawn = np.where(streets.along >= 0, streets.along, streets.against)
    way_start, way_node, shape = _ways(arcs, inner, streets, len(nodes.label))
    lonlat = np.concatenate((nodes.lonlat, inner.lonlat[shape]))
    _note_lengths(arcs, drawn, length_m, (way_start, way_node, lonlat), issues)
    way_tag_set = _directed_tags(tag_sets, arc_tag_set[drawn], streets)
    by_tags = np.array([off_ground(tags) for tags in tag_sets.listed], np.uint8)[way_tag_set]
    kinds = stated_kinds(arcs, inner, streets, by_tags, issues)
    return StreetTables(
        node_id=np.concatenate((nodes.original_id, int(nodes.id[-1]) + 1 + np.arange(shape.size))),
        node_lonlat=lonlat,
        way_id=_counted_on(way_id[drawn], has_id[drawn]),
        way_start=way_start,
        way_node=way_node,
        tag_sets=tag_sets.listed,
        way_tag_set=way_tag_set,
        node_tag_set=np.concatenate(
            (_node_tags(graph, nodes.label, tag_sets), np.full(shape.size, NO_TAGS, np.int32))
        ),
        source=name,
        issues=issues,
        given=_given(streets, length_m[drawn], drawn, times, kinds),
    )


class _Nodes(NamedTuple):
    """Nodes with streets, in the order of their ids."""

    label: list[Hashable]  # as the graph knows them
    id: NDArray[np.int64]
    original_id: NDArray[np.int64]  # before an export had to tell the pieces at a barrier apart
    lonlat: NDArray[np.float64]
    project: Project


def _nodes(graph: nx.Graph[Any], name: str, crs: Any, issues: IssueLog) -> _Nodes:
    label = [node for node, degree in graph.degree() if degree]
    xy = _xy(graph, label, name)
    project = _projection(graph, name, crs, xy)
    ids = _node_ids(label, issues)
    order = np.argsort(ids, kind="stable")
    label, ids = [label[i] for i in order.tolist()], ids[order]
    originals = [graph.nodes[node].get(ORIGINAL_ID) for node in label]
    before = [own if was is None else int(was) for own, was in zip(ids.tolist(), originals, strict=True)]
    return _Nodes(label, ids, np.array(before, np.int64), project(xy[order]), project)


def _streets(
    graph: nx.Graph[Any],
    arcs: Arcs,
    inner: Inner,
    kind: list[tuple[int, int, bool]],
    length_m: NDArray[np.float64],
) -> Streets:
    if not graph.is_directed():
        return both_ways(arcs)
    is_oneway = [is_true(data.get("oneway", False)) for data in arcs.data]
    joinable = [None if alone else of for alone, of in zip(is_oneway, kind, strict=True)]
    return join_opposites(arcs, inner, joinable, length_m)


def _require_edges(graph: object, name: str) -> None:
    import networkx as nx

    if not isinstance(graph, nx.Graph):
        raise error("CG-GRF-001", name=name, kind=type(graph).__name__)
    if graph.number_of_edges() == 0:
        raise error("CG-IN-001", layer=f"{name} (edges)")


def _xy(graph: nx.Graph[Any], nodes: Sequence[Hashable], name: str) -> NDArray[np.float64]:
    """Return x and y of nodes in the graph's CRS."""
    xy = np.full((len(nodes), 2), np.nan)
    for i, node in enumerate(nodes):
        attributes = graph.nodes[node]
        xy[i] = _float(attributes.get("x")), _float(attributes.get("y"))
    missing = np.flatnonzero(~np.isfinite(xy).all(axis=1)).tolist()
    if missing:
        named = ", ".join(str(nodes[i]) for i in missing[:5])
        raise error("CG-GRF-003", name=name, count=len(missing), total=len(nodes), sample=named)
    return xy


def _float(value: object) -> float:
    """Return a value as a number, also one that a file format made text; NaN if it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _projection(graph: nx.Graph[Any], name: str, crs: Any, xy: NDArray[np.float64]) -> Project:
    """Return what takes coordinates of the graph to WGS 84 degrees; WGS 84 itself stays as it is, bit for bit."""
    import pyproj

    own = graph.graph.get("crs")
    if own is None and crs is None:
        (xmin, ymin), (xmax, ymax) = xy.min(axis=0), xy.max(axis=0)
        extent = {"xmin": f"{xmin:.5g}", "xmax": f"{xmax:.5g}", "ymin": f"{ymin:.5g}", "ymax": f"{ymax:.5g}"}
        raise error("CG-GRF-002", name=name, **extent)
    try:
        found = pyproj.CRS.from_user_input(crs if own is None else own)
        is_other = own is not None and crs is not None and pyproj.CRS.from_user_input(crs) != found
    except pyproj.exceptions.CRSError as cause:
        rule = "It must be a CRS that pyproj knows."
        raise error("CG-IN-004", argument="crs", value=crs or own, rule=rule, hint="Try 4326.") from cause
    if is_other:
        rule, hint = f"The graph says {own} itself.", "Leave crs out, or correct graph.graph['crs']."
        raise error("CG-IN-004", argument="crs", value=crs, rule=rule, hint=hint)
    if found.equals(pyproj.CRS.from_epsg(WGS84), ignore_axis_order=True):
        return lambda places: places
    transform = pyproj.Transformer.from_crs(found, WGS84, always_xy=True).transform
    return lambda places: np.column_stack(transform(*places.T))


def _node_ids(nodes: Sequence[Hashable], issues: IssueLog) -> NDArray[np.int64]:
    """Return the nodes' own numbers, or a count from 1 where some are none."""
    others = [node for node in nodes if not _is_number(node) or abs(int(node)) >= LARGEST_ID]
    if others:
        issues.add("CG-GRF-009", count=len(others), sample=others, total=len(nodes))
        return np.arange(1, len(nodes) + 1)
    return np.array(nodes, np.int64)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _numbers(arcs: Arcs, column: str, name: str, rule: str, *, is_required: bool) -> NDArray[np.float64]:
    """Return an edge attribute as numbers; raise CG-GRF-004 for those that break the rule."""
    raw = [data.get(column) for data in arcs.data]
    numbers = np.array([_float(value) for value in raw], np.float64)
    is_bad = ~((numbers >= 0) & (numbers < np.inf))
    if is_required:
        is_bad |= numbers > LONGEST_S
    else:
        is_bad &= np.array([value is not None and str(value).lower() != "nan" for value in raw], np.bool_)
    if is_bad.any():
        count, named = int(is_bad.sum()), ", ".join(sample(arcs, is_bad))
        raise error(
            "CG-GRF-004", name=name, column=column, rule=rule, count=count, total=len(raw), sample=named
        )
    return numbers


class _Times(NamedTuple):
    """Milliseconds of moving and of delay of each arc, and whether they rest on an assumed speed, `(m,)` each."""

    moving: NDArray[np.int64]
    delay: NDArray[np.int64]
    is_imputed: NDArray[np.bool_]


def _times(arcs: Arcs, name: str, time_column: str | None) -> _Times | None:
    """Return the times that the graph states, `None` without; a column of the caller's rests on no assumption here."""
    is_imputed = np.zeros(len(arcs.data), np.bool_)
    if time_column is not None:
        if not any(time_column in data for data in arcs.data):
            listed = ", ".join(sorted({str(column) for data in arcs.data for column in data})) or "none"
            raise error("CG-IN-005", layer=f"{name} (edges)", column=time_column, columns=listed)
        moving = _numbers(arcs, time_column, name, TIME_RULE, is_required=True)
        delay = np.zeros_like(moving)
    elif any(MOVING_COLUMN in data and DELAY_COLUMN in data for data in arcs.data):
        moving, delay = (
            _numbers(arcs, column, name, TIME_RULE, is_required=True)
            for column in (MOVING_COLUMN, DELAY_COLUMN)
        )
        is_imputed = np.array([is_true(data.get(IMPUTED_COLUMN, False)) for data in arcs.data], np.bool_)
    else:
        return None
    return _Times(np.rint(moving * 1000).astype(np.int64), np.rint(delay * 1000).astype(np.int64), is_imputed)


def _arc_tags(arcs: Arcs, issues: IssueLog, *, is_timed: bool) -> tuple[TagSets, NDArray[np.int32]]:
    """Give the tags of each arc a number; what had to be assumed is told only where times come from tags."""
    sets = TagSets()
    numbers = np.empty(len(arcs.data), np.int32)
    chosen = Counter[str]()
    merged: list[int] = []
    unknown: list[int] = []
    for i, data in enumerate(arcs.data):
        tags, keys = way_tags(data)
        if "highway" not in tags and tags.get("route") != "ferry":
            tags["highway"] = UNKNOWN_CLASS
            unknown.append(i)
        chosen.update(keys)
        merged += [i] if keys else []
        numbers[i] = sets.number(tags)
    if not is_timed:
        total, listed = len(arcs.data), ", ".join(f"{key} {count}" for key, count in chosen.most_common())
        named = sample(arcs, np.array(merged))
        issues.add("CG-GRF-006", count=len(merged), sample=named, total=total, keys=listed)
        issues.add("CG-GRF-008", count=len(unknown), sample=sample(arcs, np.array(unknown)), total=total)
    return sets, numbers


def _way_ids(arcs: Arcs) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the lowest OSM id of each arc, and which have one."""
    ids = np.zeros(len(arcs.data), np.int64)
    is_known = np.zeros(len(arcs.data), np.bool_)
    for i, data in enumerate(arcs.data):
        numbers = [int(value) for value in values_of(data.get("osmid")) if _is_number(value)]
        if numbers:
            ids[i], is_known[i] = min(numbers), True
    return ids, is_known


def _counted_on(ids: NDArray[np.int64], is_known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give streets without an id one above the largest."""
    counted = ids.copy()
    counted[~is_known] = int(ids[is_known].max(initial=0)) + 1 + np.arange(int((~is_known).sum()))
    return counted


def _note_directions(graph: nx.Graph[Any], arcs: Arcs, streets: Streets, issues: IssueLog) -> None:
    """Record edges whose ``oneway`` attribute says something else than the graph."""
    total = len(arcs.data)
    if not graph.is_directed():
        bound = np.array([is_true(data.get("oneway", False)) for data in arcs.data], np.bool_)
        issues.add("CG-GRF-007", count=int(bound.sum()), sample=sample(arcs, bound), total=total)
        return
    alone = np.concatenate((streets.along[streets.against < 0], streets.against[streets.along < 0]))
    torn = np.array([i for i in alone.tolist() if not is_true(arcs.data[i].get("oneway", True))], np.int64)
    issues.add("CG-GRF-012", count=torn.size, sample=sample(arcs, torn), total=total)


def _ways(
    arcs: Arcs, inner: Inner, streets: Streets, n_nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return start and nodes of each way, and the drawn places that are its shape nodes, in the order of the nodes."""
    is_turned = streets.along < 0
    drawn = np.where(is_turned, streets.against, streets.along)
    many = np.diff(inner.start)[drawn]
    way_start = np.concatenate(([0], np.cumsum(many + 2)))
    owner = np.repeat(np.arange(drawn.size), many)
    offset = np.arange(owner.size) - np.repeat(np.cumsum(many) - many, many)
    place = inner.start[drawn][owner] + np.where(is_turned[owner], many[owner] - 1 - offset, offset)
    way_node = np.empty(int(way_start[-1]), np.int64)
    way_node[way_start[:-1]] = np.where(is_turned, arcs.head[drawn], arcs.tail[drawn])
    way_node[way_start[1:] - 1] = np.where(is_turned, arcs.tail[drawn], arcs.head[drawn])
    way_node[way_start[owner] + 1 + offset] = n_nodes + np.arange(owner.size)
    return way_start, way_node, place


def _note_lengths(
    arcs: Arcs,
    drawn: NDArray[np.int64],
    length_m: NDArray[np.float64],
    ways: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    issues: IssueLog,
) -> None:
    """Record stated lengths that are far from the drawing; a straight edge may stand for a longer bent street."""
    import pyproj

    start, node, lonlat = ways
    first = np.delete(np.arange(node.size), start[1:] - 1)
    _, _, metres = pyproj.Geod(ellps="WGS84").inv(*lonlat[node[first]].T, *lonlat[node[first + 1]].T)
    owner = np.repeat(np.arange(drawn.size), np.diff(start) - 1)
    measured = np.bincount(owner, metres, drawn.size)
    stated = length_m[drawn]
    slack = ODD_LENGTH * measured + ODD_LENGTH_M
    is_odd = (stated < measured - slack) | ((stated > measured + slack) & (np.diff(start) > 2))
    issues.add(
        "CG-GRF-013", count=int(is_odd.sum()), sample=sample(arcs, drawn[is_odd]), total=drawn.size,
        stated_km=f"{stated[is_odd].sum() / 1000:.3f}", drawn_km=f"{measured[is_odd].sum() / 1000:.3f}",
    )  # fmt: skip


def _directed_tags(sets: TagSets, arc_tag_set: NDArray[np.int32], streets: Streets) -> NDArray[np.int32]:
    """Add the direction that the graph itself shows to the tags."""
    direction = np.select([streets.against < 0, streets.along < 0], [0, 1], 2)
    pairs, row = np.unique(np.column_stack((arc_tag_set, direction)), axis=0, return_inverse=True)
    numbers = [
        sets.number({**sets.listed[number], "oneway": ("yes", "-1", "no")[way]})
        for number, way in pairs.tolist()
    ]
    return np.array(numbers, np.int32)[row.ravel()]


def _node_tags(graph: nx.Graph[Any], nodes: Sequence[Hashable], sets: TagSets) -> NDArray[np.int32]:
    """Give the tags of each node a number, none to those that are only shape."""
    found = [node_tags(graph.nodes[node], NODE_TAGS) for node in nodes]
    return np.array([sets.number(tags) if NODE_KINDS & tags.keys() else NO_TAGS for tags in found], np.int32)


def _given(
    streets: Streets,
    length_m: NDArray[np.float64],
    drawn: NDArray[np.int64],
    times: _Times | None,
    kinds: NDArray[np.uint8] | None,
) -> Given | None:
    """Return what the graph states, seen along and against each street."""
    if times is None:
        is_silent = kinds is None and np.isnan(length_m).all()
        return None if is_silent else Given(length_m, off_ground=kinds)
    arcs = np.column_stack((streets.along, streets.against))
    moving, delay = np.where(arcs >= 0, times.moving[arcs], -1), np.where(arcs >= 0, times.delay[arcs], 0)
    return Given(length_m, moving, delay, times.is_imputed[drawn], kinds)
