"""History of event counts: 10-second steps for the last hour, coarser steps for older samples."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Final, NamedTuple

from otel_meta.status.events import Events

STEP: Final = 10.0
"""Seconds between two samples of the last hour."""

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_STEPS: Final = ((1.2 * _HOUR, STEP), (7 * _HOUR, 120.0), (3.1 * _DAY, 600.0))
"""Greatest age of a sample, and the seconds between samples of this age: the counts of a window are
off by at most one step, which is 10 s of 5 min, 2 min of 6 h, 10 min of 1 day."""
_COARSEST: Final = 1800.0
_SLACK: Final = 64
"""Samples that are added before the older ones are thinned out again."""


class Sample(NamedTuple):
    """Counts since the beginning of the history, at a moment of the tracker's clock."""

    at: float
    bad: float
    total: float
    covered: float
    """Seconds in which events were counted."""

    @property
    def events(self) -> Events:
        """The counts of events."""
        return Events(self.bad, self.total)

    def plus(self, events: Events, covered: float) -> Sample:
        """Return the sample with further counts."""
        bad, total = events
        return Sample(self.at, self.bad + bad, self.total + total, self.covered + covered)


class History:
    """Counts of an SLO over a period, which never decrease; at least one sample.

    The samples are columns of plain floats: 32 bytes a sample.

    Args:
        period: length of the SLO's period in seconds.
        samples: the first samples, oldest first.
    """

    def __init__(self, period: float, samples: Iterable[Sample]) -> None:
        self.period = period
        self._columns: Final = tuple(array("d") for _ in Sample._fields)
        self._times: Final = self._columns[0]
        self._most = _SLACK
        for sample in samples:
            self._append(sample)
        self._thin_out()

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[Sample]:
        return map(Sample, *self._columns)

    @property
    def first(self) -> Sample:
        """The oldest sample."""
        return self._at(0)

    @property
    def last(self) -> Sample:
        """The newest sample."""
        return self._at(-1)

    def add(self, sample: Sample) -> None:
        """Add the newest sample, which replaces the last one within a step of the one before.

        A sample that is older than the last one is left out: the clock went back.
        """
        if sample.at < self._times[-1]:
            return
        if len(self) > 1 and sample.at - self._times[-2] < STEP:
            for column in self._columns:
                column.pop()
        self._append(sample)
        if len(self) > self._most:
            self._thin_out()

    def before(self, moment: float) -> Sample:
        """Return the latest sample at or before a moment; the first if there is none."""
        return self._at(max(bisect_right(self._times, moment) - 1, 0))

    def joined(self, later: History) -> History:
        """Return the history of two processes of a service, one of which began later.

        In the time of both, their events are added up, and a second is covered once.
        """
        times = sorted({*self._times, *later._times})
        return History(later.period, _joined(times, self, later))

    def copy(self, period: float) -> History:
        """Return a history of the same samples for another period."""
        return History(period, self)

    def shift(self, seconds: float) -> None:
        """Move all samples to the times of another clock."""
        self._times[:] = array("d", [at + seconds for at in self._times])

    def columns(self) -> list[list[float]]:
        """Return the samples as columns, in the order of the fields of `Sample`."""
        return [column.tolist() for column in self._columns]

    def _at(self, index: int) -> Sample:
        return Sample(*(column[index] for column in self._columns))

    def _append(self, sample: Sample) -> None:
        for column, value in zip(self._columns, sample, strict=True):
            column.append(value)

    def _thin_out(self) -> None:
        """Drop samples that no count of a window needs any more."""
        kept = _needed(self._times, self.period)
        for column in self._columns:
            column[:] = array("d", [column[index] for index in kept])
        self._most = len(kept) + _SLACK


def _joined(times: Iterable[float], earlier: History, later: History) -> Iterator[Sample]:
    at, covered, before = -inf, 0.0, 0.0
    begun = later.first
    for moment in times:
        one, other = earlier.before(moment), later.before(moment)
        both = one.covered + other.covered - begun.covered
        covered += min(both - before, moment - at)
        at, before = moment, both
        bad, total = one.bad + other.bad - begun.bad, one.total + other.total - begun.total
        yield Sample(moment, bad, total, covered)


def _needed(times: Sequence[float], period: float) -> list[int]:
    """Return the positions of the samples that keep the distance of two within the step."""
    if not times:
        return []
    now = times[-1]
    kept = [max(bisect_right(times, now - period) - 1, 0)]
    step = _step_of(now)
    for index in range(kept[0] + 1, len(times) - 1):
        following = times[index + 1]
        if following - times[kept[-1]] > step(following):
            kept.append(index)
    return kept if len(times) - 1 in kept else [*kept, len(times) - 1]


def _step_of(now: float) -> Callable[[float], float]:
    edges = [(now - age, step) for age, step in _STEPS]

    def step(moment: float) -> float:
        return next((step for edge, step in edges if moment >= edge), _COARSEST)

    return step
