"""What a file is: hostile and mistaken files never reach a library."""

from __future__ import annotations

import json
import pickle
import sqlite3
import zipfile
from typing import TYPE_CHECKING

import pytest

from citygeo.errors import CitygeoError
from citygeo.io.tables import read_layer

if TYPE_CHECKING:
    from pathlib import Path
from tests.io.layers import SUFFIXES, code_of, csv, stations, write


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_web_page_is_recognised_under_every_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_text("\n<!DOCTYPE html><html><body>Login</body></html>")
    with pytest.raises(CitygeoError) as caught:
        read_layer(path)
    assert caught.value.code == "CG-FILE-002"
    assert "web page" in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_of_no_bytes_is_refused_under_every_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.touch()
    assert code_of(path) == "CG-FILE-002"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_content_of_another_format_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"PK\x03\x04" + bytes(60))
    assert code_of(path) == "CG-FILE-002"


def test_first_bytes_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"\x1b[2J\x1b]0;owned\x07")
    with pytest.raises(CitygeoError) as caught:
        read_layer(path)
    assert "\x1b" not in str(caught.value)
    assert "\x07" not in str(caught.value)


def test_zip_kml_and_folder_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.shp", "x")
    (tmp_path / "a.kml").write_text("<kml/>")
    (tmp_path / "a.gdb").mkdir()
    assert [code_of(tmp_path / name) for name in ("a.zip", "a.kml", "a.gdb")] == ["CG-FILE-002"] * 3


def test_plain_sqlite_named_gpkg_is_not_a_geopackage(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    with sqlite3.connect(path) as database:
        database.execute("create table t (lon real, lat real)")
        database.execute("insert into t values (1, 2)")
    database.close()
    assert code_of(path) == "CG-FILE-007"


def test_database_of_another_kind_named_gpkg_is_not_a_geopackage(tmp_path: Path) -> None:
    stations().to_file(tmp_path / "a.sqlite", driver="SQLite")
    path = (tmp_path / "a.sqlite").rename(tmp_path / "a.gpkg")
    assert code_of(path) == "CG-FILE-007"


@pytest.mark.parametrize("suffix", ["gpkg", "csv", "shp", "vrt", "geojson"])
def test_vrt_is_refused_under_every_suffix(tmp_path: Path, suffix: str) -> None:
    source = write(stations(), tmp_path / "secret.gpkg")
    path = tmp_path / f"a.{suffix}"
    path.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{source}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    assert code_of(path) == "CG-SEC-001"


@pytest.mark.parametrize(("padding", "code"), [(0, "CG-SEC-001"), (200_000, "CG-FILE-007")])
def test_stored_gdal_pipeline_is_refused(tmp_path: Path, padding: int, code: str) -> None:
    source = write(stations(), tmp_path / "secret.gpkg")
    path = tmp_path / "a.geojson"
    command = f"gdal vector pipeline ! read {source}"
    text = json.dumps({"padding": "x" * padding, "type": "gdal_streamed_alg", "command_line": command})
    path.write_text(text)
    assert code_of(path) == code


def test_place_named_like_a_pipeline_is_only_a_name(tmp_path: Path) -> None:
    assert len(read_layer(csv(tmp_path, "name,lon,lat\ngdal_streamed_alg <OGRVRTDataSource,1,2\n"))) == 1


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "csv", "pkl"])
def test_pickle_is_refused_and_not_loaded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(pickle.dumps({"a": 1}))
    assert code_of(path) == "CG-FILE-006"


@pytest.mark.parametrize(
    "path",
    [
        "https://example.org/a.gpkg", "HTTP://example.org/a.csv", "s3://bucket/a.parquet", "file:///etc/passwd",
        "/vsicurl/https://example.org/a.gpkg", "/vsizip/a.zip/a.shp", "/vsimem/a.gpkg", "zip:///data/a.zip",
    ],
)  # fmt: skip
def test_remote_and_virtual_paths_are_refused(path: str) -> None:
    assert code_of(path) == "CG-SEC-003"
