"""Streets of Overpass JSON: nodes and ways apart, or ways with their geometry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from citygeo.errors import error
from citygeo.io.osm_elements import Elements
from citygeo.io.restrictions import Member

if TYPE_CHECKING:
    from citygeo.io.streets import StreetTables
    from citygeo.issues import IssueLog

LABEL = "Overpass JSON"


def read_overpass(source: str, data: bytes) -> StreetTables:
    """
    Read the streets of an answer of the Overpass API.

    Parameters
    ----------
    source
        Name of the file.
    data
        All of it: ways with ``nodes`` beside node elements, or with ``geometry`` (``out geom``).

    Raises
    ------
    FileFormatError
        CG-FILE-002: JSON of another kind. CG-FILE-032: damaged or cut. CG-FILE-034: Overpass stopped early.
    """
    answer = _parsed(source, data)
    found = Elements(source)
    check_remark(str(answer.get("remark", "")), source, found.issues)
    by_place: dict[object, int] = {}
    n_anonymous = 0
    for number, element in enumerate(answer["elements"]):
        try:
            n_anonymous += _add(found, element, by_place)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as cause:
            evidence = f"element {number}: {cause!r}"
            raise error("CG-FILE-032", path=source, expected=LABEL, cause=evidence) from cause
    found.issues.add("CG-FILE-036", count=n_anonymous, path=source)
    return found.tables()


def check_remark(remark: str, source: str, issues: IssueLog) -> None:
    """
    Raise CG-FILE-034 if Overpass says that it stopped early; any other remark is a finding, CG-FILE-035.

    Parameters
    ----------
    remark
        What Overpass wrote, empty if nothing.
    source
        Name of the file.
    issues
        Where findings go.
    """
    text = " ".join(remark.split())
    if "error" in text.lower():
        raise error("CG-FILE-034", path=source, remark=text)
    issues.add("CG-FILE-035", count=int(text != ""), path=source, remark=text)


def _parsed(source: str, data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as cause:
        raise error("CG-FILE-032", path=source, expected=LABEL, cause=cause) from cause
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        reason = "It has no list of elements."
        if isinstance(answer, dict) and answer.get("type") == "FeatureCollection":
            reason = "It is GeoJSON: read it as a layer of centre lines."
        start = repr(data[:24])[1:]
        raise error("CG-FILE-002", path=source, expected=LABEL, start=start, reason=reason)
    return answer


def _add(found: Elements, element: dict[str, Any], by_place: dict[object, int]) -> int:
    """Take an element; return 1 if it is a way whose nodes have places and no ids."""
    kind, tags = element["type"], element.get("tags", {})
    if not all(isinstance(value, str) for value in tags.values()):
        raise TypeError("a tag that is no text")
    if kind == "node":
        if "lat" in element:
            found.add_node(element["id"], element["lon"], element["lat"], tags)
    elif kind == "way":
        return _add_way(found, element, tags, by_place)
    elif kind == "relation":
        members = [
            Member(one["type"][:1], one["ref"], one.get("role", "")) for one in element.get("members", ())
        ]
        found.add_relation(element["id"], tags, members)
    return 0


def _add_way(found: Elements, way: dict[str, Any], tags: dict[str, str], by_place: dict[object, int]) -> int:
    """Take a way; nodes without ids are the same where they are in the same place."""
    # outside the box that was asked for, Overpass gives null for a place
    places = [place and (place["lon"], place["lat"]) for place in way.get("geometry", ())]
    is_anonymous = bool(places) and "nodes" not in way
    nodes = [by_place.setdefault(place, -1 - len(by_place)) for place in places]
    if not is_anonymous:
        nodes = way.get("nodes", [])
    for node, place in zip(nodes, places, strict=True) if places else ():
        if place:
            found.add_node(node, *place, {})
    found.add_way(way["id"], nodes, tags)
    return int(is_anonymous)
