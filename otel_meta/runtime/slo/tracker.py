"""SLO tracking in this process, or in the whole service if the workers share series.

The tracker uses the same series and arithmetic as the rules. A thread reads the series every ten
seconds, so that tracking adds no cost to recording.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from otel_meta.model import MetaRepo, Slo
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.status.status import Status

from .counting import Source
from .tracked_slo import TrackedSlo

INTERVAL: Final = 10.0
"""Seconds between samples, equal to the finest step of the history."""


class SloTracker:
    """Tracks SLOs, each since the call of `track` for the meta-repository.

    A forked child tracks the same SLOs since the fork.

    Args:
        source: the series of the events.
        clock: monotonic clock in seconds.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source: Final = source
        self._clock: Final = clock
        self._tracked: Final[dict[Slo, TrackedSlo]] = {}
        self._lock: Final = ForkSafeLock()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child."""
        for tracked in self._tracked.values():
            tracked.restart()

    @property
    def is_empty(self) -> bool:
        """True if no SLO is tracked."""
        return not self._tracked

    def __repr__(self) -> str:
        return f"<SloTracker of {len(self._tracked)} SLOs>"

    def track(self, repo: type[MetaRepo]) -> None:
        """Track the SLOs of a meta-repository from now on."""
        self._source.refresh()
        with self._lock:
            for slo in repo.slos.values():
                if slo not in self._tracked:
                    self._forget(repo, slo)
                    self._tracked[slo] = TrackedSlo(slo, repo.name, self._source, self._clock)

    def _forget(self, repo: type[MetaRepo], slo: Slo) -> None:
        """Forget a former declaration of an SLO, as of a notebook's cell that ran again."""
        for known, tracked in list(self._tracked.items()):
            if (tracked.repo, known.name) == (repo.name, slo.name):
                del self._tracked[known]

    def sample(self) -> None:
        """Add the current counts of every SLO to its history."""
        self._source.refresh()
        for tracked in list(self._tracked.values()):
            tracked.sample()

    def statuses(self) -> tuple[Status, ...]:
        """Return the current status of every tracked SLO."""
        self._source.refresh()
        return tuple([tracked.status() for tracked in list(self._tracked.values())])

    def status(self, slo: Slo) -> Status:
        """Return the current status of an SLO.

        Raises:
            KeyError: the meta-repository is not tracked.
        """
        self._source.refresh()
        return self._tracked[slo].status()
