"""Spans, metrics and log records as services send them, with a choice of every detail."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

Attributes = Mapping[str, Any]


def span(
    name: str,
    resource: Attributes,
    *,
    seconds: float = 0.001,
    kind: SpanKind = SpanKind.SERVER,
    error: str | None = None,
    event: Attributes | None = None,
    trace_id: int | None = None,
    **attributes: Any,
) -> ReadableSpan:
    """Return a span that ends now.

    Args:
        name: the name of the span.
        resource: the attributes of the resource.
        seconds: the duration.
        kind: the kind of span.
        error: the description of an error status; None for no error.
        event: the attributes of an exception event.
        trace_id: the id of the trace; None for a new trace.
        attributes: the attributes of the span, with ``__`` in place of each dot.
    """
    now = time.time_ns()
    context = SpanContext(
        trace_id or random.getrandbits(128), random.getrandbits(64), False, TraceFlags(1)
    )
    return ReadableSpan(
        name=name,
        context=context,
        resource=Resource(resource),
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
        events=[Event("exception", event)] if event else [],
        kind=kind,
        status=Status(StatusCode.ERROR, error) if error is not None else Status(),
        start_time=now - int(seconds * 1e9),
        end_time=now,
    )


def send(url: str, *spans: ReadableSpan) -> None:
    """Send spans to a Collector over HTTP."""
    _export(OTLPSpanExporter(f"{url}/v1/traces"), spans)


def send_grpc(address: str, *spans: ReadableSpan) -> None:
    """Send spans to a Collector over gRPC."""
    _export(GrpcExporter(address, insecure=True), spans)


def _export(exporter: Any, spans: Sequence[ReadableSpan]) -> None:
    assert SpanExportResult.SUCCESS is exporter.export(spans)
    exporter.shutdown()


@contextmanager
def metrics(url: str, resource: Attributes) -> Iterator[MeterProvider]:
    """Return a meter provider; all metrics are sent at the end of the context."""
    exporter = OTLPMetricExporter(f"{url}/v1/metrics")
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)], Resource(resource))
    yield provider
    provider.shutdown()


def log_exporter(url: str) -> OTLPLogExporter:
    """Return an exporter that sends log records to a Collector over HTTP."""
    return OTLPLogExporter(f"{url}/v1/logs")
