"""The program: arguments, exit codes, and what goes to stdout and stderr."""

from __future__ import annotations

import json
import os
import string
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import citygeo as cg
from citygeo import cli
from citygeo._kernels import _jit
from citygeo._kernels._jit import Compiled
from citygeo.cli import main, warmup
from citygeo.errors import CitygeoError, CitygeoWarning, error, messages
from tests.cli.fakes import fake_coverage, fake_explore

PROGRAM = [sys.executable, "-m", "citygeo"]


@pytest.fixture
def toytown(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the sample city and the computation; return the arguments of the call to coverage."""
    called: dict[str, Any] = {}

    def coverage(network: object, facilities: object, **options: Any) -> Any:
        called.update(network=network, facilities=facilities, **options)
        warnings.warn("CG-NET-013: 1 of 2\nCG-GEO-002: none", CitygeoWarning, stacklevel=2)
        return fake_coverage(minutes=options["minutes"])

    city = SimpleNamespace(
        name="Toytown", name_zh="玩具城", stations="stations", zones={}, buildings="buildings",
        people="people", study_area="study area", network=lambda mode: f"network of {mode}",
    )  # fmt: skip
    monkeypatch.setitem(vars(cg), "datasets", SimpleNamespace(reykjavik=lambda: city))
    monkeypatch.setitem(vars(cg), "coverage", coverage)
    monkeypatch.setitem(vars(cg), "explore", fake_explore)
    return called


# --- demo -----------------------------------------------------------------------------------------


def test_demo_prints_the_table_and_writes_the_files(
    tmp_path: Path, toytown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert "8,530" in out
    assert "By municipality" in out
    assert "By district" not in out
    assert "Time taken" in out
    assert str(tmp_path / "out" / "map.html") in out
    assert err == "citygeo: CG-NET-013: 1 of 2 facilities lie farther than 200 m: b.\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "coverage.gpkg",
        "map.html",
        "zones.csv",
    ]
    assert toytown == {
        "network": "network of fire_engine", "facilities": "stations", "demand": "people", "minutes": 5.0,
        "direction": "from", "zones": {}, "buildings": "buildings", "study_area": "study area",
    }  # fmt: skip


def test_demo_json_is_one_document_with_the_same_numbers(
    tmp_path: Path, toytown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--out", str(tmp_path), "--json", "--minutes", "8"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["minutes"] == toytown["minutes"] == 8
    assert document["place"] == {"name": "Toytown", "name_zh": "玩具城"}
    assert document["measures"][1]["covered"] == 8530
    assert document["files"]["map"] == str(tmp_path / "map.html")
    assert document["seconds"] >= 0
    assert "unverified" in document["note"]


@pytest.mark.usefixtures("toytown")
def test_quiet_demo_leaves_stderr_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path), "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_warnings_outside_the_result_are_one_line_each(
    toytown: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def explore(coverage: object, *, title: tuple[str, str] | None = None) -> Any:
        warnings.warn("CG-RUN-002: No folder for compiled code\nis writable.", CitygeoWarning, stacklevel=2)
        return fake_explore(coverage, title=title)

    monkeypatch.setitem(vars(cg), "explore", explore)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["demo", "--out", str(tmp_path)]) == 0
    assert toytown
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "citygeo: warning: CG-RUN-002: No folder for compiled code is writable."
    assert len(lines) == 2


def test_output_folder_that_is_a_file_is_refused_before_any_work(
    tmp_path: Path, toytown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("x")
    assert main(["demo", "--out", str(tmp_path / "taken")]) == cli.BAD_INPUT
    assert capsys.readouterr().err.startswith("citygeo: CG-FILE-012: ")
    assert toytown == {}


def test_warmup_counts_kernels_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[object] = []
    kernels = [
        Compiled("search.search", [()], 1, is_inner=False),
        Compiled("search._slot", [(), ()], 2, is_inner=True),
        Compiled("parts.reached_parts", [()], 0, is_inner=False),
    ]
    monkeypatch.setattr(warmup, "exercise", done.append)
    monkeypatch.setattr(_jit, "compiled_kernels", lambda: kernels)
    monkeypatch.chdir(tmp_path)
    assert main(["warmup"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Ready: 2 kernels, 1 of them compiled now 计算内核已就绪: 共 2 个, 本次编译 1 个 (")
    assert err == ""
    assert main(["warmup", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.pop("seconds") >= 0
    assert document == {"command": "warmup", "kernels": 2, "compiled": 1}
    assert len(done) == 2
    assert list(tmp_path.iterdir()) == []


# --- exit codes -----------------------------------------------------------------------------------


def fail(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    def reykjavik() -> None:
        raise problem

    monkeypatch.setitem(vars(cg), "datasets", SimpleNamespace(reykjavik=reykjavik))


@pytest.mark.parametrize("code", [code for code, entry in messages().items() if entry.severity == "error"])
def test_every_error_is_one_line_and_its_exit_code(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = error(code, **_anything(code))
    fail(monkeypatch, problem)
    expected = {"LimitError": cli.LIMIT, "MissingExtraError": cli.MISSING_EXTRA, "RunError": cli.BUG}
    assert main(["demo", "--out", str(tmp_path)]) == expected.get(messages()[code].error, cli.BAD_INPUT)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"citygeo: {code}: ")
    assert err.count("\n") == 1


def _anything(code: str) -> dict[str, object]:
    """Return hostile data for every placeholder of a message."""
    entry = messages()[code]
    fields = [field for text in entry for _, field, _, _ in string.Formatter().parse(text) if field]
    return dict.fromkeys(fields, "two\nlines\x1b[2J")


@pytest.mark.parametrize(
    ("problem", "code", "line"),
    [
        (KeyboardInterrupt(), cli.STOPPED, "citygeo: stopped\n"),
        (MemoryError(), cli.LIMIT, "citygeo: out of memory; use a smaller extract or a coarser grid\n"),
    ],
)
def test_stop_and_memory_have_their_own_codes(
    problem: BaseException,
    code: int,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail(monkeypatch, problem)
    assert main(["demo", "--out", str(tmp_path)]) == code
    assert capsys.readouterr() == ("", line)


def test_bug_is_one_line_and_debug_shows_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(monkeypatch, ZeroDivisionError("division by zero"))
    assert main(["demo", "--out", str(tmp_path)]) == cli.BUG
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "ZeroDivisionError" in err
    assert main(["demo", "--out", str(tmp_path), "--debug"]) == cli.BUG
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["demo", "--minutes", "five"],
        ["demo", "--nonsense"],
        ["coverage", "a.pbf"],
        ["network"],
        ["network", "a.pbf", "--bbox", "1,2,3"],
    ],
)
def test_wrong_usage_is_code_2_and_leaves_stdout_empty(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == cli.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "usage: citygeo" in err


def test_version_and_help_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"citygeo {cg.__version__}\n"
    for command in cli.COMMANDS:
        assert main([command.NAME, "--help"]) == 0
        assert "--json" in capsys.readouterr().out


def test_missing_extra_is_a_citygeo_error() -> None:
    # the exit codes tell errors apart by class, so the classes must stay apart
    problem = error("CG-DEP-001", package="pyarrow", extra="parquet", purpose="Reading")
    assert isinstance(problem, CitygeoError)
    assert cli._judge(problem)[0] == cli.MISSING_EXTRA


# --- as a process ---------------------------------------------------------------------------------


def test_module_runs_and_loads_nothing_heavy_for_its_version() -> None:
    code = (
        "import sys; from citygeo.cli import main; main(['--version']); "
        "print(sorted({'numpy', 'pandas', 'geopandas', 'numba', 'folium', 'h3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"citygeo {cg.__version__}", "[]"]
    assert done.stderr == ""
    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"citygeo {cg.__version__}\n"


def test_error_of_a_process_is_one_line_and_its_code(tmp_path: Path) -> None:
    command = [*PROGRAM, "network", "no-such.osm.pbf", "-o", "a.net"]
    done = run(command, tmp_path)
    assert done.returncode == cli.BAD_INPUT
    assert done.stdout == ""
    assert done.stderr.startswith("citygeo: CG-FILE-001: no-such.osm.pbf")
    assert done.stderr.count("\n") == 1


def test_terminal_without_chinese_gets_escapes_not_a_traceback(tmp_path: Path) -> None:
    command = [*PROGRAM, "network", "消防.osm.pbf", "-o", "a.net"]
    done = run(command, tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == cli.BAD_INPUT
    assert "\\u6d88" in done.stderr


def test_reader_that_has_seen_enough_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*PROGRAM, "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with the package of this tree."""
    root = str(Path(cg.__file__).parents[1])
    variables = os.environ | {"PYTHONPATH": root} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=variables)
