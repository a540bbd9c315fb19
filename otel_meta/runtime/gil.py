"""Giving other threads their turn during what takes long.

One thread at a time runs Python, and one that has to ask for its turn waits five milliseconds for
it, again and again. Whoever goes through thousands of things therefore pauses between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_STRETCH: Final = 0.0005
"""Seconds until other threads get their turn: short against a request."""

_TURN: Final = 0.00005
"""Seconds that they get: enough for one that waits to wake up, which then runs as it needs."""


class GilYielder:
    """Pauses, wherever a stretch of time has gone by.

    Args:
        pause: sleeps for some seconds.
    """

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause: Final = pause
        self._since = time.perf_counter()

    def give(self) -> None:
        """Pause, if it is time to."""
        if time.perf_counter() - self._since > _STRETCH:
            self._pause(_TURN)
            self._since = time.perf_counter()


def yielding_gil(items: Iterable[T]) -> Iterator[T]:
    """The items, with a pause wherever it is time for one."""
    turns = GilYielder()
    for item in items:
        yield item
        turns.give()
