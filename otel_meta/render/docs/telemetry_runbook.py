"""The runbook of alerts about what produces and carries telemetry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.alert_texts import SERVICE_TEXT
from otel_meta.render.rules.telemetry import telemetry_alerts
from otel_meta.render.rules.telemetry.service_presence import ESTABLISHED, REMEMBERED
from otel_meta.render.rules.telemetry.telemetry_alert import TelemetryAlert

from .markdown import code, page
from .operator_commands import OF_SERVER, OF_SERVICE, silencing

_SOURCE: Final = "otel_meta/render/docs/telemetry_runbook.py"
_MINUTES_GONE: Final = (
    f"(time() - max_over_time(timestamp({series_names.PROCESSES})[{REMEMBERED}:1m])) / 60 > 2"
)


def telemetry_runbook(catalog: Catalog, options: Options) -> str:
    """Return the page, with a section for each alert."""
    rows = telemetry_alerts(catalog, options)
    return page(
        "Alerts about telemetry",
        _SOURCE,
        "These alerts are about what the other alerts rely on: services that report, Collectors, "
        "Prometheus and Alertmanager.",
        *_service_down(),
        *_telemetry_lost(),
        *(part for row in rows for part in _section(row)),
    )


def _service_down() -> Iterator[str]:
    yield "## ServiceDown"
    yield (
        f"**Meaning.** A service reported for {ESTABLISHED} or longer within {REMEMBERED}, and no "
        "process of it reports now. Severity: page, because a dead service fails every request, "
        "and counts none of the failures: its SLOs see nothing."
    )
    yield "**First steps.** Find the services that are gone, and for how many minutes:"
    yield code(_MINUTES_GONE, "promql")
    yield "Find the processes of each service over time (as a graph):"
    yield code(series_names.PROCESSES, "promql")
    yield "Find the targets that Prometheus cannot scrape (a removed pod has no target):"
    yield code("up == 0", "promql")
    yield (
        "Then ask the platform: is the process there, does it answer `/healthz`, was it deployed "
        "or scaled to zero? If the service answers and only its telemetry is gone, its log has a "
        'line that begins with "cannot export".'
    )
    yield (
        "**Actions.** Start the service, or undo its last change. The alert ends when a process "
        f"reports. If the service was removed, silence the alert for {REMEMBERED}; it ends by "
        "itself. For a job that ends by itself, name the service in `jobs` of `[tool.otel_meta]`."
    )
    yield silencing(f'alertname="ServiceDown" {OF_SERVICE}')


def _telemetry_lost() -> Iterator[str]:
    yield "## TelemetryLost"
    yield (
        "**Meaning.** More than half of the services, and at least three, report no more. "
        "Severity: page. While the alert fires, Alertmanager holds back *ServiceDown* of the "
        "same place."
    )
    yield "**First steps.** Find the services that were there an hour ago:"
    yield code(f"{series_names.PROCESSES} offset 1h unless {series_names.PROCESSES}", "promql")
    yield "Find the targets by job:"
    yield code("count by (job) (up == 0)", "promql")
    yield (
        "**Actions.** Look for what the services share: the cluster, the network between "
        "Prometheus and its targets, a change of the scrape configuration."
    )
    yield silencing('alertname="TelemetryLost"')


def _section(row: TelemetryAlert) -> Iterator[str]:
    yield f"## {row.name}"
    yield f"**Meaning.** {row.meaning}"
    yield f"The alert fires when this has a result for {row.for_}:"
    yield code(row.expr, "promql")
    yield "**First steps.**"
    for text, query in row.queries:
        yield text
        yield code(query, "promql")
    yield f"**Actions.** {row.actions}"
    whose = OF_SERVICE if SERVICE_TEXT in row.summary else OF_SERVER
    yield silencing(f'alertname="{row.name}" {whose}')
