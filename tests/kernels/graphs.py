"""Random small graphs in the layout of the kernels: zero weights, parallel arcs, loops, islands, on purpose."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from citygeo.modes import mode_from_dict
from citygeo.network.states import search_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.reference import Arc, Edge

CLOSED = 0xFFFFFFFF
PLAIN_MODE = mode_from_dict(
    {
        "name": "plain", "label": {"en": "Plain", "zh": "普通"}, "speed_kmh": {}, "maxspeed": False, "top_kmh": 10,
        "access": [], "closed": [], "oneway": True, "delay_s": 0, "walk_off_kmh": 3.6,
    }
)  # fmt: skip
STOP = np.zeros(1, np.uint8)
# the engines are compared on more than a thousand graphs in each run; fewer where nothing is compiled
IS_PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
MANY = settings(max_examples=20 if IS_PLAIN else 270)

weights = st.one_of(st.just(0), st.integers(1, 12), st.integers(0, 1000))


@st.composite
def arcs(draw: st.DrawFn, max_nodes: int = 10) -> tuple[int, list[Arc]]:
    """Number of nodes, and arcs between any two of them."""
    n = draw(st.integers(1, max_nodes))
    node = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(node, node, weights), max_size=3 * n))


@st.composite
def edges(draw: st.DrawFn, max_nodes: int = 7) -> tuple[int, list[Edge]]:
    """Number of nodes, and edges, each open along, against or both ways with times of their own."""
    n = draw(st.integers(1, max_nodes))
    node = st.integers(0, n - 1)
    both = st.tuples(weights, weights)
    same = weights.map(lambda ms: (ms, ms))
    oneway = st.one_of(weights.map(lambda ms: (ms, None)), weights.map(lambda ms: (None, ms)))
    times = st.one_of(both, same, oneway)
    made = st.tuples(node, node, times).map(lambda edge: (edge[0], edge[1], *edge[2]))
    return n, draw(st.lists(made, min_size=1, max_size=2 * n))


# shares that meet, that lie at the ends, and any others
shares = st.one_of(st.sampled_from((0.0, 1.0, 0.5, 0.25, 0.1)), st.floats(0.0, 1.0))


@st.composite
def places(draw: st.DrawFn, n_edges: int, max_ms: int = 30) -> tuple[int, float, int]:
    """A place on one of the edges, and the time already spent there."""
    return draw(st.integers(0, n_edges - 1)), draw(shares), draw(st.integers(0, max_ms))


def frozen(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """As a network keeps it: compiled once for both."""
    array.flags.writeable = False
    return array


def csr(n_nodes: int, listed: Sequence[Arc]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Starts and (head, ms) of arcs, by tail."""
    table = np.array(listed, np.int64).reshape(-1, 3)
    table = table[np.argsort(table[:, 0], kind="stable")]
    start = np.concatenate(([0], np.cumsum(np.bincount(table[:, 0], minlength=n_nodes))))
    return frozen(start.astype(np.uint32)), frozen(np.ascontiguousarray(table[:, 1:]).astype(np.uint32))


def edge_arrays(n_nodes: int, listed: Sequence[Edge]) -> dict[str, NDArray[np.generic]]:
    """The arrays of a network that searches need."""

    def times(place: int) -> NDArray[np.uint32]:
        return np.array([CLOSED if edge[place] is None else edge[place] for edge in listed], np.uint32)

    arrays = {
        "edge_node": np.array([edge[:2] for edge in listed], np.uint32).reshape(-1, 2),
        "edge_along_ms": times(2),
        "edge_against_ms": times(3),
        "node_lonlat": np.zeros((n_nodes, 2)),
        "edge_way_id": np.arange(len(listed)),
        "node_id": np.arange(n_nodes),
        "edge_enter_ms": np.zeros((len(listed), 2), np.uint32),
        "edge_leave_ms": np.zeros((len(listed), 2), np.uint32),
        "turn_start": np.zeros(1, np.int64),
        "turn_arc": np.empty(0, np.int64),
    }
    return {name: frozen(array) for name, array in {**arrays, **search_arrays(arrays, PLAIN_MODE)}.items()}
