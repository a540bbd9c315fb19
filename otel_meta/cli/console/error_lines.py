"""Errors on standard error, each on one line."""

from __future__ import annotations

import sys


def print_error(problem: object) -> None:
    """Print a line about a problem."""
    if sys.stderr is not None:  # closed by the shell
        print(" ".join(f"otel-meta: {problem}".split()), file=sys.stderr)
