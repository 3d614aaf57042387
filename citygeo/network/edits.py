"""What if: networks with other speeds, closed streets or new ones; the old network stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo import datum
from citygeo.errors import error
from citygeo.io.off_ground import GROUND, off_ground
from citygeo.io.roadwords import Columns, read_attributes
from citygeo.issues import IssueLog
from citygeo.network.boxtree import box_tree
from citygeo.network.build import check_times
from citygeo.network.segments import highway_class, segment_lengths
from citygeo.network.splitting import Shape, Split, join_shapes, split_edges
from citygeo.network.states import CLOSED, NO_EDGE, search_arrays

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import shapely
    from numpy.typing import ArrayLike, NDArray

    from citygeo.modes import WayRule
    from citygeo.network import RoadNetwork

OTHERS = "*"
AT_NODE_M = 0.01  # nearer to a junction than this is the junction
SHARE_TIES = 1e-9

Arrays = dict[str, "NDArray[np.generic]"]


def with_speeds(network: RoadNetwork, factors: Mapping[str, float], *, assumed_only: bool) -> Arrays:
    """Return the arrays of `RoadNetwork.with_speeds`; only times change."""
    per_edge = _edge_factors(network, factors)
    if assumed_only:
        per_edge = np.where(network.arrays["edge_is_imputed"], per_edge, 1.0)
    arrays = dict(network.arrays)
    for name in ("edge_along_ms", "edge_against_ms"):
        ms = arrays[name].astype(np.float64)
        arrays[name] = np.where(arrays[name] == CLOSED, -1, np.rint(ms / per_edge)).astype(np.int64)
    check_times(arrays)
    travel = np.column_stack((arrays["edge_along_ms"], arrays["edge_against_ms"])).astype(np.int64)
    total = (
        travel + arrays["edge_enter_ms"].astype(np.int64) + arrays["edge_leave_ms"].astype(np.int64)
    ).ravel()
    for graph, turned in (("forward", 0), ("reverse", 1)):
        code = arrays[f"{graph}_edge"].astype(np.int64)
        arc = arrays[f"{graph}_arc"].copy()
        is_travel = code != NO_EDGE
        arc[is_travel, 1] = total[code[is_travel] ^ turned]
        arrays[f"{graph}_arc"] = arc
    return arrays


def class_factors(
    network: RoadNetwork, factor: float | Mapping[str, float] | pd.DataFrame, hour: Any
) -> dict[str, float]:
    """Return the factor of each class named, and of all others."""
    import pandas as pd

    if isinstance(factor, pd.DataFrame):
        if hour not in factor.columns:
            known = ", ".join(str(column) for column in factor.columns[:24])
            raise error(
                "CG-IN-004", argument="hour", value=hour, rule=f"The table has the columns {known}.",
                hint="Name one of them.",
            )  # fmt: skip
        given: Mapping[Any, Any] = factor[hour].to_dict()
    elif hour is not None:
        raise error(
            "CG-IN-004", argument="hour", value=hour, rule="Only a table of factors has hours.",
            hint="Give a DataFrame with a row per class and a column per hour.",
        )  # fmt: skip
    else:
        given = factor if isinstance(factor, Mapping) else {OTHERS: factor}
    # a table made for the city may name classes that this part of it does not have
    known_kinds = {OTHERS, *network.mode.speed_kmh, *network.highway.tolist()}
    unknown = [str(kind) for kind in given if kind not in known_kinds]
    bad = [f"{kind}={value}" for kind, value in given.items() if not _is_factor(value)]
    if unknown or bad or not given:
        raise error(
            "CG-IN-004", argument="factor", value=", ".join(unknown or bad) or "empty",
            rule="It is a number above 0, or maps highway classes to such.",
            hint=f"Classes here: {', '.join(sorted(set(network.highway.tolist())))}; * stands for all others.",
        )  # fmt: skip
    return {str(kind): float(value) for kind, value in given.items()}


def _is_factor(value: Any) -> bool:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return is_number and 0 < float(value) < np.inf


def _edge_factors(network: RoadNetwork, factors: Mapping[str, float]) -> NDArray[np.float64]:
    others = factors.get(OTHERS, 1.0)
    by_word = np.array([factors.get(word, others) for word in network.words])
    return np.asarray(by_word[network.arrays["edge_highway"].astype(np.int64)], np.float64)


def edge_numbers(network: RoadNetwork, edges: ArrayLike) -> NDArray[np.int64]:
    """Return the numbers of edges given as numbers or as a mask, ascending; raise CG-IN-004 if there are none such."""
    given = np.atleast_1d(np.asarray(edges))
    is_mask = given.dtype == np.bool_ and given.shape == (network.n_edges,)
    chosen = np.flatnonzero(given) if is_mask else given
    is_whole = np.issubdtype(chosen.dtype, np.integer) or chosen.size == 0
    if not is_whole or ((chosen < 0) | (chosen >= network.n_edges)).any():
        raise error(
            "CG-IN-004", argument="edges", value=str(edges)[:60],
            rule=f"They are numbers from 0 to {network.n_edges - 1}, or one True or False per edge.",
            hint="service_area(...).edges and snap() tell edge numbers.",
        )  # fmt: skip
    return np.unique(chosen.astype(np.int64))


def without_edges(network: RoadNetwork, edges: NDArray[np.int64]) -> Arrays:
    """Return the arrays of `RoadNetwork.without` with edges."""
    return _closed(split_edges(network.arrays, {}).arrays, edges, network)


def _closed(arrays: Arrays, edge: NDArray[np.int64], network: RoadNetwork) -> Arrays:
    for name in ("edge_along_ms", "edge_against_ms"):
        ms = arrays[name].copy()
        ms[edge] = CLOSED
        arrays[name] = ms
    return {**arrays, **search_arrays(arrays, network.mode)}


def in_metres(network: RoadNetwork, polygon: Any) -> shapely.Geometry:
    """Return the polygon in the network's metric CRS."""
    import geopandas as gpd
    import shapely

    if isinstance(polygon, gpd.GeoDataFrame | gpd.GeoSeries):
        datum.require_crs(polygon, "polygon")
        layer = polygon.geometry
    else:
        layer = gpd.GeoSeries([polygon if isinstance(polygon, shapely.Geometry) else None], crs=datum.WGS84)
    if not layer.geom_type.isin(("Polygon", "MultiPolygon")).all() or layer.is_empty.any() or not len(layer):
        kinds = ", ".join(sorted({str(kind) for kind in layer.geom_type})) or "nothing"
        raise error(
            "CG-IN-004", argument="polygon", value=kinds, rule="It must be polygons that are not empty.",
            hint="Buffer a line or point first.",
        )  # fmt: skip
    area: shapely.Geometry = layer.to_crs(network.metric_crs).union_all()
    return area


def without_inside(network: RoadNetwork, area: shapely.Geometry, *, spares_bridges: bool) -> Arrays:
    """
    Return the arrays of `RoadNetwork.without` with an area: streets cut at its boundary, closed inside.

    Parameters
    ----------
    network
        The network.
    area
        Metric CRS.
    spares_bridges
        Whether what is on a bridge, in a tunnel or on a ferry stays open.
    """
    import shapely

    lines = network.lines_metric
    touched = network.tree.query(area, predicate="intersects")
    cuts: dict[int, list[float]] = {}
    for edge in touched.tolist():
        places = shapely.get_coordinates(shapely.intersection(lines[edge], shapely.boundary(area)))
        shares = shapely.line_locate_point(lines[edge], shapely.points(places), normalized=True)
        if spares_bridges:
            shares = np.concatenate((shares, bridge_ends(network, edge)))
        inner = np.unique(shares[(shares > SHARE_TIES) & (shares < 1 - SHARE_TIES)])
        if inner.size:
            cuts[edge] = inner[np.append(True, np.diff(inner) > SHARE_TIES)].tolist()
    split = split_edges(network.arrays, cuts)
    closed: list[int] = []
    for edge in touched.tolist():
        bounds = np.array([0.0, *cuts.get(edge, []), 1.0])
        share = (bounds[:-1] + bounds[1:]) / 2
        inside = shapely.contains(area, shapely.line_interpolate_point(lines[edge], share, normalized=True))
        if spares_bridges:
            inside &= off_ground_at(network, edge, share) == GROUND
        closed += np.array(split.pieces.get(edge, [edge]))[inside].tolist()
    return _closed(split.arrays, np.array(sorted(closed), np.int64), network)


def bridge_ends(network: RoadNetwork, edge: int) -> NDArray[np.float64]:
    """Return where an edge goes onto or off a bridge, tunnel or ferry, as shares of its length."""
    tree = box_tree(network)
    begin, end = tree.shape_start[edge], tree.shape_start[edge + 1]
    kind = network.arrays["shape_off_ground"][begin : end - 1].astype(np.int64)
    share: NDArray[np.float64] = tree.along[begin + 1 : end - 1][np.diff(kind) != 0] / tree.along[end - 1]
    return share


def off_ground_at(network: RoadNetwork, edge: int, share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the kind of an edge at shares of its length: `citygeo.io.off_ground.GROUND` and others."""
    tree = box_tree(network)
    begin, end = tree.shape_start[edge], tree.shape_start[edge + 1]
    along = tree.along[begin:end]
    segment = np.clip(np.searchsorted(along, share * along[-1], side="right") - 1, 0, along.size - 2)
    kind: NDArray[np.uint8] = network.arrays["shape_off_ground"][begin + segment]
    return kind


def with_edges(
    network: RoadNetwork, lines: gpd.GeoDataFrame, *, columns: Columns, connect_m: float
) -> tuple[Arrays, IssueLog]:
    """Return the arrays of `RoadNetwork.with_edges`, and what was found."""
    import shapely

    datum.require_layer(lines, "lines")
    shapes = lines.geometry.to_crs(datum.WGS84)
    is_line = (shapes.geom_type == "LineString") & ~shapes.is_empty
    vertex, row = shapely.get_coordinates(shapes.to_numpy(), return_index=True)
    is_line &= np.bincount(row[~np.isfinite(vertex).all(axis=1)], minlength=len(lines)) == 0
    if not is_line.all():
        rows = lines.index[~is_line]
        raise error("CG-GEO-010", layer="lines", count=len(rows), sample=", ".join(map(str, rows[:5])))
    log = IssueLog()
    rules, kinds, levels = _rules_of(network, lines, columns, log)
    places = [shapely.get_coordinates(line) for line in shapes]
    ends = np.array([[place[0], place[-1]] for place in places]).reshape(-1, 2)
    split, node, joined = _connect(network, ends, connect_m)
    loose = np.flatnonzero(_is_loose(node.reshape(-1, 2), joined.reshape(-1, 2)))
    log.add(
        "CG-NET-055",
        count=loose.size,
        sample=lines.index[loose],
        total=len(lines),
        connect_m=f"{connect_m:g}",
    )
    arrays = _appended(split.arrays, network, (places, rules, kinds, levels), node)
    arrays["edge_leave_ms"] = _with_junctions(arrays, network, node)
    return {**arrays, **search_arrays(arrays, network.mode)}, log


def _with_junctions(arrays: Arrays, network: RoadNetwork, node: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the delays on arriving, with those of junctions that the new streets make."""
    ends = arrays["edge_node"].astype(np.int64)
    degree = np.bincount(ends.ravel(), minlength=len(arrays["node_id"]))
    is_new = np.zeros(degree.size, np.bool_)
    is_new[node] = degree[node] > 2
    start = arrays["word_start"].astype(np.int64).tolist()
    text = arrays["word_bytes"].tobytes()
    words = [text[a:b].decode() for a, b in pairwise(start)]
    by_word = np.array([round(network.mode.junction_s.get(word, 0.0) * 1000) for word in words], np.int64)
    lost = by_word[arrays["edge_highway"].astype(np.int64)][:, None]
    # one arrives at the high end along an edge, at the low end against it
    leave: NDArray[np.uint32] = np.maximum(
        arrays["edge_leave_ms"].astype(np.int64), np.where(is_new[ends[:, ::-1]], lost, 0)
    ).astype(np.uint32)
    return leave


def _is_loose(node: NDArray[np.int64], joined: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which new streets lead to no old one, over other new ones either."""
    is_reached: NDArray[np.bool_] = joined[:, 0] | joined[:, 1]
    while True:
        touches = np.isin(node, node[is_reached])
        known: NDArray[np.bool_] = touches[:, 0] | touches[:, 1]
        if (known == is_reached).all():
            return ~is_reached
        is_reached = known


def _rules_of(
    network: RoadNetwork, lines: gpd.GeoDataFrame, columns: Columns, log: IssueLog
) -> tuple[list[WayRule], list[str], list[int]]:
    """Apply the mode to the new streets as to any other; return also their classes, and what is off the ground."""
    attributes = read_attributes(lines, columns, "lines", log)
    tags = [attributes.tag_sets[number] for number in attributes.tag_set.tolist()]
    rules = [network.mode.rule(row) for row in tags]
    shut = [label for label, rule in zip(lines.index, rules, strict=True) if not rule.is_open]
    if shut:
        sample = ", ".join(str(label) for label in shut[:5])
        raise error(
            "CG-NET-056", count=len(shut), mode=network.mode.name, column=columns.class_, sample=sample
        )
    return rules, [highway_class(row) for row in tags], [off_ground(row) for row in tags]


def _connect(
    network: RoadNetwork, ends: NDArray[np.float64], connect_m: float
) -> tuple[Split, NDArray[np.int64], NDArray[np.bool_]]:
    """Join the ends of new streets to the network, cutting edges where they meet; others get nodes of their own."""
    import shapely

    from citygeo.network.snap import snap_points

    points = np.asarray(shapely.points(ends), object)
    snaps = snap_points(network, points, datum.WGS84, max_snap_m=connect_m)
    length = network.length_m
    cuts: dict[int, set[float]] = {}
    for edge, share in zip(snaps.edge[snaps.is_on].tolist(), snaps.share[snaps.is_on].tolist(), strict=True):
        if AT_NODE_M < share * length[edge] < length[edge] - AT_NODE_M:
            cuts.setdefault(edge, set()).add(share)
    split = split_edges(network.arrays, {edge: sorted(shares) for edge, shares in cuts.items()})
    node = np.empty(len(ends), np.int64)
    own: dict[tuple[float, float], int] = {}
    n_nodes = len(split.arrays["node_id"])
    ends_of = network.arrays["edge_node"].astype(np.int64)
    for i, (edge, share) in enumerate(zip(snaps.edge.tolist(), snaps.share.tolist(), strict=True)):
        if edge >= 0:
            at_end = int(ends_of[edge, int(share > 0.5)])
            node[i] = split.node_at.get((edge, share), at_end)
        else:
            node[i] = own.setdefault(tuple(ends[i].tolist()), n_nodes + len(own))
    if own:
        top = int(split.arrays["node_id"].max())
        split.arrays["node_id"] = np.concatenate((split.arrays["node_id"], top + 1 + np.arange(len(own))))
        split.arrays["node_lonlat"] = np.concatenate((split.arrays["node_lonlat"], np.array(list(own))))
    return split, node, snaps.is_on


def _appended(
    arrays: Arrays,
    network: RoadNetwork,
    new: tuple[list[NDArray[np.float64]], list[WayRule], list[str], list[int]],
    node: NDArray[np.int64],
) -> Arrays:
    """Add edges at the end; their way ids are below every other, counting down."""
    places, rules, kinds, levels = new
    n = len(places)
    pairs = node.reshape(-1, 2)
    joints = arrays["node_lonlat"].astype(np.float64)
    # the drawn line, and the short piece between its end and the street it joins
    shapes = [
        _without_repeats(np.vstack((joints[u], place, joints[v])))
        for place, (u, v) in zip(places, pairs, strict=True)
    ]
    length = np.array([segment_lengths(shape[:-1], shape[1:]).sum() for shape in shapes])
    numbers = {word: i for i, word in enumerate(dict.fromkeys([*network.words, *kinds]))}
    encoded = [word.encode() for word in numbers]
    lowest = min(int(arrays["edge_way_id"].min(initial=0)), 0)

    def times(kmh: list[float]) -> NDArray[np.int64]:
        speed = np.array(kmh)
        return np.where(speed > 0, np.rint(length / np.where(speed > 0, speed, 1.0) * 3600), -1).astype(
            np.int64
        )

    made: Arrays = {
        "edge_node": pairs.astype(np.uint32),
        "edge_length_m": length,
        "edge_along_ms": times([rule.along_kmh for rule in rules]),
        "edge_against_ms": times([rule.against_kmh for rule in rules]),
        "edge_is_imputed": np.array([rule.is_imputed for rule in rules]),
        "edge_way_id": lowest - 1 - np.arange(n),
        "edge_highway": np.array([numbers[kind] for kind in kinds], np.uint32),
        "edge_name": np.full(n, numbers[""], np.uint32),
        "edge_enter_ms": np.zeros((n, 2), np.uint32),
        "edge_leave_ms": np.zeros((n, 2), np.uint32),
    }
    check_times(made)
    for name, column in made.items():
        arrays[name] = np.concatenate((arrays[name], column))
    drawn = [
        Shape(shape, np.array([level] * (len(shape) - 1) + [GROUND], np.uint8))
        for shape, level in zip(shapes, levels, strict=True)
    ]
    arrays |= join_shapes(arrays, {}, drawn)
    arrays["word_start"] = np.concatenate(([0], np.cumsum([len(word) for word in encoded]))).astype(np.int64)
    arrays["word_bytes"] = np.frombuffer(b"".join(encoded), np.uint8)
    return arrays


def _without_repeats(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop vertices equal to the one before, keeping two at least."""
    keep = np.append(True, (np.diff(shape, axis=0) != 0).any(axis=1))
    kept = shape[keep]
    return kept if len(kept) > 1 else shape[[0, -1]]
