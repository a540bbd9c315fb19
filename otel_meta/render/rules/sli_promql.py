"""An SLI in PromQL: the increases of its bad events and of its total events.

Both are recorded and summed over any window, so that every ratio is weighted by events. In a mean
of five-minute ratios, a quiet night would outweigh a busy hour.
"""

from __future__ import annotations

from typing import Final, NamedTuple, assert_never

from otel_meta.model import Selector, Sli
from otel_meta.model.slo.comparison import Comparison
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices

from .intervals import INCREASE_WINDOW
from .promql_builder import bucket, count_suffix, lines, number, series_of, sum_by
from .series_names import SERVICE_LABELS

_SLICE_SECONDS: Final = 30
_SLICES: Final = f"{INCREASE_WINDOW}:{_SLICE_SECONDS}s"


class Increments(NamedTuple):
    """Expressions for the bad and the total events of the last window, by service."""

    bad: str
    total: str


def increments(sli: Sli, namespace: str) -> Increments:
    """Return the expressions to record for an SLI of one meta-repository."""
    total = _total(sli, namespace)
    return Increments(_bad(sli, namespace, total), total)


def _total(sli: Sli, namespace: str) -> str:
    total = sli.total_events
    match total:
        case EventCount():
            return _count(total, namespace)
        case TimeSlices():
            return _time_slices(sli, total, namespace)
        case _:
            assert_never(total)


def _bad(sli: Sli, namespace: str, total: str) -> str:
    bad = sli.bad_events
    match bad:
        case EventCount():
            return _or_zero(bad, namespace, total)
        case Remainder(good):
            part = _or_zero(good, namespace, total)
            grouped = f"({_indent(part)})" if "\n" in part else part
            return lines("clamp_min(", f"  {total}", "  -", f"  {grouped}", ", 0)")
        case TimeSlices():
            return _time_slices(sli, bad, namespace)
        case _:
            assert_never(bad)


def _or_zero(part: EventCount, namespace: str, total: str) -> str:
    """Count a part of the events: zero if only other events occurred, absent without any event.

    A missing bucket is not replaced by zero, because a histogram without the bucket shows neither
    good nor bad events: the SLI must be absent.
    """
    counted = _count(part, namespace)
    return counted if part.has_bounds else lines(counted, "or", f"0 * {total}")


def _count(term: EventCount, namespace: str) -> str:
    if not term.has_bounds:
        return _increase(term.selector, namespace, count_suffix(term.selector))
    upper = _increase_up_to(term.at_most, term.selector, namespace)
    if term.above is None:
        return upper
    return lines(upper, "-", _increase_up_to(term.above, term.selector, namespace))


def _increase_up_to(bound: float | None, selector: Selector, namespace: str) -> str:
    if bound is None:
        return _increase(selector, namespace, "_count")
    return _increase(selector, namespace, "_bucket", bucket(bound))


def _increase(selector: Selector, namespace: str, suffix: str, *more: str) -> str:
    series = series_of(selector, namespace, suffix, *more)
    return sum_by(SERVICE_LABELS, f"increase({series}[{INCREASE_WINDOW}])")


def _time_slices(sli: Sli, term: TimeSlices, namespace: str) -> str:
    series = series_of(term.selector, namespace)
    if term.series == "worst":
        worst = sum_by(SERVICE_LABELS, series, _worst(sli))
        sampled = _sampled(worst if term.comparison else f"({worst})", term.comparison)
    else:
        sampled = sum_by(SERVICE_LABELS, _sampled(series, term.comparison))
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
