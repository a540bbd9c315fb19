"""otel-meta: one command, one file each."""

from __future__ import annotations

import io
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, NoReturn

from otel_meta.errors import OtelMetaError

from . import check, demo, generate, show
from .result import UNUSABLE, WELL, Result

_COMMANDS: Final = (show, check, generate, demo)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 if all is well, 1 with findings, 2 if what was asked for cannot be done; then one line on
        standard error says why, and nothing has been written.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack a letter
    try:
        args = _parser().parse_args(argv)
        result: Result = args.run(args)
        _say(result.text)
    except SystemExit:  # argparse has printed a help text, or a line about the arguments
        _say("")
        raise
    except BrokenPipeError:  # of a command that speaks as it goes
        _hang_up()
        return WELL
    except (OtelMetaError, OSError) as error:
        print(_line("otel-meta", error), file=sys.stderr)
        return UNUSABLE
    return result.code


def _say(text: str) -> None:
    if sys.stdout is None:  # closed by the shell
        return
    try:
        print(text, end="\n" if text else "", flush=True)
    except BrokenPipeError:
        _hang_up()


def _hang_up() -> None:
    """Whoever read along has seen enough. Python would complain again while closing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _line(program: str, said: object) -> str:
    return " ".join(f"{program}: {said}".split())


class _Parser(ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(UNUSABLE, f"{_line(self.prog, message)}; {self.prog} -h tells more\n")


def _parser() -> ArgumentParser:
    parser = _Parser(
        prog="otel-meta", description="Metrics, SLOs and what follows from them, declared once."
    )
    parser.add_argument("--version", action="version", version=f"otel-meta {version('otel_meta')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
