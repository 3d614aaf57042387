"""One little city in every form that OSM data come in, and street tables in a form that can be compared."""

from __future__ import annotations

import bz2
import gzip
import json
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import osmium

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from citygeo.io.streets import StreetTables

KINDS = {"n": "node", "w": "way", "r": "relation"}


class City:
    """
    What a file holds: nodes (id -> place, tags), ways (id, node ids, tags), relations (id, members, tags).

    Places are degrees of at most seven decimals, as OSM keeps them.
    """

    def __init__(
        self,
        nodes: Mapping[int, tuple[float, float]],
        ways: Sequence[tuple[int, Sequence[int], Mapping[str, str]]],
        relations: Sequence[tuple[int, Sequence[tuple[str, int, str]], Mapping[str, str]]] = (),
        node_tags: Mapping[int, Mapping[str, str]] | None = None,
    ) -> None:
        self.nodes, self.ways, self.relations = nodes, ways, relations
        self.node_tags = node_tags or {}

    def write(self, path: Path) -> Path:
        """Write the form that the end of the name says."""
        if path.suffixes[-2:] == [".osm", ".pbf"]:
            return self._by_osmium(path)
        data = (self.json() if ".json" in path.suffixes else self.xml()).encode()
        packing = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
        path.write_bytes(packing(data))
        return path

    def _by_osmium(self, path: Path) -> Path:
        osm = osmium.osm.mutable
        with osmium.SimpleWriter(str(path), overwrite=True) as writer:
            for node, place in self.nodes.items():
                writer.add_node(osm.Node(id=node, location=place, tags=dict(self.node_tags.get(node, {}))))
            for way, refs, tags in self.ways:
                writer.add_way(osm.Way(id=way, nodes=list(refs), tags=dict(tags)))
            for relation, members, tags in self.relations:
                writer.add_relation(osm.Relation(id=relation, members=list(members), tags=dict(tags)))
        return path

    def xml(self) -> str:
        """The city as OSM XML."""

        def tagged(tags: Mapping[str, str]) -> str:
            return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())

        lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6' generator='test'>"]
        for node, (lon, lat) in self.nodes.items():
            tags = tagged(self.node_tags.get(node, {}))
            lines.append(f"<node id='{node}' lon='{lon!r}' lat='{lat!r}'>{tags}</node>")
        for way, refs, tags in self.ways:
            inner = "".join(f"<nd ref='{ref}'/>" for ref in refs)
            lines.append(f"<way id='{way}'>{inner}{tagged(tags)}</way>")
        for relation, members, tags in self.relations:
            inner = "".join(
                f"<member type='{KINDS[k]}' ref='{ref}' role='{role}'/>" for k, ref, role in members
            )
            lines.append(f"<relation id='{relation}'>{inner}{tagged(tags)}</relation>")
        return "\n".join([*lines, "</osm>\n"])

    def elements(self, *, geometry: bool = False) -> list[dict[str, Any]]:
        """The elements of Overpass JSON: relations and ways before nodes, or ways with geometry and tagged nodes."""
        listed: list[dict[str, Any]] = [
            {
                "type": "relation", "id": relation, "tags": dict(tags),
                "members": [{"type": KINDS[kind], "ref": ref, "role": role} for kind, ref, role in members],
            }
            for relation, members, tags in self.relations
        ]  # fmt: skip
        for way, refs, tags in self.ways:
            element: dict[str, Any] = {"type": "way", "id": way, "nodes": list(refs), "tags": dict(tags)}
            if geometry:
                known = [self.nodes.get(ref) for ref in refs]
                element["geometry"] = [place and {"lat": place[1], "lon": place[0]} for place in known]
            listed.append(element)
        for node, (lon, lat) in self.nodes.items():
            tags = self.node_tags.get(node, {})
            if tags or not geometry:
                listed.append(
                    {"type": "node", "id": node, "lat": lat, "lon": lon, **({"tags": tags} if tags else {})}
                )
        return listed

    def json(self, *, geometry: bool = False, **more: object) -> str:
        """The city as an answer of the Overpass API."""
        return json.dumps(
            {"version": 0.6, "elements": self.elements(geometry=geometry), **more}, ensure_ascii=False
        )


def shown(streets: StreetTables) -> dict[str, object]:
    """Everything a reader says about streets but the name of the file and findings, in plain types."""
    sets = [*streets.tag_sets, {}]
    return {
        "nodes": [
            (node, *place, sets[number])
            for node, place, number in zip(
                streets.node_id.tolist(), streets.node_lonlat.tolist(), streets.node_tag_set.tolist(), strict=True
            )
        ],
        "ways": [
            (way, streets.node_id[streets.way_node[a:b]].tolist(), tags)
            for way, a, b, tags in zip(
                streets.way_id.tolist(), streets.way_start[:-1], streets.way_start[1:], streets.way_tags, strict=True
            )
        ],
        "restrictions": streets.restrictions,
        "types": [str(column.dtype) for column in (
            streets.node_id, streets.node_lonlat, streets.way_id, streets.way_start, streets.way_node,
            streets.way_tag_set, streets.node_tag_set,
        )],
    }  # fmt: skip
