"""Whole or absent: after kill -9, a full disk, an exception."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from citygeo.errors import FileError
from citygeo.io.atomic import atomic_folder, atomic_path, make_folder, sweep

ROOT = Path(__file__).parents[2]


def dead_pid() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_file_appears_whole_and_alone(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.tar.gz") as tmp:
        assert tmp.parent == tmp_path
        assert tmp.suffix == ".gz"
        tmp.write_text("x")
        assert not (tmp_path / "a.tar.gz").exists()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.tar.gz", "x")]


@pytest.mark.parametrize("fault", [RuntimeError("mine"), KeyboardInterrupt()])
def test_exception_leaves_the_old_file_and_no_other(tmp_path: Path, fault: BaseException) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with atomic_path(path) as tmp:
            tmp.write_text("half")
            Path(f"{tmp}-journal").write_text("half")
            raise fault

    with pytest.raises(type(fault)):
        write()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with atomic_path(path) as tmp:
            tmp.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp))

    with pytest.raises(FileError, match="CG-FILE-012") as found:
        write()
    assert "No space left on device" in str(found.value)
    assert str(path) in str(found.value)
    assert ".tmp-" not in str(found.value)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_missing_folder_and_folder_as_file_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "a.txt", tmp_path):
        with pytest.raises(FileError, match="CG-FILE-012"), atomic_path(path) as tmp:
            tmp.write_text("x")


def test_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    with atomic_path(link) as tmp:
        tmp.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_sweep_takes_what_the_dead_left_and_nothing_else(tmp_path: Path) -> None:
    dead, alive = dead_pid(), os.getppid()
    kept = [
        f"a.tmp-{alive}-0.gpkg", "a.gpkg", "b.gpkg", f"b.tmp-{dead}-0.gpkg", f"a.tmp-{dead}-0.csv",
        f"aa.tmp-{dead}-0.gpkg", f"a.tmp-{dead}-0.gpkg.bak", "a.tmp-.gpkg",
    ]  # fmt: skip
    gone = [f"a.tmp-{dead}-0.gpkg", f"a.tmp-{dead}-13.gpkg-journal", f"a.tmp-{dead}-1.gpkg-wal"]
    for name in kept + gone:
        (tmp_path / name).write_text("x")
    assert sorted(path.name for path in sweep(tmp_path / "a.gpkg")) == sorted(gone)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_the_next_write_sweeps(tmp_path: Path) -> None:
    (tmp_path / f"a.tmp-{dead_pid()}-0.txt").write_text("half")
    with atomic_path(tmp_path / "a.txt") as tmp:
        tmp.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_two_writers_of_one_file_do_not_share_a_temporary_one(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as one, atomic_path(tmp_path / "a.txt") as two:
        assert one != two
        one.write_text("1")
        two.write_text("2")
    assert (tmp_path / "a.txt").read_text() == "1"


def test_folder_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.net"
    for text in ("old", "new"):
        with atomic_folder(path) as tmp:
            (tmp / "deep").mkdir()
            (tmp / "deep" / "a").write_text(text)
            (tmp / "manifest.json").write_text(text)
    assert [p.name for p in tmp_path.iterdir()] == ["x.net"]
    assert (path / "deep" / "a").read_text() == "new"


def test_folder_that_failed_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.net"
    with atomic_folder(path) as tmp:
        (tmp / "manifest.json").write_text("old")

    def write() -> None:
        with atomic_folder(path) as tmp:
            (tmp / "manifest.json").write_text("new")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(FileError, match="CG-FILE-012"):
        write()
    assert [p.name for p in tmp_path.iterdir()] == ["x.net"]
    assert (path / "manifest.json").read_text() == "old"


def test_failed_last_step_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.net"
    with atomic_folder(path) as tmp:
        (tmp / "manifest.json").write_text("old")
    replace = Path.replace

    def fail_inwards(self: Path, target: Path) -> Path:
        if ".tmp-" in self.name:
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_inwards)
    with pytest.raises(FileError, match="Input/output error"), atomic_folder(path) as tmp:
        (tmp / "manifest.json").write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["x.net"]
    assert (path / "manifest.json").read_text() == "old"


def test_folder_of_somebody_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.doc").write_text("years")
    (tmp_path / "file").write_text("x")
    for name in ("thesis", "file"):
        with pytest.raises(FileError, match="CG-FILE-012"), atomic_folder(tmp_path / name) as tmp:
            (tmp / "manifest.json").write_text("{}")
    assert (tmp_path / "thesis" / "chapter.doc").read_text() == "years"
    assert (tmp_path / "file").read_text() == "x"


def test_sweep_puts_back_a_folder_that_was_left_aside(tmp_path: Path) -> None:
    path, dead = tmp_path / "x.net", dead_pid()
    (tmp_path / f"x.net.old-{dead}-0").mkdir()
    (tmp_path / f"x.net.old-{dead}-0" / "manifest.json").write_text("old")
    (tmp_path / f"x.net.tmp-{dead}-0").mkdir()
    sweep(path)
    assert [p.name for p in tmp_path.iterdir()] == ["x.net"]
    (tmp_path / f"x.net.old-{dead}-1").mkdir()
    sweep(path)
    assert [p.name for p in tmp_path.iterdir()] == ["x.net"]
    assert (path / "manifest.json").read_text() == "old"


WRITERS = {
    "a.gpkg": "write_gpkg(path, {'one': layer, 'two': layer}, {'one': '<qgis/>'})",
    "a.parquet": "write_parquet(path, layer)",
    "a.csv": "write_csv(path, layer)",
    "a.json": "write_json(path, {'rows': list(range(400_000))})",
}
SETUP = """
import sys
sys.path.insert(0, {root!r})
import geopandas as gpd, numpy as np
from pathlib import Path
from citygeo.io.write import *
path = Path({path!r})
n = 30_000
layer = gpd.GeoDataFrame({{"n": np.arange(n)}}, geometry=gpd.points_from_xy(np.arange(n), np.arange(n)), crs=4326)
def write():
    {call}
"""
IS_WHOLE = {
    "a.gpkg": "import sqlite3; c = sqlite3.connect(path); one = lambda query: c.execute(query).fetchone()[0]; "
    "assert one('pragma integrity_check') == 'ok'; "
    "assert [one(f'select count(*) from {t}') for t in ('one', 'two', 'layer_styles')] == [n, n, 1]",
    "a.parquet": "assert len(gpd.read_parquet(path)) == n",
    "a.csv": "import pandas as pd; assert len(pd.read_csv(path)) == n",
    "a.json": "import json; assert len(json.loads(path.read_text())['rows']) == 400_000",
}


@pytest.mark.parametrize("name", WRITERS)
def test_kill_at_any_moment_leaves_a_whole_file_or_none(name: str, tmp_path: Path) -> None:
    """A process writes over and over; it is killed at 6 moments; the file at the final name is always whole."""
    path = tmp_path / name
    setup = SETUP.format(root=str(ROOT), path=str(path), call=WRITERS[name])
    loop = setup + "\nwrite(); print('first', flush=True)\nwhile True: write()"
    for moment in range(6):
        writer = subprocess.Popen([sys.executable, "-c", loop], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"first\n"
        writer.stdout.close()
        time.sleep(0.013 + 0.037 * moment)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert path.exists()
    left = [p for p in tmp_path.iterdir() if p != path]
    check = setup + "\n" + IS_WHOLE[name] + "\nwrite()\n" + IS_WHOLE[name]
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stderr, left)
    assert [p.name for p in tmp_path.iterdir()] == [name]  # the last write swept


@pytest.mark.parametrize("name", WRITERS)
def test_disk_that_fills_up_leaves_the_old_file(name: str, tmp_path: Path) -> None:
    """The system refuses to grow any file beyond 100 kB: each writer says so and the old file stands."""
    path = tmp_path / name
    path.write_text("old")
    setup = SETUP.format(root=str(ROOT), path=str(path), call=WRITERS[name])
    code = setup + textwrap.dedent("""
        import resource
        from citygeo.errors import FileError
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            write()
        except FileError as fault:
            assert fault.code == "CG-FILE-012", fault.code
        else:
            raise SystemExit("written")
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, "old")]


def test_folder_is_made_with_those_above_it_or_refused(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"CG-FILE-012: .*file"):
        make_folder(tmp_path / "file")
