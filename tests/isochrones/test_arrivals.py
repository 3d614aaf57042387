"""Depth and order of arrival: scenes worked out by hand (100 ms a metre), and sums that must hold in a city."""

from __future__ import annotations

from fractions import Fraction

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo.edgeparts import EdgeParts, merge
from citygeo.isochrones.arrivals import arrivals
from tests import reference
from tests.toy import EQUATOR_M_PER_DEGREE, LON, STREET, network, points

STREET_2_KM = network({1: (0, 0), 2: (2000, 0)}, [((1, 2), STREET)])
TEN = 10.0


def on_street(places, seconds, k, labels=None):
    """Arrivals of stations on the street of 2 km."""
    stations = points([(x, 0) for x in places])
    if labels:
        stations.index = labels
    area = cg.service_area(STREET_2_KM, stations, minutes=seconds / 60, direction="from")
    return arrivals(STREET_2_KM, area.parts[area.minutes[0]], stations.index, stations.crs, k)


def told(table, k):
    """Rows from west to east: ends in metres, depth, who comes, and their seconds at both ends."""
    rows = []
    for row in table.to_dict("records"):
        x = [
            (lon - LON) * EQUATOR_M_PER_DEGREE for lon, _ in shapely.get_coordinates(row["geometry"])[[0, -1]]
        ]
        who, when = [], []
        for i in range(1, k + 1):
            if not pd.isna(row[f"facility_{i}"]):
                ends = [row[f"time_{i}_from_s"], row[f"time_{i}_to_s"]]
                who.append(row[f"facility_{i}"])
                when += ends if x[0] < x[1] else ends[::-1]
        rows.append((sorted(x), row["depth"], who, when))
    return sorted(rows)


def expect(rows, expected):
    """The same rows to a centimetre and the rounding of whole milliseconds."""
    assert [(depth, who) for _, depth, who, _ in rows] == [(depth, who) for _, depth, who, _ in expected]
    for (x, _, _, when), (true_x, _, _, true_when) in zip(rows, expected, strict=True):
        assert x == pytest.approx(true_x, abs=0.02)
        assert when == pytest.approx(true_when, abs=0.002)


def test_two_stations_on_one_street():
    """80 s are 800 m to either side: both reach the 600 m in the middle, and meet at 1000 m."""
    expect(
        told(on_street([500, 1500], 80, 2), 2),
        [
            ([0, 500], 1, [0], [50, 0]),
            ([500, 700], 1, [0], [0, 20]),
            ([700, 1000], 2, [0, 1], [20, 50, 80, 50]),
            ([1000, 1300], 2, [1, 0], [50, 20, 50, 80]),
            ([1300, 1500], 1, [1], [20, 0]),
            ([1500, 2000], 1, [1], [0, 50]),
        ],
    )


def test_three_stations_on_one_street():
    """60 s are 600 m; the first and the last meet at 1000 m, just before the one between them."""
    expect(
        told(on_street([500, 1040, 1500], 60, 3, ["a", "b", "c"]), 3),
        [
            ([0, 440], 1, ["a"], [50, 6]),
            ([440, 500], 2, ["a", "b"], [6, 0, 60, 54]),
            ([500, 770], 2, ["a", "b"], [0, 27, 54, 27]),
            ([770, 900], 2, ["b", "a"], [27, 14, 27, 40]),
            ([900, 1000], 3, ["b", "a", "c"], [14, 4, 40, 50, 60, 50]),
            ([1000, 1040], 3, ["b", "c", "a"], [4, 0, 50, 46, 50, 54]),
            ([1040, 1100], 3, ["b", "c", "a"], [0, 6, 46, 40, 54, 60]),
            ([1100, 1270], 2, ["b", "c"], [6, 23, 40, 23]),
            ([1270, 1500], 2, ["c", "b"], [23, 0, 23, 46]),
            ([1500, 1640], 2, ["c", "b"], [0, 14, 46, 60]),
            ([1640, 2000], 1, ["c"], [14, 50]),
        ],
    )


def test_stations_at_one_place_come_in_their_order():
    table = on_street([700, 700], 30, 1, ["second name", "first name"])
    assert table["facility_1"].tolist() == ["second name"] * 2
    assert table["depth"].tolist() == [2, 2]


def test_columns_say_what_is_missing():
    table = on_street([500], 10, 2)
    assert table.columns.tolist() == [
        "edge", "from_m", "to_m", "depth", "facility_1", "time_1_from_s", "time_1_to_s", "facility_2",
        "time_2_from_s", "time_2_to_s", "geometry",
    ]  # fmt: skip
    assert table["facility_2"].isna().all()
    assert table[["time_2_from_s", "time_2_to_s"]].isna().all(axis=None)
    assert table.index.equals(pd.RangeIndex(2))


@pytest.mark.parametrize("parts_of", [[], [EdgeParts.none(), EdgeParts.none()]])
def test_nothing_reached(parts_of):
    table = arrivals(STREET_2_KM, parts_of, pd.RangeIndex(len(parts_of)), "EPSG:4326", 2)
    assert (len(table), table.crs) == (0, "EPSG:4326")
    assert "time_2_to_s" in table


@pytest.fixture(scope="module")
def city():
    """The sample city and what its stations reach in ten minutes."""
    sample = cg.datasets.reykjavik()
    return cg.service_area(sample.network("fire_engine"), sample.stations, minutes=TEN, direction="from")


@pytest.fixture(scope="module")
def table(city):
    return arrivals(city.network, city.parts[TEN], city.facilities.index, city.facilities.crs, 3)


def merged_m(network, *parts):
    """Length of road that any of the parts covers."""
    edge, share = merge(parts)
    return float(((share[:, 1] - share[:, 0]) * network.length_m[edge]).sum())


def test_every_reached_road_is_told_once(city, table):
    length = table["to_m"] - table["from_m"]
    assert (length > 0).all()
    assert (table["depth"] >= 1).all()
    assert length.sum() == pytest.approx(merged_m(city.network, *city.parts[TEN]), rel=1e-9)
    is_next = table["edge"].to_numpy()[1:] == table["edge"].to_numpy()[:-1]
    assert (table["from_m"].to_numpy()[1:] >= table["to_m"].to_numpy()[:-1] - 1e-9)[is_next].all()
    assert table["edge"].is_monotonic_increasing


def test_depth_adds_up_to_what_each_facility_reaches(city, table):
    assert table["depth"].max() == len(city.facilities)
    told_m = (table["depth"] * (table["to_m"] - table["from_m"])).sum()
    assert told_m == pytest.approx(sum(merged_m(city.network, one) for one in city.parts[TEN]), rel=1e-9)


def test_depth_is_the_number_of_facilities_told_if_all_are_asked_for(city):
    labels = city.facilities.index
    full = arrivals(city.network, city.parts[TEN], labels, city.facilities.crs, len(labels) + 1)
    n_told = sum(full[f"facility_{i}"].notna() for i in range(1, len(labels) + 2))
    assert (n_told == full["depth"]).all()
    assert full[f"facility_{len(labels) + 1}"].isna().all()


def test_times_are_those_of_the_parts_in_ascending_order(city, table):
    """At the middle of every 50th stretch, against a plain look at all parts."""
    by_edge = {}
    for row, parts in enumerate(city.parts[TEN]):
        for edge, share, ms in zip(parts.edge.tolist(), parts.share.tolist(), parts.ms.tolist(), strict=True):
            by_edge.setdefault(edge, []).append((row, *share, *ms))
    labels = city.facilities.index
    for row in table.iloc[::50].to_dict("records"):
        edge = row["edge"]
        x = (Fraction(row["from_m"]) + Fraction(row["to_m"])) / 2 / Fraction(city.network.length_m[edge])
        truth = reference.arrivals_at(by_edge[edge], x)
        assert row["depth"] == len(truth)
        for i, (ms, who) in enumerate(truth[:3], 1):
            middle = (row[f"time_{i}_from_s"] + row[f"time_{i}_to_s"]) / 2
            assert middle == pytest.approx(float(ms) / 1000, abs=1e-6)
            if all(abs(other - ms) > 1e-3 for other, one in truth if one != who):
                assert row[f"facility_{i}"] == labels[who]
    for end in ("from", "to"):
        assert not (table[f"time_1_{end}_s"] > table[f"time_2_{end}_s"] + 1e-6).any()
        assert not (table[f"time_2_{end}_s"] > table[f"time_3_{end}_s"] + 1e-6).any()
        assert table[f"time_1_{end}_s"].max() <= 60 * TEN


def test_lines_lie_where_the_stretches_are(city, table):
    assert table.crs == city.facilities.crs
    projected = table.geometry.to_crs(city.network.metric_crs)
    np.testing.assert_allclose(projected.length, table["to_m"] - table["from_m"], rtol=2e-3, atol=0.01)
    whole = city.network.lines_metric[table["edge"].to_numpy()]
    assert (
        shapely.distance(shapely.line_interpolate_point(projected, 0.5, normalized=True), whole).max() < 0.01
    )


def at_middles(table, finer):
    """The row of a table in which the middle of each row of a finer one lies."""
    scale = 1e6  # longer than any edge
    middle = (finer["from_m"] + finer["to_m"]) / 2
    row = np.searchsorted(table["edge"] * scale + table["from_m"], finer["edge"] * scale + middle) - 1
    found = table.iloc[row].reset_index(drop=True)
    assert (found["edge"] == finer["edge"]).all()
    assert ((found["from_m"] <= middle) & (middle <= found["to_m"])).all()
    return found, (middle - found["from_m"]) / (found["to_m"] - found["from_m"])


@pytest.mark.parametrize("row", range(4))
def test_a_facility_given_twice_adds_one_where_it_reaches(city, table, row):
    """It comes second to itself; the first arrival stays as it was."""
    stations = city.facilities
    again = pd.concat([stations, stations.iloc[[row]].rename(index=lambda _: "again")])
    twice = arrivals(
        city.network, [*city.parts[TEN], city.parts[TEN][row]], again.index, stations.crs, len(again)
    )
    assert (twice["to_m"] - twice["from_m"]).sum() == pytest.approx((table["to_m"] - table["from_m"]).sum())
    before, part = at_middles(table, twice)
    ranks = range(1, len(again) + 1)
    is_reached = pd.concat([twice[f"facility_{i}"] == stations.index[row] for i in ranks], axis=1).any(axis=1)
    assert is_reached.any()
    assert (twice["depth"] - before["depth"] == is_reached).all()
    reached_m = (twice["to_m"] - twice["from_m"])[is_reached].sum()
    assert reached_m == pytest.approx(merged_m(city.network, city.parts[TEN][row]), rel=1e-9)
    assert (twice["facility_1"] == before["facility_1"]).all()
    first_s = before["time_1_from_s"] + part * (before["time_1_to_s"] - before["time_1_from_s"])
    np.testing.assert_allclose((twice["time_1_from_s"] + twice["time_1_to_s"]) / 2, first_s, atol=1e-6)


def test_the_callers_crs_changes_only_the_lines(city, table):
    other = arrivals(city.network, city.parts[TEN], city.facilities.index, "EPSG:3057", 3)
    assert other.crs == "EPSG:3057"
    pd.testing.assert_frame_equal(
        pd.DataFrame(other.drop(columns="geometry")), pd.DataFrame(table.drop(columns="geometry"))
    )
    # cut on the line as it is drawn there: on a straight line of kilometres the place is some decimetres beside
    assert gpd.GeoSeries(other.geometry).to_crs(table.crs).geom_equals_exact(table.geometry, 5e-6).all()
