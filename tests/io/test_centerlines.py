"""Layers of centre lines: sources, rows left out, and what becomes of columns and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from citygeo.io import centerlines
from citygeo.modes import travel_mode
from citygeo.network.build import build_arrays
from tests.io.layers import write
from tests.io.roads import count, finding, joints, layer, noded, refusal, ways

# --- spaghetti ------------------------------------------------------------------------------------


def spaghetti() -> gpd.GeoDataFrame:
    """Two avenues and two streets drawn right through, an alley on one of them, a bridge over all, a lane short."""
    return layer(
        "0 0, 300 0", "0 100, 300 100", "100 -50, 100 150", "200 -50, 200 150", "150 100, 150 180", "0 50, 300 50",
        "250 0.6, 250 60",
        等级=["主干路", "主干路", "次干路", "次干路", "街巷", "快速路", "支路"],
        桥=["否", "否", "否", "否", "否", "是", "否"],
        单行=["双向", "双向", "单向", "双向", "双向", "双向", "反向"],
    )  # fmt: skip


def test_spaghetti_becomes_a_network() -> None:
    streets = centerlines.read(
        spaghetti(),
        class_column="等级",
        bridge_column="桥",
        oneway_column="单行",
        split_crossings=True,
        tolerance_m=1,
    )
    found = joints(streets)
    crossings = {place for place, many in found.items() if many == [4]}
    assert crossings == {(100, 0), (200, 0), (100, 100), (200, 100)}
    assert {place for place, many in found.items() if many == [3]} == {(150, 100), (250, 0)}
    assert [tags.get("highway") for tags in streets.way_tags] == [
        "primary", "primary", "secondary", "secondary", "residential", "trunk", "tertiary",
    ]  # fmt: skip
    assert [tags.get("oneway") for tags in streets.way_tags] == [None, None, "yes", None, None, None, "-1"]
    assert streets.way_tags[5]["bridge"] == "yes"
    numbers = {issue.code: issue.count for issue in streets.issues.found}
    assert numbers == {
        "CG-LINE-022": 7,  # the one-way column was read
        "CG-LINE-024": 1,  # one bridge
        "CG-LINE-012": 5,  # four crossings and the alley's end
        "CG-LINE-013": 3,  # the bridge over both streets and the lane
        "CG-LINE-014": 1,  # the lane's end
        "CG-LINE-026": 7,
    }
    # two ends of each avenue, street and the bridge, and one of the alley and of the lane
    assert "12 ends are loose" in finding(streets, "CG-LINE-026").message


def test_network_of_a_layer_can_be_built() -> None:
    streets = centerlines.read(spaghetti(), class_column="等级", split_crossings=True, tolerance_m=1)
    arrays, _ = build_arrays(streets, travel_mode("drive"))
    assert set(np.unique(arrays["edge_way_id"])) == set(range(1, 8))


# --- geometry -------------------------------------------------------------------------------------


def test_rows_that_are_no_lines_are_left_out_and_told() -> None:
    lines = layer(
        "0 0, 100 0",
        None,
        "LINESTRING EMPTY",
        "POINT (5 5)",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "100 0, 200 0",
    )
    lines.index = list("abcdef")
    streets = centerlines.read(lines)
    issue = finding(streets, "CG-LINE-010")
    assert (issue.count, issue.sample) == (4, ("b", "c", "d", "e"))
    assert "Point 1" in issue.message
    assert streets.way_id.tolist() == [1, 6]
    assert lines.index[streets.way_id - 1].tolist() == ["a", "f"]
    assert joints(streets)[100, 0] == [2]


def test_lines_with_coordinates_that_are_no_numbers_are_left_out() -> None:
    with np.errstate(invalid="ignore"):
        broken = shapely.LineString([(0, 0), (np.nan, 5)])
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)]), broken], crs=4326)
    streets = centerlines.read(lines)
    assert (streets.way_id.tolist(), count(streets, "CG-LINE-010")) == ([1], 1)


def test_line_without_length_is_left_out_and_told() -> None:
    streets = centerlines.read(layer("0 0, 100 0", "7 7, 7 7.0003"))
    assert streets.way_id.tolist() == [1]
    assert finding(streets, "CG-LINE-011").sample == ("1",)


def test_parts_of_a_multiline_share_their_row() -> None:
    streets = centerlines.read(
        layer("MULTILINESTRING ((0 0, 10 0), (10 0, 20 0), (30 0, 40 0))", "20 0, 30 0")
    )
    assert streets.way_id.tolist() == [1, 1, 1, 2]
    assert joints(streets)[10, 0] == joints(streets)[20, 0] == [2]


def test_heights_are_left_out() -> None:
    found = noded("LINESTRING Z (0 0 5, 100 0 6)", "LINESTRING Z (100 0 9, 200 0 9)")
    assert found == {(0, 0): [1], (100, 0): [2], (200, 0): [1]}


def test_repeated_labels_do_no_harm() -> None:
    lines = layer("0 0, 100 0", "100 0, 200 0")
    lines.index = [7, 7]
    assert centerlines.read(lines).way_id.tolist() == [1, 2]


@pytest.mark.parametrize("crs", [4326, 4490, 3857, 4547])
def test_network_is_the_same_in_every_crs(crs: int) -> None:
    # straight lines of one CRS are curves of another: over 120 m they bend by less than a fifth of a millimetre
    lines = layer("0 0, 120 0", "40 -50, 40 100", "80 0, 80 80", crs=crs)
    found = joints(centerlines.read(lines, split_crossings=True))
    assert {(round(x), round(y)): many for (x, y), many in found.items()} == {
        (0, 0): [1], (120, 0): [1], (40, -50): [1], (40, 100): [1], (40, 0): [4], (80, 0): [3], (80, 80): [1],
    }  # fmt: skip


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "fgb", "parquet"])
def test_every_format_gives_the_same_network(tmp_path: Path, suffix: str) -> None:
    lines = layer("0 0, 50 0, 100 0", "50 0, 50 80", crs=4326, kind=["primary", "residential"])
    path = write(lines, tmp_path / f"roads.{suffix}")
    streets = centerlines.read(path, class_column="kind")
    assert joints(streets) == {(0, 0): [1], (50, 0): [3], (100, 0): [1], (50, 80): [1]}
    assert [tags["highway"] for tags in streets.way_tags] == ["primary", "residential"]
    assert streets.source == path.name


def test_shapefile_in_gb18030(tmp_path: Path) -> None:
    lines = layer("0 0, 100 0", "100 0, 200 0", crs=4490, 道路等级=["快速路", "支路"], 名称=["武珞路", "巷"])
    path = tmp_path / "道路.shp"
    lines.to_file(path, encoding="GB18030", engine="pyogrio")
    path.with_suffix(".cpg").unlink()
    streets = centerlines.read(path, class_column="道路等级", name_column="名称")
    assert streets.way_tags == [
        {"highway": "trunk", "name": "武珞路"}, {"highway": "tertiary", "name": "巷"},
    ]  # fmt: skip
    assert count(streets, "CG-ENC-001") == 1


# --- refusals -------------------------------------------------------------------------------------


def test_layer_without_crs_is_refused_with_its_extent() -> None:
    problem = refusal(layer("0 0, 100 0").set_crs(None, allow_override=True))
    assert problem.code == "CG-CRS-001"
    assert "5e+05" in str(problem)


def test_local_crs_is_refused() -> None:
    local = 'LOCAL_CS["site",LOCAL_DATUM["site",0],UNIT["metre",1],AXIS["E",EAST],AXIS["N",NORTH]]'
    assert refusal(layer("0 0, 100 0").set_crs(local, allow_override=True)).code == "CG-LINE-001"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (layer(), "CG-IN-001"),
        (layer("POINT (1 1)", None), "CG-LINE-006"),
        (pd.DataFrame({"a": [1]}), "CG-IN-007"),
        (gpd.GeoDataFrame({"a": [1]}), "CG-IN-007"),
        (Path("no such.gpkg"), "CG-FILE-001"),
    ],
)
def test_what_is_no_layer_of_lines_is_refused(lines: Any, code: str) -> None:
    assert refusal(lines).code == code


def test_metres_called_degrees_are_refused() -> None:
    problem = refusal(layer("0 0, 100 0", "0 0, 0 100").set_crs(4326, allow_override=True), source="道路")
    assert (problem.code, problem.data["layer"], problem.data["sample"]) == ("CG-LINE-002", "道路", "0, 1")


def test_wrong_column_is_refused_with_those_there_are() -> None:
    problem = refusal(layer("0 0, 100 0", kind=["primary"]), class_column="class")
    assert problem.code == "CG-IN-005"
    assert "kind" in str(problem)


@pytest.mark.parametrize("tolerance_m", [-1, 101, np.nan, "1", True, None])
def test_tolerance_that_is_none_is_refused(tolerance_m: Any) -> None:
    assert refusal(layer("0 0, 100 0"), tolerance_m=tolerance_m).code == "CG-IN-004"


def test_ways_run_as_drawn() -> None:
    assert ways(centerlines.read(layer("0 0, 30 0, 30 40", "9 9, 0 0"))) == [
        [(0, 0), (30, 0), (30, 40)],
        [(9, 9), (0, 0)],
    ]
