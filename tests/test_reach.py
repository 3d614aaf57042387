"""Service areas, travel times and nearest facilities with numbers worked out by hand (100 ms a metre)."""

from __future__ import annotations

import pickle

import geopandas as gpd
import numpy as np
import pytest
import shapely

import citygeo as cg
from citygeo import errors
from citygeo.network.snap import snap_points
from tests import reference
from tests.toy import ONEWAY, STREET, grid_city, network, points

#    1 ---- 1000 m ---- 2 ---- 1000 m ---- 3
LINE = network(
    {1: (0, 0), 2: (1000, 0), 3: (2000, 0), 4: (1000, 1000)}, [((1, 2, 3), STREET), ((2, 4), STREET)]
)
ONE_WAY = network({1: (0, 0), 2: (1000, 0), 3: (2000, 0)}, [((1, 2), STREET), ((2, 3), ONEWAY)])


def parts_of(area, row=0, band=None):
    """Reached stretches by edge ends, in metres and seconds, rounded to a millimetre."""
    parts = area.parts[band or area.minutes[-1]][row]
    node = area.network.arrays["node_id"][area.network.arrays["edge_node"].astype(int)]
    length = area.network.length_m
    return sorted(
        (
            tuple(node[edge].tolist()),
            *(round(float(value * length[edge]), 3) for value in share),
            *(round(float(value), 3) / 1000 for value in ms),
        )
        for edge, share, ms in zip(parts.edge, parts.share, parts.ms, strict=True)
    )


def oriented(part):
    """The same part with the lower node id first, so that the drawing direction does not matter."""
    (u, v), low, high, first, last = part
    length = 1000.0
    return part if u < v else ((v, u), round(length - high, 3), round(length - low, 3), last, first)


def test_mid_edge_facility_reaches_both_ways():
    """400 m along 1-2, 2 minutes = 1200 m: all of 1-2, and 600 m into both streets beyond."""
    area = cg.service_area(LINE, points([(400, 0)]), minutes=2, direction="from")
    assert sorted(map(oriented, parts_of(area))) == [
        ((1, 2), 0.0, 400.0, 40.0, 0.0),
        ((1, 2), 400.0, 1000.0, 0.0, 60.0),
        ((2, 3), 0.0, 600.0, 60.0, 120.0),
        ((2, 4), 0.0, 600.0, 60.0, 120.0),
    ]


def test_edges_table_and_geometry():
    area = cg.service_area(LINE, points([(400, 0)]), minutes=2, direction="from")
    table = area.edges
    assert table["facility"].tolist() == [0] * 4
    assert (table["to_m"] - table["from_m"]).sum() == pytest.approx(2200, abs=1e-6)
    lengths = table.geometry.to_crs(LINE.metric_crs).length  # UTM shortens by 0.9996 here
    np.testing.assert_allclose(lengths, (table["to_m"] - table["from_m"]) * 0.9996, rtol=1e-5)
    assert max(table[["time_from_s", "time_to_s"]].max()) == 120.0
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(2.2)


def test_less_than_the_way_to_the_next_node():
    """1 s is 10 m to each side, although no node is reached."""
    area = cg.service_area(LINE, points([(400, 0)]), minutes=1 / 60, direction="from")
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(0.02)
    assert area.polygons["area_km2"].iloc[0] == pytest.approx((20 * 200 + np.pi * 100**2) / 1e6, rel=0.01)


def test_both_ends_of_a_one_way():
    """2 -> 3 may be entered at 2 only."""
    at_start, at_end = points([(1000, 0)]), points([(2000, 0)])
    out = cg.service_area(ONE_WAY, at_start, minutes=5, direction="from")
    assert out.dissolved["reached_km"].iloc[0] == pytest.approx(2.0)
    trapped = cg.service_area(ONE_WAY, at_end, minutes=5, direction="from")
    assert trapped.dissolved["reached_km"].iloc[0] == 0.0
    # who can come to node 3: everyone on 2 -> 3 within 1000 m, and beyond node 2
    to_end = cg.service_area(ONE_WAY, at_end, minutes=2.5, direction="to")
    assert to_end.dissolved["reached_km"].iloc[0] == pytest.approx(1.5)
    to_start = cg.service_area(ONE_WAY, at_start, minutes=5, direction="to")
    assert to_start.dissolved["reached_km"].iloc[0] == pytest.approx(1.0)


def test_same_edge_pair_directly_and_round_the_block():
    """With the one-way 300 m; against it the rest of the ring of 4000 m."""
    ring = network(
        {1: (0, 0), 2: (1000, 0), 3: (1000, 1000), 4: (0, 1000)},
        [((1, 2), ONEWAY), ((2, 3, 4, 1), ONEWAY), ((2, 3), {**STREET, "access": "no"})],
    )
    total = ring.length_m.sum() * 0.1
    near, far = points([(200, 0)]), points([(500, 0)])
    there = cg.travel_times(ring, near, far)
    back = cg.travel_times(ring, far, near)
    assert there["time_s"].item() == pytest.approx(30.0, abs=0.001)
    assert back["time_s"].item() == pytest.approx(total - 30.0, abs=0.002)


def test_tent_on_an_edge_reached_from_both_ends():
    """A square of 1000 m sides from one corner: the opposite sides meet at the far corner, 200 s away."""
    square = network(
        {1: (0, 0), 2: (1000, 0), 3: (1000, 1000), 4: (0, 1000), 5: (-10, 0), 6: (1010, 1000), 7: (1010, 0)},
        [
            ((1, 2), STREET),
            ((2, 3), STREET),
            ((3, 4), STREET),
            ((4, 1), STREET),
            ((1, 5), STREET),
            ((3, 6), STREET),
            ((2, 7), STREET),
        ],
    )
    area = cg.service_area(square, points([(300, 0)]), minutes=60, direction="from")
    # the antipode of a point 300 m from 1 on a ring of 4000 m lies 300 m before 4 seen from 3, at 200 s
    table = area.edges
    apex = table.loc[table[["time_from_s", "time_to_s"]].max(axis=1).sort_values().index[-2:]]
    assert apex[["time_from_s", "time_to_s"]].max(axis=1).tolist() == pytest.approx([200.0, 200.0], abs=0.01)
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(4.03, abs=0.001)


def test_isolated_part_is_found_and_told():
    islands = network(
        {1: (0, 0), 2: (1000, 0), 3: (5000, 0), 4: (5500, 0), 5: (500, 500)},
        [((1, 2, 5), STREET), ((3, 4), STREET)],
    )
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-011"):
        area = cg.service_area(islands, points([(5250, 0)]), minutes=60, direction="from")
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(0.5)
    assert area.issues["code"].tolist() == ["CG-NET-011"]
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-011"):
        times = cg.travel_times(islands, points([(500, 0)]), points([(5250, 0), (250, 0)]))
    assert times["time_s"].tolist() == [np.inf, pytest.approx(25.0)]
    assert times["status"].tolist() == ["no_path", "ok"]


def test_facility_beyond_the_cap_is_unserved_with_the_reason():
    """199 m off the road is within the default cap of 200 m, 201 m is not."""
    places = points([(500, 199), (500, 201)], name=["near", "far"])
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-013"):
        area = cg.service_area(LINE, places, minutes=10, direction="from")
    assert area.snaps["status"].tolist() == ["ok", "not_snapped"]
    # measured in UTM, which shortens by 0.9996 in the middle of the zone
    assert area.snaps["snap_distance_m"].tolist() == pytest.approx([199 * 0.9996, 201 * 0.9996], abs=0.1)
    assert area.unserved["name"].tolist() == ["far"]
    assert "max_snap_m" in area.unserved["reason"].item()
    assert area.polygons["status"].tolist() == ["ok", "not_snapped"]
    assert area.polygons.geometry.iloc[1].is_empty
    assert area.polygons["reached_km"].iloc[1] == 0.0


def test_the_stretch_to_the_road_is_charged():
    """100 m at 3.6 km/h are 100 s: of 3 minutes 80 s are left, 800 m to each side."""
    area = cg.service_area(LINE, points([(500, 100)]), minutes=3, direction="from")
    assert area.snaps["snap_time_s"].item() == pytest.approx(100.0, abs=0.1)
    # UTM measures the 100 m as 99.96 m: 0.04 s, 0.4 m on each of three streets more
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(0.5 + 0.5 + 0.3 + 0.3, abs=0.003)


def test_delay_by_number_by_column_and_by_mode():
    places = points([(0, 0), (0, 0)], turnout=[30, 90])
    by_column = cg.service_area(LINE, places, minutes=2, direction="from", delay_s="turnout")
    assert by_column.polygons["reached_km"].tolist() == pytest.approx([0.9, 0.3])
    by_number = cg.service_area(LINE, places, minutes=2, direction="from", delay_s=60)
    assert by_number.polygons["reached_km"].tolist() == pytest.approx([0.6, 0.6])
    engine = network({1: (0, 0), 2: (1000, 0)}, [((1, 2), STREET)], cg.travel_mode("fire_engine"))
    by_mode = cg.service_area(engine, points([(0, 0)]), minutes=1.5, direction="from")
    assert by_mode.snaps["delay_s"].item() == 60.0
    assert by_mode.polygons["reached_km"].tolist() == pytest.approx([0.3])


def test_exactly_on_time_is_reached():
    """1000 m take 100,000 ms: within 100 s the end is reached, within a millisecond less it is not."""
    start, end = points([(0, 0)]), points([(1000, 0)])
    on_time = cg.travel_times(LINE, start, end, minutes=100 / 60)
    assert on_time[["time_s", "status"]].to_numpy().tolist() == [[100.0, "ok"]]
    late = cg.travel_times(LINE, start, end, minutes=99.999 / 60)
    assert late[["time_s", "status"]].to_numpy().tolist() == [[np.inf, "out_of_range"]]


def test_grid_city_reaches_what_a_diamond_holds():
    """Within R = ks of a node of an s-grid the reached length is 4 k^2 s; area tends to 2 R^2."""
    net = grid_city(20, 100)
    k = 6
    area = cg.service_area(net, points([(0, 0)]), minutes=k * 10 / 60, direction="from")
    assert area.dissolved["reached_km"].iloc[0] == pytest.approx(4 * k * k * 0.1, rel=1e-4)


def test_nearest_takes_the_quickest_and_the_first_of_equals():
    stations = gpd.GeoDataFrame(points([(2000, 0), (0, 0), (0, 0)])).set_index(
        gpd.pd.Index(["east", "west", "twin"])
    )
    people = points([(400, 0), (1000, 0), (1700, 0)])
    near = cg.nearest(LINE, people, stations, direction="to")
    assert near["facility"].tolist() == ["west", "east", "east"]
    assert near["time_s"].tolist() == pytest.approx([40.0, 100.0, 30.0])


def test_travel_times_equal_the_slow_reference():
    net = grid_city(4, 137.0)
    rng = np.random.default_rng(5)
    spots = points([tuple(place) for place in rng.uniform(-250, 250, (12, 2))])
    times = cg.travel_times(net, spots, spots)
    snaps = snap_points(net, spots.geometry.to_numpy(), spots.crs)
    times_of = (net.arrays[name] for name in ("edge_node", "edge_along_ms", "edge_against_ms"))
    edges = [
        (int(u), int(v), int(along), int(against)) for (u, v), along, against in zip(*times_of, strict=True)
    ]
    places = [(int(edge), float(share)) for edge, share in zip(snaps.edge, snaps.share, strict=True)]
    off = snaps.walk_off_ms.tolist()
    expected = [
        reference.place_time(edges, places[i], off[i], places[j], off[j], 10**9)
        for i in range(12)
        for j in range(12)
    ]
    assert (times["time_s"] * 1000).round().astype(int).tolist() == expected


def test_results_keep_labels_crs_and_inputs():
    places = points([(400, 0), (1500, 0)]).set_index(gpd.pd.Index(["b", "a"])).to_crs(3857)
    before = places.copy()
    area = cg.service_area(LINE, places, minutes=[1, 2], direction="from")
    assert places.equals(before)
    assert area.polygons.crs == area.edges.crs == area.snaps.crs == places.crs
    assert area.polygons[["facility", "minutes"]].to_numpy().tolist() == [
        ["b", 1.0],
        ["a", 1.0],
        ["b", 2.0],
        ["a", 2.0],
    ]
    assert area.snaps.index.tolist() == ["b", "a"]
    assert "2 of 2 facilities" in repr(area)
    again = pickle.loads(pickle.dumps(area))
    assert again.polygons.equals(area.polygons)
    assert area.provenance["parameters"]["minutes"] == [1.0, 2.0]
    assert len(area.provenance["inputs"]["facilities"]) == 64


def test_polygons_stand_inside_and_lines_at_their_middle():
    place = points([(400, 0)]).to_crs(LINE.metric_crs).geometry.item()
    shapes = gpd.GeoDataFrame(
        geometry=[place.buffer(30), shapely.LineString([(place.x, place.y - 20), (place.x, place.y + 20)])],
        crs=LINE.metric_crs,
    )
    area = cg.service_area(LINE, shapes, minutes=2, direction="from")
    assert (area.snaps["status"] == "ok").all()
    assert area.polygons["reached_km"].tolist() == pytest.approx([2.2, 2.2], abs=0.05)


def test_missing_geometry_keeps_its_row():
    places = points([(400, 0), (500, 0)])
    places.loc[1, "geometry"] = None
    with pytest.warns(errors.CitygeoWarning, match="CG-GEO-002"):
        area = cg.service_area(LINE, places, minutes=2, direction="from")
    assert area.snaps["status"].tolist() == ["ok", "no_geometry"]
    assert area.unserved.index.tolist() == [1]


def test_no_crs():
    bare = points([(400, 0)]).set_crs(None, allow_override=True)
    with pytest.raises(errors.CRSError, match="CG-CRS-001: facilities has no CRS"):
        cg.service_area(LINE, bare, minutes=2, direction="from")


def test_swapped_lon_lat():
    spot = points([(400, 0)]).geometry.item()
    swapped = gpd.GeoDataFrame(geometry=[shapely.Point(spot.y, spot.x)], crs=4326)
    with pytest.raises(errors.CRSError, match="CG-CRS-003"):
        cg.service_area(LINE, swapped, minutes=2, direction="from")


def test_far_away():
    with pytest.raises(errors.NetworkError, match="CG-NET-010: 0 of 1 facilities"):
        cg.service_area(LINE, points([(400, 9000)]), minutes=2, direction="from")


def test_empty_facilities():
    with pytest.raises(errors.InputError, match="CG-IN-001: facilities has 0 rows"):
        cg.service_area(LINE, points([]), minutes=2, direction="from")


def test_repeated_labels():
    with pytest.raises(errors.InputError, match="CG-IN-006"):
        cg.service_area(
            LINE, points([(0, 0), (9, 0)]).set_index(gpd.pd.Index([7, 7])), minutes=2, direction="from"
        )


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), 6000, [], [5, 0]])
def test_unusable_minutes(minutes):
    with pytest.raises(errors.UnitError, match="CG-UNIT-002"):
        cg.service_area(LINE, points([(0, 0)]), minutes=minutes, direction="from")


@pytest.mark.parametrize("buffer_m", [0, -5, 1e9, float("nan")])
def test_unusable_buffer(buffer_m):
    with pytest.raises(errors.UnitError, match="CG-UNIT-002"):
        cg.service_area(LINE, points([(0, 0)]), minutes=1, direction="from", buffer_m=buffer_m)


def test_unknown_direction():
    with pytest.raises(errors.InputError, match="CG-IN-004"):
        cg.service_area(LINE, points([(0, 0)]), minutes=1, direction="outbound")


@pytest.mark.parametrize("turnout", [[-1, 0], [float("nan"), 0], ["soon", 0]])
def test_unusable_delay_names_its_rows(turnout):
    with pytest.raises(errors.InputError, match=r"CG-IN-003: 1 of 2 rows of facilities.*turnout: rows 0"):
        cg.service_area(
            LINE, points([(0, 0), (9, 0)], turnout=turnout), minutes=1, direction="from", delay_s="turnout"
        )


def test_unknown_delay_column():
    with pytest.raises(errors.InputError, match="CG-IN-005"):
        cg.service_area(LINE, points([(0, 0)]), minutes=1, direction="from", delay_s="turnuot")
