from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.export.queues import LogQueue, QueueCapacity, Reentry, SpanQueue
from otel_meta.runtime.recording.faults import Faults
from tests.runtime.forks import in_child

FULL = ("export of traces", "queue full")


class Gate(InMemorySpanExporter):
    """An exporter of spans that waits until the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = Event()
        self.entered = Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Wait for the gate, then keep the batch."""
        self.entered.set()
        self.opened.wait()
        return super().export(spans)


class LogGate(InMemoryLogRecordExporter):
    """An exporter of log records that waits until the gate is opened."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the SDK has no types here
        self.opened = Event()

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        """Wait for the gate, then keep the batch."""
        self.opened.wait()
        return super().export(batch)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Return faults, and make queues short."""
    for what in ("BSP", "BLRP"):
        monkeypatch.setenv(f"OTEL_{what}_MAX_QUEUE_SIZE", "8")
        monkeypatch.setenv(f"OTEL_{what}_MAX_EXPORT_BATCH_SIZE", "4")
    return Faults()


def end_spans(provider: TracerProvider, many: int) -> None:
    """Start and end a number of spans."""
    tracer = provider.get_tracer("test")
    for _ in range(many):
        tracer.start_span("span").end()


class TestSpanQueue:
    def test_every_item_is_either_exported_or_counted_as_dropped(self, faults: Faults) -> None:
        """Every item is either exported or counted as dropped."""
        gate = Gate()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SpanQueue(gate, DeliveryMonitor(faults), faults))
        workers = [Thread(target=end_spans, args=(provider, 100)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        dropped = faults.count()
        gate.opened.set()
        provider.shutdown()

        assert 400 == len(gate.get_finished_spans()) + dropped
        assert dropped >= 400 - 8 - 4
        assert {FULL} == {cell.labels for cell in faults.family.cells()}

    def test_queue_has_its_whole_size_while_batch_is_exported(self, faults: Faults) -> None:
        """A queue has its whole size while a batch is exported."""
        gate = Gate()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SpanQueue(gate, DeliveryMonitor(faults), faults))
        end_spans(provider, 4)
        gate.entered.wait()
        end_spans(provider, 8)
        fitting = faults.count()
        end_spans(provider, 3)
        gate.opened.set()
        provider.shutdown()

        assert (0.0, 3.0) == (fitting, faults.count())
        assert 12 == len(gate.get_finished_spans())

    def test_exporting_batch_releases_its_capacity(self, faults: Faults) -> None:
        """Exporting a batch releases its capacity."""
        gate = Gate()
        gate.opened.set()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SpanQueue(gate, DeliveryMonitor(faults), faults))
        for _ in range(10):
            end_spans(provider, 6)
            provider.force_flush()
        provider.shutdown()

        assert (60, 0.0) == (len(gate.get_finished_spans()), faults.count())

    def test_span_that_is_not_sampled_takes_no_capacity(self, faults: Faults) -> None:
        """A span that is not sampled takes no capacity."""
        gate = Gate()
        provider = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)
        provider.add_span_processor(SpanQueue(gate, DeliveryMonitor(faults), faults))
        end_spans(provider, 100)
        gate.opened.set()
        provider.shutdown()

        assert 0.0 == faults.count()


class TestLogQueue:
    def test_every_item_is_either_exported_or_counted_as_dropped(self, faults: Faults) -> None:
        """Every item is either exported or counted as dropped."""
        gate = LogGate()
        provider = LoggerProvider(shutdown_on_exit=False)
        provider.add_log_record_processor(LogQueue(gate, DeliveryMonitor(faults), faults))
        logger = provider.get_logger("test")
        for _ in range(100):
            logger.emit(body="said")
        dropped = faults.count()
        gate.opened.set()
        provider.shutdown()

        assert 100 == len(gate.get_finished_logs()) + dropped
        assert dropped >= 100 - 8 - 4


class TestReentry:
    def test_item_of_interrupting_handler_follows_interrupted_one(self) -> None:
        """An item that a signal handler adds during a call follows after this call."""
        passed: list[str] = []

        def pass_on(item: str) -> None:
            if item == "first":
                reentry.add("of the handler")
            passed.append(item)

        reentry = Reentry(pass_on)
        reentry.add("first")
        reentry.add("last")

        assert ["first", "of the handler", "last"] == passed

    def test_error_leaves_no_trace(self) -> None:
        """After an error, which reaches the caller, the next item is passed on."""
        passed: list[int] = []
        reentry = Reentry[int](lambda item: passed.append(1 // item))
        with pytest.raises(ZeroDivisionError):
            reentry.add(0)
        reentry.add(1)

        assert [1] == passed

    def test_items_of_other_threads_are_passed_on_meanwhile(self) -> None:
        """Items of another thread are passed on during a call."""
        passed: list[str] = []

        def pass_on(item: str) -> None:
            if item == "first":
                thread = Thread(target=reentry.add, args=("other",))
                thread.start()
                thread.join()
            passed.append(item)

        reentry = Reentry(pass_on)
        reentry.add("first")

        assert ["other", "first"] == passed


class TestQueueCapacity:
    @pytest.mark.parametrize(
        ("text", "size"), [("", 2048), ("100", 100), ("ten", 2048), ("0", 2048)]
    )
    def test_variable_sets_size_of_queue_and_invalid_size_is_default(
        self, monkeypatch: pytest.MonkeyPatch, text: str, size: int
    ) -> None:
        """The variable sets the size of the queue, and an invalid size is the default."""
        monkeypatch.setenv("SIZE", text)

        assert size == QueueCapacity("traces", "SIZE", Faults()).size

    def test_forked_child_has_empty_queue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A forked child has an empty queue."""
        monkeypatch.setenv("SIZE", "1")
        capacity = QueueCapacity("traces", "SIZE", Faults())
        capacity.try_acquire()

        assert in_child(capacity.try_acquire)
