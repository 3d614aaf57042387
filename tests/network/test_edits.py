"""What-if networks: speeds, closed streets, new streets; the answers by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo.errors import CitygeoWarning, GeometryError, InputError, NetworkError, UnitError
from citygeo.network import CLOSED
from tests.toy import ONEWAY, STREET, edge_between, grid_city, lonlat, network, points, toy_mode

NODES = {1: (0, 0), 2: (1000, 0), 3: (2000, 0), 4: (1000, 800)}
PRIMARY = {"highway": "primary", "maxspeed": "72"}


def town(**more):
    return network(NODES, [((1, 2), PRIMARY), ((2, 3), ONEWAY), ((2, 4), STREET)], **more)


def seconds(net, start, stop):
    return cg.travel_times(net, points([start]), points([stop]))["time_s"].iloc[0]


def line(*places):
    return shapely.LineString([lonlat(*place) for place in places])


def square(west, south, east, north):
    return shapely.Polygon(
        [lonlat(*corner) for corner in ((west, south), (east, south), (east, north), (west, north))]
    )


def frozen_copy(net):
    return {name: array.copy() for name, array in net.arrays.items()}


def unchanged(net, before):
    return (
        all(np.array_equal(net.arrays[name], before[name]) for name in before)
        and net.arrays.keys() == before.keys()
    )


def test_speeds_by_factor_class_and_hour():
    net = town()
    before = frozen_copy(net)
    assert seconds(net, (500, 0), (1500, 0)) == pytest.approx(25 + 50)
    assert seconds(net.with_speeds(0.5), (500, 0), (1500, 0)) == pytest.approx(150.0)
    assert seconds(net.with_speeds({"primary": 0.25}), (500, 0), (1500, 0)) == pytest.approx(150.0)
    assert seconds(net.with_speeds({"primary": 0.25, "*": 2}), (500, 0), (1500, 0)) == pytest.approx(125.0)
    table = pd.DataFrame({8: [0.5, 1.0], 9: [1.0, 0.5]}, index=["primary", "residential"])
    assert seconds(net.with_speeds(table, hour=8), (500, 0), (1500, 0)) == pytest.approx(100.0)
    assert seconds(net.with_speeds(table, hour=9), (500, 0), (1500, 0)) == pytest.approx(125.0)
    assert unchanged(net, before)
    assert (net.with_speeds(1).arrays["forward_arc"] == net.arrays["forward_arc"]).all()


def test_only_assumed_speeds_change_if_asked():
    """The mode's own 36 km/h on the second kilometre; the first is posted."""
    net = network(
        {0: (0, 0), 1: (1000, 0), 2: (2000, 0)}, [((0, 1), STREET), ((1, 2), {"highway": "residential"})]
    )
    slow = net.with_speeds(0.5, assumed_only=True)
    assert seconds(slow, (0, 0), (1000, 0)) == pytest.approx(100.0)
    assert seconds(slow, (0, 0), (2000, 0)) == pytest.approx(300.0)
    assert "where assumed" in slow.source["name"]
    assert slow.source["sha256"] != net.with_speeds(0.5).source["sha256"]


def test_speeds_leave_topology_delays_and_closed_directions():
    mode = toy_mode(node_delay_s={"highway=traffic_signals": 20})
    net = town(mode=mode, node_tags={2: {"highway": "traffic_signals"}})
    slow = net.with_speeds(0.5)
    assert seconds(net, (500, 0), (1500, 0)) == pytest.approx(25 + 20 + 50)
    assert seconds(slow, (500, 0), (1500, 0)) == pytest.approx(50 + 20 + 100)
    assert slow.arrays["forward_start"] is net.arrays["forward_start"]
    one_way = edge_between(net, 2, 3)
    assert slow.arrays["edge_against_ms"][one_way] == CLOSED
    # both graphs tell the same
    arcs = slow.open_arcs()
    reverse = slow.graph("to")
    by_code = dict(zip(arcs.code.tolist(), arcs.ms.tolist(), strict=True))
    assert all(
        by_code[code ^ 1] == ms
        for code, ms in zip(reverse.edge.tolist(), reverse.arc[:, 1].tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("factor", "hour", "word"),
    [
        (0, None, "\\*=0"), (-1.5, None, "\\*=-1.5"), (float("nan"), None, "nan"), (float("inf"), None, "inf"),
        ({"canal": 0.5}, None, "canal"), ({"Main Street": 0.5}, None, "Main Street"), ("0.5", None, "0.5"),
        (None, None, "None"), ([1, 2], None, "1, 2"), ({"primary": "x"}, None, "primary=x"), ({}, None, "empty"),
        ({"primary": 0.5}, 8, "hour"), (pd.DataFrame({8: [1.0]}, index=["primary"]), 7, "hour"),
    ],
)  # fmt: skip
def test_factors_that_mean_nothing(factor, hour, word):
    with pytest.raises(InputError, match=f"CG-IN-004.*{word}"):
        town().with_speeds(factor, hour=hour)


def test_a_table_of_the_city_may_name_classes_that_are_not_here():
    net = network(NODES, [((1, 2), STREET)])
    assert net.with_speeds({"primary": 0.1}).arrays["edge_along_ms"].tolist() == [100_000]
    assert net.with_speeds(np.float32(0.5)).arrays["edge_along_ms"].tolist() == [200_000]


def test_too_slow_is_said():
    with pytest.raises(NetworkError, match="CG-NET-022"):
        town().with_speeds(1e-9)


def test_closed_edges_are_not_travelled_and_not_snapped_to():
    net = town()
    before = frozen_copy(net)
    closed = net.without([edge_between(net, 2, 3)])
    assert seconds(net, (500, 0), (1500, 0)) == pytest.approx(75.0)
    # the place beside the closed street is 500 m from the next one
    near = points([(1500, 0)])
    assert net.snap(near)["status"].tolist() == ["ok"]
    assert closed.snap(near)["status"].tolist() == ["not_snapped"]
    assert closed.snap(near)["snap_distance_m"].tolist() == pytest.approx([500.0], rel=1e-3)
    assert closed.n_edges == net.n_edges
    assert closed.is_open.tolist() == [edge != edge_between(net, 2, 3) for edge in range(3)]
    assert closed.n_arcs == net.n_arcs - 1
    mask = np.zeros(3, bool)
    mask[edge_between(net, 2, 3)] = True
    assert (net.without(mask).is_open == closed.is_open).all()
    assert unchanged(net, before)
    assert closed.source["sha256"] != net.source["sha256"]


@pytest.mark.parametrize("edges", [[3], [-1], [0.5], ["a"], [True, False]])
def test_edges_that_are_not_there(edges):
    with pytest.raises(InputError, match=r"CG-IN-004.*edges"):
        town().without(edges)


def test_one_of_edges_and_polygon():
    for arguments in ({}, {"edges": [0], "polygon": square(0, 0, 1, 1)}):
        with pytest.raises(InputError, match=r"CG-IN-004.*edges, polygon"):
            town().without(**arguments)


@pytest.mark.filterwarnings("ignore:CG-NET-011")
def test_a_polygon_closes_what_lies_inside_it_and_no_more():
    net = network(
        {1: (0, 0), 2: (2000, 0), 3: (0, 900), 4: (2000, 900)}, [((1, 2), STREET), ((3, 4), STREET)]
    )
    closed = net.without(polygon=square(800, -50, 1300, 50))
    assert closed.n_edges == 4
    open_m = closed.length_m[closed.is_open].sum()
    assert open_m == pytest.approx(2000 + 2000 - 500, rel=1e-4)
    assert closed.length_m.sum() == pytest.approx(net.length_m.sum(), rel=1e-12)
    assert seconds(closed, (100, 0), (799, 0)) == pytest.approx(69.9, abs=0.01)
    assert seconds(closed, (100, 0), (1400, 0)) == np.inf
    assert seconds(closed, (100, 900), (1400, 900)) == pytest.approx(130.0, rel=1e-3)
    layer = gpd.GeoDataFrame(geometry=[square(800, -50, 1300, 50)], crs=4326).to_crs(32631)
    assert (net.without(polygon=layer).arrays["edge_along_ms"] == closed.arrays["edge_along_ms"]).all()


def test_polygon_with_a_hole_and_one_beside_everything():
    net = network({1: (0, 0), 2: (2000, 0)}, [((1, 2), STREET)])
    ring = square(500, -50, 1500, 50) - square(900, -50, 1100, 50)
    closed = net.without(polygon=ring)
    assert closed.n_edges == 5
    assert closed.length_m[closed.is_open].sum() == pytest.approx(500 + 200 + 500, rel=1e-4)
    beside = net.without(polygon=square(5000, 5000, 6000, 6000))
    assert beside.n_edges == 1
    assert beside.is_open.all()
    all_of_it = net.without(polygon=square(-10, -10, 3000, 10))
    assert not all_of_it.is_open.any()


def test_no_polygon():
    for shape in (
        shapely.Point(0, 0),
        shapely.Polygon(),
        line((0, 0), (1, 1)),
        "abc",
        gpd.GeoSeries([], crs=4326),
    ):
        with pytest.raises(InputError, match=r"CG-IN-004.*polygon"):
            town().without(polygon=shape)


def test_closing_a_street_never_quickens_anybody():
    net = grid_city(4)
    rng = np.random.default_rng(3)
    spots = points([tuple(place) for place in rng.uniform(-200, 200, (15, 2))])
    before = cg.travel_times(net, spots, spots)
    shut = net.without(np.arange(0, net.n_edges, 4))
    # only places on streets that are still open: closing must not move a place to another street
    same = (shut.snap(spots)["edge"] == net.snap(spots)["edge"]).to_numpy()
    after = cg.travel_times(shut, spots[same], spots[same])["time_s"].to_numpy()
    kept = np.outer(same, same).ravel()
    assert (after >= before["time_s"].to_numpy()[kept]).all()
    assert (after > before["time_s"].to_numpy()[kept]).any()


def test_a_new_street_joins_the_middle_of_others():
    net = town()
    before = frozen_copy(net)
    # from the middle of 1-2 to the end of the side street
    lines = gpd.GeoDataFrame(
        {"highway": ["residential"], "speed": [36]},
        geometry=[line((500, 3), (500, 800), (997, 800))],
        crs=4326,
    )
    new = net.with_edges(lines, speed_column="speed")
    assert new.n_edges == net.n_edges + 2  # the street, and the far piece of the one it joins
    assert new.n_nodes == net.n_nodes + 1
    assert seconds(net, (400, 0), (1000, 700)) == pytest.approx(30 + 70, rel=1e-3)
    assert seconds(new, (400, 0), (500, 500)) == pytest.approx(5 + 50, rel=1e-3)
    assert seconds(new, (500, 700), (1000, 700)) == pytest.approx(10 + 50 + 10, rel=1e-3)
    assert unchanged(net, before)
    assert new.arrays["edge_way_id"].tolist()[-1] == -1
    assert new.length_m.sum() == pytest.approx(net.length_m.sum() + 800 + 500, rel=1e-3)
    # old numbers hold
    assert new.arrays["edge_way_id"][: net.n_edges].tolist() == net.arrays["edge_way_id"].tolist()


def test_new_streets_meet_each_other_and_keep_directions():
    lines = gpd.GeoDataFrame(
        {"highway": ["residential"] * 2, "oneway": [True, False]},
        geometry=[line((1000, 800), (1000, 1500)), line((1000, 1500), (2000, 1500))],
        crs=4326,
    )
    new = town().with_edges(lines, oneway_column="oneway")
    assert seconds(new, (1000, 700), (1500, 1500)) == pytest.approx((100 + 700 + 500) / 10, rel=1e-3)
    assert seconds(new, (1500, 1500), (1000, 700)) == np.inf
    assert new.arrays["edge_is_imputed"].tolist()[-2:] == [True, True]


def test_an_island_is_told():
    lines = gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[line((5000, 0), (6000, 0))], crs=4326)
    with pytest.warns(CitygeoWarning, match="CG-NET-055: 1 of 1 new streets"):
        new = town().with_edges(lines)
    assert new.log.table()["code"].tolist() == ["CG-NET-055"]
    assert new.components.max() == 1


@pytest.mark.filterwarnings("ignore:invalid value")
def test_new_streets_that_cannot_be():
    net = town()
    good = {"highway": ["residential"]}
    with pytest.raises(GeometryError, match="CG-GEO-010"):
        net.with_edges(gpd.GeoDataFrame(good, geometry=[shapely.Point(3, 0)], crs=4326))
    with pytest.raises(InputError, match=r"CG-IN-005.*highway"):
        net.with_edges(gpd.GeoDataFrame(geometry=[line((0, 0), (0, 9))], crs=4326))
    with pytest.raises(NetworkError, match="CG-NET-056"):
        net.with_edges(gpd.GeoDataFrame({"highway": ["river"]}, geometry=[line((0, 0), (0, 9))], crs=4326))
    for connect_m in (-1, "5", None):
        with pytest.raises(UnitError, match="CG-UNIT-002"):
            net.with_edges(
                gpd.GeoDataFrame(good, geometry=[line((0, 0), (0, 9))], crs=4326), connect_m=connect_m
            )
    with pytest.raises(GeometryError, match="CG-GEO-010"):
        net.with_edges(
            gpd.GeoDataFrame(good, geometry=[shapely.linestrings([(3, 0), (np.nan, 1)])], crs=4326)
        )
    spoilt = gpd.GeoDataFrame({**good, "oneway": ["perhaps"]}, geometry=[line((0, 0), (0, 9))], crs=4326)
    with pytest.raises(InputError, match=r"CG-LINE-003.*perhaps"):
        net.with_edges(spoilt, oneway_column="oneway")
    spoilt = gpd.GeoDataFrame({**good, "speed": ["fast"]}, geometry=[line((0, 0), (0, 9))], crs=4326)
    with pytest.raises(InputError, match="CG-LINE-005"):
        net.with_edges(spoilt, speed_column="speed")


@pytest.mark.parametrize(
    ("values", "there", "back"),
    [
        ([1.0], True, False),
        ([-1.0], False, True),
        (["是"], True, False),
        (["FT"], True, False),
        ([False], True, True),
    ],
)
def test_directions_of_new_streets_in_the_words_of_layers(values, there, back):
    lines = gpd.GeoDataFrame(
        {"highway": ["residential"], "way": values}, geometry=[line((1000, 800), (1000, 1500))], crs=4326
    )
    new = town().with_edges(lines, oneway_column="way")
    assert (new.arrays["edge_along_ms"][-1] != CLOSED) == there
    assert (new.arrays["edge_against_ms"][-1] != CLOSED) == back


def test_junctions_that_new_streets_make_cost_what_the_mode_says():
    mode = toy_mode(junction_s={"primary": 7, "residential": 3})
    net = town(mode=mode)
    lines = gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[line((500, 0), (500, 800))], crs=4326)
    assert seconds(net, (400, 0), (600, 0)) == pytest.approx(10.0)
    new = net.with_edges(lines)
    assert seconds(new, (400, 0), (600, 0)) == pytest.approx(17.0)
    assert seconds(new, (500, 100), (600, 0)) == pytest.approx(10 + 3 + 5, rel=1e-3)
    # a dead end is no junction
    assert seconds(new, (500, 100), (500, 800)) == pytest.approx(70.0, rel=1e-3)


def test_all_streets_closed():
    for mode in (toy_mode(), toy_mode(left_turn_s=5)):
        assert not town(mode=mode).without([0, 1, 2]).is_open.any()


def test_the_name_of_an_edited_network_says_what_was_done():
    changed = town().with_speeds({"primary": 0.5}).without([0])
    assert changed.source["name"] == "toy with_speeds(primary=0.5) without(1 edges)"


def test_edits_can_follow_each_other_and_be_saved(tmp_path):
    net = town()
    lines = gpd.GeoDataFrame(
        {"highway": ["primary"]}, geometry=[line((2000, 0), (2000, 800), (1000, 800))], crs=4326
    )
    edited = net.with_edges(lines).with_speeds({"primary": 0.5}).without([edge_between(net, 2, 4)])
    edited.save(tmp_path / "edited.net")
    again = cg.RoadNetwork.load(tmp_path / "edited.net", verify=True)
    assert all(np.array_equal(again.arrays[name], array) for name, array in edited.arrays.items())
    # 2 -> 3 at 36 km/h, then the new street of 1.8 km at half of 72
    assert seconds(again, (1000, 0), (1100, 800)) == pytest.approx(100 + 170, rel=1e-3)


@pytest.mark.parametrize(("column", "kind"), [("bridge_column", 1), ("tunnel_column", 2)])
def test_new_bridges_and_tunnels_are_off_the_ground(column, kind):
    """A river is a barrier to a new street, not to a new bridge."""
    net = network(
        {1: (0, 0), 2: (1000, 0), 3: (0, 200), 4: (1000, 200)}, [((1, 2), STREET), ((3, 4), STREET)]
    )
    lines = gpd.GeoDataFrame(
        {"highway": "residential", "over": "yes"},
        geometry=[shapely.LineString([lonlat(500, 0), lonlat(500, 200)])],
        index=[0],
        crs=4326,
    )
    river = gpd.GeoSeries([shapely.LineString([lonlat(-500, 100), lonlat(1500, 100)])], crs=4326)
    around = river.to_crs(net.metric_crs).buffer(1)
    for options, stays in (({}, False), ({column: "over"}, True)):
        plan = net.with_edges(lines, **options)
        made = plan.arrays["edge_way_id"] < 0
        assert (plan.arrays["shape_off_ground"].max() == kind) == stays
        closed = plan.without(polygon=around, spares_bridges=True)
        assert closed.is_open[closed.arrays["edge_way_id"] < 0].all() == stays
        assert made.sum() == 1
