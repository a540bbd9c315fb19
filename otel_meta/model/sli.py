"""How well it went: service level indicators, each a count of bad events among all events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from otel_meta.errors import DeclarationError

from .kind_traits import BUCKET_KINDS, EVENT_KINDS, VALUE_KINDS
from .selector import Selector


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Events counted twice over: all of them, and either the bad ones or the good ones.

    Raises:
        DeclarationError: both or neither of ``bad`` and ``good``, or an instrument that does
            not count events.
    """

    total: Selector
    bad: Selector | None = None
    good: Selector | None = None

    def __post_init__(self) -> None:
        if (self.bad is None) == (self.good is None):
            raise DeclarationError(
                f"ratio of {self.total.instrument.name!r}",
                "names both or neither of bad and good",
                "give the one that the service counts",
            )
        for match in self.selectors():
            _expect(match, *EVENT_KINDS)

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        yield self.total
        yield from (part for part in (self.bad, self.good) if part is not None)


@dataclass(frozen=True)
class Threshold:
    """Values of a histogram: good at ``bound`` or below, in the instrument's unit.

    A promise such as "P99 below 100 ms" is an objective of 99 % at a bound of 0.1 s.

    Raises:
        DeclarationError: not a histogram, or no bucket ends at the bound.
    """

    values: Selector
    bound: float

    def __post_init__(self) -> None:
        _expect(self.values, *BUCKET_KINDS)
        buckets = self.values.instrument.buckets
        if self.bound not in buckets:
            raise DeclarationError(
                f"metric {self.values.instrument.name!r}",
                f"has no bucket that ends at {self.bound:.15g}",
                f"add {self.bound:.15g} to its buckets, or choose one of {list(buckets)}",
            )

    def where(self, **wanted: str | tuple[str, ...]) -> Threshold:
        """The same of the series that have these label values."""
        return Threshold(self.values.where(**wanted), self.bound)

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        yield self.values


@dataclass(frozen=True)
class TimeSlice:
    """Time in which a gauge is where it should be; an event is a slice of time.

    With ``series="each"`` every series of the gauge has its own slices (the share of breaker-time
    in which breakers were closed); with ``"worst"`` a slice is bad as soon as one series is.

    Raises:
        DeclarationError: not a gauge, or both or neither bound.
    """

    value: Selector
    at_least: float | None = None
    at_most: float | None = None
    series: Literal["each", "worst"] = "each"

    def __post_init__(self) -> None:
        _expect(self.value, *VALUE_KINDS)
        if (self.at_least is None) == (self.at_most is None):
            raise DeclarationError(
                f"time slices of {self.value.instrument.name!r}",
                "have both or neither of at_least and at_most",
                "give one bound",
            )

    def where(self, **wanted: str | tuple[str, ...]) -> TimeSlice:
        """The same of the series that have these label values."""
        return TimeSlice(self.value.where(**wanted), self.at_least, self.at_most, self.series)

    def worst(self) -> TimeSlice:
        """The same, with a slice bad as soon as one series is."""
        return TimeSlice(self.value, self.at_least, self.at_most, "worst")

    def good(self, value: float) -> bool:
        """Whether one value of the gauge is where it should be."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        yield self.value


Sli = Ratio | Threshold | TimeSlice


def _expect(match: Selector, *kinds: str) -> None:
    if match.instrument.kind not in kinds:
        raise DeclarationError(
            f"metric {match.instrument.name!r}",
            f"is a {match.instrument.kind}",
            f"this SLI needs a {' or a '.join(kinds)}",
        )
