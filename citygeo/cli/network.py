"""``citygeo network``: build a road network once, tell how fit it is, keep it for every later run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo.cli.coverage import DEFAULT_MODE, Reader, open_network
from citygeo.cli.progress import Progress
from citygeo.cli.report import (
    files_text,
    issue_rows,
    path_texts,
    print_json,
    print_text,
    records,
    tell_issues,
)
from citygeo.errors import error
from citygeo.io.atomic import make_folder
from citygeo.io.columns import printable

if TYPE_CHECKING:
    import argparse

    from citygeo.network import RoadNetwork
    from citygeo.network.report import NetworkReport

    BBox = tuple[float, float, float, float]

NAME = "network"
HELP = "build a road network, report how fit it is, and save it 构建、体检并保存路网"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.epilog = "Layers are read as by citygeo coverage. The limits of the verdicts are citygeo's own."
    add = parser.add_argument
    add(
        "network",
        type=Path,
        metavar="NETWORK",
        help="OSM extract (.osm.pbf, .osm, .osm.gz, .osm.bz2, Overpass JSON) or a network saved before",
    )
    add(
        "-o",
        "--out",
        type=Path,
        metavar="NAME.net",
        help="folder to save the network in (default: not saved)",
    )
    add("--mode", help=f"travel mode; for an OSM extract the default is {DEFAULT_MODE}")
    add(
        "--bbox",
        type=_bbox,
        metavar="W,S,E,N",
        help="keep only streets of this box, degrees; written --bbox=W,S,E,N where west is negative",
    )
    add(
        "--points",
        metavar="FILE",
        help="layer of facilities or people: report how far from a street they are",
    )
    add(
        "--max-snap-m",
        type=float,
        default=200.0,
        metavar="M",
        help="farthest from a road, in metres (default: %(default)g)",
    )
    add("--crs", metavar="CRS", help="of points that state none; for example EPSG:4547")
    add("--report", type=Path, metavar="DIR", help="folder for the map and tables of the report")


def _bbox(text: str) -> BBox:
    west, south, east, north = (float(part) for part in text.split(","))
    return west, south, east, north


_bbox.__name__ = "box W,S,E,N"  # argparse names the type in its complaint


def run(args: argparse.Namespace) -> None:
    """Build or open the network, save it, and print its report."""
    reader = Reader(args.crs)
    with Progress(is_quiet=args.quiet) as progress:
        if args.report is not None:
            make_folder(args.report)
        points = reader.read(args.points) if args.points else None
        progress.step(f"reading {args.network.name}")
        network = _open(args)
        if args.out is not None:
            progress.step(f"writing {args.out}")
            network.save(args.out)
        progress.step("examining the network")
        report = network.report(points, max_snap_m=args.max_snap_m)
        report.log.extend(reader.found.found)
        document = describe(report)
        if args.out is not None:
            document["path"] = str(args.out)
        if args.report is not None:
            document["files"] = path_texts(_write(report, args.report, progress))
        document["seconds"] = round(progress.seconds, 3)
    if args.json:
        print_json(document)
    else:
        print_text(_as_text(report, document))
    tell_issues(document["issues"], is_quiet=args.quiet)


def _open(args: argparse.Namespace) -> RoadNetwork:
    """
    Open a saved network, or build one.

    Raises
    ------
    InputError
        CG-IN-004 if a saved network shall be cut, or is of another mode than the one asked for.
    """
    import citygeo as cg

    if args.bbox is None:
        return open_network(args.network, args.mode)
    if args.network.is_dir():
        rule, hint = (
            f"{args.network.name} is built already.",
            "Give it when the network is built from an OSM extract.",
        )
        raise error("CG-IN-004", argument="--bbox", value=args.bbox, rule=rule, hint=hint)
    return cg.RoadNetwork.from_osm(args.network, mode=args.mode or DEFAULT_MODE, bbox=args.bbox)


def describe(report: NetworkReport) -> dict[str, Any]:
    """Return what is worth knowing of a network, with the keys of the JSON document; missing figures are null."""
    network = report.network
    return {
        "command": NAME,
        "mode": network.mode.name,
        "source": network.source,
        "bounds": list(network.bounds),
        "report": records(report.table),
        "speeds": records(report.speeds),
        "places": records(report.places["problem"].value_counts(sort=False).to_frame()),
        "issues": issue_rows(report.issues),
    }


def _write(report: NetworkReport, folder: Path, progress: Progress) -> dict[str, Path]:
    import citygeo as cg

    progress.step(f"writing files to {folder}")
    files = dict(report.save(folder))
    progress.step("drawing the map")
    files["map"] = folder / "map.html"
    cg.explore(report).save_html(files["map"])
    return files


def _as_text(report: NetworkReport, document: dict[str, Any]) -> str:
    parts = [str(report)]
    if "files" in document:
        parts.append(files_text(document["files"]))
    if "path" in document:
        parts.append(f"Network saved to 路网已保存: {printable(document['path'])}")
    return "\n\n".join([*parts, f"Time taken 用时: {document['seconds']:.1f} s"])
