"""
ObjectNat's engine IduEdu: numba searches between tables of pandas.

ObjectNat itself draws polygons around the same answers. Times are 32-bit floats, exact for whole numbers below 2**24,
so that milliseconds stand in its column of minutes.
"""

from __future__ import annotations

import geopandas as gpd
import iduedu
import numpy as np
import objectnat  # noqa: F401  # what a user of it imports
import shapely

from benchmarks.plain import UNREACHED


def build(graph, _side):
    """Tables of nodes and edges with geometries."""
    nodes = gpd.GeoDataFrame(geometry=shapely.points(graph.lonlat), crs="EPSG:4326")
    lines = shapely.linestrings(np.stack((graph.lonlat[graph.tail], graph.lonlat[graph.head]), axis=1))
    ms = graph.ms.astype(float)
    edges = gpd.GeoDataFrame(
        {"u": graph.tail, "v": graph.head, "length_meter": ms, "time_min": ms},
        geometry=lines,
        crs="EPSG:4326",
    )
    return iduedu.UrbanGraph(nodes, edges, is_multigraph=False, is_directed=True), graph.n


def nearest(built, facilities, k):
    """One search from all facilities, against the direction of travel."""
    assert k == 1
    return iduedu.multi_source_dijkstra_nearest_source(
        built[0], source_nodes=facilities.tolist(), reverse=True, dtype=np.float64
    )


def nearest_answer(built, made, facilities, k):
    """Only reached nodes are in its table."""
    ms, row = np.full((built[1], k), UNREACHED), np.full((built[1], k), -1)
    node = made.index.to_numpy(np.int64)
    ms[node, 0] = made["dist"].to_numpy(float)
    row[node, 0] = np.searchsorted(facilities, made["source_node"].to_numpy(np.int64))
    return ms, row
