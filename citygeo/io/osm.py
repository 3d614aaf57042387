"""Read the streets of OpenStreetMap data, whatever form they come in."""

from __future__ import annotations

import bz2
import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from citygeo.errors import error
from citygeo.io.crop import crop
from citygeo.io.formats import refuse_pickle
from citygeo.io.osm_pbf import read_pbf
from citygeo.io.osm_xml import read_xml
from citygeo.io.overpass import read_overpass
from citygeo.io.pbf import require_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from citygeo.io.crop import Region
    from citygeo.io.streets import StreetTables

CHUNK_BYTES = 1024 * 1024
PACKED: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}  # type: ignore[dict-item]
# OSM XML shrinks to a tenth, seldom a thirtieth; a file made to fill the memory, to a thousandth and less
MAX_RATIO = 200
ALWAYS_ALLOWED_BYTES = 64 * 1024 * 1024
MARKS_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # byte order marks, and every second byte of UTF-16


def read(path: str | Path, *, region: Region | None = None, threads: int | None = None) -> StreetTables:
    """
    Read every way with a ``highway`` tag, and ferries.

    Parameters
    ----------
    path
        An ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2`` file, or an answer of the Overpass API as JSON or XML.
        Its content says which.
    region
        Keep the segments with at least one end inside; of a PBF, other ways are not even held in memory.
    threads
        Number of threads that read a PBF, which do not change the result; all processors if `None`.

    Returns
    -------
    The streets in the order of the file, their nodes in the order of ids. Ways are cut at nodes without a place.

    Raises
    ------
    FileError
        CG-FILE-001 if the file does not exist.
    FileFormatError
        CG-FILE-002 another format, CG-FILE-003 or CG-FILE-032 cut or damaged, CG-FILE-030 a kind of PBF that is not
        read, CG-FILE-034 Overpass stopped early, CG-FILE-010 no road in it, CG-FILE-020 roads without places.
    UnsafeInputError
        CG-FILE-006 a pickle, CG-FILE-033 XML with a document type, CG-FILE-037 a file that unpacks without end.
    NetworkError
        CG-NET-060 no street in the region.

    Examples
    --------
    >>> from citygeo.datasets import reykjavik
    >>> streets = read(reykjavik().osm_path)
    >>> streets.highway_counts()["primary"] > 100
    True
    """
    path = Path(path)
    require_file(path)
    with path.open("rb") as file:
        head = file.read(CHUNK_BYTES)
    refuse_pickle(path, head)
    packing = next((packing for mark, packing in PACKED.items() if head.startswith(mark)), None)
    chunks = _chunks(path, packing)
    if packing is not None:
        head = next(chunks, b"")
        chunks = _chunks(path, packing)
    start = head.lstrip(MARKS_BEFORE_TEXT)[:1]
    if start == b"<" and not _is_web_page(head):
        streets = read_xml(path.name, chunks)
    elif start == b"{":
        streets = read_overpass(path.name, b"".join(chunks))
    elif packing is None:
        return read_pbf(path, region, threads)
    else:
        reason = "It is packed, and what is inside is neither OSM XML nor Overpass JSON."
        raise error(
            "CG-FILE-002", path=path.name, expected="OSM data", start=repr(head[:24])[1:], reason=reason
        )
    return streets if region is None else crop(streets, region)


def _is_web_page(head: bytes) -> bool:
    return head.lstrip(MARKS_BEFORE_TEXT)[:14].lower().startswith((b"<!doctype html", b"<html"))


def _chunks(path: Path, packing: Callable[[IO[bytes]], IO[bytes]] | None) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file; raise if they do not end or end early."""
    most = max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * path.stat().st_size)
    done = 0
    with path.open("rb") as raw:
        file = raw if packing is None else packing(raw)
        while True:
            try:
                chunk = file.read(CHUNK_BYTES)
            except (EOFError, OSError, zlib.error) as cause:
                raise error("CG-FILE-032", path=path.name, expected="a packed file", cause=cause) from cause
            if not chunk:
                return
            done += len(chunk)
            if done > most:
                raise error("CG-FILE-037", path=path.name, size=path.stat().st_size, ratio=MAX_RATIO)
            yield chunk
