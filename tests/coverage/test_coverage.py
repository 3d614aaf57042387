"""Coverage of little cities, with numbers worked out by hand (100 ms a metre)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo import errors, hexgrid
from tests.toy import STREET, lonlat, network, points, toy_mode

# a street of 4000 m with nodes every 1000 m, and a part without connection to it
NODES = {i: (1000.0 * i, 0.0) for i in range(5)} | {10: (0.0, 5000.0), 11: (900.0, 5000.0)}
NET = network(NODES, [((0, 1, 2, 3, 4), STREET), ((10, 11), STREET)])
STATION = points([(0, 0)])
# power-of-two people: a sum says exactly who was counted
PEOPLE = points(
    [(500, 0), (1500, 0), (2500, 0), (3500, 0), (400, 5000), (2000, 1500)], population=[1, 2, 4, 8, 16, 32]
).set_index(pd.Index(list("abcdef")))
APART = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")


def zone(west, east, south=-500, north=500):
    corners = [lonlat(*place) for place in ((west, south), (east, south), (east, north), (west, north))]
    return shapely.Polygon(corners)


ZONES = gpd.GeoDataFrame(
    {"name": ["West 西", "East 东"]},
    geometry=[zone(-100, 2000), zone(2000, 4100)],
    index=pd.Index(["w", "e"]),
    crs=4326,
)


def cover(**options):
    given = {"demand": PEOPLE, "minutes": 4, "zones": ZONES, **options}
    return cg.coverage(NET, STATION, **given)


@pytest.fixture(scope="module")
def four():
    """Four minutes are 2400 m: the people at 500 and 1500 m."""
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-013") as seen:
        result = cover(buildings=PEOPLE)
    assert "CG-DEM-004" in str(seen[0].message)
    return result


def test_exactly_those_within_reach_are_counted(four):
    people = four.table.loc["population"]
    assert people[["covered", "total"]].tolist() == [1 + 2, 63]
    assert people["share"] == 3 / 63
    assert four.table.loc["buildings", ["covered", "total"]].tolist() == [2, 6]


def test_the_bound_is_inclusive():
    """The person at 1500 m is 150 s away."""
    with pytest.warns(errors.CitygeoWarning):
        assert cover(minutes=2.5).table.loc["population", "covered"] == 3
    with pytest.warns(errors.CitygeoWarning):
        assert cover(minutes=2.4999).table.loc["population", "covered"] == 1


def test_area_is_the_ground_within_the_buffer(four):
    """2400 m of street and 100 m around it, in zones of 2100 m x 1000 m each."""
    area = four.table.loc["area"]
    utm = 0.9996**2
    assert area["total"] == pytest.approx(4.2 * utm, rel=1e-3)
    assert area["covered"] == pytest.approx((2400 * 200 + np.pi * 100**2) * 1e-6 * utm, rel=0.02)


def test_zones_have_numerators_and_add_up(four):
    zones = four.zones.set_index("zone")
    assert zones["name"].tolist() == ["West 西", "East 东"]
    assert zones["population"].tolist() == [1 + 2, 4 + 8]
    assert zones["population_covered"].tolist() == [3, 0]
    assert zones["buildings"].tolist() == [2, 2]
    assert zones["population_share"].tolist() == [1.0, 0.0]
    assert zones["area_covered_km2"].sum() == pytest.approx(four.table.loc["area", "covered"])
    assert (
        four.issues.loc[four.issues["code"] == "CG-DEM-004", "message"].item().startswith("48 of 63 people")
    )


def test_points_keep_label_time_facility_and_status(four):
    found = four.points
    assert found.index.tolist() == list("abcdef")
    assert found["time_s"].tolist() == pytest.approx([50, 150, 250, 350, np.inf, np.inf])
    assert found["facility"].tolist()[:4] == [0, 0, 0, 0]
    assert found["facility"].isna().tolist()[4:] == [True, True]
    assert found["status"].tolist() == ["ok"] * 5 + ["not_snapped"]
    assert found["depth"].tolist() == [1, 1, 0, 0, 0, 0]


def test_blind_spots_tell_people_time_and_reason(four):
    spots = four.blind_spots
    assert spots.index.tolist() == list(range(1, len(spots) + 1))
    by_people = {int(row.uncovered): row for row in spots.itertuples()}
    assert spots["uncovered"].tolist() == sorted(by_people, reverse=True)
    assert sum(by_people) == 63 - 3
    assert by_people[32].reason == "no_road"
    assert by_people[16].reason == "not_connected"
    assert by_people[16].time_s == np.inf
    late = by_people[8]
    assert (late.reason, late.nearest_facility, late.zone) == ("too_far", 0, "East 东")
    assert late.time_s == pytest.approx(350)
    assert late.minutes_over == pytest.approx(110 / 60)


def test_cells_conserve_people_and_know_their_road(four):
    cells = four.cells
    assert cells["population"].sum() == 63
    assert cells["covered"].sum() == 3
    assert (cells["covered"] + cells["uncovered"]).tolist() == cells["population"].tolist()
    home = hexgrid.to_strings(hexgrid.cells_of_points(*([value] for value in lonlat(500, 0)), 9))[0]
    assert cells.loc[home, ["share", "reached_share", "status"]].tolist() == [1.0, 1.0, "covered"]
    far = hexgrid.to_strings(hexgrid.cells_of_points(*([value] for value in lonlat(3500, 0)), 9))[0]
    assert cells.loc[far, ["share", "reached_share", "status"]].tolist() == [0.0, 0.0, "uncovered"]
    edge = cells[(cells["reached_share"] > 0) & (cells["reached_share"] < 1)]
    assert len(edge) == 1, "the street is cut once, at 2400 m"


def test_depth_counts_facilities():
    stations = points([(0, 0), (0, 0), (2000, 0), (4000, 0)])
    with pytest.warns(errors.CitygeoWarning):
        result = cg.coverage(NET, stations, demand=PEOPLE, minutes=2.5, zones=ZONES)
    # 1500 m from each: a: 0, 0 and 2000; b: both 0 and 2000; c: 2000 and 4000; d: 2000 and 4000
    assert result.points["depth"].tolist() == [3, 3, 2, 2, 0, 0]
    assert result.depth["population"].tolist() == [48, 0, 12, 3]
    assert result.depth["road_km"].sum() == pytest.approx(4.9)


def test_delay_moves_the_bound():
    with pytest.warns(errors.CitygeoWarning):
        late = cover(delay_s=120)
    assert late.table.loc["population", "covered"] == 1


def test_direction_to_counts_who_can_come():
    oneway = network(NODES, [((0, 1, 2, 3, 4), {**STREET, "oneway": "yes"}), ((10, 11), STREET)])
    homes = PEOPLE.loc[list("abcd")]
    out = cg.coverage(oneway, points([(2000, 0)]), demand=homes, minutes=5, direction="from")
    back = cg.coverage(oneway, points([(2000, 0)]), demand=homes, minutes=5, direction="to")
    assert out.table.loc["population", "covered"] == 4 + 8
    assert back.table.loc["population", "covered"] == 1 + 2


# everyone at the roadside: 1000 km/h on the stretch between street and place
ROADSIDE = network(NODES, [((0, 1, 2, 3, 4), STREET), ((10, 11), STREET)], toy_mode(walk_off_kmh=1000))


@APART
def test_cells_as_demand_spread_their_people_over_the_streets():
    homes = PEOPLE.loc[list("abde")]  # all far from where the street is cut
    cells = cg.population(homes, resolution=9)
    result = cg.coverage(ROADSIDE, STATION, demand=cells, minutes=4)
    assert result.table.loc["population", "total"] == pytest.approx(27, abs=1e-9)
    assert result.cells["population"].sum() == pytest.approx(27, abs=1e-9)
    assert result.table.loc["population", "covered"] == pytest.approx(3, abs=1e-9)
    assert set(cells.index) <= set(result.cells.index)
    assert "CG-DEM-010" in result.issues["code"].tolist()


@APART
def test_a_cell_the_bound_cuts_counts_by_its_reached_road():
    cell = cg.population(points([(2400, 0)], population=[100.0]), resolution=8)
    whole = cg.coverage(ROADSIDE, STATION, demand=cell, minutes=10)
    part = cg.coverage(ROADSIDE, STATION, demand=cell, minutes=4)
    assert whole.table.loc["population", "covered"] == pytest.approx(100)
    reached = part.cells.loc[cell.index[0], "reached_share"]
    assert 0 < reached < 1
    # the stretch to the street takes half a second, 5 m, so one stretch of 25 m may fall out
    street_m = part.points["geometry"].size * 25
    assert 0 <= reached - part.table.loc["population", "share"] <= 25 / street_m + 1e-9


@APART
def test_people_of_cells_walk_the_mean_distance_to_their_street():
    """One street of length L through a cell of area A: strips of A / L, a quarter of that on average."""
    cell = cg.population(points([(1500, 0)], population=[100.0]), resolution=9)
    result = cg.coverage(NET, STATION, demand=cell, minutes=10)
    area_m2 = hexgrid.cell_areas_m2(hexgrid.from_strings(cell.index))[0]
    walk_m = result.points["snap_distance_m"]
    street_m = len(result.points) * 25
    assert walk_m.max() == walk_m.min()
    assert walk_m.iloc[0] == pytest.approx(area_m2 / 4 / street_m, rel=0.05)
    # the toy mode walks a metre a second
    assert result.points["time_s"].median() == pytest.approx(150 + walk_m.iloc[0], abs=20)


@APART
def test_nobody_lives_on_a_motorway_where_there_are_streets():
    fast = {"highway": "motorway", "maxspeed": "36", "oneway": "no"}
    mode = toy_mode(speed_kmh={"residential": 36, "motorway": 36})
    both = network(
        {1: (0, 0), 2: (1000, 0), 3: (0, 60), 4: (1000, 60)},
        [((1, 2), fast), ((3, 4), STREET), ((1, 3), STREET)],
        mode,
    )
    cell = cg.population(points([(500, 30)], population=[7.0]), resolution=9)
    with_street = cg.coverage(both, points([(0, 60)]), demand=cell, minutes=9)
    assert (with_street.points.geometry.y > lonlat(0, 59)[1]).all()
    only_fast = network({1: (0, 0), 2: (1000, 0)}, [((1, 2), fast)], mode)
    alone = cg.coverage(only_fast, points([(0, 0)]), demand=cell, minutes=9)
    assert alone.table.loc["population", "total"] == pytest.approx(7)


def test_repeated_and_faraway_cells():
    cells = cg.population(PEOPLE.loc[["a"]], resolution=9)
    with pytest.raises(errors.InputError, match="CG-IN-006: demand"):
        cg.coverage(NET, STATION, demand=pd.concat([cells, cells]), minutes=4)
    elsewhere = pd.DataFrame({"population": [5]}, index=["89075dd4bd7ffff"])
    with pytest.raises(errors.NetworkError, match="CG-NET-010: 0 of 1 demand"):
        cg.coverage(NET, STATION, demand=elsewhere, minutes=4)


@APART
def test_cells_may_be_a_plain_table_with_whole_numbers():
    cells = cg.population(PEOPLE.loc[list("ab")], resolution=9)
    numbers = pd.DataFrame(
        {"population": cells["population"].to_numpy()}, index=hexgrid.from_strings(cells.index)
    )
    one = cg.coverage(NET, STATION, demand=cells, minutes=9)
    two = cg.coverage(NET, STATION, demand=numbers, minutes=9)
    pd.testing.assert_frame_equal(one.table, two.table)


@APART
def test_a_zone_that_crosses_itself_is_repaired_and_told():
    bow_tie = shapely.Polygon([lonlat(*place) for place in ((0, -500), (2000, 500), (2000, -500), (0, 500))])
    result = cg.coverage(
        NET, STATION, demand=PEOPLE, minutes=4, zones=ZONES.set_geometry([bow_tie, zone(2000, 4100)])
    )
    row = result.zones.iloc[0]
    assert row["area_km2"] == pytest.approx(1.0, rel=0.01)
    assert 0 < row["area_share"] <= 1
    assert "CG-GEO-004" in result.issues["code"].tolist()


@APART
def test_a_zone_without_boundary_has_no_figures_and_is_told():
    lost = ZONES.copy()
    lost.loc["e", "geometry"] = None
    result = cg.coverage(NET, STATION, demand=PEOPLE, minutes=4, zones=lost)
    assert result.zones.loc[1, ["area_km2", "population", "population_covered"]].isna().all()
    issue = result.issues.set_index("code").loc["CG-GEO-005"]
    assert issue["sample"] == "e"


def test_one_bound_only():
    with pytest.raises(errors.InputError, match="CG-IN-004: minutes"):
        cover(minutes=[5, 10])
    with pytest.raises(errors.UnitError, match="CG-UNIT-002"):
        cover(minutes=True)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_unusable_threads(threads):
    with pytest.raises(errors.InputError, match="CG-IN-004: threads"):
        cover(threads=threads)


def test_what_is_no_layer_is_refused():
    with pytest.raises(errors.InputError, match="CG-IN-007: demand is a DataFrame"):
        cover(demand=pd.DataFrame({"population": [1]}))
    with pytest.raises(errors.InputError, match="CG-IN-007: demand is a list"):
        cover(demand=[1, 2])
    with pytest.raises(errors.InputError, match="CG-IN-007: zones zone is a list"):
        cover(zones=[ZONES])
    twice = pd.concat([ZONES, ZONES["name"]], axis=1)
    with pytest.raises(errors.InputError, match="CG-IN-008: zones zone"):
        cover(zones=twice)


@APART
def test_the_answer_does_not_depend_on_the_callers_crs():
    blocks = gpd.GeoDataFrame(
        {"population": [1, 2]},
        geometry=PEOPLE.to_crs(NET.metric_crs).buffer(40).iloc[:2].to_list(),
        crs=NET.metric_crs,
    )
    found = [
        cg.coverage(NET, STATION, demand=blocks.to_crs(crs), minutes=4).points
        for crs in (4326, 3857, NET.metric_crs)
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other["time_s"], found[0]["time_s"], atol=0.002)
        np.testing.assert_allclose(other["snap_distance_m"], found[0]["snap_distance_m"], atol=0.001)


@APART
def test_order_of_rows_and_threads_change_nothing():
    one = cg.coverage(NET, STATION, demand=PEOPLE, minutes=4, threads=1)
    two = cg.coverage(NET, STATION, demand=PEOPLE.iloc[::-1], minutes=4, threads=2)
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.cells.drop(columns="geometry"), two.cells.drop(columns="geometry"))
    pd.testing.assert_frame_equal(
        one.blind_spots.drop(columns="geometry"), two.blind_spots.drop(columns="geometry")
    )


@APART
def test_doubling_the_people_leaves_the_share():
    double = PEOPLE.assign(population=PEOPLE["population"] * 2)
    assert cg.coverage(NET, STATION, demand=double, minutes=4).table.loc["population", "share"] == 3 / 63


@APART
def test_no_facility_on_the_network_is_an_error_and_one_off_it_counts_nothing():
    two = points([(0, 0), (2000, 1500)])
    result = cg.coverage(NET, two, demand=PEOPLE, minutes=4)
    assert result.table.loc["population", "covered"] == 3
    with pytest.raises(errors.NetworkError, match="CG-NET-010"):
        cg.coverage(NET, two.iloc[1:], demand=PEOPLE, minutes=4)


@pytest.mark.parametrize("bad", [np.nan, -1, np.inf])
def test_unusable_people_name_their_rows(bad):
    broken = PEOPLE.assign(population=[1, bad, 4, 8, 16, 32])
    with pytest.raises(errors.InputError, match=r"CG-IN-003: 1 of 6 rows of demand.*population.*rows b"):
        cover(demand=broken)


def test_people_column_is_asked_for():
    with pytest.raises(errors.InputError, match="CG-IN-005: demand has no column population"):
        cover(demand=PEOPLE.drop(columns="population"))


def test_layers_without_crs_and_without_rows():
    with pytest.raises(errors.CRSError, match="CG-CRS-001: demand"):
        cover(demand=PEOPLE.set_crs(None, allow_override=True))
    with pytest.raises(errors.CRSError, match="CG-CRS-001: zones zone"):
        cover(zones=ZONES.set_crs(None, allow_override=True))
    with pytest.raises(errors.InputError, match="CG-IN-001: demand has 0 rows"):
        cover(demand=PEOPLE.iloc[:0])
    with pytest.raises(errors.InputError, match="CG-IN-001: zones zone has 0 rows"):
        cover(zones=ZONES.iloc[:0])
    with pytest.raises(errors.InputError, match="CG-IN-006: zones zone"):
        cover(zones=ZONES.set_index(pd.Index(["w", "w"])))


@APART
def test_results_are_in_the_callers_crs_and_repr_says_it():
    result = cg.coverage(NET, STATION.to_crs(3857), demand=PEOPLE, minutes=4, zones=ZONES)
    for layer in (result.zones, result.cells, result.points, result.blind_spots):
        assert layer.crs == 3857
    assert "3 of 63 people (4.8%)" in repr(result)
    assert not result.demand_is_estimate
    assert result.provenance["parameters"]["buffer_m"] == 100.0


@APART
def test_inputs_are_not_changed():
    before = PEOPLE.copy(), ZONES.copy(), STATION.copy()
    cg.coverage(NET, STATION, demand=PEOPLE, minutes=4, zones=ZONES, buildings=PEOPLE)
    assert all(layer.equals(copy) for layer, copy in zip((PEOPLE, ZONES, STATION), before, strict=True))


@APART
def test_overlapping_zones_count_a_point_once():
    twice = pd.concat([ZONES, ZONES.rename(index={"w": "w2", "e": "e2"})])
    result = cg.coverage(NET, STATION, demand=PEOPLE, minutes=4, zones=twice)
    assert result.zones["population"].tolist() == [3, 12, 0, 0]
