"""Opportunities within minutes: by hand on a street, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import citygeo as cg
from citygeo.errors import CitygeoError
from tests.toy import STREET, network, points

# a street of 6 km at 36 km/h: a minute is 600 m
NET = network({i: (600 * i, 0) for i in range(11)}, [(tuple(range(11)), STREET)])
ORIGINS = points([(0, 0), (3000, 0), (0, 5000)], name=["west", "middle", "far"]).set_index("name")
SHOPS = points([(0, 0), (600, 0), (1800, 0), (6000, 0)], jobs=[1, 10, 100, 1000.5], beds=[0, 2, 0, 4])


def access(**options):
    with pytest.warns(cg.errors.CitygeoWarning, match="CG-NET-013"):
        return cg.accessibility(NET, ORIGINS, SHOPS, **options)


def test_counts_by_hand_with_bounds_included():
    found = access(minutes=[1, 3, 5])
    assert found.index.tolist() == ["west"] * 3 + ["middle"] * 3 + ["far"] * 3
    assert found.minutes.tolist() == [1, 3, 5] * 3
    assert found.opportunities[:6].tolist() == [2, 3, 3, 0, 1, 4]
    assert found.opportunities[6:].isna().all(), "not on the network is not zero"
    assert found.status.tolist() == ["ok"] * 6 + ["not_snapped"] * 3
    assert found.crs == ORIGINS.crs


def test_several_weights_at_once():
    found = access(minutes=5, weight=["jobs", "beds"])
    assert found.jobs_reached.tolist()[:2] == [111, 1111.5]
    assert found.beds_reached.tolist()[:2] == [2, 6]
    assert "opportunities" not in found


def test_a_decay_by_hand_and_the_logsum():
    found = access(minutes=[3, 5], decay=lambda minutes: np.exp(-0.5 * minutes))
    expected = [1 + math.exp(-0.5) + math.exp(-1.5)] * 2
    assert found.opportunities.tolist()[:2] == pytest.approx(expected, abs=1e-8)
    step = access(minutes=5, decay=np.ones_like)
    assert step.opportunities.equals(access(minutes=5).opportunities)


@pytest.mark.parametrize("engine", ["auto", "dijkstra", "cch"])
@pytest.mark.parametrize("threads", [1, 2])
def test_engines_and_threads_change_nothing(engine, threads):
    found = access(minutes=[2, 4], weight="jobs", engine=engine, threads=threads)
    assert found.equals(access(minutes=[2, 4], weight="jobs"))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"minutes": 0}, "CG-UNIT-002"),
        ({"minutes": 5, "weight": "doctors"}, "CG-IN-005"),
        ({"minutes": 5, "weight": []}, "CG-IN-004"),
        ({"minutes": 5, "weight": [3]}, "CG-IN-004"),
        ({"minutes": 5, "weight": "geometry"}, "CG-IN-003"),
        ({"minutes": 5, "decay": lambda minutes: minutes}, "CG-IN-004"),
        ({"minutes": 5, "decay": lambda _: 1}, "CG-IN-004"),
        ({"minutes": 600, "decay": np.ones_like}, "CG-UNIT-002"),
        ({"minutes": 5, "engine": "fast"}, "CG-IN-004"),
        ({"minutes": 5, "threads": 0}, "CG-IN-004"),
    ],
)
def test_odd_arguments_are_refused(options, code):
    with pytest.raises(CitygeoError, match=code):
        cg.accessibility(NET, ORIGINS, SHOPS, **options)


def test_no_column_of_the_origins_is_replaced():
    for column, weight in (("jobs_reached", "jobs"), ("opportunities", None), ("status", None)):
        with pytest.raises(CitygeoError, match=f"CG-IN-004: origins=a layer with a column {column}"):
            cg.accessibility(NET, ORIGINS.assign(**{column: 1}), SHOPS, minutes=5, weight=weight)
    kept = access(minutes=5, weight="jobs")
    assert "jobs" not in kept


def test_weights_must_be_numbers_from_zero():
    for value in (-1, np.nan, np.inf, "many"):
        shops = SHOPS.assign(jobs=[1, 2, value, 3])
        with pytest.raises(CitygeoError, match="CG-IN-003: 1 of 4 rows of opportunities"):
            cg.accessibility(NET, ORIGINS, shops, minutes=5, weight="jobs")


@pytest.mark.filterwarnings("ignore:CG-NET-013")
def test_swept_and_searched_reach_of_the_sample_city_are_one():
    city = cg.datasets.reykjavik()
    net = city.network("drive")
    everyone = city.people.iloc[::40]
    kindergartens = city.buildings.iloc[::50].assign(geometry=lambda gdf: gdf.geometry.representative_point())
    tables = [
        cg.accessibility(net, everyone, kindergartens, minutes=[3, 7], engine=engine)
        for engine in ("dijkstra", "cch")
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].opportunities.sum() > len(everyone)
