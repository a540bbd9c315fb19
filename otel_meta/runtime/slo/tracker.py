"""SLO tracking in this process, or in the whole service if the workers share series.

The tracker uses the same series and arithmetic as the rules. A thread reads the series every ten
seconds, so that tracking adds no cost to recording.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from otel_meta.model import MetaRepo, Slo
from otel_meta.model.slo.correction import Correction
from otel_meta.model.slo.objective import LEAST_COVERAGE
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.status.status import Status

from .counting import Source
from .history import STEP
from .history_file import HistoryFile
from .kept_histories import KeptHistories
from .past import Moment
from .tracked_slo import Judgement, TrackedSlo

INTERVAL: Final = STEP
"""Seconds between samples, equal to the finest step of the history."""


class SloTracker:
    """Tracks SLOs, each since the call of `track` for the meta-repository.

    With a file, the history of an SLO begins with the first process of the service. Without a file,
    it begins with the call, and a forked child tracks the same SLOs since the fork.

    Args:
        source: the series of the events.
        clock: monotonic clock in seconds.
        wall_clock: seconds since 1970; places corrections, and the history after a restart.
        service: labels of the service's identity.
        required_coverage: share of the period that has to be covered before an SLO counts as
            breached.
        corrections: times whose events do not count.
        file: keeps the histories, and shares them among the processes of the service.
    """

    def __init__(
        self,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
        *,
        wall_clock: Callable[[], float] = time.time,
        service: Mapping[str, str] | None = None,
        required_coverage: float = LEAST_COVERAGE,
        corrections: Sequence[Correction] = (),
        file: HistoryFile | None = None,
    ) -> None:
        self._source: Final = source
        self._clock: Final = clock
        self._wall_clock: Final = wall_clock
        self._judgement: Final = Judgement(
            service=dict(service or {}),
            required_coverage=required_coverage,
            corrections=tuple(corrections),
        )
        self._kept: Final = None if file is None else KeptHistories(file, self._moment)
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
        if repo.slos:
            self._source.refresh()
        with self._lock:
            for slo in repo.slos.values():
                if slo not in self._tracked:
                    self._forget(repo, slo)
                    self._tracked[slo] = TrackedSlo(slo, repo, self._source, self._clock)
        self._update()

    def _forget(self, repo: type[MetaRepo], slo: Slo) -> None:
        """Forget a former declaration of an SLO, as of a notebook's cell that ran again."""
        for known, tracked in list(self._tracked.items()):
            if tracked.key == (repo.name, slo.name):
                del self._tracked[known]

    def sample(self) -> None:
        """Add the current counts of every SLO to its history."""
        self._refresh()
        tracked = list(self._tracked.values())
        for each in tracked:
            each.sample()
        if self._kept is not None:
            self._kept.save(tracked)

    def close(self) -> None:
        """Save the current counts, and let another process of the service write the file."""
        self.sample()
        if self._kept is not None:
            self._kept.close()

    def statuses(self) -> tuple[Status, ...]:
        """Return the current status of every tracked SLO."""
        self._refresh()
        return tuple([self._status(tracked) for tracked in list(self._tracked.values())])

    def status(self, slo: Slo) -> Status:
        """Return the current status of an SLO.

        Raises:
            KeyError: the meta-repository is not tracked.
        """
        self._refresh()
        return self._status(self._tracked[slo])

    def _status(self, tracked: TrackedSlo) -> Status:
        return tracked.status(self._judgement, self._wall_clock())

    def _moment(self) -> Moment:
        return Moment(self._clock(), self._wall_clock())

    def _refresh(self) -> None:
        """Find new series and saved histories; without SLOs, no process reads those of others."""
        if self._tracked:
            self._source.refresh()
        self._update()

    def _update(self) -> None:
        if self._kept is not None:
            self._kept.update(list(self._tracked.values()))
