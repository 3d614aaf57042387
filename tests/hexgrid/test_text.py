from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError

PLACES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
RESOLUTIONS = st.integers(0, 15)


@given(st.lists(PLACES, min_size=1, max_size=20), RESOLUTIONS)
def test_text_and_back_is_the_same_cell(places: list[tuple[float, float]], resolution: int) -> None:
    lon, lat = np.array(places).T
    cells = hexgrid.cells_of_points(lon, lat, resolution)
    assert hexgrid.from_strings(hexgrid.to_strings(cells)).tolist() == cells.tolist()
    assert hexgrid.resolution_of(cells) == resolution


@pytest.mark.parametrize("bad", ["", "zz", "5", "89283082803ffff0000", "8f28308280fffff"])
def test_text_that_is_no_cell_is_refused(bad: str) -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.from_strings(["8928308280fffff", bad])
    assert caught.value.code == "CG-IN-003"
    assert caught.value.data["count"] == 1


def test_cell_index_is_told_by_its_labels() -> None:
    cells = ["8928308280fffff", "8928308280bffff"]
    assert hexgrid.has_cell_index(pd.DataFrame(index=cells))
    assert not hexgrid.has_cell_index(pd.DataFrame(index=[*cells, "way/1"]))
    assert not hexgrid.has_cell_index(pd.DataFrame(index=[1, 2]))
    assert not hexgrid.has_cell_index(pd.DataFrame(index=["-1", "+8928308280fffff"]))
    assert not hexgrid.has_cell_index(pd.DataFrame(index=[]))
