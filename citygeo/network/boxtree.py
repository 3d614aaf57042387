"""Boxes over the shapes of a network, made once per network: where the nearest road is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo import datum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork


class BoxTree(NamedTuple):
    """
    Shapes in metres and the tree of their boxes, read-only; see `citygeo._kernels.nearest`.

    Closed edges are in it too, so that networks which differ in what is closed have equal trees.

    Attributes
    ----------
    corner
        Corners of all edges in the network's metric CRS, `(c, 2)`.
    along
        Metres from the first corner of its edge to each corner, `(c,)`.
    shape_start
        Where the corners of each edge begin, `(e + 1,)`.
    run_first, run_edge
        First segment and edge of each run of up to eight segments, `(r,)`.
    box
        West, south, east, north of the runs, then of each level above them, `(b, 4)`.
    level
        Where each level of boxes begins, and the end.
    """

    corner: NDArray[np.float64]
    along: NDArray[np.float64]
    shape_start: NDArray[np.int64]
    run_first: NDArray[np.int64]
    run_edge: NDArray[np.int64]
    box: NDArray[np.float64]
    level: NDArray[np.int64]


def box_tree(network: RoadNetwork) -> BoxTree:
    """
    Return the network's tree, made on first use and kept with the network.

    Parameters
    ----------
    network
        Any network.

    Examples
    --------
    >>> import citygeo as cg
    >>> net = cg.datasets.reykjavik().network("drive")
    >>> tree = box_tree(net)
    >>> tree is box_tree(net), len(tree.corner) == len(net.arrays["shape_lonlat"])
    (True, True)
    """
    kept = vars(network)
    if "_box_tree" not in kept:
        kept["_box_tree"] = _make(network)
    tree: BoxTree = kept["_box_tree"]
    return tree


def _make(network: RoadNetwork) -> BoxTree:
    import pyproj

    project = pyproj.Transformer.from_crs(datum.WGS84, network.metric_crs, always_xy=True).transform
    corner = np.column_stack(project(*network.arrays["shape_lonlat"].T))
    return tree_of(corner, network.arrays["shape_start"].astype(np.int64))


def tree_of(corner: NDArray[np.float64], shape_start: NDArray[np.int64]) -> BoxTree:
    """
    Make the tree of shapes in metres.

    Parameters
    ----------
    corner, shape_start
        As in `BoxTree`; each shape has two corners or more.
    """
    from citygeo._kernels.nearest import measure

    along = np.empty(len(corner))
    measure(corner, shape_start, along)
    first, edge = _runs(shape_start)
    tree = BoxTree(corner, along, shape_start, first, edge, *_boxes(corner, shape_start, first, edge))
    for array in tree:
        array.flags.writeable = False
    return tree


def _runs(start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut the segments of each edge into runs."""
    from citygeo._kernels.nearest import RUN_SEGMENTS

    n_runs = -(-(np.diff(start) - 1) // RUN_SEGMENTS)
    edge = np.repeat(np.arange(n_runs.size), n_runs)
    number = np.arange(edge.size) - np.repeat(np.cumsum(n_runs) - n_runs, n_runs)
    return start[edge] + number * RUN_SEGMENTS, edge


def _boxes(
    corner: NDArray[np.float64], start: NDArray[np.int64], first: NDArray[np.int64], edge: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw boxes round the runs, then round neighbouring boxes until one is left."""
    from citygeo._kernels.nearest import FAN, RUN_SEGMENTS

    last = np.minimum(first + RUN_SEGMENTS, start[edge + 1] - 1)
    # reduceat wants ends inside the array: one more corner, that no run uses
    padded = np.vstack((corner, corner[-1:]))
    ends = np.column_stack((first, last + 1)).ravel()
    low, high = np.minimum.reduceat(padded, ends)[::2], np.maximum.reduceat(padded, ends)[::2]
    levels = [np.hstack((low, high))]
    while len(levels[-1]) > 1:
        at = np.arange(0, len(levels[-1]), FAN)
        below = levels[-1]
        low, high = np.minimum.reduceat(below[:, :2], at), np.maximum.reduceat(below[:, 2:], at)
        levels.append(np.hstack((low, high)))
    return np.vstack(levels), np.cumsum([0, *(len(boxes) for boxes in levels)])
