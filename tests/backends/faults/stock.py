"""The same service with OpenTelemetry's SDK alone, set up as its documentation does."""

from __future__ import annotations

from itertools import count

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.backends.faults.obey import obey

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
numbers = count(1)


def work(times: int) -> None:
    """Do something so often."""
    tracer = provider.get_tracer("shop")
    for _ in range(times):
        tracer.start_span("work", attributes={"test.number": next(numbers)}).end()


def flush(_: int) -> None:
    """Export what there is."""
    provider.force_flush()


obey({"work": work, "flush": flush})
