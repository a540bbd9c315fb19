"""Set up telemetry with one call: settings, resource, signals, global providers and logging."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Unpack, cast

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.trace import ProxyTracerProvider

from otel_meta.errors import ConfigurationError
from otel_meta.model import MetaRepo

from .options import Options
from .recording.faults import logger
from .resource import create_resource
from .sdk_environment import drop_invalid_variables, prefer_stable_conventions, set_propagators
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
        repo: the meta-repository of the service; the name becomes ``service.namespace``.
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
        log_level: debug, info, warning, error or critical.
        log_stream: stream for JSON lines, by default stdout; None leaves logging unchanged.
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
    _refuse_unknown(options)
    _refuse_wrong(service_name, repo)
    options["namespace"] = options.get("namespace") or (repo.name if repo else None)
    settings = read_settings(service_name, **options)
    set_global = options.get("set_global", True)
    if set_global and not settings.disabled:
        _refuse_second_call()
    warnings = (*settings.warnings, *drop_invalid_variables())
    clock = options.get("clock", time.monotonic)
    telemetry = Telemetry(settings, create_resource(settings), clock=clock)
    log_stream = options["log_stream"] if "log_stream" in options else _stdout()
    if log_stream is not None:
        telemetry.logs.install(log_stream, cache=options.get("cache_loggers", True))
    for warning in warnings:
        logger.warning("%s", warning)
    if set_global:
        _set_global(telemetry)
    telemetry.start()
    atexit.register(telemetry.shutdown)
    return telemetry


def _refuse_unknown(names: Iterable[str]) -> None:
    for name in names:
        if name not in Options.__optional_keys__:
            raise TypeError(f"configure() got an unexpected keyword argument {name!r}")


def _refuse_wrong(service_name: object, repo: object) -> None:
    """Refuse exchanged arguments, which no type checker may have seen."""
    if not isinstance(service_name, str | None):
        raise ConfigurationError(
            f"the name of the service is {service_name!r}; give a text first, as in "
            "configure('my-service', Aurora)"
        )
    if repo is not None and not (isinstance(repo, type) and issubclass(repo, MetaRepo)):
        raise ConfigurationError(
            f"repo={repo!r} is no meta-repository; give the class, as in "
            "configure('my-service', Aurora)"
        )


def _stdout() -> BinaryIO:
    """Return stdout for bytes, even if `sys.stdout` was replaced by a text stream."""
    if sys.stdout is None:  # closed by the shell
        return Path(os.devnull).open("wb")
    stream: Any = getattr(sys.stdout, "buffer", None) or _TextStdout()
    return cast("BinaryIO", stream)


class _TextStdout:
    def write(self, line: bytes) -> None:
        sys.stdout.write(line.decode())

    def flush(self) -> None:
        sys.stdout.flush()


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
