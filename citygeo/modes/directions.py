"""In which directions a way is open: one-way streets, what implies them, and who is excepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from citygeo.modes.access import is_listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from citygeo.modes import TravelMode

# along, against; the last two change direction with the hour or the signal: open both ways, one at a time
ONEWAY = {
    **dict.fromkeys(("yes", "true", "1"), (True, False)),
    **dict.fromkeys(("-1", "reverse"), (False, True)),
    **dict.fromkeys(("no", "false", "0", "reversible", "alternating"), (True, True)),
}
CIRCLES = frozenset(("roundabout", "circular"))
# "cycleway:left:oneway" of a lane that is not part of the way says nothing
NO_LANE = frozenset(("no", "none", "separate"))


class Directions(NamedTuple):
    """The one-way rules of a mode, ready to be applied."""

    is_bound: bool
    keys: tuple[str, ...]  # the mode's own, the most specific first
    contraflow: Mapping[str, frozenset[str]]
    lanes: Mapping[str, str]  # direction of a lane -> the lane

    @classmethod
    def of(cls, mode: TravelMode) -> Directions:
        """Prepare the one-way rules of a mode."""
        return cls(
            mode.oneway,
            tuple(reversed(mode.oneway_keys)),
            {key: frozenset(values) for key, values in mode.contraflow.items()},
            {key: key.removesuffix(":oneway") for key in mode.lane_oneway_keys},
        )

    @property
    def all_keys(self) -> frozenset[str]:
        """Keys that these rules look at."""
        general = ("oneway", "junction") if self.is_bound else ()
        return frozenset((*general, *self.keys, *self.contraflow, *self.lanes, *self.lanes.values()))

    def read(self, tags: Mapping[str, str]) -> tuple[bool, bool, str | None]:
        """Return whether the way is open along and against its drawing, and a value that is not known."""
        unknown = None
        for key in self.keys:
            if key in tags:
                if tags[key] in ONEWAY:  # the mode's own tag needs no exceptions
                    return *ONEWAY[tags[key]], None
                unknown = tags[key]
        if not self.is_bound:
            return True, True, unknown
        value = tags.get("oneway")
        street = ONEWAY.get(value or "", (True, not _is_implied(tags)))
        if value is not None and value not in ONEWAY:
            unknown = unknown or value
        return *(street if all(street) else self._with_lanes(tags, street)), unknown

    def _with_lanes(self, tags: Mapping[str, str], street: tuple[bool, bool]) -> tuple[bool, bool]:
        """Add the directions of the mode's own lanes to those of a one-way street."""
        if is_listed(tags, self.contraflow):
            return True, True
        along, against = street
        for key, lane in self.lanes.items():
            if key in tags and tags.get(lane) not in NO_LANE:
                lane_along, lane_against = ONEWAY.get(tags[key], (False, False))
                along, against = along or lane_along, against or lane_against
        return along, against


def _is_implied(tags: Mapping[str, str]) -> bool:
    """Return whether the kind of way implies one-way traffic along its drawing."""
    return tags.get("junction") in CIRCLES or tags.get("highway") == "motorway"
