"""Points that were put on a network: how far from a street, and on which streets they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from citygeo.viz.layers.fitness import LINKS, MAX_POINTS, meaning
from citygeo.viz.layers.layer import Entry, Layer, Tips, placed
from citygeo.viz.text import MISSING, REASONS, Label, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from citygeo.issues import IssueLog
    from citygeo.network.report.examine import Problem

SNAPPED = (
    (Label("on the network", "已接入路网"), {"color": "#ffffff", "weight": 1.2, "fillColor": "#475569"}),
    (
        Label("without way there and back", "不能往返"),
        {"color": "#475569", "weight": 2, "fillColor": "#ffffff"},
    ),
    (
        Label("too far from any street", "离路网过远"),
        {"color": "#c81e4a", "weight": 2, "fillColor": "#ffffff"},
    ),
)


def snap_lines(snaps: gpd.GeoDataFrame) -> Layer:
    """
    Return the stretch from each point to its place on the road.

    Parameters
    ----------
    snaps
        Points with road_lon, road_lat (NaN where not on the network).
    """
    rows = placed(snaps[snaps["road_lon"].notna()], "points")
    ends = np.stack(
        (shapely.get_coordinates(rows.geometry), rows[["road_lon", "road_lat"]].to_numpy()), axis=1
    )
    return Layer(
        key="snap-lines",
        name=Label("From point to road", "点到道路的连线"),
        kind="lines",
        shapes=np.array([shapely.multilinestrings(list(ends))], object) if len(rows) else np.empty(0, object),
        styles=({"color": "#475569", "weight": 1.6, "opacity": 1},),
        style_of=np.zeros(min(len(rows), 1), np.int64),
    )


def snap_points(snaps: gpd.GeoDataFrame, problems: Mapping[str, Problem], log: IssueLog) -> Layer:
    """
    Return the given points by how they stand on the network, the worst drawn last.

    Parameters
    ----------
    snaps
        snap_distance_m, status, link.
    problems
        What the links mean.
    log
        Told (CG-MAP-001) if only those farthest from a street are drawn.
    """
    rows = placed(snaps, "points")
    kind = np.select([rows["status"] != "ok", rows["link"] != "main"], [2, 1], 0)
    count = np.bincount(kind, minlength=len(SNAPPED))
    present = np.flatnonzero(count)
    if len(rows) > MAX_POINTS:
        log.add("CG-MAP-001", count=len(rows), layer=f"Given points 给定的点 (the {MAX_POINTS:,} farthest)")
    far = np.argsort(-rows["snap_distance_m"].to_numpy(), kind="stable")[:MAX_POINTS]
    order = far[np.argsort(kind[far], kind="stable")]
    fields = (
        Label("Status", "状态"),
        Label("To the nearest street", "距最近道路"),
        Label("Street", "所在道路"),
    )
    texts = [
        [
            f"#{row.Index}", str(REASONS.get(row.status, Label(str(row.status)))),
            f"{number(row.snap_distance_m, 1)} m", str(meaning(problems[row.link])) if row.link in LINKS else MISSING,
        ]
        for row in rows.iloc[order].itertuples()
    ]  # fmt: skip
    point = {"opacity": 1, "fillOpacity": 1, "radius": 4.5}
    return Layer(
        key="snap-points",
        name=Label("Given points", "给定的点"),
        kind="points",
        shapes=rows.geometry.to_numpy()[order],
        styles=tuple(SNAPPED[which][1] | point for which in present),
        style_of=np.searchsorted(present, kind[order]),
        legend=tuple(
            Entry(row, SNAPPED[which][0], number(int(count[which]))) for row, which in enumerate(present)
        ),
        tips=Tips(fields, texts),
    )
