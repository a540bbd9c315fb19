"""Conditions of the burn-rate alerts of an SLO."""

from __future__ import annotations

from fractions import Fraction

from otel_meta.model import BurnWindow, Slo
from otel_meta.render.options import Options

from . import series_names
from .corrections.corrected_series import bad_name, unless_corrected
from .intervals import RECOUNT_SPAN
from .promql_builder import all_of, indented, lines, number, slo_series


def burn_condition(slo: Slo, window: BurnWindow, options: Options) -> str:
    """Return the condition of a window pair: both spans burn too fast, with enough bad events.

    After a gap in scrapes or evaluations, the short span of a page has none of the events of the
    gap. Late events take its place where the long span is counted again after a gap. An alert waits
    until a correction has left the short span.
    """
    limit = number(window.limit(slo.period, slo.objective.budget))
    short = _above(series_names.error_ratio(window.short), slo, limit)
    if window.severity == "page" and window.long >= RECOUNT_SPAN:
        late = _above(series_names.LATE_ERROR_RATIO, slo, limit)
        short = lines("(", indented(lines(short, "or", late)), ")")
    burns = all_of(
        _above(series_names.error_ratio(window.long), slo, limit),
        short,
        enough_events(bad_name(slo, window.long, options), slo),
    )
    return burns + unless_corrected(slo, window.short, options)


def enough_events(bad: str, slo: Slo) -> str:
    """Return a condition: at least the declared number of bad events.

    Extrapolation adds or takes less than half an event at small numbers.
    """
    return f"{slo_series(bad, slo)} > {number(slo.min_bad_events - Fraction(1, 2))}"


def _above(name: str, slo: Slo, limit: str) -> str:
    return f"{slo_series(name, slo)} > {limit}"
