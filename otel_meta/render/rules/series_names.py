"""The name of every series that rules record, and the labels that it carries."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Duration

from .intervals import INCREASE_WINDOW

BAD: Final = f"slo:bad:increase{INCREASE_WINDOW}"
"""Bad events of an SLO over 5 minutes (seconds, for time slices)."""
TOTAL: Final = f"slo:total:increase{INCREASE_WINDOW}"
"""All events of an SLO over 5 minutes (seconds, for time slices)."""
PERIOD_ERROR_RATIO: Final = "slo:error_ratio:period"
"""Bad events among all over the SLO's period."""
SMOOTHED: Final = {
    BAD: f"slo:bad:avg{INCREASE_WINDOW}_increase{INCREASE_WINDOW}",
    TOTAL: f"slo:total:avg{INCREASE_WINDOW}_increase{INCREASE_WINDOW}",
}
"""The same, averaged over the evaluations of 5 minutes. An increase misses what happens between two
scrapes at the edge of its window; read only once in 5 minutes, it would always miss the same."""
SLI: Final = "slo:sli:ratio"
"""Good events among all over the SLO's period: availability, where that is what is promised."""
BUDGET_REMAINING: Final = "slo:error_budget_remaining:ratio"
"""Share of the error budget that is left; negative once overspent."""
COMPLIANT: Final = "slo:compliant:bool"
"""1 while the promise is kept over its period, 0 while it is not; absent without data."""
OBJECTIVE: Final = "slo:objective:ratio"
"""The share of events that must be good."""
INFO: Final = "slo_info"
"""1, with what may change about an SLO: owner, tier, objective, period."""
BURN_RATE_1H: Final = "slo:burn_rate:1h"
"""How many times too fast the budget burned over the last hour."""

COMPLIANCE: Final = "service:slo_compliance:ratio"
"""Share of a service's SLOs that are kept."""
VIOLATIONS: Final = "service:slo_violations:count1d"
"""How many of a service's SLOs were broken at some time in 24 hours."""

SLO: Final = "slo"
NAMESPACE: Final = "service_namespace"
SERVICE: Final = "service_name"
SERVICE_LABELS: Final = (NAMESPACE, SERVICE)
"""Every SLO is kept by each service on its own."""
IDENTITY: Final = (SLO, *SERVICE_LABELS)
"""All that an SLO's recordings carry, so that nothing that may change can break their history."""

UP: Final = "otel_meta_up"


def error_ratio(span: Duration) -> str:
    """Bad events among all over a span that a burn window looks back."""
    return f"slo:error_ratio:{span}"
