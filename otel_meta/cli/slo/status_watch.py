"""The statuses again and again, on a screen of their own, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from otel_meta.cli.console.rendered import rendered
from otel_meta.cli.console.rich_console import output
from otel_meta.cli.console.streams import write
from otel_meta.errors import BackendError

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
        return Group(*self._parts(self._problems()))

    def _problems(self) -> tuple[str, ...]:
        try:
            self._found = self._source()
        except BackendError as error:
            return (str(error),)
        self._found_at = self._clock()
        return self._found.problems

    def _parts(self, problems: tuple[str, ...]) -> Iterator[RenderableType]:
        age = time_text(self._clock() - self._found_at)
        if self._found is not None:
            yield from status_view(self._found, self._states)
        yield from (Text(problem, "bold red") for problem in problems)
        data = f"data {age} old" if self._found else "no data yet"
        yield Text(f"{data}; asked every {time_text(self._every)}; Ctrl-C ends", "dim")

    def _show(self) -> None:
        console = output()
        if not console.is_terminal:
            while True:
                write(rendered([self.view()]))
                time.sleep(self._every)
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(self.view(), refresh=True)
                time.sleep(self._every)
