"""
Tell what a file is from its first bytes and its suffix, before any library opens it.

GDAL decides by content and has drivers that open other files or fetch from the network, whatever the
suffix says. Only the formats of the table below get as far as GDAL, each by its own signature.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from citygeo.errors import error
from citygeo.io.pbf import require_file

HEAD_BYTES = 64 * 1024
PICKLE_PROTOCOLS = (b"\x02", b"\x03", b"\x04", b"\x05")
UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff")


class Format(NamedTuple):
    """A format citygeo reads: GDAL's name of it, the name in messages, suffixes, first bytes (any of them)."""

    driver: str
    label: str
    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...]


FORMATS = (
    Format("GPKG", "a GeoPackage", (".gpkg",), (b"SQLite format 3\0",)),
    Format("GeoJSON", "GeoJSON", (".geojson", ".json"), (b"{",)),
    Format("ESRI Shapefile", "a shapefile", (".shp",), (b"\x00\x00\x27\x0a",)),
    Format("FlatGeobuf", "FlatGeobuf", (".fgb",), (b"fgb\x03fgb",)),
    Format("Parquet", "GeoParquet", (".parquet", ".geoparquet"), (b"PAR1",)),
    Format("CSV", "a CSV table", (".csv", ".tsv", ".txt"), (b"",)),
)
# either byte order, and with offsets of 32 or 64 bits
GEOTIFF = Format("GTiff", "a GeoTIFF", (".tif", ".tiff"), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))

# one letter before the colon is a Windows drive, not a scheme
_REMOTE = re.compile(r"/vsi[a-z0-9_]+[/?]|[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
# files that only point at others; the last is GDAL's stored command line
_POINTERS = {b"<OGRVRTDataSource": "a VRT", b"<VRTDataset": "a VRT", b"gdal_streamed_alg": "a GDALG pipeline"}


def identify(path: str | Path, among: tuple[Format, ...] = FORMATS) -> Format:
    """
    Return the format of a local file, or refuse it.

    Parameters
    ----------
    path
        The file.
    among
        The formats that are read here.

    Returns
    -------
    The format that both the suffix and the first bytes name.

    Raises
    ------
    UnsafeInputError
        CG-SEC-003 a URL or GDAL ``/vsi`` path, CG-SEC-001 a VRT or pipeline, CG-FILE-006 a pickle.
    FileError
        CG-FILE-001 if there is no such file.
    FileFormatError
        CG-FILE-002 if suffix or content is none of the known, or they disagree.

    Examples
    --------
    >>> identify("https://example.org/stations.gpkg")
    Traceback (most recent call last):
        ...
    citygeo.errors.UnsafeInputError: CG-SEC-003: ...
    """
    _refuse_remote(path)
    path = Path(path)
    names = among[0].label if len(among) == 1 else "a layer"
    suffixes = ", ".join(suffix for item in among for suffix in item.suffixes)
    if path.is_dir():
        raise _unlike(path, names, "(a folder)", f"Files of these kinds are read: {suffixes}.")
    require_file(path)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = next((item for item in among if path.suffix.lower() in item.suffixes), None)
    expected = kind.label if kind else names
    _refuse_unsafe(path, head, expected)
    if kind is None:
        reason = f"Files of these kinds are read: {suffixes}; archives are unpacked first."
        raise _unlike(path, expected, _shown(head), reason)
    if not _has_signature(kind, head):
        raise _unlike(path, expected, _shown(head), _reason(head))
    return kind


def _refuse_remote(path: str | Path) -> None:
    """Raise if the path, as given or made absolute, is one GDAL would take for a remote one."""
    if _REMOTE.match(str(path)) or str(Path(path).absolute()).startswith("/vsi"):
        raise error("CG-SEC-003", path=path, target="a URL or virtual file system")


def refuse_pickle(path: Path, head: bytes) -> None:
    """Raise CG-FILE-006 if a file that begins with `head` is a pickle: loading one runs code."""
    if head[:1] == b"\x80" and head[1:2] in PICKLE_PROTOCOLS:
        raise error("CG-FILE-006", path=path.name)


def _refuse_unsafe(path: Path, head: bytes, expected: str) -> None:
    refuse_pickle(path, head)
    for mark, found in _POINTERS.items():
        # a place name in a table may hold any text; only markup and JSON can be one of these
        if mark in head and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{"):
            raise error("CG-SEC-001", path=path.name, found=found, expected=expected)


def _has_signature(kind: Format, head: bytes) -> bool:
    if kind.driver == "GeoJSON":
        return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(kind.starts)
    if kind.driver == "CSV":
        is_text = head.startswith(UTF16_STARTS) or b"\0" not in head
        return head != b"" and is_text and not _is_markup(head)
    return head.startswith(kind.starts)


def _is_markup(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _reason(head: bytes) -> str:
    if head == b"":
        return "The file is empty."
    if _is_markup(head) and b"<html" in head.lower():
        return "It is a web page (quota, login or error), not data."
    return "Content and suffix disagree."


def _shown(head: bytes) -> str:
    """Return the first bytes as printable text: a hostile file must not write to the terminal."""
    text = head[:24].decode("ascii", "replace")
    return repr("".join(letter if letter.isprintable() else "?" for letter in text))


def _unlike(path: Path, expected: str, start: str, reason: str) -> Exception:
    return error("CG-FILE-002", path=path.name, expected=expected, start=start, reason=reason)
