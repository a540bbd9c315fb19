"""otel-meta: one command, one file each."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, NoReturn

from otel_meta.errors import OtelMetaError

from . import check, demo, generate, show

_COMMANDS: Final = (show, check, generate, demo)
_UNUSABLE: Final = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 if all is well, 1 with findings, 2 if what was asked for cannot be done; then one line on
        standard error says why, and nothing has been written.
    """
    args = _parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except OtelMetaError as error:
        print(f"otel-meta: {error}", file=sys.stderr)
        return _UNUSABLE
    except BrokenPipeError:
        # Whoever read along has seen enough. Python would complain again while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


class _Parser(ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_UNUSABLE, f"{self.prog}: {message}; {self.prog} -h tells more\n")


def _parser() -> ArgumentParser:
    parser = _Parser(
        prog="otel-meta", description="Metrics, SLOs and what follows from them, declared once."
    )
    parser.add_argument("--version", action="version", version=f"otel-meta {version('otel_meta')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
