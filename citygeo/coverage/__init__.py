"""Who is served within the minutes and who is not: by area, people and buildings, per zone and per H3 cell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo import datum, hexgrid, provenance
from citygeo import demand as people_of
from citygeo.coverage.cells import cell_table
from citygeo.coverage.checks import note_empty, note_gaps
from citygeo.coverage.ground import polygons_of
from citygeo.coverage.measures import city_table, depth_table, zone_columns
from citygeo.coverage.question import Question
from citygeo.coverage.result import Coverage
from citygeo.coverage.setting import AREA, BUILDINGS, PEOPLE, ROADS, begin, settle
from citygeo.coverage.spots import BLIND_SHARE, blind_spots, note_elsewhere
from citygeo.coverage.zones import NO_ZONE, zone_names, zone_table
from citygeo.errors import error
from citygeo.reach import ServiceArea, labels_at, network_input, reached_by, to_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor, Future

    from numpy.typing import NDArray

    from citygeo.coverage.measures import Measure
    from citygeo.coverage.points import Counted, Located
    from citygeo.coverage.setting import Begun, Setting
    from citygeo.coverage.zones import Level
    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons

__all__ = ["Coverage", "coverage"]

DENOMINATORS = {
    "area": "the study area",
    "population": "everyone in demand",
    "buildings": "every building",
    "floor_area": "footprint times levels of every building",
}


def coverage(
    network: RoadNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    demand: gpd.GeoDataFrame | pd.DataFrame,
    minutes: float | str,
    zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    buildings: gpd.GeoDataFrame | None = None,
    areas: Mapping[str, gpd.GeoDataFrame] | None = None,
    points: Mapping[str, gpd.GeoDataFrame | tuple[gpd.GeoDataFrame, str]] | None = None,
    columns: str | Sequence[str] = (),
    study_area: gpd.GeoDataFrame | None = None,
    include_outside: bool = True,
    radius_m: float | str | None = None,
    barriers: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
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
    place itself, within the minutes (inclusive). Land counts as covered within `buffer_m` of a reached road. All
    denominators stand side by side: no one share is the coverage of a city.

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
        Inclusive bound, above 0 and up to 1,440; or the column of `facilities` that holds the limit of each, such as
        those of station classes. Then the nearest facility is the one with least time beyond its own limit.
    zones
        One layer of zones, or several by level name; a column ``name`` names them. They should partition the city.
        What lies in several zones of a level counts in the first.
    buildings
        Buildings, counted each as one, and where they are drawn as polygons by floor area (footprint x levels) too.
    areas
        Land to measure besides the whole city, polygons by name (``built_up``, ``residential``). Polygons of one
        layer may overlap. Only what lies in the study area or the zones counts.
    points
        Anything else to count, by name: a layer of which each row counts as one, or a layer and the column of its
        weights.
    columns
        More columns of `demand` to count, such as ages.
    study_area
        What "the city" is for land and the cells. Default: the zones of the first level, else the cells where
        people live.
    include_outside
        Whether facilities outside the study area (or the zones) serve. In truth they do; some official indicators
        leave them out.
    radius_m
        Metres of the circles round facilities that official formulas draw, a number or a column of `facilities`.
        What lies in them is told beside what is reached over the network. A circle starts where the search does: at a
        point inside the facility, or for `polygons` other than ``"point"`` at its outline. Circles are dissolved
        before they are measured, so nothing counts twice; a place exactly at the radius is in.
    barriers
        Rivers, railways, expressways that straight lines to blind spots may meet: a layer, whose column ``name`` names
        them, or layers by name. They explain; what travel may cross is a matter of the network.
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
        As `service_area`, for every layer; CG-IN-003 for people, weights, limits or radii that are missing or
        negative.
    InputError
        CG-COV-001: facilities outside are to be left out, but of what nobody said. CG-COV-002: all are outside.
        CG-COV-011: two measures have one name.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> net = city.network("fire_engine")
    >>> cov = cg.coverage(net, city.stations, demand=city.people, minutes=5, zones=city.zones, radius_m=2500)
    >>> people = cov.table.loc["population"]
    >>> bool(0 < people.covered < people.total)
    True
    >>> cov.table.index.tolist(), bool(0 < people.radius_share < 1)
    (['area', 'population'], True)
    """
    if not isinstance(demand, pd.DataFrame):
        raise error("CG-IN-007", layer="demand", kind=type(demand).__name__)
    question = Question(
        network=network, facilities=facilities, demand=demand, minutes=minutes, zones=zones, buildings=buildings,
        areas=areas, points=points, columns=(columns,) if isinstance(columns, str) else tuple(columns),
        study_area=study_area, include_outside=include_outside,
        radius_m=radius_m, barriers=barriers, direction=direction, delay_s=delay_s, max_snap_m=max_snap_m,
        buffer_m=buffer_m, polygons=polygons, resolution=resolution, threads=threads,
    )  # fmt: skip
    with ThreadPoolExecutor(1) as aside:  # layers are read and polygons cut without holding up the rest
        begun = begin(question)
        area = _service_area(begun)
        reached = aside.submit(lambda: polygons_of(area.metric_dissolved[begun.minutes]))
        hashes = aside.submit(_hashes, question)
        setting = settle(begun)
        area.provenance.update(_describe(setting, hashes.result()))
        answer = _answer(setting, area, reached, aside)
    setting.log.announce()
    setting.log.extend(network.log.found)
    return answer


def _answer(
    setting: Setting, area: ServiceArea, reached: Future[NDArray[np.object_]], aside: Executor
) -> Coverage:
    """Count, and make the tables."""
    asked, log, crs = setting.question, setting.log, setting.question.facilities.crs
    land = aside.submit(lambda: setting.land_measures(reached.result()))
    land_sums = aside.submit(lambda: _sums_of_zones(setting, land.result()))
    counted = setting.served(asked.network, {ROADS: setting.roads})
    people, roads = counted[PEOPLE], counted[ROADS]
    cells = _cell_table(setting, people, roads)
    spots = _blind_spots(setting, counted, cells)
    note_elsewhere(cells, spots, log)
    points = setting.point_measures(counted)
    measures = [*land.result(), *points]
    point_sums = _sums_of_zones(setting, points)
    sums = {name: land_sums.result()[name] | point_sums[name] for name in point_sums}
    note_empty({measure.name: measure.whole("total") for measure in measures}, log)
    return Coverage(
        area=area,
        minutes=setting.minutes,
        table=city_table(measures),
        zones=_zone_tables(setting, measures, sums),
        cells=cells.to_crs(crs),
        points=_point_table(people, setting.placed.layer.index).to_crs(crs),
        blind_spots=spots.to_crs(crs),
        depth=depth_table(measures, roads.served.sums_by_depth(roads.at.layer.weight) / 1e9),
        demand_is_estimate=bool(asked.demand.attrs.get("estimate", False)),
        log=log,
        provenance=area.provenance,
        setting=setting,
        measures=tuple(measures),
    )


def _cell_table(setting: Setting, people: Counted, roads: Counted) -> gpd.GeoDataFrame:
    """Return all cells that touch the city, and those outside where people are."""
    city = gpd.GeoSeries(setting.land[AREA], crs=setting.question.network.metric_crs)
    inhabited = people.at.cell[people.at.cell != 0]
    cells = np.union1d(hexgrid.cells_in(city, setting.resolution), inhabited)
    return cell_table(cells, people.by_cell, roads.by_cell, setting.placed.layer.index)


def _blind_spots(
    setting: Setting, counted: Mapping[str, Counted], cells: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    asked, people = setting.question, counted[PEOPLE]
    parent, label = _zone_labels(people.at, setting.levels)
    return blind_spots(
        asked.network, setting.placed, setting.limits_ms, cells, people.by_cell, counted[ROADS].by_cell,
        parent=parent, label=label, buildings=counted[BUILDINGS].by_cell if BUILDINGS in counted else None,
        barriers=asked.barriers, polygons=asked.polygons,
    )  # fmt: skip


def _service_area(begun: Begun) -> ServiceArea:
    """Search from the facilities; the provenance is that of the coverage, once all layers are read."""
    asked, band = begun.question, begun.minutes
    parts = reached_by(asked.network, begun.placed.places, [band], asked.direction, asked.threads)
    return ServiceArea(
        asked.network,
        begun.placed.layer,
        [band],
        asked.direction,
        asked.buffer_m,
        begun.placed,
        parts,
        begun.log,
        {},
    )


def _sums_of_zones(setting: Setting, measures: list[Measure]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return, by level, the columns of measures in the table of its zones."""
    return {name: zone_columns(measures, level) for name, level in setting.levels.items()}


def _zone_tables(
    setting: Setting, measures: list[Measure], sums: Mapping[str, Mapping[str, NDArray[np.float64]]]
) -> gpd.GeoDataFrame:
    crs, tables = setting.question.facilities.crs, []
    for name, level in setting.levels.items():
        note_gaps(measures, level, sums[name], setting.log)
        tables.append(zone_table(level, sums[name]).to_crs(crs))
    if not tables:
        return gpd.GeoDataFrame({"level": [], "zone": [], "name": []}, geometry=[], crs=crs)
    return pd.concat(tables, ignore_index=True)


def _zone_labels(
    people: Located, levels: Mapping[str, Level]
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the first-level zone of each point, and its place in words: the finest zone, then the first level."""
    if not levels:
        return np.full(len(people.layer), NO_ZONE, np.int64), np.full(len(people.layer), "", object)
    first, finest = next(iter(levels)), max(levels, key=lambda level: len(levels[level].layer))
    names = []
    for level in (finest, first):
        zones = levels[level].layer
        known = zones["name"].notna().to_numpy() if "name" in zones else np.ones(len(zones), np.bool_)
        names.append([*np.where(known, zone_names(zones), ""), ""])  # -1 is the last
    pairs = np.column_stack((people.zone[finest], people.zone[first]))
    pair, place = np.unique(pairs, axis=0, return_inverse=True)
    words = [dict.fromkeys((names[0][a], names[1][b])) for a, b in pair.tolist()]
    label = np.array([", ".join(filter(None, parts)) for parts in words], object)
    return people.zone[first], label[place.ravel()]


def _point_table(people: Counted, facilities: pd.Index[Any]) -> gpd.GeoDataFrame:
    layer, served, cell = people.by_cell
    has_cell = cell != 0
    h3_cell = np.full(len(layer), None, object)
    h3_cell[has_cell] = hexgrid.to_strings(cell[has_cell])
    data = {
        "population": people_of.from_micro(layer.weight),
        **{column: people_of.from_micro(micro) for column, micro in layer.columns.items()},
        "time_s": to_seconds(served.ms),
        "facility": labels_at(facilities, served.facility),
        "depth": served.depth,
        "status": layer.status,
        "snap_distance_m": layer.snap_distance_m,
        "h3_cell": h3_cell,
    }
    return gpd.GeoDataFrame(data, geometry=layer.points(), crs=datum.WGS84, index=layer.index)


def _hashes(question: Question) -> dict[str, str]:
    layers = {"facilities": question.facilities, **question.layers}
    return {name: provenance.sha256_layer(layer) for name, layer in layers.items()}


def _describe(setting: Setting, hashes: dict[str, str]) -> dict[str, Any]:
    asked, placed = setting.question, setting.placed
    names = [*setting.land, *(weight.name for weight in setting.weights)]
    parameters = {
        "mode": asked.network.mode.to_dict(),
        "minutes": (setting.limits_ms / 60_000).tolist()
        if isinstance(asked.minutes, str)
        else [setting.minutes],
        "operator": "<=",
        "direction": asked.direction,
        "delay_s": placed.delay_s.tolist(),
        "max_snap_m": asked.max_snap_m,
        "buffer_m": asked.buffer_m,
        "polygons": asked.polygons,
        "include_outside": asked.include_outside,
        "radius_m": _radii(setting),
        "facility_columns": {
            name: getattr(asked, name)
            for name in ("minutes", "radius_m", "delay_s")
            if isinstance(getattr(asked, name), str)
        },
        "denominators": {name: DENOMINATORS.get(name, "everything in the layer or column") for name in names},
        "resolution": setting.resolution,
        "blind_below_share": BLIND_SHARE,
    }
    return provenance.describe("coverage", {**network_input(asked.network), **hashes}, parameters)


def _radii(setting: Setting) -> list[float] | None:
    """Return the one radius, or that of each facility in their order; `None` where none was asked for."""
    asked = setting.question.radius_m
    if asked is None:
        return None
    if isinstance(asked, str):
        return [float(metres) for metres in setting.placed.layer[asked]]
    return [float(asked)]
