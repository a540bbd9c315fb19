"""Run a command: parse the arguments, print the result, and turn errors into lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from typer import Exit
from typer.exceptions import TyperException

from otel_meta.errors import BackendError, OtelMetaError

from .command_group import application
from .console import streams
from .console.error_lines import print_error
from .exit_code import ExitCode, Result
from .usage_problem import usage_problem

PROGRAM: Final = "otel-meta"
_COMPLETION: Final = "_OTEL_META_COMPLETE"
"""The variable by which the completion script of a shell asks for completions."""


def run(arguments: Sequence[str]) -> int:
    """Run a command, and return the exit code."""
    streams.replace_unknown_characters()
    try:
        result = _result_of(list(arguments))
        streams.write(result.text)
    except BrokenPipeError:  # from a command that prints while it runs
        streams.discard(sys.stdout)
        return ExitCode.OK
    except TyperException as error:
        print_error(usage_problem(error))
        return ExitCode.USAGE
    except (OtelMetaError, OSError) as error:
        streams.discard_unwritten()
        for problem in getattr(error, "problems", (error,)):
            print_error(problem)
        return ExitCode.BACKEND if isinstance(error, BackendError) else ExitCode.USAGE
    return result.exit_code


def _result_of(arguments: list[str]) -> Result:
    group = application()
    if _COMPLETION in os.environ:
        group.main(arguments, prog_name=PROGRAM)  # prints the completions, and exits
    try:
        with group.make_context(PROGRAM, arguments) as context:
            result: Result = group.invoke(context)
    except Exit as end:  # the help or the version has been printed
        return Result(ExitCode(end.exit_code))
    return result
