"""People of areas onto cells, against tobler, plain Python, and rules that hold for any zones."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import shapely
from hypothesis import given
from hypothesis import strategies as st

import citygeo as cg
from citygeo.demand import overlay, to_micro
from citygeo.errors import CitygeoError, CitygeoWarning
from citygeo.issues import IssueLog
from tests import reference

if TYPE_CHECKING:
    from random import Random

UTM = 32627
EQUAL_AREA = 6933
WEST, SOUTH = 460_000, 7_110_000
pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")


def grid(cuts_x: list[float], cuts_y: list[float], people: list[float] | None = None) -> gpd.GeoDataFrame:
    """Boxes between cuts, metres from a corner: a partition of their hull."""
    boxes = [
        shapely.box(WEST + x, SOUTH + y, WEST + u, SOUTH + v)
        for x, u in pairwise(cuts_x)
        for y, v in pairwise(cuts_y)
    ]
    numbers = [float(7 * n + 1) for n in range(len(boxes))] if people is None else people[: len(boxes)]
    return gpd.GeoDataFrame({"population": numbers}, geometry=boxes, crs=UTM)


def codes(log: IssueLog) -> dict[str, int]:
    return {issue.code: issue.count for issue in log.found}


def outlines(cells: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """The outlines of cells as h3-py gives them."""
    shapes = [shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]) for cell in cells.index]
    return gpd.GeoSeries(shapes, index=cells.index, crs=4326).to_crs(EQUAL_AREA)


STAR = shapely.Polygon([
    (WEST, SOUTH), (WEST + 900, SOUTH + 2000), (WEST + 2600, SOUTH + 2100), (WEST + 1300, SOUTH + 900),
    (WEST + 2500, SOUTH - 800),
])  # fmt: skip
RINGED = shapely.box(WEST + 3000, SOUTH, WEST + 5000, SOUTH + 2000) - shapely.box(
    WEST + 3500, SOUTH + 300, WEST + 4200, SOUTH + 1500
)


@pytest.mark.parametrize("resolution", [7, 8, 9, 10])
def test_equal_to_tobler(resolution: int) -> None:
    tobler = pytest.importorskip("tobler.area_weighted")
    zones = pd.concat([
        grid([0, 700, 1900, 2600], [2500, 3100, 4700]),
        gpd.GeoDataFrame({"population": [1234.5, 777.25]}, geometry=[STAR, RINGED], crs=UTM),
    ], ignore_index=True)  # fmt: skip
    cells = cg.population(zones, resolution=resolution, polygons="area")
    target = gpd.GeoDataFrame(geometry=outlines(cells))
    source, variables = zones.to_crs(EQUAL_AREA), {"extensive_variables": ["population"]}
    expected = tobler.area_interpolate(source, target, **variables)["population"].to_numpy()
    assert cells["population"].to_numpy() == pytest.approx(expected, rel=1e-5, abs=1e-2)
    # tobler keeps areas in 32 bits unless it is given a table of them
    pairs = shapely.intersection(source.geometry.to_numpy()[:, None], target.geometry.to_numpy())
    table = scipy.sparse.csr_matrix(shapely.area(pairs))
    expected = tobler.area_interpolate(source, target, table=table, **variables)["population"].to_numpy()
    # besides the millionths of a person that every zone rounds by
    assert cells["population"].to_numpy() == pytest.approx(expected, rel=1e-9, abs=len(zones) * 1e-6)
    assert len(cells) > {7: 1, 8: 10, 9: 60, 10: 400}[resolution]


CUTS = st.lists(st.integers(1, 2400), min_size=1, max_size=4, unique=True).map(
    lambda cuts: [0.0, *(float(cut) for cut in sorted(cuts)), 2500.0]
)
PEOPLE = st.lists(st.floats(0, 1e6), min_size=25, max_size=25)


@given(CUTS, CUTS, PEOPLE)
def test_equal_to_plain_python(cuts_x: list[float], cuts_y: list[float], people: list[float]) -> None:
    zones = grid(cuts_x, cuts_y, people)
    cells = cg.population(zones, resolution=8, polygons="area")
    # cells that got nobody are not in the table: all around are compared
    around = {near for own in cells.index for near in h3.grid_disk(own, 1)}
    windows = outlines(cells.reindex(sorted(around)))
    rings = zones[to_micro(zones["population"]) > 0].to_crs(EQUAL_AREA)
    if rings.empty:
        assert cells.empty
        return
    # coordinates of millions of metres would cost the oracle digits
    x, y = (round(value) for value in rings.total_bounds[:2])
    expected = reference.areal_interpolation(
        [corners(shape, x, y) for shape in rings.geometry],
        rings["population"].tolist(),
        [corners(shape, x, y) for shape in shapely.orient_polygons(windows.to_numpy())],
    )
    found = cells["population"].reindex(windows.index).fillna(0).tolist()
    assert found == pytest.approx(expected, rel=1e-9, abs=len(zones) * 1e-6)


def corners(shape: shapely.Polygon, x: float, y: float) -> list[tuple[float, float]]:
    """The corners of a polygon, seen from a place."""
    return [(u - x, v - y) for u, v in list(shape.exterior.coords)[:-1]]


@given(CUTS, CUTS, PEOPLE, st.integers(5, 10), st.sampled_from(["auto", "point", "area"]))
def test_nobody_is_lost(
    cuts_x: list[float], cuts_y: list[float], people: list[float], resolution: int, polygons: str
) -> None:
    zones = grid(cuts_x, cuts_y, people)
    zones["old"] = zones["population"] / 3
    cells = cg.population(zones, resolution=resolution, polygons=polygons, carry=["old"])
    for column in ("population", "old"):
        assert to_micro(cells[column]).sum() == to_micro(zones[column]).sum()
    assert cells.index.is_monotonic_increasing
    assert cells.index.is_unique
    assert (cells["population"] >= 0).all()


@given(CUTS, CUTS, PEOPLE, st.randoms())
def test_the_order_of_rows_does_not_matter(
    cuts_x: list[float], cuts_y: list[float], people: list[float], random: Random
) -> None:
    zones = grid(cuts_x, cuts_y, people)
    order = list(range(len(zones)))
    random.shuffle(order)
    before, after = (cg.population(layer, resolution=9) for layer in (zones, zones.iloc[order]))
    pd.testing.assert_frame_equal(before, after)


def test_threads_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    zones = grid([0, 900, 2500], [0, 700, 2500])
    whole = cg.population(zones, threads=1)
    monkeypatch.setattr(overlay, "CHUNK", 7)  # some ten chunks; as a rule these few pairs are one
    for threads in (1, 2, 5):
        pd.testing.assert_frame_equal(cg.population(zones, threads=threads), whole)


@pytest.mark.parametrize("crs", [4326, 3857, 3035, 6933])
def test_the_crs_matters_only_by_its_straight_lines(crs: int) -> None:
    # small steps along the edges, so that they bend alike in every CRS
    zones = grid([0, 900, 2500], [0, 700, 2500]).assign(
        geometry=lambda layer: shapely.segmentize(layer.geometry.to_numpy(), 50)
    )
    before, after = (cg.population(layer)["population"] for layer in (zones, zones.to_crs(crs)))
    assert to_micro(before).sum() == to_micro(after).sum()
    both = pd.concat([before, after], axis=1).fillna(0)
    assert (both.iloc[:, 0] - both.iloc[:, 1]).abs().max() < 1e-4


@given(CUTS, CUTS)
def test_zones_cut_in_two_give_the_same_cells(cuts_x: list[float], cuts_y: list[float]) -> None:
    """People of equal density: how the land is cut into zones does not show."""
    # in the equal-area CRS itself, where lines between corners are straight
    whole = grid([0, 2500], [0, 2500], [1e6]).set_crs(EQUAL_AREA, allow_override=True)
    cut = grid(cuts_x, cuts_y).set_crs(EQUAL_AREA, allow_override=True)
    cut["population"] = cut.area / cut.area.sum() * 1e6
    before, after = (
        cg.population(layer, resolution=8, polygons="area")["population"] for layer in (whole, cut)
    )
    both = pd.concat([before, after], axis=1).fillna(0)
    # millionths are rounded for each zone
    assert (both.iloc[:, 0] - both.iloc[:, 1]).abs().max() < len(cut) * 1e-6 + 1e-5


# --- who counts at a point ----------------------------------------------------------------------------


def test_small_areas_count_at_a_point_and_large_ones_are_spread() -> None:
    cell = h3.average_hexagon_area(9, unit="m^2")
    sides = [(share * cell) ** 0.5 for share in (0.05, 0.098, 0.102, 3.0)]
    boxes = [
        shapely.box(WEST + 2000 * n, SOUTH, WEST + 2000 * n + side, SOUTH + side)
        for n, side in enumerate(sides)
    ]
    zones = gpd.GeoDataFrame({"population": [1, 10, 100, 1000]}, geometry=boxes, crs=UTM)
    log = IssueLog()
    cells = cg.population(zones, issues=log)
    assert (
        "The people of 2 areas are spread over their land; 2 areas count at a point" in log.found[0].message
    )
    assert cells["population"].dtype == np.float64
    assert sum(cells["population"].isin([1.0])) == 1
    at_points = cg.population(zones, polygons="point", issues=(log := IssueLog()))
    assert at_points["population"].dtype == np.int64
    assert sorted(at_points["population"]) == [1, 10, 100, 1000]
    assert codes(log) == {}
    assert len(cg.population(zones, polygons="area")) >= len(cells) > len(at_points)


def test_points_and_lines_among_zones_count_where_they_are() -> None:
    zones = grid([0, 1500], [0, 1500], [50])
    others = [
        shapely.Point(WEST + 9000, SOUTH),
        shapely.LineString([(WEST + 20_000, SOUTH), (WEST + 20_200, SOUTH)]),
    ]
    layer = pd.concat([zones, gpd.GeoDataFrame({"population": [3.0, 4.0]}, geometry=others, crs=UTM)])
    cells = cg.population(layer.reset_index(drop=True))
    alone = cg.population(zones)
    assert sorted(set(cells["population"]) - set(alone["population"])) == [3, 4]
    assert cells.attrs["method"] == (
        "rows count in the cell of a point inside them; people of areas spread evenly over their land"
    )


def test_an_area_without_extent_counts_at_a_point() -> None:
    flat = shapely.Polygon([(WEST, SOUTH), (WEST + 5000, SOUTH), (WEST, SOUTH)])
    layer = gpd.GeoDataFrame({"population": [5]}, geometry=[flat], crs=UTM)
    assert cg.population(layer, polygons="area")["population"].sum() == 5


def test_zones_on_both_sides_of_the_antimeridian() -> None:
    """A zone at 180 degrees gets what its mirror image elsewhere gets, as near as cells are alike."""
    parts = shapely.MultiPolygon([shapely.box(179.9, -17, 180, -16.9), shapely.box(-180, -17, -179.9, -16.9)])
    layer = gpd.GeoDataFrame({"population": [1_000_000]}, geometry=[parts], crs=4326)
    cells = cg.population(layer, resolution=7)
    assert to_micro(cells["population"]).sum() == 10**12
    area = {cell: h3.cell_area(cell, unit="km^2") for cell in cells.index}
    inside = [cell for cell in cells.index if all(
        -17 < lat < -16.9 and abs(lon) > 179.9 for lat, lon in h3.cell_to_boundary(cell)
    )]  # fmt: skip
    crossing = [cell for cell in inside if len({lon > 0 for _, lon in h3.cell_to_boundary(cell)}) == 2]
    assert len(crossing) >= 2
    density = [cells.loc[cell, "population"] / area[cell] for cell in inside]
    # h3's areas are those of a sphere, by latitude; they vary by less than this over 0.1 degrees
    assert max(density) / min(density) < 1.001


def test_heights_do_not_matter() -> None:
    zones = grid([0, 900, 2500], [0, 2500])
    high = zones.assign(geometry=shapely.force_3d(zones.geometry.to_numpy(), 100.0))
    pd.testing.assert_frame_equal(cg.population(zones), cg.population(high))


def test_nobody_in_zones_is_no_cell() -> None:
    cells = cg.population(grid([0, 2500], [0, 2500], [0.0]), carry=[])
    assert len(cells) == 0
    assert cells.crs == 4326
    assert list(cells.columns) == ["population", "geometry"]


def test_one_carried_column_may_be_a_text() -> None:
    zones = grid([0, 2500], [0, 2500], [5.0]).assign(jobs=[7.0])
    pd.testing.assert_frame_equal(cg.population(zones, carry="jobs"), cg.population(zones, carry=["jobs"]))


def test_no_zones_are_refused() -> None:
    with pytest.raises(CitygeoError, match="CG-IN-001"):
        cg.population(grid([0, 2500], [0, 2500]).iloc[:0])


def test_cells_with_anything_carried_are_there() -> None:
    zones = grid([0, 2500, 5000], [0, 2500]).assign(population=[0.0, 5.0], jobs=[7.0, 0.0])
    cells = cg.population(zones, carry=["jobs"], resolution=8)
    assert (cells["population"] == 0).any()
    assert to_micro(cells["jobs"]).sum() == 7 * 10**6


# --- findings ------------------------------------------------------------------------------------------


def test_cells_finer_than_zones_are_told() -> None:
    zones = grid([0, 3000], [0, 3000], [900])
    log = IssueLog()
    cg.population(zones, resolution=9, issues=log)
    assert "CG-DEM-013" in codes(log)
    fitting = int(
        next(issue for issue in log.found if issue.code == "CG-DEM-013").message.split("resolution ")[2][0]
    )
    cg.population(zones, resolution=fitting, issues=(log := IssueLog()))
    assert "CG-DEM-013" not in codes(log)
    with pytest.warns(CitygeoWarning, match="CG-DEM-013"):
        cg.population(zones)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ((2000, 0, 4000, 2000), {}),
        ((1000, 0, 3000, 2000), {"CG-DEM-016": 1}),
        ((500, 500, 1000, 1000), {"CG-DEM-016": 1}),
        ((0, 0, 2000, 2000), {"CG-DEM-016": 1}),
        ((1999, 0, 4000, 2000), {"CG-DEM-017": 1}),
    ],
)
def test_zones_on_each_other_are_told(second: tuple[float, ...], expected: dict[str, int]) -> None:
    x, y, u, v = second
    boxes = [
        shapely.box(WEST, SOUTH, WEST + 2000, SOUTH + 2000),
        shapely.box(WEST + x, SOUTH + y, WEST + u, SOUTH + v),
    ]
    zones = gpd.GeoDataFrame({"population": [400, 100]}, geometry=boxes, crs=UTM, index=["a", "b"])
    log = IssueLog()
    cells = cg.population(zones, polygons="area", issues=log)
    assert {code: n for code, n in codes(log).items() if code in ("CG-DEM-016", "CG-DEM-017")} == expected
    assert to_micro(cells["population"]).sum() == 500 * 10**6
    if expected:
        issue = next(issue for issue in log.found if issue.code in expected)
        assert issue.sample == ("a / b",)


def test_people_on_doubled_land_are_counted() -> None:
    boxes = [
        shapely.box(WEST, SOUTH, WEST + 2000, SOUTH + 2000),
        shapely.box(WEST + 1000, SOUTH, WEST + 3000, SOUTH + 2000),
    ]
    zones = gpd.GeoDataFrame({"population": [400, 100]}, geometry=boxes, crs=UTM)
    log = IssueLog()
    cg.population(zones, issues=log)
    assert "about 250 people" in next(issue for issue in log.found if issue.code == "CG-DEM-016").message


def test_repeated_labels_are_told() -> None:
    zones = grid([0, 1000, 2000], [0, 2000]).set_axis(["a", "a"])
    log = IssueLog()
    cells = cg.population(zones, issues=log)
    assert codes(log)["CG-DEM-018"] == 1
    assert to_micro(cells["population"]).sum() == 9 * 10**6


def test_rings_that_cross_themselves_are_mended() -> None:
    bow = shapely.Polygon(
        [(WEST, SOUTH), (WEST + 2000, SOUTH + 2000), (WEST + 2000, SOUTH), (WEST, SOUTH + 2000)]
    )
    zones = gpd.GeoDataFrame({"population": [600]}, geometry=[bow], crs=EQUAL_AREA, index=["bow"])
    log = IssueLog()
    cells = cg.population(zones, issues=log)
    assert codes(log)["CG-DEM-021"] == 1
    assert to_micro(cells["population"]).sum() == 600 * 10**6
    middle, side = (WEST + 1000, SOUTH + 1000), (WEST + 2000, SOUTH)
    both = [
        shapely.Polygon([(WEST, SOUTH), middle, (WEST, SOUTH + 2000)]),
        shapely.Polygon([side, middle, (WEST + 2000, SOUTH + 2000)]),
    ]
    halves = cg.population(gpd.GeoDataFrame({"population": [300.0] * 2}, geometry=both, crs=EQUAL_AREA))
    assert cells["population"].to_dict() == pytest.approx(halves["population"].to_dict(), abs=1e-4)


def test_zones_without_place_are_told() -> None:
    zones = grid([0, 1000, 2000], [0, 2000])
    zones.loc[1, "geometry"] = None
    log = IssueLog()
    cells = cg.population(zones, issues=log)
    assert to_micro(cells["population"]).sum() == 10**6
    assert codes(log)["CG-DEM-005"] == 1


# --- the area asked for --------------------------------------------------------------------------------


@given(st.floats(100, 2400), st.sampled_from(["auto", "area", "point"]))
def test_only_people_in_the_area_count(x: float, polygons: str) -> None:
    zones = grid([0, 2500], [0, 1200, 2500], [5e5, 5e5]).set_crs(EQUAL_AREA, allow_override=True)
    area = gpd.GeoSeries([shapely.box(WEST - 9000, SOUTH - 9000, WEST + x, SOUTH + 9000)], crs=EQUAL_AREA)
    log = IssueLog()
    cells = cg.population(zones, resolution=8, polygons=polygons, area=area, issues=log)
    people = float(cells["population"].sum())
    if polygons == "point":
        assert people in (0, 1e6)
    else:
        assert people == pytest.approx(1e6 * x / 2500, abs=1e-4)
    # what is inside and what is outside are the whole
    rest = gpd.GeoSeries([shapely.box(WEST + x, SOUTH - 9000, WEST + 9000, SOUTH + 9000)], crs=EQUAL_AREA)
    outside = float(cg.population(zones, resolution=8, polygons=polygons, area=rest)["population"].sum())
    assert people + outside == pytest.approx(1e6, abs=1e-5)
    assert ("CG-DEM-020" in codes(log)) == (people < 1e6)


# --- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "changes", "options"),
    [
        ("CG-IN-003", {"population": [1.0, -2.0]}, {}),
        ("CG-IN-003", {"population": [1.0, np.nan]}, {}),
        ("CG-IN-003", {"old": [1.0, np.inf]}, {"carry": ["old"]}),
        ("CG-IN-005", {}, {"column": "people"}),
        ("CG-IN-005", {}, {"carry": ["old"]}),
        ("CG-IN-004", {}, {"carry": ["population"]}),
        ("CG-IN-004", {}, {"polygons": "centroid"}),
        ("CG-IN-004", {}, {"units": "per_km2"}),
        ("CG-IN-004", {}, {"nodata": -9999.0}),
        ("CG-IN-004", {}, {"method": "exact"}),
        ("CG-UNIT-002", {}, {"resolution": 16}),
        ("CG-LIM-002", {}, {"resolution": 15}),
    ],
)
def test_what_does_not_fit_is_refused(code: str, changes: dict[str, Any], options: dict[str, Any]) -> None:
    zones = grid([0, 5000, 9000], [0, 5000]).assign(**changes)
    with pytest.raises(CitygeoError) as caught:
        cg.population(zones, **options)
    assert caught.value.code == code
    if code == "CG-IN-003":
        assert caught.value.data["sample"] == "1"


def test_zones_need_a_crs() -> None:
    zones = grid([0, 500], [0, 500]).set_crs(None, allow_override=True)
    with pytest.raises(CitygeoError, match="CG-CRS-001"):
        cg.population(zones)


@pytest.mark.parametrize("polygons", ["auto", "point", "area"])
@pytest.mark.parametrize(
    ("shape", "crs"),
    [
        (shapely.box(22, 114, 23, 115), 4326),
        (shapely.Point(22.5, 114), 4326),
        (shapely.box(500_000, 2_500_000, 500_100, 2_500_100), 4326),
        (shapely.box(22e9, 114e9, 23e9, 115e9), 32650),
    ],
)
def test_rows_nowhere_on_earth_are_refused(shape: shapely.Geometry, crs: int, polygons: str) -> None:
    zones = gpd.GeoDataFrame({"population": [1, 2]}, geometry=[None, shape], crs=crs, index=["a", "b"])
    with pytest.raises(CitygeoError, match="CG-DEM-025") as caught:
        cg.population(zones, polygons=polygons)
    assert str(caught.value.data["sample"]).startswith("b (")


def test_zones_at_the_edge_of_a_map_of_the_world() -> None:
    """The corners of their boxes lie off the map."""
    parts = [shapely.box(179, lat, 179.9, lat + 0.5) for lat in (-60, 0, 60)]
    layer = gpd.GeoDataFrame({"population": [10, 20, 30]}, geometry=parts, crs=4326).to_crs("ESRI:54009")
    assert to_micro(cg.population(layer, resolution=5)["population"]).sum() == 60 * 10**6
