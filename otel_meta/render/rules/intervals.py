"""The intervals of rule evaluation, and the spans over which events are counted."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Duration, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN

EVALUATION_INTERVAL: Final = Duration("1m")
"""The time from one evaluation of a rule group to the next."""

ALERT_INTERVAL: Final = Duration("30s")
"""The time from one evaluation of an SLO's alerts to the next, and of the short spans they read.

A burn rate of 14.4 over an hour is reached within 52 seconds of a total outage at the objective
of 99.9 %; a minute more until the next evaluation would be most of the delay."""

INCREASE_WINDOW: Final = Duration("5m")
"""The shortest span in which events are counted. Dashboards show its counts."""

INCREASE_MINUTES: Final = INCREASE_WINDOW.seconds // 60

RECOUNT_SPAN: Final = Duration("6h")
"""The span of raw counters that every evaluation counts again for the cumulative counts.

A gap of this length in scrapes or evaluations loses no event that the counters still hold."""

_LONGEST_ALERT_SPAN: Final = Duration("3h")
"""The longest span that is counted from raw counters in the group of alerts."""


def alert_spans(slo: Slo) -> tuple[Duration, ...]:
    """Return the spans that are counted from raw counters right before the alerts, in order."""
    pages = {
        span
        for window in slo.burn_windows
        if window.severity == "page"
        for span in (window.short, window.long)
        if span <= _LONGEST_ALERT_SPAN
    }
    return tuple(sorted({INCREASE_WINDOW, BURN_RATE_SPAN} | pages))


def cumulative_spans(slo: Slo) -> tuple[Duration, ...]:
    """Return the other spans of burn windows, which are differences of cumulative counts."""
    return tuple(
        span for span in slo.burn_lookbacks() if span not in (*alert_spans(slo), RECOUNT_SPAN)
    )


def cumulative_longs(slo: Slo) -> tuple[Duration, ...]:
    """Return the long spans among `cumulative_spans`, whose bad events an alert compares."""
    longs = {window.long for window in slo.burn_windows}
    return tuple(span for span in cumulative_spans(slo) if span in longs)


def alert_longs(slo: Slo) -> tuple[Duration, ...]:
    """Return the spans from raw counters whose bad events an alert compares."""
    longs = {BURN_RATE_SPAN, *(window.long for window in slo.burn_windows)}
    return tuple(span for span in (*alert_spans(slo), RECOUNT_SPAN) if span in longs)
