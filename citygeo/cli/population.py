"""``citygeo population``: people onto H3 cells, from whatever file they are in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo.cli.coverage import Reader, count_of_threads
from citygeo.cli.progress import Progress
from citygeo.cli.report import files_text, issue_rows, print_json, print_text, tell_issues
from citygeo.cli.text import number
from citygeo.errors import error
from citygeo.io.columns import clean, table
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import geopandas as gpd

NAME = "population"
HELP = "people onto H3 cells, from a raster, zones, buildings, points or cells 人口落格网"
MEASURES = {"population": "People 人口"}
SUFFIXES = (".gpkg", ".parquet", ".csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.epilog = "Layers are read as by citygeo coverage. The cells add up to the people who have a place."
    _add_source(parser)
    _add_rules(parser)
    add = parser.add_argument
    add(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="cells as .gpkg (QGIS), .parquet or .csv (kepler.gl, DuckDB) (default: not written)",
    )


def _add_source(parser: argparse.ArgumentParser) -> None:
    """Declare what is read."""
    add = parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="GeoTIFF (.tif), or a layer of points, buildings, zones or H3 cells",
    )
    add("--column", default="population", metavar="COLUMN", help="column of people (default: %(default)s)")
    add(
        "--carry",
        action="append",
        default=[],
        metavar="COLUMN[=FILE]",
        help="further column to add up, such as an age; of a raster NAME=FILE.tif; repeat for several",
    )
    add(
        "--by",
        metavar="FILE",
        help="where people of zones live: buildings, addresses or land use (dasymetric) 按建筑或用地分配",
    )
    add("--by-weight", metavar="COLUMN", help="column of --by with weights (default: floor space, area)")
    add("--area", metavar="FILE", help="polygons: only people in them are counted")
    add("--crs", metavar="CRS", help="of layers that state none; for example EPSG:4547")


def _add_rules(parser: argparse.ArgumentParser) -> None:
    """Declare how people are brought to cells."""
    add = parser.add_argument
    add(
        "-r",
        "--resolution",
        type=int,
        choices=range(16),
        default=9,
        metavar="0-15",
        help="H3 resolution; 9 is about 0.1 km2 a cell, 8 about 0.7 km2 (default: %(default)s)",
    )
    add(
        "--polygons",
        choices=("auto", "point", "area"),
        default="auto",
        help="areas count at a point inside, or spread over their land; auto: those below a tenth of a cell at a "
        "point (default: %(default)s)",
    )
    add(
        "--units",
        choices=("count", "per_km2"),
        default="count",
        help="what pixels hold (default: %(default)s)",
    )
    add(
        "--nodata",
        type=float,
        metavar="NUMBER",
        help="what stands for no data in a raster, instead of its own",
    )
    add(
        "--method",
        choices=("auto", "centre", "subsample", "exact"),
        default="auto",
        help="how pixels count (default: %(default)s, by their size)",
    )
    add(
        "--threads",
        type=count_of_threads,
        metavar="N",
        help="processors to use (default: all); the numbers do not depend on it",
    )


def run(args: argparse.Namespace) -> None:
    """Read the people, bring them to cells, write these and print their sums."""
    import citygeo as cg

    reader = Reader(args.crs)
    write = None if args.out is None else _writer_of(args.out)
    log = IssueLog()
    with Progress(is_quiet=args.quiet) as progress:
        progress.step(f"reading {args.source}")
        source, carry = _source(args, reader)
        by = reader.read(args.by) if args.by else None
        area = reader.read(args.area) if args.area else None
        progress.step("bringing people to cells")
        cells = cg.population(
            source,
            resolution=args.resolution,
            column=args.column,
            carry=carry,
            polygons=args.polygons,
            by=by,
            by_weight=args.by_weight,
            area=area,
            units=args.units,
            nodata=args.nodata,
            method=args.method,
            issues=log,
            threads=args.threads,
        )
        log.extend(reader.found.found)
        document = describe(cells, log, name=Path(args.source).name, resolution=args.resolution)
        if write is not None:
            progress.step(f"writing {args.out}")
            write(args.out, cells)
            document["files"] = {"cells": str(args.out)}
        document["seconds"] = round(progress.seconds, 3)
    if args.json:
        print_json(document)
    else:
        print_text(f"{as_text(document)}\n\nTime taken 用时: {document['seconds']:.1f} s")
    tell_issues(document["issues"], is_quiet=args.quiet)


def _source(args: argparse.Namespace, reader: Reader) -> tuple[Any, list[str]]:
    """Return the source as `citygeo.population` takes it, and the columns to carry."""
    from citygeo.demand import cells_or_places, is_raster

    if not is_raster(args.source):
        return cells_or_places(reader.read(args.source), Path(args.source).name), args.carry
    if not args.carry:
        return args.source, []
    rasters = {args.column: args.source}
    for text in args.carry:
        name, mark, file = text.partition("=")
        if not (mark and name and file) or name in rasters:
            rule = "A raster has one column, and each column one raster."
            raise error(
                "CG-IN-004", argument="--carry", value=text, rule=rule, hint="For example age_65=old.tif."
            )
        rasters[name] = file
    return rasters, []


def _writer_of(path: Path) -> Callable[[Path, gpd.GeoDataFrame], None]:
    """Return what writes cells in the format of a file's suffix."""
    from citygeo.io import write

    writers: dict[str, Callable[[Path, gpd.GeoDataFrame], None]] = {
        ".gpkg": lambda path, cells: write.write_gpkg(path, {"cells": cells}),
        ".parquet": write.write_parquet,
        ".csv": write.write_csv,
    }
    if path.suffix.lower() not in writers:
        rule, hint = "Cells are written by suffix.", f"Use one of {', '.join(SUFFIXES)}."
        raise error("CG-IN-004", argument="--out", value=path, rule=rule, hint=hint)
    return writers[path.suffix.lower()]


def describe(cells: gpd.GeoDataFrame, log: IssueLog, *, name: str, resolution: int) -> dict[str, Any]:
    """
    Return the JSON document of people on cells, all of it but files and time.

    Parameters
    ----------
    cells
        The result of `citygeo.population`.
    log
        What was found.
    name
        Of the file.
    resolution
        H3 resolution.

    Returns
    -------
    Keys: `command`, `source`, `method`, `method_zh`, `people_are_an_estimate`, `resolution`, `cells`, `measures`
    (per column: total, cells with any, mean and most of those, and the cell with most), `issues`.
    """
    return {
        "command": NAME,
        "source": name,
        "method": cells.attrs["method"],
        "method_zh": cells.attrs["method_zh"],
        "people_are_an_estimate": cells.attrs["estimate"],
        "resolution": resolution,
        "cells": len(cells),
        "measures": [_measure(cells, column) for column in cells.columns if column != cells.geometry.name],
        "issues": issue_rows(log.table()),
    }


def _measure(cells: gpd.GeoDataFrame, column: str) -> dict[str, Any]:
    values = cells[column]
    inhabited = values[values > 0]
    has_any = len(inhabited) > 0
    return {
        "measure": column,
        "total": values.sum().item(),
        "cells": len(inhabited),
        "mean": inhabited.mean().item() if has_any else None,
        "most": inhabited.max().item() if has_any else None,
        "most_in": str(inhabited.idxmax()) if has_any else None,
    }


def as_text(document: dict[str, Any]) -> str:
    """Return the document as the table a planner reads."""
    count, resolution = number(document["cells"]), document["resolution"]
    title = (
        f"People on H3 cells 人口格网: {clean(document['source'])}\n"
        f"{count} cells of resolution {resolution} {resolution} 级格网 {count} 个\n"
        f"Method 方法: {document['method']} {document['method_zh']}"
    )
    rows = [
        [
            MEASURES.get(row["measure"], row["measure"]),
            number(row["total"], 1),
            number(row["cells"]),
            number(row["mean"], 1),
            number(row["most"], 1),
            row["most_in"] or "–",
        ]
        for row in document["measures"]
    ]
    headings = ["Column 列", "Total 总量", "Cells 格网", "Mean 平均", "Most 最多", "In cell 所在格网"]
    parts = [title, table(headings, rows)]
    if document["people_are_an_estimate"]:
        parts.append("People are an estimate, not a count 人口为估算值.")
    if "files" in document:
        parts.append(files_text(document["files"]))
    return "\n\n".join(parts)
