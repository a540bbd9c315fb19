"""Bad and total events of an SLI since the process began, read off the accumulators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, Protocol

from otel_meta.model import Instrument, Ratio, Selector, Sli, Threshold, TimeSlice
from otel_meta.runtime.recording.family import OVERFLOW


class Events(NamedTuple):
    """Cumulative counts; for time slices, seconds."""

    bad: float
    total: float


class Series(Protocol):
    """The series of an instrument."""

    def cells(self) -> Iterable[Any]:
        """Each series' cell."""
        ...


class Source(Protocol):
    """Where the counts are: in the accumulators of this process, or in those of all workers."""

    def family(self, instrument: Instrument[...], /) -> Series:
        """The series of an instrument."""
        ...

    def refresh(self) -> None:
        """Look which series there are."""
        ...


Counting = Callable[[float], Events]
"""Counts up to a moment, in seconds on the tracker's clock."""


def counting(sli: Sli, source: Source, began: float) -> Counting:
    """How to count an indicator's events, from the moment at which counting began."""
    match sli:
        case Ratio():
            return _ratio(sli, source)
        case Threshold():
            return _threshold(sli, source)
        case TimeSlice():
            return _TimeSliceCounter(sli, source, began)


def _ratio(sli: Ratio, source: Source) -> Counting:
    total = _sum_of(sli.total, source)
    if sli.bad is not None:
        bad = _sum_of(sli.bad, source)
        return lambda _now: Events(bad(), total())
    good = _sum_of(sli.good, source) if sli.good is not None else total

    def count(_now: float) -> Events:
        # Good first: a success between the two readings must not look like minus one failure.
        succeeded = good()
        every = total()
        return Events(max(every - succeeded, 0.0), every)

    return count


def _threshold(sli: Threshold, source: Source) -> Counting:
    cells = _cells_of(sli.values, source)

    def count(_now: float) -> Events:
        bad = total = 0
        for cell in cells():
            counts, _ = cell.snapshot()
            total += sum(counts)
            bad += sum(counts[cell.bounds.index(sli.bound) + 1 :])
        return Events(float(bad), float(total))

    return count


class _TimeSliceCounter:
    """Adds the time since the last look, as good or bad by what the gauge shows now."""

    def __init__(self, sli: TimeSlice, source: Source, began: float) -> None:
        self._sli: Final = sli
        self._cells: Final = _cells_of(sli.value, source)
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
        if self._sli.series == "worst":
            return int(not all(good)), int(bool(good))
        return good.count(False), len(good)


def _sum_of(match: Selector, source: Source) -> Callable[[], float]:
    cells = _cells_of(match, source)
    events = _recorded if match.instrument.traits.has_buckets else _value
    return lambda: sum(events(cell) for cell in cells())


def _recorded(cell: Any) -> float:
    return float(sum(cell.snapshot()[0]))


def _value(cell: Any) -> float:
    return cell.value or 0.0


def _cells_of(match: Selector, source: Source) -> Callable[[], Iterator[Any]]:
    family = source.family(match.instrument)
    if not match.matchers:
        return lambda: iter(family.cells())
    meant = match.predicate()
    return lambda: (c for c in family.cells() if c.labels is not OVERFLOW and meant(c.labels))
