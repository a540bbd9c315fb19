"""The output of the demo: on a terminal over the last one, elsewhere line after line."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from typing import Final

from otel_meta.cli.console.rich_console import is_screen

_CLEAR_SCREEN: Final = "\x1b[H\x1b[2J"
_EVENTS_ON_SCREEN: Final = 8


class Display:
    """Shows addresses, events, pages that fire, and a table of SLOs."""

    def __init__(self) -> None:
        self.is_screen: Final = is_screen(sys.stdout)
        self._addresses: Final[list[str]] = []
        self._events: Final[deque[str]] = deque(maxlen=_EVENTS_ON_SCREEN)
        self._pages: Final[dict[str, str]] = {}

    def show_addresses(self, lines: Iterable[str]) -> None:
        """Show addresses, which stay."""
        for line in lines:
            self._addresses.append(line)
            self._say(line)

    def show_event(self, line: str) -> None:
        """Show an event; on a terminal, the last ones stay."""
        self._events.append(line)
        self._say(line)

    def show_page(self, alert: str, text: str) -> None:
        """Show the text of a page; on a terminal, it stays until the page ends."""
        self._pages[alert] = text
        self._say(text)

    def end_page(self, alert: str) -> None:
        """Show a page no more."""
        self._pages.pop(alert, None)

    def show_table(self, table: str, footer: str) -> None:
        """Show the table of SLOs; on a terminal, below everything else."""
        if self.is_screen:
            page = list(self._pages.values())[-1:]
            print("\n".join((_CLEAR_SCREEN, *self._addresses, *self._events, *page)))
        print(f"\n{table}\n\n{footer}\n", flush=True)

    def _say(self, text: str) -> None:
        if not self.is_screen:
            print(text, flush=True)
