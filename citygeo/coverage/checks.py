"""What callers may ask, and findings on layers that do not fit the city or each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from citygeo import datum, demand
from citygeo.coverage.measures import columns_of
from citygeo.coverage.points import FEW
from citygeo.coverage.zones import NO_ZONE
from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.coverage.measures import Measure
    from citygeo.coverage.points import Located
    from citygeo.coverage.question import Question
    from citygeo.coverage.zones import Level
    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork

OWN_NAMES = ("population", "buildings", "floor_area")
TAKEN = (  # by other columns of the tables
    "level", "zone", "name", "geometry", "road_km", "time_s", "facility", "depth", "status", "snap_distance_m",
    "h3_cell",
)  # fmt: skip
SAME = 1e-9  # areas cut in pieces add up to the whole but for rounding
TOLD_KM2 = 1e-6


def require_names(question: Question) -> None:
    """Raise CG-COV-011 if two measures have one name, or one column in a table."""
    land, points = (
        ["area", *(question.areas or {})],
        [*OWN_NAMES, *question.columns, *(question.points or {})],
    )
    columns = [*TAKEN, *land]
    for name in land:
        columns += columns_of(name, "_km2").values()
    for name in points:
        columns += columns_of(name).values()
    repeated = sorted({str(column) for column in columns if columns.count(column) > 1})
    if repeated:
        raise error("CG-COV-011", names=", ".join(repeated))


def require_inside(
    facilities: gpd.GeoDataFrame, city: NDArray[np.object_] | None, network: RoadNetwork, log: IssueLog
) -> gpd.GeoDataFrame:
    """
    Return the facilities with some part in the city; record the others.

    Raises
    ------
    InputError
        CG-COV-001: nobody said what the city is. CG-COV-002: none is in it.
    """
    if city is None:
        raise error("CG-COV-001")
    shapes = facilities.geometry.to_crs(network.metric_crs).to_numpy()
    is_inside = np.zeros(len(facilities), np.bool_)
    is_inside[shapely.STRtree(city).query(shapes, predicate="intersects")[0]] = True
    if not is_inside.any():
        raise error("CG-COV-002", total=len(facilities))
    outside = facilities.index[~is_inside]
    log.add("CG-COV-003", count=len(outside), sample=outside, total=len(facilities))
    return facilities[is_inside]


def note_repeated(layer: pd.DataFrame, log: IssueLog) -> None:
    """Record labels of the demand that several rows have."""
    repeated = layer.index[layer.index.duplicated()].unique()
    log.add("CG-COV-012", count=len(repeated), sample=repeated)


def note_people_outside(people: Located, levels: Mapping[str, Level], log: IssueLog) -> None:
    """Record people outside every zone of a level; only the first level is expected to hold them all."""
    total = people.layer.weight.sum()
    for level, code in zip(levels, ("CG-DEM-004", *["CG-DEM-011"] * len(levels)), strict=False):
        outside = people.layer.weight[people.zone[level] == NO_ZONE].sum()
        counts = {"people": f"{demand.from_micro(outside):,.0f}", "total": f"{demand.from_micro(total):,.0f}"}
        log.add(code, count=int(outside > 0), level=level, **counts)


def note_people_beyond(
    people: Located, city: NDArray[np.object_], network: RoadNetwork, log: IssueLog
) -> None:
    """Record people outside a study area; they count, as land there does not."""
    places = gpd.GeoSeries(people.layer.points(), crs=datum.WGS84).to_crs(network.metric_crs).to_numpy()
    is_beyond = np.ones(len(people.layer), np.bool_)
    is_beyond[shapely.STRtree(places).query(city, predicate="intersects")[1]] = False
    beyond, total = people.layer.weight[is_beyond].sum(), people.layer.weight.sum()
    counts = {"people": f"{demand.from_micro(beyond):,.0f}", "total": f"{demand.from_micro(total):,.0f}"}
    code = "CG-COV-010" if beyond > FEW * total else "CG-COV-013"
    log.add(code, count=int(beyond > 0), **counts)


def note_outside_land(
    name: str, given: NDArray[np.object_], counted: NDArray[np.object_], log: IssueLog
) -> None:
    """Record land of a layer that is not counted because it is outside the city."""
    whole, inside = (float(shapely.area(ground).sum() / 1e6) for ground in (given, counted))
    is_part = whole - inside > max(SAME * whole, TOLD_KM2)
    log.add("CG-COV-009", count=int(is_part), name=name, km2=f"{whole - inside:,.4g}", total=f"{whole:,.4g}")


def note_empty(totals: Mapping[str, float], log: IssueLog) -> None:
    """Record measures, by their totals, of which there is nothing in the city: their share is missing, not 0."""
    empty = [name for name, total in totals.items() if not total > 0]
    log.add("CG-COV-008", count=len(empty), sample=empty)


def note_gaps(
    measures: Iterable[Measure], level: Level, sums: Mapping[str, NDArray[np.float64]], log: IssueLog
) -> None:
    """Record what lies in no zone of a level, apart from people, who are told of elsewhere."""
    told = []
    for measure in measures:
        if measure.name == "population":
            continue
        whole = measure.whole("total")
        gap = whole - float(np.nansum(sums[measure.columns["total"]]))
        if gap > max(SAME * whole, TOLD_KM2):
            told.append(f"{gap:,.4g} of {whole:,.4g} {measure.unit} of {measure.name}")
    log.add("CG-COV-006", count=len(told), sample=told, level=level.name)
