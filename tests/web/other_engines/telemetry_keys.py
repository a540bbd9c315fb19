"""What recorders of requests record: names of attributes, labels, events and spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from otel_meta import instrument_fastapi
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.sdk_environment import prefer_stable_conventions
from otel_meta.testing import capture
from tests.web.cases.app import build
from tests.web.cases.driver import Request, ask, connect

_REQUESTS: Final = (
    Request(
        "/items/7?token=a", headers=[(b"user-agent", b"Googlebot/2.1"), (b"content-length", b"0")]
    ),
    Request("/nowhere"),
    Request("/fail"),
    Request("/items/7", method="BREW"),
    Request("/upload", method="POST", headers=[(b"content-length", b"3")], body=[b"abc"]),
    Request("/stream"),
    Request("/broken-stream"),
    Request("/failing-task"),
    Request("/session"),
    Request("/silent"),
)
_SOCKETS: Final = (("/rooms/berlin", 1000), ("/close/4000", None), ("/fail-socket", None))


REQUEST: Final = "span of a request"
WEBSOCKET: Final = "span of a WebSocket"
EVENT: Final = "event of a span"
SPAN: Final = "further span"


Send = Callable[[FastAPI], object]
"""Sends requests to an application."""


class Recorded(NamedTuple):
    """Spans and metrics of all kinds of requests."""

    spans: tuple[ReadableSpan, ...]
    metrics: list[Any]


def of_engine(engine: Any, send: Send) -> Recorded:
    """Return what is recorded with an engine of otel_meta."""
    with capture() as captured:
        app = build()
        instrument_fastapi(app, captured.telemetry, engine=engine)
        send(app)
        scope = MetricProducer(captured.telemetry.storage).collect()
        return Recorded(captured.spans(), list(scope.metrics))


def of_contrib(send: Send) -> Recorded:
    """Return what OpenTelemetry's instrumentation of FastAPI records by its defaults."""
    prefer_stable_conventions()
    app = build(telemetry={"tracing": False, "metrics": False, "logs": False})

    def instrument(tracers: TracerProvider, meters: MeterProvider) -> FastAPI:
        FastAPIInstrumentor.instrument_app(app, tracer_provider=tracers, meter_provider=meters)
        return app

    try:
        return _of_other(instrument, send)
    finally:
        FastAPIInstrumentor.uninstrument_app(app)


def of_fastapi(send: Send) -> Recorded:
    """Return what FastAPI's own telemetry records by its defaults."""

    def create(tracers: TracerProvider, meters: MeterProvider) -> FastAPI:
        return build(telemetry={"tracer_provider": tracers, "meter_provider": meters})

    return _of_other(create, send)


def _of_other(create: Callable[[TracerProvider, MeterProvider], FastAPI], send: Send) -> Recorded:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    send(create(tracers, meters))
    data: Any = reader.get_metrics_data()
    resources: list[Any] = data.resource_metrics if data else []
    metrics = [m for each in resources for scope in each.scope_metrics for m in scope.metrics]
    return Recorded(exporter.get_finished_spans(), metrics)


def send_all(app: FastAPI) -> None:
    """Send requests of every kind."""
    for request in _REQUESTS:
        ask(app, request)
    for path, code in _SOCKETS:
        connect(app, path, ("hello",), code)


def names(recorded: Recorded) -> dict[str, set[str]]:
    """Return the names of what is recorded, by the place where they are."""
    found: dict[str, set[str]] = defaultdict(set)
    for span in recorded.spans:
        attributes = span.attributes or {}
        if span.kind is SpanKind.SERVER:
            found[WEBSOCKET if attributes["url.scheme"] == "ws" else REQUEST].update(attributes)
            found[EVENT].update(event.name for event in span.events)
        else:
            found[SPAN].add(_kind(span.name))
    for metric in recorded.metrics:
        for point in metric.data.data_points:
            found[metric.name].update(point.attributes)
    return {place: each for place, each in found.items() if each and "otel_meta" not in place}


def _kind(name: str) -> str:
    """Return the name of a span without the names of routes and functions."""
    first, *rest = name.split()
    return " ".join(rest[-2:]) if rest and rest[-1] in {"receive", "send"} else first
