"""
Read plain centre lines: a layer of lines without topology or ids.

Lines are joined where they share a vertex; on request also where they cross or touch, and where an end stops short.
Everything is done in the plane of the layer's own CRS, so that a line which touches another there does so here, and
distances are metres on the ground wherever they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from citygeo.errors import error
from citygeo.io.crossings import Crossed, meets, split_crossings
from citygeo.io.drawing import Drawing
from citygeo.io.gaps import close_gaps
from citygeo.io.ground import Ground
from citygeo.io.noding import Nodes, apart_at_vertices, drawn_twice, levels_of, nodes_of, stretches_twice
from citygeo.io.roadwords import Columns, read_attributes
from citygeo.io.streets import NO_TAGS, StreetTables
from citygeo.io.tables import read_layer
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

MAX_TOLERANCE_M = 100.0
_LINES = (
    shapely.GeometryType.LINESTRING,
    shapely.GeometryType.LINEARRING,
    shapely.GeometryType.MULTILINESTRING,
)
_ALSO_CLASS = "road"  # OSM's word for a road of unknown class


class _Work(NamedTuple):
    """A layer on its way to streets: what is needed to say what was done to which row."""

    name: str
    labels: pd.Index[Any]
    row: NDArray[np.int64]  # of each line
    drawing: Drawing
    ground: Ground
    issues: IssueLog

    def labels_of(self, lines: NDArray[np.int64]) -> list[Any]:
        """Return the caller's labels of the rows of lines."""
        return list(self.labels[np.unique(self.row[lines])[:10]])


def read(
    layer: gpd.GeoDataFrame | str | Path,
    *,
    class_column: str | None = None,
    classes: Mapping[Any, str] | None = None,
    oneway_column: str | None = None,
    speed_column: str | None = None,
    name_column: str | None = None,
    level_column: str | None = None,
    bridge_column: str | None = None,
    tunnel_column: str | None = None,
    split_crossings: bool = False,
    tolerance_m: float = 0.0,
    default_class: str = _ALSO_CLASS,
    layer_name: str | None = None,
    encoding: str | None = None,
    source: str | None = None,
) -> StreetTables:
    """
    Read a layer of centre lines and join them to a network.

    Lines are joined at every vertex they share, ends and vertices on the way alike; vertices within 1 mm of each
    other (1e-8 degrees in a geographic CRS) are one. Lines on different levels, see `level_column`, are joined only
    where a line that leaves the ground ends.

    Parameters
    ----------
    layer
        LineStrings or MultiLineStrings in any CRS, or the path of a GeoPackage, shapefile, GeoJSON, FlatGeobuf or
        GeoParquet file of such. Third coordinates are left out.
    class_column
        Column of road classes: OSM words, Chinese and English words of ``data/centerlines.toml`` (快速路, 主干路,
        次干路, 支路, 高速公路, 国道...), AutoNavi's ROADCLASS codes, and what `classes` adds.
    classes
        Value of that column -> OSM highway class; goes before the built-in words. ``ferry`` stands for route=ferry.
    oneway_column
        Column of directions of travel as drawn: yes / no / -1, 1 / 0, T / F, FT / TF / B / N, F / T / B, 单向, 双向,
        正向, 反向... All values must belong to one coding; an empty one is two-way.
    speed_column
        Column of speeds in km/h, or texts such as "40 mph"; they become maxspeed.
    name_column
        Column of street names.
    level_column
        Column of numbers, or words such as 高架: lines on different levels do not meet where they cross. 0 and empty
        values are the ground.
    bridge_column, tunnel_column
        Columns that mark bridges and tunnels. Without a level, these meet lines not marked alike at their own ends
        only, and no crossing of theirs is a junction.
    split_crossings
        Join lines also where they cross, and where one has a vertex on another between that one's vertices, if they
        lie on one level or the line that ends there ends on the ground. Needed for layers drawn without any regard
        to junctions.
    tolerance_m
        Join an end that no other line shares to the nearest other line within so many metres, 0 to 100: to the nearer
        vertex of the segment it is nearest to if that is within the tolerance, else to the nearest point. Ends that
        stand out beyond a crossing by no more than that are reported and left.
    default_class
        OSM highway class of lines without class or with a value that is not known. ``road``, a road of unknown class,
        by default.
    layer_name, encoding
        Which layer of a file to read, and the encoding of its texts, where the file does not say.
    source
        What to call the layer in messages; the file's name by default.

    Returns
    -------
    The streets. Row ``i`` of the layer, counted from 0, is way ``i + 1``, and so are all parts of a MultiLineString:
    ``layer.iloc[way_id - 1]`` are the rows of ways. Nodes are numbered from west to east. Findings are in `issues`,
    with row labels as samples: CG-LINE-010 to CG-LINE-027.

    Raises
    ------
    FileError, FileFormatError, UnsafeInputError
        As `read_layer` does.
    CRSError
        CG-CRS-001 no CRS, CG-LINE-001 a CRS without a place on Earth.
    GeometryError
        CG-LINE-002 coordinates that the CRS does not know, CG-LINE-006 no line at all.
    InputError
        CG-IN-001 no rows, CG-IN-004 a tolerance or class that is none, CG-IN-005 no such column, CG-IN-007 no layer,
        CG-IN-008 a column twice, CG-LINE-003 one-way values, CG-LINE-004 levels, CG-LINE-005 speeds that cannot be
        read.

    Examples
    --------
    Two roads that cross without a common vertex, in metres.

    >>> lines = gpd.GeoSeries.from_wkt(["LINESTRING (0 0, 100 0)", "LINESTRING (50 -50, 50 50)"], crs=32650)
    >>> roads = gpd.GeoDataFrame({"等级": ["主干路", "支路"]}, geometry=lines)
    >>> read(roads, class_column="等级").node_id.size
    4
    >>> streets = read(roads, class_column="等级", split_crossings=True)
    >>> streets.node_id.size, streets.way_id.tolist(), [tags["highway"] for tags in streets.way_tags]
    (5, [1, 2], ['primary', 'tertiary'])
    """
    _require_tolerance(tolerance_m)
    issues = IssueLog()
    table, name = _layer(layer, source, issues, {"layer": layer_name, "encoding": encoding})
    columns = Columns(
        class_column, speed_column, oneway_column, name_column, level_column, bridge_column, tunnel_column, classes,
        default_class,
    )  # fmt: skip
    attributes = read_attributes(table, columns, name, issues)
    ground = Ground(table.crs, name)
    shapes, row = _lines(table, name, issues)
    levels = levels_of(attributes.level[row], attributes.is_bridge[row], attributes.is_tunnel[row])
    drawing = Drawing(shapes, levels, ground.near)
    if not drawing.line.size:  # none of them has any length
        raise error("CG-LINE-006", layer=name, count=len(table))
    work = _Work(name, table.index, row, drawing, ground, issues)
    has_levels = any(column is not None for column in (level_column, bridge_column, tunnel_column))
    _join(work, tolerance_m=tolerance_m, is_split=split_crossings, has_levels=has_levels)
    return _streets(work, attributes.tag_sets, attributes.tag_set)


def _require_tolerance(tolerance_m: Any) -> None:
    is_number = isinstance(tolerance_m, int | float | np.number) and not isinstance(tolerance_m, bool)
    if not is_number or not 0.0 <= tolerance_m <= MAX_TOLERANCE_M:
        rule = f"It must be a number from 0 to {MAX_TOLERANCE_M:g}."
        hint = "Give the widest gap between lines that should meet, in metres; 0 closes none."
        raise error("CG-IN-004", argument="tolerance_m", value=tolerance_m, rule=rule, hint=hint)


def _layer(
    layer: gpd.GeoDataFrame | str | Path, source: str | None, issues: IssueLog, options: Mapping[str, Any]
) -> tuple[gpd.GeoDataFrame, str]:
    """Return a layer with rows, geometry and a CRS, and what to call it."""
    if isinstance(layer, str | Path):
        name = Path(layer).name if source is None else source
        layer = read_layer(layer, issues=issues, **options)
    else:
        name = "lines" if source is None else source
    if not isinstance(layer, gpd.GeoDataFrame) or layer.active_geometry_name is None:
        raise error("CG-IN-007", layer=name, kind=type(layer).__name__)
    if len(layer) == 0:
        raise error("CG-IN-001", layer=name)
    if layer.crs is None:
        xmin, ymin, xmax, ymax = (f"{value:.5g}" for value in layer.total_bounds)
        raise error("CG-CRS-001", layer=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    return layer, name


def _lines(
    table: gpd.GeoDataFrame, name: str, issues: IssueLog
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the lines and their rows; rows that are no lines are left out and counted."""
    shapes = table.geometry.to_numpy()
    is_line = np.isin(shapely.get_type_id(shapes), _LINES) & ~shapely.is_empty(shapes)
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    is_line[row[~np.isfinite(xy).all(axis=1)]] = False
    left_out = np.flatnonzero(~is_line)
    kinds = table.geometry.iloc[left_out].geom_type.fillna("none").value_counts()
    issues.add(
        "CG-LINE-010", count=left_out.size, sample=table.index[left_out], layer=name,
        kinds=", ".join(f"{kind} {many}" for kind, many in kinds.items()),
    )  # fmt: skip
    if not is_line.any():
        raise error("CG-LINE-006", layer=name, count=len(table))
    rows = np.flatnonzero(is_line)
    lines, part_of = shapely.get_parts(shapes[rows], return_index=True)
    return lines, rows[part_of]


def _join(work: _Work, *, tolerance_m: float, is_split: bool, has_levels: bool) -> None:
    """Do what was asked for, and report it."""
    drawing = work.drawing
    _report_lost(work)
    drawn = np.unique(drawing.line)
    crossed = split_crossings(drawing) if is_split else None
    if tolerance_m > 0:
        closed = close_gaps(drawing, work.ground, tolerance_m)
        work.issues.add(
            "CG-LINE-014", count=closed.n_ends, sample=work.labels_of(closed.lines), layer=work.name,
            tolerance_m=tolerance_m, longest_m=f"{closed.longest_m:.2f}",
        )  # fmt: skip
        work.issues.add(
            "CG-LINE-015", count=closed.lines_over.size, sample=work.labels_of(closed.lines_over), layer=work.name,
            tolerance_m=tolerance_m,
        )  # fmt: skip
        if is_split and closed.is_moved.any():
            split_crossings(drawing, closed.is_moved)
    if crossed is not None:
        _report_crossings(work, crossed, has_levels=has_levels)
    elif tolerance_m == 0:
        _report_touching_ends(work)
    lost = np.setdiff1d(drawn, drawing.line)
    work.issues.add(
        "CG-LINE-018", count=lost.size, sample=work.labels_of(lost), layer=work.name, tolerance_m=tolerance_m
    )


def _report_lost(work: _Work) -> None:
    """Report lines without length."""
    lost = np.setdiff1d(np.arange(work.row.size), work.drawing.line)
    work.issues.add("CG-LINE-011", count=lost.size, sample=work.labels_of(lost), layer=work.name)


def _report_crossings(work: _Work, crossed: Crossed, *, has_levels: bool) -> None:
    if not has_levels:
        work.issues.add("CG-LINE-027", count=crossed.places.size, layer=work.name)
    work.issues.add(
        "CG-LINE-012", count=crossed.places.size, sample=work.labels_of(crossed.lines), layer=work.name,
        lines=crossed.lines.size,
    )  # fmt: skip
    work.issues.add(
        "CG-LINE-013", count=crossed.n_apart, sample=work.labels_of(crossed.lines_apart), layer=work.name
    )


def _report_touching_ends(work: _Work) -> None:
    """Report ends that lie on another line but between its vertices, where nothing joins them."""
    drawing = work.drawing
    is_end = drawing.is_start | drawing.is_stop
    vertex = np.flatnonzero(is_end & (nodes_of(drawing).uses() == 1))
    points = shapely.points(drawing.place_xy[drawing.place[vertex]])
    first = np.flatnonzero(drawing.is_start)
    lines = shapely.linestrings(drawing.place_xy[drawing.place], indices=_ranks(drawing.line))
    tree = shapely.STRtree(list(np.atleast_1d(np.asarray(lines, object))))
    end, other = tree.query(points, predicate="dwithin", distance=drawing.touch)
    line, other = drawing.line[vertex[end]], drawing.line[first[other]]
    is_touching = (line != other) & meets(drawing, line, other, np.ones(line.size, np.bool_))
    touching = np.unique(end[is_touching])
    sample = work.labels_of(drawing.line[vertex[touching]])
    work.issues.add("CG-LINE-016", count=touching.size, sample=sample, layer=work.name)


def _ranks(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber sorted numbers without gaps."""
    return np.cumsum(np.diff(number, prepend=number[:1]) != 0)


def _report_joined(work: _Work, nodes: Nodes) -> None:
    """Report what lies apart at shared vertices, what is drawn twice, and how much was joined in the end."""
    drawing, issues, name = work.drawing, work.issues, work.name
    n_apart, lines, lines_ending = apart_at_vertices(drawing, nodes)
    issues.add(
        "CG-LINE-017", count=n_apart, sample=work.labels_of(lines), layer=name, lines=lines.size,
        ending=lines_ending.size,
    )  # fmt: skip
    is_again = drawn_twice(drawing, nodes)
    again = np.flatnonzero(is_again)
    issues.add("CG-LINE-019", count=again.size, sample=work.labels_of(again), layer=name)
    vertex, lines = stretches_twice(drawing, nodes, is_again)
    start, stop = (drawing.place_xy[drawing.place[vertex + step]] for step in (0, 1))
    metres = np.hypot(*((stop - start) * work.ground.metres_per_unit(start)).T).sum()
    issues.add(
        "CG-LINE-025", count=vertex.size, sample=work.labels_of(lines), layer=name, metres=f"{metres:.1f}"
    )
    is_end = drawing.is_start | drawing.is_stop
    is_loose = is_end & (nodes.uses() == 1)
    ends_and_joints = np.unique(nodes.of_vertex[is_end | (nodes.uses() > 1)]).size
    issues.add(
        "CG-LINE-026", count=np.unique(drawing.line).size, layer=name, nodes=ends_and_joints,
        loose=int(is_loose.sum()),
    )  # fmt: skip


def _streets(work: _Work, tag_sets: list[dict[str, str]], tag_set: NDArray[np.int32]) -> StreetTables:
    """Make the tables, with nodes from west to east."""
    drawing = work.drawing
    nodes = nodes_of(drawing)
    _report_joined(work, nodes)
    place_lonlat = _lonlat(work, nodes)
    first = np.flatnonzero(drawing.is_start)
    row = work.row[drawing.line[first]]
    return StreetTables(
        node_id=np.arange(1, nodes.place.size + 1),
        node_lonlat=place_lonlat,
        way_id=row + 1,
        way_start=np.append(first, drawing.place.size),
        way_node=nodes.of_vertex,
        tag_sets=tag_sets,
        way_tag_set=tag_set[row],
        node_tag_set=np.full(nodes.place.size, NO_TAGS, np.int32),
        source=work.name,
        issues=work.issues,
    )


def _lonlat(work: _Work, nodes: Nodes) -> NDArray[np.float64]:
    """Return where nodes are on the globe, or say which rows cannot be."""
    lonlat = work.ground.lonlat(work.drawing.place_xy[nodes.place])
    is_usable = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat[:, 1]) <= 90.0)
    if not is_usable.all():
        rows = work.labels_of(work.drawing.line[~is_usable[nodes.of_vertex]])
        raise error(
            "CG-LINE-002", layer=work.name, count=int((~is_usable).sum()),
            sample=", ".join(str(label) for label in rows[:5]),
        )  # fmt: skip
    return lonlat
