"""One secret of each class, and requests that have the secret in every text field of a signal."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SECRETS: dict[str, tuple[str, str]] = {
    "credentials in a URL": ("cannot reach postgres://ann:hunter2@db/shop", "hunter2"),
    "parameter of a URL": ("GET https://shop/search?q=hunter2 failed", "hunter2"),
    "named value": ("login with password=hunter2 failed", "hunter2"),
    "named value of a variable": ("DB_PASSWORD: hunter2", "hunter2"),
    "named value in JSON": ('{"api_key": "hunter2", "sku": 1}', "hunter2"),
    "argument of a command": ("app --db-password hunter2 --port 1", "hunter2"),
    "cookie": ("Cookie: theme=dark; session=hunter2", "hunter2"),
    "e-mail address": ("no account ann.hunter2@example.org here", "hunter2"),
    "header": ("Authorization: Basic aHVudGVyMg==", "aHVudGVyMg"),
    "bearer token": ("sent Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    "JSON Web Token": ("token eyJhbGciOi.eyJzdWIi.c2ln refused", "eyJzdWIi"),
    "access key": ("AKIAIOSFODNN7EXAMPLE is unknown", "AKIAIOSFODNN7EXAMPLE"),
    "access token": ("clone with ghp_" + "a1B2" * 9, "a1B2a1B2"),
    "private key": (
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "hunter2",
    ),
    "bank card": ("paid with 4111 1111 1111 1111", "1111"),
    "bank card with 15 digits": ("paid with 378282246310005", "378282246310005"),
}
"""A text and its secret part, by the class of secret."""

HARMLESS = (
    "GET /orders/{order_id}",
    "SELECT * FROM orders WHERE id = ? AND price > 10",
    "https://shop.example/orders/12345",
    "lamp-4000 sold 12 times: 4000000000 ns",
    "session closed: timeout=5s, attempt #3",
    "12 input tokens, 4 output tokens",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "2026-11-26T12:31:44.123Z",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "io.grpc.StatusRuntimeException: UNAVAILABLE",
)
"""Texts of usual telemetry, which no pattern may change."""


def add_attributes(attributes: Any, text: str) -> None:
    """Add a text as an attribute of each type that holds texts."""
    attributes.add(key="text").value.string_value = text
    attributes.add(key="list").value.array_value.values.add().string_value = text
    nested = attributes.add(key="map").value.kvlist_value.values
    nested.add(key="text").value.string_value = text


def _add_scope(group: Any, text: str) -> None:
    group.schema_url = group.scope.name = group.scope.version = text
    add_attributes(group.scope.attributes, text)


def trace_request(text: str) -> ExportTraceServiceRequest:
    """Return a span with an error, and a text in every field but the links."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add(schema_url=text)
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    add_attributes(resource.resource.attributes, text)
    scope = resource.scope_spans.add()
    _add_scope(scope, text)
    span = scope.spans.add(name=text, trace_state=text, kind=Span.SPAN_KIND_SERVER)
    span.trace_id, span.span_id = random.randbytes(16), random.randbytes(8)
    span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
    span.status.code, span.status.message = Status.STATUS_CODE_ERROR, text
    add_attributes(span.attributes, text)
    add_attributes(span.events.add(name=text).attributes, text)
    return request


def log_request(text: str) -> ExportLogsServiceRequest:
    """Return log records with a text in every field: a body of text, of a list and of a map."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add(schema_url=text)
    add_attributes(resource.resource.attributes, text)
    scope = resource.scope_logs.add()
    _add_scope(scope, text)
    bodies = [scope.log_records.add(severity_text=text, event_name=text).body for _ in range(3)]
    bodies[0].string_value = text
    bodies[1].array_value.values.add().string_value = text
    bodies[2].kvlist_value.values.add(key="text").value.string_value = text
    for record in scope.log_records:
        add_attributes(record.attributes, text)
    return request


def metric_request(text: str, label: str = "ok") -> ExportMetricsServiceRequest:
    """Return a histogram with a text in its resource, its scope and its exemplar."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add(schema_url=text)
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    resource.resource.attributes.add(key="note").value.string_value = text
    resource.resource.attributes.add(key="user.email").value.string_value = text
    command = resource.resource.attributes.add(key="process.command_args").value.array_value
    command.values.add().string_value = text
    scope = resource.scope_metrics.add()
    _add_scope(scope, text)
    metric = scope.metrics.add(name="wait", unit="s")
    metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    point = metric.histogram.data_points.add(explicit_bounds=[1.0], bucket_counts=[1, 0], count=1)
    point.time_unix_nano = time.time_ns()
    point.attributes.add(key="outcome").value.string_value = label
    exemplar = point.exemplars.add(time_unix_nano=time.time_ns(), as_double=0.5)
    exemplar.trace_id, exemplar.span_id = random.randbytes(16), random.randbytes(8)
    exemplar.filtered_attributes.add(key="text").value.string_value = text
    return request


def texts(message: Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and value of each text in a message."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for item in values:
            name = f"{path}.{field.name}"
            if isinstance(item, Message):
                yield from texts(item, name)
            elif isinstance(item, str):
                yield name, item
