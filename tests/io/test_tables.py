"""Layers of the user's own: every format gives the same rows, every broken file its exact code."""

from __future__ import annotations

import http.server
import json
import shutil
import sys
import threading
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import LineString, Polygon

from citygeo.errors import CitygeoError
from citygeo.io.tables import read_layer
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
from tests.io.layers import NAMES, SUFFIXES, code_of, csv, cut, stations, write


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    issues = IssueLog()
    layer = read_layer(write(stations(), tmp_path / f"stations.{suffix}"), issues=issues)
    assert layer["name"].tolist() == NAMES
    assert layer["crew"].tolist() == [7, 5, 4]
    assert layer.crs.equals("EPSG:4326", ignore_axis_order=True)
    assert shapely.equals_exact(layer.geometry.array, stations().geometry.array, 1e-9).all()
    assert issues.found == []


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "fgb", "parquet"])
def test_polygons_lose_only_their_third_coordinate(tmp_path: Path, suffix: str) -> None:
    flat = [Polygon([(0, 0), (1, 0), (1, 1)]), Polygon([(2, 2), (3, 2), (3, 3)])]
    solid = gpd.GeoDataFrame({"n": [1, 2]}, geometry=shapely.force_3d(flat, 9.0), crs=4326)
    layer = read_layer(write(solid, tmp_path / f"zones.{suffix}"))
    assert not layer.has_z.any()
    assert shapely.equals_exact(layer.geometry.array, np.array(flat)).all()


def test_rows_without_geometry_stay(tmp_path: Path) -> None:
    layer = stations()
    layer.loc[1, "geometry"] = None
    read = read_layer(write(layer, tmp_path / "stations.gpkg"))
    assert read["name"].tolist() == NAMES
    assert read.geometry.isna().tolist() == [False, True, False]


def test_layer_without_crs_is_not_given_one(tmp_path: Path) -> None:
    path = write(stations(), tmp_path / "stations.shp")
    path.with_suffix(".prj").unlink()
    assert read_layer(path).crs is None
    assert read_layer(path, crs=32627).crs == "EPSG:32627"


@pytest.mark.parametrize("crs", ["EPSG:0", "nonsense", "", -1])
def test_crs_that_does_not_exist_is_refused(tmp_path: Path, crs: str | int) -> None:
    assert code_of(csv(tmp_path, "x,y\n1,2\n"), crs=crs) == "CG-IN-004"


def test_crs_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    path = write(stations(), tmp_path / "stations.gpkg")
    assert read_layer(path, crs=4326).crs == "EPSG:4326"
    assert code_of(path, crs="EPSG:32627") == "CG-IN-004"


def test_relative_path_and_odd_names_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(stations(), tmp_path / "消防 站's.gpkg")
    assert len(read_layer("消防 站's.gpkg")) == 3


def test_only_layer_with_geometry_is_read_beside_a_table(tmp_path: Path) -> None:
    path = write(stations(), tmp_path / "stations.gpkg")
    pyogrio.write_dataframe(pd.DataFrame({"style": ["x"]}), path, layer="layer_styles")
    assert len(read_layer(path)) == 3
    assert code_of(path, layer="layer_styles") == "CG-IN-005"


def test_several_layers_need_a_name(tmp_path: Path) -> None:
    path = tmp_path / "city.gpkg"
    stations().to_file(path, layer="stations")
    gpd.GeoDataFrame({"n": [1]}, geometry=[LineString([(0, 0), (1, 1)])], crs=4326).to_file(
        path, layer="roads"
    )
    assert code_of(path) == "CG-IN-004"
    assert code_of(path, layer="station") == "CG-IN-004"
    assert read_layer(path, layer="roads")["n"].tolist() == [1]


def test_layer_of_a_table_is_refused(tmp_path: Path) -> None:
    assert code_of(write(stations(), tmp_path / "a.csv"), layer="a") == "CG-IN-004"


def test_unknown_encoding_is_refused(tmp_path: Path) -> None:
    assert code_of(write(stations(), tmp_path / "a.csv"), encoding="gbk-2") == "CG-IN-004"


def test_missing_file_names_near_ones(tmp_path: Path) -> None:
    write(stations(), tmp_path / "stations.gpkg")
    with pytest.raises(OSError, match=r"stations\.gpkg") as caught:
        read_layer(tmp_path / "statoins.gpkg")
    assert isinstance(caught.value, CitygeoError)
    assert caught.value.code == "CG-FILE-001"


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "fgb", "shp", "parquet"])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9, 0.99])
def test_cut_file_is_damaged(tmp_path: Path, suffix: str, share: float) -> None:
    many = gpd.GeoDataFrame(
        {"name": [f"消防站{i}" for i in range(2000)]},
        geometry=gpd.points_from_xy(np.linspace(0, 1, 2000), np.linspace(1, 0, 2000)),
        crs=4326,
    )
    assert code_of(cut(write(many, tmp_path / f"a.{suffix}"), share)) == "CG-FILE-007"


def test_flatgeobuf_cut_in_its_index_is_not_taken_for_empty(tmp_path: Path) -> None:
    many = gpd.GeoDataFrame({"n": range(500)}, geometry=gpd.points_from_xy(range(500), range(500)), crs=32650)
    many.to_file(tmp_path / "a.fgb")
    assert code_of(cut(tmp_path / "a.fgb", 0.2)) == "CG-FILE-007"


def test_every_single_broken_byte_gives_rows_or_a_code(tmp_path: Path) -> None:
    """Whatever bit breaks, the library errors never reach the user bare."""
    rng = np.random.default_rng(20_190_101)
    for suffix in ("gpkg", "geojson", "fgb", "shp", "parquet", "csv"):
        path = write(stations(), tmp_path / f"a.{suffix}")
        whole = path.read_bytes()
        for place in rng.integers(0, len(whole), 40):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
            try:
                read_layer(path)
            except CitygeoError as caught:
                assert caught.code.startswith("CG-")  # noqa: PT017


def test_driver_that_is_not_the_formats_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # no file is known that passes the signature and gets here; another GDAL may know one
    monkeypatch.setattr(pyogrio, "read_info", lambda *_, **__: {"driver": "OGR_VRT"})
    assert code_of(write(stations(), tmp_path / "a.gpkg")) == "CG-FILE-007"


def test_invalid_polygon_costs_its_row_only(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    good = {"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    bad = {
        "type": "Feature",
        "properties": {"n": 2},
        "geometry": {"type": "Polygon", "coordinates": [[[1, 2]]]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [good, bad]}))
    issues = IssueLog()
    layer = read_layer(path, issues=issues)
    assert layer["n"].tolist() == [1, 2]
    assert layer.geometry.isna().tolist() == [False, True]
    assert [item.code for item in issues.found] == ["CG-FILE-013"]


def test_geojson_in_gbk_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    feature = {"type": "Feature", "properties": {"name": "南山"}, "geometry": None}
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False), "gbk"
    )
    assert code_of(path) == "CG-FILE-007"


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "fgb", "parquet"])
def test_layer_without_rows_is_empty(tmp_path: Path, suffix: str) -> None:
    assert code_of(write(stations().iloc[:0], tmp_path / f"a.{suffix}")) == "CG-IN-001"


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Give the address of a server on this machine and the list of paths it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http_server.server_port}/crs", asked
        http_server.shutdown()
        thread.join()


CRS_FORMS: dict[str, Callable[[str], str]] = {
    "url": lambda url: f'"crs": {{"type": "url", "properties": {{"url": "{url}"}}}}',
    "link": lambda url: f'"crs": {{"type": "link", "properties": {{"href": "{url}"}}}}',
    "upper": lambda url: f'"CRS": {{"type": "link", "properties": {{"href": "{url}"}}}}',
    "escaped": lambda url: f'"\\u0063rs": {{"type": "l\\u0069nk", "properties": {{"href": "{url}"}}}}',
    "twice": lambda url: f'"crs": {{"type": "name", "type": "link", "properties": {{"href": "{url}"}}}}',
}


@pytest.mark.parametrize("form", CRS_FORMS)
def test_geojson_never_fetches_its_crs(tmp_path: Path, server: tuple[str, list[str]], form: str) -> None:
    url, asked = server
    path = tmp_path / "a.geojson"
    feature = '{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}'
    path.write_text(f'{{"type": "FeatureCollection", "features": [{feature}], {CRS_FORMS[form](url)}}}')
    assert code_of(path) == "CG-SEC-003"
    assert asked == []


@pytest.mark.parametrize(
    "member",
    [
        '{"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}',
        '{ "type" : "name", "properties" : { "name" : "EPSG:4326" } }',
        '{"type": "EPSG", "properties": {"code": 4326}}',
        "null",
    ],
)
def test_geojson_crs_by_name_is_read(tmp_path: Path, member: str) -> None:
    path = tmp_path / "a.geojson"
    point = {"type": "Point", "coordinates": [1, 2]}
    feature = json.dumps({"type": "Feature", "properties": {"crs": "x"}, "geometry": point})
    path.write_text(f'{{"type": "FeatureCollection", "crs": {member}, "features": [{feature}]}}')
    layer = read_layer(path)
    assert layer.geometry.x.tolist() == [1]
    assert layer["crs"].tolist() == ["x"]


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(stations(), tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"citygeo\[parquet\]"):
        read_layer(path)


def test_reading_changes_nothing_on_disk(tmp_path: Path) -> None:
    path = write(stations(), tmp_path / "a.gpkg")
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}
    read_layer(path)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before


def test_copy_under_another_name_gives_the_same_layer(tmp_path: Path) -> None:
    first = write(stations(), tmp_path / "a.gpkg")
    second = tmp_path / "b.gpkg"
    shutil.copy(first, second)
    pd.testing.assert_frame_equal(read_layer(first), read_layer(second))
