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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from math import inf
from pathlib import Path
from typing import Final, Unpack

from otel_meta.errors import ConfigurationError

from .environment import Environment
from .export.exporters import is_exporter, target_names
from .export.otlp_settings import OtlpSettings, is_endpoint_set, read_otlp_settings
from .options import Options
from .recording.cardinality import MAX_SERIES
from .recording.label_values import MAX_LENGTH
from .signals import SIGNALS, Signal

PROMETHEUS_HOST: Final = "localhost"
PROMETHEUS_PORT: Final = 9464
_MAX_PORT: Final = 65_535
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1."""
_POSITIVE: Final = re.compile(r"[1-9][0-9]{0,8}")
_SAMPLERS: Final = (
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
    "always_on",
    "always_off",
    "traceidratio",
)
"""The standard's names, the default first."""
_LEVELS: Final = ("debug", "info", "warn", "warning", "error", "critical")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the telemetry of a process; times in seconds."""

    service_name: str
    namespace: str
    resource_attributes: Mapping[str, str]
    disabled: bool
    exporters: Mapping[Signal, tuple[str, ...]]
    otlp: OtlpSettings
    prometheus_host: str
    prometheus_port: int | None
    """Port for /metrics alone; None if only the app serves /metrics."""
    prometheus_token: str | None = field(repr=False)
    """Bearer token for a scrape; None allows every scrape."""
    workers_directory: Path | None
    """Directory for the series of all workers of the service; None without sharing."""
    metric_interval: float
    exemplars: bool
    """True if series show exemplars of sampled spans."""
    max_series: int
    """Default of a metric's cardinality limit."""
    max_label_length: int
    """Maximum number of characters in a label value."""
    sampler: str
    sampler_arg: str | None
    propagators: tuple[str, ...]
    log_level: int
    shutdown_timeout: float
    export_on_sigterm: bool
    """True if SIGTERM exports before its default action."""
    warnings: tuple[str, ...]

    def exports(self, signal: Signal, name: str) -> bool:
        """Return True if a signal goes to an exporter."""
        return not self.disabled and name in self.exporters[signal]


def read_settings(service_name: str | None = None, **options: Unpack[Options]) -> Settings:
    """Read the settings from options and environment variables.

    Args:
        service_name: as for `configure`.
        **options: as for `configure`; only settings are read.

    Raises:
        ConfigurationError: an option or the token's variable is invalid. All further invalid
            variables lead to a warning in ``Settings.warnings`` and to the default.
    """
    env = Environment(options.get("environ", os.environ))
    attributes = {
        **env.pairs("OTEL_RESOURCE_ATTRIBUTES"),
        **(options.get("resource_attributes") or {}),
    }
    exporters = _all_exporters(env, options)
    level = _level(env, options.get("log_level"))
    sampler = _sampler(env)
    return Settings(
        service_name=_service_name(env, service_name, attributes),
        namespace=options.get("namespace") or attributes.get("service.namespace", ""),
        resource_attributes=attributes,
        disabled=env.flag("OTEL_SDK_DISABLED", default=False),
        exporters=exporters,
        otlp=read_otlp_settings(env, options.get("otlp_endpoint")),
        prometheus_host=options.get("prometheus_host")
        or env.text("OTEL_EXPORTER_PROMETHEUS_HOST")
        or PROMETHEUS_HOST,
        prometheus_port=_port(env, options, exporters["metrics"]),
        prometheus_token=_token(env, options.get("prometheus_token")),
        workers_directory=_workers_directory(env, options.get("workers")),
        metric_interval=_metric_interval(env, options.get("metric_interval")),
        exemplars=_exemplars(env),
        max_series=_max_series(env, options.get("max_series")),
        max_label_length=_max_label_length(env),
        sampler=sampler,
        sampler_arg=_sampler_arg(env, sampler),
        propagators=_propagators(env),
        log_level=level,
        shutdown_timeout=_shutdown_timeout(env, options.get("shutdown_timeout")),
        export_on_sigterm=_export_on_sigterm(env, options.get("export_on_sigterm")),
        warnings=tuple(dict.fromkeys(env.warnings)),
    )


def _service_name(env: Environment, given: str | None, attributes: Mapping[str, str]) -> str:
    name = given or env.text("OTEL_SERVICE_NAME") or attributes.get("service.name")
    if name is None:
        env.warnings.append(
            "the service has no name, so its series cannot be distinguished from others; "
            "call configure('my-service') or set OTEL_SERVICE_NAME; using 'unknown_service'"
        )
    return name or "unknown_service"


def _all_exporters(env: Environment, options: Options) -> Mapping[Signal, tuple[str, ...]]:
    named: Mapping[Signal, str | Iterable[str] | None] = {
        "traces": options.get("traces"),
        "metrics": options.get("metrics"),
        "logs": options.get("logs"),
    }
    has_endpoint = options.get("otlp_endpoint") is not None
    return {
        signal: _exporters(env, signal, named[signal], has_endpoint=has_endpoint)
        for signal in SIGNALS
    }


def _exporters(
    env: Environment, signal: Signal, given: str | Iterable[str] | None, *, has_endpoint: bool
) -> tuple[str, ...]:
    def is_known(name: str) -> bool:
        return is_exporter(signal, name)

    if given is None:
        default = _default(signal, otlp=has_endpoint or is_endpoint_set(env, signal))
        names = env.names(f"OTEL_{signal.upper()}_EXPORTER", is_known, default)
    else:
        names = (given,) if isinstance(given, str) else tuple(given)
        for name in names:
            if not is_known(name):
                raise ConfigurationError(
                    f"configure({signal}={name!r}): there is no such exporter; "
                    f"choose from {', '.join(target_names(signal))}"
                )
    return () if "none" in names else names


def _installed(group: str, name: str) -> bool:
    return bool(entry_points(group=group, name=name))


def _default(signal: Signal, *, otlp: bool) -> tuple[str, ...]:
    if otlp:
        return ("otlp",)
    return ("prometheus",) if signal == "metrics" else ("none",)


def _port(env: Environment, options: Options, exporters: tuple[str, ...]) -> int | None:
    """Return the port for /metrics, which opens only if an option or a standard variable asks."""
    if "prometheus_port" in options:
        given = options["prometheus_port"]
        if given is not None and not 0 <= given <= _MAX_PORT:
            raise ConfigurationError(f"prometheus_port={given} is not a port; use 0 to {_MAX_PORT}")
        return given
    if "prometheus" not in exporters or env.flag("OTEL_META_METRICS_IN_APP", default=False):
        return None
    named = "prometheus" in (env.text("OTEL_METRICS_EXPORTER") or "").lower()
    is_wanted = named or env.text("OTEL_EXPORTER_PROMETHEUS_PORT")
    port = env.number(
        "OTEL_EXPORTER_PROMETHEUS_PORT", default=PROMETHEUS_PORT, minimum=0, maximum=_MAX_PORT
    )
    return int(port) if is_wanted else None


def _token(env: Environment, given: str | None) -> str | None:
    """Return the token; an invalid variable is an error: the default allows every scrape."""
    name = "OTEL_META_PROMETHEUS_TOKEN"
    source, token = (name, env.text(name)) if given is None else ("prometheus_token", given)
    if token is not None and not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            f"{source} is not a token that a header can carry; use letters, digits and -._~+/="
        )
    return token


def _workers_directory(env: Environment, given: bool | None) -> Path | None:
    path = env.text("OTEL_META_MULTIPROCESS_DIR")
    if given and path is None:
        raise ConfigurationError(
            "workers=True needs a directory in which the workers share their series; "
            "set OTEL_META_MULTIPROCESS_DIR to a directory of this service alone, "
            "the same for all its workers, such as /dev/shm/my-service"
        )
    return None if path is None or given is False else Path(path)


def _propagators(env: Environment) -> tuple[str, ...]:
    return env.names(
        "OTEL_PROPAGATORS",
        lambda name: name == "none" or _installed("opentelemetry_propagator", name),
        ("tracecontext", "baggage"),
    )


def _sampler(env: Environment) -> str:
    def is_known(name: str) -> bool:
        return name in _SAMPLERS or _installed("opentelemetry_traces_sampler", name)

    (name, *_) = (*env.names("OTEL_TRACES_SAMPLER", is_known, ()), _SAMPLERS[0])
    return name


def _sampler_arg(env: Environment, sampler: str) -> str | None:
    if sampler in _SAMPLERS and not sampler.endswith("ratio"):
        return None
    if sampler not in _SAMPLERS:
        return env.text("OTEL_TRACES_SAMPLER_ARG")
    return str(env.number("OTEL_TRACES_SAMPLER_ARG", default=1.0, minimum=0, maximum=1))


def _level(env: Environment, given: str | None) -> int:
    if given is not None and given.lower() not in _LEVELS:
        raise ConfigurationError(f"log_level={given!r}: choose from {', '.join(_LEVELS)}")
    name = given or env.choice("OTEL_LOG_LEVEL", known=_LEVELS, default="info")
    return logging.getLevelNamesMapping()[name.upper()]


def _metric_interval(env: Environment, given: float | None) -> float:
    if given is not None:
        return _positive("metric_interval", given)
    name, day = "OTEL_METRIC_EXPORT_INTERVAL", 86_400_000
    return env.number(name, default=60_000, minimum=1, maximum=day) / 1000


def _exemplars(env: Environment) -> bool:
    """Return False for always_off; `drop_invalid_variables` warns of an invalid filter."""
    chosen = (env.text("OTEL_METRICS_EXEMPLAR_FILTER") or "").lower()
    if chosen == "always_on":
        env.warnings.append(
            "OTEL_METRICS_EXEMPLAR_FILTER=always_on: the catalog's metrics show exemplars of "
            "sampled spans only, as with trace_based"
        )
    return chosen != "always_off"


def _max_label_length(env: Environment) -> int:
    """Return the SDK's limit of attribute values; `drop_invalid_variables` warns if invalid."""
    text = env.text("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT") or ""
    return int(text) if _POSITIVE.fullmatch(text) else MAX_LENGTH


def _max_series(env: Environment, given: int | None) -> int:
    if given is not None and given < 1:
        raise ConfigurationError(f"max_series={given}: allow at least one series per metric")
    name, limit = "OTEL_META_MAX_SERIES", 10_000_000
    return given or int(env.number(name, default=MAX_SERIES, minimum=1, maximum=limit))


def _positive(option: str, seconds: float) -> float:
    if not 0 < seconds < inf:
        raise ConfigurationError(f"{option}={seconds}: give a number of seconds above 0")
    return seconds


def _shutdown_timeout(env: Environment, given: float | None) -> float:
    if given is not None:
        return _positive("shutdown_timeout", given)
    return env.number("OTEL_META_SHUTDOWN_TIMEOUT", default=5.0, minimum=0.1, maximum=600)


def _export_on_sigterm(env: Environment, given: bool | None) -> bool:
    return env.flag("OTEL_META_EXPORT_ON_SIGTERM", default=True) if given is None else given
