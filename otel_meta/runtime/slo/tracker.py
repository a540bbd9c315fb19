"""SLO tracking in this process, or in the whole service if the workers share series.

The tracker uses the same series and arithmetic as the rules. A thread reads the series every ten
seconds, so that tracking adds no cost to recording.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from threading import Lock
from typing import Final

from otel_meta.model import Budget, Duration, MetaRepo, Slo
from otel_meta.runtime.fork import reset_after_fork

from .counting import EventCounter, Events, Source, event_counter
from .history import History
from .status import Status

INTERVAL: Final = 10.0
"""Seconds between samples, equal to the finest step of the history."""


@dataclass(frozen=True)
class _Tracked:
    repo: str
    count: EventCounter
    history: History
    began: float


class SloTracker:
    """Tracks SLOs, each since the call of `track` for the meta-repository.

    Args:
        source: the series of the events.
        clock: monotonic clock in seconds.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source: Final = source
        self._clock: Final = clock
        self._tracked: dict[Slo, _Tracked] = {}
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Renew the lock in a forked child: a thread of the parent may have held it."""
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<SloTracker of {len(self._tracked)} SLOs>"

    def track(self, repo: type[MetaRepo]) -> None:
        """Track the SLOs of a meta-repository from now on."""
        self._source.refresh()
        with self._lock:
            now = self._clock()
            for slo in repo.slos.values():
                if slo not in self._tracked:
                    self._forget(repo, slo)
                    count = event_counter(slo.sli, self._source, now)
                    history = History(now, slo.period.seconds, count(now))
                    self._tracked[slo] = _Tracked(repo.name, count, history, now)

    def _forget(self, repo: type[MetaRepo], slo: Slo) -> None:
        """Forget a former declaration of an SLO, as of a notebook's cell that ran again."""
        for known, tracked in list(self._tracked.items()):
            if (tracked.repo, known.name) == (repo.name, slo.name):
                del self._tracked[known]

    def sample(self) -> None:
        """Add the current counts of every SLO to its history."""
        self._source.refresh()
        with self._lock:
            now = self._clock()
            for tracked in self._tracked.values():
                tracked.history.add(now, tracked.count(now))

    def statuses(self) -> tuple[Status, ...]:
        """Return the current status of every tracked SLO."""
        self._source.refresh()
        with self._lock:
            slos = list(self._tracked)
        return tuple(map(self._status, slos))

    def status(self, slo: Slo) -> Status:
        """Return the current status of an SLO.

        Raises:
            KeyError: the meta-repository is not tracked.
        """
        self._source.refresh()
        return self._status(slo)

    def _status(self, slo: Slo) -> Status:
        with self._lock:
            tracked = self._tracked[slo]
            now = self._clock()
            current = tracked.count(now)

        def events_over(span: Duration) -> Events:
            _, past = tracked.history.before(now - span.seconds)
            return Events(current.bad - past.bad, current.total - past.total)

        return Status(
            slo=slo,
            repo=tracked.repo,
            events=events_over(slo.period),
            burn_rates={str(s): _burn_rate(slo, events_over(s)) for s in slo.burn_lookbacks()},
            covered=min(now - tracked.began, float(slo.period.seconds)),
        )


def _burn_rate(slo: Slo, events: Events) -> Fraction | None:
    return Budget(slo.objective, Fraction(events.bad), Fraction(events.total)).spent
