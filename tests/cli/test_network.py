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
    figures = {row["figure"]: row for row in document["report"]}
    assert figures["edges"]["value"] == network.n_edges == 2
    assert (figures["imputed_speed_share"]["verdict"], figures["edges"]["look_above"]) == ("ok", None)
    assert [row["highway"] for row in document["speeds"]] == ["residential"]
    assert document["places"] == []
    assert [issue["code"] for issue in document["issues"]] == ["CG-NET-030"]
    # the first run compiles, and says so
    assert "citygeo: CG-NET-030: 1 ways" in err


def test_network_as_text_shows_its_figures(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["network", str(pbf), "-o", str(tmp_path / "toy.net"), "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Fitness of the road network 路网体检: toy.osm.pbf, Fire engine 消防车\n")
    assert "Length of streets 道路长度" in out
    assert f"Network saved to 路网已保存: {tmp_path / 'toy.net'}" in out
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


def test_report_folder_has_map_and_tables(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "report"
    assert main(["network", str(pbf), "--mode", "drive", "--report", str(folder), "--quiet"]) == 0
    out = capsys.readouterr().out
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "components.csv", "issues.csv", "map.html", "places.csv", "report.gpkg", "speeds.csv",
        "strong_components.csv", "table.csv",
    ]  # fmt: skip
    files = out[out.index("Files 文件") :]
    assert files.splitlines()[1].startswith(str(folder / "map.html"))
    for line in files.splitlines()[1:9]:
        # every file says what it holds, in both languages
        assert any("\u4e00" <= letter <= "\u9fff" for letter in line.replace(str(folder), "")), line
    assert "Network saved" not in out
    assert "Fitness of the road network" in (folder / "map.html").read_text("utf-8")


def test_points_are_put_on_the_network(pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "homes.csv").write_text(
        "name,lon,lat\na,114.005,22.5001\nb,114.005,22.53\n", encoding="utf-8"
    )
    command = ["network", str(pbf), "--points", str(tmp_path / "homes.csv"), "--max-snap-m", "50", "--json"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    figures = {row["figure"]: row["value"] for row in document["report"]}
    assert (figures["points"], figures["unsnapped"]) == (2, 1)
    assert document["places"] == [{"problem": "unsnapped", "count": 1}]
    assert "citygeo: CG-NET-013: 1 of 2 points lie farther than 50 m" in err


def test_saved_network_is_examined_again(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "toy.net"
    assert main(["network", str(pbf), "-o", str(saved), "--mode", "drive", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["network", str(saved), "--json"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert "path" not in second
    assert first["report"] == second["report"]
    assert main(["network", str(saved), "--mode", "walk"]) == cli.BAD_INPUT
    assert "CG-IN-004: --mode=walk" in capsys.readouterr().err


def test_box_keeps_part_of_the_streets(pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", str(pbf), "--bbox", "113.9,22.4,114.005,22.6", "--mode", "drive", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bounds"] == [114.0, 22.5, 114.01, 22.5]
    # a box west of Greenwich needs the equals sign; the wrong order is told
    assert main(["network", str(pbf), "--bbox=-1,22,-2,23"]) == cli.BAD_INPUT
    assert "bbox" in capsys.readouterr().err
    assert main(["network", str(pbf), "-o", str(tmp_path / "toy.net"), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["network", str(tmp_path / "toy.net"), "--bbox", "113,22,115,23"]) == cli.BAD_INPUT
    assert "CG-IN-004: --bbox=" in capsys.readouterr().err


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "1,2,3,4,5"])
def test_box_of_another_form_is_wrong_usage(box: str, pbf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", str(pbf), "--bbox", box]) == cli.USAGE
    assert "box W,S,E,N" in capsys.readouterr().err


def test_points_and_folders_that_cannot_be_cost_no_waiting(
    pbf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "toy.net"
    command = ["network", str(pbf), "-o", str(out)]
    assert main([*command, "--points", str(tmp_path / "none.gpkg")]) == cli.BAD_INPUT
    (tmp_path / "file").touch()
    assert main([*command, "--report", str(tmp_path / "file")]) == cli.BAD_INPUT
    err = capsys.readouterr().err
    assert "CG-FILE-001" in err
    assert "CG-FILE-012" in err
    assert not out.exists()
