"""Names and labels of the series that rules record."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Duration, identity, self_metrics
from otel_meta.model.names import prometheus_name

from .intervals import INCREASE_WINDOW

BAD_CUMULATIVE: Final = "slo:bad:cumulative"
"""Bad events of an SLO (seconds, for time slices) since its rules began to count."""
TOTAL_CUMULATIVE: Final = "slo:total:cumulative"
"""All events of an SLO since its rules began to count."""
PERIOD_BAD: Final = "slo:bad:increase_period"
"""Bad events over the SLO's period."""
PERIOD_ERROR_RATIO: Final = "slo:error_ratio:period"
"""Share of bad events over the SLO's period."""
COVERAGE: Final = "slo:period_coverage:ratio"
"""Share of the SLO's period in which the service had data."""
SLI: Final = "slo:sli:ratio"
"""Share of good events over the SLO's period, such as availability."""
BUDGET_REMAINING: Final = "slo:error_budget_remaining:ratio"
"""Share of the error budget that is left; negative once the budget is overspent."""
COMPLIANT: Final = "slo:compliant:bool"
"""1 while the SLO is met over its period, 0 while the SLO is not met; absent without data."""
OBJECTIVE: Final = "slo:objective:ratio"
"""The share of events that must be good."""
INFO: Final = "slo_info"
"""1, with the labels of an SLO that may change: owner, tier, objective, period."""
BURN_RATE_1H: Final = "slo:burn_rate:1h"
"""Burn rate over the last hour; 1 spends the budget in exactly one period."""

PERIOD_BAD_EXCLUDED: Final = "slo:bad:excluded_period"
"""Bad events over the SLO's period that corrections exclude."""
PERIOD_TOTAL_EXCLUDED: Final = "slo:total:excluded_period"
"""All events over the SLO's period that corrections exclude."""
BAD_AT_BEGIN: Final = "slo:bad:correction_begin"
"""The cumulative count of bad events when a correction begins."""
BAD_AT_END: Final = "slo:bad:correction_end"
"""The cumulative count of bad events when a correction ends, or now."""
TOTAL_AT_BEGIN: Final = "slo:total:correction_begin"
"""The cumulative count of all events when a correction begins."""
TOTAL_AT_END: Final = "slo:total:correction_end"
"""The cumulative count of all events when a correction ends, or now."""
SINCE_CORRECTION: Final = "slo:since_correction:seconds"
"""Seconds since the end of the last correction in the SLO's period, 0 until its end."""
CORRECTION_AGE: Final = "slo_correction_age_seconds"
"""Seconds since the end of a correction in the SLO's period, 0 until its end; the labels are its
kind, its reason and its times."""

COMPLIANCE: Final = "service:slo_compliance:ratio"
"""Share of a service's SLOs that are met."""
VIOLATIONS: Final = "service:slo_violations:count1d"
"""Number of a service's SLOs that were not met at some time in 24 hours."""
VIOLATIONS_SHARE: Final = "service:slo_violations:share1d"
"""Share of a service's SLOs that were not met at some time in 24 hours."""
PROCESSES: Final = "service:otel_meta_up:count"
"""Number of a service's processes that report."""

SLO: Final = "slo"
CORRECTION: Final = "correction"
"""The label that tells the corrections of an SLO apart: begin and end, joined by a slash."""
NAMESPACE: Final = identity.NAMESPACE
SERVICE: Final = identity.SERVICE
UP: Final = prometheus_name(self_metrics.UP, "", monotonic=False)

ROUNDING: Final = "0.5"
"""Half an event, or half a second: a difference of counts below it is rounding."""


def bad(span: Duration) -> str:
    """Return the name of the bad events over a span (seconds, for time slices)."""
    return f"slo:bad:increase{span}"


def total(span: Duration) -> str:
    """Return the name of all events over a span."""
    return f"slo:total:increase{span}"


def bad_kept(span: Duration) -> str:
    """Return the name of the bad events over a span that no correction excludes."""
    return f"slo:bad:kept{span}"


def error_ratio(span: Duration) -> str:
    """Return the name of the share of bad events over a span of a burn window."""
    return f"slo:error_ratio:{span}"


BAD: Final = bad(INCREASE_WINDOW)
"""Bad events in the shortest span."""
TOTAL: Final = total(INCREASE_WINDOW)
"""All events in the shortest span."""
LATE_ERROR_RATIO: Final = "slo:error_ratio:late"
"""Share of bad events among those that were counted in the shortest span, however old; absent
while most of them are new."""
