"""What happens at a node: barriers that stop a mode, and places where it loses time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from citygeo.modes.access import is_listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from citygeo.modes import TravelMode
    from citygeo.modes.access import Access

Heading = Literal["both", "forward", "backward"]


class NodeRule(NamedTuple):
    """How a mode passes a node: whether it cannot, the seconds lost, and in which direction of the way's drawing."""

    is_closed: bool
    delay_s: float
    heading: Heading = "both"


class Nodes(NamedTuple):
    """The node rules of a mode, ready to be applied."""

    passes: frozenset[tuple[str, str]]
    closed_by: Mapping[str, frozenset[str]]
    delay_s: Mapping[tuple[str, str], float]

    @classmethod
    def of(cls, mode: TravelMode) -> Nodes:
        """Prepare the node rules of a mode."""
        return cls(
            frozenset(split_tag(tag) for tag in mode.node_passes),
            {key: frozenset(values) for key, values in mode.node_closed_by.items()},
            {split_tag(tag): delay for tag, delay in mode.node_delay_s.items()},
        )

    def read(self, tags: Mapping[str, str], access: Access) -> NodeRule:
        """Return how the mode passes a node with these tags."""
        if self._is_closed(tags, access):
            return NodeRule(is_closed=True, delay_s=0.0)
        # a crossing with lights is tagged twice, but one waits once: the longest delay counts, not the sum
        delay_s = max((self.delay_s[tag] for tag in self.delay_s.keys() & tags.items()), default=0.0)
        return NodeRule(is_closed=False, delay_s=delay_s, heading=_heading(tags) if delay_s else "both")

    def _is_closed(self, tags: Mapping[str, str], access: Access) -> bool:
        if "barrier" in tags:
            is_let_through = not self.passes.isdisjoint(tags.items())
            verdict = access.verdict(tags, access.keys[:1] if is_let_through else access.keys)
            if is_let_through or verdict is not None:
                return verdict is False
        elif "highway" in tags:
            # access tags of a crossing or a stop say who may cross there, not who may drive on
            return False
        return is_listed(tags, self.closed_by)


def split_tag(tag: str) -> tuple[str, str]:
    """
    Return the key and the value of a tag written as ``key=value``.

    Raises
    ------
    ValueError
        If it is not of this form.

    Examples
    --------
    >>> split_tag("highway=traffic_signals")
    ('highway', 'traffic_signals')
    """
    key, _, value = tag.partition("=")
    if not key or not value:
        raise ValueError(tag)
    return key, value


def _heading(tags: Mapping[str, str]) -> Heading:
    """Return for which direction of the way's drawing a signal or sign stands; a compass direction does not say."""
    match tags.get("traffic_signals:direction", tags.get("direction")):
        case "forward":
            return "forward"
        case "backward":
            return "backward"
        case _:
            return "both"
