"""From results to layers. Adding a map layer is one function in ``layers`` and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd

from citygeo.errors import error
from citygeo.viz import panel as panels
from citygeo.viz.bands import bands
from citygeo.viz.classes import band_classes, minute_classes, time_stops
from citygeo.viz.layers import context, fitness, given, isochrones, people, plain, reached
from citygeo.viz.text import facility_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from citygeo.issues import IssueLog
    from citygeo.viz.bands import Band
    from citygeo.viz.layers.layer import Layer
    from citygeo.viz.panel import Panel

T = TypeVar("T")
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
        Coverage, ServiceArea, Isochrones, RoadNetwork, NetworkReport or GeoDataFrame.
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
        area = getattr(result, "area", result)
        if not hasattr(area, "dissolved"):
            return None
        shown = [area.dissolved.geometry, area.facilities.geometry]
        if hasattr(result, "blind_spots"):
            shown.append(result.blind_spots.head(panels.WORST).geometry)
    bounds = [layer.to_crs(4326).total_bounds for layer in shown]
    lows, highs = [b[:2] for b in bounds], [b[2:] for b in bounds]
    west, south = (float(min(v for v in side if v == v)) for side in zip(*lows, strict=True))  # noqa: PLR0124
    east, north = (float(max(v for v in side if v == v)) for side in zip(*highs, strict=True))  # noqa: PLR0124
    return west, south, east, north


def _coverage(result: Any, log: IssueLog) -> list[Layer]:
    zones, names = result.zones, facility_names(result.area.facilities)
    by_level = {str(level): zones[zones["level"] == level] for level in zones["level"].unique()}
    # the frame of the city: the level that covers most of it, by the largest zones
    frame = sorted(by_level.items(), key=lambda item: (-item[1]["area_km2"].sum().round(), len(item[1])))
    ground, labels = [], []
    for level, rows in frame[:1]:
        ground.append(context.boundaries(rows, level))
        labels.append(context.place_names(rows, level, result.cells))
    return [
        *ground,
        context.roads(_edges(result.area.network), log),
        *_reach(result.area),
        *[people.zone_shares(rows, level) for level, rows in by_level.items()],
        people.uncovered_people(result.cells, names),
        people.blind_spots(result.blind_spots, names),
        *labels,
        people.blind_spot_ranks(result.blind_spots, names),
        _facilities(result.area),
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
    widest = max(area.minutes)
    edges = area.edges[area.edges["minutes"] == widest]
    return [reached.service_area(area.dissolved), reached.reached_roads(edges, minute_classes(widest))]


def _facilities(area: Any) -> Layer:
    polygons = area.polygons[area.polygons["minutes"] == max(area.minutes)]
    return reached.facilities(area.facilities, area.snaps, polygons, mode=area.network.mode.name)


# by the name of the class: importing the classes here would load numba to draw a plain layer
_LAYERS: dict[str, Callable[[Any, IssueLog], list[Layer]]] = {
    "Coverage": _coverage,
    "ServiceArea": _service_area,
    "Isochrones": lambda result, log: _isochrones(result, bands(result), log),
    "RoadNetwork": _network,
    "NetworkReport": _report,
}
_PANELS: dict[str, Callable[[Any], Panel]] = {
    "Coverage": panels.coverage_panel,
    "ServiceArea": panels.service_area_panel,
    "Isochrones": lambda result: panels.isochrones_panel(result, bands(result)),
    "RoadNetwork": panels.network_panel,
    "NetworkReport": panels.report_panel,
}


def by_class(result: Any, registry: dict[str, T]) -> T:
    """Return the entry for the result's class; raise CG-MAP-003 if there is none."""
    for name in _names(result):
        if name in registry:
            return registry[name]
    raise error("CG-MAP-003", type=type(result).__name__)
