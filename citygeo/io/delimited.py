"""Read CSV tables as text first, so that codes keep their zeros and cells their digits."""

from __future__ import annotations

import codecs
import io
import warnings
from typing import TYPE_CHECKING

import pandas as pd

from citygeo.errors import error
from citygeo.io.formats import UTF16_STARTS

if TYPE_CHECKING:
    from pathlib import Path

    from citygeo.issues import IssueLog

SEPARATORS = (",", ";", "\t")
# what bureaus and spreadsheets write for "no value"; "NA" and "None" are left alone, they are also names
MISSING = ("", "NaN", "nan", "NULL", "null", "N/A", "n/a", "#N/A")


def read_table(path: Path, encoding: str | None, issues: IssueLog) -> pd.DataFrame:
    """
    Read a CSV file; comma, semicolon or tab, as its first line has it.

    Parameters
    ----------
    path
        The file.
    encoding
        A Python codec; None tries UTF-8 (and UTF-16 with its mark), then GB18030.
    issues
        Takes CG-ENC-001 if it was read as GB18030 unasked.

    Returns
    -------
    One row per line; a column is numeric if every value in it is, and no code in it begins with 0.

    Raises
    ------
    FileFormatError
        CG-FILE-007 if the text or the table cannot be read.
    """
    text = _text(path, encoding, issues)
    lines = text.splitlines()
    if not lines or not text.strip():
        raise error("CG-IN-001", layer=path.name)
    separator = max(SEPARATORS, key=lines[0].count)
    try:
        with warnings.catch_warnings():
            # pandas only warns when rows are longer than the header, and shifts or drops values
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(text),
                sep=separator,
                dtype=str,
                index_col=False,
                keep_default_na=False,
                na_values=list(MISSING),
                skipinitialspace=True,
            )
    except (ValueError, pd.errors.ParserWarning) as cause:
        raise _damaged(path, str(cause).strip()) from cause
    table.columns = table.columns.str.strip()
    return table.apply(_numeric_if_numbers)


def _text(path: Path, encoding: str | None, issues: IssueLog) -> str:
    raw = path.read_bytes()
    if encoding is None and raw.startswith(UTF16_STARTS):
        encoding = "utf-16"  # the spreadsheet's "Unicode text"
    for codec in (encoding,) if encoding else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        if encoding is None and codec == "gb18030":
            issues.add("CG-ENC-001", path=path.name)
        return text.removeprefix(codecs.BOM_UTF8.decode())
    raise _damaged(path, f"its text is not {encoding or 'UTF-8 or GB18030'}; pass the right encoding=")


def _numeric_if_numbers(column: pd.Series[str]) -> pd.Series[str] | pd.Series[float]:
    """Return the column as numbers, or as it is if any value is none or would lose its first zeros."""
    filled = column.dropna()
    if filled.empty or filled.str.match(r"[+-]?0\d").any():
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers if numbers.notna().sum() == len(filled) else column


def _damaged(path: Path, cause: str) -> Exception:
    return error("CG-FILE-007", path=path.name, expected="a CSV table", cause=cause)
