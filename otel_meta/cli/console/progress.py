"""Progress of whatever takes longer than a moment, on a terminal of standard error only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Timer
from typing import Final

from .rich_console import errors, is_screen

_MOMENT: Final = 0.5
"""Seconds without progress: a short task shows none."""


@contextmanager
def progress(label: str, total: int | None = None) -> Generator[Callable[[], None]]:
    """Show that a task runs, and which part of it is done.

    Args:
        label: what runs, as in "Asking Prometheus".
        total: the number of parts; None if it is not known.

    Yields:
        A function that counts one part as done.
    """
    if not is_screen(sys.stderr):
        yield _nothing
        return
    from rich import progress as rich_progress  # noqa: PLC0415 - for a terminal only

    parts = (rich_progress.BarColumn(), rich_progress.MofNCompleteColumn()) if total else ()
    shown = rich_progress.Progress(
        rich_progress.SpinnerColumn(),
        rich_progress.TextColumn("{task.description}", markup=False),
        *parts,
        rich_progress.TimeElapsedColumn(),
        console=errors(),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = shown.add_task(label, total=total)
    begin = Timer(_MOMENT, shown.start)
    begin.daemon = True
    begin.start()
    try:
        yield lambda: shown.advance(task)
    finally:
        begin.cancel()
        begin.join()
        shown.stop()


def _nothing() -> None:
    """Count a part that is not shown."""
