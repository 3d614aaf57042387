"""Districts of responsibility: how large, who lives there, what they reach across; by hand, and in Reykjavik."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo import errors
from citygeo.isochrones.responsibility import standard_limits
from tests.toy import STREET, network, points

LINE = network({1: (0, 0), 2: (1000, 0), 3: (2000, 0)}, [((1, 2, 3), STREET)])
AT = [(400, 0), (1600, 0)]


def districts(net=LINE, places=AT, minutes=3, labels=("west", "east"), **columns):
    """Districts of stations at metre places, in the network's metric CRS."""
    stations = points(places, **columns).to_crs(net.metric_crs)
    stations.index = list(labels)[: len(places)]
    return cg.isochrones(net, stations, minutes=minutes, direction="from", overlap="split", trim_m=100.0)


def layer(*shapes, **columns):
    """Shapes given in metres of the toy city, as a layer in the metric CRS."""
    geometry = [shapely.transform(shape, lambda xy: xy * 0.9996 + (500_000, 0)) for shape in shapes]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=LINE.metric_crs)


def across(x):
    """A line from south to north."""
    return shapely.LineString([(x, -500), (x, 500)])


TWO = districts()


def test_each_station_has_the_half_of_the_street_on_its_side():
    """1000 m each, 100 m to both sides and half a circle at the end of the street, less the last metres of time."""
    table = TWO.responsibility()
    assert table.index.tolist() == table["facility"].tolist() == ["west", "east"]
    assert table.columns.tolist() == ["facility", "status", "area_km2", "reached_km", "geometry"]
    assert table["reached_km"].tolist() == pytest.approx([1, 1], abs=1e-3)
    west, east = table.geometry
    assert (west.bounds[2] - 500_000) / 0.9996 == pytest.approx(1000, abs=3)
    assert table["area_km2"].tolist() == pytest.approx([west.area / 1e6, east.area / 1e6])
    assert shapely.relate_pattern(west, east, "F********"), "districts overlap"
    assert table.crs == TWO.crs
    assert type(table) is gpd.GeoDataFrame


def test_only_the_widest_band_counts():
    wide, several = districts(), districts(minutes=[1, 3])
    np.testing.assert_array_equal(wide.responsibility()["area_km2"], several.responsibility()["area_km2"])


def test_people_live_in_the_district_they_are_in():
    """Of 17 people 1 and 2 are with the west, 4 with the east; 8 and one without a place with nobody."""
    spots = points([(100, 0), (900, 50), (1100, -50), (500, 400)], population=[1, 2, 4, 8])
    nowhere = gpd.GeoDataFrame({"population": [2.5]}, geometry=[None], crs=4326)
    people = gpd.GeoDataFrame(pd.concat([spots, nowhere]), crs=4326)
    iso = districts()
    table = iso.responsibility(people=people)
    assert table["population"].tolist() == [3, 4]
    assert table.attrs["outside"] == 10.5
    assert iso.issues["code"].tolist() == ["CG-DEM-011"]
    assert "10 of 18 people live outside every zone of level responsibility" in iso.issues["message"][0]
    iso.responsibility(people=people)
    assert len(iso.issues) == 1, "the same finding twice"
    assert iso.responsibility(people=people.assign(beds=1), weight="beds")["population"].tolist() == [2, 1]


def test_a_cell_counts_by_a_point_inside_it():
    """The middle of this square is in the west, most of its outline is not."""
    square = layer(shapely.box(-2000, -20, 2500, 20), population=[5]).to_crs(4326)
    assert TWO.responsibility(people=square)["population"].tolist() == [5, 0]


def test_people_on_the_border_count_once():
    border = shapely.line_merge(shapely.intersection(*TWO.geometry))
    people = shapely.line_interpolate_point(border, np.linspace(0.1, 0.9, 33), normalized=True)
    table = TWO.responsibility(
        people=gpd.GeoDataFrame({"population": [1] * len(people)}, geometry=people, crs=TWO.crs)
    )
    assert table["population"].sum() + table.attrs["outside"] == len(people)


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        (["一级站", "二级站"], [7, 4]),
        (["小型站", "近郊站"], [2, 15]),
        (["特勤站", "战勤保障站"], [7, np.nan]),
        (["First-class station", " small_station "], [7, 2]),
        (["second class", "Fringe"], [4, 15]),
        (["一级普通消防站", "战勤保障"], [7, np.nan]),
    ],
)
def test_limits_of_the_standard(words, limits):
    table = districts(rank=words).responsibility(class_column="rank")
    assert table["station_class"].tolist() == words
    np.testing.assert_array_equal(table["limit_km2"], limits)
    assert table["is_within_limit"].tolist() == [pd.NA if np.isnan(limit) else True for limit in limits]


def test_every_class_of_the_standard_has_one_limit():
    assert sorted({limit for limit in standard_limits().values() if np.isfinite(limit)}) == [2, 4, 7, 15]


def test_limits_are_inclusive_and_the_callers_come_first():
    iso = districts(rank=["一级站", "own"])
    west, east = iso["area_km2"]
    table = iso.responsibility(
        class_column="rank", limits_km2={"own": east, "一级 站": np.nextafter(west, 0)}
    )
    assert table["limit_km2"].tolist() == [np.nextafter(west, 0), east]
    assert table["is_within_limit"].tolist() == [False, True]


def test_who_has_no_district_is_neither_within_nor_above_the_limit():
    with pytest.warns(errors.CitygeoWarning, match="CG-NET-013"):
        iso = districts(places=[(400, 0), (400, 5000)], rank=[1, 1])
    table = iso.responsibility(
        class_column="rank", limits_km2={"1": 5}, people=points([(400, 0)], population=[3]), barriers=layer(across(400))
    )  # fmt: skip
    assert table["status"].tolist() == ["ok", "not_snapped"]
    assert table["area_km2"].iloc[1] == 0
    assert table["is_within_limit"].tolist() == [True, pd.NA]
    assert table["population"].tolist() == [3, 0]
    assert table["crosses"].tolist() == ["barrier", ""]


def test_a_river_through_a_district_is_crossed_one_between_them_is_not():
    meet = (TWO.geometry.iloc[0].bounds[2] - 500_000) / 0.9996
    for x, crossed in ((700, ["barrier", ""]), (1300, ["", "barrier"]), (meet, ["", ""]), (5000, ["", ""])):
        assert TWO.responsibility(barriers=layer(across(x)))["crosses"].tolist() == crossed
        river = layer(shapely.buffer(across(x), 20, cap_style="flat")).to_crs(4326)
        assert TWO.responsibility(barriers=river)["crosses"].tolist() == crossed


def test_what_is_beyond_must_be_at_least_a_fiftieth():
    """The west is 0.2 km2 and half a circle; 0.8 % of that lie west of -80 m, 3.7 % west of -40 m."""
    assert TWO.responsibility(barriers=layer(across(-80)))["crosses"].tolist() == ["", ""]
    assert TWO.responsibility(barriers=layer(across(-40)))["crosses"].tolist() == ["barrier", ""]


def test_a_barrier_that_ends_inside_is_not_crossed():
    half = layer(shapely.LineString([(700, -500), (700, 0)]))
    assert TWO.responsibility(barriers=half)["crosses"].tolist() == ["", ""]


def test_parts_on_both_sides_that_never_were_connected_do_not_cross():
    """Two streets joined by a ferry that takes hours; each bank is drawn for itself."""
    bridge = {**STREET, "bridge": "yes", "layer": "1"}
    net = network(
        {1: (0, 0), 2: (500, 0), 3: (500, 1000), 4: (0, 1000)}, [((1, 2), STREET), ((2, 3), bridge), ((3, 4), STREET)]
    )  # fmt: skip
    river = layer(shapely.box(-900, 300, 2000, 700))
    joined = districts(net, [(400, 0)], minutes=10)
    assert joined.responsibility(barriers=river)["crosses"].tolist() == ["barrier"]
    shore = districts(net, [(400, 0)], minutes=0.8)  # 480 m: not over the bridge
    assert shore.responsibility(barriers=river)["crosses"].tolist() == [""]


def test_barriers_have_names():
    river, railway = layer(across(700)), layer(across(750), across(1300))
    table = TWO.responsibility(barriers={"river": river, "railway": railway.geometry})
    assert table["crosses"].tolist() == ["river, railway", "railway"]
    named = layer(across(700), across(1300), across(200), name=["Long River", None, "Long River"])
    assert TWO.responsibility(barriers=named)["crosses"].tolist() == ["Long River", "barrier"]
    assert TWO.responsibility(barriers=railway.geometry)["crosses"].tolist() == ["barrier", "barrier"]


def test_two_lines_that_cut_only_together_are_one_barrier_if_they_share_a_name():
    halves = shapely.LineString([(700, -500), (700, 0)]), shapely.LineString([(700, 0), (700, 500)])
    assert TWO.responsibility(barriers=layer(*halves, name=["r", "r"]))["crosses"].tolist() == ["r", ""]
    assert TWO.responsibility(barriers=layer(*halves, name=["a", "b"]))["crosses"].tolist() == ["", ""]


@pytest.mark.parametrize(
    "options",
    [{"overlap": "overlap"}, {"overlap": "split", "kind": "edges"}, {"overlap": "split", "bands": "rings"}],
)
def test_other_isochrones_have_no_districts(options):
    stations = points(AT)
    iso = cg.isochrones(LINE, stations, minutes=1, direction="from", **options)
    with pytest.raises(errors.InputError, match=r'CG-IN-004.*overlap="split".*kind="polygons"') as caught:
        iso.responsibility()
    assert caught.value.code == "CG-IN-004"


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"class_column": "rank"}, "CG-IN-003", "1 of 2 rows .* rank: rows east"),
        ({"class_column": "grade"}, "CG-IN-005", "no column grade"),
        ({"class_column": "rank", "limits_km2": {"其他": 0}}, "CG-UNIT-002", "其他"),
        ({"limits_km2": {"一级站": 3}}, "CG-IN-004", "class_column"),
        ({"people": points([(0, 0)], population=[-1])}, "CG-IN-003", "population"),
        ({"people": points([(0, 0)])}, "CG-IN-005", "population"),
        ({"people": 5}, "CG-IN-007", "people"),
        ({"barriers": layer(across(0)).set_crs(None, allow_override=True)}, "CG-CRS-001", "barriers"),
        ({"barriers": {"river": layer(shapely.Point())}}, "CG-IN-004", "barriers"),
        ({"barriers": layer()}, "CG-IN-004", "barriers"),
    ],
)
def test_errors(options, code, text):
    iso = districts(rank=["一级站", "其他"])
    with pytest.raises(errors.InputError, match=text) as caught:
        iso.responsibility(**options)
    assert caught.value.code == code


def test_reykjavik():
    """All people are counted; only the station that is first on both banks of the Ellidaar reaches across it."""
    city = cg.datasets.reykjavik()
    net = city.network("fire_engine")
    iso = cg.isochrones(net, city.stations, minutes=[3, 5], direction="from", overlap="split")
    people = city.people
    table = iso.responsibility(people=people)
    assert table.index.tolist() == city.stations.index.tolist()
    total = people["population"].sum()
    assert table["population"].sum() + table.attrs["outside"] == pytest.approx(total, abs=1e-6)
    assert 0 < table.attrs["outside"] < total
    joined = gpd.sjoin(
        people.set_geometry(people.to_crs(net.metric_crs).geometry.representative_point()).to_crs(table.crs),
        table[["geometry"]].set_index(np.arange(len(table))), predicate="within",
    )  # fmt: skip
    counted = joined.groupby("index_right")["population"].sum().reindex(range(len(table)), fill_value=0)
    assert table["population"].to_numpy() == pytest.approx(counted.to_numpy(), rel=1e-3)
    metric = table.to_crs(net.metric_crs)
    station = city.stations.to_crs(net.metric_crs).geometry.representative_point()
    # a line through a station from south to north has its ground on both sides
    west, south, east, north = metric.total_bounds
    lines = {
        str(number): gpd.GeoSeries(
            [shapely.LineString([(spot.x, south - 1), (spot.x, north + 1)])], crs=metric.crs
        )
        for number, spot in enumerate(station)
    }
    crossed = iso.responsibility(barriers=lines)["crosses"]
    assert all(str(number) in names.split(", ") for number, names in enumerate(crossed))
    outside = gpd.GeoSeries([shapely.LineString([(east + 1, south), (east + 1, north)])], crs=metric.crs)
    assert iso.responsibility(barriers=outside)["crosses"].tolist() == [""] * 4
    assert west < east
