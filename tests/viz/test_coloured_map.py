"""Maps of coloured tables in a real browser, with the network off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from citygeo import hexgrid
from citygeo.viz import explore
from tests.viz.fakes import HOSTILE, network
from tests.viz.layers.test_bivariate import grid
from tests.viz.layers.test_hexagons import CELLS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.viz.conftest import Opened


def saved(folder: Path, *results: Any, **options: Any) -> Path:
    path = folder / "map.html"
    explore(*results, **options).save_html(path)
    return path


def test_hexagons_are_drawn_with_a_legend_that_says_all(tmp_path: Path, opened: Opened) -> None:
    rows = pd.DataFrame({"jobs": [np.nan, *range(1, 61)]}, index=CELLS[:61])
    page = opened.open(saved(tmp_path, network(), rows, column="jobs"))
    assert page.evaluate("citygeo.layers.map((x) => [x.data.key, x.items.length])") == [
        ["roads", 4],
        ["plain-0-areas", 61],
    ]
    text = page.locator(".cg-layers").inner_text()
    for part in (
        "Jobs",
        "就业岗位",
        "a hexagon, about 0.093 km²",
        "六边形",
        "no data",
        "无数据",
        "1 ⬡",
        "1 – 12",
        "12 ⬡",
    ):
        assert part in text, part
    assert "is the median" in page.locator(".cg-title").inner_text()
    assert opened.requests == []
    assert opened.faults == []


def test_the_square_legend_shows_nine_colours_with_counts_and_both_axes(
    tmp_path: Path, opened: Opened
) -> None:
    page = opened.open(saved(tmp_path, hexgrid.to_frame(grid()), column=("access", "population")))
    fields = page.locator(".cg-square td:not(.cg-corner)")
    assert fields.all_inner_texts() == ["9"] * 9
    painted = fields.evaluate_all("(all) => all.map((one) => getComputedStyle(one).backgroundColor)")
    assert len(set(painted)) == 9
    assert page.locator(".cg-square .cg-row").all_inner_texts() == ["7 – 9", "4 – 6", "1 – 3"]
    assert page.locator(".cg-square .cg-col").all_inner_texts() == ["1 – 3", "4 – 6", "7 – 9"]
    axes = page.locator(".cg-axis").all_inner_texts()
    assert [axis.replace("\n", " ") for axis in axes] == ["↑ People 人口", "→ Access 可达性"]
    assert opened.requests == []
    assert opened.faults == []


def test_numbers_in_the_square_can_be_read(tmp_path: Path, opened: Opened) -> None:
    page = opened.open(saved(tmp_path, hexgrid.to_frame(grid()), column=("access", "population")))
    pairs = page.locator(".cg-square td:not(.cg-corner)").evaluate_all(
        "(all) => all.map((one) => { const s = getComputedStyle(one); return [s.color, s.backgroundColor]; })"
    )

    def luminance(text: str) -> float:
        parts = np.array([int(part) for part in text[4:-1].split(",")]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for pair in pairs:
        dark, light = sorted(luminance(text) for text in pair)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2, level AA


def test_a_hexagon_tells_its_number_first(tmp_path: Path, opened: Opened) -> None:
    page = opened.open(saved(tmp_path, pd.Series([7, 9], index=CELLS[:2], name="jobs"), column="jobs"))
    page.evaluate(
        """() => { const item = citygeo.layers[0].items[0];
            item.fire("click", { latlng: item.getBounds().getCenter() }, true); }"""
    )
    card = page.locator(".leaflet-popup .cg-card").inner_text()
    assert card.startswith(CELLS[0])
    assert "Jobs 就业岗位" in card
    assert "7" in card


def test_narrow_screen_holds_the_square(tmp_path: Path, opened_narrow: Opened) -> None:
    page = opened_narrow.open(saved(tmp_path, hexgrid.to_frame(grid()), column=("access", "population")))
    page.locator(".cg-layers summary").click()
    panel, square = (page.locator(part).bounding_box() for part in (".cg-layers", ".cg-square-box"))
    assert panel["x"] >= 0
    assert panel["x"] <= square["x"]
    assert square["x"] + square["width"] <= panel["x"] + panel["width"] <= 360
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_columns_are_shown_and_never_run(name: str, tmp_path: Path, opened: Opened) -> None:
    rows = grid().rename(columns={"access": name})
    rows.attrs["labels"] = {"population": (name, name)}
    page = opened.open(saved(tmp_path, rows, column=(name, "population")))
    assert page.locator(".cg-axis .cg-en").all_text_contents() == [name, name]
    assert page.evaluate("window.__pwned") is None
    assert opened.requests == []
    assert opened.faults == []


def test_equal_tables_give_equal_bytes() -> None:
    pages = [explore(grid(), column=("access", "population")).get_root().render() for _ in range(2)]
    assert pages[0] == pages[1]
