"""``citygeo network``: a road network of three nodes, built, saved and opened again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import osmium
import pytest

import citygeo as cg
from citygeo import cli
from citygeo.cli import main


@pytest.fixture
def pbf(tmp_path: Path) -> Path:
    """Write a street of two pieces: one with a speed limit, one without."""
    path = tmp_path / "toy.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for number, lon in enumerate((114.0, 114.01, 114.02), 1):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(lon, 22.5)))
        for number, tags in enumerate(({"maxspeed": "50"}, {"oneway": "maybe"}), 1):
            street = {"highway": "residential", "name": "南山路", **tags}
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=[number, number + 1], tags=street))
        # an extract without any relation would look cut
        writer.add_relation(osmium.osm.mutable.Relation(id=1, members=[("w", 1, "")], tags={"type": "route"}))
    return path


def test_network_is_built_saved_and_described(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "toy.net"
    assert main(["network", str(pbf), "-o", str(out), "--mode", "drive", "--json"]) == 0
    text, err = capsys.readouterr()
    document = json.loads(text)
    network = cg.RoadNetwork.load(out)
    assert (network.mode.name, document["mode"]) == ("drive", "drive")
    assert document["path"] == str(out)
    assert document["bounds"] == [114.0, 22.5, 114.02, 22.5]
    figures = {row["figure"]: row["value"] for row in document["report"]}
    assert figures["edges"] == network.n_edges == 2
    assert [issue["code"] for issue in document["issues"]] == ["CG-NET-030"]
    # the first run compiles, and says so
    assert "citygeo: CG-NET-030: 1 ways" in err


def test_network_as_text_shows_its_figures(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["network", str(pbf), "-o", str(tmp_path / "toy.net"), "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Road network 路网: toy.osm.pbf, fire_engine\n")
    assert "Length of streets 道路长度" in out
    assert "…" not in out
    assert err == ""


def test_reader_that_has_seen_enough_is_no_error(pbf: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "citygeo", "network", pbf.name, "-o", "toy.net", "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(Path(cg.__file__).parents[1])}
    done = subprocess.run(
        command, cwd=pbf.parent, env=environment, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert (pbf.parent / "toy.net").is_dir()


def test_no_file_name_steers_the_terminal(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = pbf.rename(pbf.with_name("ev\x1b[31mil\x1b]0;PWN\x07.osm.pbf"))
    assert main(["network", str(hostile), "-o", str(tmp_path / "a\x1b[2Jb.net")]) == 0
    assert not {"\x1b", "\x07"} & set("".join(capsys.readouterr()))


def test_unknown_mode_is_bad_input_and_writes_nothing(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["network", str(pbf), "-o", str(tmp_path / "toy.net"), "--mode", "hovercraft"]) == cli.BAD_INPUT
    )
    assert capsys.readouterr().err.startswith("citygeo: CG-NET-040: ")
    assert not (tmp_path / "toy.net").exists()
