"""Telemetry as services send it, made by hand so that every detail can be chosen."""

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
    """One that just ended; of a trace of its own unless told otherwise."""
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
    """To a Collector over HTTP."""
    _export(OTLPSpanExporter(f"{url}/v1/traces"), spans)


def send_grpc(address: str, *spans: ReadableSpan) -> None:
    """To a Collector over gRPC."""
    _export(GrpcExporter(address, insecure=True), spans)


def _export(exporter: Any, spans: Sequence[ReadableSpan]) -> None:
    assert SpanExportResult.SUCCESS is exporter.export(spans)
    exporter.shutdown()


@contextmanager
def metrics(url: str, resource: Attributes) -> Iterator[MeterProvider]:
    """A provider whose metrics have been sent when the context ends."""
    exporter = OTLPMetricExporter(f"{url}/v1/metrics")
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)], Resource(resource))
    yield provider
    provider.shutdown()


def log_exporter(url: str) -> OTLPLogExporter:
    """Sends log records to a Collector over HTTP."""
    return OTLPLogExporter(f"{url}/v1/logs")
