"""Regions and what they leave of streets, against a loop over segments."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo.errors import CRSError, InputError, NetworkError
from citygeo.io.crop import Region, crop, pieces, region, touching
from citygeo.io.streets import NO_TAGS, Restriction
from tests.toy import ONEWAY, STREET, lonlat, streets

SQUARE = shapely.box(0, 0, 2, 1)
HOLED = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 3, 3))


def pieces_by_loop(ways, inside):
    """Way number and node ids of each run of segments with an end inside."""
    found = []
    for number, nodes in enumerate(ways):
        run = []
        for a, b in pairwise(nodes):
            if a in inside or b in inside:
                run = [*run, b] if run else [a, b]
            elif run:
                found.append((number, run))
                run = []
        if run:
            found.append((number, run))
    return found


def shown(tables):
    """Way id, node ids and tags of each piece."""
    return [
        (way, tables.node_id[tables.way_node[a:b]].tolist(), tags)
        for way, a, b, tags in zip(
            tables.way_id.tolist(), tables.way_start[:-1], tables.way_start[1:], tables.way_tags, strict=True
        )
    ]


# --- regions --------------------------------------------------------------------------------------


def test_a_box_holds_its_border():
    found = region(bbox=(0, 0, 2, 1))
    assert found == Region((0.0, 0.0, 2.0, 1.0))
    places = [(0, 0), (2, 1), (1, 0.5), (-1e-9, 0), (2, 1.0000001), (np.nan, 0.5), (1, np.nan)]
    assert found.contains(np.array(places)).tolist() == [True, True, True, False, False, False, False]


def test_a_polygon_holds_its_border_and_not_its_holes():
    found = region(polygon=HOLED)
    assert found.bounds == (0, 0, 4, 4)
    places = [(0, 0), (0.5, 2), (1, 2), (2, 2), (5, 2), (np.nan, np.nan)]
    assert found.contains(np.array(places)).tolist() == [True, True, True, False, False, False]


def test_several_parts_and_layers():
    parts = [shapely.box(0, 0, 1, 1), shapely.box(3, 0, 4, 1)]
    places = np.array([(0.5, 0.5), (2, 0.5), (3.5, 0.5)])
    layer = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=parts, crs=4326)
    for polygon in (shapely.MultiPolygon(parts), layer, layer.geometry, layer.to_crs(3857)):
        assert region(polygon=polygon).contains(places).tolist() == [True, False, True]


def test_no_region_is_none():
    assert region() is None


@pytest.mark.parametrize(
    "bbox",
    [
        (2, 0, 0, 1), (0, 1, 2, 0), (0, 0, 0, 1), (0, 0, 2, 0), (0, 0, 200, 1), (-181, 0, 2, 1), (0, -91, 2, 1),
        (0, 0, 2, 91), (0, 0, 2), (0, 0, 2, 1, 5), (0, 0, 2, np.nan), (0, 0, np.inf, 1), "0,0,2,1", ("a", 0, 2, 1), 5,
        (500000, 7100000, 510000, 7110000),
    ],
)  # fmt: skip
def test_boxes_that_are_none_are_refused(bbox):
    with pytest.raises(InputError, match="west, south, east, north") as caught:
        region(bbox=bbox)
    assert caught.value.code == "CG-IN-004"


@pytest.mark.parametrize(
    ("polygon", "word"),
    [
        (shapely.Point(1, 1), "Point"),
        (shapely.LineString([(0, 0), (1, 1)]), "LineString"),
        (shapely.Polygon(), "empty"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "wrong"),
        (shapely.box(500000, 7100000, 510000, 7110000), "no degrees"),
        (gpd.GeoSeries([shapely.Point(1, 1), SQUARE], crs=4326), "Point"),
        (gpd.GeoSeries([SQUARE, shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], crs=4326), "wrong"),
        (gpd.GeoSeries([], crs=4326), "GeometryCollection"),
        ("SQUARE", "str"),
        ([SQUARE], "list"),
    ],
)
def test_polygons_that_are_no_region_are_refused(polygon, word):
    with pytest.raises(InputError, match=word) as caught:
        region(polygon=polygon)
    assert caught.value.code == "CG-IN-004"


def test_a_layer_without_crs_is_refused():
    with pytest.raises(CRSError) as caught:
        region(polygon=gpd.GeoSeries([SQUARE]))
    assert caught.value.code == "CG-CRS-001"


def test_box_and_polygon_together_are_refused():
    with pytest.raises(InputError) as caught:
        region(bbox=(0, 0, 1, 1), polygon=SQUARE)
    assert caught.value.code == "CG-IN-004"


# --- pieces ---------------------------------------------------------------------------------------


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=7), max_size=5),
    st.sets(st.integers(0, 9)),
)
def test_pieces_are_those_of_a_loop(ways, inside):
    flat = np.array([node for nodes in ways for node in nodes], np.int64)
    start = np.cumsum([0, *map(len, ways)], dtype=np.int64)
    found = touching(start, np.isin(flat, list(inside)))
    listed = np.split(flat[found.positions()], found.start()[1:-1]) if found.way.size else []
    assert list(zip(found.way.tolist(), [one.tolist() for one in listed], strict=True)) == pieces_by_loop(
        ways, inside
    )


def test_pieces_do_not_join_ways():
    found = pieces(np.array([0, 2, 4]), np.array([True, True, True, True]))
    assert (found.way.tolist(), found.first.tolist(), found.size.tolist()) == ([0, 1], [0, 2], [2, 2])


# --- crop -----------------------------------------------------------------------------------------

NODES = {i: (100.0 * i, 0.0) for i in range(10)} | {20: (250.0, 300.0)}
WAYS = [(range(10), ONEWAY), ((0, 1), {"highway": "path"}), ((9, 20, 5), STREET), ((8, 9, 8), STREET)]


def box_of(west, east, south=-50.0, north=50.0):
    return region(bbox=(*lonlat(west, south), *lonlat(east, north)))


def test_segments_with_an_end_inside_stay():
    kept = crop(streets(NODES, WAYS), box_of(250, 450))
    assert shown(kept) == [(1, [2, 3, 4, 5], ONEWAY)]
    assert kept.tag_sets == [ONEWAY]
    assert kept.node_id.tolist() == [2, 3, 4, 5]
    assert kept.issues.found[0].code == "CG-NET-061"
    assert (kept.issues.found[0].severity, kept.issues.found[0].count) == ("info", 3)
    assert "3 of 4 ways" in kept.issues.found[0].message


def test_ways_that_leave_and_come_back_are_cut():
    whole = streets(
        {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (300, 0), 5: (0, 90), 6: (0, 20)},
        [((1, 2, 3, 4, 5, 6), STREET)],
    )
    kept = crop(whole, box_of(-50, 50, south=-10, north=30))
    assert shown(kept) == [(1, [1, 2], STREET), (1, [5, 6], STREET)]


def test_node_tags_and_restrictions_stay_with_what_they_belong_to():
    from dataclasses import replace

    whole = streets(NODES, WAYS)
    tag_sets = [*whole.tag_sets, {"highway": "stop"}, {"barrier": "gate"}]
    node_tag_set = np.full(len(whole.node_id), NO_TAGS, np.int32)
    node_tag_set[whole.node_id == 4], node_tag_set[whole.node_id == 20] = 3, 4
    turns = [
        Restriction(1, "no_u_turn", (1,), 4, (), (1,)),
        Restriction(2, "no_u_turn", (1,), 9, (), (1,)),
        Restriction(3, "no_left_turn", (1,), 5, (), (3,)),
        Restriction(4, "no_left_turn", (1,), None, (3,), (1,)),
    ]
    whole = replace(whole, tag_sets=tag_sets, node_tag_set=node_tag_set, restrictions=turns)
    kept = crop(whole, box_of(250, 450))
    assert kept.tag_sets == [ONEWAY, {"highway": "stop"}]
    assert [kept.tag_sets[i] if i >= 0 else None for i in kept.node_tag_set] == [
        None,
        None,
        {"highway": "stop"},
        None,
    ]
    assert [turn.id for turn in kept.restrictions] == [1]
    assert len(whole.restrictions) == 4
    assert whole.issues.found == []


def test_everything_inside_changes_nothing():
    whole = streets(NODES, WAYS)
    kept = crop(whole, region(bbox=(0, -1, 10, 1)))
    assert shown(kept) == shown(whole)
    assert kept.issues.found == []
    np.testing.assert_array_equal(kept.node_lonlat, whole.node_lonlat)


def test_a_region_outside_the_data_is_told_with_both_bounds():
    with pytest.raises(NetworkError) as caught:
        crop(streets(NODES, WAYS), region(bbox=(10, 20, 11, 21)))
    assert caught.value.code == "CG-NET-060"
    assert "(10, 20, 11, 21)" in str(caught.value)
    assert "(3, 0, 3.008" in str(caught.value)


def test_a_region_between_the_nodes_of_a_segment_holds_none():
    with pytest.raises(NetworkError) as caught:
        crop(streets(NODES, WAYS), box_of(120, 180))
    assert caught.value.code == "CG-NET-060"


@given(
    st.lists(st.lists(st.integers(0, 15), min_size=2, max_size=6), min_size=1, max_size=6),
    st.tuples(*[st.integers(-1, 4)] * 2),
    st.tuples(*[st.integers(1, 4)] * 2),
)
def test_crop_is_that_of_a_loop(ways, corner, size):
    nodes = {i: (100.0 * (i % 4), 100.0 * (i // 4)) for i in range(16)}
    west, south, east, north = (
        corner[0] - 0.5,
        corner[1] - 0.5,
        corner[0] + size[0] - 0.5,
        corner[1] + size[1] - 0.5,
    )
    inside = {i for i, (x, y) in nodes.items() if west < x / 100 < east and south < y / 100 < north}
    expected = [(number + 1, run, STREET) for number, run in pieces_by_loop(ways, inside)]
    whole = streets(nodes, [(way, STREET) for way in ways])
    chosen = region(bbox=(*lonlat(100 * west, 100 * south), *lonlat(100 * east, 100 * north)))
    if not expected:
        with pytest.raises(NetworkError):
            crop(whole, chosen)
    else:
        assert shown(crop(whole, chosen)) == expected
