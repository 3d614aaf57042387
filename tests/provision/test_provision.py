"""Provision in little cities by hand, and on a real one: nobody lost, nothing overfilled, zones that add up."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo.errors import CitygeoError, CitygeoWarning
from tests.provision.test_transport import most_and_least
from tests.toy import grid_city, lonlat, network, points

if TYPE_CHECKING:
    from collections.abc import Sequence

CITY = grid_city(10)  # 100 m blocks, 10 s each


def zone(west: float, east: float, **columns: Any) -> gpd.GeoDataFrame:
    """One zone between two meridians, metres."""
    shape = shapely.box(*lonlat(west, -600), *lonlat(east, 600))
    return gpd.GeoDataFrame({name: [value] for name, value in columns.items()}, geometry=[shape], crs=4326)


def zones(*bounds: tuple[float, float]) -> gpd.GeoDataFrame:
    rows = [zone(west, east, name=f"zone {place}") for place, (west, east) in enumerate(bounds)]
    return pd.concat(rows, ignore_index=True)


def homes(*places: tuple[float, float], people: Sequence[float]) -> gpd.GeoDataFrame:
    return points(places, population=list(people)).set_axis([f"home {i}" for i in range(len(places))])


def schools(*places: tuple[float, float], seats: Sequence[float]) -> gpd.GeoDataFrame:
    return points(places, capacity=list(seats)).set_axis([f"school {i}" for i in range(len(places))])


def test_a_case_solved_by_hand() -> None:
    """
    Homes at 0, 100 and -300 m on one street, schools at 0 and 400 m, within 30 s.

    Home 1 goes to school 1 (300 m, 30 s: the bound is inclusive), which makes room for the others. They reach school 0
    alone, whose 12 seats go to home 0 (0 s) first; home 2 (30 s) gets 2, and 8 stay without.
    """
    plan = cg.provision(
        CITY, homes((0, 0), (100, 0), (-300, 0), people=[10, 10, 10]), schools((0, 0), (400, 0), seats=[12, 20]),
        minutes=0.5,
    )  # fmt: skip
    assert plan.flows.to_numpy().tolist() == [
        ["home 0", "school 0", 10, 0],
        ["home 1", "school 1", 10, 30],
        ["home 2", "school 0", 2, 30],
    ]
    assert plan.demand["served"].tolist() == [10, 10, 2]
    assert plan.demand["unserved"].tolist() == [0, 0, 8]
    assert plan.demand["reason"].tolist() == ["", "", "full"]
    assert plan.demand["nearest_facility"].tolist() == ["school 0"] * 3
    assert plan.demand["nearest_s"].tolist() == [0, 10, 30]
    told = plan.facilities
    assert told["allocated"].tolist() == [12, 10]
    assert told["spare"].tolist() == [0, 10]
    assert told["nearest_load"].tolist() == [30, 0]  # all three have school 0 as the nearest
    assert told["overload"].tolist() == [18, 0]
    assert told["mean_time_s"].tolist() == [5, 30]
    value = plan.table["value"]
    assert value[["demand", "served", "unserved", "unserved_full", "capacity", "spare", "overload"]].tolist() == [
        30, 22, 8, 8, 32, 10, 18,
    ]  # fmt: skip
    assert value["mean_time"] == pytest.approx((10 * 0 + 10 * 30 + 2 * 30) / 22)
    assert plan.table["share"]["served"] == pytest.approx(22 / 30)
    assert repr(plan) == (
        "<Provision within 0.5 min: 22 of 30 have a place (73.3%), 32 places; 1 of 2 facilities overloaded if "
        "everybody went to the nearest>"
    )


def test_missing_places_net_of_spare_ones_and_not() -> None:
    """Demand (10, 10), supply (4, 30): 6 are missing where they are needed, net there are 14 too many (K6)."""
    plan = cg.provision(
        CITY, homes((-200, 0), (200, 0), people=[10, 10]), schools((-200, 0), (200, 0), seats=[4, 30]),
        minutes=5, zones=zones((-600, 0), (0, 600)),
    )  # fmt: skip
    assert plan.zones["places_missing"].tolist() == [6, 0]
    assert plan.zones["net_missing"].tolist() == [6, -20]
    value = plan.table["value"]
    assert value["places_missing:zone"] == 6
    assert value["net_missing:zone"] == -14
    # the network lets the other zone make up for it
    assert plan.zones["served"].tolist() == [10, 10]
    assert plan.zones["allocated"].tolist() == [4, 16]


def test_reasons_why_some_have_no_place() -> None:
    nodes = {0: (0, 0), 1: (1000, 0), 2: (0, 3000), 3: (100, 3000)}
    street = {"highway": "residential", "maxspeed": "36"}
    net = network(nodes, [([0, 1], street), ([2, 3], street)])
    demand = homes((0, 0), (900, 0), (50, 3000), (0, 9000), people=[5, 5, 5, 5])
    nowhere = gpd.GeoDataFrame({"population": [5]}, geometry=[None], crs=4326, index=["home 4"])
    with pytest.warns(CitygeoWarning, match="CG-NET-013"):
        plan = cg.provision(net, pd.concat([demand, nowhere]), schools((0, 0), seats=[3]), minutes=1)
    assert plan.demand["reason"].tolist() == [
        "full",
        "too_far",
        "not_connected",
        "not_snapped",
        "no_geometry",
    ]
    assert plan.demand["unserved"].tolist() == [2, 5, 5, 5, 5]
    assert plan.demand["nearest_s"].tolist()[1:] == [np.inf] * 4
    assert plan.table["value"][["unserved_full", "unserved_not_reached"]].tolist() == [2, 20]
    codes = plan.issues.set_index("code")
    assert "2 of 25 people in 1 places" in codes.loc["CG-PRO-001", "message"]
    assert "20 of 25 people in 4 places" in codes.loc["CG-PRO-002", "message"]


def test_a_facility_off_the_network_has_places_nobody_gets() -> None:
    with pytest.warns(CitygeoWarning, match="CG-NET-013: 1 of 2 facilities"):
        plan = cg.provision(
            CITY, homes((0, 0), people=[5]), schools((0, 0), (9000, 0), seats=[1, 50]), minutes=10
        )
    assert plan.facilities["allocated"].tolist() == [1, 0]
    assert plan.facilities["status"].tolist() == ["ok", "not_snapped"]
    assert plan.table["value"]["capacity"] == 51


def test_direction_matters_on_one_way_streets() -> None:
    oneway = {"highway": "residential", "maxspeed": "36", "oneway": "yes"}
    net = network({0: (0, 0), 1: (500, 0)}, [([0, 1], oneway)])
    needs, has = homes((100, 0), people=[4]), schools((400, 0), seats=[4])
    assert cg.provision(net, needs, has, minutes=1).table["value"]["served"] == 4
    assert cg.provision(net, needs, has, minutes=1, direction="from").table["value"]["served"] == 0


def test_cells_stand_at_their_centres() -> None:
    lon, lat = lonlat(0, 0)
    cell = h3.latlng_to_cell(lat, lon, 9)
    plan = cg.provision(
        CITY, pd.DataFrame({"population": [7]}, index=[cell]), schools((0, 0), seats=[5]), minutes=5
    )
    assert plan.demand.index.tolist() == [cell]
    assert plan.demand["served"].tolist() == [5]
    assert plan.demand.geometry.geom_type.tolist() == ["Polygon"]


def test_what_lies_in_no_zone_is_told_and_in_no_zone() -> None:
    with pytest.warns(CitygeoWarning, match="CG-PRO-003: 3 people and 8 places lie in no zone of level west"):
        plan = cg.provision(
            CITY, homes((-200, 0), (200, 0), people=[2, 3]), schools((200, 0), seats=[8]), minutes=5,
            zones={"west": zones((-600, 0)), "all": zones((-600, 600)), "east": zones((0, 600))},
        )  # fmt: skip
    by_level = plan.zones.groupby("level")["demand"].sum()
    assert by_level["west"] == 2
    assert by_level["all"] == 5
    assert by_level["east"] == 3
    assert "2 people and 0 places" in plan.issues.set_index("code").loc["CG-PRO-006", "message"]


people = st.floats(0, 50).map(lambda value: round(value, 6))
spots = st.tuples(st.integers(-500, 500), st.integers(-500, 500))


@given(st.data())
@settings(deadline=None, max_examples=30)
def test_nobody_is_lost_and_nothing_overfilled(data: Any) -> None:
    n, m = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 4))
    where = data.draw(st.lists(spots, min_size=n, max_size=n))
    stand = data.draw(st.lists(spots, min_size=m, max_size=m))
    needed = data.draw(st.lists(people, min_size=n, max_size=n))
    held = data.draw(st.lists(people, min_size=m, max_size=m))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CitygeoWarning)
        plan = cg.provision(
            CITY, homes(*where, people=needed), schools(*stand, seats=held), minutes=1.5,
            zones=zones((-600, -100), (-100, 600)),
        )  # fmt: skip
    micro = {
        name: np.rint(plan.demand[name] * 1e6).astype(int) for name in ("population", "served", "unserved")
    }
    assert (micro["served"] + micro["unserved"] == micro["population"]).all()
    told = plan.facilities
    assert (told["allocated"] <= told["capacity"]).all()
    assert told["allocated"].sum() == pytest.approx(plan.demand["served"].sum(), abs=1e-9)
    assert plan.flows["people"].sum() == pytest.approx(plan.demand["served"].sum(), abs=1e-9)
    assert (plan.flows["time_s"] <= 90).all()
    for column in ("demand", "served", "unserved"):
        assert plan.zones[column].sum() == pytest.approx(plan.table["value"][column], abs=1e-9)
    assert plan.zones["allocated"].sum() == pytest.approx(told["allocated"].sum(), abs=1e-9)
    # another solver, on the times that the public verb tells
    times = cg.travel_times(CITY, plan.demand[["geometry"]], told[["geometry"]], minutes=1.5)
    row = {label: place for place, label in enumerate(plan.demand.index)}
    column = {label: place for place, label in enumerate(told.index)}
    pairs = [
        (row[t.origin], column[t.destination], round(t.time_s * 1000))
        for t in times.itertuples()
        if np.isfinite(t.time_s)
    ]
    wanted = [round(value * 1e6) for value in needed]
    seats = [round(value * 1e6) for value in held]
    served, spent = most_and_least(pairs, wanted, seats)
    assert micro["served"].sum() == pytest.approx(served, abs=2)
    mine = (plan.flows["people"] * plan.flows["time_s"]).sum()
    assert mine == pytest.approx(spent / 1e9, abs=1e-3)


def test_more_seats_never_serve_fewer() -> None:
    needs = homes((-300, 0), (0, 0), (300, 100), people=[10, 20, 30])
    before = 0.0
    for seats in (0, 5, 20, 60, 100):
        plan = cg.provision(CITY, needs, schools((0, 100), (200, 0), seats=[seats, 3]), minutes=1)
        assert plan.table["value"]["served"] >= before
        before = plan.table["value"]["served"]
    assert before == 60


def test_a_real_city_adds_up_in_every_level() -> None:
    city = cg.datasets.reykjavik()
    kindergartens = city.services["kindergarten"].assign(capacity=120)
    cells = cg.population(city.people, resolution=8)
    small = cells.assign(children=(cells["population"] * 0.06).round())
    with pytest.warns(CitygeoWarning):
        plan = cg.provision(
            city.network("walk"), small, kindergartens, minutes=20, population="children", zones=city.zones
        )
    value = plan.table["value"]
    assert value["served"] + value["unserved"] == value["demand"] == small["children"].sum()
    assert (plan.facilities["allocated"] <= 120).all()
    towns = plan.zones[plan.zones["level"] == "municipality"]
    told = plan.issues.set_index("code").loc["CG-PRO-003", "message"]  # centres of cells lie in the sea
    assert "level municipality" in told
    assert towns["demand"].sum() < value["demand"]
    assert f"{value['demand'] - towns['demand'].sum():,.0f} people" in told
    assert towns["capacity"].sum() == value["capacity"]
    assert (plan.zones["places_missing"] - plan.zones["net_missing"].clip(lower=0)).abs().max() == 0
    assert plan.provenance["parameters"]["operator"] == "<="
    assert set(plan.provenance["inputs"]) >= {"demand", "facilities", "zones municipality"}


@pytest.mark.parametrize("minutes", [[1], np.array([1.0]), np.float64(1)])
def test_one_bound_may_stand_in_a_list(minutes: Any) -> None:
    asked = homes((0, 0), (500, 0), people=[1, 2]), schools((-100, 0), seats=[9])
    told, plain = (cg.provision(CITY, *asked, minutes=bound) for bound in (minutes, 1))
    pd.testing.assert_frame_equal(told.table, plain.table)
    assert told.minutes == told.provenance["parameters"]["minutes"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"minutes": 0}, "CG-UNIT-002"),
        ({"minutes": [5, 10]}, "CG-IN-004"),
        ({"direction": "both"}, "CG-IN-004"),
        ({"population": "children"}, "CG-IN-005"),
        ({"capacity": "beds"}, "CG-IN-005"),
        ({"demand": homes((0, 0), people=[-1])}, "CG-IN-003"),
        ({"demand": homes((0, 0), people=[np.nan])}, "CG-IN-003"),
        ({"facilities": schools((0, 0), seats=[-1])}, "CG-IN-003"),
        ({"demand": homes((0, 0), people=[1]).assign(served=0)}, "CG-IN-004"),
        ({"facilities": schools((0, 0), seats=[1]).assign(seats=2), "capacity": "seats"}, "CG-IN-004"),
        ({"demand": homes((0, 0), people=[1]).assign(served=1), "population": "served"}, "CG-IN-004"),
        (
            {"facilities": schools((0, 0), seats=[1]).assign(allocated=1), "capacity": "allocated"},
            "CG-IN-004",
        ),
        ({"facilities": points([(0, 0)], allocated=[1]), "capacity": "allocated"}, "CG-IN-004"),
        ({"demand": pd.DataFrame({"population": [1]})}, "CG-IN-007"),
        ({"facilities": schools((0, 0), seats=[1]).set_crs(None, allow_override=True)}, "CG-CRS-001"),
        ({"facilities": schools((0, 0), (0, 0), seats=[1, 1]).set_axis(["a", "a"])}, "CG-IN-006"),
    ],
)
def test_unusable_input_is_refused(change: Any, code: str) -> None:
    asked: dict[str, Any] = {
        "demand": homes((0, 0), people=[1]), "facilities": schools((0, 0), seats=[1]), "minutes": 5,
    }  # fmt: skip
    with pytest.raises(CitygeoError, match=code):
        cg.provision(CITY, **{**asked, **change})
