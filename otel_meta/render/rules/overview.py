"""Rules across meta-repositories: each service over all its SLOs, and the watchdog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from otel_meta.model import Duration, Severity
from otel_meta.render.links import SLO_DASHBOARD, Links

from . import series_names
from .alerting_rules import alert_annotations
from .promql_builder import events_over, lines, sum_by
from .rule import AlertRule, Group, Record

TENFOLD: Final = 10
LOWEST_COMPLIANCE: Final = 0.95
MOST_VIOLATIONS: Final = 3

_SERVICE: Final = "{{ $labels.service_name }}"
_HOUR: Final = Duration("1h")


def recording_groups() -> Iterator[Group]:
    """Yield the recordings of each service over all its SLOs."""
    not_met = f"min_over_time({series_names.COMPLIANT}[1d]) == bool 0"
    compliance = sum_by(series_names.SERVICE_LABELS, series_names.COMPLIANT, "avg")
    yield Group(
        "slo-overview",
        (
            Record(series_names.COMPLIANCE, compliance),
            Record(series_names.VIOLATIONS, sum_by(series_names.SERVICE_LABELS, not_met)),
        ),
    )


def alerting_groups(links: Links) -> Iterator[Group]:
    """Yield the alerts about any SLO and about whole services, and an alert that always fires."""
    yield Group("slo-overview-alerts", tuple(_overview(links)))
    yield Group("watchdog", (_watchdog(links),))


def _overview(links: Links) -> Iterator[AlertRule]:
    yield _overview_alert(
        links,
        alert="SloErrorBudgetBurningFast",
        severity="ticket",
        expr=lines(
            f"{series_names.BURN_RATE_1H} > {TENFOLD}",
            "and",
            f"{events_over(series_names.BAD, _HOUR)} >= {TENFOLD}",
        ),
        summary=f"{_SERVICE} burns the error budget of {{{{ $labels.slo }}}} at more than ten "
        "times the sustainable rate",
        description="The burn rate over the last hour is {{ $value | humanize }}; at 1 the budget "
        "lasts exactly one period.",
        for_=Duration("5m"),
    )
    yield _overview_alert(
        links,
        alert="SloComplianceLow",
        severity="ticket",
        expr=f"{series_names.COMPLIANCE} < {LOWEST_COMPLIANCE}",
        summary=f"{_SERVICE} meets too few of its SLOs",
        description="It meets {{ $value | humanizePercentage }} of its SLOs.",
        for_=Duration("15m"),
    )
    yield _overview_alert(
        links,
        alert="SloMultipleViolations",
        severity="page",
        expr=f"{series_names.VIOLATIONS} > {MOST_VIOLATIONS}",
        summary=f"{_SERVICE} did not meet several SLOs within a day",
        description="{{ $value }} of its SLOs were not met at some time in the last 24 hours.",
    )


def _watchdog(links: Links) -> AlertRule:
    return _overview_alert(
        links,
        alert="Watchdog",
        severity="none",
        expr="vector(1)",
        summary="Alerting works",
        description="This alert always fires. Route it to a receiver that raises an alarm when "
        "the notifications stop.",
    )


def _overview_alert(
    links: Links,
    *,
    alert: str,
    severity: Severity | Literal["none"],
    expr: str,
    summary: str,
    description: str,
    for_: Duration | None = None,
) -> AlertRule:
    return AlertRule(
        alert=alert,
        expr=expr,
        labels={"severity": severity},
        annotations=alert_annotations(
            summary=summary,
            description=description,
            runbook=links.runbook("slo-overview"),
            dashboard=links.dashboard(SLO_DASHBOARD),
        ),
        for_=for_,
    )
