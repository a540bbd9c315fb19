"""One call that sets telemetry up: settings, resource, signals, globals, logging."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.trace import ProxyTracerProvider

from otel_meta.errors import ConfigurationError
from otel_meta.model import MetaRepo

from .recording.faults import logger
from .resource import create_resource
from .sdk_environment import drop_invalid_variables, prefer_stable_conventions, set_propagators
from .settings import UNSET, Unset, read_settings
from .telemetry import Telemetry


class _Stdout:
    """Stands for the process' standard output, whatever that is when `configure` is called."""

    def __repr__(self) -> str:
        return "sys.stdout"


STDOUT: Final = _Stdout()


def configure(
    service_name: str | None = None,
    repo: type[MetaRepo] | None = None,
    *,
    namespace: str | None = None,
    resource_attributes: Mapping[str, str] | None = None,
    traces: str | Iterable[str] | None = None,
    metrics: str | Iterable[str] | None = None,
    logs: str | Iterable[str] | None = None,
    otlp_endpoint: str | None = None,
    prometheus_host: str | None = None,
    prometheus_port: int | Unset | None = UNSET,
    prometheus_token: str | None = None,
    workers: bool | None = None,
    metric_interval: float | None = None,
    max_series: int | None = None,
    log_level: str | None = None,
    log_stream: BinaryIO | _Stdout | None = STDOUT,
    cache_loggers: bool = True,
    shutdown_timeout: float | None = None,
    set_global: bool = True,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Telemetry:
    """Set up the telemetry of this process.

    What is not given is read from OpenTelemetry's standard variables, and defaults where they are
    silent (see ``docs/configuration.md``). At exit, telemetry shuts itself down.

    Args:
        service_name: ``service.name`` on every series, span and line.
        repo: the meta-repository that the service belongs to; its name is ``service.namespace``.
        namespace: ``service.namespace``, for a service of no meta-repository.
        resource_attributes: more about the service, such as ``deployment.environment.name``.
        traces: exporters of spans: otlp, console, none, or an installed one.
        metrics: exporters of metrics: prometheus, otlp, console, none, or an installed one.
        logs: exporters of logs, besides JSON lines: otlp, none, or an installed one.
        otlp_endpoint: base URL of a Collector or Jaeger, such as "http://localhost:4318".
        prometheus_host: address to serve /metrics on, if it has a port of its own.
        prometheus_port: that port, 0 for any free one; None leaves /metrics to the app.
        prometheus_token: what a scrape has to bear ("Authorization: Bearer ..."), in app and port.
        workers: share numbers with the other workers of the service, in the directory that
            ``OTEL_META_MULTIPROCESS_DIR`` names; by default, if it names one.
        metric_interval: seconds between pushes of metrics.
        max_series: how many series a metric may have before the rest share one; 2,000 by default.
        log_level: debug, info, warning, error or critical.
        log_stream: where JSON lines go; None leaves the process' logging alone.
        cache_loggers: let loggers keep their set-up after first use, which is faster and final.
        shutdown_timeout: seconds that `Telemetry.shutdown` takes at most.
        set_global: make the providers those of the process, for other libraries to find.
        environ: environment variables; by default those of the process.
        clock: seconds that never go back, for SLOs.

    Raises:
        ConfigurationError: an argument cannot be used, the process has providers already, or an
            exporter cannot start; among them `MissingExtra` and `PortInUse`.
    """
    settings = read_settings(
        service_name=service_name,
        namespace=namespace or (repo.name if repo else None),
        resource_attributes=resource_attributes,
        traces=traces,
        metrics=metrics,
        logs=logs,
        otlp_endpoint=otlp_endpoint,
        prometheus_host=prometheus_host,
        prometheus_port=prometheus_port,
        prometheus_token=prometheus_token,
        workers=workers,
        metric_interval=metric_interval,
        max_series=max_series,
        log_level=log_level,
        shutdown_timeout=shutdown_timeout,
        environ=environ,
    )
    if set_global and not settings.disabled:
        _refuse_second()
    warnings = (*settings.warnings, *drop_invalid_variables())
    telemetry = Telemetry(settings, create_resource(settings), clock=clock)
    if log_stream is not None:
        stream = _stdout() if isinstance(log_stream, _Stdout) else log_stream
        telemetry.logs.install(stream, cache=cache_loggers)
    for warning in warnings:
        logger.warning("%s", warning)
    if set_global:
        _make_global(telemetry)
    telemetry.start()
    atexit.register(telemetry.shutdown)
    return telemetry


def _stdout() -> BinaryIO:
    """Standard output for bytes, even where somebody has put one for text alone in its place."""
    if sys.stdout is None:  # closed by the shell
        return Path(os.devnull).open("wb")
    stream: Any = getattr(sys.stdout, "buffer", None) or _TextOnly()
    return cast("BinaryIO", stream)


class _TextOnly:
    def write(self, line: bytes) -> None:
        sys.stdout.write(line.decode())

    def flush(self) -> None:
        sys.stdout.flush()


def _refuse_second() -> None:
    if not isinstance(trace_api.get_tracer_provider(), ProxyTracerProvider):
        raise ConfigurationError(
            "this process has a tracer provider already; call configure() once and first, "
            "without opentelemetry-instrument, or pass set_global=False"
        )


def _make_global(telemetry: Telemetry) -> None:
    set_propagators(telemetry.settings.propagators)
    prefer_stable_conventions()
    if telemetry.traces is not None and telemetry.metrics is not None:
        trace_api.set_tracer_provider(telemetry.traces.provider)
        metrics_api.set_meter_provider(telemetry.metrics.provider)
