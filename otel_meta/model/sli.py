"""Service level indicators (SLIs): the share of good events, counted in one of three ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from otel_meta.errors import DeclarationError

from .selector import MatcherValue, Selector


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """SLI from two counts of events: all events, and either the bad or the good events.

    Raises:
        DeclarationError: both or neither of ``bad`` and ``good`` are given, or an instrument
            counts no events.
    """

    total: Selector
    bad: Selector | None = None
    good: Selector | None = None

    def __post_init__(self) -> None:
        if (self.bad is None) == (self.good is None):
            raise DeclarationError(
                f"ratio of {self.total.instrument.name!r}",
                "names both or neither of bad and good",
                "give the part that the service counts",
            )
        for selector in self.selectors():
            _check_kind(selector, "counter", "histogram")

    def selectors(self) -> Iterator[Selector]:
        """Return the selectors of the SLI."""
        yield self.total
        yield from (part for part in (self.bad, self.good) if part is not None)


@dataclass(frozen=True)
class Threshold:
    """SLI from the values of a histogram: a value is good at or below ``bound``.

    "P99 below 100 ms" is an objective of 99 % with a bound of 0.1 s.

    Raises:
        DeclarationError: the instrument is no histogram, or no bucket ends at the bound.
    """

    values: Selector
    bound: float

    def __post_init__(self) -> None:
        _check_kind(self.values, "histogram")
        buckets = self.values.instrument.buckets
        if self.bound not in buckets:
            raise DeclarationError(
                f"metric {self.values.instrument.name!r}",
                f"has no bucket that ends at {self.bound:.15g}",
                f"add {self.bound:.15g} to its buckets, or choose one of {list(buckets)}",
            )

    def where(self, **labels: MatcherValue) -> Threshold:
        """Return the SLI of a selection of the series, as `Counter.where` selects."""
        return Threshold(self.values.where(**labels), self.bound)

    def selectors(self) -> Iterator[Selector]:
        """Return the selectors of the SLI."""
        yield self.values


@dataclass(frozen=True)
class TimeSlice:
    """SLI from the value of a gauge over time: an event is a slice of time.

    With ``series="each"`` each series of the gauge has slices of its own, such as the time in which
    each of several circuit breakers was closed. With ``"worst"`` a slice is bad as soon as one
    series is bad.

    Raises:
        DeclarationError: the instrument is no gauge, or both or neither bound is given.
    """

    value: Selector
    at_least: float | None = None
    at_most: float | None = None
    series: Literal["each", "worst"] = "each"

    def __post_init__(self) -> None:
        _check_kind(self.value, "gauge", "updowncounter")
        if (self.at_least is None) == (self.at_most is None):
            raise DeclarationError(
                f"time slices of {self.value.instrument.name!r}",
                "have both or neither of at_least and at_most",
                "give one bound",
            )

    def where(self, **labels: MatcherValue) -> TimeSlice:
        """Return the SLI of a selection of the series, as `Counter.where` selects."""
        return TimeSlice(self.value.where(**labels), self.at_least, self.at_most, self.series)

    def worst(self) -> TimeSlice:
        """Return the SLI with ``series="worst"``."""
        return TimeSlice(self.value, self.at_least, self.at_most, "worst")

    def good(self, value: float) -> bool:
        """Return True if a value of the gauge is within the bound."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def selectors(self) -> Iterator[Selector]:
        """Return the selectors of the SLI."""
        yield self.value


Sli = Ratio | Threshold | TimeSlice


def _check_kind(selector: Selector, *kinds: str) -> None:
    if selector.instrument.kind not in kinds:
        raise DeclarationError(
            f"metric {selector.instrument.name!r}",
            f"is a {selector.instrument.kind}",
            f"this SLI needs a {' or a '.join(kinds)}",
        )
