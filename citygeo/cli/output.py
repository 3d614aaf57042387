"""The end of a run: files, then the table or the JSON document, then the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citygeo.cli.report import as_text, path_texts, print_json, print_text, tell_issues

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from citygeo.cli.progress import Progress
    from citygeo.coverage import Coverage


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
        document["files"] = path_texts(_write(coverage, args.out, progress, _title(document)))
    document["seconds"] = round(progress.seconds, 3)
    if args.json:
        print_json(document)
    else:
        print_text(f"{as_text(document, levels=levels)}\n\nTime taken 用时: {document['seconds']:.1f} s")
    tell_issues(document["issues"], is_quiet=args.quiet)


def _title(document: dict[str, Any]) -> tuple[str, str] | None:
    """Return the map's title in English and Chinese, if the place has a name."""
    place, mode, minutes = document.get("place"), document["mode"], f"{document['minutes']:g}"
    if not place or "name_zh" not in place:
        return None
    english = f"{place['name']}: {mode['en'].lower()}, {minutes} minutes"
    return english, f"{place['name_zh']}{mode['zh']}{minutes}分钟覆盖"


def _write(
    coverage: Coverage, folder: Path, progress: Progress, title: tuple[str, str] | None
) -> dict[str, Path]:
    import citygeo as cg

    progress.step(f"writing files to {folder}")
    files = dict(coverage.save(folder))
    progress.step("drawing the map")
    files["map"] = folder / "map.html"
    cg.explore(coverage, title=title).save_html(files["map"])
    return files
