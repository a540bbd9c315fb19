"""Rules across meta-repositories: each service over all its SLOs, and the watchdog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.links import SLO_DASHBOARD
from otel_meta.render.options import Options

from . import series_names
from .alert_texts import SERVICE_TEXT, AlertSeverity, alert_annotations, alert_labels
from .intervals import BURN_RATE_SPAN
from .promql_builder import lines, number, sum_by
from .rule import AlertRule, Group, Record

HIGH_BURN_RATE: Final = 10
_MIN_BAD_EVENTS: Final = 10
LOWEST_COMPLIANCE: Final = 0.95
MOST_VIOLATIONS: Final = 3


def recording_groups(options: Options) -> Iterator[Group]:
    """Yield the recordings of each service over all its SLOs."""
    not_met = f"min_over_time({series_names.COMPLIANT}[1d]) == bool 0"
    compliance = sum_by(options.identity.service, series_names.COMPLIANT, "avg")
    yield Group(
        "slo-overview",
        (
            Record(series_names.COMPLIANCE, compliance),
            Record(series_names.VIOLATIONS, sum_by(options.identity.service, not_met)),
        ),
    )


def alerting_groups(options: Options) -> Iterator[Group]:
    """Yield the alerts about any SLO and about whole services, and an alert that always fires."""
    yield Group("slo-overview-alerts", tuple(_overview(options)))
    yield Group("watchdog", (_watchdog(options),))


def _overview(options: Options) -> Iterator[AlertRule]:
    yield _overview_alert(
        options,
        alert="SloErrorBudgetBurningFast",
        severity="ticket",
        expr=lines(
            f"{series_names.BURN_RATE_1H} > {HIGH_BURN_RATE}",
            "and",
            f"{series_names.bad(BURN_RATE_SPAN)} > {number(_MIN_BAD_EVENTS - 0.5)}",
        ),
        summary=f"{SERVICE_TEXT} burns the error budget of {{{{ $labels.slo }}}} at a burn rate "
        f"above {HIGH_BURN_RATE}",
        description="The burn rate over the last hour is {{ $value | humanize }}; at 1 the budget "
        "lasts exactly one period.",
        for_=Duration("5m"),
    )
    yield _overview_alert(
        options,
        alert="SloComplianceLow",
        severity="ticket",
        expr=f"{series_names.COMPLIANCE} < {LOWEST_COMPLIANCE}",
        summary=f"{SERVICE_TEXT} meets too few of its SLOs",
        description="It meets {{ $value | humanizePercentage }} of its SLOs.",
        for_=Duration("15m"),
    )
    yield _overview_alert(
        options,
        alert="SloMultipleViolations",
        severity="page",
        expr=f"{series_names.VIOLATIONS} > {MOST_VIOLATIONS}",
        summary=f"{SERVICE_TEXT} did not meet several SLOs within a day",
        description="{{ $value }} of its SLOs were not met at some time in the last 24 hours.",
    )


def _watchdog(options: Options) -> AlertRule:
    return _overview_alert(
        options,
        alert="Watchdog",
        severity="none",
        expr="vector(1)",
        summary="Alerting works",
        description="This alert always fires. Route it to a receiver that raises an alarm when "
        "the notifications stop.",
    )


def _overview_alert(
    options: Options,
    *,
    alert: str,
    severity: AlertSeverity,
    expr: str,
    summary: str,
    description: str,
    for_: Duration | None = None,
) -> AlertRule:
    return AlertRule(
        alert=alert,
        expr=expr,
        labels=alert_labels(None, severity, options),
        annotations=alert_annotations(
            options,
            summary=summary,
            description=description,
            runbook="slo-overview",
            anchor=alert,
            dashboard=SLO_DASHBOARD,
        ),
        for_=for_,
    )
