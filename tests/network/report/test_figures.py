"""The figures and verdicts of the report, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from citygeo.modes import travel_mode
from citygeo.network.report import figures, make_report
from citygeo.network.report.flaws import limits
from tests.toy import ONEWAY, STREET, grid_city, network, points, toy_mode

# a triangle 1-2-3 with a one-way spur 3 -> 4, and an island 5-6 without a speed tag
NODES = {1: (0, 0), 2: (300, 0), 3: (300, 400), 4: (300, 1400), 5: (5000, 0), 6: (5000, 600)}
WAYS = [
    ((1, 2), STREET),
    ((2, 3), {"highway": "primary", "maxspeed": "72"}),
    ((3, 1), STREET),
    ((3, 4), ONEWAY),
    ((5, 6), {"highway": "service", "surface": "gravel"}),
]


@pytest.fixture(scope="module")
def net():
    return network(NODES, WAYS)


@pytest.fixture(scope="module")
def report(net):
    return make_report(net)


def test_figures_by_hand(report):
    value = report.table["value"]
    assert value["edges"] == 4  # node 1 is no junction, and its streets are alike
    assert value["nodes"] == 5
    assert value["length"] == pytest.approx(0.3 + 0.4 + 0.5 + 1 + 0.6, abs=1e-5)
    assert value["components"] == 2
    assert value["outside_main"] == pytest.approx(0.6, abs=1e-5)
    assert value["outside_main_share"] == pytest.approx(100 * 0.6 / 2.8, abs=1e-3)
    assert value["strong_components"] == 3
    assert value["outside_strong"] == pytest.approx(1.6, abs=1e-5)
    assert value["outside_strong_share"] == pytest.approx(100 * 1.6 / 2.8, abs=1e-3)
    assert (value["traps"], value["sources"]) == (1, 0)
    assert value["trap_length"] == pytest.approx(1, abs=1e-5)
    assert value["dead_ends"] == 3
    assert value["undershoot_share"] == value["drawn_twice"] == value["zero_length"] == 0
    assert value["imputed_speed_share"] == pytest.approx(100 * 0.6 / 2.8, abs=1e-3)
    assert (value["turn_restrictions"], value["delayed_edges"], value["barriers"]) == (0, 0, 0)
    assert "points" not in value


def test_verdicts_follow_the_stated_limits(report):
    table = report.table
    judged = table[table["verdict"] != ""]
    assert set(judged.index) == {name for name in limits()["verdict"] if "snap" not in name} - {
        "off_main_share"
    }
    for row in judged.itertuples():
        expected = "bad" if row.value > row.bad_above else "look" if row.value > row.look_above else "ok"
        assert row.verdict == expected
    assert table.loc["outside_strong_share", "verdict"] == "bad"
    assert table.loc["imputed_speed_share", "verdict"] == "ok"
    assert table.loc["dead_ends", ["verdict"]].tolist() == [""]
    assert np.isnan(table.loc["dead_ends", "look_above"])


def test_limit_itself_is_still_the_better_verdict():
    rule = {"look_above": 1.0, "bad_above": 10.0}
    values = {0.0: "ok", 1.0: "ok", 1.01: "look", 10.0: "look", 10.01: "bad", float("nan"): ""}
    assert {value: figures._verdict(value, rule) for value in values} == values


def test_every_limit_belongs_to_a_figure(net):
    table = make_report(net, points([(0, 5)])).table
    assert set(limits()["verdict"]) <= set(table.index)
    for rule in limits()["verdict"].values():
        assert 0 <= rule["look_above"] < rule["bad_above"]


def test_every_figure_has_a_meaning_in_both_languages(net):
    table = make_report(net, points([(0, 5)])).table
    assert table["meaning"].str.contains("[a-z]").all()
    assert table["meaning_zh"].str.contains("[\u4e00-\u9fff]").all()
    assert not table["meaning"].str.contains("[\u4e00-\u9fff]").any()
    assert set(table["unit"]) == {"", "km", "%", "m"}
    # a figure and its unit are named once
    assert not table.reset_index().duplicated(["meaning", "unit"]).any()


def test_mode_without_signed_speeds_is_not_judged_by_them():
    walk = network(NODES, WAYS, toy_mode(maxspeed=False))
    report = make_report(walk)
    assert report.table.loc["imputed_speed_share", "verdict"] == ""
    assert "CG-FIT-009" not in set(report.issues["code"])


def test_speeds_by_hand(report):
    speeds = report.speeds
    assert speeds.index.tolist() == ["residential", "service", "primary"]
    np.testing.assert_allclose(speeds["km"], [1.8, 0.6, 0.4], atol=1e-5)
    np.testing.assert_allclose(speeds["imputed_km"], [0, 0.6, 0], atol=1e-5)
    np.testing.assert_allclose(speeds["mean_kmh"], [36, 18, 72], rtol=1e-4)
    assert speeds["imputed_share"].tolist() == [0, 1, 0]


def test_components_by_hand(report):
    assert report.components[["nodes", "edges"]].to_numpy().tolist() == [[3, 3], [2, 1]]
    np.testing.assert_allclose(report.components["km"], [2.2, 0.6], atol=1e-5)
    assert report.strong_components["link"].tolist() == ["main", "apart", "trap"]


def test_closed_streets_count_as_such_and_nowhere_else(net):
    edge = int(np.flatnonzero(net.highway == "service")[0])
    table = make_report(net.without([edge])).table["value"]
    assert (table["edges"], table["closed_edges"], table["nodes"], table["components"]) == (3, 1, 3, 1)
    assert table["length"] == pytest.approx(2.2, abs=1e-5)
    assert table["imputed_speed_share"] == 0
    assert make_report(net.without([edge])).speeds.index.tolist() == ["residential", "primary"]


def test_shares_of_nothing_are_missing(net):
    table = make_report(net.without(np.arange(net.n_edges))).table
    assert table.loc["length", "value"] == 0
    assert np.isnan(table.loc["outside_main_share", "value"])
    assert table.loc["outside_main_share", "verdict"] == ""


def test_rules_of_the_road_are_counted():
    from citygeo.io.streets import Restriction

    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, 100), 5: (300, 0)}
    ways = [((1, 2), STREET), ((2, 3, 5), STREET), ((2, 4), STREET)]
    mode = travel_mode("drive", node_delay_s={"highway=traffic_signals": 10})
    net = network(
        nodes, ways, mode, node_tags={2: {"highway": "traffic_signals"}, 3: {"barrier": "bollard"}},
        restrictions=[Restriction(9, "no_left_turn", (1,), 2, (), (3,))],
    )  # fmt: skip
    table = make_report(net).table["value"]
    assert table["turn_restrictions"] == 1
    assert table["delayed_edges"] == 3  # all but the piece beyond the bollard
    assert table["barriers"] == 1


def test_loop_is_no_dead_end():
    nodes = {1: (0, 0), 2: (100, 0), 3: (100, 100)}
    assert make_report(network(nodes, [((1, 2, 3, 1), STREET)])).table["value"]["dead_ends"] == 0


def test_street_of_no_length_does_not_break_the_figures():
    nodes = {1: (0, 0), 2: (0, 0), 3: (90, 0)}
    report = make_report(network(nodes, [((1, 2), {"highway": "service"}), ((2, 3), STREET)]))
    assert report.table["value"]["length"] == pytest.approx(0.09, abs=1e-6)
    assert report.table["value"]["zero_length_share"] == 50
    assert report.speeds.loc["residential", "mean_kmh"] == pytest.approx(36, rel=1e-4)


# 10, 20, 90, 150 m north of the street; 300 m is too far; on the island; without geometry
def test_points_by_hand(net):
    import shapely

    given = points(
        [(100, -10), (200, -20), (150, -90), (50, -150), (100, -300), (5010, 100)], name=list("abcdef")
    )
    given.loc[6, "geometry"] = shapely.Point()
    report = make_report(net, given)
    value = report.table["value"]
    assert (value["points"], value["no_geometry"], value["unsnapped"], value["off_main"]) == (7, 1, 1, 1)
    assert value["unsnapped_share"] == pytest.approx(100 / 7)
    assert value["off_main_share"] == pytest.approx(100 / 5)
    # metres of UTM, 0.04 % short: 10, 10, 20, 90, 150, 300
    np.testing.assert_allclose(value[["snap_median", "snap_max"]], [55, 300], rtol=1e-3)
    assert value["snap_p90"] == pytest.approx(225, rel=1e-3)
    assert report.table.loc["snap_median", "verdict"] == "look"
    codes = report.issues.set_index("code")["count"]
    assert codes[["CG-NET-013", "CG-GEO-002", "CG-NET-011"]].to_dict() == {
        "CG-NET-013": 1, "CG-GEO-002": 1, "CG-NET-011": 1,
    }  # fmt: skip
    near = make_report(net, given, max_snap_m=80).table["value"]
    assert near["unsnapped"] == 3


def test_whole_city_is_ok():
    table = make_report(grid_city(4)).table
    assert set(table.loc[table["verdict"] != "", "verdict"]) == {"ok"}
