"""
The traps of shapefiles: parts that are missing or cut, and text whose encoding nobody states.

GDAL answers a cut ``.shp`` with empty geometries, a missing ``.dbf`` with no columns and GBK text with
wrong letters, all without error.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from citygeo.errors import error

if TYPE_CHECKING:
    from pathlib import Path

    from citygeo.issues import IssueLog

# every byte is one letter of it, so text read this way can be turned back into the bytes of the file
RAW = "ISO-8859-1"
SNIFFED = ("utf-8", "gb18030")
HEADER_BYTES = 100  # of .shp and .shx
# a field too narrow for its text cuts it mid-letter; shorter texts than this are taken as whole, so that a
# name of one GBK letter is not read as the first half of a UTF-8 one
CUT_FROM_BYTES = 8


def check_parts(path: Path) -> None:
    """
    Raise unless the parts of a shapefile are there and whole.

    Parameters
    ----------
    path
        The ``.shp`` file; its signature has been checked.

    Raises
    ------
    FileFormatError
        CG-FILE-007 if ``.shx`` or ``.dbf`` is missing, or a part is shorter than its header says.
    """
    for part in (path, _part(path, ".shx"), _part(path, ".dbf")):
        with part.open("rb") as file:
            header = file.read(32)
        size, stated = part.stat().st_size, _stated_bytes(part, header)
        if size < stated:
            raise _damaged(path, f"{part.name} ends at byte {size} of {stated}")


def _stated_bytes(part: Path, header: bytes) -> int:
    """Return how long a part should be by its own header."""
    if part.suffix.lower() != ".dbf":
        return max(2 * int.from_bytes(header[24:28], "big"), HEADER_BYTES)  # it counts 16-bit words
    n_rows, header_size, row_size = (
        int.from_bytes(header[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12))
    )
    return max(header_size + n_rows * row_size, 32)


def _part(path: Path, suffix: str) -> Path:
    part = _beside(path, suffix)
    if part is None:
        raise _damaged(path, f"{path.stem}{suffix} is missing beside it")
    return part


def decode(table: pd.DataFrame, path: Path, encoding: str | None, issues: IssueLog) -> pd.DataFrame:
    """
    Turn text that was read as `RAW` into the text meant.

    Parameters
    ----------
    table
        The rows, text read byte for byte.
    path
        The ``.shp`` file, beside which a ``.cpg`` may name the encoding.
    encoding
        The caller's word, which wins over the ``.cpg``.
    issues
        Takes CG-ENC-001 if the encoding had to be guessed and is not UTF-8.

    Returns
    -------
    The same rows with names and text decoded.

    Raises
    ------
    FileFormatError
        CG-FILE-007 if the text is in none of the encodings tried.
    """
    columns = [name for name in table.columns if _is_text(table[name].dtype)]
    texts = {text for name in columns for text in table[name].unique() if isinstance(text, str)}
    texts |= {str(name) for name in table.columns}
    stated = encoding or _stated_encoding(path)
    words = _decoded(path, texts, (stated,) if stated else SNIFFED)
    if stated is None and not all(text.isascii() for text in texts) and words.codec != SNIFFED[0]:
        issues.add("CG-ENC-001", path=path.name)
    for name in columns:
        table[name] = table[name].map(words.meaning, na_action="ignore")
    return table.rename(columns=words.meaning)


def _is_text(dtype: object) -> bool:
    # pandas 2 reads text as object, which the geometry is not
    return isinstance(dtype, pd.StringDtype) or dtype == np.dtype(object)


class _Words:
    """The texts of a file in the first encoding that reads all of them."""

    def __init__(self, codec: str, texts: set[str]) -> None:
        self.codec = codec
        self.meaning = {text: _meant(text.encode(RAW), codec) for text in texts}


def _decoded(path: Path, texts: set[str], codecs_tried: tuple[str, ...]) -> _Words:
    for codec in codecs_tried:
        try:
            return _Words(codec, texts)
        except UnicodeDecodeError:
            continue
    tried = " or ".join(codecs_tried)
    raise _damaged(path, f"its text is not {tried}; pass the right encoding=, or mend its .cpg")


def _meant(raw: bytes, codec: str) -> str:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    return decoder.decode(raw, final=len(raw) < CUT_FROM_BYTES)


def _stated_encoding(path: Path) -> str | None:
    """Return the encoding that the ``.cpg`` names, in whichever of its many spellings; None if none."""
    cpg = _beside(path, ".cpg")
    if cpg is None:
        return None
    text = cpg.read_text(encoding="ascii", errors="replace").strip()
    for name in (
        text,
        re.sub(r"^ANSI\s*", "cp", text),
        re.sub(r"^8859-?(\d+)$", r"iso8859-\1", text),
        f"cp{text}",
    ):
        try:
            return codecs.lookup(name).name
        except (LookupError, ValueError):  # ValueError: a NUL in the name
            continue
    return None


def _beside(path: Path, suffix: str) -> Path | None:
    names = {path.stem + suffix, path.stem + suffix.upper()}
    return next((path.with_name(name) for name in sorted(names) if path.with_name(name).is_file()), None)


def _damaged(path: Path, cause: str) -> Exception:
    return error("CG-FILE-007", path=path.name, expected="a shapefile", cause=cause)
