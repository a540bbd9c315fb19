"""Room in the queue between an application and an exporter: what finds none is dropped and counted.

The SDK's batch processors drop the oldest for the newest, and count that only in metrics that are
off by default. Here the queue never overflows: the newest is dropped before it, and counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, Final

from opentelemetry.sdk._logs import ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import Faults

_DEFAULT_SIZE: Final = 2048


class QueueCapacity:
    """How much of a queue is taken.

    Args:
        what: what is queued, for the fault.
        variable: the environment variable that has the queue's size.
        faults: who counts what finds no room.
    """

    def __init__(self, what: str, variable: str, faults: Faults) -> None:
        self.size: Final = _size(os.environ.get(variable, ""))
        self._what: Final = what
        self._variable: Final = variable
        self._faults: Final = faults
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin with an empty queue, as the SDK does in a forked child."""
        self._taken = 0
        self._lock = Lock()

    def take(self) -> bool:
        """Whether there is room for one more; that it is missing is counted."""
        with self._lock:
            has_room = self._taken < self.size
            self._taken += has_room
        if not has_room:
            detail = f"more than {self.size} wait to be exported, see {self._variable}"
            self._faults.report(f"export of {self._what}", "queue full", detail)
        return has_room

    def release_on_export(self, exporter: Any) -> None:
        """Have room again as soon as the exporter is given a batch."""
        export: Callable[..., Any] = exporter.export

        @wraps(export)
        def free(batch: Any, *args: Any, **kwargs: Any) -> Any:
            with self._lock:
                self._taken -= len(batch)
            return export(batch, *args, **kwargs)

        exporter.export = free


def _size(text: str) -> int:
    """What the variable says; the default for what is no size, which the SDK warns of."""
    return int(text) if text.strip().isdecimal() and int(text) else _DEFAULT_SIZE


class SpanQueue(BatchSpanProcessor):
    """The SDK's batch processor of spans, with room for so many."""

    def __init__(self, exporter: SpanExporter, faults: Faults) -> None:
        self._room: Final = QueueCapacity("traces", "OTEL_BSP_MAX_QUEUE_SIZE", faults)
        self._room.release_on_export(exporter)
        super().__init__(exporter, max_queue_size=self._room.size)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span that is sampled."""
        context = span.context
        if context is not None and context.trace_flags.sampled and self._room.take():
            super().on_end(span)


class LogQueue(BatchLogRecordProcessor):
    """The SDK's batch processor of log records, with room for so many."""

    def __init__(self, exporter: LogRecordExporter, faults: Faults) -> None:
        self._room: Final = QueueCapacity("logs", "OTEL_BLRP_MAX_QUEUE_SIZE", faults)
        self._room.release_on_export(exporter)
        super().__init__(exporter, max_queue_size=self._room.size)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a log record."""
        if self._room.take():
            super().on_emit(log_record)
