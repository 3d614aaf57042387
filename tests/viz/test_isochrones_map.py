"""The map of isochrones and its time slider in a real browser, with the network off."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

import citygeo as cg
from citygeo.errors import CitygeoWarning
from citygeo.viz import explore
from tests.toy import grid_city, points
from tests.viz.fakes import HOSTILE, isochrones, service_area

if TYPE_CHECKING:
    from pathlib import Path

    from tests.viz.conftest import Opened

SHOWN = """(key) => citygeo.layers.find((x) => x.data.key === key).group.getLayers().length"""
ON_MAP = """(key) => { const layer = citygeo.layers.find((x) => x.data.key === key);
    return layer.items.filter((x) => citygeo.map.hasLayer(x)).length; }"""


def saved(tmp_path: Path, *results: Any, **options: Any) -> Path:
    path = tmp_path / "map.html"
    explore(*results, **options).save_html(path)
    return path


def reading(page: Any) -> str:
    return str(page.locator(".cg-slider-name").inner_text())


@pytest.mark.parametrize(
    ("kind", "overlap", "key", "per_minute"),
    [
        ("polygons", "overlap", "isochrones", {10: 2, 5: 1}),
        ("polygons", "dissolve", "isochrones", {10: 2, 5: 1}),
        ("polygons", "split", "isochrones-own", {10: 4, 5: 2}),
        # a step of half a minute from 1.5 to 9
        ("edges", "overlap", "reached-roads", {10: 16, 9: 16, 8.5: 15, 5: 8, 0.5: 0}),
        ("cells", "overlap", "isochrones-cells", {10: 4, 9.5: 3, 5.5: 3, 5: 2, 2: 1, 1.5: 0}),
    ],
)
def test_slider_shows_what_is_reached_by_then(
    kind: str, overlap: str, key: str, per_minute: dict[float, int], tmp_path: Path, opened: Opened
) -> None:
    page = opened.open(saved(tmp_path, isochrones(kind, overlap)))
    slider = page.get_by_role("slider")
    stops = page.evaluate(
        "(key) => citygeo.layers.find((x) => x.data.key === key).data.stops.map((s) => s.minutes)", key
    )
    assert slider.get_attribute("max") == str(len(stops) - 1)
    for minutes, many in per_minute.items():
        slider.fill(str(stops.index(minutes)))
        assert reading(page) == f"Within {minutes} min {minutes}分钟内"
        assert page.evaluate(SHOWN, key) == page.evaluate(ON_MAP, key) == many
    slider.fill(str(len(stops) - 1))  # and back
    assert page.evaluate(ON_MAP, key) == per_minute[10]
    assert opened.requests == []
    assert opened.faults == []


def test_slider_is_labelled_and_works_by_keyboard(tmp_path: Path, opened: Opened) -> None:
    page = opened.open(saved(tmp_path, isochrones(overlap="dissolve")))
    before = page.evaluate("citygeo.map.getCenter().toString()")
    page.get_by_label("Within 10 min 10分钟内").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(SHOWN, "isochrones") == 1
    slider = page.get_by_label("Within 5 min 5分钟内")
    assert slider.get_attribute("aria-valuetext").startswith("Within 5 min, 5分钟内, ")
    assert "km²" in slider.get_attribute("aria-valuetext")
    assert page.locator(".cg-slider output").inner_text().endswith("4.0 km")
    page.keyboard.press("End")
    assert page.evaluate(SHOWN, "isochrones") == 2
    page.keyboard.press("Home")
    assert page.evaluate(SHOWN, "isochrones") == 1
    assert page.evaluate("citygeo.map.getCenter().toString()") == before  # the arrows did not move the map
    assert opened.faults == []


def test_a_layer_that_is_off_stays_off_and_keeps_its_time(tmp_path: Path, opened: Opened) -> None:
    page = opened.open(saved(tmp_path, isochrones()))
    box = page.locator("input[data-layer=isochrones]")
    box.uncheck()
    page.get_by_role("slider").fill("0")
    assert page.evaluate(ON_MAP, "isochrones") == 0
    box.check()
    assert page.evaluate(ON_MAP, "isochrones") == 1
    page.locator("input[data-layer=isochrones-each]").check()
    assert page.evaluate(ON_MAP, "isochrones-each") == 2
    page.get_by_role("slider").fill("1")
    assert page.evaluate(ON_MAP, "isochrones-each") == 4


def test_narrow_bands_stay_above_wide_ones_after_sliding(tmp_path: Path, opened: Opened) -> None:
    page = opened.open(saved(tmp_path, isochrones(overlap="dissolve")))
    slider = page.get_by_role("slider")
    slider.fill("0")
    slider.fill("1")
    order = page.evaluate(
        """() => { const out = []; const layer = citygeo.layers.find((x) => x.data.key === "isochrones");
            for (let o = layer.items[0]._renderer._drawFirst; o; o = o.next) {
              const i = layer.items.indexOf(o.layer); if (i >= 0) out.push(layer.data.since[i]); }
            return out; }"""
    )
    assert order == [10, 5]


def test_stops_of_two_results_are_joined(tmp_path: Path, opened: Opened) -> None:
    page = opened.open(saved(tmp_path, isochrones("cells"), isochrones(overlap="dissolve")))
    slider = page.get_by_role("slider")
    assert slider.get_attribute("max") == "19"
    slider.fill("14")  # 7.5 minutes
    assert reading(page).startswith("Within 7.5 min")
    assert page.evaluate(SHOWN, "isochrones") == 1
    assert page.evaluate(SHOWN, "isochrones-cells") == 3


@pytest.mark.parametrize("result", ["one band", "service area"])
def test_where_there_is_nothing_to_choose_there_is_no_slider(
    result: str, tmp_path: Path, opened: Opened
) -> None:
    made = isochrones(overlap="dissolve", bands_to=1) if result == "one band" else service_area()
    page = opened.open(saved(tmp_path, made))
    assert page.get_by_role("slider").count() == 0
    assert opened.faults == []


def test_legend_and_panel_are_in_both_languages(tmp_path: Path, opened: Opened) -> None:
    page = opened.open(saved(tmp_path, isochrones(overlap="split")))
    legend = page.locator(".cg-layers").inner_text()
    for part in (
        "Isochrones, split", "等时圈(按设施划分)", "a colour for each facility, paler with time", "各设施一色",
        "Station 一", "#b", "Within 5 min", "10分钟内", "km²", "Road network", "Station off the network",
    ):  # fmt: skip
        assert part in legend, part
    panel = page.locator(".cg-title").inner_text()
    for part in (
        "Fire engine: isochrones of 5, 10 minutes", "消防车5、10分钟等时圈", "within 10 minutes from a station",
        "Within 5 min", "8.5 km", "计入道路两侧100米内", "Times include 60 s of turnout.",
    ):  # fmt: skip
        assert part in panel, part
    assert "© OpenStreetMap contributors" in page.locator(".cg-credit").inner_text()


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["polygons", "cells"])
def test_hostile_names_are_shown_and_never_run(kind: str, name: str, tmp_path: Path, opened: Opened) -> None:
    iso = isochrones(kind, "split", name)
    iso.provenance |= {"attribution": name}
    page = opened.open(saved(tmp_path, iso, title=(name, name)))
    assert page.locator(".cg-title h1 .cg-en").text_content() == name
    if kind == "polygons":
        assert page.locator(".cg-entry .cg-en", has_text=name).first.text_content() == name
    key = "isochrones-own" if kind == "polygons" else "isochrones-cells"
    page.evaluate(
        """(key) => { const item = citygeo.layers.find((x) => x.data.key === key).items[0];
            item.fire("click", { latlng: item.getBounds().getCenter() }, true); }""",
        key,
    )
    assert name in page.locator(".leaflet-popup .cg-card").text_content()
    page.get_by_role("slider").fill("0")
    page.wait_for_timeout(400)  # it fades
    assert page.locator(".leaflet-popup").count() == 0  # of what is not shown any more
    assert name in page.locator(".cg-credit").text_content()
    assert page.evaluate("window.__pwned") is None
    assert opened.requests == []
    assert opened.faults == []


@pytest.mark.parametrize("kind", ["polygons", "edges", "cells"])
def test_narrow_screen_has_room_for_everything(kind: str, tmp_path: Path, opened_narrow: Opened) -> None:
    page = opened_narrow.open(saved(tmp_path, isochrones(kind)))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    parts = (
        ".cg-title",
        ".cg-layers",
        ".cg-slider",
        ".leaflet-control-scale",
        ".leaflet-control-zoom",
        ".cg-home",
        ".cg-credit",
    )
    boxes = {part: page.locator(part).bounding_box() for part in parts}
    for part, box in boxes.items():
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= 360, part
        for other, beside in boxes.items():
            is_apart = (
                box["x"] + box["width"] <= beside["x"]
                or beside["x"] + beside["width"] <= box["x"]
                or box["y"] + box["height"] <= beside["y"]
                or beside["y"] + beside["height"] <= box["y"]
            )
            assert is_apart or part == other, (part, other)
    page.get_by_role("slider").fill("0")
    page.locator(".cg-layers summary").click()
    box = page.locator(".cg-layers").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= boxes[".cg-slider"]["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert opened_narrow.faults == []


def test_ticks_are_few_and_stand_apart(tmp_path: Path, opened_narrow: Opened) -> None:
    page = opened_narrow.open(saved(tmp_path, isochrones("edges")))
    assert page.locator(".cg-ticks span").all_inner_texts() == ["2", "4", "6", "8", "10"]
    boxes = [tick.bounding_box() for tick in page.locator(".cg-ticks span").all()]
    assert all(a["x"] + a["width"] < b["x"] for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("overlap", ["overlap", "dissolve", "split"])
@pytest.mark.parametrize("bands", ["disks", "rings"])
@pytest.mark.parametrize("kind", ["polygons", "edges", "cells"])
def test_real_isochrones_are_drawn_and_printed(kind: Any, bands: Any, overlap: Any, tmp_path: Path) -> None:
    """The stand-in has what the real result has; the far facility is not on the network."""
    given = points([(0, 0), (420, 0), (90_000, 0)])
    with pytest.warns(CitygeoWarning, match="CG-NET-013"):
        iso = cg.isochrones(
            grid_city(10), given, minutes=[0.5, 3], direction="to", kind=kind, bands=bands, overlap=overlap
        )
    m = iso.explore()
    assert len(m.content.layers) == (4 if (kind, overlap) == ("polygons", "overlap") else 3)
    assert all(len(layer.shapes) for layer in m.content.layers)
    assert m.content.panel.measures[-1][0].en in ("Stations", "Facilities")
    ax = iso.plot(path=tmp_path / "map.png", dpi=40)
    assert "isochrones of 0.5, 3 minutes" in ax.get_title(loc="left")
    assert (tmp_path / "map.png").stat().st_size > 5000


def test_equal_results_give_equal_bytes() -> None:
    assert explore(isochrones()).get_root().render() == explore(isochrones()).get_root().render()
