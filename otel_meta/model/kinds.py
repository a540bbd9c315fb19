"""The kinds of instruments, named as in OpenTelemetry: Counter, UpDownCounter, Gauge, Histogram.

Instruments are descriptors. An attribute of the class is the declaration; an attribute of a bound
instance is the live instrument. The overloads of ``__get__`` tell type checkers about both. `bind`
stores live instruments in ``__dict__`` of the instance, which has precedence over a non-data
descriptor, so recording costs one attribute lookup and one call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import (
    TYPE_CHECKING,
    ClassVar,
    Final,
    Literal,
    NoReturn,
    ParamSpec,
    Self,
    get_args,
    overload,
)

from otel_meta.errors import DeclarationError, NotBoundError

from .arguments import expect_choice, is_number, members_of
from .bucket_bounds import native_bounds
from .declared_call import declaring, declaring_class
from .indicators import CountsEvents, HasBuckets, HasValue, Selection, missing_attribute
from .instrument import Instrument
from .live import LiveCounter, LiveGauge, LiveHistogram, LiveUpDownCounter
from .selector import MatcherValue

P = ParamSpec("P")

_WIDEST_NATIVE: Final = 2.0**48
"""The largest ratio of bounds of a native histogram, which then has 384 exponential buckets."""

MultiprocessMode = Literal["mostrecent", "sum", "max", "min", "all"]
"""Aggregation of a gauge over the workers of a service; ``all`` keeps each worker's value."""


class _Declared(Instrument[P]):
    """Base of the kinds: an attribute of a meta-repository, live once the repository is bound."""

    _live: ClassVar[type]
    _attribute = ""

    @declaring
    def where(self, **labels: MatcherValue) -> Selection:
        """Select series by label values.

        Args:
            **labels: for each label one value, a tuple of values, or `PRESENT` for any value.

        Raises:
            DeclarationError: the instrument has no such label, or the label never has such a
                value.
        """
        return Selection(self).where(**labels)

    if not TYPE_CHECKING:  # with __getattr__, a type checker accepts every name

        def __getattr__(self, name: str) -> NoReturn:
            """Refuse a recording on the declaration, which needs a live instrument.

            Raises:
                NotBoundError: live instruments have this method.
                AttributeError: nothing has such an attribute.
            """
            if not name.startswith("_") and hasattr(self._live, name):
                raise NotBoundError(
                    f"{self.name} is a declaration, which has no {name}(); get a live instrument "
                    f"with live = telemetry.bind({self.owner or '...'}), and call "
                    f"live.{self._attribute or '...'}.{name}()"
                )
            raise missing_attribute(self, self.kind, name)

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self._attribute = owner.__name__, name

    def _not_bound(self, instance: object) -> NoReturn:
        raise NotBoundError(
            f"{self.name} is not bound on this {type(instance).__name__}; "
            f"get a live one with telemetry.bind({type(instance).__name__})"
        )


class Counter(CountsEvents, _Declared[P]):
    """A sum that only increases, such as requests; ``_total`` in Prometheus."""

    kind = "counter"
    _live = LiveCounter

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveCounter[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveCounter[P]:
        return self if instance is None else self._not_bound(instance)


class UpDownCounter(HasValue, _Declared[P]):
    """A sum that increases and decreases, such as open connections."""

    kind = "updowncounter"
    _live = LiveUpDownCounter

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveUpDownCounter[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveUpDownCounter[P]:
        return self if instance is None else self._not_bound(instance)


@declaring_class
class Gauge(HasValue, _Declared[P]):
    """The latest value of a measurement, such as a temperature.

    Args:
        multiprocess_mode: aggregation over the workers of a service that share a directory:
            "mostrecent" is the value set last; "sum", "max" and "min" aggregate the values of
            living workers; "all" keeps each worker's value, with an additional label ``worker``.

    Raises:
        DeclarationError: the mode is unknown, or "all" meets a declared label ``worker``.
    """

    kind = "gauge"
    _live = LiveGauge

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


@declaring_class
class Histogram(CountsEvents, HasBuckets, _Declared[P]):
    """A distribution: counts values by bucket, and sums them.

    Args:
        buckets: upper bounds in the unit of the instrument, ascending and above zero.
        native: count values also by exponential buckets, each 9 % wide, from the lowest to the
            highest bound. OpenMetrics 2.0 then shows a native histogram of Prometheus, besides the
            declared buckets, which stay exact.

    Raises:
        DeclarationError: the bounds are not finite, ascending numbers above zero; ``native`` is
            neither True nor False, or the range of bounds is too wide for it.
    """

    kind = "histogram"
    _live = LiveHistogram

    def __init__(
        self,
        name: str,
        description: str,
        labels: Callable[P, object],
        *,
        unit: str = "",
        max_series: int | None = None,
        buckets: tuple[float, ...],
        native: bool = False,
    ) -> None:
        super().__init__(name, description, labels, unit=unit, max_series=max_series)
        self.buckets = _bounds(f"metric {name!r}", buckets)
        _check_native(f"metric {name!r}", native, self.buckets)
        self.native: Final = native

    @property
    def counted_bounds(self) -> tuple[float, ...]:
        """The declared bounds, and the exponential bounds between them if it is native."""
        return native_bounds(self.buckets) if self.native else self.buckets

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> LiveHistogram[P]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | LiveHistogram[P]:
        return self if instance is None else self._not_bound(instance)


def _check_multiprocess_mode(
    name: str, multiprocess_mode: MultiprocessMode, labels: set[str]
) -> None:
    where = f"metric {name!r}"
    expect_choice(where, "multiprocess_mode", multiprocess_mode, get_args(MultiprocessMode))
    if multiprocess_mode == "all" and "worker" in labels:
        raise DeclarationError(
            where,
            "has a label worker, which multiprocess_mode='all' adds",
            "rename the label, or choose another mode",
        )


def _bounds(where: str, buckets: object) -> tuple[float, ...]:
    """Return the upper bounds of buckets as floats."""
    given = [] if isinstance(buckets, AbstractSet | Mapping) else members_of(buckets)
    bounds = tuple(float(bound) for bound in given if is_number(bound))
    if not bounds or len(bounds) < len(given) or not _ascending(bounds):
        raise DeclarationError(
            where,
            f"has the buckets {buckets!r}",
            "give finite upper bounds above zero, each larger than the one before, such as "
            "buckets=(0.1, 0.5, 1); a bucket without a bound is added",
        )
    return bounds


def _check_native(where: str, native: object, bounds: tuple[float, ...]) -> None:
    if not isinstance(native, bool):
        raise DeclarationError(where, f"has native={native!r}", "give True or False")
    if native and bounds[-1] / bounds[0] > _WIDEST_NATIVE:
        raise DeclarationError(
            where,
            f"has native buckets from {bounds[0]:.15g} to {bounds[-1]:.15g}",
            "choose a lowest bound closer to the highest: each factor of 2 between them takes "
            "eight buckets in every series",
        )


def _ascending(bounds: tuple[float, ...]) -> bool:
    pairs = zip((0.0, *bounds), (*bounds, math.inf), strict=True)
    return all(lower < upper for lower, upper in pairs)
