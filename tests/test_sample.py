"""What must hold on a real city: the Reykjavík sample, all four fire stations."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import citygeo as cg
from citygeo import hexgrid
from citygeo.edgeparts import EdgeParts, cut_lines, merge
from citygeo.engine import Places, reached_parts, search_each
from citygeo.errors import CitygeoWarning
from citygeo.network.snap import snap_points

ORIGINS = 208
CHUNK = 16
BUFFER_M = 100.0


@pytest.fixture(scope="module")
def city():
    return cg.datasets.reykjavik()


@pytest.fixture(scope="module")
def net(city):
    return city.network("fire_engine")


@pytest.fixture(scope="module")
def area(net, city):
    return cg.service_area(net, city.stations, minutes=[1, 3, 5, 8], direction="from", buffer_m=BUFFER_M)


@pytest.fixture(scope="module")
def cover(net, city):
    return cg.coverage(
        net,
        city.stations,
        demand=city.people,
        minutes=5,
        zones=city.zones,
        buildings=city.buildings,
        study_area=city.study_area,
    )


def test_findings_of_the_sample_are_told_without_alarm(cover):
    """Two homes are far from any road, finer zones are not drawn everywhere, some overlap a little: no warnings."""
    issues = cover.issues
    told = {"CG-NET-014", "CG-DEM-011", "CG-DEM-022", "CG-DEM-023", "CG-COV-006", "CG-COV-007", "CG-COV-033"}
    assert set(issues["code"]) == told | {"CG-NET-062", "CG-NET-032", "CG-NET-033", "CG-NET-052"}
    assert set(issues["severity"]) == {"info"}
    assert issues.loc[issues["code"] == "CG-NET-014", "count"].tolist() == [2]
    for code in ("CG-DEM-011", "CG-COV-006"):  # the two finer levels
        assert (issues["code"] == code).sum() == 2


def scipy_graph(net, direction):
    """Parallel arcs reduced to the quickest, since scipy would add them up; explicit zeros stay arcs."""
    graph = net.graph("from")
    tail = np.repeat(np.arange(net.n_states), np.diff(graph.start.astype(np.int64)))
    head, ms = graph.arc.astype(np.int64).T
    order = np.lexsort((ms, head, tail))
    tail, head, ms = tail[order], head[order], ms[order]
    first = np.ones(tail.size, bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    if direction == "to":
        tail, head = head, tail
    return csr_array(
        (ms[first].astype(np.float64), (tail[first], head[first])), shape=(net.n_states, net.n_states)
    )


def node_places(net, nodes):
    """Places at nodes: an end of an edge that touches it."""
    ends = net.arrays["edge_node"].astype(np.int64)
    order = np.argsort(ends.ravel(), kind="stable")
    flat = order[np.searchsorted(ends.ravel()[order], nodes)]
    return Places.one_each(flat // 2, (flat % 2).astype(float), np.zeros(len(nodes), np.int64))


@pytest.mark.parametrize("direction", ["from", "to"])
@pytest.mark.parametrize("minutes", [1, 4, 12])
@pytest.mark.parametrize("threads", [1, 2])
def test_times_equal_scipy(net, direction, minutes, threads):
    nodes = np.random.default_rng(7).choice(net.n_nodes, ORIGINS, replace=False)
    limit = minutes * 60_000
    assert net.n_states > net.n_nodes  # turn restrictions
    ours = np.full((ORIGINS, net.n_states), np.inf)

    def collect(row, found):
        ours[row, found.node] = found.ms

    search_each(net, direction, node_places(net, nodes), limit, collect, threads=threads)
    graph = scipy_graph(net, direction)
    start = net.arrays["node_depart" if direction == "from" else "node_arrive"].astype(np.int64)[nodes]
    for low in range(0, ORIGINS, CHUNK):
        rows = slice(low, low + CHUNK)
        np.testing.assert_array_equal(ours[rows], dijkstra(graph, indices=start[rows], limit=limit))
    assert np.isfinite(ours).sum() > 20 * ORIGINS


def same_parts(one, two):
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("edge", "share", "ms"))


@pytest.mark.parametrize("threads", [1, 2])
def test_row_order_and_threads_change_nothing(net, city, area, threads):
    turned = city.stations.iloc[::-1]
    again = cg.service_area(net, turned, minutes=5, direction="from", threads=threads)
    for row, label in enumerate(turned.index):
        assert same_parts(again.parts[5][row], area.parts[5][list(city.stations.index).index(label)])


def test_a_band_does_not_depend_on_the_others(net, city, area):
    alone = cg.service_area(net, city.stations, minutes=3, direction="from")
    assert all(same_parts(*pair) for pair in zip(alone.parts[3], area.parts[3], strict=True))


def is_within(inner, outer):
    """Whether each inner stretch lies in an outer one of its edge."""
    edge_in, share_in = inner
    edge_out, share_out = outer
    starts = np.lexsort((share_out[:, 0], edge_out))
    key = (
        np.searchsorted(
            edge_out[starts] + share_out[starts, 0] / 2, edge_in + share_in[:, 0] / 2 + 1e-12, side="right"
        )
        - 1
    )
    found = starts[np.maximum(key, 0)]
    return (
        (edge_out[found] == edge_in)
        & (share_out[found, 0] <= share_in[:, 0])
        & (share_out[found, 1] >= share_in[:, 1])
    )


def test_more_minutes_never_lose_an_edge_part(area):
    for less, more in zip(area.minutes, area.minutes[1:], strict=False):
        for row in range(len(area.facilities)):
            inner, outer = merge([area.parts[less][row]]), merge([area.parts[more][row]])
            assert is_within(inner, outer).all()
            assert outer[0].size > inner[0].size


def test_is_within_sees_a_part_that_sticks_out():
    outer = (np.array([3]), np.array([[0.2, 0.6]]))
    assert is_within((np.array([3]), np.array([[0.2, 0.5]])), outer).all()
    assert not is_within((np.array([3]), np.array([[0.2, 0.7]])), outer).any()
    assert not is_within((np.array([2]), np.array([[0.2, 0.5]])), outer).any()


def test_dissolved_is_the_union_of_singles(net, area):
    """Against a second way to the same ground: join the stretches of all stations first, then draw."""
    joined = cut_lines(net, *merge(area.parts[5]))
    drawn = shapely.union_all(shapely.buffer(joined, BUFFER_M, quad_segs=8))
    difference = drawn.symmetric_difference(area.metric_dissolved[5]).area
    # cutting a line elsewhere moves corners of its round ends: at most 0.5 % of a 100 m circle each
    assert difference < 1e-4 * drawn.area
    km = sum(part.length_m(net).sum() for part in area.parts[5]) / 1000
    assert area.dissolved["reached_km"].iloc[2] <= km


def test_dissolved_covers_a_point_exactly_if_some_station_reaches_it(net, city, area):
    rng = np.random.default_rng(3)
    edge, at = rng.integers(0, net.n_edges, 4000), rng.random(4000)
    places = shapely.line_interpolate_point(net.lines_metric[edge], at, normalized=True)
    points = gpd.GeoDataFrame(geometry=places, crs=net.metric_crs)
    stretch_edge, stretch = merge(area.parts[5])
    inside = np.array(
        [
            bool(((stretch_edge == e) & (stretch[:, 0] <= a) & (stretch[:, 1] >= a)).any())
            for e, a in zip(edge, at, strict=True)
        ]
    )
    with pytest.warns(CitygeoWarning, match="CG-NET-011"):  # some of the places are on islands
        near = cg.nearest(net, points, city.stations, direction="from")
    # a point drawn on a road may snap to another that crosses or doubles it: those have a different time
    own = snap_points(net, near.geometry.to_numpy(), net.metric_crs)
    same = (own.edge == edge) & (np.abs(near["time_s"] - 300) > 0.005)
    assert same.sum() > 3500
    np.testing.assert_array_equal(inside[same], (near["time_s"] <= 300)[same])


def test_one_more_station_never_lowers_coverage(net, city):
    covered = []
    for n in range(1, 5):
        some = cg.coverage(
            net, city.stations.iloc[:n], demand=city.people, minutes=5, study_area=city.study_area
        )
        covered.append((some.table["covered"], some.points["depth"]))
    for (before, depth_before), (after, depth_after) in itertools.pairwise(covered):
        assert (after >= before).all()
        assert (depth_after >= depth_before).all()
        assert after["population"] > before["population"]


def test_a_station_twice_raises_depth_by_one_where_it_reaches(net, city):
    one = city.stations.iloc[:1]
    two = city.stations.iloc[[0, 0]].reset_index(drop=True)
    single = cg.coverage(net, one, demand=city.people, minutes=5, study_area=city.study_area)
    double = cg.coverage(net, two, demand=city.people, minutes=5, study_area=city.study_area)
    np.testing.assert_array_equal(double.points["time_s"], single.points["time_s"])
    np.testing.assert_array_equal(double.points["depth"], 2 * single.points["depth"])


@pytest.mark.parametrize("minutes", [2, 5])
def test_to_is_from_on_the_reversed_network(net, city, minutes):
    there = cg.service_area(net, city.stations, minutes=minutes, direction="to")
    back = cg.service_area(net.reversed(), city.stations, minutes=minutes, direction="from")
    assert all(same_parts(*pair) for pair in zip(there.parts[minutes], back.parts[minutes], strict=True))
    forth = cg.service_area(net, city.stations, minutes=minutes, direction="from")
    assert not all(same_parts(*pair) for pair in zip(there.parts[minutes], forth.parts[minutes], strict=True))


def test_turnout_is_time_taken_from_the_minutes(net, city, area):
    """60 s of turnout within five minutes are four minutes without."""
    four = cg.service_area(net, city.stations, minutes=4, direction="from", delay_s=0)
    for late, plain in zip(area.parts[5], four.parts[4], strict=True):
        np.testing.assert_array_equal(late.edge, plain.edge)
        np.testing.assert_array_equal(late.share, plain.share)
        np.testing.assert_allclose(late.ms, plain.ms + 60_000, rtol=0, atol=1e-6)


def test_reach_of_one_minute_is_only_the_turnout(area):
    """Five minutes include the turnout; within one minute nobody has left, but for the yard."""
    assert all(len(parts) == 0 for parts in area.parts[1])


def test_no_unreached_road_lies_inside_beyond_the_buffer(net, area, capsys):
    stretch_edge, stretch = merge(area.parts[5])
    reached = cut_lines(net, stretch_edge, stretch)
    rng = np.random.default_rng(11)
    edge, at = rng.integers(0, net.n_edges, 60_000), rng.random(60_000)
    order = np.argsort(stretch_edge, kind="stable")
    first, last = (
        np.searchsorted(stretch_edge[order], edge),
        np.searchsorted(stretch_edge[order], edge, side="right"),
    )
    is_reached = np.array(
        [any(a <= x <= b for a, b in stretch[order[i:j]]) for i, j, x in zip(first, last, at, strict=True)]
    )
    points = shapely.line_interpolate_point(
        net.lines_metric[edge[~is_reached]], at[~is_reached], normalized=True
    )
    polygon = area.metric_dissolved[5]
    shapely.prepare(polygon)
    inside = points[shapely.contains(polygon, points)]
    _, distance = shapely.STRtree(reached).query_nearest(inside, return_distance=True, all_matches=False)
    wrong = int((distance > BUFFER_M).sum())
    with capsys.disabled():
        print(  # noqa: T201  # the count is part of what this test has to show
            f"\n{points.size} points on unreached roads: {inside.size} inside the polygon, "
            f"{wrong} of them farther than {BUFFER_M:g} m from a reached road"
        )
    assert points.size > 30_000
    assert wrong == 0


def test_every_station_lies_in_its_own_area(area):
    polygons = area.polygons[area.polygons["minutes"] == 5].set_index("facility")
    start = area.snaps.geometry
    assert polygons.geometry.contains(start.reindex(polygons.index)).all()


def test_polygons_are_valid_and_nested(area):
    for layer in (area.polygons, area.dissolved):
        assert layer.geometry.is_valid.all()
        assert (layer.geom_type == "MultiPolygon").all()
    shapes = [area.metric_dissolved[band] for band in area.minutes]
    for less, more in itertools.pairwise(shapes):
        assert less.difference(more).area < 1e-6 * max(more.area, 1)
    assert sum(len(part.interiors) for part in shapes[2].geoms) > 10


def test_people_are_conserved_from_municipalities_to_the_table(city, cover):
    official = city.municipalities.set_index("name")["population"]
    by_building = city.people.groupby("zone")["population"].sum()
    assert official.sum() == by_building.sum() == 228_231
    cells = cg.population(city.people, resolution=9)
    assert cells["population"].sum() == 228_231
    assert cover.cells["population"].sum() == 228_231
    assert cover.points["population"].sum() == 228_231
    assert cover.table.loc["population", "total"] == 228_231
    assert cover.depth["population"].sum() == 228_231
    zones = cover.zones[cover.zones["level"] == "municipality"].set_index("name")
    assert zones["population"].to_dict() == official.to_dict()


def test_covered_and_uncovered_are_the_whole(cover):
    covered = cover.table.loc["population", "covered"]
    assert cover.cells["covered"].sum() == covered
    assert cover.cells["covered"].sum() + cover.cells["uncovered"].sum() == 228_231
    assert cover.depth["population"].iloc[1:].sum() == covered
    within = cover.points["time_s"] <= 300
    assert cover.points["population"][within].sum() == covered
    assert ((cover.points["depth"] >= 1) == within).all()
    zones = cover.zones[cover.zones["level"] == "municipality"]
    assert zones["population_covered"].sum() == covered
    assert zones["buildings_covered"].sum() == cover.table.loc["buildings", "covered"]
    assert zones["area_covered_km2"].sum() == pytest.approx(cover.table.loc["area", "covered"], rel=1e-6)


def test_blind_spots_hold_the_uncovered_people_of_blind_cells(cover):
    blind = cover.cells[(cover.cells["population"] > 0) & (cover.cells["share"] < 0.5)]
    assert cover.blind_spots["uncovered"].sum() == blind["uncovered"].sum()
    assert cover.blind_spots["cells"].sum() == len(blind)
    assert cover.blind_spots["uncovered"].is_monotonic_decreasing
    assert set(cover.blind_spots["reason"]) <= {"too_far", "detour", "not_connected", "no_road"}
    touching = gpd.sjoin(cover.blind_spots, cover.blind_spots, predicate="intersects")
    pairs = touching[touching.index != touching["rank_right"]]
    town = pairs["zone_left"].str.split(", ").str[-1] == pairs["zone_right"].str.split(", ").str[-1]
    assert not town.any(), "two blind spots of one municipality share an edge"


def test_people_in_cells_give_about_what_people_in_buildings_give(net, city, cover):
    cells = cg.population(city.people, resolution=9)
    by_cell = cg.coverage(net, city.stations, demand=cells, minutes=5, study_area=city.study_area)
    assert by_cell.table.loc["population", "total"] == 228_231
    assert by_cell.table.loc["population", "share"] == pytest.approx(
        cover.table.loc["population", "share"], abs=0.04
    )
    assert by_cell.cells["population"].sum() == pytest.approx(228_231, abs=1e-6)


def test_cells_are_those_of_the_study_area(city, cover):
    cells = hexgrid.from_strings(cover.cells.index)
    assert (np.diff(cells.astype(object)) > 0).all()
    covered = shapely.union_all(cover.cells.geometry.to_numpy())
    assert shapely.union_all(city.study_area.geometry.to_numpy()).difference(covered).area < 1e-9


def test_searching_less_than_was_searched_is_the_smaller_search(net, city):
    """`reached_parts` may be asked for less than was searched: the answer is that of the smaller search."""
    places = cg.service_area(net, city.stations, minutes=2, direction="from").placed.places
    seen = {}

    def collect(row, found):
        seen[row] = EdgeParts.sorted(reached_parts(net, "from", places.of(row), found, 120_000))

    search_each(net, "from", places, 400_000, collect)
    small = {}

    def collect_small(row, found):
        small[row] = EdgeParts.sorted(reached_parts(net, "from", places.of(row), found, 120_000))

    search_each(net, "from", places, 120_000, collect_small)
    for row, parts in small.items():
        assert np.array_equal(parts.edge, seen[row].edge)
        assert np.array_equal(parts.share, seen[row].share)
