"""Street tables: the one form in which every source of a network arrives, checked once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

NO_TAGS = -1
# access tags, which may also hold for one direction only
ACCESS_TAGS = (
    "access", "vehicle", "motor_vehicle", "motorcar", "bicycle", "foot", "bus", "psv", "emergency", "wheelchair",
)  # fmt: skip
# what travel modes and result tables may ask for
WAY_TAGS = frozenset(
    (
        "access", "area", "bicycle", "bicycle_road", "bridge", "bus", "bus:lanes", "busway", "busway:left",
        "busway:right", "cycleway", "cycleway:both", "cycleway:both:oneway", "cycleway:left",
        "cycleway:left:oneway", "cycleway:right", "cycleway:right:oneway", "duration", "emergency", "ferry", "foot",
        "footway", "hgv", "highway", "incline", "junction", "kerb", "lanes", "lanes:bus", "lanes:psv", "layer",
        "maxspeed", "maxspeed:backward", "maxspeed:forward", "maxspeed:type", "motor_vehicle", "motorcar",
        "motorroad", "name", "name:en", "name:zh", "oneway", "oneway:bicycle", "oneway:bus", "oneway:foot",
        "oneway:psv", "psv", "ramp", "ramp:bicycle", "ramp:wheelchair", "ref", "route", "service", "sidewalk",
        "sidewalk:both", "sidewalk:left", "sidewalk:right", "smoothness", "source:maxspeed", "surface", "toll",
        "tracktype", "tunnel", "vehicle", "wheelchair", "width", "zone:maxspeed",
        *(f"{key}:{way}" for key in ACCESS_TAGS for way in ("forward", "backward")),
    )
)  # fmt: skip
# conditional rules are not read, but counted
CONDITIONAL = ":conditional"
NODE_TAGS = frozenset(
    (
        "access", "barrier", "bicycle", "bollard", "bus", "crossing", "crossing:signals", "direction", "emergency",
        "foot", "highway", "kerb", "locked", "motor_vehicle", "motorcar", "psv", "stop", "traffic_calming",
        "traffic_signals", "traffic_signals:direction", "vehicle", "wheelchair",
    )
)  # fmt: skip
# nodes without one of these are only shape
NODE_KINDS = frozenset(("barrier", "crossing", "highway", "kerb", "traffic_calming", "traffic_signals"))
MAX_LATITUDE = 90.0


class Restriction(NamedTuple):
    """
    A turn restriction: who comes by `from_way` over the via node or ways may not, or must, go on to `to_way`.

    Attributes
    ----------
    id
        Id of the relation, for messages.
    kind
        The OSM value: ``no_left_turn``, ``only_straight_on``...
    from_way, to_way
        Way ids; several for ``no_entry`` and ``no_exit``.
    via_node
        Node id, `None` if `via_way` is given.
    via_way
        Way ids in the order of travel.
    vehicle
        The only vehicle it binds (``hgv`` of ``restriction:hgv``), `None` for all.
    exempt
        Vehicles it does not bind (``except``).
    """

    id: int
    kind: str
    from_way: tuple[int, ...]
    via_node: int | None
    via_way: tuple[int, ...]
    to_way: tuple[int, ...]
    vehicle: str | None = None
    exempt: tuple[str, ...] = ()


class Given(NamedTuple):
    """
    What a source states itself, instead of tags and geometry.

    Attributes
    ----------
    length_m
        Length of each way in metres, float64 `(w,)`; NaN: measure the drawing.
    ms
        Milliseconds along and against each way, int64 `(w, 2)`, -1 where closed; `None`: the mode's rules say.
    delay_ms
        Milliseconds lost on arriving at the far end, along and against, int64 `(w, 2)`; `None`: the mode's rules say.
    is_imputed
        Whether the time of each way rests on an assumed speed, bool `(w,)`; `None`: where `ms` is given, none does.
    off_ground
        For each of ``way_node`` the kind of the segment from there to the next node of the way, uint8, see
        `citygeo.io.off_ground`; of no matter at the last. `None`: the tags say.
    """

    length_m: NDArray[np.float64]
    ms: NDArray[np.int64] | None = None
    delay_ms: NDArray[np.int64] | None = None
    is_imputed: NDArray[np.bool_] | None = None
    off_ground: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class StreetTables:
    """
    Streets as drawn: what every source of a network gives.

    Attributes
    ----------
    node_id, node_lonlat
        Ids, int64 `(n,)`, and WGS 84 degrees, float64 `(n, 2)`, of the nodes that ways use.
    way_id
        Ids of the ways, int64 `(w,)`; pieces of one way share it.
    way_start, way_node
        Way `i` runs through the nodes at positions ``way_node[way_start[i]:way_start[i + 1]]``; int64.
    tag_sets
        The distinct sets of tags.
    way_tag_set, node_tag_set
        Position in `tag_sets`, int32 `(w,)` and `(n,)`; -1: a node without tags.
    source
        The name of the file or layer.
    issues
        What was found while reading.
    restrictions
        Turn restrictions, by way and node ids.
    given
        What the source states itself.
    """

    node_id: NDArray[np.int64]
    node_lonlat: NDArray[np.float64]
    way_id: NDArray[np.int64]
    way_start: NDArray[np.int64]
    way_node: NDArray[np.int64]
    tag_sets: list[dict[str, str]]
    way_tag_set: NDArray[np.int32]
    node_tag_set: NDArray[np.int32]
    source: str
    issues: IssueLog
    restrictions: list[Restriction] = field(default_factory=list)
    given: Given | None = None

    def __post_init__(self) -> None:
        self._require_inside()
        unusable = ~(
            np.isfinite(self.node_lonlat).all(axis=1) & (np.abs(self.node_lonlat[:, 1]) <= MAX_LATITUDE)
        )
        if unusable.any():
            sample = ", ".join(str(node) for node in self.node_id[unusable][:5])
            raise error("CG-NET-050", source=self.source, count=int(unusable.sum()), sample=sample)

    def _require_inside(self) -> None:
        """Check what kernels rely on; a reader that breaks it is at fault, not the user's file."""
        n, w = len(self.node_id), len(self.way_id)
        assert self.node_lonlat.shape == (n, 2)
        assert self.way_start.shape == (w + 1,)
        assert w == 0 or (np.diff(self.way_start) >= 2).all()
        assert self.way_node.size == 0 or (self.way_node.min() >= 0 and self.way_node.max() < n)
        assert self.way_tag_set.shape == (w,)
        assert self.node_tag_set.shape == (n,)

    def sha256(self) -> str:
        """Return a SHA-256 of places, ways and tags, for sources that are no file."""
        digest = hashlib.sha256(json.dumps([self.tag_sets, self.restrictions], sort_keys=True).encode())
        stated = [] if self.given is None else [part for part in self.given if part is not None]
        for array in (self.node_id, self.node_lonlat, self.way_id, self.way_start, self.way_node, *stated):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(self.way_tag_set.tobytes() + self.node_tag_set.tobytes())
        return digest.hexdigest()

    def tags_of(self, way: int) -> dict[str, str]:
        """Return the tags of the way at a position."""
        return self.tag_sets[int(self.way_tag_set[way])]

    @property
    def way_tags(self) -> list[dict[str, str]]:
        """The tags of every way."""
        return [self.tag_sets[i] for i in self.way_tag_set.tolist()]

    def highway_counts(self) -> Counter[str]:
        """Count the ways of each highway class."""
        counts = Counter[str]()
        for number, many in zip(*np.unique(self.way_tag_set, return_counts=True), strict=True):
            counts[self.tag_sets[number].get("highway", "none")] += int(many)
        return counts


class TagSets:
    """
    Number distinct sets of tags while reading.

    Examples
    --------
    >>> sets = TagSets()
    >>> sets.number({"highway": "service"}), sets.number({"highway": "path"}), sets.number({"highway": "service"})
    (0, 1, 0)
    """

    def __init__(self) -> None:
        self.listed: list[dict[str, str]] = []
        self._numbers: dict[frozenset[tuple[str, str]], int] = {}

    def number(self, tags: Mapping[str, str]) -> int:
        """Return the number of a set of tags."""
        key = frozenset(tags.items())
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self.listed)
            self.listed.append(dict(tags))
        return known

    def numbers(self, rows: Iterable[Mapping[str, str]]) -> NDArray[np.int32]:
        """Return the numbers of many sets."""
        return np.fromiter((self.number(tags) for tags in rows), np.int32)
