"""
Parks and their gates by hand: where polygons and lines stand on the network.

Two streets run east, 1000 m long and 400 m apart, and a third joins their middles. Stretches are 50 m long: every
edge is cut at whole multiples of a tenth or an eighth.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.affinity import scale

from citygeo.network.boxtree import box_tree
from citygeo.network.entrances import find_entrances
from tests.toy import ONEWAY, STREET, edge_between, grid_city, network

UTM = 0.9996
NODES = {1: (0, 0), 2: (1000, 0), 3: (0, 400), 4: (1000, 400), 5: (500, 0), 6: (500, 400)}
WAYS = [((1, 5, 2), STREET), ((3, 6, 4), STREET), ((5, 6), STREET)]
NET = network(NODES, WAYS)
SOUTH_WEST, SOUTH_EAST = edge_between(NET, 1, 5), edge_between(NET, 5, 2)
NORTH_WEST, NORTH_EAST = edge_between(NET, 3, 6), edge_between(NET, 6, 4)
MIDDLE = edge_between(NET, 5, 6)
ORIGIN = box_tree(NET).corner[box_tree(NET).shape_start[SOUTH_WEST]]


def metric(shape, origin=ORIGIN):
    """A shape of toy metres in the metres of UTM."""
    return shapely.transform(shape, lambda xy: xy * UTM + origin)


def entrances(shape, entrance_m=30.0, net=NET, *, takes_inside=False, origin=ORIGIN):
    """Places as (edge, metres along it, distance), rounded to a centimetre."""
    found = find_entrances(net, metric(shape, origin), entrance_m * UTM, takes_inside=takes_inside)
    along = found.share * net.length_m[found.edge]
    rows = zip(
        found.edge.tolist(), along.round(2).tolist(), (found.distance_m / UTM).round(2).tolist(), strict=True
    )
    return list(rows)


def inside(shape, net=NET, origin=ORIGIN):
    return entrances(shape, net=net, takes_inside=True, origin=origin)


box = shapely.box


def test_a_park_between_two_streets_is_entered_along_both():
    """10 m off both streets, 200 m long: a place at the start of each stretch beside it, and at its far end."""
    along = [100.0, 150.0, 200.0, 250.0, 300.0]
    expected = [(SOUTH_WEST, x, 10.0) for x in along] + [(NORTH_WEST, x, 10.0) for x in along]
    assert entrances(box(100, 10, 300, 390)) == sorted(expected)


def test_a_street_too_far_off_is_no_entrance():
    assert {edge for edge, *_ in entrances(box(100, 29, 300, 300))} == {SOUTH_WEST}
    assert {edge for edge, *_ in entrances(box(100, 30.5, 300, 371))} == {NORTH_WEST}


def test_streets_that_meet_the_boundary_are_gates():
    """The middle street goes in at 100 m and out at 300 m; nothing inside is a gate."""
    assert entrances(box(450, 100, 550, 300)) == [(MIDDLE, 100.0, 0.0), (MIDDLE, 300.0, 0.0)]


def test_a_gate_stands_for_the_fence_beside_it():
    """The south street runs 10 m before the fence from 400 to 600 m; what is within 30 m of the gate is the gate."""
    found = entrances(box(400, 10, 600, 200))
    assert [row for row in found if row[2] == 0.0] == [(MIDDLE, 10.0, 0.0), (MIDDLE, 200.0, 0.0)]
    beside = [(edge, x) for edge, x, away in found if away == 10.0]
    assert beside == [(SOUTH_WEST, 400.0), (SOUTH_WEST, 450.0), (SOUTH_EAST, 50.0), (SOUTH_EAST, 100.0)]


def test_only_gates_if_asked():
    assert entrances(box(400, 10, 600, 200), 0.0) == [(MIDDLE, 10.0, 0.0), (MIDDLE, 200.0, 0.0)]


def test_a_park_away_from_all_roads_has_the_nearest_place():
    assert entrances(box(200, 100, 300, 300)) == [(SOUTH_WEST, 200.0, 100.0)]
    assert entrances(box(200, 5_000, 300, 5_100)) == [(NORTH_WEST, 200.0, 4_600.0)]
    assert inside(box(200, 100, 300, 300)) == [(SOUTH_WEST, 200.0, 100.0)]


def test_the_nearest_place_may_be_far_from_all_corners():
    """A triangle whose long side passes a street's end in its middle."""
    net = network({1: (0, 0), 2: (-500, 0)}, [((2, 1), STREET)])
    origin = box_tree(net).corner[-1]
    triangle = shapely.Polygon([(100, -3000), (100, 3000), (900, 0)])
    assert entrances(triangle, net=net, origin=origin) == [(0, 500.0, 100.0)]


def test_a_shape_around_the_whole_network_is_on_it():
    """The place nearest to the boundary, at no distance, since it is inside."""
    around = box(-700, -100, 1050, 500)
    assert entrances(around) == [(SOUTH_EAST, 500.0, 0.0)]
    found = inside(around)
    assert {edge for edge, *_ in found} == {SOUTH_WEST, SOUTH_EAST, NORTH_WEST, NORTH_EAST, MIDDLE}
    # 4 edges of 10 stretches and one of 8, two nodes of three edges
    assert len(found) == 4 * 11 + 9 - 4
    assert {away for *_, away in found} == {0.0}


def test_roads_inside_count_with_their_ends_and_every_50_metres():
    assert inside(box(450, 100, 550, 300)) == [(MIDDLE, x, 0.0) for x in (100.0, 150.0, 200.0, 250.0, 300.0)]
    found = inside(box(420, -50, 630, 60))
    assert found == sorted(
        [(SOUTH_WEST, x, 0.0) for x in (420.0, 450.0, 500.0)]
        + [(SOUTH_EAST, x, 0.0) for x in (50.0, 100.0, 130.0)]
        + [(MIDDLE, x, 0.0) for x in (50.0, 60.0)]
    )


def test_a_hole_is_outside():
    """From 150 to 250 m the middle street is in the hole: its rim has gates, and its inside does not count."""
    ring = box(450, 100, 550, 300) - box(480, 150, 520, 250)
    gates = [(MIDDLE, x, 0.0) for x in (100.0, 150.0, 250.0, 300.0)]
    assert entrances(ring) == gates
    assert inside(ring) == gates


def test_a_street_in_a_hole_comes_near_from_outside():
    net = network({1: (0, 0), 2: (40, 0)}, [((1, 2), STREET)])
    origin = box_tree(net).corner[0]
    ring = box(-500, -500, 500, 500) - box(-60, -20, 100, 60)
    assert entrances(ring, net=net, origin=origin) == [(0, 0.0, 20.0)]


def test_both_parts_of_a_park_have_gates():
    parts = shapely.union_all([box(450, 100, 550, 120), box(200, 10, 250, 60)])
    assert parts.geom_type == "MultiPolygon"
    assert entrances(parts) == sorted(
        [(MIDDLE, 100.0, 0.0), (MIDDLE, 120.0, 0.0), (SOUTH_WEST, 200.0, 10.0), (SOUTH_WEST, 250.0, 10.0)]
    )


def test_a_boundary_on_the_street_is_open_all_along():
    """The fence is drawn on the street from 120 to 280 m: the ends of what each stretch shares with it."""
    assert entrances(box(120, 0, 280, 90)) == [
        (SOUTH_WEST, x, 0.0) for x in (120.0, 150.0, 200.0, 250.0, 280.0)
    ]


def test_lines_are_met_or_near():
    across = shapely.LineString([(300, -50), (300, 450)])
    assert entrances(across) == sorted([(SOUTH_WEST, 300.0, 0.0), (NORTH_WEST, 300.0, 0.0)])
    assert inside(across) == entrances(across)
    beside = shapely.LineString([(100, 20), (180, 20)])
    # 20 m past its end the street is 28.28 m off, which is still near
    assert entrances(beside) == [
        (SOUTH_WEST, 100.0, 20.0),
        (SOUTH_WEST, 150.0, 20.0),
        (SOUTH_WEST, 200.0, 28.28),
    ]
    both = shapely.MultiLineString([[(300, -50), (300, 50)], [(100, 20), (110, 20)]])
    assert entrances(both) == [(SOUTH_WEST, 100.0, 20.0), (SOUTH_WEST, 300.0, 0.0)]
    ring = shapely.LinearRing([(300, -50), (310, -50), (305, 50)])
    assert [away for *_, away in entrances(ring)] == [0.0, 0.0]


def test_a_gate_at_a_junction_is_one_place():
    """Three streets meet at node 5; a corner of the park touches it."""
    assert entrances(shapely.Polygon([(500, 0), (600, 100), (600, 200), (500, 40)]), 0.0)[:1] == [
        (SOUTH_WEST, 500.0, 0.0)
    ]
    nodes = [row for row in inside(box(490, -10, 510, 10)) if row[1] in {0.0, 500.0}]
    assert nodes == [(SOUTH_WEST, 500.0, 0.0)]


def test_closed_streets_have_no_gates():
    closed = NET.without(edges=[MIDDLE])
    assert entrances(box(450, 100, 550, 300), net=closed) == [(SOUTH_WEST, 450.0, 100.0)]
    assert inside(box(450, 100, 550, 300), net=closed) == [(SOUTH_WEST, 450.0, 100.0)]


def test_a_street_without_length_is_a_gate():
    net = network({1: (0, 0), 2: (0, 0), 3: (5_000, 0), 4: (6_000, 0)}, [((1, 2), ONEWAY), ((3, 4), STREET)])
    origin = box_tree(net).corner[0]
    dot = edge_between(net, 1, 2)
    assert entrances(box(-10, -10, 10, 10), net=net, origin=origin) == [(dot, 0.0, 0.0)]
    assert inside(box(-10, -10, 10, 10), net=net, origin=origin) == [(dot, 0.0, 0.0)]
    assert entrances(box(10, -10, 20, 10), net=net, origin=origin) == [(dot, 0.0, 10.0)]


def test_where_the_shape_is_seen_from():
    found = find_entrances(NET, metric(box(100, 10, 150, 100)), 30 * UTM, takes_inside=False)
    assert ((found.seen - ORIGIN) / UTM).round(3).tolist() == [[100, 10], [150, 10]]
    found = find_entrances(NET, metric(box(490, 100, 550, 300)), 30 * UTM, takes_inside=False)
    assert ((found.seen - ORIGIN) / UTM).round(3).tolist() == [[500, 100], [500, 300]]


GRID = grid_city(3)
CENTRE = box_tree(GRID).corner.mean(axis=0)
corner = st.tuples(st.integers(-200, 200), st.integers(-200, 200))


@given(st.lists(corner, min_size=3, max_size=7, unique=True), st.sampled_from([0.0, 15.0, 30.0]))
def test_entrances_against_the_shapes_themselves(corners, entrance_m):
    """What must hold for any shape: gates on the boundary, others outside and near, none missed, none twice."""
    hull = shapely.MultiPoint(corners).convex_hull
    if hull.area < 1:
        return
    shape = metric(hull, CENTRE)
    found = find_entrances(GRID, shape, entrance_m, takes_inside=False)
    lines = GRID.lines_metric
    places = shapely.line_interpolate_point(lines[found.edge], found.share, normalized=True)
    assert len({tuple(row) for row in np.column_stack((found.edge, found.share)).tolist()}) == found.edge.size
    gap = shapely.distance(shape, places)
    np.testing.assert_allclose(found.distance_m, gap, atol=1e-6)
    np.testing.assert_allclose(shapely.distance(places, shapely.points(found.seen)), gap, atol=1e-6)
    gates = shapely.get_parts(shapely.intersection(lines, shape.boundary))
    gates = gates[~shapely.is_empty(gates)]
    is_near = shapely.distance(lines, shape) <= entrance_m
    if len(gates):
        ends = shapely.points(np.vstack([shapely.get_coordinates(gate) for gate in gates]))
        on = shapely.multipoints(places[gap < 1e-6])
        assert shapely.distance(on, ends).max() < 1e-6
    elif not is_near.any():
        assert found.edge.size == 1
        nearest = shapely.distance(lines, shape.boundary)
        assert nearest[found.edge[0]] == pytest.approx(nearest.min(), abs=1e-6)
    else:
        is_outside = gap > 1e-6
        assert (is_outside & (gap <= entrance_m)).any() or found.edge.size == 1
        # each road beside the shape has a place no farther than one stretch from its nearest one
        beside = np.flatnonzero(is_near & (shapely.distance(lines, shape) > 1e-6))
        for edge in beside:
            assert shapely.distance(shapely.multipoints(places), lines[edge]) <= 50.0


@given(st.lists(corner, min_size=3, max_size=7, unique=True))
def test_no_road_inside_is_far_from_a_place(corners):
    hull = shapely.MultiPoint(corners).convex_hull
    if hull.area < 1:
        return
    shape = metric(hull, CENTRE)
    found = find_entrances(GRID, shape, 0.0, takes_inside=True)
    places = shapely.line_interpolate_point(GRID.lines_metric[found.edge], found.share, normalized=True)
    within = shapely.intersection(GRID.lines_metric, shape)
    within = within[shapely.length(within) > 1e-6]
    if len(within):
        assert (found.distance_m == 0).all()
        assert shapely.distance(scale(shape, 1.001, 1.001), places).max() < 1e-6
        samples = shapely.points(shapely.get_coordinates(shapely.segmentize(within, 1.0)))
        assert shapely.distance(shapely.multipoints(places), samples).max() <= 25.01
