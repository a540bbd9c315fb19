"""A service that does as it is told, line by line: ``work 100``, ``fail 10``, ``flush 0``.

Each piece of work is a span with a number, and an event in a counter.
"""

from __future__ import annotations

from itertools import count

from opentelemetry import trace

from otel_meta import configure
from otel_meta.repos import Titan
from tests.backends.faults.obey import obey

EVENT = {"event_type": "order", "consumer": "ledger"}

telemetry = configure("shop", Titan, log_stream=None)
titan = telemetry.bind(Titan)
numbers = count(1)


def work(times: int) -> None:
    """Do something so often."""
    tracer = trace.get_tracer("shop")
    for _ in range(times):
        with tracer.start_as_current_span("work", attributes={"test.number": next(numbers)}):
            titan.events_processed.add(1, **EVENT)


def fail(times: int) -> None:
    """Do it badly."""
    work(times)
    titan.event_failures.add(times, **EVENT, reason="internal")


def flush(_: int) -> None:
    """Export what there is, however long that takes."""
    telemetry.flush(60)


obey({"work": work, "fail": fail, "flush": flush})
