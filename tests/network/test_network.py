"""The network object: what is frozen, turned, told and handed to other tools."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from citygeo.network import CLOSED, RoadNetwork
from citygeo.network.base import least_joined
from tests.toy import (
    EQUATOR_M_PER_DEGREE,
    ONEWAY,
    STREET,
    edge_between,
    grid_city,
    network,
    toy_mode,
    write_pbf,
)

NODES = {1: (0, 0), 2: (1000, 0), 3: (1000, 500), 4: (5000, 0), 5: (5000, 300)}
WAYS = [((1, 2), {**STREET, "name": "Laugavegur"}), ((2, 3), ONEWAY), ((4, 5), STREET)]


@pytest.fixture
def net():
    return network(NODES, WAYS)


def test_arrays_are_read_only(net):
    for array in net.arrays.values():
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[:1] = 0


def test_building_does_not_freeze_the_callers_arrays():
    mine = np.zeros(3)
    RoadNetwork({"node_id": mine}, toy_mode(), {"name": "x", "sha256": ""})
    mine[0] = 1  # a frozen one would raise


def test_counts_and_repr(net):
    assert (net.n_nodes, net.n_edges, net.n_arcs) == (5, 3, 5)
    assert repr(net) == "<RoadNetwork toy: 5 nodes, 3 edges, 5 arcs, 2 km, 2 components, from toy>"


def test_components_count_from_the_largest(net):
    ids = net.arrays["node_id"].tolist()
    assert {node: int(net.components[i]) for i, node in enumerate(ids)} == {1: 0, 2: 0, 3: 0, 4: 1, 5: 1}


def test_bounds_are_the_streets(net):
    west, south, east, north = net.bounds
    assert (west, south) == (3.0, 0.0)
    assert east == pytest.approx(3 + 5000 / EQUATOR_M_PER_DEGREE, abs=1e-8)
    assert north == pytest.approx(500 / 110574.2758, abs=1e-8)
    assert net.metric_crs.to_epsg() == 32631


def test_reversed_swaps_the_directions_and_back(net):
    turned = net.reversed()
    edge = edge_between(net, 2, 3)
    assert (net.arrays["edge_along_ms"][edge], net.arrays["edge_against_ms"][edge]) == (50_000, CLOSED)
    assert (turned.arrays["edge_along_ms"][edge], turned.arrays["edge_against_ms"][edge]) == (CLOSED, 50_000)
    for one, two in ((net.graph("from"), turned.graph("to")), (net.graph("to"), turned.graph("from"))):
        for mine, theirs in zip(one, two, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    again = turned.reversed()
    assert all(np.array_equal(again.arrays[name], array) for name, array in net.arrays.items())
    assert not turned.arrays["edge_along_ms"].flags.writeable


def test_tables_follow_osmnx(net):
    nodes, edges = net.to_gdfs()
    assert (nodes.index.name, nodes.crs, edges.crs) == ("osmid", "EPSG:4326", "EPSG:4326")
    assert edges.index.names == ["u", "v", "key"]
    assert edges.index.is_unique
    assert sorted(edges.index.tolist()) == [(1, 2, 0), (2, 1, 0), (2, 3, 0), (4, 5, 0), (5, 4, 0)]
    assert list(edges.columns) == [
        "osmid",
        "highway",
        "name",
        "oneway",
        "length_m",
        "time_s",
        "delay_s",
        "geometry",
    ]
    one = edges.loc[(2, 1, 0)]
    assert (one["osmid"], one["highway"], one["name"], one["oneway"]) == (
        1,
        "residential",
        "Laugavegur",
        False,
    )
    assert one["length_m"] == pytest.approx(1000, abs=1e-6)
    assert one["time_s"] == 100.0
    assert edges.loc[(2, 3, 0), "oneway"]
    for (u, v, _), line in edges.geometry.items():
        assert shapely.get_point(line, 0).equals(nodes.geometry[u])
        assert shapely.get_point(line, -1).equals(nodes.geometry[v])
    assert nodes.loc[1, ["x", "y"]].tolist() == [3.0, 0.0]


def test_tables_number_parallel_edges_and_loops():
    nodes = {1: (0, 0), 2: (100, 0), 3: (50, 50), 4: (0, 90), 5: (100, 90), 6: (150, 50)}
    ways = [((1, 2), STREET), ((1, 3, 2), STREET), ((1, 4), STREET), ((2, 5), STREET), ((2, 6, 2), STREET)]
    _, edges = network(nodes, ways).to_gdfs()
    keys = sorted(edges.index.tolist())
    assert [key for key in keys if key[:2] == (1, 2)] == [(1, 2, 0), (1, 2, 1)]
    assert (2, 2, 0) in keys
    assert edges.index.is_unique


def test_lines_are_as_long_as_the_edges():
    net = grid_city(4)
    # the middle of a UTM zone is drawn 0.04 % too short
    np.testing.assert_allclose(shapely.length(net.lines_metric), net.length_m * 0.9996, rtol=1e-6)
    assert isinstance(gpd.GeoSeries(net.lines_lonlat, crs=4326), gpd.GeoSeries)


def test_grid_city_has_its_closed_form():
    net = grid_city(6, spacing_m=100, kmh=36)
    assert net.length_m.sum() == pytest.approx(2 * 7 * 600, abs=1e-3)
    assert net.n_nodes == 49 - 4  # corners are not junctions
    assert sorted(set(net.arrays["edge_along_ms"].tolist())) == [10_000, 20_000]


def test_from_osm_reads_and_builds(tmp_path):
    path = write_pbf(tmp_path / "city.osm.pbf", NODES, WAYS, [((("w", 1, "outer"),), {"type": "site"})])
    net = RoadNetwork.from_osm(path, toy_mode())
    assert net.source["name"] == "city.osm.pbf"
    assert len(net.source["sha256"]) == 64
    assert (net.n_nodes, net.n_edges, net.n_arcs) == (5, 3, 5)
    # nodes are stored to 1e-7 degrees, so 1000 m are 6 mm off at most
    times = net.arrays["edge_along_ms"][[edge_between(net, 1, 2), edge_between(net, 2, 3)]]
    np.testing.assert_allclose(times.astype(int), [100_000, 50_000], atol=2)
    assert RoadNetwork.from_osm(str(path), "drive").mode.name == "drive"


@given(st.integers(1, 30), st.data())
def test_connected_parts_equal_scipy(n, data):
    node = st.integers(0, n - 1)
    edges = np.array(data.draw(st.lists(st.tuples(node, node), max_size=40)), np.int64).reshape(-1, 2)
    least = least_joined(*edges.T, n)
    graph = coo_array((np.ones(len(edges)), tuple(edges.T)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    assert least.tolist() == [int(np.flatnonzero(label == part)[0]) for part in label]
