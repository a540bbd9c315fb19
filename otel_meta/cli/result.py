"""The result of a command: an exit code, and the text for standard output."""

from __future__ import annotations

from typing import Final, NamedTuple


class Result(NamedTuple):
    """Returned by each command; `main` prints the text and handles closed pipes and full disks."""

    exit_code: int
    text: str = ""


OK: Final = 0
FINDINGS: Final = 1
USAGE_ERROR: Final = 2
