"""Errors on standard error, each on one line."""

from __future__ import annotations

from .printable import printable
from .streams import write_error


def print_error(problem: object) -> None:
    """Print a line about a problem."""
    write_error(printable(" ".join(f"otel-meta: {problem}".split())))
