"""Bad and total events of an SLI since the process began, read off the accumulators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from otel_meta.model import Match, Ratio, Sli, Threshold, TimeSlice

from .accumulators import Accumulators
from .cells import BucketCell, LatestCell, SumCell
from .family import OVERFLOW


class Events(NamedTuple):
    """Cumulative counts; for time slices, seconds."""

    bad: float
    total: float


Counting = Callable[[float], Events]
"""Counts up to a moment, in seconds on the tracker's clock."""


def counting(sli: Sli, accumulators: Accumulators, began: float) -> Counting:
    """How to count an indicator's events, from the moment at which counting began."""
    match sli:
        case Ratio():
            return _ratio(sli, accumulators)
        case Threshold():
            return _threshold(sli, accumulators)
        case TimeSlice():
            return _SliceClock(sli, accumulators, began)


def _ratio(sli: Ratio, accumulators: Accumulators) -> Counting:
    total = _sum_of(sli.total, accumulators)
    if sli.bad is not None:
        bad = _sum_of(sli.bad, accumulators)
        return lambda _now: Events(bad(), total())
    good = _sum_of(sli.good, accumulators) if sli.good is not None else total

    def count(_now: float) -> Events:
        # Good first: a success between the two readings must not look like minus one failure.
        succeeded = good()
        every = total()
        return Events(max(every - succeeded, 0.0), every)

    return count


def _threshold(sli: Threshold, accumulators: Accumulators) -> Counting:
    cells = _cells_of(sli.values, accumulators)

    def count(_now: float) -> Events:
        bad = total = 0
        for cell in cells():
            counts, _ = cell.snapshot()
            total += sum(counts)
            bad += sum(counts[cell.bounds.index(sli.bound) + 1 :])
        return Events(float(bad), float(total))

    return count


class _SliceClock:
    """Adds the time since the last look, as good or bad by what the gauge shows now."""

    def __init__(self, sli: TimeSlice, accumulators: Accumulators, began: float) -> None:
        self._sli: Final = sli
        self._cells: Final = _cells_of(sli.value, accumulators)
        self._events = Events(0.0, 0.0)
        self._last = began

    def __call__(self, now: float) -> Events:
        elapsed, self._last = now - self._last, now
        bad, total = self._judge()
        self._events = Events(
            self._events.bad + elapsed * bad, self._events.total + elapsed * total
        )
        return self._events

    def _judge(self) -> tuple[int, int]:
        good = [self._sli.good(c.value) for c in self._cells() if c.value is not None]
        if self._sli.judge == "worst":
            return int(not all(good)), int(bool(good))
        return good.count(False), len(good)


def _sum_of(match: Match, accumulators: Accumulators) -> Callable[[], float]:
    cells = _cells_of(match, accumulators)
    return lambda: sum(_events_in(cell) for cell in cells())


def _events_in(cell: SumCell | BucketCell | LatestCell) -> float:
    match cell:
        case BucketCell():
            return float(sum(cell.snapshot()[0]))
        case _:
            return cell.value or 0.0


def _cells_of(match: Match, accumulators: Accumulators) -> Callable[[], Iterator[Any]]:
    family = accumulators.family(match.instrument)
    if not match.conditions:
        return family.cells
    meant = match.predicate()
    return lambda: (c for c in family.cells() if c.labels is not OVERFLOW and meant(c.labels))
