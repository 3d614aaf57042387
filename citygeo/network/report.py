"""How fit a network is, and its tables for other tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from citygeo import datum
from citygeo.network.build import CLOSED

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from citygeo.network import RoadNetwork


@dataclass(frozen=True)
class NetworkReport:
    """
    Fitness of a network before anyone trusts a number from it.

    Attributes
    ----------
    table
        One row per figure: value, unit, what it means in English and Chinese.
    components
        One row per connected part, largest first: nodes, edges, km.
    speeds
        One row per highway class: km, share of the length whose speed was imputed, mean km/h.
    issues
        What was found while building.
    """

    table: pd.DataFrame
    components: pd.DataFrame
    speeds: pd.DataFrame
    issues: pd.DataFrame

    def __str__(self) -> str:
        rows = [
            f"{row.meaning} {row.meaning_zh}: {row.value:,.6g} {row.unit}".rstrip()
            for row in self.table.itertuples()
        ]
        return "\n".join(rows)

    def _repr_html_(self) -> str:
        return self.table.to_html(escape=True, border=0)


def make_report(network: RoadNetwork) -> NetworkReport:
    """Compute the report; see `RoadNetwork.report`."""
    import pandas as pd

    length_km = network.length_m / 1000
    total_km = float(length_km.sum())
    components, strong_km = _components(network), _outside_strong_km(network)
    degree = np.bincount(network.arrays["edge_node"].ravel(), minlength=network.n_nodes)
    imputed_km = float(length_km[network.arrays["edge_is_imputed"].astype(bool)].sum())
    outside_km = float(components["km"].iloc[1:].sum())
    rows = [
        ("nodes", network.n_nodes, "", "Junctions and ends", "节点"),
        ("edges", network.n_edges, "", "Street pieces between them", "路段"),
        ("length", total_km, "km", "Length of streets", "道路长度"),
        ("components", len(components), "", "Connected parts", "连通分量"),
        ("outside_main", outside_km, "km", "Streets outside the main part", "主连通分量之外的道路"),
        ("outside_main_share", 100 * outside_km / total_km, "%", "Share of them", "其占比"),
        (
            "outside_strong",
            strong_km,
            "km",
            "Streets that cannot be both reached and left",
            "不能双向到达的道路",
        ),
        ("dead_ends", int((degree == 1).sum()), "", "Dead ends", "断头路端点"),
        (
            "imputed_speed_share",
            100 * imputed_km / total_km,
            "%",
            "Length with an assumed speed",
            "速度为推定值的道路占比",
        ),
    ]
    table = pd.DataFrame(rows, columns=["figure", "value", "unit", "meaning", "meaning_zh"]).set_index(
        "figure"
    )
    return NetworkReport(table, components, _speeds(network), network.log.table())


def _components(network: RoadNetwork) -> pd.DataFrame:
    import pandas as pd

    edge_part = network.components[network.arrays["edge_node"][:, 0].astype(np.int64)]
    n = int(network.components.max()) + 1
    return pd.DataFrame(
        {
            "nodes": np.bincount(network.components, minlength=n),
            "edges": np.bincount(edge_part, minlength=n),
            "km": np.bincount(edge_part, network.length_m / 1000, minlength=n),
        }
    ).rename_axis("component")


def _outside_strong_km(network: RoadNetwork) -> float:
    """Return the length of edges with an end outside the largest strongly connected part."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    graph = network.graph("from")
    heads = graph.arc[:, 0].astype(np.int64)
    joined = csr_array(
        (np.ones(heads.size, np.uint8), heads, graph.start.astype(np.int64)), shape=(network.n_nodes,) * 2
    )
    _, label = connected_components(joined, connection="strong")
    is_in = label == np.bincount(label).argmax()
    return float(
        network.length_m[~is_in[network.arrays["edge_node"].astype(np.int64)].all(axis=1)].sum() / 1000
    )


def _speeds(network: RoadNetwork) -> pd.DataFrame:
    import pandas as pd

    along = np.where(network.arrays["edge_along_ms"] == CLOSED, np.inf, network.arrays["edge_along_ms"])
    against = np.where(network.arrays["edge_against_ms"] == CLOSED, np.inf, network.arrays["edge_against_ms"])
    edges = pd.DataFrame(
        {
            "highway": network.highway,
            "km": network.length_m / 1000,
            "imputed_km": network.length_m / 1000 * network.arrays["edge_is_imputed"].astype(float),
            "hours": np.minimum(along, against) / 3_600_000,
        }
    )
    by_class = edges.groupby("highway").sum()
    return pd.DataFrame(
        {
            "km": by_class["km"],
            "imputed_share": by_class["imputed_km"] / by_class["km"],
            "mean_kmh": by_class["km"] / by_class["hours"],
        }
    ).sort_values("km", ascending=False)


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
    edge = (network.graph("from").edge >> 1).astype(np.int64)
    is_against = (network.graph("from").edge & 1).astype(bool)
    ends = network.arrays["edge_node"].astype(np.int64)[edge]
    u, v = np.where(is_against[:, None], ends[:, ::-1], ends).T
    lines = network.lines_lonlat[edge]
    lines[is_against] = shapely.reverse(lines[is_against])
    words = np.array(network.words, object)
    times = network.edge_times("from")
    ms = np.where(is_against, times.against_ms[edge], times.along_ms[edge])
    data = {
        "u": node_id[u], "v": node_id[v],
        "osmid": network.arrays["edge_way_id"][edge],
        "highway": network.highway[edge],
        "name": words[network.arrays["edge_name"][edge].astype(np.int64)],
        "oneway": (times.along_ms[edge] == CLOSED) | (times.against_ms[edge] == CLOSED),
        "length_m": network.length_m[edge],
        "time_s": ms / 1000,
    }  # fmt: skip
    edges = gpd.GeoDataFrame(data, geometry=lines, crs=datum.WGS84)
    edges.insert(2, "key", edges.groupby(["u", "v"]).cumcount())
    return nodes, edges.set_index(["u", "v", "key"])
