"""Places where a cell is hard to tell: on and beside edges and corners, pentagons, poles, the antimeridian."""

from __future__ import annotations

from itertools import combinations, product

import h3.api.numpy_int as h3
import numpy as np

RESOLUTIONS = range(16)


def anywhere(rng, n, most_lon=180.0):
    """Longitudes and latitudes spread evenly over the Earth."""
    return rng.uniform(-most_lon, most_lon, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def oracle(lon, lat, resolution):
    """Cells by h3-py, one by one."""
    cells = (h3.latlng_to_cell(y, x, resolution) for x, y in zip(lon.tolist(), lat.tolist(), strict=True))
    return np.fromiter(cells, np.uint64, lon.size)


def to_vectors(lat_lon):
    lat, lon = np.radians(np.asarray(lat_lon, float).reshape(-1, 2)).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def to_degrees(vectors):
    x, y, z = np.asarray(vectors, float).T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def corners():
    """Corners of the icosahedron by base cell: the middles of the pentagons."""
    pentagons = sorted(h3.get_pentagons(0).tolist())
    vectors = to_vectors([h3.cell_to_latlng(cell) for cell in pentagons])
    return dict(zip([h3.get_base_cell_number(cell) for cell in pentagons], vectors, strict=True))


def faces():
    """Base cells of the three corners of each face."""
    corner = corners()
    is_edge = {pair for pair in combinations(corner, 2) if corner[pair[0]] @ corner[pair[1]] > 0.4}
    return [three for three in combinations(corner, 3) if is_edge.issuperset(combinations(three, 2))]


def on_the_icosahedron(rng, n):
    """Corners, middles, points of the edges of faces, also beside them."""
    corner = np.array(list(corners().values()))
    index = list(corners())
    face = np.array([[corner[index.index(cell)] for cell in three] for three in faces()])
    along = rng.uniform(0, 1, (n, 1))
    of_face = face[rng.integers(0, len(face), n)]
    edges = along * of_face[:, 0] + (1 - along) * of_face[:, 1]
    exact = np.concatenate([corner, face.mean(axis=1), face[:, :2].mean(axis=1), edges])
    return beside(rng, exact)


def on_cells(rng, n, resolution):
    """Corners, middles of edges and middles of cells, also beside them; of random cells and all pentagons."""
    lon, lat = anywhere(rng, n)
    cells = np.concatenate([oracle(lon, lat, resolution), h3.get_pentagons(resolution)]).tolist()
    outlines = [to_vectors(h3.cell_to_boundary(cell)) for cell in cells]
    edges = [outline + np.roll(outline, 1, axis=0) for outline in outlines]
    middles = to_vectors([h3.cell_to_latlng(cell) for cell in cells])
    return beside(rng, np.concatenate([*outlines, *edges, middles]))


def beside(rng, vectors):
    """Places at directions, and as far away as rounding or a step over the flagged strip."""
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    off = rng.normal(size=unit.shape) * 10.0 ** rng.uniform(-16, -5, (len(unit), 1))
    return to_degrees(np.concatenate([unit, unit + off]))


def round_numbers():
    """Poles, the equator, the antimeridian, and as near to them as numbers go."""
    offs = [0.0, *(sign * 10.0**-power for sign, power in product((1, -1), (1, 5, 9, 12, 14)))]
    lon = [
        turn + off
        for turn in (-360.0, -180.0, -90.0, -0.0, 0.0, 30.0, 45.0, 90.0, 180.0, 270.0)
        for off in offs
    ]
    lat = [
        min(max(turn + off, -90.0), 90.0) for turn in (-90.0, -45.0, -0.0, 0.0, 30.0, 90.0) for off in offs
    ]
    both = np.array([place for place in product(lon, lat) if abs(place[0]) <= 360.0])
    return both[:, 0], both[:, 1]


def hard(rng, n, resolution):
    """All of these, from `n` random cells of a resolution and `n` points of edges of the icosahedron."""
    parts = [round_numbers(), on_the_icosahedron(rng, n), on_cells(rng, n, resolution)]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))
