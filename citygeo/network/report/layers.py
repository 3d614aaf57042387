"""The report as layers that open in QGIS: suspicious places, all edges, dead ends, given points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo import datum
from citygeo.network.report.connection import LINKS, NONE, Connection
from citygeo.network.report.examine import PROBLEMS, Found
from citygeo.network.report.flaws import Spots, spots
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork

LOW_IS_STRIKING = ("undershoot", "slow")


def place_table(network: RoadNetwork, found: Found, snaps: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Return the places of a `NetworkReport`, in the order of `PROBLEMS`, the most striking of each first."""
    import geopandas as gpd
    import pandas as pd

    parts = []
    for problem, rows in found.spots.items():
        order = np.argsort(rows.value if problem in LOW_IS_STRIKING else -rows.value, kind="stable")
        ordered = rows.take(order)
        parts.append(_places(network, problem, ordered, _points(network, ordered)))
    if snaps is not None:
        off = snaps[(snaps["status"] == "not_snapped").to_numpy()]
        off = off.sort_values("snap_distance_m", ascending=False, kind="stable")
        rows = spots(np.full(len(off), NONE), off["snap_distance_m"])
        parts.append(
            _places(network, "unsnapped", rows, off.geometry.to_numpy()).assign(
                name=list(map(str, off.index))
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=datum.WGS84)


def _places(network: RoadNetwork, problem: str, rows: Spots, points: NDArray[np.object_]) -> pd.DataFrame:
    """Return the columns of places of one problem."""
    import pandas as pd

    text, edge = PROBLEMS[problem], rows.edge
    way_id, has_edge = network.arrays["edge_way_id"], edge != NONE
    columns = {
        "problem": problem,
        "problem_zh": text.zh,
        "value": rows.value,
        "unit": text.unit,
        "edge": _whole(edge, has_edge),
        "other_edge": _whole(rows.other, rows.other != NONE),
        "node": _whole(network.arrays["node_id"][rows.node], rows.node != NONE),
        "way_id": _whole(way_id[edge], has_edge),
        "other_way_id": _whole(way_id[rows.other], rows.other != NONE),
        "highway": np.where(has_edge, network.highway[edge], ""),
        "name": np.where(has_edge, _names(network)[edge], ""),
        "geometry": points,
    }
    return pd.DataFrame(columns, index=range(edge.size))


def _points(network: RoadNetwork, rows: Spots) -> NDArray[np.object_]:
    """Return the place of each spot: its node, else the middle of its edge."""
    import shapely

    has_node = rows.node != NONE
    points = np.empty(rows.edge.size, object)
    points[has_node] = shapely.points(network.node_lonlat[rows.node[has_node]])
    lines = network.lines_lonlat[rows.edge[~has_node]]
    points[~has_node] = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    return points


def _whole(values: Any, is_known: NDArray[np.bool_]) -> pd.Series[int]:
    import pandas as pd

    return pd.Series(values, dtype="Int64").where(pd.Series(is_known))


def _names(network: RoadNetwork) -> NDArray[np.object_]:
    return np.array(network.words, object)[network.arrays["edge_name"].astype(np.int64)]


def edge_table(network: RoadNetwork, found: Found) -> gpd.GeoDataFrame:
    """Return the edges of a `NetworkReport`."""
    import geopandas as gpd

    ms = np.column_stack((network.arrays["edge_along_ms"], network.arrays["edge_against_ms"])).astype(
        np.float64
    )
    ms[ms == CLOSED] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        kmh = network.length_m[:, None] / ms * 3600
    problems = np.full(network.n_edges, "", object)
    for problem in sorted(found.spots.keys() - set(LINKS)):
        at = np.unique(found.spots[problem].edge)
        problems[at] += np.where(problems[at] == "", problem, ", " + problem)
    columns = {
        "way_id": network.arrays["edge_way_id"],
        "highway": network.highway,
        "name": _names(network),
        "length_m": network.length_m,
        "kmh_along": kmh[:, 0],
        "kmh_against": kmh[:, 1],
        "is_imputed": network.arrays["edge_is_imputed"].astype(np.bool_),
        "link": np.array([*LINKS, "closed"], object)[found.parts.edge_link],
        "component": found.parts.edge_weak,
        "place": _place_of(found),
        "problems": problems,
    }
    lines = gpd.GeoDataFrame(columns, geometry=network.lines_lonlat, crs=datum.WGS84)
    return lines.rename_axis("edge")


def _place_of(found: Found) -> pd.Series[int]:
    """Return the row of `place_table` that each edge outside the main part belongs to."""
    parts = found.parts
    first = np.cumsum([0, *(len(found.spots[link].edge) for link in list(PROBLEMS)[:2])])
    offset = dict(zip(list(PROBLEMS)[:3], first.tolist(), strict=True))
    start = np.array([offset.get(link, 0) for link in (*LINKS, "")])
    return _whole(start[parts.edge_link] + parts.edge_spot, parts.edge_spot != NONE)


def dead_end_table(network: RoadNetwork, found: Found) -> gpd.GeoDataFrame:
    """Return the dead ends of a `NetworkReport`."""
    import geopandas as gpd
    import shapely

    columns = {
        "node": network.arrays["node_id"][found.dead_node],
        "way_id": network.arrays["edge_way_id"][found.dead_edge],
        "highway": network.highway[found.dead_edge],
        "name": _names(network)[found.dead_edge],
    }
    places = shapely.points(network.node_lonlat[found.dead_node])
    return gpd.GeoDataFrame(columns, geometry=places, crs=datum.WGS84)


def snap_table(
    network: RoadNetwork, parts: Connection, points: gpd.GeoDataFrame, max_snap_m: float, log: IssueLog
) -> gpd.GeoDataFrame:
    """
    Put points on the network; the snaps of a `NetworkReport`.

    Raises
    ------
    CitygeoError
        As `make_report` lists them.
    """
    import geopandas as gpd
    import pyproj

    from citygeo.network.snap import require_axes, snap_points

    datum.require_layer(points, "points")
    given = datum.representative_points(points)
    snaps = snap_points(network, given, points.crs, max_snap_m=max_snap_m)
    if not snaps.is_on.any():
        require_axes(network, given, points.crs, "points")
    edge, is_on = snaps.edge, snaps.edge >= 0
    to_lonlat = pyproj.Transformer.from_crs(network.metric_crs, datum.WGS84, always_xy=True)
    road = np.full((len(points), 2), np.nan)
    road[is_on] = np.column_stack(to_lonlat.transform(*snaps.xy[is_on].T))
    link = np.array([*LINKS, ""], object)[np.where(is_on, parts.edge_link[edge], NONE)]
    is_apart = is_on & (parts.edge_weak[edge] > 0)
    far, empty = snaps.status == "not_snapped", snaps.status == "no_geometry"
    label = points.index
    log.add("CG-NET-013", count=int(far.sum()), sample=label[far], total=len(points), layer="points",
            max_snap_m=f"{max_snap_m:g}")  # fmt: skip
    log.add("CG-GEO-002", count=int(empty.sum()), sample=label[empty], layer="points")
    log.add("CG-NET-011", count=int(is_apart.sum()), sample=label[is_apart], layer="points")
    columns = {
        "edge": edge, "snap_distance_m": snaps.distance_m, "status": snaps.status, "link": link,
        "road_lon": road[:, 0], "road_lat": road[:, 1],
    }  # fmt: skip
    table = gpd.GeoDataFrame(columns, index=label, geometry=given, crs=points.crs)
    return table.to_crs(datum.WGS84)
