"""Alerting rules of the alerts that a meta-repository declares."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Alert, MetaRepo
from otel_meta.render.links import repo_dashboard
from otel_meta.render.options import Options

from .alert_texts import alert_annotations, alert_labels, literal
from .measure_promql import expression
from .promql_builder import compared, lines
from .rule import AlertRule, Group


def declared_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield a group of the declared alerts, if there are any."""
    if repo.alerts:
        rules = tuple(declared_alert(repo, alert, options) for alert in repo.alerts.values())
        yield Group(f"{repo.name}-alerts", rules)


def declared_alert(repo: type[MetaRepo], alert: Alert, options: Options) -> AlertRule:
    """Return the rule of a declared alert."""
    condition = compared(alert.comparison)
    return AlertRule(
        alert=alert.name,
        expr=_condition(expression(alert.measure, repo.name), condition),
        labels=alert_labels(repo, alert.severity, options),
        annotations=alert_annotations(
            options,
            summary=literal(alert.summary.rstrip(".")),
            description=f"{literal(alert.summary)} The value is {{{{ $value | humanize }}}}; the "
            f"alert fires when it is {condition}.",
            runbook=repo.name,
            anchor=alert.name,
            dashboard=repo_dashboard(repo.name),
        ),
        for_=alert.for_,
    )


def _condition(expr: str, comparison: str) -> str:
    return lines("(", expr, ")", comparison) if "\n" in expr else f"{expr} {comparison}"
