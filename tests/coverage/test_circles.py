"""Circles round facilities beside the network: known areas, the rim, outlines, and what they flatter."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

import citygeo as cg
from citygeo import errors
from citygeo.coverage.circles import circles_of
from tests.coverage.test_measures import GRID, HALVES, LEVELS, NODE, layer, square
from tests.toy import STREET, grid_city, lonlat, network, points, toy_mode

APART = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
HOMES = points(NODE, population=[1] * len(NODE))


@APART
def test_a_circle_in_the_middle_of_a_square_and_two_a_radius_apart():
    """The known areas of K8: 19.635 % of a square of 2000 m; two circles r apart have 5.0548 r2, not 2 pi r2."""
    town = layer(square(-1000, -1000, 1000, 1000))
    given = {"demand": HOMES, "minutes": 1, "study_area": town}
    one = cg.coverage(GRID, points([(0, 0)]), radius_m=500, **given).table.loc["area"]
    assert one["radius_share"] == pytest.approx(math.pi * 500**2 / 2000**2, rel=2e-4)
    two = cg.coverage(GRID, points([(-150, 0), (150, 0)]), radius_m=300, **given).table.loc["area"]
    union = 2 * math.pi - 2 * (math.pi / 3 - math.sqrt(3) / 4)
    assert union == pytest.approx(5.0548, abs=1e-4)
    assert two["radius_share"] == pytest.approx(union * 300**2 / 2000**2, rel=2e-4)
    assert two["difference"] == two["radius_share"] - two["share"]


@APART
@pytest.mark.parametrize("east_km", [0, 150, 300])
def test_exactly_at_the_radius_is_in_wherever_the_projection_stretches(east_km):
    """K11: a place at exactly 500 m is covered. The scale of UTM is 0.9996 in the middle and 1.0007 at 300 km."""
    geod = Geod(ellps="WGS84")
    x = 1000.0 * east_km
    streets = network({1: (x, 0), 2: (x + 1000, 0)}, [((1, 2), STREET)])
    lon, lat = lonlat(x, 0)
    rim = [
        shapely.Point(*geod.fwd(lon, lat, azimuth, 500 + beyond)[:2])
        for azimuth in range(0, 360, 30)
        for beyond in (-0.01, 0.0, 0.01)
    ]
    circles = circles_of(points([(x, 0)]), 500, "point", streets.metric_crs)
    is_in = circles.hold(shapely.get_coordinates(np.array(rim)))
    assert is_in.reshape(-1, 3).tolist() == [[True, True, False]] * 12
    total = sum(polygon.area for polygon in circles.ground)
    scale = circles.drawn_m[0] / 500
    assert total / scale**2 == pytest.approx(math.pi * 500**2, rel=2e-4)


@APART
@pytest.mark.parametrize("seed", range(4))
def test_points_in_circles_are_those_near_enough_one_by_one(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(-800, 800, (300, 2))
    stations = points(rng.uniform(-500, 500, (7, 2)), radius=rng.uniform(50, 400, 7))
    homes = points(places, population=rng.integers(0, 9, 300))
    result = cg.coverage(
        GRID,
        stations,
        demand=homes,
        minutes=1,
        radius_m="radius",
        zones=HALVES,
        max_snap_m=900,
        direction="to",
    )
    geod = Geod(ellps="WGS84")
    near = [
        any(
            geod.inv(home.x, home.y, station.x, station.y)[2] <= radius
            for station, radius in zip(stations.geometry, stations["radius"], strict=True)
        )
        for home in homes.geometry
    ]
    people = result.table.loc["population"]
    assert people["radius_covered"] == homes["population"][near].sum()
    assert people["radius_share"] == people["radius_covered"] / homes["population"].sum()
    within = [shape.covers(home) for home in homes.geometry for shape in HALVES.geometry]
    for zone, row in enumerate(result.zones.itertuples()):
        inside = np.array(within).reshape(-1, 2)[:, zone] & np.array(near)
        assert row.population_radius_covered == homes["population"][inside].sum()


@APART
def test_a_circle_starts_where_the_search_does():
    """Trap 6: at 500 m the edge buffer of a park of a hectare covers 26.7 % more than the one of its middle."""
    park = layer(square(-50, -50, 50, 50))
    given = {
        "demand": HOMES,
        "minutes": 1,
        "radius_m": 500,
        "study_area": layer(square(-999, -999, 999, 999)),
    }
    middle = cg.coverage(GRID, park, polygons="point", **given).table.loc["area", "radius_covered"]
    edge = cg.coverage(GRID, park, polygons="entrances", **given).table.loc["area", "radius_covered"]
    assert edge / middle == pytest.approx(1.267, abs=1e-3)


@APART
def test_classes_of_parks_have_their_own_radius_and_minutes():
    """K11: a park of 5000 m2 serves 500 m, one of 4999 m2 300 m; each over the network and by circle."""
    street = network(
        {i: (100.0 * i, 0) for i in range(21)}, [(tuple(range(21)), STREET)], toy_mode(walk_off_kmh=1000)
    )
    parks = points([(0, 0), (2000, 0)], area_m2=[5000, 4999])
    own = np.where(parks["area_m2"] >= 5000, 500, 300)
    parks = parks.assign(radius=own, limit=own / 10 / 60 + 1e-5)
    homes = points([(499, 0), (502, 0), (1702, 0), (1698, 0)], population=[1, 2, 4, 8])
    result = cg.coverage(street, parks, demand=homes, minutes="limit", radius_m="radius")
    assert result.table.loc["population", ["covered", "radius_covered"]].tolist() == [5, 5]
    assert result.points["facility"].tolist() == [0, 0, 1, 1]
    said = result.provenance["parameters"]
    assert said["radius_m"] == [500.0, 300.0], "in the order of the facilities"
    assert said["minutes"] == pytest.approx([500 / 600, 0.5], abs=1e-3)
    assert said["facility_columns"] == {"minutes": "limit", "radius_m": "radius"}
    again = cg.coverage(street, parks, demand=homes, minutes=1, radius_m=400, delay_s="radius").provenance
    assert (again["parameters"]["minutes"], again["parameters"]["radius_m"]) == ([1], [400])
    assert again["parameters"]["facility_columns"] == {"delay_s": "radius"}
    without = cg.coverage(street, parks, demand=homes, minutes=1).provenance["parameters"]
    assert (without["radius_m"], without["facility_columns"]) == (None, {})


@APART
def test_radii_of_equal_and_of_placeless_facilities_are_recorded_one_by_one():
    parks = points([(0, 0), (100, 0), (0, 0)], radius=[300, 300, 200])
    parks.loc[2, "geometry"] = None
    result = cg.coverage(
        grid_city(2), parks, demand=points([(0, 0)], population=[1]), minutes=1, radius_m="radius"
    )
    assert result.provenance["parameters"]["radius_m"] == [300.0, 300.0, 200.0]


@APART
def test_on_a_grid_the_network_reaches_no_more_than_the_circle():
    """Walking 300 m along streets never gets farther than 300 m: NET <= BUF for whoever stands at a street."""
    for minutes, radius in ((0.5, 300), (0.3, 180)):
        result = cg.coverage(
            GRID, points([NODE[24]]), demand=HOMES, minutes=minutes, radius_m=radius, zones=LEVELS
        )
        row = result.table.loc["population"]
        assert row["covered"] <= row["radius_covered"]
        # the diamond of a grid against the circle, node by node
        steps = radius // 100
        diamond = sum(abs(x) + abs(y) <= 100 * steps + 1e-6 for x, y in NODE)
        assert row["covered"] == diamond
        assert row["radius_covered"] == sum(math.hypot(x, y) <= radius + 0.5 for x, y in NODE)


@APART
def test_without_a_radius_there_are_no_circles_and_nowhere_is_nobody():
    plain = cg.coverage(GRID, points([NODE[0]]), demand=HOMES, minutes=1, zones=HALVES)
    assert not [name for name in [*plain.table.columns, *plain.zones.columns] if "radius" in name]
    lost = gpd.GeoDataFrame(
        {"population": [1, 2]}, geometry=[shapely.Point(lonlat(*NODE[0])), None], crs=4326
    )
    stations = pd.concat([points([NODE[0]]), lost.iloc[1:][["geometry"]]], ignore_index=True)
    result = cg.coverage(GRID, stations, demand=lost, minutes=1, radius_m=100)
    assert result.table.loc["population", ["radius_covered", "total"]].tolist() == [1, 3]


@pytest.mark.parametrize("bad", [0, -5, 1e6, np.nan, True])
def test_unusable_radii(bad):
    with pytest.raises(errors.UnitError, match="CG-UNIT-002: radius_m"):
        cg.coverage(GRID, points([NODE[0]]), demand=HOMES, minutes=1, radius_m=bad)


def test_unusable_radii_of_rows():
    parks = points(NODE[:2], radius=[300, 0])
    with pytest.raises(errors.InputError, match=r"CG-IN-003: 1 of 2 rows of facilities.*radius.*rows 1"):
        cg.coverage(GRID, parks, demand=HOMES, minutes=1, radius_m="radius")
    with pytest.raises(errors.InputError, match="CG-IN-005: facilities has no column r"):
        cg.coverage(GRID, parks, demand=HOMES, minutes=1, radius_m="r")
