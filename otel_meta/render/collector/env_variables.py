"""What a user may set without editing a file: each port, address, folder and limit by a variable.

Everything under collector-config/ and stack/ takes ports and names from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Variable:
    """An environment variable of the Collector's; as text, the way its configuration reads it."""

    name: str
    default: str
    meaning: str

    def __str__(self) -> str:
        return self.read(self.default)

    def read(self, default: str) -> str:
        """The same, with another default."""
        return f"${{env:{self.name}:-{default}}}"


LOOPBACK: Final = "127.0.0.1"

OTLP_GRPC_PORT: Final = Variable(
    "OTEL_META_OTLP_GRPC_PORT", "4317", "where the sidecar takes OTLP over gRPC, on loopback"
)
OTLP_HTTP_PORT: Final = Variable(
    "OTEL_META_OTLP_HTTP_PORT", "4318", "where the sidecar takes OTLP over HTTP, on loopback"
)
EXPOSE_HOST: Final = Variable(
    "OTEL_META_EXPOSE_HOST",
    LOOPBACK,
    "address on which the sidecar's metrics and health are shown, and on which the gateway "
    "listens; `0.0.0.0` where others have to reach it",
)
METRICS_PORT: Final = Variable(
    "OTEL_META_METRICS_PORT", "8889", "the service's metrics, for Prometheus to scrape"
)
SELF_METRICS_PORT: Final = Variable(
    "OTEL_META_SELF_METRICS_PORT", "8888", "the sidecar's metrics about itself"
)
HEALTH_PORT: Final = Variable("OTEL_META_HEALTH_PORT", "13133", "the sidecar's health check")
METRIC_EXPIRATION: Final = Variable(
    "OTEL_META_METRIC_EXPIRATION",
    "5m",
    "how long the last value of a service that fell silent is shown; several export intervals",
)
INSTANCE: Final = Variable(
    "OTEL_META_INSTANCE",
    "",
    "the `instance` of the service's series, the same after a restart, such as its pod's name; "
    "only where the service is one process, for two with one name overwrite each other. "
    "Empty: what the process says, which is random by default and starts new series",
)
QUEUE_DIR: Final = Variable(
    "OTEL_META_QUEUE_DIR", "/var/lib/otelcol/sidecar", "folder of the sidecar's queues"
)
QUEUE_BYTES: Final = Variable(
    "OTEL_META_QUEUE_BYTES", "536870912", "most bytes that wait in one queue; there are two"
)
MEMORY_MIB: Final = Variable(
    "OTEL_META_MEMORY_MIB", "200", "heap from which on the sidecar refuses more"
)
MEMORY_SPIKE_MIB: Final = Variable(
    "OTEL_META_MEMORY_SPIKE_MIB", "40", "of that, room for what is taken between two checks"
)
GATEWAY_HOST: Final = Variable(
    "OTEL_META_GATEWAY_HOST",
    LOOPBACK,
    "name of the gateways; a trace goes whole to one of its addresses. Jaeger's name will do, too",
)
GATEWAY_PORT: Final = Variable(
    "OTEL_META_GATEWAY_PORT", "14317", "where gateways take OTLP over gRPC"
)
GATEWAY_INSECURE: Final = Variable(
    "OTEL_META_GATEWAY_INSECURE", "true", "`false` for TLS to the gateways"
)

GATEWAY_SELF_METRICS_PORT: Final = Variable(
    "OTEL_META_GATEWAY_SELF_METRICS_PORT", "18888", "the gateway's metrics about itself"
)
GATEWAY_HEALTH_PORT: Final = Variable(
    "OTEL_META_GATEWAY_HEALTH_PORT", "14133", "the gateway's health check"
)
GATEWAY_QUEUE_DIR: Final = Variable(
    "OTEL_META_GATEWAY_QUEUE_DIR", "/var/lib/otelcol/gateway", "folder of the gateway's queue"
)
GATEWAY_MEMORY_MIB: Final = Variable(
    "OTEL_META_GATEWAY_MEMORY_MIB", "1024", "heap from which on the gateway refuses more"
)
GATEWAY_MEMORY_SPIKE_MIB: Final = Variable(
    "OTEL_META_GATEWAY_MEMORY_SPIKE_MIB", "200", "of that, room for what comes between two checks"
)
TRACE_STORE: Final = Variable(
    "OTEL_META_TRACE_STORE", f"{LOOPBACK}:24317", "where Jaeger, or another, takes OTLP over gRPC"
)
TRACE_STORE_INSECURE: Final = Variable(
    "OTEL_META_TRACE_STORE_INSECURE", "true", "`false` for TLS to it"
)
DECISION_WAIT: Final = Variable(
    "OTEL_META_DECISION_WAIT",
    "15s",
    "from a trace's first span to the decision whether it is kept; longer than services and "
    "sidecars hold spans back",
)
SAMPLING_PERCENT: Final = Variable(
    "OTEL_META_SAMPLING_PERCENT", "10", "how many of the traces with nothing wrong are kept"
)

SIDECAR: Final = (
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
GATEWAY: Final = (
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
