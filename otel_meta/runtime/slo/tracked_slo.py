"""One tracked SLO: its event counts, their history, and the status from both."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from otel_meta.model import Budget, Duration, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.status.events import Events
from otel_meta.status.status import Burn, Status

from .counting import Source, event_counter
from .history import History


class TrackedSlo:
    """An SLO of this process, tracked since its creation.

    Args:
        slo: the SLO.
        repo: the name of the meta-repository.
        source: the series of the events.
        clock: monotonic clock in seconds.
    """

    def __init__(self, slo: Slo, repo: str, source: Source, clock: Callable[[], float]) -> None:
        self._slo: Final = slo
        self.repo: Final = repo
        self._clock: Final = clock
        # One lock for each SLO: a status waits for the sample of a single SLO.
        self._lock: Final = ForkSafeLock()
        now = clock()
        self._count: Final = event_counter(slo.sli, source, now)
        self._latest = self._count(now)
        self._began = now
        self._history = self._new_history()

    def restart(self) -> None:
        """Forget the history in a forked child, which has recorded nothing yet.

        Nothing is counted here: to read a series would create it, and many children never record.
        """
        self._began = self._clock()
        self._history = self._new_history()

    def sample(self) -> None:
        """Add the current counts to the history."""
        with self._lock:
            now = self._clock()
            self._latest = self._count(now)
            self._history.add(now, self._latest)

    def status(self) -> Status:
        """Return the current status."""
        with self._lock:
            now = self._clock()
            current = self._latest = self._count(now)

            def events_over(span: Duration) -> Events:
                _, past = self._history.before(now - span.seconds)
                return Events(current.bad - past.bad, current.total - past.total)

            slo = self._slo
            return Status(
                slo=slo,
                repo=self.repo,
                events=events_over(slo.period),
                burns={span: _burn(slo, events_over(span)) for span in _lookbacks(slo)},
                covered=min(now - self._began, float(slo.period.seconds)),
            )

    def _new_history(self) -> History:
        return History(self._began, self._slo.period.seconds, self._latest)


def _lookbacks(slo: Slo) -> list[Duration]:
    return sorted({BURN_RATE_SPAN, *slo.burn_lookbacks()})


def _burn(slo: Slo, events: Events) -> Burn:
    spent = Budget(slo.objective, Fraction(events.bad), Fraction(events.total)).spent
    return Burn(None if spent is None else float(spent), events.bad)
