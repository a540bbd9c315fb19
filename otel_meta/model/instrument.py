"""Instruments as declared, in OpenTelemetry's nouns: Counter, UpDownCounter, Gauge, Histogram.

Read from the class, an instrument is its declaration; read from a bound instance, it is live.
That overload of ``__get__`` is the one piece of magic in the package. `bind` puts the live half
in the instance's ``__dict__``, which wins over a non-data descriptor: recording costs a plain
attribute read and a call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar, Final, Generic, Literal, NoReturn, ParamSpec, Self, get_args, overload

from otel_meta.errors import DeclarationError, NotBoundError

from .labels import labels_of
from .live import LiveCounter, LiveGauge, LiveHistogram, LiveUpDownCounter
from .names import check_name, prometheus_name
from .selector import Match, Wanted, as_match
from .sli import Ratio, Threshold, TimeSlice

P = ParamSpec("P")

Kind = Literal["counter", "updowncounter", "gauge", "histogram"]
Across = Literal["latest", "sum", "max", "min", "each"]
"""What a gauge shows where several workers of a service have each set it."""


class Instrument(Generic[P]):
    """What is measured: a name, its unit and its labels.

    Args:
        name: OpenTelemetry's name, in full, dots between words.
        description: one sentence; Prometheus' HELP.
        labels: a class made by `labels`, or `NoLabels`.
        unit: in UCUM ("s", "By", "%", "{request}"); "" for none.
        max_series: how many series it may have in a process before the rest share one; None for
            what `configure` says. Series of closed label values always have their place.

    Raises:
        DeclarationError: the name or unit would differ between export paths, or there may be no
            series at all.
    """

    kind: ClassVar[Kind]
    monotonic: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        description: str,
        labels: Callable[P, object],
        *,
        unit: str = "",
        max_series: int | None = None,
    ) -> None:
        check_name(name, unit)
        if not description.endswith("."):
            raise DeclarationError(
                f"metric {name!r}", "has no description", "say what it counts in one sentence"
            )
        if max_series is not None and max_series < 1:
            raise DeclarationError(
                f"metric {name!r}", f"may have {max_series} series", "allow at least one"
            )
        self.name: Final = name
        self.description: Final = description
        self.unit: Final = unit
        self.labels: Final = labels
        self.label_fields: Final = labels_of(labels)
        self.max_series: Final = max_series

    @property
    def prometheus_name(self) -> str:
        """The metric family's name in Prometheus, equal on every export path."""
        return prometheus_name(self.name, self.unit, monotonic=self.monotonic)

    @property
    def prometheus_family(self) -> str:
        """The name that OpenMetrics gives the family: a counter's without ``_total``."""
        return prometheus_name(self.name, self.unit, monotonic=False)

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of the series that the family has in Prometheus."""
        return (self.prometheus_name,)

    def where(self, **wanted: Wanted) -> Match:
        """The series that have these label values: one, one of a tuple, or `PRESENT`.

        Raises:
            DeclarationError: there is no such label, or it never has such a value.
        """
        return Match(self).where(**wanted)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def _not_bound(self, instance: object) -> NoReturn:
        raise NotBoundError(
            f"{self.name} is not bound on this {type(instance).__name__}; "
            f"get a live one with telemetry.bind({type(instance).__name__})"
        )


Source = Instrument[...] | Match
"""All series of an instrument, or some of them."""


class Counter(Instrument[P]):
    """Counts what happened: goes up only, and Prometheus shows it with ``_total``."""

    kind = "counter"
    monotonic = True

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveCounter[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveCounter[P]:
        return self if instance is None else self._not_bound(instance)

    def ratio(self, *, bad: Source | None = None, good: Source | None = None) -> Ratio:
        """The share of these events that were good; give the part that the service counts.

        Raises:
            DeclarationError: both or neither part.
        """
        return _ratio_of(self, bad, good)


class UpDownCounter(Instrument[P]):
    """Counts what is there: goes up and down."""

    kind = "updowncounter"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveUpDownCounter[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveUpDownCounter[P]:
        return self if instance is None else self._not_bound(instance)


class Gauge(Instrument[P]):
    """Holds the latest value of something that is not summed.

    Args:
        across: what it shows where a service has several workers and they share their numbers:
            the value set last, by whichever worker; the sum, the largest or the smallest of the
            living workers' values; or each worker's, under a label ``worker`` more.

    Raises:
        DeclarationError: there is no such way, or the label ``worker`` is taken.
    """

    kind = "gauge"

    def __init__(
        self,
        name: str,
        description: str,
        labels: Callable[P, object],
        *,
        unit: str = "",
        max_series: int | None = None,
        across: Across = "latest",
    ) -> None:
        super().__init__(name, description, labels, unit=unit, max_series=max_series)
        _check_across(name, across, {field.name for field in self.label_fields})
        self.across: Final = across

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveGauge[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveGauge[P]:
        return self if instance is None else self._not_bound(instance)

    def at_least(self, bound: float) -> TimeSlice:
        """The share of time in which each series is at this value or above."""
        return TimeSlice(as_match(self), at_least=bound)

    def at_most(self, bound: float) -> TimeSlice:
        """The share of time in which each series is at this value or below."""
        return TimeSlice(as_match(self), at_most=bound)


class Histogram(Instrument[P]):
    """Counts values by bucket.

    Args:
        buckets: upper bounds in the instrument's unit, ascending, above zero; they become floats.

    Raises:
        DeclarationError: the bounds are not finite, ascending numbers above zero.
    """

    kind = "histogram"

    def __init__(
        self,
        name: str,
        description: str,
        labels: Callable[P, object],
        *,
        unit: str = "",
        max_series: int | None = None,
        buckets: tuple[float, ...],
    ) -> None:
        super().__init__(name, description, labels, unit=unit, max_series=max_series)
        self.buckets: Final = tuple(float(bound) for bound in buckets)
        if not _ascending(self.buckets):
            raise DeclarationError(
                f"metric {name!r}",
                f"has the buckets {buckets}",
                "give finite upper bounds above zero, each larger than the one before",
            )

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of the series that the family has in Prometheus."""
        family = self.prometheus_name
        return (f"{family}_bucket", f"{family}_count", f"{family}_sum")

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveHistogram[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveHistogram[P]:
        return self if instance is None else self._not_bound(instance)

    def ratio(self, *, bad: Source | None = None, good: Source | None = None) -> Ratio:
        """The share of these events that were good; give the part that the service counts.

        Raises:
            DeclarationError: both or neither part.
        """
        return _ratio_of(self, bad, good)

    def within(self, bound: float) -> Threshold:
        """The share of recorded values at this bound or below, which has to be a bucket's.

        Raises:
            DeclarationError: no bucket ends there.
        """
        return Threshold(as_match(self), bound)


def _check_across(name: str, across: Across, labels: set[str]) -> None:
    if across not in get_args(Across):
        ways = ", ".join(get_args(Across))
        raise DeclarationError(
            f"metric {name!r}", f"is shown across workers by {across!r}", f"choose one of {ways}"
        )
    if across == "each" and "worker" in labels:
        raise DeclarationError(
            f"metric {name!r}",
            "has a label worker, which across='each' adds",
            "rename the label, or choose another way",
        )


def _ratio_of(total: Source, bad: Source | None, good: Source | None) -> Ratio:
    return Ratio(
        total=as_match(total),
        bad=None if bad is None else as_match(bad),
        good=None if good is None else as_match(good),
    )


def _ascending(bounds: tuple[float, ...]) -> bool:
    pairs = zip((0.0, *bounds), (*bounds, math.inf), strict=True)
    return bool(bounds) and all(lower < upper for lower, upper in pairs)
