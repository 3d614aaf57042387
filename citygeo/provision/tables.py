"""The tables of a provision: flows, facilities, demand, zones and the city."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo import datum
from citygeo.coverage.zones import share, zone_table
from citygeo.demand import from_micro, zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.coverage.zones import Level
    from citygeo.issues import IssueLog
    from citygeo.provision.transport import Offers
    from citygeo.reach.place import Facilities

FULL = "full"


@dataclass(frozen=True)
class Side:
    """Demand or supply: the caller's rows, where they stand, and how much each is, in millionths."""

    rows: gpd.GeoDataFrame
    placed: Facilities
    micro: NDArray[np.int64]

    def zone(self, zones: gpd.GeoDataFrame) -> NDArray[np.int64]:
        """Return the row of the zone each stands in, -1 if none."""
        layer = self.placed.layer
        return zone_of(gpd.GeoSeries(datum.representative_points(layer), crs=layer.crs), zones)


@dataclass(frozen=True)
class Shares:
    """
    What goes from where to where.

    Attributes
    ----------
    needs, has
        Demand and supply.
    near
        All pairs within the minutes.
    used
        Those over which somebody goes.
    micro
        How many, in millionths, for each pair used.
    """

    needs: Side
    has: Side
    near: Offers
    used: Offers
    micro: NDArray[np.int64]

    @cached_property
    def served(self) -> NDArray[np.int64]:
        """Millionths of each row of demand that have a place."""
        return sums(self.micro, self.used.demand, len(self.needs.rows))

    @cached_property
    def taken(self) -> NDArray[np.int64]:
        """Millionths of each facility that are taken."""
        return sums(self.micro, self.used.facility, len(self.has.rows))

    @property
    def left(self) -> NDArray[np.int64]:
        """Millionths of each row of demand without a place."""
        return self.needs.micro - self.served

    @property
    def spent_s(self) -> NDArray[np.float64]:
        """Seconds times people, for each pair used."""
        return self.used.ms / 1000 * from_micro(self.micro)

    def nearest(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return each row's nearest facility and the seconds there; -1 and inf if none is near enough."""
        near, n = self.near, len(self.needs.rows)
        order = np.lexsort((near.facility, near.ms, near.demand))
        first = order[np.unique(near.demand[order], return_index=True)[1]]
        row, seconds = np.full(n, -1), np.full(n, np.inf)
        row[near.demand[first]], seconds[near.demand[first]] = near.facility[first], near.ms[first] / 1000
        return row, seconds


def sums(values: NDArray[np.int64], owner: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Add up whole numbers by owner; those of -1 count nowhere."""
    total, is_in = np.zeros(n, np.int64), owner >= 0
    np.add.at(total, owner[is_in], values[is_in])
    return total


def flow_table(shares: Shares) -> pd.DataFrame:
    """Return one row per pair that is used."""
    return pd.DataFrame(
        {
            "demand": shares.needs.rows.index.to_numpy()[shares.used.demand],
            "facility": shares.has.rows.index.to_numpy()[shares.used.facility],
            "people": from_micro(shares.micro),
            "time_s": shares.used.ms / 1000,
        }
    )


def facility_table(shares: Shares) -> gpd.GeoDataFrame:
    """Return the caller's facilities with their load."""
    has, needed = shares.has, shares.needs.micro
    load = sums(needed, shares.nearest()[0], len(has.rows))
    spent = np.bincount(shares.used.facility, shares.spent_s, len(has.rows))
    return has.rows.assign(
        capacity=from_micro(has.micro),
        allocated=from_micro(shares.taken),
        spare=from_micro(has.micro - shares.taken),
        nearest_load=from_micro(load),
        overload=from_micro(np.maximum(load - has.micro, 0)),
        mean_time_s=share(spent, from_micro(shares.taken)),
        status=has.placed.snaps.status,
        snap_distance_m=has.placed.snaps.distance_m,
    )


def demand_table(shares: Shares, reason: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return the caller's demand with who is served."""
    needs = shares.needs
    nearest, seconds = shares.nearest()
    labels = np.array([*shares.has.rows.index, None], object)  # -1 is the last
    spent = np.bincount(shares.used.demand, shares.spent_s, len(needs.rows))
    return needs.rows.assign(
        served=from_micro(shares.served),
        unserved=from_micro(shares.left),
        reason=reason,
        nearest_facility=labels[nearest],
        nearest_s=seconds,
        mean_time_s=share(spent, from_micro(shares.served)),
        status=needs.placed.snaps.status,
        snap_distance_m=needs.placed.snaps.distance_m,
    )


def zone_tables(shares: Shares, levels: Mapping[str, Level], log: IssueLog) -> gpd.GeoDataFrame:
    """Return one row per zone and level; record what lies in no zone."""
    crs = shares.needs.rows.crs
    # only the first level is expected to hold all
    codes = ["CG-PRO-003", *["CG-PRO-006"] * len(levels)]
    tables = [
        _zones(shares, level, code, log).to_crs(crs)
        for level, code in zip(levels.values(), codes, strict=False)
    ]
    if not tables:
        return gpd.GeoDataFrame({"level": [], "zone": [], "name": []}, geometry=[], crs=crs)
    return pd.concat(tables, ignore_index=True)


def _zones(shares: Shares, level: Level, code: str, log: IssueLog) -> gpd.GeoDataFrame:
    needs, has, n = shares.needs, shares.has, len(level.layer)
    lives, stands = needs.zone(level.layer), has.zone(level.layer)
    people, places = int(needs.micro[lives < 0].sum()), int(has.micro[stands < 0].sum())
    log.add(
        code, count=int(people > 0 or places > 0), level=level.name, people=f"{from_micro(people):,.0f}",
        places=f"{from_micro(places):,.0f}",
    )  # fmt: skip
    demand, served = sums(needs.micro, lives, n), sums(shares.served, lives, n)
    capacity, taken = sums(has.micro, stands, n), sums(shares.taken, stands, n)
    columns = {
        "demand": from_micro(demand),
        "served": from_micro(served),
        "unserved": from_micro(demand - served),
        "served_share": share(served, demand),
        "capacity": from_micro(capacity),
        "allocated": from_micro(taken),
        "places_missing": from_micro(np.maximum(demand - capacity, 0)),
        "net_missing": from_micro(demand - capacity),
    }
    return zone_table(level, columns)


def city_table(
    shares: Shares, reason: NDArray[np.object_], facilities: gpd.GeoDataFrame, zones: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Return the totals: unit, value, share of all demand or of all places."""
    left = shares.left
    demand, places = int(shares.needs.micro.sum()), int(shares.has.micro.sum())
    served, full = int(shares.micro.sum()), int(left[reason == FULL].sum())
    amounts = {
        "demand": ("people", demand, demand),
        "served": ("people", served, demand),
        "unserved": ("people", demand - served, demand),
        "unserved_full": ("people", full, demand),
        "unserved_not_reached": ("people", demand - served - full, demand),
        "capacity": ("places", places, places),
        "allocated": ("places", served, places),
        "spare": ("places", places - served, places),
    }
    rows = {
        name: (unit, float(from_micro(part)), _part(part, whole))
        for name, (unit, part, whole) in amounts.items()
    }
    over = float(facilities["overload"].sum())
    rows["overload"] = ("people", over, _part(over, float(from_micro(demand))))
    rows["mean_time"] = ("s", _part(float(shares.spent_s.sum()), float(from_micro(served))), np.nan)
    for level, part in zones.groupby("level", sort=False):
        for column in ("places_missing", "net_missing"):
            rows[f"{column}:{level}"] = ("places", float(part[column].sum()), np.nan)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["unit", "value", "share"])
    return table.rename_axis("measure")


def _part(part: float, whole: float) -> float:
    return float(share(part, whole))
