from __future__ import annotations

import sys
import tracemalloc
from typing import TYPE_CHECKING

import h3.api.numpy_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError
from citygeo.hexgrid import outline as outlines
from tests.h3_places import anywhere, on_the_icosahedron, oracle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

NO_CELLS = np.empty(0, np.uint64)
START = h3.latlng_to_cell(64.14, -21.9, 9)
# cells around which sets are drawn: a plain one, pentagons, one on an edge of the icosahedron, one on the antimeridian
PENTAGONS = [cell for level in (4, 7) for cell in h3.get_pentagons(level).tolist()]
ON_AN_EDGE = [
    h3.latlng_to_cell(y, x, 8) for x, y in zip(*on_the_icosahedron(np.random.default_rng(5), 4), strict=True)
]
ANCHORS = st.one_of(
    st.sampled_from([START, h3.latlng_to_cell(-17, 180, 6)]),
    st.sampled_from(PENTAGONS),
    st.sampled_from(ON_AN_EDGE),
)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("resolution", range(0, 16, 3))
def test_neighbours_are_those_of_h3(resolution: int, k: int) -> None:
    rng = np.random.default_rng(resolution)
    cells = np.concatenate([oracle(*anywhere(rng, 100), resolution), h3.get_pentagons(resolution)])
    around_pentagons = [h3.grid_disk(cell, 2) for cell in h3.get_pentagons(resolution).tolist()]
    cells = np.concatenate([cells, *around_pentagons])
    rows, around = hexgrid.neighbours(cells, k)
    assert np.all(np.diff(rows) >= 0)
    for row, cell in enumerate(cells.tolist()):
        found = around[rows == row].tolist()
        assert len(found) == len(set(found))
        assert set(found) == set(h3.grid_disk(cell, k).tolist()) - {cell}


def test_neighbours_of_each_other() -> None:
    cells = h3.grid_disk(START, 5)
    rows, around = hexgrid.neighbours(cells, 2)
    pairs = set(zip(cells[rows].tolist(), around.tolist(), strict=True))
    inside = {pair for pair in pairs if pair[1] in set(cells.tolist())}
    assert {pair[::-1] for pair in inside} == inside


def test_neighbours_take_little_more_memory_than_disks_and_pairs() -> None:
    cells, k = h3.grid_disk(START, 25), 20
    tracemalloc.start()
    try:
        rows, around = hexgrid.neighbours(cells, k)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows.size == cells.size * 3 * k * (k + 1)
    assert peak < 1.5 * (rows.nbytes + around.nbytes) + 4 * rows.size


@pytest.mark.parametrize("bad", [0, 101, 1.5, True])
def test_rings_that_are_no_number_of_rings_are_refused(bad: int) -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.neighbours(h3.grid_disk(START, 1), bad)
    assert caught.value.code == "CG-UNIT-002"


def test_neighbours_of_no_cells_and_of_what_is_none() -> None:
    rows, around = hexgrid.neighbours(NO_CELLS)
    assert (rows.size, around.size) == (0, 0)
    for verb in (hexgrid.neighbours, hexgrid.compact, hexgrid.dissolve):
        with pytest.raises(CitygeoError) as caught:
            verb(np.array([START, 5], np.uint64))
        assert caught.value.code == "CG-IN-003"


@given(st.lists(st.sampled_from(h3.cell_to_children(h3.cell_to_parent(START, 7), 9).tolist())))
def test_compacted_cells_hold_just_the_same(cells: list[int]) -> None:
    given_cells = np.array(cells, np.uint64)
    found = hexgrid.compact(given_cells)
    assert hexgrid.uncompact(found, 9).tolist() == sorted(set(cells))
    assert sorted(found.tolist()) == (sorted(h3.compact_cells(sorted(set(cells))).tolist()) if cells else [])
    assert np.array_equal(found, found[hexgrid.order(found)])


def test_a_whole_family_is_one_cell_also_of_a_pentagon() -> None:
    for cell in (START, h3.get_pentagons(9)[0]):
        assert hexgrid.compact(h3.cell_to_children(cell, 12)).tolist() == [cell]


def test_cells_of_mixed_resolutions_have_no_outline_and_are_not_compacted() -> None:
    mixed = np.array([START, h3.cell_to_parent(START, 8)], np.uint64)
    for verb in (hexgrid.compact, hexgrid.dissolve):
        with pytest.raises(CitygeoError) as caught:
            verb(mixed)
        assert caught.value.code == "CG-IN-004"
    assert hexgrid.uncompact(mixed, 9).size == 7


def test_too_many_children_are_refused_before_they_are_made() -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.uncompact(h3.get_res0_cells(), 15)
    assert caught.value.code == "CG-LIM-002"


@settings(max_examples=150, deadline=None)
@given(ANCHORS, st.data())
def test_the_common_outline_is_the_union_of_outlines(anchor: int, data: st.DataObject) -> None:
    disk = h3.grid_disk(anchor, 3).tolist()
    cells = np.array(data.draw(st.lists(st.sampled_from(disk), min_size=1, unique=True)), np.uint64)
    outline = hexgrid.dissolve(cells)
    assert outline.is_valid
    assert len(outline.geoms) == hexgrid.connected_groups(cells).max() + 1
    assert all(shapely.is_ccw(part.exterior) for part in outline.geoms)
    ours, drawn = eastward(outline.geoms), eastward(hexgrid.cell_polygons(cells))
    assert shapely.area(ours).sum() == pytest.approx(shapely.area(drawn).sum(), rel=1e-9)
    # outlines of neighbours differ in the last digit: the slivers between them are no area
    union = shapely.union_all(drawn, grid_size=1e-11)
    assert shapely.symmetric_difference(union, shapely.MultiPolygon(ours)).area < 1e-6 * union.area


def eastward(polygons: Iterable[shapely.Polygon]) -> list[shapely.Polygon]:
    """Polygons near the antimeridian all on its western side or past it."""
    return [shapely.affinity.translate(one, 360 if one.bounds[0] < -90 else 0) for one in polygons]


def test_a_ring_of_cells_has_a_hole_and_cells_apart_are_two() -> None:
    ring = h3.grid_ring(START, 2)
    outline = hexgrid.dissolve(np.concatenate([ring, h3.grid_disk(h3.latlng_to_cell(65, -21, 9), 1)]))
    assert sorted(len(part.interiors) for part in outline.geoms) == [0, 1]
    hole = next(part.interiors[0] for part in outline.geoms if part.interiors)
    assert shapely.Polygon(hole).area == pytest.approx(hexgrid.dissolve(h3.grid_disk(START, 1)).area)


def test_an_island_in_a_lake_is_an_outline_of_its_own() -> None:
    cells = np.concatenate([h3.grid_ring(START, 4), h3.grid_ring(START, 2), h3.grid_disk(START, 0)])
    outline = hexgrid.dissolve(cells)
    assert outline.is_valid
    assert [len(part.interiors) for part in sorted(outline.geoms, key=lambda part: part.area)] == [0, 1, 1]


def test_cells_around_a_pole_have_no_outline_in_the_plane() -> None:
    pole = h3.latlng_to_cell(90.0, 0.0, 4)
    for cells in (h3.grid_disk(pole, 1), h3.grid_ring(pole, 3), h3.get_res0_cells()):
        with pytest.raises(CitygeoError) as caught:
            hexgrid.dissolve(cells)
        assert caught.value.code == "CG-HEX-001"
    assert hexgrid.dissolve(NO_CELLS).is_empty


def steps_of_python(cells: np.ndarray) -> int:
    """How many bytecodes of the module run for an outline: a measure of its work that is always the same."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        if frame.f_code.co_filename != outlines.__file__:
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert len(hexgrid.dissolve(cells).geoms) == cells.size
    finally:
        sys.settrace(before)
    return count


def test_the_work_for_an_outline_grows_with_its_groups_and_not_their_square() -> None:
    apart = h3.cell_to_children(h3.cell_to_parent(START, 5), 8)  # one middle child each: none beside another
    cells = np.array([h3.cell_to_center_child(cell, 9) for cell in apart.tolist()], np.uint64)
    assert steps_of_python(cells[:320]) < 5 * steps_of_python(cells[:80])


def reference_groups(cells: list[int]) -> list[int]:
    label: dict[int, int] = {}
    for count, start in enumerate(cells):
        stack = [] if start in label else [start]
        while stack:
            cell = stack.pop()
            label[cell] = count
            stack += [other for other in cells if other not in label and h3.are_neighbor_cells(cell, other)]
    order = list(dict.fromkeys(label[cell] for cell in cells))
    return [order.index(label[cell]) for cell in cells]


@given(st.sampled_from([*PENTAGONS, *[START] * 20]), st.data())
def test_connected_groups_equal_a_plain_search(start: int, data: st.DataObject) -> None:
    around = h3.grid_disk(start, 4).tolist()
    cells = data.draw(st.lists(st.sampled_from(around), max_size=40, unique=True))
    assert hexgrid.connected_groups(np.array(cells, np.uint64)).tolist() == reference_groups(cells)


def test_a_repeated_cell_is_in_one_group() -> None:
    cell = h3.latlng_to_cell(0, 0, 9)
    far = h3.latlng_to_cell(10, 10, 9)
    assert hexgrid.connected_groups(np.array([far, cell, far, cell], np.uint64)).tolist() == [0, 1, 0, 1]
