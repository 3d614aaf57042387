from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo.demand import from_micro, population, spread_population, to_micro, zone_of
from citygeo.errors import CitygeoError, CitygeoWarning
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

UTM = 32627


def zones_of(people: list[object], width: float = 100.0) -> gpd.GeoDataFrame:
    boxes = [shapely.box(width * i, 0, width * (i + 1), 100) for i in range(len(people))]
    labels = [f"z{i}" for i in range(len(people))]
    return gpd.GeoDataFrame({"population": people}, geometry=shift(boxes), crs=UTM, index=labels)


def houses(places: list[tuple[float, float]], **columns: Sequence[object]) -> gpd.GeoDataFrame:
    """Squares of the given place along x and area."""
    boxes = [shapely.box(x, 40, x + area**0.5, 40 + area**0.5) for x, area in places]
    return gpd.GeoDataFrame({"building": ["house"] * len(places), **columns}, geometry=shift(boxes), crs=UTM)


def shift(boxes: list[shapely.Polygon]) -> list[shapely.Geometry]:
    return [shapely.transform(box, lambda xy: xy + np.array([500_000, 7_100_000])) for box in boxes]


def test_people_go_by_footprint_times_levels() -> None:
    buildings = houses([(1, 100), (20, 100), (50, 200)], **{"building:levels": ["1", "3", "1"]})
    spread = spread_population(zones_of([12]), buildings)
    assert spread["population"].tolist() == [2, 6, 4]
    assert spread["population"].dtype == np.int64
    assert list(spread.columns) == ["zone", "population", "footprint_m2", "levels", "geometry"]
    assert spread["zone"].tolist() == ["z0"] * 3
    assert spread.attrs["estimate"] is True


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(0, 380), st.floats(1, 400)), max_size=12),
)
def test_each_zone_keeps_its_people(people: list[int], places: list[tuple[float, float]]) -> None:
    zones = zones_of(list(people))
    log = IssueLog()
    spread = spread_population(zones, houses(places), issues=log)
    got = spread.groupby("zone")["population"].sum().reindex(zones.index, fill_value=0)
    assert got.tolist() == people
    assert (spread["population"] >= 0).all()


@given(
    st.lists(st.floats(10, 400), min_size=2, max_size=8, unique_by=round), st.integers(0, 1000), st.randoms()
)
def test_order_of_buildings_changes_only_ties(areas: list[float], people: int, random: Random) -> None:
    buildings = houses([(2 + 11 * i, area) for i, area in enumerate(areas)])
    order = list(range(len(areas)))
    random.shuffle(order)
    before = spread_population(zones_of([people]), buildings)["population"]
    after = spread_population(zones_of([people]), buildings.iloc[order])["population"]
    assert after.index.tolist() == order
    # equal remainders are possible even for unequal areas; then one person may move
    assert (before - after.sort_index()).abs().max() <= 1
    assert before.sum() == after.sum() == people


def test_the_order_of_zones_does_not_matter() -> None:
    zones, buildings = zones_of([7, 11, 13]), houses([(1, 90), (30, 80), (120, 70), (150, 50), (250, 60)])
    results = [
        spread_population(zones.iloc[list(order)], buildings)["population"].tolist()
        for order in permutations(range(3))
    ]
    assert all(result == results[0] for result in results)


def test_inputs_are_left_alone() -> None:
    zones, buildings = zones_of([7]), houses([(1, 90)])
    copies = zones.copy(), buildings.copy()
    spread_population(zones, buildings)
    pd.testing.assert_frame_equal(zones, copies[0])
    pd.testing.assert_frame_equal(buildings, copies[1])


def test_a_zone_without_home_keeps_its_people_at_a_point_inside() -> None:
    log = IssueLog()
    spread = spread_population(zones_of([5, 8]), houses([(1, 90)]), issues=log)
    assert spread["population"].tolist() == [5, 8]
    assert spread.index.tolist() == [0, "zone z1"]
    assert spread.loc["zone z1", "geometry"].within(zones_of([5, 8]).geometry["z1"])
    assert [(issue.code, issue.count) for issue in log.found] == [("CG-DEM-001", 1)]
    assert "8 people" in log.found[0].message


def test_a_zone_without_polygon_survives_as_a_row() -> None:
    zones = zones_of([5, 8, 0])
    zones.loc[["z1", "z2"], "geometry"] = None
    log = IssueLog()
    spread = spread_population(zones, houses([(1, 90)]), issues=log)
    assert spread["population"].tolist() == [5, 8]
    assert spread.loc["zone z1", "geometry"] is None
    assert [(issue.code, issue.sample) for issue in log.found] == [("CG-DEM-002", ("z1",))]
    assert spread.crs.to_epsg() == UTM
    assert spread.attrs["estimate"] is True


def test_findings_become_one_warning_if_nobody_collects_them() -> None:
    with pytest.warns(CitygeoWarning, match="CG-DEM-001"):
        spread_population(zones_of([5]), houses([]))


def test_homes_in_no_zone_get_nobody_and_are_counted() -> None:
    log = IssueLog()
    spread = spread_population(zones_of([5]), houses([(1, 90), (150, 90)]), issues=log)
    assert spread.index.tolist() == [0]
    assert [(issue.code, issue.count, issue.sample) for issue in log.found] == [("CG-DEM-003", 1, ("1",))]


def test_buildings_come_out_in_their_own_crs() -> None:
    zones, buildings = zones_of([5, 8]), houses([(1, 90), (150, 90)])
    spread = spread_population(zones, buildings.to_crs(4326))
    assert spread.crs.to_epsg() == 4326
    assert spread["population"].tolist() == [5, 8]


@pytest.mark.parametrize(
    ("people", "rows"), [([1, np.nan], "z1"), ([-1, 2], "z0"), ([1.5, 2], "z0"), ([1, np.inf], "z1")]
)
def test_people_that_are_not_whole_are_refused(people: list[float], rows: str) -> None:
    with pytest.raises(CitygeoError) as caught:
        spread_population(zones_of(list(people)), houses([(1, 90)]))
    assert (caught.value.code, caught.value.data["sample"]) == ("CG-IN-003", rows)


def test_unusable_layers_are_refused() -> None:
    zones, buildings = zones_of([5, 6]), houses([(1, 90), (2, 80)])
    cases = [
        ("CG-IN-001", zones.iloc[:0], buildings),
        ("CG-IN-005", zones.drop(columns="population"), buildings),
        ("CG-IN-006", zones.set_index(pd.Index(["a", "a"])), buildings),
        ("CG-IN-006", zones, buildings.set_index(pd.Index([1, 1]))),
        ("CG-CRS-001", zones.set_crs(None, allow_override=True), buildings),
        ("CG-CRS-001", zones, buildings.set_crs(None, allow_override=True)),
    ]
    for code, first, second in cases:
        with pytest.raises(CitygeoError) as caught:
            spread_population(first, second)
        assert caught.value.code == code


def test_overlapping_zones_give_a_home_to_the_first() -> None:
    big, small = shapely.box(0, 0, 9, 9), shapely.box(0, 0, 1, 1)
    points = gpd.GeoDataFrame(geometry=[*gpd.points_from_xy([0.5, 5, 20], [0.5, 5, 20]), None], crs=4326)
    for areas, positions in (([small, big], [0, 1, -1, -1]), ([big, small], [0, 0, -1, -1])):
        assert zone_of(points, gpd.GeoDataFrame(geometry=areas, crs=4326)).tolist() == positions


@given(
    st.lists(
        st.tuples(st.floats(-180, 180), st.floats(-89, 89), st.integers(0, 10**6)), min_size=1, max_size=30
    ),
    st.integers(0, 9),
)
def test_cells_keep_whole_people(rows: list[tuple[float, float, int]], resolution: int) -> None:
    lon, lat, people = np.array(rows, object).reshape(-1, 3).T
    layer = gpd.GeoDataFrame(
        {"population": people.astype(np.int64)},
        geometry=gpd.points_from_xy(lon.astype(float), lat.astype(float)), crs=4326,
    )  # fmt: skip
    cells = population(layer, resolution=resolution)
    assert int(cells["population"].sum()) == sum(people)
    assert cells["population"].dtype == np.int64
    assert (cells["population"] > 0).all()
    assert cells.index.is_unique
    assert cells.index.is_monotonic_increasing
    assert cells.index.name == "h3_cell"


@given(st.lists(st.tuples(st.floats(-22, -21.5), st.floats(0, 500)), min_size=1, max_size=30), st.randoms())
def test_cells_keep_parts_of_people_in_any_order(rows: list[tuple[float, float]], random: Random) -> None:
    lon, people = np.array(rows).T
    layer = gpd.GeoDataFrame(
        {"n": people}, geometry=gpd.points_from_xy(lon, np.full(lon.size, 64.1)), crs=4326
    )
    order = list(range(len(rows)))
    random.shuffle(order)
    cells, again = population(layer, column="n"), population(layer.iloc[order], column="n")
    pd.testing.assert_frame_equal(cells, again)
    assert to_micro(cells["population"]).sum() == to_micro(people).sum()


def test_cells_hold_their_points_and_come_in_degrees() -> None:
    spread = spread_population(zones_of([12]), houses([(1, 90), (60, 90)]))
    cells = population(spread, resolution=9)
    points = spread.to_crs(4326).representative_point()
    assert cells.crs.to_epsg() == 4326
    assert all(cells.contains(point).any() for point in points)
    assert cells.attrs["estimate"] is True


def test_people_without_place_are_in_no_cell_and_are_named() -> None:
    layer = gpd.GeoDataFrame(
        {"population": [3, 4, 0]}, geometry=[shapely.Point(0, 0), None, None], crs=4326, index=["a", "b", "c"]
    )
    log = IssueLog()
    assert population(layer, issues=log)["population"].sum() == 3
    assert [(issue.code, issue.count, issue.sample) for issue in log.found] == [("CG-DEM-005", 1, ("b",))]
    with pytest.warns(CitygeoWarning, match="CG-DEM-005"):
        population(layer)


def test_unusable_people_are_refused() -> None:
    layer = gpd.GeoDataFrame({"population": [np.nan]}, geometry=[shapely.Point(0, 0)], crs=4326)
    cases: list[tuple[str, gpd.GeoDataFrame, dict[str, Any]]] = [
        ("CG-IN-003", layer, {}),
        ("CG-IN-005", layer, {"column": "people"}),
        ("CG-CRS-001", layer.assign(population=1).set_crs(None, allow_override=True), {}),
        ("CG-UNIT-002", layer.assign(population=1), {"resolution": 16}),
    ]
    for code, rows, options in cases:
        with pytest.raises(CitygeoError) as caught:
            population(rows, **options)
        assert caught.value.code == code


def test_nobody_is_no_cell() -> None:
    layer = gpd.GeoDataFrame({"population": [0]}, geometry=[shapely.Point(0, 0)], crs=4326)
    assert len(population(layer)) == 0
    assert from_micro([]).tolist() == []
