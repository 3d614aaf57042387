"""Text in columns: Chinese letters are two columns wide, and no name can steer a terminal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
MAX_WIDTH = 36
UNPRINTED = ("Cc", "Cf", "Zl", "Zp", "Cs")


def printable(text: object) -> str:
    """Return text whose control and direction letters are spaces: no name can steer a terminal."""
    return "".join(" " if unicodedata.category(letter) in UNPRINTED else letter for letter in str(text))


def clean(text: object) -> str:
    r"""
    Return text that prints on one line, with single spaces.

    Examples
    --------
    >>> clean("North\x1b[2J\nStreet")
    'North [2J Street'
    """
    return " ".join(printable(text).split())


def width(text: str) -> int:
    """
    Return the number of terminal columns of a text.

    Examples
    --------
    >>> width("People 人口")
    11
    """
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def fit(text: str, columns: int = MAX_WIDTH) -> str:
    """Return the text, cut with an ellipsis if it is wider than `columns`."""
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, widest: int = MAX_WIDTH
) -> str:
    """
    Lay out rows in columns, the first `left` of them flush left, the others flush right.

    Text wider than `widest` terminal columns is cut.

    Examples
    --------
    >>> print(table(["Zone 分区", "People 人口"], [["南山", "1,200"], ["Seltjarnarnes", "4,664"]]))
    Zone 分区      People 人口
    -------------  -----------
    南山                 1,200
    Seltjarnarnes        4,664
    """
    cells = [[fit(clean(cell), widest) for cell in row] for row in (headings, *rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(headings))]
    lines = [
        GAP.join(_padded(cell, widths[i], i < left) for i, cell in enumerate(row)).rstrip() for row in cells
    ]
    return "\n".join([lines[0], GAP.join("-" * columns for columns in widths), *lines[1:]])


def _padded(cell: str, columns: int, flush_left: bool) -> str:  # noqa: FBT001
    space = " " * (columns - width(cell))
    return cell + space if flush_left else space + cell
