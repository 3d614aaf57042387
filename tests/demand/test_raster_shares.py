"""People spread over cells by area: against shapely pixel by pixel, exactextract on the same outlines, and by hand."""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pytest
import rasterio
import shapely
from exactextract import exact_extract
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citygeo.demand.raster import cells_of_raster
from citygeo.demand.raster_shares import Overlaps
from citygeo.io.pixels import Window, describe
from citygeo.issues import IssueLog
from tests.rasters import MOLLWEIDE, outlines, write_raster

PACKAGES = Path(os.environ.get("CITYGEO_PACKAGE_DATA", "no packages"))
BURUNDI = PACKAGES / "gridfinder-3.1.2" / "tests" / "data" / "pop.tif"
SINGLE = 3e-6  # exactextract's shares have 32 bits


def exact(path, resolution, **options):
    cells, people, facts = cells_of_raster(path, resolution, method="exact", log=IssueLog(), **options)
    assert people.sum() == pytest.approx(facts["people"], rel=1e-12)
    return cells, people, facts


def by_shapely(path, cells):
    """People of cells, by cutting every pixel with every cell; and what of the pixels no cell covers."""
    with rasterio.open(path) as file:
        values, to, crs = file.read(1), file.transform, file.crs.to_wkt()
    shapes = np.array(outlines(cells, crs))
    people, missing = np.zeros(len(cells)), 0.0
    for row, column in np.argwhere(values > 0):
        x, y = (to.a * (column + np.arange(2)) + to.c), (to.e * (row + np.arange(2)) + to.f)
        pixel = shapely.box(min(x), min(y), max(x), max(y))
        share = shapely.area(shapely.intersection(shapes, pixel)) / pixel.area
        missing = max(missing, abs(share.sum() - 1))
        people += values[row, column] * share
    return people, missing


@pytest.mark.parametrize("resolution", [7, 8, 9, 10])
@pytest.mark.parametrize("south_up", [False, True])
def test_shares_are_those_of_areas(tmp_path, resolution, south_up):
    rng = np.random.default_rng(resolution)
    values = rng.random((6, 5)) * (rng.random((6, 5)) < 0.7)
    path = write_raster(
        tmp_path / "a.tif",
        values,
        crs=MOLLWEIDE,
        west=2_904_368.6,
        north=-285_568,
        size=(250, -250 if south_up else 250),
    )
    cells, people, _ = exact(path, resolution)
    expected, missing = by_shapely(path, cells)
    assert missing < 1e-6
    assert people == pytest.approx(expected, rel=SINGLE, abs=1e-6 * values.sum())
    assert people.sum() == pytest.approx(values.sum(), rel=1e-12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    st.integers(1, 4), st.integers(1, 4), st.floats(-180, 179), st.floats(-70, 70), st.integers(5, 9),
    st.floats(0.3, 4), st.floats(0.3, 3), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_little_rasters_anywhere(tmp_path, rows, columns, west, north, resolution, scale, stretch, seed):
    rng = np.random.default_rng(seed)
    size = scale * 3.0 / 7 ** (resolution / 2)  # degrees, about a cell
    values = rng.random((rows, columns))
    path = write_raster(tmp_path / "a.tif", values, west=west, north=north, size=(size * stretch, size))
    cells, people, _ = exact(path, resolution)
    assert people.sum() == pytest.approx(values.sum(), rel=1e-12)
    # in 8 x 8 points of each pixel, a cell's share is right to what a line through the lattice may hide
    fine = write_raster(
        tmp_path / "b.tif",
        np.kron(values / 64, np.ones((8, 8))),
        west=west,
        north=north,
        size=(size * stretch / 8, size / 8),
    )
    near = dict(zip(*cells_of_raster(fine, resolution, method="centre", log=IssueLog())[:2], strict=True))
    assert set(near) <= set(cells)
    for cell, number in zip(cells, people, strict=True):
        assert abs(number - near.get(cell, 0.0)) <= 0.35 * values.max() * max(1.0, np.sqrt(values.size))


def test_sums_are_those_of_exactextract_on_the_same_outlines():
    if not BURUNDI.is_file():
        pytest.skip("CITYGEO_PACKAGE_DATA names no folder with the unpacked packages")
    area = gpd.GeoSeries([shapely.box(29.30, -3.45, 29.45, -3.30)], crs=4326)
    cells, people, facts = exact(BURUNDI, 8, area=area)
    with rasterio.open(BURUNDI) as file:
        crs = file.crs.to_wkt()
        layer = gpd.GeoDataFrame({"cell": np.arange(len(cells))}, geometry=outlines(cells, crs), crs=crs)
        # cells whole inside; those on the border of the area have but a part of their pixels
        inside = layer.buffer(300).within(area.to_crs(crs).union_all()).to_numpy()
        sums = exact_extract(file, layer[inside], ["sum"], output="pandas")["sum"].to_numpy()
        total = exact_extract(file, area.to_crs(crs).to_frame("geometry"), ["sum"], output="pandas")[
            "sum"
        ].iloc[0]
    assert inside.sum() > 100
    assert people[inside] == pytest.approx(sums, rel=1e-5)
    assert facts["people"] == pytest.approx(total, rel=1e-6)


def test_k7_by_hand(tmp_path):
    """Values 1 to 9 row by row on a 3 x 3 unit grid, polygon [0.5, 2.5] squared: 4 pixels, sum 20, mean 5."""
    values = np.arange(1.0, 10.0).reshape(3, 3)
    path = write_raster(tmp_path / "a.tif", values, crs=32650, west=500_000, north=4_400_003, size=1.0)
    square = shapely.box(500_000.5, 4_400_000.5, 500_002.5, 4_400_002.5)
    overlaps = Overlaps.find(describe(path), Window(0, 0, 3, 3), np.array([square]))
    assert overlaps.share.sum() == 4
    assert (overlaps.share * values.ravel()[overlaps.pixel]).sum() == 20
    area = gpd.GeoSeries([square], crs=32650)
    facts = exact(path, 12, area=area)[2]
    assert facts["people"] == pytest.approx(20, rel=1e-12)
    # by the middles of pixels, which lie on the outline or inside: all touched
    assert cells_of_raster(path, 12, area=area, method="centre", log=IssueLog())[2]["people"] == 45


def test_a_pixel_of_many_cells_gives_each_as_much_as_it_is_large(tmp_path):
    path = write_raster(
        tmp_path / "a.tif", np.array([[1000.0]]), crs=6933, west=10_000_000, north=4_000_000, size=3000.0
    )
    cells, people, facts = exact(path, 9)
    assert len(cells) > 80
    areas = np.array([h3.cell_area(int(cell), unit="m^2") for cell in cells])
    whole = people > 0.98 * people.max()
    assert whole.sum() > 50
    assert people[whole] / 1000 == pytest.approx(areas[whole] / facts["pixel_m2"], rel=0.01)
    assert people.sum() == pytest.approx(1000, rel=1e-12)


@pytest.mark.parametrize(
    "place",
    [
        {"west": 179.9, "north": -16.5, "size": 0.02},
        {"west": -180.0, "north": 64.2, "size": 0.02},
        {"west": 359.9, "north": 5.0, "size": 0.02},
        {"crs": 3995, "west": -5000, "north": 5000, "size": 1000},
        {"crs": MOLLWEIDE, "west": 17_800_000, "north": 1_000_000, "size": 20_000},
    ],
)
def test_nobody_is_lost_where_outlines_are_torn(tmp_path, place):
    path = write_raster(tmp_path / "a.tif", np.ones((10, 10)), **place)
    for resolution in (4, 6):
        log = IssueLog()
        cells, people, facts = cells_of_raster(path, resolution, method="exact", log=log)
        lost = sum(issue.count for issue in log.found if issue.code == "CG-RAS-009")
        assert people.sum() == pytest.approx(facts["people"], rel=1e-12)
        assert facts["people"] + lost == pytest.approx(100, rel=1e-12)
        points, sums, _ = cells_of_raster(path, resolution, method="subsample", log=IssueLog())
        # at the edge of the map, exact shares are those of other points, and a few may miss a sliver
        assert set(points[sums > 0.02]) <= set(cells)
        near = dict(zip(points, sums, strict=True))
        assert max(abs(number - near.get(cell, 0)) for cell, number in zip(cells, people, strict=True)) < 2
