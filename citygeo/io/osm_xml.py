"""Streets of OSM XML, read as a stream, so that a city needs no more memory than its streets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat  # a DOCTYPE, and with it every entity, is refused below

from citygeo.errors import CitygeoError, error
from citygeo.io.osm_elements import Elements
from citygeo.io.overpass import check_remark
from citygeo.io.restrictions import Member

if TYPE_CHECKING:
    from collections.abc import Iterable

    from citygeo.io.streets import StreetTables

OBJECTS = frozenset(("node", "way", "relation"))


def read_xml(source: str, chunks: Iterable[bytes]) -> StreetTables:
    """
    Read the streets of OSM XML.

    Parameters
    ----------
    source
        Name of the file.
    chunks
        Its bytes.

    Raises
    ------
    FileFormatError
        CG-FILE-002: XML of another kind. CG-FILE-032: damaged or cut. CG-FILE-034: Overpass stopped early.
    UnsafeInputError
        CG-FILE-033: it declares a document type.
    """
    handler = _Handler(source)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = handler.refuse_doctype
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except CitygeoError:
        raise
    except expat.ExpatError as cause:
        raise error("CG-FILE-032", path=source, expected="OSM XML", cause=cause) from cause
    except (_OddElementError, LookupError, ValueError) as cause:  # the last two: encodings that do not exist
        evidence = f"{cause}: line {parser.CurrentLineNumber}"
        raise error("CG-FILE-032", path=source, expected="OSM XML", cause=evidence) from cause
    check_remark(handler.remark, source, handler.found.issues)
    return handler.found.tables()


class _OddElementError(Exception):
    """An element lacks what it must have, or holds no number where one must be."""


class _Handler:
    """Put elements together from what the parser tells."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.found = Elements(source)
        self.remark = ""
        self._is_first = True
        self._object: dict[str, str] | None = None
        self._is_remark = False
        self._tags: dict[str, str] = {}
        self._refs: list[int] = []
        self._members: list[Member] = []

    def refuse_doctype(self, *_: object) -> None:
        """Refuse what could declare entities that grow without end."""
        raise error("CG-FILE-033", path=self.source)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the begin of an element."""
        if self._is_first:
            self._require_osm(name)
        try:
            if name == "nd":
                self._add_ref(attributes)
            elif name == "tag":
                self._tags[attributes["k"]] = attributes["v"]
            elif name in OBJECTS:
                self._object = attributes
                self._tags, self._refs, self._members = {}, [], []
            elif name == "member":
                kind, ref = attributes["type"][:1], int(attributes["ref"])
                self._members.append(Member(kind, ref, attributes.get("role", "")))
        except (KeyError, ValueError) as cause:
            raise _OddElementError(f"<{name}>: {cause!r}") from cause
        self._is_remark = name == "remark"

    def _add_ref(self, attributes: dict[str, str]) -> None:
        """Take a node of a way; Overpass may give its place along with it."""
        ref = int(attributes["ref"])
        self._refs.append(ref)
        if "lat" in attributes:
            self.found.add_node(ref, float(attributes["lon"]), float(attributes["lat"]), {})

    def _require_osm(self, name: str) -> None:
        self._is_first = False
        if name != "osm":
            reason = f"Its outermost element is {name!r}."
            if name == "osmChange":
                reason = "It is a file of changes, to be applied to an extract first."
            if name.lower() == "html":
                reason = "It is a web page (quota, login?), not OSM data."
            raise error("CG-FILE-002", path=self.source, expected="OSM XML", start=f"<{name}>", reason=reason)

    def text(self, data: str) -> None:
        """Take text; only that of a remark matters."""
        if self._is_remark:
            self.remark += data

    def end(self, name: str) -> None:
        """Take the end of an element; what was deleted, in an editor or in the history, is left out."""
        self._is_remark = False
        if name not in OBJECTS or self._object is None:
            return
        attributes, self._object = self._object, None
        if attributes.get("visible") == "false" or attributes.get("action") == "delete":
            return
        try:
            self._add(name, attributes)
        except (KeyError, ValueError, OverflowError) as cause:
            raise _OddElementError(f"<{name}>: {cause!r}") from cause

    def _add(self, name: str, attributes: dict[str, str]) -> None:
        number = int(attributes["id"])
        if name == "node":
            # a node without a place is one that was deleted
            if "lat" in attributes:
                self.found.add_node(number, float(attributes["lon"]), float(attributes["lat"]), self._tags)
        elif name == "way":
            self.found.add_way(number, self._refs, self._tags)
        else:
            self.found.add_relation(number, self._tags, self._members)
