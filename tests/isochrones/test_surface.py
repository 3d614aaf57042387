"""Travel-time surfaces: numbers by hand, the file read back, and what holds in a real city."""

from __future__ import annotations

import json
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

import citygeo as cg
from citygeo.edgeparts import EdgeParts
from citygeo.engine import Parts
from citygeo.errors import CitygeoError, FileError
from citygeo.isochrones import surface as module
from citygeo.isochrones.contour import contour, multipolygon
from citygeo.isochrones.ground import Ground
from citygeo.isochrones.surface import surface_of
from tests.toy import STREET, grid_city, network, points

CITY = grid_city(8)  # streets every 100 m, 100 ms a metre; off them 1 s a metre
SHRUNK = 0.9996  # metres of UTM zone 31 in its middle
PACE = 0.1 / SHRUNK  # seconds per metre of the map


def made(net, layer, *, minutes=(0.5,), overlap="dissolve", labels=None, threads=None, **options):
    bands = list(minutes)
    area = cg.service_area(net, layer, minutes=bands, direction="from", delay_s=0)
    snaps = area.snaps if labels is None else area.snaps.set_axis(labels)
    asked = {"offroad_kmh": net.mode.walk_off_kmh, "trim_m": 100.0, "cell_m": 20.0} | options
    return surface_of(
        net, area.parts[max(bands)], overlap=overlap, minutes=bands, direction="from", snaps=snaps, log=area.log,
        provenance=area.provenance, threads=threads, **asked,
    )  # fmt: skip


def metric(*places):
    """Points by metres of the map from the origin of the city."""
    geometry = [shapely.Point(500_000 + x, y) for x, y in places]
    return gpd.GeoSeries(geometry, crs=CITY.metric_crs)


def read(path):
    with rasterio.open(path) as raster:
        return raster.read(), raster.tags(), raster.descriptions, raster.profile


@pytest.fixture(scope="module")
def surface():
    return made(CITY, points([(0, 0)]))


@pytest.fixture(scope="module")
def real():
    city = cg.datasets.reykjavik()
    net = city.network("fire_engine")
    area = cg.service_area(net, city.stations, minutes=[2, 4], direction="from")

    def drawn(minutes, overlap="dissolve", **options):
        asked = {"offroad_kmh": net.mode.walk_off_kmh, "trim_m": 100.0, "cell_m": 20.0} | options
        return surface_of(
            net, area.parts[minutes], overlap=overlap, minutes=[minutes], direction="from", snaps=area.snaps,
            log=area.log, provenance=area.provenance, **asked,
        )  # fmt: skip

    return net, area, drawn


# --- numbers by hand ------------------------------------------------------------------------------


def test_seconds_on_and_beside_a_street(surface):
    places = [(0, 0), (60, 0), (-200, 0), (60, 20), (-80, -20), (0, 120)]
    by_hand = [0, 60 * PACE, 200 * PACE] + [
        PACE * abs(x) + abs(h) * math.sqrt(1 - PACE**2) for x, h in ((60, 20), (-80, -20))
    ]
    np.testing.assert_allclose(surface.at(metric(*places)), [*by_hand, 120 * PACE], atol=1e-5)


def test_what_nobody_reaches_in_time_has_no_value(surface):
    # 30 s are 300 m along the street, and 15 m of road beyond it
    assert surface.at(metric((280, 0), (300, 0), (320, 0), (60, 20))).notna().tolist() == [
        True,
        True,
        False,
        True,
    ]
    assert surface.at(metric((240, 0), (80, 20), (240, 20))).notna().tolist() == [True, True, False]
    assert math.isnan(surface.at(metric((9_999, 0)))[0])


def test_middles_of_pixels_are_multiples_of_the_side(surface):
    assert surface.seconds.dtype == np.float32
    west, north = surface.transform.c, surface.transform.f
    assert (west % 20, north % 20) == (10, 10)
    assert surface.transform.a == -surface.transform.e == surface.cell_m
    assert surface.crs == CITY.metric_crs
    # no row or column is in vain
    is_reached = np.isfinite(surface.seconds[0])
    assert is_reached[[0, -1]].any(axis=1).all()
    assert is_reached[:, [0, -1]].any(axis=0).all()


def test_times_on_roads_are_those_of_nearest(surface):
    """Rows and columns of pixels lie on the streets through the origin."""
    steps = np.arange(-280, 281, 20)
    places = metric(*((x, 0) for x in steps), *((0, y) for y in steps)).to_frame("geometry")
    told = surface.at(places)
    near = cg.nearest(CITY, places, points([(0, 0)]), direction="from", delay_s=0, minutes=5)
    np.testing.assert_allclose(told, near["time_s"], atol=2e-3)  # whole milliseconds, twice rounded


def test_a_pixel_takes_in_the_places_of_reached_roads():
    coarse = made(CITY, points([(13, 0)]), cell_m=90.0)
    along = gpd.GeoSeries(points([(x, 0) for x in range(-280, 310)]).geometry, crs=4326)
    assert coarse.at(along).notna().all()


def test_walks_without_time_are_buffers():
    plain = made(CITY, points([(0, 0)]), offroad_kmh=math.inf, trim_m=30.0)
    # 60 m along the street, or 30 m less and a walk along it; 22.36 m less and a walk to the side
    seconds = plain.at(metric((60, 0), (60, 20), (60, 40)))
    np.testing.assert_allclose(seconds[:2], [30 * PACE, (60 - math.sqrt(500)) * PACE], atol=1e-3)
    assert seconds.isna().tolist() == [False, False, True]


def test_nobody_walks_off_a_bridge():
    nodes = {1: (-300, 0), 2: (-100, 0), 3: (100, 0), 4: (300, 0)}
    bridge = {**STREET, "bridge": "yes"}
    net = network(nodes, [((1, 2), STREET), ((2, 3), bridge), ((3, 4), STREET)])
    over = made(net, points([(-200, 0)]), minutes=[2])
    assert over.at(metric((-200, 40), (0, 0), (0, 40), (200, 40))).notna().tolist() == [
        True,
        True,
        False,
        True,
    ]


def test_nobody_walks_over_a_barrier():
    nodes = {1: (-300, 0), 2: (300, 0), 3: (-300, 60), 4: (300, 60), 5: (9_000, 30)}
    # who goes round by the far end is late
    net = network(nodes, [((1, 2), STREET), ((3, 4), STREET), ((2, 5, 4), STREET)])
    stations = points([(-240, 0), (240, 60)])
    river = shapely.LineString([(499_000, 30), (505_000, 30)]).buffer(0.5)
    beside = metric((200, 20), (200, 40), (-200, 20), (-200, 40), (200, 0), (200, -40))
    for overlap in ("dissolve", "split"):
        free, parted = (
            made(net, stations, minutes=[2], overlap=overlap, barrier=shape) for shape in (None, river)
        )
        told, kept = (pd.DataFrame(one.at(beside)) for one in (free, parted))
        # over the river 4 s along the street and 40 m on foot; on this side 44 s and 20 m
        np.testing.assert_allclose(told["time_s"][:2], [40 * PACE + 39.98, 40 * PACE + 19.98], atol=0.25)
        np.testing.assert_allclose(kept["time_s"][:2], [440 * PACE + 20, 40 * PACE + 19.98], atol=0.25)
        np.testing.assert_allclose(kept["time_s"][2:4], [40 * PACE + 20, 440 * PACE + 19.98], atol=0.25)
        np.testing.assert_array_equal(kept["time_s"][4:], told["time_s"][4:])
        if overlap == "split":
            assert kept["facility"].tolist() == [0, 1, 0, 1, 0, 0]
            assert told["facility"].tolist()[:4] == [1, 1, 0, 0]
    alone = made(net, stations, minutes=[2], overlap="overlap", barrier=river)
    assert alone.at(beside).notna().to_numpy().tolist() == [
        [True, False], [False, True], [True, False], [False, True], [True, False], [True, False],
    ]  # fmt: skip
    # nor into one
    lake = shapely.box(500_190, -90, 500_230, -15)
    shore = made(net, stations, minutes=[2], barrier=lake).at(metric((200, 0), (200, -20), (180, -20)))
    assert shore.isna().tolist() == [False, True, False]


def test_bridges_pass_barriers_and_nobody_walks_over_beside_them():
    nodes = {1: (-40, 0), 2: (1000, 0), 3: (1000, 60), 4: (-40, 60)}
    bridge = {**STREET, "bridge": "yes"}
    net = network(nodes, [((1, 2), STREET), ((2, 3), bridge), ((3, 4), STREET)])
    river = shapely.box(499_000, 12, 502_000, 28)
    over = made(net, points([(0, 0)]), minutes=[5], cell_m=20.0, barrier=river)
    told = over.at(metric((0, 0), (0, 40), (0, 20), (1000, 20), (960, 20), (1000, 40), (980, 40)))
    # round by the bridge and 20 m back on foot; the river itself only on the bridge, 14 m to each side
    by_hand = [0, 2060 * PACE + 20, np.nan, 1020 * PACE, np.nan, 1040 * PACE, 1080 * PACE + 20]
    np.testing.assert_allclose(told, by_hand, atol=0.5)  # the map is 0.04 % smaller
    assert made(net, points([(0, 0)]), minutes=[5]).at(metric((0, 40)))[0] == pytest.approx(40)


def test_several_facilities():
    stations = points([(-200, 0), (200, 0)]).set_axis(["west", "east"])
    both, split, each = (made(CITY, stations, overlap=how) for how in ("dissolve", "split", "overlap"))
    assert (both.overlap, split.overlap, each.overlap) == ("dissolve", "split", "overlap")
    assert (both.facility, both.owner, each.owner) == (None, None, None)
    assert each.seconds.shape == (2, *both.seconds.shape[1:])
    np.testing.assert_array_equal(np.fmin(*each.seconds), both.seconds[0])
    np.testing.assert_array_equal(split.seconds, both.seconds)
    is_reached = np.isfinite(both.seconds[0])
    np.testing.assert_array_equal(split.owner >= 0, is_reached)
    first = np.argmin(np.nan_to_num(each.seconds, nan=1e9), axis=0)
    np.testing.assert_array_equal(split.owner[is_reached], first[is_reached])
    # in the middle both are there after 20 s, and the first row counts
    places = metric((-160, 0), (0, 0), (160, 0), (0, 9_999)).set_axis(list("abcd"))
    whose = split.at(places)
    assert whose["facility"].tolist()[:3] == ["west", "west", "east"]
    assert whose["facility"].isna().tolist() == [False, False, False, True]
    assert whose.index.tolist() == list("abcd")
    np.testing.assert_allclose(whose["time_s"], both.at(places))
    table = each.at(places)
    assert table.columns.tolist() == ["west", "east"]
    assert table.notna().to_numpy().tolist() == [[True, False], [True, True], [False, True], [False, False]]


def test_points_may_be_any_layer(surface):
    layer = points([(0, 0), (60, 0), (0, 0)]).to_crs(3857)
    layer.loc[2, "geometry"] = None
    told = surface.at(layer)
    assert isinstance(told, pd.Series)
    np.testing.assert_allclose(told, [0, 60 * PACE, np.nan], atol=0.05)
    with pytest.raises(CitygeoError, match="CG-CRS-001"):
        surface.at(layer.set_crs(None, allow_override=True))


def test_parts_may_be_those_of_one_search_in_any_order():
    stations = points([(-200, 0), (200, 0)])
    area = cg.service_area(CITY, stations, minutes=0.5, direction="from", delay_s=0)
    both = made(CITY, stations)
    joined = [
        np.concatenate([getattr(own, name) for own in area.parts[0.5]])[::-1]
        for name in ("edge", "share", "ms")
    ]
    once = surface_of(
        CITY, [Parts(*joined)], overlap="dissolve", minutes=[0.5], direction="from", offroad_kmh=3.6, trim_m=100.0,
        cell_m=20.0, snaps=area.snaps, log=area.log, provenance=area.provenance,
    )  # fmt: skip
    np.testing.assert_array_equal(once.seconds, both.seconds)


def test_the_number_of_threads_changes_nothing():
    stations = points([(-200, 0), (200, 0)])
    one, two = (made(CITY, stations, overlap="split", cell_m=2.0, threads=n) for n in (1, 2))
    assert one.seconds.tobytes() == two.seconds.tobytes()
    assert one.owner.tobytes() == two.owner.tobytes()


def test_nothing_reached_is_one_pixel_without_value(surface, tmp_path):
    none = surface_of(
        CITY, [EdgeParts.none()], overlap="dissolve", minutes=[1.0], direction="from", offroad_kmh=5.0,
        trim_m=100.0, cell_m=20.0, snaps=surface.snaps, log=surface.log, provenance=surface.provenance,
    )  # fmt: skip
    assert none.seconds.shape == (1, 1, 1)
    assert np.isnan(none.seconds).all()
    none.save(tmp_path / "none.tif")
    assert np.isnan(read(tmp_path / "none.tif")[0]).all()


def test_nothing_reached_beside_a_barrier_is_a_band_without_values():
    area = cg.service_area(CITY, points([(0, 0), (100, 0)]), minutes=0.5, direction="from", delay_s=0)
    both = surface_of(
        CITY, [EdgeParts.none(), area.parts[0.5][1]], overlap="overlap", minutes=[0.5], direction="from",
        offroad_kmh=3.6, trim_m=100.0, cell_m=20.0, snaps=area.snaps, log=area.log, provenance=area.provenance,
        barrier=shapely.box(500_010, 10, 500_090, 90),
    )  # fmt: skip
    assert np.isfinite(both.seconds).any(axis=(1, 2)).tolist() == [False, True]


def test_too_many_pixels_are_refused_with_a_size_that_fits(monkeypatch):
    monkeypatch.setattr(module, "MAX_VALUES", 5_000)
    stations = points([(-200, 0), (200, 0)])
    with pytest.raises(CitygeoError) as caught:
        made(CITY, stations, overlap="overlap", cell_m=5.0)
    assert caught.value.code == "CG-LIM-007"
    assert isinstance(caught.value, MemoryError)
    advice = caught.value.data["advice"]
    assert made(CITY, stations, overlap="overlap", cell_m=float(advice)).seconds.size <= 5_000


def test_it_says_what_it_is(surface):
    rows, columns = surface.seconds.shape[1:]
    assert f"0.5 min from 1 of 1 facilities, dissolve: 1 x {rows} x {columns} pixels of 20 m" in repr(surface)
    assert surface.issues.empty


# --- the file -------------------------------------------------------------------------------------


def test_geotiff_holds_what_the_surface_holds(surface, tmp_path):
    surface.save(tmp_path / "times.tif")
    bands, tags, names, profile = read(tmp_path / "times.tif")
    np.testing.assert_array_equal(bands, surface.seconds)
    assert names == ("time_s",)
    assert profile["driver"] == "GTiff"
    assert profile["dtype"] == "float32"
    assert np.isnan(profile["nodata"])
    assert profile["crs"].to_epsg() == 32631
    assert profile["transform"] == surface.transform
    assert (profile["compress"], profile["tiled"]) == ("deflate", True)
    told = {
        "units": "s", "minutes": "0.5", "direction": "from", "mode": "toy", "overlap": "dissolve", "offroad_kmh": "3.6",
        "trim_m": "100", "facilities": "[]", "source": "toy", "source_sha256": "0" * 64,
        "attribution": surface.provenance["attribution"], "TIFFTAG_SOFTWARE": f"citygeo {cg.__version__}",
    }  # fmt: skip
    assert told.items() <= tags.items()
    assert [item.name for item in tmp_path.iterdir()] == ["times.tif"]


HOSTILE = ["=1+1", "</Item><x a='\"&", "a\x00b\x1f\nc", "消防站 😀", "\udcff", ""]


def test_any_label_comes_back(tmp_path):
    stations = points([(10 * i, 0) for i in range(len(HOSTILE))])
    made(CITY, stations, overlap="overlap", labels=pd.Index(HOSTILE, dtype=object)).save(
        tmp_path / "bands.tif"
    )
    bands, tags, names, _ = read(tmp_path / "bands.tif")
    expected = ["=1+1", "</Item><x a='\"&", "a b \nc", "消防站 😀", "\\udcff", None]
    assert list(names) == expected
    assert bands.shape[0] == len(HOSTILE)
    assert tags["units"] == "s"
    split = made(CITY, stations, overlap="split", labels=pd.Index(HOSTILE, dtype=object))
    split.save(tmp_path / "split.tif")
    bands, tags, names, _ = read(tmp_path / "split.tif")
    assert names == ("time_s", "facility")
    assert json.loads(tags["facilities"])[:4] == HOSTILE[:4]
    np.testing.assert_array_equal(np.nan_to_num(bands[1], nan=-1), split.owner)


@pytest.mark.parametrize("fault", [OSError("no room"), ValueError("odd"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_no_other(surface, tmp_path, monkeypatch, fault):
    path = tmp_path / "times.tif"
    path.write_text("old")

    def fail(*_):
        raise fault

    monkeypatch.setattr("citygeo.io.raster._check", fail)
    expected = KeyboardInterrupt if isinstance(fault, KeyboardInterrupt) else FileError
    with pytest.raises(expected) as caught:
        surface.save(path)
    assert expected is KeyboardInterrupt or caught.value.code == "CG-FILE-012"
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("times.tif", "old")]


def test_numbers_that_did_not_arrive_are_noticed(surface, tmp_path, monkeypatch):
    plain = rasterio.open

    class Lossy:
        def __init__(self, raster):
            self.raster = raster

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.raster.close()

        def __getattr__(self, name):
            return getattr(self.raster, name)

        def write(self, band, number):
            self.raster.write(np.where(band > 20, 0, band), number)

    def lossy(path, mode="r", **options):
        return Lossy(plain(path, mode, **options)) if mode == "w" else plain(path, mode)

    monkeypatch.setattr(rasterio, "open", lossy)
    with pytest.raises(FileError, match="band 1 of 1 was not written whole"):
        surface.save(tmp_path / "times.tif")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_one_sentence(surface, tmp_path):
    with pytest.raises(FileError) as caught:
        surface.save(tmp_path / "none" / "times.tif")
    assert caught.value.code == "CG-FILE-012"
    assert ".tmp-" not in str(caught.value)


# --- a real city ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell_m", [20.0, 50.0])
def test_every_reached_place_lies_in_a_pixel_no_later_than_a_walk_from_it(real, cell_m):
    net, area, drawn = real
    surface = drawn(4, cell_m=cell_m)
    rng = np.random.default_rng(1)
    slow = 3.6 / net.mode.walk_off_kmh
    for parts in area.parts[4]:
        some = rng.integers(0, len(parts), 500)
        part = rng.uniform(size=some.size)
        low, high = parts.share[some].T
        first, last = parts.ms[some].T
        share, seconds = low + part * (high - low), (first + part * (last - first)) / 1000
        lines = net.lines_metric[parts.edge[some]]
        places = gpd.GeoSeries(
            shapely.line_interpolate_point(lines, share, normalized=True), crs=net.metric_crs
        )
        told = surface.at(places).to_numpy()
        away = np.hypot(
            places.x - cell_m * np.rint(places.x / cell_m), places.y - cell_m * np.rint(places.y / cell_m)
        )
        assert (told <= seconds + away * slow + 1e-3).all()


def test_a_longer_time_adds_pixels_and_changes_none(real):
    _, _, drawn = real
    short, long = drawn(2), drawn(4)
    rows, columns = np.nonzero(np.isfinite(short.seconds[0]))
    x, y = short.transform.c + 20 * (columns + 0.5), short.transform.f - 20 * (rows + 0.5)
    there = long.at(gpd.GeoSeries(shapely.points(x, y), crs=short.crs)).to_numpy()
    here = short.seconds[0][rows, columns]
    is_in_time = here <= 120
    assert is_in_time.mean() > 0.8
    np.testing.assert_allclose(here[is_in_time], there[is_in_time], atol=1e-4)
    assert (there <= here + 1e-4).all()


def test_each_pixel_of_a_split_is_of_the_facility_that_is_first(real):
    _, _, drawn = real
    split, each = drawn(4, "split"), drawn(4, "overlap")
    is_reached = split.owner >= 0
    np.testing.assert_array_equal(is_reached, np.isfinite(each.seconds).any(axis=0))
    own = np.take_along_axis(each.seconds, np.maximum(split.owner, 0)[None], axis=0)[0]
    np.testing.assert_array_equal(own[is_reached], split.seconds[0][is_reached])
    np.testing.assert_array_equal(np.nanmin(each.seconds[:, is_reached], axis=0), own[is_reached])


@pytest.mark.parametrize("asked", [{}, {"offroad_kmh": math.inf, "trim_m": 60.0}, {"cell_m": 45.0}])
def test_pixels_with_a_time_are_those_in_the_polygon(real, asked):
    """Two kernels, one contract: middles of pixels are nodes of the grid that polygons are drawn on."""
    net, area, drawn = real
    rules = {"offroad_kmh": net.mode.walk_off_kmh, "trim_m": 100.0, "cell_m": 20.0} | asked
    each = drawn(4, "overlap", **asked)
    rows, columns = np.indices(each.seconds.shape[1:]).reshape(2, -1)
    size = rules["cell_m"]
    x, y = each.transform.c + size * (columns + 0.5), each.transform.f - size * (rows + 0.5)
    ground = Ground.of(net, offroad_kmh=rules["offroad_kmh"], trim_m=rules["trim_m"])
    for seconds, parts in zip(each.seconds, area.parts[4], strict=True):
        rings = contour(ground, Parts(parts.edge, parts.share, parts.ms), 240_000, size)
        shape = multipolygon(rings)
        shapely.prepare(shape)
        np.testing.assert_array_equal(shapely.contains_xy(shape, x, y), np.isfinite(seconds).ravel())
