"""One tracked SLO: its event counts, their history, and the status from both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from otel_meta.model import Budget, Duration, MetaRepo, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.model.slo.correction import Correction
from otel_meta.model.slo.objective import LEAST_COVERAGE
from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.status.events import Events
from otel_meta.status.status import Burn, Status

from .counting import MAX_GAP, Source, event_counter
from .history import History, Sample
from .past import Moment, Past, excluded_spans
from .saved_slo import Key, SavedSlo, sli_key


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the statuses of a service have in common."""

    service: Mapping[str, str] = field(default_factory=dict[str, str])
    """The labels of identity."""
    required_coverage: float = LEAST_COVERAGE
    """Share of the period that has to be covered before an SLO counts as breached."""
    corrections: Sequence[Correction] = ()
    """Times whose events do not count."""


class TrackedSlo:
    """An SLO of this process, tracked since its creation.

    Args:
        slo: the SLO.
        repo: the meta-repository.
        source: the series of the events.
        clock: monotonic clock in seconds.
    """

    def __init__(
        self, slo: Slo, repo: type[MetaRepo], source: Source, clock: Callable[[], float]
    ) -> None:
        self._slo: Final = slo
        self._repo: Final = repo
        self._clock: Final = clock
        self._sli_key: Final = sli_key(slo.sli)
        # One lock for each SLO: a status waits for the sample of a single SLO.
        self._lock: Final = ForkSafeLock()
        now = clock()
        self._counter: Final = event_counter(slo.sli, source, now)
        self._latest = Sample(now, *self._counter.count(now), 0.0)
        self._mark = self._counter.mark
        self.follows = False
        """True if another process writes the history."""
        self._begin()

    @property
    def key(self) -> Key:
        """The names of meta-repository and SLO."""
        return self._repo.name, self._slo.name

    def restart(self) -> None:
        """Forget the history in a forked child, which has recorded nothing yet.

        Nothing is counted here: to read a series would create it, and many children never record.
        """
        self._latest = self._latest._replace(at=self._clock())
        self.follows = False
        self._begin()

    def sample(self) -> None:
        """Add the current counts to the history, unless another process does."""
        with self._lock:
            sample = self._count()
            self._mark = self._counter.mark
            if not self.follows:
                self._history.add(sample)

    def status(self, judgement: Judgement, wall: float) -> Status:
        """Return the current status.

        Args:
            judgement: what all statuses have in common.
            wall: the time of the wall clock, which places the corrections.
        """
        with self._lock:
            current = self._count()
            slo, moment = self._slo, Moment(current.at, wall)
            excluded = excluded_spans(judgement.corrections, slo, judgement.service, moment)
            past = Past(self._history, current, excluded)
            begin = current.at - slo.period.seconds
            return Status(
                slo=slo,
                repo=self._repo.name,
                owner=self._repo.owner,
                service=judgement.service,
                events=past.events(begin),
                excluded=past.excluded(begin),
                burns={
                    span: _burn(slo, past.events(current.at - span.seconds))
                    for span in _lookbacks(slo)
                },
                covered=min(past.covered(begin), float(slo.period.seconds)),
                required_coverage=judgement.required_coverage,
                burn_down=past.burn_down(slo),
            )

    def saved(self, origins: Iterable[str]) -> SavedSlo:
        """Return the history for the file."""
        return SavedSlo(self.key, self._sli_key, self._history, self._mark, tuple(origins))

    def find(self, saved: Mapping[Key, SavedSlo]) -> SavedSlo | None:
        """Return the saved history of the same events under the SLO's name, or a former name."""
        names = (self._slo.name, *self._slo.formerly)
        found = (saved.get((self._repo.name, name)) for name in names)
        return next((each for each in found if each and each.sli == self._sli_key), None)

    def follow(self, saved: SavedSlo) -> None:
        """Continue the history of a process that counts the same series.

        The events since its last sample are known from the series, so that none counts twice.
        """
        with self._lock:
            counted, last = self._count(), saved.history.last
            at = max(last.at, self._began)
            events = self._counter.since(saved.mark, at, counted.at)
            self._history = saved.history.copy(float(self._slo.period.seconds))
            self.follows = True
            self._continue(last.plus(events, _covered(at, counted.at)))

    def join(self, saved: SavedSlo) -> None:
        """Add a history to that of this process, whose series nobody else has counted."""
        with self._lock:
            if self.follows:  # it has that history already
                return
            counted = self._count()
            own = self._history.last
            self._history = saved.history.joined(self._history)
            joined = self._history.last
            events = Events(counted.bad - own.bad, counted.total - own.total)
            self._continue(joined.plus(events, counted.covered - own.covered))

    def lead(self) -> None:
        """Write the history from now on, which another process has written so far."""
        self.follows = False

    def _begin(self) -> None:
        self._began = self._latest.at
        self._history = History(float(self._slo.period.seconds), (self._latest,))

    def _count(self) -> Sample:
        now = self._clock()
        covered = self._latest.covered + _covered(self._latest.at, now)
        self._latest = Sample(now, *self._counter.count(now), covered)
        return self._latest

    def _continue(self, target: Sample) -> None:
        """Count on from other numbers than before."""
        bad, total = target.bad - self._latest.bad, target.total - self._latest.total
        self._counter.shift(Events(bad, total))
        self._latest = target._replace(at=self._latest.at)


def _covered(begin: float, end: float) -> float:
    """Return the covered seconds between two counts: a longer gap is a process that stood still."""
    return end - begin if 0 <= end - begin <= MAX_GAP else 0.0


def _lookbacks(slo: Slo) -> list[Duration]:
    return sorted({BURN_RATE_SPAN, *slo.burn_lookbacks()})


def _burn(slo: Slo, events: Events) -> Burn:
    spent = Budget(slo.objective, Fraction(events.bad), Fraction(events.total)).spent
    return Burn(None if spent is None else float(spent), events.bad)
