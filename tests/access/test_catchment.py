"""Floating catchments: by hand, in plain Python, closed forms, conservation, and what is refused or told."""

from __future__ import annotations

import math
import pickle

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo.errors import CitygeoError, CitygeoWarning
from tests import reference
from tests.toy import STREET, grid_city, network, points

# a street of 6 km at 36 km/h: a minute is 600 m
NET = network({i: (600 * i, 0) for i in range(11)}, [(tuple(range(11)), STREET)])
HOMES = points([(0, 0), (1200, 0), (3000, 0)], population=[100, 50, 200])
CLINICS = points([(600, 0), (3600, 0)], capacity=[30, 8])
METHODS = ["2sfca", "e2sfca", "m2sfca", "3sfca"]


def fca(demand=HOMES, facilities=CLINICS, net=NET, method="2sfca", **options):
    if method != "2sfca":
        options.setdefault("decay", cg.decay.exponential(0.3))
    return cg.floating_catchment(net, demand, facilities, method=method, **options)


def test_two_steps_by_hand():
    found = fca(minutes=[1, 4])
    # within 1 min the first clinic has 150 people, the second 200; within 4 all 350 and 250
    assert found.minutes.tolist() == [1, 4] * 3
    expected = [30 / 150, 30 / 350, 30 / 150, 30 / 350 + 8 / 250, 8 / 200, 30 / 350 + 8 / 250]
    assert found.access.tolist() == pytest.approx(expected, rel=1e-15)
    told = found.facilities
    assert told.minutes.tolist() == [1, 4, 1, 4]
    assert told.people_in_reach.tolist() == told.demand_in_reach.tolist() == [150, 350, 200, 250]
    assert told.ratio.tolist() == [30 / 150, 30 / 350, 8 / 200, 8 / 250]
    assert told.index.tolist() == [0, 0, 1, 1]
    assert told.crs == CLINICS.crs
    assert found.pivot().access_4.tolist() == found.access[found.minutes == 4].tolist()
    assert found.bounds_minutes == (1, 4)
    assert repr(found).startswith("floating_catchment: access within 1, 4 min, to facilities, 0 findings")


def test_zones_of_the_enhanced_method_by_hand():
    zones = cg.decay.step({1: 1, 3: 0.5})
    found = fca(minutes=4, method="e2sfca", decay=zones)
    # clinic 1: homes at 1, 1 and 4 minutes; clinic 2: at 6 (out of reach), 4 (no weight) and 1
    first, second = 30 / (100 + 50 + 0 * 200), 8 / 200
    assert found.access.tolist() == pytest.approx([first, first, second])
    assert found.facilities.demand_in_reach.tolist() == [150, 200]
    assert found.facilities.people_in_reach.tolist() == [350, 250]


def test_each_facility_may_have_its_own_catchment():
    clinics = CLINICS.assign(minutes=[1, 4])
    found = fca(facilities=clinics, minutes="minutes")
    assert found.access.tolist() == pytest.approx([30 / 150, 30 / 150 + 8 / 250, 8 / 250])
    assert found.minutes.isna().all()
    assert found.pivot().access.tolist() == found.access.tolist()
    assert found.bounds_minutes == ()
    same = fca(facilities=clinics.assign(minutes=4), minutes="minutes")
    assert same.access.tolist() == fca(minutes=4).access.tolist()


CITY = grid_city(5)
PLACE = st.tuples(st.integers(-300, 300), st.integers(-300, 300))


@settings(max_examples=40, deadline=None)
@given(
    homes=st.lists(st.tuples(PLACE, st.integers(0, 500)), min_size=1, max_size=7),
    clinics=st.lists(st.tuples(PLACE, st.integers(0, 90)), min_size=1, max_size=5),
    minutes=st.floats(0.5, 4),
    beta=st.floats(0.05, 3),
    method=st.sampled_from(METHODS),
)
@pytest.mark.filterwarnings("ignore:CG-ACC", "ignore:CG-NET")
def test_methods_in_plain_python_and_conservation(homes, clinics, minutes, beta, method):
    demand = points([place for place, _ in homes], population=[n for _, n in homes])
    facilities = points([place for place, _ in clinics], capacity=[n for _, n in clinics])
    decay = None if method == "2sfca" else cg.decay.exponential(beta)
    found = cg.floating_catchment(
        CITY, demand, facilities, minutes=minutes, method=method, decay=decay, max_snap_m=500
    )
    table = cg.travel_times(CITY, demand, facilities, minutes=minutes, max_snap_m=500)
    times = {
        (row.origin, row.destination): row.time_s / 60
        for row in table.itertuples() if math.isfinite(row.time_s)
    }  # fmt: skip

    def weight(t):
        return 1.0 if decay is None else math.exp(-beta * t)

    access, ratio = reference.floating_catchment(
        times, facilities.capacity.tolist(), demand.population.tolist(), weight, method
    )
    assert found.access.tolist() == pytest.approx(access, rel=1e-11, abs=1e-14)
    told = found.facilities
    assert told.ratio.isna().tolist() == [value is None for value in ratio]
    assert told.ratio.dropna().tolist() == pytest.approx([r for r in ratio if r is not None], rel=1e-11)
    shared_out = float((found.access * found.population).sum())
    in_reach = float(told.capacity[told.demand_in_reach > 0].sum())
    if method == "m2sfca":
        assert shared_out <= in_reach * (1 + 1e-12)
    else:
        assert shared_out == pytest.approx(in_reach, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_one_facility_and_catchments_without_an_end(method):
    one = fca(facilities=CLINICS[:1], minutes=1)
    assert one.access.tolist()[:2] == [30 / 150] * 2
    whole = fca(minutes=1440)
    assert whole.access.tolist() == pytest.approx([38 / 350] * 3)
    alike = fca(minutes=1440, method=method, decay=None if method == "2sfca" else cg.decay.step(1440))
    share = 1 / 2 if method == "3sfca" else 1  # each asks half of either, and there is twice as much for each
    assert alike.access.tolist() == pytest.approx([38 / 350] * 3)
    assert alike.facilities.demand_in_reach.tolist() == pytest.approx([350 * share] * 2)


def test_capacity_that_is_far_from_everybody_is_not_used_up():
    near, far = (points([(x, 0)], population=[10]) for x in (600, 3000))
    clinic = points([(600, 0)], capacity=[5])
    beds = [
        (fca(demand, clinic, minutes=10, method=method).access * 10).item()
        for method in ("e2sfca", "m2sfca") for demand in (near, far)
    ]  # fmt: skip
    assert beds == pytest.approx([5, 5, 5, 5 * math.exp(-0.3 * 4)])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("direction", ["from", "to"])
def test_rows_engines_threads_and_side_change_nothing(method, direction):
    rng = np.random.default_rng(3)
    homes = points(rng.integers(-250, 250, (40, 2)), population=rng.integers(1, 90, 40))
    clinics = points(rng.integers(-250, 250, (9, 2)), capacity=rng.integers(1, 90, 9))

    def ask(homes=homes, clinics=clinics, **options):
        return fca(homes, clinics, CITY, method, minutes=[1, 4], direction=direction, **options)

    whole = ask()
    for engine in ("dijkstra", "cch"):
        for threads in (1, 2):
            assert ask(engine=engine, threads=threads).equals(whole)
    mixed = ask(homes.iloc[rng.permutation(40)], clinics.iloc[rng.permutation(9)])
    for rows, expected in ((mixed, whole), (mixed.facilities, whole.facilities)):
        order = rows.sort_values("minutes", kind="stable").sort_index(kind="stable")
        for column in ("access",) if rows is mixed else ("ratio", "demand_in_reach"):
            assert order[column].tolist() == pytest.approx(expected[column].tolist(), rel=1e-13, nan_ok=True)
    doubled = ask(
        homes.assign(population=2 * homes.population), clinics.assign(capacity=2 * clinics.capacity)
    )
    assert doubled.access.equals(whole.access)
    assert doubled.facilities.ratio.equals(whole.facilities.ratio)


def test_one_way_streets_tell_the_directions_apart():
    net = network({0: (0, 0), 1: (600, 0)}, [((0, 1), STREET | {"oneway": "yes"})])
    homes, clinic = points([(0, 0)], population=[10]), points([(600, 0)], capacity=[5])
    assert fca(homes, clinic, net, minutes=2, direction="to").access.tolist() == [0.5]
    with pytest.warns(CitygeoWarning, match="CG-ACC-001"):
        assert fca(homes, clinic, net, minutes=2, direction="from").access.tolist() == [0]


def test_delays_are_part_of_the_minutes():
    assert fca(minutes=1, delay_s=0).access.tolist() == fca(minutes=2, delay_s=60).access.tolist()
    late = CLINICS.assign(wait=[0, 60])
    with pytest.warns(CitygeoWarning, match="CG-ACC-001: 1 of 2 facilities have no people in reach: 1"):
        found = fca(facilities=late, minutes=1, delay_s="wait")
    assert found.access.tolist() == [0.2, 0.2, 0]


def test_nobody_in_reach_is_told():
    clinics = points([(600, 0), (6000, 0)], capacity=[30, 8], name=["a", "b"]).set_index("name")
    with pytest.warns(CitygeoWarning, match=r"CG-ACC-001: 1 of 2 .* reach: b\. Their capacity of 8 counts"):
        found = fca(facilities=clinics, minutes=1)
    assert math.isnan(found.facilities.ratio["b"])
    assert found.issues.code.tolist() == ["CG-ACC-001"]
    # people who are none do not make a ratio
    empty = HOMES.assign(population=[100, 50, 0])
    with pytest.warns(CitygeoWarning, match="CG-ACC-001"):
        found = fca(demand=empty, minutes=1)
    assert found.access.tolist() == [0.2, 0.2, 0]


def test_demand_without_people_is_told():
    with pytest.warns(
        CitygeoWarning, match="CG-ACC-002: The 3 rows of demand have no people at all in population"
    ):
        found = fca(demand=HOMES.assign(population=0), minutes=4)
    assert found.access.tolist() == [0, 0, 0]
    assert found.facilities.ratio.isna().all()


def test_rows_off_the_network_are_missing_with_their_status():
    homes = points([(0, 0), (0, 5000)], population=[100, 900])
    clinics = points([(600, 0), (600, 9000)], capacity=[30, 8])
    with pytest.warns(CitygeoWarning, match="CG-NET-013"):
        found = fca(homes, clinics, minutes=2)
    assert found.access.tolist()[0] == 0.3
    assert math.isnan(found.access.tolist()[1])
    assert found.status.tolist() == ["ok", "not_snapped"]
    assert found.facilities.status.tolist() == ["ok", "not_snapped"]
    assert "CG-ACC-001" not in found.issues.code.tolist(), "said once"


def test_layers_may_differ_in_crs_and_must_have_one():
    plain = fca(minutes=4)
    moved = fca(demand=HOMES.to_crs(32631), facilities=CLINICS.to_crs(3857), minutes=4)
    assert moved.access.tolist() == pytest.approx(plain.access.tolist(), rel=1e-12)
    assert moved.crs == 32631
    for layers in ({"demand": HOMES.set_crs(None, allow_override=True)},
                   {"facilities": gpd.GeoDataFrame(CLINICS, crs=None).set_crs(None, allow_override=True)}):  # fmt: skip
        with pytest.raises(CitygeoError, match="CG-CRS-001"):
            fca(**layers, minutes=4)


def test_rows_count_one_each_without_columns():
    found = fca(minutes=4, capacity=None, population=None)
    assert found.access.tolist() == pytest.approx([1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2])


@pytest.mark.parametrize("value", [-1, np.nan, np.inf, "many"])
def test_capacity_and_people_must_be_numbers_from_zero(value):
    with pytest.raises(
        CitygeoError, match="CG-IN-003: 1 of 2 rows of facilities have unusable values in capacity"
    ):
        fca(facilities=CLINICS.astype({"capacity": object}).assign(capacity=[3, value]), minutes=4)
    with pytest.raises(CitygeoError, match="CG-IN-003: 1 of 3 rows of demand"):
        fca(demand=HOMES.astype({"population": object}).assign(population=[3, 4, value]), minutes=4)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"minutes": 0}, "CG-UNIT-002"),
        ({"minutes": "bound"}, "CG-IN-005"),
        ({"minutes": "capacity", "facilities": CLINICS.assign(capacity=[0, 5])}, "CG-IN-003"),
        ({"minutes": "capacity", "facilities": CLINICS.assign(capacity=[1441, 5])}, "CG-IN-003"),
        ({"minutes": 5, "method": "4sfca"}, "CG-IN-004"),
        ({"minutes": 5, "decay": cg.decay.linear(5)}, "CG-IN-004: decay"),
        ({"minutes": 5, "method": "3sfca", "decay": None}, "CG-IN-004: decay"),
        ({"minutes": 5, "method": "e2sfca", "decay": lambda minutes: minutes}, "CG-IN-004: decay"),
        ({"minutes": 5, "capacity": "beds"}, "CG-IN-005"),
        ({"minutes": 5, "population": "people"}, "CG-IN-005"),
        ({"minutes": 5, "demand": HOMES.assign(access=1)}, "CG-IN-004: demand"),
        ({"minutes": 5, "demand": HOMES[:0]}, "CG-IN-001"),
        ({"minutes": 5, "demand": [1, 2]}, "CG-IN-007"),
        ({"minutes": 5, "direction": "back"}, "CG-IN-004"),
        ({"minutes": 5, "threads": 0}, "CG-IN-004"),
        ({"minutes": 5, "engine": "fast"}, "CG-IN-004"),
    ],
)
def test_odd_arguments_are_refused(options, code):
    with pytest.raises(CitygeoError, match=code):
        fca(**options)


def test_the_question_goes_along():
    found = fca(minutes=[1, 4], method="3sfca")
    again = pickle.loads(pickle.dumps(found))
    assert again.equals(found)
    assert again.measures == ("access",)
    made_by = again.provenance
    assert made_by["action"] == "floating_catchment"
    assert made_by["parameters"]["method"] == "3sfca"
    assert made_by["parameters"]["minutes"] == [1, 4]
    assert {"demand", "facilities"} < set(made_by["inputs"])
    assert found[found.minutes == 4].facilities is found.facilities
