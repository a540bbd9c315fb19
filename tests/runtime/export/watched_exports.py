"""Batches of each signal, exported by a watched exporter to an address."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.export.exporters import create_exporter
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.settings import read_settings
from otel_meta.runtime.signals import Signal

TIMEOUT: Final = 0.3
"""Seconds that an exporter tries."""


def _spans(items: int) -> Any:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    spans = [tracer.start_span("span") for _ in range(items)]
    for span in spans:
        span.end()
    return spans


def _points(items: int) -> Any:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    counter = provider.get_meter("test").create_counter("calls")
    for number in range(items):
        counter.add(1, {"number": number})
    return reader.get_metrics_data()


def _records(items: int) -> Any:
    memory = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # the SDK has no types
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    for _ in range(items):
        provider.get_logger("test").emit(body="said")
    return memory.get_finished_logs()


BATCHES: Final[Mapping[Signal, Callable[[int], Any]]] = {
    "traces": _spans,
    "metrics": _points,
    "logs": _records,
}


class WatchedExport:
    """An exporter of a signal over OTLP, under the watch of a monitor.

    Args:
        signal: the signal to export.
        endpoint: base URL.
        variables: OpenTelemetry's variables.
    """

    def __init__(self, signal: Signal, endpoint: str, **variables: str) -> None:
        environ = {
            "OTEL_EXPORTER_OTLP_TIMEOUT": f"{TIMEOUT * 1000:.0f}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        }
        otlp = read_settings("shop", environ=environ | variables).otlp
        self.faults: Final = Faults()
        self.monitor: Final = DeliveryMonitor(self.faults)
        self._signal: Final[Signal] = signal
        self._exporter: Final = self.monitor.watch(create_exporter(signal, "otlp", otlp), signal)

    def send(self, items: int = 5) -> bool:
        """Export a batch of some items, and return True if the exporter reports success."""
        return self.send_batch(BATCHES[self._signal](items))

    def send_batch(self, batch: Any) -> bool:
        """Export a batch, and return True if the exporter reports success."""
        self.monitor.install()
        try:
            result = self._exporter.export(batch)
            return getattr(result, "name", "") == "SUCCESS"
        finally:
            self.monitor.uninstall()

    def counted(self, reason: str) -> float:
        """Return the number of faults with a reason."""
        cells = self.faults.family.cells()
        return sum(cell.value for cell in cells if cell.labels == (self._source, reason))

    @property
    def _source(self) -> str:
        return f"export of {self._signal}"


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return level and message of each line that otel_meta logged on this thread."""
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "otel_meta" and record.thread == threading.get_ident()
    ]


def warning(caplog: pytest.LogCaptureFixture) -> str:
    """Return the only line that otel_meta logged on this thread."""
    ((level, message),) = logged(caplog)
    assert logging.getLevelName(logging.WARNING) == level
    return message
