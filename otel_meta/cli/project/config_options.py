"""Options of the command line with the meaning of a key of the project's table."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

from .config_kinds import Kind, WrongValueError
from .config_rows import ROWS, Row


def add_config_option(parser: ArgumentParser) -> None:
    """Add the option that names the file with the project's table."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML file with the table [tool.otel_meta] (the nearest pyproject.toml)",
    )


def add_row_options(parser: ArgumentParser) -> None:
    """Add the options that stand for a key of the table, which they override."""
    for row in ROWS:
        if row.option:
            parser.add_argument(
                row.option,
                dest=row.dest,
                action="append",
                type=checked(row.kind),
                metavar=row.metavar,
                help=_help(row),
            )


def _help(row: Row) -> str:
    repeated = "; may be repeated" if row.kind.repeatable else ""
    return f"{row.meaning} ({row.default}){repeated}".replace("`", "").replace("%", "%%")


def checked(kind: Kind) -> Callable[[str], str]:
    """Return the type of an option's argument: a text that the kind can read."""

    def check(text: str) -> str:
        try:
            kind.read(kind.of_texts([text]))
        except WrongValueError as error:
            raise ArgumentTypeError(str(error)) from error
        return text

    return check
