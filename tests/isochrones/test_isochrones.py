"""The table of isochrones: rows, columns, labels, options, and what is refused."""

from __future__ import annotations

import copy
import math
import pickle

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo import errors
from citygeo.isochrones.moving import moved_shapes
from tests.toy import ONEWAY, STREET, network, points, toy_mode

SCALE = 0.9996  # UTM at its central meridian
LINE = network({1: (0, 0), 2: (1000, 0), 3: (2000, 0)}, [((1, 2, 3), STREET)])
KINDS = ("polygons", "edges", "cells")


def ask(minutes=1, places=((400, 0),), net=LINE, **options):
    return cg.isochrones(net, points(places), minutes=minutes, **{"direction": "from", **options})


def spot(x, y):
    return shapely.Point(500_000 + SCALE * x, SCALE * y)


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_the_callers_labels_crs_and_columns(kind):
    places = points([(400, 0), (1500, 0)]).set_axis(["b", "a"]).to_crs(3857)
    table = cg.isochrones(LINE, places, minutes=[1, 0.5], direction="from", kind=kind)
    assert isinstance(table, gpd.GeoDataFrame)
    assert table.crs == 3857
    assert table.index.unique().tolist() == ["b", "a"]
    assert table.facility.tolist() == table.index.tolist()
    assert table.columns[:5].tolist() == ["facility", "minutes", "from_minutes", "status", "snap_distance_m"]
    assert sorted(table.minutes.unique()) == [0.5, 1.0]
    assert set(table.status) == {"ok"}
    assert table.band_minutes == [0.5, 1.0]
    if kind == "polygons":
        assert table.minutes.tolist() == [0.5, 1.0, 0.5, 1.0]


@pytest.mark.parametrize("kind", KINDS)
def test_dissolved_rows_have_no_facility(kind):
    table = ask([0.5, 1], [(400, 0), (1500, 0)], kind=kind, overlap="dissolve")
    assert "facility" not in table
    assert table.index.tolist() == list(range(len(table)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("overlap", ["overlap", "split"])
def test_who_reaches_nothing_has_a_row_that_says_why(kind, overlap):
    places = gpd.GeoDataFrame(
        {"late": [0, 0, 0, 61]},
        geometry=[spot(400, 0), spot(400, 5000), None, spot(900, 0)],
        index=["ok", "far", "empty", "late"],
        crs=32631,
    )  # fmt: skip
    with pytest.warns(errors.CitygeoWarning):
        table = cg.isochrones(
            LINE, places, minutes=1, direction="from", kind=kind, overlap=overlap, delay_s="late"
        )
    found = table.groupby(level=0, sort=False).status.first()
    assert found.to_dict() == {
        "ok": "ok", "far": "not_snapped", "empty": "no_geometry", "late": "out_of_range",
    }  # fmt: skip
    others = table.loc[["far", "empty", "late"]]
    assert len(others) == 3
    assert (others.geometry.isna() | others.geometry.is_empty).all()
    assert table.loc["far"].snap_distance_m == pytest.approx(5000, rel=0.01)


def test_results_are_told_with_their_question():
    table = ask([0.5, 1], overlap="split", direction="to", trim_m=50, offroad_kmh=3, cell_m=10)
    assert (table.kind, table.bands, table.overlap, table.direction) == ("polygons", "disks", "split", "to")
    assert (table.trim_m, table.offroad_kmh, table.cell_m) == (50.0, 3.0, 10.0)
    assert table.provenance["parameters"]["minutes"] == [0.5, 1.0]
    assert table.snaps.status.tolist() == ["ok"]
    assert table.issues.columns.tolist() == ["code", "severity", "count", "sample", "message"]
    assert table.network is LINE
    again = pickle.loads(pickle.dumps(table))
    assert again.band_minutes == [0.5, 1.0]
    assert again.geometry.equals(table.geometry)
    assert copy.copy(table).overlap == "split"


def test_inputs_are_left_as_they_are():
    places = points([(400, 0)])
    before = places.copy()
    cg.isochrones(LINE, places, minutes=1, direction="from")
    pd.testing.assert_frame_equal(places, before)


def test_default_speed_off_the_road_is_the_modes():
    net = network({1: (0, 0), 2: (1000, 0)}, [((1, 2), STREET)], toy_mode(walk_off_kmh=1.8))
    given = ask(1, net=net, offroad_kmh=1.8)
    assert given.geometry.equals(ask(1, net=net).geometry)
    assert ask(1, net=net).offroad_kmh == 1.8


def test_rings_tell_both_bounds():
    table = ask([0.5, 1, 2], bands="rings")
    assert table[["from_minutes", "minutes"]].to_numpy().tolist() == [[0, 0.5], [0.5, 1], [1, 2]]
    disks = ask([0.5, 1, 2])
    assert table.area_km2.sum() == pytest.approx(disks.area_km2.iloc[-1])
    assert table.reached_km.sum() == pytest.approx(disks.reached_km.iloc[-1])


def test_raster_is_a_surface():
    surface = ask([0.5, 1], kind="raster", cell_m=10)
    assert isinstance(surface, cg.TimeSurface)
    assert surface.minutes == [0.5, 1.0]
    assert surface.at(points([(800, 0)])).iloc[0, 0] == pytest.approx(40, abs=6)


def test_facilities_may_be_polygons_and_lines():
    square = shapely.box(*spot(300, -50).coords[0], *spot(500, 50).coords[0])
    parks = gpd.GeoDataFrame(geometry=[square], crs=32631)
    # within 10 s: from the middle 100 m to each side; from both gates too; from all streets inside the whole park too
    lengths = {
        stands: cg.isochrones(LINE, parks, minutes=1 / 6, direction="to", polygons=stands).reached_km[0]
        for stands in ("point", "entrances", "edges")
    }
    assert lengths == pytest.approx({"point": 0.2, "entrances": 0.4, "edges": 0.4}, abs=1e-3)
    wall = gpd.GeoDataFrame(geometry=[shapely.LineString([spot(300, -50), spot(300, 50)])], crs=32631)
    table = cg.isochrones(LINE, wall, minutes=1 / 6, direction="to", polygons="entrances")
    assert table.reached_km[0] == pytest.approx(0.2, abs=1e-3)


# --- barriers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "barrier",
    [
        shapely.LineString([spot(700, -300), spot(700, 300)]),
        shapely.box(*spot(700, -300).coords[0], *spot(750, 300).coords[0]),
        spot(705, 2),
    ],
)
def test_barriers_of_all_kinds_stop_streets(barrier):
    table = ask(1, kind="edges", barriers=gpd.GeoSeries([barrier], crs=32631))
    assert table.total_bounds[2] <= points([(701, 0)]).total_bounds[2]
    assert table.total_bounds[2] >= points([(699, 0)]).total_bounds[2]


BRIDGE_CITY = network(
    {1: (0, 0), 2: (450, 0), 3: (550, 0), 4: (1000, 0)},
    [((1, 2), STREET), ((2, 3), {**STREET, "bridge": "yes"}), ((3, 4), STREET)],
)


def layer(*shapes):
    return gpd.GeoSeries(list(shapes), crs=32631)


def test_points_close_bridges_and_lines_pass_under_them():
    open_km, under_km, at_km = (
        ask(2, [(100, 0)], net=BRIDGE_CITY, barriers=given).reached_km[0]
        for given in (None, layer(shapely.LineString([spot(500, -99), spot(500, 99)])), layer(spot(500, 1)))
    )
    assert (open_km, under_km) == pytest.approx((1.0, 1.0), abs=1e-3)
    assert at_km == pytest.approx(0.495, abs=1e-3)


def test_of_a_flooded_street_only_the_bridge_stays_open():
    """The flood takes 100 to 900 m, the bridge is 450 to 550 m: a start at 500 m has the bridge, one at 0 m 100 m."""
    flood = layer(shapely.box(*spot(100, -200).coords[0], *spot(900, 200).coords[0]))
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-065"):
        table = ask(2, [(500, 0)], net=BRIDGE_CITY, barriers=flood, kind="edges")
    assert (table.to_m - table.from_m).sum() == pytest.approx(100, abs=0.01)
    assert ask(2, [(0, 0)], net=BRIDGE_CITY, barriers=flood).reached_km[0] == pytest.approx(0.1, abs=1e-3)


def test_who_is_across_a_barrier_from_the_road_is_told():
    river = layer(shapely.LineString([spot(-500, 50), spot(2500, 50)]))
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-065"):
        table = ask(1, [(400, 100), (900, 0)], barriers=river)
    told = table.issues.set_index("code").loc["CG-NET-065"]
    assert (told["count"], told["sample"]) == (1, ["0"]) or told["count"] == 1


def test_networks_without_bridges_tell_that_barriers_may_close_some():
    river = layer(shapely.LineString([spot(700, -300), spot(700, 300)]))
    assert "CG-NET-064" in ask(1, barriers=river).issues.code.tolist()
    assert "CG-NET-064" not in ask(2, [(100, 0)], net=BRIDGE_CITY, barriers=river).issues.code.tolist()


def test_ground_is_shared_out_on_each_side_of_a_barrier():
    """Streets at y = 0 and y = 120, the river at y = 90: the ground at y = 75 is nearer to the far street."""
    net = network(
        {1: (0, 0), 2: (1000, 0), 3: (0, 120), 4: (1000, 120), 5: (-900, 60)},
        [((1, 2), STREET), ((3, 4), STREET), ((1, 5, 3), STREET)],
    )
    river = layer(shapely.LineString([spot(-300, 90), spot(1500, 90)]))
    table = ask(1, [(500, 0), (500, 120)], net=net, barriers=river, overlap="split", offroad_kmh=math.inf)
    near, far = table.geometry.to_crs(32631)
    assert near.covers(spot(500, 75))
    assert not far.intersects(spot(500, 75))
    assert far.covers(spot(500, 100))


def test_barriers_need_a_crs_and_shapes():
    with pytest.raises(errors.CRSError, match="CG-CRS-001"):
        ask(1, barriers=gpd.GeoSeries([spot(0, 0)]))
    with pytest.raises(errors.InputError, match="CG-IN-004"):
        ask(1, barriers=gpd.GeoSeries([spot(0, 0), None], crs=32631))


def test_rows_of_a_table_cannot_be_checked_or_reported():
    """What is found out is laid beside the rows: of others, or in another order, it would be wrong."""
    table = ask([0.5, 1], [(400, 0), (1500, 0)], overlap="split")
    assert len(table.check()) == 4
    for rows in (
        table[table.minutes == 1],
        table.iloc[:1],
        table.sort_values("minutes"),
        pd.concat([table, table]),
    ):
        for question in (rows.check, rows.responsibility):
            with pytest.raises(errors.InputError, match="CG-IN-004"):
                question()


def test_tables_that_lost_their_question_say_so():
    derived = ask([0.5, 1]).dissolve("minutes")
    with pytest.raises(errors.InputError, match="CG-IN-004"):
        derived.check()


def test_who_is_nowhere_first_is_not_out_of_range():
    table = ask([0.5, 1], [(400, 0), (400, 0)], overlap="split")
    assert table.status.tolist() == ["ok", "ok", "not_first", "not_first"]


def test_kinds_agree_on_who_is_not_first():
    """At 900 m the engine from 850 m is there after 5 s, its own sets out after 12 s: it is first nowhere."""
    places = points([(850, 0), (900, 0)]).assign(late=[0, 12])
    told = {
        kind: cg.isochrones(
            LINE, places, minutes=[0.2, 1], direction="from", kind=kind, overlap="split", delay_s="late"
        ).groupby(["facility", "minutes"]).status.first().tolist()
        for kind in KINDS
    }  # fmt: skip
    assert told["polygons"] == told["edges"] == told["cells"] == ["ok", "ok", "not_first", "not_first"]


def test_rings_beyond_the_last_road_are_no_failure():
    for kind in KINDS:
        table = ask([5, 10, 20], kind=kind, bands="rings")
        assert set(table.status) == {"ok"}, kind


def test_results_come_back_frozen_from_a_pickle():
    """Kernels are compiled for read-only arrays: writable ones would be compiled for anew."""
    again = pickle.loads(pickle.dumps(ask(1)))
    assert not any(array.flags.writeable for array in again.network.arrays.values())
    assert again.check().recall.tolist() == [1.0]


def test_roads_only():
    table = ask(1, trim_m=0, cell_m=10, method="buffer")
    length, width = 1000.0 * SCALE, 20.0
    assert table.area_km2[0] * 1e6 == pytest.approx(length * width + math.pi * 100, rel=0.002)


@pytest.mark.parametrize("method", ["contour", "buffer", "cells"])
def test_areas_near_the_antimeridian_stay_in_one_piece(method):
    """A street at 179.9995 degrees east: the ground around it goes on beyond 180."""
    lonlat = [(179.999, -16.5), (179.9995, -16.49)]
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for node, (x, y) in enumerate(lonlat):
        graph.add_node(node, x=x, y=y)
    for ends in ((0, 1), (1, 0)):
        graph.add_edge(*ends, highway="residential", length=1111.0, oneway=False)
    net = cg.RoadNetwork.from_networkx(graph, mode="drive")
    at = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*zip(*lonlat, strict=True)), crs=4326).head(1)
    table = cg.isochrones(net, at, minutes=5, direction="from", method=method)
    west, _, east, _ = table.total_bounds
    assert east - west < 0.1
    assert table.is_valid.all()
    assert east > 180


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"overlap": "merge"}, {"bands": "circles"}, {"kind": "hull"}, {"method": "alpha"}, {"overlap": ["split"]},
        {"direction": "both"}, {"threads": 0}, {"polygons": "gates"}, {"bands": "rings", "kind": "raster"},
    ],
)  # fmt: skip
def test_unknown_options_are_told_with_the_known_ones(options):
    with pytest.raises(errors.InputError, match="CG-IN-004") as told:
        ask(1, **options)
    assert next(iter(options)) in str(told.value)


@pytest.mark.parametrize(
    "options",
    [
        {"minutes": 0}, {"minutes": [5, math.nan]}, {"minutes": []}, {"trim_m": -1}, {"trim_m": True},
        {"trim_m": 5001}, {"offroad_kmh": 0}, {"offroad_kmh": -math.inf}, {"offroad_kmh": "fast"}, {"cell_m": 0.5},
        {"cell_m": 2000}, {"cell_m": None}, {"max_snap_m": -1}, {"resolution": 16, "kind": "cells"},
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(errors.UnitError, match="CG-UNIT-002"):
        ask(**{"minutes": 1, **options})


def test_grids_too_large_are_refused_before_they_are_made():
    far = network({1: (0, 0), 2: (90_000, 40_000)}, [((1, 2), {**STREET, "maxspeed": "360"})])
    with pytest.raises(errors.LimitError, match="CG-LIM-006"):
        ask(60, [(0, 0)], net=far, cell_m=1, max_snap_m=1000)


# --- moving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsg", [32631, 32601, 32760, 4547])
def test_shapes_are_moved_as_proj_does(epsg):
    import pyproj

    rng = np.random.default_rng(epsg)
    area = pyproj.CRS.from_epsg(epsg).area_of_use
    west, east = area.west + 0.5, area.east - 0.5
    lonlat = rng.uniform([west, max(area.south, -79)], [east, min(area.north, 82)], (50, 2))
    ahead = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    back = pyproj.Transformer.from_crs(epsg, 4326, always_xy=True)
    for lon, lat in lonlat:
        xy = np.column_stack(ahead.transform(lon, lat)) + rng.uniform(-20_000, 20_000, (40, 2))
        moved = shapely.get_coordinates(moved_shapes(shapely.points(xy), epsg, 4326))
        gap = np.abs(moved - np.column_stack(back.transform(*xy.T))) * 111_000
        gap[:, 0] = np.minimum(gap[:, 0], 360 * 111_000 - gap[:, 0])  # 180 degrees east is 180 degrees west
        assert gap.max() < 1e-5


def test_oneway_streets_are_followed_by_direction():
    net = network({1: (0, 0), 2: (1000, 0)}, [((1, 2), ONEWAY)])
    out, back = (ask(0.5, [(500, 0)], net=net, kind="edges", direction=way) for way in ("from", "to"))
    assert (out.from_m.min(), out.to_m.max()) == pytest.approx((500, 800), abs=0.01)
    assert (back.from_m.min(), back.to_m.max()) == pytest.approx((200, 500), abs=0.01)
