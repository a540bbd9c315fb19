"""Rules across meta-repositories: how each service does in all, and who watches the watchers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.links import SLO_DASHBOARD, Links

from . import series_names as series
from .promql_builder import events_over, lines, sum_by
from .rule import AlertRule, Group, Record

TENFOLD: Final = 10
LOWEST_COMPLIANCE: Final = 0.95
MOST_VIOLATIONS: Final = 3


def recording_groups() -> Iterator[Group]:
    """Compliance of each service over all its SLOs."""
    broken = f"min_over_time({series.COMPLIANT}[1d]) == bool 0"
    yield Group(
        "slo-overview",
        (
            Record(series.COMPLIANCE, sum_by(series.SERVICE_LABELS, series.COMPLIANT, "avg")),
            Record(series.VIOLATIONS, sum_by(series.SERVICE_LABELS, broken)),
        ),
    )


def alerting_groups(links: Links) -> Iterator[Group]:
    """Alerts about any SLO, about services as a whole, and one that always fires."""
    yield Group("slo-overview-alerts", tuple(_overview(links)))
    yield Group("watchdog", (_watchdog(links),))


def _overview(links: Links) -> Iterator[AlertRule]:
    page, ticket = {"severity": "page"}, {"severity": "ticket"}
    yield AlertRule(
        alert="SloErrorBudgetBurningFast",
        expr=lines(
            f"{series.BURN_RATE_1H} > {TENFOLD}",
            "and",
            f"{events_over(series.BAD, Duration('1h'))} >= {TENFOLD}",
        ),
        labels=ticket,
        annotations=_about(
            "{{ $labels.service_name }} burns the budget of {{ $labels.slo }} ten times too fast",
            "Over the last hour it burned {{ $value | humanize }} times as fast as it is given.",
            links,
        ),
        for_=Duration("5m"),
    )
    yield AlertRule(
        alert="SloComplianceLow",
        expr=f"{series.COMPLIANCE} < {LOWEST_COMPLIANCE}",
        labels=ticket,
        annotations=_about(
            "{{ $labels.service_name }} keeps too few of its promises",
            "It keeps {{ $value | humanizePercentage }} of its SLOs.",
            links,
        ),
        for_=Duration("15m"),
    )
    yield AlertRule(
        alert="SloMultipleViolations",
        expr=f"{series.VIOLATIONS} > {MOST_VIOLATIONS}",
        labels=page,
        annotations=_about(
            "{{ $labels.service_name }} broke several promises within a day",
            "{{ $value }} of its SLOs were broken at some time in the last 24 hours.",
            links,
        ),
    )


def _watchdog(links: Links) -> AlertRule:
    return AlertRule(
        alert="Watchdog",
        expr="vector(1)",
        labels={"severity": "none"},
        annotations=_about(
            "Alerting works",
            "This alert always fires. Route it to something that raises the alarm when it stops.",
            links,
        ),
    )


def _about(summary: str, description: str, links: Links) -> dict[str, str]:
    return {
        "summary": summary,
        "description": description,
        "runbook_url": links.runbook("slo-overview"),
        "dashboard_url": links.dashboard(SLO_DASHBOARD),
    }
