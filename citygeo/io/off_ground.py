"""Which roads are not on the ground: bridges, tunnels and ferries, which nobody leaves on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUND, BRIDGE, TUNNEL, FERRY = range(4)
LETTERS = "gbtf"  # of these kinds, as attributes of graphs spell them: text that no table takes for a number
NO = frozenset(("", "no", "false", "0"))
# a road under a house stays on the ground
NO_TUNNEL = NO | {"building_passage"}


def off_ground(tags: Mapping[str, str]) -> int:
    """
    Return the kind of a way: `GROUND`, `BRIDGE`, `TUNNEL` or `FERRY`.

    A ferry is one whatever else the tags say; what is both a bridge and a tunnel is roofed on all sides: a tunnel. Of
    several values, as an edge merged from several ways has them, one that is not "no" is enough.

    Parameters
    ----------
    tags
        Of OSM; ``highway=ferry`` is the class that networks give to ``route=ferry``.

    Examples
    --------
    >>> off_ground({"highway": "primary", "bridge": "viaduct"}), off_ground({"highway": "primary", "bridge": "no"})
    (1, 0)
    """
    if "ferry" in (tags.get("route"), tags.get("highway")):
        return FERRY
    if _has_other(tags.get("tunnel", ""), NO_TUNNEL):
        return TUNNEL
    return BRIDGE if _has_other(tags.get("bridge", ""), NO) else GROUND


def _has_other(value: str, usual: frozenset[str]) -> bool:
    return not usual.issuperset(one.strip() for one in value.split(";"))


def kinds_of(text: object, n_segments: int) -> list[int] | None:
    """
    Return the kinds of the segments that the attribute of an edge spells, `None` if it does not fit.

    Examples
    --------
    >>> kinds_of("ggbg", 4), kinds_of("ggbg", 3), kinds_of("yes", 3)
    ([0, 0, 1, 0], None, None)
    """
    kinds = [LETTERS.find(letter) for letter in str(text)]
    return kinds if len(kinds) == n_segments and min(kinds, default=GROUND) >= GROUND else None
