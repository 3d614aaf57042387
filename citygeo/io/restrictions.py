"""Turn restrictions from OSM relations, whatever file they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from citygeo.io.streets import CONDITIONAL, Restriction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from citygeo.issues import IssueLog

KEY = "restriction"
# an older way to write that a restriction holds at times only
AT_TIMES = frozenset(("day_on", "day_off", "hour_on", "hour_off"))
PREFIXES = ("no_", "only_")
SEVERAL_FROM, SEVERAL_TO = "no_entry", "no_exit"


class Member(NamedTuple):
    """A member of a relation: "n", "w" or "r", its id and its role."""

    kind: str
    ref: int
    role: str


@dataclass
class RestrictionLog:
    """
    Turn restrictions while a file is read.

    Attributes
    ----------
    found
        Those that can be obeyed.
    malformed
        Id of each relation that cannot be understood -> why.
    at_times
        Ids of relations that hold at times only, or have a part that does; that part is left out.
    """

    found: list[Restriction] = field(default_factory=list)
    malformed: dict[int, str] = field(default_factory=dict)
    at_times: list[int] = field(default_factory=list)

    def add(self, number: int, tags: Mapping[str, str], members: Sequence[Member]) -> None:
        """
        Take a relation; those of another type than ``restriction`` are none of ours.

        Parameters
        ----------
        number
            Its id.
        tags, members
            What it holds.

        Examples
        --------
        >>> log = RestrictionLog()
        >>> members = [Member("w", 1, "from"), Member("n", 5, "via"), Member("w", 2, "to")]
        >>> log.add(7, {"type": "restriction", "restriction": "no_left_turn"}, members)
        >>> log.found[0].kind, log.found[0].via_node
        ('no_left_turn', 5)
        """
        if tags.get("type") != KEY:
            return
        keys = sorted(key for key in tags if key == KEY or key.startswith(f"{KEY}:"))
        lasting = [key for key in keys if not key.endswith(CONDITIONAL) and AT_TIMES.isdisjoint(tags)]
        if len(lasting) < len(keys):
            self.at_times.append(number)
        elif not keys:
            self.malformed[number] = "no restriction tag"
        for key in lasting:
            made = _restriction(number, key, tags, members)
            if isinstance(made, str):
                self.malformed[number] = made
            else:
                self.found.append(made)

    def report(self, issues: IssueLog, source: str) -> None:
        """Add what was left out: CG-NET-062 malformed, CG-NET-063 at times only."""
        reasons = ", ".join(sorted(set(self.malformed.values())))
        issues.add(
            "CG-NET-062", count=len(self.malformed), sample=self.malformed, path=source, reasons=reasons
        )
        issues.add("CG-NET-063", count=len(self.at_times), sample=self.at_times, path=source)


def _restriction(
    number: int, key: str, tags: Mapping[str, str], members: Sequence[Member]
) -> Restriction | str:
    """Return the restriction that one tag of a relation states, or why it cannot be understood."""
    kind = tags[key].strip()
    if not kind.startswith(PREFIXES):
        return f"{key}={kind}"
    parts: dict[tuple[str, str], list[int]] = {}
    for member in members:
        parts.setdefault((member.role, member.kind), []).append(member.ref)
    problem = _problem(kind, {place: len(refs) for place, refs in parts.items()})
    if problem is not None:
        return problem
    via_nodes = parts.get(("via", "n"), [])
    exempt = tags.get("except", "").replace(",", ";").split(";")
    return Restriction(
        id=number,
        kind=kind,
        from_way=tuple(parts["from", "w"]),
        via_node=via_nodes[0] if via_nodes else None,
        via_way=tuple(parts.get(("via", "w"), ())),
        to_way=tuple(parts["to", "w"]),
        vehicle=key.partition(":")[2] or None,
        exempt=tuple(vehicle.strip() for vehicle in exempt if vehicle.strip()),
    )


def _problem(kind: str, count: Mapping[tuple[str, str], int]) -> str | None:
    """Return what is wrong with the number of members by role and kind of object, `None` if nothing."""
    wrong = [place for place in count if place[0] in {"from", "via", "to"} and place not in _FITTING]
    if wrong:
        return f"{wrong[0][0]} of the wrong kind"
    for role, several in (("from", SEVERAL_FROM), ("to", SEVERAL_TO)):
        ways = count.get((role, "w"), 0)
        if ways == 0 or (ways > 1 and kind != several):
            return f"no {role}" if ways == 0 else f"several {role}"
    nodes, ways = count.get(("via", "n"), 0), count.get(("via", "w"), 0)
    if nodes + ways == 0:
        return "no via"
    return "several via" if nodes > 1 or (nodes and ways) else None


_FITTING = {("from", "w"), ("via", "w"), ("via", "n"), ("to", "w")}
