"""The kinds of instruments, in OpenTelemetry's nouns: Counter, UpDownCounter, Gauge, Histogram.

Read from the class, an instrument is its declaration; read from a bound instance, it is live.
That overload of ``__get__`` is the one piece of magic in the model. `bind` puts the live half
in the instance's ``__dict__``, which wins over a non-data descriptor: recording costs a plain
attribute read and a call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal, NoReturn, ParamSpec, Self, get_args, overload

from otel_meta.errors import DeclarationError, NotBoundError

from .instrument import Instrument
from .live import LiveCounter, LiveGauge, LiveHistogram, LiveUpDownCounter
from .selector import Selector, Source, Wanted, as_selector
from .sli import Ratio, Threshold, TimeSlice

P = ParamSpec("P")

MultiprocessMode = Literal["mostrecent", "sum", "max", "min", "all"]
"""What a gauge shows where several workers of a service have each set it."""


class _Selectable(Instrument[P]):
    """An instrument with series to choose from."""

    def where(self, **wanted: Wanted) -> Selector:
        """The series that have these label values: one, one of a tuple, or `PRESENT`.

        Raises:
            DeclarationError: there is no such label, or it never has such a value.
        """
        return Selector(self).where(**wanted)

    def _not_bound(self, instance: object) -> NoReturn:
        raise NotBoundError(
            f"{self.name} is not bound on this {type(instance).__name__}; "
            f"get a live one with telemetry.bind({type(instance).__name__})"
        )


class Counter(_Selectable[P]):
    """Counts what happened: goes up only, and Prometheus shows it with ``_total``."""

    kind = "counter"

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


class UpDownCounter(_Selectable[P]):
    """Counts what is there: goes up and down."""

    kind = "updowncounter"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveUpDownCounter[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveUpDownCounter[P]:
        return self if instance is None else self._not_bound(instance)


class Gauge(_Selectable[P]):
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
        multiprocess_mode: MultiprocessMode = "mostrecent",
    ) -> None:
        super().__init__(name, description, labels, unit=unit, max_series=max_series)
        _check_multiprocess_mode(
            name, multiprocess_mode, {field.name for field in self.label_fields}
        )
        self.multiprocess_mode: Final = multiprocess_mode

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveGauge[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveGauge[P]:
        return self if instance is None else self._not_bound(instance)

    def at_least(self, bound: float) -> TimeSlice:
        """The share of time in which each series is at this value or above."""
        return TimeSlice(as_selector(self), at_least=bound)

    def at_most(self, bound: float) -> TimeSlice:
        """The share of time in which each series is at this value or below."""
        return TimeSlice(as_selector(self), at_most=bound)


class Histogram(_Selectable[P]):
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
        self.buckets = tuple(float(bound) for bound in buckets)
        if not _ascending(self.buckets):
            raise DeclarationError(
                f"metric {name!r}",
                f"has the buckets {buckets}",
                "give finite upper bounds above zero, each larger than the one before",
            )

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
        return Threshold(as_selector(self), bound)


def _check_multiprocess_mode(
    name: str, multiprocess_mode: MultiprocessMode, labels: set[str]
) -> None:
    if multiprocess_mode not in get_args(MultiprocessMode):
        ways = ", ".join(get_args(MultiprocessMode))
        raise DeclarationError(
            f"metric {name!r}",
            f"is shown across workers by {multiprocess_mode!r}",
            f"choose one of {ways}",
        )
    if multiprocess_mode == "all" and "worker" in labels:
        raise DeclarationError(
            f"metric {name!r}",
            "has a label worker, which multiprocess_mode='all' adds",
            "rename the label, or choose another way",
        )


def _ratio_of(total: Source, bad: Source | None, good: Source | None) -> Ratio:
    return Ratio(
        total=as_selector(total),
        bad=None if bad is None else as_selector(bad),
        good=None if good is None else as_selector(good),
    )


def _ascending(bounds: tuple[float, ...]) -> bool:
    pairs = zip((0.0, *bounds), (*bounds, math.inf), strict=True)
    return bool(bounds) and all(lower < upper for lower, upper in pairs)
