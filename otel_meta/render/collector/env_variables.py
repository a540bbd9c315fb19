"""Environment variables of the Collector's configuration: ports, addresses, folders and limits.

All files under collector-config/ and stack/ take their ports and names from this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from . import queue_limits
from .queue_limits import FILE_BASE_MIB, FILE_FACTOR, file_bytes


class NumberReference(str):
    """A reference to a variable in a setting that the Collector declares as a number."""

    __slots__ = ()


class FlagReference(str):
    """A reference to a variable in a setting that the Collector declares as a boolean."""

    __slots__ = ()


@dataclass(frozen=True)
class Variable:
    """An environment variable; ``str()`` gives the reference in the Collector's configuration.

    The setting of a component determines the type, not the look of the value: one exporter
    declares its port as a text, another as a number. In a text, use ``str()``; otherwise, use
    `number` or `flag`.
    """

    name: str
    default: str
    meaning: str

    def __str__(self) -> str:
        return self.with_default(self.default)

    @property
    def number(self) -> NumberReference:
        """The reference in a setting of the type number."""
        return NumberReference(self)

    @property
    def flag(self) -> FlagReference:
        """The reference in a setting of the type boolean."""
        return FlagReference(self)

    def with_default(self, default: str) -> str:
        """Return the reference to this variable, with another default."""
        return f"${{env:{self.name}:-{default}}}"


LOOPBACK: Final = "127.0.0.1"

OTLP_GRPC_PORT: Final = Variable(
    "OTEL_META_OTLP_GRPC_PORT", "4317", "port of the sidecar for OTLP over gRPC, on loopback"
)
OTLP_HTTP_PORT: Final = Variable(
    "OTEL_META_OTLP_HTTP_PORT", "4318", "port of the sidecar for OTLP over HTTP, on loopback"
)
EXPOSE_HOST: Final = Variable(
    "OTEL_META_EXPOSE_HOST",
    LOOPBACK,
    "address on which the sidecar serves metrics and its health check, and on which the gateway "
    "listens; `0.0.0.0` for access from other hosts",
)
METRICS_PORT: Final = Variable(
    "OTEL_META_METRICS_PORT", "8889", "port of the service's metrics, for Prometheus"
)
SELF_METRICS_PORT: Final = Variable(
    "OTEL_META_SELF_METRICS_PORT", "8888", "port of the sidecar's own metrics"
)
HEALTH_PORT: Final = Variable(
    "OTEL_META_HEALTH_PORT", "13133", "port of the sidecar's health check"
)
METRIC_EXPIRATION: Final = Variable(
    "OTEL_META_METRIC_EXPIRATION",
    "5m",
    "time after which a series without new exports disappears; several export intervals",
)
INSTANCE: Final = Variable(
    "OTEL_META_INSTANCE",
    "",
    "label `instance` of the service's series, to keep the series after a restart, such as the "
    "name of the pod. Set it only for a service of one process: two processes with the same value "
    "overwrite each other's series. If empty, the process sets `instance`; by default, it is "
    "random, and each restart starts new series",
)
JOB_EXPIRATION: Final = Variable(
    "OTEL_META_JOB_EXPIRATION",
    "48h",
    "time after which the totals of a job without new runs are forgotten, and start at zero again; "
    "longer than the time from run to run",
)
JOB_STREAMS: Final = Variable(
    "OTEL_META_JOB_STREAMS",
    "50000",
    "maximum number of series of jobs, each histogram counted once, at about 1 KiB of memory. "
    "Further series are dropped, and `otelcol_deltatocumulative_datapoints` counts their points "
    'with `error="limit"`',
)
QUEUE_DIR: Final = Variable(
    "OTEL_META_QUEUE_DIR", "/var/lib/otelcol/sidecar", "folder of the sidecar's queues"
)
QUEUE_BYTES: Final = Variable(
    "OTEL_META_QUEUE_BYTES",
    str(queue_limits.SIDECAR_QUEUE_BYTES),
    "bytes of the requests that wait in a queue; the sidecar has a queue for traces, and one for "
    "logs. A full queue refuses data, and the service counts the loss",
)
_FILE_BYTES: Final = (
    "maximum size of the file of a queue, in bytes. The queue has to be full before its file is: "
    f"set {FILE_FACTOR} times `{{}}` and {FILE_BASE_MIB} MiB more"
)
QUEUE_FILE_BYTES: Final = Variable(
    "OTEL_META_QUEUE_FILE_BYTES",
    str(file_bytes(queue_limits.SIDECAR_QUEUE_BYTES)),
    _FILE_BYTES.format(QUEUE_BYTES.name),
)
MEMORY_MIB: Final = Variable(
    "OTEL_META_MEMORY_MIB", "200", "memory limit in MiB, above which the sidecar refuses data"
)
MEMORY_SPIKE_MIB: Final = Variable(
    "OTEL_META_MEMORY_SPIKE_MIB",
    "40",
    "part of the limit reserved for data received between two checks, in MiB",
)
GATEWAY_HOST: Final = Variable(
    "OTEL_META_GATEWAY_HOST",
    LOOPBACK,
    "DNS name of the gateways, or of Jaeger; all spans of a trace go to the same address",
)
GATEWAY_PORT: Final = Variable(
    "OTEL_META_GATEWAY_PORT", "14317", "port of the gateways for OTLP over gRPC"
)
GATEWAY_INSECURE: Final = Variable(
    "OTEL_META_GATEWAY_INSECURE", "true", "`false` for TLS to the gateways"
)

LOG_EXPORTER: Final = Variable(
    "OTEL_META_LOG_EXPORTER",
    "nop",
    "exporter of the log records that services send; `load_balancing` sends them to the gateways. "
    "By default, the sidecar drops log records, because services also write them to stdout",
)

GATEWAY_SELF_METRICS_PORT: Final = Variable(
    "OTEL_META_GATEWAY_SELF_METRICS_PORT", "18888", "port of the gateway's own metrics"
)
GATEWAY_METRICS_PORT: Final = Variable(
    "OTEL_META_GATEWAY_METRICS_PORT", "18889", "port of the metrics of jobs, for Prometheus"
)
GATEWAY_HEALTH_PORT: Final = Variable(
    "OTEL_META_GATEWAY_HEALTH_PORT", "14133", "port of the gateway's health check"
)
GATEWAY_QUEUE_DIR: Final = Variable(
    "OTEL_META_GATEWAY_QUEUE_DIR", "/var/lib/otelcol/gateway", "folder of the gateway's queue"
)
GATEWAY_QUEUE_BYTES: Final = Variable(
    "OTEL_META_GATEWAY_QUEUE_BYTES",
    str(queue_limits.GATEWAY_QUEUE_BYTES),
    "bytes of the requests that wait in the gateway's queue",
)
GATEWAY_QUEUE_FILE_BYTES: Final = Variable(
    "OTEL_META_GATEWAY_QUEUE_FILE_BYTES",
    str(file_bytes(queue_limits.GATEWAY_QUEUE_BYTES)),
    _FILE_BYTES.format(GATEWAY_QUEUE_BYTES.name),
)
GATEWAY_MEMORY_MIB: Final = Variable(
    "OTEL_META_GATEWAY_MEMORY_MIB",
    "1024",
    "memory limit in MiB, above which the gateway refuses data",
)
GATEWAY_MEMORY_SPIKE_MIB: Final = Variable(
    "OTEL_META_GATEWAY_MEMORY_SPIKE_MIB",
    "200",
    "part of the limit reserved for data received between two checks, in MiB",
)
TRACE_STORE: Final = Variable(
    "OTEL_META_TRACE_STORE",
    f"{LOOPBACK}:24317",
    "address of Jaeger, or of another trace store, for OTLP over gRPC",
)
TRACE_STORE_INSECURE: Final = Variable(
    "OTEL_META_TRACE_STORE_INSECURE", "true", "`false` for TLS to the trace store"
)
GATEWAY_LOG_EXPORTER: Final = Variable(
    "OTEL_META_GATEWAY_LOG_EXPORTER",
    "nop",
    "exporter of log records; `otlp_http/log_store` sends them to the log store. By default, the "
    "gateway drops the log records that it receives",
)
LOG_STORE: Final = Variable(
    "OTEL_META_LOG_STORE",
    f"http://{LOOPBACK}:3100/otlp",
    "URL of the log store for OTLP over HTTP, without `/v1/logs`; the default is Loki's",
)
DECISION_WAIT: Final = Variable(
    "OTEL_META_DECISION_WAIT",
    "15s",
    "time from a trace's first span to the sampling decision; longer than the batches of services "
    "and sidecars delay spans",
)
UNDECIDED_TRACES: Final = Variable(
    "OTEL_META_UNDECIDED_TRACES",
    "400000",
    "maximum number of traces that wait for a decision; above it, the gateway drops the oldest. "
    "Set it to the memory limit less the reserve, divided by 2 KiB, the memory of a trace of one "
    "span: then the limit refuses spans first, and sidecars send them again. Each further span "
    "takes 1.2 KiB, so that the default memory holds 65,000 traces of ten spans, which is 4,300 "
    "per second at the default wait",
)
SAMPLING_PERCENT: Final = Variable(
    "OTEL_META_SAMPLING_PERCENT",
    "10",
    "percentage kept of the traces without errors and without bad events of an SLO",
)

SIDECAR_VARIABLES: Final = (
    OTLP_GRPC_PORT,
    OTLP_HTTP_PORT,
    EXPOSE_HOST,
    METRICS_PORT,
    SELF_METRICS_PORT,
    HEALTH_PORT,
    METRIC_EXPIRATION,
    JOB_EXPIRATION,
    JOB_STREAMS,
    INSTANCE,
    QUEUE_DIR,
    QUEUE_BYTES,
    QUEUE_FILE_BYTES,
    MEMORY_MIB,
    MEMORY_SPIKE_MIB,
    GATEWAY_HOST,
    GATEWAY_PORT,
    GATEWAY_INSECURE,
    LOG_EXPORTER,
)
GATEWAY_VARIABLES: Final = (
    EXPOSE_HOST,
    GATEWAY_PORT,
    GATEWAY_SELF_METRICS_PORT,
    GATEWAY_HEALTH_PORT,
    GATEWAY_METRICS_PORT,
    JOB_EXPIRATION,
    JOB_STREAMS,
    INSTANCE,
    GATEWAY_QUEUE_DIR,
    GATEWAY_QUEUE_BYTES,
    GATEWAY_QUEUE_FILE_BYTES,
    GATEWAY_MEMORY_MIB,
    GATEWAY_MEMORY_SPIKE_MIB,
    TRACE_STORE,
    TRACE_STORE_INSECURE,
    GATEWAY_LOG_EXPORTER,
    LOG_STORE,
    DECISION_WAIT,
    UNDECIDED_TRACES,
    SAMPLING_PERCENT,
)
