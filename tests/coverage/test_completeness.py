"""Completeness: a street worked out by hand, an oracle in plain Python, and coverage of each service beside it."""

from __future__ import annotations

import json
import math
from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo import errors
from tests.toy import ONEWAY, STREET, grid_city, lonlat, network, points

# a street of 4000 m, and a part without connection to it; a metre takes 100 ms
NET = network(
    {0: (0.0, 0.0), 1: (4000.0, 0.0), 10: (0.0, 5000.0), 11: (900.0, 5000.0)},
    [((0, 1), STREET), ((10, 11), STREET)],
)
# power-of-two people: a sum says exactly who was counted
PEOPLE = points(
    [(500, 0), (1500, 0), (2500, 0), (3500, 0), (400, 5000), (2000, 1500)], population=[1, 2, 4, 8, 16, 32]
).set_index(pd.Index(list("abcdef")))
SCHOOL, CLINIC, SHOP = points([(0, 0)]), points([(4000, 0)]), points([(1000, 0), (3000, 0)])
SERVICES = {"school": SCHOOL, "clinic": CLINIC, "shop": SHOP}
APART = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")


def zone(west, east):
    import shapely

    return shapely.Polygon([lonlat(*xy) for xy in ((west, -500), (east, -500), (east, 500), (west, 500))])


ZONES = gpd.GeoDataFrame(
    {"name": ["West 西", "East 东"]},
    geometry=[zone(-100, 2000), zone(2000, 4100)],
    index=list("we"),
    crs=4326,
)


def complete(services=SERVICES, **options):
    return cg.completeness(NET, services, **{"demand": PEOPLE, "minutes": 2.5, "zones": ZONES, **options})


@pytest.fixture(scope="module")
def com():
    """2.5 minutes are 1500 m: a and b have the school, c and d the clinic, all four a shop."""
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-013"):
        return complete()


def test_people_with_each_any_and_all(com):
    covered = com.table["covered"].to_dict()
    assert covered == {"school": 3, "clinic": 12, "shop": 15, "any": 15, "at_least_2": 15, "all": 0}
    assert com.table["total"].tolist() == [63] * 6
    assert com.table["share"].tolist() == [value / 63 for value in covered.values()]
    assert com.table["kind"].tolist() == ["service"] * 3 + ["count"] * 3
    assert com.table["minutes"].tolist()[:3] == [2.5] * 3
    assert com.table["facilities"].tolist() == [1, 1, 2, 4, 4, 4]
    assert com.table.loc["school", ["label", "label_zh"]].tolist() == ["School", "学校"]
    assert com.table.loc["all", ["label", "label_zh"]].tolist() == ["all 3 services", "全部3项"]
    assert com.score == pytest.approx((3 + 12 + 15) / (3 * 63))


def test_what_people_lack_most_people_first(com):
    rows = com.lacking.set_index("lacks")["population"].to_dict()
    assert rows == {"school, clinic, shop": 48, "school": 12, "clinic": 3}
    assert com.lacking["population"].tolist() == [48, 12, 3]
    assert com.lacking["lacks_zh"].tolist() == ["学校、诊所、商店", "学校", "诊所"]
    assert com.lacking["n_lacks"].tolist() == [3, 1, 1]
    assert com.lacking["share"].sum() == pytest.approx(1)


def test_points_tell_times_and_what_they_lack(com):
    found = com.points
    assert found.index.tolist() == list("abcdef")
    assert found["school_time_s"].tolist() == pytest.approx([50, 150, 250, 350, math.inf, math.inf])
    assert found["clinic_time_s"].tolist() == pytest.approx([350, 250, 150, 50, math.inf, math.inf])
    assert found["shop_time_s"].tolist() == pytest.approx([50, 50, 50, 50, math.inf, math.inf])
    assert found["n_services"].tolist() == [2, 2, 2, 2, 0, 0]
    assert found["lacks"].tolist() == ["clinic", "clinic", "school", "school"] + ["school, clinic, shop"] * 2
    assert found["status"].tolist() == ["ok"] * 5 + ["not_snapped"]


def test_the_bound_is_inclusive():
    with pytest.warns(errors.CitygeoWarning):
        assert complete(minutes=2.4999).table.loc["school", "covered"] == 1


def test_cells_and_zones_add_up(com):
    assert com.cells["population"].sum() == 63
    for name in SERVICES:
        inside = (com.cells[f"{name}_share"] * com.cells["population"]).sum()
        assert inside == pytest.approx(com.table.loc[name, "covered"])
    assert (com.cells["score"] * com.cells["population"]).sum() == pytest.approx(com.score * 63)
    zones = com.zones.set_index("zone")
    assert zones["population"].tolist() == [3, 12]
    assert zones["school_covered"].tolist() == [3, 0]
    assert zones["all_covered"].tolist() == [0, 0]
    assert zones["score"].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert zones["at_least_2_share"].tolist() == [1, 1]


@APART
def test_own_minutes_by_service_and_by_facility():
    far = complete(minutes={"school": 10, "clinic": 2.5, "shop": "reach"}, services={
        **SERVICES, "shop": SHOP.assign(reach=[1.0, 0.5]),
    })  # fmt: skip
    # school: 6000 m; the shop at 1000 m draws from 600 m, that at 3000 m from 300 m
    assert far.table["covered"].to_dict() == {
        "school": 15, "clinic": 12, "shop": 1 + 2, "any": 15, "at_least_2": 3 + 12, "all": 0
    }  # fmt: skip
    assert far.table["minutes"].tolist()[:3] == [10, 2.5, 1]
    # times are told without the later start
    assert far.points["shop_time_s"].tolist()[:4] == pytest.approx([50] * 4)


@APART
def test_weights_count_in_the_score_only():
    even, one = complete(), complete(weights={"school": 0, "clinic": 3, "shop": 1})
    pd.testing.assert_frame_equal(even.table, one.table)
    assert one.score == pytest.approx((3 * 12 + 15) / (4 * 63))
    assert one.points["score"].tolist() == [0.25, 0.25, 1, 1, 0, 0]


@APART
def test_a_service_without_facilities_covers_nobody_and_is_told():
    none = gpd.GeoDataFrame({"reach": []}, geometry=[], crs=4326)
    void = gpd.GeoDataFrame(geometry=[None], crs=4326)
    result = complete({"school": SCHOOL, "none": none, "void": void})
    assert result.table.loc[["none", "void"], ["covered", "facilities"]].to_numpy().tolist() == [[0, 0]] * 2
    assert result.table.loc["all", "covered"] == 0
    assert result.points["none_time_s"].tolist() == [math.inf] * 6
    issue = result.issues.set_index("code").loc["CG-COV-030"]
    assert (issue["count"], issue["sample"]) == (2, "none, void")
    assert complete({"none": none}, minutes="reach").score == 0


@APART
def test_direction_and_delay():
    oneway = network({0: (0, 0), 1: (4000, 0)}, [((0, 1), ONEWAY)])
    homes = PEOPLE.loc[list("abcd")]
    middle = {"school": points([(2000, 0)])}
    out = cg.completeness(oneway, middle, demand=homes, minutes=5)
    back = cg.completeness(oneway, middle, demand=homes, minutes=5, direction="from")
    assert out.table.loc["school", "covered"] == 1 + 2
    assert back.table.loc["school", "covered"] == 4 + 8
    late = complete({"school": SCHOOL, "shop": SHOP}, delay_s={"school": 120, "shop": 0})
    assert late.table.loc[["school", "shop"], "covered"].tolist() == [0, 15]


@APART
def test_cells_as_demand():
    cells = cg.population(PEOPLE.loc[list("abcde")], resolution=9)
    result = complete(demand=cells, zones=None)
    assert set(result.cells.index) == set(cells.index)
    assert result.cells["population"].to_numpy() == pytest.approx(
        cells["population"].reindex(result.cells.index)
    )
    assert result.table.loc["any", "total"] == pytest.approx(31)
    assert len(result.zones) == 0
    empty = complete(demand=cells.assign(population=0.0), zones=None)
    assert empty.cells[["score", "n_services", "all_share"]].isna().all(axis=None)
    assert (empty.cells["lacks"] == "").all()
    assert math.isnan(empty.score)


def test_nobody_to_serve_is_told_and_lacks_nothing():
    with pytest.warns(errors.CitygeoWarning, match="CG-COV-008: There is nothing to cover of 1 measures"):
        result = complete(demand=PEOPLE.loc[["a", "b"]].assign(population=0))
    assert repr(result) == "<Completeness of 3 services: no people 无人口>"
    assert result.issues.set_index("code").loc["CG-COV-008", "sample"] == "population"
    assert result.table["share"].isna().all()
    assert len(result.lacking) == 0


@APART
def test_what_nobody_lacks_is_not_told():
    result = complete(demand=PEOPLE.assign(population=[0, 0, 4, 8, 0, 0]))
    assert result.lacking["lacks"].tolist() == ["school"]
    assert result.lacking["share"].tolist() == [1]
    assert "CG-COV-008" not in set(result.issues["code"])


def test_names_numbers_and_layers_that_cannot_be_used():
    for wrong in ({}, None, [SCHOOL], {str(i): SCHOOL for i in range(61)}):
        with pytest.raises(errors.InputError, match="CG-COV-031"):
            complete(wrong)
    for name in ("any", "all", "at_least_1", "population", "", 7):
        with pytest.raises(errors.InputError, match="CG-COV-032"):
            complete({name: SCHOOL})
    with pytest.raises(errors.InputError, match="CG-IN-007: services school"):
        complete({"school": [1]})
    with pytest.raises(errors.InputError, match="CG-IN-007: demand"):
        complete(demand=[1])
    with pytest.raises(errors.InputError, match="CG-IN-004: minutes"):
        complete(minutes={"school": 5, "cinema": 5})
    with pytest.raises(errors.UnitError, match="CG-UNIT-002"):
        complete(minutes=0)
    with pytest.raises(errors.NetworkError, match="CG-NET-010: 0 of 1 services school"):
        complete({"school": points([(0, 3000)])})
    for weights in (
        {"school": 1},
        {"school": 0, "clinic": 0, "shop": 0},
        {**dict.fromkeys(SERVICES, 1), "shop": -1},
        {**dict.fromkeys(SERVICES, 1), "shop": "much"},
        {**dict.fromkeys(SERVICES, 1), "shop": True},
    ):
        with pytest.raises(errors.InputError, match="CG-IN-004: weights"):
            complete(weights=weights)
    with pytest.raises(errors.InputError, match="CG-IN-004: direction"):
        complete(direction="both")


@APART
def test_results_are_in_the_callers_crs_say_what_they_are_and_are_kept(tmp_path):
    result = complete({name: layer.to_crs(3857) for name, layer in SERVICES.items()})
    assert {layer.crs.to_epsg() for layer in (result.cells, result.points, result.zones)} == {3857}
    assert repr(result) == (
        "<Completeness of 3 services: 0 of 63 people (0.0%) have all, score 0.16, most lack school>"
    )
    said = result.provenance["parameters"]
    assert (said["minutes"], said["operator"], said["weights"]) == (2.5, "<=", dict.fromkeys(SERVICES, 1.0))
    assert {"demand", "services school", "zones zone"} <= set(result.provenance["inputs"])
    files = result.save(tmp_path / "out")
    read = gpd.read_file(files["completeness"], layer="cells")
    assert read["population"].sum() == 63
    assert pd.read_csv(files["table"], index_col=0)["covered"].tolist() == result.table["covered"].tolist()
    assert pd.read_csv(files["lacking"])["population"].sum() == 63
    assert pd.read_parquet(files["cells"])["score"].to_numpy() == pytest.approx(result.cells["score"])
    assert json.loads(files["provenance"].read_text())["action"] == "completeness"


@APART
def test_inputs_are_not_changed_and_threads_and_order_change_nothing():
    before = PEOPLE.copy(), {name: layer.copy() for name, layer in SERVICES.items()}
    one = complete(threads=1)
    two = complete(dict(reversed(SERVICES.items())), demand=PEOPLE.iloc[::-1], threads=2)
    assert PEOPLE.equals(before[0])
    assert all(SERVICES[name].equals(layer) for name, layer in before[1].items())
    assert one.table["covered"].to_dict() == two.table["covered"].to_dict()
    columns = ["population", "score", "n_services", "school_share", "all_share"]
    pd.testing.assert_frame_equal(pd.DataFrame(one.cells[columns]), pd.DataFrame(two.cells[columns]))


places = st.tuples(st.integers(-1500, 1500), st.integers(-1500, 1500))
layers = st.lists(st.lists(places, min_size=1, max_size=4), min_size=1, max_size=4)


@APART
@settings(max_examples=25, deadline=None)
@given(layers, st.lists(places, min_size=1, max_size=8), st.integers(1, 5))
def test_every_table_follows_from_times_of_pairs(facilities, homes, minutes):
    """The oracle: all pairs, and sets of people for every combination of services."""
    net = grid_city(4, 500)
    people = points(homes, population=[2**i for i in range(len(homes))])
    services = {f"s{i}": points(given) for i, given in enumerate(facilities)}
    com = cg.completeness(net, services, demand=people, minutes=minutes, max_snap_m=2000)
    has = {}
    for name, layer in services.items():
        pairs = cg.travel_times(net, people, layer, max_snap_m=2000)
        has[name] = set(pairs["origin"][pairs["time_s"] <= 60 * minutes])
    numbers = {home: sum(home in those for those in has.values()) for home in people.index}
    n = len(services)
    asked = {"any": 1, **{f"at_least_{k}": k for k in range(2, n)}, "all": n}
    expected = {name: sum(2**home for home in those) for name, those in has.items()}
    expected |= {
        name: sum(2**home for home, k in numbers.items() if k >= least) for name, least in asked.items()
    }
    assert com.table["covered"].to_dict() == expected
    for size in range(n + 1):
        for lacked in combinations(services, size):
            who = sum(
                2**home for home in people.index if {s for s in services if home not in has[s]} == set(lacked)
            )
            rows = com.lacking[com.lacking["lacks"] == ", ".join(lacked)]
            assert rows["population"].sum() == who
    assert com.score == pytest.approx(
        sum(numbers[home] * 2**home for home in people.index) / n / (2 ** len(homes) - 1)
    )


@pytest.fixture(scope="module")
def reykjavik():
    city = cg.datasets.reykjavik()
    net = city.network("walk")
    services = {name: city.services[name] for name in ("school", "clinic", "pharmacy")}
    with pytest.warns(errors.CitygeoWarning):
        com = cg.completeness(net, services, demand=city.people, zones=city.zones)
    return city, net, services, com


@APART
def test_each_service_is_its_coverage_and_any_that_of_all_facilities(reykjavik):
    city, net, services, com = reykjavik
    crs = city.people.crs
    together = pd.concat([layer.to_crs(crs)[["geometry"]] for layer in services.values()], ignore_index=True)
    for name, layer in {**services, "any": together}.items():
        cov = cg.coverage(net, layer, demand=city.people, minutes=15, direction="to")
        assert com.table.loc[name, "covered"] == cov.table.loc["population", "covered"]
        if name in services:
            np.testing.assert_array_equal(com.points[f"{name}_time_s"], cov.points["time_s"])


def test_reykjavik_adds_up(reykjavik):
    city, _, services, com = reykjavik
    assert com.table["total"].unique().tolist() == [city.people["population"].sum()]
    covered = com.table["covered"]
    assert covered["all"] <= covered["at_least_2"] <= covered["any"]
    assert covered["all"] + covered["at_least_2"] + covered["any"] == covered[list(services)].sum()
    assert com.lacking["population"].sum() == pytest.approx(com.table.loc["any", "total"])
    for name in com.table.index:
        by_level = com.zones.groupby("level")[[f"{name}_covered", "population"]].sum()
        assert (by_level[f"{name}_covered"] <= covered[name]).all()
        assert by_level.loc["municipality", f"{name}_covered"] == pytest.approx(covered[name], rel=1e-3)
    assert com.cells["lacks"].str.split(", ").map(lambda names: len([n for n in names if n])).add(
        com.cells["n_services"]
    ).dropna().unique().tolist() == [3]
