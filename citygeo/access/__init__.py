"""How much of something can be reached, and what each person's share of it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo import engine as engines
from citygeo import provenance
from citygeo.access.catchment import floating_catchment
from citygeo.access.decay import faded, name_of
from citygeo.access.opportunities import Opportunities, require_free
from citygeo.access.result import Accessibility, Question, asked_rows
from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.reach.place import (
    place_facilities,
    require_direction,
    require_minutes,
    require_threads,
    to_ms,
)
from citygeo.reach.standing import standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.access.decay import Fading
    from citygeo.access.opportunities import Weight
    from citygeo.engine import Engine
    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons

MOST_FADING_MINUTES = 240.0  # a decay is tabulated at each millisecond

__all__ = ["Accessibility", "accessibility", "floating_catchment"]


def accessibility(
    network: RoadNetwork,
    origins: gpd.GeoDataFrame | pd.DataFrame,
    opportunities: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame],
    *,
    minutes: float | Sequence[float],
    weight: Weight | Mapping[str, Weight] = None,
    decay: Fading | None = None,
    direction: Direction = "to",
    delay_s: float | str | None = None,
    max_snap_m: float = 200.0,
    polygons: Polygons = "point",
    engine: Engine = "auto",
    threads: int | None = None,
) -> Accessibility:
    """
    Sum up the opportunities that each origin reaches within the given minutes.

    Parameters
    ----------
    network
        The road network.
    origins
        Points, or anything a point can stand for, with a CRS; or a table indexed by H3 cells, which stand at their
        centres.
    opportunities
        The same; or several such by name, all answered by one pass.
    minutes
        One or several inclusive bounds, above 0 and up to 1,440; all are answered by one pass.
    weight
        Columns of `opportunities` to sum, such as jobs or beds, 0 or more; each row counts 1 if `None`. For several
        layers one for all of them, or one by name.
    decay
        What an opportunity counts at so many minutes, 0 to 1: one of `citygeo.decay`, or a function of an array.
        Evaluated at each whole millisecond and rounded to 2**-30; bounds up to 240 minutes. Everything within the
        minutes counts fully if `None`.
    direction
        ``"to"`` the opportunities, like a patient, or ``"from"`` them, like a fire engine.
    delay_s
        Seconds before setting out, part of the minutes: a number for all opportunities, or the name of a column.
        Default: the mode's own.
    max_snap_m, polygons
        As in `service_area`, for all layers.
    engine, threads
        As in `travel_times`; the answer does not depend on them, to the last bit, since weights are added as whole
        multiples of a power of two: of 1 where they are whole, else of a 2**52th of their sum. With a decay, of 1 if
        they are whole and add up to less than 2**32, else of a 2**32th of their sum.

    Returns
    -------
    The origins, one row for each of the minutes under their label: minutes, ``opportunities`` or for each weight
    ``<weight>_reached``, for several layers ``<name>_reached`` or ``<name>_<weight>_reached`` (NaN where an origin is
    not on the network), status and snap_distance_m. `pivot` lays the minutes side by side.

    Raises
    ------
    InputError
        CG-IN-003: unusable weights or delays. CG-IN-004: a decay that is not 0 to 1, weights or layers that are not
        named, or a result that would replace a column of the origins. CG-IN-005: no such column. Others as
        `service_area`.
    UnitError
        CG-UNIT-002: minutes out of range.
    CRSError, NetworkError
        As `service_area`.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> net = city.network("drive")
    >>> reach = cg.accessibility(net, city.stations, city.stations, minutes=[5, 15])
    >>> reach.minutes.tolist()[:2], bool((reach.opportunities >= 1).all())
    ([5.0, 15.0], True)
    >>> fading = cg.accessibility(net, city.stations, city.stations, minutes=15, decay=cg.decay.linear(15))
    >>> bool((fading.opportunities <= reach.opportunities[reach.minutes == 15]).all())
    True
    """
    bands = require_minutes(minutes)
    require_direction(direction)
    require_threads(threads)
    engines.require_engine(engine)
    wanted = Opportunities.of(opportunities, weight)
    fading = None if decay is None else _tabulated(decay, bands)
    log = IssueLog()
    stood = standing(origins)
    start = place_facilities(
        network, stood.places, delay_s=0.0, max_snap_m=max_snap_m, log=log, name="origins", polygons=polygons
    )
    columns = [wanted_sum.column for wanted_sum in wanted.sums]
    require_free(columns, stood.rows, "origins")
    goals = wanted.placed(network, delay_s=delay_s, max_snap_m=max_snap_m, polygons=polygons, log=log)
    away: Direction = "from" if direction == "to" else "to"  # seen from the origins
    sums = engines.sums(
        network, away, start.places, goals, wanted.weights(), cutoffs_ms=[to_ms(band) for band in bands], decay=fading,
        engine=engine, threads=threads,
    )  # fmt: skip
    log.announce()
    log.extend(network.log.found)
    sums[~start.snaps.is_on] = np.nan
    answers = sums.reshape(-1, len(columns))
    table = asked_rows(stood.rows, bands, dict(zip(columns, answers.T, strict=True)), start)
    inputs = {
        f"network {network.source['name']}": network.source["sha256"],
        "origins": provenance.sha256_layer(stood.rows),
        **wanted.sha256(),
    }
    parameters = {
        "mode": network.mode.to_dict(), "minutes": bands, "sums": {one.column: one.weight for one in wanted.sums},
        "decay": None if decay is None else name_of(decay), "direction": direction, "delay_s": delay_s,
        "max_snap_m": max_snap_m, "polygons": polygons, "operator": "<=",
    }  # fmt: skip
    made_by = provenance.describe("accessibility", inputs, parameters)
    question = Question(network, direction, "accessibility", tuple(columns), tuple(bands), log, made_by)
    return Accessibility.of(table, question)


def _tabulated(decay: Fading, bands: list[float]) -> NDArray[np.float64]:
    """Return what the decay says at each whole millisecond up to the last bound."""
    if bands[-1] > MOST_FADING_MINUTES:
        raise error(
            "CG-UNIT-002", argument="minutes", value=bands[-1], low=0, high=f"{MOST_FADING_MINUTES:g}",
            unit="minutes with a decay", hint="Were seconds passed?",
        )  # fmt: skip
    return faded(decay, np.arange(to_ms(bands[-1]) + 1) / 60_000)
