"""Who is served within the minutes and who is not: by area, people and buildings, per zone and per H3 cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum, demand, hexgrid, provenance
from citygeo.coverage.cells import cell_table
from citygeo.coverage.points import (
    PointLayer,
    Served,
    layer_points,
    note_unplaced,
    people_points,
    road_points,
    serve,
)
from citygeo.coverage.result import Coverage
from citygeo.coverage.spots import BLIND_SHARE, blind_spots
from citygeo.coverage.zones import (
    NO_ZONE,
    as_areas,
    as_levels,
    overlap_areas,
    share,
    zone_names,
    zone_table,
)
from citygeo.demand import zone_of
from citygeo.edgeparts import as_multipolygon
from citygeo.errors import error
from citygeo.reach import labels_at, reach_facilities, require_one_bound, to_ms, to_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons
    from citygeo.reach import ServiceArea

__all__ = ["Coverage", "coverage"]

DEEPEST = 3  # depth 3 means three facilities or more


@dataclass(frozen=True)
class _Counted:
    """Points of one kind, how they are served, and where they lie."""

    layer: PointLayer
    served: Served
    cell: NDArray[np.uint64]
    zone: dict[str, NDArray[np.int64]]


def coverage(
    network: RoadNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    demand: gpd.GeoDataFrame | pd.DataFrame,
    minutes: float,
    zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    buildings: gpd.GeoDataFrame | None = None,
    study_area: gpd.GeoDataFrame | None = None,
    direction: Direction = "from",
    delay_s: float | str | None = None,
    max_snap_m: float = 200.0,
    buffer_m: float = 100.0,
    polygons: Polygons = "point",
    resolution: int = 9,
    threads: int | None = None,
) -> Coverage:
    """
    Tell who is served within the minutes, who is not, and where the blind spots are.

    A person or building counts as covered if a facility reaches its place on the road, and from there the
    place itself, within the minutes (inclusive). Area counts as covered within `buffer_m` of a reached road.

    Parameters
    ----------
    network
        The road network.
    facilities
        Points, polygons or lines, in any CRS.
    demand
        People: a layer with a column ``population``. Points or polygons (a point inside stands for them), or a
        table indexed by H3 cells, whose people are spread over the roads in their cell.
    minutes
        Inclusive bound.
    zones
        One layer of zones, or several by level name; a column ``name`` names them. They should partition the city.
    buildings
        Buildings to count, each as one.
    study_area
        What "the city" is for the area measure and the cells. Default: the zones of the first level, else the
        cells where people live.
    direction
        ``"from"`` the facility, like a fire engine, or ``"to"`` it, like a patient.
    delay_s, max_snap_m, buffer_m, polygons, threads
        As in `service_area`.
    resolution
        H3 resolution of the cells, 0 to 15; taken from `demand` if that is cells.

    Returns
    -------
    The coverage.

    Raises
    ------
    CRSError, InputError, UnitError, NetworkError
        As `service_area`, for every layer; CG-IN-003 for people that are missing or negative.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> net = city.network("fire_engine")
    >>> cov = cg.coverage(net, city.stations, demand=city.people, minutes=5, zones=city.zones)
    >>> people = cov.table.loc["population"]
    >>> bool(0 < people.covered < people.total)
    True
    """
    require_one_bound(minutes)
    if not isinstance(demand, pd.DataFrame):
        raise error("CG-IN-007", layer="demand", kind=type(demand).__name__)
    area = reach_facilities(
        network, facilities, minutes=minutes, direction=direction, delay_s=delay_s, max_snap_m=max_snap_m,
        buffer_m=buffer_m, polygons=polygons, threads=threads,
    )  # fmt: skip
    log = area.log
    levels = as_levels(zones, log)
    band = area.minutes[0]
    if hexgrid.has_cell_index(demand):
        resolution = hexgrid.resolution_of(hexgrid.from_strings(demand.index))
    roads = road_points(network)
    layers = [people_points(network, demand, roads, max_snap_m, log), roads]
    if buildings is not None:
        layers.append(
            layer_points(network, buildings, np.ones(len(buildings), np.int64), "buildings", max_snap_m)
        )
    served = serve(network, direction, area.placed.places, layers, to_ms(band), threads)
    people = _locate(layers[0], served[0], resolution, levels)
    paved = _locate(roads, served[1], resolution, {})
    built = _locate(layers[2], served[2], resolution, levels) if buildings is not None else None
    note_unplaced(people.layer, "demand", max_snap_m, log)
    _note_outside(people, levels, log)
    city = _study_area(study_area, levels, people, network, log)
    cells = np.union1d(hexgrid.cells_in(city, resolution), people.cell[people.cell != 0])
    lives = (people.layer, people.served, people.cell)
    table = cell_table(cells, lives, (paved.layer, paved.served, paved.cell), facilities.index)
    parent, label = _zone_labels(people, levels)
    spots = blind_spots(
        network, area.placed, to_ms(band), table, lives, (paved.layer, paved.served, paved.cell),
        parent=parent, label=label, buildings=None if built is None else (built.layer, built.served, built.cell),
        polygons=polygons,
    )  # fmt: skip
    given = {"demand": demand, "buildings": buildings, "study_area": study_area}
    log.announce()
    log.extend(network.log.found)
    return Coverage(
        area=area,
        minutes=band,
        table=_city_table(city, area.metric_dissolved[band], people, built),
        zones=_zones(levels, area, band, people, built),
        cells=table.to_crs(facilities.crs),
        points=_point_table(people, facilities).to_crs(facilities.crs),
        blind_spots=spots.to_crs(facilities.crs),
        depth=_depth_table(people, built, paved),
        demand_is_estimate=bool(demand.attrs.get("estimate", False)),
        log=log,
        provenance=_describe(area, given, levels, resolution),
    )


def _locate(
    layer: PointLayer, served: Served, resolution: int, levels: Mapping[str, gpd.GeoDataFrame]
) -> _Counted:
    points = gpd.GeoSeries(layer.points() if levels else [], crs=datum.WGS84)
    zone = {level: zone_of(points, zones) for level, zones in levels.items()}
    return _Counted(layer, served, layer.cells(resolution), zone)


def _note_outside(people: _Counted, levels: Mapping[str, gpd.GeoDataFrame], log: IssueLog) -> None:
    """Record people outside every zone of a level; only the first level is expected to hold them all."""
    total = people.layer.weight.sum()
    for level, code in zip(levels, ("CG-DEM-004", *["CG-DEM-011"] * len(levels)), strict=False):
        outside = people.layer.weight[people.zone[level] == NO_ZONE].sum()
        counts = {"people": f"{demand.from_micro(outside):,.0f}", "total": f"{demand.from_micro(total):,.0f}"}
        log.add(code, count=int(outside > 0), level=level, **counts)


def _study_area(
    study_area: gpd.GeoDataFrame | None,
    levels: Mapping[str, gpd.GeoDataFrame],
    people: _Counted,
    network: RoadNetwork,
    log: IssueLog,
) -> gpd.GeoDataFrame:
    """Return the city as one geometry in the network's metric CRS."""
    if study_area is not None:
        given = as_areas(study_area, "study_area", log)
    elif levels:
        given = next(iter(levels.values()))
    else:
        inhabited = np.unique(people.cell[(people.cell != 0) & (people.layer.weight > 0)])
        given = gpd.GeoDataFrame(geometry=hexgrid.cell_polygons(inhabited), crs=datum.WGS84)
    # projecting bends edges, so what was valid before may touch itself after
    shapes = shapely.make_valid(given.geometry.dropna().to_crs(network.metric_crs).to_numpy())
    return gpd.GeoDataFrame(geometry=[as_multipolygon(shapely.union_all(shapes))], crs=network.metric_crs)


def _zone_labels(
    people: _Counted, levels: Mapping[str, gpd.GeoDataFrame]
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the first-level zone of each point, and its place in words: the finest zone, then the first level."""
    if not levels:
        return np.full(len(people.layer), NO_ZONE, np.int64), np.full(len(people.layer), "", object)
    first, finest = next(iter(levels)), max(levels, key=lambda level: len(levels[level]))
    named = []
    for level in dict.fromkeys((finest, first)):
        zones = levels[level]
        known = zones["name"].notna().to_numpy() if "name" in zones else np.ones(len(zones), np.bool_)
        names = np.array([*np.where(known, zone_names(zones), ""), ""], object)  # -1 is the last
        named.append(names[people.zone[level]])
    label = np.array([", ".join(filter(None, parts)) for parts in zip(*named, strict=True)], object)
    return people.zone[first], label


def _city_table(
    city: gpd.GeoDataFrame, covered: shapely.Geometry, people: _Counted, built: _Counted | None
) -> pd.DataFrame:
    shape = city.geometry.to_numpy()
    reached, live = demand.from_micro(np.array(_covered_and_total(people))).tolist()
    rows = {
        "area": ("km2", float(overlap_areas(shape, covered)[0] / 1e6), float(shape[0].area / 1e6)),
        "population": ("people", reached, live),
    }
    if built is not None:
        near, stand = _covered_and_total(built)
        rows["buildings"] = ("buildings", float(near), float(stand))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["unit", "covered", "total"])
    table.index.name = "measure"
    return table.assign(share=share(table["covered"], table["total"]))


def _covered_and_total(counted: _Counted) -> tuple[int, int]:
    weight = counted.layer.weight
    return int(weight[counted.served.is_covered].sum()), int(weight.sum())


def _zones(
    levels: Mapping[str, gpd.GeoDataFrame],
    area: ServiceArea,
    band: float,
    people: _Counted,
    built: _Counted | None,
) -> gpd.GeoDataFrame:
    covered, crs = area.metric_dissolved[band], area.network.metric_crs
    tables = [
        zone_table(
            level, zones, covered, crs, (people.layer, people.served, people.zone[level]),
            None if built is None else (built.layer, built.served, built.zone[level]),
        ).to_crs(area.facilities.crs)
        for level, zones in levels.items()
    ]  # fmt: skip
    if not tables:
        return gpd.GeoDataFrame({"level": [], "zone": [], "name": []}, geometry=[], crs=area.facilities.crs)
    return pd.concat(tables, ignore_index=True)


def _point_table(people: _Counted, facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    layer, served = people.layer, people.served
    has_cell = people.cell != 0
    cell = np.full(len(layer), None, object)
    cell[has_cell] = hexgrid.to_strings(people.cell[has_cell])
    data = {
        "population": demand.from_micro(layer.weight),
        "time_s": to_seconds(served.ms),
        "facility": labels_at(facilities.index, served.facility),
        "depth": served.depth,
        "status": layer.status,
        "snap_distance_m": layer.snap_distance_m,
        "h3_cell": cell,
    }
    return gpd.GeoDataFrame(data, geometry=layer.points(), crs=datum.WGS84, index=layer.index)


def _depth_table(people: _Counted, built: _Counted | None, roads: _Counted) -> pd.DataFrame:
    def by_depth(counted: _Counted) -> NDArray[np.int64]:
        total = np.zeros(DEEPEST + 1, np.int64)
        np.add.at(total, np.minimum(counted.served.depth, DEEPEST), counted.layer.weight)
        return total

    lives = by_depth(people)
    table = pd.DataFrame(
        {"population": demand.from_micro(lives), "population_share": share(lives, lives.sum())},
        index=pd.RangeIndex(DEEPEST + 1, name="depth"),
    )
    if built is not None:
        stand = by_depth(built)
        table = table.assign(buildings=stand, buildings_share=share(stand, stand.sum()))
    return table.assign(road_km=by_depth(roads) / 1e9)


def _describe(
    area: ServiceArea,
    layers: Mapping[str, pd.DataFrame | None],
    levels: Mapping[str, gpd.GeoDataFrame],
    resolution: int,
) -> dict[str, Any]:
    given = {**layers, **{f"zones {level}": zones for level, zones in levels.items()}}
    hashes = {name: provenance.sha256_layer(layer) for name, layer in given.items() if layer is not None}
    parameters = {
        **area.provenance["parameters"],
        "resolution": resolution,
        "blind_below_share": BLIND_SHARE,
    }
    return provenance.describe("coverage", {**area.provenance["inputs"], **hashes}, parameters)
