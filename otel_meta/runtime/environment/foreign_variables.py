"""Variables that `configure` leaves to other readers, and variables without any effect."""

from __future__ import annotations

from typing import Any, Final

from .value_kinds import is_installed
from .variable import Environment, Variable, unread

_CONTRIB: Final = "read by the instrumentation library"
_INJECTOR: Final = "read by `opentelemetry-instrument`"

FOREIGN_VARIABLES: Final[tuple[Variable[Any], ...]] = (
    unread(
        "OTEL_SEMCONV_STABILITY_OPT_IN",
        f"{_CONTRIB}; `http` and `database` are added",
        "stable conventions",
    ),
    unread("OTEL_PYTHON_HTTPX_EXCLUDED_URLS", _CONTRIB),
    unread("OTEL_PYTHON_INSTRUMENTATION_HTTP_CAPTURE_ALL_METHODS", _CONTRIB),
    unread("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", _CONTRIB),
    unread("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST", _CONTRIB),
    unread("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE", _CONTRIB),
    unread("OTEL_PYTHON_CONFIGURATOR", _INJECTOR),
    unread("OTEL_PYTHON_DISTRO", _INJECTOR),
    unread("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", _INJECTOR),
    unread("OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED", _INJECTOR),
    unread("OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH", _INJECTOR),
    unread("OTEL_META_TOOLS", "read by `otel-meta demo` and the test kit"),
)
"""The values are not checked."""

_SETS_PROVIDERS: Final = "no effect: configure() sets the provider"
_NO_CONFIGURATOR: Final = (
    "no effect: configure() takes no configurator; use a sampler or a log level"
)
_NO_ZIPKIN: Final = "no effect: export over OTLP, and let a Collector send spans to Zipkin"
_NO_JAEGER: Final = "no effect: Jaeger accepts OTLP; set OTEL_EXPORTER_OTLP_ENDPOINT"
_RENAMED: Final = "no effect: the name has TRACES or METRICS, no longer SPAN or METRIC"

UNSUPPORTED_VARIABLES: Final[tuple[Variable[Any], ...]] = (
    unread("OTEL_PYTHON_TRACER_PROVIDER", _SETS_PROVIDERS),
    unread("OTEL_PYTHON_METER_PROVIDER", _SETS_PROVIDERS),
    unread("OTEL_PYTHON_LOGGER_PROVIDER", _SETS_PROVIDERS),
    unread("OTEL_PYTHON_TRACER_CONFIGURATOR", _NO_CONFIGURATOR),
    unread("OTEL_PYTHON_METER_CONFIGURATOR", _NO_CONFIGURATOR),
    unread("OTEL_PYTHON_LOGGER_CONFIGURATOR", _NO_CONFIGURATOR),
    unread("OTEL_ENTITIES", "no effect: the SDK has no entities; set OTEL_RESOURCE_ATTRIBUTES"),
    unread("OTEL_EXPORTER_OTLP_SPAN_INSECURE", _RENAMED),
    unread("OTEL_EXPORTER_OTLP_METRIC_INSECURE", _RENAMED),
    unread("OTEL_EXPORTER_ZIPKIN_ENDPOINT", _NO_ZIPKIN),
    unread("OTEL_EXPORTER_ZIPKIN_TIMEOUT", _NO_ZIPKIN),
    unread("OTEL_EXPORTER_ZIPKIN_PROTOCOL", _NO_ZIPKIN),
    unread("OTEL_EXPORTER_JAEGER_PROTOCOL", _NO_JAEGER),
    unread("OTEL_EXPORTER_JAEGER_ENDPOINT", _NO_JAEGER),
    unread("OTEL_EXPORTER_JAEGER_AGENT_HOST", _NO_JAEGER),
    unread("OTEL_EXPORTER_JAEGER_AGENT_PORT", _NO_JAEGER),
    unread("OTEL_EXPORTER_JAEGER_TIMEOUT", _NO_JAEGER),
    unread("OTEL_EXPORTER_JAEGER_USER", _NO_JAEGER),
    unread("OTEL_EXPORTER_JAEGER_PASSWORD", _NO_JAEGER),
)
"""A variable that is set has no effect, and a warning says why."""


def unsupported_names() -> frozenset[str]:
    """Return the names without effect, which no installed exporter reads."""
    read = tuple(
        f"OTEL_EXPORTER_{name.upper()}_"
        for name in ("zipkin", "jaeger")
        if is_installed("opentelemetry_traces_exporter", name)
    )
    return frozenset(row.name for row in UNSUPPORTED_VARIABLES if not row.name.startswith(read))


def warn_of_unsupported(env: Environment) -> None:
    """Add a warning for each variable that is set without effect."""
    given = [row for row in UNSUPPORTED_VARIABLES if env.is_set(row)]
    unsupported = unsupported_names() if given else ()
    env.warnings.extend(f"{row.name} has {row.effect}" for row in given if row.name in unsupported)
