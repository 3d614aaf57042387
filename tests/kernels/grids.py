"""Roads, and grids of nodes round them, for kernels that ink areas and trace outlines."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import shapely
from hypothesis import strategies as st

from citygeo._kernels.ink import OVER_M, ink
from citygeo._kernels.nearest import measure
from citygeo._kernels.rings import count_runs, trace
from citygeo.isochrones.contour import least_m
from tests import reference

AT_ONCE = 1e6  # metres per millisecond, as for an infinite speed
BLOCK = 64
WHOLE = st.tuples(st.integers(-70, 70), st.integers(-70, 70))
ANY = st.tuples(st.floats(-70, 70), st.floats(-70, 70)).map(lambda xy: (round(xy[0], 3), round(xy[1], 3)))
SHARES = st.one_of(
    st.just((0.0, 1.0)),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).filter(lambda pair: pair[1] - pair[0] > 1e-3),
)


def locked(values, dtype):
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def shapes_of(roads):
    """Corners, metres along, starts and off-ground flags of roads given as (corners, flags of their segments)."""
    corner = locked([place for corners, _ in roads for place in corners], float).reshape(-1, 2)
    start = locked(np.cumsum([0, *(len(corners) for corners, _ in roads)]), np.int64)
    along = np.empty(len(corner))
    measure(corner, start, along)
    along.flags.writeable = False
    return corner, along, start, locked([kind for _, off in roads for kind in (*off, 0)], np.uint8)


def parts_of(listed):
    """Arrays of parts given as (road, shares, times)."""
    edge, share, ms = zip(*listed, strict=True) if listed else ((), (), ())
    return (
        locked(edge, np.int64),
        locked(share, float).reshape(-1, 2),
        locked(ms, float).reshape(-1, 2),
    )


@st.composite
def roads_and_parts(draw: st.DrawFn, m_per_ms: float = 0.1):
    """Random roads with repeated corners, bridges, no length; a part or two of each."""
    roads, parts = [], []
    for road in range(draw(st.integers(1, 3))):
        corners = draw(st.lists(draw(st.sampled_from([WHOLE, ANY])), min_size=1, max_size=4))
        corners = [place for place in corners for _ in range(draw(st.sampled_from([1, 1, 1, 2])))]
        corners = corners if len(corners) > 1 else corners * 2
        roads.append((corners, [draw(st.sampled_from([0, 0, 0, 1, 2, 3])) for _ in corners[1:]]))
        length = sum(map(math.dist, corners[:-1], corners[1:]))
        for _ in range(draw(st.integers(1, 2))):
            shares = tuple(draw(SHARES))
            span = length * (shares[1] - shares[0])
            parts.append((road, shares, draw(times(span / m_per_ms if m_per_ms else 0.0))))
    return roads, parts


@st.composite
def times(draw: st.DrawFn, walk_ms: float):
    """Times at both ends of a part that is walked in `walk_ms`, at most 1000; a road may be slower than walking."""
    first = draw(st.integers(0, 1000))
    if not walk_ms:
        return first, first
    last = draw(st.integers(0, 1000))
    pace = draw(st.sampled_from([None, 0.0, 0.3, 0.9, 0.999, 1.0, 1.001, 1.1, 3.0]))
    if pace is not None:
        last = min(first + pace * walk_ms, 1000)
    return draw(st.sampled_from([(first, last), (last, first)]))


@st.composite
def rules(draw: st.DrawFn):
    """How one leaves the road, and the size of cells."""
    cell = draw(st.sampled_from([8.0, 10.0, 20.0, 33.3]))
    return {
        "limit": float(draw(st.integers(1000, 1300))),
        "m_per_ms": draw(st.sampled_from([0.0, 0.001, 0.03, 0.03, 0.1, 0.1, 1.0, AT_ONCE])),
        "trim": draw(st.sampled_from([0.0, 17.0, 40.0])),
        "least": least_m(cell),
        "cell": cell,
    }


def bodies_of(made):
    """The ground round all parts of a scene, for the oracle: radii get a micron more, as in the kernel."""
    pieces = [
        piece
        for road, shares, ms in made.parts
        for piece in reference.pieces_of(*made.roads[road], shares, ms)
    ]
    how = made.how
    trim, least = max(how["trim"], how["least"]) + OVER_M, how["least"] + OVER_M
    return reference.off_road_bodies(
        pieces, limit=how["limit"], m_per_ms=how["m_per_ms"], trim=trim, least=least
    )


def slot(n_blocks, i, j):
    """Place of a node in a table of blocks."""
    return ((j // BLOCK) * n_blocks + i // BLOCK) * BLOCK * BLOCK + j % BLOCK * BLOCK + i % BLOCK


class Grid:
    """A grid of nodes with an area on it, numbered from its first node; `is_in` is `(rows, columns)`."""

    def __init__(self, columns, rows, cell, first_i=0, first_j=0):
        self.columns, self.rows, self.cell, self.first = columns, rows, cell, (first_i, first_j)
        self.n_blocks = -(-columns // BLOCK)
        self.bits = np.zeros((rows, -(-columns // BLOCK)), np.uint64)
        self.reach = np.zeros((2, self.n_blocks * -(-rows // BLOCK) * BLOCK * BLOCK), np.uint8)

    @classmethod
    def round(cls, roads, how):
        """A grid with room for all that could be reached of roads."""
        corner = np.array([place for corners, _ in roads for place in corners])
        cell, reach = how["cell"], max(how["trim"], how["least"])
        low = [math.floor((value - reach) / cell) - 2 for value in corner.min(axis=0)]
        high = [math.ceil((value + reach) / cell) + 2 for value in corner.max(axis=0)]
        return cls(high[0] - low[0] + 1, high[1] - low[1] + 1, cell, *low)

    @classmethod
    def inked(cls, made):
        """The ground round the roads of a scene."""
        return cls.round(made.roads, made.how).ink(made.roads, made.parts, made.how)

    def ink(self, roads, parts, how, room=4):
        """Take in the ground round parts; with so much room for loose spans that they must be done again."""
        n_loose = room
        while True:
            room = n_loose
            n_loose = ink(
                *shapes_of(roads), *parts_of(parts), how["limit"], how["m_per_ms"], how["trim"], how["least"],
                self.cell, *self.first, self.bits, self.reach, self.n_blocks, np.empty((room, 3)),
            )  # fmt: skip
            if n_loose <= room:
                return self

    @property
    def is_in(self):
        column = np.arange(self.columns)
        word = self.bits[:, column // BLOCK]
        return ((word >> (column % BLOCK).astype(np.uint64)) & np.uint64(1)).astype(bool)

    @is_in.setter
    def is_in(self, is_in):
        for j, i in zip(*np.nonzero(is_in), strict=True):
            self.bits[j, i // BLOCK] |= np.uint64(1) << np.uint64(i % BLOCK)

    def place(self, i, j):
        """Where a node is, in metres."""
        return (i + self.first[0]) * self.cell, (j + self.first[1]) * self.cell

    def crossings(self):
        """Every edge between an inside and an outside node: both, and how far the area goes on by the table."""
        is_in = self.is_in
        found = []
        for table, di, dj in zip(self.reach, (1, 0), (0, 1), strict=True):
            here, there = is_in[: self.rows - dj, : self.columns - di], is_in[dj:, di:]
            for j, i in zip(*np.nonzero(here != there), strict=True):
                ends = (int(i), int(j)), (int(i) + di, int(j) + dj)
                reach = float(table[slot(self.n_blocks, i, j)]) / 256
                found.append((*(ends if here[j, i] else ends[::-1]), reach))
        return found

    def vertices(self):
        """Where outlines must cross the edges of the grid, in cells from the first node: a row each."""
        rows = []
        for (i, j), (out_i, out_j), reach in self.crossings():
            part = max(reach, 1 / 256)
            rows.append((i + (out_i - i) * part, j + (out_j - j) * part))
        return np.array(sorted(rows)).reshape(-1, 2)

    def trace(self):
        """Vertices in metres, and where rings and polygons begin."""
        start = np.empty(self.rows + 1, np.int64)
        n_crossings, n_runs = count_runs(self.bits, start), int(start[-1])
        xy = np.full((n_crossings + n_runs, 2), np.nan)
        ring, polygon = np.empty(n_runs + 1, np.int64), np.empty(n_runs + 1, np.int64)
        n = trace(
            self.bits, self.reach, self.n_blocks, start, self.cell, *self.first, xy, ring, polygon
        )  # fmt: skip
        n_rings = polygon[n]
        assert ring[n_rings] == n_crossings + n_rings
        return SimpleNamespace(xy=xy[: ring[n_rings]], ring=ring[: n_rings + 1], polygon=polygon[: n + 1])

    def shape(self):
        """The polygons as one geometry."""
        rings = self.trace()
        offsets = rings.ring, rings.polygon, np.array([0, len(rings.polygon) - 1])
        return shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, rings.xy, offsets)[0]


@st.composite
def scene(draw: st.DrawFn):
    """Roads, parts and rules."""
    how = draw(rules())
    roads, parts = draw(roads_and_parts(how["m_per_ms"]))
    return SimpleNamespace(roads=roads, parts=parts, how=how)
