"""Numbers worth recording or alerting on besides SLOs: quantiles, averages, rates, shares.

>>> from otel_meta import measures
>>> measures.quantile(latency, "0.99", "7d")

Each reads series over a span of time, and is kept apart by labels.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, TypeVar

from otel_meta.errors import DeclarationError
from otel_meta.model.duration import Duration
from otel_meta.model.kind_traits import BUCKET_KINDS, EVENT_KINDS, VALUE_KINDS
from otel_meta.model.labels import IDENTITY_LABELS
from otel_meta.model.measure import (
    Aggregation,
    By,
    Extent,
    Increase,
    Latest,
    Measure,
    OverTime,
    Quantile,
    Rate,
    RelativeChange,
    Share,
)
from otel_meta.model.selector import Selector, Source, as_selector

__all__ = ["increase", "latest", "over_time", "quantile", "rate", "relative_change", "share"]

M = TypeVar("M", bound=Measure)

_BY_SERVICE: Final[By] = ("service_name",)


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
