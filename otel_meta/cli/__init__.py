"""The program ``otel-meta``; each command is a module."""

from __future__ import annotations

import io
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Final, NoReturn

from otel_meta._version import __version__
from otel_meta.errors import OtelMetaError

from . import backfill, check, demo, generate, show
from .project.config_file import ProjectConfigError
from .result import OK, USAGE_ERROR, Result

_COMMANDS: Final = (show, check, generate, backfill, demo)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 on success; 1 with findings; 2 for bad input or a failure, with one line on standard
        error, or a line for each mistake in the project's table, and then no file has been written.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # the terminal's encoding may lack a character
    try:
        args = _parser().parse_args(argv)
        result: Result = args.run(args)
        _print(result.text)
    except SystemExit:  # argparse has printed the help or an error
        _print("")
        raise
    except BrokenPipeError:  # from a command that prints while it runs
        _discard_output()
        return OK
    except (OtelMetaError, OSError) as error:
        _discard_unwritten()
        for problem in error.problems if isinstance(error, ProjectConfigError) else (error,):
            print(_one_line("otel-meta", problem), file=sys.stderr)
        return USAGE_ERROR
    return result.exit_code


def _print(text: str) -> None:
    if sys.stdout is None:  # closed by the shell
        return
    try:
        print(text, end="\n" if text else "", flush=True)
    except BrokenPipeError:
        _discard_output()


def _discard_unwritten() -> None:
    """Discard output that cannot be written, on a full disk for example."""
    if sys.stdout is None:  # closed by the shell
        return
    try:
        sys.stdout.flush()
    except OSError:
        _discard_output()


def _discard_output() -> None:
    """Redirect standard output, because Python flushes the output once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(program: str, message: object) -> str:
    return " ".join(f"{program}: {message}".split())


class _Parser(ArgumentParser):
    """An argument parser with single-line errors."""

    def error(self, message: str) -> NoReturn:
        """Print the error, and exit with code 2."""
        self.exit(USAGE_ERROR, f"{_one_line(self.prog, message)}; see {self.prog} -h\n")


def _parser() -> ArgumentParser:
    parser = _Parser(
        prog="otel-meta",
        description="Metrics and SLOs declared once, and the files generated from them.",
    )
    parser.add_argument("--version", action="version", version=f"otel-meta {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
