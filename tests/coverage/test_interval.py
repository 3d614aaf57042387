"""Intervals: a street worked out by hand, and laws that hold on every network."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo import errors
from tests.toy import STREET, grid_city, network, points

pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
NOISE = 1e-9  # areas are floats

# 2000 m with a posted 36 km/h, then 2000 m where the toy mode assumes 36 km/h: a metre takes 100 ms
NET = network(
    {0: (0, 0), 1: (2000, 0), 2: (4000, 0)}, [((0, 1), STREET), ((1, 2), {"highway": "residential"})]
)
STATION = points([(0, 0)])
# power-of-two people: a sum says exactly who was counted; the third lives 60 m, 60 s, off the street
PEOPLE = points([(1000, 0), (1600, 0), (1500, 60), (2400, 0), (3000, 0)], population=[1, 2, 4, 8, 16])


@pytest.fixture(scope="module")
def cov():
    """Four minutes: all but the last, who is 300 s away; the fourth just so."""
    result = cg.coverage(NET, STATION, demand=PEOPLE, minutes=4)
    assert result.table.loc["population", "covered"] == 1 + 2 + 4 + 8
    return result


def people(found):
    return found.table.loc["population"]


def only(cov, **given):
    """Nothing but what is given."""
    still = {"speeds": (1, 1), "assumed": (1, 1), "snap": (1, 1)}
    return cov.interval(land=False, **{**still, **given})


def test_speeds_by_hand(cov):
    """At half of all speeds 240 s are 1200 m; at twice, 4800 m."""
    found = people(only(cov, speeds=(0.5, 2)))
    assert found[["low_covered", "central_covered", "high_covered", "total"]].tolist() == [1, 15, 31, 31]
    assert found[["low", "central", "high"]].tolist() == [1 / 31, 15 / 31, 1]
    assert found["driver"] == "speeds"


def test_assumed_speeds_by_hand(cov):
    """From 2000 m, 200 s away, the rest of 240 s is 300 m at 0.75 of the speed, 1200 m at three times it."""
    found = people(only(cov, assumed=(0.75, 3)))
    assert found[["low_covered", "central_covered", "high_covered"]].tolist() == [7, 15, 31]
    assert found["driver"] == "assumed"


def test_stretches_beside_the_road_by_hand(cov):
    """150 s on the street and 60 s beside it; twice that is 270 s."""
    found = people(only(cov, snap=(0.5, 2)))
    assert found[["low_covered", "central_covered", "high_covered"]].tolist() == [11, 15, 15]
    assert found["driver"] == "snap"


def test_drivers_alone_and_together(cov):
    found = cov.interval(speeds=(0.8, 1), assumed=(0.75, 1), snap=(1, 1.5), land=False)
    alone = found.drivers.set_index("driver")
    # 0.8: 1920 m, and the third is 187.5 + 60 s away; 0.75: see above; 1.5: 150 + 90 s, just so
    assert (31 * alone["low"]).round().to_dict() == {"speeds": 3, "assumed": 7, "snap": 15}
    assert (31 * alone["high"]).round().to_dict() == {"speeds": 15, "assumed": 15, "snap": 15}
    assert alone["change_low"].to_list() == (alone["low"] - 15 / 31).to_list()
    assert found.drivers["driver"].tolist() == ["speeds", "assumed", "snap"], "what moves most comes first"
    assert alone[["factor_low", "factor_high"]].loc["snap"].tolist() == [1.5, 1]
    assert people(found)["low_covered"] == 3
    assert (alone["label_zh"].str.len() > 3).all()


def test_named_scenarios_are_networks_at_those_speeds(cov):
    given = {"peak 高峰": 0.5, "by class": {"residential": 0.5, "*": 1}}
    found = only(cov, scenarios=given)
    rows = found.scenarios.set_index("scenario")
    assert rows["covered"].to_dict() == {"peak 高峰": 1, "by class": 1}
    assert rows["change"].tolist() == [1 / 31 - 15 / 31] * 2
    again = cg.coverage(NET.with_speeds(0.5), STATION, demand=PEOPLE, minutes=4)
    assert rows.loc["by class", "share"] == again.table.loc["population", "share"]
    assert found.provenance["parameters"]["interval"]["scenarios"] == given
    assert found.provenance["parameters"]["minutes"] == [4]
    assert only(cov).scenarios.columns.tolist() == found.scenarios.columns.tolist()


def test_nothing_uncertain_is_the_coverage(cov):
    found = cov.interval(speeds=(1, 1), assumed=(1, 1), snap=(1, 1))
    for end in ("low", "central", "high"):
        assert found.table[end].equals(cov.table["share"].rename(end))
    assert found.table["driver"].tolist() == [""] * len(found.table)
    assert "most moved" not in repr(found)


def test_repr_and_files(cov, tmp_path):
    found = only(cov, speeds=(0.5, 2), scenarios={"peak": 0.5})
    assert repr(found) == (
        "<Interval within 4 min: 3.2% – 48.4% – 100.0% of people covered 人口覆盖率, most moved by speeds>"
    )
    files = found.save(tmp_path / "out")
    assert pd.read_csv(files["table"], index_col=0)["high"].tolist() == found.table["high"].tolist()
    assert pd.read_csv(files["drivers"])["label_zh"].tolist() == found.drivers["label_zh"].tolist()
    assert pd.read_csv(files["scenarios"])["scenario"].tolist() == ["peak"]
    assert json.loads(files["provenance"].read_text())["action"] == "interval"


@pytest.mark.parametrize("argument", ["speeds", "assumed", "snap"])
@pytest.mark.parametrize(
    "wrong", [(1.1, 1.2), (0.5, 0.9), (1,), 1.0, (0, 1), (0.5, 11), ("a", 1), (None, 1), (float("nan"), 1)]
)
def test_factors_are_two_around_one(cov, argument, wrong):
    with pytest.raises(errors.InputError, match=f"CG-COV-040: {argument}"):
        cov.interval(**{argument: wrong})


def test_scenarios_that_cannot_be_used(cov):
    for wrong in ([0.5], {1: 0.5}, {"": 0.5}):
        with pytest.raises(errors.InputError, match="CG-IN-004: scenarios"):
            cov.interval(scenarios=wrong)
    with pytest.raises(errors.InputError, match="CG-IN-004: factor"):
        cov.interval(scenarios={"peak": {"canal": 0.5}})


def test_own_limits_and_delays_stay():
    """Limits of 240 and 120 s, delays of 40 s: 2000 m and 800 m; at half the speeds 1000 m and 400 m."""
    two = points([(0, 0), (4000, 0)]).assign(reach=[4.0, 2.0])
    cov = cg.coverage(NET, two, demand=PEOPLE, minutes="reach", delay_s=40)
    found = people(only(cov, speeds=(0.5, 1)))
    assert found[["low_covered", "central_covered"]].tolist() == [1, 1 + 2]


factors = st.floats(0.35, 1)
places = st.tuples(st.integers(-1500, 1500), st.integers(-1500, 1500))


@settings(max_examples=8, deadline=None)
@given(
    st.lists(places, min_size=1, max_size=3),
    st.lists(places, min_size=1, max_size=6),
    factors,
    factors,
    factors,
)
def test_low_is_least_and_slower_is_never_more(stations, homes, speed, slower, beside):
    net = grid_city(2, 800)
    given_people = points(homes, population=[2**i for i in range(len(homes))])
    cov = cg.coverage(net, points(stations), demand=given_people, minutes=2, max_snap_m=2000)
    wide = cov.interval(
        speeds=(speed * slower, 1 / speed), assumed=(slower, 1 / slower), snap=(beside, 1 / beside)
    )
    narrow = cov.interval(speeds=(speed, 1), assumed=(1, 1), snap=(1, 1))
    assert wide.table["central"].equals(cov.table["share"].rename("central"))
    assert (wide.table["low"] <= narrow.table["low"] + NOISE).all()
    assert (narrow.table["low"] <= narrow.table["central"] + NOISE).all()
    assert (wide.table["central"] <= wide.table["high"] + NOISE).all()
    for driver in ("speeds", "assumed", "snap"):
        alone = wide.drivers[wide.drivers["driver"] == driver].set_index("measure")
        assert (wide.table["low"] <= alone["low"] + NOISE).all()
        assert (alone["low"] <= wide.table["central"] + NOISE).all()
        assert (wide.table["central"] <= alone["high"] + NOISE).all()
        assert (alone["high"] <= wide.table["high"] + NOISE).all()


@settings(max_examples=5, deadline=None)
@given(st.lists(places, min_size=1, max_size=6), factors)
def test_a_slower_network_is_coverage_of_that_network(homes, speed):
    """The oracle: everything again, on the slower network."""
    net = grid_city(2, 800)
    given_people = points(homes, population=[2**i for i in range(len(homes))])
    asked = {"demand": given_people, "minutes": 2, "max_snap_m": 2000, "buildings": given_people}
    found = cg.coverage(net, points([(0, 0)]), **asked).interval(
        speeds=(speed, 1), assumed=(1, 1), snap=(1, 1)
    )
    again = cg.coverage(net.with_speeds(speed), points([(0, 0)]), **asked).table
    assert found.table["low_covered"].to_numpy() == pytest.approx(again["covered"].to_numpy(), abs=NOISE)


def test_reykjavik():
    city = cg.datasets.reykjavik()
    net = city.network("fire_engine")
    cov = cg.coverage(net, city.stations, demand=city.people, minutes=5, buildings=city.buildings)
    found = cov.interval(land=False, scenarios={"peak": 0.6})
    table = found.table
    assert "area" not in table.index
    assert (table["low"] < table["central"]).all()
    assert (table["central"] < table["high"]).all()
    assert (table["driver"] == "speeds").all()
    peak = cg.coverage(net.with_speeds(0.6), city.stations, demand=city.people, minutes=5)
    rows = found.scenarios.set_index(["scenario", "measure"])
    assert rows.loc[("peak", "population"), "covered"] == peak.table.loc["population", "covered"]
    speeds = found.drivers.set_index(["driver", "measure"]).loc[("speeds", "population")]
    assert speeds["low"] == peak.table.loc["population", "share"]
