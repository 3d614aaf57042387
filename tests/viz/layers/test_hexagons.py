"""Tables coloured by a column: classes, legends, no data, many rows, other shapes than hexagons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError
from citygeo.issues import IssueLog
from citygeo.viz import explore
from citygeo.viz.classes import NO_DATA, Classes, quantile_breaks, ramp
from citygeo.viz.coloured import as_layer, coloured
from citygeo.viz.columns import column_label
from citygeo.viz.layers import hexagons

if TYPE_CHECKING:
    from citygeo.viz.layers.layer import Layer
    from citygeo.viz.panel import Panel

CELLS = sorted(h3.grid_disk(h3.latlng_to_cell(24.46, 118.08, 9), 6))
NAN, INF = np.nan, np.inf


def table(**columns: Any) -> gpd.GeoDataFrame:
    """The first hexagons with these columns."""
    n = len(next(iter(columns.values())))
    return hexgrid.to_frame(pd.DataFrame(columns, index=CELLS[:n]))


def drawn(rows: gpd.GeoDataFrame, column: Any) -> tuple[Layer, Panel, IssueLog]:
    log = IssueLog()
    layers, panel = coloured(rows, column, 0, log)
    assert len(layers) == 1
    return layers[0], panel, log


def legend(layer: Layer) -> list[tuple[str, str, str]]:
    """Colour, text and note of each line."""
    return [(layer.styles[entry.style]["fillColor"], str(entry.label), entry.note) for entry in layer.legend]


def colours(layer: Layer) -> list[str]:
    return [layer.styles[place]["fillColor"] for place in layer.style_of]


def test_numbers_are_in_classes_of_equal_size_with_their_count_and_people() -> None:
    layer, panel, _ = drawn(table(population=np.arange(1, 101)), "population")
    heat = ramp("heat", 5)
    assert legend(layer) == [
        (heat[0], "1 – 19", "19 ⬡ · 190"),
        (heat[1], "20 – 39", "20 ⬡ · 590"),
        (heat[2], "40 – 59", "20 ⬡ · 990"),
        (heat[3], "60 – 79", "20 ⬡ · 1,390"),
        (heat[4], "80 – 100", "21 ⬡ · 1,890"),
    ]
    assert colours(layer) == [heat[min(value // 20, 4)] for value in range(1, 101)]
    assert panel.headline == "People: 5,050 in all 人口"
    assert str(layer.name) == "People 人口"
    assert "about 0.093 km²" in str(layer.unit)
    assert "六边形" in str(layer.unit)


def test_missing_infinite_and_zero_are_apart() -> None:
    values = [0.0] * 40 + [NAN] * 3 + [INF] * 2 + list(np.arange(1.0, 21))
    layer, panel, _ = drawn(table(jobs=values), "jobs")
    lines = legend(layer)
    assert lines[0] == (hexagons.NOTHING, "0", "40 ⬡")
    assert lines[-2:] == [
        (hexagons.ENDLESS, "infinite 无穷大", "2 ⬡"),
        (NO_DATA, "no data 无数据", "3 ⬡"),
    ]
    assert sum(int(note.split()[0]) for _, _, note in lines) == 65
    assert colours(layer)[40:45] == [NO_DATA] * 3 + [hexagons.ENDLESS] * 2
    assert [str(row[0]) for row in panel.measures][-1] == "No data 无数据"
    assert panel.figure == "0"


def test_shares_are_in_fifths_and_said_in_per_cent() -> None:
    layer, panel, _ = drawn(table(population_share=[0.0, 0.2, 0.5, 0.5, 1.0, NAN]), "population_share")
    assert [line[1] for line in legend(layer)] == [
        "0 – 20 %",
        "20 – 40 %",
        "40 – 60 %",
        "60 – 80 %",
        "80 – 100 %",
        "no data 无数据",
    ]
    assert [line[2] for line in legend(layer)] == ["1 ⬡", "1 ⬡", "2 ⬡", "0 ⬡", "1 ⬡", "1 ⬡"]
    assert panel.headline == "People: share: 50.0 % is the median 人口比例"
    # what is called a share and is none is a number like others
    assert "%" not in str(drawn(table(share=[0.5, 7.0, 3.0]), "share")[0].legend)


def test_few_different_numbers_are_a_class_each() -> None:
    layer, _, _ = drawn(table(n_services=[0, 0, 1, 3, 3, 3]), "n_services")
    assert [line[1:] for line in legend(layer)] == [("0", "2 ⬡"), ("1", "1 ⬡"), ("3", "3 ⬡")]


@given(
    st.lists(st.one_of(st.integers(-20, 20), st.integers(-(10**5), 10**5)), min_size=1, max_size=80),
    st.integers(3, 5),
)
def test_each_whole_number_is_in_the_name_of_its_class_alone(values: list[int], size: int) -> None:
    numbers = np.array(values, float)
    breaks = quantile_breaks(numbers, size)
    names = [
        [float(end.replace(",", "")) for end in str(name).split(" – ")]
        for name in hexagons.ranges(breaks, numbers)
    ]
    for value, place in zip(values, Classes(breaks, ()).of(numbers).tolist(), strict=True):
        assert [at for at, name in enumerate(names) if name[0] <= value <= name[-1]] == [place]


def test_schools_held_as_floats_are_counted_in_whole_numbers() -> None:
    schools = np.array([1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 5.0, 6.0, 17.0])
    names = [str(name) for name in hexagons.ranges((1.0, 3.0, 4.0, 6.0, 17.0), schools)]
    assert names == ["1 – 2", "3", "4 – 5", "6 – 17"]


def test_words_have_a_colour_each_and_rare_ones_share_grey() -> None:
    words = ["covered"] * 9 + [f"kind {k % 7}" for k in range(14)] + [None]
    layer, panel, _ = drawn(table(status=words), "status")
    lines = legend(layer)
    assert lines[0][1:] == ("covered 已覆盖", "9 ⬡")
    assert len(lines) == hexagons.MANY + 2
    assert len({colour for colour, _, _ in lines}) == len(lines)
    assert lines[-2][1:] == ("other 其他", "4 ⬡")
    assert lines[-1][1:] == ("no data 无数据", "1 ⬡")
    assert panel.figure == ""
    yes_no = drawn(table(is_home=[True, False, True]), "is_home")[0]
    assert [line[1:] for line in legend(yes_no)] == [("yes 是", "2 ⬡"), ("no 否", "1 ⬡")]


@pytest.mark.parametrize("values", [[NAN, NAN], [INF, INF], [7.0, 7.0], [0.0, 0.0], [-3.0, NAN]])
def test_columns_with_little_in_them_are_drawn_all_the_same(values: list[float]) -> None:
    layer, _, _ = drawn(table(jobs=values), "jobs")
    assert sum(int(entry.note.split()[0]) for entry in layer.legend) == 2


@given(st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=1, max_size=60), st.booleans())
def test_each_row_has_the_colour_of_the_line_that_counts_it(
    values: list[float | None],
    is_people: bool,  # noqa: FBT001
) -> None:
    numbers = np.array([NAN if value is None else value for value in values], float)
    found = hexagons.by_number("population" if is_people else "jobs", numbers)
    assert found.class_of.min() >= 0
    assert found.class_of.max() < len(found.labels)
    assert len(found.colours) == len(found.labels)
    assert len(set(found.colours)) == len(found.colours)
    for value, place in zip(numbers.tolist(), found.class_of.tolist(), strict=True):
        assert (str(found.labels[place]) == "no data 无数据") == np.isnan(value)
        assert (str(found.labels[place]) == "infinite 无穷大") == np.isinf(value)
    finite = np.isfinite(numbers)
    order = np.argsort(numbers[finite], kind="stable")
    assert np.all(np.diff(found.class_of[finite][order]) >= 0)


def test_the_column_comes_first_in_tooltips_and_names_may_be_given() -> None:
    rows = table(a=[1], b=[2], c=[3], d=[4], e=[5], f=[6], wanted=[7.5])
    rows.attrs.update(labels={"wanted": ("Wanted", "所求"), "a": "First"}, name="Blocks", name_zh="街坊")
    layer, panel, _ = drawn(rows, "wanted")
    assert layer.tips is not None
    assert [str(field) for field in layer.tips.fields[:2]] == ["Wanted 所求", "First"]
    assert layer.tips.rows == [[CELLS[0], "7.5", "1", "2", "3", "4", "5"]]
    assert str(layer.name) == "Blocks 街坊"
    assert panel.headline == "Blocks: Wanted: 7.5 is the median 街坊所求"


def test_many_hexagons_are_drawn_together_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table(population=np.arange(1, 101))
    each, _, _ = drawn(rows, "population")
    monkeypatch.setattr(hexagons, "MAX_WITH_TIPS", 99)
    layer, _, log = drawn(rows, "population")
    assert layer.tips is None
    assert layer.style_of.tolist() == [0, 1, 2, 3, 4]
    assert [len(shape.geoms) for shape in layer.shapes] == [19, 20, 20, 20, 21]
    assert legend(layer) == legend(each)
    assert log.table()[["code", "count"]].to_numpy().tolist() == [["CG-MAP-001", 100]]
    points = gpd.GeoDataFrame(
        {"v": range(100)}, geometry=gpd.points_from_xy(range(100), range(100)), crs=3857
    )
    layer, _, _ = drawn(points, "v")
    assert {shape.geom_type for shape in layer.shapes} == {"MultiPoint"}


def test_other_shapes_than_hexagons_are_coloured_too() -> None:
    shapes = [
        shapely.box(118, 24, 118.1, 24.1),
        shapely.LineString([(118, 24), (118.2, 24)]),
        shapely.Point(118, 24),
        None,
    ]
    rows = gpd.GeoDataFrame({"v": [1.0, 2.0, NAN, 4.0]}, geometry=shapes, crs=4326).to_crs(32650)
    layers, panel = coloured(rows, "v", 2, IssueLog())
    assert [layer.key for layer in layers] == ["plain-2-areas", "plain-2-lines", "plain-2-points"]
    area, line, point = layers
    assert [str(layer.name) for layer in layers] == ["v: areas (面)", "v: lines (线)", "v: points (点)"]
    assert area.styles[area.style_of[0]]["fillColor"] == line.styles[0]["color"]
    assert point.styles[point.style_of[0]]["fillColor"] == NO_DATA
    assert [(str(entry.label), entry.note) for entry in point.legend] == [("no data 无数据", "1")]
    assert panel.measures[0][:2] == (("Rows", "要素数"), "3")  # one has no place


def test_very_many_areas_have_no_lines_of_another_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hexagons, "MANY_AREAS", 1)
    boxes = [shapely.box(x, 24, x + 0.5, 24.5) for x in (118, 119)]
    layer, _, _ = drawn(gpd.GeoDataFrame({"v": [1, 2]}, geometry=boxes, crs=4326), "v")
    assert all(style["color"] == style["fillColor"] for style in layer.styles)
    hexes, _, _ = drawn(table(v=[1, 2]), "v")
    assert all(style["color"] != style["fillColor"] for style in hexes.styles)


def test_plain_tables_of_cells_are_drawn_as_hexagons() -> None:
    jobs = pd.Series([3, 70], index=CELLS[:2], name="jobs")
    assert as_layer(jobs).crs.to_epsg() == 4326
    m = explore(pd.DataFrame({"jobs": jobs}), jobs.to_frame(), column="jobs")
    assert [layer.key for layer in m.content.layers] == ["plain-0-areas", "plain-1-areas"]
    assert explore(jobs).content.panel is None  # no column, no classes


def test_the_map_begins_at_what_is_coloured() -> None:
    far = gpd.GeoDataFrame({"name": ["far"]}, geometry=[shapely.Point(10, 10)], crs=4326)
    rows = table(jobs=[1, 2, 3])
    west, south, east, north = rows.total_bounds
    assert explore(far, rows, column="jobs").content.bounds() == [[south, west], [north, east]]


def test_a_column_that_is_not_there_is_refused() -> None:
    for column, code in (
        ("beds", "CG-IN-005"),
        (("jobs", "beds"), "CG-IN-005"),
        (("jobs",) * 3, "CG-IN-004"),
    ):
        with pytest.raises(CitygeoError) as caught:
            explore(table(jobs=[1, 2]), column=column)
        assert caught.value.code == code


def test_columns_are_called_by_their_words() -> None:
    rows = table(jobs=[1])
    assert str(column_label(rows, "school_share")) == "School: share 学校比例"
    assert str(column_label(rows, "population")) == "People 人口"
    assert str(column_label(rows, "my_column")) == "my_column"
