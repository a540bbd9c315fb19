"""When to end: at a signal, noticed where it is waited for rather than raised anywhere at all."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Is set by Ctrl-C, by being told to end, and by the terminal's closing, while it is open.

    An exception at any moment could come between starting a process and knowing of it.
    """

    def __init__(self) -> None:
        self._event: Final = Event()
        self._before: dict[signal.Signals, Any] = {}

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is set; says whether it is."""
        return self._event.wait(max(seconds, 0.0))

    def is_set(self) -> bool:
        """Whether it is time to end."""
        return self._event.is_set()

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._set) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()
