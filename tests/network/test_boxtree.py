"""The boxes over the shapes: every segment in one run, every run in its box, made once."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from citygeo.network.boxtree import box_tree, tree_of
from citygeo.network.snap import snap_points
from tests.toy import STREET, grid_city, network

NET = grid_city(4)


def test_runs_hold_every_segment_once_and_never_cross_an_edge():
    size = np.array([2, 9, 10, 18, 3])  # corners: one segment, eight, nine, seventeen, two
    start = np.concatenate(([0], np.cumsum(size)))
    tree = tree_of(np.zeros((int(size.sum()), 2)), start)
    assert tree.run_edge.tolist() == [0, 1, 2, 2, 3, 3, 3, 4]
    assert tree.run_first.tolist() == [0, 2, 11, 19, 21, 29, 37, 39]


def test_boxes_hold_what_is_below_them():
    rng = np.random.default_rng(0)
    start = np.arange(0, 3 * 1000 + 1, 3)
    corner = rng.uniform(0, 1000, (3000, 2))
    tree = tree_of(corner, start)
    assert np.diff(tree.level).tolist() == [1000, 125, 16, 2, 1]
    assert tree.box[-1].tolist() == [*corner.min(axis=0), *corner.max(axis=0)]
    corners = corner.reshape(-1, 3, 2)
    np.testing.assert_array_equal(tree.box[:1000], np.hstack((corners.min(axis=1), corners.max(axis=1))))
    for below, level, above in zip(tree.level[:-2], tree.level[1:-1], tree.level[2:], strict=True):
        for i in range(level, above):
            own = tree.box[below + (i - level) * 8 : min(below + (i - level + 1) * 8, level)]
            assert tree.box[i].tolist() == [*own[:, :2].min(axis=0), *own[:, 2:].max(axis=0)]


def test_a_network_keeps_its_tree_and_nobody_can_change_it():
    tree = box_tree(NET)
    assert box_tree(NET) is tree
    assert box_tree(grid_city(1)) is not tree
    for array in tree:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_its_metres_are_those_of_the_drawn_lines():
    tree = box_tree(NET)
    np.testing.assert_array_equal(tree.corner, shapely.get_coordinates(NET.lines_metric))
    length = tree.along[tree.shape_start[1:] - 1]
    np.testing.assert_allclose(length, shapely.length(NET.lines_metric), rtol=1e-12)


def test_a_network_of_one_street_has_one_box():
    net = network({1: (0, 0), 2: (100, 0)}, [((1, 2), STREET)])
    assert box_tree(net).level.tolist() == [0, 1]
    assert snap_points(net, shapely.points([[3.0, 0.0]]), 4326).edge.tolist() == [0]
