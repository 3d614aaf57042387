"""H3 cells of what is reached, against h3-py every 20 cm of road; and the outlines of cells dissolved."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

import h3.api.numpy_int as h3
import numpy as np
import pyproj
import pytest
import shapely
from shapely.ops import substring

import citygeo as cg
from citygeo import hexgrid
from citygeo.edgeparts import EdgeParts
from citygeo.engine import Parts
from citygeo.errors import CitygeoError
from citygeo.isochrones import cells as module
from citygeo.isochrones.cells import (
    CROSSING_M,
    cell_union,
    cells_of_parts,
    cut_at_cells,
    default_resolution,
)
from citygeo.modes import mode_names, travel_mode
from citygeo.network import RoadNetwork
from citygeo.network.build import build_arrays
from tests.toy import STREET, streets, toy_mode

STEP_M = 0.2
GEOD = pyproj.Geod(ellps="WGS84")
PENTAGONS = {level: sorted(h3.get_pentagons(level).tolist()) for level in range(16)}
# longitude, latitude, resolution: Reykjavik, the equator, the south, far north; a pentagon; an edge of the icosahedron
PLACES = {
    "reykjavik": (-21.9, 64.14, 9),
    "fine": (-21.9, 64.14, 12),
    "coarse": (-21.9, 64.14, 6),
    "equator": (3.0, 0.0, 10),
    "south": (18.4, -33.9, 9),
    "north": (15.6, 78.2, 8),
    "pentagon": (10.536, 64.7, 9),
    "even pentagon": (10.536, 64.7, 10),
    "face edge": (10.8817, -25.2996, 9),
}


def net_at(lon, lat, *, n, size_m, rng):
    """Crooked roads around a place, each an edge of its own."""
    east, north = size_m / 111_320 / np.cos(np.radians(lat)), size_m / 111_320
    count = rng.integers(2, 6, n)
    places = rng.uniform(-1, 1, (count.sum(), 2)) * (east, north) + (lon, lat)
    nodes = dict.fromkeys(range(len(places)), (0.0, 0.0))
    ends = np.cumsum([0, *count])
    ways = [(tuple(range(a, b)), STREET) for a, b in pairwise(ends.tolist())]
    tables = replace(streets(nodes, ways), node_lonlat=places)
    arrays, _ = build_arrays(tables, toy_mode())
    net = RoadNetwork(arrays, toy_mode(), {"name": "toy", "sha256": "0" * 64})
    assert net.n_edges == n
    return net


def random_parts(net, rng):
    """One or two parts of most edges."""
    edge, share = [], []
    for number in range(net.n_edges):
        ends = np.sort(rng.uniform(size=4)) if number % 3 else np.array([0.0, rng.uniform(), 1.0, 1.0])
        edge += [number, number]
        share += [ends[:2], ends[1:3]]
    return EdgeParts(np.array(edge), np.array(share), rng.uniform(0, 6e5, (len(edge), 2)))


def drawn(net, number):
    """Degrees and metres of the corners of an edge."""
    start = net.arrays["shape_start"]
    corner = net.arrays["shape_lonlat"][start[number] : start[number + 1]]
    project = pyproj.Transformer.from_crs(4326, net.metric_crs, always_xy=True).transform
    steps = np.hypot(*np.diff(np.column_stack(project(*corner.T)), axis=0).T)
    return corner, np.concatenate(([0.0], np.cumsum(steps)))


def walked(net, parts, resolution):
    """Cells every 20 cm: earliest time, the same in crossings of more than 1 m, and what travel takes per metre."""
    earliest, in_long, pace = {}, {}, {}
    for edge, (low, high), (low_ms, high_ms) in zip(parts.edge.tolist(), parts.share, parts.ms, strict=True):
        corner, along = drawn(net, edge)
        begin, end = low * along[-1], high * along[-1]
        places = np.linspace(begin, end, max(int((end - begin) / STEP_M), 1) + 1)
        lon, lat = (np.interp(places, along, values).tolist() for values in corner.T)
        ms = (low_ms + (places - begin) / (end - begin) * (high_ms - low_ms)).tolist()
        cells = [h3.latlng_to_cell(*place, resolution) for place in zip(lat, lon, strict=True)]
        for cell, group in groupby(range(len(cells)), cells.__getitem__):
            rows = list(group)
            here = min(ms[rows[0]], ms[rows[-1]])
            earliest[cell] = min(earliest.get(cell, np.inf), here)
            if places[rows[-1]] - places[rows[0]] > CROSSING_M:
                in_long[cell] = min(in_long.get(cell, np.inf), here)
            pace[cell] = max(pace.get(cell, 0.0), abs(high_ms - low_ms) / (end - begin))
    return earliest, in_long, pace


def require_right(net, parts, resolution):
    cells, ms = cells_of_parts(net, parts, resolution)
    assert cells.dtype == np.uint64
    assert (np.diff(cells.astype(np.int64)) > 0).all()
    told = dict(zip(cells.tolist(), ms.tolist(), strict=True))
    earliest, in_long, pace = walked(net, parts, resolution)
    assert len(in_long) > 5
    assert not set(in_long) - set(told), "missed"
    for cell, time in told.items():
        if cell not in earliest:
            # crossed between two of the samples, or the end of a part lies just before it
            assert distance_m(net, parts, cell) <= CROSSING_M / 2
            continue
        slack = pace[cell] * (CROSSING_M / 2 + STEP_M) + 1e-6
        assert earliest[cell] - slack <= time <= in_long.get(cell, np.inf) + slack


def distance_m(net, parts, cell):
    outline = shapely.Polygon(
        pyproj.Transformer.from_crs(4326, net.metric_crs, always_xy=True).itransform(
            shapely.get_coordinates(hexgrid.cell_polygons(np.array([cell], np.uint64))).tolist()
        )
    )
    return min(
        outline.distance(substring(net.lines_metric[edge], *share, normalized=True))
        for edge, share in zip(parts.edge, parts.share, strict=True)
    )


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_cells_are_those_of_samples_every_20_cm(place):
    lon, lat, resolution = place
    rng = np.random.default_rng(7)
    side = h3.average_hexagon_edge_length(resolution, unit="m")
    net = net_at(lon, lat, n=12, size_m=max(min(4 * side, 4000), 100), rng=rng)
    if "pentagon" in place:
        assert h3.is_pentagon(h3.latlng_to_cell(lat, lon, resolution))
    if place == PLACES["face edge"]:
        assert len(h3.cell_to_boundary(h3.latlng_to_cell(lat, lon, resolution))) > 6
    require_right(net, random_parts(net, rng), resolution)


def test_cells_of_a_real_city():
    city = cg.datasets.reykjavik()
    net = city.network("fire_engine")
    area = cg.service_area(net, city.stations, minutes=[1.5, 2.5], direction="from")
    for row in range(2):
        require_right(net, area.parts[2.5][row], 10)
    runs = cut_at_cells(net, np.concatenate([parts.edge for parts in area.parts[2.5]]), 10)
    for short, long in zip(area.parts[1.5], area.parts[2.5], strict=True):
        # bands nest, at equal times, and what else was cut does not matter
        cells, ms = cells_of_parts(net, long, 10)
        again, ms_again = runs.reached_by(long)
        assert (again.tolist(), ms_again.tolist()) == (cells.tolist(), ms.tolist())
        few, few_ms = cells_of_parts(net, short, 10)
        at = np.searchsorted(cells, few)
        np.testing.assert_array_equal(cells[at], few)
        np.testing.assert_allclose(ms[at], few_ms, atol=1e-6)
        assert few.size < cells.size
        assert set(cells[ms <= 90_000]) == set(few)


def test_runs_cover_edges_without_gap():
    rng = np.random.default_rng(3)
    net = net_at(-21.9, 64.14, n=30, size_m=800, rng=rng)
    runs = cut_at_cells(net, np.array([4, 2, 4, 29, 0]), 10)
    assert np.unique(runs.edge).tolist() == [0, 2, 4, 29]
    for edge in (0, 2, 4, 29):
        own = runs.share[runs.edge == edge]
        assert (own[0, 0], own[-1, 1]) == (0.0, 1.0)
        np.testing.assert_array_equal(own[1:, 0], own[:-1, 1])
        assert (own[:, 1] > own[:, 0]).all()
        cell = runs.cell[runs.edge == edge]
        assert (cell[1:] != cell[:-1]).all()


def test_shorter_times_nest_at_every_end():
    """Parts that end anywhere, also within the metre in which an edge is cut."""
    rng = np.random.default_rng(5)
    net = net_at(-21.9, 64.14, n=40, size_m=500, rng=rng)
    edge, whole_ms = np.arange(40), rng.uniform(1e4, 1e5, 40)
    before = None
    for limit in np.linspace(1e3, 1e5, 60):
        share = np.minimum(limit / whole_ms, 1)
        parts = EdgeParts(
            edge, np.column_stack((0 * share, share)), np.column_stack((0 * share, share * whole_ms))
        )
        cells, times = cells_of_parts(net, parts, 11)
        if before is not None:
            at = np.searchsorted(cells, before[0])
            np.testing.assert_array_equal(cells[at], before[0])
            np.testing.assert_allclose(times[at], before[1], atol=1e-6)
        before = cells, times


def test_the_order_of_parts_changes_nothing():
    rng = np.random.default_rng(4)
    net = net_at(-21.9, 64.14, n=10, size_m=800, rng=rng)
    parts = random_parts(net, rng)
    turn = rng.permutation(parts.edge.size)
    cells, ms = cells_of_parts(net, parts, 10)
    again, ms_again = cells_of_parts(net, Parts(parts.edge[turn], parts.share[turn], parts.ms[turn]), 10)
    assert (again.tolist(), ms_again.tolist()) == (cells.tolist(), ms.tolist())


def test_nothing_reached_is_no_cell():
    rng = np.random.default_rng(1)
    net = net_at(0.0, 50.0, n=2, size_m=500, rng=rng)
    cells, ms = cells_of_parts(net, EdgeParts.none(), 9)
    assert (cells.dtype, cells.size, ms.size) == (np.uint64, 0, 0)
    with pytest.raises(CitygeoError, match="CG-UNIT-002"):
        cells_of_parts(net, EdgeParts.none(), 16)


def test_too_many_cells_are_refused_before_they_are_made(monkeypatch):
    rng = np.random.default_rng(1)
    net = net_at(0.0, 50.0, n=40, size_m=2000, rng=rng)
    edges = np.arange(40)
    assert np.unique(cut_at_cells(net, edges, 11).cell).size > 3000
    monkeypatch.setattr(module, "MAX_CROSSED", 3000)
    with pytest.raises(CitygeoError) as caught:
        cut_at_cells(net, edges, 11)
    assert caught.value.code == "CG-LIM-008"
    assert isinstance(caught.value, MemoryError)
    assert caught.value.data["advice"] == 10
    assert np.unique(cut_at_cells(net, edges, 10).cell).size <= 3000


@pytest.mark.parametrize("mode", mode_names())
def test_who_walks_gets_finer_cells(mode):
    assert default_resolution(travel_mode(mode)) == (10 if mode in ("walk", "wheelchair") else 9)


# --- outlines -------------------------------------------------------------------------------------


def area_m2(shape):
    return sum(
        abs(GEOD.geometry_area_perimeter(shapely.Polygon(ring))[0]) * sign
        for polygon in shape.geoms
        for sign, rings in ((1, [polygon.exterior]), (-1, polygon.interiors))
        for ring in rings
    )


def require_union(cells):
    shape = cell_union(cells)
    assert shape.geom_type == "MultiPolygon"
    assert shape.is_valid
    # no sliver and no overlap: exact but for rounding
    alone = area_m2(shapely.MultiPolygon(hexgrid.cell_polygons(cells).tolist()))
    assert area_m2(shape) == pytest.approx(alone, rel=1e-9)
    assert len(shape.geoms) == hexgrid.connected_groups(cells).max() + 1
    return shape


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_union_has_the_area_of_its_cells(place):
    lon, lat, resolution = place
    disk = h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), 7)
    rng = np.random.default_rng(2)
    for size in (1, 7, disk.size // 3, disk.size // 2, disk.size):
        require_union(rng.choice(disk, size, replace=False))
    assert len(require_union(disk).geoms[0].interiors) == 0


@pytest.mark.parametrize("resolution", [5, 8, 9, 10])
def test_union_round_every_pentagon(resolution):
    for pentagon in PENTAGONS[resolution]:
        ring = np.setdiff1d(h3.grid_disk(pentagon, 3), [pentagon])
        (polygon,) = require_union(ring).geoms
        (hole,) = polygon.interiors
        outline = hexgrid.cell_polygons(np.array([pentagon], np.uint64))[0]
        assert shapely.Polygon(hole).symmetric_difference(outline).area == pytest.approx(
            0, abs=1e-9 * outline.area
        )


def test_union_over_the_antimeridian_is_in_one_piece():
    disk = h3.grid_disk(h3.latlng_to_cell(-17.0, 180.0, 8), 4)
    (polygon,) = require_union(disk).geoms
    west, _, east, _ = polygon.bounds
    assert 179 < west < 180 < east < 181


def test_union_of_nothing_is_nothing():
    assert cell_union(np.empty(0, np.uint64)).is_empty
