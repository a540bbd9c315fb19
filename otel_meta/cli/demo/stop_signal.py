"""Signals end the demo by a flag that waiting code polls, not by an exception."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignal:
    """A flag, set by SIGINT, SIGTERM and SIGHUP while the context is open.

    KeyboardInterrupt could be raised between the start of a process and the assignment of the
    handle, and would leave the process behind.
    """

    def __init__(self) -> None:
        self._event: Final = Event()
        self._handlers_before: dict[signal.Signals, Any] = {}

    def wait(self, seconds: float) -> bool:
        """Wait for a signal; return True if there was one, False after the time has passed."""
        return self._event.wait(max(seconds, 0.0))

    def is_set(self) -> bool:
        """Return True if a signal has arrived."""
        return self._event.is_set()

    def set(self) -> None:
        """Act as if a signal had arrived."""
        self._event.set()

    def __enter__(self) -> Self:
        self._handlers_before = {
            number: signal.signal(number, self._on_signal) for number in _SIGNALS
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.set()
