"""
Two real layers without topology: Wuhan (92,667 lines) and Burundi (31,308 lines), roads of OpenStreetMap.

They lie in source packages of others, see `.ci/run`; without them, these tests are skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import pytest

import citygeo as cg
from citygeo.io import centerlines

PACKAGES = Path(os.environ.get("CITYGEO_PACKAGE_DATA", "no packages"))
WUHAN = PACKAGES / "neatnet-0.1.6" / "data" / "wuhan_8989" / "original.parquet"
BURUNDI = PACKAGES / "gridfinder-3.1.2" / "tests" / "data" / "roads.geojson"


def layer(path: Path) -> gpd.GeoDataFrame:
    if not path.is_file():
        pytest.skip("CITYGEO_PACKAGE_DATA names no folder with the unpacked packages")
    if path.suffix == ".parquet":
        return gpd.read_parquet(path).reset_index()
    return gpd.read_file(path)


@pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
def test_wuhan() -> None:
    lines = layer(WUHAN)
    streets = centerlines.read(lines, class_column="highway")
    # the file has 82,902 ids of nodes, of which 11 pairs share one place: without ids they are one
    ids = lines[["u", "v"]].stack().nunique()
    assert ids == 82_902
    assert len(streets.node_id) == 82_891
    net = cg.RoadNetwork.from_centerlines(lines, class_column="highway")
    report = net.report()
    assert report.table.loc["components", "value"] == 2
    assert report.table.loc["outside_main_share", "value"] < 0.1
    assert report.table.loc["imputed_speed_share", "value"] == 100


@pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
def test_burundi() -> None:
    lines = layer(BURUNDI)
    net = cg.RoadNetwork.from_centerlines(lines, class_column="highway", tolerance_m=1.0)
    plain = cg.RoadNetwork.from_centerlines(lines, class_column="highway")
    assert net.components.max() <= plain.components.max()
    assert net.length_m.sum() == pytest.approx(plain.length_m.sum(), rel=1e-4)
    told = {issue.code: issue.count for issue in net.log.found}
    assert told["CG-LINE-014"] == 12
    assert net.report().table.loc["duplicates", "value"] > 0
