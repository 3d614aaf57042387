"""People of zones spread over their homes, whole persons each."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum
from citygeo.demand.columns import require_column
from citygeo.demand.homes import homes_of
from citygeo.demand.people import MICRO, apportion, bad_rows, to_micro
from citygeo.errors import error
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from numpy.typing import NDArray

HUNDREDTHS = 100.0  # floor space is compared in whole hundredths of a m2


def spread_population(
    zones: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    population: str = "population",
    issues: IssueLog | None = None,
) -> gpd.GeoDataFrame:
    """
    Spread the people of each zone over its homes, by footprint times levels (an estimate).

    Parameters
    ----------
    zones
        Areas with their number of people, whole and not negative. Where zones overlap, a home belongs to
        the first.
    buildings
        Buildings in any CRS; a home belongs to the zone that holds a point inside it. Without a column
        ``building`` all of them are homes; with it, :func:`is_home` chooses.
    population
        The column of `zones` with the number of people.
    issues
        Where to record what was found (CG-DEM-001, 002, 003, 006, 007). If not given, one Python warning
        names the codes that matter.

    Returns
    -------
    One row per home in a zone, on the index of `buildings` and in its CRS: ``zone`` (label of the zone),
    ``population`` (int64), ``footprint_m2``, ``levels``, ``geometry`` as given. Each zone's people come
    out exactly: homes get whole persons by largest remainder, ties to the first row.

    People of a zone without any home stand at a point inside it, as a row ``"zone <label>"``; people of a
    zone without polygon are such a row without geometry. ``attrs["estimate"]`` is True.

    Raises
    ------
    CRSError
        CG-CRS-001 if a layer has no CRS.
    InputError
        CG-IN-001 no zones, CG-IN-003 people missing, negative or not whole, CG-IN-005 no such column,
        CG-IN-006 repeated labels.

    Notes
    -----
    Levels are ``building:levels`` where it is a number. Otherwise 4 for apartments, 3 for a dormitory, 1
    for a bungalow, 2 for other homes, but 4 for ``residential`` and ``yes`` of 250 m² and more. In the
    sample, tagged levels have the means 4.7 (apartments), 1.6 (house), and 2.3 below and 4.0 from 250 m²
    (residential).

    Examples
    --------
    >>> zones = gpd.GeoDataFrame({"population": [7]}, geometry=[shapely.box(0, 0, 90, 90)], crs=32632)
    >>> homes = [shapely.box(10, 10, 20, 20), shapely.box(30, 10, 40, 30)]
    >>> buildings = gpd.GeoDataFrame({"building": ["house", "house"]}, geometry=homes, crs=32632)
    >>> spread_population(zones, buildings)["population"].tolist()
    [2, 5]
    """
    log = IssueLog() if issues is None else issues
    people = _whole_people(zones, population)
    for layer, name in ((zones, "zones"), (buildings, "buildings")):
        datum.require_crs(layer, name)
        _require_unique(layer, name)
    homes = homes_of(buildings, log)
    zone = zone_of(homes, zones)
    outside = homes.index[zone < 0]
    log.add("CG-DEM-003", count=len(outside), sample=outside, total=len(homes))
    homes, zone = homes[zone >= 0], zone[zone >= 0]
    floor_space = np.rint(homes["footprint_m2"] * homes["levels"] * HUNDREDTHS).to_numpy(np.int64)
    homes.insert(0, "zone", zones.index.take(zone))
    homes.insert(1, "population", apportion(people, floor_space, zone))
    spread = _with_homeless(homes, zones, people, np.bincount(zone, minlength=len(zones)) == 0, log)
    spread.attrs["estimate"] = True
    if issues is None:
        log.announce()
    return spread


def zone_of(layer: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """
    Return which zone each row lies in.

    Parameters
    ----------
    layer
        Rows with geometry in any CRS; a point inside each decides.
    zones
        Areas. Where they overlap, the first counts.

    Returns
    -------
    Position of the zone, -1 where there is none or the row has no geometry.

    Raises
    ------
    CRSError
        CG-CRS-001 if a layer has no CRS.

    Examples
    --------
    >>> zones = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1), shapely.box(0, 0, 9, 9)], crs=4326)
    >>> zone_of(gpd.GeoDataFrame(geometry=gpd.points_from_xy([0.5, 5, 20], [0.5, 5, 20]), crs=4326), zones)
    array([ 0,  1, -1])
    """
    datum.require_crs(layer, "layer")
    datum.require_crs(zones, "zones")
    points = datum.representative_points(layer)
    zone, row = shapely.STRtree(points).query(
        zones.geometry.to_crs(layer.crs).to_numpy(), predicate="intersects"
    )
    first = np.full(len(layer), len(zones), np.int64)
    np.minimum.at(first, row, zone)
    return np.where(first == len(zones), -1, first)


def _whole_people(zones: gpd.GeoDataFrame, column: str) -> NDArray[np.int64]:
    if len(zones) == 0:
        raise error("CG-IN-001", layer="zones")
    require_column(zones, "zones", column)
    micro = to_micro(zones[column], layer="zones", column=column)
    is_part = micro % MICRO != 0
    if is_part.any():
        raise bad_rows("zones", column, zones.index, is_part, "a whole number of people")
    return micro // MICRO


def _require_unique(layer: gpd.GeoDataFrame, name: str) -> None:
    repeated = layer.index[layer.index.duplicated()].unique()
    if len(repeated):
        sample = ", ".join(str(label) for label in repeated[:5])
        raise error("CG-IN-006", layer=name, count=len(repeated), sample=sample)


def _with_homeless(
    homes: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    people: NDArray[np.int64],
    has_no_home: NDArray[np.bool_],
    log: IssueLog,
) -> gpd.GeoDataFrame:
    """Append the people of zones without homes, at a point inside the zone or without geometry."""
    without = np.flatnonzero(has_no_home & (people > 0))
    if without.size == 0:
        return homes
    label = zones.index.take(without)
    points = datum.representative_points(zones.geometry.take(without).to_crs(homes.crs))
    has_place = ~shapely.is_missing(points)
    for code, chosen in (("CG-DEM-001", has_place), ("CG-DEM-002", ~has_place)):
        count = f"{people[without][chosen].sum():,}"
        log.add(code, count=int(chosen.sum()), sample=label[chosen], people=count)
    rest = gpd.GeoDataFrame(
        {"zone": label, "population": people[without], "footprint_m2": np.nan, "levels": np.nan},
        geometry=points,
        crs=homes.crs,
        index=[f"zone {item}" for item in label],
    )
    return cast("gpd.GeoDataFrame", pd.concat([homes, rest]))
