"""From streets as drawn to arrays: lengths, rounding, contraction, both graphs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyproj
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from citygeo.errors import NetworkError
from citygeo.network import CLOSED
from citygeo.network.build import build_arrays, ranges
from citygeo.network.segments import segment_lengths
from tests import reference
from tests.toy import ONEWAY, STREET, edge_between, grid_city, network, streets, toy_mode

GEOD = pyproj.Geod(ellps="WGS84")
NOWHERE = 10**9

# tags, km/h along, km/h against (0 is closed), in the toy mode
TAGS = [
    (STREET, 36, 36),
    (ONEWAY, 36, 0),
    ({**STREET, "oneway": "-1"}, 0, 36),
    ({"highway": "primary"}, 72, 72),
    ({"highway": "service", "maxspeed:forward": "25", "maxspeed:backward": "15"}, 25, 15),
    ({"highway": "residential", "access": "no"}, 0, 0),
]
NODES = {10 * row + col: (97.0 * col + 13 * row, 61.0 * row) for row in range(3) for col in range(4)}
node_ids = st.sampled_from(sorted(NODES))
way_lists = st.lists(
    st.tuples(st.lists(node_ids, min_size=2, max_size=5), st.sampled_from(TAGS)), min_size=1, max_size=7
)


@given(st.floats(-180, 180), st.floats(-89, 89), st.floats(0, 360), st.floats(0.01, 20_000))
@example(20.0, 79.0, 60.0, 20_000.0)
@example(180.0, 10.0, 90.0, 500.0)
@example(-179.999, 66.0, 270.0, 400.0)
def test_segment_lengths_equal_the_geodesic(lon, lat, azimuth, metres):
    assume(abs(lat) < 80)
    far_lon, far_lat, _ = GEOD.fwd(lon, lat, azimuth, metres)
    length = segment_lengths(np.array([[lon, lat]]), np.array([[far_lon, far_lat]]))
    # 1e-15 of 180 degrees is 2e-8 m, the place of a node itself
    assert length[0] == pytest.approx(GEOD.inv(lon, lat, far_lon, far_lat)[2], rel=1e-6, abs=2e-7)


def raw_arcs(ways):
    """Arcs by node id, one per segment and open direction, and the length of all open segments."""
    arcs, total_m = [], 0.0
    tables = streets(NODES, [(ids, tags) for ids, (tags, _, _) in ways])
    place = dict(zip(tables.node_id.tolist(), tables.node_lonlat, strict=True))
    for ids, (_, along, against) in ways:
        length = segment_lengths(
            np.array([place[i] for i in ids[:-1]]), np.array([place[i] for i in ids[1:]])
        )
        um = np.rint(length * 1e6).astype(int).tolist()
        total_m += length.sum() if along or against else 0.0
        if along:
            arcs += zip(ids[:-1], ids[1:], reference.way_times(um, along), strict=True)
        if against:
            back = reference.way_times(um[::-1], against)
            arcs += zip(ids[::-1][:-1], ids[::-1][1:], back, strict=True)
    return arcs, total_m


def arcs_by_id(net, direction="from"):
    graph, ids = net.graph(direction), net.arrays["node_id"]
    tail = np.repeat(np.arange(net.n_nodes), np.diff(graph.start.astype(np.int64)))
    return list(zip(ids[tail].tolist(), ids[graph.arc[:, 0]].tolist(), graph.arc[:, 1].tolist(), strict=True))


@given(way_lists)
def test_contraction_keeps_times_and_totals(ways):
    assume(any(along or against for _, (_, along, against) in ways))
    raw, total_m = raw_arcs(ways)
    net = network(NODES, [(ids, tags) for ids, (tags, _, _) in ways])
    arcs = arcs_by_id(net)
    assert net.length_m.sum() == pytest.approx(total_m, abs=1e-6)
    assert sum(ms for *_, ms in arcs) == sum(ms for *_, ms in raw)
    kept = set(net.arrays["node_id"].tolist())
    for origin in kept:
        expected = reference.shortest_times(raw, [(origin, 0)], NOWHERE)
        found = reference.shortest_times(arcs, [(origin, 0)], NOWHERE)
        assert found == {node: ms for node, ms in expected.items() if node in kept}
    turned = [(head, tail, ms) for tail, head, ms in arcs]
    assert Counter(turned) == Counter(arcs_by_id(net, "to"))


@given(way_lists, st.randoms(use_true_random=False))
def test_order_of_ways_changes_no_time(ways, random):
    assume(any(along or against for _, (_, along, against) in ways))
    given_order = [(ids, tags) for ids, (tags, _, _) in ways]
    mixed = given_order.copy()
    random.shuffle(mixed)
    one, two = network(NODES, given_order), network(NODES, mixed)
    assert one.arrays["node_id"].tolist() == two.arrays["node_id"].tolist()
    assert Counter(arcs_by_id(one)) == Counter(arcs_by_id(two))


@given(way_lists)
def test_shapes_and_graphs_fit_the_edges(ways):
    assume(any(along or against for _, (_, along, against) in ways))
    net = network(NODES, [(ids, tags) for ids, (tags, _, _) in ways])
    arrays = net.arrays
    start = arrays["shape_start"]
    assert start[0] == 0
    assert start[-1] == len(arrays["shape_lonlat"])
    for edge in range(net.n_edges):
        shape = arrays["shape_lonlat"][start[edge] : start[edge + 1]]
        ends = net.node_lonlat[arrays["edge_node"][edge]]
        assert shape[[0, -1]].tolist() == ends.tolist()
        assert segment_lengths(shape[:-1], shape[1:]).sum() == pytest.approx(net.length_m[edge], abs=1e-9)
    for direction in ("from", "to"):
        graph, view = net.graph(direction), net.edge_view(direction)
        assert graph.start[-1] == net.n_arcs == len(graph.arc)
        for node in range(net.n_nodes):
            own = slice(int(graph.start[node]), int(graph.start[node + 1]))
            assert graph.edge[own].tolist() == sorted(graph.edge[own].tolist())
            for (head, ms), code in zip(graph.arc[own].tolist(), graph.edge[own].tolist(), strict=True):
                edge, against = code // 2, code % 2
                ends = net.arrays["edge_node"][edge].tolist()
                assert [node, head] == (ends[::-1] if against else ends)
                assert ms == (view.against_ms if against else view.along_ms)[edge] != CLOSED


@given(st.integers(1, 3000), st.lists(st.integers(1, 2999), max_size=40), st.sampled_from((30, 36, 37, 50)))
def test_extra_vertices_change_no_time(length, inner, kmh):
    places = sorted({0, length, *(x for x in inner if x < length)})
    nodes = {i: (float(x), 0.0) for i, x in enumerate(places)}
    tags = {"highway": "residential", "maxspeed": str(kmh)}
    net = network(nodes, [(range(len(places)), tags)])
    assert net.n_edges == 1
    expected = round(length * 3600 / kmh)
    assert net.arrays["edge_along_ms"].tolist() == net.arrays["edge_against_ms"].tolist() == [expected]


def test_rounding_stays_below_a_millisecond_on_a_way_with_many_junctions():
    # 501 pieces of 1 m at 37 km/h take 97.297 ms each: rounded one by one they would be 149 ms off
    nodes = {i: (float(i), 0.0) for i in range(502)} | {1000 + i: (float(i), 9.0) for i in range(1, 501)}
    ways = [(range(502), {"highway": "residential", "maxspeed": "37"})]
    ways += [((i, 1000 + i), STREET) for i in range(1, 501)]
    net = network(nodes, ways)
    is_main = net.arrays["edge_way_id"] == 1
    assert is_main.sum() == 501
    exact = 501 * 3600 / 37
    for name in ("edge_along_ms", "edge_against_ms"):
        assert abs(int(net.arrays[name][is_main].sum()) - exact) <= 0.5
        assert set(net.arrays[name][is_main].tolist()) == {97, 98}


def test_times_by_hand():
    net = network(
        {1: (0, 0), 2: (1000, 0), 3: (1000, 500)}, [((1, 2), STREET), ((3, 2), {**STREET, "oneway": "-1"})]
    )
    first, second = edge_between(net, 1, 2), edge_between(net, 2, 3)
    assert net.arrays["edge_along_ms"][[first, second]].tolist() == [100_000, 50_000]
    assert net.arrays["edge_against_ms"][[first, second]].tolist() == [100_000, int(CLOSED)]


def test_one_way_edges_run_with_the_traffic_even_when_drawn_in_pieces_against_it():
    nodes = {i: (100.0 * i, 0.0) for i in range(5)}
    against = {**STREET, "oneway": "-1"}
    net = network(nodes, [((1, 0), against), ((1, 2), ONEWAY), ((4, 3, 2), against)])
    assert net.n_edges == 1
    assert edge_between(net, 0, 4) == 0
    assert (net.arrays["edge_along_ms"][0], net.arrays["edge_against_ms"][0]) == (40_000, CLOSED)


def test_edges_run_with_the_traffic_or_as_drawn_whatever_their_ids():
    nodes = {i: (100.0 * i, 0.0) for i in range(5)}
    for tags in (ONEWAY, STREET):
        assert edge_between(network(nodes, [((4, 3, 2, 1, 0), tags)]), 4, 0) == 0
        assert edge_between(network(nodes, [((0, 1, 2, 3, 4), tags)]), 0, 4) == 0
    assert edge_between(network(nodes, [((0, 1, 2, 3, 4), {**STREET, "oneway": "-1"})]), 4, 0) == 0


def test_parallel_edges_loops_and_islands_stay():
    nodes = {1: (0, 0), 2: (100, 0), 3: (50, 50), 4: (150, 0), 5: (150, 50), 6: (900, 0), 7: (950, 0)}
    ways = [((1, 2), STREET), ((1, 3, 2), STREET), ((2, 4, 5, 2), STREET), ((6, 7), STREET)]
    net = network(nodes, ways)
    ids = net.arrays["node_id"][net.arrays["edge_node"].astype(int)]
    # nodes 1 to 2 make a ring with one way in: 1 lies on it and goes
    assert sorted(map(sorted, ids.tolist())) == [[2, 2], [2, 2], [6, 7]]
    assert net.length_m.sum() == pytest.approx(
        100 + 2 * np.hypot(50, 50) + 50 + 50 + np.hypot(50, 50) + 50, abs=1e-3
    )


def test_a_way_of_one_place_takes_no_time_and_stays():
    net = network(
        {1: (0, 0), 2: (100, 0), 3: (100, 0), 4: (100, 90)},
        [((1, 2), STREET), ((2, 3), ONEWAY), ((3, 4), STREET)],
    )
    assert sorted(net.arrays["edge_along_ms"].tolist()) == [0, 9000, 10_000]
    assert net.n_nodes == 4


def test_names_and_classes_come_from_the_longest_piece():
    nodes = {1: (0, 0), 2: (100, 0), 3: (400, 0)}
    net = network(nodes, [((1, 2), {**STREET, "name": "Short"}), ((2, 3), {**STREET, "name": "Long 长街"})])
    assert net.n_edges == 1
    assert net.words[net.arrays["edge_name"][0]] == "Long 长街"
    assert net.words[net.arrays["edge_highway"][0]] == "residential"
    assert net.arrays["edge_way_id"].tolist() == [2]


def test_edges_are_sorted_and_nodes_follow_the_curve():
    net = grid_city(8)
    node = net.arrays["edge_node"].astype(int)
    assert node.tolist() == sorted(node.tolist())
    # along a Hilbert curve neighbours in number are neighbours on the ground: the corners alone are not nodes
    steps = np.abs(np.diff(net.node_lonlat, axis=0)).sum(axis=1) * 111_319
    assert np.median(steps) < 150


def test_no_open_way_names_the_classes_found():
    with pytest.raises(NetworkError) as caught:
        build_arrays(
            streets(NODES, [((0, 1), {"highway": "steps"}), ((1, 2), {**STREET, "access": "no"})]), toy_mode()
        )
    assert caught.value.code == "CG-NET-024"
    assert caught.value.data["mode"] == "toy"
    assert set(caught.value.data["classes"].split(", ")) == {"steps", "residential"}


def test_times_beyond_25_days_are_refused():
    slow = toy_mode(speed_kmh={"residential": 0.001})
    tags = {"highway": "residential"}
    build_arrays(streets({1: (0, 0), 2: (590, 0)}, [((1, 2), tags)]), slow)
    with pytest.raises(NetworkError) as caught:
        build_arrays(streets({1: (0, 0), 2: (600, 0)}, [((1, 2), tags)]), slow)
    assert caught.value.code == "CG-NET-022"


def test_findings_are_counted_and_sampled():
    ways = [
        ((0, 1), {**STREET, "oneway": "sometimes"}),
        ((1, 2), {**STREET, "oneway": "sometimes"}),
        ((2, 3), {"highway": "residential", "maxspeed": "fast"}),
        ((3, 13), {"highway": "steps"}),
    ]
    _, issues = build_arrays(streets(NODES, ways), toy_mode())
    found = {item.code: (item.count, item.sample) for item in issues.found}
    assert found == {
        "CG-NET-030": (2, ("sometimes",)),
        "CG-NET-031": (1, ("fast",)),
        "CG-NET-032": (1, ("steps",)),
    }


def test_imputed_is_what_no_maxspeed_said():
    net = network(
        NODES, [((0, 1), STREET), ((1, 2), {"highway": "residential"}), ((2, 3), {**STREET, "maxspeed": "x"})]
    )
    imputed = dict(
        zip(net.arrays["edge_way_id"].tolist(), net.arrays["edge_is_imputed"].tolist(), strict=True)
    )
    assert imputed == {1: False, 2: True}  # ways 2 and 3 are alike and joined


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=8))
def test_ranges_list_each_range(rows):
    start, size = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
    assert ranges(start, size).tolist() == [number for low, n in rows for number in range(low, low + n)]


def test_streets_across_the_antimeridian_are_told():
    tables = streets({1: (0, 0), 2: (1000, 0), 3: (2000, 0)}, [((1, 2), STREET), ((2, 3), STREET)])
    tables.node_lonlat[:, 0] = (179.99, -180.0, -179.99)
    _, issues = build_arrays(tables, toy_mode())
    assert [issue.code for issue in issues.found] == ["CG-NET-057"]
