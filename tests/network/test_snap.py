"""Places on edges: distance, cap, ties, walk-off, and what cannot be placed."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo.errors import CRSError, NetworkError, UnitError
from citygeo.network.snap import require_place
from tests.toy import ONEWAY, STREET, edge_between, grid_city, network, points, toy_mode

UTM = 0.9996  # scale in the middle of the zone, where the toy cities are
# a street of 1000 m east, and another 400 m north of it
NODES = {1: (0, 0), 2: (1000, 0), 3: (0, 400), 4: (1000, 400)}
NET = network(NODES, [((1, 2), STREET), ((3, 4), ONEWAY)])


def snap(places, net=NET, **options):
    return net.snap(points(places).geometry.to_numpy(), 4326, **options)


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
    snaps = NET.snap(several, 4326)
    assert snaps.status.tolist() == ["no_geometry", *["not_snapped"] * 3, "ok", "not_snapped"]
    assert snaps.edge.tolist() == [-1] * 4 + [edge_between(NET, 1, 2), -1]
    assert np.isnan(snaps.distance_m[:4]).all()
    assert snaps.distance_m[5] == pytest.approx(8_600 * UTM, rel=1e-4)
    assert snaps.walk_off_ms[[0, 1, 2, 3, 5]].tolist() == [0] * 5


def test_no_points_and_only_missing_points():
    assert NET.snap(np.empty(0, object), 4326).edge.size == 0
    assert NET.snap(np.array([None, None]), 4326).status.tolist() == ["no_geometry"] * 2


def test_points_come_in_any_crs():
    layer = points([(250, 30)])
    for epsg in (32631, 32630, 3857):
        snaps = NET.snap(layer.to_crs(epsg).geometry.to_numpy(), epsg)
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
    snaps = GRID.snap(layer, GRID.metric_crs, max_snap_m=10_000)
    for i, point in enumerate(layer):
        distances = shapely.distance(GRID.lines_metric, point)
        assert snaps.distance_m[i] == distances.min()
        assert snaps.edge[i] == np.flatnonzero(distances == distances.min())[0]
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
    require_place(NET, geometry, layer.crs, NET.snap(geometry, layer.crs, max_snap_m=cap), "stations", cap)


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
    require_place(NET, np.array([None]), layer.crs, NET.snap(np.array([None]), 4326), "stations", 200.0)


def test_place_without_numbers_is_far_away():
    nowhere = np.array([shapely.points(np.nan, np.nan)])
    with pytest.raises(NetworkError) as caught:
        require_place(NET, nowhere, 4326, NET.snap(nowhere, 4326), "stations", 200.0)
    assert caught.value.data["nearest_m"] == "unknown"
