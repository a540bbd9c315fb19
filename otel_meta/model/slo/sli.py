"""Service level indicators (SLIs): bad events among all events.

Each kind is a subclass of `SimpleSli`, which describes its total and its bad events in the terms of
`event_terms`, or adds up the events of several such kinds. Rules, dashboards and the counter in the
process read the terms of every part and know no kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import chain
from typing import get_args

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import expect_choice, expect_number, set_fields
from otel_meta.model.declared_call import declaring_class
from otel_meta.model.kind_traits import BUCKET_KINDS, EVENT_KINDS, VALUE_KINDS
from otel_meta.model.selector import MatcherValue, Selector, as_selector

from .comparison import Comparison
from .event_terms import (
    BadEvents,
    EventCount,
    EventUnit,
    Remainder,
    Series,
    TimeSlices,
    TotalEvents,
)


class Sli(ABC):
    """A service level indicator; each subclass is a kind."""

    @property
    @abstractmethod
    def parts(self) -> tuple[SimpleSli, ...]:
        """The indicators whose bad and total events are added up."""

    @property
    def unit(self) -> EventUnit:
        """The unit of the events: ``seconds`` for time slices."""
        return self.parts[0].total_events.unit

    def selectors(self) -> tuple[Selector, ...]:
        """Return every selector of a metric's series that the SLI reads."""
        pairs = ((part.total_events.selector, part.bad_events.selector) for part in self.parts)
        return tuple(dict.fromkeys(chain.from_iterable(pairs)))


class SimpleSli(Sli):
    """An indicator of one kind of events."""

    @property
    def parts(self) -> tuple[SimpleSli, ...]:
        """The indicator itself."""
        return (self,)

    @property
    @abstractmethod
    def total_events(self) -> TotalEvents:
        """All events that the objective is about."""

    @property
    @abstractmethod
    def bad_events(self) -> BadEvents:
        """The events that spend the error budget."""

    @property
    def bad_values(self) -> tuple[Comparison, ...]:
        """Comparisons with the bounds: any is true for a bad value; empty for a ratio."""
        return tuple(self.bad_events.comparisons())


@declaring_class
@dataclass(frozen=True, kw_only=True)
class Ratio(SimpleSli):
    """Events counted twice: all events, and either the bad events or the good events.

    Raises:
        DeclarationError: both or neither of ``bad`` and ``good`` are given, or an instrument
            counts no events.
    """

    total: Selector
    bad: Selector | None = None
    good: Selector | None = None

    def __post_init__(self) -> None:
        set_fields(
            self,
            total=as_selector(self.total),
            bad=self.bad and as_selector(self.bad),
            good=self.good and as_selector(self.good),
        )
        if (self.bad is None) == (self.good is None):
            raise DeclarationError(
                f"ratio of {self.total.instrument.name!r}",
                "names both or neither of bad and good",
                "give the part that the service counts",
            )
        for selector in self.selectors():
            _check_kind(selector, *EVENT_KINDS)
        _check_part(self.total, self.bad or self.good or self.total)

    def where(self, **labels: MatcherValue) -> Ratio:
        """Return the indicator of the series that have these label values."""
        return Ratio(
            total=self.total.where(**labels),
            bad=self.bad and self.bad.where(**labels),
            good=self.good and self.good.where(**labels),
        )

    @property
    def total_events(self) -> EventCount:
        """Every event."""
        return EventCount(self.total)

    @property
    def bad_events(self) -> BadEvents:
        """The bad events, or all events except the good events."""
        if self.bad is not None:
            return EventCount(self.bad)
        return Remainder(EventCount(self.good or self.total))


@declaring_class
@dataclass(frozen=True)
class Threshold(SimpleSli):
    """Values of a histogram: good at ``bound`` or below, in the instrument's unit.

    A target such as "P99 below 100 ms" is an objective of 99 % at a bound of 0.1 s.

    Raises:
        DeclarationError: the instrument is not a histogram, or no bucket ends at the bound.
    """

    values: Selector
    bound: float

    def __post_init__(self) -> None:
        set_fields(self, values=as_selector(self.values))
        _check_kind(self.values, *BUCKET_KINDS)
        expect_number(f"metric {self.values.instrument.name!r}", "bound", self.bound)
        buckets = self.values.instrument.buckets
        if self.bound not in buckets:
            raise DeclarationError(
                f"metric {self.values.instrument.name!r}",
                f"has no bucket that ends at {self.bound:.15g}",
                f"add {self.bound:.15g} to its buckets, or choose one of {list(buckets)}",
            )

    def where(self, **labels: MatcherValue) -> Threshold:
        """Return the indicator of the series that have these label values."""
        return replace(self, values=self.values.where(**labels))

    @property
    def total_events(self) -> EventCount:
        """Every recorded value."""
        return EventCount(self.values)

    @property
    def bad_events(self) -> Remainder:
        """Every value above the bound."""
        return Remainder(EventCount(self.values, at_most=self.bound))


@declaring_class
@dataclass(frozen=True)
class TimeSlice(SimpleSli):
    """The time in which a gauge is within its bound; an event is a slice of time.

    With ``series="each"`` every series of the gauge has its own slices (the share of breaker-time
    in which breakers were closed); with ``"worst"`` a slice is bad as soon as one series is bad.

    Raises:
        DeclarationError: the instrument is not a gauge, or has both or neither bound.
    """

    value: Selector
    at_least: float | None = None
    at_most: float | None = None
    series: Series = "each"

    def __post_init__(self) -> None:
        set_fields(self, value=as_selector(self.value))
        _check_kind(self.value, *VALUE_KINDS)
        if (self.at_least is None) == (self.at_most is None):
            raise DeclarationError(
                f"time slices of {self.value.instrument.name!r}",
                "have both or neither of at_least and at_most",
                "give one bound",
            )
        where = f"metric {self.value.instrument.name!r}"
        expect_number(where, "bound", self.at_most if self.at_least is None else self.at_least)
        expect_choice(where, "series", self.series, get_args(Series))

    def where(self, **labels: MatcherValue) -> TimeSlice:
        """Return the indicator of the series that have these label values."""
        return replace(self, value=self.value.where(**labels))

    def worst(self) -> TimeSlice:
        """Return the indicator with ``series="worst"``."""
        return replace(self, series="worst")

    @property
    def total_events(self) -> TimeSlices:
        """All time with a value of the gauge."""
        return TimeSlices(self.value, series=self.series)

    @property
    def bad_events(self) -> TimeSlices:
        """The time with the gauge outside the bound."""
        return TimeSlices(self.value, self._outside(), self.series)

    def _outside(self) -> Comparison:
        if self.at_least is not None:
            return Comparison("<", self.at_least)
        return Comparison(">", self.at_most or 0.0)


def _check_part(total: Selector, part: Selector) -> None:
    """Refuse a part of one metric that is the whole, or that counts events outside of the whole."""
    if part.instrument != total.instrument:
        return
    where = f"ratio of {total.instrument.name!r}"
    if part.includes(total):
        raise DeclarationError(
            where,
            "counts all of its events as a part of its events",
            'select the part, as in orders.ratio(bad=orders.where(outcome="failed"))',
        )
    if not total.includes(part):
        raise DeclarationError(
            where,
            f"counts {part!r} as a part of {total!r}",
            "select the same labels in both, as orders.ratio(...).where(...) does",
        )


def _check_kind(selector: Selector, *kinds: str) -> None:
    if selector.instrument.kind not in kinds:
        raise DeclarationError(
            f"metric {selector.instrument.name!r}",
            f"is a {selector.instrument.kind}",
            f"this SLI is for {' and '.join(f'{kind}s' for kind in kinds)}",
        )
