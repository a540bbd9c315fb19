"""The instrumentations that are compared: how each is set up, and how each sends what it recorded.

Names of packages that only the measured processes have are imported by `import_module`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from fastapi import FastAPI

Flush = Callable[[], object]
"""Sends spans and metrics that wait; for metrics alone, renders a page for Prometheus."""

BARE: Final = "the application alone"
OURS: Final = "otel_meta"
OURS_CONTRIB: Final = "otel_meta, engine contrib"
OURS_NATIVE: Final = "otel_meta, engine native"
OURS_METRICS: Final = "otel_meta, metrics alone"
CONTRIB: Final = "contrib, without send and receive spans"
CONTRIB_DEFAULT: Final = "contrib, by default"
NATIVE: Final = "FastAPI's telemetry, by default"
NATIVE_ONE: Final = "FastAPI's telemetry, without spans of operations"
LOGFIRE: Final = "Logfire"
INSTRUMENTATOR: Final = "prometheus-fastapi-instrumentator, metrics alone"
STARLETTE_EXPORTER: Final = "starlette_exporter, metrics alone"


class Contender(NamedTuple):
    """An instrumentation."""

    install: Callable[[FastAPI], Flush]
    options: Mapping[str, Any] = MappingProxyType({})
    """Arguments of the constructor of the application."""


def _nothing(_app: FastAPI) -> Flush:
    return lambda: None


def _otel_meta(app: FastAPI, engine: Literal["meta", "contrib", "native"] = "meta") -> Flush:
    from otel_meta import configure, instrument_fastapi  # noqa: PLC0415 - others do not load it

    return instrument_fastapi(app, configure(), engine=engine).flush


def _otel_meta_metrics(app: FastAPI) -> Flush:
    from otel_meta import configure, instrument_fastapi  # noqa: PLC0415 - others do not load it

    telemetry = instrument_fastapi(app, configure(traces="none", metrics="prometheus"))
    if telemetry.scrape is None:
        raise AssertionError("there is nothing to scrape")
    return telemetry.scrape.render


def _sdk() -> Flush:
    """Set up a plain SDK, as contrib and FastAPI need it."""
    from opentelemetry import metrics, trace  # noqa: PLC0415 - not for metrics alone
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    spans = TracerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(spans)
    series = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
    metrics.set_meter_provider(series)
    return lambda: (spans.force_flush(), series.force_flush())


def _contrib(app: FastAPI) -> Flush:
    flush = _sdk()
    instrumentor = import_module("opentelemetry.instrumentation.fastapi").FastAPIInstrumentor
    instrumentor.instrument_app(app, exclude_spans=["receive", "send"])
    return flush


def _contrib_default(app: FastAPI) -> Flush:
    flush = _sdk()
    import_module("opentelemetry.instrumentation.fastapi").FastAPIInstrumentor.instrument_app(app)
    return flush


def _native(_app: FastAPI) -> Flush:
    return _sdk()


def _logfire(app: FastAPI) -> Flush:
    logfire = import_module("logfire")
    sampled = float(os.environ.pop("OTEL_TRACES_SAMPLER_ARG"))
    del os.environ["OTEL_TRACES_SAMPLER"]  # Logfire has a sampler of its own
    logfire.configure(
        send_to_logfire=False,
        console=False,
        inspect_arguments=False,
        sampling=logfire.SamplingOptions(head=sampled),
    )
    logfire.instrument_fastapi(app)
    return lambda: logfire.force_flush(30_000)


def _instrumentator(app: FastAPI) -> Flush:
    import_module("prometheus_fastapi_instrumentator").Instrumentator().instrument(app).expose(app)
    return _page_of_prometheus_client()


def _starlette_exporter(app: FastAPI) -> Flush:
    exporter = import_module("starlette_exporter")
    app.add_middleware(exporter.PrometheusMiddleware)
    app.add_route("/metrics", exporter.handle_metrics)
    return _page_of_prometheus_client()


def _page_of_prometheus_client() -> Flush:
    render: Flush = import_module("prometheus_client").generate_latest
    return render


CONTENDERS: Final[Mapping[str, Contender]] = {
    BARE: Contender(_nothing),
    OURS: Contender(_otel_meta),
    OURS_CONTRIB: Contender(partial(_otel_meta, engine="contrib")),
    OURS_NATIVE: Contender(partial(_otel_meta, engine="native")),
    CONTRIB: Contender(_contrib),
    CONTRIB_DEFAULT: Contender(_contrib_default),
    NATIVE_ONE: Contender(_native, {"telemetry": {"operation_spans": False}}),
    NATIVE: Contender(_native),
    LOGFIRE: Contender(_logfire),
    OURS_METRICS: Contender(_otel_meta_metrics),
    INSTRUMENTATOR: Contender(_instrumentator),
    STARLETTE_EXPORTER: Contender(_starlette_exporter),
}
