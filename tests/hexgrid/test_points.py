from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError
from citygeo.hexgrid import points
from tests.h3_places import RESOLUTIONS, anywhere, hard, oracle

PLACES = st.tuples(st.floats(-360, 360), st.floats(-90, 90))


@given(st.lists(PLACES, max_size=20), st.integers(0, 15))
def test_each_point_lies_in_its_cell(places: list[tuple[float, float]], resolution: int) -> None:
    lon, lat = np.array(places).reshape(-1, 2).T
    cells = hexgrid.cells_of_points(lon, lat, resolution)
    assert cells.dtype == np.uint64
    assert cells.tolist() == [h3.latlng_to_cell(y, x, resolution) for x, y in places]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 91.0])
def test_impossible_places_are_refused_with_their_rows(bad: float) -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_of_points([0.0, 1.0, 2.0], [0.0, bad, 0.0], 9)
    assert caught.value.code == "CG-IN-003"
    assert caught.value.data["sample"] == "1"


@pytest.mark.parametrize("bad", [-1, 16, 9.5, True])
def test_resolutions_that_h3_does_not_have_are_refused(bad: float) -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_of_points([0.0], [0.0], bad)  # type: ignore[arg-type]
    assert caught.value.code == "CG-UNIT-002"


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_cells_equal_those_of_h3_also_where_they_are_hard_to_tell(resolution: int) -> None:
    rng = np.random.default_rng(100 + resolution)
    for lon, lat in (anywhere(rng, 20_000), hard(rng, 100, resolution)):
        assert np.array_equal(hexgrid.cells_of_points(lon, lat, resolution), oracle(lon, lat, resolution))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_and_chunks_change_nothing(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lon, lat = anywhere(np.random.default_rng(1), 5_000)
    whole = hexgrid.cells_of_points(lon, lat, 12)
    monkeypatch.setattr(points, "CHUNK", 700)
    assert np.array_equal(hexgrid.cells_of_points(lon, lat, 12, threads=threads), whole)


def test_points_may_be_read_only_and_not_in_one_piece() -> None:
    both = np.stack(anywhere(np.random.default_rng(2), 50), axis=1)
    expected = oracle(*both.T.copy(), 9)
    both.flags.writeable = False
    assert np.array_equal(hexgrid.cells_of_points(both[:, 0], both[:, 1], 9), expected)
    assert hexgrid.cells_of_points([], [], 9).tolist() == []


@pytest.mark.parametrize(("lon", "lat"), [([0.0, 1.0], [0.0]), ([0.0], [0.0, 1.0]), ([[0.0]], [[0.0]])])
def test_each_longitude_needs_one_latitude(lon: list[float], lat: list[float]) -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.cells_of_points(lon, lat, 9)
    assert caught.value.code == "CG-IN-004"
