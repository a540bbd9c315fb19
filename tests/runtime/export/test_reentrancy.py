from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from otel_meta.testing import OtlpReceiver, capture

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
IN_CRITICAL_SECTION = """
import faulthandler, sys, threading
from opentelemetry import trace
import otel_meta

faulthandler.dump_traceback_later(10, exit=True)
telemetry = otel_meta.configure("shop", log_stream=None)
tracer, entered = trace.get_tracer("shop"), []

def interrupt(frame, event, _argument):
    if event == "line" and not entered and frame.f_locals["self"]._cond._lock.locked():
        entered.append(frame)
        tracer.start_span("of the handler").end()
    return interrupt

def watch(frame, _event, _argument):
    return interrupt if frame.f_code is threading.Event.set.__code__ else None

sys.settrace(watch)
tracer.start_span("interrupted").end()
sys.settrace(None)
print(len(entered), telemetry.flush(5))
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

    def test_span_that_ends_in_critical_section_of_sdk_does_not_block(
        self, script: Callable[..., Run]
    ) -> None:
        """A span that ends while its thread holds a lock of the SDK's queue does not block."""
        with OtlpReceiver() as sink:
            run = script(
                IN_CRITICAL_SECTION,
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
                OTEL_BSP_MAX_EXPORT_BATCH_SIZE="1",
            )

            assert (0, "1 True\n") == (run.code, run.stdout)
            assert {"interrupted", "of the handler"} == {each.span.name for each in sink.spans()}


class TestLogHandler:
    def test_handler_that_records_and_flushes_in_warning_of_outage_ends_in_time(self) -> None:
        """A log handler that records and flushes during the warning of an outage ends in time."""
        with OtlpReceiver(status=400) as sink, capture(otlp_endpoint=sink.endpoint) as captured:
            telemetry = captured.telemetry
            assert telemetry.traces is not None
            tracer = telemetry.traces.provider.get_tracer("test")
            seen: list[str] = []

            class Handler(logging.Handler):
                def emit(self, record: logging.LogRecord) -> None:
                    seen.append(record.getMessage())
                    tracer.start_span("of the handler").end()
                    telemetry.flush(0.1)

            handler = Handler()
            logging.getLogger("otel_meta").addHandler(handler)
            tracer.start_span("span").end()
            in_time = telemetry.flush(20)
            logging.getLogger("otel_meta").removeHandler(handler)

        assert in_time
        assert "cannot export" in seen[0]
