"""A receiver of OTLP over HTTP on loopback; needs extra ``otlp``."""

from __future__ import annotations

from http import HTTPStatus
from threading import Lock
from typing import Any, Final, NamedTuple, TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .http_receiver import HttpReceiver

RequestT = TypeVar("RequestT")
_REQUESTS: Final[dict[str, Any]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


class ReceivedSpan(NamedTuple):
    """A span with the service name."""

    service_name: str
    span: Span


class OtlpReceiver(HttpReceiver):
    """Listens while the context is open, and keeps spans, metrics and log records.

    Args:
        port: 0 for any free port.
        status: the status of every response, also a writable attribute; requests are kept only
            with status 200.
    """

    def __init__(self, port: int = 0, status: int = HTTPStatus.OK) -> None:
        super().__init__(port)
        self.status = status
        self._requests: Final[list[Any]] = []
        self._lock: Final = Lock()

    @property
    def endpoint(self) -> str:
        """Value for ``OTEL_EXPORTER_OTLP_ENDPOINT``."""
        return self.url

    def spans(self) -> list[ReceivedSpan]:
        """Return all spans received."""
        return [
            ReceivedSpan(_service_name(resource.resource), span)
            for request in self.requests_of(ExportTraceServiceRequest)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> list[Metric]:
        """Return all metrics received; a metric is in the list once for each export."""
        return [
            metric
            for request in self.requests_of(ExportMetricsServiceRequest)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def log_records(self) -> list[LogRecord]:
        """Return all log records received."""
        return [
            record
            for request in self.requests_of(ExportLogsServiceRequest)
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def requests_of(self, kind: type[RequestT]) -> list[RequestT]:
        """Return all requests of a protobuf class, as ``ExportTraceServiceRequest``."""
        with self._lock:
            return [request for request in self._requests if isinstance(request, kind)]

    def receive(self, path: str, body: bytes) -> int:
        """Keep a request if ``status`` is 200, and return ``status``."""
        status = self.status
        if status == HTTPStatus.OK:
            request = _REQUESTS[path]()
            request.ParseFromString(body)
            with self._lock:
                self._requests.append(request)
        return status


def _service_name(resource: Any) -> str:
    names = (a.value.string_value for a in resource.attributes if a.key == "service.name")
    return next(names, "")
