"""People of zones where buildings or land use say that they live."""

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

import citygeo as cg
from citygeo.demand import to_micro
from citygeo.errors import CitygeoError
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from random import Random

EQUAL_AREA = 6933
WEST, SOUTH = -2_110_000, 6_590_000
pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")


def box(x: float, y: float, u: float, v: float) -> shapely.Polygon:
    return shapely.box(WEST + x, SOUTH + y, WEST + u, SOUTH + v)


def layer(shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=EQUAL_AREA)


def codes(log: IssueLog) -> dict[str, int]:
    return {issue.code: issue.count for issue in log.found}


def cell_of(x: float, y: float, resolution: int = 9) -> str:
    point = gpd.GeoSeries([shapely.Point(WEST + x, SOUTH + y)], crs=EQUAL_AREA).to_crs(4326)[0]
    return h3.latlng_to_cell(point.y, point.x, resolution)


ZONES = layer([box(0, 0, 4000, 2000), box(4000, 0, 8000, 2000)], population=[900, 100], old=[90, 10])


def test_people_go_to_homes_by_floor_space() -> None:
    # footprints are measured in a UTM zone, where two squares of one size differ by a millionth
    homes = layer(
        [box(500, 500, 510, 510), box(3000, 1500, 3010, 1510), box(2000, 900, 2100, 1000), box(5000, 50, 5010, 60)],
        building=["house", "apartments", "industrial", "house"], **{"building:levels": ["1", "8", None, "2"]},
    )  # fmt: skip
    log = IssueLog()
    cells = cg.population(ZONES, by=homes, carry=["old"], issues=log)
    expected = {cell_of(505, 505): 100, cell_of(3005, 1505): 800, cell_of(5005, 55): 100}
    assert cells["population"].to_dict() == pytest.approx(expected, abs=0.01)
    assert cells["old"].to_dict() == pytest.approx({cell: n / 10 for cell, n in expected.items()}, abs=0.01)
    assert cells.attrs["method"] == "people of areas spread over what `by` holds in them"
    assert cells.attrs["estimate"]
    assert "CG-DEM-013" not in codes(log)


def test_people_go_to_homes_by_a_column_and_to_points_alike() -> None:
    homes = layer(
        [box(500, 500, 510, 510), box(3000, 1500, 3010, 1510), box(2000, 900, 2100, 1000), box(5000, 50, 5010, 60)],
        building=["house", "house", "industrial", "house"], households=[1, 2, 50, 3],
    )  # fmt: skip
    expected = {cell_of(505, 505): 300, cell_of(3005, 1505): 600, cell_of(5005, 55): 100}
    by_column = cg.population(ZONES, by=homes, by_weight="households")
    assert by_column["population"].to_dict() == pytest.approx(expected, abs=1e-5)
    addresses = layer(homes.geometry.centroid.tolist(), households=[1, 2, 0, 3])
    by_points = cg.population(ZONES, by=addresses, by_weight="households")
    assert by_points["population"].to_dict() == pytest.approx(expected, abs=1e-5)
    alike = cg.population(ZONES, by=addresses.drop(2))
    expected = {cell_of(505, 505): 450, cell_of(3005, 1505): 450, cell_of(5005, 55): 100}
    assert alike["population"].to_dict() == pytest.approx(expected, abs=1e-5)


def test_people_go_to_land_by_area_and_weight() -> None:
    # the second piece of land lies half in each zone, the third in none
    land = layer(
        [box(100, 100, 1100, 600), box(3500, 1000, 4500, 1500), box(9000, 0, 9500, 500)],
        density=[1.0, 2.0, 9.0],
    )
    log = IssueLog()
    cells = cg.population(ZONES, by=land, issues=log)
    assert codes(log)["CG-DEM-019"] == 1
    # the same, as zones of their own: 2/3 of 900 on the first piece
    pieces = layer([box(100, 100, 1100, 600), box(3500, 1000, 4000, 1500), box(4000, 1000, 4500, 1500)])
    alone = cg.population(pieces.assign(population=[600.0, 300.0, 100.0]), polygons="area")
    assert cells["population"].to_dict() == pytest.approx(alone["population"].to_dict(), abs=1e-5)
    weighted = cg.population(ZONES, by=land, by_weight="density")
    alone = cg.population(pieces.assign(population=[450.0, 450.0, 100.0]), polygons="area")
    assert weighted["population"].to_dict() == pytest.approx(alone["population"].to_dict(), abs=1e-5)


def test_land_everywhere_is_as_none_given() -> None:
    """Splitting the land in pieces of equal weight must give areal interpolation."""
    land = layer(
        [box(x, y, x + 800, y + 700) for x in range(-800, 8800, 800) for y in range(-700, 2100, 700)]
    )
    even, by = cg.population(ZONES), cg.population(ZONES, by=land)
    both = pd.concat([even["population"], by["population"]], axis=1).fillna(0)
    assert (both.iloc[:, 0] - both.iloc[:, 1]).abs().max() < 1e-5


@pytest.mark.parametrize("weight", [1.0, 7.5])
def test_land_drawn_twice_counts_once(weight: float) -> None:
    halves = [box(0, 0, 2000, 2000), box(2000, 0, 4000, 2000)]
    expected = cg.population(ZONES.iloc[:1], by=layer(halves))["population"].to_dict()
    # as a whole, in part, and by two pieces that lie on each other as well
    extra = [halves[0], box(100, 100, 1500, 900), box(1000, 500, 3000, 1900), box(-500, 0, 700, 800)]
    land = layer([*halves, *extra], density=[weight] * 6)
    for some in (land.iloc[:3], land, land.iloc[::-1], land.iloc[[3, 4, 0, 2, 5, 1]]):
        for by_weight in (None, "density"):
            cells = cg.population(ZONES.iloc[:1], by=some, by_weight=by_weight)
            assert cells["population"].to_dict() == pytest.approx(expected, abs=1e-4)


def test_points_beside_land_get_nobody_and_are_told() -> None:
    land = layer([box(0, 0, 2000, 2000)])
    shapes = [shapely.Point(WEST + 3000, SOUTH + 900), None, *land.geometry]
    mixed = layer(shapes).set_axis(["point", "none", "land"])
    log = IssueLog()
    cells = cg.population(ZONES.iloc[:1], by=mixed, issues=log)
    pd.testing.assert_series_equal(cells["population"], cg.population(ZONES.iloc[:1], by=land)["population"])
    assert [(i.code, i.count, i.sample) for i in log.found if i.code == "CG-DEM-026"] == [
        ("CG-DEM-026", 2, ("point", "none"))
    ]
    cg.population(ZONES.iloc[:1], by=land, issues=(alone := IssueLog()))
    assert "CG-DEM-026" not in codes(alone)


def test_points_without_place_are_told_with_those_outside() -> None:
    shapes = [None, shapely.Point(WEST + 300, SOUTH + 900), shapely.Point(WEST - 3000, SOUTH)]
    log = IssueLog()
    cg.population(ZONES.iloc[:1], by=layer(shapes).set_axis(["none", "inside", "west"]), issues=log)
    assert [(i.count, i.sample) for i in log.found if i.code == "CG-DEM-019"] == [(2, ("none", "west"))]


def test_land_of_two_weights_counts_with_both() -> None:
    shapes = [box(0, 0, 2000, 2000), box(2000, 0, 4000, 2000), box(0, 0, 2000, 2000)]
    both = cg.population(ZONES.iloc[:1], by=layer(shapes, density=[1.0, 3.0, 2.0]), by_weight="density")
    alike = cg.population(ZONES.iloc[:1], by=layer(shapes[:2]))
    assert both["population"].to_dict() == pytest.approx(alike["population"].to_dict(), abs=1e-4)


@given(
    st.lists(st.tuples(st.floats(0, 8000), st.floats(0, 2000), st.floats(0, 1000)), min_size=1, max_size=12),
    st.lists(st.integers(0, 10**6), min_size=2, max_size=2),
    st.integers(6, 10), st.booleans(), st.randoms(),
)  # fmt: skip
def test_nobody_is_lost_in_any_order(
    homes: list[tuple[float, float, float]],
    people: list[int],
    resolution: int,
    has_size: bool,  # noqa: FBT001
    random: Random,
) -> None:
    size = 500 if has_size else 0
    shapes = [
        box(x, y, x + size, y + size) if size else shapely.Point(WEST + x, SOUTH + y) for x, y, _ in homes
    ]
    by = layer(shapes, weight=[weight for _, _, weight in homes])
    zones = ZONES.assign(population=people)
    log = IssueLog()
    cells = cg.population(zones, resolution=resolution, by=by, by_weight="weight", carry=["old"], issues=log)
    assert to_micro(cells["population"]).sum() == sum(people) * 10**6
    assert to_micro(cells["old"]).sum() == 100 * 10**6
    by = by.iloc[random.sample(range(len(by)), len(by))]
    zones = zones.iloc[::-1]
    again = cg.population(zones, resolution=resolution, by=by, by_weight="weight", carry=["old"])
    both = pd.concat([cells["population"], again["population"]], axis=1).fillna(0)
    assert (both.iloc[:, 0] - both.iloc[:, 1]).abs().max() < 1e-5


@pytest.mark.parametrize("crs", [4326, 32627, 3857])
def test_layers_may_be_in_different_crs(crs: int) -> None:
    homes = layer([box(500, 500, 510, 510), box(5000, 50, 5010, 60)], building=["house", "house"])
    land = layer([box(100, 100, 1100, 600), box(4500, 1000, 5500, 1500)])
    for by in (homes, land):
        before, after = (
            cg.population(ZONES, by=by)["population"],
            cg.population(ZONES, by=by.to_crs(crs))["population"],
        )
        assert before.sum() == after.sum() == 1000
        # borders of the land are straight in another plane
        both = pd.concat([before, after], axis=1).fillna(0)
        assert (both.iloc[:, 0] - both.iloc[:, 1]).abs().max() < 1


def test_zones_without_any_are_spread_evenly_and_told() -> None:
    homes = layer([box(500, 500, 510, 510)], building=["house"])
    log = IssueLog()
    cells = cg.population(ZONES, by=homes, issues=log)
    assert [(i.code, i.count, i.sample) for i in log.found if i.code == "CG-DEM-015"] == [
        ("CG-DEM-015", 1, ("1",))
    ]
    even = cg.population(ZONES.iloc[1:])
    expected = even["population"].to_dict() | {cell_of(505, 505): 900}
    assert cells["population"].to_dict() == pytest.approx(expected, abs=1e-5)
    point = cg.population(ZONES, by=homes, polygons="point")
    assert sorted(point["population"]) == [100, 900]


def test_a_home_where_zones_overlap_takes_people_of_both() -> None:
    zones = layer([box(0, 0, 4000, 2000), box(0, 0, 2000, 2000)], population=[900, 100])
    homes = layer([box(500, 500, 510, 510)], building=["house"])
    log = IssueLog()
    assert cg.population(zones, by=homes, issues=log)["population"].to_dict() == {cell_of(505, 505): 1000}
    assert codes(log)["CG-DEM-016"] == 1


def test_people_of_homes_outside_the_area_are_outside() -> None:
    homes = layer([box(500, 500, 510, 510), box(3000, 500, 3010, 510)], building=["house", "house"])
    area = gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=EQUAL_AREA)
    cells = cg.population(ZONES.iloc[:1], by=homes, area=area)
    assert cells["population"].to_dict() == pytest.approx({cell_of(505, 505): 450}, abs=0.01)
    land = layer([box(1500, 0, 2500, 1000)])
    cells = cg.population(ZONES.iloc[:1], by=land, area=area)
    assert cells["population"].sum() == pytest.approx(450, abs=1e-5)


def test_land_whose_rings_cross_is_mended_and_told() -> None:
    bow = shapely.Polygon(
        [(WEST, SOUTH), (WEST + 900, SOUTH + 900), (WEST + 900, SOUTH), (WEST, SOUTH + 900)]
    )
    log = IssueLog()
    cells = cg.population(ZONES.iloc[:1], by=layer([bow]), issues=log)
    assert codes(log)["CG-DEM-021"] == 1
    assert to_micro(cells["population"]).sum() == 900 * 10**6


def test_homes_are_spread_as_spread_population_does() -> None:
    rng = np.random.default_rng(3)
    x, y, size = rng.uniform(0, 7900, 60), rng.uniform(0, 1900, 60), rng.uniform(8, 30, 60)
    shapes = [box(*place) for place in zip(x, y, x + size, y + size, strict=True)]
    homes = layer(shapes, building=["house"] * 60)
    persons = cg.spread_population(ZONES, homes)
    whole = cg.population(persons, resolution=8)["population"]
    cells = cg.population(ZONES, by=homes, resolution=8)["population"]
    # persons are whole there, and parts of persons here
    homes_per_cell = cg.population(persons.assign(population=1), resolution=8)["population"]
    assert ((whole - cells).abs() <= homes_per_cell).all()


@pytest.mark.parametrize(
    ("code", "by", "options"),
    [
        ("CG-IN-001", layer([]), {}),
        ("CG-IN-003", layer([box(0, 0, 9, 9)], w=[-1.0]), {"by_weight": "w"}),
        ("CG-IN-003", layer([box(0, 0, 9, 9)], w=[np.nan]), {"by_weight": "w"}),
        ("CG-IN-005", layer([box(0, 0, 9, 9)], w=[1.0]), {"by_weight": "v"}),
        ("CG-CRS-001", layer([box(0, 0, 9, 9)]).set_crs(None, allow_override=True), {}),
        ("CG-IN-007", 5, {}),
        ("CG-IN-004", None, {"by_weight": "w"}),
    ],
)
def test_what_does_not_fit_is_refused(code: str, by: Any, options: dict[str, Any]) -> None:
    with pytest.raises(CitygeoError) as caught:
        cg.population(ZONES, by=by, **options)
    assert caught.value.code == code
