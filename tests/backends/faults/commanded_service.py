"""A service with otel_meta that runs commands: ``work 100``, ``fail 10``, ``flush 0``.

Each piece of work is a numbered span and an event in a counter.
"""

from __future__ import annotations

from itertools import count

from opentelemetry import trace

from otel_meta import configure
from otel_meta.repos import Titan
from tests.backends.faults.command_loop import run_commands

telemetry = configure("shop", Titan, log_stream=None)
titan = telemetry.bind(Titan)
numbers = count(1)


def work(times: int) -> None:
    """Process a number of events."""
    tracer = trace.get_tracer("shop")
    for _ in range(times):
        with tracer.start_as_current_span("work", attributes={"test.number": next(numbers)}):
            titan.events_processed.add(1, event_type="order", consumer="ledger")


def fail(times: int) -> None:
    """Process a number of events, and count each as failed."""
    work(times)
    titan.event_failures.add(times, event_type="order", consumer="ledger", reason="internal")


def flush(_: int) -> None:
    """Export all spans and metrics, however long the export takes."""
    telemetry.flush(60)


run_commands({"work": work, "fail": fail, "flush": flush})
