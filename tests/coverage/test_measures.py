"""All denominators side by side: against a slow twin, in zones whose sums add up, and with limits of their own."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo import errors
from citygeo.issues import IssueLog
from citygeo.viz import map_layers
from tests import reference
from tests.toy import STREET, grid_city, lonlat, network, points

APART = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
SIDE = 6  # blocks; a block takes 10 s
GRID = grid_city(SIDE)
NODE = [(100.0 * col - 300, 100.0 * row - 300) for row in range(SIDE + 1) for col in range(SIDE + 1)]


def square(west, south, east, north):
    corners = [(west, south), (east, south), (east, north), (west, north)]
    return shapely.Polygon([lonlat(*corner) for corner in corners])


def layer(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


HALVES = layer(square(-390, -390, 50, 390), square(50, -390, 390, 390), name=["West", "East"])
QUARTERS = layer(
    square(-390, -390, 50, 50), square(50, -390, 390, 50), square(-390, 50, 50, 390), square(50, 50, 390, 390)
)
LEVELS = {"half": HALVES, "quarter": QUARTERS}


def grid_times(facilities, delays):
    """Milliseconds from each facility to every node, by a plain search of the toy's own blocks."""
    arcs = []
    for row in range(SIDE + 1):
        for col in range(SIDE + 1):
            here = row * (SIDE + 1) + col
            for there in ([here + 1] if col < SIDE else []) + ([here + SIDE + 1] if row < SIDE else []):
                arcs += [(here, there, 10_000), (there, here, 10_000)]
    tables = [
        reference.shortest_times(arcs, [(node, 1000 * delay)], 10**9)
        for node, delay in zip(facilities, delays, strict=True)
    ]
    return [[table.get(node) for node in range(len(NODE))] for table in tables]


@APART
@pytest.mark.parametrize("seed", range(6))
def test_every_table_equals_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    chosen = rng.choice(len(NODE), n, replace=False).tolist()
    seconds, delays = rng.integers(1, 60, n).tolist(), rng.integers(0, 20, n).tolist()
    limits = [1000 * second for second in seconds]
    stations = points([NODE[node] for node in chosen], minutes=[s / 60 for s in seconds], delay=delays)
    people, old, jobs = (rng.integers(0, 100, len(NODE)).tolist() for _ in range(3))
    homes = points(NODE, population=people, old=old)
    result = cg.coverage(
        GRID, stations, demand=homes, minutes="minutes", delay_s="delay", zones=LEVELS, columns=["old"],
        buildings=homes, points={"jobs": (points(NODE, count=jobs), "count"), "doors": points(NODE)},
    )  # fmt: skip
    times = grid_times(chosen, delays)
    every = [1] * len(NODE)
    weights = {"population": people, "old": old, "buildings": every, "jobs": jobs, "doors": every}
    whole = {name: reference.coverage(times, limits, w, [0] * len(NODE)) for name, w in weights.items()}
    assert result.table.index.tolist() == ["area", *weights]
    for name, told in whole.items():
        assert result.table.loc[name, ["covered", "total"]].tolist() == [
            told["covered"][0],
            sum(weights[name]),
        ]
        by_depth = np.bincount(np.minimum(told["depth"], 3), weights[name], minlength=4)
        assert result.depth[name].tolist() == by_depth.tolist()
    nearest = whole["population"]["nearest"]
    assert result.points["depth"].tolist() == whole["population"]["depth"]
    assert result.points["facility"].tolist() == [row for _, row in nearest]
    # what is told is the time itself, not what one search for all limits makes of it
    assert result.points["time_s"].tolist() == [(over + limits[row]) / 1000 for over, row in nearest]
    zone_of = {
        "half": [int(x > 50) for x, _ in NODE],
        "quarter": [int(x > 50) + 2 * int(y > 50) for x, y in NODE],
    }
    for level, zones in zone_of.items():
        rows = result.zones[result.zones["level"] == level]
        for name, w in weights.items():
            told = reference.coverage(times, limits, w, zones)["covered"]
            assert rows[f"{name}_covered"].tolist() == [told[zone] for zone in range(len(rows))]
            assert rows[name].sum() == sum(w)


@APART
def test_a_limit_of_its_own_is_inclusive_and_reaches_edges_no_farther():
    street = network({i: (1000.0 * i, 0) for i in range(5)}, [((0, 1, 2, 3, 4), STREET)])
    stations = points([(0, 0), (4000, 0)], limit=[2.5, 0.5])
    homes = points([(1500, 0), (1501, 0), (3700, 0), (3699, 0)], population=[1, 2, 4, 8])
    result = cg.coverage(street, stations, demand=homes, minutes="limit")
    assert result.table.loc["population", "covered"] == 1 + 4
    assert result.minutes == 2.5
    assert result.has_own_limits
    assert "within own limits of up to 2.5 min" in repr(result)
    assert "longest limit 2.5 min" in repr(result.curve())
    near = cg.coverage(street, stations, demand=homes, minutes="limit", delay_s=0).area.edges
    last = near.groupby("facility")[["time_from_s", "time_to_s"]].max().max(axis=1)
    assert last.tolist() == pytest.approx([150.0, 30.0])
    length = near.assign(m=near["to_m"] - near["from_m"]).groupby("facility")["m"].sum()
    assert length.tolist() == pytest.approx([1500, 300], rel=1e-3)


@APART
def test_rows_of_the_area_tell_the_limit_of_their_own_facility():
    street = network({i: (1000.0 * i, 0) for i in range(5)}, [((0, 1, 2, 3, 4), STREET)])
    stations = points([(0, 0), (4000, 0)], limit=[2.5, 0.7], name=["long", "short"])
    area = cg.coverage(street, stations, demand=points([(0, 0)], population=[1]), minutes="limit").area
    assert area.edges.groupby("facility")["minutes"].unique().tolist() == [[2.5], [0.7]]
    assert area.polygons["minutes"].tolist() == [2.5, 0.7]
    assert area.summary().index.tolist() == [(0, 2.5), (1, 0.7)]
    assert area.dissolved["minutes"].tolist() == [2.5]
    # all facilities and their roads are on the map
    drawn = {layer.key: layer for layer in map_layers(area, IssueLog())}
    assert [row[4] for row in drawn["facilities"].tips.rows] == ["1.5 km", "0.4 km"]
    assert len(drawn["reached-roads"].shapes) >= len(area.edges)


@APART
def test_equal_limits_of_their_own_are_the_limit_of_all():
    stations = points([NODE[0], NODE[20], NODE[45]], limit=[0.5] * 3)
    homes = points(NODE, population=range(len(NODE)))
    given = {"demand": homes, "zones": LEVELS, "radius_m": 300}
    own = cg.coverage(GRID, stations, minutes="limit", **given)
    one = cg.coverage(GRID, stations, minutes=0.5, **given)
    assert not own.has_own_limits
    pd.testing.assert_frame_equal(own.table, one.table)
    pd.testing.assert_frame_equal(own.zones.drop(columns="geometry"), one.zones.drop(columns="geometry"))
    pd.testing.assert_frame_equal(own.points.drop(columns="geometry"), one.points.drop(columns="geometry"))


@pytest.mark.parametrize("bad", [np.nan, 0, -1, 1441, "soon"])
def test_unusable_limits_name_their_rows(bad):
    stations = points([NODE[0], NODE[9]], limit=pd.Series([1.0, bad], dtype=object))
    homes = points(NODE[:2], population=[1, 2])
    with pytest.raises(errors.InputError, match=r"CG-IN-003: 1 of 2 rows of facilities.*limit.*rows 1"):
        cg.coverage(GRID, stations, demand=homes, minutes="limit")
    with pytest.raises(errors.InputError, match="CG-IN-005: facilities has no column class"):
        cg.coverage(GRID, stations, demand=homes, minutes="class")


# --- land ---


def naive_area(stations, minutes, ground):
    """Square metres of some ground within 100 m of reached streets, each stretch buffered by itself."""
    area = cg.service_area(GRID, stations, minutes=minutes, direction="from")
    lines = area.edges.to_crs(GRID.metric_crs).geometry
    near = shapely.union_all([line.buffer(100, quad_segs=8) for line in lines])
    whole = shapely.union_all(gpd.GeoSeries(ground, crs=4326).to_crs(GRID.metric_crs).to_list())
    return near.intersection(whole).area / 1e6, whole.area / 1e6


@APART
def test_land_is_measured_with_its_own_denominator():
    stations, homes = points([NODE[0]]), points(NODE, population=[1] * len(NODE))
    plots = [
        square(-350, -350, -150, -100),
        square(-250, -300, 0, 0),
        square(100, 100, 300, 300),
    ]  # two overlap
    built = layer(*plots)
    result = cg.coverage(GRID, stations, demand=homes, minutes=0.5, zones=LEVELS, areas={"built_up": built})
    for name, ground in (("built_up", plots), ("area", HALVES.geometry.to_list())):
        covered, total = naive_area(stations, 0.5, ground)
        row = result.table.loc[name]
        assert row["unit"] == "km2"
        assert row["covered"] == pytest.approx(covered, rel=1e-6)
        assert row["total"] == pytest.approx(total, rel=1e-6)
        assert row["share"] == pytest.approx(covered / total, rel=1e-6)
    assert result.provenance["parameters"]["operator"] == "<="
    assert set(result.provenance["parameters"]["denominators"]) == set(result.table.index)
    assert "areas built_up" in result.provenance["inputs"]


@APART
def test_land_outside_the_city_is_not_counted_and_told():
    inside, outside = square(-100, -100, 100, 100), square(1000, 0, 1200, 200)
    homes = points(NODE, population=[1] * len(NODE))
    given = {"demand": homes, "minutes": 1, "areas": {"built_up": layer(inside, outside)}}
    result = cg.coverage(GRID, points([NODE[0]]), zones=HALVES, **given)
    assert result.table.loc["built_up", "total"] == pytest.approx(0.04, rel=2e-3)
    issue = result.issues.set_index("code").loc["CG-COV-009", "message"]
    assert issue.startswith("0.03997 of 0.07994 km2")
    # where nobody says what the city is, all of it counts
    free = cg.coverage(GRID, points([NODE[0]]), **given)
    assert free.table.loc["built_up", "total"] == pytest.approx(0.08, rel=2e-3)


@APART
def test_floor_area_is_footprint_times_levels():
    house, tower = square(-300, -300, -290, -290), square(250, 250, 270, 260)
    buildings = layer(house, tower, **{"building": ["house", "apartments"], "building:levels": [1, 8]})
    homes = points(NODE, population=[1] * len(NODE))
    result = cg.coverage(
        GRID, points([NODE[0]]), demand=homes, minutes=0.5, zones=HALVES, buildings=buildings
    )
    floor, count = result.table.loc["floor_area"], result.table.loc["buildings"]
    assert count[["covered", "total"]].tolist() == [1, 2]
    assert floor["unit"] == "m2"
    assert floor["covered"] == pytest.approx(100, rel=0.01)
    assert floor["total"] == pytest.approx(100 + 200 * 8, rel=0.01)
    assert result.zones["floor_area_share"].tolist() == [1.0, 0.0]


# --- sums that add up ---


def gaps(result, level):
    """What of each measure lies in no zone of a level."""
    rows, left = result.zones[result.zones["level"] == level], {}
    for measure in result.measures:
        for part in ("total", "covered"):
            left[measure.name, part] = measure.whole(part) - rows[measure.columns[part]].sum()
    return left


@APART
def test_zones_add_up_to_the_city_at_every_level():
    homes = points(NODE, population=np.arange(len(NODE)) / 7)
    result = cg.coverage(
        GRID, points([NODE[3], NODE[30]]), demand=homes, minutes=0.4, zones=LEVELS, radius_m=150, buildings=homes,
        areas={"built_up": layer(square(-333, -111, 222, 77))}, points={"doors": (homes, "population")},
    )  # fmt: skip
    for level in LEVELS:
        for name, gap in gaps(result, level).items():
            assert gap == pytest.approx(0, abs=1e-9), name


@APART
def test_shares_are_of_sums_never_means_of_shares():
    """K6: 90 of 100 and 1 of 10 are 91 of 110, 82.73 %, not 50 %."""
    homes = points([NODE[0], NODE[48], NODE[6], NODE[41]], population=[90, 1, 10, 9])
    zones = layer(square(-390, -390, 390, -250), square(-390, -250, 390, 390))  # south 90 + 10, north 1 + 9
    stations = points([NODE[0], NODE[48]])
    result = cg.coverage(GRID, stations, demand=homes, minutes=0.1, zones=zones)
    assert result.zones[["population_covered", "population"]].to_numpy().tolist() == [[90, 100], [1, 10]]
    assert result.table.loc["population", "share"] == 91 / 110
    assert result.zones["population_share"].mean() == pytest.approx(0.5)


@APART
def test_what_lies_in_no_zone_is_the_difference_and_told():
    homes = points(NODE, population=[1] * len(NODE))
    half = {"city": HALVES, "part": HALVES.iloc[:1]}
    result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=0.5, zones=half, buildings=homes)
    left = gaps(result, "part")
    east = [node for node in NODE if node[0] > 50]
    assert left["population", "total"] == left["buildings", "total"] == len(east)
    assert left["area", "total"] == pytest.approx(0.34 * 0.78, rel=2e-3)
    issue = result.issues.set_index("code").loc["CG-COV-006", "message"]
    assert f"{len(east)} of {len(NODE)} buildings of buildings" in issue
    assert "km2 of area" in issue


@APART
def test_a_study_area_cuts_zones_so_that_they_add_up():
    homes = points(NODE, population=[1] * len(NODE))
    small = layer(square(-210, -210, 210, 210))
    result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=0.5, zones=LEVELS, study_area=small)
    assert result.table.loc["area", "total"] == pytest.approx(0.1764, rel=2e-3)
    inside = sum(abs(x) <= 200 and abs(y) <= 200 for x, y in NODE)
    issue = result.issues.set_index("code").loc["CG-COV-010", "message"]
    assert issue.startswith(f"{len(NODE) - inside} of {len(NODE)} people are outside")
    for level in LEVELS:
        assert gaps(result, level)["area", "total"] == pytest.approx(0, abs=1e-12)
        assert gaps(result, level)["area", "covered"] == pytest.approx(0, abs=1e-12)


def test_overlapping_zones_and_slivers_are_told_and_still_add_up():
    homes = points([node for node in NODE if node[0] > -300], population=[1] * 42)
    zones = layer(
        square(-390, -390, 150, 390), square(50, -390, 390, 390), square(390, -390, 390.4, 390),
        name=["West", "East", "strip"],
    )  # fmt: skip
    with pytest.warns(errors.CitygeoWarning, match="CG-COV-004") as seen:
        result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=0.5, zones=zones)
    assert "CG-COV-005" in str(seen[0].message)
    issues = result.issues.set_index("code")
    assert issues.loc["CG-COV-004", ["count", "sample"]].tolist() == [1, "0 and 1"]
    assert "0.07794 km2" in issues.loc["CG-COV-004", "message"]
    assert issues.loc["CG-COV-005", "sample"] == "2"
    assert result.zones["population"].tolist() == [4 * 7, 2 * 7, 0]
    for name, gap in gaps(result, "zone").items():
        assert gap == pytest.approx(0, abs=1e-9), name


@APART
def test_few_people_outside_a_study_area_are_told_quietly():
    homes = points([NODE[0], NODE[6]], population=[1, 500])
    east = layer(square(0, -390, 390, 390))
    result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=9, study_area=east)
    issue = result.issues.set_index("code").loc["CG-COV-013"]
    assert issue["severity"] == "info"
    assert issue["message"].startswith("1 of 501 people are outside")
    assert result.table.loc["population", "covered"] == 501


@APART
def test_borders_that_overlap_by_a_hand_are_told_quietly():
    homes = points(NODE, population=[1] * len(NODE))
    zones = layer(square(-390, -390, 50.3, 390), square(50, -390, 390, 390))
    result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=0.5, zones=zones)
    issue = result.issues.set_index("code").loc["CG-COV-007"]
    assert issue[["severity", "sample"]].tolist() == ["info", "0 and 1"]
    assert gaps(result, "zone")["area", "total"] == pytest.approx(0, abs=1e-12)


@APART
def test_neighbours_that_share_a_border_do_not_overlap():
    homes = points(NODE, population=[1] * len(NODE))
    for crs in (4326, 3857, GRID.metric_crs):
        zones = {level: rows.to_crs(crs) for level, rows in LEVELS.items()}
        result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=0.5, zones=zones)
        assert not set(result.issues["code"]) & {"CG-COV-004", "CG-COV-005", "CG-COV-006"}


# --- what may be asked ---


def test_nothing_to_cover_is_missing_not_zero():
    homes = points(NODE, population=[0] * len(NODE), old=[0] * len(NODE))
    with pytest.warns(errors.CitygeoWarning, match="CG-COV-008: There is nothing to cover of 2 measures"):
        result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=0.5, zones=HALVES, columns="old")
    assert result.table.loc[["population", "old"], "share"].isna().all()
    assert result.table.loc["area", "share"] > 0
    assert len(result.blind_spots) == 0
    assert repr(result) == "<Coverage within 0.5 min: no people 无人口, 0 blind spots>"
    assert repr(result.interval(land=False)) == "<Interval within 0.5 min: no people 无人口>"


@APART
def test_facilities_outside_serve_unless_they_must_not():
    homes = points(NODE, population=[1] * len(NODE))
    stations = points([NODE[0], NODE[6]])  # south-west and south-east
    west = HALVES.iloc[:1]
    both = cg.coverage(GRID, stations, demand=homes, minutes=0.5, zones=west)
    one = cg.coverage(GRID, stations, demand=homes, minutes=0.5, zones=west, include_outside=False)
    alone = cg.coverage(GRID, stations.iloc[:1], demand=homes, minutes=0.5, zones=west)
    assert one.table.loc["population", "covered"] < both.table.loc["population", "covered"]
    pd.testing.assert_frame_equal(one.table, alone.table)
    assert one.issues.set_index("code").loc["CG-COV-003", "sample"] == "1"
    assert both.provenance["parameters"]["include_outside"]
    assert not one.provenance["parameters"]["include_outside"]
    with pytest.raises(errors.InputError, match="CG-COV-001"):
        cg.coverage(GRID, stations, demand=homes, minutes=0.5, include_outside=False)
    with pytest.raises(errors.InputError, match="CG-COV-002: All 1 facilities"):
        cg.coverage(GRID, stations.iloc[1:], demand=homes, minutes=0.5, zones=west, include_outside=False)


@pytest.mark.parametrize(
    "asked",
    [
        {"points": {"buildings": points(NODE)}},
        {"areas": {"doors": HALVES}, "points": {"doors": points(NODE)}},
        {"columns": ["population"]},
        {"columns": ["old", "old"]},
        {"points": {"level": points(NODE)}},
        {"points": {"population_share": points(NODE)}},
        {"areas": {"old": HALVES}, "points": {"old_share": points(NODE)}},
        {"areas": {"green": HALVES}, "points": {"green_km2": points(NODE)}},
    ],
)
def test_every_measure_has_a_name_of_its_own(asked):
    homes = points(NODE, population=[1] * len(NODE), old=1)
    with pytest.raises(errors.InputError, match="CG-COV-011"):
        cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=1, **asked)


def test_columns_and_weights_are_checked_like_people():
    homes = points(NODE[:3], population=[1, 2, 3], old=[1, -2, 3])
    ask = {"demand": homes, "minutes": 1}
    with pytest.raises(errors.InputError, match=r"CG-IN-003: 1 of 3 rows of demand.*old.*rows 1"):
        cg.coverage(GRID, points([NODE[0]]), columns=["old"], **ask)
    with pytest.raises(errors.InputError, match="CG-IN-005: demand has no column young"):
        cg.coverage(GRID, points([NODE[0]]), columns=["young"], **ask)
    with pytest.raises(errors.InputError, match=r"CG-IN-003: 1 of 3 rows of points jobs.*old.*rows 1"):
        cg.coverage(GRID, points([NODE[0]]), points={"jobs": (homes, "old")}, **ask)
    with pytest.raises(errors.InputError, match="CG-IN-005: points jobs has no column n"):
        cg.coverage(GRID, points([NODE[0]]), points={"jobs": (homes, "n")}, **ask)
    with pytest.raises(errors.CRSError, match="CG-CRS-001: points jobs"):
        cg.coverage(GRID, points([NODE[0]]), points={"jobs": homes.set_crs(None, allow_override=True)}, **ask)
    with pytest.raises(errors.CRSError, match="CG-CRS-001: areas park"):
        cg.coverage(GRID, points([NODE[0]]), areas={"park": HALVES.set_crs(None, allow_override=True)}, **ask)


@APART
def test_repeated_labels_of_demand_are_told_and_all_counted():
    homes = points(NODE[:3], population=[1, 2, 4]).set_axis(["a", "a", "b"])
    result = cg.coverage(GRID, points([NODE[0]]), demand=homes, minutes=9)
    assert result.table.loc["population", "covered"] == 7
    assert result.issues.set_index("code").loc["CG-COV-012", "sample"] == "a"


@APART
def test_layers_may_be_in_different_crs():
    homes = points(NODE, population=[1] * len(NODE), old=2)
    given = {
        "demand": homes, "zones": HALVES, "study_area": HALVES, "buildings": homes, "points": {"doors": homes},
        "areas": {"built_up": layer(square(-100, -100, 100, 100))},
    }  # fmt: skip
    crs = iter([3857, 32631, 32731, 4258, 3395, 32631, 3857])

    def moved(value):
        if isinstance(value, dict):
            return {name: moved(one) for name, one in value.items()}
        return value.to_crs(next(crs))

    one = cg.coverage(GRID, points([NODE[0]]), minutes=0.5, radius_m=200, columns=["old"], **given)
    two = cg.coverage(GRID, points([NODE[0]]), minutes=0.5, radius_m=200, columns=["old"], **moved(given))
    pd.testing.assert_frame_equal(one.table, two.table, rtol=1e-5)


# --- the curve, and asking again ---


@APART
def test_the_curve_is_coverage_at_every_minute():
    homes = points(NODE, population=np.arange(len(NODE)))
    stations = points([NODE[0], NODE[40]])
    given = {"demand": homes, "buildings": homes}
    result = cg.coverage(GRID, stations, minutes=0.5, **given)
    minutes = [0, 1 / 6, 0.5, 0.51, 1]
    curve = result.curve(minutes)
    assert curve.table.columns.tolist() == ["population", "buildings"]
    assert curve.limit == 0.5
    for bound in minutes[1:]:
        shares = cg.coverage(GRID, stations, minutes=bound, **given).table["share"]
        assert curve.table.loc[bound].tolist() == shares[["population", "buildings"]].tolist()
    whole = result.curve()
    assert whole.table.index[[0, -1]].tolist() == [0.0, 1.0]
    assert whole.table["population"].is_monotonic_increasing
    assert "limit 0.5 min" in repr(whole)
    for bad in ([-1], [2000], []):
        with pytest.raises(errors.UnitError, match="CG-UNIT-002: minutes"):
            result.curve(bad)


@APART
def test_asking_again_gives_what_a_new_question_would():
    homes = points([(x + 3, y + 20) for x, y in NODE], population=np.arange(len(NODE)))
    stations = points([(-280, -300), NODE[40]])
    given = {
        "demand": homes, "minutes": 0.8, "buildings": homes, "radius_m": 200, "zones": LEVELS,
        "areas": {"built_up": layer(square(-333, -111, 222, 77))},
    }  # fmt: skip
    result = cg.coverage(GRID, stations, **given)
    pd.testing.assert_frame_equal(result.setting.table(), result.table)
    slow = grid_city(SIDE, kmh=18)
    pd.testing.assert_frame_equal(
        result.setting.table(slow), cg.coverage(slow, stations, **given).table, check_exact=False
    )
    far = result.setting.table(walk_factor=3.0, with_land=False)
    assert far.index.tolist() == ["population", "buildings"]
    assert far.loc["population", "covered"] < result.table.loc["population", "covered"]
    assert result.question.minutes == 0.8
