"""What must hold whatever the city: more stations never cover less, shares of the whole, sums that are kept."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import citygeo as cg
from citygeo import hexgrid
from tests.coverage.test_measures import GRID, LEVELS, NODE, layer, square
from tests.toy import points

pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
LAND = {"built_up": layer(square(-333, -111, 222, 77))}


class Toy:
    """A grid of streets with random people, stations at crossings, and everything that can be counted."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.network = GRID
        self.stations = points([NODE[i] for i in rng.choice(len(NODE), 4, replace=False)])
        homes = points(NODE, population=rng.integers(0, 50, len(NODE)), old=rng.integers(0, 9, len(NODE)))
        self.given = {
            "demand": homes, "minutes": 0.45, "zones": LEVELS, "columns": ["old"], "buildings": homes, "areas": LAND,
            "points": {"jobs": (homes, "old")}, "radius_m": 250,
        }  # fmt: skip

    def ask(self, stations=None, **changes):
        return cg.coverage(
            self.network, self.stations if stations is None else stations, **(self.given | changes)
        )


class Reykjavik(Toy):
    """The sample city, as the speed goal asks it."""

    def __init__(self) -> None:
        city = cg.datasets.reykjavik()
        services = city.services
        parks = services["park"]
        self.network = city.network("fire_engine")
        self.stations = city.stations
        self.given = {
            "demand": city.people, "minutes": 5, "zones": city.zones, "buildings": city.buildings,
            "areas": {"parks": parks[parks.geom_type.isin(["Polygon", "MultiPolygon"])]},
            "points": {"schools": services["school"], "stops": services["bus_stop"]}, "radius_m": 2500,
        }  # fmt: skip


@pytest.fixture(scope="module", params=["toy 0", "toy 1", "toy 2", "reykjavik"])
def city(request):
    return Reykjavik() if request.param == "reykjavik" else Toy(int(request.param[-1]))


@pytest.fixture(scope="module")
def answer(city):
    return city.ask()


def parts_of(result, level):
    """The rows of a level, and all (column of the total, of a part of it) of them."""
    rows = result.zones[result.zones["level"] == level]
    pairs = [
        (measure.columns["total"], measure.columns[part])
        for measure in result.measures
        for part in ("covered", "radius")
    ]
    return rows, pairs


def test_shares_are_of_the_whole(answer):
    """22: 0 <= covered <= total, covered and uncovered are all there is."""
    table = answer.table
    for part in ("covered", "radius_covered"):
        assert (table[part] >= 0).all()
        assert (table[part] <= table["total"] * (1 + 1e-9)).all()
    assert ((table["share"] * table["total"]) - table["covered"]).abs().max() <= 1e-6 * table["total"].max()
    for level in answer.setting.levels:
        rows, pairs = parts_of(answer, level)
        for total, part in pairs:
            assert (rows[part] >= 0).all()
            assert (rows[part] <= rows[total] * (1 + 1e-9) + 1e-12).all()
    cells = answer.cells
    assert (cells["covered"] + cells["uncovered"] - cells["population"]).abs().max() < 1e-6


def test_zones_and_gaps_are_the_city(answer):
    """Conservation: what lies in zones and what lies in none is all, of every measure at every level."""
    for name in answer.setting.levels:
        rows, _ = parts_of(answer, name)
        for measure in answer.measures:
            for part in ("total", "covered", "radius"):
                inside = rows[measure.columns[part]].sum()
                if hasattr(measure, "points"):
                    out = measure.points.at.zone[name] < 0
                    chosen = {
                        "covered": measure.points.served.is_covered,
                        "radius": measure.points.at.in_circle,
                    }
                    left = measure.weight[out & chosen.get(part, True)].sum() / measure.quantum
                    assert inside + left == pytest.approx(measure.whole(part), rel=1e-12, abs=1e-9)
                else:
                    assert inside <= measure.whole(part) * (1 + 1e-9)
    first = next(iter(answer.setting.levels))  # the city is the union of these
    rows, _ = parts_of(answer, first)
    for measure in answer.measures:
        for part in ("total", "covered", "radius"):
            if not hasattr(measure, "points"):
                assert rows[measure.columns[part]].sum() == pytest.approx(measure.whole(part), rel=1e-9)


def test_cells_hold_everyone(answer):
    """20: people before = people after."""
    placed = answer.points["h3_cell"].notna()
    assert answer.cells["population"].sum() == pytest.approx(
        answer.points.loc[placed, "population"].sum(), rel=1e-12
    )
    parents = hexgrid.parents(hexgrid.from_strings(answer.cells.index), 7)
    by_parent = answer.cells["covered"].groupby(parents).sum()
    assert by_parent.sum() == pytest.approx(answer.cells["covered"].sum(), rel=1e-12)


def test_depth_of_one_is_covered(answer):
    """23: depth >= 1 is the dissolved coverage."""
    for name in answer.depth.columns:
        if f"{name}_share" in answer.depth:
            assert answer.depth.loc[1:, name].sum() == pytest.approx(
                answer.table.loc[name, "covered"], rel=1e-12
            )
            assert answer.depth[f"{name}_share"].sum() == pytest.approx(1.0)
    assert ((answer.points["depth"] > 0) == (answer.points["time_s"] <= 60 * answer.minutes)).all()


def test_one_station_less_never_covers_more(city, answer):
    """11 from the other side; 18: a duplicate changes no time and raises depth by one just where it reaches."""
    fewer = city.ask(city.stations.iloc[:-1])
    for column in ("covered", "radius_covered"):
        assert (fewer.table[column] <= answer.table[column] * (1 + 1e-12)).all()
    for level in answer.setting.levels:
        (less, pairs), (more, _) = parts_of(fewer, level), parts_of(answer, level)
        for _, part in pairs:
            assert (less[part].to_numpy() <= more[part].to_numpy() * (1 + 1e-9) + 1e-12).all()
    own = city.ask(city.stations.iloc[-1:])
    twin = city.stations.iloc[-1:].set_axis(["twin"])
    twice = city.ask(pd.concat([city.stations, twin]))
    assert twice.points["time_s"].tolist() == answer.points["time_s"].tolist()
    added = twice.points["depth"] - answer.points["depth"]
    assert added.tolist() == own.points["depth"].tolist()
    pd.testing.assert_frame_equal(twice.table, answer.table, rtol=1e-9)


def test_doubling_everyone_leaves_the_shares(city, answer):
    """24."""
    people = city.given["demand"]
    old = {"old": people["old"] * 2} if "old" in people else {}
    double = city.ask(demand=people.assign(population=people["population"] * 2, **old))
    assert double.table["share"].tolist() == pytest.approx(answer.table["share"].tolist(), rel=1e-12)
    assert double.table.loc["population", "total"] == 2 * answer.table.loc["population", "total"]


def test_a_station_nobody_needs_changes_nothing(city):
    """23: one that is nearest to nobody and reaches nobody in time."""
    idle = city.stations.iloc[:1].set_axis(["idle"]).assign(delay=3600.0)
    stations = pd.concat([city.stations.assign(delay=0.0), idle])
    more = city.ask(stations, delay_s="delay")
    less = city.ask(city.stations.assign(delay=0.0), delay_s="delay")
    pd.testing.assert_frame_equal(
        more.table.drop(columns=["radius_covered", "radius_share", "difference"]),
        less.table.drop(columns=["radius_covered", "radius_share", "difference"]),
    )
    pd.testing.assert_frame_equal(more.depth, less.depth)
    assert "idle" not in set(more.points["facility"])


@pytest.mark.parametrize("seed", range(4))
def test_a_closed_street_never_raises_coverage(seed):
    """11: with snaps held fixed, as everything stands at crossings."""
    city = Toy(seed)
    rng = np.random.default_rng(seed)
    before = city.ask()
    city.network = GRID.without(rng.choice(GRID.n_edges, 12, replace=False))
    after = city.ask()
    for name in ("population", "old", "buildings", "jobs"):
        assert after.table.loc[name, "covered"] <= before.table.loc[name, "covered"]
    assert (after.points["time_s"].to_numpy() >= before.points["time_s"].to_numpy()).all()
    assert after.table["radius_covered"].tolist() == before.table["radius_covered"].tolist()


def test_the_answer_does_not_depend_on_threads_or_on_the_order_of_rows(city, answer):
    people = city.given["demand"]
    turned = {
        name: value.iloc[::-1] if isinstance(value, gpd.GeoDataFrame) and name != "zones" else value
        for name, value in city.given.items()
    }
    other = city.ask(threads=1, **{**turned, "demand": people.iloc[::-1]})
    pd.testing.assert_frame_equal(other.table, answer.table, rtol=1e-12)
    pd.testing.assert_frame_equal(
        other.zones.drop(columns="geometry"), answer.zones.drop(columns="geometry"), rtol=1e-9
    )
