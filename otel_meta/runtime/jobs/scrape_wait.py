"""The wait at the end of a job, until a scrape has seen new series at zero."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from otel_meta.runtime.recording.faults import logger

_MOMENT: Final = 0.05
"""Seconds between two looks at a signal: a handler may not use locks."""


class ScrapeWait:
    """Waits for a scrape, unless a signal hastens the end of the process.

    Args:
        seconds_to_hold: returns the seconds until the counts of all new series may follow.
    """

    def __init__(self, seconds_to_hold: Callable[[], float]) -> None:
        self._seconds_to_hold: Final = seconds_to_hold
        self._is_cut = False
        self._is_said = False

    def cut(self) -> None:
        """End the wait; a signal handler may call this."""
        self._is_cut = True

    def run(self, limit: float | None = None) -> None:
        """Wait, and say so once.

        Args:
            limit: maximum duration in seconds.
        """
        seconds = self._seconds_to_hold()
        if limit is not None:
            seconds = min(seconds, limit)
        if not seconds or self._is_cut:
            return
        if not self._is_said:
            self._is_said = True
            logger.info(
                "this job waits %.1f s at its end, so that Prometheus sees its new series at zero "
                "before their counts; OTEL_META_SCRAPE_INTERVAL shortens this, a signal ends it",
                seconds,
            )
        deadline = time.monotonic() + seconds
        while not self._is_cut and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _MOMENT))
