"""Exit codes of the program, and the result of a command."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    BACKEND = 3
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What the code says, for the documents."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "the command has done its work, and has no findings",
    ExitCode.FINDINGS: "the command has findings: a conflict, an outdated file, or no data",
    ExitCode.USAGE: "an argument, a file or a declaration is wrong, or an extra is missing; "
    "one line on standard error says which, and nothing has been written",
    ExitCode.BACKEND: "a server such as Prometheus cannot be asked, or does not have the answer",
    ExitCode.INTERRUPTED: "Ctrl-C has ended the command",
}


class Result(NamedTuple):
    """Returned by each command; the program prints the text, and returns the exit code."""

    exit_code: ExitCode
    text: str = ""
