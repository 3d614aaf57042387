"""The map of a network report in a real browser, with the network off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from citygeo.network.report import NetworkReport, make_report
from citygeo.viz import explore, map_layers
from citygeo.viz.results import map_extent, map_panel
from tests.network.report.test_connection import NODES, WAYS
from tests.toy import STREET, grid_city, network, points
from tests.viz.fakes import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.viz.conftest import Opened


def made(name: str = "南山路") -> NetworkReport:
    nodes = {**NODES, 30: (50, 3), 31: (50, 60), 40: (-500, 0)}
    ways = [
        *WAYS,
        ((30, 31), {**STREET, "name": name}),
        ((40, 1), {"highway": "residential", "maxspeed": "90"}),
    ]
    given = points([(0, -20), (210, -100), (0, -900)]).set_index([[name, "b", "c"]])
    return make_report(network(nodes, ways), given)


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    path = tmp_path / "map.html"
    made().explore().save_html(path)
    return path


KEYS = [
    "roads", "assumed-speeds", "outside-streets", "odd-streets", "dead-ends", "snap-lines", "snap-points",
    "places-apart", "places-source", "places-trap", "places-fast", "places-undershoot", "place-ranks",
]  # fmt: skip


def test_page_opens_offline_with_every_layer(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    assert opened.requests == []
    assert opened.faults == []
    drawn = page.evaluate(
        """Object.fromEntries(citygeo.layers.map((x) =>
            [x.data.key, citygeo.map.hasLayer(x.group) ? x.items.length : -1]))"""
    )
    assert list(drawn) == KEYS
    off = [key for key, many in drawn.items() if many == -1]
    assert off == ["assumed-speeds", "dead-ends"]
    assert {key: drawn[key] for key in ("outside-streets", "places-trap", "places-apart", "snap-points")} == {
        "outside-streets": 6, "places-trap": 2, "places-apart": 3, "snap-points": 3,
    }  # fmt: skip
    painted = page.evaluate(
        """[...document.querySelectorAll("canvas")].map((c) =>
            c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v > 0))"""
    )
    assert painted == [True, True]


def test_layers_toggle(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    for key in KEYS:
        box = page.locator(f"input[data-layer={key}]")
        is_on = f"citygeo.map.hasLayer(citygeo.layers.find((x) => x.data.key === '{key}').group)"
        before = page.evaluate(is_on)
        box.click()
        assert page.evaluate(is_on) is not before
    assert opened.faults == []


def test_title_panel_judges_in_words_and_signs(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    text = page.locator(".cg-title").inner_text()
    for part in (
        "Fitness of the road network: toy", "玩具路网体检", "of the length can be reached and left", "的道路可往返",
        "Length outside the largest part", "最大部分之外占比", "Streets to look at first", "优先核查的道路",
        "not linked to the main part", "the limits are citygeo's own", "At the edge of the data",
    ):  # fmt: skip
        assert part in text, part
    verdicts = page.locator(".cg-verdict")
    names = [verdicts.nth(i).get_attribute("aria-label") for i in range(verdicts.count())]
    table = made().table["verdict"]
    words = {"ok": "ok 正常", "look": "look 留意", "bad": "bad 较差"}
    assert sorted(names) == sorted(words[verdict] for verdict in table if verdict)
    # the worst first
    assert names == sorted(names, key=["bad 较差", "look 留意", "ok 正常"].index)


def test_legend_counts(page_file: Path, opened: Opened) -> None:
    text = opened.open(page_file).locator(".cg-layers").inner_text()
    for part in (
        "One-way trap", "单行陷阱", "can be entered, not left", "可进不可出", "Undershoot", "340 m", "Given points",
        "without way there and back", "不能往返", "From point to road", "faster than plausible",
    ):  # fmt: skip
        assert part in text, part


def test_place_button_switches_its_layer_on_goes_there_and_tells(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    page.locator("input[data-layer=outside-streets]").uncheck()
    before = page.evaluate("citygeo.map.getZoom()")
    page.locator(".cg-worst-button").nth(2).click()
    card = page.locator(".leaflet-popup .cg-card").inner_text()
    assert "One-way trap 单行陷阱" in card
    assert "300 m" in card
    assert page.locator("input[data-layer=outside-streets]").is_checked()
    assert page.evaluate("citygeo.map.getZoom()") != before
    assert opened.faults == []


def hover(page: Any, key: str) -> str:
    x, y = page.evaluate(
        """(key) => { const layer = citygeo.layers.find((x) => x.data.key === key);
            const place = layer.items[0].getBounds().getCenter();
            citygeo.map.setView(place, 18, {animate: false});
            const p = citygeo.map.latLngToContainerPoint(place); return [p.x, p.y]; }""",
        key,
    )
    page.mouse.move(x - 2, y)
    page.mouse.move(x, y)
    page.wait_for_timeout(400)
    return str(page.locator(".cg-tip").text_content())


def test_tooltips_tell_ids(page_file: Path, opened: Opened) -> None:
    page = opened.open(page_file)
    text = hover(page, "places-undershoot")
    assert text.startswith("Undershoot 未接端点")
    assert "南山路" in text
    assert "3.0 m" in text


@pytest.mark.parametrize("name", HOSTILE[:4] + HOSTILE[8:9])
def test_hostile_names_are_shown_and_never_run(name: str, tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "map.html"
    explore(made(name)).save_html(path)
    page = opened.open(path)
    assert name in hover(page, "places-undershoot")
    page.locator("input[data-layer=dead-ends]").check()
    assert page.evaluate("window.__pwned") is None
    assert opened.requests == []
    assert opened.faults == []


def test_narrow_screen_has_no_sideways_scroll(page_file: Path, opened_narrow: Opened) -> None:
    page = opened_narrow.open(page_file)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".cg-title summary").click()
    for row in page.locator(".cg-checks tr").all():
        box = row.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_city_without_faults_has_roads_speeds_and_dead_ends_only() -> None:
    from citygeo.issues import IssueLog

    report = make_report(grid_city(2))
    assert [layer.key for layer in map_layers(report, IssueLog())] == ["roads", "assumed-speeds", "dead-ends"]
    panel = map_panel(report)
    assert panel is not None
    assert (panel.figure, panel.worst) == ("100.0 %", ())
    assert map_extent(report) is None


def test_equal_reports_give_equal_bytes() -> None:
    assert made().explore().get_root().render() == made().explore().get_root().render()
