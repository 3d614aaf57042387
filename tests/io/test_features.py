from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest

from citygeo.errors import CitygeoError
from citygeo.io.features import COLUMNS, read_features
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from pathlib import Path

Nodes = dict[int, tuple[float, float, dict[str, str]]]
Ways = dict[int, tuple[list[int], dict[str, str]]]
Relations = dict[int, tuple[list[tuple[str, int, str]], dict[str, str]]]

SQUARE: Nodes = {1: (0, 0, {}), 2: (2, 0, {}), 3: (2, 2, {}), 4: (0, 2, {})}
HOLE: Nodes = {5: (0.5, 0.5, {}), 6: (1, 0.5, {}), 7: (1, 1, {})}


def write(path: Path, nodes: Nodes, ways: Ways, relations: Relations | None = None) -> Path:
    """Write a PBF by hand; node 99 on way 99 keeps even the emptiest a whole file."""
    import osmium
    from osmium.osm.mutable import Node, Relation, Way

    with osmium.SimpleWriter(str(path)) as writer:
        for number, (lon, lat, tags) in sorted({**nodes, 98: (8, 8, {}), 99: (9, 9, {})}.items()):
            writer.add_node(Node(id=number, location=(lon, lat), tags=tags))
        for number, (refs, tags) in sorted({**ways, 99: ([98, 99], {})}.items()):
            writer.add_way(Way(id=number, nodes=refs, tags=tags))
        for number, (members, tags) in sorted((relations or {}).items()):
            writer.add_relation(Relation(id=number, members=members, tags=tags))
    return path


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A building with a courtyard, a school, a shop node, an open way, a bow-tie and a lost relation."""
    nodes: Nodes = (
        SQUARE | HOLE | {10: (5, 6, {"shop": "bakery", "name": "Brauð & 面包"}), 11: (5, 7, {"x": "y"})}
    )
    ways: Ways = {
        20: ([1, 2, 3, 4, 1], {}),
        21: ([5, 6, 7, 5], {}),
        22: ([1, 2, 3, 1], {"amenity": "school", "building": "yes", "building:levels": "2"}),
        23: ([1, 2, 3], {"amenity": "school"}),
        24: ([1, 3, 2, 4, 1], {"building": "shed"}),
        25: ([10, 11], {}),
    }
    relations: Relations = {
        30: ([("w", 20, "outer"), ("w", 21, "inner")], {"type": "multipolygon", "building": "house"}),
        31: ([("w", 777, "outer")], {"type": "multipolygon", "building": "barn"}),
        32: ([("n", 10, "label")], {"type": "site", "building": "not an area"}),
    }
    return write(tmp_path / "town.osm.pbf", nodes, ways, relations)


def test_nodes_ways_and_relations_become_points_and_areas(town: Path) -> None:
    layer = read_features(town, {"building": True, "amenity": True, "shop": True})
    assert layer.index.tolist() == ["node/10", "way/22", "way/24", "relation/30", "relation/31"]
    assert layer.geom_type.tolist()[:2] == ["Point", "Polygon"]
    assert layer.crs.to_epsg() == 4326
    assert layer.geometry["node/10"].coords[0] == (5, 6)
    assert layer.geometry["relation/30"].area == pytest.approx(4 - 0.125)
    assert layer.geometry["way/22"].area == pytest.approx(2)


def test_tags_are_columns_and_missing_where_absent(town: Path) -> None:
    layer = read_features(town, {"building": True, "shop": True})
    assert list(layer.columns) == ["building", "shop", *COLUMNS, "geometry"]
    assert layer.loc["node/10", "name"] == "Brauð & 面包"
    assert layer["building"].isna().tolist() == [True, False, False, False, False]
    assert layer.loc["way/22", "building:levels"] == "2"


def test_columns_choose_the_tags_kept(town: Path) -> None:
    assert list(read_features(town, {"shop": True}, columns=["x"]).columns) == ["shop", "x", "geometry"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"building": "house"}, ["relation/30"]),
        ({"building": ["house", "yes"]}, ["way/22", "relation/30"]),
        ({"building": "house", "shop": True}, ["node/10", "relation/30"]),
        ({"amenity": "hospital"}, []),
    ],
)
def test_values_choose_the_objects(town: Path, wanted: dict[str, bool], found: list[str]) -> None:
    assert read_features(town, wanted).index.tolist() == found


def test_areas_that_cannot_be_drawn_stay_as_rows_and_are_counted(town: Path) -> None:
    log = IssueLog()
    layer = read_features(town, {"building": True}, issues=log)
    missing = layer.index[[geometry is None for geometry in layer.geometry]]
    # the bow-tie crosses itself where no node is; the members of relation 31 are not in the file
    assert missing.tolist() == ["way/24", "relation/31"]
    assert [(issue.code, issue.count, issue.sample) for issue in log.found] == [
        ("CG-GEO-003", 2, tuple(missing))
    ]


def test_open_ways_and_other_relations_are_no_features(town: Path) -> None:
    found = read_features(town, {"amenity": True, "building": True}).index
    assert "way/23" not in found
    assert "relation/32" not in found


def test_nothing_found_is_an_empty_layer_with_all_columns(town: Path) -> None:
    layer = read_features(town, {"amenity": "hospital"})
    assert isinstance(layer, gpd.GeoDataFrame)
    assert len(layer) == 0
    assert {"amenity", "name", "geometry"} <= set(layer.columns)


@pytest.mark.parametrize("tags", [{}, {"amenity": False}, {"amenity": [], "shop": True}])
def test_tags_that_name_nothing_are_refused(town: Path, tags: dict[str, bool]) -> None:
    with pytest.raises(CitygeoError) as caught:
        read_features(town, tags)
    assert caught.value.code == "CG-IN-004"


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CitygeoError) as caught:
        read_features(tmp_path / "none.osm.pbf", {"amenity": True})
    assert caught.value.code == "CG-FILE-001"
    page = tmp_path / "page.osm.pbf"
    page.write_text("<!DOCTYPE html><title>quota</title>")
    with pytest.raises(CitygeoError) as caught:
        read_features(page, {"amenity": True})
    assert caught.value.code == "CG-FILE-002"


def test_a_cut_file_is_refused(town: Path) -> None:
    town.write_bytes(town.read_bytes()[:-20])
    with pytest.raises(CitygeoError) as caught:
        read_features(town, {"amenity": True})
    assert caught.value.code == "CG-FILE-003"


def test_order_is_by_kind_and_number(tmp_path: Path) -> None:
    numbers = [900, 5, 31, 1000]
    nodes: Nodes = {number: (float(i), 0.0, {"shop": "kiosk"}) for i, number in enumerate(numbers)}
    layer = read_features(write(tmp_path / "n.osm.pbf", nodes, {}), {"shop": True})
    assert layer.index.tolist() == [f"node/{number}" for number in sorted(numbers)]
    assert np.all(layer.geometry.y == 0)
