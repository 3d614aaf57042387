"""Overture segments: a drawn town, files that are something else, and what is left out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from citygeo.errors import CitygeoError
from citygeo.io import overture
from citygeo.io.crop import region
from citygeo.modes import travel_mode
from citygeo.network.build import build_arrays
from tests.io.segments import degrees, segment, table, write

if TYPE_CHECKING:
    from pathlib import Path

    from citygeo.io.streets import StreetTables


def town() -> list[dict[str, Any]]:
    """A main street with a side street, a bridge over it that meets nobody, a link, a railway and a ferry."""
    return [
        segment(
            "main", "0 0, 400 0, 1000 0", {"c1": 0.0, "c2": 0.4, "c3": 1.0}, **{"class": "primary"},
            names={"primary": "Main Street", "common": [("zh", "大街"), ("fr", "Rue")]},
            speed_limits=[
                {"max_speed": {"value": 50, "unit": "km/h"}, "between": [0.0, 0.5]},
                {"max_speed": {"value": 30, "unit": "mph"}, "between": [0.5, 1.0]},
            ],
            access_restrictions=[{"access_type": "denied", "when": {"heading": "backward"}}],
        ),
        segment("side", "400 0, 400 300", {"c2": 0.0, "c4": 1.0}),
        segment(
            "bridge", "700 -100, 700 0, 700 100", {"c5": 0.0, "c6": 1.0}, road_flags=[{"values": ["is_bridge"]}],
            level_rules=[{"value": 1}],
        ),
        segment("link", "1000 0, 1000 200", {"c3": 0.0, "c7": 1.0}, **{"class": "secondary", "subclass": "link"}),
        segment("rail", "0 50, 1000 50", {"c8": 0.0, "c9": 1.0}, subtype="rail", **{"class": "tram"}),
        segment("ferry", "1000 200, 1000 900", {"c7": 0.0, "ca": 1.0}, subtype="water", **{"class": None}),
    ]  # fmt: skip


def runs(streets: StreetTables) -> list[list[int]]:
    """Each way as metres east and north of its nodes, in tens."""
    scale = np.array(degrees(1, 1))
    return [
        (streets.node_lonlat[streets.way_node[start:stop]] / scale).round().astype(int).tolist()
        for start, stop in zip(streets.way_start[:-1], streets.way_start[1:], strict=True)
    ]


def refusal(path: Path) -> CitygeoError:
    with pytest.raises(CitygeoError) as caught:
        overture.read(path)
    assert caught.value.zh
    return caught.value


# --- a town ---------------------------------------------------------------------------------------


def test_town(tmp_path: Path) -> None:
    streets = overture.read(write(tmp_path / "segments.parquet", town()))
    # by id: bridge, ferry, link, main in three pieces (to c2, to the change of speed, to c3), side
    assert runs(streets) == [
        [[700, -100], [700, 0], [700, 100]],
        [[1000, 200], [1000, 900]],
        [[1000, 0], [1000, 200]],
        [[0, 0], [400, 0]],
        [[400, 0], [500, 0]],
        [[500, 0], [1000, 0]],
        [[400, 0], [400, 300]],
    ]
    assert streets.way_id.tolist() == [30000, 60000, 40000, 10000, 10001, 10002, 20000]
    main = {"highway": "primary", "oneway": "yes", "name": "Main Street", "name:zh": "大街"}
    assert streets.way_tags == [
        {"highway": "residential", "bridge": "yes", "layer": "1"},
        {"route": "ferry"},
        {"highway": "secondary_link"},
        {**main, "maxspeed": "50"},
        {**main, "maxspeed": "50"},
        {**main, "maxspeed": "30 mph"},
        {"highway": "residential"},
    ]
    assert {issue.code: (issue.count, issue.sample) for issue in streets.issues.found} == {
        "CG-OVER-010": (1, ("rail 1",)),
        "CG-OVER-011": (1, ()),
    }


def test_segments_meet_at_connectors_only(tmp_path: Path) -> None:
    streets = overture.read(write(tmp_path / "segments.parquet", town()))
    # c1 to c7 and ca, without those of the railway; then the bridge's middle and the change of speed
    assert streets.node_id.tolist() == list(range(1, 11))
    ends = {
        way: (int(streets.node_id[streets.way_node[start]]), int(streets.node_id[streets.way_node[stop - 1]]))
        for way, start, stop in zip(
            streets.way_id.tolist(), streets.way_start[:-1], streets.way_start[1:], strict=True
        )
    }
    assert ends == {
        30000: (5, 6), 60000: (7, 8), 40000: (3, 7), 10000: (1, 2), 10001: (2, 10), 10002: (10, 3), 20000: (2, 4),
    }  # fmt: skip


def test_order_of_rows_changes_only_the_numbers_of_ways(tmp_path: Path) -> None:
    rows = town()
    first = overture.read(write(tmp_path / "a.parquet", rows))
    shuffled = list(rows)
    random.Random(1).shuffle(shuffled)
    second = overture.read(write(tmp_path / "b.parquet", shuffled))
    np.testing.assert_array_equal(first.node_lonlat, second.node_lonlat)
    np.testing.assert_array_equal(first.way_node, second.way_node)
    assert first.way_tags == second.way_tags
    for streets, order in ((first, rows), (second, shuffled)):
        names = [order[way // 10_000 - 1]["id"] for way in streets.way_id.tolist()]
        assert names == ["bridge", "ferry", "link", "main", "main", "main", "side"]


def test_network_can_be_built(tmp_path: Path) -> None:
    streets = overture.read(write(tmp_path / "segments.parquet", town()))
    arrays, _ = build_arrays(streets, travel_mode("drive"))
    kmh = 50, 30 * 1.609344
    ms = dict(zip(arrays["edge_way_id"].tolist(), arrays["edge_along_ms"].tolist(), strict=True))
    # the part of the main street between its side street and its end is 100 m at 50 km/h and 500 m at 30 mph
    assert ms[10000] == pytest.approx(400 / kmh[0] * 3600, abs=1)
    beyond = [time for way, time in ms.items() if way in (10001, 10002)]
    assert sum(beyond) == pytest.approx(100 / kmh[0] * 3600 + 500 / kmh[1] * 3600, abs=2)


@pytest.mark.parametrize("drop", [[], ["bbox"]])
def test_region_keeps_what_is_inside(tmp_path: Path, drop: list[str]) -> None:
    path = write(tmp_path / "segments.parquet", town(), drop=drop)
    west, south = degrees(-50, -50)
    east, north = degrees(450, 350)
    streets = overture.read(path, region=region(bbox=(west, south, east, north)))
    assert runs(streets) == [[[0, 0], [400, 0]], [[400, 0], [500, 0]], [[400, 0], [400, 300]]]
    assert streets.way_id.tolist() == [10000, 10001, 20000]


def test_optional_columns_may_be_missing(tmp_path: Path) -> None:
    gone = [
        "names",
        "subclass",
        "speed_limits",
        "access_restrictions",
        "road_flags",
        "prohibited_transitions",
        "bbox",
    ]
    streets = overture.read(write(tmp_path / "segments.parquet", town(), drop=gone))
    assert [tags.get("highway") for tags in streets.way_tags] == [
        "residential", None, "secondary", "primary", "primary", "residential",
    ]  # fmt: skip


def test_geopandas_writes_the_columns_back_as_they_were(tmp_path: Path) -> None:
    path = write(tmp_path / "segments.parquet", town())
    again = tmp_path / "again.parquet"
    gpd.read_parquet(path).to_parquet(again)
    assert overture.read(again).way_tags == overture.read(path).way_tags


def test_segment_in_more_pieces_than_numbers_have_room_for(tmp_path: Path) -> None:
    n = 10_050
    line = ", ".join(f"{x} 0" for x in range(n))
    connectors = {f"{x:05d}": x / (n - 1) for x in range(n)}
    streets = overture.read(write(tmp_path / "segments.parquet", [segment("a", line, connectors)]))
    assert streets.way_id[:2].tolist() == [100_000, 100_001]
    assert np.unique(streets.way_id).size == n - 1


# --- what is left out -----------------------------------------------------------------------------


def test_rows_without_a_line_are_left_out_and_told(tmp_path: Path) -> None:
    rows = [
        *town()[:2],
        segment("null", None, {"c1": 0.0}),
        segment("point", shapely.Point(0, 0), {"c1": 0.0}),
        segment("short", "5 5, 5 5", {"c1": 0.0}),
    ]
    streets = overture.read(write(tmp_path / "segments.parquet", rows))
    assert [(issue.code, issue.sample) for issue in streets.issues.found] == [
        ("CG-OVER-015", ("null", "point", "short"))
    ]
    assert set((streets.way_id // 10_000).tolist()) == {1, 2}


def test_rules_at_times_are_counted(tmp_path: Path) -> None:
    at_times = {"access_type": "denied", "when": {"during": "Mo-Fr 07:00-09:00"}}
    rows = [segment("a", "0 0, 9 0", {"p": 0, "q": 1}, access_restrictions=[at_times, at_times])]
    streets = overture.read(write(tmp_path / "segments.parquet", rows))
    (issue,) = streets.issues.found
    assert (issue.code, issue.count, issue.sample) == ("CG-OVER-012", 2, ("a",))
    assert streets.way_tags == [{"highway": "residential"}]


def test_connectors_off_their_segment_are_told(tmp_path: Path) -> None:
    rows = [segment("a", "0 0, 100 0", {"p": 0, "q": 0.25, "r": 1})]
    streets = overture.read(write(tmp_path / "segments.parquet", rows))
    (issue,) = streets.issues.found
    assert (issue.code, issue.count) == ("CG-OVER-014", 1)
    assert "1 of 3" in issue.message
    assert "25.0 m" in issue.message


def test_segment_without_connectors_meets_nobody(tmp_path: Path) -> None:
    rows = [segment("a", "0 0, 100 0", None), segment("b", "100 0, 200 0", {"p": 0.0})]
    streets = overture.read(write(tmp_path / "segments.parquet", rows))
    assert streets.node_id.size == 4


# --- files that are something else ----------------------------------------------------------------


def test_file_that_is_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "segment.parquet").code == "CG-FILE-001"


def test_layer_of_another_format(tmp_path: Path) -> None:
    path = tmp_path / "segments.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    assert refusal(path).code == "CG-OVER-001"


def test_web_page_instead_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "segments.parquet"
    path.write_text("<!DOCTYPE html><html>quota</html>")
    assert refusal(path).code == "CG-FILE-002"


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_file_cut_short(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / "segments.parquet", town())
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    assert refusal(path).code == "CG-FILE-007"


def test_connectors_instead_of_segments(tmp_path: Path) -> None:
    path = write(tmp_path / "connector.parquet", town(), drop=["connectors", "class", "subtype"])
    problem = refusal(path)
    assert problem.code == "CG-OVER-001"
    assert problem.data["missing"] == "subtype, class, connectors"


def test_nested_column_turned_into_text(tmp_path: Path) -> None:
    flat = table(town())
    place = flat.schema.get_field_index("access_restrictions")
    flat = flat.set_column(place, "access_restrictions", pa.array(["[]"] * len(flat)))
    pq.write_table(flat, tmp_path / "segments.parquet")
    problem = refusal(tmp_path / "segments.parquet")
    assert (problem.code, problem.data["column"], problem.data["found"]) == (
        "CG-OVER-002", "access_restrictions", "string",
    )  # fmt: skip


def test_connectors_of_a_schema_before_1(tmp_path: Path) -> None:
    old = table(town())
    place = old.schema.get_field_index("connectors")
    old = old.set_column(place, "connectors", pa.array([["c1", "c2"]] * len(old)))
    pq.write_table(old, tmp_path / "segments.parquet")
    assert refusal(tmp_path / "segments.parquet").code == "CG-OVER-002"


def test_geometry_that_is_text(tmp_path: Path) -> None:
    odd = table(town())
    place = odd.schema.get_field_index("geometry")
    odd = odd.set_column(place, "geometry", pa.array(["LINESTRING (0 0, 1 1)"] * len(odd)))
    pq.write_table(odd, tmp_path / "segments.parquet")
    assert refusal(tmp_path / "segments.parquet").data["column"] == "geometry"


def test_geometry_that_is_no_wkb(tmp_path: Path) -> None:
    rows = town()
    rows[0]["geometry"] = b"no geometry"
    assert refusal(write(tmp_path / "segments.parquet", rows)).code == "CG-FILE-007"


@pytest.mark.parametrize(
    "rows",
    [
        [segment("r", "0 0, 9 0", {"p": 0}, subtype="rail")],
        [segment("r", None, {"p": 0})],
        [],
    ],
)
def test_file_without_a_road(tmp_path: Path, rows: list[Any]) -> None:
    assert refusal(write(tmp_path / "segments.parquet", rows)).code == "CG-OVER-003"


def test_region_without_a_street(tmp_path: Path) -> None:
    path = write(tmp_path / "segments.parquet", town())
    with pytest.raises(CitygeoError) as caught:
        overture.read(path, region=region(bbox=(50, 50, 51, 51)))
    assert caught.value.code == "CG-NET-060"


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "segments.parquet", town())
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    problem = refusal(path)
    assert problem.code == "CG-DEP-001"
    assert "citygeo[parquet]" in str(problem)
