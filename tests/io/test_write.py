"""Files are whole or absent, and hold what tables hold, whatever happens on the way."""

from __future__ import annotations

import errno
import json
import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import citygeo
from citygeo.errors import CitygeoError
from citygeo.io import atomic
from citygeo.io.write import atomic_folder, write_csv, write_gpkg, write_json, write_parquet
from citygeo.io.write import write_text as write_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIXES = ("gpkg", "parquet", "csv", "json")
ROWS = 400
ROOT = Path(citygeo.__file__).parents[1]


def places(value: Any, rows: int = ROWS) -> gpd.GeoDataFrame:
    points = shapely.points(np.arange(rows) / 100, np.zeros(rows))
    return gpd.GeoDataFrame({"v": [value] * rows}, geometry=points, crs=4326)


def write(path: Path, value: int, rows: int = ROWS) -> None:
    """Write a file that says one value many times, in the format of its suffix."""
    layer = places(value, rows)
    if path.suffix == ".gpkg":
        write_gpkg(path, {"layer": layer}, {"layer": "<qgis/>"})
    elif path.suffix == ".parquet":
        write_parquet(path, layer)
    elif path.suffix == ".csv":
        write_csv(path, layer)
    else:
        write_json(path, {"v": layer["v"].tolist()})


def read(path: Path) -> list[int]:
    """Return the values of a file, all of them; fails on a broken one."""
    if path.suffix == ".gpkg":
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("SELECT count(*) FROM layer_styles").fetchone() == (1,)
        values = gpd.read_file(path, layer="layer")["v"]
    elif path.suffix == ".parquet":
        values = gpd.read_parquet(path)["v"]
    elif path.suffix == ".csv":
        values = pd.read_csv(path)["v"]
    else:
        values = pd.Series(json.loads(path.read_text(encoding="utf-8"))["v"])
    return [int(value) for value in values]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def code_and_text(work: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(CitygeoError) as caught:
        work()
    return caught.value.code, str(caught.value)


# --- killed -----------------------------------------------------------------------------------------

KILLS = """
import itertools, os, pathlib, signal, sys, time
from tests.io.test_write import SUFFIXES, write

folder = pathlib.Path(sys.argv[1])
for suffix in SUFFIXES:  # load everything once, so that every child begins to write at once
    write(folder / f"warm.{suffix}", 0)
for kill, suffix in itertools.product(range(int(sys.argv[2])), SUFFIXES):
    path = folder / f"{kill}.{suffix}"
    write(path, 0)
    child = os.fork()
    if not child:
        for value in itertools.count(1):
            write(path, value)
    time.sleep(0.03 + 0.017 * kill)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs fork and kill -9")
def test_killed_in_the_middle_of_a_write_leaves_a_whole_file(tmp_path: Path) -> None:
    kills = 6
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLS, str(tmp_path), str(kills)], check=True, cwd=ROOT
    )
    for path in [tmp_path / f"{kill}.{suffix}" for kill in range(kills) for suffix in SUFFIXES]:
        values = read(path)
        assert len(values) == ROWS
        assert len(set(values)) == 1, path.name
    # the kills did hit writes, and the next write removes what they left
    left = {name for name in names_in(tmp_path) if ".tmp-" in name}
    assert left
    for path in [tmp_path / f"{kill}.{suffix}" for kill in range(kills) for suffix in SUFFIXES]:
        write(path, 7, rows=1)
    assert not any(".tmp-" in name for name in names_in(tmp_path))


# --- failed -----------------------------------------------------------------------------------------


@contextmanager
def full_disk() -> Iterator[None]:
    """
    Let no file grow beyond 4 kB: writers meet the error in the middle, as on a full disk.

    No fixture: pytest itself writes its log while fixtures stand, and would die of the limit.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write(path, 1)
    before = path.read_bytes()
    with full_disk():
        code, text = code_and_text(lambda: write(path, 2, rows=20_000))
    assert code == "CG-FILE-012"
    assert str(path) in text
    assert ".tmp-" not in text
    assert path.read_bytes() == before
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_error_at_the_last_moment_leaves_the_old_file_and_names_the_reason(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.{suffix}"
    write(path, 1)

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", fail)
    code, text = code_and_text(lambda: write(path, 2))
    assert (code, "No space left on device" in text) == ("CG-FILE-012", True)
    assert set(read(path)) == {1}
    assert names_in(tmp_path) == [path.name]


def test_only_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    dead = [f"a.tmp-{gone.pid}-0.gpkg", f"a.tmp-{gone.pid}-0.gpkg-journal"]
    kept = [f"a.tmp-{os.getppid()}-0.gpkg", f"b.tmp-{gone.pid}-0.gpkg", "a.tmp-x-0.gpkg"]
    for name in [*dead, *kept]:
        (tmp_path / name).touch()
    write(tmp_path / "a.gpkg", 1)
    assert names_in(tmp_path) == sorted([*kept, "a.gpkg"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_folder_that_is_missing_or_in_the_way_is_an_error_of_ours(tmp_path: Path, suffix: str) -> None:
    assert code_and_text(lambda: write(tmp_path / "no" / f"a.{suffix}", 1))[0] == "CG-FILE-012"
    (tmp_path / f"a.{suffix}").mkdir()
    code, text = code_and_text(lambda: write(tmp_path / f"a.{suffix}", 1))
    assert (code, "it is a folder" in text) == ("CG-FILE-012", True)


def test_what_a_driver_refuses_is_an_error_of_ours_with_its_cause(tmp_path: Path) -> None:
    tiny = places(np.float16(1.5), 2).astype({"v": np.float16})
    with pytest.raises(CitygeoError, match=r"CG-FILE-012: .*float16") as caught:
        write_gpkg(tmp_path / "a.gpkg", {"a": tiny})
    chain = [caught.value.__cause__, caught.value.__cause__ and caught.value.__cause__.__cause__]
    assert [type(link) for link in chain] == [OSError, NotImplementedError]
    assert code_and_text(lambda: write_plain(tmp_path / "a.txt", "\ud800"))[0] == "CG-FILE-012"
    assert code_and_text(lambda: write_gpkg(tmp_path / "a.gpkg", {}))[0] == "CG-FILE-012"
    assert names_in(tmp_path) == []


def test_layer_without_crs_is_refused(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(0, 0)])
    assert code_and_text(lambda: write_gpkg(tmp_path / "a.gpkg", {"a": layer}))[0] == "CG-CRS-001"


# --- folders ----------------------------------------------------------------------------------------


def fill(path: Path, **files: str) -> None:
    with atomic_folder(path) as tmp:
        for name, text in files.items():
            (tmp / name.replace("_", ".")).write_text(text)


def test_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    fill(tmp_path / "a.net", manifest_json="1", old_npy="1")
    fill(tmp_path / "a.net", manifest_json="2", new_npy="2")
    assert names_in(tmp_path / "a.net") == ["manifest.json", "new.npy"]
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "a.net") as tmp:
        (tmp / "manifest.json").write_text(str(1 / (tmp / "manifest.json").write_text("")))
    assert (tmp_path / "a.net" / "manifest.json").read_text() == "2"
    assert names_in(tmp_path) == ["a.net"]


def test_folder_of_somebody_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").touch()
    assert code_and_text(lambda: fill(tmp_path / "photos", manifest_json="1"))[0] == "CG-FILE-012"
    assert names_in(tmp_path / "photos") == ["me.jpg"]
    (tmp_path / "file").touch()
    assert code_and_text(lambda: fill(tmp_path / "file", manifest_json="1"))[0] == "CG-FILE-012"


# --- CSV and JSON -----------------------------------------------------------------------------------


def test_csv_opens_in_a_spreadsheet_and_runs_nothing(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "厦门", "a=1", None]
    table = pd.DataFrame(
        {"=name": texts, "n": -1.5, "mixed": pd.Series([-1, "b", *[None] * 9], dtype=object)}
    )
    write_csv(tmp_path / "a.csv", table)
    assert (tmp_path / "a.csv").read_bytes().startswith("\ufeff'=name,n,mixed\n".encode())
    back = pd.read_csv(tmp_path / "a.csv", encoding="utf-8-sig", keep_default_na=False)
    assert back["'=name"].tolist() == [
        *(f"'{text}".replace("\r", "\n") for text in texts[:8] if text),
        "厦门",
        "a=1",
        "",
    ]
    assert set(back["n"]) == {-1.5}
    assert back["mixed"].tolist()[:3] == ["'-1", "b", ""]
    write_csv(tmp_path / "a.csv", table, excel_safe=False)
    assert pd.read_csv(tmp_path / "a.csv")["=name"][0] == "=1+1"


def test_csv_has_cells_as_text_the_index_first_and_no_geometry(tmp_path: Path) -> None:
    layer = places("x", 2).set_index(pd.Index(np.array([0x8907B0D2E63FFFF, 1], np.uint64), name="h3_cell"))
    write_csv(tmp_path / "a.csv", layer)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8-sig") == "h3_cell,v\n8907b0d2e63ffff,x\n1,x\n"
    write_csv(tmp_path / "a.csv", pd.DataFrame({"h3_cell": [0x8907B0D2E63FFFF, None]}, dtype=object))
    assert pd.read_csv(tmp_path / "a.csv", skip_blank_lines=False)["h3_cell"].dropna().tolist() == [
        "8907b0d2e63ffff"
    ]


def test_json_is_strict_and_refuses_what_has_no_form(tmp_path: Path) -> None:
    document = {
        1: np.float64("nan"),
        "到": {np.int64(2)},
        "p": Path("a"),
        "t": (1, float("inf")),
        "b": np.True_,
    }
    write_json(tmp_path / "a.json", document)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"1": None, "到": [2], "p": "a", "t": [1, None], "b": True}
    assert "到" in text
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"x": object()})


# --- what tables hold -------------------------------------------------------------------------------

INF, NAN = np.inf, np.nan
HELD: dict[str, tuple[pd.Series[Any], list[Any]]] = {
    "labels": (pd.Series(["a", 1, 2.5, "b"], dtype=object), ["a", "1", "2.5", "b"]),
    "tuples": (pd.Series([("a", 1), ("b", (2, None)), None, "c"]), ['["a", 1]', '["b", [2, null]]', None, "c"]),
    "json": (pd.Series([{"a": 1}, [1, "二"], {2}, shapely.Point(1, 2)]),
             ['{"a": 1}', '[1, "二"]', "[2]", "POINT (1 2)"]),
    "numbers": (pd.Series([1, 2.5, None, INF], dtype=object), [1, 2.5, None, INF]),
    "integers": (pd.Series([1, None, -3, 4], dtype=object), [1, None, -3, 4]),
    "truth": (pd.Series([True, None, False, True], dtype=object), [True, None, False, True]),
    "floats": (pd.Series([INF, -INF, NAN, 0.1]), [INF, -INF, None, 0.1]),
    "texts": (pd.Series(["a", None, pd.NA, ""], dtype=object), ["a", None, None, ""]),
    "nothing": (pd.Series([None] * 4, dtype=object), [None] * 4),
    "classes": (pd.Series(["a", 1, None, "a"], dtype=object).astype("category"), ["a", "1", None, "a"]),
    "unsigned": (pd.Series([1, 2, 3, 2**63 - 1], dtype=np.uint64), [1, 2, 3, 2**63 - 1]),
    "huge": (pd.Series([10**30, 1, 2, None], dtype=object), [str(10**30), "1", "2", None]),
    "half characters": (pd.Series(["\ud800", "b", "c", None], dtype=object), ["\\ud800", "b", "c", None]),
    "durations": (pd.Series(pd.to_timedelta([60] * 4, unit="s")), ["0 days 00:01:00"] * 4),
}  # fmt: skip


@pytest.mark.parametrize("kind", HELD)
@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_columns_of_every_kind_are_written_by_one_rule(tmp_path: Path, suffix: str, kind: str) -> None:
    column, expected = HELD[kind]
    layer = places(0, 4).assign(v=column)
    before = layer.copy()
    path = tmp_path / f"a.{suffix}"
    if suffix == "gpkg":
        write_gpkg(path, {"a": layer})
        back = gpd.read_file(path)["v"]
    else:
        write_parquet(path, layer)
        back = gpd.read_parquet(path)["v"]
    assert [None if pd.isna(value) else value for value in back] == expected
    pd.testing.assert_frame_equal(pd.DataFrame(layer), pd.DataFrame(before))


def test_integers_that_sqlite_cannot_hold_become_text_there_only(tmp_path: Path) -> None:
    layer = places(0, 2).assign(v=np.array([1, 2**64 - 1], np.uint64))
    write_gpkg(tmp_path / "a.gpkg", {"a": layer})
    assert gpd.read_file(tmp_path / "a.gpkg")["v"].tolist() == ["1", str(2**64 - 1)]
    write_parquet(tmp_path / "a.parquet", layer)
    assert gpd.read_parquet(tmp_path / "a.parquet")["v"].tolist() == [1, 2**64 - 1]


def test_labels_of_every_kind_are_written(tmp_path: Path) -> None:
    mixed = places(0, 2).set_index(pd.Index(["a", 1], name="id"))
    several = places(0, 2).set_index(pd.MultiIndex.from_tuples([("a", 1), (2, 3)], names=["v", None]))
    for name, layer in {"mixed": mixed, "several": several}.items():
        write_parquet(tmp_path / f"{name}.parquet", layer)
        write_csv(tmp_path / f"{name}.csv", layer)
    write_gpkg(tmp_path / "a.gpkg", {"mixed": mixed, "several": several})
    assert gpd.read_parquet(tmp_path / "mixed.parquet").index.tolist() == ["a", "1"]
    assert gpd.read_parquet(tmp_path / "several.parquet").index.tolist() == [("a", 1), ("2", 3)]
    assert gpd.read_file(tmp_path / "a.gpkg", layer="mixed")["id"].tolist() == ["a", "1"]
    back = gpd.read_file(tmp_path / "a.gpkg", layer="several")
    assert back.columns.tolist() == ["v_2", "index", "v", "geometry"]
    assert back["v_2"].tolist() == ["a", "2"]
    assert (tmp_path / "several.csv").read_text(encoding="utf-8-sig") == "v_2,index,v\na,1,0\n2,3,0\n"


def test_names_of_columns_stay_apart(tmp_path: Path) -> None:
    layer = places(0, 1).assign(V=1, fid=2, geom=3)
    layer.insert(0, "v", 4, allow_duplicates=True)
    layer.insert(0, 5, 6)
    layer["second"] = gpd.GeoSeries([shapely.Point(7, 8)], crs=4326)
    write_gpkg(tmp_path / "a.gpkg", {"a": layer})
    row = gpd.read_file(tmp_path / "a.gpkg").drop(columns="geometry").iloc[0].to_dict()
    assert row == {"5": 6, "v": 4, "v_2": 0, "V_3": 1, "fid_2": 2, "geom_2": 3, "second": "POINT (7 8)"}
    write_parquet(tmp_path / "a.parquet", layer)
    assert gpd.read_parquet(tmp_path / "a.parquet").columns.tolist() == [
        "5", "v", "v_2", "geometry", "V", "fid", "geom", "second"
    ]  # fmt: skip


# --- GeoPackage -------------------------------------------------------------------------------------


def rows_of(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_gpkg_opens_styled_in_qgis(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    table = pd.DataFrame({"n": [1]})
    write_gpkg(
        path, {"cells": places(0, 1), "车站": places(1, 2), "table": table}, {"车站": "<b/>", "cells": "<a/>"}
    )
    query = "SELECT f_table_name, f_geometry_column, styleName, styleQML, useAsDefault FROM layer_styles"
    assert rows_of(path, query) == [
        ("车站", "geom", "车站", "<b/>", 1),
        ("cells", "geom", "cells", "<a/>", 1),
    ]
    assert rows_of(path, "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'") == [
        ("attributes",)
    ]
    assert rows_of(path, "PRAGMA user_version") == [(10200,)]
    assert set(gpd.list_layers(path)["name"]) == {"cells", "车站", "table", "layer_styles"}


def test_hostile_and_similar_names_of_layers_are_written(tmp_path: Path) -> None:
    names = ['a"b', "x'; DROP TABLE gpkg_contents; --", "City", "city", "layer_styles", "[x]"]
    layers = {name: places(number, number + 1) for number, name in enumerate(names)}
    write_gpkg(tmp_path / "a.gpkg", layers, {name: f"<{number}/>" for number, name in enumerate(names)})
    written = ['a"b', "x'; DROP TABLE gpkg_contents; --", "City", "city_2", "layer_styles_2", "_[x]"]
    styles = dict(rows_of(tmp_path / "a.gpkg", "SELECT f_table_name, styleQML FROM layer_styles"))
    for number, name in enumerate(written):
        assert gpd.read_file(tmp_path / "a.gpkg", layer=name)["v"].tolist() == [number] * (number + 1)
        assert styles[name] == f"<{number}/>"


def test_rows_that_the_driver_lost_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyogrio

    whole = pyogrio.write_dataframe
    monkeypatch.setattr(
        pyogrio, "write_dataframe", lambda rows, *args, **options: whole(rows[:-1], *args, **options)
    )
    code, text = code_and_text(lambda: write_gpkg(tmp_path / "a.gpkg", {"a": places(0, 3)}))
    assert (code, "2 of 3 rows of a" in text) == ("CG-FILE-012", True)
    assert names_in(tmp_path) == []
