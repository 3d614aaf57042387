"""The committed sample: its size, its checksum in the README, its order, and what the script promises."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import re
import sys
from collections import Counter
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import osmium
import pytest
import shapely

from citygeo.datasets import reykjavik
from citygeo.io.pbf import check_pbf

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import ModuleType

FOLDER = reykjavik().folder
PBF = reykjavik().osm_path


@cache
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reykjavik", FOLDER.parent / "make_reykjavik.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def test_size_and_checksum_are_those_of_the_readme() -> None:
    data, readme = PBF.read_bytes(), (FOLDER / "README.md").read_text(encoding="utf-8")
    assert len(data) < 6_000_000
    assert f"{len(data):,} bytes" in readme
    assert hashlib.sha256(data).hexdigest() in readme
    assert script().SOURCE_SHA256 in readme
    assert "Open Database License" in readme


def test_the_file_is_whole_and_every_untagged_node_is_used() -> None:
    summary = check_pbf(PBF)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert summary.unused_nodes == 0
    for count, kind in ((summary.nodes, "nodes"), (summary.ways, "ways"), (summary.relations, "relations")):
        assert f"{count:,} {kind}" in readme


def test_objects_are_sorted_complete_and_without_metadata() -> None:
    order, nodes, ways = [], set(), set()
    items: Iterable[Any] = osmium.FileProcessor(str(PBF))
    for item in items:
        kind = "nwr".index(item.type_str())
        order.append((kind, item.id))
        assert not item.user
        assert (item.version, item.changeset) == (0, 0)
        if kind == 0:
            nodes.add(item.id)
        elif kind == 1:
            assert all(node.ref in nodes for node in item.nodes)
            ways.add(item.id)
        else:
            known = {"w": ways, "n": nodes}
            assert all(member.ref in known[member.type] for member in item.members)
            is_rule = item.tags.get("type") == "restriction"
            assert is_rule or all(member.type == "w" for member in item.members)
    assert all(before < after for before, after in pairwise(order))


def test_the_header_is_fixed() -> None:
    header = osmium.FileProcessor(str(PBF)).header
    assert header.get("generator") == "citygeo make_reykjavik"
    assert header.get("osmosis_replication_timestamp") == "2019-05-09T20:14:02Z"
    box = header.box()
    bounds = reykjavik().study_area.total_bounds
    assert (box.bottom_left.lon, box.bottom_left.lat) == pytest.approx(bounds[:2], abs=1e-3)
    assert (box.top_right.lon, box.top_right.lat) == pytest.approx(bounds[2:], abs=1e-3)


def test_populations_are_those_of_the_readme_and_marked_unverified() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    with (FOLDER / "municipal_population.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["population_status"] for row in rows] == ["unverified"] * 7
    for row in rows:
        line = rf"\| {row['name']} \| {row['osm_name']} \|.*\| {int(row['population']):,} \|"
        assert re.search(line, readme)


def test_counts_of_the_readme_hold() -> None:
    amenities: Counter[str] = Counter()
    highways = 0
    source = osmium.FileProcessor(str(PBF))
    items: Iterable[Any] = source.with_filter(osmium.filter.KeyFilter("amenity", "highway"))
    for item in items:
        amenities[item.tags.get("amenity", "")] += 1
        highways += item.is_way() and "highway" in item.tags
    assert {key: amenities[key] for key in ("school", "kindergarten", "hospital", "clinic", "pharmacy")} == {
        "school": 100, "kindergarten": 114, "hospital": 10, "clinic": 6, "pharmacy": 34,
    }  # fmt: skip
    assert amenities["fire_station"] == 4
    rules = osmium.FileProcessor(str(PBF), osmium.osm.RELATION)
    assert sum(item.tags.get("type") == "restriction" for item in rules) == 495
    assert highways == 34_374


def test_cutting_the_sample_again_gives_the_same_bytes(tmp_path: Path) -> None:
    # the extract of all Iceland is not in the repository: the sample itself is the input here
    make = script()
    selection, region = make.select(PBF)
    make.write(PBF, selection, region, tmp_path / "again.osm.pbf")
    assert (tmp_path / "again.osm.pbf").read_bytes() == PBF.read_bytes()


def test_the_script_refuses_another_extract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make_reykjavik.py", str(PBF), "-o", str(tmp_path / "out.osm.pbf")])
    with pytest.raises(SystemExit, match="another extract"):
        script().main()
    assert not (tmp_path / "out.osm.pbf").exists()


def test_what_counts_as_a_feature() -> None:
    make = script()
    assert make.is_feature({"amenity": "school"})
    assert make.is_feature({"landuse": "industrial"})
    assert make.is_feature({"landuse": "grass", "leisure": "park"})
    assert not make.is_feature({"landuse": "grass"})
    assert not make.is_feature({"natural": "water"})


def test_the_margin_is_in_metres() -> None:
    make = script()
    grown = make.grow(shapely.box(-22, 64, -21.9, 64.1), 1000.0)
    assert grown.bounds[3] - 64.1 == pytest.approx(1000 / 111_400, rel=0.02)
