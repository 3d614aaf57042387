"""Isochrones: what can be reached within minutes, as edges, polygons, H3 cells or a raster."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from citygeo import provenance
from citygeo.errors import error
from citygeo.isochrones import tables
from citygeo.isochrones.areas import Look, Method
from citygeo.isochrones.barriers import Barrier
from citygeo.isochrones.cells import default_resolution
from citygeo.isochrones.reached import Overlap, Reach
from citygeo.isochrones.result import Bands, Isochrones, Kind, Question
from citygeo.isochrones.surface import TimeSurface, time_surface
from citygeo.issues import IssueLog
from citygeo.reach.place import (
    place_facilities,
    require_direction,
    require_minutes,
    require_range,
    require_threads,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons

MAX_TRIM_M = 5_000.0
MAX_OFFROAD_KMH = 1_000.0
LEAST_CELL_M, MOST_CELL_M = 1.0, 1_000.0

__all__ = ["Isochrones", "TimeSurface", "isochrones"]


@overload
def isochrones(
    network: RoadNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    minutes: float | Sequence[float],
    direction: Direction,
    overlap: Overlap = ...,
    bands: Bands = ...,
    kind: Literal["polygons", "edges", "cells"] = ...,
    method: Method = ...,
    delay_s: float | str | None = ...,
    max_snap_m: float = ...,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = ...,
    trim_m: float = ...,
    offroad_kmh: float | None = ...,
    cell_m: float = ...,
    resolution: int | None = ...,
    polygons: Polygons = ...,
    threads: int | None = ...,
) -> Isochrones: ...
@overload
def isochrones(
    network: RoadNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    minutes: float | Sequence[float],
    direction: Direction,
    overlap: Overlap = ...,
    bands: Bands = ...,
    kind: Literal["raster"],
    method: Method = ...,
    delay_s: float | str | None = ...,
    max_snap_m: float = ...,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = ...,
    trim_m: float = ...,
    offroad_kmh: float | None = ...,
    cell_m: float = ...,
    resolution: int | None = ...,
    polygons: Polygons = ...,
    threads: int | None = ...,
) -> TimeSurface: ...
def isochrones(
    network: RoadNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    minutes: float | Sequence[float],
    direction: Direction,
    overlap: Overlap = "overlap",
    bands: Bands = "disks",
    kind: Kind = "polygons",
    method: Method = "contour",
    delay_s: float | str | None = None,
    max_snap_m: float = 200.0,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    trim_m: float = 100.0,
    offroad_kmh: float | None = None,
    cell_m: float = 25.0,
    resolution: int | None = None,
    polygons: Polygons = "point",
    threads: int | None = None,
) -> Isochrones | TimeSurface:
    """
    Find what each facility reaches within the given minutes.

    The exact reached parts of roads are the answer; polygons, cells and rasters are views of it. Ground belongs to a
    band if one gets there from a reached place of a road at the speed `offroad_kmh` before the time runs out, at most
    `trim_m` away. Reached roads themselves always count, 10 m to each side. From bridges, tunnels and ferries nobody
    walks off.

    Parameters
    ----------
    network
        The road network.
    facilities
        Points, polygons and lines in any CRS.
    minutes
        One or several inclusive bounds, above 0 and up to 1,440. A band never depends on the others asked for.
    direction
        ``"from"`` the facility, like a fire engine, or ``"to"`` it, like a patient.
    overlap
        ``"overlap"``: each facility for itself. ``"dissolve"``: all as one. ``"split"``: each place of a road goes with
        the facility that is there first, cut where two would meet. Ground goes with the nearest road, whoever is first
        there in the end: districts do not change with the minutes, so that a strip of what a band reaches may be in
        the district of a facility that comes a little later.
    bands
        ``"disks"``: all within each bound. ``"rings"``: what is within one bound and not the one before.
    kind
        ``"polygons"``, ``"edges"`` (reached parts of roads, times at both ends), ``"cells"`` (H3 cells with the
        earliest time), or ``"raster"`` (a `TimeSurface` of the largest bound).
    method
        How polygons are drawn. ``"contour"``: exact crossings with the lines of a grid, joined to rings.
        ``"buffer"``: the union of the ground around every part, slow. ``"cells"``: the union of the H3 cells that
        reached roads pass through, whatever `trim_m`.
    delay_s
        Seconds before setting out, part of the minutes: a number for all, or the name of a column. Default: the
        mode's own; for ``fire_engine`` 60 s of turnout.
    max_snap_m
        Facilities farther than this from any road reach nothing; their status says so.
    barriers
        What nobody passes, neither on streets nor on foot, in any CRS: lines (rivers, railways) and polygons, over and
        under which bridges, tunnels and ferries pass, and points, which block every street within 5 m. Edge numbers
        are then those of the result's `network`, whose streets are cut there.
    trim_m
        How far off the road ground counts at most, in metres; 0 for roads only. This and the next two draw polygons and
        rasters only.
    offroad_kmh
        Speed off the road; the mode's `walk_off_kmh` if `None`, ``math.inf`` for a fixed distance of `trim_m`.
    cell_m
        Distance of the grid's lines, or size of a raster's pixels. Reached roads are drawn at least a node of the grid
        wide (`cell_m` / sqrt 2, if that is more than 10 m), and gaps narrower than a cell may close.
    resolution
        H3 resolution of cells; if `None` 10 for those who walk, else 9.
    polygons
        What stands for a polygon or a line: ``"point"``, its ``"entrances"`` or all ``"edges"`` inside.
    threads
        Worker threads; all processors if `None`. The answer does not depend on it.

    Returns
    -------
    One row per facility and band (or part, or cell), labelled as the facilities and in their CRS: facility, minutes,
    from_minutes, status, snap_distance_m; polygons with area_km2 and reached_km; parts with edge, from_m, to_m,
    time_from_s, time_to_s; cells with cell and time_s. Dissolved ones have no facility. Nothing is dropped: who reaches
    nothing has a row with an empty polygon, or without a line or cell. Status is ``ok``, ``out_of_range`` (the time
    runs out before the road), ``not_first`` (split: others are everywhere sooner), ``not_snapped`` or ``no_geometry``.

    Raises
    ------
    CRSError
        CG-CRS-001: no CRS. CG-CRS-003: longitude and latitude are swapped.
    InputError
        CG-IN-001: no rows. CG-IN-003: unusable delays. CG-IN-004: an option that is not known. CG-IN-005: no such
        column. CG-IN-006: repeated index labels.
    UnitError
        CG-UNIT-002: a number out of range.
    LimitError
        CG-LIM-006, CG-LIM-007, CG-LIM-008: a grid or raster too large for its `cell_m`, too many cells.
    NetworkError
        CG-NET-010: no facility is near the network.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> net = city.network("fire_engine")
    >>> iso = cg.isochrones(net, city.stations, minutes=[3, 5], direction="from")
    >>> len(iso), bool((iso.area_km2 > 0).all())
    (8, True)
    """
    asked = require_minutes(minutes)
    require_direction(direction)
    require_threads(threads)
    _require_choices(overlap=overlap, bands=bands, kind=kind, method=method)
    if kind == "raster" and bands == "rings":
        raise error(
            "CG-IN-004", argument="bands", value=bands, rule="A raster holds times, not bands.",
            hint="Leave it out, and choose pixels by their time.",
        )  # fmt: skip
    speed = network.mode.walk_off_kmh if offroad_kmh is None else offroad_kmh
    _require_numbers(trim_m, speed, cell_m)
    log = IssueLog()
    barrier = None
    sources = {f"network {network.source['name']}": network.source["sha256"]}
    inputs = {**sources, "facilities": provenance.sha256_layer(facilities)}
    if barriers is not None:
        barrier = Barrier.of(network, barriers)
        network = barrier.closed(network, log)
        inputs["barriers"] = provenance.sha256_layer(barriers)
    placed = place_facilities(
        network, facilities, delay_s=delay_s, max_snap_m=max_snap_m, log=log, polygons=polygons
    )
    if barrier is not None:
        barrier.note_crossed(network, placed, log)
    reach = Reach(network, placed, asked, direction, overlap, threads)
    cell_resolution = default_resolution(network.mode) if resolution is None else resolution
    look = Look(
        method, float(trim_m), float(speed), float(cell_m), cell_resolution, barrier and barrier.ground
    )
    parameters = {
        "mode": network.mode.to_dict(), "minutes": asked, "direction": direction, "overlap": overlap, "bands": bands,
        "kind": kind, "method": method, "delay_s": placed.delay_s.tolist(), "max_snap_m": max_snap_m,
        "trim_m": trim_m, "offroad_kmh": speed, "cell_m": cell_m, "resolution": cell_resolution, "polygons": polygons,
    }  # fmt: skip
    made_by = provenance.describe("isochrones", inputs, parameters)
    question = Question(reach, look, kind, bands, log, made_by)
    made = _made(question)
    log.announce()
    log.extend(network.log.found)
    return made


def _made(question: Question) -> Isochrones | TimeSurface:
    reach, look, is_ring = question.reach, question.look, question.bands == "rings"
    if question.kind == "raster":
        return time_surface(question)
    if question.kind == "edges":
        table = tables.edges(reach, is_ring=is_ring)
    elif question.kind == "cells":
        table = tables.cells(reach, look.resolution, is_ring=is_ring)
    else:
        table = tables.polygons(reach, look, is_ring=is_ring)
    return Isochrones.of(table, question)


def _require_choices(**chosen: str) -> None:
    """Raise CG-IN-004 unless each option is one of those there are."""
    known = {"overlap": Overlap, "bands": Bands, "kind": Kind, "method": Method}
    for name, value in chosen.items():
        choices = get_args(known[name])
        if value not in choices:
            quoted = ", ".join(f'"{choice}"' for choice in choices)
            raise error(
                "CG-IN-004", argument=name, value=value, rule=f"It is one of {quoted}.",
                hint=f'Leave it out for "{_DEFAULTS[name]}".',
            )  # fmt: skip


_DEFAULTS = {"overlap": "overlap", "bands": "disks", "kind": "polygons", "method": "contour"}


def _require_numbers(trim_m: Any, offroad_kmh: Any, cell_m: Any) -> None:
    """Raise CG-UNIT-002 unless the numbers can be used."""
    if trim_m != 0 or isinstance(trim_m, bool):
        require_range(
            "trim_m", trim_m, 0, MAX_TRIM_M, "metres", "Give how far off the road ground counts at most."
        )
    if offroad_kmh != math.inf:
        require_range(
            "offroad_kmh",
            offroad_kmh,
            0,
            MAX_OFFROAD_KMH,
            "km/h",
            "math.inf stands for a fixed distance of trim_m.",
        )
    require_range(
        "cell_m", cell_m, LEAST_CELL_M, MOST_CELL_M, "metres", "Give the distance of the grid's lines."
    )
