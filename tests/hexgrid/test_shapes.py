from __future__ import annotations

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo import hexgrid

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
