"""Set up telemetry with one call: settings, resource, signals, global providers and logging."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import Final, Unpack

from otel_meta.model import MetaRepo

from .api.destination import DESTINATION
from .configure_options import Options
from .fork import ForkSafeLock
from .lifecycle.child_process import ChildExit
from .lifecycle.foreign_providers import NO_PROVIDERS, foreign_providers
from .lifecycle.global_providers import measure_globally, trace_globally
from .lifecycle.instance_id import claim_instance_id
from .lifecycle.interpreter_exit import call_at_exit, cancel_at_exit
from .lifecycle.startup_report import startup_report
from .lifecycle.termination import TerminationHandler
from .logs.line_writer import OpenStream, standard_output
from .open_telemetry import Call, caller, open_telemetry, remember
from .option_checks import check_arguments, check_options
from .recording.faults import logger
from .recording.native.native_core import NATIVE
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
        identity_attributes: further attributes that are labels of every series, such as
            ``cloud.region``; ``deployment.environment.name`` is one.
        traces: exporters of spans: otlp, console, none, or an installed exporter.
        metrics: exporters of metrics: prometheus, otlp, console, none, or an installed exporter.
        logs: exporters of logs besides JSON lines: otlp, none, or an installed exporter.
        otlp_endpoint: base URL of a Collector or Jaeger, such as "http://localhost:4318".
        prometheus_host: address for the port of /metrics.
        prometheus_port: port for /metrics, 0 for any free port; None leaves /metrics to the app.
        prometheus_token: bearer token for /metrics and /slo, of the app and of the port.
        merge_prometheus_client: show the metrics of prometheus_client's default registry on
            /metrics too (the default).
        prometheus_created: add the start of each counter and histogram to OpenMetrics 1.0, as a
            series with the suffix ``_created``; OpenMetrics 2.0 has it always.
        redaction: hide secrets in log lines and spans (the default), see ``docs/security.md``.
        redact_names: further names of fields and attributes whose values are hidden, such as
            ``iban``.
        workers: share series with all workers of the service, in the directory
            ``OTEL_META_MULTIPROCESS_DIR``; by default True if the variable is set.
        slo_path: file in which the SLOs of the service outlive a restart; by default
            ``OTEL_META_SLO_PATH``, or a file in the directory of the workers.
        slo_required_coverage: share of an SLO's period that has to be covered before an overspent
            budget is a breach, 0.25 by default.
        tail_sampling: export the spans of bad requests too that the sampler leaves out, see
            ``docs/requests.md``.
        tail_sampling_slow: seconds above which a request counts as bad for tail sampling, besides
            the bounds of the SLOs.
        metric_interval: seconds between pushes of metrics.
        scrape_interval: seconds between two scrapes of the same server, 15 by default: a new series
            is shown at zero that long, so that its first event counts; 0 shows no zero.
        job: True for a process that ends early, such as a cron job: a Collector adds the counts of
            all its runs, and its first events count, see ``docs/jobs.md``.
        max_series: cardinality limit of a metric, 2,000 by default; further series are merged.
        log_level: debug, info, warning, error or critical, or a level of `logging`.
        log_format: json, console (for people), logfmt, or auto (the default): console if the stream
            is a terminal, else json.
        log_stream: stream for log lines, by default stdout; None leaves logging unchanged.
        cache_loggers: cache each logger on first use (the default), which is faster and final.
        shutdown_timeout: maximum duration of `Telemetry.shutdown` in seconds.
        export_on_sigterm: export before SIGTERM ends the process (the default), if the process
            has no handler for the signal.
        set_global: register global providers for all libraries (the default).
        environ: environment variables, by default ``os.environ``.
        clock: monotonic clock in seconds, for SLOs.

    Raises:
        ConfigurationError: an argument is invalid, or an exporter cannot start (`MissingExtra`,
            `PortInUse` and further causes).
        TypeError: an option has an unknown name.
    """
    check_arguments(service_name, repo)
    checked = check_options(options)
    is_bare = service_name is None and repo is None and not checked
    if repo is not None:
        checked.setdefault("namespace", repo.name)
    call = Call(read_settings(service_name, **checked), checked, caller())
    repo = repo or call.settings.repo
    if not checked.get("set_global", True):
        return _start(call, repo)
    telemetry = _open(call, repo, is_bare=is_bare)
    telemetry.check_workers()
    return telemetry


def configure_injected(**options: Unpack[Options]) -> Telemetry:
    """Set up the telemetry of a process from the environment, before the process runs its own code.

    A call of `configure` with other arguments replaces this telemetry. The start is no line of the
    log, because any program may run under an injector, also one whose output is read by another.

    Args:
        **options: as for `configure`.

    Raises:
        ConfigurationError: as for `configure`.
    """
    call = Call(read_settings(None, **options), options, "the environment", is_injected=True)
    return _open(call, call.settings.repo, is_bare=True)


def _open(call: Call, repo: type[MetaRepo] | None, *, is_bare: bool) -> Telemetry:
    """Return the telemetry of the process, and start it if none is open."""
    with _configuring:
        telemetry = open_telemetry(call, is_bare=is_bare)
        if telemetry is None:
            telemetry = _start(call, repo)
            _set_global(telemetry)
            remember(telemetry, call)
    return telemetry


_configuring: Final = ForkSafeLock()
"""Held by the first of two threads that import a service."""


def _start(call: Call, repo: type[MetaRepo] | None) -> Telemetry:
    settings, options = call.settings, call.options
    is_global = options.get("set_global", True)
    with ExitStack() as undo:
        instance = claim_instance_id(settings)
        if instance is not None:
            undo.callback(instance.release)
        clock = options.get("clock", time.monotonic)
        with checked_variables(settings.sdk_variables):
            uses_globals = is_global and not settings.disabled
            foreign = foreign_providers() if uses_globals else NO_PROVIDERS
            settings = foreign.without_doubles(settings, options)
            resource = create_resource(settings, instance)
            telemetry = Telemetry(settings, resource, clock=clock, foreign=foreign)
        telemetry.on_shutdown.push(undo.pop_all())
    call_at_exit(telemetry.shutdown)
    telemetry.on_shutdown.callback(cancel_at_exit, telemetry.shutdown)
    telemetry.on_shutdown.callback(ChildExit(telemetry.export_at_end).cancel)
    open_stream = _open_stream(options)
    if open_stream is not None:
        telemetry.logs.install(open_stream, cache=options.get("cache_loggers", True))
    for warning in settings.warnings:
        logger.warning("%s", warning)
    if instance is not None and instance.is_changed:
        logger.info("%s", instance.notice)
    if repo is not None:
        telemetry.follow(repo)
    telemetry.start()
    if is_global or telemetry.port is not None:
        level = logging.DEBUG if call.is_injected else logging.INFO
        others = tuple(foreign.exported())
        report = startup_report(
            settings,
            telemetry.port,
            _lines(options),
            others=others,
            is_native=NATIVE is not None,
        )
        logger.log(level, "%s", report)
    if left := foreign.report(settings):
        logger.info("%s", left)
    return telemetry


def _open_stream(options: Options) -> OpenStream | None:
    """Return the function that opens the stream for lines; None if logging remains unchanged."""
    if "log_stream" not in options:
        return standard_output
    stream = options["log_stream"]
    return None if stream is None else lambda: stream


def _lines(options: Options) -> str | None:
    """Return the destination of log lines in words; None if logging remains unchanged."""
    if "log_stream" not in options:
        return "standard output"
    return None if options["log_stream"] is None else "log_stream"


def _set_global(telemetry: Telemetry) -> None:
    """Make telemetry the process's own: providers, propagators, and the end of the process."""
    settings, undo = telemetry.settings, telemetry.on_shutdown
    telemetry.expect_readers()
    if settings.export_on_sigterm and not settings.disabled:
        handler = TerminationHandler(telemetry.export_at_end, telemetry.hasten)
        handler.install()
        undo.callback(handler.uninstall)
    foreign = telemetry.foreign
    if foreign.tracer is None:
        set_propagators(settings.propagators)
    prefer_stable_conventions()
    with checked_variables(settings.sdk_variables):
        if telemetry.traces is not None and foreign.tracer is None:
            undo.callback(trace_globally(telemetry.traces.provider))
        if telemetry.metrics is not None and foreign.meter is None:
            undo.callback(measure_globally(telemetry.metrics.provider))
    DESTINATION.use(telemetry)
    undo.callback(DESTINATION.leave, telemetry)
