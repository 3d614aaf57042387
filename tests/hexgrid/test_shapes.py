from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError
from tests.h3_places import on_the_icosahedron

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PLACES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
RESOLUTIONS = st.integers(0, 15)
PENTAGONS = [(level, cell) for level in range(5, 11) for cell in h3.get_pentagons(level).tolist()]
SQUARE = gpd.GeoDataFrame(geometry=[shapely.box(-21.95, 64.13, -21.85, 64.16)], crs=4326)


@given(st.lists(PLACES, min_size=1, max_size=20), st.integers(2, 12))
def test_outlines_hold_the_middle_and_have_the_corners_h3_says(
    places: list[tuple[float, float]], resolution: int
) -> None:
    lon, lat = np.array(places).T
    cells = hexgrid.cells_of_points(lon, np.clip(lat, -85, 85), resolution)
    for cell, outline, centre in zip(
        cells.tolist(), hexgrid.cell_polygons(cells), hexgrid.cell_centres(cells), strict=True
    ):
        assert len(outline.exterior.coords) == len(h3.cell_to_boundary(cell)) + 1
        west, south, east, north = outline.bounds
        assert east - west < 180  # in one piece, also on the antimeridian
        assert outline.is_valid
        assert south <= centre[1] <= north
        assert any(outline.contains(shapely.Point(centre[0] + turn, centre[1])) for turn in (0, 360))


@pytest.mark.parametrize(("resolution", "cell"), PENTAGONS)
def test_pentagons_have_an_outline_and_five_neighbours(resolution: int, cell: int) -> None:
    disk = np.asarray(h3.grid_disk(cell, 1))
    assert disk.size == 6
    assert len(set(hexgrid.connected_groups(disk).tolist())) == 1
    polygons = hexgrid.cell_polygons(disk)
    assert np.all(shapely.is_valid(polygons))
    assert np.all(hexgrid.cell_areas_m2(disk) > 0)
    assert hexgrid.resolution_of(disk) == resolution


@given(st.lists(PLACES, min_size=1, max_size=20), RESOLUTIONS, st.integers(0, 11), st.integers(0, 2))
def test_outlines_and_middles_are_those_of_h3_in_any_mixture(
    places: list[tuple[float, float]], resolution: int, which: int, steps: int
) -> None:
    lon, lat = np.array(places).T
    pentagon = h3.get_pentagons(resolution)[which]
    cells = np.concatenate(
        [
            hexgrid.cells_of_points(lon, np.clip(lat, -89, 89), resolution),
            h3.grid_disk(pentagon, steps),
            hexgrid.cells_of_points([180.0, -180.0], lat[[0, 0]] * 0.9, (resolution + 7) % 16),
        ]
    )
    outlines, centres = hexgrid.cell_polygons(cells), hexgrid.cell_centres(cells)
    for cell, outline, centre in zip(cells.tolist(), outlines, centres, strict=True):
        expected = np.array(h3.cell_to_boundary(cell))[:, ::-1]
        assert turns_off(shapely.get_coordinates(outline)[:-1], expected) < 1e-10
        assert turns_off(centre, h3.cell_to_latlng(cell)[::-1]) < 1e-10


def turns_off(found: ArrayLike, expected: ArrayLike) -> float:
    """Farthest in degrees, whichever way around the Earth; longitudes are worth less towards a pole."""
    off = np.atleast_2d(found) - np.atleast_2d(expected)
    off[:, 0] = (off[:, 0] - 360 * np.rint(off[:, 0] / 360)) * np.cos(
        np.radians(np.atleast_2d(expected)[:, 1])
    )
    return float(np.abs(off).max())


@pytest.mark.parametrize("resolution", range(3, 16))
def test_cells_join_without_slivers_also_over_edges_of_the_icosahedron(resolution: int) -> None:
    rng = np.random.default_rng(resolution)
    lon, lat = on_the_icosahedron(rng, 20)
    fits = np.flatnonzero((np.abs(lat) < 60) & (np.abs(lon) < 150))
    for at in rng.choice(fits, 8).tolist():
        disk = np.asarray(h3.grid_disk(h3.latlng_to_cell(lat[at], lon[at], resolution), 3), np.uint64)
        ours, theirs = (
            hexgrid.cell_polygons(disk),
            [shapely.Polygon(h3_outline(cell)) for cell in disk.tolist()],
        )
        assert n_corners(ours) <= n_corners(theirs)
        alone = [hexgrid.cell_polygons(disk[[row]])[0] for row in range(disk.size)]
        assert np.array_equal(shapely.get_coordinates(ours), shapely.get_coordinates(alone))


def test_cells_on_a_face_share_corners_to_the_last_bit() -> None:
    cells = hexgrid.cells_in(SQUARE, 9)
    joined = shapely.coverage_union_all(hexgrid.cell_polygons(cells))
    assert joined.geom_type == "Polygon"
    assert not joined.interiors


def h3_outline(cell: int) -> NDArray[np.float64]:
    return np.array(h3.cell_to_boundary(cell))[:, ::-1]


def n_corners(outlines: Any) -> int:
    return len(np.unique(shapely.get_coordinates(outlines), axis=0))


@pytest.mark.parametrize("bad", [0, 2**64 - 1, 0x8928308281FFFFF])
def test_what_is_no_cell_is_refused(bad: int) -> None:
    for ask in (hexgrid.cell_polygons, hexgrid.cell_areas_m2, hexgrid.cell_centres):
        with pytest.raises(CitygeoError) as caught:
            ask(np.array([bad], np.uint64))
        assert caught.value.code == "CG-IN-003"


def test_areas_are_those_of_geod_for_cells_of_all_kinds() -> None:
    geod = pyproj.Geod(ellps="WGS84")
    for resolution in range(11):
        cells = np.concatenate([h3.grid_disk(cell, 1) for cell in h3.get_pentagons(resolution).tolist()])
        expected = [abs(geod.polygon_area_perimeter(*h3_outline(cell).T)[0]) for cell in cells.tolist()]
        assert hexgrid.cell_areas_m2(cells) == pytest.approx(expected, rel=1e-9, abs=1e-3)


def test_areas_agree_with_the_outlines() -> None:
    cells = hexgrid.cells_in(SQUARE, 9)
    drawn = gpd.GeoSeries(hexgrid.cell_polygons(cells), crs=4326).to_crs(6933).area.to_numpy()
    assert hexgrid.cell_areas_m2(cells) == pytest.approx(drawn, rel=1e-5)


def test_no_cells_are_no_outlines_areas_centres_or_groups() -> None:
    none = np.empty(0, np.uint64)
    assert hexgrid.cell_polygons(none).shape == (0,)
    assert hexgrid.cell_areas_m2(none).shape == (0,)
    assert hexgrid.cell_centres(none).shape == (0, 2)
    assert hexgrid.connected_groups(none).shape == (0,)
    assert hexgrid.to_strings(none) == []
