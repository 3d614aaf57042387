from __future__ import annotations

import base64

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo.viz.packed import Packed, pack


def _varints(text: str) -> list[int]:
    values, value, shift = [], 0, 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            values.append(value)
            value = shift = 0
    return values


def unpack(packed: Packed) -> list[list[list[list[tuple[int, int]]]]]:
    """Read packed features the slow way: groups, parts, places in 1e-5 degree."""
    counts, steps = iter(_varints(packed.counts)), iter(_varints(packed.steps))
    features, lon, lat = [], 0, 0
    for n_groups in counts:
        groups = []
        for _ in range(n_groups):
            parts = []
            for _ in range(next(counts)):
                part = []
                for _ in range(next(counts)):
                    a, b = next(steps), next(steps)
                    lon += (a >> 1) ^ -(a & 1)
                    lat += (b >> 1) ^ -(b & 1)
                    part.append((lon, lat))
                parts.append(part)
            groups.append(parts)
        features.append(groups)
    return features


degrees = st.integers(-18_000_000, 18_000_000)


@given(st.lists(st.lists(st.tuples(degrees, degrees), min_size=2, max_size=5, unique=True), max_size=5))
def test_lines_come_back_to_the_step(lines: list[list[tuple[int, int]]]) -> None:
    shapes = [shapely.LineString(np.array(line) / 1e5) for line in lines]
    assert unpack(pack(shapes)) == [[[line]] for line in lines]


def test_polygons_keep_groups_and_holes_and_lose_the_closing_place() -> None:
    ring = [(0, 0), (0, 10), (10, 10), (10, 0)]
    hole = [(2, 2), (4, 2), (4, 4)]
    far = [(20, 20), (20, 30), (30, 30)]
    scaled = [np.array(part) / 1e5 for part in (ring, hole, far)]
    shape = shapely.MultiPolygon([shapely.Polygon(scaled[0], [scaled[1]]), shapely.Polygon(scaled[2])])
    assert unpack(pack([shape])) == [[[ring, hole], [far]]]


def test_points_multipoints_and_collections() -> None:
    point, pair = shapely.Point(1, 2), shapely.MultiPoint([(0, 0), (1e-5, 0)])
    both = shapely.GeometryCollection([shapely.box(0, 0, 1e-5, 1e-5), point])
    features = unpack(pack([point, pair, both]))
    assert features[0] == [[[(100_000, 200_000)]]]
    assert features[1] == [[[(0, 0)], [(1, 0)]]]
    assert [len(group) for group in features[2]] == [1, 1]


def test_nothing_packs_to_nothing() -> None:
    assert pack([]) == Packed("", "")


def test_a_hexagon_costs_less_than_forty_bytes() -> None:
    import h3

    cells = h3.grid_disk(h3.latlng_to_cell(64.13, -21.9, 9), 10)
    shapes = [shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(cell)]) for cell in cells]
    packed = pack(shapes)
    assert (len(packed.counts) + len(packed.steps)) / len(cells) < 40
