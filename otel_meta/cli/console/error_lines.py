"""Errors on standard error, each on one line."""

from __future__ import annotations

from .streams import write_error


def print_error(problem: object) -> None:
    """Print a line about a problem."""
    write_error(" ".join(f"otel-meta: {problem}".split()))
