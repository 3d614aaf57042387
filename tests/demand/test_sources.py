"""What people come from: files of every kind, mappings of rasters, layers; and what does not fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo.demand import is_raster, to_micro
from citygeo.errors import CitygeoError
from citygeo.io import write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")


def homes() -> gpd.GeoDataFrame:
    points = gpd.points_from_xy([-21.9, -21.9, -21.8], [64.1, 64.1001, 64.1])
    return gpd.GeoDataFrame({"population": [2, 3, 4], "old": [0.5, 0.25, 0.0]}, geometry=points, crs=4326)


def write_raster(path: Path, pixels: list[list[float]], *, nodata: float | None = None) -> Path:
    """A raster whose pixels are 100 m wide, in UTM zone 27."""
    rasterio = pytest.importorskip("rasterio")
    values = np.array(pixels, np.float32)
    transform = rasterio.Affine(100, 0, 460_000, 0, -100, 7_110_000)
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1, dtype="float32",
        crs="EPSG:32627", transform=transform, nodata=nodata,
    ) as raster:  # fmt: skip
        raster.write(values, 1)
    return path


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "parquet", "fgb"])
def test_a_layer_reads_the_same_from_any_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"homes.{suffix}"
    homes().to_parquet(path) if suffix == "parquet" else homes().to_file(path)
    expected = cg.population(homes(), carry=["old"])
    cells = cg.population(path, carry=["old"])
    pd.testing.assert_frame_equal(cells, expected, check_dtype=False)
    assert cells.attrs == {
        "estimate": False,
        "method": "rows count in the cell of a point inside them",
        "method_zh": "各行按其内部点计入所在格网",
        "source": path.name,
    }
    assert cg.population(str(path), carry=["old"]).equals(cells)


def test_tables_of_places_and_of_cells_are_told_apart(tmp_path: Path) -> None:
    table = homes().drop(columns="geometry").assign(lon=[-21.9, -21.9, -21.8], lat=[64.1, 64.1001, 64.1])
    table.to_csv(tmp_path / "places.csv", index=False)
    expected = cg.population(homes(), resolution=10)["population"].to_dict()
    assert cg.population(tmp_path / "places.csv", resolution=10)["population"].to_dict() == expected
    assert cg.population(table, resolution=10)["population"].to_dict() == expected
    cells = cg.population(homes(), resolution=10)
    for name, save in (("c.csv", write.write_csv), ("c.parquet", write.write_parquet)):
        save(tmp_path / name, cells)
        again = cg.population(tmp_path / name, resolution=10)
        assert again["population"].to_dict() == expected
        assert again.attrs["method"] == "cells of one resolution added up"
    write.write_gpkg(tmp_path / "c.gpkg", {"cells": cells})
    coarse = cg.population(tmp_path / "c.gpkg", resolution=8)
    parents = cells["population"].groupby([h3.cell_to_parent(cell, 8) for cell in cells.index]).sum()
    assert coarse["population"].to_dict() == parents.to_dict()


def test_by_may_be_a_file(tmp_path: Path) -> None:
    zones = gpd.GeoDataFrame({"population": [10]}, geometry=[shapely.box(-22, 64, -21.7, 64.2)], crs=4326)
    homes().to_file(tmp_path / "homes.gpkg")
    cells = cg.population(zones, by=tmp_path / "homes.gpkg", by_weight="population")
    assert to_micro(cells["population"]).sum() == 10 * 10**6
    assert set(cells.index) == set(cg.population(homes()).index)


def test_a_raster_keeps_its_people(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    pixels = rng.gamma(0.3, 20, (60, 80)).astype(np.float32)
    path = write_raster(tmp_path / "pop.tif", pixels.tolist())
    for resolution in (7, 9, 10):
        cells = cg.population(path, resolution=resolution)
        assert cells["population"].sum() == pytest.approx(pixels.astype(np.float64).sum(), rel=1e-12)
        assert cells.index.is_monotonic_increasing
        assert cells.attrs["estimate"] is True
        assert cells.attrs["source"] == "pop.tif"
    per_km2 = cg.population(path, resolution=7, units="per_km2")["population"].sum()
    # pixels of 0.01 km2 in the plane of UTM, whose scale here is 0.9996 squared to 1e-3
    assert per_km2 == pytest.approx(pixels.astype(np.float64).sum() / 100, rel=2e-3)


def test_rasters_of_a_mapping_become_columns(tmp_path: Path) -> None:
    everyone = write_raster(tmp_path / "all.tif", [[4, 5, 0], [0, 0, 7]])
    old = write_raster(tmp_path / "old.tif", [[1, 0, 0], [0, 2, 3]], nodata=3)
    cells = cg.population({"old": old, "population": everyone}, resolution=11)
    assert list(cells.columns) == ["population", "old", "geometry"]
    assert cells["population"].sum() == pytest.approx(16, rel=1e-12)
    assert cells["old"].sum() == pytest.approx(3, rel=1e-12)
    assert cells.attrs["source"] == "old.tif, all.tif"
    total = cg.population(everyone, resolution=11)["population"]
    assert cells["population"][cells["population"] > 0].to_dict() == total.to_dict()
    other = cg.population({"people": everyone, "old": old}, column="people", resolution=11)
    assert list(other.columns) == ["population", "old", "geometry"]


def test_only_the_pixels_of_an_area_count(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "pop.tif", [[1, 2, 4, 8]])
    area = gpd.GeoSeries([shapely.box(460_000, 7_109_000, 460_200, 7_111_000)], crs=32627)
    assert cg.population(path, resolution=8, area=area)["population"].sum() == pytest.approx(3)


def test_paths_of_rasters_are_told_by_their_suffix() -> None:
    assert [is_raster(one) for one in ("a.tif", "b/A.TIFF", "a.gpkg", {"population": "a.tif"}, homes())] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "source", "options"),
    [
        ("CG-IN-004", "a.tif", {"carry": ["old"]}),
        ("CG-IN-004", "a.tif", {"polygons": "area"}),
        ("CG-IN-004", "a.tif", {"by": "homes.gpkg"}),
        ("CG-IN-004", "a.tif", {"by_weight": "w"}),
        ("CG-IN-004", {"population": "a.gpkg"}, {}),
        ("CG-IN-004", {"population": "a.tif", "geometry": "b.tif"}, {}),
        ("CG-IN-005", {"people": "a.tif"}, {}),
        ("CG-SEC-003", "https://example.org/a.tif", {}),
        ("CG-SEC-003", "https://example.org/a.gpkg", {}),
        ("CG-FILE-001", "missing.tif", {}),
        ("CG-FILE-001", "missing.gpkg", {}),
        ("CG-IN-007", 5, {}),
        ("CG-IN-005", pd.DataFrame({"population": [1]}), {}),
    ],
)
def test_what_does_not_fit_a_source_is_refused(code: str, source: Any, options: dict[str, Any]) -> None:
    with pytest.raises(CitygeoError) as caught:
        cg.population(source, **options)
    assert caught.value.code == code
