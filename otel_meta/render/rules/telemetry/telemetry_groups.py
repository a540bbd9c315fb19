"""The groups of rules about the path of telemetry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.model import Catalog
from otel_meta.render.options import Options
from otel_meta.render.rules.alert_texts import alert_annotations, alert_labels
from otel_meta.render.rules.rule import AlertRule, Group
from otel_meta.status.slo_links import SLO_DASHBOARD

from .collector_alerts import collector_alerts
from .monitoring_alerts import monitoring_alerts
from .sdk_alerts import sdk_alerts
from .service_presence import presence_groups, telemetry_lost
from .telemetry_alert import RUNBOOK, TelemetryAlert


def telemetry_groups(catalog: Catalog, options: Options) -> Iterator[Group]:
    """Yield the groups of services that are gone, and the group of all servers in between."""
    yield from presence_groups(catalog, options)
    rules = (_rule(row, options) for row in telemetry_alerts(catalog, options))
    yield Group("telemetry", (telemetry_lost(options), *rules))


def telemetry_alerts(catalog: Catalog, options: Options) -> Iterable[TelemetryAlert]:
    """Return the rows of the group "telemetry", in the order of the path."""
    return (
        *sdk_alerts(options),
        *collector_alerts(options),
        *monitoring_alerts(_vital_groups(catalog), options),
    )


def _vital_groups(catalog: Catalog) -> Iterator[str]:
    """Yield patterns of the names of every group without which alerts cannot fire."""
    for repo in catalog:
        yield from (f"{slo.name}(-alerts)?" for slo in repo.slos.values())
        yield f"{repo.name}-(alerts|overview|services)"
    yield from ("telemetry", "slo-overview", "watchdog")


def _rule(row: TelemetryAlert, options: Options) -> AlertRule:
    return AlertRule(
        alert=row.name,
        expr=row.expr,
        labels=alert_labels(None, row.severity, options),
        annotations=alert_annotations(
            options,
            summary=row.summary,
            description=row.description,
            runbook=RUNBOOK,
            anchor=row.name,
            dashboard=SLO_DASHBOARD,
        ),
        for_=row.for_,
    )
