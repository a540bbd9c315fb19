"""Settings of telemetry: options of `configure` first, then OTEL_* variables, then defaults.

One default differs from OpenTelemetry's: without an endpoint, nothing is sent to localhost:4318.
OTLP export starts if an endpoint or the exporter is named; until then metrics wait for a scrape,
and traces and logs have ids but do not leave the process. So a first run logs no export errors, and
a sidecar's injection of OTEL_EXPORTER_OTLP_ENDPOINT is enough to turn everything on.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Final, Unpack

from otel_meta.errors import ConfigurationError, DeclarationError
from otel_meta.model import MetaRepo
from otel_meta.model.slo.correction import Correction
from otel_meta.status.slo_links import LinkBases

from . import setting_variables as rows
from .configure_options import Options
from .environment.foreign_variables import warn_of_unsupported
from .environment.misspellings import warn_of_misspellings
from .environment.otlp_variables import TEMPORALITY
from .environment.repo_loading import UnknownRepoError, load_named_repo
from .environment.sdk_variables import (
    ATTRIBUTE_LENGTH_LIMIT,
    EXEMPLAR_FILTER,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    SECRET_HEADERS,
    read_sdk_variables,
)
from .environment.variable import Environment, Variable, clip
from .export.exporters import is_exporter, target_names
from .export.otlp_settings import OtlpSettings, read_otlp_settings
from .recording.label_values import MAX_LENGTH
from .recording.native.native_core import WARNINGS
from .signals import SIGNALS, Signal

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1."""

HISTORY_NAME: Final = "slo-history"
"""Name of the history of SLOs in the directory of the workers."""

_ENVIRONMENT: Final = "deployment.environment.name"
_OLD_ENVIRONMENT: Final = "deployment.environment"
"""The attribute's name before version 1.27 of the semantic conventions."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the telemetry of a process; times in seconds."""

    service_name: str
    namespace: str
    repo: type[MetaRepo] | None
    """The meta-repository that ``OTEL_META_REPO`` names; not the argument of `configure`."""
    resource_attributes: Mapping[str, str]
    identity_attributes: tuple[str, ...]
    """Resource attributes that are labels of every series, besides those of every identity."""
    disabled: bool
    exporters: Mapping[Signal, tuple[str, ...]]
    otlp: OtlpSettings
    prometheus_host: str
    prometheus_port: int | None
    """Port for /metrics and /slo; None if only the app serves them."""
    pages_in_app: bool
    """True if the app serves /metrics and /slo too, besides a port."""
    prometheus_token: str | None = field(repr=False)
    """Bearer token for /metrics and /slo; None allows every request."""
    slo_links: LinkBases
    """Bases of the links on /slo."""
    merge_prometheus_client: bool
    """True if /metrics shows the metrics of prometheus_client's default registry too."""
    prometheus_created: bool
    """True if OpenMetrics 1.0 has the start of each counter and histogram as a series."""
    redaction: bool
    """True if log lines and spans hide secrets."""
    redacted_names: tuple[str, ...]
    """Further names of secrets."""
    request_headers: tuple[str, ...]
    """Regular expressions of the names of request headers on server spans."""
    response_headers: tuple[str, ...]
    """The same for responses."""
    secret_headers: tuple[str, ...]
    """Regular expressions of further names of headers whose values are hidden."""
    workers_directory: Path | None
    """Directory for the series of all workers of the service; None without sharing."""
    slo_path: Path | None
    """File in which the histories of SLOs outlive the process; None for memory alone."""
    slo_required_coverage: float
    """Share of the period that has to be covered before an SLO counts as breached."""
    metric_interval: float
    scrape_interval: float
    """Seconds between two scrapes of the same server; 0 shows no zero before the first event."""
    job: bool
    """True for a process that ends early, whose runs and children have the same series."""
    exemplars: bool
    """True if series show exemplars of sampled spans."""
    max_series: int
    """Default of a metric's cardinality limit."""
    corrections: tuple[Correction, ...]
    """Times whose events count neither as good nor as bad."""
    max_label_length: int
    """Maximum number of characters in a label value."""
    sampler: str
    sampler_arg: str | None
    tail_sampling: bool
    """True if the spans of bad requests are exported whatever the sampler says."""
    tail_sampling_slow: float
    """Seconds above which a request is kept; 0 for the bounds of the SLOs alone."""
    propagators: tuple[str, ...]
    id_generator: str
    log_level: int
    log_format: str
    """auto, json, console or logfmt."""
    web_engine: str
    """Which engine starts the server spans."""
    shutdown_timeout: float
    export_on_sigterm: bool
    """True if SIGTERM exports before its default action."""
    warnings: tuple[str, ...]
    sdk_variables: Mapping[str, str] = field(repr=False)
    """All OTEL_ variables for OpenTelemetry's libraries, checked; see `checked_variables`."""

    def exports(self, signal: Signal, name: str) -> bool:
        """Return True if a signal goes to an exporter."""
        return not self.disabled and name in self.exporters[signal]


def read_settings(service_name: str | None = None, **options: Unpack[Options]) -> Settings:
    """Read the settings from options and environment variables.

    Args:
        service_name: as for `configure`.
        **options: as for `configure` and checked by `check_options`; only settings are read.

    Raises:
        ConfigurationError: an option or the token's variable is invalid, or a variable names a
            configuration file. All further invalid variables lead to a warning in
            ``Settings.warnings`` and to the default.
    """
    env = Environment(options.get("environ", os.environ))
    _refuse_configuration_file(env)
    repo = _repo(env)
    attributes = _attributes(env, options.get("resource_attributes"))
    otlp = read_otlp_settings(env, options.get("otlp_endpoint"))
    exporters = _all_exporters(env, options, otlp)
    sampler = env.read(rows.SAMPLER)
    settings = Settings(
        service_name=_service_name(env, service_name, attributes),
        namespace=_namespace(options.get("namespace"), repo, attributes),
        repo=repo,
        resource_attributes=attributes,
        identity_attributes=_names(env, rows.IDENTITY, options.get("identity_attributes")),
        disabled=env.read(rows.DISABLED),
        exporters=exporters,
        otlp=otlp,
        prometheus_host=options.get("prometheus_host") or env.read(rows.PROMETHEUS_ADDRESS),
        prometheus_port=(port := _port(env, options, exporters["metrics"])),
        pages_in_app=port is None or env.read(rows.METRICS_IN_APP) is not False,
        prometheus_token=_token(env, options.get("prometheus_token")),
        slo_links=LinkBases(
            runbooks=env.read(rows.RUNBOOKS_URL),
            dashboards=env.read(rows.DASHBOARDS_URL),
            traces=env.read(rows.TRACES_URL),
            logs=env.read(rows.LOGS_URL),
        ),
        merge_prometheus_client=_flag(
            env, rows.MERGE_PROMETHEUS_CLIENT, options.get("merge_prometheus_client")
        ),
        prometheus_created=_flag(env, rows.CREATED, options.get("prometheus_created")),
        redaction=_flag(env, rows.REDACTION, options.get("redaction")),
        redacted_names=_names(env, rows.REDACT_NAMES, options.get("redact_names")),
        request_headers=env.read(REQUEST_HEADERS),
        response_headers=env.read(RESPONSE_HEADERS),
        secret_headers=env.read(SECRET_HEADERS),
        workers_directory=(workers := _workers_directory(env, options.get("workers"))),
        slo_path=_slo_path(env, options.get("slo_path"), workers),
        slo_required_coverage=_number(env, rows.SLO_COVERAGE, options.get("slo_required_coverage")),
        metric_interval=options.get("metric_interval") or env.read(rows.INTERVAL) / 1000,
        scrape_interval=_number(env, rows.SCRAPE_INTERVAL, options.get("scrape_interval")),
        job=_flag(env, rows.JOB, options.get("job")),
        exemplars=_exemplars(env),
        max_series=options.get("max_series") or env.read(rows.SERIES),
        corrections=_corrections(env),
        max_label_length=env.read(ATTRIBUTE_LENGTH_LIMIT) or MAX_LENGTH,
        sampler=sampler,
        sampler_arg=_sampler_arg(env, sampler),
        tail_sampling=_flag(env, rows.TAIL_SAMPLING, options.get("tail_sampling")),
        tail_sampling_slow=_number(env, rows.TAIL_SAMPLING_SLOW, options.get("tail_sampling_slow")),
        propagators=env.read(rows.PROPAGATORS),
        id_generator=env.read(rows.ID_GENERATOR),
        log_level=_level(env, options.get("log_level")),
        log_format=(options.get("log_format") or env.read(rows.LOG_FORMAT)).lower(),
        web_engine=env.read(rows.ENGINE),
        shutdown_timeout=options.get("shutdown_timeout") or env.read(rows.SHUTDOWN),
        export_on_sigterm=_flag(env, rows.EXPORT_ON_SIGTERM, options.get("export_on_sigterm")),
        sdk_variables=_sdk_variables(env, otlp),
        warnings=(),
    )
    env.warnings.extend(WARNINGS)
    if settings.job and not settings.disabled:
        settings = _of_job(env, settings, is_option=options.get("job") is True)
    warn_of_unsupported(env)
    warn_of_misspellings(env, [row.name for row in rows.VARIABLES])
    return replace(settings, warnings=tuple(dict.fromkeys(env.warnings)))


def _refuse_configuration_file(env: Environment) -> None:
    for row in rows.REFUSED_VARIABLES:
        path = env.text(row.name)
        if path is not None:
            raise ConfigurationError(
                f"{row.name}={clip(path)!r}: configure() reads no configuration file; "
                "unset the variable and use the variables of docs/configuration.md"
            )


def _repo(env: Environment) -> type[MetaRepo] | None:
    spec = env.text(rows.REPO.name)
    if spec is None:
        return None
    try:
        return load_named_repo(spec)
    except UnknownRepoError as error:
        env.warnings.append(f"{rows.REPO.name}={clip(spec)!r} {clip(str(error))}; ignoring it")
        return None


def _corrections(env: Environment) -> tuple[Correction, ...]:
    path = env.read(rows.CORRECTIONS)
    if path is None:
        return ()
    from otel_meta.status.corrections_file import read_corrections  # noqa: PLC0415 - a TOML reader

    try:
        return read_corrections(Path(path))
    except DeclarationError as error:
        env.warnings.append(f"{rows.CORRECTIONS.name}: {clip(str(error))}; no event is excluded")
        return ()


def _attributes(env: Environment, given: Mapping[str, str] | None) -> dict[str, str]:
    attributes = env.read(rows.RESOURCE_ATTRIBUTES) | dict(given or {})
    if _OLD_ENVIRONMENT in attributes and _ENVIRONMENT not in attributes:
        env.warnings.append(
            f"the resource attribute {_OLD_ENVIRONMENT} is no label of series; name it "
            f"{_ENVIRONMENT}, which tells the environments of a service apart"
        )
    return attributes


def _of_job(env: Environment, settings: Settings, *, is_option: bool) -> Settings:
    """Return the settings of a job, whose runs can only be added as deltas.

    Raises:
        ConfigurationError: the option needs another way to the metrics.
    """
    problem = _problem_of_job(settings)
    if problem and is_option:
        raise ConfigurationError(f"job=True {problem}")
    if problem:
        env.warnings.append(f"{rows.JOB.name}=true {problem}; ignoring it")
        return replace(settings, job=False)
    if env.is_set(TEMPORALITY) and settings.otlp.temporality != "delta":
        env.warnings.append(
            f"{TEMPORALITY.name}={settings.otlp.temporality} has no effect on a job, whose runs "
            "are added; using delta"
        )
    if settings.exporters["metrics"] == ("prometheus",):
        env.warnings.append(
            "nobody can read the metrics of this job, which sends them to a Collector: set "
            "OTEL_EXPORTER_OTLP_ENDPOINT, such as http://localhost:4318 of the sidecar"
        )
        settings = replace(settings, exporters={**settings.exporters, "metrics": ()})
    return replace(settings, otlp=replace(settings.otlp, temporality="delta"))


def _problem_of_job(settings: Settings) -> str:
    """Return the reason why the runs of a job would not be added, or ""."""
    if settings.workers_directory is not None:
        return (
            f"and {rows.WORKERS.name} are two ways to add the runs of a job: set one of them; with "
            "the directory, a process that lives on has to serve the totals"
        )
    if settings.prometheus_port is not None or len(settings.exporters["metrics"]) > 1:
        return (
            "sends the metrics to a Collector alone, because nobody scrapes a job: leave out the "
            "port and the other exporters of metrics"
        )
    return ""


def _names(
    env: Environment, row: Variable[tuple[str, ...]], given: str | Collection[str] | None
) -> tuple[str, ...]:
    if given is None:
        return env.read(row)
    return (given,) if isinstance(given, str) else tuple(given)


def _namespace(
    given: str | None, repo: type[MetaRepo] | None, attributes: Mapping[str, str]
) -> str:
    return given or (repo.name if repo else attributes.get("service.namespace", ""))


def _sdk_variables(env: Environment, otlp: OtlpSettings) -> dict[str, str]:
    unchecked = {
        name: text for name, text in env.variables.items() if rows.is_left_to_libraries(name, text)
    }
    return {**unchecked, **read_sdk_variables(env), **otlp.variables}


def _service_name(env: Environment, given: str | None, attributes: Mapping[str, str]) -> str:
    name = given or env.read(rows.SERVICE_NAME) or attributes.get("service.name")
    if not name:
        env.warnings.append(
            "the service has no name, so its series cannot be distinguished from others; "
            "call configure('my-service') or set OTEL_SERVICE_NAME; using 'unknown_service'"
        )
    return name or "unknown_service"


def _all_exporters(
    env: Environment, options: Options, otlp: OtlpSettings
) -> Mapping[Signal, tuple[str, ...]]:
    named: Mapping[Signal, str | Collection[str] | None] = {
        "traces": options.get("traces"),
        "metrics": options.get("metrics"),
        "logs": options.get("logs"),
    }
    return {signal: _exporters(env, signal, named[signal], otlp) for signal in SIGNALS}


def _exporters(
    env: Environment, signal: Signal, given: str | Collection[str] | None, otlp: OtlpSettings
) -> tuple[str, ...]:
    if given is None:
        names = env.read(rows.EXPORTERS[signal], _default(signal, otlp))
    else:
        names = (given,) if isinstance(given, str) else tuple(given)
        for name in names:
            if not is_exporter(signal, name):
                raise ConfigurationError(
                    f"configure({signal}={name!r}): there is no such exporter; "
                    f"choose from {', '.join(target_names(signal))}"
                )
    return () if "none" in names else names


def _default(signal: Signal, otlp: OtlpSettings) -> tuple[str, ...]:
    if otlp.has_endpoint(signal):
        return ("otlp",)
    return ("prometheus",) if signal == "metrics" else ("none",)


def _port(env: Environment, options: Options, exporters: tuple[str, ...]) -> int | None:
    """Return the port for /metrics, which opens only if an option or a standard variable asks."""
    if "prometheus_port" in options:
        return options["prometheus_port"]
    if "prometheus" not in exporters or env.read(rows.METRICS_IN_APP):
        return None
    named = "prometheus" in env.read(rows.EXPORTERS["metrics"])
    return env.read(rows.PORT) if named or env.is_set(rows.PORT) else None


def _token(env: Environment, given: str | None) -> str | None:
    """Return the token; an invalid variable is an error: the default allows every scrape."""
    name = rows.TOKEN.name
    source, token = (name, env.text(name)) if given is None else ("prometheus_token", given)
    if token is not None and not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            f"{source} is not a token that a header can carry; use letters, digits and -._~+/="
        )
    return token


def _workers_directory(env: Environment, given: bool | None) -> Path | None:
    path = env.read(rows.WORKERS)
    if given and path is None:
        raise ConfigurationError(
            "workers=True needs a directory in which the workers share their series; "
            "set OTEL_META_MULTIPROCESS_DIR to a directory of this service alone, "
            "the same for all its workers, such as /dev/shm/my-service"
        )
    return None if path is None or given is False else Path(path)


def _slo_path(
    env: Environment, given: str | PathLike[str] | None, workers: Path | None
) -> Path | None:
    path = given or env.read(rows.SLO_PATH)
    if path is None:
        return None if workers is None else workers / HISTORY_NAME
    return Path(path)


def _number(env: Environment, row: Variable[float], given: float | None) -> float:
    return env.read(row) if given is None else given


def _sampler_arg(env: Environment, sampler: str) -> str | None:
    if sampler not in rows.SAMPLERS:
        return env.text(rows.SAMPLER_RATIO.name)
    return str(env.read(rows.SAMPLER_RATIO)) if sampler.endswith("ratio") else None


def _level(env: Environment, given: str | int | None) -> int:
    if isinstance(given, int):
        return given
    return logging.getLevelNamesMapping()[(given or env.read(rows.LOG_LEVEL)).upper()]


def _exemplars(env: Environment) -> bool:
    chosen = env.read(EXEMPLAR_FILTER)
    if chosen == "always_on":
        env.warnings.append(
            f"{EXEMPLAR_FILTER.name}=always_on: the catalog's metrics show exemplars of "
            "sampled spans only, as with trace_based"
        )
    return chosen != "always_off"


def _flag(env: Environment, row: Variable[bool], given: bool | None) -> bool:
    return env.read(row) if given is None else given
