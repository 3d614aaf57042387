from __future__ import annotations

import math
import tracemalloc

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError

START = h3.latlng_to_cell(64.14, -21.9, 9)
PENTAGON = h3.get_pentagons(9)[0]
SQUARE = gpd.GeoSeries([shapely.box(-21.95, 64.13, -21.85, 64.16)], crs=4326)
VALUES = st.one_of(st.none(), st.floats(-100, 100))
WEIGHTS = st.one_of(st.just(0.0), st.floats(0.01, 10))


@given(st.sampled_from([START, PENTAGON]), st.integers(1, 3), st.data())
def test_means_over_rings_by_plain_python(start: int, k: int, data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(h3.grid_disk(start, 4).tolist()), min_size=1, unique=True))
    values = data.draw(st.lists(VALUES, min_size=len(some), max_size=len(some)))
    weights = data.draw(st.one_of(st.none(), st.lists(WEIGHTS, min_size=len(some), max_size=len(some))))
    table = pd.DataFrame({"x": values, "w": weights}, index=hexgrid.to_strings(np.array(some, np.uint64)))
    table["x"] = table["x"].astype(float)
    by_name = hexgrid.smooth(table, "x", k=k, weight=None if weights is None else "w")
    assert by_name.index.equals(table.index.rename("h3_cell"))
    if weights is not None:
        assert hexgrid.smooth(table, ["x"], k=k, weight=weights)["x"].equals(by_name["x"])
    for row, cell in enumerate(some):
        disk = set(h3.grid_disk(cell, k).tolist())
        near = [at for at, other in enumerate(some) if other in disk and values[at] is not None]
        weight = {at: 1.0 if weights is None else weights[at] for at in near}
        below = math.fsum(weight.values())
        is_known = values[row] is not None and below > 0
        expected = math.fsum(weight[at] * values[at] for at in near) / below if is_known else math.nan
        assert by_name["x"].iloc[row] == pytest.approx(expected, nan_ok=True, rel=1e-9, abs=1e-9)


def test_a_coast_does_not_pull_to_0_and_other_columns_stay() -> None:
    cells = hexgrid.cells_in(SQUARE, 9)
    table = pd.DataFrame({"x": 5.0, "name": "区"}, index=hexgrid.to_strings(cells))
    smoothed = hexgrid.smooth(table, "x", k=2, weight=hexgrid.area_shares(cells, SQUARE))
    assert smoothed["x"].to_numpy() == pytest.approx(5.0)
    assert (smoothed["name"] == "区").all()
    assert table["x"].eq(5.0).all()


def test_infinite_numbers_that_weigh_nothing_do_not_count_and_others_do() -> None:
    texts = hexgrid.to_strings(h3.grid_disk(START, 1))
    table = pd.DataFrame({"x": [np.inf, *range(1, 7)], "w": [0.0, *[1.0] * 6]}, index=texts)
    weighed = hexgrid.smooth(table, "x", k=2, weight="w")["x"]
    assert weighed.to_numpy() == pytest.approx(np.full(7, 3.5))
    assert (hexgrid.smooth(table, "x", k=2)["x"] == np.inf).all()


def test_means_over_many_rings_take_less_memory_than_all_pairs() -> None:
    cells, k = h3.grid_disk(START, 50), 20
    table = pd.DataFrame({"x": 2.0, "y": np.arange(cells.size) % 7}, index=hexgrid.to_strings(cells))
    tracemalloc.start()
    try:
        smoothed = hexgrid.smooth(table, ["x", "y"], k=k)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * cells.size * 3 * k * (k + 1)  # two numbers of 8 bytes a pair
    assert smoothed["x"].to_numpy() == pytest.approx(2.0)
    row_of = {cell: row for row, cell in enumerate(cells.tolist())}
    for row in (0, 3000, cells.size - 1):
        near = [row_of[cell] for cell in h3.grid_disk(cells[row], k).tolist() if cell in row_of]
        assert smoothed["y"].iloc[row] == pytest.approx(np.mean([at % 7 for at in near]))


def test_what_cannot_be_smoothed_is_refused() -> None:
    texts = hexgrid.to_strings(h3.grid_disk(START, 1))
    table = pd.DataFrame(
        {"x": 1.0, "w": [-1.0, *[1.0] * 6], "gap": [np.nan, *[1.0] * 6], "name": "a"}, index=texts
    )
    cases = [
        ("CG-IN-005", table, {"columns": "y"}),
        ("CG-IN-004", table, {"columns": "name"}),
        ("CG-IN-003", table, {"columns": "x", "weight": "w"}),
        ("CG-IN-003", table, {"columns": "x", "weight": "gap"}),
        ("CG-IN-004", table, {"columns": "x", "weight": [1.0]}),
        ("CG-UNIT-002", table, {"columns": "x", "k": 0}),
        ("CG-IN-006", pd.concat([table, table]), {"columns": "x"}),
        (
            "CG-IN-004",
            table.rename(index={texts[0]: h3.int_to_str(h3.cell_to_parent(START, 8))}),
            {"columns": "x"},
        ),
        ("CG-IN-001", table[:0].rename_axis("h3_cell").reset_index(), {"columns": "x"}),
    ]
    for code, given_table, options in cases:
        with pytest.raises(CitygeoError) as caught:
            hexgrid.smooth(given_table, **options)
        assert caught.value.code == code


def by_local_projection(cells: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    """Shares measured in an equal-area projection of the place, along edges of a few metres."""
    outlines = hexgrid.cell_polygons(cells)
    both = gpd.GeoSeries([*outlines, *shapely.intersection(outlines, area)], crs=4326).segmentize(0.0001)
    whole, part = (
        both.to_crs("+proj=laea +lat_0=64.14 +lon_0=-21.9 +ellps=WGS84").area.to_numpy().reshape(2, -1)
    )
    return part / whole


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.2, 1), st.floats(0, 0.5)), min_size=3, max_size=9))
def test_shares_of_area_by_a_projection_of_the_place(star: list[tuple[float, float]]) -> None:
    angles = 2 * np.pi * (np.arange(len(star)) + [off for _, off in star]) / len(star)
    reach = 0.01 * np.array([out for out, _ in star])
    area = shapely.Polygon(
        np.column_stack([-21.9 + 2 * reach * np.cos(angles), 64.14 + reach * np.sin(angles)])
    )
    cells = h3.grid_disk(START, 4)
    found = hexgrid.area_shares(cells, gpd.GeoSeries([area], crs=4326))
    assert found == pytest.approx(by_local_projection(cells, area), abs=1e-7)


def test_shares_and_areas_of_cells_add_up_to_the_area() -> None:
    cells = hexgrid.cells_in(SQUARE, 9)
    shares = hexgrid.area_shares(cells, SQUARE)
    assert (shares * hexgrid.cell_areas_m2(cells)).sum() == pytest.approx(
        SQUARE.to_crs(6933).area.sum(), rel=1e-6
    )
    assert np.all((shares > 0) & (shares <= 1))
    assert (shares == 1).sum() == np.isin(cells, hexgrid.cells_in(SQUARE, 9, contain="full")).sum()
    west, east = shapely.box(-21.95, 64.13, -21.91, 64.16), shapely.box(-21.91, 64.13, -21.85, 64.16)
    parts = [hexgrid.area_shares(cells, gpd.GeoSeries([part], crs=4326)) for part in (west, east)]
    assert parts[0] + parts[1] == pytest.approx(shares, abs=1e-7)


def test_shares_count_land_once_and_none_where_there_is_none() -> None:
    cells = h3.grid_disk(START, 10)
    shares = hexgrid.area_shares(cells, SQUARE)
    assert (shares == 0).any()
    assert np.array_equal(hexgrid.area_shares(cells, pd.concat([SQUARE, SQUARE])), shares)
    assert hexgrid.area_shares(cells, SQUARE.to_crs(3857)) == pytest.approx(shares, abs=1e-7)
    assert not hexgrid.area_shares(cells, gpd.GeoSeries([None, shapely.Polygon()], crs=4326)).any()
    assert hexgrid.area_shares(cells[:0], SQUARE).shape == (0,)


def test_land_written_on_both_sides_of_the_antimeridian_counts_once() -> None:
    around = gpd.GeoSeries([shapely.box(179.9, -17.1, 180.1, -16.9)], crs=4326)
    east = gpd.GeoSeries([shapely.box(-180, -17.1, -179.95, -16.9)], crs=4326)
    cells = hexgrid.cells_in(around, 7)
    once = hexgrid.area_shares(cells, around)
    assert hexgrid.area_shares(cells, pd.concat([around, east])) == pytest.approx(once, abs=1e-7)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 0.03), st.floats(0, 0.02), st.floats(0.0002, 0.01)), min_size=1, max_size=40
    )
)
def test_shares_of_many_areas_that_overlap_are_those_of_their_union(
    squares: list[tuple[float, float, float]],
) -> None:
    boxes = [
        shapely.box(x - 21.92, y + 64.13, x + size - 21.92, y + size / 2 + 64.13) for x, y, size in squares
    ]
    cells = h3.grid_disk(START, 8)
    found = hexgrid.area_shares(cells, gpd.GeoSeries(boxes, crs=4326))
    assert found == pytest.approx(by_local_projection(cells, shapely.union_all(boxes)), abs=1e-7)


def test_shares_on_the_antimeridian_and_in_a_pentagon() -> None:
    around = shapely.box(179.9, -17.1, 180.1, -16.9)
    halves = [shapely.box(179.9, -17.1, 180, -16.9), shapely.box(-180, -17.1, -179.9, -16.9)]
    cells = hexgrid.cells_in(gpd.GeoSeries([around], crs=4326), 7)
    beyond = hexgrid.area_shares(cells, gpd.GeoSeries([around], crs=4326))
    assert (beyond == 1).any()
    assert hexgrid.area_shares(cells, gpd.GeoSeries(halves, crs=4326)) == pytest.approx(beyond, abs=1e-7)
    lat, lon = h3.cell_to_latlng(PENTAGON)
    half = gpd.GeoSeries([shapely.box(lon - 1, lat - 1, lon, lat + 1)], crs=4326)
    assert 0.4 < hexgrid.area_shares(np.array([PENTAGON], np.uint64), half)[0] < 0.6
