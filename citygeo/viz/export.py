"""The files of a result: GeoPackage styled like the map, Parquet, CSV, JSON."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from citygeo import datum, hexgrid
from citygeo.io.atomic import make_folder
from citygeo.io.write import write_csv, write_gpkg, write_json, write_parquet
from citygeo.viz.classes import INK, Classes, minute_classes, people_classes, share_classes
from citygeo.viz.layers.fitness import COLOURS, FILLS, LINKS
from citygeo.viz.qml import Range, Symbol, categorized, graduated, single
from citygeo.viz.results import by_class

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from citygeo.coverage import Coverage
    from citygeo.coverage.completeness import Completeness
    from citygeo.network.report import NetworkReport
    from citygeo.provision import Provision


def save_coverage(result: Coverage, folder: Path) -> dict[str, Path]:
    """
    Write all tables of a coverage to a folder, each file whole or not at all.

    Parameters
    ----------
    result
        The coverage.
    folder
        Created if missing.

    Returns
    -------
    Paths by what they hold; ``cells`` only if pyarrow is installed.

    Raises
    ------
    FileError
        CG-FILE-012 if a file cannot be written.
    """
    make_folder(folder)
    files = {"coverage": folder / "coverage.gpkg"}
    write_gpkg(files["coverage"], gpkg_layers(result), layer_styles(result))
    if find_spec("pyarrow") is not None:
        files["cells"] = folder / "cells.parquet"
        write_parquet(files["cells"], result.cells)
    tables = {
        "table": result.table,
        "zones": result.zones,
        "blind_spots": result.blind_spots,
        "depth": result.depth,
    }
    return files | _write_tables(result, folder, tables)


def gpkg_layers(result: Coverage) -> dict[str, pd.DataFrame]:
    """Return the layers and tables of a coverage by the name they have in the GeoPackage."""
    area = result.area
    found = area.snaps.drop(columns="geometry")
    stations = area.facilities.drop(columns=[name for name in found if name in area.facilities]).join(found)
    # QGIS shows one kind of geometry per layer: a station drawn as a building becomes a point inside it
    stations = stations.set_geometry(datum.representative_points(area.facilities), crs=area.facilities.crs)
    return {
        "stations": stations,
        "blind_spots": result.blind_spots,
        "cells": result.cells,
        **_levels(result.zones),
        "reached_roads": area.edges,
        "service_area": area.dissolved,
        "service_area_by_station": area.polygons,
        "people": result.points,
        "table": result.table,
        "depth": result.depth,
        "issues": result.issues,
    }


def save_provision(result: Provision, folder: Path) -> dict[str, Path]:
    """
    Write all tables of a provision to a folder, each file whole or not at all.

    Parameters
    ----------
    result
        The provision.
    folder
        Created if missing.

    Returns
    -------
    Paths by what they hold.

    Raises
    ------
    FileError
        CG-FILE-012 if a file cannot be written.
    """
    make_folder(folder)
    files = {"provision": folder / "provision.gpkg"}
    points = result.facilities.set_geometry(
        datum.representative_points(result.facilities), crs=result.facilities.crs
    )
    layers = {"facilities": points, "demand": result.demand, **_levels(result.zones)}
    tables = {"table": result.table, "flows": result.flows}
    write_gpkg(files["provision"], {**layers, **tables, "issues": result.issues}, layer_styles(result))
    return files | _write_tables(
        result,
        folder,
        {**tables, "zones": result.zones, "facilities": result.facilities, "demand": result.demand},
    )


def save_completeness(result: Completeness, folder: Path) -> dict[str, Path]:
    """
    Write all tables of a completeness to a folder, each file whole or not at all.

    Parameters
    ----------
    result
        The completeness.
    folder
        Created if missing.

    Returns
    -------
    Paths by what they hold; ``cells`` only if pyarrow is installed.

    Raises
    ------
    FileError
        CG-FILE-012 if a file cannot be written.
    """
    make_folder(folder)
    files = {"completeness": folder / "completeness.gpkg"}
    layers = {"cells": result.cells, **_levels(result.zones), "people": result.points}
    tables = {"table": result.table, "lacking": result.lacking}
    write_gpkg(files["completeness"], {**layers, **tables, "issues": result.issues}, layer_styles(result))
    if find_spec("pyarrow") is not None:
        files["cells"] = folder / "cells.parquet"
        write_parquet(files["cells"], result.cells)
    return files | _write_tables(result, folder, {**tables, "zones": result.zones})


def _levels(zones: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Return the zones of each level by the name of their layer."""
    return {f"zones_{level}": rows for level, rows in zones.groupby("level", sort=False)}


def _write_tables(result: Any, folder: Path, tables: dict[str, pd.DataFrame]) -> dict[str, Path]:
    """Write tables, findings and provenance; return their paths."""
    files = {}
    for name, table in {**tables, "issues": result.issues}.items():
        files[name] = folder / f"{name}.csv"
        write_csv(files[name], table)
    files["provenance"] = folder / "provenance.json"
    write_json(files["provenance"], result.provenance)
    return files


def save_report(report: NetworkReport, folder: Path) -> dict[str, Path]:
    """
    Write all tables of a network report to a folder, each file whole or not at all.

    Parameters
    ----------
    report
        The report.
    folder
        Created if missing.

    Returns
    -------
    Paths by what they hold.

    Raises
    ------
    FileError
        CG-FILE-012 if a file cannot be written.
    """
    make_folder(folder)
    files = {"report": folder / "report.gpkg"}
    given = {} if report.snaps is None else {"points": report.snaps}
    layers = {"places": report.places, "dead_ends": report.dead_ends, **given, "edges": report.edges}
    write_gpkg(
        files["report"], {**layers, "table": report.table, "issues": report.issues}, layer_styles(report)
    )
    tables = {
        "table": report.table,
        "places": _with_lonlat(report.places),
        "components": report.components,
        "strong_components": report.strong_components,
        "speeds": report.speeds,
        "issues": report.issues,
    }
    for name, table in tables.items():
        files[name] = folder / f"{name}.csv"
        write_csv(files[name], table)
    return files


def _with_lonlat(points: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return points as a table with lon and lat, which a CSV would lose."""
    table: pd.DataFrame = points.drop(columns="geometry")
    return table.assign(lon=points.geometry.x, lat=points.geometry.y)


def layer_styles(result: Any) -> dict[str, str]:
    """
    Return QGIS styles (QML) for the layers that the result's ``save`` writes, by layer name.

    Parameters
    ----------
    result
        A coverage, a completeness, a provision or a network report.

    Returns
    -------
    Layer name -> QML.
    """
    styles: dict[str, Callable[[Any], dict[str, str]]] = {
        "Coverage": _coverage_styles,
        "Completeness": _completeness_styles,
        "Provision": _provision_styles,
        "NetworkReport": _report_styles,
    }
    return by_class(result, styles)(result)


def _report_styles(report: NetworkReport) -> dict[str, str]:
    from citygeo.network.report.examine import PROBLEMS

    texts = {problem: f"{text.en} {text.zh}" for problem, text in PROBLEMS.items()}
    points = {
        problem: (texts[problem], Symbol("marker", FILLS.get(problem, colour), "#111827", 2.6))
        for problem, colour in COLOURS.items()
    }
    streets = {link: (texts[link], Symbol("line", COLOURS[link], None, 0.7)) for link in LINKS}
    links = {"main": ("Main part 主体", Symbol("line", "#a3a3a3", None, 0.3)), **streets}
    links["closed"] = ("Closed 已封闭", Symbol("line", "#111827", None, 0.3))
    status = {
        "ok": ("on the network 已接入路网", Symbol("marker", "#475569", "#ffffff", 2.2)),
        "not_snapped": ("too far from any street 离路网过远", Symbol("marker", "#ffffff", "#c81e4a", 2.2)),
    }
    styles = {
        "places": categorized("problem", points),
        "dead_ends": single(Symbol("marker", "#a8a29e", "#44403c", 1.2)),
        "edges": categorized("link", links),
    }
    return styles if report.snaps is None else {**styles, "points": categorized("status", status)}


def _coverage_styles(result: Coverage) -> dict[str, str]:
    uncovered = people_classes(result.cells["uncovered"])
    zones = {f"zones_{level}": _shares("population_share") for level in _names(result.zones)}
    return {
        "stations": single(Symbol("marker", "#111827", "#ffffff", 3.6)),
        "blind_spots": single(Symbol("fill", None, "#3b0a45", 0.7)),
        "cells": _people("uncovered", uncovered, "people not covered 未覆盖人口"),
        **zones,
        "reached_roads": _minutes("time_from_s", minute_classes(max(result.area.minutes))),
        "service_area": single(Symbol("fill", "#8bcbe3", "#2a74b5", 0.3, 0.45)),
        "service_area_by_station": single(Symbol("fill", "#8bcbe3", "#2a74b5", 0.3, 0.3)),
        "people": _minutes("time_s", minute_classes(max(result.area.minutes)), kind="marker", width_mm=1.2),
    }


def _provision_styles(result: Provision) -> dict[str, str]:
    left, lacking = (
        people_classes(result.demand["unserved"]),
        people_classes(result.zones.get("places_missing", [])),
    )
    is_area = hexgrid.has_cell_index(result.demand)
    over = [Range(0, 0, "not overloaded 未超员", Symbol("marker", "#0f766e", "#ffffff", 3))]
    over.append(
        Range(
            0,
            math.inf,
            "too small if all went to the nearest 若均就近则超员",
            Symbol("marker", "#b42318", "#ffffff", 3),
        )
    )
    styles = {
        "facilities": graduated("overload", over),
        **{
            f"zones_{level}": _people("places_missing", lacking, "places missing 缺少名额")
            for level in _names(result.zones)
        },
    }
    return styles | (
        {"demand": _people("unserved", left, "people without a place 无名额人数")} if is_area else {}
    )


def _completeness_styles(result: Completeness) -> dict[str, str]:
    return {
        "cells": _shares("score"),
        **{f"zones_{level}": _shares("all_share") for level in _names(result.zones)},
    }


def _names(zones: gpd.GeoDataFrame) -> list[str]:
    return [str(level) for level in zones["level"].unique()]


def _people(column: str, classes: Classes, what: str) -> str:
    """Return areas by numbers of people; those with none stay empty."""
    nobody = Range(0, 0, "0", Symbol("fill", None, "#d1d5db", 0.1))
    ranges = [
        Range(low, high, f"{low:,.0f} – {high:,.0f} {what}", Symbol("fill", colour, "#ffffff", 0.1, 0.8))
        for (low, high), colour in zip(classes.ranges(), classes.colours, strict=True)
    ]
    # the first class that fits counts, so a bound belongs to the class above it, as on the map
    return graduated(column, [nobody, *reversed(ranges)])


def _shares(column: str) -> str:
    classes = share_classes()
    ranges = [
        Range(
            low, high, f"{100 * low:.0f} – {100 * high:.0f} % covered 覆盖率", Symbol("fill", colour, "#ffffff", 0.3)
        )
        for (low, high), colour in zip(classes.ranges(), classes.colours, strict=True)
    ]  # fmt: skip
    return graduated(column, ranges[::-1])


def _minutes(column: str, classes: Classes, *, kind: str = "line", width_mm: float = 0.5) -> str:
    """Return places by the minutes it takes to be there; beyond the limit in the colour of ink."""
    ranges = [
        Range(60 * low, 60 * high, f"{low:g} – {high:g} min", Symbol(kind, colour, None, width_mm))
        for (low, high), colour in zip(classes.ranges(), classes.colours, strict=True)
    ]
    beyond = Range(60 * classes.breaks[-1], math.inf, "beyond 超出", Symbol(kind, INK, None, width_mm))
    return graduated(column, [*ranges, beyond])
