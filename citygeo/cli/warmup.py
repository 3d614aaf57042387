"""``citygeo warmup``: compile everything now, so that the first real run does not have to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citygeo.cli.demo import compute
from citygeo.cli.progress import Progress
from citygeo.cli.report import print_json, print_text

if TYPE_CHECKING:
    import argparse

NAME = "warmup"
HELP = "compile the kernels now, so that later runs start at once 预先编译计算内核"


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command: it has none of its own."""


def run(args: argparse.Namespace) -> None:
    """Do the sample city's work once and keep only the compiled code."""
    with Progress(is_quiet=args.quiet) as progress:
        compute(5.0, progress)
        seconds = round(progress.seconds, 3)
    if args.json:
        print_json({"command": NAME, "seconds": seconds})
    else:
        print_text(f"Ready: kernels are compiled 计算内核已就绪 ({seconds:.1f} s)")
