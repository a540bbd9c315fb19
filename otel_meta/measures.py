"""Functions that make measures for recordings and alerts: quantiles, averages, rates, shares.

Examples:
    >>> from otel_meta import measures
    >>> measures.quantile(latency, "0.99", "7d")

``over`` is a duration, and ``by`` names the labels that group the result: each service by default.
Every function raises a `DeclarationError` if an instrument has the wrong kind or lacks a label of
``by``, or if a text has the wrong form.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, TypeVar, get_args

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import did_you_mean, exact_fraction, expect_choice, expect_type
from otel_meta.model.declared_call import declaring
from otel_meta.model.duration import Duration
from otel_meta.model.kind_traits import BUCKET_KINDS, EVENT_KINDS, VALUE_KINDS
from otel_meta.model.labels import IDENTITY_LABELS
from otel_meta.model.measure import (
    Aggregation,
    By,
    Increase,
    Latest,
    Measure,
    OverTime,
    OverTimeFunction,
    Quantile,
    Rate,
    RelativeChange,
    Share,
)
from otel_meta.model.selector import Selectable, Selector, as_selector
from otel_meta.model.slo.objective import exact_decimal

__all__ = ["increase", "latest", "over_time", "quantile", "rate", "relative_change", "share"]

M = TypeVar("M", bound=Measure)

_ALL: Final = 100
_P99: Final = Fraction(99, 100)
_BY_SERVICE: Final[By] = ("service_name",)
_AGGREGATIONS: Final = {"mean": "avg"}


@declaring
def latest(gauge: Selectable, *, aggregation: Aggregation = "max", by: By = _BY_SERVICE) -> Latest:
    """Return the current value of a gauge, aggregated over the series of each group."""
    return _checked(Latest(_of_kind(gauge, *VALUE_KINDS), aggregation, by))


@declaring
def over_time(
    gauge: Selectable,
    function: OverTimeFunction,
    over: str,
    *,
    aggregation: Aggregation = "avg",
    by: By = _BY_SERVICE,
) -> OverTime:
    """Return the average, maximum or minimum of a gauge over a duration such as "7d"."""
    source = _of_kind(gauge, *VALUE_KINDS)
    where = f"metric {source.instrument.name!r}"
    expect_choice(where, "function over time", function, get_args(OverTimeFunction))
    return _checked(OverTime(source, function, Duration(over), aggregation, by))


@declaring
def quantile(histogram: Selectable, q: str, over: str, *, by: By = _BY_SERVICE) -> Quantile:
    """Return a quantile of a histogram, "0.99" for P99, over a duration such as "7d"."""
    share = exact_fraction(q)
    if share is None or not 0 < share < 1:
        right = _right_quantile(q)
        fix = f'write P{exact_decimal(right * _ALL)} as "{exact_decimal(right)}"'
        raise DeclarationError(f"quantile {q!r}", "is not between 0 and 1", fix)
    return _checked(Quantile(_of_kind(histogram, *BUCKET_KINDS), share, Duration(over), by))


@declaring
def rate(counter: Selectable, over: str, *, by: By = _BY_SERVICE) -> Rate:
    """Return the increase of a counter per second over a duration such as "1h"."""
    return _checked(Rate(_of_kind(counter, *EVENT_KINDS), Duration(over), by))


@declaring
def increase(counter: Selectable, over: str, *, by: By = _BY_SERVICE) -> Increase:
    """Return the increase of a counter over a duration such as "1h"."""
    return _checked(Increase(_of_kind(counter, *EVENT_KINDS), Duration(over), by))


@declaring
def share(part: Selectable, whole: Selectable, over: str, *, by: By = _BY_SERVICE) -> Share:
    """Return the share of some events in all events over a duration such as "7d"."""
    source, total = _of_kind(part, *EVENT_KINDS), _of_kind(whole, *EVENT_KINDS)
    return _checked(Share(source, total, Duration(over), by))


@declaring
def relative_change(of: OverTime | Rate | Increase, over: str) -> RelativeChange:
    """Return the change of a measure, relative to its value a duration such as "7d" ago."""
    fix = "give measures.over_time(...), rate(...) or increase(...)"
    expect_type("relative change", "measure", of, (OverTime, Rate, Increase), fix)
    return RelativeChange(of, Duration(over))


def _right_quantile(given: object) -> Fraction:
    """Return the quantile of a text or number in another form, such as P95, 95 or 0.95."""
    number = exact_fraction(str(given).strip().lower().removeprefix("p").rstrip("% "))
    share = number / _ALL if number is not None and number > 1 else number
    return share if share is not None and 0 < share < 1 else _P99


def _of_kind(series: Selectable, *kinds: str) -> Selector:
    selector = as_selector(series)
    if selector.instrument.kind not in kinds:
        raise DeclarationError(
            f"metric {selector.instrument.name!r}",
            f"is a {selector.instrument.kind}",
            f"give this measure one of these kinds: {', '.join(kinds)}",
        )
    return selector


def _checked(measure: M) -> M:
    for selector in measure.selectors():
        where = f"metric {selector.instrument.name!r}"
        _check_by(where, selector, measure.by)
        if isinstance(measure, Latest | OverTime):
            choices = get_args(Aggregation)
            expect_choice(where, "aggregation", measure.aggregation, choices, _AGGREGATIONS)
    return measure


def _check_by(where: str, selector: Selector, by: By) -> None:
    fix = f'give a tuple of labels, such as by=("{_BY_SERVICE[0]}",)'
    expect_type(where, "grouping", by, tuple, fix)
    known = {*IDENTITY_LABELS, *(label.name for label in selector.instrument.label_fields)}
    for name in by:
        if name not in known:
            raise DeclarationError(
                where,
                f"has no label {name!r} to group by",
                f"choose from {sorted(known)}{did_you_mean(name, known)}",
            )
