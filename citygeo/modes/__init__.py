"""Travel modes: which ways, how fast, which delays. A mode is a table of ``data/modes.toml``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from citygeo.errors import error
from citygeo.modes.access import Access
from citygeo.modes.checks import require_kinds, require_usable
from citygeo.modes.directions import Directions
from citygeo.modes.ferries import Ferries, parse_duration
from citygeo.modes.nodes import NodeRule, Nodes
from citygeo.modes.speeds import MAXSPEED_KEYS, Speeds, parse_maxspeed
from citygeo.modes.tables import merged, mode_entry, mode_names, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from citygeo.io.streets import Restriction

__all__ = [
    "CLOSED", "NodeRule", "TravelMode", "WayRule", "mode_from_dict", "mode_names", "parse_maxspeed",
    "travel_mode",
]  # fmt: skip

# conditions such as "no @ (07:00-09:00)" are not read: the way counts as it is the rest of the time
CONDITIONAL = ":conditional"


class WayRule(NamedTuple):
    """
    How a mode uses a way.

    Attributes
    ----------
    along_kmh, against_kmh
        Speed along and against the drawing, 0 where closed.
    is_imputed
        Whether a speed does not come from a tag of the way.
    duration_s
        What the whole way takes in each open direction, if it says so (ferries); then the speed does not count.
    unknown_oneway, unknown_maxspeed
        A value that could not be read.
    conditional
        Keys of conditions that would concern the mode and were not looked into.
    """

    along_kmh: float
    against_kmh: float
    is_imputed: bool
    duration_s: float | None = None
    unknown_oneway: str | None = None
    unknown_maxspeed: str | None = None
    conditional: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the way can be used at all."""
        return self.along_kmh > 0 or self.against_kmh > 0


CLOSED = WayRule(0.0, 0.0, is_imputed=False)


class _Rules(NamedTuple):
    """The rules of a mode, ready to be applied."""

    access: Access
    directions: Directions
    speeds: Speeds
    ferries: Ferries
    nodes: Nodes


@dataclass(frozen=True)
class TravelMode:
    """
    A way of travelling; see ``data/modes.toml`` for the meaning of each field.

    Examples
    --------
    >>> mode = travel_mode("drive")
    >>> mode.rule({"highway": "residential", "maxspeed": "20 mph", "oneway": "-1"})[:3]
    (0.0, 32.18688, False)
    >>> travel_mode("bike").rule({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"})[:3]
    (15, 15, True)
    """

    name: str
    label: Mapping[str, str]
    speed_kmh: Mapping[str, float]
    maxspeed: bool
    top_kmh: float
    access: tuple[str, ...]
    closed: tuple[str, ...]
    oneway: bool
    delay_s: float
    walk_off_kmh: float
    areas: bool = False
    opens_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    special_kmh: Mapping[str, float] = field(default_factory=dict)
    limit_kmh: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    max_incline_percent: float | None = None
    oneway_keys: tuple[str, ...] = ()
    contraflow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lane_oneway_keys: tuple[str, ...] = ()
    ferry_kmh: float = 0.0
    ferry_unless: tuple[str, ...] = ()
    node_closed_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    node_passes: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    node_delay_s: Mapping[str, float] = field(default_factory=dict)
    junction_s: Mapping[str, float] = field(default_factory=dict)
    left_turn_s: float = 0.0
    right_turn_s: float = 0.0
    u_turn_s: float = 0.0
    slope: str = ""

    @property
    def label_en(self) -> str:
        """English name."""
        return self.label["en"]

    @property
    def label_zh(self) -> str:
        """Chinese name."""
        return self.label["zh"]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for a manifest."""
        return asdict(self)

    def walk_off_ms(self, distance_m: float) -> float:
        """Return the milliseconds between a place and its road `distance_m` away."""
        return distance_m / self.walk_off_kmh * 3600.0

    @cached_property
    def rule_keys(self) -> frozenset[str]:
        """All keys that `rule` looks at: ways with equal values of these have equal rules."""
        rules = self._rules
        stated = rules.speeds.all_keys | rules.directions.all_keys | rules.ferries.all_keys
        area = () if self.areas else ("area",)
        return stated.union(
            rules.access.keys, rules.access.one_sided, self.opens_with, self._conditions, area
        )

    def rule(self, tags: Mapping[str, str]) -> WayRule:
        """
        Return how this mode uses a way.

        Parameters
        ----------
        tags
            The OSM tags of the way, which say ``highway`` or ``route=ferry``; any other way is closed.
        """
        rules = self._rules
        if "highway" not in tags:
            return self._ferry(tags)
        is_opened = rules.access.is_opened(tags)
        usual_kmh = rules.speeds.usual(tags, is_opened=is_opened)
        limit_kmh = rules.speeds.limit(tags, is_opened=is_opened)
        if not usual_kmh or not limit_kmh or (tags.get("area") == "yes" and not self.areas):
            return self._closed(tags, self.opens_with)
        way_along, way_against, unknown_oneway = rules.directions.read(tags)
        legal_along, legal_against = rules.access.directions(tags)
        along, against = way_along and legal_along, way_against and legal_against
        if not along and not against:
            return self._closed(tags, (*rules.access.keys, *rules.access.one_sided))
        along_kmh, is_along_read, unknown = self._kmh(tags, "forward", usual_kmh, limit_kmh)
        against_kmh, is_against_read, unknown_back = self._kmh(tags, "backward", usual_kmh, limit_kmh)
        return WayRule(
            along_kmh if along else 0.0,
            against_kmh if against else 0.0,
            not ((is_along_read or not along) and (is_against_read or not against)),
            None,
            unknown_oneway,
            unknown or unknown_back,
            self._conditional(tags),
        )

    def node_rule(self, tags: Mapping[str, str]) -> NodeRule:
        """
        Return how this mode passes a node.

        Parameters
        ----------
        tags
            The OSM tags of the node.

        Examples
        --------
        >>> travel_mode("drive").node_rule({"barrier": "bollard"}).is_closed
        True
        >>> mode = travel_mode("drive", node_delay_s={"highway=traffic_signals": 15})
        >>> mode.node_rule({"highway": "traffic_signals", "traffic_signals:direction": "forward"})
        NodeRule(is_closed=False, delay_s=15, heading='forward')
        """
        return self._rules.nodes.read(tags, self._rules.access)

    def obeys(self, restriction: Restriction) -> bool:
        """
        Return whether a turn restriction binds this mode.

        Parameters
        ----------
        restriction
            Anything with ``vehicle`` (the only vehicle it binds, or `None`) and ``exempt``.

        Examples
        --------
        >>> from citygeo.io.streets import Restriction
        >>> no_left = Restriction(1, "no_left_turn", (1,), 5, (), (2,), exempt=("bus",))
        >>> travel_mode("drive").obeys(no_left), travel_mode("bus").obeys(no_left), travel_mode("walk").obeys(no_left)
        (True, False, False)
        """
        is_meant = restriction.vehicle is None or restriction.vehicle in self.vehicles
        return bool(self.vehicles) and is_meant and set(self.vehicles).isdisjoint(restriction.exempt)

    @cached_property
    def _rules(self) -> _Rules:
        return _Rules(Access.of(self), Directions.of(self), Speeds.of(self), Ferries.of(self), Nodes.of(self))

    @cached_property
    def _conditions(self) -> frozenset[str]:
        """Keys of conditions that concern this mode."""
        access, directions, speeds, _, _ = self._rules
        general = ("oneway",) if self.oneway else ()
        posted = MAXSPEED_KEYS if speeds.is_posted else ()
        keys = (*access.keys, *access.one_sided, *general, *directions.keys, *posted)
        return frozenset(key + CONDITIONAL for key in keys)

    def _conditional(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        found = self._conditions & tags.keys()
        return tuple(sorted(found)) if found else ()

    def _closed(self, tags: Mapping[str, str], could_open: Iterable[str]) -> WayRule:
        """Return a closed way, with the conditions that might open it at times."""
        found = {key + CONDITIONAL for key in could_open} & self._conditions & tags.keys()
        return CLOSED._replace(conditional=tuple(sorted(found))) if found else CLOSED

    def _ferry(self, tags: Mapping[str, str]) -> WayRule:
        rules = self._rules
        if not rules.ferries.takes(tags, rules.access):
            return CLOSED
        along, against, unknown_oneway = rules.directions.read(tags)
        duration_s = parse_duration(tags.get("duration", ""))
        return WayRule(
            rules.ferries.kmh if along else 0.0,
            rules.ferries.kmh if against else 0.0,
            duration_s is None,
            duration_s,
            unknown_oneway,
            conditional=self._conditional(tags),
        )

    def _kmh(
        self, tags: Mapping[str, str], side: str, usual_kmh: float, limit_kmh: float
    ) -> tuple[float, bool, str | None]:
        """Return the speed in one direction, whether it was read from a tag, and a value not known."""
        posted_kmh, unknown = self._rules.speeds.posted(tags, side)
        kmh = usual_kmh if posted_kmh is None else posted_kmh
        return min(kmh, limit_kmh, self.top_kmh), posted_kmh is not None and kmh <= limit_kmh, unknown


def mode_from_dict(entry: Mapping[str, Any]) -> TravelMode:
    """Return a mode from its plain values, as in ``data/modes.toml`` or a manifest."""
    return TravelMode(**{key: plain(value) for key, value in entry.items()})


def travel_mode(mode: str | TravelMode, **changes: Any) -> TravelMode:
    """
    Return a travel mode by name, with some of its fields changed.

    Parameters
    ----------
    mode
        A name of ``data/modes.toml``, or a mode to start from.
    **changes
        Fields of `TravelMode` to replace. Tables, such as the speeds by class, are merged line by line.

    Returns
    -------
    The mode.

    Raises
    ------
    NetworkError
        CG-NET-040 if the name is not known.
    InputError
        CG-IN-004 if a field does not exist or is not usable.

    Examples
    --------
    A fire engine with blue lights on: against one-way streets, through private gates, past every turn restriction.

    >>> mode = travel_mode("fire_engine", oneway=False, closed=("no",), vehicles=())
    >>> mode.rule({"highway": "service", "oneway": "yes", "access": "private"})[:2]
    (20, 20)

    Signals that cost 15 s and left turns that cost 8 s: numbers of your city, as no standard gives them.

    >>> travel_mode("drive", node_delay_s={"highway=traffic_signals": 15}, left_turn_s=8).left_turn_s
    8
    """
    if not isinstance(mode, TravelMode):
        if mode not in mode_names():
            raise error("CG-NET-040", mode=mode, known=", ".join(mode_names()))
        mode = mode_from_dict(mode_entry(mode))
    known = {item.name: getattr(mode, item.name) for item in fields(TravelMode)}
    for key in changes.keys() - known.keys():
        raise error(
            "CG-IN-004", argument=key, value=changes[key], rule=f"A travel mode has: {', '.join(sorted(known))}.",
            hint="Use one of these names.",
        )  # fmt: skip
    require_kinds(changes)
    changed = replace(mode, **{key: plain(value) for key, value in merged(known, changes).items()})
    require_usable(changed)
    return changed
