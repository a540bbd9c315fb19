"""Bad and total events of an SLI since the process started, read from the metric storage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, Protocol, assert_never

from otel_meta.model import Instrument, Selector, Sli
from otel_meta.model.slo.event_terms import (
    BadEvents,
    EventCount,
    Remainder,
    TimeSlices,
    TotalEvents,
)
from otel_meta.runtime.recording.family import OVERFLOW


class Events(NamedTuple):
    """Cumulative counts of events; for time slices, seconds."""

    bad: float
    total: float


class Series(Protocol):
    """The series of an instrument."""

    def cells(self) -> Iterable[Any]:
        """Return the cell of each series."""
        ...


class Source(Protocol):
    """The storage to read: the storage of this process, or the sum over all workers."""

    def family(self, instrument: Instrument[...], /) -> Series:
        """Return the series of an instrument."""
        ...

    def refresh(self) -> None:
        """Find the series that were created or removed since the last call."""
        ...


EventCounter = Callable[[float], Events]
"""Counts the events up to a moment, in seconds on the tracker's clock."""

_Values = list[Any]
"""One value per series: a number, or the bounds and bucket counts of a histogram."""
_Read = dict[Selector, _Values]
"""The values of every selector, each read once, so that bad and total events agree."""


def event_counter(sli: Sli, source: Source, started: float) -> EventCounter:
    """Return a counter of an SLI's events.

    Args:
        sli: the indicator.
        source: the storage to read.
        started: when counting starts, in seconds on the tracker's clock.
    """
    read = _reader(sli, source)
    bad, total = sli.bad_events, sli.total_events

    def current() -> Events:
        values = read()
        total_now = _total(total, values[total.selector])
        return Events(_bad(bad, values[bad.selector], total_now), total_now)

    match total:
        case EventCount():
            return lambda _now: current()
        case TimeSlices():
            return _TimeSliceCounter(current, started)
        case _:
            assert_never(total)


class _TimeSliceCounter:
    """Adds the time since the last call, as bad or good by the gauge's value at this call."""

    def __init__(self, current: Callable[[], Events], started: float) -> None:
        self._current: Final = current
        self._events = Events(0.0, 0.0)
        self._last = started

    def __call__(self, now: float) -> Events:
        elapsed, self._last = now - self._last, now
        bad, total = self._current()
        self._events = Events(
            self._events.bad + elapsed * bad, self._events.total + elapsed * total
        )
        return self._events


def _total(term: TotalEvents, values: _Values) -> float:
    match term:
        case EventCount():
            return _count(term, values)
        case TimeSlices(series="worst"):
            return float(bool(values))
        case TimeSlices():
            return float(len(values))
        case _:
            assert_never(term)


def _bad(term: BadEvents, values: _Values, total: float) -> float:
    match term:
        case EventCount():
            return _count(term, values)
        case Remainder():
            return max(total - _count(term.good, values), 0.0)
        case TimeSlices(comparison=comparison, series=series):
            bad = sum(comparison is None or comparison.holds(value) for value in values)
            return float(min(bad, 1) if series == "worst" else bad)
        case _:
            assert_never(term)


def _count(term: EventCount, values: _Values) -> float:
    if term.has_bounds:
        return float(sum(sum(counts[_bucket_positions(term, bounds)]) for bounds, counts in values))
    if term.selector.instrument.traits.has_buckets:
        return float(sum(sum(counts) for _, counts in values))
    return float(sum(values))


def _bucket_positions(term: EventCount, bounds: tuple[float, ...]) -> slice:
    """Return the positions of the buckets between the term's bounds."""
    first = None if term.above is None else bounds.index(term.above) + 1
    end = None if term.at_most is None else bounds.index(term.at_most) + 1
    return slice(first, end)


def _reader(sli: Sli, source: Source) -> Callable[[], _Read]:
    # Bad or good events are read before all events: an event that is recorded in between must not
    # make the part larger than the whole.
    selectors = dict.fromkeys((sli.bad_events.selector, sli.total_events.selector))
    cells = {selector: _cells_of(selector, source) for selector in selectors}

    def read() -> _Read:
        return {selector: _values_of(selector, cells[selector]()) for selector in selectors}

    return read


def _values_of(selector: Selector, cells: Iterator[Any]) -> _Values:
    if selector.instrument.traits.has_buckets:
        return [(cell.bounds, cell.snapshot()[0]) for cell in cells]
    return [value for cell in cells if (value := cell.value) is not None]


def _cells_of(selector: Selector, source: Source) -> Callable[[], Iterator[Any]]:
    family = source.family(selector.instrument)
    if not selector.matchers:
        return lambda: iter(family.cells())
    selected = selector.predicate()
    return lambda: (c for c in family.cells() if c.labels is not OVERFLOW and selected(c.labels))
