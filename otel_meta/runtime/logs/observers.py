"""Observers of log lines, for tests: each receives every line as JSON."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from structlog.typing import EventDict, WrappedLogger


class LineObservers:
    """A structlog processor: gives each event to the observers, and returns the event unchanged.

    Args:
        render: renders an event to a line of JSON, whatever the format on the stream.
    """

    def __init__(self, render: Callable[[WrappedLogger, str, EventDict], bytes]) -> None:
        self._render: Final = render
        self._observers: Final[list[Callable[[bytes], None]]] = []

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Give the event to the observers."""
        if self._observers:
            line = self._render(logger, method, event)
            for observer in tuple(self._observers):
                observer(line)
        return event

    @contextmanager
    def watched_by(self, observer: Callable[[bytes], None]) -> Generator[None]:
        """Call a function with each line that is written inside the block."""
        self._observers.append(observer)
        try:
            yield
        finally:
            self._observers.remove(observer)
