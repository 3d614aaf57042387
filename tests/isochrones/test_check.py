"""The self-check of polygons: a real city is as it should be, and each thing that can be wrong is seen."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

import citygeo as cg
from citygeo import errors
from citygeo.isochrones.buffers import Capsules, hulls
from citygeo.isochrones.check import check, distance_m, share_inside
from tests.toy import ONEWAY, STREET, grid_city, network, points, toy_mode

MINUTES = [3.0, 5.0]
BRIDGE = {**STREET, "bridge": "yes", "layer": "1"}
CITY = grid_city(8)  # streets every 100 m, 100 ms a metre


@pytest.fixture(scope="module")
def real():
    city = cg.datasets.reykjavik()
    return city.network("fire_engine"), city.stations


@pytest.fixture(scope="module")
def table(real):
    """Polygons that tests may spoil after a copy."""
    return cg.isochrones(*real, minutes=MINUTES, direction="from")


def spoilt(iso, shape, rows=slice(None)):
    """The same isochrones with other polygons, given in the network's metric CRS."""
    made = cg.isochrones(
        iso.network, iso.facilities, minutes=iso.band_minutes, direction=iso.direction, overlap=iso.overlap,
        bands=iso.bands,
    )  # fmt: skip
    geometry = made.geometry.to_crs(iso.network.metric_crs)
    geometry.iloc[rows] = shape
    made["geometry"] = geometry.to_crs(iso.crs)
    return made


def in_metres(iso):
    return iso.geometry.to_crs(iso.network.metric_crs)


def assert_good(found, least_recall=1.0):
    assert (found["recall"] >= least_recall).all()
    assert (found["recall"] <= 1 + 1e-12).all()
    assert (found["unreached_nodes_inside"] == 0).all()
    assert found["is_nested"].all()
    assert found["is_valid"].all()
    assert (found["vertices"] > 3).all()


@pytest.mark.parametrize(
    ("options", "least_recall"),
    [
        ({}, 1.0),
        ({"cell_m": 10.0}, 1.0),
        ({"cell_m": 80.0}, 1.0),
        ({"trim_m": 1.0}, 1.0),
        ({"offroad_kmh": float("inf")}, 1.0),
        ({"bands": "rings"}, 1.0),
        ({"overlap": "dissolve"}, 1.0),
        ({"method": "cells"}, 1.0),
        ({"method": "cells", "bands": "rings"}, 1.0),
        ({"direction": "to"}, 1.0),
        ({"overlap": "split"}, 0.999),  # districts meet half way between places 2 m apart
    ],
    ids=str,
)
def test_a_real_city_is_as_it_should_be(real, options, least_recall):
    iso = cg.isochrones(*real, minutes=MINUTES, **({"direction": "from"} | options))
    found = check(iso)
    assert found.index.equals(iso.index)
    assert found["minutes"].tolist() == iso["minutes"].tolist()
    assert_good(found, least_recall)
    if options.get("bands") != "rings":
        np.testing.assert_allclose(found["reached_km"], iso["reached_km"])
        assert found["vertices"].tolist() == shapely.get_num_coordinates(iso.geometry.to_numpy()).tolist()


def test_buffers_are_as_they_should_be(real):
    assert_good(check(cg.isochrones(*real, minutes=MINUTES, direction="from", method="buffer")))


def test_a_hull_of_reached_nodes_takes_in_what_is_not_reached(table):
    hull = shapely.convex_hull(in_metres(table).to_numpy())
    found, before = check(spoilt(table, hull)), check(table)
    assert (found["recall"] == 1).all()
    assert (found["unreached_nodes_inside"] > 0).sum() >= len(table) - 1  # one reaches 2 km of road only
    # the nodes that were allowed for are so still, and some more that were outside of the drawing
    assert (found["unreached_nodes_within_allowance"] >= before["unreached_nodes_within_allowance"]).all()
    assert found["reached_km"].tolist() == before["reached_km"].tolist()


def test_unreached_nodes_are_those_that_are_far_from_every_reached_road(table):
    """By plain buffers of all reached roads, which are a wider allowance than the contract's."""
    edges = cg.isochrones(
        table.network, table.facilities, minutes=MINUTES, direction="from", kind="edges"
    ).to_crs(table.network.metric_crs)
    hull = shapely.convex_hull(in_metres(table).to_numpy())
    found = check(spoilt(table, hull))
    nodes = gpd.GeoSeries(shapely.points(table.network.node_lonlat), crs=4326).to_crs(edges.crs)
    xy, seen = shapely.get_coordinates(nodes), 0
    for n, (facility, minutes) in enumerate(zip(table["facility"], table["minutes"], strict=True)):
        own = edges[(edges["facility"] == facility) & (edges["minutes"] == minutes)]
        wide = shapely.union_all(shapely.buffer(own.geometry.to_numpy(), 100 + 20 / np.sqrt(2)))
        beyond = shapely.contains_xy(hull[n], xy) & ~shapely.contains_xy(wide, xy)
        assert found["unreached_nodes_inside"].iloc[n] >= beyond.sum()
        seen += beyond.sum()
    assert seen > 500


def test_a_polygon_that_leaves_roads_out_has_less_recall(table):
    shape = in_metres(table)
    west, south, east, north = shape.iloc[1].bounds
    half = shapely.box(west, south, (west + east) / 2, north)
    found = check(spoilt(table, shapely.MultiPolygon([half]), rows=1))
    edges = cg.isochrones(
        table.network, table.facilities, minutes=MINUTES, direction="from", kind="edges"
    ).to_crs(table.network.metric_crs)
    own = edges[(edges["facility"] == table["facility"].iloc[1]) & (edges["minutes"] == MINUTES[1])]
    expected = own.geometry.clip(half).length.sum() / own.length.sum()
    assert 0.1 < expected < 0.9
    assert found["recall"].iloc[1] == pytest.approx(expected, rel=1e-6)  # lines there are in degrees
    assert (found["recall"].drop(index=found.index[1]) == 1).all()


def test_bands_that_cross_are_seen(table):
    shape = in_metres(table).to_numpy()
    poked = shapely.difference(shape[1], shapely.buffer(shapely.point_on_surface(shape[0]), 2.0))
    found = check(spoilt(table, poked, rows=1))
    assert found["is_nested"].tolist() == [True, False, *[True] * (len(table) - 2)]


def test_less_than_a_millimetre_is_not_a_crossing(table):
    shape = in_metres(table).to_numpy()
    corner = shapely.Point(shape[0].geoms[0].exterior.coords[0])
    poked = shapely.difference(shape[1], shapely.buffer(corner, 4e-4))
    assert check(spoilt(table, poked, rows=1))["is_nested"].all()


def test_rings_that_overlap_are_seen(real):
    rings = cg.isochrones(*real, minutes=MINUTES, direction="from", bands="rings")
    wide = shapely.union_all(in_metres(rings).to_numpy()[:2])
    found = check(spoilt(rings, wide, rows=1))
    assert found["is_nested"].tolist()[:2] == [True, False]
    assert (found["recall"] == 1).all()


def test_a_polygon_that_crosses_itself_is_seen(table):
    bow = shapely.Polygon([(0, 0), (1000, 1000), (1000, 0), (0, 1000)])
    x, y = shapely.get_coordinates(shapely.centroid(in_metres(table).iloc[0]))[0]
    bow = shapely.transform(bow, lambda xy: xy + np.array([x - 500, y - 500]))
    found = check(spoilt(table, bow, rows=0))
    assert found["is_valid"].tolist() == [False, *[True] * (len(table) - 1)]
    assert 0 < found["recall"].iloc[0] < 1
    assert found["vertices"].iloc[0] == 5


def test_ground_under_a_bridge_is_not_allowed_for():
    """A street 60 m from a bridge: off the ground nobody walks to it, off a street one may."""
    places = {1: (0, 0), 2: (400, 0), 3: (200, 60), 4: (200, 400)}
    for tags, beyond in ((BRIDGE, 1), (STREET, 0)):
        net = network(places, [((1, 2), tags), ((3, 4), STREET)])
        iso = cg.isochrones(
            net, points([(0, 0)]), minutes=5, direction="from", method="buffer", offroad_kmh=36
        )
        iso["geometry"] = iso.to_crs(net.metric_crs).convex_hull.buffer(100).to_crs(iso.crs)
        found = check(iso)
        assert found["unreached_nodes_inside"].tolist() == [beyond]
        assert found["unreached_nodes_within_allowance"].tolist() == [1 - beyond]


def test_nodes_of_other_districts_are_reached():
    iso = cg.isochrones(CITY, points([(-300, 0), (300, 0)]), minutes=1, direction="from", overlap="split")
    assert_good(check(iso), 0.99)
    whole = shapely.union_all(iso.geometry.to_numpy())
    iso["geometry"] = [whole, whole]
    assert check(iso)["unreached_nodes_inside"].tolist() == [0, 0]


def test_nothing_reached_has_no_recall():
    net = network({1: (0, 0), 2: (1000, 0)}, [((1, 2), STREET)])
    iso = cg.isochrones(
        net, points([(500, 0), (500, 0)], delay=[0, 600]), minutes=5, direction="from", delay_s="delay"
    )
    found = check(iso)
    assert found["reached_km"].tolist() == [pytest.approx(1.0, rel=1e-3), 0.0]
    assert found["recall"].tolist()[0] == 1
    assert np.isnan(found["recall"].iloc[1])
    assert found["vertices"].iloc[1] == 0


def test_a_place_without_a_way_on_is_covered_or_not():
    net = network(
        {1: (0, 0), 2: (1000, 0), 3: (2000, 0)}, [((1, 2), STREET), ((2, 3), ONEWAY)], mode=toy_mode()
    )
    iso = cg.isochrones(net, points([(2000, 0)]), minutes=5, direction="from")
    assert check(iso)["recall"].tolist() == [1]
    iso["geometry"] = [shapely.Point(0, 0).buffer(1e-3)]
    assert check(iso)["recall"].tolist() == [0]


def test_only_polygons_are_checked(real):
    iso = cg.isochrones(*real, minutes=3, direction="from", kind="edges")
    with pytest.raises(errors.InputError, match="CG-IN-004"):
        check(iso)


def test_distances_to_capsules_are_those_to_their_hulls():
    rng = np.random.default_rng(1)
    n = 400
    pieces = Capsules(rng.uniform(0, 50, (n, 2)), rng.uniform(0, 50, (n, 2)), rng.uniform(0, 60, (n, 2)))
    pieces.end[:20] = pieces.start[:20]
    pieces.radius[20:40, 1] = pieces.radius[20:40, 0]
    xy = rng.uniform(-50, 100, (n, 2))
    found = distance_m(xy, pieces)
    hull = hulls(pieces, quad_segs=500)
    np.testing.assert_allclose(np.maximum(found, 0), shapely.distance(hull, shapely.points(xy)), atol=1e-3)
    inside = shapely.contains_xy(hull, *xy.T)
    assert (found[inside] <= 1e-3).all()
    assert 50 < inside.sum() < n - 50


def test_share_inside_weighs_by_length():
    lines = shapely.linestrings([[(0, 0), (30, 0)], [(0, 5), (10, 5)]])
    assert share_inside(shapely.box(0, -1, 20, 10), lines) == pytest.approx(30 / 40)
    assert share_inside(shapely.box(0, -1, 20, 1), lines) == pytest.approx(20 / 40)
    assert share_inside(shapely.MultiPolygon(), lines) == 0
