"""From results to layers. Adding a map layer is one function in ``layers`` and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import numpy as np
import shapely

from citygeo import datum
from citygeo.errors import error
from citygeo.viz import network_panels, service_panels
from citygeo.viz import panel as panels
from citygeo.viz.bands import bands
from citygeo.viz.classes import band_classes, minute_classes, time_stops
from citygeo.viz.layers import (
    completeness,
    context,
    fitness,
    given,
    isochrones,
    people,
    plain,
    reached,
    served,
)
from citygeo.viz.text import facility_names, service_label

if TYPE_CHECKING:
    from collections.abc import Callable

    from citygeo.issues import IssueLog
    from citygeo.viz.bands import Band
    from citygeo.viz.layers.layer import Layer
    from citygeo.viz.panel import Panel

T = TypeVar("T")
EDGE = 0.01  # of the people on each side may lie beyond what the map shows first
_BANDS = {"minutes", "from_minutes"}
_NEEDED = {
    "polygons": {*_BANDS, "area_km2", "reached_km"},
    "edges": {*_BANDS, "edge", "from_m", "to_m", "time_from_s", "time_to_s"},
    "cells": {*_BANDS, "cell", "time_s"},
}


def map_layers(result: Any, log: IssueLog, *, number: int = 0) -> list[Layer]:
    """
    Return the layers of a result in drawing order, the lowest first.

    Parameters
    ----------
    result
        Coverage, Completeness, Provision, ServiceArea, Isochrones, RoadNetwork, NetworkReport or GeoDataFrame.
    log
        Told what was simplified for the map.
    number
        How many plain layers came before: a GeoDataFrame's key and colour.

    Returns
    -------
    The layers.

    Raises
    ------
    InputError
        CG-MAP-003 for anything else.
    """
    if is_plain(result):
        return plain.plain(result, number, log)
    return by_class(result, _LAYERS)(result, log)


def map_panel(result: Any) -> Panel | None:
    """Return the title panel of a result, None for a plain layer."""
    return None if is_plain(result) else by_class(result, _PANELS)(result)


def layers_and_panel(result: Any, log: IssueLog, *, number: int = 0) -> tuple[list[Layer], Panel | None]:
    """Return both; what bands of isochrones hold is counted once for the two, which takes time."""
    if "Isochrones" in _names(result) and not is_plain(result):
        found = bands(result)
        return _isochrones(result, found, log), panels.isochrones_panel(result, found)
    return map_layers(result, log, number=number), map_panel(result)


def _names(result: Any) -> list[str]:
    """Return the names of a result's class and those it inherits from."""
    return [base.__name__ for base in type(result).__mro__]


def is_plain(result: Any) -> bool:
    """Tell whether a result is a GeoDataFrame and no more, as are some columns of isochrones."""
    if not isinstance(result, gpd.GeoDataFrame):
        return False
    return "Isochrones" not in _names(result) or not _NEEDED[result.kind] <= set(result.columns)


def map_extent(result: Any) -> tuple[float, float, float, float] | None:
    """Return what the map should show first, where that is less than all: what is reached and who is not."""
    if isinstance(result, gpd.GeoDataFrame):  # its `area` is something else
        if is_plain(result):
            return None
        shown = [result.geometry, result.facilities.geometry]
    else:
        shown = _shown_first(result)
    if not any(len(layer) for layer in shown):
        return None
    bounds = [layer.to_crs(4326).total_bounds for layer in shown]
    lows, highs = [b[:2] for b in bounds], [b[2:] for b in bounds]
    west, south = (float(min(v for v in side if v == v)) for side in zip(*lows, strict=True))  # noqa: PLR0124
    east, north = (float(max(v for v in side if v == v)) for side in zip(*highs, strict=True))  # noqa: PLR0124
    return west, south, east, north


def _shown_first(result: Any) -> list[Any]:
    if "Provision" in _names(result):
        return [_where_most_live(result.demand, result.population)]
    if "Completeness" in _names(result):
        return [_where_most_live(result.cells, "population")]
    area = getattr(result, "area", result)
    if not hasattr(area, "dissolved"):
        return []
    worst = [result.blind_spots.head(panels.WORST).geometry] if hasattr(result, "blind_spots") else []
    return [area.dissolved.geometry, area.facilities.geometry, *worst]


def _where_most_live(layer: gpd.GeoDataFrame, people: str) -> gpd.GeoSeries:
    """Return where people live, without the two of a hundred that live farthest east, west, north or south."""
    rows = layer[layer[people] > 0]
    points = datum.representative_points(rows.to_crs(datum.WGS84))
    xy, weight = shapely.get_coordinates(points), rows.loc[~rows.geometry.isna(), people].to_numpy()
    kept = np.ones(len(xy), bool)
    for axis in (0, 1):
        order = np.argsort(xy[:, axis], kind="stable")
        below = np.cumsum(weight[order]) / weight.sum()
        kept[order] &= (below >= EDGE) & (below - weight[order] / weight.sum() <= 1 - EDGE)
    return gpd.GeoSeries(points[~shapely.is_missing(points)][kept], crs=datum.WGS84)


def _coverage(result: Any, log: IssueLog) -> list[Layer]:
    names, by_level = facility_names(result.area.facilities), _by_level(result.zones)
    ground, labels = _frame(by_level, result.cells)
    mode = result.area.network.mode.name
    return [
        *ground,
        context.roads(_edges(result.area.network), log),
        *_reach(result.area),
        *[people.zone_shares(rows, level) for level, rows in by_level.items()],
        people.uncovered_people(result.cells, names, mode=mode),
        people.blind_spots(result.blind_spots, names, mode=mode),
        *labels,
        people.blind_spot_ranks(result.blind_spots, names, mode=mode),
        _facilities(result.area),
    ]


def _by_level(zones: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    return {str(level): zones[zones["level"] == level] for level in zones["level"].unique()}


def _frame(by_level: dict[str, gpd.GeoDataFrame], cells: gpd.GeoDataFrame) -> tuple[list[Layer], list[Layer]]:
    """Return boundaries and names of the frame of the city: the level that covers most of it, by the largest zones."""
    if not by_level:
        return [], []
    area = {level: rows.to_crs(datum.EQUAL_AREA).area.sum() / 1e6 for level, rows in by_level.items()}
    level = min(by_level, key=lambda level: (-round(area[level]), len(by_level[level])))
    rows = by_level[level]
    return [context.boundaries(rows, level)], [context.place_names(rows, level, cells)]


def _provision(result: Any, log: IssueLog) -> list[Layer]:
    by_level = _by_level(result.zones)
    lives = gpd.GeoDataFrame(
        {"population": result.demand[result.population]}, geometry=result.demand.geometry
    )
    ground, labels = _frame(by_level, lives)
    return [
        *ground,
        context.roads(_edges(result.network), log),
        *[served.missing_places(rows, level) for level, rows in by_level.items()],
        served.left_out(result.demand, result.facilities, result.population, log),
        served.ways(result.flows, result.demand, result.facilities, result.minutes, log),
        served.loads(result.facilities),
        *labels,
    ]


def _completeness(result: Any, log: IssueLog) -> list[Layer]:
    by_level = _by_level(result.zones)
    ground, labels = _frame(by_level, result.cells)
    names = {service.name: service_label(service.name) for service in result.services}
    return [
        *ground,
        context.roads(_edges(result.network), log),
        *[completeness.complete_zones(rows, level) for level, rows in by_level.items()],
        *[completeness.without_service(result.cells, name, label) for name, label in names.items()],
        completeness.services_per_cell(result.cells, names),
        *[
            completeness.places_of(service.name, service.layer, names[service.name], number)
            for number, service in enumerate(result.services)
            if len(service.layer)
        ],
        *labels,
    ]


def _service_area(result: Any, log: IssueLog) -> list[Layer]:
    return [context.roads(_edges(result.network), log), *_reach(result), _facilities(result)]


def _isochrones(result: Any, found: list[Band], log: IssueLog) -> list[Layer]:
    layers = [context.roads(_edges(result.network), log)]
    if result.kind == "edges":
        classes = band_classes([band.minutes for band in found])
        parts = result[result["from_m"].notna()]
        if result.bands == "disks":
            parts = parts[parts["minutes"] == found[-1].minutes]
        layers.append(reached.reached_roads(parts, classes, time_stops(classes)))
    elif result.kind == "cells":
        classes = band_classes([band.minutes for band in found])
        layers.append(isochrones.hexagons(result, classes, time_stops(classes), log))
    elif result.overlap == "split":
        layers.append(isochrones.own_ground(result, found, log))
    else:
        layers.append(isochrones.band_ground(found, result.network.metric_crs, log))
        if result.overlap == "overlap" and len(result.facilities) > 1:
            layers.append(isochrones.outlines(result, log))
    reach, mode = isochrones.own_reach(result).reset_index(names="facility"), result.network.mode.name
    return [*layers, reached.facilities(result.facilities, result.snaps, reach, mode=mode)]


def _network(result: Any, log: IssueLog) -> list[Layer]:
    return [context.roads(_edges(result), log)]


def _report(result: Any, log: IssueLog) -> list[Layer]:
    from citygeo.network.report.examine import PROBLEMS

    places, edges, snaps = result.places, result.edges, result.snaps
    present = set(places["problem"])
    layers = [context.roads(edges[edges["link"] != "closed"], log), fitness.assumed_speeds(edges, log)]
    has_links = not present.isdisjoint(fitness.LINKS)
    if has_links:
        layers.append(fitness.outside_streets(edges, places, PROBLEMS))
    if not present.isdisjoint(fitness.ODD):
        layers.append(fitness.odd_streets(edges, PROBLEMS))
    layers.append(fitness.dead_ends(result.dead_ends))
    if snaps is not None:
        layers += [given.snap_lines(snaps), given.snap_points(snaps, PROBLEMS, log)]
    layers += [
        fitness.problem_places(places, problem, PROBLEMS) for problem in fitness.DRAWN if problem in present
    ]
    return [*layers, fitness.place_ranks(places, PROBLEMS)] if has_links else layers


def _edges(network: Any) -> gpd.GeoDataFrame:
    _, edges = network.to_gdfs()
    return edges


def _reach(area: Any) -> list[Layer]:
    return [
        reached.service_area(area.dissolved, mode=area.network.mode.name),
        reached.reached_roads(_widest(area.edges), minute_classes(max(area.minutes))),
    ]


def _facilities(area: Any) -> Layer:
    return reached.facilities(
        area.facilities, area.snaps, _widest(area.polygons), mode=area.network.mode.name
    )


def _widest(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows of the widest band of each facility, whose limits may differ."""
    return rows[rows["minutes"] == rows.groupby("facility")["minutes"].transform("max")]


# by the name of the class: importing the classes here would load numba to draw a plain layer
_LAYERS: dict[str, Callable[[Any, IssueLog], list[Layer]]] = {
    "Coverage": _coverage,
    "ServiceArea": _service_area,
    "Isochrones": lambda result, log: _isochrones(result, bands(result), log),
    "RoadNetwork": _network,
    "NetworkReport": _report,
    "Provision": _provision,
    "Completeness": _completeness,
}
_PANELS: dict[str, Callable[[Any], Panel]] = {
    "Coverage": panels.coverage_panel,
    "ServiceArea": panels.service_area_panel,
    "Isochrones": lambda result: panels.isochrones_panel(result, bands(result)),
    "RoadNetwork": network_panels.network_panel,
    "NetworkReport": network_panels.report_panel,
    "Provision": service_panels.provision_panel,
    "Completeness": service_panels.completeness_panel,
}


def by_class(result: Any, registry: dict[str, T]) -> T:
    """Return the entry for the result's class; raise CG-MAP-003 if there is none."""
    for name in _names(result):
        if name in registry:
            return registry[name]
    raise error("CG-MAP-003", type=type(result).__name__)
