"""
The rules of an Overture segment in OSM's words.

Overture lists rules; the last one that matches decides. OSM has a tag for each kind of traveller, and the most
specific tag decides. So each OSM key is given the outcome of the list for the travellers it names, wherever that
differs from the outcome for the wider group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Rule = dict[str, Any]
Heading = str  # "forward" or "backward"
HEADINGS = ("forward", "backward")
# OSM key -> the wider one; the travel modes of Overture, shown below, form the same tree
WIDER = {
    "access": None, "foot": "access", "vehicle": "access", "bicycle": "vehicle", "motor_vehicle": "vehicle",
    "motorcar": "motor_vehicle", "motorcycle": "motor_vehicle", "hgv": "motor_vehicle", "hov": "motor_vehicle",
    "bus": "motor_vehicle", "emergency": "motor_vehicle",
}  # fmt: skip
# where Overture's word is another
KEYS = {"car": "motorcar", "truck": "hgv"}
VALUES = {"allowed": "yes", "denied": "no", "designated": "designated"}
# who or what for -> the OSM value of a way closed to all others
PURPOSES = {
    "as_customer": "customers", "at_destination": "destination", "to_deliver": "delivery", "to_farm": "agricultural",
    "for_forestry": "forestry", "as_permitted": "permit", "as_private": "private", "as_disabled": "disabled",
    "as_employee": "private", "as_student": "private",
}  # fmt: skip
LINKED = frozenset(("motorway", "trunk", "primary", "secondary", "tertiary"))
# subclass -> tag
SUBCLASSES = {
    "sidewalk": ("footway", "sidewalk"),
    "crosswalk": ("footway", "crossing"),
    "cycle_crossing": ("cycleway", "crossing"),
    "parking_aisle": ("service", "parking_aisle"),
    "driveway": ("service", "driveway"),
    "alley": ("service", "alley"),
}
FLAGS = {
    "is_bridge": ("bridge", "yes"),
    "is_tunnel": ("tunnel", "yes"),
    "is_under_construction": ("highway", "construction"),
    "is_abandoned": ("highway", "abandoned"),
}
UNITS = {"km/h": "", "mph": " mph"}
RULE_COLUMNS = (
    "access_restrictions", "speed_limits", "road_flags", "level_rules", "subclass_rules", "road_surface",
)  # fmt: skip


class Segment(NamedTuple):
    """The properties of a segment that become tags; lists of rules are `None` if there are none."""

    subtype: str
    class_: str | None
    subclass: str | None
    rules: Mapping[str, Sequence[Rule] | None]  # by RULE_COLUMNS

    @property
    def varies(self) -> bool:
        """Whether some rule holds on a part of the segment only."""
        return any(rule.get("between") is not None for rules in self.rules.values() for rule in rules or ())


def is_left_out(rule: Rule) -> bool:
    """
    Return whether a rule is not read.

    Those are rules for certain times, for sizes of vehicles, that refuse some purposes only, and words newer than
    schema 1.
    """
    when = rule.get("when") or {}
    if "access_type" in rule and rule["access_type"] not in VALUES:
        return True
    if (rule.get("max_speed") or {}).get("unit", "km/h") not in UNITS:
        return True
    has_purpose = bool(when.get("using") or when.get("recognized"))
    is_permission = rule.get("access_type") in ("allowed", "designated")
    return bool(when.get("during") or when.get("vehicle")) or (has_purpose and not is_permission)


def tags_at(segment: Segment, position: float) -> dict[str, str]:
    """
    Return the tags of a segment at a position from 0 to 1 along it.

    Rules that `is_left_out` names do not count. A rule that denies a heading to all makes a one-way street, as OSM
    has it: it does not bind walkers, and only a rule that names the heading opens it again.

    Examples
    --------
    >>> segment = Segment("road", "primary", "link", {"access_restrictions": [
    ...     {"access_type": "denied", "when": {"heading": "backward"}},
    ...     {"access_type": "allowed", "when": {"heading": "backward", "mode": ["bus"]}},
    ... ]})
    >>> tags_at(segment, 0.5)
    {'highway': 'primary_link', 'oneway': 'yes', 'oneway:bus': 'no', 'bus:backward': 'yes'}
    """
    rules = {name: [*_matching(segment.rules.get(name), position)] for name in RULE_COLUMNS}
    tags = _kind(segment, rules)
    tags.update(_directions(rules["access_restrictions"]))
    tags.update(_access(rules["access_restrictions"]))
    tags.update(_speeds(rules["speed_limits"]))
    return tags


def _matching(rules: Sequence[Rule] | None, position: float) -> Iterable[Rule]:
    for rule in rules or ():
        between = rule.get("between")
        if (between is None or between[0] <= position <= between[1]) and not is_left_out(rule):
            yield rule


def _kind(segment: Segment, rules: Mapping[str, list[Rule]]) -> dict[str, str]:
    """Return what the segment is: class, link, bridge, level, surface."""
    if segment.subtype == "water":
        return {"route": "ferry"}
    flags = {flag for rule in rules["road_flags"] for flag in rule.get("values") or ()}
    subclass = rules["subclass_rules"][-1].get("value") if rules["subclass_rules"] else segment.subclass
    highway = segment.class_ if segment.class_ not in (None, "unknown") else "road"
    is_link = subclass == "link" or "is_link" in flags
    tags = {"highway": f"{highway}_link" if is_link and highway in LINKED else str(highway)}
    tags.update([SUBCLASSES[subclass]] if subclass in SUBCLASSES else [])
    tags.update(FLAGS[flag] for flag in FLAGS if flag in flags)
    level = rules["level_rules"][-1].get("value") if rules["level_rules"] else None
    surface = rules["road_surface"][-1].get("value") if rules["road_surface"] else None
    tags.update({"layer": str(level)} if level else {})
    tags.update({"surface": str(surface)} if surface not in (None, "unknown") else {})
    return tags


def keys_of(rule: Rule) -> list[str]:
    """Return the OSM keys of the modes a rule names."""
    return [KEYS.get(mode, mode) for mode in (rule.get("when") or {}).get("mode") or ()]


def _heading(rule: Rule) -> Heading | None:
    heading: Heading | None = (rule.get("when") or {}).get("heading")
    return heading


def _is_oneway(rule: Rule) -> bool:
    """Return whether a rule is about a heading and all travellers."""
    return _heading(rule) is not None and not keys_of(rule)


def _directions(rules: list[Rule]) -> dict[str, str]:
    """Return ``oneway`` and the travellers it does not bind."""
    closed = dict.fromkeys(HEADINGS, False)
    opened: dict[str, set[Heading]] = {}
    for rule in rules:
        heading, is_denied = _heading(rule), rule["access_type"] == "denied"
        if heading is None:
            continue
        if not keys_of(rule):
            closed[heading] = is_denied
        for key in keys_of(rule):
            (opened.setdefault(key, set()).discard if is_denied else opened.setdefault(key, set()).add)(
                heading
            )
    if closed["forward"] == closed["backward"]:
        return {"access": "no"} if closed["forward"] else {}
    shut = "backward" if closed["backward"] else "forward"
    free = {f"oneway:{key}": "no" for key, headings in opened.items() if shut in headings}
    return {"oneway": "yes" if shut == "backward" else "-1", **free}


def _access(rules: list[Rule]) -> dict[str, str]:
    """Return access tags, for one heading only where the two differ."""
    rules = [rule for rule in rules if not _is_oneway(rule)]
    outcome = {(key, heading): _outcome(rules, key, heading) for key in WIDER for heading in HEADINGS}
    tags = {}
    for key, wider in WIDER.items():
        forward, backward = (outcome[key, heading] for heading in HEADINGS)
        is_new = [wider is None or outcome[key, heading] != outcome[wider, heading] for heading in HEADINGS]
        if forward == backward and forward is not None and any(is_new):
            tags[key] = forward
        elif forward != backward:
            for heading, is_other in zip(HEADINGS, is_new, strict=True):
                value = outcome[key, heading]
                if is_other and value is not None:
                    tags[f"{key}:{heading}"] = value
    return tags


def _outcome(rules: list[Rule], key: str, heading: Heading) -> str | None:
    """Return the value that the last rule for a group of travellers gives them, `None` without one."""
    groups = {key}
    wider = WIDER[key]
    while wider is not None:
        groups.add(wider)
        wider = WIDER[wider]
    value = None
    for rule in rules:
        is_meant = not keys_of(rule) or not groups.isdisjoint(keys_of(rule))
        if is_meant and _heading(rule) in (None, heading):
            when = rule.get("when") or {}
            purposes = [*(when.get("using") or ()), *(when.get("recognized") or ())]
            if not purposes:
                value = VALUES[rule["access_type"]]
            elif value not in (
                None,
                "yes",
                "designated",
            ):  # permission for some means something where all are kept out
                value = ";".join(
                    dict.fromkeys(PURPOSES[purpose] for purpose in purposes if purpose in PURPOSES)
                )
    return value


def _speeds(rules: list[Rule]) -> dict[str, str]:
    """Return ``maxspeed`` as the last rule for cars has it, for one heading only where the two differ."""
    cars = {"vehicle", "motor_vehicle", "motorcar"}
    found: dict[Heading, str] = {}
    for rule in rules:
        speed = rule.get("max_speed")
        if speed is not None and (not keys_of(rule) or not cars.isdisjoint(keys_of(rule))):
            text = f"{speed['value']:g}{UNITS[speed['unit']]}"
            found.update({heading: text for heading in HEADINGS if _heading(rule) in (None, heading)})
    if len(set(found.values())) == 1 and len(found) == len(HEADINGS):
        return {"maxspeed": found["forward"]}
    return {f"maxspeed:{heading}": text for heading, text in found.items()}
