"""Bad and total events of an SLI since the process started, read from the metric storage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol, assert_never

from otel_meta.model import Instrument, Selector, Sli
from otel_meta.model.slo.event_terms import (
    BadEvents,
    EventCount,
    Remainder,
    TimeSlices,
    TotalEvents,
)
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.runtime.gil import yielding_gil
from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.status.events import NO_EVENTS, Events

from .event_sum import EventSum, SeriesCount, Tally


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


MAX_GAP: Final = 60.0
"""Seconds between two counts of time slices. A longer gap is a process that stood still: the rules,
which are evaluated every minute, have no data of this time."""


class _Reading(NamedTuple):
    """The value of one series: a number, or the bounds and bucket counts of a histogram."""

    labels: tuple[str, ...]
    start_ns: int
    value: Any


_Read = dict[Selector, list[_Reading]]
"""The series of every selector, each read once, so that bad and total events agree."""
_Count = Callable[[list[_Reading]], Tally]


class _PartTally(NamedTuple):
    bad: Tally
    total: Tally


class EventCounter(Protocol):
    """Counts the events of an SLI. Moments are seconds on the tracker's clock."""

    mark: Events
    """What another process that shares the series would have read at the last count."""

    def count(self, now: float) -> Events:
        """Return the events up to a moment."""
        ...

    def shift(self, events: Events) -> None:
        """Add events that another process has counted."""
        ...

    def since(self, mark: Events, at: float, now: float) -> Events:
        """Return the events between the last count of another process and the last count here.

        Args:
            mark: the other process's mark at its last count.
            at: the moment of its last count.
            now: the moment of the last count here.
        """
        ...


def event_counter(sli: Sli, source: Source, started: float) -> EventCounter:
    """Return a counter of an SLI's events.

    Args:
        sli: the indicator.
        source: the storage to read.
        started: when counting starts, in seconds on the tracker's clock.
    """
    parts = [_part_tally(part, source) for part in sli.parts]
    match sli.unit:
        case "events":
            return _EventCounter(parts)
        case "seconds":
            return _TimeSliceCounter(parts, started)


def _part_tally(sli: SimpleSli, source: Source) -> Callable[[], _PartTally]:
    read = _reader(sli, source)
    bad, total = sli.bad_events, sli.total_events
    count_bad, count_total = _counter_of_bad(bad), _counter(total)

    def current() -> _PartTally:
        series = read()
        total_now = count_total(series[total.selector])
        return _PartTally(count_bad(series[bad.selector], total_now), total_now)

    return current


class _EventCounter:
    """Counts events that the series count."""

    def __init__(self, parts: Sequence[Callable[[], _PartTally]]) -> None:
        self._parts: Final = parts
        self._others = NO_EVENTS
        self.mark = NO_EVENTS

    def count(self, now: float) -> Events:  # noqa: ARG002  # only time slices depend on time
        tallies = [part() for part in self._parts]
        self.mark = Events(
            sum(each.bad.present for each in tallies), sum(each.total.present for each in tallies)
        )
        bad, total = self._others
        return Events(
            bad + sum(each.bad.ever for each in tallies),
            total + sum(each.total.ever for each in tallies),
        )

    def shift(self, events: Events) -> None:
        self._others = Events(self._others.bad + events.bad, self._others.total + events.total)

    def since(self, mark: Events, at: float, now: float) -> Events:  # noqa: ARG002
        # A lower number is that of series that were removed meanwhile: nothing is counted twice.
        total = max(self.mark.total - mark.total, 0.0)
        return Events(min(max(self.mark.bad - mark.bad, 0.0), total), total)


class _TimeSliceCounter:
    """Adds the time since the last call, as bad or good by the gauge's value at this call.

    A gap is neither: what the gauge shows afterwards says nothing about the time before.
    """

    mark = NO_EVENTS

    def __init__(self, parts: Sequence[Callable[[], _PartTally]], started: float) -> None:
        self._parts: Final = parts
        self._events = NO_EVENTS
        self._last = started

    def count(self, now: float) -> Events:
        at, self._last = self._last, now
        self.shift(self.since(self.mark, at, now))
        return self._events

    def shift(self, events: Events) -> None:
        self._events = Events(self._events.bad + events.bad, self._events.total + events.total)

    def since(self, mark: Events, at: float, now: float) -> Events:  # noqa: ARG002
        tallies = [part() for part in self._parts]
        elapsed = now - at
        if not 0 <= elapsed <= MAX_GAP:
            return NO_EVENTS
        return Events(
            elapsed * sum(each.bad.present for each in tallies),
            elapsed * sum(each.total.present for each in tallies),
        )


def _counter(term: TotalEvents) -> _Count:
    """Return a function that counts all events, from the current series."""
    match term:
        case EventCount():
            return _event_sum(term)
        case TimeSlices(series="worst"):
            return lambda series: _slices(bool(series))
        case TimeSlices():
            return lambda series: _slices(len(series))
        case _:
            assert_never(term)


def _slices(number: int) -> Tally:
    return Tally(float(number), float(number))


def _counter_of_bad(term: BadEvents) -> Callable[[list[_Reading], Tally], Tally]:
    """Return a function that counts bad events, from the current series and all events."""
    match term:
        case EventCount():
            count_bad = _event_sum(term)
            return lambda series, _total: count_bad(series)
        case Remainder():
            count_good = _event_sum(term.good)
            return lambda series, total: _remainder(total, count_good(series))
        case TimeSlices(comparison=comparison, series=mode):

            def bad_time(series: list[_Reading], _total: Tally) -> Tally:
                bad = sum(comparison is None or comparison.holds(each.value) for each in series)
                return _slices(min(bad, 1) if mode == "worst" else bad)

            return bad_time
        case _:
            assert_never(term)


def _remainder(total: Tally, good: Tally) -> Tally:
    return Tally(max(total.ever - good.ever, 0.0), max(total.present - good.present, 0.0))


def _event_sum(term: EventCount) -> _Count:
    events = EventSum()
    return lambda series: events.update(
        SeriesCount(labels, start_ns, _events(term, value)) for labels, start_ns, value in series
    )


def _events(term: EventCount, value: Any) -> float:
    """Return the number of events in one series."""
    if not term.selector.instrument.traits.has_buckets:
        return float(value)
    bounds, counts = value
    return float(sum(counts[_bucket_positions(term, bounds)] if term.has_bounds else counts))


def _bucket_positions(term: EventCount, bounds: tuple[float, ...]) -> slice:
    """Return the positions of the buckets between the term's bounds."""
    first = None if term.above is None else bounds.index(term.above) + 1
    end = None if term.at_most is None else bounds.index(term.at_most) + 1
    return slice(first, end)


def _reader(sli: SimpleSli, source: Source) -> Callable[[], _Read]:
    # Bad or good events are read before all events: an event that is recorded in between must not
    # make the part larger than the whole.
    selectors = dict.fromkeys((sli.bad_events.selector, sli.total_events.selector))
    cells = {selector: _cells_of(selector, source) for selector in selectors}

    def read() -> _Read:
        return {selector: list(_readings(selector, cells[selector]())) for selector in selectors}

    return read


def _readings(selector: Selector, cells: Iterator[Any]) -> Iterator[_Reading]:
    has_buckets = selector.instrument.traits.has_buckets
    for cell in yielding_gil(cells):
        value = (cell.bounds, cell.snapshot()[0]) if has_buckets else cell.value
        if value is not None:
            yield _Reading(cell.labels, cell.start_ns, value)


def _cells_of(selector: Selector, source: Source) -> Callable[[], Iterator[Any]]:
    family = source.family(selector.instrument)
    if not selector.matchers:
        return lambda: iter(family.cells())
    selected = selector.predicate()
    without_labels = ("",) * len(selector.instrument.label_fields)

    def matching() -> Iterator[Any]:
        for cell in family.cells():
            if selected(without_labels if cell.labels is OVERFLOW else cell.labels):
                yield cell

    return matching
