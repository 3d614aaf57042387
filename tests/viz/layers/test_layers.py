"""Layer functions take tables and give shapes, classes, legends and tooltips."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo.errors import CRSError
from citygeo.issues import IssueLog
from citygeo.viz.classes import minute_classes
from citygeo.viz.layers import context, people, plain, reached
from citygeo.viz.layers.layer import placed
from tests.viz.fakes import LAT, LON, blind_spots, cells, edges, service_area, zones


def test_roads_draw_each_street_once_by_class_with_its_length() -> None:
    log = IssueLog()
    layer = context.roads(edges(), log)
    assert [str(entry.label) for entry in layer.legend] == [
        "Main roads 快速路与主干道",
        "Collector roads 次干道与支路",
        "Streets 街道",
        "Other roads and tracks 其他道路",
    ]
    # 2 of 6 kinds are main roads: 4 of 12 streets, each 0.05 degree long, drawn once though given twice
    main = layer.shapes[layer.legend[0].style]
    assert len(main.geoms) == 4
    assert layer.legend[0].note == "21 km"  # 2 x 0.05 deg of longitude (5.07 km) and 2 of latitude (5.54 km)
    assert layer.styles[-1]["weight"] > layer.styles[0]["weight"]
    assert log.table()[["code", "count"]].to_numpy().tolist() == [["CG-MAP-001", 12]]


def test_roads_with_list_valued_highway_and_without_any() -> None:
    rows = edges()
    rows["highway"] = pd.Series([["primary", "service"]] * len(rows), index=rows.index, dtype=object)
    assert [str(e.label.en) for e in context.roads(rows, IssueLog()).legend] == ["Main roads"]
    bare = context.roads(rows[["geometry"]], IssueLog())
    assert [e.label.en for e in bare.legend] == ["Other roads and tracks"]


def test_simplify_widens_its_tolerance_until_the_page_can_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    angle = np.linspace(0, 2 * np.pi, 5000)
    ring = shapely.LineString(np.column_stack((np.cos(angle), np.sin(angle))) * 0.05)
    monkeypatch.setattr(context, "MAX_VERTICES", 100)
    lines, tolerance_m = context.simplify(np.array([ring], object))
    assert tolerance_m > context.TOLERANCES_M[0]
    assert shapely.get_num_coordinates(lines[0]) <= 100
    # never farther off than said
    assert shapely.hausdorff_distance(ring, lines[0]) * context.METRES_PER_DEGREE <= tolerance_m * 1.01


def test_place_names_stand_where_people_live_largest_first() -> None:
    rows = zones()
    layer = context.place_names(rows, "municipality", cells())
    middle = cells().union_all().centroid
    assert layer.texts == ["Siming 思明区", "North"]  # the nameless one has no label
    assert layer.shapes[0].distance(middle) < 0.01
    without = context.place_names(rows, "municipality")
    assert rows.geometry.iloc[0].contains(without.shapes[0])


def test_boundaries_are_named_for_their_level() -> None:
    assert str(context.boundaries(zones(), "district").name) == "Boundaries: district 行政区边界"
    assert str(context.boundaries(zones(), "网格").name) == "Boundaries: 网格 边界"


@given(st.floats(0, 300), st.floats(0, 300), st.lists(st.floats(1, 299), max_size=4, unique=True).map(sorted))
def test_split_pieces_add_up_and_stay_in_their_class(start: float, end: float, breaks: list[float]) -> None:
    line = shapely.LineString([(0, 0), (3, 4), (6, 0)])
    pieces, middles = reached.split_at(np.array([line], object), np.array([[start, end]]), tuple(breaks))
    assert sum(piece.length for piece in pieces) == pytest.approx(line.length)
    bounds = [0.0, *breaks, 300.0]
    for piece, middle in zip(pieces, middles, strict=True):
        ends = [
            start + (end - start) * line.project(shapely.Point(piece.coords[k])) / line.length
            for k in (0, -1)
        ]
        place = np.searchsorted(bounds, middle, side="right") - 1
        low, high = bounds[max(place, 0)], bounds[min(place + 1, len(bounds) - 1)]
        assert all(low - 1e-6 <= value <= high + 1e-6 or start == end for value in ends)


def test_reached_roads_are_cut_where_the_minute_ends() -> None:
    area = service_area()
    layer = reached.reached_roads(area.edges, minute_classes(5))
    assert [entry.label.en for entry in layer.legend] == ["1 – 2 min", "2 – 3 min", "3 – 4 min", "4 – 5 min"]
    # the first part takes 60 to 300 s over 0.01 degree: a quarter per minute; the second 60 to 150 s
    by_class = {e.label.en: layer.shapes[e.style] for e in layer.legend}
    assert by_class["4 – 5 min"].length == pytest.approx(0.0025, rel=1e-3)
    assert by_class["1 – 2 min"].length == pytest.approx(0.0025 + 0.01 * 60 / 90, rel=1e-3)
    # the quickest is drawn last
    assert layer.styles[-1]["color"] == minute_classes(5).colours[1]


def test_fastest_drops_only_what_is_slower_at_both_ends() -> None:
    rows = pd.DataFrame(
        {
            "edge": [7, 7, 7, 8],
            "from_m": 0.0,
            "to_m": [10.0, 10.0, 10.0, 5.0],
            "time_from_s": [10.0, 20.0, 30.0, 1.0],
            "time_to_s": [40.0, 50.0, 15.0, 2.0],
        }
    )
    # row 1 is slower than row 0 at both ends; row 2 comes from the other side
    assert sorted(reached.fastest(rows).index) == [0, 2, 3]


def test_facilities_off_the_network_are_grey_and_say_why() -> None:
    area = service_area()
    layer = reached.facilities(area.facilities, area.snaps, area.polygons, mode="fire_engine")
    assert layer.style_of.tolist() == [0, 1]
    assert layer.styles[0]["symbol"] == "flame"
    assert layer.tips is not None
    assert layer.tips.rows == [
        ["Station 一", "on the network 已接入路网", "12 m", "1:00 min", "8.0 km", "4.5 km²"],
        ["#b", "too far from any road 离路网过远", "900 m", "1:00 min", "–", "–"],
    ]
    assert [shape.geom_type for shape in layer.shapes] == ["Point", "Point"]
    assert reached.facilities(area.facilities, area.snaps, area.polygons).styles[0]["symbol"] == "dot"


def test_service_area_draws_the_widest_band_first() -> None:
    area = service_area().dissolved
    both = pd.concat([area, area.assign(minutes=10.0, area_km2=12.0)], ignore_index=True)
    layer = reached.service_area(both, mode="fire_engine")
    assert [entry.label.en for entry in layer.legend] == [
        "Within 10 min of a station",
        "Within 5 min of a station",
    ]
    assert layer.legend[0].note == "12.0 km²"


def test_uncovered_people_add_up_over_the_legend() -> None:
    layer = people.uncovered_people(cells(), {"a": "Station 一"})
    assert len(layer.shapes) == 4  # the covered cell is not drawn
    n, total = zip(*(entry.note.split(" ⬡ · ") for entry in layer.legend), strict=True)
    assert sum(int(value) for value in n) == 4
    assert sum(int(value.replace(",", "")) for value in total) == 3333
    assert layer.tips is not None
    assert layer.tips.rows[-1][0] == "3,000 people not covered 人未覆盖"
    assert layer.tips.rows[-1][4:6] == ["–", "cannot be reached 不可达"]
    assert layer.tips.rows[0][4:6] == ["Station 一", "5:20 min"]


def test_nobody_uncovered_is_an_empty_layer() -> None:
    layer = people.uncovered_people(cells((0.0, 0.0)), {})
    assert len(layer.shapes) == 0
    assert layer.to_json()["counts"] == ""


def test_blind_spots_are_drawn_worst_last_and_ranked() -> None:
    layer = people.blind_spots(blind_spots(), {"a": "Station 一"})
    assert layer.kind == "outlines"
    assert layer.tips is not None
    assert [row[0] for row in layer.tips.rows] == ["Blind spot 盲区 2", "Blind spot 盲区 1"]
    assert layer.tips.rows[1] == [
        "Blind spot 盲区 1", "3,300", "Siming 思明区", "Station 一", "7:12 min", "too far 距离过远", "River 河",
        "2.2 min too long. 超时2.2分钟。", "0.30 km²",
    ]  # fmt: skip
    assert layer.tips.rows[0][3:6] == ["–", "cannot be reached 不可达", "no road nearby 附近无道路"]
    many = pd.concat([blind_spots().iloc[:1]] * 13, ignore_index=True)
    many.index = pd.Index(range(1, 14), name="rank")
    layer = people.blind_spots(many, {})
    assert layer.style_of.tolist() == [1, 1, 1] + [0] * 10  # the ten worst stand out
    assert people.blind_spot_ranks(many, {}).texts == [str(rank) for rank in range(1, 11)]


def test_zone_shares_keep_the_uninhabited_apart() -> None:
    layer = people.zone_shares(zones().iloc[1:], "neighbourhood")
    assert not layer.is_shown
    assert layer.style_of.tolist() == [0, 5]
    assert layer.legend[-1].label.en == "nobody lives there"
    assert layer.tips is not None
    assert layer.tips.rows[0] == ["North", "1.5 %", "50", "3,383", "10.0 %"]
    assert layer.tips.rows[1][:2] == ["–", "–"]


def test_plain_layer_takes_names_six_fields_and_one_layer_per_family() -> None:
    rows = service_area().facilities.assign(**{f"c{k}": [k, None] for k in range(8)})
    rows.attrs.update(name="Schools", name_zh="学校")
    layers = plain.plain(rows, 3, IssueLog())
    assert [(layer.kind, str(layer.name)) for layer in layers] == [
        ("areas", "Schools 学校"),
        ("points", "Schools 学校"),
    ]
    tips = layers[1].tips
    assert tips is not None
    assert [label.en for label in tips.fields] == [f"c{k}" for k in range(6)]
    assert tips.rows == [["Station 一", "0", "1", "2", "3", "4", "5"]]


def test_plain_layer_of_many_rows_has_no_tooltips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MAX_WITH_TIPS", 1)
    rows = service_area().facilities
    two = pd.concat([rows.iloc[:1]] * 2)
    assert plain.plain(two, 0, IssueLog())[0].tips is None


def test_layers_without_crs_are_refused_and_others_go_to_wgs84() -> None:
    with pytest.raises(CRSError, match="CG-CRS-001"):
        placed(cells().set_crs(None, allow_override=True), "cells")
    moved = placed(cells().to_crs(32650), "cells")
    assert moved.crs.to_epsg() == 4326
    assert moved.total_bounds == pytest.approx(cells().total_bounds, abs=1e-9)
    west, south, _, _ = people.uncovered_people(cells().to_crs(3857), {}).bounds()
    assert [west, south] == pytest.approx([LON + 0.04, LAT + 0.04], abs=0.01)
