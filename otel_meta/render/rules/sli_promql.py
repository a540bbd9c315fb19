"""An SLI as bad events and all events of each five minutes: the one place that knows their kinds.

Recorded apart, they can be summed over any window, so that every ratio is weighted by events. A
mean of five-minute ratios would let a quiet night outweigh a busy hour.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_meta.model import Ratio, Selector, Sli, Threshold, TimeSlice

from .promql_builder import bucket, count_suffix, lines, number, series_of, sum_by
from .series_names import SERVICE_LABELS

_SLICE_SECONDS: Final = 30
_WINDOW: Final = "5m"
_SLICES: Final = f"{_WINDOW}:{_SLICE_SECONDS}s"


class Increments(NamedTuple):
    """Bad and all events over the last five minutes, by service."""

    bad: str
    total: str


def increments(sli: Sli, namespace: str) -> Increments:
    """What to record of an SLI, in one meta-repository."""
    match sli:
        case Ratio():
            return _ratio(sli, namespace)
        case Threshold():
            return _threshold(sli, namespace)
        case TimeSlice():
            return _time_slices(sli, namespace)


def _ratio(sli: Ratio, namespace: str) -> Increments:
    total = _increase(sli.total, namespace)
    if sli.bad is not None:
        return Increments(_or_zero(_increase(sli.bad, namespace), total), total)
    good = _or_zero(_increase(sli.good or sli.total, namespace), total)
    return Increments(
        lines("clamp_min(", f"  {total}", "  -", f"  ({_indent(good)})", ", 0)"), total
    )


def _threshold(sli: Threshold, namespace: str) -> Increments:
    total = _increase(sli.values, namespace)
    within = _increase(sli.values, namespace, "_bucket", bucket(sli.bound))
    # Without its bucket the indicator is absent, which "no data" tells; never zero, never all bad.
    return Increments(lines("clamp_min(", f"  {total}", "  -", f"  {within}", ", 0)"), total)


def _time_slices(sli: TimeSlice, namespace: str) -> Increments:
    series = series_of(sli.value, namespace)
    if sli.series == "worst":
        worst = sum_by(SERVICE_LABELS, series, "max" if sli.at_least is None else "min")
        return Increments(
            f"{_SLICE_SECONDS} * sum_over_time(({worst} {_outside(sli)})[{_SLICES}])",
            f"{_SLICE_SECONDS} * count_over_time(({worst})[{_SLICES}])",
        )
    bad = sum_by(SERVICE_LABELS, f"sum_over_time(({series} {_outside(sli)})[{_SLICES}])")
    total = sum_by(SERVICE_LABELS, f"count_over_time({series}[{_SLICES}])")
    return Increments(f"{_SLICE_SECONDS} * {bad}", f"{_SLICE_SECONDS} * {total}")


def _outside(sli: TimeSlice) -> str:
    """A comparison that is 1 where the gauge is not where it should be, and 0 where it is."""
    if sli.at_least is not None:
        return f"< bool {number(sli.at_least)}"
    return f"> bool {number(sli.at_most or 0.0)}"


def _increase(match: Selector, namespace: str, suffix: str | None = None, *more: str) -> str:
    suffix = count_suffix(match) if suffix is None else suffix
    series = series_of(match, namespace, suffix, *more)
    return sum_by(SERVICE_LABELS, f"increase({series}[{_WINDOW}])")


def _or_zero(part: str, total: str) -> str:
    """Zero where there is a total and the part has never been seen; absent where there is none."""
    return lines(part, "or", f"0 * {total}")


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")
