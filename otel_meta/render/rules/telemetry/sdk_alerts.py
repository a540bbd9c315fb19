"""Alerts about the telemetry of a service: faults, the limit of series, missing workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Duration
from otel_meta.model.self_metrics import FAULTS, SERIES, SERIES_LIMIT, WORKERS_MISSING
from otel_meta.render.options import Options
from otel_meta.render.rules.alert_texts import SERVICE_TEXT
from otel_meta.render.rules.promql_builder import selector, sum_by

from .telemetry_alert import RECENT, TelemetryAlert, recent_events

_FAULTS: Final = selector(FAULTS.prometheus_name, ['reason!="repeated"'])
"""Without the repeated log lines that are left out on purpose."""
_LEVEL: Final = f"{SERIES.prometheus_name} / {SERIES_LIMIT.prometheus_name}"


def sdk_alerts(options: Options) -> Iterator[TelemetryAlert]:
    """Yield the alerts about services that report in part only, tickets for their teams."""
    yield _faults(options)
    yield _series_limit(options.identity.service)
    yield _workers_missing(options.identity.service)


def _faults(options: Options) -> TelemetryAlert:
    faults = sum_by(
        (*options.identity.service, "source", "reason"), recent_events(_FAULTS, options)
    )
    by_source = sum_by(
        ("service_name", "source", "reason"), f"increase({FAULTS.prometheus_name}[1h])"
    )
    return TelemetryAlert(
        name="TelemetryFaults",
        severity="ticket",
        expr=f"{faults} > 0",
        reads=(),
        for_=Duration("15m"),
        summary=f"{SERVICE_TEXT} loses telemetry: {{{{ $labels.source }}}}, "
        "{{ $labels.reason }}",
        description=f'In {RECENT}, {{{{ printf "%.0f" $value }}}} faults were counted instead of '
        "raised. The application goes on; part of its metrics, spans or log lines is missing.",
        meaning="The telemetry of a service meets faults, for 15 minutes or longer: exports fail, "
        "a metric gets a value that it cannot take, log lines cannot be written. The service "
        "itself works, so the alert is a ticket.",
        queries=(("Find the sources and reasons:", f"{by_source} > 0"),),
        actions="The log of the service has one line for each source and reason, with the place in "
        "the code for mistakes of the application.",
    )


def _series_limit(service: tuple[str, ...]) -> TelemetryAlert:
    level = sum_by((*service, "metric"), _LEVEL, "max")
    return TelemetryAlert(
        name="SeriesLimitReached",
        severity="ticket",
        expr=f"{level} >= 1",
        reads=(),
        for_=Duration("15m"),
        summary=f"{SERVICE_TEXT} has too many series of {{{{ $labels.metric }}}}",
        description="The metric has as many series as it may have; further label values share one "
        "series with otel_metric_overflow=true.",
        meaning="A label has more values than the metric may have series. Sums stay right; what is "
        "further counted is not told apart. The alert is a ticket.",
        queries=(("Find the metrics near their limit:", f"topk(10, {_LEVEL})"),),
        actions="Find the label with ids, paths or texts of users, and record a pattern instead. "
        "If all values are wanted, raise `max_series` of the instrument.",
    )


def _workers_missing(service: tuple[str, ...]) -> TelemetryAlert:
    missing = sum_by((*service, "reason"), WORKERS_MISSING.prometheus_name, "max")
    return TelemetryAlert(
        name="WorkersMissing",
        severity="ticket",
        expr=f"{missing} > 0",
        reads=(),
        for_=Duration("15m"),
        summary=f"{SERVICE_TEXT} lacks the numbers of some workers: {{{{ $labels.reason }}}}",
        description='The numbers of {{ printf "%.0f" $value }} workers are not on the page of the '
        "service, in part or all.",
        meaning="The directory that workers share has a file that cannot be read. Its counts are "
        "missing in every sum. The alert is a ticket.",
        queries=(("Find the reasons:", f"{WORKERS_MISSING.prometheus_name} > 0"),),
        actions="Read the log of the service, which names the file. docs/workers.md has the rules "
        "for the directory.",
    )
