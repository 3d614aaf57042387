"""``citygeo coverage``: who is covered, on the user's own files."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from citygeo.cli.output import finish, prepare_folder
from citygeo.cli.progress import Progress
from citygeo.cli.report import describe
from citygeo.errors import error
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    import argparse

    import geopandas as gpd

    from citygeo.network import RoadNetwork

NAME = "coverage"
HELP = "who is covered by facilities within a time limit, on your own files 设施覆盖分析"
DEFAULT_MODE = "fire_engine"
LAYER_MARK = "|layername="  # as QGIS writes it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.epilog = (
        "Layers are .gpkg, .geojson, .shp, .fgb, .parquet or .csv (columns lon and lat, or h3_cell). "
        "A layer of a file with several: 'FILE|layername=NAME'."
    )
    add = parser.add_argument
    add(
        "network",
        type=Path,
        metavar="NETWORK",
        help="OSM extract (.osm.pbf) or a network saved by citygeo network",
    )
    add("facilities", metavar="FACILITIES", help="layer of facilities")
    add("--minutes", type=float, required=True, help="time limit, inclusive")
    add("--demand", required=True, metavar="FILE", help="people: points, polygons or H3 cells")
    add(
        "--population", default="population", metavar="COLUMN", help="column of people (default: %(default)s)"
    )
    add(
        "--zones",
        action="append",
        default=[],
        metavar="[LEVEL=]FILE",
        help="zones to report by; repeat for several levels",
    )
    add("--buildings", metavar="FILE", help="buildings to count")
    add("--mode", help=f"travel mode; for an OSM extract the default is {DEFAULT_MODE}")
    add(
        "--direction",
        choices=("from", "to"),
        default="from",
        help="of travel, seen from the facility (default: %(default)s)",
    )
    add(
        "--delay",
        type=float,
        metavar="S",
        help="seconds before setting out, part of the minutes (default: the mode's)",
    )
    add(
        "--max-snap-m",
        type=float,
        default=200.0,
        metavar="M",
        help="farthest from a road (default: %(default)g)",
    )
    add("-o", "--out", type=Path, metavar="DIR", help="folder for map and files (default: none are written)")


def run(args: argparse.Namespace) -> None:
    """Read the files, compute the coverage, write its files and print its table."""
    import citygeo as cg

    found = IssueLog()
    with Progress(is_quiet=args.quiet) as progress:
        if args.out is not None:
            prepare_folder(args.out)
        progress.step("reading layers")
        facilities = _layer(args.facilities, found)
        demand = read_demand(args.demand, args.population, found)
        zones = {level: _layer(file, found) for level, file in read_levels(args.zones).items()}
        buildings = _layer(args.buildings, found) if args.buildings else None
        progress.step(f"reading the network {args.network.name}")
        network = open_network(args.network, args.mode)
        progress.step("computing who is reached (the first run compiles, which takes longer)")
        coverage = cg.coverage(
            network,
            facilities,
            demand=demand,
            minutes=args.minutes,
            direction=args.direction,
            zones=zones or None,
            buildings=buildings,
            delay_s=args.delay,
            max_snap_m=args.max_snap_m,
        )
        coverage.log.extend(found.found)
        document = describe(coverage, command=NAME, place={"name": Path(args.facilities).name})
        finish(coverage, document, args, progress)


def open_network(path: Path, mode: str | None) -> RoadNetwork:
    """
    Open a saved network, or build one from an OSM extract.

    Raises
    ------
    InputError
        CG-IN-004 if a saved network is of another mode than the one asked for.
    """
    import citygeo as cg

    if not path.is_dir():
        return cg.RoadNetwork.from_osm(path, mode=mode or DEFAULT_MODE)
    network = cg.RoadNetwork.load(path)
    if mode is not None and mode != network.mode.name:
        rule = f"{path.name} was built for {network.mode.name}."
        raise error(
            "CG-IN-004",
            argument="--mode",
            value=mode,
            rule=rule,
            hint="Leave --mode out, or build a network of it.",
        )
    return network


def read_levels(zones: list[str]) -> dict[str, str]:
    """
    Return the file of each level of zones; a file without a level's name is of the level ``zone``.

    Raises
    ------
    InputError
        CG-IN-004 if two files are of one level.

    Examples
    --------
    >>> read_levels(["city=city.gpkg", "districts.shp"])
    {'city': 'city.gpkg', 'zone': 'districts.shp'}
    """
    files: dict[str, str] = {}
    for text in zones:
        level, mark, file = text.partition("=")
        # an equals sign may also be part of a file's name or of its layer's mark
        if not mark or not level or LAYER_MARK.rstrip("=") in level or Path(text).exists():
            level, file = "zone", text
        if level in files:
            rule = f"Level {level} was given twice."
            raise error(
                "CG-IN-004", argument="--zones", value=text, rule=rule, hint="Name each: --zones LEVEL=FILE."
            )
        files[level] = file
    return files


def read_demand(file: str, column: str, found: IssueLog) -> gpd.GeoDataFrame:
    """
    Read the people of a layer.

    Parameters
    ----------
    file
        Points, polygons or H3 cells.
    column
        The column of people.
    found
        Takes the findings of the reader.

    Returns
    -------
    The layer, its people in the column ``population``; indexed by ``h3_cell`` if its rows are H3 cells.

    Raises
    ------
    InputError
        CG-IN-005 if there is no such column.
    """
    layer = _layer(file, found)
    if column not in layer.columns:
        have = [str(name) for name in layer.columns if name != layer.geometry.name]
        near = difflib.get_close_matches(column, have, n=1)
        listed = ", ".join(have) + (f"; near: {near[0]}" if near else "")
        raise error("CG-IN-005", layer=Path(file).name, column=column, columns=listed)
    if column != "population":
        layer = layer.drop(columns="population", errors="ignore").rename(columns={column: "population"})
    # a table of places may also name each one's cell: then cells repeat, and the places are what counts
    is_cells = "h3_cell" in layer.columns and layer["h3_cell"].is_unique
    return layer.set_index("h3_cell") if is_cells else layer


def _layer(text: str, found: IssueLog) -> gpd.GeoDataFrame:
    from citygeo.io.tables import read_layer

    file, mark, name = text.partition(LAYER_MARK)
    return read_layer(file, layer=name if mark else None, issues=found)
