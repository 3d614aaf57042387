"""``citygeo coverage``: how files and options become the call to the public function."""

from __future__ import annotations

import inspect
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

import citygeo as cg
from citygeo import cli, hexgrid
from citygeo.cli import main
from citygeo.cli.coverage import Reader, around, named_files, open_network, read_demand
from citygeo.errors import CitygeoError
from tests.cli.fakes import fake_coverage, fake_explore

if TYPE_CHECKING:
    from pathlib import Path

REAL_COVERAGE = cg.coverage  # before a test replaces it
CELLS = ["8907b0d2e63ffff", "8907b0d2e67ffff"]


class FakeNetwork:
    """Stands in for RoadNetwork: remembers how it was made."""

    def __init__(self, how: str, mode: str) -> None:
        self.how = how
        self.mode = SimpleNamespace(name=mode)

    @classmethod
    def from_osm(cls, path: Path, mode: str) -> FakeNetwork:
        return cls(f"built from {path.name}", mode)

    @classmethod
    def load(cls, path: Path) -> FakeNetwork:
        return cls(f"loaded from {path.name}", "drive")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace network, computation and map; return the arguments of the call to coverage."""
    arguments: dict[str, Any] = {}

    def coverage(network: object, facilities: object, **options: Any) -> Any:
        arguments.update(network=network, facilities=facilities, **options)
        return fake_coverage(minutes=options["minutes"])

    monkeypatch.setitem(vars(cg), "coverage", coverage)
    monkeypatch.setitem(vars(cg), "explore", fake_explore)
    monkeypatch.setitem(vars(cg), "RoadNetwork", FakeNetwork)
    return arguments


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write small input files into the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stations.csv").write_text("name,lon,lat\nA,0,0\n", encoding="utf-8")
    (tmp_path / "people.csv").write_text("population,人口,lon,lat\n5,7,0,0\n", encoding="utf-8")
    (tmp_path / "cells.csv").write_text(f"h3_cell,population\n{CELLS[0]},5\n{CELLS[1]},6\n", encoding="utf-8")
    zones = gpd.GeoDataFrame({"name": ["x", "y"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs=4326)
    zones.to_file(tmp_path / "zones.gpkg", layer="zones")
    zones.dissolve().to_file(tmp_path / "zones.gpkg", layer="city")
    zones.to_file(tmp_path / "districts.geojson")
    return tmp_path


COMMAND = ["coverage", "a.osm.pbf", "stations.csv", "--minutes", "5"]


@pytest.mark.usefixtures("files")
def test_options_reach_the_function_and_defaults_are_its_own(
    called: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*COMMAND, "--demand", "people.csv"]) == 0
    assert called["network"].how == "built from a.osm.pbf"
    assert called["network"].mode.name == "fire_engine"
    assert called["demand"]["population"].tolist() == [5]
    defaults = {"zones": None, "buildings": None, "delay_s": None, "direction": "from", "max_snap_m": 200.0}
    assert {name: called[name] for name in defaults} == defaults
    assert "5-minute fire coverage 消防5分钟覆盖: stations.csv" in capsys.readouterr().out


def test_every_option_is_passed_on(
    called: dict[str, Any], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "a.net").mkdir()
    arguments = [
        "coverage", "a.net", "stations.csv", "--minutes", "7.5", "--demand", "people.csv",
        "--population", "人口",
        "--zones", "district=districts.geojson", "--zones", "city=zones.gpkg|layername=city",
        "--buildings", "districts.geojson", "--delay", "30", "--direction", "to", "--max-snap-m", "50",
        "--mode", "drive", "-o", "out", "--json",
    ]  # fmt: skip
    assert main(arguments) == 0
    assert called["network"].how == "loaded from a.net"
    assert called["demand"]["population"].tolist() == [7]
    assert {level: len(zones) for level, zones in called["zones"].items()} == {"district": 2, "city": 1}
    assert len(called["buildings"]) == 2
    given = {"minutes": 7.5, "delay_s": 30.0, "direction": "to", "max_snap_m": 50.0}
    assert {name: called[name] for name in given} == given
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "coverage"
    assert document["files"]["map"] == "out/map.html"
    assert (files / "out" / "map.html").is_file()


def test_land_points_and_circles_are_passed_on(called: dict[str, Any], files: Path) -> None:
    options = [
        "--areas", "built_up=districts.geojson", "--areas", "zones.gpkg|layername=city", "--points",
        "shops=people.csv", "--radius-m", "500",
    ]  # fmt: skip
    assert main([*COMMAND, "--demand", "people.csv", *options]) == 0
    assert files
    assert {name: len(layer) for name, layer in called["areas"].items()} == {"built_up": 2, "land": 1}
    assert {name: len(layer) for name, layer in called["points"].items()} == {"shops": 1}
    assert called["radius_m"] == 500.0
    assert main([*COMMAND, "--demand", "people.csv", "--radius-m", "class_m"]) == 0
    assert called["radius_m"] == "class_m"
    assert (
        main([*COMMAND, "--demand", "people.csv", "--points", "people.csv", "--points", "stations.csv"])
        == cli.BAD_INPUT
    )


def test_without_a_folder_nothing_is_written(
    called: dict[str, Any], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(files.iterdir())
    assert main([*COMMAND, "--demand", "people.csv"]) == 0
    assert called
    assert "Files" not in capsys.readouterr().out
    assert sorted(files.iterdir()) == before


def test_findings_of_the_reader_are_in_the_result(
    called: dict[str, Any], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "people.csv").write_text("名称,population,lon,lat\n南山,5,0,0\n", encoding="gb18030")
    assert main([*COMMAND, "--demand", "people.csv", "--json"]) == 0
    assert called
    out, err = capsys.readouterr()
    assert [issue["code"] for issue in json.loads(out)["issues"]] == ["CG-NET-013", "CG-ENC-001"]
    assert "citygeo: CG-ENC-001: people.csv" in err


@pytest.mark.usefixtures("called", "files")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--demand", "peple.csv"], "CG-FILE-001"),
        (["--demand", "stations.csv"], "CG-IN-005"),
        (["--demand", "people.csv", "--zones", "zones.gpkg"], "CG-IN-004"),
        (
            ["--demand", "people.csv", "--zones", "districts.geojson", "--zones", "districts.geojson"],
            "CG-IN-004",
        ),
        (["--demand", "https://example.org/people.csv"], "CG-SEC-003"),
    ],
)
def test_wrong_files_are_one_line_and_bad_input(
    arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*COMMAND, *arguments]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"citygeo: {code}: ")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("called")
def test_saved_network_of_another_mode_is_refused(tmp_path: Path) -> None:
    assert open_network(tmp_path, None).mode.name == "drive"
    with pytest.raises(CitygeoError, match="CG-IN-004"):
        open_network(tmp_path, "walk")


def test_levels_are_read_and_names_with_equals_signs_are_files(files: Path) -> None:
    (files / "a=b.gpkg").touch()
    assert named_files([], "--zones", "zone") == {}
    assert named_files(["a=b.gpkg"], "--zones", "zone") == {"zone": "a=b.gpkg"}
    assert named_files(["z.gpkg|layername=city"], "--zones", "zone") == {"zone": "z.gpkg|layername=city"}
    assert named_files(["市=z.gpkg|layername=city"], "--zones", "zone") == {"市": "z.gpkg|layername=city"}
    assert named_files(["=z.gpkg"], "--zones", "zone") == {"zone": "=z.gpkg"}


@pytest.mark.usefixtures("files")
def test_cells_keep_their_index() -> None:
    demand = read_demand("cells.csv", "population", Reader())
    assert demand.index.name == "h3_cell"
    assert demand.index.tolist() == CELLS


@pytest.mark.parametrize("cells", [CELLS, CELLS[:1] * 2])
@pytest.mark.parametrize("suffix", ["csv", "gpkg", "parquet"])
def test_places_that_name_their_cell_stay_places(files: Path, suffix: str, cells: list[str]) -> None:
    table = pd.DataFrame({"h3_cell": cells, "population": [1, 2], "lon": [0.5, 1.5], "lat": [0.0, 1.0]})
    layer = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326)
    if suffix == "csv":
        table.to_csv(files / "p.csv", index=False)
    elif suffix == "gpkg":
        layer.to_file(files / "p.gpkg")
    else:
        layer.set_index("h3_cell").to_parquet(files / "p.parquet")
    demand = read_demand(f"p.{suffix}", "population", Reader())
    assert demand.index.tolist() == [0, 1]
    assert demand.geometry.x.tolist() == [0.5, 1.5]


def test_polygons_that_name_their_cell_stay_polygons(files: Path) -> None:
    layer = gpd.GeoDataFrame(
        {"h3_cell": CELLS, "population": [1, 2]}, geometry=[box(0, 0, 1, 1)] * 2, crs=4326
    )
    layer.to_file(files / "homes.gpkg")
    assert read_demand("homes.gpkg", "population", Reader()).index.tolist() == [0, 1]


@pytest.mark.parametrize("crs", [4326, 3857])
def test_cells_drawn_as_hexagons_are_cells(files: Path, crs: int) -> None:
    outlines = hexgrid.cell_polygons(hexgrid.from_strings(CELLS))
    layer = gpd.GeoDataFrame({"h3_cell": CELLS, "population": [1, 2]}, geometry=outlines, crs=4326)
    layer.to_crs(crs).to_file(files / "cells.gpkg")
    assert read_demand("cells.gpkg", "population", Reader()).index.tolist() == CELLS
    layer.to_crs(crs).set_index("h3_cell").to_parquet(files / "cells.parquet")
    assert read_demand("cells.parquet", "population", Reader()).index.tolist() == CELLS


def test_cells_without_any_geometry_are_checked(files: Path) -> None:
    layer = gpd.GeoDataFrame({"h3_cell": [*CELLS, CELLS[0]], "population": 1}, geometry=[None] * 3, crs=4326)
    layer[:2].to_parquet(files / "cells.parquet")
    assert read_demand("cells.parquet", "population", Reader()).index.tolist() == CELLS
    layer.to_parquet(files / "cells.parquet")
    with pytest.raises(CitygeoError, match="CG-IN-006"):
        read_demand("cells.parquet", "population", Reader())


@pytest.mark.usefixtures("files")
def test_missing_column_of_people_names_what_there_is_and_what_is_near() -> None:
    with pytest.raises(CitygeoError, match=r"population, 人口, lon, lat; near: population"):
        read_demand("people.csv", "populaton", Reader())


# --- options ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("files")
def test_options_left_out_are_those_of_the_library(called: dict[str, Any]) -> None:
    assert main([*COMMAND, "--demand", "people.csv", "--quiet"]) == 0
    signature = inspect.signature(REAL_COVERAGE).parameters
    given = {
        name: called[name] for name in called if name not in ("network", "facilities", "demand", "minutes")
    }
    assert given == {name: signature[name].default for name in given}
    assert {"study_area", "delay_s", "buffer_m", "resolution", "threads"} <= set(given)
    assert "estimate" not in called["demand"].attrs


@pytest.mark.usefixtures("files")
def test_options_reach_the_library(called: dict[str, Any]) -> None:
    options = ["--delay", "turnout_s", "--buffer-m", "50", "--resolution", "8", "--threads", "2"]
    assert (
        main(
            [*COMMAND, "--demand", "people.csv", *options, "--study-area", "districts.geojson", "--estimate"]
        )
        == 0
    )
    expected = {"delay_s": "turnout_s", "buffer_m": 50.0, "resolution": 8, "threads": 2}
    assert {name: called[name] for name in expected} == expected
    assert len(called["study_area"]) == 2
    assert called["demand"].attrs["estimate"] is True


@pytest.mark.parametrize(("text", "delay_s"), [("45", 45.0), ("1e2", 100.0), ("60 s", "60 s")])
@pytest.mark.usefixtures("files")
def test_delay_is_seconds_or_a_column(called: dict[str, Any], text: str, delay_s: float | str) -> None:
    assert main([*COMMAND, "--demand", "people.csv", "--delay", text]) == 0
    assert called["delay_s"] == delay_s


def test_crs_is_given_to_layers_that_state_none_and_to_no_other(called: dict[str, Any], files: Path) -> None:
    (files / "stations.csv").write_text("name,x,y\nA,500000,2500000\n", encoding="utf-8")
    assert main([*COMMAND, "--demand", "people.csv", "--crs", "EPSG:4547"]) == 0
    assert called["facilities"].crs == "EPSG:4547"
    assert called["demand"].crs == "EPSG:4326"


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize("crs", [[], ["--crs", "EPSG:0"], ["--crs", "Xi'an"], ["--crs", ""]])
def test_layer_without_crs_or_a_crs_that_is_none_is_bad_input(
    files: Path, crs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "stations.csv").write_text("name,x,y\nA,500000,2500000\n", encoding="utf-8")
    assert main([*COMMAND, "--demand", "people.csv", *crs]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("citygeo: CG-IN-004: --crs=")
    assert "EPSG:4547" in err


@pytest.mark.usefixtures("called", "files")
@pytest.mark.parametrize(
    "wrong",
    [
        ["--resolution", "16"], ["--resolution", "-1"], ["--resolution", "nine"], ["--threads", "0"],
        ["--threads", "-2"], ["--threads", "1.5"], ["--buffer-m", "wide"], ["--study-area"],
    ],
)  # fmt: skip
def test_options_of_the_wrong_kind_are_wrong_usage(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*COMMAND, "--demand", "people.csv", *wrong]) == cli.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert wrong[0] in err.splitlines()[-1]


def test_help_names_the_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for phrase in (
        "limit in minutes",
        "seconds before",
        "in metres (default: 200)",
        "in metres (default: 100)",
        "km2",
    ):
        assert phrase in text


# --- people of a raster -----------------------------------------------------------------------------


def test_people_of_a_raster_are_those_in_the_study_area_or_in_the_zones(
    called: dict[str, Any], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(
        files / "people.tif", "w", driver="GTiff", height=4, width=30, count=1, dtype="float32", crs="EPSG:4326",
        transform=rasterio.Affine(0.1, 0, 0, 0, -0.1, 0.5),
    ) as raster:  # fmt: skip
        raster.write(np.ones((4, 30), np.float32), 1)
    for options, people in (
        ([], 120),
        (["--zones", "districts.geojson"], 80),
        (["--zones", "districts.geojson", "--study-area", "west.geojson"], 40),
    ):
        gpd.read_file(files / "districts.geojson").iloc[:1].to_file(files / "west.geojson")
        assert main([*COMMAND, "--demand", "people.tif", "--resolution", "5", *options, "--json"]) == 0
        assert called["demand"]["population"].sum() == pytest.approx(people)
        assert called["demand"].attrs["estimate"] is True
        assert "CG-RAS-" in " ".join(issue["code"] for issue in json.loads(capsys.readouterr().out)["issues"])


def test_pixels_of_a_coast_count_although_their_middle_is_outside() -> None:
    city = gpd.GeoDataFrame(geometry=[box(0, 0, 0.1, 0.1)], crs=4326)
    ground = around(city.to_crs(3857)).to_crs(4326).iloc[0]
    # 1 km is 0.009 degrees at the equator
    assert ground.contains(box(-0.0085, 0, 0.1085, 0.1))
    assert not ground.intersects(box(-0.1, 0, -0.0095, 0.1))
