"""A thread that does one thing every so often, and survives when that fails."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from .faults import Faults


class Ticker:
    """Calls an action at an interval, on a daemon thread.

    Args:
        name: of the thread, and of its faults.
        interval: seconds between calls.
        action: what to do; an error it raises is counted, and the next call comes as planned.
        faults: who counts.
    """

    def __init__(
        self, name: str, interval: float, action: Callable[[], object], faults: Faults
    ) -> None:
        self._name: Final = name
        self._interval: Final = interval
        self._action: Final = action
        self._faults: Final = faults
        self._stopping: Final = Event()
        self._thread: Final = Thread(name=f"otel_meta {name}", target=self._run, daemon=True)

    def start(self) -> None:
        """Begin; the first call comes after one interval."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Make no further calls, and wait at most ``timeout`` seconds for one under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self._action()
            except Exception as error:
                self._faults.report(self._name, type(error).__name__, error)
