"""Runbooks: a page for each family of alerts, with complete queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Alert, Catalog, MetaRepo
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.measures.measure_promql import expression
from otel_meta.render.rules.promql_builder import compared

from .burn_runbook import burn_runbook
from .markdown import code, code_span, literal, page
from .overview_runbook import overview_runbook
from .silences import OF_SERVICE, silencing
from .state_runbooks import exhausted_runbook, no_data_runbook
from .telemetry_runbook import telemetry_runbook

_BY_NAME: Final = 'alertname="{}"'


def runbooks(catalog: Catalog, options: Options) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page; alerts link to the names."""
    yield "slo-burn", burn_runbook(catalog, options)
    yield "slo-budget-exhausted", exhausted_runbook(catalog)
    yield "slo-no-data", no_data_runbook()
    yield "slo-overview", overview_runbook()
    yield "telemetry", telemetry_runbook(catalog, options)
    yield from ((repo.name, _declared(repo, options)) for repo in catalog if repo.alerts)


def _declared(repo: type[MetaRepo], options: Options) -> str:
    parts = [part for alert in repo.alerts.values() for part in _alert(repo, alert, options)]
    source = f"{repo.__module__}.{repo.__qualname__}"
    return page(f"Alerts of {repo.name}", source, f"Owner: {repo.owner}.", *parts)


def _alert(repo: type[MetaRepo], alert: Alert, options: Options) -> Iterator[str]:
    duration = f", for {alert.for_}" if alert.for_ else ""
    yield f"## {alert.name}"
    yield f"**Meaning.** {literal(alert.summary)} Severity: {options.severities[alert.severity]}."
    yield f"The alert fires when this is {code_span(compared(alert.comparison))}{duration}:"
    yield code(expression(alert.measure, repo.name, options), "promql")
    if alert.first_steps:
        yield f"**First steps.** {literal(alert.first_steps)}"
    of_service = [OF_SERVICE] if series_names.SERVICE in alert.measure.by else []
    yield silencing(" ".join([_BY_NAME.format(alert.name), *of_service]))
