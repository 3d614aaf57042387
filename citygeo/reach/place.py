"""Check what a caller asks for, and put facilities on the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from citygeo import datum
from citygeo.engine import Places
from citygeo.errors import error
from citygeo.network import Direction
from citygeo.network.snap import NO_GEOMETRY, NOT_SNAPPED, require_place
from citygeo.network.snap_layer import snap_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork
    from citygeo.network.snap import Snaps
    from citygeo.network.snap_layer import Polygons, RowSnaps

MAX_MINUTES = 24 * 60.0
MOST_NEAREST = 1000


@dataclass(frozen=True)
class Facilities:
    """
    Facilities put on a network.

    Attributes
    ----------
    layer
        The caller's rows.
    entrances
        Where they stand: one place each, or the entrances of polygons and lines.
    delay_s
        Seconds each takes before setting out.
    late_ms
        Milliseconds by which its own limit is below the longest of all. It sets out so much later, so that one search
        with one bound answers for all limits; times that are told are without.
    """

    layer: gpd.GeoDataFrame
    entrances: RowSnaps
    delay_s: NDArray[np.float64]
    late_ms: NDArray[np.int64]

    @cached_property
    def snaps(self) -> Snaps:
        """The nearest place of each row."""
        return self.entrances.nearest

    def table(self, network: RoadNetwork) -> gpd.GeoDataFrame:
        """
        Return where each row stands on the network, by its nearest place if it has several.

        Columns: status (``ok``, ``not_snapped``, ``no_geometry``), snap_distance_m, snap_time_s, delay_s, edge,
        fraction (0 to 1 along the edge), geometry (the place on the road).
        """
        import geopandas as gpd
        import shapely

        snaps = self.snaps
        points = np.full(len(self.layer), None, object)
        points[snaps.is_on] = shapely.points(snaps.xy[snaps.is_on])
        data = {
            "status": snaps.status,
            "snap_distance_m": snaps.distance_m,
            "snap_time_s": np.where(snaps.is_on, snaps.walk_off_ms / 1000, np.nan),
            "delay_s": self.delay_s,
            "edge": snaps.edge,
            "fraction": snaps.share,
        }
        placed = gpd.GeoDataFrame(data, geometry=points, crs=network.metric_crs, index=self.layer.index)
        return placed.to_crs(self.layer.crs)

    @property
    def places(self) -> Places:
        """Where searches begin: time already spent is the delay, the stretch to the road, and `late_ms`."""
        return self.places_at(1.0)

    def places_at(self, walk_factor: float) -> Places:
        """Return `places` with the stretches to roads taking so many times as long."""
        on = self.entrances.snaps.is_on
        row, snaps = self.entrances.row[on], self.entrances.snaps.take(np.flatnonzero(on))
        walk_ms = np.rint(snaps.walk_off_ms * walk_factor).astype(np.int64)
        spent = np.rint(self.delay_s[row] * 1000).astype(np.int64) + walk_ms + self.late_ms[row]
        return Places(snaps.edge, snaps.share, spent, row, len(self.layer))


def place_facilities(
    network: RoadNetwork,
    layer: gpd.GeoDataFrame,
    *,
    delay_s: float | str | None,
    max_snap_m: float,
    log: IssueLog,
    name: str = "facilities",
    polygons: Polygons = "point",
    late_ms: NDArray[np.int64] | None = None,
) -> Facilities:
    """
    Check a layer, put its rows on the network and record what could not be.

    Parameters
    ----------
    network, layer, delay_s, max_snap_m, polygons
        As in `service_area`.
    log
        Told what is not on the network.
    name
        What the caller calls the layer, for messages.
    late_ms
        See `Facilities`; none if `None`.

    Raises
    ------
    CitygeoError
        As `service_area` and `snap_layer` list them.
    """
    datum.require_layer(layer, name)
    delays = _delays(network, layer, delay_s, name)
    entrances = snap_rows(network, layer, max_snap_m=max_snap_m, polygons=polygons, log=log, name=name)
    late = np.zeros(len(layer), np.int64) if late_ms is None else late_ms
    placed = Facilities(layer, entrances, delays, late)
    if not placed.snaps.is_on.any():
        points = datum.representative_points(layer)
        require_place(network, points, layer.crs, placed.snaps, name, max_snap_m)
    _note_unplaced(network, placed, max_snap_m, log, name)
    return placed


def _note_unplaced(
    network: RoadNetwork, placed: Facilities, max_snap_m: float, log: IssueLog, name: str
) -> None:
    """Record the rows that are not on the network, and those on a part of it that is apart."""
    label, status = placed.layer.index, placed.snaps.status
    far, empty = status == NOT_SNAPPED, status == NO_GEOMETRY
    log.add(
        "CG-NET-013", count=int(far.sum()), sample=label[far], total=len(label), layer=name,
        max_snap_m=f"{max_snap_m:g}",
    )  # fmt: skip
    log.add("CG-GEO-002", count=int(empty.sum()), sample=label[empty], layer=name)
    places = placed.places
    is_main = network.components[network.arrays["edge_node"][places.edge, 0].astype(np.int64)] == 0
    is_apart = placed.snaps.is_on & (np.bincount(places.row[is_main], minlength=len(label)) == 0)
    log.add("CG-NET-011", count=int(is_apart.sum()), sample=label[is_apart], layer=name)


def _delays(
    network: RoadNetwork, layer: gpd.GeoDataFrame, delay_s: float | str | None, name: str
) -> NDArray[np.float64]:
    """Return each facility's delay in seconds."""
    given = network.mode.delay_s if delay_s is None else delay_s
    day_s = MAX_MINUTES * 60
    return row_numbers(
        layer, given, name, "delay_s", "seconds from 0 to 86,400", lambda s: (s >= 0) & (s <= day_s)
    )


def own_minutes(
    layer: gpd.GeoDataFrame, minutes: float | str, name: str = "facilities"
) -> NDArray[np.float64]:
    """
    Return the limit of each row: one number for all, or a column of the layer.

    Parameters
    ----------
    layer
        The facilities.
    minutes
        Minutes above 0 and up to 1,440, or the name of a column of them.
    name
        What the caller calls the layer, for messages.

    Returns
    -------
    Minutes, float64, shape `(n,)`.

    Raises
    ------
    InputError
        CG-IN-003: rows without a usable limit. CG-IN-004: several numbers. CG-IN-005: no such column.
    UnitError
        CG-UNIT-002: a number out of range.
    """
    if not isinstance(minutes, str):
        return np.full(len(layer), require_one_bound(minutes))
    rule = f"minutes above 0 and up to {MAX_MINUTES:,.0f}"
    return row_numbers(layer, minutes, name, "minutes", rule, lambda m: (m > 0) & (m <= MAX_MINUTES))


def row_numbers(
    layer: gpd.GeoDataFrame,
    given: Any,
    name: str,
    argument: str,
    rule: str,
    is_usable: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """
    Return a number of each row, given as one number for all or as the name of a column.

    Parameters
    ----------
    layer, name
        The layer, and what the caller calls it.
    given
        The number or the column.
    argument, rule
        For messages: the argument, and what makes a number usable.
    is_usable
        Tells which numbers are; NaN must not be.

    Raises
    ------
    InputError
        CG-IN-003: a number that is not usable. CG-IN-005: no such column.
    """
    if isinstance(given, str):
        if given not in layer.columns:
            raise error("CG-IN-005", layer=name, column=given, columns=", ".join(map(str, layer.columns)))
        column = pd.to_numeric(layer[given], errors="coerce")
        numbers = np.asarray(column.to_numpy(np.float64, na_value=np.nan), np.float64)
    else:
        is_number = isinstance(given, int | float | np.number) and not isinstance(given, bool)
        numbers = np.full(len(layer), given if is_number else np.nan, np.float64)
    unusable = ~is_usable(numbers)
    if unusable.any():
        sample = ", ".join(str(label) for label in layer.index[unusable][:5])
        raise error(
            "CG-IN-003", count=int(unusable.sum()), total=len(layer), layer=name,
            column=given if isinstance(given, str) else argument, sample=sample, rule=rule,
        )  # fmt: skip
    return numbers


def require_minutes(minutes: float | Sequence[float]) -> list[float]:
    """Return the bands ascending, each once; raise CG-UNIT-002 unless all are above 0 and up to a day."""
    try:
        given = np.atleast_1d(np.asarray(minutes))
        bands = sorted({float(band) for band in given.astype(np.float64)} if given.dtype != np.bool_ else ())
    except (TypeError, ValueError):
        bands = []
    if not bands or not all(0 < band <= MAX_MINUTES for band in bands):
        raise error(
            "CG-UNIT-002", argument="minutes", value=minutes, low=0, high=int(MAX_MINUTES), unit="minutes",
            hint="Were seconds passed?",
        )  # fmt: skip
    return bands


def require_one_bound(minutes: float) -> float:
    """Return the bound; raise CG-UNIT-002 or, for several, CG-IN-004."""
    bands = require_minutes(minutes)
    if len(bands) > 1:
        raise error(
            "CG-IN-004", argument="minutes", value=minutes, rule="One bound is asked for.",
            hint="Call once for each; service_area takes several.",
        )  # fmt: skip
    return bands[0]


def require_range(argument: str, value: Any, low: float, high: float, unit: str, hint: str) -> None:
    """Raise CG-UNIT-002 unless `value` is a number from `low` (excluded if 0) to `high`."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or value == low == 0:
        raise error(
            "CG-UNIT-002", argument=argument, value=value, low=low, high=f"{high:g}", unit=unit, hint=hint
        )


def require_k(k: object) -> None:
    """Raise CG-UNIT-002 unless `k` is a whole number from 1 to 1000."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MOST_NEAREST:
        raise error(
            "CG-UNIT-002", argument="k", value=k, low=1, high=MOST_NEAREST, unit="facilities",
            hint="Give how many nearest facilities of each origin are wanted.",
        )  # fmt: skip


def require_threads(threads: object) -> None:
    """Raise CG-IN-004 unless `threads` is `None` or a whole number above 0."""
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise error(
            "CG-IN-004", argument="threads", value=threads, rule="It must be a whole number above 0.",
            hint="Leave it out to use all processors.",
        )  # fmt: skip


def require_direction(direction: str) -> None:
    """Raise CG-IN-004 unless the direction is known."""
    if direction not in get_args(Direction):
        raise error(
            "CG-IN-004", argument="direction", value=direction, rule='It is "from" or "to" the facility.',
            hint='Use "from" for a fire engine that drives out, "to" for people who come.',
        )  # fmt: skip


def to_ms(minutes: float) -> int:
    """Return whole milliseconds."""
    return round(minutes * 60_000)
