"""An SLI in PromQL: the increases of its bad events and of its total events.

Both are recorded and summed over any window, so that every ratio is weighted by events. In a mean
of five-minute ratios, a quiet night would outweigh a busy hour.
"""

from __future__ import annotations

from typing import Final, NamedTuple, assert_never

from otel_meta.model import Selector, Sli
from otel_meta.model.identity import Identity
from otel_meta.model.slo.comparison import Comparison
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices

from .intervals import INCREASE_WINDOW
from .promql_builder import bucket, count_suffix, lines, number, series_of, sum_by

_SLICE_SECONDS: Final = 30
_SLICES: Final = f"{INCREASE_WINDOW}:{_SLICE_SECONDS}s"


class Scope(NamedTuple):
    """The series of a meta-repository, and the labels that they are added up by."""

    namespace: str
    by: tuple[str, ...]


class Increments(NamedTuple):
    """Expressions for the bad and the total events of the last window, by service."""

    bad: str
    total: str


def increments(sli: Sli, namespace: str, identity: Identity) -> Increments:
    """Return the expressions to record for an SLI of one meta-repository."""
    scope = Scope(namespace, identity.service)
    total = _total(sli, scope)
    return Increments(_bad(sli, scope, total), total)


def _total(sli: Sli, scope: Scope) -> str:
    total = sli.total_events
    match total:
        case EventCount():
            return _count(total, scope)
        case TimeSlices():
            return _time_slices(sli, total, scope)
        case _:
            assert_never(total)


def _bad(sli: Sli, scope: Scope, total: str) -> str:
    bad = sli.bad_events
    match bad:
        case EventCount():
            return _or_zero(bad, scope, total)
        case Remainder(good):
            part = _or_zero(good, scope, total)
            grouped = f"({_indent(part)})" if "\n" in part else part
            return lines("clamp_min(", f"  {total}", "  -", f"  {grouped}", ", 0)")
        case TimeSlices():
            return _time_slices(sli, bad, scope)
        case _:
            assert_never(bad)


def _or_zero(part: EventCount, scope: Scope, total: str) -> str:
    """Count a part of the events: zero if only other events occurred, absent without any event.

    A missing bucket is not replaced by zero, because a histogram without the bucket shows neither
    good nor bad events: the SLI must be absent.
    """
    counted = _count(part, scope)
    return counted if part.has_bounds else lines(counted, "or", f"0 * {total}")


def _count(term: EventCount, scope: Scope) -> str:
    if not term.has_bounds:
        return _increase(term.selector, scope, count_suffix(term.selector))
    upper = _increase_up_to(term.at_most, term.selector, scope)
    if term.above is None:
        return upper
    return lines(upper, "-", _increase_up_to(term.above, term.selector, scope))


def _increase_up_to(bound: float | None, selector: Selector, scope: Scope) -> str:
    if bound is None:
        return _increase(selector, scope, "_count")
    return _increase(selector, scope, "_bucket", bucket(bound))


def _increase(selector: Selector, scope: Scope, suffix: str, *more: str) -> str:
    series = series_of(selector, scope.namespace, suffix, *more)
    return sum_by(scope.by, f"increase({series}[{INCREASE_WINDOW}])")


def _time_slices(sli: Sli, term: TimeSlices, scope: Scope) -> str:
    series = series_of(term.selector, scope.namespace)
    if term.series == "worst":
        worst = sum_by(scope.by, series, _worst(sli))
        sampled = _sampled(worst if term.comparison else f"({worst})", term.comparison)
    else:
        sampled = sum_by(scope.by, _sampled(series, term.comparison))
    return f"{_SLICE_SECONDS} * {sampled}"


def _sampled(series: str, comparison: Comparison | None) -> str:
    """Count the slices, or only the slices in which a comparison is true."""
    if comparison is None:
        return f"count_over_time({series}[{_SLICES}])"
    test = f"{comparison.operator} bool {number(comparison.bound)}"
    return f"sum_over_time(({series} {test})[{_SLICES}])"


def _worst(sli: Sli) -> str:
    """Return the aggregation that keeps the value nearest to the bad values."""
    too_low = any(value.operator in ("<", "<=") for value in sli.bad_values)
    return "min" if too_low else "max"


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")
