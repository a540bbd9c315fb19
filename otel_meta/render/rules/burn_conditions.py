"""Conditions of the burn-rate alerts of an SLO."""

from __future__ import annotations

from fractions import Fraction

from otel_meta.model import BurnWindow, Duration, Slo

from . import series_names
from .intervals import INCREASE_WINDOW, counted_spans
from .promql_builder import all_of, equals, lines, number, selector


def burn_condition(slo: Slo, window: BurnWindow) -> str:
    """Return the condition of a window pair: both spans burn too fast, with enough bad events."""
    limit = number(window.limit(slo.period, slo.objective.budget))
    long, short = (
        f"{slo_series(series_names.error_ratio(span), slo)} > {limit}"
        for span in (window.long, window.short)
    )
    return all_of(long, short, enough_events(series_names.bad(window.long), slo))


def late_condition(slo: Slo, window: BurnWindow) -> str:
    """Return the condition of a window pair for events that were counted after they occurred.

    After a gap in scrapes or evaluations, the short span of a pair has none of the events of the
    gap. The events that have just been counted take its place while they are more than the events
    that have just occurred.
    """
    limit = number(window.limit(slo.period, slo.objective.budget))
    if window.long in counted_spans(slo):
        long, bad = _counted_ratio(slo, window.long), series_names.counted_bad(window.long)
    else:
        long = slo_series(series_names.error_ratio(window.long), slo)
        bad = series_names.bad(window.long)
    late, present = (
        slo_series(name, slo)
        for name in (series_names.counted_total(INCREASE_WINDOW), series_names.TOTAL)
    )
    short = _counted_ratio(slo, INCREASE_WINDOW)
    enough = enough_events(bad, slo)
    in_time = lines(enough, "unless", f"{late} <= 2 * {present}")
    return all_of(f"{long} > {limit}", f"{short} > {limit}", in_time)


def enough_events(bad: str, slo: Slo) -> str:
    """Return a condition: at least the declared number of bad events.

    Extrapolation adds or takes less than half an event at small numbers.
    """
    return f"{slo_series(bad, slo)} > {number(slo.min_bad_events - Fraction(1, 2))}"


def slo_series(name: str, slo: Slo) -> str:
    """Return a selector of a recorded series of an SLO."""
    return selector(name, [equals(series_names.SLO, slo.name)])


def _counted_ratio(slo: Slo, span: Duration) -> str:
    bad, total = (
        slo_series(name(span), slo)
        for name in (series_names.counted_bad, series_names.counted_total)
    )
    return f"{bad} / ({total} > 0)"
