"""Shapefiles: parts that are missing or cut, and the encoding of their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
from shapely.geometry import Point

from citygeo.io.tables import read_layer
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from pathlib import Path
from tests.io.layers import code_of, cut, stations, write


def shapefile(path: Path, encoding: str, *, cpg: str | None = None) -> Path:
    """Write a shapefile with Chinese names and values; its .cpg says `cpg`, or is missing."""
    layer = gpd.GeoDataFrame(
        {"名称": ["中央消防站", "南山"]}, geometry=[Point(114, 22.5), Point(114.1, 22.6)], crs=4326
    )
    layer.to_file(path, encoding=encoding, engine="pyogrio")
    path.with_suffix(".cpg").unlink()
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    return path


def test_gbk_shapefile_without_cpg_is_read_as_gb18030_with_a_finding(tmp_path: Path) -> None:
    issues = IssueLog()
    layer = read_layer(shapefile(tmp_path / "a.shp", "GBK"), issues=issues)
    assert layer["名称"].tolist() == ["中央消防站", "南山"]
    assert [item.code for item in issues.found] == ["CG-ENC-001"]


def test_utf8_shapefile_without_cpg_is_read_without_a_finding(tmp_path: Path) -> None:
    issues = IssueLog()
    layer = read_layer(shapefile(tmp_path / "a.shp", "UTF-8"), issues=issues)
    assert layer["名称"].tolist() == ["中央消防站", "南山"]
    assert issues.found == []


@pytest.mark.parametrize("cpg", ["GBK", "936", "CP936", "ANSI 936", "gb18030", "GBK\n"])
def test_every_spelling_of_a_cpg_is_understood(tmp_path: Path, cpg: str) -> None:
    issues = IssueLog()
    layer = read_layer(shapefile(tmp_path / "a.shp", "GBK", cpg=cpg), issues=issues)
    assert layer.columns[0] == "名称"
    assert layer["名称"].tolist() == ["中央消防站", "南山"]
    assert issues.found == []


@pytest.mark.parametrize("cpg", ["", "SYSTEM", "????"])
def test_cpg_that_names_nothing_is_as_none(tmp_path: Path, cpg: str) -> None:
    assert read_layer(shapefile(tmp_path / "a.shp", "GBK", cpg=cpg))["名称"].tolist() == [
        "中央消防站",
        "南山",
    ]


def test_cpg_that_lies_is_an_error_and_encoding_cures_it(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "a.shp", "GBK", cpg="UTF-8")
    assert code_of(path) == "CG-FILE-007"
    assert read_layer(path, encoding="gbk")["名称"].tolist() == ["中央消防站", "南山"]


def test_shapefile_value_cut_inside_a_letter_loses_only_that_letter(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "a.shp", "UTF-8")
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes().replace("中央消防站".encode(), "中央消防站".encode()[:-1] + b" "))
    assert read_layer(path)["名称"].tolist() == ["中央消防", "南山"]


def test_short_gbk_name_is_not_taken_for_cut_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    # the GBK bytes of this name are also the first two of a three-byte UTF-8 letter
    name = b"\xe5\xa1".decode("gbk")
    gpd.GeoDataFrame({"name": [name]}, geometry=[Point(0, 0)], crs=4326).to_file(path, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    assert read_layer(path)["name"].tolist() == [name]


def test_capital_suffixes_of_a_shapefile_are_found(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "a.shp", "GBK", cpg="GBK")
    for part in (".shp", ".shx", ".dbf", ".cpg", ".prj"):
        path.with_suffix(part).rename(path.with_suffix(part.upper()))
    assert read_layer(path.with_suffix(".SHP"))["名称"].tolist() == ["中央消防站", "南山"]


@pytest.mark.parametrize("part", [".dbf", ".shx"])
def test_shapefile_with_a_missing_part_is_damaged(tmp_path: Path, part: str) -> None:
    path = write(stations(), tmp_path / "a.shp")
    path.with_suffix(part).unlink()
    assert code_of(path) == "CG-FILE-007"


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.98])
def test_shapefile_with_a_cut_part_is_damaged(tmp_path: Path, part: str, share: float) -> None:
    path = write(stations(), tmp_path / "a.shp")
    cut(path.with_suffix(part), share)
    assert code_of(path) in ("CG-FILE-002", "CG-FILE-007")


def test_damaged_prj_is_damage_and_not_a_bug(tmp_path: Path) -> None:
    path = write(stations(), tmp_path / "a.shp")
    path.with_suffix(".prj").write_text('GEOGCS["x",DATUM[')
    assert code_of(path) == "CG-FILE-007"
