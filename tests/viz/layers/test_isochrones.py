"""The layers and figures of isochrones: what is drawn for each band, facility and hexagon."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from citygeo.issues import IssueLog
from citygeo.viz import map_layers
from citygeo.viz.bands import Band, bands, road_km
from citygeo.viz.classes import DISTINCT, band_classes, time_stops
from citygeo.viz.layers import isochrones as layers
from citygeo.viz.results import is_plain, map_extent, map_panel
from tests.viz.fakes import LAT, LON, Isochrones, isochrones
from tests.viz.test_classes import SIGHT, lab

if TYPE_CHECKING:
    from citygeo.viz.layers.layer import Layer

DEGREE2 = 0.01**2  # of the blocks of the made-up city


def layer_of(iso: Any, key: str) -> Layer:
    return next(layer for layer in map_layers(iso, IssueLog()) if layer.key == key)


def notes(layer: Layer) -> dict[str, str]:
    return {str(entry.label): entry.note for entry in layer.legend}


def shape_of(layer: Layer, minutes: float) -> shapely.Geometry:
    assert layer.since is not None
    return layer.shapes[layer.since.tolist().index(minutes)]


def test_an_isochrone_is_known_by_its_class_though_it_is_a_layer_too() -> None:
    iso = isochrones()
    assert isinstance(iso, gpd.GeoDataFrame)
    assert not is_plain(iso)
    assert is_plain(gpd.GeoDataFrame(iso))
    assert is_plain(iso[["facility", "geometry"]])  # pandas calls it isochrones still
    assert not is_plain(iso[iso["minutes"] == 5])
    assert [layer.key for layer in map_layers(iso, IssueLog())] == [
        "roads", "isochrones", "isochrones-each", "facilities",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "overlap", "keys"),
    [
        ("polygons", "dissolve", ["roads", "isochrones", "facilities"]),
        ("polygons", "split", ["roads", "isochrones-own", "facilities"]),
        ("edges", "overlap", ["roads", "reached-roads", "facilities"]),
        ("edges", "dissolve", ["roads", "reached-roads", "facilities"]),
        ("cells", "split", ["roads", "isochrones-cells", "facilities"]),
        ("cells", "dissolve", ["roads", "isochrones-cells", "facilities"]),
    ],
)
def test_layers_of_each_kind(kind: str, overlap: str, keys: list[str]) -> None:
    assert [layer.key for layer in map_layers(isochrones(kind, overlap), IssueLog())] == keys


# --- bands of ground ------------------------------------------------------------------------------


def test_bands_are_drawn_widest_first_and_none_over_another() -> None:
    layer = layer_of(isochrones(), "isochrones")
    assert layer.since is not None
    assert layer.since.tolist() == [10.0, 5.0]
    assert [stop.minutes for stop in layer.stops] == [5.0, 10.0]
    inner, outer = shape_of(layer, 5), shape_of(layer, 10)
    # two blocks of 2 by 2 that share 1 by 2, and two of 4 by 4 that share 3 by 4
    assert inner.area == pytest.approx(6 * DEGREE2)
    assert outer.area == pytest.approx((20 - 6) * DEGREE2)
    assert inner.intersection(outer).area == pytest.approx(0, abs=1e-12)
    dark, light = (layer.styles[layer.style_of[place]]["fillColor"] for place in (1, 0))
    assert lab(dark, "normal")[0] < lab(light, "normal")[0] - 10


def test_legend_counts_shared_ground_once() -> None:
    layer = layer_of(isochrones(), "isochrones")
    own = isochrones().query("facility == 'a'").set_index("minutes")["area_km2"]
    # 6 of the 4 blocks of one station, 20 of 16
    assert notes(layer) == {
        "Within 5 min 5分钟内": f"{own[5] * 6 / 4:.1f} km²",
        "Within 10 min 10分钟内": f"{own[10] * 20 / 16:.1f} km²",
    }
    # road that two stations share cannot be told from these rows
    assert all(np.isnan(band.reached_km) for band in bands(isochrones()))


def test_dissolved_bands_say_what_the_table_says() -> None:
    iso = isochrones(overlap="dissolve")
    found = bands(iso)
    assert [band.area_km2 for band in found] == iso["area_km2"].tolist()
    assert [band.reached_km for band in found] == [4.0, 8.0]
    layer = layer_of(iso, "isochrones")
    assert layer.stops[1].note == f"{iso['area_km2'].iloc[1]:.1f} km² · 8.0 km"


def rings(iso: Any) -> Any:
    """Return disks as rings."""
    table = gpd.GeoDataFrame(iso)
    shapes, outer = table.geometry.to_numpy().copy(), (table["minutes"] == 10).to_numpy()
    for place in np.flatnonzero(outer & table.geometry.notna().to_numpy()):
        shapes[place] = shapes[place].difference(shapes[place - 1])
    made = Isochrones(table.assign(geometry=shapes, from_minutes=np.where(outer, 5.0, 0.0)))
    made["area_km2"] = made.geometry.to_crs(32650).area / 1e6
    for name in Isochrones._metadata:
        setattr(made, name, getattr(iso, name))
    made.bands = "rings"
    return made


@pytest.mark.parametrize("overlap", ["overlap", "dissolve", "split"])
def test_rings_look_like_disks_and_are_counted_apart(overlap: str) -> None:
    disks = isochrones(overlap=overlap)
    key = "isochrones-own" if overlap == "split" else "isochrones"
    expected, drawn = layer_of(disks, key), layer_of(rings(disks), key)
    assert [a.equals_exact(b, 1e-9) or a.symmetric_difference(b).area < 1e-12
            for a, b in zip(expected.shapes, drawn.shapes, strict=True)] == [True] * len(drawn.shapes)  # fmt: skip
    whole, apart = bands(disks), bands(rings(disks))
    assert [band.label.en for band in apart] == ["Within 5 min", "5 – 10 min"]
    assert apart[0].area_km2 == pytest.approx(whole[0].area_km2)
    assert apart[1].area_km2 == pytest.approx(whole[1].area_km2 - whole[0].area_km2, rel=1e-6)
    assert map_panel(rings(disks)).figure == map_panel(disks).figure
    # the slider tells what is within, road of rings being that of the ring alone
    assert [stop.note.split(" · ")[0] for stop in drawn.stops] == [
        stop.note.split(" · ")[0] for stop in expected.stops
    ]


def test_nothing_reached_draws_nothing_and_says_so() -> None:
    iso = isochrones()
    iso.geometry = [None] * len(iso)
    iso["area_km2"] = 0.0
    layer = layer_of(iso, "isochrones")
    assert len(layer.shapes) == 0
    assert set(notes(layer).values()) == {"0.00 km²"}
    assert map_panel(iso).figure == "0.00 km²"
    assert map_extent(iso) is not None  # of the facilities


# --- each facility --------------------------------------------------------------------------------


def test_outlines_of_each_facility_tell_its_own_figures() -> None:
    iso = isochrones()
    layer = layer_of(iso, "isochrones-each")
    assert layer.tips is not None
    assert not layer.is_shown
    own = iso.set_index(["facility", "minutes"])["area_km2"]
    assert layer.tips.rows == [
        ["Station 一", "Within 10 min", f"{own['a', 10]:.1f} km²", "8.0 km"],
        ["#b", "Within 10 min", f"{own['b', 10]:.1f} km²", "9.0 km"],
        ["Station 一", "Within 5 min", f"{own['a', 5]:.1f} km²", "4.0 km"],
        ["#b", "Within 5 min", f"{own['b', 5]:.1f} km²", "4.5 km"],
    ]
    lone = isochrones()
    lone.facilities = lone.facilities.iloc[:1]
    assert "isochrones-each" not in [made.key for made in map_layers(lone, IssueLog())]


def test_outlines_of_many_facilities_are_those_of_the_widest_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MANY", 2)
    layer = layer_of(isochrones(), "isochrones-each")
    assert layer.since is not None
    assert layer.since.tolist() == [10.0, 10.0]


def test_split_ground_has_a_colour_per_facility_and_a_strength_per_band() -> None:
    layer = layer_of(isochrones(overlap="split"), "isochrones-own")
    looks = [layer.styles[style] for style in layer.style_of]
    assert layer.tips is not None
    assert [row[0] for row in layer.tips.rows] == ["Station 一", "#b", "Station 一", "#b"]
    assert [look["fillColor"] for look in looks] == [DISTINCT[0], DISTINCT[1]] * 2
    strengths = [look["fillOpacity"] for look in looks]
    assert strengths[0] == strengths[1] < strengths[2] == strengths[3]
    legend = {entry.label.en: layer.styles[entry.style] for entry in layer.legend}
    assert legend["Station 一"]["fillColor"] == DISTINCT[0]
    assert legend["#b"]["fillColor"] == DISTINCT[1]
    assert "far" not in legend  # it has no ground
    assert legend["Within 5 min"]["fillOpacity"] == strengths[2]
    assert legend["Within 10 min"]["fillOpacity"] == strengths[0]


def test_many_facilities_are_not_named_in_the_legend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MANY", 1)
    layer = layer_of(isochrones(overlap="split"), "isochrones-own")
    assert [entry.label.en for entry in layer.legend] == ["Within 5 min", "Within 10 min"]


def chessboard(size: int) -> tuple[Any, list[tuple[int, int]]]:
    """Return square areas side by side, in an order that makes a bad guess likely."""
    places = [(x, y) for x in range(size) for y in range(size)]
    places = [places[k * 7 % len(places)] for k in range(len(places))]
    shapes = [
        shapely.box(LON + x * 0.02, LAT + y * 0.02, LON + (x + 1) * 0.02, LAT + (y + 1) * 0.02)
        for x, y in places
    ]
    iso = Isochrones({"facility": range(len(places)), "minutes": 5.0}, geometry=shapes, crs=4326)
    iso.network = isochrones().network
    return iso, places


def test_areas_beside_each_other_have_different_colours() -> None:
    iso, places = chessboard(6)
    colours = layers.facility_colours(iso)
    assert set(colours.values()) == set(DISTINCT)
    at = dict(zip(places, (colours[k] for k in range(36)), strict=True))
    for (x, y), colour in at.items():
        for beside in ((x + 1, y), (x, y + 1), (x + 1, y + 1), (x + 1, y - 1)):
            assert at.get(beside) != colour, (x, y, beside)


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_of_facilities_are_told_apart_by_every_eye(sight: str) -> None:
    seen = [lab(colour, sight) for colour in DISTINCT]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


# --- roads and hexagons ---------------------------------------------------------------------------


def test_roads_are_cut_at_every_stop_of_the_slider() -> None:
    layer = layer_of(isochrones("edges"), "reached-roads")
    assert layer.since is not None
    stops = [stop.minutes for stop in layer.stops]
    assert stops == [k / 2 for k in range(1, 21)]
    # one street from minute 1 to 9 over 0.02 degree, another to 8 over 0.015; the narrow band adds nothing
    assert layer.since.tolist() == [k / 2 for k in range(18, 2, -1)]
    per_step = {minutes: shape.length for minutes, shape in zip(layer.since, layer.shapes, strict=True)}
    assert per_step[9.0] == pytest.approx(0.02 / 16, rel=1e-3)
    assert per_step[1.5] == pytest.approx(0.02 / 16 + 0.015 / 14, rel=1e-3)
    assert sum(per_step.values()) == pytest.approx(0.035, rel=1e-6)
    assert [entry.label.en for entry in layer.legend] == [
        "0 – 2.5 min",
        "2.5 – 5 min",
        "5 – 7.5 min",
        "7.5 – 10 min",
    ]
    classes = band_classes([5, 10])
    colour_of = {e.label.en: layer.styles[e.style]["color"] for e in layer.legend}
    assert list(colour_of.values()) == list(classes.colours)
    of_step = {m: layer.styles[s]["color"] for m, s in zip(layer.since, layer.style_of, strict=True)}
    assert of_step[5.0] == colour_of["2.5 – 5 min"] != of_step[5.5]


def test_road_in_bands_counts_each_bit_once() -> None:
    assert [band.reached_km for band in bands(isochrones("edges"))] == pytest.approx([1.0, 3.5])
    parts = [(1, 0, 10), (1, 5, 20), (1, 30, 40), (1, 32, 35), (2, 0, 7), (2, 0, 7)]
    rows = pd.DataFrame(parts, columns=["edge", "from_m", "to_m"])
    for seed in range(5):
        assert road_km(rows.sample(frac=1, random_state=seed)) == pytest.approx(0.037)
    assert road_km(rows.iloc[:0]) == 0


def test_each_hexagon_is_drawn_once_with_its_earliest_time() -> None:
    iso = isochrones("cells")
    layer = layer_of(iso, "isochrones-cells")
    assert layer.since is not None
    assert layer.tips is not None
    assert len(layer.shapes) == 4
    by_time = dict(zip(layer.since, (row[:1] + row[2:] for row in layer.tips.rows), strict=True))
    assert by_time == {
        1.667: ["1:40 min", "Station 一"], 5.0: ["5:00 min", "Station 一"], 5.017: ["5:01 min", "Station 一"],
        10.0: ["10:00 min", "Station 一"],
    }  # fmt: skip
    # a bound belongs to the class below it
    assert notes(layer) == {
        "0 – 2.5 min": "1 ⬡",
        "2.5 – 5 min": "1 ⬡",
        "5 – 7.5 min": "1 ⬡",
        "7.5 – 10 min": "1 ⬡",
    }
    assert {stop.minutes: stop.note for stop in layer.stops}[5.0] == "2 ⬡"
    assert [band.cells for band in bands(iso)] == [2, 4]


def test_many_hexagons_are_drawn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MAX_CELLS", 3)
    log = IssueLog()
    classes = band_classes([5, 10])
    layer = layers.hexagons(isochrones("cells"), classes, time_stops(classes), log)
    assert layer.tips is None
    assert layer.since is not None
    assert layer.since.tolist() == [2.0, 5.0, 5.5, 10.0]
    assert [e.note for e in layer.legend] == ["1 ⬡"] * 4
    assert log.table()["code"].tolist() == ["CG-MAP-001"]
    assert layer.style_of.tolist() == [0, 1, 2, 3]


# --- the panel ------------------------------------------------------------------------------------


def test_panel_says_bands_rule_and_who_is_off() -> None:
    panel = map_panel(isochrones(overlap="split"))
    assert panel.title.en == "Fire engine: isochrones of 5, 10 minutes"
    assert panel.title.zh == "消防车5、10分钟等时圈"
    rows = {str(label): (value, detail) for label, value, detail, _ in panel.measures}
    area = isochrones(overlap="split").groupby("minutes")["area_km2"].sum()
    assert rows["Within 10 min 10分钟内"] == (f"{area[10]:.1f} km²", "17.0 km")
    assert rows["Stations 站点"] == ("3", "")
    texts = [str(note) for note in panel.notes]
    assert texts[0].startswith("Ground within 100 m off the road on foot at 4.8 km/h counts")
    assert "计入道路两侧100米内以4.8公里/时步行可及的地面" in texts[0]
    assert any("belongs to the facility that is there first" in text for text in texts)
    assert any("1 of 3 stations are off the network" in text for text in texts)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"offroad_kmh": np.inf},
            "Ground within 100 m of a reached road counts. 计入可达道路两侧100米内的地面。",
        ),
        ({"offroad_kmh": 15.0}, "Ground within 100 m off the road at 15 km/h counts"),
        (
            {"provenance": {"parameters": {"method": "cells"}}},
            "Hexagons that reached roads pass through count.",
        ),
    ],
)
def test_the_rule_of_the_ground_is_the_one_that_was_used(changes: dict[str, Any], said: str) -> None:
    assert str(map_panel(isochrones(**changes)).notes[0]).startswith(said)


def test_patients_come_to_a_clinic() -> None:
    iso = isochrones("edges", direction="to")
    iso.network.mode.name = "walk"
    panel = map_panel(iso)
    assert panel.caption.en == "of road within 10 minutes of travel to a facility"
    assert layer_of(iso, "facilities").name.en == "Facilities"


def test_figures_of_a_band_read_well() -> None:
    assert Band(0.0, 7.5, 12.34).label.zh == "7.5分钟内"
    assert Band(0.0, 5.0, 0.034).note == "0.03 km²"
    assert Band(0.0, 5.0, reached_km=1234.0).note == "1,234 km"


def test_classes_end_where_bands_end() -> None:
    for minutes in ([5, 10, 15], [3, 5, 10], [10, 20, 30], [15, 30], list(range(1, 16)), [0.5, 4]):
        classes = band_classes(minutes)
        assert set(minutes) <= set(classes.breaks)
        assert len(set(classes.colours)) == len(classes.colours) == len(classes.breaks) - 1
        stops = time_stops(classes)
        assert set(classes.breaks[1:]) <= set(stops)
        assert list(stops) == sorted(set(stops))
        assert len(stops) <= 45
    assert time_stops(band_classes([1440]))[-1] == 1440
