"""Both ends of a span pipeline: a sender and a backend of numbered spans.

The numbers tell lost, stored and duplicated spans apart.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event, Lock, Thread, get_ident
from typing import Any, Self

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

NUMBER = "test.number"
OK = grpc.StatusCode.OK
_BATCH = 20
_EXPORTER_LOGGER = logging.getLogger(OTLPSpanExporter.__module__)
_PADDING = "x" * 100


class SpanSink(TraceServiceServicer):
    """A trace backend over gRPC that counts the arrivals of each number, and fails on demand."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.port = port
        self.host = host
        self.next_status: Callable[[], grpc.StatusCode] = lambda: OK
        """Decides on the status of each response."""
        self.delay = 0.0
        """Seconds from the storing of spans to the response."""
        self.retry_after = 0
        """Milliseconds of the retry delay in a refusal; 0 for no retry delay."""
        self.refused: set[int] = set()
        """Numbers of the spans in refused requests."""
        self._arrivals: Counter[int] = Counter()
        self._lock = Lock()
        self._server: grpc.Server | None = None

    def Export(  # noqa: N802  # gRPC's name
        self, request: ExportTraceServiceRequest, context: Any
    ) -> ExportTraceServiceResponse:
        """Store the spans first, and respond then: a late response is no lost span."""
        code = self.next_status()
        numbers = list(_numbers(request))
        with self._lock:
            self._arrivals.update(numbers) if code == OK else self.refused.update(numbers)
        if self.delay:
            time.sleep(self.delay)
        if code != OK:
            context.abort_with_status(_refusal(code, self.retry_after))
        return ExportTraceServiceResponse()

    def start(self) -> Self:
        """Listen on the port."""
        # With SO_REUSEPORT, two servers could share the port.
        server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        add_TraceServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]  # generated
        assert self.port == server.add_insecure_port(f"{self.host}:{self.port}")
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Close all connections and the port."""
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stored(self) -> set[int]:
        """The numbers of all stored spans."""
        with self._lock:
            return set(self._arrivals)

    @property
    def duplicates(self) -> int:
        """The number of arrivals of spans that were stored already."""
        with self._lock:
            return self._arrivals.total() - len(self._arrivals)


class _Refusal(grpc.Status):
    """The argument of `abort_with_status`."""

    def __init__(self, code: grpc.StatusCode, details: str, status: bytes) -> None:
        self.code = code
        self.details = details
        self.trailing_metadata = (("grpc-status-details-bin", status),)


def _refusal(code: grpc.StatusCode, retry_after: int) -> _Refusal:
    text = "refused by the test"
    status = Status(code=code.value[0], message=text)
    if retry_after:
        delay = Duration(seconds=retry_after // 1000, nanos=retry_after % 1000 * 1_000_000)
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    return _Refusal(code, text, status.SerializeToString())


def _numbers(request: ExportTraceServiceRequest) -> Iterator[int]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield from (a.value.int_value for a in span.attributes if a.key == NUMBER)


class SpanSender:
    """Sends numbered spans by the exporter of the SDK, with its retries, and keeps the results.

    Args:
        endpoint: the base URL of an OTLP receiver over HTTP.
        timeout: the seconds after which the exporter gives up a batch; a minute, because the
            queue file of a sidecar waits for a busy disk.
        service: the name of the service.
    """

    def __init__(self, endpoint: str, *, timeout: float = 60, service: str = "sender") -> None:
        self._url = f"{endpoint}/v1/traces"
        self._timeout = timeout
        self._resource = Resource({"service.name": service})
        self._next_number = count(1)
        self._lock = Lock()
        self.sent: set[int] = set()
        self.accepted: set[int] = set()
        """Numbers that the receiver has acknowledged."""
        self.given_up: set[int] = set()
        """Numbers that the exporter reports as failed."""
        self.reasons: list[str] = []
        """The exporter's words about failures, for the message of a failed test."""

    def send(self, spans: int, *, batch: int = _BATCH) -> None:
        """Send a number of spans, and return after the result of the last batch."""
        exporter = OTLPSpanExporter(self._url, timeout=self._timeout)
        for first in range(0, spans, batch):
            self._export(exporter, min(batch, spans - first))
        _shut_down(exporter)

    @contextmanager
    def load(self, threads: int = 2, pause: float = 0.01) -> Iterator[None]:
        """Send batches while the context is open; at its end, wait for the last results."""
        stopping = Event()

        def work() -> None:
            exporter = OTLPSpanExporter(self._url, timeout=self._timeout)
            while not stopping.wait(pause):
                self._export(exporter, _BATCH)
            _shut_down(exporter)

        workers = [Thread(target=work, daemon=True) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            stopping.set()
            for worker in workers:
                worker.join()

    def _export(self, exporter: OTLPSpanExporter, spans: int) -> None:
        with self._lock:
            numbers = [next(self._next_number) for _ in range(spans)]
            self.sent.update(numbers)
        with _messages(self.reasons):
            result = exporter.export([self._span(number) for number in numbers])
        succeeded = result is SpanExportResult.SUCCESS
        with self._lock:
            (self.accepted if succeeded else self.given_up).update(numbers)

    def _span(self, number: int) -> ReadableSpan:
        """Return a span in a trace of its own, whose id looks random."""
        trace_id = (number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128
        now = time.time_ns()
        return ReadableSpan(
            name="numbered",
            context=SpanContext(trace_id, number, is_remote=False, trace_flags=TraceFlags(1)),
            resource=self._resource,
            attributes={NUMBER: number, "test.padding": _PADDING},
            kind=SpanKind.SERVER,
            start_time=now - 1_000_000,
            end_time=now,
        )


class _Keeper(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._messages = messages
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._messages.append(record.getMessage())


@contextmanager
def _messages(messages: list[str]) -> Iterator[None]:
    """Keep the errors that the exporter logs in this thread."""
    keeper = _Keeper(messages)
    _EXPORTER_LOGGER.addHandler(keeper)
    try:
        yield
    finally:
        _EXPORTER_LOGGER.removeHandler(keeper)


def _shut_down(exporter: OTLPSpanExporter) -> None:
    exporter.shutdown()  # type: ignore[no-untyped-call]  # the SDK declares no return type
