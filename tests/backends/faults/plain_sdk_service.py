"""The commanded service with OpenTelemetry's SDK alone, set up as in the SDK's documentation."""

from __future__ import annotations

from itertools import count

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.backends.faults.command_loop import run_commands

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
numbers = count(1)


def work(times: int) -> None:
    """Make a number of spans."""
    tracer = provider.get_tracer("shop")
    for _ in range(times):
        tracer.start_span("work", attributes={"test.number": next(numbers)}).end()


def flush(_: int) -> None:
    """Export all spans."""
    provider.force_flush()


run_commands({"work": work, "flush": flush})
