"""The runbook of a meta-repository: a section for each SLO and for each declared alert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Alert, Catalog, MetaRepo
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.measures.measure_promql import expression
from otel_meta.render.rules.promql_builder import compared

from .markdown import code, code_span, literal, page
from .operator_commands import OF_SERVICE, silencing
from .slo_section import slo_index, slo_section, whom_to_call

_BY_NAME: Final = 'alertname="{}"'


def repo_runbook(repo: type[MetaRepo], options: Options) -> str:
    """Return the page."""
    slos, alerts = repo.slos.values(), repo.alerts.values()
    return page(
        f"Runbook of {repo.name}",
        f"{repo.__module__}.{repo.__qualname__}",
        f"{literal(repo.description)} {whom_to_call(repo)}".strip(),
        slo_index(Catalog((repo,))) if slos else "",
        *(part for slo in slos for part in slo_section(repo, slo, options)),
        *(part for alert in alerts for part in _alert(repo, alert, options)),
    )


def _alert(repo: type[MetaRepo], alert: Alert, options: Options) -> Iterator[str]:
    duration = f", for {alert.for_}" if alert.for_ else ""
    yield f"## {alert.name}"
    yield f"**Meaning.** {literal(alert.summary)} Severity: {options.severities[alert.severity]}."
    yield f"The alert fires when this is {code_span(compared(alert.comparison))}{duration}:"
    yield code(expression(alert.measure, repo.name, options), "promql")
    if alert.first_steps:
        yield f"**First steps.** {literal(alert.first_steps)}"
    if alert.slo is not None:
        yield f"The SLO of the same events: [{alert.slo.name}](#{alert.slo.name})."
    of_service = [OF_SERVICE] if series_names.SERVICE in alert.measure.by else []
    yield silencing(" ".join([_BY_NAME.format(alert.name), *of_service]))
