"""Districts of responsibility (责任区): how large they are, who lives there, and what barriers they reach across."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum
from citygeo.demand.people import bad_rows, from_micro, to_micro
from citygeo.errors import error
from citygeo.isochrones.barriers import Barrier
from citygeo.issues import IssueLog
from citygeo.reach.place import require_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.isochrones.result import Isochrones
    from citygeo.network import RoadNetwork

    Layer: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries

LEAST_SHARE = 0.02  # of a district: what is smaller beyond a barrier is a bridgehead or a flaw of the drawing
MAX_LIMIT_KM2 = 1e6
NAMELESS = "barrier"


def responsibility(
    districts: Isochrones,
    *,
    people: gpd.GeoDataFrame | None = None,
    weight: str = "population",
    class_column: str | None = None,
    limits_km2: Mapping[str, float] | None = None,
    barriers: Layer | Mapping[str, Layer] | None = None,
) -> gpd.GeoDataFrame:
    """
    Return the district of each facility and how it compares with its standard; see `Isochrones.responsibility`.

    Parameters
    ----------
    districts
        Polygons with ``overlap="split"``.
    people, weight, class_column, limits_km2, barriers
        As there.
    """
    table = _widest(districts)
    shapes = table.geometry.to_crs(districts.network.metric_crs).to_numpy()
    if people is not None:
        table["population"], table.attrs["outside"] = _population(districts, shapes, people, weight)
    if class_column is not None:
        given = _column(districts.facilities, "facilities", class_column)
        limit = _limits(given, class_column, limits_km2)
        table["station_class"] = given.to_numpy()
        table["limit_km2"] = limit
        is_within: Any = pd.array(table["area_km2"].to_numpy() <= limit, "boolean")
        is_within[(table["status"] != "ok") | np.isnan(limit)] = pd.NA
        table["is_within_limit"] = is_within
    elif limits_km2 is not None:
        raise error(
            "CG-IN-004", argument="limits_km2", value=limits_km2, rule="A limit goes with the class of a facility.",
            hint="Name the column of the facilities that has their class: class_column=...",
        )  # fmt: skip
    if barriers is not None:
        table["crosses"] = _crossed(districts.network, shapes, barriers)
    others = [name for name in table if name != table.active_geometry_name]
    return table[[*others, table.active_geometry_name]]


def _widest(districts: Isochrones) -> gpd.GeoDataFrame:
    """Return the rows of the widest band; raise CG-IN-004 unless they are districts."""
    asked = {"overlap": districts.overlap, "kind": districts.kind, "bands": districts.bands}
    if asked != {"overlap": "split", "kind": "polygons", "bands": "disks"}:
        raise error(
            "CG-IN-004", argument="isochrones", value=", ".join(f'{name}="{value}"' for name, value in asked.items()),
            rule="Districts of responsibility are polygons that do not overlap.",
            hint='Ask citygeo.isochrones(..., overlap="split") with kind="polygons" and bands="disks".',
        )  # fmt: skip
    districts.require_whole()
    rows = gpd.GeoDataFrame(districts[districts["minutes"] == districts.band_minutes[-1]])
    rows = rows.drop(columns=["minutes", "from_minutes", "snap_distance_m"])
    rows.attrs = {}
    return rows


def _column(layer: gpd.GeoDataFrame, name: str, column: str) -> pd.Series[Any]:
    if column not in layer:
        raise error("CG-IN-005", layer=name, column=column, columns=", ".join(map(str, layer.columns)))
    values: pd.Series[Any] = layer[column]
    return values


def _population(
    districts: Isochrones, shapes: NDArray[np.object_], people: gpd.GeoDataFrame, weight: str
) -> tuple[NDArray[np.float64], float]:
    """Return the people of each district and those of none; who lives on a border belongs to the first row."""
    datum.require_layer(people, "people", is_labelled=False)
    micro = to_micro(_column(people, "people", weight), layer="people", column=weight)
    points = gpd.GeoSeries(datum.representative_points(people), crs=people.crs)
    places = points.to_crs(districts.network.metric_crs).to_numpy()
    place, row = shapely.STRtree(shapes).query(places, predicate="intersects")
    owner = np.full(len(people), len(shapes))
    np.minimum.at(owner, place, row)
    total = np.zeros(len(shapes) + 1, np.int64)
    np.add.at(total, owner, micro)
    log = IssueLog()
    log.add(
        "CG-DEM-011", count=int(total[-1] > 0), level="responsibility", people=f"{from_micro(total[-1]):,.0f}",
        total=f"{from_micro(total.sum()):,.0f}",
    )  # fmt: skip
    districts.log.extend(log.found)
    return from_micro(total[:-1]), float(from_micro(total[-1]))


@cache
def standard_limits() -> dict[str, float]:
    """Return the limits of ``data/station_classes.toml`` by word, km2; infinite where a class has none."""
    text = files("citygeo").joinpath("data", "station_classes.toml").read_text(encoding="utf-8")
    return {
        _plain(word): float(entry["limit_km2"])
        for entry in tomllib.loads(text).values()
        for word in entry["words"]
    }


def _plain(word: object) -> str:
    """Return a word without what people write in one way or another."""
    return re.sub(r"[\s_-]", "", str(word)).casefold()


def _limits(
    given: pd.Series[Any], column: str, limits_km2: Mapping[str, float] | None
) -> NDArray[np.float64]:
    """Return the limit of each facility, NaN where its class has none; raise CG-IN-003 if a class is not known."""
    own = limits_km2 or {}
    for name, value in own.items():
        hint = "Give the largest area of a district of this class."
        require_range(f"limits_km2[{name!r}]", value, 0, MAX_LIMIT_KM2, "km2", hint)
    known = standard_limits() | {_plain(name): float(value) for name, value in own.items()}
    limit = np.array([known.get(_plain(word), np.nan) for word in given])
    if np.isnan(limit).any():
        names = ["一级站", "二级站", "小型站", "近郊站", "特勤站", "战勤保障站", *own]
        rule = f"one of {', '.join(map(str, dict.fromkeys(names)))}, or a class with a limit in limits_km2"
        raise bad_rows("facilities", column, given.index, np.isnan(limit), rule)
    limit[np.isinf(limit)] = np.nan
    return limit


def _crossed(
    network: RoadNetwork, shapes: NDArray[np.object_], barriers: Layer | Mapping[str, Layer]
) -> list[str]:
    """Return the names of the barriers that each district reaches across, separated by commas."""
    found: list[list[str]] = [[] for _ in shapes]
    part, row = shapely.get_parts(shapes, return_index=True)
    least = LEAST_SHARE * shapely.area(shapes)
    for name, layer in _by_name(barriers).items():
        ground = Barrier.of(network, layer).ground
        shapely.prepare(ground)
        for n in np.flatnonzero(shapely.intersects(ground, part)):
            pieces = shapely.get_parts(shapely.difference(part[n], ground))
            is_across = (shapely.area(pieces) >= least[row[n]]).sum() > 1
            if is_across and name not in found[row[n]]:
                found[row[n]].append(name)
    return [", ".join(names) for names in found]


def _by_name(barriers: Layer | Mapping[str, Layer]) -> dict[str, Layer]:
    """Return a layer for each name; rows of one layer with the same name are one barrier."""
    if isinstance(barriers, gpd.GeoSeries):
        return {NAMELESS: barriers}
    if not isinstance(barriers, gpd.GeoDataFrame):
        return {str(name): layer for name, layer in barriers.items()}
    if "name" not in barriers or not len(barriers):
        return {NAMELESS: barriers}
    names = barriers["name"].astype(object).where(barriers["name"].notna(), NAMELESS).astype(str)
    return {str(name): rows for name, rows in barriers.groupby(names.to_numpy(), sort=False)}
