"""The consoles of standard output and standard error.

They follow ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM=dumb``; a pipe and a file get plain text.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

_ANY_WIDTH: Final = 10_000


def output() -> Console:
    """Return the console of standard output."""
    return _console(to_errors=False)


def unbroken_output() -> Console:
    """Return a console of standard output that is as wide as any line."""
    return _console(to_errors=False, width=_ANY_WIDTH)


def errors() -> Console:
    """Return the console of standard error, for progress."""
    return _console(to_errors=True)


@cache
def _console(*, to_errors: bool, width: int | None = None) -> Console:
    from rich.console import Console  # noqa: PLC0415 - a command that prints plain text needs none

    return Console(stderr=to_errors, highlight=False, markup=False, emoji=False, width=width)
