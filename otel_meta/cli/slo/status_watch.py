"""The statuses again and again, on a screen of their own, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from otel_meta.cli.console.printable import Printable
from otel_meta.cli.console.rendered import rendered
from otel_meta.cli.console.rich_console import is_screen, output
from otel_meta.cli.console.streams import write
from otel_meta.errors import BackendError
from otel_meta.status.status_json import StatusJson

from .found_statuses import FoundStatuses
from .status_sources import Source
from .status_texts import time_text
from .status_view import status_view


class Watch:
    """The latest statuses; after an error, the last ones known, with their age.

    Args:
        source: finds the statuses.
        states: the states to show.
        every: seconds from one query to the next.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        source: Source,
        states: Collection[str],
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._states = states
        self._every = every
        self._clock = clock
        self._found: FoundStatuses | None = None
        self._found_at = clock()

    def run(self) -> str:
        """Show the statuses until Ctrl-C, and return the last view."""
        try:
            self._show()
        except KeyboardInterrupt:
            return "" if self._found is None else rendered(status_view(self._found, self._states))
        return ""

    def view(self) -> Group:
        """Ask for the statuses, and return what to show."""
        return Group(*map(Printable, self._parts(self._problems())))

    def _problems(self) -> tuple[str, ...]:
        try:
            found = self._source()
        except BackendError as error:
            return (str(error),)
        if not found.problems:
            self._found_at = self._clock()
        if found.rows or not found.problems:
            self._found = _completed(found, self._found)
        return found.problems

    def _parts(self, problems: tuple[str, ...]) -> Iterator[RenderableType]:
        """Yield the parts, with the lines first that a small screen has to show."""
        age = time_text(self._clock() - self._found_at)
        data = f"data {age} old" if self._found else "no data yet"
        yield Text(f"{data}; asked every {time_text(self._every)}; Ctrl-C ends", "dim")
        yield from (Text(problem, "bold red") for problem in problems)
        if self._found is not None:
            yield from status_view(self._found, self._states)

    def _show(self) -> None:
        if not is_screen(sys.stdout):
            while True:
                write(rendered(self.view().renderables))
                time.sleep(self._every)
        with Live(console=output(), screen=True, auto_refresh=False) as live:
            while True:
                live.update(self.view(), refresh=True)
                time.sleep(self._every)


def _completed(found: FoundStatuses, last: FoundStatuses | None) -> FoundStatuses:
    """Return statuses with the last ones of services that do not answer."""
    if last is None or not found.problems:
        return found
    known = {_key(row) for row in found.rows}
    missing = tuple(row for row in last.rows if _key(row) not in known)
    return replace(found, rows=(*found.rows, *missing))


def _key(row: StatusJson) -> tuple[str, tuple[tuple[str, str], ...]]:
    return row["name"], tuple(sorted(row["service"].items()))
