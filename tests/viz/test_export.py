from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest

from citygeo.errors import InputError
from citygeo.network.report import NetworkReport, make_report
from citygeo.viz import layer_styles
from citygeo.viz.export import save_coverage, save_report
from tests.network.report.test_connection import NODES, WAYS
from tests.toy import network, points
from tests.viz.fakes import coverage

if TYPE_CHECKING:
    from pathlib import Path

QGIS = """
import json, os, sys
from qgis.core import QgsApplication, QgsVectorLayer
app = QgsApplication([], False); app.initQgis()
out = {}
for name in sys.argv[2:]:
    layer = QgsVectorLayer(sys.argv[1] + "|layername=" + name, name, "ogr")
    kind = layer.renderer().type()
    parts = {"graduatedSymbol": "ranges", "categorizedSymbol": "categories"}.get(kind)
    colours = [r.symbol().color().name() for r in getattr(layer.renderer(), parts)()] if parts else []
    out[name] = [layer.isValid(), layer.featureCount(), layer.crs().authid(), kind, colours]
print(json.dumps(out)); sys.stdout.flush(); os._exit(0)
"""


def opened_in_qgis(path: Path, home: Path, *layers: str) -> dict[str, Any]:
    """Return what QGIS says of each layer: valid, features, CRS, renderer, colours."""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", QGIS, str(path), *layers],
        capture_output=True, text=True, check=True, timeout=120,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def test_save_writes_every_table_and_nothing_else(tmp_path: Path) -> None:
    files = save_coverage(coverage(), tmp_path / "new" / "out")
    assert {name: path.name for name, path in files.items()} == {
        "coverage": "coverage.gpkg", "cells": "cells.parquet", "table": "table.csv", "zones": "zones.csv",
        "blind_spots": "blind_spots.csv", "depth": "depth.csv", "issues": "issues.csv",
        "provenance": "provenance.json",
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(
        path.name for path in files.values()
    )
    assert gpd.list_layers(files["coverage"])["name"].tolist() == [
        "stations", "blind_spots", "cells", "zones_municipality", "zones_neighbourhood", "reached_roads",
        "service_area", "service_area_by_station", "people", "table", "depth", "issues", "layer_styles",
    ]  # fmt: skip
    assert gpd.read_parquet(files["cells"])["uncovered"].sum() == 3333
    assert pd.read_csv(files["zones"])["name"].tolist()[0] == "Siming 思明区"
    assert pd.read_csv(files["issues"])["message"].tolist() == ["'=not a formula"]
    assert json.loads(files["provenance"].read_text("utf-8"))["share"] is None


def test_stations_are_points_whatever_they_were(tmp_path: Path) -> None:
    files = save_coverage(coverage(), tmp_path)
    stations = gpd.read_file(files["coverage"], layer="stations")
    assert stations.geom_type.tolist() == ["Point", "Point"]
    assert stations["status"].tolist() == ["ok", "not_snapped"]


def test_without_pyarrow_the_rest_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citygeo.viz.export.find_spec", lambda _: None)
    assert "cells" not in save_coverage(coverage(), tmp_path)
    assert not (tmp_path / "cells.parquet").exists()


def test_every_spatial_layer_has_a_style(tmp_path: Path) -> None:
    path = save_coverage(coverage(), tmp_path)["coverage"]
    database = sqlite3.connect(path)
    spatial = {
        row[0] for row in database.execute("SELECT table_name FROM gpkg_contents WHERE data_type='features'")
    }
    styled = {row[0] for row in database.execute("SELECT f_table_name FROM layer_styles WHERE useAsDefault")}
    database.close()
    assert spatial == styled == set(layer_styles(coverage()))


def report() -> NetworkReport:
    return make_report(network(NODES, WAYS), points([(0, -20), (0, -900)]))


def test_every_spatial_layer_of_a_report_has_a_style(tmp_path: Path) -> None:
    path = save_report(report(), tmp_path)["report"]
    with closing(sqlite3.connect(path)) as database:
        spatial = {
            row[0]
            for row in database.execute("SELECT table_name FROM gpkg_contents WHERE data_type='features'")
        }
        styled = {
            row[0] for row in database.execute("SELECT f_table_name FROM layer_styles WHERE useAsDefault")
        }
    assert spatial == styled == set(layer_styles(report())) == {"places", "dead_ends", "points", "edges"}


def test_strangers_have_no_styles() -> None:
    with pytest.raises(InputError, match="CG-MAP-003"):
        layer_styles({})


needs_qgis = pytest.mark.skipif(
    shutil.which("qgis") is None
    and subprocess.run(
        ["/usr/bin/python3", "-c", "import qgis.core"], capture_output=True, check=False
    ).returncode
    != 0,
    reason="QGIS is not installed: apt-get install python3-qgis",
)


@needs_qgis
def test_qgis_opens_the_layers_styled(tmp_path: Path) -> None:
    path = save_coverage(coverage(), tmp_path)["coverage"]
    found = opened_in_qgis(path, tmp_path, "cells", "blind_spots", "stations")
    assert found["cells"][:4] == [True, 5, "EPSG:4326", "graduatedSymbol"]
    assert found["cells"][4][1:] == ["#70131c", "#bd4226", "#ec8434", "#fbc366", "#fff0b8"]
    assert found["blind_spots"][3] == "singleSymbol"
    assert found["stations"][:2] == [True, 2]


@needs_qgis
def test_qgis_opens_a_report_styled_by_problem_and_link(tmp_path: Path) -> None:
    path = save_report(report(), tmp_path)["report"]
    found = opened_in_qgis(path, tmp_path, "places", "dead_ends", "points", "edges")
    assert [row[:4] for row in found.values()] == [
        [True, 6, "EPSG:4326", "categorizedSymbol"], [True, 4, "EPSG:4326", "singleSymbol"],
        [True, 2, "EPSG:4326", "categorizedSymbol"], [True, 11, "EPSG:4326", "categorizedSymbol"],
    ]  # fmt: skip
    assert found["edges"][4] == ["#a3a3a3", "#6d28d9", "#e08a1e", "#c81e4a", "#111827"]
    assert len(found["places"][4]) == 10
