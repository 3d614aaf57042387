"""``citygeo demo``: the whole line on the sample city, from roads and people to map and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from citygeo.cli.output import finish
from citygeo.cli.progress import Progress
from citygeo.cli.report import describe
from citygeo.io.atomic import make_folder

if TYPE_CHECKING:
    import argparse

    from citygeo.coverage import Coverage

NAME = "demo"
HELP = "fire coverage of the sample city, with map and files 示例城市消防覆盖分析"
NOTE = (
    "They are municipal totals spread over homes 由市级总数按住宅建筑分摊. "
    "The totals of 1 January 2019 were entered by hand and are unverified 市级人口总数未经核实."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--out",
        "-o",
        type=Path,
        default=Path("citygeo-demo"),
        metavar="DIR",
        help="folder for the files (default: %(default)s)",
    )
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="time limit, inclusive (default: %(default)g)"
    )


def run(args: argparse.Namespace) -> None:
    """Compute the coverage of the sample city, write its files and print its table."""
    with Progress(is_quiet=args.quiet) as progress:
        make_folder(args.out)
        coverage, place = compute(args.minutes, progress)
        document = describe(coverage, command=NAME, place=place) | {"note": NOTE}
        finish(coverage, document, args, progress, levels=["municipality"])


def compute(minutes: float, progress: Progress) -> tuple[Coverage, dict[str, str]]:
    """Return the fire coverage of the sample city, and the city's names."""
    import citygeo as cg

    progress.step("reading the roads of the sample city")
    city = cg.datasets.reykjavik()
    network = city.network(mode="fire_engine")
    progress.step("reading its stations, boundaries and buildings, and spreading its people")
    stations, zones, buildings, people = city.stations, city.zones, city.buildings, city.people
    progress.step("computing who is reached (the first run compiles, which takes longer)")
    coverage = cg.coverage(
        network,
        stations,
        demand=people,
        minutes=minutes,
        direction="from",
        zones=zones,
        buildings=buildings,
        study_area=city.study_area,
    )
    return coverage, {"name": city.name, "name_zh": city.name_zh}
