"""Numbers worth recording or alerting on besides SLOs: quantiles, averages, rates, shares.

Each says which series it reads, over how long, and by which labels the answer is kept apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeVar

from otel_meta.errors import DeclarationError

from .duration import Duration
from .kind_traits import BUCKET_KINDS, EVENT_KINDS, VALUE_KINDS
from .labels import IDENTITY_LABELS
from .selector import Selector, Source, as_selector

Aggregation = Literal["sum", "avg", "max", "min"]
Extent = Literal["avg", "max", "min"]
By = tuple[str, ...]
_BY_SERVICE: Final[By] = ("service_name",)


@dataclass(frozen=True)
class _OneSource:
    source: Selector

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        yield self.source


@dataclass(frozen=True)
class Latest(_OneSource):
    """A gauge as it is now, in its unit, over the series that ``by`` does not keep apart."""

    aggregation: Aggregation
    by: By


@dataclass(frozen=True)
class OverTime(_OneSource):
    """A gauge's average or extreme over a span of time, in its unit; ``merge`` as for `Latest`."""

    function: Extent
    over: Duration
    aggregation: Aggregation
    by: By


@dataclass(frozen=True)
class Quantile(_OneSource):
    """The value below which a share ``q`` of a histogram's values lie, interpolated in a bucket."""

    q: Fraction
    over: Duration
    by: By


@dataclass(frozen=True)
class Rate(_OneSource):
    """A counter's growth a second, averaged over a span of time."""

    over: Duration
    by: By


@dataclass(frozen=True)
class Increase(_OneSource):
    """How much a counter grew over a span of time."""

    over: Duration
    by: By


@dataclass(frozen=True)
class Share:
    """Part of the events among all of them over a span of time, between 0 and 1.

    The quotient of two increases, so that each event weighs the same; never a mean of ratios.
    """

    part: Selector
    whole: Selector
    over: Duration
    by: By

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        yield self.part
        yield self.whole


@dataclass(frozen=True)
class RelativeChange:
    """How much a measure grew against itself one ``over`` ago: 0.2 is 20 % more."""

    of: OverTime | Rate | Increase
    over: Duration

    @property
    def by(self) -> By:
        """The labels by which the measure is kept apart."""
        return self.of.by

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        return self.of.selectors()


Measure = Latest | OverTime | Quantile | Rate | Increase | Share | RelativeChange
M = TypeVar("M", bound=Measure)


def latest(gauge: Source, *, aggregation: Aggregation = "max", by: By = _BY_SERVICE) -> Latest:
    """A gauge as it is now.

    Raises:
        DeclarationError: it is not a gauge, or lacks a label of ``by``. So do the others here.
    """
    return _checked(Latest(_of_kind(gauge, *VALUE_KINDS), aggregation, by))


def over_time(
    gauge: Source,
    function: Extent,
    over: str,
    *,
    aggregation: Aggregation = "avg",
    by: By = _BY_SERVICE,
) -> OverTime:
    """A gauge's average or extreme over a span such as "7d"."""
    source = _of_kind(gauge, *VALUE_KINDS)
    return _checked(OverTime(source, function, Duration(over), aggregation, by))


def quantile(histogram: Source, q: str, over: str, *, by: By = _BY_SERVICE) -> Quantile:
    """A quantile, "0.99" for P99, over a span such as "7d"."""
    share = _fraction(q)
    if not 0 < share < 1:
        raise DeclarationError(f"quantile {q!r}", "is not between 0 and 1", 'write P99 as "0.99"')
    return _checked(Quantile(_of_kind(histogram, *BUCKET_KINDS), share, Duration(over), by))


def rate(counter: Source, over: str, *, by: By = _BY_SERVICE) -> Rate:
    """A counter's growth a second over a span such as "1h"."""
    return _checked(Rate(_of_kind(counter, *EVENT_KINDS), Duration(over), by))


def increase(counter: Source, over: str, *, by: By = _BY_SERVICE) -> Increase:
    """How much a counter grew over a span such as "1h"."""
    return _checked(Increase(_of_kind(counter, *EVENT_KINDS), Duration(over), by))


def share(part: Source, whole: Source, over: str, *, by: By = _BY_SERVICE) -> Share:
    """Part of the events among all of them over a span such as "7d"."""
    source, total = _of_kind(part, *EVENT_KINDS), _of_kind(whole, *EVENT_KINDS)
    return _checked(Share(source, total, Duration(over), by))


def relative_change(of: OverTime | Rate | Increase, over: str) -> RelativeChange:
    """How much a measure grew against itself a span such as "7d" ago."""
    return RelativeChange(of, Duration(over))


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _of_kind(source: Source, *kinds: str) -> Selector:
    match = as_selector(source)
    if match.instrument.kind not in kinds:
        raise DeclarationError(
            f"metric {match.instrument.name!r}",
            f"is a {match.instrument.kind}",
            f"this needs a {' or a '.join(kinds)}",
        )
    return match


def _checked(measure: M) -> M:
    for match in measure.selectors():
        _check_by(match, measure.by)
    return measure


def _check_by(match: Selector, by: Iterable[str]) -> None:
    known = {*IDENTITY_LABELS, *(label.name for label in match.instrument.label_fields)}
    for name in by:
        if name not in known:
            raise DeclarationError(
                f"metric {match.instrument.name!r}",
                f"has no label {name!r} to keep apart",
                f"choose from {sorted(known)}",
            )
