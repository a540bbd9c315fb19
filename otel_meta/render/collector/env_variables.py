"""Environment variables of the Collector's configuration: ports, addresses, folders and limits.

All files under collector-config/ and stack/ take their ports and names from this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Variable:
    """An environment variable; ``str()`` gives the reference in the Collector's configuration."""

    name: str
    default: str
    meaning: str

    def __str__(self) -> str:
        return self.with_default(self.default)

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
QUEUE_DIR: Final = Variable(
    "OTEL_META_QUEUE_DIR", "/var/lib/otelcol/sidecar", "folder of the sidecar's queues"
)
QUEUE_BYTES: Final = Variable(
    "OTEL_META_QUEUE_BYTES",
    "536870912",
    "maximum size of a queue on disk, in bytes; the sidecar has two queues",
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

GATEWAY_SELF_METRICS_PORT: Final = Variable(
    "OTEL_META_GATEWAY_SELF_METRICS_PORT", "18888", "port of the gateway's own metrics"
)
GATEWAY_HEALTH_PORT: Final = Variable(
    "OTEL_META_GATEWAY_HEALTH_PORT", "14133", "port of the gateway's health check"
)
GATEWAY_QUEUE_DIR: Final = Variable(
    "OTEL_META_GATEWAY_QUEUE_DIR", "/var/lib/otelcol/gateway", "folder of the gateway's queue"
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
DECISION_WAIT: Final = Variable(
    "OTEL_META_DECISION_WAIT",
    "15s",
    "time from a trace's first span to the sampling decision; longer than the batches of services "
    "and sidecars delay spans",
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
    INSTANCE,
    QUEUE_DIR,
    QUEUE_BYTES,
    MEMORY_MIB,
    MEMORY_SPIKE_MIB,
    GATEWAY_HOST,
    GATEWAY_PORT,
    GATEWAY_INSECURE,
)
GATEWAY_VARIABLES: Final = (
    EXPOSE_HOST,
    GATEWAY_PORT,
    GATEWAY_SELF_METRICS_PORT,
    GATEWAY_HEALTH_PORT,
    INSTANCE,
    GATEWAY_QUEUE_DIR,
    QUEUE_BYTES,
    GATEWAY_MEMORY_MIB,
    GATEWAY_MEMORY_SPIKE_MIB,
    TRACE_STORE,
    TRACE_STORE_INSECURE,
    DECISION_WAIT,
    SAMPLING_PERCENT,
)
