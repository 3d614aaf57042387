"""Cut edges at places along them, changing no travel time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.off_ground import GROUND
from citygeo.network.segments import segment_lengths
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SAME_PLACE_M = 0.001

Arrays = dict[str, "NDArray[np.generic]"]


class Split(NamedTuple):
    """
    A network's edges with some cut in pieces.

    Attributes
    ----------
    arrays
        Nodes, edges, shapes and turn sequences; what searches run on is gone and must be made anew.
    pieces
        Edge -> its pieces in order; the first keeps the number of the edge.
    node_at
        (edge, share) -> the node made there.
    """

    arrays: Arrays
    pieces: dict[int, list[int]]
    node_at: dict[tuple[int, float], int]


def split_edges(arrays: Mapping[str, NDArray[np.generic]], cuts: Mapping[int, list[float]]) -> Split:
    """
    Cut edges.

    Parameters
    ----------
    arrays
        Of a network.
    cuts
        Edge -> ascending shares, each above 0 and below 1.

    Returns
    -------
    The cut edges. The pieces' milliseconds add up to the edge's, by the same rounding as places on it have; delays
    stay at its ends.
    """
    from citygeo.network.store import ARRAYS

    base = {name: arrays[name] for name in ARRAYS if not name.startswith(("forward", "reverse"))}
    for name in ("edge_tail", "edge_head", "node_arrive", "node_depart"):
        del base[name]
    n_nodes, n_edges = len(base["node_id"]), len(base["edge_node"])
    pieces: dict[int, list[int]] = {}
    node_at: dict[tuple[int, float], int] = {}
    rows: list[_Pieces] = []
    for edge in sorted(cuts):
        made = _Pieces.of(base, edge, cuts[edge], n_nodes + len(node_at))
        node_at |= {(edge, share): n_nodes + len(node_at) + i for i, share in enumerate(cuts[edge])}
        numbers = [edge, *range(n_edges, n_edges + len(cuts[edge]))]
        n_edges += len(cuts[edge])
        pieces[edge] = numbers
        rows.append(made)
    if not rows:
        return Split(base, {}, {})
    return Split(_with_pieces(base, pieces, rows), pieces, node_at)


class Shape(NamedTuple):
    """The corners of an edge, and the kind of the segment from each one to the next."""

    lonlat: NDArray[np.float64]  # (c, 2)
    off_ground: NDArray[np.uint8]  # (c,)

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]], low: int, high: int) -> Shape:
        """Return the corners from one number up to another, of one edge or several."""
        return cls(
            arrays["shape_lonlat"][low:high].astype(np.float64),
            arrays["shape_off_ground"][low:high].astype(np.uint8),
        )


class _Pieces(NamedTuple):
    """The pieces of one edge: one row each, and the nodes made between them."""

    columns: dict[str, NDArray[np.generic]]
    shapes: list[Shape]
    places: NDArray[np.float64]

    @classmethod
    def of(cls, arrays: Arrays, edge: int, shares: list[float], first_node: int) -> _Pieces:
        n = len(shares) + 1
        bounds = np.array([0.0, *shares, 1.0])
        u, v = arrays["edge_node"][edge].astype(np.int64)
        stops = [int(u), *range(first_node, first_node + len(shares)), int(v)]
        low, high = arrays["shape_start"][edge : edge + 2].astype(np.int64).tolist()
        shapes = _cut_shape(Shape.of(arrays, low, high), bounds)
        columns: dict[str, NDArray[np.generic]] = {
            name: np.repeat(array[edge : edge + 1], n, axis=0)
            for name, array in arrays.items()
            if name.startswith("edge_")
        }
        columns["edge_node"] = np.array(list(pairwise(stops)), np.uint32)
        columns["edge_length_m"] = np.diff(bounds) * columns["edge_length_m"].astype(np.float64)
        for name in ("edge_along_ms", "edge_against_ms"):
            whole = int(arrays[name][edge])
            if whole != CLOSED:
                columns[name] = np.diff(np.rint(bounds * whole).astype(np.int64)).astype(np.uint32)
        # one arrives at the far end with the last piece along, with the first against; and sets out the other way
        for name, along, against in (("edge_leave_ms", n - 1, 0), ("edge_enter_ms", 0, n - 1)):
            lost = np.zeros((n, 2), np.uint32)
            lost[along, 0], lost[against, 1] = arrays[name][edge]
            columns[name] = lost
        places = np.array([shape.lonlat[-1] for shape in shapes[:-1]], np.float64).reshape(-1, 2)
        return cls(columns, shapes, places)


def _cut_shape(shape: Shape, bounds: NDArray[np.float64]) -> list[Shape]:
    """Return the vertices of each piece between shares of the length."""
    lonlat, kind = shape
    gone = np.concatenate(([0.0], np.cumsum(segment_lengths(lonlat[:-1], lonlat[1:]))))
    at = bounds * gone[-1]
    places = np.column_stack([np.interp(at, gone, lonlat[:, axis]) for axis in (0, 1)])
    places[0], places[-1] = lonlat[0], lonlat[-1]
    # the last vertex up to each cut: from there runs the segment that leads on
    before = np.minimum(np.searchsorted(gone, at + SAME_PLACE_M, side="right") - 1, len(lonlat) - 2)
    pieces = []
    for i in range(len(bounds) - 1):
        # a vertex at the cut is the cut
        inner = (gone > at[i] + SAME_PLACE_M) & (gone < at[i + 1] - SAME_PLACE_M)
        pieces.append(
            Shape(
                np.concatenate((places[i : i + 1], lonlat[inner], places[i + 1 : i + 2])),
                np.concatenate((kind[before[i] : before[i] + 1], kind[inner], [GROUND])).astype(np.uint8),
            )
        )
    return pieces


def _with_pieces(base: Arrays, pieces: dict[int, list[int]], rows: list[_Pieces]) -> Arrays:
    """Put the first piece of each cut edge in its place and the others at the end."""
    cut = np.array(sorted(pieces), np.int64)
    made: Arrays = {}
    for name in (name for name in base if name.startswith("edge_")):
        column = base[name].copy()
        column[cut] = np.stack([row.columns[name][0] for row in rows])
        made[name] = np.concatenate((column, *(row.columns[name][1:] for row in rows)))
    places = np.concatenate([row.places for row in rows])
    top = max(int(base["node_id"].max()), 0)
    made["node_id"] = np.concatenate((base["node_id"], top + 1 + np.arange(len(places))))
    made["node_lonlat"] = np.concatenate((base["node_lonlat"], places))
    first = {edge: row.shapes[0] for edge, row in zip(cut.tolist(), rows, strict=True)}
    made |= join_shapes(base, first, [shape for row in rows for shape in row.shapes[1:]])
    made |= _renumber_turns(base, pieces)
    return {**base, **made}


def join_shapes(
    base: Mapping[str, NDArray[np.generic]], replaced: Mapping[int, Shape], appended: list[Shape]
) -> Arrays:
    """Return the arrays of shapes with those of some edges replaced and more at the end."""
    start = base["shape_start"].astype(np.int64)
    size = np.diff(start)
    parts: list[Shape] = []
    low = 0
    for edge in sorted(replaced):
        parts += [Shape.of(base, low, int(start[edge])), replaced[edge]]
        low = int(start[edge + 1])
        size[edge] = len(replaced[edge].lonlat)
    parts += [Shape.of(base, low, int(start[-1])), *appended]
    sizes = np.concatenate((size, np.array([len(shape.lonlat) for shape in appended], np.int64)))
    return {
        "shape_start": np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        "shape_lonlat": np.concatenate([part.lonlat for part in parts]),
        "shape_off_ground": np.concatenate([part.off_ground for part in parts]),
    }


def _renumber_turns(base: Arrays, pieces: dict[int, list[int]]) -> Arrays:
    """Say forbidden sequences in pieces: the last of the first arc, all of the ones between, the first of the last."""
    start = base["turn_start"].astype(np.int64).tolist()
    sequences = []
    for a, b in pairwise(start):
        path: list[int] = []
        for place, arc in enumerate(base["turn_arc"][a:b].tolist()):
            steps = [2 * piece + (arc & 1) for piece in pieces.get(arc >> 1, [arc >> 1])]
            steps = steps[::-1] if arc & 1 else steps
            if place == 0:
                steps = steps[-1:]
            elif place == b - a - 1:
                steps = steps[:1]
            path += steps
        sequences.append(path)
    return {
        "turn_start": np.concatenate(([0], np.cumsum([len(path) for path in sequences]))).astype(np.int64),
        "turn_arc": np.array([arc for path in sequences for arc in path], np.int64),
    }
