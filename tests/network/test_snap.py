"""Places on edges: distance, cap, ties, walk-off, sides, headings, and what cannot be placed."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import citygeo as cg
from citygeo.errors import CRSError, InputError, NetworkError, UnitError
from citygeo.network import snap as snap_module
from citygeo.network.snap import Snaps, nearest_roads, require_place, snap_points
from tests.toy import ONEWAY, STREET, edge_between, grid_city, network, points, toy_mode

UTM = 0.9996  # scale in the middle of the zone, where the toy cities are
# a street of 1000 m east, and another 400 m north of it
NODES = {1: (0, 0), 2: (1000, 0), 3: (0, 400), 4: (1000, 400)}
NET = network(NODES, [((1, 2), STREET), ((3, 4), ONEWAY)])


def snap(places, net=NET, **options):
    return snap_points(net, points(places).geometry.to_numpy(), 4326, **options)


def test_place_on_the_street_by_hand():
    snaps = snap([(250, 30), (1000, -40), (-30, 40), (0, 0), (600, 390)])
    first, second = edge_between(NET, 1, 2), edge_between(NET, 3, 4)
    assert snaps.edge.tolist() == [first, first, first, first, second]
    np.testing.assert_allclose(snaps.share, [0.25, 1.0, 0.0, 0.0, 0.6], atol=1e-6)
    np.testing.assert_allclose(snaps.distance_m, np.array([30, 40, 50, 0, 10]) * UTM, atol=1e-3)
    assert snaps.walk_off_ms.tolist() == pytest.approx([29_988, 39_984, 49_980, 0, 9_996], abs=1)
    assert snaps.status.tolist() == ["ok"] * 5
    assert snaps.is_on.all()
    np.testing.assert_allclose(snaps.xy[0] - snaps.xy[3], [250 * UTM, 0], atol=1e-3)


def test_walk_off_follows_the_mode():
    net = network(NODES, [((1, 2), STREET)], toy_mode(walk_off_kmh=7.2))
    assert snap([(250, 30)], net).walk_off_ms.tolist() == pytest.approx([14_994], abs=1)


def test_cap_is_inclusive_and_the_distance_is_told_beyond_it():
    distance = snap([(250, 150)]).distance_m[0]
    at, below = (
        snap([(250, 150)], max_snap_m=distance),
        snap([(250, 150)], max_snap_m=np.nextafter(distance, 0)),
    )
    assert (at.status[0], below.status[0]) == ("ok", "not_snapped")
    assert below.edge.tolist() == [-1]
    assert below.distance_m[0] == distance
    assert below.walk_off_ms.tolist() == [0]
    assert np.isnan([below.share[0], *below.xy[0]]).all()
    assert snap([(250, 0)], max_snap_m=0).status.tolist() == ["ok"]


def test_equal_distance_goes_to_the_lowest_edge():
    # node 2 is the middle of a cross: whoever stands beyond it is as near to all four
    nodes = {1: (-500, 0), 2: (0, 0), 3: (0, -500), 4: (500, 0), 5: (0, 500)}
    net = network(nodes, [((1, 2), STREET), ((3, 2), ONEWAY), ((2, 4), STREET), ((2, 5), STREET)])
    assert snap([(0, 0)], net).edge.tolist() == [0]
    # two streets 100 m apart, and a place in the middle
    pair = network(
        {1: (0, 50), 2: (900, 50), 3: (0, -50), 4: (900, -50)}, [((1, 2), STREET), ((3, 4), STREET)]
    )
    assert snap([(450, 0)], pair).edge.tolist() == [0]


def test_what_cannot_be_placed_keeps_its_row():
    given_points = points([(250, 30), (0, 9_000)]).geometry.to_numpy()
    odd = [None, shapely.points(np.nan, np.nan), shapely.points(np.inf, 0), shapely.points(0, -np.inf)]
    several = np.array([*odd, *given_points], object)
    snaps = snap_points(NET, several, 4326)
    assert snaps.status.tolist() == ["no_geometry", *["not_snapped"] * 3, "ok", "not_snapped"]
    assert snaps.edge.tolist() == [-1] * 4 + [edge_between(NET, 1, 2), -1]
    assert np.isnan(snaps.distance_m[:4]).all()
    assert snaps.distance_m[5] == pytest.approx(8_600 * UTM, rel=1e-4)
    assert snaps.walk_off_ms[[0, 1, 2, 3, 5]].tolist() == [0] * 5


def test_no_points_and_only_missing_points():
    assert snap_points(NET, np.empty(0, object), 4326).edge.size == 0
    snaps = snap_points(NET, np.array([None, None, shapely.Point()]), 4326, heading=90, side="right")
    assert snaps.status.tolist() == ["no_geometry"] * 3
    assert snaps.side.tolist() == [""] * 3


def test_points_come_in_any_crs():
    layer = points([(250, 30)])
    for epsg in (32631, 32630, 3857):
        snaps = snap_points(NET, layer.to_crs(epsg).geometry.to_numpy(), epsg)
        assert snaps.share[0] == pytest.approx(0.25, abs=1e-6)
        assert snaps.distance_m[0] == pytest.approx(30 * UTM, abs=1e-3)


def test_street_without_length_is_a_place_too():
    net = network({1: (0, 0), 2: (0, 0)}, [((1, 2), STREET)])
    snaps = snap([(30, 0)], net)
    assert (snaps.edge.tolist(), snaps.share.tolist()) == ([0], [0.0])
    assert snaps.distance_m[0] == pytest.approx(30 * UTM, abs=1e-3)
    assert np.isfinite(snaps.xy).all()


GRID = grid_city(3)


@given(st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400)), min_size=1, max_size=6))
def test_no_edge_is_nearer_and_none_before_it_as_near(places):
    layer = points(places).to_crs(GRID.metric_crs).geometry.to_numpy()
    snaps = snap_points(GRID, layer, GRID.metric_crs, max_snap_m=10_000)
    for i, point in enumerate(layer):
        distances = shapely.distance(GRID.lines_metric, point)
        steps = np.rint(distances * 1e6)  # equal to the micrometre is equal
        assert snaps.edge[i] == np.flatnonzero(steps == steps.min())[0]
        assert snaps.distance_m[i] == pytest.approx(distances.min(), abs=1e-6)
        assert 0 <= snaps.share[i] <= 1
        assert shapely.distance(shapely.points(snaps.xy[i]), point) == pytest.approx(
            distances.min(), abs=1e-6
        )


@pytest.mark.parametrize("cap", [-1, np.nan, np.inf, 100_001])
def test_cap_must_be_a_distance(cap):
    with pytest.raises(UnitError) as caught:
        snap([(0, 0)], max_snap_m=cap)
    assert caught.value.code == "CG-UNIT-002"


def placed(layer, cap=200.0):
    geometry = layer.geometry.to_numpy()
    require_place(
        NET, geometry, layer.crs, snap_points(NET, geometry, layer.crs, max_snap_m=cap), "stations", cap
    )


def test_swapped_axes_are_told_from_far_away():
    good = points([(250, 300), (500, 100), (750, 30)])
    placed(good)
    swapped = good.set_geometry(shapely.points(shapely.get_coordinates(good.geometry)[:, ::-1])).set_crs(4326)
    with pytest.raises(CRSError) as caught:
        placed(swapped)
    assert caught.value.code == "CG-CRS-003"
    assert (caught.value.data["count"], caught.value.data["total"]) == (3, 3)
    with pytest.raises(NetworkError) as far:
        placed(points([(0, 50_000), (10, 60_000)]))
    assert far.value.code == "CG-NET-010"
    assert far.value.data["total"] == 2
    assert float(far.value.data["nearest_m"].replace(",", "")) == pytest.approx(49_600 * UTM, rel=1e-3)


def test_one_placed_point_is_enough_and_none_given_is_no_error():
    placed(points([(250, 30), (0, 50_000)]))
    layer = points([(0, 0)])
    require_place(
        NET, np.array([None]), layer.crs, snap_points(NET, np.array([None]), 4326), "stations", 200.0
    )


def test_place_without_numbers_is_far_away():
    nowhere = np.array([shapely.points(np.nan, np.nan)])
    with pytest.raises(NetworkError) as caught:
        require_place(NET, nowhere, 4326, snap_points(NET, nowhere, 4326), "stations", 200.0)
    assert caught.value.data["nearest_m"] == "unknown"


# two carriageways 20 m apart, east on the south one and west on the north one, and a service road in front of both
ROAD = network(
    {1: (0, 0), 2: (1000, 0), 3: (1000, 20), 4: (0, 20), 5: (0, -30), 6: (1000, -30)},
    [((1, 2), ONEWAY), ((3, 4), ONEWAY), ((5, 6), {**STREET, "highway": "service"})],
)
EAST, WEST, SERVICE = edge_between(ROAD, 1, 2), edge_between(ROAD, 3, 4), edge_between(ROAD, 5, 6)


def test_sides_are_seen_along_the_edge():
    snaps = snap([(500, 5), (500, -5), (500, 15), (500, 25), (500, 0), (500, -40)], ROAD)
    assert snaps.edge.tolist() == [EAST, EAST, WEST, WEST, EAST, SERVICE]
    assert snaps.side.tolist() == ["left", "right", "left", "right", "on", "right"]


def test_a_vehicle_is_put_on_the_carriageway_it_drives_on():
    """In the middle and on the wrong one; only the service road is open to both directions."""
    place = [(500, 12)]
    assert snap(place, ROAD).edge.tolist() == [WEST]
    assert snap(place, ROAD, heading=90).edge.tolist() == [EAST]
    assert snap(place, ROAD, heading=270).edge.tolist() == [WEST]
    assert snap([(500, -28)], ROAD, heading=-90).edge.tolist() == [SERVICE]
    assert snap(place, ROAD, heading=0).edge.tolist() == [-1]
    assert snap(place * 3, ROAD, heading=np.array([90, np.nan, 0])).edge.tolist() == [EAST, WEST, -1]


def test_the_tolerance_of_headings_is_inclusive():
    place = [(500, 12)]
    assert snap(place, ROAD, heading=60, heading_tolerance_deg=30).edge.tolist() == [EAST]
    assert snap(place, ROAD, heading=60, heading_tolerance_deg=29.9).edge.tolist() == [-1]
    assert snap(place, ROAD, heading=60, heading_tolerance_deg=180).edge.tolist() == [WEST]


def test_a_stop_is_put_where_a_vehicle_has_it_on_its_right():
    """Between the carriageways one has it on the left of both; south of both, on the right of the eastbound one."""
    assert snap([(500, 8)], ROAD, side="left").edge.tolist() == [EAST]
    assert snap([(500, 8)], ROAD, side="right").edge.tolist() == [SERVICE]
    assert snap([(500, -14)], ROAD).edge.tolist() == [EAST]
    assert snap([(500, -14)], ROAD, side="right").edge.tolist() == [EAST]
    assert snap([(500, -14)], ROAD, side="left").edge.tolist() == [SERVICE]
    assert snap([(500, 50)], ROAD, side="right").edge.tolist() == [WEST]
    assert snap([(500, 50)], ROAD, side="right", heading=90).edge.tolist() == [-1]


def test_the_distance_to_a_road_that_suits_is_told_beyond_the_cap():
    snaps = snap([(500, 300)], ROAD, heading=90)
    assert snaps.status.tolist() == ["not_snapped"]
    assert snaps.distance_m[0] == pytest.approx(300 * UTM, abs=1e-2)


def test_an_island_is_as_good_as_any_road():
    net = network({1: (0, 0), 2: (1000, 0), 3: (400, 60), 4: (600, 60)}, [((1, 2), STREET), ((3, 4), STREET)])
    assert snap([(500, 40)], net).edge.tolist() == [edge_between(net, 3, 4)]


def test_closed_streets_are_passed_over():
    """A street that is closed by an edit stays in the arrays, and one with no access never gets there."""
    street = edge_between(NET, 1, 2)
    closed = NET.without(edges=[street])
    assert closed.n_edges == NET.n_edges
    snaps = snap([(500, 10)], closed, max_snap_m=1000)
    assert snaps.edge.tolist() == [edge_between(closed, 3, 4)]
    assert snaps.distance_m[0] == pytest.approx(390 * UTM, abs=1e-2)
    assert snap([(500, 10)]).edge.tolist() == [street]


@pytest.mark.parametrize("tolerance", [-1, 180.5, np.nan])
def test_tolerance_must_be_an_angle(tolerance):
    with pytest.raises(UnitError) as caught:
        snap([(0, 0)], heading=0, heading_tolerance_deg=tolerance)
    assert (caught.value.code, caught.value.data["argument"]) == ("CG-UNIT-002", "heading_tolerance_deg")


@pytest.mark.parametrize("side", ["on", "Right", "", 1])
def test_side_must_be_one_of_two(side):
    with pytest.raises(InputError) as caught:
        snap([(0, 0)], side=side)
    assert (caught.value.code, caught.value.data["argument"]) == ("CG-IN-004", "side")


def test_rows_can_be_taken():
    snaps = snap([(250, 30), (250, 9_000)])
    taken = snaps.take(np.array([1, 0, 0]))
    assert taken.status.tolist() == ["not_snapped", "ok", "ok"]
    assert taken.xy.shape == (3, 2)
    assert Snaps.none(2).status.tolist() == ["no_geometry"] * 2


@pytest.fixture(scope="module")
def city():
    return cg.datasets.reykjavik().network("drive")


def scattered(net, n):
    """Places over the city, half of them near roads, in metres of the network."""
    rng = np.random.default_rng(11)
    corner = np.concatenate([shapely.get_coordinates(line) for line in net.lines_metric])
    near = corner[rng.integers(0, len(corner), n // 2)] + rng.normal(0, 25, (n // 2, 2))
    return np.concatenate((near, rng.uniform(corner.min(axis=0), corner.max(axis=0), (n - n // 2, 2))))


def test_a_real_city_against_the_index_of_geos(city):
    places = scattered(city, 20_000)
    snaps = snap_points(city, shapely.points(places), city.metric_crs, max_snap_m=100_000)
    tree = shapely.STRtree(city.lines_metric)
    (row, edge), distance = tree.query_nearest(shapely.points(places), return_distance=True, all_matches=True)
    order = np.lexsort((edge, row))
    _, first = np.unique(row[order], return_index=True)
    first = order[first]
    np.testing.assert_array_equal(snaps.edge, edge[first])
    # where two stretches of a road are as near to the micrometre the first counts
    np.testing.assert_allclose(snaps.distance_m, distance[first], rtol=0, atol=1e-6)
    assert np.mean(abs(snaps.distance_m - distance[first]) < 1e-9) > 0.999
    share = shapely.line_locate_point(
        city.lines_metric[snaps.edge], shapely.points(snaps.xy), normalized=True
    )
    np.testing.assert_allclose(snaps.share, share, rtol=0, atol=1e-6)


def test_neither_threads_nor_chunks_nor_order_matter(city, monkeypatch):
    places = scattered(city, 3_000)
    whole = nearest_roads(city, places, threads=1)
    monkeypatch.setattr(snap_module, "CHUNK", 100)
    turned = nearest_roads(city, places[::-1], threads=2)
    for one, two in zip(whole, turned, strict=True):
        np.testing.assert_array_equal(one, two[::-1])


def test_headings_are_from_true_north(city):
    """Straight edges by their geodesic azimuth, to half a degree; the metric grid is turned by as much as that."""
    start = city.arrays["shape_start"].astype(np.int64)
    straight = np.flatnonzero((np.diff(start) == 2) & (city.length_m > 30))[:400]
    a, b = (city.arrays["shape_lonlat"][start[straight] + i] for i in (0, 1))
    azimuth, _, _ = pyproj.Geod(ellps="WGS84").inv(*((a * 2 + b) / 3).T, *((a + b) / 2).T)
    middle = shapely.points((a + b) / 2)
    kept = snap_points(city, middle, 4326, heading=azimuth, heading_tolerance_deg=0.05)
    is_along = city.arrays["edge_along_ms"][straight] != cg.network.CLOSED
    assert is_along.sum() > 350
    np.testing.assert_array_equal(kept.edge[is_along], straight[is_along])
    off = snap_points(city, middle, 4326, heading=azimuth + 0.5, heading_tolerance_deg=0.05)
    assert not (off.edge == straight).any()
    is_oneway = is_along & (city.arrays["edge_against_ms"][straight] == cg.network.CLOSED)
    back = snap_points(city, middle, 4326, heading=azimuth - 180, heading_tolerance_deg=0.05)
    np.testing.assert_array_equal(back.edge == straight, ~is_oneway)
    assert is_oneway.any()
