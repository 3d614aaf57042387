"""By how many facilities each stretch of road is reached, and who is there first, second, third."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np

from citygeo.edgeparts import GAP, EdgeParts, cut_lines
from citygeo.reach import labels_at

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork


class Stretches(NamedTuple):
    """
    Stretches of edges over which depth and order of arrival stay the same, sorted by edge and place.

    Attributes
    ----------
    edge, share
        Edge of each, `(s,)`, and its low and high share, `(s, 2)`.
    depth
        By how many facilities it is reached, `(s,)`.
    row
        Rows of the facilities that come first, in order, `(s, k)`; -1 where fewer come.
    ms
        Their times at both ends, `(s, k, 2)`, linear between; NaN where fewer come.
    """

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    depth: NDArray[np.int64]
    row: NDArray[np.int64]
    ms: NDArray[np.float64]


def stretches(parts_of: list[EdgeParts], k: int) -> Stretches:
    """
    Lay the parts of all facilities over each other.

    Parameters
    ----------
    parts_of
        Reached parts of each facility.
    k
        How many of the first to arrive are told.
    """
    from citygeo._kernels import depth

    listed = [EdgeParts.none(), *parts_of]
    edge = np.concatenate([parts.edge for parts in listed])
    order = np.argsort(edge, kind="stable")  # leaves the rows of an edge in order
    row = np.repeat(np.arange(-1, len(parts_of)), [len(parts) for parts in listed])
    edge, row = edge[order], row[order]
    share = np.concatenate([parts.share for parts in listed])[order]
    ms = np.concatenate([parts.ms for parts in listed])[order]
    room = edge.size
    while True:
        out = Stretches(
            np.empty(room, np.int64), np.empty((room, 2)), np.empty(room, np.int64),
            np.empty((room, k), np.int64), np.empty((room, k, 2)),
        )  # fmt: skip
        n = depth.arrivals(edge, share, ms, row, GAP, k, *out)
        if n <= room:
            return Stretches(out.edge[:n], out.share[:n], out.depth[:n], out.row[:n], out.ms[:n])
        room = n


def arrivals(
    network: RoadNetwork, parts_of: list[EdgeParts], index: pd.Index[Any], crs: Any, k: int
) -> gpd.GeoDataFrame:
    """
    Return by how many facilities each stretch of road is reached, and the first `k` in order of arrival.

    Parameters
    ----------
    network
        The network.
    parts_of
        Reached parts of each facility.
    index
        Labels of the facilities.
    crs
        CRS of the lines.
    k
        How many of the first to arrive are told, at least 1.

    Returns
    -------
    One row per stretch, sorted by edge and place: edge, from_m and to_m along it, depth, and for each rank from 1
    to `k` facility_1 (label, missing where fewer arrive; among equally early ones the first), time_1_from_s and
    time_1_to_s (linear between, NaN where fewer arrive), ...; geometry (line).
    """
    found = stretches(parts_of, k)
    from_m, to_m = (found.share * network.length_m[found.edge][:, None]).T
    data: dict[str, Any] = {"edge": found.edge, "from_m": from_m, "to_m": to_m, "depth": found.depth}
    for i in range(k):
        data[f"facility_{i + 1}"] = labels_at(index, found.row[:, i])
        data[f"time_{i + 1}_from_s"] = found.ms[:, i, 0] / 1000
        data[f"time_{i + 1}_to_s"] = found.ms[:, i, 1] / 1000
    return gpd.GeoDataFrame(data, geometry=cut_lines(network, found.edge, found.share, crs), crs=crs)
