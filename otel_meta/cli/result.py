"""What a command comes to: an exit code, and what it has to say."""

from __future__ import annotations

from typing import Final, NamedTuple


class Result(NamedTuple):
    """Printed at the end by one place that knows about closed pipes and full disks."""

    code: int
    text: str = ""


WELL: Final = 0
FINDINGS: Final = 1
UNUSABLE: Final = 2
