"""How much of something can be reached: opportunities within minutes, counted, weighed, or fading with time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from citygeo import engine as engines
from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.reach.place import place_facilities, require_minutes, require_threads, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.engine import Engine
    from citygeo.network import RoadNetwork
    from citygeo.network.snap_layer import Polygons

    Decay = Callable[[NDArray[np.float64]], NDArray[np.float64]]

MOST_FADING_MINUTES = 240.0  # a decay is tabulated at each millisecond
COUNT = "opportunities"


def accessibility(
    network: RoadNetwork,
    origins: gpd.GeoDataFrame,
    opportunities: gpd.GeoDataFrame,
    *,
    minutes: float | Sequence[float],
    weight: str | Sequence[str] | None = None,
    decay: Decay | None = None,
    max_snap_m: float = 200.0,
    polygons: Polygons = "point",
    engine: Engine = "auto",
    threads: int | None = None,
) -> gpd.GeoDataFrame:
    """
    Sum up the opportunities that each origin reaches within the given minutes.

    Parameters
    ----------
    network
        The road network.
    origins, opportunities
        Points (or anything a point can stand for) with a CRS.
    minutes
        One or several inclusive bounds, above 0 and up to 1,440; all are answered by one pass.
    weight
        Columns of `opportunities` to sum, such as jobs or beds, 0 or more; each counts 1 if `None`.
    decay
        What an opportunity counts at so many minutes, 0 to 1: a function of an array. Evaluated at each whole
        millisecond and rounded to 2**-30; bounds up to 240 minutes. The logarithm of sums with
        ``lambda m: np.exp(-beta * m)`` is the logsum. Everything within the minutes counts fully if `None`.
    max_snap_m, polygons
        As in `service_area`, for both layers.
    engine, threads
        As in `travel_times`; the answer does not depend on them, to the last bit, since weights are added as whole
        multiples of a power of two: of 1 where they are whole, else of a 2**52th of their sum. With a decay, of 1 if
        they are whole and add up to less than 2**32, else of a 2**32th of their sum.

    Returns
    -------
    The origins, one row for each of the minutes under their label: minutes, ``opportunities`` or for each weight
    ``<weight>_reached`` (NaN where an origin is not on the network), status and snap_distance_m.

    Raises
    ------
    InputError
        CG-IN-003: unusable weights. CG-IN-004: a decay that is not 0 to 1, weights that are not names, or a result
        that would replace a column of the origins. CG-IN-005: no such column. Others as `service_area`.
    UnitError
        CG-UNIT-002: minutes out of range.
    CRSError, NetworkError
        As `service_area`.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> reach = cg.accessibility(city.network("drive"), city.stations, city.stations, minutes=[5, 15])
    >>> reach.minutes.tolist()[:2], bool((reach.opportunities >= 1).all())
    ([5.0, 15.0], True)
    """
    bands = require_minutes(minutes)
    require_threads(threads)
    engines.require_engine(engine)
    names = _names(weight, origins)
    weights = (
        np.ones((len(opportunities), 1)) if weight is None else _weights(opportunities, list(names.values()))
    )
    fading = None if decay is None else _tabulated(decay, bands)
    log = IssueLog()
    start, goal = (
        place_facilities(
            network, layer, delay_s=0.0, max_snap_m=max_snap_m, log=log, name=name, polygons=polygons
        )
        for name, layer in (("origins", origins), ("opportunities", opportunities))
    )
    sums = engines.sums(
        network, "from", start.places, goal.places, weights, cutoffs_ms=[to_ms(band) for band in bands], decay=fading,
        engine=engine, threads=threads,
    )  # fmt: skip
    log.announce()
    sums[~start.snaps.is_on] = np.nan
    n = len(bands)
    rows = origins.iloc[np.repeat(np.arange(len(origins)), n)]
    return rows.assign(
        minutes=np.tile(bands, len(origins)),
        **{column: sums[:, :, i].ravel() for i, column in enumerate(names)},
        status=np.repeat(start.snaps.status, n),
        snap_distance_m=np.repeat(start.snaps.distance_m, n),
    )


def _names(weight: str | Sequence[str] | None, origins: gpd.GeoDataFrame) -> dict[str, str]:
    """Return the column summed for each column of the result; raise where that cannot be told."""
    listed = [weight] if isinstance(weight, str) else weight
    if listed is not None and (len(listed) == 0 or not all(isinstance(name, str) for name in listed)):
        raise error(
            "CG-IN-004", argument="weight", value=weight, rule="It names one or more columns of the opportunities.",
            hint="Leave it out to count them.",
        )  # fmt: skip
    names = {COUNT: COUNT} if listed is None else {f"{name}_reached": name for name in listed}
    taken = [
        column for column in (*names, "minutes", "status", "snap_distance_m") if column in origins.columns
    ]
    if taken:
        raise error(
            "CG-IN-004", argument="origins", value=f"a layer with a column {taken[0]}",
            rule="The result has a column of this name.", hint="Rename the column of the origins.",
        )  # fmt: skip
    return names


def _weights(layer: gpd.GeoDataFrame, names: list[str]) -> NDArray[np.float64]:
    """Return the named columns, `(rows, names)`; raise unless they are numbers from 0."""
    columns: list[NDArray[np.float64]] = []
    for name in names:
        if name not in layer.columns:
            listed = ", ".join(map(str, layer.columns))
            raise error("CG-IN-005", layer="opportunities", column=name, columns=listed)
        numbers = pd.to_numeric(layer[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        is_bad = ~((numbers >= 0) & np.isfinite(numbers))
        if is_bad.any():
            sample = ", ".join(str(label) for label in layer.index[is_bad][:5])
            raise error(
                "CG-IN-003", count=int(is_bad.sum()), total=len(layer), layer="opportunities", column=name,
                sample=sample, rule="a number, 0 or more",
            )  # fmt: skip
        columns.append(numbers)
    return np.column_stack(columns)


def _tabulated(decay: Decay, bands: list[float]) -> NDArray[np.float64]:
    """Return what the decay says at each whole millisecond up to the last bound."""
    if bands[-1] > MOST_FADING_MINUTES:
        raise error(
            "CG-UNIT-002", argument="minutes", value=bands[-1], low=0, high=f"{MOST_FADING_MINUTES:g}",
            unit="minutes with a decay", hint="Were seconds passed?",
        )  # fmt: skip
    minutes = np.arange(to_ms(bands[-1]) + 1) / 60_000
    values: Any = decay(minutes)
    table = np.asarray(values, np.float64)
    if table.shape != minutes.shape or not ((table >= 0) & (table <= 1)).all():
        raise error(
            "CG-IN-004", argument="decay", value=getattr(decay, "__name__", "function"),
            rule="It must give a number from 0 to 1 for each of an array of minutes.",
            hint="For example decay=lambda minutes: np.exp(-minutes / 10).",
        )  # fmt: skip
    return table
