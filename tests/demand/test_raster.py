"""People of rasters on cells: equal to a loop over h3-py, none lost, and every doubt recorded."""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.demand import raster as verb
from citygeo.demand.raster import cells_of_raster
from citygeo.errors import CitygeoError
from citygeo.io import pixels
from citygeo.issues import IssueLog
from tests.h3_places import corners, faces, to_degrees
from tests.rasters import DEGREE, MOLLWEIDE, lonlat_of, oracle, write_raster

PACKAGES = Path(os.environ.get("CITYGEO_PACKAGE_DATA", "no packages"))
BURUNDI = PACKAGES / "gridfinder-3.1.2" / "tests" / "data" / "pop.tif"
RNG = np.random.default_rng(6)
PEOPLE = (RNG.random((70, 50)) * (RNG.random((70, 50)) < 0.5)).astype(np.float32)


def asked(path, resolution=8, **options):
    """Cells, people, facts, and what was found by code."""
    log = IssueLog()
    cells, people, facts = cells_of_raster(path, resolution, log=log, **options)
    assert cells.dtype == np.uint64
    assert (np.diff(cells.astype(np.int64)) > 0).all()
    assert (people > 0).all()
    assert people.sum() == pytest.approx(facts["people"], rel=1e-12)
    return cells, people, facts, {issue.code: issue for issue in log.found}


def code_of(path, resolution=8, **options):
    with pytest.raises(CitygeoError) as caught:
        asked(path, resolution, **options)
    assert caught.value.zh
    return caught.value.code


def same_as_h3(path, resolution, points=1):
    method = "centre" if points == 1 else "subsample"
    cells, people, facts, _ = asked(path, resolution, method=method)
    assert facts["points"] == points
    expected, numbers = oracle(path, resolution, points)
    assert np.array_equal(cells, expected)
    assert people == pytest.approx(numbers, rel=1e-12)


# --- equal to h3-py -------------------------------------------------------------------------------

PLACES = {
    "degrees": {},
    "a datum of its own": {"crs": 4490},
    "to the east of 180": {"west": 179.98, "north": -16.5},
    "counted from 0 to 360": {"west": 338.0, "north": 64.2},
    "once around": {"west": 359.98, "north": 5.0},
    "north pole in degrees": {"north": 90.0},
    "north pole in metres": {"crs": 3995, "west": -3000, "north": 3000, "size": 100},
    "UTM": {"crs": 32650, "west": 500_000, "north": 4_400_000, "size": 100},
    "Mollweide": {"crs": MOLLWEIDE, "west": 2_904_368.6, "north": -285_568, "size": (249.93, 249.92)},
    "Mercator in the north": {"crs": 3857, "west": -2_450_000, "north": 9_400_000, "size": 300},
    "feet": {"crs": 2263, "west": 980_000, "north": 200_000, "size": 300},
    "from south to north": {"size": (DEGREE, -DEGREE)},
    "from east to west": {"size": (-DEGREE, DEGREE)},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("resolution", [3, 8, 10])
def test_cells_and_people_are_those_of_a_loop_over_h3(tmp_path, place, resolution):
    same_as_h3(write_raster(tmp_path / "a.tif", PEOPLE, **PLACES[place]), resolution)


@pytest.mark.parametrize("place", ["Mollweide", "to the east of 180", "counted from 0 to 360"])
def test_points_of_pixels_are_those_of_a_loop_over_h3(tmp_path, place):
    path = write_raster(tmp_path / "a.tif", PEOPLE[:30, :30], **PLACES[place])
    _, _, facts, _ = asked(path, 9, method="subsample")
    assert facts["points"] > 1
    same_as_h3(path, 9, facts["points"])


@pytest.mark.parametrize("resolution", [5, 8, 9])
def test_pentagons_edges_and_middles_of_faces(tmp_path, resolution):
    corner = corners()
    face = np.array([[corner[cell] for cell in three] for three in faces()])
    for lon, lat in list(
        zip(
            *to_degrees(np.concatenate([face[::7, 0], face[::7].sum(axis=1), face[::7, :2].sum(axis=1)])),
            strict=True,
        )
    ):
        here = pyproj.CRS.from_proj4(f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84")
        path = write_raster(tmp_path / "a.tif", PEOPLE, crs=here.to_wkt(), west=-5000, north=7000, size=200)
        same_as_h3(path, resolution)


def test_the_whole_earth(tmp_path):
    values = (np.arange(180 * 360) % 7).reshape(180, 360).astype(np.uint8)
    path = write_raster(tmp_path / "a.tif", values, west=-180, north=90, size=1.0)
    for resolution in (0, 3):
        same_as_h3(path, resolution)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.floats(-180, 179), st.floats(-85, 85), st.integers(4, 12),
    st.floats(1e-5, 0.05), st.floats(0.2, 5), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_little_rasters_anywhere(tmp_path, rows, columns, west, north, resolution, size, stretch, seed):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((rows, columns)) < rng.random(), rng.random((rows, columns)), 0)
    path = write_raster(tmp_path / "a.tif", values, west=west, north=north, size=(size * stretch, size))
    same_as_h3(path, resolution)


def test_burundi_by_the_pixel():
    if not BURUNDI.is_file():
        pytest.skip("CITYGEO_PACKAGE_DATA names no folder with the unpacked packages")
    same_as_h3(BURUNDI, 8)
    cells, people, facts, found = asked(BURUNDI, 8)
    assert facts["people"] == pytest.approx(11_131_281.74, abs=0.01)
    assert facts["nodata"] == 356_461
    assert set(found) == {"CG-RAS-012"}
    parents = np.array([h3.cell_to_parent(int(cell), 5) for cell in cells], np.uint64)
    coarse, sums = (np.unique(parents), [people[parents == one].sum() for one in np.unique(parents)])
    assert sum(sums) == pytest.approx(people.sum(), rel=1e-12)
    assert coarse.size < cells.size / 50


# --- the method -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resolution", "kind"), [(6, "centre"), (7, "centre"), (8, "subsample"), (9, "subsample"), (10, "exact")]
)
def test_auto_chooses_by_size_and_says_so(tmp_path, resolution, kind):
    path = write_raster(tmp_path / "a.tif", np.ones((4, 4)), **PLACES["Mollweide"])
    cells, people, facts, found = asked(path, resolution)
    assert facts["kind"] == kind
    assert facts["method"] in found["CG-RAS-012"].message
    assert facts["cell_m2"] / facts["pixel_m2"] == pytest.approx(
        float(found["CG-RAS-012"].message.split("A cell is ")[1].split()[0]), rel=0.01
    )
    told = asked(path, resolution, method=kind)
    assert np.array_equal(told[0], cells)
    assert np.array_equal(told[1], people)


def test_points_stand_for_a_fiftieth_of_a_cell_at_most(tmp_path):
    for size in (100, 150, 250, 400):
        path = write_raster(
            tmp_path / "a.tif", np.ones((2, 2)), crs=32650, west=500_000, north=4e6, size=size
        )
        facts = asked(path, 8, method="subsample")[2]
        assert facts["cell_m2"] / facts["pixel_m2"] * facts["points"] ** 2 >= verb.FINE
        assert (
            facts["points"] == 1
            or facts["cell_m2"] / facts["pixel_m2"] * (facts["points"] - 1) ** 2 < verb.FINE
        )


def test_cells_finer_than_pixels_are_warned_of(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.ones((4, 4)), **PLACES["Mollweide"])
    assert "CG-RAS-013" not in asked(path, 9)[3]
    message = asked(path, 10, method="centre")[3]["CG-RAS-013"].message
    assert "Use resolution 9 or less" in message
    assert "Use resolution 9 or less" in asked(path, 12, method="centre")[3]["CG-RAS-013"].message


# --- threads, windows, packing --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["centre", "subsample", "exact"])
def test_nothing_depends_on_threads(tmp_path, monkeypatch, method):
    monkeypatch.setattr(pixels, "WINDOW_PIXELS", 400)
    path = write_raster(tmp_path / "a.tif", PEOPLE, tiled=True, blockxsize=16, blockysize=16)
    one = asked(path, 9, method=method, threads=1)
    for threads in (2, 5, None):
        more = asked(path, 9, method=method, threads=threads)
        assert np.array_equal(one[0], more[0])
        assert np.array_equal(one[1], more[1])
        assert one[2] == more[2]


@pytest.mark.parametrize("method", ["centre", "subsample", "exact"])
def test_windows_and_packing_change_no_more_than_rounding(tmp_path, monkeypatch, method):
    path = write_raster(tmp_path / "a.tif", PEOPLE)
    whole = asked(path, 9, method=method)
    monkeypatch.setattr(pixels, "WINDOW_PIXELS", 400)
    for packing in ({}, {"compress": "deflate"}, {"tiled": True, "blockxsize": 16, "blockysize": 16}):
        parts = asked(write_raster(path, PEOPLE, **packing), 9, method=method)
        assert np.array_equal(parts[0], whole[0])
        assert parts[1] == pytest.approx(whole[1], rel=1e-5 if method == "exact" else 1e-12)
        assert parts[2]["people"] == pytest.approx(whole[2]["people"], rel=1e-14)


def test_a_turned_file_is_the_same_raster(tmp_path):
    plain = asked(write_raster(tmp_path / "a.tif", PEOPLE), 9, method="exact")
    turned = asked(
        write_raster(tmp_path / "b.tif", PEOPLE[::-1], north=40 - 70 * DEGREE, size=(DEGREE, -DEGREE)),
        9,
        method="exact",
    )
    assert np.array_equal(plain[0], turned[0])
    assert plain[1] == pytest.approx(turned[1], rel=1e-5)


# --- area -----------------------------------------------------------------------------------------

AREA = gpd.GeoSeries(
    [shapely.Point(116.02, 39.97).buffer(0.013), shapely.box(116.0, 39.99, 116.005, 40.1)], crs=4326
)


@pytest.mark.parametrize("method", ["centre", "subsample"])
def test_pixels_count_in_an_area_if_their_middle_is_inside(tmp_path, method):
    path = write_raster(tmp_path / "a.tif", PEOPLE)
    where = lonlat_of(path)
    inside = np.array(
        [
            [AREA.union_all().covers(shapely.Point(where(r + 0.5, c + 0.5))) for c in range(50)]
            for r in range(70)
        ]
    )
    assert 50 < inside.sum() < 3000
    cut = asked(
        write_raster(tmp_path / "b.tif", np.where(inside, PEOPLE, 0).astype(np.float32)), 9, method=method
    )
    for area in (AREA, AREA.to_frame("geometry"), AREA.to_crs(32650)):
        found = asked(path, 9, method=method, area=area)
        assert np.array_equal(found[0], cut[0])
        assert np.array_equal(found[1], cut[1])
        assert found[2]["people"] == cut[2]["people"]


@pytest.mark.parametrize("method", ["centre", "exact"])
@pytest.mark.parametrize("crs", [4326, 32650])
def test_an_area_whose_rings_cross_is_mended(tmp_path, method, crs):
    path = write_raster(tmp_path / "a.tif", PEOPLE)
    left = shapely.Polygon([(116.001, 39.95), (116.001, 39.99), (116.02, 39.97)])
    right = shapely.Polygon([(116.039, 39.95), (116.039, 39.99), (116.02, 39.97)])
    tie = shapely.Polygon([(116.001, 39.95), (116.039, 39.99), (116.039, 39.95), (116.001, 39.99)])
    box = shapely.box(116.01, 39.96, 116.03, 39.98)
    assert not tie.is_valid
    told, plain = (
        asked(path, 9, method=method, area=gpd.GeoSeries(shapes, crs=4326).to_crs(crs))
        for shapes in ([tie, box], [left, right, box])
    )
    assert np.array_equal(told[0], plain[0])
    assert told[1] == pytest.approx(plain[1], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    "area",
    [
        shapely.box(15, 46, 35, 58).difference(shapely.box(20, 48, 30, 55)),
        shapely.MultiPolygon([shapely.box(15, 46, 20, 58), shapely.box(22, 47, 35, 57)]),
        # edges like an S in the other CRS: on the equator, their middles are where they are
        shapely.Polygon([(-40, -60), (40, 60), (80, 60), (0, -60)]),
    ],
)
def test_edges_of_an_area_are_straight_in_its_own_crs(tmp_path, area):
    west, south, east, north = area.bounds
    to_meters = pyproj.Transformer.from_crs(4326, MOLLWEIDE, always_xy=True)
    x, y = to_meters.transform([west, west, east, east, 0], [south, north, south, north, 0])
    size = 5000.0 if south > 0 else 30_000.0
    values = np.ones((int(np.ptp(y) / size) + 3, int(np.ptp(x) / size) + 3), np.uint8)
    corner = {"west": min(x) - size, "north": max(y) + size, "size": size}
    path = write_raster(tmp_path / "a.tif", values, crs=MOLLWEIDE, **corner)
    lon, lat = lonlat_of(path)(*(np.indices(values.shape) + 0.5))
    inside = shapely.intersects_xy(area, lon, lat)
    at_edge = inside & ~np.logical_and.reduce(
        [np.roll(inside, by, axis) for by in (-1, 1) for axis in (0, 1)]
    )
    facts = asked(path, 2, area=gpd.GeoSeries([area], crs=4326), method="centre")[2]
    assert 3000 < inside.sum() < 0.9 * values.size
    assert abs(facts["people"] - inside.sum()) <= 0.02 * at_edge.sum()


def test_an_area_and_the_rest_are_the_whole(tmp_path):
    path = write_raster(tmp_path / "a.tif", PEOPLE)
    rest = gpd.GeoSeries([shapely.box(115, 39, 117, 41).difference(AREA.union_all())], crs=4326)
    for method in ("centre", "subsample", "exact"):
        parts = [asked(path, 9, method=method, area=area)[2]["people"] for area in (AREA, rest)]
        assert sum(parts) == pytest.approx(PEOPLE.sum(dtype=float), rel=1e-6 if method == "exact" else 1e-12)


def test_only_windows_that_meet_the_area_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "WINDOW_PIXELS", 400)
    path = write_raster(tmp_path / "a.tif", PEOPLE, tiled=True, blockxsize=16, blockysize=16)
    read = []
    plain = pixels.Raster.read
    monkeypatch.setattr(
        pixels.Raster, "read", lambda self, window: (read.append(window), plain(self, window))[1]
    )
    facts = asked(path, 9, area=gpd.GeoSeries([shapely.box(116.001, 39.999, 116.002, 39.9995)], crs=4326))[2]
    assert [(window.row, window.column) for window in read] == [(0, 0)]
    assert facts["pixels"] < PEOPLE.size / 5


def test_an_area_counts_across_the_antimeridian_and_in_rasters_from_0_to_360(tmp_path):
    for west, box in ((179.98, (-180, -17, -179.99, -16)), (338.0, (-22.0, 64.1, -21.97, 64.3))):
        path = write_raster(tmp_path / "a.tif", PEOPLE, west=west, north=box[3] - 0.1)
        where = lonlat_of(path)
        lon = np.array([where(0, column + 0.5)[0] for column in range(50)])
        inside = ((lon + 180) % 360 - 180 >= box[0]) & ((lon + 180) % 360 - 180 <= box[2])
        assert 0 < inside.sum() < 50
        facts = asked(path, 8, method="centre", area=gpd.GeoSeries([shapely.box(*box)], crs=4326))[2]
        rows = [where(row + 0.5, 0)[1] >= box[1] for row in range(70)]
        assert facts["people"] == pytest.approx(PEOPLE[rows][:, inside].sum(dtype=float), rel=1e-12)


# --- densities ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", ["degrees", "UTM", "Mollweide", "Mercator in the north", "feet", "a datum of its own"]
)
def test_people_per_km2_are_multiplied_by_the_area_on_the_ellipsoid(tmp_path, place):
    path = write_raster(tmp_path / "a.tif", np.full((6, 5), 1000.0), **PLACES[place])
    with rasterio.open(path) as file:
        to, crs = file.transform, pyproj.CRS(file.crs.to_wkt())
    into = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    steps = np.linspace(0, 1, 9)
    square = np.concatenate(
        [(steps, 0 * steps), (0 * steps + 1, steps), (1 - steps, 0 * steps + 1), (0 * steps, 1 - steps)],
        axis=1,
    )
    total = 0.0
    for row, column in np.ndindex(6, 5):
        x, y = to.a * (column + square[0]) + to.c, to.e * (row + square[1]) + to.f
        total += abs(crs.get_geod().polygon_area_perimeter(*into.transform(x, y))[0])
    facts = asked(path, 8, units="per_km2", method="centre")[2]
    assert facts["people"] == pytest.approx(total / 1000, rel=1e-6)


# --- findings and errors --------------------------------------------------------------------------


def test_what_is_no_number_of_people_is_recorded(tmp_path):
    values = np.array([[5, -7, -9999, np.nan], [np.inf, 0, -np.inf, 2]], np.float32)
    path = write_raster(tmp_path / "a.tif", values)
    _, people, facts, found = asked(path)
    assert people.sum() == facts["people"] == 7
    assert (facts["inhabited"], facts["nodata"]) == (2, 5)
    assert (found["CG-RAS-002"].count, found["CG-RAS-007"].count) == (2, 3)
    assert "least -9999" in found["CG-RAS-002"].message
    found = asked(path, nodata=-9999)[3]
    assert (found["CG-RAS-002"].count, "least -7" in found["CG-RAS-002"].message) == (1, True)
    found = asked(write_raster(path, values, nodata=np.nan))[3]
    assert (found["CG-RAS-002"].count, found["CG-RAS-007"].count) == (2, 2)


def test_nodata_that_is_no_negative_number(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.array([[255, 3]], np.uint8))
    assert asked(path)[2]["people"] == 258
    assert asked(path, nodata=255)[2]["people"] == 3
    assert asked(write_raster(path, np.array([[255, 3]], np.uint8), nodata=255))[2]["people"] == 3


def test_people_whose_scaled_number_is_nodata_count(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.array([[51, 255, 2]], np.uint8), nodata=255)
    with rasterio.open(path, "r+") as file:
        file.scales = [5.0]
    _, _, facts, found = asked(path)
    assert (facts["people"], facts["inhabited"], facts["nodata"]) == (265, 2, 1)
    assert set(found) == {"CG-RAS-012"}


@pytest.mark.parametrize("value", [0, -1, np.nan])
@pytest.mark.parametrize("method", ["centre", "subsample", "exact"])
def test_a_raster_without_people_has_no_cells(tmp_path, value, method):
    path = write_raster(tmp_path / "a.tif", np.full((40, 40), value, np.float32), nodata=-1)
    cells, people, facts, found = asked(path, method=method)
    assert cells.size == people.size == facts["people"] == 0
    assert "CG-RAS-014" in found


def test_an_area_elsewhere_has_no_people(tmp_path):
    path = write_raster(tmp_path / "a.tif", PEOPLE)
    elsewhere = gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=4326)
    points = gpd.GeoSeries([shapely.Point(116.0004, 39.9996), None], crs=4326)
    for area in (elsewhere, points):
        for crs in (4326, 3857):
            cells, _, facts, found = asked(path, area=area.to_crs(crs))
            assert (cells.size, facts["pixels"]) == (0, 0)
            assert "CG-RAS-014" in found


@pytest.mark.parametrize("method", ["centre", "subsample", "exact"])
def test_only_pixels_without_a_place_are_lost(tmp_path, method):
    # of Mollweide's ellipse, the corners of the square around it are no place
    values = np.arange(1.0, 1801.0).reshape(30, 60)
    path = write_raster(
        tmp_path / "a.tif", values, crs=MOLLWEIDE, west=-18_040_096, north=9_020_048, size=601_336.5
    )
    _, _, facts, found = asked(path, 2, method=method)
    points = 16 if method == "exact" else facts["points"]
    steps, where = (np.arange(points) + 0.5) / points, lonlat_of(path)
    has_place = np.zeros(values.shape, np.int64)
    for down, right in ((down, right) for down in steps for right in steps):
        row, column = np.indices(values.shape)
        has_place += np.isfinite(where(row + down, column + right)[0])
    assert method == "centre" or ((has_place > 0) & (has_place < points**2)).sum() > 50
    off = found["CG-RAS-009"]
    assert off.count == (has_place == 0).sum() > 200
    assert facts["people"] == values[has_place > 0].sum()
    assert f"{values[has_place == 0].sum():,.0f} people" in off.message


@pytest.mark.parametrize("resolution", [7, 8])
def test_people_at_the_edge_of_the_map_are_shared_among_points_with_a_place(tmp_path, resolution):
    # Fiji: the last pixels before 180 degrees east
    values = np.arange(1.0, 401.0).reshape(20, 20)
    edge = pyproj.Transformer.from_crs(4326, MOLLWEIDE, always_xy=True).transform(179.9999, -17)
    path = write_raster(
        tmp_path / "a.tif", values, crs=MOLLWEIDE, west=edge[0] - 8000, north=edge[1] + 5000, size=500.0
    )
    cells, people, facts, _ = asked(path, resolution, method="subsample")
    steps, where = (np.arange(facts["points"]) + 0.5) / facts["points"], lonlat_of(path)
    expected = {}
    for row, column in np.ndindex(values.shape):
        places = [where(row + down, column + right) for down in steps for right in steps]
        places = [place for place in places if np.isfinite(place[0])]
        for lon, lat in places:
            cell = h3.latlng_to_cell(lat, lon, resolution)
            expected[cell] = expected.get(cell, 0.0) + values[row, column] / len(places)
    assert cells.tolist() == sorted(expected)
    assert people == pytest.approx([expected[cell] for cell in sorted(expected)], rel=1e-12)


def test_more_than_all_people_is_an_error(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.array([[3.4e38, 5]], np.float32))
    assert code_of(path) == "CG-RAS-008"
    assert asked(path, nodata=3.4e38)[2]["people"] == 5


@pytest.mark.parametrize("method", ["auto", "exact"])
def test_too_many_cells_are_refused_before_people_are_spread(tmp_path, monkeypatch, method):
    def spread(*_args, **_options):
        raise AssertionError

    monkeypatch.setattr(verb.Spread, "_placed", spread)
    path = write_raster(tmp_path / "a.tif", np.ones((3, 3)), size=0.01)
    with pytest.raises(CitygeoError, match="CG-LIM-002") as caught:
        asked(path, 15, method=method)
    km2 = 9 * (0.01 * 111.32) ** 2 * np.cos(np.radians(40))
    n = km2 / h3.cell_area(h3.latlng_to_cell(39.985, 116.015, 15), unit="km^2")
    assert float(caught.value.data["count"].replace(",", "")) == pytest.approx(n, rel=0.02)
    assert caught.value.data["advice"] == 14
    with pytest.raises(AssertionError):
        asked(path, 14, method=method)


def test_only_inhabited_pixels_count_for_the_limit_of_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "WINDOW_PIXELS", 400)
    values = np.zeros((48, 48))
    values[:2, :2] = values[-2:, -2:] = 1
    path = write_raster(tmp_path / "a.tif", values, size=0.01, tiled=True, blockxsize=16, blockysize=16)
    cells, _, facts, _ = asked(path, 11, method="exact")
    n = 8 * facts["pixel_m2"] / facts["cell_m2"]
    assert len(cells) == pytest.approx(n, rel=0.1)
    monkeypatch.setattr(hexgrid.inputs, "MAX_CELLS", int(1.02 * n))
    monkeypatch.setattr(hexgrid, "MAX_CELLS", int(1.02 * n))
    assert np.array_equal(asked(path, 11, method="exact")[0], cells)
    monkeypatch.setattr(hexgrid.inputs, "MAX_CELLS", int(0.98 * n))
    assert code_of(path, 11, method="exact") == "CG-LIM-002"
    half = gpd.GeoSeries([shapely.box(116, 39.9, 116.1, 40)], crs=4326)
    assert len(asked(path, 11, method="exact", area=half)[0]) < 0.6 * n
    # few points are in few cells, however small those are
    assert asked(path, 15, method="centre")[0].size == 8


def test_one_band_is_read_and_others_are_told(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.ones((2, 2)), count=3)
    _, _, facts, found = asked(path)
    assert facts["people"] == 4
    assert "has 3 bands" in found["CG-RAS-011"].message


def test_wrong_arguments(tmp_path):
    path = write_raster(tmp_path / "a.tif", PEOPLE)
    assert code_of(path, 16) == "CG-UNIT-002"
    assert code_of(path, method="nearest") == code_of(path, units="per_m2") == "CG-IN-004"
    assert code_of(path, area=gpd.GeoSeries([shapely.box(0, 0, 1, 1)])) == "CG-CRS-001"
    assert (
        code_of(path, area=gpd.GeoSeries([], crs=4326))
        == code_of(path, area=AREA.to_frame("a")[:0])
        == "CG-IN-001"
    )
    assert code_of(path, area=AREA.iloc[0]) == "CG-IN-007"


def test_a_place_off_the_map_in_the_middle_is_an_error(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.ones((2, 2)), crs=MOLLWEIDE, west=3e7, north=3e7, size=100)
    assert code_of(path) == "CG-RAS-006"


def test_damage_is_told_from_any_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "WINDOW_PIXELS", 400)
    path = write_raster(tmp_path / "a.tif", PEOPLE, tiled=True, blockxsize=16, blockysize=16)
    path.write_bytes(path.read_bytes()[:-3000])
    for threads in (1, 4):
        assert code_of(path, threads=threads) == "CG-RAS-003"
