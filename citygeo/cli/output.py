"""The end of a run: files, then the table or the JSON document, then the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citygeo.cli.report import as_text, path_texts, print_json, print_text, tell_issues
from citygeo.errors import error

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from citygeo.cli.progress import Progress
    from citygeo.coverage import Coverage


def prepare_folder(folder: Path) -> None:
    """
    Make the folder for the files before the work begins, so that a wrong name costs no waiting.

    Raises
    ------
    FileError
        CG-FILE-012 if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise error("CG-FILE-012", path=folder, cause=cause.strerror or str(cause)) from cause


def finish(
    coverage: Coverage,
    document: dict[str, Any],
    args: argparse.Namespace,
    progress: Progress,
    *,
    levels: Sequence[str] | None = None,
) -> None:
    """Write the files if a folder was given, print the document as asked, and the findings."""
    if args.out is not None:
        document["files"] = path_texts(_write(coverage, args.out, progress))
    document["seconds"] = round(progress.seconds, 3)
    if args.json:
        print_json(document)
    else:
        print_text(f"{as_text(document, levels=levels)}\n\nTime taken 用时: {document['seconds']:.1f} s")
    tell_issues(document["issues"], is_quiet=args.quiet)


def _write(coverage: Coverage, folder: Path, progress: Progress) -> dict[str, Path]:
    import citygeo as cg

    progress.step(f"writing files to {folder}")
    files = dict(coverage.save(folder))
    progress.step("drawing the map")
    files["map"] = folder / "map.html"
    cg.explore(coverage).save_html(files["map"])
    return files
