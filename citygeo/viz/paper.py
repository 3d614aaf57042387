"""What pictures for print have in common: their files, fonts, and words in two languages."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo.errors import error
from citygeo.io.atomic import atomic_path
from citygeo.viz import fonts
from citygeo.viz.text import Label

if TYPE_CHECKING:
    import os
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

    from citygeo.issues import IssueLog

FORMATS = ("png", "svg", "pdf")
NORMAL, LARGE = 8.5, 12.0  # points


class Words:
    """Texts as they are drawn, and whether a font has all of their signs."""

    def __init__(self) -> None:
        self.families = fonts.families()
        self.has_chinese = fonts.has_chinese(self.families)
        self.drawn: list[str] = []

    def text(self, label: Label, note: str = "") -> str:
        """Return a text as it is drawn: without Chinese where no font has it, on one line."""
        named = str(label) if self.has_chinese or not label.en else label.en
        whole = "  ".join(part for part in (named, note) if part)
        drawn = "".join(char if char.isprintable() else " " for char in whole)
        self.drawn.append(drawn)
        return drawn

    def heading(self, label: Label) -> str:
        """Return a heading: English, and Chinese on a line of its own."""
        lines = [self.text(Label(label.en))]
        lines += [self.text(Label("", label.zh))] if label.zh and self.has_chinese else []
        return "\n".join(lines)

    def look(self) -> AbstractContextManager[None]:
        """Return matplotlib's settings for these words; equal pictures give equal files."""
        import matplotlib as mpl

        return mpl.rc_context(
            {
                "font.family": self.families,
                "text.usetex": False,
                "svg.fonttype": "none",
                "svg.hashsalt": "citygeo",
            }
        )

    def note(self, log: IssueLog) -> None:
        """Record Chinese text that no font can draw (CG-FONT-001)."""
        if fonts.lacks_chinese(self.families, self.drawn):
            log.add("CG-FONT-001")


def heading_of(title: str | tuple[str, str] | None, own: Label) -> Label:
    """Return the caller's title, or the picture's own."""
    if title is None:
        return own
    return Label(title) if isinstance(title, str) else Label(*title)


def format_of(path: str | os.PathLike[str] | None) -> str:
    """
    Return the format of a picture by the name of its file, "" if none is written.

    Raises
    ------
    FileError
        CG-FILE-012 for any other name.
    """
    if path is None:
        return ""
    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise error("CG-FILE-012", path=path, cause=f"a picture's name ends in .{', .'.join(FORMATS)}")
    return suffix


def new_axes(size: tuple[float, float], *, is_kept: bool) -> Axes:
    """Return the axes of a new figure; one that is only written is not kept open by pyplot."""
    if is_kept:
        from matplotlib import pyplot as plt

        return plt.subplots(figsize=size, layout="constrained")[1]
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").add_subplot()


def write(ax: Axes, path: Path, wanted: str, dpi: int) -> None:
    """Write the figure of the axes, whole or not at all."""
    figure: Any = ax.figure
    # no dates, so that equal results give equal files
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(wanted)
    with atomic_path(path) as tmp, warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from", UserWarning)  # we have said so
        figure.savefig(tmp, format=wanted, dpi=dpi, bbox_inches="tight", pad_inches=0.15, metadata=metadata)
