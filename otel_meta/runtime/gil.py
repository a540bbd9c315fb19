"""Release of the GIL in long loops, for the sake of other threads.

A busy thread releases the GIL to a waiting thread after 5 ms only (`sys.getswitchinterval`). A
thread that handles a request waits again after each call with I/O, so a loop over 10,000 series
would delay every request. Long loops therefore sleep 50 µs every 0.5 ms.

A request releases the GIL several times, and a loop that has slept once takes the GIL at the first
of these. The rendering of a page is therefore *patient*: a pause that ended late means that another
thread had the GIL, so the page pauses again. Patience has a limit, because a thread that computes
without end would otherwise delay the page beyond the timeout of the scrape.
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


PATIENT_HOLD: Final = 0.0002
"""Seconds for which a patient loop holds the GIL."""

PATIENCE: Final = 0.5
"""Seconds that a page spends in patient pauses: a twentieth of Prometheus' scrape timeout."""

_LATE: Final = 0.00015
"""Seconds after the end of a pause from which on another thread had the GIL."""


class GilYielder:
    """Releases the GIL with a short sleep at regular times.

    Args:
        max_hold: seconds between two pauses.
        yield_time: seconds of a pause.
        pause: sleeps for a number of seconds.
        patience: seconds for all pauses that are repeated while other threads are busy, and that
            come every `PATIENT_HOLD` seconds.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        max_hold: float = MAX_HOLD,
        yield_time: float = YIELD_TIME,
        pause: Callable[[float], None] = time.sleep,
        *,
        patience: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._max_hold: Final = max_hold
        self._yield_time: Final = yield_time
        self._pause: Final = pause
        self._clock: Final = clock
        self._patience = patience
        self._hold = min(max_hold, PATIENT_HOLD) if patience else max_hold
        self._held_since = clock()

    def maybe_yield(self) -> None:
        """Release the GIL if it was held for too long since the latest pause."""
        if self._clock() - self._held_since >= self._hold:
            self._give_way()

    def _give_way(self) -> None:
        began = before = self._clock()
        self._pause(self._yield_time)
        now = self._clock()
        while now - before > self._yield_time + _LATE and now - began < self._patience:
            before = now
            self._pause(self._yield_time)
            now = self._clock()
        self._patience -= now - began
        if self._patience <= 0:
            self._hold = self._max_hold
        self._held_since = now


def yielding_gil(items: Iterable[T], yielder: GilYielder | None = None) -> Iterator[T]:
    """Yield the items, and release the GIL between them as a `GilYielder` does."""
    yielder = yielder or GilYielder()
    for item in items:
        yield item
        yielder.maybe_yield()
