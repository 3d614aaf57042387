from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo.demand.homes import floor_space, homes_of, is_home
from citygeo.errors import CitygeoError
from citygeo.issues import IssueLog


def square(x: float, area_m2: float) -> shapely.Polygon:
    side = area_m2**0.5
    return shapely.box(500_000 + x, 7_000_000, 500_000 + x + side, 7_000_000 + side)


def town(areas: list[float], **columns: Any) -> gpd.GeoDataFrame:
    geometry = [square(100 * place, area) for place, area in enumerate(areas)]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=32627)


@pytest.mark.parametrize(
    ("value", "lived_in"),
    [
        ("apartments", True), ("house", True), ("residential", True), ("commercial;residential", True),
        ("garage; house", True), ("garage", False), ("cabin", False), ("hut", False), ("hotel", False), ("no", False),
        ("residentially", False), (None, False), ("yes", True),
    ],
)  # fmt: skip
def test_building_values(value: str | None, *, lived_in: bool) -> None:
    assert is_home(town([100.0], building=[value]), np.array([100.0])).tolist() == [lived_in]


@pytest.mark.parametrize(
    ("column", "value", "lived_in"),
    [
        ("addr:housenumber", None, False),
        ("addr:housenumber", "12a", True),
        ("landuse", "industrial", False),
        ("landuse", "retail", True),
        ("landuse", None, True),
        ("amenity", "school", False),
        ("shop", "books", False),
        ("name", "Bjarg", True),
    ],
)
def test_building_yes_depends_on_address_use_and_ground(
    column: str, value: str | None, *, lived_in: bool
) -> None:
    layer = town([100.0], building=["yes"], **{column: pd.array([value], dtype="str")})
    assert is_home(layer, np.array([100.0])).tolist() == [lived_in]
    known = layer.assign(building="house")
    assert is_home(known, np.array([100.0])).tolist() == [True]


def test_building_yes_depends_on_its_size() -> None:
    footprint = np.array([39.9, 40.0, 1000.0, 1000.1, np.nan])
    layer = town([1.0] * 5, building=["yes"] * 5)
    assert is_home(layer, footprint).tolist() == [False, True, True, False, True]


def test_levels_are_the_tagged_ones_or_those_usual_for_the_type() -> None:
    kinds = [
        "apartments",
        "house",
        "bungalow",
        "residential",
        "residential",
        "house",
        "house",
        "house",
        "yes",
        "yes",
    ]
    areas = [300.0, 300.0, 100.0, 249.0, 251.0, 90.0, 90.0, 90.0, 251.0, 100.0]
    given_levels = [None, None, None, None, None, "1.5", "3-5", "0", None, None]
    log = IssueLog()
    homes = homes_of(town(areas, building=kinds, **{"building:levels": given_levels}), log)
    assert homes["levels"].tolist() == [4, 2, 1, 2, 4, 1.5, 2, 2, 4, 2]
    assert [(issue.code, issue.count) for issue in log.found] == [("CG-DEM-006", 9)]


def test_footprints_are_square_metres_in_any_crs() -> None:
    layer = town([100.0, 250.0], building=["house", "house"])
    assert homes_of(layer, IssueLog())["footprint_m2"].to_numpy() == pytest.approx([100, 250])
    lonlat = homes_of(layer.to_crs(4326), IssueLog())
    assert lonlat["footprint_m2"].to_numpy() == pytest.approx([100, 250], rel=1e-6)
    assert lonlat.crs.to_epsg() == 4326


def test_a_home_that_is_a_point_counts_like_the_median_one() -> None:
    layer = town([100.0, 200.0, 900.0, 1.0], building=["house"] * 4)
    layer.loc[3, "geometry"] = shapely.Point(500_000, 7_000_000)
    log = IssueLog()
    assert homes_of(layer, log)["footprint_m2"].tolist() == pytest.approx([100, 200, 900, 200])
    assert [(issue.code, issue.count, issue.sample) for issue in log.found] == [("CG-DEM-007", 1, ("3",))]


def test_only_points_count_alike() -> None:
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([1, 2], [1, 2]), crs=4326)
    assert homes_of(points, IssueLog())["footprint_m2"].tolist() == [1, 1]


def test_without_a_building_column_every_row_is_a_home() -> None:
    homes = homes_of(town([5.0, 5000.0]), IssueLog())
    assert homes["levels"].tolist() == [2, 2]


def test_rows_without_geometry_are_no_homes_and_labels_are_kept() -> None:
    layer = town([100.0, 100.0, 100.0], building=["house"] * 3).set_index(pd.Index(["a", "b", "c"]))
    layer.loc["a", "geometry"] = None
    layer.loc["b", "geometry"] = shapely.Polygon()
    homes = homes_of(layer, IssueLog())
    assert homes.index.tolist() == ["c"]
    assert homes.geometry["c"].equals(layer.geometry["c"])


def test_floor_space_is_footprint_times_levels_of_every_building() -> None:
    kinds = ["house", "garage", "office", "warehouse", None, "office;garage"]
    layer = town(
        [100.0, 20.0, 400.0, 900.0, 50.0, 60.0],
        building=kinds,
        **{"building:levels": [None, None, "7", None, None, None]},
    )
    log = IssueLog()
    space = floor_space(layer, issues=log)
    assert space["footprint_m2"].to_numpy() == pytest.approx([100, 20, 400, 900, 50, 60])
    assert space["levels"].tolist() == [2, 1, 7, 1, 2, 3]
    assert space["floor_m2"].to_numpy() == pytest.approx([200, 20, 2800, 900, 100, 180])
    assert space["is_home"].tolist() == [True, False, False, False, False, False]
    assert space.attrs["estimate"] is True
    assert [(issue.code, issue.count) for issue in log.found] == [("CG-DEM-022", 5)]
    assert space.geometry.equals(layer.geometry)


def test_floor_space_of_buildings_without_shape_and_without_place() -> None:
    layer = town([100.0, 300.0, 1.0, 1.0], building=["house"] * 4).set_axis(list("abcd"))
    layer.loc["c", "geometry"] = shapely.Point(500_000, 7_000_000)
    layer.loc["d", "geometry"] = None
    log = IssueLog()
    space = floor_space(layer, issues=log)
    assert space.index.tolist() == list("abcd")
    assert space["footprint_m2"].to_numpy() == pytest.approx([100, 300, 200, np.nan], nan_ok=True)
    assert space["floor_m2"].to_numpy() == pytest.approx([200, 600, 400, np.nan], nan_ok=True)
    assert [(issue.code, issue.sample) for issue in log.found] == [("CG-DEM-023", ("c",))]
    cells = cg.population(space.drop("d"), column="floor_m2", carry=["footprint_m2"])
    assert cells["population"].sum() == pytest.approx(1200, abs=1e-3)


def test_floor_space_of_homes_is_what_people_are_spread_by() -> None:
    layer = town([100.0, 300.0, 40.0], building=["apartments", "yes", "garage"])
    homes, space = homes_of(layer, IssueLog()), floor_space(layer)
    assert homes.index.equals(space.index[space["is_home"]])
    assert (homes["footprint_m2"] * homes["levels"]).tolist() == space["floor_m2"][space["is_home"]].tolist()


@pytest.mark.parametrize("code", ["CG-CRS-001", "CG-IN-001", "CG-IN-007"])
def test_floor_space_needs_a_layer(code: str) -> None:
    layer = town([100.0], building=["house"])
    given: Any = {
        "CG-CRS-001": layer.set_crs(None, allow_override=True),
        "CG-IN-001": layer.iloc[:0],
        "CG-IN-007": pd.DataFrame({"building": ["house"]}),
    }[code]
    with pytest.raises(CitygeoError) as caught:
        floor_space(given)
    assert caught.value.code == code
