"""
The command line: each command calls one public function and prints what it returns.

Data goes to stdout, progress and errors to stderr, one line each. Exit codes: 0 done, 1 a bug, 2 wrong
usage, 3 bad input, 4 over a limit, 5 an optional package is missing, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from typing import TYPE_CHECKING

from citygeo import __version__
from citygeo._run.progress import say
from citygeo.cli import coverage, demo, network, population, warmup
from citygeo.errors import CitygeoError, CitygeoWarning, LimitError, MissingExtraError, RunError
from citygeo.io.columns import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, BUG, USAGE, BAD_INPUT, LIMIT, MISSING_EXTRA, STOPPED = 0, 1, 2, 3, 4, 5, 130
# findings on the data are printed from the result; what concerns the machine has no result to stand in
ABOUT_DATA = r"(?!CG-RUN-)"
COMMANDS = (demo, coverage, population, network, warmup)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Parameters
    ----------
    arguments
        Words after the program's name; those of the process if None.

    Returns
    -------
    The exit code.

    Examples
    --------
    >>> main(["--version"])
    citygeo ...
    0
    """
    # a terminal that cannot show 中文 shows escapes instead of a traceback
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    is_debugging = False
    try:
        args = _parser().parse_args(arguments)
        is_debugging = args.debug
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ABOUT_DATA, CitygeoWarning)
            warnings.showwarning = _show_warning
            args.run(args)
            sys.stdout.flush()
    except SystemExit as stop:  # argparse: --help, --version and usage errors
        return stop.code if isinstance(stop.code, int) else USAGE
    except BrokenPipeError:
        # whoever read the output has seen enough; Python would complain once more when it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except BaseException as problem:  # noqa: BLE001  # the last place that can turn one into a line and a code
        if is_debugging:
            traceback.print_exc()
        return _complain(problem)
    return OK


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning as one line, without the source line that Python would add."""
    say(f"citygeo: warning: {clean(message)}")


def _parser() -> argparse.ArgumentParser:
    description = "Who can be reached in T minutes, and who not. 服务设施可达覆盖分析"
    parser = argparse.ArgumentParser(prog="citygeo", description=description)
    parser.add_argument("--version", action="version", version=f"citygeo {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(sub)
        sub.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
        sub.add_argument("--quiet", action="store_true", help="no progress and no findings on stderr")
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.set_defaults(run=command.run)
    return parser


def _complain(problem: BaseException) -> int:
    """Print one line on stderr and return the exit code of an error."""
    code, text = _judge(problem)
    say(f"citygeo: {clean(text)}")
    return code


def _judge(problem: BaseException) -> tuple[int, str]:
    if isinstance(problem, KeyboardInterrupt):
        return STOPPED, "stopped"
    if isinstance(problem, CitygeoError):
        kinds: dict[type[CitygeoError], int] = {
            LimitError: LIMIT,
            MissingExtraError: MISSING_EXTRA,
            RunError: BUG,
        }
        code = next((code for kind, code in kinds.items() if isinstance(problem, kind)), BAD_INPUT)
        return code, str(problem)
    if isinstance(problem, MemoryError):
        return LIMIT, "out of memory; use a smaller extract or a coarser grid"
    return BUG, f"internal error, please report it with the traceback of --debug: {problem!r}"
