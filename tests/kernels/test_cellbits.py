"""The bits of cells against h3-py."""

from __future__ import annotations

from collections import defaultdict

import h3.api.numpy_int as h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo._kernels import cellbits
from tests.h3_places import RESOLUTIONS, anywhere, oracle

RNG = np.random.default_rng(4)
CELLS = {
    level: np.concatenate([oracle(*anywhere(RNG, 30), level), h3.get_pentagons(level), h3.get_pentagons(level) + (
        np.uint64(2 << 3 * (15 - level)) if level else np.uint64(0))])
    for level in RESOLUTIONS
}  # fmt: skip
MIXED = np.concatenate(list(CELLS.values()))


def filled(kernel, dtype, cells, *arguments):
    out = np.empty(len(cells), dtype)
    kernel(np.asarray(cells, np.uint64), *arguments, out)
    return out.tolist()


def test_resolutions():
    assert filled(cellbits.resolutions, np.uint8, MIXED) == [
        h3.get_resolution(cell) for cell in MIXED.tolist()
    ]


def test_what_is_a_cell_also_with_some_bits_changed():
    flips = [MIXED ^ np.uint64(1 << bit) for bit in range(64)]
    digits = [
        MIXED & ~(np.uint64(7) << np.uint64(3 * at)) | np.uint64(at % 8) << np.uint64(3 * at)
        for at in range(15)
    ]
    numbers = np.concatenate([MIXED, *flips, *digits, np.array([0, 2**64 - 1], np.uint64)])[::3]
    expected = [h3.is_valid_cell(number) for number in numbers.tolist()]
    found = filled(cellbits.parents, np.uint64, numbers, 0)  # what is no cell has none
    assert [parent != 0 for parent in found] == expected
    assert 0.05 < np.mean(expected) < 0.95


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_parents_and_numbers_of_children(resolution):
    level = [h3.get_resolution(cell) for cell in MIXED.tolist()]
    parents = filled(cellbits.parents, np.uint64, MIXED, resolution)
    counts = filled(cellbits.children_counts, np.int64, MIXED, resolution)
    for cell, own, parent, count in zip(MIXED.tolist(), level, parents, counts, strict=True):
        assert parent == (h3.cell_to_parent(cell, resolution) if own >= resolution else 0)
        assert count == (h3.cell_to_children_size(cell, resolution) if own <= resolution else 0)


def test_what_is_no_cell_has_no_parent_and_no_children():
    assert filled(cellbits.parents, np.uint64, [0, 7, 2**64 - 1], 3) == [0, 0, 0]
    assert filled(cellbits.children_counts, np.int64, [0, 7, 2**64 - 1], 3) == [0, 0, 0]


def test_keys_order_cells_as_a_walk_down_the_hierarchy():
    def walk(cell, down):
        yield cell
        for child in sorted(h3.cell_to_children(cell).tolist()) if down else []:
            yield from walk(child, down - 1)

    start = sorted([*h3.get_pentagons(1)[:2].tolist(), *CELLS[1][:4].tolist()])
    walked = [cell for one in dict.fromkeys(start) for cell in walk(one, 2)]
    keys = filled(cellbits.hierarchy_keys, np.uint64, walked)
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("deeper", range(3))
@pytest.mark.parametrize("resolution", [0, 1, 2, 7, 8, 12])
def test_children_in_the_order_of_their_numbers(resolution, deeper):
    expected = [
        sorted(h3.cell_to_children(cell, resolution + deeper).tolist()) for cell in CELLS[resolution].tolist()
    ]
    out = np.empty(sum(map(len, expected)), np.uint64)
    cellbits.children(CELLS[resolution], resolution + deeper, out)
    assert out.tolist() == [child for own in expected for child in own]


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_rings_around_a_cell_where_they_are_sure(resolution, steps):
    cells = CELLS[resolution]
    out, is_sure = np.empty((cells.size, 3 * steps * (steps + 1)), np.uint64), np.empty(cells.size, bool)
    cellbits.disks(cells, steps, out, is_sure)
    for cell, disk, sure in zip(cells.tolist(), out.tolist(), is_sure.tolist(), strict=True):
        if sure:
            nearer = {cell}
            for ring in range(1, steps + 1):
                own = disk[3 * ring * (ring - 1) : 3 * ring * (ring + 1)]
                assert set(own) == set(h3.grid_disk(cell, ring).tolist()) - nearer
                nearer |= set(own)
    # a pentagon never is; far from the top of the hierarchy nearly all others are
    pentagons = np.isin(cells, h3.get_pentagons(resolution))
    assert not is_sure[pentagons].any()
    assert resolution < 9 or is_sure[~pentagons].mean() > 0.7


def sums(cells, values):
    cell, value = np.array(cells, np.uint64), np.asarray(values)
    out_cell, out_sum = np.empty(len(cells), np.uint64), np.empty(len(cells), value.dtype)
    slot = np.full(2 << len(cells).bit_length(), -1, np.int64)
    n = cellbits.sum_by_cell(cell, value, slot, out_cell, out_sum)
    return dict(zip(out_cell[:n].tolist(), out_sum[:n].tolist(), strict=True)), n


FEW = st.sampled_from([0, 1, 2**64 - 1, *CELLS[3][:6].tolist()])


@given(st.lists(st.tuples(FEW, st.integers(-(2**40), 2**40)), max_size=60))
def test_whole_sums_by_cell(rows):
    expected = defaultdict(int)
    for cell, value in rows:
        expected[cell] += value
    found, n = sums([cell for cell, _ in rows], np.array([value for _, value in rows], np.int64))
    assert found == expected
    assert n == len(expected)


@given(st.lists(st.tuples(FEW, st.floats(-1e6, 1e6)), max_size=60))
def test_sums_of_other_numbers_are_added_in_the_order_given(rows):
    expected = defaultdict(float)
    for cell, value in rows:
        expected[cell] += value
    assert sums([cell for cell, _ in rows], np.array([value for _, value in rows], float))[0] == expected


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_cells_side_by_side_spread_over_the_slots(resolution):
    """Neighbours differ in few bits; if they shared a slot, each would be compared with all."""
    cells = h3.grid_disk(h3.latlng_to_cell(31.2, 121.5, resolution), 14 if resolution > 1 else 3)
    last = (2 << cells.size.bit_length()) - 1
    slots = {int(cellbits._mixed(cell)) & last for cell in cells}
    assert len(slots) > 0.7 * cells.size
