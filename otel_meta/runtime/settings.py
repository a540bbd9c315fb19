"""What telemetry is to do: arguments first, then standard OTEL_* variables, then defaults.

One default departs from OpenTelemetry's: nothing is sent to localhost:4318 unasked. OTLP is used
once an endpoint or the exporter is named; until then metrics wait to be scraped, and traces and
logs carry ids without leaving the process. A first run is quiet, and a sidecar's injection of
OTEL_EXPORTER_OTLP_ENDPOINT is enough to turn everything on.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from importlib.metadata import entry_points
from math import inf
from pathlib import Path
from typing import Final, Literal

from otel_meta.errors import ConfigurationError

from .environment import Environment
from .recording.cardinality import MAX_SERIES
from .recording.label_values import MAX_LENGTH

Signal = Literal["traces", "metrics", "logs"]
SIGNALS: Final[tuple[Signal, ...]] = ("traces", "metrics", "logs")

PROMETHEUS_HOST: Final = "localhost"
PROMETHEUS_PORT: Final = 9464
_MAX_PORT: Final = 65_535
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1."""
_PROTOCOLS: Final = ("http/protobuf", "grpc")
_OWN_EXPORTERS: Final[Mapping[Signal, frozenset[str]]] = {
    "traces": frozenset({"otlp", "console", "none"}),
    "metrics": frozenset({"otlp", "prometheus", "console", "none"}),
    "logs": frozenset({"otlp", "none"}),
}
_TEMPORALITIES: Final = ("cumulative", "delta", "lowmemory")
"""The standard's names, its default first."""
_POSITIVE: Final = re.compile(r"[1-9][0-9]{0,8}")
_SAMPLERS: Final = (
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
    "always_on",
    "always_off",
    "traceidratio",
)
"""The standard's names, its default first."""
_LEVELS: Final = ("debug", "info", "warn", "warning", "error", "critical")


class Unset(Enum):
    """An argument that was not given, where None means something."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that set-up reads; times in seconds."""

    service_name: str
    namespace: str
    resource_attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    disabled: bool = False
    exporters: Mapping[Signal, tuple[str, ...]]
    protocols: Mapping[Signal, str]
    otlp_endpoint: str | None = None
    """Base URL of all signals; None is the exporters' default."""
    otlp_own_endpoints: Mapping[Signal, str] = field(default_factory=dict[Signal, str])
    """Whole URLs of single signals, taken as they are."""
    otlp_timeouts: Mapping[Signal, float]
    prometheus_host: str = PROMETHEUS_HOST
    prometheus_port: int | None = None
    """Where /metrics has a port of its own; None where only the app serves it."""
    prometheus_token: str | None = field(default=None, repr=False)
    """What a scrape has to bear; None lets everybody in."""
    workers_directory: Path | None = None
    """Where the workers of the service share their numbers; None where each has its own."""
    metric_interval: float = 60.0
    temporality: str = "cumulative"
    """What is pushed over OTLP: cumulative, delta or lowmemory."""
    exemplars: bool = True
    """Whether series show measurements that were made in a sampled span."""
    max_series: int = MAX_SERIES
    """How many series a metric may have in a process, unless it says so itself."""
    max_label_length: int = MAX_LENGTH
    """Characters that a label value may have."""
    sampler: str = "parentbased_always_on"
    sampler_arg: str | None = None
    propagators: tuple[str, ...] = ("tracecontext", "baggage")
    log_level: int = logging.INFO
    shutdown_timeout: float = 5.0
    warnings: tuple[str, ...] = ()

    def exports(self, signal: Signal, name: str) -> bool:
        """Whether a signal goes to an exporter."""
        return not self.disabled and name in self.exporters[signal]


def read_settings(
    *,
    service_name: str | None = None,
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
    shutdown_timeout: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settle what telemetry is to do.

    Raises:
        ConfigurationError: an argument cannot be used, or the token of a variable. Other variables
            that cannot are warned of in ``Settings.warnings``, and their defaults taken.
    """
    env = Environment(os.environ if environ is None else environ)
    attributes = {**env.pairs("OTEL_RESOURCE_ATTRIBUTES"), **(resource_attributes or {})}
    given: dict[Signal, str | Iterable[str] | None] = {
        "traces": traces,
        "metrics": metrics,
        "logs": logs,
    }
    exporters: dict[Signal, tuple[str, ...]] = {
        signal: _exporters(env, signal, given[signal], reachable=otlp_endpoint is not None)
        for signal in SIGNALS
    }
    level = _level(env, log_level)
    sampler = _sampler(env)
    return Settings(
        service_name=_service_name(env, service_name, attributes),
        namespace=namespace or attributes.get("service.namespace", ""),
        resource_attributes=attributes,
        disabled=env.flag("OTEL_SDK_DISABLED", default=False),
        exporters=exporters,
        protocols={signal: _protocol(env, signal) for signal in SIGNALS},
        otlp_endpoint=otlp_endpoint or env.text("OTEL_EXPORTER_OTLP_ENDPOINT"),
        otlp_own_endpoints={} if otlp_endpoint else _own_endpoints(env),
        otlp_timeouts={signal: _timeout(env, signal) for signal in SIGNALS},
        prometheus_host=prometheus_host
        or env.text("OTEL_EXPORTER_PROMETHEUS_HOST")
        or PROMETHEUS_HOST,
        prometheus_port=_port(env, prometheus_port, exporters["metrics"]),
        prometheus_token=_token(env, prometheus_token),
        workers_directory=_workers_directory(env, workers),
        metric_interval=_metric_interval(env, metric_interval),
        temporality=env.choice(
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            known=_TEMPORALITIES,
            default=_TEMPORALITIES[0],
        ),
        exemplars=_exemplars(env),
        max_series=_max_series(env, max_series),
        max_label_length=_max_label_length(env),
        sampler=sampler,
        sampler_arg=_sampler_arg(env, sampler),
        propagators=_propagators(env),
        log_level=level,
        shutdown_timeout=_shutdown_timeout(env, shutdown_timeout),
        warnings=tuple(dict.fromkeys(env.warnings)),
    )


def _service_name(env: Environment, given: str | None, attributes: Mapping[str, str]) -> str:
    name = given or env.text("OTEL_SERVICE_NAME") or attributes.get("service.name")
    if name is None:
        env.warnings.append(
            "the service has no name, so its series cannot be told apart; "
            "call configure('my-service') or set OTEL_SERVICE_NAME; using 'unknown_service'"
        )
    return name or "unknown_service"


def _exporters(
    env: Environment, signal: Signal, given: str | Iterable[str] | None, *, reachable: bool
) -> tuple[str, ...]:
    names = _OWN_EXPORTERS[signal]

    def known(name: str) -> bool:
        return name in names or _installed(f"opentelemetry_{signal}_exporter", name)

    if given is None:
        default = _default(signal, otlp=reachable or _endpoint_is_named(env, signal))
        chosen = env.names(f"OTEL_{signal.upper()}_EXPORTER", known, default)
    else:
        chosen = (given,) if isinstance(given, str) else tuple(given)
        for name in chosen:
            if not known(name):
                raise ConfigurationError(
                    f"configure({signal}={name!r}): there is no such exporter; "
                    f"choose from {', '.join(sorted(names))}"
                )
    return () if "none" in chosen else chosen


def _installed(group: str, name: str) -> bool:
    return bool(entry_points(group=group, name=name))


def _default(signal: Signal, *, otlp: bool) -> tuple[str, ...]:
    if otlp:
        return ("otlp",)
    return ("prometheus",) if signal == "metrics" else ("none",)


def _endpoint_is_named(env: Environment, signal: Signal) -> bool:
    own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
    return env.text(own, "OTEL_EXPORTER_OTLP_ENDPOINT") is not None


def _own_endpoints(env: Environment) -> dict[Signal, str]:
    urls: dict[Signal, str] = {}
    for signal in SIGNALS:
        url = env.text(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
        if url is not None:
            urls[signal] = url
    return urls


def _protocol(env: Environment, signal: Signal) -> str:
    return env.choice(
        f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        known=_PROTOCOLS,
        default=_PROTOCOLS[0],
    )


def _timeout(env: Environment, signal: Signal) -> float:
    return env.number(
        f"OTEL_EXPORTER_OTLP_{signal.upper()}_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        default=10.0,
        least=0.001,
        most=3600,
    )


def _port(env: Environment, given: int | Unset | None, exporters: tuple[str, ...]) -> int | None:
    """A port of its own opens when it is asked for: by argument, or by a standard variable."""
    if not isinstance(given, Unset):
        if given is not None and not 0 <= given <= _MAX_PORT:
            raise ConfigurationError(f"prometheus_port={given} is not a port; use 0 to {_MAX_PORT}")
        return given
    if "prometheus" not in exporters or env.flag("OTEL_META_METRICS_IN_APP", default=False):
        return None
    named = "prometheus" in (env.text("OTEL_METRICS_EXPORTER") or "").lower()
    asked = named or env.text("OTEL_EXPORTER_PROMETHEUS_PORT")
    port = env.number(
        "OTEL_EXPORTER_PROMETHEUS_PORT", default=PROMETHEUS_PORT, least=0, most=_MAX_PORT
    )
    return int(port) if asked else None


def _token(env: Environment, given: str | None) -> str | None:
    """Unlike other variables, this one has no default to fall back to: that would open a door."""
    name = "OTEL_META_PROMETHEUS_TOKEN"
    where, token = (name, env.text(name)) if given is None else ("prometheus_token", given)
    if token is not None and not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            f"{where} is not a token that a header can carry; use letters, digits and -._~+/="
        )
    return token


def _workers_directory(env: Environment, given: bool | None) -> Path | None:
    path = env.text("OTEL_META_MULTIPROCESS_DIR")
    if given and path is None:
        raise ConfigurationError(
            "workers=True, and nothing says where they share their numbers; "
            "set OTEL_META_MULTIPROCESS_DIR to a directory of this service's own, "
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
    def known(name: str) -> bool:
        return name in _SAMPLERS or _installed("opentelemetry_traces_sampler", name)

    (name, *_) = (*env.names("OTEL_TRACES_SAMPLER", known, ()), _SAMPLERS[0])
    return name


def _sampler_arg(env: Environment, sampler: str) -> str | None:
    if sampler in _SAMPLERS and not sampler.endswith("ratio"):
        return None
    if sampler not in _SAMPLERS:
        return env.text("OTEL_TRACES_SAMPLER_ARG")
    return str(env.number("OTEL_TRACES_SAMPLER_ARG", default=1.0, least=0, most=1))


def _level(env: Environment, given: str | None) -> int:
    if given is not None and given.lower() not in _LEVELS:
        raise ConfigurationError(f"log_level={given!r}: choose from {', '.join(_LEVELS)}")
    name = given or env.choice("OTEL_LOG_LEVEL", known=_LEVELS, default="info")
    return logging.getLevelNamesMapping()[name.upper()]


def _metric_interval(env: Environment, given: float | None) -> float:
    if given is not None:
        return _positive("metric_interval", given)
    name, day = "OTEL_METRIC_EXPORT_INTERVAL", 86_400_000
    return env.number(name, default=60_000, least=1, most=day) / 1000


def _exemplars(env: Environment) -> bool:
    """One that is invalid is warned of where the SDK is kept from reading it."""
    chosen = (env.text("OTEL_METRICS_EXEMPLAR_FILTER") or "").lower()
    if chosen == "always_on":
        env.warnings.append(
            "OTEL_METRICS_EXEMPLAR_FILTER=always_on: the catalogue's metrics show exemplars of "
            "sampled spans alone, as with trace_based"
        )
    return chosen != "always_off"


def _max_label_length(env: Environment) -> int:
    """Likewise."""
    text = env.text("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT") or ""
    return int(text) if _POSITIVE.fullmatch(text) else MAX_LENGTH


def _max_series(env: Environment, given: int | None) -> int:
    if given is not None and given < 1:
        raise ConfigurationError(f"max_series={given}: allow at least one series a metric")
    name, most = "OTEL_META_MAX_SERIES", 10_000_000
    return given or int(env.number(name, default=MAX_SERIES, least=1, most=most))


def _positive(argument: str, seconds: float) -> float:
    if not 0 < seconds < inf:
        raise ConfigurationError(f"{argument}={seconds}: give a number of seconds above 0")
    return seconds


def _shutdown_timeout(env: Environment, given: float | None) -> float:
    if given is not None:
        return _positive("shutdown_timeout", given)
    return env.number("OTEL_META_SHUTDOWN_TIMEOUT", default=5.0, least=0.1, most=600)
