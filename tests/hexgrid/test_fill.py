from __future__ import annotations

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
from tests.h3_places import anywhere, to_vectors

SQUARE = gpd.GeoDataFrame(geometry=[shapely.box(-21.95, 64.13, -21.85, 64.16)], crs=4326)
MODES = (("overlap", "overlap"), ("centre", "center"), ("full", "full"))
STARS = st.lists(st.floats(0.15, 1.0), min_size=3, max_size=12)
# somewhere, near the antimeridian, near a pole, on a pentagon
MIDDLES = st.one_of(
    st.tuples(st.floats(-175, 175), st.floats(-80, 80)),
    st.tuples(st.sampled_from([179.9, -179.95, 180.0]), st.floats(-70, 70)),
    st.tuples(st.floats(-175, 175), st.sampled_from([87.0, -88.0])),
    st.sampled_from([h3.cell_to_latlng(cell)[::-1] for cell in h3.get_pentagons(8).tolist()]),
)


def star(middle: tuple[float, float], radii: list[float], size: float) -> np.ndarray:
    """Corners around a place, `size` degrees of latitude away at most, in longitudes that may pass 180."""
    angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
    out = size * np.array(radii)
    lon = middle[0] + out * np.cos(angle) / np.cos(np.radians(middle[1]))
    return np.column_stack([lon, middle[1] + out * np.sin(angle)])


def as_h3(polygons: list[shapely.Polygon], resolution: int, contain: str) -> list[int]:
    """Cells by h3-py, of longitudes brought to within 180."""
    found: set[int] = set()
    for polygon in polygons:
        rings = [shapely.get_coordinates(ring) for ring in (polygon.exterior, *polygon.interiors)]
        loops = [[(y, (x + 180) % 360 - 180) for x, y in ring] for ring in rings]
        shape = h3.LatLngPoly(*loops)
        found |= set(h3.h3shape_to_cells_experimental(shape, resolution, contain=contain).tolist())
    return sorted(found)


def layer(*polygons: shapely.Geometry) -> gpd.GeoSeries:
    return gpd.GeoSeries(list(polygons), crs=4326)


@pytest.mark.parametrize(("ours", "theirs"), MODES)
@settings(max_examples=60, deadline=None)
@given(MIDDLES, STARS, st.integers(3, 9), st.floats(0.5, 6), st.booleans())
def test_cells_of_an_area_are_those_of_h3(
    ours: str,
    theirs: str,
    middle: tuple[float, float],
    radii: list[float],
    level: int,
    size: float,
    has_hole: bool,  # noqa: FBT001
) -> None:
    degrees = size * np.degrees(h3.average_hexagon_edge_length(level, "km") / 6371)
    degrees = min(degrees, (90 - abs(middle[1])) / 4)  # not into the cell of a pole, which is refused
    shell = star(middle, radii, degrees)
    holes = [star(middle, radii, degrees / 2)] if has_hole else []
    polygon = shapely.Polygon(shell, holes)
    cells = hexgrid.cells_in(layer(polygon), level, contain=ours)
    assert cells.dtype == np.uint64
    assert cells.tolist() == as_h3([polygon], level, theirs)


@pytest.mark.parametrize(("ours", "theirs"), MODES)
def test_an_area_larger_than_a_face_has_the_cells_of_h3(ours: str, theirs: str) -> None:
    polygon = shapely.Polygon(star((20.0, 35.0), [1.0, 0.8, 1.0, 0.3, 0.9, 0.7], 40.0))
    assert hexgrid.cells_in(layer(polygon), 3, contain=ours).tolist() == as_h3([polygon], 3, theirs)


@pytest.mark.parametrize("contain", ["overlap", "centre"])
def test_cells_of_several_areas_are_those_of_each(contain: str) -> None:
    two = [
        shapely.box(8.0, 50.0, 8.1, 50.05),
        shapely.box(8.05, 50.02, 8.2, 50.1),
        shapely.box(9, 50, 9.1, 50.1),
    ]
    each = [hexgrid.cells_in(layer(one), 8, contain=contain) for one in two]
    together = hexgrid.cells_in(layer(shapely.MultiPolygon([two[0], two[2]]), two[1]), 8, contain=contain)
    assert together.tolist() == sorted(set(np.concatenate(each).tolist()))


@pytest.mark.parametrize(("ours", "theirs"), MODES)
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 0.06), st.floats(0, 0.04), st.floats(0.0002, 0.03)), min_size=1, max_size=60
    )
)
def test_cells_of_many_areas_that_overlap_are_those_of_their_union(
    ours: str, theirs: str, squares: list[tuple[float, float, float]]
) -> None:
    boxes = [shapely.box(8 + x, 50 + y, 8 + x + size, 50 + y + size / 2) for x, y, size in squares]
    union = shapely.union_all(boxes)
    expected = h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(union), 9, contain=theirs)
    assert hexgrid.cells_in(layer(*boxes), 9, contain=ours).tolist() == np.unique(expected).tolist()


def test_by_middles_each_cell_of_a_city_is_in_just_one_of_its_zones() -> None:
    zones = [shapely.box(x, y, x + 0.03, y + 0.02) for x in (8.0, 8.03, 8.06) for y in (50.0, 50.02)]
    each = np.concatenate([hexgrid.cells_in(layer(zone), 9, contain="centre") for zone in zones])
    assert len(set(each.tolist())) == each.size
    assert np.array_equal(np.sort(each), hexgrid.cells_in(layer(*zones), 9, contain="centre"))


def test_whole_cells_lie_across_the_border_of_two_areas() -> None:
    west, east = shapely.box(8.0, 50.0, 8.05, 50.05), shapely.box(8.05, 50.0, 8.1, 50.05)
    both = hexgrid.cells_in(layer(west, east), 9, contain="full")
    apart = [hexgrid.cells_in(layer(one), 9, contain="full") for one in (west, east)]
    assert np.array_equal(
        both, hexgrid.cells_in(layer(shapely.box(8.0, 50.0, 8.1, 50.05)), 9, contain="full")
    )
    assert both.size > sum(cells.size for cells in apart)


@pytest.mark.parametrize(("contain", "_"), MODES)
def test_however_an_area_over_the_antimeridian_is_written_its_cells_are_the_same(
    contain: str, _: str
) -> None:
    beyond = shapely.Polygon(
        [(179, -17), (179, -16), (181, -16), (181, -17)], [[(179.9, -16.6), (180.1, -16.6), (180, -16.4)]]
    )
    jumping = shapely.transform(beyond, lambda xy: np.column_stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]]))
    other_way = shapely.transform(beyond, lambda xy: xy - [360.0, 0.0])
    halves = [
        beyond.intersection(shapely.box(170, -20, 180, -10)),
        beyond.intersection(shapely.box(180, -20, 190, -10)),
    ]
    cut = shapely.MultiPolygon([halves[0], shapely.transform(halves[1], lambda xy: xy - [360.0, 0.0])])
    expected = hexgrid.cells_in(layer(beyond), 6, contain=contain)
    assert expected.size > 100
    for same in (jumping, other_way, cut):
        assert np.array_equal(hexgrid.cells_in(layer(same), 6, contain=contain), expected)


def test_cells_of_a_layer_in_a_crs_of_the_place_cross_the_antimeridian() -> None:
    around = gpd.GeoSeries([shapely.Point(179.99, -17).buffer(0.2)], crs=4326).to_crs(3832)
    cells = hexgrid.cells_in(around, 7)
    lon = hexgrid.cell_centres(cells)[:, 0]
    assert (lon > 179).any()
    assert (lon < -179).any()
    assert np.all(np.abs(lon) > 179)


@pytest.mark.parametrize(
    "area",
    [
        shapely.Polygon([(-150, 80), (-30, 80), (90, 80), (170, 80)]),
        shapely.box(-180, -90, 180, -80),
        shapely.box(-10, 80, 10, 90),
    ],
    ids=["around", "down to", "a corner at"],
)
def test_an_area_at_a_pole_is_refused(area: shapely.Polygon) -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_in(layer(area), 3)
    assert caught.value.code == "CG-HEX-001"


def test_a_strip_around_the_earth_has_all_cells_whose_middle_lies_there() -> None:
    cells = hexgrid.cells_in(layer(shapely.box(-180, -10, 180, 20)), 3, contain="centre")
    every = hexgrid.children(np.sort(h3.get_res0_cells()), 3)
    lat = hexgrid.cell_centres(every)[:, 1]
    assert cells.tolist() == sorted(every[(lat >= -10) & (lat <= 20)].tolist())


def test_descendants_lie_where_the_fill_looks_for_them() -> None:
    from citygeo.hexgrid.fill import EARTH_KM, REACH

    cells = h3.get_res0_cells().tolist() + h3.get_pentagons(3).tolist()
    lon, lat = anywhere(np.random.default_rng(7), 150)
    cells += [h3.latlng_to_cell(y, x, 1 + i % 9) for i, (x, y) in enumerate(zip(lon, lat, strict=True))]
    for cell in cells:
        level = h3.get_resolution(cell)
        outlines = [h3.cell_to_boundary(child) for child in h3.cell_to_children(cell, level + 2).tolist()]
        corners = to_vectors([corner for outline in outlines for corner in outline])
        farthest = np.arccos((corners @ to_vectors(h3.cell_to_latlng(cell))[0]).min())
        assert farthest < 0.97 * REACH * h3.average_hexagon_edge_length(level, "km") / EARTH_KM


def test_an_area_that_crosses_itself_is_mended() -> None:
    bow_tie = shapely.Polygon([(8, 50), (8.1, 50.1), (8.1, 50), (8, 50.1)])
    assert not bow_tie.is_valid
    expected = hexgrid.cells_in(layer(shapely.make_valid(bow_tie)), 8)
    assert np.array_equal(hexgrid.cells_in(layer(bow_tie), 8), expected)


def test_an_unknown_way_to_contain_is_refused() -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_in(SQUARE, 9, contain="center")  # type: ignore[arg-type]
    assert caught.value.code == "CG-IN-004"


def test_cells_of_an_area_are_exactly_those_that_touch_it() -> None:
    cells = hexgrid.cells_in(SQUARE, 9)
    assert np.all(np.diff(cells.astype(np.int64)) > 0)
    around = np.unique(np.concatenate([h3.grid_disk(cell, 3) for cell in cells.tolist()]))
    touching = shapely.intersects(hexgrid.cell_polygons(around), SQUARE.geometry.iloc[0])
    assert np.array_equal(cells, around[touching])


def test_cells_of_an_area_do_not_depend_on_its_crs_or_on_overlap() -> None:
    cells = hexgrid.cells_in(SQUARE, 8)
    assert np.array_equal(hexgrid.cells_in(SQUARE.to_crs(32627), 8), cells)
    twice = pd.concat([SQUARE, SQUARE, gpd.GeoDataFrame(geometry=[None, shapely.Polygon()], crs=4326)])
    assert np.array_equal(hexgrid.cells_in(twice, 8), cells)


def test_a_hole_wider_than_a_cell_stays_empty() -> None:
    ring = SQUARE.geometry.iloc[0].buffer(0.2).difference(SQUARE.geometry.iloc[0])
    cells = hexgrid.cells_in(gpd.GeoSeries([ring], crs=4326), 8)
    assert not np.isin(hexgrid.cells_of_points([-21.9], [64.145], 8), cells).any()


def test_no_area_has_no_cells() -> None:
    assert hexgrid.cells_in(gpd.GeoDataFrame(geometry=[None], crs=4326), 9).tolist() == []


def test_an_area_without_crs_is_refused() -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_in(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)]), 9)
    assert caught.value.code == "CG-CRS-001"


def test_too_many_cells_are_refused_before_they_are_made() -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_in(gpd.GeoDataFrame(geometry=[shapely.box(-24, 63, -13, 67)], crs=4326), 15)
    assert caught.value.code == "CG-LIM-002"
    advice = caught.value.data["advice"]
    assert isinstance(advice, int)
    assert h3.average_hexagon_area(advice, "km^2") * hexgrid.MAX_CELLS > 230_000  # km2 of that box


def test_cells_over_the_antimeridian_are_few_however_the_area_is_written() -> None:
    beyond = shapely.box(179.8, -17.2, 180.2, -16.7)
    jumping = shapely.Polygon([(179.8, -17.2), (-179.8, -17.2), (-179.8, -16.7), (179.8, -16.7)])
    cells = hexgrid.cells_in(layer(beyond), 9)
    assert np.array_equal(hexgrid.cells_in(layer(jumping), 9), cells)
    away = hexgrid.cells_in(layer(shapely.box(8.8, -17.2, 9.2, -16.7)), 9)  # as large an area elsewhere
    assert cells.size == pytest.approx(away.size, rel=0.3)


def test_areas_that_overlap_are_not_too_many_cells_together() -> None:
    box = shapely.box(8, 0, 9, 1)
    moved = [shapely.affinity.translate(box, 0.00001 * step) for step in range(80)]
    together = layer(shapely.box(8, 0, moved[-1].bounds[2], 1))
    assert np.array_equal(hexgrid.cells_in(layer(*moved), 9), hexgrid.cells_in(together, 9))


def test_how_many_cells_an_area_would_have_counts_land_once() -> None:
    # an eighth of the Earth, three times, twice of them over the antimeridian
    copies = [shapely.box(west, 0, west + 90, 89.999) for west in (135, -225, 135)]
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_in(layer(*copies), 8)
    assert float(str(caught.value.data["area_km2"]).replace(",", "")) == pytest.approx(
        510_065_622 / 8, rel=1e-3
    )
