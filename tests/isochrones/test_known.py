"""
Isochrones of little cities whose answers can be worked out by hand.

100 ms a metre on streets; off the road 1 m/s, so that r seconds that are left are r metres of ground. Facilities are
given in the network's metric CRS, UTM, in which the toy cities are 0.9996 as long as on the ground.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo import errors
from tests.toy import ONEWAY, STREET, grid_city, network, points, toy_mode

SCALE = 0.9996  # UTM at its central meridian
ROAD_M = 10.0  # least half width at which a reached road is drawn
CELL_M = 10.0
DRAWN = ("contour", "buffer")
METHODS = (*DRAWN, "cells")
BRIDGE = {**STREET, "bridge": "yes", "layer": "1"}
TUNNEL = {**STREET, "tunnel": "yes", "layer": "-1"}
drawn = pytest.mark.parametrize("method", DRAWN)
every_method = pytest.mark.parametrize("method", METHODS)

#    1 ---- 1000 m ---- 2 ---- 1000 m ---- 3
LINE = network(
    {1: (0, 0), 2: (1000, 0), 3: (2000, 0), 4: (1000, 1000)}, [((1, 2, 3), STREET), ((2, 4), STREET)]
)
STRAIGHT = network({1: (-1500, 0), 2: (1500, 0)}, [((1, 2), STREET)])


def metric(net, places, **columns):
    """Facilities at metre places, in the network's metric CRS."""
    return points(places, **columns).to_crs(net.metric_crs)


def ask(net, places, minutes, **options):
    facilities = places if hasattr(places, "geometry") else metric(net, places)
    return cg.isochrones(net, facilities, minutes=minutes, **({"direction": "from"} | options))


def reached(net, places, minutes, **options):
    """The edges table, with ids of the ends and the length of each edge."""
    table = ask(net, places, minutes, kind="edges", **options)
    net = table.network  # barriers cut streets
    edge = table["edge"].fillna(0).to_numpy().astype(int)
    u, v = net.arrays["node_id"][net.arrays["edge_node"].astype(int)[edge]].T
    return table.assign(u=u, v=v, length_m=net.length_m[edge])


def polygon(net, places, minutes, method, **options):
    """The one polygon of one facility, drawn finely."""
    table = ask(net, places, minutes, kind="polygons", method=method, **({"cell_m": CELL_M} | options))
    assert len(table) == 1
    shape = table.geometry.iloc[0]
    assert shapely.is_valid(shape)
    assert table["area_km2"].iloc[0] == pytest.approx(shape.area / 1e6, rel=1e-6)
    return shape


def spot(*place):
    """A metre place in UTM."""
    return shapely.Point(500_000 + SCALE * place[0], SCALE * place[1])


def box(west, south, east, north):
    return shapely.box(*shapely.get_coordinates([spot(west, south), spot(east, north)]).ravel())


def stretches(table, digits=2):
    """Reached stretches by ends of edges, the lower node id first: ((u, v), from_m, to_m, from_s, to_s)."""
    found = []
    columns = ["u", "v", "length_m", "from_m", "to_m", "time_from_s", "time_to_s"]
    for row in table.loc[table.geometry.notna(), columns].itertuples(index=False):
        u, v, length, low, high, first, last = row
        if u > v:
            u, v, low, high, first, last = v, u, length - high, length - low, last, first
        found.append(((u, v), *(round(float(number), digits) + 0.0 for number in (low, high, first, last))))
    return sorted(found)


def length_of(table):
    return float((table["to_m"] - table["from_m"]).sum())


# --- the street is all there is ---


def test_start_in_the_middle_of_an_edge():
    """400 m along 1-2, 2 minutes = 1200 m: all of 1-2, and 600 m into both streets beyond."""
    assert stretches(reached(LINE, [(400, 0)], 2)) == [
        ((1, 2), 0.0, 400.0, 40.0, 0.0),
        ((1, 2), 400.0, 1000.0, 0.0, 60.0),
        ((2, 3), 0.0, 600.0, 60.0, 120.0),
        ((2, 4), 0.0, 600.0, 60.0, 120.0),
    ]


def test_lines_are_cut_where_the_time_runs_out():
    table = reached(LINE, [(400, 0)], 2)
    ends = {tuple(np.round(place, 1)) for line in table.geometry for place in shapely.get_coordinates(line)}
    expected = [(0, 0), (400, 0), (1000, 0), (1600, 0), (1000, 600)]
    assert ends == {tuple(np.round(shapely.get_coordinates(spot(*place))[0], 1)) for place in expected}
    assert set(table.geom_type) == {"LineString"}


# a half circle of 1000 m radius round the origin, as one edge
CURVE = network(
    {i: (1000 * math.cos(math.radians(i)), 1000 * math.sin(math.radians(i))) for i in range(181)},
    [(range(181), STREET)],
)


def test_long_curved_edge_with_a_start_in_its_middle():
    """600 m to each side along the bend: 0.6 of a radian."""
    assert CURVE.n_edges == 1
    table = reached(CURVE, [(0, 1000)], 1)
    assert length_of(table) == pytest.approx(1200, abs=0.01)
    assert table[["time_from_s", "time_to_s"]].max(axis=1).tolist() == pytest.approx([60, 60], abs=0.002)
    assert table[["time_from_s", "time_to_s"]].min(axis=1).tolist() == pytest.approx([0, 0], abs=0.002)
    west, _, east, north = table.total_bounds
    tip = spot(1000 * math.sin(0.6), 0).x
    assert (west, east) == pytest.approx((1_000_000 - tip, tip), abs=0.2)
    assert north == pytest.approx(spot(0, 1000).y, abs=0.01)


@drawn
def test_polygon_follows_the_bend(method):
    shape = polygon(CURVE, [(0, 1000)], 1, method)
    for angle in (-0.59, -0.3, 0.0, 0.3, 0.59):
        assert shape.covers(spot(1000 * math.sin(angle), 1000 * math.cos(angle)))
    # the chord between its tips lies 175 m inside the bend
    assert not shape.intersects(spot(0, 1000 * math.cos(0.6)))
    # 60 m beside the start and no farther: no more time is left
    assert shape.covers(spot(0, 1000 - 55))
    assert not shape.intersects(spot(0, 1000 - 65))


TRAP = network({1: (0, 0), 2: (1000, 0), 3: (2000, 0)}, [((1, 2), STREET), ((2, 3), ONEWAY)])


def test_one_way_trap():
    """2 -> 3 is a one-way street into a dead end: who is in it gets to its end only, and it can be left by nobody."""
    assert stretches(reached(TRAP, [(1500, 0)], 5)) == [((2, 3), 500.0, 1000.0, 0.0, 50.0)]
    assert length_of(reached(TRAP, [(2000, 0)], 5)) == pytest.approx(0, abs=0.01)
    assert stretches(reached(TRAP, [(1500, 0)], 2, direction="to")) == [
        ((1, 2), 300.0, 1000.0, 120.0, 50.0),
        ((2, 3), 0.0, 500.0, 50.0, 0.0),
    ]
    # the whole trap from before it, in its direction only
    assert stretches(reached(TRAP, [(900, 0)], 2.5)) == [
        ((1, 2), 0.0, 900.0, 90.0, 0.0),
        ((1, 2), 900.0, 1000.0, 0.0, 10.0),
        ((2, 3), 0.0, 1000.0, 10.0, 110.0),
    ]


@every_method
def test_who_cannot_go_anywhere_is_still_there(method):
    """At the end of the trap no road is left to go, but the place itself and the ground around it are reached."""
    table = ask(TRAP, [(2000, 0)], 5, kind="polygons", method=method, cell_m=CELL_M)
    assert table["status"].tolist() == ["ok"]
    assert table["reached_km"].tolist() == pytest.approx([0], abs=1e-5)
    assert table.geometry.iloc[0].covers(spot(2000, 0))
    if method in DRAWN:
        assert table.geometry.iloc[0].area == pytest.approx(math.pi * 100**2, rel=0.01)


ARMS = {"east": (1, 0), "north": (0, 1), "west": (-1, 0), "south": (0, -1)}
ROUND = {i: (20 * math.cos(math.radians(10 * i)), 20 * math.sin(math.radians(10 * i))) for i in range(36)}
ROUNDABOUT = network(
    ROUND | {100 + i: (220 * x, 220 * y) for i, (x, y) in enumerate(ARMS.values())},
    [
        ((*range(36), 0), {**STREET, "junction": "roundabout"}),
        *(((9 * i, 100 + i), STREET) for i in range(4)),
    ],
)


def test_roundabout_is_driven_round():
    """From the east 20 s = 200 m: against the clock by north and west to the south, never straight to the south."""
    quarter = 9 * 2 * 20 * math.sin(math.radians(5))
    table = reached(ROUNDABOUT, [(120, 0)], 20 / 60)
    by_edge = {}
    for ends, low, high, *_ in stretches(table):
        by_edge[ends] = by_edge.get(ends, 0) + high - low
    left = [100 - turns * quarter for turns in range(4)]
    assert by_edge == pytest.approx(
        {
            (0, 100): 200.0, (9, 101): left[1], (18, 102): left[2], (27, 103): left[3],
            (0, 9): quarter, (9, 18): quarter, (18, 27): quarter, (0, 27): left[3],
        }, abs=0.05,
    )  # fmt: skip


def test_roundabout_the_other_way_round_to_the_facility():
    """Who comes from the south is there after a quarter, from the north after three."""
    times = cg.travel_times(
        ROUNDABOUT, points([(0, -120), (-120, 0), (0, 120)]), points([(120, 0)])
    )["time_s"]  # fmt: skip
    quarter = 9 * 2 * 20 * math.sin(math.radians(5))
    assert times.tolist() == pytest.approx([20 + turns * quarter / 10 for turns in (1, 2, 3)], abs=0.002)
    table = reached(ROUNDABOUT, [(120, 0)], (10 + 2 * quarter / 10 + 1) / 60, direction="to")
    by_edge = {ends: high - low for ends, low, high, *_ in stretches(table)}
    assert by_edge[18, 102] == pytest.approx(10, abs=0.05)
    assert (9, 101) not in by_edge


def test_dead_end():
    """A street of 50 m that ends: reached whole, once, and nothing behind it."""
    net = network({1: (-500, 0), 2: (0, 0), 3: (500, 0), 4: (0, 50)}, [((1, 2, 3), STREET), ((2, 4), STREET)])
    table = reached(net, [(-100, 0)], 1)
    assert stretches(table)[-1] == ((2, 4), 0.0, 50.0, 10.0, 15.0)
    assert length_of(table) == pytest.approx(400 + 600 + 50 - 0.0, abs=0.02)


@drawn
def test_polygon_at_a_dead_end(method):
    """At the end of the dead end 45 s are left of a minute: 45 m, and a disc of ground there."""
    net = network({1: (-500, 0), 2: (0, 0), 3: (500, 0), 4: (0, 50)}, [((1, 2, 3), STREET), ((2, 4), STREET)])
    shape = polygon(net, [(-100, 0)], 1, method)
    assert shape.covers(spot(0, 50 + 44))
    assert not shape.intersects(spot(0, 50 + 46.5))
    assert shape.covers(spot(30, 50 + 30))  # 42 m from the end
    assert not shape.intersects(spot(35, 50 + 35))  # 49 m


# --- what passes over and under ---

# two banks, the river between y = 40 and 60, one bridge 900 m east
RIVER_CITY = network(
    {
        1: (-1000, 0), 2: (900, 0), 3: (1000, 0),
        11: (-1000, 150), 12: (900, 150), 13: (1000, 150), 20: (900, 38), 21: (900, 62),
    },
    [
        ((1, 2, 3), STREET), ((11, 12, 13), STREET),
        ((2, 20), STREET), ((20, 21), BRIDGE), ((21, 12), STREET),
    ],
)  # fmt: skip
RIVER = box(-3000, 40, 3000, 60)
FAR_BANK = box(-3000, 60.5, 3000, 3000)


def river(net, *, as_line=False):
    import geopandas as gpd

    shape = shapely.LineString([spot(-3000, 50), spot(3000, 50)]) if as_line else RIVER
    return gpd.GeoDataFrame({"name": ["river"]}, geometry=[shape], crs=net.metric_crs)


def test_river_is_crossed_by_the_bridge_only():
    near = reached(RIVER_CITY, [(-600, 0)], 2)
    assert near.total_bounds[3] < spot(0, 1).y
    assert length_of(near) == pytest.approx(400 + 1200, abs=0.02)
    # the bridge is 1500 m away; 750 m are left on the other side
    far = reached(RIVER_CITY, [(-600, 0)], 4)
    other_side = [row for row in stretches(far) if row[0][0] > 10 and 20 not in row[0]]
    assert other_side == [((11, 12), 1150.0, 1900.0, 240.0, 165.0), ((12, 13), 0.0, 100.0, 165.0, 175.0)]


@drawn
def test_ground_across_a_river_with_its_bridge_out_of_range(method):
    """Off the road 100 m at most: without the river told, the far bank is reached as far as that."""
    open_ground = polygon(RIVER_CITY, [(-600, 0)], 2, method)
    assert open_ground.covers(spot(-600, 98))
    assert not open_ground.intersects(box(-3000, 101, 3000, 3000))
    for as_line in (False, True):
        shape = polygon(RIVER_CITY, [(-600, 0)], 2, method, barriers=river(RIVER_CITY, as_line=as_line))
        assert shape.covers(spot(-600, 35))
        assert not shape.intersects(FAR_BANK)
        assert not as_line or shape.covers(spot(-600, 48))
        assert as_line or not shape.intersects(shapely.buffer(RIVER, -0.5))
        # the side that has no river is as it was
        south = box(-3000, -3000, 3000, 0)
        assert shape.intersection(south).area == pytest.approx(open_ground.intersection(south).area, rel=1e-3)


@drawn
@pytest.mark.parametrize("as_line", [False, True])
def test_bridge_over_a_river_that_is_a_barrier(method, as_line):
    """The bridge stays open; on the far bank 750 m of street and the ground along it, none of it from this side."""
    barriers = river(RIVER_CITY, as_line=as_line)
    far = reached(RIVER_CITY, [(-600, 0)], 4, barriers=barriers)
    assert length_of(far) == pytest.approx(length_of(reached(RIVER_CITY, [(-600, 0)], 4)), abs=0.02)
    shape = polygon(RIVER_CITY, [(-600, 0)], 4, method, barriers=barriers)
    bridge = shapely.LineString([spot(900, 0), spot(900, 150)])
    assert shape.covers(bridge)
    # the polygon ends at the bank: not its rim but what is in the water
    water = box(-3000, 49.8, 3000, 50.2) if as_line else shapely.buffer(RIVER, -0.001)
    assert shapely.buffer(bridge, ROAD_M + CELL_M).covers(shape.intersection(water))
    assert shape.covers(spot(880, 85))  # 65 m off the far street, where 73 s are left
    assert not shape.intersects(spot(-600, 65))


def test_cells_of_a_river_city_are_those_of_the_near_bank():
    table = ask(RIVER_CITY, [(-600, 0)], 2, kind="cells", resolution=11)
    import h3

    lines = reached(RIVER_CITY, [(-600, 0)], 2).to_crs(4326).geometry
    places = shapely.get_coordinates(lines.segmentize(5e-6).to_numpy())
    passed = {h3.latlng_to_cell(lat, lon, 11) for lon, lat in places}
    assert passed <= set(table["cell"])
    assert all(shapely.distance(lines.union_all(), table.to_crs(4326).geometry) < 1e-9)


# a motorway, a street on either side of it, and one footbridge
FOOT_STREET = {"highway": "residential"}
FOOT_CITY = network(
    {
        1: (-500, -50), 2: (200, -50), 3: (500, -50), 11: (-500, 50), 12: (200, 50), 13: (500, 50),
        30: (-2000, 0), 31: (2000, 0),
    },
    [
        ((1, 2, 3), FOOT_STREET), ((11, 12, 13), FOOT_STREET), ((2, 12), {"highway": "footway", "bridge": "yes"}),
        ((30, 31), {"highway": "motorway"}),
    ],
    cg.travel_mode("walk"),
)  # fmt: skip


def motorway(net):
    import geopandas as gpd

    line = shapely.LineString([spot(-2000, 0), spot(2000, 0)])
    return gpd.GeoDataFrame(geometry=[line], crs=net.metric_crs)


def test_motorway_crossed_by_a_footbridge_only():
    """80 m a minute: 200 m to the stairs, 100 m over the bridge, 100 m to either side of it."""
    table = reached(FOOT_CITY, [(0, -50)], 5)
    assert [row[:3] for row in stretches(table)] == [
        ((1, 2), 100.0, 500.0),
        ((1, 2), 500.0, 700.0),
        ((2, 3), 0.0, 200.0),
        ((2, 12), 0.0, 100.0),
        ((11, 12), 600.0, 700.0),
        ((12, 13), 0.0, 100.0),
    ]
    short = reached(FOOT_CITY, [(0, -50)], 3.5)
    assert [row[:3] for row in stretches(short) if row[0] == (2, 12)] == [((2, 12), 0.0, 80.0)]
    assert all(row[0][1] <= 12 and row[0][0] != 11 for row in stretches(short))


@drawn
def test_nobody_walks_across_the_motorway(method):
    """The footbridge is in range, not its end: north of the motorway there is the bridge and nothing else."""
    shape = polygon(FOOT_CITY, [(0, -50)], 3.5, method, barriers=motorway(FOOT_CITY))
    north = shape.intersection(box(-3000, 0.5, 3000, 3000))
    bridge = shapely.LineString([spot(200, -50), spot(200, 30)])
    assert shape.covers(bridge)
    assert shapely.buffer(bridge, ROAD_M + CELL_M).covers(north)
    assert shape.covers(spot(0, -5))
    # without the barrier people are thought to cross: 1.33 m/s, but never farther than trim_m
    careless = polygon(FOOT_CITY, [(0, -50)], 3.5, method)
    assert careless.covers(spot(0, 45))
    assert not careless.intersects(box(-3000, 51, 3000, 3000))


def test_end_of_the_footbridge_opens_the_other_side():
    shape = polygon(FOOT_CITY, [(0, -50)], 5, "contour", barriers=motorway(FOOT_CITY))
    assert shape.covers(spot(200, 100))
    assert shape.covers(spot(120, 60))
    assert not shape.intersects(spot(0, 10))


# mainland 1 - 2, ferry 2 - 3, island 3 - 4
FERRY_CITY = network(
    {1: (-1000, 0), 2: (0, 0), 3: (1000, 0), 4: (2000, 0)},
    [((1, 2), STREET), ((2, 3), {"route": "ferry", "duration": "00:02"}), ((3, 4), STREET)],
    toy_mode(ferry_kmh=10),
)


def test_ferry():
    """30 s to the quay, two minutes on the water, 90 s = 900 m on the island."""
    assert stretches(reached(FERRY_CITY, [(-300, 0)], 4)) == [
        ((1, 2), 0.0, 700.0, 70.0, 0.0),
        ((1, 2), 700.0, 1000.0, 0.0, 30.0),
        ((2, 3), 0.0, 1000.0, 30.0, 150.0),
        ((3, 4), 0.0, 900.0, 150.0, 240.0),
    ]


@drawn
def test_water_beside_a_ferry_is_not_reached(method):
    shape = polygon(FERRY_CITY, [(-300, 0)], 4, method)
    assert shape.covers(shapely.LineString([spot(-1000, 0), spot(1890, 0)]))
    assert shape.covers(spot(500, 8))
    for x in (150, 500, 850):
        assert not shape.intersects(spot(x, ROAD_M + CELL_M))
    # the quays are ground: 100 m around the first, 90 s are left at the second
    assert shape.covers(spot(0, 95))
    assert shape.covers(spot(1000, 85))
    assert not shape.intersects(spot(1000, 93))


# a street along y = 0 and a tunnel under it, x = 0, which comes up 500 m to the south
TUNNEL_CITY = network(
    {1: (-500, 0), 2: (500, 0), 3: (-500, -500), 4: (0, -500), 5: (0, 500), 6: (0, 900)},
    [((2, 1, 3, 4), STREET), ((4, 5), TUNNEL), ((5, 6), STREET)],
)


def test_tunnel_under_the_start():
    """The street is left by its west end: 530 + 500 + 500 m to the mouth of the tunnel under the start."""
    near = reached(TUNNEL_CITY, [(30, 0)], 1)
    assert length_of(near) == pytest.approx(470 + 600, abs=0.02)
    assert near.geometry.distance(spot(0, -250)).min() > 200
    far = reached(TUNNEL_CITY, [(30, 0)], 3)
    assert far["time_to_s"].max() == pytest.approx(180)
    lines = far[far.geometry.intersects(spot(0, -300).buffer(1))]
    assert lines.length.sum() > 0
    assert far.geometry.distance(spot(0, -231)).min() < 0.1
    assert far.geometry.distance(spot(0, -200)).min() > 29


@drawn
def test_nobody_walks_out_of_a_tunnel(method):
    near = polygon(TUNNEL_CITY, [(30, 0)], 1, method)
    assert not near.intersects(box(-100, -450, 100, -105))
    far = polygon(TUNNEL_CITY, [(30, 0)], 3, method)
    under_ground = far.intersection(box(-380, -400, 400, -110))
    tunnel = shapely.LineString([spot(0, -500), spot(0, -230)])
    assert under_ground.area > 0
    assert shapely.buffer(tunnel, ROAD_M + 0.6 * CELL_M).covers(under_ground)
    assert far.covers(shapely.LineString([spot(0, -500), spot(0, -231)]))
    # at its mouth 27 s are left
    assert far.covers(spot(0, -525))
    assert far.covers(spot(20, -510))
    assert not far.intersects(spot(0, -530))


# a street along y = 0 whose middle, 200 m, is a bridge over the street along x = 0
BRIDGE_CITY = network(
    {1: (-1000, 0), 2: (-100, 0), 3: (100, 0), 4: (1000, 0), 5: (0, -1000), 6: (0, 1000)},
    [((1, 2), STREET), ((2, 3), BRIDGE), ((3, 4), STREET), ((5, 6), STREET)],
)


@pytest.mark.filterwarnings("ignore:CG-NET-011")
def test_bridge_over_a_street_links_nothing():
    over = reached(BRIDGE_CITY, [(-500, 0)], 2)
    assert length_of(over) == pytest.approx(500 + 1200, abs=0.02)
    assert over.total_bounds[1:4:2] == pytest.approx((0, 0), abs=0.01)
    under = reached(BRIDGE_CITY, [(0, -500)], 2)
    assert length_of(under) == pytest.approx(500 + 1200, abs=0.02)
    assert under.total_bounds[:3:2] == pytest.approx((500_000, 500_000), abs=0.01)


@drawn
@pytest.mark.filterwarnings("ignore:CG-NET-011")
def test_bridge_does_not_bleed(method):
    shape = polygon(BRIDGE_CITY, [(-500, 0)], 2, method)
    assert shape.covers(shapely.LineString([spot(-1000, 0), spot(699, 0)]))
    assert shape.covers(spot(-300, 95))  # 20 s: the ground beside the street
    assert shape.covers(spot(0, 8))
    assert not shape.intersects(spot(0, ROAD_M + CELL_M))  # beside the bridge, although 70 s are left
    assert not shape.intersects(spot(0, 60))
    # the street below is crossed by the strip of the bridge, and stays unreached otherwise
    below = shapely.LineString([spot(0, -1000), spot(0, 1000)])
    assert shape.intersection(below).length <= 2 * (ROAD_M + CELL_M)


# --- several facilities, bands, states of facilities ---


def test_two_facilities_on_one_edge():
    """At 200 and 500 m, 20 s = 200 m each: they overlap between 300 and 400."""
    places = [(200, 0), (500, 0)]
    apart = reached(LINE, places, 20 / 60)
    assert stretches(apart[apart["facility"] == 0]) == [
        ((1, 2), 0.0, 200.0, 20.0, 0.0),
        ((1, 2), 200.0, 400.0, 0.0, 20.0),
    ]
    assert stretches(apart[apart["facility"] == 1]) == [
        ((1, 2), 300.0, 500.0, 20.0, 0.0),
        ((1, 2), 500.0, 700.0, 0.0, 20.0),
    ]
    meeting = [
        ((1, 2), 0.0, 200.0, 20.0, 0.0),
        ((1, 2), 200.0, 350.0, 0.0, 15.0),
        ((1, 2), 350.0, 500.0, 15.0, 0.0),
        ((1, 2), 500.0, 700.0, 0.0, 20.0),
    ]
    together = reached(LINE, places, 20 / 60, overlap="dissolve")
    assert stretches(together) == meeting
    assert "facility" not in together
    split = reached(LINE, places, 20 / 60, overlap="split")
    assert stretches(split) == meeting
    assert stretches(split[split["facility"] == 0]) == meeting[:2]
    assert stretches(split[split["facility"] == 1]) == meeting[2:]


def test_split_is_cut_where_both_are_at_the_same_time():
    """The second sets out 5 s later: they meet 25 m nearer to it. On a one-way street the first has it all ahead."""
    places = metric(LINE, [(200, 0), (500, 0)], turnout=[0, 5])
    split = reached(LINE, places, 20 / 60, overlap="split", delay_s="turnout")
    assert stretches(split) == [
        ((1, 2), 0.0, 200.0, 20.0, 0.0),
        ((1, 2), 200.0, 375.0, 0.0, 17.5),
        ((1, 2), 375.0, 500.0, 17.5, 5.0),
        ((1, 2), 500.0, 650.0, 5.0, 20.0),
    ]
    trap = reached(TRAP, [(1200, 0), (1500, 0)], 0.5, overlap="split")
    assert stretches(trap) == [((2, 3), 200.0, 500.0, 0.0, 30.0), ((2, 3), 500.0, 800.0, 0.0, 30.0)]
    assert trap["facility"].tolist() == [0, 1]


def test_who_stands_where_another_is_sooner_has_nothing():
    """The second needs a minute to set out; the first has passed by then."""
    places = metric(LINE, [(400, 0), (500, 0)], turnout=[0, 60])
    split = reached(LINE, places, 2, overlap="split", delay_s="turnout")
    assert split["facility"].tolist().count(1) <= 1, "nothing, or a row that says so"
    assert split.loc[split["facility"] == 1].geometry.isna().all()
    assert length_of(split[split["facility"] == 0]) == pytest.approx(1000 + 600 + 600, abs=0.02)
    # equal times: the first row has it all
    twins = reached(LINE, [(400, 0), (400, 0)], 2, overlap="split")
    assert length_of(twins[twins["facility"] == 0]) == pytest.approx(2200, abs=0.02)
    assert twins.loc[twins["facility"] == 1].geometry.isna().all()


@drawn
def test_polygons_of_two_facilities_on_one_edge(method):
    places = [(-300, 0), (300, 0)]
    options = {"kind": "polygons", "method": method, "cell_m": CELL_M}
    apart = ask(STRAIGHT, places, 1, **options)
    assert apart["reached_km"].tolist() == pytest.approx([1.2, 1.2], abs=1e-4)
    dissolved = ask(STRAIGHT, places, 1, overlap="dissolve", **options)
    assert dissolved["reached_km"].tolist() == pytest.approx([1.8], abs=1e-4)
    split = ask(STRAIGHT, places, 1, overlap="split", **options)
    assert split["reached_km"].tolist() == pytest.approx([0.9, 0.9], abs=1e-4)
    west, east = split.geometry
    assert west.intersection(east).area == pytest.approx(0, abs=1e-6)
    # corners of tiles lie on a millimetre grid
    whole = dissolved.geometry.iloc[0]
    assert west.union(east).area == pytest.approx(whole.area, abs=0.001 * whole.length)
    # mirror images of one another: cut at x = 0
    assert west.area == pytest.approx(east.area, rel=0.01)
    assert (west.bounds[2], east.bounds[0]) == pytest.approx((500_000, 500_000), abs=CELL_M)


def islands():
    return network(
        {1: (0, 0), 2: (1000, 0), 3: (5000, 0), 4: (5500, 0), 5: (500, 500)},
        [((1, 2, 5), STREET), ((3, 4), STREET)],
    )


@every_method
def test_facility_on_an_island(method):
    net = islands()
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-011"):
        table = ask(net, [(5250, 0)], 60, kind="polygons", method=method, cell_m=CELL_M)
    assert table["status"].tolist() == ["ok"]
    assert table["reached_km"].tolist() == pytest.approx([0.5], abs=1e-4)
    assert "CG-NET-011" in table.issues["code"].tolist()
    assert table.total_bounds[0] > spot(4000, 0).x
    if method in DRAWN:
        expected = 2 * 100 * 500 * SCALE + math.pi * 100**2
        assert table["area_km2"].iloc[0] * 1e6 == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("kind", ["edges", "polygons", "cells"])
def test_facility_that_is_not_on_the_network(kind):
    """199 m off the road is within the cap of 200 m, 201 m is not; a row without geometry says so."""
    places = metric(LINE, [(500, 199), (500, 201), (500, 0)], name=["near", "far", "nowhere"])
    places.loc[2, "geometry"] = None
    places = places.set_index("name")
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-013|CG-GEO-002"):
        table = ask(LINE, places, [3, 5], kind=kind)
    status = table.groupby(level=0, sort=False)["status"].unique()
    assert status["near"].tolist() == ["out_of_range", "ok"]
    assert status["far"].tolist() == ["not_snapped"]
    assert status["nowhere"].tolist() == ["no_geometry"]
    for name in ("far", "nowhere"):
        rows = table.loc[[name]]
        assert rows["minutes"].tolist() == [3, 5]
        assert (rows.geometry.isna() | rows.geometry.is_empty).all()
    assert table.loc[["far"], "snap_distance_m"].tolist() == pytest.approx([201 * SCALE] * 2, abs=0.1)
    assert table.snaps["status"].tolist() == ["ok", "not_snapped", "no_geometry"]


@pytest.mark.parametrize("kind", ["edges", "polygons", "cells"])
def test_delay_longer_than_the_band(kind):
    places = metric(LINE, [(500, 0), (500, 0)], turnout=[0, 90])
    table = ask(LINE, places, [1, 2], kind=kind, delay_s="turnout", overlap="overlap")
    late = table[table["facility"] == 1]
    assert late.loc[late["minutes"] == 1, "status"].tolist() == ["out_of_range"]
    assert set(late.loc[late["minutes"] == 2, "status"]) == {"ok"}
    assert late[late["minutes"] == 1].geometry.isna().all() or late[late["minutes"] == 1].is_empty.all()
    if kind == "polygons":
        assert table.loc[table["minutes"] == 2, "reached_km"].tolist() == pytest.approx([2.4, 0.6], abs=1e-4)


def test_the_stretch_to_the_road_is_charged():
    """100 m off the road are 100 s, the delay 20 s: a minute of three is left."""
    table = ask(LINE, [(500, 100)], [2, 3], kind="polygons", delay_s=20)
    assert table["snap_distance_m"].tolist() == pytest.approx([100 * SCALE] * 2, abs=0.1)
    assert table["status"].tolist() == ["ok", "ok"]  # UTM measures 99.96 m: 0.04 s are left of two minutes
    assert table["reached_km"].iloc[1] == pytest.approx(0.5 + 0.5 + 0.1 + 0.1, abs=0.003)


def test_disks_and_rings_of_roads():
    disks = reached(LINE, [(400, 0)], [1, 2, 3])
    assert disks["from_minutes"].unique().tolist() == [0]
    assert [length_of(disks[disks["minutes"] == band]) for band in (1, 2, 3)] == pytest.approx(
        [1000, 2200, 3000], abs=0.05
    )
    rings = reached(LINE, [(400, 0)], [1, 2, 3], bands="rings")
    by_band = rings.groupby("minutes")["from_minutes"].unique().explode()
    assert by_band.to_dict() == {1: 0, 2: 1, 3: 2}
    assert [length_of(rings[rings["minutes"] == band]) for band in (1, 2, 3)] == pytest.approx(
        [1000, 1200, 800], abs=0.05
    )
    assert stretches(rings[rings["minutes"] == 3]) == [
        ((2, 3), 600.0, 1000.0, 120.0, 160.0),
        ((2, 4), 600.0, 1000.0, 120.0, 160.0),
    ]
    assert (rings["time_to_s"].clip(lower=rings["time_from_s"]) <= 60 * rings["minutes"] + 1e-9).all()
    assert (rings["time_to_s"].clip(upper=rings["time_from_s"]) >= 60 * rings["from_minutes"] - 1e-9).all()


@drawn
def test_disks_and_rings_of_ground(method):
    options = {"kind": "polygons", "method": method, "cell_m": CELL_M}
    disks = ask(LINE, [(400, 0)], [1, 2, 3], **options)
    rings = ask(LINE, [(400, 0)], [1, 2, 3], bands="rings", **options)
    assert disks["minutes"].tolist() == rings["minutes"].tolist() == [1, 2, 3]
    assert disks["from_minutes"].tolist() == [0, 0, 0]
    assert rings["from_minutes"].tolist() == [0, 1, 2]
    areas = [shape.area for shape in disks.geometry]
    assert [shape.area for shape in rings.geometry] == pytest.approx(np.diff([0, *areas]).tolist(), rel=1e-9)
    for one, other in itertools.combinations(rings.geometry, 2):
        assert one.intersection(other).area == pytest.approx(0, abs=1e-6)
    assert disks["reached_km"].tolist() == pytest.approx([1.0, 2.2, 3.0], abs=1e-4)
    # the inner ring's ground is not in the outer one: beside the start
    assert rings.geometry.iloc[0].covers(spot(400, 50))
    assert not rings.geometry.iloc[1].intersects(spot(400, 50))
    assert rings.geometry.iloc[1].covers(spot(400, 80))


def test_a_second_is_enough_for_a_result():
    for kind in ("edges", "polygons", "cells"):
        table = ask(LINE, [(400, 0)], 1 / 60, kind=kind)
        assert set(table["status"]) == {"ok"}
        assert not table.geometry.is_empty.any()
    assert length_of(reached(LINE, [(400, 0)], 1 / 60)) == pytest.approx(20, abs=0.01)


def test_exactly_on_time_is_inside():
    """1000 m are 100 s: with 99.999 s the last centimetre is missing."""
    on_time = stretches(reached(TRAP, [(0, 0)], 100 / 60), digits=4)
    assert on_time == [((1, 2), 0.0, 1000.0, 0.0, 100.0)]
    late = stretches(reached(TRAP, [(0, 0)], 99.999 / 60), digits=4)
    assert late == [((1, 2), 0.0, 999.99, 0.0, 99.999)]


# --- closed forms ---

GRID = grid_city(20, 100)


@pytest.mark.parametrize(("k", "left"), [(1, 0), (4, 0), (4, 30), (6, 99), (9, 50)])
def test_grid_city(k, left):
    """Within k blocks and r m of a junction: 2k^2 + 2k + 1 junctions, 4k^2 s + (8k + 4) r of street."""
    table = reached(GRID, [(0, 0)], (k * 100 + left + 0.001) * 0.1 / 60)
    assert length_of(table) == pytest.approx(4 * k * k * 100 + (8 * k + 4) * left, abs=0.5)
    ends = GRID.arrays["edge_node"].astype(int)[table["edge"]]
    whole = np.column_stack((table["from_m"] < 0.01, GRID.length_m[table["edge"]] - table["to_m"] < 0.01))
    assert len(set(ends[whole].tolist())) == 2 * k * k + 2 * k + 1
    dissolved = ask(GRID, [(0, 0)], (k * 100 + left) * 0.1 / 60, kind="polygons", overlap="dissolve")
    assert dissolved["reached_km"].iloc[0] == pytest.approx(length_of(table) / 1000, abs=1e-3)


@pytest.mark.parametrize("method", DRAWN)
def test_area_of_a_dense_grid_is_a_diamond(method):
    """2 R^2, and a seam around it."""
    net = grid_city(40, 25)
    radius = 400.0
    shape = polygon(net, [(0, 0)], radius * 0.1 / 60, method, offroad_kmh=0.36, trim_m=15)
    seam = 4 * math.sqrt(2) * radius * 10 + math.pi * 100
    assert (
        2 * radius**2 * SCALE**2 * 0.97
        < shape.area
        < 2 * radius**2 + seam + 4 * math.sqrt(2) * radius * CELL_M
    )


CIRCLE = {i: (300 * math.cos(math.radians(4 * i)), 300 * math.sin(math.radians(4 * i))) for i in range(90)}
ROUND_M = 90 * 2 * 300 * math.sin(math.radians(2))  # of the drawn circle


@pytest.mark.parametrize("metres", [100.0, 500.0, ROUND_M / 2 + 1, 3000.0])
def test_ring_both_ways(metres):
    """v T to either side, until both meet opposite."""
    ring = network(CIRCLE, [((*range(90), 0), STREET)])
    table = reached(ring, [CIRCLE[0]], metres * 0.1 / 60)
    assert length_of(table) == pytest.approx(min(2 * metres, ROUND_M), abs=0.05)
    latest = table[["time_from_s", "time_to_s"]].to_numpy().max()
    assert latest == pytest.approx(min(metres, ROUND_M / 2) * 0.1, abs=0.002)


@pytest.mark.parametrize("metres", [100.0, 1000.0, 3000.0])
def test_ring_one_way(metres):
    """Forward only, up to once round; to the facility backward only."""
    ring = network(CIRCLE, [((*range(90), 0), ONEWAY)])
    for direction, turn in (("from", 1), ("to", -1)):
        table = reached(ring, [CIRCLE[0]], metres * 0.1 / 60, direction=direction)
        assert length_of(table) == pytest.approx(min(metres, ROUND_M), abs=0.05)
        if metres == 100:
            assert np.sign(table.geometry.iloc[0].centroid.y) == turn


@pytest.mark.parametrize("arms", [3, 5, 8])
def test_star(arms):
    """m v T."""
    tips = {
        i + 1: (1000 * math.cos(2 * math.pi * i / arms), 1000 * math.sin(2 * math.pi * i / arms))
        for i in range(arms)
    }
    star = network({0: (0, 0)} | tips, [((0, tip), STREET) for tip in tips])
    assert length_of(reached(star, [(0, 0)], 1)) == pytest.approx(arms * 600, abs=0.1)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.93])
def test_line_from_any_place_on_it(share):
    for minutes, metres in ((0.5, 300), (2, 1200)):
        table = reached(STRAIGHT, [(-1500 + 3000 * share, 0)], minutes)
        expected = min(metres, 3000 * share) + min(metres, 3000 * (1 - share))
        assert length_of(table) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("radius", [40.0, 100.0])
def test_area_of_a_straight_road(radius):
    """2 r L + pi r^2 with walking as far as trim_m: exactly for the buffer, but for its round ends."""
    exact = 2 * radius * 3000 * SCALE + math.pi * radius**2
    options = {"offroad_kmh": math.inf, "trim_m": radius}
    contour = polygon(STRAIGHT, [(0, 0)], 10, "contour", **options)
    assert contour.area == pytest.approx(exact, rel=0.005)
    buffer = polygon(STRAIGHT, [(0, 0)], 10, "buffer", **options)
    # circles are drawn from inside with at least 32 corners
    assert exact - 0.0065 * math.pi * radius**2 - 1 < buffer.area < exact + 1
    # and each of them covers what it should
    assert contour.covers(shapely.LineString([spot(-1500, 0), spot(1500, 0)]).buffer(radius - CELL_M))
    assert shapely.hausdorff_distance(contour, buffer) < CELL_M


@drawn
def test_area_of_ground_that_gets_narrower(method):
    """Along the road 0.1 s a metre are lost, off it the rest is walked at 1 m/s: 0.1 m less to each side per metre."""
    shape = polygon(STRAIGHT, [(0, 0)], 2, method)
    places = np.linspace(-1200, 1200, 4801) * SCALE
    radius = np.clip(120 - np.abs(places) / SCALE / 10, ROAD_M, 100)
    across = np.linspace(-1250, 1250, 5001)
    height = np.sqrt(np.maximum(radius**2 - (across[:, None] - places) ** 2, 0)).max(axis=1)
    assert shape.area == pytest.approx(2 * np.trapezoid(height, across), rel=0.005)


def test_contour_comes_to_the_buffer_as_cells_shrink():
    """A crossing with a dead end, fully drawn by both."""
    exact = polygon(LINE, [(400, 0)], 2, "buffer")
    off = []
    for cell in (40, 20, 10, 5):
        shape = polygon(LINE, [(400, 0)], 2, "contour", cell_m=cell)
        off.append(shape.symmetric_difference(exact).area / exact.area)
    assert off[-1] < 0.005  # the buffer's circles have 32 corners
    assert off[0] > off[1] > off[2] > off[3]


@every_method
def test_caller_gets_his_labels_and_crs_back(method):
    places = points([(400, 0), (1500, 0)], name=["b", "a"]).set_index("name").to_crs(3857)
    before = places.copy()
    table = ask(LINE, places, [1, 2], kind="polygons", method=method)
    assert places.equals(before)
    assert table.crs == places.crs == table.snaps.crs
    assert sorted(zip(table.index, table["facility"], table["minutes"], strict=True)) == [
        ("a", "a", 1.0), ("a", "a", 2.0), ("b", "b", 1.0), ("b", "b", 2.0),
    ]  # fmt: skip
    assert set(table.geom_type) == {"MultiPolygon"}
    dissolved = ask(LINE, places, [1, 2], kind="polygons", method=method, overlap="dissolve")
    assert "facility" not in dissolved
    assert dissolved.index.equals(pd.RangeIndex(2))
