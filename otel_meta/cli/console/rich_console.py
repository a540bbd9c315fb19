"""The consoles of standard output and standard error.

They follow ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM=dumb``; a pipe and a file get plain text.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ANY_WIDTH: Final = 10_000
"""Characters in a line that is not broken."""


def output() -> Console:
    """Return the console of standard output."""
    return _console(to_errors=False)


def wide_output(content: RenderableType) -> Console:
    """Return the console of standard output, as wide as the content needs at least."""
    from rich.measure import Measurement  # noqa: PLC0415 - for a terminal only

    console = output()
    measured = Measurement.get(console, console.options.update(max_width=_ANY_WIDTH), content)
    is_narrow = is_screen(sys.stdout)
    least = max(console.width, measured.minimum) if is_narrow else measured.maximum
    return _console(to_errors=False, width=max(least, 1))  # rich prints no empty line without width


def errors() -> Console:
    """Return the console of standard error, for progress."""
    return _console(to_errors=True)


def is_screen(stream: TextIO | None) -> bool:
    """Return True for a terminal on which lines can be written over."""
    return stream is not None and stream.isatty() and not output().is_dumb_terminal


def _console(*, to_errors: bool, width: int | None = None) -> Console:
    from rich.console import Console  # noqa: PLC0415 - a command that prints plain text needs none

    return Console(stderr=to_errors, highlight=False, markup=False, emoji=False, width=width)
