"""Which vertices of lines are one node, which lines are drawn twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.drawing import GROUND, Drawing, Levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

BRIDGE, TUNNEL = -1, -2  # without a level of their own


class Nodes(NamedTuple):
    """
    The vertices of lines as nodes.

    Attributes
    ----------
    of_vertex
        The node of each vertex, `(v,)`, counted from 0.
    place
        The place of each node, `(n,)`; one place has several nodes where lines pass above each other.
    """

    of_vertex: NDArray[np.int64]
    place: NDArray[np.int64]

    def uses(self) -> NDArray[np.int64]:
        """Return how many vertices are at the node of each vertex, `(v,)`."""
        return np.bincount(self.of_vertex, minlength=self.place.size)[self.of_vertex]


def levels_of(
    level: NDArray[np.float64], is_bridge: NDArray[np.bool_], is_tunnel: NDArray[np.bool_]
) -> Levels:
    """
    Give each level a number.

    Parameters
    ----------
    level
        As stated, `(l,)`; 0 is the ground.
    is_bridge, is_tunnel
        `(l,)`; counts where no level is stated.

    Examples
    --------
    >>> levels_of(np.array([0.0, 1.0, 0.0]), np.array([False, True, True]), np.zeros(3, bool))
    Levels(level=array([ 0,  1, -1]), is_stacked=array([False, False,  True]))
    """
    _, number = np.unique(level[level != 0], return_inverse=True)
    numbered = np.full(level.size, GROUND)
    numbered[level != 0] = number + 1
    is_stacked = (level == 0) & (is_bridge | is_tunnel)
    numbered[is_stacked] = np.where(is_tunnel, TUNNEL, BRIDGE)[is_stacked]
    return Levels(numbered, is_stacked)


def nodes_of(drawing: Drawing) -> Nodes:
    """
    Join lines where they share a place.

    All lines that end at a place are joined there, with all that pass through it on the ground, and with those
    that pass through it on a level on which one of them ends. Lines that pass on one level are joined. So a line
    above or below the ground is joined with those of other levels only at its ends.

    Parameters
    ----------
    drawing
        Is not changed.

    Returns
    -------
    The nodes, in the order of their places.
    """
    level = drawing.levels.level[drawing.line]
    is_end = drawing.is_start | drawing.is_stop
    # one number for a place and a level
    base = int(drawing.levels.level.min(initial=0))
    span = int(drawing.levels.level.max(initial=0)) - base + 1
    on_level = drawing.place * span + (level - base)
    has_end = np.isin(on_level, on_level[is_end & (level != GROUND)])
    joined = np.where((level == GROUND) | has_end, drawing.place * span + (GROUND - base), on_level)
    node, of_vertex = np.unique(joined, return_inverse=True)
    return Nodes(of_vertex, node // span)


def apart_at_vertices(drawing: Drawing, nodes: Nodes) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    """
    Find the places where lines have vertices and are not joined because of their levels.

    Returns
    -------
    How many places, the lines at them, and those lines that end there.
    """
    several = np.flatnonzero(np.bincount(nodes.place) > 1)
    is_there = np.isin(drawing.place, several)
    is_end = drawing.is_start | drawing.is_stop
    return several.size, np.unique(drawing.line[is_there]), np.unique(drawing.line[is_there & is_end])


def drawn_twice(drawing: Drawing, nodes: Nodes) -> NDArray[np.bool_]:
    """
    Say which lines run through the same nodes as another, in the same or the opposite order, `(l,)`.

    Returns
    -------
    True for all but one of the lines that are the same: for each group the first in the order of rows is left out.
    """
    n_lines = drawing.levels.level.size
    size = np.bincount(drawing.line, minlength=n_lines)
    position = np.arange(drawing.line.size) - (np.cumsum(size) - size)[drawing.line]
    back = size[drawing.line] - 1 - position
    along, against = (_digest(nodes.of_vertex, order, drawing.line, n_lines) for order in (position, back))
    key = np.column_stack((np.minimum(along, against), np.maximum(along, against)))
    has_vertices = np.flatnonzero(size)
    _, first = np.unique(key[has_vertices], axis=0, return_index=True)
    is_again = size > 0
    is_again[has_vertices[first]] = False
    return is_again


def _digest(
    node: NDArray[np.int64], position: NDArray[np.int64], line: NDArray[np.int64], n_lines: int
) -> NDArray[np.uint64]:
    """Return a 64-bit number for the sequence of nodes of each line; two differ by chance once in 2**64."""
    mixed = _mix(_mix(node.astype(np.uint64)) + position.astype(np.uint64))
    digest = np.zeros(n_lines, np.uint64)
    np.add.at(digest, line, mixed)
    return digest


def _mix(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter numbers over 64 bits (the finaliser of splitmix64, Steele, Lea and Flood 2014)."""
    number = number + np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


def stretches_twice(
    drawing: Drawing, nodes: Nodes, is_left_out: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Find the segments that lie on another one.

    Parameters
    ----------
    drawing, nodes
        Lines and their nodes.
    is_left_out
        Lines that do not count, `(l,)`: those drawn twice as a whole.

    Returns
    -------
    The vertex at which each of these segments starts, but for the first of each group, and the lines of all.
    """
    vertex = np.flatnonzero(~drawing.is_stop & ~is_left_out[drawing.line])
    tail, head = nodes.of_vertex[vertex], nodes.of_vertex[vertex + 1]
    key = np.minimum(tail, head) * nodes.place.size + np.maximum(tail, head)
    order = np.argsort(key, kind="stable")
    is_again = np.diff(key[order], prepend=-1) == 0
    in_group = is_again.copy()
    in_group[:-1] |= is_again[1:]
    return vertex[order[is_again]], np.unique(drawing.line[vertex[order[in_group]]])
