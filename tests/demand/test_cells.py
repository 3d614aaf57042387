"""People of tables of H3 cells, brought to another resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from citygeo.errors import CitygeoError, CitygeoWarning
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from random import Random

pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
CENTRE = h3.latlng_to_cell(64.14, -21.9, 8)
PENTAGON = next(iter(h3.get_pentagons(8)))


def town(people: list[float], resolution: int = 9, around: str = CENTRE) -> pd.DataFrame:
    """Cells of a resolution from a disk, as many as there are people."""
    cells = sorted(h3.cell_to_children(h3.cell_to_parent(around, 7), resolution))
    index = pd.Index(cells[: len(people)], name="h3_cell")
    return pd.DataFrame({"population": people[: len(index)], "n": range(len(index))}, index=index)


PEOPLE = st.lists(st.floats(0, 1e5), min_size=1, max_size=49)


@given(PEOPLE, st.integers(0, 9), st.sampled_from([CENTRE, PENTAGON]))
def test_parents_have_the_sums_of_their_children(people: list[float], resolution: int, around: str) -> None:
    table = town(people, around=around)
    cells = cg.population(table, resolution=resolution, carry=["n"])
    parent = [h3.cell_to_parent(cell, resolution) for cell in table.index]
    micro = pd.Series(to_micro(table["population"]), index=parent).groupby(level=0).sum()
    n = pd.Series(table["n"].to_numpy(), index=parent).groupby(level=0).sum()
    is_there = (micro > 0) | (n > 0)
    assert cells.index.tolist() == sorted(micro.index[is_there])
    assert to_micro(cells["population"]).tolist() == micro[is_there].tolist()
    assert cells["n"].tolist() == n[is_there].tolist()
    assert cells["n"].dtype == np.int64
    assert cells.attrs["source"] == "cells"


@given(PEOPLE, st.integers(7, 9), st.sampled_from([CENTRE, PENTAGON]))
def test_children_give_back_what_their_parents_had(people: list[float], resolution: int, around: str) -> None:
    table = town(people, resolution=resolution, around=around)
    fine = cg.population(table, resolution=resolution + 2, carry=["n"])
    inhabited = table[(to_micro(table["population"]) > 0) | (table["n"] > 0)].sort_index()
    if inhabited.empty:
        assert fine.empty
        return
    back = cg.population(fine, resolution=resolution, carry=["n"])
    assert back.index.tolist() == inhabited.index.tolist()
    for column in ("population", "n"):
        assert to_micro(back[column]).tolist() == to_micro(inhabited[column]).tolist()
    # each child has its even share to the millionth
    for parent, own in fine["population"].groupby(
        [h3.cell_to_parent(cell, resolution) for cell in fine.index]
    ):
        share = table.loc[parent, "population"] / h3.cell_to_children_size(parent, resolution + 2)
        assert (own - share).abs().max() < 2e-6


@given(PEOPLE, st.randoms())
def test_order_does_not_matter_and_whole_people_stay_whole(people: list[float], random: Random) -> None:
    table = town([float(int(count)) for count in people]).astype({"population": np.int64})
    shuffled = table.iloc[random.sample(range(len(table)), len(table))]
    before, after = (cg.population(one, resolution=8) for one in (table, shuffled))
    pd.testing.assert_frame_equal(before, after)
    assert before["population"].dtype == np.int64
    assert before["population"].sum() == table["population"].sum()


def test_cells_of_several_resolutions_come_to_one() -> None:
    coarse, fine = CENTRE, h3.cell_to_children(h3.grid_ring(CENTRE, 1)[0], 10)
    table = pd.DataFrame({"population": [7, *([1] * len(fine))]}, index=[coarse, *fine])
    log = IssueLog()
    cells = cg.population(table, resolution=9, issues=log)
    assert cells["population"].sum() == 7 + 49
    assert sorted(cells["population"]) == [1.0] * 7 + [7.0] * 7
    assert [(issue.code, issue.count, issue.sample) for issue in log.found] == [("CG-DEM-014", 1, (coarse,))]
    with pytest.warns(CitygeoWarning, match="CG-DEM-014"):
        cg.population(table, resolution=9)


def test_cells_as_numbers_in_a_column_and_with_outlines_are_the_same() -> None:
    table = town([3, 4, 5])[["population"]]
    expected = cg.population(table, resolution=8)["population"].to_dict()
    as_numbers = table.set_axis([h3.str_to_int(cell) for cell in table.index])
    drawn = gpd.GeoDataFrame(table, geometry=[shapely.Point(0, 0)] * 3, crs=4326)
    for other in (as_numbers, table.reset_index(), drawn):
        assert cg.population(other, resolution=8)["population"].to_dict() == expected


def test_result_goes_back_in() -> None:
    cells = cg.population(town([3, 4, 5, 6]), resolution=9)
    pd.testing.assert_frame_equal(cg.population(cells, resolution=9), cells)
    assert not cells.attrs["estimate"]
    assert cg.population(cells, resolution=10).attrs["estimate"]


def test_only_cells_with_their_centre_in_the_area_count() -> None:
    table = town([1.0] * 49)
    lat, lon = h3.cell_to_latlng(CENTRE)
    lon += 1e-4  # no centre is on the border
    area = gpd.GeoSeries([shapely.box(lon, lat - 1, lon + 1, lat + 1)], crs=4326)
    log = IssueLog()
    cells = cg.population(table, resolution=9, area=area, issues=log)
    east = [cell for cell in table.index if h3.cell_to_latlng(cell)[1] >= lon]
    assert 0 < len(east) < 49
    assert cells.index.tolist() == sorted(east)
    assert [issue.code for issue in log.found] == ["CG-DEM-020"]


def test_what_is_no_table_of_cells_is_refused() -> None:
    table = town([1, 2])
    cases = [
        ("CG-IN-006", table.set_axis([table.index[0]] * 2), {}),
        ("CG-IN-006", table.set_axis([table.index[0], table.index[0].upper()]), {}),
        ("CG-IN-001", table.iloc[:0], {}),
        ("CG-IN-003", table.assign(population=[1, -1]), {}),
        ("CG-IN-005", table.set_axis(["a", "b"]), {}),
        ("CG-DEM-024", town([1], resolution=7), {"resolution": 15}),
    ]
    for code, one, options in cases:
        with pytest.raises(CitygeoError) as caught:
            cg.population(one, **options)
        assert caught.value.code == code


def test_advice_on_too_many_children_can_be_followed() -> None:
    table = pd.DataFrame({"population": [1]}, index=[h3.cell_to_parent(CENTRE, 4)])
    with pytest.raises(CitygeoError) as caught:
        cg.population(table, resolution=13)
    advice = int(str(caught.value.data["advice"]))
    assert 7 ** (advice - 4) <= 5_000_000 < 7 ** (advice + 1 - 4)
