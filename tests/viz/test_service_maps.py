"""Maps and files of provision and completeness: what is drawn is what was found, and it works in a real browser."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo as cg
from citygeo.errors import CitygeoWarning
from citygeo.issues import IssueLog
from citygeo.viz import layer_styles, map_layers
from citygeo.viz.layers import served
from citygeo.viz.results import map_extent, map_panel
from tests.toy import grid_city, lonlat, points
from tests.viz.fakes import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.viz.conftest import Opened

CITY = grid_city(10)  # 100 m blocks, 10 s each
PLACES = [(-450, -450), (-300, 0), (0, 0), (100, 300), (400, 450)]


def zones(name: str = "West 西") -> gpd.GeoDataFrame:
    shapes = [shapely.box(*lonlat(west, -700), *lonlat(west + 700, 700)) for west in (-700, 0)]
    return gpd.GeoDataFrame({"name": [name, None]}, geometry=shapes, crs=4326)


def homes() -> gpd.GeoDataFrame:
    return points(PLACES, population=[10.0, 20.0, 30.0, 40.0, 50.0])


def provision(name: str = "School 一", **changes: Any) -> Any:
    schools = points(
        [(-300, 0), (100, 0), (0, 450), (0, 9000)], name=[name, None, "North", "far"], capacity=[5, 60, 80, 7]
    )
    asked = {"minutes": 1, "zones": {"district": zones(name)}} | changes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CitygeoWarning)
        return cg.provision(CITY, asked.pop("demand", homes()), schools, **asked)


def completeness(name: str = "School 一", **changes: Any) -> Any:
    services = {
        "school": points([(-300, 0), (300, 0)], name=[name, "South"]),
        "clinic": points([(0, 0)], name=["Clinic"]),
        "tea_house": points([(450, 450)], name=["茶馆"]),
    }
    asked = {"minutes": 0.6, "zones": {"district": zones(name)}, "resolution": 10} | changes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CitygeoWarning)
        return cg.completeness(CITY, asked.pop("services", services), demand=homes(), **asked)


def layers_of(result: Any) -> dict[str, Any]:
    return {layer.key: layer for layer in map_layers(result, IssueLog())}


# --- provision -------------------------------------------------------------------------------------


def test_layers_of_a_provision_come_in_drawing_order() -> None:
    assert [*layers_of(provision())] == [
        "boundaries-district", "roads", "missing-district", "left-out", "ways", "loads", "names-district",
    ]  # fmt: skip
    assert "missing-district" not in layers_of(provision(zones=None))


def test_map_of_a_provision_counts_as_its_tables_do() -> None:
    plan = provision()
    layers = layers_of(plan)
    left = plan.demand[plan.demand["unserved"] > 0]
    assert len(layers["left-out"].shapes) == len(left) > 0
    drawn = sum(float(entry.note.split(" · ")[1].replace(",", "")) for entry in layers["left-out"].legend)
    assert drawn == pytest.approx(plan.table["value"]["unserved"], abs=1)
    states = served.load_of(plan.facilities)
    assert states.tolist() == [served.OVER, served.SPARE, served.OVER, served.OFF]
    assert [entry.note for entry in layers["loads"].legend] == ["2 · 85", "1 · 60", "1 · 7"]
    goes = sum(float(entry.note.replace(",", "")) for entry in layers["ways"].legend)
    assert goes == pytest.approx(plan.table["value"]["served"], abs=1)
    missing = [row[1] for row in layers["missing-district"].tips.rows]
    assert missing == [f"{value:,.0f}" for value in plan.zones["places_missing"]]


def test_people_of_cells_are_drawn_as_hexagons() -> None:
    cells = cg.population(homes(), resolution=10)
    assert layers_of(provision(demand=cells))["left-out"].kind == "areas"
    assert layers_of(provision())["left-out"].kind == "points"


def test_panel_of_a_provision_says_what_the_table_does() -> None:
    plan = provision()
    panel = map_panel(plan)
    assert panel.figure == f"{100 * plan.table['share']['served']:.1f} %"
    said = {str(label): value for label, value, _, _ in panel.measures}
    assert said["Places 名额"] == "152"
    assert (
        said["Missing per district 行政区缺少名额"]
        == f"{plan.table['value']['places_missing:district']:,.0f}"
    )
    worst = plan.facilities.sort_values("overload", ascending=False)
    assert [spot.figure for spot in panel.worst] == [
        f"{value:,.0f}" for value in worst["overload"] if value > 0
    ]
    loads = layers_of(plan)["loads"]
    assert [loads.tips.rows[spot.row][0] for spot in panel.worst] == [spot.place for spot in panel.worst]


def test_too_many_places_for_a_page_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "MOST_DRAWN", 1)
    log = IssueLog()
    layers = {layer.key: layer for layer in map_layers(provision(minutes=0.3), log)}
    assert len(layers["left-out"].shapes) == 1
    assert log.table()["code"].tolist().count("CG-MAP-001") == 3  # and the roads


def test_map_starts_where_most_people_live() -> None:
    demand = pd.concat([homes(), points([(-5000, 0)], population=[0.1])], ignore_index=True)
    west, south, east, north = map_extent(provision(demand=demand))
    assert west >= lonlat(-460, 0)[0]
    assert east == pytest.approx(lonlat(400, 450)[0])
    assert south < north


# --- completeness ----------------------------------------------------------------------------------


def test_layers_of_a_completeness_come_in_drawing_order() -> None:
    assert [*layers_of(completeness())] == [
        "boundaries-district", "roads", "complete-district", "without-school", "without-clinic", "without-tea_house",
        "services", "places-school", "places-clinic", "places-tea_house", "names-district",
    ]  # fmt: skip


def test_map_of_a_completeness_counts_as_its_tables_do() -> None:
    found = completeness()
    layers = layers_of(found)
    people = sum(float(entry.note.split(" · ")[1].replace(",", "")) for entry in layers["services"].legend)
    assert people == pytest.approx(150, abs=2)
    cells = found.cells[found.cells["population"] > 0]
    assert [row[0] for row in layers["services"].tips.rows] == [
        f"{n:g} of 3 services 类服务" for n in cells["n_services"]
    ]
    for name in ("school", "clinic", "tea_house"):
        lacking = sum(
            float(entry.note.split(" · ")[1].replace(",", "")) for entry in layers[f"without-{name}"].legend
        )
        row = found.table.loc[name]
        assert lacking == pytest.approx(row["total"] - row["covered"], abs=2)
    # what most lack is said in words, both languages where they are known
    lacks = [row[1] for row in layers["services"].tips.rows]
    assert any("Clinic 诊所" in text for text in lacks)
    assert any("tea_house" in text for text in lacks)


def test_panel_of_a_completeness_says_what_the_table_does() -> None:
    found = completeness()
    panel = map_panel(found)
    assert panel.figure == f"{100 * found.table.loc['all', 'share']:.1f} %"
    assert [str(label) for label, *_ in panel.measures] == ["School 学校", "Clinic 诊所", "tea_house"]
    assert sum(share for *_, share in panel.depth) == pytest.approx(1)
    n = found.points["n_services"]
    lacks = [found.points.loc[3 - n == k, "population"].sum() / 150 for k in (2, 1, 0)]
    assert [share for *_, share in panel.depth][1:] == pytest.approx(lacks)
    rows = layers_of(found)["complete-district"].tips.rows
    lacking = (found.zones["population"] - found.zones["all_covered"]).sort_values(ascending=False)
    assert [spot.figure for spot in panel.worst] == [f"{value:,.0f}" for value in lacking if value > 0]
    assert [rows[spot.row][0] for spot in panel.worst] == [spot.place for spot in panel.worst]


@pytest.mark.parametrize("n", [1, 2])
def test_few_services_have_a_bar_too(n: int) -> None:
    services = {f"service_{k}": points([(0, 0)]) for k in range(n)}
    panel = map_panel(completeness(services=services))
    shares = [share for *_, share in panel.depth]
    assert sum(shares) == pytest.approx(1)
    assert shares[0] == 0


def test_many_services_are_coloured_by_their_share() -> None:
    services = {f"service_{k}": points([(0, 0)]) for k in range(7)}
    layer = layers_of(completeness(services=services))["services"]
    assert {entry.label.en for entry in layer.legend} <= {
        f"{low} – {low + 20} % of 7" for low in range(0, 100, 20)
    }


# --- both: files and browser -----------------------------------------------------------------------


def test_files_of_a_provision(tmp_path: Path) -> None:
    plan = provision()
    files = plan.save(tmp_path / "out")
    assert gpd.list_layers(files["provision"])["name"].tolist() == [
        "facilities", "demand", "zones_district", "table", "flows", "issues", "layer_styles",
    ]  # fmt: skip
    assert (
        gpd.read_file(files["provision"], layer="demand")["unserved"].sum() == plan.demand["unserved"].sum()
    )
    assert pd.read_csv(files["flows"])["people"].sum() == pytest.approx(plan.flows["people"].sum())
    assert json.loads(files["provenance"].read_text("utf-8"))["action"] == "provision"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in files.values()}
    cells = provision(demand=cg.population(homes(), resolution=10), zones=None)
    assert [*layer_styles(cells)] == ["facilities", "demand"]
    assert 'attr="unserved"' in layer_styles(cells)["demand"]


def test_files_of_a_completeness(tmp_path: Path) -> None:
    found = completeness()
    files = found.save(tmp_path / "out")
    assert gpd.list_layers(files["completeness"])["name"].tolist() == [
        "cells", "zones_district", "people", "table", "lacking", "issues", "layer_styles",
    ]  # fmt: skip
    assert gpd.read_parquet(files["cells"])["population"].sum() == 150
    assert pd.read_csv(files["table"], index_col=0)["covered"].tolist() == found.table["covered"].tolist()
    assert [*layer_styles(found)] == ["cells", "zones_district"]


@pytest.mark.parametrize("make", [provision, completeness])
def test_page_shows_both_languages_and_every_layer(make: Any, tmp_path: Path, opened: Opened) -> None:
    result = make()
    result.explore().save_html(tmp_path / "map.html")
    page = opened.open(tmp_path / "map.html")
    for box in page.locator("input[data-layer]").all():
        box.check()
    text = page.locator("body").inner_text()
    for part in {
        provision: ("a place within 1 minutes", "1分钟内的名额", "People without a place", "分配去向"),
        completeness: (
            "3 services within 0.6 minutes",
            "分钟生活圈",
            "Services within reach",
            "服务齐全比例",
            "诊所",
        ),
    }[make]:
        assert part in text, part
    page.locator(".cg-worst-button").first.click()
    page.wait_for_timeout(300)
    assert page.locator(".leaflet-popup").count() == 1
    assert opened.requests == []
    assert opened.faults == []


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("make", [provision, completeness])
def test_hostile_names_are_shown_and_never_run(make: Any, name: str, tmp_path: Path, opened: Opened) -> None:
    make(name).explore(title=(name, name)).save_html(tmp_path / "map.html")
    page = opened.open(tmp_path / "map.html")
    for box in page.locator("input[data-layer]").all():
        box.check()
    assert page.locator(".cg-title h1 .cg-en").text_content() == name
    key = {provision: "loads", completeness: "places-school"}[make]
    rows = page.evaluate(
        "(key) => citygeo.layers.find((x) => x.data.key === key).data.rows.map((r) => r[0])", key
    )
    assert name in rows
    page.evaluate(
        """(args) => { const layer = citygeo.layers.find((x) => x.data.key === args[0]);
            const item = layer.items[layer.data.rows.findIndex((r) => r[0] === args[1])];
            item.fire("click", { latlng: item.getBounds().getCenter() }, true); }""",
        [key, name],
    )
    assert name in page.locator(".leaflet-popup .cg-card").text_content()
    assert page.evaluate("window.__pwned") is None
    assert opened.requests == []
    assert opened.faults == []


@pytest.mark.parametrize("make", [provision, completeness])
def test_narrow_screen_has_no_sideways_scroll(make: Any, tmp_path: Path, opened_narrow: Opened) -> None:
    make().explore().save_html(tmp_path / "map.html")
    page = opened_narrow.open(tmp_path / "map.html")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".cg-layers summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert opened_narrow.faults == []


@pytest.mark.parametrize("make", [provision, completeness])
def test_nobody_at_all_is_still_a_map(make: Any) -> None:
    if make is provision:
        result = provision(demand=homes().assign(population=0.0))
        assert np.isnan(result.table["share"]["served"])
        assert len(layers_of(result)["left-out"].shapes) == 0
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CitygeoWarning)
            result = cg.completeness(
                CITY, {"school": points([(0, 0)])}, demand=homes().assign(population=0.0)
            )
        assert len(layers_of(result)["services"].shapes) == 0
    assert map_panel(result).figure == "–"
    assert result.explore().get_root().render()
