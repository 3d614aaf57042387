"""
What must hold of isochrones whatever the city: relations between two answers, no numbers.

Each relation is asked of little random cities and of real ones. Facilities are given in the network's metric CRS, so
that nothing is reprojected: what nests, nests to the last bit. Contraction is compared with the raw graph in
`tests/network/test_contraction.py`.
"""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo.network import RoadNetwork
from citygeo.network.splitting import split_edges
from citygeo.network.states import search_arrays
from tests.toy import ONEWAY, STREET, network, points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = [
    pytest.mark.filterwarnings("ignore:CG-NET-011"),
    pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning"),
]

FEW = settings(
    max_examples=int(os.environ.get("CITYGEO_EXAMPLES", "5")),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # cities are small already, and drawing them takes its time
)
DRAWN = ("contour", "buffer")
METHODS = (*DRAWN, "cells")
ROAD_M = 10.0
MM = 0.001

# --- cities ---


class Case(NamedTuple):
    """A network, facilities in its metric CRS, two bands in ms; `ways` if it is a toy city."""

    net: RoadNetwork
    facilities: gpd.GeoDataFrame
    ms: tuple[int, int]
    options: dict[str, Any]
    direction: str = "from"
    ways: Sequence[tuple[Sequence[int], dict[str, str]]] = ()


BRIDGE = {**STREET, "bridge": "yes", "layer": "1"}
TUNNEL = {**STREET, "tunnel": "yes", "layer": "-1"}
BACKWARD = {**STREET, "oneway": "-1"}
TAGS = [STREET, ONEWAY, BACKWARD, {"highway": "primary"}, {"highway": "service"}, BRIDGE, TUNNEL]
# two nodes lie on top of others: no length between them
PLACES = {10 * row + col: (150.0 * col + 13 * row, 120.0 * row) for row in range(3) for col in range(4)}
PLACES |= {101: PLACES[1], 112: PLACES[12]}
LITTLE = {"trim_m": 40.0, "cell_m": 10.0, "resolution": 12, "max_snap_m": 400.0}
REAL = {"trim_m": 100.0, "cell_m": 20.0, "max_snap_m": 200.0}


def little_network(ways, mode=None):
    return network(PLACES, ways, mode)


@st.composite
def cities(draw: st.DrawFn) -> Case:
    """A street with whatever crosses it, one to three facilities on it or beside, two bands."""
    node = st.sampled_from(sorted(PLACES))
    way = st.tuples(st.lists(node, min_size=2, max_size=5), st.sampled_from(TAGS))
    ways = [([0, 1, 2, 3, 13, 23], STREET), *draw(st.lists(way, min_size=1, max_size=6))]
    net = little_network(ways)
    spots = st.one_of(
        st.tuples(st.integers(-30, 480), st.integers(-30, 270)),
        st.sampled_from([PLACES[0], PLACES[2], PLACES[23], (75.0, 0.0)]),
    )
    places = draw(st.lists(spots, min_size=1, max_size=3))
    facilities = points(places).to_crs(net.metric_crs).set_axis(list("xyz")[: len(places)])
    near, more = draw(st.integers(1_000, 40_000)), draw(st.integers(1, 40_000))
    return Case(
        net, facilities, (near, near + more), LITTLE, draw(st.sampled_from(["from", "to"])), tuple(ways)
    )


PACKAGES = Path(os.environ.get("CITYGEO_PACKAGE_DATA", "no packages"))
WUHAN = PACKAGES / "neatnet-0.1.6" / "data" / "wuhan_8989" / "original.parquet"
HELSINKI = Path(os.environ.get("CITYGEO_HELSINKI_PBF", "no Helsinki"))


def some_places(net, n, seed=7):
    """Places beside nodes of the biggest component, in the metric CRS."""
    rng = np.random.default_rng(seed)
    nodes = rng.choice(np.flatnonzero(net.components == 0), n)
    lonlat = gpd.GeoSeries(gpd.points_from_xy(*net.node_lonlat[nodes].T), crs=4326).to_crs(net.metric_crs)
    moved = shapely.transform(lonlat.to_numpy(), lambda xy: xy + rng.uniform(-30, 30, xy.shape))
    return gpd.GeoDataFrame(geometry=moved, crs=net.metric_crs, index=list("abcdef")[:n])


@pytest.fixture(scope="module", params=["reykjavik drive", "reykjavik walk", "wuhan", "helsinki"])
def real(request: pytest.FixtureRequest) -> Case:
    """Real networks; all but the sample lie in packages of others, see `.ci/run`."""
    if request.param == "reykjavik drive":
        city = cg.datasets.reykjavik()
        net = city.network("drive")
        return Case(net, city.stations.iloc[:3].to_crs(net.metric_crs), (45_000, 75_003), REAL)
    if request.param == "reykjavik walk":
        net = cg.datasets.reykjavik().network("walk")
        return Case(net, some_places(net, 3), (120_000, 240_001), REAL, "to")
    path = WUHAN if request.param == "wuhan" else HELSINKI
    if not path.is_file():
        pytest.skip("CITYGEO_PACKAGE_DATA and CITYGEO_HELSINKI_PBF name no unpacked packages")
    if path == HELSINKI:
        net = RoadNetwork.from_osm(path, mode="bike")
    else:
        lines = gpd.read_parquet(path).reset_index()
        net = RoadNetwork.from_centerlines(lines, class_column="highway", mode="drive")
    return Case(net, some_places(net, 3), (60_000, 120_000), REAL)


# --- asking ---


def ask(case, kind, *, ms=None, **changes):
    """Isochrones of a case with some things changed."""
    bands = case.ms if ms is None else ms
    options = {"direction": case.direction} | case.options | {"kind": kind} | changes
    net, facilities = options.pop("net", case.net), options.pop("facilities", case.facilities)
    return cg.isochrones(net, facilities, minutes=[band / 60_000 for band in bands], **options)


def drawn(case, method, **changes):
    """Polygons by (facility, band): the facility's place in the layer; None where dissolved."""
    table = ask(case, "polygons", method=method, **changes)
    return dict(zip(keys_of(table), map(shape_of, table.geometry), strict=True))


def keys_of(table):
    """Facility (None where dissolved) and band in ms of each row."""
    names = table["facility"].tolist() if "facility" in table else [None] * len(table)
    return list(zip(names, (table["minutes"] * 60_000).round().astype(int).tolist(), strict=True))


def shape_of(geometry):
    return shapely.MultiPolygon() if geometry is None else geometry


def bits(table):
    """Everything in a table as comparable text: geometry by its bytes, numbers by theirs."""
    frame = pd.DataFrame(table.drop(columns=table.geometry.name)).reset_index(names="label").astype(object)
    return frame.where(frame.notna(), None).assign(wkb=shapely.to_wkb(table.geometry.to_numpy(), hex=True))


def same(one, other):
    pd.testing.assert_frame_equal(bits(one), bits(other), check_exact=True)


def roads(table):
    """Union of reached stretches by facility, band and edge: [(from_m, to_m)]."""
    found = {}
    has = table[table.geometry.notna()]
    for key, edge, *ends in zip(keys_of(has), has["edge"], has["from_m"], has["to_m"], strict=True):
        found.setdefault(key, {}).setdefault(int(edge), []).append(tuple(ends))
    return {key: {edge: joined(listed) for edge, listed in by.items()} for key, by in found.items()}


def joined(stretches):
    merged = []
    for low, high in sorted(stretches):
        if merged and low <= merged[-1][1] + 1e-9:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def is_within(small, big, slack_m=1e-6):
    """Whether all stretches of one reach lie on those of another."""
    return all(
        any(a - slack_m <= low and high <= b + slack_m for a, b in big.get(edge, ()))
        for edge, listed in small.items()
        for low, high in listed
        if high - low > slack_m
    )


def total_m(by_edge):
    return sum(high - low for listed in by_edge.values() for low, high in listed)


def node_times(table, net):
    """Earliest time in s at nodes where a reached part ends, by OSM id."""
    has = table[table.geometry.notna()]
    edge = has["edge"].to_numpy(int)
    ids = net.arrays["node_id"][net.arrays["edge_node"].astype(int)[edge]]
    length = net.length_m[edge]
    found = {}
    for (u, v), at_start, at_end, first, last in zip(
        ids.tolist(), has["from_m"] == 0, has["to_m"] >= length, has["time_from_s"], has["time_to_s"], strict=True
    ):  # fmt: skip
        for node, is_there, seconds in ((u, at_start, first), (v, at_end, last)):
            if is_there:
                found[node] = min(found.get(node, math.inf), seconds)
    return found


def covers(big, small, method="contour"):
    """Whether one shape lies in another: to the last bit; overlays of buffers are rounded in their last digits."""
    if small.is_empty or shapely.covers(big, small):
        return True
    corners = shapely.points(shapely.get_coordinates(small))
    near = shapely.distance(corners, big).max(initial=0) < 1e-6
    return method == "buffer" and near and small.difference(big).area < 1e-6


def some_methods(case):
    """Methods for relations that take long: contours only of real cities."""
    return DRAWN if case.ways else ("contour",)


def least_width(case, method):
    cell = case.options["cell_m"]
    return max(ROAD_M, cell / math.sqrt(2)) if method == "contour" else ROAD_M


def turned_network(net):
    """Every direction of travel turned round."""
    arrays = dict(net.arrays)
    arrays["edge_along_ms"], arrays["edge_against_ms"] = arrays["edge_against_ms"], arrays["edge_along_ms"]
    enter, leave = arrays["edge_enter_ms"], arrays["edge_leave_ms"]
    arrays["edge_enter_ms"], arrays["edge_leave_ms"] = (
        np.ascontiguousarray(leave[:, ::-1]),
        np.ascontiguousarray(enter[:, ::-1]),
    )
    return RoadNetwork({**arrays, **search_arrays(arrays, net.mode)}, net.mode, net.source)


def far_edge(case):
    """An edge that is reached and that nobody starts on, None if there is none."""
    table = ask(case, "edges", ms=case.ms[1:])
    reached = table.loc[table.geometry.notna(), "edge"].unique()
    free = np.setdiff1d(reached, snaps_of(case)["edge"])
    return int(free[len(free) // 2]) if free.size else None


# --- relations ---

RELATIONS: list[Callable[[Case], None]] = []
LITTLE_RELATIONS: list[Callable[[Case], None]] = []  # of toy cities only


def relation(check):
    RELATIONS.append(check)
    return check


def little_relation(check):
    LITTLE_RELATIONS.append(check)
    return check


@relation
def less_time_reaches_less(case):
    by_key = roads(ask(case, "edges"))
    for name in case.facilities.index:
        assert is_within(by_key.get((name, case.ms[0]), {}), by_key.get((name, case.ms[1]), {}))
    for method in METHODS:
        shapes = drawn(case, method)
        for name in case.facilities.index:
            assert covers(shapes[name, case.ms[1]], shapes[name, case.ms[0]], method), method
    cells = ask(case, "cells")
    for _, rows in cells[cells.geometry.notna()].groupby("facility"):
        by_band = {round(band * 60_000): set(part["cell"]) for band, part in rows.groupby("minutes")}
        assert by_band.get(case.ms[0], set()) <= by_band.get(case.ms[1], set())


@relation
def bands_nest_in_degrees(case):
    degrees = case.facilities.to_crs(4326)
    for method in ("contour", "cells"):
        shapes = drawn(case, method, facilities=degrees)
        for name in case.facilities.index:
            small, big = (shapes[name, band] for band in case.ms)
            corners = shapely.points(shapely.get_coordinates(small))
            assert not corners.size or shapely.distance(corners, big).max() <= 1e-9
            assert covers(shapely.buffer(big, 1e-9), small)


@relation
def a_band_does_not_depend_on_others(case):
    for kind, method in (
        ("edges", "contour"),
        ("cells", "contour"),
        *(("polygons", each) for each in METHODS),
    ):
        both = ask(case, kind, method=method)
        for band in case.ms:
            alone = ask(case, kind, method=method, ms=[band])
            same(both[(both["minutes"] * 60_000).round() == band], alone)


@relation
def rings_partition_the_largest_disk(case):
    disks, rings = (roads(ask(case, "edges", bands=bands)) for bands in ("disks", "rings"))
    for name in case.facilities.index:
        pieces = [rings.get((name, band), {}) for band in case.ms]
        whole = disks.get((name, case.ms[1]), {})
        assert sum(map(total_m, pieces)) == pytest.approx(total_m(whole), abs=1e-3)
        assert all(is_within(piece, whole) for piece in pieces)
    for method in METHODS:
        disks, rings = (drawn(case, method, bands=bands) for bands in ("disks", "rings"))
        for name in case.facilities.index:
            inner, outer = (rings[name, band] for band in case.ms)
            whole = disks[name, case.ms[1]]
            assert inner.equals_exact(disks[name, case.ms[0]], 0)
            assert inner.intersection(outer).area <= 1e-9 * max(whole.area, 1)
            assert inner.area + outer.area == pytest.approx(whole.area, rel=1e-9)


@relation
def the_start_is_inside(case):
    for ms in ((1000,), case.ms):
        # nobody is late: the stretch to the road is charged
        near = case._replace(facilities=on_their_roads(case))
        starts = snaps_of(near).geometry
        for method in METHODS:
            shapes = drawn(near, method, ms=ms)
            for (name, _), shape in shapes.items():
                assert not shape.is_empty
                assert shape.distance(starts[name]) < MM
        assert (ask(near, "edges", ms=ms)["status"] == "ok").all()


def snaps_of(case):
    return case.net.snap(case.facilities, max_snap_m=case.options["max_snap_m"])


def on_their_roads(case):
    """The facilities moved to their places on the road: nothing is charged, and snaps are held fixed."""
    return snaps_of(case)[["geometry"]]


@relation
def all_that_is_reached_is_inside(case):
    table = ask(case, "edges")
    for method in METHODS:
        for (name, band), shape in drawn(case, method).items():
            own = (table["facility"] == name) & ((table["minutes"] * 60_000).round() == band)
            lines = table.geometry[own & table.geometry.notna()].to_numpy()
            # where a road crosses a corner of a cell for less than 1 m, the cell may be missing
            whole = shapely.buffer(shape, 1.0) if method == "cells" else shape
            assert shapely.covers(whole, lines).all(), method


@relation
def nothing_is_inside_that_is_farther_than_stated(case):
    table = ask(case, "edges")
    trim, cell = case.options["trim_m"], case.options["cell_m"]
    exact = drawn(case, "buffer")
    for method in DRAWN:
        slack = cell / math.sqrt(2) if method == "contour" else 0.0
        for (name, band), shape in drawn(case, method).items():
            own = (table["facility"] == name) & ((table["minutes"] * 60_000).round() == band)
            lines = table.geometry[own & table.geometry.notna()]
            if shape.is_empty:
                continue
            places = [*lines, snaps_of(case).geometry[name]]
            allowed = max(trim, least_width(case, method)) + slack
            assert covers(shapely.union_all(shapely.buffer(places, 1.001 * allowed, quad_segs=32)), shape)
            wider = least_width(case, method) - ROAD_M + slack
            assert covers(shapely.buffer(exact[name, band], wider + 0.01 * trim), shape)
    cells = ask(case, "cells")
    for (name, minutes), rows in cells[cells.geometry.notna()].groupby(["facility", "minutes"]):
        own = table[(table["facility"] == name) & (table["minutes"] == minutes) & table.geometry.notna()]
        lines = [*own.geometry, snaps_of(case).geometry[name]]
        # where roads pass from cell to cell is found to the metre
        assert (shapely.distance(rows.geometry.to_numpy(), shapely.union_all(lines)) < 1.0).all()


@relation
def dissolved_is_the_union(case):
    each, whole = roads(ask(case, "edges")), roads(ask(case, "edges", overlap="dissolve"))
    for band in case.ms:
        union = {}
        for name in case.facilities.index:
            for edge, listed in each.get((name, band), {}).items():
                union[edge] = joined([*union.get(edge, ()), *listed])
        # the edge a facility stands on is cut there at a whole millisecond, in one answer for its own searches only
        assert is_within(union, whole.get((None, band), {}), 0.02)
        assert is_within(whole.get((None, band), {}), union, 0.02)
    cell = case.options["cell_m"]
    for method in METHODS:
        each, whole = drawn(case, method), drawn(case, method, overlap="dissolve")
        for band in case.ms:
            parts = [each[name, band] for name in case.facilities.index]
            union, dissolved = shapely.union_all(parts), whole[None, band]
            slack = cell / math.sqrt(2) if method == "contour" else 0.0
            assert all(covers(shapely.buffer(dissolved, 0.02), part) for part in parts), method
            assert covers(shapely.buffer(union, 0.02 + slack), dissolved), method


@relation
def split_parts_tile_what_is_reached(case):
    split, whole = (ask(case, "edges", overlap=overlap) for overlap in ("split", "dissolve"))
    parts, union = roads(split), roads(whole)
    overlapping = roads(ask(case, "edges"))
    for band in case.ms:
        own = [parts.get((name, band), {}) for name in case.facilities.index]
        assert sum(map(total_m, own)) == pytest.approx(total_m(union.get((None, band), {})), abs=1e-3)
        for name, part in zip(case.facilities.index, own, strict=True):
            assert is_within(part, overlapping.get((name, band), {}), 0.02)
    for method in some_methods(case):
        tiles, dissolved = drawn(case, method, overlap="split"), drawn(case, method, overlap="dissolve")
        for band in case.ms:
            shapes = [tiles[name, band] for name in case.facilities.index]
            assert shapely.is_valid(shapes).all()
            # corners of tiles lie on a millimetre grid
            area, slack = dissolved[None, band].area, MM * (1 + shapely.length(shapes).sum())
            assert sum(shape.area for shape in shapes) == pytest.approx(area, rel=1e-6, abs=slack)
            assert shapely.union_all(shapes).area == pytest.approx(area, rel=1e-6, abs=slack)
        alone = drawn(case, method, overlap="split", ms=case.ms[:1])
        for key, shape in alone.items():
            # the corners of districts, and no more, depend on how far they go
            assert shape.symmetric_difference(tiles[key]).area <= MM * (1 + 2 * shape.length)


@relation
def to_is_from_on_the_turned_network(case):
    if case.net.arrays["turn_arc"].size:
        return  # rules of turning are not turned here
    other = "to" if case.direction == "from" else "from"
    turned = case._replace(net=turned_network(case.net), direction=other)
    one, two = ask(case, "edges"), ask(turned, "edges")
    assert one["edge"].tolist() == two["edge"].tolist()
    columns = ["from_m", "to_m", "time_from_s", "time_to_s"]
    np.testing.assert_allclose(one[columns], two[columns], atol=1e-6)
    for key, shape in drawn(case, "contour").items():
        assert shape.symmetric_difference(drawn(turned, "contour")[key]).area <= 1e-3 * max(shape.area, 1)


@relation
def a_delay_is_time_that_is_missing(case):
    delay = case.ms[0] // 2_000
    late = ask(case, "edges", delay_s=delay)
    soon = ask(case, "edges", delay_s=0, ms=[band - 1000 * delay for band in case.ms])
    assert late["edge"].tolist() == soon["edge"].tolist()
    np.testing.assert_allclose(late[["from_m", "to_m"]], soon[["from_m", "to_m"]], atol=1e-9)
    times = ["time_from_s", "time_to_s"]
    np.testing.assert_allclose(late[times], soon[times] + delay, atol=1e-6)
    for method in METHODS:
        slow = drawn(case, method, delay_s=delay).values()
        quick = drawn(case, method, delay_s=0, ms=[band - 1000 * delay for band in case.ms]).values()
        for one, two in zip(slow, quick, strict=True):
            # crossings are rounded down to 1/256 of a cell: a last bit may cost one of them that much
            assert one.symmetric_difference(two).area <= 1e-4 * max(one.area, 1), method


@relation
def exactly_on_time_is_inside_and_a_millisecond_less_is_not(case):
    first = case._replace(facilities=case.facilities.iloc[:1])
    times = node_times(ask(first, "edges", ms=case.ms[1:]), case.net)
    after = {node: seconds for node, seconds in times.items() if seconds * 1000 > 1}
    if not after:
        return
    for node in sorted(after, key=after.get)[:: max(len(after) // 3, 1)]:
        ms = round(after[node] * 1000)
        assert after[node] * 1000 == pytest.approx(ms, abs=1e-6), "times at nodes are whole milliseconds"
        on_time = node_times(ask(first, "edges", ms=[ms]), case.net)
        assert on_time.get(node) == pytest.approx(ms / 1000, abs=1e-9)
        late = node_times(ask(first, "edges", ms=[ms - 1]), case.net)
        assert node not in late


@relation
def valid_when_rounded(case):
    for method in METHODS:
        for facilities, grid in ((case.facilities, MM), (case.facilities.to_crs(4326), 1e-7)):
            is_plain = method == "contour" and facilities is case.facilities
            for overlap in ("overlap", "dissolve", "split")[: 3 if is_plain and case.ways else 1]:
                shapes = list(drawn(case, method, facilities=facilities, overlap=overlap).values())
                assert shapely.is_valid(shapes).all()
                # between circles gaps are as narrow as can be
                rounded = shapely.transform(shapes, lambda xy, grid=grid: np.round(xy / grid) * grid)
                assert method == "buffer" or shapely.is_valid(rounded).all(), (method, grid, overlap)
                outside = [shapely.get_exterior_ring(part) for part in shapely.get_parts(shapes)]
                assert shapely.is_ccw(outside).all()


@relation
def another_facility_never_lowers(case):
    fewer = case._replace(facilities=case.facilities.iloc[:-1])
    if fewer.facilities.empty:
        return
    small, big = (roads(ask(some, "edges", overlap="dissolve")) for some in (fewer, case))
    assert all(is_within(small[key], big[key], 0.02) for key in small)
    for method in METHODS:
        small, big = (drawn(some, method, overlap="dissolve") for some in (fewer, case))
        # where the other stands, edges are cut at a whole millisecond
        assert all(covers(shapely.buffer(big[key], 0.02), small[key]) for key in small), method


@relation
def a_closed_road_never_raises(case):
    """Snaps held fixed: facilities stand on roads that stay open."""
    placed = case._replace(facilities=on_their_roads(case))
    edge = far_edge(placed)
    if edge is None:
        return
    closed = case.net.without([edge])
    assert (
        closed.snap(placed.facilities)["edge"].tolist() == case.net.snap(placed.facilities)["edge"].tolist()
    )
    less, more = roads(ask(placed, "edges", net=closed)), roads(ask(placed, "edges"))
    assert all(is_within(less[key], more[key]) for key in less)
    assert all(edge not in by_edge for by_edge in less.values())
    for method in METHODS:
        less, more = drawn(placed, method, net=closed), drawn(placed, method)
        assert all(covers(more[key], less[key], method) for key in less), method


@relation
def a_barrier_never_raises(case):
    """Snaps held fixed: facilities whose own road is blocked may find another."""
    placed = case._replace(facilities=on_their_roads(case))
    west, south, east, north = placed.facilities.buffer(300).total_bounds
    line = shapely.LineString([(west, south), ((west + east) / 2, (south + north) / 2 + 7), (east, north)])
    for shape in (line, shapely.buffer(line, 12)):
        barrier = gpd.GeoDataFrame(geometry=[shape], crs=case.net.metric_crs)
        table = ask(placed, "edges", barriers=barrier)
        stays = dict(zip(table["facility"], table["snap_distance_m"] < 1e-3, strict=True))
        for method in some_methods(case):
            less, more = drawn(placed, method, barriers=barrier), drawn(placed, method)
            for (name, band), part in less.items():
                # streets are cut at the barrier at whole milliseconds; crossings are rounded to 1/256 of a cell
                slack = 0.02 + case.options["cell_m"] / 128
                whole = shapely.buffer(more[name, band], slack)
                assert not stays[name] or covers(whole, part, "buffer"), method


@relation
def everything_times_three_is_the_same(case):
    placed = case._replace(facilities=on_their_roads(case))
    slow = RoadNetwork(dict(case.net.with_speeds(1 / 3).arrays), case.net.mode, case.net.source)
    for name in ("edge_enter_ms", "edge_leave_ms", "edge_along_ms", "edge_against_ms"):
        own = case.net.arrays[name].astype(np.int64)
        tripled = slow.arrays[name].astype(np.int64)
        is_open = own != 0xFFFFFFFF
        if not (tripled[is_open] == 3 * own[is_open]).all():
            return  # delays at junctions do not scale with speeds
    one = ask(placed, "edges")
    three = ask(placed, "edges", net=slow, ms=[3 * band for band in case.ms])
    assert one["edge"].tolist() == three["edge"].tolist()
    np.testing.assert_allclose(one[["from_m", "to_m"]], three[["from_m", "to_m"]], atol=0.03)
    times = ["time_from_s", "time_to_s"]
    np.testing.assert_allclose(3 * one[times], three[times], atol=0.005)
    walk = case.net.mode.walk_off_kmh
    quick = drawn(placed, "contour", offroad_kmh=walk)
    even = drawn(placed, "contour", net=slow, ms=[3 * band for band in case.ms], offroad_kmh=walk / 3)
    for shape, other in zip(quick.values(), even.values(), strict=True):
        assert shape.symmetric_difference(other).area <= 0.002 * max(shape.area, 1)


@relation
def order_of_rows_does_not_matter(case):
    order = list(reversed(case.facilities.index))
    mixed = case._replace(facilities=case.facilities.loc[order])
    for kind, method in (
        ("edges", "contour"),
        ("cells", "contour"),
        *(("polygons", each) for each in METHODS),
    ):
        one, two = ask(case, kind, method=method), ask(mixed, kind, method=method)
        for name in order:
            same(one[one["facility"] == name], two[two["facility"] == name])


@relation
def a_cut_edge_is_the_same_road(case):
    placed = case._replace(facilities=on_their_roads(case))
    edge = far_edge(placed)
    if edge is None or case.net.arrays["turn_arc"].size:
        return
    arrays = split_edges(case.net.arrays, {edge: [0.37]}).arrays
    cut = RoadNetwork({**arrays, **search_arrays(arrays, case.net.mode)}, case.net.mode, case.net.source)
    assert cut.n_edges == case.net.n_edges + 1
    for overlap in ("overlap", "dissolve"):
        one, two = (ask(placed, "polygons", overlap=overlap, net=net) for net in (case.net, cut))
        # times at the cut are whole milliseconds
        assert one["reached_km"].tolist() == pytest.approx(two["reached_km"].tolist(), abs=2e-4)
        assert one["area_km2"].tolist() == pytest.approx(two["area_km2"].tolist(), rel=2e-3)


@relation
def the_same_in_every_crs(case):
    in_km = f"+proj=utm +zone={case.net.metric_crs.utm_zone[:-1]} +units=km"
    one = roads(ask(case, "edges"))
    shapes = drawn(case, "contour").values()
    for crs in (4490,) if case.ways else (4490, 3857, in_km):  # CGCS2000, Web Mercator, UTM in kilometres
        layer = case.facilities.to_crs(crs)
        table = ask(case, "edges", facilities=layer)
        assert table.crs == layer.crs
        two = roads(table)
        for key in one.keys() | two.keys():
            assert is_within(one.get(key, {}), two.get(key, {}), 0.02)
            assert is_within(two.get(key, {}), one.get(key, {}), 0.02)
        table = ask(case, "polygons", facilities=layer).to_crs(case.net.metric_crs)
        for shape, other in zip(shapes, table.geometry, strict=True):
            assert shape.symmetric_difference(shape_of(other)).area <= 2e-3 * max(shape.area, 1)


@relation
def threads_do_not_matter(case):
    for kind, overlap in (
        ("edges", "overlap"),
        ("edges", "dissolve"),
        ("edges", "split"),
        ("cells", "overlap"),
    ):
        same(*(ask(case, kind, overlap=overlap, threads=threads) for threads in (1, 2)))
    for method, overlap in (("contour", "overlap"), ("contour", "dissolve"), ("buffer", "overlap")):
        options = {"method": method, "overlap": overlap}
        same(*(ask(case, "polygons", threads=threads, **options) for threads in (1, 2)))


@relation
def a_saved_network_is_the_same(case):
    with tempfile.TemporaryDirectory() as folder:
        mapped = RoadNetwork.load(case.net.save(Path(folder) / "city.net"))
        for kind in ("edges", "polygons"):
            same(ask(case, kind), ask(case, kind, net=mapped))


@relation
def a_twin_changes_nothing_but_depth(case):
    twin = case.facilities.iloc[[0]].set_axis(["twin"])
    more = case._replace(facilities=pd.concat([case.facilities, twin]))
    for kind in ("edges", "polygons"):
        same(ask(case, kind, overlap="dissolve"), ask(more, kind, overlap="dissolve"))
    one, two = ask(case, "edges", overlap="split"), ask(more, "edges", overlap="split")
    same(one, two[two["facility"] != "twin"])
    assert two.loc[two["facility"] == "twin"].geometry.isna().all()
    before, after = (ask(some, "edges").arrivals(k=1) for some in (case, more))
    own = roads(ask(case, "edges")).get((case.facilities.index[0], case.ms[1]), {})
    depth = depth_by_edge(before)
    for edge, low, high, deep in after[["edge", "from_m", "to_m", "depth"]].itertuples(index=False):
        middle = (low + high) / 2
        was = next((d for a, b, d in depth.get(edge, ()) if a <= middle <= b), 0)
        is_own = any(a <= middle <= b for a, b in own.get(edge, ()))
        assert high - low < 1e-6 or deep == was + is_own


def depth_by_edge(table):
    found = {}
    for edge, *stretch in table[["edge", "from_m", "to_m", "depth"]].itertuples(index=False):
        found.setdefault(edge, []).append(tuple(stretch))
    return found


@relation
def detours_are_never_shorter(case):
    places = gpd.GeoDataFrame(geometry=case.net.snap(some_places(case.net, 6)).geometry)
    times = cg.travel_times(case.net, places, places)["time_s"].to_numpy().reshape(len(places), -1)
    through = (times[:, :, None] + times[None, :, :]).min(axis=1)
    # a place in the middle of an edge is rounded to a millisecond at every visit
    assert (times <= through + 0.003).all()
    assert (np.diag(times) == 0).all()
    if not case.net.arrays["turn_arc"].size:
        back = cg.travel_times(turned_network(case.net), places, places)["time_s"].to_numpy()
        np.testing.assert_allclose(times.T, back.reshape(times.shape), atol=0.002)


@little_relation
def two_way_cities_are_symmetric(case):
    ways = [(ids, {k: v for k, v in tags.items() if k != "oneway"}) for ids, tags in case.ways]
    net = little_network(ways)
    there, back = (roads(ask(case, "edges", net=net, direction=way)) for way in ("from", "to"))
    # where a facility cuts an edge, each direction is rounded to a millisecond by itself
    assert all(
        is_within(there[key], back[key], 0.03) and is_within(back[key], there[key], 0.03) for key in there
    )
    there, back = (ask(case, "polygons", net=net, direction=way) for way in ("from", "to"))
    assert there["area_km2"].tolist() == pytest.approx(back["area_km2"].tolist(), rel=1e-3)


@little_relation
def ground_is_what_the_contract_says(case):
    """Every place of a reached road is left by who has time left; tried place by place, node by node of the grid."""
    ways = [
        (ids, {k: v for k, v in tags.items() if k not in {"bridge", "tunnel"}}) for ids, tags in case.ways
    ]
    level = case._replace(net=little_network(ways))
    roads_m = ask(level, "edges")
    shapes = {method: drawn(level, method) for method in DRAWN}
    cell, trim = level.options["cell_m"], level.options["trim_m"]
    m_per_s = level.net.mode.walk_off_kmh / 3.6
    for (name, band), contour in shapes["contour"].items():
        own = (roads_m["facility"] == name) & ((roads_m["minutes"] * 60_000).round() == band)
        parts = roads_m[own & roads_m.geometry.notna()]
        if parts.empty:
            continue
        place, left_s = places_along(parts, band / 1000)
        grid = grid_around(parts.total_bounds, cell, trim)
        far = np.hypot(*(grid[:, None, :] - place[None, :, :]).T).T
        for method, shape in (("contour", contour), ("buffer", shapes["buffer"][name, band])):
            radius = np.clip(left_s * m_per_s, least_width(level, method), trim)
            margin = (radius - far).max(axis=1)
            inside = shapely.intersects(shape, shapely.points(grid))
            # places are tried every 0.5 m, circles of the buffer are drawn from inside
            assert inside[margin > (0.01 * trim if method == "buffer" else 1e-6)].all(), method
            assert not inside[margin < -0.6].any(), method


def places_along(parts, until_s):
    """Places every half metre along reached parts, and the seconds left there."""
    places, left = [], []
    for line, first, last in zip(parts.geometry, parts["time_from_s"], parts["time_to_s"], strict=True):
        share = np.linspace(0, 1, max(int(line.length / 0.5), 1) + 1)
        places.append(shapely.get_coordinates(shapely.line_interpolate_point(line, share, normalized=True)))
        left.append(until_s - (first + share * (last - first)))
    return np.concatenate(places), np.concatenate(left)


def grid_around(bounds, cell, margin):
    """The nodes of the grid: whole multiples of the cell."""
    low = np.floor((bounds[:2] - margin) / cell - 2).astype(int)
    high = np.ceil((bounds[2:] + margin) / cell + 2).astype(int)
    x, y = np.meshgrid(*(np.arange(a, b + 1) * cell for a, b in zip(low, high, strict=True)))
    return np.column_stack((x.ravel(), y.ravel()))


@little_relation
def crossing_in_plan_does_not_connect(case):
    """A bridge over everything with ends of its own: old roads are reached as before, it is not."""
    placed = case._replace(facilities=on_their_roads(case))
    beyond = {900: (-200.0, 91.7), 901: (700.0, 83.1)}
    over = network(PLACES | beyond, [*case.ways, ((900, 901), BRIDGE)])
    assert over.metric_crs == case.net.metric_crs
    one, two = ask(placed, "edges"), ask(placed, "edges", net=over)
    assert by_way(one, case.net) == by_way(two, over)
    for method in DRAWN:
        for key, shape in drawn(placed, method).items():
            assert drawn(placed, method, net=over)[key].symmetric_difference(shape).area <= 1e-6


def by_way(table, net):
    """Reached lines as sorted text, whatever the numbers of edges: facility, band, ends in mm, times in ms."""
    has = table[table.geometry.notna()]
    rows = []
    for name, minutes, line, first, last in zip(
        has["facility"], has["minutes"], has.geometry, has["time_from_s"], has["time_to_s"], strict=True
    ):
        if line.length < MM:
            continue
        ends = [tuple(np.round(place, 2).tolist()) for place in shapely.get_coordinates(line)[[0, -1]]]
        rows.append((name, minutes, *sorted(zip(ends, [round(first, 2), round(last, 2)], strict=True))))
    assert len(net.arrays["edge_way_id"]) == net.n_edges
    return sorted(rows)


@little_relation
def other_numbers_of_nodes_and_ways_change_nothing(case):
    old = sorted(PLACES)
    new = dict(zip(old, (1000 - 7 * i for i in range(len(old))), strict=True))
    ways = [([new[node] for node in ids], tags) for ids, tags in reversed(case.ways)]
    net = network({new[node]: place for node, place in PLACES.items()}, ways)
    placed = case._replace(facilities=on_their_roads(case))
    if set(
        map(tuple, shapely.get_coordinates(net.snap(placed.facilities).geometry).round(6).tolist())
    ) != set(map(tuple, shapely.get_coordinates(placed.facilities.geometry).round(6).tolist())):
        return
    one, two = ask(placed, "polygons"), ask(placed, "polygons", net=net)
    if is_unambiguous(placed):
        assert one["reached_km"].tolist() == pytest.approx(two["reached_km"].tolist(), abs=1e-4)
        assert one["area_km2"].tolist() == pytest.approx(two["area_km2"].tolist(), rel=1e-3)


def is_unambiguous(case):
    """Whether each facility has one nearest road only: otherwise the order of roads decides."""
    lines = case.net.lines_metric[case.net.is_open]
    near = shapely.distance(case.facilities.geometry.to_numpy()[:, None], lines) < 0.01
    return bool((near.sum(axis=1) == 1).all())


@little_relation
def a_new_road_never_lowers(case):
    """Snaps held fixed: only where the new road does not pass a facility."""
    placed = case._replace(facilities=on_their_roads(case))
    wider = little_network(
        [*case.ways, ([0, 12, 3], {"highway": "primary"}), ([20, 1], {"highway": "service"})]
    )
    if not (is_unambiguous(placed) and is_unambiguous(placed._replace(net=wider))):
        return
    less, more = (ask(placed, "edges", net=net) for net in (case.net, wider))
    for key in {*keys_of(less)}:
        lines, wide = (
            shapely.union_all(
                [line for each, line in zip(keys_of(table), table.geometry, strict=True) if each == key]
            )
            for table in (less, more)
        )
        assert shapely.covers(shapely.buffer(wide, 0.02), lines)
    for method in DRAWN:
        small, big = (drawn(placed, method, net=net) for net in (case.net, wider))
        slack = 0.02 + case.options["cell_m"] / 128
        assert all(covers(shapely.buffer(big[key], slack), small[key], method) for key in small), method


@little_relation
def idle_additions_change_no_time(case):
    """Duplicate vertices, segments without length, loops, slower parallels."""
    placed = case._replace(facilities=on_their_roads(case))
    if not is_unambiguous(placed):
        return
    ways = [([node for node in ids for _ in range(2)], tags) for ids, tags in case.ways]
    slow = {"highway": "residential", "maxspeed": "3"}
    ways += [([1, 2], slow), ([3, 13], slow), ([2, 2], STREET), ([13, 23, 13], slow)]
    net = little_network(ways)
    if not is_unambiguous(placed._replace(net=net)):
        return
    one, two = (ask(placed, "edges", net=each) for each in (case.net, net))
    for name in placed.facilities.index:
        for minutes in one["minutes"].unique():
            old, new = (
                node_times(table[(table["facility"] == name) & (table["minutes"] == minutes)], each)
                for table, each in ((one, case.net), (two, net))
            )
            common = old.keys() & set(net.arrays["node_id"].tolist())
            assert {node: new.get(node) for node in common} == pytest.approx(
                {node: old[node] for node in common}
            )


@pytest.mark.parametrize("check", [*RELATIONS, *LITTLE_RELATIONS], ids=lambda check: check.__name__)
@FEW
@given(case=cities())
def test_little_cities(check, case):
    check(case)


@pytest.mark.parametrize("check", RELATIONS, ids=lambda check: check.__name__)
def test_real_cities(check, real):
    check(real)


# what broke while this was made: edges without length where districts meet, roads that run over each other, the strip
# of a tunnel, a place at the end of a closed direction
TROUBLE = {
    "no length": ([([22, 2, 12, 23, 0], BACKWARD), ([23, 10, 1, 20, 22], TUNNEL), ([2, 2, 3], BACKWARD)],
                  [(361, 11), (111, 256), (75, 0)], (3_429, 12_828), "from"),
    "on top": ([([21, 11], {"highway": "service"}), ([0, 12], {"highway": "primary"}),
                ([13, 101, 11, 22, 11], {"highway": "primary"})],
               [(189, 77), (300, 0)], (2_749, 4_136), "to"),
    "tunnel": ([([12, 21, 23, 3], TUNNEL)], [(476, 240)], (36_950, 39_403), "to"),
    "closed end": ([([0, 22, 101, 22], ONEWAY), ([20, 20, 21], ONEWAY)],
                   [(0, 0), (476, 240)], (1_000, 1_468), "to"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(
    "check", [split_parts_tile_what_is_reached, dissolved_is_the_union, a_twin_changes_nothing_but_depth],
    ids=lambda check: check.__name__,
)  # fmt: skip
def test_cities_that_made_trouble(check, trouble):
    more, places, ms, direction = TROUBLE[trouble]
    ways = [([0, 1, 2, 3, 13, 23], STREET), *more]
    net = little_network(ways)
    facilities = points(places).to_crs(net.metric_crs).set_axis(list("xyz")[: len(places)])
    check(Case(net, facilities, ms, LITTLE, direction, ways))
