"""The counts of an SLO over any part of its period, without the events that corrections exclude."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from otel_meta.model import Slo
from otel_meta.model.slo.correction import Correction
from otel_meta.status.events import Events
from otel_meta.status.status import BurnDownPoint

from .history import History, Sample

POINTS: Final = 120
"""Greatest number of points of a burn-down."""


class Moment(NamedTuple):
    """One moment on both clocks, in seconds."""

    now: float
    """On the tracker's clock, which is monotonic."""
    wall: float
    """On the wall clock."""

    def of_wall(self, wall: float) -> float:
        """Return another time of the wall clock as a time of the tracker's clock."""
        return self.now + wall - self.wall


class Span(NamedTuple):
    """A part of the time of the tracker's clock."""

    begin: float
    end: float


def excluded_spans(
    corrections: Iterable[Correction], slo: Slo, service: Mapping[str, str], moment: Moment
) -> list[Span]:
    """Return the spans whose events do not count for an SLO; they do not overlap."""
    found = sorted(
        Span(moment.of_wall(each.begin.timestamp()), moment.of_wall(each.end.timestamp()))
        for each in corrections
        if each.applies_to(slo.name, service)
    )
    merged: list[Span] = []
    for span in found:
        if merged and span.begin <= merged[-1].end:
            merged[-1] = Span(merged[-1].begin, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


class Past:
    """The history of an SLO up to the present counts.

    Args:
        history: the history.
        current: the present counts.
        excluded: spans whose events do not count, which do not overlap.
    """

    def __init__(self, history: History, current: Sample, excluded: Sequence[Span] = ()) -> None:
        self._history: Final = history
        self._current: Final = current
        self._excluded: Final = excluded

    def events(self, begin: float, end: float | None = None) -> Events:
        """Return the events of a span that count; by default until now."""
        bad, total = self._all_events(Span(begin, self._current.at if end is None else end))
        excluded = self.excluded(begin, end)
        return Events(max(bad - excluded.bad, 0.0), max(total - excluded.total, 0.0))

    def excluded(self, begin: float, end: float | None = None) -> Events:
        """Return the events of a span that do not count; by default until now."""
        until = self._current.at if end is None else end
        clipped = [Span(max(each.begin, begin), min(each.end, until)) for each in self._excluded]
        found = [self._all_events(span) for span in clipped if span.begin < span.end]
        return Events(sum(e.bad for e in found), sum(e.total for e in found))

    def covered(self, begin: float) -> float:
        """Return the seconds since a moment in which events were counted."""
        return self._current.covered - self._at(begin).covered

    def burn_down(self, slo: Slo) -> tuple[BurnDownPoint, ...]:
        """Return the error budget over the period, oldest first; empty without events."""
        begin = self._current.at - slo.period.seconds
        allowed = float(slo.objective.budget) * self.events(begin).total
        if not allowed:
            return ()
        return tuple(
            BurnDownPoint(self._current.at - moment, 1 - self.events(begin, moment).bad / allowed)
            for moment in self._moments(begin)
        )

    def _moments(self, begin: float) -> Iterator[float]:
        first, step = self._history.first.at, (self._current.at - begin) / (POINTS - 2)
        if first > begin:
            yield first
        grid = (begin + number * step for number in range(POINTS - 2))
        yield from (moment for moment in grid if moment > first)
        yield self._current.at

    def _all_events(self, span: Span) -> Events:
        one, other = self._at(span.begin), self._at(span.end)
        return Events(other.bad - one.bad, other.total - one.total)

    def _at(self, moment: float) -> Sample:
        return self._current if moment >= self._current.at else self._history.before(moment)
