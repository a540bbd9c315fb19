"""Variables that the SDK reads while telemetry is set up, checked and corrected before.

Some invalid values would raise an exception in the SDK, others would log a traceback. The SDK
refuses a batch above the size of the queue, also if only the queue was set.
"""

from __future__ import annotations

from typing import Any, Final

from .value_kinds import (
    DURATION,
    FLAG,
    MAX_COUNT,
    PATTERNS,
    TIMEOUT,
    as_text,
    choice,
    installed,
    installed_name,
    names,
    whole_number,
)
from .variable import Environment, Variable

_COUNT: Final = whole_number(0, MAX_COUNT)
_POSITIVE: Final = whole_number(1, MAX_COUNT)
_STATUS_CODES: Final = frozenset(
    {
        "ok",
        "cancelled",
        "unknown",
        "invalid_argument",
        "deadline_exceeded",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
        "unauthenticated",
    }
)
"""Of gRPC."""

EXEMPLAR_FILTER: Final = Variable(
    "OTEL_METRICS_EXEMPLAR_FILTER",
    choice("trace_based", "always_on", "always_off"),
    "trace_based",
    "exemplars; our metrics treat always_on as trace_based",
)


def _limit(name: str, effect: str, default: int | None = 128) -> Variable[int | None]:
    return Variable(f"OTEL_{name}_LIMIT", _COUNT, default, effect, "" if default else "no limit")


def _general(name: str, effect: str) -> Variable[None]:
    return Variable(f"OTEL_{name}", _COUNT, None, effect, "as the general limit")


MAX_ATTRIBUTE_LENGTH: Final = 16_384
"""Characters of an attribute of a span: the SDK has no limit. A traceback fits."""
ATTRIBUTE_LENGTH_LIMIT: Final = Variable[int | None](
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    _COUNT,
    None,
    "maximum length of attribute values and of label values",
    f"{MAX_ATTRIBUTE_LENGTH:,} on spans; 1,024 for labels",
)


def _headers(name: str, effect: str) -> Variable[tuple[str, ...]]:
    variable = f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_{name}"
    return Variable(variable, PATTERNS, (), effect, "none")


REQUEST_HEADERS: Final = _headers("SERVER_REQUEST", "request headers on server spans")
RESPONSE_HEADERS: Final = _headers("SERVER_RESPONSE", "response headers on server spans")
SECRET_HEADERS: Final = _headers(
    "SANITIZE_FIELDS", "further headers whose values are hidden, see security.md"
)
_LIMITS: Final = (
    ATTRIBUTE_LENGTH_LIMIT,
    _limit("ATTRIBUTE_COUNT", "number of attributes"),
    _general("SPAN_ATTRIBUTE_COUNT_LIMIT", "number of attributes of a span"),
    _general("SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "length of an attribute value of a span"),
    _general("EVENT_ATTRIBUTE_COUNT_LIMIT", "number of attributes of an event of a span"),
    _general("LINK_ATTRIBUTE_COUNT_LIMIT", "number of attributes of a link of a span"),
    _general("LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "number of attributes of a log record"),
    _general("LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "length of an attribute value of a record"),
    _limit("SPAN_EVENT_COUNT", "number of events of a span"),
    _limit("SPAN_LINK_COUNT", "number of links of a span"),
)


class BatchVariables:
    """Variables of the queue and the batches of a signal.

    Args:
        prefix: BSP for spans, BLRP for log records.
        items: the name of the items.
        delay: default of the delay in milliseconds.
    """

    def __init__(self, prefix: str, items: str, delay: int) -> None:
        def row(name: str, kind: Any, default: int, effect: str) -> Variable[int]:
            return Variable(f"OTEL_{prefix}_{name}", kind, default, effect)

        self.delay: Final = row("SCHEDULE_DELAY", DURATION, delay, f"wait for a batch of {items}")
        self.timeout: Final = row(
            "EXPORT_TIMEOUT", TIMEOUT, 30_000, f"upper bound of the OTLP timeout of {items}"
        )
        self.queue: Final = row(
            "MAX_QUEUE_SIZE", _POSITIVE, 2048, f"number of {items} that wait for export"
        )
        self.batch: Final = row(
            "MAX_EXPORT_BATCH_SIZE", _POSITIVE, 512, f"number of {items} in a request"
        )
        self.rows: Final = (self.delay, self.timeout, self.queue, self.batch)

    def read_batch(self, env: Environment) -> int:
        """Return the size of a batch: at most the size of the queue."""
        queue, batch = env.read(self.queue), env.read(self.batch)
        if batch > queue and batch != self.batch.default:
            env.warnings.append(
                f"{self.batch.name}={batch} is more than {self.queue.name}={queue}; using {queue}"
            )
        return min(batch, queue)


SPAN_BATCH: Final = BatchVariables("BSP", "spans", 5000)
LOG_BATCH: Final = BatchVariables("BLRP", "log records", 1000)
METRIC_TIMEOUT: Final = Variable(
    "OTEL_METRIC_EXPORT_TIMEOUT", TIMEOUT, 30_000, "upper bound of the OTLP timeout of metrics"
)

_CREDENTIALS: Final = installed_name("opentelemetry_otlp_credential_provider")

SDK_VARIABLES: Final[tuple[Variable[Any], ...]] = (
    EXEMPLAR_FILTER,
    *_LIMITS,
    *SPAN_BATCH.rows,
    *LOG_BATCH.rows,
    METRIC_TIMEOUT,
    Variable(
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        choice("explicit_bucket_histogram", "base2_exponential_bucket_histogram"),
        "explicit_bucket_histogram",
        "histograms of other libraries; ours have the declared buckets",
    ),
    Variable(
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
        installed("opentelemetry_resource_detector", "*"),
        None,
        "detectors of resource attributes",
        "otel, service_instance",
    ),
    Variable(
        "OTEL_PYTHON_CONTEXT",
        installed_name("opentelemetry_context"),
        "contextvars_context",
        "storage of the current span, chosen when OpenTelemetry's API is imported",
    ),
    Variable(
        "OTEL_PYTHON_EXCLUDED_URLS", PATTERNS, None, "URLs without a span, in any library", "none"
    ),
    Variable(
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS",
        PATTERNS,
        None,
        "paths without server span and HTTP metrics; a pattern is for the whole path",
        "none",
    ),
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    SECRET_HEADERS,
    Variable(
        "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", FLAG, False, "metrics of the SDK about itself"
    ),
    *(
        Variable(
            f"OTEL_PYTHON_EXPORTER_OTLP_{protocol}_{signal}CREDENTIAL_PROVIDER",
            _CREDENTIALS,
            None,
            "provider of the exporter's credentials, an entry point",
            "none",
        )
        for protocol in ("HTTP", "GRPC")
        for signal in ("", "TRACES_", "METRICS_", "LOGS_")
    ),
    Variable(
        "OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES",
        names(_STATUS_CODES.__contains__, "a status code of gRPC"),
        None,
        "status codes after which gRPC tries again",
        "codes of the specification",
    ),
)


def read_sdk_variables(env: Environment) -> dict[str, str]:
    """Return checked texts for the SDK, of the variables whose value is not the default."""
    values: dict[Variable[Any], Any] = {}
    row: Variable[Any]
    for row in SDK_VARIABLES:
        if env.is_set(row):
            values[row] = env.read(row)
    values |= {rows.batch: rows.read_batch(env) for rows in (SPAN_BATCH, LOG_BATCH)}
    return {row.name: as_text(value) for row, value in values.items() if value != row.default}


def read_export_limits(env: Environment) -> dict[str, int]:
    """Return the maximum duration of an export in milliseconds by signal."""
    rows = {"traces": SPAN_BATCH.timeout, "metrics": METRIC_TIMEOUT, "logs": LOG_BATCH.timeout}
    return {signal: env.read(row) for signal, row in rows.items()}
