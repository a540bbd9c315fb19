"""Pushes of a job between its intervals, as soon as a series is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

INTERVAL: Final = 1.0
"""Seconds between two looks for new series."""


class EarlyPush:
    """Pushes at an interval, and before it if there is a new series.

    Args:
        push: pushes the metrics.
        interval: seconds between two pushes without new series.
        has_new_series: returns True if there are series that no delivered push had.
        was_delivered: returns False if the last push failed: the next one then waits.
    """

    def __init__(
        self,
        push: Callable[[], object],
        interval: float,
        has_new_series: Callable[[], bool],
        was_delivered: Callable[[], bool],
    ) -> None:
        self._push: Final = push
        self._interval: Final = interval
        self._has_new_series: Final = has_new_series
        self._was_delivered: Final = was_delivered
        self._pushed_at = time.monotonic()

    def push_if_due(self) -> None:
        """Push if the interval is over, or if there is a new series."""
        is_over = time.monotonic() - self._pushed_at >= self._interval
        if is_over or (self._was_delivered() and self._has_new_series()):
            self._push()
            self._pushed_at = time.monotonic()
