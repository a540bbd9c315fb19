"""Keeps count of SLOs in this process, or in its whole service where workers share their numbers.

The same numbers and arithmetic as the rules. It reads the accumulators every few seconds: recording
costs nothing more for being tracked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from threading import Lock
from typing import Final

from otel_meta.model import Budget, Duration, MetaRepo, Slo

from .counting import Counting, Events, Source, counting
from .history import History
from .status import Status

INTERVAL: Final = 10.0
"""Seconds between looks; the finest step that the history keeps."""


@dataclass(frozen=True)
class _Tracked:
    repo: str
    count: Counting
    history: History
    began: float


class SloTracker:
    """SLOs and what became of them since each was followed.

    Args:
        source: where the counts are.
        clock: seconds that never go back.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source: Final = source
        self._clock: Final = clock
        self._tracked: dict[Slo, _Tracked] = {}
        self._lock: Final = Lock()

    def __repr__(self) -> str:
        return f"<SloTracker of {len(self._tracked)} SLOs>"

    def follow(self, repo: type[MetaRepo]) -> None:
        """Keep count of a meta-repository's SLOs from now on."""
        self._source.refresh()
        with self._lock:
            now = self._clock()
            for slo in repo.slos.values():
                if slo not in self._tracked:
                    count = counting(slo.sli, self._source, now)
                    history = History(now, slo.period.seconds, count(now))
                    self._tracked[slo] = _Tracked(repo.name, count, history, now)

    def sample(self) -> None:
        """Look at every SLO's counts and keep them."""
        self._source.refresh()
        with self._lock:
            now = self._clock()
            for tracked in self._tracked.values():
                tracked.history.add(now, tracked.count(now))

    def statuses(self) -> tuple[Status, ...]:
        """How every SLO that is followed stands now."""
        self._source.refresh()
        with self._lock:
            followed = list(self._tracked)
        return tuple(map(self._status, followed))

    def status(self, slo: Slo) -> Status:
        """How an SLO stands now.

        Raises:
            KeyError: its meta-repository is not followed.
        """
        self._source.refresh()
        return self._status(slo)

    def _status(self, slo: Slo) -> Status:
        with self._lock:
            tracked = self._tracked[slo]
            now = self._clock()
            current = tracked.count(now)

        def within(span: Duration) -> Events:
            _, past = tracked.history.before(now - span.seconds)
            return Events(current.bad - past.bad, current.total - past.total)

        return Status(
            slo=slo,
            repo=tracked.repo,
            events=within(slo.period),
            burn_rates={str(s): _burn_rate(slo, within(s)) for s in slo.burn_lookbacks()},
            covered=min(now - tracked.began, float(slo.period.seconds)),
        )


def _burn_rate(slo: Slo, events: Events) -> Fraction | None:
    return Budget(slo.objective, Fraction(events.bad), Fraction(events.total)).spent
