"""The program as a user runs it: the real demo, then the user's own files, then Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

import citygeo as cg
from citygeo import cli
from citygeo.coverage.reasons import REASONS

ROOT = Path(cg.__file__).parents[1]
PEOPLE_2019 = 128_793 + 36_975 + 29_799 + 16_299 + 11_463 + 4_664 + 238


def program(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "citygeo", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> dict[str, Any]:
    """Run the demo once; its JSON document."""
    done = program(folder, "demo", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("citygeo: ") for line in done.stderr.splitlines())
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def measure(document: dict[str, Any], name: str) -> dict[str, Any]:
    row: dict[str, Any] = next(row for row in document["measures"] if row["measure"] == name)
    return row


def test_demo_counts_every_person_once(demo: dict[str, Any]) -> None:
    people = measure(demo, "population")
    assert people["total"] == PEOPLE_2019
    assert 0 < people["covered"] < people["total"]
    assert people["share"] == pytest.approx(people["covered"] / people["total"], abs=1e-12)
    cities = [zone for zone in demo["zones"] if zone["level"] == "municipality"]
    assert len(cities) == 7
    # all people were put inside their municipality, so the municipalities add up to the city
    assert sum(zone["population"] for zone in cities) == pytest.approx(people["total"], abs=1e-6)
    assert sum(zone["population_covered"] for zone in cities) == pytest.approx(people["covered"], abs=1e-6)
    assert demo["depth"][0]["population"] == pytest.approx(people["total"] - people["covered"], abs=1e-6)


def test_demo_says_that_its_people_are_an_estimate_and_where_they_are_from(demo: dict[str, Any]) -> None:
    assert demo["people_are_an_estimate"] is True
    assert "unverified" in demo["note"]
    assert "OpenStreetMap" in demo["attribution"]


def test_demo_ranks_its_blind_spots(demo: dict[str, Any]) -> None:
    spots = demo["blind_spots"]
    assert [spot["rank"] for spot in spots] == [1, 2, 3, 4, 5]
    people = [spot["uncovered"] for spot in spots]
    assert people == sorted(people, reverse=True)
    assert all(spot["reason"] in REASONS for spot in spots)
    assert all(spot["nearest_facility_name"] for spot in spots if spot["time_s"] is not None)


def test_demo_files_are_there_and_agree_with_what_was_printed(folder: Path, demo: dict[str, Any]) -> None:
    paths = {Path(path).name: folder / path for path in demo["files"].values()}
    expected = {
        "map.html", "coverage.gpkg", "cells.parquet", "zones.csv", "blind_spots.csv", "issues.csv", "provenance.json"
    }  # fmt: skip
    assert expected <= set(paths)
    assert all(path.stat().st_size > 0 for path in paths.values())
    zones = pd.read_csv(paths["zones.csv"])
    for level, rows in zones.groupby("level"):
        printed = [zone["population_covered"] for zone in demo["zones"] if zone["level"] == level]
        assert rows["population_covered"].sum() == pytest.approx(sum(printed))
    cells = gpd.read_parquet(paths["cells.parquet"])
    assert cells["population"].sum() == pytest.approx(measure(demo, "population")["total"], abs=1e-3)


def test_demo_map_names_the_place_in_both_languages(folder: Path, demo: dict[str, Any]) -> None:
    page = Path(demo["files"]["map"])
    text = (page if page.is_absolute() else folder / page).read_text(encoding="utf-8")
    assert "Reykjavík capital region: fire engine, 5 minutes" in text
    assert "雷克雅未克首都区消防车5分钟覆盖" in text


def test_own_files_give_the_demo_again(folder: Path, demo: dict[str, Any]) -> None:
    """The sample's layers, written to files and read back as a user's, give the same people."""
    city = cg.datasets.reykjavik()
    city.stations[["name", "geometry"]].to_file(folder / "stations.geojson")
    city.people[["population", "geometry"]].to_file(folder / "people.gpkg")
    city.zones["municipality"][["name", "geometry"]].to_file(folder / "cities.gpkg")
    built = program(folder, "network", str(city.osm_path), "-o", "city.net", "--quiet")
    assert (built.returncode, built.stderr) == (0, "")
    done = program(
        folder, "coverage", "city.net", "stations.geojson", "--minutes", "5", "--demand", "people.gpkg",
        "--zones", "municipality=cities.gpkg", "--json", "--quiet",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert measure(document, "population") == measure(demo, "population")
    assert document["people_are_an_estimate"] is False  # a file does not say so
    assert "files" not in document


def test_cells_of_the_demo_are_demand_for_the_next_run(folder: Path, demo: dict[str, Any]) -> None:
    if not (folder / "stations.geojson").exists():
        cg.datasets.reykjavik().stations[["name", "geometry"]].to_file(folder / "stations.geojson")
    done = program(
        folder, "coverage", str(cg.datasets.reykjavik().osm_path), "stations.geojson", "--minutes", "5",
        "--demand", demo["files"]["cells"], "--zones", "city=out/coverage.gpkg|layername=zones_municipality", "--quiet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{PEOPLE_2019:,}" in done.stdout


def test_ctrl_c_stops_soon_with_one_line_and_130(folder: Path) -> None:
    command = [sys.executable, "-m", "citygeo", "demo", "--out", "stopped"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(2.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = process.communicate(timeout=30)
        waited = time.monotonic() - began
    assert process.returncode == cli.STOPPED
    assert out == ""
    assert err.splitlines()[-1] == "citygeo: stopped"
    assert "Traceback" not in err
    assert waited < 3
    assert not (folder / "stopped" / "map.html").exists()
