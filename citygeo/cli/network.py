"""``citygeo network``: build a road network once, to be opened in no time by every later run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo.cli.progress import Progress
from citygeo.cli.report import issue_rows, print_json, print_text, tell_issues
from citygeo.cli.text import clean, number, printable, table

if TYPE_CHECKING:
    import argparse

    from citygeo.network import RoadNetwork

NAME = "network"
HELP = "build a road network from an OSM extract and save it 构建并保存路网"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("pbf", type=Path, metavar="PBF", help="OSM extract, .osm.pbf")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="NAME.net", help="folder to write")
    parser.add_argument("--mode", default="fire_engine", help="travel mode (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Build, save, and print the report of the network."""
    import citygeo as cg

    with Progress(is_quiet=args.quiet) as progress:
        progress.step(f"reading {args.pbf.name}")
        network = cg.RoadNetwork.from_osm(args.pbf, mode=args.mode)
        progress.step(f"writing {args.out}")
        network.save(args.out)
        progress.step("examining the network")
        document = describe(network) | {"path": str(args.out), "seconds": round(progress.seconds, 3)}
    if args.json:
        print_json(document)
    else:
        print_text(_as_text(document))
    tell_issues(document["issues"], is_quiet=args.quiet)


def describe(network: RoadNetwork) -> dict[str, Any]:
    """Return what is worth knowing of a network, with the keys of the JSON document."""
    report = network.report()
    return {
        "command": NAME,
        "mode": network.mode.name,
        "source": network.source,
        "bounds": list(network.bounds),
        "report": report.table.reset_index().to_dict("records"),
        "issues": issue_rows(report.issues),
    }


def _as_text(document: dict[str, Any]) -> str:
    rows = [
        [f"{row['meaning']} {row['meaning_zh']}", number(row["value"], _digits(row["value"])), row["unit"]]
        for row in document["report"]
    ]
    title = f"Road network 路网: {clean(document['source']['name'])}, {clean(document['mode'])}"
    written = f"Written to 已保存: {printable(document['path'])}  ({document['seconds']:.1f} s)"
    return "\n".join(
        [title, "", table(["Figure 指标", "Value 数值", "Unit 单位"], rows, widest=80), "", written]
    )


def _digits(value: float) -> int:
    return 0 if float(value).is_integer() else 1
