"""Blind spots: where the people live whom no facility serves in time, why, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum, demand, hexgrid
from citygeo.coverage.cells import rows_of
from citygeo.coverage.hints import hints
from citygeo.coverage.reasons import REASONS, Barriers, Standing, delays_ms, usual_pace, why_uncovered
from citygeo.coverage.zones import share
from citygeo.engine import UNREACHED
from citygeo.reach import labels_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.coverage.points import PointLayer, Served
    from citygeo.coverage.reasons import Why
    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork
    from citygeo.network.snap_layer import Polygons
    from citygeo.reach.place import Facilities

    Counted = tuple[PointLayer, Served, NDArray[np.uint64]]

BLIND_SHARE = 0.5  # a cell is blind if less than this share of its people is covered
MOST = 0.5  # a barrier is named if the straight lines of at least this share of the people meet it


class _Members(NamedTuple):
    """Points, the group of each, from 0 to n - 1, and its weight."""

    point: NDArray[np.int64]
    group: NDArray[np.int64]
    weight: NDArray[np.int64]
    n: int

    def only(self, mask: NDArray[np.bool_]) -> _Members:
        return _Members(self.point[mask], self.group[mask], self.weight[mask], self.n)

    def weights(self) -> NDArray[np.int64]:
        """Return the weight of each group."""
        return _sums(self.group, self.weight, self.n)

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the weighted mean of each group, NaN for one without weight."""
        total = np.bincount(self.group, self.weight * values.astype(np.float64), minlength=self.n)
        return np.asarray(share(total, self.weights()), np.float64)

    def main(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the value with the largest weight in each group."""
        return _main(self.group, values, self.weight, self.n)


def blind_spots(
    network: RoadNetwork,
    placed: Facilities,
    limit_ms: NDArray[np.int64] | int,
    table: gpd.GeoDataFrame,
    people: Counted,
    roads: Counted,
    *,
    parent: NDArray[np.int64],
    label: NDArray[np.object_],
    buildings: Counted | None = None,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | Mapping[str, gpd.GeoDataFrame] | None = None,
    polygons: Polygons = "point",
) -> gpd.GeoDataFrame:
    """
    Join neighbouring inhabited cells that are mostly uncovered, most people first.

    Cells join within one first-level zone, so that each blind spot has one authority to answer for it.

    Parameters
    ----------
    network
        The network.
    placed
        The facilities on it.
    limit_ms
        The bound, one for all or one each.
    table
        From `cell_table`.
    people, roads, buildings
        Points, how they are served, and their cell.
    parent, label
        First-level zone of each point of the people, -1 for none, and its place in words.
    barriers
        What straight lines may meet: a layer, whose column ``name`` names them, or layers by name.
    polygons
        What stands for facilities that are polygons or lines, as in `service_area`.

    Returns
    -------
    One row per blind spot, WGS 84, indexed by ``rank``, from 1: uncovered (people), cells, area_km2, buildings (not
    covered, in its cells; if there are any), nearest_facility (of most of its people), time_s and minutes_over (mean
    of the people a facility can get to; inf if these are less than half), straight_facility (closest to most of its
    people in a straight line), straight_m (mean), detour (time / time of the straight line at the pace usual for
    covered people; NaN if that is unknown or they live where it stands), reason (of most of its people; defined in
    `citygeo.coverage.reasons`), crosses (barriers that the straight lines of at least half of them meet), hint and
    hint_zh (what would help), zone, geometry.
    """
    is_blind = ((table["population"] > 0) & (table["share"] < BLIND_SHARE)).to_numpy()
    cells = hexgrid.from_strings(table.index[is_blind])
    layer, served, cell = people
    left = np.flatnonzero(~served.is_covered & (layer.weight > 0))
    point, row = rows_of(cells, cell[left])
    point = left[point]
    group = _groups(cells, _main(row, parent[point], layer.weight[point], cells.size))
    n = int(group.max(initial=-1)) + 1
    members = _Members(point, group[row], layer.weight[point], n)

    standing = Standing.of(network, placed, limit_ms, polygons)
    pace = usual_pace(standing, [people[:2], roads[:2]])
    why = why_uncovered(standing, layer, served, point, Barriers.of(network, barriers), pace)
    words, word = np.unique(label[point].astype(str), return_inverse=True)
    data = {
        "uncovered": demand.from_micro(members.weights()),
        "cells": np.bincount(group, minlength=n),
        "area_km2": np.bincount(group, hexgrid.cell_areas_m2(cells), minlength=n) / 1e6,
        **({} if buildings is None else {"buildings": _left_of(buildings, cells, group, n)}),
        **_times(standing, served, why, members),
        "reason": np.array(REASONS, object)[members.main(why.reason)],
        "crosses": _crosses(why, members),
        "zone": words.astype(object)[members.main(word)],
        "snap_m": members.mean(layer.snap_distance_m[point]),
    }
    spots = gpd.GeoDataFrame(
        data, geometry=_outlines(table.geometry.to_numpy()[is_blind], group, n), crs=datum.WGS84
    )
    first = np.full(n, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(first, group, cells)
    spots = spots.iloc[np.lexsort((first, -spots["uncovered"].to_numpy()))]
    spots.index = pd.RangeIndex(1, n + 1, name="rank")
    return _hinted(spots, placed, pace)


def note_elsewhere(table: gpd.GeoDataFrame, spots: gpd.GeoDataFrame, log: IssueLog) -> None:
    """Record uncovered people of cells that are no part of a blind spot, and how many are in one."""
    others = table[(table["uncovered"] > 0) & (table["share"] >= BLIND_SHARE)]
    people = {"people": f"{others['uncovered'].sum():,.0f}", "inside": f"{spots['uncovered'].sum():,.0f}"}
    log.add("CG-COV-033", count=len(others), sample=others.index, **people)


def _hinted(spots: gpd.GeoDataFrame, placed: Facilities, pace: float) -> gpd.GeoDataFrame:
    names = placed.layer["name"] if "name" in placed.layer else pd.Series(dtype=object)
    said = hints(spots, {key: str(name) for key, name in names.dropna().items()}, pace)
    spots = spots.drop(columns="snap_m")
    for name, texts in zip(("hint", "hint_zh"), said, strict=True):
        spots.insert(spots.columns.get_loc("zone"), name, texts)
    return spots


def _times(standing: Standing, served: Served, why: Why, people: _Members) -> dict[str, NDArray[Any]]:
    """Return the nearest facility of each spot and how long it takes, and the same for straight lines."""
    ms, facility = served.ms[people.point], served.facility[people.point]
    can = ms != UNREACHED
    ms, facility, some = ms[can].astype(np.float64), facility[can], people.only(can)
    is_lost = 2 * some.weights() < people.weights()
    labels = standing.placed.layer.index
    travel_ms = some.mean(ms - delays_ms(standing, facility))
    return {
        "nearest_facility": labels_at(labels, np.where(is_lost, -1, some.main(facility))),
        "time_s": np.where(is_lost, np.inf, some.mean(ms) / 1000),
        "minutes_over": np.where(is_lost, np.inf, some.mean(ms - standing.limit_ms[facility]) / 60_000),
        "straight_facility": labels_at(labels, people.main(why.closest)),
        "straight_m": people.mean(why.straight_m),
        "detour": np.where(is_lost, np.inf, share(travel_ms, some.mean(why.pace * why.straight_m[can]))),
    }


def _left_of(
    buildings: Counted, cells: NDArray[np.uint64], group: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Return the buildings in the cells of each spot that are not covered."""
    layer, served, cell = buildings
    left = np.flatnonzero(~served.is_covered)
    point, row = rows_of(cells, cell[left])
    return _sums(group[row], layer.weight[left[point]], n)


def _crosses(why: Why, people: _Members) -> list[str]:
    """Return the barriers between each spot and its closest facility, in words."""
    met = np.zeros((people.n, why.names.size), np.int64)
    np.add.at(met, (people.group[why.crossing], why.crossed), people.weight[why.crossing])
    is_met = (met > 0) & (met >= MOST * people.weights()[:, None])
    return [", ".join(why.names[row]) for row in is_met]


def _sums(group: NDArray[np.int64], values: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    total = np.zeros(n, np.int64)
    np.add.at(total, group, values)
    return total


def _main(
    group: NDArray[np.int64], value: NDArray[np.int64], weight: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Return the value with the largest weight in each group, the lowest among equals; -1 for an empty group."""
    low = int(value.min(initial=0))
    width = int(value.max(initial=0)) - low + 1
    key, place = np.unique(group * width + (value - low), return_inverse=True)
    order = np.lexsort((-key, _sums(place, weight, key.size)))
    main = np.full(n, -1, np.int64)
    main[key[order] // width] = key[order] % width + low  # the last to write has the largest weight
    return main


def _groups(cells: NDArray[np.uint64], zone: NDArray[np.int64]) -> NDArray[np.int64]:
    """Label the groups of neighbouring cells of one zone."""
    group = np.full(cells.size, -1, np.int64)
    for value in np.unique(zone):
        is_in = zone == value
        group[is_in] = hexgrid.connected_groups(cells[is_in]) + group.max(initial=-1) + 1
    return group


def _outlines(polygons: NDArray[np.object_], group: NDArray[np.int64], n: int) -> list[shapely.Geometry]:
    """Return each group's cells as one polygon."""
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=n))[:-1]
    return [shapely.coverage_union_all(own) for own in np.split(polygons[order], ends)] if n else []
