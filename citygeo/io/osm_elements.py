"""Nodes, ways and relations that come one by one, from XML or JSON, as street tables."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from citygeo.io.osm_tables import Drawing, no_tags, number_nodes, places, tables
from citygeo.io.restrictions import RestrictionLog
from citygeo.io.streets import CONDITIONAL, NODE_KINDS, NODE_TAGS, WAY_TAGS, TagSets
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from citygeo.io.restrictions import Member
    from citygeo.io.streets import StreetTables


class Elements:
    """
    Collect what streets are made of; an object given twice is taken once, with the tags it has somewhere.

    Examples
    --------
    >>> found = Elements("two.osm")
    >>> found.add_node(5, 3.0, 0.0, {})
    >>> found.add_node(7, 3.1, 0.0, {"highway": "crossing"})
    >>> found.add_way(1, [5, 7], {"highway": "path", "source": "survey"})
    >>> found.tables().way_tags
    [{'highway': 'path'}]
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.issues = IssueLog()
        self.restrictions = RestrictionLog()
        self.n_ways = 0
        # plain arrays: a city has a million nodes
        self._node_id, self._lonlat = array("q"), array("d")
        self._node_tags: dict[int, dict[str, str]] = {}
        self._ways: dict[int, tuple[array[int], dict[str, str]]] = {}

    def add_node(self, number: int, lon: float, lat: float, tags: Mapping[str, str]) -> None:
        """Take the place of a node, and its tags if they matter to streets."""
        self._node_id.append(number)
        self._lonlat.append(lon)
        self._lonlat.append(lat)
        if tags and not NODE_KINDS.isdisjoint(tags):
            self._node_tags[number] = {key: value for key, value in tags.items() if key in NODE_TAGS}

    def add_way(self, number: int, refs: Sequence[int], tags: Mapping[str, str]) -> None:
        """Take a way if it is a road or a ferry."""
        self.n_ways += 1
        ids = array("q", (number, *refs))  # raises unless all are whole numbers of 64 bits
        if "highway" in tags or tags.get("route") == "ferry":
            kept = {key: value for key, value in tags.items() if key in WAY_TAGS or key.endswith(CONDITIONAL)}
            self._ways[number] = ids[1:], kept

    def add_relation(self, number: int, tags: Mapping[str, str], members: Sequence[Member]) -> None:
        """Take a relation if it is a turn restriction."""
        array("q", (number, *(member.ref for member in members)))  # as for ways
        self.restrictions.add(number, tags, members)

    def tables(self) -> StreetTables:
        """Return the street tables; errors are those of `citygeo.io.osm_tables.tables`."""
        sets = TagSets()
        refs = [refs for refs, _ in self._ways.values()]
        node_id, way_node = number_nodes(np.frombuffer(b"".join(row.tobytes() for row in refs), np.int64))
        drawing = Drawing(
            source=self.source,
            way_id=np.fromiter(self._ways, np.int64, len(self._ways)),
            way_start=np.cumsum([0, *map(len, refs)], dtype=np.int64),
            way_tag_set=sets.numbers(tags for _, tags in self._ways.values()),
            node_id=node_id,
            way_node=way_node,
            sets=sets,
            n_ways=self.n_ways,
            restrictions=self.restrictions,
            issues=self.issues,
        )
        node_tag_set = no_tags(drawing.node_id.size)
        for position, number in enumerate(drawing.node_id.tolist()):
            if number in self._node_tags:
                node_tag_set[position] = sets.number(self._node_tags[number])
        return tables(drawing, self._places_of(drawing.node_id), node_tag_set)

    def _places_of(self, node_id: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the places of nodes, NaN where there is none; of a node given twice the last one."""
        known = np.frombuffer(self._node_id, np.int64)
        lonlat = np.full((node_id.size, 2), np.nan)
        if known.size and node_id.size:
            position = np.minimum(np.searchsorted(node_id, known), node_id.size - 1)
            is_used = node_id[position] == known
            lonlat[position[is_used]] = np.frombuffer(self._lonlat).reshape(-1, 2)[is_used]
        return places(lonlat)
