"""Set up telemetry with one call: settings, resource, signals, global providers and logging."""

from __future__ import annotations

import atexit
import time
from typing import Unpack

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.trace import ProxyTracerProvider

from otel_meta.errors import ConfigurationError
from otel_meta.model import MetaRepo

from .logs.line_writer import OpenStream, standard_output
from .option_checks import check_arguments, check_options
from .options import Options
from .recording.faults import logger
from .resource import create_resource
from .sdk_environment import checked_variables, prefer_stable_conventions, set_propagators
from .settings import read_settings
from .telemetry import Telemetry


def configure(
    service_name: str | None = None,
    repo: type[MetaRepo] | None = None,
    **options: Unpack[Options],
) -> Telemetry:
    """Set up the telemetry of this process.

    Missing options are read from OpenTelemetry's standard variables, and have defaults without a
    variable (see ``docs/configuration.md``). Telemetry is shut down at exit.

    Args:
        service_name: ``service.name`` on every series, span and log line.
        repo: the meta-repository of the service; the name becomes ``service.namespace``. By
            default ``OTEL_META_REPO`` names the meta-repository.
        **options: the keyword arguments below, all optional.

    Keyword Args:
        namespace: ``service.namespace``, for a service without a meta-repository.
        resource_attributes: further attributes, such as ``deployment.environment.name``.
        traces: exporters of spans: otlp, console, none, or an installed exporter.
        metrics: exporters of metrics: prometheus, otlp, console, none, or an installed exporter.
        logs: exporters of logs besides JSON lines: otlp, none, or an installed exporter.
        otlp_endpoint: base URL of a Collector or Jaeger, such as "http://localhost:4318".
        prometheus_host: address for the port of /metrics.
        prometheus_port: port for /metrics, 0 for any free port; None leaves /metrics to the app.
        prometheus_token: bearer token for /metrics and /slo, of the app and of the port.
        merge_prometheus_client: show the metrics of prometheus_client's default registry on
            /metrics too (the default).
        workers: share series with all workers of the service, in the directory
            ``OTEL_META_MULTIPROCESS_DIR``; by default True if the variable is set.
        metric_interval: seconds between pushes of metrics.
        max_series: cardinality limit of a metric, 2,000 by default; further series are merged.
        log_level: debug, info, warning, error or critical, or a level of `logging`.
        log_format: json, console (for people), logfmt, or auto (the default): console if the stream
            is a terminal, else json.
        log_stream: stream for log lines, by default stdout; None leaves logging unchanged.
        cache_loggers: cache each logger on first use (the default), which is faster and final.
        shutdown_timeout: maximum duration of `Telemetry.shutdown` in seconds.
        set_global: register global providers for all libraries (the default).
        environ: environment variables, by default ``os.environ``.
        clock: monotonic clock in seconds, for SLOs.

    Raises:
        ConfigurationError: an argument is invalid, the process already has providers, or an
            exporter cannot start (`MissingExtra`, `PortInUse` and further causes).
        TypeError: an option has an unknown name.
    """
    check_arguments(service_name, repo)
    checked = check_options(options)
    if repo is not None:
        checked.setdefault("namespace", repo.name)
    settings = read_settings(service_name, **checked)
    set_global = checked.get("set_global", True)
    clock = checked.get("clock", time.monotonic)
    with checked_variables(settings.sdk_variables):
        if set_global and not settings.disabled:
            _refuse_second_call()
        telemetry = Telemetry(settings, create_resource(settings), clock=clock)
    open_stream = _open_stream(checked)
    if open_stream is not None:
        telemetry.logs.install(open_stream, cache=checked.get("cache_loggers", True))
    for warning in settings.warnings:
        logger.warning("%s", warning)
    if set_global:
        _set_global(telemetry)
    telemetry.start()
    atexit.register(telemetry.shutdown)
    return telemetry


def _open_stream(options: Options) -> OpenStream | None:
    """Return the function that opens the stream for lines; None if logging remains unchanged."""
    if "log_stream" not in options:
        return standard_output
    stream = options["log_stream"]
    return None if stream is None else lambda: stream


def _refuse_second_call() -> None:
    if not isinstance(trace_api.get_tracer_provider(), ProxyTracerProvider):
        raise ConfigurationError(
            "this process has a tracer provider already; call configure() once and first, "
            "without opentelemetry-instrument, or pass set_global=False"
        )


def _set_global(telemetry: Telemetry) -> None:
    set_propagators(telemetry.settings.propagators)
    prefer_stable_conventions()
    if telemetry.traces is not None and telemetry.metrics is not None:
        trace_api.set_tracer_provider(telemetry.traces.provider)
        metrics_api.set_meter_provider(telemetry.metrics.provider)
