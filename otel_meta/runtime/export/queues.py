"""Bounded queues for spans and log records, with a counter of dropped items.

The SDK's batch processors drop the oldest item for the newest, and count drops only in metrics that
are off by default. Here a full queue drops the newest item, and a fault is counted.

Theory of operation
===================

The path of a span or log record. Each target of a signal has a queue, a worker thread and an
exporter (two targets of traces have two queues).

1. The application's thread ends a span, or logs a line (`logs.otlp.OtelLogProcessor`). The SDK
   calls `SpanQueue.on_end` or `LogQueue.on_emit` on the same thread. An unsampled span ends here.
   Lines of otel_meta and opentelemetry, and lines logged during an export, are not emitted at all:
   each export would cause the next.
2. `QueueCapacity.try_acquire` takes one of the free places from a list, in one call of C code.
   There are OTEL_BSP_MAX_QUEUE_SIZE or OTEL_BLRP_MAX_QUEUE_SIZE places (2,048). If none is free,
   the item is dropped and counted:
   ``otel_meta_faults_total{source="export of traces", reason="queue full"}``. Otherwise the item is
   appended to the deque of the SDK, a span by `SpanQueue.put`, a log record by the SDK. The
   application's thread never waits for the network. Spans of a request that the sampler has left
   out come here only from `tracing.tail_sampling`, after the end of the request.
3. The SDK's worker thread, a daemon, wakes when a batch is full (OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
   512 items) or after OTEL_BSP_SCHEDULE_DELAY, and calls `delivery.WatchedExporter.export`.
4. `WatchedExporter` first releases the capacity of the batch, then runs the exporter. So memory is
   bounded by the size of the queue plus the current batch: a lock of the SDK serializes the exports
   of a queue, from the worker thread and from a flush.
5. The exporter encodes the batch, spans by `encoding.trace_requests`, and gives it to
   `otlp_http.OtlpSession` or `otlp_grpc`. These send requests for OTEL_EXPORTER_OTLP_TIMEOUT
   seconds (10), with the pauses of `attempts.Attempt`, and judge each answer. A failed batch is
   lost: the items are counted as ``reason="undelivered"``, and `delivery.DeliveryMonitor` logs the
   start of the outage. Items that the receiver rejected from an accepted batch are counted as
   ``reason="rejected"``, and spans that cannot be encoded as ``reason="unencodable"``. Meanwhile
   the queue fills up, and step 2 counts the excess.

The path of a metric point has no queue. Recording changes numbers in memory (`runtime.recording`);
the cardinality limit of each metric bounds their amount.

1. A `periodic.Ticker`, a daemon thread for each target, calls `metrics.PushReader.collect` every
   ``metric_interval`` seconds.
2. On that thread the SDK collects its own instruments, `producer.MetricProducer` appends a point
   for every series of ours, and `WatchedExporter` exports both together. A lock covers collection
   and export, so a flush waits for an export under way.
3. A failed export counts as a single fault, "undelivered", and loses nothing: the next export has
   the totals, or with delta temporality also the increments of the failed export. Deltas of the
   SDK's own instruments are lost; each of their points counts.

Flush, shutdown, fork:

- `Telemetry.flush` has a daemon thread for each signal, which exports the whole queue, and waits
  for all threads with a common deadline (`deadline`). A late thread continues in the background,
  and serves the next flush.
- `Telemetry.shutdown` also stops the workers and the tickers. Retries end at a receiver that is not
  reachable. At the deadline, the rest is counted, logged and lost: daemon threads do not keep the
  process alive. Later items are ignored by the SDK without a fault; they use up the capacity of the
  queue, and are counted as "queue full" from then on. Spans whose request has not ended are
  undecided, and are no loss of the queue.
- In a forked child, the SDK empties each queue and starts a new worker. `QueueCapacity` begins at
  zero, the tickers start new threads, the sessions open connections of their own, and the locks on
  this path are renewed, because a thread of the parent may have held a lock during the fork. Only
  the parent exports the items queued before.
- A signal handler may record inside any of these steps: locks are reentrant, spans are appended by
  single calls of C code, and `Reentry` keeps log records and the call that wakes the worker out of
  the SDK's critical sections.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any, Final, Generic, TypeVar

from opentelemetry.sdk._logs import ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import TraceFlags

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.signals import Signal

from .delivery import DeliveryMonitor

ItemT = TypeVar("ItemT")

_DEFAULT_SIZE: Final = 2048
_SAMPLED: Final = TraceFlags.SAMPLED


class QueueCapacity:
    """Counts the items in a queue.

    Args:
        signal: the queued signal, for the fault.
        variable: the environment variable with the size of the queue.
        faults: counts the dropped items.
    """

    def __init__(self, signal: Signal, variable: str, faults: Faults) -> None:
        self.size: Final = _size(os.environ.get(variable, ""))
        self._signal: Final[Signal] = signal
        self._variable: Final = variable
        self._faults: Final = faults
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin with an empty queue, as the SDK does in a forked child."""
        self._free = [None] * self.size

    def try_acquire(self) -> bool:
        """Acquire capacity for one item; return False and count a fault if the queue is full."""
        try:
            self._free.pop()  # one call of C code, so that threads and handlers need no lock
        except IndexError as error:
            reraise_interruption(error)
            detail = f"more than {self.size} wait to be exported, see {self._variable}"
            self._faults.report(f"export of {self._signal}", "queue full", detail)
            return False
        return True

    def release(self, items: int) -> None:
        """Release the capacity of items after their removal from the queue."""
        self._free.extend([None] * items)

    def waiting(self) -> int:
        """Return the number of items in the queue."""
        return self.size - len(self._free)


def _size(text: str) -> int:
    """Return the size of a queue; the default if invalid (the SDK logs a warning)."""
    return int(text) if text.strip().isdecimal() and int(text) else _DEFAULT_SIZE


class Reentry(Generic[ItemT]):
    """Passes items on, one at a time on each thread.

    A signal handler that runs while its thread appends to a queue of the SDK may end a span or log
    a line. The SDK would then wait for its own lock, so the item waits for the interrupted call.
    """

    def __init__(self, pass_on: Callable[[ItemT], None]) -> None:
        self._pass_on: Final = pass_on
        self._waiting: Final[dict[int, deque[ItemT]]] = {}

    def add(self, item: ItemT) -> None:
        """Pass an item on, or leave it to the interrupted call of this thread."""
        thread = get_ident()
        waiting = self._waiting.get(thread)
        if waiting is not None:
            waiting.append(item)
            return
        waiting = self._waiting[thread] = deque([item])
        try:
            while waiting:
                self._pass_on(waiting.popleft())
        finally:
            del self._waiting[thread]


class SpanQueue(BatchSpanProcessor):
    """The SDK's batch processor of spans, with a counted bound."""

    def __init__(self, exporter: SpanExporter, monitor: DeliveryMonitor, faults: Faults) -> None:
        self._capacity: Final = QueueCapacity("traces", "OTEL_BSP_MAX_QUEUE_SIZE", faults)
        watched = monitor.watch(exporter, "traces", self._capacity)
        super().__init__(watched, max_queue_size=self._capacity.size)
        self._waking: Final = Reentry(self._wake)
        self._processor: Final[Any] = self._batch_processor
        self._items: Final[deque[ReadableSpan]] = self._processor._queue  # noqa: SLF001
        self._batch: Final[int] = self._processor._max_export_batch_size  # noqa: SLF001

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span."""
        context = span.context
        if context is not None and context.trace_flags & _SAMPLED:
            self.put(span)

    def put(self, span: ReadableSpan) -> None:
        """Queue a span, whatever its flags say."""
        if not self._capacity.try_acquire():
            return
        if self._processor._shutdown:  # noqa: SLF001
            super().on_end(span)  # says that the span is ignored
            return
        self._items.appendleft(span)  # one call of C code: a signal handler may do the same
        if len(self._items) >= self._batch and not self._processor._worker_awaken.is_set():  # noqa: SLF001
            self._waking.add(self)

    def _wake(self, _queue: SpanQueue) -> None:
        """Wake the worker of the SDK, which takes a lock."""
        self._processor._worker_awaken.set()  # noqa: SLF001 - another object in a forked child


class LogQueue(BatchLogRecordProcessor):
    """The SDK's batch processor of log records, with a counted bound."""

    def __init__(
        self, exporter: LogRecordExporter, monitor: DeliveryMonitor, faults: Faults
    ) -> None:
        self._capacity: Final = QueueCapacity("logs", "OTEL_BLRP_MAX_QUEUE_SIZE", faults)
        self._reentry: Final = Reentry(super().on_emit)
        watched = monitor.watch(exporter, "logs", self._capacity)
        super().__init__(watched, max_queue_size=self._capacity.size)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a log record."""
        if self._capacity.try_acquire():
            self._reentry.add(log_record)
