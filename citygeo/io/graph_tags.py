"""From the attributes of graph nodes and edges to OSM tags: one text per key, whatever the graph holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.io.streets import CONDITIONAL, WAY_TAGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

UNKNOWN_CLASS = "road"  # OSM's own word for a road of which nobody knows the class
# a merged edge is travelled from end to end, so the part that carries least decides: from least to most
CLASSES = (
    "corridor", "steps", "footway", "path", "bridleway", "cycleway", "pedestrian", "track", "service", "living_street",
    "busway", "road", "residential", "unclassified", "tertiary_link", "tertiary", "secondary_link", "secondary",
    "primary_link", "primary", "trunk_link", "trunk", "motorway_link", "motorway",
)  # fmt: skip
# and so does the strictest rule on who may pass
ACCESS_KEYS = frozenset(
    (
        "access", "bicycle", "bus", "emergency", "foot", "hgv", "motor_vehicle", "motorcar", "psv", "vehicle",
        "wheelchair",
    )
)  # fmt: skip
STRICTEST = (
    "no", "military", "private", "residents", "permit", "agricultural", "forestry", "emergency", "delivery",
    "customers", "destination",
)  # fmt: skip
# names for people; several of them are no decision
NAMES = frozenset(("name", "name:en", "name:zh", "ref"))
TRUE = frozenset(("yes", "true", "1"))


class WayTags(NamedTuple):
    """The tags of one edge, and the keys that had several values of which one had to be chosen."""

    tags: dict[str, str]
    chosen: tuple[str, ...]


def way_tags(attributes: Mapping[str, object]) -> WayTags:
    """
    Return the OSM tags of an edge.

    Simplified OSMnx graphs give lists where an edge was merged from ways that differ, in an order that changes
    from run to run. Of several classes the least important counts, of several access values the strictest, of
    several speed limits the lowest (that is what ``;`` means to a travel mode); other values are joined with
    ``;`` in the order of the alphabet, as OSM writes them. The direction is not read here.

    Parameters
    ----------
    attributes
        Attributes of the edge; those that no travel mode asks for are left out.

    Examples
    --------
    >>> way_tags({"highway": ["tertiary", "service"], "maxspeed": ["50", "30"], "lanes": 2, "bridge": True}).tags
    {'highway': 'service', 'maxspeed': '30;50', 'lanes': '2', 'bridge': 'yes'}
    """
    tags: dict[str, str] = {}
    chosen = []
    for key, value in attributes.items():
        if key == "oneway" or not (key in WAY_TAGS or str(key).endswith(CONDITIONAL)):
            continue
        texts = [value] if type(value) is str and value else _texts(value)
        if texts:
            tags[key] = _one(key, texts)
        if len(texts) > 1 and key not in NAMES:
            chosen.append(key)
    return WayTags(tags, tuple(chosen))


def node_tags(attributes: Mapping[str, object], keys: Collection[str]) -> dict[str, str]:
    """Return the tags of a node, as far as travel modes ask for them; several values are joined with ``;``."""
    found = {key: _texts(attributes[key]) for key in keys if key in attributes}
    return {key: ";".join(texts) for key, texts in found.items() if texts}


def values_of(value: object) -> Iterable[object]:
    """Return the values of an attribute that may be a list."""
    return value if isinstance(value, (list, tuple, set, frozenset, np.ndarray)) else (value,)


def is_true(value: object) -> bool:
    """Tell whether a flag is set: ``True``, or the text that a file format made of it."""
    return str(value).lower() in TRUE


def _texts(value: object) -> list[str]:
    """Return the distinct values as texts in order of the alphabet; missing ones (None, NaN) are left out."""
    texts = {_text(item) for item in values_of(value)}
    return sorted(text for text in texts if text)


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a column with gaps turns 50 into 50.0
    return str(value)


def _one(key: str, texts: list[str]) -> str:
    if key == "highway":
        # a class that is not known is taken for the least
        return min(texts, key=lambda text: CLASSES.index(text) if text in CLASSES else -1)
    if key in ACCESS_KEYS:
        return min(texts, key=lambda text: STRICTEST.index(text) if text in STRICTEST else len(STRICTEST))
    return ";".join(texts)
