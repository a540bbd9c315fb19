from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from tests.conftest import Run

INTERRUPTED = """
import signal, time
from collections import Counter
from opentelemetry import trace
import otel_meta

telemetry = otel_meta.configure("shop", log_stream=None)
tracer, log = trace.get_tracer("shop"), telemetry.logs.provider.get_logger("shop")
sent = Counter()

def work():
    sent["spans"] += 1
    tracer.start_span("selling").end()
    sent["records"] += 1
    log.emit(body="sold")

def interrupt(*_):
    work()
    if sent["spans"] % 50 == 0:
        telemetry.flush(0.01)

signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
end = time.monotonic() + 1.5
while time.monotonic() < end:
    work()
signal.setitimer(signal.ITIMER_REAL, 0)
in_time = telemetry.flush(20)
lost = Counter()
for cell in telemetry.faults.family.cells():
    lost[cell.labels[0]] += cell.value
print(in_time, sent["spans"], sent["records"], lost["export of traces"], lost["export of logs"])
"""
SHUTDOWN = """
import os, signal, time
from opentelemetry import trace
import otel_meta

telemetry = otel_meta.configure("shop", log_stream=None)
trace.get_tracer("shop").start_span("selling").end()

def stop(*_):
    began = time.monotonic()
    telemetry.shutdown(0.2)
    print(time.monotonic() - began < 1.5)

signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.1)
began = time.monotonic()
telemetry.flush(0.5)
print(time.monotonic() - began < 2)
"""


class TestSignalHandler:
    def test_handler_that_records_and_flushes_neither_blocks_nor_loses_items(
        self, script: Callable[..., Run]
    ) -> None:
        """A signal handler that records and flushes neither blocks nor loses an item unseen."""
        with OtlpReceiver() as sink:
            run = script(
                INTERRUPTED, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint, OTEL_BSP_SCHEDULE_DELAY="10"
            )
            stored = len(sink.spans()), len(sink.log_records())
        assert 0 == run.code
        in_time, spans, records, lost_spans, lost_records = run.stdout.split()

        assert "True" == in_time
        assert (int(spans) - float(lost_spans), int(records) - float(lost_records)) == stored

    def test_shutdown_in_handler_during_flush_ends_in_time(
        self, script: Callable[..., Run], black_hole: str
    ) -> None:
        """A shutdown in a signal handler ends in time, although it interrupts a flush."""
        run = script(SHUTDOWN, OTEL_EXPORTER_OTLP_ENDPOINT=black_hole)

        assert (0, "True\nTrue\n") == (run.code, run.stdout)
