from __future__ import annotations

from itertools import groupby

import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError
from tests.h3_places import anywhere, oracle

CELLS = np.concatenate([oracle(*anywhere(np.random.default_rng(0), 200), 9), h3.get_pentagons(9)])
NO_CELLS = np.empty(0, np.uint64)
ROWS = st.lists(st.tuples(st.sampled_from(CELLS[:5].tolist()), st.integers(-1000, 1000)), max_size=30)


def test_mixed_resolutions_and_no_cells_have_no_resolution() -> None:
    mixed = np.array([h3.latlng_to_cell(0, 0, 8), h3.latlng_to_cell(0, 0, 9)], np.uint64)
    for cells, code in ((mixed, "CG-IN-004"), (mixed[:0], "CG-IN-001")):
        with pytest.raises(CitygeoError) as caught:
            hexgrid.resolution_of(cells)
        assert caught.value.code == code


def test_resolutions_of_cells() -> None:
    mixed = np.array([h3.latlng_to_cell(0, 0, level) for level in range(16)], np.uint64)
    assert hexgrid.resolutions(mixed).tolist() == list(range(16))
    assert hexgrid.resolutions(NO_CELLS).tolist() == []


@pytest.mark.parametrize("resolution", range(10))
def test_parents_are_those_of_h3(resolution: int) -> None:
    expected = [h3.cell_to_parent(cell, resolution) for cell in CELLS.tolist()]
    assert hexgrid.parents(CELLS, resolution).tolist() == expected


@pytest.mark.parametrize("resolution", range(9, 16))
def test_numbers_of_children_are_those_of_h3(resolution: int) -> None:
    expected = [h3.cell_to_children_size(cell, resolution) for cell in CELLS.tolist()]
    assert hexgrid.children_count(CELLS, resolution).tolist() == expected


@pytest.mark.parametrize("resolution", range(9, 13))
def test_children_are_those_of_h3(resolution: int) -> None:
    expected = [
        child for cell in CELLS.tolist() for child in np.sort(h3.cell_to_children(cell, resolution)).tolist()
    ]
    assert hexgrid.children(CELLS, resolution).tolist() == expected
    base = h3.get_res0_cells()
    expected = sorted(child for cell in base.tolist() for child in h3.cell_to_children(cell, 3).tolist())
    assert sorted(hexgrid.children(base, 3).tolist()) == expected


def test_cells_that_have_no_parent_or_child_there_are_refused_with_their_rows() -> None:
    for verb, resolution in ((hexgrid.parents, 10), (hexgrid.children_count, 8)):
        with pytest.raises(CitygeoError) as caught:
            verb(CELLS[:2], resolution)
        assert caught.value.code == "CG-IN-003"
        assert caught.value.data["sample"] == "0, 1"
    with pytest.raises(CitygeoError) as caught:
        hexgrid.parents(np.array([CELLS[0], 0, 7], np.uint64), 5)
    assert caught.value.data["sample"] == "1, 2"


@pytest.mark.parametrize("bad", [-1, 16, 9.5])
def test_parents_and_children_of_no_resolution_are_refused(bad: int) -> None:
    for verb in (hexgrid.parents, hexgrid.children_count):
        with pytest.raises(CitygeoError) as caught:
            verb(CELLS, bad)
        assert caught.value.code == "CG-UNIT-002"


def test_in_order_the_cells_of_each_parent_lie_together() -> None:
    around = h3.grid_disk(h3.latlng_to_cell(31.2, 121.5, 9), 20)
    shuffled = np.random.default_rng(1).permutation(around)
    for level in range(9):
        runs = [
            parent
            for parent, _ in groupby(hexgrid.parents(shuffled[hexgrid.order(shuffled)], level).tolist())
        ]
        assert len(runs) == len(set(runs))


def test_a_cell_comes_just_before_the_cells_in_it() -> None:
    cell = h3.latlng_to_cell(31.2, 121.5, 6)
    family = [cell, *h3.cell_to_children(cell, 7).tolist(), *h3.cell_to_children(cell, 8).tolist()]
    others = [other for other in h3.grid_disk(cell, 2).tolist() if other != cell]
    mixed = np.array(family[::-1] + others, np.uint64)
    in_order = mixed[hexgrid.order(mixed)].tolist()
    first = in_order.index(cell)
    assert set(in_order[first : first + len(family)]) == set(family)
    for child in h3.cell_to_children(cell, 7).tolist():
        at = in_order.index(child)
        assert set(in_order[at + 1 : at + 8]) == set(h3.cell_to_children(child, 8).tolist())


def test_equal_cells_keep_their_order() -> None:
    assert hexgrid.order(np.repeat(CELLS[:1], 40)).tolist() == list(range(40))
    assert hexgrid.order(NO_CELLS).tolist() == []


@given(ROWS, st.randoms())
def test_whole_sums_do_not_depend_on_the_order_of_rows(rows: list[tuple[int, int]], random: object) -> None:
    expected = (
        pd.Series([value for _, value in rows], dtype=np.int64).groupby([cell for cell, _ in rows]).sum()
    )
    for _ in range(2):
        cells, sums = hexgrid.sums_by_cell(
            np.array([cell for cell, _ in rows], np.uint64), np.array([value for _, value in rows], np.int32)
        )
        assert sums.dtype == np.int64
        assert dict(zip(cells.tolist(), sums.tolist(), strict=True)) == expected.to_dict()
        assert cells.tolist() == sorted(cells.tolist())
        random.shuffle(rows)  # type: ignore[attr-defined]


def test_sums_of_other_numbers_keep_the_total_and_what_is_missing() -> None:
    rng = np.random.default_rng(3)
    cells, values = rng.choice(CELLS, 10_000), rng.uniform(0, 100, 10_000)
    found, sums = hexgrid.sums_by_cell(cells, values)
    assert np.array_equal(found, np.unique(cells))
    assert sums.sum() == pytest.approx(values.sum(), rel=1e-12)
    assert sums == pytest.approx([values[cells == cell].sum() for cell in found], rel=1e-12)
    values[5] = np.nan
    assert np.flatnonzero(np.isnan(hexgrid.sums_by_cell(cells, values)[1])).tolist() == [
        np.searchsorted(found, cells[5])
    ]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.uint32, np.uint64, np.float32])
def test_sums_are_whole_where_they_fit(dtype: type) -> None:
    cells, sums = hexgrid.sums_by_cell(np.array([5, 5, 3], np.uint64), np.array([1, 1, 0], dtype))
    assert (cells.tolist(), sums.tolist()) == ([3, 5], [0, 2])
    assert sums.dtype == (np.float64 if dtype in {np.uint64, np.float32} else np.int64)


def test_no_rows_have_no_sums_and_each_cell_needs_one_value() -> None:
    cells, sums = hexgrid.sums_by_cell(NO_CELLS, np.empty(0))
    assert (cells.size, sums.size) == (0, 0)
    with pytest.raises(CitygeoError) as caught:
        hexgrid.sums_by_cell(CELLS[:3], [1, 2])
    assert caught.value.code == "CG-IN-004"
