"""The table of `RoadNetwork.snap`: labels, CRS, several places per row, headings by column, and wrong arguments."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from citygeo import errors
from citygeo.issues import IssueLog
from citygeo.network.snap_layer import snap_layer, snap_rows
from tests.toy import ONEWAY, STREET, edge_between, lonlat, network, points

UTM = 0.9996
# two carriageways 20 m apart, and a street across at 500 m
NET = network(
    {1: (0, 0), 2: (1000, 0), 3: (1000, 20), 4: (0, 20), 5: (2000, -300), 6: (2000, 300)},
    [((1, 2), ONEWAY), ((3, 4), ONEWAY), ((5, 6), STREET)],
)
EAST, WEST, ACROSS = edge_between(NET, 1, 2), edge_between(NET, 3, 4), edge_between(NET, 5, 6)


def layer_of(*shapes, **columns):
    """Shapes of toy metres as a layer in WGS 84."""
    moved = [
        shape
        and shapely.transform(
            shape, lambda xy: np.array([lonlat(*place) for place in xy.tolist()]).reshape(-1, 2)
        )
        for shape in shapes
    ]
    return gpd.GeoDataFrame(columns, geometry=moved, crs=4326)


def along(table, net=NET):
    """Label, edge, metres along it, and distance of each place."""
    is_on = table["edge"] >= 0
    metres = np.where(is_on, table["fraction"] * net.length_m[table["edge"]], np.nan)
    return list(
        zip(
            table.index,
            table["edge"],
            metres.round(1).tolist(),
            (table["snap_distance_m"] / UTM).round(1),
            strict=True,
        )
    )


def test_one_row_per_point_on_the_callers_index_and_crs():
    layer = points([(250, -30), (400, 25), (9_000, 0)], name=["a", "b", "c"]).set_index("name").to_crs(3857)
    table = snap_layer(NET, layer)
    assert list(table.columns) == ["edge", "fraction", "snap_distance_m", "side", "status", "geometry"]
    assert table.crs == layer.crs
    assert table.index.tolist() == ["a", "b", "c"]
    assert table.index.name == "name"
    assert along(table)[:2] == [("a", EAST, 250.0, 30.0), ("b", WEST, 600.0, 5.0)]
    assert table["side"].tolist() == ["right", "right", ""]
    assert table["status"].tolist() == ["ok", "ok", "not_snapped"]
    assert table["edge"].tolist()[2] == -1
    assert table.geometry.isna().tolist() == [False, False, True]
    assert table["snap_distance_m"].iloc[2] == pytest.approx(7_000 * UTM, rel=1e-4)
    places = shapely.get_coordinates(table.geometry[:2].to_crs(NET.metric_crs))
    np.testing.assert_allclose(places[1] - places[0], [150 * UTM, 20 * UTM], atol=1e-3)


def test_the_network_offers_it():
    pd.testing.assert_frame_equal(NET.snap(points([(250, -30)])), snap_layer(NET, points([(250, -30)])))


def test_labels_may_repeat_and_geometry_may_be_missing():
    layer = gpd.GeoDataFrame(
        geometry=[None, *points([(250, 0)]).geometry, shapely.Point()], index=[7, 7, 8], crs=4326
    )
    for polygons in ("point", "entrances", "edges"):
        table = snap_layer(NET, layer, polygons=polygons)
        assert table.index.tolist() == [7, 7, 8]
        assert table["status"].tolist() == ["no_geometry", "ok", "no_geometry"]


def test_headings_and_sides():
    layer = points([(250, 12)] * 3, bearing=[90, 270, None], words=["E", "W", "?"])
    assert snap_layer(NET, layer, heading="bearing")["edge"].tolist() == [EAST, WEST, WEST]
    assert snap_layer(NET, layer, heading=90)["edge"].tolist() == [EAST] * 3
    assert (
        snap_layer(NET, layer, heading=100, heading_tolerance_deg=5)["status"].tolist() == ["not_snapped"] * 3
    )
    # north of the westbound carriageway only that one has the point on its right
    kerb = points([(250, 30), (250, 12)])
    assert snap_layer(NET, kerb, side="right", max_snap_m=100)["edge"].tolist() == [WEST, -1]


PARK = shapely.box(1950, -100, 2050, 100)
TWO = shapely.MultiPolygon([shapely.box(1950, -100, 2050, -40), shapely.box(1950, 40, 2050, 100)])


def test_polygons_by_one_point_or_by_their_gates_or_by_all_inside():
    layer = layer_of(PARK, shapely.Point(250, -30), TWO, park=["one", "none", "two"]).set_index("park")
    assert along(snap_layer(NET, layer))[:2] == [("one", ACROSS, 300.0, 0.0), ("none", EAST, 250.0, 30.0)]
    gates = [(200.0, 0.0), (400.0, 0.0)]
    expected = [("one", ACROSS, *gate) for gate in gates]
    expected += [("none", EAST, 250.0, 30.0)]
    expected += [("two", ACROSS, metres, 0.0) for metres in (200.0, 260.0, 340.0, 400.0)]
    assert along(snap_layer(NET, layer, polygons="entrances")) == expected
    found = along(snap_layer(NET, layer, polygons="edges"))
    assert [row for row in found if row[0] == "one"] == [
        ("one", ACROSS, metres, 0.0) for metres in (200.0, 250.0, 300.0, 350.0, 400.0)
    ]
    assert [row for row in found if row[0] == "two"] == [
        ("two", ACROSS, metres, 0.0) for metres in (200.0, 250.0, 260.0, 340.0, 350.0, 400.0)
    ]


def test_a_fence_beside_the_road_is_entered_from_its_side():
    table = snap_layer(NET, layer_of(shapely.box(100, -60, 150, -20)), polygons="entrances", entrance_m=25)
    assert along(table) == [(0, EAST, 100.0, 20.0), (0, EAST, 150.0, 20.0)]
    assert table["side"].tolist() == ["right", "right"]
    nothing_near = snap_layer(
        NET, layer_of(shapely.box(100, -60, 150, -20)), polygons="entrances", entrance_m=10
    )
    assert along(nothing_near) == [(0, EAST, 100.0, 20.0)]


def test_the_cap_binds_entrances_too():
    """At 20 m both carriageways would be near; within 25 m of the fence only one is."""
    layer = layer_of(shapely.box(100, -60, 150, -20))
    assert along(snap_layer(NET, layer, polygons="entrances", max_snap_m=25, entrance_m=100)) == [
        (0, EAST, 100.0, 20.0), (0, EAST, 150.0, 20.0),
    ]  # fmt: skip
    far = snap_layer(NET, layer, polygons="entrances", max_snap_m=19.9)
    assert far["status"].tolist() == ["not_snapped"]
    assert far["snap_distance_m"].tolist() == pytest.approx([20 * UTM], abs=1e-3)
    assert far["edge"].tolist() == [-1]


def test_streets_beyond_the_cap_do_not_hide_those_inside():
    """The carriageways end 80 m before the fence, the street across is inside and meets it nowhere."""
    layer = layer_of(shapely.box(1080, -400, 2300, 400))
    found = snap_layer(NET, layer, polygons="entrances", entrance_m=100)
    assert along(found) == [(0, EAST, 1000.0, 80.0), (0, WEST, 0.0, 80.0)]
    found = snap_layer(NET, layer, polygons="entrances", entrance_m=100, max_snap_m=25)
    assert along(found) == [(0, ACROSS, 0.0, 0.0)]


def test_several_points_stand_at_each_of_them():
    shapes = layer_of(
        shapely.MultiPoint([(100, -10), (300, -20), (500, -900)]),
        shapely.MultiPoint([(100, -900), (200, -800)]),
    )
    table = snap_layer(NET, shapes, polygons="entrances")
    assert along(table)[:2] == [(0, EAST, 100.0, 10.0), (0, EAST, 300.0, 20.0)]
    assert table["status"].tolist() == ["ok", "ok", "not_snapped"]
    assert table["snap_distance_m"].iloc[2] == pytest.approx(800 * UTM, abs=0.1)


def test_collections_stand_at_one_point():
    mixed = shapely.GeometryCollection([shapely.box(100, -60, 150, -20), shapely.Point(120, -30)])
    layer = layer_of(mixed)
    assert along(snap_layer(NET, layer, polygons="entrances")) == along(snap_layer(NET, layer))


def test_heights_are_left_out():
    flat, high = (
        shapely.box(1950, -100, 2050, 100),
        shapely.force_3d(shapely.box(1950, -100, 2050, 100), 40.0),
    )
    expected = along(snap_layer(NET, layer_of(flat), polygons="entrances"))
    raised = layer_of(flat)
    raised.geometry = shapely.force_3d(raised.geometry.to_numpy(), 40.0)
    assert high.has_z
    assert along(snap_layer(NET, raised, polygons="entrances")) == expected


def test_areas_that_are_not_valid_are_repaired_and_told():
    """A bow tie of two triangles that touch in (2000, 0), where the street runs; and an area that is a line."""
    bow = shapely.Polygon([(1950, -50), (2050, -50), (1950, 50), (2050, 50)])
    flat = shapely.Polygon([(1900, 100), (2100, 100), (1900, 100)])
    with pytest.warns(errors.CitygeoWarning, match=r"CG-GEO-006: 2 rows of the layer .*: 0, 1\."):
        table = snap_layer(NET, layer_of(bow, flat), polygons="entrances")
    assert along(table) == [
        (0, ACROSS, 250.0, 0.0), (0, ACROSS, 300.0, 0.0), (0, ACROSS, 350.0, 0.0), (1, ACROSS, 400.0, 0.0),
    ]  # fmt: skip


def test_shapes_that_no_projection_can_take_keep_their_row():
    layer = gpd.GeoDataFrame(
        geometry=[shapely.box(np.inf, 0, np.inf, 1), *points([(250, 0)]).geometry], crs=4326
    )
    table = snap_layer(NET, layer, polygons="entrances")
    assert table["status"].tolist() == ["not_snapped", "ok"]
    assert np.isnan(table["snap_distance_m"].iloc[0])


def test_where_every_street_is_closed_nothing_is_on_the_network():
    closed = NET.without(edges=[EAST, WEST, ACROSS])
    layer = layer_of(PARK, shapely.Point(250, -30))
    for polygons in ("point", "entrances", "edges"):
        table = snap_layer(closed, layer, polygons=polygons)
        assert table["status"].tolist() == ["not_snapped"] * 2
        assert table["snap_distance_m"].isna().all()


def test_the_nearest_place_of_each_row():
    layer = layer_of(shapely.box(100, -60, 150, -20), None, shapely.box(1950, -100, 2050, 100))
    rows = snap_rows(NET, layer, polygons="entrances", log=IssueLog())
    assert rows.row.tolist() == [0, 0, 1, 2, 2]
    nearest = rows.nearest
    assert nearest.edge.tolist() == [EAST, -1, ACROSS]
    assert nearest.share[[0, 2]] == pytest.approx([0.1, 1 / 3], abs=1e-4)
    assert nearest.status.tolist() == ["ok", "no_geometry", "ok"]


def test_rows_far_away_are_told_row_by_row_but_swapped_axes_are_an_error():
    table = snap_layer(NET, points([(0, 50_000), (10, 60_000)]))
    assert table["status"].tolist() == ["not_snapped"] * 2
    swapped = points([(250, 30), (400, 10)])
    swapped.geometry = shapely.points(shapely.get_coordinates(swapped.geometry)[:, ::-1])
    for polygons in ("point", "entrances"):
        with pytest.raises(errors.CRSError) as caught:
            snap_layer(NET, swapped.set_crs(4326, allow_override=True), polygons=polygons)
        assert caught.value.code == "CG-CRS-003"


GOOD = points([(250, 30), (400, 10)], bearing=[10.0, 500.0], words=["ten", "10"], flag=[True, False])


@pytest.mark.parametrize(
    ("options", "code", "data"),
    [
        ({"max_snap_m": -1}, "CG-UNIT-002", {"argument": "max_snap_m"}),
        ({"entrance_m": -1}, "CG-UNIT-002", {"argument": "entrance_m"}),
        ({"entrance_m": np.nan}, "CG-UNIT-002", {"argument": "entrance_m"}),
        ({"heading_tolerance_deg": 181}, "CG-UNIT-002", {"argument": "heading_tolerance_deg"}),
        ({"side": "behind"}, "CG-IN-004", {"argument": "side"}),
        ({"polygons": "gates"}, "CG-IN-004", {"argument": "polygons", "value": "gates"}),
        ({"polygons": "entrances", "heading": 90}, "CG-IN-004", {"argument": "polygons", "value": "entrances"}),
        ({"polygons": "edges", "side": "left"}, "CG-IN-004", {"argument": "polygons", "value": "edges"}),
        ({"heading": "course"}, "CG-IN-005", {"column": "course"}),
        ({"heading": "bearing"}, "CG-IN-003", {"column": "bearing", "count": 1, "sample": "1"}),
        ({"heading": "words"}, "CG-IN-003", {"column": "words", "count": 1, "sample": "0"}),
        ({"heading": 361}, "CG-IN-003", {"column": "heading", "count": 2}),
        ({"heading": np.inf}, "CG-IN-003", {"column": "heading", "count": 2}),
        ({"heading": [10, 20]}, "CG-IN-003", {"column": "heading", "count": 2}),
        ({"heading": True}, "CG-IN-003", {"column": "heading", "count": 2}),
        ({"side": ["left"]}, "CG-IN-004", {"argument": "side"}),
        ({"polygons": ["point"]}, "CG-IN-004", {"argument": "polygons"}),
        ({"entrance_m": "30"}, "CG-UNIT-002", {"argument": "entrance_m"}),
        ({"heading_tolerance_deg": None}, "CG-UNIT-002", {"argument": "heading_tolerance_deg"}),
    ],
)  # fmt: skip
def test_wrong_options_are_one_clear_error(options, code, data):
    with pytest.raises(errors.CitygeoError) as caught:
        snap_layer(NET, GOOD, **options)
    assert caught.value.code == code
    assert {key: caught.value.data[key] for key in data} == data


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        (GOOD.drop(columns="geometry"), "CG-IN-007"), (GOOD[:0], "CG-IN-001"),
        (GOOD.set_crs(None, allow_override=True), "CG-CRS-001"),
    ],
)  # fmt: skip
def test_what_is_no_layer_is_one_clear_error(layer, code):
    with pytest.raises(errors.CitygeoError) as caught:
        snap_layer(NET, layer)
    assert caught.value.code == code
