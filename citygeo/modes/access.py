"""Who may use a way or pass a node: access tags, from general to specific."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from citygeo.modes import TravelMode


def words(value: str) -> list[str]:
    """
    Return the values of a tag that lists several.

    Examples
    --------
    >>> words("agricultural; forestry")
    ['agricultural', 'forestry']
    """
    return [part.strip() for part in value.split(";")] if ";" in value else [value]


def is_listed(tags: Mapping[str, str], listed: Mapping[str, frozenset[str]]) -> bool:
    """
    Return whether some tag has one of the values listed for its key.

    Examples
    --------
    >>> is_listed({"foot": "yes;designated"}, {"foot": frozenset(("yes",))})
    True
    """
    return any(not values.isdisjoint(words(tags[key])) for key, values in listed.items() if key in tags)


class Access(NamedTuple):
    """The access rules of a mode, ready to be applied."""

    keys: tuple[str, ...]  # the most specific first, here and below
    along: tuple[str, ...]
    against: tuple[str, ...]
    one_sided: frozenset[str]  # keys that hold in one direction only
    closed: frozenset[str]
    opens_with: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, mode: TravelMode) -> Access:
        """Prepare the access rules of a mode."""
        keys = tuple(reversed(mode.access))
        along, against = (
            tuple(name for key in keys for name in (f"{key}:{side}", key)) for side in ("forward", "backward")
        )
        opens_with = {key: frozenset(values) for key, values in mode.opens_with.items()}
        return cls(
            keys,
            along,
            against,
            frozenset((*along, *against)).difference(keys),
            frozenset(mode.closed),
            opens_with,
        )

    def verdict(self, tags: Mapping[str, str], keys: Iterable[str]) -> bool | None:
        """Return whether the most specific tag lets the mode in, `None` without such a tag."""
        value = next((tags[key] for key in keys if key in tags), None)
        if value is None:
            return None
        # "agricultural;forestry" keeps out, "private;destination" lets in
        return value not in self.closed if ";" not in value else not self.closed.issuperset(words(value))

    def directions(self, tags: Mapping[str, str]) -> tuple[bool, bool]:
        """Return whether the mode may travel along and against the drawing of a way."""
        ask = partial(self.verdict, tags)
        if tags.keys().isdisjoint(self.one_sided):
            is_legal = ask(self.keys) is not False
            return is_legal, is_legal
        return ask(self.along) is not False, ask(self.against) is not False

    def is_opened(self, tags: Mapping[str, str]) -> bool:
        """Return whether a tag opens a way that its class or its state would close."""
        return is_listed(tags, self.opens_with)
