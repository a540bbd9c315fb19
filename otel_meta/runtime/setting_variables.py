"""The table of environment variables: rows of `Settings`, and all rows together.

A new variable is a row here or in a table of `environment`. The documents, the tests and the
search for misspelled names read `VARIABLES`.
"""

from __future__ import annotations

import os
import re
from typing import Any, Final

from otel_meta.model.slo.objective import LEAST_COVERAGE
from otel_meta.status.slo_links import TEMPLATE_EXAMPLE, is_address, is_template

from .environment.foreign_variables import FOREIGN_VARIABLES, UNSUPPORTED_VARIABLES
from .environment.otlp_variables import OTLP_VARIABLES
from .environment.sdk_variables import SDK_VARIABLES
from .environment.value_kinds import (
    DAY,
    DURATION,
    FLAG,
    HOST,
    PAIRS,
    TEXT,
    Kind,
    choice,
    installed,
    installed_name,
    names,
    number,
    whole_number,
)
from .environment.variable import Variable, unread
from .export.exporters import is_exporter, target_names
from .recording.cardinality import MAX_SERIES
from .recording.native.native_core import NATIVE_CORE
from .signals import SIGNALS, Signal

PROMETHEUS_HOST: Final = "localhost"
PROMETHEUS_PORT: Final = 9464
MAX_PORT: Final = 65_535
SAMPLERS: Final = (
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
    "always_on",
    "always_off",
    "traceidratio",
)
"""The standard's names, the default first."""
LOG_LEVELS: Final = ("debug", "info", "warn", "warning", "error", "critical")
LOG_FORMATS: Final = ("auto", "json", "console", "logfmt")
"""The default first."""
ENGINES: Final = ("meta", "contrib", "native")
"""The default first."""
_ATTRIBUTE: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
_FIELD: Final = re.compile(r"\w+(?:[.-]\w+)*")
_TOKEN: Final = Kind("a token for a header", TEXT.parse, is_secret=True)
_BASE: Final[Kind[str]] = Kind(
    "an address, such as https://host/path",
    lambda text, _reject: text if is_address(text) else None,
)
_TEMPLATE: Final[Kind[str]] = Kind(
    f"an address with known placeholders, such as {TEMPLATE_EXAMPLE}",
    lambda text, _reject: text if is_template(text) else None,
)


def _is_attribute(name: str) -> bool:
    return _ATTRIBUTE.fullmatch(name) is not None


def _is_field(name: str) -> bool:
    return _FIELD.fullmatch(name) is not None


def _exporter(signal: Signal, default: str) -> Variable[tuple[str, ...]]:
    kind = names(
        lambda name: is_exporter(signal, name),
        "a name that is installed",
        lambda: target_names(signal),
    )
    effect = f"option `{signal}`"
    return Variable(f"OTEL_{signal.upper()}_EXPORTER", kind, (), effect, default)


SERVICE_NAME: Final = Variable[str | None](
    "OTEL_SERVICE_NAME", TEXT, None, "argument `service_name`", "`unknown_service`, with a warning"
)
RESOURCE_ATTRIBUTES: Final = Variable[dict[str, str]](
    "OTEL_RESOURCE_ATTRIBUTES", PAIRS, {}, "option `resource_attributes`", "none"
)
IDENTITY: Final = Variable[tuple[str, ...]](
    "OTEL_META_IDENTITY_ATTRIBUTES",
    names(_is_attribute, "an attribute of the resource, such as cloud.region"),
    (),
    "option `identity_attributes`",
    "none",
)
REPO: Final = unread(
    "OTEL_META_REPO", "argument `repo`: MODULE:CLASS, or a name such as aurora; read if missing"
)
DISABLED: Final = Variable("OTEL_SDK_DISABLED", FLAG, False, "no telemetry")
EXPORTERS: Final = {
    "traces": _exporter("traces", "otlp if an endpoint is set, else none"),
    "metrics": _exporter("metrics", "otlp if an endpoint is set, else prometheus"),
    "logs": _exporter("logs", "otlp if an endpoint is set, else none"),
}
PROMETHEUS_ADDRESS: Final = Variable(
    "OTEL_EXPORTER_PROMETHEUS_HOST", HOST, PROMETHEUS_HOST, "option `prometheus_host`"
)
PORT: Final = Variable(
    "OTEL_EXPORTER_PROMETHEUS_PORT",
    whole_number(0, MAX_PORT),
    PROMETHEUS_PORT,
    "option `prometheus_port`",
    "9464 if OTEL_METRICS_EXPORTER contains prometheus, else no port",
)
METRICS_IN_APP: Final = Variable[bool | None](
    "OTEL_META_METRICS_IN_APP",
    FLAG,
    None,
    "true for no port, whatever other variables say; false for `/metrics` and `/slo` on the port "
    "alone",
    "both, if there is a port",
)
TOKEN: Final = Variable[str | None](
    "OTEL_META_PROMETHEUS_TOKEN",
    _TOKEN,
    None,
    "option `prometheus_token`; an invalid token is an error",
    "every scrape is answered",
)
RUNBOOKS_URL: Final = Variable(
    "OTEL_META_RUNBOOKS_URL", _BASE, "", "base of the links to runbooks on `/slo`", "no links"
)
DASHBOARDS_URL: Final = Variable(
    "OTEL_META_DASHBOARDS_URL",
    _BASE,
    "",
    "base of the links to dashboards on `/slo`: the address before the uid",
    "no links",
)
TRACES_URL: Final = Variable(
    "OTEL_META_TRACES_URL",
    _TEMPLATE,
    "",
    "link to the traces of bad events on `/slo`, see slo-page.md",
    "no links",
)
LOGS_URL: Final = Variable(
    "OTEL_META_LOGS_URL", _TEMPLATE, "", "link to the log lines of bad events on `/slo`", "no links"
)
MERGE_PROMETHEUS_CLIENT: Final = Variable(
    "OTEL_META_MERGE_PROMETHEUS_CLIENT", FLAG, True, "option `merge_prometheus_client`"
)
CREATED: Final = Variable(
    "OTEL_META_PROMETHEUS_CREATED", FLAG, False, "option `prometheus_created`"
)
REDACTION: Final = Variable("OTEL_META_REDACTION", FLAG, True, "option `redaction`")
REDACT_NAMES: Final = Variable[tuple[str, ...]](
    "OTEL_META_REDACT_NAMES",
    names(_is_field, "the name of a field or attribute, such as iban"),
    (),
    "option `redact_names`",
    "none",
)
WORKERS: Final = Variable[str | None](
    "OTEL_META_MULTIPROCESS_DIR", TEXT, None, "option `workers`, see workers.md", "no sharing"
)
SLO_PATH: Final = Variable[str | None](
    "OTEL_META_SLO_PATH",
    TEXT,
    None,
    "option `slo_path`",
    "`slo-history` in OTEL_META_MULTIPROCESS_DIR; without that directory, memory alone",
)
SLO_COVERAGE: Final = Variable(
    "OTEL_META_SLO_REQUIRED_COVERAGE",
    number(0, 1),
    LEAST_COVERAGE,
    "option `slo_required_coverage`",
)
INTERVAL: Final = Variable(
    "OTEL_METRIC_EXPORT_INTERVAL", DURATION, 60_000, "option `metric_interval`"
)
SCRAPE_INTERVAL: Final = Variable(
    "OTEL_META_SCRAPE_INTERVAL",
    number(0, DAY / 1000),
    15.0,
    "option `scrape_interval`, in seconds; 0 shows no zero before the first event",
)
JOB: Final = Variable("OTEL_META_JOB", FLAG, False, "option `job`, see jobs.md")
SERIES: Final = Variable(
    "OTEL_META_MAX_SERIES", whole_number(1, 10_000_000), MAX_SERIES, "option `max_series`"
)
CORRECTIONS: Final = Variable[str | None](
    "OTEL_META_SLO_CORRECTIONS", TEXT, None, "file of corrections, see corrections.md", "none"
)
SAMPLER: Final = Variable(
    "OTEL_TRACES_SAMPLER",
    installed_name("opentelemetry_traces_sampler", *SAMPLERS),
    SAMPLERS[0],
    "sampler of traces",
)
SAMPLER_RATIO: Final = Variable(
    "OTEL_TRACES_SAMPLER_ARG", number(0, 1), 1.0, "ratio of a sampler with ratio in its name"
)
TAIL_SAMPLING: Final = Variable(
    "OTEL_META_TAIL_SAMPLING", FLAG, False, "option `tail_sampling`, see requests.md"
)
TAIL_SAMPLING_SLOW: Final = Variable(
    "OTEL_META_TAIL_SAMPLING_SLOW",
    number(0, 86_400),
    0.0,
    "option `tail_sampling_slow`, in seconds",
    "0: the bounds of the SLOs alone",
)
PROPAGATORS: Final = Variable[tuple[str, ...]](
    "OTEL_PROPAGATORS",
    installed("opentelemetry_propagator", "none"),
    ("tracecontext", "baggage"),
    "headers that carry a trace",
)
ID_GENERATOR: Final = Variable(
    "OTEL_PYTHON_ID_GENERATOR",
    installed_name("opentelemetry_id_generator", "random"),
    "random",
    "generator of trace and span ids",
)
LOG_LEVEL: Final = Variable("OTEL_LOG_LEVEL", choice(*LOG_LEVELS), "info", "option `log_level`")
LOG_FORMAT: Final = Variable(
    "OTEL_META_LOG_FORMAT", choice(*LOG_FORMATS), LOG_FORMATS[0], "option `log_format`"
)
ENGINE: Final = Variable(
    "OTEL_META_ENGINE",
    choice(*ENGINES),
    ENGINES[0],
    "argument `engine` of `instrument_fastapi`, see integration.md",
)
SHUTDOWN: Final = Variable(
    "OTEL_META_SHUTDOWN_TIMEOUT", number(0.1, 600), 5.0, "option `shutdown_timeout`, in seconds"
)
EXPORT_ON_SIGTERM: Final = Variable(
    "OTEL_META_EXPORT_ON_SIGTERM", FLAG, True, "option `export_on_sigterm`, see jobs.md"
)

_REFUSED: Final = "an error: configure() reads no configuration file"
REFUSED_VARIABLES: Final = (
    unread("OTEL_CONFIG_FILE", _REFUSED),
    unread("OTEL_EXPERIMENTAL_CONFIG_FILE", _REFUSED),
)

SETTING_VARIABLES: Final[tuple[Variable[Any], ...]] = (
    SERVICE_NAME,
    RESOURCE_ATTRIBUTES,
    IDENTITY,
    REPO,
    DISABLED,
    *(EXPORTERS[signal] for signal in SIGNALS),
    PROMETHEUS_ADDRESS,
    PORT,
    METRICS_IN_APP,
    TOKEN,
    RUNBOOKS_URL,
    DASHBOARDS_URL,
    TRACES_URL,
    LOGS_URL,
    MERGE_PROMETHEUS_CLIENT,
    CREATED,
    REDACTION,
    REDACT_NAMES,
    WORKERS,
    SLO_PATH,
    SLO_COVERAGE,
    INTERVAL,
    SCRAPE_INTERVAL,
    JOB,
    SERIES,
    CORRECTIONS,
    ENGINE,
    SAMPLER,
    SAMPLER_RATIO,
    TAIL_SAMPLING,
    TAIL_SAMPLING_SLOW,
    PROPAGATORS,
    ID_GENERATOR,
    LOG_LEVEL,
    LOG_FORMAT,
    SHUTDOWN,
    EXPORT_ON_SIGTERM,
)

VARIABLES: Final[tuple[Variable[Any], ...]] = (
    *SETTING_VARIABLES,
    *REFUSED_VARIABLES,
    NATIVE_CORE,
    *OTLP_VARIABLES,
    *SDK_VARIABLES,
    *FOREIGN_VARIABLES,
    *UNSUPPORTED_VARIABLES,
)
"""All variables, each once."""

_NAME: Final = re.compile(r"OTEL_[A-Za-z0-9_]+")
_HIDDEN: Final = frozenset(
    row.name for row in (*SETTING_VARIABLES, *REFUSED_VARIABLES, *OTLP_VARIABLES, *SDK_VARIABLES)
) | {row.name for row in UNSUPPORTED_VARIABLES if row.name.startswith("OTEL_PYTHON_")}
"""Variables whose effect is that of a checked copy, or none."""


def is_left_to_libraries(name: str, text: str) -> bool:
    """Return True if libraries of OpenTelemetry get a variable as it is."""
    return bool(_NAME.fullmatch(name)) and name not in _HIDDEN and _can_be_set(text)


def _can_be_set(text: str) -> bool:
    """Return False for texts that no system can hold: they are from the option ``environ``."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
