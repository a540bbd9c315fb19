"""The program ``otel-meta``: `main`, without the packages of the extra ``cli``.

Commands are in `otel_meta.cli.commands`, which says how to add one; what they print goes through
`otel_meta.cli.console`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from otel_meta.errors import MissingExtra
from otel_meta.extras import ExtraImports

from .console.error_lines import print_error
from .exit_code import ExitCode


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code, see `ExitCode`. Bad input is one line on standard error, or a line for each
        mistake in the project's table, and then no file has been written.
    """
    try:
        with ExtraImports("cli", "The command line"):
            import_module("rich")  # which the help and tables need
            from .program import run  # noqa: PLC0415 - needs an extra
        return run(sys.argv[1:] if arguments is None else arguments)
    except MissingExtra as error:
        print_error(error)
        return ExitCode.USAGE
    except KeyboardInterrupt:
        print_error("interrupted")
        return ExitCode.INTERRUPTED
