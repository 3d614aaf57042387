"""
What a question is about, apart from speeds: layers checked and put on the network once, counted as often as asked.

Answers for the network as it is, and for one on which all travel slower, differ in what is reached only.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from citygeo import datum, demand, hexgrid
from citygeo.coverage.checks import (
    note_outside_land,
    note_people_beyond,
    note_people_outside,
    note_repeated,
    require_inside,
    require_names,
)
from citygeo.coverage.circles import circles_of
from citygeo.coverage.ground import common_ground, dissolved, polygons_of
from citygeo.coverage.measures import GroundMeasure, PointMeasure, city_table
from citygeo.coverage.points import (
    Counted,
    Located,
    layer_points,
    note_unplaced,
    people_points,
    road_points,
    serve,
)
from citygeo.coverage.question import weighted_layer
from citygeo.coverage.zones import as_areas, as_levels
from citygeo.demand import zone_of
from citygeo.demand.people import MICRO
from citygeo.edgeparts import ground_near
from citygeo.errors import error
from citygeo.issues import IssueLog
from citygeo.reach import reached_by, require_buffer, to_ms
from citygeo.reach.place import own_minutes, place_facilities, require_direction, require_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from citygeo.coverage.circles import Circles
    from citygeo.coverage.measures import Measure
    from citygeo.coverage.points import PointLayer, Served
    from citygeo.coverage.question import Question
    from citygeo.coverage.zones import Level
    from citygeo.edgeparts import EdgeParts
    from citygeo.network import RoadNetwork
    from citygeo.reach.place import Facilities

PEOPLE, AREA, BUILDINGS, FLOOR = "population", "area", "buildings", "floor_area"
ROADS = "roads"
NOTHING: Mapping[str, Located] = MappingProxyType({})
AREAL = 2  # dimensions of polygons
HUNDREDTHS = 100  # floor space is counted in whole hundredths of a m2


class Weight(NamedTuple):
    """What points of one kind weigh as one measure: name, unit, key of the points, whole quanta, quanta of a unit."""

    name: str
    unit: str
    points: str
    weight: NDArray[np.int64]
    quantum: int


@dataclass(frozen=True, eq=False)
class Setting:
    """
    All layers of a question, checked and on the network.

    Attributes
    ----------
    question
        What was asked.
    placed
        The facilities that serve.
    minutes
        The longest limit; `placed.late_ms` tells how much less others have.
    levels
        The zones by level.
    land
        The ground of each measure of land as polygons that do not overlap, in the network's metric CRS; ``area`` is
        the whole city.
    people, roads
        Where people are, and stretches of road.
    more
        Buildings, and each of the points, by name.
    weights
        The measures of points.
    circles
        Round the facilities; `None` where no radius was asked for.
    resolution
        H3 resolution of the cells.
    log
        Findings.
    """

    question: Question
    placed: Facilities
    minutes: float
    levels: dict[str, Level]
    land: dict[str, NDArray[np.object_]]
    people: Located
    roads: Located
    more: dict[str, Located]
    weights: tuple[Weight, ...]
    circles: Circles | None
    resolution: int
    log: IssueLog

    @property
    def limit_ms(self) -> int:
        """The longest limit in milliseconds."""
        return to_ms(self.minutes)

    @property
    def limits_ms(self) -> NDArray[np.int64]:
        """The limit of each facility in milliseconds."""
        return self.limit_ms - self.placed.late_ms

    def table(
        self, network: RoadNetwork | None = None, *, walk_factor: float = 1.0, with_land: bool = True
    ) -> pd.DataFrame:
        """
        Return the table of the city, see `Coverage.table`, if all travelled otherwise.

        Parameters
        ----------
        network
            The same edges with other times; as asked if `None`.
        walk_factor
            Multiplies the time of the stretches between places and their roads.
        with_land
            Whether land is measured, which takes longer than all the rest.
        """
        network = network or self.question.network
        counted = self.served(network, walk_factor=walk_factor)
        if not with_land:
            return city_table(self.point_measures(counted))
        parts = self.reached(network, walk_factor=walk_factor)
        reached = polygons_of(ground_near(network, parts, self.question.buffer_m))
        return city_table([*self.land_measures(reached), *self.point_measures(counted)])

    def served(
        self, network: RoadNetwork, also: Mapping[str, Located] = NOTHING, *, walk_factor: float = 1.0
    ) -> dict[str, Counted]:
        """Return how people, the points of `more`, and those given here are served."""
        where = {PEOPLE: self.people, **self.more, **also}
        found = self.serve(network, [at.layer for at in where.values()], walk_factor=walk_factor)
        return {name: Counted(at, by) for (name, at), by in zip(where.items(), found, strict=True)}

    def serve(
        self, network: RoadNetwork, layers: list[PointLayer], *, walk_factor: float = 1.0
    ) -> list[Served]:
        """Find how points are served."""
        asked = self.question
        return serve(
            network, asked.direction, self.placed.places_at(walk_factor),
            [layer.at_walk(walk_factor) for layer in layers], self.limit_ms, asked.threads,
            late_ms=self.placed.late_ms,
        )  # fmt: skip

    def reached(self, network: RoadNetwork, *, walk_factor: float = 1.0) -> list[EdgeParts]:
        """Return what each facility reaches."""
        asked, bound = self.question, self.minutes
        places = self.placed.places_at(walk_factor)
        return reached_by(network, places, [bound], asked.direction, asked.threads)[bound]

    def land_measures(self, reached: NDArray[np.object_]) -> list[Measure]:
        """Return the measures of land, told the ground near reached roads as polygons that do not overlap."""
        if self.circles is None:
            return [
                GroundMeasure(name, land, common_ground(land, reached)) for name, land in self.land.items()
            ]
        circles = self.circles.ground
        return [
            GroundMeasure(name, land, common_ground(land, reached), common_ground(land, circles))
            for name, land in self.land.items()
        ]

    def point_measures(self, counted: Mapping[str, Counted]) -> list[Measure]:
        """Return the measures of points, told how people, and the points of `more`, are served."""
        return [PointMeasure(w.name, w.unit, counted[w.points], w.weight, w.quantum) for w in self.weights]


class Begun(NamedTuple):
    """The first half of a setting: facilities on the network, from which a search may begin; see `Setting`."""

    question: Question
    placed: Facilities
    minutes: float
    levels: dict[str, Level]
    city: NDArray[np.object_] | None  # None if nobody said what it is
    circles: Circles | None
    log: IssueLog


def begin(question: Question) -> Begun:
    """
    Check what is asked, and put the facilities on the network.

    Raises
    ------
    CitygeoError
        As `citygeo.coverage` lists them.
    """
    asked, network, log = question, question.network, IssueLog()
    require_direction(asked.direction)
    require_threads(asked.threads)
    require_buffer(asked.buffer_m)
    require_names(asked)
    datum.require_layer(asked.facilities, "facilities")
    own_minutes(asked.facilities, asked.minutes)
    levels = as_levels(asked.zones, network.metric_crs, log)
    city = _given_city(question, levels, log)
    facilities = (
        asked.facilities if asked.include_outside else require_inside(asked.facilities, city, network, log)
    )
    minutes = own_minutes(facilities, asked.minutes)
    limits = np.array([to_ms(bound) for bound in minutes], np.int64)
    placed = place_facilities(
        network, facilities, delay_s=asked.delay_s, max_snap_m=asked.max_snap_m, log=log, polygons=asked.polygons,
        late_ms=limits.max() - limits,
    )  # fmt: skip
    circles = None
    if asked.radius_m is not None:
        circles = circles_of(facilities, asked.radius_m, asked.polygons, network.metric_crs)
    return Begun(question, placed, float(minutes.max()), levels, city, circles, log)


def settle(begun: Begun) -> Setting:
    """
    Check all other layers and put them on the network.

    Raises
    ------
    CitygeoError
        As `citygeo.coverage` lists them.
    """
    asked, placed, minutes, levels, city, circles, log = begun
    network = asked.network
    resolution = asked.resolution
    if hexgrid.has_cell_index(asked.demand):
        resolution = hexgrid.resolution_of(hexgrid.from_strings(asked.demand.index))
    where = _Locator(resolution, levels, circles)
    paved = road_points(network)
    lives = people_points(network, asked.demand, paved, asked.max_snap_m, log, asked.columns)
    note_unplaced(lives, "demand", asked.max_snap_m, log)
    note_repeated(asked.demand, log)
    people = where.locate(lives)
    note_people_outside(people, levels, log)
    if asked.study_area is not None and city is not None:
        note_people_beyond(people, city, network, log)
    more, weights = _weights(asked, people, where, log)
    land = _land(asked, _city(city, people, network), log, is_known=city is not None)
    return Setting(
        asked, placed, minutes, levels, land, people, Located(paved, paved.cells(resolution), {}),
        more, weights, circles, resolution, log,
    )  # fmt: skip


class _Locator(NamedTuple):
    """Tells where points lie."""

    resolution: int
    levels: Mapping[str, Level]
    circles: Circles | None

    def locate(self, layer: PointLayer) -> Located:
        points = gpd.GeoSeries(layer.points() if self.levels else [], crs=datum.WGS84)
        zone = {name: zone_of(points, level.layer) for name, level in self.levels.items()}
        in_circle = None if self.circles is None else self.circles.hold(layer.lonlat)
        return Located(layer, layer.cells(self.resolution), zone, in_circle)


def _given_city(question: Question, levels: Mapping[str, Level], log: IssueLog) -> NDArray[np.object_] | None:
    """Return the study area, or the zones of the first level, as polygons; `None` if there is neither."""
    if question.study_area is not None:
        given = as_areas(question.study_area, "study_area", log)
        return dissolved(given.geometry.to_crs(question.network.metric_crs).to_numpy())
    return dissolved(next(iter(levels.values())).shapes) if levels else None


def _city(city: NDArray[np.object_] | None, people: Located, network: RoadNetwork) -> NDArray[np.object_]:
    """Return the city as polygons: the cells where people live, if nobody said."""
    if city is not None:
        return city
    inhabited = np.unique(people.cell[(people.cell != 0) & (people.layer.weight > 0)])
    cells = gpd.GeoSeries(hexgrid.cell_polygons(inhabited), crs=datum.WGS84)
    return dissolved(cells.to_crs(network.metric_crs).to_numpy())


def _land(
    question: Question, city: NDArray[np.object_], log: IssueLog, *, is_known: bool
) -> dict[str, NDArray[np.object_]]:
    """Return the ground of each measure of land; where it is known what the city is, only what lies in it."""
    land = {AREA: city}
    for name, layer in (question.areas or {}).items():
        given = as_areas(layer, f"areas {name}", log)
        ground = dissolved(given.geometry.to_crs(question.network.metric_crs).to_numpy())
        land[name] = common_ground(ground, city) if is_known else ground
        note_outside_land(name, ground, land[name], log)
    return land


def _weights(
    question: Question, people: Located, where: _Locator, log: IssueLog
) -> tuple[dict[str, Located], tuple[Weight, ...]]:
    """Return the points of each kind, and what they weigh."""
    network, far = question.network, question.max_snap_m
    weights = [Weight(PEOPLE, "people", PEOPLE, people.layer.weight, MICRO)]
    weights += [
        Weight(column, "people", PEOPLE, micro, MICRO) for column, micro in people.layer.columns.items()
    ]
    more: dict[str, Located] = {}
    if question.buildings is not None:
        layer = layer_points(network, question.buildings, None, BUILDINGS, far)
        more[BUILDINGS] = where.locate(layer)
        weights.append(Weight(BUILDINGS, "buildings", BUILDINGS, layer.weight, 1))
        if (shapely.get_dimensions(question.buildings.geometry.to_numpy()) == AREAL).any():
            space = demand.floor_space(question.buildings, issues=log)["floor_m2"]
            floor = np.rint(space.fillna(0).to_numpy(np.float64) * HUNDREDTHS).astype(np.int64)
            weights.append(Weight(FLOOR, "m2", BUILDINGS, floor, HUNDREDTHS))
    for name, given in (question.points or {}).items():
        rows, column = weighted_layer(given)
        label = f"points {name}"
        layer = layer_points(network, rows, None, label, far)
        note_unplaced(layer, label, far, log)
        more[label] = where.locate(layer)
        if column is None:
            weights.append(Weight(name, name, label, layer.weight, 1))
            continue
        if column not in rows.columns:
            raise error("CG-IN-005", layer=label, column=column, columns=", ".join(map(str, rows.columns)))
        micro = demand.to_micro(rows[column], layer=label, column=column)
        weights.append(Weight(name, column, label, micro, MICRO))
    return more, tuple(weights)
