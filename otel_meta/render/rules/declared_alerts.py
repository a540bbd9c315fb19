"""Alerting rules of the alerts that a meta-repository declares."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Alert, MetaRepo
from otel_meta.render.links import repo_dashboard
from otel_meta.render.options import Options

from . import series_names
from .alert_texts import OF_SERVICE, SERVICE_TEXT, alert_annotations, alert_labels, literal
from .measures.measure_promql import expression
from .promql_builder import compared, lines
from .rule import AlertRule, Group
from .value_texts import span_text, value_text


def declared_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield a group of the declared alerts, if there are any."""
    if repo.alerts:
        rules = tuple(declared_alert(repo, alert, options) for alert in repo.alerts.values())
        yield Group(f"{repo.name}-alerts", rules)


def declared_alert(repo: type[MetaRepo], alert: Alert, options: Options) -> AlertRule:
    """Return the rule of a declared alert."""
    has_service = series_names.SERVICE in alert.measure.by
    return AlertRule(
        alert=alert.name,
        expr=_condition(expression(alert.measure, repo.name, options), compared(alert.comparison)),
        labels=alert_labels(repo, alert.severity, options) | _about(repo, alert),
        annotations=alert_annotations(
            options,
            summary=f"{_whose(repo, alert)}: {literal(alert.summary.rstrip('.'))}",
            description=_description(alert),
            runbook=repo.name,
            anchor=alert.name,
            dashboard=repo_dashboard(repo.name),
            variables=OF_SERVICE if has_service else {},
        ),
        for_=alert.for_,
    )


def _about(repo: type[MetaRepo], alert: Alert) -> dict[str, str]:
    """Return the label of the SLO that says the same.

    A class that inherits the alert may have another SLO as that attribute, or none.
    """
    attributes = (
        attribute
        for base in repo.__mro__
        for attribute, declared in vars(base).items()
        if declared is alert.slo
    )
    slo = next((repo.slos[each] for each in attributes if each in repo.slos), None)
    return {} if alert.slo is None or slo is None else {series_names.SLO: slo.name}


def bound_text(alert: Alert) -> str:
    """Return the bound of an alert in words: above 1%."""
    side = "above" if alert.comparison.operator == ">" else "below"
    bound = alert.comparison.bound
    return f"{side} {value_text(alert.measure, bound).bound(bound)}"


def _description(alert: Alert) -> str:
    value = value_text(alert.measure, alert.comparison.bound).value
    lasting = f" for {alert.for_}" if alert.for_ else ""
    return (
        f"{literal(alert.summary)} The value{span_text(alert.measure)} is {value}; the alert fires "
        f"{bound_text(alert)}{lasting}."
    )


def _whose(repo: type[MetaRepo], alert: Alert) -> str:
    """Return the service and the other labels of an alert."""
    by = alert.measure.by
    service = SERVICE_TEXT if series_names.SERVICE in by else repo.name
    others = (label for label in by if label != series_names.SERVICE)
    return ", ".join([service, *(f"{label} {{{{ $labels.{label} }}}}" for label in others)])


def _condition(expr: str, comparison: str) -> str:
    return lines("(", expr, ")", comparison) if "\n" in expr else f"{expr} {comparison}"
