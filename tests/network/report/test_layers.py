"""The layers of the report: rows by hand, and the links between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citygeo.errors import CRSError, InputError, UnitError
from citygeo.network.report import make_report
from citygeo.network.report.examine import PROBLEMS
from tests.network.report.test_connection import NODES, WAYS
from tests.toy import STREET, grid_city, lonlat, network, points


@pytest.fixture(scope="module")
def report():
    nodes = {**NODES, 30: (50, 3), 31: (50, 60), 40: (-500, 0), 41: (-500, 0)}
    ways = [
        *WAYS,
        ((30, 31), {**STREET, "name": "南山路"}),
        ((40, 41), {"highway": "service"}),
        ((40, 1), {"highway": "residential", "maxspeed": "90"}),
    ]
    return make_report(network(nodes, ways), points([(0, -20), (0, -900)], name=["near", "far"]))


def test_places_are_one_row_per_spot_with_number_unit_and_ids(report):
    places = report.places
    assert places["problem"].value_counts(sort=False).to_dict() == {
        "apart": 3, "trap": 2, "source": 1, "undershoot": 1, "zero_length": 1, "fast": 1, "unsnapped": 1,
    }  # fmt: skip
    assert places["unit"].tolist() == [PROBLEMS[problem].unit for problem in places["problem"]]
    assert places["problem_zh"].tolist() == [PROBLEMS[problem].zh for problem in places["problem"]]
    assert places.crs.to_epsg() == 4326
    assert set(places.geom_type) == {"Point"}
    by_problem = places.groupby("problem")
    assert by_problem["way_id"].apply(list)["trap"] == [4, 5]
    under = places[places["problem"] == "undershoot"].iloc[0]
    assert (under["node"], under["way_id"], under["other_way_id"], under["name"]) == (30, 10, 1, "南山路")
    assert under["value"] == pytest.approx(3, rel=1e-3)
    assert (under.geometry.x, under.geometry.y) == pytest.approx(lonlat(50, 3))
    assert places.loc[places["problem"] == "fast", "value"].item() == pytest.approx(90, rel=1e-3)


def test_point_too_far_has_a_place_and_no_street(report):
    row = report.places[report.places["problem"] == "unsnapped"].iloc[0]
    assert row[["edge", "way_id", "node"]].isna().all()
    assert (row["name"], row["highway"]) == ("1", "")
    assert row["value"] == pytest.approx(np.hypot(200, 700), rel=1e-3)
    assert (row.geometry.x, row.geometry.y) == pytest.approx(lonlat(0, -900))


def test_streets_of_a_place_are_marked_with_its_row(report):
    places, edges = report.places, report.edges
    km = edges.groupby(edges["place"].dropna().astype(int))["length_m"].sum() / 1000
    outside = places[places["unit"] == "km"]
    assert km.index.tolist() == outside.index.tolist()
    np.testing.assert_allclose(km, outside["value"])
    assert (edges["link"] == "main").equals(edges["place"].isna())
    for row in outside.itertuples():
        assert edges.loc[row.edge, "link"] == row.problem
    # the most streets first
    for _, rows in outside.groupby("problem"):
        assert rows["value"].is_monotonic_decreasing


def test_edges_tell_speed_link_and_problems(report):
    edges = report.edges.set_index("way_id")
    assert edges.loc[11, "problems"] == "zero_length"
    assert edges.loc[12, "problems"] == "fast"
    assert edges.loc[12, ["kmh_along", "kmh_against"]].tolist() == pytest.approx([90, 90], rel=1e-3)
    oneway = edges.loc[3]  # drawn with the traffic
    assert oneway["kmh_along"] == pytest.approx(36, rel=1e-3)
    assert np.isnan(oneway["kmh_against"])
    assert edges.loc[11, "is_imputed"]
    assert edges.loc[10, ["link", "problems", "name"]].tolist() == ["apart", "undershoot", "南山路"]
    assert len(report.edges) == report.network.n_edges
    assert report.edges.index.name == "edge"


def test_closed_edges_are_marked():
    city = grid_city(2)
    edges = make_report(city.without([3])).edges
    assert edges.loc[3, ["link", "component"]].tolist() == ["closed", -1]
    assert (edges["link"].drop(3) == "main").all()


def test_dead_ends_have_places_and_ids(report):
    ends = report.dead_ends
    assert len(ends) == report.table.loc["dead_ends", "value"]
    assert set(ends["node"]) == {9, 10, 20, 21, 30, 31, 41}
    row = ends[ends["node"] == 30].iloc[0]
    assert (row.geometry.x, row.geometry.y) == pytest.approx(lonlat(50, 3))


def test_snaps_keep_the_index_and_say_where_on_the_road(report):
    snaps = report.snaps
    assert snaps["status"].tolist() == ["ok", "not_snapped"]
    assert snaps["link"].tolist() == ["main", ""]
    assert (snaps.loc[0, "road_lon"], snaps.loc[0, "road_lat"]) == pytest.approx(lonlat(0, 0), abs=1e-9)
    assert snaps.loc[1, ["road_lon", "road_lat"]].isna().all()
    assert (snaps.geometry.x[0], snaps.geometry.y[0]) == pytest.approx(lonlat(0, -20))
    assert snaps.loc[0, "snap_distance_m"] == pytest.approx(20, rel=1e-3)


def test_points_in_another_crs_keep_their_labels():
    given = points([(0, 10)]).to_crs(32631).set_index(pd.Index(["医院"], name="id"))
    report = make_report(grid_city(2), given)
    assert report.snaps.index.tolist() == ["医院"]
    assert report.snaps.crs.to_epsg() == 4326


def test_nothing_wrong_is_an_empty_layer_of_the_same_columns(report):
    places = make_report(grid_city(2)).places
    assert len(places) == 0
    assert list(places.columns) == list(report.places.columns)
    assert places.crs.to_epsg() == 4326


def test_points_that_are_all_far_away_are_reported_not_refused():
    report = make_report(grid_city(2), points([(90_000, 0)]))
    assert report.snaps["status"].tolist() == ["not_snapped"]
    assert report.snaps["snap_distance_m"].tolist() == pytest.approx([89_900.0], rel=1e-3)
    assert "CG-NET-013" in report.issues["code"].tolist()
    assert str(report)


def test_unusable_points_are_refused_as_everywhere():
    city = grid_city(2)
    given = points([(0, 10)])
    with pytest.raises(CRSError, match="CG-CRS-001"):
        make_report(city, given.set_crs(None, allow_override=True))
    with pytest.raises(InputError, match="CG-IN-001"):
        make_report(city, given.iloc[:0])
    with pytest.raises(UnitError, match="CG-UNIT-002"):
        make_report(city, given, max_snap_m=-1)
