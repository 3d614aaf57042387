from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
import shapely

from citygeo import datasets
from citygeo.datasets import reykjavik
from citygeo.demand import population
from citygeo.errors import CitygeoError
from citygeo.io.features import read_features

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = {
    "Reykjavík": 128_793,
    "Kópavogur": 36_975,
    "Hafnarfjörður": 29_799,
    "Garðabær": 16_299,
    "Mosfellsbær": 11_463,
    "Seltjarnarnes": 4_664,
    "Kjósarhreppur": 238,
}


def test_people_are_conserved_from_municipalities_to_buildings_to_cells() -> None:
    city = reykjavik()
    zones, homes = city.municipalities, city.people
    assert dict(zip(zones["name"], zones["population"], strict=True)) == PEOPLE
    assert homes.groupby("zone")["population"].sum().reindex(zones.index).tolist() == list(PEOPLE.values())
    for label, people in zones["population"].items():
        assert population(homes[homes["zone"] == label])["population"].sum() == people
    cells = population(homes)
    assert cells["population"].sum() == homes["population"].sum() == sum(PEOPLE.values()) == 228_231
    assert cells.attrs["estimate"] is True


def test_every_home_stands_in_its_municipality() -> None:
    city = reykjavik()
    homes, zones = city.people, city.municipalities
    points = homes.geometry.representative_point()
    assert points.within(zones.geometry.reindex(homes["zone"]).set_axis(homes.index)).all()


def test_homes_are_a_part_of_the_buildings() -> None:
    city = reykjavik()
    buildings, homes = city.buildings, city.people
    assert len(buildings) == 43_567
    assert len(homes) == 35_118
    assert homes.index.isin(buildings.index).all()
    assert not (buildings["building"] == "no").any()
    assert buildings.loc[homes.index, "amenity"].notna().mean() < 0.01
    floor_m2 = (homes["footprint_m2"] * homes["levels"]).groupby(homes["zone"]).sum()
    per_person = floor_m2 / city.municipalities["population"]
    # a wrong rule shows here first: without building=yes Seltjarnarnes would have 18 m2 a person
    assert per_person.drop("relation/8485922").between(50, 150).all()


def test_there_are_four_fire_stations() -> None:
    stations = reykjavik().stations
    assert len(stations) == 4
    assert stations["name"].notna().all()
    assert sorted(stations.geom_type) == ["Point", "Point", "Polygon", "Polygon"]


def test_municipalities_are_whole_and_make_up_the_study_area() -> None:
    city = reykjavik()
    zones, area = city.municipalities, city.study_area
    assert zones.geometry.is_valid.all()
    assert zones["population_status"].unique().tolist() == ["unverified"]
    assert zones["population"].dtype == "int64"
    assert zones["area_km2"].sum() == pytest.approx(1041.1, abs=0.1)
    assert len(area) == 1
    assert area.to_crs(6933).area.sum() / 1e6 == pytest.approx(zones["area_km2"].sum(), rel=1e-6)


def test_zones_come_in_three_levels() -> None:
    zones = reykjavik().zones
    assert {level: len(layer) for level, layer in zones.items()} == {
        "municipality": 7,
        "district": 6,
        "neighbourhood": 77,
    }
    assert zones["district"]["admin_level"].unique().tolist() == ["9"]
    assert all(layer.index.is_unique for layer in zones.values())
    unnamed = {level: layer.index[layer["name"].isna()].tolist() for level, layer in zones.items()}
    assert unnamed == {"municipality": [], "district": [], "neighbourhood": ["way/165720037"]}
    assert all(layer.crs.to_epsg() == 4326 for layer in zones.values())


def test_ground_tells_workplaces_from_homes() -> None:
    buildings = reykjavik().buildings
    ground = buildings.groupby("building")["landuse"].value_counts(normalize=True)
    assert ground["residential", "residential"] > 0.95
    assert ground["industrial", "industrial"] > 0.5


def test_the_sample_has_no_finding_that_warns() -> None:
    issues = reykjavik().issues
    assert issues["severity"].unique().tolist() == ["info"]


def test_layers_are_read_once_and_given_as_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    city = dataclasses.replace(reykjavik())
    read = Mock(wraps=read_features)
    monkeypatch.setattr(datasets, "read_features", read)
    stations, people = city.stations, city.people
    stations["name"] = "changed"
    people["population"] = 0
    assert "changed" not in city.stations["name"].tolist()
    assert city.people["population"].sum() == 228_231
    assert len(city.buildings) > len(city.zones["municipality"])
    assert len(city.services["school"]) > 1
    assert read.call_count == 1
    assert reykjavik() is reykjavik()


def test_a_municipality_without_boundary_keeps_its_people(tmp_path: Path) -> None:
    city = reykjavik()
    table = (city.folder / "municipal_population.csv").read_text(encoding="utf-8")
    lost = table.replace(",Kjósarhreppur,238", ",Kjós (no such name),238")
    (tmp_path / "municipal_population.csv").write_text(lost, encoding="utf-8")
    cut = dataclasses.replace(city, folder=tmp_path)
    assert cut.municipalities.index[-1] == "municipality/Kjósarhreppur"
    assert cut.municipalities.geometry.iloc[-1] is None
    homes = cut.people
    row = homes.loc["zone municipality/Kjósarhreppur"]
    assert (row["population"], row["geometry"]) == (238, None)
    assert homes["population"].sum() == 228_231
    assert "CG-DEM-002" in cut.issues["code"].tolist()
    assert shapely.area(cut.study_area.geometry.iloc[0]) < shapely.area(city.study_area.geometry.iloc[0])


def test_the_network_is_built_once_for_each_named_mode() -> None:
    city = reykjavik()
    net = city.network("walk")
    assert net is city.network("walk")
    assert net.mode.name == "walk"


def test_services_are_those_a_plain_reader_finds() -> None:
    """Another reading of the file: nodes by their tags, in plain Python, one layer after the other."""
    import osmium

    city = reykjavik()
    wanted = {
        "school": ("amenity", "school"),
        "kindergarten": ("amenity", "kindergarten"),
        "pharmacy": ("amenity", "pharmacy"),
        "bus_stop": ("bus", "yes"),
        "park": ("leisure", "park"),
    }
    found: dict[str, set[str]] = {name: set() for name in wanted}
    for node in osmium.FileProcessor(str(city.osm_path), osmium.osm.NODE):
        for name, (key, value) in wanted.items():
            is_stop = node.tags.get("public_transport") == "platform"
            if value in node.tags.get(key, "").split(";") and (name != "bus_stop" or is_stop):
                found[name].add(f"node/{node.id}")
    services = city.services
    assert {name: len(layer) for name, layer in services.items()} == {
        "school": 101, "kindergarten": 115, "clinic": 26, "pharmacy": 34, "bus_stop": 901, "park": 80,
    }  # fmt: skip
    for name, nodes in found.items():
        layer = services[name]
        assert set(layer.index[layer.index.str.startswith("node/")]) == nodes
        assert layer.crs.to_epsg() == 4326
        assert list(layer.columns) == ["name", "geometry"]
    both = services["school"].index.intersection(services["kindergarten"].index)
    assert len(both) == 1  # "kindergarten;school"


@pytest.mark.parametrize("place", ["beside", "inside"])
def test_the_sample_is_found_in_a_source_tree_and_in_a_wheel(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "citygeo"
    target = (tmp_path if place == "beside" else package) / "data_samples" / "reykjavik"
    target.mkdir(parents=True)
    shutil.copy(reykjavik().osm_path, target)
    monkeypatch.setattr(datasets, "__file__", str(package / "datasets.py"))
    assert reykjavik.__wrapped__().folder == target


def test_a_missing_sample_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "__file__", str(tmp_path / "citygeo" / "datasets.py"))
    with pytest.raises(CitygeoError) as caught:
        reykjavik.__wrapped__()
    assert caught.value.code == "CG-FILE-001"


def test_the_attribution_names_source_and_licence() -> None:
    city = reykjavik()
    assert city.attribution == "© OpenStreetMap contributors, ODbL 1.0"
    assert (city.name, city.name_zh) == ("Reykjavík capital region", "雷克雅未克首都区")
