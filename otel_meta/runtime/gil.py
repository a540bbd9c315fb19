"""Release of the GIL in long loops, for the sake of other threads.

A busy thread releases the GIL to a waiting thread after 5 ms only (`sys.getswitchinterval`). A
thread that handles a request waits again after each call with I/O, so a loop over 10,000 series
would delay every request. Long loops therefore sleep 50 µs every 0.5 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

MAX_HOLD: Final = 0.0005
"""Seconds for which a loop holds the GIL: short in comparison with a request."""

YIELD_TIME: Final = 0.00005
"""Seconds of a pause: enough for a waiting thread to wake up and take the GIL."""


class GilYielder:
    """Releases the GIL with a short sleep at regular times.

    Args:
        max_hold: seconds between two pauses.
        yield_time: seconds of a pause.
        pause: sleeps for a number of seconds.
    """

    def __init__(
        self,
        max_hold: float = MAX_HOLD,
        yield_time: float = YIELD_TIME,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._max_hold: Final = max_hold
        self._yield_time: Final = yield_time
        self._pause: Final = pause
        self._held_since = time.perf_counter()

    def maybe_yield(self) -> None:
        """Release the GIL if it was held for `max_hold` seconds since the latest pause."""
        if time.perf_counter() - self._held_since >= self._max_hold:
            self._pause(self._yield_time)
            self._held_since = time.perf_counter()


def yielding_gil(items: Iterable[T], yielder: GilYielder | None = None) -> Iterator[T]:
    """Yield the items, and release the GIL between them as a `GilYielder` does."""
    yielder = yielder or GilYielder()
    for item in items:
        yield item
        yielder.maybe_yield()
