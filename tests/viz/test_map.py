"""The page in a real browser, with the network off."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely

from citygeo.viz import OfflineMap, explore
from citygeo.viz.layers.layer import Layer
from citygeo.viz.leaflet import leaflet
from citygeo.viz.text import Label
from tests.viz.fakes import HOSTILE, coverage, network, service_area

if TYPE_CHECKING:
    from pathlib import Path

    from tests.viz.conftest import Opened


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    path = tmp_path / "map.html"
    explore(coverage()).save_html(path)
    return path


def test_page_opens_offline_without_requests_or_errors(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    assert opened.requests == []
    assert opened.faults == []
    assert page.evaluate("citygeo.layers.length") == 11
    drawn = page.evaluate(
        """Object.fromEntries(citygeo.layers.map((x) =>
            [x.data.key, citygeo.map.hasLayer(x.group) ? x.items.length : -1]))"""
    )
    assert drawn == {
        "boundaries-municipality": 1,
        "roads": 4,
        "service-area": 1,
        "reached-roads": 4,
        "shares-municipality": -1,  # off at start
        "shares-neighbourhood": -1,
        "uncovered": 4,
        "blind-spots": 2,
        "names-municipality": 1,
        "blind-spot-ranks": 2,
        "facilities": 2,
    }


def test_something_is_painted_on_both_canvases(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    painted = page.evaluate(
        """[...document.querySelectorAll("canvas")].map((c) =>
            c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v > 0))"""
    )
    assert painted == [True, True]


def test_layers_toggle_with_mouse_and_keyboard(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    boxes = page.locator(".cg-layers input[type=checkbox]")
    assert boxes.count() == 11
    for place in range(boxes.count()):
        box = boxes.nth(place)
        key = box.get_attribute("data-layer")
        is_on = f"citygeo.map.hasLayer(citygeo.layers.find((x) => x.data.key === '{key}').group)"
        before = page.evaluate(is_on)
        box.focus()
        page.keyboard.press("Space")
        assert page.evaluate(is_on) is not before
        box.click()
        assert page.evaluate(is_on) is before
    assert opened.faults == []


def test_legend_says_units_classes_and_counts_in_both_languages(page_file: Path, opened: Opened) -> None:
    text = opened.open(page_file).locator(".cg-layers").inner_text()
    for part in (
        "Layers and legend", "图层与图例", "People not covered", "未覆盖人口",
        "people not covered per hexagon (about 0.093 km²)",
        "每个六边形的未覆盖人数", "under 20", "以下", "1 ⬡ · 3", "1,000 and more", "Reached roads", "可达道路",
        "minutes, any delay before setting out included",
        "1 – 2 min", "4 – 5 min", "Blind spots", "服务盲区", "Station off the network",
        "Within 5 min of a station", "4.5 km²", "Main roads",
    ):  # fmt: skip
        assert part in text, part
    # an empty layer's legend is not shown while it is off
    assert "nobody lives there" not in text


def test_title_panel_shows_headline_measures_depth_and_worst_places(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    text = page.locator(".cg-title").inner_text()
    for part in (
        "Fire engine: coverage within 5 minutes", "消防车5分钟覆盖", "1.5 %", "of 3,383 people are covered", "estimate",
        "估计值", "15.0 %", "4.5 / 30.0 km²", "none", "98.5 %", "3,300", "7:12 min · Station 一", "no road nearby",
        "Times include 60 s of turnout.", "1 of 2 stations are off the network",
    ):  # fmt: skip
        assert part in text, part
    assert page.title() == (
        "Fire engine: coverage within 5 minutes: 1.5 % of 3,383 people are covered (estimate) 消防车5分钟覆盖"
    )


def test_worst_place_button_goes_there_and_tells(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    page.locator("input[data-layer=blind-spots]").uncheck()
    button = page.locator(".cg-worst-button").first
    button.focus()
    page.keyboard.press("Enter")
    card = page.locator(".leaflet-popup .cg-card")
    assert "Blind spot 盲区 1" in card.inner_text()
    assert "Siming 思明区" in card.inner_text()
    assert page.locator("input[data-layer=blind-spots]").is_checked()


def test_station_is_reachable_by_keyboard(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    page.locator("[aria-label='Station 一']").focus()
    page.keyboard.press("Enter")
    text = page.locator(".leaflet-popup .cg-card").inner_text()
    assert text.startswith("Station 一")
    assert "8.0 km" in text


def _hover(page: Any, key: str, off: int) -> str:
    """Point at the first feature of a layer, `off` pixels below its middle, and return its tooltip."""
    x, y = page.evaluate(
        """(key) => { const layer = citygeo.layers.find((x) => x.data.key === key);
            const place = layer.items[0].getBounds().getCenter();
            citygeo.map.setView(place, 15, {animate: false});
            const p = citygeo.map.latLngToContainerPoint(place); return [p.x, p.y]; }""",
        key,
    )
    page.mouse.move(x - 2, y + off)
    page.mouse.move(x, y + off)
    page.wait_for_timeout(400)  # an older tooltip fades out; one must be left
    return str(page.locator(".cg-tip").text_content())


def test_hexagon_inside_a_blind_spot_keeps_its_own_tooltip(page_file: Path, opened: Opened) -> None:
    text = _hover(opened.open(page_file), "uncovered", 28)
    assert "people not covered 人未覆盖" in text
    assert "Nearest station 最近站点" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_and_never_run(name: str, tmp_path: Path, opened: Opened) -> None:
    plain = gpd.GeoDataFrame({name: [name], "name": [name]}, geometry=[shapely.Point(118.1, 24.5)], crs=4326)
    plain.attrs.update(name=name, name_zh=name, attribution=name)
    path = tmp_path / "map.html"
    explore(coverage(name, name), plain, title=name).save_html(path)
    page = opened.open(path)
    assert page.locator(".cg-title h1 .cg-en").text_content() == name
    assert page.title().startswith(name)
    page.locator(".cg-site").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".leaflet-popup .cg-card-head").text_content() == name
    page.keyboard.press("Escape")
    _hover(page, "plain-0-points", 0)
    assert page.locator(".cg-tip .cg-card-head").text_content() == name
    assert page.locator(".cg-tip th").first.text_content() == name
    assert name in page.locator(".cg-credit").text_content()
    for key in ("shares-municipality", "shares-neighbourhood"):
        page.locator(f"input[data-layer={key}]").check()
    assert page.locator("[data-layer=plain-0-points] + .cg-label .cg-en").text_content() == name
    assert page.evaluate("window.__pwned") is None
    assert opened.requests == []
    assert opened.faults == []


def test_policy_stops_a_script_that_leaked(page_file: Path, opened: Opened) -> None:
    leaked = "<script>window.__pwned=1</script><img src=x onerror='window.__pwned=1'></body>"
    page_file.write_text(page_file.read_text("utf-8").replace("</body>", leaked), "utf-8")
    page = opened.open(page_file)
    page.wait_for_timeout(100)
    assert page.evaluate("window.__pwned") is None
    assert any("Content Security Policy" in fault for fault in opened.faults)


def test_narrow_screen_has_no_sideways_scroll_and_folds(page_file: Path, opened_narrow: Opened) -> None:
    page = opened_narrow.open(page_file)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for panel in (".cg-title", ".cg-layers"):
        box = page.locator(panel).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert page.locator(panel).get_attribute("open") is None
    assert page.locator(".cg-measures").is_hidden()
    assert "1.5 %" in page.locator(".cg-title").inner_text()
    page.locator(".cg-layers summary").click()
    assert page.locator("input[data-layer=uncovered]").is_visible()
    box = page.locator(".cg-layers").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 640
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_chinese_is_drawn_with_a_font_that_has_it(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    widths = page.evaluate(
        """["覆", "盖", "\\uE000"].map((text) => { const c = document.createElement("canvas").getContext("2d");
            c.font = getComputedStyle(document.querySelector(".citygeo")).font; c.fillText(text, 5, 15);
            return [...c.getImageData(0, 0, 40, 40).data].join(); })"""
    )
    assert len(set(widths)) == 3  # missing glyphs would all be the same box


def test_service_area_network_and_plain_layers_draw(tmp_path: Path, opened: Opened) -> None:
    shapes = [shapely.box(118.09, 24.47, 118.1, 24.48), shapely.LineString([(118, 24), (118.1, 24.5)]), None]
    plain = gpd.GeoDataFrame({"v": [1.5, 2, 3]}, geometry=shapes, crs=4326).to_crs(32650)
    path = tmp_path / "map.html"
    explore(service_area(), network(), plain).save_html(path)
    page = opened.open(path)
    keys = page.evaluate("citygeo.layers.map((x) => x.data.key)")
    # the same network is one layer; lines go over areas
    areas_then_lines = ["plain-0-areas", "plain-0-lines"]
    assert keys == ["roads", "service-area", "reached-roads", "facilities", *areas_then_lines]
    assert "reach within 5 minutes" in page.locator(".cg-title").inner_text()
    assert opened.requests == []
    assert opened.faults == []


def test_browser_unpacks_every_place_to_the_step(tmp_path: Path, opened: Opened) -> None:
    """Steps of one to five bytes, forwards and backwards, holes and islands."""
    line = [
        (0.0, 0.0),
        (0.00063, -0.00064),
        (0.1, 0.2),
        (-179.99999, 89.0),
        (179.12345, -85.54321),
        (118.1, 24.5),
    ]
    island = [(10.0, 10.0), (10.0, 10.5), (10.5, 10.5)]
    hole = [(1.1, 1.1), (1.2, 1.1), (1.2, 1.2)]
    ring = [(1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (2.0, 1.0)]
    both = shapely.MultiPolygon([shapely.Polygon(ring, [hole]), shapely.Polygon(island)])
    m = explore()
    m.content.add([plain_layer("a", "areas", both), plain_layer("l", "lines", shapely.LineString(line))])
    path = tmp_path / "map.html"
    m.save_html(path)
    page = opened.open(path)
    areas, lines = page.evaluate(
        """citygeo.layers.map((x) => { const flat = (p) => Array.isArray(p) ? p.map(flat) : [p.lng, p.lat];
            return flat(x.items[0].getLatLngs()); })"""
    )
    assert lines == [[list(place) for place in line]]
    assert areas == [[[list(p) for p in part] for part in group] for group in ([ring, hole], [island])]


def plain_layer(key: str, kind: str, shape: shapely.Geometry) -> Layer:
    style = {"color": "#000000", "weight": 1, "fillColor": "#000000", "fillOpacity": 1}
    return Layer(key, Label(key), kind, np.array([shape], object), (style,), np.zeros(1, np.int64))


def test_folium_children_still_work(tmp_path: Path, opened: Opened) -> None:
    m = explore(coverage())
    folium.Marker([24.47, 118.09]).add_to(m)
    folium.CircleMarker([24.48, 118.1], radius=5).add_to(m)
    path = tmp_path / "map.html"
    m.save_html(path)
    assert "Content-Security-Policy" not in path.read_text("utf-8")  # their scripts are not known beforehand
    page = opened.open(path)
    source = page.locator("img.leaflet-marker-icon").get_attribute("src")
    assert source.startswith("data:image/png")
    assert opened.requests == []
    assert opened.faults == []


def test_an_element_added_to_the_page_lifts_the_policy_and_stays() -> None:
    from branca.element import Element

    m = explore(service_area())
    assert "Content-Security-Policy" in m.get_root().render()
    m.get_root().html.add_child(Element("<p>mine</p>"))
    html = m.get_root().render()
    assert "<p>mine</p>" in html
    assert "Content-Security-Policy" not in html


def test_a_lone_layer_is_named_credited_and_bounded() -> None:
    schools = gpd.GeoDataFrame({"name": ["一中"]}, geometry=[shapely.Point(118.1, 24.5)], crs=4326)
    m = explore(schools)
    assert m.content.bounds() == [[24.5, 118.1], [24.5, 118.1]]
    assert m.headline == "citygeo"
    assert m.content.attributions == []
    assert explore(schools.iloc[:0]).content.bounds() is None


def test_our_layers_on_a_plain_folium_map() -> None:
    m = folium.Map(tiles=None)
    assert explore(service_area(), m=m) is m
    explore(network(), m=m)
    html = m.get_root().render()
    assert f'citygeo.draw({m.get_name()}, "citygeo-page");' in html
    assert html.count('"key":"roads"') == 1
    assert leaflet().script not in html  # folium's own stands there


def test_equal_results_give_equal_bytes() -> None:
    assert explore(coverage()).get_root().render() == explore(coverage()).get_root().render()


def test_rendering_twice_changes_nothing() -> None:
    m = explore(coverage())
    assert m.get_root().render() == m.get_root().render()


def test_notebook_shows_a_frame() -> None:
    frame = explore(service_area())._repr_html_()
    assert "<iframe srcdoc=" in frame
    assert "&lt;title&gt;" in frame


def test_policy_hashes_are_those_of_the_scripts_on_the_page() -> None:
    html = explore(coverage()).get_root().render()
    scripts = re.findall(r"<script>([\s\S]*?)</script>", html)
    assert len(scripts) == 3
    allowed = re.findall(r"'sha256-([^']+)'", html)
    assert allowed == [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]


def test_the_page_keeps_leaflets_licence_and_names_no_host() -> None:
    html = explore(coverage()).get_root().render()
    assert "BSD 2-Clause License" in html
    assert "Volodymyr Agafonkin" in html
    ours = html.replace(leaflet().script, "").replace(leaflet().licence, "")
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", ours)
    assert not re.search(r"url\((?!data:|#default)", ours)


def test_map_says_what_it_is() -> None:
    m = explore(coverage())
    assert isinstance(m, folium.Map)
    assert isinstance(m, OfflineMap)
    assert repr(m) == "<OfflineMap: 11 layers>"
    assert m.issues["code"].tolist() == ["CG-MAP-001"]


def test_sample_size_of_the_page_stays_small() -> None:
    html = explore(coverage()).get_root().render()
    assert len(html) < 300_000


def test_shares_in_circles_stand_beside_those_of_the_network(tmp_path: Path, opened: Opened) -> None:
    result = coverage()
    result.table = result.table.assign(radius_covered=[10.0, 100.0], radius_share=[1 / 3, 100 / 3383])
    result.table.loc["a very long name of land 很长的用地名称"] = [
        "km2",
        123456.7,
        234567.8,
        0.5,
        234567.8,
        1.0,
    ]
    explore(result).save_html(tmp_path / "map.html")
    page = opened.open(tmp_path / "map.html")
    text = page.locator(".cg-title").inner_text()
    for part in ("◯ 33.3 %", "◯ 3.0 %", "◯ within the radius, as the crow flies.", "直线距离"):
        assert part in text, part
    panel, table = (page.locator(part).bounding_box() for part in (".cg-title", ".cg-measures"))
    assert table["x"] + table["width"] <= panel["x"] + panel["width"]
    assert opened.faults == []
