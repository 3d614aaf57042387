"""Walking up and down: Tobler's function, heights from a raster, and times by hand."""

from __future__ import annotations

import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely

import citygeo as cg
from citygeo.errors import CitygeoWarning, CRSError, FileError, FileFormatError, NetworkError
from citygeo.network.slope import Elevation, tobler
from tests.toy import STREET, lonlat, network, points

WALK = cg.travel_mode("walk")
NODES = {1: (0, 0), 2: (1000, 0), 3: (2000, 0)}


def plane(rise_per_m=0.0, *, unknown=False):
    """A raster over the toy city in degrees, rising to the east."""
    west, south = lonlat(-500, -500)
    size = 0.0001
    columns, rows = 320, 100
    east_m = (west + (np.arange(columns) + 0.5) * size - 3.0) * 111319.49079327358
    height = np.tile(rise_per_m * east_m, (rows, 1))
    if unknown:
        height[:, columns // 2 :] = np.nan
    north = south + rows * size
    to_pixel = (1 / size, 0.0, -west / size - 0.5, 0.0, -1 / size, north / size - 0.5)
    return Elevation(height, to_pixel, pyproj.CRS(4326), "plane.tif")


def minutes(net, start, stop):
    return cg.travel_times(net, points([start]), points([stop]))["time_s"].iloc[0] / 60


def test_tobler_by_hand():
    # 6 exp(-3.5 |s + 0.05|) km/h: 5.0367 on the flat, 6 at 5 % down, 3.5494 at 10 % up, 5.0367 at 10 % down
    speeds = tobler(np.array([0.0, -0.05, 0.1, -0.1])) * 6 * math.exp(-3.5 * 0.05)
    assert speeds.tolist() == pytest.approx([5.0367, 6.0, 3.5494, 5.0367], abs=1e-4)


@pytest.mark.parametrize("slope", [0.0, 0.05, 0.1, -0.1, 0.3])
def test_a_kilometre_up_and_down(slope):
    net = network(NODES, [((1, 2, 3), STREET)], WALK, elevation=plane(slope))
    flat = 60 / 4.8
    up = math.exp(-3.5 * abs(slope + 0.05)) / math.exp(-3.5 * 0.05)
    down = math.exp(-3.5 * abs(-slope + 0.05)) / math.exp(-3.5 * 0.05)
    assert minutes(net, (500, 0), (1500, 0)) == pytest.approx(flat / up, rel=1e-3)
    assert minutes(net, (1500, 0), (500, 0)) == pytest.approx(flat / down, rel=1e-3)


def test_on_a_level_raster_nothing_changes():
    ways = [((1, 2, 3), STREET)]
    flat, none = network(NODES, ways, WALK, elevation=plane()), network(NODES, ways, WALK)
    assert minutes(flat, (300, 0), (1800, 0)) == pytest.approx(minutes(none, (300, 0), (1800, 0)), abs=1e-4)


def test_a_bridge_is_level_from_end_to_end():
    # the ground falls 400 m into a valley and rises again; the bridge does not
    elevation = plane()
    columns = elevation.height.shape[1]
    x = np.abs(np.linspace(-1, 1, columns))
    elevation.height[:] = 400 * x
    shape = {1: (0, 0), 2: (800, 0), 3: (2000, 0)}
    level = {**STREET, "bridge": "yes"}
    over = network(shape, [((1, 2, 3), level)], WALK, elevation=elevation)
    through = network(shape, [((1, 2, 3), STREET)], WALK, elevation=elevation)
    plain = network(shape, [((1, 2, 3), STREET)], WALK)
    rise = (elevation.at(np.array([lonlat(*shape[i]) for i in (1, 3)])) @ [-1, 1]) / 2000
    factor = math.exp(3.5 * (0.05 - abs(rise + 0.05)))
    assert minutes(over, (0, 0), (2000, 0)) == pytest.approx(
        minutes(plain, (0, 0), (2000, 0)) / factor, rel=1e-3
    )
    assert minutes(through, (0, 0), (2000, 0)) > minutes(plain, (0, 0), (2000, 0)) * 1.05
    house = network(shape, [((1, 2, 3), {**STREET, "tunnel": "building_passage"})], WALK, elevation=elevation)
    assert minutes(house, (0, 0), (2000, 0)) == minutes(through, (0, 0), (2000, 0))


def test_heights_lie_between_pixel_middles():
    elevation = Elevation(
        np.array([[0.0, 10.0], [20.0, 50.0]]), (1, 0, -0.5, 0, -1, 1.5), pyproj.CRS(4326), "four"
    )
    places = np.array([[0.5, 1.5], [1.5, 1.5], [0.5, 0.5], [1.0, 1.0], [0.75, 1.5], [0.2, 1.0], [1.0, 1.9]])
    assert elevation.at(places).tolist() == pytest.approx([0, 10, 20, 20, 2.5, np.nan, np.nan], nan_ok=True)


def test_unknown_heights_count_as_level_and_are_told():
    with pytest.warns(CitygeoWarning, match="CG-NET-054: 1 of 3 nodes have no height in plane.tif: 3"):
        net = network(NODES, [((1, 2, 3), STREET)], WALK, elevation=plane(0.1, unknown=True), announce=True)
    assert minutes(net, (1600, 0), (1900, 0)) == pytest.approx(300 / 80, rel=1e-3)


@pytest.fixture
def raster(tmp_path):
    path = tmp_path / "dem.tif"
    west, south = lonlat(-500, -500)
    height = np.tile(np.arange(320.0), (100, 1)).astype("float32")
    profile = {
        "driver": "GTiff", "width": 320, "height": 100, "count": 1, "dtype": "float32", "crs": "EPSG:4326",
        "transform": rasterio.Affine(0.0001, 0, west, 0, -0.0001, south + 0.01), "nodata": -9999,
    }  # fmt: skip
    height[0, :] = -9999
    with rasterio.open(path, "w", **profile) as file:
        file.write(height, 1)
    return path


def test_a_raster_file_is_read_with_its_nodata(raster):
    elevation = Elevation.read(raster, WALK)
    assert np.isnan(elevation.height[0]).all()
    place = np.array([[lonlat(-500, 0)[0] + 0.0001 * 10.5, 0.0]])
    assert elevation.at(place).tolist() == pytest.approx([10.0], abs=1e-3)


def test_what_is_refused(raster, tmp_path):
    with pytest.raises(NetworkError, match="CG-NET-053"):
        Elevation.read(raster, cg.travel_mode("drive"))
    with pytest.raises(FileError, match="CG-FILE-001"):
        Elevation.read(tmp_path / "none.tif", WALK)
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\0 not a raster")
    with pytest.raises(FileFormatError, match="CG-FILE-002"):
        Elevation.read(broken, WALK)
    with rasterio.open(raster) as file:
        profile, data = {**file.profile, "crs": None}, file.read()
    with rasterio.open(tmp_path / "nowhere.tif", "w", **profile) as file:
        file.write(data)
    with pytest.raises(CRSError, match="CG-RAS-001"):
        Elevation.read(tmp_path / "nowhere.tif", WALK)


@pytest.mark.filterwarnings("ignore:CG-NET-054")
def test_porto_alegre_is_slower_uphill():
    folder = Path(__file__).parents[3] / "shared" / "data" / "porto-alegre"
    if not folder.is_dir():
        pytest.skip("the data of Porto Alegre are not here")
    path = folder / "poa_osm.pbf"
    flat = cg.RoadNetwork.from_osm(path, mode="walk")
    steep = cg.RoadNetwork.from_osm(path, mode="walk", elevation=folder / "poa_elevation.tif")
    assert steep.length_m.sum() == pytest.approx(flat.length_m.sum())
    # Tobler is symmetric about 5 % down, so the sum of a hill's ups and downs is above the flat
    assert steep.open_arcs().ms.sum() > flat.open_arcs().ms.sum()
    heights = Elevation.read(folder / "poa_elevation.tif", WALK).at(steep.node_lonlat)
    inside = np.where(
        (steep.components == 0) & ~np.isnan(heights), heights, np.median(heights[~np.isnan(heights)])
    )
    low, high = (
        gpd.GeoDataFrame(geometry=[shapely.Point(steep.node_lonlat[node])], crs=4326)
        for node in (inside.argmin(), inside.argmax())
    )
    up = cg.travel_times(steep, low, high)["time_s"].iloc[0]
    down = cg.travel_times(steep, high, low)["time_s"].iloc[0]
    assert up > down


def test_a_raster_of_another_place_is_refused():
    far = plane()
    far = Elevation(
        far.height, (*far.to_pixel[:2], far.to_pixel[2] + 1e6, *far.to_pixel[3:]), far.crs, far.name
    )
    with pytest.raises(NetworkError, match="CG-NET-058"):
        network(NODES, [((1, 2, 3), STREET)], WALK, elevation=far)
