"""Blind spots: little cities for each reason, and an oracle that follows the definitions place by place."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import geopandas as gpd
import h3
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo import errors
from citygeo.coverage.reasons import REASONS
from tests.toy import ONEWAY, STREET, grid_city, lonlat, network, points

pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")

# a street of 3000 m, and back 300 m to the north of it: 6300 m from end to end
HAIRPIN = {0: (0.0, 0.0), 1: (3000.0, 0.0), 2: (3000.0, 300.0), 3: (0.0, 300.0)}
NET = network(HAIRPIN, [((0, 1, 2, 3), STREET)])
HOMES = points([(1000, 0), (2000, 0), (100, 300)], population=[1, 2, 4])


def only_spot(cov):
    assert len(cov.blind_spots) == 1
    return cov.blind_spots.iloc[0]


def line(*places, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString([lonlat(*xy) for xy in places])], crs=4326)


def test_a_way_much_longer_than_the_straight_line_is_a_detour():
    spot = only_spot(cg.coverage(NET, points([(0, 0)]), demand=HOMES, minutes=5))
    assert (spot.reason, spot.uncovered, spot.crosses) == ("detour", 4, "")
    metres = 3000 + 300 + 2900
    assert spot.time_s == pytest.approx(metres / 10, rel=1e-3)
    assert spot.minutes_over == pytest.approx(metres / 10 / 60 - 5, rel=1e-3)
    assert spot.straight_m == pytest.approx(math.hypot(100, 300), rel=1e-3)
    # covered people are on the straight street: 100 ms a metre is usual
    assert spot.detour == pytest.approx(metres / math.hypot(100, 300), rel=2e-3)
    assert spot.hint.startswith("5.4 min too long; the way takes 19.6 times as long")
    assert spot.hint_zh.startswith("超时5.4分钟;")


def test_a_river_without_a_bridge_in_range_is_a_barrier_and_named():
    river = line((-500, 150), (2500, 150), name=["Long River 长河"])
    spot = only_spot(cg.coverage(NET, points([(0, 0)]), demand=HOMES, minutes=5, barriers=river))
    assert (spot.reason, spot.crosses) == ("barrier", "Long River 长河")
    assert "a crossing of Long River 长河 would help" in spot.hint
    assert "跨越Long River 长河的通道可改善" in spot.hint_zh


def test_a_barrier_beside_the_straight_line_is_no_reason():
    aside = line((500, 150), (2500, 150), name=["Long River 长河"])
    spot = only_spot(cg.coverage(NET, points([(0, 0)]), demand=HOMES, minutes=5, barriers=aside))
    assert (spot.reason, spot.crosses) == ("detour", "")


def test_barriers_may_be_layers_by_name_and_need_a_crs():
    river, rail = line((-500, 150), (2500, 150)), line((-500, 50), (2500, 50))
    asked = {"demand": HOMES, "minutes": 5}
    both = only_spot(
        cg.coverage(NET, points([(0, 0)]), **asked, barriers={"river 河": river, "rail 铁路": rail})
    )
    assert both.crosses == "rail 铁路, river 河"
    nameless = only_spot(cg.coverage(NET, points([(0, 0)]), **asked, barriers=river.assign(name=[None])))
    assert nameless.crosses == "barriers"
    series = only_spot(cg.coverage(NET, points([(0, 0)]), **asked, barriers=river.geometry))
    assert (series.reason, series.crosses) == ("barrier", "barriers")
    with pytest.raises(errors.CRSError, match="CG-CRS-001: barriers"):
        cg.coverage(NET, points([(0, 0)]), **asked, barriers=river.set_crs(None, allow_override=True))


def test_a_straight_street_beyond_the_minutes_is_too_far():
    straight = network({0: (0, 0), 1: (6000, 0)}, [((0, 1), STREET)])
    homes = points([(1000, 0), (2000, 0), (4200, 0)], population=[1, 2, 4])
    spot = only_spot(cg.coverage(straight, points([(0, 0)]), demand=homes, minutes=5))
    assert (spot.reason, spot.nearest_facility, spot.straight_facility) == ("too_far", 0, 0)
    assert spot.detour == pytest.approx(1, rel=1e-3)
    # 420 s: two minutes more than five, 1.2 km at 10 m/s
    assert spot.hint == "2.0 min too long: a facility 1.2 km closer in a straight line would help."


def test_an_island_and_a_oneway_street_out_of_town_are_not_connected():
    apart = network(
        HAIRPIN | {4: (0.0, 1000.0), 5: (900.0, 1000.0), 6: (3000.0, -900.0)},
        [((0, 1, 2, 3), STREET), ((4, 5), STREET), ((6, 1), ONEWAY)],
    )
    homes = points([(1000, 0), (500, 1000), (3000, -700)], population=[1, 2, 4])
    spots = cg.coverage(apart, points([(0, 0)]), demand=homes, minutes=60).blind_spots
    assert spots["uncovered"].tolist() == [4, 2]
    assert spots["reason"].tolist() == ["not_connected"] * 2
    assert spots["time_s"].tolist() == [math.inf] * 2
    assert spots["nearest_facility"].isna().all()
    assert spots["straight_facility"].tolist() == [0, 0]


def test_people_far_from_any_road_have_no_road():
    homes = points([(1000, 0), (1000, -1400)], population=[1, 2])
    spot = only_spot(cg.coverage(NET, points([(0, 0)]), demand=homes, minutes=5))
    assert spot.reason == "no_road"
    # metres of UTM are 0.04 % long in the middle of the zone
    assert spot.hint.startswith("The next road is 1,399 m away")
    assert spot.hint_zh.startswith("最近道路在1,399米外")


def test_a_facility_beside_them_that_is_off_the_network():
    street = network({0: (0, 0), 1: (9000, 0)}, [((0, 1), STREET)])
    two = points([(0, 0), (7000, 900)], name=["Near 近", "Far 远"])
    homes = points([(1000, 0), (7000, 0)], population=[1, 2])
    spot = only_spot(cg.coverage(street, two, demand=homes, minutes=5))
    assert (spot.reason, spot.nearest_facility, spot.straight_facility) == ("facility_not_snapped", 0, 1)
    assert spot.hint.startswith("Far 远, 900 m away in a straight line, is not on the network")
    # too far to have helped: 60 s are 600 m
    late = cg.coverage(street, two, demand=homes.assign(population=[0, 2]), minutes=1).blind_spots
    assert late["reason"].tolist() == ["too_far"]


def test_the_delay_is_no_detour():
    """After 60 of 300 s, 240 s are left: the place at 2500 m is 10 s late on a straight street."""
    straight = network({0: (0, 0), 1: (6000, 0)}, [((0, 1), STREET)])
    homes = points([(100, 0), (2500, 0)], population=[1, 2])
    spot = only_spot(cg.coverage(straight, points([(0, 0)]), demand=homes, minutes=5, delay_s=60))
    assert (spot.reason, spot.time_s) == ("too_far", pytest.approx(310, rel=1e-3))
    assert spot.detour == pytest.approx(1, rel=1e-3)


def test_without_covered_people_the_covered_roads_tell_the_pace():
    alone = HOMES.iloc[2:]
    spot = only_spot(cg.coverage(NET, points([(0, 0)]), demand=alone, minutes=5))
    assert spot.reason == "detour"
    assert spot.detour == pytest.approx(6200 / math.hypot(100, 300), rel=0.01)


def test_buildings_are_those_not_covered_in_its_cells():
    houses = points([(1000, 0), (99, 300), (100, 300), (101, 300)])
    assert "buildings" not in cg.coverage(NET, points([(0, 0)]), demand=HOMES, minutes=5).blind_spots
    spot = only_spot(cg.coverage(NET, points([(0, 0)]), demand=HOMES, minutes=5, buildings=houses))
    assert spot.buildings == 3


def test_nobody_left_out_is_an_empty_table_with_the_same_columns():
    short = cg.coverage(NET, points([(0, 0)]), demand=HOMES, minutes=5).blind_spots
    none = cg.coverage(NET, points([(0, 0)]), demand=HOMES, minutes=60).blind_spots
    assert len(none) == 0
    assert none.columns.tolist() == short.columns.tolist()
    assert none.crs == short.crs


def test_uncovered_people_among_covered_ones_are_told_of():
    straight = network({0: (0, 0), 1: (6000, 0)}, [((0, 1), STREET)])
    homes = points([(2999, 0), (3001, 0), (5000, 0)], population=[8, 2, 4])
    cov = cg.coverage(straight, points([(0, 0)]), demand=homes, minutes=5)
    near, other, far = cov.points["h3_cell"]
    assert near == other != far, "two in one cell, most of whom are covered"
    assert cov.blind_spots["uncovered"].tolist() == [4]
    issue = cov.issues.set_index("code").loc["CG-COV-033"]
    assert issue[["severity", "count", "sample"]].tolist() == ["info", 1, near]
    assert issue["message"].startswith("2 people are not covered in 1 cells")
    assert "the other 4 people" in issue["message"]
    half = cg.coverage(straight, points([(0, 0)]), demand=homes.assign(population=[2, 2, 4]), minutes=5)
    assert "CG-COV-033" in set(half.issues["code"]), "half is no less than half"
    most = cg.coverage(straight, points([(0, 0)]), demand=homes.assign(population=[1, 2, 4]), minutes=5)
    assert most.blind_spots["uncovered"].sum() == 6
    assert "CG-COV-033" not in set(most.issues["code"])


def test_facilities_that_stand_at_their_entrances_are_as_far_as_their_outline():
    park = gpd.GeoDataFrame(
        geometry=[shapely.Polygon([lonlat(*xy) for xy in ((-400, -400), (0, -400), (0, 400), (-400, 400))])],
        crs=4326,
    )
    street = network({0: (-400, 0), 1: (6000, 0)}, [((0, 1), STREET)])
    homes = points([(1000, 0), (4000, 0)], population=[1, 2])
    by_gate = only_spot(cg.coverage(street, park, demand=homes, minutes=5, polygons="entrances"))
    by_middle = only_spot(cg.coverage(street, park, demand=homes, minutes=5))
    assert by_gate.straight_m == pytest.approx(4000, rel=1e-3)
    assert by_middle.straight_m == pytest.approx(4200, rel=1e-3)


def rank_of_cells(cov):
    """The blind spot of each cell whose centre is in one."""
    ranks = {}
    for rank, outline in cov.blind_spots.to_crs(4326).geometry.items():
        for cell in set(cov.points["h3_cell"].dropna()) - set(ranks):
            lat, lon = h3.cell_to_latlng(cell)
            if outline.contains(shapely.Point(lon, lat)):
                ranks[cell] = rank
    return ranks


def told(cov, stations, minutes):
    """The same from the table of points alone: people, votes for reasons, straight_m and detour of each spot."""
    where = {label: i for i, label in enumerate(cov.area.facilities.index)}
    delay = cov.area.placed.delay_s.tolist()
    metric = cov.points.geometry.to_crs(cov.area.network.metric_crs)
    columns = (
        cov.points[name].tolist() for name in ("population", "time_s", "facility", "status", "h3_cell")
    )
    rows = [row for row in zip(metric.x, metric.y, *columns, strict=True) if row[2] > 0]

    def moving(row):
        return row[3] - delay[where[row[4]]] if math.isfinite(row[3]) else math.inf

    covered = [row for row in rows if row[3] <= 60 * minutes]
    metres = sum(row[2] * math.dist(row[:2], stations[where[row[4]]]) for row in covered)
    pace = sum(row[2] * moving(row) for row in covered) / metres
    ranks, members = rank_of_cells(cov), defaultdict(list)
    for row in rows:
        if row[3] > 60 * minutes and row[6] in ranks:
            members[ranks[row[6]]].append(row)
    return {
        rank: tally(own, stations, moving, pace, minutes, cov.area.placed) for rank, own in members.items()
    }


def tally(own, stations, moving, pace, minutes, placed):
    """People, votes for reasons, straight_m and detour of one spot."""
    votes, straight, travel, ideal, can = Counter(), 0.0, 0.0, 0.0, 0.0
    for row in own:
        metres, closest = min((math.dist(row[:2], place), i) for i, place in enumerate(stations))
        near = metres * pace <= 60 * minutes - placed.delay_s[closest]
        if row[5] == "not_snapped":
            why = "no_road"
        elif near and not placed.snaps.is_on[closest]:
            why = "facility_not_snapped"
        elif math.isinf(moving(row)):
            why = "not_connected"
        elif near and moving(row) >= 1.3 * pace * metres:
            why = "detour"
        else:
            why = "too_far"
        votes[why] += row[2]
        straight += row[2] * metres
        if math.isfinite(moving(row)):
            can += row[2]
            travel += row[2] * moving(row)
            ideal += row[2] * pace * metres
    people = sum(row[2] for row in own)
    times = travel / ideal if ideal else math.nan
    return people, votes, straight / people, math.inf if 2 * can < people else times


def agrees(cov, stations, minutes):
    given = stations.to_crs(cov.area.network.metric_crs).geometry
    answer = told(cov, list(zip(given.x, given.y, strict=True)), minutes)
    assert set(answer) == set(cov.blind_spots.index)
    for rank, (people, votes, straight_m, detour) in answer.items():
        spot = cov.blind_spots.loc[rank]
        assert spot.uncovered == pytest.approx(people)
        assert votes[spot.reason] == pytest.approx(max(votes.values()))
        assert spot.straight_m == pytest.approx(straight_m, rel=1e-6)
        assert spot.detour == pytest.approx(detour, rel=1e-6, nan_ok=True)


places = st.tuples(st.integers(-2500, 2500), st.integers(-2500, 2500))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(places, min_size=1, max_size=3, unique=True),
    st.lists(places, min_size=3, max_size=12, unique=True),
    st.integers(1, 6),
)
def test_reasons_follow_their_definitions(stations, homes, minutes):
    net = grid_city(4, 1000)
    asked = points([(0, 0), *stations])
    people = points([(7.5, 0), *homes], population=[2**i for i in range(len(homes) + 1)])
    cov = cg.coverage(net, asked, demand=people, minutes=minutes, delay_s=5, max_snap_m=300)
    agrees(cov, asked, minutes)


def test_reasons_follow_their_definitions_in_reykjavik():
    city = cg.datasets.reykjavik()
    cov = cg.coverage(
        city.network("fire_engine"), city.stations, demand=city.people, minutes=5, zones=city.zones
    )
    stations = gpd.GeoDataFrame(geometry=cg.datum.representative_points(city.stations), crs=city.stations.crs)
    agrees(cov, stations, 5)
    # who is in no blind spot is told of, and nobody twice
    late = cov.points[cov.points["time_s"] > 300].groupby("h3_cell")["population"].sum()
    rare = late <= cov.points.groupby("h3_cell")["population"].sum().reindex(late.index) / 2
    message = cov.issues.set_index("code").loc["CG-COV-033", "message"]
    assert message.startswith(f"{late[rare].sum():,.0f} people are not covered")
    assert f"the other {late[~rare].sum():,.0f} people" in message
    assert {"too_far", "detour", "not_connected"} <= set(cov.blind_spots["reason"]) <= set(REASONS)
    assert (cov.blind_spots["hint"].str.len() > 10).all()
    assert (cov.blind_spots["hint_zh"].str.len() > 5).all()


def test_where_all_is_barrier_each_detour_is_one_and_nothing_else_changes():
    city = cg.datasets.reykjavik()
    net, asked = city.network("fire_engine"), {"demand": city.people, "minutes": 5}
    water = gpd.GeoDataFrame({"name": ["Sea 海"]}, geometry=[shapely.box(-23, 63, -20, 65)], crs=4326)
    without = cg.coverage(net, city.stations, **asked)
    within = cg.coverage(net, city.stations, **asked, barriers=water)
    one, two = (
        cov.blind_spots.drop(columns=["geometry", "hint", "hint_zh", "crosses"]) for cov in (without, within)
    )
    assert (two["reason"] == "barrier").sum() > 0
    assert two.replace({"reason": {"barrier": "detour"}}).equals(one)
    assert (within.blind_spots["crosses"] == "Sea 海").all()
    assert within.table.equals(without.table)


def test_a_factor_for_all_people_changes_people_only():
    city = cg.datasets.reykjavik()
    net = city.network("fire_engine")
    one = cg.coverage(net, city.stations, demand=city.people, minutes=5).blind_spots
    many = city.people.assign(population=3 * city.people["population"])
    two = cg.coverage(net, city.stations, demand=many, minutes=5).blind_spots
    assert two["uncovered"].to_numpy() == pytest.approx(3 * one["uncovered"].to_numpy())
    same = ["cells", "reason", "nearest_facility", "straight_facility", "zone"]
    assert two[same].equals(one[same])
