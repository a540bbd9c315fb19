"""The pinned programs of the laboratory; a missing one names the command that builds it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from otel_meta.testing.pinned_tools import find


@cache
def program(name: str) -> Path:
    """Return the path of a program.

    Raises:
        ToolError: the program is not built.
    """
    return find(name)
