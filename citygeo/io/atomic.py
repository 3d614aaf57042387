"""
Make files and folders whole or absent: beside the final name first, then renamed.

A run killed at any moment, a full disk or an exception leaves the old file, or none; never half of the
new one. Left-over temporary files of processes that no longer live are removed by the next write.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from citygeo.errors import CitygeoError, error

if TYPE_CHECKING:
    from collections.abc import Iterator

_counter = itertools.count()


def make_folder(folder: Path) -> None:
    """
    Make a folder for files, and those above it, if they are missing.

    Raises
    ------
    FileError
        CG-FILE-012 if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise error("CG-FILE-012", path=folder, cause=_cause(cause)) from cause


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """
    Yield a temporary path beside `path`, and put it in place when the block ends well.

    Parameters
    ----------
    path
        The final name. A symbolic link is followed. The temporary name keeps the suffix, because
        drivers choose the format by it.

    Yields
    ------
    The path to write to.

    Raises
    ------
    FileError
        CG-FILE-012 if anything cannot be written; the old file is untouched.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(f"{folder}/note.txt") as tmp:
    ...         _ = tmp.write_text("whole")
    ...     sorted(p.name for p in Path(folder).iterdir())
    ['note.txt']
    """
    final = _final(path)
    tmp = final.with_name(f"{final.stem}.tmp-{os.getpid()}-{next(_counter)}{final.suffix}")
    try:
        if final.is_dir():
            raise error("CG-FILE-012", path=final, cause="it is a folder")
        sweep(final)
        yield tmp
        _sync(tmp)
        tmp.replace(final)
        _sync(final.parent)
    except CitygeoError:
        raise
    except (OSError, sqlite3.Error) as cause:
        raise error("CG-FILE-012", path=final, cause=_cause(cause)) from cause
    finally:
        _remove_with_companions(tmp)


@contextmanager
def atomic_folder(path: str | os.PathLike[str], *, marker: str = "manifest.json") -> Iterator[Path]:
    """
    Yield a temporary folder beside `path`, and put it in place when the block ends well.

    A full folder cannot be replaced in one step: the old one steps aside, the new one moves in, the old
    one is deleted. Killed between the first two, the next write (or sweep) puts the old one back.

    Parameters
    ----------
    path
        The final name of the folder.
    marker
        A file by which a folder is known as one of ours. A non-empty folder without it is never
        replaced: it may hold anything.

    Yields
    ------
    The folder to fill.

    Raises
    ------
    FileError
        CG-FILE-012 if anything cannot be written or `path` is not ours; what stood there is untouched.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_folder(f"{folder}/city.net") as tmp:
    ...         _ = (tmp / "manifest.json").write_text("{}")
    ...     sorted(p.name for p in Path(folder, "city.net").iterdir())
    ['manifest.json']
    """
    final = _final(path)
    tag = f"{os.getpid()}-{next(_counter)}"
    tmp, old = final.with_name(f"{final.name}.tmp-{tag}"), final.with_name(f"{final.name}.old-{tag}")
    try:
        sweep(final)
        _refuse_foreign(final, marker)
        tmp.mkdir()
        yield tmp
        for item in sorted(tmp.rglob("*")):
            _sync(item)
        _sync(tmp)
        if final.exists():
            final.replace(old)
        try:
            tmp.replace(final)
        except OSError:
            if old.exists():
                old.replace(final)
            raise
        _sync(final.parent)
    except CitygeoError:
        raise
    except OSError as cause:
        raise error("CG-FILE-012", path=final, cause=_cause(cause)) from cause
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)


def sweep(path: str | os.PathLike[str]) -> list[Path]:
    """
    Remove what dead processes left beside `path`; put back a folder that stepped aside and was left so.

    Parameters
    ----------
    path
        The final name of a file or folder.

    Returns
    -------
    The paths removed or put back.
    """
    final = _final(path)
    file_like, folder_like = re.escape(final.stem), re.escape(final.name)
    pattern = re.compile(
        rf"{file_like}\.tmp-(?P<pid>\d+)-\d+{re.escape(final.suffix)}(-journal|-wal|-shm)?"
        rf"|{folder_like}\.(tmp|(?P<old>old))-(?P<folder_pid>\d+)-\d+"
    )
    swept = []
    for item in sorted(final.parent.iterdir()):
        match = pattern.fullmatch(item.name)
        if match is None or _is_alive(int(match["pid"] or match["folder_pid"])):
            continue
        if match["old"] and not final.exists():
            item.replace(final)
        elif item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink(missing_ok=True)
        swept.append(item)
    return swept


def _final(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().resolve()


def _is_alive(pid: int) -> bool:
    """Tell whether a process lives; when in doubt (another user's), it does."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _sync(path: Path) -> None:
    """Force a file or folder to disk: the rename must never get there before the bytes."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder; its rename is journalled
    handle = os.open(path, os.O_RDWR if path.is_file() and os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_with_companions(tmp: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        Path(f"{tmp}{suffix}").unlink(missing_ok=True)


def _refuse_foreign(folder: Path, marker: str) -> None:
    """Raise unless `folder` is absent, empty or carries our marker."""
    if folder.is_dir() and not (folder / marker).is_file() and any(folder.iterdir()):
        raise error("CG-FILE-012", path=folder, cause=f"it is a folder without {marker}, not made by citygeo")
    if folder.exists() and not folder.is_dir():
        raise error("CG-FILE-012", path=folder, cause="it is a file, and a folder was asked for")


def _cause(cause: Exception) -> str:
    """Return the reason alone: the message names the final path, not the temporary one."""
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
