"""``citygeo coverage``: who is covered, on the user's own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from citygeo.cli.output import finish
from citygeo.cli.progress import Progress
from citygeo.cli.report import describe
from citygeo.errors import error
from citygeo.io.atomic import make_folder
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    import argparse

    import geopandas as gpd

    from citygeo.network import RoadNetwork

NAME = "coverage"
HELP = "who is covered by facilities within a time limit, on your own files 设施覆盖分析"
DEFAULT_MODE = "fire_engine"
MARGIN_M = 1000.0  # as wide as the pixels of usual rasters of people
LAYER_MARK = "|layername="  # as QGIS writes it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.epilog = (
        "Layers are .gpkg, .geojson, .shp, .fgb, .parquet or .csv (columns lon and lat, x and y with --crs, or "
        "h3_cell). A layer of a file with several: 'FILE|layername=NAME'."
    )
    _add_layers(parser)
    _add_rules(parser)
    parser.add_argument(
        "-o", "--out", type=Path, metavar="DIR", help="folder for map and files (default: none are written)"
    )


def _add_layers(parser: argparse.ArgumentParser) -> None:
    """Declare what is read."""
    add = parser.add_argument
    add(
        "network",
        type=Path,
        metavar="NETWORK",
        help="OSM extract (.osm.pbf) or a network saved by citygeo network",
    )
    add("facilities", metavar="FACILITIES", help="layer of facilities")
    add(
        "--demand",
        required=True,
        metavar="FILE",
        help="people: points, polygons, H3 cells, or a GeoTIFF (its pixels within 1 km of the study area or zones)",
    )
    add(
        "--population", default="population", metavar="COLUMN", help="column of people (default: %(default)s)"
    )
    add(
        "--estimate", action="store_true", help="the people are an estimate, not a count: say so 人口为估算值"
    )
    add(
        "--zones",
        action="append",
        default=[],
        metavar="[LEVEL=]FILE",
        help="zones to report by; repeat for several levels",
    )
    add(
        "--buildings",
        metavar="FILE",
        help="buildings to count, and their floor area if they are drawn as polygons",
    )
    for option, what in (
        ("--areas", "land to measure, such as built-up ground"),
        ("--points", "anything else to count"),
    ):
        add(option, action="append", default=[], metavar="[NAME=]FILE", help=f"{what}; repeat for several")
    add(
        "--study-area",
        metavar="FILE",
        help="what counts as the city for area and cells (default: the first level of zones, "
        "else the cells where people live)",
    )
    add(
        "--crs",
        metavar="CRS",
        help="of layers that state none, such as a CSV with x and y; for example EPSG:4547",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    """Declare how reach is computed."""
    add = parser.add_argument
    add(
        "--minutes",
        type=float,
        required=True,
        metavar="MIN",
        help="time limit in minutes, inclusive, to 1440",
    )
    add(
        "--radius-m",
        type=_number_or_column,
        metavar="M|COLUMN",
        help="circles round facilities to tell beside the network, in metres, or the column of FACILITIES that holds "
        "them",
    )
    add("--mode", help=f"travel mode; for an OSM extract the default is {DEFAULT_MODE}")
    add(
        "--direction",
        choices=("from", "to"),
        default="from",
        help="of travel, seen from the facility (default: %(default)s)",
    )
    add(
        "--delay",
        type=_number_or_column,
        metavar="S|COLUMN",
        help="seconds before setting out, part of the minutes, or the column of FACILITIES that holds them "
        "(default: the mode's)",
    )
    add(
        "--max-snap-m",
        type=float,
        default=200.0,
        metavar="M",
        help="farthest from a road, in metres (default: %(default)g)",
    )
    add(
        "--buffer-m",
        type=float,
        default=100.0,
        metavar="M",
        help="area counts as covered this near a reached road, in metres (default: %(default)g)",
    )
    add(
        "--resolution",
        type=int,
        choices=range(16),
        default=9,
        metavar="0-15",
        help="H3 resolution of the cells; 9 is about 0.1 km2 a cell (default: %(default)s; "
        "of cells given as demand, theirs)",
    )
    add(
        "--threads",
        type=count_of_threads,
        metavar="N",
        help="processors to use (default: all); the numbers do not depend on it",
    )


def _number_or_column(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def count_of_threads(text: str) -> int:
    """Return a whole number from 1, for argparse."""
    count = int(text)
    if count < 1:
        raise ValueError
    return count


count_of_threads.__name__ = "count from 1"  # argparse names the type in its complaint


def run(args: argparse.Namespace) -> None:
    """Read the files, compute the coverage, write its files and print its table."""
    import citygeo as cg

    reader = Reader(args.crs)
    with Progress(is_quiet=args.quiet) as progress:
        if args.out is not None:
            make_folder(args.out)
        progress.step("reading layers")
        facilities = reader.read(args.facilities)
        zones, areas, points = (
            {name: reader.read(file) for name, file in named_files(given, option, default).items()}
            for given, option, default in (
                (args.zones, "--zones", "zone"), (args.areas, "--areas", "land"), (args.points, "--points", "points"),
            )
        )  # fmt: skip
        buildings = reader.read(args.buildings) if args.buildings else None
        study_area = reader.read(args.study_area) if args.study_area else None
        city = next(iter(zones.values()), None) if study_area is None else study_area
        demand = read_demand(
            args.demand,
            args.population,
            reader,
            resolution=args.resolution,
            area=None if city is None else around(city),
            threads=args.threads,
        )
        if args.estimate:
            demand.attrs["estimate"] = True
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
            areas=areas or None,
            points=points or None,
            radius_m=args.radius_m,
            study_area=study_area,
            delay_s=args.delay,
            max_snap_m=args.max_snap_m,
            buffer_m=args.buffer_m,
            resolution=args.resolution,
            threads=args.threads,
        )
        coverage.log.extend(reader.found.found)
        document = describe(coverage, command=NAME, place={"name": Path(args.facilities).name})
        finish(coverage, document, args, progress)


def around(city: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return the ground on which pixels count: those of a coast hold people although their middle is in the sea."""
    from citygeo import datum

    west, south, east, north = city.to_crs(datum.WGS84).total_bounds
    return city.geometry.to_crs(datum.working_crs((west, south, east, north), "zones")).buffer(MARGIN_M)


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


def named_files(given: list[str], option: str, default: str) -> dict[str, str]:
    """
    Return the file of each name: of a level of zones, of land, of points.

    Parameters
    ----------
    given
        ``NAME=FILE`` or ``FILE``.
    option
        What the user wrote before it, for the message.
    default
        The name of a file without one.

    Raises
    ------
    InputError
        CG-IN-004 if two files have one name.

    Examples
    --------
    >>> named_files(["city=city.gpkg", "districts.shp"], "--zones", "zone")
    {'city': 'city.gpkg', 'zone': 'districts.shp'}
    """
    files: dict[str, str] = {}
    for text in given:
        name, mark, file = text.partition("=")
        # an equals sign may also be part of a file's name or of its layer's mark
        if not mark or not name or LAYER_MARK.rstrip("=") in name or Path(text).exists():
            name, file = default, text
        if name in files:
            rule = f"{name} was given twice."
            hint = f"Name each: {option} NAME=FILE."
            raise error("CG-IN-004", argument=option, value=text, rule=rule, hint=hint)
        files[name] = file
    return files


def read_demand(
    file: str,
    column: str,
    reader: Reader,
    *,
    resolution: int = 9,
    area: gpd.GeoSeries | None = None,
    threads: int | None = None,
) -> gpd.GeoDataFrame:
    """
    Read the people of a layer or raster.

    Parameters
    ----------
    file
        Points, polygons or H3 cells; or a GeoTIFF, of which only the people in `area` count.
    column
        The column of people; a raster has none.
    reader
        Reads the layer, and takes the findings on the raster.
    resolution, area, threads
        Of the cells that pixels are brought to, see :func:`citygeo.population`.

    Returns
    -------
    The layer, its people in the column ``population``; indexed by ``h3_cell`` if its rows are H3 cells. Rows
    with a place of their own are not, whichever cell they name.

    Raises
    ------
    InputError
        CG-IN-005 if there is no such column.
    """
    import citygeo as cg
    from citygeo.demand import cells_or_places, is_raster
    from citygeo.demand.columns import require_column

    if is_raster(file):
        return cg.population(file, resolution=resolution, area=area, issues=reader.found, threads=threads)
    layer = reader.read(file)
    require_column(layer, Path(file).name, column)
    if column != "population":
        layer = layer.drop(columns="population", errors="ignore").rename(columns={column: "population"})
    return cells_or_places(layer, Path(file).name)


class Reader:
    """
    Reads the user's layers.

    Parameters
    ----------
    crs
        The CRS of layers that state none.

    Attributes
    ----------
    found
        The findings on the layers read so far.

    Raises
    ------
    InputError
        CG-IN-004 if there is no such CRS.
    """

    def __init__(self, crs: str | None = None) -> None:
        from citygeo.io.tables import parse_crs

        self._crs = None if crs is None else parse_crs(crs, argument="--crs")
        self.found = IssueLog()

    def read(self, text: str) -> gpd.GeoDataFrame:
        """
        Read ``FILE`` or ``FILE|layername=NAME``.

        Raises
        ------
        CitygeoError
            As `citygeo.io.tables.read_layer`; CG-IN-004 if neither the file nor the user states a CRS.
        """
        from citygeo.io.tables import read_layer

        file, mark, name = text.partition(LAYER_MARK)
        layer = read_layer(file, layer=name if mark else None, issues=self.found)
        if layer.crs is not None:
            return layer
        if self._crs is None:
            xmin, ymin, xmax, ymax = (f"{value:g}" for value in layer.total_bounds)
            rule = f"{Path(file).name} states none (x {xmin} to {xmax}, y {ymin} to {ymax})."
            raise error(
                "CG-IN-004", argument="--crs", value=None, rule=rule, hint="For example --crs EPSG:4547."
            )
        return layer.set_crs(self._crs)
