"""``citygeo population``: how files and options become the call to the public function, and what is told."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point, box

import citygeo as cg
from citygeo import cli
from citygeo.cli import main

REAL = cg.population  # before a test replaces it


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write small input files into the working folder."""
    monkeypatch.chdir(tmp_path)
    zones = gpd.GeoDataFrame(
        {"population": [900, 100], "old": [90, 10]}, geometry=[box(0, 0, 0.01, 0.01), box(0.01, 0, 0.02, 0.01)],
        crs=4326,
    )  # fmt: skip
    zones.to_file(tmp_path / "zones.gpkg")
    homes = gpd.GeoDataFrame({"flats": [1, 3]}, geometry=[Point(0.002, 0.002), Point(0.015, 0.005)], crs=4326)
    homes.to_file(tmp_path / "homes.gpkg")
    zones.iloc[:1].to_file(tmp_path / "west.geojson")
    (tmp_path / "xy.csv").write_text("x,y,population\n500000,4500000,3\n", encoding="utf-8")
    return tmp_path


def write_raster(path: Path, value: float) -> None:
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(
        path, "w", driver="GTiff", height=10, width=20, count=1, dtype="float32", crs="EPSG:4326",
        transform=rasterio.Affine(0.001, 0, 0, 0, -0.001, 0.01),
    ) as raster:  # fmt: skip
        raster.write(np.full((10, 20), value, np.float32), 1)


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["population", *arguments, "--json"]) == 0
    parsed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return parsed


@pytest.mark.usefixtures("files")
def test_sums_are_printed_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["population", "zones.gpkg", "-r", "8", "--carry", "old", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("People on H3 cells 人口格网: zones.gpkg\n")
    assert "8 级格网" in out
    assert "Method 方法: people of areas spread evenly over their land 面内人口按面积平均分配" in out
    rows = {line.split("  ")[0]: line.split()[-5:-3] for line in out.splitlines()}
    assert (rows["People 人口"][0], rows["old"][0]) == ("1,000.0", "100.0")
    assert "estimate" in out
    assert "Files" not in out
    assert err == ""


@pytest.mark.usefixtures("files")
def test_options_left_out_are_those_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def population(source: object, **options: Any) -> Any:
        given.update(options)
        return REAL(source, **options)

    monkeypatch.setitem(vars(cg), "population", population)
    assert main(["population", "zones.gpkg", "--quiet"]) == 0
    signature = inspect.signature(REAL).parameters
    del given["issues"]
    assert {name: tuple(value) if name == "carry" else value for name, value in given.items()} == {
        name: signature[name].default for name in given
    }
    assert set(given) == set(signature) - {"source", "issues"}


@pytest.mark.usefixtures("files")
def test_every_option_reaches_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    told = document(
        capsys, "zones.gpkg", "--column", "old", "-r", "10", "--by", "homes.gpkg", "--by-weight", "flats", "--area",
        "west.geojson", "--threads", "1",
    )  # fmt: skip
    expected = cg.population(
        "zones.gpkg", column="old", resolution=10, by="homes.gpkg", by_weight="flats", threads=1,
        area=gpd.read_file("west.geojson"),
    )  # fmt: skip
    assert told["measures"][0]["total"] == expected["population"].sum() == 90
    assert told["cells"] == len(expected) == 1
    assert told["measures"][0]["most_in"] == expected.index[0]
    assert "CG-DEM-020" in [issue["code"] for issue in told["issues"]]
    point = document(capsys, "zones.gpkg", "--polygons", "point")
    assert point["cells"] == 2
    assert point["people_are_an_estimate"] is False


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "csv"])
def test_cells_are_written_and_read_back(
    files: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = document(capsys, "zones.gpkg", "-r", "9", "-o", f"cells.{suffix}")
    assert told["files"] == {"cells": f"cells.{suffix}"}
    again = cg.population(files / f"cells.{suffix}", resolution=9)
    assert len(again) == told["cells"]
    assert again["population"].sum() == pytest.approx(1000, abs=1e-9)
    assert main(["population", f"cells.{suffix}", "-r", "7", "--quiet"]) == 0
    assert "1,000.0" in capsys.readouterr().out


def test_rasters_are_read_with_their_carried_ones(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_raster(files / "all.tif", 2)
    write_raster(files / "old.tif", 0.5)
    told = document(capsys, "all.tif", "-r", "8", "--carry", "age_65=old.tif")
    assert {row["measure"]: row["total"] for row in told["measures"]} == pytest.approx(
        {"population": 400, "age_65": 100}
    )
    assert told["people_are_an_estimate"] is True
    assert document(capsys, "all.tif", "-r", "8", "--nodata=2", "--method", "exact")["cells"] == 0
    inside = document(capsys, "all.tif", "-r", "8", "--area", "west.geojson")
    assert inside["measures"][0]["total"] == pytest.approx(200)
    density = document(capsys, "all.tif", "-r", "8", "--units", "per_km2")
    # 0.02 by 0.01 degrees at the equator
    assert density["measures"][0]["total"] == pytest.approx(2 * 2 * 1.1132 * 1.1057, rel=1e-3)


def test_nobody_is_a_table_without_cells(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"lon": [0.0], "lat": [0.0], "population": [0]}).to_csv(files / "none.csv", index=False)
    assert main(["population", "none.csv"]) == 0
    assert "–" in capsys.readouterr().out


def test_findings_are_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "人口.csv").write_text("名称,population,lon,lat\n南山,5,,\n", encoding="gb18030")
    assert main(["population", "人口.csv"]) == 0
    err = capsys.readouterr().err
    assert "citygeo: CG-DEM-005: " in err
    assert "citygeo: CG-ENC-001: " in err


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.gpkg"], "CG-FILE-001"),
        (["missing.tif"], "CG-FILE-001"),
        (["zones.gpkg", "--column", "populaton"], "CG-IN-005"),
        (["zones.gpkg", "-o", "cells.xlsx"], "CG-IN-004"),
        (["zones.gpkg", "--units", "per_km2"], "CG-IN-004"),
        (["xy.csv"], "CG-IN-004"),
        (["a.tif", "--carry", "old"], "CG-IN-004"),
        (["a.tif", "--carry", "population=b.tif"], "CG-IN-004"),
        (["https://example.org/a.tif"], "CG-SEC-003"),
    ],
)
def test_wrong_files_are_one_line_and_bad_input(
    arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["population", *arguments]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"citygeo: {code}: ")
    assert err.count("\n") == 1
    assert not Path("cells.xlsx").exists()


@pytest.mark.usefixtures("files")
def test_crs_of_a_layer_that_states_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "xy.csv", "--crs", "EPSG:4547")["cells"] == 1


@pytest.mark.parametrize(
    "wrong", [["-r", "16"], ["--polygons", "centroid"], ["--nodata", "none"], ["--threads", "0"]]
)
def test_options_of_the_wrong_kind_are_wrong_usage(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["population", "zones.gpkg", *wrong]) == cli.USAGE
    assert wrong[0] in capsys.readouterr().err.splitlines()[-1]
