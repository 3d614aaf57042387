"""A network as tables for other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo import datum
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    import geopandas as gpd

    from citygeo.network import RoadNetwork


def nodes_and_edges(network: RoadNetwork) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the tables of `RoadNetwork.to_gdfs`."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    node_id = network.arrays["node_id"].astype(np.int64)
    lon, lat = network.node_lonlat.T
    nodes = gpd.GeoDataFrame(
        {"x": lon, "y": lat},
        geometry=shapely.points(lon, lat),
        crs=datum.WGS84,
        index=pd.Index(node_id, name="osmid"),
    )
    arcs = network.open_arcs()
    edge, is_against = arcs.code >> 1, (arcs.code & 1).astype(bool)
    lines = network.lines_lonlat[edge]
    lines[is_against] = shapely.reverse(lines[is_against])
    words = np.array(network.words, object)
    view = network.edge_view("from")
    ms = np.where(is_against, view.against_ms[edge], view.along_ms[edge])
    data = {
        "u": node_id[arcs.tail], "v": node_id[arcs.head],
        "osmid": network.arrays["edge_way_id"][edge],
        "highway": network.highway[edge],
        "name": words[network.arrays["edge_name"][edge].astype(np.int64)],
        "oneway": (view.along_ms[edge] == CLOSED) | (view.against_ms[edge] == CLOSED),
        "length_m": network.length_m[edge],
        "time_s": ms / 1000,
        "delay_s": view.leave_ms.ravel()[arcs.code] / 1000,
    }  # fmt: skip
    edges = gpd.GeoDataFrame(data, geometry=lines, crs=datum.WGS84)
    edges.insert(2, "key", edges.groupby(["u", "v"]).cumcount())
    return nodes, edges.set_index(["u", "v", "key"])
